"""Late is not lost: the ledger of what the law let payers pay later, or not at all.

The ledger splits a line's shortfall against what would have been collected without COVID-19, on
each simulated path, by the rules of the table tax_relief:

- *exempt* (miễn) and *reduced* (giảm): not payable under the law;
- *returned*: put off (gia hạn) and paid since;
- *may come*: put off, unpaid, and the last lawful day has not passed;
- *lost*: the rest in months with a phase or measure, and what was put off and is *overdue*: the last
  lawful day has passed without payment. Whether that is arrears (nợ đọng) or gone, receipts alone
  cannot tell; it is shown apart;
- *unexplained*: the rest in other months.

How many payers put off, or are exempt, is a range in the table (`share_low`, `share_high`); each path
draws its own share from it, so that the doubt about the share is in every interval.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from wardlib.analysis.counterfactual import TAILS, Impact
from wardlib.analysis.tables import Bools, Days, Floats

DEFERRAL, EXEMPTION, REDUCTION = "deferral", "exemption", "reduction"
# By the kind of a row of tax_relief, the column of its last lawful day; "" where nothing is put off.
# A row of kind `none` gives no relief: it says when a tax falls due, and nothing is late before.
KINDS = {DEFERRAL: "extended_due", EXEMPTION: "", REDUCTION: "", "none": "normal_due"}
_WHOLE = 0.999  # share of an exemption from which nothing is payable
_SEED = 41  # of the shares


class Rule(NamedTuple):
    """Relief as months: `first` to `last` are those it touches, inclusive; `until` is the last lawful
    day, NaT where nothing is put off."""

    id: str
    kind: str
    payers: str
    first: pd.Period
    last: pd.Period
    until: pd.Timestamp
    share_low: float
    share_high: float
    document: str

    def touches(self, months: pd.PeriodIndex) -> Bools:
        """Which of `months` the rule touches."""
        return (months.asi8 >= self.first.ordinal) & (months.asi8 <= self.last.ordinal)

    def returns_by(self, day: pd.Timestamp) -> bool:
        """Whether what the rule takes from a month falls due by that day."""
        return self.kind == DEFERRAL and self.until <= day


@dataclass(frozen=True)
class Amount:
    """An amount, positive for a shortfall: mean, and the bounds of its 95 % interval."""

    mean: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Split:
    """The shortfall of some months (`first` to `last`, inclusive; `months` with a figure).

    `expected`: what they would have brought; `collected`: received in them; `difference` =
    expected - collected. `shortfall` = difference + what was received in these months for others'
    put-off amounts = exempt + reduced + returned + may_come + lost + unexplained, in the mean.
    `overdue` is part of `lost`; `claim` = lost + unexplained; `never_due_later` = claim - overdue.
    `until`: the last lawful day for what may come, NaT where nothing may.
    """

    first: pd.Period
    last: pd.Period
    months: int
    expected: float
    collected: float
    difference: Amount
    shortfall: Amount
    exempt: Amount
    reduced: Amount
    returned: Amount
    may_come: Amount
    overdue: Amount
    lost: Amount
    unexplained: Amount
    claim: Amount
    never_due_later: Amount
    until: pd.Timestamp

    @property
    def verdict(self) -> str:
        """What may be said, the same wherever it is said:

        - `loss`: the interval of what could not even be put off is above zero;
        - `overdue`: the claim's interval is, counting what was not paid by its last lawful day: arrears
          or lost;
        - `gain`: more was collected than expected, and not only what had been put off before;
        - `late`, `relief`, `returned`: the shortfall's interval is above zero, the claim's is not; most
          of it may still come, is not payable, or has come since;
        - `none`: no difference can be shown.
        """
        if self.never_due_later.lower > 0:
            return "loss"
        if self.claim.lower > 0:
            return "overdue"
        if self.difference.upper < 0 and self.shortfall.upper < 0:
            return "gain"
        if self.shortfall.lower > 0:
            parts = {
                "late": self.may_come.mean,
                "relief": self.exempt.mean + self.reduced.mean,
                "returned": self.returned.mean,
            }
            largest = max(parts, key=parts.__getitem__)
            return largest if parts[largest] > 0 else "none"
        return "none"


@dataclass(frozen=True)
class _Flows:
    """Amounts by path (rows) and month (columns, those of the estimate).

    By month of origin: `exempt`, `reduced`, `put_off`, and of that, at the end, `lawful` (may come)
    and `overdue`. By month of payment: `received`. At each month-end, of all months up to it:
    `lawful_then`, `overdue_then`. The last lawful days (by month, NaT where nothing waits): `until`, for
    what was put off in the month; `until_then`, for all that waits at the month's end.
    """

    exempt: Floats
    reduced: Floats
    put_off: Floats
    lawful: Floats
    overdue: Floats
    received: Floats
    lawful_then: Floats
    overdue_then: Floats
    until: Days
    until_then: Days

    @classmethod
    def none(cls, shape: tuple[int, int]) -> _Flows:
        """Nothing, in next to no memory: not to be written to."""
        days: Any = np.full(shape[1], np.datetime64("NaT", "ns"))
        amounts = np.broadcast_to(0.0, shape)
        return cls(**{f.name: days if f.name.startswith("until") else amounts for f in fields(cls)})

    @classmethod
    def total(cls, parts: Collection[_Flows]) -> _Flows:
        """Amounts added up; the latest of the days."""
        made = []
        for f in fields(cls):
            first, *others = (getattr(part, f.name) for part in parts)
            whole = first.copy()
            for other in others:
                (np.fmax if f.name.startswith("until") else np.add)(whole, other, out=whole)
            made.append(whole)
        return cls(*made)


@dataclass(frozen=True)
class Ledger:
    """The ledger of one line as it stands at the end of the estimate's last month.

    `impact`: the estimate it splits. `rules`: the relief that was applied. `explained`: for each month,
    whether a phase or measure was in force.
    """

    impact: Impact
    rules: Sequence[Rule]
    explained: Bools
    flows: _Flows

    @cached_property
    def _gap(self) -> Floats:
        """Expected minus collected by path and month, zero where there is no figure."""
        collected = self.impact.collected
        return np.where(np.isfinite(collected), self.impact.paths - np.nan_to_num(collected), 0.0)

    def split(self, first: pd.Period | None = None, last: pd.Period | None = None) -> Split:
        """The split of the months from `first` to `last` (inclusive; by default all)."""
        months, flows, collected = self.impact.months, self.flows, self.impact.collected
        within = np.zeros(len(months), dtype=bool)
        within[months.slice_indexer(first, last)] = True
        places = np.flatnonzero(within)
        seen = within & np.isfinite(collected)
        own = self._gap + flows.received
        rest = own - flows.exempt - flows.reduced - flows.put_off

        expected = float(self.impact.paths[:, seen].mean(axis=0).sum())
        size = abs(expected) + np.abs(collected[seen]).sum()
        parts = {
            "difference": self._gap,
            "shortfall": own,
            "exempt": flows.exempt,
            "reduced": flows.reduced,
            "returned": flows.put_off - flows.lawful - flows.overdue,
            "may_come": flows.lawful,
            "overdue": flows.overdue,
            "lost": np.where(self.explained, rest, 0) + flows.overdue,
            "unexplained": rest,
            "claim": rest + flows.overdue,
            "never_due_later": rest,
        }
        only = {"unexplained": within & ~self.explained}
        sums = [part[:, only.get(name, within)].sum(axis=1) for name, part in parts.items()]
        amounts = dict(zip(parts, _amounts(np.array(sums), 1e-9 * size), strict=True))
        return Split(
            first=months[places[0]],
            last=months[places[-1]],
            months=int(seen.sum()),
            expected=expected,
            collected=float(collected[seen].sum()),
            **amounts,
            until=pd.Timestamp(np.fmax.reduce(flows.until[within])),
        )

    @cached_property
    def month_ends(self) -> pd.DataFrame:
        """The ledger at every month-end since the start: index `month`; columns `difference`,
        `returned`, `may_come`, `overdue`, `claim`, each with `_lower` and `_upper`, and `until`.

        As it would have been read then; amounts are of all months up to it.
        """
        flows = self.flows
        difference = self._gap.cumsum(axis=1)
        relieved = (flows.exempt + flows.reduced).cumsum(axis=1)
        parts = {
            "difference": difference,
            "returned": flows.put_off.cumsum(axis=1) - flows.lawful_then - flows.overdue_then,
            "may_come": flows.lawful_then,
            "overdue": flows.overdue_then,
            "claim": difference - relieved - flows.lawful_then,
        }
        table = pd.DataFrame(index=self.impact.months)
        for name, by_month in parts.items():
            table[name] = by_month.mean(axis=0)
            table[f"{name}_lower"], table[f"{name}_upper"] = np.quantile(by_month, TAILS, axis=0)
        table["until"] = flows.until_then
        return table


def rules_by_line(
    relief: pd.DataFrame | None, areas: tuple[str, ...], lines: Collection[str]
) -> dict[str, list[Rule]]:
    """By line, the rules of the table tax_relief (None: there are none) that touch it in one of
    `areas`, as months.

    A deferral touches the months from the normal due date (from the start of the liability where there
    is none), but not before the month of the document, to the one before the month of the extended due
    date. A row of kind `none` with a due date touches the months of the liability before that date:
    nothing is late until then. A last day that falls on a weekend moves to the next working day.
    """
    rules: dict[str, list[Rule]] = {line: [] for line in lines}
    if relief is not None:
        touching = relief[
            relief["area"].isin(areas)
            & relief["lines"].map(lambda named: not rules.keys().isdisjoint(named))
            & relief["share_high"].notna()
        ]
        granted: Any  # a row: the stubs know no columns
        for granted in touching.itertuples():
            rule = _rule(granted)
            if rule is not None:
                for line in rules.keys() & set(granted.lines):
                    rules[line].append(rule)
    return rules


def _rule(granted: Any) -> Rule | None:
    """A row of the table tax_relief as months; None where it touches none."""
    if granted.kind not in KINDS:
        raise ValueError(f"the ledger knows no relief of kind {granted.kind!r}, only {[*KINDS]}")
    first, last, kind = granted.period_start, granted.period_end, granted.kind
    until: Any = pd.NaT  # the stubs know no missing Timestamp
    if column := KINDS[kind]:
        until = pd.offsets.BDay().rollforward(getattr(granted, column))
        if pd.isna(until):  # no last day is known
            return None
        last = until.to_period("M") - 1
        if kind == DEFERRAL and pd.notna(granted.normal_due):
            first = granted.normal_due.to_period("M")
        if pd.notna(granted.in_force):
            first = max(first, granted.in_force.to_period("M"))
        kind = DEFERRAL
    elif pd.isna(last):
        last = pd.Period("9999-12", "M")
    if not last >= first:
        return None
    shares = granted.share_low, granted.share_high
    return Rule(granted.id, kind, granted.payers, first, last, until, *shares, granted.document)


def exempt_months(rules: Collection[Rule]) -> list[pd.Period]:
    """Months for which the rules leave nothing payable."""
    return [
        month
        for rule in rules
        if _is_whole(rule)
        for month in pd.period_range(rule.first, rule.last, freq="M")
    ]


def _is_whole(rule: Rule) -> bool:
    """Whether a rule leaves nothing payable."""
    return rule.kind == EXEMPTION and rule.share_low >= _WHOLE


def ledger(
    impact: Impact, rules: Sequence[Rule], explained: Collection[pd.Period] | None = None
) -> Ledger:
    """Split the shortfall of a line by its `rules` (see `rules_by_line`).

    `explained`: months with a phase or measure; None means all of them.
    """
    months, held = impact.months, _held(impact, explained)
    shape = impact.paths.shape
    if len(rules) == 0 or not impact.model:
        return Ledger(impact, rules, held, _Flows.none(shape))
    due = np.full(len(months), np.datetime64("NaT", "ns"))
    kept, later = np.ones(shape), np.zeros(shape)  # share payable at all; share put off
    whole = np.zeros(len(months), dtype=bool)
    cut = np.ones(shape)
    for share, rule in zip(_shares(rules, len(impact.paths)), rules, strict=True):
        touched = rule.touches(months)
        if rule.kind == EXEMPTION:
            kept[:, touched] *= 1 - share[:, None]
            whole |= touched & _is_whole(rule)
        elif rule.kind == REDUCTION:
            cut[:, touched] *= 1 - share[:, None]
        else:
            newer = touched & ~(due >= rule.until.to_datetime64())
            due[newer] = rule.until.to_datetime64()
            later[:, newer] = share[:, None]
    return Ledger(impact, rules, held, _run(impact, due, whole, 1 - kept, 1 - cut, later))


def parent(
    impact: Impact, children: Mapping[str, Ledger], explained: Collection[pd.Period] | None = None
) -> Ledger:
    """The ledger of a line that is the sum of others: its own estimate, its children's relief."""
    rules = {rule.id: rule for child in children.values() for rule in child.rules}
    flows = _Flows.total([child.flows for child in children.values()])
    return Ledger(impact, list(rules.values()), _held(impact, explained), flows)


