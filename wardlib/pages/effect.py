"""The effect of COVID-19 on tax collection: what came, what the law put off or cancelled, what is lost.

Every amount of a line and span is printed from one bridge (`Split.bridge`) that adds up as printed; a
verdict reaches a page by the words of its statement (`analysis.statements`, `locale/words.csv`) alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from wardlib.analysis import statements
from wardlib.analysis.effects import Effects
from wardlib.analysis.receipts import line_of
from wardlib.analysis.relief import Amount, Split
from wardlib.language import NONE, Language, Unit, inside, is_missing
from wardlib.pages import drawing
from wardlib.pages.block import Block, bullets, headline
from wardlib.pages.page import Page
from wardlib.pages.table import ESTIMATE, PARTIAL, Column, Row, marked, table

WINDOW = 36  # months that the monthly chart looks back
_TOLD = 3  # lines of a month or quarter that the leader's page tells one by one
_PANELS = 24  # months of each of the small charts
_ESTIMATES = ["counterfactual", "lower", "upper"]
_ROWS = 14  # of the table of lines that a page holds
_LONG = 11  # letters of both bounds of an interval that stand on one line of a column
_ABOVE = 66  # letters of a line across the page, above small charts
_SEEN = 0.004  # of the widest bar: a thinner part is not seen, and a line of less is not drawn
_BY_LAW = (statements.DEFERRED, statements.RELIEF, statements.RETURNED)
_LARGER = 3  # times the largest line that moved: above it, one that did not is not drawn


class EffectPage(Page[Effects]):
    """What was to be expected without COVID-19, and what became of the difference."""

    _page = "effect"
    _opening = "sentence"

    def answer(self) -> str:
        """What COVID-19 did to the budget in the year to date, in one short sentence: of the total where it
        moved, else of the line that moved most, one that brought more than expected last."""
        language, text = self._language, self._text
        result = self.result
        if result.span is None:
            return text("The period ends before the epidemic.")
        if not result.by_line:
            return self._cannot_say(result.root)
        # The period where something moved in it, else the year to date.
        moving = {span: self._moved(*span) for span in self._spans}
        span = next((span for span, moved in moving.items() if moved), result.span)
        split = self._split(result.root, *span)
        moved = moving[span]
        if split is not None and split.verdict != statements.USUAL:
            moved = [result.root]
        if not moved and not self._first_level and split is not None:
            return f"{language.sentence(self._name_inside(result.root))}: {self._verdict(split)}."
        if not moved:
            return text("No line lies outside normal variation.")
        found = {line: self._split(line, *span) for line in moved}
        short = (line for line, own in found.items() if own and own.verdict != statements.MORE)
        line = next(short, moved[0])
        split = found[line]
        assert split is not None  # it has moved
        join = " – " if self._all_lost(split) else " "
        told = self._in_short(split, earlier=False)
        said = language.sentence(self._name_inside(line)) + join + told
        own = self._first_level
        splits = [self._split(part, *span) for part in own]
        lost = [part for part in splits if part is not None and part.loss == statements.LOST]
        unsure = split.loss in (statements.POSSIBLE, statements.EXCLUDED)
        if line == result.root and unsure and lost:
            said = (
                said.partition(";")[0]
                + "; "
                + text(
                    "a loss is shown in {count} of {all} lines",
                    count=str(len(lost)),
                    all=str(len(own)),
                )
            )
        return said + "."

    def moved(self) -> Block:
        """How many first-level lines lie outside normal variation in the period and in the year to date, and
        what can be said of each; then the total."""
        said = [self._outside(*span) for span in self._spans]
        return self._headline(*filter(None, said), *self._sentences(self.result.root))

    def brief(self) -> Block:
        """The line that moved most in the period, with what it brought a year before, where the period is not
        the year to date; the lines that moved in the year to date; the total in short."""
        result = self.result
        if result.span is None or not result.by_line:
            return self._headline(*self._sentences(result.root))
        said = []
        for span in self._spans[:-1]:
            moved = self._moved(*span)
            for line in moved[:_TOLD]:
                split = self._split(line, *span)
                assert split is not None  # it has moved
                printed = self._printed(split)
                said.append(self._came(line, split, printed, own=True))
                said.append(self._language.sentence(self._in_short(split)) + ".")
            if len(moved) > _TOLD or not moved:
                said.append(self._outside(*span))
        said.append(self._outside(*result.span))
        root = result.by_line.get(result.root)
        name = self._language.sentence(self._name_inside(result.root))
        if root is None:
            short = self._cannot_say(result.root)
        elif root.verdict == statements.USUAL:
            short = self._verdict(root)
        else:
            short = self._in_short(root)
        join = " – " if root is not None and self._all_lost(root) else ": "
        return self._headline(*filter(None, said), f"{name}{join}{short}.")

    def sentence(self, line: str = "") -> Block:
        """What COVID-19 did to a line (default: the total) in the period, and where it is longer in the
        year to date: what came, what was to be expected, what the law put off or cancelled, what is
        lost, and how sure that is."""
        return self._headline(*self._sentences(line_of(self.result.lines, line)))

    def month(self, line: str, month: pd.Period) -> Block:
        """What one month of a line brought against what was to be expected, what of that the law put off or
        cancelled; why nothing can be said of it, where that is so. Of a loss a month says nothing: one of
        many lies outside its interval by chance."""
        line, start = line_of(self.result.lines, line), self.result.start
        if start is not None and month < start:
            return headline(self._shown, self._text("This month comes before the effect begins."))
        if start is not None and month > self.result.period.last:
            return headline(self._shown, self._text("This month comes after the period."))
        split = self.result.split(line, month, month)
        if split is None:
            name = self._language.sentence(self._name_inside(line))
            return self._headline(f"{name}: {self._cannot_say(line)}.")
        printed = self._printed(split)
        said = [self._came(line, split, printed, own=False), *self._cash(split, printed)]
        return self._headline(*said, *self._became(split, printed))

    def findings(self) -> Block | None:
        """An item each: the first-level lines that moved in the period or the year to date, all others by
        what can be said of them, the lines for comparison, the phases of the total, the checks. Nothing
        where the period ends before the epidemic."""
        language, text, result = self._language, self._text, self.result
        if result.span is None:
            return None
        lines = self._first_level
        moved = [line for line in lines if any(line in self._moved(*span) for span in self._spans)]
        items = [" ".join(self._sentences(line)) for line in moved]
        quiet = [line for line in lines if line not in moved]
        if quiet:
            items.append(self._by_verdict(quiet))
        compared = list(result.lines.index[result.lines["comparison"]])
        if compared:
            items.append(
                language.plural(
                    "{count} line that no restriction and no relief named stands for comparison.",
                    "{count} lines that no restriction and no relief named stand for comparison.",
                    len(compared),
                )
                + " "
                + self._by_verdict(compared)
            )
        elif len(lines):
            items.append(
                text(
                    "No line can stand for comparison: each was named by a restriction or by relief, or it "
                    "is not recorded which lines restrictions named."
                )
            )
        if len(result.segments) > 1:
            items += [
                f"{self._segment_name(segment)}: {finding}"
                for _, segment in result.segments.iterrows()
                if (finding := self._finding(result.root, segment["first"], segment["last"]))
            ]
        items.append(self._checks())
        return bullets(self._shown, (language.sentence(item) for item in items if item))

    def months_table(self, line: str = "") -> Block | None:
        """Which months make the difference: a row a month of the year to date since the start, of a line
        (default: the total): what was to be expected, what came, how far it fell short, in that month and
        so far, and what the law put off. Nothing where nothing can be said of the line."""
        result, language, text = self.result, self._language, self._text
        line = line_of(result.lines, line)
        whole = result.by_line.get(line)
        if whole is None or result.span is None:
            return None
        months = pd.period_range(*result.span, freq="M")
        splits = {month: result.split(line, month, month) for month in months}
        unit, printed = self._unit, self._printed(whole)
        step = unit.scale / 10
        rows, drawn, moved = [], [], False
        short = shown = 0.0
        known = [month for month, split in splits.items() if split is not None]
        for month, split in splits.items():
            if split is None:
                rows.append(Row(language.sentence(language.month(month)), (NONE,) * 5))
                continue
            # What is short so far is rounded, so that the months add up as printed to what the sentence
            # says; what was collected is a fact, and stands as everywhere else.
            short += split.expected - split.collected
            so_far = printed["difference"] if month == known[-1] else round(short / step) * step
            now, shown = so_far - shown, so_far
            expected = max(round(split.collected / step) * step + now, 0.0)
            moved = moved or round(expected / step) != round(split.expected / step)
            off = split.deferred.mean + split.overdue.mean + split.paid_later.mean
            between = split.difference
            mark = ESTIMATE * bool(result.receipts.estimated.at[month, line])
            cells = (
                unit.figure(expected),
                unit.figure(split.collected) + mark,
                unit.figure(now) + self._bounds(between.lower, between.upper, " … "),
                unit.figure(so_far),
                unit.figure(off),
            )
            rows.append(Row(language.sentence(language.month(month)), cells))
            drawn.append({"month": month, **split.row()})
        columns = [
            Column(text("Month")),
            Column(text("Expected without COVID-19"), 15),
            Column(text("Collected"), 13),
            Column(text("Short; more with a minus"), 20),
            Column(text("Short so far"), 13),
            Column(text("Put off by law"), 13),
        ]
        notes = [
            text(
                "Expected - collected; below it the interval that holds {often}. Put off by law: what was "
                "put off in the month, paid since or not.",
                often=self._often,
            )
        ]
        if moved:
            notes.append(
                text(
                    "So that what is short adds up, the expected of a month may differ by its last digit."
                )
            )
        if marked(rows, ESTIMATE):
            notes.append(text("* holds a month that is still an estimate."))
        caption = text(
            "{line} by month: expected without COVID-19, and collected ({unit})",
            line=language.pick(result.lines.loc[line], "name"),
            unit=unit.name,
        )
        frame = pd.DataFrame(drawn).drop(columns=["first", "last", "months"])
        bare = ("month", "until", "verdict", "loss", "cash", "granted")
        units = {name: self.edition.ward.currency for name in frame.columns if name not in bare}
        sources = ("receipts", "tax_relief")
        return table(
            self._shown, f"months-{line}", caption, columns, rows, frame, units, notes, sources
        )

    def bridge_table(self) -> Block | None:
        """From the expected to the collected, a row a line: in the period since the start. The figures behind
        it also hold the year to date and, of cash, each phase. Nothing where the period ends before the
        epidemic."""
        result, language, text = self.result, self._language, self._text
        if not self._spans:
            return None
        unit, splits = self._unit, self._of_period
        shown = {line: self._printed(split) for line, split in splits.items()}
        columns_of = {
            words: names
            for words, names in self._members.items()
            if any(sum(abs(printed[name]) for name in names) > 0 for printed in shown.values())
        }
        # An interval stands on a line of its own, and on two where there are many columns.
        between = "\n… " if len(columns_of) > 3 else " … "
        rows, told = [], result.lines
        if len(told) > _ROWS:  # the parts of lines stand in the figures behind the table
            told = told[told["depth"] <= 1]
        for line in told.index:
            about = told.loc[line]
            head, depth = language.pick(about, "name"), int(about["depth"])
            split = splits.get(line)
            if split is None:
                cells = (NONE,) * (len(columns_of) + 3)
                rows.append(Row(head, cells, depth, self._cannot_say(line)))
                continue
            whole = len(pd.period_range(split.first, split.last, freq="M"))
            mark = ESTIMATE * bool(about["estimated"]) + PARTIAL * (split.months < whole)
            printed = shown[line]
            low, high = (
                split.collected + end for end in (split.difference.lower, split.difference.upper)
            )
            cells = (
                unit.figure(printed["expected"]) + self._bounds(low, high, between),
                *(self._member(split, printed, names, between) for names in columns_of.values()),
                unit.figure(printed["collected"]) + mark,
                unit.figure(split.most),
            )
            rows.append(Row(head, cells, depth, self._verdict(split)))
        columns = [
            Column(text("Line")),
            Column(text("Expected without COVID-19"), 13),
            *(Column(language.sentence(words), 12) for words in columns_of),
            Column(text("Collected"), 13),
            Column(text("Loss, at most"), 12),
        ]
        notes = [
            text(
                "Expected - what was exempt, reduced, put off, overdue, paid later, lost or unexplained + what "
                "was paid for earlier months = collected. In brackets the interval that holds {often}, "
                "at every share of payers in the range of the table tax_relief; a negative unexplained "
                "amount is more than expected. Each row names its rest by its own evidence, so that lost and "
                "unexplained do not add up over lines.",
                often=self._often,
            )
        ]
        if len(told) < len(result.lines):
            notes.append(text("Parts of lines: in the attached figures."))
        if marked(rows, ESTIMATE):
            notes.append(text("* holds a month that is still an estimate."))
        if marked(rows, PARTIAL):
            notes.append(
                text("† some month is not reported: the sum is of the months reported only.")
            )
        if waiting := [s.until for s in splits.values() if not is_missing(s.until)]:
            notes.append(
                text("Put off until {day} at the latest.", day=language.date(max(waiting)))
            )
        caption = text(
            "From the amount expected without COVID-19 to the amount collected, {span} ({unit})",
            span=language.span_short(*self._spans[0]),
            unit=unit.name,
        )
        frame = result.rows
        bare = ("line", "span", "first", "last", "months", "until", "verdict", "loss", "cash")
        units = {name: self.edition.ward.currency for name in frame.columns if name not in bare}
        units["months"] = "months"
        sources = ("receipts", "tax_relief")
        slug = "bridge"
        return table(self._shown, slug, caption, columns, rows, frame, units, notes, sources)

    def bridge_chart(self, *, row_height: float = 0.33, most: int = 99) -> Block | None:
        """A bar a first-level line in the period since the start: what came, what the law put off or cancelled, what is
        lost or unexplained, against what was to be expected; nothing where nothing can be said.

        A line that did not move and would dwarf those that did is named instead, and one whose bar would not
        be seen. `row_height` in inches;
        `most`: of so many lines at most, those that moved first, then the greater.
        """
        result, language, text = self.result, self._language, self._text
        splits = self._of_period
        if not splits:
            return None
        lines = [line for line in self._first_level if line in splits] or [result.root]
        lines = [line for line in lines if line in splits]
        moved = [line for line in lines if _differs(splits[line])]
        limit = _LARGER * max((splits[line].expected for line in moved), default=np.inf)
        least = _SEEN * max((splits[line].expected for line in moved), default=0)
        shown = [
            line
            for line in lines
            if least <= splits[line].expected and (line in moved or splits[line].expected <= limit)
        ]
        first = sorted(shown, key=lambda line: (line not in moved, -splits[line].expected))[:most]
        shown = [line for line in shown if line in first and splits[line].expected > 0]
        if not shown:
            return None
        unit = self._unit
        alt = [
            text(
                "Bar chart, {unit}, {span}: a bar a line, from what was collected to what was to be expected "
                "without COVID-19.",
                unit=unit.name, span=language.span_short(*self._spans[0]),
            )
        ]  # fmt: skip
        drawn = []
        for line in shown:
            split = splits[line]
            printed = self._printed(split)
            amounts = {
                words: sum(printed[name] for name in names)
                for words, names in self._members.items()
            }
            parts = [
                f"{words} {unit.figure(amount, trim=True)}"
                for words, amount in amounts.items()
                if abs(amount) > 0
            ]
            alt.append(
                text(
                    "{line}: collected {collected} of {expected} expected",
                    line=language.pick(result.lines.loc[line], "name"),
                    collected=unit.figure(printed["collected"], trim=True),
                    expected=unit.figure(printed["expected"], trim=True),
                )
                + "".join(f", {part}" for part in parts)
                + f"; {self._verdict(split)}."
            )
            low, high = max(split.claim.lower, 0), split.most
            drawn.append({"line": line, **printed, "loss_lower": low, "loss_upper": high})
        left_out = [line for line in lines if line not in shown]
        if left_out:
            alt.append(self._left_out(left_out))
        frame = pd.DataFrame(drawn)
        units = {name: self.edition.ward.currency for name in frame.columns if name != "line"}
        title = text(
            "Collected, and expected without COVID-19, by line, {span} ({unit})",
            span=language.span_short(*self._spans[0]),
            unit=unit.name,
        )
        if left_out:
            title += ". " + self._left_out(left_out).removesuffix(".")
        svg = self._draw_bridge(frame, unit, row_height)
        return drawing.chart(self._shown, "chart-bridge", title, alt, svg, frame, units)

    def lines_chart(self) -> Block | None:
        """The first-level lines that moved in the period or the year to date (the total where none did), a
        small chart each: by month beside what was to be expected."""
        result, language, text = self.result, self._language, self._text
        if result.span is None or not result.by_line:
            return None
        moved = [
            line
            for line in self._first_level
            if any(line in self._moved(*span) for span in self._spans)
        ]
        lines = moved or [line for line in [result.root] if line in result.by_line]
        if not lines:
            return None
        last = result.period.last
        first = max(result.receipts.months.index[0], last - (_PANELS - 1))
        months = pd.period_range(first, last, freq="M")
        unit, alt, drawn = self._unit, [], []
        for line in lines:
            values = result.receipts.months[line].reindex(months)
            without = result.impact(line).by_month[_ESTIMATES].reindex(months)
            own = pd.DataFrame({"line": line, "month": months, "collected": values.to_numpy()})
            drawn.append(own.join(without.reset_index(drop=True)))
            alt += self._months_in_words(
                language.pick(result.lines.loc[line], "name"), values, unit
            )
            alt += self._without_in_words(without["counterfactual"].dropna(), values, unit)
        frame = pd.concat(drawn, ignore_index=True)
        svg = self._draw_lines(frame, lines, months, unit)
        if moved:
            title = text(
                "Lines outside normal variation, by month ({unit}); dashed: expected without COVID-19, "
                "{often} in the shaded range",
                unit=unit.name,
                often=self._often,
            )
        else:
            title = text(
                "{line} by month ({unit}); dashed: expected without COVID-19, {often} in the shaded range",
                line=language.pick(result.lines.loc[lines[0]], "name"),
                unit=unit.name,
                often=self._often,
            )
        units = dict.fromkeys(("collected", *_ESTIMATES), self.edition.ward.currency)
        return drawing.chart(self._shown, "chart-lines", title, alt, svg, frame, units)

    def chart(self, line: str = "", *, height: float = 2.6) -> Block:
        """A line (default: the total) by month over up to three years, beside it what was to be
        expected without COVID-19; `height` in inches.

        The phases of the epidemic are shaded. Where no statement is possible, what was collected
        stands alone.
        """
        language, text = self._language, self._text
        line = line_of(self.result.lines, line)
        receipts, split = self.result.receipts, self.result.by_line.get(line)
        name = language.pick(receipts.lines.loc[line], "name")
        last = self.result.period.last
        first = max(receipts.months.index[0], min(last - (WINDOW - 1), self.result.period.first))
        months = pd.period_range(first, last, freq="M")
        values = receipts.months[line].reindex(months)
        estimated = receipts.estimated[line].reindex(months, fill_value=False)
        without = (
            self.result.impact(line).by_month[_ESTIMATES].reindex(months)
            if split
            else pd.DataFrame(columns=_ESTIMATES, index=months, dtype=float)
        )
        unit = self.edition.unit(max(values.max(), without["counterfactual"].max()))
        phases = self.result.phases
        shown = phases[(phases["end"] >= first.start_time) & (phases["start"] <= last.end_time)]
        svg = self._draw_months(values, without, estimated, shown, unit, height)
        title = (
            text("{line} by month, and what was to be expected without COVID-19", line=name)
            if split
            else text("{line} by month", line=name)
        )
        alt = self._months_in_words(name, values, unit)
        if split:
            alt += self._without_in_words(without["counterfactual"].dropna(), values, unit)
        if estimated.any():
            alt.append(text("Hatched bars are estimates."))
        if len(shown):
            alt.append(text("Shaded: {phases}.", phases=drawing.bands(shown, self.edition)))
        drawn = pd.DataFrame({"month": values.index, "collected": values.to_numpy()})
        drawn["estimate"] = estimated.to_numpy()
        drawn = drawn.join(without.reset_index(drop=True))
        slug = "chart-monthly"
        units = dict.fromkeys(("collected", *_ESTIMATES), self.edition.ward.currency)
        return drawing.chart(self._shown, slug, title, alt, svg, drawn, units)

    # What the sentences are made of.

    def _headline(self, *said: str) -> Block:
        """Sentences; after them, which months of the epidemic a supposed start has the estimate learn from."""
        if learnt := _spells(self.result.into_history):
            language, text = self._language, self._text
            note = text(
                "The supposed start puts months of the epidemic into the history from which the estimate "
                "learns: {months}. What they lost counts as usual.",
                months=language.join([language.span_short(*spell) for spell in learnt]),
            )
            said = *said, note
        return headline(self._shown, *said)

    @property
    def _often(self) -> str:
        """How often an interval holds the truth: "19 times in 20"."""
        return self._language.often(self.result.level)

    @cached_property
    def _first_level(self) -> list[str]:
        return list(self.result.lines.index[self.result.lines["depth"] == 1])

    @cached_property
    def _unit(self) -> Unit:
        """The unit of every amount of an effect: one, so that an amount is printed alike everywhere."""
        splits = self.result.by_line.values()
        return self.edition.unit(max((abs(split.expected) for split in splits), default=0))

    @property
    def _spans(self) -> list[tuple[pd.Period, pd.Period]]:
        return self.result.spans

    @property
    def _of_period(self) -> dict[str, Split]:
        return self.result.of_period

    def _split(self, line: str, first: pd.Period, last: pd.Period) -> Split | None:
        """The split of a line in one of `_spans`, made once; None where nothing can be said."""
        whole = (first, last) == self.result.span
        return (self.result.by_line if whole else self._of_period).get(line)

    def _outside(self, first: pd.Period, last: pd.Period) -> str:
        """How many first-level lines lie outside normal variation in some months, and what can be said of
        each; "" where there are no such lines."""
        language, text, lines = self._language, self._text, self._first_level
        found = [line for line in lines if self._split(line, first, last) is not None]
        if not found:
            return ""
        moved, span = self._moved(first, last), language.sentence(language.span(first, last))
        if not moved:
            return text(
                "{span}, no line lies outside normal variation ({often}).",
                span=span,
                often=self._often,
            )
        return language.plural(
            "{span}, {count} of {all} lines lies outside normal variation ({often}): {lines}.",
            "{span}, {count} of {all} lines lie outside normal variation ({often}): {lines}.",
            len(moved),
            span=span,
            often=self._often,
            all=str(len(lines)),
            lines=self._grouped({line: self._split(line, first, last) for line in moved}),
        )

    def _moved(self, first: pd.Period, last: pd.Period) -> list[str]:
        """The first-level lines that lie outside normal variation in some months, the greatest difference
        first."""
        found = [(line, self._split(line, first, last)) for line in self._first_level]
        moved = [
            (abs(split.difference.mean), line)
            for line, split in found
            if split is not None and _differs(split)
        ]
        return [line for _, line in sorted(moved, key=lambda one: -one[0])]

    def _segment_name(self, segment: pd.Series) -> str:
        """A phase, or the time after one, with its months: "Wave 1 (Feb 2020–Jun 2020)"."""
        language, text = self._language, self._text
        name = language.pick(self.result.phases.iloc[max(segment["spell"], 0)], "name")
        if segment["spell"] < 0:
            name = text("Before {phase}", phase=inside(name))
        elif not segment["inside"]:
            name = text("After {phase}", phase=inside(name))
        return f"{name} ({language.span_short(segment['first'], segment['last'])})"

    def _printed(self, split: Split) -> dict[str, float]:
        """The bridge of a split as it is printed, in base units: `expected`, its members, `collected`, and
        `difference`, `shortfall` made from them. Rounded so that it adds up: what rounding leaves goes to
        the members that were rounded most, never to what was expected or collected, on which they have no
        bearing."""
        step = self._unit.scale / 10
        exact = {"expected": split.expected} | {
            name: amount.mean if name == "earlier" else -amount.mean
            for name, amount in split.bridge.items()
        }
        units = {name: value / step for name, value in exact.items()}
        whole = {name: round(value) for name, value in units.items()}
        collected = round(split.collected / step)
        left = collected - sum(whole.values())
        towards = 1 if left > 0 else -1
        members = [name for name in split.bridge if units[name] != 0]
        members.sort(key=lambda name: towards * (whole[name] - units[name]))
        for name in members[: abs(left)]:
            whole[name] += towards
        printed = {
            name: (count if name in ("expected", "earlier") else -count) * step
            for name, count in whole.items()
        }
        printed["collected"] = collected * step
        printed["difference"] = printed["expected"] - printed["collected"]
        printed["shortfall"] = printed["difference"] + printed["earlier"]
        for name, value in (("expected", split.expected), ("collected", split.collected)):
            printed[name] = printed[name] or value  # "<0,1" is not nothing
        return printed

    def _verdict(self, split: Split) -> str:
        """What can be said of a split, in a few words."""
        return self._language.words("verdict")[split.verdict]

    def _cannot_say(self, line: str) -> str:
        """That nothing can be said of a line, and why."""
        text = self._text
        silent = self.result.lines["silent"][line] or "unreported"
        words = self._language.words("silence")
        if self.result.assumptions.only("start", "phases", "leave_out"):
            words |= self._language.words("silence_supposed")
        reason = words[silent]
        return text("not enough evidence: {reason}", reason=reason)

    def _name_inside(self, line: str) -> str:
        """The name of a line as it stands inside a sentence."""
        return inside(self._language.pick(self.result.lines.loc[line], "name"))

    def _sentences(self, line: str) -> list[str]:
        """What can be said of a line in the period, and in the year to date."""
        if self.result.by_line.get(line) is None:
            name = self._language.sentence(self._name_inside(line))
            return [f"{name}: {self._cannot_say(line)}."]
        said = []
        for span in self._spans:
            split = self._split(line, *span)
            if split is not None:
                said += self._account(line, split, own=span != self.result.span)
        return said

    def _account(self, line: str, split: Split, *, own: bool) -> list[str]:
        """A line in some months: cash, then what became of what these months owed. `own`: the months are
        those of the period, beside which those of the year before stand."""
        printed = self._printed(split)
        said = [self._came(line, split, printed, own=own)]
        said += self._cash(split, printed)
        if split.verdict != statements.USUAL:
            said += self._became(split, printed)
            if split.verdict != statements.MORE or round(10 * split.most / self._unit.scale):
                said.append(self._language.sentence(self._loss(split, printed)) + ".")
        return said

    def _came(self, line: str, split: Split, printed: dict[str, float], *, own: bool) -> str:
        """What came of a line, what had come a year before, and what was to be expected."""
        language, text, unit = self._language, self._text, self._unit
        values = {
            "span": language.sentence(language.span(split.first, split.last)),
            "line": self._name_inside(line),
            "collected": unit.amount(printed["collected"]),
            "expected": unit.amount(printed["expected"]),
            "low": unit.figure(split.collected + split.difference.lower, trim=True),
            "high": unit.figure(split.collected + split.difference.upper, trim=True),
        }
        if split.collected == 0:
            came = text("{span}, nothing came in of {line}", **values)
        else:
            came = text("{span}, {line} came to {collected}", **values)
        before = self._year_before(line, split) if own else np.nan
        if not is_missing(before):
            came += text(", against {before} a year before", before=unit.amount(before))
        said = came + text(
            "; expected without COVID-19: {expected} ({often} from {low} to {high}).",
            often=self._often,
            **values,
        )
        whole = len(pd.period_range(split.first, split.last, freq="M"))
        if split.months < whole:
            only = self.edition.only(split.months, whole).strip("()")
            said = f"{said.removesuffix('.')}; {only}."
        return said

    def _year_before(self, line: str, split: Split) -> float:
        """What the same months of the year before brought, of the same lines; missing where one of either
        is not known, or the period is not all since the start."""
        receipts = self.result.receipts
        months = receipts.period.months
        whole = (split.first, split.last, split.months) == (months[0], months[-1], len(months))
        return float(receipts.lines["period_before"][line]) if whole else np.nan

    def _cash(self, split: Split, printed: dict[str, float]) -> list[str]:
        """Whether more or less came in than expected; with what came for earlier months, both accounts."""
        language, text, unit = self._language, self._text, self._unit
        more, short = -printed["difference"], printed["shortfall"]
        both = printed["earlier"] > (0 if more > 0 else 0.01 * -more)
        if both and _differs(split):
            values = {
                "more": unit.amount(abs(more)),
                "earlier": unit.amount(printed["earlier"]),
                "short": unit.amount(abs(short)),
            }
            if more > 0 and short > 0:
                return [
                    text(
                        "{more} more came in than expected, of which about {earlier} had been put off from "
                        "earlier months: {short} short of what these months owed.",
                        **values,
                    )
                ]
            if more > 0:
                return [
                    text(
                        "{more} more came in than expected, of which about {earlier} had been put off from "
                        "earlier months.",
                        **values,
                    )
                ]
            if short > 0:
                return [
                    text(
                        "{more} less came in than expected, although about {earlier} came that had been put "
                        "off from earlier months: {short} short of what these months owed.",
                        **values,
                    )
                ]
        share = abs(more) / printed["expected"] if printed["expected"] > 0 else np.nan
        words = language.words("cash")[split.cash].format(
            amount=unit.amount(abs(more)), share=language.percent(share)
        )
        return [language.sentence(words) + "."]

    def _became(self, split: Split, printed: dict[str, float]) -> list[str]:
        """What of what these months owed is not payable, was put off, came later, is overdue."""
        language, text, unit = self._language, self._text, self._unit

        def about(amount: Amount, name: str) -> dict[str, str]:
            return {
                "amount": unit.amount(printed[name]),
                "low": unit.figure(amount.lower, trim=True),
                # A few paths in a hundred can carry a mean beyond its bound.
                "high": unit.figure(max(amount.upper, printed[name]), trim=True),
            }

        said = []
        relieved = printed["exempt"] + printed["reduced"]
        slight = 0.01 * abs(printed["shortfall"])  # the table holds these too
        if relieved > slight:
            said.append(
                text("Exempt or reduced by law: about {amount}.", amount=unit.amount(relieved))
            )
        if printed["deferred"] > slight:
            waits = about(split.deferred, "deferred") | {"day": language.date(split.until)}
            said.append(
                text(
                    "The law lets payers pay later, by {day} at the latest: about {amount} (from {low} to {high}).",
                    **waits,
                )
                if split.granted
                else text("Not due before {day}: about {amount} (from {low} to {high}).", **waits)
            )
        if printed["paid_later"] > slight:
            said.append(
                text(
                    "Put off by law and paid since: about {amount} (from {low} to {high}).",
                    **about(split.paid_later, "paid_later"),
                )
            )
        within = split.returned.mean - split.paid_later.mean
        if split.verdict == statements.RETURNED and within > split.paid_later.mean:
            said.append(
                text(
                    "Put off by law and paid in the same months: about {amount}.",
                    amount=unit.amount(within),
                )
            )
        if printed["overdue"] > slight:
            said.append(
                text(
                    "Not paid by the last lawful day, so overdue: about {amount} (from {low} to {high}).",
                    **about(split.overdue, "overdue"),
                )
            )
        return said

    def _loss(self, split: Split, printed: dict[str, float]) -> str:
        """What may be said of a loss, by the words of its statement."""
        unit = self._unit
        lost = split.loss == statements.LOST
        amount = split.never_due_later if lost else split.claim
        rest = printed["lost"] + printed["unexplained"]
        mean = rest if lost else rest + printed["overdue"]
        return self._language.words("loss")[split.loss].format(
            amount=unit.amount(mean),
            low=unit.figure(amount.lower, trim=True),
            high=unit.figure(amount.upper, trim=True),
            most=unit.amount(split.most),
        )

    def _all_lost(self, split: Split) -> bool:
        """Whether all that came less than expected is said to be lost."""
        printed = self._printed(split)
        lost = split.loss == statements.LOST
        return lost and bool(np.isclose(printed["lost"], printed["difference"]))

    def _in_short(self, split: Split, *, earlier: bool = True) -> str:
        """What can be said of a split in few words, without the line's name: cash, what was put off, a
        loss; and, if asked for, what of a shortfall was made up by earlier months' money."""
        language, text, unit = self._language, self._text, self._unit
        printed = self._printed(split)
        more = -printed["difference"]
        parts = []
        if not _differs(split):  # it was short before, and has come since
            return f"{self._verdict(split)}; {self._loss(split, printed)}"
        if self._all_lost(split):  # one amount, told once
            return self._loss(split, printed)
        if more > 0:
            parts.append(text("{amount} more than expected", amount=unit.amount(more)))
            if printed["earlier"] > 0:
                parts.append(
                    text(
                        "of which about {amount} for earlier months",
                        amount=unit.figure(printed["earlier"], trim=True),
                    )
                )
        else:
            parts.append(text("{amount} short", amount=unit.amount(-more)))
        relieved = printed["exempt"] + printed["reduced"]
        greatest = max(printed["deferred"], relieved, printed["paid_later"])
        amount = unit.figure(greatest, trim=True)
        if greatest <= 0 or more > 0:  # no part of what came
            pass
        elif greatest == printed["deferred"]:
            day = language.day(split.until, self.result.period.year)
            parts.append(
                text("of which about {amount} may be paid until {day}", amount=amount, day=day)
                if split.granted
                else text("of which about {amount} not due before {day}", amount=amount, day=day)
            )
        elif greatest == relieved:
            parts.append(text("of which about {amount} exempt or reduced", amount=amount))
        else:
            parts.append(text("of which about {amount} put off and paid since", amount=amount))
        if earlier and more <= 0 and printed["earlier"] > 0.01 * -more:
            parts.append(
                text(
                    "although about {amount} came for earlier months",
                    amount=unit.figure(printed["earlier"], trim=True),
                )
            )
        said = ", ".join(parts)
        if split.verdict != statements.MORE:
            said += "; " + self._loss(split, printed)
        return said

    def _finding(self, line: str, first: pd.Period, last: pd.Period) -> str:
        """The cash of a line in some months: what came, what was to be expected, and how they compare."""
        if self.result.lines["silent"][line]:
            return ""
        effect = self.result.cash(line, first, last)
        if effect is None:
            return ""
        language, unit = self._language, self._unit
        expected, collected = (
            round(amount / (unit.scale / 10)) * unit.scale / 10
            for amount in (effect.expected, effect.observed)
        )
        gap = expected - collected
        code = {"loss": statements.SHORT, "gain": statements.MORE}.get(
            effect.verdict, statements.USUAL
        )
        words = language.words("cash")[code].format(
            amount=unit.amount(abs(gap)),
            share=language.percent(abs(gap) / expected if expected > 0 else np.nan),
        )
        return (
            self.edition.text(
                "{line} {collected}, expected {expected}: {verdict}",
                line=self._name_inside(line),
                collected=unit.amount(collected),
                expected=unit.figure(expected, trim=True),
                verdict=words,
            )
            + "."
        )

    def _by_verdict(self, lines: Iterable[str]) -> str:
        """Lines grouped by what can be said of them, the difference with each that moved."""
        language = self._language
        groups: dict[str, list[str]] = {}
        for line in lines:
            name, split = self._name_inside(line), self.result.by_line.get(line)
            if split is None:
                groups.setdefault(self._cannot_say(line), []).append(name)
                continue
            if split.verdict != statements.USUAL and _differs(split):
                name += f" ({self._in_short(split)})"
            groups.setdefault(self._verdict(split), []).append(name)
        order = [words for words in language.words("verdict").values() if words in groups]
        order += [words for words in groups if words not in order]
        said = [f"{language.sentence(words)}: {'; '.join(groups[words])}." for words in order]
        return " ".join(said)

    def _grouped(self, splits: dict[str, Split | None]) -> str:
        """Lines by what can be said of them, without amounts."""
        groups: dict[str, list[str]] = {}
        for line, split in splits.items():
            if split is not None:
                words = in_brief(self._language, split)
                groups.setdefault(words, []).append(self._name_inside(line))
        join = self._language.join
        return "; ".join(f"{join(names)} ({words})" for words, names in groups.items())

    def _left_out(self, lines: list[str]) -> str:
        """That lines are not drawn."""
        text = self._text
        names = self._language.join([self._name_inside(line) for line in lines])
        return text("Not drawn: {lines}.", lines=names)

    def _checks(self) -> str:
        """The checks of the total's estimate in one line."""
        language, text = self._language, self._text
        root, start = self.result.root, self.result.start
        if start is None or root not in self.result.ledgers or not self.result.impact(root).model:
            return ""
        checks = self.result.impact(root).checks_until(self.result.period.last)
        said = []
        tested, inside_it = len(checks.placebo), int(checks.placebo["inside"].sum())
        epidemic = self.result.epidemic.recorded
        if tested and epidemic is not None and checks.placebo["last"].max() >= epidemic:
            said.append(
                text("the earlier months on which the method is tested hold months of the epidemic")
            )
        elif tested:
            error = language.percent(checks.error)
            said.append(
                text(
                    "in the one earlier window of twelve months that could be tested, in which nothing had "
                    "happened, the amount collected lay {where} the interval, and the errors of single "
                    "months added up to {error} of it",
                    where=text("inside") if inside_it else text("outside"),
                    error=error,
                )
                if tested == 1
                else text(
                    "in {count} earlier windows of twelve months, in which nothing had happened, the amount "
                    "collected lay inside the interval in {inside} of {count}, and the errors of single "
                    "months added up to {error} of it",
                    count=str(tested),
                    inside=str(inside_it),
                    error=error,
                )
            )
        else:
            said.append(text("there are too few earlier figures to test the method on"))
        changed = -checks.sensitivity["amount"]  # a shortfall is positive
        if len(changed):
            unit = self.edition.unit(changed.abs().max())
            here = -self.result.impact(root).effect(start, self.result.period.last).amount
            if self.result.span == (start, self.result.period.last) and (
                own := self.result.by_line.get(root)
            ):
                here = self._printed(own)["difference"]  # rounded as everywhere on the page
            said.append(
                text(
                    "expected minus collected {span} comes to {here}; with the start one or two months "
                    "earlier, or one year of history left out, to {range}",
                    span=language.span(start, self.result.period.last),
                    here=unit.amount(here),
                    range=unit.range(changed.min(), changed.max())
                    if len(changed) > 1
                    else unit.amount(changed.iloc[0]),
                )
            )
        if root == self.result.receipts.root:
            return text("Checks of the total: {checks}.", checks="; ".join(said))
        return text(
            "Checks of {line}: {checks}.", line=self._name_inside(root), checks="; ".join(said)
        )

    # What the table is made of.

    @cached_property
    def _members(self) -> dict[str, tuple[str, ...]]:
        """What is printed of a bridge, by its words: the members of each."""
        words = self._language.words("bridge")
        names: dict[str, tuple[str, ...]] = {}
        for name in words:
            names[words[name]] = (*names.get(words[name], ()), name)
        return names

    def _member(
        self, split: Split, printed: dict[str, float], names: tuple[str, ...], between: str
    ) -> str:
        """A cell of the bridge: the amount, and its interval."""
        amounts = [split.bridge[name] for name in names]
        low, high = sum(own.lower for own in amounts), sum(own.upper for own in amounts)
        mean = sum(printed[name] for name in names)
        # A few paths in a hundred can carry a mean beyond its bound.
        low, high = min(low, mean), max(high, mean)
        return self._unit.figure(mean) + self._bounds(low, high, between)

    def _bounds(self, low: float, high: float, between: str) -> str:
        """An interval below its mean; nothing where there is none."""
        first, last = self._unit.figure(low), self._unit.figure(high)
        if first == last:
            return ""
        if len(first) + len(last) > _LONG:
            between = "\n… "
        return f"\n{first}{between}{last}"

    # What the charts are made of.

    def _months_in_words(self, name: str, values: pd.Series, unit: Unit) -> list[str]:
        language, text = self._language, self._text
        known = values.dropna()
        return [
            text(
                "Bar chart. {line} by month from {start} to {end}, {unit}.",
                line=name,
                start=language.month(values.index[0]),
                end=language.month(values.index[-1]),
                unit=unit.name,
            ),
            text(
                "Lowest {low} ({low_month}), highest {high} ({high_month}), last {last} "
                "({last_month}).",
                low=unit.figure(known.min(), trim=True),
                low_month=language.month(known.index[int(known.argmin())]),
                high=unit.figure(known.max(), trim=True),
                high_month=language.month(known.index[int(known.argmax())]),
                last=unit.figure(known.iloc[-1], trim=True),
                last_month=language.month(known.index[-1]),
            ),
        ]

    def _without_in_words(self, without: pd.Series, values: pd.Series, unit: Unit) -> list[str]:
        language, text = self._language, self._text
        gap = (without - values).sum()
        return [
            text(
                "Dashed line with its {level} interval: expected without COVID-19, {first} in {start}, "
                "{last} in {end}.",
                level=language.percent(self.result.level),
                first=unit.figure(without.iloc[0], trim=True),
                start=language.month(without.index[0]),
                last=unit.figure(without.iloc[-1], trim=True),
                end=language.month(without.index[-1]),
            ),
            text("Over these months {gap} less was collected.", gap=unit.figure(gap, trim=True))
            if gap >= 0
            else text(
                "Over these months {gap} more was collected.", gap=unit.figure(-gap, trim=True)
            ),
        ]

    def _draw_months(
        self,
        values: pd.Series,
        without: pd.DataFrame,
        estimated: pd.Series,
        phases: pd.DataFrame,
        unit: Unit,
        height: float,
    ) -> str:
        with drawing.drawing(height) as (figure, axes):
            heights, expected = values / unit.scale, without / unit.scale
            axes.set_xlim(0, len(values) + 0.2)
            peak = max(
                0, heights.max(), expected["counterfactual"].max()
            )  # 0 first: all may be nan
            top = max(peak, min(expected["upper"].max(), 1.6 * peak)) * 1.18
            axes.set_ylim(min(0, heights.min() * 1.1), top or 1)
            drawing.shade(axes, phases, values.index[0], len(values), self.edition)
            middles = pd.Series([index + 0.5 for index in range(len(values))], values.index)
            bars = axes.bar(
                middles, heights, width=0.72, color=drawing.NOW, edgecolor=drawing.NOW, zorder=3
            )
            for bar, hollow in zip(bars, estimated, strict=True):
                if hollow:
                    bar.set(facecolor="white", hatch="////")
            known = expected.dropna()
            if len(known):
                at = middles[known.index]
                axes.fill_between(
                    at, known["lower"], known["upper"], color=drawing.WITHOUT, alpha=0.25,
                    linewidth=0, zorder=4,
                )  # fmt: skip
                axes.plot(
                    at, known["counterfactual"], color=drawing.WITHOUT, linestyle="--", marker="D",
                    markersize=3, linewidth=1.2, zorder=5,
                )  # fmt: skip
                axes.annotate(
                    self.edition.text("without COVID-19"),
                    (at.iloc[0], known["counterfactual"].iloc[0]),
                    xytext=(at.iloc[0] - 0.8, 0.9 * top), textcoords="data", va="center",
                    ha="right" if at.iloc[0] > 0.3 * len(values) else "left",
                    color=drawing.WITHOUT, fontweight="bold", zorder=6,
                    bbox={"fc": "white", "ec": "none", "pad": 0.8},
                    arrowprops={"arrowstyle": "-", "color": drawing.WITHOUT, "linewidth": 0.8},
                )  # fmt: skip
            axes.axhline(0, color="#555555", linewidth=0.8)
            drawing.month_axis(axes, values.index, self.edition)
            drawing.money_axis(axes, unit)
            return drawing.outlines(figure)

    def _draw_bridge(self, frame: pd.DataFrame, unit: Unit, row_height: float) -> str:
        language, text = self._language, self._text
        words = language.words("bridge")
        rows = len(frame)
        scaled = frame.drop(columns="line") / unit.scale
        came = (scaled["collected"] - scaled["earlier"]).to_numpy()
        looks: dict[str, dict[str, Any]] = {
            "exempt": drawing.RELIEVED, "reduced": drawing.RELIEVED, "deferred": drawing.DEFERRED,
            "paid_later": drawing.PAID_LATER, "overdue": drawing.OVERDUE, "lost": drawing.LOST,
            "unexplained": drawing.UNEXPLAINED, "earlier": drawing.EARLIER,
        }  # fmt: skip
        widths = {name: scaled[name].clip(lower=0).to_numpy() for name in looks}
        ends = np.maximum(came + sum(widths.values()), scaled["expected"].to_numpy())
        kinds: list[tuple[str, dict[str, Any]]] = [(text("collected"), drawing.COLLECTED)]
        for name, look in looks.items():
            if widths[name].max() > _SEEN * ends.max() and (words[name], look) not in kinds:
                kinds.append((words[name], look))
        kinds += [
            (text("expected without COVID-19"), drawing.EXPECTED),
            (text("loss, {often}", often=self._often), drawing.LOSS_RANGE),
        ]
        height = row_height * rows + 0.4 + drawing.key_height([label for label, _ in kinds])
        with drawing.drawing(height) as (figure, axes):
            places = np.arange(rows, dtype=float)
            drawing.boxes(axes, 0, places - 0.32, came, 0.54, **drawing.COLLECTED)
            left = came
            for name, look in looks.items():
                some = widths[name] > 0
                if some.any():
                    drawing.boxes(
                        axes, left[some], places[some] - 0.32, widths[name][some], 0.54, **look
                    )
                left = left + widths[name]
            drawing.lines(
                axes, (scaled["expected"],) * 2, (places - 0.42, places + 0.42),
                color="black", linewidth=2, zorder=6,
            )  # fmt: skip
            may = (scaled["loss_upper"] > 0).to_numpy()
            drawing.lines(
                axes,
                (
                    (scaled["expected"] - scaled["loss_upper"]).clip(lower=0)[may],
                    (scaled["expected"] - scaled["loss_lower"])[may],
                ),
                (places[may] + 0.36,) * 2,
                color=drawing.PLAN, linewidth=2.4, zorder=7, solid_capstyle="butt",
            )  # fmt: skip
            for place, end, (_, row) in zip(places, ends, frame.iterrows(), strict=True):
                axes.annotate(
                    f"{unit.figure(row['collected'], trim=True)}/"
                    f"{unit.figure(row['expected'], trim=True)}",
                    (end, place), xytext=(5, 0), textcoords="offset points", va="center",
                )  # fmt: skip
            axes.set_yticks(
                range(rows),
                [
                    drawing.beside(language.pick(self.result.lines.loc[line], "name"))
                    for line in frame["line"]
                ],
                linespacing=0.9,
            )
            axes.set_ylim(rows - 0.4, -0.6)
            axes.set_xlim(0, ends.max() * 1.35)
            axes.grid(axis="y", visible=False)
            axes.grid(axis="x", visible=True)
            drawing.lying_money_axis(axes, unit)
            drawing.key(figure, kinds)
            return drawing.outlines(figure)

    def _draw_lines(
        self, frame: pd.DataFrame, lines: list[str], months: pd.PeriodIndex, unit: Unit
    ) -> str:
        phases = self.result.phases
        shown = phases[
            (phases["end"].isna() | (phases["end"] >= months[0].start_time))
            & (phases["start"] <= months[-1].end_time)
        ]
        with drawing.panels(len(lines)) as (figure, grid):
            for axes, line in zip(grid, lines, strict=True):
                own = frame[frame["line"] == line]
                middles = np.arange(len(own)) + 0.5
                axes.set_xlim(0, len(own))
                axes.bar(
                    middles, own["collected"] / unit.scale, width=0.75, color=drawing.NOW, zorder=3
                )
                known = own["counterfactual"].notna().to_numpy()
                axes.fill_between(
                    middles[known], own["lower"][known] / unit.scale, own["upper"][known] / unit.scale,
                    color=drawing.WITHOUT, alpha=0.25, linewidth=0, zorder=4,
                )  # fmt: skip
                axes.plot(
                    middles[known], own["counterfactual"][known] / unit.scale, color=drawing.WITHOUT,
                    linestyle="--", marker="D", markersize=2.5, linewidth=1.2, zorder=5,
                )  # fmt: skip
                drawing.bands_behind(axes, shown, months[0], len(own))
                name = self._language.pick(self.result.lines.loc[line], "name")
                letters = _ABOVE // drawing.panel_columns(len(lines))
                axes.set_title(
                    drawing.beside(name, letters), loc="left", fontsize=9, linespacing=0.95
                )
                drawing.month_axis(axes, months, self.edition, small=True)
                drawing.money_axis(axes, unit)
                axes.set_ylabel("")
            return drawing.outlines(figure)


def _spells(months: pd.PeriodIndex) -> list[tuple[pd.Period, pd.Period]]:
    """The first and the last of each run of months without a gap."""
    runs = np.split(np.asarray(months), np.flatnonzero(np.diff(months.asi8) != 1) + 1)
    return [(run[0], run[-1]) for run in runs if len(run)]


def in_brief(language: Language, split: Split) -> str:
    """The verdict on a split, where no amount stands beside it: of what the law moved also that a loss is not
    excluded, where it is not."""
    words = language.words("verdict")[split.verdict]
    if split.verdict in _BY_LAW and split.loss == statements.POSSIBLE:
        words += ", " + language.text("a loss not excluded")
    return words


def _differs(split: Split) -> bool:
    """Whether what came, or what these months owed, is shown to differ from what was to be expected."""
    owed = split.shortfall
    return split.cash != statements.USUAL or owed.lower > 0 or owed.upper < 0
