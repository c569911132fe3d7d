"""Tables of a briefing: heads, rows, notes, units, and the figures behind them.

Amounts stand right-aligned with a fixed number of decimals under a head that names their unit; a
figure not reported is "…"; an estimate carries an asterisk, a sum that lacks a month a dagger, and
the notes say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from wardlib.data import disclosure
from wardlib.language import NONE, Unit, is_missing
from wardlib.pages.block import Block, joined, resource
from wardlib.pages.edition import Edition

ESTIMATE, PARTIAL = "*", "†"
HIDDEN = "–"  # a share of so few persons that it is not printed


@dataclass(frozen=True)
class Column:
    """A column: its head, whether it holds words (left-aligned), and its width on paper in mm; either
    all columns but the first have a width, or none has."""

    head: str
    width: int = 0
    words: bool = False


@dataclass(frozen=True)
class Row:
    """A row: its head and cells; `depth` 0 is a total, from 2 on the head is indented; `says` stands
    below the head. A cell may hold line breaks, and end in a mark, which does not count when figures
    are aligned."""

    head: str
    cells: tuple[str, ...]
    depth: int = 1
    says: str = ""


def table(
    edition: Edition,
    slug: str,
    caption: str,
    columns: Sequence[Column],
    rows: Sequence[Row],
    frame: pd.DataFrame,
    units: Mapping[str, str],
    notes: Iterable[str],
    sources: Iterable[str],
) -> Block:
    """The block of a table. The first of `columns` is that of the rows' heads; `frame` holds the
    figures behind it, `units` the unit of each column of `frame` that has one; `sources` names the
    data tables that they come from."""
    notes = list(notes)
    if files := [f"{name}.csv" for name in sources if edition.ward.table(name)]:
        notes.append(edition.text("Source: {sources}.", sources=", ".join(files)))
    comma = edition.language.comma
    pads = [pads_of([row.cells[at] for row in rows], comma) for at in range(len(columns) - 1)]
    content = {
        "kind": "table",
        "slug": slug,
        "caption": caption,
        "columns": [
            {"head": column.head, "width": column.width, "words": column.words or at == 0}
            for at, column in enumerate(columns)
        ],
        "rows": [
            {
                "head": row.head,
                "depth": row.depth,
                "says": row.says,
                "cells": [_cell(cell, pad[at]) for cell, pad in zip(row.cells, pads, strict=True)],
            }
            for at, row in enumerate(rows)
        ],
        "note": " ".join(notes),
    }
    plain = joined([caption, *("  ".join([row.head, *row.cells]) for row in rows), *notes])
    figures = resource(slug, frame, units, edition.about)
    return Block(content, plain, figures, language=edition.language.code)


def _cell(cell: str, pad: str) -> dict[str, object]:
    figure, mark = _split(cell)
    return {"lines": figure.split("\n"), "mark": mark, "pad": pad}


def _split(cell: str) -> tuple[str, str]:
    """A cell without the mark at its end, and the mark."""
    figure = cell.rstrip(ESTIMATE + PARTIAL)
    return figure, cell[len(figure) :]


_FIGURE = re.compile(r"[-+]?<?[0-9.,]*[0-9]")


def pads_of(cells: Sequence[str], comma: str) -> list[str]:
    """What would have to stand behind each figure of a column for the decimal commas to be in line;
    nothing in a column of words or intervals."""
    bare = [_split(cell)[0] for cell in cells]
    if any(figure not in ("", NONE, HIDDEN) and not _FIGURE.fullmatch(figure) for figure in bare):
        return [""] * len(cells)
    tails = [comma + figure.partition(comma)[2] if comma in figure else "" for figure in bare]
    longest = max((len(tail) for tail in tails), default=0)
    return [
        (comma + "0" * (longest - 1))[len(tail) :] if _FIGURE.fullmatch(figure) else ""
        for figure, tail in zip(bare, tails, strict=True)
    ]


def amount(unit: Unit, value: float, mark: str = "") -> str:
    """An amount as a cell, below a head that names the unit."""
    return NONE if is_missing(value) else unit.figure(value) + mark


def percent(edition: Edition, share: float | None) -> str:
    """A share (1 = all) as a cell, below a head that says %."""
    return NONE if share is None or is_missing(share) else edition.language.number(100 * share, 1)


def count(edition: Edition, number: float) -> str:
    """A whole number as a cell."""
    return NONE if is_missing(number) else edition.language.number(number)


def persons(edition: Edition, sums: pd.Series, name: str) -> str:
    """A number of persons as a cell (see `disclosure.total`): a range where small counts are hidden."""
    _, *ends = (sums[column] for column in disclosure.columns(name))
    return "–".join(dict.fromkeys(count(edition, end) for end in ends))


def unit_of(edition: Edition, *columns: pd.Series) -> Unit:
    """The money unit of a table that prints these amounts."""
    largest = max((column.abs().max() for column in columns), default=0)
    return edition.unit(largest)


def marked(rows: Iterable[Row], mark: str) -> bool:
    """Whether a cell of the rows carries the mark, which a note then explains."""
    return any(mark in cell for row in rows for cell in row.cells)


def hiding(edition: Edition) -> str:
    """The note of a table in which counts of persons are hidden."""
    return edition.text(
        "A number from 1 to 4 persons is not given: it stands as 1–4, and in a sum it counts as 1 to 4."
    )
