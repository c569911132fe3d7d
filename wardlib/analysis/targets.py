"""The year's targets: where each stands, where the year will end, what the remaining months need.

A target is a plan of receipts or an indicator's. Indicators are *flows* (counted up from January),
*stocks* and *shares* (a value at a time; never added up). `set_by` is `upper` or `ward`; a line
without a target has "".
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd

from wardlib.analysis import counts, projection, relief
from wardlib.analysis.epidemic import Epidemic
from wardlib.analysis.projection import YEARS, Projection
from wardlib.analysis.receipts import ESTIMATE, Receipts
from wardlib.analysis.relief import Amount
from wardlib.analysis.results import Result
from wardlib.analysis.sampling import stream
from wardlib.analysis.tables import Floats, Ints, Tables, months_of, need
from wardlib.periods import Period

MONEY, FLOW, SHARE, SHORTCOMING = "money", "flow", "share", "shortcoming"
QUANTILES = (0.025, 0.1, 0.5, 0.9, 0.975)  # bounds at 95 and 80 %, and the point between them
LIKELY, UNLIKELY = 0.8, 0.2  # chances from which on, and up to which, the status says so
_DRAWS = 2000
_TOP = 100.0  # of a share, per cent


GOOD = ("met", "likely", "ahead")  # the statuses of a target that nobody need worry about


@dataclass(frozen=True, repr=False)
class Targets(Result):
    """Every target at the end of the period of `receipts`, and what is known of its year by now.

    `rows`: one row a target; columns

    - `item` (line or indicator), `set_by`, `name_vi`, `name_en`, `unit_vi`, `unit_en` (empty for
      money), `decimals`, `kind` (money, flow, stock, share), `higher` (whether more is better),
      `depth` of a line in the tree;
    - `target`; `value`, the year to date, or the value at the end of the last month of the period's
      year to date that is reported; `estimated`; `through`, that month (NaT where none is reported);
    - `known`, `known_through`: the same by the newest month of the year that is known, after the
      period too (see `Receipts.months`): the year's outcome where that is December;
    - `share` = value / target of money, flows and stocks; `usual`, the part of a year that earlier
      years (`usual_low` to `usual_high`, `usual_years` of them) had by this month: full years before
      COVID-19, or all full years where fewer than two are; `ahead` = value - usual x target (money
      and flows), value - target (others): above zero is ahead, of a target that is to be kept low
      it is late;
    - `low95, low80, point, high80, high95` of the year's end, from all that is `known`; `chance` that
      the target is met;
    - `left`, months of the year after `known_through`; `needed`, per such month to meet the target
      (money and flows, zero once met); `reached` of `asked` months, the same months of earlier full years, brought so
      much;
    - `due`, `due_low`, `due_high`: what was put off by law and falls due by 31/12, after the edition's
      day (95 % interval);
    - `silent`: why nothing can be said of the year's end: `history` (fewer than two full years
      before), `gap`, `unreported`; `status`, see `status`.
    """

    receipts: Receipts
    rows: pd.DataFrame

    _tables = ("rows",)
    _units: ClassVar = (
        dict.fromkeys(("share", "usual", "usual_low", "usual_high", "chance"), "1")
        | dict.fromkeys(("left", "reached", "asked"), "months")
        | {"usual_years": "years"}
    )

    def _tidied(self, name: str) -> pd.DataFrame:
        """`rows`; the unit of a row's own figures stands in its column `unit`."""
        money = self.rows["kind"] == MONEY
        unit = self.rows["unit_en"].mask(money, self.origin.currency or "as given")
        return super()._tidied(name).assign(unit=unit.to_numpy())

    def _facts(self) -> dict[str, str]:
        counts = self.rows["status"].value_counts(sort=False)
        facts = {"targets": ", ".join(f"{count} {code}" for code, count in counts.items())}
        for _, row in self.rows[self.rows["kind"] == MONEY].head(2).iterrows():
            about = f"{row['item']}, set by {row['set_by'] or 'nobody'}"
            facts[about] = f"{self._amount(row['value'])} of {self._amount(row['target'])}"
            facts[f"{about}: the year's end"] = (
                f"not said ({row['silent']})"
                if row["silent"]
                else self._amount(row["point"], row["low95"], row["high95"])
            )
        return facts

    @property
    def period(self) -> Period:
        return self.receipts.period

    @property
    def in_doubt(self) -> pd.DataFrame:
        """The rows of the total and of first-level lines that are not met, likely to be met or ahead:
        of the plan of the upper level, of the ward's where that has none; every first-level line
        where there is no plan."""
        table = binding(self.rows[(self.rows["kind"] == MONEY) & (self.rows["depth"] <= 1)])
        if table["target"].isna().all():
            return table
        return table[(table["depth"] == 0) | ~table["status"].isin(GOOD)]

    @property
    def standing(self) -> pd.DataFrame:
        """Each indicator at the period's last month: index `indicator`, none where the ward has none.

        Columns: `name_vi, name_en, unit_vi, unit_en, decimals`; `value`, missing unless reported for
        that month; `target`, of the upper level alone; `share` = value / target (not of a share, whose
        distance from its target is in points).
        """
        table = self.rows[self.rows["kind"] != MONEY]
        once = table.drop_duplicates("item").set_index("item").rename_axis("indicator")
        upper = table[table["set_by"] == "upper"].set_index("item").reindex(once.index)
        value = once["value"].where(once["through"] == self.period.last)
        names = once[["name_vi", "name_en", "unit_vi", "unit_en", "decimals"]]
        share = upper["share"].where(value.notna())
        return names.assign(value=value, target=upper["target"], share=share)


