"""Layouts: where the tables of a sheet are, what their heads say, level by level, and what each row is about.

A table is found by its rows: cells that name a revenue line, a school, a field of activities or an
indicator. Where such names stand side by side rather than below each other, the sheet is read with rows
and columns exchanged. Heads are rebuilt from merged cells, and from blanks where nothing was merged.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

from wardlib.data.intake import amounts, containers
from wardlib.data.intake.grids import Cell, Grid, Place, a1
from wardlib.data.intake.months import Told, is_month_word, is_named_month, told
from wardlib.data.intake.wordings import GROUP, SUM, Wordings, fold

_LEVELS = 6  # rows of a head, at most
_REGIONS = 40  # groups of names in a sheet that are looked at, the largest first
_COUNT = re.compile(r"[A-Za-zĐđ]|\(?\d{1,2}\)?|\d{1,2}\s*=\s*[\d\s+*/x:()=%.,-]+|\[\d{1,2}\]")
_NUMBER = re.compile(r"\s*\(?([0-9]{1,3}(?:\.[0-9]{1,3})*|[IVX]{1,5}|[A-ZĐ])\s*(?:[.)/-]|$|\s)")
_DASH = re.compile(r"\s*[-+*•–—]")


@dataclass(frozen=True)
class View:
    """A grid, or the same with rows and columns exchanged (`turned`)."""

    grid: Grid
    turned: bool = False

    @cached_property
    def cells(self) -> dict[Place, Cell]:
        if not self.turned:
            return self.grid.cells
        return {self._swap(place): cell for place, cell in self.grid.cells.items()}

    @cached_property
    def blocks(self) -> dict[Place, tuple[int, int, int, int]]:
        """By each place of a merged block the block; of blocks larger than any head none."""
        blocks = {}
        for top, left, bottom, right in self.grid.merges or ():
            if self.turned:
                top, left, bottom, right = left, top, right, bottom
            if (bottom - top + 1) * (right - left + 1) <= containers.BLOCK:
                for row in range(top, bottom + 1):
                    for column in range(left, right + 1):
                        blocks[row, column] = top, left, bottom, right
        return blocks

    @cached_property
    def rows(self) -> dict[int, list[int]]:
        """By row its filled columns, in order; blank texts do not fill."""
        rows: dict[int, list[int]] = {}
        for (row, column), cell in sorted(self.cells.items(), key=lambda own: own[0]):
            if cell.fault or not isinstance(cell.value, str) or cell.value.strip():
                rows.setdefault(row, []).append(column)
        return rows

    def name(self, place: Place) -> str:
        """A place as the clerk sees it."""
        return a1(self._swap(place))

    def letter(self, place: Place) -> str:
        """The column of a place, as the clerk sees it."""
        return re.sub("[0-9]", "", self.name(place))

    def original(self, place: Place) -> Place:
        return self._swap(place)

    def text(self, place: Place) -> str:
        """The text of a cell, of a number or a day as a head shows it; "" for an empty one."""
        cell = self.cells.get(place)
        if cell is None:
            return ""
        if isinstance(cell.value, str):
            return " ".join(cell.value.split())
        if isinstance(cell.value, datetime.date) and _ends_month(cell.value):
            return f"{cell.value.month:02}/{cell.value.year}"
        return cell.text

    def origin(self, place: Place) -> Place:
        """The first place of the merged block that covers a place, or the place itself."""
        block = self.blocks.get(place)
        return (block[0], block[1]) if block else place

    def hidden_row(self, row: int) -> bool:
        return row in (self.grid.hidden_columns if self.turned else self.grid.hidden_rows)

    def hidden_column(self, column: int) -> bool:
        return column in (self.grid.hidden_rows if self.turned else self.grid.hidden_columns)

    def _swap(self, place: Place) -> Place:
        return (place[1], place[0]) if self.turned else place


def _ends_month(day: datetime.date) -> bool:
    """Whether a day is the first or the last of its month, as where a day stands for the month; another
    may be a month and a year that an office program took for a day."""
    return day.day == 1 or (day + datetime.timedelta(days=1)).day == 1


@dataclass(frozen=True)
class Head:
    """The head of a column: its levels from the top, each with its place, and what they say."""

    column: int
    levels: tuple[tuple[Place, str], ...]
    codes: frozenset[str]
    told: Told

    @property
    def text(self) -> str:
        return " / ".join(text for _, text in self.levels)

    @property
    def place(self) -> Place:
        """The lowest cell of the head, that of this column alone."""
        return self.levels[-1][0]

    def telling(self) -> Place:
        """The place that tells the month, else one with a number, else the lowest."""
        for place, text in self.levels:
            said = told(text)
            if said.months or said.until or said.quarters:
                return place
        numbered = (place for place, text in self.levels if any(map(str.isdigit, text)))
        return next(numbered, self.place)


@dataclass(frozen=True)
class Line:
    """A row of a table: the cell that names it, which codes that may be (none where no wording has it),
    its number ("6.1", "I", "") and whether it begins with a dash; what its other texts say: month, unit,
    status, measure."""

    row: int
    place: Place
    text: str
    codes: tuple[str, ...]
    number: str
    dashed: bool
    said: dict[str, tuple[Place, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A table of a sheet: the family of what its rows name, the heads of its columns of values, its rows
    in order (of which some are named by no wording; no heads where these could not be found), and what stands above it, from the nearest up."""

    view: View
    family: str
    heads: tuple[Head, ...]
    lines: tuple[Line, ...]
    above: tuple[tuple[Place, str], ...]
    top: int

    def cell(self, line: Line, head: Head) -> Cell | None:
        return self.view.cells.get((line.row, head.column))


