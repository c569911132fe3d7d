"""Disclosure: counts of persons too small to show, hidden before anything is made of them.

A count from 1 to 4 may point at single persons. It is hidden where the tables are handed out, so that a
reader of a `Book` never has it: whatever is then added, subtracted, averaged, drawn or hashed, of one paper
or of many, is made of what is disclosed, and every value from 1 to 4 fits it as well. No second cell has to
be hidden for the sake of the first (secondary suppression); a sum with a hidden part is a range instead.

Threshold: OECD glossary "cell suppression"; secondary suppression: handbook of statistical disclosure
control, ch. 5 (https://sdctools.github.io/HandbookSDC/05-frequency-tables.html); that protecting the cells of
which all tables are made keeps these consistent: Langsrud and Heldal, Privacy in Statistical Databases, 2018.
"""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pandas as pd

from wardlib.data.descriptors import Table
from wardlib.data.reading import Row, Sheet, View
from wardlib.provenance import digest_bytes

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

SMALLEST, LARGEST = 1, 4  # the counts that are hidden
# What a hidden count weighs in a mean: the middle of what it may be, whatever it is.
WEIGHT = (SMALLEST + LARGEST) / 2

_PERSONS = "persons"  # the unit of a column that counts them, in any table
# The columns of this workbook's own tables that count persons, whatever unit a descriptor gives them, and
# the shares of so many persons, which are hidden with them.
_COUNTS: dict[str, dict[str, tuple[str, ...]]] = {
    "school_months": {"pupils": ("attendance_share",)},
    "activities": {"participants": ()},
}


def disclosed(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """A typed table as its readers get it: counts of persons from 1 to 4 missing, and with them the
    shares of so many persons; beside each column of persons a boolean one, "pupils_hidden", that tells
    them from cells not reported."""
    changed = {}
    for name, shares in _persons(table).items():
        counts = frame[name]
        if counts.dtype == "int64":
            counts = counts.astype("Int64")  # which can hold a missing one
        small = counts.between(SMALLEST, LARGEST).fillna(False).astype(bool)
        changed[name], changed[f"{name}_hidden"] = counts.mask(small), small
        changed |= {share: frame[share].mask(small) for share in shares}
    return frame.assign(**changed) if changed else frame


def digest(table: Table, view: View, sheet: Sheet) -> str:
    """The digest of the rows of a table that a view sees (`View.digest`), hidden cells left out: it is
    the same whatever they are.

    Raises DataError where the form of the file is at fault.
    """
    rows = view.rows(sheet)
    place = rows[0].cells.index
    hides = [
        (place(name), [place(share) for share in shares])
        for name, shares in _persons(table).items()
    ]
    texts = [_disclosed_text(row, hides) for row in rows[1:]]
    if all(text == row.text for text, row in zip(texts, rows[1:], strict=True)):
        return view.digest(sheet)
    return digest_bytes("".join([rows[0].text, *texts]).encode())


def total(name: str, counts: Floats, hidden: Bools) -> dict[str, float]:
    """The sum of counts of persons (missing ones leave it alone, but for those that are `hidden`), in the
    columns that a table of analysis has of it: `name`, missing where some are hidden; and the bounds that
    this leaves, f"{name}_at_least" and f"{name}_at_most", else equal to it. NaN where nothing is known.
    """
    known = ~np.isnan(counts)
    least = most = np.nan
    if (known | hidden).any():
        least, most = (counts[known].sum() + hidden.sum() * end for end in (SMALLEST, LARGEST))
    sums = (least if least == most else np.nan), least, most
    return dict(zip(columns(name), map(float, sums), strict=True))


def columns(name: str) -> tuple[str, str, str]:
    """The columns of `total`."""
    return name, f"{name}_at_least", f"{name}_at_most"


def _persons(table: Table) -> dict[str, tuple[str, ...]]:
    """The columns of a table that count persons, each with those that are shares of them."""
    counts = _COUNTS.get(table.name, {})
    numbers = [field for field in table.fields if field.type in ("integer", "number")]
    persons = {field.name for field in numbers if field.unit == _PERSONS}
    return {
        name: counts.get(name, ()) for name in table.columns if name in counts or name in persons
    }


def _disclosed_text(row: Row, hides: list[tuple[int, list[int]]]) -> str:
    """A row as it is written; with hidden cells, its cells as JSON, an asterisk for each hidden one."""
    cells = list(row.cells)
    for at, others in hides:
        if cells and cells[at] and SMALLEST <= float(cells[at]) <= LARGEST:
            for place in (at, *others):
                cells[place] = "*"
    if cells == row.cells:
        return row.text
    return json.dumps(cells, ensure_ascii=False) + "\n"
