"""Arrivals: which file and cell the figures of a period came from, what was revised, came late or not at all."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Sequence
from functools import cached_property

import pandas as pd

from wardlib.analysis.arrivals import LATE, Arrivals
from wardlib.data import disclosure
from wardlib.language import NBSP, NONE, Unit, inside, is_missing
from wardlib.pages.block import Block, bullets, headline
from wardlib.pages.edition import Edition
from wardlib.pages.page import Page
from wardlib.pages.table import HIDDEN, Column, Row, hiding, table

_ROWS = 12  # of a table: what is more than these is summed up, and stands in the figures behind it
_NAMES = 4  # of schools or indicators in a sentence
# By table the register of its items, with the columns of their codes and names.
_REGISTERS = {
    "receipts": ("revenue_lines", "code", "name_{}"),
    "school_months": ("schools", "school", "name"),
    "indicator_months": ("indicators", "code", "name_{}"),
}


# Letters that every face of a PDF has: Latin with all of Vietnamese, and signs of texts. What a file is called, or
# holds, may have any other, which is no reason to have no page.
_UNDRAWN = re.compile("[^ -\u024f\u1e00-\u1eff\u2010-\u2027\n]")


def drawn(text: str) -> str:
    r"""A text of a file that came in, with each letter that a page may have no face for as its code.

    >>> print(drawn("Thu \U0001f4ca phường.xlsx"))
    Thu \U0001f4ca phường.xlsx
    """
    return _UNDRAWN.sub(lambda sign: ascii(sign[0])[1:-1], text)


class Named:
    """What the figures of a ward's tables are called in an edition, and how their values are written."""

    def __init__(self, edition: Edition) -> None:
        self._edition = edition
        self._known: dict[str, dict[str, str]] = {}

    def _name(self, table: str, code: str) -> str:
        """The name of an item; the code itself where the ward has none for it."""
        if table not in self._known:
            self._known[table] = self._names(table)
        return self._known[table].get(code, code)

    def _names(self, table: str) -> dict[str, str]:
        language = self._edition.language
        if table == "activities":
            return language.words("field")
        register, key, name = _REGISTERS[table]
        known = self._edition.table(register)
        if known is None:
            return {}
        return dict(zip(known[key], known[name.format(language.code)], strict=True))

    def item(self, table: str, code: str) -> str:
        """The name of an item; of a target also who set it."""
        if table != "targets":
            return self._name(table, code)
        line, _, setter = code.partition(":")
        whom = self._edition.setter if setter == "upper" else self._edition.text("the ward council")
        plan = self._edition.text("plan set by {whom}", whom=whom)
        return f"{self._name('receipts', line)} ({plan})"

    def table(self, name: str) -> str:
        """What a table of figures holds."""
        return self._edition.language.words("table").get(name, name)

    def measure(self, table: str, name: str) -> str:
        """What a column of figures holds; "" of an indicator, whose name says it."""
        if table == "indicator_months":
            return ""
        return self._edition.language.words("measure").get(name, name)

    def told(self, table: str, item: str, measure: str, value: str) -> str:
        """A value with what it holds and its unit."""
        unit = self.unit(table, item)
        if name := self.measure(table, measure):
            return f"{name} ({unit}): {value}" if unit else f"{name}: {value}"
        return f"{value}{NBSP}{unit}" if unit else value

    def value(
        self,
        table: str,
        item: str,
        measure: str,
        value: float,
        hidden: bool = False,
        *,
        most: int = 9,
    ) -> str:
        """A figure as it was reported, to its last digit, without its unit; an amount with at most `most`
        decimals."""
        language = self._edition.language
        if hidden:
            smallest, largest = disclosure.SMALLEST, disclosure.LARGEST
            return HIDDEN if measure == "attendance_share" else f"{smallest}–{largest}"
        if is_missing(value):
            return NONE
        if unit := self._money(table):
            return unit.figure(value, min(most, round(math.log10(unit.scale))), trim=True)
        if measure == "attendance_share":
            return language.percent(value, 2)
        return language.number(value, 4, trim=True)

    def apart(self, amounts: Sequence[float]) -> int:
        """With how many decimals amounts of receipts that follow each other are to be seen apart: one, as
        everywhere, or as many more as show each change."""
        scale = self._edition.unit(0).scale
        pairs = [(then / scale, now / scale) for then, now in itertools.pairwise(amounts)]
        moved = [
            (then, now) for then, now in pairs if abs(now - then) > 0
        ]  # none of what is missing
        for most in range(1, last := round(math.log10(scale))):
            if all(
                round(now - then, most) and round(then, most) != round(now, most)
                for then, now in moved
            ):
                return most
        return last

    @property
    def columns(self) -> list[Column]:
        """The columns of a table whose rows are `change`s."""
        text = self._edition.text
        return [
            Column(text("Figure of a table")),
            Column(text("Old → new"), 64, words=True),
            Column(text("Reported on"), 19, words=True),
            Column(text("Where from"), 40, words=True),
        ]

    def change(self, own: pd.DataFrame, year: int, *, short: bool = False) -> Row:
        """The measures of a row that changed, old → new, with every digit, or where `short` those that show
        the change of an amount; `year` of a figure of no month."""
        language, lines = self._edition.language, []
        first = own.iloc[0]
        about = first["table"], first["item"]
        for _, part in own.iterrows():
            most = self.apart([part["before"], part["now"]]) if short else 9
            before, now = (
                self.value(*about, part["measure"], part[name], part[f"{name}_hidden"], most=most)
                for name in ("before", "now")
            )
            lines.append(self.told(*about, part["measure"], f"{before} → {now}"))
        when = str(year)
        if not is_missing(first["month"]):
            when = language.month_short(first["month"])
        head = f"{self.item(*about)}, {when}"
        if bool(first["estimate"]):
            lines.append(self._edition.text("(an estimate before)"))
        places = "\n".join(self.places(own))
        cells = "\n".join(lines), language.date(first["reported_on"]), places
        return Row(head, cells)

    def places(self, own: pd.DataFrame) -> list[str]:
        """File, sheet and cells of figures; of those entered by hand, as far as it is known, the `row` of
        their table's file."""
        language, places = self._edition.language, []
        rows = own["row"].tolist() if "row" in own else [0] * len(own)
        found: dict[tuple[str, str], list[tuple[str, int, str]]] = {}
        told = (own[name].tolist() for name in ("name", "sheet", "cell", "table"))
        for name, sheet, cell, of, row in zip(*told, rows, strict=True):
            found.setdefault((str(name), str(sheet)), []).append((cell, row, of))
        for (name, sheet), parts in found.items():
            values = {
                "file": drawn(name),
                "sheet": drawn(sheet),
                "cells": ", ".join(cell for cell, _, _ in parts),
            }
            if not name and parts[0][1]:
                file = self._edition.ward.tables[parts[0][2]].path.name
                stand = ", ".join(dict.fromkeys(str(row) for _, row, _ in parts))
                places.append(self._edition.text("{file}, row {row}", file=file, row=stand))
            elif not name:
                places.append(self._edition.text("entered in the tables directly"))
            elif not sheet:
                places.append(
                    language.plural(
                        "{file}, cell {cells}", "{file}, cells {cells}", len(parts), **values
                    )
                )
            else:
                places.append(
                    language.plural(
                        "{file}, sheet {sheet}, cell {cells}",
                        "{file}, sheet {sheet}, cells {cells}",
                        len(parts),
                        **values,
                    )
                )
        return places

    def unit(self, table: str, item: str) -> str:
        """The unit of an item's figures in words; "" for a bare count."""
        if unit := self._money(table):
            return unit.name
        return self._units.get(item, "") if table == "indicator_months" else ""

    @cached_property
    def _units(self) -> dict[str, str]:
        known = self._edition.table("indicators")
        if known is None:
            return {}
        return dict(zip(known["code"], known[f"unit_{self._edition.language.code}"], strict=True))

    def _money(self, table: str) -> Unit | None:
        """The unit of amounts: the smallest that pages print."""
        return self._edition.unit(0) if table in ("receipts", "targets") else None


