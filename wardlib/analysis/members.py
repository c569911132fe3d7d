"""Members: what is known of each ward of a district in a period, and of all of them together.

Pure: tables and results in, a frozen `District` out, which can be written down (`text`) and read again, so
that 300 wards need not be read, checked and estimated anew for each page. A ward has a month at whose end it
belongs to the district (`descriptors.Ward.members`); of others nothing is asked and nothing counted.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd

from wardlib.analysis import comparison, effects, funnel
from wardlib.analysis.comparison import Span, Together
from wardlib.analysis.epidemic import Epidemic
from wardlib.analysis.funnel import Funnel
from wardlib.analysis.receipts import Receipts
from wardlib.analysis.relief import Amount, Split
from wardlib.analysis.results import CURRENCY, Result, plain
from wardlib.analysis.schools import Schools
from wardlib.analysis.tables import Tables
from wardlib.analysis.targets import GOOD, Targets, binding
from wardlib.periods import Period

# Why a ward has no statement, beside `Effects.lines` and `comparison.Member.apart`.
FAULTY = "faulty"  # its files are at fault
PART = "part"  # it belongs to the district in some months of the year to date alone
YEAR, PERIOD = "year to date", "period"  # spans of splits, as in `Effects.rows`
_MONTHS = ("month", "first", "last", "newest", "since")  # columns that hold months


class Given(NamedTuple):
    """What a ward brings. `months`: the numbers of those of the year to date in which it belongs to the
    district; `receipts` None: none by the period's last month; `faulty`: nothing can be read of it."""

    name_vi: str
    name_en: str
    currency: str
    illustrative: bool
    months: Collection[int]
    table: Tables
    epidemic: Epidemic
    receipts: Receipts | None = None
    newest: pd.Timestamp | None = None
    schools: Schools | None = None
    targets: Targets | None = None
    faulty: bool = False


