"""Open Document: the sheets of an .ods file, with all that is stored of each cell."""

from __future__ import annotations

import bisect
import re
from typing import Any
from xml.sax.handler import ContentHandler

from wardlib.data.intake import containers, formats
from wardlib.data.intake.grids import Block, Cell, Grid, Place

_ERROR = re.compile(r"#[A-Z/0]+[!?]?|#N/A|Err:[0-9]+")
_DURATION = re.compile(r"(-?)P(?:([0-9]+)D)?T(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9.]+)S)?")
_CELLS = {"table:table-cell", "table:covered-table-cell"}
_SIDE = 1_048_576
_NUMBERS = {"float", "currency", "percentage"}


def grids(archive: containers.Archive, tally: containers.Tally) -> list[Grid]:
    """The sheets in their order; DataError where the file is damaged or too large."""
    styles = _Styles()
    if "styles.xml" in archive:
        archive.parse("styles.xml", styles)
    content = _Content(tally, styles)
    archive.parse("content.xml", content)
    return content.grids


class _Styles(ContentHandler):
    """Of each style its parent, its font and whether it hides a sheet."""

    def __init__(self) -> None:
        self._parents: dict[tuple[str, str], str] = {}
        self._fonts: dict[tuple[str, str], str] = {}
        self.hidden: set[str] = set()
        self._at: tuple[str, str] | None = None

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802 - the name that SAX calls
        if name == "style:style":
            self._at = (attrs.get("style:family", ""), attrs.get("style:name", ""))
            self._parents[self._at] = attrs.get("style:parent-style-name", "")
        elif name == "style:default-style":
            self._at = (attrs.get("style:family", ""), "")
        elif self._at and name == "style:text-properties":
            font = attrs.get("style:font-name") or attrs.get("fo:font-family", "")
            if font:
                self._fonts[self._at] = font.strip("'\"")
        elif name == "style:table-properties" and attrs.get("table:display") == "false":
            self.hidden.update(self._at[1:] if self._at else ())

    def endElement(self, name: str) -> None:  # noqa: N802
        if name in ("style:style", "style:default-style"):
            self._at = None

    def font(self, style: str) -> str:
        """The font of a cell's style, its own or inherited; "" where none is named."""
        for _ in range(10):
            font = self._fonts.get(("table-cell", style))
            if font or not style:
                return font or ""
            style = self._parents.get(("table-cell", style), "")
        return ""


