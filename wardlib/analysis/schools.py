"""Schooling: days planned, in class, online, lost and made up, by level and school, and why lost.

A school reports days by month; decisions (the table school_closures) close schools by level and day.
Days of a level are the mean over its schools weighted by pupils: the days of an average pupil; a hidden
number of pupils (see `disclosure`) weighs as much as the middle of what it may be. Days
*lost* are planned - in class - recognised online. Days *made up* are those taught, from the first
month with a lost day on, beyond the most that an earlier year planned in the same calendar month.
School years run from September; months, days and ends are inclusive.
"""

from __future__ import annotations

import datetime
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from wardlib.analysis.closures import GRADES, Closures, spells
from wardlib.analysis.epidemic import Epidemic
from wardlib.analysis.results import Result
from wardlib.analysis.tables import Bools, Floats, Ints, Tables, need
from wardlib.data import disclosure
from wardlib.periods import Period
from wardlib.shown import number

DAYS = ["planned", "in_person", "online", "lost", "made_up"]
_Columns = dict[str, np.ndarray[Any, Any]]  # by name, all of the same length
_Shares = dict[tuple[str, int], dict[str, int]]


@dataclass(frozen=True, repr=False)
class Schools(Result):
    """Schooling in a period, by school year: never one figure for two of them.

    A level or school stands in the spans in which it existed; where none did, tables are empty.

    `spans`: for each school year of the period two rows, the months of the period in it (`kind`
    "period") and from its September to the last of them ("to_date"); columns `year` ("2019-2020"),
    `kind`, `first`, `last`. Index `span`.

    `levels`: index (`span`, `level`) in the order of `GRADES`; days of an average pupil `planned,
    in_person, online, lost, made_up` over the months reported, and those `taught`, in class or online;
    `attendance`, attended pupil-days as a share of those in class; `usual_planned`, `usual_taught`,
    `usual_attendance`: of the same months, those reported, in the `years` school years before COVID-19
    (mean; missing where there is none); attendance leaves out schools whose pupils are hidden in some
    month; `hidden`: whether there is one; `reported`, `expected`: school-months.

    `schools`: index (`span`, `school`); `name`, `level`, the same days and counts, `pupils` at the end,
    missing where their number is hidden, and the bounds that this leaves, `pupils_at_least` and
    `pupils_at_most`, else equal to it; `hidden`: whether it is in some month, and attendance then
    missing. `totals`: index (`span`, `level`), the same three of all schools of a level.

    `reasons`: one row a span, level and decision; `measure` (id in school_closures, "" for days that
    no decision explains), its `name_vi`, `name_en`, `area`, `document` ("" where not known) and first
    day (`start`), `days` lost.

    `calendar`: by level, a row a day of the school years of the period, to its last day or that of
    the edition; `state` as the decisions set it (`OFF` too) and `measure`. `spells`: the unbroken runs
    of days away from class that touch it (see `closures.spells`). `missing`: (school, month) without a
    report. `six_days`: whether some school teaches on Saturdays.
    """

    period: Period
    spans: pd.DataFrame
    levels: pd.DataFrame
    schools: pd.DataFrame
    totals: pd.DataFrame
    reasons: pd.DataFrame
    calendar: dict[str, pd.DataFrame]
    spells: pd.DataFrame
    missing: tuple[tuple[str, pd.Period], ...]
    six_days: bool

    _tables = ("levels", "schools", "totals", "reasons", "spells")
    _units: ClassVar = (
        dict.fromkeys(("planned", "in_person", "online", "lost", "made_up", "taught"), "days")
        | dict.fromkeys(("usual_planned", "usual_taught", "days"), "days")
        | dict.fromkeys(("attendance", "usual_attendance"), "1")
        | dict.fromkeys(disclosure.columns("pupils"), "persons")
        | dict.fromkeys(("reported", "expected"), "school-months")
        | {"years": "years"}
    )

    def _tidied(self, name: str) -> pd.DataFrame:
        """With the span's `year`, `kind`, `first` and `last` in place of its number."""
        frame: pd.DataFrame = getattr(self, name)
        if "span" in frame.index.names:
            named = [own for own in frame.index.names if own != "span"]
            return self.spans.join(frame.reset_index(named), how="inner").reset_index(drop=True)
        return super()._tidied(name)

    def _units_of(self, name: str) -> Mapping[str, str]:
        own = dict.fromkeys(("reported", "expected"), "months")  # of one school
        return {**self._units, **own} if name == "schools" else self._units

    def _facts(self) -> dict[str, str]:
        facts = {}
        for _, row in self.table().iterrows():
            if row["kind"] == "period" and row["planned"] == row["planned"]:
                about = f"{row['level']}, {row['first']} to {row['last']}"
                facts[about] = f"{number(row['lost'])} of {number(row['planned'])} days lost"
        return facts | {"missing": f"{len(self.missing)} reports"}

    @property
    def names(self) -> pd.Series:
        """The name of each school."""
        return self.schools.reset_index().drop_duplicates("school").set_index("school")["name"]