def tables(grid: Grid, wordings: Wordings) -> list[Table]:
    """The tables of a sheet, from the top; none where nothing in it is recognised."""
    names = {
        place: named
        for place, cell in grid.cells.items()
        if isinstance(cell.value, str) and (named := wordings.items(cell.value))
    }
    upright = _found(names, turned=False)
    turned = _found(names, turned=True) if _most(upright) < _MANY else {}
    by_column, by_row = _most(upright), _most(turned)
    if not by_column and not by_row:
        return []
    if by_column >= by_row:
        return list(_tables(View(grid), upright, wordings))
    return list(_tables(View(grid, turned=True), turned, wordings))


_MANY = 8  # names below each other that make a sheet one to be read as it stands


# By column and family: the rows where such a name stands.
_Found = dict[tuple[int, str], dict[int, tuple[str, ...]]]


def _found(names: dict[Place, dict[str, tuple[str, ...]]], *, turned: bool) -> _Found:
    """Names by their columns; by their rows where the sheet is read turned."""
    found: _Found = {}
    for place, named in names.items():
        row, column = place[::-1] if turned else place
        for family, codes in named.items():
            found.setdefault((column, family), {})[row] = codes
    return found


def _most(found: _Found) -> int:
    """How many different things the richest column names."""
    return max(
        (len({codes for codes in own.values()} - _IDLE) for own in found.values()), default=0
    )


_IDLE = {(SUM,), (GROUP,)}  # names that any table may have


def _tables(view: View, found: _Found, wordings: Wordings) -> Iterator[Table]:
    """The tables of each group of columns that name things, parted where a new head begins, from the
    top."""
    regions = _regions(view, found)
    made: list[Table] = []
    for family, columns, rows in regions:
        others = [own for own in regions if own[2] is not rows]
        right = min(
            (own[1][0] for own in others if own[1][0] > columns[-1] and _overlap(own[2], rows)),
            default=view_width(view),
        )
        floor = max((max(own[2]) for own in others if max(own[2]) < min(rows)), default=-1)
        below = min((min(own[2]) for own in others if min(own[2]) > max(rows)), default=None)
        end = max(view.rows, default=max(rows)) if below is None else below - 1
        done: list[Table] = []
        before: tuple[str, ...] = ()
        for span in _spans(view, sorted(rows), columns, right, end, wordings):
            table = _table(view, family, columns, right, rows, span, floor, wordings)
            floor = span[1]
            if table is None:
                continue
            texts = tuple(fold(head.text) for head in table.heads)
            if done and texts == before:
                # The same heads again: the table goes on over the page.
                done[-1] = replace(done[-1], lines=(*done[-1].lines, *table.lines))
                continue
            before = texts
            done.append(table)
        made += done
    yield from sorted(made, key=lambda table: table.top)


def _overlap(one: dict[int, tuple[str, ...]], other: dict[int, tuple[str, ...]]) -> bool:
    """Whether two groups of rows overlap from top to bottom."""
    return min(one) <= max(other) and min(other) <= max(one)


