"""Schooling: days lost, online and made up, why they were lost, school by school, the calendar."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from wardlib.analysis.closures import BREAK, CLOSED, IN_PERSON, OFF, ONLINE
from wardlib.analysis.closures import PARTIAL as SOME_IN_CLASS
from wardlib.analysis.schools import Schools
from wardlib.language import NONE, is_missing
from wardlib.pages import drawing
from wardlib.pages.block import Block, bullets, headline, paragraph
from wardlib.pages.page import Page
from wardlib.pages.table import HIDDEN, PARTIAL, Column, Row, count, hiding, marked, percent, table

_DAYS = ("planned", "in_person", "online", "lost", "made_up")


class SchoolsPage(Page[Schools | None]):
    """Schooling in an edition's period; `result` is None where the ward has no data of schools, and
    then all but `sentence` show nothing."""

    def sentence(self) -> Block:
        """Days lost, taught online and made up of each level, a sentence a school year; or that
        there is no data."""
        return headline(*self._sentences())

    def days_table(self) -> Block | None:
        """Days of each level in the period and in the school year to date, a school year at a time;
        nothing without data."""
        if self.result is None:
            return None
        text = self._text
        levels, spans = self.result.levels, self.result.spans
        rows: list[Row] = []
        shown = set()
        for _, about, own in _known(levels, spans):
            months = (about["first"], about["last"])
            if months in shown:
                continue  # the period is the school year to date
            shown.add(months)
            year = text("school year {year}", year=about["year"].replace("-", "–"))
            rows += self._days_rows(own, f"{year}, {self._span_short(about)}", usual=True)
        if not rows:
            return None
        note = text(
            "Days of an average pupil of the level. Lost = planned - in class - online. Made up: taught "
            "beyond the most that an earlier year planned in the same month. Usual: taught in the same "
            "months of the years before COVID-19. Attendance: pupil-days attended, % of those in class."
        )
        widths = (15, 14, 13, 11, 13, 14, 16, 14)
        return self._days_table("school-days", rows, spans, levels, widths, [note])

    def brief_days_table(self) -> Block | None:
        """Days of each level in the period, by school year; only of those years in which days were
        lost or taught online, if there are such. Nothing without data."""
        if self.result is None:
            return None
        levels, spans = self.result.levels, _of_period(self.result)
        away = (levels["online"] > 0) | (levels["lost"] > 0)
        hit = spans[spans.index.isin(away.index.get_level_values("span")[away])]
        spans = hit if len(hit) else spans.iloc[-1:]
        rows: list[Row] = []
        for _, about, own in _known(levels, spans):
            year = about["year"].replace("-", "–")
            rows += self._days_rows(own, f"{year}, {self._span_short(about)}", usual=False)
        if not rows:
            return None
        widths = (13, 14, 13, 9, 12, 14, 16)
        return self._days_table("school-days-brief", rows, spans, levels, widths, [])

    def longest_closure(self) -> Block | None:
        """The longest time that a level was kept from class in the school years of the period."""
        if self.result is None:
            return None
        language, text = self._language, self._text
        spells = self.result.spells
        if spells.empty:
            return headline(text("No decision kept a level from class in these school years."))
        longest = spells[spells["days"] == spells["days"].max()]
        first = longest.iloc[0]
        return headline(
            language.plural(
                "Longest away from class: {levels}, {count} calendar day, from {start} to {end}.",
                "Longest away from class: {levels}, {count} calendar days, from {start} to {end}.",
                first["days"],
                levels=language.join([self._level(level) for level in longest["level"].unique()]),
                start=language.date(first["start"]),
                end=language.date(first["end"]),
            )
        )

    def closures(self) -> Block | None:
        """When and how long each level was kept from class; and lost days that no decision explains."""
        if self.result is None:
            return None
        language = self._language
        items = []
        for _, spells in self.result.spells.groupby(["start", "end"]):
            first = spells.iloc[0]
            items.append(
                language.plural(
                    "{levels}: away from class from {start} to {end}, {count} calendar day",
                    "{levels}: away from class from {start} to {end}, {count} calendar days",
                    first["days"],
                    levels=language.join([self._level(level) for level in spells["level"]]),
                    start=language.date(first["start"]),
                    end=language.date(first["end"]),
                )
            )
        reasons = self.result.reasons
        for _, reason in reasons[reasons["measure"] == ""].iterrows():
            span = self.result.spans.loc[reason["span"]]
            if span["kind"] == "period":
                items.append(
                    language.plural(
                        "{level}, {span}: {days} lost day that no recorded decision explains",
                        "{level}, {span}: {days} lost days that no recorded decision explains",
                        1 if self._days(reason["days"]) == "1" else 2,
                        level=self._level(reason["level"]),
                        span=language.span(span["first"], span["last"]),
                        days=self._days(reason["days"]),
                    )
                )
        return bullets(language.sentence(item) + "." for item in items) if items else None

    def reasons_table(self) -> Block | None:
        """Lost days by level and decision; nothing where none was lost."""
        if self.result is None:
            return None
        language, text = self._language, self._text
        spans = _of_period(self.result)
        reasons = self.result.reasons[self.result.reasons["span"].isin(spans.index)]
        if reasons.empty:
            return None
        rows = [
            Row(
                self._level_head(reason["level"]),
                (
                    self._span_short(spans.loc[reason["span"]]),
                    reason["measure"] or NONE,
                    language.pick(reason, "name") or text("no recorded decision: unexplained"),
                    self._days(reason["days"]),
                ),
            )
            for _, reason in reasons.iterrows()
        ]
        columns = [
            Column(text("Level")),
            Column(text("Months"), 26, words=True),
            Column(text("No."), 14, words=True),
            Column(text("Decision"), 60, words=True),
            Column(text("Days lost"), 20),
        ]
        note = text(
            "Schools report how many days of a month were lost, not which: they are set against the days "
            "on which a decision kept the level from class, closures first."
        )
        frame = reasons.join(spans[["year", "first", "last"]], on="span").drop(columns="span")
        caption = text("Why school days of {period} were lost", period=self.edition.period_name)
        slug, units = "school-reasons", {"days": "days"}
        sources = ("school_months", "school_closures")
        return table(self.edition, slug, caption, columns, rows, frame, units, [note], sources)

    def calendar_chart(self) -> Block | None:
        """The school years of the period, a row a level: weeks from left to right, weekdays from top
        to bottom, each day as the decisions set it, and their numbers. Nothing where no school year
        is known."""
        return self._calendar_chart(cell=0.085, gap=1.6, numbers=True)

    def brief_calendar_chart(self) -> Block | None:
        """`calendar_chart`, less high and without the numbers of the decisions."""
        return self._calendar_chart(cell=0.04, gap=2, numbers=False)

    def calendar_table(self) -> Block | None:
        """The calendar chart as a table: every run of school days of one state, by level."""
        if self.result is None:
            return None
        language, text = self._language, self._text
        rows, drawn = [], []
        for level, days in _school_days(self.result):
            kept = days[["state", "measure"]]
            changes = (kept != kept.shift()).any(axis=1)
            for _, run in days.groupby(changes.cumsum()):
                first, last = run.index[0], run.index[-1]
                state, measure = run[["state", "measure"]].iloc[0]
                cells = (
                    f"{first:%d/%m/%Y}", f"{last:%d/%m/%Y}", self._state(state),
                    language.number(len(run)), measure or NONE,
                )  # fmt: skip
                rows.append(Row(self._level_head(level), cells))
                drawn.append((level, first, last, state, len(run), measure))
        if not rows:
            return None
        columns = [
            Column(text("Level")),
            Column(text("From"), 24, words=True),
            Column(text("To"), 24, words=True),
            Column(text("State"), 36, words=True),
            Column(text("School days"), 18),
            Column(text("No."), 16, words=True),
        ]
        note = text(
            "Mondays to Fridays without public holidays; the schools' own longer break at Tết is not known here."
        )
        names = ["level", "first", "last", "state", "days", "measure"]
        slug, frame, units = "school-calendar", pd.DataFrame(drawn, columns=names), {"days": "days"}
        caption = text("The calendar as a table: school days as the decisions set them")
        return table(
            self.edition, slug, caption, columns, rows, frame, units, [note], ["school_closures"]
        )

    def schools_hit(self) -> Block | None:
        """How many schools lost days in each school year of the period, and which lost most."""
        if self.result is None:
            return None
        language, text = self._language, self._text
        said = []
        for _, about, own in _known(self.result.schools, _of_period(self.result)):
            known = own[(own["reported"] > 0) & (own["planned"] > 0)]
            numbers = {
                "span": language.sentence(language.span(about["first"], about["last"])),
                "hit": str(int((known["lost"] > 0).sum())),
            }
            if known.empty:
                said.append(text("{span}: no school day is reported.", **numbers))
            elif not (known["lost"] > 0).any():
                said.append(
                    language.plural(
                        "{span}: none of {count} school lost a day.",
                        "{span}: none of {count} schools lost a day.",
                        len(known),
                        **numbers,
                    )
                )
            else:
                most = known[known["lost"] == known["lost"].max()]
                names = (
                    "; ".join(most["name"])
                    if len(most) <= 3
                    else text("{count} schools", count=str(len(most)))
                )
                said.append(
                    language.plural(
                        "{span}: {hit} of {count} school lost days; most, {lost} of {planned}: {names}.",
                        "{span}: {hit} of {count} schools lost days; most, {lost} of {planned}: {names}.",
                        len(known),
                        lost=self._days(most["lost"].iloc[0]),
                        planned=self._days(most["planned"].iloc[0]),
                        names=names,
                        **numbers,
                    )
                )
        return headline(*said) if said else None

    def schools_table(self) -> Block | None:
        """Each school in the months of the period, with its pupils; small numbers hidden."""
        if self.result is None:
            return None
        text = self._text
        schools, spans = self.result.schools, _of_period(self.result)
        rows, hides = [], False
        for span, about, own in _known(schools, spans):
            months = self._span_short(about)
            for level in own["level"].unique():
                group, total = own[own["level"] == level], self.result.totals.loc[(span, level)]
                hides |= bool(group["hidden"].any() or total["hidden"])
                rows += [self._school_row(school, months) for _, school in group.iterrows()]
                if len(group) > 1:
                    rows.append(
                        self._level_row(level, self.result.levels.loc[(span, level)], total, months)
                    )
        if not rows:
            return None
        notes = [text("Pupils: at the end of the months named.")]
        if hides:
            notes.append(hiding(self.edition))
        if marked(rows, PARTIAL):
            notes.append(text("† some school or month is not reported."))
        heads = [
            text("Pupils"), text("Planned"), text("In class"), text("Online"), text("Lost"),
            text("Made up"), text("Attended %"),
        ]  # fmt: skip
        widths = (14, 15, 14, 13, 11, 13, 17)
        frame = schools.reset_index()
        frame = (
            frame[frame["span"].isin(spans.index)]
            .merge(spans, on="span")
            .drop(columns=["span", "name"])
        )
        units = dict.fromkeys(_DAYS, "days") | {"pupils": "persons", "attendance": "1"}
        units |= {"reported": "months", "expected": "months"}
        columns = [Column(text("School")), *map(Column, heads, widths)]
        caption = text("Schools in {period} (pupils; days)", period=self.edition.period_name)
        sources = ("schools", "school_months")
        return table(self.edition, "schools", caption, columns, rows, frame, units, notes, sources)

    def missing(self) -> Block | None:
        """Which schools have not reported which months."""
        if self.result is None or not self.result.missing:
            return None
        gaps: dict[str, list[pd.Period]] = {}
        for school, month in self.result.missing:
            gaps.setdefault(school, []).append(month)
        names, language = self.result.names, self._language
        lines = "; ".join(
            f"{names.get(school, school)} ({language.month_list(months)})"
            for school, months in gaps.items()
        )
        return paragraph(
            language.text("Not yet reported, and not counted as zero: {lines}.", lines=lines),
            note=True,
        )

    # Words.

    def _level(self, level: str) -> str:
        """A school level as it stands inside a sentence."""
        return self._language.words("level")[level]

    def _level_head(self, level: str) -> str:
        return self._language.sentence(self._level(level))

    def _state(self, state: str) -> str:
        """The state of a school day in a few words."""
        return self._language.words("school_day")[state]

    def _days(self, days: float) -> str:
        """A number of days: whole, or with one decimal where it is a mean over pupils."""
        if is_missing(days):
            return NONE
        return self._language.number(round(days, 1), 1, trim=True)

    def _span_short(self, about: pd.Series) -> str:
        return self._language.span_short(about["first"], about["last"])

    def _sentences(self) -> list[str]:
        """The sentences of `sentence`."""
        language, text = self._language, self._text
        if self.result is None:
            return [text("School days: no data for this ward.")]
        said: list[str] = []
        unknown: list[str] = []
        for _, about, levels in _known(self.result.levels, _of_period(self.result)):
            counted = levels[["reported", "expected"]].sum()
            if counted["reported"] == 0:
                unknown.append(language.span(about["first"], about["last"]))
                continue
            planned = levels[levels["planned"] > 0]
            if not planned.empty:
                said.append(self._lost(about, planned, counted))
        if unknown:
            said.append(
                text("School days {spans}: no report has come in.", spans="; ".join(unknown))
            )
        return said or [text("No school day was planned in this period.")]

    def _lost(self, about: pd.Series, levels: pd.DataFrame, counted: pd.Series) -> str:
        """The sentence of a school year."""
        language, text = self._language, self._text
        when = {
            "span": language.sentence(language.span(about["first"], about["last"])),
            "year": about["year"].replace("-", "–"),
        }
        partly = ""
        if counted["reported"] < counted["expected"]:
            partly = " " + language.plural(
                "({count} of {expected} monthly school reports has come in)",
                "({count} of {expected} monthly school reports have come in)",
                counted["reported"],
                expected=str(counted["expected"]),
            )
        lost = levels[levels["lost"] > 0]
        if lost.empty:
            said = text("{span} (school year {year}): no school day was lost", **when)
            return said + partly + "."
        parts = [
            text(
                "{level} {lost} of {planned}{made_up}",
                level=self._level(level),
                lost=self._days(days),
                planned=self._days(planned),
                made_up=""
                if not made_up > 0
                else " " + text("(made up {days})", days=self._days(made_up)),
            )
            for level, days, planned, made_up in zip(
                lost.index, lost["lost"], lost["planned"], lost["made_up"], strict=True
            )
        ]
        said = text(
            "{span} (school year {year}), school days lost: {levels}",
            levels="; ".join(parts),
            **when,
        )
        return said + partly + "."

    # Tables.

    def _days_rows(self, levels: pd.DataFrame, when: str, *, usual: bool) -> Iterator[Row]:
        """A row for each of the `levels` of a span that has reported; with `usual`, the usual
        attendance too."""
        for level in levels.index:
            own = levels.loc[level]
            if own["reported"] == 0:
                continue
            mark = PARTIAL * bool(own["reported"] < own["expected"])
            cells = [
                *(self._days(own[name]) + mark for name in _DAYS),
                self._days(own["usual_taught"]),
                percent(self.edition, own["attendance"]),
            ]
            if usual:
                cells.append(percent(self.edition, own["usual_attendance"]))
            yield Row(f"{self._level_head(level)}, {when}", tuple(cells))

    def _days_table(
        self,
        slug: str,
        rows: list[Row],
        spans: pd.DataFrame,
        levels: pd.DataFrame,
        widths: tuple[int, ...],
        notes: list[str],
    ) -> Block:
        text = self._text
        if marked(rows, PARTIAL):
            notes = [*notes, text("† some school or month is not reported.")]
        heads = [
            text("Planned"), text("In class"), text("Online"), text("Lost"), text("Made up"),
            text("Usual"), text("Attended %"), text("Usual %"),
        ]  # fmt: skip
        frame = spans.join(levels.reset_index("level"), how="inner")
        units = dict.fromkeys([*_DAYS, "usual_planned", "usual_taught"], "days")
        units |= {"attendance": "1", "usual_attendance": "1", "years": "years"}
        units |= {"reported": "school-months", "expected": "school-months"}
        columns = [Column(text("Level")), *map(Column, heads, widths)]  # as many as have a width
        caption = text("School days of {period} (days)", period=self.edition.period_name)
        sources = ("school_months",)
        return table(self.edition, slug, caption, columns, rows, frame, units, notes, sources)

    def _school_row(self, school: pd.Series, months: str) -> Row:
        mark = PARTIAL * bool(school["reported"] < school["expected"])
        cells = (
            HIDDEN if school["hidden"] else count(self.edition, school["pupils"]),
            *(self._days(school[name]) + mark for name in _DAYS),
            HIDDEN if school["hidden"] else percent(self.edition, school["attendance"]),
        )
        return Row(f"{school['name']}, {months}", cells, 2)

    def _level_row(self, level: str, days: pd.Series, total: pd.Series, months: str) -> Row:
        """All schools of a level."""
        cells = (
            HIDDEN if total["hidden"] else count(self.edition, total["pupils"]),
            *(self._days(days[name]) for name in _DAYS),
            percent(self.edition, days["attendance"]),
        )
        head = self.edition.text("{level}, all schools", level=self._level_head(level))
        return Row(f"{head}, {months}", cells)

    # The calendar.

    def _calendar_chart(self, *, cell: float, gap: float, numbers: bool) -> Block | None:
        """`cell`: the height of a day, in inches; `gap`: days between one level and the next."""
        if self.result is None or not (levels := _school_days(self.result)):
            return None
        language, text = self._language, self._text
        days = next(iter(self.result.calendar.values())).index
        svg = self._draw_calendar(self.result, cell, gap, numbers)
        title = text(
            "School days from {start} to {end}, as the decisions set them",
            start=language.date(days[0]),
            end=language.date(days[-1]),
        )
        alt = [text("Calendar of weeks and weekdays, a band a level.")]
        for level, known in levels:
            counted = known["state"].value_counts()
            own = "; ".join(
                text(
                    "{count} {state}",
                    count=language.number(counted[state]),
                    state=self._state(state),
                )
                for state in _STATES
                if state in counted
            )
            alt.append(
                text("{level}, school days: {states}.", level=self._level_head(level), states=own)
            )
        drawn = pd.concat(
            [known.reset_index().assign(level=level) for level, known in levels],
            ignore_index=True,
        )[["level", "day", "state", "measure"]]
        slug = "chart-school-calendar"
        return drawing.chart(self.edition, slug, title, alt, svg, drawn, {})

    def _draw_calendar(self, schools: Schools, cell: float, gap: float, numbers: bool) -> str:
        levels, days = _school_days(schools), next(iter(schools.calendar.values())).index
        first = days[0] - pd.Timedelta(days=days[0].day_of_week)
        week = 6 if schools.six_days else 5
        step = week + gap
        with drawing.drawing(cell * step * len(levels) + 0.6) as (figure, axes):
            runs = []
            for place, (level, known) in enumerate(levels):
                top = place * step
                weeks, weekdays, sizes, states = _runs(known["state"], first)
                runs.append((weeks, top + weekdays, sizes, states))
                axes.text(-0.8, top + week / 2, self._level_head(level), ha="right", va="center")
                for at, label in _decisions(known["measure"], first) if numbers else []:
                    axes.text(at, top - 0.1, label, va="bottom")
            weeks, begin, sizes, states = (np.concatenate(part) for part in zip(*runs, strict=True))
            key = []
            for state, look in _STATES.items():
                of = states == state
                if of.any():
                    style = {"edgecolor": "#7f8c8d", **look}
                    drawing.boxes(
                        axes, weeks[of] + 0.05, begin[of], 0.9, sizes[of], linewidth=0.3, **style
                    )
                    key.append((self._state(state), style))
            axes.set_xlim(0, (days[-1] - first).days // 7 + 1)
            axes.set_ylim(step * len(levels) - 1, -1.2)
            axes.grid(visible=False)
            axes.set_yticks([])
            months = pd.period_range(days[0], days[-1], freq="M")
            months = months[:: 1 if len(months) <= 14 else 2]
            axes.set_xticks([max((month.start_time - first).days / 7, 0) for month in months])
            axes.set_xticklabels(
                [
                    f"{month.month}" if month.month != 1 else f"{month.month}\n{month.year}"
                    for month in months
                ]
            )
            drawing.key(figure, key)
            return drawing.outlines(figure)


# How a school day is drawn: they part by darkness and pattern, without colour too.
_STATES = {
    IN_PERSON: {"facecolor": "white"},
    ONLINE: {"facecolor": "#aed6f1", "hatch": "/////"},
    SOME_IN_CLASS: {"facecolor": "#f5cba7", "hatch": "....."},
    CLOSED: {"facecolor": drawing.NOW},
    BREAK: {"facecolor": "#d5d8dc", "hatch": "-----"},
}


def _of_period(schools: Schools) -> pd.DataFrame:
    """The months of the period by school year; `schools.spans` holds the years to date too."""
    return schools.spans[schools.spans["kind"] == "period"]


def _known(
    table: pd.DataFrame, spans: pd.DataFrame
) -> Iterator[tuple[int, pd.Series, pd.DataFrame]]:
    """Each of `spans` of which `table` (the result's `levels` or `schools`) has rows: its number, its
    row, and those rows."""
    for span in spans.index[spans.index.isin(table.index.get_level_values("span"))]:
        yield span, spans.loc[span], table.loc[span]


def _school_days(schools: Schools) -> list[tuple[str, pd.DataFrame]]:
    """By level, the days of the calendar on which there is school, or would have been."""
    open_ = {level: days[days["state"] != OFF] for level, days in schools.calendar.items()}
    return [(level, days) for level, days in open_.items() if len(days)]


def _runs(states: pd.Series, first: pd.Timestamp) -> tuple[np.ndarray, ...]:
    """The runs of days of one state that follow each other in a week: their weeks, counted from that
    of the Monday `first`, weekdays, numbers of days and states."""
    of, days = states.to_numpy(), pd.DatetimeIndex(states.index)
    weekdays = days.day_of_week.to_numpy()
    begin = np.flatnonzero(np.r_[True, (of[1:] != of[:-1]) | (np.diff(weekdays) != 1)])
    weeks = (days[begin] - first).days.to_numpy() // 7
    return weeks, weekdays[begin], np.diff([*begin, len(of)]), of[begin]


def _decisions(measures: pd.Series, first: pd.Timestamp) -> list[tuple[int, str]]:
    """The week in which each decision begins, with its number; those too close for a label of their
    own share one."""
    labels: list[tuple[int, str]] = []
    begun = measures[measures != ""].drop_duplicates()  # the first day of each decision
    for day, measure in zip(begun.index, begun, strict=True):
        at = (day - first).days // 7
        if labels and at - labels[-1][0] < 5:
            at, measure = labels[-1][0], f"{labels.pop()[1]}, {measure}"
        labels.append((at, measure))
    return labels
