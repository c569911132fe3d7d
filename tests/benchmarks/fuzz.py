"""Descriptors and tables damaged at random: what the check says of them; prints a table by kind of damage.

    python tests/benchmarks/fuzz.py [--cases 10000] [--seed 1]
    python tests/benchmarks/fuzz.py --seed 1 --case 123     one case alone, with all that was said

Both wards and the reference of the workbook (`WARDLIB_HOME`, or that of the working folder) are copied with the rows of two years (every table, so that every rule has
something to look at), which pass. A case is one damage at one place of one file, both drawn at random;
the ward is then loaded and checked in process, one case in fifty by the `ward` command too. A kind of
damage says what has to follow:

    seen    a rule can see it: it is to be refused, with file, and row and column where it has such
    lawful  it means the same as before: it is to pass, and the ward to be loaded as before
    free    no rule can tell it from what is right: it may pass

Whatever the kind: no traceback, no hang, every refusal located, and no control sequence of the data on
a terminal. Exit code 1 where any of this does not hold. Recorded hashes are held against the files only
where a row is lost or the descriptor itself is damaged, for they would refuse anything else.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import csv
import datetime
import inspect
import io
import json
import math
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pandas as pd
from report import markdown

from wardlib import cli
from wardlib.data import checks, descriptors
from wardlib.errors import DataError, WardError
from wardlib.provenance import digest_bytes

ROOT = descriptors.home()
PACKAGES = ("phuc-dong", "philadelphia", "reference")
YEARS = ("2020", "2021")  # of the tables of figures; the others are whole
SECONDS = 8  # a case in process takes some hundredths of one
TODAY = datetime.date(2026, 12, 31)  # the day on which files are accepted
TYPES = ("string", "integer", "number", "boolean", "date", "yearmonth", "list")
SEEN, LAWFUL, FREE = "seen", "lawful", "free"
# What comes of a case; from the third on it is a failure.
OUTCOMES = (
    "refused", "passed", "passed silently", "refused though lawful", "traceback", "hang",
    "not located", "control sequence",
)  # fmt: skip
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

# ------------------------------------------------------------------------------------- the workbook


@dataclass
class Sheet:
    """A table as it is written in the copy, and what the descriptor says of it."""

    package: str
    resource: dict[str, Any]
    header: list[str]
    rows: list[list[str]]

    @property
    def name(self) -> str:
        return self.resource["name"]

    @property
    def file(self) -> str:
        return f"data/{self.package}/{self.resource['path']}"

    @property
    def fields(self) -> dict[str, dict[str, Any]]:
        return {one["name"]: one for one in self.resource["schema"]["fields"]}

    def at(self, column: str) -> int:
        return self.header.index(column)

    def cell(self, row: int, column: str) -> str:
        return self.rows[row][self.at(column)]

    def bytes(self, changes: dict[tuple[int, str], str] | None = None) -> bytes:
        """The file, with other texts in some cells."""
        rows = [self.header, *self.rows]
        for (row, column), text in (changes or {}).items():
            rows[row + 1] = list(rows[row + 1])
            rows[row + 1][self.at(column)] = text
        return written(rows)


def written(rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode("utf-8", "surrogatepass")


@dataclass
class Workbook:
    """The copy in memory: each file's bytes, each table, each descriptor."""

    files: dict[str, bytes]
    sheets: list[Sheet]
    described: dict[str, dict[str, Any]]

    def sheet(self, package: str, name: str) -> Sheet:
        return next(s for s in self.sheets if (s.package, s.name) == (package, name))


def workbook() -> Workbook:
    """Both wards and the reference, cut to some years, with the hashes of what is left."""
    book = Workbook({}, [], {})
    for package in PACKAGES:
        described = json.loads((ROOT / "data" / package / "datapackage.json").read_text("utf-8"))
        for resource in described["resources"]:
            text = (ROOT / "data" / package / resource["path"]).read_text("utf-8")
            header, *rows = csv.reader(io.StringIO(text, newline=""))
            for column in ("month", "year"):
                if column in header and package != "reference":
                    at = header.index(column)
                    rows = [row for row in rows if row[at][:4] in YEARS]
            sheet = Sheet(package, resource, header, rows)
            assert not any("\n" in cell for row in rows for cell in row)  # a row is a line
            data = book.files[sheet.file] = sheet.bytes()
            resource["hash"] = digest_bytes(data)
            if "bytes" in resource:
                resource["bytes"] = len(data)
            book.sheets.append(sheet)
        book.described[package] = described
        book.files[descriptor(package)] = plain(described)
    return book


def descriptor(package: str) -> str:
    return f"data/{package}/datapackage.json"


