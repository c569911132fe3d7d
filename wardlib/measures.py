"""When the epidemic's measures were in force: by area, revenue line and sector; phases by month.

Days and months are inclusive at both ends everywhere.
"""

from __future__ import annotations

import pandas as pd

RESTRICTION, EASING = "restriction", "easing"


def in_force(
    measures: pd.DataFrame, areas: tuple[str, ...], *, line: str = "", sector: str = ""
) -> pd.DataFrame:
    """Days on which a restriction of one of `areas` was in force: columns `start`, `end`.

    `measures` has the columns of the table covid_measures; `line` or `sector` keeps the restrictions
    that name it. A restriction without an end lasts, for each of its sectors, until the day before
    the next easing or the next restriction with an end that names the sector; `end` is missing where
    none came. Spells that touch or overlap are joined.
    """
    columns = (measures[name] for name in ("area", "kind", "lines", "sectors", "start", "end"))
    bound = [row for area, *row in zip(*columns, strict=True) if area in areas]
    ending = [
        (sectors, start)
        for kind, _, sectors, start, end in bound
        if kind == EASING or pd.notna(end)
    ]
    spells = []
    for kind, lines, sectors, start, end in bound:
        if kind != RESTRICTION or (line and line not in lines):
            continue
        for name in sectors or ("",):
            if sector and name != sector:
                continue
            last = end
            if pd.isna(last):
                follows = [day for names, day in ending if day > start and name in names]
                last = min(follows, default=pd.NaT) - pd.Timedelta(days=1)
            spells.append((start, last))
    joined: list[list[pd.Timestamp]] = []
    for start, end in sorted(spells, key=lambda spell: spell[0]):
        if joined and (pd.isna(joined[-1][1]) or start <= joined[-1][1] + pd.Timedelta(days=1)):
            last = joined[-1][1]
            joined[-1][1] = pd.NaT if pd.isna(last) or pd.isna(end) else max(last, end)
        else:
            joined.append([start, end])
    return pd.DataFrame(joined, columns=["start", "end"], dtype="datetime64[ns]")


def of_areas(phases: pd.DataFrame | None, areas: tuple[str, ...]) -> pd.DataFrame:
    """The rows of the table covid_phases that hold in one of `areas`, in order; none without it."""
    if phases is None:
        return pd.DataFrame(columns=["id", "start", "end", "name_vi", "name_en"])
    return phases[phases["area"].isin(areas)].sort_values("start", ignore_index=True)


def first_month(spells: pd.DataFrame) -> pd.Period | None:
    """The month in which the first spell began; None where there is none."""
    return spells["start"].min().to_period("M") if len(spells) else None


def segments(spells: pd.DataFrame, first: pd.Period, last: pd.Period) -> pd.DataFrame:
    """Every month from `first` to `last` in just one segment: a spell, or the time after one.

    `spells` has `start` and `end` (days; a missing end: still in force) and may have `id`, `name_vi`
    and `name_en`. A month belongs to the spell with the most days in it, to the earlier one of two
    with as many. Columns: `first`, `last` (months), `spell` (position in `spells` of the spell, or
    of the one before; -1 before the first), `inside` (whether the months are the spell's own).
    """
    months = pd.period_range(first, last, freq="M")
    owner = []
    for month in months:
        days = [
            (min(end, month.end_time) - max(start, month.start_time)).days + 1
            for start, end in zip(
                spells["start"], spells["end"].fillna(last.end_time.floor("D")), strict=True
            )
        ]
        owner.append(days.index(max(days)) if days and max(days) > 0 else None)
    rows: list[dict[str, object]] = []
    for month, spell in zip(months, owner, strict=True):
        inside = spell is not None
        if not inside:
            spell = int((spells["start"] <= month.start_time).sum()) - 1
        if rows and (rows[-1]["spell"], rows[-1]["inside"]) == (spell, inside):
            rows[-1]["last"] = month
        else:
            rows.append({"first": month, "last": month, "spell": spell, "inside": inside})
    return pd.DataFrame(rows, columns=["first", "last", "spell", "inside"])


def months(spells: pd.DataFrame, last: pd.Period) -> set[pd.Period]:
    """Every month, up to `last`, with a day of a spell."""
    return {
        month
        for start, end in zip(
            spells["start"], spells["end"].fillna(last.end_time.floor("D")), strict=True
        )
        for month in pd.period_range(start, min(end, last.end_time), freq="M")
    }
