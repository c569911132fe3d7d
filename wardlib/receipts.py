"""Budget receipts of a period: month, year to date, plan, same period of the year before.

Two amounts exist for each line and are never mixed: `collected` on the area (thu NSNN) and `kept`
by the unit's own budget (phường hưởng). A parent line is never added to its children: each row is
the line's own figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from wardlib.periods import Period

ACTUAL, ESTIMATE, PARTIAL, MISSING = "actual", "estimate", "partial", "missing"


@dataclass(frozen=True)
class Receipts:
    """The receipts of a period.

    `lines`: index `line` in the order of the tree, columns

    - `parent`, `depth` (0 for the total), `name_vi`, `name_en`;
    - `month`, `period`, `year_to_date`: collected in the period's last month, in the period, from
      January to its last month; `kept_period`, `kept_year_to_date`: the share kept;
    - `period_before`, `year_to_date_before`: collected in the same months of the year before;
      `ratio_period`, `ratio_year_to_date`: now / then (1 = as much), missing where either side
      lacks a month or the earlier amount is not positive;
    - `plan_upper`, `plan_ward`: the year's plan; `share_upper`, `share_ward`: year to date / plan;
    - `reported`, `expected`: months of the year to date with a figure, and months in which the
      line existed;
    - `status_period`, `status_year_to_date`: actual, estimate (some month is one), partial (some
      month is missing), missing (every month is).

    Sums are over the months reported: a partial one must be shown as such. Amounts are in the
    ward's currency.

    `months`: collected by month (index, from the first month of the data) and line (columns);
    missing where not reported. `estimated`: the same shape, true where the figure is an estimate.
    `missing`: (line, month) pairs of the year to date without a figure, leaves only.
    """

    period: Period
    lines: pd.DataFrame
    months: pd.DataFrame
    estimated: pd.DataFrame
    missing: tuple[tuple[str, pd.Period], ...]

    @property
    def root(self) -> str:
        """The line that all others are parts of."""
        return self.lines.index[0]

    @cached_property
    def parts(self) -> dict[str, list[str]]:
        """The lines right below each line, in the order of the tree."""
        found: dict[str, list[str]] = {line: [] for line in self.lines.index}
        for line, parent in self.lines["parent"].items():
            if parent in found:
                found[parent].append(line)
        return found

    @property
    def has_plan(self) -> bool:
        return bool(self.lines[["plan_upper", "plan_ward"]].notna().any(axis=None))


def summarise(
    receipts: pd.DataFrame,
    lines: pd.DataFrame,
    targets: pd.DataFrame | None,
    period: Period,
) -> Receipts:
    """The receipts of `period` from the newest figures known.

    `receipts` has the columns of the table receipts (one row a line and month), `lines` those of
    revenue_lines, `targets` those of targets, or None where no plan was ever given.
    """
    tree = _tree(lines[lines["code"].isin(receipts["line"])])
    collected, kept, estimated = (
        _by_month(receipts, column, tree.index) for column in ("collected", "kept", "status")
    )
    estimated = estimated == ESTIMATE
    collected, kept = collected.astype("float64"), kept.astype("float64")
    existed = _existed(tree, period.year_to_date)

    now, before = period.year_to_date, period.year_before.year_to_date
    table = tree[["parent", "depth", "name_vi", "name_en"]].copy()
    table["month"] = collected.reindex([period.last]).iloc[0]
    for name, months, months_before in (
        ("period", period.months, period.year_before.months),
        ("year_to_date", now, before),
    ):
        this, last = collected.reindex(months), collected.reindex(months_before)
        known = this.notna()
        table[name] = this.sum(min_count=1)
        table[f"kept_{name}"] = kept.reindex(months).sum(min_count=1)
        table[f"{name}_before"] = last.sum(min_count=1).where(last.notna().all())
        full = known.all() & (table[f"{name}_before"] > 0)
        table[f"ratio_{name}"] = (table[name] / table[f"{name}_before"]).where(full)
        table["reported"], table["expected"] = known.sum(), (existed.loc[months] | known).sum()
        status = f"status_{name}"
        table[status] = ACTUAL
        table.loc[estimated.reindex(months, fill_value=False).any(), status] = ESTIMATE
        table.loc[table["reported"] < table["expected"], status] = PARTIAL
        table.loc[table["reported"] == 0, status] = MISSING
    for set_by in ("upper", "ward"):
        plan = _plan(targets, period.year, set_by).reindex(table.index)
        table[f"plan_{set_by}"] = plan
        table[f"share_{set_by}"] = (table["year_to_date"] / plan).where(plan > 0)
    leaves = table.index.difference(table["parent"], sort=False)
    gaps = (existed & collected.reindex(now).isna())[leaves]
    return Receipts(
        period=period,
        lines=table,
        months=collected,
        estimated=estimated,
        missing=tuple((line, month) for line in gaps for month in gaps.index[gaps[line]]),
    )


def _tree(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines indexed by code, each parent before its children, with `depth`."""
    rows = lines.set_index("code")
    order, depth = [], []

    def walk(code: str, level: int) -> None:
        order.append(code)
        depth.append(level)
        for child in rows.index[rows["parent"] == code]:
            walk(child, level + 1)

    for root in rows.index[~rows["parent"].isin(rows.index)]:
        walk(root, 0)
    return rows.loc[order].assign(depth=depth).rename_axis("line")


def _by_month(receipts: pd.DataFrame, column: str, lines: pd.Index) -> pd.DataFrame:
    """`column` by month (every month from the first to the last, in order) and line."""
    table = receipts.pivot(index="month", columns="line", values=column)
    months = pd.period_range(table.index.min(), table.index.max(), freq="M", name="month")
    return table.reindex(index=months, columns=lines)


def _existed(tree: pd.DataFrame, months: pd.PeriodIndex) -> pd.DataFrame:
    """Whether each line (columns) could be collected in each month (index)."""
    begin, end = tree["valid_from"], tree["valid_to"]
    return pd.DataFrame(
        {
            line: (months >= begin[line] if not pd.isna(begin[line]) else True)
            & (months <= end[line] if not pd.isna(end[line]) else months == months)
            for line in tree.index
        },
        index=months,
    )


def _plan(targets: pd.DataFrame | None, year: int, set_by: str) -> pd.Series:
    if targets is None:
        return pd.Series(dtype="float64")
    chosen = targets[(targets["year"] == year) & (targets["set_by"] == set_by)]
    return chosen.set_index("line")["amount"].astype("float64")