class ArrivalsPage(Page[Arrivals]):
    """Where the figures came from, for the data check."""

    _page = "arrivals"
    _opening = "arrived"

    def arrived(self) -> Block:
        """How many of the figures of the period came in files, and how many by hand."""
        language, text, found = self._language, self._text, self.result
        period, total = self.edition.period_name, language.number(found.reported)
        if not found.taken:
            return headline(
                self._shown,
                text(
                    "All {total} figures reported for {period} were entered in the tables directly; none came from a file.",
                    total=total,
                    period=period,
                ),
            )
        files = len(found.files[["file", "reported_on"]].drop_duplicates())
        typed = found.reported - found.taken
        values = {"total": total, "period": period}
        if not typed:
            return headline(
                self._shown,
                language.plural(
                    "All {total} figures reported for {period} came from {count} file.",
                    "All {total} figures reported for {period} came from {count} files.",
                    files,
                    **values,
                ),
            )
        return headline(
            self._shown,
            language.plural(
                "Of {total} figures reported for {period}, {taken} came from {count} file; {typed} were entered in the tables directly.",
                "Of {total} figures reported for {period}, {taken} came from {count} files; {typed} were entered in the tables directly.",
                files,
                taken=language.number(found.taken),
                typed=language.number(typed),
                **values,
            ),
        )

    def files_table(self) -> Block | None:
        """Each file of the period: day, figures with their cells, units, answers; behind it each figure with
        its own cell. Nothing where none was taken in."""
        language, text, files = self._language, self._text, self.result.files
        if files.empty:
            return None
        answered = bool(files["answers"].ne("").any())
        groups = list(files.groupby(["reported_on", "name", "file"], sort=True))
        rows = []
        for (_, name, _), own in groups[-_ROWS:]:
            first = own.iloc[0]
            figures = "\n".join(self._brought(part) for _, part in own.iterrows())
            cells = [language.date(first["reported_on"]), figures, drawn(first["units"]) or NONE]
            rows.append(
                Row(
                    drawn(str(name)),
                    (*cells, *([drawn(first["answers"]) or NONE] if answered else [])),
                )
            )
        notes = []
        if others := len(groups) - len(rows):
            notes.append(
                language.plural(
                    "{count} earlier file stands in the attached figures.",
                    "{count} earlier files stand in the attached figures.",
                    others,
                )
            )
        columns = [
            Column(text("File")),
            Column(text("Reported on"), 19, words=True),
            Column(text("Figures"), 58, words=True),
            Column(text("Unit read"), 24, words=True),
        ]
        if answered:
            columns.append(Column(text("Answers given"), 30, words=True))
        caption = text("Files taken in for {period}", period=self.edition.period_name)
        sources = ("received", "origins")
        behind = self.result.figures
        return table(self._shown, "arrivals", caption, columns, rows, behind, {}, notes, sources)

    def _brought(self, part: pd.Series) -> str:
        """A table of which a sheet brought figures, their months, how many they are and the cells."""
        language, name = self._language, self._named.table(part["table"])
        span = str(self.result.period.year)
        if not is_missing(part["first"]):
            span = language.span_short(part["first"], part["last"])
        number = language.number(part["figures"])
        if not part["sheet"]:
            place = self._text("cells {cells}", cells=part["cells"])
        else:
            place = self._text(
                "sheet {sheet}, cells {cells}", sheet=drawn(part["sheet"]), cells=part["cells"]
            )
        return f"{name} {span}: {number} ({place})"

    def revised(self) -> Block | None:
        """How many figures a later report changed; nothing where none did."""
        language, found = self._language, self.result.revised
        if found.empty:
            return None
        values = {"period": self.edition.period_name}
        if estimates := int(found["estimate"].sum()):
            return headline(
                self._shown,
                language.plural(
                    "A later report changed {count} figure of {period}; {estimates} of them was an estimate before.",
                    "Later reports changed {count} figures of {period}; {estimates} of them were estimates before.",
                    len(found),
                    estimates=language.number(estimates),
                    **values,
                ),
            )
        return headline(
            self._shown,
            language.plural(
                "A later report changed {count} figure of {period}.",
                "Later reports changed {count} figures of {period}.",
                len(found),
                **values,
            ),
        )

    def revised_table(self) -> Block | None:
        """What was revised, old → new, with day, file and cell: each correction, and each estimate that a
        file replaced, as far as they are few, else summed up by file and months."""
        text, found = self._text, self.result.revised
        estimates = found["estimate"].astype(bool)
        told = found[~estimates | found["name"].ne("")]
        if told.empty:
            return None
        same = ["table", "month", "item", "reported_on"]
        single, summed = told, told.iloc[:0]
        if len(told[same].drop_duplicates()) > _ROWS:
            single = told[~estimates.loc[told.index]]
            if len(single[same].drop_duplicates()) > _ROWS:
                single = single.iloc[:0]
            summed = told.drop(single.index)
        year = self.result.period.year
        changes = single.groupby(same, sort=False, dropna=False)
        rows = [self._named.change(own, year) for _, own in changes]
        by_file = summed.groupby(["reported_on", "name", "table"], sort=True)
        rows += [self._changes(own) for _, own in by_file]
        notes = []
        if single[["before_hidden", "now_hidden"]].any(axis=None):
            notes.append(hiding(self.edition))
        if not summed.empty:
            notes.append(text("Each figure of a sum stands in the attached figures."))
        columns = self._named.columns
        caption = text("Figures of {period} that were revised", period=self.edition.period_name)
        return table(
            self._shown, "revisions", caption, columns, rows, found, {}, notes, self._sources
        )

    def _changes(self, own: pd.DataFrame) -> Row:
        """The figures of a table that one report changed, in sum."""
        language, first = self._language, own.iloc[0]
        when = str(self.result.period.year)
        if not is_missing(first["month"]):
            when = language.span_short(own["month"].min(), own["month"].max())
        head = f"{self._named.table(first['table'])}, {when}"
        count = language.plural("{count} figure", "{count} figures", len(own))
        place = drawn(first["name"]) or self._text("entered in the tables directly")
        return Row(head, (count, language.date(first["reported_on"]), place))

    def gaps(self) -> Block | None:
        """What came late, and what of other tables than the receipts has not come; nothing where neither."""
        text, items = self._text, []
        late = [
            f"{inside(self._named.table(str(name)))} ({self._late(own)})"
            for name, own in self.result.late.groupby("table", sort=False)
        ]
        if late:
            items.append(
                text(
                    "Reported more than {days} days after the month's end: {tables}.",
                    days=str(LATE),
                    tables="; ".join(late),
                )
            )
        silent = []
        for key, own in self.result.missing.groupby("table", sort=False):
            name = str(key)
            whole = sorted(set(own["month"][own["whole"]]))
            if whole:
                months = self._language.month_list(whole)
                silent.append(f"{inside(self._named.table(name))} ({months})")
            silent += self._silent(name, own[~own["whole"]])
        if silent:
            items.append(
                text("Not yet reported, and not counted as zero: {lines}.", lines="; ".join(silent))
            )
        return bullets(self._shown, items) if items else None

    def _late(self, own: pd.DataFrame) -> str:
        """The months of a table that came late, those of which only a part did told apart."""
        whole = own["late"] == own["known"]
        said = []
        if whole.any():
            said.append(self._language.month_list(list(own["month"][whole])))
        if not whole.all():
            months = self._language.month_list(list(own["month"][~whole]))
            said.append(self._text("a part of {months}", months=months))
        return "; ".join(said)

    def _silent(self, name: str, own: pd.DataFrame) -> list[str]:
        """Items of a table without a figure, with their months; many by their number."""
        language = self._language
        by_item = [
            (self._named.item(name, str(item)), language.month_list(list(rows["month"])))
            for item, rows in own.groupby("item", sort=False)
        ]
        said = [f"{inside(item)} ({months})" for item, months in by_item[:_NAMES]]
        if (others := len(by_item) - _NAMES) > 0:
            table_name = inside(self._named.table(name))
            said.append(
                language.plural(
                    "{count} other of {table}",
                    "{count} others of {table}",
                    others,
                    table=table_name,
                )
            )
        return said

    @property
    def _sources(self) -> Iterable[str]:
        found = self.result.revised
        files = ("received", "origins") if found["name"].ne("").any() else ()
        return (*dict.fromkeys(found["table"]), *files)

    @cached_property
    def _named(self) -> Named:
        return Named(self.edition)
