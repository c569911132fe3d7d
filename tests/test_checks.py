"""Checks: every fault named with file, row, column, what was found, what was expected, and a remedy."""

import csv
import datetime
import json
import unicodedata
from pathlib import Path

import pytest
from spoken import heard

from wardlib.data import acceptance, checks, descriptors
from wardlib.data.book import load
from wardlib.errors import DataError

# A ward with a table of every type and demand; damaged files of it, each with every fault to be named.
FAULTS = json.loads(Path(__file__).with_name("faults.json").read_text(encoding="utf-8"))


def problems(ward="phuc-dong"):
    return heard(checks.check(descriptors.ward(ward)))


def edit(home, table, change, ward="phuc-dong"):
    """Rewrite a table's lines by `change`."""
    path = home / "data" / ward / f"{table}.csv"
    lines = change(path.read_text(encoding="utf-8").splitlines())
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize("ward", ["phuc-dong", "philadelphia"])
def test_the_shipped_data_have_no_fault(ward):
    """Both wards and the reference pass every check, hashes included."""
    assert descriptors.ward(ward).tables
    assert problems(ward) == []


def test_all_faults_are_reported_at_once(home, accept):
    """Five different faults: five problems, each with row, column, what was found and expected."""

    def spoil(lines):
        assert lines[0] == "month,line,collected,kept,status,reported_on"
        lines[1] = lines[1].replace("2017-01", "2017-13", 1)
        lines[2] = lines[2].replace("nonstate", "nonstaet", 1)
        cells = lines[3].split(",")
        lines[3] = ",".join([*cells[:2], '"1.234,5"', *cells[3:]])
        cells = lines[4].split(",")
        lines[4] = ",".join([*cells[:3], "-5", *cells[4:]])
        lines[5] = lines[5].replace("estimate", "guess").replace("actual", "guess")
        return lines

    edit(home, "receipts", spoil)
    accept()
    found = {(p.file, p.row, p.column): p for p in problems()}
    where = [(2, "month"), (3, "line"), (4, "collected"), (5, "kept"), (6, "status")]
    assert sorted(found) == [("data/phuc-dong/receipts.csv", *place) for place in where]
    texts = [str(found["data/phuc-dong/receipts.csv", *place]) for place in where]
    for text, part in zip(
        texts,
        ["'2017-13'", "a code in column code of data/reference/revenue_lines.csv",
         "a whole number (VND)", "at least 0 (VND)", "one of estimate, actual"],
        strict=True,
    ):  # fmt: skip
        assert part in text
        assert "do: " in text
    with pytest.raises(DataError, match="5 problems in the data"):
        load(descriptors.ward("phuc-dong"), "receipts")


def test_a_missing_file_is_named(home):
    """The message says which file, and what to do."""
    (home / "data" / "phuc-dong" / "activities.csv").unlink()
    (problem,) = problems()
    assert (problem.file, problem.row) == ("data/phuc-dong/activities.csv", 0)
    assert "put the file back" in problem.fix


def test_a_changed_file_says_how_to_accept_the_change(home):
    """A hash that differs is a fault until somebody accepts it; then it is none."""
    edit(home, "schools", lambda lines: [*lines[:-1], lines[-1].replace("private", "public")])
    (problem,) = problems()
    assert problem.found.startswith("sha256:")
    assert "ward check --ward phuc-dong --accept" in problem.fix
    with pytest.raises(DataError, match="--accept"):
        load(descriptors.ward("phuc-dong"), "schools")
    proposal = acceptance.propose([descriptors.ward("phuc-dong")])
    acceptance.record(proposal, datetime.date(2022, 3, 1))
    assert problems() == []


def test_rows_that_nobody_accepted_are_counted(home):
    """Where a file goes on after its accepted rows, it is told how many follow; where one of them is broken
    that alone is told, as it is no time to accept anything."""
    edit(home, "targets", lambda lines: [*lines, "2022,total,ward,5,2022-01-02"])
    assert [p.found for p in problems()] == ["1 row not accepted"]
    edit(home, "targets", lambda lines: [*lines, "", "2022,total,upper,5,2022-01-02"])
    (problem,) = problems()
    assert problem.found == "2 rows not accepted"
    assert "ward check --ward phuc-dong --accept" in problem.fix
    edit(home, "targets", lambda lines: [*lines, "2022,total,upper,5,02/01/2022"])
    assert {(p.row, p.column) for p in problems()} == {(120, "reported_on")}
    with pytest.raises(DataError) as caught:
        load(descriptors.ward("phuc-dong"), "targets")
    assert not any("--accept`" in p.fix for p in caught.value.problems)