class Key(str):
    """A key that differs from another of the same name: so a name stands twice in an object."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


@dataclass(frozen=True)
class Raw:
    """JSON that `json` does not write, as text."""

    text: str


def plain(described: Any, indent: int | None = 2) -> bytes:
    """A descriptor as JSON."""
    raws: list[str] = []

    def mark(value: object) -> str:
        assert isinstance(value, Raw)
        raws.append(value.text)
        return f"@raw{len(raws) - 1}@"

    text = json.dumps(described, ensure_ascii=False, indent=indent, default=mark)
    for at, raw in enumerate(raws):
        text = text.replace(f'"@raw{at}@"', raw)
    if re.search("[\ud800-\udfff]", text):  # half a pair can stand in UTF-8 only as an escape
        text = re.sub("[\ud800-\udfff]", lambda half: f"\\u{ord(half[0]):04x}", text)
    return (text + "\n").encode()


def restore(home: Path, book: Workbook) -> None:
    """The copy as it was, whatever stands there."""
    shutil.rmtree(home / "data", ignore_errors=True)
    for file, data in book.files.items():
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        (home / file).write_bytes(data)


# ------------------------------------------------------------------------------------------ damages


@dataclass(frozen=True)
class Damage:
    """What is done to one file, and what has to follow.

    `act`: the bytes written in its place, or what is done with its path. `where`: how a refusal has
    to be located: "cell" (file, row, column), "row", "file", "property" (the file, and a row or the
    name `column`), "any" (some place of the workbook). `same`: if it passes, the ward is loaded as before.
    """

    file: str
    verdict: str
    act: bytes | Callable[[Path], None]
    where: str = "file"
    row: int = 0
    last: int = 0  # the line on which the row ends, where it has several
    column: str = ""
    note: str = ""
    hashes: bool = False
    same: bool = False
    ward: str = ""  # the name to ask for, where it is not that of the file
    unprivileged: bool = False
    kind: str = field(default="", compare=False)


Maker = Callable[[random.Random, Workbook], Damage]
KINDS: dict[str, Maker] = {}
RARE: set[str] = set()  # kinds that take seconds where they are not defended against


class Elsewhere(Exception):  # noqa: N818 - no error
    """The kind of damage has no such place: another is drawn."""


def kind(name: str, *, rare: bool = False) -> Callable[[Maker], Maker]:
    def put(maker: Maker) -> Maker:
        KINDS[name] = maker
        if rare:
            RARE.add(name)
        return maker

    return put


def any_sheet(chance: random.Random, book: Workbook) -> Sheet:
    return chance.choice([s for s in book.sheets if s.rows])


Holds = Callable[[Sheet, dict[str, Any]], object]


def place(
    chance: random.Random, book: Workbook, holds: Holds, *, filled: bool = True
) -> tuple[Sheet, dict[str, Any], int]:
    """A cell (table, field, row) of a column of which `holds` is true."""
    sheet = any_sheet(chance, book)
    columns = [one for one in sheet.fields.values() if holds(sheet, one)]
    if not columns:
        raise Elsewhere
    column = chance.choice(columns)
    rows = [at for at in range(len(sheet.rows)) if not filled or sheet.cell(at, column["name"])]
    if not rows:
        raise Elsewhere
    return sheet, column, chance.choice(rows)


def in_cell(
    sheet: Sheet, row: int, column: str, text: str, verdict: str, where: str = "cell"
) -> Damage:
    if text == sheet.cell(row, column):
        raise Elsewhere
    data = sheet.bytes({(row, column): text})
    where = where if verdict == SEEN else "any"
    last = row + 2 + text.count("\n")
    return Damage(sheet.file, verdict, data, where, row + 2, last, column, repr(text[:80]))


def limits(column: dict[str, Any]) -> dict[str, Any]:
    return column.get("constraints", {})


def is_number(_: Sheet, column: dict[str, Any]) -> bool:
    return column["type"] in ("integer", "number")


def is_text(sheet: Sheet, column: dict[str, Any]) -> bool:
    """Whether a column holds words for readers."""
    loose = column["type"] == "string" and not {"enum", "pattern", "unique"} & limits(column).keys()
    return loose and not is_code(sheet, column) and column["name"] not in NAMES_OF_THEIR_OWN


# Columns whose values are no words and stand in no list: other ones are as good.
NAMES_OF_THEIR_OWN = {"phase", "document", "unit", "place", "body", "measure", "grades", "item"}
# Codes that stand in a list, beside those of the columns with `codes` or `enum`.
LISTED = {"area", "sectors", "levels", "subject", "due_months"}
LISTED_ITEMS = {("targets", "line"), ("published", "item"), ("owners", "item")}


def is_code(sheet: Sheet, column: dict[str, Any]) -> bool:
    """Whether a column holds codes of a list."""
    name = column["name"]
    declared = "codes" in column or "enum" in limits(column)
    return declared or name in LISTED or (sheet.name, name) in LISTED_ITEMS


def is_code_or_id(sheet: Sheet, column: dict[str, Any]) -> bool:
    return is_code(sheet, column) or bool(limits(column).get("unique"))


def item(chance: random.Random, column: dict[str, Any], text: str) -> tuple[str, str, str]:
    """What stands before a code of a cell, the code, and what stands after it."""
    if column["type"] != "list":
        return "", text, ""
    parts = text.split(column["delimiter"])
    at = chance.randrange(len(parts))
    join = column["delimiter"].join
    before, after = join([*parts[:at], ""]), join(["", *parts[at + 1 :]])
    return before, parts[at], after


# ---- numbers

WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
BAD_DIGITS: tuple[Callable[[str], str], ...] = (
    lambda t: t.translate(WIDE) if any(c.isdigit() for c in t) else "１",
    lambda t: t.translate(ARABIC) if any(c.isdigit() for c in t) else "٣",
    lambda t: t[:-1] + "O", lambda t: "l" + t[1:], lambda t: t + "x", lambda t: "0x1F",
    lambda t: "1e9", lambda t: t + "e0", lambda t: "1_000", lambda t: "½", lambda t: "²",
    lambda t: "NaN", lambda t: "nan", lambda t: "inf", lambda t: "-inf", lambda t: "Infinity",
    lambda t: "None", lambda t: "-", lambda t: "n/a", lambda t: "…", lambda t: "=1+1", lambda t: "#REF!",
)  # fmt: skip
BAD_SIGNS: tuple[Callable[[str], str], ...] = (
    lambda t: "+" + t, lambda t: "--" + t, lambda t: "−" + t.lstrip("-"),
    lambda t: "(" + t + ")", lambda t: t + "-", lambda t: "- " + t, lambda t: "%" + t, lambda t: t + "%",
    lambda t: t + " VND",
)  # fmt: skip
BAD_FORMS: tuple[Callable[[str], str], ...] = (
    lambda t: "1.234.567", lambda t: "1,234", lambda t: "1,234,567.0", lambda t: "1.234,5",
    lambda t: "1 234", lambda t: "1\u00a0234", lambda t: "1\u202f234", lambda t: "1'234", lambda t: t + ".",
    lambda t: ".5", lambda t: t + ",0", lambda t: " " + t, lambda t: t + " ", lambda t: t + "\n",
    lambda t: "\t" + t, lambda t: t + "\u200b", lambda t: "\ufeff" + t, lambda t: t + " " + t,
)  # fmt: skip


def number_form(forms: tuple[Callable[[str], str], ...]) -> Maker:
    def make(chance: random.Random, book: Workbook) -> Damage:
        sheet, column, row = place(chance, book, is_number)
        text = chance.choice(forms)(sheet.cell(row, column["name"]))
        return in_cell(sheet, row, column["name"], text, SEEN)

    return make


kind("number: digits")(number_form(BAD_DIGITS))
kind("number: sign or unit")(number_form(BAD_SIGNS))
kind("number: separators, spaces")(number_form(BAD_FORMS))


@kind("number: decimals of a count")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, column, row = place(chance, book, lambda _, c: c["type"] == "integer")
    text = chance.choice(["1.234", "12.000", "0.5", "1.0", "2600.000"])
    return in_cell(sheet, row, column["name"], text, SEEN)


def money_targets(book: Workbook) -> tuple[Sheet, list[int]]:
    sheet = book.sheet("phuc-dong", "targets")
    lines = {row[0] for row in book.sheet("reference", "revenue_lines").rows}
    return sheet, [at for at in range(len(sheet.rows)) if sheet.cell(at, "line") in lines]


@kind("number: thousands of a plan as decimals")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, rows = money_targets(book)
    text = chance.choice(["2600.000", "1.234", "780.000", "2.470"])
    return in_cell(sheet, chance.choice(rows), "amount", text, SEEN)


@kind("number: 400 digits")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, column, row = place(chance, book, is_number)
    digits = "".join(chance.choices("123456789", k=400))
    text = chance.choice([digits, "-" + digits, "0" * 400 + "1"])
    if column["type"] == "number":
        text = digits
    return in_cell(sheet, row, column["name"], text, SEEN)


@kind("number: 10^9 persons and more")
def _(chance: random.Random, book: Workbook) -> Damage:
    """More people than any ward or city has."""
    sheet, column, row = place(chance, book, lambda _, c: c.get("unit") == "persons")
    if "held" in sheet.header and sheet.cell(row, "held") == sheet.cell(row, "held_later") == "0":
        raise Elsewhere
    text = str(10 ** chance.choice([9, 12, 17, 18, 19]))
    return in_cell(sheet, row, column["name"], text, SEEN)


@kind("number: 10^18 of a count or a plan")
def _(chance: random.Random, book: Workbook) -> Damage:
    if chance.random() < 0.3:
        sheet, rows = money_targets(book)
        return in_cell(sheet, chance.choice(rows), "amount", str(10**18), SEEN)
    sheet, column, row = place(chance, book, lambda _, c: c["type"] == "integer")
    # It may show where it does not add up: beside it, or in the row of the line above.
    where = "file" if sheet.name == "receipts" else "row"
    text = str(10 ** chance.choice([17, 18, 19]))
    return in_cell(sheet, row, column["name"], text, SEEN, where)


@kind("number: out of its range")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, column, row = place(
        chance, book, lambda _, c: is_number(_, c) and {"minimum", "maximum"} & limits(c).keys()
    )
    texts = []
    if "minimum" in limits(column):
        texts += [str(limits(column)["minimum"] - 1), str(limits(column)["minimum"] - 10**6)]
    if "maximum" in limits(column):
        texts += [str(limits(column)["maximum"] + 1), str(limits(column)["maximum"] + 10**6)]
    return in_cell(sheet, row, column["name"], chance.choice(texts), SEEN)


@kind("number: nearly as before")
def _(chance: random.Random, book: Workbook) -> Damage:
    """A figure that nothing else is the sum of."""
    names = {"pupils", "participants", "amount", "value", "pct_of_annual_estimate", "yoy_pct"}
    sheet, column, row = place(chance, book, lambda _, c: c["name"] in names)
    text = sheet.cell(row, column["name"])
    last = str((int(text[-1]) + 1) % 10)
    return in_cell(sheet, row, column["name"], text[:-1] + last, FREE)


@kind("cell emptied")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, column, row = place(chance, book, lambda *_: True)
    verdict = SEEN if limits(column).get("required") else FREE
    return in_cell(sheet, row, column["name"], "", verdict)


# ---- codes and texts


def misspelt(chance: random.Random, text: str) -> str:
    at = chance.randrange(len(text))
    ways = [
        text[:at] + text[at + 1 :],
        text[:at] + text[at] + text[at:],
        text[:at] + "q" + text[at + 1 :],
    ]
    if at + 1 < len(text):
        ways.append(text[:at] + text[at + 1] + text[at] + text[at + 2 :])
    ways += [
        text + "s",
        text.replace("_", "-") if "_" in text else text + "_x",
        text.replace("-", "_"),
    ]
    return chance.choice(ways)


def known_codes(book: Workbook, column: str) -> set[str]:
    """Whatever stands in any column of that name, and every code of a line or an indicator."""
    known = set()
    for sheet in book.sheets:
        for name in {column, "code", "school"} & set(sheet.header):
            known |= {row[sheet.at(name)] for row in sheet.rows}
    for sheet in book.sheets:
        if column in sheet.header:
            known |= set(limits(sheet.fields[column]).get("enum", ()))
    return known


@kind("code: misspelt")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, column, row = place(chance, book, is_code)
    before, code, after = item(chance, column, sheet.cell(row, column["name"]))
    wrong = misspelt(chance, code)
    if not wrong or wrong in known_codes(book, column["name"]):
        raise Elsewhere
    return in_cell(sheet, row, column["name"], before + wrong + after, SEEN)


@kind("code: other case")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, column, row = place(chance, book, is_code)
    before, code, after = item(chance, column, sheet.cell(row, column["name"]))
    text = (
        before + chance.choice([code.upper(), code.lower(), code.title(), code.swapcase()]) + after
    )
    return in_cell(sheet, row, column["name"], text, SEEN)


@kind("code: space, tab or line end at it")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, column, row = place(chance, book, is_code_or_id)
    before, code, after = item(chance, column, sheet.cell(row, column["name"]))
    space = chance.choice([" ", "\t", "\n", "\u00a0", "\u3000", "\u2009", "\r\n"])
    code = chance.choice([code + space, space + code])
    return in_cell(sheet, row, column["name"], before + code + after, SEEN)


ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
DIRECTION = "\u200e\u200f\u202a\u202b\u202d\u202e\u2066\u2067\u2069"
CONTROLS = "\x01\x07\x08\x0b\x0c\x1b\x7f\x85\x9b"


def put_in(chance: random.Random, text: str, sign: str) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + sign + text[at:]


@kind("code: zero-width, direction or control sign")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, column, row = place(chance, book, is_code_or_id)
    before, code, after = item(chance, column, sheet.cell(row, column["name"]))
    code = put_in(chance, code, chance.choice(ZERO_WIDTH + DIRECTION + CONTROLS))
    return in_cell(sheet, row, column["name"], before + code + after, SEEN)


ALIKE = {
    "a": "а", "e": "е", "o": "о", "c": "с", "p": "р", "x": "х", "i": "і", "s": "ѕ", "V": "Ⅴ",
    "N": "Ν", "H": "Н",
}  # fmt: skip


@kind("code: look-alike letter")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, column, row = place(chance, book, is_code)
    before, code, after = item(chance, column, sheet.cell(row, column["name"]))
    places = [at for at, sign in enumerate(code) if sign in ALIKE]
    if not places:
        raise Elsewhere
    at = chance.choice(places)
    text = before + code[:at] + ALIKE[code[at]] + code[at + 1 :] + after
    return in_cell(sheet, row, column["name"], text, SEEN)


@kind("code: another area of the same form")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, column, row = place(chance, book, lambda _, c: c["name"] == "area")
    text = chance.choice(["US-PA-999", "VN-XX", "VN-HN-9999", "us-pa-101", "VN-hn", "ZZ", "QQ-101"])
    return in_cell(sheet, row, column["name"], text, SEEN)


@kind("name of its own: another")
def _(chance: random.Random, book: Workbook) -> Damage:
    """An id or the code of a line: another is lawful where nothing names the former."""
    sheet, column, row = place(chance, book, lambda _, c: bool(limits(c).get("unique")))
    text = misspelt(chance, sheet.cell(row, column["name"]))
    return in_cell(sheet, row, column["name"], text, FREE)


@kind("boolean: another word")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, column, row = place(chance, book, lambda _, c: c["type"] == "boolean")
    text = chance.choice(["True", "TRUE", "1", "0", "yes", "no", "t", " true", "đúng", "null"])
    return in_cell(sheet, row, column["name"], text, SEEN)


@kind("text: control or direction sign")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, column, row = place(chance, book, is_text)
    sign = chance.choice([*CONTROLS, *DIRECTION, "\x1b[31m", "\x1b]0;x\x07", "\x1b[2J"])
    text = put_in(chance, sheet.cell(row, column["name"]), sign)
    return in_cell(sheet, row, column["name"], text, SEEN)


@kind("text: letters not composed (NFD)")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, column, row = place(chance, book, lambda _, c: c["type"] == "string")
    text = unicodedata.normalize("NFD", sheet.cell(row, column["name"]))
    return in_cell(sheet, row, column["name"], text, SEEN)


@kind("text: another")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, column, row = place(chance, book, is_text)
    text = chance.choice(
        [
            'a "quoted" word, a comma', "<script>alert(1)</script>", "=HYPERLINK(1)", "𠀀 😀",
            "#set", "$x$",
        ]
    )  # fmt: skip
    return in_cell(sheet, row, column["name"], text, FREE)


@kind("cell of 200,000 characters")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, column, row = place(chance, book, lambda *_: True)
    text = chance.choice("x1đ") * chance.choice([131_073, 200_000, 2_000_000])
    return in_cell(sheet, row, column["name"], text, SEEN, "row")


# ---- days and months

NO_DAYS = (
    "2020-02-30", "2021-02-29", "2020-13-01", "2020-00-10", "2020-06-31", "2020-01-00",
    "0000-01-01", "2020-01-32",
)  # fmt: skip
NO_FORMS = (
    "13/09/2020", "2020/09/13", "2020-9-13", "20200913", "2020-09-13T00:00", "2020-09-13 ", "13.09.2020",
    "44087", "13 Sept 2020", "２０２０-09-13", "2020-09", "2020", "2020-W37-7", "-2020-09-13", "02020-09-13",
    "2020-09-13Z", "today", "ngày 13/9", "2020–09–13",
)  # fmt: skip
NO_MONTHS = (
    "2020-13", "2020-00", "9/2020", "09/2020", "2020-9", "2020-09-01", "202009", "Sep-20", "2020-9M", "2020",
    "tháng 9", "2020-Q3", " 2020-09", "２０２０-09", "2020–09", "20-09",
)  # fmt: skip


@kind("day: none of the calendar")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, column, row = place(chance, book, lambda _, c: c["type"] == "date")
    return in_cell(sheet, row, column["name"], chance.choice(NO_DAYS), SEEN)


@kind("day or month: another form")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, column, row = place(chance, book, lambda _, c: c["type"] in ("date", "yearmonth"))
    texts = NO_FORMS if column["type"] == "date" else NO_MONTHS
    return in_cell(sheet, row, column["name"], chance.choice(texts), SEEN)


@kind("day of a report: 2040")
def _(chance: random.Random, book: Workbook) -> Damage:
    names = {"reported_on", "published_on"}
    sheet, column, row = place(chance, book, lambda _, c: c["name"] in names)
    text = chance.choice(["2040-01-05", "2099-12-31", "9999-12-31", "3020-09-13"])
    return in_cell(sheet, row, column["name"], text, SEEN)


@kind("day or month of 1900")
def _(chance: random.Random, book: Workbook) -> Damage:
    """Spells that are still open may have begun long ago: those are left out."""
    sheet, column, row = place(
        chance,
        book,
        lambda _, c: c["type"] in ("date", "yearmonth") and not c["name"].startswith("valid"),
    )
    day = chance.choice(["1900-01-01", "0001-01-01", "1020-09-13", "1899-12-30"])
    return in_cell(
        sheet, row, column["name"], day[: 7 if column["type"] == "yearmonth" else 10], SEEN
    )


@kind("month not come yet")
def _(chance: random.Random, book: Workbook) -> Damage:
    """Of a figure: it was reported before."""
    sheet, column, row = place(chance, book, lambda _, c: c["name"] == "month")
    text = chance.choice(["2040-01", "2099-12", "9999-12", "3020-09"])
    where = "row" if "reported_on" in sheet.header else "cell"
    return in_cell(sheet, row, column["name"], text, SEEN, where)


@kind("measure or relief of 2140")
def _(chance: random.Random, book: Workbook) -> Damage:
    names = {"start", "end", "period_start", "period_end", "in_force", "normal_due", "extended_due"}
    sheet, column, row = place(chance, book, lambda _, c: c["name"] in names)
    # Years in which nobody who reads this lives.
    day = chance.choice(["2140-01-05", "2999-12-31", "9999-12-31"])
    return in_cell(
        sheet, row, column["name"], day[: 7 if column["type"] == "yearmonth" else 10], SEEN, "row"
    )


@kind("Tết in another year")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet = book.sheet("reference", "tet")
    row = chance.randrange(len(sheet.rows))
    if chance.random() < 0.5:
        return in_cell(sheet, row, "year", chance.choice(["2038", "2099", "1991"]), SEEN, "row")
    date = sheet.cell(row, "date")
    year = int(date[:4]) + chance.choice([-20, -1, 1, 20])
    return in_cell(sheet, row, "date", f"{year}{date[4:]}", SEEN, "row")


@kind("period of a claim: another form, 1900, 2140")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, column, row = place(chance, book, lambda _, c: c["name"] == "period")
    texts = [
        "2020-Q5", "2020-H3", "2020-13", "2020-3M", "Q3/2020", "2020-q3", "20", "２０２０", "2020-Q3 ",
        "2020-Q3-01",
    ]  # fmt: skip
    texts += ["1900", "1900-Q1", "0000", "2140", "2140-01", "9999-9M"]
    return in_cell(sheet, row, column["name"], chance.choice(texts), SEEN, "row")


@kind("reported before the month")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, column, row = place(
        chance, book, lambda s, c: c["name"] == "reported_on" and "month" in s.header
    )
    month = pd.Period(sheet.cell(row, "month"))
    early = month.start_time - pd.Timedelta(days=chance.choice([1, 1, 20, 365, 2000]))
    return in_cell(sheet, row, column["name"], str(early.date()), SEEN)


@kind("plan set two years before")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet = book.sheet("phuc-dong", "targets")
    row = chance.randrange(len(sheet.rows))
    year = int(sheet.cell(row, "year"))
    if chance.random() < 0.3:
        return in_cell(sheet, row, "year", str(year + 20), SEEN, "row")
    text = f"{year - chance.choice([2, 3, 10])}-{chance.choice(['12-31', '06-01'])}"
    return in_cell(sheet, row, "reported_on", text, SEEN)


@kind("end before start")
def _(chance: random.Random, book: Workbook) -> Damage:
    pairs = (
        ("start", "end"), ("share_low", "share_high"), ("period_start", "period_end"),
        ("normal_due", "extended_due"), ("valid_from", "valid_to"),
    )  # fmt: skip
    sheet = any_sheet(chance, book)
    first, second = chance.choice(pairs)
    if first not in sheet.header or sheet.name == "vn_fiscal_published":
        raise Elsewhere
    rows = [at for at in range(len(sheet.rows)) if sheet.cell(at, first) and sheet.cell(at, second)]
    rows = [at for at in rows if sheet.cell(at, first) < sheet.cell(at, second)]
    if not rows:
        raise Elsewhere
    row = chance.choice(rows)
    one, two = sheet.cell(row, first), sheet.cell(row, second)
    data = sheet.bytes({(row, first): two, (row, second): one})
    where = (
        "any" if sheet.name == "schools" else "row"
    )  # whose reports say which months are outside
    return Damage(sheet.file, SEEN, data, where, row + 2, column=second, note=f"{two} to {one}")


# ---- sums and limits of a row


def family(book: Workbook, package: str, line: str) -> list[str]:
    """A line and those above it."""
    lines = book.sheet("reference" if package == "phuc-dong" else package, "revenue_lines")
    parents = {row[lines.at("code")]: row[lines.at("parent")] for row in lines.rows}
    found = [line]
    while parents.get(found[-1]):
        found.append(parents[found[-1]])
    return found


def last_day(
    chance: random.Random, book: Workbook, package: str
) -> tuple[Sheet, list[int], list[int]]:
    """Rows of receipts: a line without parts, on the last day of a month, and those above it."""
    sheet = book.sheet(package, "receipts")
    month = chance.choice(sheet.rows)[sheet.at("month")]
    of_month = [at for at, row in enumerate(sheet.rows) if row[sheet.at("month")] == month]
    day = max(sheet.cell(at, "reported_on") for at in of_month)
    rows = {sheet.cell(at, "line"): at for at in of_month if sheet.cell(at, "reported_on") == day}
    above = {other for line in rows for other in family(book, package, line)[1:]}
    leaf = chance.choice(sorted(rows.keys() - above) or [""])
    chain = family(book, package, leaf) if leaf else []
    if not chain or not all(line in rows for line in chain):
        raise Elsewhere
    return sheet, [rows[line] for line in chain], of_month


@kind("receipts: one amount more, sums with it")
def _(chance: random.Random, book: Workbook) -> Damage:
    """What is collected, in a line and all above it: nothing tells it from another figure."""
    sheet, chain, _ = last_day(chance, book, chance.choice(PACKAGES[:2]))
    more = chance.randrange(1, 10**6)
    changes = {(at, "collected"): str(int(sheet.cell(at, "collected")) + more) for at in chain}
    return Damage(
        sheet.file, FREE, sheet.bytes(changes), "any", note=f"rows {[a + 2 for a in chain]} +{more}"
    )


@kind("receipts: kept above collected")
def _(chance: random.Random, book: Workbook) -> Damage:
    """In the ward, where each line's share is at most all of it."""
    sheet, chain, _ = last_day(chance, book, "phuc-dong")
    row = chain[0]
    more = chance.choice([1, 8]) * (int(sheet.cell(row, "collected")) + 10)
    changes = {(at, "kept"): str(int(sheet.cell(at, "kept")) + more) for at in chain}
    return Damage(
        sheet.file, SEEN, sheet.bytes(changes), "cell", row + 2,
        column="kept",
        note=f"+{more} in rows {chain}",
    )  # fmt: skip


