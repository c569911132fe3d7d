"""Refusals: codes without a list, sizes, windows, signs and files that cannot be meant."""

import csv
import datetime
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from spoken import heard

from wardlib import provenance
from wardlib.data import checks, descriptors, reading
from wardlib.errors import DataError
from wardlib.language import get

DAY = datetime.date(2022, 6, 30)  # of the check: everything shipped was reported before
ROOT = Path(__file__).parent.parent
RECEIPT = "2022-01,total,5,5,actual,2022-02-10"
SET = "2022,total,upper,5,2021-12-24"
COUNTED = "2022-01,blood_units,5,actual,2022-02-10"
SCHOOL = "2022-01,thcs_phuc_dong,800,20,20,0,0,0.97,2022-02-10"
EVENTS = "2022-01,sport,2,2,0,0,0,60,2022-02-10"
PRINTED = "X1,2020-10-01,2020-9M,receipts,total,share_upper,208,%,0.01,equal,0.5,a,b,c,d"
BLAMED = "X1,2020-10-01,2020-9M,nonstate,a,16/CT-TTg,b"
MEASURE = "X1,2020-04-01,2020-04-22,VN,restriction,sport,fees,a,b,,d,yes,"
CLOSED = "X1,2020-04-01,2020-04-22,VN,thcs;thpt,7-12,closed,a,b,,d,yes,"
RELIEF = "X1,VN,deferral,vat,month,all,fees,2020-03,2020-03,,2020-04-20,2020-09-20,0,1,a,b,c,d,yes,"
LINE = "gift,total,a,b,,3;6,,,false,,,d,yes"
OWNER = "total,VN,x,y,2020-01-01,2021-01-01,d,no"
TET = "2024,2024-02-10,d,yes"
HOLIDAY = "2022-05-09,a,b,d,yes"
AREA = "VN-DN-490,VN-DN,a,b,d,yes"


def write(path, lines):
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def of(home, place, row, **cells):
    """The problems of a table ("ward/table") to which a row was added, with other cells in places."""
    path = home / "data" / f"{place}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    added = dict(zip(rows[0], next(csv.reader([row])), strict=True)) | cells
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([*rows, added.values()])
    ward = "philadelphia" if place.startswith("phil") else "phuc-dong"
    problems = heard(checks.check(descriptors.ward(ward), hashes=False, day=DAY))
    assert {p.file for p in problems} <= {f"data/{place}.csv"}, [str(p) for p in problems]
    last = path.read_bytes().count(b"\n")
    assert {p.row for p in problems} <= {last}
    return problems


ROWS = {
    "phuc-dong/receipts": RECEIPT, "phuc-dong/targets": SET, "phuc-dong/indicator_months": COUNTED,
    "phuc-dong/school_months": SCHOOL, "phuc-dong/activities": EVENTS, "phuc-dong/published": PRINTED,
    "phuc-dong/attributions": BLAMED, "reference/covid_measures": MEASURE,
    "reference/school_closures": CLOSED, "reference/tax_relief": RELIEF,
    "reference/revenue_lines": LINE, "reference/owners": OWNER, "reference/tet": TET,
    "reference/holidays": HOLIDAY, "reference/areas": AREA,
}  # fmt: skip


@pytest.mark.parametrize("place", ROWS)
def test_a_row_as_it_should_be_is_taken(home, place):
    """The rows that the other tests spoil have no fault themselves."""
    assert of(home, place, ROWS[place]) == []