class Total(NamedTuple):
    """The receipts of all `wards` of a district in its currency. `year_to_date`: their sum; missing where
    the total of some month is `lacking` (the wards that lack it); where some lines are, of the wards `partial`,
    the sum is of what is reported. `plan`: of the sums of plans, missing where not all have
    one (`unplanned` have none), or belong to the district in some months only (`partly`); `share` of it."""

    wards: tuple[str, ...]
    year_to_date: float
    plan: float
    share: float
    lacking: tuple[str, ...]
    partial: tuple[str, ...]
    unplanned: tuple[str, ...]
    partly: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class District(Result):
    """The wards of a district in the period's year to date.

    `currency`: the district's. `wards`: index `ward` in the order of the descriptor, columns

    - `name_vi, name_en, currency, illustrative`; `first`, `last`: the first and the last month in which it
      belongs to the district; `belongs`: whether it does in all;
    - of its total: `period`, `year_to_date`: collected in these months, missing where none is reported;
      `reported`, `expected`: months with a figure, and all; `estimated`: whether some is an estimate;
      `plan`: set by the upper level for the year; `share` = year to date / plan, where all belong;
    - `newest`: the last month with a figure, NaT for none; `since`: from which month on to the period's
      last none is reported, NaT where the last is; `reported_on`: the day of its newest report;
    - `silent`: why nothing can be said of the effect on its total, `apart`: why it is in no sum and no
      comparison; "" where it is not so.

    `splits`: by ward and span (`PERIOD` where that is not all of the year to date, `YEAR`), of the total.
    `spans`: the months of these spans since the start of the effect, as in `Effects`. `months`: of the
    total by ward and month since the start: `observed`, `counterfactual`, `lower`, `upper`. `whole`: by
    span the split of the sum of the wards `summed`; of `spans` the last, if some month lacks, up to the last month in
    which all report (`YEAR` then ends earlier). `compared`: as in `Together.compared`, of the months `over`: the
    year to date where more than half of the wards `summed` report all of it, else up to the last month in
    which all do. `used`: by line, the wards that lent each other strength. `lines`: index `line`, `name_vi,
    name_en`. `lacking`: `ward`, `line` ("": its total), `month` without a figure. `schools`: lost days by `ward`,
    school `year`, `first`, `last`, `level`, as in `Schools.levels`. `targets`: those of each `ward`, as in
    `Targets.rows`, of who sets its plan; both of wards that belong to the district in all of the year to date,
    as neither can be told of some of its months.
    """

    period: Period
    currency: str
    wards: pd.DataFrame
    spans: tuple[Span, ...]
    splits: dict[str, dict[str, Split]]
    whole: dict[str, Split]
    summed: tuple[str, ...]
    silent: str
    months: pd.DataFrame
    compared: pd.DataFrame
    over: Span | None
    used: dict[str, tuple[str, ...]]
    lines: pd.DataFrame
    lacking: pd.DataFrame
    schools: pd.DataFrame
    targets: pd.DataFrame

    _tables = ("wards", "months", "compared", "lacking", "schools", "targets")
    _units: ClassVar = (
        dict.fromkeys(("period", "year_to_date", "plan", "size"), CURRENCY)
        | dict.fromkeys(("observed", "counterfactual", "lower", "upper"), CURRENCY)
        | dict.fromkeys(("share", "ratio", "error", "chance"), "1")
        | dict.fromkeys(("reported", "expected"), "months")
        | dict.fromkeys(("planned", "in_person", "online", "lost", "made_up"), "days")
    )

    def _facts(self) -> dict[str, str]:
        behind = self.wards.index[self.wards["reported"] < self.wards["expected"]]
        return {
            "wards": str(len(self.wards)),
            "in the sum": str(len(self.summed)),
            "have not reported all months": ", ".join(behind),
            "stand out": ", ".join(self.funnel.outside) if self.funnel else "",
        }

    @cached_property
    def funnel(self) -> Funnel | None:
        """Which wards stand out by the share of the expected that is missing; None where too few can be
        compared to tell."""
        known = self.compared[(self.compared["size"] > 0) & (self.compared["error"] > 0)]
        if len(known) < funnel.FEWEST:
            return None
        return funnel.find(known["size"], known["ratio"], known["error"])

    @cached_property
    def total(self) -> Total:
        """The receipts of all wards in the district's currency."""
        own = self.wards[self.wards["currency"] == self.currency]
        gaps = set(self.lacking["ward"])
        lacking = tuple(own.index[own["reported"] < own["expected"]])
        partial = tuple(ward for ward in own.index if ward in gaps and ward not in lacking)
        unplanned = tuple(own.index[~(own["plan"] > 0)])
        partly = tuple(own.index[~own["belongs"].astype(bool)])
        come = float(own["year_to_date"].sum()) if len(own) and not lacking else np.nan
        plan = float(own["plan"].sum()) if len(own) and not (unplanned or partly) else np.nan
        return Total(tuple(own.index), come, plan, come / plan, lacking, partial, unplanned, partly)

    def text(self) -> str:
        """All of it but its origin, as JSON: numbers exact, in no language."""
        return json.dumps({name: _written(value) for name, value in plain(self).items()})

    @classmethod
    def read(cls, text: str) -> District:
        """What `text` has written."""
        found = json.loads(text)
        frames: dict[str, Any] = {
            name: _frame(found[name])
            for name in ("wards", "months", "compared", "lines", "lacking", "schools", "targets")
        }
        return cls(
            period=Period.parse(found["period"]),
            currency=found["currency"],
            spans=tuple((pd.Period(first), pd.Period(last)) for first, last in found["spans"]),
            splits={
                ward: {span: _split(split) for span, split in own.items()}
                for ward, own in found["splits"].items()
            },
            whole={span: _split(split) for span, split in found["whole"].items()},
            summed=tuple(found["summed"]),
            silent=found["silent"],
            over=(pd.Period(found["over"][0]), pd.Period(found["over"][1]))
            if found["over"]
            else None,
            used={line: tuple(wards) for line, wards in found["used"].items()},
            **frames,
        )


