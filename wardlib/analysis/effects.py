"""COVID-19's effect on a unit's receipts: every line's estimate and ledger, by phase.

The answer that notebooks show: `counterfactual` estimates, `relief` splits, `epidemic` says when. The
effect starts with the month of the first phase of the epidemic where the unit lies.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from wardlib.analysis import counterfactual, relief
from wardlib.analysis.counterfactual import Impact
from wardlib.analysis.epidemic import Epidemic, in_force, months, segments
from wardlib.analysis.receipts import Receipts
from wardlib.analysis.relief import Ledger, Split
from wardlib.analysis.tables import Tables, need
from wardlib.periods import Period

BEFORE = "before"  # the period ends before the first phase
UNREPORTED = "unreported"  # no month since the start has a figure


@dataclass(frozen=True)
class Effects:
    """The effects up to the last month of the period of `receipts`.

    `lines`: index `line` as in `Receipts`, columns `parent, depth, name_vi, name_en`, `plan_upper`;
    `comparison` (shown for comparison: nothing closed its payers' business or changed what they owe);
    `estimated` (some month since the start is still an estimate); `silent`: why no statement is
    possible, "" where one is (`Impact.silent`, `BEFORE` or `UNREPORTED`). `ledgers`: by line, those
    with an estimate.
    """

    receipts: Receipts
    lines: pd.DataFrame
    epidemic: Epidemic
    ledgers: dict[str, Ledger]

    @property
    def period(self) -> Period:
        return self.receipts.period

    @property
    def phases(self) -> pd.DataFrame:
        """The phases where the unit lies, as in `Epidemic`."""
        return self.epidemic.phases

    @property
    def start(self) -> pd.Period | None:
        """The first month of the effect; None where no phase is known."""
        return self.epidemic.start

    @property
    def root(self) -> str:
        """The line that all others are parts of."""
        return self.receipts.root

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
        if self.start is None or self.span is None:
            return segments(self.phases.iloc[:0], self.period.first, self.period.first - 1)
        return segments(self.phases, self.start, self.period.last)

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


def assess(receipts: Receipts, table: Tables, epidemic: Epidemic) -> Effects:
    """The effects on all lines of `receipts`.

    `table` gives revenue_lines, without which RequestError is raised, and, where the ward has them,
    tax_relief, covid_measures and tet. A parent's estimate is made from its own series, its relief is
    that of its parts.
    """
    period, start = receipts.period, epidemic.start
    lines = receipts.lines[["parent", "depth", "name_vi", "name_en", "plan_upper"]].copy()
    compared = need(table, "revenue_lines").set_index("code")["comparison"]
    lines["comparison"] = compared.reindex(lines.index).astype(bool)
    lines["estimated"] = receipts.estimated[start : period.last].any() if start else False
    lines["silent"] = BEFORE
    unsaid = Effects(receipts, lines, epidemic, {})
    if start is None or unsaid.span is None:
        return unsaid
    known = receipts.months[: period.last].dropna(how="all")
    if known.empty or known.index[-1] < start:
        return replace(unsaid, lines=lines.assign(silent=UNREPORTED))
    # Up to the last month with a figure: what is due later is not overdue before it is known.
    amounts = receipts.months[: known.index[-1]]
    if start < amounts.index[0]:  # a ward that has kept figures since then alone: no history
        amounts = amounts.reindex(pd.period_range(start, amounts.index[-1], freq="M"))
    given, measures, tet = table("tax_relief"), table("covid_measures"), table("tet")
    rules = relief.rules_by_line(given, epidemic.areas, lines.index)
    estimates = counterfactual.estimate_all(
        amounts,
        start=start,
        tet=tuple(tet["date"]) if tet is not None else (),
        exempt={line: relief.exempt_months(own) for line, own in rules.items()},
    )
    explained = _explained(epidemic, measures, lines.index, period.last)
    ledgers: dict[str, Ledger] = {}
    for line in reversed(lines.index):
        below = [estimates[part] for part in receipts.parts[line]]
        estimates[line] = counterfactual.total(amounts[line], below) or estimates[line]
        parts = {part: ledgers[part] for part in receipts.parts[line] if estimates[part].model}
        ledgers[line] = (
            relief.parent(estimates[line], parts, explained[line])
            if parts and estimates[line].model
            else relief.ledger(estimates[line], rules[line], explained[line])
        )
    lines["silent"] = [estimates[line].silent for line in lines.index]
    return Effects(receipts, lines, epidemic, ledgers)


def _explained(
    epidemic: Epidemic, measures: pd.DataFrame | None, lines: Collection[str], last: pd.Period
) -> dict[str, set[pd.Period]]:
    """By line, the months up to `last` with a phase, or one of `measures` that names it."""
    of_phases = months(epidemic.phases, last)
    if measures is None:
        return dict.fromkeys(lines, of_phases)
    by_line: dict[str, set[pd.Period]] = {}
    # Most lines are named by the same measures.
    by_measures: dict[tuple[bool, ...], set[pd.Period]] = {}
    for line in lines:
        naming = tuple(line in named for named in measures["lines"])
        if naming not in by_measures:
            spells = in_force(measures, epidemic.areas, line=line)
            # A restriction whose end nobody recorded explains no month outside the phases.
            by_measures[naming] = of_phases | months(spells.dropna(), last)
        by_line[line] = by_measures[naming]
    return by_line