def view_width(view: View) -> int:
    return max((column for _, column in view.cells), default=-1) + 1


_Region = tuple[str, list[int], dict[int, tuple[str, ...]]]


def _regions(view: View, found: _Found) -> list[_Region]:
    """Groups of neighbouring columns that name things of one family, with the codes by row; a code beside
    a name narrows it. A stray name of another family inside a table makes no group of its own."""
    regions: list[_Region] = []
    for column, family in sorted(found):
        rows = found[column, family]
        if not set(rows.values()) - _IDLE or _of_heads(found, family, rows):
            continue
        near = [
            own
            for own in regions
            if own[0] == family and _overlap(own[2], rows) and _near(view, own[1][-1], column, rows)
        ]
        if not near:
            regions.append((family, [column], dict(rows)))
            continue
        _, columns, merged = near[0]
        columns.append(column)
        for row, codes in rows.items():
            known = merged.get(row, ())
            both = tuple(code for code in known if code in codes) if known else codes
            real = tuple(code for code in (*known, *codes) if code not in (SUM, GROUP))
            merged[row] = both or real or (*known, *codes)
    # A sheet has a handful of tables; names all over it are none.
    regions = sorted(regions, key=lambda own: -len(own[2]))[:_REGIONS]
    kept = [own for own in regions if not any(_holds(other, own) for other in regions)]
    return sorted(kept, key=lambda own: own[1])


def _holds(one: _Region, other: _Region) -> bool:
    """Whether a group stands among the rows of a larger one, and makes no table."""
    if len(one[2]) <= len(other[2]) or max(other[2]) > max(one[2]):
        return False
    return min(one[2]) <= min(other[2]) and other[1][0] <= one[1][-1]


def _of_heads(found: _Found, family: str, rows: dict[int, tuple[str, ...]]) -> bool:
    """Whether a column's names are but one, beside or above the rows of a richer column: a head such as
    “Tổng thu NSNN”, which stands again on each page."""
    return len(set(rows.values())) == 1 and any(
        own == family
        and 2 * len(rows) <= len(others)
        and rows.keys().isdisjoint(others)
        and min(others) - _LEVELS <= min(rows)
        and max(rows) <= max(others)
        for (_, own), others in found.items()
    )


def _near(view: View, left: int, column: int, rows: dict[int, tuple[str, ...]]) -> bool:
    """Whether no numbers stand between two columns of names, in the rows of the second."""
    between = [
        (row, middle)
        for row in rows
        for middle in range(left + 1, column)
        if (row, middle) in view.cells and _is_value(view.cells[row, middle])
    ]
    return not between


def _is_value(cell: Cell) -> bool:
    """Whether a cell holds a number, or what stands in a number's place."""
    if cell.fault:
        return True
    if isinstance(cell.value, str):
        (reading,) = amounts.read([cell])
        return reading.state not in (amounts.NONSENSE, amounts.BLANK, amounts.DATE)
    return (
        cell.value is not None
        and not isinstance(cell.value, bool)
        and not isinstance(cell.value, datetime.date)
    )


def _spans(
    view: View, rows: list[int], columns: list[int], right: int, end: int, wordings: Wordings
) -> list[tuple[int, int, int]]:
    """The runs of named rows between which a head begins anew: first and last named row, and the last
    row that may still belong to it."""
    cuts = [rows[0]]
    spans = []
    for above, below in pairwise(rows):
        if any(_heads_row(view, row, columns, right, wordings) for row in range(above + 1, below)):
            spans.append((cuts[-1], above, below - 1))
            cuts.append(below)
    spans.append((cuts[-1], rows[-1], end))
    return spans


def _heads_row(view: View, row: int, columns: list[int], right: int, wordings: Wordings) -> bool:
    """Whether a row between two named ones is a head: what a head says beside the names, no numbers."""
    beside = [column for column in view.rows.get(row, ()) if columns[-1] < column < right]
    texts = [view.text((row, column)) for column in beside]
    values = (
        _is_value(view.cells[row, column]) and not told(text).months
        for column, text in zip(beside, texts, strict=True)
    )
    return any(wordings.heads(text) or _begins_with_time(text) for text in texts) and not any(
        values
    )


