"""Counts: how many events, or days held out of days planned, some months would have brought, from the
same months of earlier years.

Events of earlier years are Poisson with the same mean, or vary more than that: then quasi-Poisson, the
variance `dispersion` times the mean (McCullagh and Nelder, Generalized Linear Models, 1989, 9.2). The
unknown mean has the Jeffreys prior of a Poisson mean, so that a prediction is exact in the sense of
Bayes where there is no dispersion (a negative binomial), and is never without width.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.special import betaln  # type: ignore[import-untyped]  # SciPy ships no types

from wardlib.analysis.sampling import kept, normalised, repeated, stream
from wardlib.analysis.tables import Floats, Ints, months_of

SHORTEST = 2  # earlier years without which nothing can be said
ALIKE = 16.0  # a year's factor varies by a quarter, 16^-1/2


def predictive(
    history: pd.Series,
    months: pd.PeriodIndex,
    *,
    so_far: pd.Series | None = None,
    draws: int = 4000,
    name: str = "",
) -> Ints | None:
    """Draws of the count of `months` (of one calendar year, in order) had it been an ordinary year.

    `history`: counts by month (events, units; missing ones NaN), ordinary months only; the years that
    have all of the same months count. None where fewer than `SHORTEST` do. `so_far`: counts of the
    months before them in their year, which tell whether it is a year of many or of few: the year's
    factor has a Gamma prior of mean 1 and shape `ALIKE`. `name`: the series', which has draws of its
    own. Same input, same draws.
    """
    sums = earlier(history, months)
    if len(sums) < SHORTEST:
        return None
    rng = stream(name, "events")
    spread = dispersion(history)
    years, total = len(sums), sums.sum()
    means = rng.gamma(total / spread + 0.5, spread / years, draws)
    if so_far is not None:
        usual = earlier(history, months_of(so_far)).mean()
        means *= rng.gamma(ALIKE + so_far.sum() / spread, 1 / (ALIKE + usual / spread), draws)
    if spread > 1:
        means = rng.gamma(means / (spread - 1), spread - 1)
    return rng.poisson(means)


def earlier(history: pd.Series, months: pd.PeriodIndex) -> pd.Series:
    """The sum of the same months in each year of `history` that has them all, by year."""
    calendar = {month % 12 for month in months.asi8.tolist()}
    by_year: dict[int, list[float]] = {}
    for at, count in _known(history):
        if at % 12 in calendar:
            by_year.setdefault(1970 + at // 12, []).append(count)
    sums = {year: math.fsum(own) for year, own in by_year.items() if len(own) == len(months)}
    return pd.Series(sums, dtype=float)


def dispersion(history: pd.Series) -> float:
    """Pearson's estimate of the variance over the mean around each calendar month's mean, at least 1."""
    known = _known(history)
    by_month: dict[int, list[float]] = {}
    for at, count in known:
        by_month.setdefault(at % 12, []).append(count)
    freedom = len(known) - len(by_month)
    if freedom <= 0:
        return 1.0
    mean = {month: math.fsum(own) / len(own) for month, own in by_month.items()}
    ordinary = [(count, mean[at % 12]) for at, count in known if mean[at % 12] > 0]
    counted, means = np.array(ordinary, dtype=float).reshape(-1, 2).T
    pearson = ((counted - means) ** 2 / means).sum()
    return max(1.0, float(pearson / freedom))


def _known(history: pd.Series) -> list[tuple[int, float]]:
    """The months (as ordinals) that have a count, with it."""
    months = zip(months_of(history).asi8.tolist(), history.tolist(), strict=True)
    return [(at, count) for at, count in months if not math.isnan(count)]


def days_held(
    held: Floats, planned: Floats, months: pd.PeriodIndex, line: str, draws: int
) -> Floats:
    """Paths of days held out of days `planned` in those of `months` that come after `held`: draws x
    months. Beta-binomial, the mean by month of the calendar, pooled as far as they agree. `line`: whose
    random numbers they are made of.
    """
    count = len(held)
    known = np.isfinite(held) & (planned[:count] > 0)
    calendar = months.month.to_numpy() - 1
    # Most days that are planned are held: the nearer to all, the finer the rates, each with the
    # width that it stands for.
    even = (np.arange(90) + 0.5) / 90
    rates, widths = 1 - (1 - even) ** 2, (1 - even) / 45
    spreads = np.geomspace(4, 1000, 12)
    days, all_days = held[known][:, None, None], planned[:count][known][:, None, None]
    yes = spreads[:, None] * rates
    no = spreads[:, None] * (1 - rates)
    log = betaln(yes + days, no + all_days - days) - betaln(yes, no)  # months x spreads x rates
    by_month = np.array([log[calendar[:count][known] == m].sum(axis=0) for m in range(12)])
    centres, sizes = np.meshgrid(rates[2::6], [5.0, 20.0, 80.0, 400.0])
    alpha, beta = (centres * sizes).reshape(-1, 1), ((1 - centres) * sizes).reshape(-1, 1)
    prior = (alpha - 1) * np.log(rates) + (beta - 1) * np.log1p(-rates)  # cells x rates
    prior = np.exp(prior - prior.max(axis=1, keepdims=True)) * widths
    prior /= prior.sum(axis=1, keepdims=True)
    peak = by_month.max(axis=2, keepdims=True)
    likely = np.exp(by_month - peak)  # 12 x spreads x rates
    score = (np.log(likely @ prior.T) + peak).sum(axis=0)  # spreads x cells
    used, counts = kept(normalised(score.ravel()))
    which = repeated(counts, draws)
    spread, cell = np.divmod(used, len(prior))
    below = np.cumsum(likely[:, spread].transpose(1, 0, 2) * prior[cell][:, None], axis=2)
    below /= below[..., -1:]  # used x 12 x rates
    chosen = stream(line, "rates").random((draws, 12, 1))
    mean = rates[(below[which] < chosen).sum(axis=2)].T[calendar[count:]]  # months x draws
    size = spreads[spread][which]
    chance = stream(line, "chances").beta(size * mean, size * (1 - mean))
    days_planned = planned[count:].astype(int)[:, None]
    drawn = stream(line, "days").binomial(days_planned, chance).astype(float)
    return stream(line, "order").permutation(drawn.T)
