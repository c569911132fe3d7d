"""Schooling: days planned, in class, online, lost and made up, by level and school, and why lost.

A school reports days by month; decisions (the table school_closures) close schools by level and day.
Days of a level are the mean over its schools weighted by pupils: the days of an average pupil. Days
*lost* are planned - in class - recognised online. Days *made up* are those taught, from the first
month with a lost day on, beyond the most that an earlier year planned in the same calendar month.
School years run from September; months, days and ends are inclusive.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wardlib import disclosure, measures
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
    start = measures.first_month(measures.of_areas(table("covid_phases"), areas)) or period.last + 1
    register = table("schools").set_index("school")
    closures = table("school_closures")
    closures = closures[closures["area"].isin(areas)]
    free = table("holidays") if areas[0] == "VN" else None
    free = pd.DatetimeIndex([]) if free is None else pd.DatetimeIndex(free["date"])
    spans = _spans(period)
    rows = _rows(reported, register)
    levels = [level for level in GRADES if level in set(rows["level"])]
    known_from = rows["month"].min().start_time, period.last.end_time.normalize()
    weekdays = pd.bdate_range(*known_from).to_period("M").value_counts()
    six_days = bool((rows["planned"] > rows["month"].map(weekdays)).any())
    first, last = spans["first"].min().start_time, known_from[1]
    days = pd.date_range(min(first, known_from[0]), last)
    decided = {level: _of_level(*_decided(closures, level, days)) for level in levels}
    off = _off(days, free, six_days)
    calendar = {
        level: _calendar(table, closures, level, off)[first:] for level, table in decided.items()
    }
    rows["made_up"] = _made_up(rows, start)
    causes = {level: table.loc[~off, "measure"] for level, table in decided.items()}
    reasons = _reasons(rows, closures, causes)
    in_span = {
        span: pd.period_range(row.first, row.last, freq="M") for span, row in spans.iterrows()
    }
    expected = _expected(register, rows["month"].min(), period.last)
    known = set(zip(rows["school"], rows["month"], strict=True))
    shown = set().union(*in_span.values())
    by_school, totals = _by_school(rows, register, in_span, expected)
    by_level = _by_level(rows, levels, in_span, expected, start)
    # The attendance of a level of so few pupils is that of persons.
    few = totals["hidden"].reindex(by_level.index, fill_value=False)
    by_level.loc[few, ["attendance", "usual_attendance"]] = np.nan
    return Schools(
        period=period,
        spans=spans,
        levels=by_level,
        schools=by_school,
        totals=totals,
        reasons=_explained(rows, reasons, closures, levels, in_span),
        calendar=calendar,
        spells=_spells(calendar),
        missing=tuple(
            (school, month)
            for school, month, _ in expected
            if month in shown and (school, month) not in known
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


def _rows(reported: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """One row a school and month, with its level and the first month of its school year."""
    rows = reported.rename(columns=lambda name: name.removesuffix("_days")).rename(
        columns={"closed": "lost"}
    )
    rows["level"] = rows["school"].map(register["level"])
    rows["year"] = rows["month"].dt.year - (rows["month"].dt.month < 9)
    return rows.sort_values(["school", "month"], ignore_index=True)


def _expected(
    register: pd.DataFrame, first: pd.Period, last: pd.Period
) -> list[tuple[str, pd.Period, str]]:
    """(school, month, level) for every month in which a school existed."""
    found = []
    for school, row in register.iterrows():
        begin = first if pd.isna(row["valid_from"]) else max(first, row["valid_from"])
        end = last if pd.isna(row["valid_to"]) else min(last, row["valid_to"])
        found += [(school, month, row["level"]) for month in pd.period_range(begin, end, freq="M")]
    return found


def _off(days: pd.DatetimeIndex, free: pd.DatetimeIndex, six_days: bool) -> np.ndarray:
    """Whether each day is a weekend or a public holiday."""
    return np.asarray((days.day_of_week > (5 if six_days else 4)) | days.isin(free))


def _made_up(rows: pd.DataFrame, start: pd.Period) -> pd.Series:
    """Days made up by each row; missing where no earlier year says what is usual."""
    before = rows[rows["month"] < start]
    usual = before.groupby(["level", before["month"].dt.month])["planned"].max()
    keys = pd.MultiIndex.from_arrays([rows["level"], rows["month"].dt.month])
    most = pd.Series(usual.reindex(keys).to_numpy(), rows.index)
    lost_before = rows["lost"].groupby([rows["school"], rows["year"]]).cumsum() > 0
    beyond = (rows["in_person"] + rows["online"] - most).clip(lower=0)
    return beyond.where(lost_before, 0.0)


# ------------------------------------------------------------------------------- decisions by day


def _grades(row: object, level: str) -> set[int]:
    """The grades of `level` that a row of school_closures binds."""
    if level not in row.levels:
        return set()
    if not row.grades:
        return set(GRADES[level])
    low, _, high = row.grades.partition("-")
    return set(GRADES[level]) & set(range(int(low), int(high or low) + 1))


def _decided(
    closures: pd.DataFrame, level: str, days: pd.DatetimeIndex
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What the decisions set for each day and grade (columns): the state, and the ids.

    The row that began last holds. The id is that of the row that keeps pupils from class: where
    lessons go on online while classrooms are closed, the row that closed them.
    """
    grades = list(GRADES[level])
    states = pd.DataFrame(IN_PERSON, days, grades)
    causes = pd.DataFrame("", days, grades)
    closed = pd.DataFrame("", days, grades)  # the row that closed, as long as it lasts
    rows = closures[closures["state"] != FRAME].sort_values("start", kind="stable")
    for row in rows.itertuples():
        within = slice(row.start, days[-1] if pd.isna(row.end) else row.end)
        for grade in _grades(row, level):
            states.loc[within, grade] = row.state
            if row.state == CLOSED:
                closed.loc[within, grade] = causes.loc[within, grade] = row.id
            elif row.state in (IN_PERSON, BREAK):
                closed.loc[within, grade] = causes.loc[within, grade] = ""
            else:
                under = closed.loc[within, grade]
                causes.loc[within, grade] = under.where(under != "", row.id)
    return states, causes


