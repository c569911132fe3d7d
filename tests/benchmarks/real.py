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

`real_part` prints the tables of docs/method.md: every method on the same windows in the same run.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import peers
from report import markdown
from scores import clustered, geometric, winkler

from wardlib.analysis import counterfactual

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
OURS, SPOKEN = "wardlib", "wardlib, where it speaks"
DRAWS = 2000


class Window(NamedTuple):
    """Twelve months of a series, and the history before them."""

    series: str
    family: str
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


def _tables() -> dict[str, tuple[str, str, pd.Series]]:
    """By name, the family and half of each series, and its months up to the last usable one."""
    half_of, found = halves(), {}
    for folder in (".", "pypi", "debian"):
        sources = _sources(folder)
        for name, group in pd.read_csv(DATA / folder / "monthly.csv").groupby("series"):
            months = pd.PeriodIndex(group["month"], freq="M")
            series = pd.Series(group["value"].to_numpy(float), months)
            series = series.reindex(pd.period_range(months[0], months[-1], freq="M"))
            family = "" if folder == "." else sources.at[name, "family"]
            half = half_of.get(family, CHOOSING)
            found[str(name)] = (
                family,
                half,
                series[: pd.Period(sources.at[name, "usable_last"], "M")],
            )
    taxes = philadelphia()
    return found | {f"phl_{tax}": ("", CHOOSING, taxes[tax][:"2019-12"]) for tax in TAXES}


def philadelphia() -> pd.DataFrame:
    """What Philadelphia's taxes brought: months x taxes."""
    path = ROOT / "data" / "philadelphia" / "receipts.csv"
    table = pd.read_csv(path).pivot(index="month", columns="line", values="collected")
    return table.set_index(pd.PeriodIndex(table.index, freq="M")).astype(float)


def windows() -> list[Window]:
    """All windows, series by series."""
    found = []
    for name, (family, half, series) in sorted(_tables().items()):
        many_zeros = bool((series <= 0).mean() > MANY_ZEROS)
        start = series.index[-1] - 11
        while start - SHORTEST >= series.index[0]:
            history, after = series[start - LONGEST : start - 1], series[start : start + 11]
            if history.notna().all() and after.notna().all() and after.sum() > 0:
                found.append(Window(name, family, half, many_zeros, history, after))
            start -= 12
    return found


def ours(window: Window) -> counterfactual.Impact:
    """The estimate under test."""
    return counterfactual.estimate(
        pd.concat([window.history, window.after]), start=window.after.index[0], draws=DRAWS,
        line=window.series,
    )  # fmt: skip


def judged(slow: bool, numbered: tuple[int, Window]) -> list[dict[str, object]]:
    """What each method says of a window: a row a method. `slow`: the slow peers, too."""
    number, window = numbered
    truth = float(window.after.sum())
    estimate = ours(window)
    if not estimate.model:
        return []
    said = {OURS: estimate.paths.sum(axis=1)}
    names = [name for name in peers.available() if slow or name in peers.CHEAP]
    for name in names:
        history = window.history.to_numpy(float)
        made = peers.PEERS[name](history, window.history.index, len(window.after), DRAWS, number)
        said[name] = made.sum(axis=1)
    rows = []
    for name, sums in said.items():
        held, score = winkler(sums, truth)
        rows.append({"method": name, "held": held, "score": 100 * score / truth})
    if not estimate.placebo_failed:
        rows.append({**rows[0], "method": SPOKEN})
    return [window._asdict() | row for row in rows]


def summary(rows: pd.DataFrame, best: str | None) -> pd.DataFrame:
    """A row a method: windows, coverage and its error clustered by series, mean and geometric score;
    for our own rows both as ratios to those of the peer `best`."""
    found = {}
    for name, own in rows.groupby("method", sort=False):
        held, error = clustered(own["held"].astype(float), own["series"])
        found[name] = {
            "windows": len(own),
            "coverage": held,
            "+-": error,
            "score, mean": own["score"].mean(),
            "score, geometric by series": geometric(own.groupby("series")["score"].mean()),
        }
    table = pd.DataFrame(found).T.rename_axis("method")
    if best in table.index:
        for column in ("score, mean", "score, geometric by series"):
            table[f"{column}: ratio"] = table[column] / table.at[best, column]
    return table


