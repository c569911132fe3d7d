"""The front door: one edition of a ward's workbook, its pages bound to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import pandas as pd

from wardlib import language
from wardlib.analysis import (
    activities,
    arrivals,
    attributions,
    effects,
    outliers,
    published,
    receipts,
    schools,
    targets,
)
from wardlib.analysis.epidemic import Epidemic
from wardlib.analysis.tables import need
from wardlib.data.book import coverage, open_book
from wardlib.pages.activities import ActivitiesPage
from wardlib.pages.arrivals import ArrivalsPage
from wardlib.pages.block import Block, paragraph
from wardlib.pages.briefing import Briefing, BriefingPage
from wardlib.pages.data_check import DataCheck, DataCheckPage
from wardlib.pages.edition import Edition
from wardlib.pages.effect import EffectPage
from wardlib.pages.schools import SchoolsPage
from wardlib.pages.targets import TargetsPage
from wardlib.pages.tax import TaxPage


@dataclass(frozen=True, eq=False, repr=False)
class Workbook(Edition):
    """An edition with a page object a subject, each made when it is first asked for.

    A page object pairs the edition with the subject's result (`book.tax.result`), so that its sentence,
    table and chart speak of the same ward, period and day. Shown, it is the head of the paper.
    """

    @cached_property
    def data_check(self) -> DataCheckPage:
        """Did every source arrive, complete and plausible?"""
        every = partial(self.table, every_report=True)
        reported = need(every, "receipts"), every("indicator_months"), every("targets")
        beside = published.reconcile(self.table("published"), *reported, self.period)
        known = self.tax.result
        unusual = outliers.find(known.months[: self.period.last])
        answers: tuple[attributions.Answer, ...] = ()
        claims = attributions.about(self.table("attributions"), self.period)
        if len(claims):
            results = self.targets.result, self.schools.result, self.activities.result
            day = pd.Timestamp(self.day)
            answers = attributions.answer(claims, self.table, day, *results, self._epidemic)
        return DataCheckPage(
            self, DataCheck(self.period, coverage(self.book), known, unusual, beside, answers)
        )

    @cached_property
    def arrivals(self) -> ArrivalsPage:
        """Which file and cell did the figures come from, and what was revised, late, missing?"""
        return ArrivalsPage(
            self, arrivals.trace(partial(self.table, every_report=True), self.period)
        )

    @cached_property
    def tax(self) -> TaxPage:
        """What was collected, against plan and the year before?"""
        known, lines = need(self.table, "receipts"), need(self.table, "revenue_lines")
        result = receipts.summarise(known, lines, self.table("targets"), self.period)
        return TaxPage(self, result)

    @cached_property
    def effect(self) -> EffectPage:
        """What did COVID-19 do to tax collection: lost, or only late?"""
        return EffectPage(self, effects.assess(self.tax.result, self.table, self._epidemic))

    @cached_property
    def schools(self) -> SchoolsPage:
        """Which school days were lost, and why?"""
        found = schools.assess(self.period, self.table, self._epidemic, self.as_of)
        return SchoolsPage(self, found)

    @cached_property
    def activities(self) -> ActivitiesPage:
        """Which events are missing against earlier years?"""
        return ActivitiesPage(self, activities.assess(self.period, self.table, self._epidemic))

    @cached_property
    def targets(self) -> TargetsPage:
        """Where does each target stand, and where will the year end?"""
        assessed = targets.assess(self.tax.result, self.table, self._epidemic, self.day)
        answered = targets.answered_for(assessed, self.table, self.ward.areas, self.day)
        return TargetsPage(self, answered)

    @cached_property
    def briefing(self) -> BriefingPage:
        """The leader's page."""
        results = (self.targets.result, self.effect.result, self.schools.result)
        known = self.table("indicators"), self.table("indicator_months")
        short = targets.shortcomings(*known, self.period)
        return BriefingPage(self, Briefing(*results, self.activities.result, short))

    def lacking(self) -> Block | None:
        """That the ward has no data of schools, of activities, or of both."""
        no_schools, no_activities = self.schools.result is None, self.activities.result is None
        if no_schools and no_activities:
            what = self.text("schools, nor of extracurricular, cultural and sports activities")
        elif no_schools:
            what = self.text("schools")
        elif no_activities:
            what = self.text("extracurricular, cultural and sports activities")
        else:
            return None
        return paragraph(self.text("There are no data here of {what}.", what=what))

    def show(self, *blocks: Block | None) -> None:
        """Display several blocks in one cell, those that there are."""
        from IPython.display import display  # only a notebook has a use for it

        display(  # type: ignore[no-untyped-call]  # IPython's has no types
            *(block for block in blocks if block is not None)
        )

    @cached_property
    def _epidemic(self) -> Epidemic:
        return Epidemic.of(self.table("covid_phases"), self.ward.areas)


def open_workbook(ward: str, period: str, code: str, as_of: str) -> Workbook:
    """See `wardlib.open`."""
    return Workbook(open_book(ward, period, as_of), language.get(code))