class _Content(ContentHandler):
    """The sheets. A row or cell may stand for thousands of its like: blank ones cost nothing, of
    filled ones each counts."""

    def __init__(self, tally: containers.Tally, styles: _Styles) -> None:
        self.grids: list[Grid] = []
        self._file, self._tally, self._styles = tally.name, tally, styles
        self._left = containers.CELLS
        self._skipped = 0  # how deep inside a remark or drawing
        self._sheet: _Sheet | None = None
        self._nested = 0  # how many tables deep
        self._cell: Any = None
        self._text: list[str] | None = None  # of the cell; None before its first paragraph
        self._letters = 0  # in the cell, in remarks and drawings too
        self._reads = False
        self._link = 0

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802
        if self._skipped or name == "office:annotation" or name.startswith("draw:"):
            self._skipped += 1
            if name == "text:s" and self._cell is not None:
                self._write(_blanks(attrs))
            return
        sheet = self._sheet
        if name == "table:table":
            self._nested += 1
            if self._nested == 1:
                if len(self.grids) == containers.SHEETS:
                    raise containers.too_many_sheets(self._file)
                hidden = attrs.get("table:style-name", "") in self._styles.hidden
                self._sheet = _Sheet(attrs.get("table:name", ""), hidden)
            return
        if sheet is None or self._nested > 1:
            self._styles.startElement(name, attrs)
        elif name in _CELLS:
            self._cell = attrs
            self._text, self._letters = None, 0
        elif self._cell is not None:
            self._written(name, attrs)
        elif name == "table:table-row":
            sheet.begin_row(_many(attrs, "rows"), _hides(attrs), attrs)
        elif name == "table:table-column":
            sheet.column(_many(attrs, "columns"), _hides(attrs), attrs)
        elif name in ("table:table-row-group", "table:table-column-group"):
            sheet.groups.append(attrs.get("table:display") == "false")

    def _written(self, name: str, attrs: Any) -> None:
        if name == "text:p":
            if self._text is None:
                self._text = []
            else:
                self._write("\n")
            self._reads = True
        elif name == "text:s":
            self._write(_blanks(attrs))
        elif name == "text:tab":
            self._write("\t")
        elif name == "text:line-break":
            self._write("\n")

    def _write(self, text: str) -> None:
        if self._text is not None and not self._skipped:
            self._text.append(text)
        self._letters += len(text)
        if self._letters > containers.TEXT:
            raise containers.too_long(self._file)

    def characters(self, content: str) -> None:
        if self._cell is not None and (self._reads or self._skipped):
            self._write(content)

    def endElement(self, name: str) -> None:  # noqa: N802
        if self._skipped:
            self._skipped -= 1
            return
        sheet = self._sheet
        if name == "table:table":
            self._nested -= 1
            if sheet is not None and not self._nested:
                containers.within(self._file, sheet.name, sheet.height, sheet.width)
                self.grids.append(sheet.grid())
                self._sheet = None
        elif sheet is None or self._nested > 1:
            self._styles.endElement(name)
        elif name == "text:p":
            self._reads = False
        elif name in _CELLS:
            self._end_cell(sheet, name)
        elif name == "table:table-row":
            self._left -= sheet.end_row(self._left)
            if self._left < 0:
                raise containers.too_many_cells(self._file)
        elif name in ("table:table-row-group", "table:table-column-group"):
            sheet.groups.pop()

    def _end_cell(self, sheet: _Sheet, name: str) -> None:
        attrs, self._cell = self._cell, None
        count = _many(attrs, "columns")
        text = "".join(self._text or ())
        style = attrs.get("table:style-name") or sheet.style()
        cell = _made(attrs, text, self._styles.font(style))
        height = int(attrs.get("table:number-rows-spanned", "1"))
        width = int(attrs.get("table:number-columns-spanned", "1"))
        if name == "table:table-cell" and (height > 1 or width > 1):
            self._tally.merges()
            sheet.merge(height, width)
        # An empty text holds something too.
        holds = self._text is not None or "office:value-type" in attrs or "table:formula" in attrs
        if holds and count > self._left:
            raise containers.too_many_cells(self._file)
        for letters in (
            self._letters,
            len(attrs.get("office:string-value", "")),
            len(attrs.get("table:formula", "")),  # python-calamine writes out these too
        ):
            self._tally.text(letters, count * sheet.repeated)
        sheet.put(cell, count, holds)


