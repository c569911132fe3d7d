"""COVID-19's effect on one monthly series: what would have been without it, and how sure that is.

The counterfactual is estimated from the months before `start` alone; no later month enters it. It
comes as simulated paths of what would have been *received*, month-to-month noise included, so that
the interval of any sum of months is read from the sums of the paths. Three kinds of series have a
model each, chosen from the history: amounts of `due_dates`, `counts` of days held out of days planned,
and all others, a `gaussian_process` on the log scale.

The model, its sources and its validation: docs/method.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from wardlib.analysis import counts, due_dates, gaussian_process
from wardlib.analysis.tables import Floats, months_of

LEVEL = 0.95  # of every interval
TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
FAR = 0.99  # of the interval outside which a placebo window speaks against the estimate by itself
LONGEST = 84  # months of history used, the newest
SHORTEST = 24  # months of history without which nothing can be said
FEWEST = 8  # months with a receipt, likewise

# --------------------------------------------------------------------------------------- results


@dataclass(frozen=True)
class Effect:
    """The effect over some months: `observed` minus `expected`, in the units of the series.

    `lower` and `upper` bound the effect at `LEVEL`; a negative effect is a shortfall. `months`
    counts the months with an observed figure from `first` to `last` (both inclusive); the others
    enter neither side.
    """

    first: pd.Period
    last: pd.Period
    months: int
    observed: float
    expected: float
    lower: float
    upper: float

    @property
    def amount(self) -> float:
        """Observed minus expected."""
        return self.observed - self.expected

    @property
    def verdict(self) -> str:
        """`loss` or `gain` where the interval excludes zero, else `none`."""
        if self.upper < 0:
            return "loss"
        return "gain" if self.lower > 0 else "none"


@dataclass(frozen=True)
class Checks:
    """How the estimate fares where the answer is known, and how far it hangs on choices.

    `placebo`: the same method at starts 12 and 24 months earlier (as far as `SHORTEST` months come
    before), over the 12 months that follow, in which nothing happened; columns `first, last,
    observed, expected, lower, upper`, `inside` (the observed sum lies within the interval at `LEVEL`)
    and `far` (outside the one at `FAR`). `error`: the typical error of a month there, median of
    |observed - expected| / expected; NaN without a placebo. `sensitivity`: columns `change`
    ("start", "year"), `what` (the other first month; the first month of the year left out) and
    `amount`, the effect over all months under that change.
    """

    placebo: pd.DataFrame
    error: float
    sensitivity: pd.DataFrame

    @property
    def failed(self) -> bool:
        """Whether the placebo speaks against the estimate: one window far out, or two outside."""
        return _failed(self.placebo["inside"], self.placebo["far"])


def _failed(inside: Iterable[bool], far: Iterable[bool]) -> bool:
    """The rule of `Checks.failed`, from what is said of each window."""
    return any(far) or sum(not one for one in inside) >= 2


@dataclass(frozen=True)
class Impact:
    """The estimate for one series from `start` to its last month.

    `paths`: draws x months, NaN where there is too little history. `model` names the part that was
    used: `receipts`, `due dates`, `counts`, `district`, or "" for none. `series`, `tet`, `planned` and
    `exempt` are what `estimate` was given. `again` estimates the series, shortened or with months left
    out, from another start by the method that made `paths`; by default `estimate` does.
    """

    start: pd.Period
    series: pd.Series
    paths: Floats
    model: str
    tet: tuple[pd.Timestamp, ...]
    planned: pd.Series | None
    exempt: frozenset[pd.Period]
    again: Callable[[pd.Series, pd.Period, int], Impact] | None = field(
        default=None, repr=False, compare=False
    )

    @cached_property
    def months(self) -> pd.PeriodIndex:
        """The months from `start`."""
        index = months_of(self.series)
        return index[self.start.ordinal - index[0].ordinal :].rename("month")

    @cached_property
    def collected(self) -> Floats:
        """The amounts of `months`, NaN where none."""
        return self.series.to_numpy(dtype=float)[-len(self.months) :]

    @cached_property
    def observed(self) -> Floats:
        """`collected`, NaN also where the law left nothing payable."""
        return _payable(self.collected, self.months, self.exempt)

    @cached_property
    def table(self) -> pd.DataFrame:
        """Index `month`; `observed`, `counterfactual` (mean of the paths, so that months add up),
        `lower` and `upper` at `LEVEL`; all but `observed` NaN where there is too little history."""
        low, high = np.quantile(self.paths, TAILS, axis=0)
        return pd.DataFrame(
            {
                "observed": self.observed,
                "counterfactual": self.paths.mean(axis=0),
                "lower": low,
                "upper": high,
            },
            self.months,
        )

    def effect(self, first: pd.Period | None = None, last: pd.Period | None = None) -> Effect:
        """The effect from `first` to `last`, both inclusive; by default over all months."""
        within = self.months.slice_indexer(first, last)
        months, amounts = self.months[within], self.observed[within]
        seen = ~np.isnan(amounts)
        sums = self.paths[:, within][:, seen].sum(axis=1)
        observed = float(np.nansum(amounts))
        low, high = np.quantile(sums, TAILS)
        return Effect(
            months[0],
            months[-1],
            int(seen.sum()),
            observed,
            float(sums.mean()),
            observed - float(high),
            observed - float(low),
        )

    @property
    def cumulative(self) -> Effect:
        """The effect over all months from `start`."""
        return self.effect()

    @property
    def silent(self) -> str:
        """Why no statement is possible: `history` (too little of it), `placebo` (the check failed),
        `exempt` (the law left nothing payable); "" where one is possible."""
        if not self.model:
            return "history"
        if np.isnan(self.observed).all() and self.exempt.issuperset(self.months):
            return "exempt"
        return "placebo" if self.placebo_failed else ""

    @cached_property
    def placebo_failed(self) -> bool:
        """`Checks.failed`, without the rest of the checks."""
        windows, _ = self._placebo
        return _failed(
            [window["inside"] for window in windows], [window["far"] for window in windows]
        )

    @cached_property
    def checks(self) -> Checks:
        """See `Checks`; made when asked for, as it estimates the series several times."""
        windows, errors = self._placebo
        columns = ["first", "last", "observed", "expected", "lower", "upper", "inside", "far"]
        placebo = pd.DataFrame(windows, columns=columns).astype({"inside": bool, "far": bool})
        history = self.series[: self.start - 1].iloc[-LONGEST:]
        changed: list[tuple[str, pd.Period, float]] = []
        for earlier in (self.start - 1, self.start - 2):
            again = self._again(self.series, earlier)
            if again.model:
                changed.append(("start", earlier, again.effect(self.start).amount))
        for back in range(len(history) // 12):
            left_out = pd.period_range(end=self.start - 1 - 12 * back, periods=12, freq="M")
            again = self._again(self.series.mask(self.series.index.isin(left_out)), self.start)
            if again.model:
                changed.append(("year", left_out[0], again.cumulative.amount))
        sensitivity = pd.DataFrame(changed, columns=["change", "what", "amount"])
        error = float(np.median(errors)) if len(errors) else np.nan
        return Checks(placebo, error, sensitivity)

    @cached_property
    def _placebo(self) -> tuple[list[dict[str, Any]], Floats]:
        """The placebo windows, and the relative error of each of their months."""
        windows, errors = [], []
        for back in (12, 24):
            first, last = self.start - back, self.start - back + 11
            again = self._again(self.series[:last], first)
            observed = again.observed
            if not again.model or np.isnan(observed).any():
                continue
            expected, effect = again.paths.mean(axis=0), again.cumulative
            sums = again.paths.sum(axis=1)
            low, high = np.quantile(sums, [(1 - FAR) / 2, (1 + FAR) / 2])
            windows.append(
                {
                    "first": first,
                    "last": last,
                    "observed": effect.observed,
                    "expected": effect.expected,
                    "lower": effect.observed - effect.upper,
                    "upper": effect.observed - effect.lower,
                    "inside": effect.verdict == "none",
                    "far": not low <= effect.observed <= high,
                }
            )
            errors.append(np.abs(observed - expected) / expected)
        return windows, np.concatenate(errors) if errors else np.array([])

    def _again(self, series: pd.Series, start: pd.Period) -> Impact:
        draws = min(len(self.paths), 1000)
        if self.again:
            return self.again(series, start, draws)
        return _estimate(series, start, self.tet, self.planned, self.exempt, draws, once=True)


# ------------------------------------------------------------------------------------- estimation


def estimate(
    series: pd.Series,
    *,
    start: pd.Period | pd.Timestamp | str,
    tet: Sequence[pd.Timestamp] = (),
    planned: pd.Series | None = None,
    exempt: Collection[pd.Period] = (),
    draws: int = 2000,
) -> Impact:
    """Estimate what `series` would have been from `start` without COVID-19.

    `series`: amounts by month (PeriodIndex "M" or days, one a month, no gap; NaN is missing), history and
    later months together. `start`: a month of them, "2020-02" too. `tet`: first days of the lunar year, where Tết moves the series. `planned`: days planned
    in each month of `series`, which are then counts of days held. `exempt`: months for which the law
    left nothing payable; they enter neither the history nor an effect. Same input, same result.

    With fewer than `SHORTEST` figures of history, or fewer than `FEWEST` above zero, there is no
    estimate: `model` is "". Raises ValueError where the months of `series` are not in order, `start` is
    none of them, an amount is infinite, or `draws` is not positive.
    """
    if isinstance(series.index, pd.DatetimeIndex):
        series = series.set_axis(series.index.to_period("M"))
    if np.isinf(series.to_numpy(dtype=float)).any():
        raise ValueError("an amount of the series is infinite")
    if draws < 1:
        raise ValueError("an estimate needs at least one draw")
    month = pd.Period(start, "M")
    return _estimate(series.copy(), month, tuple(tet), planned, frozenset(exempt), draws)


def _estimate(
    series: pd.Series,
    start: pd.Period,
    tet: tuple[pd.Timestamp, ...],
    planned: pd.Series | None,
    exempt: frozenset[pd.Period],
    draws: int,
    *,
    once: bool = False,
) -> Impact:
    """`estimate`. `once`: nobody will ask for this start again, so that nothing is kept for it."""
    index = series.index
    if (
        not isinstance(index, pd.PeriodIndex)
        or index.freqstr != "M"
        or (np.diff(index.asi8) != 1).any()
    ):
        raise ValueError("the series needs one row for each month, in order")
    if start not in index:
        raise ValueError(f"the series has no month {start}")
    payable = _payable(series.to_numpy(dtype=float), index, exempt)
    at = start.ordinal - index[0].ordinal
    oldest = max(at - LONGEST, 0)
    given = np.flatnonzero(~np.isnan(payable[oldest:at]))
    first = oldest + int(given[0]) if len(given) else at
    amounts, months, horizon = payable[first:at], index[first:], len(index) - at
    if np.isfinite(amounts).sum() < SHORTEST or (amounts > 0).sum() < FEWEST:
        model, paths = "", np.broadcast_to(np.nan, (draws, horizon))
    elif planned is not None:
        model = "counts"
        paths = counts.days_held(amounts, planned.reindex(months).to_numpy(), months, draws)
    elif due_dates.is_lumpy(amounts):
        model = "due dates"
        paths = due_dates.simulate(amounts, months[0].month - 1, horizon, draws, once=once)
    else:
        model = "receipts"
        paths = gaussian_process.simulate(amounts, months, tet, draws, once=once)
    return Impact(start, series, paths, model, tet, planned, exempt)


def _payable(amounts: Floats, months: pd.PeriodIndex, exempt: frozenset[pd.Period]) -> Floats:
    """Amounts by month, NaN where nothing was payable."""
    return np.where(months.isin(list(exempt)), np.nan, amounts) if exempt else amounts


def estimate_all(
    table: pd.DataFrame,
    *,
    start: pd.Period,
    tet: Sequence[pd.Timestamp] = (),
    exempt: Mapping[str, Collection[pd.Period]] | None = None,
    draws: int = 2000,
) -> dict[str, Impact]:
    """`estimate` for each column of `table` (amounts by month), e.g. all lines of a ward.

    `exempt` gives the months of some columns. Columns whose histories have the same months share the
    covariances of the model's parts.
    """
    exempt = exempt or {}
    return {
        name: estimate(table[name], start=start, tet=tet, exempt=exempt.get(name, ()), draws=draws)
        for name in table.columns.tolist()
    }