def _counts_columns(view: View, row: int, columns: list[int]) -> bool:
    """Whether a row only counts the columns: A, B, 1, 2, 3=2/1."""
    texts = [view.text((row, column)) for column in view.rows.get(row, ())]
    return (
        len(texts) >= 2
        and all(_COUNT.fullmatch(text) for text in texts)
        and len({text for text in texts}) == len(texts)
        and not any(
            isinstance(view.cells[row, column].value, str) and len(view.text((row, column))) > 12
            for column in columns
            if (row, column) in view.cells
        )
    )


def _table(
    view: View,
    family: str,
    columns: list[int],
    right: int,
    rows: dict[int, tuple[str, ...]],
    span: tuple[int, int, int],
    floor: int,
    wordings: Wordings,
) -> Table | None:
    """The table whose named rows run from the first to the last of a span; its head stands below the row
    `floor`."""
    first, last, bottom = span
    named = [row for row in range(first, last + 1) if row in rows]
    levels, top, first = _head_rows(view, columns, first, floor, wordings)
    beside = Counter(
        column for row in named for column in view.rows.get(row, ()) if column not in columns
    )
    for row in levels:
        for column in range(columns[0], right):
            if column not in columns and view.text(view.origin((row, column))):
                beside[column] += 0
    heads, others = [], []
    for column in sorted(beside):
        head = _head(view, column, levels, columns, wordings)
        if column < columns[0] or column >= right or _is_aside(view, head, column, named):
            others.append(column)
        else:
            heads.append(head)
    if view.turned:  # these are the rows above the names: titles
        others = [column for column in others if column > columns[0]]
    lines = tuple(
        _lines(view, family, columns, others, rows, first, bottom, levels, heads, wordings)
    )
    if view.turned:  # what stands above the sheet's own row of names
        places = [
            (row, column)
            for column in range(columns[0] - 1, -1, -1)
            for row in view.rows
            if (row, column) in view.cells
        ]
    else:
        places = [
            (row, column)
            for row in range(top - 1, floor, -1)
            for column in _over(view, row, columns[0] - 1, right)
        ]
    above = tuple((view.original(place), view.text(place)) for place in places)
    if not levels:
        heads = []
    if not heads and not any(_has_numbers(view, row, columns[-1], right) for row in named):
        return None
    return Table(view, family, tuple(heads), lines, above, top)


def _over(view: View, row: int, left: int, right: int) -> list[int]:
    """The filled columns of a row that stand over a table; of a row that has nothing there all of them."""
    filled = view.rows.get(row, [])
    own = [
        column
        for column in filled
        if column < right and view.blocks.get((row, column), (0, 0, 0, column))[3] >= left
    ]
    return own or filled


def _has_numbers(view: View, row: int, left: int, right: int) -> bool:
    return any(
        left < column < right and _is_value(view.cells[row, column])
        for column in view.rows.get(row, ())
    )


def _head_rows(
    view: View, columns: list[int], first: int, floor: int, wordings: Wordings
) -> tuple[list[int], int, int]:
    """The rows of the head above row `first`, from the top, where the table begins, and its first row of
    figures: rows that no wording names may stand above `first`."""
    levels: list[int] = []
    row = first - 1
    top = first
    while row > floor and len(levels) < _LEVELS:
        if not _filled(view, row, columns):
            if levels or first - row > 3:
                break
            row -= 1
            continue
        if not levels and _counts_columns(view, row, columns):
            top, row = row, row - 1
            continue
        if not levels and _has_figures(view, row, columns):
            first, top, row = row, row, row - 1
            continue
        if not _is_level(view, row, columns, wordings):
            break
        levels.append(row)
        top, row = row, row - 1
    return levels[::-1], top, first


def _filled(view: View, row: int, columns: list[int]) -> list[int]:
    """The filled columns of a row; of a sheet that is read turned without those above its names, which
    hold titles."""
    filled = view.rows.get(row, [])
    return [column for column in filled if column >= columns[0]] if view.turned else filled


def _has_figures(view: View, row: int, columns: list[int]) -> bool:
    """Whether a row above the first named one is a row of figures whose name is not known, rather than a
    head of months or years."""
    if not any(view.text((row, column)) for column in columns):
        return False
    beside = [column for column in view.rows[row] if column > columns[-1]]
    texts = [view.text((row, column)) for column in beside if _is_value(view.cells[row, column])]
    return 2 * len(texts) >= len(beside) > 0 and not _counts_time(texts)