class _Sheet:
    """A sheet while it is read: where the next row, column and cell stands."""

    def __init__(self, name: str, hidden: bool) -> None:
        self.groups: list[bool] = []  # whether each row or column group around is folded
        self.name, self._hidden = name, hidden
        self.height = self.width = 0  # up to the outermost cell that holds anything
        self._cells: dict[Place, Cell] = {}
        self._merges: list[Block] = []
        self._rows: list[range] = []
        self._columns: list[range] = []
        self._starts: list[int] = []
        self._styles: list[str] = []
        self._row = self._column = self._next_column = 0
        self.repeated, self._held, self._style = 1, 0, ""
        self._filled: dict[int, Cell] = {}

    def column(self, count: int, hides: bool, attrs: Any) -> None:
        """`count` columns, and the style of their cells."""
        columns = range(self._next_column, self._next_column + count)
        self._next_column += count
        if self._next_column > _SIDE:
            raise ValueError("columns outside a sheet")
        if hides or any(self.groups):
            self._columns.append(columns)
        self._starts.append(columns.start)
        self._styles.append(attrs.get("table:default-cell-style-name", ""))

    def begin_row(self, count: int, hides: bool, attrs: Any) -> None:
        """`count` rows of the cells that follow."""
        self._column, self.repeated, self._held, self._filled = 0, count, 0, {}
        if self._row + count > _SIDE:
            raise ValueError("rows outside a sheet")
        self._style = attrs.get("table:default-cell-style-name", "")
        if hides or any(self.groups):
            self._rows.append(range(self._row, self._row + count))

    def style(self) -> str:
        """The style of a cell that names none, at the place of the next one."""
        if self._style or not self._starts:
            return self._style
        return self._styles[bisect.bisect_right(self._starts, self._column) - 1]

    def merge(self, height: int, width: int) -> None:
        """The next cell covers a block."""
        self._merges.append(
            (self._row, self._column, self._row + height - 1, self._column + width - 1)
        )

    def put(self, cell: Cell | None, count: int, holds: bool) -> None:
        """The same cell `count` times; whether it holds anything, an empty text too."""
        if holds:
            self._held += count
            self.width = max(self.width, self._column + count)
        if cell is not None:
            self._filled.update(dict.fromkeys(range(self._column, self._column + count), cell))
        self._column += count

    def end_row(self, left: int) -> int:
        """How many cells of the row and its repetitions hold anything; if these are more than
        `left`, nothing is kept."""
        total = self._held * self.repeated
        if total:
            self.height = self._row + self.repeated
        if total <= left and self._filled:
            for row in range(self._row, self._row + self.repeated):
                for column, cell in self._filled.items():
                    self._cells[row, column] = cell
        self._row += self.repeated
        return total

    def grid(self) -> Grid:
        """What was read; what is hidden beyond the last filled row and column is left out."""
        return Grid(
            self.name,
            self._cells,
            tuple(self._merges),
            _within(self._rows, self.height),
            _within(self._columns, self.width),
            self._hidden,
        )


def _within(ranges: list[range], end: int) -> frozenset[int]:
    return frozenset(
        index for one in ranges if one.start < end for index in range(one.start, min(one.stop, end))
    )


def _many(attrs: Any, what: str) -> int:
    count = int(attrs.get(f"table:number-{what}-repeated", "1"))
    if not 1 <= count <= _SIDE:
        raise ValueError("no number of repetitions")
    return count


def _blanks(attrs: Any) -> str:
    return " " * min(int(attrs.get("text:c", "1")), containers.TEXT + 1)


def _hides(attrs: Any) -> bool:
    return bool(attrs.get("table:visibility", "visible") != "visible")


def _made(attrs: Any, text: str, font: str) -> Cell | None:
    """The cell of its attributes and of the text that is shown; None where nothing stands in it."""
    formula = "table:formula" in attrs
    kind = attrs.get("office:value-type", "")
    if attrs.get("calcext:value-type") == "error" or (formula and _ERROR.fullmatch(text.strip())):
        return Cell(None, text.strip() or "#ERR!", "error", formula=formula, font=font)
    if kind in _NUMBERS and "office:value" in attrs:
        shown = "percent" if kind == "percentage" else ""
        return formats.cell(float(attrs["office:value"]), shown, font, formula=formula)
    if kind == "date" and "office:date-value" in attrs:
        return formats.moment(formats.read(attrs["office:date-value"]), font, formula=formula)
    if kind == "time" and "office:time-value" in attrs:
        clock = formats.clock(_seconds(attrs["office:time-value"]))
        return Cell(clock, clock, formula=formula, font=font)
    if kind == "boolean" and "office:boolean-value" in attrs:
        truth = attrs["office:boolean-value"] == "true"
        return Cell(truth, "TRUE" if truth else "FALSE", formula=formula, font=font)
    stored = text or attrs.get("office:string-value", "")
    if stored:
        return Cell(stored, stored, formula=formula, font=font)
    return Cell(None, "", "formula", formula=True, font=font) if formula and not kind else None


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text} is no time")
    days, hours, minutes = (int(match[group] or 0) for group in (2, 3, 4))
    seconds = ((days * 24 + hours) * 60 + minutes) * 60 + float(match[5] or 0)
    return -seconds if match[1] else seconds
