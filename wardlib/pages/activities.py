"""Extracurricular, cultural and sports activities against earlier years."""

from __future__ import annotations

from typing import Any

import pandas as pd

from wardlib.analysis import activities
from wardlib.analysis.activities import Activities
from wardlib.language import NONE, is_missing
from wardlib.pages import drawing
from wardlib.pages.block import Block, headline
from wardlib.pages.page import Page
from wardlib.pages.table import HIDDEN, PARTIAL, Column, Row, count, hiding, marked, table


class ActivitiesPage(Page[Activities | None]):
    """The activities of an edition's period; `result` is None where the ward has no data of them, and
    then all but `sentence` show nothing."""

    def sentence(self) -> Block:
        """Events held in the period against the number to be expected; or that there is no data."""
        return headline(*self._sentences())

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
        return drawing.chart(self.edition, slug, title, alt, svg, drawn, units)

    def table(self) -> Block | None:
        """Events of each field: planned, held, called off, held late, expected, shortfall; nothing
        without data."""
        if self.result is None:
            return None
        text = self._text
        fields = self.result.table
        rows = [self._row(span, field, fields.loc[(span, field)]) for span, field in fields.index]
        notes = [
            text(
                "Events. Planned = held + cancelled + put off; held late: put off from earlier months, on top. "
                "Expected: after the same months of the years before COVID-19; in brackets the 95 % interval "
                "of an ordinary year. Shortfall = expected - held; a negative one is more than expected."
            )
        ]
        if fields["hidden"].any():
            notes.append(hiding(self.edition))
        if marked(rows, PARTIAL):
            notes.append(
                text("† some month is not reported: the sum is of the months reported only.")
            )
        columns = [
            Column(text("Field")),
            Column(text("Planned"), 14),
            Column(text("Held"), 12),
            Column(text("Called off"), 14),
            Column(text("Put off"), 12),
            Column(text("Held late"), 13),
            Column(text("Persons"), 15),
            Column(text("Expected"), 20),
            Column(text("Shortfall"), 20),
        ]
        estimates = (
            "expected",
            "lower",
            "upper",
            "shortfall",
            "shortfall_lower",
            "shortfall_upper",
        )
        units = dict.fromkeys([*activities.COUNTS, *estimates], "events")
        units |= {"participants": "persons", "years": "years"}
        units |= {"reported": "months", "expected_months": "months"}
        caption = text(
            "Extracurricular, cultural and sports activities of {period} (events)",
            period=self.edition.period_name,
        )
        slug, frame, sources = "activities", fields.reset_index(), ("activities",)
        return table(self.edition, slug, caption, columns, rows, frame, units, notes, sources)

    def _row(self, span: str, field: str, own: pd.Series) -> Row:
        """A field in a span ("period", "to_date")."""
        language = self._language
        period = self.edition.period
        months = period.months if span == "period" else period.year_to_date
        mark = PARTIAL * bool(own["reported"] < own["expected_months"])
        estimate = [NONE, NONE]
        if not is_missing(own["expected"]):
            estimate = [
                f"{language.number(own[mean], 1)}\n"
                f"({language.number(own[low])} … {language.number(own[high])})"
                for mean, low, high in (
                    ("expected", "lower", "upper"),
                    ("shortfall", "shortfall_lower", "shortfall_upper"),
                )
            ]
        cells = (
            *(
                count(self.edition, own[name]) + mark * (not is_missing(own[name]))
                for name in activities.COUNTS
            ),
            HIDDEN if own["hidden"] else count(self.edition, own["participants"]),
            *estimate,
        )
        when = language.span_short(months[0], months[-1])
        says = f"{when}: {language.words('events')[activities.verdict(own)]}"
        return Row(
            language.words("field")[field], cells, 1 if field != activities.TOTAL else 0, says
        )

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

    def _sentences(self) -> list[str]:
        """The sentences of `sentence`."""
        language, text = self._language, self._text
        if self.result is None:
            return [text("Extracurricular, cultural and sports activities: no data for this ward.")]
        total: Any = self.result.table.loc["period"].loc[activities.TOTAL]
        if is_missing(total["held"]):
            return [text("No activity of this period is reported.")]
        said = [
            language.plural(
                "In {period}, {count} of {planned} planned extracurricular, cultural and sports events "
                "was held in its month.",
                "In {period}, {count} of {planned} planned extracurricular, cultural and sports events "
                "were held in their month.",
                int(total["held"]),
                period=self.edition.period_name,
                planned=language.number(total["planned"]),
            )
        ]
        if total["reported"] < total["expected_months"]:
            partly = self.edition.only(total["reported"], total["expected_months"])
            said[0] = f"{said[0].removesuffix('.')} {partly}."
        verdict = activities.verdict(total)
        if verdict == "silent":
            said.append(
                text(
                    "How many were to be expected cannot be said: fewer than two earlier years are known."
                )
            )
            return said
        bounds = {
            "expected": language.number(round(total["expected"])),
            "low": language.number(total["lower"]),
            "high": language.number(total["upper"]),
            "gap": language.number(abs(round(total["expected"]) - total["held"])),
        }
        ends = {
            "fewer": text("{gap} fewer than expected", **bounds),
            "more": text("{gap} more than expected", **bounds),
            "none": text("no difference can be shown"),
        }
        said.append(
            text(
                "After the same months of earlier years {expected} were to be expected (95 % interval: {low} "
                "to {high}): {verdict}.",
                verdict=ends[verdict],
                **bounds,
            )
        )
        if total["held_later"] > 0:
            said.append(
                text(
                    "Put off from earlier months and held in these: {count}.",
                    count=language.number(total["held_later"]),
                )
            )
        return said
