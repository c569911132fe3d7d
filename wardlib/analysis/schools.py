"""Schooling: days planned, in class, online, lost and made up, by level and school, and why lost.

A school reports days by month; decisions (the table school_closures) close schools by level and day.
Days of a level are the mean over its schools weighted by pupils: the days of an average pupil. Days
*lost* are planned - in class - recognised online. Days *made up* are those taught, from the first
month with a lost day on, beyond the most that an earlier year planned in the same calendar month.
School years run from September; months, days and ends are inclusive.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wardlib.analysis import disclosure, epidemic
from wardlib.periods import Period

GRADES = {  # by level, in order; mầm non has none
    "mam_non": range(1),
    "tieu_hoc": range(1, 6),
    "thcs": range(6, 10),
    "thpt": range(10, 13),
}
IN_PERSON, ONLINE, CLOSED, PARTIAL, BREAK, FRAME = (
    "in_person", "online", "closed", "partial", "break", "frame",
)  # fmt: skip
OFF = ""  # a weekend, a public holiday, a day outside the school year
DAYS = ["planned", "in_person", "online", "lost", "made_up"]


@dataclass(frozen=True)
class Schools:
    """Schooling in a period, by school year: never one figure for two of them.

    `spans`: for each school year of the period two rows, the months of the period in it (`kind`
    "period") and from its September to the last of them ("to_date"); columns `year` ("2019-2020"),
    `kind`, `first`, `last`. Index `span`.

    `levels`: index (`span`, `level`) in the order of `GRADES`; days of an average pupil `planned,
    in_person, online, lost, made_up` over the months reported; `attendance`, attended pupil-days as a
    share of those in class; `usual_planned`, `usual_taught`, `usual_attendance`: of the same months
    in the `years` school years before COVID-19 (mean); attendance is missing where the pupils of the
    level must not be printed; `reported`, `expected`: school-months.

    `schools`: index (`span`, `school`); `name`, `level`, `pupils` at the end, the same days and
    counts; `hidden` where pupils and attendance must not be printed (see `disclosure`), those cells
    then missing. `totals`: index (`span`, `level`), the `pupils` of each level, missing likewise.

    `reasons`: one row a span, level and decision; `measure` (id in school_closures, "" for days that
    no decision explains), `name_vi`, `name_en`, `days` lost.

    `calendar`: by level, a row a day of the school years of the period; `state` as the decisions set
    it (`OFF` too) and `measure`. `spells`: its unbroken runs of days away from class, weekends
    included: `level, start, end, days`. `missing`: (school, month) without a report. `six_days`:
    whether some school teaches on Saturdays.
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

    @property
    def names(self) -> pd.Series:
        """The name of each school."""
        return self.schools.reset_index().drop_duplicates("school").set_index("school")["name"]


