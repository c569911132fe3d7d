"""Small counts of persons: hidden in the tables, so that nothing made of them gives one back."""

import csv
import importlib.util
import json
import pickle
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, executed

import wardlib
from wardlib.data import descriptors
from wardlib.data.book import load, open_book
from wardlib.pages import html, typst
from wardlib.pages.document import record

SMALL = (1, 2, 3, 4)


@pytest.fixture
def put(home, accept):
    """Write numbers into cells of phường Phúc Đồng's tables: {(month, school or field): {column: cell}}."""

    def change(table, cells):
        path = home / "data" / "phuc-dong" / f"{table}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        found = 0
        for row in rows:
            for column, cell in cells.get((row[0], row[1]), {}).items():
                row[header.index(column)] = str(cell)
                found += 1
        assert found >= len(cells)
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])
        accept()

    return change


def came(period, field, span="period"):
    """The three numbers of participants of a field that an edition publishes."""
    block = wardlib.open("phuc-dong", period, "en").activities.programme_table()
    (row,) = (r for r in block.figures["data"] if (r["span"], r["field"]) == (span, field))
    return [row[f"participants{end}"] for end in ("", "_at_least", "_at_most")]


# January, February and March 2020: 3, 191 and 12 persons.
SPORT = {
    (f"2020-0{month}", "sport"): {
        "participants": persons, "planned": 1, "held": 1, "cancelled": 0, "postponed": 0
    }
    for month, persons in ((1, 3), (2, 191), (3, 12))
}  # fmt: skip


def test_the_year_to_date_minus_the_month_gives_nothing_back(put):
    """In February's paper: 191 in the month, 192 to 195 in both, never 194."""
    put("activities", SPORT)
    assert came("2020-02", "sport") == [191, 191, 191]
    assert came("2020-02", "sport", "to_date") == [None, 192, 195]
    said = str(wardlib.open("phuc-dong", "2020-02", "en").activities.programme_table())
    assert "192–195" in said
    assert "194" not in said
    assert "1 to 4 persons" in said


def test_a_quarter_minus_its_months_gives_nothing_back(put):
    """203 to 207 in the quarter, 1 to 4 in January; February and March as they are."""
    put("activities", SPORT)
    assert came("2020-Q1", "sport") == [None, 204, 207]
    assert came("2020-01", "sport") == [None, 1, 4]
    assert came("2020-03", "sport") == [12, 12, 12]
    assert came("2020-03", "sport", "to_date") == [None, 204, 207]


@pytest.mark.parametrize("pupils", SMALL)
def test_a_mean_weighted_by_pupils_does_not_tell_their_number(put, pupils):
    """A school of 1 to 4 pupils loses a day in January 2020; the mean over its level, times all pupils
    printed, is 2.5 whatever their number."""
    put("school_months", {("2020-01", "mam_non_d"): {
        "pupils": pupils, "planned_days": 10, "in_person_days": 9, "online_days": 0, "closed_days": 1,
    }})  # fmt: skip
    schools = wardlib.open("phuc-dong", "2020-01", "vi").schools
    levels = schools.days_table().figures["data"]
    (lost,) = (r["lost"] for r in levels if (r["kind"], r["level"]) == ("period", "mam_non"))
    rows = [r for r in schools.schools_table().figures["data"] if r["level"] == "mam_non"]
    others = sum(row["pupils"] for row in rows if row["school"] != "mam_non_d")
    assert lost * (others + 2.5) == pytest.approx(2.5, rel=1e-9)
    (own,) = (row for row in rows if row["school"] == "mam_non_d")
    assert [own["pupils"], own["pupils_at_least"], own["pupils_at_most"]] == [None, 1, 4]
    assert own["attendance"] is None


