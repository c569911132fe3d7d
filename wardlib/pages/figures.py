"""A figure of an analyst as a chart of the page: numbered, captioned, with what it draws as data.

What is drawn is read back from the axes, so that the figures behind a chart are those that it shows.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import (
    Collection,
    LineCollection,
    PathCollection,
    PolyCollection,
    QuadMesh,
)
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer
from matplotlib.dates import AutoDateFormatter, DateConverter, DateFormatter, num2date
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle, Wedge
from matplotlib.ticker import FixedLocator

from wardlib.errors import RequestError, said
from wardlib.pages import drawing
from wardlib.pages.block import Block, resource
from wardlib.pages.edition import Edition


def figure(
    fig: Any,
    edition: Edition,
    *,
    title: str = "",
    alt: str = "",
    slug: str = "figure",
    units: Mapping[str, str] | None = None,
) -> Block:
    """A figure of matplotlib or seaborn as a chart of the page.

    `fig`: a Figure, its Axes (one or several), or what a function of seaborn returned. `edition`: the
    workbook that `wardlib.open` gave. `title` is printed below the figure, after its number; `alt` says
    what the figure shows to those who do not see it, with its main amounts. `slug`: a name of small letters
    without accents, for the file of its figures. `units`: the unit of what an axis shows, by the label of
    the axis; where it ends in brackets, as "thu (triệu đồng)", they hold it.

    The data behind it have the columns `axes`, `series`, `x`, `y`, and `value` for pictures made of
    cells: days as such, categories by their names. The figure keeps its proportions, and pyplot closes it.

    Raises RequestError where `fig` is none, where `title` or `alt` is missing, or where no font has a letter.
    """
    drawn = _figure_of(fig)
    words = {"title": title, "alt": alt}
    for name, text in words.items():
        if not isinstance(text, str) or not text.strip():
            raise RequestError(
                said(
                    'the figure has no {name}: write charts.figure(fig, book, title="…", alt="…"). The title '
                    "is printed below the figure; alt says what it shows, with its main amounts, to readers "
                    "who do not see it.",
                    name=name,
                )
            )
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug) or len(slug) > 80:
        raise RequestError(
            said(
                "{slug} cannot name a file: use small letters without accents, digits and hyphens, e.g. "
                "my-figure",
                slug=repr(slug),
            )
        )
    rows = [row for number, axes in enumerate(_axes(drawn), 1) for row in _rows(axes, number)]
    frame = _frame(rows)
    try:
        svg = drawing.own_outlines(drawn)
    except drawing.MissingLettersError as error:
        raise RequestError(
            said(
                "no font of the figure has {letters}: choose another word, or a font that has it "
                "(plt.rcParams['font.family']).",
                letters=", ".join(error.letters),
            )
        ) from None
    finally:
        pyplot.close(drawn)  # else the cell shows it a second time
    labels = _labels(drawn)
    made = resource(slug, frame, _units(labels, units or {}), edition.about)
    for described in made["schema"]["fields"]:
        if label := labels.get(described["name"]):
            described["title"] = label
    alt, title = (" ".join(text.split()) for text in (alt, title))
    content = {"kind": "chart", "slug": slug, "caption": title, "alt": alt, "newest": False}
    return Block(edition.of, content, alt, made, svg)


def _figure_of(fig: Any) -> Figure:
    """The figure that something belongs to."""
    found: Any = fig
    if isinstance(found, (np.ndarray, list, tuple)) and np.size(np.asarray(found, dtype=object)):
        found = np.ravel(np.asarray(found, dtype=object))[0]
    if not isinstance(found, Artist):  # a grid of seaborn
        found = getattr(found, "figure", None)
    if isinstance(found, Artist):
        found = found.get_figure(root=True)
    if not isinstance(found, Figure):
        raise RequestError(
            said(
                "{kind} is no figure: give a Figure or Axes of matplotlib, or what a function of seaborn "
                "returned, e.g. fig, axes = plt.subplots()",
                kind=type(fig).__name__,
            )
        )
    if not found.axes:
        raise RequestError(said("the figure is empty: draw something before charts.figure."))
    return found


def _axes(drawn: Figure) -> Iterator[Axes]:
    """Those that show data, which a bar of colours does not."""
    for axes in drawn.axes:
        if axes.axison and not hasattr(axes, "_colorbar") and axes.get_label() != "<colorbar>":
            yield axes


# -- What axes show -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Scale:
    """How the numbers along an axis read: as days, as periods of pandas, as names of categories, or as they
    are."""

    days: bool
    freq: Any
    names: Mapping[float, str]

    @classmethod
    def of(cls, axis: Axis) -> _Scale:
        converter = axis.get_converter()
        days = isinstance(converter, DateConverter) or "Date" in type(converter).__name__
        formatter = axis.get_major_formatter()
        by_pandas = type(formatter).__name__ == "TimeSeries_DateFormatter"
        freq = getattr(formatter, "freq", None) if by_pandas else None
        mapping = getattr(axis.units, "_mapping", None)  # categories, as matplotlib keeps them
        if mapping:
            return cls(False, None, {float(place): str(name) for name, place in mapping.items()})
        dated = isinstance(formatter, (AutoDateFormatter, DateFormatter))
        if dated or not isinstance(axis.get_major_locator(), FixedLocator):
            return cls(days, freq, {})
        labels = [" ".join(label.get_text().split()) for label in axis.get_ticklabels()]
        named = zip(axis.get_ticklocs(), labels, strict=False)
        return cls(days, freq, {float(p): n for p, n in named if n and not _NUMBER.fullmatch(n)})

    def read(self, values: Any) -> list[Any]:
        """Values along the axis as a table has them."""
        return [
            self._one(value) for value in np.ma.filled(np.ma.ravel(_array(values)), None).tolist()
        ]

    def _one(self, value: Any) -> Any:
        if value is None or isinstance(value, (str, pd.Period)):
            return None if value is None else str(value)
        if isinstance(value, (datetime.date, pd.Timestamp)):
            return None if value is pd.NaT else _day(value)
        try:
            number = float(value)
        except (TypeError, ValueError):
            return str(value)
        if np.isnan(number):
            return None
        if self.names:  # what stands beside a category, as a point that is moved aside, is of it
            nearest = min(self.names, key=lambda place: abs(place - number))
            if abs(nearest - number) < 0.5:
                return self.names[nearest]
        if self.freq is not None:
            return str(pd.Period(ordinal=round(number), freq=self.freq))
        return _day(num2date(number)) if self.days else number  # type: ignore[no-untyped-call]


_NUMBER = re.compile(r"[-−+]?[\d.,\s]+%?")


def _array(values: Any) -> Any:
    """Values as an array of objects where they are no numbers."""
    if isinstance(values, np.ma.MaskedArray):
        return values.astype(object)
    made = values if isinstance(values, np.ndarray) else np.asarray(values, dtype=object)
    return made.astype("datetime64[us]").astype(object) if made.dtype.kind == "M" else made


def _day(moment: Any) -> str:
    """A day, with its time where it has one."""
    if isinstance(moment, datetime.datetime) and moment.time() != datetime.time():
        return moment.strftime("%Y-%m-%dT%H:%M:%S")
    return str(moment.strftime("%Y-%m-%d"))


_Row = tuple[str, str, Any, Any, Any]  # axes, series, x, y, value


def _rows(axes: Axes, number: int) -> Iterator[_Row]:
    """What axes show, a row a point: lines, bars, points, bands, cells."""
    name = axes.get_title() or axes.get_title("left") or axes.get_title("right") or str(number)
    across, up = _Scale.of(axes.xaxis), _Scale.of(axes.yaxis)
    legend = _legend(axes)
    count = 0

    def called(artist: Any, colour: Any) -> str:
        nonlocal count
        count += 1
        label = str(artist.get_label() or "")
        return (
            label if label and not label.startswith("_") else legend.get(_hex(colour), str(count))
        )

    def points(series: str, x: Any, y: Any) -> Iterator[_Row]:
        for along, height in zip(across.read(x), up.read(y), strict=False):
            if along is not None or height is not None:
                yield name, series, along, height, None

    for container in axes.containers:
        if isinstance(container, BarContainer):
            first = container.patches[0] if container.patches else None
            series = called(container, first.get_facecolor() if first else None)
            yield from _bars(container, name, series, across, up)
    barred = {
        id(patch) for c in axes.containers if isinstance(c, BarContainer) for patch in c.patches
    }
    for patch in axes.patches:
        if id(patch) not in barred and patch.get_transform().contains_branch(axes.transData):
            yield from _outline(patch, called, points)
    for line in axes.lines:
        x: Any = line.get_xdata(orig=True)
        y: Any = line.get_ydata(orig=True)
        if not np.size(x):
            continue  # an entry of a legend
        whole = line.get_transform().contains_branch_seperately(axes.transData)
        if not all(whole):  # a line over the whole width or height: at one place only
            x, y = (x if whole[0] else [None]), (y if whole[1] else [None])
            x, y = np.asarray(x, dtype=object)[:1], np.asarray(y, dtype=object)[:1]
        yield from points(called(line, line.get_color()), x, y)
    for collection in axes.collections:
        yield from _collected(collection, name, called, points, across, up)
    for image in axes.images:
        if (
            isinstance(image, AxesImage)
            and (cells := image.get_array()) is not None
            and cells.ndim == 2
        ):
            left, right, bottom, top = image.get_extent()
            high, wide = cells.shape
            x = left + (np.arange(wide) + 0.5) * (right - left) / wide
            y = np.arange(high) + 0.5
            y = (
                top + y * (bottom - top) / high
                if image.origin == "upper"
                else bottom + y * (top - bottom) / high
            )
            yield from _cells(name, across.read(x), up.read(y), cells)


def _hex(colour: Any) -> str:
    try:
        return to_hex(colour)
    except (TypeError, ValueError):
        return ""


def _legend(axes: Axes) -> dict[str, str]:
    """The names in the legend by their colour: seaborn names its lines there alone."""
    drawn = axes.get_figure(root=True)
    legends = [axes.get_legend(), *(drawn.legends if isinstance(drawn, Figure) else [])]
    found: dict[str, str] = {}
    for legend in filter(None, legends):
        for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=False):
            colour: Any = None
            if isinstance(handle, Line2D):
                colour = handle.get_color()
            elif isinstance(handle, (Patch, Collection)):
                colour = handle.get_facecolor()
                colour = colour[0] if np.ndim(colour) == 2 and len(colour) else colour
            found.setdefault(_hex(colour), text.get_text())
    found.pop("", None)
    return found


def _bars(
    container: BarContainer, name: str, series: str, across: _Scale, up: _Scale
) -> Iterator[_Row]:
    lying = container.orientation == "horizontal"
    for patch in container.patches:
        if lying:
            middle, end = patch.get_y() + patch.get_height() / 2, patch.get_width()
            yield name, series, end, up.read([round(middle, 9)])[0], None
        else:
            middle, end = patch.get_x() + patch.get_width() / 2, patch.get_height()
            yield name, series, across.read([round(middle, 9)])[0], end, None


def _outline(patch: Patch, called: Any, points: Any) -> Iterator[_Row]:
    """A patch that is no bar: a slice of a pie by its share, a step or a box by its corners."""
    if isinstance(patch, Wedge):
        share = round((patch.theta2 - patch.theta1) / 360, 12)
        yield from points(called(patch, patch.get_facecolor()), [None], [share])
        return
    if isinstance(patch, Rectangle):
        left, bottom = patch.get_xy()
        corners = np.array(
            [[left, bottom], [left + patch.get_width(), bottom + patch.get_height()]]
        )
    else:
        corners = np.asarray(patch.get_path().vertices)
    yield from points(called(patch, patch.get_facecolor()), corners[:, 0], corners[:, 1])


def _collected(
    collection: Collection, name: str, called: Any, points: Any, across: _Scale, up: _Scale
) -> Iterator[_Row]:
    if isinstance(collection, PathCollection):
        places: Any = np.ma.asarray(collection.get_offsets())
        if len(places):
            yield from _scattered(collection, places, called, points)
    elif isinstance(collection, LineCollection):
        segments = [segment for segment in collection.get_segments() if len(segment)]
        if segments:
            series = called(collection, collection.get_color()[0])
            for segment in segments:
                yield from points(series, np.asarray(segment)[:, 0], np.asarray(segment)[:, 1])
    elif isinstance(collection, QuadMesh):
        corners = np.asarray(collection.get_coordinates())
        middles = (corners[:-1, :-1] + corners[1:, 1:]) / 2
        cells = np.ma.asarray(collection.get_array()).reshape(middles.shape[:2])
        yield from _cells(name, across.read(middles[0, :, 0]), up.read(middles[:, 0, 1]), cells)
    elif isinstance(collection, PolyCollection):
        for path in collection.get_paths():
            corners = np.asarray(path.vertices)
            yield from points(called(collection, _first(collection)), corners[:, 0], corners[:, 1])


def _first(collection: Collection) -> Any:
    colours = collection.get_facecolor()
    return colours[0] if np.ndim(colours) == 2 and len(colours) else colours


def _scattered(collection: PathCollection, places: Any, called: Any, points: Any) -> Iterator[_Row]:
    """Points; those of a colour are a series where a legend names the colours."""
    colours = np.atleast_2d(np.asarray(collection.get_facecolor()))
    if len(colours) != len(places) or collection.get_array() is not None:
        yield from points(called(collection, _first(collection)), places[:, 0], places[:, 1])
        return
    names = [_hex(colour) for colour in colours]
    for colour in dict.fromkeys(names):
        some = places[[each == colour for each in names]]
        yield from points(called(collection, colour), some[:, 0], some[:, 1])


def _cells(name: str, x: list[Any], y: list[Any], cells: Any) -> Iterator[_Row]:
    filled: Any = np.ma.filled(np.ma.asarray(cells, dtype=float), np.nan)
    for up, row in zip(y, filled, strict=True):
        for across, value in zip(x, row, strict=True):
            yield name, "", across, up, None if np.isnan(value) else float(value)


def _frame(rows: list[_Row]) -> pd.DataFrame:
    """The rows as a table; a column of figures is one of numbers, any other of texts."""
    frame = pd.DataFrame(rows, columns=["axes", "series", "x", "y", "value"], dtype=object)
    if frame["value"].isna().all():
        frame = frame.drop(columns="value")
    for column in frame.columns[2:]:
        known = frame[column].dropna()
        if len(known) and all(isinstance(v, str) and _DAY.match(v) for v in known):
            frame[column] = pd.to_datetime(frame[column], format="%Y-%m-%d")
        elif known.map(lambda value: isinstance(value, str)).any():
            frame[column] = frame[column].map(_as_text, na_action="ignore")
        else:
            frame[column] = frame[column].astype(float)
    return frame


_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.12g}"


def _labels(drawn: Figure) -> dict[str, str]:
    """The label of the columns x and y, where all axes that have one have the same."""
    found: dict[str, str] = {}
    for column, get in (("x", Axes.get_xlabel), ("y", Axes.get_ylabel)):
        labels = {" ".join(label.split()) for axes in _axes(drawn) if (label := get(axes))}
        if len(labels) == 1:
            found[column] = labels.pop()
    return found


def _units(labels: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The unit of a column, from those given by label or from the brackets that end the label."""
    found = {}
    for column, label in labels.items():
        brackets = re.search(r"\(([^()]+)\)$", label)
        if label in given or brackets:
            found[column] = given[label] if label in given else brackets[1] if brackets else ""
    return found
