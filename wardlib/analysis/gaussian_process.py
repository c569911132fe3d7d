"""Monthly amounts on a log scale: a Gaussian process, its hyper-parameters integrated over.

Level, growth, season, Tết, lasting swings and noise have a part each; breaks of the level and single
outliers are found in the history. The model, its sources and its validation: docs/method.md.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri  # type: ignore[import-untyped]  # SciPy ships no types

from wardlib.analysis.local_level import Level
from wardlib.analysis.sampling import KEPT, kept, log_mean, normalised, repeated, stream
from wardlib.analysis.tables import Floats, Ints

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
    "bend": (0.018, 1.00),
}
# Some parts are there or they are not: below so many standard deviations, they shrink to a twentieth.
_PRESENT = {"swing": 0.82, "drift": 0.25, "bend": 1.20}
_ABSENT, _EDGE = 1.5, 5.0  # half the log of the shrinkage; how sharp the passage is
# Two more, standard normal: how long swings last (knots of correlation from month to month), and how
# much noisier small months are (noise x size^-exponent).
MEMORY = np.array([0.3, 0.6, 0.85, 0.96])
EXPONENT = np.array([0.0, 0.25, 0.5])
EXPONENT_CENTRE = -0.5
_DIMENSIONS = len(_PRIOR) + 2
_SOBOL = Path(__file__).with_name("sobol.npy")
_NAMES = list(_PRIOR)
_LOG_MEDIAN = np.log([median for median, _ in _PRIOR.values()])
_LOG_SD = np.array([sd for _, sd in _PRIOR.values()])

MEAN_GROWTH = 0.04  # a year, log scale
_LEVEL_SD = 1.5
_BREAK_CHANCE = 0.14  # that the level and the growth broke once in the history
_STEP_SD, _RAMP_SD = 0.24, 0.03  # of the level's break and the growth's (a year)
OUTLIER = 3.3  # standard deviations of a month from what the others say
_TET_WINDOWS = ((-7, 6), (-28, -8))  # days from the first of the lunar year, both inclusive
# Points of the three rounds, and how many of them shall at least bear the result: the weights of few
# points are evened out as far as that needs, which makes a posterior found by few points wider.
_FIRST, _SECOND, _THIRD, _LEAST = 64, 64, 64, 8.0
# Place of Tết among the parts: noise and swing, which come first, have several each.
_TET = len(EXPONENT) + len(MEMORY) + _NAMES.index("tet") - 2


@lru_cache
def normal_points(size: int, seed: int) -> Floats:
    """Quasi-random standard normal points, size x dimensions; `seed` 1 to 3.

    The scrambled Sobol' points of `scipy.stats.qmc`, kept in a file (seeds x 256 x dimensions, as
    multiples of 2^-30): importing `scipy.stats` takes longer than all estimates of a briefing.
    """
    uniform = np.load(_SOBOL)[seed - 1, :size] / 2**30
    points: Floats = ndtri(np.clip(uniform, 1e-9, 1 - 1e-9))
    return points


@lru_cache
def _tet_shares(first: pd.Period, size: int, tet: tuple[pd.Timestamp, ...]) -> Floats:
    """Share of each window around Tết that falls in each month: windows x months."""
    months = np.datetime64(first.ordinal, "M") + np.arange(size)
    rows = []
    for begin, end in _TET_WINDOWS:
        days = np.array(tet, dtype="datetime64[D]") + np.arange(begin, end + 1)[:, None]
        within = days.ravel().astype("datetime64[M]") == months[:, None]
        rows.append(within.sum(axis=1) / (end - begin + 1))
    return np.array(rows)


@lru_cache(maxsize=64)
def _bases(first: pd.Period, size: int, centre: float, tet: tuple[pd.Timestamp, ...]) -> Floats:
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
            *np.zeros((len(EXPONENT), size, size)),
            *(correlation**distance for correlation in MEMORY),
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


def on_knots(position: Floats, knots: int) -> Floats:
    """Weights on equally spaced knots, linear between two, for positions in 0..1."""
    place = np.clip(position, 0, 1 - 1e-9) * (knots - 1)
    below = place.astype(int)
    weights = np.zeros((len(place), knots))
    rows = np.arange(len(place))
    weights[rows, below] = 1 - (place - below)
    weights[rows, below + 1] += place - below
    return weights


def _parts(points: Floats) -> Floats:
    """Variance of each part, in the order of `_bases`, at each point."""
    log = _LOG_MEDIAN + _LOG_SD * points[:, : len(_PRIOR)]
    for name, edge in _PRESENT.items():
        place = _NAMES.index(name)
        log[:, place] += _ABSENT * (np.tanh(_EDGE * (points[:, place] - edge)) - 1)
    part = dict(zip(_NAMES, np.exp(2 * log).T, strict=True))
    memory, exponent = points[:, -2], points[:, -1]
    return np.column_stack(
        [
            on_knots(ndtr(EXPONENT_CENTRE + exponent), len(EXPONENT)) * part["noise"][:, None],
            on_knots(ndtr(memory), len(MEMORY)) * part["swing"][:, None],
            part["drift"],
            part["season"],
            part["season_change"],
            part["tet"],
            part["growth"],
            part["bend"],
            np.ones(len(points)),
        ]
    )


def _sizes(logs: Floats, calendar: Ints, growth: float) -> tuple[Floats, Floats]:
    """Median log of each month of the calendar without growth (1 on average), and what is left."""
    flat = logs - growth * np.arange(len(logs)) / 12
    years = np.full((-(-len(flat) // 12), 12), np.nan)
    years.flat[: len(flat)] = flat
    by_month = np.roll(_medians(years), calendar[0])
    none = np.isnan(by_month)
    by_month[none] = np.where(none, 0.0, by_month).sum() / (~none).sum()
    rest = flat - by_month[calendar]
    return by_month - np.log(np.exp(by_month).mean()), rest - np.nanmedian(rest)


def _medians(table: Floats) -> Floats:
    """The median of each column's numbers; NaN where it has none."""
    ordered = np.sort(table, axis=0)  # NaN last
    count, columns = np.isfinite(table).sum(axis=0), np.arange(table.shape[1])
    middle: Floats = (ordered[(count - 1) // 2, columns] + ordered[count // 2, columns]) / 2
    return middle


class _Block(NamedTuple):
    """Months `rows` and `columns`, and the covariances of all parts between them: parts x (rows x
    columns)."""

    rows: Ints
    columns: Ints
    bases: Floats


class _Posterior(NamedTuple):
    """Points, breaks and Cholesky factors that stand for the posterior, each factor's solution for
    the history, and how often each counts (`KEPT` in all)."""

    points: Floats
    breaks: Ints
    factors: Floats
    white: Floats
    counts: Ints


class Fit:
    """The Gaussian process on the logs of one history, its hyper-parameters integrated over.

    `logs`: log amounts of the history from the month `first`, NaN where there is none. Breaks of
    level and growth are numbered from 1; 0 is no break.
    """

    def __init__(self, logs: Floats, first: pd.Period, tet: tuple[pd.Timestamp, ...]):
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

    def mean(self, months: Ints) -> Floats:
        """The mean of the logs of months (places from the first)."""
        return self.level + MEAN_GROWTH * (months - self.middle) / 12

    def weight(self, months: Ints) -> Floats:
        """The size of months of the calendar. Small months are noisier: few payers."""
        return np.clip(np.exp(self.sizes), 0.02, 12)[(self.first.month - 1 + months) % 12]

    def block(self, rows: Ints, columns: Ints, size: int) -> _Block:
        """Months `rows` and `columns` of the `size` first ones."""
        bases = _bases(self.first, size, self.middle, self.tet)[rows[:, None], columns]
        row, column = np.nonzero(rows[:, None] == columns)
        for place, exponent in enumerate(EXPONENT):
            bases[row, column, place] = self.weight(rows[row]) ** (-2 * exponent)
        return _Block(rows, columns, bases.reshape(-1, bases.shape[-1]).T)

    def after_break(self, breaks: Ints, months: Ints) -> tuple[Floats, Floats]:
        """Standard deviations of the level's and the growth's part, for `breaks` from 1 on: months x
        breaks."""
        since = months[:, None] - (breaks + 2)
        return _STEP_SD * (since >= 0), _RAMP_SD * np.maximum(since, 0) / 12

    def covariance(self, parts: Floats, breaks: Ints, block: _Block) -> Floats:
        """Covariance of a block's months at each point, of whose `_parts` it is made, and break."""
        rows, columns, bases = block
        # Numbers of points that are no multiple of a few leave the library of linear algebra edges, in
        # whose last bits one thread differs from two; zeros make up multiples of 16.
        filled = np.zeros((-(-len(parts) // 16) * 16, parts.shape[1]))
        filled[: len(parts)] = parts
        made = (filled @ bases)[: len(parts)].reshape(len(parts), len(rows), len(columns))
        broken = np.flatnonzero(breaks)
        if len(broken):
            some, at = made[broken], breaks[broken]
            for row, column in zip(
                self.after_break(at, rows), self.after_break(at, columns), strict=True
            ):
                some += row.T[:, :, None] * column.T[:, None]
            made[broken] = some
        return made

    def factors(self, points: Floats, breaks: Ints) -> tuple[Floats, Floats, Floats]:
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
        first = mean + normal_points(_FIRST, 1) * scale
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
            more = False
            while len(outliers) < most:
                precision = np.linalg.inv(covariance)
                alone = (precision @ self.rest) / np.sqrt(np.diag(precision))
                alone[outliers] = 0
                worst = int(np.argmax(np.abs(alone)))
                if abs(alone[worst]) < OUTLIER:
                    break
                outliers.append(worst)
                excess.append(alone[worst] / np.sqrt(precision[worst, worst]))
                self.extra[worst] += 1.0
                covariance[worst, worst] += 1.0
                more = True
            if not more:
                break
        self.outliers, self.excess = self.known[outliers], np.array(excess)
        chance = np.exp(by_break - by_break.max()).sum(axis=0)
        self.break_chance = 0.8 * chance / chance.sum() + 0.2 * self.break_prior
        target = log - log_normal(first, mean, np.diag(scale))
        centre, spread = _moments(first, _temper(target, 16) * target)
        if broken:
            centre = (centre + best[point]) / 2
        self.start_at = centre, spread

    def _by_break(self, points: Floats, parts: Floats) -> Floats:
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
        gain = break_gain(a, b, c, weighted @ step, weighted @ ramp)
        log: Floats = np.column_stack([none, none[:, None] + gain]) + np.log(self.break_prior)
        return log

    def weigh(self) -> None:
        """Set `posterior`: what the history says of the hyper-parameters, breaks and outliers."""
        self._find_outliers_and_breaks()
        rounds, solved = [], []
        centre, spread = self.start_at
        for seed, size in ((2, _SECOND), (3, _THIRD)):
            root = np.linalg.cholesky(1.5 * spread + 0.15 * np.eye(_DIMENSIONS))
            points = centre + normal_points(size, seed) @ root.T
            edges = np.cumsum(self.break_chance) / self.break_chance.sum()
            order = np.random.default_rng(seed).permutation(size)
            breaks = np.searchsorted(edges, (order + 0.5) / size)
            *factored, log = self.factors(points, breaks)
            log += np.log(self.break_prior[breaks] / self.break_chance[breaks])
            rounds.append((points, breaks, log, (centre, root, size)))
            solved.append(factored)
            target = log - log_normal(points, centre, root)
            centre, spread = _moments(points, _temper(target, 24) * target)
        points, breaks, log = (
            np.concatenate(part) for part in zip(*(r[:3] for r in rounds), strict=True)
        )
        mixture = [np.log(size) + log_normal(points, at, root) for *_, (at, root, size) in rounds]
        target = log - np.logaddexp(*mixture)
        used, counts = kept(normalised(_temper(target, _LEAST) * target))
        first = used < _SECOND
        factors, white = (
            np.concatenate([second[used[first]], third[used[~first] - _SECOND]])
            for second, third in zip(*solved, strict=True)
        )
        self.posterior = _Posterior(points[used], breaks[used], factors, white, counts)
        del self.inner  # large, and only needed until here

    def logs(self, normal: Floats, line: str) -> Floats:
        """Simulated logs of the months after the history from standard normal numbers, months x draws,
        in whole years. More months leave the first ones as they are."""
        points, breaks, factors, white, counts = self.posterior
        parts = _parts(points)
        of_point = stream(line, "point").permutation(repeated(counts, normal.shape[1]))
        draws = [np.flatnonzero(of_point == point) for point in range(len(counts))]
        made: list[Floats] = []
        seen: list[tuple[Ints, Floats, list[Floats], Floats]] = []
        # A year at a time, each of the same size: sums of floats hang on how many there are.
        for year in range(len(normal) // 12):
            size = self.count + 12 * (year + 1)
            after = np.arange(size - 12, size)
            across = self.covariance(parts, breaks, self.block(self.known, after, size))
            solved = np.linalg.solve(factors, across)
            own = self.covariance(parts, breaks, self.block(after, after, size))
            own -= solved.transpose(0, 2, 1) @ solved
            tied: list[Floats] = []  # to the months of each year before
            for earlier, (months, before, ties, root) in enumerate(seen):
                tie = self.covariance(parts, breaks, self.block(months, after, size))
                tie -= before.transpose(0, 2, 1) @ solved
                for one, other in zip(ties, tied[:earlier], strict=True):
                    tie -= one.transpose(0, 2, 1) @ other
                tied.append(np.linalg.solve(root, tie))
                own -= tied[-1].transpose(0, 2, 1) @ tied[-1]
            root = np.linalg.cholesky(own + 1e-9 * np.eye(12))
            seen.append((after, solved, tied, root))
            mean = np.einsum("kih,ki->kh", solved, white)
            logs = np.empty((12, normal.shape[1]))
            for k, own_draws in enumerate(draws):
                drawn = normal[:, own_draws]
                simulated = mean[k][:, None] + root[k] @ drawn[12 * year : 12 * year + 12]
                for place, tie in enumerate(tied):
                    simulated += tie[k].T @ drawn[12 * place : 12 * place + 12]
                logs[:, own_draws] = simulated
            made.append(logs + self.mean(after)[:, None])
        return np.concatenate(made)

    def outliers_ahead(self, horizon: int, draws: int, line: str) -> Floats:
        """What single months are out on the log scale, as often and as far as in the history: months x
        draws."""
        points, *_, counts = self.posterior
        after = np.arange(self.count, self.count + horizon)
        exponent = ndtr(EXPONENT_CENTRE + counts @ points[:, -1] / KEPT) / 2
        typical = np.sqrt(np.mean((self.excess * self.weight(self.outliers) ** exponent) ** 2))
        spread = np.minimum(typical * self.weight(after) ** -exponent, 1.5)
        chance = len(self.outliers) / (len(self.known) + 12)
        hit = stream(line, "outlier").random((horizon, draws)) < chance
        out = stream(line, "how far out").standard_normal((horizon, draws))
        far: Floats = hit * spread[:, None] * out
        return far

    @cached_property
    def _best(self) -> tuple[Floats, Ints, Floats]:
        """The point and break that count most, and the weights of the history's months in their means."""
        best = [int(np.argmax(self.posterior.counts))]
        points, breaks, factors, white, _ = self.posterior
        weights: Floats = np.linalg.solve(factors[best[0]].T, white[best[0]])
        return points[best], breaks[best], weights

    def foresaw(self, first: int, counted: Floats) -> float:
        """Log density of the mean log of twelve months of the history from place `first`, those
        `counted`, as foreseen by the months before them."""
        _, _, factors, white, counts = self.posterior
        rows = np.searchsorted(self.known, [first, first + 12])
        within = slice(*rows)
        share = counted[self.known[within] - first]
        loads = np.einsum("kij,i->kj", factors[:, within, within], share / share.sum())
        error = (loads * white[:, within]).sum(axis=1)
        return log_mean(counts / KEPT, error, np.sqrt((loads**2).sum(axis=1)))

    @cached_property
    def ordinary(self) -> Floats:
        """The history's logs, without what Tết moves and outliers are out; a missing month has its mean."""
        point, broken, weights = self._best
        filled = np.empty(self.count)
        filled[self.known] = self.rest
        filled[self.outliers] -= self.excess
        missing = np.setdiff1d(np.arange(self.count), self.known)
        if len(missing):
            block = self.block(missing, self.known, self.count)
            filled[missing] = self.covariance(_parts(point), broken, block)[0] @ weights
        made: Floats = filled + self.mean(np.arange(self.count)) - self.moved_by_tet(self.count)
        return made

    @cached_property
    def steady(self) -> Level:
        """The local level of the same history."""
        return Level(self.ordinary)

    def moved_by_tet(self, size: int) -> Floats:
        """What Tết moves on the log scale in the `size` first months, in the mean."""
        point, _, weights = self._best
        around = _tet_shares(self.first, size, self.tet)
        strength = _parts(point)[0, _TET] * (around[:, self.known] @ weights)
        moved: Floats = (strength[:, None] * around).sum(axis=0)
        return moved


def weighed(logs: bytes, first: pd.Period, tet: tuple[pd.Timestamp, ...]) -> Fit:
    """The fit of the history `logs` (float64), weighed."""
    fit = Fit(np.frombuffer(logs), first, tet)
    fit.weigh()
    return fit


def _standard(name: str, value: float) -> float:
    """Where a hyper-parameter's value lies in its prior, in standard deviations."""
    place = _NAMES.index(name)
    return float((np.log(value) - _LOG_MEDIAN[place]) / _LOG_SD[place])


def _forward(factors: Floats, vector: Floats) -> Floats:
    """Solve each lower triangular factor for the vector."""
    solved = np.empty(factors.shape[:2])
    for i in range(factors.shape[1]):
        done = np.einsum("kj,kj->k", factors[:, i, :i], solved[:, :i])
        solved[:, i] = (vector[i] - done) / factors[:, i, i]
    return solved


def _temper(log: Floats, least: float) -> float:
    """The largest power (0..1) of weights exp(log) that leaves an effective number of `least`."""

    below = log - log.max()

    def effective(power: float) -> float:
        weights = np.exp(power * below)
        return float(weights.sum() ** 2 / (weights**2).sum())

    if effective(1.0) >= least:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(25):
        middle = (low + high) / 2
        low, high = (middle, high) if effective(middle) >= least else (low, middle)
    return max(low, 1e-3)


def _moments(points: Floats, log: Floats) -> tuple[Floats, Floats]:
    """Weighted mean and covariance of points."""
    weights = normalised(log)
    mean = weights @ points
    return mean, (points - mean).T * weights @ (points - mean)


def break_gain(a: Floats, b: Floats, c: Floats, x: Floats, y: Floats) -> Floats:
    """What a break adds to the log likelihood: `a`, `b`, `c` are the precision of its two sizes (those
    of the level, of both, of the growth), `x` and `y` what the data say of them."""
    determinant = a * c - b**2
    gain: Floats = (c * x**2 - 2 * b * x * y + a * y**2) / determinant / 2 - np.log(determinant) / 2
    return gain


def log_normal(points: Floats, mean: Floats, root: Floats) -> Floats:
    """Log density of a normal distribution at points, up to a constant."""
    distance = np.linalg.solve(root, (points - mean).T)
    log: Floats = -(distance**2).sum(axis=0) / 2 - np.log(np.diag(root)).sum()
    return log