def test_digits_added_to_the_last_row_are_no_rows(home, accept):
    """Nor is a line end alone, of a file that was accepted without its last one: what has changed is the
    file."""
    path = home / "data" / "phuc-dong" / "truth.csv"
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    accept()
    path.write_bytes(path.read_bytes() + b"7\n")
    assert [p.found[:7] for p in problems()] == ["sha256:"]
    path.write_bytes(path.read_bytes().removesuffix(b"7\n") + b"\n")
    assert [p.found[:7] for p in problems()] == ["sha256:"]


def test_programs_are_told_the_kind_of_a_fault(home, accept):
    """What an office's figures break is named by one word each."""
    for table, row in (
        ("receipts", "2022-02,total,5,7,actual,2022-01-30"),
        ("receipts", "2017-01,nonstate_vat,1,1,actual,2017-03-01"),
        ("school_months", "2017-01,mam_non_c,90,9,8,0,0,0.9,2017-02-12"),
        ("school_months", "2017-01,mam_non_d,90,9,9,0,0,0.9,2017-02-12"),
        ("activities", "2021-12,sport,3,0,0,0,0,0,2022-02-12"),
    ):
        edit(home, table, lambda lines, row=row: [*lines, row])
    accept()
    assert {(p.file.rpartition("/")[2], p.column, p.kind) for p in problems()} == {
        ("receipts.csv", "kept", "kept_above_collected"),
        ("receipts.csv", "reported_on", "month_future"),
        ("receipts.csv", "collected", "total_mismatch"),
        ("receipts.csv", "kept", "total_mismatch"),
        ("school_months.csv", "planned_days", "days_mismatch"),
        ("school_months.csv", "month", "school_not_valid"),
        ("school_months.csv", "month, school, reported_on", "line_twice"),
        ("activities.csv", "planned", "total_mismatch"),
    }


ORIGIN = "ab" * 32


@pytest.mark.parametrize(
    ("row", "columns"),
    [
        ("receipts,2021-12,,total,collected,2022-01-10,{},Thu,E9,1,false", []),
        ("targets,,2021,total:upper,amount,2020-12-24,{},Thu,E9,1,false", []),
        ("school_months,2021-12,,mam_non_a,pupils,2022-01-12,{},Thu,E9,,false", []),
        ("school_months,2021-12,,mam_non_a,planned_days,2022-01-12,{},Thu,E9,23,false", []),
        ("receipts,2021-12,,total,collected,2022-01-11,{},Thu,E9,1,false", ["item"]),
        ("receipts,,2021,total,collected,2022-01-10,{},Thu,E9,1,false", ["item"]),
        ("receipts,2021-12,,gold,collected,2022-01-10,{},Thu,E9,1,false", ["item"]),
        ("targets,,2021,total,amount,2020-12-24,{},Thu,E9,1,false", ["item"]),
        ("receipts,2021-12,,total,amount,2022-01-10,{},Thu,E9,1,false", ["measure"]),
        ("receipts,2021-12,,total,month,2022-01-10,{},Thu,E9,1,false", ["measure"]),
        ("school_months,2021-12,,mam_non_a,pupils,2022-01-12,{},Thu,E9,3,false", ["text"]),
        (
            "school_months,2021-12,,mam_non_a,attendance_share,2022-01-12,{},T,E9,0.9,false",
            ["text"],
        ),
        ("activities,2021-12,,sport,participants,2022-01-12,{},T,E9,3,false", ["text"]),
        ("schools,,,mam_non_a,name,2022-01-12,{},Thu,E9,1,false", ["table"]),
        ("receipts,2021-12,,total,collected,2022-01-10,cd,Thu,E9,1,false", ["file"]),
    ],
)
def test_an_origin_is_that_of_a_figure(row, columns, home, accept):
    """Of one that its table holds, from a file that was received; and it repeats no count of persons nor a
    share of so many, which may be hidden."""
    edit(
        home,
        "received",
        lambda lines: [*lines, f"{ORIGIN},a.xlsx,2022-01-10,xlsx,,,Thu!E9,triệu đồng,"],
    )
    edit(home, "origins", lambda lines: [*lines, row.format(ORIGIN)])
    accept()
    assert sorted({p.column for p in problems()}) == columns