def test_the_digest_of_the_rows_is_that_of_the_table_as_disclosed(put):
    """It is the same for 1 to 4 persons, however they are written, and another one for none and for five,
    and where another cell of the row differs."""

    def digest(persons, held=1):
        put("activities", {("2020-01", "sport"): {"participants": persons, "planned": held, "held": held,
                                                  "cancelled": 0, "postponed": 0}})  # fmt: skip
        book = open_book("phuc-dong", "2020-02")
        book.table("activities")
        return book.digests["data/phuc-dong/activities.csv"]

    few = {digest(persons) for persons in (*SMALL, "04")}
    assert len(few) == 1
    assert len(few | {digest(0), digest(5), digest(3, held=2)}) == 4


def test_the_share_of_few_pupils_is_in_no_digest(put):
    """0.6667 of three pupils is one of thirds: the attendance is left out with the number."""

    def digest(share):
        put("school_months", {("2020-01", "mam_non_d"): {"pupils": 3, "attendance_share": share}})
        book = open_book("phuc-dong", "2020-02")
        table = book.table("school_months")
        row = table[(table["month"] == "2020-01") & (table["school"] == "mam_non_d")].iloc[0]
        assert pd.isna(row["attendance_share"])
        assert row["pupils_hidden"]
        return book.digests["data/phuc-dong/school_months.csv"]

    assert digest("0.6667") == digest("0.75")


def planted(put, chance):
    """Small schools and few participants, drawn anew; where they stand is always the same."""
    months = [f"{year}-{month:02}" for year in (2019, 2020) for month in (1, 2, 3)]
    schools = {(month, "mam_non_d"): {"pupils": chance.choice(SMALL)} for month in months}
    schools |= {("2020-02", "thpt_b"): {"pupils": chance.choice(SMALL)}}
    put("school_months", schools)
    put("activities", {
        (month, field): {"participants": chance.choice(SMALL), "planned": 1, "held": 1,
                         "cancelled": 0, "postponed": 0}
        for month, field in (("2020-01", "sport"), ("2020-01", "culture"), ("2020-03", "sport"))
    })  # fmt: skip


@pytest.mark.parametrize(
    ("notebook", "period", "language"),
    [
        ("20-school-activities", "2020-02", "en"),
        ("20-school-activities", "2020-Q1", "vi"),
        ("90-briefing", "2020-Q1", "vi"),
        ("00-data-check", "2020-03", "en"),
    ],
)
def test_papers_are_the_same_whatever_the_hidden_counts_are(put, notebook, period, language):
    """All that the cells put out (text, HTML, figures, pictures with their words) and the record of a run."""
    made = []
    for seed in (1, 2):
        planted(put, np.random.default_rng(seed))
        run = executed.__wrapped__(notebook, "phuc-dong", period, language)
        outputs = [cell.outputs for cell in run.cells if cell.cell_type == "code"]
        made.append((json.dumps(outputs, sort_keys=True), record(run)))
    assert made[0] == made[1]


def test_a_table_of_ones_own_hides_what_it_counts_in_persons(home, accept):
    """A table that this workbook knows nothing of: with a small count all counts and shares of its row, any
    of which may be a sum or a part of it."""
    folder = home / "data" / "phuc-dong"
    (folder / "cases.csv").write_text(
        "month,cases,girls,share,days,reported_on\n2020-01,596,3,0.005,3,2020-02-01\n"
        "2020-02,,,,4,2020-03-01\n2020-03,0,0,,5,2020-04-01\n2020-04,15,5,0.3333,1,2020-05-01\n", "utf-8"
    )  # fmt: skip
    path = folder / "datapackage.json"
    described = json.loads(path.read_text("utf-8"))
    fields = [
        {"name": "month", "type": "yearmonth"},
        {"name": "cases", "type": "integer", "unit": "persons"},
        {"name": "girls", "type": "integer", "unit": "persons"},
        {"name": "share", "type": "number", "unit": "1"},
        {"name": "days", "type": "integer", "unit": "days"},
        {"name": "reported_on", "type": "date"},
    ]
    described["resources"].append(
        {"name": "cases", "type": "table", "path": "cases.csv",
         "schema": {"fields": fields, "primaryKey": ["month", "reported_on"]}}
    )  # fmt: skip
    path.write_text(json.dumps(described), "utf-8")
    accept()
    table = load(descriptors.ward("phuc-dong"), "cases")
    assert table["cases"].fillna(-1).tolist() == [-1, -1, 0, 15]
    assert table["girls"].fillna(-1).tolist() == [-1, -1, 0, 5]
    assert table["share"].fillna(-1).tolist() == [-1, -1, -1, 0.3333]
    for column in ("cases", "girls"):
        assert table[f"{column}_hidden"].tolist() == [True, False, False, False]
    assert table["days"].tolist() == [3, 4, 5, 1]


