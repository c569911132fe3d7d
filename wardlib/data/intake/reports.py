"""Reports: what an intake has understood, would write, asks and refuses, in words and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from wardlib.data.intake import months
from wardlib.data.intake.arrivals import NEW, REVISED, SAME, Arrival
from wardlib.data.intake.examination import ACCEPT, Examination, Examined
from wardlib.data.intake.grids import letters
from wardlib.data.intake.questions import ASKED
from wardlib.data.intake.sheets import UNTIL, Column
from wardlib.errors import ASK, NOTE, Numeral, Problem
from wardlib.language import NONE, Language


def as_json(taken: Examination, language: Language, *, applied: bool) -> str:
    """The whole for programs: the outcome, and by file the rows, figures, problems, notes and questions."""
    files = [_file(own, language) for own in taken.files]
    told: dict[str, Any] = {
        "ward": taken.ward.id,
        "reported_on": taken.reported_on.isoformat(),
        "outcome": taken.outcome,
        "written": applied and taken.outcome == ACCEPT and bool(taken.rows),
        "files": files,
    }
    return json.dumps(told, indent=1)


def _file(own: Examined, language: Language) -> dict[str, Any]:
    told = [problem for problem in own.problems if problem.severity != NOTE]
    return {
        "file": own.name,
        "outcome": own.outcome,
        "kind": own.file.kind if own.file else "",
        "encoding": own.file.encoding if own.file else "",
        "sheets": [
            {"sheet": sheet.grid.name, "understood": [understood(column, language) for column in sheet.columns], "units": sheet.units}
            for sheet in own.sheets
        ],
        "rows": [_row(arrival) for arrival in own.arrivals if arrival.change != SAME and not arrival.clash],
        "figures": [
            {"change": arrival.change, "table": arrival.table} | arrival.cells | {
                "before": arrival.before,
                "from": {column: {"sheet": figure.sheet, "cell": figure.cell, "text": figure.text} for column, figure in arrival.figures.items()},
            }
            for arrival in own.arrivals
        ],
        "problems": [_problem(own, problem, language) for problem in told],
        "notes": [_problem(own, problem, language) for problem in own.problems if problem.severity == NOTE],
        "questions": [
            {"name": name, "choices": list(choices), "places": [_place(problem) for problem in told if problem.kind == kind]}
            for kind in dict.fromkeys(problem.kind for problem in told if problem.severity == ASK)
            for name, choices in [ASKED[kind]]
        ],
    }  # fmt: skip


def _row(arrival: Arrival) -> dict[str, Any]:
    """A row as it is written, with its numbers as numbers."""
    cells: dict[str, Any] = {"table": arrival.table}
    for column, text in arrival.cells.items():
        if column == "reported_on":
            continue
        if column in arrival.figures or column == "year":
            number = Decimal(text)
            cells[column] = int(number) if number == number.to_integral_value() else float(number)
        else:
            cells[column] = text or None
    return cells


def _problem(own: Examined, problem: Problem, language: Language) -> dict[str, Any]:
    say = language.say
    told: dict[str, Any] = {
        "kind": problem.kind,
        "severity": problem.severity,
        "sheet": problem.sheet or None,
        "cell": problem.cell or None,
        "found": say(problem.found),
        "expected": say(problem.expected),
        "fix": say(problem.fix),
    }
    return told | ({"answers": own.choices(problem)} if problem.severity == ASK else {})


def _place(problem: Problem) -> str:
    return f"{problem.sheet}!{problem.cell}" if problem.cell else problem.sheet


def understood(column: Column, language: Language) -> str:
    """What a column was taken for: "E: thu NSNN, 01/2022, thực hiện; nghìn đồng (G5)"."""
    text = language.text
    view = column.table.view
    row, at = view.original((0, column.head.column))
    place = text("row {row}", row=str(row + 1)) if view.turned else letters(at)
    parts = [measure(column.kind, column.measure, language)]
    if column.time:
        parts.append(
            text("from January to {month}", month=months.shown(column.time))
            if column.span == UNTIL
            else months.shown(column.time)
        )
    if column.status:
        parts.append(text("actual") if column.status == "actual" else text("estimate"))
    said = f"{place}: {', '.join(parts)}"
    if column.unit:
        said += "; " + text(
            "unit {unit} ({cell})", unit=f"“{column.unit[1]}”", cell=_unit_cell(column)
        )
    return said


def _unit_cell(column: Column) -> str:
    assert column.unit
    inside = any(column.unit[0] == place for place, _ in column.head.levels)
    row, at = column.table.view.original(column.unit[0]) if inside else column.unit[0]
    return f"{letters(at)}{row + 1}"


def measure(table: str, name: str, language: Language) -> str:
    """The words of a measure of a table; of a target who set it."""
    text = language.text
    if name in ("upper", "ward"):
        return (
            text("plan set by the upper level")
            if name == "upper"
            else text("plan set by the ward council")
        )
    return language.words("measure")[name or "collected"]


def lines(taken: Examination, language: Language, *, applied: bool) -> Iterator[str]:
    """The report as a clerk reads it on the screen."""
    text = language.text
    for own in taken.files:
        yield from _about(own, language)
        changes = Counter(arrival.change for arrival in own.arrivals if not arrival.clash)
        if own.arrivals and own.outcome == ACCEPT:
            yield "  " + text(
                "{new} new, {revised} revised, {same} known already",
                new=str(changes[NEW]),
                revised=str(changes[REVISED]),
                same=str(changes[SAME]),
            )
            for arrival in own.arrivals:
                if arrival.change != SAME:
                    yield f"  {_change(arrival, taken, language)}"
        for severity, head in (
            ("refuse", text("refused:")),
            (ASK, text("to be decided:")),
            (NOTE, text("to be known:")),
        ):
            those = [problem for problem in own.problems if problem.severity == severity]
            if those:
                yield f"  {head}"
                yield from _told(own, those, language)
    yield _end(taken, language, applied=applied)


def _told(own: Examined, problems: list[Problem], language: Language) -> Iterator[str]:
    """Problems in words; those of one kind that want the same are told together, place by place."""
    alike: dict[tuple[str, ...], list[Problem]] = {}
    for problem in problems:
        key = problem.kind, problem.sheet, problem.expected, problem.fix, *own.choices(problem)
        alike.setdefault(key, []).append(problem)
    for those in alike.values():
        for problem in those:
            yield f"    {problem.place(language)}"
            yield f"      {problem.texts(language)[0]}"
        yield from (f"      {line}" for line in those[0].texts(language)[1:])
        yield from (f"          {answer}" for answer in own.choices(those[0]))


def _about(own: Examined, language: Language) -> Iterator[str]:
    about = (
        f"{own.file.kind}{', ' + own.file.encoding if own.file.encoding else ''}"
        if own.file
        else ""
    )
    yield f"{own.name}{f' ({about})' if about else ''}"
    for sheet in own.sheets:
        if sheet.columns:
            yield f"  {sheet.grid.name or own.name}"
            for column in sheet.columns:
                yield f"    {understood(column, language)}"


def _change(arrival: Arrival, taken: Examination, language: Language) -> str:
    """A row as it would be written: what, when, each figure with its cell, and what it was before."""
    text = language.text
    word = text("new") if arrival.change == NEW else text("revised")
    parts = []
    for column, figure in arrival.figures.items():
        now = shown(arrival.cells[column], language, column)
        said = f"{measure(arrival.table, column, language)} "
        then = arrival.before.get(column)
        if arrival.change == REVISED and then is not None and then != arrival.cells[column]:
            said += f"{shown(then, language, column)} → "
        said += f"{now} ({figure.cell})"
        parts.append(said)
    item, _, setter = arrival.item.partition(":")
    name = taken.names.get(item) or language.words("field").get(item, item)
    whose = f" ({measure(arrival.table, setter, language)})" if setter else ""
    return f"{word} {months.shown(arrival.time)} {name}{whose}: {'; '.join(parts)}"


def shown(number: str, language: Language, column: str = "") -> str:
    """A number of a table as the reader writes it; a share in per cent."""
    if not number:
        return NONE
    value = Decimal(number)
    if column == "attendance_share":
        return language.percent(float(value), 2)
    return language.say(Numeral(value))


def _end(taken: Examination, language: Language, *, applied: bool) -> str:
    text = language.text
    if taken.outcome != ACCEPT:
        return text(
            "Nothing was written. Answer what is to be decided, correct what is refused, then run the command again."
        )
    if not taken.rows:
        return text("Nothing new: nothing is to be written.")
    if applied:
        return text("Written.")
    return text("Nothing was written yet: the same command with --apply writes it.")
