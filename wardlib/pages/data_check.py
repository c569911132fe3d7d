"""The data check: what has come in, and published figures beside this workbook's."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from wardlib.analysis import published
from wardlib.analysis.receipts import Receipts
from wardlib.language import NBSP, NONE, inside, is_missing
from wardlib.pages.block import Block, bullets, headline
from wardlib.pages.page import Page
from wardlib.pages.table import Column, Row, table
from wardlib.pages.tax import unreported
from wardlib.periods import Period


@dataclass(frozen=True)
class DataCheck:
    """What has come in (`coverage`, see `book.coverage`), the receipts, what of them is far from usual
    (`unusual`, see `outliers.find`), and `beside`, published figures beside ours (see
    `published.reconcile`)."""

    period: Period
    coverage: pd.DataFrame
    receipts: Receipts
    unusual: pd.DataFrame
    beside: pd.DataFrame


class DataCheckPage(Page[DataCheck]):
    """Whether every source has arrived, complete and plausible."""

    def received(self) -> Block:
        """How many of the ward's monthly tables have every month of the period, and which have not."""
        language, text = self._language, self._text
        lacking = self.result.coverage[
            self.result.coverage["reported"] < self.result.coverage["expected"]
        ]
        period, count = self.edition.period_name, len(self.result.coverage)
        if lacking.empty:
            return headline(
                text(
                    "Every month of {period} has come in for every table ({count} of {count}).",
                    period=period,
                    count=str(count),
                )
            )
        names = [
            f"{inside(self._table_name(own['table']))} ({own['reported']}/{own['expected']})"
            for _, own in lacking.iterrows()
        ]
        return headline(
            language.plural(
                "Every month of {period} has come in for {whole} of {count} table; lacking: {names}.",
                "Every month of {period} has come in for {whole} of {count} tables; lacking: {names}.",
                count,
                whole=str(count - len(lacking)),
                names=language.join(names),
                period=period,
            )
        )

    def received_table(self) -> Block:
        """For each table of the ward: rows, span, months of the period that have come in."""
        language, text = self._language, self._text
        rows = []
        for _, own in self.result.coverage.iterrows():
            span = months = NONE
            if not is_missing(own["first"]):
                span = f"{language.month_short(own['first'])}–{language.month_short(own['last'])}"
                months = f"{own['reported']}/{own['expected']}"
            newest = NONE if is_missing(own["newest"]) else language.date(own["newest"])
            cells = (language.number(own["rows"]), span, months, newest)
            rows.append(Row(self._table_name(own["table"]), cells))
        heads = [
            text("Data table"), text("Rows"), text("Months"), text("Months of the period"),
            text("Newest report"),
        ]  # fmt: skip
        slug, units = "coverage", {"reported": "months", "expected": "months"}
        caption = text("What has come in for {period}", period=self.edition.period_name)
        columns = [Column(head) for head in heads]
        return table(
            self.edition, slug, caption, columns, rows, self.result.coverage, units, [], []
        )

    def not_reported(self) -> Block:
        """Which figures of the year to date are estimates and which have not come in."""
        return headline(*unreported(self.edition, self.result.receipts))

    def plausible(self) -> Block:
        """How many amounts are so far from their line's usual ones that a unit or a digit may be wrong."""
        text, count = self._text, len(self.result.unusual)
        if not count:
            return headline(text("No amount is far from what is usual for its line."))
        return headline(
            self._language.plural(
                "Unusual amounts: {count} entry, named below.",
                "Unusual amounts: {count} entries, named below.",
                count,
            ),
            text(
                "The unit (thousands, millions) or the number of zeros may be wrong: check them at their "
                "source before concluding anything about the line."
            ),
        )

    def unusual(self) -> Block | None:
        """Each unusual entry: line, months, amounts, and what is usual; nothing where there is none."""
        language, text, lines = self._language, self._text, self.result.receipts.lines
        items = []
        for _, own in self.result.unusual.iterrows():
            usual = self._range(own["usual_low"], own["usual_high"])
            entry = text(
                "{line}, {months}: {amount}",
                line=language.pick(lines.loc[own["line"]], "name"),
                months=language.span_short(own["first"], own["last"]),
                amount=self._range(own["low"], own["high"]),
            )
            if own["first"] == own["last"]:
                other = text("usual in this month of other years: {usual}", usual=usual)
            else:
                other = text("usual in these months of other years: {usual}", usual=usual)
            items.append(f"{entry}; {other}.")
        return bullets(items) if items else None

    def _range(self, low: float, high: float) -> str:
        """Two amounts, each in a unit of its size; one where they are printed alike."""
        text = self._text
        first, last = (self.edition.unit(amount).amount(amount) for amount in (low, high))
        return first if first == last else text("{low} to {high}", low=first, high=last)

    def agreement(self) -> Block:
        """How many published figures agree with this workbook's."""
        text = self._text
        if self.result.beside.empty:
            return headline(text("No published figure of this period is known here."))
        counted = self.result.beside["verdict"].value_counts()
        return headline(
            self._language.plural(
                "Of {count} published figure: {verdicts}.",
                "Of {count} published figures: {verdicts}.",
                len(self.result.beside),
                verdicts="; ".join(
                    f"{words} {counted[verdict]}"
                    for verdict, words in self._language.words("agreement").items()
                    if verdict in counted
                ),
            )
        )

    def published_table(self) -> Block | None:
        """Each published figure beside ours, agreed or explained; nothing where none was published."""
        if self.result.beside.empty:
            return None
        text = self._text
        rows = [
            Row(
                f"{own['statement']} ({own['published_on']:%d/%m/%Y})",
                (
                    (text("more than") + " " if own["relation"] == "more_than" else "")
                    + self._value(own, own["value"]),
                    self._value(own, own["ours_then"]),
                    self._value(own, own["ours"]),
                    self._language.words("agreement")[own["verdict"]],
                ),
            )
            for _, own in self.result.beside.iterrows()
        ]
        columns = [
            Column(text("Published")),
            Column(text("As published")),
            Column(text("Ours on that day")),
            Column(text("Ours now")),
            Column(text("Verdict"), words=True),
        ]
        frame = self.result.beside[
            ["id", "published_on", "item", "measure", "value", "unit", "relation", "part_then",
             "ours_then", "part", "whole", "ours", "verdict", "source"]
        ]  # fmt: skip
        slug, caption = "reconciliation", text("Published figures beside this workbook's")
        sources = ("published", "receipts", "targets", "indicator_months")
        return table(self.edition, slug, caption, columns, rows, frame, {}, [], sources)

    def readings(self) -> Block | None:
        """How each published figure is read here, and why ours differs where it does."""
        if self.result.beside.empty:
            return None
        language, text = self._language, self._text
        items = []
        for _, own in self.result.beside.iterrows():
            said = f"“{own['statement']}”: {language.pick(own, 'reading')}"
            if own["verdict"] == published.REVISED:
                said += " " + text(
                    "On {day} the figures known gave the published value; later reports turned "
                    "{then} into {now}.",
                    day=language.date(own["published_on"]),
                    then=self._part(own, own["part_then"]),
                    now=self._part(own, own["part"]),
                )
            items.append(said)
        return bullets(items)

    def _table_name(self, name: str) -> str:
        """What a table of monthly figures holds."""
        return self._language.words("table").get(name, name)

    def _value(self, own: pd.Series, amount: float) -> str:
        """An amount in the unit of a published figure."""
        if is_missing(amount):
            return NONE
        language = self._language
        unit = own["unit"].removeprefix("1e6 ")
        if own["unit"].startswith("1e6 "):
            unit = language.unit(unit, 0).name
        return language.number(amount, 1, trim=True) + ("" if unit == "1" else NBSP + unit)

    def _part(self, own: pd.Series, part: float) -> str:
        """The amount that a published figure is formed from, in words."""
        language = self._language
        if own["table"] == "receipts":
            amount = self.edition.unit(part).amount(part)
            if not is_missing(own["whole"]):
                amount += f" ({language.percent(part / own['whole'])})"
            return amount
        if own["unit"] == "%" and is_missing(own["whole"]):
            return language.percent(part)
        return language.number(part, 1, trim=True)
