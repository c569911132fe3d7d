"""COVID-19's effect on a unit's receipts: every line's estimate and ledger, by phase.

The answer that notebooks show: `counterfactual` estimates, `relief` splits, `epidemic` says when. The
effect starts with the month of the first phase of the epidemic where the unit lies, unless an analyst
supposes something else (`assumptions`); what is supposed moves the estimates that hang on it alone, as
estimates are `remembered`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from wardlib.analysis import counterfactual, relief
from wardlib.analysis.assumptions import NOTHING, Assumptions
from wardlib.analysis.counterfactual import LEVEL, Effect, Impact
from wardlib.analysis.epidemic import RESTRICTION, Epidemic, segments
from wardlib.analysis.receipts import Receipts, line_of
from wardlib.analysis.relief import Ledger, Rule, Split
from wardlib.analysis.results import Result
from wardlib.analysis.tables import Tables
from wardlib.errors import RequestError, said
from wardlib.periods import Period
from wardlib.shown import listed

BEFORE = "before"  # the period ends before the first phase
UNREPORTED = "unreported"  # no month since the start has a figure


@dataclass(frozen=True, repr=False)
class Effects(Result):
    """The effects up to the last month of the period of `receipts`, by all that is known since.

    `lines`: index `line` as in `Receipts`, columns `parent, depth, name_vi, name_en`, `plan_upper`;
    `comparison` (for comparison: named by no restriction and no relief, see `_untouched`);
    `estimated` (some month since the start is still an estimate); `silent`: why no statement is
    possible, "" where one is (`Impact.silent`, `BEFORE` or `UNREPORTED`). `ledgers`: by line, those
    with an estimate. `assumptions`: what was supposed in place of what the tables say; where it names
    lines, `lines` are these and their parts.
    """

    receipts: Receipts
    lines: pd.DataFrame
    epidemic: Epidemic
    ledgers: dict[str, Ledger]
    assumptions: Assumptions = NOTHING

    _tables = ("rows", "lines", "phases")
    _units = Split._units

    def _facts(self) -> dict[str, str]:
        split = self.by_line.get(self.root)
        if split is None:
            return {"nothing can be said": str(self.lines.at[self.root, "silent"])}
        whole = split._facts()
        names = ("months", "expected", "collected", "difference", "shortfall", "deferred", "claim")
        told = {name: whole[name] for name in names if name in whole}
        about = {"line": self.root} | told | {"verdict": split.verdict, "loss": split.loss}
        return about | {"by_line": listed(self.by_line)}

    @cached_property
    def rows(self) -> pd.DataFrame:
        """A row a line and span: the period since the start and the year to date as `Split.row` has them,
        then of cash each phase (its id) and the time after it ("after <id>"; "before <id>" the first). Columns
        `line`, `span`, and those of `Split.row`; without a line of which something can be said, `line` alone."""
        if not self.by_line:
            return pd.DataFrame({"line": []})
        rows: list[dict[str, object]] = []
        for line in self.by_line:
            for span, name in zip(reversed(self.spans), ("year to date", "period"), strict=False):
                split = (self.by_line if span == self.span else self.of_period).get(line)
                if split is not None:
                    rows.append({"line": line, "span": name, **split.row()})
        for line in self.by_line:
            for _, segment in self.segments.iterrows():
                effect = self.cash(line, segment["first"], segment["last"])
                if effect is None:
                    continue
                phase = self.phases.iloc[max(segment["spell"], 0)]["id"]
                outside = "before" if segment["spell"] < 0 else "after"
                rows.append(
                    {
                        "line": line,
                        "span": str(phase) if segment["inside"] else f"{outside} {phase}",
                        "first": effect.first,
                        "last": effect.last,
                        "months": effect.months,
                        "expected": effect.expected,
                        "collected": effect.observed,
                        "difference": -effect.amount,
                        "difference_lower": -effect.upper,
                        "difference_upper": -effect.lower,
                    }
                )
        return pd.DataFrame(rows)

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
        """The line that all others are parts of; of several lines that were supposed, the first."""
        return str(self.lines.index[0])

    @property
    def into_history(self) -> pd.PeriodIndex:
        """The months of the epidemic from which the estimate learns, as the effect is supposed to start later."""
        first, start = self.epidemic.recorded, self.start
        if first is None or start is None:
            return pd.PeriodIndex([], freq="M")
        months = pd.period_range(first, start - 1, freq="M")
        return months[~months.year.isin(self.assumptions.leave_out)]

    @property
    def level(self) -> float:
        """How often an interval holds the truth."""
        return self.assumptions.level or LEVEL

    @cached_property
    def span(self) -> tuple[pd.Period, pd.Period] | None:
        """The months of the year to date from `start` on, first and last; None where there is none."""
        months = self.period.year_to_date
        if self.start is None or months[-1] < self.start:
            return None
        return max(self.start, months[0]), months[-1]

    @cached_property
    def spans(self) -> list[tuple[pd.Period, pd.Period]]:
        """The months of the period since the start, where they are not all of the year to date, and the year
        to date; none where the period ends before the epidemic."""
        if self.span is None or self.start is None:
            return []
        own = max(self.start, self.period.first), self.period.last
        return [self.span] if own == self.span else [own, self.span]

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
        return replace(split, origin=self.origin) if split.months else None

    def cash(self, line: str, first: pd.Period, last: pd.Period) -> Effect | None:
        """What came of a line in some months (inclusive) against what was to be expected; None as `split`."""
        if self.lines.at[line, "silent"] or first > self.ledgers[line].impact.months[-1]:
            return None
        effect = self.ledgers[line].impact.effect(first, last)
        return replace(effect, origin=self.origin) if effect.months else None

    def impact(self, line: str) -> Impact:
        """The estimate behind a line's ledger. Raises KeyError where there is none."""
        return self.ledgers[line].impact

    @cached_property
    def by_line(self) -> dict[str, Split]:
        """The split of `span` of each line of which something can be said."""
        splits = {line: self.split(line) for line in self.lines.index}
        return {line: split for line, split in splits.items() if split is not None}

    @cached_property
    def of_period(self) -> dict[str, Split]:
        """The split of the first of `spans` of each line of which something can be said."""
        if len(self.spans) < 2:
            return self.by_line
        splits = {line: self.split(line, *self.spans[0]) for line in self.lines.index}
        return {line: split for line, split in splits.items() if split is not None}


