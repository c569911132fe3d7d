"""Small counts: how many events some months would have brought, from the same months of earlier years.

Counts of earlier years are Poisson with the same mean, or vary more than that: then quasi-Poisson, the
variance `dispersion` times the mean (McCullagh and Nelder, Generalized Linear Models, 1989, 9.2). The
unknown mean has the Jeffreys prior of a Poisson mean, so that a prediction is exact in the sense of
Bayes where there is no dispersion (a negative binomial), and is never without width.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

SHORTEST = 2  # earlier years without which nothing can be said
ALIKE = 16.0  # a year's factor varies by a quarter, 16^-1/2
_SEED = 28


def predictive(
    history: pd.Series,
    months: pd.PeriodIndex,
    *,
    so_far: pd.Series | None = None,
    draws: int = 4000,
    stream: int = 0,
) -> np.ndarray | None:
    """Draws of the count of `months` (of one calendar year, in order) had it been an ordinary year.

    `history`: counts by month (events, units; missing ones NaN), ordinary months only; the years that
    have all of the same months count. None where fewer than `SHORTEST` do. `so_far`: counts of the
    months before them in their year, which tell whether it is a year of many or of few: the year's
    factor has a Gamma prior of mean 1 and shape `ALIKE`. `stream` tells apart the draws of series
    whose sums are formed. Same input, same draws.
    """
    sums = earlier(history, months)
    if len(sums) < SHORTEST:
        return None
    rng = np.random.default_rng([_SEED, stream])
    spread = dispersion(history)
    years, total = len(sums), sums.sum()
    means = rng.gamma(total / spread + 0.5, spread / years, draws)
    if so_far is not None:
        usual = earlier(history, so_far.index).mean()
        means *= rng.gamma(ALIKE + so_far.sum() / spread, 1 / (ALIKE + usual / spread), draws)
    if spread > 1:
        means = rng.gamma(means / (spread - 1), spread - 1)
    return rng.poisson(means)


def earlier(history: pd.Series, months: pd.PeriodIndex) -> pd.Series:
    """The sum of the same months in each year of `history` that has them all, by year."""
    known = history.dropna()
    same = known[known.index.month.isin(months.month)]
    by_year = same.groupby(same.index.year)
    return by_year.sum()[by_year.size() == len(months)]


def dispersion(history: pd.Series) -> float:
    """Pearson's estimate of the variance over the mean around each calendar month's mean, at least 1."""
    known = history.dropna()
    months = known.index.month
    freedom = len(known) - months.nunique()
    if freedom <= 0:
        return 1.0
    means = known.groupby(months).transform("mean").to_numpy()
    ordinary = means > 0
    pearson = ((known.to_numpy() - means)[ordinary] ** 2 / means[ordinary]).sum()
    return max(1.0, float(pearson / freedom))