def _counts_time(texts: list[str]) -> bool:
    """Whether numbers side by side may be the months, or years, that a head counts: each one more than
    the one before it, or the same again."""
    if not all(text.isdecimal() for text in texts):
        return False
    numbers = [int(text) for text in texts]
    rising = all(0 <= right - left <= 1 for left, right in pairwise(numbers))
    months = all(1 <= number <= 12 for number in numbers)
    years = all(2000 <= number <= 2099 for number in numbers)
    return years or (months and rising and (len(set(numbers)) > 1 or len(numbers) == 1))


def _is_level(view: View, row: int, columns: list[int], wordings: Wordings) -> bool:
    """Whether a row above the names is a level of the head rather than a title, a unit or a letterhead."""
    filled = _filled(view, row, columns)
    texts = [view.text((row, column)) for column in filled]
    right = [column for column in filled if column > columns[-1]]
    if not right:
        return False
    if any(_MONEY_LINE.match(text) and len(text) < 60 for text in texts):
        return any(is_unit_head(text) for text in texts) and len(texts) > 2
    if any(_LETTERHEAD.search(text) for text in texts):
        return False
    if len(filled) == 1:
        block = view.blocks.get((row, filled[0]))
        if block and block[1] <= columns[-1]:
            return False  # a title over the whole table
        return wordings.begins_head(texts[0]) or _begins_with_time(texts[0])
    if _has_figures(view, row, columns):
        return False
    return any(
        wordings.heads(text) or _begins_with_time(text) or _counts_time([text]) for text in texts
    )


_MONEY_LINE = re.compile(r"(?i)\W*(đơn vị|đvt|đv tính|unit)\b.*[:：]|\(?\s*(đơn vị tính|đvt)\b")
_LETTERHEAD = re.compile(
    r"(?i)cộng h[òo][àa]?a? xã hội|độc lập\s*-|ủy ban nhân dân|uỷ ban nhân dân"
)


def _begins_with_time(text: str) -> bool:
    """Whether a text begins with a month, a quarter or a year, as the head of a group of columns does."""
    said = told(text)
    if not (said.months or said.until or said.quarters or said.years):
        return False
    first = fold(text).split()[0]
    return (
        first[:1].isdecimal()
        or first in _TIMES
        or is_named_month(first)
        or bool(re.match(r"t(h)?\d", first))
    )


_TIMES = {fold(word) for word in ("tháng", "quý", "năm", "kỳ", "từ", "đến")}


def is_unit_head(text: str) -> bool:
    return fold(text) in (fold("đơn vị tính"), fold("đvt"), "unit")


def _head(
    view: View, column: int, levels: list[int], columns: list[int], wordings: Wordings
) -> Head:
    """The head of a column, level by level: merged cells count for all that they cover; a blank upper
    level takes what stands to its left, where the sheet does not say by a merge where that ends."""
    found: list[tuple[Place, str]] = []
    for depth, row in enumerate(levels):
        place = view.origin((row, column))
        text = view.text(place)
        if not text and depth + 1 < len(levels):
            place, text = _spread(view, row, column, levels[depth + 1 :], columns)
        if text and (place, text) not in found:
            found.append((place, text))
    if not found:
        found = [((levels[-1] if levels else 0, column), "")]
    joined = " ".join(text for _, text in found)
    return Head(column, tuple(found), wordings.heads(joined), _told(found))


