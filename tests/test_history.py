"""History: each report of a figure and where it stands, what bears on its month, what changed since a day."""

import csv
import datetime
import itertools
import re
import sys
from pathlib import Path

import pandas as pd
import pytest

import wardlib
from wardlib.analysis import epidemic, history
from wardlib.data import descriptors
from wardlib.data.book import load
from wardlib.data.intake import examination
from wardlib.errors import RequestError
from wardlib.language import NBSP

sys.path.insert(0, str(Path(__file__).parent / "data" / "intake"))

import make

ROOT = Path(__file__).parent.parent
KEY = ["line", "month", "measure"]


def text(block):
    return block.plain.replace(NBSP, " ")


def cells(block):
    """The rows of a table: what each is about, and its lines."""
    return {row["head"]: (row["says"], row["cells"][0]["lines"]) for row in block.content["rows"]}


def file_rows(ward, line, month):
    """The reports of a figure as they stand in the ward's file, with the number of the row."""
    with (ROOT / "data" / ward / "receipts.csv").open(encoding="utf-8") as file:
        return [
            (number, row["reported_on"], int(row["collected"]), row["status"])
            for number, row in enumerate(csv.DictReader(file), 2)
            if (row["line"], row["month"]) == (line, month)
        ]


def decimals(pairs):
    """How many show that the amounts of each pair differ, and by how much."""
    moved = [(then, now) for then, now in pairs if then != now]
    for most in range(1, 7):
        shown = [(f"{a:.{most}f}", f"{b:.{most}f}", f"{abs(b - a):.{most}f}") for a, b in moved]
        if all(a != b and change.strip("0.") for a, b, change in shown):
            return most
    return 6


@pytest.fixture(scope="module")
def book():
    """To be read only."""
    return wardlib.open("phuc-dong", "2020-9M", "vi")


@pytest.mark.parametrize(
    ("ward", "period", "line", "month", "as_of"),
    [
        ("phuc-dong", "2020-9M", "total", "2020-02", ""),
        ("phuc-dong", "2020-9M", "total", "2020-02", "2020-03-08"),
        ("phuc-dong", "2021-Q1", "licence_fee", "2021-01", ""),
        ("philadelphia", "2020-Q3", "birt", "2020-04", ""),
    ],
)
def test_each_report_of_a_figure_stands_with_its_row(ward, period, line, month, as_of):
    """In order of its day, none later than the edition's: estimate or actual, amount with one decimal, or as many
    as show each change from the one before, and the row of the file."""
    page = wardlib.open(ward, period, "en", as_of).history
    known = [row for row in file_rows(ward, line, month) if not as_of or row[1] <= as_of]
    found = page.result.reports_of(line, pd.Period(month))
    assert known
    assert [*zip(found["row"], found["value"], found["estimate"], strict=True)] == [
        (number, value, status == "estimate") for number, _, value, status in known
    ]
    assert found["reported_on"].is_monotonic_increasing
    first, *others = found["before"].tolist()
    assert (first != first, others) == (True, found["value"].tolist()[:-1])
    shown = cells(page.month(line, month))
    language = page.edition.language
    amounts = [value / 1e6 for _, _, value, _ in known]
    most = decimals(itertools.pairwise(amounts))
    for at, (number, day, value, status) in enumerate(known):
        says, lines = shown[f"Reported on {language.date(datetime.date.fromisoformat(day))}"]
        assert says == status.capitalize()
        assert f": {language.number(value / 1e6, most, trim=True)} " in f"{lines[0]} "
        assert lines[1] == f"receipts.csv, row {number}"
        if at:
            change = (value - known[at - 1][2]) / 1e6
            assert f"({'+' * (change > 0)}{language.number(change, most, trim=True)} " in lines[0]


def test_a_figure_that_came_in_a_file_names_sheet_and_cell(home, tmp_path):
    """Where the ward's tables of what came in say so; what was entered by hand its row."""
    sample = next(own for own in make.samples() if own.file == "01-commune-form.xlsx")
    (tmp_path / sample.file).write_bytes(sample.data)
    taken = examination.take_in(
        descriptors.ward("phuc-dong"), [tmp_path / sample.file], "2022-02-10", apply=True, answers=[],
        layout="", status="", today=datetime.date(2026, 1, 1),
    )  # fmt: skip
    assert taken.outcome == "accept"
    page = wardlib.open("phuc-dong", "2022-01", "en").history
    came = page.edition.book.history("receipts", "total", "2022-01", "collected").iloc[-1]
    _, lines = cells(page.month("total", "2022-01"))["Reported on 10 February 2022"]
    assert lines[1] == f"{sample.file}, sheet {came['sheet']}, cell {came['cell']}"
    _, lines = next(iter(cells(page.month("total", "2021-01")).values()))
    assert re.fullmatch("receipts.csv, row [0-9]+", lines[1])


