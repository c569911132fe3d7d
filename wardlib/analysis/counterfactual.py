"""COVID-19's effect on one monthly series: what would have been without it, and how sure that is.

The counterfactual is estimated from the months before `start` alone; no later month enters it. It
comes as simulated paths of what would have been *received*, month-to-month noise included, so that
the interval of any sum of months is read from the sums of the paths. Three kinds of series have a
model each, chosen from the history: amounts of `due_dates`, `counts` of days held out of days planned,
and all other `amounts`; `districts` estimates wards together.

The model, its sources and its validation: docs/method.md.
"""

from __future__ import annotations

import contextlib
import datetime
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from wardlib.analysis import amounts as monthly
from wardlib.analysis import counts, due_dates, remembered
from wardlib.analysis.results import CURRENCY, Result, plain
from wardlib.analysis.tables import Floats, months_of

LEVEL = 0.95  # of every interval, unless an analyst supposes another
FAR = 0.99  # of the interval outside which a placebo window speaks against the estimate by itself
LONGEST = 72  # months of history used, the newest
SHORTEST = 24  # months of history without which nothing can be said
FEWEST = 8  # months with a receipt, likewise
COMPARED = 9  # months with a figure without which a placebo window of twelve is none
HALF_YEAR = 6  # months
_DUST = 1e-9  # of an amount: what rounding leaves

# --------------------------------------------------------------------------------------- results


