"""Go back: project each earlier month to its year's end with what was known then, and compare.

    python tests/benchmarks/targets.py

Prints the tables of docs/method.md: by ward and time, coverage of the 80 % and 95 % intervals of the
projected year, and the absolute error as a share of that of two simple rules: year to date / months
x 12, and last year's share of the year at this date. Money: every line of both wards, every month from
January to November of every year with two full years before. "Known then": phuc-dong, what had been
reported by the 20th of the next month; philadelphia, whose source records no reporting days, the final
figures up to the month. Indicators: the illustrative ward's, in 2021.
"""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
from report import markdown

from wardlib.analysis import projection, receipts, targets
from wardlib.analysis.epidemic import Epidemic
from wardlib.data import descriptors
from wardlib.data.book import Book
from wardlib.periods import Period

WARDS = {"phuc-dong": True, "philadelphia": False}  # whether reporting days are known
EPIDEMIC = 2020
CLOSED = 20  # day of the next month by which a month's books are closed


def book(ward: str, cut: pd.Period | None = None) -> Book:
    """What was known at the closing of `cut`; everything without it."""
    day = None
    if cut is not None and WARDS[ward]:
        day = datetime.date.fromisoformat(f"{cut + 1}-{CLOSED}")
    return Book(descriptors.ward(ward), Period.parse(str(cut or "2021")), day)


def summary(open_book: Book) -> receipts.Receipts:
    known, period = open_book.table("receipts"), open_book.period
    if not WARDS[open_book.ward.id]:
        known = known[known["month"] <= period.last]
    return receipts.summarise(known, open_book.table("revenue_lines"), None, period)


def at(ward: str, cut: pd.Period, final: pd.DataFrame) -> list[dict[str, object]]:
    """One row a line, projected from `cut`; `final` has what came, by month and line."""
    then = book(ward, cut)
    result = summary(then)
    rows = []
    epidemic = Epidemic.of(then.table("covid_phases"), then.ward.areas)
    for line, projected in projection.project(result, then.table, epidemic).items():
        year = final[line][final.index.year == cut.year]
        before = result.months[line][result.months.index.year == cut.year - 1]
        if projected.silent or year.isna().any() or not len(projected.months):
            continue
        to_date = result.months.loc[f"{cut.year}-01" : str(cut), line].sum()
        share = before.iloc[: cut.month].sum() / before.sum() if before.sum() > 0 else np.nan
        rows.append(
            entry(ward, line, cut, year.sum(), projected.draws)
            | {
                "twelfths": to_date / cut.month * 12,
                "last_share": to_date / share if share > 0 else np.nan,
            }
        )
    return rows


def money(ward: str) -> list[dict[str, object]]:
    """One row a line and month."""
    final = summary(book(ward)).months
    return [row for cut in final.index[24:] if cut.month < 12 for row in at(ward, cut, final)]


def indicators(ward: str) -> list[dict[str, object]]:
    """One row an indicator and month: flows against both rules, shares against no change."""
    everything = book(ward)
    final = everything.table("indicator_months").set_index(["indicator", "month"])["value"]
    kinds = everything.table("indicators").set_index("code")["kind"]
    rows = []
    for cut in pd.period_range("2021-01", "2021-11", freq="M"):
        then = book(ward, cut)
        values = then.table("indicator_months")
        for code in sorted(set(values["indicator"])):
            history = values[values["indicator"] == code].set_index("month")["value"]
            drawn = targets.indicator_draws(history, kinds[code], cut)
            if drawn is None:
                continue
            now = history[cut]
            last = history[pd.Period(f"{cut.year - 1}-12", "M")]
            flow = kinds[code] == "flow"
            share = history[cut - 12] / last
            rows.append(
                entry(ward, code, cut, final[code, pd.Period("2021-12", "M")], drawn)
                | {
                    "kind": kinds[code],
                    "twelfths": now / cut.month * 12 if flow else now,
                    "last_share": (now / share if share > 0 else np.nan) if flow else now,
                }
            )
    return rows


def entry(
    ward: str, item: str, cut: pd.Period, came: float, drawn: np.ndarray
) -> dict[str, object]:
    low95, low80, point, high80, high95 = np.quantile(drawn, targets.QUANTILES)
    return {
        "ward": ward, "item": item, "month": cut, "came": came, "projected": point,
        "in80": low80 <= came <= high80, "in95": low95 <= came <= high95,
    }  # fmt: skip


def table(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Coverage, and error as a share of each rule's where both can be formed."""
    found = {}
    for name, group in rows.groupby(by, sort=False):
        line = {
            "projections": len(group),
            "80 %": group["in80"].mean(),
            "95 %": group["in95"].mean(),
        }
        for head, rule in (
            ("error / twelfths", "twelfths"),
            ("error / last year's share", "last_share"),
        ):
            both = group.dropna(subset=rule)
            ours = (both["projected"] - both["came"]).abs().sum()
            theirs = (both[rule] - both["came"]).abs().sum()
            line[head] = ours / theirs if theirs > 0 else np.nan
        found[" ".join(map(str, name)) if isinstance(name, tuple) else name] = line
    return pd.DataFrame(found).T


def main() -> None:
    """Print the tables."""
    rows = pd.DataFrame([row for ward in WARDS for row in money(ward)])
    rows["time"] = np.where(rows["month"].dt.year < EPIDEMIC, "before 2020", "2020 and 2021")
    decimals = {"80 %": 2, "95 %": 2, "error / twelfths": 2, "error / last year's share": 2}
    print(markdown(table(rows, ["ward", "time"]).rename_axis("money"), decimals), end="\n\n")
    print(markdown(table(rows, ["ward"]).rename_axis("money"), decimals), end="\n\n")
    totals = rows[rows["item"] == "total"]
    print(markdown(table(totals, ["ward", "time"]).rename_axis("the total"), decimals), end="\n\n")
    others = pd.DataFrame(indicators("phuc-dong"))
    print(markdown(table(others, ["kind"]).rename_axis("indicators, 2021"), decimals))


if __name__ == "__main__":
    main()
