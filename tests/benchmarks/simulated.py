"""Simulated monthly series like a ward's, with known truth: what a month would have been is known.

`draw(kind, seed, effect=...)` gives one `Case`: 48 months before (24 for "short history") and 24
after. Sizes, noise and breaks are drawn anew for each seed; nothing in `wardlib.analysis` knows them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

FIRST, START, HORIZON = pd.Period("2016-03", "M"), pd.Period("2020-03", "M"), 24
# First day of the lunar year (data/reference/tet.csv; 2022 is inside the horizon).
TET = pd.DatetimeIndex(
    ["2016-02-08", "2017-01-28", "2018-02-16", "2019-02-05", "2020-01-25", "2021-02-12",
     "2022-02-01"]
)  # fmt: skip
APPLIED = (0.2, 0.8)  # share of payers who put payment off, of the kind "pure deferral"
PHASES = {"spring": (0, 3), "summer": (5, 6), "second year": (14, 19)}  # months, both inclusive


@dataclass(frozen=True)
class Case:
    """One series: `history` before, `no_effect` and `observed` after, by month.

    `planned` (bounded counts alone) has the days planned in all months, before and after.
    """

    history: pd.Series
    no_effect: pd.Series
    observed: pd.Series
    planned: pd.Series | None = None


def _months(kind: str) -> pd.PeriodIndex:
    first = START - 24 if kind == "short history" else FIRST
    return pd.period_range(first, START + HORIZON - 1, freq="M", name="month")


def _tet_share(months: pd.PeriodIndex, before: int, after: int) -> np.ndarray:
    """Share of the window around Tết (days, inclusive) that falls in each month."""
    days = np.concatenate([pd.date_range(d - pd.Timedelta(days=before), periods=before + after + 1)
                           for d in TET])  # fmt: skip
    counts = pd.DatetimeIndex(days).to_period("M").value_counts().reindex(months, fill_value=0)
    return counts.to_numpy() / (before + after + 1)


def _season(rng: np.random.Generator, months: pd.PeriodIndex, sd: float) -> np.ndarray:
    return rng.normal(0, sd, 12)[months.month - 1]


def _trend(rng: np.random.Generator, size: int) -> np.ndarray:
    return rng.normal(0.05, 0.05) * np.arange(size) / 12


def _ar(rng: np.random.Generator, size: int, rho: float, sd: float) -> np.ndarray:
    shocks, path = rng.normal(0, sd, size), np.empty(size)
    path[0] = shocks[0]
    for i in range(1, size):
        path[i] = rho * path[i - 1] + np.sqrt(1 - rho**2) * shocks[i]
    return path


def _smooth(rng: np.random.Generator, months: pd.PeriodIndex) -> np.ndarray:
    noise = rng.uniform(0.05, 0.15)
    log = _trend(rng, len(months)) + _season(rng, months, rng.uniform(0.1, 0.4))
    return np.exp(log + rng.normal(0, noise, len(months)))


def _tet(rng: np.random.Generator, months: pd.PeriodIndex) -> np.ndarray:
    during, before = _tet_share(months, 7, 6), _tet_share(months, 28, -8)
    dip, rise = rng.uniform(0.4, 0.9), rng.uniform(0.1, 0.4)
    return _smooth(rng, months) * np.exp(rise * before - dip * during)


def _due_date(rng: np.random.Generator, months: pd.PeriodIndex) -> np.ndarray:
    """A year's amount, nearly all of it around one or two due months; the split varies."""
    shape = rng.uniform(0.5, 1.5, 12)
    for due in rng.choice(12, rng.integers(1, 3), replace=False):
        shape[due] += rng.uniform(25, 60)
        shape[(due - 1) % 12] += rng.uniform(2, 8)
        shape[(due + 1) % 12] += rng.uniform(3, 12)
    shape /= shape.sum()
    concentration = rng.uniform(100, 400)
    years = months.year - months.year[0]
    amount = np.exp(
        rng.normal(0.04, 0.03) * years + rng.normal(0, rng.uniform(0.03, 0.10), 10)[years]
    )
    shares = np.array([rng.dirichlet(concentration * shape) for _ in range(10)])
    return 12 * amount * shares[years, months.month - 1]


def _past_break(rng: np.random.Generator, months: pd.PeriodIndex) -> np.ndarray:
    at = rng.integers(10, 39)
    since = np.maximum(np.arange(len(months)) - at, 0)
    step = rng.choice([-1, 1]) * rng.uniform(0.15, 0.5) * (since > 0)
    return _smooth(rng, months) * np.exp(step + rng.normal(0, 0.06) * since / 12)


