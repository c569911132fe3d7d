"""Tax collection: the receipts of the period against plan and the year before."""

from __future__ import annotations

from typing import Any

import pandas as pd

from wardlib.analysis import receipts
from wardlib.analysis.receipts import Receipts, line_of
from wardlib.language import Unit, inside, is_missing
from wardlib.pages import drawing
from wardlib.pages.block import Block, headline, paragraph
from wardlib.pages.edition import Edition
from wardlib.pages.page import Page
from wardlib.pages.table import ESTIMATE, PARTIAL, Column, Row, amount, percent, table, unit_of


class TaxPage(Page[Receipts]):
    """The receipts of an edition's period, as a reader sees them."""

    _page = "tax"
    _opening = "headline"

    def headline(self) -> Block:
        """The total in the period against the same months of the year before, and where that is longer in
        the year to date, with its share of the plan."""
        language, text = self._language, self._text
        total: Any = self.result.lines.loc[self.result.root]
        period = self.result.period
        said = []
        if len(period.months) < len(period.year_to_date) and not is_missing(total["period"]):
            said.append(self._came(total, "period", self.edition.period_name))
        parts = [self._came(total, "year_to_date", period.name_year_to_date(language))]
        if not is_missing(total["share_upper"]):
            unit = self.edition.unit(total["year_to_date"])
            share = unit.share(total["year_to_date"], total["plan_upper"])
            parts.append(
                text("{share} of the plan set by {whom}", share=share, whom=self.edition.setter)
            )
        return headline(self._shown, *(f"{sentence}." for sentence in [*said, "; ".join(parts)]))

    def _came(self, total: Any, span: str, name: str) -> str:
        """What the total came to in a span ("period", "year_to_date"), and a year before."""
        text, unit = self._text, self.edition.unit(total["year_to_date"])
        said = text(
            "In {period}, {line} came to {amount}",
            period=name,
            line=inside(self._language.pick(total, "name")),
            amount=unit.amount(total[span]),
        )
        if span == "year_to_date" and total["reported"] < total["expected"]:
            said += " " + self.edition.only(total["reported"], total["expected"])
        if not is_missing(total[f"ratio_{span}"]):
            share = unit.share(total[span], total[f"{span}_before"])
            said += "; " + text(
                "equal to {share} of the same period of the year before", share=share
            )
        return self._language.sentence(said)

    def running_total_chart(self, line: str = "") -> Block:
        """The running total of the year of a line (default: the total) beside last year's and the
        plan."""
        language, text = self._language, self._text
        line = line_of(self.result.lines, line)
        name = language.pick(self.result.lines.loc[line], "name")
        year = self.result.period.year
        now, before = (
            self.result.months[line].reindex(months).cumsum(skipna=False)
            for months in (
                self.result.period.year_to_date,
                pd.period_range(f"{year - 1}-01", periods=12, freq="M"),
            )
        )
        estimated = self.result.estimated[line].reindex(now.index, fill_value=False)
        plan = self.result.lines["plan_upper"][line]
        unit = self.edition.unit(max(now.max(), before.max()))
        svg = self._draw_running_total(now, before, estimated, plan, unit)
        alt = [text("Line chart. {line}, running total, {unit}.", line=name, unit=unit.name)]
        for series, of in ((now, year), (before, year - 1)):
            values = series.dropna()
            if len(values):
                alt.append(
                    text(
                        "{year}: {first} at the end of {start}, {last} at the end of {end}.",
                        year=str(of),
                        first=unit.figure(values.iloc[0], trim=True),
                        start=language.month(values.index[0]),
                        last=unit.figure(values.iloc[-1], trim=True),
                        end=language.month(values.index[-1]),
                    )
                )
        if not pd.isna(plan):
            alt.append(text("Plan of the year: {amount}.", amount=unit.figure(plan, trim=True)))
        if estimated.any():
            alt.append(text("Hollow points hold an estimate."))
        drawn = pd.concat(
            [
                series.rename("running_total").rename_axis("month").reset_index()
                for series in (before, now)
            ],
            ignore_index=True,
        ).dropna()
        drawn["plan"] = plan
        slug = "chart-year-to-date"
        units = dict.fromkeys(("running_total", "plan"), self.edition.ward.currency)
        title = text("{line}: running total of the year", line=name)
        return drawing.chart(self._shown, slug, title, alt, svg, drawn, units)

    def _draw_running_total(
        self, now: pd.Series, before: pd.Series, estimated: pd.Series, plan: float, unit: Unit
    ) -> str:
        text, year = self._text, self.result.period.year
        with drawing.drawing(2.2) as (figure, axes):
            ends = []
            for series, label, colour, style in (
                (before, str(year - 1), drawing.BEFORE, {"linestyle": "--"}),
                (now, str(year), drawing.NOW, {"linewidth": 2, "marker": "o", "markersize": 4}),
            ):
                values = series.dropna() / unit.scale
                if values.empty:
                    continue
                months = [month.month for month in values.index]
                axes.plot(months, values, label=label, color=colour, **style)
                ends.append((months[-1], values.iloc[-1], label, colour))
            for month in estimated.index[estimated & now.notna()]:
                axes.plot(
                    month.month, now[month] / unit.scale, "o", markersize=4, color="white",
                    markeredgecolor=drawing.NOW, zorder=5,
                )  # fmt: skip
            if not pd.isna(plan):
                axes.axhline(plan / unit.scale, color=drawing.PLAN, linestyle=":", linewidth=1.5)
                axes.annotate(
                    text("plan {amount}", amount=unit.figure(plan, trim=True)),
                    (12.3, plan / unit.scale), xytext=(0, 3), textcoords="offset points",
                    color=drawing.PLAN, ha="right",
                )  # fmt: skip
            drawing.label_ends(axes, ends)
            axes.set_xlim(0.7, 12.9)
            axes.set_xticks(range(1, 13))
            axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
            drawing.money_axis(axes, unit)
            axes.set_xlabel(text("Month"))
            return drawing.outlines(figure)

    def plan_table(self) -> Block:
        """Year to date against the plans that were set, and the share kept."""
        language, text = self._language, self._text
        lines = self.result.lines
        unit = unit_of(self.edition, lines["year_to_date"], lines["plan_upper"], lines["plan_ward"])
        plans = [by for by in ("upper", "ward") if lines[f"plan_{by}"].notna().any()]
        rows = []
        for _, line in lines.iterrows():
            cells = [amount(unit, line["year_to_date"], _mark(line))]
            for by in plans:
                cells.append(amount(unit, line[f"plan_{by}"]))
                cells.append(percent(self.edition, line[f"share_{by}"]))
            cells.append(amount(unit, line["kept_year_to_date"], _mark(line)))
            rows.append(Row(language.pick(line, "name"), tuple(cells), line["depth"]))
        setters = {"upper": self.edition.setter, "ward": text("the ward council")}
        plan_heads = {by: text("Plan set by {whom}", whom=whom) for by, whom in setters.items()}
        columns = [Column(text("Line")), Column(text("Year to date"))]
        for by in plans:
            columns += [Column(plan_heads[by]), Column(text("% of it"))]
        columns.append(Column(text("Kept by its own budget")))
        notes = _notes(self.edition, lines, "year_to_date")
        if not plans:
            notes.append(text("No plan was given to this unit."))
        drawn = lines.reset_index()[
            ["line", "year_to_date", "plan_upper", "share_upper", "plan_ward", "share_ward",
             "kept_year_to_date", "reported", "expected", "status_year_to_date"]
        ]  # fmt: skip
        money = ("year_to_date", "plan_upper", "plan_ward", "kept_year_to_date")
        units = dict.fromkeys(money, self.edition.ward.currency)
        units |= {"share_upper": "1", "share_ward": "1", "reported": "months", "expected": "months"}
        caption = text(
            "Receipts of {period} against the year's plan ({unit})",
            period=self.result.period.name_year_to_date(language),
            unit=unit.name,
        )
        sources = ("receipts", "targets")
        return table(
            self._shown, "receipts-plan", caption, columns, rows, drawn, units, notes, sources
        )

    def year_before_table(self) -> Block:
        """The period, and the year to date where it is longer, against the same months of the year
        before, as ratios (100 = as much)."""
        language, text = self._language, self._text
        lines = self.result.lines
        spans = ["period"]
        if len(self.result.period.months) < len(self.result.period.year_to_date):
            spans.append("year_to_date")
        unit = unit_of(self.edition, *(lines[span] for span in spans))
        rows = []
        for _, line in lines.iterrows():
            cells = []
            for span in spans:
                cells += [
                    amount(unit, line[span], _mark(line, span)),
                    amount(unit, line[f"{span}_before"]),
                    percent(self.edition, line[f"ratio_{span}"]),
                ]
            cells.append(amount(unit, line["kept_period"], _mark(line, "period")))
            rows.append(Row(language.pick(line, "name"), tuple(cells), line["depth"]))
        heads = [text("Line"), text("Period"), text("Year before"), text("Equal to %")]
        if len(spans) == 2:
            heads += [text("Year to date"), text("Year before"), text("Equal to %")]
        heads.append(text("Kept, period"))
        money = [f"{span}{end}" for span in spans for end in ("", "_before")]
        ratios, status = ([f"{name}_{span}" for span in spans] for name in ("ratio", "status"))
        drawn = lines.reset_index()[["line", *money, *ratios, "kept_period", *status]]
        units = dict.fromkeys([*money, "kept_period"], self.edition.ward.currency)
        units |= dict.fromkeys(ratios, "1")
        columns, notes = [Column(head) for head in heads], _notes(self.edition, lines, *spans)
        slug = "receipts-year-before"
        caption = text(
            "Receipts of {period} against the same period of the year before ({unit})",
            period=self.edition.period_name,
            unit=unit.name,
        )
        return table(self._shown, slug, caption, columns, rows, drawn, units, notes, ["receipts"])

    def months_table(self) -> Block:
        """Collected by line in each month of the period."""
        language, text = self._language, self._text
        months = self.result.period.months
        collected = self.result.months.reindex(months)
        estimated = self.result.estimated.reindex(months, fill_value=False)
        unit = unit_of(self.edition, collected.max())
        rows = [
            Row(
                language.pick(about, "name"),
                tuple(
                    amount(unit, value, ESTIMATE * bool(hollow))
                    for value, hollow in zip(collected[line], estimated[line], strict=True)
                ),
                about["depth"],
            )
            for line, about in self.result.lines.iterrows()
        ]
        notes = []
        if estimated.any(axis=None):
            notes.append(text("* estimate."))
        if collected.isna().any(axis=None):
            notes.append(text("… not reported."))
        drawn = (
            collected.rename_axis(index="month")
            .melt(ignore_index=False, var_name="line", value_name="collected")
            .reset_index()
        )
        slug, units = "receipts-months", {"collected": self.edition.ward.currency}
        columns = [Column(text("Line")), *(Column(language.month_short(month)) for month in months)]
        period = self.edition.period_name
        caption = text("Receipts by month of {period} ({unit})", period=period, unit=unit.name)
        return table(self._shown, slug, caption, columns, rows, drawn, units, notes, ["receipts"])

    def not_reported(self) -> Block:
        """Which figures of the year to date are estimates and which have not come in."""
        return paragraph(self._shown, " ".join(unreported(self.edition, self.result)), note=True)


