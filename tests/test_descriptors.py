"""Descriptors: wards, tables and the workbook's folder, and what is said where they are not there."""

import contextlib
import copy
import ctypes
import dataclasses
import datetime
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT
from spoken import heard

from wardlib.data import cells, descriptors, profile
from wardlib.data.book import load
from wardlib.errors import DataError, RequestError

# The text of a ward that is sound, and of a reference of nothing; a test changes the ward's.
WARD = {
    "name": "zoo", "title": "Zoo", "licenses": [{"title": "CC0 1.0"}],
    "sources": [{"title": "the zoo", "title_vi": "vườn thú"}],
    "ward": {
        "name_vi": "Phường Thú", "name_en": "Zoo ward", "authority_vi": "UBND\nphường Thú",
        "authority_en": "People's Committee", "superior_vi": "", "superior_en": "", "place": "Thú",
        "areas": ["VN", "VN-HN", "VN-HN-1"], "currency": "VND", "illustrative": True,
        "recipients": [
            {"name_vi": "Sở", "name_en": "Office", "valid_from": "2019-01-01", "valid_to": "2019-12-31"}
        ],
    },
    "resources": [
        {
            "name": "receipts", "path": "receipts.csv",
            "schema": {
                "fields": [
                    {"name": "month", "type": "yearmonth", "constraints": {"required": True}},
                    {"name": "line", "type": "string", "codes": "revenue_lines.code",
                     "constraints": {"required": True, "pattern": "^[a-z]+$", "enum": ["a", "b"]}},
                    {"name": "collected", "type": "integer", 
                     "constraints": {"required": True, "minimum": 0, "maximum": 9}},
                    {"name": "kept", "type": "integer", "at_most": "collected",
                     "constraints": {"required": True}},
                    {"name": "tags", "type": "list", "delimiter": ";",
                     "codes": ["lines.code", "lines.parent"]},
                    {"name": "status", "type": "string",
                     "constraints": {"required": True, "enum": ["actual"]}},
                    {"name": "reported_on", "type": "date", "constraints": {"required": True}},
                ],
                "primaryKey": ["month", "line", "reported_on"],
            },
        },
        {
            "name": "lines", "path": "lines.csv", "bytes": 11, "accepted_on": "2026-11-26",
            "schema": {
                "fields": [{"name": "code", "type": "string"}, {"name": "parent", "type": "string"}],
                "primaryKey": "code",
            },
        },
    ],
}  # fmt: skip
SHIPPED = json.loads((ROOT / "data" / "reference" / "datapackage.json").read_text("utf-8"))
REFERENCE = {
    "name": "reference", "title": "-", "licenses": [{"title": "-"}],
    "resources": [
        {name: value for name, value in one.items() if name in ("name", "path", "schema")}
        for one in SHIPPED["resources"] if one["name"] == "revenue_lines"
    ],
}  # fmt: skip


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    """Writes the descriptor of `data/zoo` and gives its folder: the sound one as `change` leaves it, or
    this text, or these bytes."""
    folder = tmp_path / "data" / "zoo"
    for made in (folder, tmp_path / "data" / "reference", tmp_path / "notebooks"):
        made.mkdir(parents=True)
    (tmp_path / "data" / "reference" / "datapackage.json").write_text(json.dumps(REFERENCE))
    shutil.copy(ROOT / "data" / "reference" / "revenue_lines.csv", tmp_path / "data" / "reference")
    (folder / "lines.csv").write_text("code,parent\n")
    (folder / "receipts.csv").write_text("month,line,collected,kept,tags,status,reported_on\n")
    monkeypatch.setenv("WARDLIB_HOME", str(tmp_path))

    def write(change=lambda raw: None):
        if callable(change):
            raw = copy.deepcopy(WARD)
            change(raw)
            change = json.dumps(raw, indent=1)
        data = change if isinstance(change, bytes) else change.encode()
        (folder / "datapackage.json").write_bytes(data)
        return folder

    return write


def found(name="zoo"):
    """The problems of a ward's descriptor."""
    with pytest.raises(DataError) as caught:
        descriptors.ward(name)
    assert all(
        problem.found and problem.expected and problem.fix for problem in caught.value.problems
    )
    return heard(caught.value.problems)


def put(path, value):
    """A change: the value at "ward.areas.0", a number being a place in a list."""

    def change(raw):
        *parts, last = [int(part) if part.isdigit() else part for part in path.split("/")]
        for part in parts:
            raw = raw[part]
        raw[last] = value

    return change