def _zeros(rng: np.random.Generator, months: pd.PeriodIndex) -> np.ndarray:
    chance = rng.uniform(0.3, 0.7)
    amounts = np.exp(_trend(rng, len(months)) + rng.normal(0, rng.uniform(0.3, 0.7), len(months)))
    return amounts * (rng.random(len(months)) < chance)


def _outliers(rng: np.random.Generator, months: pd.PeriodIndex) -> np.ndarray:
    hit = rng.random(len(months)) < rng.uniform(0.03, 0.08)
    return _smooth(rng, months) * np.exp(hit * rng.normal(0, 0.6, len(months)))


def _autocorrelated(rng: np.random.Generator, months: pd.PeriodIndex) -> np.ndarray:
    log = _trend(rng, len(months)) + _season(rng, months, rng.uniform(0.1, 0.3))
    return np.exp(log + _ar(rng, len(months), rng.uniform(0.5, 0.85), rng.uniform(0.08, 0.2)))


def _drift(rng: np.random.Generator, months: pd.PeriodIndex) -> np.ndarray:
    steps = rng.normal(0, rng.uniform(0.015, 0.04), len(months))
    return _smooth(rng, months) * np.exp(np.cumsum(steps))


def _mixed(rng: np.random.Generator, months: pd.PeriodIndex) -> np.ndarray:
    size = len(months)
    log = _trend(rng, size) + _season(rng, months, rng.uniform(0.1, 0.5))
    log -= rng.uniform(0, 0.6) * _tet_share(months, 7, 6)
    log += _ar(rng, size, rng.uniform(0.2, 0.7), rng.uniform(0.05, 0.15))
    log += np.cumsum(rng.normal(0, rng.uniform(0, 0.02), size))
    log += (
        rng.choice([-1, 0, 1]) * rng.uniform(0.1, 0.3) * (np.arange(size) >= rng.integers(10, 39))
    )
    log += (rng.random(size) < 0.03) * rng.normal(0, 0.5, size)
    occurs = rng.random(size) >= rng.choice([0, 0.05])
    return np.exp(log) * occurs


RECEIPTS: dict[str, Callable[[np.random.Generator, pd.PeriodIndex], np.ndarray]] = {
    "smooth": _smooth,
    "moving Tet": _tet,
    "due-date lump": _due_date,
    "past break": _past_break,
    "many zeros": _zeros,
    "pure deferral": _smooth,
    "outliers": _outliers,
    "short history": _smooth,
    "autocorrelated": _autocorrelated,
    "drifting level": _drift,
    "mixed": _mixed,
}
KINDS = (*RECEIPTS, "school days")


def _share_lost(rng: np.random.Generator) -> np.ndarray:
    """Share of each month lost: three phases, the first the deepest."""
    lost = np.zeros(HORIZON)
    for (first, last), (low, high) in zip(
        PHASES.values(), ((0.3, 0.8), (0.1, 0.4), (0.2, 0.6)), strict=True
    ):
        lost[first : last + 1] = rng.uniform(low, high, last - first + 1)
    return lost


def draw(kind: str, seed: int, effect: bool) -> Case:
    """One series of a kind; the same seed gives the same one with and without effect."""
    rng = np.random.default_rng([KINDS.index(kind), seed])
    months = _months(kind)
    planned = None
    if kind == "school days":
        planned = pd.Series(rng.choice([18, 20, 21, 22, 23], len(months)), months)
        planned[months.month.isin([6, 7])] = rng.choice([0, 5])
        spread = rng.uniform(20, 200)
        mean = np.clip(
            rng.uniform(0.85, 0.98) + rng.normal(0, 0.02, 12)[months.month - 1], 0, 0.995
        )
        amounts = rng.binomial(planned, rng.beta(spread * mean, spread * (1 - mean))).astype(float)
    else:
        amounts = 10 ** rng.uniform(0.5, 3.5) * RECEIPTS[kind](rng, months)
    series = pd.Series(amounts, months)
    history, no_effect = series[: START - 1], series[START:]
    lost = _share_lost(rng) * effect
    if kind == "pure deferral":  # a share of the payers puts four months off to the year's end
        applied = rng.uniform(*APPLIED) * effect
        moved = no_effect * applied * (np.arange(HORIZON) < 4)
        observed = no_effect - moved
        observed.iloc[[8, 9]] += moved.sum() / 2
    elif planned is not None:
        observed = (no_effect * (1 - lost)).round()
    else:
        observed = no_effect * (1 - lost)
    return Case(history, no_effect, observed, planned)