def test_a_month_tells_what_it_adds(book):
    """What came, what was to be expected with its interval, the shortfall, what the law put off: those of
    `Effects`, and of an assumption its own."""
    unit = book.unit(0)
    for own in (book, book.suppose(share=0.6, level=0.8)):
        split = own.effect.result.split("nonstate_vat", pd.Period("2020-04"), pd.Period("2020-04"))
        off = split.deferred.mean + split.overdue.mean + split.paid_later.mean
        low, high = (
            split.collected + end for end in (split.difference.lower, split.difference.upper)
        )
        block = own.history.month("nonstate_vat", "2020-04")
        _, lines = cells(block)["So với mức dự kiến"]
        for amount in (split.collected, split.expected, split.difference.mean, off):
            assert unit.amount(amount) in " ".join(lines)
        assert f"từ {unit.figure(low, trim=True)} đến {unit.figure(high, trim=True)}" in lines[0]
        assert block.of["assumptions"] == own.effect.sentence().of["assumptions"]
    assert block.of["assumptions"].startswith("GIẢ ĐỊNH")
    for plain in (own.history.reported(), own.history.changed("2020-09-13")):
        assert plain.of["assumptions"] == ""  # what was reported is as it is


def test_a_month_names_restrictions_and_relief(book):
    """Those of the line or a part of it where the ward lies, that were in force or touch the month, with their
    days; of a rule document and last lawful day."""
    april = text(book.history.month("nonstate", "2020-04"))
    assert (
        "Chỉ thị 16: cách ly toàn xã hội, không tụ tập quá 2 người (01/04/2020–22/04/2020)" in april
    )
    assert "(41/2020/NĐ-CP)" in april and "chậm nhất 31/12/2020" in april
    june = text(book.history.month("nonstate_vat", "2020-06"))
    assert "Chỉ thị 16" not in june and "Karaoke" in june
    land = text(book.history.month("land_tax", "2020-07"))
    assert "không có biện pháp hạn chế nào đã ghi nhận nêu khoản thu này" in land
    assert "chậm nhất ngày 02/11/2020" in land  # 31/10 is a Saturday
    total = book.history.result.touching("total", pd.Period("2020-06"))
    assert {rule.id for rule in total} == {
        rule.id
        for own in book.history.result.rules.values()
        for rule in own
        if rule.first <= pd.Period("2020-06") <= rule.last
    }


def test_a_month_tells_nothing_later_than_its_edition(book):
    """Neither a restriction that began, nor a document that came into force after the edition's day, also where only
    another row of it says when; and of a restriction's end only that it was in force on that day."""
    early = wardlib.open("phuc-dong", "2020-9M", "vi", "2020-04-07").history
    june = cells(early.month("nonstate", "2020-06"))
    assert not {"Biện pháp hạn chế đang áp dụng", "Gia hạn, miễn, giảm và hạn nộp"} & {*june}
    april = text(early.month("nonstate", "2020-04"))
    assert "(từ 01/04/2020, đến 07/04/2020 vẫn còn hiệu lực)" in april
    assert "22/04" not in april and "41/2020" not in april
    assert early.result.touching("land_tax", pd.Period("2020-07")) == []
    known = wardlib.open("phuc-dong", "2020-9M", "vi", "2020-04-08").history.result
    for line, month in (("nonstate", "2020-06"), ("land_tax", "2020-07")):
        (rule,) = {rule.document for rule in known.touching(line, pd.Period(month))}
        assert rule == "41/2020/NĐ-CP"
    assert (known.measures["start"] <= "2020-04-08").all()
    assert not (known.measures["end"] > "2020-04-08").any()
    whole = book.history.result.measures
    assert {*known.measures["id"]} < {*whole["id"]}