@pytest.mark.parametrize(
    ("place", "cells", "expected", "fix"),
    [
        ("phuc-dong/targets", {"line": "non_state"}, "or column code of data/reference/indicators.csv",
         "did you mean nonstate?"),
        ("phuc-dong/receipts", {"line": "tоtal"}, "a code in column code", "did you mean total?"),
        ("phuc-dong/receipts", {"line": "total\xa0"}, "a code in column code", "did you mean total?"),
        ("phuc-dong/published", {"item": "totle"}, "a revenue line, as the table is receipts",
         "did you mean total?"),
        ("phuc-dong/published", {"item": "blood_units"}, "a revenue line, as the table is receipts", ""),
        ("phuc-dong/published", {"table": "indicators"}, "an indicator, as the table is indicators", ""),
        ("phuc-dong/published", {"table": "targets"}, "upper or ward, as the table is targets", ""),
        ("phuc-dong/published", {"measure": "value"}, "one of collected, kept, share_upper", ""),
        ("phuc-dong/published", {"unit": "VND"}, "%, as total is compared by share_upper", ""),
        ("phuc-dong/published", {"scale": "1"}, "0.01, one %", ""),
        ("phuc-dong/published", {"measure": "kept", "unit": "1e6 USD", "scale": "1000000"},
         "1e6 VND or VND", ""),
        ("phuc-dong/published", {"measure": "kept", "unit": "1e6 VND", "scale": "1000"}, "1e+06", ""),
        ("phuc-dong/published",
         {"table": "indicators", "item": "blood_units", "measure": "value", "scale": "1"},
         "đơn vị máu or blood units", ""),
        ("phuc-dong/attributions", {"subject": "nonstat"}, "a revenue line, schools, or activities",
         "did you mean nonstate?"),
        ("phuc-dong/attributions", {"cause": "16/CT-TTG"}, "16/CT-TTg, as column document", "in the same way"),
        ("reference/covid_measures", {"area": "VN-HNN"}, "in column code of data/reference/areas.csv",
         "did you mean VN-HN?"),
        ("reference/covid_measures", {"sectors": "sport;karaoke_bar"}, "data/reference/sectors.csv",
         "did you mean karaoke_bars?"),
        ("reference/covid_measures", {"lines": "fees;fees"}, "items that stand once", "doubled"),
        ("reference/covid_measures", {"lines": "fees;"}, "items that stand once", "empty"),
        ("reference/school_closures", {"area": "VN-HN-suburb"}, "areas.csv", "mean VN-HN-suburban?"),
        ("reference/school_closures", {"levels": "thcs;thtp"}, "items out of mam_non", "did you mean"),
        ("reference/tax_relief", {"area": "VN-HN-04"}, "areas.csv", "did you mean VN-HN-004?"),
        ("reference/tax_relief", {"tax": "land_tex"}, "items out of", "did you mean land_tax?"),
        ("reference/revenue_lines", {"due_months": "3;13"}, "items out of 1, 2, 3", ""),
        ("reference/revenue_lines", {"sub_items": "170"}, "four digits", ""),
        ("reference/revenue_lines", {"code": "total2", "parent": "total2"}, "no part of it", ""),
        ("reference/owners", {"item": "blood_unit"}, "indicators.csv", "did you mean blood_units?"),
        ("reference/owners", {"area": "US"}, "areas.csv", ""),
        ("reference/areas", {"parent": "VN-XX"}, "areas.csv", ""),
        ("philadelphia/tax_relief", {"area": "US-PA-11"}, "areas.csv or the areas of data/philadelphia",
         ""),
        ("philadelphia/tax_relief", {"tax": "brit"}, "or the revenue lines", "did you mean birt?"),
    ],
)  # fmt: skip
def test_every_code_has_its_list(home, place, cells, expected, fix):
    """A code that no list holds is named with the lists, and with the one that was likely meant."""
    row = ROWS.get(place) or ("R99,US-PA-101,none,birt,,all,birt,2020-01,,,,,1,1,a,b,c,d,yes,")
    found = [p for p in of(home, place, row, **cells) if expected in p.expected]
    assert len(found) == 1
    assert found[0].column in {*cells, "item", "unit"}
    assert fix in found[0].fix