def assess(
    receipts: Receipts, table: Tables, epidemic: Epidemic, assumptions: Assumptions = NOTHING
) -> Effects:
    """The effects on all lines of `receipts`; under `assumptions` that name lines, on these and their parts.

    `table` gives, where the ward has them, tax_relief, covid_measures and tet. A parent's estimate is the
    sum of its parts' (`counterfactual.total`), or made from its own series where it cannot be; its relief
    is that of its parts. Raises RequestError where something is supposed that cannot be: a start after the
    period, a line, a phase or a year of which nothing is known.
    """
    epidemic = epidemic.supposing(assumptions)
    period, start = receipts.period, epidemic.start
    if assumptions.start and start is not None and start > period.last:
        raise RequestError(
            said(
                "the effect cannot start in {start}, after {last}, the last month of {period}.",
                start=start,
                last=period.last,
                period=period,
            )
        )
    chosen = [line_of(receipts.lines, line) for line in assumptions.lines] or [receipts.root]
    kept = {own for line in chosen for own in family(receipts.parts, line)}
    every = receipts.lines[receipts.lines.index.isin(list(kept))]
    lines = every[["parent", "depth", "name_vi", "name_en", "plan_upper"]].copy()
    compared = _untouched(receipts, table, epidemic)
    lines["comparison"] = lines.index.isin(list(compared))
    lines["estimated"] = (
        receipts.estimated.loc[start : period.last, lines.index].any() if start else False
    )
    lines["silent"] = BEFORE
    unsaid = Effects(receipts, lines, epidemic, {}, assumptions)
    if start is None or unsaid.span is None:
        return unsaid
    reported = receipts.months[lines.index]
    if reported[start : period.last].dropna(how="all").empty:
        return replace(unsaid, lines=lines.assign(silent=UNREPORTED))
    # To the last month with a figure, which may lie after the period: what came since counts as come, and
    # what is due later is not overdue before it is known.
    amounts = reported[: receipts.months.dropna(how="all").index[-1]]
    if start < amounts.index[0]:  # a ward that has kept figures since then alone: no history
        amounts = amounts.reindex(pd.period_range(start, amounts.index[-1], freq="M"))
    amounts = assumptions.learnt_from(amounts, start)
    given, tet = table("tax_relief"), table("tet")
    rules = relief.rules_by_line(given, epidemic.areas, lines.index, assumptions.share)
    estimates = counterfactual.estimate_all(
        amounts,
        start=start,
        tet=tuple(tet["date"]) if tet is not None else (),
        exempt={line: relief.exempt_months(own) for line, own in rules.items()},
    )
    level = assumptions.level or LEVEL
    ledgers = by_line(receipts, amounts, estimates.__getitem__, rules, level)
    lines["silent"] = [ledgers[line].impact.silent for line in lines.index]
    return Effects(receipts, lines, epidemic, ledgers, assumptions)


