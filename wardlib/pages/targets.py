"""The year's targets: where each stands, where the year will end, what each month needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from wardlib.analysis.targets import FLOW, GOOD, MONEY, SHARE, Targets
from wardlib.language import NONE, Unit, inside, is_missing
from wardlib.pages import drawing
from wardlib.pages.block import Block, headline, paragraph
from wardlib.pages.page import Page
from wardlib.pages.table import ESTIMATE, PARTIAL, Column, Row, marked, percent, table, unit_of

_LIMIT = 250.0  # per cent of a target that the chart shows


class TargetsPage(Page[Targets]):
    """The targets of an edition's year."""

    def states(self) -> Block:
        """How many targets are met, likely, open, unlikely, and which are in doubt."""
        language, text = self._language, self._text
        targets = self.result.table[self.result.table["set_by"] != ""]
        if targets.empty:
            return headline(text("No target was given to this unit."))
        own = targets[targets["set_by"] == "upper"]
        own = own if len(own) else targets
        states = self._language.words("status")
        names: dict[str, list[str]] = {}
        for state, name in zip(own["status"], own[f"name_{language.code}"], strict=True):
            names.setdefault(state, []).append(inside(name))
        said = "; ".join(
            f"{words} {len(names[state])}"
            + ("" if state in GOOD else f" ({', '.join(names[state])})")
            for state, words in states.items()
            if state in names
        )
        return headline(
            language.plural(
                "Of {count} target set by {whom}: {states}.",
                "Of {count} targets set by {whom}: {states}.",
                len(own),
                whom=text("the upper level")
                if (own["set_by"] == "upper").all()
                else text("the ward council"),
                states=said,
            )
        )

    def chart(self) -> Block | None:
        """Each target that can be formed as a share: so far, usual by now, and the projected year's
        end, in per cent of the target; nothing where there is none."""
        return self._chart(self.result.table[self.result.table["depth"] <= 1], row_height=0.22)

    def brief_chart(self) -> Block | None:
        """`chart`, of `Targets.in_doubt` alone."""
        return self._chart(self.result.in_doubt, row_height=0.21)

    def table(self) -> Block | None:
        """Where each target stands by now and against what is usual by now."""
        text = self._text
        targets = self.result.table
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
            name, depth = self._row_head(target, before, whose=True)
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
            columns.append(Column(text("So far"), 20))
        if planned:
            columns.append(Column(text("Ahead (+), late (-)"), 22))
        caption = text(
            "Targets of {year} ({unit} unless a unit is named)",
            year=str(self.result.period.year),
            unit=unit.name,
        )
        notes += self._marks(targets, rows)
        return self._table("targets", caption, columns, rows, notes, targets)

    def brief_table(self) -> Block | None:
        """Where each of `Targets.in_doubt` stands, and where it will end the year."""
        text = self._text
        targets = self.result.in_doubt
        unit, planned = self._unit(targets), bool(targets["target"].notna().any())
        # Else the year's end is the value so far.
        ahead = bool((targets["left"] > 0).any() or _is_later(targets).any())
        rows, before = [], ""
        for _, target in targets.iterrows():
            cells = self._so_far(target, unit, planned=planned)
            if ahead:
                cells.append(self._year_end(target, unit).replace("\n", " "))
            if planned:
                cells.append(self._language.words("status")[target["status"]])
            name, depth = self._row_head(target, before, whose=False)
            before = target["item"]
            rows.append(Row(name, tuple(cells), depth))
        columns = [Column(text("Target")), Column(self._head(targets), 20)]
        if planned:
            columns += [Column(text("Target of the year"), 19), Column(text("% of it"), 15)]
        if ahead:
            columns.append(Column(text("Year's end (80 %)"), 40))
        if planned:
            columns.append(Column(text("Status"), 28, words=True))
        year = str(self.result.period.year)
        caption = (
            text(
                "Plan of {year}: the total, and the lines not met or likely to be met ({unit})",
                year=year,
                unit=unit.name,
            )
            if planned
            else text("Receipts of {year} ({unit})", year=year, unit=unit.name)
        )
        notes = self._marks(targets, rows)
        return self._table("targets-brief", caption, columns, rows, notes, targets)

    def year_end(self) -> Block | None:
        """The total at the year's end, the chance of its target, and what the remaining months
        need."""
        text = self._text
        total = self.result.table[self.result.table["kind"] == MONEY].iloc[0]
        name = inside(self._language.pick(total, "name"))
        if total["silent"]:
            return headline(
                text(
                    "Where {line} will stand at the end of the year cannot be said: {reason}.",
                    line=name,
                    reason=self._silence(total),
                )
            )
        unit = self.edition.unit(total["point"])
        if total["left"] == 0:
            return self._outcome(total, unit) if _is_later(total) else None
        projected = text(
            "Projected for the whole year, {line}: {point} (80 %: {low80} to {high80}; 95 %: {low95} to "
            "{high95})",
            line=name,
            point=unit.amount(total["point"]),
            **{
                bound: unit.figure(total[bound], trim=True)
                for bound in ("low80", "high80", "low95", "high95")
            },
        )
        if not is_missing(total["chance"]):
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
                    "Of it, put off by law and falling due by 31/12: {due} (95 % interval: {low} to {high}).",
                    due=unit.amount(total["due"]),
                    low=unit.figure(total["due_low"], trim=True),
                    high=unit.figure(total["due_high"], trim=True),
                )
            )
        return headline(*said)

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
                whom=text("the upper level")
                if total["set_by"] == "upper"
                else text("the ward council"),
            )
        return headline(said + ".")

    def projections_table(self) -> Block | None:
        """Where each year will end, the chance of the target, what each remaining month needs, and
        what still falls due; nothing where no year-end can be projected."""
        text = self._text
        targets = self.result.table[self.result.table["silent"] == ""]
        targets = targets[targets["left"] > 0]
        if targets.empty:
            return None
        unit = unit_of(self.edition, targets[targets["kind"] == MONEY]["high95"])
        owed = bool((targets["due"] > 0).any())
        planned = bool(targets["target"].notna().any())
        rows, before = [], ""
        for _, target in targets.iterrows():
            cells = self._projected(target, unit, planned=planned, owed=owed)
            name, depth = self._row_head(target, before, whose=True)
            before = target["item"]
            rows.append(Row(name, tuple(cells), depth))
        columns = [
            Column(text("Target")),
            Column(text("Year's end\n(80 %)"), 33),
            Column(text("95 %"), 36),
        ]
        if planned:
            columns += [
                Column(text("Chance"), 15),
                Column(text("Needed\na month"), 15),
                Column(text("Reached"), 14),
            ]
        if owed:
            columns.append(Column(text("Falls due by 31/12"), 24))
        notes = [
            text(
                "From the months known by then; new closures and new relief are not foreseen. Reached: in how "
                "many of the same months of earlier full years so much came in. Falls due: put off by law or "
                "not yet due, taken to be paid by then."
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
        targets = self.result.table
        if (targets["left"] == 0).all():
            complete = text("The year is complete: nothing remains to be projected.")
            return None if _is_later(targets).any() else paragraph(complete)
        silent = targets[targets["silent"] != ""]
        if silent.empty:
            return None
        said = []
        for _, alike in silent.groupby("silent"):
            names = dict.fromkeys(inside(language.pick(own, "name")) for _, own in alike.iterrows())
            said.append(f"{'; '.join(names)} ({self._silence(alike.iloc[0])})")
        return paragraph(
            text("No statement on the year's end: {items}.", items="; ".join(said)), note=True
        )

    # Words.

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

    def _row_head(self, target: pd.Series, before: str, *, whose: bool) -> tuple[str, int]:
        """The head of a target's row and its depth. Where the row above is of the same item
        (`before`), the head says only who set this target; else `whose` adds that to the name."""
        depth = int(target["depth"])
        set_by = self._language.words("set_by").get(target["set_by"], "")
        if target["item"] == before:
            return self._language.sentence(set_by), depth + 1
        name = self._language.pick(target, "name")
        details = [set_by] if whose else []
        if target["kind"] != MONEY:
            details.append(self._language.pick(target, "unit"))
        details = [detail for detail in details if detail]
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

    def _year_end(self, target: pd.Series, unit: Unit) -> str:
        """The point of the projection and its 80 % interval."""
        if target["silent"]:
            return NONE
        point, low, high = (
            self._amount(target, name, unit) for name in ("point", "low80", "high80")
        )
        return point if low == high else f"{point}\n({low} … {high})"

    def _projected(self, target: pd.Series, unit: Unit, *, planned: bool, owed: bool) -> list[str]:
        """The cells of a target's projection."""
        if target["low95"] == target["high95"]:
            wide = self._amount(target, "point", unit)
        else:
            wide = " … ".join(self._amount(target, name, unit) for name in ("low95", "high95"))
        cells = [self._year_end(target, unit), wide]
        if planned:
            unneeded = is_missing(target["needed"]) or target["needed"] == 0
            cells += [
                NONE if is_missing(target["chance"]) else self._chance(target["chance"]),
                self._amount(target, "needed", unit),
                NONE if unneeded else f"{target['reached']}/{target['asked']}",
            ]
        if owed:
            due = NONE
            if target["kind"] == MONEY and target["due"] > 0:
                low, high = unit.figure(target["due_low"]), unit.figure(target["due_high"])
                due = f"{unit.figure(target['due'])}\n({low} … {high})"
            cells.append(due)
        return cells

    def _table(
        self,
        slug: str,
        caption: str,
        columns: list[Column],
        rows: list[Row],
        notes: list[str],
        targets: pd.DataFrame,
    ) -> Block:
        dropped = ["name_vi", "name_en", "unit_vi", "decimals", "depth", "higher"]
        frame = targets.drop(columns=dropped)
        money = frame["kind"] == MONEY
        frame["unit_en"] = frame["unit_en"].mask(money, self.edition.ward.currency)
        units = dict.fromkeys(("share", "usual", "usual_low", "usual_high", "chance"), "1")
        units |= {"usual_years": "years", "left": "months", "reached": "months", "asked": "months"}
        frame = frame.rename(columns={"unit_en": "unit"})
        sources = ("receipts", "targets", "indicator_months")
        return table(self.edition, slug, caption, columns, rows, frame, units, notes, sources)

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
        svg = self._draw(targets, scaled, usual, row_height * len(targets) + 0.4)
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
                end = inside(text("Year's end"))
                said += f", {end} {language.percent(point / 100)}"
            alt.append(said + ".")
        drawn = scaled.assign(item=targets["item"], usual=usual)[["item", "usual", *columns]]
        title = text(
            "Targets of {year}: {so_far} and at the year's end, % of the target",
            year=str(self.result.period.year),
            so_far=inside(self._head(targets)),
        )
        slug, units = "chart-targets", dict.fromkeys([*columns, "usual"], "%")
        return drawing.chart(self.edition, slug, title, alt, svg, drawn, units)

    def _draw(
        self, targets: pd.DataFrame, scaled: pd.DataFrame, usual: pd.Series, height: float
    ) -> str:
        language, text = self._language, self._text
        with drawing.drawing(height) as (figure, axes):
            places = np.arange(len(targets))
            short = np.minimum(scaled, _LIMIT)
            drawing.boxes(
                axes, 0, places - 0.31, short["value"], 0.62, facecolor=drawing.BEFORE, zorder=2
            )
            drawing.lines(
                axes, (usual, usual), (places - 0.4, places + 0.4),
                color="black", linewidth=1.4, zorder=5,
            )  # fmt: skip
            shown = (targets["left"] > 0) | _is_later(targets)
            projected = ((targets["silent"] == "") & shown).to_numpy()
            for low, high, width in (("low95", "high95", 1), ("low80", "high80", 3)):
                drawing.lines(
                    axes, (short[low][projected], short[high][projected]), (places[projected],) * 2,
                    color=drawing.WITHOUT, linewidth=width, zorder=4,
                )  # fmt: skip
            inside = projected & (scaled["point"] <= _LIMIT).to_numpy()
            axes.plot(
                scaled["point"][inside], places[inside], "D", color="white",
                markeredgecolor=drawing.WITHOUT, markersize=4, zorder=6,
            )  # fmt: skip
            for place, silent, value, point in zip(
                places, targets["silent"], scaled["value"], scaled["point"], strict=True
            ):
                if value > _LIMIT or (not silent and point > _LIMIT):
                    most = value if silent else point
                    axes.annotate(
                        f"→ {language.number(most)}", (_LIMIT, place), xytext=(3, 0),
                        textcoords="offset points", va="center", fontsize=7,
                    )  # fmt: skip
            axes.axvline(100, color=drawing.PLAN, linestyle=":", linewidth=1.5, zorder=3)
            axes.set_yticks(range(len(targets)))
            axes.set_yticklabels(
                [drawing.beside(language.pick(own, "name")) for _, own in targets.iterrows()],
                fontsize=6.5,
                linespacing=0.95,
            )
            axes.set_ylim(len(targets) - 0.4, -0.6)
            axes.set_xlim(0, _LIMIT * 1.08)
            figure.supxlabel(
                text(
                    "% of the target. Grey: {so_far}; tick: usual by then; diamond: year's end (80, 95 %)",
                    so_far=self._head(targets).lower(),
                ),
                fontsize=8,
            )
            axes.grid(axis="y", visible=False)
            return drawing.outlines(figure)


def _is_later(targets: Any) -> Any:
    """Whether more of the year is known than the period has: of each row, or of the one."""
    return targets["known_through"] > targets["through"]
