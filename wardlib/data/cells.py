"""Cells: how the cells of a column must be written, and which of a table's are not.

A demand is told in words that a clerk knows; signs that nobody sees are told by their names.
"""

from __future__ import annotations

import datetime
import difflib
import functools
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from wardlib.data import descriptors, patterns, reading
from wardlib.data.descriptors import Field, Package, Table, Ward
from wardlib.data.reading import Sheet
from wardlib.errors import Problem, WardError, hides, said
from wardlib.provenance import digest_bytes

if TYPE_CHECKING:
    import pandas as pd

LONGEST = 2_000  # letters of a cell: several times the longest remark that a table needs
_FIRST = datetime.date(2000, 1, 1)  # no figure of this workbook is about an earlier day
_LAST = datetime.date(2099, 12, 31)
# Columns that tell a day on which something was known, hence one that has passed.
_PASSED = ("reported_on", "published_on")
_AHEAD = 5  # years that a law, a school year or a calendar may reach into the future
# The least and the greatest number of a unit where the descriptor sets none; any number of them fits
# into 64 bits that a table could add up.
_LIMITS = {
    "days": (0, 366),
    "events": (0, 10**5),
    "persons": (0, 10**7),
    "%": (-(10**5), 10**5),
}
_OTHERWISE = (-(10**15), 10**15)
ASK_OFFICE = said("correct the figure, or ask the office that reported it")


@dataclass(frozen=True)
class Cells:
    """The cells of a table as they are written: the line of each row, and by column the cell of each
    row; `whole`: whether no row was left out."""

    lines: Sequence[int]
    columns: dict[str, tuple[str, ...]]
    whole: bool = True

    def __getitem__(self, column: str) -> tuple[str, ...]:
        return self.columns[column]

    def records(self) -> list[dict[str, str]]:
        """Each row by its columns."""
        return [
            dict(zip(self.columns, row, strict=True))
            for row in zip(*self.columns.values(), strict=True)
        ]

    def without(self, lines: set[int]) -> Cells:
        """The cells but for those of some rows."""
        if not lines:
            return self
        kept = [line not in lines for line in self.lines]
        columns = {name: tuple(compress(own, kept)) for name, own in self.columns.items()}
        return Cells(list(compress(self.lines, kept)), columns, whole=False)


def _cells(table: Table, sheet: Sheet) -> Cells | None:
    """The cells of the rows that have as many as the header; None unless that names the columns."""
    if not sheet.rows or sorted(sheet.rows[0].cells) != sorted(table.columns):
        return None
    if isinstance(sheet.rows, reading.Records):
        records = sheet.rows
        return Cells(records.lines, dict(zip(records.header, records.columns, strict=True)))
    header, *rows = sheet.rows
    whole = [row for row in rows if len(row.cells) == len(header.cells)]
    by_column = (
        zip(*(row.cells for row in whole), strict=True) if whole else [()] * len(header.cells)
    )
    return Cells([row.line for row in whole], dict(zip(header.cells, by_column, strict=True)))


def _before(table: Table, sheet: Sheet) -> Sheet:
    """The table's file as it was when its descriptor was read, if the descriptor that stands there now
    records it as it is; else as it is."""
    try:
        now = descriptors.package(table.package).tables.get(table.name)
    except WardError:
        return sheet
    data = reading.content(table.path)
    if now is None or now.hash != sheet.digest or data is None or table.bytes is None:
        return sheet
    known = data[: table.bytes]
    return reading.sheet(table.path, known) if digest_bytes(known) == table.hash else sheet


@dataclass(eq=False)
class File:
    """A table's file and what was made of it so far, so that it is made once."""

    table: Table
    sheet: Sheet
    # By the day of a check and the ward's currency: every fault, and the sound rows (see `checks`).
    judged: dict[tuple[datetime.date | None, str], tuple[list[Problem], Cells | None]] = field(
        default_factory=dict
    )
    frame: pd.DataFrame | None = None  # the whole table, typed, where no row is left out
    # What a reader sees of it, by his day and whether earlier reports too; see `book`.
    seen: dict[tuple[str, bool], pd.DataFrame] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)  # of the rows seen, by the day

    @functools.cached_property
    def cells(self) -> Cells | None:
        """The file's cells; None where its header does not name the table's columns."""
        return _cells(self.table, self.sheet)


