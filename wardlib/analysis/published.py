"""Figures that somebody published, beside the workbook's own: agreed or explained."""

from __future__ import annotations

from typing import Any

import pandas as pd

from wardlib.data.reading import newest
from wardlib.periods import Period

AGREES, REVISED, DIFFERS, NOTHING = "agrees", "revised", "differs", "nothing"


def reconcile(
    published: pd.DataFrame | None,
    receipts: pd.DataFrame,
    indicators: pd.DataFrame | None,
    targets: pd.DataFrame | None,
    period: Period,
) -> pd.DataFrame:
    """Each figure published about `period` beside ours, on its day and now.

    `receipts`, `indicators` (values) and `targets` hold every report, not just the newest.
    Returns the columns of `published` (index 0, 1, ...) and: `part`, `whole`, what we form the
    figure from now (`whole` missing where it is not a share); `ours`, our figure now in the unit
    of the row; `part_then`, `ours_then`, the same from what was reported up to the day of
    publication; `verdict`: agrees (now), revised (agreed on its day; later reports changed it),
    differs, nothing (we have no figure). No row where nothing was ever published.
    """
    if published is None:
        return pd.DataFrame()
    about = published[published["period"] == str(period)].reset_index(drop=True)
    given = receipts, indicators, targets, period
    now = [_ours(row, *given, None) for row in about.itertuples()]
    days = about["published_on"]
    then = [_ours(row, *given, day) for row, day in zip(about.itertuples(), days, strict=True)]
    table = about.assign(
        part=[part for part, _ in now],
        whole=[whole for _, whole in now],
        part_then=[part for part, _ in then],
        ours=[_figure(pair, scale) for pair, scale in zip(now, about["scale"], strict=True)],
        ours_then=[_figure(pair, scale) for pair, scale in zip(then, about["scale"], strict=True)],
    )
    return table.assign(verdict=[_verdict(row) for row in table.itertuples()])


def _ours(
    row: Any,
    receipts: pd.DataFrame,
    indicators: pd.DataFrame | None,
    targets: pd.DataFrame | None,
    period: Period,
    as_of: pd.Timestamp | None,
) -> tuple[float, float]:
    """(part, whole) of the figure published in `row` from what was reported up to `as_of` (None: all
    that was); whole is NaN if none."""
    nan = float("nan")

    def known(frame: pd.DataFrame, key: tuple[str, ...]) -> pd.DataFrame:
        return newest(frame if as_of is None else frame[frame["reported_on"] <= as_of], key)

    plan = nan
    if targets is not None:
        upper = targets[
            (targets["year"] == period.year)
            & (targets["set_by"] == "upper")
            & (targets["line"] == row.item)
        ]
        plan = next(iter(known(upper, ("year", "line", "set_by"))["amount"]), nan)
    if row.table == "indicators":
        if indicators is None:
            return nan, nan
        own = indicators[
            (indicators["indicator"] == row.item) & (indicators["month"] == period.last)
        ]
        value = next(iter(known(own, ("month", "indicator"))["value"]), nan)
        # A share is stored in per cent; `scale` turns the published unit into a plain number.
        value = value * row.scale if row.unit == "%" and row.measure == "value" else value
        return value, plan if row.measure == "share_target" else nan
    months = period.year_to_date if row.measure == "share_upper" else period.months
    own = receipts[(receipts["line"] == row.item) & receipts["month"].isin(months)]
    column = "kept" if row.measure == "kept" else "collected"
    figures = known(own, ("month", "line"))[column]
    part = float(figures.sum()) if len(figures) == len(months) else nan
    return part, plan if row.measure == "share_upper" else nan


def _figure(pair: tuple[float, float], scale: float) -> float:
    part, whole = pair
    return (part if pd.isna(whole) else part / whole) / scale


def _matches(row: Any, ours: float) -> bool:
    if row.relation == "more_than":
        return bool(ours > row.value)
    # The margin keeps figures that lie on the edge of the rounding from depending on binary dust.
    return bool(abs(ours - row.value) <= row.tolerance * (1 + 1e-9))


def _verdict(row: Any) -> str:
    if pd.isna(row.ours):
        return NOTHING
    if _matches(row, row.ours):
        return AGREES
    return REVISED if _matches(row, row.ours_then) else DIFFERS