def assess(
    period: Period, table: Callable[[str], pd.DataFrame | None], areas: tuple[str, ...]
) -> Schools | None:
    """Schooling in `period`; None where the ward has no table of school months, or nothing in it.

    `table` gives a table by its name, None where there is none: school_months, schools,
    school_closures, covid_phases, holidays. `areas` run from the country to the ward.
    """
    reported = table("school_months")
    if reported is None or reported.empty:
        return None
    start = epidemic.first_month(epidemic.of_areas(table("covid_phases"), areas)) or period.last + 1
    register = table("schools")
    level_of = dict(zip(register["school"], register["level"], strict=True))
    closures = table("school_closures")
    closures = closures[closures["area"].isin(areas)]
    free = table("holidays") if areas[0] == "VN" else None
    free = np.array([] if free is None else free["date"], dtype="datetime64[D]")
    spans = _spans(period)
    rows = _rows(reported, level_of)
    levels = [level for level in GRADES if level in rows["level"]]
    months = rows["at"].astype("datetime64[M]")
    six_days = bool((rows["planned"] > np.busday_count(months, months + 1)).any())
    begin = spans["first"].min()  # of the calendar; schools may have reported from before
    first = min(begin.ordinal, int(rows["at"].min()))
    ends = np.array([first, period.last.ordinal + 1]).astype("datetime64[M]")
    days = np.arange(*ends, dtype="datetime64[D]")
    off = ~np.is_busday(days, "1111110" if six_days else "1111100", free)
    decisions = _decisions(closures, days)
    frames = [row for row in decisions if row.state == FRAME]
    rulings = [row for row in decisions if row.state != FRAME]
    decided = {level: _of_level(*_decided(rulings, level, len(days))) for level in levels}
    shown = pd.date_range(begin.start_time, days[-1], name="day")
    calendar = {
        level: _calendar(*of_level, frames, level, off, shown)
        for level, of_level in decided.items()
    }
    rows["made_up"] = _made_up(rows, start)
    causes = {level: measure for level, (_, measure) in decided.items()}
    reasons = _reasons(rows, closures, causes, days, off)
    in_span = dict(enumerate(map(_months, spans["first"], spans["last"])))
    expected = _expected(register, int(rows["at"].min()), period.last.ordinal)
    known = set(zip(rows["school"].tolist(), rows["at"].tolist(), strict=True))
    wanted = set().union(*in_span.values())
    by_school, totals = _by_school(rows, register, in_span, expected)
    # The attendance of a level of so few pupils is that of persons.
    few = set(totals.index[totals["hidden"]])
    return Schools(
        period=period,
        spans=spans,
        levels=_by_level(rows, level_of, levels, in_span, expected, start, few),
        schools=by_school,
        totals=totals,
        reasons=_explained(rows, reasons, closures, levels, in_span),
        calendar=calendar,
        spells=_spells(calendar),
        missing=tuple(
            (school, pd.Period(ordinal=month, freq="M"))
            for school, months in expected.items()
            for month in months
            if month in wanted and (school, month) not in known
        ),
        six_days=six_days,
    )


def _spans(period: Period) -> pd.DataFrame:
    rows = []
    for year, months in period.school_years.items():
        september = pd.Period(f"{year[:4]}-09", "M")
        rows.append((year, "period", months[0], months[-1]))
        rows.append((year, "to_date", september, months[-1]))
    return pd.DataFrame(rows, columns=["year", "kind", "first", "last"]).rename_axis("span")


def _rows(reported: pd.DataFrame, level_of: dict[str, str]) -> dict[str, np.ndarray]:
    """By column, a row a school and month in their order: `school`, its `level`, the month as an
    ordinal (`at`), `pupils`, the days, and the pupil-days that were `offered` in class and `attended`."""
    rows = {
        "school": reported["school"].to_numpy(dtype=str),
        "level": np.array([level_of[school] for school in reported["school"]]),
        "at": reported["month"].astype("int64").to_numpy(),
        "pupils": reported["pupils"].to_numpy(),
        "planned": reported["planned_days"].to_numpy(),
        "in_person": reported["in_person_days"].to_numpy(),
        "online": reported["online_days"].to_numpy(),
        "lost": reported["closed_days"].to_numpy(),
    }
    rows["offered"] = rows["pupils"] * rows["in_person"]
    rows["attended"] = reported["attendance_share"].to_numpy(dtype=float) * rows["offered"]
    order = np.lexsort((rows["at"], rows["school"]))
    return {name: values[order] for name, values in rows.items()}


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


def _made_up(rows: dict[str, np.ndarray], start: pd.Period) -> np.ndarray:
    """Days made up by each row; missing where no earlier year says what is usual."""
    usual: dict[tuple[str, int], int] = {}  # the most that was planned in a calendar month
    columns = ("school", "level", "at", "planned", "lost")
    each = list(zip(*(rows[name].tolist() for name in columns), strict=True))
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
    beyond = np.maximum(rows["in_person"] + rows["online"] - most, 0)
    return np.where(lost_before, beyond, 0)


# ------------------------------------------------------------------------------- decisions by day


@dataclass(frozen=True)
class _Decision:
    """A row of school_closures; `begin` and `end` are the places among the days assessed of its first
    day and of the day after its last."""

    id: str
    state: str
    levels: tuple[str, ...]
    grades: str
    begin: int
    end: int


