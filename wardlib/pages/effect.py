"""The effect of COVID-19 on tax collection: lost, late or not payable, by line and phase."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

import pandas as pd

from wardlib.analysis.effects import Effects
from wardlib.analysis.relief import Amount, Split
from wardlib.language import NBSP, NONE, Unit, inside, is_missing
from wardlib.pages import drawing
from wardlib.pages.block import Block, bullets, headline, paragraph
from wardlib.pages.page import Page, line_of
from wardlib.pages.table import ESTIMATE, PARTIAL, Column, Row, marked, percent, table

WINDOW = 36  # months that the monthly chart looks back
_ESTIMATES = ["counterfactual", "lower", "upper"]


class EffectPage(Page[Effects]):
    """What was to be expected without COVID-19, and what became of the difference."""

    def sentence(self, line: str = "") -> Block:
        """What COVID-19 did to a line (default: the total) in the year to date, how sure that is,
        and what is only late."""
        return headline(*self._sentences(line_of(self.result.lines, line)))

    def findings(self) -> Block | None:
        """Each phase, each first-level line, the lines for comparison and the checks, an item each;
        nothing where the period ends before the epidemic."""
        language, text = self._language, self._text
        if self.result.span is None:
            return None
        items = [
            f"{self._segment_name(segment)}: {finding}"
            for _, segment in self.result.segments.iterrows()
            if (finding := self._finding(self.result.root, segment["first"], segment["last"]))
        ]
        lines = self.result.lines[self.result.lines["depth"] == 1]
        items.append(self._by_verdict(lines.index[~lines["comparison"]]))
        compared = self.result.lines.index[self.result.lines["comparison"]]
        if len(compared):
            items.append(
                text(
                    "For comparison, lines that no closure and no relief for those who paid before "
                    "touched: {lines}",
                    lines=inside(self._by_verdict(compared)),
                )
            )
        items.append(self._checks())
        return bullets(language.sentence(item) for item in items if item)

    def brief_findings(self) -> Block | None:
        """The first-level lines that `brief_table` leaves out, by what can be said of them."""
        if self.result.span is None:
            return None
        lines = self.result.lines[self.result.lines["depth"] == 1]
        quiet = [
            line
            for line in lines.index
            if line not in self.result.by_line or self.result.by_line[line].verdict == "none"
        ]
        return paragraph(self._by_verdict(quiet), note=True) if quiet else None

    def table(self) -> Block | None:
        """The shortfall of each line since the start, and of each of its phases, as the ledger
        splits it. Nothing where the period ends before the start."""
        first, last = self.result.start, self.result.period.last
        if first is None or last < first:
            return None
        language, text = self._language, self._text
        segments = [segment for _, segment in self.result.segments.iterrows()]
        if len(segments) == 1:
            segments = []
        rows: list[tuple[str, str, int, Split | None]] = []
        for line in self.result.lines.index:
            about = self.result.lines.loc[line]
            depth = about["depth"]
            whole = self.result.split(line, first, last)
            rows.append((line, language.pick(about, "name"), depth, whole))
            for segment in segments:
                split = self.result.split(line, segment["first"], segment["last"])
                if split is not None:
                    rows.append((line, self._segment_name(segment), depth + 1, split))
        drawn = [{"line": line, **_flat(split)} for line, *_, split in rows if split is not None]
        splits = [split for *_, split in rows if split is not None]
        unit = self._unit(splits)
        needed = _needed(splits)
        columns, body = self._split_columns(needed), []
        for line, head, depth, split in rows:
            if split is None:
                says = text("no statement: {reason}", reason=self._silence(line))
                cells = (NONE,) * (len(columns) - 1)
            else:
                says, cells = self._verdict(split), self._split_cells(line, split, needed, unit)
            body.append(Row(head, cells, depth, says))
        note = text(
            "In brackets the 95 % interval, at every share of payers in the range of the table "
            "tax_relief. A negative shortfall is more than expected."
        )
        caption = text(
            "Receipts {span} against what was to be expected without COVID-19 ({unit})",
            span=language.span(first, last),
            unit=unit.name,
        )
        return self._table("effects-by-phase", caption, columns, body, note, splits, drawn)

    def brief_table(self) -> Block | None:
        """The shortfall in the year to date alone, of the total and of those first-level lines that
        show a difference. Nothing where the period ends before the start."""
        if self.result.span is None:
            return None
        language, text = self._language, self._text
        lines = self.result.lines[self.result.lines["depth"] <= 1]
        drawn, telling = [], {}
        for line in lines.index:
            split = self.result.by_line.get(line)
            if split is not None:
                drawn.append({"line": line, **_flat(split)})
            if line == self.result.root or (split is not None and split.verdict != "none"):
                telling[line] = split
        splits = [split for split in telling.values() if split is not None]
        unit = self._unit(splits)
        columns = [
            Column(text("Line")),
            Column(language.sentence(text("expected")), 14),
            Column(text("Shortfall"), 33),
            Column(text("Lost or overdue"), 33),
            Column(text("Finding"), 38, words=True),
        ]
        body = [
            Row(
                language.pick(lines.loc[line], "name"),
                self._finding_cells(line, split, unit),
                lines["depth"][line],
            )
            for line, split in telling.items()
        ]
        note = text("In brackets the 95 % interval. A negative shortfall is more than expected.")
        caption = text(
            "Shortfall against what was to be expected, {span} ({unit})",
            span=language.span_short(*self.result.span),
            unit=unit.name,
        )
        return self._table("effects", caption, columns, body, note, splits, drawn)

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
            self.result.impact(line).table[_ESTIMATES].reindex(months)
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
        return drawing.chart(self.edition, slug, title, alt, svg, drawn, units)

    def shortfall_chart(self, line: str = "") -> Block | None:
        """What was collected less than expected of a line (default: the total), added up from the
        start of the effect, month-end by month-end, and which part of it is lost or overdue; nothing
        where no statement is possible."""
        language, text = self._language, self._text
        line = line_of(self.result.lines, line)
        if line not in self.result.by_line:
            return None
        name = language.pick(self.result.lines.loc[line], "name")
        ends = self.result.ledgers[line].month_ends
        unit = self.edition.unit(ends[["difference", "claim"]].abs().max().max())
        first, last, at_last = ends.index[0], ends.index[-1], ends.iloc[-1]
        shown = self.result.phases[self.result.phases["start"] <= last.end_time]
        svg = self._draw_shortfall(ends, shown, unit)
        alt = [
            text(
                "Line chart. {line}, shortfall against what was to be expected without COVID-19, added up "
                "from {start} to {end}, {unit}.",
                line=name, start=language.month(first), end=language.month(last), unit=unit.name,
            ),
            text(
                "At the end {difference} less than expected; lost or overdue {claim}, 95 % interval {low} "
                "to {high}.",
                difference=unit.figure(at_last["difference"], trim=True),
                claim=unit.figure(at_last["claim"], trim=True),
                low=unit.figure(at_last["claim_lower"], trim=True),
                high=unit.figure(at_last["claim_upper"], trim=True),
            ),
        ]  # fmt: skip
        if len(shown):
            alt.append(text("Shaded: {phases}.", phases=drawing.bands(shown, self.edition)))
        drawn = ends.reset_index()
        money = (column for column in drawn.columns if column not in ("month", "until"))
        slug, units = "chart-shortfall", dict.fromkeys(money, self.edition.ward.currency)
        title = text("{line}: shortfall since the start of the epidemic, added up", line=name)
        return drawing.chart(self.edition, slug, title, alt, svg, drawn, units)

    # What the sentences are made of.

    def _segment_name(self, segment: pd.Series) -> str:
        """A phase, or the time after one, with its months: "Wave 1 (Feb 2020–Jun 2020)"."""
        language, text = self._language, self._text
        name = language.pick(self.result.phases.iloc[segment["spell"]], "name")
        if not segment["inside"]:
            name = text("After {phase}", phase=inside(name))
        return f"{name} ({language.span_short(segment['first'], segment['last'])})"

    def _verdict(self, split: Split) -> str:
        """What can be said of a split, in two or three words."""
        return self._language.words("verdict")[split.verdict]

    def _silence(self, line: str) -> str:
        """Why nothing can be said of a line."""
        return self._language.words("silence")[self.result.lines["silent"][line] or "unreported"]

    def _sentences(self, line: str) -> list[str]:
        """The sentences of `sentence`."""
        text = self._text
        split = self.result.by_line.get(line)
        if split is None:
            return [
                text(
                    "No statement on COVID-19's effect on {line} is possible: {reason}.",
                    line=self._name_inside(line),
                    reason=self._silence(line),
                )
            ]
        unit = self.edition.unit(split.expected)
        said = [self._expected(line, split, unit)]
        difference = split.difference
        gap = {
            "amount": unit.amount(abs(difference.mean)),
            "share": self._language.percent(abs(difference.mean) / split.expected)
            if split.expected > 0
            else NONE,
        }
        if split.verdict == "gain":
            return [*said, text("That is {amount} ({share}) more than expected.", **gap)]
        if split.verdict == "none":
            return [*said, text("No difference can be shown.")]
        if difference.lower > 0:
            said.append(text("That is {amount} ({share}) less than expected.", **gap))
        said += self._parts(split, unit)
        if split.verdict in ("loss", "overdue"):
            return said + self._claimed(line, split, unit)
        return [*said, text("No loss can be claimed.")]

    def _name_inside(self, line: str) -> str:
        """The name of a line as it stands inside a sentence."""
        return inside(self._language.pick(self.result.lines.loc[line], "name"))

    def _expected(self, line: str, split: Split, unit: Unit) -> str:
        """What came of a line, and what was to be expected."""
        language, text = self._language, self._text
        difference = split.difference
        said = text(
            "{span}, {line} came to {collected}; without COVID-19, {expected} was to be expected "
            "(95 % interval: {low} to {high}).",
            span=language.sentence(language.span(split.first, split.last)),
            line=self._name_inside(line),
            collected=unit.amount(split.collected),
            expected=unit.amount(split.expected),
            low=unit.figure(split.expected + difference.lower - difference.mean, trim=True),
            high=unit.figure(split.expected + difference.upper - difference.mean, trim=True),
        )
        whole = len(pd.period_range(split.first, split.last, freq="M"))
        if split.months < whole:
            said += " " + language.sentence(self.edition.only(split.months, whole))
        return said

    def _claimed(self, line: str, split: Split, unit: Unit) -> list[str]:
        """How much is lost (or overdue: in arrears or lost), and what share of the plan that is."""
        text = self._text
        bounds = {
            "amount": unit.amount(split.claim.mean),
            "low": unit.figure(split.claim.lower, trim=True),
            "high": unit.figure(split.claim.upper, trim=True),
        }
        said = [
            text("Lost: {amount} (95 % interval: {low} to {high}).", **bounds)
            if split.verdict == "loss"
            else text(
                "Not paid by the last lawful day, so in arrears or lost: {amount} (95 % interval: "
                "{low} to {high}).",
                **bounds,
            )
        ]
        plan = self.result.lines["plan_upper"][line]
        if plan > 0:
            said.append(
                text(
                    "That is {share} of the plan set by the upper level.",
                    share=unit.share(split.claim.mean, plan),
                )
            )
        return said

    def _parts(self, split: Split, unit: Unit) -> list[str]:
        """What of a shortfall has come, may come, or is not payable."""
        language, text = self._language, self._text
        said = []
        if split.returned.mean > 0.01 * split.shortfall.mean:
            said.append(
                text(
                    "Put off by law and paid since: {amount}.",
                    amount=unit.amount(split.returned.mean),
                )
            )
        if split.deferred.mean > 0.01 * split.shortfall.mean:
            said.append(
                text(
                    "May still lawfully come, until {day} at the latest: {low} to {high}; this part is "
                    "late, not lost.",
                    day=language.date(split.until),
                    low=unit.figure(split.deferred.lower, trim=True),
                    high=unit.amount(split.deferred.upper),
                )
            )
        relieved = split.exempt.mean + split.reduced.mean
        if relieved > 0.01 * split.shortfall.mean:
            said.append(
                text(
                    "Not payable by law (exemption, reduction): {amount}.",
                    amount=unit.amount(relieved),
                )
            )
        return said

    def _finding(self, line: str, first: pd.Period, last: pd.Period) -> str:
        """A line in some months: its difference with interval, and what can be said of it."""
        split = self.result.split(line, first, last)
        if split is None:
            return ""
        unit = self.edition.unit(split.expected)
        said = self.edition.text(
            "{line} {collected} against {expected} expected, difference {low} to {high} (95 %): "
            "{verdict}",
            line=self._name_inside(line),
            collected=unit.amount(split.collected),
            expected=unit.figure(split.expected, trim=True),
            low=unit.figure(-split.difference.upper, trim=True),
            high=unit.figure(-split.difference.lower, trim=True),
            verdict=self._verdict(split),
        )
        return said + "."

    def _by_verdict(self, lines: Iterable[str]) -> str:
        """Lines grouped by what can be said of them, the amount with each claim."""
        language, text = self._language, self._text
        groups: dict[str, list[str]] = {}
        for line in lines:
            name = self._name_inside(line)
            split = self.result.by_line.get(line)
            if split is None:
                why = text("no statement possible, as {reason}", reason=self._silence(line))
                groups.setdefault(why, []).append(name)
                continue
            unit = self.edition.unit(split.expected)
            amount = {
                "loss": split.claim,
                "overdue": split.claim,
                "late": split.deferred,
                "relief": max(split.exempt, split.reduced, key=lambda amount: amount.mean),
                "returned": split.returned,
            }.get(split.verdict)
            if amount is not None:
                name += (
                    f" ({unit.figure(amount.lower, trim=True)}–{unit.figure(amount.upper, trim=True)}"
                    f"{NBSP}{unit.name})"
                )
            groups.setdefault(self._verdict(split), []).append(name)
        order = [words for words in language.words("verdict").values() if words in groups]
        order += [words for words in groups if words not in order]
        said = [f"{language.sentence(words)}: {'; '.join(groups[words])}." for words in order]
        return " ".join(said)

    def _checks(self) -> str:
        """The checks of the total's estimate in one line."""
        language, text = self._language, self._text
        root, start = self.result.root, self.result.start
        if start is None or root not in self.result.ledgers or not self.result.impact(root).model:
            return ""
        checks = self.result.impact(root).checks
        said = []
        if len(checks.placebo):
            said.append(
                language.plural(
                    "in {count} earlier window of twelve months, in which nothing had happened, the "
                    "amount collected lay inside the interval {times}, and the errors of single months "
                    "added up to {error} of it",
                    "in {count} earlier windows of twelve months, in which nothing had happened, the "
                    "amount collected lay inside the interval {times}, and the errors of single months "
                    "added up to {error} of it",
                    len(checks.placebo),
                    times=language.plural(
                        "{count} time", "{count} times", int(checks.placebo["inside"].sum())
                    ),
                    error=language.percent(checks.error),
                )
            )
        else:
            said.append(text("there are too few earlier figures to test the method on"))
        changed = -checks.sensitivity["amount"]
        if len(changed):
            unit = self.edition.unit(changed.abs().max())
            said.append(
                text(
                    "with the start one or two months earlier, or one year of history left out, the "
                    "difference since {start} lies between {low} and {high}",
                    start=language.month_short(start),
                    low=unit.figure(-changed.max(), trim=True),
                    high=unit.amount(-changed.min()),
                )
            )
        return text("Checks of the total: {checks}.", checks="; ".join(said))

    # What the tables are made of.

    def _unit(self, splits: list[Split]) -> Unit:
        return self.edition.unit(max((abs(split.expected) for split in splits), default=0))

    def _split_columns(self, needed: dict[str, bool]) -> list[Column]:
        """The columns of the table of splits; of relief, those that are `needed`."""
        text = self._text
        columns = [
            Column(text("Line")),
            Column(text("Expected amount"), 15),
            Column(text("Shortfall"), 26),
            Column("%", 10),
        ]
        if needed["relieved"]:
            columns.append(Column(text("Not payable"), 13))
        if needed["returned"]:
            columns.append(Column(text("Paid\nsince"), 13))
        if needed["deferred"]:
            columns.append(Column(text("May still\ncome"), 22))
        return [*columns, Column(text("Lost or\noverdue"), 26)]

    def _split_cells(
        self, line: str, split: Split, needed: dict[str, bool], unit: Unit
    ) -> tuple[str, ...]:
        """The cells of a split under `_split_columns`."""
        share = split.shortfall.mean / split.expected if split.expected > 0 else None
        whole = len(pd.period_range(split.first, split.last, freq="M"))
        mark = ESTIMATE * bool(self.result.lines["estimated"][line])
        return (
            unit.figure(split.expected) + PARTIAL * (split.months < whole),
            _range(unit, split.shortfall) + mark,
            percent(self.edition, share),
            *[unit.figure(split.exempt.mean + split.reduced.mean)] * needed["relieved"],
            *[unit.figure(split.returned.mean)] * needed["returned"],
            *[_range(unit, split.deferred)] * needed["deferred"],
            _range(unit, split.claim),
        )

    def _finding_cells(self, line: str, split: Split | None, unit: Unit) -> tuple[str, ...]:
        """Expected, shortfall, claim and finding of a line, each interval on the line of its mean."""
        if split is None:
            return NONE, NONE, NONE, self._silence(line)
        mark = ESTIMATE * bool(self.result.lines["estimated"][line])
        return (
            unit.figure(split.expected),
            _range(unit, split.shortfall).replace("\n", " ") + mark,
            _range(unit, split.claim).replace("\n", " "),
            self._verdict(split),
        )

    def _table(
        self,
        slug: str,
        caption: str,
        columns: list[Column],
        rows: list[Row],
        note: str,
        splits: list[Split],
        drawn: list[dict[str, object]],
    ) -> Block:
        language, text = self._language, self._text
        notes = [note]
        if marked(rows, ESTIMATE):
            notes.append(text("* holds a month that is still an estimate."))
        if marked(rows, PARTIAL):
            notes.append(
                text("† some month is not reported: the sum is of the months reported only.")
            )
        if waiting := [split.until for split in splits if not is_missing(split.until)]:
            notes.append(text("The last lawful day: {day}.", day=language.date(max(waiting))))
        frame = pd.DataFrame(drawn) if drawn else pd.DataFrame({"line": pd.Series(dtype=str)})
        bare = ("line", "first", "last", "months", "until", "was_short", "verdict")
        units = {name: self.edition.ward.currency for name in frame.columns if name not in bare}
        units["months"] = "months"
        sources = ("receipts", "tax_relief")
        return table(self.edition, slug, caption, columns, rows, frame, units, notes, sources)

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
                "Dashed line with its 95 % interval: expected without COVID-19, {first} in {start}, "
                "{last} in {end}.",
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
            peak = max(heights.max(), expected["counterfactual"].max(), 0)
            top = max(peak, min(expected["upper"].max(), 1.6 * peak)) * 1.18
            axes.set_ylim(min(0, heights.min() * 1.1), top)
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

    def _draw_shortfall(self, ends: pd.DataFrame, phases: pd.DataFrame, unit: Unit) -> str:
        text = self._text
        scaled = ends.drop(columns="until") / unit.scale
        with drawing.drawing(2.2) as (figure, axes):
            places = [index + 1.0 for index in range(len(ends))]
            axes.set_xlim(0, len(ends) * 1.3 + 0.5)
            low, high = scaled["claim_lower"].min(), scaled["claim_upper"].max()
            low = min(low, scaled["difference"].min(), 0)
            high = max(high, scaled["difference"].max(), 0)
            axes.set_ylim(low - 0.05 * (high - low), high + 0.18 * (high - low))
            drawing.shade(axes, phases, ends.index[0], len(ends), self.edition)
            axes.fill_between(
                places, scaled["claim_lower"], scaled["claim_upper"], color=drawing.NOW, alpha=0.2,
                linewidth=0,
            )  # fmt: skip
            axes.plot(
                places, scaled["claim"], color=drawing.NOW, linewidth=2, marker="o", markersize=4
            )
            axes.plot(
                places, scaled["difference"], color=drawing.PLAN, linestyle="--", linewidth=1.5
            )
            axes.axhline(0, color="#555555", linewidth=0.8)
            labels = [(places[-1], scaled["claim"].iloc[-1], text("lost or overdue"), drawing.NOW)]
            if (ends["difference"] - ends["claim"]).abs().max() > 0:
                end = scaled["difference"].iloc[-1]
                labels.append((places[-1], end, text("less than expected"), drawing.PLAN))
            drawing.label_ends(axes, labels)
            drawing.month_axis(axes, ends.index, self.edition, at=1.0)
            drawing.money_axis(axes, unit)
            return drawing.outlines(figure)


def _needed(splits: list[Split]) -> dict[str, bool]:
    """Which columns of relief hold an amount of some split."""
    return {
        "relieved": any(split.exempt.mean + split.reduced.mean > 0 for split in splits),
        "returned": any(split.returned.mean > 0 for split in splits),
        "deferred": any(split.deferred.mean > 0 for split in splits),
    }


def _range(unit: Unit, amount: Amount) -> str:
    """The mean, and below it the interval where there is one."""
    figure = unit.figure(amount.mean)
    if amount.lower == amount.upper:
        return figure
    return f"{figure}\n({unit.figure(amount.lower)} … {unit.figure(amount.upper)})"


def _flat(split: Split) -> dict[str, object]:
    """The fields of a split as one row; of each amount the mean and both bounds."""
    flat: dict[str, object] = {}
    for field in fields(split):
        value = getattr(split, field.name)
        if isinstance(value, Amount):
            flat[field.name] = value.mean
            flat[f"{field.name}_lower"], flat[f"{field.name}_upper"] = value.lower, value.upper
        else:
            flat[field.name] = value
    return {**flat, "verdict": split.verdict}