@pytest.mark.parametrize(
    ("place", "cells", "expected"),
    [
        ("phuc-dong/targets", {"amount": "9" * 400}, "at most 1,000,000,000,000,000"),
        ("phuc-dong/targets", {"amount": "2600.000"}, "whose point cannot be taken"),
        ("phuc-dong/targets", {"amount": "2600.50"}, "a whole number (VND), as total"),
        ("phuc-dong/targets", {"line": "blood_units", "amount": "2600.000"}, "whose point cannot"),
        ("phuc-dong/targets", {"line": "blood_units", "amount": "100.5"}, "a whole number (blood"),
        ("phuc-dong/targets", {"line": "dossiers_early", "amount": "100.5"}, "and at most 100 (%)"),
        ("phuc-dong/targets", {"line": "dossiers_early", "amount": "82.9012"}, "at most 2 decimals"),
        ("phuc-dong/targets", {"line": "dossiers_early", "amount": "82.901"}, "whose point cannot"),
        ("phuc-dong/indicator_months", {"value": "10000000000"}, "at most 1,000,000,000"),
        ("phuc-dong/indicator_months", {"indicator": "dossiers_early", "value": "829"}, "at most 100"),
        ("phuc-dong/indicator_months", {"value": "1.250"}, "whose point cannot be taken"),
        ("phuc-dong/receipts", {"collected": "1" + "0" * 17}, "at most 1,000,000,000,000,000 (VND)"),
        ("phuc-dong/receipts", {"kept": "45"}, "at most 5, which stands in collected"),
        ("phuc-dong/school_months", {"pupils": "1" + "0" * 17}, "at most 100,000 (persons)"),
        ("phuc-dong/activities", {"participants": "1" + "0" * 17}, "at most 1,000,000 (persons)"),
        ("phuc-dong/activities", {"planned": "20000", "held": "20000"}, "at most 10,000 (events)"),
        ("phuc-dong/published", {"value": "9" * 20}, "at most 1,000,000,000,000,000"),
        ("phuc-dong/published", {"tolerance": "9" * 20}, "at most 1,000,000,000"),
        ("phuc-dong/published", {"scale": "0"}, "at least 0.01"),
    ],
)  # fmt: skip
def test_every_number_has_its_range(home, place, cells, expected):
    """What cannot have been counted or meant is refused, with the range or the form that can."""
    assert expected in " | ".join(p.expected for p in of(home, place, ROWS[place], **cells))


def test_a_unit_has_its_word_in_each_language(home):
    """That of an indicator is the table's own; what counts persons, days or events is a word of ours, and
    a currency is a code."""
    for place, cells, unit in (
        ("phuc-dong/indicator_months", {"value": "100.5"}, "đơn vị máu"),
        ("phuc-dong/school_months", {"pupils": "1000000"}, "người"),
        ("phuc-dong/activities", {"planned": "20000", "held": "20000"}, "hoạt động"),
        ("phuc-dong/receipts", {"collected": "x"}, "VND"),
    ):
        problems = of(home, place, ROWS[place], **cells)
        assert any(get("vi").say(p.expected).endswith(f" ({unit})") for p in problems)
        (home / f"data/{place}.csv").write_bytes((ROOT / f"data/{place}.csv").read_bytes())