@kind("receipts: parent not the sum")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, column, row = place(
        chance, book, lambda s, c: s.name == "receipts" and c["name"] in ("collected", "kept")
    )
    text = str(int(sheet.cell(row, column["name"])) + chance.choice([100, 10**6, 10**10]))
    damage = in_cell(sheet, row, column["name"], text, SEEN, "file")
    return damage


@kind("receipts: a line under another's name")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, _, row = place(chance, book, lambda s, c: s.name == "receipts" and c["name"] == "line")
    others = sorted({r[sheet.at("line")] for r in sheet.rows})
    return in_cell(sheet, row, "line", chance.choice(others), SEEN, "file")


@kind("days or events that do not add up")
def _(chance: random.Random, book: Workbook) -> Damage:
    names = {
        "planned_days", "in_person_days", "online_days", "closed_days", "planned", "held",
        "cancelled", "postponed",
    }  # fmt: skip
    sheet, column, row = place(chance, book, lambda _, c: c["name"] in names)
    text = str(int(sheet.cell(row, column["name"])) + chance.choice([1, 2, 3]))
    return in_cell(sheet, row, column["name"], text, SEEN, "row")


@kind("attendance without class, or class without")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet = book.sheet("phuc-dong", "school_months")
    row = chance.randrange(len(sheet.rows))
    text = "" if sheet.cell(row, "attendance_share") else "0.9"
    return in_cell(sheet, row, "attendance_share", text, SEEN)