def binding(table: pd.DataFrame) -> pd.DataFrame:
    """Of rows of `Targets.rows` the targets of the upper level; all rows where it set none of them."""
    upper = table["set_by"] == "upper"
    return table[upper] if upper.any() else table


def status(row: Mapping[str, Any]) -> str:
    """What is said of a target, by rule:

    `met`, a target of money or a flow that is reached by now, or any where December is known; `missed`
    where December is known; else by the chance of meeting it: `likely` (80 % and more), `unlikely` (20 % and
    less), `open` between; without a projection `ahead` or `late` against `usual` (shares and stocks:
    against the target itself); `none` where not even that is known.
    """
    if pd.isna(row["target"]) or pd.isna(row["known"]):
        return "none"
    gap = row["known"] - row["target"] if row["higher"] else row["target"] - row["known"]
    grows = row["kind"] in (MONEY, FLOW)
    if grows and gap >= 0 and row["higher"]:
        return "met"
    if row["left"] == 0:
        return "met" if gap >= 0 else "missed"
    if not row["silent"]:
        chance = row["chance"]
        return "likely" if chance >= LIKELY else "unlikely" if chance <= UNLIKELY else "open"
    if pd.isna(row["ahead"]):
        return "none"
    return "ahead" if (row["ahead"] >= 0) == row["higher"] or row["ahead"] == 0 else "late"


def assess(
    receipts: Receipts, table: Tables, epidemic: Epidemic, day: datetime.date | None = None
) -> Targets:
    """Every target of the year of `receipts`, as known on the `day`; where no plan of receipts is
    known, the total and its parts stand without one.

    `table` gives, where the ward has them, targets, indicator_months (RequestError is raised where it
    then lacks indicators; those are in the table that were reported by the period's last month) and
    what `projection.project` asks for.
    """
    plans, year = table("targets"), receipts.period.year
    own = None if plans is None else plans[plans["year"] == year]
    projected = projection.project(receipts, table, epidemic, day)
    rows = _money(receipts, own, projected, epidemic.start)
    values = table("indicator_months")
    if values is not None:
        indicators = need(table, "indicators")
        rows += _indicators(values, indicators, own, receipts.period, epidemic.start)
    return Targets(receipts, pd.DataFrame(row | {"status": status(row)} for row in rows))


def _money(
    receipts: Receipts,
    plans: pd.DataFrame | None,
    projected: dict[str, Projection],
    start: pd.Period | None,
) -> list[dict[str, Any]]:
    rows = []
    lines = receipts.lines
    asked = _asked(plans)
    if asked.keys().isdisjoint(lines.index):
        asked = {line: [("", np.nan)] for line in lines.index[lines["depth"] <= 1]}
    year = receipts.period.year_to_date
    of_year = receipts.months.reindex(pd.period_range(year[0], periods=12, freq="M"))
    estimated = receipts.estimated.reindex(year, fill_value=False).any()
    for line in lines.index[lines.index.isin(list(asked))]:
        own, calendar = projected[line], _calendar(receipts.months[line])
        known = of_year[line].dropna()
        to_date = known[: year[-1]]
        about = {name: lines.at[line, name] for name in ("name_vi", "name_en")}
        about |= {"unit_vi": "", "unit_en": "", "decimals": 0, "kind": MONEY, "higher": True}
        about["depth"] = int(lines["depth"][line])
        last = to_date.index[-1] if len(to_date) else pd.NaT
        now = {
            "value": to_date.sum() if len(to_date) else np.nan,
            "estimated": bool(estimated[line]),
            "through": last,
            "known": known.sum() if len(known) else np.nan,
            "known_through": known.index[-1] if len(known) else pd.NaT,
        } | _usual(calendar, last, start)
        same = _same_months(calendar, own.months)
        due = Amount(0.0, 0.0, 0.0)
        if len(own.due) and own.due.max() > 0:
            due = Amount(float(own.due.mean()), *map(float, np.quantile(own.due, (0.025, 0.975))))
        for set_by, target in asked[line]:
            row = {"item": line, "set_by": set_by} | about | {"target": target} | now
            row |= _end(own.draws, own.silent, target, True)
            row |= _needed(same, own.months, row["known"], target, own.silent != "unreported")
            row |= {"due": due.mean, "due_low": due.lower, "due_high": due.upper}
            rows.append(row | _stands(row))
    return rows