@pytest.mark.parametrize(
    ("place", "cells", "column"),
    [
        ("phuc-dong/receipts", {"reported_on": "2040-01-10"}, "reported_on"),
        ("phuc-dong/receipts", {"reported_on": "2022-07-01"}, "reported_on"),
        ("phuc-dong/receipts", {"month": "1900-01"}, "month"),
        ("phuc-dong/targets", {"reported_on": "2020-12-31"}, "reported_on"),
        ("phuc-dong/targets", {"reported_on": "2022-07-01"}, "reported_on"),
        ("phuc-dong/indicator_months", {"reported_on": "2021-12-31"}, "reported_on"),
        ("phuc-dong/school_months", {"reported_on": "2021-12-31"}, "reported_on"),
        ("phuc-dong/activities", {"reported_on": "2040-02-10"}, "reported_on"),
        ("phuc-dong/published", {"published_on": "2019-12-31"}, "published_on"),
        ("phuc-dong/published", {"published_on": "2040-12-31"}, "published_on"),
        ("phuc-dong/published", {"period": "1950"}, "period"),
        ("phuc-dong/attributions", {"published_on": "2019-12-31"}, "published_on"),
        ("phuc-dong/attributions", {"period": "1950"}, "period"),
        ("reference/tet", {"year": "2022", "date": "2038-02-04"}, "date"),
        ("reference/tet", {"date": "2025-01-29"}, "date"),
        ("reference/tet", {"date": "2024-03-10"}, "date"),
        ("reference/holidays", {"date": "1999-01-01"}, "date"),
        ("reference/holidays", {"date": "2038-01-01"}, "date"),
        ("reference/covid_measures", {"end": "2099-04-22"}, "end"),
        ("reference/covid_measures", {"start": "2002-04-22"}, "start"),
        ("reference/school_closures", {"end": "2025-04-22"}, "end"),
        ("reference/tax_relief", {"extended_due": "2025-09-20"}, "extended_due"),
        ("reference/tax_relief", {"period_end": "2040-09"}, "period_end"),
        ("reference/owners", {"valid_to": "2040-01-01"}, "valid_to"),
        ("reference/revenue_lines", {"valid_from": "2020-01", "valid_to": "2019-01"}, "valid_to"),
    ],
)  # fmt: skip
def test_every_date_has_its_window(home, place, cells, column):
    """Days before what they are about, after the day of the check, or of another time are refused."""
    if place == "reference/tet":
        cells = {"year": "2024"} | cells
        kept = [line for line in (home / f"data/{place}.csv").read_text().splitlines()
                if not line.startswith("2022,")]  # fmt: skip
        write(home / f"data/{place}.csv", kept)
    problems = of(home, place, ROWS[place], **cells)
    assert [p.column for p in problems] == [column]
    assert "from" in problems[0].expected or problems[0].expected.startswith(
        ("a day in", "a period", "at most 3 years", "not below")
    )


def test_nothing_is_reported_after_the_day_of_the_check_or_of_the_last_acceptance(home):
    """The day of the check bounds what was reported, else the day recorded for the file; with neither no
    clock is asked."""
    path = home / "data" / "phuc-dong" / "targets.csv"
    write(path, [*path.read_text().splitlines(), "2039,total,upper,5,2038-12-24"])
    raw = json.loads((path.parent / "datapackage.json").read_text(encoding="utf-8"))
    (table,) = (one for one in raw["resources"] if one["name"] == "targets")

    def found(accepted_on, day):
        table.pop("accepted_on", None)
        table.update({"accepted_on": accepted_on} if accepted_on else {})
        table["hash"] = provenance.digest(path)
        (path.parent / "datapackage.json").write_text(json.dumps(raw), encoding="utf-8")
        problems = checks.check(descriptors.ward("phuc-dong"), hashes=False, day=day)
        return [p.expected for p in problems]

    assert found("", None) == []
    assert found("", DAY) == ["a day from 2000-01-01 to 2022-06-30"]
    assert found("2026-11-26", None) == ["a day from 2000-01-01 to 2026-11-26"]
    assert found("2026-11-26", DAY) == ["a day from 2000-01-01 to 2022-06-30"]
    assert found("2022-06-30", datetime.date(2038, 12, 24)) == []
    table["hash"] = (
        f"sha256:{64 * '0'}"  # rows that came after the file was accepted are bound by none
    )
    (path.parent / "datapackage.json").write_text(json.dumps(raw), encoding="utf-8")
    assert checks.check(descriptors.ward("phuc-dong"), hashes=False) == []
    with pytest.raises(DataError, match="a day from 2000-01-01 to 2026-11-26"):
        found("2026-11-26", None)
        ward = descriptors.ward("phuc-dong")
        checks.typed(ward, ward.tables["targets"])


