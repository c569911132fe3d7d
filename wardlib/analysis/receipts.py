"""Budget receipts of a period: month, year to date, plan, same period of the year before.

Two amounts exist for each line and are never mixed: `collected` on the area (thu NSNN) and `kept`
by the unit's own budget (phường hưởng). A parent line is never added to its children: each row is
the line's own figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wardlib.analysis.results import CURRENCY, Result
from wardlib.analysis.tables import Bools, Floats, Ints
from wardlib.errors import RequestError, nearest, said
from wardlib.periods import Period
from wardlib.shown import listed

ACTUAL, ESTIMATE, PARTIAL, MISSING = "actual", "estimate", "partial", "missing"


@dataclass(frozen=True, repr=False)
class Receipts(Result):
    """The receipts of a period.

    `lines`: index `line` in the order of the tree, columns

    - `parent`, `depth` (0 for the total), `name_vi`, `name_en`;
    - `month`, `period`, `year_to_date`: collected in the period's last month, in the period, from
      January to its last month; `kept_period`, `kept_year_to_date`: the share kept;
    - `period_before`, `year_to_date_before`: collected in the same months of the year before, of a
      parent that is the sum of the parts reported so far by these parts alone; `ratio_period`,
      `ratio_year_to_date`: now / then (1 = as much), missing where either side lacks a month or the
      earlier amount is not positive;
    - `plan_upper`, `plan_ward`: the year's plan; `share_upper`, `share_ward`: year to date / plan;
    - `reported`, `expected`: months of the year to date with a figure, and months in which the
      line existed;
    - `status_period`, `status_year_to_date`: actual, estimate (some month is one), partial (some
      month, or a part in some month, is missing), missing (every month is).

    Sums are over the months reported: a partial one must be shown as such. Amounts are in the
    ward's currency.

    `months`: collected by month (index, from the first month of the data to the last one known, which
    may lie after the period) and line (columns); missing where not reported. Of the months after the
    period only what is settled is known: no estimate made before its month was over, nor a parent's
    figure while one of its parts has none. `estimated`: the same shape, true where the figure is an
    estimate.
    `partial`: the same shape, true where the figure is the sum of some parts, as others are not reported.
    `missing`: (line, month) pairs of the year to date without a figure, leaves only.
    """

    period: Period
    lines: pd.DataFrame
    months: pd.DataFrame
    estimated: pd.DataFrame
    partial: pd.DataFrame
    missing: tuple[tuple[str, pd.Period], ...]

    _tables = ("lines", "months")
    _units: ClassVar = (
        dict.fromkeys(("month", "period", "year_to_date", "kept_period"), CURRENCY)
        | dict.fromkeys(("kept_year_to_date", "period_before", "year_to_date_before"), CURRENCY)
        | dict.fromkeys(("plan_upper", "plan_ward"), CURRENCY)
        | dict.fromkeys(("ratio_period", "ratio_year_to_date", "share_upper", "share_ward"), "1")
        | dict.fromkeys(("reported", "expected"), "months")
    )

    def _tidied(self, name: str) -> pd.DataFrame:
        if name == "lines":
            return super()._tidied(name)
        marks = {"collected": self.months, "estimated": self.estimated, "partial": self.partial}
        long = {mark: frame.rename_axis(index="month").stack() for mark, frame in marks.items()}
        return pd.DataFrame(long).rename_axis(["month", "line"]).reset_index()

    def _units_of(self, name: str) -> Mapping[str, str]:
        return self._units if name == "lines" else {"collected": CURRENCY}

    def _facts(self) -> dict[str, str]:
        total: Any = self.lines.iloc[0]  # a row: the stubs know no columns
        facts = {"collected in the period": self._amount(total["period"])}
        for span, title in (("period", "period"), ("year_to_date", "year to date")):
            if total[f"ratio_{span}"] == total[f"ratio_{span}"]:
                facts[f"{title}, to the same months of the year before"] = (
                    f"{total[f'ratio_{span}']:.1%}"
                )
        facts["collected, year to date"] = self._amount(total["year_to_date"])
        for by in ("upper", "ward"):
            if total[f"share_{by}"] == total[f"share_{by}"]:
                facts[f"of the year's plan ({by})"] = f"{total[f'share_{by}']:.1%}"
        facts["kept, year to date"] = self._amount(total["kept_year_to_date"])
        return facts | {
            "lines": listed(self.lines.index),
            "missing": f"{len(self.missing)} figures",
        }

    @property
    def root(self) -> str:
        """The line that all others are parts of."""
        return str(self.lines.index[0])

    @cached_property
    def parts(self) -> dict[str, list[str]]:
        """The lines right below each line, in the order of the tree."""
        below: dict[str, list[str]] = {line: [] for line in self.lines.index}
        for line, parent in zip(self.lines.index, self.lines["parent"], strict=True):
            if parent in below:
                below[parent].append(line)
        return below


def summarise(
    receipts: pd.DataFrame, lines: pd.DataFrame, targets: pd.DataFrame | None, period: Period
) -> Receipts:
    """The receipts of `period` from the newest figures known: of the lines reported by its last month.

    `receipts` has the columns of the table receipts (one row a line and month), `lines` those of
    revenue_lines, `targets` those of targets, or None where no plan was ever given.
    """
    reported = receipts["month"].astype("int64").to_numpy()
    last = period.last.ordinal
    tree = _tree(lines[lines["code"].isin(receipts["line"][reported <= last])])
    january = last - (period.last.month - 1)
    # By month (rows, from the first that anything is asked of) and line (columns).
    months = np.arange(min(reported.min(), january - 12), max(reported.max(), last) + 1)
    places = reported - months[0], tree.index.get_indexer(pd.Index(receipts["line"]))
    collected, kept = (
        _grid(places, receipts[name], np.full((len(months), len(tree)), np.nan))
        for name in ("collected", "kept")
    )
    estimated = _grid(places, receipts["status"] == ESTIMATE, np.zeros(collected.shape, dtype=bool))
    ends = (reported + 1).astype("datetime64[M]")
    early = (receipts["status"] == ESTIMATE) & (receipts["reported_on"].to_numpy() < ends)
    known = ~np.isnan(collected)
    existed = _existed(tree, months)
    late = known & ~_grid(places, early, np.zeros(collected.shape, dtype=bool))
    settled = _settled(tree, late, existed, last - months[0])
    settled[: last + 1 - months[0]] = True  # what a reader asked for stands as it is reported
    collected[~settled], kept[~settled] = np.nan, np.nan
    estimated &= settled
    known &= settled

    table = tree[["parent", "depth", "name_vi", "name_en"]].copy()
    table["month"] = collected[last - months[0]]
    for name, first in (("period", period.first.ordinal), ("year_to_date", january)):
        span = slice(first - months[0], last + 1 - months[0])
        then = slice(span.start - 12, span.stop - 12)
        lacking = _lacking(tree, collected[span], existed[span])
        alike = _alike(tree, collected[then], lacking)
        now, before = _sums(collected[span]), _sums(alike)
        before[~np.isfinite(alike).all(axis=0)] = np.nan
        comparable = known[span].all(axis=0) & (before > 0)
        count, expected = known[span].sum(axis=0), (existed | known)[span].sum(axis=0)
        table[name], table[f"kept_{name}"], table[f"{name}_before"] = now, _sums(kept[span]), before
        table[f"ratio_{name}"] = now / np.where(comparable, before, np.nan)
        table["reported"], table["expected"] = count, expected
        partial = (count < expected) | lacking.any(axis=(0, 2))
        which = [count == 0, partial, estimated[span].any(axis=0)]
        table[f"status_{name}"] = np.select(which, [MISSING, PARTIAL, ESTIMATE], ACTUAL)
    for set_by in ("upper", "ward"):
        plan = _plan(targets, period.year, set_by, table.index)
        table[f"plan_{set_by}"] = plan
        table[f"share_{set_by}"] = table["year_to_date"] / np.where(plan > 0, plan, np.nan)
    leaves = ~table.index.isin(table["parent"])
    gaps = (existed & ~known)[january - months[0] : last + 1 - months[0], leaves]
    partly: Bools = np.asarray(_lacking(tree, collected, existed).any(axis=2))
    data = slice(reported.min() - months[0], np.flatnonzero(known.sum(axis=1))[-1] + 1)
    oldest = pd.Period(ordinal=reported.min(), freq="M")
    index = pd.period_range(oldest, periods=data.stop - data.start, name="month")
    return Receipts(
        period=period,
        lines=table,
        months=pd.DataFrame(collected[data], index, table.index),
        estimated=pd.DataFrame(estimated[data], index, table.index),
        partial=pd.DataFrame(partly[data], index, table.index),
        missing=tuple(
            (line, period.year_to_date[place])
            for line, lacking in zip(table.index[leaves], gaps.T, strict=True)
            for place in np.flatnonzero(lacking).tolist()
        ),
    )


def _lacking(tree: pd.DataFrame, collected: Floats, existed: Bools) -> Bools:
    """Which parts each figure lacks: months x lines x parts right below them. A line that is the sum of
    the parts reported lacks those that are not reported and existed; one reported as a whole lacks none."""
    lacking = np.zeros((*collected.shape, collected.shape[1]), dtype=bool)
    above = tree.index.get_indexer(pd.Index(tree["parent"]))
    known = np.isfinite(collected)
    for line in np.unique(above[above >= 0]):
        parts = np.flatnonzero(above == line)
        added = np.where(known[:, parts], collected[:, parts], 0.0).sum(axis=1)
        # Each part may be rounded to a base unit.
        off = np.abs(collected[:, line] - added) > len(parts) + 1e-6 * np.abs(added)
        of_parts = known[:, line] & known[:, parts].any(axis=1) & ~off
        absent = existed[:, parts] & ~known[:, parts]
        lacking[:, line, parts] = of_parts[:, None] & absent
    return lacking


def _alike(tree: pd.DataFrame, earlier: Floats, lacking: Bools) -> Floats:
    """The figures of `earlier` months (x lines) without the parts that the later ones lack."""
    alike = earlier.copy()
    above = tree.index.get_indexer(pd.Index(tree["parent"]))
    for line in reversed(range(len(tree))):  # before what it is a part of
        if above[line] < 0:
            continue
        # What a part itself lacks, or the whole of a part that is not there.
        less = np.where(
            lacking[:, above[line], line], earlier[:, line], earlier[:, line] - alike[:, line]
        )
        alike[:, above[line]] -= np.nan_to_num(less)
    return alike


def _grid(places: tuple[Ints, Ints], values: pd.Series, grid: NDArray[Any]) -> NDArray[Any]:
    """`grid` with the values in their places: row, and column, which is negative for none."""
    rows, columns = places
    grid[rows[columns >= 0], columns[columns >= 0]] = values[columns >= 0]
    return grid


def _sums(figures: Floats) -> Floats:
    """The sum of each column over what is known of it; missing where nothing is."""
    known = ~np.isnan(figures)
    return np.where(known.any(axis=0), figures.sum(axis=0, where=known), np.nan)


def _tree(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines indexed by code, each parent before its children, with `depth`."""
    codes = lines["code"].tolist()
    below: dict[str, list[int]] = {}  # the rows right below each line, "" for those below none
    for row, parent in enumerate(lines["parent"].tolist()):
        below.setdefault(parent if parent in codes else "", []).append(row)
    order, depth = [], []

    def walk(code: str, level: int) -> None:
        for row in below.get(code, ()):
            order.append(row)
            depth.append(level)
            walk(codes[row], level + 1)

    walk("", 0)
    return lines.iloc[order].assign(depth=depth).set_index("code").rename_axis("line")


