"""Sense: what must not slip into the tables from an office file. Each file here is sound but for one thing,
and that is told at its cell; or is sound, and every row is right."""

import datetime
import sys
from pathlib import Path

import pytest

from wardlib.data import descriptors
from wardlib.data.intake import examination, questions
from wardlib.errors import NOTE, DataError, RequestError

sys.path.insert(0, str(Path(__file__).parent / "data" / "intake"))

import containers
import make

SAMPLES = {sample.file: sample for sample in make.samples()}
TODAY = datetime.date(2026, 1, 1)
JANUARY, FEBRUARY = "2022-01", "2022-02"
DONG = ["Đơn vị tính: đồng"]
TITLE = ["THU NGÂN SÁCH THÁNG 01 NĂM 2022"]
HEADS = ["Nội dung", "Thu NSNN", "Thu NSX"]
TOTAL, FEES, OTHER = (make.NAMES[line] for line in ("total", "fees", "other"))
COLLECTED = {"total": 53_840_000, "fees": 12_840_000, "other": 41_000_000}  # all of it is kept


def page(*rows, name="Thu"):
    """A sheet of these rows, from A1 on; None is an empty cell."""
    made = containers.Page(name)
    for row, cells in enumerate(rows):
        for column, value in enumerate(cells):
            if value is not None:
                is_day = isinstance(value, datetime.date)
                made.put(row, column, value, containers.DAY if is_day else containers.PLAIN)
    return made


def lines(unit=1, pairs=1, **other):
    """The three rows of a small month, each with its amounts in a unit, or with `other` cells."""
    return [
        [make.NAMES[line], *other.get(line, [COLLECTED[line] / unit] * 2 * pairs)]
        for line in COLLECTED
    ]


def small(month=JANUARY):
    """What a sheet of `lines` brings."""
    return {(month, line, amount, amount) for line, amount in COLLECTED.items()}


def examined(*pages, day="2022-02-10", answers=(), status="", ward="phuc-dong"):
    """What the intake of a workbook with these sheets would do."""
    return examination.examine(
        descriptors.ward(ward), [("thu.xlsx", containers.xlsx(*pages))],
        datetime.date.fromisoformat(day), questions.answers(answers), today=TODAY, status=status,
    )  # fmt: skip


def named(found):
    """Kind and cell of what is refused and asked, with the sheet where there are several."""
    return {
        (own.kind, f"{own.sheet}!{own.cell}" if len(file.sheets) > 1 else own.cell)
        for file in found.files
        for own in file.problems
        if own.severity != NOTE
    }


def rows(found, *columns):
    """The rows of receipts, or what the columns of another table say, by time and item."""
    assert found.outcome == "accept", named(found)
    return {
        (
            (own.time, own.item, *(own.cells[column] for column in columns))
            if columns
            else (own.time, own.item, int(own.cells["collected"]), int(own.cells["kept"]))
        )
        for file in found.files
        for own in file.arrivals
    }


@pytest.fixture
def take(home, tmp_path):
    """Take in a workbook with these sheets, as `ward intake --apply` does."""

    def taken(*pages, day="2022-02-10", answers=(), layout="", status="", ward="phuc-dong"):
        path = tmp_path / f"{day}.xlsx"
        path.write_bytes(containers.xlsx(*pages))
        return examination.take_in(
            descriptors.ward(ward), [path], day, apply=True, answers=list(answers), layout=layout,
            status=status, today=TODAY,
        )  # fmt: skip

    return taken


# Units -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "heads", "unit"),
    [
        ([None], ["Đơn vị tính: triệu đồng"], HEADS, 1_000_000),
        (["Đơn vị tính: xu đồng"], ["ĐVT: 1000 đồng"], HEADS, 1_000),
        (["Đơn vị: nghìn đồng", "ĐVT: triệu đồng"], ["ĐVT: triệu đồng"], HEADS, 1_000_000),
        ([None], [None], ["Nội dung", "Thu NSNN (nghìn đồng)", "Thu NSX (nghìn đồng)"], 1_000),
    ],
)
def test_an_answered_unit_leaves_a_stated_one(first, second, heads, unit):
    """--answer unit=dong counts where none, an unknown one or two are given, and on no other sheet."""
    title = ["THU NGÂN SÁCH THÁNG 02 NĂM 2022"]
    pages = (
        page(TITLE, first, HEADS, *lines(), name="T01"),
        page(title, second, heads, *lines(unit), name="T02"),
    )
    asked = examined(*pages, day="2022-03-10")
    assert {place.partition("!")[0] for _, place in named(asked)} == {"T01"}
    found = examined(*pages, day="2022-03-10", answers=["unit=dong"])
    assert rows(found) == small() | small(FEBRUARY)


