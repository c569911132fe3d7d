"""Open XML: the sheets of an .xlsx file, ordinary or Strict, with all that is stored of each cell."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import Any
from xml.sax.handler import ContentHandler

from wardlib.data.intake import containers, formats
from wardlib.data.intake.grids import Block, Cell, Grid, Place

_PLACE = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")
_NUMBER = re.compile(r"\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\s*")
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")  # how a sign that XML cannot hold is written
_TRUE = {"1", "true", "on"}
_SHARED = "xl/sharedstrings.xml"
_ROWS, _COLUMNS = 1_048_576, 16_384
# Formats that a file names by number alone (ECMA-376 part 1, 18.8.30).
_BUILT_IN = {9: "percent", 10: "percent", 46: "duration"} | dict.fromkeys(
    (*range(14, 23), *range(27, 37), 45, 47, *range(50, 59)), "date"
)


def grids(archive: containers.Archive, tally: containers.Tally) -> list[Grid]:
    """The sheets in their order, but for charts; DataError where the file is damaged or too large."""
    workbook = _target(archive, "", "officedocument")
    if not workbook:
        raise containers.damaged(archive.name)
    book = _Book()
    archive.parse(workbook, book)
    if len(book.sheets) > containers.SHEETS:
        raise containers.too_many_sheets(archive.name)
    styles = _Styles()
    if part := _target(archive, workbook, "styles"):
        archive.parse(part, styles)
    strings = _Strings(archive.name)
    part = _target(archive, workbook, "sharedstrings")
    if part:
        archive.parse(part, strings)
    if part.lower() != _SHARED and _SHARED in archive:
        raise containers.damaged(archive.name)  # python-calamine reads that one, whatever is named
    related = _related(archive, workbook)
    found = []
    left = containers.CELLS
    for name, relation, hidden in book.sheets:
        kind, part = related.get(relation, ("", ""))
        if kind and kind != "worksheet":
            continue
        sheet = _Sheet(tally, styles, strings, book.since_1904, left)
        archive.parse(part, sheet)
        left -= len(sheet.cells)
        found.append(sheet.grid(name, hidden))
    return found


def text_of(text: str) -> str:
    r"""A stored text with its escapes undone, and lines that end as in any text.

    >>> text_of("Thu_x000D_\nphí")
    'Thu\nphí'
    """
    if "_x" in text:
        text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def place(reference: str) -> Place:
    """The place of "B12"; ValueError where it is none.

    >>> place("AB1")
    (0, 27)
    """
    match = _PLACE.fullmatch(reference)
    if not match:
        raise ValueError(f"{reference} is no cell")
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - 64
    row = int(match[2])
    if not (1 <= row <= _ROWS and column <= _COLUMNS):
        raise ValueError(f"{reference} is outside a sheet")
    return row - 1, column - 1


class _Relations(ContentHandler):
    def __init__(self) -> None:
        self.found: list[tuple[str, str, str]] = []

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802 - the name that SAX calls
        if name.rpartition(":")[2] == "Relationship" and attrs.get("TargetMode") != "External":
            kind = attrs.get("Type", "").rpartition("/")[2].lower()
            self.found.append((attrs.get("Id", ""), kind, attrs.get("Target", "")))


def _related(archive: containers.Archive, part: str) -> dict[str, tuple[str, str]]:
    """By their names the kind and the part of all that a part refers to."""
    folder, _, base = part.rpartition("/")
    name = posixpath.join(folder, "_rels", f"{base}.rels")
    if name not in archive:
        return {}
    relations = _Relations()
    archive.parse(name, relations)
    return {
        key: (kind, posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/"))
        for key, kind, target in relations.found
    }


def _target(archive: containers.Archive, part: str, kind: str) -> str:
    return next((target for found, target in _related(archive, part).values() if found == kind), "")


class _Book(ContentHandler):
    """The sheets that a workbook names: name, relation, whether hidden; and how it counts days."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str, bool]] = []
        self.since_1904 = False

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802
        name = name.rpartition(":")[2]
        if name == "workbookPr":
            self.since_1904 = attrs.get("date1904", "0") in _TRUE
        elif name == "sheet":
            relation = next(
                (value for key, value in attrs.items() if key.rpartition(":")[2] == "id"), ""
            )
            hidden = attrs.get("state", "visible") != "visible"
            self.sheets.append((attrs["name"], relation, hidden))


