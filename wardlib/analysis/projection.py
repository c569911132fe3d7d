"""The year's receipts as they may end: what has come, and simulated paths of the months that remain.

Before the epidemic, the remaining months are a forecast of the `counterfactual`'s model from all months known.
Since its first month they are what was to be expected without it, times how receipts have stood
against that lately (the last `RECENT` months, what was put off by law counted as if paid): each path
returns part of the way to normal, drawn evenly between not at all and wholly, and drifts with a
standard deviation of `DRIFT` a month on the log scale. What the law put off comes when it falls due; it
is taken to be paid by then. New closures and new relief are not foreseen. Validation:
tests/benchmarks/targets.py, docs/method.md.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
import pandas as pd

from wardlib.analysis import counterfactual, relief
from wardlib.analysis.counterfactual import Impact
from wardlib.analysis.epidemic import Epidemic
from wardlib.analysis.receipts import Receipts
from wardlib.analysis.relief import Ledger, Rule
from wardlib.analysis.results import CURRENCY, Result
from wardlib.analysis.sampling import stream
from wardlib.analysis.tables import Bools, Floats, Ints, Tables, months_of
from wardlib.shown import brief

RECENT = 3  # months
DRIFT = 0.15
YEARS = 2  # full years before, without which nothing can be said
_DRAWS = 2000
_FURTHEST = 5.0  # how far receipts may stand from normal, as a ratio


@dataclass(frozen=True, repr=False)
class Projection(Result):
    """A line's year as it may end, in the ward's currency.

    `draws`: the year's total on each path, empty where `silent` says why there is none: `history`
    (fewer than `YEARS` full years before), `gap` (a month before the last one known is missing),
    `unreported`. `due`: of that, what was put off by the last month known and falls due in the
    year, after the edition's day. `months`: those that remain, none where the year is complete.
    """

    draws: Floats
    due: Floats
    months: pd.PeriodIndex
    silent: str = ""

    _units: ClassVar = dict.fromkeys(("point", "low95", "high95", "due"), CURRENCY)

    def _tidied(self, name: str) -> pd.DataFrame:
        """One row: the middle of the draws, their 95 % interval, the mean of what falls due."""
        if self.silent:
            return pd.DataFrame({"silent": [self.silent]})
        low, point, high = np.quantile(self.draws, [0.025, 0.5, 0.975])
        due = float(np.mean(self.due))
        return pd.DataFrame({"point": [point], "low95": low, "high95": high, "due": due})

    def _facts(self) -> dict[str, str]:
        if self.silent:
            return {"silent": self.silent}
        (row,) = self.table().to_dict("records")
        end = self._amount(row["point"], row["low95"], row["high95"])
        return {
            "the year's end": end,
            "due": self._amount(row["due"]),
            "months": brief(self.months),
        }


@dataclass(frozen=True)
class _Rest:
    """What remains of the year on each path: before relief, and what relief takes and brings."""

    payable: Floats
    away: Floats
    back: Floats
    due: Floats
    ledger: Ledger | None


def project(
    receipts: Receipts, table: Tables, epidemic: Epidemic, day: datetime.date | None = None
) -> dict[str, Projection]:
    """The projection of every line of `receipts` to the end of its year, from every month of the year
    that it knows, be it after the period; where that is all of them, the outcome.

    `table` gives tax_relief and tet, where the ward has them. Of the relief, rules in force by the end
    of the last month known enter. Nothing is said to fall `due` by the `day`, if one is given. A
    parent's projection is made from its own series with the relief
    of its parts.
    """
    year = receipts.period.year
    given, tet = table("tax_relief"), table("tet")
    days = tuple(tet["date"]) if tet is not None else ()

    @cache
    def rules(cut: pd.Period) -> dict[str, list[Rule]]:
        return relief.rules_by_line(_known(given, cut), epidemic.areas, receipts.lines.index)

    known = receipts.months
    passed = np.datetime64(day or datetime.date.min)
    years = months_of(known).year.to_numpy()

    @cache
    def after(cut: pd.Period) -> pd.PeriodIndex:
        return pd.period_range(cut + 1, f"{year}-12", freq="M")

    @cache
    def to_the_end(cut: pd.Period) -> pd.DataFrame:
        return known[:cut].reindex(pd.period_range(known.index[0], f"{year}-12", freq="M"))

    rests: dict[str, _Rest] = {}
    projected = {}
    none = np.empty(0)
    for line in reversed(receipts.lines.index):
        cut, silent = _last(known[line], years, year)
        months = after(cut)
        if silent:
            projected[line] = Projection(none, none, months, silent)
            continue
        series = to_the_end(cut)[line]
        to_date = float(series[-12:].sum())
        if len(months) == 0:
            projected[line] = Projection(np.full(_DRAWS, to_date), np.zeros(_DRAWS), months)
            continue
        parts = [rests[part] for part in receipts.parts[line] if part in rests]
        rest = _rest(line, series, months, epidemic.start, days, rules(cut)[line], parts, passed)
        if rest is None:
            projected[line] = Projection(none, none, months, "history")
            continue
        rests[line] = rest
        year_end = to_date + rest.payable - rest.away + rest.back
        projected[line] = Projection(year_end, rest.due, months)
    return {line: projected[line] for line in receipts.lines.index}


def _last(series: pd.Series, years: Ints, year: int) -> tuple[pd.Period, str]:
    """The last month of `year` with a figure, and why nothing can be said ("" where it can). `years`:
    that of each month of `series`."""
    known = series.notna().to_numpy()
    own = np.flatnonzero(years == year)
    reported = own[known[own]]
    if len(reported) == 0:
        return pd.Period(f"{year - 1}-12", "M"), "unreported"
    last = series.index[reported[-1]]
    if len(reported) < last.month:
        return last, "gap"
    _, months = np.unique(years[known & (years < year)], return_counts=True)
    if last.month < 12 and (months == 12).sum() < YEARS:
        return last, "history"
    return last, ""


def _known(given: pd.DataFrame | None, cut: pd.Period) -> pd.DataFrame | None:
    """The relief in force by the end of a month."""
    if given is None:
        return None
    return given[given["in_force"].isna() | (given["in_force"] <= cut.end_time)]


def _rest(
    line: str,
    series: pd.Series,
    months: pd.PeriodIndex,
    start: pd.Period | None,
    tet: tuple[pd.Timestamp, ...],
    rules: list[Rule],
    parts: list[_Rest],
    passed: np.datetime64,
) -> _Rest | None:
    """`series`: all months to the year's end, of which nothing is known of the last, `months`;
    `passed`: the last day on which nothing can fall due any more."""
    exempt = relief.exempt_months(rules)
    since = months[0] if start is None or months[0] <= start else start
    estimate = counterfactual.estimate(
        series, start=since, tet=tet, exempt=exempt, draws=_DRAWS, line=line
    )
    if not estimate.model:
        return None
    none = np.zeros(_DRAWS)
    if since == months[0]:
        return _Rest(estimate.paths.sum(axis=1), none, none, none, None)
    ledgers = {
        str(place): part.ledger for place, part in enumerate(parts) if part.ledger is not None
    }
    ledger = relief.parent(estimate, ledgers) if ledgers else relief.ledger(estimate, rules)
    remaining = estimate.months.asi8 >= months[0].ordinal
    payable = estimate.paths[:, remaining] * _standing(estimate, ledger, remaining)
    if ledgers:
        away, back, due = (
            np.sum([getattr(part, name) for part in parts], axis=0)
            for name in ("away", "back", "due")
        )
    else:
        away, back, due = _relieved(payable, months, ledger, passed)
    return _Rest(payable.sum(axis=1), away, back, due, ledger)


def _standing(estimate: Impact, ledger: Ledger, remaining: Bools) -> Floats:
    """By path and remaining month, receipts as a share of what was to be expected without COVID-19.

    How much of the way back a path goes and how it drifts is the same for all lines, which have no
    random numbers of their own here: they fall and recover together.
    """
    flows = ledger.flows
    as_if_paid = (
        np.nan_to_num(estimate.collected)
        + flows.put_off
        + flows.exempt
        + flows.reduced
        - flows.received
    )
    recent = np.flatnonzero(~remaining)[-RECENT:]
    expected = estimate.paths[:, recent].sum(axis=1)
    ratio = np.divide(
        as_if_paid[:, recent].sum(axis=1), expected, out=np.ones(len(expected)), where=expected > 0
    )
    ratio = np.clip(ratio, 1 / _FURTHEST, _FURTHEST)
    ahead = np.arange(1, remaining.sum() + 1)
    even = (np.arange(len(ratio)) + 0.5) / len(ratio)
    stays = stream("recovery", "stays").permutation(even)
    steps = stream("recovery", "drift").normal(0, DRIFT, (len(ahead), len(ratio)))
    drift = steps.cumsum(axis=0).T - 0.5 * DRIFT**2 * ahead
    shares: Floats = np.exp((stays * np.log(ratio))[:, None] + drift)
    return shares


def _relieved(
    payable: Floats, months: pd.PeriodIndex, ledger: Ledger, passed: np.datetime64
) -> tuple[Floats, Floats, Floats]:
    """What relief takes from the remaining months, brings to them, and of that owes since before and
    after the day that has `passed`. The share of payers who use a rule is the same for all lines."""
    end = months[-1].end_time
    flows = ledger.flows
    in_year = flows.until <= end.to_datetime64()
    back = flows.lawful[:, in_year].sum(axis=1)
    due = flows.lawful[:, in_year & (flows.until > passed)].sum(axis=1)
    left = payable.copy()
    for rule in ledger.rules:
        touched = rule.touches(months)
        rng = stream("payers", rule.id)
        share = rng.uniform(rule.share_low, rule.share_high, len(payable))[:, None]
        taken = left[:, touched] * share
        left[:, touched] -= taken
        if rule.returns_by(end):
            back += taken.sum(axis=1)
    return (payable - left).sum(axis=1), back, due
