"""Intake: the record of figures received, to print and sign: what files would bring or have brought."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from nbformat import from_dict

from wardlib.data import disclosure
from wardlib.data.book import Book
from wardlib.data.descriptors import Table
from wardlib.data.intake.arrivals import NEW, REVISED, SAME, Arrival
from wardlib.data.intake.examination import ACCEPT, Examination, Examined
from wardlib.errors import ASK, NOTE, REFUSE, Problem
from wardlib.language import NONE, Language, inside, is_missing
from wardlib.pages.arrivals import Named, drawn
from wardlib.pages.block import Block, answer, signatures
from wardlib.pages.edition import Edition
from wardlib.pages.exporters import WardHTMLExporter, WardPDFExporter
from wardlib.pages.table import Column, Row, hiding, table
from wardlib.periods import Period

FORMATS = {".html": WardHTMLExporter, ".pdf": WardPDFExporter}
_DIGITS = 12  # of a digest that tell a file from others on paper


def page(taken: Examination, language: Language, suffix: str, *, applied: bool) -> bytes:
    """The record as a file of one of `FORMATS`: `applied` as for `reports.lines`. No clock, so that the
    same examination gives the same bytes.

    Raises ExportError where no face has a letter of it.
    """
    record = _Record(taken, language, written=applied and taken.outcome == ACCEPT)
    title = language.text("Record of figures received")
    cells: list[dict[str, Any]] = [{"cell_type": "markdown", "source": f"# {title}"}]
    for block in record.blocks():
        data, metadata = block._repr_mimebundle_()
        output = {"output_type": "display_data", "data": data, "metadata": metadata}
        cells.append(
            {"cell_type": "code", "source": "", "execution_count": None, "outputs": [output]}
        )
    named = [{"id": f"block-{at}", "metadata": {}, **cell} for at, cell in enumerate(cells)]
    form = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}}
    # The exporters take a notebook: this one is never run, as its outputs are there already.
    made = from_dict(form | {"cells": named})  # type: ignore[no-untyped-call]  # nbformat has no types
    exporter: Any = FORMATS[suffix]()  # type: ignore[no-untyped-call]  # neither has nbconvert
    body, _ = exporter.from_notebook_node(made)
    return body.encode() if isinstance(body, str) else bytes(body)


class _Record:
    """The blocks of a record."""

    def __init__(self, taken: Examination, language: Language, *, written: bool) -> None:
        day = taken.reported_on
        book = Book(taken.ward, Period.parse(f"{day:%Y-%m}"), day)
        self._taken, self._language, self._written = taken, language, written
        self._edition = Edition(book, language)
        self._named = Named(self._edition)
        self._text = language.text

    def blocks(self) -> Iterator[Block]:
        """The head, the answer, the tables that have something to say, the places to sign."""
        yield self._head()
        yield answer(self._edition, [(self._text("Outcome"), self._outcome())])
        yield self._files()
        if rows := list(self._figures()):
            yield self._figures_table(rows)
        captions = {
            REFUSE: self._text("Refused"),
            ASK: self._text("To be decided"),
            NOTE: self._text("To be known"),
        }
        for severity, caption in captions.items():
            found = [
                problem
                for own in self._taken.files
                for problem in own.problems
                if problem.severity == severity
            ]
            if found:
                yield self._problems(severity, caption, found)
        name = self._edition.ward_name  # "Phường …", where Vietnamese has the kind first
        head = self._text(
            "Head of {ward}", ward=inside(name) if self._language.code == "vi" else name
        )
        yield signatures(
            self._edition, [self._text("Handed in by"), self._text("Received by"), head]
        )

    def _head(self) -> Block:
        """The head of the ward's papers; day and number are left to whoever signs."""
        text, edition = self._text, self._edition
        day = self._language.date(self._taken.reported_on)
        reported = text("figures reported on {day}", day=day)
        head = edition.head
        state = text("written") if self._written else text("not written")
        subtitle = f"{edition.ward_name} · {reported}"
        known = text("Written into the tables of this workbook")
        if not self._written:
            known = text("Nothing is written into the tables of this workbook")
        content = head.content | {
            "lines": [line for line in (subtitle, known + ".", edition.mark) if line],
            "subtitle": subtitle,
            "known": known,
            "draft": state,
            "paper": "",
            "number": "",
            "dated": text("{place}, day …, month …, year …", place=edition.ward.place),
            "recipients": [],
            "record": text("What this record was made from"),
        }
        return replace(head, content=content)

    def _outcome(self) -> str:
        """What has come of the files, in a sentence or two."""
        taken, language, text = self._taken, self._language, self._text
        if taken.outcome != ACCEPT:
            found = Counter(problem.severity for own in taken.files for problem in own.problems)
            return text(
                "Nothing is written: {refused} refused, {asked} to be decided, named below.",
                refused=language.number(found[REFUSE]),
                asked=language.number(found[ASK]),
            )
        changes = Counter(own.change for file in taken.files for own in file.arrivals)
        values = {name: language.number(changes[name]) for name in (NEW, REVISED, SAME)}
        if not taken.rows:
            return text("Nothing new: {same} rows of figures are known already.", **values)
        if self._written:
            return text(
                "Written: {new} rows of figures new, {revised} revised; {same} known already.",
                **values,
            )
        return text(
            "Not written yet: {new} rows of figures new, {revised} revised; {same} known already.",
            **values,
        )

    def _files(self) -> Block:
        """Each file: its digest, what it is, units and answers."""
        text, rows, behind = self._text, [], []
        answered = any(own.about.get("answers") for own in self._taken.files)
        for own in self._taken.files:
            digest = own.file.digest.removeprefix("sha256:") if own.file else ""
            kind = ", ".join(filter(None, (own.file.kind, own.file.encoding))) if own.file else ""
            units, answers = own.about.get("units", ""), own.about.get("answers", "")
            cells = [digest[:_DIGITS], kind, units, *([answers] if answered else [])]
            rows.append(Row(drawn(own.name), tuple(drawn(cell) or NONE for cell in cells)))
            behind.append((own.name, digest, kind, units, answers))
        columns = [
            Column(text("File")),
            Column(text("SHA-256 (first digits)"), 28, words=True),
            Column(text("Kind"), 22, words=True),
            Column(text("Unit read"), 34, words=True),
        ]
        if answered:
            columns.append(Column(text("Answers given"), 34, words=True))
        frame = pd.DataFrame(behind, columns=["file", "sha256", "kind", "units", "answers"])
        return table(
            self._edition, "files", text("Files received"), columns, rows, frame, {}, [], []
        )

    def _figures(self) -> Iterator[tuple[Examined, Arrival]]:
        """The rows of figures of files that are taken in."""
        for own in self._taken.files:
            if own.outcome == ACCEPT:
                yield from ((own, arrival) for arrival in own.arrivals)

    def _figures_table(self, figures: Sequence[tuple[Examined, Arrival]]) -> Block:
        """Each row of figures: new, revised (old → new) or known already, with its cells."""
        text, language, rows, behind, hides = self._text, self._language, [], [], False
        words = {
            NEW: text("new row"),
            REVISED: text("revised row"),
            SAME: text("known already"),
        }
        several, before = len(self._taken.files) > 1, None
        for own, arrival in figures:
            if several and own is not before:
                rows.append(Row(drawn(own.name), ("", "", ""), depth=0))
            before = own
            described = self._taken.ward.tables[arrival.table]
            now, then = _disclosed(described, arrival.cells), _disclosed(described, arrival.before)
            lines, cells = [], []
            for measure, figure in arrival.figures.items():
                value, hidden = now[measure]
                told = self._named.value(arrival.table, arrival.item, measure, value, hidden)
                if arrival.change == REVISED and then.get(measure) != now[measure]:
                    former = self._named.value(arrival.table, arrival.item, measure, *then[measure])
                    told = f"{former} → {told}"
                hides = hides or hidden
                lines.append(self._named.told(arrival.table, arrival.item, measure, told))
                cells.append(figure.cell)
                behind.append(
                    (own.name, arrival.table, arrival.time, arrival.item, measure, arrival.change,
                     *then.get(measure, (float("nan"), False))[:1], value, figure.sheet, figure.cell)
                )  # fmt: skip
            when = arrival.time
            if "-" in when:
                when = language.month_short(pd.Period(when))
            sheet = next(iter(arrival.figures.values())).sheet
            place = ", ".join(cells)
            place = f"{drawn(sheet)}: {place}" if sheet else place
            head = f"{self._named.item(arrival.table, arrival.item)}, {when}"
            rows.append(Row(head, (words[arrival.change], "\n".join(lines), place)))
        columns = [
            Column(text("Figure of a table")),
            Column(text("State"), 20, words=True),
            Column(text("Figures (old → new)"), 64, words=True),
            Column(text("Sheet and cells"), 36, words=True),
        ]
        names = ["file", "table", "time", "item", "measure", "change", "before", "now", "sheet",
                 "cell"]  # fmt: skip
        frame = pd.DataFrame(behind, columns=names)
        notes = [hiding(self._edition)] if hides else []
        caption = text("Figures received")
        return table(self._edition, "figures", caption, columns, rows, frame, {}, notes, [])

    def _problems(self, severity: str, caption: str, found: Sequence[Problem]) -> Block:
        """What was found where, what was expected, and what to do."""
        text, say, rows, behind = self._text, self._language.say, [], []
        for problem in found:
            place = problem.told(self._language).split("\n")[0]
            cells = [say(part) for part in (problem.found, problem.expected, problem.fix)]
            rows.append(Row(drawn(place), tuple(drawn(cell) or NONE for cell in cells)))
            behind.append((problem.file, problem.sheet, problem.cell, problem.kind))
        columns = [
            Column(text("Where")),
            Column(text("Found"), 38, words=True),
            Column(text("Expected"), 38, words=True),
            Column(text("What to do"), 50, words=True),
        ]
        frame = pd.DataFrame(behind, columns=["file", "sheet", "cell", "kind"])
        return table(self._edition, severity, caption, columns, rows, frame, {}, [], [])


def _disclosed(described: Table, cells: dict[str, str]) -> dict[str, tuple[float, bool]]:
    """The numbers of a row as its readers may see them, and whether each is hidden."""
    kinds = {"integer": "Int64", "number": "float64"}
    numbers = {
        field.name: pd.Series([float(cells[field.name]) if cells[field.name] else None], dtype=kind)
        for field in described.fields
        if (kind := kinds.get(field.type)) and field.name in cells
    }
    if not numbers:
        return {}
    own = disclosure.disclosed(described, pd.DataFrame(numbers))
    seen = {name: own[name].iloc[0] for name in numbers}
    return {
        name: (
            float("nan") if is_missing(seen[name]) else float(seen[name]),
            is_missing(seen[name]) and bool(column.notna().iloc[0]),
        )
        for name, column in numbers.items()
    }