class _Styles(ContentHandler):
    """What each style of a cell shows, and its font."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.font: list[str] = []
        self._formats = dict(_BUILT_IN)
        self._fonts: list[str] = []
        self._inside: list[str] = []

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802
        name = name.rpartition(":")[2]
        parent = self._inside[-1] if self._inside else ""
        if name == "numFmt" and parent == "numFmts":
            self._formats[int(attrs["numFmtId"])] = formats.shape(attrs.get("formatCode", ""))
        elif name == "font" and parent == "fonts":
            self._fonts.append("")
        elif name == "name" and parent == "font" and self._fonts:
            self._fonts[-1] = attrs.get("val", "")
        elif name == "xf" and parent == "cellXfs":
            font = int(attrs.get("fontId", "0"))
            self.shown.append(self._formats.get(int(attrs.get("numFmtId", "0")), ""))
            self.font.append(self._fonts[font] if 0 <= font < len(self._fonts) else "")
        self._inside.append(name)

    def endElement(self, name: str) -> None:  # noqa: N802
        self._inside.pop()


class _Strings(ContentHandler):
    """The shared texts; how a word is read aloud (phonetic runs) is none of them."""

    def __init__(self, file: str) -> None:
        self.texts: list[str] = []
        self.letters: list[int] = []  # in each as it is stored
        self._file = file
        self._tally = containers.Tally(file)  # those that no cell uses are read too
        self._text: list[str] = []
        self._letters = 0
        self._reads = self._phonetic = False

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802
        name = name.rpartition(":")[2]
        if name == "si":
            self._text = []
            self._letters = 0
        elif name == "rPh":
            self._phonetic = True
        elif name == "t":
            self._reads = not self._phonetic

    def characters(self, content: str) -> None:
        if self._reads:
            self._text.append(content)
            self._letters += len(content)
            if self._letters > containers.TEXT:
                raise containers.too_long(self._file)

    def endElement(self, name: str) -> None:  # noqa: N802
        name = name.rpartition(":")[2]
        if name == "t":
            self._reads = False
        elif name == "rPh":
            self._phonetic = False
        elif name == "si":
            self._tally.text(self._letters)
            self.letters.append(self._letters)
            self.texts.append(text_of("".join(self._text)))
            if len(self.texts) > containers.CELLS:
                raise containers.too_many_cells(self._file)


@dataclass
class _Open:
    """The cell that is being read."""

    place: Place
    style: int
    kind: str
    formula: bool = False
    value: list[str] | None = None
    inline: list[str] = field(default_factory=list)
    letters: int = 0


class _Sheet(ContentHandler):
    """The cells of one sheet; at most `left` of them."""

    def __init__(
        self,
        tally: containers.Tally,
        styles: _Styles,
        strings: _Strings,
        since_1904: bool,
        left: int,
    ) -> None:
        self.cells: dict[Place, Cell] = {}
        self.merges: list[Block] = []
        self.rows: set[int] = set()
        self.columns: set[int] = set()
        self._file, self._tally, self._styles, self._strings = tally.name, tally, styles, strings
        self._since_1904, self._left = since_1904, left
        self._row = self._column = -1
        self._height = self._width = self._hidden_to = 0
        self._open: _Open | None = None
        self._text: list[str] | None = None
        self._phonetic = False

    def grid(self, name: str, hidden: bool) -> Grid:
        """What was read, as a sheet; DataError where its cells lie too far apart."""
        containers.within(self._file, name, self._height, self._width)
        return Grid(
            name,
            self.cells,
            tuple(self.merges),
            frozenset(self.rows),
            frozenset(self.columns),
            hidden,
        )

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802
        if ":" in name:
            name = name.rpartition(":")[2]
        if name == "c":
            reference = attrs.get("r")
            at = place(reference) if reference else (self._row, self._column + 1)
            self._row, self._column = at
            self._open = _Open(at, int(attrs.get("s", "0")), attrs.get("t", "n"))
        elif self._open is not None:
            # A cell that holds anything, an empty text too.
            self._height = max(self._height, self._row + 1)
            self._width = max(self._width, self._column + 1)
            if name == "v":
                self._text = self._open.value = []
            elif name == "f":
                self._open.formula = True
            elif name == "rPh":
                self._phonetic = True
            elif name == "t" and not self._phonetic:
                self._text = self._open.inline
        elif name == "row":
            self._row = int(attrs["r"]) - 1 if "r" in attrs else self._row + 1
            self._column = -1
            if not 0 <= self._row < _ROWS:
                raise ValueError("a row outside a sheet")
            if attrs.get("hidden", "0") in _TRUE or float(attrs.get("ht", "1")) == 0:
                self.rows.add(self._row)
        elif name == "col":
            if attrs.get("hidden", "0") in _TRUE or float(attrs.get("width", "1")) == 0:
                first, last = int(attrs["min"]), min(int(attrs["max"]), _COLUMNS)
                if not self._hidden_to < first:
                    raise ValueError("columns out of their order")
                self.columns.update(range(first - 1, last))
                self._hidden_to = last
        elif name == "mergeCell":
            first, _, last = attrs["ref"].partition(":")
            self.merges.append((*place(first), *place(last or first)))
            self._tally.merges()

    def characters(self, content: str) -> None:
        if self._text is not None and self._open is not None:
            self._text.append(content)
            self._open.letters += len(content)
            if self._open.letters > containers.TEXT:
                raise containers.too_long(self._file)

    def endElement(self, name: str) -> None:  # noqa: N802
        if ":" in name:
            name = name.rpartition(":")[2]
        if name == "c" and self._open is not None:
            cell = self._made(self._open)
            if cell is not None:
                if self._open.place in self.cells:
                    raise ValueError("two cells at one place")
                self.cells[self._open.place] = cell
                if len(self.cells) > self._left:
                    raise containers.too_many_cells(self._file)
            self._open = None
        elif name in ("v", "t"):
            self._text = None
        elif name == "rPh":
            self._phonetic = False

    def _made(self, read: _Open) -> Cell | None:
        """The cell; None where nothing stands in it, as after a formula that gives an empty text."""
        styles = self._styles
        known = 0 <= read.style < len(styles.shown)
        font = styles.font[read.style] if known else ""
        stored = "".join(read.value or ())
        formula = read.formula
        if read.kind != "n" or read.inline:
            self._tally.text(read.letters)
        if read.kind in ("inlineStr", "str", "s"):
            if formula and read.value is None and not read.inline:
                return Cell(None, "", "formula", formula=True, font=font)
            if read.kind == "s" and stored:
                index = int(stored)
                if not 0 <= index < len(self._strings.texts):
                    raise ValueError("no such shared text")
                self._tally.text(self._strings.letters[index])
                text = self._strings.texts[index]
            else:
                text = text_of("".join(read.inline) or stored)
            return Cell(text, text, formula=formula, font=font) if text else None
        if not stored.strip():
            return Cell(None, "", "formula", formula=True, font=font) if formula else None
        if read.kind == "e":
            return Cell(None, stored, "error", formula=formula, font=font)
        if read.kind == "b":
            truth = stored.strip() in _TRUE
            return Cell(truth, "TRUE" if truth else "FALSE", formula=formula, font=font)
        if read.kind == "d":
            return formats.moment(formats.read(stored), font, formula=formula)
        if not _NUMBER.fullmatch(stored):
            raise ValueError("no number in a cell of numbers")
        return formats.cell(
            float(stored),
            styles.shown[read.style] if known else "",
            font,
            formula=formula,
            since_1904=self._since_1904,
        )