def test_an_answered_unit_leaves_the_sheet_whose_amounts_can_be():
    """Whole đồng under “triệu đồng” are asked about; the answer is not for the other sheet's thousands."""
    pages = (
        page(TITLE, ["Đơn vị: triệu đồng"], HEADS, *lines(), name="T01"),
        page(["THÁNG 02 NĂM 2022"], ["Đơn vị: nghìn đồng"], HEADS, *lines(1_000), name="T02"),
    )
    assert named(examined(*pages, day="2022-03-10")) == {("unit_implausible", "T01!A2")}
    found = examined(*pages, day="2022-03-10", answers=["unit=dong"])
    assert rows(found) == small() | small(FEBRUARY)


@pytest.mark.parametrize("answer", ["unit=ty", "unit=dong"])
def test_a_unit_that_nobody_asked_for_is_not_taken(answer):
    """Beside a stated unit with amounts that can be, the answer answers nothing."""
    with pytest.raises(RequestError, match="unit"):
        examined(page(TITLE, ["Đơn vị: triệu đồng"], HEADS, *lines(1_000_000)), answers=[answer])


@pytest.mark.parametrize(
    ("answer", "then", "stated", "now"),
    [
        ("dong", 1, "nghìn đồng", 1_000),
        ("trieu", 1_000_000, "đồng", 1),
    ],
)
def test_a_layouts_unit_is_not_that_of_a_form_that_states_another(take, answer, then, stated, now):
    """The form had no unit and was answered; the next month's states one: the layout differs, and its
    amounts are read in the stated one."""
    first = page(TITLE, HEADS, *lines(then))
    assert take(first, answers=[f"unit={answer}"], layout="F").outcome == "accept"
    second = page(["THÁNG 02 NĂM 2022", None, f"ĐVT: {stated}"], HEADS, *lines(now))
    found = take(second, day="2022-03-10", layout="F")
    assert named(found) == {("layout_differs", "")}
    brought = {(own.time, own.item, int(own.cells["kept"])) for own in found.files[0].arrivals}
    assert brought == {(FEBRUARY, line, amount) for line, amount in COLLECTED.items()}


def test_a_layout_whose_stated_unit_changes_differs(take):
    """“triệu đồng” in January, “nghìn đồng” in February, at the same place."""
    first = page(TITLE, ["Đơn vị: triệu đồng"], HEADS, *lines(1_000_000))
    assert take(first, layout="F").outcome == "accept"
    second = page(["THÁNG 02 NĂM 2022"], ["Đơn vị: nghìn đồng"], HEADS, *lines(1_000))
    assert named(take(second, day="2022-03-10", layout="F")) == {("layout_differs", "")}


def test_a_layouts_answer_is_given_again(take):
    """A form without a unit is answered once; the layout's next months need no answer."""
    assert take(page(TITLE, HEADS, *lines()), answers=["unit=dong"], layout="F").outcome == "accept"
    second = page(["THU NGÂN SÁCH THÁNG 02 NĂM 2022"], HEADS, *lines())
    assert rows(take(second, day="2022-03-10", layout="F")) == small(FEBRUARY)


# The year to date ------------------------------------------------------------------------------------

TIMES = {"month_unknown", "quarter_for_month"}  # what is said of a time that is no month
UNTIL = [["Nội dung", "Lũy kế 1 tháng năm 2022", None], [None, "Thu NSNN", "Thu NSX"]]


@pytest.mark.parametrize("fees", [[12_840_000, 9_990_000], [0, 0]])
def test_a_line_twice_in_the_year_to_date_is_refused(fees):
    """Other amounts for the same line and month: on the same sheet, or on another."""
    again = ("line_twice", "A7")
    assert again in named(examined(page(DONG, *UNTIL, *lines(), [FEES, *fees])))
    first = page(DONG, *UNTIL, *lines(), name="A")
    second = page(DONG, *UNTIL, *lines(fees=fees), name="B")
    assert ("line_twice", "B!A5") in named(examined(first, second))
    assert rows(examined(first, page(DONG, *UNTIL, *lines(), name="B"))) == small()


