"""Drawing charts: the house style, axes of months and money, phases, the figure as SVG with its words.

A chart leaves matplotlib's global style as it found it, is readable in black and white, labels its
curves directly, and carries the drawn figures as data. Text is drawn as outlines, so that a chart
looks the same wherever it is shown; the alt text speaks for it. The only user of seaborn.
"""

from __future__ import annotations

import functools
import io
import itertools
import re
import textwrap
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import matplotlib
import numpy as np
import pandas as pd
import seaborn as sns  # type: ignore[import-untyped]  # seaborn ships no types
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.legend_handler import HandlerLine2D
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path as Outline
from matplotlib.patheffects import withStroke
from matplotlib.textpath import text_to_path
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import ArrayLike

from wardlib.language import Unit, printed
from wardlib.pages.block import Block, resource
from wardlib.pages.edition import Edition

WIDTH = 6.5  # inches: the text width of an A4 page with margins as Decree 30/2020/NĐ-CP has them

# Colours are named by purpose and differ in lightness, so that they part in black and white.
NOW, BEFORE, PLAN, PHASE = "#1b4f72", "#7f8c8d", "#922b21", "#e5e8e8"
WITHOUT = "#b9770e"
# The parts of an amount, by hatch or lightness too; each the style of a box.
COLLECTED = {"facecolor": NOW, "edgecolor": NOW}
DEFERRED = {"facecolor": "white", "edgecolor": NOW, "hatch": "/////"}
OVERDUE = {"facecolor": "white", "edgecolor": PLAN, "hatch": "xxxxx"}
LOST = {"facecolor": "#b5533f", "edgecolor": PLAN, "hatch": "\\\\\\"}
RELIEVED = {"facecolor": "#c5cacd", "edgecolor": BEFORE}
UNEXPLAINED = {"facecolor": "white", "edgecolor": "#555555"}
PAID_LATER = {"facecolor": "white", "edgecolor": NOW, "hatch": "...."}
EARLIER = {"facecolor": "#7fa3bd", "edgecolor": NOW, "hatch": "|||||"}
# A tick on such an amount; the style of a line.
EXPECTED = {
    "color": "black",
    "linestyle": "none",
    "marker": "|",
    "markersize": 14,
    "markeredgewidth": 2,
}
# The range of an amount below its bar.
LOSS_RANGE = {"color": PLAN, "linestyle": "-", "linewidth": 2.4, "marker": ""}
# Letters that stand on a bar or a line.
RIMMED = [withStroke(linewidth=3, foreground="white")]
_LETTER = 0.08  # inches of a letter of 9 pt, a little more than it takes
# Settings of windows and of pyplot, which no page is drawn by.
_MACHINE = ("backend", "date.epoch", "figure.hooks", "interactive", "keymap.", "savefig.directory", "toolbar",
            "tk.", "webagg.")  # fmt: skip
_STYLE = Path(__file__).parent / "ward.mplstyle"


@functools.cache
def _style() -> dict[Any, Any]:
    """The house style: matplotlib's defaults, whatever a user's `matplotlibrc` or session has set, over
    them seaborn's, and over it what the file says."""
    plain = {
        name: value
        for name, value in matplotlib.rcParamsDefault.items()
        if not name.startswith(_MACHINE)
    }
    ours = matplotlib.rc_params_from_file(_STYLE, use_default_template=False)
    return {**plain, **sns.axes_style("whitegrid", {"axes.grid.axis": "y"}), **ours}


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


def panel_columns(count: int) -> int:
    """How many of `count` small charts stand beside each other."""
    return 3 if count > 4 else min(count, 2)