def _of_level(states: pd.DataFrame, causes: pd.DataFrame) -> pd.DataFrame:
    """State and decision of a level from those of its grades: `PARTIAL` where some are in class."""
    state = states.iloc[:, 0].copy()
    mixed = states.ne(state, axis=0).any(axis=1)
    some_in_class = states.isin([IN_PERSON, PARTIAL]).any(axis=1)
    state[mixed & some_in_class] = PARTIAL
    state[mixed & ~some_in_class] = ONLINE
    measure = causes.iloc[:, -1]
    for grade in reversed(causes.columns[:-1]):  # that of the lowest grade that has one
        measure = causes[grade].where(causes[grade] != "", measure)
    return pd.DataFrame({"state": state, "measure": measure}).rename_axis("day")


def _calendar(
    decided: pd.DataFrame, closures: pd.DataFrame, level: str, off: np.ndarray
) -> pd.DataFrame:
    """State and decision of every day, those that are `off` and those outside the frames of the
    level's school years set apart."""
    table, days = decided.copy(), decided.index
    frames = closures[
        (closures["state"] == FRAME) & closures["levels"].map(lambda levels: level in levels)
    ]
    framed = np.zeros(len(days), dtype=bool)
    for frame in frames.itertuples():
        framed |= np.asarray((days >= frame.start) & (days <= frame.end))
    table.loc[off | ~framed, "state"] = OFF
    table.loc[~framed, "measure"] = ""
    return table


