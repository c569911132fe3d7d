"""Charts of a briefing: one function a chart; each returns the figure as SVG with its alt text.

A chart leaves matplotlib's global style as it found it, is readable in black and white, labels its
curves directly, and carries the drawn figures as data. Text is drawn as outlines, so that a chart
looks the same wherever it is shown; the alt text speaks for it.
"""

from __future__ import annotations

import functools
import io
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path as Outline
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike

from wardlib.analysis.activities import Activities
from wardlib.analysis.closures import BREAK, CLOSED, IN_PERSON, OFF, ONLINE, PARTIAL
from wardlib.analysis.effects import Effects
from wardlib.analysis.receipts import Receipts
from wardlib.analysis.schools import Schools
from wardlib.analysis.targets import Targets
from wardlib.language import Unit
from wardlib.pages import sentences
from wardlib.pages.blocks import RESOURCE, SVG, Block, printed, resource
from wardlib.pages.editions import Edition

WIDTH = 6.5  # inches: the text width of an A4 page with margins as Decree 30/2020/NĐ-CP has them
WINDOW = 36  # months that the monthly chart looks back

# Colours are named by purpose and differ in lightness, so that they part in black and white.
NOW, BEFORE, PLAN, PHASE = "#1b4f72", "#7f8c8d", "#922b21", "#e5e8e8"
WITHOUT = "#b9770e"
_STYLE = Path(__file__).parent / "ward.mplstyle"


@functools.cache
def _style() -> dict[str, object]:
    """The house style: seaborn's, and over it what the file says."""
    ours = matplotlib.rc_params_from_file(_STYLE, use_default_template=False)
    return {**sns.axes_style("whitegrid", {"axes.grid.axis": "y"}), **ours}


@contextmanager
def drawing(height: float) -> Iterator[tuple[Figure, Axes]]:
    """A figure of the house style, closed at the end; a letter that no font has is an error."""
    with warnings.catch_warnings(), matplotlib.rc_context(_style()):
        warnings.filterwarnings("error", message="Glyph .* missing")
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        axes = figure.subplots()
        sns.despine(ax=axes, left=True)
        axes.grid(axis="x", visible=False)
        yield figure, axes


