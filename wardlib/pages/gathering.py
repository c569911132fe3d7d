"""Gathering: what the wards of a district bring to its page.

They are read one by one and let go, so that many need not lie in memory at once. What was made of them is
remembered by the bytes of all their files: where a run keeps fits, the page of 300 wards is made again without
reading a table.
"""

from __future__ import annotations

import datetime
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from wardlib import provenance
from wardlib.analysis import members, receipts, remembered, schools, targets
from wardlib.analysis.epidemic import Epidemic
from wardlib.analysis.members import District, Given
from wardlib.analysis.tables import Tables
from wardlib.data import descriptors, disclosure, reading
from wardlib.data.book import Book
from wardlib.data.descriptors import REFERENCE, Ward
from wardlib.data.reading import View
from wardlib.errors import DataError, RequestError, WardError
from wardlib.periods import Period

_EFFECT = ("tax_relief", "covid_measures", "tet")  # tables that effects ask for
_NO_TABLES: Tables = dict[str, pd.DataFrame]().get
_CODE = provenance.digest(
    Path(__file__)
)  # as it was loaded; all else that makes a figure, fits know


@dataclass(frozen=True)
class Gathering:
    """Of a district, by the digest of all files of its wards and of what they share."""

    files: str

    @classmethod
    def of(cls, ward: Ward) -> Gathering:
        """That of the files as they are now."""
        wards = sorted({member.ward for member in ward.wards})
        return cls(descriptors.digest_files(ward.id, REFERENCE, *wards))

    def day(self, book: Book) -> datetime.date:
        """The day of the district's book."""
        if book.as_of:
            return book.as_of
        asked = book.ward.id, str(book.period), self.files, _CODE
        found = remembered.recall_text(lambda: book.day.isoformat(), "day of a district", *asked)
        return datetime.date.fromisoformat(found.strip())

    def brought(self, book: Book) -> tuple[District, dict[str, str]]:
        """What the wards brought, and the digests of the rows that were read for it."""

        def make() -> str:
            found, read = _gathered(book)
            return json.dumps([found.text(), read])

        asked = book.ward.id, str(book.period), book.day.isoformat(), self.files, _CODE
        text, read = json.loads(remembered.recall_text(make, "district", *asked))
        return District.read(text), read


def _gathered(book: Book) -> tuple[District, dict[str, str]]:
    read: dict[str, str] = {}
    given: dict[str, Given] = {}
    for name, months in book.ward.members(book.period).items():
        given[name], own = _given(name, months, book.period, book.day)
        read |= own
    own_book = Book(book.ward, book.period, book.day)
    epidemic = _epidemic(own_book)
    found = members.assess(given, book.period, own_book.table, epidemic, book.ward.currency)
    return found, read | own_book.digests


def _epidemic(book: Book) -> Epidemic:
    return Epidemic.of(book.table("covid_phases"), book.ward.areas)


def _given(
    name: str, months: frozenset[int], period: Period, day: datetime.date
) -> tuple[Given, dict[str, str]]:
    """What a ward brings, and the digests of the rows that were read for it; one whose files are at fault
    brings nothing."""
    try:
        ward = descriptors.ward(name)
    except WardError:
        nobody = Given(
            name, name, "", False, months, _NO_TABLES, Epidemic.of(None, ()), faulty=True
        )
        return nobody, {f"data/{name}/{descriptors.DESCRIPTOR}": ""}
    book = Book(ward, period, day)
    own: dict[str, Any] = {
        "name_vi": ward.name_vi, "name_en": ward.name_en, "currency": ward.currency,
        "illustrative": ward.illustrative, "months": months,
    }  # fmt: skip
    digests = descriptors.digests(name)
    try:
        epidemic = _epidemic(book)
        made = Given(**own, table=_kept(book), epidemic=epidemic, **_results(book, epidemic))
    except (DataError, RequestError):
        nobody = Given(**own, table=_NO_TABLES, epidemic=Epidemic.of(None, ()), faulty=True)
        return nobody, digests | _digests(ward, day)
    return made, digests | book.digests


def _kept(book: Book) -> Tables:
    """The tables that effects ask for, without the book, which holds all that was read."""
    found = {name: book.table(name) for name in _EFFECT}
    return lambda name: found.get(name)


def _results(book: Book, epidemic: Epidemic) -> dict[str, Any]:
    """What was made of a ward's tables; nothing where no receipt is known by the period's last month."""
    found: dict[str, Any] = {}
    known, lines = book.table("receipts"), book.table("revenue_lines")
    if known is not None and lines is not None and (known["month"] <= book.period.last).any():
        summed = receipts.summarise(known, lines, book.table("targets"), book.period)
        of_then = known[known["month"] <= book.period.last]
        found |= {"receipts": summed, "newest": pd.Timestamp(of_then["reported_on"].max())}
        found["targets"] = targets.assess(summed, book.table, epidemic, book.day)
    with suppress(RequestError):  # a table that it needs is not there
        found["schools"] = schools.assess(book.period, book.table, epidemic, book.day)
    return found


def _digests(ward: Ward, day: datetime.date) -> dict[str, str]:
    """The digests of the rows of all tables of a ward that is at fault, "" of one that cannot be read: it is
    looked at again where one of them has changed."""
    found = {}
    for table in ward.tables.values():
        found[table.file] = ""
        with suppress(DataError):
            view = View(day.isoformat())
            found[table.file] = disclosure.digest(table, view, reading.sheet(table.path))
    return found
