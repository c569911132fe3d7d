"""Reading: the one place that opens a data file, and that knows which of its rows a reader sees.

Files only grow: each figure carries the day it was reported, and a reader sees what was known on a
day. The same rows that a `View` selects are typed, shown and digested.
"""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, compress, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, overload

from wardlib.errors import DataError, Problem, said
from wardlib.periods import Period
from wardlib.provenance import digest_bytes

if TYPE_CHECKING:
    import pandas as pd

_REPORTED = ("reported_on", "published_on")  # columns that say since when a row is known
_LONGEST = 5_000_000  # bytes of a descriptor; one of ten tables has 40,000
DESCRIPTOR = "datapackage.json"
KEPT = ".accepted"  # the folder beside the tables that acceptance and intake keep for themselves
JOURNAL = "journal.json"  # in it: what an intake is appending, see `journal`


# A million rows of receipts have 50 MB, and take 0.7 GB of memory to check: four times that is the most
# that an ordinary machine can take. What is larger is another file.
LARGEST = 200_000_000  # bytes
LONGEST_CELL = 131_072  # letters
SHOWN = 20  # faults of one kind in one column that are told one by one
_Fault = TypeVar("_Fault")


def name(path: Path) -> str:
    """A data file as messages and records name it: relative to the workbook's folder."""
    return f"data/{path.parent.name}/{path.name}"


# What tells a folder's files from what they were before: of each its name, inode, size and time.
Stamps = tuple[tuple[str, int, int, int], ...]
_MOMENT = 20_000_000  # ns; two changes of a file within it may bear the same time


def stamps(folder: Path) -> Stamps:
    """The stamps of what lies in a folder of tables, () where it may not be looked into. What was made of
    its files holds as long as they are the same; a journal comes and goes with a stamp of its folder.

    Where something was changed at this moment they are equal to none: it may change again in the same.
    """
    found = []
    newest = 0
    try:
        with os.scandir(folder) as inside:
            for entry in inside:
                try:
                    own = entry.stat()
                except OSError:  # a link that leads to nothing
                    own = entry.stat(follow_symlinks=False)
                changed = max(own.st_mtime_ns, own.st_ctime_ns)
                newest = max(newest, changed)
                found.append((entry.name, own.st_ino, own.st_size, changed))
    except OSError:
        return ()
    now = time.time_ns()
    if 0 <= now - newest < _MOMENT:
        found.append(("", 0, 0, now))
    return tuple(sorted(found))


class Row(NamedTuple):
    """A record of a CSV file: the line on which it ends (the header's is 1), its cells, and its text
    as it is written, line end included. A line with nothing in it is a row without cells."""

    line: int
    cells: list[str]
    text: str


class Records(Sequence[Row]):
    """The rows of a sound file, each of them one line: by column, so that a million take no room for a
    million small objects. Below the header of the first line, row `at` stands on `lines[at]` and has the
    cell `columns[...][at]` of each column; `ends` are the places in the `text` after 0, 1, ... lines."""

    def __init__(
        self,
        text: str,
        ends: Sequence[int],
        header: list[str],
        columns: tuple[tuple[str, ...], ...],
        lines: Sequence[int],
    ) -> None:
        self.text, self.ends, self.header = text, ends, header
        self.columns, self.lines = columns, lines

    def __len__(self) -> int:
        return 1 + len(self.lines)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | list[Row]:
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        at = range(len(self))[at]
        line = self.lines[at - 1] if at else 1
        cells = [column[at - 1] for column in self.columns] if at else self.header
        return Row(line, cells, self.text[self.ends[line - 1] : self.ends[line]])

    def where(self, seen: list[bool]) -> Records:
        """Those of the rows below the header that are `seen`."""
        columns = tuple(tuple(compress(column, seen)) for column in self.columns)
        return Records(self.text, self.ends, self.header, columns, list(compress(self.lines, seen)))

    def written(self) -> str:
        """Header and rows as they are written."""
        pieces = (self.text[self.ends[line - 1] : self.ends[line]] for line in (1, *self.lines))
        return "".join(pieces)