def _asked(plans: pd.DataFrame | None) -> dict[str, list[tuple[str, float]]]:
    """Each item's targets: who set them (the upper level first), and the amounts."""
    asked: dict[str, list[tuple[str, float]]] = {}
    if plans is not None:
        ordered = plans.sort_values("set_by", kind="stable")
        for item, set_by, amount in zip(
            ordered["line"], ordered["set_by"], ordered["amount"].astype(float), strict=True
        ):
            asked.setdefault(item, []).append((set_by, amount))
    return asked


def _indicators(
    values: pd.DataFrame,
    indicators: pd.DataFrame,
    plans: pd.DataFrame | None,
    period: Period,
    start: pd.Period | None,
) -> list[dict[str, Any]]:
    rows = []
    asked = _asked(plans)
    # Of months after the period, no estimate made before its month was over.
    ends = (values["month"].astype("int64").to_numpy() + 1).astype("datetime64[M]")
    early = (values["status"] == ESTIMATE) & (values["reported_on"].to_numpy() < ends)
    by_then = values["month"] <= period.last
    settled = values[by_then | ~early]
    reported = indicators["code"].isin(values["indicator"][by_then])
    indicator: Any  # a row: the stubs know no columns
    asked_of = reported & (indicators["kind"] != SHORTCOMING)
    for indicator in indicators[asked_of].itertuples():
        own = settled[settled["indicator"] == indicator.code].set_index("month").sort_index()
        series = own["value"].rename(indicator.code)
        known = series[months_of(series).year == period.year]
        to_date = known[: period.last]
        last, newest = (own.index[-1] if len(own) else pd.NaT for own in (to_date, known))
        grows = indicator.kind == FLOW
        draws = None if pd.isna(newest) else indicator_draws(series, indicator.kind, newest)
        if draws is not None:  # what is printed without decimals is met without them
            draws = np.round(draws, int(indicator.decimals))
        silent = "unreported" if pd.isna(newest) else "history" if draws is None else ""
        months = pd.period_range(
            period.year_to_date[0] if pd.isna(newest) else newest + 1, f"{period.year}-12", freq="M"
        )
        names = ("name_vi", "name_en", "unit_vi", "unit_en")
        about = {name: getattr(indicator, name) for name in names}
        about |= {"decimals": int(indicator.decimals), "kind": indicator.kind}
        about |= {"higher": indicator.better == "higher", "depth": 1}
        now = {
            "value": float(to_date.iloc[-1]) if len(to_date) else np.nan,
            "estimated": bool(len(to_date) and own.at[last, "status"] == ESTIMATE),
            "through": last,
            "known": float(known.iloc[-1]) if len(known) else np.nan,
            "known_through": newest,
        }
        calendar = _calendar(_monthly(series) if grows else series.iloc[:0])
        now |= _usual(calendar, last, start)
        same = _same_months(calendar, months)
        for set_by, target in asked.get(indicator.code, [("", np.nan)]):
            row = {"item": indicator.code, "set_by": set_by} | about | {"target": target} | now
            row |= _end(draws if draws is not None else np.empty(0), silent, target, row["higher"])
            needed = target if grows and row["higher"] else np.nan
            row |= _needed(same, months, row["known"], needed, not silent)
            row |= {"due": 0.0, "due_low": 0.0, "due_high": 0.0}
            rows.append(row | _stands(row))
    return rows


