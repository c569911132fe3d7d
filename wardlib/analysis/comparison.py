"""The wards of one upper level side by side: estimated together, each with its own relief, and their sum.

A line of several wards is estimated by `districts`, so that wards lend each other what they share and
the paths of different wards belong together: the sum of wards is read from the sums of their paths. (A
ward's own `effects` draw by the name of the line alone: the same line of two wards has the same random
numbers there, and must never be added up.)

Of each ward no more is kept than a page of the upper level needs: its splits, its total by month, its
total's paths, and the paths of those lines on which relief acts. 300 wards fit into memory so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np
import pandas as pd

from wardlib.analysis import counterfactual, districts, effects, relief
from wardlib.analysis.counterfactual import Impact
from wardlib.analysis.effects import BEFORE, UNREPORTED, Effects
from wardlib.analysis.epidemic import Epidemic
from wardlib.analysis.receipts import Receipts
from wardlib.analysis.relief import Ledger, Rule, Split
from wardlib.analysis.results import CURRENCY, Result
from wardlib.analysis.tables import Floats, Tables
from wardlib.periods import Period

# Why a ward is estimated by itself and enters no sum: its currency, or the first month of the effect, is
# not that of the upper level.
CURRENCIES, STARTS = "currency", "start"
Span = tuple[pd.Period, pd.Period]
_NONE = pd.DataFrame({"complete": pd.Series(dtype=bool)})  # months of a ward without an estimate
_NO_PATHS: Floats = np.empty((0, 0))


class Ward(NamedTuple):
    """What is asked of a ward: its receipts of the period (None: it has none), its tables, the epidemic where
    it lies, and its currency."""

    receipts: Receipts | None
    table: Tables
    epidemic: Epidemic
    currency: str


@dataclass(frozen=True, repr=False)
class Member(Result):
    """What is said of one ward.

    `root`: the line that all others are parts of, "" where the ward has no receipts; `lines`: as in
    `Effects`. `silent`: why nothing can be said of the root, "" where something can (`Effects.lines`,
    or `UNREPORTED`). `apart`: why the ward is estimated by itself and in no sum (`CURRENCIES`, `STARTS`),
    else "". `by_line` and `of_period`: the splits of each line of which something can be said, of the year
    to date since the start and of the period, as in `Effects`. `by_month`: of the root, as in
    `Impact.by_month`, and `complete` (the month is reported with all its lines); empty without an
    estimate. `paths`: of the root, draws x months, likewise. `lacking`: by line, the months of the year to
    date without a figure, of the root where nothing of a month is reported.
    """

    root: str
    lines: pd.DataFrame
    silent: str
    apart: str
    by_line: dict[str, Split]
    of_period: dict[str, Split]
    by_month: pd.DataFrame
    paths: Floats
    lacking: dict[str, tuple[pd.Period, ...]]

    _tables = ("lines", "by_month")
    _units: ClassVar = dict.fromkeys(
        ("observed", "counterfactual", "lower", "upper", "plan_upper"), CURRENCY
    )

    def reports(self, first: pd.Period, last: pd.Period) -> bool:
        """Whether every month from `first` to `last` (inclusive) is reported with all its lines."""
        months = self.by_month["complete"].reindex(pd.period_range(first, last, freq="M"))
        return bool((months == True).all())  # noqa: E712  # NaN is no report


@dataclass(frozen=True, repr=False)
class Together(Result):
    """The wards of one upper level up to the last month of `period`, by all that is known since.

    `start`: the first month of the effect; None where no phase is known. `spans`: as in `Effects`: the
    period since the start, where that is not all of the year to date, and the year to date; where every ward
    is `apart`, those of the first that has some. `wards`: by
    ward, in the order given. `used`: by line, the wards that lent each other strength
    (`districts.MODEL`); the others were estimated by themselves. `ledger`: of the sum of the wards
    `summed`, None where there is none; `silent`: why nothing can be said of the sum (`Impact.silent`,
    `BEFORE` or `UNREPORTED`), "" where something can. A ward whose own placebo fails is in the sum, which
    has a placebo of its own.
    """

    period: Period
    start: pd.Period | None
    spans: tuple[Span, ...]
    wards: dict[str, Member]
    used: dict[str, tuple[str, ...]]
    ledger: Ledger | None
    silent: str

    _tables = ("rows", "lacking")
    _units = Split._units

    def _facts(self) -> dict[str, str]:
        unsaid = [ward for ward, own in self.wards.items() if own.silent or own.apart]
        about = {"wards": str(len(self.wards)), "in the sum": str(len(self.summed))}
        about["not in it, or nothing can be said"] = ", ".join(unsaid)
        split = self.whole()
        return about | (
            split._facts() if split else {"no sum": self.silent or "a month is missing"}
        )

    @property
    def summed(self) -> tuple[str, ...]:
        """The wards of the sum: those with an estimate, of the currency and start of the upper level."""
        return tuple(
            ward
            for ward, own in self.wards.items()
            if not own.apart and not own.by_month.empty and own.paths.size
        )

    @cached_property
    def rows(self) -> pd.DataFrame:
        """A row a ward and span, of its root: columns `ward`, `span` ("period", "year to date"), `silent`,
        `apart`, and those of `Split.row`; of a ward of which nothing can be said, the first four alone."""
        rows: list[dict[str, object]] = []
        for ward, own in self.wards.items():
            about: dict[str, object] = {
                "ward": ward,
                "span": "",
                "silent": own.silent,
                "apart": own.apart,
            }
            splits = {"year to date": own.by_line}
            if len(self.spans) > 1:
                splits["period"] = own.of_period
            found = {name: by[own.root] for name, by in splits.items() if own.root in by}
            if not found:
                rows.append(about)
            rows += [about | {"span": name} | split.row() for name, split in found.items()]
        return pd.DataFrame(rows)

    @cached_property
    def lacking(self) -> pd.DataFrame:
        """What keeps a month of the year to date from being added up: columns `ward`, `line`, `month`."""
        rows = [
            (ward, line, month)
            for ward, own in self.wards.items()
            for line, months in own.lacking.items()
            for month in months
        ]
        return pd.DataFrame(rows, columns=["ward", "line", "month"])

    def unreported(self, first: pd.Period, last: pd.Period) -> tuple[str, ...]:
        """Which wards keep the months from `first` to `last` (inclusive) from being added up: those of
        `summed` that do not report all of them, and those that have reported nothing since the start."""
        summed = self.summed
        return tuple(
            ward
            for ward, own in self.wards.items()
            if (ward in summed and not own.reports(first, last))
            or (own.silent == UNREPORTED and not own.apart)
        )

    def until(self, first: pd.Period, last: pd.Period) -> pd.Period | None:
        """The last month, `last` at most, up to which every month from `first` can be added up; None where
        the first cannot."""
        month = first
        while month <= last and not self.unreported(month, month):
            month += 1
        return month - 1 if month > first else None

    def whole(self, first: pd.Period | None = None, last: pd.Period | None = None) -> Split | None:
        """The split of the sum of `summed` from `first` to `last` (inclusive; by default the year to date
        since the start); None where a ward lacks one of these months (`unreported`), and where nothing
        can be said (`silent`)."""
        if self.ledger is None or self.silent or not self.spans:
            return None
        if first is None or last is None:
            first, last = self.spans[-1]
        if self.unreported(first, last):
            return None
        return replace(self.ledger.split(first, last), origin=self.origin)

    def compared(self, first: pd.Period, last: pd.Period) -> pd.DataFrame:
        """For a funnel, from `first` to `last` (inclusive): index `ward`, of those of `summed` that report
        all of it and of which something can be said; columns

        - `size`: expected without COVID-19; `ratio`: what is missing of it (expected - collected) as a
          share of it (1 = all);
        - `error`: standard error of the ratio's difference from that of all these wards together. What
          is common to the wards, and as uncertain, is in both and falls out, path by path.
        """
        chosen = [
            ward
            for ward in self.summed
            if not self.wards[ward].silent and self.wards[ward].reports(first, last)
        ]
        columns = ["size", "ratio", "error"]
        if not chosen:
            return pd.DataFrame(columns=columns, index=pd.Index([], name="ward"), dtype=float)
        came, paths = [], []
        for ward in chosen:
            own = self.wards[ward]
            within = own.by_month.index.slice_indexer(first, last)
            came.append(own.by_month["observed"].to_numpy(float)[within].sum())
            paths.append(own.paths[:, within].sum(axis=1))
        collected, would = np.array(came), np.array(paths)  # wards; wards x draws
        size = would.mean(axis=1)
        missing = would - collected[:, None]
        beyond = missing / size[:, None] - missing.sum(axis=0) / size.sum()
        found = np.column_stack([size, 1 - collected / size, beyond.std(axis=1)])
        return pd.DataFrame(found, pd.Index(chosen, name="ward"), columns)


class _Asked(NamedTuple):
    """A ward that is estimated with the others: its amounts by month, x lines, and the relief of each."""

    receipts: Receipts
    amounts: pd.DataFrame
    rules: dict[str, list[Rule]]


def assess(wards: Mapping[str, Ward], table: Tables, epidemic: Epidemic, currency: str) -> Together:
    """The effects on `wards`, by ward, each line of them estimated together, and on their sum.

    `table` (of the upper level) gives, where there is one, tet; `epidemic` and `currency` are the upper
    level's. The effect starts with its first phase; a ward of which that is not so, or of another
    currency, is assessed by itself and in no sum. Raises ValueError where the receipts are not of one
    period, or there is no ward.
    """
    periods = {own.receipts.period for own in wards.values() if own.receipts}
    if len(periods) > 1:
        raise ValueError(f"the wards' receipts are of several periods, {sorted(map(str, periods))}")
    if not periods:
        raise ValueError("no ward has receipts: hand over those of one at least")
    (period,) = periods
    start = epidemic.start
    asked = {
        ward: own.receipts
        for ward, own in wards.items()
        if own.receipts and own.currency == currency and own.epidemic.start == start
    }
    reporting = {
        ward: own for ward, own in asked.items() if start and _reported(own.months, start, period)
    }
    prepared = _prepared(wards, reporting, start) if start else {}
    tet = table("tet")
    days = tuple(tet["date"]) if tet is not None else ()
    estimates = _estimates(prepared, start, days) if start else {}
    used = {
        line: tuple(ward for ward, one in by_ward.items() if one.model == districts.MODEL)
        for line, by_ward in estimates.items()
    }
    members: dict[str, Member] = {}
    whole: Ledger | None = None
    roots: dict[str, Impact] = {}
    spans: tuple[Span, ...] = ()
    others: tuple[Span, ...] = ()  # of wards apart
    for ward, given in wards.items():
        if given.receipts is None:
            members[ward] = _nothing(UNREPORTED)
            continue
        apart = CURRENCIES if given.currency != currency else ""
        apart = apart or (STARTS if given.epidemic.start != start else "")
        if ward in prepared:
            found = _effects(ward, given, prepared[ward], estimates, epidemic, days)
        else:  # apart, or before the epidemic, or without a report since: as the ward's own page says
            found = effects.assess(given.receipts, given.table, given.epidemic)
        members[ward] = _member(found, apart)
        if apart:
            others = others or tuple(found.spans)
        else:
            spans = spans or tuple(found.spans)
        root = found.ledgers.get(found.root)
        if ward in prepared and root and root.impact.model:
            whole = relief.added(whole, root)
            roots[ward] = root.impact
    impact = _total(members, roots)
    spans = spans or others
    silent = BEFORE if not spans else "history" if prepared else UNREPORTED
    if whole and impact:
        silent = impact.silent
        whole = replace(whole, impact=replace(impact, again=None, parts=()))
    return Together(
        period, start, spans, members, {k: v for k, v in used.items() if v}, whole, silent
    )


def _reported(months: pd.DataFrame, start: pd.Period, period: Period) -> bool:
    """Whether any month since the start has a figure."""
    return not months[start : period.last].dropna(how="all").empty


def _prepared(
    wards: Mapping[str, Ward], reporting: Mapping[str, Receipts], start: pd.Period
) -> dict[str, _Asked]:
    """What is estimated of each ward, all by the same months: from the first to the newest of any."""
    known = [own.months.dropna(how="all").index for own in reporting.values()]
    if not known:
        return {}
    first = min(start, *(own.months.index[0] for own in reporting.values()))
    months = pd.period_range(first, max(index[-1] for index in known), freq="M", name="month")
    return {
        ward: _Asked(
            own,
            own.months.reindex(months),
            relief.rules_by_line(
                wards[ward].table("tax_relief"), wards[ward].epidemic.areas, own.lines.index
            ),
        )
        for ward, own in reporting.items()
    }


def _estimates(
    prepared: Mapping[str, _Asked], start: pd.Period, tet: tuple[pd.Timestamp, ...]
) -> dict[str, dict[str, Impact]]:
    """By line, by ward: the estimates of all lines that have no parts in the ward."""
    tables: dict[str, dict[str, pd.Series]] = {}
    for ward, own in prepared.items():
        for line in own.receipts.lines.index:
            if not own.receipts.parts[line]:
                tables.setdefault(line, {})[ward] = own.amounts[line]
    found: dict[str, dict[str, Impact]] = {}
    for line, columns in tables.items():
        exempt = {ward: relief.exempt_months(prepared[ward].rules[line]) for ward in columns}
        # What lies in the history is kept out of it, which only an estimate by itself can do.
        pooled = {
            ward: series
            for ward, series in columns.items()
            if not any(month < start for month in exempt[ward])
        }
        made: dict[str, Impact] = {}
        if pooled:
            made = districts.estimate_district(
                pd.DataFrame(pooled), start=start, tet=tet, line=line
            )
        found[line] = {
            ward: replace(made[ward], exempt=frozenset(exempt[ward]))
            if ward in made
            else _alone(ward, line, columns[ward], start, tet, exempt[ward])
            for ward in columns
        }
    return found


def _alone(
    ward: str,
    line: str,
    series: pd.Series,
    start: pd.Period,
    tet: tuple[pd.Timestamp, ...],
    exempt: list[pd.Period],
) -> Impact:
    """A ward's estimate by itself, under a name that no other ward has: its paths can be added to theirs."""
    return counterfactual.estimate(
        series, start=start, tet=tet, exempt=exempt, line=f"{line} {ward}"
    )


