"""Real monthly series in which nothing is known to have happened, for choosing and for reporting.

Each series came with a package that has an open licence (`data/**/sources.csv`). They are split once,
by families (the same statistic in other places is one family), and not by looking:

- what version 0.1 was tuned on, Philadelphia's taxes among it, is for choosing, and so are the families
  that continue one of it (`KIN`);
- the other families, in the order of the SHA-256 of their names, take turns: reporting, choosing, ...;
  those of which a series has many zeros among themselves, so that either half has its part of them.

A window is twelve months that follow on at least `SHORTEST` and at most `LONGEST` months of history,
all of them known: all that fit, one after the other, counted back from the last usable month. Windows
whose months bring nothing at all are left out, as scores are in per cent of what came.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

DATA = Path(__file__).resolve().parent / "data"
ROOT = DATA.parents[2]
SHORTEST, LONGEST = 24, 84
MANY_ZEROS = 0.15  # share of months without anything from which a series has many zeros
KIN = {
    "deaths_brazil", "employees_us", "employees_us_industry", "home_listings", "home_sales",
    "home_value", "road_gb", "us_goods_trade", "wine",
}  # fmt: skip
TAXES = (
    "real_estate", "wage", "earnings", "net_profits", "birt", "sales", "amusement", "tobacco",
    "parking", "real_estate_transfer",
)  # fmt: skip
CHOOSING, REPORTING = "choosing", "reporting"


class Window(NamedTuple):
    """Twelve months of a series, and the history before them."""

    series: str
    half: str
    many_zeros: bool
    history: pd.Series
    after: pd.Series


def halves() -> dict[str, str]:
    """By family, which half it is for."""
    many_zeros: dict[str, bool] = {}
    for folder in ("pypi", "debian"):
        empty = (
            pd.read_csv(DATA / folder / "monthly.csv")
            .groupby("series")["value"]
            .agg(lambda values: (values <= 0).mean() > MANY_ZEROS)
        )
        for family, own in empty.groupby(_sources(folder)["family"]):
            many_zeros[family] = many_zeros.get(family, False) or bool(own.any())
    taken = dict.fromkeys(KIN, CHOOSING)
    for kind in (False, True):
        turns = [name for name in many_zeros if name not in KIN and many_zeros[name] == kind]
        turns.sort(key=lambda name: hashlib.sha256(name.encode()).hexdigest())
        taken |= {name: (REPORTING, CHOOSING)[turn % 2] for turn, name in enumerate(turns)}
    return taken


def _sources(folder: str) -> pd.DataFrame:
    return pd.read_csv(DATA / folder / "sources.csv").set_index("series")


def _tables() -> dict[str, tuple[str, pd.Series]]:
    """By name, the half of each series and its months up to the last usable one."""
    half_of, found = halves(), {}
    for folder in (".", "pypi", "debian"):
        sources = _sources(folder)
        for name, group in pd.read_csv(DATA / folder / "monthly.csv").groupby("series"):
            months = pd.PeriodIndex(group["month"], freq="M")
            series = pd.Series(group["value"].to_numpy(float), months)
            series = series.reindex(pd.period_range(months[0], months[-1], freq="M"))
            half = CHOOSING if folder == "." else half_of[sources.at[name, "family"]]
            found[str(name)] = half, series[: pd.Period(sources.at[name, "usable_last"], "M")]
    taxes = philadelphia()
    return found | {f"phl_{tax}": (CHOOSING, taxes[tax][:"2019-12"]) for tax in TAXES}


def philadelphia() -> pd.DataFrame:
    """What Philadelphia's taxes brought: months x taxes."""
    path = ROOT / "data" / "philadelphia" / "receipts.csv"
    table = pd.read_csv(path).pivot(index="month", columns="line", values="collected")
    return table.set_index(pd.PeriodIndex(table.index, freq="M")).astype(float)


def windows() -> list[Window]:
    """All windows, series by series."""
    found = []
    for name, (half, series) in sorted(_tables().items()):
        many_zeros = bool((series <= 0).mean() > MANY_ZEROS)
        start = series.index[-1] - 11
        while start - SHORTEST >= series.index[0]:
            history, after = series[start - LONGEST : start - 1], series[start : start + 11]
            if history.notna().all() and after.notna().all() and after.sum() > 0:
                found.append(Window(name, half, many_zeros, history, after))
            start -= 12
    return found


def clustered(held: pd.Series, series: pd.Series) -> tuple[float, float]:
    """Mean of what windows hold, and its standard error where windows of a series go together."""
    mean = held.mean()
    rest = (held - mean).groupby(series.to_numpy()).sum()
    return float(mean), float(np.sqrt((rest**2).sum()) / len(held))