def _decisions(closures: pd.DataFrame, days: np.ndarray) -> list[_Decision]:
    """The decisions in the order of their start, without school years whose end is not known."""
    in_order = closures.sort_values("start", kind="stable")
    begin, end = (in_order[name].to_numpy() for name in ("start", "end"))
    known = (in_order["state"] != FRAME) | ~np.isnat(end)
    columns = [in_order[name] for name in ("id", "state", "levels", "grades")]
    # A missing end is after all days.
    places = days.searchsorted(begin).tolist(), days.searchsorted(end, side="right").tolist()
    rows = zip(*columns, *places, strict=True)
    return [_Decision(*row) for row, known in zip(rows, known, strict=True) if known]


def _grades(row: _Decision, level: str) -> set[int]:
    """The grades of `level` that a decision binds."""
    if level not in row.levels:
        return set()
    if not row.grades:
        return set(GRADES[level])
    low, _, high = row.grades.partition("-")
    return set(GRADES[level]) & set(range(int(low), int(high or low) + 1))


def _decided(rulings: list[_Decision], level: str, days: int) -> tuple[np.ndarray, np.ndarray]:
    """What the decisions, sorted by their start, set for each grade (rows) and day (columns): the
    states, and the ids.

    The row that began last holds. The id is that of the row that keeps pupils from class: where
    lessons go on online while classrooms are closed, the row that closed them.
    """
    grades = GRADES[level]
    states = np.full((len(grades), days), IN_PERSON)
    causes = np.full(states.shape, "", np.array(["", *(row.id for row in rulings)]).dtype)
    closed = causes.copy()  # the row that closed, as long as it lasts
    for row in rulings:
        for grade in _grades(row, level):
            within = grades.index(grade), slice(row.begin, row.end)
            states[within] = row.state
            if row.state == CLOSED:
                closed[within] = causes[within] = row.id
            elif row.state in (IN_PERSON, BREAK):
                closed[within] = causes[within] = ""
            else:
                under = closed[within]
                causes[within] = np.where(under != "", under, row.id)
    return states, causes


