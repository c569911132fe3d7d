"""The epidemic where a unit lies: its phases by month; measures by area, revenue line and sector.

Days and months are inclusive at both ends everywhere.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from wardlib.analysis.assumptions import Assumptions
from wardlib.analysis.results import Result
from wardlib.errors import RequestError, nearest, said
from wardlib.shown import brief

RESTRICTION, EASING = "restriction", "easing"


@dataclass(frozen=True, eq=False, repr=False)
class Epidemic(Result):
    """The phases of the epidemic where a unit lies; make one with `of`.

    `phases`: the rows of the table covid_phases that hold in one of `areas`, in the order of their
    start: at least `id, start, end, name_vi, name_en`. `areas` run from the country to the unit.
    `supposed_start`: the month in which an analyst has the effect start, in place of the first phase's;
    `recorded`: the first month of the epidemic, whatever an analyst supposes (see `supposing`).
    """

    phases: pd.DataFrame
    areas: tuple[str, ...]
    supposed_start: pd.Period | None = None
    recorded: pd.Period | None = None

    _tables = ("phases",)

    def _facts(self) -> dict[str, str]:
        spells = zip(self.phases["name_en"], self.phases["start"], self.phases["end"], strict=True)
        told = {str(name): f"{brief(start)} to {brief(end)}" for name, start, end in spells}
        return told | {"areas": ", ".join(self.areas)}

    @classmethod
    def of(cls, phases: pd.DataFrame | None, areas: tuple[str, ...]) -> Epidemic:
        """The epidemic in `areas`; without a phase where the ward has no table of them."""
        if phases is None:
            return cls(pd.DataFrame(columns=["id", "start", "end", "name_vi", "name_en"]), areas)
        here = [place for place, area in enumerate(phases["area"]) if area in areas]
        return cls(phases.iloc[here].sort_values("start", ignore_index=True), areas)

    @cached_property
    def start(self) -> pd.Period | None:
        """The month in which the effect starts: that of the first phase; None where there is none."""
        return self.supposed_start or self.first

    @cached_property
    def first(self) -> pd.Period | None:
        """The month in which the first phase began; None where there is none."""
        return self.phases["start"].min().to_period("M") if len(self.phases) else None

    def supposing(self, assumptions: Assumptions) -> Epidemic:
        """The epidemic with the phases and the start that are supposed. Raises RequestError for a phase that
        there is not here."""
        known = self.phases["id"].tolist()
        for phase in assumptions.phases:
            if phase not in known:
                raise RequestError(
                    said(
                        "there is no phase {phase}. Phases here: {phases}.",
                        phase=repr(phase),
                        phases=", ".join(known),
                    ),
                    nearest(phase, known),
                )
        kept = self.phases
        if assumptions.phases:
            kept = kept[kept["id"].isin(assumptions.phases)].reset_index(drop=True)
        start = pd.Period(assumptions.start, "M") if assumptions.start else None
        return replace(
            self, phases=kept, supposed_start=start, recorded=self.recorded or self.first
        )


def restrictions(
    measures: pd.DataFrame, areas: tuple[str, ...]
) -> list[tuple[int, str, datetime.date, datetime.date | None]]:
    """Each restriction of one of `areas` and the days on which it was in force: its place in `measures`, a
    sector ("" where it names none), start, end, None where none came. One of several sectors once for each.

    `measures` has the columns of the table covid_measures. A restriction without an end lasts, for each of
    its sectors, until the day before the next easing or the next restriction with an end that names the
    sector.
    """
    names = (measures[name].tolist() for name in ("area", "kind", "sectors"))
    ends = (measures[name].to_numpy().astype("datetime64[D]").tolist() for name in ("start", "end"))
    every = enumerate(zip(*names, *ends, strict=True))
    bound = [(place, *rest) for place, (area, *rest) in every if area in areas]
    ending = [
        (sectors, start)
        for _, kind, sectors, start, end in bound
        if kind == EASING or end is not None
    ]
    day = datetime.timedelta(days=1)
    found: list[tuple[int, str, datetime.date, datetime.date | None]] = []
    for place, kind, sectors, start, end in bound:
        if kind != RESTRICTION:
            continue
        for name in sectors or ("",):
            last = end
            if last is None:
                follows = [then for names, then in ending if then > start and name in names]
                last = min(follows) - day if follows else None
            found.append((place, name, start, last))
    return found


def in_force(
    measures: pd.DataFrame, areas: tuple[str, ...], *, line: str = "", sector: str = ""
) -> pd.DataFrame:
    """Days on which a restriction of one of `areas` was in force (see `restrictions`): columns `start`,
    `end`. `line` or `sector` keeps the restrictions that name it. `end` is missing where none came. Spells
    that touch or overlap are joined.
    """
    lines = measures["lines"].tolist()
    spells = [
        (start, last)
        for place, name, start, last in restrictions(measures, areas)
        if not (line and line not in lines[place]) and not (sector and name != sector)
    ]
    day = datetime.timedelta(days=1)
    joined: list[list[datetime.date | None]] = []
    for start, end in sorted(spells, key=lambda spell: spell[0]):
        if joined and (joined[-1][1] is None or start <= joined[-1][1] + day):
            last = joined[-1][1]
            joined[-1][1] = None if last is None or end is None else max(last, end)
        else:
            joined.append([start, end])
    days = np.array(joined, dtype="datetime64[D]").reshape(-1, 2)
    return pd.DataFrame(days.astype("datetime64[ns]"), columns=["start", "end"])


def segments(spells: pd.DataFrame, first: pd.Period, last: pd.Period) -> pd.DataFrame:
    """Every month from `first` to `last` in just one segment: a spell, or the time after one.

    `spells` has `start` and `end` (days; a missing end: still in force) and may have `id`, `name_vi`
    and `name_en`. A month belongs to the spell with the most days in it, to the earlier one of two
    with as many. Columns: `first`, `last` (months), `spell` (position in `spells` of the spell, or
    of the one before; -1 before the first), `inside` (whether the months are the spell's own).
    """
    span = pd.period_range(first, last, freq="M")
    owner = []
    for month in span:
        days = [
            (min(end, month.end_time) - max(start, month.start_time)).days + 1
            for start, end in zip(
                spells["start"], spells["end"].fillna(last.end_time.floor("D")), strict=True
            )
        ]
        owner.append(days.index(max(days)) if days and max(days) > 0 else None)
    parts: list[dict[str, object]] = []
    for month, spell in zip(span, owner, strict=True):
        inside = spell is not None
        if not inside:
            spell = int((spells["start"] <= month.start_time).sum()) - 1
        if parts and (parts[-1]["spell"], parts[-1]["inside"]) == (spell, inside):
            parts[-1]["last"] = month
        else:
            parts.append({"first": month, "last": month, "spell": spell, "inside": inside})
    return pd.DataFrame(parts, columns=["first", "last", "spell", "inside"])