def test_no_number_is_left_under_what_is_marked_as_missing(put):
    """The bytes of the tables, as pandas keeps them in memory or in a file, are the same too."""
    made = []
    for seed in (1, 2):
        planted(put, np.random.default_rng(seed))
        ward = descriptors.ward("phuc-dong")
        made.append([pickle.dumps(load(ward, name)) for name in ("school_months", "activities")])
    assert made[0] == made[1]


def test_a_column_of_ones_own_in_a_known_table_is_no_way_round(home, accept):
    """Girls beside the pupils of a school: a small number of them hides the number of all with it."""
    folder = home / "data" / "phuc-dong"
    path = folder / "school_months.csv"
    lines = path.read_text("utf-8").splitlines()
    path.write_text(
        "\n".join(
            [
                f"{lines[0]},girls",
                *(f"{x},{3 if at == 0 else 300}" for at, x in enumerate(lines[1:])),
            ]
        )
        + "\n",
        "utf-8",
    )
    descriptor = folder / "datapackage.json"
    described = json.loads(descriptor.read_text("utf-8"))
    (months,) = (r for r in described["resources"] if r["name"] == "school_months")
    months["schema"]["fields"].append({"name": "girls", "type": "integer", "unit": "persons"})
    descriptor.write_text(json.dumps(described), "utf-8")
    accept()
    table = load(descriptors.ward("phuc-dong"), "school_months")
    assert table.loc[0, ["pupils", "girls", "attendance_share"]].isna().all()
    assert table.loc[1:, ["pupils", "girls"]].notna().all(axis=None)


def test_pages_show_a_range_and_say_why(put):
    """In Vietnamese, in the table's text, HTML and Typst: the school, its level, and the notes."""
    put("school_months", {("2020-01", "mam_non_d"): {"pupils": 2}})
    block = wardlib.open("phuc-dong", "2020-01", "vi").schools.schools_table()
    least = sum(r["pupils_at_least"] for r in block.figures["data"] if r["level"] == "mam_non")
    total = f"{least:,}–{least + 3:,}".replace(",", ".")
    for drawn in (block.plain, html.render(block.content), typst.render(block.content)):
        assert "1–4" in drawn
        assert total in drawn
    assert "Số từ 1 đến 4 người không nêu cụ thể" in block.plain
    assert "được coi là có 2,5 học sinh" in block.plain


def audit():
    """The benchmark that attacks what a ward publishes."""
    path = ROOT / "tests" / "benchmarks" / "disclosure.py"
    spec = importlib.util.spec_from_file_location("disclosure_audit", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["disclosure_audit"] = module  # where its classes look for their annotations
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module


def test_the_audit_adds_and_subtracts():
    """From 194 in all and 191 in one of two cells it finds the other; from a range it does not."""
    attack = audit()
    january, february = (attack.Cell("activities", at, f"2020-0{at}", "sport") for at in (1, 2))
    cells = {january: ("2020-02-12", 3), february: ("2020-03-12", 191)}
    one = attack.Equation({february: 1.0}, 191, 191, "the month")
    exact = attack.Equation({january: 1.0, february: 1.0}, 194, 194, "the year to date")
    broad = attack.Equation({january: 1.0, february: 1.0}, 192, 195, "the year to date")
    assert attack.recovered(cells, [one, exact]) == {january: (3, 3)}
    assert attack.recovered(cells, [one, broad]) == {january: (1, 4)}
