"""Arrivals: which files the figures of a period came in, what later reports changed, what came late or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from wardlib.analysis.results import Result
from wardlib.analysis.tables import Tables
from wardlib.periods import Period

# The tables whose figures can be taken in from files, each with the columns that name its item.
ITEMS = {
    "receipts": ["line"],
    "targets": ["line", "set_by"],
    "school_months": ["school"],
    "activities": ["field"],
    "indicator_months": ["indicator"],
}
# Days after its month's end from which a figure is late: the time that the execution of a budget has to be
# made public in, Decree 163/2016/NĐ-CP, art. 49.
LATE = 15
_FIGURE = ["table", "time", "item", "measure"]
_TOLD = ["table", "month", "item", "measure"]
_PLACE = ["name", "sheet", "cell"]


@dataclass(frozen=True, repr=False)
class Arrivals(Result):
    """Where the figures about a period came from: its months, and the targets of its year. A figure is a
    cell of a table; each of its reports counts.

    - `reported`: how many were reported; `taken`: how many of them came in files, the rest by hand.
    - `figures`: a row a report that came in a file: `table`, `month` (missing for targets), `item` (of
      targets line and setter, "total:upper"), `measure`, `value` (missing where it is hidden, as a small
      count of persons), `reported_on`, `name` of the file, `sheet` ("" where a file has none), `cell`.
    - `files`: a row a file, day, table and sheet: `file` (what it hashes to), `name`, `reported_on`,
      `table`, `sheet`, `first` and `last` month, `figures`, `cells` that hold them all, as "E9–F21",
      `units` and `answers` ("" for none).
    - `revised`: a row a report that changed a figure, likewise, by day: `before` and `now`, missing where
      `before_hidden`, `now_hidden`; `estimate`, whether what it changed was one; `name`, `sheet` and
      `cell` are "" by hand.
    - `late`: a row a table and month with items of which the first report came more than `LATE` days
      after the month's end: how many are `late` of those `known`.
    - `missing`: `table`, `item`, `month` of each item without any figure, of tables other than the
      receipts (see `receipts.summarise`), for items with a figure in the period or the twelve months
      before; `whole`, whether the table has nothing of that month.
    """

    period: Period
    reported: int
    taken: int
    figures: pd.DataFrame
    files: pd.DataFrame
    revised: pd.DataFrame
    late: pd.DataFrame
    missing: pd.DataFrame

    _tables = ("figures", "files", "revised", "late", "missing")


def trace(every: Tables, period: Period) -> Arrivals:
    """The arrivals of a period. `every` gives a table with every report of each figure."""
    tables = {name: own for name in ITEMS if (own := every(name)) is not None and not own.empty}
    parts = [part for name, own in tables.items() for part in _figures(name, own, period)]
    figures = pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)
    figures = figures.merge(origins(every), how="left", on=[*_FIGURE, "reported_on"])
    files = figures[figures["file"].notna()]
    return Arrivals(
        period,
        len(figures),
        len(files),
        files[[*_TOLD, "value", "reported_on", *_PLACE]].reset_index(drop=True),
        _files(files),
        _revised(figures),
        _late(figures),
        _missing(tables, every("schools"), period),
    )


def _figures(name: str, frame: pd.DataFrame, period: Period) -> Iterator[pd.DataFrame]:
    """The figures of a table about the period, measure by measure."""
    if monthly := "month" in frame:
        own = frame[frame["month"].isin(period.months)]
        months = own["month"]
        times = months.astype(str)
    else:
        own = frame[frame["year"] == period.year]
        months = pd.Series(pd.NaT, index=own.index, dtype="period[M]")
        times = own["year"].astype(str)
    hidden = own.filter(regex="_hidden$").any(axis=1).astype(bool)
    others = {*ITEMS[name], "month" if monthly else "year", "status", "reported_on"}
    for measure in own.columns:
        if measure in others or measure.endswith("_hidden"):
            continue
        value = own[measure].astype("Float64").astype(float)
        part = pd.DataFrame(
            {
                "table": name,
                "time": times,
                "month": months,
                "item": own[ITEMS[name]].agg(":".join, axis=1) if len(own) else "",
                "measure": measure,
                "value": value,
                "hidden": own.get(f"{measure}_hidden", hidden) & value.isna(),
                "estimate": own["status"].eq("estimate") if "status" in own else False,
                "reported_on": own["reported_on"],
            }
        )
        yield part[part["value"].notna() | part["hidden"]]


def origins(every: Tables) -> pd.DataFrame:
    """Where each figure that came in a file stood, with what the file is called and how it was read. Columns
    `table`, `time` ("2020-09", "2020"), `item`, `measure`, `reported_on`, `file`, `sheet`, `cell`, `name`,
    `units`, `answers`."""
    columns = ["file", "sheet", "cell", "name", "units", "answers"]
    origins, received = every("origins"), every("received")
    if origins is None or received is None or origins.empty:
        strings = dict.fromkeys([*_FIGURE, *columns], "object")
        return pd.DataFrame({"reported_on": pd.Series(dtype="datetime64[s]")}).assign(
            **{name: pd.Series(dtype=kind) for name, kind in strings.items()}
        )
    monthly = origins["month"].notna()
    times = origins["month"].astype(str).where(monthly, origins["year"].astype("Int64").astype(str))
    known = received[["file", "reported_on", "name", "units", "answers"]]
    found = origins.assign(time=times).merge(known, how="left", on=["file", "reported_on"])
    texts = [name for name in columns if name != "file"]
    found[texts] = found[texts].astype(object).fillna("")
    return found[[*_FIGURE, "reported_on", *columns]]


def _files(figures: pd.DataFrame) -> pd.DataFrame:
    """A row a file, day, table and sheet."""
    same = ["reported_on", "name", "file", "table", "sheet"]
    grouped = figures.groupby(same, sort=True)
    made = grouped.agg(
        first=("month", "min"),
        last=("month", "max"),
        figures=("measure", "size"),
        cells=("cell", _around),
        units=("units", "first"),
        answers=("answers", "first"),
    ).reset_index()
    order = [
        "file", "name", "reported_on", "table", "sheet", "first", "last", "figures", "cells", "units",
        "answers",
    ]  # fmt: skip
    return made[order]


def _around(cells: pd.Series) -> str:
    """The smallest rectangle that holds cells.

    >>> _around(pd.Series(["F9", "E21", "AA10"])), _around(pd.Series(["E9"]))
    ('E9–AA21', 'E9')
    """
    parts = cells.str.extract(r"(?P<column>[A-Z]+)(?P<row>[0-9]+)")
    columns = sorted(parts["column"], key=lambda letters: (len(letters), letters))
    rows = parts["row"].astype(int)
    corners = f"{columns[0]}{rows.min()}", f"{columns[-1]}{rows.max()}"
    return "–".join(dict.fromkeys(corners))


def _revised(figures: pd.DataFrame) -> pd.DataFrame:
    """A row a report that changed a figure."""
    own = figures.sort_values("reported_on", kind="stable")
    earlier = own.groupby(_FIGURE, sort=False)[["value", "hidden", "estimate"]].shift()
    later = earlier["hidden"].notna()
    was_hidden = earlier["hidden"].eq(True)
    differs = (own["hidden"] != was_hidden) | (
        ~own["hidden"] & ~was_hidden & (own["value"] != earlier["value"])
    )
    found = own.assign(
        before=earlier["value"].astype(float),
        before_hidden=was_hidden,
        now=own["value"],
        now_hidden=own["hidden"],
        estimate=earlier["estimate"].eq(True),
    )[later & differs]
    changes = ["before", "before_hidden", "now", "now_hidden", "estimate", "reported_on"]
    found[_PLACE] = found[_PLACE].fillna("")
    shown: pd.DataFrame = found[[*_TOLD, *changes, *_PLACE]]
    return shown.reset_index(drop=True)


def _late(figures: pd.DataFrame) -> pd.DataFrame:
    """A row a table and month of which some item came late."""
    monthly = figures[figures["month"].notna()]
    first = monthly.groupby(["table", "month", "item"], sort=False)["reported_on"].min()
    items = first.reset_index()
    ends = items["month"].dt.to_timestamp(how="end").dt.normalize()
    items["late"] = (items["reported_on"] - ends).dt.days > LATE
    by_month = items.groupby(["table", "month"], sort=False)["late"]
    counted: pd.DataFrame = by_month.agg(late="sum", known="size").reset_index()
    return counted[counted["late"] > 0]


def _missing(
    tables: dict[str, pd.DataFrame], schools: pd.DataFrame | None, period: Period
) -> pd.DataFrame:
    """A row an item and month without any figure."""
    rows = []
    for name, frame in tables.items():
        if name == "receipts" or "month" not in frame:
            continue
        column = ITEMS[name][0]
        near = frame[(frame["month"] >= period.first - 12) & (frame["month"] <= period.last)]
        told = set(zip(near["month"], near[column], strict=True))
        items = list(dict.fromkeys(near[column]))
        for month in period.months:
            silent = [
                item
                for item in items
                if (month, item) not in told and _is_open(schools, name, item, month)
            ]
            whole = month not in {own for own, _ in told}
            rows += [(name, item, month, whole) for item in silent]
    return pd.DataFrame(rows, columns=["table", "item", "month", "whole"])


def _is_open(schools: pd.DataFrame | None, table: str, item: str, month: pd.Period) -> bool:
    """Whether a school is one in that month; every other item is what it is."""
    if table != "school_months" or schools is None:
        return True
    own = schools[schools["school"] == item]
    begun = own["valid_from"].isna() | (own["valid_from"] <= month)
    return bool((begun & (own["valid_to"].isna() | (own["valid_to"] >= month))).any())
