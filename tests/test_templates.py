"""Templates: an .xlsx to fill in, which comes back through the intake with the same figures and no question."""

import datetime
import io
import json
import re
import shutil
import zipfile

import openpyxl
import pytest
from typer.testing import CliRunner

from wardlib import cli, language
from wardlib.data import descriptors
from wardlib.data.cells import Shelf
from wardlib.data.intake import arrivals, examination, questions, templates
from wardlib.errors import NOTE, RequestError, WardError
from wardlib.periods import Period

HEAD = 5  # the row of the heads
ITEMS = {"receipts": "line", "school_months": "school", "activities": "field"}
ITEMS |= {"indicator_months": "indicator", "targets": "line"}
MADE_LATER = datetime.date(2023, 1, 15)


def made(ward, period, code="vi"):
    """The template of a ward's id and a period, as bytes."""
    return templates.template(descriptors.ward(ward), Period.parse(period), language.get(code))


def opened(data):
    return openpyxl.load_workbook(io.BytesIO(data))


def measures(book):
    """By sheet and column of the cells to fill in what stands in it: (table, column of the table, or who
    sets a target)."""
    heads = language.get("vi").words("form_head")
    tables = {}
    for code in ("vi", "en"):
        for table, name in language.get(code).words("form_sheet").items():
            tables[name] = "targets" if table.startswith("target") else table
    found = {}
    for sheet in book:
        for cell in sheet[HEAD]:
            if not sheet.cell(HEAD + 1, cell.column).protection.locked:
                table = tables[sheet.title]
                own = [
                    code
                    for code in templates._FILLED[table]
                    if re.sub(r"\{\w+\}.*", "", heads[code]) in cell.value
                ]
                told = cell.value.casefold()
                if table == "targets":
                    own = ["ward" if "hđnd" in told else "upper"]
                elif table == "receipts" and "hưởng" in told:
                    own = ["kept"]
                elif table == "receipts" and "số thu" in told:
                    own = ["collected"]
                found[sheet.title, cell.column] = table, own[0]
    return found


def rows(sheet):
    """Each row of a sheet: its number, month ("" for a year's) and code."""
    for row in range(HEAD + 1, sheet.max_row + 1):
        first, second = (sheet.cell(row, column).value for column in (1, 2))
        dated = re.fullmatch(r"(\d\d)/(\d{4})", first)
        yield (row, f"{dated[2]}-{dated[1]}", second) if dated else (row, "", first)