@pytest.mark.parametrize("month", [2, 11])
def test_a_line_twice_in_a_later_year_to_date_is_refused(month):
    """Also where the months before are known: of the two none is taken silently."""
    year = [["Nội dung", f"Lũy kế {month} tháng năm 2021", None], [None, "Thu NSNN", "Thu NSX"]]
    until = make.year_to({}, f"2021-{month:02}")
    listed = [[make.NAMES[line], *until[f"2021-{month:02}", line]] for line in make.lines()]
    twice = [FEES, *(amount + 500_000 for amount in until[f"2021-{month:02}", "fees"])]
    found = examined(page(DONG, *year, *listed, twice))
    assert ("line_twice", f"A{4 + len(listed)}") in named(found)


@pytest.mark.parametrize(
    ("heads", "empty"),
    [(UNTIL, None), (UNTIL, "x"), ([["Nội dung", "Tháng 01/2022", None], UNTIL[1]], "…")],
)
def test_half_a_line_is_told(heads, empty):
    """Only collected, or only kept, in a month or in the year to date: at the cell that lacks."""
    amount = COLLECTED["other"]
    without = lines(other=[amount, empty], total=[COLLECTED["total"], COLLECTED["fees"]])
    assert named(examined(page(DONG, *heads, *without))) == {("kept_missing", "C6")}
    without = lines(other=[empty, amount])
    assert ("cell_missing", "B6") in named(examined(page(DONG, *heads, *without)))


@pytest.mark.parametrize("head", ["Tháng 01/2022", "Lũy kế 1 tháng năm 2022"])
@pytest.mark.parametrize(("side", "kind"), [(0, "kept_missing"), (1, "cell_missing")])
def test_half_a_line_is_told_where_the_other_half_has_no_row(head, side, kind):
    """Measures below each other: a line with the row of one only, be it of 0."""
    amounts = {"total": 41_000_000, "fees": 0, "other": 41_000_000}
    listed = [
        [make.NAMES[line], measure, amount]
        for line, amount in amounts.items()
        for at, measure in enumerate(HEADS[1:])
        if line != "fees" or at == side
    ]
    found = examined(page(DONG, ["Khoản thu", "Chỉ tiêu", head], *listed))
    assert kind in {own for own, _ in named(found)}


def test_a_year_to_date_below_the_months_before_is_refused():
    """The year falls at one line; the other two are what they were and more."""
    until = make.year_to({}, "2021-12")
    names = ("fees", "other", "public_land")
    amounts = {line: list(until["2021-12", line]) for line in names}
    amounts["fees"] = [amount - 20_000_000 for amount in amounts["fees"]]
    year = [["Nội dung", "Lũy kế 12 tháng năm 2021", None], [None, "Thu NSNN", "Thu NSX"]]
    found = examined(page(DONG, *year, *([make.NAMES[line], *amounts[line]] for line in names)))
    assert named(found) == {("ytd_falls", "B4"), ("ytd_falls", "C4")}


def test_a_year_to_date_without_its_months_is_refused():
    """Up to February, and nobody knows January."""
    year = [["Nội dung", "Lũy kế 2 tháng năm 2022", None], [None, "Thu NSNN", "Thu NSX"]]
    found = examined(page(DONG, *year, *lines()), day="2022-03-10")
    assert named(found) == {("month_missing", "B2")}


def test_a_month_and_a_year_to_date_that_differ_are_asked_about():
    """January is the year up to January; --answer ytd=ignore takes the month."""
    sheet = page(
        DONG,
        ["Nội dung", "Tháng 01/2022", None, "Lũy kế 1 tháng năm 2022", None],
        [None, *HEADS[1:], *HEADS[1:]],
        *lines(pairs=2, fees=[12_840_000, 12_840_000, 13_840_000, 12_840_000]),
    )
    assert named(examined(sheet)) == {("ytd_mismatch", "D5")}
    assert rows(examined(sheet, answers=["ytd=ignore"])) == small()