def unreported(
    edition: Edition, result: Receipts, standing: pd.DataFrame | None = None
) -> list[str]:
    """Sentences: which figures of the year to date are estimates and which have not come in; with
    `standing` (see `Targets.standing`) which indicators too."""
    language, text = edition.language, edition.text
    months = result.estimated.reindex(result.period.year_to_date, fill_value=False)
    estimates = [language.month_short(month) for month in months.index[months.any(axis=1)]]
    said = []
    if estimates:
        said.append(text("Still estimates: figures of {months}.", months=language.join(estimates)))
    total = result.months[result.root].reindex(result.period.year_to_date)
    silent = list(total.index[total.isna()])
    gaps = []
    if silent:
        gaps.append(text("every line ({months})", months=language.month_list(silent)))
    for line in result.lines.index:
        own = [month for name, month in result.missing if name == line and month not in silent]
        if own:
            name = inside(language.pick(result.lines.loc[line], "name"))
            gaps.append(f"{name} ({language.month_list(own)})")
    if standing is not None:
        gaps += [
            f"{inside(language.pick(indicator, 'name'))} "
            f"({language.month_short(result.period.last)})"
            for _, indicator in standing[standing["value"].isna()].iterrows()
        ]
    if gaps:
        said.append(
            text("Not yet reported, and not counted as zero: {lines}.", lines="; ".join(gaps))
        )
    return said or [text("Every figure has been reported, none is an estimate.")]


def _mark(line: pd.Series, span: str = "year_to_date") -> str:
    """The mark of a sum over the months of `span` ("period", "year_to_date")."""
    marks = {receipts.ESTIMATE: ESTIMATE, receipts.PARTIAL: PARTIAL}
    return marks.get(line[f"status_{span}"], "")


def _notes(edition: Edition, lines: pd.DataFrame, *spans: str) -> list[str]:
    """What the marks in a table of these spans mean; only those that it holds."""
    text = edition.text
    status = lines[[f"status_{span}" for span in spans]]
    notes = []
    if (status == receipts.ESTIMATE).any(axis=None):
        notes.append(text("* holds a month that is still an estimate."))
    if (status == receipts.PARTIAL).any(axis=None):
        notes.append(
            text(
                "† some month or line is not reported: the sum is of what is reported, set against the same of the "
                "year before."
            )
        )
    return notes
