"""The wards of one upper level together: what they share is learnt from all of them.

The log of a ward's amount is what is common to the district plus the ward's deviation. The common part
is a series like any other and is modelled as one (`amounts`). The deviations are Gaussian
processes of the same parts (level, season, growth, drift, swing, Tết, noise, a break); each ward has
hyper-parameters of its own, drawn from a distribution that is learnt from all wards. What a ward lacks
(months, years) is integrated over exactly; season, Tết and growth come from the others. A ward that the
common part does not help to explain keeps the estimate that it has by itself, to the degree that its
history says so.
"""

from __future__ import annotations

import dataclasses
import itertools
import weakref
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr  # type: ignore[import-untyped]  # SciPy ships no types

from wardlib.analysis import amounts, counterfactual, due_dates, gaussian_process
from wardlib.analysis.counterfactual import Impact
from wardlib.analysis.sampling import kept, normalised, repeated, stream
from wardlib.analysis.tables import Bools, Floats, Ints, months_of

FEWEST_WARDS = 4  # with enough history of their own; fewer say little of what they share
SHORTEST = 12  # months of history from which such wards lend a ward theirs
MODEL = "district"  # of an `Impact` that was estimated together with others
_FEWEST_THERE = 3  # wards with a figure in a month, itself among them, with which a ward compares
_MOST_EMPTY = 0.05  # share of months without receipts up to which a ward is pooled

# Hyper-parameters of the deviations: median and standard deviation of the log of each, a priori, as
# in `gaussian_process`; wards of a district have less of their own than a line has.
_PRIOR = {
    "noise": (0.10, 0.52),
    "swing": (0.03, 0.8),
    "drift": (0.012, 1.2),
    "season": (0.10, 1.0),
    "season_change": (0.008, 1.0),
    "tet": (0.10, 0.9),
    "growth": (0.035, 1.0),
    "bend": (0.005, 0.8),
    "sway": (0.03, 1.5),  # of a ward's share in the movements of the common part, less 1
}
_LOG_MEDIAN = np.log([median for median, _ in _PRIOR.values()])
_LOG_SD = np.array([sd for _, sd in _PRIOR.values()])
_DIMENSIONS = len(_PRIOR) + 2  # two more, standard normal: memory and exponent, as there
_DEVIATION = np.zeros(_DIMENSIONS)  # the prior's centre, in its standard deviations
_LINE = np.array([0.0, 0.9, 0.6, 1.1, 0.5, 1.1, 0.4, 1.4, -5.0, 0.0, 0.0])  # of a line by itself
# How wards differ: sd of each hyper-parameter between them, in the same unit; sd of the log of a scale
# of all that is the ward's own.
_BETWEEN = np.array([0.6, *[0.3] * (_DIMENSIONS - 1)])
_SCALE_SD = 0.4
_SCALES = np.exp(np.linspace(-1.2, 1.2, 17))
_UNLIKE = 0.1  # chance that a ward's hyper-parameters are not like the others'
_FAR = 18.0  # squared distance from the others from which a ward is looked at by itself
_LEAST_APART = 0.02  # chance of being apart from which a ward's own estimate is made
_POINTS = 128  # of the hyper-parameters
_POINTS_UNLIKE = 64  # likewise, of each ward that is far from the others
_STEPS = 10  # of Fisher scoring, at most
_DECIDES = 0.6  # share in a month's common part from which a ward's deviation there is unknown
_SWAY = (0.1, 3.0)  # how much less or more than the typical ward one counts in the common part
_FARTHEST = 1.5  # sd of outliers on the log scale, at most
_LEAST_QUADRATIC = 1e-4  # of a month of a ward that hardly deviates
_JITTER = 1e-6  # variance that keeps covariances invertible


def _parts(points: Floats) -> Floats:
    """Variance of each part, in the order of `gaussian_process._bases`, at each point; and that of
    the share in the common part."""
    variance = np.exp(2 * (_LOG_MEDIAN + _LOG_SD * points[:, : len(_PRIOR)]))
    memory, exponent = ndtr(points[:, -2]), ndtr(gaussian_process.EXPONENT_CENTRE + points[:, -1])
    exponents, memories = len(gaussian_process.EXPONENT), len(gaussian_process.MEMORY)
    return np.column_stack(
        [
            gaussian_process.on_knots(exponent, exponents) * variance[:, :1],
            gaussian_process.on_knots(memory, memories) * variance[:, 1:2],
            variance[:, 2:-1],
            np.ones(len(points)),
            variance[:, -1:],
        ]
    )


