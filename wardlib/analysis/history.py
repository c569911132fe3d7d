"""History: every report of every receipt, what changed since a day, and what bears on a month of a line."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import pandas as pd

from wardlib.analysis import arrivals, epidemic, relief
from wardlib.analysis.effects import Effects, family
from wardlib.analysis.relief import Rule
from wardlib.analysis.results import CURRENCY, Result
from wardlib.analysis.tables import Tables, need
from wardlib.periods import Period

COLLECTED, KEPT = "collected", "kept"  # the measures of a receipt
_FIGURE = ["line", "month", "measure"]
_WHERE = ["name", "sheet", "cell"]


@dataclass(frozen=True, repr=False)
class History(Result):
    """What was reported when.

    - `reports`: a row a report of a figure, a figure being a measure of a line in a month: `line`, `month`,
      `measure`, `reported_on`, `estimate`, `value`, `before` (of the report before it; missing where it is
      the first), `name` of the file that it came in, `sheet`, `cell`, all "" where it was entered by hand,
      `row` of the table's file. By figure, then by day.
    - `measures`: a row a restriction where the unit lies that had begun by `day`: `id`, `lines` that it
      names, `start`, `end` (days, inclusive, of several sectors from the first to the last; missing where
      it was in force after `day`). By start.
    - `rules`: by line, the relief that touches it (`relief.rules_by_line`) and was known on `day`.
    - `effects`: what the months brought against what was to be expected.
    - `day`: nothing later is told.
    """

    effects: Effects
    day: datetime.date
    reports: pd.DataFrame
    measures: pd.DataFrame
    rules: Mapping[str, Sequence[Rule]]

    _tables = ("reports", "measures")
    _units: ClassVar = {"value": CURRENCY, "before": CURRENCY}

    def _facts(self) -> dict[str, str]:
        days = self.reports["reported_on"]
        return {
            "reports": f"{len(days)}, of {len(self.reports[_FIGURE].drop_duplicates())} figures",
            "reported": f"{days.min():%Y-%m-%d} to {days.max():%Y-%m-%d}" if len(days) else "never",
        }

    @property
    def period(self) -> Period:
        return self.effects.period

    def reports_of(self, line: str, month: pd.Period, measure: str = COLLECTED) -> pd.DataFrame:
        """The reports of one figure, by day."""
        own: pd.DataFrame = self.reports.iloc[self._places.get((line, month, measure), [])]
        return own

    @cached_property
    def _places(self) -> Mapping[Any, Any]:
        """Where the reports of each figure stand."""
        return self.reports.groupby(_FIGURE, sort=False).indices

    def in_force(self, line: str, month: pd.Period) -> pd.DataFrame:
        """Those of `measures` that named the line or a part of it and were in force on some day of the month;
        of one after `day` none, as it was not known which would be."""
        lines = {*family(self.effects.receipts.parts, line)}
        own = self.measures
        within = (own["start"] <= month.end_time) & ~(own["end"] < month.start_time)
        within &= month.start_time <= pd.Timestamp(self.day)
        named = own["lines"].map(lambda names: not lines.isdisjoint(names)).astype(bool)
        return own[within & named]

    def touching(self, line: str, month: pd.Period) -> list[Rule]:
        """The rules that touch the month, of the line or a part of it, each once."""
        lines = family(self.effects.receipts.parts, line)
        found = {
            rule.id: rule
            for own in lines
            for rule in self.rules.get(own, ())
            if rule.first <= month <= rule.last
        }
        return [found[name] for name in sorted(found)]

    def changed(self, since: datetime.date) -> Changes:
        """What is known of every figure, against what was known on the day `since`."""
        earlier = self.reports[self.reports["reported_on"] <= pd.Timestamp(since)]
        now, then = (own.drop_duplicates(_FIGURE, keep="last") for own in (self.reports, earlier))
        then = then[[*_FIGURE, "value", "estimate"]].rename(columns={"value": "before"})
        now = now.drop(columns=["before", "estimate"]).rename(columns={"value": "now"})
        known = now.merge(then, on=_FIGURE)
        figures = known.assign(change=known["now"] - known["before"])
        figures = figures[figures["change"] != 0]
        size = figures["change"].abs().groupby([figures["line"], figures["month"]]).transform("max")
        figures = figures.assign(size=-size).sort_values(["size", *_FIGURE], ignore_index=True)
        columns = [*_FIGURE, "before", "now", "change", "estimate", "reported_on", *_WHERE, "row"]
        new = len(now) - len(known)
        return Changes(self.period, since, figures[columns], new, origin=self.origin)


@dataclass(frozen=True, repr=False)
class Changes(Result):
    """What changed since a day: `figures`, a row a figure that differs: `line`, `month`, `measure`, `before`
    (known on that day) and `now`, `change` = now - before, `estimate` (whether `before` was one),
    `reported_on`, `name`, `sheet`, `cell`, `row` of the newest report; the line and month with the largest change
    first. `new`: how many figures were not known on that day: they have no `before`, which is not zero."""

    period: Period
    since: datetime.date
    figures: pd.DataFrame
    new: int

    _tables = ("figures",)
    _units: ClassVar = dict.fromkeys(("before", "now", "change"), CURRENCY)


def trace(every: Tables, rows: Sequence[int], effects: Effects, day: datetime.date) -> History:
    """The history of the receipts as known on `day`. `every` gives a table with every report of each figure;
    `rows`: on which line of its file each row of the receipts stands."""
    lines, areas = effects.lines.index, effects.epidemic.areas
    return History(
        effects,
        day,
        _reports(need(every, "receipts"), rows, arrivals.origins(every)),
        _measures(every("covid_measures"), areas, day),
        relief.rules_by_line(_issued(every("tax_relief"), day), areas, lines),
    )


def _reports(receipts: pd.DataFrame, rows: Sequence[int], origins: pd.DataFrame) -> pd.DataFrame:
    """A row a report, as in `History`."""
    kept = ["line", "month", "reported_on", "estimate", "row"]
    own = receipts.assign(estimate=receipts["status"] == "estimate", row=list(rows))
    long = own.melt(kept, [COLLECTED, KEPT], var_name="measure")
    long["value"] = long["value"].astype(float)
    origins = origins[origins["table"] == "receipts"]
    placed = long.assign(time=long["month"].astype(str)).merge(
        origins.rename(columns={"item": "line"})[
            ["line", "time", "measure", "reported_on", *_WHERE]
        ],
        how="left",
        on=["line", "time", "measure", "reported_on"],
    )
    placed[_WHERE] = placed[_WHERE].fillna("")
    placed = placed.sort_values([*_FIGURE, "reported_on"], kind="stable", ignore_index=True)
    placed["before"] = placed.groupby(_FIGURE, sort=False)["value"].shift()
    order = [*_FIGURE, "reported_on", "estimate", "value", "before", *_WHERE, "row"]
    return placed[order]


def _issued(given: pd.DataFrame | None, day: datetime.date) -> pd.DataFrame | None:
    """The rows of the table tax_relief that were known on `day`: in force, or of a document of which another row
    says that it was; where no row says so of any of its documents, those whose months had begun."""
    if given is None:
        return None
    names = [document.split("; ") for document in given["document"]]
    begun = given["in_force"].tolist()
    first: dict[str, pd.Timestamp] = {}
    for documents, since in zip(names, begun, strict=True):
        if pd.notna(since):
            first |= {name: min(since, first.get(name, since)) for name in documents if name}
    known = []
    for documents, since, start in zip(names, begun, given["period_start"], strict=True):
        dated = [first[name] for name in documents if name in first]
        own = since if pd.notna(since) else max(dated, default=start.start_time)
        known.append(own <= pd.Timestamp(day))
    return given[known]


def _measures(
    measures: pd.DataFrame | None, areas: tuple[str, ...], day: datetime.date
) -> pd.DataFrame:
    """The restrictions, as in `History`; none where the unit has no table of measures."""
    rows = []
    if measures is not None:
        measures = measures[measures["start"] <= pd.Timestamp(day)]
        ids, lines = measures["id"].tolist(), measures["lines"].tolist()
        spells: dict[int, list[tuple[datetime.date, datetime.date | None]]] = {}
        for place, _, start, end in epidemic.restrictions(measures, areas):
            spells.setdefault(place, []).append((start, end))
        for place, own in spells.items():
            ends = [end for _, end in own if end is not None and end <= day]
            last = max(ends) if len(ends) == len(own) else None
            rows.append((ids[place], lines[place], min(start for start, _ in own), last))
    found = pd.DataFrame(rows, columns=["id", "lines", "start", "end"])
    found = found.astype({"start": "datetime64[s]", "end": "datetime64[s]"})
    return found.sort_values(["start", "id"], ignore_index=True)