@kind("participants where nothing was held")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet = book.sheet("phuc-dong", "activities")
    idle = [
        at for at in range(len(sheet.rows))
        if sheet.cell(at, "held") == sheet.cell(at, "held_later") == "0"
    ]  # fmt: skip
    return in_cell(sheet, chance.choice(idle), "participants", str(chance.randrange(1, 500)), SEEN)


@kind("school that was not there")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet = book.sheet("phuc-dong", "schools")
    row = chance.randrange(len(sheet.rows))
    column, month = chance.choice([("valid_from", "2021-11"), ("valid_to", "2020-03")])
    # The reports say which months are outside.
    reports = f"data/phuc-dong/{book.sheet('phuc-dong', 'school_months').resource['path']}"
    note = f"{column} {month}, seen in {reports}"
    return Damage(
        sheet.file, SEEN, sheet.bytes({(row, column): month}), "any", row + 2,
        column=column,
        note=note,
    )  # fmt: skip


# ---- rows and heads


def with_row(sheet: Sheet, at: int, cells: list[str]) -> bytes:
    return written([sheet.header, *sheet.rows[:at], cells, *sheet.rows[at:]])


@kind("row doubled")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet = any_sheet(chance, book)
    row = chance.randrange(len(sheet.rows))
    at = chance.choice([row + 1, len(sheet.rows)])
    verdict = SEEN if sheet.resource["schema"].get("primaryKey") else FREE
    data = with_row(sheet, at, sheet.rows[row])
    return Damage(
        sheet.file, verdict, data, "row" if verdict == SEEN else "any", at + 2,
        note=f"row {row + 2}",
    )  # fmt: skip


@kind("key doubled")
def _(chance: random.Random, book: Workbook) -> Damage:
    """A row with the key of another, with a sign in its text that would clear a terminal or without."""
    sheet = any_sheet(chance, book)
    key = sheet.resource["schema"].get("primaryKey")
    loose = [
        one for one in sheet.fields if key and one not in key and is_text(sheet, sheet.fields[one])
    ]
    if not key or not loose:
        raise Elsewhere
    row = chance.randrange(len(sheet.rows))
    cells = list(sheet.rows[row])
    cells[sheet.at(chance.choice(loose))] = "another text"
    if chance.random() < 0.3:
        cells = list(sheet.rows[row])
        at = sheet.at(chance.choice(key))
        sheet = copy.deepcopy(sheet)
        cells[at] = sheet.rows[row][at] = cells[at] + "\x1b]0;x\x07"
    data = with_row(sheet, len(sheet.rows), cells)
    return Damage(sheet.file, SEEN, data, "row", len(sheet.rows) + 2, note=f"that of row {row + 2}")


@kind("row or amount lost since it was accepted")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet = any_sheet(chance, book)
    row = chance.randrange(len(sheet.rows))
    rows = [sheet.header, *sheet.rows[:row], *sheet.rows[row + 1 :]]
    if chance.random() < 0.2:
        rows = [sheet.header]
    return Damage(
        sheet.file, SEEN, written(rows), "file", note=f"row {row + 2} or all", hashes=True
    )


@kind("row with too few or too many cells")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet = any_sheet(chance, book)
    row = chance.randrange(len(sheet.rows))
    cells = list(sheet.rows[row])
    cut = chance.randrange(1, len(cells))
    ways = [
        cells[:cut], [*cells, ""], [*cells, "x"], [*cells[:cut], "x", *cells[cut:]], [" "],
        cells * 2,
    ]  # fmt: skip
    rows = [sheet.header, *sheet.rows]
    rows[row + 1] = chance.choice(ways)
    return Damage(
        sheet.file, SEEN, written(rows), "row", row + 2, note=f"{len(rows[row + 1])} cells"
    )


@kind("head: a name misspelt")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet = any_sheet(chance, book)
    at = chance.randrange(len(sheet.header))
    name = sheet.header[at]
    ways = [
        misspelt(chance, name), name.upper(), " " + name, name + " ", "", name + "\x1b[2J",
        "\u202e" + name,
    ]  # fmt: skip
    head = list(sheet.header)
    head[at] = chance.choice([*ways, "\ufeff" + name if at else name + "\ufeff", "x" * 1000])
    if head == sheet.header:
        raise Elsewhere
    return Damage(
        sheet.file, SEEN, written([head, *sheet.rows]), "row", 1, note=repr(head[at][:40])
    )


@kind("head: doubled, missing, of other columns")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet = any_sheet(chance, book)
    at = chance.randrange(len(sheet.header))
    heads = [
        [*sheet.header[:at], sheet.header[at - 1], *sheet.header[at + 1 :]],
        [name.upper() for name in sheet.header],
    ]
    way = chance.randrange(4)
    if way == 2:  # no head at all
        rows = sheet.rows
    elif way == 3:  # the head as a row too
        at = chance.randrange(len(sheet.rows) + 1)
        return Damage(sheet.file, SEEN, with_row(sheet, at, sheet.header), "row", at + 2)
    else:
        rows = [heads[way], *sheet.rows]
    return Damage(sheet.file, SEEN, written(rows), "row", 1, note=f"way {way}")


@kind("column added or dropped")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet = any_sheet(chance, book)
    at = chance.randrange(len(sheet.header))
    rows = [sheet.header, *sheet.rows]
    if chance.random() < 0.5:
        name = chance.choice(["note2", "", sheet.header[at], "Unnamed: 0"])
        rows = [[*row[:at], "x" if number else name, *row[at:]] for number, row in enumerate(rows)]
    else:
        rows = [[*row[:at], *row[at + 1 :]] for row in rows]
    return Damage(sheet.file, SEEN, written(rows), "row", 1, note=f"at {at}")


@kind("columns in another order")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet = any_sheet(chance, book)
    order = chance.sample(range(len(sheet.header)), len(sheet.header))
    rows = [[row[at] for at in order] for row in [sheet.header, *sheet.rows]]
    return Damage(sheet.file, LAWFUL, written(rows), note=f"{order}")


# ---- bytes and files


@kind("file: marks of an office program")
def _(chance: random.Random, book: Workbook) -> Damage:
    """A byte order mark, CR LF, no line end at the end: the same table."""
    sheet = any_sheet(chance, book)
    data = book.files[sheet.file]
    crlf = data.replace(b"\n", b"\r\n")
    data = chance.choice([b"\xef\xbb\xbf" + data, crlf, b"\xef\xbb\xbf" + crlf, data.rstrip(b"\n")])
    return Damage(sheet.file, LAWFUL, data)


@kind("file: blank lines, CR alone")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet = any_sheet(chance, book)
    lines = book.files[sheet.file].split(b"\n")
    at = chance.randrange(len(lines))
    spaced = b"\n".join([*lines[:at], b"", *lines[at:]])
    data = chance.choice([spaced, b"\n".join(lines) + b"\n\n\n", b"\r".join(lines)])
    return Damage(sheet.file, FREE, data, "any", note=f"line {at + 1}")


@kind("file: NUL or no UTF-8")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet = any_sheet(chance, book)
    data = book.files[sheet.file]
    at = chance.randrange(len(data))
    while data[at] & 0xC0 == 0x80:  # between letters, so that the fault is in the sign put in
        at -= 1
    bad = chance.choice(
        [b"\0", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe9 ", b"\x80"]
    )
    data = data[:at] + bad + data[at:]
    return Damage(
        sheet.file, SEEN, data, "row", data.count(b"\n", 0, at) + 1, note=f"{bad!r} at {at}"
    )


@kind("file: another encoding")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet = any_sheet(chance, book)
    text = book.files[sheet.file].decode()
    codec = chance.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "utf-7"])
    data = text.encode(codec, "replace")
    # A table of plain letters may come through some.
    verdict = FREE if codec in ("cp1252", "utf-7") else SEEN
    return Damage(sheet.file, verdict, data, "file" if verdict == SEEN else "any", note=codec)


@kind("file: quotes left open or loose")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet = any_sheet(chance, book)
    lines = book.files[sheet.file].decode().rstrip("\n").split("\n")
    at = chance.randrange(1, len(lines))
    where = chance.choice(
        [0, *(m.end() for m in re.finditer(",", lines[at]) if '"' not in lines[at])]
    )
    lines[at] = lines[at][:where] + '"' + lines[at][where:]
    return Damage(sheet.file, SEEN, "\n".join(lines).encode() + b"\n", "any", note=f"line {at + 1}")