def test_restrictions_have_the_days_of_their_sectors():
    """One without an end lasts until the next easing of its sector; of another area it is none."""
    measures = pd.DataFrame(
        {
            "area": ["VN", "VN", "X"],
            "kind": [epidemic.RESTRICTION, epidemic.EASING, epidemic.RESTRICTION],
            "lines": [("vat",), (), ("vat",)],
            "sectors": [("bars", "gyms"), ("bars",), ()],
            "start": pd.to_datetime(["2020-03-21", "2020-06-10", "2020-01-01"]),
            "end": pd.to_datetime([None, None, None]),
        }
    )
    day = datetime.date
    assert epidemic.restrictions(measures, ("VN",)) == [
        (0, "bars", day(2020, 3, 21), day(2020, 6, 9)),
        (0, "gyms", day(2020, 3, 21), None),
    ]


def test_what_is_not_known_of_a_month_is_said(book):
    """Before the effect, after the period, not reported: never a zero."""
    month = book.history.month
    assert "ở trước thời điểm dịch bắt đầu tác động" in text(month("total", "2019-05"))
    assert "nằm sau kỳ báo cáo" in text(month("total", "2020-11"))
    assert "Chưa được báo cáo; không phải là bằng không." in text(month("", "2030-01"))
    before = wardlib.open("phuc-dong", "2018-H1", "en").history.month("fees", "2018-03")
    assert "This month comes before the effect begins." in text(before)


@pytest.mark.parametrize("call", ["month('total', '2020-Q2')", "month('x', '2020-04')",
                                  "changed('2020-13-01')", "changed('')", "changed('2021-02-01')"])  # fmt: skip
def test_what_cannot_be_asked_is_refused(book, call):
    """A quarter is no month; a line that there is not; no day, and one after the edition's."""
    with pytest.raises(RequestError):
        eval(f"page.{call}", {"page": book.history})


@pytest.mark.parametrize("since", ["2020-05-13", "2020-09-13", "2016-12-31"])
def test_what_changed_is_the_difference_of_two_editions(book, since):
    """Old → new of each figure that was known and differs, by the size of its row's largest change; what was
    missing then is counted."""
    known = {}
    for as_of in (since, "2021-01-31"):
        frame = receipts_on(as_of)
        known[as_of] = frame.melt(["line", "month"], ["collected", "kept"], "measure").set_index(
            KEY
        )["value"]
    then, now = known.values()
    both = pd.DataFrame({"before": then, "now": now}).dropna()
    differs = both[both["before"] != both["now"]]
    found = book.history.result.changed(datetime.date.fromisoformat(since))
    assert found.new == len(now) - len(then)
    own = found.figures.set_index(KEY)[["before", "now"]]
    pd.testing.assert_frame_equal(own.sort_index(), differs.sort_index(), check_dtype=False)
    largest = found.figures.groupby(["line", "month"], sort=False)["change"].agg(
        lambda c: c.abs().max()
    )
    assert largest.is_monotonic_decreasing
    block = book.history.changed(since)
    assert f"{book.language.number(found.new)} số liệu khi đó còn thiếu" in text(block)
    if len(differs):
        lines = [line for row in block.content["rows"] for line in row["cells"][0]["lines"]]
        told = found.figures[["before", "now"]].to_numpy()[: len(lines)] / 1e6
        for line, pair in zip((line for line in lines if "→" in line), told, strict=False):
            most = decimals([pair])
            old, new = (book.language.number(value, most, trim=True) for value in pair)
            assert line.endswith(f": {old} → {new}")
        assert block.content["rows"][0]["cells"][2]["lines"][0].startswith("receipts.csv, dòng ")
        assert len(block.figures["data"]) == len(differs)
    else:
        assert block.content["kind"] == "headline"


def receipts_on(as_of):
    """The receipts that were known on a day."""
    return load(descriptors.ward("phuc-dong"), "receipts", as_of=datetime.date.fromisoformat(as_of))


def test_a_ward_without_relief_or_measures_has_a_history(book):
    """Its months have reports, and nothing that bears on them."""
    every = {"receipts": book.table("receipts", every_report=True)}.get
    made = history.trace(every, book.book.lines("receipts"), book.effect.result, book.day)
    month = pd.Period("2020-04")
    assert len(made.reports_of("nonstate", month)) == 2
    assert made.in_force("nonstate", month).empty
    assert made.touching("nonstate", month) == []