def by_line(
    receipts: Receipts,
    amounts: pd.DataFrame,
    estimate: Callable[[str], Impact],
    rules: Mapping[str, Sequence[Rule]],
    level: float = LEVEL,
) -> dict[str, Ledger]:
    """The ledgers of the lines (columns) of `amounts` by month, parts before what they are parts of.

    `estimate` gives the estimate of a line from its own series; a parent's is the sum of its parts' where
    it can be, and is not asked for then. `rules`: the relief of each line. `level`: of the intervals.
    """
    ledgers: dict[str, Ledger] = {}
    for line in reversed(amounts.columns):
        below = receipts.parts[line]
        found = counterfactual.total(amounts[line], [ledgers[part].impact for part in below])
        if found is None:
            found = estimate(line)
            if below:  # some parts' sum does not stand against what all were to bring
                partly = receipts.partial[line].reindex(amounts.index, fill_value=False)
                found = replace(found, series=amounts[line].mask(partly))
        found = replace(found, level=level)
        parts = {part: ledgers[part] for part in below if ledgers[part].impact.model}
        ledgers[line] = (
            relief.parent(found, parts)
            if parts and found.model
            else relief.ledger(found, rules[line])
        )
    return ledgers


def _untouched(receipts: Receipts, table: Tables, epidemic: Epidemic) -> set[str]:
    """The first-level lines that can be compared with: no restriction and no relief of the epidemic named
    them, a part of them, or what they are a part of, at any time. None where no restriction names any line,
    as then nobody has recorded which lines were touched."""
    lines, given = receipts.lines, table("tax_relief")
    measures = table("covid_measures")
    if measures is None:
        return set()
    bound = measures[measures["area"].isin(epidemic.areas) & (measures["kind"] == RESTRICTION)]
    named = _named(bound, lines.index)
    if not named:
        return set()
    if given is not None:
        granted = given["area"].isin(epidemic.areas) & given["kind"].isin(relief.GRANTED)
        named |= _named(given[granted], lines.index)
    root = receipts.root
    return {
        line
        for line in lines.index[lines["depth"] == 1]
        if named.isdisjoint({root, *family(receipts.parts, line)})
    }


def family(parts: Mapping[str, Sequence[str]], line: str) -> Iterator[str]:
    """A line, its parts, their parts and so on."""
    yield line
    for part in parts[line]:
        yield from family(parts, part)


def _named(rows: pd.DataFrame, lines: Collection[str]) -> set[str]:
    """Which of `lines` rows of a table name."""
    return {line for named in rows["lines"] for line in named} & set(lines)