def test_a_sound_descriptor_is_read(zoo):
    """A key as text, a list of codes, and what is recorded of a file, all as they stand."""
    zoo()
    ward = descriptors.ward("zoo")
    lines, receipts = ward.tables["lines"], ward.tables["receipts"]
    assert (lines.primary_key, receipts.primary_key) == (
        ("code",),
        ("month", "line", "reported_on"),
    )
    assert (lines.bytes, lines.accepted_on) == (11, datetime.date(2026, 11, 26))
    assert (receipts.bytes, receipts.accepted_on, receipts.hash) == (None, None, "")
    fields = {field.name: field for field in receipts.fields}
    assert fields["tags"].codes == (("lines", "code"), ("lines", "parent"))
    assert fields["line"].codes == (("revenue_lines", "code"),)
    assert (fields["kept"].at_most, fields["collected"].at_most) == ("collected", "")
    assert fields["month"].codes == ()


RECEIPTS = "resources/0/schema"
LINE = f"{RECEIPTS}/fields/1"
SUM = f"{RECEIPTS}/fields/2"
TAGS = f"{RECEIPTS}/fields/4"
LINES = "resources/1/schema"
TAGS = f"{RECEIPTS}/fields/4"


@pytest.mark.parametrize(
    ("path", "value", "column", "part"),
    [
        *(("ward/illustrative", value, "ward.illustrative", "true (the figures")
          for value in (None, "yes", 1, 0, [])),
        *(("ward/areas", value, "ward.areas", "a list of different areas")
          for value in ([], "VN", ["VN", "VN"], None)),
        *(("ward/areas/0", value, "ward.areas.1", "")
          for value in ("vn", "", " ", 1, "VN-", "VN HN", "VN-HP")),
        ("ward/areas/2", "US-PA", "ward.areas.3", "areas inside it"),
        *((f"ward/{name}", value, f"ward.{name}", "text of one")
          for name in ("name_vi", "name_en", "authority_vi", "place") for value in ("", " ", None, 3)),
        ("ward/name_vi", "a\nb", "ward.name_vi", "one line"),
        *(("ward/currency", value, "ward.currency", "ISO 4217")
          for value in ("", "vnd", "VNX", "đồng", None)),
        ("title", "", "title", "neither empty nor blank"),
        ("title", " Zoo", "title", "without spaces"),
        ("licenses", [], "licenses", "at least one"),
        ("licenses/0/title", "", "licenses.1.title", "text"),
        ("sources/0/title_vi", None, "sources.1.title_vi", "text"),
        ("ward/recipients/0/valid_to", "2018-01-01", "ward.recipients.1.valid_to", "not before"),
        ("ward/recipients/0/valid_to", "2018-02-30", "ward.recipients.1.valid_to", "a day of"),
        ("ward/recipients/0/name_en", " ", "ward.recipients.1.name_en", "text"),
        ("ward/ilustrative", True, "ward.ilustrative", "one of name_vi"),
        ("ward", [], "ward", "an object"),
        ("name", "zo", "name", "the name of the folder"),
        ("resources/0/hash", "sha256:0", "resources.receipts.hash", "64"),
        *(("resources/0/bytes", value, "resources.receipts.bytes", "whole number")
          for value in (-1, 1.5, True, "1")),
        ("resources/0/accepted_on", "2026-02-30", "resources.receipts.accepted_on", "day"),
        ("resources/0/accepted_on", "20260201", "resources.receipts.accepted_on", "day"),
        ("resources/0/area", ["VN"], "resources.receipts.area", "code of an area"),
        *(("resources/0/path", value, "resources.receipts.path", "plain name")
          for value in ("../x.csv", "/x.csv", "a/x.csv", ".x.csv", "-x.csv", "", "x.txt", "..",
                        "a\\x.csv", "datapackage.json", ["receipts.csv"], "http://a/x.csv")),
        ("resources/1/path", "Receipts.csv", "resources.lines.path", "each path once"),
        ("resources/0/name", "lines", "resources.2.name", "each name once"),
        ("resources/0/encoding", "latin-1", "resources.receipts.encoding", "utf-8"),
        ("resources/0/schema", "schema.json", "resources.receipts.schema", "an object"),
        ("resources/0", 3, "resources.1", "describes a table"),
        (f"{RECEIPTS}/fields", [], "resources.receipts.schema.fields", "at least one"),
        (f"{RECEIPTS}/primaryKey", "months", "resources.receipts.schema.primaryKey", "one of month"),
        (f"{RECEIPTS}/primaryKey", [], "resources.receipts.schema.primaryKey", "a list"),
        (f"{RECEIPTS}/primaryKey", ["line", "line"], "resources.receipts.schema.primaryKey", "different"),
        (f"{LINES}/primaryKey", "x", "resources.lines.schema.primaryKey", "one of code"),
        (f"{RECEIPTS}/missingValues", ["-"], "resources.receipts.schema.missingValues", "empty cell"),
        (f"{TAGS}/name", "month", "resources.receipts.schema.fields.5.name", "each name once"),
        (f"{TAGS}/name", "", "resources.receipts.schema.fields.5.name", "text"),
        (f"{LINE}/type", "money", "resources.receipts.schema.fields.line.type", "one of string"),
        (f"{LINE}/type", ["string"], "resources.receipts.schema.fields.line.type", "one of string"),
        *((f"{TAGS}/codes", value, "resources.receipts.schema.fields.tags.codes", "table.column")
          for value in ("lines", "x.code", "lines.x", ["lines.code", "x.code"], [], 3,
                        ["lines.code", "lines.code"])),
        (f"{LINE}/delimiter", ";", "resources.receipts.schema.fields.line.delimiter", "type list"),
        *((f"{RECEIPTS}/fields/4/delimiter", value, "resources.receipts.schema.fields.tags.delimiter", "one sign")
          for value in ("", ";;", '"', "\n", "a", " ", None)),
        *((f"{RECEIPTS}/fields/3/at_most", value, "resources.receipts.schema.fields.kept.at_most", "")
          for value in ("x", "kept", "line", None)),
    ],
)  # fmt: skip
def test_each_fault_of_a_descriptor_is_found_in_its_place(zoo, path, value, column, part):
    """One fault, one problem or more, each with the line and the path that a person can follow."""
    folder = zoo(put(path, value))
    problems = found()
    assert {problem.column for problem in problems} == {column}
    assert {problem.file for problem in problems} == {"data/zoo/datapackage.json"}
    assert any(part in problem.expected for problem in problems), problems
    if not column.endswith(".codes") or "list" in problems[0].expected:
        key = f'"{path.rpartition("/")[2]}"'
        lines = (folder / "datapackage.json").read_text().splitlines()
        assert all(problem.row for problem in problems)
        assert not key[1:-1].isalpha() or any(key in lines[p.row - 1] for p in problems)