def _effects(
    ward: str,
    given: Ward,
    own: _Asked,
    estimates: Mapping[str, Mapping[str, Impact]],
    epidemic: Epidemic,
    tet: tuple[pd.Timestamp, ...],
) -> Effects:
    """The ward's effects with the estimates that were made together."""
    start = epidemic.start
    assert start is not None  # who is prepared has one

    def estimate(line: str) -> Impact:
        if ward in estimates.get(line, {}):
            return estimates[line][ward]
        exempt = relief.exempt_months(own.rules[line])
        return _alone(ward, line, own.amounts[line], start, tet, exempt)

    ledgers = effects.by_line(own.receipts, own.amounts, estimate, own.rules)
    lines = own.receipts.lines[["parent", "depth", "name_vi", "name_en", "plan_upper"]].copy()
    lines["estimated"] = own.receipts.estimated[start : own.receipts.period.last].any()
    lines["silent"] = [ledgers[line].impact.silent for line in lines.index]
    return Effects(own.receipts, lines, given.epidemic, ledgers)


def _member(found: Effects, apart: str) -> Member:
    """What is kept of a ward's effects."""
    root = found.ledgers.get(found.root)
    by_month, paths = _NONE, _NO_PATHS
    if root and root.impact.model:
        partly = found.receipts.partial[found.root].reindex(root.impact.months, fill_value=False)
        whole = np.isfinite(root.impact.collected) & ~partly.to_numpy()
        by_month, paths = root.impact.by_month.assign(complete=whole), root.impact.paths
    return Member(
        root=found.root,
        lines=found.lines,
        silent=str(found.lines.at[found.root, "silent"]),
        apart=apart,
        by_line=found.by_line,
        of_period=found.of_period,
        by_month=by_month,
        paths=paths,
        lacking=_lacking(found.receipts),
    )