def new_figures(ward, period):
    """Figures that could be those of a period, none of them known: near those of the newest year that is,
    with sums that agree. By table, month (or year) and item the cells."""
    known = arrivals.known(ward)
    newest = {}
    for table, reports in known.reports.items():
        for days in reports.values():
            row = days[max(days)]
            key = row.get("month") or row["year"], row[ITEMS[table]]
            if table == "targets":
                newest.setdefault((table, *key), {})[row["set_by"]] = row["amount"]
            else:
                newest[table, *key] = row
    parents = {own["code"]: own["parent"] for own in Shelf(ward).records("revenue_lines")}
    first, last = period.bounds
    times = [f"{period.year}-{number:02}" for number in range(first, last + 1)]
    made_up = {}
    for time in [*times, str(period.year)]:
        years = [own[1][:4] for own in newest if own[1][4:] == time[4:]]
        base = time if time[:4] in years else max(years, default="") + time[4:]
        those = {own[::2]: cells for own, cells in newest.items() if own[1] == base}
        for (table, item), cells in those.items():
            share = item.startswith("dossiers") or item == "health_insurance"
            leaves = [item]
            if table in ("receipts", "targets"):
                leaves = below(item, parents, {other for name, other in those if name == table})
            now = dict(cells)
            for column in set(cells) & {name for own in templates._FILLED.values() for name in own}:
                if column == "status":
                    now[column] = "estimate" if time == times[-1] else "actual"
                elif column == "attendance_share":
                    now[column] = "0.9512" if cells[column] else ""
                elif column in ("collected", "kept"):
                    # Refunds below zero and what more is kept than collected are no ward's in Việt Nam.
                    parts = [
                        min(abs(int(those[table, leaf][name])) for name in ("collected", column))
                        for leaf in leaves
                    ]
                    now[column] = str(sum(part + part // 50 for part in parts))
                elif column in ("upper", "ward", "value"):
                    now[column] = str(int(float(cells[column])) + (-2 if share else len(leaves)))
                elif column in ("planned", "held", "pupils", "participants"):
                    now[column] = str(int(cells[column]) + 3)
            made_up[table, time, item] = now
    return made_up


def below(item, parents, reported):
    """The lines below one of which no other is below, or itself."""
    children = [own for own, above in parents.items() if above == item and own in reported]
    if not children:
        return [item]
    return [leaf for child in children for leaf in below(child, parents, reported)]


def filled(data, figures, year, code="vi", only=lambda table, time, item: True):
    """The template with these figures written into its cells by a script, and what it then says: by
    table, time, item and column its number or status."""
    book = opened(data)
    said = {}
    statuses = language.get(code).words("form_status")
    for (title, column), (table, measure) in measures(book).items():
        sheet = book[title]
        for row, month, item in rows(sheet):
            time = month or str(year)
            own = figures.get((table, time, item), {}).get(measure, "")
            if own == "" or not only(table, time, item):
                continue
            value = statuses[own] if measure == "status" else float(own)
            sheet.cell(row, column).value = value
            said[table, time, item, measure] = own if measure == "status" else value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue(), said


def taken(ward, data, day=MADE_LATER):
    return examination.examine(
        descriptors.ward(ward), [("mau.xlsx", data)], day, questions.answers([]), today=MADE_LATER
    )


def asked(result):
    return [str(own) for file in result.files for own in file.problems if own.severity != NOTE]


def cells_of(result):
    """What an examination has read, by table, time, item and column."""
    found = {}
    for own in result.files[0].arrivals:
        item = own.cells[ITEMS[own.table]]
        for column, text in own.cells.items():
            if column == "status":
                found[own.table, own.time, item, column] = text
            elif column in own.figures:
                name = own.cells["set_by"] if own.table == "targets" else column
                found[own.table, own.time, item, name] = float(text)
    return found


@pytest.fixture
def commune(home, accept):
    """A commune in a rural district that has receipts alone, of three lines and one year."""
    folder = home / "data" / "xa-nho"
    shutil.copytree(home / "data" / "phuc-dong", folder)
    path = folder / "datapackage.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["name"] = "xa-nho"
    raw["ward"] |= {"name_vi": "Xã Nhỏ", "superior_vi": "UBND huyện Lớn", "illustrative": True}
    raw["resources"] = [own for own in raw["resources"] if own["name"] == "receipts"]
    path.write_text(json.dumps(raw, ensure_ascii=False), encoding="utf-8")
    for file in folder.glob("*.csv"):
        if file.name != "receipts.csv":
            file.unlink()
    head, *lines = (folder / "receipts.csv").read_text(encoding="utf-8").splitlines()
    kept = [
        ",".join([month, line if line != "fees" else "total", *rest])
        for month, line, *rest in (own.split(",") for own in lines)
        if line in ("fees", "other") and month >= "2021"
    ]
    kept = [own for own in kept if ",other," not in own]
    kept += [own.replace(",total,", ",fees,") for own in kept]
    (folder / "receipts.csv").write_text("\n".join([head, *kept, ""]), encoding="utf-8")
    accept("xa-nho")
    return "xa-nho"


CASES = [
    ("phuc-dong", "2020-09", "vi"),
    ("phuc-dong", "2022-01", "vi"),
    ("phuc-dong", "2022-01", "en"),
    ("phuc-dong", "2022-Q2", "vi"),
    ("phuc-dong", "2020-9M", "en"),
    ("phuc-dong", "2022", "vi"),
    ("philadelphia", "2022-01", "vi"),
    ("philadelphia", "2020-09", "en"),
    ("philadelphia", "2021-Q4", "vi"),
    ("philadelphia", "2022-9M", "vi"),
    ("philadelphia", "2022", "en"),
    ("xa-nho", "2022-01", "vi"),
    ("xa-nho", "2021-9M", "vi"),
    ("xa-nho", "2022", "en"),
]


@pytest.mark.parametrize(("ward", "period", "code"), CASES)
def test_a_filled_template_comes_back_equal(ward, period, code, request, home):
    """Every figure and status that was written into it, no other, and no question."""
    if ward == "xa-nho":
        request.getfixturevalue("commune")
    own = Period.parse(period)
    figures = new_figures(descriptors.ward(ward), own)
    data, said = filled(made(ward, period, code), figures, own.year, code)
    result = taken(ward, data)
    assert asked(result) == []
    assert len(said) > len(own.months) * 3
    assert cells_of(result) == said


@pytest.mark.parametrize(("ward", "period", "code"), CASES[:6] + CASES[6:8] + CASES[11:])
def test_an_unchanged_template_brings_nothing_new(ward, period, code, request, home):
    """What is known stands in it, and comes back as known; what is not is blank."""
    if ward == "xa-nho":
        request.getfixturevalue("commune")
    result = taken(ward, made(ward, period, code))
    assert asked(result) == []
    assert not result.rows
    known = {
        key
        for reports in arrivals.known(descriptors.ward(ward)).reports.values()
        for key in reports
        if key[0] in {*map(str, Period.parse(period).months), period[:4]}
    }
    if Period.parse(period).bounds[0] != 1:
        known = {key for key in known if "-" in key[0]}
    assert len(result.files[0].arrivals) == len(known)


def test_a_template_filled_in_part_brings_that_part(home):
    """One table, one school, one field of one month of the year: the rest is not reported, not 0."""
    own = Period.parse("2022")
    figures = new_figures(descriptors.ward("phuc-dong"), own)

    def only(table, time, item):
        items = {"school_months": "thpt_b", "activities": "sport"}
        return time == "2022-03" and item == items.get(table, item) and table != "targets"

    data, said = filled(made("phuc-dong", "2022"), figures, 2022, only=only)
    result = taken("phuc-dong", data)
    assert asked(result) == []
    assert {key[0] for key in said} == set(ITEMS) - {"targets"}
    assert cells_of(result) == said


def test_a_template_is_the_same_bytes_each_time(home):
    """No clock in it: neither in its properties nor beside its parts."""
    data = made("phuc-dong", "2020-Q3")
    assert data == made("phuc-dong", "2020-Q3")
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        assert {info.date_time for info in parts.infolist()} == {(2020, 1, 1, 0, 0, 0)}
        core = parts.read("docProps/core.xml").decode()
    assert set(re.findall(r">(\d{4}-\d\d-\d\dT[^<]*)<", core)) == {"2020-01-01T00:00:00Z"}


@pytest.mark.parametrize(("ward", "code"), [("phuc-dong", "vi"), ("philadelphia", "en")])
def test_only_the_cells_to_fill_in_are_open(ward, code):
    """All else is locked, without a password; each open cell is shaded and says what it takes, each head
    has a note; sheets print across on A4, as wide as the page, with the heads on each page and in view."""
    book = opened(made(ward, "2020-9M", code))
    assert book.security.lockStructure
    for sheet in book:
        columns = [column for title, column in measures(book) if title == sheet.title]
        last = HEAD + len(list(rows(sheet)))
        for line in sheet.iter_rows(max_row=last + 5):
            for cell in line:
                mine = HEAD < cell.row <= last and cell.column in columns
                assert cell.protection.locked != mine
                assert (cell.fill.start_color.rgb == "00FFF8D6") == mine
        assert sheet.protection.sheet and not sheet.protection.password
        ruled = [str(rule.sqref) for rule in sheet.data_validations.dataValidation]
        letters = [openpyxl.utils.get_column_letter(column) for column in columns]
        assert ruled == [f"{letter}{HEAD + 1}:{letter}{last}" for letter in letters]
        for rule in sheet.data_validations.dataValidation:
            assert rule.showErrorMessage and 0 < len(rule.error) <= 255
        assert all(cell.comment.text for cell in sheet[HEAD])
        page = sheet.page_setup
        assert (page.orientation, page.paperSize, page.fitToWidth) == ("landscape", "9", 1) or (
            page.orientation, int(page.paperSize), page.fitToWidth
        ) == ("landscape", 9, 1)  # fmt: skip
        assert sheet.sheet_properties.pageSetUpPr.fitToPage and sheet.print_title_rows == "$5:$5"
        assert sheet.freeze_panes == f"{letters[0]}{HEAD + 1}"


def test_each_cell_says_in_vietnamese_what_it_takes():
    """Amounts are whole, days no more than the descriptor allows, statuses one of a list, shares shares."""
    book = opened(made("phuc-dong", "2020-09"))
    receipts, schools = book["Thu ngân sách"], book["Trường học"]
    collected, kept, status = receipts.data_validations.dataValidation
    assert (collected.type, collected.formula1, kept.type) == ("whole", "0", "whole")
    assert collected.error.startswith("Ghi một số nguyên từ 0 đến 999.999.999.999.999,")
    assert status.formula1 == '"Thực hiện,Ước thực hiện"'
    pupils, days, *_, share = schools.data_validations.dataValidation
    assert (days.type, days.formula1, days.formula2) == ("whole", "0", "27")
    assert "từ 0 đến 27" in days.error and "100.000" in pupils.error
    assert (share.type, share.formula2) == ("decimal", "1")
    foreign = opened(made("philadelphia", "2020-09")).worksheets[0]
    assert foreign["A4"].value == "Đơn vị tính: USD"
    assert foreign.data_validations.dataValidation[0].formula1.startswith("-")  # refunds


def test_only_schools_open_in_a_month_have_a_row():
    """The ends of their spell are inclusive."""

    def schools(period):
        found = rows(opened(made("phuc-dong", period))["Trường học"])
        return {(month, code) for _, month, code in found}

    around = schools("2021-Q2")
    assert ("2021-05", "mam_non_d") in around and ("2021-06", "mam_non_d") not in around
    assert ("2018-08", "mam_non_c") not in schools("2018-08")
    assert ("2018-09", "mam_non_c") in schools("2018-09")


def test_targets_are_asked_for_where_the_period_begins_a_year():
    """A year, nine months, a first quarter, a January; no other month."""
    for period in ("2020", "2020-H1", "2020-Q1", "2020-01"):
        assert "Dự toán thu" in opened(made("phuc-dong", period)).sheetnames
    sheet = opened(made("phuc-dong", "2020"))["Dự toán thu"]
    assert [sheet["C5"].value, sheet["D5"].value] == [
        "Dự toán quận giao",
        "Dự toán HĐND phường giao",
    ]
    for period in ("2020-02", "2020-Q2"):
        assert "Dự toán thu" not in opened(made("phuc-dong", period)).sheetnames


def test_heads_are_vietnamese_and_in_english_both(commune):
    """They call the ward and who is above it what these call themselves."""
    assert (
        opened(made("phuc-dong", "2020-09")).worksheets[0]["E5"].value == "Ngân sách phường hưởng"
    )
    assert opened(made(commune, "2022-01")).worksheets[0]["E5"].value == "Ngân sách xã hưởng"
    english = opened(made("phuc-dong", "2020-09", "en")).worksheets[0]
    assert english["E5"].value == "Kept\nNgân sách phường hưởng"
    assert english["A4"].value == "Unit: VND"


def test_texts_that_look_like_formulas_are_texts(home, accept):
    """A school called "=1+1" or "@ Trường" stands in it as it is called."""
    path = home / "data" / "phuc-dong" / "schools.csv"
    text = path.read_text(encoding="utf-8")
    for name, other in (
        ("Trường THPT B (minh họa)", "=1+1 Trường"),
        ("Trường Mầm non A", "@A Trường"),
    ):
        text = text.replace(name, other)
    path.write_text(text, encoding="utf-8")
    accept()
    data = made("phuc-dong", "2020-09")
    cells = [cell for line in opened(data)["Trường học"].iter_rows(min_row=6) for cell in line]
    found = [cell for cell in cells if str(cell.value)[:2] in ("=1", "@A")]
    assert [cell.data_type for cell in found] == ["s", "s"] and all(
        cell.quotePrefix for cell in found
    )
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        assert not any(b"<f>" in parts.read(name) for name in parts.namelist())
    assert asked(taken("phuc-dong", data)) == []


def test_small_counts_of_persons_come_back_as_they_were_reported(home, accept):
    """The form is for whoever reported them: blank, they would come back as not reported."""
    path = home / "data" / "phuc-dong" / "activities.csv"
    text = path.read_text(encoding="utf-8")
    line = next(own for own in text.splitlines() if own.startswith("2020-09,sport"))
    cells = line.split(",")
    path.write_text(text.replace(line, ",".join([*cells[:7], "3", cells[8]])), encoding="utf-8")
    accept()
    data = made("phuc-dong", "2020-09")
    assert opened(data)["Hoạt động"]["I8"].value == 3
    assert asked(taken("phuc-dong", data)) == [] and not taken("phuc-dong", data).rows


def test_the_command_writes_over_nothing(home, monkeypatch, tmp_path):
    """`ward template` names its file after ward and period, and replaces one only with --force."""
    monkeypatch.chdir(tmp_path)
    call = CliRunner().invoke
    done = call(cli.app, ["template", "phuc-dong", "2020-09"])
    path = tmp_path / "mau-phuc-dong-2020-09.xlsx"
    assert done.exit_code == 0 and done.output == "mau-phuc-dong-2020-09.xlsx\n"
    path.write_bytes(b"filled in")
    again = call(cli.app, ["template", "phuc-dong", "2020-09"])
    assert isinstance(again.exception, WardError) and "--force" in str(again.exception)
    assert path.read_bytes() == b"filled in"
    assert call(cli.app, ["template", "phuc-dong", "2020-09", "--force"]).exit_code == 0
    assert path.read_bytes() == made("phuc-dong", "2020-09")
    nowhere = call(
        cli.app, ["template", "phuc-dong", "2020-09", "--output", str(tmp_path / "a" / "b")]
    )
    assert isinstance(nowhere.exception, WardError)


def test_a_ward_without_any_of_the_tables_has_no_template(home):
    """It is told, and no empty file is written."""
    path = home / "data" / "phuc-dong" / "datapackage.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["resources"] = [own for own in raw["resources"] if own["name"] == "schools"]
    path.write_text(json.dumps(raw, ensure_ascii=False), encoding="utf-8")
    with pytest.raises(RequestError, match="no table of figures to fill in"):
        made("phuc-dong", "2022-01")