def assess(
    period: Period, table: Tables, epidemic: Epidemic, day: datetime.date | None = None
) -> Schools | None:
    """Schooling in `period`; None where the ward has no table of school months, or nothing in it up
    to the period's last month. Months after that are not looked at.

    `table` gives school_months, where the ward has them (RequestError is raised where it then lacks
    schools or school_closures), and holidays. What decisions set after `day` is not told.
    """
    reported = table("school_months")
    if reported is None:
        return None
    reported = reported[reported["month"] <= period.last]
    if reported.empty:
        return None
    start = epidemic.start or period.last + 1
    register = need(table, "schools")
    decisions = need(table, "school_closures")
    decisions = decisions[decisions["area"].isin(epidemic.areas)]
    holidays = table("holidays")
    free = np.array([] if holidays is None else holidays["date"], dtype="datetime64[D]")
    spans = _spans(period)
    in_span = dict(enumerate(map(_months, spans["first"], spans["last"])))
    level_of = dict(zip(register["school"], register["level"], strict=True))
    reports = _reports(reported, level_of)
    oldest = int(reports["at"].min())
    expected = _expected(register, oldest, period.last.ordinal)
    existing = {
        level_of[school]
        for school, existed in expected.items()
        if any(_shared(existed, months) for months in in_span.values())
    }
    levels = [level for level in GRADES if level in existing]
    months = reports["at"].astype("datetime64[M]")
    six_days = bool(
        (reports["planned"] > np.busday_count(months, months + np.timedelta64(1, "M"))).any()
    )
    begin = spans["first"].min()  # of the calendar; schools may have reported from before
    months_end = [min(begin.ordinal, oldest), begin.ordinal, period.last.ordinal + 1]
    earliest, first, after = np.array(months_end).astype("datetime64[M]").astype("datetime64[D]")
    last = after - 1 if day is None else max(min(after - 1, np.datetime64(day)), first)
    # A day more than what any decision reaches to, so that a closure's end is seen.
    final = decisions["end"].max()
    beyond = after if pd.isna(final) else max(after, np.datetime64(final, "D") + 2)
    days = np.arange(earliest, beyond, dtype="datetime64[D]")
    off = ~np.is_busday(days, "1111110" if six_days else "1111100", free)
    closures = Closures.of(decisions, levels, days, off)
    reports["made_up"] = _made_up(reports, start)
    by_school, totals = _by_school(reports, register, in_span, expected)
    known = set(zip(reports["school"].tolist(), reports["at"].tolist(), strict=True))
    wanted = set().union(*in_span.values())
    return Schools(
        period=period,
        spans=spans,
        levels=_by_level(reports, level_of, levels, in_span, expected, start),
        schools=by_school,
        totals=totals,
        reasons=_explained(reports, _reasons(reports, closures), decisions, in_span),
        calendar=closures.calendar(first, last),
        spells=spells(closures, first, last),
        missing=tuple(
            (school, pd.Period(ordinal=month, freq="M"))
            for school, existed in expected.items()
            for month in existed
            if month in wanted and (school, month) not in known
        ),
        six_days=six_days,
    )