def _of_level(states: np.ndarray, causes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """State and decision of a level by day from those of its grades: `PARTIAL` where some are in
    class."""
    mixed = (states != states[0]).any(axis=0)
    some_in_class = ((states == IN_PERSON) | (states == PARTIAL)).any(axis=0)
    state = np.where(mixed, np.where(some_in_class, PARTIAL, ONLINE), states[0])
    measure = causes[-1]
    for cause in causes[-2::-1]:  # that of the lowest grade that has one
        measure = np.where(cause != "", cause, measure)
    return state, measure


def _calendar(
    state: np.ndarray,
    measure: np.ndarray,
    frames: list[_Decision],
    level: str,
    off: np.ndarray,
    days: pd.DatetimeIndex,
) -> pd.DataFrame:
    """State and decision of the last `days`, those that are `off` and those outside the frames of the
    level's school years set apart."""
    framed = np.zeros(len(state), dtype=bool)
    for frame in frames:
        if level in frame.levels:
            framed[frame.begin : frame.end] = True
    columns = {
        "state": np.where(off | ~framed, OFF, state)[-len(days) :],
        "measure": np.where(framed, measure, "")[-len(days) :],
    }
    return pd.DataFrame(columns, days, dtype="str")


def _spells(calendar: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Unbroken runs of days away from class by decision, weekends and holidays included."""
    found = []
    for level, table in calendar.items():
        away = np.flatnonzero(table["measure"].to_numpy() != "")
        runs = np.split(away, np.flatnonzero(np.diff(away) != 1) + 1)
        found += [
            (level, table.index[run[0]], table.index[run[-1]], len(run)) for run in runs if len(run)
        ]
    return pd.DataFrame(found, columns=["level", "start", "end", "days"])


def _reasons(
    rows: dict[str, np.ndarray],
    closures: pd.DataFrame,
    causes: dict[str, np.ndarray],
    days: np.ndarray,
    off: np.ndarray,
) -> dict[tuple[str, int], dict[str, int]]:
    """For each school and month (ordinal) with lost days, how many are due to which decision.

    Schools report how many days of a month were lost, not which: they are taken from the days on
    which a decision kept pupils away, closures before online teaching, earlier before later. What is
    beyond them has no reason (""). `causes`: by level, the decision of each day; schools do not teach
    on those that are `off`.
    """
    kinds = dict(zip(closures["id"], closures["state"], strict=True))
    months = days.astype("datetime64[M]").astype("int64")
    by_month: dict[tuple[str, int], list[tuple[str, int]]] = {}
    for level, cause in causes.items():
        away = (cause != "") & ~off
        counted = Counter(zip(months[away].tolist(), cause[away].tolist(), strict=True))
        for (month, measure), count in sorted(
            counted.items(), key=lambda item: kinds[item[0][1]] != CLOSED
        ):
            by_month.setdefault((level, month), []).append((measure, count))
    found = {}
    columns = (rows[name].tolist() for name in ("school", "level", "at", "lost"))
    for school, level, month, left in zip(*columns, strict=True):
        if not left > 0:
            continue
        shares = {}
        for measure, count in by_month.get((level, month), ()):
            shares[measure] = min(left, count)
            left -= shares[measure]
        found[school, month] = {**shares, "": left}
    return found


# ------------------------------------------------------------------------------- sums over a span


def _means(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """By month (`at`), the `DAYS` and those `taught` as a mean over the schools weighted by pupils."""
    months, place = np.unique(rows["at"], return_inverse=True)
    pupils = np.bincount(place, rows["pupils"])
    days = {name: rows[name] for name in DAYS} | {"taught": rows["in_person"] + rows["online"]}
    sums = {name: np.bincount(place, values * rows["pupils"]) for name, values in days.items()}
    pupils[pupils == 0] = np.nan
    return {"at": months, **{name: values / pupils for name, values in sums.items()}}


def _where(table: dict[str, np.ndarray], mask: np.ndarray) -> dict[str, np.ndarray]:
    return {name: values[mask] for name, values in table.items()}


def _within(table: dict[str, np.ndarray], months: range) -> dict[str, np.ndarray]:
    """The rows of `months`."""
    return _where(table, (table["at"] >= months.start) & (table["at"] < months.stop))


def _sum(values: np.ndarray) -> float:
    """The sum; missing where a value is, and where there is none."""
    return values.sum() if len(values) else np.nan


def _attendance(attended: np.ndarray, offered: np.ndarray) -> float:
    """Attended pupil-days as a share of pupil-days in class, where both are known."""
    counted = ~np.isnan(attended)
    whole = offered[counted].sum()
    return float(attended[counted].sum() / whole) if whole else np.nan


def _by_level(
    rows: dict[str, np.ndarray],
    level_of: dict[str, str],
    levels: list[str],
    in_span: dict[int, range],
    expected: dict[str, range],
    start: pd.Period,
    few: set[tuple[int, str]],
) -> pd.DataFrame:
    pupils = {level: _where(rows, rows["level"] == level) for level in levels}
    means = {level: _means(own) for level, own in pupils.items()}
    found = []
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
            here = _within(pupils[level], months)
            row = {
                "span": span,
                "level": level,
                **{name: _sum(by_month[name]) for name in DAYS},
                "attendance": _attendance(here["attended"], here["offered"]),
                **_usual(means[level], pupils[level], months, start),
                "reported": len(here["at"]),
                "expected": wanted,
            }
            if (span, level) in few:
                row["attendance"] = row["usual_attendance"] = np.nan
            found.append(row)
    return pd.DataFrame(found).set_index(["span", "level"])


def _usual(
    means: dict[str, np.ndarray], pupils: dict[str, np.ndarray], months: range, start: pd.Period
) -> dict[str, float]:
    """The same months in earlier years, those with a report for each of them before `start`."""
    earlier = []
    reported = means["at"]
    back = range(months.start - 12, months.stop - 12)
    while back[-1] >= reported[0]:
        here = _within(means, back)
        if back[-1] < start.ordinal and len(here["at"]) == len(back):
            earlier.append((here, _within(pupils, back)))
        back = range(back.start - 12, back.stop - 12)
    if not earlier:
        return {
            "usual_planned": np.nan,
            "usual_taught": np.nan,
            "usual_attendance": np.nan,
            "years": 0,
        }
    return {
        "usual_planned": float(np.mean([np.nansum(mean["planned"]) for mean, _ in earlier])),
        "usual_taught": float(np.mean([np.nansum(mean["taught"]) for mean, _ in earlier])),
        "usual_attendance": _attendance(
            *(np.concatenate([of[name] for _, of in earlier]) for name in ("attended", "offered"))
        ),
        "years": len(earlier),
    }


def _by_school(
    rows: dict[str, np.ndarray],
    register: pd.DataFrame,
    in_span: dict[int, range],
    expected: dict[str, range],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    found, totals = [], []
    columns = (register[name].tolist() for name in ("level", "school", "name"))
    schools = sorted(zip(*columns, strict=True), key=lambda school: list(GRADES).index(school[0]))
    reports = {school: _where(rows, rows["school"] == school) for _, school, _ in schools}
    for span, months in in_span.items():
        by_level: dict[str, list[dict[str, object]]] = {}
        for level, school, name in schools:
            wanted = _shared(expected[school], months)
            if not wanted:
                continue
            here = _within(reports[school], months)
            reported = len(here["at"])
            by_level.setdefault(level, []).append(
                {
                    "span": span,
                    "school": school,
                    "name": name,
                    "level": level,
                    "pupils": here["pupils"][-1] if reported else np.nan,
                    **{name: _sum(here[name]) for name in DAYS},
                    "attendance": _attendance(here["attended"], here["offered"]),
                    "reported": reported,
                    "expected": wanted,
                }
            )
        for level, group in by_level.items():
            pupils = pd.Series([row["pupils"] for row in group])
            mask, whole = disclosure.hidden(pupils)
            total = np.nan if whole else pupils.sum(min_count=1)
            totals.append({"span": span, "level": level, "pupils": total, "hidden": whole})
            for row, hidden in zip(group, mask, strict=True):
                row["hidden"], row["pupils"] = hidden, float(row["pupils"])
                if hidden:
                    row["pupils"] = row["attendance"] = np.nan
            found += group
    index = ["span", "school"]
    return pd.DataFrame(found).set_index(index), pd.DataFrame(totals).set_index(["span", "level"])


def _explained(
    rows: dict[str, np.ndarray],
    reasons: dict[tuple[str, int], dict[str, int]],
    closures: pd.DataFrame,
    levels: list[str],
    in_span: dict[int, range],
) -> pd.DataFrame:
    """Lost days of an average pupil by span, level and decision, in the order of the decisions."""
    columns = (rows[name].tolist() for name in ("school", "level", "at", "pupils"))
    reports = list(zip(*columns, strict=True))
    pupils: Counter[tuple[str, int]] = Counter()
    for _, level, month, count in reports:
        pupils[level, month] += count
    parts = [
        (month, level, measure, days * count / pupils[level, month])
        for school, level, month, count in reports
        for measure, days in reasons.get((school, month), {}).items()
        if days
    ]
    found: dict[tuple[int, str, str], list[float]] = {}
    for span, months in in_span.items():
        for month, level, measure, days in parts:
            if month in months:
                found.setdefault((span, level, measure), []).append(days)
    order = {measure: place for place, measure in enumerate([*closures["id"], ""])}
    in_order = sorted(found, key=lambda key: (key[0], levels.index(key[1]), order[key[2]]))
    result = pd.DataFrame(
        [(*key, math.fsum(found[key])) for key in in_order],
        columns=["span", "level", "measure", "days"],
    )
    for name in ("name_vi", "name_en"):
        names = dict(zip(closures["id"], closures[name], strict=True))
        found_names = [names.get(measure, "") for measure in result["measure"]]
        result[name] = pd.array(found_names, dtype="str")
    return result