def test_a_parent_that_is_not_the_sum_of_its_children_is_named(home, accept):
    """One đồng too much in a total of a closed month is found, with both sums."""

    def spoil(lines):
        row = next(i for i, line in enumerate(lines) if line.startswith("2018-05,total,"))
        cells = lines[row].split(",")
        cells[2] = str(int(cells[2]) + 1_000)
        lines[row] = ",".join(cells)
        return lines

    edit(home, "receipts", spoil)
    accept()
    found = problems()
    assert found
    assert {p.column for p in found} == {"collected"}
    assert "the sum of its children known on 2018" in found[0].expected


def test_receipts_without_a_total_are_refused(home, accept):
    """Some line must hold all others: the briefing's headline is about it."""
    edit(home, "receipts", lambda lines: [line for line in lines if ",total," not in line])
    accept()
    (problem,) = problems()
    assert problem.expected == "one line that no other is above"
    assert "land_tax, licence_fee" in problem.found


def test_a_month_of_parts_without_their_parent_is_refused(home, accept):
    """Parts of March 2018 without a total of March 2018 would make a headline without figure."""

    def spoil(lines):
        return [line for line in lines if not line.startswith("2018-03,total,")]

    edit(home, "receipts", spoil)
    accept()
    found = problems()
    assert found
    assert all(p.expected == "a figure of total for that month by that day" for p in found)
    assert found[0].found == "a part of total in 2018-03, reported on 2018-03-11"


@pytest.mark.parametrize(
    ("table", "change", "part"),
    [
        ("schools", lambda lines: [*lines, lines[-1]], "a key that stands once"),
        ("schools", lambda lines: ["school,name,level", *lines[1:]], "school, name, level, own"),
        ("schools", lambda lines: [*lines, "a,b"], "6 cells"),
        ("schools", lambda lines: [*lines[:-1], unicodedata.normalize("NFD", lines[-1])], "NFC"),
        ("receipts", lambda lines: [*lines, f"2021-12,fees,{10**20},1,actual,2022-03-05"],
         "a whole number (VND)"),
        ("receipts", lambda lines: [*lines, "2021-12,total,1,1,actual,2020-01-05"],
         "a day in or after the month"),
        ("receipts", lambda lines: [*lines[:-1], lines[-1].replace(lines[-1][-10:], "2021-02-30")],
         "a day of the calendar"),
        ("school_months", lambda lines: [*lines[:-1], lines[-1].replace(",", ",99", 3)],
         "at most 27"),
        ("targets", lambda lines: [*lines[:-1], lines[-1].replace(lines[-1].split(",")[3], "")],
         "a value"),
    ],
    ids=["key", "header", "ragged", "nfd", "overflow", "early", "calendar", "range", "required"],
)  # fmt: skip
def test_each_kind_of_fault_is_found(home, accept, table, change, part):
    """Each fault alone is reported in words that say what was expected."""
    edit(home, table, change)
    accept()
    assert any(part in problem.expected for problem in problems()), [str(p) for p in problems()]


@pytest.mark.parametrize(
    ("table", "start", "cells", "column", "found", "expected"),
    [
        ("school_months", "2018-03,thcs", {"attendance_share": "1.02"}, "attendance_share", "'1.02'",
         "at least 0 and at most 1 (1)"),
        ("school_months", "2018-03,thcs", {"attendance_share": ""}, "attendance_share", "an empty cell",
         "a share, as days were taught in class"),
        ("school_months", "2020-03,thcs", {"attendance_share": "0.9"}, "attendance_share", "0.9",
         "an empty cell, as no day was taught in class"),
        ("school_months", "2018-02,thcs", {"planned_days": "25", "in_person_days": "25"},
         "planned_days", "25", "at most 24, the days of 2018-02 without Sundays"),
        ("school_months", "2018-03,thcs", {"pupils": "0"}, "pupils", "no pupil in level thcs in 2018-03",
         "at least one pupil where school days are planned"),
        ("school_months", "2018-09,mam_non_c", {"month": "2018-08"}, "month", "2018-08 for mam_non_c",
         "a month from 2018-09 to now"),
        ("school_months", "2021-05,mam_non_d", {"month": "2021-06"}, "month", "2021-06 for mam_non_d",
         "a month from 2017-01 to 2021-05"),
        ("activities", "2020-04,sport", {"participants": "12"}, "participants", "12",
         "0, as no event was held"),
    ],
    ids=["above-one", "no-share", "share-unearned", "days", "no-pupils", "before", "after", "nobody"],
)  # fmt: skip
def test_an_impossible_report_is_named(home, accept, table, start, cells, column, found, expected):
    """What a school or a field cannot have had is refused with row, column, found and expected."""
    wanted = None

    def spoil(lines):
        nonlocal wanted
        head = lines[0].split(",")
        at = next(i for i, line in enumerate(lines) if line.startswith(start))
        row = lines[at].split(",")
        for name, value in cells.items():
            row[head.index(name)] = value
        wanted = at + 1
        return [*lines[:at], ",".join(row), *lines[at + 1 :]]

    edit(home, table, spoil)
    accept()
    own = [p for p in problems() if p.column == column]
    assert [(p.row, p.found, p.expected) for p in own] == [(wanted, found, expected)]