@pytest.mark.parametrize(
    ("field", "name", "value"),
    [
        *((1, "pattern", value) for value in
          ("[", "", 3, "(a)\\1", "a(?=b)", "a(?<!b)", "x" * 501, "a{99}{99}", "a**", "(" * 240, "\\")),
        *((1, "enum", value) for value in ([], "ab", ["a", "a"], [""], [1], None)),
        *((2, name, value) for name in ("minimum", "maximum")
          for value in ("0", None, True, 0.5, 10**19, 10**400, float("nan"), float("inf"))),
        (2, "minimum", 10),
        *((2, "required", value) for value in ("yes", None, 1)),
        (2, "pattern", "a"), (2, "enum", ["1"]), (1, "minimum", 1), (0, "maximum", 3),
        (1, "unique", "no"), (1, "minLength", 3), (1, "requried", True),
    ],
)  # fmt: skip
def test_a_constraint_that_cannot_be_held_is_refused(zoo, field, name, value):
    """Unknown ones, those of another type, bounds that are none, patterns that are wrong."""

    def change(raw):
        limits = raw["resources"][0]["schema"]["fields"][field]["constraints"]
        limits |= {name: value} | ({"minimum": 10} if (name, value) == ("maximum", -1) else {})

    zoo(change)
    begin = time.monotonic()
    problems = found()
    assert time.monotonic() - begin < 2
    column = ("month", "line", "collected")[field]
    place = f"resources.receipts.schema.fields.{column}.constraints."
    columns = {problem.column.removeprefix(place).partition(".")[0] for problem in problems}
    assert columns <= {name, "maximum"}
    assert all(problem.row > 1 for problem in problems)


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^[A-Z]{2}(-[A-Za-z0-9]+)*$", "VN" + "-HN" * 600, "VN" + "-HN" * 600 + "!"),
        ("(a+)+", "a" * 2000, "a" * 1999 + "b"),
        ("^(a|aa)*$", "a" * 2000, "a" * 1999 + "b"),
        ("(a?){500}a{500}", "a" * 500, "a" * 400),
        ("[^a]*a\\w?", "b" * 1999 + "a", "b" * 2000),
    ],
)
def test_no_pattern_makes_a_check_slow(zoo, pattern, good, bad):
    """Those too for which Python's own expressions would need years: the table is read in no time."""
    zoo(put(f"{LINE}/constraints", {"required": True, "pattern": pattern}))
    table = descriptors.ward("zoo").tables["receipts"]
    (column,) = (field for field in table.fields if field.name == "line")
    begin = time.monotonic()
    assert not cells.faulty(dataclasses.replace(table, fields=(column,)), written(good), None)
    assert cells.faulty(dataclasses.replace(table, fields=(column,)), written(bad), None)
    assert time.monotonic() - begin < 2