@pytest.mark.parametrize(
    ("sign", "told"),
    [
        ("\u200b", "U+200B zero width space"), ("\u200d", "U+200D zero width joiner"),
        ("\u202e", "U+202E right-to-left override"), ("\u2066", "U+2066 left-to-right isolate"),
        ("\u00ad", "U+00AD soft hyphen"), ("\ufeff", "U+FEFF zero width no-break space"),
        ("\x1b", "U+001B control character"), ("\t", "U+0009 control character"),
        ("\x85", "U+0085 control character"), ("\u2028", "U+2028 line separator"),
        ("\ue000", "U+E000 control character"), ("\U000e0041", "U+E0041 tag latin capital letter a"),
        ("\u3164", "U+3164 hangul filler"), ("\ufe0f", "U+FE0F variation selector-16"),
        ("\ufffd", "U+FFFD replacement character"),
    ],
)  # fmt: skip
def test_signs_that_nobody_sees_are_named(home, sign, told):
    """In codes, names and remarks: refused, and told by name and place."""
    for place, column in (
        ("phuc-dong/targets", "line"), ("reference/covid_measures", "name_vi"),
        ("reference/covid_measures", "note"),
    ):  # fmt: skip
        (home / f"data/{place}.csv").write_bytes((ROOT / f"data/{place}.csv").read_bytes())
        problems = of(home, place, ROWS[place], **{column: f"tota{sign}l"})
        assert ("letters that can be seen", "tota") in [
            (p.expected, p.found[1:5]) for p in problems
        ]
        assert all(f"with {told} at letter 5" in p.found for p in problems)
        (home / f"data/{place}.csv").write_bytes((ROOT / f"data/{place}.csv").read_bytes())


def test_letters_that_look_alike_are_named_in_codes_and_left_alone_in_texts(home):
    """A Cyrillic o in a code is told by its name; a text may quote any script and any space."""
    assert of(home, "reference/covid_measures", MEASURE, note="Đồng\xa0bào: область") == []
    (problem,) = of(home, "phuc-dong/targets", SET, line="t\u043etal")
    assert problem.found.endswith("with U+043E cyrillic small letter o at letter 2")
    assert problem.fix.startswith("did you mean total?")


def test_a_name_is_one_line_and_a_text_has_an_end(home):
    """A line end breaks a table's row on a page; it may stand in a remark. No cell is longer than 2,000."""
    remark = "a\nb" + "x" * 1_997
    (problem,) = of(home, "reference/covid_measures", MEASURE, name_vi="a\nb", note=remark)
    assert (problem.column, problem.expected) == ("name_vi", "text of one line")
    (home / "data/reference/covid_measures.csv").write_bytes(
        (ROOT / "data/reference/covid_measures.csv").read_bytes()
    )
    (problem,) = of(home, "reference/covid_measures", MEASURE, note=remark + "x")
    assert problem.expected == "at most 2,000 letters"
    assert problem.found.startswith("2,001 letters, 'a\\nb")


def areas(home, ward, chain):
    """The problems where a ward lies in these areas."""
    path = home / "data" / ward / "datapackage.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["ward"]["areas"] = chain
    path.write_text(json.dumps(raw), encoding="utf-8")
    found, problems = descriptors.wards([ward])
    return heard(problems + [p for own in found for p in checks.check(own, hashes=False, day=DAY)])


@pytest.mark.parametrize(
    "chain",
    [
        ["VN"], ["VN", "VN-HN"], ["VN", "VN-HN", "VN-HN-004", "VN-HN-00145"],
        ["VN", "VN-HN", "VN-HN-005", "VN-HN-00157"], ["VN", "VN-SG", "VN-SG-760", "VN-SG-26734"],
        ["VN", "VN-73", "VN-73-00001"],
    ],
)  # fmt: skip
def test_a_new_ward_writes_its_own_areas(home, chain):
    """What the reference does not know is the ward's own, from where its list ends: no list to keep."""
    assert areas(home, "phuc-dong", chain) == []