def _held(impact: Impact, explained: Collection[pd.Period] | None) -> Bools:
    """For each month, whether it is explained."""
    return np.array([explained is None or month in explained for month in impact.months])


def _amounts(draws: Floats, dust: float) -> list[Amount]:
    """Mean and interval of each row; what is smaller than `dust` is left by rounding, not an amount."""
    amounts = np.array([draws.mean(axis=1), *np.quantile(draws, TAILS, axis=1)])
    amounts[np.abs(amounts) < dust] = 0.0
    return [Amount(*values) for values in amounts.T.tolist()]


def _shares(rules: Sequence[Rule], draws: int) -> list[Floats]:
    """For each rule, the share of each path: evenly over its range, in random order."""
    rng = np.random.default_rng(_SEED)
    even = (np.arange(draws) + 0.5) / draws
    return [
        rule.share_low + (rule.share_high - rule.share_low) * rng.permutation(even)
        for rule in rules
    ]


def _run(
    impact: Impact,
    due: Days,
    whole: Bools,
    exempt_share: Floats,
    cut_share: Floats,
    later_share: Floats,
) -> _Flows:
    """Go through the months on all paths at once.

    `due`: by month, the last lawful day of what is put off, NaT where nothing is. `whole`: months of
    which nothing is payable. The shares (paths x months): of what is expected, exempt; of the rest,
    cut; of what is left then, put off at most.
    """
    # One long walk: in parts it would hand a dozen running sums from function to function.
    paths, observed = impact.paths, impact.collected
    flows = _Flows.total([_Flows.none(paths.shape)])  # to be written to
    left = np.zeros(paths.shape)
    last_days = (impact.months.asi8 + 1).astype("datetime64[M]").astype("datetime64[D]") - 1
    puts_off = ~np.isnat(due)
    known = np.flatnonzero(np.isfinite(observed))
    # What is due after the newest figure is not overdue before it is known.
    newest = known[-1] if len(known) else -1
    order = [month for month in np.argsort(due, kind="stable") if puts_off[month]]
    allowed = np.zeros(len(paths))  # what may still be put off
    # Collected beyond what was expected while payment could be put off, and short since: what varies
    # from month to month is neither put off nor a return.
    ahead, behind = np.zeros(len(paths)), np.zeros(len(paths))
    waiting = np.zeros(len(due), dtype=bool)
    for month, collected in enumerate(observed):
        open_ = puts_off[month]
        (behind if open_ else ahead)[:] = 0
        if not open_:
            allowed[:] = 0
        if np.isfinite(collected):
            expected = paths[:, month]
            short = np.maximum(expected - collected, 0)
            exempt = exempt_share[:, month] * expected
            if not whole[month]:
                exempt = np.minimum(exempt, short)
            short = np.maximum(expected - collected - exempt, 0)
            surplus = np.maximum(collected + exempt - expected, 0)
            reduced = np.minimum(cut_share[:, month] * (expected - exempt), short)
            flows.exempt[:, month], flows.reduced[:, month] = exempt, reduced
            short -= reduced
            offset = np.minimum(surplus, behind)
            behind -= offset
            surplus -= offset
            for origin in order:
                if origin < month and surplus.any():
                    paid = np.minimum(surplus, left[:, origin])
                    left[:, origin] -= paid
                    surplus -= paid
                    flows.received[:, month] += paid
            if open_:
                allowed += later_share[:, month] * (expected - exempt - reduced)
                offset = np.minimum(short, ahead)
                put_off = np.minimum(short - offset, allowed)
                ahead += surplus - offset
                allowed -= put_off
                flows.put_off[:, month] = left[:, month] = put_off
            else:
                behind += short
        closed = due <= last_days[min(month, newest)] if newest >= 0 else np.zeros(len(due), bool)
        if not puts_off[: month + 1].any():
            continue
        flows.overdue_then[:, month] = left[:, closed].sum(axis=1)
        waiting = ~closed & (np.einsum("dm->m", left) > 0)
        flows.until_then[month] = due[waiting].max() if waiting.any() else np.datetime64("NaT")
        flows.lawful_then[:, month] = left[:, ~closed].sum(axis=1)
    flows.overdue[:, closed], flows.lawful[:, ~closed] = left[:, closed], left[:, ~closed]
    flows.until[waiting] = due[waiting]
    return flows