def _normal_points(size: int, place: int) -> Floats:
    """Quasi-random standard normal points, size x dimensions; `place` numbers different ones."""
    first, second = (
        gaussian_process.normal_points(size, 1 + (place + more) % 3) for more in (0, 1)
    )
    return np.hstack([first, second])[:, :_DIMENSIONS]


class _Summit(NamedTuple):
    """Hyper-parameters `at` which some wards are likeliest: log of likelihood x prior; for each ward
    its slope and the information on them, both without the prior's, and its scale."""

    at: Floats
    value: float
    slopes: Floats
    information: Floats
    scales: Floats

    @property
    def precision(self) -> Floats:
        """Of the hyper-parameters, a posteriori."""
        total: Floats = self.information.sum(axis=0) + np.eye(_DIMENSIONS)
        return total

    @property
    def evidence(self) -> float:
        """Log of likelihood x prior, integrated over the hyper-parameters (Laplace)."""
        return float(self.value - np.linalg.slogdet(self.precision)[1] / 2)


class _Proposal(NamedTuple):
    """A normal distribution from which `size` points are drawn."""

    centre: Floats
    root: Floats
    size: int


class _Deviations:
    """The wards' deviations from what is common to them, their hyper-parameters integrated over.

    `logs`: log amounts of the history, months x wards, NaN where there is none, near zero; `first`: its
    first month. `common` (by month) is estimated on the way.
    """

    def __init__(self, logs: Floats, first: pd.Period, tet: tuple[pd.Timestamp, ...]):
        self.count = len(logs)
        self.rows = np.flatnonzero(np.isfinite(logs).any(axis=1))
        self.logs = logs[self.rows]
        self.seen: Bools = np.isfinite(self.logs)
        self.wards = np.arange(logs.shape[1])
        self.common = _two_way(self.logs)
        self.kernel = gaussian_process.Fit(self.by_month(), first, tet)
        self.excess: list[float] = []  # how far single months are out on the log scale
        self.set_own(self.seen / self.seen.sum(axis=1, keepdims=True))

    def by_month(self) -> Floats:
        """What is common, by month of the history; NaN where no ward says anything of it."""
        logs = np.full(self.count, np.nan)
        known = self.seen.any(axis=1)
        logs[self.rows[known]] = self.common[known]
        return logs

    def set_own(self, share: Floats) -> None:
        """Set what is used of the deviations, given each ward's share in the common part (months x
        wards): it takes that much away from the ward's deviation, which is put back by `stretch`."""
        self.common_share = share
        known = self.seen.any(axis=1)
        self.centre = float(self.common[known].mean())
        self.moves = np.where(known, self.common - self.centre, 0.0)
        bases = np.vstack(
            [self.kernel.inner.bases, np.outer(self.moves, self.moves).reshape(1, -1)]
        )
        self.inner = self.kernel.inner._replace(bases=bases)
        self.used = self.seen & (share < _DECIDES)
        mean_share = np.where(self.used, share, 0).sum(axis=0) / self.used.sum(axis=0).clip(1)
        self.stretch = 1 / np.sqrt(1 - mean_share)
        self.own = np.where(self.used, self.logs - self.common[:, None], 0.0)
        self.lacking = [np.flatnonzero(~used) for used in self.used.T]

    # ---------------------------------------------------------------- likelihood

    def precision(self, points: Floats) -> tuple[Floats, Floats]:
        """Inverse covariance of all months at each point, and half the log of its determinant."""
        none = np.zeros(len(points), int)
        covariance = self.kernel.covariance(_parts(points), none, self.inner)
        diagonal = np.arange(len(self.rows))
        covariance[:, diagonal, diagonal] += _JITTER
        factor = np.linalg.cholesky(covariance)
        return np.linalg.inv(covariance), -np.log(np.einsum("kii->ki", factor)).sum(axis=1)

    def after_break(self, breaks: Ints, months: Ints) -> Floats:
        """The level's and the growth's part of a break: breaks x months x 2, zero for no break."""
        step, ramp = self.kernel.after_break(breaks, months)
        return np.stack([step.T, ramp.T], axis=-1) * (breaks > 0)[:, None, None]

    def lacked(self, ward: int, precision: Floats) -> Floats:
        """Inverse of the `precision` (points x months x months) among the months that the ward lacks."""
        lacking = self.lacking[ward]
        inverse: Floats = np.linalg.inv(precision[:, lacking[:, None], lacking])
        return inverse

    def without(self, ward: int, precision: Floats, lacked: Floats, right: Floats) -> Floats:
        """Inverse covariance of the months that the ward has, times something (points x months x
        columns; zero in the others), from `right`, the `precision` of all months times the same."""
        lacking = self.lacking[ward]
        if not len(lacking):
            return right
        less: Floats = precision[:, :, lacking] @ (lacked @ right[:, lacking])
        return right - less

    def likelihood(self, points: Floats, breaks: Ints) -> tuple[Floats, Floats]:
        """The `precision` of the months at each point, and the log likelihood of each ward: points x
        wards x scales. `breaks`: points x wards. Sets, by ward, for each point, `blocks`: what is
        `lacked`, and `solved`: the inverse covariance times (deviations, the break's two parts)."""
        precision, half = self.precision(points)
        own = self.own * self.stretch
        on_own = precision @ own
        log = np.empty((len(points), len(self.wards), len(_SCALES)))
        self.blocks: list[Floats] = []
        self.solved: list[Floats] = []
        halves: dict[bytes, tuple[Floats, Floats]] = {}  # many wards lack the same months
        for ward, lacking in enumerate(self.lacking):
            key = lacking.tobytes()
            if key not in halves:
                lacked = self.lacked(ward, precision)
                halves[key] = half + np.linalg.slogdet(lacked)[1] / 2, lacked
            own_half, lacked = halves[key]
            self.blocks.append(lacked)
            step = self.after_break(breaks[:, ward], self.rows)
            right = np.concatenate([on_own[:, :, [ward]], precision @ step], axis=2)
            right = self.without(ward, precision, lacked, right)
            self.solved.append(right / [self.stretch[ward], 1, 1])
            quadratic = right[:, :, 0] @ own[:, ward]
            gain, _, _ = _break_gain(step[:, None], right[:, None], _SCALES)
            log[:, ward] = own_half[:, None] - quadratic[:, None] / 2 / _SCALES**2 + gain
            log[:, ward] -= self.used[:, ward].sum() * np.log(_SCALES)
        return precision, log - (np.log(_SCALES) / _SCALE_SD) ** 2 / 2

    def score(self, wards: Ints, own: Floats, at: Floats, centre: Floats) -> _Summit:
        """`_Summit` at a point that need not be one; `own`: months x all wards."""
        (precision,), (half,) = self.precision(at[None])
        (parts,) = _parts(at[None])
        change = (_parts(at + 1e-4 * np.eye(_DIMENSIONS)) - parts) / 1e-4
        moves = (change @ self.inner.bases).reshape(-1, *precision.shape)
        each = precision @ moves
        # A sum over so many numbers hangs, in the library of linear algebra, on the number of threads.
        information = np.einsum("kij,lji->kl", each, each) / 2
        traces = np.diagonal(each, axis1=1, axis2=2).sum(axis=1)
        own = own[:, wards] * self.stretch[wards]
        on_own = precision @ own
        counts = self.used[:, wards].sum(axis=0)
        value = len(wards) * half - ((at - centre) ** 2).sum() / 2
        slopes, scales = np.empty((len(wards), len(moves))), np.empty(len(wards))
        lacks: dict[bytes, tuple[Floats, float, Floats]] = {}  # many wards lack the same months
        for column, ward in enumerate(wards):
            lacking, solved, trace = self.lacking[ward], on_own[:, column], traces
            if len(lacking):
                key = lacking.tobytes()
                if key not in lacks:
                    across = precision[:, lacking]
                    less = np.linalg.solve(across[lacking], across.T)
                    off = np.einsum("ij,kij->k", less.T @ across.T, moves)
                    lacks[key] = less, float(np.linalg.slogdet(across[lacking])[1]) / 2, off
                less, size, off = lacks[key]
                solved, trace, value = solved - less.T @ solved[lacking], trace - off, value - size
            count = counts[column]
            quadratic = max(solved @ own[:, column], _LEAST_QUADRATIC * count)
            drawn = count / (count + 0.5 / _SCALE_SD**2)  # the likeliest, drawn towards 1
            scale = np.exp(np.log(quadratic / count) / 2 * drawn)
            slopes[column] = (moves @ solved @ solved / scale**2 - trace) / 2
            value -= quadratic / scale**2 / 2 + count * np.log(scale)
            value -= (np.log(scale) / _SCALE_SD) ** 2 / 2
            scales[column] = scale
        by_ward = counts[:, None, None] / len(self.rows) * information
        return _Summit(at, float(value), slopes, by_ward, scales)

    def climb(self, wards: Ints, own: Floats, centre: Floats, at: Floats) -> _Summit:
        """The summit of some wards under a standard normal prior around `centre`, by Fisher scoring
        from `at`."""
        best, reach = self.score(wards, own, at, centre), 1.0
        for _ in range(_STEPS - 1):
            slope = best.slopes.sum(axis=0) - (best.at - centre)
            step = np.linalg.solve(best.precision, slope)
            step *= reach * min(1.0, 1.5 / np.abs(step).max())
            if np.abs(step).max() < 0.05:
                break
            here = self.score(wards, own, best.at + step, centre)
            best, reach = (here, 1.0) if here.value > best.value else (best, reach / 3)
        return best

    # ---------------------------------------------------------------- posterior

    def weigh(self) -> None:
        """Set `points`, `breaks` (points x wards), `precisions` (of the months), `weights` (wards x
        (points x scales)) and `apart` (chance that a ward has nothing of what is common)."""
        first = self.climb(self.wards, self.own, _DEVIATION, _DEVIATION)
        self.refine(first)
        found = self.climb(self.wards, self.own, _DEVIATION, first.at)
        root = np.linalg.cholesky(np.diag(_BETWEEN**2) + np.linalg.inv(found.precision))
        proposals = [_Proposal(found.at, np.sqrt(1.2) * root, _POINTS)]
        self.apart = np.zeros(len(self.wards))
        for ward in self.wards:
            information = found.information[ward] + np.eye(_DIMENSIONS)
            step = np.linalg.solve(information, found.slopes[ward])
            if (np.linalg.solve(root, step) ** 2).sum() > _FAR:
                pooled = self.climb(self.wards[[ward]], self.own, _DEVIATION, found.at)
                logs = np.where(self.used, self.logs, 0.0)
                alone = self.climb(self.wards[[ward]], logs, _LINE, _LINE)
                self.apart[ward] = expit(alone.evidence - pooled.evidence)
                wide = np.linalg.cholesky(1.2 * np.linalg.inv(pooled.precision))
                proposals.append(_Proposal(pooled.at, wide, _POINTS_UNLIKE))
        self.points = np.concatenate(
            [
                one.centre + _normal_points(one.size, place) @ one.root.T
                for place, one in enumerate(proposals)
            ]
        )
        self.breaks = np.concatenate(
            [self.spread_breaks(one.size, place) for place, one in enumerate(proposals)]
        )
        drawn = [np.log(size) + self.log_normal(centre, to) for centre, to, size in proposals]
        near = np.log(1 - _UNLIKE) + self.log_normal(found.at, root)
        far = np.log(_UNLIKE) + self.log_normal(_DEVIATION, np.eye(_DIMENSIONS))
        self.precisions, log = self.likelihood(self.points, self.breaks)
        log += (np.logaddexp(near, far) - _log_sum(np.column_stack(drawn)))[:, None, None]
        chance = self.break_chance[self.wards, self.breaks]
        log += np.log(self.kernel.break_prior[self.breaks] / chance)[:, :, None]
        self.weights = np.array([normalised(log[:, ward].ravel()) for ward in self.wards])

    def log_normal(self, mean: Floats, root: Floats) -> Floats:
        """Log density of a normal distribution at the points, up to a constant."""
        log: Floats = gaussian_process.log_normal(self.points, mean, root)
        return log

    def refine(self, summit: _Summit) -> None:
        """At the wards' summit: set outliers aside, estimate anew what is common, and set
        `break_chance` (wards x breaks)."""
        calm = summit.at.copy()
        for name in ("swing", "drift"):  # which hide a break
            place = list(_PRIOR).index(name)
            calm[place] = min(calm[place], -1.5)
        precisions, halves = self.precision(np.stack([summit.at, calm]))
        every = self.after_break(np.arange(len(self.kernel.break_prior)), self.rows)
        for ward, scale in enumerate(summit.scales):
            log = self.by_break(ward, precisions / scale**2, halves, every)
            self.set_outliers_aside(ward, precisions[0] / scale**2, every[np.argmax(log)])
        self.set_own(self.common_share)
        summit = self.score(self.wards, self.own, summit.at, _DEVIATION)
        self.set_common(precisions[0], summit.scales)
        logs = [
            self.by_break(ward, precisions / scale**2, halves, every)
            for ward, scale in enumerate(summit.scales)
        ]
        chance = np.array([normalised(log) for log in logs])
        self.break_chance = 0.8 * chance + 0.2 * self.kernel.break_prior

    def by_break(self, ward: int, precision: Floats, half: Floats, every: Floats) -> Floats:
        """Log of likelihood x prior of `every` break of a ward, over some equally likely points."""
        own = self.own[:, ward] * self.stretch[ward]
        columns = np.column_stack([own, every[:, :, 0].T, every[:, :, 1].T])
        right = self.without(ward, precision, self.lacked(ward, precision), precision @ columns)
        on_step, on_ramp = np.split(right[:, :, 1:].transpose(0, 2, 1), 2, axis=1)
        on_own = np.broadcast_to(right[:, None, :, 0], on_step.shape)
        gain, _, _ = _break_gain(every, np.stack([on_own, on_step, on_ramp], axis=-1))
        by_point = (half - own @ right[:, :, 0].T / 2)[:, None] + gain
        log: Floats = np.logaddexp.reduce(by_point) + np.log(self.kernel.break_prior)
        return log

    def set_outliers_aside(self, ward: int, precision: Floats, step: Floats) -> None:
        """Forget single months of the ward that are far from what its others say, given its break."""
        own = self.own[:, ward] * self.stretch[ward]
        precision = _conditional(precision, self.lacking[ward])
        on_step = precision @ step
        precision = precision - on_step @ np.linalg.solve(np.eye(2) + step.T @ on_step, on_step.T)
        held = self.used[:, ward].copy()
        for _ in range(max(1, int(held.sum()) // 8)):
            diagonal = np.where(held, np.diag(precision), np.inf)
            alone = precision @ own / np.sqrt(diagonal)
            worst = int(np.argmax(np.abs(alone)))
            if abs(alone[worst]) < gaussian_process.OUTLIER:
                break
            excess = abs(alone[worst]) / np.sqrt(diagonal[worst])
            if excess < amounts.BEYOND:  # beyond that it is a clerk's slip, and no habit
                self.excess.append(excess)
            self.seen[worst, ward] = held[worst] = False
            precision = _conditional(precision, np.array([worst]))

    def set_common(self, precision: Floats, scales: Floats) -> None:
        """Estimate anew what is common, by generalised least squares with the `precision` of a typical
        ward's months; wards that deviate more count less (`share`, 1 in all)."""
        share = np.clip(np.median(scales) ** 2 / scales**2, *_SWAY)
        self.share = share / share.sum()
        by_ward = np.array(
            [
                part * _conditional(precision, np.flatnonzero(~seen))
                for part, seen in zip(self.share, self.seen.T, strict=True)
            ]
        )
        total = by_ward.sum(axis=0)
        total[np.diag_indices_from(total)] += np.where(self.seen.any(axis=1), 1e-9, 1.0)
        covariance = np.linalg.inv(total)
        known = np.where(self.seen, self.logs, 0.0)
        self.common = covariance @ np.einsum("wst,tw->s", by_ward, known)
        self.set_own(np.einsum("wst,ts->sw", by_ward, covariance))

    def spread_breaks(self, size: int, place: int) -> Ints:
        """For each of `size` points and each ward a break, as often as its chance says."""
        order = stream("district", "breaks", str(place)).permutation(size)
        edges = np.cumsum(self.break_chance, axis=1)
        at = (order + 0.5) / size
        return np.column_stack([np.searchsorted(edge / edge[-1], at) for edge in edges])

    # ---------------------------------------------------------------- paths

    def paths(self, common: Floats, names: list[str], line: str) -> Floats:
        """Simulated deviations (logs) of the months after the history, given paths of what is common
        (draws x months, logs): wards x draws x months. As the wards count in the common part, their
        mean is zero, outliers apart."""
        draws, horizon = common.shape
        size = self.count + -(-horizon // 12) * 12  # whole years: one more month is the same sum
        after = np.arange(self.count, size)
        chosen = [kept(weights) for weights in self.weights]
        union = np.unique(np.concatenate([used // len(_SCALES) for used, _ in chosen]))
        parts, none = _parts(self.points[union]), np.zeros(len(union), int)
        # The share in what is common stands before the months ahead.
        sway = parts[:, -1, None, None]
        ahead, within = (
            self.kernel.covariance(parts[:, :-1], none, self.kernel.block(months, after, size))
            for months in (self.rows, after)
        )
        ahead = np.concatenate([sway * self.moves[:, None], ahead], axis=2)
        within = np.pad(within, ((0, 0), (1, 0), (1, 0)))
        within[:, :1, :1] = sway
        solved = self.precisions[union] @ ahead
        within -= ahead.transpose(0, 2, 1) @ solved
        logs = np.empty((len(names), draws, 1 + len(after)))
        for ward, (name, (used, counts)) in enumerate(zip(names, chosen, strict=True)):
            point, scale = used // len(_SCALES), _SCALES[used % len(_SCALES)]
            place = np.searchsorted(union, point)
            turned = ahead[place].transpose(0, 2, 1)
            step, later = (
                self.after_break(self.breaks[point, ward], months) for months in (self.rows, after)
            )
            later = np.pad(later, ((0, 0), (1, 0), (0, 0)))
            right, missed = self.solved[ward][point], solved[place][:, self.lacking[ward]]
            _, inner, tilt = _break_gain(step, right, scale)
            load = later - turned @ right[:, :, 1:]
            mean = turned @ right[:, :, :1] + load @ np.linalg.solve(inner, tilt[:, :, None])
            spread = within[place] + missed.transpose(0, 2, 1) @ (self.blocks[ward][point] @ missed)
            spread *= scale[:, None, None] ** 2
            spread += load @ np.linalg.solve(inner, load.transpose(0, 2, 1))
            root = np.linalg.cholesky(spread + 1e-9 * np.eye(1 + len(after)))
            rows = stream(line, MODEL, name, "point").permutation(draws)
            ends = np.searchsorted(repeated(counts, draws), np.arange(len(counts) + 1))
            shape = 1 + len(after), draws
            normal = stream(line, MODEL, name, "months").standard_normal(shape).T
            for k, (begin, end) in enumerate(itertools.pairwise(ends)):
                here = rows[begin:end]
                logs[ward, here] = mean[k, :, 0] + normal[here] @ root[k].T
        logs = logs[:, :, 1 : 1 + horizon] + logs[:, :, :1] * (common - self.centre)
        logs -= np.einsum("w,wdh->dh", self.share, logs)
        if self.excess:
            chance = len(self.excess) / (self.seen.sum() + 12 * len(names))
            spread = min(float(np.sqrt(np.mean(np.square(self.excess)))), _FARTHEST)
            for ward, name in enumerate(names):
                hit = stream(line, MODEL, name, "outlier").random((horizon, draws)) < chance
                out = stream(line, MODEL, name, "far out").standard_normal((horizon, draws))
                logs[ward] += (hit * spread * out).T
        return logs


def _two_way(logs: Floats) -> Floats:
    """What is common to the columns, by row, each column having a level of its own. Medians, so that
    one column's slip stays out of it."""
    level = np.nanmedian(logs, axis=0)
    for _ in range(20):
        common = np.nanmedian(logs - level, axis=1)
        level = np.nanmedian(logs - common[:, None], axis=0)
    return common


def _conditional(precision: Floats, lacking: Ints) -> Floats:
    """The inverse covariance of the other months, from that of all; zero in those `lacking`."""
    if not len(lacking):
        return precision
    across = precision[:, lacking]
    less: Floats = precision - across @ np.linalg.solve(across[lacking], across.T)
    less[lacking] = 0
    less[:, lacking] = 0
    return less


def _break_gain(
    step: Floats, right: Floats, scale: Floats | float = 1.0
) -> tuple[Floats, Floats, Floats]:
    """What a break adds to the log likelihood; the precision of its two sizes, and what the data say
    of them. `right`: inverse covariance, for the scale 1, times (data, step, ramp, ...): ... x months x
    columns; `scale`: of the deviations."""
    turned = np.swapaxes(step, -1, -2)
    variance = np.asarray(scale)[..., None, None] ** 2
    inner = np.eye(2) + turned @ right[..., 1:3] / variance
    tilt = (turned @ right[..., :1] / variance)[..., 0]
    gain = gaussian_process.break_gain(
        inner[..., 0, 0], inner[..., 0, 1], inner[..., 1, 1], tilt[..., 0], tilt[..., 1]
    )
    return gain, inner, tilt


def _log_sum(log: Floats) -> Floats:
    """The log of the sum of exp(log) over the last axis."""
    most = log.max(axis=-1)
    summed: Floats = most + np.log(np.exp(log - most[..., None]).sum(axis=-1))
    return summed


# ------------------------------------------------------------------------------------- estimation


def estimate_district(
    table: pd.DataFrame,
    *,
    start: pd.Period | pd.Timestamp | str,
    tet: Iterable[pd.Timestamp] = (),
    draws: int = 2000,
    line: str = "",
) -> dict[str, Impact]:
    """Estimate what each ward would have been from `start` without COVID-19, all wards at once.

    `table`: amounts of one line by month, a column a ward; the months as in `counterfactual.estimate`,
    history and later ones together, NaN is missing. `tet`: first days of the lunar year. `line` names
    the line, for its random numbers. The paths of the wards belong together: their sum, path by path, is
    the district's. Neither the order of the wards nor later months move a number.

    Estimated together (`model` is "district") are wards of the kind `receipts` with at most 5 % of
    months without a receipt, and with `SHORTEST` months of history in which three such wards have a figure; the others, and all where there are
    fewer than `FEWEST_WARDS` with as many as a ward by itself needs, are as `counterfactual.estimate`
    has them. A ward with less than a year on top of `SHORTEST` has no placebo, and is not silent for it.

    An `Impact` holds the figures of its own ward only. Its placebo and sensitivity estimate all wards
    anew, from the table that this process keeps as long as it keeps the estimate of one of them; a copy
    or pickle has them made before. Raises TypeError or ValueError, in one sentence, where an argument
    is not what is said here, a ward's name comes twice, or an amount is infinite.
    """
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"the table is a {type(table).__name__}, not a pandas DataFrame with a column a ward: hand "
            "one over, or use estimate for a series"
        )
    if not isinstance(line, str):
        raise TypeError(f'line is {line!r}, not a text: write e.g. "{line}"')
    draws = counterfactual.number_of_draws(draws)
    if table.columns.empty:
        raise ValueError("the table has no wards: hand over one column for each")
    if not table.columns.is_unique:
        raise ValueError(f"the ward {table.columns[table.columns.duplicated()][0]} comes twice")
    checked = {
        ward: counterfactual.by_month(table[ward], f"the ward {ward}") for ward in table.columns
    }
    table, month, tet = (
        pd.DataFrame(checked),
        counterfactual.month_of(start, "start"),
        counterfactual.days_of(tet),
    )
    if month not in table.index:
        raise ValueError(f"the table has no month {month}: choose a start within it")
    made: dict[Any, dict[Any, Impact]] = {}

    def anew(ward: Any, series: pd.Series, start: pd.Period, draws: int) -> Impact:
        """The ward's estimate from another start, or with months left out: of all wards, and once
        for all of them."""
        months = months_of(series)
        gone = months[(series.isna() & table.loc[months, ward].notna()).to_numpy()]
        within = (
            (months >= gone[0]) & (months <= gone[-1]) if len(gone) else np.zeros(len(months), bool)
        )
        key = start, months[-1], tuple(np.flatnonzero(within)), draws
        if key not in made:
            part = table.loc[months]
            part[within] = np.nan
            made[key] = _estimate(part, start, tet, draws, line, once=True)
        return made[key][ward]

    found = _estimate(table, month, tet, draws, line, once=False)
    for ward, one in found.items():
        if one.model == MODEL:
            again = _Again(ward)
            _ANEW[again] = anew
            found[ward] = dataclasses.replace(one, again=again)
    return found


@dataclasses.dataclass(frozen=True, eq=False)
class _Again:
    """Estimates a ward anew with the others of its district, of which it holds nothing itself."""

    ward: Any

    def __call__(self, series: pd.Series, start: pd.Period, draws: int) -> Impact:
        return _ANEW[self](self.ward, series, start, draws)


# What estimates a district anew, for as long as one of its wards' estimates is there to ask.
_ANEW: weakref.WeakKeyDictionary[_Again, Callable[[Any, pd.Series, pd.Period, int], Impact]] = (
    weakref.WeakKeyDictionary()
)


def _estimate(
    table: pd.DataFrame,
    start: pd.Period,
    tet: tuple[pd.Timestamp, ...],
    draws: int,
    line: str,
    *,
    once: bool,
) -> dict[str, Impact]:
    """`estimate_district`. `once`: as in `counterfactual`."""
    index = months_of(table)
    at = start.ordinal - index[0].ordinal
    oldest = max(at - counterfactual.LONGEST, 0)
    history = table.iloc[oldest:at]
    pooled = [ward for ward in sorted(table, key=str) if _poolable(history[ward].to_numpy(float))]
    shared = history[history[pooled].count(axis=1) >= _FEWEST_THERE]
    pooled = [ward for ward in pooled if shared[ward].count() >= SHORTEST]
    together: dict[Any, Floats] = {}
    if (history[pooled].count() >= counterfactual.SHORTEST).sum() >= FEWEST_WARDS:
        first = oldest + int(np.argmax(history[pooled].notna().any(axis=1).to_numpy()))
        amounts = table[pooled].iloc[first:at]
        paths = _together(amounts, index[first:], tet, draws, line, once=once)
        together = dict(zip(pooled, paths, strict=True))
    return {
        # Copies, as a column is a view of the table of all.
        ward: Impact(
            start, table[ward].copy(), together[ward].copy(), MODEL, tet, None, frozenset(), line
        )
        if ward in together
        else counterfactual._estimate(
            table[ward].copy(), start, tet, None, frozenset(), draws, f"{line} {ward}", once=once
        )
        for ward in table.columns.tolist()
    }


def _poolable(amounts: Floats) -> bool:
    """Whether a ward's history is of the kind that is estimated together with others."""
    known = amounts[np.isfinite(amounts)]
    if len(known) < SHORTEST or (known <= 0).mean() > _MOST_EMPTY:
        return False
    return not due_dates.is_lumpy(amounts[np.isfinite(amounts).argmax() :])


def _together(
    table: pd.DataFrame,
    months: pd.PeriodIndex,
    tet: tuple[pd.Timestamp, ...],
    draws: int,
    line: str,
    *,
    once: bool,
) -> Floats:
    """Paths of those of `months` that come after the history `table`: wards x draws x months."""
    brought, names = table.to_numpy(float), [str(ward) for ward in table.columns]
    positive = brought > 0
    logs = np.where(positive, np.log(np.where(positive, brought, 1.0)), np.nan)
    level = np.nanmedian(logs, axis=0)
    model = _Deviations(logs - level, months[0], tet)
    model.weigh()
    common = amounts.simulate(np.exp(model.by_month()), months, tet, line, draws, once=once)
    common = np.log(common)
    paths = model.paths(common, names, line) + common + level[:, None, None]
    second = np.sort(np.where(np.isnan(logs), -np.inf, logs), axis=0)[-2]
    made: Floats = np.exp(np.minimum(paths, second[:, None, None] + amounts.BEYOND))
    for place, name in enumerate(names):
        own = brought[:, place][np.isfinite(brought[:, place]).argmax() :]
        empty = own[own <= 0]
        if len(empty):
            # Too few to tell one month of the calendar from another.
            shape = made.shape[2], draws
            chance = stream(line, MODEL, name, "chance").beta(
                0.5 + len(empty), 0.5 + (own > 0).sum(), draws
            )
            none = chance > stream(line, MODEL, name, "empty").random(shape)
            brings = stream(line, MODEL, name, "brings").choice(empty, shape)
            made[place] = np.where(none, brings, made[place].T).T
        if model.apart[place] > _LEAST_APART:
            since = months[len(brought) - len(own) :]
            alone = amounts.simulate(own, since, tet, f"{line} {name}", draws, once=once)
            apart = stream(line, MODEL, name, "apart").random(draws) < model.apart[place]
            made[place, apart] = alone[apart]
    return made