def written(text):
    """The cells of a table with one column, `line`, and one row."""
    return cells.Cells([2], {"line": (text,)})


@pytest.mark.parametrize(
    ("change", "column", "part"),
    [
        (lambda fields: fields.pop(0), "", "no month"),
        (lambda fields: fields[2].update(type="number"), "collected.type", '"number"'),
        (lambda fields: fields[3].pop("constraints"), "kept.constraints.required", "no such"),
        (lambda fields: fields[3]["constraints"].update(required=False),
         "kept.constraints.required", "false"),
        (lambda fields: fields[5]["constraints"].pop("enum"), "status.constraints.enum", "no such"),
        (lambda fields: fields[5]["constraints"].update(enum=["actual", "guess"]),
         "status.constraints.enum", "guess"),
    ],
)  # fmt: skip
def test_a_table_that_is_asked_for_by_name_has_its_columns(zoo, change, column, part):
    """With the types, the cells and the words that the pages count on; else a page would fail."""
    zoo(lambda raw: change(raw["resources"][0]["schema"]["fields"]))
    place = f"resources.receipts.schema.fields.{column}".rstrip(".")
    assert any((p.column, part in p.found) == (place, True) for p in found())


@pytest.mark.parametrize("key", [[], "month", ["month", "line"]])
def test_a_table_of_reports_has_a_key(zoo, key):
    """Without one each file would be one figure, of which the newest report alone is read."""
    zoo(lambda raw: raw["resources"][0]["schema"].update(primaryKey=key))
    assert {problem.column for problem in found()} == {"resources.receipts.schema.primaryKey"}
    zoo(lambda raw: raw["resources"][0]["schema"].pop("primaryKey"))
    assert {problem.column for problem in found()} == {"resources.receipts.schema.primaryKey"}


@pytest.mark.parametrize(
    "key",
    [
        ["month", "line", "collected", "reported_on"],
        ["month", "reported_on"],
        ["month", "line", "status"],
    ],
)
def test_a_known_table_has_its_own_key(zoo, key):
    """With a column more a correction would count beside what it corrects, with one less it would be lost."""
    zoo(put(f"{RECEIPTS}/primaryKey", key))
    problem = found()[-1]
    assert problem.column == "resources.receipts.schema.primaryKey"
    assert (
        problem.expected == '["month", "line", "reported_on"]' or "reported_on" in problem.expected
    )


@pytest.mark.parametrize("codes", [None, "lines.code", ["revenue_lines.code", "lines.code"]])
def test_a_known_column_has_its_lists_of_codes(zoo, codes):
    """Without them, or with others, a misspelt code would pass."""

    def change(raw):
        field = raw["resources"][0]["schema"]["fields"][1]
        field.pop("codes")
        field.update({"codes": codes} if codes else {})

    zoo(change)
    (problem,) = found()
    assert problem.column == "resources.receipts.schema.fields.line.codes"
    assert problem.expected == '["revenue_lines.code"]'
    assert problem.row > 1


@pytest.mark.parametrize(
    ("field", "column", "part"),
    [
        ({"unit": "persons", "type": "number"}, "type", "integer"),
        ({"unit": "persons", "type": "date"}, "type", "integer"),
        ({"unit": "người", "type": "integer"}, "unit", "persons"),
        ({"unit": "Person", "type": "integer"}, "unit", "persons"),
        ({"name": "code", "unit": "persons", "type": "integer"}, "unit", "another column"),
        ({"name": "parent", "unit": "persons", "type": "integer"}, "", "no column parent_hidden"),
        ({"unit": "USD", "type": "integer"}, "unit", "VND"),
    ],
)
def test_a_count_of_persons_is_one_and_an_amount_is_in_the_ward_s_currency(
    zoo, field, column, part
):
    """So that small ones are hidden: in the unit persons, whole, in no key, with room for the mark."""

    def change(raw):
        fields = raw["resources"][1]["schema"]["fields"]
        fields[0 if field.get("name") == "code" else 1].update({"name": "parent"} | field)
        raw["resources"][0]["schema"]["fields"][4].pop("codes")
        fields.append({"name": "parent_hidden", "type": "boolean"})

    zoo(change)
    wanted = [p for p in found() if part in p.expected]
    assert len(wanted) == 1
    assert wanted[0].column.endswith(column)


