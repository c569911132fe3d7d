"""The front door: one edition of a ward's workbook, its pages bound to it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from wardlib import language
from wardlib.analysis import activities, effects, published, receipts, schools, targets
from wardlib.analysis.epidemic import Epidemic
from wardlib.data.book import coverage, open_book
from wardlib.data.descriptors import Ward
from wardlib.language import Language
from wardlib.pages.activities import ActivitiesPage
from wardlib.pages.block import Block
from wardlib.pages.briefing import BriefingPage
from wardlib.pages.data_check import DataCheckPage
from wardlib.pages.edition import Edition
from wardlib.pages.effect import EffectPage
from wardlib.pages.schools import SchoolsPage
from wardlib.pages.targets import TargetsPage
from wardlib.pages.tax import TaxPage
from wardlib.periods import Period


@dataclass(frozen=True)
class Workbook:
    """One edition with a page object a subject, each made when it is first asked for.

    A page object pairs the edition with the subject's result (`book.tax.result`), so that a sentence
    cannot speak of another period, day or ward than its table. Shown, it is the head of the paper.
    """

    edition: Edition

    @property
    def ward(self) -> Ward:
        return self.edition.ward

    @property
    def period(self) -> Period:
        return self.edition.period

    @property
    def language(self) -> Language:
        return self.edition.language

    @property
    def as_of(self) -> datetime.date | None:
        """The day to which the figures are known; None for the newest."""
        return self.edition.as_of

    def table(self, name: str, *, every_report: bool = False) -> pd.DataFrame | None:
        """What was known of a table; see `Book.table`."""
        return self.edition.book.table(name, every_report=every_report)

    @cached_property
    def data_check(self) -> DataCheckPage:
        """Did every source arrive, complete and plausible?"""
        names = ("receipts", "indicator_months", "targets")
        every = [self.table(name, every_report=True) for name in names]
        beside = published.reconcile(self.table("published"), *every, self.period)
        received = coverage(self.edition.book)
        return DataCheckPage(self.edition, received, self.tax.result, beside)

    @cached_property
    def tax(self) -> TaxPage:
        """What was collected, against plan and the year before?"""
        book = self.edition.book
        lines, plans = book.need("revenue_lines"), book.table("targets")
        result = receipts.summarise(book.need("receipts"), lines, plans, self.period)
        return TaxPage(self.edition, result)

    @cached_property
    def effect(self) -> EffectPage:
        """What did COVID-19 do to tax collection: lost, or only late?"""
        found = effects.assess(self.tax.result, self.table, self._epidemic)
        return EffectPage(self.edition, found)

    @cached_property
    def schools(self) -> SchoolsPage:
        """Which school days were lost, and why?"""
        found = schools.assess(self.period, self.table, self._epidemic)
        return SchoolsPage(self.edition, found)

    @cached_property
    def activities(self) -> ActivitiesPage:
        """Which events are missing against earlier years?"""
        found = activities.assess(self.period, self.table, self._epidemic)
        return ActivitiesPage(self.edition, found)

    @cached_property
    def targets(self) -> TargetsPage:
        """Where does each target stand, and where will the year end?"""
        found = targets.assess(self.tax.result, self.table, self._epidemic)
        return TargetsPage(self.edition, found)

    @cached_property
    def briefing(self) -> BriefingPage:
        """The leader's page."""
        return BriefingPage(self.edition, self.tax.result, self.targets.result)

    def sources(self) -> Block:
        """Where the figures come from; to be shown last, see `Edition.sources`."""
        return self.edition.sources()

    def files(self) -> Block:
        """The files read so far; see `Edition.files`."""
        return self.edition.files()

    def show(self, *blocks: Block | None) -> None:
        """Display several blocks in one cell, those that there are."""
        from IPython.display import display  # only a notebook has a use for it

        display(*(block for block in blocks if block is not None))

    @cached_property
    def _epidemic(self) -> Epidemic:
        return Epidemic.of(self.table("covid_phases"), self.ward.areas)

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        return self.edition._repr_mimebundle_()


def open_workbook(ward: str, period: str, code: str, as_of: str) -> Workbook:
    """See `wardlib.open`."""
    return Workbook(Edition(open_book(ward, period, as_of), language.get(code)))