@pytest.mark.parametrize(
    ("ward", "chain", "found", "expected"),
    [
        ("philadelphia", ["US", "US-PA", "us-pa-101"], '"us-pa-101"', "the code of an area"),
        ("phuc-dong", ["VN", "VN-hn", "VN-HN-00151"], "'VN-hn'", "VN-HN, as in column code"),
        ("phuc-dong", ["VN", "VN-HM", "VN-HM-004"], "'VN-HM'", "a part of VN in column code"),
        ("phuc-dong", ["VN-HN", "VN-HN-004"], '"VN-HN"', "a country in two capitals first"),
        ("phuc-dong", ["VN", "VN-HN-004"], "'VN-HN-004'", "VN-HN-004 after VN-HN, in which"),
        ("phuc-dong", ["VN", "VN-HN", "US-PA"], '"US-PA"', "a country in two capitals first"),
        ("phuc-dong", ["US-PA"], '"US-PA"', "a country in two capitals first"),
    ],
)  # fmt: skip
def test_areas_that_are_no_chain_are_named(home, ward, chain, found, expected):
    """A wrong area would take all its measures away without a word."""
    own = [p for p in areas(home, ward, chain) if p.column.startswith("ward.areas")]
    assert [p.found for p in own] == [found]
    assert own[0].expected.startswith(expected)
    assert own[0].file == f"data/{ward}/datapackage.json"


def test_rows_of_an_area_that_the_ward_no_longer_names_are_told(home):
    """Tables of a ward abroad are held to its own areas."""
    problems = areas(home, "philadelphia", ["US", "US-PA", "US-PA-11"])
    assert {p.file.rpartition("/")[2] for p in problems} == {"covid_phases.csv", "tax_relief.csv"}
    assert {p.found for p in problems} == {"'US-PA-101'"}


def test_a_faulty_cell_hides_no_fault_of_another_row(home):
    """Rules over a row's cells look at the sound rows; those over many rows wait until all are sound."""
    path = home / "data" / "phuc-dong" / "activities.csv"
    lines = path.read_text("utf-8").splitlines()
    rows = ["2022-01,sport,5,5,0,0,0,x,2022-02-10", "2022-02,sport,9,5,0,0,0,7,2022-03-10"]
    write(path, [*lines, *rows])
    problems = checks.check(descriptors.ward("phuc-dong"), hashes=False, day=DAY)
    found = [(p.row - len(lines), p.column) for p in problems]
    assert found == [(1, "participants"), (2, "planned")]
    path = path.with_name("receipts.csv")
    lines = path.read_text("utf-8").splitlines()
    write(
        path,
        [*lines, "2022-01,total,5,5,actual,2022-02-10", "2022-01,nonstate,x,5,actual,2022-02-10"],
    )
    problems = checks.check(descriptors.ward("phuc-dong"), hashes=False, day=DAY)
    assert [p.column for p in problems if p.file.endswith("receipts.csv")] == ["collected"]


def test_a_country_that_nobody_knows_is_told(home):
    """A reference table of the country "VV" would be none of any ward."""
    path = home / "data" / "reference" / "datapackage.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"area": "VN"', '"area": "VV"', 1))
    problems = checks.check(descriptors.ward("philadelphia"), hashes=False)
    assert [(p.column, p.found) for p in problems] == [("resources.indicators.area", "'VV'")]


def test_codes_that_name_no_list_are_told(home):
    """Of several lists each must exist; one of another country is passed over."""
    path = home / "data" / "phuc-dong" / "datapackage.json"
    text = path.read_text(encoding="utf-8")
    raw = json.loads(text)
    (table,) = (one for one in raw["resources"] if one["name"] == "truth")
    (field,) = (one for one in table["schema"]["fields"] if one["name"] == "item")
    field["codes"] = "covid_phasez.id"
    path.write_text(json.dumps(raw), encoding="utf-8")
    _, (problem,) = descriptors.wards(["phuc-dong"])
    place = "resources.truth.schema.fields.item.codes"
    assert (problem.column, problem.found) == (place, "codes covid_phasez.id")
    path.write_text(text, encoding="utf-8")
    abroad = areas(home, "phuc-dong", ["US", "US-PA"])
    assert not [p for p in abroad if p.found == "codes indicators.code" and "targets" in p.column]


# ------------------------------------------------------------------------------------------- files