@contextmanager
def panels(count: int, height: float = 1.5) -> Iterator[tuple[Figure, list[Axes]]]:
    """As `drawing`, with `count` axes in `panel_columns`, each `height` inches high, read row by row."""
    with warnings.catch_warnings(), matplotlib.rc_context(_style()):
        warnings.filterwarnings("error", message="Glyph .* missing")
        columns = panel_columns(count)
        rows = -(-count // columns)
        figure = Figure(figsize=(WIDTH, height * rows + 0.2), layout="constrained")
        every = list(np.ravel(figure.subplots(rows, columns, squeeze=False)))
        for axes in every[count:]:
            axes.remove()
        for axes in every[:count]:
            sns.despine(ax=axes, left=True)
            axes.grid(axis="x", visible=False)
        yield figure, every[:count]


def beside(name: str, letters: int = 30) -> str:
    """A name on two lines of so many letters at most, as it fits beside a chart or above a small one."""
    return "\n".join(textwrap.wrap(printed(name), letters, max_lines=2, placeholder=" …"))


def boxes(
    axes: Axes,
    left: ArrayLike,
    bottom: ArrayLike,
    width: ArrayLike,
    height: ArrayLike,
    **style: Any,
) -> None:
    """Rectangles, drawn as one patch, as one each would be slow. The axes do not widen for them."""
    left, bottom, width, height = np.broadcast_arrays(left, bottom, width, height)
    right, top = left + width, bottom + height
    corners = np.array([[left, right, right, left, left], [bottom, bottom, top, top, bottom]])
    codes = [Outline.MOVETO, *[Outline.LINETO] * 3, Outline.CLOSEPOLY] * left.size
    axes.add_artist(PathPatch(Outline(corners.T.reshape(-1, 2), codes), **style))


def lines(
    axes: Axes, x: tuple[ArrayLike, ArrayLike], y: tuple[ArrayLike, ArrayLike], **style: Any
) -> None:
    """Lines as one curve with gaps: `x` and `y` hold where each starts and where it ends."""
    gaps = np.full(np.size(x[0]), np.nan)
    axes.plot(*(np.array([*ends, gaps]).T.ravel() for ends in (x, y)), **style)


def _columns(labels: list[str]) -> int:
    """How many columns of a legend the width holds."""
    widths = [0.5 + _LETTER * len(label) for label in labels]
    fitting = (
        columns
        for columns in range(len(labels), 1, -1)
        if sum(max(widths[at::columns]) for at in range(columns)) <= WIDTH
    )
    return next(fitting, 1)


def key_height(labels: list[str]) -> float:
    """The inches that a legend with these labels takes."""
    return 0.08 + 0.19 * -(-len(labels) // _columns(labels))


def key(figure: Figure, entries: list[tuple[str, dict[str, Any]]]) -> None:
    """A legend above the axes: label and style of each kind of box, or of line where the style has a
    marker; in as many columns as the width holds, read row by row."""
    handles = [
        Line2D([], [], label=printed(label), **style)
        if "marker" in style
        else Patch(label=printed(label), **style)
        for label, style in entries
    ]
    columns = _columns([label for label, _ in entries])
    figure.legend(
        # matplotlib fills column by column
        handles=[handle for at in range(columns) for handle in handles[at::columns]],
        loc="outside upper center",
        ncols=columns,
        frameon=False,
        columnspacing=1.2,
        handlelength=1.6,
        handler_map={Line2D: HandlerLine2D(numpoints=1)},
    )


def shade(axes: Axes, phases: pd.DataFrame, first: pd.Period, size: int, edition: Edition) -> None:
    """Shade the phases behind an axis that begins with the month `first`; their names stand above
    it, a name that would touch the one before it a row higher. To be called once the axis has its
    limits."""
    whole = axes.get_xlim()
    inches = WIDTH * 0.85 / (whole[1] - whole[0])  # of one month, the labels of the axis set aside
    rows: list[float] = []  # where the last name of each row ends
    for _, phase in phases.iterrows():
        left, right = _place(phase["start"], first), _place(phase["end"], first, end=True)
        left, right = max(left, 0), min(right, size)
        axes.axvspan(left, right, color=PHASE, zorder=0, linewidth=0)
        name = printed(edition.language.pick(phase, "name"))
        half = _LETTER / 2 * len(name) / inches + 0.1
        middle = min(max((left + right) / 2, whole[0] + half), whole[1] - half)
        row = next((n for n, end in enumerate(rows) if end <= middle - half), len(rows))
        rows[row : row + 1] = [middle + half]
        axes.annotate(
            name, (middle, 1), xycoords=("data", "axes fraction"), xytext=(0, 2 + 11 * row),
            textcoords="offset points", ha="center", va="bottom", annotation_clip=False,
        )  # fmt: skip


def bands_behind(axes: Axes, phases: pd.DataFrame, first: pd.Period, size: int) -> None:
    """Shade the phases behind an axis of `size` months that begins with the month `first`."""
    for _, phase in phases.iterrows():
        left, right = _place(phase["start"], first), _place(phase["end"], first, end=True)
        axes.axvspan(max(left, 0), min(right, size), color=PHASE, zorder=0, linewidth=0)


def bands(phases: pd.DataFrame, edition: Edition) -> str:
    """The phases with their first and last days, for an alt text."""
    return "; ".join(
        edition.language.text(
            "{phase} from {start} to {end}",
            phase=edition.language.pick(phase, "name"),
            start=edition.language.date(phase["start"]),
            end=edition.language.date(phase["end"]),
        )
        for _, phase in phases.iterrows()
    )


def _place(day: pd.Timestamp, first: pd.Period, *, end: bool = False) -> float:
    """Where a day stands on an axis that gives each month from `first` on a width of one."""
    month = day.to_period("M")
    return (month - first).n + (day.day - 1 + end) / month.days_in_month


def label_ends(axes: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Name each curve at its end; two that end close together are pushed apart."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.canvas.draw()
    low, high = axes.get_ylim()
    line = 13 / 72 * figure.dpi / axes.get_window_extent().height * (high - low)
    placed: list[float] = []
    for x, y, label, colour in sorted(ends, key=lambda end: end[1]):
        at = y
        if placed and at - placed[-1] < line:
            at = placed[-1] + line
        placed.append(at)
        axes.annotate(
            label, (x, at), xytext=(6, 0), textcoords="offset points", va="center",
            color=colour, fontweight="bold", bbox={"fc": "white", "ec": "none", "pad": 0.8},
        )  # fmt: skip


def money_axis(axes: Axes, unit: Unit) -> None:
    """An upright axis of amounts already divided by the scale of `unit`, which it names."""
    _amounts(axes.yaxis, unit, _steps(axes))
    axes.set_ylabel(unit.language.sentence(unit.name))


def lying_money_axis(axes: Axes, unit: Unit) -> None:
    """As `money_axis`, of the axis that lies below; the caption names the unit."""
    _amounts(axes.xaxis, unit, 6)


def _amounts(axis: Axis, unit: Unit, steps: int) -> None:
    """At most so many steps, their amounts as `unit` prints them."""
    axis.set_major_locator(MaxNLocator(steps, steps=[1, 2, 2.5, 5, 10]))
    first, second, *_ = axis.get_ticklocs()
    step = second - first
    decimals = 0 if step >= 1 and step == int(step) else 1 if step >= 0.1 else 2
    axis.set_major_formatter(FuncFormatter(lambda value, _: unit.language.number(value, decimals)))


def share_axis(axis: Axis, edition: Edition, steps: int) -> None:
    """An axis of shares (1 = all) in per cent, at most so many steps; the caption or a label says so."""
    axis.set_major_locator(MaxNLocator(steps, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(
        FuncFormatter(lambda value, _: edition.language.number(100 * value, 0))
    )


def size_axis(axes: Axes, unit: Unit) -> None:
    """An axis across of sizes on a logarithmic scale, already divided by the scale of `unit`: 1, 2, 5, 10 …"""
    axes.xaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: unit.language.number(value, 0 if value >= 1 else 2))
    )


def label_points(axes: Axes, points: list[tuple[float, float, str, bool]]) -> None:
    """Name points: place, name, whether it stands out, as those are named first; a name stands where it meets
    no point and no name that stands already, or is left out. To be called last, when all else has its place."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # the axes have their limits and their place
    scale, edge = figure.dpi / 72, axes.get_window_extent()
    places = axes.transData.transform([(x, y) for x, y, *_ in points])
    taken = [(x - 4 * scale, y - 4 * scale, x + 4 * scale, y + 4 * scale) for x, y in places]
    height = 11 * scale
    for (x, y), (at_x, at_y, name, far) in sorted(
        zip(places, points, strict=True), key=lambda own: not own[1][3]
    ):
        width = _LETTER * figure.dpi * len(name)
        for side, lift in itertools.product((1, -1), (0, 1, -1)):
            left = x + 6 * scale if side > 0 else x - 6 * scale - width
            low = y - height / 2 + lift * height
            box = left, low, left + width, low + height
            inside = edge.x0 < left and left + width < edge.x1
            if inside and not any(_meet(box, other) for other in taken):
                break
        else:
            continue
        taken.append(box)
        axes.annotate(
            printed(name), (at_x, at_y), xytext=(6 * side, 11 * lift), va="center",
            ha="left" if side > 0 else "right", textcoords="offset points", fontsize=8.5,
            fontweight="bold" if far else "normal", color=PLAN if far else "black",
            path_effects=RIMMED, zorder=6,
        )  # fmt: skip


def _meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two boxes (left, bottom, right, top) overlap."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def count_axis(axes: Axes) -> None:
    """An upright axis of whole numbers."""
    axes.yaxis.set_major_locator(MaxNLocator(_steps(axes), integer=True))


def _steps(axes: Axes) -> int:
    """How many steps an upright axis has at most: fewer in a low figure, where their figures would
    touch."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return min(5, max(2, int(figure.get_figheight() / 0.45)))


def month_axis(
    axes: Axes, months: pd.Index, edition: Edition, at: float = 0.5, *, small: bool = False
) -> None:
    """Ticks in the middle of months (`at` 1: at their ends): each, or each quarter's or half-year's
    first (of a `small` chart always); the year stands below the first of them and each January."""
    step = 6 if small or len(months) > 36 else 3 if len(months) > 12 else 1
    chosen = [index for index, month in enumerate(months) if (month.month - 1) % step == 0]
    axes.set_xticks([index + at for index in chosen])
    axes.set_xticklabels(
        [
            edition.language.month_tick(months[index])
            + (f"\n{months[index].year}" if index == chosen[0] or months[index].month == 1 else "")
            for index in chosen
        ]
    )


@functools.lru_cache(maxsize=4096)
def _measured(
    text: str, font: FontProperties, is_math: bool | Literal["TeX"]
) -> tuple[float, float, float]:
    """Width, height and depth of a text in the house style, in points."""
    return text_to_path.get_text_width_height_descent(text, font, is_math)


class _Renderer(RendererSVG):
    """matplotlib's own, which measures no text again that a chart before has measured: reading fonts is
    a third of what a chart takes."""

    def get_text_width_height_descent(
        self, s: str, prop: FontProperties, ismath: bool | Literal["TeX"]
    ) -> tuple[float, float, float]:
        return _measured(s, prop.copy(), ismath)


class _Canvas(FigureCanvasBase):
    """A canvas of an SVG in `file` with one renderer, for the layout and for the drawing."""

    def __init__(self, figure: Figure, file: io.StringIO) -> None:
        super().__init__(figure)
        width, height = figure.bbox.size
        self._renderer = _Renderer(  # type: ignore[no-untyped-call]  # no backend of matplotlib has types
            width, height, file, image_dpi=72, metadata={"Date": None, "Creator": None}
        )

    def get_renderer(self) -> _Renderer:
        return self._renderer


def outlines(figure: Figure) -> str:
    """The figure as SVG, its letters drawn as outlines, the same bytes each time.

    To be called once: it lays the figure out for good. `savefig` would draw all of it twice, once
    for nothing but the layout.
    """
    buffer = io.StringIO()
    figure.set_dpi(72)  # that of every SVG: the layout has to go by it too
    canvas = _Canvas(figure, buffer)
    for axes in figure.axes:
        for drawn in (*axes.patches, *axes.lines, *axes.collections):
            drawn.set_in_layout(False)  # clipped to the axes, so it takes no room of its own
        for axis in (axes.xaxis, axes.yaxis):
            if not axis.get_label_text():
                axis.set_label_coords(0, 0)  # else all ticks are measured to find it a place
    if engine := figure.get_layout_engine():
        engine.execute(figure)
    figure.set_layout_engine("none")
    renderer = canvas.get_renderer()
    figure.draw(renderer)
    renderer.finalize()  # type: ignore[no-untyped-call]
    svg = buffer.getvalue()
    return svg[svg.index("<svg") :]


class MissingLettersError(Exception):
    """No font of a figure has these `letters`."""

    def __init__(self, letters: list[str]) -> None:
        super().__init__(", ".join(letters))
        self.letters = letters


_TALL = 1.35  # heights to a width at most: a higher figure would not stand on a page


def own_outlines(figure: Figure) -> str:
    """A figure of an analyst as SVG, its letters drawn as outlines, the same bytes each time; as wide as
    its own size says, but for a high one, which gets white room at its sides.

    Raises MissingLettersError for letters that no font has.
    """
    buffer = io.StringIO()
    style: dict[Any, Any] = {
        "svg.fonttype": "path",
        "svg.hashsalt": "wardlib",
        "text.usetex": False,
    }
    with warnings.catch_warnings(record=True) as said, matplotlib.rc_context(style):
        warnings.simplefilter("ignore")
        warnings.filterwarnings("always", message="Glyph .* missing")
        figure.savefig(
            buffer, format="svg", bbox_inches=None, metadata={"Date": None, "Creator": None}
        )
    codes = [re.search(r"Glyph (\d+) ", str(warning.message)) for warning in said]
    if letters := [chr(int(code[1])) for code in codes if code]:
        raise MissingLettersError(list(dict.fromkeys(letters)))
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    width, height = (72 * inches for inches in figure.get_size_inches())
    if height > _TALL * width:
        room = height / _TALL
        box = f'viewBox="{(width - room) / 2:.6g} 0 {room:.6g} {height:.6g}"'
        svg = re.sub(r'viewBox="[^"]*"', box, svg, count=1)
        svg = re.sub(r' width="[^"]*pt"', f' width="{room:.6g}pt"', svg, count=1)
    return svg


def chart(
    edition: Edition,
    slug: str,
    title: str,
    alt: list[str],
    svg: str,
    frame: pd.DataFrame,
    units: Mapping[str, str],
    right: bool = False,
) -> Block:
    """The block of a chart: its title, the sentences of its alt text, its picture, and the figures
    drawn with their units. One by month has its `newest` months at the right, where a narrow screen
    shows it first; so is any other of which what matters stands at the `right`."""
    said = " ".join(alt)
    newest = right or "month" in frame
    content = {"kind": "chart", "slug": slug, "caption": title, "alt": said, "newest": newest}
    return Block(edition.of, content, said, resource(slug, frame, units, edition.about), svg)
