"""The shortfall of activities where it is known: the illustrative ward, many seeds; print docs/method.md's table.

    python tests/benchmarks/activities.py [SEEDS]

For each seed (from 1,000,000 on) the ward's activities are made anew with a planted shortfall, and the
interval of each field and period is held against it. Days lost are held against truth.csv too: they are
counted, not estimated, so none may differ.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from impact import FIRST_SEED
from report import markdown

from wardlib.analysis import activities, schools
from wardlib.analysis.epidemic import Epidemic
from wardlib.data import descriptors
from wardlib.data.book import Book
from wardlib.periods import Period

PERIODS = ("2020-02", "2020-Q1", "2020-9M", "2020", "2021-Q3", "2021")
SEEDS = 200
MAKE = Path(__file__).resolve().parents[2] / "data" / "phuc-dong" / "make.py"


def maker() -> object:
    """The ward's data script as a module."""
    spec = importlib.util.spec_from_file_location("phuc_dong_make", MAKE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def shortfalls(seeds: int) -> pd.DataFrame:
    """One row a seed, period and field: whether the planted shortfall is inside, and the width."""
    make, ward = maker(), descriptors.ward("phuc-dong")
    book = Book(ward, Period.parse("2021"), None)
    epidemic = Epidemic.of(book.table("covid_phases"), book.ward.areas)
    rows = []
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        rng = np.random.default_rng(seed).spawn(4)[2]
        table, truth = make.make_activities(rng)
        for name in PERIODS:
            period = Period.parse(name)
            given = {"activities": table[table["month"] <= period.last]}
            found = activities.assess(period, given.get, epidemic).rows.loc["period"]
            lost = truth["lost"].loc[period.first : period.last].sum()
            lost[activities.TOTAL] = lost.sum()
            for field, row in found.iterrows():
                rows.append(
                    {
                        "period": name,
                        "field": field,
                        "inside": row["shortfall_lower"] <= lost[field] <= row["shortfall_upper"],
                        "error": row["shortfall"] - lost[field],
                    }
                )
    return pd.DataFrame(rows)


def days_differ() -> int:
    """Level-periods whose days lost differ from those planted."""
    differ = 0
    for name in PERIODS:
        book = Book(descriptors.ward("phuc-dong"), Period.parse(name), None)
        truth = book.table("truth")
        own = (truth["table"] == "school_months") & truth["month"].isin(book.period.months)
        planted = truth[own].groupby("item")["value"].sum()
        epidemic = Epidemic.of(book.table("covid_phases"), book.ward.areas)
        found = schools.assess(book.period, book.table, epidemic)
        spans = found.spans.index[found.spans["kind"] == "period"]
        lost = found.levels.loc[list(spans), "lost"].groupby("level").sum()
        differ += int((lost.round(9) != planted.reindex(lost.index)).sum())
    return differ


def main() -> None:
    """Print the tables."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS
    rows = shortfalls(seeds)
    order = [*activities.FIELDS, activities.TOTAL]
    for what, decimals in (("inside", 2), ("error", 1)):
        table = rows.pivot_table(index="field", columns="period", values=what, aggfunc="mean")
        table = table.loc[order, list(PERIODS)].astype(float)
        head = (
            f"inside the 95 % interval, {seeds} seeds" if what == "inside" else "mean error, events"
        )
        print(markdown(table.rename_axis(head), dict.fromkeys(PERIODS, decimals)), end="\n\n")
    print(f"Inside on average: {rows['inside'].mean():.3f}")
    print(f"Days lost by level and period that differ from truth.csv: {days_differ()}")


if __name__ == "__main__":
    main()