# Months ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "in_head"),
    [
        ("tháng 1, 2 năm 2022", True),
        ("tháng 1 và 2 năm 2022", True),
        ("tháng 1&2 năm 2022", False),
    ],
)
def test_two_months_in_one_are_not_taken_for_one(text, in_head):
    """Neither in the title nor in the head of the columns."""
    if in_head:
        sheet = page(DONG, ["Nội dung", f"Thực hiện {text}", None], [None, *HEADS[1:]], *lines())
    else:
        sheet = page([f"THU NGÂN SÁCH {text.upper()}"], DONG, HEADS, *lines())
    found = examined(sheet, day="2022-03-10")
    assert found.outcome != "accept"
    assert {kind for kind, _ in named(found)} & TIMES


@pytest.mark.parametrize("text", ["1 và 2/2022", "01+02/2022"])
def test_two_months_in_a_row_are_not_one(text):
    """In the column of months each such cell is asked about, or refused."""
    sheet = page(DONG, ["Tháng", *HEADS], *([text, *cells] for cells in lines()))
    found = named(examined(sheet, day="2022-03-10"))
    assert {cell for kind, cell in found if kind in TIMES} == {"A3", "A4", "A5"}


@pytest.mark.parametrize("name", ["Tháng 1, 2", "T1-2", "Thang 1 va 2"])
def test_two_months_in_the_name_of_a_sheet_are_not_one(name):
    """Where nothing else tells the month it is asked about."""
    found = examined(page(["THU NGÂN SÁCH NĂM 2022"], DONG, HEADS, *lines(), name=name))
    assert {kind for kind, _ in named(found)} & TIMES


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Counts may be revised", "2022"),
        ("Thu phí ngành may mặc", "năm 2022"),
    ],
)
def test_a_word_like_a_month_dates_nothing(title, text):
    """The month is asked about, though the year is told."""
    found = examined(page([f"{title} - {text}"], DONG, HEADS, *lines()))
    assert {kind for kind, _ in named(found)} == {"month_unknown"}
    assert (
        rows(examined(page([title], DONG, HEADS, *lines()), answers=["month=2022-01"])) == small()
    )


@pytest.mark.parametrize(
    ("last", "in_head"),
    [
        ("3 tháng cuối năm 2021", False),
        ("6 tháng còn lại năm 2021", True),
    ],
)
def test_the_last_months_of_a_year_are_not_its_first(last, in_head):
    """What is of the end of a year is never taken as the year up to March, or June."""
    if in_head:
        sheet = page(DONG, ["Nội dung", f"Thực hiện {last}", None], [None, *HEADS[1:]], *lines())
    else:
        sheet = page([f"THU NGÂN SÁCH {last.upper()}"], DONG, HEADS, *lines())
    assert {kind for kind, _ in named(examined(sheet))} & TIMES


@pytest.mark.parametrize(
    ("first", "second"), [("12/2021", "01"), ("11/2021", "1"), ("12/2021", "02")]
)
def test_a_month_without_a_year_has_not_the_year_of_a_head_before(first, second):
    """After December comes another January: its head is asked about; the title's year decides."""
    new = f"2022-{int(second):02}"
    made = make.near(1, new)
    listed = [
        [make.NAMES[line], *make.known()[f"2021-{first[:2]}", line], *made[new, line]]
        for line in make.lines()
    ]
    heads = ["Nội dung", f"Tháng {first}", None, f"Tháng {second}", None]
    table = heads, [None, *HEADS[1:], *HEADS[1:]], *listed
    assert named(examined(page(DONG, *table), day="2022-03-10")) == {("month_unknown", "D2")}
    found = examined(page(["THU NGÂN SÁCH NĂM 2022", None, *DONG], *table), day="2022-03-10")
    assert {(new, line, *made[new, line]) for line in make.lines()} <= rows(found)


def test_an_answered_month_leaves_one_that_is_told():
    """month= dates the sheet without a month; a title and a head keep theirs."""
    title = ["THU NGÂN SÁCH THÁNG 02 NĂM 2022"]
    head = ["Nội dung", "Thực hiện tháng 02 năm 2022", None]
    pages = (
        page(["THU NGÂN SÁCH"], DONG, HEADS, *lines(), name="A"),
        page(title, DONG, HEADS, *lines(), name="B"),
    )
    found = examined(*pages, day="2022-03-10", answers=["month=2022-01"])
    assert rows(found) == small() | small(FEBRUARY)
    pages = (pages[0], page(DONG, head, [None, *HEADS[1:]], *lines(), name="B"))
    found = examined(*pages, day="2022-03-10", answers=["month=2022-01"])
    assert rows(found) == small() | small(FEBRUARY)


