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
from typing import TYPE_CHECKING

from wardlib.data.descriptors import Table
from wardlib.data.profile import PERSONS
from wardlib.data.reading import Records, Row, Sheet, View
from wardlib.provenance import digest_bytes

if TYPE_CHECKING:  # a run looks at digests alone, and need not wait for pandas
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

SMALLEST, LARGEST = 1, 4  # the counts that are hidden
# What a hidden count weighs in a mean: the middle of what it may be, whatever it is.
WEIGHT = (SMALLEST + LARGEST) / 2

# The columns that count persons in this workbook's own tables, whatever unit a descriptor gives them, each
# with the shares of so many persons, which are hidden with it.
_COUNTS: dict[str, dict[str, tuple[str, ...]]] = {
    "school_months": {"pupils": ("attendance_share",)},
    "activities": {"participants": ()},
}
_SHARES = ("1", "%")  # the units of shares


def disclosed(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """A typed table as its readers get it: counts of persons from 1 to 4 missing, and with them the
    shares of so many persons; beside each column of persons a boolean one, "pupils_hidden", that tells
    them from cells not reported.

    Where a table counts persons in several columns, nobody knows which is the sum of which: where one of
    a row is hidden, all of the row's counts and shares are.
    """
    counts = {name: _whole(frame[name]) for name in _persons(table)}
    small = {
        name: own.between(SMALLEST, LARGEST).fillna(False).astype(bool)
        for name, own in counts.items()
    }
    changed: dict[str, pd.Series] = {}
    for name, others in _persons(table).items():
        for other in (name, *others):
            own = changed.get(other, counts.get(other, frame[other]))
            # The nought first: pandas leaves the number under what it marks as missing.
            changed[other] = own.mask(small[name], 0).mask(small[name])
    marks = {f"{name}_hidden": changed[name].isna() & counts[name].notna() for name in counts}
    return frame.assign(**changed, **marks) if changed else frame


def _whole(counts: pd.Series) -> pd.Series:
    """Counts that can hold a missing one."""
    return counts.astype("Int64") if counts.dtype == "int64" else counts


def digest(table: Table, view: View, sheet: Sheet) -> str:
    """The digest of the rows of a table that a view sees (`View.digest`), hidden cells left out: it is
    the same whatever they are.

    Raises DataError where the form of the file is at fault.
    """
    if not _persons(table):
        return view.digest(sheet)
    rows = view.rows(sheet)
    place = rows[0].cells.index
    hides = [
        (place(name), [place(other) for other in others])
        for name, others in _persons(table).items()
    ]
    if isinstance(rows, Records) and not any(
        _is_small(cell) for at, _ in hides for cell in set(rows.columns[at])
    ):
        return view.digest(sheet)
    body = rows[1:]
    texts = [_disclosed_text(row, hides) for row in body]
    if all(text == row.text for text, row in zip(texts, body, strict=True)):
        return view.digest(sheet)
    return digest_bytes("".join([rows[0].text, *texts]).encode())


def total(name: str, counts: Floats, hidden: Bools) -> dict[str, float]:
    """The sum of counts of persons (missing ones leave it alone, but for those that are `hidden`), in the
    columns that a table of analysis has of it: `name`, missing where some are hidden; and the bounds that
    this leaves, f"{name}_at_least" and f"{name}_at_most", else equal to it. NaN where nothing is known.
    """
    known = counts == counts  # all but NaN
    least = most = float("nan")
    if (known | hidden).any():
        least, most = (counts[known].sum() + hidden.sum() * end for end in (SMALLEST, LARGEST))
    sums = (least if least == most else float("nan")), least, most
    return dict(zip(columns(name), map(float, sums), strict=True))


def columns(name: str) -> tuple[str, str, str]:
    """The columns of `total`."""
    return name, f"{name}_at_least", f"{name}_at_most"


def secret(table: Table) -> set[str]:
    """The columns of a table of which some cell may be hidden."""
    persons = _persons(table)
    return {*persons, *(other for others in persons.values() for other in others)}


def _persons(table: Table) -> dict[str, tuple[str, ...]]:
    """The columns of a table that count persons, each with those that are hidden with it."""
    known = _COUNTS.get(table.name, {})
    shares_known = {share for shares in known.values() for share in shares}
    persons = [field.name for field in table.fields if field.unit == PERSONS or field.name in known]
    shares = [
        field.name for field in table.fields if field.unit in _SHARES or field.name in shares_known
    ]
    return {
        name: tuple(other for other in [*persons, *shares] if other != name) for name in persons
    }


def _is_small(cell: str) -> bool:
    return bool(cell) and SMALLEST <= float(cell) <= LARGEST


def _disclosed_text(row: Row, hides: list[tuple[int, list[int]]]) -> str:
    """A row as it is written; with hidden cells, its cells as JSON, an asterisk for each hidden one."""
    cells = list(row.cells)
    for at, others in hides:
        if cells and _is_small(row.cells[at]):
            for place in (at, *others):
                cells[place] = "*"
    if cells == row.cells:
        return row.text
    return json.dumps(cells, ensure_ascii=False) + "\n"
