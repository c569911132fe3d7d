"""Validate the estimate of a district's wards together, beside each ward alone; print its tables.

    python tests/benchmarks/districts.py [--cases 40] [--kinds KIND ...]

Districts of 14 wards, 48 or 84 months before the start and 24 after, of which it is known what they
would have been. Seeds from 1,000,000 on are for reporting; the method was tuned on seeds from 10,000.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # CPU times are those of one thread
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from report import markdown

from wardlib.analysis import counterfactual, districts

WARDS, HORIZON = 14, 24
START = pd.Period("2020-03", "M")
TET = pd.DatetimeIndex(
    ["2013-02-10", "2014-01-31", "2015-02-19", "2016-02-08", "2017-01-28", "2018-02-16",
     "2019-02-05", "2020-01-25", "2021-02-12", "2022-02-01"]
)  # fmt: skip
FIRST_SEED = 1_000_000
LOST, LOST_MONTHS = 0.3, 3  # of a share of the first months
TAIL = (1 - counterfactual.LEVEL) / 2
SHORT = {"24 months in some": 24, "12 months in some": 12}  # of the wards with little history
KINDS = (
    "alike", "alike, drifting together", "break common to all", "loosely alike", "unlike",
    "with gaps", "24 months in some", "12 months in some", "one ward apart",
    "one ward with a break",
)  # fmt: skip
_OWN = {  # sd of what is a ward's own: season, growth a year, drift a month, share of Tết
    "loosely alike": (0.10, 0.03, 0.012, 0.3),
    "unlike": (0.30, 0.05, 0.02, 0.3),
}
_LITTLE = (0.03, 0.01, 0.003, 0.1)


def _around(months: pd.PeriodIndex, first: int, last: int) -> np.ndarray:
    """Share of the days `first` to `last` (both inclusive) from Tết that falls in each month."""
    days = (TET.to_numpy()[:, None] + np.arange(first, last + 1) * np.timedelta64(1, "D")).ravel()
    counts = pd.DatetimeIndex(days).to_period("M").value_counts().reindex(months, fill_value=0)
    return counts.to_numpy() / (last - first + 1)


def _common(rng: np.random.Generator, months: pd.PeriodIndex, drift: float) -> np.ndarray:
    """Season, growth, Tết, shocks that last a little, and a drift (sd a month): logs by month."""
    size = len(months)
    rho, sd = rng.uniform(0.0, 0.6), rng.uniform(0.02, 0.08)
    shocks, swing = rng.normal(0, sd, size), np.empty(size)
    swing[0] = shocks[0]
    for t in range(1, size):
        swing[t] = rho * swing[t - 1] + np.sqrt(1 - rho**2) * shocks[t]
    return (
        rng.normal(0.05, 0.05) * np.arange(size) / 12
        + rng.normal(0, rng.uniform(0.1, 0.4), 12)[months.month - 1]
        + rng.uniform(0, 0.3) * _around(months, -28, -8)
        - rng.uniform(0.1, 0.6) * _around(months, -7, 6)
        + swing
        + np.cumsum(rng.normal(0, drift, size))
    )


def _own(rng: np.random.Generator, months: pd.PeriodIndex, sds: tuple[float, ...]) -> np.ndarray:
    season, growth, drift, tet = sds
    size = len(months)
    return (
        rng.normal(0, 1)
        + rng.normal(0, growth) * np.arange(size) / 12
        + rng.normal(0, season, 12)[months.month - 1]
        - rng.normal(0, tet) * _around(months, -7, 6)
        + np.cumsum(rng.normal(0, drift, size))
        + rng.normal(0, rng.uniform(0.05, 0.15), size)
    )


def draw(kind: str, seed: int) -> pd.DataFrame:
    """What a district's wards (columns) bring by month without an effect; NaN in gaps."""
    rng = np.random.default_rng([KINDS.index(kind), seed])
    before = 84 if seed % 2 or kind in SHORT else 48
    months = pd.period_range(START - before, START + HORIZON - 1, freq="M", name="month")
    drift = rng.uniform(0.01, 0.03) * (kind == "alike, drifting together")
    common = _common(rng, months, drift) * (kind != "unlike")
    logs = np.column_stack(
        [common + _own(rng, months, _OWN.get(kind, _LITTLE)) for _ in range(WARDS)]
    )
    time_ = np.arange(len(months))
    sign = rng.choice([-1, 1])
    if kind == "break common to all":
        logs += (sign * rng.uniform(0.15, 0.5) * (time_ >= rng.integers(10, before - 9)))[:, None]
    elif kind == "one ward with a break":
        logs[:, 0] += sign * rng.uniform(0.2, 0.5) * (time_ >= rng.integers(10, before - 9))
    elif kind == "one ward apart":
        logs[:, 0] += _own(rng, months, _OWN["unlike"]) - common
    amounts = 10 ** rng.uniform(1, 3) * np.exp(logs)
    if kind == "with gaps":
        amounts[:before][rng.random((before, WARDS)) < 0.06] = np.nan
        for ward in range(4):  # and a run of months, as of a lost ledger
            at = rng.integers(0, before - 8)
            amounts[at : at + 8, ward] = np.nan
    elif kind in SHORT:
        amounts[: before - SHORT[kind], :5] = np.nan
    return pd.DataFrame(amounts, months, [f"ward {n + 1:02d}" for n in range(WARDS)])


def alone(table: pd.DataFrame, start: pd.Period, draws: int) -> dict[str, counterfactual.Impact]:
    """Each ward by itself."""
    return counterfactual.estimate_all(table, start=start, tet=tuple(TET), draws=draws)