def test_the_shipped_tables_are_those_that_are_asked_for():
    """`tables.json` says of each what its descriptor says: no table, key, column or list is missing."""
    known = json.loads((Path(profile.__file__).parent / "tables.json").read_text("utf-8"))
    for name in ("phuc-dong", "philadelphia"):
        ward = descriptors.ward(name)
        for table in (*ward.tables.values(), *ward.reference.tables.values()):
            columns = known[table.name]["columns"]
            assert columns.keys() <= set(table.columns) <= {*columns, "note"}
            assert known[table.name]["key"] == list(table.primary_key)
            lists = {
                f.name: sorted(".".join(code) for code in f.codes) for f in table.fields if f.codes
            }
            lists.pop("measures", None)  # Philadelphia has no table of measures
            wanted = {n: sorted(own["codes"]) for n, own in columns.items() if "codes" in own}
            assert lists == wanted


@pytest.mark.parametrize(
    ("text", "row", "part"),
    [
        ("{", 1, "JSON"),
        ('{\n"title": "x",\n}', 3, "JSON"),
        ("[]", 1, "an object"),
        ("3", 1, "an object"),
        ('{"title":\n"a\x00"}', 2, "UTF-8"),
        (b'{"title":\n"Ph\xfac"}', 2, "UTF-8"),
        ('{"title":\n"x\x1b"}', 2, "JSON"),
        ('{"x": ' + "[" * 30 + "]" * 30 + "}", 1, "the shape of a descriptor"),
        ('{"x": ' + "[" * 100_000 + "]" * 100_000 + "}", 0, "the shape of a descriptor"),
        ("[" * 100_000, 0, "the shape of a descriptor"),
        ('{\n"x": ' + "9" * 100_000 + "}", 2, "a number"),
        ('{\n"x": 1e999}', 2, "a number"),
        ('{"resources": [' + ",".join("1" * 600_000) + "]}", 1, "a descriptor of tables"),
        (
            "{" + ",".join(f'"k{at}": 1, "k{at}": 2' for at in range(150_000)) + "}",
            1,
            "each key once",
        ),
        ('{"x": "' + "x" * 5_000_000 + '"}', 0, "at most 5,000,000 bytes"),
    ],
    ids=range(15),
)
def test_a_text_that_is_no_descriptor_is_named(zoo, text, row, part):
    """No JSON, no object, no text, too deep or too long: said at once, with the line."""
    zoo(text)
    begin = time.monotonic()
    problems = found()
    assert time.monotonic() - begin < 5
    assert any((p.row, part) == (row, p.expected[: len(part)]) for p in problems), problems


def test_a_mark_of_the_encoding_is_no_fault(zoo):
    """Office programs write one before UTF-8."""
    zoo(b"\xef\xbb\xbf" + json.dumps(WARD).encode())
    assert descriptors.ward("zoo").title == "Zoo"


def test_every_key_that_stands_twice_is_named(zoo):
    """At the second's line, wherever it stands; the last of two would take the mark off every page."""
    text = json.dumps(WARD, indent=1)
    text = text.replace('"illustrative": true', '"illustrative": true,\n"illustrative": false')
    text = text.replace('"name": "tags"', '"name": "tags",\n"name": "given"')
    text = text[:-1] + ',\n"sources":\n[{"title": "x", "title_vi": "x"}]}'
    zoo(text)
    lines = text.splitlines()
    problems = found()
    assert {problem.column: lines[problem.row - 1].strip() for problem in problems} == {
        "ward.illustrative": '"illustrative": false,',
        "sources": '"sources":',
        "resources.receipts.schema.fields.given.name": '"name": "given",',
    }
    assert all("a key that stands in line" in problem.found for problem in problems)


def test_all_faults_of_all_descriptors_are_told_at_once(zoo):
    """Of the ward and of the reference, of other wards too."""
    folder = zoo(lambda raw: raw["ward"].update(illustrative=None, areas=[], currency=""))
    other = folder.parent / "bo"
    other.mkdir()
    (other / "datapackage.json").write_text("{")
    reference = folder.parent / "reference" / "datapackage.json"
    reference.write_text(json.dumps(REFERENCE | {"title": ""}))
    wards, problems = descriptors.wards(["zoo", "bo"])
    assert wards == []
    assert [(problem.file.split("/")[1], problem.column) for problem in problems] == [
        ("bo", ""), ("reference", "title"),
        ("zoo", "ward.areas"), ("zoo", "ward.currency"), ("zoo", "ward.illustrative"),
    ]  # fmt: skip