def assess(
    given: Mapping[str, Given], period: Period, table: Tables, epidemic: Epidemic, currency: str
) -> District:
    """What is known of the wards `given`; `table`, `epidemic` (without a phase: that of the first ward that
    has one) and `currency` are the district's (see `comparison.assess`)."""
    if epidemic.start is None:  # no phase names an area of the district itself
        starts = (own.epidemic for own in given.values() if own.epidemic.start is not None)
        epidemic = next(starts, epidemic)
    whole_year = [(ward, own) for ward, own in given.items() if _all_year(own, period)]
    asked = {ward: own for ward, own in whole_year if own.receipts}
    together = None
    if asked:
        wards = {
            ward: comparison.Ward(own.receipts, own.table, own.epidemic, own.currency)
            for ward, own in asked.items()
        }
        together = comparison.assess(wards, table, epidemic, currency)
    rows, splits, months, lacking = [], dict[str, dict[str, Split]](), list[pd.DataFrame](), []
    spans = together.spans if together else ()
    lines: dict[str, tuple[str, str]] = {}
    for ward, own in given.items():
        row, missing = _receipts(own, period)
        silent, apart = FAULTY if own.faulty else effects.UNREPORTED, ""
        if together and ward in together.wards:
            member = together.wards[ward]
            silent, apart = member.silent, member.apart
            found = {PERIOD: member.of_period, YEAR: member.by_line}
            splits[ward] = {
                span: by[member.root] for span, by in found.items() if member.root in by
            }
            months.append(_by_month(ward, member.by_month, period))
            missing = [
                ("" if line == member.root else line, month)
                for line, every in member.lacking.items()
                for month in every
            ]
        elif own.receipts:  # for a part of the year: by itself, in the months in which it belongs
            alone = effects.assess(own.receipts, own.table, own.epidemic)
            silent, apart = str(alone.lines.at[alone.root, "silent"]), PART
            spans = spans or tuple(alone.spans)
            span = _within(alone.spans, row["first"], row["last"])
            split = alone.split(alone.root, *span) if span and not silent else None
            splits[ward] = {YEAR: split} if split else {}
            if alone.root in alone.ledgers and not silent and span:
                within = alone.impact(alone.root).by_month.loc[span[0] : span[1]]
                months.append(_by_month(ward, within, period))
        if own.receipts:
            for line in own.receipts.lines.index:
                names = own.receipts.lines.loc[line]
                lines.setdefault(str(line), (names["name_vi"], names["name_en"]))
        lacking += [(ward, line, month) for line, month in missing]
        rows.append({"ward": ward} | row | {"silent": silent, "apart": apart})
    whole = _whole(together) if together else {}
    compared, over = _compared(together) if together and spans else (_NOTHING, None)
    before = not spans and any(own.receipts for own in given.values())
    return District(
        period=period,
        currency=currency,
        wards=pd.DataFrame(rows).set_index("ward"),
        spans=spans,
        splits=splits,
        whole=whole,
        summed=together.summed if together else (),
        silent=together.silent if together else effects.BEFORE if before else effects.UNREPORTED,
        months=_joined(months, ["ward", "month", "observed", "counterfactual", "lower", "upper"]),
        compared=compared,
        over=over,
        used=together.used if together else {},
        lines=pd.DataFrame(
            list(lines.values()), pd.Index(list(lines), name="line"), ["name_vi", "name_en"]
        ),
        lacking=pd.DataFrame(lacking, columns=["ward", "line", "month"]),
        schools=_joined([_schools(ward, own.schools) for ward, own in whole_year], _SCHOOLS),
        targets=_joined([_targets(ward, own.targets) for ward, own in whole_year], _TARGETS),
    )


_NOTHING = pd.DataFrame(
    {name: pd.Series(dtype=float) for name in ("size", "ratio", "error")}, pd.Index([], name="ward")
)
_SCHOOLS = ["ward", "year", "first", "last", "level", "planned", "in_person", "online", "lost", "made_up",
            "reported", "expected"]  # fmt: skip
_TARGETS = ["ward", "item", "set_by", "name_vi", "name_en", "kind", "depth", "status", "chance", "share", "target",
            "value"]  # fmt: skip


def _all_year(own: Given, period: Period) -> bool:
    """Whether the ward belongs to the district in every month of the year to date."""
    return len(own.months) == len(period.year_to_date)


def _receipts(own: Given, period: Period) -> tuple[dict[str, Any], list[tuple[str, pd.Period]]]:
    """The first columns of a row of `District.wards`, and the months without a figure of its total."""
    belongs = [month for month in period.year_to_date if month.month in own.months]
    row: dict[str, Any] = {name: getattr(own, name) for name in ("name_vi", "name_en", "currency")}
    row |= {"illustrative": own.illustrative, "first": belongs[0], "last": belongs[-1]}
    row |= {"belongs": _all_year(own, period), "period": np.nan, "year_to_date": np.nan}
    row |= {"reported": 0, "expected": len(belongs), "estimated": False, "plan": np.nan}
    row |= {"share": np.nan, "newest": pd.NaT, "since": belongs[0], "reported_on": ""}
    if own.receipts is None:
        return row, [("", month) for month in belongs]
    root = own.receipts.root
    total = own.receipts.months[root].reindex(pd.PeriodIndex(belongs))
    known = total.dropna()
    inside = known[known.index >= period.first]
    ever = own.receipts.months[root][: belongs[-1]].dropna()
    row |= {
        "period": inside.sum() if len(inside) else np.nan,
        "year_to_date": known.sum() if len(known) else np.nan,
        "reported": len(known),
        "estimated": bool(own.receipts.estimated[root].reindex(known.index).any()),
        "plan": float(own.receipts.lines["plan_upper"][root]),
        "newest": ever.index[-1] if len(ever) else pd.NaT,
        "since": _since(total),
        "reported_on": own.newest.date().isoformat() if own.newest is not None else "",
    }
    if row["belongs"] and row["plan"] > 0:
        row["share"] = row["year_to_date"] / row["plan"]
    return row, [("", month) for month in total.index[total.isna()]]


