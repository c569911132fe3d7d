"""The year's targets: where each stands, where the year will end, what each month needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from wardlib.analysis.targets import (
    FLOW,
    GOOD,
    MONEY,
    SHARE,
    Targets,
    at_risk,
    binding,
    carriers,
)
from wardlib.language import NBSP, NONE, Unit, inside, is_missing
from wardlib.pages import drawing
from wardlib.pages.block import Block, headline, paragraph
from wardlib.pages.edition import Edition
from wardlib.pages.page import Page
from wardlib.pages.table import ESTIMATE, PARTIAL, Column, Row, marked, percent, table, unit_of

_LIMIT = 200.0  # per cent of a target that the chart shows
_SIZE = 9  # points: no word of the chart is smaller on paper
_TOLD = 4  # targets at risk of which a sentence says what they need; the table of tasks has all


class TargetsPage(Page[Targets]):
    """The targets of an edition's year."""

    _page = "targets"
    _opening = "states"

    def states(self) -> Block:
        """How many targets are met, likely, open, unlikely, and which are in doubt."""
        language, text = self._language, self._text
        own = self._given()
        if own.empty:
            return headline(self._shown, text("No target was given to this unit."))
        states = self._language.words("status")
        names: dict[str, list[str]] = {}
        risky = at_risk(own).head(_TOLD)
        for target in _rows(own):
            name = inside(language.pick(target, "name"))
            if target.name in risky.index:
                name += f": {self._risk(target)}"
            names.setdefault(target["status"], []).append(name)
        said = "; ".join(
            f"{words} {len(names[state])}"
            + ("" if state in GOOD else f" ({'; '.join(names[state])})")
            for state, words in states.items()
            if state in names
        )
        return headline(
            self._shown,
            language.plural(
                "Of {count} target set by {whom} – {states}.",
                "Of {count} targets set by {whom} – {states}.",
                len(own),
                whom=self._whom(own),
                states=said,
            ),
        )

    def _risk(self, target: pd.Series) -> str:
        """What a target at risk needs, until when; and that it is on its usual way, where it is."""
        language, text = self._language, self._text
        said = text(
            "needs {needed} until {day}",
            needed=self._asked(target),
            day=self._lawful(target),
        )
        if target["share"] >= target["usual_low"]:
            said += text(
                ", on its usual way with {share} (usual by now {usual})",
                share=language.percent(target["share"]),
                usual=language.percent(target["usual"]),
            )
        return said

    def _lawful(self, target: pd.Series) -> str:
        """The last lawful day of a target in the edition's year; the day of the law itself beside it
        where that is a day off."""
        text, year = self._text, self.result.period.year
        lawful, due = (self._language.day(target[name], year) for name in ("until", "due_on"))
        if lawful == due:
            return lawful
        return text("{due} (a day off: {lawful})", due=due, lawful=lawful)

    def carried(self) -> Block | None:
        """Which few lines carry the total, and where it stands without them; nothing where none do."""
        found = carriers(self.result.rows)
        if found is None:
            return None
        language, text = self._language, self._text
        unit = self.edition.unit(found.whole["value"])
        first, *others = [inside(language.pick(line, "name")) for line in _rows(found.lines)]
        said = text(
            "Of all receipts, {line} alone brought {share}.",
            line=first,
            share=unit.share(found.lines["value"].iloc[0], found.whole["value"]),
        )
        rest = {"share": unit.share(found.value, found.target), "whom": self._whom(found.lines)}
        said += " " + (
            text(
                "Without this line and {others}, the rest stands at {share} of the plan set by {whom}",
                others=language.join(others),
                **rest,
            )
            if others
            else text("Without it, the rest stands at {share} of the plan set by {whom}", **rest)
        )
        if not is_missing(found.usual):
            said += text("; usual by now: {share}", share=language.percent(found.usual))
        return paragraph(self._shown, said + ".")

    def tasks(self) -> Block:
        """What is to be done until the year's end: how many targets are at risk, and which first; in a
        year that is over, which were missed."""
        language, text = self._language, self._text
        given, risky = self._given(), at_risk(self.result.rows)
        year = str(self.result.period.year)
        if given.empty:
            return headline(self._shown, text("No target was given to this unit: none is at risk."))
        if (given["left"] == 0).all():
            missed = given[given["status"] == "missed"]
            said = [text("The year {year} is over: no task of it remains.", year=year)]
            if len(missed):
                said.append(
                    text("Not met: {items}.", items="; ".join(map(self._missed, _rows(missed))))
                )
            return headline(self._shown, *said)
        if risky.empty:
            return headline(
                self._shown,
                text("No target is at risk: each is met, likely to be met or ahead.")
                if not (given["status"] == "none").any()
                else text("No target of which something can be said is at risk."),
            )
        first = risky.iloc[0]
        asked = text(
            "First comes {line}: {needed}, by {day} at the latest",
            line=inside(language.pick(first, "name")),
            needed=self._asked(first),
            day=language.date(first["until"]),
        )
        if first["times_asked"]:
            reached = str(first["times_reached"])
            asked += (
                language.plural(
                    "; {reached} of {count} earlier year brought so much in these months",
                    "; {reached} of {count} earlier years brought so much in these months",
                    first["times_asked"],
                    reached=reached,
                )
                if first["in_sum"]
                else language.plural(
                    "; in earlier years, {reached} of {count} such month brought so much",
                    "; in earlier years, {reached} of {count} such months brought so much",
                    first["times_asked"],
                    reached=reached,
                )
            )
        return headline(
            self._shown,
            language.plural(
                "{count} target of {year} is at risk.",
                "{count} targets of {year} are at risk.",
                len(risky),
                year=year,
            ),
            asked + ".",
        )

    def brief_tasks(self) -> Block:
        """`tasks_table`, or where no target is at risk the sentence that says so."""
        return self.tasks_table() or self.tasks()

    def tasks_table(self) -> Block | None:
        """Each target at risk: what it needs a month, how often that was reached, until when, and who
        answers for it; nothing where none is."""
        language, text = self._language, self._text
        risky = at_risk(self.result.rows)
        if risky.empty:
            return None
        rows = []
        for target in _rows(risky):
            name, _ = self._row_head(target, "")
            cells = (
                self._asked(target),
                f"{target['times_reached']}/{target['times_asked']}"
                if target["times_asked"]
                else NONE,
                self._lawful(target),
                (language.pick(target, "body") or NONE) + ESTIMATE * (not target["body_seen"]),
            )
            rows.append(Row(name, cells))
        columns = [
            Column(text("Target")),
            Column(text("Needed"), 38, words=True),
            Column(text("Reached"), 13),
            Column(text("By"), 30, words=True),
            Column(text("Body in charge"), 47, words=True),
        ]
        notes = [
            text(
                "Reached: in how many of the same months of earlier years so much came in; of a sum, in how "
                "many years. By: the last lawful day that is left in the year, else 31/12."
            )
        ]
        if not risky["body_seen"].all():
            notes.append(text("* as is common; the unit has to confirm it."))
        caption = text("Targets of {year} at risk", year=str(self.result.period.year))
        return self._table("tasks", caption, columns, rows, notes, risky, ("owners",))

    def chart(self) -> Block | None:
        """Each target that can be formed as a share: so far, usual by now, and the projected year's
        end, in per cent of the target; nothing where there is none."""
        return self._chart(self.result.rows[self.result.rows["depth"] <= 1], row_height=0.3)

    def brief_chart(self) -> Block | None:
        """`chart`, of `Targets.in_doubt` alone."""
        return self._chart(self.result.in_doubt, row_height=0.3)

    def table(self) -> Block | None:
        """Where each target stands by now and against what is usual by now."""
        text = self._text
        targets = self.result.rows
        unit, planned = self._unit(targets), bool(targets["target"].notna().any())
        rows, before, later = [], "", bool(_is_later(targets).any())
        for _, target in targets.iterrows():
            cells = [
                *self._so_far(target, unit, planned=planned),
                percent(self.edition, target["usual"]),
            ]
            if later:
                cells.append(self._amount(target, "known", unit))
            if planned:
                gap = self._amount(target, "ahead", unit)
                signed = gap[0] not in "-…" and any(digit in gap for digit in "123456789")
                cells.append(f"+{gap}" if signed else gap)
            name, depth = self._row_head(target, before)
            before = target["item"]
            says = self._language.words("status")[target["status"]] if planned else ""
            rows.append(Row(name, tuple(cells), depth, says))
        notes = [
            text(
                "Usual by now: the part of a year's amount that had come by this month in earlier full years "
                "({years} at most).",
                years=str(int(targets["usual_years"].max())),
            ),
            text(
                "Status: met or missed; else the chance of meeting the target: likely (80 % and more), unlikely "
                "(20 % and less), open between; without a projection, late or ahead of what is usual (shares: of "
                "the target itself, in points)."
            ),
        ]
        columns = [Column(text("Target")), Column(self._head(targets), 20)]
        if planned:
            columns += [Column(text("Target of the year"), 19), Column(text("% of it"), 15)]
        columns.append(Column(text("Usual by now %"), 17))
        if later:
            over = bool((targets["left"] == 0).all())
            columns.append(Column(text("Whole year") if over else text("So far"), 20))
        if planned:
            columns.append(Column(text("Ahead (+), late (-)"), 22))
        caption = text(
            "Targets of {year} ({unit} unless a unit is named)",
            year=str(self.result.period.year),
            unit=unit.name,
        )
        given = self._given()
        if (given["set_by"] == "upper").any():
            notes.append(
                text("Set by {whom} where nobody else is named.", whom=self.edition.setter)
            )
        if len(given):
            lines = int((given["kind"] == MONEY).sum())
            notes.append(
                text(
                    "Counted as targets are {lines} of the receipts' plan and {others} others, those of the "
                    "tables targets and indicator_months; the unit's own list of statutory targets may count "
                    "otherwise.",
                    lines=str(lines),
                    others=str(len(given) - lines),
                )
            )
        notes += self._marks(targets, rows)
        return self._table("targets", caption, columns, rows, notes, targets)

    def year_end(self) -> Block | None:
        """The total at the year's end, the chance of its target, and what the remaining months
        need."""
        text = self._text
        total = self.result.rows[self.result.rows["kind"] == MONEY].iloc[0]
        name = inside(self._language.pick(total, "name"))
        if total["silent"]:
            return headline(
                self._shown,
                text(
                    "Where {line} will stand at the end of the year cannot be said: {reason}.",
                    line=name,
                    reason=self._silence(total),
                ),
            )
        unit = self.edition.unit(total["point"])
        if total["left"] == 0:
            return self._outcome(total, unit) if _is_later(total) else None
        projected = text(
            "Projected for the whole year, {line}: {point}; 19 times in 20, from {low} to {high}",
            line=name,
            point=unit.amount(total["point"]),
            low=unit.figure(total["low95"], trim=True),
            high=unit.figure(total["high95"], trim=True),
        )
        if not is_missing(total["chance"]) and total["status"] != "met":
            projected += "; " + text(
                "chance of reaching {target}: {chance}",
                target=unit.amount(total["target"]),
                chance=self._chance(total["chance"]),
            )
        said = [projected + "."]
        if total["needed"] > 0:
            said.append(
                self._language.plural(
                    "Needed: {needed} in the {count} month that remains; the same month of earlier years "
                    "brought so much {times} {asked}.",
                    "Needed: {needed} in each of the {count} months that remain; the same months of earlier "
                    "years brought so much {times} {asked}.",
                    total["left"],
                    needed=unit.amount(total["needed"]),
                    times=self._language.plural(
                        "{count} time of", "{count} times of", total["reached"]
                    ),
                    asked=str(total["asked"]),
                )
            )
        if total["due"] > 0.001 * total["point"]:
            said.append(
                text(
                    "Of it, put off by law or not due as yet, and falling due by 31/12: about {due}.",
                    due=unit.amount(total["due"]),
                )
            )
        return headline(self._shown, *said)

    def _outcome(self, total: pd.Series, unit: Unit) -> Block:
        """What the total came to in the year, and of the plan."""
        text = self._text
        said = text(
            "The year is complete: {line} came to {amount}",
            line=inside(self._language.pick(total, "name")),
            amount=unit.amount(total["known"]),
        )
        if total["target"] > 0:
            said += ", " + text(
                "{share} of the plan set by {whom}",
                share=unit.share(total["known"], total["target"]),
                whom=self._setter(total["set_by"]),
            )
        return headline(self._shown, said + ".")

    def brief_year_end(self) -> Block | None:
        """`year_end`, unless the total has reached its target already."""
        total = self.result.rows[self.result.rows["kind"] == MONEY].iloc[0]
        return None if total["status"] == "met" else self.year_end()

    def projections_table(self) -> Block | None:
        """Where each year will end, the chance of the target, what each remaining month needs, and
        what still falls due; nothing where no year-end can be projected."""
        text = self._text
        targets = self.result.rows[self.result.rows["silent"] == ""]
        targets = targets[targets["left"] > 0]
        if targets.empty:
            return None
        unit = unit_of(self.edition, targets[targets["kind"] == MONEY]["high95"])
        owed = bool((targets["due"] > 0).any())
        planned = bool(targets["target"].notna().any())
        rows, before = [], ""
        for _, target in targets.iterrows():
            cells = self._projected(target, unit, planned=planned, owed=owed)
            name, depth = self._row_head(target, before)
            before = target["item"]
            rows.append(Row(name, tuple(cells), depth))
        columns = [
            Column(text("Target")),
            Column(text("Year's end"), 24),
            Column(text("19 times in 20"), 40),
        ]
        if planned:
            columns.append(Column(text("Chance of the target"), 24))
        if owed:
            columns.append(Column(text("Falls due by 31/12"), 24))
        notes = [
            text(
                "From the months known by then; new closures and new relief are not foreseen. Falls due: put off "
                "by law or not yet due, taken to be paid by then."
            )
        ]
        if targets["kind"].isin([FLOW, SHARE]).any():
            notes.append(text("Indicators: after their earlier years; shares are never added up."))
        caption = text(
            "Projected end of {year} ({unit} unless a unit is named)",
            year=str(self.result.period.year),
            unit=unit.name,
        )
        return self._table("projections", caption, columns, rows, notes, targets)

    def cannot_project(self) -> Block | None:
        """Targets whose year-end cannot be projected, by reason; in December, that nothing remains;
        nothing where `year_end` says what the year came to."""
        language, text = self._language, self._text
        targets = self.result.rows
        if (targets["left"] == 0).all():
            complete = text("The year is complete: nothing remains to be projected.")
            return None if _is_later(targets).any() else paragraph(self._shown, complete)
        silent = targets[targets["silent"] != ""]
        if silent.empty:
            return None
        said = []
        for _, alike in silent.groupby("silent"):
            names = dict.fromkeys(inside(language.pick(own, "name")) for _, own in alike.iterrows())
            said.append(f"{'; '.join(names)} ({self._silence(alike.iloc[0])})")
        return paragraph(
            self._shown,
            text("No statement on the year's end: {items}.", items="; ".join(said)),
            note=True,
        )

    # Words.

    def _given(self) -> pd.DataFrame:
        """The targets that bind; none where none was given."""
        return binding(self.result.rows[self.result.rows["set_by"] != ""])

    def _whom(self, targets: pd.DataFrame) -> str:
        """Who set these targets, all of them the same."""
        return self._setter("upper" if (targets["set_by"] == "upper").all() else "ward")

    def _setter(self, code: str) -> str:
        text = self._text
        return self.edition.setter if code == "upper" else text("the ward council")

    def _asked(self, target: pd.Series) -> str:
        """What each remaining month of a target has to bring; of one that does not grow, what it has to
        come to."""
        text = self._text
        if target["kind"] == MONEY and target["in_sum"]:
            return self.edition.unit(target["asked_amount"]).amount(target["asked_amount"])
        if target["kind"] == MONEY:
            return text(
                "{amount} a month",
                amount=self.edition.unit(target["needed"]).amount(target["needed"]),
            )
        aim = self._language.number(target["target"], target["decimals"], trim=True)
        aim = f"{aim}{NBSP}{self._language.pick(target, 'unit')}"
        if not target["higher"]:
            return text("at most {amount}", amount=aim)
        if target["kind"] != FLOW:
            return text("to reach {amount}", amount=aim)
        needed = self._language.number(target["needed"], 1, trim=True)
        return text(
            "{amount} a month", amount=f"{needed}{NBSP}{self._language.pick(target, 'unit')}"
        )

    def _missed(self, target: pd.Series) -> str:
        """What became of a target, with both amounts."""
        name = inside(self._language.pick(target, "name"))
        if target["kind"] == MONEY:
            share = self.edition.unit(target["target"]).share(target["known"], target["target"])
            return f"{name} {share}"
        value, aim = (
            self._amount(target, column, self.edition.unit(0)) for column in ("known", "target")
        )
        return f"{name} {value}/{aim}{NBSP}{self._language.pick(target, 'unit')}"

    def _silence(self, target: pd.Series) -> str:
        """Why a target's year-end cannot be projected."""
        return self._language.words("no_projection")[target["silent"]]

    def _chance(self, share: float) -> str:
        """A chance in whole per cent, never as certainty."""
        language, text = self._language, self._text
        if share > 0.99:
            return text("over {percent}", percent=language.percent(0.99))
        if share < 0.01:
            return text("under {percent}", percent=language.percent(0.01))
        return language.percent(share, 0)

    # Tables.

    def _unit(self, targets: pd.DataFrame) -> Unit:
        money = targets[targets["kind"] == MONEY]
        return unit_of(self.edition, money["value"], money["target"])

    def _head(self, targets: pd.DataFrame) -> str:
        """The head of the column of `value`: so far, unless more is known by now."""
        text = self._text
        return text("By the end of the period") if _is_later(targets).any() else text("So far")

    def _row_head(self, target: pd.Series, before: str) -> tuple[str, int]:
        """The head of a target's row and its depth: its name and, of the ward's own, who set it; that
        alone where the row above is of the same item (`before`)."""
        depth = int(target["depth"])
        text, details = self._text, []
        if target["set_by"] == "ward":
            details.append(text("set by {whom}", whom=self._setter("ward")))
        if target["item"] == before:
            return self._language.sentence(details[0]), max(depth, 1) + 1  # of the total, too
        name = self._language.pick(target, "name")
        if target["kind"] != MONEY:
            details.append(self._language.pick(target, "unit"))
        return f"{name} ({'; '.join(details)})" if details else name, depth

    def _amount(self, target: pd.Series, column: str, unit: Unit) -> str:
        """A column of a target in its own unit."""
        if is_missing(target[column]):
            return NONE
        if target["kind"] == MONEY:
            return unit.figure(target[column])
        return self._language.number(target[column], target["decimals"])

    def _so_far(self, target: pd.Series, unit: Unit, *, planned: bool) -> list[str]:
        """The cells of a target's value; where there are targets (`planned`), of target and share."""
        late = not is_missing(target["through"]) and target["through"] < self.result.period.last
        mark = ESTIMATE * bool(target["estimated"]) + PARTIAL * late
        cells = [self._amount(target, "value", unit) + mark * (not is_missing(target["value"]))]
        if planned:
            cells.append(self._amount(target, "target", unit))
            cells.append(percent(self.edition, target["share"]))
        return cells

    def _projected(self, target: pd.Series, unit: Unit, *, planned: bool, owed: bool) -> list[str]:
        """The cells of a target's projection."""
        if target["low95"] == target["high95"]:
            wide = self._amount(target, "point", unit)
        else:
            wide = " … ".join(self._amount(target, name, unit) for name in ("low95", "high95"))
        cells = [self._amount(target, "point", unit), wide]
        if planned:
            cells.append(NONE if is_missing(target["chance"]) else self._chance(target["chance"]))
        if owed:
            due = target["kind"] == MONEY and target["due"] > 0
            cells.append(unit.figure(target["due"]) if due else NONE)
        return cells

    def _table(
        self,
        slug: str,
        caption: str,
        columns: list[Column],
        rows: list[Row],
        notes: list[str],
        targets: pd.DataFrame,
        others: tuple[str, ...] = (),
    ) -> Block:
        """The block of a table; `others` names data tables that it comes from beside those of targets."""
        dropped = ["name_vi", "name_en", "unit_vi", "decimals", "depth", "higher", "body_vi"]
        frame = targets.drop(columns=dropped)
        money = frame["kind"] == MONEY
        frame["unit_en"] = frame["unit_en"].mask(money, self.edition.ward.currency)
        units = dict.fromkeys(("share", "usual", "usual_low", "usual_high", "chance"), "1")
        units |= {"usual_years": "years", "left": "months", "reached": "months", "asked": "months"}
        frame = frame.rename(columns={"unit_en": "unit"})
        sources = ("receipts", "targets", "indicator_months", *others)
        return table(self._shown, slug, caption, columns, rows, frame, units, notes, sources)

    def _marks(self, targets: pd.DataFrame, rows: list[Row]) -> list[str]:
        """What the marks in a table of values so far mean."""
        text, notes = self._text, []
        if targets["estimated"].any():
            notes.append(text("* holds a month that is still an estimate."))
        if marked(rows, PARTIAL):
            notes.append(text("† up to the last month reported only."))
        return notes

    # The chart.

    def _chart(self, targets: pd.DataFrame, *, row_height: float) -> Block | None:
        """`row_height` in inches."""
        language, text = self._language, self._text
        targets = targets[targets["share"].notna() & (targets["target"] > 0)]
        if (targets["set_by"] == "upper").any():
            targets = targets[targets["set_by"] == "upper"]
        if targets.empty:
            return None
        columns = ["value", "low95", "low80", "point", "high80", "high95"]
        scaled = (100 * targets[columns]).div(targets["target"], axis="index")
        usual = 100 * targets["usual"]
        svg = self._draw(targets, scaled, usual, row_height * len(targets) + 0.58)
        alt = [text("Bar chart, % of each target.")]
        for (_, target), value, point in zip(
            targets.iterrows(), scaled["value"], scaled["point"], strict=True
        ):
            said = f"{language.pick(target, 'name')}: {inside(self._head(targets))} "
            said += language.percent(value / 100)
            if not target["silent"] and target["left"]:
                said += ", " + text(
                    "at the end of the year {point} is projected",
                    point=language.percent(point / 100),
                )
            elif not target["silent"] and _is_later(target):
                said += ", " + text(
                    "in the whole year {point}", point=language.percent(point / 100)
                )
            alt.append(said + ".")
        own = {"so_far": targets["value"], "target": targets["target"]}
        own["unit"] = targets["unit_en"].mask(targets["kind"] == MONEY, self.edition.ward.currency)
        drawn = scaled.assign(item=targets["item"], usual=usual)[["item", "usual", *columns]]
        drawn = drawn.assign(**own)
        title = text(
            "Targets of {year}: {so_far} and at the year's end, % of the target; beside it the amounts, "
            "{so_far} and of the target ({unit}, or the target's own unit)",
            year=str(self.result.period.year),
            so_far=inside(self._head(targets)),
            unit=self._unit(targets).name,
        )
        slug, units = "chart-targets", dict.fromkeys([*columns, "usual"], "%")
        return drawing.chart(self._shown, slug, title, alt, svg, drawn, units)

    def _draw(
        self, targets: pd.DataFrame, scaled: pd.DataFrame, usual: pd.Series, height: float
    ) -> str:
        language, text = self._language, self._text
        unit = self._unit(targets)
        with drawing.drawing(height) as (figure, axes):
            places = np.arange(len(targets))
            short = np.minimum(scaled, _LIMIT)
            drawing.boxes(
                axes, 0, places - 0.31, short["value"], 0.62, facecolor=drawing.BEFORE, zorder=2,
                label=inside(self._head(targets)),
            )  # fmt: skip
            later = targets["known_through"] > targets["through"]
            # At the year's end nothing is usual, and nothing projected.
            running = targets["left"] > 0
            now = usual.where(running | later)
            drawing.lines(
                axes, (now, now), (places - 0.42, places + 0.42),
                color="black", linewidth=1.6, zorder=5,
            )  # fmt: skip
            ahead = (running & (targets["silent"] == "") & (scaled["low95"] < _LIMIT)).to_numpy()
            drawing.lines(
                axes, (short["low95"][ahead], short["high95"][ahead]), (places[ahead],) * 2,
                color=drawing.WITHOUT, linewidth=1.6, zorder=4,
            )  # fmt: skip
            beyond = ahead & (scaled["high95"] > _LIMIT).to_numpy()
            axes.plot(
                np.full(beyond.sum(), _LIMIT - 1.5), places[beyond], ">", color=drawing.WITHOUT,
                markersize=5, zorder=4,
            )  # fmt: skip
            near = ahead & (scaled["point"] <= _LIMIT).to_numpy()
            diamond: dict[str, Any] = {
                "color": drawing.WITHOUT,
                "markerfacecolor": "white",
                "markersize": 4.5,
            }
            axes.plot(scaled["point"][near], places[near], "D", zorder=6, **diamond)
            over = (~running & later & (targets["silent"] == "")).to_numpy()
            came: dict[str, Any] = {"color": "black", "markersize": 4.5, "linestyle": "none"}
            within = over & (scaled["point"] <= _LIMIT).to_numpy()
            axes.plot(scaled["point"][within], places[within], marker="D", zorder=6, **came)
            for place, value, point, line, came_to, target in zip(
                places, scaled["value"], scaled["point"], ahead, over, _rows(targets), strict=True
            ):
                far = (
                    value
                    if value > _LIMIT
                    else point
                    if (line or came_to) and point > _LIMIT
                    else None
                )
                if value > _LIMIT:  # a broken bar: two gaps
                    left = np.array([_LIMIT - 10, _LIMIT - 5])
                    drawing.lines(
                        axes, (left, left + 4), (np.full(2, place + 0.45), np.full(2, place - 0.45)),
                        color="white", linewidth=2, zorder=3,
                    )  # fmt: skip
                if far is not None:  # how far it goes, inside the axes
                    axes.annotate(
                        ("" if value > _LIMIT else "→ ") + language.percent(far / 100, 0),
                        (_LIMIT - 13, place), ha="right",
                        va="center", fontsize=_SIZE, fontweight="bold", zorder=7,
                        path_effects=drawing.RIMMED if line and value <= _LIMIT else None,
                    )  # fmt: skip
                axes.annotate(
                    self._both(target, unit), (1.01, place),
                    xycoords=axes.get_yaxis_transform(), va="center", fontsize=_SIZE,
                    annotation_clip=False,
                )  # fmt: skip
            axes.axvline(100, color=drawing.PLAN, linestyle=":", linewidth=1.5, zorder=3)
            # For the legend alone: an upright line is drawn lying there.
            upright: dict[str, Any] = {
                "linestyle": "none",
                "markersize": 10,
                "markeredgewidth": 1.6,
            }
            if now.notna().any():
                axes.plot([], [], marker="|", color="black", label=text("usual by now"), **upright)
            if ahead.any():
                axes.plot([], [], "D-", label=text("projected (95 %)"), **diamond)
            if over.any():
                axes.plot([], [], marker="D", label=text("the whole year"), **came)
            axes.plot([], [], ":", color=drawing.PLAN, linewidth=1.5, label=text("target"))
            axes.set_yticks(range(len(targets)))
            axes.set_yticklabels(
                [drawing.beside(language.pick(own, "name")) for own in _rows(targets)],
                fontsize=_SIZE,
                linespacing=0.9,
            )
            axes.tick_params(axis="x", labelsize=_SIZE)
            axes.set_ylim(len(targets) - 0.4, -0.6)
            axes.set_xlim(0, _LIMIT)
            figure.legend(
                loc="outside upper center", ncols=4, frameon=False, fontsize=_SIZE,
                columnspacing=1.2, handlelength=1.6,
            )  # fmt: skip
            axes.grid(axis="y", visible=False)
            return drawing.outlines(figure)

    def _both(self, target: pd.Series, unit: Unit) -> str:
        """Both amounts of a target, as they stand beside its bar."""
        amounts = [
            unit.figure(target[column], trim=True)
            if target["kind"] == MONEY
            else self._language.number(target[column], target["decimals"], trim=True)
            for column in ("value", "target")
        ]
        return "/".join(amounts)