_PORTION = 1_000  # lines that are parsed at once; more would not stay near the processor
_ALIKE = 10_000  # different cells of a column, above which there is no use in keeping each once


def _records(text: str) -> Records | None:
    """The rows of a file's text; None where some row has more lines than one, or not as many cells as the
    header, or where the form of the text is at fault."""
    ends = array("q", [0])
    header: list[str] = []
    columns: list[list[str]] = []
    known: list[dict[str, str]] = []
    portions = io.StringIO(text, newline="")
    while lines := list(islice(portions, _PORTION)):
        ends.extend(list(accumulate(map(len, lines), initial=ends[-1]))[1:])
        try:
            rows = list(csv.reader(lines, strict=True))
        except csv.Error:
            return None
        if len(rows) != len(lines):
            return None
        if not header:
            header, *rows = rows
            columns, known = [[] for _ in header], [{} for _ in header]
        if not header or set(map(len, rows)) - {len(header)}:
            return None
        for column, once, cells in zip(columns, known, zip(*rows, strict=True), strict=False):
            alike = len(once) < _ALIKE
            column.extend(map(once.setdefault, cells, cells) if alike else cells)
    if not header:  # an empty file
        return None
    return Records(text, ends, header, tuple(map(tuple, columns)), range(2, len(ends)))


@dataclass(frozen=True)
class Sheet:
    """A CSV file as it is written.

    `digest` is that of its bytes, "" where there is no such file; `problems` are the faults of its
    form (encoding, quotes, number of cells); `rows` begin with the header, and are none where the
    file is no CSV at all.
    """

    digest: str
    problems: tuple[Problem, ...]
    rows: Sequence[Row] = ()


def content(path: Path) -> bytes | None:
    """The bytes of an ordinary file no larger than any table of this workbook; None where there is none
    that may be read."""
    try:
        large = irregular(path) or path.stat().st_size > LARGEST
        return None if large else _bytes(path)
    except OSError:
        return None


def _bytes(path: Path) -> bytes:
    """The bytes of a file, without what an intake is still appending to it (`settled`): all that was
    accepted before it or all that was after, also where it is at work at this moment."""
    while True:
        before = _step(path)
        data = settled(path, path.read_bytes())
        if _step(path) == before:
            return data


def _step(path: Path) -> tuple[bool, tuple[int, int]]:
    """What tells an intake's step of the tables beside a file from the next: whether it keeps a journal,
    and which descriptor stands there."""
    try:
        known = path.with_name(DESCRIPTOR).stat()
        which = known.st_ino, known.st_mtime_ns
    except OSError:
        which = 0, 0
    return (path.parent / KEPT / JOURNAL).exists(), which


def digest_of(folder: Path) -> str:
    """The digest of all files of a folder of tables and of their names: of the bytes that `content` gives,
    "" for what may not be read. What was made of them holds as long as it is the same."""
    try:
        files = [own for own in folder.iterdir() if own.name.endswith((".csv", DESCRIPTOR))]
    except OSError:
        files = []
    digests = sorted((own.name, digest_bytes(content(own) or b"")) for own in files)
    return digest_bytes(json.dumps(digests).encode())


def settled(path: Path, data: bytes) -> bytes:
    """What counts of a table's file that holds `data`: where a journal names it and the descriptor is
    still the one of before, not the rows, whole or in part, that are being appended, or that were when
    the intake was killed."""
    pending = unsettled(path.parent).get(path.name)
    if pending is None:
        return data
    length, tail = pending
    return data[:length] if tail.startswith(data[length:]) else data