@dataclass(frozen=True, repr=False)
class Effect(Result):
    """The effect over some months: `observed` minus `expected`, in the units of the series.

    `lower` and `upper` bound the effect at `level`; a negative effect is a shortfall. `months`
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
    level: float = LEVEL

    _units: ClassVar = dict.fromkeys(
        ("observed", "expected", "amount", "lower", "upper"), CURRENCY
    ) | {"months": "months"}

    def _tidied(self, name: str) -> pd.DataFrame:
        """One row: the fields, `amount` and `verdict`."""
        kept = {name: value for name, value in plain(self).items() if name != "level"}
        return pd.DataFrame([kept | {"amount": self.amount, "verdict": self.verdict}])

    def _facts(self) -> dict[str, str]:
        return {
            "months": f"{self.first} to {self.last}, {self.months} with a figure",
            "observed": self._amount(self.observed),
            "expected": self._amount(self.expected),
            "amount": self._amount(self.amount, self.lower, self.upper),
            "verdict": self.verdict,
        }

    @property
    def amount(self) -> float:
        """Observed minus expected."""
        return self.observed - self.expected

    @property
    def verdict(self) -> str:
        """`loss` or `gain` where the interval excludes zero by more than rounding, else `none`."""
        dust = _DUST * max(abs(self.observed), abs(self.expected))
        if self.upper < -dust:
            return "loss"
        return "gain" if self.lower > dust else "none"


@dataclass(frozen=True, repr=False)
class Checks(Result):
    """How the estimate fares where the answer is known, and how far it hangs on choices.

    `placebo`: the same method at starts 12 and 24 months earlier (as far as `SHORTEST` months come
    before), over those of the 12 months that follow, in which nothing happened, that have a figure (at
    least `COMPARED`); columns `first, last, observed, expected, lower, upper`, `inside` (the observed
    sum lies within the interval at `LEVEL`) and `far` (outside the one at `FAR`). `error`: the errors of
    single months there, the sum of |observed - expected| over that of |observed|, which months without
    a receipt do not upset; NaN without a placebo.
    `failed`: the placebo speaks against the estimate, as one window is far out, or two are outside, and
    the half-year before the start was not foreseen either. Where it was, the months that the estimate
    knows tell what had changed. `sensitivity`: columns `change` ("start", "year"), `what` (the other
    first month; the first month of the year left out) and `amount`, the effect over all months under
    that change; empty without an estimate.
    """

    placebo: pd.DataFrame
    error: float
    failed: bool
    sensitivity: pd.DataFrame

    _tables = ("placebo", "sensitivity")
    _units: ClassVar = dict.fromkeys(("observed", "expected", "lower", "upper", "amount"), CURRENCY)


@dataclass(frozen=True, repr=False)
class Impact(Result):
    """The estimate for one series from `start` to its last month.

    `paths`: draws x months, NaN where there is too little history. `model` names the part that was
    used: `receipts`, `due dates`, `counts`, `district`, `sum` (see `total`), or "" for none. `series`, `tet`, `planned`,
    `exempt` and `line` are what `estimate` was given. `again` estimates the series, shortened or with
    months left out, from another start by the method that made `paths`; by default `estimate` does.
    `parts`: the estimates that a `sum` is of. `level`: how often its intervals hold the truth.
    """

    start: pd.Period
    series: pd.Series
    paths: Floats
    model: str
    tet: tuple[pd.Timestamp, ...]
    planned: pd.Series | None
    exempt: frozenset[pd.Period]
    line: str = ""
    again: Callable[[pd.Series, pd.Period, int], Impact] | None = field(
        default=None, repr=False, compare=False
    )
    parts: tuple[Impact, ...] = field(default=(), repr=False, compare=False)
    level: float = LEVEL

    _tables = ("by_month",)
    _units: ClassVar = dict.fromkeys(("observed", "counterfactual", "lower", "upper"), CURRENCY)

    def _facts(self) -> dict[str, str]:
        about = {"months": f"{self.months[0]} to {self.months[-1]}", "line": self.line}
        if not self.model:
            return about | {"no estimate": "too little history"}
        whole = self.effect()._facts()
        names = ("observed", "expected", "amount", "verdict")
        return about | {name: whole[name] for name in names} | {"model": self.model}

    def __getstate__(self) -> dict[str, Any]:
        """What a copy or pickle holds: the checks in place of `again`, which may know other series."""
        if self.again:
            _ = self.checks  # keeps what they are made of
        return vars(self) | {"again": None, "parts": ()}

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
    def by_month(self) -> pd.DataFrame:
        """Index `month`; `observed`, `counterfactual` (mean of the paths, so that months add up),
        `lower` and `upper` at `level`; all but `observed` NaN where there is too little history."""
        low, high = np.quantile(self.paths, tails(self.level), axis=0)
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
        """The effect from `first` to `last`, both inclusive; by default over all months. Raises ValueError
        where the estimate has no month of them."""
        within = self.months.slice_indexer(first, last)
        months, amounts = self.months[within], self.observed[within]
        if not len(months):
            raise ValueError(
                f"the estimate, {self.months[0]} to {self.months[-1]}, has no month from {first} to {last}: "
                "choose months within it, the earlier one first"
            )
        seen = ~np.isnan(amounts)
        sums = self.paths[:, within][:, seen].sum(axis=1)
        observed = float(np.nansum(amounts))
        low, high = np.quantile(sums, tails(self.level))
        return Effect(
            months[0],
            months[-1],
            int(seen.sum()),
            observed,
            float(sums.mean()),
            observed - float(high),
            observed - float(low),
            self.level,
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
        outside = sum(not window["inside"] for window in windows)
        if outside < 2 and not any(window["far"] for window in windows):
            return False

        def unforeseen() -> Floats:
            again = self.estimate_again(self.series[: self.start - 1], self.start - HALF_YEAR)
            return np.array([again is None or again.cumulative.verdict != "none"], dtype=float)

        return bool(self.recall(unforeseen, (1,), "half-year", last=self.start - 1)[0])

    @property
    def checks(self) -> Checks:
        """See `Checks`; made when asked for, as it estimates the series several times."""
        return self.checks_until(self.months[-1])

    def checks_until(self, last: pd.Period) -> Checks:
        """`checks`, the sensitivity that of the months from `start` to `last`."""
        windows, error = self._placebo
        columns = ["first", "last", "observed", "expected", "lower", "upper", "inside", "far"]
        placebo = pd.DataFrame(windows, columns=columns).astype({"inside": bool, "far": bool})
        changed = [(change, what, float(own[:last].sum())) for change, what, own in self._changed]
        sensitivity = pd.DataFrame(changed, columns=["change", "what", "amount"])
        return Checks(placebo, error, self.placebo_failed, sensitivity)

    @cached_property
    def _changed(self) -> list[tuple[str, pd.Period, pd.Series]]:
        """The rows of `Checks.sensitivity`, with the effect of each month in place of their sum."""
        if not self.model:
            return []
        history = self.series[: self.start - 1].iloc[-LONGEST:]
        asked: list[tuple[str, pd.Period]] = [("start", self.start - 1), ("start", self.start - 2)]
        asked += [("year", self.start - 12 * back) for back in range(1, len(history) // 12 + 1)]

        def effects() -> Floats:
            made = np.full((len(asked), 1 + len(self.months)), np.nan)  # whether there is one first
            for row, (change, what) in zip(made, asked, strict=True):
                earlier, series = what, self.series
                if change == "year":
                    left_out = pd.period_range(what, periods=12, freq="M")
                    earlier, series = self.start, series.mask(series.index.isin(left_out))
                again = self.estimate_again(series, earlier)
                row[0] = again is not None
                if again:
                    effect = again.observed - again.paths.mean(axis=0)
                    row[1:] = effect[len(effect) - len(self.months) :]
            return made

        shape = len(asked), 1 + len(self.months)
        made = self.recall(effects, shape, "changed", last=self.months[-1])
        return [
            (change, what, pd.Series(row[1:], self.months))
            for (change, what), row in zip(asked, made, strict=True)
            if row[0]
        ]

    @cached_property
    def _placebo(self) -> tuple[list[dict[str, Any]], float]:
        """The placebo windows, and `Checks.error`."""
        columns = ["observed", "expected", "lower", "upper", "inside", "far", "off", "amounts"]
        made = self.recall(self._windows, (2, len(columns)), "placebo", last=self.start - 1)
        windows = []
        off = amounts = 0.0
        for back, row in zip((12, 24), made.tolist(), strict=True):
            if np.isnan(row[0]):
                continue
            window = dict(zip(columns, row, strict=True))
            off += window.pop("off")
            amounts += window.pop("amounts")
            flags = {name: bool(window[name]) for name in ("inside", "far")}
            first = self.start - back
            windows.append({"first": first, "last": first + 11} | window | flags)
        return windows, off / amounts if amounts else np.nan

    def _windows(self) -> Floats:
        """Of the placebo at starts 12 and 24 months earlier what `Checks.placebo` says after `last`, the
        sum of the months' absolute errors, and that of their amounts; NaN where there is none."""
        made = np.full((2, 8), np.nan)
        for row, back in zip(made, (12, 24), strict=True):
            first, last = self.start - back, self.start - back + 11
            again = self.estimate_again(self.series[:last], first)
            if again is None or np.isfinite(again.observed).sum() < COMPARED:
                continue
            seen, effect = np.isfinite(again.observed), again.cumulative
            low, high = np.quantile(
                again.paths[:, seen].sum(axis=1), [(1 - FAR) / 2, (1 + FAR) / 2]
            )
            dust = _DUST * max(abs(effect.observed), abs(effect.expected))
            row[:] = [
                effect.observed,
                effect.expected,
                effect.observed - effect.upper,
                effect.observed - effect.lower,
                effect.verdict == "none",
                not low - dust <= effect.observed <= high + dust,
                np.nansum(np.abs(again.observed - again.paths.mean(axis=0))),
                np.nansum(np.abs(again.observed)),
            ]
        return made

    def recall(
        self,
        make: Callable[[], Floats],
        shape: tuple[int | None, ...],
        *of: object,
        last: pd.Period,
    ) -> Floats:
        """What `make` gives of re-estimates (an array of that `shape`), remembered: by `of`, its name first, and
        by the estimate's series until `last`, which is all that it may hang on. Where `again` may know other
        series, it is made."""
        made_of = self._made_of(last)
        if made_of is None:
            return make()
        return remembered.recall(make, shape, *of, self.start.ordinal, made_of)

    def _made_of(self, last: pd.Period) -> tuple[object, ...] | None:
        """All that re-estimates of the series until `last` are made of, but for their start; None where
        nobody knows."""
        parts = [part._made_of(last) for part in self.parts]
        if (self.again and not parts) or None in parts:
            return None
        planned = self.planned
        index = months_of(self.series)
        return (
            *(self.model, self.line, len(self.paths), index[0].ordinal, last.ordinal),
            self.series.to_numpy(dtype=float)[: last.ordinal + 1 - index[0].ordinal].tobytes(),
            tuple(day.value for day in self.tet),
            None if planned is None else (planned.to_numpy(dtype=float).tobytes(), len(planned)),
            tuple(sorted(month.ordinal for month in self.exempt)),
            *parts,
        )

    def estimate_again(self, series: pd.Series, start: pd.Period) -> Impact | None:
        """The estimate of another series or start; None where there is none."""
        if start not in series.index:
            return None
        draws = min(len(self.paths), 1000)
        if self.again:
            # What estimates wards together knows no exemptions, which lie after the start.
            again = replace(self.again(series, start, draws), exempt=self.exempt)
        else:
            again = _estimate(
                series, start, self.tet, self.planned, self.exempt, draws, self.line, once=True
            )
        return again if again.model else None