@pytest.fixture
def receipts(home):
    """The ward's receipts: their path, and the problems that they make."""
    path = home / "data" / "phuc-dong" / "receipts.csv"
    ward = descriptors.ward("phuc-dong")

    def found():
        return heard([p for p in checks.check(ward) if p.file.endswith("receipts.csv")])

    return path, found


@pytest.mark.parametrize(
    ("put", "told"),
    [
        (os.mkfifo, "a named pipe"), (Path.mkdir, "a folder"),
        (lambda path: path.symlink_to(path), "a link that leads to itself"),
        (lambda path: path.symlink_to("/dev/zero"), "a link that leads out of the folder"),
        (lambda path: path.symlink_to("gone.csv"), "No such file or directory"),
    ],
    ids=["pipe", "folder", "loop", "device", "nowhere"],
)  # fmt: skip
def test_what_is_no_ordinary_file_is_told_and_not_opened(receipts, put, told):
    """A pipe would hang, a device never end: one problem, at once."""
    path, found = receipts
    path.unlink()
    put(path)
    (problem,) = found()
    assert (problem.found, problem.row) == (told, 0)


def test_a_file_too_large_is_refused_before_it_is_read(receipts):
    """2 GB (of a sparse file) are measured, not read."""
    path, found = receipts
    os.truncate(path, 2_000_000_000)
    (problem,) = found()
    assert problem.found == "2,000,000,000 bytes"
    assert problem.expected == "a CSV file of at most 200,000,000 bytes"


@pytest.mark.parametrize("limit", [131_072, 10_000_000])
def test_a_cell_without_end_has_its_own_message(receipts, limit):
    """An open quote swallows the rows below: the row where it opens is told, whatever limit a library has set
    for the process, which stays as it was."""
    path, found = receipts
    head, *rows = path.read_text().splitlines()
    write(path, [head, rows[0], '2017-01,"total,1,1,actual,2017-02-01', *rows * 3])
    before = csv.field_size_limit(limit)
    try:
        assert [(p.row, p.found) for p in found() if p.row] == [
            (3, "a cell of more than 131,072 letters")
        ]
        assert csv.field_size_limit() == limit
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("2020-01,total,x{0},1,actual,2020-02-01", "collected"),
        ("2020-01,line{0},1,1,actual,2020-02-01", "line"),
        ("2020-01,total,1,1,actual,2020-02-01", "month, line, reported_on"),
        ("{0},total", ""),
    ],
    ids=["forms", "codes", "keys", "ragged"],
)  # fmt: skip
def test_many_faults_of_one_kind_are_counted(receipts, row, column):
    """The first twenty of 3,000 are told one by one, the rest by their number and the last row."""
    path, found = receipts
    head, *rows = path.read_text().splitlines()
    write(path, [head, *rows, *(row.format(at) for at in range(3_001))])
    own = [p for p in found() if p.row and p.column == column]
    assert len(own) == reading.SHOWN + 1
    last = len(rows) + 1 + 3_001
    assert own[-1].found.startswith("2,98")  # 3,001 faults, or 3,000 where the first is none
    assert own[-1].found.endswith(f"more cells or rows with this fault, the last in row {last}")
    assert own[-1].expected == own[0].expected


def test_a_file_that_may_not_be_read_is_told():
    """Tried as somebody else where the tests run as root, whom no permission stops."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "notebooks").mkdir()
        subprocess.run(["cp", "-r", ROOT / "data", folder], check=True)
        program = """
import os, pathlib
from wardlib.data import checks, descriptors
ward = descriptors.ward("phuc-dong")
assert not checks.check(ward, hashes=False)
path = pathlib.Path(os.environ["WARDLIB_HOME"], "data", "phuc-dong", "receipts.csv")
path.chmod(0)
if os.geteuid() == 0:
    os.setuid(65534)
for problem in checks.check(ward):
    print(problem.file, problem.row, problem.found, problem.fix, sep="|")
"""
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"WARDLIB_HOME": folder, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout == (
        "data/phuc-dong/receipts.csv|0|Permission denied|"
        "let the user who runs ward read the file and the folders above it\n"
    )
