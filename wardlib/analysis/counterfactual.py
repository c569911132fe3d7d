"""COVID-19's effect on one monthly series: what would have been without it, and how sure that is.

The counterfactual is estimated from the months before `start` alone; no later month enters it. It
comes as simulated paths of what would have been *received*, month-to-month noise included, so that
the interval of any sum of months is read from the sums of the paths. Three kinds of series have a
model each, chosen from the history:

- *due dates*: three months of the calendar hold most of a year's amount; a year's amount times the
  month's share of it;
- *counts*: days held out of days planned; beta-binomial;
- all others: a Gaussian process on the log scale, averaged over its hyper-parameters; months without
  receipts have a part of their own.

The model, its sources and its validation: docs/method.md.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import betaln, ndtr, ndtri

LEVEL = 0.95  # of every interval
LONGEST = 84  # months of history used, the newest
FAR = 0.99
SHORTEST = 24  # months of history without which nothing can be said
FEWEST = 8  # months with a receipt, likewise
SEED = 2020

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
    used: `receipts`, `due dates`, `counts`, or "" for none. `series`, `tet`, `planned` and `exempt`
    are what `estimate` was given.
    """

    start: pd.Period
    series: pd.Series
    paths: np.ndarray
    model: str
    tet: tuple[pd.Timestamp, ...]
    planned: pd.Series | None
    exempt: frozenset[pd.Period]

    @cached_property
    def months(self) -> pd.PeriodIndex:
        """The months from `start`."""
        index = self.series.index
        return index[index.get_loc(self.start) :].rename("month")

    @cached_property
    def collected(self) -> np.ndarray:
        """The amounts of `months`, NaN where none."""
        return self.series.to_numpy(dtype=float)[-len(self.months) :]

    @cached_property
    def observed(self) -> np.ndarray:
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

    def phases(self, phases: Mapping[str, tuple[pd.Period, pd.Period]]) -> dict[str, Effect]:
        """The effect of each phase (first and last month inclusive) that has an observed month."""
        found = {}
        for name, (first, last) in phases.items():
            if np.isfinite(self.observed[self.months.slice_indexer(first, last)]).any():
                found[name] = self.effect(first, last)
        return found

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
        windows, _ = self._placebo
        return _failed([w["inside"] for w in windows], [w["far"] for w in windows])

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
    def _placebo(self) -> tuple[list[dict[str, object]], np.ndarray]:
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
        return _estimate(series, start, self.tet, self.planned, self.exempt, draws, once=True)


TAILS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)

# ------------------------------------------------------------------------------------- estimation


def estimate(
    series: pd.Series,
    *,
    start: pd.Period,
    tet: Sequence[pd.Timestamp] = (),
    planned: pd.Series | None = None,
    exempt: Collection[pd.Period] = (),
    draws: int = 2000,
) -> Impact:
    """Estimate what `series` would have been from `start` without COVID-19.

    `series`: amounts by month (PeriodIndex "M", no gap; NaN is missing), history and later months
    together. `tet`: first days of the lunar year, where Tết moves the series. `planned`: days planned
    in each month of `series`, which are then counts of days held. `exempt`: months for which the law
    left nothing payable; they enter neither the history nor an effect. Same input, same result.

    With fewer than `SHORTEST` figures of history, or fewer than `FEWEST` above zero, there is no
    estimate: `model` is "". Raises ValueError where the months of `series` are not in order, or none
    comes after `start`.
    """
    return _estimate(series, start, tuple(tet), planned, frozenset(exempt), draws)


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
    at = index.get_loc(start)
    oldest = max(at - LONGEST, 0)
    given = np.flatnonzero(~np.isnan(payable[oldest:at]))
    first = oldest + given[0] if len(given) else at
    amounts, months, horizon = payable[first:at], index[first:], len(index) - at
    if np.isfinite(amounts).sum() < SHORTEST or (amounts > 0).sum() < FEWEST:
        model, paths = "", np.broadcast_to(np.nan, (draws, horizon))
    elif planned is not None:
        model, paths = "counts", _counts(amounts, planned.reindex(months).to_numpy(), months, draws)
    elif _is_lumpy(amounts):
        model = "due dates"
        paths = _due_dates(amounts, months[0].month - 1, horizon, draws, once=once)
    else:
        model, paths = "receipts", _receipts(amounts, months, tet, draws, once=once)
    return Impact(start, series, paths, model, tet, planned, exempt)


def _payable(
    amounts: np.ndarray, months: pd.PeriodIndex, exempt: frozenset[pd.Period]
) -> np.ndarray:
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
    return {
        name: estimate(
            table[name], start=start, tet=tet, exempt=(exempt or {}).get(name, ()), draws=draws
        )
        for name in table
    }


# --------------------------------------------------------------------------- amounts on a log scale