# ------------------------------------------------------------------------------------- estimation


def estimate(
    series: pd.Series,
    *,
    start: pd.Period | pd.Timestamp | str,
    tet: Iterable[pd.Timestamp] = (),
    planned: pd.Series | None = None,
    exempt: Iterable[pd.Period | pd.Timestamp | str] = (),
    draws: int = 2000,
    line: str = "",
) -> Impact:
    """Estimate what `series` would have been from `start` without COVID-19.

    `series`: amounts by month (PeriodIndex "M" or days, one a month, no gap; NaN is missing), history and
    later months together. `start`: a month of them, "2020-02" too. `tet`: first days of the lunar year,
    where Tết moves the series. `planned`: days planned in each month of `series`, which are then counts
    of days held. `exempt`: months for which the law left nothing payable; they enter neither the history
    nor an effect. `line` names the series: each name has random draws of its own, but for what moves
    all lines, so that paths of lines with different names can be added up. Same input, same result; a
    later month leaves the paths of earlier ones as they are. `draws`: the number of paths.

    Zeros before the first amount are months in which the line did not exist as yet, and missing, if
    they are more in a row than any later ones. With fewer than `SHORTEST` figures of history, or fewer
    than `FEWEST` above zero, there is no estimate: `model` is "". Raises TypeError or ValueError, in one
    sentence, where an argument is not what is said here.
    """
    if not isinstance(series, pd.Series):
        raise TypeError(
            f"the series is a {type(series).__name__}, not a pandas Series of amounts by month: "
            "hand over one column"
        )
    if isinstance(exempt, str) or not isinstance(exempt, Iterable):
        raise TypeError(f'exempt is {exempt!r}, not a list of months: write e.g. ["2021-07"]')
    if not isinstance(line, str):
        raise TypeError(f"line is {line!r}, not a text: write the name of the series")
    draws = number_of_draws(draws)
    amounts = by_month(series, "the series")
    month = month_of(start, "start")
    months = months_of(amounts)
    if month not in months:
        raise ValueError(
            f"the series, {months[0]} to {months[-1]}, has no month {month}: choose a start within it"
        )
    if planned is not None:
        planned = _planned(planned, amounts)
    spared = frozenset(month_of(one, "a month of exempt") for one in exempt)
    return _estimate(amounts, month, days_of(tet), planned, spared, draws, line)


