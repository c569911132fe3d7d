"""Schooling: days planned, in class, online, lost and made up, by level and school, and why lost.

A school reports days by month; decisions (the table school_closures) close schools by level and day.
Days of a level are the mean over its schools weighted by pupils: the days of an average pupil. Days
*lost* are planned - in class - recognised online. Days *made up* are those taught, from the first
month with a lost day on, beyond the most that an earlier year planned in the same calendar month.
School years run from September; months, days and ends are inclusive.
"""

from __future__ import annotations

from collections import Counter
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
    off = _off(days, free, six_days)
    in_order = list(closures.sort_values("start", kind="stable").itertuples())
    frames = [row for row in in_order if row.state == FRAME]
    rulings = [row for row in in_order if row.state != FRAME]
    decided = {level: _of_level(*_decided(rulings, level, days)) for level in levels}
    calendar = {
        level: _calendar(*of_level, days, frames, level, off)[first:]
        for level, of_level in decided.items()
    }
    rows["made_up"] = _made_up(rows, start)
    reasons = _reasons(
        rows, closures, {level: measure for level, (_, measure) in decided.items()}, days, off
    )
    in_span = {span: _months(row.first, row.last) for span, row in spans.iterrows()}
    expected = _expected(register, rows["month"].min(), period.last)
    known = set(zip(rows["school"], rows["at"], strict=True))
    shown = set().union(*in_span.values())
    by_school, totals = _by_school(rows, register, in_span, expected)
    by_level = _by_level(rows, register, levels, in_span, expected, start)
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
            (school, pd.Period(ordinal=month, freq="M"))
            for school, months in expected.items()
            for month in months
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
    """One row a school and month, with its `level`, the `year` in which its school year began, the
    month as an ordinal (`at`), and the pupil-days that were `offered` in class and `attended`."""
    rows = reported.rename(columns=lambda name: name.removesuffix("_days")).rename(
        columns={"closed": "lost"}
    )
    rows["level"] = rows["school"].map(register["level"])
    rows["year"] = rows["month"].dt.year - (rows["month"].dt.month < 9)
    rows["at"] = rows["month"].astype("int64")
    rows["offered"] = rows["pupils"] * rows["in_person"]
    rows["attended"] = rows["attendance_share"] * rows["offered"]
    return rows.sort_values(["school", "month"], ignore_index=True)


def _months(first: pd.Period, last: pd.Period) -> range:
    """The months from the first to the last, both inclusive, as ordinals."""
    return range(first.ordinal, last.ordinal + 1)


def _shared(some: range, others: range) -> int:
    """How many months two spells have in common."""
    return max(0, min(some.stop, others.stop) - max(some.start, others.start))


def _expected(register: pd.DataFrame, first: pd.Period, last: pd.Period) -> dict[str, range]:
    """The months in which each school existed."""
    return {
        row.Index: _months(
            first if pd.isna(row.valid_from) else max(first, row.valid_from),
            last if pd.isna(row.valid_to) else min(last, row.valid_to),
        )
        for row in register.itertuples()
    }


def _off(days: pd.DatetimeIndex, free: pd.DatetimeIndex, six_days: bool) -> np.ndarray:
    """Whether each day is a weekend or a public holiday."""
    return np.asarray((days.day_of_week > (5 if six_days else 4)) | days.isin(free))


def _made_up(rows: pd.DataFrame, start: pd.Period) -> pd.Series:
    """Days made up by each row; missing where no earlier year says what is usual."""
    before = rows[rows["month"] < start]
    months = rows["month"].dt.month
    usual = before.groupby(["level", months])["planned"].max().to_dict()
    most = np.array([usual.get(key, np.nan) for key in zip(rows["level"], months, strict=True)])
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
    rulings: list[tuple], level: str, days: pd.DatetimeIndex
) -> tuple[np.ndarray, np.ndarray]:
    """What the decisions, sorted by their start, set for each grade (rows) and day (columns): the
    states, and the ids.

    The row that began last holds. The id is that of the row that keeps pupils from class: where
    lessons go on online while classrooms are closed, the row that closed them.
    """
    grades = GRADES[level]
    states = np.full((len(grades), len(days)), IN_PERSON, dtype=object)
    causes = np.full(states.shape, "", dtype=object)
    closed = causes.copy()  # the row that closed, as long as it lasts
    for row in rulings:
        end = len(days) if pd.isna(row.end) else days.searchsorted(row.end, side="right")
        for grade in _grades(row, level):
            within = grades.index(grade), slice(days.searchsorted(row.start), end)
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
    days: pd.DatetimeIndex,
    frames: list[tuple],
    level: str,
    off: np.ndarray,
) -> pd.DataFrame:
    """State and decision of every day, those that are `off` and those outside the frames of the
    level's school years set apart."""
    framed = np.zeros(len(days), dtype=bool)
    for frame in frames:
        if level in frame.levels:
            framed |= np.asarray((days >= frame.start) & (days <= frame.end))
    columns = {
        "state": np.where(off | ~framed, OFF, state),
        "measure": np.where(framed, measure, ""),
    }
    return pd.DataFrame(columns, days, dtype="str").rename_axis("day")


