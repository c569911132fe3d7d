"""The wards of a district beside each other, and all together.

A district's chair reads it in a minute: of up to `_ROWS` wards each stands in the tables, in the order of the
descriptor; of more those that matter most, and all of them in the attached figures. Amounts of another
currency stand in their own and in no sum; beside real figures the name of a ward with illustrative ones
carries a mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from wardlib.analysis import comparison, effects, funnel, members, statements
from wardlib.analysis.members import PERIOD, YEAR, District
from wardlib.analysis.relief import Split
from wardlib.language import NONE, Unit, inside, is_missing
from wardlib.pages import drawing
from wardlib.pages.block import Block, answer, bullets, headline, paragraph
from wardlib.pages.edition import ILLUSTRATIVE
from wardlib.pages.effect import in_brief
from wardlib.pages.page import Page
from wardlib.pages.table import ESTIMATE, PARTIAL, Column, Row, amount, marked, percent, table

_ROWS = 20  # wards of a table on paper
_PANELS = 15  # small charts on a page
_ABOVE = 72  # letters of a line across the page, above small charts
_NAMED, _BRIEF = 6, 3  # wards that a sentence names, one on top of the page
# Of a split in the attached figures: the two accounts and what became of them.
_FIGURES = ["first", "last", "months", "expected", "collected"] + [
    f"{name}{end}"
    for name in ("difference", "shortfall", "claim", "never_due_later", "at_most")
    for end in ("", "_lower", "_upper")
] + ["exempt", "reduced", "deferred", "overdue", "paid_later", "earlier", "until", "verdict", "loss", "cash"]  # fmt: skip


class DistrictPage(Page[District]):
    """The wards of an edition's district."""

    _page = "district"
    _opening = "answer"

    # What stands on top.

    def answer(self) -> Block:
        """Three lines: the receipts of all wards against their plans, what COVID-19 did to them, what is to
        be done."""
        text, sentence = self._text, self._language.sentence
        heads = text("Receipts"), text("COVID-19"), text("To be done")
        said = self._came(), self._did(), sentence(self._tasks()) + "."
        return answer(self._shown, zip(heads, said, strict=True))

    def _came(self) -> str:
        """The sum of receipts against the sum of plans, and who stands lowest; or why there is no sum."""
        text, language, total = self._text, self._language, self.result.total
        about = self._all_or_some(total.wards)
        if total.lacking:
            said = text(
                "In {period}, no sum of {wards}: figures of {lacking} are not reported",
                period=self._to_date,
                wards=about,
                lacking=self._list(total.lacking, _BRIEF),
            )
        elif not total.wards:
            return text("No ward has amounts in {currency}.", currency=self.result.currency)
        else:
            unit = self.edition.unit(total.year_to_date)
            said = text(
                "In {period}, receipts of {wards} came to {amount}",
                period=self._to_date,
                wards=about,
                amount=unit.amount(total.year_to_date),
            )
            if not is_missing(total.share):
                share = unit.share(total.year_to_date, total.plan)
                said += ", " + text(
                    "{share} of the plan set by {whom}", share=share, whom=self.edition.setter
                )
        whole = self.result.wards["share"][[w for w in total.wards if w not in self._gaps]]
        known = whole.dropna()
        if len(known) > 1:
            lowest = str(known.idxmin())
            said += "; " + text(
                "lowest: {ward}, {share} of its plan",
                ward=self._inside(lowest),
                share=language.percent(known[lowest]),
            )
        return said + "."

    def _did(self) -> str:
        """What is said of the sum, which wards lost receipts, and who stands out."""
        split = self.result.whole.get(YEAR)
        said = [self._no_sum() if split is None else self._in_short(split)]
        said += self._losses(_BRIEF)
        if outside := self._outside(_BRIEF):
            said.append(outside)
        return " ".join(f"{self._language.sentence(own)}." for own in said)

    def _tasks(self) -> str:
        """Reports to be asked for, wards to be looked into, targets in danger."""
        text, result = self._text, self.result
        tasks = []
        faulty = result.wards["silent"] == members.FAULTY
        if broken := list(result.wards.index[faulty]):
            tasks.append(text("mend the files of {wards}", wards=self._list(broken, _BRIEF)))
        if behind := [ward for ward in self._behind.index if ward not in broken]:
            tasks.append(text("ask for the reports of {wards}", wards=self._list(behind, _BRIEF)))
        short = [ward for ward in self._far if self._is_short(ward)]
        if found := list(dict.fromkeys([*self._lost, *short])):
            tasks.append(text("find out why in {wards}", wards=self._list(found, _BRIEF)))
        danger = members.in_danger(result.targets)
        if len(danger):
            tasks.append(
                self._language.plural(
                    "{count} target is missed or in danger, in {wards}",
                    "{count} targets are missed or in danger, in {wards}",
                    len(danger),
                    wards=self._of_wards(danger["ward"].nunique()),
                )
            )
        return "; ".join(tasks) or text("no report is missing, no target is in danger")

    # Receipts against plan.

    def receipts_table(self) -> Block:
        """Receipts of each ward and of all against the plan."""
        text, result = self._text, self.result
        wards, total = result.wards, result.total
        order = wards["share"].fillna(-1).sort_values(kind="stable").index
        shown = self._few(order)
        unit = self._unit_of(wards["year_to_date"], wards["plan"], pd.Series([total.year_to_date]))
        rows = []
        if len(total.wards) > 1:
            cells = (
                amount(unit, total.year_to_date, PARTIAL * bool(total.partial)),
                amount(unit, total.plan),
                percent(self.edition, total.share),
                NONE if total.lacking else self._all_months(total.wards),
            )
            rows.append(Row(self._sum_of(total.wards), cells, 0))
        for ward in shown:
            row: Any = wards.loc[ward]
            own = self._money(ward, unit)
            mark = ESTIMATE * bool(row["estimated"])
            mark += PARTIAL * (ward in self._gaps and not is_missing(row["year_to_date"]))
            cells = (
                amount(own, row["year_to_date"], mark),
                amount(own, row["plan"]),
                percent(self.edition, row["share"]),
                f"{row['reported']}/{row['expected']}",
            )
            rows.append(Row(self._name(ward), cells, 1, self._apart_money(ward)))
        columns = [
            Column(text("Ward")),
            Column(text("Year to date"), 26),
            Column(text("Plan set by {whom}", whom=self.edition.setter), 26),
            Column(text("% of it"), 18),
            Column(text("Months reported"), 20),
        ]
        notes = self._why_no_sum()
        if marked(rows, ESTIMATE):
            notes.append(text("* holds a month that is still an estimate."))
        if marked(rows, PARTIAL):
            notes.append(
                text("† some month or line is not reported: the sum is of what is reported.")
            )
        caption = text(
            "Receipts of {period} against the year's plan, by ward ({unit})",
            period=self._to_date,
            unit=unit.name,
        )
        names = ["name_vi", "name_en", "currency", "illustrative", "first", "last", "belongs", "period",
                 "year_to_date", "plan", "share", "reported", "expected", "estimated", "newest", "since",
                 "reported_on"]  # fmt: skip
        frame = wards.reset_index()[["ward", *names]]
        units = self._units("period", "year_to_date", "plan") | {"share": "1"}
        units |= {"reported": "months", "expected": "months"}
        return self._table("wards-receipts", caption, columns, rows, frame, units, notes, shown)

    def _all_months(self, wards: Sequence[str]) -> str:
        """How many months all of them have reported, of those asked for."""
        asked = self.result.wards.loc[list(wards), "expected"].max()
        return f"{asked}/{asked}"

    def _why_no_sum(self) -> list[str]:
        """Why the sum, or that of plans, is not there, and which wards are in no sum."""
        text, total = self._text, self.result.total
        said = []
        if total.lacking:
            said.append(
                text(
                    "No sum: figures of {wards} are not reported, and nothing stands in their place.",
                    wards=self._list(total.lacking),
                )
            )
        if total.partly:
            said.append(
                text(
                    "No sum of plans: {wards} belong to the district in some months of the year only.",
                    wards=self._list(total.partly),
                )
            )
        elif total.unplanned:
            said.append(
                text(
                    "No sum of plans: none is known of {wards}.", wards=self._list(total.unplanned)
                )
            )
        currency = self.result.wards["currency"]
        if unread := list(currency.index[currency == ""]):
            said.append(
                text("Not in the sum, as they cannot be read: {wards}.", wards=self._list(unread))
            )
        if others := list(currency.index[~currency.isin(["", self.result.currency])]):
            said.append(
                text(
                    "Not in the sum, as their amounts are in another currency: {wards}.",
                    wards=self._list(others),
                )
            )
        return said

    # The effect.

    def effect_sentence(self) -> Block:
        """What COVID-19 did to the receipts of all wards in the sum; which wards lost receipts; who stands
        out, or why that cannot be told."""
        said = []
        for span in (PERIOD, YEAR):
            if split := self.result.whole.get(span):
                said.append(self._in_full(split))
        if YEAR not in self.result.whole:
            said.append(self._language.sentence(self._no_sum()) + ".")
        said += [self._language.sentence(own) + "." for own in self._losses()]
        if outside := self._outside():
            said.append(self._language.sentence(outside) + ".")
        elif self.result.spans:
            said.append(self._nobody())
        return headline(self._shown, *said)

    def effect_table(self) -> Block | None:
        """A row a ward: expected, collected, the difference with its interval, and what can be said; nothing
        where the period ends before the epidemic."""
        text, result = self._text, self.result
        if not result.spans:
            return None
        splits = {ward: own[YEAR] for ward, own in result.splits.items() if YEAR in own}
        short = pd.Series(
            {ward: split.difference.mean for ward, split in splits.items()}, dtype=float
        )
        order = [*self._far, *short.sort_values(ascending=False, kind="stable").index]
        shown = self._few([*dict.fromkeys(order), *result.wards.index.difference(short.index)])
        whole = result.whole.get(YEAR)
        unit = self._unit_of(
            pd.Series([split.expected for split in (*splits.values(), whole) if split])
        )
        rows = []
        if whole is not None:
            rows.append(
                Row(self._sum_of(result.summed), self._cells(whole, unit), 0, self._says(whole))
            )
        for ward in shown:
            split = splits.get(ward)
            if split is None:
                rows.append(Row(self._name(ward), (NONE,) * 4, 1, self._cannot_say(ward)))
                continue
            says = "; ".join(filter(None, (self._says(split), self._apart_money(ward))))
            cells = self._cells(split, self._money(ward, unit), ward)
            rows.append(Row(self._name(ward), cells, 1, says))
        columns = [
            Column(text("Ward")),
            Column(text("Expected without COVID-19"), 22),
            Column(text("Collected"), 20),
            Column(text("Difference, % of the expected"), 24),
            Column(text("Loss, at most"), 18),
        ]
        notes = [
            text(
                "Difference = collected - expected; below it the interval that holds 19 times in 20. The sum is that "
                "of months in which all its wards have reported; its interval is not the sum of theirs, but read "
                "from all wards together."
            ),
            *self._outside_sum(),
            self._together(),
            self._compared(),
        ]
        if marked(rows, PARTIAL):
            notes.append(
                text("† some month is not reported: the sum is of the months reported only.")
            )
        span = self._language.span_short(*result.spans[-1])
        whole_months = [self._is_whole(split, ward) for ward, split in splits.items()]
        if not all(whole_months) or (whole is not None and not self._is_whole(whole)):
            span = text("{span}, as far as reported", span=span)
        caption = text(
            "From the amount expected without COVID-19 to the amount collected, by ward, {span} ({unit})",
            span=span,
            unit=unit.name,
        )
        frame = self._effects()
        money = [name for name in frame.columns if name in Split._units and name != "months"]
        units = self._units(*money) | {"months": "months"}
        return self._table("wards-effect", caption, columns, rows, frame, units, notes, shown)

    def _effects(self) -> pd.DataFrame:
        """The figures behind the table: a row a ward and span, the sum's under the district's name."""
        rows: list[dict[str, Any]] = []
        about = {
            "ward": self.edition.ward.id,
            "currency": self.result.currency,
            "wards": len(self.result.summed),
        }
        rows += [about | {"span": span} | own.row() for span, own in self.result.whole.items()]
        for ward, own in self.result.wards.iterrows():
            about = {"ward": ward, "currency": own["currency"], "wards": 1}
            about |= {"silent": own["silent"], "apart": own["apart"]}
            splits = self.result.splits.get(str(ward), {})
            rows += [about | {"span": span} | split.row() for span, split in splits.items()]
            rows += [] if splits else [about]
        named = ["ward", "currency", "wards", "span", "silent", "apart"]
        return pd.DataFrame(rows).reindex(columns=[*named, *_FIGURES])

    def _cells(self, split: Split, unit: Unit, ward: str = "") -> tuple[str, ...]:
        return (
            unit.figure(split.expected),
            unit.figure(split.collected) + PARTIAL * (not self._is_whole(split, ward)),
            self._difference(split),
            unit.figure(split.most),
        )

    def _is_whole(self, split: Split, ward: str = "") -> bool:
        """Whether a split of the year to date, of the sum or of a ward, holds every month from its first: of a
        ward that left the district, to the last in which it belonged."""
        last: Any = self.result.wards.at[ward, "last"] if ward else self.result.period.last
        return split.months == len(pd.period_range(split.first, last, freq="M"))

    def _difference(self, split: Split) -> str:
        """The difference as a share of the expected, and its interval below it."""
        if split.expected <= 0:
            return NONE
        own = split.difference
        mean, low, high = (
            self._language.number(-100 * end / split.expected, 1)
            for end in (own.mean, own.upper, own.lower)
        )
        return f"{mean}\n{low} … {high}"

    # Charts.

    def months_chart(self) -> Block | None:
        """Small charts of the wards on one scale: collected less expected in each month since the start, as a
        share of the ward's average month; of many wards those that miss most. Nothing before the epidemic."""
        text, language, result = self._text, self._language, self.result
        if result.months.empty or not result.spans:
            return None
        frame = result.months.copy()
        usual = frame.groupby("ward")["counterfactual"].transform("mean")
        frame = frame[usual > 0]
        for name, end in (
            ("gap", "counterfactual"),
            ("gap_lower", "upper"),
            ("gap_upper", "lower"),
        ):
            frame[name] = (frame["observed"] - frame[end]) / usual[usual > 0]
        there = [ward for ward in result.wards.index if (frame["ward"] == ward).any()]
        if not there:
            return None
        shown = there
        if len(there) > _PANELS:
            splits = {ward: result.splits.get(ward, {}).get(YEAR) for ward in there}
            missing = {
                ward: split.difference.mean / split.expected
                if split and split.expected > 0
                else -np.inf
                for ward, split in splits.items()
            }
            far = [ward for ward in self._far if ward in missing]
            order = sorted(there, key=lambda ward: -missing[ward])
            shown = list(dict.fromkeys([*far, *order]))[:_PANELS]
        drawn = frame[frame["ward"].isin(shown)]
        reach = max(float(np.nan_to_num(drawn["gap"].abs().max())), 0.1)
        widest = float(
            np.nanmax(np.abs(drawn[["gap_lower", "gap_upper"]].to_numpy(float)), initial=0)
        )
        top = 1.15 * min(max(reach, min(widest, 2 * reach)), 2.0)
        svg = self._draw_months(frame, shown, top)
        first, last = result.spans[-1]
        values = {"span": language.span_short(first, last), "all": language.number(len(there))}
        title = text(
            "Collected less expected by month, % of the ward's average month, {span}; shaded: 19 times in 20",
            **values,
        )
        if widest > top:
            title += " " + text("(triangle: beyond the scale)")
        if len(shown) < len(there):
            title += ": " + text(
                "the {count} of {all} wards that miss most",
                count=language.number(len(shown)),
                **values,
            )
        alt = [
            text(
                "Small charts on one scale, one a ward: by month what was collected less what was to be expected "
                "without COVID-19, in % of what the ward was to expect in an average month."
            ),
            *(f"{self._titled(ward)}." for ward in shown),
        ]
        units = self._units("observed", "counterfactual", "lower", "upper")
        units |= dict.fromkeys(("gap", "gap_lower", "gap_upper"), "1")
        marks = result.wards[["currency", "illustrative"]]
        told = frame.join(marks, on="ward")
        return drawing.chart(
            self._shown, "wards-months", self._marked(title, shown), alt, svg, told, units
        )

    def _titled(self, ward: str) -> str:
        """A ward and what is missing of the expected, or why nothing can be said."""
        split = self.result.splits.get(ward, {}).get(YEAR)
        if split is None or split.expected <= 0:
            return f"{self._name(ward)}: {NONE}"
        share = -split.difference.mean / split.expected
        return f"{self._name(ward)}: {self._signed(share)}"

    def _signed(self, share: float) -> str:
        said = self._language.percent(share)
        return said if said.startswith("-") or share <= 0 else f"+{said}"

    def _draw_months(self, frame: pd.DataFrame, shown: Sequence[str], top: float) -> str:
        first, last = self.result.spans[-1]
        months = pd.period_range(first, last, freq="M")
        own = {
            ward: frame[frame["ward"] == ward].set_index("month").reindex(months) for ward in shown
        }
        with drawing.panels(len(shown), 1.15) as (figure, grid):
            columns, short = drawing.panel_columns(len(shown)), self._language.month_short
            for at, (axes, ward) in enumerate(zip(grid, shown, strict=True)):
                one, middles = own[ward], np.arange(len(months)) + 0.5
                axes.set_xlim(0, len(months))
                axes.set_ylim(-top, top)
                known = one["gap"].notna().to_numpy()
                low, high = one["gap_lower"][known], one["gap_upper"][known]
                axes.bar(  # of each month, from its beginning to its end
                    middles[known], high - low, bottom=low, width=1,
                    color=drawing.WITHOUT, alpha=0.25, linewidth=0, zorder=2,
                )  # fmt: skip
                for bound, edge, marker in ((high, top, "^"), (-low, -top, "v")):
                    over = middles[known][bound > top]
                    axes.plot(
                        over, np.full(len(over), 0.93 * edge), marker=marker, linestyle="none", markersize=3.5,
                        color=drawing.WITHOUT, zorder=5,
                    )  # fmt: skip
                axes.bar(middles[known], one["gap"][known], width=0.7, color=drawing.NOW, zorder=3)
                axes.axhline(0, color="#555555", linewidth=0.8, zorder=4)
                axes.set_title(
                    drawing.beside(self._titled(ward), _ABOVE // columns), loc="left", fontsize=9, linespacing=0.95,
                    fontweight="bold" if ward in self._far else "normal",
                )  # fmt: skip
                ends = [months[0], months[-1]] if len(months) > 1 else [months[0]]
                axes.set_xticks([(month - months[0]).n + 0.5 for month in ends])
                below = at + columns < len(shown)  # one that has the same labels
                axes.set_xticklabels(["" if below else short(month) for month in ends])
                drawing.share_axis(axes.yaxis, self.edition, 3)
            return drawing.outlines(figure)

    def funnel_chart(self) -> Block | None:
        """The share that is missing by how much was to be expected, with the limits beyond which a ward
        stands out; nothing where too few wards can be compared."""
        text, found = self._text, self.result.funnel
        if found is None or self.result.over is None:
            return None
        unit = self.edition.unit(found.units["size"].max())
        svg = self._draw_funnel(unit)
        title = text(
            "Which wards stand out for their size: shortfall in % of the expected, {span}",
            span=self._language.span_short(*self.result.over),
        )
        outside = [self._by_how_much(ward) for ward in found.outside]
        alt = [
            text(
                "Points, one a ward: across, what was to be expected without COVID-19, {unit}; upward, the shortfall "
                "in % of it. The bar of each ward lies between its own limits, beyond which it stands out; two "
                "dashed curves are the limits usual of a ward of that size.",
                unit=unit.name,
            ),
            text("Outside: {wards}.", wards="; ".join(outside))
            if outside
            else text("Compared with each other, no ward lies outside its limits."),
        ]
        frame = found.units.reset_index().assign(kind="ward")
        limits = found.limits.reset_index().assign(kind="limit")
        told = pd.concat([frame, limits], ignore_index=True)
        units = {"size": self.result.currency} | dict.fromkeys(
            ("ratio", "error", "lower", "upper"), "1"
        )
        size = np.log(found.units["size"])  # on a narrow screen the farthest is seen at once
        right = bool(found.outside) and size[found.outside[0]] > (size.min() + size.max()) / 2
        title = self._marked(title, found.units.index)
        return drawing.chart(self._shown, "funnel", title, alt, svg, told, units, right=bool(right))

    def _draw_funnel(self, unit: Unit) -> str:
        found = self.result.funnel
        assert found is not None  # else nothing is drawn
        text = self._text
        with drawing.drawing(3.0) as (figure, axes):
            axes.set_xscale("log")
            axes.margins(x=0.06, y=0.12)
            sizes = found.limits.index.to_numpy(float) / unit.scale
            axes.axhline(
                found.centre, color=drawing.BEFORE, linestyle="--", linewidth=1.2, zorder=2
            )
            curve: dict[str, Any] = {"color": drawing.BEFORE, "linestyle": ":", "linewidth": 1.2}
            for end in ("lower", "upper"):
                axes.plot(sizes, found.limits[end], zorder=2, **curve)
            units = found.units
            across = units["size"] / unit.scale
            far = units["stands_out"].to_numpy(bool)
            made_up = self._mixed & self.result.wards["illustrative"][units.index].to_numpy(bool)
            point: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 4.5}
            usual = point | {"color": drawing.NOW}
            outside = point | {"color": drawing.PLAN, "marker": "D", "markersize": 6}
            hollow = {"markerfacecolor": "white"}
            bar: dict[str, Any] = {"color": drawing.RELIEVED["facecolor"], "linewidth": 3.5}
            drawing.lines(
                axes, (across, across), (units["lower"], units["upper"]),
                zorder=1, solid_capstyle="butt", **bar,
            )  # fmt: skip
            for which, style in ((~far, usual), (far, outside)):
                for own, look in ((which & ~made_up, style), (which & made_up, style | hollow)):
                    axes.plot(across[own], units["ratio"][own], zorder=4, **look)
            kinds = [(text("ward"), usual)]
            kinds += [(text("ward that stands out"), outside)] if far.any() else []
            kinds += [(self._key, usual | hollow)] if made_up.any() else []
            kinds += [
                (text("limits of the ward"), bar | {"marker": ""}),
                (text("limits usual of that size"), curve | {"marker": ""}),
            ]
            named = units.index if len(units) <= _PANELS else units.index[far]
            drawing.key(figure, kinds)
            drawing.share_axis(axes.yaxis, self.edition, 6)
            drawing.size_axis(axes, unit)
            axes.set_ylabel(self._text("Shortfall, % of the expected"))
            axes.set_xlabel(
                self._language.sentence(
                    self._text("expected without COVID-19, {unit}", unit=unit.name)
                )
            )
            drawing.label_points(
                axes,
                [
                    (float(across[ward]), float(units["ratio"][ward]), self._name(ward), ward in self._far)
                    for ward in named
                ],
            )  # fmt: skip
            return drawing.outlines(figure)

    # Schools, targets, reports.

    def schools_table(self) -> Block | None:
        """Days lost by ward and level in each school year of the period in which some were, wards that lost
        the same in one row; nothing where no ward has schools, or none lost a day."""
        text, language, days = self._text, self._language, self.result.schools
        if days.empty or not (days["lost"] > 0).any():
            return None
        levels = language.words("level")
        lost: Any = days.pivot_table("lost", "ward", ["year", "level"], sort=False, observed=True)
        lost = lost.loc[:, (lost > 0).any()]
        heads = sorted(lost.columns, key=lambda own: (own[0], list(levels).index(own[1])))
        alike: dict[tuple[str, ...], list[str]] = {}
        order = lost.sum(axis=1).sort_values(ascending=False, kind="stable").index
        wards = [ward for ward in self.result.wards.index if ward in lost.index]
        for ward in wards if len(wards) <= _ROWS else order:
            cells = tuple(self._days(lost.at[ward, head]) for head in heads)
            alike.setdefault(cells, []).append(str(ward))
        rows = [Row(self._all_of(own), cells) for cells, own in list(alike.items())[:_ROWS]]
        shown = [ward for own in list(alike.values())[:_ROWS] for ward in own]
        years = {year for year, _ in heads}
        columns = [Column(text("Ward"))]
        for year, level in heads:
            column = levels[level] if len(years) == 1 else f"{levels[level]} {year}"
            columns.append(Column(language.sentence(column)))
        frame = days.join(self.result.wards[["illustrative"]], on="ward")
        units = dict.fromkeys(("planned", "in_person", "online", "lost", "made_up"), "days")
        units |= {"reported": "school-months", "expected": "school-months"}
        caption = text(
            "School days lost to an average pupil, by ward and level, {period}",
            period=self.edition.period_name,
        )
        if len(years) == 1:
            caption += " (" + text("school year {year}", year=min(years)) + ")"
        notes = [
            text("Lost: planned, neither taught in class nor online; some were made up later."),
            *self._no_schools(),
        ]
        return self._table("wards-schools", caption, columns, rows, frame, units, notes, shown)

    def _days(self, lost: float) -> str:
        return NONE if is_missing(lost) else self._language.number(lost, 1)

    def _no_schools(self) -> list[str]:
        """Which wards have no data of schools."""
        there = set(self.result.schools["ward"])
        lacking = [
            ward for ward in self.result.wards.index if ward not in there | set(self._partly)
        ]
        if not lacking:
            return []
        return [self._text("No data of schools: {wards}.", wards=self._list(lacking))]

    def _left_out(self) -> list[str]:
        """Which wards are left out where no figure can be told of some months of the year."""
        if not self._partly:
            return []
        named = self._list(self._partly)
        return [
            self._text("Left out, as of the district for a part of the year: {wards}.", wards=named)
        ]

    def schools_sentence(self) -> Block:
        """Where most days were lost, and least."""
        text, language, days = self._text, self._language, self.result.schools
        if days.empty:
            return headline(self._shown, text("No ward has data of schools."))
        if not (days["lost"] > 0).any():
            return headline(self._shown, text("No school day was lost."))
        levels = language.words("level")
        said = []
        for (year, level), own in days.groupby(["year", "level"], sort=False):
            found = own.set_index("ward")["lost"].dropna()
            if not len(found) or found.max() <= 0:
                continue
            most, least = found.max(), found.min()
            values = {
                "level": levels[str(level)],
                "year": str(year),
                "most": language.number(most, 1, trim=True),
            }
            if language.number(most, 1) == language.number(least, 1):
                said.append(text("{level} ({year}): {most} days in every ward", **values))
            else:
                values |= {"least": language.number(least, 1, trim=True)}
                values |= {"ward": self._inside(str(found.idxmax()))}
                said.append(
                    text("{level} ({year}): from {least} to {most} days, most in {ward}", **values)
                )
        return headline(
            self._shown,
            text("School days lost to an average pupil: {levels}.", levels="; ".join(said)),
            *self._left_out(),
        )

    def targets_table(self) -> Block | None:
        """The targets that are missed or in danger, those of most wards first: in how many of the wards that
        have it, and in which; nothing where none are."""
        text, language, result = self._text, self._language, self.result
        danger = members.in_danger(result.targets)
        if danger.empty:
            return None
        states = language.words("status")
        counts = result.targets.groupby("item")["ward"].nunique()
        found = danger.groupby("item", sort=False)
        order = found["ward"].nunique().sort_values(ascending=False, kind="stable").index
        rows = []
        for item in order[:_ROWS]:
            own = found.get_group(item)
            which = "; ".join(
                f"{states[str(status)]}: {self._of_those(one['ward'], counts[item])}"
                for status, one in own.groupby("status")
            )
            cells = f"{own['ward'].nunique()}/{counts[item]}", which
            rows.append(Row(language.sentence(language.pick(own.iloc[0], "name")), cells))
        columns = [
            Column(text("Target")),
            Column(text("Wards"), 16),
            Column(text("Which"), 88, words=True),
        ]
        named = ["ward", "item", "set_by", "target", "value", "share", "chance", "status"]
        frame = result.targets[named]
        caption = text(
            "Targets of {year} missed or in danger, by ward", year=str(result.period.year)
        )
        notes = [
            text(
                "Of the total, first-level lines and other targets; chances stand in the attached figures."
            )
        ]
        units = {"chance": "1", "share": "1"}
        return self._table(
            "wards-targets", caption, columns, rows, frame, units, notes, list(danger["ward"])
        )

    def targets_sentence(self) -> Block:
        """How many targets are in danger, and in how many wards."""
        danger = members.in_danger(self.result.targets)
        every = self.result.targets[self.result.targets["status"] != "none"]
        if every.empty:
            return headline(
                self._shown, self._text("No ward has a target of which something can be said.")
            )
        return headline(
            self._shown,
            self._text(
                "{count} of {all} targets are missed or in danger, in {wards}.",
                count=self._language.number(len(danger)),
                all=self._language.number(len(every)),
                wards=self._of_wards(danger["ward"].nunique()),
            )
            if len(danger)
            else self._text("No target is missed or in danger."),
            *self._left_out(),
        )

    def reports(self) -> Block:
        """Which wards have not reported and since when, of which nothing can be said and why; wards of which
        the same is said in one item."""
        text, language, result = self._text, self._language, self.result
        said: dict[str, list[str]] = {}
        for ward, row in result.wards.iterrows():
            for own in self._lacks(str(ward), row):
                said.setdefault(own, []).append(str(ward))
        if not said:
            return paragraph(self._shown, text("Every ward has reported every month and line."))
        items = [f"{language.sentence(self._list(wards))}: {own}." for own, wards in said.items()]
        if (left := len(items) - _ROWS) > 0:
            more = language.plural("{count} more item.", "{count} more items.", left)
            items = [*items[:_ROWS], more]
        return bullets(self._shown, map(language.sentence, items))

    def _lacks(self, ward: str, row: pd.Series) -> Iterator[str]:
        """What a ward has not reported, why nothing can be said of it, and when it belongs to the district."""
        text, language, gaps = self._text, self._language, self.result.lacking
        if row["silent"] == members.FAULTY:
            yield self._cannot_say(ward)
        elif ward in self._behind.index:
            said = self._since(ward, row)
            if row["reported_on"]:
                day = language.date(pd.Timestamp(row["reported_on"]))
                said += " (" + text("last report on {day}", day=day) + ")"
            yield said
        lines = gaps[(gaps["ward"] == ward) & (gaps["line"] != "")]
        if len(lines):
            named = [
                f"{self._line(str(line))} ({language.month_list(list(own['month']))})"
                for line, own in lines.groupby("line", sort=False)
            ]
            yield text("not reported: {months}", months="; ".join(named))
        if row["silent"] not in ("", members.FAULTY, effects.UNREPORTED) and self.result.spans:
            yield self._cannot_say(ward)
        if not row["belongs"]:
            yield self._belongs(row)

    # Words.

    def _belongs(self, row: pd.Series) -> str:
        """In which months a ward belongs to the district; of what comes after the period nothing is said."""
        text, language = self._text, self._language
        year = self.result.period.year_to_date
        first, last = row["first"], row["last"]
        if row["expected"] < len(pd.period_range(first, last, freq="M")):
            count, every = str(row["expected"]), str(len(year))
            return text(
                "belongs to the district in {count} of {all} months only", count=count, all=every
            )
        if last == year[-1]:
            return text("belongs to the district since {month} only", month=language.month(first))
        if first == year[0]:
            return text("belongs to the district until {month} only", month=language.month(last))
        return text("belongs to the district {span} only", span=language.span(first, last))

    def _since(self, ward: str, row: pd.Series) -> str:
        """Which months of its receipts a ward has not reported."""
        text, language, gaps = self._text, self._language, self.result.lacking
        months = sorted(gaps.loc[(gaps["ward"] == ward) & (gaps["line"] == ""), "month"])
        early = [month for month in months if is_missing(row["since"]) or month < row["since"]]
        said = []
        if not is_missing(row["since"]):
            said.append(text("nothing reported since {month}", month=language.month(row["since"])))
        if early:
            said.append(text("not reported: {months}", months=language.month_list(early)))
        return "; ".join(said)

    def _in_full(self, split: Split) -> str:
        """What came in all wards of the sum, what was to be expected, what can be said."""
        language, unit = self._language, self._unit
        said = self._text(
            "{span}, receipts of {wards} came to {collected}; expected without COVID-19: {expected} (19 times in "
            "20 from {low} to {high}).",
            span=language.sentence(language.span(split.first, split.last)),
            wards=self._all_or_some(self.result.summed),
            collected=unit.amount(split.collected),
            expected=unit.amount(split.expected),
            low=unit.figure(split.collected + split.difference.lower, trim=True),
            high=unit.figure(split.collected + split.difference.upper, trim=True),
        )
        return f"{said} {language.sentence(self._in_short(split, span=False))}."

    def _in_short(self, split: Split, *, span: bool = True) -> str:
        """What can be said of the sum: cash, then a loss where something moved."""
        language, unit = self._language, self._unit
        more = abs(split.difference.mean)
        said = language.words("cash")[split.cash].format(
            amount=unit.amount(more),
            share=language.percent(more / split.expected if split.expected > 0 else np.nan),
        )
        if split.verdict != statements.USUAL:
            lost = split.loss == statements.LOST
            claim = split.never_due_later if lost else split.claim
            said += "; " + language.words("loss")[split.loss].format(
                amount=unit.amount(claim.mean),
                low=unit.figure(claim.lower, trim=True),
                high=unit.figure(claim.upper, trim=True),
                most=unit.amount(split.most),
            )
        if not span:
            return said
        about = self._all_or_some(self.result.summed)
        return f"{language.span(split.first, split.last)}, {about}: {said}"

    def _no_sum(self) -> str:
        """Why nothing is said of the sum."""
        if not self.result.spans and self.result.silent == effects.BEFORE:
            return self._language.words("silence")[effects.BEFORE]
        apart = [self._apart.get(str(own), "") for own in self.result.wards["apart"]]
        if self.result.spans and not self.result.summed and any(apart):
            reason = "; ".join(dict.fromkeys(filter(None, apart)))
            return self._text("of the sum not enough evidence: {reason}", reason=reason)
        lacking = [ward for ward in self._gaps if ward in self.result.summed]
        if lacking:
            return self._text(
                "no sum of the wards: figures of {wards} are not reported",
                wards=self._list(lacking, _BRIEF),
            )
        reason = self._language.words("silence").get(self.result.silent or "unreported", "")
        return self._text("of the sum not enough evidence: {reason}", reason=reason)

    def _losses(self, most: int = _NAMED) -> list[str]:
        """Which wards have lost receipts by their own figures, whatever the others' are: by what is shown."""
        verdicts = self._language.words("verdict")
        said = []
        for code in (statements.LOST, statements.OVERDUE):
            if wards := [ward for ward, own in self._lost.items() if own == code]:
                named = self._list(wards, most)
                said.append(
                    self._text("receipts {verdict} in {wards}", verdict=verdicts[code], wards=named)
                )
        return said

    def _nobody(self) -> str:
        """That no ward stands out, or why that cannot be told."""
        wards, summed = self.result.wards, list(self.result.summed)
        if self.result.funnel is not None:
            return self._text("Compared with each other, no ward lies outside its limits.")
        if (wards.loc[summed, "silent"] == "").sum() < funnel.FEWEST:
            return self._text(
                "Too few wards to be compared: it takes {count} of which something can be said.",
                count=str(funnel.FEWEST),
            )
        return self._text("The wards cannot be compared: they have not reported the same months.")

    def _outside(self, most: int = _NAMED) -> str:
        """Who stands out, of many the farthest; "" where nobody does."""
        if not self._far:
            return ""
        told = [self._by_how_much(ward) for ward in self._far[:most]]
        said = self._text(
            "outside the limits for wards of their size: {wards}", wards="; ".join(told)
        )
        if (left := len(self._far) - most) > 0:
            said += "; " + self._language.plural("{count} other", "{count} others", left)
        return said

    def _by_how_much(self, ward: str) -> str:
        """A ward that stands out, and by how much it is short or over."""
        assert self.result.funnel is not None  # who asks has seen it
        ratio = float(self.result.funnel.units["ratio"][ward])
        share = self._language.percent(abs(ratio))
        words = {"ward": self._inside(ward), "share": share}
        if ratio >= 0:
            return self._text("{ward} (shortfall {share} of the expected)", **words)
        return self._text("{ward} ({share} more than expected)", **words)

    def _is_short(self, ward: str) -> bool:
        assert self.result.funnel is not None
        found = self.result.funnel
        return bool(found.units["ratio"][ward] > found.centre)

    def _outside_sum(self) -> list[str]:
        """Which wards are not in the sum of the effect, and why."""
        text, wards, summed = self._text, self.result.wards, set(self.result.summed)
        named: dict[str, list[str]] = {}
        for ward in wards.index:
            if ward not in summed:
                reason = self._apart.get(str(wards.at[ward, "apart"]), text("no estimate"))
                named.setdefault(reason, []).append(str(ward))
        if not named:
            return []
        told = "; ".join(f"{self._list(own)} ({reason})" for reason, own in named.items())
        return [text("Not in the sum: {wards}.", wards=told)]

    def _together(self) -> str:
        """Where the wards were estimated together."""
        text, used = self._text, self.result.used
        if not used:
            return text("Each ward was estimated by itself.")
        lines = self._language.join([self._line(line) for line in used])
        most = max(len(wards) for wards in used.values())
        return text(
            "Estimated together, so that wards lend each other strength: {lines} (up to {wards}); other lines "
            "ward by ward.",
            lines=lines,
            wards=self._of_wards(most),
        )

    def _compared(self) -> str:
        """Which wards are compared over which months, and how to read the funnel; "" where there is none."""
        found, over = self.result.funnel, self.result.over
        if found is None or over is None:
            return ""
        return self._text(
            "The funnel compares {wards}, {span}: small wards vary more than large ones, so their limits are wider; "
            "limits allow for how surely each ward is known, for the usual spread between wards and for how many "
            "are compared.",
            wards=self._all_or_some(list(found.units.index)),
            span=self._language.span_short(*over),
        )

    def _cannot_say(self, ward: str) -> str:
        """That nothing can be said of a ward, and why."""
        silent = str(self.result.wards.at[ward, "silent"] or "unreported")
        if silent == members.FAULTY:
            return self._text(
                "its files are at fault: see {command}", command=f"ward check --ward {ward}"
            )
        reason = self._language.words("silence")[silent]
        return self._text("not enough evidence: {reason}", reason=reason)

    @cached_property
    def _apart(self) -> dict[str, str]:
        """Why a ward is in no sum of the effect, in words."""
        text = self._text
        return {
            comparison.CURRENCIES: text("another currency"),
            comparison.STARTS: text("the epidemic began in another month there"),
            members.PART: text("of the district for a part of the year"),
        }

    def _says(self, split: Split) -> str:
        """What can be said of a split, after its months where they are not those of the table."""
        said = in_brief(self._language, split)
        if (split.first, split.last) == self.result.spans[-1]:
            return said
        return f"{self._language.span_short(split.first, split.last)}: {said}"

    def _line(self, line: str) -> str:
        if line not in self.result.lines.index:
            return self._text("every line")
        return inside(self._language.pick(self.result.lines.loc[line], "name"))

    def _name(self, ward: str) -> str:
        """A ward's name, with the mark of illustrative figures beside real ones."""
        row = self.result.wards.loc[ward]
        mark = ILLUSTRATIVE * bool(self._mixed and row["illustrative"])
        return self._language.pick(row, "name") + mark

    def _inside(self, ward: str) -> str:
        """The same inside a sentence: what a ward is called stands before its name in Vietnamese."""
        name = self._name(ward)
        return inside(name) if self._language.code == "vi" else name

    def _marked(self, title: str, shown: Iterable[Any]) -> str:
        """A caption, with what the mark at names means where one of the wards has it."""
        if self._mixed and self.result.wards.loc[list(shown), "illustrative"].any():
            return f"{title} ({self._key})"
        return title

    @property
    def _key(self) -> str:
        """What the mark at names means."""
        return self._text("{mark} illustrative figures", mark=ILLUSTRATIVE)

    def _list(self, wards: Iterable[Any], most: int = _NAMED) -> str:
        """Wards by their names, of many the first."""
        every = list(wards)
        names = [self._inside(str(ward)) for ward in every[:most]]
        if (left := len(every) - len(names)) > 0:
            return ", ".join(names) + " " + self._language.plural(
                "and {count} other", "and {count} others", left
            )  # fmt: skip
        return self._language.join(names)

    def _all_of(self, wards: Sequence[str]) -> str:
        """Wards by their names; of a large district with how many there are, the first."""
        if len(self.result.wards) > _ROWS:
            return self._list(wards)
        names = [self._name(ward) for ward in wards]
        return ", ".join(names) if len(names) < len(self.result.wards) else self._text("Every ward")

    def _of_those(self, wards: pd.Series, count: int) -> str:
        """Wards by their names; "every ward" where they are all of so many."""
        if wards.nunique() == count and count > 1:
            return inside(self._text("Every ward"))
        return self._list(dict.fromkeys(wards))

    def _of_wards(self, count: int) -> str:
        return self._language.plural("{count} ward", "{count} wards", count)

    def _all_or_some(self, wards: Sequence[str]) -> str:
        """How many wards a sum is of, where they are not all of how many; marked where illustrative figures
        are in it beside real ones."""
        said = self._of_wards(len(self.result.wards))
        if len(wards) < len(self.result.wards):
            said = self._text("{count} of {wards}", count=str(len(wards)), wards=said)
        return said + self._sum_mark(wards)

    def _sum_of(self, wards: Sequence[str]) -> str:
        said = self._text("All {wards}", wards=self._of_wards(len(wards)))
        return said + self._sum_mark(wards)

    def _sum_mark(self, wards: Sequence[str]) -> str:
        made_up = self.result.wards.loc[list(wards), "illustrative"].any()
        return ILLUSTRATIVE * bool(self._mixed and made_up)

    # What the blocks are made of.

    @property
    def _to_date(self) -> str:
        return self.result.period.name_year_to_date(self._language)

    @cached_property
    def _mixed(self) -> bool:
        """Whether the figures of some wards are illustrative and of others real."""
        return self.result.wards["illustrative"].nunique() > 1

    @cached_property
    def _lost(self) -> dict[str, str]:
        """The wards whose own figures show a loss, with the code of what they show; the largest first."""
        splits = {ward: own[YEAR] for ward, own in self.result.splits.items() if YEAR in own}
        shown = [
            (ward, own)
            for ward, own in splits.items()
            if own.verdict in (statements.LOST, statements.OVERDUE)
        ]
        shown.sort(key=lambda own: -own[1].claim.mean / max(own[1].expected, 1))
        return {ward: own.verdict for ward, own in shown}

    @property
    def _partly(self) -> list[str]:
        """The wards that belong to the district in some months of the year to date alone."""
        return [
            str(ward) for ward, all_year in self.result.wards["belongs"].items() if not all_year
        ]

    @cached_property
    def _behind(self) -> pd.DataFrame:
        """The wards that have not reported every month of their total."""
        wards = self.result.wards
        return wards[wards["reported"] < wards["expected"]]

    @cached_property
    def _gaps(self) -> list[str]:
        """The wards that lack a figure."""
        lacking = set(self.result.lacking["ward"])
        return [ward for ward in self.result.wards.index if ward in lacking]

    @cached_property
    def _far(self) -> list[str]:
        """The wards that stand out, the farthest first."""
        return self.result.funnel.outside if self.result.funnel is not None else []

    def _few(self, order: Iterable[Any]) -> list[str]:
        """The wards of a table: all in the order of the descriptor; of many the first of `order`."""
        every = list(self.result.wards.index)
        return every if len(every) <= _ROWS else [str(ward) for ward in order][:_ROWS]

    def _unit_of(self, *columns: pd.Series) -> Unit:
        """The unit of amounts in the district's currency."""
        largest = [
            (column[self._of_currency] if column.index.equals(self.result.wards.index) else column)
            .abs().max() for column in columns
        ]  # fmt: skip
        return self.edition.unit(max((one for one in largest if not is_missing(one)), default=0))

    @cached_property
    def _unit(self) -> Unit:
        """The unit of what is said of the sum, in the period and in the year to date."""
        return self._unit_of(pd.Series([own.expected for own in self.result.whole.values()]))

    @cached_property
    def _of_currency(self) -> pd.Series:
        return self.result.wards["currency"] == self.result.currency

    def _money(self, ward: str, unit: Unit) -> Unit:
        """The unit of a ward's amounts: that of the table, or one of its own currency."""
        row: Any = self.result.wards.loc[ward]
        if row["currency"] in ("", self.result.currency):
            return unit
        return self._language.unit(row["currency"], abs(row["year_to_date"]))

    def _apart_money(self, ward: str) -> str:
        """In which unit the amounts of a ward stand that are in another currency; "" of others."""
        currency = str(self.result.wards.at[ward, "currency"])
        if currency in ("", self.result.currency):
            return ""
        return self._text("amounts in {unit}", unit=self._language.unit(currency, 0).name)

    def _units(self, *money: str) -> dict[str, str]:
        """The unit of columns of amounts, where all wards have one currency; else it stands in a column."""
        if self._of_currency.all():
            return dict.fromkeys(money, self.result.currency)
        return {}

    def _table(
        self,
        slug: str,
        caption: str,
        columns: Sequence[Column],
        rows: Sequence[Row],
        frame: pd.DataFrame,
        units: dict[str, str],
        notes: Sequence[str],
        shown: Sequence[str],
    ) -> Block:
        """A table of wards; what is left out of it stands in the figures behind it."""
        every = self.result.wards.index
        notes = [note for note in notes if note]
        if self._mixed and self.result.wards.loc[list(shown), "illustrative"].any():
            notes.append(f"{self._key}.")
        if len(every) > _ROWS:
            notes.append(
                self._text(
                    "Of {all} wards those that matter most here; all are in the attached figures.",
                    all=self._language.number(len(every)),
                )
            )
        return table(self._shown, slug, caption, columns, rows, frame, units, notes, [])