def tails(level: float) -> tuple[float, float]:
    """The two quantiles between which an interval of that level lies."""
    return (1 - level) / 2, (1 + level) / 2


def number_of_draws(given: object) -> int:
    """How many paths shall be drawn; raises ValueError where that is no whole number from 1 on."""
    if isinstance(given, bool) or not isinstance(given, (int, np.integer)) or given < 1:
        raise ValueError(f"draws is {given!r}, not a whole number from 1 on: write e.g. 2000")
    return int(given)


def by_month(given: pd.Series, name: str) -> pd.Series:
    """A copy of a series of numbers, indexed by months without a gap; raises where it is none."""
    if given.dtype.kind not in "iuf":
        raise TypeError(
            f"{name} is of type {given.dtype}, not of numbers: convert it, e.g. by pandas.to_numeric"
        )
    index = given.index
    if isinstance(index, pd.DatetimeIndex):
        index = index.tz_localize(None).to_period("M")
    if not isinstance(index, pd.PeriodIndex) or index.freqstr != "M" or index.hasnans:
        raise ValueError(
            f"{name} is indexed by {_kind(index)}, not by months: set a PeriodIndex of frequency M, or "
            "days, one a month"
        )
    if index.empty:
        raise ValueError(f"{name} is empty: hand over one amount for each month")
    if not index.is_unique:
        twice = index[index.duplicated()][0]
        raise ValueError(f"{name} has {twice} more than once: keep one row for each month")
    breaks = np.flatnonzero(np.diff(index.asi8) != 1)
    if len(breaks):
        before, after = index[breaks[0]], index[breaks[0] + 1]
        raise ValueError(
            f"{name} goes from {before} to {after}: sort the months and add a row for each that is missing"
        )
    amounts = given.to_numpy(dtype=float, na_value=np.nan)
    if np.isinf(amounts).any():
        infinite = index[np.isinf(amounts)][0]
        raise ValueError(
            f"{name} is infinite in {infinite}: put the amount, or NaN if it is missing"
        )
    return pd.Series(amounts, index, name=given.name)