def _told(levels: list[tuple[Place, str]]) -> Told:
    """What the levels of a head say of time, together: a year may stand above its months."""
    parts = [told(text) for _, text in levels]
    whole = told(" ".join(text for _, text in levels))
    years = tuple(dict.fromkeys(year for part in parts for year in part.years))
    only = years[0] if len(years) == 1 else 0

    def dated(pairs: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
        return tuple(dict.fromkeys((year or only, number) for year, number in pairs))

    months = [pair for part in parts for pair in part.months]
    if not months and not any(part.until or part.quarters for part in parts):
        months = list(whole.months)  # "Tháng" above "1"
    return Told(
        dated(months),
        dated([pair for part in parts for pair in part.until]),
        dated([pair for part in parts for pair in part.quarters]),
        years,
    )


def _spread(
    view: View, row: int, column: int, below: list[int], columns: list[int]
) -> tuple[Place, str]:
    """What an unmerged head to the left of a blank one says for it too."""
    here = [view.text((lower, column)) for lower in below]
    if not any(here):
        return (row, column), ""
    for left in range(column - 1, columns[-1], -1):
        origin = view.origin((row, left))
        text = view.text(origin)
        if text:
            block = view.blocks.get(origin)
            spans_columns = bool(block and block[3] > block[1])
            spans_rows = bool(block and block[2] > block[0])
            lower = any(view.text((under, left)) for under in below)
            if spans_columns or spans_rows or not lower:
                break
            return origin, text
    return (row, column), ""


_ASIDE = {"month", "year", "unit", "status", "note", "number", "code", "name"}


def _is_aside(view: View, head: Head, column: int, named: list[int]) -> bool:
    """Whether a column tells about its rows (month, unit, status, note, number) and holds no values."""
    text = head.text
    if fold(text) and (is_month_word(text) or is_unit_head(text)):
        return True
    said = head.codes & _ASIDE
    measured = head.codes - _ASIDE
    cells = [view.cells[row, column] for row in named if (row, column) in view.cells]
    if said and not measured and not head.told.months and not head.told.until:
        return True
    values = sum(_is_value(cell) for cell in cells)
    return bool(cells) and values == 0 and not measured and not head.told.months


def _lines(
    view: View,
    family: str,
    columns: list[int],
    others: list[int],
    rows: dict[int, tuple[str, ...]],
    first: int,
    bottom: int,
    levels: list[int],
    heads: list[Head],
    wordings: Wordings,
) -> Iterator[Line]:
    """The rows of a table that name something or hold a value."""
    asides = {column: _aside_of(view, column, levels, rows, wordings) for column in others}
    for row in range(first, bottom + 1):
        filled = view.rows.get(row)
        if not filled or (row not in rows and _counts_columns(view, row, columns)):
            continue
        holds = any(
            (row, head.column) in view.cells and _is_value(view.cells[row, head.column])
            for head in heads
        )
        origin, codes = _named(view, row, columns, rows)
        if not codes and not holds:
            continue
        text = view.text(origin)
        said: dict[str, tuple[Place, str]] = {}
        number = ""
        for column, kind in asides.items():
            place = view.origin((row, column))
            own = view.text(place)
            if kind == "number" or (not kind and column < columns[0]):
                number = number or own
            elif kind and own:
                said[kind] = place, own
        match = _NUMBER.match(text)
        if not number and match and len(text) > 2:
            number = match[1]
        yield Line(row, origin, text, codes, number.strip(" .)"), bool(_DASH.match(text)), said)


def _named(
    view: View, row: int, columns: list[int], rows: dict[int, tuple[str, ...]]
) -> tuple[Place, tuple[str, ...]]:
    """The cell that names a row, and the codes; of several the one that is recognised."""
    if row in rows:
        for column in columns:
            if (row, column) in view.cells and view.text((row, column)):
                return (row, column), rows[row]
    for column in columns:
        origin = view.origin((row, column))
        if origin != (row, column) and origin[0] in rows and origin[0] < row:
            return origin, rows[origin[0]]
        if view.text((row, column)):
            return (row, column), ()
    return (row, columns[0]), ()


def _aside_of(
    view: View, column: int, levels: list[int], rows: dict[int, tuple[str, ...]], wordings: Wordings
) -> str:
    """What a column beside the names tells, by its head, else by its cells: month, year, unit, status,
    note, number, measure; "" for none of these."""
    texts = [view.text((row, column)) for row in rows if (row, column) in view.cells]

    def most(tells: Callable[[str], object]) -> bool:
        return bool(texts) and 2 * sum(bool(tells(text)) for text in texts) > len(texts)

    if most(lambda text: wordings.heads(text) & {"collected", "kept"}):
        return "measure"
    head = " ".join(view.text(view.origin((row, column))) for row in levels).strip()
    if is_month_word(head):
        return "month"
    if is_unit_head(head):
        return "unit"
    codes = wordings.heads(head)
    for kind in ("number", "status", "year", "month", "unit", "note"):
        if kind in codes:
            return kind
    if most(lambda text: told(text).months):
        return "month"
    if most(lambda text: wordings.heads(text) & {"actual", "estimate"}):
        return "status"
    return ""