def together(table: pd.DataFrame, start: pd.Period, draws: int) -> dict[str, counterfactual.Impact]:
    """All wards at once."""
    return districts.estimate_district(
        table, start=start, tet=tuple(TET), draws=draws, line="simulated"
    )


METHODS = {"alone": alone, "together": together}


def _judged(paths: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Coverage and interval score (Gneiting and Raftery 2007; per cent of the truth) of the totals of
    12 and of all months, and whether a loss in the first months is found."""
    if np.isnan(paths).any():
        return {}
    found: dict[str, float] = {}
    for months in (12, HORIZON):
        sums, true = paths[:, :months].sum(axis=1), truth[:months].sum()
        low, high = np.quantile(sums, (TAIL, 1 - TAIL))
        outside = max(low - true, 0) + max(true - high, 0)
        found[f"coverage {months}"] = float(low <= true <= high)
        found[f"score {months}"] = 100 * (high - low + outside / TAIL) / true
        found[f"width {months}"] = 100 * (high - low) / true
    first = paths[:, :LOST_MONTHS].sum(axis=1)
    left = (1 - LOST) * truth[:LOST_MONTHS].sum()
    found["loss found"] = float(left < np.quantile(first, TAIL))
    return found


def special(kind: str) -> slice:
    """The wards of a kind that are told apart in the table; empty where none."""
    if kind in SHORT:
        return slice(0, 5)
    return slice(0, int(kind.startswith("one ward")))


def effective(table: pd.DataFrame) -> np.ndarray:
    """How many equally good points of the hyper-parameters a ward's points are worth, by ward."""
    history = table.loc[: START - 1]
    logs = np.log(history.to_numpy())
    model = districts._Deviations(logs - np.nanmedian(logs, axis=0), history.index[0], tuple(TET))
    model.weigh()
    scales = len(districts._SCALES)
    by_point = model.weights.reshape(len(model.weights), -1, scales).sum(axis=2)
    return 1 / (by_point**2).sum(axis=1)


def run_kind(kind: str, cases: int, first_seed: int = FIRST_SEED) -> pd.DataFrame:
    """One row for each method, case and unit: each ward, and `sum`, the whole district."""
    rows = []
    for seed in range(first_seed, first_seed + cases):
        table = draw(kind, seed)
        truth = table.loc[START:].to_numpy()
        set_apart = set(table.columns[special(kind)])
        for name, method in METHODS.items():
            began = time.process_time()
            found = method(table, START, 2000)
            spent = 1000 * (time.process_time() - began) / WARDS
            for ward, true in zip(table, truth.T, strict=True):
                unit = "apart" if ward in set_apart else "wards"
                rows.append({"method": name, "case": seed, "unit": unit, "CPU ms": spent,
                             "model": found[ward].model,
                             **_judged(found[ward].paths, true)})  # fmt: skip
            whole = np.sum([one.paths for one in found.values()], axis=0)
            rows.append(
                {"method": name, "case": seed, "unit": "sum", **_judged(whole, truth.sum(axis=1))}
            )
    return pd.DataFrame(rows)


def district_part(options: argparse.Namespace) -> None:
    """Part `districts`."""
    out, points = {}, {}
    given = vars(options)  # those of another script's parser may not name kinds and seed
    first_seed = given.get("first_seed", FIRST_SEED)
    for kind in given.get("kinds") or KINDS:
        found = run_kind(kind, options.cases, first_seed)
        for unit, rows in found.groupby("unit", sort=False):
            means = rows.groupby("method", sort=False).mean(numeric_only=True)
            row = {}
            for months in (12, HORIZON):
                for name, mean in means.iterrows():
                    row[f"coverage {months}, {name}"] = mean[f"coverage {months}"]
                for name, mean in means.iterrows():
                    row[f"score {months}, {name}"] = mean[f"score {months}"]
                score = means[f"score {months}"]
                row[f"ratio {months}"] = score["together"] / score["alone"]
            by_case = rows.groupby(["method", "case"])[f"score {HORIZON}"].mean().map(np.log)
            logs = by_case.groupby("method").mean()
            row[f"ratio {HORIZON}, geometric"] = np.exp(logs["together"] - logs["alone"])
            row |= {f"loss found, {name}": mean["loss found"] for name, mean in means.iterrows()}
            row |= {f"CPU ms, {name}": mean["CPU ms"] for name, mean in means.iterrows()}
            out[f"{kind}: {unit}"] = row
            said = {name: round(value, 3) for name, value in row.items()}
            print(f"{kind}, {unit}: {said}", file=sys.stderr, flush=True)
        some = range(first_seed, first_seed + min(options.cases, 10))
        number = np.concatenate([effective(draw(kind, seed)) for seed in some])
        points[kind] = dict(zip(("least", "a tenth of wards below", "median"),
                                np.quantile(number, (0, 0.1, 0.5)), strict=True))  # fmt: skip
    table = pd.DataFrame(out).T.rename_axis("kind: unit")
    decimals = {column: 2 for column in table} | {c: 3 for c in table if c.startswith("coverage")}
    decimals |= {c: 1 for c in table if c.startswith(("score", "CPU"))}
    print(
        f"{options.cases} districts of {WARDS} wards a kind; `apart`: the wards that the kind sets"
        " apart; `sum`: the whole district, the wards' paths added one by one; score in per cent of"
        " the truth:\n"
    )
    print(markdown(table, decimals))
    print("\nEffective number of points of the hyper-parameters, by ward:\n")
    print(markdown(pd.DataFrame(points).T.rename_axis("kind"), {}))


def main() -> None:
    """Run the part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=40, help="districts a kind")
    parser.add_argument("--kinds", nargs="*", choices=KINDS, help="default: all")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    district_part(parser.parse_args())


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    main()