def _kind(index: pd.Index) -> str:
    """What an index consists of, in words for an error."""
    if isinstance(index, pd.PeriodIndex):
        return f"periods of frequency {index.freqstr}" + ", one missing" * index.hasnans
    return f"values of type {index.dtype}"


def month_of(given: object, name: str) -> pd.Period:
    """The month that a period, a day or a text says; raises ValueError where it says none."""
    period: object = None
    if isinstance(given, datetime.date):  # a Timestamp is one
        period = pd.Period(given, "D")
    elif isinstance(given, pd.Period):
        period = given
    elif isinstance(given, str) and re.search("[0-9]{4}", given):  # "April" is one of the year 1
        with contextlib.suppress(ValueError):
            period = pd.Period(given)  # as fine as it is said: "2020" is a year
    if not isinstance(period, pd.Period) or period.freqstr[0] in "YQW":
        raise ValueError(f'{name} is {given!r}, which says no month: write e.g. "2020-02"')
    return period.asfreq("M")


def days_of(tet: Iterable[pd.Timestamp]) -> tuple[pd.Timestamp, ...]:
    """The days of `tet`; raises TypeError or ValueError where they are none."""
    if isinstance(tet, str) or not isinstance(tet, Iterable):
        raise TypeError(f'tet is {tet!r}, not a list of days: write e.g. [Timestamp("2020-01-25")]')
    days = []
    for one in tet:
        day: object = None
        if isinstance(one, (str, datetime.date, np.datetime64)):
            with contextlib.suppress(ValueError):
                day = pd.Timestamp(one)
        if not isinstance(day, pd.Timestamp):  # NaT is none
            raise ValueError(
                f'tet holds {one!r}, which is no day: write e.g. Timestamp("2020-01-25")'
            )
        days.append(day.tz_localize(None))
    return tuple(days)


def _planned(given: pd.Series, held: pd.Series) -> pd.Series:
    """The days planned in the months of `held`; raises where they cannot be so."""
    if not isinstance(given, pd.Series):
        raise TypeError(
            f"planned is a {type(given).__name__}, not a pandas Series of days by month"
        )
    planned = by_month(given, "planned").reindex(held.index)
    for month, days, own in zip(months_of(held), planned, held, strict=True):
        if not days >= 0 or days % 1:
            raise ValueError(
                f"planned says {days:g} for {month}, not a number of whole days: give one for each "
                "month of the series"
            )
        if own < 0 or own > days:
            raise ValueError(
                f"the series has {own:g} days held of {days:g} planned in {month}: correct the one or "
                "the other"
            )
    return planned


def _estimate(
    series: pd.Series,
    start: pd.Period,
    tet: tuple[pd.Timestamp, ...],
    planned: pd.Series | None,
    exempt: frozenset[pd.Period],
    draws: int,
    line: str,
    *,
    once: bool = False,
) -> Impact:
    """`estimate`. `once`: who asks remembers what comes of it, so that no store need."""
    index = months_of(series)
    payable = _payable(series.to_numpy(dtype=float), index, exempt)
    at = start.ordinal - index[0].ordinal
    oldest = max(at - LONGEST, 0)
    given = np.flatnonzero(~np.isnan(payable[oldest:at]))
    first = oldest + int(given[0]) if len(given) else at
    if planned is None:
        first += _not_begun(payable[first:at])
    amounts, months, horizon = payable[first:at], index[first:], len(index) - at
    if np.isfinite(amounts).sum() < SHORTEST or (amounts > 0).sum() < FEWEST:
        model, paths = "", np.broadcast_to(np.nan, (draws, horizon))
    elif planned is not None:
        model = "counts"
        paths = counts.days_held(amounts, planned[months].to_numpy(), months, line, draws)
    elif due_dates.is_lumpy(amounts):
        model = "due dates"
        paths = due_dates.simulate(amounts, months[0].month - 1, horizon, line, draws, once=once)
    else:
        model = "receipts"
        paths = monthly.simulate(amounts, months, tet, line, draws, once=once)
    return Impact(start, series, paths, model, tet, planned, exempt, line)