def _nothing(silent: str) -> Member:
    """Of a ward without receipts."""
    lines = pd.DataFrame({"silent": pd.Series(dtype=str)})
    return Member("", lines, silent, "", {}, {}, _NONE, _NO_PATHS, {})


def _lacking(own: Receipts) -> dict[str, tuple[pd.Period, ...]]:
    """See `Member`."""
    gaps: dict[str, list[pd.Period]] = {}
    total = own.months[own.root].reindex(own.period.year_to_date)
    empty = set(total.index[total.isna()])
    for line, month in _gaps(own):
        if month not in empty:
            gaps.setdefault(line, []).append(month)
    if empty:
        gaps[own.root] = sorted(empty)
    return {line: tuple(months) for line, months in gaps.items()}


def _gaps(own: Receipts) -> Iterator[tuple[str, pd.Period]]:
    """The figures that lack in months of which the total is the sum of some lines."""
    partial = own.partial.index[own.partial[own.root]]
    return ((line, month) for line, month in own.missing if month in partial)


def _total(members: Mapping[str, Member], roots: Mapping[str, Impact]) -> Impact | None:
    """The estimate of the sum, against the months in which all wards report all; None without wards."""
    if not roots:
        return None
    by_ward = {ward: one.series for ward, one in roots.items()}
    series = pd.DataFrame(by_ward).sum(axis=1, skipna=False)
    for ward in roots:
        complete = members[ward].by_month["complete"]
        series = series.mask(~complete.reindex(series.index, fill_value=True))
    return counterfactual.total(series, list(roots.values()))