@dataclass(frozen=True, eq=False)
class Shelf:
    """The tables that a ward is checked by, as they are written; each file is read once."""

    ward: Ward
    reference: dict[Path, File] = field(repr=False, default_factory=dict)
    _own: dict[Path, File] = field(init=False, repr=False, default_factory=dict)

    def file(self, table: Table) -> File:
        """The table's file; where it was taken in meanwhile that it has grown, as this ward knows it: of
        several tables that grow in one step all are seen as they were before."""
        files = self.reference if table.package == descriptors.REFERENCE else self._own
        if table.path not in files:
            own = reading.sheet(table.path)
            if own.digest not in ("", table.hash):
                own = _before(table, own)
            files[table.path] = File(table, own)
        return files[table.path]

    def sheet(self, table: Table) -> Sheet:
        """The sheet of the table's `file`."""
        return self.file(table).sheet

    def lengthen(self, table: Table, tail: bytes, *, new: bool) -> Sheet:
        """From here on the table is what it would be with the rows of `tail` at its end; gives it as it
        is. A `new` table has nothing but its header so far."""
        head = ",".join(table.columns) + "\n"
        data = head.encode() if new else reading.content(table.path)
        own = reading.sheet(table.path, data)
        if data is not None:
            longer = reading.sheet(table.path, reading.lengthened(data, tail))
            self._own[table.path] = File(table, longer)
        return Sheet("", ()) if new else own

    def cells(self, table: Table) -> Cells | None:
        """The table's cells; None where its header does not name its columns."""
        return self.file(table).cells

    def find(self, name: str, asking: Table) -> Table | None:
        """The table of that name for a column of the table `asking`: what all wards share is written
        in the codes that all wards share."""
        shared = asking.package == descriptors.REFERENCE
        return (self.ward.reference if shared else self.ward).table(name)

    def rows(self, name: str, asking: Table) -> list[dict[str, str]] | None:
        """The rows of the table that `find` gives; None where there is none, or it is faulty."""
        found = self.find(name, asking)
        cells = self.cells(found) if found else None
        if cells is None:
            return None
        return cells.records()

    def records(self, name: str) -> list[dict[str, str]]:
        """The rows of the ward's table of that name, or of the reference's; none where there is none, or
        it is faulty."""
        found = self.ward.table(name)
        cells = self.cells(found) if found else None
        return cells.records() if cells else []


_KEPT = 2  # wards whose tables are remembered
_shelves: dict[Path, tuple[Ward, reading.Stamps, Shelf]] = {}
_references: dict[Path, tuple[Package, reading.Stamps, dict[Path, File]]] = {}


def shelf(ward: Ward) -> Shelf:
    """The ward's tables as they are now: those that this process has read already, as long as no file
    of the ward or of the reference has changed, of the last wards asked for; else fresh ones.

    Nobody may change what it holds.
    """
    own = descriptors.home() / "data" / ward.id  # a district may have no table
    shared = own.parent / descriptors.REFERENCE
    stamps, shared_stamps = reading.stamps(own), reading.stamps(shared)
    package, known, files = _references.get(shared, (None, (), {}))
    if package is not ward.reference or known != shared_stamps:
        files = {}
        _references.clear()
        _references[shared] = ward.reference, shared_stamps, files
    described, before, made = _shelves.pop(own, (None, (), None))
    if made is None or described is not ward or before != stamps or made.reference is not files:
        made = Shelf(ward, files)
    _shelves[own] = ward, stamps, made
    while len(_shelves) > _KEPT:
        del _shelves[next(iter(_shelves))]
    return made


class _Demand(NamedTuple):
    """What a filled cell must be: a test, what is expected, what to do where it fails."""

    holds: Callable[[str], object]
    expected: str
    fix: str


# Digits are those of ASCII: others, such as full-width ones, look the same and are no number here.
_NUMBER = r"-?[0-9]+(\.[0-9]+)?"
# How a cell of each Table Schema type is written: pattern, what to expect, what to do.
_WRITTEN = {
    "integer": (
        r"-?[0-9]{1,18}",
        said("a whole number"),
        said("write digits only, without separators or decimals"),
    ),
    "number": (
        _NUMBER,
        said("a number"),
        said("write a point before the decimals, no separators"),
    ),
    "date": (
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
        said("a day such as 2020-09-13"),
        said("write year-month-day"),
    ),
    "yearmonth": (
        r"[0-9]{4}-(0[1-9]|1[0-2])",
        said("a month such as 2020-09"),
        said("write year-month"),
    ),
    "boolean": (r"true|false", said("true or false"), said("write true or false")),
}
# The units that have a word of their own in each language; others are codes, such as VND.
_UNITS: dict[str, str] = {unit: unit for unit in (said("persons"), said("days"), said("events"))}
_THOUSANDS = re.compile(r"-?[1-9][0-9]*\.[0-9]{3}")