# Hyper-parameters: median and standard deviation of the log of each, a priori. Standard deviations
# on the log scale: of a month's noise, of autocorrelated noise, of the level's random walk (a month),
# of the seasonal pattern, of its change (a year), of Tết's windows, of the growth (a year), of the
# growth's change (a year). Chosen on tuning seeds and real series; tests/benchmarks/impact.py.
_PRIOR = {
    "noise": (0.10, 0.52),
    "swing": (0.071, 0.5),
    "drift": (0.024, 0.6),
    "season": (0.77, 1.3),
    "season_change": (0.0145, 1.16),
    "tet": (0.26, 0.86),
    "growth": (0.05, 0.5),
    "bend": (0.015, 0.87),
}
# Some parts are there or they are not: below so many standard deviations, they shrink to a twentieth.
_PRESENT = {"swing": 0.82, "drift": 0.25, "bend": 1.50}
_ABSENT, _EDGE = 1.5, 5.0  # half the log of the shrinkage; how sharp the passage is
# Two more, standard normal: how long swings last (knots of correlation from month to month), and how
# much noisier small months are (noise x size^-exponent).
_MEMORY = np.array([0.3, 0.6, 0.85, 0.96])
_EXPONENT = np.array([0.0, 0.25, 0.5])
_EXPONENT_CENTRE = -0.5
_DIMENSIONS = len(_PRIOR) + 2
_SOBOL = Path(__file__).with_name("sobol.npy")
_NAMES = list(_PRIOR)
_LOG_MEDIAN = np.log([median for median, _ in _PRIOR.values()])
_LOG_SD = np.array([sd for _, sd in _PRIOR.values()])

_MEAN_GROWTH = 0.04  # a year, log scale
_LEVEL_SD = 1.5
_BREAK_CHANCE = 0.14  # that the level and the growth broke once in the history
_STEP_SD, _RAMP_SD = 0.24, 0.03  # of the level's break and the growth's (a year)
_OUTLIER = 3.3  # standard deviations of a month from what the others say
_TET_WINDOWS = ((-7, 6), (-28, -8))  # days from the first of the lunar year, both inclusive
_BEYOND = 3.0  # log of how many times the largest month of the history a month can be (20)
_FIRST, _SECOND, _THIRD = 96, 96, 160  # points of the three rounds
_KEPT = 100  # places from which paths are drawn, each as often as its weight says


@lru_cache
def _points(size: int, seed: int) -> np.ndarray:
    """Quasi-random standard normal points, size x dimensions; `seed` 1 to 3.

    The scrambled Sobol' points of `scipy.stats.qmc`, kept in a file (seeds x 256 x dimensions, as
    multiples of 2^-30): importing `scipy.stats` takes longer than all estimates of a briefing.
    """
    uniform = np.load(_SOBOL)[seed - 1, :size] / 2**30
    return ndtri(np.clip(uniform, 1e-9, 1 - 1e-9))


@lru_cache
def _tet_shares(first: pd.Period, size: int, tet: tuple[pd.Timestamp, ...]) -> np.ndarray:
    """Share of each window around Tết that falls in each month: windows x months."""
    months = np.datetime64(first.ordinal, "M") + np.arange(size)
    rows = []
    for begin, end in _TET_WINDOWS:
        days = np.array(tet, dtype="datetime64[D]") + np.arange(begin, end + 1)[:, None]
        within = days.ravel().astype("datetime64[M]") == months[:, None]
        rows.append(within.sum(axis=1) / (end - begin + 1))
    return np.array(rows)


