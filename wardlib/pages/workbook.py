"""The front door: one edition of a ward's workbook, its pages bound to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, TypeVar

import pandas as pd

from wardlib import language
from wardlib.analysis import (
    activities,
    arrivals,
    attributions,
    effects,
    history,
    outliers,
    published,
    receipts,
    schools,
    targets,
)
from wardlib.analysis.activities import Activities
from wardlib.analysis.assumptions import NOTHING, Assumptions
from wardlib.analysis.effects import Effects
from wardlib.analysis.epidemic import Epidemic
from wardlib.analysis.members import District
from wardlib.analysis.receipts import Receipts
from wardlib.analysis.results import Origin, Result
from wardlib.analysis.schools import Schools
from wardlib.analysis.tables import need
from wardlib.analysis.targets import Targets
from wardlib.data.book import Book, coverage, open_book
from wardlib.errors import RequestError, WardError, said
from wardlib.pages.activities import ActivitiesPage
from wardlib.pages.arrivals import ArrivalsPage
from wardlib.pages.block import Block, paragraph
from wardlib.pages.briefing import Briefing, BriefingPage
from wardlib.pages.data_check import DataCheck, DataCheckPage
from wardlib.pages.district import DistrictPage
from wardlib.pages.edition import Edition
from wardlib.pages.effect import EffectPage
from wardlib.pages.gathering import Gathering
from wardlib.pages.history import HistoryPage
from wardlib.pages.schools import SchoolsPage
from wardlib.pages.targets import TargetsPage
from wardlib.pages.tax import TaxPage

_T = TypeVar("_T")
# By subject: a result, and the digests of what was read for it.
_Results = dict[str, tuple[Any, dict[str, str]]]
_FACTS = ("tax", "schools", "epidemic")  # results that nothing supposed moves
_PERIODS = 2  # whose results are kept: jobs come period by period
# Of a process that makes results for others (see `prepare`): by ward, period and as-of day.
_shared: dict[tuple[str, str, str], _Results] = {}


@dataclass(frozen=True, eq=False, repr=False)
class Workbook(Edition):
    """An edition with a page object a subject, each made when it is first asked for.

    A page object pairs the edition with the subject's result (`book.tax.result`), so that its sentence,
    table and chart speak of the same ward, period and day. Shown, it is the head of the paper.
    """

    _results: _Results = field(default_factory=dict)
    _gathering: Gathering | None = None  # of a district

    def _result(self, subject: str, make: Callable[[], _T]) -> _T:
        """The result of a subject, which does not depend on the language; `book.digests` has what was
        read for it, whoever made it."""
        if subject not in self._results:
            before = dict(self.book.digests)
            self.book.digests.clear()
            try:
                self._results[subject] = self._own(make()), dict(self.book.digests)
            finally:
                self.book.digests.update(before)
        result, read = self._results[subject]
        self.book.digests.update(read)
        return result  # type: ignore[no-any-return]  # what `make` made

    def suppose(
        self,
        *,
        start: str = "",
        phases: Iterable[str] = (),
        share: float | None = None,
        leave_out: Iterable[int] = (),
        lines: Iterable[str] = (),
        level: float | None = None,
    ) -> Workbook:
        """The same edition under assumptions (see `Assumptions`), which its pages of effects say, in place of
        those that it may have. Only what hangs on them is worked out anew, when it is asked for. Raises
        RequestError where something cannot be supposed."""
        supposed = Assumptions(start, phases, share, leave_out, lines, level)  # type: ignore[arg-type]  # which makes tuples of them
        if supposed == self.assumptions:
            return self
        facts = {name: self._results[name] for name in _FACTS if name in self._results}
        return Workbook(self.book, self.language, facts, assumptions=supposed)

    def _known_only(self, subject: str) -> None:
        """Refuses a page of which it is not known what an assumption would change."""
        if self.assumptions:
            raise RequestError(
                said(
                    "what is supposed bears on {effects}, not on {page}: ask the book without it.",
                    effects="effect, activities",
                    page=subject,
                )
            )

    def _own(self, made: _T) -> _T:
        """A result that knows of whom it is."""
        if not isinstance(made, Result):
            return made
        ward, supposed = self.ward, getattr(made, "assumptions", NOTHING)
        origin = Origin(
            *(ward.id, ward.currency, self.day, ward.illustrative, ward.sources_en, supposed.told)
        )
        return replace(made, origin=origin)

    def _receipts(self) -> Receipts:
        def make() -> Receipts:
            known, lines = need(self.table, "receipts"), need(self.table, "revenue_lines")
            return receipts.summarise(known, lines, self.table("targets"), self.period)

        return self._result("tax", make)

    def _effects(self) -> Effects:
        return self._result(
            "effect",
            lambda: effects.assess(
                self._receipts(), self.table, self._epidemic(), self.assumptions
            ),
        )

    def _days(self) -> Schools | None:
        return self._result(
            "schools",
            lambda: schools.assess(self.period, self.table, self._epidemic(), self.as_of),
        )

    def _events(self) -> Activities | None:
        return self._result(
            "activities",
            lambda: activities.assess(self.period, self.table, self._epidemic(), self.assumptions),
        )

    def _targets(self) -> Targets:
        self._known_only("targets")

        def make() -> Targets:
            assessed = targets.assess(self._receipts(), self.table, self._epidemic(), self.day)
            return targets.answered_for(assessed, self.table, self.ward.areas, self.day)

        return self._result("targets", make)

    def _epidemic(self) -> Epidemic:
        return self._result(
            "epidemic", lambda: Epidemic.of(self.table("covid_phases"), self.ward.areas)
        )

    def _data_check(self) -> DataCheck:
        def make() -> DataCheck:
            every = partial(self.table, every_report=True)
            reported = need(every, "receipts"), every("indicator_months"), every("targets")
            beside = published.reconcile(self.table("published"), *reported, self.period)
            known = self._receipts()
            unusual = outliers.find(known.months[: self.period.last])
            answers: tuple[attributions.Answer, ...] = ()
            claims = attributions.about(self.table("attributions"), self.period)
            if len(claims):
                results = self._targets(), self._days(), self._events()
                day = pd.Timestamp(self.day)
                answers = attributions.answer(claims, self.table, day, *results, self._epidemic())
            return DataCheck(self.period, coverage(self.book), known, unusual, beside, answers)

        return self._result("data_check", make)

    def _district(self) -> District:
        self._known_only("district")

        def make() -> District:
            if self._gathering is None:
                raise RequestError(
                    said(
                        "{ward} is a ward: it has no wards of its own. Open a district for its page.",
                        ward=self.ward.id,
                    )
                )
            found, read = self._gathering.brought(self.book)
            self.book.digests.update(read)
            return found

        return self._result("district", make)

    @cached_property
    def district(self) -> DistrictPage:
        """How do the wards of the district stand beside each other, and all together?"""
        return DistrictPage(self, self._district())

    @cached_property
    def data_check(self) -> DataCheckPage:
        """Did every source arrive, complete and plausible?"""
        return DataCheckPage(self, self._data_check())

    @cached_property
    def arrivals(self) -> ArrivalsPage:
        """Which file and cell did the figures come from, and what was revised, late, missing?"""
        traced = arrivals.trace(partial(self.table, every_report=True), self.period)
        return ArrivalsPage(self, self._own(traced))

    @cached_property
    def tax(self) -> TaxPage:
        """What was collected, against plan and the year before?"""
        return TaxPage(self, self._receipts())

    @cached_property
    def effect(self) -> EffectPage:
        """What did COVID-19 do to tax collection: lost, or only late?"""
        return EffectPage(self, self._effects())

    @cached_property
    def history(self) -> HistoryPage:
        """What was reported when, what changed since a day, and what bears on a month?"""
        every = partial(self.table, every_report=True)
        traced = history.trace(every, self.book.lines("receipts"), self._effects(), self.day)
        return HistoryPage(self, self._own(traced))

    @cached_property
    def schools(self) -> SchoolsPage:
        """Which school days were lost, and why?"""
        return SchoolsPage(self, self._days())

    @cached_property
    def activities(self) -> ActivitiesPage:
        """Which events are missing against earlier years?"""
        return ActivitiesPage(self, self._events())

    @cached_property
    def targets(self) -> TargetsPage:
        """Where does each target stand, and where will the year end?"""
        return TargetsPage(self, self._targets())

    @cached_property
    def briefing(self) -> BriefingPage:
        """The leader's page."""
        results = (self._targets(), self._effects(), self._days())
        known = self.table("indicators"), self.table("indicator_months")
        short = targets.shortcomings(*known, self.period)
        return BriefingPage(self, self._own(Briefing(*results, self._events(), short)))

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
        return paragraph(self, self.text("There are no data here of {what}.", what=what))

    def show(self, *blocks: Block | None) -> None:
        """Display several blocks in one cell, those that there are."""
        from IPython.display import display  # only a notebook has a use for it

        display(  # type: ignore[no-untyped-call]  # IPython's has no types
            *(block for block in blocks if block is not None)
        )


