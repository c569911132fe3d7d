"""History: what was reported when of a figure, what changed since a day, and what bears on a month of a line."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import pandas as pd

from wardlib.analysis.history import COLLECTED, History
from wardlib.analysis.receipts import line_of
from wardlib.errors import RequestError, said
from wardlib.language import is_missing
from wardlib.pages.arrivals import Named
from wardlib.pages.block import Block, headline
from wardlib.pages.effect import EffectPage
from wardlib.pages.page import Page
from wardlib.pages.table import Column, Row, table
from wardlib.periods import Period, parse_day

_ROWS = 12  # of the table of changes: smaller ones stand in the figures behind it


class HistoryPage(Page[History]):
    """Each report of a figure, and what bears on it."""

    _page = "history"
    _opening = "reported"

    def reported(self) -> Block:
        """How many figures of receipts have been reported, how many more than once, and when last."""
        language, reports = self._language, self.result.reports
        times = reports.groupby(["line", "month", "measure"]).size()
        return headline(
            self._shown,
            self._text(
                "{count} figures of receipts have been reported, {again} of them more than once; the newest "
                "report is of {day}.",
                count=language.number(len(times)),
                again=language.number((times > 1).sum()),
                day=language.date(reports["reported_on"].max()),
            ),
        )

    def month(self, line: str, month: str) -> Block:
        """A month ("2020-04") of a line: each report of what was collected, by day, with what it changed and
        where it stands; what the month brought against what was to be expected; the restrictions in force
        that named the line or a part of it; the rules of relief that touch it. Behind it the reports.

        Raises RequestError where there is no such line, or `month` is none.
        """
        text, language = self._text, self._language
        line, when = line_of(self.result.effects.lines, line), self._month(month)
        reports = self.result.reports_of(line, when)
        told = self._effect.month(line, when).content["sentences"]
        placed = reports.assign(table="receipts")
        most = self._named.apart(reports["value"].tolist())
        rows = [self._report(placed.iloc[at : at + 1], most) for at in range(len(placed))]
        if not rows:
            rows.append(Row(text("Reports"), (text("Not yet reported, which is not zero."),)))
        rows.append(Row(text("Against what was to be expected"), ("\n".join(told),)))
        start, last = self.result.effects.start, self.result.period.last
        begun = when.start_time <= pd.Timestamp(
            self.edition.day
        )  # of a later month nothing is known
        for head, found, nothing in (
            (
                text("Restrictions in force"),
                self._restrictions(line, when),
                text("No restriction on record named this line in this month."),
            ),
            (
                text("Relief and due dates"),
                self._rules(line, when),
                text("No rule on record touches this month."),
            ),
        ):
            if found or (start is not None and start <= when <= last and begun):
                rows.append(Row(head, ("\n".join(found) or nothing,)))
        caption = text(
            "{line}, {month}: what was reported when, and what bears on it",
            line=self._named.item("receipts", line),
            month=language.month(when),
        )
        columns = [Column(text("About")), Column(text("In detail"), 120, words=True)]
        units = dict.fromkeys(("value", "before"), self.edition.ward.currency)
        sources = ["receipts"]
        if reports["name"].ne("").any():
            sources += ["received", "origins"]
        sources += ["covid_measures", "tax_relief"]
        # What is supposed moves the sentence of the effect alone.
        shown = replace(self._shown, assumptions=self.result.effects.assumptions)
        return table(shown, "history", caption, columns, rows, reports, units, [], sources)

    def changed(self, since: str) -> Block:
        """The figures of receipts that differ between what was known on the day `since` ("2020-09-13") and
        what is known on the edition's: old → new, the largest change first. Those that have come since are
        counted: they were missing, which is not zero. Behind it each figure.

        Raises RequestError where `since` is no day, or a later one than the edition's.
        """
        text, language = self._text, self._language
        day = parse_day(since)
        if day is None or day > self.edition.day:
            raise RequestError(
                said(
                    "what changed since {since} is asked of what is known on {day}: name an earlier day.",
                    since=since or "''",
                    day=self.edition.day,
                )
            )
        found = self.result.changed(day)
        known = text(
            "No figure of receipts that was known on {day} has changed;", day=language.date(day)
        )
        if len(found.figures):
            known = language.plural(
                "{count} figure of receipts that was known on {day} has changed;",
                "{count} figures of receipts that were known on {day} have changed;",
                len(found.figures),
                day=language.date(day),
            )
        new = language.plural(
            "{count} has come since, which was missing then.",
            "{count} have come since, which were missing then.",
            found.new,
        )
        if found.figures.empty:
            return headline(self._shown, f"{known} {new}")
        own = found.figures.assign(
            table="receipts", item=found.figures["line"], before_hidden=False, now_hidden=False
        )
        year = self.edition.period.year
        groups = [own for _, own in own.groupby(["line", "month"], sort=False)]
        rows = [self._named.change(own, year, short=True) for own in groups[:_ROWS]]
        notes = [f"{known} {new}"]
        if len(groups) > _ROWS:
            notes.append(text("Smaller changes stand in the attached figures."))
        columns = self._named.columns
        caption = text(
            "Receipts that changed between {since} and {day}",
            since=language.date(day),
            day=language.date(self.edition.day),
        )
        units = dict.fromkeys(("before", "now", "change"), self.edition.ward.currency)
        return table(
            self._shown,
            "changes",
            caption,
            columns,
            rows,
            found.figures,
            units,
            notes,
            ["receipts"],
        )

    def _month(self, text: str) -> pd.Period:
        asked = Period.parse(text)
        if len(asked.months) != 1:
            raise RequestError(said("{text} is no month: name one, e.g. 2020-04.", text=repr(text)))
        return asked.first

    def _report(self, own: pd.DataFrame, most: int) -> Row:
        """A report, a frame of one row: its day, estimate or actual; amount, what it changed, with at most
        `most` decimals; where it stands."""
        text, named = self._text, self._named
        told = (
            own[name].tolist()[0] for name in ("line", "reported_on", "estimate", "value", "before")
        )
        line, day, estimate, amount, before = told
        value = named.value("receipts", line, COLLECTED, amount, most=most)
        if not is_missing(before):
            figure = named.value("receipts", line, COLLECTED, amount - before, most=most)
            value = (
                text(
                    "{value} ({change} against the report before)",
                    value=value,
                    change=("+" if amount > before else "") + figure,
                )
                if amount != before
                else text("{value} (as in the report before)", value=value)
            )
        said_ = self._language.sentence(named.told("receipts", line, COLLECTED, value))
        status = self._language.words("form_status")["estimate" if estimate else "actual"]
        head = text("Reported on {day}", day=self._language.date(day))
        return Row(head, ("\n".join([said_, *named.places(own)]),), says=status)

    def _restrictions(self, line: str, month: pd.Period) -> list[str]:
        """The restrictions in force, with their days."""
        names = self._names("covid_measures", "name")
        found = self.result.in_force(line, month)
        spells = zip(found["id"], found["start"], found["end"], strict=True)
        return [f"{names[name]} ({self._spell(start, end)})" for name, start, end in spells]

    def _rules(self, line: str, month: pd.Period) -> list[str]:
        """The rules of relief, with their document and last lawful day."""
        effects, told = self._names("tax_relief", "effect"), []
        for rule in self.result.touching(line, month):
            about = [rule.document] if rule.document else []
            if not is_missing(rule.until) and (
                (day := self._language.date(rule.until)) not in effects[rule.id]
            ):
                about.append(self._text("last lawful day {day}", day=day))
            told.append(effects[rule.id] + (f" ({'; '.join(about)})" if about else ""))
        return list(dict.fromkeys(told))  # of several parts that one document names

    def _names(self, name: str, stem: str) -> dict[str, str]:
        """By the id of a row of a table, its words in the edition's language."""
        found = self.edition.table(name)
        if found is None:
            return {}
        return dict(zip(found["id"], found[f"{stem}_{self._language.code}"], strict=True))

    def _spell(self, start: pd.Timestamp, end: pd.Timestamp) -> str:
        """The days of a restriction, both inclusive; of one that was in force after the edition's day only that
        it was, as its end was set, or could be, later."""
        language = self._language
        if is_missing(end):
            return self._text(
                "from {start}, still in force on {day}",
                start=language.date(start),
                day=language.date(self.edition.day),
            )
        return "–".join(dict.fromkeys((language.date(start), language.date(end))))

    @cached_property
    def _named(self) -> Named:
        return Named(self.edition)

    @cached_property
    def _effect(self) -> EffectPage:
        return EffectPage(self.edition, self.result.effects)
