"""The logs of a monthly series as a level that wanders, a season that changes and noise.

The local level model with a stochastic season (Harvey, Forecasting, structural time series models and
the Kalman filter, 1989, ch. 2), its parameters integrated over: a level without growth of its own, so
that what is expected stays where it was.

Differenced over a year the series is a moving average of 12 months, whose autocovariances are known for
given parameters up to the scale. The Cholesky factor of such a process has 13 bands, and its first
rows do not depend on how many follow: made once for a grid of parameters, it serves every series. A
series is whitened at all points of the grid at once, which gives their likelihood; paths go on from
there, month by month. Same results as the Kalman filter with a diffuse start.
"""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np

from wardlib.analysis.sampling import log_mean, normalised, strata, stream
from wardlib.analysis.tables import Floats

_YEAR = 12
_ROWS = 120  # of the factor, made at once
_WORTH, _SCALE = 1.0, 0.05  # prior of the noise: worth one month, of this standard deviation
# Standard deviations of the level's steps and of the season's, a month, as multiples of the noise's.
_LEVEL = (0.03, 0.1, 0.3, 1.0, 3.0)
_SEASON = (0.01, 0.05, 0.2, 0.7)


@cache
def _autocovariances() -> Floats:
    """Of the yearly differences for noise of variance 1: points of the grid x lags 0 to 12."""

    def moving_average(polynomial: Floats) -> Floats:
        lags = np.correlate(polynomial, polynomial, "full")[len(polynomial) - 1 :]
        return np.pad(lags, (0, _YEAR + 1 - len(lags)))

    level = moving_average(np.ones(_YEAR))
    season = moving_average(np.array([1.0, -1.0]))
    noise = moving_average(np.r_[1.0, np.zeros(_YEAR - 1), -1.0])
    scales = np.array(list(itertools.product(_LEVEL, _SEASON, [1.0])))
    found: Floats = scales**2 @ np.array([level, season, noise])
    return found


@cache
def _factor(rows: int) -> Floats:
    """The first `rows` rows of the Cholesky factors: rows x points x bands, the oldest month first,
    zero before the first row."""
    lags = _autocovariances()
    made = np.zeros((rows + _YEAR, len(lags), _YEAR + 1))
    for row in range(rows):
        own = made[row + _YEAR]
        for band in range(max(_YEAR - row, 0), _YEAR):
            other = made[row + band]  # the row of the month of this band
            common = np.einsum("kj,kj->k", own[:, :band], other[:, _YEAR - band : _YEAR])
            own[:, band] = (lags[:, _YEAR - band] - common) / other[:, _YEAR]
        own[:, _YEAR] = np.sqrt(lags[:, 0] - (own[:, :_YEAR] ** 2).sum(axis=1))
    return made[_YEAR:]


class Level:
    """The model on the logs of one history: no month missing, more than 12."""

    def __init__(self, history: Floats):
        self.history = history
        yearly = history[_YEAR:] - history[:-_YEAR]
        self.count = len(yearly)
        factor = _factor(-(-self.count // _ROWS) * _ROWS)
        self.white = np.zeros((self.count + _YEAR, factor.shape[1]))
        for row, value in enumerate(yearly):
            bands = factor[row]
            known = np.einsum("kj,jk->k", bands[:, :_YEAR], self.white[row : row + _YEAR])
            self.white[row + _YEAR] = (value - known) / bands[:, _YEAR]
        self.squares = (self.white**2).sum(axis=0) + _WORTH * _SCALE**2
        self.freedom = self.count + _WORTH
        log = -np.log(factor[: self.count, :, _YEAR]).sum(axis=0)
        self.weights = normalised(log - self.freedom / 2 * np.log(self.squares))

    def foresaw(self, first: int, counted: Floats) -> float:
        """Log density of the mean log of twelve months of the history from place `first`, those
        `counted`, as foreseen by the months before them."""
        rows = np.arange(first - _YEAR, first)
        factor = _factor(-(-self.count // _ROWS) * _ROWS)[rows]
        within = np.zeros((factor.shape[1], _YEAR, _YEAR))  # the factor among these months
        for place in range(_YEAR):
            within[:, place, : place + 1] = factor[place, :, _YEAR - place :]
        loads = np.einsum("kij,i->kj", within, counted / counted.sum())
        error = np.einsum("kj,jk->k", loads, self.white[first : first + _YEAR])
        spread = np.sqrt(self.squares / self.freedom * (loads**2).sum(axis=1))
        return log_mean(self.weights, error, spread)

    def logs(self, normal: Floats, line: str) -> Floats:
        """Simulated logs of the months after the history from standard `normal` numbers, months x draws.
        More months leave the first ones as they are."""
        horizon, draws = normal.shape
        factor = _factor(-(-(self.count + horizon) // _ROWS) * _ROWS)
        which = strata(self.weights, draws)
        gamma = stream(line, "local level").standard_gamma(self.freedom / 2, draws)
        scales = np.sqrt(self.squares[which] / 2 / gamma)
        shocks = np.empty((_YEAR + horizon, draws))
        shocks[:_YEAR] = self.white[self.count :, which] / scales
        shocks[_YEAR:] = normal
        made = np.empty((_YEAR + horizon, draws))
        made[:_YEAR] = self.history[-_YEAR:, None]
        for month in range(horizon):
            bands = factor[self.count + month].T[:, which]
            step = np.einsum("jd,jd->d", bands, shocks[month : month + _YEAR + 1])
            made[month + _YEAR] = made[month] + scales * step
        return made[_YEAR:]