@pytest.mark.parametrize("sign", ["\x1b", "\x00", "\x85", "\u200b", "\u202e", "\u2066", "\ufeff", "\ud800",
                                  "\u2028", "\u00ad", "\u3164", "\U000e0041"])  # fmt: skip
@pytest.mark.parametrize("path", ["title", "ward/place", f"{LINE}/unit", "resources/0/description"])
def test_signs_that_nobody_sees_are_refused(zoo, path, sign):
    """Control signs, those without width or of direction, half a sign; the message shows them."""
    zoo(put(path, f"a{sign}b"))
    with pytest.raises(DataError) as caught:
        descriptors.ward("zoo")
    assert "no control sign" in str(caught.value)
    assert f"{ord(sign):x}b" in str(caught.value)
    assert sign not in str(caught.value)


def test_a_ward_has_an_object_and_the_reference_none(zoo):
    """Each the other way round is a fault."""
    folder = zoo(lambda raw: raw.pop("ward"))
    reference = folder.parent / "reference" / "datapackage.json"
    reference.write_text(json.dumps(REFERENCE | {"ward": WARD["ward"]}))
    assert [(p.file, p.column) for p in found()] == [
        ("data/reference/datapackage.json", "ward"), ("data/zoo/datapackage.json", "ward"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["all", "Zoo", "zoo 1", "-zoo", "zoo\n", "zoo.", "phường", "z\x1b[31mo", "a--b"]
)
def test_a_folder_with_a_name_of_its_own_meaning_is_no_ward(zoo, name):
    """Reserved words, options, capitals, spaces, signs: refused with the folder's name."""
    folder = zoo(put("name", name)).rename(Path(os.environ["WARDLIB_HOME"], "data", name))
    assert folder.name in descriptors.names()
    assert {problem.column for problem in found(name)} == {"name"}


def test_a_folder_without_a_descriptor_is_said_to_have_none(zoo):
    """It is not said that there is no ward; nor of one that is a folder itself, or a link to nowhere."""
    folder = zoo()
    file = folder / "datapackage.json"
    file.unlink()
    assert descriptors.names() == ["zoo"], "it has tables"
    (problem,) = found()
    assert (problem.file, problem.found) == (
        "data/zoo/datapackage.json",
        "No such file or directory",
    )
    file.mkdir()
    assert descriptors.names() == ["zoo"]
    assert found()[0].found == "a folder"
    file.rmdir()
    file.symlink_to(folder / "nothing.json")
    assert "No such file" in found()[0].found
    file.unlink()
    file.symlink_to(file)
    assert found()[0].found == "a link that leads to itself"


@pytest.mark.parametrize("name", ["datapackage.json", "receipts.csv"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "socket", "device", "link"])
def test_what_is_no_file_of_the_folder_is_refused_unopened(zoo, name, kind, tmp_path):
    """A pipe, a folder, a socket, a device, a link out of the folder, in place of a table or a descriptor:
    the command ends with a word."""
    folder = zoo()
    path = folder / name
    moved = path.rename(tmp_path / "elsewhere")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made, contextlib.chdir(folder):
            made.bind(name)
    else:
        path.symlink_to("/dev/null" if kind == "device" else moved)
    done = command("check")
    assert done.returncode == 2
    assert f"data/zoo/{name}" in done.stderr
    said = {"pipe": "a named pipe", "folder": "a folder", "socket": "a socket"}
    assert said.get(kind, "a link that leads out of the folder") in done.stderr


def test_a_link_inside_the_folder_is_followed(zoo):
    """So is a folder that is a link itself: the ward's data may lie elsewhere as a whole."""
    folder = zoo()
    (folder / "receipts.csv").rename(folder / "r.csv")
    (folder / "receipts.csv").symlink_to("r.csv")
    folder.rename(folder.parent.parent / "zoo")
    folder.symlink_to(folder.parent.parent / "zoo")
    assert descriptors.ward("zoo").id == "zoo"


def command(*words, **env):
    """What the command says, started anew, without the rights that root has over all files."""

    def without_rights():
        drop, override, search = 24, 1, 2  # of Linux's prctl and its capabilities
        for right in (override, search):
            ctypes.CDLL(None).prctl(drop, right, 0, 0, 0)

    code = "import sys; sys.argv[0] = 'ward'; from wardlib.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        env=os.environ | env, capture_output=True, text=True, timeout=60, cwd="/",
        preexec_fn=without_rights if sys.platform == "linux" else None,
    )  # fmt: skip