def _spells(calendar: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Unbroken runs of days away from class by decision, weekends and holidays included."""
    found = []
    for level, table in calendar.items():
        away = np.flatnonzero(table["measure"] != "")
        runs = np.split(away, np.flatnonzero(np.diff(away) != 1) + 1)
        found += [
            (level, table.index[run[0]], table.index[run[-1]], len(run)) for run in runs if len(run)
        ]
    return pd.DataFrame(found, columns=["level", "start", "end", "days"])


def _reasons(
    rows: pd.DataFrame,
    closures: pd.DataFrame,
    causes: dict[str, np.ndarray],
    days: pd.DatetimeIndex,
    off: np.ndarray,
) -> dict[tuple[str, int], dict[str, int]]:
    """For each school and month (ordinal) with lost days, how many are due to which decision.

    Schools report how many days of a month were lost, not which: they are taken from the days on
    which a decision kept pupils away, closures before online teaching, earlier before later. What is
    beyond them has no reason (""). `causes`: by level, the decision of each day; schools do not teach
    on those that are `off`.
    """
    kinds = dict(zip(closures["id"], closures["state"], strict=True))
    months = days.to_period("M").astype("int64")
    by_month: dict[tuple[str, int], list[tuple[str, int]]] = {}
    for level, cause in causes.items():
        away = (cause != "") & ~off
        counted = Counter(zip(months[away], cause[away], strict=True))
        for (month, measure), count in sorted(
            counted.items(), key=lambda item: kinds[item[0][1]] != CLOSED
        ):
            by_month.setdefault((level, month), []).append((measure, count))
    found = {}
    for row in rows[rows["lost"] > 0].itertuples():
        left, shares = row.lost, {}
        for measure, count in by_month.get((row.level, row.at), ()):
            shares[measure] = min(left, count)
            left -= shares[measure]
        found[row.school, row.at] = {**shares, "": left}
    return found


# ------------------------------------------------------------------------------- sums over a span


def _means(rows: pd.DataFrame) -> pd.DataFrame:
    """By level and month (ordinal), the `DAYS` and those `taught` as a mean over the schools weighted
    by pupils."""
    by_month = [rows["level"], rows["at"]]
    days = rows[DAYS].assign(taught=rows["in_person"] + rows["online"]).astype(float)
    sums = days.mul(rows["pupils"], axis=0).groupby(by_month).sum(skipna=False)
    return sums.div(rows["pupils"].groupby(by_month).sum(), axis=0)


def _arrays(table: pd.DataFrame) -> dict[str, np.ndarray]:
    return {name: table[name].to_numpy() for name in table}


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
    rows: pd.DataFrame,
    register: pd.DataFrame,
    levels: list[str],
    in_span: dict[int, range],
    expected: dict[str, range],
    start: pd.Period,
) -> pd.DataFrame:
    means = _arrays(_means(rows).reset_index())
    means = {level: _where(means, means["level"] == level) for level in levels}
    pupils = _arrays(rows[["level", "at", "attended", "offered"]])
    pupils = {level: _where(pupils, pupils["level"] == level) for level in levels}
    found = []
    for span, months in in_span.items():
        for level in levels:
            wanted = sum(
                _shared(existed, months)
                for school, existed in expected.items()
                if register.at[school, "level"] == level
            )
            if not wanted:
                continue
            by_month = _within(means[level], months)
            here = _within(pupils[level], months)
            found.append(
                {
                    "span": span,
                    "level": level,
                    **{name: _sum(by_month[name]) for name in DAYS},
                    "attendance": _attendance(here["attended"], here["offered"]),
                    **_usual(means[level], pupils[level], months, start),
                    "reported": len(here["at"]),
                    "expected": wanted,
                }
            )
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
    rows: pd.DataFrame,
    register: pd.DataFrame,
    in_span: dict[int, range],
    expected: dict[str, range],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    found, totals = [], []
    order = sorted(
        register.index, key=lambda school: list(GRADES).index(register.at[school, "level"])
    )
    reports = _arrays(rows[["school", "at", "pupils", *DAYS, "attended", "offered"]])
    by_school = {school: _where(reports, reports["school"] == school) for school in order}
    for span, months in in_span.items():
        entries = []
        for school in order:
            wanted = _shared(expected[school], months)
            if not wanted:
                continue
            here = _within(by_school[school], months)
            reported = len(here["at"])
            entries.append(
                {
                    "span": span,
                    "school": school,
                    "name": register.at[school, "name"],
                    "level": register.at[school, "level"],
                    "pupils": here["pupils"][-1] if reported else np.nan,
                    **{name: _sum(here[name]) for name in DAYS},
                    "attendance": _attendance(here["attended"], here["offered"]),
                    "reported": reported,
                    "expected": wanted,
                }
            )
        table = pd.DataFrame(entries)
        hidden = []
        for level, group in table.groupby("level", sort=False)["pupils"]:
            mask, whole = disclosure.hidden(group)
            hidden.append(mask)
            pupils = np.nan if whole else group.sum(min_count=1)
            totals.append({"span": span, "level": level, "pupils": pupils, "hidden": whole})
        table["hidden"] = pd.concat(hidden)
        table.loc[table["hidden"], ["pupils", "attendance"]] = np.nan
        found.append(table)
    index = ["span", "school"]
    return pd.concat(found).set_index(index), pd.DataFrame(totals).set_index(["span", "level"])


def _explained(
    rows: pd.DataFrame,
    reasons: dict[tuple[str, int], dict[str, int]],
    closures: pd.DataFrame,
    levels: list[str],
    in_span: dict[int, range],
) -> pd.DataFrame:
    """Lost days of an average pupil by span, level and decision, in the order of the decisions."""
    pupils = rows.groupby(["level", "at"])["pupils"].sum().to_dict()
    parts = [
        (row.level, row.at, measure, days * row.pupils / pupils[row.level, row.at])
        for row in rows.itertuples()
        for measure, days in reasons.get((row.school, row.at), {}).items()
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
    found.sort(key=lambda row: (row[0], levels.index(row[1]), order[row[2]]))
    result = pd.DataFrame(found, columns=["span", "level", "measure", "days"])
    for language in ("vi", "en"):
        result[f"name_{language}"] = result["measure"].map(names[f"name_{language}"]).fillna("")
    return result
