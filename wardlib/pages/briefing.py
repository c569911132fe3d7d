"""What the leader's page has that no other has: the answer, the key figures, the shortcomings."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from wardlib.analysis.activities import Activities
from wardlib.analysis.assumptions import Assumptions
from wardlib.analysis.effects import Effects
from wardlib.analysis.results import Result
from wardlib.analysis.schools import Schools
from wardlib.analysis.targets import Targets
from wardlib.language import NBSP, inside, is_missing
from wardlib.pages.activities import ActivitiesPage
from wardlib.pages.block import Block, answer, bullets, paragraph
from wardlib.pages.effect import EffectPage
from wardlib.pages.page import Page
from wardlib.pages.schools import SchoolsPage
from wardlib.pages.targets import task_in_brief
from wardlib.pages.tax import unreported
from wardlib.periods import Period

WORDS, NUMBERS = 90, 9  # at most, in the three lines of the answer: they are read in a minute
_NUMBER = re.compile(r"[0-9]+(?:[.,/][0-9]+)*")  # a date, and "19/71", are read as one


@dataclass(frozen=True, repr=False)
class Briefing(Result):
    """What the leader's page brings together; `schools` and `activities` are None where the ward has
    none. `shortcomings`: see `targets.shortcomings`."""

    targets: Targets
    effects: Effects
    schools: Schools | None
    activities: Activities | None
    shortcomings: pd.DataFrame

    _tables = ("shortcomings",)

    @property
    def period(self) -> Period:
        return self.targets.period

    @property
    def assumptions(self) -> Assumptions:
        return self.effects.assumptions


class BriefingPage(Page[Briefing]):
    """The answer in three lines, what the unit keeps of its receipts, its other targets, and what fell
    short."""

    _page = "briefing"
    _opening = "answer"

    def answer(self) -> Block:
        """What COVID-19 did to receipts, what it did to schools, culture and sport, and what is to be
        done now: three lines of at most `WORDS` words and `NUMBERS` numbers."""
        text = self._text
        heads = [text("Receipts"), text("Schools, culture, sport"), text("To be done")]
        receipts = EffectPage(self.edition, self.result.effects).answer()
        schooling = self._schooling()
        tasks = [
            self._language.sentence(task)
            for task in task_in_brief(self.edition, self.result.targets)
        ]
        # The task is shortened first, then what is said of schools, culture and sport.
        choices = [(receipts, said, task) for said in schooling for task in tasks]
        fitting = (said for said in choices if _fits(" ".join((*heads, *said))))
        return answer(self._shown, zip(heads, next(fitting, choices[-1]), strict=True))

    def key_figures(self) -> Block:
        """What the unit keeps of its receipts, and each indicator with its target."""
        text, receipts = self._text, self.result.targets.receipts
        kept = receipts.lines["kept_year_to_date"][receipts.root]
        standing = self.result.targets.standing
        head, span = text("Kept by its own budget"), self.edition.period
        own = f"{head}, {span.name_year_to_date(self._language)}: {self.edition.unit(kept).amount(kept)}"
        others = "; ".join(self._figure(indicator) for _, indicator in standing.iterrows())
        return paragraph(
            self._shown, f"{own}. {self._language.sentence(others)}." if others else f"{own}."
        )

    def not_reported(self) -> Block:
        """Which figures of the year to date, of receipts and other targets, are estimates and which
        have not come in."""
        targets = self.result.targets
        said = unreported(self.edition, targets.receipts, targets.standing)
        return paragraph(self._shown, " ".join(said), note=True)

    def shortcomings(self) -> Block | None:
        """What fell short, of the kinds that the ward reports on, each with its figure or that there is
        none; nothing where no kind is known."""
        language, text = self._language, self._text
        rows = [row for _, row in self.result.shortcomings.iterrows()]
        told = [
            f"{language.pick(row, 'name')}: "
            f"{language.number(row['value'], row['decimals'], trim=True)}"
            f"{NBSP}{language.pick(row, 'unit')}"
            for row in rows
            if not is_missing(row["value"])
        ]
        silent = [inside(language.pick(row, "name")) for row in rows if is_missing(row["value"])]
        if silent:
            told.append(text("Not reported: {names}", names="; ".join(silent)))
        return bullets(self._shown, (f"{own}." for own in told)) if told else None

    def _schooling(self) -> list[str]:
        """The second line: days taught of the usual ones, and events held of those expected; the fullest
        first, then ever shorter ones."""
        days = SchoolsPage(self.edition, self.result.schools)
        events = ActivitiesPage(self.edition, self.result.activities).answer()
        told = [f"{days.answer()} {events}", f"{days.answer(brief=True)} {events}", events]
        return [said for said in map(str.strip, told) if said] or [self._text("No figures.")]

    def _figure(self, indicator: pd.Series) -> str:
        """What an indicator is, its value and its target."""
        language, text = self._language, self._text
        name = inside(language.pick(indicator, "name"))
        if is_missing(indicator["value"]):
            known = self.result.targets.rows
            known = known[(known["item"] == indicator.name) & known["value"].notna()]
            if known.empty:
                return f"{name}: " + text("not reported")
            indicator = indicator.copy()
            indicator["value"] = known["value"].iloc[0]
            name += f" ({language.month_short(known['through'].iloc[0])})"
        unit, decimals = language.pick(indicator, "unit"), indicator["decimals"]
        value, target = (
            language.number(indicator[column], decimals, trim=True)
            for column in ("value", "target")
        )
        if is_missing(indicator["target"]):
            return f"{name} {value}{NBSP}{unit}"
        if is_missing(indicator["share"]):
            aim = text("target {amount}", amount=target)
            return f"{name} {value}{NBSP}{unit} ({aim})"
        return f"{name} {language.percent(indicator['share'])} ({value}/{target}{NBSP}{unit})"


def _fits(text: str) -> bool:
    """Whether a text has as few words and numbers as are read in a minute."""
    return len(text.split()) <= WORDS and len(_NUMBER.findall(text)) <= NUMBERS