@pytest.mark.parametrize("closed", ["datapackage.json", ""])
def test_a_descriptor_without_the_right_to_read_it_is_said_so(zoo, closed):
    """The file or its folder: a message with what to do, and the ward is still known."""
    path = zoo() / closed
    path.chmod(0)
    try:
        for words in (("list",), ("check",), ("run", "2020", "--ward", "zoo")):
            done = command(*words)
            assert done.returncode == 2, done.stderr
            assert "Permission denied" in done.stderr
            assert "data/zoo/datapackage.json" in done.stderr
            assert "the right to read" in done.stderr
            assert "Traceback" not in done.stderr
            assert "there is no ward" not in done.stderr
    finally:
        path.chmod(0o755)


def test_list_and_check_and_run_go_on_past_a_broken_ward(home):
    """`ward list` lists the sound ones, `ward check` finds the faults of their tables too, `ward run --ward
    all` names every broken one before it starts."""
    for name in ("an", "bo"):
        (home / "data" / name).mkdir()
        (home / "data" / name / "datapackage.json").write_text("{")
    (home / "data" / "phuc-dong" / "schools.csv").unlink()
    done = command("list")
    assert done.returncode == 2
    assert "philadelphia: City of Philadelphia" in done.stdout
    assert "phuc-dong: " in done.stdout
    assert "notebook 90-briefing" in done.stdout
    for words in (("check",), ("list",), ("run", "2020", "--ward", "all")):
        said = command(*words).stderr
        assert said.count("datapackage.json, row 1\n") == 2, said
        assert ("schools.csv" in said) == (words == ("check",))
    assert "problem" not in command("check", "--ward", "philadelphia").stderr


HOSTILE = "\x1b]0;owned\x07\x1b[31m\u202e\u200b\x9b\r"


def test_the_terminal_obeys_nothing_of_data(home, accept):
    """Titles, names of folders and files, heads, keys and cells: signs that it would obey or hide are
    printed as escapes, by every command, on every stream."""
    data = home / "data"
    path = data / "phuc-dong" / "schools.csv"
    head, first, *rest = path.read_text("utf-8").splitlines()
    hostile = HOSTILE.replace("\r", "")
    path.write_text("\n".join([head + hostile, first + hostile, *rest]), "utf-8")
    keyed = data / "phuc-dong" / "targets.csv"
    lines = keyed.read_text("utf-8").splitlines()
    cells = lines[1].split(",")
    cells[1] += hostile
    keyed.write_text("\n".join([*lines, ",".join(cells), ",".join(cells)]) + "\n", "utf-8")
    for name in (f"x{HOSTILE}\n", "bo"):
        (data / name).mkdir()
        raw = WARD | {"title": f"t{HOSTILE}\ud800", HOSTILE: 1, "name": name}
        (data / name / "datapackage.json").write_text(json.dumps(raw))
    (home / "notebooks" / f"99{HOSTILE}.ipynb").write_text("{}")
    for words in (
        ("list",),
        ("check",),
        ("run", "2020", "--ward", "all"),
        ("run", "2020", "--ward", "no"),
    ):
        done = command(*words)
        assert done.returncode == 2
        for said in (done.stdout, done.stderr):
            assert not [
                sign for sign in (*HOSTILE, "\ud800") if sign in said and not sign.isprintable()
            ], said
        assert "\\x1b" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


def test_the_terminal_obeys_nothing_of_a_cell_that_fails(home):
    """The error of a job, in the table of what failed and on its line."""
    path = home / "notebooks" / "30-targets.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    (cell,) = [cell for cell in notebook["cells"] if cell["id"] == "setup"]
    cell["source"] = [f"raise ValueError({HOSTILE!a})"]
    path.write_text(json.dumps(notebook), "utf-8")
    done = command("run", "2020-09", "--notebook", "30-targets", "--workers", "1")
    assert done.returncode == 1, done.stderr
    assert "FAILED" in done.stdout
    assert "\\x1b]0;owned" in done.stderr, done.stderr
    assert not [
        sign for sign in HOSTILE if sign in done.stdout + done.stderr and not sign.isprintable()
    ]