def test_a_body_answers_for_what_there_is(home, accept):
    """A code that is neither a line nor an indicator, and a time that ends before it begins."""

    def spoil(lines):
        header, first, second, *rest = lines
        first = first.replace("total", "totle", 1)
        cells = second.split(",")
        at = header.split(",").index("valid_from")
        second = ",".join([*cells[:at], "2021-01-01", "2020-12-31", *cells[at + 2 :]])
        return [header, first, second, *rest]

    edit(home, "owners", spoil, "reference")
    accept()
    found = {(p.row, p.column): str(p) for p in problems()}
    assert sorted(found) == [(2, "item"), (3, "valid_to")]
    assert "a code in column code of data/reference/revenue_lines.csv or" in found[2, "item"]
    assert "did you mean total?" in found[2, "item"]
    assert "not below valid_from, 2021-01-01" in found[3, "valid_to"]


@pytest.mark.parametrize(
    ("column", "value", "found", "expected"),
    [("share_low", "0.9", "0.8", "not below share_low, 0.9"),
     ("share_high", "", "an empty cell", "a value, as the rule is of kind deferral and names a line"),
     ("share_high", "1.2", "1.2", "at least 0 and at most 1 (1)"),
     ("extended_due", "", "an empty cell", "a value, as the rule is of kind deferral"),
     ("period_end", "2019-12", "2019-12", "not below period_start, 2020-01")],
)  # fmt: skip
def test_a_relief_rule_that_the_ledger_could_not_use_is_named(
    home, accept, column, value, found, expected
):
    """A ward edits the shares of payers: what cannot be meant is refused, with row and column."""

    def spoil(lines):
        rows = list(csv.reader(lines))
        at = rows[0].index(column)
        (row,) = [row for row in rows if row[0] == "R09"]
        row[rows[0].index("share_high")] = "0.8"
        row[at] = value
        return [",".join(f'"{cell}"' if "," in cell else cell for cell in row) for row in rows]

    edit(home, "tax_relief", spoil, ward="reference")
    accept()
    (problem,) = problems()
    assert (problem.found.strip("'"), problem.row) == (found, 11)
    assert problem.expected.startswith(expected)


@pytest.mark.parametrize(
    ("data", "part"),
    [(b"school,name\n\xff\xfe", "UTF-8 text"), (b'school,name\n"open', "a CSV row"),
     (b"", "school, name")],
)  # fmt: skip
def test_files_that_are_no_tables_are_named(home, accept, data, part):
    """Wrong encodings, open quotes and empty files are faults, not tracebacks."""
    (home / "data" / "phuc-dong" / "schools.csv").write_bytes(data)
    accept()
    assert any(part in p.expected for p in problems() if p.file.endswith("schools.csv"))


def test_a_byte_order_mark_is_no_fault(home, accept):
    """Office programs put one before CSV UTF-8."""
    path = home / "data" / "phuc-dong" / "schools.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    accept()
    assert problems() == []


def test_a_table_without_a_hash_waits_to_be_accepted(home):
    """A new table has no hash yet: the message says how to record it."""
    path = home / "data" / "phuc-dong" / "datapackage.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    del raw["resources"][0]["hash"]
    path.write_text(json.dumps(raw), encoding="utf-8")
    (problem,) = problems()
    assert "--accept" in problem.fix


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    """The ward of `FAULTS`: its problems where `kinds.csv` holds these bytes."""
    reference = {"name": "reference", "title": "-", "licenses": [{"title": "-"}], "resources": []}
    for package, raw in (("reference", reference), ("zoo", FAULTS["ward"])):
        (tmp_path / "data" / package).mkdir(parents=True)
        (tmp_path / "data" / package / "datapackage.json").write_text(json.dumps(raw))
    (tmp_path / "data" / "zoo" / "lines.csv").write_text(FAULTS["lines"])
    monkeypatch.setenv("WARDLIB_HOME", str(tmp_path))

    def found(data):
        (tmp_path / "data" / "zoo" / "kinds.csv").write_bytes(data)
        return heard(checks.check(descriptors.ward("zoo"), hashes=False))

    return found