@kind("file: another separator")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet = any_sheet(chance, book)
    out = io.StringIO()
    separator = chance.choice(";\t|:")
    csv.writer(out, delimiter=separator, lineterminator="\n").writerows([sheet.header, *sheet.rows])
    return Damage(sheet.file, SEEN, out.getvalue().encode(), "row", 1, note=repr(separator))


@kind("file: cut off")
def _(chance: random.Random, book: Workbook) -> Damage:
    """Within a row, before its last cell."""
    sheet = any_sheet(chance, book)
    lines = book.files[sheet.file].split(b"\n")
    at = chance.randrange(1, len(lines) - 1)
    if b'"' in lines[at]:
        raise Elsewhere
    cut = chance.randrange(1, lines[at].rindex(b",") + 1)
    data = b"\n".join([*lines[:at], lines[at][:cut]])
    return Damage(sheet.file, SEEN, data, "row", at + 1, note=f"in line {at + 1}")


@kind("file: another table's")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet, other = any_sheet(chance, book), any_sheet(chance, book)
    if sorted(sheet.header) == sorted(other.header):
        raise Elsewhere
    return Damage(sheet.file, SEEN, book.files[other.file], "row", 1, note=other.file)


@kind("file: no table at all")
def _(chance: random.Random, book: Workbook) -> Damage:
    sheet = any_sheet(chance, book)
    noise = bytes(chance.randrange(256) for _ in range(2000))
    data = chance.choice(
        [
            b"", b"\n", b"\n\n", b"PK\x03\x04" + noise, b"<html></html>", b'{"a": 1}', b'"',
            b",,,,,", noise,
        ]
    )  # fmt: skip
    return Damage(sheet.file, SEEN, data, "file", note=repr(data[:10]))


def as_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def as_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def as_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def as_locked(path: Path) -> None:
    path.chmod(0)


def broken_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def as_socket(path: Path) -> None:
    path.unlink()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


GONE: tuple[Callable[[Path], None], ...] = (
    Path.unlink, as_folder, as_loop, broken_link, as_socket,
)  # fmt: skip


@kind("file: missing, a folder, a loop, a socket")
def _(chance: random.Random, book: Workbook) -> Damage:
    act = chance.choice(GONE)
    return Damage(any_sheet(chance, book).file, SEEN, act, note=act.__name__)


@kind("file: a FIFO", rare=True)
def _(chance: random.Random, book: Workbook) -> Damage:
    return Damage(any_sheet(chance, book).file, SEEN, as_fifo)


@kind("file: without permission")
def _(chance: random.Random, book: Workbook) -> Damage:
    return Damage(any_sheet(chance, book).file, SEEN, as_locked, unprivileged=True)


# -------------------------------------------------------------------------------------- descriptors

Path_ = tuple[Any, ...]