def indicator_draws(series: pd.Series, kind: str, last: pd.Period) -> Floats | None:
    """Draws of an indicator's value at the end of the year of `last`, the last month known.

    `series`: values by month, year to date. A flow adds the count of the remaining months (`counts`);
    the more its months vary from year to year, the more paths come to a whole year's count instead. A
    share or stock changes each remaining month by the mean change within earlier years, with their
    spread (Student's t, the mean's own error included); a share stays between 0 and 100 %. None where
    fewer than two full years come before.
    """
    series = series[:last]
    months = pd.period_range(last + 1, f"{last.year}-12", freq="M")
    years = months_of(series).year
    _, sizes = np.unique(years[years < last.year], return_counts=True)
    now = float(series.iloc[-1])
    if len(months) == 0:
        return np.full(_DRAWS, now)
    if (sizes == 12).sum() < YEARS:
        return None
    if kind == FLOW:
        monthly = _monthly(series)
        history, own = monthly[months_of(monthly).year < last.year], monthly[f"{last.year}-01" :]
        whole = pd.period_range(f"{last.year}-01", f"{last.year}-12", freq="M")
        rest = counts.predictive(
            history, months, so_far=own, draws=_DRAWS, name=f"{series.name} rest"
        )
        year = counts.predictive(history, whole, draws=_DRAWS, name=f"{series.name} year")
        if own.isna().any() or rest is None or year is None:
            return None
        # Where months vary more than counts do, a campaign may have moved within the year.
        moved = (1 - 1 / counts.dispersion(history)) / 2
        even = stream("targets", "moved").permutation((np.arange(_DRAWS) + 0.5) / _DRAWS)
        return np.where(even < moved, np.maximum(now, year), now + rest)
    every = series.reindex(pd.period_range(series.index[0], last, freq="M"))
    changes = every.diff()[months_of(every).month > 1].dropna()
    same = changes[months_of(changes).month.isin(months.month)]
    mean, spread, ahead = same.mean(), same.std(), len(months)
    noise = stream("targets", "changes").standard_t(len(same) - 1, _DRAWS) * spread
    drawn = now + ahead * mean + noise * np.sqrt(ahead + ahead**2 / len(same))
    year_end: Floats = np.clip(drawn, 0, _TOP) if kind == SHARE else drawn
    return year_end


def _monthly(series: pd.Series) -> pd.Series:
    """What each month added to a flow's year to date; missing where the month before is."""
    every = series.reindex(pd.period_range(series.index[0], series.index[-1], freq="M"))
    return every.where(months_of(every).month == 1, every.diff())


class _Calendar(NamedTuple):
    """Amounts by year and month: years x 12, NaN where none is known; the years."""

    amounts: Floats
    years: Ints


def _calendar(series: pd.Series) -> _Calendar:
    """`series` (PeriodIndex "M") by year."""
    months = months_of(series)
    years = np.unique(months.year)
    amounts = np.full((len(years), 12), np.nan)
    amounts[np.searchsorted(years, months.year), months.month - 1] = series
    return _Calendar(amounts, years)


def _usual(calendar: _Calendar, last: Any, start: pd.Period | None) -> dict[str, Any]:
    """The part of the year that had come by the month `last` (NaT: none is known) in earlier full
    years."""
    none = {"usual": np.nan, "usual_low": np.nan, "usual_high": np.nan, "usual_years": 0}
    if pd.isna(last):
        return none
    amounts, years = calendar
    totals = amounts.sum(axis=1)  # NaN where a month is missing
    full = (years < last.year) & (totals > 0)
    ordinary = full & (years < start.year) if start is not None else full
    full = ordinary if ordinary.sum() >= YEARS else full
    if not full.any():
        return none
    shares = amounts[full, : last.month].sum(axis=1) / totals[full]
    return {
        "usual": float(shares.mean()),
        "usual_low": float(shares.min()),
        "usual_high": float(shares.max()),
        "usual_years": len(shares),
    }


def _end(draws: Floats, silent: str, target: float, higher: bool) -> dict[str, Any]:
    names = ["low95", "low80", "point", "high80", "high95"]
    if silent:
        return dict.fromkeys([*names, "chance"], np.nan) | {"silent": silent}
    met = draws >= target if higher else draws <= target
    chance = float(met.mean()) if not pd.isna(target) else np.nan
    values = map(float, np.quantile(draws, QUANTILES))
    return dict(zip(names, values, strict=True)) | {"chance": chance, "silent": ""}


def _same_months(calendar: _Calendar, months: pd.PeriodIndex) -> Floats:
    """The amounts of `months` in the full years before theirs."""
    if not len(months):
        return np.empty(0)
    amounts, years = calendar
    full = (years < months[0].year) & np.isfinite(amounts).all(axis=1)
    same: Floats = amounts[full][:, months.month - 1].ravel()
    return same