def open_workbook(ward: str, period: str, code: str, as_of: str) -> Workbook:
    """See `wardlib.open`."""
    if code in language.CODES:  # in which an error is told from here on
        WardError.tongue = partial(language.get, code)
    found, gathering = _opened(ward, period, as_of)
    kept = _shared.get((ward, str(found.period), as_of), {})
    return Workbook(found, language.get(code), _results=dict(kept), _gathering=gathering)


def _opened(ward: str, period: str, as_of: str) -> tuple[Book, Gathering | None]:
    """A book, and of a district what gathers its wards' figures, which may know the book's day already."""
    found = open_book(ward, period, as_of)
    if not found.ward.wards:
        return found, None
    gathering = Gathering.of(found.ward)
    return replace(found, known=gathering.day(found)), gathering


def prepare(ward: str, period: str, as_of: str, subjects: Iterable[str]) -> None:
    """Make the results of some subjects, names of `Workbook`'s pages, for editions that will be opened in
    this process or in forks of it; those of older periods are forgotten.

    For a process that reads a ward once: its editions do not see what changes in the files later on.
    """
    key = ward, period, as_of
    kept = _shared.pop(key, {})
    while len(_shared) >= _PERIODS:
        del _shared[next(iter(_shared))]
    _shared[key] = kept
    found, gathering = _opened(ward, period, as_of)
    made = Workbook(found, language.get("vi"), _results=kept, _gathering=gathering)
    for subject in subjects:
        with suppress(Exception):  # is told where the page is asked for
            getattr(made, subject)
    if "effect" in kept:
        with suppress(Exception):
            _ = kept["effect"][0].by_line  # which most pages of it ask for