def _spans(period: Period) -> pd.DataFrame:
    spans = []
    for year, months in period.school_years.items():
        september = pd.Period(f"{year[:4]}-09", "M")
        spans.append((year, "period", months[0], months[-1]))
        spans.append((year, "to_date", september, months[-1]))
    return pd.DataFrame(spans, columns=["year", "kind", "first", "last"]).rename_axis("span")


def _reports(reported: pd.DataFrame, level_of: dict[str, str]) -> _Columns:
    """By column, a report a school and month in their order: `school`, its `level`, the month as an
    ordinal (`at`), `pupils`, missing where `hidden`, what they weigh in a mean (`weight`), the days, and
    the pupil-days that were `offered` in class and `attended`, missing likewise."""
    reports = {
        "school": reported["school"].to_numpy(dtype=str),
        "level": np.array([level_of[school] for school in reported["school"]]),
        "at": reported["month"].astype("int64").to_numpy(),
        "pupils": reported["pupils"].to_numpy(dtype=float, na_value=np.nan),
        "hidden": reported["pupils_hidden"].to_numpy(),
        "planned": reported["planned_days"].to_numpy(),
        "in_person": reported["in_person_days"].to_numpy(),
        "online": reported["online_days"].to_numpy(),
        "lost": reported["closed_days"].to_numpy(),
    }
    reports["weight"] = np.where(reports["hidden"], disclosure.WEIGHT, reports["pupils"])
    reports["offered"] = reports["pupils"] * reports["in_person"]
    reports["attended"] = reported["attendance_share"].to_numpy(dtype=float) * reports["offered"]
    order = np.lexsort((reports["at"], reports["school"]))
    return {name: values[order] for name, values in reports.items()}


def _months(first: pd.Period, last: pd.Period) -> range:
    """The months from the first to the last, both inclusive, as ordinals."""
    return range(first.ordinal, last.ordinal + 1)


def _shared(some: range, others: range) -> int:
    """How many months two spells have in common."""
    return max(0, min(some.stop, others.stop) - max(some.start, others.start))


def _expected(register: pd.DataFrame, first: int, last: int) -> dict[str, range]:
    """The months in which each school existed, of those from `first` to `last`."""
    begin, end = (register[name].astype("int64") for name in ("valid_from", "valid_to"))
    endless = register["valid_to"].isna()  # a missing begin is before all months
    return {
        school: range(max(first, begin), (last if endless else min(last, end)) + 1)
        for school, begin, end, endless in zip(register["school"], begin, end, endless, strict=True)
    }


def _made_up(reports: _Columns, start: pd.Period) -> Floats:
    """Days made up by each report; missing where no earlier year says what is usual."""
    usual: dict[tuple[str, int], int] = {}  # the most that was planned in a calendar month
    columns = ("school", "level", "at", "planned", "lost")
    each = list(zip(*(reports[name].tolist() for name in columns), strict=True))
    for _, level, at, planned, _ in each:
        if at < start.ordinal:
            usual[level, at % 12] = max(planned, usual.get((level, at % 12), planned))
    most = np.array([usual.get((level, at % 12), np.nan) for _, level, at, *_ in each])
    behind = set()  # schools and school years with a day lost so far
    lost_before = []
    for school, _, at, _, lost in each:
        year = school, (at - 8) // 12
        if lost > 0:
            behind.add(year)
        lost_before.append(year in behind)
    beyond = np.maximum(reports["in_person"] + reports["online"] - most, 0)
    return np.where(lost_before, beyond, 0)