def _needed(
    same: Floats, months: pd.PeriodIndex, value: float, target: float, reported: bool
) -> dict[str, Any]:
    """What each remaining month has to bring, and how often the same months of earlier years did."""
    unasked = {"left": len(months), "needed": np.nan, "reached": 0, "asked": 0}
    if not len(months) or pd.isna(target) or pd.isna(value) or not reported:
        return unasked
    needed = max(0.0, target - value) / len(months)
    return unasked | {"needed": needed, "reached": int((same >= needed).sum()), "asked": len(same)}


def _stands(row: dict[str, Any]) -> dict[str, Any]:
    """Value against target, and against what was usual by now."""
    value, target = row["value"], row["target"]
    share = np.nan
    if row["kind"] != SHARE and target > 0:
        share = value / target
    grows = row["kind"] in (MONEY, FLOW)
    ahead = value - (row["usual"] if grows else 1) * target
    return {"share": share, "ahead": ahead}


class Carriers(NamedTuple):
    """The lines that carry the total: `lines`, rows of `Targets.rows`, the largest surplus first;
    `whole`, the total's row; `value` and `target`, of all other lines together, and `usual`, the part of
    that target that is usual by now."""

    lines: pd.DataFrame
    whole: pd.Series
    value: float
    target: float
    usual: float


def carriers(table: pd.DataFrame) -> Carriers | None:
    """The fewest first-level lines of `Targets.rows` without which the total would not be ahead.

    A total that has reached its plan is below it without them; one that is ahead of what is usual by now
    is late without them. None where the total is neither, or where half of the lines or more would have
    to be left out: then it is not carried by a few.
    """
    money = binding(table[table["kind"] == MONEY])
    known = money[money["value"].notna() & (money["target"] > 0)]
    parts = known[known["depth"] == 1]
    if not (known["depth"] == 0).any() or parts.empty:
        return None
    whole = known[known["depth"] == 0].iloc[0]
    if whole["share"] >= 1:
        surplus, ahead = parts["value"] - parts["target"], whole["value"] - whole["target"]
    else:
        surplus, ahead = parts["ahead"], parts["ahead"].sum(skipna=False)
    surplus = surplus.sort_values(ascending=False, kind="stable")
    enough = np.flatnonzero(surplus.cumsum() > ahead)
    if not ahead > 0 or not len(enough) or 2 * (enough[0] + 1) >= len(parts):
        return None
    lines = parts.loc[surplus.index[: enough[0] + 1]]
    value, target = (float(whole[name] - lines[name].sum()) for name in ("value", "target"))
    others = parts.drop(lines.index)
    usual = (others["usual"] * others["target"]).sum(skipna=False) / others["target"].sum()
    return Carriers(lines, whole, value, target, float(usual)) if target > 0 else None


def answered_for(
    targets: Targets, table: Tables, areas: tuple[str, ...], day: datetime.date
) -> Targets:
    """`targets` with, in `table`, `until`, `due_on`, `body_vi`, `body_en` and `body_seen` of each row.

    `until`: the last lawful day that is left in the year after the last month known, of the line's months
    due (revenue_lines; a month's last day, a weekend's next working day) and of what tax_relief says that
    was in force on `day`; 31 December where none is. `due_on`: the day that the law names, where `until` is
    later as that is a day off. `body_vi`, `body_en`: who answers on `day` for the
    line or indicator (owners), of several the body of the smallest of `areas`, which run from the country
    to the ward; "" where nobody is named. `body_seen`: whether that was seen in a source; else the unit
    has to confirm it. And the columns of `_Task`.
    """
    own, year = targets.rows, targets.period.year
    lines, given, owners = table("revenue_lines"), table("tax_relief"), table("owners")
    due = {} if lines is None else dict(zip(lines["code"], lines["due_months"], strict=True))
    if given is not None:
        given = given[~(given["in_force"] > pd.Timestamp(day))]
    rules = relief.rules_by_line(given, areas, own["item"])
    end = pd.Timestamp(year, 12, 31)
    until, due_on = [], []
    for item, through in zip(own["item"], own["known_through"], strict=True):
        last = targets.period.year_to_date[0] - 1 if pd.isna(through) else through
        named = {rule.until: rule.until for rule in rules[item]}
        for month in due.get(item, ()):
            ends = (np.datetime64(f"{year}-{int(month):02}", "M") + 1).astype("M8[D]") - 1
            named[pd.Timestamp(np.busday_offset(ends, 0, "forward"))] = pd.Timestamp(ends)
        left = [lawful for lawful in named if last.end_time < lawful <= end]
        until.append(max(left, default=end))
        due_on.append(named.get(until[-1], end))
    tasks = [
        _task(row, day, targets.receipts)
        for (_, row), day in zip(own.iterrows(), until, strict=True)
    ]
    bodies: dict[str, tuple[str, str, bool]] = {}
    if owners is not None:
        begun = owners["valid_from"].isna() | (owners["valid_from"] <= pd.Timestamp(day))
        ended = owners["valid_to"] < pd.Timestamp(day)
        for area in areas:  # the smaller one takes the place of the larger
            owner: Any  # a row: the stubs know no columns
            for owner in owners[begun & ~ended & (owners["area"] == area)].itertuples():
                sure = owner.verified != "no"
                bodies[owner.item] = (owner.body_vi, owner.body_en, sure)
    names = [bodies.get(item, ("", "", True)) for item in own["item"]]
    added = {
        "until": until,
        "due_on": due_on,
        **dict(zip(_Task._fields, zip(*tasks, strict=True), strict=True)),
        **dict(zip(("body_vi", "body_en", "body_seen"), zip(*names, strict=True), strict=True)),
    }
    return replace(targets, rows=own.assign(**added))


