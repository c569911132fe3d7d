"""Sheets: a sheet as it is read: the columns that are needed, and what is to be said of its cells."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal

from wardlib.data.intake.amounts import Reading
from wardlib.data.intake.grids import Grid, Place
from wardlib.data.intake.layouts import Head, Line, Table, View
from wardlib.data.intake.questions import ASKED
from wardlib.errors import ASK, REFUSE, Problem, said

MONTH, UNTIL = "month", "until"  # what a column of figures covers: its month, or the year up to it
_TOLD = 500  # problems of a kind in a sheet that are told one by one


@dataclass(frozen=True)
class Column:
    """A column that is needed: of which table, time and measure its figures are, whether of a month or of
    the year up to it, in which unit (`factor`, None where that is asked about, and the place that says so),
    with the lines that name one thing each and the reading of each line of the table, by row. `time` and
    `measure` are "" where the rows tell them."""

    table: Table
    head: Head
    kind: str
    span: str
    time: str
    measure: str
    status: str
    factor: Decimal | None
    unit: tuple[Place, str] | None
    items: dict[int, Line]
    readings: dict[int, Reading]


@dataclass
class Sheet:
    """A sheet as it is read: its problems, and the columns and figures that it gives."""

    file: str
    grid: Grid
    problems: list[Problem] = field(default_factory=list)
    columns: list[Column] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    left_out: set[int] = field(default_factory=set)
    blocked: set[str] = field(default_factory=set)
    told: set[Problem] = field(default_factory=set, repr=False)
    choices: dict[Problem, tuple[str, ...]] = field(default_factory=dict, repr=False)
    counts: Counter[str] = field(default_factory=Counter, repr=False)

    @property
    def incomplete(self) -> bool:
        """Whether rows of it are in question, so that its sums say nothing."""
        kinds = {"line_unknown", "line_ambiguous", "school_unknown", "hidden_row"}
        return bool(self.blocked) or any(problem.kind in kinds for problem in self.problems)

    def tell(
        self,
        kind: str,
        severity: str,
        place: Place | None,
        found: str,
        expected: str,
        fix: str,
        *,
        view: View | None = None,
        choices: tuple[str, ...] = (),
    ) -> None:
        """Add a problem at a place of the sheet, or of the sheet as a whole; of a question the `choices`
        where they are others than usual."""
        cell, row = "", 0
        if place is not None:
            original = view.original(place) if view else place
            cell = (view or View(self.grid)).name(place)
            row = original[0] + 1
        made = Problem(
            self.file, row, "", found, expected, fix, self.grid.name, cell, kind, severity
        )
        if made in self.told:
            return
        self.told.add(made)
        if severity == ASK:
            self.choices[made] = choices or ASKED[kind][1]
        self.counts[kind] += 1
        if self.counts[kind] <= _TOLD:
            self.problems.append(made)
        elif self.counts[kind] == _TOLD + 1:
            more = said(
                "more cells like those named, of which these are the first {count}", count=_TOLD
            )
            self.problems.append(replace(made, row=0, cell="", found=more))

    def tell_quarter(
        self, place: Place, text: str, *, or_until: bool = False, view: View | None = None
    ) -> None:
        """Refuse a quarter, or another span, where the figures of a month belong; or of the year up to one."""
        expected = said("the figures of one month")
        if or_until:
            expected = said("the figures of one month, or of the year up to one")
        found = said("a quarter: “{text}”", text=text)
        fix = said("ask the sender for the figures of each month")
        self.tell("quarter_for_month", REFUSE, place, found, expected, fix, view=view)