def _spells(calendar: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Unbroken runs of days away from class by decision, weekends and holidays included."""
    found = []
    for level, table in calendar.items():
        away = table[table["measure"] != ""]
        runs = (away.index.to_series().diff() != pd.Timedelta(days=1)).cumsum()
        found += [
            (level, run.index[0], run.index[-1], len(run))
            for _, run in away.groupby(runs.to_numpy())
        ]
    return pd.DataFrame(found, columns=["level", "start", "end", "days"])


def _reasons(
    rows: pd.DataFrame, closures: pd.DataFrame, causes: dict[str, pd.Series]
) -> dict[tuple[str, pd.Period], dict[str, int]]:
    """For each school and month with lost days, how many are due to which decision.

    Schools report how many days of a month were lost, not which: they are taken from the days on
    which a decision kept pupils away, closures before online teaching, earlier before later. What is
    beyond them has no reason (""). `causes`: by level, the decision of each day on which schools may
    teach.
    """
    kinds = closures.set_index("id")["state"]
    by_month: dict[tuple[str, pd.Period], pd.Series] = {}
    for level, by_day in causes.items():
        away = by_day[by_day != ""]
        for month, of_month in away.groupby(away.index.to_period("M")):
            counts = of_month.groupby(of_month.to_numpy(), sort=False).size()
            by_month[level, month] = counts.iloc[
                np.argsort(counts.index.map(kinds) != CLOSED, kind="stable")
            ]
    found = {}
    for row in rows[rows["lost"] > 0].itertuples():
        left, shares = row.lost, {}
        for measure, days in by_month.get((row.level, row.month), pd.Series(dtype=int)).items():
            shares[measure] = min(left, int(days))
            left -= shares[measure]
        found[row.school, row.month] = {**shares, "": left}
    return found


# ------------------------------------------------------------------------------- sums over a span


def _weighted(rows: pd.DataFrame, column: pd.Series) -> pd.Series:
    """By month, the mean over schools weighted by pupils."""
    sums = (column * rows["pupils"]).groupby(rows["month"]).sum(skipna=False)
    return sums / rows["pupils"].groupby(rows["month"]).sum()


def _attendance(rows: pd.DataFrame) -> float:
    """Attended pupil-days as a share of pupil-days in class."""
    counted = rows.dropna(subset="attendance_share")
    offered = counted["pupils"] * counted["in_person"]
    if offered.sum() == 0:
        return np.nan
    return float((counted["attendance_share"] * offered).sum() / offered.sum())


def _by_level(
    rows: pd.DataFrame,
    levels: list[str],
    in_span: dict[int, pd.PeriodIndex],
    expected: list[tuple[str, pd.Period, str]],
    start: pd.Period,
) -> pd.DataFrame:
    found = []
    for span, months in in_span.items():
        for level in levels:
            own = rows[rows["level"] == level]
            here = own[own["month"].isin(months)]
            wanted = sum(of == level and month in months for _, month, of in expected)
            if not wanted:
                continue
            entry: dict[str, object] = {"span": span, "level": level}
            for name in DAYS:
                by_month = _weighted(here, here[name].astype(float))
                entry[name] = by_month.sum(min_count=1, skipna=False)
            entry["attendance"] = _attendance(here)
            usual = _usual(own, months, start)
            entry |= usual | {"reported": len(here), "expected": wanted}
            found.append(entry)
    return pd.DataFrame(found).set_index(["span", "level"])


def _usual(own: pd.DataFrame, months: pd.PeriodIndex, start: pd.Period) -> dict[str, float]:
    """The same months in earlier years, those with a report for each of them before `start`."""
    earlier = []
    back = months - 12
    while len(own) and back[-1] >= own["month"].min():
        here = own[own["month"].isin(back)]
        if back[-1] < start and back.isin(here["month"]).all():
            earlier.append(here)
        back = back - 12
    if not earlier:
        return {
            "usual_planned": np.nan,
            "usual_taught": np.nan,
            "usual_attendance": np.nan,
            "years": 0,
        }
    return {
        "usual_planned": float(np.mean([_weighted(h, h["planned"]).sum() for h in earlier])),
        "usual_taught": float(
            np.mean([_weighted(h, h["in_person"] + h["online"]).sum() for h in earlier])
        ),
        "usual_attendance": _attendance(pd.concat(earlier)),
        "years": len(earlier),
    }


def _by_school(
    rows: pd.DataFrame,
    register: pd.DataFrame,
    in_span: dict[int, pd.PeriodIndex],
    expected: list[tuple[str, pd.Period, str]],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    found, totals = [], []
    order = sorted(
        register.index, key=lambda school: list(GRADES).index(register.at[school, "level"])
    )
    for span, months in in_span.items():
        entries = []
        for school in order:
            here = rows[(rows["school"] == school) & rows["month"].isin(months)]
            wanted = sum(of == school and month in months for of, month, _ in expected)
            if not wanted:
                continue
            entries.append(
                {
                    "span": span,
                    "school": school,
                    "name": register.at[school, "name"],
                    "level": register.at[school, "level"],
                    "pupils": here["pupils"].iloc[-1] if len(here) else np.nan,
                    **{name: here[name].sum(min_count=1, skipna=False) for name in DAYS},
                    "attendance": _attendance(here),
                    "reported": len(here),
                    "expected": wanted,
                }
            )
        table = pd.DataFrame(entries)
        table["hidden"] = False
        for level, group in table.groupby("level", sort=False):
            mask, whole = disclosure.hidden(group["pupils"])
            table.loc[mask.index, "hidden"] = mask
            pupils = np.nan if whole else group["pupils"].sum(min_count=1)
            totals.append({"span": span, "level": level, "pupils": pupils, "hidden": whole})
        table.loc[table["hidden"], ["pupils", "attendance"]] = np.nan
        found.append(table)
    index = ["span", "school"]
    return pd.concat(found).set_index(index), pd.DataFrame(totals).set_index(["span", "level"])


def _explained(
    rows: pd.DataFrame,
    reasons: dict[tuple[str, pd.Period], dict[str, int]],
    closures: pd.DataFrame,
    levels: list[str],
    in_span: dict[int, pd.PeriodIndex],
) -> pd.DataFrame:
    """Lost days of an average pupil by span, level and decision, in the order of the decisions."""
    columns = ["span", "level", "measure", "days"]
    pupils = rows.groupby(["level", "month"])["pupils"].sum()
    parts = [
        (row.level, row.month, measure, days * row.pupils / pupils[row.level, row.month])
        for row in rows.itertuples()
        for measure, days in reasons.get((row.school, row.month), {}).items()
        if days
    ]
    table = pd.DataFrame(parts, columns=["level", "month", "measure", "days"])
    found = [
        (span, level, measure, days)
        for span, months in in_span.items()
        for (level, measure), days in table[table["month"].isin(months)]
        .groupby(["level", "measure"])["days"]
        .sum()
        .items()
    ]
    names = closures.set_index("id")
    order = {measure: place for place, measure in enumerate([*names.index, ""])}
    result = pd.DataFrame(found, columns=columns)
    result = result.sort_values(
        by=columns[:3],
        key=lambda column: (
            column.map(order if column.name == "measure" else {v: i for i, v in enumerate(levels)})
            if column.name != "span"
            else column
        ),
        ignore_index=True,
    )
    for language in ("vi", "en"):
        result[f"name_{language}"] = result["measure"].map(names[f"name_{language}"]).fillna("")
    return result
