"""The wards of one upper level together: what they share is learnt from all of them.

The log of a ward's amounts is what is common to the district plus the ward's deviation from it. The
common part is a series like any other and is modelled as one (`gaussian_process`). The deviations are
Gaussian processes of the same parts (level, season, growth, drift, swing, Tết, noise); each ward has
hyper-parameters of its own, drawn from a distribution that is learnt from all wards: where they are
alike it is narrow, a ward unlike the others keeps what its own history says. A month or years that a
ward lacks are integrated over exactly; season, Tết and growth come from the others.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr  # type: ignore[import-untyped]  # SciPy ships no types

from wardlib.analysis import counterfactual, due_dates, gaussian_process
from wardlib.analysis.counterfactual import Impact
from wardlib.analysis.sampling import KEPT, kept, normalised, repeated, stream
from wardlib.analysis.tables import Bools, Floats, Ints

FEWEST_WARDS = 4  # that are estimated together; fewer say little of what they share
_MOST_EMPTY = 0.10  # share of months without a receipt up to which a ward is pooled

# Hyper-parameters of the deviations: median and standard deviation of the log of each, a priori, as
# in `gaussian_process`; wards of a district have less of their own than a line has.
_PRIOR = {
    "noise": (0.10, 0.52),
    "swing": (0.04, 0.8),
    "drift": (0.008, 0.8),
    "season": (0.10, 1.0),
    "season_change": (0.008, 1.0),
    "tet": (0.10, 0.9),
    "growth": (0.03, 0.8),
    "bend": (0.005, 0.8),
}
_LOG_MEDIAN = np.log([median for median, _ in _PRIOR.values()])
_LOG_SD = np.array([sd for _, sd in _PRIOR.values()])
_DIMENSIONS = len(_PRIOR) + 2  # two more, standard normal: memory and exponent, as there
# Wards differ: each hyper-parameter's sd between them, in those of its prior, and the sd of the log of
# a scale of all that is the ward's own.
_BETWEEN = np.array([0.6, *[0.3] * (_DIMENSIONS - 1)])
_SCALES = np.exp(np.linspace(-1.2, 1.2, 17))
_SCALE_SD = 0.4
_UNLIKE = 0.1  # chance that a ward's hyper-parameters are not like the others'
_NONE = np.zeros(_DIMENSIONS)
_LINE = np.array([0.0, 0.7, 1.4, 1.1, 0.5, 1.1, 0.6, 1.4, 0.0, 0.0])  # of a line that stands alone
_STEPS = 10  # of Fisher scoring, at most
_FAR = 18.0  # squared distance from the others from which a ward is looked at by itself
_POINTS, _POINTS_UNLIKE = 128, 64
_ALONE_DECIDES = 0.6  # share of a month's common part from which a ward says nothing of its deviation


def _parts(points: Floats) -> Floats:
    """Variance of each part, in the order of `gaussian_process._bases`, at each point."""
    variance = np.exp(2 * (_LOG_MEDIAN + _LOG_SD * points[:, : len(_PRIOR)]))
    memory, exponent = ndtr(points[:, -2]), ndtr(gaussian_process._EXPONENT_CENTRE + points[:, -1])
    return np.column_stack(
        [
            gaussian_process._on_knots(exponent, 3) * variance[:, :1],
            gaussian_process._on_knots(memory, 4) * variance[:, 1:2],
            variance[:, 2:],
            np.ones(len(points)),
        ]
    )


class _Summit(NamedTuple):
    """Hyper-parameters of some wards: log of likelihood x prior, its slope and the information for
    each ward without the prior's, and each ward's scale."""

    at: Floats
    value: float
    slopes: Floats
    information: Floats
    scales: Floats

    @property
    def evidence(self) -> float:
        """Log of likelihood x prior, integrated over the hyper-parameters (Laplace)."""
        information = self.information.sum(axis=0) + np.eye(_DIMENSIONS)
        return float(self.value - np.linalg.slogdet(information)[1] / 2)


class _Deviations:
    """The wards' deviations from what is common to them, hyper-parameters integrated over.

    `logs`: log amounts, months x wards, NaN where there is none; at least one ward in each month of
    `rows` (places from the month `first`).
    """

    def __init__(
        self, logs: Floats, rows: Ints, count: int, first: pd.Period, tet: tuple[pd.Timestamp, ...]
    ):
        self.logs, self.rows, self.count = logs, rows, count
        self.seen: Bools = np.isfinite(logs)
        common, level = _two_way(logs)
        self.common = common
        self.kernel = gaussian_process._Fit(self.over_time(common), first, tet)
        self.bases = self.kernel.inner
        self.breaks = len(self.kernel.break_prior)
        self.deviations = np.where(self.seen, logs - level - common[:, None], 0.0)
        share = self.seen / self.seen.sum(axis=1, keepdims=True)
        self.set_own(share)
        self.excess: list[float] = []

    def over_time(self, common: Floats) -> Floats:
        """`common` by month from the first, NaN where no ward has a figure."""
        logs = np.full(self.count, np.nan)
        logs[self.rows] = common
        return logs

    def set_own(self, share: Floats) -> None:
        """Set what is used of the deviations, given each ward's share in the common part: what it
        takes away from the ward's deviation is put back, and where a ward all but decides it, its
        deviation is unknown."""
        self.used = self.seen & (share < _ALONE_DECIDES)
        own = np.where(self.used, share, 0).sum(axis=0) / np.maximum(self.used.sum(axis=0), 1)
        self.stretch = 1 / np.sqrt(1 - own)
        self.own = np.where(self.used, self.deviations, 0.0)
        self.lacking = [np.flatnonzero(~used) for used in self.used.T]

    def precision(self, points: Floats) -> tuple[Floats, Floats]:
        """Inverse covariance of all months at each point, and half the log of its determinant."""
        none = np.zeros(len(points), int)
        covariance = self.kernel.covariance(_parts(points), none, self.bases)
        diagonal = np.arange(len(self.rows))
        covariance[:, diagonal, diagonal] += 1e-6
        factor = np.linalg.cholesky(covariance)
        return np.linalg.inv(covariance), -np.log(np.einsum("kii->ki", factor)).sum(axis=1)

    def after_break(self, breaks: Ints, months: Ints) -> Floats:
        """The level's and the growth's part of a break: breaks x months x 2, zero for no break."""
        step, ramp = self.kernel.after_break(breaks, months)
        return np.stack([step.T, ramp.T], axis=-1) * (breaks > 0)[:, None, None]

    def without(self, precision: Floats, ward: int, right: Floats) -> Floats:
        """The inverse covariance of the months that the ward has, times `right` (points x months x
        columns), given `precision` times it in full. Zero in the others."""
        lacking = self.lacking[ward]
        if not len(lacking):
            return right
        across = precision[:, :, lacking]
        solved = np.linalg.solve(across[:, lacking], right[:, lacking])
        return right - across @ solved

    def found(self, points: Floats, breaks: Ints) -> tuple[Floats, Floats]:
        """Precision of the months (points x months x months) and the log likelihood of each ward
        (points x wards x scales), with their `breaks` (points x wards)."""
        precision, half = self.precision(points)
        own = self.own * self.stretch
        on_own = precision @ own
        log = np.empty((len(points), own.shape[1], len(_SCALES)))
        sizes: dict[bytes, Floats] = {}
        for ward, lacking in enumerate(self.lacking):
            step = self.after_break(breaks[:, ward], self.rows)
            right = np.concatenate([on_own[:, :, [ward]], precision @ step], axis=2)
            right = self.without(precision, ward, right)
            key = lacking.tobytes()
            if key not in sizes:
                block = precision[:, lacking[:, None], lacking]
                sizes[key] = np.linalg.slogdet(block)[1] / 2 if len(lacking) else np.zeros(1)
            quadratic = right[:, :, 0] @ own[:, ward]
            gain, _, _ = _gain(step[:, None], right[:, None], _SCALES)
            log[:, ward] = (half - sizes[key])[:, None] - quadratic[:, None] / 2 / _SCALES**2 + gain
            log[:, ward] -= self.used[:, ward].sum() * np.log(_SCALES)
        log -= (np.log(_SCALES) / _SCALE_SD) ** 2 / 2
        return precision, log

    def weigh(self) -> None:
        """Set `points`, `breaks_at` (points x wards), `precisions`, `weights` (wards x points and
        scales) and `apart` (chance that a ward has nothing of what is common)."""
        every = np.arange(self.logs.shape[1])
        first = self.climb(every, self.own, _NONE, _STEPS)
        self.refine(first)
        found = self.climb(every, self.own, _NONE, _STEPS, first.at)
        mode = found.at
        sure = np.linalg.inv(found.information.sum(axis=0) + np.eye(_DIMENSIONS))
        spread = np.diag(_BETWEEN**2) + sure
        root = np.linalg.cholesky(spread)
        proposals = [(mode, np.sqrt(1.2) * root, _POINTS)]
        self.apart = np.zeros(len(every))
        for ward in every:
            step = np.linalg.solve(
                found.information[ward] + np.eye(_DIMENSIONS), found.slopes[ward]
            )
            if (np.linalg.solve(root, step) ** 2).sum() < _FAR:
                continue
            pooled = self.climb(every[[ward]], self.own, _NONE, _STEPS, mode)
            own = np.where(self.used, self.logs, 0.0)
            alone = self.climb(every[[ward]], own, _LINE, _STEPS)
            self.apart[ward] = expit(alone.evidence - pooled.evidence)
            own_root = np.linalg.cholesky(
                1.2 * np.linalg.inv(pooled.information[0] + np.eye(_DIMENSIONS))
            )
            proposals.append((pooled.at, own_root, _POINTS_UNLIKE))
        points, breaks = [], []
        for number, (centre, to, size) in enumerate(proposals):
            points.append(centre + gaussian_process._points(size, 1 + number % 3) @ to.T)
            breaks.append(self.spread_breaks(size, number))
        self.points, self.breaks_at = np.concatenate(points), np.concatenate(breaks)
        density = _summed(
            np.column_stack(
                [
                    np.log(size) + gaussian_process._log_normal(self.points, centre, to)
                    for centre, to, size in proposals
                ]
            )
        )
        near = np.log(1 - _UNLIKE) + gaussian_process._log_normal(self.points, mode, root)
        far = np.log(_UNLIKE) - (self.points**2).sum(axis=1) / 2
        self.precisions, log = self.found(self.points, self.breaks_at)
        log += (np.logaddexp(near, far) - density)[:, None, None]
        chance = self.kernel.break_prior[self.breaks_at] / self.break_chance[every, self.breaks_at]
        log += np.log(chance)[:, :, None]
        self.weights = np.array([normalised(log[:, ward].ravel()) for ward in every])

    def climb(
        self, wards: Ints, own: Floats, centre: Floats, steps: int, at: Floats | None = None
    ) -> _Summit:
        """The hyper-parameters that say most of `wards` (months x all wards: `own`), by Fisher
        scoring from `at` under a normal prior around `centre`; the wards' scales are the likeliest."""
        best = self.score(wards, own, centre if at is None else at, centre)
        reach = 1.0
        for _ in range(steps - 1):
            information = best.information.sum(axis=0) + np.eye(_DIMENSIONS)
            step = np.linalg.solve(information, best.slopes.sum(axis=0) - (best.at - centre))
            step *= reach * min(1.0, 1.5 / np.abs(step).max())
            if np.abs(step).max() < 0.05:
                break
            here = self.score(wards, own, best.at + step, centre)
            if here.value > best.value:
                best, reach = here, 1.0
            else:
                reach /= 3
        return best

    def score(self, wards: Ints, own: Floats, at: Floats, centre: Floats) -> _Summit:
        """See `_Summit`, for the hyper-parameters `at`."""
        (precision,), (half,) = self.precision(at[None])
        (parts,) = _parts(at[None])
        change = (_parts(at + 1e-4 * np.eye(_DIMENSIONS)) - parts) / 1e-4
        moves = (change @ self.bases.bases).reshape(-1, *precision.shape)
        each = precision @ moves
        flat = len(moves), -1
        information = each.reshape(flat) @ each.transpose(0, 2, 1).reshape(flat).T / 2
        by_month = np.diagonal(each, axis1=1, axis2=2).sum(axis=1)
        own = own[:, wards] * self.stretch[wards]
        on_own = precision @ own
        counts = self.used[:, wards].sum(axis=0)
        value = len(wards) * half - ((at - centre) ** 2).sum() / 2
        slopes, scales = np.empty((len(wards), len(moves))), np.empty(len(wards))
        for column, ward in enumerate(wards):
            lacking, solved, trace = self.lacking[ward], on_own[:, column], by_month
            if len(lacking):
                across = precision[:, lacking]
                share = np.linalg.solve(across[lacking], across.T)
                solved = solved - share.T @ solved[lacking]
                trace = trace - np.einsum("ij,kij->k", share.T @ across.T, moves)
                value -= np.linalg.slogdet(across[lacking])[1] / 2
            quadratic, count = solved @ own[:, column], counts[column]
            drawn = count / (count + 0.5 / _SCALE_SD**2)  # the likeliest, drawn towards 1
            scale = np.exp(np.log(quadratic / count) / 2 * drawn)
            slopes[column] = (moves @ solved @ solved / scale**2 - trace) / 2
            value -= quadratic / scale**2 / 2 + count * np.log(scale)
            value -= (np.log(scale) / _SCALE_SD) ** 2 / 2
            scales[column] = scale
        by_ward = counts[:, None, None] / len(self.rows) * information
        return _Summit(at, value, slopes, by_ward, scales)

    def refine(self, summit: _Summit) -> None:
        """At the wards' summit: set outliers aside, weigh the wards anew in the common part, and set
        `break_chance` (wards x breaks)."""
        mode, scale = summit.at, summit.scales
        calm = mode.copy()
        calm[1:3] = np.minimum(calm[1:3], -1.5)  # swing and drift, which hide a break
        precisions, halves = self.precision(np.stack([mode, calm]))
        wards = self.logs.shape[1]
        steps = self.after_break(np.arange(self.breaks), self.rows)
        for ward in range(wards):
            chance = self.by_break(precisions, halves, ward, steps, scale[ward])
            step = steps[np.argmax(chance)]
            self.set_outliers_aside(precisions[0] / scale[ward]**2, ward, step)
        self.set_common(precisions[0], 1 / scale**2)
        chances = []
        for ward in range(wards):
            log_chance = self.by_break(precisions, halves, ward, steps, scale[ward])
            chances.append(0.8 * normalised(log_chance) + 0.2 * self.kernel.break_prior)
        self.break_chance = np.array(chances)

    def set_common(self, typical: Floats, share: Floats) -> None:
        """Estimate what is common anew, by generalised least squares with the wards' typical
        inverse covariance; wards that deviate more count less (`share`)."""
        share = np.clip(share / np.median(share), 0.1, 3.0)
        share /= share.sum()
        lacking_now = [np.flatnonzero(~seen) for seen in self.seen.T]
        weights = np.empty((len(share), *typical.shape))
        for ward, lacking in enumerate(lacking_now):
            across = typical[:, lacking]
            weights[ward] = typical - across @ np.linalg.solve(across[lacking], across.T)
            weights[ward][lacking] = 0
            weights[ward][:, lacking] = 0
            weights[ward] *= share[ward]
        together = weights.sum(axis=0)
        lonely = np.flatnonzero(np.diag(together) == 0)  # nobody left who says anything of it
        together[lonely, lonely] = 1e-6
        inverse = np.linalg.inv(together + 1e-9 * np.eye(len(together)))
        right = np.einsum("wst,tw->s", weights, np.where(self.seen, self.logs, 0.0))
        self.common = inverse @ right
        self.deviations = np.where(self.seen, self.logs - self.common[:, None], 0.0)
        self.set_own(np.einsum("wst,ts->sw", weights, inverse))
        self.share = share

    def by_break(
        self, precision: Floats, half: Floats, ward: int, steps: Floats, scale: float
    ) -> Floats:
        """Log of likelihood x prior of each break, at the better of two points."""
        own = self.own[:, ward] * self.stretch[ward]
        precision = precision / scale**2
        columns = np.concatenate([own[:, None], *steps.transpose(2, 1, 0)], axis=1)
        right = self.without(precision, ward, precision @ columns)
        breaks = len(steps)
        on_own, on_step, on_ramp = (
            right[:, :, :1],
            right[:, :, 1 : breaks + 1],
            right[:, :, breaks + 1 :],
        )
        logs = []
        for point in range(len(precision)):
            both = np.stack([on_step[point].T, on_ramp[point].T], axis=-1)
            mine = np.broadcast_to(on_own[point][None], (breaks, *on_own[point].shape))
            gain, _, _ = _gain(steps, np.concatenate([mine, both], axis=2))
            logs.append(half[point] - own @ on_own[point][:, 0] / 2 + gain)
        best: Floats = np.logaddexp(*logs) + np.log(self.kernel.break_prior)
        return best

    def set_outliers_aside(self, precision: Floats, ward: int, step: Floats) -> None:
        """Forget the ward's outliers, given its break."""
        lacking = np.flatnonzero(~self.seen[:, ward])
        if len(lacking):
            across = precision[:, lacking]
            precision = precision - across @ np.linalg.solve(across[lacking], across.T)
            precision[lacking] = precision[:, lacking] = 0
        on_step = precision @ step
        precision = precision - on_step @ np.linalg.solve(np.eye(2) + step.T @ on_step, on_step.T)
        most = max(1, int(self.seen[:, ward].sum()) // 8)
        own = self.own[:, ward] * self.stretch[ward]
        for _ in range(most):
            diagonal = np.diag(precision)
            said = np.where(self.used[:, ward] & self.seen[:, ward], diagonal, np.inf)
            alone = (precision @ own) / np.sqrt(said)
            worst = int(np.argmax(np.abs(alone)))
            if abs(alone[worst]) < gaussian_process._OUTLIER:
                break
            self.excess.append(alone[worst] / np.sqrt(diagonal[worst]))
            self.seen[worst, ward] = False
            row = precision[worst]
            precision = precision - np.outer(row, row) / row[worst]
            precision[worst] = precision[:, worst] = 0

    def spread_breaks(self, size: int, seed: int) -> Ints:
        """For each point and ward a break, as often as its chance says."""
        order = np.random.default_rng(seed).permutation(size)
        edges = np.cumsum(self.break_chance, axis=1)
        at = (order + 0.5) / size
        return np.column_stack([np.searchsorted(edge / edge[-1], at) for edge in edges])

    def paths(self, size: int, draws: int, names: Sequence[str], line: str) -> Floats:
        """Simulated deviations (logs) of the months after the history up to `size` in all: wards x
        draws x months; their mean, as the wards count in the common part, is zero."""
        after = np.arange(self.count, size)
        chosen = [kept(weights) for weights in self.weights]
        union = np.unique(np.concatenate([used for used, _ in chosen]) // len(_SCALES))
        parts = _parts(self.points[union])
        none = np.zeros(len(union), int)
        ahead = self.kernel.covariance(parts, none, self.kernel.block(self.rows, after, size))
        within = self.kernel.covariance(parts, none, self.kernel.block(after, after, size))
        solved = self.precisions[union] @ ahead
        logs = np.empty((len(names), draws, len(after)))
        for ward, (name, (used, counts)) in enumerate(zip(names, chosen, strict=True)):
            used, scale = used // len(_SCALES), _SCALES[used % len(_SCALES)]
            place = np.searchsorted(union, used)
            breaks = self.breaks_at[used, ward]
            step, later = (self.after_break(breaks, months) for months in (self.rows, after))
            precision, across = self.precisions[used], ahead[place]
            own = np.broadcast_to(self.own[:, [ward]], (len(used), len(self.rows), 1))
            right = np.concatenate([precision @ own, precision @ step, solved[place]], axis=2)
            right = self.without(precision, ward, right)
            _, inner, tilt = _gain(step, right, scale)
            shift = np.linalg.solve(inner, tilt[:, :, None])
            turned = across.transpose(0, 2, 1)
            load = later - turned @ right[:, :, 1:3]
            mean = (turned @ right[:, :, :1] + load @ shift)[:, :, 0]
            covariance = (within[place] - turned @ right[:, :, 3:]) * scale[:, None, None] ** 2
            covariance += load @ np.linalg.solve(inner, load.transpose(0, 2, 1))
            root = np.linalg.cholesky(covariance + 1e-9 * np.eye(len(after)))
            rng = stream(line, "district", name, "point")
            which = rng.permutation(repeated(counts, draws))
            noise = stream(line, "district", name, "months").standard_normal((len(after), draws)).T
            for k in range(len(used)):
                here = which == k
                logs[ward, here] = mean[k] + noise[here] @ root[k].T
        logs -= np.einsum("w,wdh->dh", self.share, logs)
        if self.excess:
            chance = len(self.excess) / (self.seen.sum() + 12 * len(names))
            spread = min(float(np.sqrt(np.mean(np.square(self.excess)))), 1.5)
            for ward, name in enumerate(names):
                rng = stream(line, "district", name, "outliers")
                hit = rng.random((len(after), draws)).T < chance
                rng = stream(line, "district", name, "size of outliers")
                logs[ward] += hit * spread * rng.standard_normal((len(after), draws)).T
        return logs


def _two_way(logs: Floats) -> tuple[Floats, Floats]:
    """What is common to the months (rows) and each column's level, from medians."""
    level = np.nanmedian(logs, axis=0)
    for _ in range(20):
        common = np.nanmedian(logs - level, axis=1)
        level = np.nanmean(logs - common[:, None], axis=0)
    return np.nanmean(logs - level, axis=1), level


def _gain(step: Floats, right: Floats, scale: Floats | float = 1.0) -> tuple[Floats, Floats, Floats]:
    """What a break adds to the log likelihood; the precision of its two sizes and what the data say of
    them. `right`: inverse covariance, for the scale 1, times (data, step, ramp, ...), ... x months x
    columns; `scale`: of the deviations, ..."""
    turned = np.swapaxes(step, -1, -2)
    by = np.asarray(scale)[..., None, None] ** 2
    inner = np.eye(2) + turned @ right[..., 1:3] / by
    tilt = (turned @ right[..., :1] / by)[..., 0]
    determinant = inner[..., 0, 0] * inner[..., 1, 1] - inner[..., 0, 1] * inner[..., 1, 0]
    quadratic = (
        inner[..., 1, 1] * tilt[..., 0] ** 2
        - 2 * inner[..., 0, 1] * tilt[..., 0] * tilt[..., 1]
        + inner[..., 0, 0] * tilt[..., 1] ** 2
    ) / determinant
    return (quadratic - np.log(determinant)) / 2, inner, tilt


def _summed(log: Floats) -> Floats:
    """The log of the sum of exp(log) over the last axis."""
    most = log.max(axis=-1)
    summed: Floats = most + np.log(np.exp(log - most[..., None]).sum(axis=-1))
    return summed


def _poolable(amounts: Floats) -> bool:
    """Whether a ward's history (amounts from its first figure) is of the kind that is pooled."""
    known = amounts[np.isfinite(amounts)]
    return bool(
        len(known) >= counterfactual.SHORTEST
        and (known > 0).sum() >= counterfactual.FEWEST
        and (known <= 0).mean() <= _MOST_EMPTY
        and not due_dates.is_lumpy(amounts)
    )


def estimate_district(
    table: pd.DataFrame,
    *,
    start: pd.Period,
    tet: Sequence[pd.Timestamp] = (),
    draws: int = 2000,
    line: str = "",
) -> dict[str, Impact]:
    """Estimate what each ward would have been from `start` without COVID-19, all wards at once.

    `table`: amounts of one line, wards in columns by month (as `series` of `counterfactual.estimate`).
    `line` names the line, for its random numbers. Paths of the wards go together: their sum, path by
    path, is the district's. Wards that are lumpy, have many months without receipts or too little
    history are estimated alone, and so are all where fewer than `FEWEST_WARDS` are left.
    """
    history = table.loc[: start - 1].iloc[-counterfactual.LONGEST :]
    pooled = []
    for ward in sorted(table.columns):
        given = history[ward].dropna()
        if len(given) and _poolable(history.loc[given.index[0] :, ward].to_numpy(float)):
            pooled.append(ward)
    together: dict[str, Floats] = {}
    if len(pooled) >= FEWEST_WARDS:
        months = table.index[len(table.loc[: start - 1]) - len(history) :]
        together = _together(table.loc[months, pooled], start, tuple(tet), draws, line)
    return {
        ward: Impact(
            start, table[ward].copy(), together[ward], "district", tuple(tet), None, frozenset()
        )
        if ward in together
        else counterfactual.estimate(table[ward], start=start, tet=tet, draws=draws)
        for ward in table.columns.tolist()
    }


def _together(
    table: pd.DataFrame,
    start: pd.Period,
    tet: tuple[pd.Timestamp, ...],
    draws: int,
    line: str,
) -> dict[str, Floats]:
    """Paths of the months from `start` for each ward: draws x months."""
    amounts = table.loc[: start - 1].to_numpy(float)
    first = int(np.flatnonzero(np.isfinite(amounts).any(axis=1))[0])
    amounts, months = amounts[first:], table.index[first:]
    positive = amounts > 0
    logs = np.where(positive, np.log(np.where(positive, amounts, 1.0)), np.nan)
    level = np.nanmedian(logs, axis=0)
    rows = np.flatnonzero(positive.any(axis=1))
    model = _Deviations((logs - level)[rows], rows, len(amounts), months[0], tet)
    model.weigh()
    names = [str(ward) for ward in table.columns]
    common = gaussian_process.simulate(
        np.exp(model.over_time(model.common)), months, tet, draws, once=True
    )
    paths = model.paths(len(months), draws, names, line)
    paths += np.log(common) + level[:, None, None]
    for place, ward in enumerate(names):
        if model.apart[place] > 0.02:
            alone = gaussian_process.simulate(amounts[:, place], months, tet, draws, once=True)
            own = stream(line, "district", ward, "alone").random(draws) < model.apart[place]
            paths[place, own] = np.log(alone[own])
    paths = np.minimum(paths, np.nanmax(logs, axis=0)[:, None, None] + gaussian_process._BEYOND)
    result = dict(zip(table.columns, np.exp(paths), strict=True))
    global LAST
    LAST = model
    return result