class _Task(NamedTuple):
    """What a target asks for until its last lawful day: `asked_amount`, a month (`needed`), or in one
    sum (`in_sum`) where that day comes before December; which `times_reached` of `times_asked` times came
    in before: in the same months, or in all of them of an earlier full year."""

    in_sum: bool
    asked_amount: float
    times_reached: int
    times_asked: int


def _task(row: pd.Series, until: pd.Timestamp, receipts: Receipts) -> _Task:
    """The task of a row of `Targets.rows`."""
    known = row["known_through"]
    first = receipts.period.year_to_date[0] if pd.isna(known) else known + 1
    if row["kind"] != MONEY or until.month == 12 or pd.isna(row["needed"]):
        return _Task(False, row["needed"], int(row["reached"]), int(row["asked"]))
    amounts, years = _calendar(receipts.months[row["item"]])
    full = (years < first.year) & np.isfinite(amounts).all(axis=1)
    sums = amounts[full, first.month - 1 : until.month].sum(axis=1)
    amount = float(row["needed"] * row["left"])
    return _Task(True, amount, int((sums >= amount).sum()), len(sums))


def at_risk(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of `Targets.rows` that need work: the year is not over, and the target is not met,
    likely to be met or ahead. First those that bind, and of an item only these; then what is unlikely;
    then money; then what needs most a month."""
    states = ["unlikely", "late", "open"]
    rows = table[table["status"].isin(states) & (table["left"] > 0)]
    order = pd.DataFrame(
        {
            "beside": ~rows.index.isin(binding(table).index),
            "state": rows["status"] != "unlikely",
            "other": rows["kind"] != MONEY,
            "needed": -rows["needed"].fillna(0),
        }
    )
    by = ["beside", "state", "other", "needed"]
    rows = rows.loc[order.sort_values(by, kind="stable").index]
    return rows.drop_duplicates("item")


def shortcomings(
    indicators: pd.DataFrame | None, values: pd.DataFrame | None, period: Period
) -> pd.DataFrame:
    """Each shortcoming (tồn tại) that `indicators` names, with its newest value in `period`.

    Index `code`, in the order of `indicators`; columns `name_vi, name_en, unit_vi, unit_en, decimals,
    value`, missing where none is reported, and `through`, its month. `values`: the newest reports of
    indicator_months, None where the ward has none. No rows where the ward has no table indicators, as
    one abroad has none of Việt Nam's.
    """
    columns = ["code", "name_vi", "name_en", "unit_vi", "unit_en", "decimals"]
    if indicators is None:
        return pd.DataFrame(columns=[*columns, "value", "through"]).set_index("code")
    named = indicators.loc[indicators["kind"] == SHORTCOMING, columns].set_index("code")
    if values is None:
        none = pd.PeriodIndex([], freq="M")
        values = pd.DataFrame({"month": none, "indicator": [], "value": []})
    own = values[values["month"].isin(period.months)].sort_values("month")
    last = own.drop_duplicates("indicator", keep="last").set_index("indicator").reindex(named.index)
    return named.assign(value=last["value"], through=last["month"])
