"""School closures: what the decisions set for each level on each day, and which kept pupils from class.

A decision (a row of the table school_closures) binds levels, or grades of them, from a day to a day,
both inclusive; the one that began last holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wardlib.analysis.tables import Bools, Days

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
_Texts = NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Closures:
    """What the decisions set on each of `days`, without gap; make one with `of`.

    `off`: the days on which no school teaches. By level and day: `states`; `measures`, the id of the
    decision that keeps pupils from class, "" where none does: where lessons go on online while
    classrooms are closed, the decision that closed them; `framed`, whether the day lies in a school year.
    `closing`: the ids of decisions that close.
    """

    days: Days
    off: Bools
    states: dict[str, _Texts]
    measures: dict[str, _Texts]
    framed: dict[str, Bools]
    closing: frozenset[str]

    @classmethod
    def of(cls, table: pd.DataFrame, levels: Iterable[str], days: Days, off: Bools) -> Closures:
        """The decisions of `table` for `levels`; a school year whose end is not known is left out."""
        decisions = _decisions(table, days)
        rulings = [decision for decision in decisions if decision.state != FRAME]
        decided = {level: _of_level(*_of_grades(rulings, level, len(days))) for level in levels}
        return cls(
            days=days,
            off=off,
            states={level: states for level, (states, _) in decided.items()},
            measures={level: measures for level, (_, measures) in decided.items()},
            framed={level: _framed(decisions, level, len(days)) for level in decided},
            closing=frozenset(table["id"][table["state"] == CLOSED]),
        )

    def calendar(self, first: np.datetime64, last: np.datetime64) -> dict[str, pd.DataFrame]:
        """By level, a row a day from `first` to `last`, both among `days` and inclusive: `state`, `OFF`
        on days that are off or in no school year, and `measure`."""
        begin, end = self.days.searchsorted([first, last]).tolist()
        shown = slice(begin, end + 1)
        index = pd.DatetimeIndex(self.days[shown].astype("datetime64[ns]"), name="day")
        tables = {}
        for level, states in self.states.items():
            framed = self.framed[level]
            columns = {
                "state": np.where(self.off | ~framed, OFF, states)[shown],
                "measure": np.where(framed, self.measures[level], "")[shown],
            }
            tables[level] = pd.DataFrame(columns, index, dtype="str")
        return tables

    def kept_away(self) -> dict[tuple[str, int], list[tuple[str, int]]]:
        """By level and month (ordinal), how many school days each decision took, closures first, then
        the earlier before the later."""
        months = self.days.astype("datetime64[M]").astype("int64")
        by_month: dict[tuple[str, int], list[tuple[str, int]]] = {}
        for level, measures in self.measures.items():
            away = (measures != "") & ~self.off
            counted = Counter(zip(months[away].tolist(), measures[away].tolist(), strict=True))
            for (month, measure), count in sorted(
                counted.items(), key=lambda item: item[0][1] not in self.closing
            ):
                by_month.setdefault((level, month), []).append((measure, count))
        return by_month


def spells(closures: Closures, first: np.datetime64, last: np.datetime64) -> pd.DataFrame:
    """Unbroken runs of days away from class by decision that touch the days from `first` to `last`.

    A run is counted from its own beginning, weekends, holidays and summers that a decision covers
    included, to `last` at most; days off between two decisions do not end it. Columns `level, start,
    end` (inclusive); `days` of the calendar; `school_days`, those of them on which there would have been
    school, missing where no school year of the level is known; `summer`, whether days outside school
    years lie inside; `until`, the day on which the decisions end it, NaT where none does.
    """
    rows = []
    for level, measures in closures.measures.items():
        framed = closures.framed[level]
        idle = closures.off & framed
        for begin, end in _runs(measures != "", idle):
            if closures.days[end - 1] < first or closures.days[begin] > last:
                continue
            cut = min(end, int(closures.days.searchsorted(last, side="right")))
            within = slice(begin, cut)
            known = framed.any()
            rows.append(
                {
                    "level": level,
                    "start": closures.days[begin],
                    "end": closures.days[cut - 1],
                    "days": cut - begin,
                    "school_days": (framed & ~closures.off)[within].sum() if known else np.nan,
                    "summer": bool(known and not framed[within].all()),
                    # A run up to the last day of all has no known end.
                    "until": closures.days[end - 1]
                    if end < len(measures)
                    else np.datetime64("NaT"),
                }
            )
    columns = ["level", "start", "end", "days", "school_days", "summer", "until"]
    dates = dict.fromkeys(["start", "end", "until"], "datetime64[ns]")
    return pd.DataFrame(rows, columns=columns).astype(dates)


def _runs(away: Bools, idle: Bools) -> list[tuple[int, int]]:
    """The runs of `away`, those joined between which all days are `idle`: first place, and that after
    the last."""
    edges = np.flatnonzero(np.diff(np.r_[False, away, False])).reshape(-1, 2).tolist()
    joined: list[tuple[int, int]] = []
    for begin, end in edges:
        if joined and idle[joined[-1][1] : begin].all():
            begin, _ = joined.pop()
        joined.append((begin, end))
    return joined


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

    def of(self, level: str) -> set[int]:
        """The grades of `level` that the decision binds."""
        if level not in self.levels:
            return set()
        if not self.grades:
            return set(GRADES[level])
        low, _, high = self.grades.partition("-")
        return set(GRADES[level]) & set(range(int(low), int(high or low) + 1))


def _decisions(table: pd.DataFrame, days: Days) -> list[_Decision]:
    """The decisions in the order of their start, without school years whose end is not known."""
    in_order = table.sort_values("start", kind="stable")
    begin, end = (in_order[name].to_numpy() for name in ("start", "end"))
    known = (in_order["state"] != FRAME) | ~np.isnat(end)
    columns = [in_order[name] for name in ("id", "state", "levels", "grades")]
    # A missing end is after all days.
    places = days.searchsorted(begin).tolist(), days.searchsorted(end, side="right").tolist()
    rows = zip(*columns, *places, strict=True)
    return [_Decision(*row) for row, known in zip(rows, known, strict=True) if known]


def _framed(decisions: list[_Decision], level: str, days: int) -> Bools:
    """Whether each day lies in a school year of the level."""
    framed = np.zeros(days, dtype=bool)
    for decision in decisions:
        if decision.state == FRAME and level in decision.levels:
            framed[decision.begin : decision.end] = True
    return framed


def _of_grades(rulings: list[_Decision], level: str, days: int) -> tuple[_Texts, _Texts]:
    """What the decisions, sorted by their start, set for each grade of a level (rows) and day
    (columns): the states, and the ids of those that keep pupils from class."""
    grades = GRADES[level]
    states = np.full((len(grades), days), IN_PERSON)
    causes = np.full(states.shape, "", np.array(["", *(ruling.id for ruling in rulings)]).dtype)
    closed = causes.copy()  # the decision that closed, as long as it lasts
    for ruling in rulings:
        for grade in ruling.of(level):
            within = grades.index(grade), slice(ruling.begin, ruling.end)
            states[within] = ruling.state
            if ruling.state == CLOSED:
                closed[within] = causes[within] = ruling.id
            elif ruling.state in (IN_PERSON, BREAK):
                closed[within] = causes[within] = ""
            else:
                under = closed[within]
                causes[within] = np.where(under != "", under, ruling.id)
    return states, causes


def _of_level(states: _Texts, causes: _Texts) -> tuple[_Texts, _Texts]:
    """State and decision of a level by day from those of its grades: `PARTIAL` where some are in
    class."""
    mixed = (states != states[0]).any(axis=0)
    some_in_class = ((states == IN_PERSON) | (states == PARTIAL)).any(axis=0)
    state = np.where(mixed, np.where(some_in_class, PARTIAL, ONLINE), states[0])
    measure = causes[-1]
    for cause in causes[-2::-1]:  # that of the lowest grade that has one
        measure = np.where(cause != "", cause, measure)
    return state, measure
