"""Extracurricular, cultural and sports activities against earlier years."""

from __future__ import annotations

from typing import Any

import pandas as pd

from wardlib.analysis import activities
from wardlib.analysis.activities import Activities
from wardlib.data import disclosure
from wardlib.language import NONE, is_missing
from wardlib.pages import drawing
from wardlib.pages.block import Block, headline, paragraph
from wardlib.pages.page import Page
from wardlib.pages.table import PARTIAL, Column, Row, count, hiding, marked, persons, table


class ActivitiesPage(Page[Activities | None]):
    """The activities of an edition's period; `result` is None where the ward has no data of them, and
    then nothing is shown."""

    _page = "activities"
    _opening = "sentence"

    def answer(self) -> str:
        """For the leader: events held of those to be expected; "" without data."""
        if self.result is None:
            return ""
        language, text = self._language, self._text
        total = self._total(self.result)
        if is_missing(total["held"]):
            return text("No activity is reported.")
        held = int(total["held"])
        verdict = activities.verdict(total)
        if verdict == "silent":
            planned = language.number(total["planned"])
            return text("Held {held}/{planned} planned events.", held=str(held), planned=planned)
        values = {"held": language.number(held), "expected": language.number(total["expected"])}
        if not held and round(total["expected"]):
            said = text("No event held, {expected} expected", **values)
        elif held < round(total["expected"]):
            said = text("Held {held}/{expected} expected events", **values)
        else:
            said = language.plural(
                "Held {count} event, {expected} expected",
                "Held {count} events, {expected} expected",
                held,
                **values,
            )
        if verdict != "fewer":
            said += ", " + language.words("events")[verdict]
        return said + "."

    def sentence(self) -> Block | None:
        """Events held in the period of those to be expected, how sure that is, and what was planned;
        nothing without data."""
        return None if self.result is None else headline(self._shown, *self._sentences(self.result))

    def chart(self) -> Block | None:
        """Events held in each month of the year to date, all fields, beside the number to be
        expected; nothing without data."""
        if self.result is None:
            return None
        language, text = self._language, self._text
        months = self.result.months
        by_month = months.groupby("month").sum(min_count=months.index.unique("field").size)
        held, expected = by_month["held"].dropna(), by_month["expected"].dropna()
        if held.empty:
            return None
        alt = [
            text(
                "Bar chart. Events held by month from {start} to {end}: lowest {low} ({low_month}), highest "
                "{high} ({high_month}), last {last} ({last_month}).",
                start=language.month(by_month.index[0]),
                end=language.month(by_month.index[-1]),
                low=language.number(held.min()),
                low_month=language.month(held.index[int(held.argmin())]),
                high=language.number(held.max()),
                high_month=language.month(held.index[int(held.argmax())]),
                last=language.number(held.iloc[-1]),
                last_month=language.month(held.index[-1]),
            )
        ]
        if len(expected):
            alt.append(
                text(
                    "Dashed line: the mean of the same months before COVID-19, {low} to {high}.",
                    low=language.number(expected.min(), 1),
                    high=language.number(expected.max(), 1),
                )
            )
        slug, units = "chart-activities", {"held": "events", "expected": "events"}
        title = text("Activities held by month, and what was to be expected")
        svg, drawn = self._draw(by_month), months.reset_index()
        return drawing.chart(self._shown, slug, title, alt, svg, drawn, units)

    def table(self) -> Block | None:
        """Events of each field, held and expected, in the period and the year to date; nothing
        without data."""
        if self.result is None:
            return None
        language, text = self._language, self._text
        fields = self.result.rows
        rows: list[Row] = []
        for span, own in fields.groupby(level="span", sort=False):
            rows.append(self._when_row(str(span), 2))
            for field, of in own.droplevel("span").iterrows():
                mark = PARTIAL * bool(of["reported"] < of["expected_months"])
                held, interval = count(self.edition, of["held"]), NONE
                if not is_missing(of["expected"]):
                    held = f"{held}/{language.number(of['expected'], 1)}"
                    interval = f"{language.number(of['lower'])} – {language.number(of['upper'])}"
                says = language.words("events")[activities.verdict(of)]
                rows.append(self._field_row(str(field), (held + mark, interval), says))
        notes = [
            text(
                "Events held in their month. Expected: after the same months of the years before COVID-19. "
                "Range: what an ordinary year would have held, {often}.",
                often=language.often(self.result.level),
            )
        ]
        if marked(rows, PARTIAL):
            notes.append(self._partial)
        columns = [
            Column(text("Field")),
            Column(text("Held / expected"), 36),
            Column(text("Range"), 28),
        ]
        estimates = ["expected", "lower", "upper"]
        estimates += ["shortfall", "shortfall_lower", "shortfall_upper"]
        units = dict.fromkeys([*activities.COUNTS, *estimates], "events")
        units |= dict.fromkeys(disclosure.columns("participants"), "persons") | {"years": "years"}
        units |= {"reported": "months", "expected_months": "months"}
        caption = text(
            "Extracurricular, cultural and sports activities of {period} (events)",
            period=self.edition.period_name,
        )
        slug, frame, sources = "activities", fields.reset_index(), ("activities",)
        return table(self._shown, slug, caption, columns, rows, frame, units, notes, sources)

    def programme_table(self) -> Block | None:
        """What became of the events planned in each field, and who came; nothing without data."""
        if self.result is None:
            return None
        text = self._text
        fields = self.result.rows
        rows: list[Row] = []
        for span, own in fields.groupby(level="span", sort=False):
            rows.append(self._when_row(str(span), 5))
            for field, of in own.droplevel("span").iterrows():
                mark = PARTIAL * bool(of["reported"] < of["expected_months"])
                cells = [
                    count(self.edition, of[name]) + mark * (not is_missing(of[name]))
                    for name in ("planned", "cancelled", "postponed", "held_later")
                ]
                cells.append(persons(self.edition, of, "participants"))
                rows.append(self._field_row(str(field), tuple(cells)))
        notes = [
            text(
                "Planned = held in their month + called off + put off. Held later: put off from earlier "
                "months and held in these, on top. Persons: who took part."
            )
        ]
        if (fields["participants_at_least"] < fields["participants_at_most"]).any():
            notes.append(hiding(self.edition))
        if marked(rows, PARTIAL):
            notes.append(self._partial)
        heads = [
            text("Planned"), text("Called off"), text("Put off"), text("Held later"), text("Persons"),
        ]  # fmt: skip
        columns = [Column(text("Field")), *map(Column, heads, (20, 18, 18, 18, 20))]
        events = ["planned", "held", "cancelled", "postponed", "held_later"]
        came = disclosure.columns("participants")
        units = dict.fromkeys(events, "events") | dict.fromkeys(came, "persons")
        caption = text(
            "What became of the events planned, {period} (events; persons)",
            period=self.edition.period_name,
        )
        slug, frame = "activities-programme", fields[[*events, *came]].reset_index()
        return table(self._shown, slug, caption, columns, rows, frame, units, notes, ["activities"])

    def method(self) -> Block | None:
        """How the expected number is found; nothing without data."""
        if self.result is None:
            return None
        return paragraph(
            self._shown,
            self.edition.text(
                "The expected number of events comes from the same months of the years before "
                "COVID-19, with the range of a small count. Method and validation: docs/method.md."
            ),
        )

    @property
    def _partial(self) -> str:
        return self.edition.text(
            "† some month is not reported: the sum is of the months reported only."
        )

    def _when_row(self, span: str, cells: int) -> Row:
        """The head of the rows of a span ("period", "to_date")."""
        period = self.edition.period
        months = period.months if span == "period" else period.year_to_date
        return Row(self._language.span_short(months[0], months[-1]), ("",) * cells, 0)

    def _field_row(self, field: str, cells: tuple[str, ...], says: str = "") -> Row:
        depth = 1 if field == activities.TOTAL else 2
        return Row(self._language.words("field")[field], cells, depth, says)

    def _total(self, found: Activities) -> Any:
        """All fields in the period."""
        return found.rows.loc["period"].loc[activities.TOTAL]

    def _draw(self, by_month: pd.DataFrame) -> str:
        text = self._text
        with drawing.drawing(1.9) as (figure, axes):
            places = pd.Series([index + 0.5 for index in range(len(by_month))], by_month.index)
            axes.bar(places, by_month["held"], width=0.6, color=drawing.NOW, zorder=3)
            known = by_month["expected"].dropna()
            if len(known):
                axes.plot(
                    places[known.index], known, color=drawing.WITHOUT, linestyle="--", marker="D",
                    markersize=3.5, linewidth=1.2, zorder=4,
                )  # fmt: skip
                end = places[known.index].iloc[-1] + 0.1
                drawing.label_ends(axes, [(end, known.iloc[-1], text("expected"), drawing.WITHOUT)])
            axes.set_xlim(0, len(by_month) * 1.12 + 0.4)
            axes.set_ylim(bottom=0)
            drawing.count_axis(axes)
            drawing.month_axis(axes, by_month.index, self.edition)
            axes.set_ylabel(text("Events held"))
            return drawing.outlines(figure)

    def _sentences(self, found: Activities) -> list[str]:
        """The sentences of `sentence`."""
        language, text = self._language, self._text
        total = self._total(found)
        if is_missing(total["held"]):
            return [text("No activity of this period is reported.")]
        held, verdict = int(total["held"]), activities.verdict(total)
        partly = ""
        if total["reported"] < total["expected_months"]:
            partly = " " + self.edition.only(total["reported"], total["expected_months"])
        when = {"period": self.edition.period_name, "partly": partly}
        if verdict == "silent":
            return [
                self._of_planned(held, int(total["planned"]), when),
                text(
                    "How many were to be expected cannot be said: fewer than two earlier years are known."
                ),
            ]
        expected = round(total["expected"])
        words = language.words("events")[verdict]
        if verdict == "fewer":
            words = text("{gap} fewer than expected", gap=language.number(expected - held))
        elif verdict == "more":
            words = text("{gap} more than expected", gap=language.number(held - expected))
        sure = text(
            "{often}, an ordinary year would have held {low} to {high}.",
            often=language.often(found.level),
            low=language.number(total["lower"]),
            high=language.number(total["upper"]),
        )
        told = self._of_expected(held, expected, when)
        if held or verdict != "fewer":  # that none was held says so
            told += f": {words}"
        return [told + ".", sure, self._planned(total)]

    def _of_expected(self, held: int, expected: int, when: dict[str, str]) -> str:
        """How many events were held of those to be expected."""
        language = self._language
        number = language.number(expected)
        if not held and not expected:
            return self.edition.text(
                "In {period}, no extracurricular, cultural or sports event was held, and none was to be "
                "expected after the same months of earlier years{partly}",
                **when,
            )
        if not held:
            return language.plural(
                "In {period}, the one extracurricular, cultural or sports event expected after the same "
                "months of earlier years was not held{partly}",
                "In {period}, none of the {count} extracurricular, cultural and sports events expected "
                "after the same months of earlier years was held{partly}",
                expected,
                **when,
            )
        if held < expected:
            return language.plural(
                "In {period}, {count} of {expected} extracurricular, cultural and sports events expected "
                "after the same months of earlier years was held{partly}",
                "In {period}, {count} of {expected} extracurricular, cultural and sports events expected "
                "after the same months of earlier years were held{partly}",
                held,
                expected=number,
                **when,
            )
        return language.plural(
            "In {period}, {count} extracurricular, cultural or sports event was held, against "
            "{expected} to be expected after the same months of earlier years{partly}",
            "In {period}, {count} extracurricular, cultural and sports events were held, against "
            "{expected} to be expected after the same months of earlier years{partly}",
            held,
            expected=number,
            **when,
        )

    def _of_planned(self, held: int, planned: int, when: dict[str, str]) -> str:
        """How many events were held of those planned."""
        language = self._language
        if not planned:
            return self.edition.text(
                "In {period}, no extracurricular, cultural or sports event was planned{partly}.",
                **when,
            )
        if not held:
            return language.plural(
                "In {period}, the one planned extracurricular, cultural or sports event was not held"
                "{partly}.",
                "In {period}, none of the {count} planned extracurricular, cultural and sports events "
                "was held{partly}.",
                planned,
                **when,
            )
        return language.plural(
            "In {period}, {count} of {planned} planned extracurricular, cultural and sports events "
            "was held in its month{partly}.",
            "In {period}, {count} of {planned} planned extracurricular, cultural and sports events "
            "were held in their month{partly}.",
            held,
            planned=language.number(planned),
            **when,
        )

    def _planned(self, total: Any) -> str:
        """What became of the events planned, and what was made up."""
        language, text = self._language, self._text
        said = text("No event was planned")
        if total["planned"] > 0:
            said = language.plural(
                "{count} event was planned", "{count} events were planned", total["planned"]
            )
        off = [
            said_of
            for number, said_of in (
                (
                    total["cancelled"],
                    text("{count} called off", count=language.number(total["cancelled"])),
                ),
                (
                    total["postponed"],
                    text("{count} put off", count=language.number(total["postponed"])),
                ),
            )
            if number > 0
        ]
        if off:
            said += ": " + ", ".join(off)
        if total["held_later"] > 0:
            said += "; " + language.plural(
                "{count} event put off earlier was held to make up",
                "{count} events put off earlier were held to make up",
                total["held_later"],
            )
        return said + "."