def year_to_date(result: Receipts, edition: Edition, *, line: str = "") -> Block:
    """The line's running total of the year beside last year's and the plan."""
    language, text = edition.language, edition.language.text
    line = line or result.root
    name = language.pick(result.lines.loc[line], "name")
    now, before = (
        result.months[line].reindex(months).cumsum(skipna=False)
        for months in (
            result.period.year_to_date,
            pd.period_range(f"{result.period.year - 1}-01", periods=12, freq="M"),
        )
    )
    estimated = result.estimated[line].reindex(now.index, fill_value=False)
    plan = result.lines.at[line, "plan_upper"]
    unit = language.unit(edition.ward.currency, max(now.max(), before.max()))
    year = result.period.year
    with drawing(2.2) as (figure, axes):
        ends = []
        for series, label, style in (
            (before, str(year - 1), {"color": BEFORE, "linestyle": "--"}),
            (now, str(year), {"color": NOW, "linewidth": 2, "marker": "o", "markersize": 4}),
        ):
            values = series.dropna() / unit.scale
            if values.empty:
                continue
            months = [month.month for month in values.index]
            axes.plot(months, values, label=label, **style)
            ends.append((months[-1], values.iloc[-1], label, style["color"]))
        for month in estimated.index[estimated & now.notna()]:
            axes.plot(
                month.month, now[month] / unit.scale, "o", markersize=4, color="white",
                markeredgecolor=NOW, zorder=5,
            )  # fmt: skip
        if not pd.isna(plan):
            axes.axhline(plan / unit.scale, color=PLAN, linestyle=":", linewidth=1.5)
            axes.annotate(
                text("plan {amount}", amount=unit.figure(plan, trim=True)),
                (12.3, plan / unit.scale), xytext=(0, 3), textcoords="offset points",
                color=PLAN, ha="right",
            )  # fmt: skip
        _label_ends(axes, ends)
        axes.set_xlim(0.7, 12.9)
        axes.set_xticks(range(1, 13))
        axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
        _money_axis(axes, unit)
        axes.set_xlabel(text("Month"))
        svg = outlines(figure)
    title = text("{line}: running total of the year", line=name)
    parts = [text("Line chart. {line}, running total, {unit}.", line=name, unit=unit.name)]
    for series, of in ((now, year), (before, year - 1)):
        values = series.dropna()
        if len(values):
            parts.append(
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
        parts.append(text("Plan of the year: {amount}.", amount=unit.figure(plan, trim=True)))
    if estimated.any():
        parts.append(text("Hollow points hold an estimate."))
    drawn = pd.concat(
        [
            series.rename("running_total").rename_axis("month").reset_index()
            for series in (before, now)
        ],
        ignore_index=True,
    ).dropna()
    drawn["plan"] = plan
    money = edition.ward.currency
    figures = resource(
        "chart-year-to-date", drawn, {"running_total": money, "plan": money}, edition.about
    )
    return _chart("chart-year-to-date", title, " ".join(parts), svg, figures)


def monthly(
    result: Receipts,
    effects: Effects,
    edition: Edition,
    *,
    line: str = "",
    height: float = 2.6,
) -> Block:
    """The line by month over up to three years, beside it what was to be expected without COVID-19.

    The phases of the epidemic are shaded. Where no statement is possible, what was collected stands
    alone. `height` is in inches.
    """
    language, text = edition.language, edition.language.text
    line = line or result.root
    name = language.pick(result.lines.loc[line], "name")
    last = result.period.last
    first = max(result.months.index[0], min(last - (WINDOW - 1), result.period.first))
    months = pd.period_range(first, last, freq="M")
    values = result.months[line].reindex(months)
    estimated = result.estimated[line].reindex(months, fill_value=False)
    split = effects.by_line.get(line)
    columns = ["counterfactual", "lower", "upper"]
    without = (
        effects.impact(line).table[columns].reindex(months)
        if split
        else pd.DataFrame(columns=columns, index=months, dtype=float)
    )
    unit = language.unit(edition.ward.currency, max(values.max(), without["counterfactual"].max()))
    shown = effects.phases[
        (effects.phases["end"] >= first.start_time) & (effects.phases["start"] <= last.end_time)
    ]
    with drawing(height) as (figure, axes):
        heights, expected = values / unit.scale, without / unit.scale
        axes.set_xlim(0, len(values) + 0.2)
        peak = max(heights.max(), expected["counterfactual"].max(), 0)
        top = max(peak, min(expected["upper"].max(), 1.6 * peak)) * 1.18
        axes.set_ylim(min(0, heights.min() * 1.1), top)
        _shade(axes, shown, first, len(values), edition)
        middles = pd.Series([index + 0.5 for index in range(len(values))], months)
        bars = axes.bar(middles, heights, width=0.72, color=NOW, edgecolor=NOW, zorder=3)
        for bar, hollow in zip(bars, estimated, strict=True):
            if hollow:
                bar.set(facecolor="white", hatch="////")
        known = expected.dropna()
        if len(known):
            at = middles[known.index]
            axes.fill_between(
                at, known["lower"], known["upper"], color=WITHOUT, alpha=0.25, linewidth=0, zorder=4
            )
            axes.plot(
                at, known["counterfactual"], color=WITHOUT, linestyle="--", marker="D",
                markersize=3, linewidth=1.2, zorder=5,
            )  # fmt: skip
            axes.annotate(
                text("without COVID-19"), (at.iloc[0], known["counterfactual"].iloc[0]),
                xytext=(at.iloc[0] - 0.8, 0.9 * top), textcoords="data", va="center",
                ha="right" if at.iloc[0] > 0.3 * len(values) else "left",
                color=WITHOUT, fontweight="bold", zorder=6,
                bbox={"fc": "white", "ec": "none", "pad": 0.8},
                arrowprops={"arrowstyle": "-", "color": WITHOUT, "linewidth": 0.8},
            )  # fmt: skip
        axes.axhline(0, color="#555555", linewidth=0.8)
        _month_axis(axes, values.index, edition)
        _money_axis(axes, unit)
        svg = outlines(figure)
    title = (
        text("{line} by month, and what was to be expected without COVID-19", line=name)
        if split
        else text("{line} by month", line=name)
    )
    known = values.dropna()
    parts = [
        text(
            "Bar chart. {line} by month from {start} to {end}, {unit}.",
            line=name,
            start=language.month(first),
            end=language.month(last),
            unit=unit.name,
        ),
        text(
            "Lowest {low} ({low_month}), highest {high} ({high_month}), last {last} "
            "({last_month}).",
            low=unit.figure(known.min(), trim=True),
            low_month=language.month(known.idxmin()),
            high=unit.figure(known.max(), trim=True),
            high_month=language.month(known.idxmax()),
            last=unit.figure(known.iloc[-1], trim=True),
            last_month=language.month(known.index[-1]),
        ),
    ]
    if split:
        drawn_without = without["counterfactual"].dropna()
        parts.append(
            text(
                "Dashed line with its 95 % interval: expected without COVID-19, {first} in {start}, "
                "{last} in {end}.",
                first=unit.figure(drawn_without.iloc[0], trim=True),
                start=language.month(drawn_without.index[0]),
                last=unit.figure(drawn_without.iloc[-1], trim=True),
                end=language.month(drawn_without.index[-1]),
            )
        )
        gap = (drawn_without - values).sum()
        parts.append(
            text("Over these months {gap} less was collected.", gap=unit.figure(gap, trim=True))
            if gap >= 0
            else text(
                "Over these months {gap} more was collected.", gap=unit.figure(-gap, trim=True)
            )
        )
    if estimated.any():
        parts.append(text("Hatched bars are estimates."))
    if len(shown):
        parts.append(text("Shaded: {phases}.", phases=_bands(shown, edition)))
    drawn = pd.DataFrame({"month": values.index, "collected": values.to_numpy()})
    drawn["estimate"] = estimated.to_numpy()
    drawn = drawn.join(without.reset_index(drop=True))
    money = dict.fromkeys(("collected", *columns), edition.ward.currency)
    figures = resource("chart-monthly", drawn, money, edition.about)
    return _chart("chart-monthly", title, " ".join(parts), svg, figures)


def shortfall(effects: Effects, edition: Edition, *, line: str = "") -> Block | None:
    """What was collected less than expected, added up from the start of the effect, month-end by
    month-end, and which part of it is lost or overdue; nothing where no statement is possible."""
    language, text = edition.language, edition.language.text
    line = line or effects.root
    if line not in effects.by_line:
        return None
    name = language.pick(effects.lines.loc[line], "name")
    table = effects.ledgers[line].month_ends
    unit = language.unit(edition.ward.currency, table[["difference", "claim"]].abs().max().max())
    first, last = table.index[0], table.index[-1]
    scaled = table.drop(columns="until") / unit.scale
    with drawing(2.2) as (figure, axes):
        places = [index + 1.0 for index in range(len(table))]
        axes.set_xlim(0, len(table) * 1.3 + 0.5)
        low, high = scaled["claim_lower"].min(), scaled["claim_upper"].max()
        low = min(low, scaled["difference"].min(), 0)
        high = max(high, scaled["difference"].max(), 0)
        axes.set_ylim(low - 0.05 * (high - low), high + 0.18 * (high - low))
        shown = effects.phases[effects.phases["start"] <= last.end_time]
        _shade(axes, shown, first, len(table), edition)
        axes.fill_between(
            places, scaled["claim_lower"], scaled["claim_upper"], color=NOW, alpha=0.2, linewidth=0
        )
        axes.plot(places, scaled["claim"], color=NOW, linewidth=2, marker="o", markersize=4)
        axes.plot(places, scaled["difference"], color=PLAN, linestyle="--", linewidth=1.5)
        axes.axhline(0, color="#555555", linewidth=0.8)
        ends = [(places[-1], scaled["claim"].iloc[-1], text("lost or overdue"), NOW)]
        apart = (table["difference"] - table["claim"]).abs().max() > 0
        if apart:
            ends.append(
                (places[-1], scaled["difference"].iloc[-1], text("less than expected"), PLAN)
            )
        _label_ends(axes, ends)
        _month_axis(axes, table.index, edition, at=1.0)
        _money_axis(axes, unit)
        svg = outlines(figure)
    until_last = table.iloc[-1]
    parts = [
        text(
            "Line chart. {line}, shortfall against what was to be expected without COVID-19, added up "
            "from {start} to {end}, {unit}.",
            line=name, start=language.month(first), end=language.month(last), unit=unit.name,
        ),
        text(
            "At the end {difference} less than expected; lost or overdue {claim}, 95 % interval {low} "
            "to {high}.",
            difference=unit.figure(until_last["difference"], trim=True),
            claim=unit.figure(until_last["claim"], trim=True),
            low=unit.figure(until_last["claim_lower"], trim=True),
            high=unit.figure(until_last["claim_upper"], trim=True),
        ),
    ]  # fmt: skip
    if len(shown):
        parts.append(text("Shaded: {phases}.", phases=_bands(shown, edition)))
    drawn = table.reset_index()
    money = dict.fromkeys(
        (column for column in drawn if column not in ("month", "until")), edition.ward.currency
    )
    figures = resource("chart-shortfall", drawn, money, edition.about)
    title = text("{line}: shortfall since the start of the epidemic, added up", line=name)
    return _chart("chart-shortfall", title, " ".join(parts), svg, figures)


# How a school day is drawn: they part by darkness and pattern, without colour too.
_STATES = {
    IN_PERSON: {"facecolor": "white"},
    ONLINE: {"facecolor": "#aed6f1", "hatch": "/////"},
    PARTIAL: {"facecolor": "#f5cba7", "hatch": "....."},
    CLOSED: {"facecolor": NOW},
    BREAK: {"facecolor": "#d5d8dc", "hatch": "-----"},
}


def school_calendar(
    found: Schools | None, edition: Edition, *, brief: bool = False
) -> Block | None:
    """The school years of the period, a row a level: weeks from left to right, weekdays from top to
    bottom, each day as the decisions set it, and their numbers. Nothing where no school year is known.
    With `brief`, less high and without the numbers."""
    language, text = edition.language, edition.language.text
    if found is None:
        return None
    calendar = {level: days[days["state"] != OFF] for level, days in found.calendar.items()}
    calendar = {level: days for level, days in calendar.items() if len(days)}
    if not calendar:
        return None
    days = next(iter(found.calendar.values())).index
    first = days[0] - pd.Timedelta(days=days[0].day_of_week)
    weeks = (days[-1] - first).days // 7 + 1
    week = 6 if found.six_days else 5
    cell = 0.04 if brief else 0.085  # the height of a day, in inches
    step = week + (2 if brief else 1.6)  # between one level and the next: room for the numbers
    bars, counts = [], []
    with drawing(cell * step * len(calendar) + 0.6) as (figure, axes):
        for row, (level, known) in enumerate(calendar.items()):
            top = row * step
            of_week, begin, sizes, states = _runs(known["state"], first)
            bars.append((of_week, top + begin, sizes, states))
            axes.text(
                -0.8,
                top + week / 2,
                language.sentence(sentences.level_name(level, edition)),
                ha="right",
                va="center",
            )
            labels: list[tuple[int, str]] = []
            begun = known["measure"].drop_duplicates()  # the first day of each decision
            for day, measure in begun[(begun != "") & (not brief)].items():
                at = (day - first).days // 7
                if labels and at - labels[-1][0] < 5:  # too close for a label of its own
                    at, measure = labels[-1][0], f"{labels.pop()[1]}, {measure}"
                labels.append((at, measure))
            for at, label in labels:
                axes.text(at, top - 0.1, label, fontsize=6, va="bottom")
            counts.append((level, known["state"].value_counts()))
        at, begin, sizes, states = (np.concatenate(part) for part in zip(*bars, strict=True))
        handles = []
        for state, style in _STATES.items():
            of = states == state
            if of.any():
                style = {"edgecolor": "#7f8c8d", **style}
                _boxes(axes, at[of] + 0.05, begin[of], 0.9, sizes[of], linewidth=0.3, **style)
                handles.append(Patch(label=sentences.state_name(state, edition), **style))
        axes.set_xlim(0, weeks)
        axes.set_ylim(step * len(calendar) - 1, -1.2)
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
        figure.legend(
            handles=handles,
            loc="outside upper center",
            ncols=len(handles),
            frameon=False,
            fontsize=7,
            columnspacing=1.2,
            handlelength=1.6,
        )
        svg = outlines(figure)
    title = text(
        "School days from {start} to {end}, as the decisions set them",
        start=language.date(days[0]),
        end=language.date(days[-1]),
    )
    parts = [text("Calendar of weeks and weekdays, a band a level.")]
    for level, states in counts:
        own = "; ".join(
            text(
                "{count} {state}",
                count=language.number(states[state]),
                state=sentences.state_name(state, edition),
            )
            for state in _STATES
            if state in states
        )
        parts.append(
            text(
                "{level}, school days: {states}.",
                level=language.sentence(sentences.level_name(level, edition)),
                states=own,
            )
        )
    drawn = pd.concat(
        [known.reset_index().assign(level=level) for level, known in calendar.items()],
        ignore_index=True,
    )
    figures = resource(
        "chart-school-calendar", drawn[["level", "day", "state", "measure"]], {}, edition.about
    )
    return _chart("chart-school-calendar", title, " ".join(parts), svg, figures)


def _runs(states: pd.Series, first: pd.Timestamp) -> tuple[np.ndarray, ...]:
    """The runs of days of one state that follow each other in a week: their weeks, counted from that
    of the Monday `first`, weekdays, numbers of days and states."""
    of, weekdays = states.to_numpy(), states.index.day_of_week.to_numpy()
    begin = np.flatnonzero(np.r_[True, (of[1:] != of[:-1]) | (np.diff(weekdays) != 1)])
    weeks = (states.index[begin] - first).days.to_numpy() // 7
    return weeks, weekdays[begin], np.diff([*begin, len(of)]), of[begin]


def activities(found: Activities | None, edition: Edition) -> Block | None:
    """Events held in each month of the year to date, all fields, beside the number to be expected;
    nothing without data."""
    language, text = edition.language, edition.language.text
    if found is None:
        return None
    table = found.months.groupby("month").sum(min_count=found.months.index.unique("field").size)
    if table["held"].isna().all():
        return None
    with drawing(1.9) as (figure, axes):
        places = pd.Series([index + 0.5 for index in range(len(table))], table.index)
        axes.bar(places, table["held"], width=0.6, color=NOW, zorder=3)
        known = table["expected"].dropna()
        if len(known):
            axes.plot(
                places[known.index], known, color=WITHOUT, linestyle="--", marker="D", markersize=3.5,
                linewidth=1.2, zorder=4,
            )  # fmt: skip
            _label_ends(
                axes,
                [(places[known.index].iloc[-1] + 0.1, known.iloc[-1], text("expected"), WITHOUT)],
            )
        axes.set_xlim(0, len(table) * 1.12 + 0.4)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        _month_axis(axes, table.index, edition)
        axes.set_ylabel(text("Events held"))
        svg = outlines(figure)
    held = table["held"].dropna()
    parts = [
        text(
            "Bar chart. Events held by month from {start} to {end}: lowest {low} ({low_month}), highest "
            "{high} ({high_month}), last {last} ({last_month}).",
            start=language.month(table.index[0]),
            end=language.month(table.index[-1]),
            low=language.number(held.min()),
            low_month=language.month(held.idxmin()),
            high=language.number(held.max()),
            high_month=language.month(held.idxmax()),
            last=language.number(held.iloc[-1]),
            last_month=language.month(held.index[-1]),
        )
    ]
    if len(known):
        parts.append(
            text(
                "Dashed line: the mean of the same months before COVID-19, {low} to {high}.",
                low=language.number(known.min(), 1),
                high=language.number(known.max(), 1),
            )
        )
    drawn = found.months.reset_index()
    figures = resource(
        "chart-activities", drawn, {"held": "events", "expected": "events"}, edition.about
    )
    title = text("Activities held by month, and what was to be expected")
    return _chart("chart-activities", title, " ".join(parts), svg, figures)


def targets(found: Targets, edition: Edition, *, brief: bool = False) -> Block | None:
    """Each target that can be formed as a share: so far, usual by now, and the projected year's end,
    in per cent of the target; nothing where there is none. With `brief`, what is `in_doubt` alone."""
    language, text = edition.language, edition.language.text
    table = found.in_doubt if brief else found.table[found.table["depth"] <= 1]
    table = table[(table["share"].notna()) & (table["target"] > 0)]
    if (table["set_by"] == "upper").any():
        table = table[table["set_by"] == "upper"]
    if table.empty:
        return None
    columns = ["value", "low95", "low80", "point", "high80", "high95"]
    scaled = (100 * table[columns]).div(table["target"], axis="index")
    usual = 100 * table["usual"]
    limit = 250.0
    height = (0.21 if brief else 0.22) * len(table) + 0.4
    with drawing(height) as (figure, axes):
        places = np.arange(len(table))
        short = np.minimum(scaled, limit)
        _boxes(axes, 0, places - 0.31, short["value"], 0.62, facecolor=BEFORE, zorder=2)
        _lines(
            axes, (usual, usual), (places - 0.4, places + 0.4),
            color="black", linewidth=1.4, zorder=5,
        )  # fmt: skip
        projected = ((table["silent"] == "") & (table["left"] > 0)).to_numpy()
        for low, high, width in (("low95", "high95", 1), ("low80", "high80", 3)):
            _lines(
                axes, (short[low][projected], short[high][projected]), (places[projected],) * 2,
                color=WITHOUT, linewidth=width, zorder=4,
            )  # fmt: skip
        inside = projected & (scaled["point"] <= limit).to_numpy()
        axes.plot(
            scaled["point"][inside], places[inside], "D", color="white", markeredgecolor=WITHOUT,
            markersize=4, zorder=6,
        )  # fmt: skip
        for place, silent, value, point in zip(
            places, table["silent"], scaled["value"], scaled["point"], strict=True
        ):
            if value > limit or (not silent and point > limit):
                most = value if silent else point
                axes.annotate(
                    f"→ {language.number(most)}", (limit, place), xytext=(3, 0), textcoords="offset points",
                    va="center", fontsize=7,
                )  # fmt: skip
        axes.axvline(100, color=PLAN, linestyle=":", linewidth=1.5, zorder=3)
        axes.set_yticks(range(len(table)))
        axes.set_yticklabels(
            [_beside(language.pick(row, "name")) for _, row in table.iterrows()],
            fontsize=6.5,
            linespacing=0.95,
        )
        axes.set_ylim(len(table) - 0.4, -0.6)
        axes.set_xlim(0, limit * 1.08)
        figure.supxlabel(
            text(
                "% of the target. Grey: so far; tick: usual by now; diamond: projected (80, 95 %)"
            ),
            fontsize=8,
        )
        axes.grid(axis="y", visible=False)
        svg = outlines(figure)
    title = text(
        "Targets of {year}: so far and at the year's end, % of the target",
        year=str(found.period.year),
    )
    parts = [text("Bar chart, % of each target.")]
    for (_, row), own in zip(table.iterrows(), scaled.itertuples(), strict=True):
        said = text(
            "{name}: so far {value}",
            name=language.pick(row, "name"),
            value=language.percent(own.value / 100),
        )
        if not row["silent"] and row["left"]:
            said += ", " + text(
                "at the end of the year {point} is projected",
                point=language.percent(own.point / 100),
            )
        parts.append(said + ".")
    drawn = scaled.assign(item=table["item"], usual=usual)[["item", "usual", *scaled.columns]]
    figures = resource(
        "chart-targets", drawn, dict.fromkeys([*scaled.columns, "usual"], "%"), edition.about
    )
    return _chart("chart-targets", title, " ".join(parts), svg, figures)


def _beside(name: str) -> str:
    """A name on two lines at most, as it fits beside a chart."""
    return "\n".join(textwrap.wrap(printed(name), 30, max_lines=2, placeholder=" …"))


def _boxes(
    axes: Axes,
    left: ArrayLike,
    bottom: ArrayLike,
    width: ArrayLike,
    height: ArrayLike,
    **style: object,
) -> None:
    """Upright boxes as one patch: many take hardly longer than one. They tell the axes no limits."""
    left, bottom, width, height = np.broadcast_arrays(left, bottom, width, height)
    right, top = left + width, bottom + height
    corners = np.array([[left, right, right, left, left], [bottom, bottom, top, top, bottom]])
    codes = [Outline.MOVETO, *[Outline.LINETO] * 3, Outline.CLOSEPOLY] * left.size
    axes.add_artist(PathPatch(Outline(corners.T.reshape(-1, 2), codes), **style))


def _lines(
    axes: Axes, x: tuple[ArrayLike, ArrayLike], y: tuple[ArrayLike, ArrayLike], **style: object
) -> None:
    """Lines as one curve with gaps: `x` and `y` hold where each starts and where it ends."""
    gaps = np.full(len(x[0]), np.nan)
    axes.plot(*(np.array([*ends, gaps]).T.ravel() for ends in (x, y)), **style)


def _shade(axes: Axes, phases: pd.DataFrame, first: pd.Period, size: int, edition: Edition) -> None:
    """Shade the phases behind an axis that begins with the month `first`; their names stand above
    it, a name that would touch the one before it a row higher. To be called once the axis has its
    limits."""
    whole = axes.get_xlim()
    inches = WIDTH * 0.85 / (whole[1] - whole[0])  # of one month, the labels of the axis set aside
    rows: list[float] = []  # where the last name of each row ends
    for phase in phases.itertuples():
        left, right = _place(phase.start, first), _place(phase.end, first, end=True)
        left, right = max(left, 0), min(right, size)
        axes.axvspan(left, right, color=PHASE, zorder=0, linewidth=0)
        name = printed(edition.language.pick(phase._asdict(), "name"))
        half = 0.031 * len(name) / inches + 0.1  # at 7 pt, a little more than it takes
        middle = min(max((left + right) / 2, whole[0] + half), whole[1] - half)
        row = next((n for n, end in enumerate(rows) if end <= middle - half), len(rows))
        rows[row : row + 1] = [middle + half]
        axes.annotate(
            name, (middle, 1), xycoords=("data", "axes fraction"), xytext=(0, 2 + 9 * row),
            textcoords="offset points", ha="center", va="bottom", fontsize=7, annotation_clip=False,
        )  # fmt: skip


def _bands(phases: pd.DataFrame, edition: Edition) -> str:
    """The phases with their first and last days, for an alt text."""
    return "; ".join(
        edition.language.text(
            "{phase} from {start} to {end}",
            phase=edition.language.pick(phase._asdict(), "name"),
            start=edition.language.date(phase.start),
            end=edition.language.date(phase.end),
        )
        for phase in phases.itertuples()
    )


def _place(day: pd.Timestamp, first: pd.Period, *, end: bool = False) -> float:
    """Where a day stands on an axis that gives each month from `first` on a width of one."""
    month = day.to_period("M")
    return (month - first).n + (day.day - 1 + end) / month.days_in_month


def _label_ends(axes: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Name each curve at its end; two that end close together are pushed apart."""
    axes.figure.canvas.draw()
    height = axes.get_ylim()[1] - axes.get_ylim()[0]
    placed: list[float] = []
    for x, y, label, colour in sorted(ends, key=lambda end: end[1]):
        at = y
        if placed and at - placed[-1] < 0.07 * height:
            at = placed[-1] + 0.07 * height
        placed.append(at)
        axes.annotate(
            label, (x, at), xytext=(6, 0), textcoords="offset points", va="center",
            color=colour, fontweight="bold", bbox={"fc": "white", "ec": "none", "pad": 0.8},
        )  # fmt: skip


def _money_axis(axes: Axes, unit: Unit) -> None:
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    step = axes.get_yticks()[1] - axes.get_yticks()[0]
    decimals = 0 if step >= 1 and step == int(step) else 1 if step >= 0.1 else 2
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: unit.language.number(value, decimals))
    )
    axes.set_ylabel(unit.language.sentence(unit.name))


def _month_axis(axes: Axes, months: pd.PeriodIndex, edition: Edition, at: float = 0.5) -> None:
    """Ticks in the middle of months (`at` 1: at their ends): each, or each quarter's or half-year's
    first; the year stands below the first of them and each January."""
    step = 1 if len(months) <= 12 else 3 if len(months) <= 36 else 6
    chosen = [index for index, month in enumerate(months) if (month.month - 1) % step == 0]
    axes.set_xticks([index + at for index in chosen])
    axes.set_xticklabels(
        [
            edition.language.month_tick(months[index])
            + (f"\n{months[index].year}" if index == chosen[0] or months[index].month == 1 else "")
            for index in chosen
        ]
    )


def outlines(figure: Figure) -> str:
    """The figure as SVG, its letters drawn as outlines, the same bytes each time.

    To be called once: it lays the figure out for good. `savefig` would draw all of it twice, once
    for nothing but the layout.
    """
    buffer = io.StringIO()
    canvas = FigureCanvasSVG(figure)
    for axes in figure.axes:
        for drawn in (*axes.patches, *axes.lines, *axes.collections):
            drawn.set_in_layout(False)  # clipped to the axes, so it takes no room of its own
        for axis in (axes.xaxis, axes.yaxis):
            if not axis.get_label_text():
                axis.set_label_coords(0, 0)  # else all ticks are measured to find it a place
    figure.set_dpi(72)  # that of every SVG: the layout has to go by it too
    figure.get_layout_engine().execute(figure)
    figure.set_layout_engine("none")
    canvas.print_svg(buffer, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :]


def _chart(slug: str, title: str, alt: str, svg: str, figures: dict) -> Block:
    return Block(
        {"text/plain": alt, SVG: svg, RESOURCE: figures},
        {"kind": "chart", "slug": slug, "caption": title, "alt": alt},
    )
