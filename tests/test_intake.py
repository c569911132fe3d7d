"""Data files: what is known on a day, and every fault named with file, row, column and remedy."""

import csv
import datetime
import json
import unicodedata

import pandas as pd
import pytest

from wardlib.data import descriptors, intake
from wardlib.errors import DataError, RequestError
from wardlib.periods import Period

SEPTEMBER = datetime.date(2020, 9, 13)


def problems(ward="phuc-dong"):
    return intake.check(descriptors.ward(ward))


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


def test_as_of_a_day_nothing_later_is_seen():
    """On 13/09/2020 September is an estimate of 11/09, August has become actual."""
    ward, period = descriptors.ward("phuc-dong"), Period.parse("2020-9M")
    known = intake.load(ward, "receipts", period=period, as_of=SEPTEMBER)
    assert known["reported_on"].max() == pd.Timestamp("2020-09-11")
    assert not known.duplicated(["month", "line"]).any()
    total = known[known["line"] == "total"].set_index("month")["status"]
    assert (total["2020-08"], total["2020-09"]) == ("actual", "estimate")
    latest = intake.load(ward, "receipts", period=period).set_index(["line", "month"])["status"]
    assert latest["total", pd.Period("2020-09")] == "actual"


def test_nothing_after_the_period_is_seen():
    """The last month of the period is the last month loaded; targets stop at its year."""
    ward, period = descriptors.ward("phuc-dong"), Period.parse("2019-Q2")
    assert intake.load(ward, "receipts", period=period)["month"].max() == pd.Period("2019-06")
    assert intake.load(ward, "targets", period=period)["year"].max() == 2019


def test_every_report_shows_what_was_superseded():
    """Files only grow: the estimate of September still stands behind the actual figure."""
    ward = descriptors.ward("phuc-dong")
    every = intake.load(ward, "receipts", every_report=True)
    own = every[(every["line"] == "total") & (every["month"] == pd.Period("2020-09"))]
    assert {"estimate", "actual"} <= set(own["status"])


def test_a_table_the_ward_does_not_have_is_none():
    """Philadelphia has no schools; that is not an empty table."""
    assert intake.load(descriptors.ward("philadelphia"), "school_months") is None


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
        intake.load(descriptors.ward("phuc-dong"), "receipts")


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
        intake.load(descriptors.ward("phuc-dong"), "schools")
    assert descriptors.accept(descriptors.ward("phuc-dong")) == ["data/phuc-dong/schools.csv"]
    assert problems() == []


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


@pytest.mark.parametrize(
    ("text", "part"),
    [("{", "JSON"), ('{"title": "x"}', "the shape of"), ("[]", "the shape of")],
)
def test_a_faulty_descriptor_is_named(home, text, part):
    """Broken JSON or a missing property is a fault of the descriptor, not a traceback."""
    (home / "data" / "phuc-dong" / "datapackage.json").write_text(text)
    with pytest.raises(DataError, match=r"data/phuc-dong/datapackage\.json") as caught:
        descriptors.ward("phuc-dong")
    assert part in caught.value.problems[0].expected


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda table: table.update(path="../../secret.csv"), "leaves the folder"),
        (lambda table: table["schema"]["fields"][2].update(type="money"), "the type 'money'"),
        (lambda table: table["schema"]["fields"][1].update(codes="lines"), "no table.column"),
        (lambda table: table["schema"]["fields"][1].update(codes="x.code"), "codes x.code"),
    ],
    ids=["path", "type", "codes", "unknown-table"],
)
def test_a_descriptor_that_asks_for_what_does_not_exist_is_named(home, change, part):
    """A path out of the folder, an unknown type, codes of no table: each is a fault, named."""
    path = home / "data" / "phuc-dong" / "datapackage.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    change(raw["resources"][0])
    path.write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(DataError, match=r"data/phuc-dong/datapackage\.json") as caught:
        intake.load(descriptors.ward("phuc-dong"), "receipts")
    assert any(part in problem.found for problem in caught.value.problems)


def test_a_table_without_a_hash_waits_to_be_accepted(home):
    """A new table has no hash yet: the message says how to record it."""
    path = home / "data" / "phuc-dong" / "datapackage.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    del raw["resources"][0]["hash"]
    path.write_text(json.dumps(raw), encoding="utf-8")
    (problem,) = problems()
    assert "--accept" in problem.fix


def test_an_unknown_ward_is_refused_with_the_known_ones():
    """A mistyped ward lists those that exist; a path is no ward."""
    for name in ("nowhere", "reference", "../data/phuc-dong", ""):
        with pytest.raises(RequestError, match=r"Wards here: philadelphia, phuc-dong\."):
            descriptors.ward(name)


def test_a_folder_without_data_is_refused(monkeypatch, tmp_path):
    """WARDLIB_HOME must hold data/."""
    monkeypatch.setenv("WARDLIB_HOME", str(tmp_path))
    with pytest.raises(RequestError, match="WARDLIB_HOME"):
        descriptors.home()


@pytest.mark.parametrize(
    ("period", "as_of", "part"),
    [("2035", "", "is in its files"), ("2020-9M", "2019-12-31", "was reported by 2019-12-31")],
)
def test_a_period_without_any_receipt_is_refused(period, as_of, part):
    """A briefing of nothing is not made; the message says which months exist."""
    with pytest.raises(RequestError, match=f"{part}.*2017-01 to 2021-12"):
        intake.open_book("phuc-dong", period, as_of)


def test_a_book_records_what_it_has_read():
    """The record of a run names the files that the notebook really read; the digest of one that is
    read to its end is the file's."""
    book = intake.open_book("phuc-dong", "2021")
    book.table("targets")
    assert sorted(book.digests) == ["data/phuc-dong/receipts.csv", "data/phuc-dong/targets.csv"]
    raw = json.loads((descriptors.home() / "data/phuc-dong/datapackage.json").read_text("utf-8"))
    assert book.digests["data/phuc-dong/targets.csv"] in {r["hash"] for r in raw["resources"]}


def test_coverage_counts_the_months_that_came_in():
    """As of 13/09/2020 nine months of receipts are known, eight of the schools' months."""
    table = intake.coverage(intake.open_book("phuc-dong", "2020-9M", "2020-09-13"))
    rows = table.set_index("table")
    assert rows.at["receipts", "reported"] == rows.at["receipts", "expected"] == 9
    assert rows.at["school_months", "reported"] == 8