def _not_begun(amounts: Floats) -> int:
    """How many months before the first amount count as missing: all, if their zeros span more months
    than those between two later amounts, or after the last, ever do; else none.

    A line of due dates whose history begins out of season has runs as long later on. Missing months
    between two zeros count with them.
    """
    zeros, others = np.flatnonzero(amounts == 0), np.flatnonzero(np.abs(amounts) > 0)
    if not len(others):
        return 0
    runs, place = np.unique(np.searchsorted(others, zeros), return_inverse=True)
    spans = [int(np.ptp(zeros[place == run])) + 1 for run in range(len(runs))]
    leads = len(runs) > 0 and runs[0] == 0 and spans[0] > max(spans[1:], default=0)
    return int(others[0]) if leads else 0


def _payable(amounts: Floats, months: pd.PeriodIndex, exempt: frozenset[pd.Period]) -> Floats:
    """Amounts by month, NaN where nothing was payable."""
    return np.where(months.isin(list(exempt)), np.nan, amounts) if exempt else amounts


def estimate_all(
    table: pd.DataFrame,
    *,
    start: pd.Period | pd.Timestamp | str,
    tet: Iterable[pd.Timestamp] = (),
    exempt: Mapping[str, Collection[pd.Period]] | None = None,
    draws: int = 2000,
) -> dict[str, Impact]:
    """`estimate` for each column of `table` (amounts by month), e.g. all lines of a ward, whose name
    is its `line`.

    `exempt` gives the months of some columns. Columns whose histories have the same months share the
    covariances of the model's parts.
    """
    exempt, tet = exempt or {}, tuple(tet)
    return {
        name: estimate(
            table[name],
            start=start,
            tet=tet,
            exempt=exempt.get(name, ()),
            draws=draws,
            line=str(name),
        )
        for name in table.columns.tolist()
    }


def total(series: pd.Series, parts: Sequence[Impact]) -> Impact | None:
    """The estimate of a series that is the sum of others, from their estimates: on each path the sum of
    theirs, whose errors go together in part (see `estimate`).

    A month of `series` that is the sum of those parts that have a figure stands against what these were
    to bring; any other month against all parts. None where it cannot be so: a part without an estimate,
    or a month of the history that is not the sum of its parts.
    """
    if not parts or not all(part.model for part in parts):
        return None
    start, months = parts[0].start, months_of(series)
    amounts = np.array([part.series.reindex(months).to_numpy(dtype=float) for part in parts])
    known = np.isfinite(amounts)
    added = np.where(known, amounts, 0.0).sum(axis=0)
    whole = series.to_numpy(dtype=float)
    # Each part may be rounded to a base unit.
    agrees = np.abs(whole - added) <= len(parts) + 1e-6 * np.abs(whole)
    at = start.ordinal - months[0].ordinal
    compared = np.isfinite(whole) & known.any(axis=0)
    if not agrees[:at][compared[:at]].all():
        return None
    counted = np.where(compared & agrees, known, True)[:, at:]
    paths = np.zeros_like(parts[0].paths)
    for part, own in zip(parts, counted, strict=True):
        paths += part.paths * own

    def again(shortened: pd.Series, earlier: pd.Period, _: int) -> Impact:
        left_out = months_of(shortened)[shortened.isna().to_numpy()]
        others = []
        for part in parts:
            own = part.series.reindex(months_of(shortened))
            other = part.estimate_again(own.mask(own.index.isin(left_out)), earlier)
            if other is None:
                nothing = np.broadcast_to(np.nan, (1, 1))
                return replace(part, series=shortened, start=earlier, paths=nothing, model="")
            others.append(other)
        found = total(shortened, others)
        assert found is not None  # a shorter history of parts that add up
        return found

    exempt = frozenset.intersection(*(part.exempt for part in parts))
    return Impact(
        start, series, paths, "sum", parts[0].tet, None, exempt, again=again, parts=tuple(parts)
    )
