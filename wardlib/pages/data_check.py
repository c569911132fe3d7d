"""The data check: what has come in, published figures beside this workbook's, and causes answered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from wardlib.analysis import attributions, published, relief
from wardlib.analysis.attributions import Answer, EventFacts, LineFacts, SchoolFacts
from wardlib.analysis.receipts import Receipts
from wardlib.analysis.results import Result
from wardlib.language import NBSP, NONE, inside, is_missing
from wardlib.pages.block import Block, bullets, headline
from wardlib.pages.page import Page
from wardlib.pages.table import Column, Row, table
from wardlib.pages.tax import unreported
from wardlib.periods import Period


@dataclass(frozen=True, repr=False)
class DataCheck(Result):
    """What has come in (`coverage`, see `book.coverage`), the receipts, what of them is far from usual
    (`unusual`, see `outliers.find`), `beside`, published figures beside ours (see
    `published.reconcile`), and `answers` to causes that were named (see `attributions`)."""

    period: Period
    coverage: pd.DataFrame
    receipts: Receipts
    unusual: pd.DataFrame
    beside: pd.DataFrame
    answers: tuple[Answer, ...]

    _tables = ("coverage", "beside", "unusual")
    _units: ClassVar = {"reported": "months", "expected": "months"}


class DataCheckPage(Page[DataCheck]):
    """Whether every source has arrived, complete and plausible."""

    _page = "data_check"
    _opening = "received"

    def received(self) -> Block:
        """How many of the ward's monthly tables have every month of the period, and which have not."""
        language, text = self._language, self._text
        lacking = self.result.coverage[
            self.result.coverage["reported"] < self.result.coverage["expected"]
        ]
        period, count = self.edition.period_name, len(self.result.coverage)
        if lacking.empty:
            return headline(
                self._shown,
                text(
                    "Every month of {period} has come in for every table ({count} of {count}).",
                    period=period,
                    count=str(count),
                ),
            )
        names = [
            f"{inside(self._table_name(own['table']))} ({own['reported']}/{own['expected']})"
            for _, own in lacking.iterrows()
        ]
        return headline(
            self._shown,
            language.plural(
                "Every month of {period} has come in for {whole} of {count} table; lacking: {names}.",
                "Every month of {period} has come in for {whole} of {count} tables; lacking: {names}.",
                count,
                whole=str(count - len(lacking)),
                names=language.join(names),
                period=period,
            ),
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
        return table(self._shown, slug, caption, columns, rows, self.result.coverage, units, [], [])

    def not_reported(self) -> Block:
        """Which figures of the year to date are estimates and which have not come in."""
        return headline(self._shown, *unreported(self.edition, self.result.receipts))

    def plausible(self) -> Block:
        """How many amounts are so far from their line's usual ones that a unit or a digit may be wrong."""
        text, count = self._text, len(self.result.unusual)
        if not count:
            return headline(self._shown, text("No amount is far from what is usual for its line."))
        return headline(
            self._shown,
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
        return bullets(self._shown, items) if items else None

    def _range(self, low: float, high: float) -> str:
        """Two amounts, each in a unit of its size; one where they are printed alike."""
        text = self._text
        first, last = (self.edition.unit(amount).amount(amount) for amount in (low, high))
        return first if first == last else text("{low} to {high}", low=first, high=last)

    def agreement(self) -> Block:
        """How many published figures agree with this workbook's."""
        text = self._text
        if self.result.beside.empty:
            return headline(self._shown, text("No published figure of this period is known here."))
        counted = self.result.beside["verdict"].value_counts()
        return headline(
            self._shown,
            self._language.plural(
                "Of {count} published figure: {verdicts}.",
                "Of {count} published figures: {verdicts}.",
                len(self.result.beside),
                verdicts="; ".join(
                    f"{words} {counted[verdict]}"
                    for verdict, words in self._language.words("agreement").items()
                    if verdict in counted
                ),
            ),
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
        return table(self._shown, slug, caption, columns, rows, frame, {}, [], sources)

    def causes(self) -> Block | None:
        """How many causes that were named in print hold; nothing where none was."""
        if not self.result.answers:
            return None
        language = self._language
        counted = Counter(own.verdict for own in self.result.answers)
        return headline(
            self._shown,
            language.plural(
                "Of {count} statement that COVID-19 was the cause: {verdicts}.",
                "Of {count} statements that COVID-19 was the cause: {verdicts}.",
                len(self.result.answers),
                verdicts="; ".join(
                    f"{counted[verdict]} {words}"
                    for verdict, words in language.words("answer").items()
                    if verdict in counted
                ),
            ),
        )

    def answers(self) -> Block | None:
        """Each cause that was named, the verdict, and what the figures and decisions say; nothing where
        none was."""
        if not self.result.answers:
            return None
        language, text, items, quoted = self._language, self._text, [], ""
        for own in self.result.answers:
            said = f"“{own.claim['statement']}” ({own.claim['published_on']:%d/%m/%Y})"
            opening = "" if said == quoted else said + ". "
            quoted = said
            match own.facts:
                case LineFacts():
                    sentences = self._line(own, own.facts)
                case SchoolFacts():
                    sentences = self._schools(own, own.facts)
                case EventFacts():
                    sentences = self._events(own, own.facts)
                case _:
                    sentences = [text("This workbook has no figures of it.")]
            verdict = language.words("answer")[own.verdict]
            items.append(f"{opening}{self._subject(own)}: {verdict}. {' '.join(sentences)}")
        return bullets(self._shown, items)

    def _subject(self, own: Answer) -> str:
        """What the statement is about."""
        text, subject = self._text, own.claim["subject"]
        if subject == attributions.SCHOOLS:
            return text("Schools")
        if subject.startswith(attributions.ACTIVITIES):
            return self._language.words("field")[subject.removeprefix(attributions.ACTIVITIES)]
        return self._language.pick(own, "name")

    def _line(self, own: Answer, facts: LineFacts) -> list[str]:
        """What came against the same months before; the relief and restrictions; without relief, when
        it falls due and how much of the year usually has come by then."""
        language, text = self._language, self._text
        said = [self._against(facts)]
        if facts.reliefs is not None:
            none = text("No decision put off, exempted or reduced it in these months.")
            said += [self._relief(rule) for _, rule in facts.reliefs.iterrows()] or [none]
        if facts.restricted is not None:
            day = language.date(facts.restricted)
            said.append(text("Restrictions named its payers from {day} on.", day=day))
        elif facts.measured:
            said.append(text("No restriction named its payers."))
        if own.claim["cause"] and own.claim["cause"] not in facts.granted:
            said.append(self._named(own) + ".")
        if facts.granted:
            return said
        if due := language.pick(facts, "due"):
            said.append(text("Due date: {due}.", due=inside(due)))
        if not is_missing(facts.share) and not is_missing(facts.usual):
            unit = self.edition.unit(facts.year_end)
            share = unit.share(facts.to_date, facts.year_end)
            usual = language.percent(facts.usual)
            if facts.estimated:
                of_year = text(
                    "By the end of these months {share} of the receipts estimated for the year had come; in a usual year "
                    "{usual}.",
                    share=share,
                    usual=usual,
                )
            else:
                of_year = text(
                    "By the end of these months {share} of the year's receipts had come; in a usual year {usual}.",
                    share=share,
                    usual=usual,
                )
            said.append(of_year)
        return said

    def _against(self, facts: LineFacts) -> str:
        """What came in the months against the same ones of earlier years, and whether years differ so."""
        language, text = self._language, self._text
        span = language.span_short(facts.first, facts.last)
        amount = self.edition.unit(facts.collected).amount(facts.collected)
        if facts.earlier.empty:
            return text("{span}: {amount}; no earlier year is known.", span=span, amount=amount)
        years = [str(year) for year in facts.earlier.index]
        if is_missing(facts.low):
            judged = text("not enough evidence")
        elif facts.behind:
            judged = text("less than years usually differ by, 19 times in 20")
        elif facts.collected > facts.high:
            judged = text("more than years usually differ by, 19 times in 20")
        else:
            judged = text("within normal variation")
        return text(
            "{span}: {amount}; the same months of {years}: {range} ({judged}).",
            span=span,
            amount=amount,
            years=years[0] if len(years) == 1 else f"{years[0]}–{years[-1]}",
            range=self._range(facts.earlier.min(), facts.earlier.max()),
            judged=judged,
        )

    def _relief(self, rule: pd.Series) -> str:
        """What a rule of relief grants, or that it leaves the tax out."""
        text, document = self._text, rule["document"]
        effect = self._language.pick(rule.to_dict(), "effect")
        if rule["kind"] == "none":
            return f"{effect} ({document})."
        effect = inside(effect)
        if rule["kind"] == relief.DEFERRAL:
            return text("Put off by law ({document}): {effect}.", document=document, effect=effect)
        return text(
            "Exempt or reduced by law ({document}): {effect}.", document=document, effect=effect
        )

    def _schools(self, own: Answer, facts: SchoolFacts) -> list[str]:
        """Since when pupils were kept from class, and on how many of those days the document named was
        in force."""
        language, text = self._language, self._text
        if facts.since is None:
            return [text("No decision kept pupils from class in this period.")]
        levels = language.words("level")
        day, name = language.date(facts.since), language.pick(facts, "name")
        said = [
            text(
                "Pupils were kept from class from {day} on, {by} ({name}).",
                day=day,
                by=self._by(facts),
                name=name,
            )
        ]
        if own.ordered:
            alike: dict[tuple[int, int], list[str]] = {}  # levels with the same days
            for level, away in facts.away.items():
                alike.setdefault((facts.within[level], away), []).append(levels[level])
            days = [
                text(
                    "{level} {within} of {away}",
                    level=language.join(names),
                    within=str(within),
                    away=str(away),
                )
                for (within, away), names in alike.items()
            ]
            listed = text("of the school days away from class, {days}", days="; ".join(days))
            return [*said, f"{self._named(own)}: {listed}."]
        days = [f"{levels[level]} {away}" for level, away in facts.away.items()]
        said.append(text("School days away from class: {days}.", days="; ".join(days)))
        return said + ([self._named(own) + "."] if own.claim["cause"] else [])

    def _events(self, own: Answer, facts: EventFacts) -> list[str]:
        """Events held of those expected, in all months and in those without the document named; since
        when restrictions bound the field."""
        language, text = self._language, self._text
        held = language.number(facts.held)
        if is_missing(facts.expected):
            said = [
                text("Events held: {held}; not enough evidence of how many to expect.", held=held)
            ]
        else:
            said = [
                text(
                    "Events held: {held}, expected {expected} ({low} to {high}, 19 times in 20).",
                    held=held,
                    expected=language.number(facts.expected, 1),
                    low=language.number(facts.lower),
                    high=language.number(facts.upper),
                )
            ]
            if own.ordered and not is_missing(facts.usual_outside):
                said.append(
                    text(
                        "In months without {document} alone: {held}, on average before COVID-19 {usual}.",
                        document=own.claim["cause"],
                        held=language.number(facts.held_outside),
                        usual=language.number(facts.usual_outside, 1),
                    )
                )
        if own.claim["cause"] and not own.ordered:
            said.append(self._named(own) + ".")
        if facts.since is not None:
            day, name = language.date(facts.since), language.pick(facts, "name")
            said.append(
                text(
                    "Restricted from {day} on, {by} ({name}).",
                    day=day,
                    by=self._by(facts),
                    name=name,
                )
            )
        elif facts.measured:
            said.append(text("No restriction bound it in this period."))
        return said

    def _by(self, facts: SchoolFacts | EventFacts) -> str:
        """Whose decision it was."""
        text = self._text
        if facts.local:
            return text("by decision of this area's own authorities")
        return text("by decision for the whole country")

    def _named(self, own: Answer) -> str:
        """When the document named as the cause was in force."""
        language, text, document = self._language, self._text, own.claim["cause"]
        if not own.ordered:
            return text("{document} was not in force in this period", document=document)
        first, last = (language.date(day) for day in own.ordered)
        return text(
            "{document} was in force from {first} to {last}",
            document=document,
            first=first,
            last=last,
        )

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
        return bullets(self._shown, items)

    def _table_name(self, name: str) -> str:
        """What a table of monthly figures holds."""
        return self._language.words("table").get(name, name)

    def _value(self, own: pd.Series, amount: float) -> str:
        """An amount in the unit of a published figure."""
        if is_missing(amount):
            return NONE
        language = self._language
        unit = own["unit"]
        if unit.startswith("1e6 "):
            return language.unit(unit.removeprefix("1e6 "), 0).amount(amount * 1e6)
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