def _reasons(reports: _Columns, closures: Closures) -> _Shares:
    """For each school and month (ordinal) with lost days, how many are due to which decision.

    Schools report how many days of a month were lost, not which: they are taken from the days on
    which a decision kept pupils away, closures before online teaching, earlier before later. What is
    beyond them has no reason ("").
    """
    kept_away = closures.kept_away()
    reasons = {}
    columns = (reports[name].tolist() for name in ("school", "level", "at", "lost"))
    for school, level, month, left in zip(*columns, strict=True):
        if not left > 0:
            continue
        shares = {}
        for measure, count in kept_away.get((level, month), ()):
            shares[measure] = min(left, count)
            left -= shares[measure]
        reasons[school, month] = {**shares, "": left}
    return reasons


# ------------------------------------------------------------------------------- sums over a span


def _means(reports: _Columns) -> _Columns:
    """By month (`at`), the `DAYS` and those `taught` as a mean over the schools weighted by pupils."""
    months, place = np.unique(reports["at"], return_inverse=True)
    pupils = np.bincount(place, reports["weight"]).astype(float)  # of no report, integers
    days = {name: reports[name] for name in DAYS} | {
        "taught": reports["in_person"] + reports["online"]
    }
    sums = {name: np.bincount(place, values * reports["weight"]) for name, values in days.items()}
    pupils[pupils == 0] = np.nan
    return {"at": months, **{name: values / pupils for name, values in sums.items()}}


def _where(table: _Columns, mask: Bools) -> _Columns:
    return {name: values[mask] for name, values in table.items()}


def _within(table: _Columns, months: range) -> _Columns:
    """What is of `months`."""
    return _where(table, (table["at"] >= months.start) & (table["at"] < months.stop))


def _sum(values: Floats) -> float:
    """The sum; missing where a value is, and where there is none."""
    return values.sum() if len(values) else np.nan


def _attendance(attended: Floats, offered: Floats) -> float:
    """Attended pupil-days as a share of pupil-days in class, where both are known."""
    counted = ~np.isnan(attended)
    whole = offered[counted].sum()
    return float(attended[counted].sum() / whole) if whole else np.nan


def _by_level(
    reports: _Columns,
    level_of: dict[str, str],
    levels: list[str],
    in_span: dict[int, range],
    expected: dict[str, range],
    start: pd.Period,
) -> pd.DataFrame:
    own = {level: _where(reports, reports["level"] == level) for level in levels}
    means = {level: _means(own[level]) for level in levels}
    rows = []
    for span, months in in_span.items():
        for level in levels:
            wanted = sum(
                _shared(existed, months)
                for school, existed in expected.items()
                if level_of[school] == level
            )
            if not wanted:
                continue
            by_month = _within(means[level], months)
            here = _within(own[level], months)
            few = set(here["school"][here["hidden"]].tolist())
            counted = _where(here, ~np.isin(here["school"], list(few)))
            row = {
                "span": span,
                "level": level,
                **{name: _sum(by_month[name]) for name in [*DAYS, "taught"]},
                "attendance": _attendance(counted["attended"], counted["offered"]),
                **_usual(means[level], own[level], by_month["at"], start),
                "hidden": bool(few),
                "reported": len(here["at"]),
                "expected": wanted,
            }
            rows.append(row)
    columns = ["span", "level", *DAYS, "taught", "attendance", *_USUAL, "hidden"]
    columns += ["reported", "expected"]
    return _indexed(rows, ["span", "level"], columns)


_USUAL = ("usual_planned", "usual_taught", "usual_attendance", "years")


def _usual(means: _Columns, reports: _Columns, months: Ints, start: pd.Period) -> dict[str, float]:
    """The same months (ordinals) in earlier years, those with a report for each of them before `start`."""
    earlier = []
    back = months - 12
    while len(back) and back[-1] >= means["at"][0]:
        if back[-1] < start.ordinal and np.isin(back, means["at"]).all():
            earlier.append(
                [_where(table, np.isin(table["at"], back)) for table in (means, reports)]
            )
        back = back - 12
    if not earlier:
        return dict.fromkeys(_USUAL, np.nan) | {"years": 0}
    planned, taught = (
        float(np.mean([np.nansum(mean[name]) for mean, _ in earlier]))
        for name in ("planned", "taught")
    )
    attended, offered = (
        np.concatenate([own[name] for _, own in earlier]) for name in ("attended", "offered")
    )
    values = planned, taught, _attendance(attended, offered), len(earlier)
    return dict(zip(_USUAL, values, strict=True))