def task_in_brief(edition: Edition, result: Targets) -> list[str]:
    """What is to be done until the year's end, in one sentence: the fullest first, then ever shorter
    ones; of a year that is over, what came of its targets."""
    page = TargetsPage(edition, result)
    language, text = edition.language, edition.text
    given, risky, year = page._given(), at_risk(result.rows), str(result.period.year)
    if given.empty:
        none = text("No target was given to this unit.")
        total = result.rows[result.rows["kind"] == MONEY].iloc[0]
        if not total["left"] or not total["due"] > 0:
            return [none]
        due = text(
            "put off by law or not due as yet, and falling due by 31/12: {due}",
            due=edition.unit(total["due"]).amount(total["due"]),
        )
        return [f"{none} {language.sentence(due)}.", none]
    known = given[given["status"] != "none"]
    if (given["left"] == 0).all():
        missed = known[known["status"] == "missed"]
        names = language.join([inside(language.pick(own, "name")) for own in _rows(missed)])
        met = {"met": str((known["status"] == "met").sum()), "count": str(len(known))}
        said = text("The year {year} is over: {met} of {count} targets were met", year=year, **met)
        named = [text("{said}; not met: {names}.", said=said, names=names)] if names else []
        short = text("the year is over: {met} of {count} targets were met", **met)
        return [*named, f"{said}.", f"{short}."]
    if risky.empty:
        return [text("No target is at risk.")]
    first, *others = _rows(risky)
    monthly = first["kind"] in (MONEY, FLOW) and not first["in_sum"] and first["higher"]
    task = {
        "line": inside(language.pick(first, "name")),
        "needed": page._asked(first),
        "day": page._lawful(first) if first["until"].month < 12 else text("the end of the year"),
    }
    said = (
        text("{line} needs {needed} until {day}", **task)
        if monthly
        else text("{line} needs {needed} by {day}", **task)
    )
    body = language.pick(first, "body") if first["body_seen"] else ""
    names = "; ".join(inside(language.pick(other, "name")) for other in others)
    at_risk_too = text("also at risk: {names}", names=names) if names else ""
    told = [[said, body, at_risk_too], [said, body], [said, at_risk_too], [said]]
    counted = language.plural("{count} target at risk", "{count} targets at risk", len(risky))
    return [*(f"{'; '.join(filter(None, parts))}." for parts in told), f"{counted}."]


def _rows(targets: pd.DataFrame) -> list[Any]:
    return [row for _, row in targets.iterrows()]


def _is_later(targets: Any) -> Any:
    """Whether more of the year is known than the period has: of each row, or of the one."""
    return targets["known_through"] > targets["through"]
