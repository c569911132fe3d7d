"""Extracurricular, cultural and sports activities: planned, held, called off, and what is missing.

Expected are the events that the same months of earlier years held (`counts`), not this year's own
programme. A *shortfall* is expected - held in their month; events put off and held since are counted
apart: late, not lost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from wardlib.analysis import counts
from wardlib.analysis.assumptions import NOTHING, Assumptions
from wardlib.analysis.counterfactual import LEVEL, tails
from wardlib.analysis.epidemic import Epidemic
from wardlib.analysis.results import Result
from wardlib.analysis.tables import Floats, Ints, Tables, months_of
from wardlib.data import disclosure
from wardlib.periods import Period
from wardlib.shown import listed, number

FIELDS = ("extracurricular", "culture", "sport")
TOTAL = "total"
COUNTS = ["planned", "held", "cancelled", "postponed", "held_later"]


@dataclass(frozen=True, repr=False)
class Activities(Result):
    """The activities of a period.

    `rows`: index (`span`, `field`), `span` "period" and, where it is longer, "to_date" (from
    January), `field` in the order of `FIELDS` with `TOTAL` last. Columns: events `planned, held,
    cancelled, postponed` (put off), `held_later` (put off before and held in these months);
    `participants`, missing where small counts among them are hidden (see `disclosure`), and the bounds
    that these leave, `participants_at_least` and `participants_at_most`, else equal to them;
    `expected`, `lower`, `upper`: events to be expected in their months, and the interval of
    the number that an ordinary year would have held; `shortfall`, `shortfall_lower`,
    `shortfall_upper`: the same minus `held`; all NaN where fewer than two earlier years are known;
    `years`: how many are; `reported`, `expected_months`: months with a report, and of the span.
    Sums are over the months reported, expected ones too.

    `months`: index (`field`, `month`) of the year to date, columns `held` and `expected`. `assumptions`: what
    was supposed in place of what the tables say.
    """

    period: Period
    rows: pd.DataFrame
    months: pd.DataFrame
    assumptions: Assumptions = NOTHING

    _tables = ("rows", "months")
    _units: ClassVar = (
        dict.fromkeys(("planned", "held", "cancelled", "postponed", "held_later"), "events")
        | dict.fromkeys(("expected", "lower", "upper", "shortfall"), "events")
        | dict.fromkeys(("shortfall_lower", "shortfall_upper"), "events")
        | dict.fromkeys(disclosure.columns("participants"), "persons")
        | {"years": "years", "reported": "months", "expected_months": "months"}
    )

    @property
    def level(self) -> float:
        """How often an interval holds the truth."""
        return self.assumptions.level or LEVEL

    def _facts(self) -> dict[str, str]:
        facts = {}
        for (span, field), row in zip(self.rows.index, self.rows.to_dict("records"), strict=True):
            if field == TOTAL:
                facts[f"held, {span}"] = number(row["held"], "events")
                if row["expected"] == row["expected"]:
                    ends = f"{number(row['lower'])} to {number(row['upper'])}"
                    facts[f"expected, {span}"] = (
                        f"{number(row['expected'])} ({100 * self.level:.4g} %: {ends})"
                    )
        return facts | {"fields": listed(dict.fromkeys(self.rows.index.get_level_values("field")))}


def verdict(row: pd.Series) -> str:
    """`fewer` or `more` where the interval of the shortfall excludes zero, `none` where it does not,
    `silent` where nothing can be said."""
    if pd.isna(row["shortfall"]):
        return "silent"
    if row["shortfall_lower"] > 0:
        return "fewer"
    return "more" if row["shortfall_upper"] < 0 else "none"


def assess(
    period: Period, table: Tables, epidemic: Epidemic, assumptions: Assumptions = NOTHING
) -> Activities | None:
    """The activities of `period`; None where the ward has no table of them, or nothing in it up to the
    period's last month. Months after that are not looked at.

    `table` gives activities, where the ward has them. Expected numbers come from the months before the
    epidemic's start. Of the `assumptions`, start, phases, years left out and level bear on them; RequestError
    for what cannot be supposed.
    """
    supposed = assumptions.only("start", "phases", "leave_out", "level")
    recorded, epidemic = epidemic.start, epidemic.supposing(supposed)
    reported = table("activities")
    if reported is None:
        return None
    reported = reported[reported["month"] <= period.last]
    if reported.empty:
        return None
    year = period.year_to_date
    start = min(epidemic.start or year[0], year[0])
    if start == min(recorded or year[0], year[0]):  # nothing hangs on it
        supposed = supposed.only("leave_out", "level")
    every = pd.period_range(min(reported["month"].min(), year[0]), period.last, freq="M")
    if supposed.leave_out and set(supposed.leave_out) <= set(every.year):
        # Some may lie after what is learnt from here, and before what is of receipts.
        learnt = tuple(own for own in supposed.leave_out if own in every[every < start].year)
        supposed = replace(supposed, leave_out=learnt)
    by_field = _by_field(reported, every)
    ends = tails(supposed.level or LEVEL)
    spans = {"period": period.months}
    if len(period.months) < len(year):
        spans["to_date"] = year
    before = slice(max(start.ordinal - every[0].ordinal, 0))
    histories = {
        field: supposed.learnt_from(pd.Series(cells["held"][before], every[before]), start)
        for field, cells in by_field.items()
    }
    rows = []
    for span, months in spans.items():
        draws, fields, every_cell = [], [], []
        for field, history in histories.items():
            here = {name: cells[-len(months) :] for name, cells in by_field[field].items()}
            known = months[~np.isnan(here["held"])]
            drawn = counts.predictive(history, known, name=field) if len(known) else None
            draws.append(drawn)
            every_cell.append(here)
            years = len(counts.earlier(history, known))
            fields.append(_row(span, field, here, drawn, ends) | {"years": years})
        rows += [*fields, _total(span, fields, every_cell, draws, ends)]
    return Activities(
        period,
        pd.DataFrame(rows).set_index(["span", "field"]),
        _by_month(by_field, histories, year),
        supposed,
    )


def _by_field(reported: pd.DataFrame, every: pd.PeriodIndex) -> dict[str, dict[str, Floats]]:
    """What was reported of each field in `every` month, by column; missing ones NaN."""
    months = reported["month"].astype("int64").to_numpy() - every[0].ordinal
    by_field: dict[str, dict[str, Floats]] = {}
    for field in FIELDS:
        own = (reported["field"] == field).to_numpy()
        if not own.any():
            continue
        by_field[field] = {}
        for name in (*COUNTS, "participants", "participants_hidden"):
            cells = np.full(len(every), np.nan)
            cells[months[own]] = reported[name].to_numpy(dtype=float, na_value=np.nan)[own]
            by_field[field][name] = cells
    return by_field


def _row(
    span: str,
    field: str,
    here: dict[str, Floats],
    drawn: Ints | None,
    ends: tuple[float, float],
) -> dict[str, Any]:
    row: dict[str, Any] = {"span": span, "field": field}
    row |= {name: _sum(here[name]) for name in COUNTS}
    row |= _participants([here])
    row["reported"] = int((~np.isnan(here["held"])).sum())
    row["expected_months"] = len(here["held"])
    return row | _estimate(drawn, row["held"], ends)


def _participants(fields: list[dict[str, Floats]]) -> dict[str, float]:
    """Who took part in the months of some fields, in the columns of `disclosure.total`."""
    names = "participants", "participants_hidden"
    counts, hidden = (np.concatenate([own[name] for own in fields]) for name in names)
    return disclosure.total("participants", counts, hidden == 1)


def _sum(cells: Floats) -> float:
    """The sum over what is known; missing where nothing is."""
    known = cells[~np.isnan(cells)]
    return known.sum() if len(known) else np.nan


def _estimate(drawn: Ints | None, held: float, ends: tuple[float, float]) -> dict[str, float]:
    names = ["expected", "lower", "upper", "shortfall", "shortfall_lower", "shortfall_upper"]
    if drawn is None:
        return dict.fromkeys(names, np.nan)
    low, high = np.quantile(drawn, ends)
    mean = float(drawn.mean())
    values = [mean, low, high, mean - held, low - held, high - held]
    return dict(zip(names, map(float, values), strict=True))


def _total(
    span: str,
    rows: list[dict[str, Any]],
    cells: list[dict[str, Floats]],
    draws: list[Ints | None],
    ends: tuple[float, float],
) -> dict[str, Any]:
    row: dict[str, Any] = {"span": span, "field": TOTAL}
    for name in COUNTS:
        row[name] = _sum(np.array([own[name] for own in rows]))
    row |= _participants(cells)
    row["reported"] = min(own["reported"] for own in rows)
    row["expected_months"] = max(own["expected_months"] for own in rows)
    known = [drawn for drawn in draws if drawn is not None]
    whole = np.sum(known, axis=0) if len(known) == len(draws) else None
    return row | _estimate(whole, row["held"], ends) | {"years": min(own["years"] for own in rows)}


def _by_month(
    by_field: dict[str, dict[str, Floats]], histories: dict[str, pd.Series], months: pd.PeriodIndex
) -> pd.DataFrame:
    tables = {}
    for field, history in histories.items():
        known = history.dropna()
        means = known.groupby(months_of(known).month).mean().reindex(months.month)
        held = by_field[field]["held"][-len(months) :]
        tables[field] = pd.DataFrame({"held": held, "expected": means.to_numpy()}, months)
    return pd.concat(tables, names=["field", "month"])