def _by_school(
    reports: _Columns, register: pd.DataFrame, in_span: dict[int, range], expected: dict[str, range]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `schools` and `totals` of `Schools`."""
    rows, totals = [], []
    columns = (register[name].tolist() for name in ("level", "school", "name"))
    schools = sorted(zip(*columns, strict=True), key=lambda school: list(GRADES).index(school[0]))
    own = {school: _where(reports, reports["school"] == school) for _, school, _ in schools}
    for span, months in in_span.items():
        ends: dict[str, list[tuple[Floats, Bools]]] = {}  # pupils at the end, hidden or not
        for level, school, name in schools:
            wanted = _shared(expected[school], months)
            if not wanted:
                continue
            here = _within(own[school], months)
            hidden = bool(here["hidden"].any())
            attendance = np.nan if hidden else _attendance(here["attended"], here["offered"])
            row = {"span": span, "school": school, "name": name, "level": level}
            at_end = here["pupils"][-1:], here["hidden"][-1:]
            row |= disclosure.total("pupils", *at_end)
            row |= {name: _sum(here[name]) for name in DAYS}
            row |= {"attendance": attendance, "hidden": hidden}
            rows.append(row | {"reported": len(here["at"]), "expected": wanted})
            ends.setdefault(level, []).append(at_end)
        for level, own_ends in ends.items():
            counts, hidden_ends = (np.concatenate(part) for part in zip(*own_ends, strict=True))
            sums = disclosure.total("pupils", counts, hidden_ends)
            totals.append({"span": span, "level": level} | sums)
    names = ["span", "school", "name", "level", *disclosure.columns("pupils"), *DAYS]
    names += ["attendance", "hidden", "reported", "expected"]
    return (
        _indexed(rows, ["span", "school"], names),
        _indexed(totals, ["span", "level"], ["span", "level", *disclosure.columns("pupils")]),
    )


def _indexed(rows: list[dict[str, Any]], index: list[str], columns: list[str]) -> pd.DataFrame:
    """A table of `rows`, which may be none."""
    return pd.DataFrame(rows, columns=columns).astype({"span": int}).set_index(index)


def _explained(
    reports: _Columns, reasons: _Shares, decisions: pd.DataFrame, in_span: dict[int, range]
) -> pd.DataFrame:
    """Lost days of an average pupil by span, level and decision, in the order of the decisions."""
    columns = (reports[name].tolist() for name in ("school", "level", "at", "weight"))
    each = list(zip(*columns, strict=True))
    pupils: Counter[tuple[str, int]] = Counter()
    for _, level, month, weight in each:
        pupils[level, month] += weight
    parts = [
        (month, level, measure, days * weight / pupils[level, month])
        for school, level, month, weight in each
        for measure, days in reasons.get((school, month), {}).items()
        if days
    ]
    lost: dict[tuple[int, str, str], list[float]] = {}
    for span, months in in_span.items():
        for month, level, measure, days in parts:
            if month in months:
                lost.setdefault((span, level, measure), []).append(days)
    order = {measure: place for place, measure in enumerate([*decisions["id"], ""])}
    levels = list(GRADES)
    in_order = sorted(lost, key=lambda key: (key[0], levels.index(key[1]), order[key[2]]))
    table = pd.DataFrame(
        [(*key, math.fsum(lost[key])) for key in in_order],
        columns=["span", "level", "measure", "days"],
    )
    for name in ("name_vi", "name_en", "area", "document"):
        names = dict(zip(decisions["id"], decisions[name].fillna(""), strict=True))
        said = [names.get(measure, "") for measure in table["measure"]]
        table[name] = pd.array(said, dtype="str")
    table["start"] = decisions.set_index("id")["start"].reindex(table["measure"]).to_numpy()
    return table