def unsettled(folder: Path) -> dict[str, tuple[int, bytes]]:
    """By the name of a table's file: after how many bytes an intake appends to it, and what, where its
    step has been begun and not done. A journal that no intake has written counts for nothing."""
    journal = folder / KEPT / JOURNAL
    try:
        if not stat.S_ISREG(journal.lstat().st_mode):
            return {}
        told = json.loads(journal.read_bytes())
        if digest_bytes((folder / DESCRIPTOR).read_bytes()) != told["descriptor"]:
            return {}
        return {
            name: (int(own["length"]), str(own["tail"]).encode())
            for name, own in told["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def lengthened(data: bytes, tail: bytes) -> bytes:
    """The rows of a file and those to append to it; a line end between them where the file lacks it."""
    return data + (b"" if ends_a_row(data, len(data)) else b"\n") + tail


def ends_a_row(data: bytes, end: int) -> bool:
    """Whether what follows the first `end` bytes is rows of its own: without a line end between them it
    would lengthen the last row before."""
    ends = (b"\n", b"\r")
    return end == 0 or data[end - 1 : end] in ends or data[end : end + 1] in ends


def first(faults: Sequence[_Fault], problem: Callable[[_Fault], Problem]) -> list[Problem]:
    """The problems that faults of one kind make, in the order of their rows: of many the first ones,
    and in place of the rest one that says how many more there are and how far down."""
    if len(faults) <= SHOWN + 1:
        return [problem(fault) for fault in faults]
    next_one, last = problem(faults[SHOWN]), problem(faults[-1])
    more = said(
        "{count} more cells or rows with this fault, the last in row {row}",
        count=f"{len(faults) - SHOWN:,}",
        row=last.row,
    )
    return [*map(problem, faults[:SHOWN]), replace(next_one, found=more)]


def sheet(path: Path, data: bytes | None = None) -> Sheet:
    """The CSV file at `path`, or the one that holds `data` in its place; what is wrong with its form is
    told in its `problems`. A file that is none, or larger than any table of this workbook, is not opened."""

    def broken(row: int, found: str, expected: str, fix: str) -> Problem:
        return Problem(name(path), row, "", found, expected, fix)

    def counted(cells: list[str]) -> str:
        return said("1 cell") if len(cells) == 1 else said("{count} cells", count=len(cells))

    fix = said("put the file back, or take the table out of the descriptor")
    try:
        if data is None:
            if kind := irregular(path):
                return Sheet("", (broken(0, kind, said("a CSV file"), fix),))
            if (bytes_ := path.stat().st_size) > LARGEST:
                size = said("{count} bytes", count=f"{bytes_:,}")
                most = said("a CSV file of at most {count} bytes", count=f"{LARGEST:,}")
                fix = said(
                    "put the table's own file here; one of this workbook has some hundred kilobytes"
                )
                return Sheet("", (broken(0, size, most, fix),))
            data = _bytes(path)
    except PermissionError as error:
        fix = said("let the user who runs ward read the file and the folders above it")
        return Sheet("", (broken(0, reason(error), said("a CSV file"), fix),))
    except OSError as error:
        return Sheet("", (broken(0, reason(error), said("a CSV file"), fix),))
    digest = digest_bytes(data)
    try:
        text = _text(data, path, said("save the file as CSV UTF-8"))
    except DataError as error:
        return Sheet(digest, error.problems)
    if (records := _records(text)) is not None:
        return Sheet(digest, (), records)
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines, strict=True)
    rows: list[Row] = []
    ragged = []
    problems = []
    end = 0
    # One limit for the whole process, which a library may have raised.
    before = csv.field_size_limit(LONGEST_CELL)
    try:
        for cells in reader:
            begin, end = end, reader.line_num
            rows.append(Row(end, cells, "".join(lines[begin:end])))
            if cells and len(cells) != len(rows[0].cells):
                ragged.append(rows[-1])
    except csv.Error as error:
        fix = said("close the double quotes of this row")
        fault = broken(reader.line_num, outside(str(error)), said("a CSV row"), fix)
        if "field larger than" in str(error):
            limit = f"{LONGEST_CELL:,}"
            fix = said(
                "shorten the cell; if rows of the table got into it, close its double quotes"
            )
            long = said("a cell of more than {limit} letters", limit=limit)
            fault = broken(end + 1, long, said("a CSV row"), fix)
        problems.append(fault)
    finally:
        csv.field_size_limit(before)
    fix = said("add or remove commas; put cells that hold a comma in double quotes")
    uneven = first(
        ragged, lambda row: broken(row.line, counted(row.cells), counted(rows[0].cells), fix)
    )
    if problems:
        return Sheet(digest, (*uneven, *problems))
    return Sheet(digest, tuple(uneven), tuple(rows) or (Row(1, [], ""),))


def _text(data: bytes, path: Path, fix: str) -> str:
    """The bytes of a file as text; DataError where they are no UTF-8 or hold a NUL, which no page
    could show."""
    try:
        text, at = data.decode(), data.find(b"\0")
    except UnicodeDecodeError as error:
        text, at = "", error.start
    if at < 0:
        return text.removeprefix("\ufeff")  # office programs mark UTF-8 so
    row, found = data.count(b"\n", 0, at) + 1, said("byte {byte}", byte=f"0x{data[at]:02x}")
    raise DataError([Problem(name(path), row, "", found, said("UTF-8 text"), fix)])


def descriptor(path: Path) -> str:
    """The text of a descriptor; DataError where it is not there, or cannot be read as text."""
    expected = said("the descriptor of the tables in this folder")
    fix = said("restore the file")
    found = irregular(path)
    try:
        if not found and path.stat().st_size > _LONGEST:
            found = said("a longer file")
            expected = said("at most {count} bytes", count=f"{_LONGEST:,}")
            fix = said("take out what describes no table")
        if not found:
            return _text(path.read_bytes(), path, said("save the file as UTF-8"))
    except OSError as error:
        found = reason(error)
        if isinstance(error, PermissionError):
            fix = said("give whoever runs this the right to read the file and its folder")
    raise DataError([Problem(name(path), 0, "", found, expected, fix)])


# What Python and the operating system say of files, so that a language can say it anew.
_OUTSIDE: dict[str, str] = {
    text: text
    for text in (
        said("Permission denied"),
        said("Operation not permitted"),
        said("No such file or directory"),
        said("Not a directory"),
        said("Is a directory"),
        said("Read-only file system"),
        said("No space left on device"),
        said("Disk quota exceeded"),
        said("File too large"),
        said("Too many levels of symbolic links"),
        said("File name too long"),
        said("Input/output error"),
        said("unexpected end of data"),
        said("',' expected after '\"'"),
        said(
            "new-line character seen in unquoted field - do you need to open the file with newline=''?"
        ),
        said("Expecting value"),
        said("Expecting ',' delimiter"),
        said("Expecting ':' delimiter"),
        said("Expecting property name enclosed in double quotes"),
        said("Illegal trailing comma before end of object"),
        said("Illegal trailing comma before end of array"),
        said("Unterminated string starting at"),
        said("Invalid control character at"),
        said("Invalid \\escape"),
        said("Invalid \\uXXXX escape"),
        said("Extra data"),
    )
}


def outside(text: str) -> str:
    """What Python or the operating system says, as `Said` where it is known."""
    return _OUTSIDE.get(text, text)


def reason(error: OSError) -> str:
    """Why a file cannot be read or written."""
    return outside(error.strerror) if error.strerror else said("unreadable")


_KINDS = {
    stat.S_IFREG: "",
    stat.S_IFDIR: said("a folder"),
    stat.S_IFIFO: said("a named pipe"),
    stat.S_IFSOCK: said("a socket"),
}
_DEVICE = said("a device")


def irregular(path: Path) -> str:
    """What stands at `path` in place of an ordinary file of its folder, "" where it is one, or nothing.

    It is not opened: a pipe would keep its reader waiting for ever.
    """
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            folder = path.parent.resolve()
            if not path.resolve().is_relative_to(folder):
                return said("a link that leads out of the folder")
            mode = path.stat().st_mode
    except FileNotFoundError:
        return ""
    except RuntimeError:  # Python 3.11 and 3.12 say so of links in a circle
        return said("a link that leads to itself")
    except OSError as error:
        return (
            "" if isinstance(error, PermissionError) else outside(error.strerror or said("no file"))
        )
    return _KINDS.get(stat.S_IFMT(mode), _DEVICE)


@dataclass(frozen=True)
class View:
    """Which rows of a file a reader sees: those reported or published by `day` ("2020-09-13",
    inclusive), whatever month they are about; "" sets no bound. A file that tells no such day is seen
    whole."""

    day: str = ""

    def rows(self, sheet: Sheet) -> Sequence[Row]:
        """The rows seen, the header first; DataError where the form of the file is at fault."""
        if sheet.problems:
            raise DataError(sheet.problems)
        if isinstance(records := sheet.rows, Records):
            for at, column in enumerate(records.header):
                if self.day and column in _REPORTED:
                    known = ["" < day <= self.day for day in records.columns[at]]
                    records = records if all(known) else records.where(known)
            return records
        header, *seen = sheet.rows
        for at, column in enumerate(header.cells):
            if self.day and column in _REPORTED:
                # Days are written so that the order of texts is that of time.
                seen = [row for row in seen if not row.cells or "" < row.cells[at] <= self.day]
        return [header, *seen]

    def digest(self, sheet: Sheet) -> str:
        """The digest of the rows seen, as they are written; of a file that is seen whole, the
        file's. DataError where the form of the file is at fault."""
        seen = self.rows(sheet)
        if len(seen) == len(sheet.rows):
            return sheet.digest
        if isinstance(seen, Records):
            return digest_bytes(seen.written().encode())
        return digest_bytes("".join(row.text for row in seen).encode())


def lines(rows: Sequence[Row]) -> Sequence[int]:
    """The lines of the rows below the header that have cells."""
    if isinstance(rows, Records):
        return rows.lines
    return [row.line for row in rows[1:] if row.cells]


def _column(rows: Sequence[Row], at: int) -> Sequence[str]:
    """The cells of a column in those rows."""
    if isinstance(rows, Records):
        return rows.columns[at]
    return [row.cells[at] for row in rows[1:] if row.cells]


def last_report(sheet: Sheet, period: Period) -> str:
    """The newest day ("2020-10-12") on which a row was reported that is about the last month of
    `period`, its year, or one before (a row may tell a month or a year); "" where there is none, or the
    file tells no such months and days.

    Raises DataError where the form of the file is at fault.
    """
    if sheet.problems:
        raise DataError(sheet.problems)
    header = sheet.rows[0].cells
    if "reported_on" not in header:
        return ""
    days = _column(sheet.rows, header.index("reported_on"))
    year = str(period.year)
    newest = [""]
    for column, last in (("month", f"{year}-{period.bounds[1]:02}"), ("year", year)):
        if column in header:
            since = _column(sheet.rows, header.index(column))
            newest += {day for day, own in zip(days, since, strict=True) if "" < own <= last}
    return max(newest)


def newest(table: pd.DataFrame, key: tuple[str, ...]) -> pd.DataFrame:
    """The last reported row of each figure, a figure being `key` without `reported_on`."""
    figures = list(
        zip(*(plain(table[column]) for column in key if column != "reported_on"), strict=True)
    )
    in_order = table["reported_on"].to_numpy().argsort(kind="stable").tolist()
    last = {figures[at]: at for at in in_order}
    return table.iloc[sorted(last.values())]


def plain(column: pd.Series[Any]) -> list[Any]:
    """The cells of a column, months as their ordinals: Periods are slow to make and to compare."""
    import pandas as pd

    months = isinstance(column.dtype, pd.PeriodDtype)
    return (column.astype("int64") if months else column).tolist()
