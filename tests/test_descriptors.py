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
        load(descriptors.ward("phuc-dong"), "receipts")
    assert any(part in problem.found for problem in caught.value.problems)


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