def _demands(column: Field, filled: set[str], day: datetime.date | None) -> Iterator[_Demand]:
    """Each demand on the `filled` cells of a column of which nothing was known after `day`; those on
    texts only where some cell is more than a short one of plain letters."""
    unit = _UNITS.get(column.unit, column.unit)
    limits = column.constraints
    if column.type in _WRITTEN:
        pattern, expected, fix = _WRITTEN[column.type]
        yield _Demand(re.compile(pattern).fullmatch, _in_unit(expected, unit), fix)
    if column.type == "date":
        day_fix = said("correct the day or the month")
        yield _Demand(_is_no_false_day, said("a day of the calendar"), day_fix)
    if column.type in ("date", "yearmonth"):
        yield _window(column, day)
    elif "minimum" in limits or "maximum" in limits:
        yield _between(limits.get("minimum", -math.inf), limits.get("maximum", math.inf), unit)
    if column.type in ("integer", "number"):
        yield from _sizes(column, unit)
    if "enum" in limits:
        words = limits["enum"]
        one_of = said("one of {words}", words=", ".join(words))
        yield _Demand(words.__contains__, one_of, said("use one of these words"))
    if "pattern" in limits:
        like = said("text like {pattern}", pattern=limits["pattern"])
        yield _Demand(patterns.whole(limits["pattern"]), like, said("write it in this form"))
    if column.type == "list" or (column.type == "string" and not all(map(_is_simple, filled))):
        yield from _texts(column)


def _in_unit(what: str, unit: str) -> str:
    return said("{what} ({unit})", what=what, unit=unit) if unit else what


def _between(low: float, high: float, unit: str) -> _Demand:
    bounds: str = ""
    if low > -math.inf and high < math.inf:
        bounds = said("at least {low} and at most {high}", low=f"{low:,}", high=f"{high:,}")
    elif low > -math.inf:
        bounds = said("at least {low}", low=f"{low:,}")
    elif high < math.inf:
        bounds = said("at most {high}", high=f"{high:,}")
    is_number = re.compile(_NUMBER).fullmatch
    return _Demand(
        lambda text: not is_number(text) or low <= float(text) <= high,
        _in_unit(bounds, unit),
        ASK_OFFICE,
    )


def _sizes(column: Field, unit: str) -> Iterator[_Demand]:
    """Numbers of a size that can be; no point that could part thousands."""
    low, high = _LIMITS.get(column.unit, _OTHERWISE)
    limits = column.constraints
    if not {"minimum", "maximum"} <= set(limits):
        usual = _between(
            -math.inf if "minimum" in limits else low,
            math.inf if "maximum" in limits else high,
            unit,
        )
        written = re.compile(_WRITTEN[column.type][0]).fullmatch
        short = 0 if column.unit in _LIMITS else len(str(_OTHERWISE[1]))
        yield usual._replace(
            holds=lambda text: len(text) < short or not written(text) or usual.holds(text)
        )
    if column.type == "number":
        low, high = limits.get("minimum", low), limits.get("maximum", high)
        yield _Demand(
            lambda text: (
                not _THOUSANDS.fullmatch(text) or not low <= float(text.replace(".", "")) <= high
            ),
            _in_unit(
                said("a number whose point cannot be taken for one that parts thousands"), unit
            ),
            said(
                "if it parts thousands, leave it out; if decimals follow it, write a nought more or "
                "fewer"
            ),
        )


def _window(column: Field, day: datetime.date | None) -> _Demand:
    """Days and months of the time that this workbook is about: what was known, up to `day`."""
    known = column.name in _PASSED
    last = _LAST
    if day:
        last = day if known else datetime.date(day.year + _AHEAD, 12, 31)
    length = len("2020-09" if column.type == "yearmonth" else "2020-09-13")
    low = column.constraints.get("minimum", _FIRST.isoformat()[:length])
    high = column.constraints.get("maximum", last.isoformat()[:length])
    if known:
        high = min(high, last.isoformat())
    is_day = column.type != "yearmonth"
    if is_day:
        expected = said("a day from {low} to {high}", low=low, high=high)
        fix = said("correct the day")
    else:
        expected = said("a month from {low} to {high}", low=low, high=high)
        fix = said("correct the month")
    if known and day:
        fix = said(
            "{fix}; nothing was known after {day}, the day of this check or of the last --accept",
            fix=fix,
            day=day,
        )
    written = re.compile(_WRITTEN[column.type][0]).fullmatch
    return _Demand(
        # Days are written so that the order of texts is that of time.
        lambda text: low <= text <= high or not written(text) or (is_day and not _is_day(text)),
        expected,
        fix,
    )


