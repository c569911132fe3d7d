"""Delimited: the table of a CSV file, whatever parts its columns and in whatever letters it is written."""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from collections.abc import Callable, Iterator

from wardlib.data.intake import containers, letters
from wardlib.data.intake.grids import Cell, Grid
from wardlib.errors import DataError, said

DELIMITERS = (
    ";",
    "\t",
    ",",
    "|",
)  # the likelier first: Excel with Vietnamese settings writes the first
_LOOKED_AT = 2_000  # rows that tell encoding and delimiter
_ROWS = 1_048_576


def grid(data: bytes, name: str, known: Callable[[str], bool]) -> tuple[Grid, str, str]:
    """The sheet with each text exactly as it stands, the encoding and the delimiter: of all the pair
    whose cells are `known` most often, then the one with the most rows of one width, then the
    likelier. DataError where the bytes are no text or its quotation marks do not match."""
    seen: dict[str, bool] = {}

    def recognised(text: str) -> bool:
        if text not in seen:
            seen[text] = known(text)
        return seen[text]

    best, chosen = (-1, -1), None
    for encoding, text in letters.decodings(data):
        text = text.removeprefix("\ufeff")
        for delimiter in DELIMITERS:
            score = _score(text, delimiter, recognised)
            if score > best:
                best, chosen = score, (text, encoding, delimiter)
    if chosen is None:
        raise containers.unreadable(name)
    text, encoding, delimiter = chosen
    if "\0" in text:
        raise containers.unreadable(name)
    cells = {}
    row = -1
    try:
        for row, texts in enumerate(_rows(text, delimiter)):
            for column, value in enumerate(texts):
                if len(value) > containers.TEXT:
                    raise _endless(name, row + 1)
                if value:
                    cells[row, column] = Cell(value, value)
            if len(cells) > containers.CELLS or row >= _ROWS:
                raise containers.too_many_cells(name)
    except csv.Error as error:
        if "field limit" in str(error):
            raise _endless(name, row + 2) from error
        raise containers.damaged(
            name, said("a quotation mark without its end, after row {row}", row=row + 1)
        ) from error
    return Grid("", cells, None), encoding, delimiter


def _endless(name: str, row: int) -> DataError:
    """The refusal of a file with a cell that nobody wrote, as one opened by a stray quotation mark."""
    return containers.refusal(
        name,
        "file_too_large",
        said(
            "a cell of more than {count} letters, in row {row}",
            count=f"{containers.TEXT:,}",
            row=row,
        ),
        said("at most {count} letters in a cell", count=f"{containers.TEXT:,}"),
        said(
            "look in that row for a quotation mark without its end, mend it, and bring the file again"
        ),
    )


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _score(text: str, delimiter: str, known: Callable[[str], bool]) -> tuple[int, int]:
    """How many cells are known, and how many rows of several cells have the commonest width."""
    count = 0
    widths: Counter[int] = Counter()
    try:
        for texts in itertools.islice(_rows(text, delimiter), _LOOKED_AT):
            count += sum(map(known, filter(None, texts)))
            if len(texts) > 1:
                widths[len(texts)] += 1
    except csv.Error:
        pass  # it still counts up to there: the right delimiter is the one whose fault must be named
    return count, max(widths.values(), default=0)
