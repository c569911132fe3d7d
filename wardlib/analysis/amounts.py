"""Monthly amounts: paths of two models, mixed, with the months that bring nothing.

No model knows how the growth of a series goes on. A `gaussian_process` carries it on with care, a
`local_level` lets it stop. Their paths stand side by side, in parts by how well each would have
foreseen the last years, so that an interval holds what either of them holds to be possible. What that
does on real series: docs/method.md.
"""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
import pandas as pd
from scipy.special import betaln  # type: ignore[import-untyped]  # SciPy ships no types

from wardlib.analysis import gaussian_process
from wardlib.analysis.remembered import recall
from wardlib.analysis.sampling import normalised, stream
from wardlib.analysis.tables import Floats, Ints

# Share of the paths that are those of the local level: before the past is asked, and its limits; the
# years that are asked, if so many of their months are known and no outliers.
_STEADY, _STEADY_LIMITS = 0.2, (0.05, 0.6)
_YEARS, _COUNTED = 4, 9
_HELD = 0.85  # share of months with a receipt below which all are those of the Gaussian process
_SHARED = 0.4  # correlation of what moves the lines of a ward
BEYOND = 3.0  # log of how many times the second largest month a month can be (20)


def simulate(
    amounts: Floats,
    months: pd.PeriodIndex,
    tet: tuple[pd.Timestamp, ...],
    line: str,
    draws: int,
    *,
    once: bool,
) -> Floats:
    """Paths of those of `months` that come after `amounts`: draws x months.

    What a month without receipts brings (nothing, or a net refund) is drawn from the history. `tet`:
    first days of the lunar year. `once`: who asks remembers what comes of it, so that no store need.
    """
    horizon = len(months) - len(amounts)
    # Whole years: an effect and a projection from the same start share them.
    years = -(-horizon // 12)
    days = tuple(day.value for day in tet)
    whole = pd.period_range(months[0], periods=len(amounts) + 12 * years)
    paths = recall(
        lambda: _simulate(amounts, whole, tet, line, draws),
        (draws, 12 * years),
        *("amounts", amounts.tobytes(), months[0].ordinal, days, line, draws, years),
        stored=not once,
    )
    return paths[:, :horizon].copy(order="K")  # sums of floats hang on how they lie in memory


def _simulate(
    amounts: Floats, months: pd.PeriodIndex, tet: tuple[pd.Timestamp, ...], line: str, draws: int
) -> Floats:
    """The paths of `simulate` of a number of whole years."""
    positive = amounts > 0
    logs = np.where(positive, np.log(np.where(positive, amounts, 1.0)), np.nan)
    fit = gaussian_process.weighed(logs.tobytes(), months[0], tet)
    horizon = len(months) - len(amounts)
    known = np.isfinite(amounts)
    normal = _normal(horizon, draws, line)
    steady = int(_steady(fit) * draws) if positive.sum() >= _HELD * known.sum() else 0
    made = fit.logs(normal[:, steady:], line)
    if steady:
        tet_ahead = fit.moved_by_tet(len(months))[len(amounts) :, None]
        other = fit.steady.logs(normal[:, :steady], line) + tet_ahead
        made = np.concatenate([other, made], axis=1)
    made = made[:, stream("every line", "order").permutation(draws)]
    if len(fit.outliers):
        made += fit.outliers_ahead(horizon, draws, line)
    # Few and scattered receipts leave the scales open; no month brings many times the second largest
    # ever, as the largest may be a slip.
    second = np.sort(logs[positive])[-2]
    paths = np.exp(np.minimum(made, second + BEYOND))
    empty = amounts[~positive & known]
    if len(empty):
        calendar = months.month.to_numpy() - 1
        held = np.bincount(calendar[: len(amounts)][known], positive[known], 12)
        seen = np.bincount(calendar[: len(amounts)][known], minlength=12)
        chance = _chances(held, seen, line, draws)[:, calendar[len(amounts) :]].T
        none = stream(line, "nothing").random(paths.shape) >= chance
        paths = np.where(none, stream(line, "brings").choice(empty, paths.shape), paths)
    by_draw: Floats = paths.T
    return by_draw


def _steady(fit: gaussian_process.Fit) -> float:
    """Share of the paths that are those of the local level: the more, the better it would have foreseen
    the last years, each from the months before it, than the Gaussian process."""
    ordinary = np.zeros(fit.count)
    ordinary[fit.known] = 1
    ordinary[fit.outliers] = 0
    gain = np.log(_STEADY / (1 - _STEADY))
    for back in range(12, min(12 * _YEARS, fit.count - 24) + 1, 12):
        first = fit.count - back
        counted = ordinary[first : first + 12]
        if counted.sum() >= _COUNTED:
            gain += fit.steady.foresaw(first, counted) - fit.foresaw(first, counted)
    return float(np.clip(1 / (1 + np.exp(-gain)), *_STEADY_LIMITS))


def _normal(months: int, draws: int, line: str) -> Floats:
    """Standard normal numbers of a line, months x draws: in part those of every line, as what moves one
    line of a ward moves others, so that paths of lines can be added up."""
    own = stream(line, "month").standard_normal((months, draws))
    together: Floats = np.sqrt(_SHARED) * _every_line(months, draws) + np.sqrt(1 - _SHARED) * own
    return together


@lru_cache(maxsize=4)
def _every_line(months: int, draws: int) -> Floats:
    """What is drawn for every line alike: months x draws."""
    return stream("every line", "month").standard_normal((months, draws))


def _chances(held: Ints, seen: Ints, line: str, draws: int) -> Floats:
    """Draws of the chance of a receipt in each month of the calendar, pooled as far as they agree."""
    rng = stream(line, "chance")
    yes, no, size = _pools()
    log = (betaln(yes + held, no + seen - held) - size).sum(axis=1)
    which = rng.choice(len(log), draws, p=normalised(log))
    return rng.beta(yes[which] + held, no[which] + seen - held)


@cache
def _pools() -> tuple[Floats, Floats, Floats]:
    """Beta distributions of chances, from loose to close: their parameters, log of their beta function."""
    mean, size = (
        grid.ravel()[:, None]
        for grid in np.meshgrid(np.linspace(0.02, 0.98, 25), [1.0, 3.0, 10.0, 40.0, 400.0])
    )
    yes, no = mean * size, (1 - mean) * size
    return yes, no, betaln(yes, no)
