"""Schooling: days taught of the usual ones, why days were lost, school by school, the calendar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from wardlib.analysis.closures import BREAK, CLOSED, IN_PERSON, OFF, ONLINE
from wardlib.analysis.closures import PARTIAL as SOME_IN_CLASS
from wardlib.analysis.schools import DAYS, Schools
from wardlib.data import disclosure
from wardlib.language import NONE, is_missing
from wardlib.pages import drawing
from wardlib.pages.block import Block, bullets, headline, paragraph
from wardlib.pages.page import Page
from wardlib.pages.table import (
    HIDDEN,
    PARTIAL,
    Column,
    Row,
    hiding,
    marked,
    percent,
    persons,
    table,
)

_SUMMER = {6, 7, 8}  # months in which no school day is ordinary
# Municipalities under the central government (ISO 3166-2:VN); every other VN-… is a province.
_CITIES = {"VN-HN", "VN-SG", "VN-HP", "VN-DN", "VN-CT"}


class SchoolsPage(Page[Schools | None]):
    """Schooling in an edition's period; `result` is None where the ward has no data of schools, and
    then nothing is shown."""

    _page = "schools"
    _opening = "sentence"

    def answer(self, *, brief: bool = False) -> str:
        """For the leader: days taught of the usual ones by level, of the school years in which some
        were lost (`brief`: of the one in which most were); "" without data."""
        if self.result is None:
            return ""
        language, text = self._language, self._text
        spans = _of_period(self.result)
        own = self.result.levels
        own = own[own.index.get_level_values("span").isin(spans.index)]
        lost: list[tuple[str, str]] = []
        most = 0.0
        for _, about, levels in _known(own[own["reported"] > 0], spans):
            if levels["lost"].sum() > 0:
                if brief and levels["lost"].sum() <= most:
                    continue
                most = levels["lost"].sum()
                lost = [*lost] * (not brief)
                lost.append((self._span_short(about), self._briefly(levels)))
        if len(lost) == 1 and not brief:  # the leader's line names the period
            return language.sentence(lost[0][1]) + "."
        if lost:
            return " ".join(f"{when}: {said}." for when, said in lost)
        away = _longest(self.result)
        if (own["reported"] < own["expected"]).any():
            if not away.empty:
                return text(
                    "Classrooms closed from {day}; the days lost are not reported yet.",
                    day=language.date(away["start"].iloc[0]),
                )
            if not own["reported"].any():
                return text("No school has reported.")
            return text("No lost school day is reported so far.")
        if own["made_up"].max() > 0:
            return text("Made up: {days}.", days=self._days_long(own["made_up"].max()))
        if not own.apply(_has_days, axis=1).any():
            return text("No school day was planned.")
        return text("No school day was lost.")

    def sentence(self) -> Block | None:
        """Days taught of the usual ones by level, a sentence a school year, and by whose decision
        days were lost; nothing without data."""
        return None if self.result is None else headline(self._shown, *self._sentences(self.result))

    def days_table(self) -> Block | None:
        """Days of each level in the period and in the school year to date, a school year at a time,
        of which months had a school day; nothing without data."""
        if self.result is None:
            return None
        spans = self.result.spans
        planned = {
            about["year"]
            for _, about, own in _known(self.result.levels, _of_period(self.result))
            if _has_school(own)
        }
        spans = spans[spans["year"].isin(planned)].drop_duplicates(["first", "last"])
        note = self.edition.text(
            "Days of an average pupil of the level. Taught: in class and online. Usual: taught in the "
            "same months of the years before COVID-19. Made up: taught beyond the most that an earlier "
            "year planned in the same month. Lost = planned, make-up days included, - taught."
        )
        notes = [note]
        levels = self.result.levels.loc[list(spans.index)]
        if (levels["planned"] < levels["usual_taught"] - 1).any():
            notes.append(
                self.edition.text(
                    "Where the plan itself is shorter than usual, as with an early summer break, those "
                    "days are neither taught nor lost."
                )
            )
        return self._days_table(spans, notes)

    def attendance(self) -> Block | None:
        """The attendance of each level in the period, and the usual one, where pupils were in class."""
        if self.result is None:
            return None
        language, text = self._language, self._text
        said = []
        for _, about, own in _known(self.result.levels, _of_period(self.result)):
            known = own[own["attendance"].notna()]
            parts = [
                text(
                    "{level} {share} (usual {usual})",
                    level=self._level(level),
                    share=language.percent(share),
                    usual=language.percent(usual),
                )
                if not is_missing(usual)
                else f"{self._level(level)} {language.percent(share)}"
                for level, share, usual in zip(
                    known.index, known["attendance"], known["usual_attendance"], strict=True
                )
            ]
            if parts:
                said.append(
                    text(
                        "{span}, pupil-days attended of those in class: {levels}.",
                        span=language.sentence(language.span(about["first"], about["last"])),
                        levels="; ".join(parts),
                    )
                )
                if own["hidden"].any():
                    said.append(text("Schools that had 1 to 4 pupils in a month are left out."))
        return paragraph(self._shown, " ".join(said), note=True) if said else None

    def longest_closure(self) -> Block | None:
        """The longest time that a level was kept from class by a decision that holds in the period."""
        if self.result is None:
            return None
        longest = _longest(self.result)
        if longest.empty:
            period = self.edition.period_name
            return headline(
                self._shown,
                self.edition.text(
                    "No decision kept a level from class in {period}.", period=period
                ),
            )
        return headline(self._shown, self._the_longest(longest))

    def closures(self) -> Block | None:
        """When and how long each level was kept from class, beside the longest time; and lost days
        that no decision explains."""
        if self.result is None:
            return None
        language = self._language
        spells = _told(self.result)
        others = spells[~spells.index.isin(_longest(self.result).index)]
        items = self._away(others.sort_values(["start", "end"], kind="stable"))
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
        return (
            bullets(self._shown, (language.sentence(item) + "." for item in items))
            if items
            else None
        )

    def reasons_table(self) -> Block | None:
        """Lost days by level and decision; nothing where none was lost."""
        if self.result is None:
            return None
        language, text = self._language, self._text
        spans = _of_period(self.result)
        reasons = self.result.reasons[self.result.reasons["span"].isin(spans.index)]
        if reasons.empty:
            return None
        rows = []
        for span, own in reasons.groupby("span"):
            rows.append(self._when_row(spans.loc[[span]].iloc[0], 2))
            alike: dict[tuple[str, str], list[str]] = {}
            for _, reason in own.iterrows():
                name = language.pick(reason, "name")
                if reason["measure"]:
                    decided = self._decided(reason.to_frame().T)
                    name = f"{name}\n{reason['measure']}: {decided}"
                else:
                    name = text("no recorded decision: unexplained")
                cells = name, self._days(reason["days"])
                alike.setdefault(cells, []).append(reason["level"])
            for cells, levels in alike.items():
                rows.append(Row(language.sentence(self._levels(levels)), cells, 2))
        columns = [
            Column(text("Level")),
            Column(text("Decision"), 90, words=True),
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
        return table(self._shown, slug, caption, columns, rows, frame, units, [note], sources)

    def calendar_chart(self) -> Block | None:
        """The school years of the period, a row a level: weeks from left to right, weekdays from top
        to bottom, each day as the decisions set it, and their numbers. Nothing where no school year
        is known."""
        if self.result is None or not (levels := _school_days(self.result)):
            return None
        language, text = self._language, self._text
        days = next(iter(self.result.calendar.values())).index
        svg = self._draw_calendar(self.result)
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
        return drawing.chart(self._shown, slug, title, alt, svg, drawn, {})

    def calendar_table(self) -> Block | None:
        """The calendar chart as a table: every run of school days of one state; levels of one calendar
        stand together."""
        if self.result is None:
            return None
        language, text = self._language, self._text
        drawn = []
        alike: dict[tuple[tuple[str, str, str], ...], list[str]] = {}
        for level, days in _school_days(self.result):
            kept = days[["state", "measure"]]
            changes = (kept != kept.shift()).any(axis=1)
            own = []
            for _, run in days.groupby(changes.cumsum()):
                first, last = run.index[0], run.index[-1]
                state, measure = run[["state", "measure"]].iloc[0]
                said = self._state(state) + (f" ({measure})" if measure else "")
                own.append((f"{first:%d/%m/%Y} – {last:%d/%m/%Y}", said, language.number(len(run))))
                drawn.append((level, first, last, state, len(run), measure))
            alike.setdefault(tuple(own), []).append(level)
        if not drawn:
            return None
        rows = []
        for runs, levels in alike.items():
            rows.append(Row(language.sentence(self._levels(levels)), ("", ""), 0))
            rows += [Row(dates, (said, days), 2) for dates, said, days in runs]
        columns = [
            Column(text("Level, days")),
            Column(text("State (decision)"), 60, words=True),
            Column(text("School days"), 22),
        ]
        note = text(
            "Mondays to Fridays without public holidays; the schools' own longer break at Tết is not known here."
        )
        names = ["level", "first", "last", "state", "days", "measure"]
        slug, frame, units = "school-calendar", pd.DataFrame(drawn, columns=names), {"days": "days"}
        caption = text("The calendar as a table: school days as the decisions set them")
        return table(
            self._shown, slug, caption, columns, rows, frame, units, [note], ["school_closures"]
        )

    def schools_hit(self) -> Block | None:
        """How many schools lost days in each school year of the period, and which lost most."""
        if self.result is None:
            return None
        language, text = self._language, self._text
        said = []
        for _, about, own in _known(self.result.schools, _of_period(self.result)):
            known = own[(own["reported"] > 0) & (own["planned"] > 0)]
            hit = known[known["lost"] > 0]
            numbers = {
                "span": language.sentence(language.span(about["first"], about["last"])),
                "hit": str(len(hit)),
            }
            if not own["reported"].any():
                said.append(text("{span}: no school has reported.", **numbers))
            elif known.empty:
                continue  # the sentence says so
            elif hit.empty:
                said.append(
                    language.plural(
                        "{span}: the school lost no day.",
                        "{span}: none of {count} schools lost a day.",
                        len(known),
                        **numbers,
                    )
                )
            else:
                most = hit[hit["lost"] == hit["lost"].max()]
                names = (
                    "; ".join(most["name"])
                    if len(most) <= 3
                    else text("{count} schools", count=str(len(most)))
                )
                said.append(
                    language.plural(
                        "{span}: the school lost {lost}: {names}.",
                        "{span}: {hit} of {count} schools lost days; most, {lost}: {names}.",
                        len(known),
                        lost=self._days_long(most["lost"].iloc[0]),
                        names=names,
                        **numbers,
                    )
                )
        return headline(self._shown, *said) if said else None

    def schools_table(self) -> Block | None:
        """Each school in the months of the period, with its pupils; small numbers as a range."""
        if self.result is None:
            return None
        text = self._text
        schools, spans = self.result.schools, _of_period(self.result)
        rows, few = [], False
        for span, about, own in _known(schools, spans):
            told = own[(own["reported"] > 0) & (own["planned"] > 0)]
            few |= bool(told["hidden"].any())
            if not told.empty:
                rows.append(self._when_row(about, 4))
            for level in told["level"].unique():
                group, total = told[told["level"] == level], self.result.totals.loc[(span, level)]
                rows += [self._school_row(school) for _, school in group.iterrows()]
                if len(group) > 1:
                    rows.append(
                        self._level_row(level, self.result.levels.loc[(span, level)], total)
                    )
        if not rows:
            return None
        notes = [
            text(
                "Pupils: at the end of the months named. Taught: in class and online. Attended: pupil-days, "
                "% of those in class."
            )
        ]
        if few:
            few_pupils = text(
                "–: a school that had 1 to 4 pupils in one of these months, whose attendance is not given."
            )
            notes += [hiding(self.edition), few_pupils, self._weight]
        if marked(rows, PARTIAL):
            notes.append(text("† some school or month is not reported."))
        heads = [
            text("Pupils"), text("Taught"), text("Lost"), text("Attended %"),
        ]  # fmt: skip
        widths = (18, 18, 16, 24)
        frame = schools.reset_index()
        frame = (
            frame[frame["span"].isin(spans.index)]
            .merge(spans, on="span")
            .drop(columns=["span", "name"])
        )
        units = dict.fromkeys(DAYS, "days") | {"attendance": "1"}
        units |= dict.fromkeys(disclosure.columns("pupils"), "persons")
        units |= {"reported": "months", "expected": "months"}
        columns = [Column(text("School")), *map(Column, heads, widths)]
        caption = text("Schools in {period} (pupils; days)", period=self.edition.period_name)
        sources = ("schools", "school_months")
        return table(self._shown, "schools", caption, columns, rows, frame, units, notes, sources)

    def missing(self) -> Block | None:
        """Which schools have not reported which months."""
        if self.result is None or not self.result.missing:
            return None
        language = self._language
        gaps: dict[str, list[pd.Period]] = {}
        for school, month in self.result.missing:
            gaps.setdefault(school, []).append(month)
        alike: dict[str, list[str]] = {}
        for school, months in gaps.items():
            alike.setdefault(language.month_list(months), []).append(school)
        names = self.result.names
        lines = "; ".join(
            language.text("all {count} schools ({months})", count=str(len(own)), months=months)
            if len(own) == len(names) > 1
            else f"{'; '.join(names.get(school, school) for school in own)} ({months})"
            for months, own in alike.items()
        )
        return paragraph(
            self._shown,
            language.text("Not yet reported, and not counted as zero: {lines}.", lines=lines),
            note=True,
        )

    def method(self) -> Block | None:
        """How days lost and their reasons are found; nothing without data."""
        if self.result is None:
            return None
        return paragraph(
            self._shown,
            self.edition.text(
                "Days lost = planned − in class − online and recognised; they are those of an average "
                "pupil of the level. The reason comes from the table school_closures by level and day, "
                "never from Directive 16. Method and validation: docs/method.md."
            ),
        )

    # Words.

    def _level(self, level: str) -> str:
        """A school level as it stands inside a sentence."""
        return self._language.words("level")[level]

    def _level_head(self, level: str) -> str:
        return self._language.sentence(self._level(level))

    def _levels(self, levels: Iterable[str]) -> str:
        """School levels as they stand inside a sentence."""
        return self._language.join([self._level(level) for level in levels])

    def _state(self, state: str) -> str:
        """The state of a school day in a few words."""
        return self._language.words("school_day")[state]

    def _days(self, days: float) -> str:
        """A number of days: whole, or with one decimal where it is a mean over pupils or years."""
        if is_missing(days):
            return NONE
        return self._language.number(round(days, 1), 1, trim=True)

    def _days_long(self, days: float) -> str:
        """A number of days with the word."""
        said = self._days(days)
        return self._language.plural(
            "{days} day", "{days} days", 1 if said == "1" else 2, days=said
        )

    def _span_short(self, about: pd.Series) -> str:
        return self._language.span_short(about["first"], about["last"])

    def _sentences(self, schools: Schools) -> list[str]:
        """The sentences of `sentence`."""
        language, text = self._language, self._text
        said: list[str] = []
        unknown: list[str] = []
        spans = _of_period(schools)
        for _, about, levels in _known(schools.levels, spans):
            if not levels["reported"].any():
                unknown.append(language.span(about["first"], about["last"]))
            else:
                said += self._taught(about, levels)
        reasons = schools.reasons
        reasons = reasons[reasons["span"].isin(spans.index) & (reasons["measure"] != "")]
        if not reasons.empty:
            said.append(self._why(reasons))
        if unknown:
            said.append(
                text("School days {spans}: no report has come in.", spans="; ".join(unknown))
            )
        if reasons.empty and (away := self._away(_touching(schools))):
            said.append(language.sentence("; ".join(away)) + ".")
        return said or [text("No school day was planned in this period.")]

    def _taught(self, about: pd.Series, levels: pd.DataFrame) -> Iterator[str]:
        """The sentences of a school year: levels whose usual days are known, those that usually have
        none in these months, those of which that is not known, those without a school day."""
        language, text = self._language, self._text
        when = {
            "span": language.sentence(language.span(about["first"], about["last"])),
            "year": about["year"].replace("-", "–"),
        }
        reported = levels[levels["reported"] > 0]
        having = reported[reported.apply(_has_days, axis=1)]
        usual = having["usual_taught"]
        counted = levels[["reported", "expected"]].sum()
        months = pd.period_range(about["first"], about["last"], freq="M").month
        tail = ""
        if counted["reported"] < counted["expected"]:
            tail = " " + language.plural(
                "({count} of {expected} monthly school reports has come in)",
                "({count} of {expected} monthly school reports have come in)",
                counted["reported"],
                expected=str(counted["expected"]),
            )
        if not (reported["lost"] > 0).any():
            tail += (
                text("; no lost day is reported so far")
                if tail
                else text("; no school day was lost")
            )
        tail += "."
        if (usual > 0).any():
            own = self._by_level(having[usual > 0], "usual_taught")
            yield text(
                "{span} (school year {year}), school days taught of the usual number: {levels}",
                levels=own, **when,
            ) + tail  # fmt: skip
        if (usual == 0).any():
            own = self._by_level(having[usual == 0], "")
            yield language.plural(
                "{span} (school year {year}), a month usually without school, days taught: {levels}",
                "{span} (school year {year}), months usually without school, days taught: {levels}",
                len(months), levels=own, **when,
            ) + tail  # fmt: skip
        if usual.isna().any():
            own = self._by_level(having[usual.isna()], "planned")
            yield text(
                "{span} (school year {year}), school days taught of those planned (the usual number is "
                "not known, for want of an earlier year): {levels}",
                levels=own, **when,
            ) + tail  # fmt: skip
        idle = reported.drop(having.index)
        if idle.empty:
            return
        if len(having):
            yield text(
                "{span}, no school day was planned: {levels}.",
                levels=self._levels(idle.index), **when,
            )  # fmt: skip
        elif _SUMMER.issuperset(months):
            yield text(
                "{span} (school year {year}): summer holidays, no school day was planned.", **when
            )
        else:
            yield text("{span} (school year {year}): no school day was planned.", **when)

    def _by_level(self, levels: pd.DataFrame, of: str) -> str:
        """Days taught of each level, out of those of the column `of`, if there is one, and how many
        of them online; without that column, how many to make up. Levels with the same figures stand
        together."""
        text = self._text
        alike: dict[str, list[str]] = {}
        for level, own in levels.iterrows():
            taught = self._days(own["taught"])
            said = text("{part}/{whole}", part=taught, whole=self._days(own[of])) if of else taught
            if own["online"] > 0:
                said += " " + text("({days} online)", days=self._days(own["online"]))
            if not of and own["made_up"] > 0:
                said += " " + text("(made up {days})", days=self._days(own["made_up"]))
            alike.setdefault(said, []).append(str(level))
        return "; ".join(f"{self._levels(own)} {said}" for said, own in alike.items())

    def _briefly(self, levels: pd.DataFrame) -> str:
        """Days taught of the usual ones in the fewest words, the level with most days first."""
        text = self._text
        known = levels[levels.apply(_has_days, axis=1)]
        usual = bool((known["usual_taught"] > 0).all())
        of = "usual_taught" if usual else "planned"
        alike: dict[tuple[str, str], list[str]] = {}
        for level, own in known.sort_values("taught", ascending=False, kind="stable").iterrows():
            full = usual and own["taught"] >= own["usual_taught"] and not own["lost"] > 0
            figures = ("", "") if full else (self._days(own["taught"]), self._days(own[of]))
            alike.setdefault(figures, []).append(self._level(str(level)))
        parts: list[str] = []
        before = ""  # the number out of which the part before this one was
        for (taught, whole), names in alike.items():
            values = {"levels": ", ".join(names), "taught": taught, "whole": whole}
            if not taught:
                parts.append(text("in full ({levels})", **values))
            elif whole == before:
                parts.append(f"{taught} ({values['levels']})")
            elif usual:
                parts.append(text("{taught}/{whole} usual days ({levels})", **values))
            else:
                parts.append(text("{taught}/{whole} planned days ({levels})", **values))
            before = whole
        return text("taught {days}", days="; ".join(parts))

    def _why(self, reasons: pd.DataFrame) -> str:
        """By whose decisions days were lost, and from when."""
        decided = self._decided(reasons)
        if not self.edition.ward.vietnamese:
            return self.edition.text("Days were lost by {decisions}.", decisions=decided)
        return self.edition.text(
            "Days were lost by {decisions}, not by Directive 16.", decisions=decided
        )

    def _decided(self, reasons: pd.DataFrame) -> str:
        """Whose decisions they are, with their numbers, if known, and the first day."""
        language, text = self._language, self._text
        names = {
            "nation": text("decision of the national authorities"),
            "city": text("decision of the city"),
            "province": text("decision of the province"),
            "": text("decision of the authorities"),
        }
        whose = [names[_decider(area)] for area in reasons["area"]]
        documents = sorted({document for document in reasons["document"] if document})
        said = language.join(list(dict.fromkeys(whose)))
        if documents:
            said += " " + text("No. {documents}", documents=", ".join(documents))
        first = language.date(pd.Timestamp(reasons["start"].min()))
        return text("{decisions}, from {day}", decisions=said, day=first)

    def _the_longest(self, spells: pd.DataFrame) -> str:
        """The sentence of what `_longest` gives."""
        (said,) = self._away(spells)
        return self.edition.text("Longest: {spell}.", spell=said)

    def _away(self, spells: pd.DataFrame) -> list[str]:
        """Times away from class: from when to when, how long, whether they go on; levels of which the
        same is said stand together."""
        language, text = self._language, self._text
        alike: dict[tuple[str, str, int, str], list[str]] = {}
        for _, spell in spells.iterrows():
            tail = ""
            if spell["school_days"] > 0:
                tail += language.plural(
                    ", of which {count} is a school day",
                    ", of which {count} are school days",
                    spell["school_days"],
                )
            if spell["summer"]:
                tail += " " + text("(the summer holidays lie inside)")
            until = spell["until"]
            if is_missing(until) or (until > spell["end"] and until.date() > self.edition.day):
                tail += text("; still away on that day")
            elif until > spell["end"]:
                tail += text("; it lasted until {day}", day=language.date(until))
            said = language.date(spell["start"]), language.date(spell["end"]), spell["days"], tail
            alike.setdefault(said, []).append(spell["level"])
        return [
            language.plural(
                "{levels} away from class from {start} to {end}: {count} calendar day",
                "{levels} away from class from {start} to {end}: {count} calendar days",
                days,
                levels=self._levels(levels),
                start=start,
                end=end,
            )
            + tail
            for (start, end, days, tail), levels in alike.items()
        ]

    # Tables.

    def _when_row(self, about: pd.Series, cells: int) -> Row:
        """The head of the rows of a span."""
        year = self.edition.text("school year {year}", year=about["year"].replace("-", "–"))
        return Row(f"{self._span_short(about)} ({year})", ("",) * cells, 0)

    def _days_table(self, spans: pd.DataFrame, notes: list[str]) -> Block | None:
        """The levels that had a school day in some of the `spans`, by span."""
        assert self.result is not None
        text = self._text
        levels = self.result.levels
        known = levels[(levels["reported"] > 0) & levels.apply(_has_days, axis=1)]
        known = known[known.index.get_level_values("span").isin(spans.index)]
        if known.empty:
            return None
        of = "usual_taught" if known["usual_taught"].notna().any() else "planned"
        rows: list[Row] = []
        for _, about, own in _known(known, spans):
            rows.append(self._when_row(about, 4))
            for level, days in own.iterrows():
                mark = PARTIAL * bool(days["reported"] < days["expected"])
                cells = (
                    text(
                        "{part}/{whole}",
                        part=self._days(days["taught"]),
                        whole=self._days(days[of]),
                    ),
                    *(self._days(days[name]) for name in ("lost", "online", "made_up")),
                )
                cells = tuple(cell + mark for cell in cells)
                rows.append(Row(self._level_head(str(level)), cells, 2))
        if known["hidden"].any():
            notes = [*notes, self._weight]
        if marked(rows, PARTIAL):
            notes = [*notes, text("† some school or month is not reported.")]
        frame = spans.join(levels.reset_index("level"), how="inner")
        units = dict.fromkeys([*DAYS, "taught", "usual_planned", "usual_taught"], "days")
        units |= {"attendance": "1", "usual_attendance": "1", "years": "years"}
        units |= {"reported": "school-months", "expected": "school-months"}
        columns = [
            Column(text("Level")),
            Column(
                text("Taught / usual") if of == "usual_taught" else text("Taught / planned"), 34
            ),
            Column(text("Lost"), 18),
            Column(text("Online"), 22),
            Column(text("Made up"), 20),
        ]
        caption = text("School days of {period} (days)", period=self.edition.period_name)
        slug, sources = "school-days", ("school_months",)
        return table(self._shown, slug, caption, columns, rows, frame, units, notes, sources)

    def _school_row(self, school: pd.Series) -> Row:
        mark = PARTIAL * bool(school["reported"] < school["expected"])
        taught = school["in_person"] + school["online"]
        cells = (
            persons(self.edition, school, "pupils"),
            *(self._days(days) + mark for days in (taught, school["lost"])),
            HIDDEN if school["hidden"] else percent(self.edition, school["attendance"]),
        )
        return Row(school["name"], cells, 2)

    def _level_row(self, level: str, days: pd.Series, total: pd.Series) -> Row:
        """All schools of a level."""
        hidden = days["hidden"] and is_missing(days["attendance"])
        cells = (
            persons(self.edition, total, "pupils"),
            *(self._days(days[name]) for name in ("taught", "lost")),
            HIDDEN if hidden else percent(self.edition, days["attendance"]),
        )
        return Row(self.edition.text("{level}, all schools", level=self._level_head(level)), cells)

    @property
    def _weight(self) -> str:
        return self.edition.text(
            "In means, a school of 1 to 4 pupils counts as one of {pupils}.",
            pupils=self._language.number(disclosure.WEIGHT, 1),
        )

    # The calendar.

    def _draw_calendar(self, schools: Schools) -> str:
        cell, gap = (
            0.085,
            2.2,
        )  # the height of a day, in inches; days between one level and the next
        levels, days = _school_days(schools), next(iter(schools.calendar.values())).index
        first = days[0] - pd.Timedelta(days=days[0].day_of_week)
        week = 6 if schools.six_days else 5
        step = week + gap
        # At 9 pt a letter takes less than 0.08 inches; the heads of the rows take a fifth.
        letter = 0.08 * ((days[-1] - first).days // 7 + 1) / (0.8 * drawing.WIDTH)
        with drawing.drawing(cell * step * len(levels) + 0.6) as (figure, axes):
            runs = []
            for place, (level, known) in enumerate(levels):
                top = place * step
                weeks, weekdays, sizes, states = _runs(known["state"], first)
                runs.append((weeks, top + weekdays, sizes, states))
                axes.text(-0.8, top + week / 2, self._level_head(level), ha="right", va="center")
                for at, label in _decisions(known["measure"], first, letter):
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


def _has_days(level: pd.Series) -> bool:
    """Whether a level had, or would usually have had, a school day; not in the summer holidays."""
    return bool(level["planned"] > 0 or level["taught"] > 0 or level["usual_taught"] > 0)


def _has_school(levels: pd.DataFrame) -> bool:
    """Whether some level has a school day in a span, or may have: it has not reported."""
    return bool((levels["reported"] == 0).any() or levels.apply(_has_days, axis=1).any())


def _told(schools: Schools) -> pd.DataFrame:
    """The times away of the school years in which the period has a school day."""
    spans = [
        about
        for _, about, own in _known(schools.levels, schools.spans)
        if about["kind"] == "period" and _has_school(own)
    ]
    starts = [pd.Timestamp(int(about["year"][:4]), 9, 1) for about in spans]
    touching = schools.spells["end"] >= min(starts, default=pd.Timestamp.max)
    return schools.spells[touching]


def _touching(schools: Schools) -> pd.DataFrame:
    """Those of `_told` that touch the period."""
    told = _told(schools)
    return told[told["end"] >= schools.period.first.start_time]


def _longest(schools: Schools) -> pd.DataFrame:
    """The longest of the times away that touch the period; of several as long, that which goes on
    longest. Other levels with the same stand beside it."""
    own = _touching(schools)
    ends = own["until"].fillna(pd.Timestamp.max)
    rank = list(zip(own["days"], ends, own["start"], strict=True))
    return own[[one == max(rank) for one in rank]]


def _decider(area: str) -> str:
    """Whose decision it is that binds an area, if of Việt Nam: schools are closed by the province
    or the city under the central government, for all of it or for a part."""
    if not (area == "VN" or area.startswith("VN-")):
        return ""
    if area == "VN":
        return "nation"
    return "city" if area[:5] in _CITIES else "province"


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


def _decisions(measures: pd.Series, first: pd.Timestamp, letter: float) -> list[tuple[int, str]]:
    """The week in which each decision begins, with its number; those too close for a label of their
    own, of which a letter takes so many weeks, share one."""
    labels: list[tuple[int, str]] = []
    begun = measures[measures != ""].drop_duplicates()  # the first day of each decision
    for day, measure in zip(begun.index, begun, strict=True):
        at = (day - first).days // 7
        if labels and at - labels[-1][0] < (len(labels[-1][1]) + 1) * letter:
            at, measure = labels[-1][0], f"{labels.pop()[1]}, {measure}"
        labels.append((at, measure))
    return labels
