"""Validate the comparison of a district's wards and their sum on the illustrative district; print tables.

    python tests/benchmarks/district.py [--cases 100] [--first-seed 1] [--period 2020-9M ...]

Each case is `data/long-bien/make.py` for another seed, complete, with phường Phúc Đồng for that seed: 14
wards of which it is known what they would have collected and what they lost. `together` are the estimates
of `comparison.assess`; `alone` those of each ward's own page, whose intervals of the sum are made of paths
drawn for each ward by itself. Standard errors are over districts, as wards of a district share their luck.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from report import markdown

from wardlib.analysis import comparison, effects, funnel, receipts
from wardlib.analysis.comparison import Ward
from wardlib.analysis.epidemic import Epidemic
from wardlib.analysis.relief import Amount, Split
from wardlib.data.book import Book, open_book
from wardlib.periods import Period

DATA = Path(__file__).resolve().parents[2] / "data"
TAILS = (0.025, 0.975)
PHUC_DONG = "phuc-dong"


def script(name: str) -> ModuleType:
    """The script that makes the data of a folder."""
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), DATA / name / "make.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def district(
    made: ModuleType, seed: int
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """Of each ward the reports of its receipts, and its truth: a row a month and line, columns
    `no_effect`, `lost`, `deferred`, `returned`, `exempt`."""
    wards = made.make(seed, complete=True)
    reports = {ward: tables["receipts"] for ward, tables in wards.items()}
    truths = {ward: tables["truth"].set_index(["month", "line"]) for ward, tables in wards.items()}
    own = made.base.make(seed)
    truth = own["truth"].query("table == 'receipts'")
    reports[PHUC_DONG] = own["receipts"]
    truths[PHUC_DONG] = truth.pivot(index=["month", "item"], columns="measure", values="value")
    return reports, truths


def known(reports: pd.DataFrame, last: pd.Period) -> pd.DataFrame:
    """The newest figure of each line and month up to the last, whenever reported."""
    newest = reports.sort_values("reported_on", kind="stable")
    newest = newest.drop_duplicates(["month", "line"], keep="last")
    return newest[newest["month"] <= last]


def case(made: ModuleType, book: Book, period: Period, seed: int) -> list[dict[str, object]]:
    """One row a method and unit: each ward, and `sum`."""
    reports, truths = district(made, seed)
    lines = book.table("revenue_lines")
    epidemic = Epidemic.of(book.table("covid_phases"), book.ward.areas)
    wards = {
        ward: Ward(
            receipts.summarise(known(table, period.last), lines, None, period),
            book.table,
            epidemic,
            "VND",
        )
        for ward, table in reports.items()
    }
    began = time.process_time()
    together = comparison.assess(wards, book.table, epidemic, "VND")
    spent = time.process_time() - began
    first, last = together.spans[-1]
    rows: list[dict[str, object]] = []
    all_of = {"lost": 0.0, "cash": 0.0}

    def judged(method: str, unit: str, split: Split, truth: dict[str, float]) -> None:
        size = split.expected
        row: dict[str, object] = {"method": method, "seed": seed, "unit": unit, "CPU s": spent}
        for name, amount in (("cash", split.difference), ("lost", split.claim)):
            row[f"{name} held"] = float(amount.lower <= truth[name] <= amount.upper)
            row[f"{name} below"] = float(truth[name] < amount.lower)
            row[f"{name} width"] = 100 * (amount.upper - amount.lower) / size
            row[f"{name} error"] = 100 * (amount.mean - truth[name]) / size
        row["loss found"] = float(split.loss in ("lost", "overdue"))
        rows.append(row)

    alone: dict[str, effects.Effects] = {}
    for ward in wards:
        months = truths[ward].loc[first:last].sum()
        truth = {
            "lost": months["lost"],
            "cash": months[["lost", "deferred", "exempt"]].sum() - months["returned"],
        }
        all_of = {name: all_of[name] + truth[name] for name in all_of}
        own = together.wards[ward]
        judged("together", ward, own.by_line[own.root], truth)
        alone[ward] = effects.assess(wards[ward].receipts, book.table, epidemic)
        judged("alone", ward, alone[ward].by_line[own.root], truth)
    whole = together.whole()
    assert whole is not None  # the wards are complete
    judged("together", "sum", whole, all_of)
    judged("alone", "sum", _as_if_independent(alone, whole), all_of)
    compared = together.compared(first, last)
    found = funnel.find(compared["size"], compared["ratio"], compared["error"])
    others = [ward for ward in found.outside if ward != made.STANDS_OUT]
    rows.append(
        {
            "method": "funnel",
            "seed": seed,
            "unit": "funnel",
            "found": float(made.STANDS_OUT in found.outside),
            "others": float(len(others) > 0),
            "spread": found.spread,
        }
    )
    rest = compared.drop(made.STANDS_OUT)
    rest = funnel.find(rest["size"], rest["ratio"], rest["error"])
    rows[-1]["without it"] = float(len(rest.outside) > 0)
    return rows


def _as_if_independent(alone: dict[str, effects.Effects], whole: Split) -> Split:
    """The sum of the wards' own estimates, their paths put in an order of chance so that no ward's belong
    to another's: `whole` with that difference, whatever else is in it."""
    sums = 0.0
    for place, own in enumerate(alone.values()):
        impact = own.ledgers[own.root].impact
        within = impact.months.slice_indexer(whole.first, whole.last)
        missing = (impact.paths - impact.collected)[:, within].sum(axis=1)
        sums = sums + np.random.default_rng(place).permutation(missing)
    low, high = np.quantile(sums, TAILS)
    return replace(whole, difference=Amount(float(sums.mean()), float(low), float(high)))