# What makes a text one that can be read and found again.
_READABLE = (
    _Demand(
        lambda text: unicodedata.is_normalized("NFC", text),
        said("composed Unicode letters (NFC)"),
        said("save the file with composed letters (NFC), e.g. from a Unicode keyboard"),
    ),
    _Demand(
        lambda text: text == text.strip(),
        said("no space at either end"),
        said("remove the spaces"),
    ),
    _Demand(
        lambda text: not hides(text.replace("\r\n", "").replace("\n", "")),
        said("letters that can be seen"),
        said("remove the sign, or write the cell anew by hand"),
    ),
    _Demand(
        lambda text: len(text) <= LONGEST,
        said("at most {limit} letters", limit=f"{LONGEST:,}"),
        said(
            "shorten the text; if it holds rows of the table, close the double quotes where it should "
            "end"
        ),
    ),
)
_ONE_LINE = _Demand(
    lambda text: "\n" not in text, said("text of one line"), said("put the text on one line")
)


def _texts(column: Field) -> Iterator[_Demand]:
    """Texts as they can be read and found again."""
    yield from _READABLE
    if column.required or column.codes:
        yield _ONE_LINE
    if column.type == "list":
        yield _Demand(
            lambda text: _stand_once(text.split(column.delimiter)),
            said(
                "items that stand once, with one {sign} between each two",
                sign=repr(column.delimiter),
            ),
            said("remove empty or doubled items"),
        )


def _stand_once(items: list[str]) -> bool:
    return all(items) and len(set(items)) == len(items)


def _is_simple(text: str) -> bool:
    """Whether a text is short, of printable ASCII, and has no space at an end: it meets every demand."""
    return text.isascii() and text.isprintable() and text == text.strip() and len(text) <= LONGEST


def _is_no_false_day(text: str) -> bool:
    """Whether a text that begins with a year and is as long as a day is one of the calendar."""
    return not re.fullmatch(r"[0-9]{4}.{6}", text, re.DOTALL) or _is_day(text)


def _is_day(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def faulty(table: Table, cells: Cells, day: datetime.date | None) -> list[Problem]:
    """A problem for each cell that breaks its column's type, range, window, words or normal form; of
    many of one kind the first ones, and how many more."""
    problems = []
    for column in table.fields:
        different = set(cells[column.name])  # few, in most columns
        filled = different - {""}
        faults: list[tuple[set[str], str, str]] = [
            ({text for text in filled if not demand.holds(text)}, demand.expected, demand.fix)
            for demand in _demands(column, filled, day)
        ]
        if column.required and "" in different:
            fill = said("fill the cell; a figure not reported has no row at all")
            faults.append(({""}, said("a value"), fill))
        for wrong, expected, fix in faults:
            if not wrong:
                continue
            places = [
                (line, column.name, text, expected, fix)
                for line, text in zip(cells.lines, cells[column.name], strict=True)
                if text in wrong
            ]
            problems += reading.first(
                places, lambda at: Problem(table.file, *at[:2], shown(at[2]), *at[3:])
            )
    return problems


def shown(text: str) -> str:
    """A cell as a message shows it: quoted, shortened, with an empty one named, and the first sign in
    it that is not what it looks like."""
    if not text:
        return said("an empty cell")
    found = repr(text) if len(text) <= 60 else repr(text[:57] + "...")
    if len(text) > LONGEST:
        found = said("{count} letters, {text}", count=f"{len(text):,}", text=found)
    odd = [at for at, char in enumerate(text) if _is_odd(char)]
    if odd:
        char = text[odd[0]]
        name = unicodedata.name(char, "CONTROL CHARACTER").lower()
        found = said(
            "{text}, with {sign} at letter {place}",
            text=found,
            sign=f"U+{ord(char):04X} {name}",
            place=odd[0] + 1,
        )
    return found


def _is_odd(char: str) -> bool:
    """Whether a sign can be taken for another, or for none: unseen ones, spaces that are not the
    space, letters of other scripts than the Latin."""
    if char.isascii():
        return char != "\n" and not char.isprintable()
    kind = unicodedata.category(char)
    foreign = kind[0] == "L" and not unicodedata.name(char, "").startswith("LATIN")
    return foreign or kind == "Zs" or hides(char)


def nearest(code: str, known: Iterable[str]) -> str:
    """The beginning of a remedy: which of the `known` codes a wrong one comes near to; "" if none."""
    written = {plain(one): one for one in sorted(known) if one}
    near = difflib.get_close_matches(plain(code), written, n=1, cutoff=0.7)
    return said("did you mean {code}? ", code=written[near[0]]) if near else ""


def any_of(texts: Iterable[str]) -> str:
    """Texts, of which one will do, as one: "a or b"."""
    return functools.reduce(
        lambda one, other: said("{one} or {other}", one=one, other=other), texts
    )


def plain(code: str) -> str:
    """A code without what sets it apart from its like: case, unseen signs, marks on letters."""
    letters = unicodedata.normalize("NFKD", code[:LONGEST]).casefold()
    return "".join(letter for letter in letters if letter.isalnum())[:100]