def _since(total: pd.Series) -> Any:
    """The first of the months at the end without a figure; NaT where the last has one."""
    months = list(total.index)
    if pd.notna(total.iloc[-1]):
        return pd.NaT
    known = np.flatnonzero(total.notna())
    return months[known[-1] + 1 if len(known) else 0]


def _within(spans: Sequence[Span], first: pd.Period, last: pd.Period) -> Span | None:
    """The part of the last of `spans` that lies from `first` to `last`."""
    if not spans or max(spans[-1][0], first) > min(spans[-1][1], last):
        return None
    return max(spans[-1][0], first), min(spans[-1][1], last)


def _by_month(ward: str, by_month: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Rows of `District.months`."""
    names = ["observed", "counterfactual", "lower", "upper"]
    own = by_month.reindex(columns=names)[: period.last] if len(by_month) else None
    if own is None or own.empty:
        return pd.DataFrame()
    return own.rename_axis("month").reset_index().assign(ward=ward)


def _whole(together: Together) -> dict[str, Split]:
    """See `District.whole`."""
    found: dict[str, Split | None] = {}
    if len(together.spans) > 1:
        found[PERIOD] = together.whole(*together.spans[0])
    if together.spans:
        first, last = together.spans[-1]
        until = together.until(first, last)
        found[YEAR] = together.whole(first, until) if until is not None else None
    return {span: split for span, split in found.items() if split is not None}


def _compared(together: Together) -> tuple[pd.DataFrame, Span]:
    """See `District.compared` and `over`."""
    first, last = together.spans[-1]
    found = together.compared(first, last)
    until = together.until(first, last)
    if 2 * len(found) > len(together.summed) or until is None:
        return found, (first, last)
    return together.compared(first, until), (first, until)


def _schools(ward: str, schools: Schools | None) -> pd.DataFrame:
    """Rows of `District.schools`: by school year, in the period."""
    if schools is None:
        return pd.DataFrame()
    levels = schools.table("levels")
    return levels[levels["kind"] == "period"].assign(ward=ward).reindex(columns=_SCHOOLS)


def _targets(ward: str, targets: Targets | None) -> pd.DataFrame:
    """Rows of `District.targets`: the total, first-level lines and indicators."""
    if targets is None or targets.rows.empty:
        return pd.DataFrame()
    rows = targets.rows[~(targets.rows["depth"] > 1)]
    return binding(rows).assign(ward=ward).reindex(columns=_TARGETS)


def _joined(frames: Sequence[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    some = [frame[columns] for frame in frames if len(frame)]
    return pd.concat(some, ignore_index=True) if some else pd.DataFrame(columns=columns)


def in_danger(targets: pd.DataFrame) -> pd.DataFrame:
    """The rows of `District.targets` that are not met, likely to be met or ahead, and of which something
    can be said."""
    return targets[~targets["status"].isin([*GOOD, "none"])]


# ------------------------------------------------------------------------------------- written down


def _written(value: Any) -> Any:
    """A field of a `District` in what JSON has."""
    if isinstance(value, pd.DataFrame):
        names = [*filter(None, value.index.names)]
        frame = value.reset_index() if names else value
        columns = {str(name): [_cell(cell) for cell in column] for name, column in frame.items()}
        return {"index": names, "columns": columns}
    if isinstance(value, Split):
        return {name: _written(own) for name, own in plain(value).items()}
    if isinstance(value, Amount):
        return [value.mean, value.lower, value.upper]
    if isinstance(value, dict):
        return {key: _written(own) for key, own in value.items()}
    if isinstance(value, (tuple, list)):
        return [_written(own) for own in value]
    return _cell(value)


def _cell(value: Any) -> Any:
    """A cell: a text, a number, a boolean, a month or a day as text, None where it is missing."""
    if isinstance(value, (pd.Period, Period)):
        return str(value)
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if isinstance(value, np.generic) else value


def _frame(found: dict[str, Any]) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for name, cells in found["columns"].items():
        columns[name] = cells
        if name in _MONTHS:
            columns[name] = [pd.NaT if cell is None else pd.Period(cell, "M") for cell in cells]
        elif all(cell is None or isinstance(cell, float) for cell in cells):
            columns[name] = np.array(cells, dtype=float)
    frame = pd.DataFrame(columns)
    return frame.set_index(found["index"][0]) if found["index"] else frame


_OF_SPLIT = {field.name: str(field.type) for field in fields(Split)}


def _split(found: dict[str, Any]) -> Split:
    made: dict[str, Any] = {}
    for name, value in found.items():
        if isinstance(value, list):
            made[name] = Amount(*value)
        elif name in ("first", "last"):
            made[name] = pd.Period(value, "M")
        elif name == "until":
            made[name] = pd.NaT if value is None else pd.Timestamp(value)
        else:
            made[name] = value
    return Split(**made)