@pytest.mark.parametrize("file", ["33-school-report.xlsx", "94-indicators.ods", "95-targets.xlsx"])
def test_a_month_that_nobody_asked_for_is_not_taken(file):
    """Schools, indicators and targets whose title tells their month or year keep it."""
    sample = SAMPLES[file]
    with pytest.raises(RequestError, match="month"):
        examination.examine(
            descriptors.ward("phuc-dong"), [(file, sample.data)],
            datetime.date.fromisoformat(sample.reported_on), questions.answers(["month=2021-11"]),
            today=TODAY,
        )  # fmt: skip


def dated(day):
    """Sheets with a date in a head, in the column of months, in the title, in the heads of rows."""
    yield page(DONG, ["Nội dung", day, None], [None, *HEADS[1:]], *lines())
    yield page(DONG, ["Tháng", *HEADS], *([day, *cells] for cells in lines()))
    yield page(["THU NGÂN SÁCH", day], DONG, HEADS, *lines())
    names, collected, kept = zip(*lines(), strict=True)
    turned = [None, None, *names], [day, "Thu NSNN", *collected], [day, "Thu NSX", *kept]
    yield page(DONG, *turned)


@pytest.mark.parametrize("day", [(2022, 1, 15), (2022, 1, 2)])
def test_a_day_is_no_month(day):
    """A real date that is neither the first nor the last of its month is asked about at its cell."""
    head, column, title, turned = (
        {cell for kind, cell in named(examined(sheet)) if kind == "month_unknown"}
        for sheet in dated(datetime.date(*day))
    )
    assert head == {"B2"}
    assert column == {"A3", "A4", "A5"}
    assert title and turned


def test_the_first_day_of_a_month_is_that_month():
    """So office programs keep “01/2022”."""
    for sheet in dated(datetime.date(2022, 1, 1)):
        assert rows(examined(sheet)) == small()


# Numbers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shares", "refused"),
    [
        ((0.97, 0.96, 1.5), {2}),
        ((0.97, 96.15, 0.95), {1}),
        ((1.02, 0.96, 0.95), {0}),
        (("0,97", "96,5", "0,95"), {1}),
        ((1, 1, 97), {2}),
    ],
)
def test_a_share_above_one_is_refused_where_the_others_are_below(shares, refused):
    """At its cell alone; no other share is taken as a hundredth of itself."""
    sheet, _ = make.schools()
    schools = ("tieu_hoc_phuc_dong", "thcs_phuc_dong", "thpt_b")
    cells = [
        sheet.alter("attendance_share", school, share, look=containers.PLAIN)
        for school, share in zip(schools, shares, strict=True)
    ]
    found = examined(sheet, day="2022-03-12")
    assert {cell for _, cell in named(found)} == {cells[at] for at in refused}
    assert {("not_a_number", cells[at]) for at in refused} <= named(found)
    taken = {own.cells["school"]: own.cells["attendance_share"] for own in found.files[0].arrivals}
    for at, (school, share) in enumerate(zip(schools, shares, strict=True)):
        if at not in refused:
            assert float(taken[school]) == float(str(share).replace(",", "."))


@pytest.mark.parametrize("remark", ["xem bảng", "đã nộp kho bạc", "1.234 (tạm)"])
def test_a_remark_among_amounts_does_not_decide_how_they_are_read(remark):
    """ "12.840" stays open: thousands or decimals; the remark is refused at its cell."""
    of = {"total": ["53.840"] * 2, "fees": ["12.840"] * 2, "other": [remark, "41.000"]}
    found = examined(page(TITLE, ["Đơn vị: nghìn đồng"], HEADS, *lines(**of)))
    assert {
        ("not_a_number", "B6"),
        ("number_ambiguous", "B4"),
        ("number_ambiguous", "B5"),
    } <= named(found)


def test_what_is_kept_comes_from_the_shares_only_if_asked_for():
    """Seven tenths of the land tax, all of the fees, their sum for the total; an amount of which the share
    is no whole đồng is refused at its cell."""
    land_tax = make.NAMES["land_tax"]

    def sheet(tax):
        amounts = {TOTAL: 12_840_000 + tax, FEES: 12_840_000, land_tax: tax}
        return page(TITLE, DONG, HEADS[:2], *map(list, amounts.items()))

    assert named(examined(sheet(10_000_000))) == {("kept_missing", "B3")}
    assert rows(examined(sheet(10_000_000), answers=["kept=shares"])) == {
        (JANUARY, "total", 22_840_000, 19_840_000),
        (JANUARY, "fees", 12_840_000, 12_840_000),
        (JANUARY, "land_tax", 10_000_000, 7_000_000),
    }
    found = examined(sheet(10_000_001), answers=["kept=shares"])
    assert ("kept_missing", "B6") in named(found) and found.outcome == "refuse"