def show(rows: pd.DataFrame, best: str | None, title: str) -> None:
    """Print a summary as Markdown."""
    decimals = {"coverage": 3, "+-": 3, "score, mean": 1, "score, geometric by series": 1,
                "score, mean: ratio": 2, "score, geometric by series: ratio": 2}  # fmt: skip
    series = rows["series"].nunique()
    print(f"\n{title} ({series} series):\n")
    print(markdown(summary(rows, best), decimals))


def real_part(options: argparse.Namespace) -> None:
    """Part `real`."""
    found = windows()
    with ProcessPoolExecutor() as pool:
        parts = pool.map(partial(judged, False), enumerate(found), chunksize=8)
        rows = pd.DataFrame([row for part in parts for row in part])
        print("windows done", file=sys.stderr, flush=True)
        newest = {window.series: window for window in found}
        few = [w for w in newest.values() if not w.many_zeros][:: options.slow_step]
        slow = [name for name in peers.available() if name in peers.SLOW]
        some = list(pool.map(partial(judged, True), enumerate(few))) if slow else []
    rows["many_zeros"] = rows["many_zeros"].astype(bool)
    choosing = rows[(rows["half"] == CHOOSING) & ~rows["many_zeros"]]
    scores = summary(choosing, None)["score, geometric by series"].drop([OURS, SPOKEN])
    best = str(scores.idxmin()) if len(scores) else None
    print(f"Best peer on the choosing series: {best}; ratios are to it.")
    for half in (CHOOSING, REPORTING):
        own = rows[rows["half"] == half]
        show(own[~own["many_zeros"]], best, f"### {half.capitalize()}: series without many zeros")
        show(own[own["many_zeros"]], best, f"### {half.capitalize()}: series with many zeros")
    every = rows[rows["method"] == OURS].groupby("half").size()
    spoken = rows[rows["method"] == SPOKEN].groupby("half").size()
    silent = ", ".join(f"{half} {1 - spoken[half] / every[half]:.3f}" for half in every.index)
    print(f"\nSilenced by the placebo: {silent}")
    if slow:
        table = pd.DataFrame([row for part in some for row in part])
        show(table, None, "### Slow peers: the newest window of some series, both halves")


def sums_part(options: argparse.Namespace) -> None:
    """Part `sums`: the sum of the lines of Philadelphia, and of the series of families for reporting,
    by the sums of their paths."""
    groups: dict[tuple[str, str, pd.Period], list[Window]] = {}
    for window in windows():
        name = "Philadelphia" if window.series.removeprefix("phl_") in TAXES else window.family
        if name and (window.half == REPORTING or name == "Philadelphia"):
            groups.setdefault((name, window.half, window.after.index[0]), []).append(window)
    rows = []
    for (name, half, _), lines in groups.items():
        if len(lines) < 4:
            continue
        estimates = [ours(window) for window in lines]
        sums = sum(one.paths.sum(axis=1) for one in estimates if one.model)
        truth = sum(
            float(w.after.sum()) for w, one in zip(lines, estimates, strict=True) if one.model
        )
        held, score = winkler(sums, truth)
        alone = [winkler(one.paths.sum(axis=1), float(w.after.sum()))[0]
                 for w, one in zip(lines, estimates, strict=True) if one.model]  # fmt: skip
        rows.append({"series": f"{name} ({half})", "held": held, "score": 100 * score / truth,
                     "lines": len(alone), "alone": np.mean(alone)})  # fmt: skip
    table = pd.DataFrame(rows)
    shown = table.groupby("series").agg(
        windows=("held", "size"), lines=("lines", "max"), coverage=("held", "mean"),
        alone=("alone", "mean"), score=("score", "mean"),
    )  # fmt: skip
    shown.loc["all"] = [
        len(table), np.nan, table["held"].mean(), table["alone"].mean(), table["score"].mean()
    ]  # fmt: skip
    shown = shown.rename(columns={"coverage": "coverage of the sum", "alone": "of the lines"})
    print(
        markdown(
            shown.rename_axis("lines of"), {"coverage of the sum": 3, "of the lines": 3, "score": 1}
        )
    )
