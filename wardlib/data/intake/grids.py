"""Grids: the sheets of an office file, whatever program wrote it, cell by cell with what is known of each."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from decimal import Decimal

Place = tuple[int, int]  # row and column, from 0
Block = tuple[int, int, int, int]  # top, left, bottom, right, all inclusive


def a1(place: Place) -> str:
    """A place as office programs name it.

    >>> a1((4, 6)), a1((0, 27))
    ('G5', 'AB1')
    """
    return f"{letters(place[1])}{place[0] + 1}"


def letters(column: int) -> str:
    """A column, from 0, as office programs name it.

    >>> letters(0), letters(25), letters(26), letters(701), letters(702)
    ('A', 'Z', 'AA', 'ZZ', 'AAA')
    """
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


@dataclass(frozen=True)
class Cell:
    """A filled cell.

    `value` is a number as the shortest decimal text of the stored one, a text as it stands (in legacy
    letters it is converted, with `converted`), a day, or a truth value; None where the file holds none
    that may be used, which `fault` explains: "error" (#REF! and its like, named in `text`), "formula" (no
    program has calculated it), "differs" (two readers read it differently). `text` is the cell as a
    person would quote it. `percent`: its number format shows per cent. `formula`: it is calculated.
    """

    value: Decimal | str | datetime.datetime | datetime.date | bool | None
    text: str
    fault: str = ""
    percent: bool = False
    formula: bool = False
    font: str = ""
    converted: bool = False


@dataclass(frozen=True)
class Grid:
    """A sheet: its filled cells by place, its merged blocks (None where the container knows none, as
    CSV), the rows and columns that are hidden (by a filter or a group too), and whether all of it is.
    A merged block's value stands in its first cell alone."""

    name: str
    cells: dict[Place, Cell]
    merges: tuple[Block, ...] | None = ()
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    hidden: bool = False

    @property
    def height(self) -> int:
        """One more than the last filled row."""
        return max((row for row, _ in self.cells), default=-1) + 1

    @property
    def width(self) -> int:
        """One more than the last filled column."""
        return max((column for _, column in self.cells), default=-1) + 1


@dataclass(frozen=True)
class OfficeFile:
    """An office file that was opened: its name, the digest of its bytes ("sha256:…"), its kind (xlsx,
    xls, ods, csv), the encoding of a CSV file and what parts its columns ("" otherwise), its sheets, and
    what was seen and ignored, each by a kind: macros, links, embedded."""

    name: str
    digest: str
    kind: str
    grids: tuple[Grid, ...]
    encoding: str = ""
    delimiter: str = ""
    ignored: tuple[str, ...] = field(default=())