@lru_cache(maxsize=64)
def _bases(first: pd.Period, size: int, centre: float, tet: tuple[pd.Timestamp, ...]) -> np.ndarray:
    """Covariances of all parts, for lines with the same months: months x months x parts, noise first,
    which is left zero, as it is each line's own."""
    time = np.arange(size)
    distance = np.abs(time[:, None] - time)
    calendar = (first.month - 1 + time) % 12
    same = (calendar[:, None] == calendar).astype(float)
    year = time / 12
    low, high = np.minimum(year[:, None], year), np.maximum(year[:, None], year)
    around = _tet_shares(first, size, tet)
    slope = (time - centre) / 12
    return np.stack(
        [
            *np.zeros((len(_EXPONENT), size, size)),
            *(correlation**distance for correlation in _MEMORY),
            np.minimum(time[:, None], time),
            same,
            same * np.minimum(time[:, None] // 12, time // 12),
            around.T @ around,
            np.outer(slope, slope),
            low**2 * (3 * high - low) / 6,
            np.full((size, size), _LEVEL_SD**2),
        ],
        axis=-1,
    )


def _on_knots(position: np.ndarray, knots: int) -> np.ndarray:
    """Weights on equally spaced knots, linear between two, for positions in 0..1."""
    place = np.clip(position, 0, 1 - 1e-9) * (knots - 1)
    below = place.astype(int)
    weights = np.zeros((len(place), knots))
    rows = np.arange(len(place))
    weights[rows, below] = 1 - (place - below)
    weights[rows, below + 1] += place - below
    return weights


def _parts(points: np.ndarray) -> np.ndarray:
    """Variance of each part, in the order of `_bases`, at each point."""
    log = _LOG_MEDIAN + _LOG_SD * points[:, : len(_PRIOR)]
    for name, edge in _PRESENT.items():
        place = _NAMES.index(name)
        log[:, place] += _ABSENT * (np.tanh(_EDGE * (points[:, place] - edge)) - 1)
    part = dict(zip(_NAMES, np.exp(2 * log).T, strict=True))
    memory, exponent = points[:, -2], points[:, -1]
    return np.column_stack(
        [
            _on_knots(ndtr(_EXPONENT_CENTRE + exponent), len(_EXPONENT)) * part["noise"][:, None],
            _on_knots(ndtr(memory), len(_MEMORY)) * part["swing"][:, None],
            part["drift"],
            part["season"],
            part["season_change"],
            part["tet"],
            part["growth"],
            part["bend"],
            np.ones(len(points)),
        ]
    )


def _sizes(logs: np.ndarray, calendar: np.ndarray, growth: float) -> tuple[np.ndarray, np.ndarray]:
    """Median log of each month of the calendar without growth (1 on average), and what is left."""
    flat = logs - growth * np.arange(len(logs)) / 12
    years = np.full((-(-len(flat) // 12), 12), np.nan)
    years.flat[: len(flat)] = flat
    by_month = np.roll(_medians(years), calendar[0])
    none = np.isnan(by_month)
    by_month[none] = np.where(none, 0.0, by_month).sum() / (~none).sum()
    rest = flat - by_month[calendar]
    return by_month - np.log(np.exp(by_month).mean()), rest - np.nanmedian(rest)


def _medians(table: np.ndarray) -> np.ndarray:
    """The median of each column's numbers; NaN where it has none."""
    ordered = np.sort(table, axis=0)  # NaN last
    count, columns = np.isfinite(table).sum(axis=0), np.arange(table.shape[1])
    middle = ordered[(count - 1) // 2, columns] + ordered[count // 2, columns]
    return middle / 2


class _Block(NamedTuple):
    """Months `rows` and `columns`, and the covariances of all parts between them: parts x (rows x
    columns)."""

    rows: np.ndarray
    columns: np.ndarray
    bases: np.ndarray


class _Posterior(NamedTuple):
    """Points, breaks and Cholesky factors that stand for the posterior, each factor's solution for
    the history, and how often each counts (`_KEPT` in all)."""

    points: np.ndarray
    breaks: np.ndarray
    factors: np.ndarray
    white: np.ndarray
    counts: np.ndarray


class _Fit:
    """The Gaussian process on the logs of one history, its hyper-parameters integrated over.

    `logs`: log amounts of the history from the month `first`, NaN where there is none. Breaks of
    level and growth are numbered from 1; 0 is no break.
    """

    def __init__(self, logs: np.ndarray, first: pd.Period, tet: tuple[pd.Timestamp, ...]):
        self.first, self.tet = first, tet
        self.count = len(logs)
        self.known = np.flatnonzero(np.isfinite(logs))
        yearly = logs[12:] - logs[:-12]
        growth = float(np.nanmedian(yearly)) if np.isfinite(yearly).sum() > 5 else 0.0
        calendar = (first.month - 1 + np.arange(self.count)) % 12
        self.sizes, rest = _sizes(logs, calendar, float(np.clip(growth, -0.3, 0.3)))
        self.spread = float(np.std(self.sizes))
        self.rough = max(1.7 * float(np.nanmedian(np.abs(rest))), 0.01)
        self.middle, self.level = (self.count - 1) / 2, np.nanmedian(logs)
        self.rest = logs[self.known] - self.mean(self.known)
        self.inner = self.block(self.known, self.known, self.count)
        self.extra = np.full(len(self.known), 1e-6)  # variance added to outliers
        breaks = self.count - 5
        self.break_prior = np.r_[1 - _BREAK_CHANCE, np.full(breaks, _BREAK_CHANCE / breaks)]

    def mean(self, months: np.ndarray) -> np.ndarray:
        """The mean of the logs of months (places from the first)."""
        return self.level + _MEAN_GROWTH * (months - self.middle) / 12

    def weight(self, months: np.ndarray) -> np.ndarray:
        """The size of months of the calendar. Small months are noisier: few payers."""
        return np.clip(np.exp(self.sizes), 0.02, 12)[(self.first.month - 1 + months) % 12]

    def block(self, rows: np.ndarray, columns: np.ndarray, size: int) -> _Block:
        """Months `rows` and `columns` of the `size` first ones."""
        bases = _bases(self.first, size, self.middle, self.tet)[rows[:, None], columns]
        row, column = np.nonzero(rows[:, None] == columns)
        for place, exponent in enumerate(_EXPONENT):
            bases[row, column, place] = self.weight(rows[row]) ** (-2 * exponent)
        return _Block(rows, columns, bases.reshape(-1, bases.shape[-1]).T)

    def after_break(self, breaks: np.ndarray, months: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Standard deviations of the level's and the growth's part: months x breaks (none is 0)."""
        since = months[:, None] - (breaks + 2)
        return _STEP_SD * (since >= 0), _RAMP_SD * np.maximum(since, 0) / 12

    def covariance(self, parts: np.ndarray, breaks: np.ndarray, block: _Block) -> np.ndarray:
        """Covariance of a block's months at each point, of whose `_parts` it is made, and break."""
        rows, columns, bases = block
        made = (parts @ bases).reshape(len(parts), len(rows), len(columns))
        broken = np.flatnonzero(breaks)
        if len(broken):
            some, at = made[broken], breaks[broken]
            for row, column in zip(
                self.after_break(at, rows), self.after_break(at, columns), strict=True
            ):
                some += row.T[:, :, None] * column.T[:, None]
            made[broken] = some
        return made

    def factors(
        self, points: np.ndarray, breaks: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cholesky factors of the known months' covariance, their solutions for what the mean leaves,
        and log of likelihood x prior."""
        covariance = self.covariance(_parts(points), breaks, self.inner)
        diagonal = np.arange(len(self.known))
        covariance[:, diagonal, diagonal] += self.extra
        factor = np.linalg.cholesky(covariance)
        white = _forward(factor, self.rest)
        log = -np.log(np.einsum("kii->ki", factor)).sum(axis=1) - (white**2).sum(axis=1) / 2
        return factor, white, log - (points**2).sum(axis=1) / 2

    def _find_outliers_and_breaks(self) -> None:
        """Set `start_at` (mean and scale of the first round), `break_chance`, and `outliers` (months)
        with their `excess` (how far each is out on the log scale)."""
        mean, scale = np.zeros(_DIMENSIONS), np.ones(_DIMENSIONS)
        for name, value, sd in (
            ("noise", 0.8 * self.rough, 0.4),
            ("swing", 0.45 * self.rough, 0.8),
            ("season", self.spread + 0.03, 0.4),
        ):
            place = _NAMES.index(name)
            mean[place] = np.clip(_standard(name, value), -2.5, 2.5)
            scale[place] = sd / _LOG_SD[place]
        first = mean + _points(_FIRST, 1) * scale
        unbroken = np.zeros(_FIRST, int)
        outliers: list[int] = []
        excess: list[float] = []
        most = max(1, len(self.known) // 8)
        for _ in range(3):
            *_, log = self.factors(first, unbroken)
            # The best points, and again with little drift and swing, which hide a break.
            best = first[np.argsort(-log)[:6]]
            calm = best.copy()
            for name, edge in _PRESENT.items():
                calm[:, _NAMES.index(name)] = edge - 0.5
            best = np.concatenate([best, calm])
            parts = _parts(best)
            by_break = self._by_break(best, parts)
            point, broken = np.unravel_index(np.argmax(by_break), by_break.shape)
            (covariance,) = self.covariance(parts[[point]], np.array([broken]), self.inner)
            covariance += np.diag(self.extra)
            found = False
            while len(outliers) < most:
                precision = np.linalg.inv(covariance)
                alone = (precision @ self.rest) / np.sqrt(np.diag(precision))
                alone[outliers] = 0
                worst = int(np.argmax(np.abs(alone)))
                if abs(alone[worst]) < _OUTLIER:
                    break
                outliers.append(worst)
                excess.append(alone[worst] / np.sqrt(precision[worst, worst]))
                self.extra[worst] += 1.0
                covariance[worst, worst] += 1.0
                found = True
            if not found:
                break
        self.outliers, self.excess = self.known[outliers], np.array(excess)
        chance = np.exp(by_break - by_break.max()).sum(axis=0)
        self.break_chance = 0.8 * chance / chance.sum() + 0.2 * self.break_prior
        target = log - _log_normal(first, mean, np.diag(scale))
        centre, spread = _moments(first, _temper(target, 16) * target)
        if broken:
            centre = (centre + best[point]) / 2
        self.start_at = centre, spread

    def _by_break(self, points: np.ndarray, parts: np.ndarray) -> np.ndarray:
        """Log of likelihood x prior at each point (rows; its `_parts`) and break (columns, none first)."""
        covariance = self.covariance(parts, np.zeros(len(points), int), self.inner)
        precision = np.linalg.inv(covariance + np.diag(self.extra))
        weighted = precision @ self.rest
        none = np.linalg.slogdet(precision)[1] / 2 - weighted @ self.rest / 2
        none -= (points**2).sum(axis=1) / 2
        step, ramp = self.after_break(np.arange(1, len(self.break_prior)), self.known)
        on_step, on_ramp = precision @ step, precision @ ramp
        a = 1 + np.einsum("it,kit->kt", step, on_step)
        b = np.einsum("it,kit->kt", ramp, on_step)
        c = 1 + np.einsum("it,kit->kt", ramp, on_ramp)
        determinant = a * c - b**2
        x, y = weighted @ step, weighted @ ramp
        gain = (c * x**2 - 2 * b * x * y + a * y**2) / determinant / 2 - np.log(determinant) / 2
        return np.column_stack([none, none[:, None] + gain]) + np.log(self.break_prior)

    def weigh(self) -> None:
        """Set `posterior`: what the history says of the hyper-parameters, breaks and outliers."""
        self._find_outliers_and_breaks()
        rounds, solved = [], []
        centre, spread = self.start_at
        for seed, size in ((2, _SECOND), (3, _THIRD)):
            root = np.linalg.cholesky(1.5 * spread + 0.15 * np.eye(_DIMENSIONS))
            points = centre + _points(size, seed) @ root.T
            edges = np.cumsum(self.break_chance) / self.break_chance.sum()
            order = np.random.default_rng(seed).permutation(size)
            breaks = np.searchsorted(edges, (order + 0.5) / size)
            *factored, log = self.factors(points, breaks)
            log += np.log(self.break_prior[breaks] / self.break_chance[breaks])
            rounds.append((points, breaks, log, (centre, root, size)))
            solved.append(factored)
            target = log - _log_normal(points, centre, root)
            centre, spread = _moments(points, _temper(target, 24) * target)
        points, breaks, log = (
            np.concatenate(part) for part in zip(*(r[:3] for r in rounds), strict=True)
        )
        mixture = [np.log(size) + _log_normal(points, at, root) for *_, (at, root, size) in rounds]
        weights = _normalised(log - np.logaddexp(*mixture))
        used, counts = np.unique(_strata(weights, _KEPT), return_counts=True)
        first = used < _SECOND
        factors, white = (
            np.concatenate([second[used[first]], third[used[~first] - _SECOND]])
            for second, third in zip(*solved, strict=True)
        )
        self.posterior = _Posterior(points[used], breaks[used], factors, white, counts)
        del self.inner  # large, and only needed until here

    def paths(self, size: int, rng: np.random.Generator, draws: int) -> np.ndarray:
        """Simulated amounts of the months after the history up to `size` in all: draws x months."""
        points, breaks, factors, white, counts = self.posterior
        after = np.arange(self.count, size)
        parts = _parts(points)
        across = self.covariance(parts, breaks, self.block(self.known, after, size))
        solved = np.linalg.solve(factors, across)
        mean = np.einsum("kih,ki->kh", solved, white)
        own = self.covariance(parts, breaks, self.block(after, after, size))
        own -= solved.transpose(0, 2, 1) @ solved
        root = np.linalg.cholesky(own + 1e-9 * np.eye(len(after)))
        which = np.repeat(np.arange(len(counts)), counts)[np.arange(draws) * _KEPT // draws]
        edges = np.searchsorted(which, np.arange(len(counts) + 1))
        logs = rng.standard_normal((draws, len(after)))
        for k, (begin, end) in enumerate(itertools.pairwise(edges)):
            logs[begin:end] = mean[k] + logs[begin:end] @ root[k].T
        logs = rng.permutation(logs)
        if len(self.outliers):
            exponent = ndtr(_EXPONENT_CENTRE + counts @ points[:, -1] / _KEPT) / 2
            typical = np.sqrt(np.mean((self.excess * self.weight(self.outliers) ** exponent) ** 2))
            spread = np.minimum(typical * self.weight(after) ** -exponent, 1.5)
            hit = rng.random(logs.shape) < len(self.outliers) / (len(self.known) + 12)
            logs += hit * rng.normal(0, spread, logs.shape)
        # Few and scattered receipts leave the scales open; no month brings many times the largest ever.
        largest = (self.rest + self.mean(self.known)).max()
        return np.exp(np.minimum(logs + self.mean(after), largest + _BEYOND))


def _weighed(logs: bytes, first: pd.Period, tet: tuple[pd.Timestamp, ...]) -> _Fit:
    """The fit of the history `logs` (float64), weighed."""
    fit = _Fit(np.frombuffer(logs), first, tet)
    fit.weigh()
    return fit


# How many months come after the history does not matter, so that an effect and a projection from the
# same start share a fit.
_kept_fit = lru_cache(maxsize=32)(_weighed)


def _standard(name: str, value: float) -> float:
    """Where a hyper-parameter's value lies in its prior, in standard deviations."""
    place = _NAMES.index(name)
    return (np.log(value) - _LOG_MEDIAN[place]) / _LOG_SD[place]


def _forward(factors: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Solve each lower triangular factor for the vector."""
    solved = np.empty(factors.shape[:2])
    for i in range(factors.shape[1]):
        done = np.einsum("kj,kj->k", factors[:, i, :i], solved[:, :i])
        solved[:, i] = (vector[i] - done) / factors[:, i, i]
    return solved


def _normalised(log: np.ndarray) -> np.ndarray:
    """Weights that add up to one from their logs."""
    weights = np.exp(log - log.max())
    return weights / weights.sum()


def _strata(weights: np.ndarray, count: int) -> np.ndarray:
    """`count` places drawn by their weights, evenly: each as often as its weight says."""
    edges = np.cumsum(weights)
    at = np.searchsorted(edges / edges[-1], (np.arange(count) + 0.5) / count)
    return at.clip(max=len(weights) - 1)


def _temper(log: np.ndarray, least: float) -> float:
    """The largest power (0..1) of weights exp(log) that leaves an effective number of `least`."""

    below = log - log.max()

    def effective(power: float) -> float:
        weights = np.exp(power * below)
        return weights.sum() ** 2 / (weights**2).sum()

    if effective(1.0) >= least:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(25):
        middle = (low + high) / 2
        low, high = (middle, high) if effective(middle) >= least else (low, middle)
    return max(low, 1e-3)


def _moments(points: np.ndarray, log: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted mean and covariance of points."""
    weights = _normalised(log)
    mean = weights @ points
    return mean, (points - mean).T * weights @ (points - mean)


def _log_normal(points: np.ndarray, mean: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Log density of a normal distribution at points, up to a constant."""
    distance = np.linalg.solve(root, (points - mean).T)
    return -(distance**2).sum(axis=0) / 2 - np.log(np.diag(root)).sum()


def _receipts(
    amounts: np.ndarray,
    months: pd.PeriodIndex,
    tet: tuple[pd.Timestamp, ...],
    draws: int,
    *,
    once: bool,
) -> np.ndarray:
    """Paths of amounts: the process on the log scale, and months without receipts.

    What a month without receipts brings (nothing, or a net refund) is drawn from the history.
    """
    positive = amounts > 0
    logs = np.where(positive, np.log(np.where(positive, amounts, 1.0)), np.nan)
    weighed = _weighed if once else _kept_fit
    rng = np.random.default_rng(SEED)
    paths = weighed(logs.tobytes(), months[0], tet).paths(len(months), rng, draws)
    empty = amounts[~positive & np.isfinite(amounts)]
    if len(empty):
        calendar = months.month.to_numpy() - 1
        known = np.isfinite(amounts)
        held = np.bincount(calendar[: len(amounts)][known], positive[known], 12)
        seen = np.bincount(calendar[: len(amounts)][known], minlength=12)
        chance = _chances(held, seen, rng, draws)[:, calendar[len(amounts) :]]
        none = rng.random(paths.shape) >= chance
        paths = np.where(none, rng.choice(empty, paths.shape), paths)
    return paths


def _chances(
    held: np.ndarray, seen: np.ndarray, rng: np.random.Generator, draws: int
) -> np.ndarray:
    """Draws of the chance of a receipt in each month of the calendar, pooled as far as they agree."""
    yes, no, size = _pools()
    log = (betaln(yes + held, no + seen - held) - size).sum(axis=1)
    weights = np.exp(log - log.max())
    which = rng.choice(len(weights), draws, p=weights / weights.sum())
    return rng.beta(yes[which] + held, no[which] + seen - held)


@cache
def _pools() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Beta distributions of chances, from loose to close: their parameters, log of their beta function."""
    mean, size = (
        grid.ravel()[:, None]
        for grid in np.meshgrid(np.linspace(0.02, 0.98, 25), [1.0, 3.0, 10.0, 40.0, 400.0])
    )
    yes, no = mean * size, (1 - mean) * size
    return yes, no, betaln(yes, no)


# ------------------------------------------------------------------------------------- due dates

_LUMP = 0.60  # share of the year in three months of the calendar from which a line counts as lumpy
_YEAR_NOISE, _YEAR_NOISE_SD = 0.06, 0.6  # of a year's amount: median, sd of the log
_YEAR_GROWTH_SD = 0.05


def _years(amounts: np.ndarray, month: int) -> tuple[int, np.ndarray]:
    """Refunds as zero, cut into years that begin in January, or, where fewer than two such years
    are whole, in the month after the last: the place of the first month in its year (0 to 11), and
    years x 12 months, NaN where a month is missing or lies outside. `month` (0 to 11): the first's.
    """
    for begins in (month, -len(amounts) % 12):
        size = -(-(begins + len(amounts)) // 12) * 12
        padded = np.full(size, np.nan)
        padded[begins : begins + len(amounts)] = np.maximum(amounts, 0)
        years = padded.reshape(-1, 12)
        if np.isfinite(years).all(axis=1).sum() >= 2:
            break
    return begins, years


def _is_lumpy(amounts: np.ndarray) -> bool:
    """Whether the same three months of the calendar hold most of the amount in each whole year, and
    the greatest of them its part of each; years are counted back from the last month."""
    size = len(amounts) // 12 * 12
    years = np.maximum(amounts[len(amounts) - size :], 0).reshape(-1, 12)
    years = years[np.isfinite(years).all(axis=1)]
    if len(years) < 2 or (years.sum(axis=1) <= 0).any():
        return False
    yearly = years.sum(axis=1)
    largest = np.argsort(years.sum(axis=0))[-3:]
    held = years[:, largest].sum(axis=1)
    return bool(
        held.sum() >= _LUMP * yearly.sum()
        and (held >= 0.45 * yearly).all()
        and (years[:, largest[-1]] >= 0.15 * yearly).all()
    )


def _due_dates(
    amounts: np.ndarray, month: int, horizon: int, draws: int, *, once: bool
) -> np.ndarray:
    """Paths of a year's amount times the share of each month."""
    begins, _ = _years(amounts, month)
    ahead = -(-((begins + len(amounts)) % 12 + horizon) // 12)
    whole = _to_the_end if once else _kept_years
    return whole(amounts.tobytes(), month, ahead, draws)[:, :horizon].copy()


def _to_the_end(history: bytes, month: int, ahead: int, draws: int) -> np.ndarray:
    """`_due_dates` of the months after `history` (float64) to the end of the last of `ahead` years.

    What came before the start in the year of the start bears on the rest of that year: a year's
    amount and its shares are kept on the draws in proportion to how likely they make it.
    """
    rng = np.random.default_rng(SEED)
    amounts = np.frombuffer(history)
    begins, table = _years(amounts, month)
    full = np.flatnonzero(np.isfinite(table).all(axis=1))
    years = table[full]
    yearly = years.sum(axis=1)
    count = len(years)
    # Shares: Dirichlet; the concentration from how far the years' shares lie apart in the months
    # that carry the amount; half of what independent months would tell, for tails as heavy as years
    # of real due dates have.
    shares = years / yearly[:, None]
    typical = shares.mean(axis=0)
    even = typical * (1 - typical)
    apart = ((shares - typical) ** 2).sum() / even.sum()
    freedom = (count - 1) * (even.sum() ** 2 / (even**2).sum() - 1) / 2
    shape, rate = 1.5 + freedom / 2, 0.01 + apart / (count - 1) * freedom / 2
    # A first year that is not whole: its amount, less surely.
    extra = np.zeros(count)
    came = np.isfinite(table[0])
    held = typical[came].sum()
    if 0 < came.sum() < 12 and held > 0.5 and table[0, came].sum() > 0:
        full = np.r_[0, full]
        yearly = np.r_[table[0, came].sum() / held, yearly]
        extra = np.r_[(1 - held) / held / (shape / rate + 1), extra]
    current = (begins + len(amounts)) // 12  # the year of the first month after the history
    passed = (begins + len(amounts)) % 12  # of its months
    pool = 4 * draws if passed else draws
    amount = _yearly_amounts(full, yearly, extra, current + np.arange(ahead), rng, pool)
    concentration = rng.gamma(shape, 1 / rate, pool)
    base = years.sum(axis=0) / years.sum() + 0.002
    true = rng.standard_gamma(concentration[:, None] * count * base / base.sum())
    true /= true.sum(axis=1, keepdims=True)
    paid = 0.0
    if passed:
        paid = float(np.nansum(table[current, :passed]))
        log = np.zeros(pool)
        if np.isfinite(table[current, :passed]).all():
            share = np.clip(paid / amount[:, 0], 1e-6, None)
            early = np.maximum(concentration * true[:, :passed].sum(axis=1), 1e-3)
            late = np.maximum(concentration * true[:, passed:].sum(axis=1), 1e-3)
            fits = share < 1
            log = np.where(fits, 0.0, -1e3 * share)
            log[fits] = (
                (early[fits] - 1) * np.log(share[fits])
                + (late[fits] - 1) * np.log1p(-share[fits])
                - betaln(early[fits], late[fits])
                - np.log(amount[fits, 0])
            )
        kept = _strata(_normalised(log), draws)
        amount, concentration, true = amount[kept], concentration[kept], true[kept]
    paths = []
    for year in range(ahead):
        first = passed if year == 0 else 0
        rest = np.maximum(amount[:, year] - (paid if year == 0 else 0), 0)
        split = rng.standard_gamma(np.maximum(concentration[:, None] * true[:, first:], 1e-3))
        split += 1e-9 * true[:, first:]  # gamma draws of tiny shapes can all be zero
        paths.append(rest[:, None] * split / split.sum(axis=1, keepdims=True))
    order = rng.permutation(draws)
    return np.concatenate(paths, axis=1)[order]


# An effect up to some month and a projection to the end of its year come from the same paths.
_kept_years = lru_cache(maxsize=16)(_to_the_end)


def _yearly_amounts(
    known: np.ndarray,
    amounts: np.ndarray,
    extra: np.ndarray,
    ahead: np.ndarray,
    rng: np.random.Generator,
    draws: int,
) -> np.ndarray:
    """Draws of the amounts of the years `ahead` from those of the years `known`: growth, noise of
    which a part stays, both integrated over. `extra`: variance of the log beside that, by year."""
    time = np.r_[known, ahead]
    count = len(known)
    centred = time - known.mean()
    mean = np.log(amounts).mean() + _MEAN_GROWTH * centred
    rest = np.log(amounts) - mean[:count]
    kept = np.minimum(time[:, None], time) + 1
    noise = np.exp(np.log(_YEAR_NOISE) + _YEAR_NOISE_SD * ndtri((np.arange(11) + 0.5) / 11))
    noise, drift = (  # drift: part of the noise that stays
        grid.reshape(-1, 1, 1) for grid in np.meshgrid(noise, [0.0, 0.5, 1.0], indexing="ij")
    )
    covariance = noise**2 * ((1 - drift**2 / 2) * np.eye(len(time)) + drift**2 / 2 * kept)
    covariance += 1 + _YEAR_GROWTH_SD**2 * np.outer(centred, centred)
    covariance[:, np.arange(count), np.arange(count)] += extra
    inside, across = covariance[:, :count, :count], covariance[:, :count, count:]
    gain = np.linalg.solve(inside, across).transpose(0, 2, 1)
    log = -(np.linalg.slogdet(inside)[1] + np.linalg.solve(inside, rest) @ rest) / 2
    weights = np.exp(log - log.max())
    which = rng.choice(len(weights), draws, p=weights / weights.sum())
    centre = (mean[count:] + gain @ rest)[which]
    root = np.linalg.cholesky(covariance[:, count:, count:] - gain @ across)[which]
    normal = rng.standard_normal((draws, len(ahead)))
    return np.exp(centre + np.einsum("dij,dj->di", root, normal))


# ----------------------------------------------------------------------------------------- counts


def _counts(
    held: np.ndarray,
    planned: np.ndarray,
    months: pd.PeriodIndex,
    draws: int,
) -> np.ndarray:
    """Paths of days held out of days planned: beta-binomial, the mean by month of the calendar."""
    rng = np.random.default_rng(SEED)
    count = len(held)
    known = np.isfinite(held) & (planned[:count] > 0)
    calendar = months.month.to_numpy() - 1
    rates = (np.arange(60) + 0.5) / 60
    spreads = np.geomspace(4, 1000, 12)
    days, all_days = held[known][:, None, None], planned[:count][known][:, None, None]
    yes = spreads[:, None] * rates
    no = spreads[:, None] * (1 - rates)
    log = betaln(yes + days, no + all_days - days) - betaln(yes, no)  # months x spreads x rates
    by_month = np.array([log[calendar[:count][known] == m].sum(axis=0) for m in range(12)])
    cells, scores = [], []
    for mean in rates[2::4]:
        for size in (5.0, 20.0, 80.0, 400.0):
            prior = (mean * size - 1) * np.log(rates) + ((1 - mean) * size - 1) * np.log1p(-rates)
            prior -= np.logaddexp.reduce(prior)
            joint = by_month + prior  # 12 x spreads x rates
            cells.append(joint)
            scores.append(np.logaddexp.reduce(joint, axis=2).sum(axis=0))
    weights = _normalised(np.array(scores).ravel())  # cells x spreads
    used, counts = np.unique(_strata(weights, _KEPT), return_counts=True)
    which = np.repeat(np.arange(len(used)), counts)[np.arange(draws) * _KEPT // draws]
    cell, spread = np.divmod(used, len(spreads))
    joint = np.array(cells)[cell, :, spread]  # used x 12 x rates
    chance = np.cumsum(np.exp(joint - joint.max(axis=2, keepdims=True)), axis=2)
    chance /= chance[..., -1:]
    rate = rates[(chance[which] < rng.random((draws, 12, 1))).sum(axis=2)]
    mean = rate[:, calendar[count:]]
    size = spreads[spread][which][:, None]
    chance = rng.beta(size * mean, size * (1 - mean))
    return rng.permutation(rng.binomial(planned[count:].astype(int), chance).astype(float))
