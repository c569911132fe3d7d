"""COVID-19's effect on a unit's receipts: every line's estimate and ledger, by phase.

The answer that notebooks show: `impact` estimates, `relief` splits, `measures` says when. The effect
starts with the month of the first phase of the epidemic where the unit lies.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from wardlib.analysis import counterfactual, epidemic, relief
from wardlib.analysis.counterfactual import Impact
from wardlib.analysis.receipts import Receipts
from wardlib.analysis.relief import Ledger, Split
from wardlib.periods import Period

BEFORE = "before"  # the period ends before the first phase
UNREPORTED = "unreported"  # no month since the start has a figure


@dataclass(frozen=True)
class Effects:
    """The effects up to the last month of `period`.

    `lines`: index `line` as in `Receipts`, columns `parent, depth, name_vi, name_en`, `plan_upper`, `comparison`
    (shown for comparison: nothing closed its payers' business or changed what they owe), `estimated`
    (some month since the start is still an estimate) and `silent`:
    why no statement is possible, "" where one is (`counterfactual.Impact.silent`, `before` or `unreported`).
    `phases`: the phases where the unit lies, columns `id, start, end, name_vi, name_en`. `start`: the
    first month of the effect, None where no phase is known. `ledgers`: by line, those with an
    estimate.
    """

    period: Period
    lines: pd.DataFrame
    phases: pd.DataFrame
    start: pd.Period | None
    ledgers: dict[str, Ledger]

    @property
    def root(self) -> str:
        """The line that all others are parts of."""
        return self.lines.index[0]

    @property
    def span(self) -> tuple[pd.Period, pd.Period] | None:
        """The months of the year to date from `start` on, first and last; None where there is none."""
        months = self.period.year_to_date
        if self.start is None or months[-1] < self.start:
            return None
        return max(self.start, months[0]), months[-1]

    @cached_property
    def segments(self) -> pd.DataFrame:
        """Phases and the times between them from `start` to the period's last month, without gap or
        overlap: columns as in `epidemic.segments`."""
        if self.span is None:
            return epidemic.segments(self.phases.iloc[:0], self.period.first, self.period.first - 1)
        return epidemic.segments(self.phases, self.start, self.period.last)

    def split(
        self, line: str, first: pd.Period | None = None, last: pd.Period | None = None
    ) -> Split | None:
        """The ledger's split of months (inclusive; by default `span`); None where nothing can be said
        or no month has a figure."""
        if self.span is None or self.lines.at[line, "silent"]:
            return None
        if first is None:
            first, last = self.span
        ledger = self.ledgers[line]
        if first > ledger.impact.months[-1]:
            return None
        split = ledger.split(first, last)
        return split if split.months else None

    def impact(self, line: str) -> Impact:
        """The estimate behind a line's ledger. Raises KeyError where there is none."""
        return self.ledgers[line].impact

    @cached_property
    def by_line(self) -> dict[str, Split]:
        """The split of `span` of each line of which something can be said."""
        splits = {line: self.split(line) for line in self.lines.index}
        return {line: split for line, split in splits.items() if split is not None}


def assess(
    receipts: Receipts, table: Callable[[str], pd.DataFrame | None], areas: tuple[str, ...]
) -> Effects:
    """The effects on all lines of `receipts`.

    `table` gives a table by its name, None where there is none: revenue_lines, covid_phases,
    covid_measures, tax_relief and, in Viet Nam, tet. `areas` run from the country to the unit. A
    parent's estimate is made from its own series, its relief is that of its parts.
    """
    period = receipts.period
    here = epidemic.of_areas(table("covid_phases"), areas)
    start = epidemic.first_month(here)
    lines = receipts.lines[["parent", "depth", "name_vi", "name_en", "plan_upper"]].copy()
    compared = table("revenue_lines").set_index("code")["comparison"]
    lines["comparison"] = compared.reindex(lines.index).astype(bool)
    lines["estimated"] = receipts.estimated[start : period.last].any() if start else False
    lines["silent"] = BEFORE
    found = Effects(period, lines, here, start, {})
    if found.span is None:
        return found
    known = receipts.months[: period.last].dropna(how="all")
    if known.empty or known.index[-1] < start:
        return replace(found, lines=lines.assign(silent=UNREPORTED))
    # Up to the last month with a figure: what is due later is not overdue before it is known.
    amounts = receipts.months[: known.index[-1]]
    if start < amounts.index[0]:  # a ward that has kept figures since then alone: no history
        amounts = amounts.reindex(pd.period_range(start, amounts.index[-1], freq="M"))
    given, taken = table("tax_relief"), table("covid_measures")
    tet = table("tet") if areas[0] == "VN" else None
    rules = relief.rules_by_line(given, areas, lines.index)
    estimates = counterfactual.estimate_all(
        amounts,
        start=start,
        tet=tuple(tet["date"]) if tet is not None else (),
        exempt={line: relief.exempt_months(rule) for line, rule in rules.items()},
    )
    explained = _explained(here, taken, areas, lines.index, period.last)
    ledgers: dict[str, Ledger] = {}
    for line in reversed(lines.index):
        parts = {part: ledgers[part] for part in receipts.parts[line] if estimates[part].model}
        ledgers[line] = (
            relief.parent(estimates[line], parts, explained[line])
            if parts and estimates[line].model
            else relief.ledger(estimates[line], rules[line], explained[line])
        )
    lines["silent"] = [estimates[line].silent for line in lines.index]
    return Effects(period, lines, here, start, ledgers)


def _explained(
    phases: pd.DataFrame,
    taken: pd.DataFrame | None,
    areas: tuple[str, ...],
    lines: Collection[str],
    last: pd.Period,
) -> dict[str, set[pd.Period]]:
    """By line, the months up to `last` with a phase, or a measure (`taken`) that names it."""
    phase_months = epidemic.months(phases, last)
    if taken is None:
        return dict.fromkeys(lines, phase_months)
    found: dict[str, set[pd.Period]] = {}
    # Most lines are named by the same measures.
    by_measures: dict[tuple[bool, ...], set[pd.Period]] = {}
    for line in lines:
        naming = tuple(line in named for named in taken["lines"])
        if naming not in by_measures:
            spells = epidemic.in_force(taken, areas, line=line)
            # A restriction whose end nobody recorded explains no month outside the phases.
            by_measures[naming] = phase_months | epidemic.months(spells.dropna(), last)
        found[line] = by_measures[naming]
    return found
