"""Extracurricular, cultural and sports activities: planned, held, called off, and what is missing.

Expected are the events that the same months of earlier years held (`counts`), not this year's own
programme. A *shortfall* is expected - held in their month; events put off and held since are counted
apart: late, not lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wardlib import counts, disclosure, measures
from wardlib.periods import Period

FIELDS = ("extracurricular", "culture", "sport")
TOTAL = "total"
COUNTS = ["planned", "held", "cancelled", "postponed", "held_later"]
TAILS = (0.025, 0.975)


@dataclass(frozen=True)
class Activities:
    """The activities of a period.

    `table`: index (`span`, `field`), `span` "period" and, where it is longer, "to_date" (from
    January), `field` in the order of `FIELDS` with `TOTAL` last. Columns: events `planned, held,
    cancelled, postponed` (put off), `held_later` (put off before and held in these months);
    `participants`, missing and `hidden` where they must not be printed (see `disclosure`);
    `expected`, `lower`, `upper`: events to be expected in their months, and the 95 % interval of
    the number that an ordinary year would have held; `shortfall`, `shortfall_lower`,
    `shortfall_upper`: the same minus `held`; all NaN where fewer than two earlier years are known;
    `years`: how many are; `reported`, `expected_months`: months with a report, and of the span.
    Sums are over the months reported, expected ones too.

    `months`: index (`field`, `month`) of the year to date, columns `held` and `expected`.
    """

    period: Period
    table: pd.DataFrame
    months: pd.DataFrame
    missing: tuple[tuple[str, pd.Period], ...]


def verdict(row: pd.Series) -> str:
    """`fewer` or `more` where the interval of the shortfall excludes zero, `none` where it does not,
    `silent` where nothing can be said."""
    if pd.isna(row["shortfall"]):
        return "silent"
    if row["shortfall_lower"] > 0:
        return "fewer"
    return "more" if row["shortfall_upper"] < 0 else "none"


def assess(
    period: Period, table: Callable[[str], pd.DataFrame | None], areas: tuple[str, ...]
) -> Activities | None:
    """The activities of `period`; None where the ward has no table of them, or nothing in it.

    `table` gives a table by its name, None where there is none: activities, covid_phases. Expected
    numbers come from the months before the first phase of the epidemic in one of `areas`.
    """
    reported = table("activities")
    if reported is None or reported.empty:
        return None
    january = period.year_to_date[0]
    start = min(
        measures.first_month(measures.of_areas(table("covid_phases"), areas)) or january, january
    )
    every = pd.period_range(reported["month"].min(), period.last, freq="M")
    by_field = {
        field: reported[reported["field"] == field].set_index("month").reindex(every)
        for field in FIELDS
        if (reported["field"] == field).any()
    }
    spans = {"period": period.months}
    if len(period.months) < len(period.year_to_date):
        spans["to_date"] = period.year_to_date
    found = []
    for span, months in spans.items():
        draws, rows = [], []
        for place, (field, values) in enumerate(by_field.items()):
            here = values.reindex(months)
            known = here.index[here["held"].notna()]
            history = values["held"][: start - 1].astype(float)
            drawn = counts.predictive(history, known, stream=place) if len(known) else None
            draws.append(drawn)
            rows.append(
                _row(span, field, here, drawn) | {"years": len(counts.earlier(history, known))}
            )
        rows.append(_total(span, rows, draws))
        frame = pd.DataFrame(rows)
        cells = frame["field"] != TOTAL
        mask, whole = disclosure.hidden(frame.loc[cells, "participants"])
        frame["hidden"] = [*mask, whole]
        frame.loc[frame["hidden"], "participants"] = np.nan
        found.append(frame)
    return Activities(
        period,
        pd.concat(found).set_index(["span", "field"]),
        _by_month(by_field, period, start),
        tuple(
            (field, month)
            for field, values in by_field.items()
            for held in [values["held"].reindex(period.year_to_date)]
            for month in held.index[held.isna()]
        ),
    )


def _row(span: str, field: str, here: pd.DataFrame, drawn: np.ndarray | None) -> dict[str, object]:
    row: dict[str, object] = {"span": span, "field": field}
    row |= here[[*COUNTS, "participants"]].astype(float).sum(min_count=1)
    row["reported"], row["expected_months"] = int(here["held"].notna().sum()), len(here)
    return row | _estimate(drawn, row["held"])


def _estimate(drawn: np.ndarray | None, held: float) -> dict[str, float]:
    names = ["expected", "lower", "upper", "shortfall", "shortfall_lower", "shortfall_upper"]
    if drawn is None:
        return dict.fromkeys(names, np.nan)
    low, high = np.quantile(drawn, TAILS)
    mean = float(drawn.mean())
    values = [mean, low, high, mean - held, low - held, high - held]
    return dict(zip(names, map(float, values), strict=True))


def _total(
    span: str, rows: list[dict[str, object]], draws: list[np.ndarray | None]
) -> dict[str, object]:
    frame = pd.DataFrame(rows)
    row: dict[str, object] = {"span": span, "field": TOTAL}
    row |= frame[[*COUNTS, "participants"]].sum(min_count=1)
    row["reported"], row["expected_months"] = (
        frame["reported"].min(),
        frame["expected_months"].max(),
    )
    whole = None if any(drawn is None for drawn in draws) else np.sum(draws, axis=0)
    return row | _estimate(whole, row["held"]) | {"years": frame["years"].min()}


def _by_month(by_field: dict[str, pd.DataFrame], period: Period, start: pd.Period) -> pd.DataFrame:
    months = period.year_to_date
    tables = {}
    for field, values in by_field.items():
        held = values["held"].astype(float)
        history = held[: start - 1].dropna()
        means = history.groupby(history.index.month).mean().reindex(months.month)
        tables[field] = pd.DataFrame(
            {"held": held.reindex(months), "expected": means.to_numpy()}, months
        )
    return pd.concat(tables, names=["field", "month"])