@pytest.mark.parametrize("case", FAULTS["cases"])
def test_every_fault_of_a_damaged_file_is_named_in_order(zoo, case):
    """All problems at once, in the words that a clerk knows, sorted by place; none of a good file."""
    wanted = FAULTS["cases"][case]
    problems = zoo(wanted["csv"].encode())
    assert [[p.row, p.column, p.found, p.expected, p.fix] for p in problems] == wanted["problems"]
    assert {p.file for p in problems} <= {"data/zoo/kinds.csv"}


@pytest.mark.parametrize(
    "digits", ["０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "०१२३४५६७८९", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗"]
)
@pytest.mark.parametrize("column", ["code", "month", "day", "whole", "few", "share", "size"])
def test_digits_of_another_script_are_no_figure(zoo, column, digits):
    """Full-width, Arabic, Devanagari and mathematical digits, all through the cell or in one place of
    it: the cell is named, and no other; no traceback."""
    head, *rows = FAULTS["cases"]["good"]["csv"].splitlines()
    cells = dict(zip(head.split(","), rows[0].split(","), strict=True))
    good, other = cells[column], str.maketrans("0123456789", digits)
    places = [at for at, char in enumerate(good) if char.isdigit()]
    texts = [good[:at] + good[at].translate(other) + good[at + 1 :] for at in places]
    for text in {good.translate(other), *texts}:
        cells[column] = text
        problems = zoo("\n".join([head, ",".join(cells.values()), *rows[1:]]).encode())
        assert {(p.row, p.column, p.found) for p in problems} == {(2, column, repr(text))}


def test_a_pattern_may_ask_for_letters_of_any_script(zoo, monkeypatch, tmp_path):
    """A descriptor's letters may be Vietnamese ones; its digits are those of ASCII."""
    path = tmp_path / "data" / "zoo" / "datapackage.json"
    path.write_text(path.read_text().replace(r"^[A-Z]\\d+$", r"^[\\pL\\d]+$"))
    good = FAULTS["cases"]["good"]["csv"]
    assert zoo(good.replace("A1", "Đ1").encode()) == []
    (problem,) = zoo(good.replace("A1", "Đ１").encode())
    assert problem.expected == r"text like ^[\pL\d]+$"


def test_a_nul_byte_is_named(zoo):
    """Text with a NUL, which no page can show, is none; its row is told, also after a mark of UTF-8."""
    for mark in (b"", b"\xef\xbb\xbf"):
        (problem,) = zoo(mark + FAULTS["cases"]["good"]["csv"].replace(",x", ",x\0").encode())
        assert (problem.row, problem.found, problem.expected) == (4, "byte 0x00", "UTF-8 text")
        (problem,) = zoo(mark + FAULTS["cases"]["good"]["csv"].encode() + b"\xff")
        assert (problem.row, problem.found) == (5, "byte 0xff")


def test_a_folder_in_place_of_a_file_is_named(home):
    path = home / "data" / "phuc-dong" / "schools.csv"
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError) as caught:
        problems()
    found = {(problem.file, problem.found) for problem in caught.value.problems}
    assert found == {("data/phuc-dong/schools.csv", "a folder")}


@pytest.mark.parametrize(
    ("table", "column", "cell"),
    [
        ("school_closures", "grades", "²-6"), ("school_closures", "grades", "all"),
        ("school_closures", "area", "VN-HN２"), ("covid_measures", "area", "Hà Nội"),
        ("tax_relief", "area", "vn"),
    ],
)  # fmt: skip
def test_what_pages_read_from_a_code_is_written_as_one(home, table, column, cell):
    """Grades and areas: a cell that no page could read is named, not met on the way."""
    path = home / "data" / "reference" / f"{table}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    rows[1][rows[0].index(column)] = cell
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    problems = checks.check(descriptors.ward("phuc-dong"), hashes=False)
    assert (f"data/reference/{table}.csv", 2, column, repr(cell)) in {
        (p.file, p.row, p.column, p.found) for p in problems
    }