def test_a_total_that_is_not_its_parts_is_refused():
    """At the total's cell, in its own column; a group's too, of which no table knows."""
    found = examined(page(TITLE, DONG, HEADS, *lines(total=[53_840_001 + 9, 53_840_000])))
    assert named(found) == {("total_mismatch", "B4")}
    total, fees, other = ([None, *cells] for cells in lines())
    group = ["I", make.NAMES["I"], 53_840_010, 53_840_000]
    found = examined(page(TITLE, DONG, ["STT", *HEADS], total, group, fees, other))
    assert named(found) == {("total_mismatch", "C5")}


def test_more_kept_than_collected_is_refused():
    """At the kept amount."""
    of = {"total": [53_840_000, 53_940_000], "fees": [12_840_000, 12_940_000]}
    found = examined(page(TITLE, DONG, HEADS, *lines(**of)))
    assert {("kept_above_collected", "C4"), ("kept_above_collected", "C5")} == named(found)


def test_an_amount_far_off_its_history_is_asked_about():
    """One of them at its cell; most of them as a question about the unit; --answer value=right takes it."""
    of = {"total": [41_012_840] * 2, "fees": [12_840] * 2}
    sheet = page(TITLE, DONG, HEADS, *lines(**of))
    assert named(examined(sheet)) == {("value_implausible", "B5"), ("value_implausible", "C5")}
    taken = rows(examined(sheet, answers=["value=right"]))
    assert (JANUARY, "fees", 12_840, 12_840) in taken
    assert named(examined(page(TITLE, DONG, HEADS, *lines(1_000)))) == {("unit_implausible", "A2")}
    of = {"total": [12_881_000_000] * 2, "fees": [12_840_000_000] * 2}
    far = named(examined(page(TITLE, DONG, HEADS, *lines(**of))))
    assert far == {("value_implausible", "B5"), ("value_implausible", "C5")}


def test_the_month_before_sent_again_is_asked_about():
    """All amounts of December under the name of January; with one other amount it is none."""
    december = {line: list(make.known()["2021-12", line]) for line in make.lines()}

    def sheet():
        return page(TITLE, DONG, HEADS, *([make.NAMES[own], *december[own]] for own in december))

    assert {kind for kind, _ in named(examined(sheet()))} == {"month_copied"}
    assert len(rows(examined(sheet(), answers=["copied=right"]))) == len(december)
    for line in ("total", "fees"):
        december[line] = [amount + 1_000 for amount in december[line]]
    assert len(rows(examined(sheet()))) == len(december)


@pytest.mark.parametrize(("day", "asked"), [("2022-01-20", True), ("2022-01-31", False)])
def test_a_month_that_is_not_over_is_asked_about(day, asked):
    """Called collected before its last day; an estimate, or a status that is given, is not."""
    sheet = page(TITLE, DONG, HEADS, *lines())
    assert bool(named(examined(sheet, day=day))) is asked
    if asked:
        assert {kind for kind, _ in named(examined(sheet, day=day))} == {"month_not_over"}
        found = examined(sheet, day=day, answers=["status=estimate"])
        assert {own.cells["status"] for own in found.files[0].arrivals} == {"estimate"}
    assert rows(examined(sheet, day=day, status="estimate")) == small()


# Rows ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "detail", [["- Phí chợ", None, None, "theo QĐ"], ["- Phí chợ", "theo QĐ", "theo QĐ", None]]
)
def test_a_remark_between_two_lines_parts_no_table(detail):
    """The lines below it have the heads of those above."""
    total, fees, other = lines()
    sheet = page(TITLE, DONG, [*HEADS, "Ghi chú"], total, fees, detail, other)
    assert rows(examined(sheet)) == small()


# Arrivals --------------------------------------------------------------------------------------------


