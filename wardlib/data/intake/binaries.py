"""Binaries: the sheets of an old .xls file, with all that is stored of each cell."""

from __future__ import annotations

import io
import struct
from typing import Any

import xlrd

from wardlib.data.intake import containers, formats, openxml
from wardlib.data.intake.grids import Cell, Grid, Place
from wardlib.errors import DataError

_FORMULA, _SUPBOOK, _DIMENSIONS, _EOF = 0x0006, 0x01AE, 0x0200, 0x000A
_MERGED, _LINK = 0x00E5, 0x01B8
_BEGIN = {0x0809, 0x0409, 0x0209, 0x0009}
_SHARED = {b"\x01\x04", b"\x01\x3a"}  # books of links that lead to the file itself, or to functions


def grids(data: bytes, tally: containers.Tally) -> tuple[list[Grid], tuple[str, ...]]:
    """The sheets in their order, and what is ignored. xlrd tells no formula; the records of the file
    do. DataError where the file is damaged, too large or asks for a password."""
    name = tally.name
    try:
        book = xlrd.open_workbook(
            file_contents=data, formatting_info=True, on_demand=True, logfile=io.StringIO(),
            ragged_rows=True,
        )  # fmt: skip
        if book.nsheets > containers.SHEETS:
            raise containers.too_many_sheets(name)
        left = containers.CELLS
        found = []
        for index in range(book.nsheets):
            # Before xlrd reads the sheet, for what must be refused unread.
            formulas = _formulas(book.mem, book._sh_abs_posn[index], tally)
            grid = _grid(book, book.sheet_by_index(index), formulas, tally)
            containers.within(name, grid.name, grid.height, grid.width)
            left -= len(grid.cells)
            if left < 0:
                raise containers.too_many_cells(name)
            found.append(grid)
            book.unload_sheet(index)
        return found, _ignored(data, book)
    except DataError:
        raise
    except xlrd.XLRDError as error:
        if "encrypted" in str(error).lower():
            raise containers.encrypted(name) from error
        raise containers.damaged(name) from error
    except Exception as error:
        # xlrd follows what a damaged file says until something breaks, whatever that is.
        raise containers.damaged(name) from error


def _grid(book: Any, sheet: Any, formulas: dict[Place, bool], tally: containers.Tally) -> Grid:
    cells = {}
    for row in range(sheet.nrows):
        kinds, values, styles = (
            sheet.row_types(row),
            sheet.row_values(row),
            sheet._cell_xf_indexes[row],
        )
        for column, (kind, value, style) in enumerate(zip(kinds, values, styles, strict=True)):
            if kind in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
                continue
            if kind == xlrd.XL_CELL_TEXT:
                tally.text(len(value))
            formula = (row, column) in formulas
            cell = _cell(book, kind, value, book.xf_list[style], formula)
            if cell is not None:
                cells[row, column] = cell
    return Grid(
        sheet.name,
        cells,
        tuple(
            (top, left, bottom - 1, right - 1) for top, bottom, left, right in sheet.merged_cells
        ),
        frozenset(
            row for row, info in sheet.rowinfo_map.items() if info.hidden or info.height == 0
        ),
        frozenset(
            column for column, info in sheet.colinfo_map.items() if info.hidden or info.width == 0
        ),
        bool(sheet.visibility),
    )


def _cell(book: Any, kind: int, value: Any, style: Any, formula: bool) -> Cell | None:
    font = book.font_list[style.font_index].name
    if kind == xlrd.XL_CELL_TEXT:
        text = openxml.text_of(value) if "\r" in value else value
        if text:
            return Cell(text, text, formula=formula, font=font)
        # What no program has calculated is stored as a formula that gave an empty text.
        return Cell(None, "", "formula", formula=True, font=font) if formula else None
    if kind == xlrd.XL_CELL_BOOLEAN:
        return Cell(bool(value), "TRUE" if value else "FALSE", formula=formula, font=font)
    if kind == xlrd.XL_CELL_ERROR:
        text = xlrd.error_text_from_code.get(value, "#ERR!")
        return Cell(None, text, "error", formula=formula, font=font)
    code = book.format_map[style.format_key].format_str
    return formats.cell(
        value, formats.shape(code), font, formula=formula, since_1904=book.datemode == 1
    )


def _formulas(stream: bytes, start: int, tally: containers.Tally) -> dict[Place, bool]:
    """The places of a sheet's formulas, from its records: a number, a length, the content. DataError
    where it has more merged blocks or cells with a link than xlrd should list; a chart in between
    has an end of its own."""
    places = {}
    begun = chart = False
    linked = 0
    while start + 4 <= len(stream):
        record, length = struct.unpack_from("<HH", stream, start)
        if record in _BEGIN:
            begun, chart = True, begun
        elif chart:
            chart = record != _EOF
            start += 4 + length
            continue
        if record == _DIMENSIONS:
            _bounded(stream, start, length)
        if record == _FORMULA:
            places[struct.unpack_from("<HH", stream, start + 4)] = True
        elif record == _MERGED:
            tally.merges(struct.unpack_from("<H", stream, start + 4)[0])
        elif record == _LINK:
            top, bottom, left, right = struct.unpack_from("<HHHH", stream, start + 4)
            linked += max(bottom - top + 1, 0) * max(right - left + 1, 0)
            if linked > containers.CELLS:
                raise containers.too_many_cells(tally.name)
        elif record == _EOF:
            break
        start += 4 + length
    return places


def _bounded(stream: bytes, start: int, length: int) -> None:
    """ValueError where a sheet claims more than a sheet can hold: python-calamine asks for as much
    memory as that, and ends the whole program where it gets none."""
    if length not in (10, 14):
        return  # no such record: what fills the file after its last sheet
    layout = "<IIHH" if length == 14 else "<HHHH"
    top, bottom, left, right = struct.unpack_from(layout, stream, start + 4)
    if not (top <= bottom <= 65_536 and left <= right <= 256):
        raise ValueError("a sheet larger than any")


def _ignored(data: bytes, book: Any) -> tuple[str, ...]:
    names = containers.entries(data)
    kinds = []
    if any(name.upper() in {"_VBA_PROJECT_CUR", "_VBA_PROJECT", "VBA"} for name in names):
        kinds.append("macros")
    start = book.base
    end = book.base + book.stream_len
    while start + 8 <= end:  # all records, of the sheets of charts too
        record, length = struct.unpack_from("<HH", book.mem, start)
        if not record and not length:
            break  # filled up with zeros
        if record == _DIMENSIONS:
            _bounded(book.mem, start, length)
        elif record == _SUPBOOK and bytes(book.mem[start + 6 : start + 8]) not in _SHARED:
            kinds.append("links")
        start += 4 + length
    if any(name.startswith("MBD") or name == "Ctls" for name in names):
        kinds.append("embedded")
    return tuple(dict.fromkeys(kinds))