def test_a_terminal_without_the_letters_gets_their_numbers(zoo):
    """In an old encoding the command still answers."""
    zoo(put("title", "Vườn"))
    done = command("list", PYTHONIOENCODING="latin-1:strict")
    assert "zoo: V\\u01b0\\u1eddn (illustrative); receipts" in done.stdout


def test_importing_descriptors_loads_no_validator():
    """What holds a descriptor against its schema is loaded with the first one."""
    code = "import sys, wardlib.data.descriptors; print('fastjsonschema' in sys.modules, 'pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_an_unknown_ward_is_refused_with_the_known_ones(home):
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
    shared = json.loads(
        (home / "data" / "reference" / "datapackage.json").read_text(encoding="utf-8")
    )
    tet = next(resource for resource in shared["resources"] if resource["name"] == "tet")
    raw["resources"].append(tet | {"area": "US"})
    path.write_text(json.dumps(raw), encoding="utf-8")
    assert descriptors.ward("philadelphia").table("tet").area == "US"


def test_a_name_of_a_sign_that_nobody_sees_is_none(zoo):
    """It looks empty."""
    zoo(put("ward/name_vi", "\ufe0f"))
    assert [problem.column for problem in found()] == ["ward.name_vi"]


@pytest.mark.parametrize("path", ["ward/name_vi", "title", f"{LINE}/description"])
def test_texts_are_composed(zoo, path):
    """Decomposed letters are other letters to whoever searches or sorts."""
    zoo(put(path, "Phu\u0301c"))
    (problem,) = found()
    assert (problem.column.rpartition(".")[2], problem.row > 1) == (path.rpartition("/")[2], True)
    assert "NFC" in problem.expected
    assert "u\\u0301" in problem.found


def test_how_many_more_faults_there_are_is_said_last(zoo):
    """After those that are told."""
    zoo(lambda raw: raw.update(keywords=[""] * 5000))
    problems = found()
    assert "4,800 more faults" in problems[-1].found
    assert not any("more" in problem.found for problem in problems[:-1])


def test_a_ward_that_lost_its_descriptor_is_not_passed_over(zoo):
    """A folder with tables, with what was accepted of them, or a link to nowhere: each command that goes
    through all wards names the file; empty folders, hidden ones and those of other things are none."""
    data = zoo().parent
    (data / "an" / ".accepted").mkdir(parents=True)
    (data / "bo").mkdir()
    (data / "bo" / "X.CSV").touch()
    (data / "co").symlink_to(data / "elsewhere")
    for other in ("empty", ".hidden", "notes"):
        (data / other).mkdir()
        (data / other / ("x.md" if other == "notes" else ".x")).touch()
    (data / ".hidden" / "x.csv").touch()
    (data / "x.csv").touch()
    assert descriptors.names() == ["an", "bo", "co", "zoo"]
    for words in (("list",), ("check",), ("run", "2020", "--ward", "all")):
        done = command(*words)
        assert done.returncode == 2
        for name in ("an", "bo", "co"):
            assert f"data/{name}/datapackage.json\n    found: No such file" in done.stderr


@pytest.mark.parametrize("folder", ["Reference", "ALL", "Zoo"])
@pytest.mark.parametrize("own", [True, False])
def test_a_name_in_other_capitals_is_a_fault(zoo, folder, own):
    """That of the reference, of all wards, of another ward: some systems hold them for the same."""
    data = zoo().parent
    (data / folder).mkdir()
    raw = WARD | {"name": folder if own else folder.lower()}
    (data / folder / "datapackage.json").write_text(json.dumps(raw))
    for words in (("list",), ("check",), ("run", "2020", "--ward", "all")):
        done = command(*words)
        assert done.returncode == 2
        assert f"data/{folder}/datapackage.json, row 1, column name" in done.stderr


@pytest.mark.parametrize("mode", [0, 0o444])
@pytest.mark.parametrize("closed", [".", "data", "notebooks"])
def test_a_workbook_without_the_right_to_read_it_is_said_so(zoo, closed, mode):
    """Its folder, that of the data or of the notebooks: a message with what to do, no traceback."""
    path = zoo().parent.parent / closed
    path.chmod(mode)
    try:
        for words in (("list",), ("check",), ("run", "2020"), ("run", "2020", "--ward", "zoo")):
            if closed == "notebooks" and (mode or words == ("check",)):
                continue
            done = command(*words)
            assert done.returncode == 2, done.stderr
            assert "Permission denied" in done.stderr
            assert "give whoever runs this the right to read" in done.stderr.casefold()
            assert "Traceback" not in done.stderr
    finally:
        path.chmod(0o755)