def months(amounts, status, month):
    """A list with a status column."""
    head = ["Tháng", "Khoản thu", "Thu NSNN", "Thu NSX", "Trạng thái"]
    return page(
        DONG, head, *([month, make.NAMES[line], *own, status] for line, own in amounts.items())
    )


def test_figures_are_new_the_same_or_revised():
    """What is known needs no row; another amount is a revision of what was known then."""
    december = {line: list(make.known()["2021-12", line]) for line in ("total", "fees", "other")}
    for line in ("total", "fees"):
        december[line][0] += 1_000
    found = examined(months(december, "thực hiện", "12/2021"), day="2022-02-10")
    changes = {own.item: (own.change, own.before["collected"]) for own in found.files[0].arrivals}
    before = {line: str(make.known()["2021-12", line][0]) for line in december}
    assert changes == {
        "total": ("revised", before["total"]),
        "fees": ("revised", before["fees"]),
        "other": ("same", before["other"]),
    }
    found = examined(page(TITLE, DONG, HEADS, *lines()))
    assert {own.change for own in found.files[0].arrivals} == {"new"}


def test_another_amount_for_the_same_day_is_refused():
    """A report of the day that is known says otherwise: at the cell that differs."""
    total = list(make.known()["2021-12", "total"])
    total[0] += 1_000
    day = newest("total")
    found = examined(months({"total": total}, "thực hiện", "12/2021"), day=day)
    assert ("same_day_differs", "C3") in named(found)


def newest(line, month="2021-12"):
    """The day of the newest report of a line."""
    known = make._read("phuc-dong/receipts.csv")
    return max(own["reported_on"] for own in known if (own["month"], own["line"]) == (month, line))


@pytest.mark.parametrize("more", [0, 1_000])
def test_an_older_report_of_another_status_or_amount_is_refused(more):
    """What was reported later counts already: an estimate of before, be it of the same amount, is no
    correction of it."""
    day = datetime.date.fromisoformat(newest("other")) - datetime.timedelta(days=1)
    own = [amount + more for amount in make.known()["2021-12", "other"]]
    found = examined(months({"other": own}, "ước thực hiện", "12/2021"), day=day.isoformat())
    assert "older_report" in {kind for kind, _ in named(found)}
    assert {place for kind, place in named(found) if kind == "older_report"} <= {"B3", "C3", "D3", "E3"}  # fmt: skip


def test_another_status_for_the_same_day_is_refused():
    """The same amount is known of that day as collected; the file calls it an estimate."""
    own = list(make.known()["2021-12", "other"])
    found = examined(months({"other": own}, "ước thực hiện", "12/2021"), day=newest("other"))
    assert "same_day_differs" in {kind for kind, _ in named(found)}


@pytest.mark.parametrize("names", [("thu.xlsx", "thu.xlsx"), ("thu.xlsx", "THU.xlsx")])
def test_two_files_of_one_name_are_both_kept(home, tmp_path, names):
    """Each original can be found again by its digest, or the command is refused in words."""
    paths = []
    for at, (month, name) in enumerate(zip(("01", "02"), names, strict=True)):
        path = tmp_path / str(at) / name
        path.parent.mkdir()
        title = [f"THU NGÂN SÁCH THÁNG {month} NĂM 2022"]
        path.write_bytes(containers.xlsx(page(title, DONG, HEADS, *lines())))
        paths.append(path)
    ward = descriptors.ward("phuc-dong")
    before = stored(home)
    try:
        found = examination.take_in(
            ward, paths, "2022-03-10", apply=True, answers=[], layout="", status="", today=TODAY
        )
    except RequestError as error:
        assert "thu.xlsx" in str(error).casefold()
        assert stored(home) == before
        return
    assert rows(found) == small() | small(FEBRUARY)
    kept = set(stored(home).values())
    assert {path.read_bytes() for path in paths} <= kept


def stored(home):
    return {path: path.read_bytes() for path in (home / "data").rglob("*") if path.is_file()}


def test_a_file_where_the_accepted_tables_belong_is_an_error_of_data(home, take):
    """It is named, nothing is written, and no program text is shown."""
    (home / "data" / "phuc-dong" / ".accepted").write_bytes(b"")
    before = stored(home)
    with pytest.raises(DataError, match=r"\.accepted"):
        take(page(TITLE, DONG, HEADS, *lines()))
    assert stored(home) == before


# Layouts ---------------------------------------------------------------------------------------------


