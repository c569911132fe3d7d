"""Workbooks: an office file opened, each cell as two readers agree on it."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import io
from collections.abc import Callable, Iterable

import python_calamine

from wardlib.data.intake import binaries, containers, delimited, formats, opendocument, openxml
from wardlib.data.intake.grids import Cell, Grid, OfficeFile, Place
from wardlib.errors import said

_Value = (
    int
    | float
    | str
    | bool
    | datetime.time
    | datetime.date
    | datetime.datetime
    | datetime.timedelta
)
# Parts of an archive that are ignored, by what their names begin with.
_IGNORED = {
    "macros": ("xl/vbaproject", "xl/macrosheets/", "basic/", "scripts/"),
    "links": ("xl/externallinks/", "xl/connections.xml", "xl/querytables/"),
    "embedded": (
        "xl/embeddings/", "xl/activex/", "xl/ctrlprops/", "xl/media/", "pictures/", "object ",
    ),
}  # fmt: skip


def opened(data: bytes, name: str, known: Callable[[str], bool]) -> OfficeFile:
    """The office file of these bytes. `known(text)` tells whether a cell is a head, line, unit or
    school that is recognised: it chooses encoding and delimiter of a CSV file.

    The values are those on which python-calamine and a second reader, which knows formulas, errors,
    formats and what is hidden, agree; where they do not the cell has the fault "differs". Nothing is
    calculated, run or followed. DataError, with problems of the file as a whole, where it is none,
    damaged, asks for a password or goes beyond a limit of `containers`.
    """
    kind, archive = containers.opened(data, name)
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    if kind == "csv":
        grid, encoding, delimiter = delimited.grid(data, name, known)
        return OfficeFile(name, digest, kind, (grid,), encoding, delimiter)
    tally = containers.Tally(name)
    if archive is None:
        grids, ignored = binaries.grids(data, tally)
    else:
        read = openxml.grids if kind == "xlsx" else opendocument.grids
        grids = read(archive, tally)
        ignored = _ignored(archive.parts)
    if not grids:
        raise containers.damaged(name, said("a workbook without a sheet"))
    if len({grid.name for grid in grids}) < len(grids):
        raise containers.damaged(name, said("two sheets of one name"))
    grids = [_uncovered(grid, tally) for grid in _agreed(data, name, grids)]
    return OfficeFile(name, digest, kind, tuple(grids), ignored=ignored)


def _ignored(parts: Iterable[str]) -> tuple[str, ...]:
    parts = tuple(parts)
    return tuple(
        kind for kind, starts in _IGNORED.items() if any(part.startswith(starts) for part in parts)
    )


def _uncovered(grid: Grid, tally: containers.Tally) -> Grid:
    """The sheet without what is stored under a merged block, where nobody sees it, without merged
    blocks in which nothing stands, and without hidden rows and columns beyond its last filled ones."""
    cells = dict(grid.cells)
    for top, left, bottom, right in grid.merges or ():
        area = (bottom - top + 1) * (right - left + 1)
        tally.looked_at(min(area, len(cells)))
        if area <= len(cells):
            covered: Iterable[Place] = (
                (row, column) for row in range(top, bottom + 1) for column in range(left, right + 1)
            )
        else:
            covered = [
                (row, column)
                for row, column in cells
                if top <= row <= bottom and left <= column <= right
            ]
        for at in covered:
            if at != (top, left):
                cells.pop(at, None)
    merges = grid.merges and tuple(block for block in grid.merges if block[:2] in cells)
    for top, left, bottom, right in merges or ():
        tally.merged((bottom - top + 1) * (right - left + 1))
    trimmed = dataclasses.replace(grid, cells=cells, merges=merges)
    height, width = trimmed.height, trimmed.width
    return dataclasses.replace(
        trimmed,
        hidden_rows=frozenset(row for row in grid.hidden_rows if row < height),
        hidden_columns=frozenset(column for column in grid.hidden_columns if column < width),
    )


def _agreed(data: bytes, name: str, grids: list[Grid]) -> list[Grid]:
    """The sheets, each cell with the fault "differs" that python-calamine reads differently."""
    try:
        with python_calamine.load_workbook(io.BytesIO(data)) as book:
            names = set(book.sheet_names)
            if not all(grid.name in names for grid in grids):
                raise containers.damaged(name, said("sheets that two readers name differently"))
            return [_compared(grid, book.get_sheet_by_name(grid.name)) for grid in grids]
    except python_calamine.PasswordError as error:
        raise containers.encrypted(name) from error
    except (python_calamine.CalamineError, ValueError, OverflowError, OSError) as error:
        raise containers.damaged(name) from error
    except BaseException as error:
        # What its Rust gives up on is no Exception and has no name to import.
        if type(error).__name__ != "PanicException":
            raise
        raise containers.damaged(name) from error


def _compared(grid: Grid, sheet: python_calamine.CalamineSheet) -> Grid:
    top, left = sheet.start or (0, 0)
    read = {
        (top + row, left + column): value
        for row, values in enumerate(sheet.to_python())
        for column, value in enumerate(values)
        if value != ""
    }
    cells = {}
    for at, cell in grid.cells.items():
        value = read.pop(at, "")
        if not cell.fault and not _same(cell, value):
            cell = dataclasses.replace(cell, value=None, fault="differs")
        cells[at] = cell
    for at, value in read.items():
        cells[at] = Cell(None, str(value), "differs")
    return dataclasses.replace(grid, cells=cells)


def _same(cell: Cell, value: _Value) -> bool:
    """Whether python-calamine's value is that of the cell. Moments may differ by a second's rounding;
    blanks and ends of lines at which readers fold a text are not looked at."""
    own = cell.value
    if isinstance(own, bool) or isinstance(value, bool):
        return own is value
    if isinstance(value, datetime.timedelta):
        return own == formats.clock(value.total_seconds())
    if isinstance(value, datetime.time):
        moment = datetime.datetime.combine(datetime.date.min, value) - datetime.datetime.min
        return own == formats.clock(moment.total_seconds())
    if isinstance(own, str):
        return isinstance(value, str) and (
            _bare(own) == _bare(value) or _bare(own) == _bare(openxml.text_of(value))
        )
    if isinstance(own, datetime.date):
        return isinstance(value, datetime.date) and abs(_moment(own) - _moment(value)) <= (
            datetime.timedelta(seconds=1)
        )
    return isinstance(value, int | float) and own is not None and float(own) == value


def _bare(text: str) -> str:
    return "".join(text.split())


def _moment(day: datetime.date) -> datetime.datetime:
    if isinstance(day, datetime.datetime):
        return day
    return datetime.datetime.combine(day, datetime.time())
