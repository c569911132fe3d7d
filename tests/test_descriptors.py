"""Descriptors: wards, tables and the workbook's folder, and what is said where they are not there."""

import json

import pytest

from wardlib.data import descriptors
from wardlib.data.book import load
from wardlib.errors import DataError, RequestError


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
        (lambda table: table.update(area=["VN"]), "the area ['VN'] of receipts is no text"),
    ],
    ids=["path", "type", "codes", "unknown-table", "area"],
)
def test_a_descriptor_that_asks_for_what_does_not_exist_is_named(home, change, part):
    """A path out of the folder, an unknown type, codes of no table: each is a fault, named."""
    path = home / "data" / "phuc-dong" / "datapackage.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    change(raw["resources"][0])
    path.write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(DataError, match=r"data/phuc-dong/datapackage\.json") as caught:
        load(descriptors.ward("phuc-dong"), "receipts")
    assert any(part in problem.found for problem in caught.value.problems)


def test_an_unknown_ward_is_refused_with_the_known_ones():
    """A mistyped ward lists those that exist; a path is no ward."""
    for name in ("nowhere", "reference", "../data/phuc-dong", ""):
        with pytest.raises(RequestError, match=r"Wards here: philadelphia, phuc-dong\."):
            descriptors.ward(name)


def test_a_folder_without_data_is_refused(monkeypatch, tmp_path):
    """WARDLIB_HOME must hold data/; the message names both."""
    monkeypatch.setenv("WARDLIB_HOME", str(tmp_path))
    with pytest.raises(RequestError, match=f"no data/ in {tmp_path}, which WARDLIB_HOME names"):
        descriptors.home()


def test_the_workbook_is_the_nearest_folder_from_here_up(monkeypatch, tmp_path):
    """The first that holds data/ and notebooks/; WARDLIB_HOME goes before it."""
    monkeypatch.delenv("WARDLIB_HOME", raising=False)
    inner, outer = tmp_path / "a" / "b", tmp_path
    for folder in (outer, inner):
        (folder / "data").mkdir(parents=True)
        (folder / "notebooks").mkdir()
    (inner / "notebooks" / "deep" / "data").mkdir(parents=True)
    (tmp_path / "a" / "notebooks").mkdir()
    for here, workbook in (
        (inner / "notebooks" / "deep", inner), (inner, inner), (tmp_path / "a", outer),
    ):  # fmt: skip
        monkeypatch.chdir(here)
        assert descriptors.home() == workbook.resolve()
    monkeypatch.setenv("WARDLIB_HOME", str(inner))
    assert descriptors.home() == inner.resolve()


def test_outside_a_workbook_is_said_what_to_do(monkeypatch, tmp_path):
    """What was looked for, where, and both ways out; no other folder takes its place."""
    monkeypatch.delenv("WARDLIB_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    said = f"no folder with data/ and notebooks/ in {tmp_path} or above it.*set WARDLIB_HOME to it"
    with pytest.raises(RequestError, match=said):
        descriptors.home()


def test_a_table_of_another_country_is_no_table_of_the_ward(home):
    """Tết, Việt Nam's holidays and its wards' indicators are not Philadelphia's; its own table of that
    name would be."""
    city, ward = descriptors.ward("philadelphia"), descriptors.ward("phuc-dong")
    for name in ("tet", "holidays", "indicators"):
        assert city.table(name) is None
        assert load(city, name) is None
        assert len(load(ward, name)) > 0
    assert city.table("revenue_lines").package == "philadelphia"
    assert city.table("covid_measures").package == "reference"
    path = home / "data" / "philadelphia" / "datapackage.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["resources"][0] |= {"name": "tet", "area": "US"}
    path.write_text(json.dumps(raw), encoding="utf-8")
    assert descriptors.ward("philadelphia").table("tet").area == "US"


def test_a_descriptor_in_another_encoding_is_named(home):
    """Saved in an old encoding, it is a fault with its row, not a traceback."""
    path = home / "data" / "phuc-dong" / "datapackage.json"
    path.write_bytes(b'{"title":\n"Ph\xfac"}')
    with pytest.raises(DataError, match=r"datapackage\.json, row 2.*\n.*0xfa.*\n.*UTF-8 text"):
        descriptors.ward("phuc-dong")
