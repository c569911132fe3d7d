"""Two classical models of the logs of a monthly series, their parameters integrated over.

- *local level*: a level that wanders, a season that changes, noise (Harvey 1989, ch. 2);
- *airline*: ARIMA (0,1,1)(0,1,1) of twelve months (Box and Jenkins 1976, ch. 9).

Differenced (over a year; the latter also over a month) each is a moving average of at most 13 months,
whose autocovariances are known for given parameters up to the scale. The Cholesky factor of such a
process has 14 bands, and its first rows do not depend on how many follow: made once for a grid of
parameters, it serves every series. A series is whitened at all points of the grid at once, which
gives their likelihood; paths go on from there, month by month. Same results as the Kalman filter with
a diffuse start.
"""

from __future__ import annotations

import itertools
from functools import cache
from typing import NamedTuple

import numpy as np

from wardlib.analysis.sampling import normalised, strata, stream
from wardlib.analysis.tables import Floats

_BACK = 13  # months back on which a month of the differenced series depends
_YEAR = 12
_FEWEST = 1.0, 0.05  # prior of the scale: worth one month, of this standard deviation
_ROWS = 120  # of the factor, made at once

# Standard deviations as multiples of the noise's: of the level's steps a month, of the season's.
# Parameters of the airline model: how much of a shock to the level, to the season does not stay.
_LEVEL = (0.03, 0.1, 0.3, 1.0, 3.0)
_SEASON = (0.01, 0.05, 0.2, 0.7)
_SHOCK = (0.1, 0.35, 0.6, 0.8, 0.92)
_SEASON_SHOCK = (0.2, 0.5, 0.75, 0.92)


class _Grid(NamedTuple):
    """Models of one kind: whether the yearly differences are differenced over a month, too, and the
    autocovariances for noise of variance 1 (points x lags 0 to `_BACK`)."""

    monthly: bool
    autocovariance: Floats


def _moving(*factors: Floats) -> Floats:
    """Autocovariances of the moving average whose polynomial is the product of `factors`."""
    made = np.ones(1)
    for factor in factors:
        made = np.convolve(made, factor)
    lags = np.correlate(made, made, "full")[len(made) - 1 :]
    return np.pad(lags, (0, _BACK + 1 - len(lags)))


@cache
def _grid(model: str) -> _Grid:
    """The grid of a model by its name."""
    month, whole = np.array([1.0, -1.0]), np.ones(_YEAR)
    year = np.r_[1.0, np.zeros(_YEAR - 1), -1.0]
    if model == "airline":
        points = [
            _moving(np.array([1.0, -shock]), np.r_[1.0, np.zeros(_YEAR - 1), -season])
            for shock, season in itertools.product(_SHOCK, _SEASON_SHOCK)
        ]
        return _Grid(True, np.array(points))
    parts = np.array([_moving(whole), _moving(month), _moving(year)])
    scales = np.array(list(itertools.product(_LEVEL, _SEASON, [1.0])))
    return _Grid(False, scales**2 @ parts)


@cache
def _factor(model: str, rows: int) -> Floats:
    """The first `rows` rows of the Cholesky factors: rows x points x bands, the oldest month first,
    zero before the first row."""
    lags = _grid(model).autocovariance
    made = np.zeros((rows + _BACK, len(lags), _BACK + 1))
    for row in range(rows):
        own = made[row + _BACK]
        for band in range(max(_BACK - row, 0), _BACK):
            other = made[row + band]  # the row of the month of this band
            common = np.einsum("kj,kj->k", own[:, :band], other[:, _BACK - band : _BACK])
            own[:, band] = (lags[:, _BACK - band] - common) / other[:, _BACK]
        own[:, _BACK] = np.sqrt(lags[:, 0] - (own[:, :_BACK] ** 2).sum(axis=1))
    return made[_BACK:]


def logs(model: str, history: Floats, horizon: int, draws: int, line: str) -> Floats:
    """Simulated logs of the `horizon` months after `history` (logs, no month missing, more than 13):
    months x draws. `model`: "local level" or "airline". A longer horizon leaves
    the months of a shorter one as they are."""
    grid = _grid(model)
    moved = history[_YEAR:] - history[:-_YEAR]
    if grid.monthly:
        moved = np.diff(moved)
    count = len(moved)
    factor = _factor(model, -(-(count + horizon) // _ROWS) * _ROWS)
    white = np.zeros((count + _BACK, factor.shape[1]))
    for row, value in enumerate(moved):
        bands = factor[row]
        known = np.einsum("kj,jk->k", bands[:, :_BACK], white[row : row + _BACK])
        white[row + _BACK] = (value - known) / bands[:, _BACK]
    worth, scale = _FEWEST
    squares = (white**2).sum(axis=0) + worth * scale**2
    freedom = count + worth
    log = -np.log(factor[:count, :, _BACK]).sum(axis=0) - freedom / 2 * np.log(squares)
    which = strata(normalised(log), draws)
    rng = stream(line, model)
    scales = np.sqrt(squares[which] / 2 / rng.standard_gamma(freedom / 2, draws))
    shocks = np.empty((_BACK + horizon, draws))
    shocks[:_BACK] = white[count:, which] / scales
    shocks[_BACK:] = rng.standard_normal((horizon, draws))
    made = np.empty((_BACK + horizon, draws))
    made[:_BACK] = history[-_BACK:, None]
    for month in range(horizon):
        bands = factor[count + month].T[:, which]
        step = scales * np.einsum("jd,jd->d", bands, shocks[month : month + _BACK + 1])
        made[month + _BACK] = step + made[month + 1]
        if grid.monthly:
            made[month + _BACK] += made[month + _BACK - 1] - made[month]
    return made[_BACK:]