def rate(rows: pd.DataFrame, name: str) -> tuple[float, float]:
    """The mean over all rows, and its standard error over districts."""
    by_seed = rows.groupby("seed")[name].mean()
    return float(by_seed.mean()), float(by_seed.std() / np.sqrt(len(by_seed)))


def tables(found: pd.DataFrame, stands_out: str) -> None:
    """Print what was found."""
    plain = found[found["method"] != "funnel"]
    groups = {"each ward": plain["unit"] != "sum", "sum": plain["unit"] == "sum"}
    out = {}
    for title, chosen in groups.items():
        for method, rows in plain[chosen].groupby("method", sort=False):
            row = {}
            for name in ("cash", "lost"):
                if (title, method, name) == ("sum", "alone", "lost"):
                    continue  # no ledger of the sum without joint paths
                row[f"{name}: inside"], row[f"{name}: its s.e."] = rate(rows, f"{name} held")
                row[f"{name}: truth below"], _ = rate(rows, f"{name} below")
                row[f"{name}: width, %"], _ = rate(rows, f"{name} width")
                row[f"{name}: error, %"], _ = rate(rows, f"{name} error")
            if (title, method) != ("sum", "alone"):
                row["loss shown"], _ = rate(rows, "loss found")
            out[f"{title}, {method}"] = row
    table = pd.DataFrame(out).T
    print(markdown(table.rename_axis("unit, method"), {c: 1 if "%" in c else 3 for c in table}))
    by_ward = plain[groups["each ward"]].groupby(["unit", "method"], sort=False)
    wide = by_ward[["cash held", "lost held", "cash width", "cash error"]].mean().unstack()
    wide.columns = [f"{name}, {method}" for name, method in wide.columns]
    print()
    print(markdown(wide.rename_axis("ward"), {c: 1 if "held" not in c else 3 for c in wide}))
    own = found[found["method"] == "funnel"].astype({"found": float})
    print(f"\nThe funnel finds {stands_out} in {rate(own, 'found')[0]:.3f} of the districts (s.e. "
          f"{rate(own, 'found')[1]:.3f}), any other in {rate(own, 'others')[0]:.3f} (s.e. "
          f"{rate(own, 'others')[1]:.3f}); without {stands_out} it finds one in "
          f"{rate(own, 'without it')[0]:.3f} (s.e. {rate(own, 'without it')[1]:.3f}). Spread between wards:"
          f" {own['spread'].median():.1%} in the median district.")  # fmt: skip
    print(f"CPU of an assessment: {plain['CPU s'].mean():.1f} s a district.\n", flush=True)


def main() -> None:
    """Run the cases of each period and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--period", nargs="+", default=["2020-9M", "2020", "2021"])
    options = parser.parse_args()
    made = script("long-bien")
    for text in options.period:
        period = Period.parse(text)
        book = open_book(PHUC_DONG, text, "")
        rows: list[dict[str, object]] = []
        for seed in range(options.first_seed, options.first_seed + options.cases):
            rows += case(made, book, period, seed)
            print(text, seed, file=sys.stderr, flush=True)
        print(f"## {text}: {options.cases} districts of 14 wards\n")
        tables(pd.DataFrame(rows), made.STANDS_OUT)


if __name__ == "__main__":
    main()