def _settled(tree: pd.DataFrame, known: Bools, existed: Bools, last: int) -> Bools:
    """Whether each figure is `known`, and those of all its parts that were reported within a year
    before the row `last` and still existed; months (rows) x lines of `tree`."""
    settled = known.copy()
    rows = np.arange(len(known))
    alive = known[max(last - 11, 0) : last + 1].sum(axis=0) > 0
    above = tree.index.get_indexer(pd.Index(tree["parent"]))
    for part in reversed(range(len(tree))):  # before what it is a part of
        if above[part] >= 0 and alive[part]:
            newest = rows.max(where=settled[:, part], initial=-1)
            settled[:, above[part]] &= ~existed[:, part] | (rows <= newest)
    return settled


def _existed(tree: pd.DataFrame, months: Ints) -> Bools:
    """Whether each line (columns) could be collected in each of `months` (rows, ordinals)."""
    begin, end = (tree[name].astype("int64").to_numpy() for name in ("valid_from", "valid_to"))
    endless = tree["valid_to"].isna().to_numpy()  # a missing begin is before all months
    return (months[:, None] >= begin) & ((months[:, None] <= end) | endless)


def _plan(targets: pd.DataFrame | None, year: int, set_by: str, lines: pd.Index) -> Floats:
    """The plan of each line for the year; missing where none was set by `set_by`."""
    amounts = {}
    if targets is not None:
        chosen = targets[(targets["year"] == year) & (targets["set_by"] == set_by)]
        amounts = dict(zip(chosen["line"], chosen["amount"].astype("float64"), strict=True))
    return np.array([amounts.get(line, np.nan) for line in lines])


def line_of(lines: pd.DataFrame, line: str) -> str:
    """The revenue line that is asked for, of those that index `lines`; the total for "".

    Raises RequestError, which names the lines, where it is none of them.
    """
    if line and line not in lines.index:
        names = {str(code): str(code) for code in lines.index}
        for name in ("name_vi", "name_en"):
            names |= dict(zip(lines.get(name, ()), lines.index, strict=False))
        raise RequestError(
            said(
                "there is no line {line}. Lines here: {lines}.",
                line=repr(line),
                lines=", ".join(lines.index),
            ),
            nearest(line, names),
        )
    return line or str(lines.index[0])
