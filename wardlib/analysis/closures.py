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

    def calendar(self, first: pd.Period) -> dict[str, pd.DataFrame]:
        """By level, a row a day from the month `first` on: `state`, `OFF` on days that are off or in no
        school year, and `measure`."""
        index = pd.date_range(first.start_time, self.days[-1], name="day")
        shown = slice(-len(index), None)
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


def spells(calendar: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Unbroken runs of days away from class by decision, weekends and holidays included: columns
    `level, start, end, days`."""
    runs_away = []
    for level, table in calendar.items():
        away = np.flatnonzero(table["measure"].to_numpy() != "")
        runs = np.split(away, np.flatnonzero(np.diff(away) != 1) + 1)
        runs_away += [
            (level, table.index[run[0]], table.index[run[-1]], len(run)) for run in runs if len(run)
        ]
    return pd.DataFrame(runs_away, columns=["level", "start", "end", "days"])


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