def nodes(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """The place of every value of a descriptor but the whole."""
    parts = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for name, part in parts:
        yield (*path, name)
        yield from nodes(part, (*path, name))


def got(value: Any, path: Path_) -> Any:
    for part in path:
        value = value[part]
    return value


def named(path: Path_) -> str:
    """The property that a message about a place has to name: the last name of the path."""
    return next((str(part) for part in reversed(path) if isinstance(part, str)), "")


def shown(path: Path_) -> str:
    return ".".join(map(str, path))


def filled(value: Any) -> bool:
    return (
        isinstance(value, str) and bool(value.strip()) and not re.search("[\ud800-\udfff]", value)
    )


def text(value: Any) -> bool:
    return isinstance(value, str) and not re.search("[\ud800-\udfff]", value)


def number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf


def texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(filled(one) for one in value)


def pattern(value: Any) -> bool:
    try:
        re.compile(value)
    except (re.error, TypeError):
        return False
    return True


def codes(value: Any) -> bool:
    listed = value if isinstance(value, list) else [value]
    return bool(listed) and all(isinstance(c, str) and c.count(".") == 1 for c in listed)


FIELD = r"resources\.\d+\.schema\.fields\.\d+"
# What a value has to be, by its place; other places are read by nobody, or by nobody that minds.
MUST: dict[str, Callable[[Any], bool]] = {
    r"title": text,
    r"ward": lambda v: isinstance(v, dict),
    r"ward\.(name_vi|name_en|currency)": filled,
    r"ward\.(authority|superior)_(vi|en)": text,
    r"ward\.place": text,
    r"ward\.areas": texts,
    r"ward\.areas\.\d+": filled,
    r"ward\.illustrative": lambda v: isinstance(v, bool),
    r"ward\.recipients": lambda v: isinstance(v, list),
    r"ward\.recipients\.\d+": lambda v: isinstance(v, dict),
    r"ward\.recipients\.\d+\.name_(vi|en)": text,
    r"ward\.recipients\.\d+\.valid_(from|to)": lambda v: (
        isinstance(v, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\d|", v))
    ),
    r"(resources|licenses|sources)": lambda v: isinstance(v, list) and bool(v),
    r"(resources|licenses|sources)\.\d+": lambda v: isinstance(v, dict),
    r"sources\.\d+\.title(_vi)?": text,
    r"resources\.\d+\.(name|path)": filled,
    r"resources\.\d+\.area": text,
    r"resources\.\d+\.hash": lambda v: (
        isinstance(v, str) and bool(re.fullmatch(r"(sha256:)?[0-9a-f]{64}", v))
    ),
    r"resources\.\d+\.bytes": lambda v: number(v) and v == int(v) and v >= 0,
    r"resources\.\d+\.schema": lambda v: isinstance(v, dict),
    r"resources\.\d+\.schema\.fields": lambda v: isinstance(v, list) and bool(v),
    r"resources\.\d+\.schema\.primaryKey": lambda v: filled(v) or texts(v),
    r"resources\.\d+\.schema\.primaryKey\.\d+": filled,
    FIELD: lambda v: isinstance(v, dict),
    rf"{FIELD}\.name": filled,
    rf"{FIELD}\.type": lambda v: isinstance(v, str) and v in TYPES,
    rf"{FIELD}\.unit": text,
    rf"{FIELD}\.codes": codes,
    rf"{FIELD}\.delimiter": lambda v: text(v) and v != "",
    rf"{FIELD}\.constraints": lambda v: isinstance(v, dict),
    rf"{FIELD}\.constraints\.(required|unique)": lambda v: isinstance(v, bool),
    rf"{FIELD}\.constraints\.(minimum|maximum)": number,
    rf"{FIELD}\.constraints\.enum": lambda v: isinstance(v, list) and bool(v),
    rf"{FIELD}\.constraints\.enum\.\d+": text,
    rf"{FIELD}\.constraints\.pattern": pattern,
}  # fmt: skip
# What cannot be left out.
NEEDED = (
    r"ward|ward\.(name_vi|name_en|authority_vi|authority_en|areas|currency|illustrative)|resources|"
    rf"resources\.\d+\.(name|path|schema|hash)|resources\.\d+\.schema\.fields|{FIELD}\.(name|type)|{FIELD}"
)
# What can: a package means the same without.
OPTIONAL = (
    r"\$schema|version|sources|resources\.\d+\.(description|format|mediatype|type|encoding)|"
    rf"resources\.\d+\.schema\.missingValues|{FIELD}\.(description|itemType)"
)


def demand(path: Path_) -> Callable[[Any], bool] | None:
    return next((must for where, must in MUST.items() if re.fullmatch(where, shown(path))), None)


def any_package(chance: random.Random) -> str:
    return chance.choice(PACKAGES)


def any_node(chance: random.Random, described: Any, where: str = ".*") -> Path_:
    found = [path for path in nodes(described) if re.fullmatch(where, shown(path))]
    if not found:
        raise Elsewhere
    kinds = sorted({re.sub(r"\d+", "#", shown(path)) for path in found})
    one = chance.choice(
        kinds
    )  # so that what stands once is drawn as often as what stands a hundred times
    return chance.choice([path for path in found if re.sub(r"\d+", "#", shown(path)) == one])


def put(
    package: str,
    described: Any,
    path: Path_,
    verdict: str,
    where: str = "property",
    note: str = "",
    same: bool | None = None,
) -> Damage:
    """The descriptor as damaged at a place."""
    return Damage(
        descriptor(package), verdict, plain(described), where, column=named(path),
        note=f"{shown(path)} {note}", hashes=True, same=verdict == LAWFUL if same is None else same,
    )  # fmt: skip


def replaced(
    package: str, book: Workbook, path: Path_, value: Any, verdict: str, where: str = "property"
) -> Damage:
    described = copy.deepcopy(book.described[package])
    if type(before := got(described, path)) is type(value) and before == value:
        raise Elsewhere
    got(described, path[:-1])[path[-1]] = value
    return put(package, described, path, verdict, where, f"= {value!r}"[:90], same=False)


DEEP = Raw("[" * 100_000 + "]" * 100_000)
JUNK: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, "", " ", "/", "x", "x" * 100_000, [], {}, [None], [[]], {"a": 1}, ["x"],
    "\x1b[31mx\x07", "\u202eabc", "a\0b", "\ud800", 10**400, Raw("1e400"), Raw("9" * 5000), Raw("NaN"),
    Raw("-Infinity"), DEEP,
)  # fmt: skip


def judged(path: Path_, value: Any) -> str:
    """Whether a rule can see that a value cannot stand at a place."""
    if isinstance(value, Raw):
        if value is DEEP or "N" in value.text or "I" in value.text:
            return SEEN
        return FREE if (must := demand(path)) is None or must(1) else SEEN
    must = demand(path)
    return SEEN if must is not None and not must(value) else FREE


@kind("descriptor: any value replaced by junk")
def _(chance: random.Random, book: Workbook) -> Damage:
    package = any_package(chance)
    path = any_node(chance, book.described[package])
    value = chance.choice(JUNK)
    verdict = judged(path, value)
    seen_there = verdict == SEEN and path[-1] != "hash"  # which may be said of the file
    damage = replaced(package, book, path, value, verdict, "property" if seen_there else "any")
    if isinstance(value, Raw) and ("N" in value.text or "I" in value.text or value is DEEP):
        return replace(damage, where="file")
    # Where nothing is demanded, nothing of the ward may hang on it.
    return replace(damage, same=verdict == FREE and not protected(path))


def protected(path: Path_) -> bool:
    """Whether a place, or one in it or above it, is one with a demand."""
    return any(demand(path[: at + 1]) for at in range(len(path)))


@kind("descriptor: any part deleted")
def _(chance: random.Random, book: Workbook) -> Damage:
    package = any_package(chance)
    described = copy.deepcopy(book.described[package])
    path = any_node(chance, described)
    parent = got(described, path[:-1])
    verdict = FREE
    if re.fullmatch(NEEDED, shown(path)) and not (path[0] == "ward" and package == "reference"):
        verdict = SEEN
    elif re.fullmatch(OPTIONAL, shown(path)):
        verdict = LAWFUL
    del parent[path[-1]]
    if re.fullmatch(
        r"ward\.areas\.\d+|(resources|licenses|sources)\.\d+|.*\.(enum|fields|primaryKey)\.\d+",
        shown(path),
    ):
        verdict = SEEN if not parent else verdict
    # A hash or a column that is missed may be said of the file.
    where = (
        "any" if verdict != SEEN or re.fullmatch(rf"{FIELD}|.*hash", shown(path)) else "property"
    )
    return put(
        package, described, path, verdict, where, "deleted",
        verdict == LAWFUL and path[0] != "sources",
    )  # fmt: skip


@kind("descriptor: any name twice")
def _(chance: random.Random, book: Workbook) -> Damage:
    package = any_package(chance)
    described = copy.deepcopy(book.described[package])
    path = any_node(chance, described, r".*[a-zA-Z$_]")
    parent = got(described, path[:-1])
    again = {Key(path[-1]): chance.choice([None, False, parent[path[-1]], "x", []])}
    items = [*parent.items(), *again.items()]
    if chance.random() < 0.5:
        items = [*again.items(), *parent.items()]
    parent.clear()
    parent.update(items)
    return put(package, described, path, SEEN, note="twice")


@kind("descriptor: any item twice")
def _(chance: random.Random, book: Workbook) -> Damage:
    """Two tables or two columns of one name cannot be told apart."""
    package = any_package(chance)
    described = copy.deepcopy(book.described[package])
    path = any_node(chance, described, r".*\.\d+")
    parent = got(described, path[:-1])
    parent.append(copy.deepcopy(parent[path[-1]]))
    seen = path[-2] in ("resources", "fields")
    return put(package, described, path, SEEN if seen else FREE, "any", "twice")


@kind("descriptor: illustrative is no truth value")
def _(chance: random.Random, book: Workbook) -> Damage:
    values = [None, "true", "false", 0, 1, "", [], {}, "no", [True], {"value": True}, 1.0]
    return replaced(
        chance.choice(PACKAGES[:2]), book, ("ward", "illustrative"), chance.choice(values), SEEN
    )


@kind("descriptor: illustrative twice")
def _(chance: random.Random, book: Workbook) -> Damage:
    package = chance.choice(PACKAGES[:2])
    described = copy.deepcopy(book.described[package])
    described["ward"][Key("illustrative")] = chance.choice([None, False, True, "x"])
    return put(package, described, ("ward", "illustrative"), SEEN, note="twice")


@kind("descriptor: illustrative under another name")
def _(chance: random.Random, book: Workbook) -> Damage:
    package = chance.choice(PACKAGES[:2])
    described = copy.deepcopy(book.described[package])
    name = chance.choice(
        ["Illustrative", "ilustrative", "illustrative ", "illustrativе", "\u200billustrative"]
    )
    described["ward"][name] = described["ward"].pop("illustrative")
    return put(package, described, ("ward", "illustrative"), SEEN, note=repr(name))


@kind("descriptor: areas that are none")
def _(chance: random.Random, book: Workbook) -> Damage:
    values = [
        [], "VN", "VN-HN", None, {}, [""], [" "], [None], [1], [["VN"]], {"VN": 1}, ["us-pa-101"], ["vn"], True,
        ["VN", None], ["VN", ""], ["VN-HN "], ["V N"], ["VN,VN-HN"],
    ]  # fmt: skip
    return replaced(
        chance.choice(PACKAGES[:2]), book, ("ward", "areas"), chance.choice(values), SEEN
    )


@kind("descriptor: names or currency empty or no text")
def _(chance: random.Random, book: Workbook) -> Damage:
    name = chance.choice(["name_vi", "name_en", "currency"])
    values = ["", " ", "\n", "\u00a0", None, 0, False, [], {}, ["x"], "\ud800", "\u200b"]
    return replaced(chance.choice(PACKAGES[:2]), book, ("ward", name), chance.choice(values), SEEN)


@kind("descriptor: title, name or sources with signs")
def _(chance: random.Random, book: Workbook) -> Damage:
    """Which may be refused; no terminal may be given them as they are."""
    package = any_package(chance)
    where = r"title|name|ward\.(name|authority)_..|sources\.0\.title(_vi)?|licenses\.0\.title|resources\.\d+\.(name|path|area)"
    path = any_node(chance, book.described[package], where + rf"|{FIELD}\.(name|type|codes|unit)")
    text = str(got(book.described[package], path))
    value = put_in(
        chance,
        text,
        chance.choice(
            ["\x1b[2J", "\x1b]0;x\x07", "\x07", "\u202e", "\x9b31m", "\r", "\x08", "\u2066"]
        ),
    )
    return replaced(package, book, path, value, FREE, "any")


@kind("descriptor: key as text")
def _(chance: random.Random, book: Workbook) -> Damage:
    package = any_package(chance)
    path = any_node(chance, book.described[package], r"resources\.\d+\.schema\.primaryKey")
    key = got(book.described[package], path)
    if len(key) != 1:
        raise Elsewhere
    damage = replaced(package, book, path, key[0], LAWFUL)
    return replace(damage, same=True)


@kind("descriptor: key that is none")
def _(chance: random.Random, book: Workbook) -> Damage:
    package = any_package(chance)
    path = any_node(chance, book.described[package], r"resources\.\d+\.schema\.primaryKey")
    key = list(got(book.described[package], path))
    values = [
        None, 0, True, {}, [None], [1], [key], "nowhere", ["nowhere"], [*key, "nowhere"], "", [""],
        key[0][:-1], [key[0] + " "],
    ]  # fmt: skip
    return replaced(package, book, path, chance.choice(values), SEEN)


@kind("descriptor: pattern invalid")
def _(chance: random.Random, book: Workbook) -> Damage:
    package = any_package(chance)
    described = book.described[package]
    field = got(described, any_node(chance, described, FIELD))
    if field["type"] != "string":
        raise Elsewhere
    values = [
        "(", ")", "[a-", "*", "a{2,1}", "(?P<n>a", "\\", "(?<=a+)b", "[z-a]", None, 5, [],
        {}, True,
    ]  # fmt: skip
    return constrained(chance, book, package, field, {"pattern": chance.choice(values)}, "pattern")


def constrained(
    chance: random.Random,
    book: Workbook,
    package: str,
    field: Any,
    more: Any,
    name: str,
    verdict: str = SEEN,
) -> Damage:
    """A field with more constraints."""
    described = copy.deepcopy(book.described[package])
    twin = next(
        got(described, path) for path in nodes(described)
        if re.fullmatch(FIELD, shown(path)) and got(book.described[package], path) is field
    )  # fmt: skip
    twin["constraints"] = {**twin.get("constraints", {}), **more}
    where = "property" if verdict == SEEN else "any"
    return put(
        package, described, (name,), verdict, where, f"{field['name']}: {more!r}"[:90], False
    )


@kind("descriptor: pattern of exponential time", rare=True)
def _(chance: random.Random, book: Workbook) -> Damage:
    """Which may be refused, or take no cell, but has to end."""
    package = any_package(chance)
    described = book.described[package]
    fields = [got(described, path) for path in nodes(described) if re.fullmatch(FIELD, shown(path))]
    long = [
        one
        for one in fields
        if one["name"] in ("name_vi", "effect_vi", "statement", "source", "reading_vi")
    ]
    value = chance.choice(
        [r"(.+)+\d\d\d!", r"(\w+\s?)*!", r"(a|.|\w)*!", r"^((.|\s)+)+$x", r"(.*)*(.*)*(.*)*!"]
    )
    return constrained(
        chance, book, package, chance.choice(long), {"pattern": value}, "pattern", FREE
    )


@kind("descriptor: bounds that are none")
def _(chance: random.Random, book: Workbook) -> Damage:
    package = any_package(chance)
    described = book.described[package]
    field = got(described, any_node(chance, described, FIELD))
    if not is_number(book.sheets[0], field):
        raise Elsewhere
    values: list[dict[str, Any]] = [{"minimum": 10, "maximum": 1}, {"minimum": 1, "maximum": -1}]
    junk = (None, "0", "abc", True, [], {}, Raw("NaN"), Raw("Infinity"), "")
    values += [{name: value} for name in ("minimum", "maximum") for value in junk]
    more = chance.choice(values)
    return constrained(chance, book, package, field, more, next(iter(more)))


@kind("descriptor: list of words that is none")
def _(chance: random.Random, book: Workbook) -> Damage:
    package = any_package(chance)
    path = any_node(chance, book.described[package], rf"{FIELD}\.constraints\.enum")
    words = got(book.described[package], path)
    values = [
        [], None, " ".join(words), "".join(words), {w: 1 for w in words}, 5, True, [words],
        [*words, None],
    ]  # fmt: skip
    return replaced(package, book, path, chance.choice(values), SEEN)


@kind("descriptor: delimiter that is none")
def _(chance: random.Random, book: Workbook) -> Damage:
    package = any_package(chance)
    path = any_node(chance, book.described[package], rf"{FIELD}\.delimiter")
    return replaced(package, book, path, chance.choice(["", None, 1, True, [], [";"], {}]), SEEN)


@kind("descriptor: path out of the folder or to no file")
def _(chance: random.Random, book: Workbook) -> Damage:
    package = any_package(chance)
    path = any_node(chance, book.described[package], r"resources\.\d+\.path")
    file = got(book.described[package], path)
    values = [
        f"../{package}/{file}", "/etc/passwd", "", ".", "..", "./", "/", "nowhere.csv", "/dev/null", "/dev/stdin", None,
        5, "a\0b.csv", "x" * 300, "x/" * 3000, "\ud800.csv", "~", "C:\\x.csv", "..\\x.csv", f"sub/../{file}", " ",
        "https://example.org/x.csv", "file:///etc/passwd", {}, [], f"{file}/", f"{file} ", "*.csv", "$HOME",
    ]  # fmt: skip
    value = chance.choice(values)
    # A name of a file that is not there is a fault of the file.
    missing = (
        isinstance(value, str) and bool(value.strip()) and not re.search(r"[/\0\\\ud800]", value)
    )
    return replaced(package, book, path, value, SEEN, "any" if missing else "property")


@kind("descriptor: codes that are none")
def _(chance: random.Random, book: Workbook) -> Damage:
    package = any_package(chance)
    path = any_node(chance, book.described[package], rf"{FIELD}\.codes")
    values = [
        "a", "a.b.c", "", ".", None, 5, [], {}, True, ["revenue_lines.code", 3], [None], "nowhere.code", [[]],
        "revenue_lines.nowhere", ["nowhere.code"], "revenue_lines", " revenue_lines.code", "Revenue_lines.code",
    ]  # fmt: skip
    return replaced(package, book, path, chance.choice(values), SEEN)


@kind("descriptor: type or name of a column")
def _(chance: random.Random, book: Workbook) -> Damage:
    package = any_package(chance)
    path = any_node(chance, book.described[package], rf"{FIELD}\.(type|name)")
    before = got(book.described[package], path)
    values = [None, 5, [], {}, "", " ", before + " ", before.upper(), "text", [before], True]
    value = chance.choice(values)
    return replaced(package, book, path, value, SEEN, "any" if filled(value) else "property")


@kind("descriptor: required, unique are no truth values")
def _(chance: random.Random, book: Workbook) -> Damage:
    package = any_package(chance)
    path = any_node(chance, book.described[package], rf"{FIELD}\.constraints\.(required|unique)")
    return replaced(
        package, book, path, chance.choice(["yes", "false", 1, 0, None, [], {}, ""]), SEEN
    )


@kind("descriptor: hash in no form")
def _(chance: random.Random, book: Workbook) -> Damage:
    package = any_package(chance)
    path = any_node(chance, book.described[package], r"resources\.\d+\.hash")
    right = got(book.described[package], path)
    values = [
        None, 5, "", "x", [], {}, right.upper(), right[:-1], right + "0", "md5:" + "0" * 32,
        [right], True, " " + right,
    ]  # fmt: skip
    damage = replaced(package, book, path, chance.choice(values), SEEN)
    return replace(damage, where="any")  # in the descriptor, or of the file that it is not of


@kind("descriptor: recipient's names and days")
def _(chance: random.Random, book: Workbook) -> Damage:
    path = any_node(
        chance, book.described["phuc-dong"], r"ward\.recipients\.\d+(\.valid_(from|to))?"
    )
    if path[-1] in ("valid_from", "valid_to"):
        values = [
            "2021-13-01", "2021-02-29", "soon", 5, None, [], "30/06/2021", True, "2021-6-30",
            "２０２１-06-30",
        ]  # fmt: skip
    else:
        values = [None, "x", [], {}, {"name_vi": "x"}, {"name_vi": 1, "name_en": 2}, 5]
    return replaced("phuc-dong", book, path, chance.choice(values), SEEN)


@kind("descriptor: written otherwise")
def _(chance: random.Random, book: Workbook) -> Damage:
    """Indents, escapes, order of names, CR LF, a byte order mark: the same descriptor."""
    package = any_package(chance)
    described = book.described[package]
    right = book.files[descriptor(package)]
    data = chance.choice([
        plain(described, None), plain(described, 7), json.dumps(described).encode(), b"\n\n" + right + b"\n \n",
        json.dumps(described, sort_keys=True).encode(), right.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + right,
    ])  # fmt: skip
    return Damage(descriptor(package), LAWFUL, data, same=True, hashes=True, note=repr(data[:30]))


# What the standard (Data Package v2) has beside what is used here, and that says nothing of the rows.
STANDARD: dict[str, dict[str, Any]] = {
    "package": {
        "id": "b0a1", "homepage": "https://example.org", "created": "2020-09-13T00:00:00Z", "keywords": ["thu"],
        "image": "x.png", "contributors": [{"title": "X", "roles": ["creator"]}], "description": "x",
    },
    "resource": {
        "title": "x", "description": "x", "sources": [{"title": "x"}], "licenses": [{"name": "CC0-1.0"}],
        "encoding": "utf-8",
    },
    "field": {"title": "x", "description": "x", "example": "x", "rdfType": "https://example.org/x", "format": "default"},
}  # fmt: skip


def added(
    chance: random.Random, book: Workbook, more: dict[str, dict[str, Any]], verdict: str
) -> Damage:
    """A property more, in a package, a table or a column."""
    package = any_package(chance)
    described = copy.deepcopy(book.described[package])
    level = chance.choice(sorted(more))
    where = {"resource": r"resources\.\d+", "field": FIELD}
    path = () if level == "package" else any_node(chance, described, where[level])
    name = chance.choice(sorted(more[level]))
    got(described, path)[name] = more[level][name]
    return put(package, described, (*path, name), verdict, "any", "added", same=True)


@kind("descriptor: property of the standard added")
def _(chance: random.Random, book: Workbook) -> Damage:
    return added(chance, book, STANDARD, LAWFUL)


@kind("descriptor: property that is nobody's")
def _(chance: random.Random, book: Workbook) -> Damage:
    """Which the standard allows, and which may as well be a name misspelt."""
    more = {"x_note": chance.choice(["x", 1, None, [], {"a": [1, {"b": None}]}])}
    return added(chance, book, dict.fromkeys(("package", "resource", "field"), more), FREE)


@kind("descriptor: fields or tables in another order")
def _(chance: random.Random, book: Workbook) -> Damage:
    package = any_package(chance)
    described = copy.deepcopy(book.described[package])
    path = any_node(chance, described, r"resources|resources\.\d+\.schema\.fields")
    chance.shuffle(got(described, path))
    return put(package, described, path, LAWFUL, "any", "shuffled", same=False)


@kind("descriptor: no JSON")
def _(chance: random.Random, book: Workbook) -> Damage:
    package = any_package(chance)
    right = book.files[descriptor(package)].decode()
    at = chance.choice([m.start() for m in re.finditer(",\n", right)])
    ways = [
        right[: chance.randrange(len(right.rstrip()))], right.replace("\n  ]", ",\n  ]", 1),
        right[:at] + right[at + 1 :], right[:at] + ",," + right[at + 1 :], right.replace('"', "'"),
        right[:at] + ", // note" + right[at + 1 :], right[:at] + ", /* note */" + right[at + 1 :],
        right.replace("true", "True").replace("false", "False") + "}", right + right, right + "x", "{" + right,
        right[:at] + ",\n\t\"a\": 'b'," + right[at + 1 :], right[:at] + ', "a": 01,' + right[at + 1 :],
        right[:at] + ', "a": "\x01",' + right[at + 1 :], right[:at] + ', "a": "\\x",' + right[at + 1 :],
    ]  # fmt: skip
    way = chance.randrange(len(ways))
    return Damage(
        descriptor(package), SEEN, ways[way].encode(), hashes=True, note=f"way {way} at {at}"
    )


@kind("descriptor: NUL, no UTF-8, another encoding")
def _(chance: random.Random, book: Workbook) -> Damage:
    package = any_package(chance)
    right = book.files[descriptor(package)]
    at = chance.choice([m.start() for m in re.finditer(rb"[a-z]{3}", right)])
    bad = chance.choice([b"\0", b"\xff", b"\xe9 ", b"\xed\xa0\x80", b"\xc0\x80"])
    data = chance.choice(
        [
            right[:at] + bad + right[at:],
            *(right.decode().encode(c) for c in ("utf-16", "utf-32-le")),
        ]
    )
    return Damage(descriptor(package), SEEN, data, hashes=True, note=f"{bad!r} at {at}")


@kind("descriptor: no object, or far too deep")
def _(chance: random.Random, book: Workbook) -> Damage:
    package = any_package(chance)
    values = [
        b"", b" ", b"null", b"[]", b'"text"', b"1", b"true", b"{}", b"NaN", b"[" * 100_000,
        b'{"a":' * 50_000, b"[null]",
    ]  # fmt: skip
    data = chance.choice([*values, plain({**book.described[package], "x": DEEP})])
    return Damage(descriptor(package), SEEN, data, hashes=True, note=repr(data[:20]))


@kind("descriptor: missing, a folder, a loop, a socket")
def _(chance: random.Random, book: Workbook) -> Damage:
    act = chance.choice(GONE)
    return Damage(descriptor(any_package(chance)), SEEN, act, hashes=True, note=act.__name__)


@kind("descriptor: a FIFO", rare=True)
def _(chance: random.Random, book: Workbook) -> Damage:
    return Damage(descriptor(any_package(chance)), SEEN, as_fifo, hashes=True)


@kind("descriptor: without permission")
def _(chance: random.Random, book: Workbook) -> Damage:
    return Damage(descriptor(any_package(chance)), SEEN, as_locked, hashes=True, unprivileged=True)


@kind("ward: a name that is none")
def _(chance: random.Random, book: Workbook) -> Damage:
    """`all` stands for every ward, `reference` for none, whatever their folders hold."""
    name = chance.choice(
        [
            "all", "reference", "", ".", "..", "/", "../data/phuc-dong", "phuc-dong/", "x" * 300,
            "a\0b", "\ud800", "Phuc-Dong", " phuc-dong",
        ]
    )  # fmt: skip

    def act(path: Path) -> None:
        if name == "all":
            shutil.copytree(path.parent, path.parent.parent / "all")

    return Damage(
        descriptor("phuc-dong"), SEEN, act, "name", note=repr(name[:20]), ward=name, hashes=True
    )


# --------------------------------------------------------------------------------------- the answer


class Hang(BaseException):
    """The time of a case is over."""


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    def over(*_: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(
        signal.ITIMER_REAL, seconds, 0.5
    )  # again and again: one may fall into an `except`
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def somebody(unprivileged: bool) -> Iterator[None]:
    """As a user without rights, where this one is root, whom no permission binds."""
    change = unprivileged and os.geteuid() == 0
    if change:
        os.seteuid(65534)
    try:
        yield
    finally:
        if change:
            os.seteuid(0)


class Terminal(io.TextIOWrapper):
    """What looks to a program like a terminal, and keeps what it is given."""

    def isatty(self) -> bool:
        return True


def command(*words: str) -> str:
    """What the `ward` command prints on a terminal; run in this process."""
    out, err = (
        Terminal(io.BytesIO(), "utf-8", errors=e, newline="")
        for e in ("strict", "backslashreplace")
    )
    argv = sys.argv
    sys.argv = ["ward", *words]
    try:
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            contextlib.suppress(SystemExit),
        ):
            cli.main()
    finally:
        sys.argv = argv
    printed = []
    for stream in (out, err):
        stream.flush()
        printed.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    return "".join(printed)


def meaning(ward: Any) -> Any:
    """What of a ward hangs on its descriptors, hashes left out."""
    names = (
        "title", "name_vi", "name_en", "authority_vi", "authority_en", "superior_vi",
        "superior_en", "place",
    )  # fmt: skip
    own = [
        getattr(ward, name) for name in (*names, "areas", "currency", "illustrative", "recipients")
    ]
    tables = {
        (package.id, table.name): (table.path, table.area, table.primary_key, table.fields)
        for package in (ward, ward.reference)
        for table in package.tables.values()
    }
    return own, tables, (ward.sources_vi, ward.sources_en, ward.licences)


@dataclass(frozen=True)
class Answer:
    """What came of a case: an outcome, and what was said."""

    outcome: str
    said: str


def located(damage: Damage, problems: list[Any], said: str) -> bool:
    """Whether a refusal leads to the place of the damage."""
    if damage.where == "name":  # of a ward
        return (
            not damage.ward.strip("\0\ud800")
            or damage.ward[:20] in said
            or repr(damage.ward)[1:20] in said
        )
    if not problems:  # a request that cannot be met: in words
        return damage.where != "cell" and damage.file in said and "there is no ward" not in said
    here = [one for one in problems if one.file == damage.file]
    match damage.where:
        case "cell":
            rows = (damage.row, damage.last)
            return any(one.row in rows and damage.column in one.column for one in here)
        case "row":
            return any(one.row in (damage.row, damage.last) for one in here)
        case "property":
            return any(
                one.row or damage.column in f"{one.column} {one.found} {one.expected} {one.fix}"
                for one in here
            )
        case "file":
            return bool(here)
    return all(one.file.startswith("data/") and "." in one.file for one in problems)


def asked(damage: Damage, package: str, pristine: dict[str, Any]) -> Answer:
    """What loading and checking the damaged ward comes to, in this process."""
    accepts = {"day": TODAY} if "day" in inspect.signature(checks.check).parameters else {}
    name = damage.ward if damage.where == "name" else package
    problems: list[Any] = []
    said, ward = "", None
    try:
        with limited(SECONDS), somebody(damage.unprivileged):
            try:
                ward = descriptors.ward(name)
                problems = list(checks.check(ward, hashes=damage.hashes, **accepts))
                said = "\n".join(map(str, problems))
            except WardError as error:
                problems = list(error.problems) if isinstance(error, DataError) else []
                said = str(error)
    except Hang:
        return Answer("hang", f"more than {SECONDS} s")
    except Exception:
        return Answer("traceback", traceback.format_exc())
    if not said and not problems:
        changed = ward is not None and damage.same and meaning(ward) != pristine[package]
        silent = damage.verdict == SEEN or changed
        return Answer(
            "passed silently" if silent else "passed", "the ward has changed" if changed else ""
        )
    if damage.verdict == LAWFUL:
        return Answer("refused though lawful", said)
    return Answer("refused" if located(damage, problems, said) else "not located", said)


def printed(damage: Damage, package: str, answer: Answer) -> Answer:
    """The answer, or that the command does worse on a terminal than the functions do."""
    accept = [] if damage.hashes else ["--accept"]
    try:
        with limited(SECONDS):
            shown = command("check", "--ward", package, *accept) + command("list")
    except Hang:
        return Answer("hang", "ward check or ward list")
    except Exception:
        return Answer("traceback", traceback.format_exc())
    if CONTROL.search(shown):
        return Answer("control sequence", repr(shown))
    return answer


def processed(damage: Damage, package: str, home: Path, answer: Answer) -> Answer:
    """The answer, or that the command in a process of its own does worse."""
    accept = [] if damage.hashes else ["--accept"]
    for words in (["list"], ["check", "--ward", package, *accept]):
        program = "import sys; from wardlib.cli import main; sys.exit(main())"
        try:
            done = subprocess.run(
                [sys.executable, "-c", program, *words], cwd=home, timeout=4 * SECONDS,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return Answer("hang", f"ward {' '.join(words)}")
        said = done.stdout.decode(errors="backslashreplace")
        if "Traceback (most recent" in said or done.returncode not in (0, 1, 2):
            return Answer("traceback", f"ward {' '.join(words)}: {done.returncode}\n{said}")
        if CONTROL.search(said):
            return Answer("control sequence", repr(said))
    if answer.outcome == "refused" and damage.verdict == SEEN and done.returncode == 0:
        return Answer("passed silently", f"ward {' '.join(words)}: {said}")
    return answer


def drawn(book: Workbook, seed: int, case: int) -> Damage:
    """The damage of a case: the same whenever it is drawn."""
    chance = random.Random(f"{seed}-{case}")
    while True:
        name = chance.choice(list(KINDS))
        if name in RARE and chance.random() < 0.8:
            continue
        for _ in range(200):
            try:
                damage = KINDS[name](chance, book)
            except Elsewhere:
                continue
            return replace(damage, kind=name)


def tried(
    home: Path, book: Workbook, damage: Damage, case: int, pristine: dict[str, Any]
) -> Answer:
    """The answer to one damage; the copy is then as it was."""
    package = damage.file.split("/")[1]
    ward = "phuc-dong" if package == "reference" else package
    path = home / damage.file
    try:
        if isinstance(damage.act, bytes):
            path.write_bytes(damage.act)
        else:
            damage.act(path)
        answer = asked(damage, ward, pristine)
        if answer.outcome in OUTCOMES[:4] and damage.where != "name" and not damage.unprivileged:
            data = damage.act if isinstance(damage.act, bytes) else b""
            marks = CONTROL.search(data.decode(errors="replace") + answer.said) or rb"\u00" in data
            if marks or rb"\ud8" in data:
                answer = printed(damage, ward, answer)
            if case % 50 == 0 and answer.outcome in OUTCOMES[:4]:
                answer = processed(damage, ward, home, answer)
        return answer
    finally:
        restore(home, book)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", type=int, help="this one alone")
    options = parser.parse_args()
    book = workbook()
    counts: dict[str, Counter[str]] = {name: Counter() for name in KINDS}
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        home.chmod(0o755)  # for the user without rights
        shutil.copytree(ROOT / "notebooks", home / "notebooks")
        os.environ["WARDLIB_HOME"] = str(home)
        os.environ["PYTHONPATH"] = str(Path(cli.__file__).parents[1])
        restore(home, book)
        pristine = {}
        for name in PACKAGES[:2]:
            ward = descriptors.ward(name)
            assert not (problems := checks.check(ward)), problems
            pristine[name] = meaning(ward)
        for case in [options.case] if options.case is not None else range(options.cases):
            damage = drawn(book, options.seed, case)
            answer = tried(home, book, damage, case, pristine)
            counts[damage.kind][answer.outcome] += 1
            counts[damage.kind]["to refuse"] += damage.verdict == SEEN
            told = f"case {case}: {damage.kind}: {damage.file}"
            told += f", row {damage.row}" * bool(damage.row) + f", {damage.column}" * bool(
                damage.column
            )
            told += f" ({damage.note}): {damage.verdict}, {answer.outcome}"
            if options.case is not None:
                print(f"{told}\n{answer.said[:5000]}\n")
            elif answer.outcome in OUTCOMES[2:]:
                said = answer.said.strip().splitlines()
                last = said[-1] if answer.outcome == "traceback" else " / ".join(said[:3])
                failures.append((damage.kind, answer.outcome, f"{told}\n    {last[:300]}"))
    rows = []
    for name, count in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
        if cases := sum(count[outcome] for outcome in OUTCOMES):
            rows.append({"kind": name, "cases": cases, "to refuse": count["to refuse"]})
            rows[-1] |= {outcome: count[outcome] for outcome in OUTCOMES}
    print(markdown(pd.DataFrame(rows).set_index("kind"), {}))
    # One of each kind and outcome first.
    first: dict[tuple[str, str], str] = {}
    for name, outcome, told in failures:
        first.setdefault((name, outcome), told)
    others = [told for *_, told in failures if told not in first.values()]
    for told in [*first.values(), *others][:20]:
        print(f"\nseed {options.seed}, {told}")
    if failures:
        print(f"\n{len(failures)} failures; one alone: --seed {options.seed} --case N")
    failed = any(count[outcome] for count in counts.values() for outcome in OUTCOMES[2:])
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