def test_a_long_layout_is_known_again(take):
    """Of a form with sixteen columns under long heads all counts, the last one too."""
    place = "Kết quả thực hiện theo báo cáo của các khoản đã phát sinh trên địa bàn phường trong"
    heads = [text for own in range(1, 9) for text in (f"{place} tháng {own} năm 2022", None)]

    def form(last="Thu NSX"):
        below = [None, *HEADS[1:] * 7, "Thu NSNN", last]
        return page(DONG, ["Nội dung", *heads], below, *lines(pairs=8))

    def taken(form, day):
        return take(form, day=day, layout="F", answers=["copied=right"])

    assert taken(form(), "2022-09-10").outcome == "accept"
    found = taken(form(), "2022-09-11")
    assert found.outcome == "accept" and not found.rows
    found = taken(form("Ngân sách phường hưởng"), "2022-09-12")
    assert named(found) == {("layout_differs", "")}


@pytest.mark.parametrize(
    ("name", "placed"),
    [
        ("a; unit=ty; b", False),
        ("a; unit=ty; b", True),
        ("unit=ty", True),
        ("x; kept=shares", True),
    ],
)
def test_the_name_of_a_sheet_is_no_answer(take, name, placed):
    """What was answered for a sheet whose name looks like answers is given again as it was, or asked anew;
    it is never another answer."""
    answer = f"unit@{name}=dong" if placed else "unit=dong"
    first = page(TITLE, HEADS, *lines(), name=name)
    assert take(first, layout="F", answers=[answer]).outcome == "accept"
    second = page(["THÁNG 02 NĂM 2022"], HEADS, *lines(), name=name)
    found = take(second, day="2022-03-10", layout="F")
    if placed and found.outcome == "ask":
        assert named(found) == {("unit_missing", "")}
    else:
        assert rows(found) == small(FEBRUARY)


# Titles, heads and names that say something else -------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("KẾ HOẠCH THU NGÂN SÁCH THÁNG 01 NĂM 2022", "title_unknown"),
        ("NỢ ĐỌNG THUẾ THÁNG 01 NĂM 2022", "title_unknown"),
        ("THU NGÂN SÁCH TUẦN 2 THÁNG 01 NĂM 2022", "title_unknown"),
        ("THU NGÂN SÁCH PHƯỜNG SÀI ĐỒNG THÁNG 01 NĂM 2022", "other_ward"),
        ("CHI NGÂN SÁCH THÁNG 01 NĂM 2022", "title_unknown"),
    ],
)
def test_a_title_of_something_else_is_asked_about(title, kind):
    """A plan, arrears, a week, spending or another ward above the table: asked at the title."""
    sheet = page([title], DONG, HEADS, *lines())
    assert named(examined(sheet)) == {(kind, "A1")}


@pytest.mark.parametrize(
    "title",
    [
        "BÁO CÁO THỰC HIỆN DỰ TOÁN THU NGÂN SÁCH THÁNG 01 NĂM 2022",
        "TÌNH HÌNH THỰC HIỆN NHIỆM VỤ THU THÁNG 01 NĂM 2022",
        "TÌNH HÌNH THU, CHI NGÂN SÁCH PHƯỜNG PHÚC ĐỒNG THÁNG 01 NĂM 2022",
    ],
)
def test_an_ordinary_title_is_not_asked_about(title):
    """What offices write above what was collected in a month stops nothing."""
    assert rows(examined(page([title], DONG, HEADS, *lines()))) == small()


@pytest.mark.parametrize("head", ["Số nợ", "Phải nộp", "Còn lại", "Hoàn thuế", "Số bình quân"])
def test_a_head_with_unknown_words_is_asked_about(head):
    """The only pair of columns is not the month's because there is no other."""
    sheet = page(TITLE, DONG, ["Nội dung", head, head], [None, "Thu NSNN", "Thu NSX"], *lines())
    assert {kind for kind, _ in named(examined(sheet))} == {"head_unknown"}
    assert rows(examined(sheet, answers=["head=right"])) == small()


def test_a_sheet_named_after_another_month_is_asked_about():
    """The commonest slip of copying: a new name, the old title."""
    sheet = page(TITLE, DONG, HEADS, *lines(), name="T02")
    assert {kind for kind, _ in named(examined(sheet))} == {"sheet_month"}
    assert rows(examined(sheet, answers=["sheet=title"])) == small()
