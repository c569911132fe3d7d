"""Explorer: a doubt answered by moving a control: chart, table and sentence of some lines as they stand, and
beside them what if. The only user of ipywidgets.

It computes nothing: what it shows are the blocks of `book.effect` and `book.history`, and the cell that it
writes gives the same ones. A control that moves leaves a note; once no more notes come in, all of it is
drawn once, as the controls stand by then.
"""

from __future__ import annotations

import asyncio
import functools
import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, NamedTuple
from urllib.parse import quote

import ipywidgets as widgets  # type: ignore[import-untyped]  # ships no types
import pandas as pd
from IPython.display import display
from jinja2 import Template
from markupsafe import Markup

from wardlib.analysis.counterfactual import LEVEL, LONGEST, SHORTEST
from wardlib.data import book as books
from wardlib.data import descriptors
from wardlib.errors import RequestError, WardError
from wardlib.language import Language
from wardlib.pages import html, screen
from wardlib.pages.block import Block, as_csv
from wardlib.pages.document import CONTROLS
from wardlib.pages.workbook import open_workbook
from wardlib.periods import Period, periods_of

QUIET = (
    0.02  # seconds without a note after which all that waited in the kernel's queue has been heard
)
_SHARES = tuple(percent / 100 for percent in range(0, 101, 5))
_LEVELS = (0.8, 0.9, 0.99)
_MONTHS = 36  # that can be opened, as many as the chart shows
_LETTERS, _LEADING = 92, 13  # of a line below a picture: how many, how many points high
_INDENT = "\N{EM SPACE}"  # a blank that a list of the browser keeps


class Call(NamedTuple):
    """A call that gives a block: of `book` or of `what_if`, under assumptions; of a method of one of its pages."""

    book: str
    method: str
    given: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.book}.{self.method}({', '.join(map(_literal, self.given))})"


@dataclass(frozen=True)
class Choice:
    """What the controls say: an edition (see `wardlib.open`), `lines`, what is `supposed` (see
    `Workbook.suppose`), the `month` that is opened and the day `since` which changes are shown, "" for none."""

    ward: str
    period: str
    language: str
    as_of: str
    lines: tuple[str, ...]
    supposed: dict[str, Any]
    month: str
    since: str

    @property
    def calls(self) -> list[Call]:
        """What is shown, in its order."""
        kinds = ("sentence", "chart", "months_table")
        books = ("book", "what_if") if self.supposed else ("book",)
        shown = [
            Call(book, f"effect.{kind}", (line,))
            for line in self.lines
            for book in books
            for kind in kinds
        ]
        if self.month:
            shown += [Call("book", "history.month", (line, self.month)) for line in self.lines]
        if self.since:
            shown.append(Call("book", "history.changed", (self.since,)))
        return shown

    @property
    def cell(self) -> str:
        """A notebook's cell that shows the same blocks."""
        given = (self.ward, self.period, self.language, *filter(None, (self.as_of,)))
        lines = ["import wardlib", "", f"book = wardlib.open({', '.join(map(_literal, given))})"]
        if self.supposed:
            named = (f"{name}={_literal(value)}" for name, value in self.supposed.items())
            lines.append(f"what_if = book.suppose({', '.join(named)})")
        return "\n".join([*lines, "book.show(", *(f"    {call}," for call in self.calls), ")"])

    @property
    def command(self) -> str:
        """The line for a terminal that makes the briefings of the edition."""
        as_of = f" --as-of {self.as_of}" if self.as_of else ""
        return f"ward run {self.period} --ward {self.ward} --language {self.language}{as_of}"


class Explorer:
    """The controls and what they show; a notebook displays it as a cell's last expression.

    `choice`: what the controls say. `blocks`: what is shown of it, by its call (see `Choice.calls`). Where
    it was refused, `error` says why: what is supposed gives way to it, and what stands is shown; of an
    edition that there is not nothing is. A control is a widget, and can be set by a program too.
    """

    def __init__(self, ward: str, period: str, code: str, as_of: str) -> None:
        """Raises what `wardlib.open` raises."""
        self.book = open_workbook(ward, period, code, as_of)
        self.blocks: dict[Call, Block] = {}
        self.error = ""
        self._language = code
        self._opened = self._place = (self.book.ward.id, period, as_of)
        self._days = (
            {ward: [as_of]} if as_of else {}
        )  # asked for, though nothing was reported on it
        self._standing: dict[Call, Block] = {}  # what was shown of this book
        self._rendered: dict[tuple[str, str], tuple[list[Block], str]] = {}  # of a line and book
        self._setting = False
        self._noted = 0
        self._waiting: asyncio.Task[None] | None = None
        self._panels: list[tuple[Any, Any]] = []
        self._make()
        self._offer_editions(ward, period, as_of)
        self._offer_lines()
        self.redraw()

    def _make(self) -> None:
        """The controls, which have nothing to offer as yet, and the places of what they show."""
        text = self.book.text
        self.ward = self._control(widgets.Dropdown, text("Ward"))
        self.period = self._control(widgets.Dropdown, text("Reporting period"))
        self.as_of = self._control(widgets.Dropdown, text("As known on"))
        self.lines = self._control(widgets.SelectMultiple, text("Lines (one or several)"), rows=8)
        self.start = self._control(widgets.Dropdown, text("Effect begins in"))
        as_given = text("as recorded")
        percent = self.book.language.percent
        self.share = self._control(
            widgets.SelectionSlider,
            text("Share put off"),
            options=[(as_given, ""), *((percent(share), share) for share in _SHARES)],
        )
        self.level = self._control(
            widgets.SelectionSlider,
            text("Interval"),
            options=[(percent(level), level) for level in sorted((*_LEVELS, LEVEL))],
            value=LEVEL,
        )
        self.phases: dict[str, Any] = {}  # by its id, whether only it and such others count
        self.years: dict[int, Any] = {}  # by year, whether it is left out
        self.since = self._control(widgets.Dropdown, text("Changed since"))
        self.month = self._control(widgets.ToggleButtons, text("Open a month"))
        self.clear = widgets.Button(description=text("Suppose nothing"))
        self.clear.on_click(lambda _: self.suppose_nothing())
        self._head, self._alert, self._told, self._changed = (widgets.HTML() for _ in range(4))
        self._phases, self._years = widgets.VBox(), widgets.VBox()
        self._views = widgets.VBox()
        self._cell = widgets.Textarea(description=text("Cell for a notebook of your own"), rows=7)
        self._command = widgets.Text(description=text("Command for all briefings"))
        supposed = [
            self.start,
            _named(text("Only these phases"), self._phases),
            self.share,
            _named(text("Without the years"), self._years),
            self.level,
            self.clear,
        ]
        what_if = _named(text("What if"), widgets.VBox(supposed))
        controls = widgets.VBox(
            [self.ward, self.period, self.as_of, self.lines, what_if, self.since]
        )
        shown = widgets.VBox(
            [self._head, self._alert, self._views, self.month, self._told, self._changed, self._cell,
             self._command]
        )  # fmt: skip
        controls.add_class("ward-controls")
        shown.add_class("ward-shown")
        self.box = widgets.Box([controls, shown])
        self.box.add_class("ward-explorer")

    def _control(self, kind: Callable[..., Any], label: str, **given: Any) -> Any:
        """A control that leaves a note when it is moved."""
        made = kind(description=label, **given)
        made.observe(self._note, "value")
        return made

    def _check(self, label: str, checked: bool) -> Any:
        return self._control(widgets.Checkbox, label, value=checked, indent=False)

    def __repr__(self) -> str:
        return f"{type(self).__name__}\n{self.choice.cell}"

    def _ipython_display_(self) -> None:
        dress = {"text/html": _dress(), "text/plain": ""}
        display(dress, raw=True, metadata={CONTROLS: True})  # type: ignore[no-untyped-call]  # IPython's has no types
        display(self.box)  # type: ignore[no-untyped-call]

    # What the controls offer.

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """Without notes: what is set now belongs to what is being drawn."""
        self._setting = True
        try:
            yield
        finally:
            self._setting = False

    def _offer_editions(self, ward: str, period: str, as_of: str) -> None:
        """Wards, and the periods and days of this one; a period that it has not gives way to its newest of
        that kind, a day that it has not to the newest."""
        words = self.book.language
        every = books.load(descriptors.ward(ward), "receipts", every_report=True)
        periods, days = [period], []
        if every is not None:
            periods = [str(one) for one in periods_of(every["month"].unique())] or periods
            days = [str(day.date()) for day in every["reported_on"].unique()]
        if period not in periods:
            part = Period.parse(period).part
            alike = (name for name in periods if Period.parse(name).part == part)
            period = next(alike, periods[0])
        days += self._days.get(ward, [])
        days = sorted(set(days), reverse=True)
        named = [(f"{name}: {Period.parse(name).name(words)}", name) for name in periods]
        newest = (self.book.text("the newest"), "")
        with self._quietly():
            _offer(self.ward, list(_wards(words)), ward)
            _offer(self.period, named, period)
            _offer(self.as_of, [newest, *((self._day(day), day) for day in days)], as_of)

    def _day(self, day: str) -> str:
        return self.book.language.date(pd.Timestamp(day).date())

    def _offer_lines(self) -> None:
        """Lines, starts, phases, years, months and earlier days of the book; what was chosen stays where the
        book has it."""
        book, words, text = self.book, self.book.language, self.book.text
        result = book.effect.result
        self._lines = result.lines
        lines, months, phases = result.receipts.lines, result.receipts.months.index, result.phases
        last, epidemic = result.period.last, result.start
        with self._quietly():
            kept = tuple(line for line in self.lines.value if line in lines.index)
            named = zip(lines["depth"], lines[f"name_{words.code}"], lines.index, strict=True)
            self.lines.options = [(_INDENT * depth + name, line) for depth, name, line in named]
            self.lines.value = kept or (result.root,)
            starts = [str(month) for month in months[SHORTEST:] if month <= last]
            recorded = f": {words.month_short(epidemic)}" if epidemic else ""
            offered = [(text("as recorded") + recorded, "")]
            offered += [(words.month_short(pd.Period(month)), month) for month in starts]
            _offer(self.start, offered, self.start.value)
            ids, names_of = list(phases["id"]), list(phases[f"name_{words.code}"])
            begun = [
                (code, name)
                for code, name, start in zip(ids, names_of, phases["start"], strict=True)
                if start <= last.end_time
            ]
            checked = {code for code, box in self.phases.items() if box.value}
            self.phases = {code: self._check(name, code in checked) for code, name in begun}
            self._phases.children = tuple(self.phases.values())
            earlier = [day for _, day in self.as_of.options if day and day < str(book.day)]
            offered = [("–", ""), *((self._day(day), day) for day in earlier)]
            _offer(self.since, offered, self.since.value)
        self._offer_months()
        self._offer_years()

    def _offer_years(self) -> None:
        """The years with a month that the estimate learns from: before the start, or what is supposed to be it."""
        result = self.book.effect.result
        begin = pd.Period(self.start.value) if self.start.value else result.start
        begin = begin or result.period.last
        months = result.receipts.months.index
        years = sorted({month.year for month in months if begin - LONGEST <= month < begin})
        if years != list(self.years):
            left = {year for year, box in self.years.items() if box.value}
            self.years = {year: self._check(str(year), year in left) for year in years}
            self._years.children = tuple(self.years.values())

    def _offer_months(self) -> None:
        """The months from the start, or what is supposed to be it, to the end of the period."""
        result, words = self.book.effect.result, self.book.language
        last = result.period.last
        starts = [result.period.first, *filter(None, (result.start,))]
        if self.start.value:
            starts.append(pd.Period(self.start.value))
        first = max(min(starts), last - (_MONTHS - 1))
        months = pd.period_range(first, last, freq="M")
        offered = [("–", ""), *((words.month_short(month), str(month)) for month in months)]
        with self._quietly():
            if [value for _, value in self.month.options] != [value for _, value in offered]:
                _offer(self.month, offered, self.month.value)

    # What the controls say.

    @property
    def choice(self) -> Choice:
        supposed: dict[str, Any] = {}
        if self.start.value:
            supposed["start"] = self.start.value
        if phases := tuple(code for code, box in self.phases.items() if box.value):
            supposed["phases"] = phases
        if self.share.value != "":
            supposed["share"] = self.share.value
        if years := tuple(year for year, box in self.years.items() if box.value):
            supposed["leave_out"] = years
        if self.level.value != LEVEL:
            supposed["level"] = self.level.value
        edition = (self.ward.value, self.period.value, self._language, self.as_of.value)
        lines = tuple(self.lines.value) or tuple(value for _, value in self.lines.options[:1])
        if supposed:  # no other line is estimated anew
            supposed["lines"] = lines
        return Choice(*edition, lines, supposed, self.month.value, self.since.value)

    @property
    def _stands(self) -> Choice:
        """The same, with nothing supposed."""
        return replace(self.choice, supposed={})

    def suppose_nothing(self) -> None:
        """Take back all that is supposed."""
        with self._quietly():
            self.start.value, self.share.value, self.level.value = "", "", LEVEL
            for box in (*self.phases.values(), *self.years.values()):
                box.value = False
        self._note(None)

    def _note(self, _: Any) -> None:
        """A control was moved. Where a loop of events runs, as in a kernel, drawing waits until no more notes
        come: what was drawn for a value that is no longer asked for would only hold up the newest."""
        if self._setting:
            return
        self._noted += 1
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.redraw()
            return
        if self._waiting is None:
            self._waiting = loop.create_task(self._soon())

    async def _soon(self) -> None:
        heard = -1
        while heard != self._noted:
            heard = self._noted
            await asyncio.sleep(QUIET)
        self._waiting = None
        self.redraw()

    # What they show.

    def redraw(self) -> None:
        """Show what the controls say now, all of it together; where that is refused, the error in place of
        what is."""
        self.blocks, self.error = {}, ""
        try:
            self._reopen()
            self._offer_months()
            self._offer_years()
            self.blocks = self._blocks(self._stands)
            self.blocks = self._blocks(self.choice)
        except WardError as refused:
            self.error = self._refusal(refused)
        except Exception as failed:  # whatever it is, the chart of before must not stand for it
            self.error = f"{type(failed).__name__}: {failed}"
            raise
        finally:
            self._place_all()

    def _reopen(self) -> None:
        """Open the edition that the controls name, if it is another one."""
        asked = self.ward.value, self.period.value, self.as_of.value
        if asked[0] != self._place[0]:
            self._offer_editions(*asked)
            asked = self.ward.value, self.period.value, self.as_of.value
        self._place = asked
        if asked != self._opened:
            working = html.escape(self.book.text("Working it out …"))
            self._alert.value = f'<p role="status">{working}</p>'
            self.book = open_workbook(asked[0], asked[1], self._language, asked[2])
            self._opened, self._standing, self._rendered = asked, {}, {}
            self._offer_lines()

    def _blocks(self, choice: Choice) -> dict[Call, Block]:
        """What a choice shows, but for what has nothing to say; of what stands only what was not shown before is
        made."""
        books = {"book": self.book}
        if choice.supposed:
            books["what_if"] = self.book.suppose(**choice.supposed)
        made: dict[Call, Block] = {}
        for call in choice.calls:
            block = self._standing.get(call)
            if block is None:
                block = attrgetter(call.method)(books[call.book])(*call.given)
            if block is not None:
                made[call] = block
        self._standing |= {call: block for call, block in made.items() if call.book == "book"}
        return made

    def _refusal(self, refused: WardError) -> str:
        """What an error says, in the language, and what was most likely meant."""
        words = self.book.language
        told = [refused.told(words)]
        if isinstance(refused, RequestError):
            told += refused._last(words)
        return words.sentence("\n".join(told))

    def _place_all(self) -> None:
        """Put what is shown in its place."""
        choice = self._stands if self.error else self.choice
        shown = [self._panel(line) for line in choice.lines] if self.blocks else []
        while len(self._panels) < len(shown):
            pair = widgets.HTML(), widgets.HTML()
            self._panels.append((widgets.Box(pair).add_class("ward-pair"), pair))
        for (_, pair), panel in zip(self._panels, shown, strict=False):
            for place, text in zip(pair, panel, strict=True):
                _put(place, text)
        # The head without its word on how to have another edition, as here are the controls.
        head = self.book.head
        kept: dict[str, Any] = {"shown": ""} | ({} if self.blocks else {"lines": []})
        _put(self._head, self._drawn(replace(head, content=head.content | kept)))
        for place, method in ((self._told, "history.month"), (self._changed, "history.changed")):
            drawn = (self._whole(call) for call in self.blocks if call.method == method)
            _put(place, "".join(drawn))
        boxes = tuple(box for box, _ in self._panels[: len(shown)])
        if self._views.children != boxes:
            self._views.children = boxes
        _put(self._cell, choice.cell if self.blocks else "")
        _put(self._command, choice.command if self.blocks else "")
        _put(self._alert, self.error and f'<p role="alert">{html.escape(self.error)}</p>')

    def _panel(self, line: str) -> tuple[str, str]:
        """How a line stands, and what if ("" where nothing is supposed), as HTML."""
        text = self.book.text
        stands = self._side(line, "book", text("As it stands"))
        return stands, self._side(line, "what_if", text("What if"))

    def _side(self, line: str, book: str, title: str) -> str:
        of_line = [call for call in self.blocks if call.book == book and call.given == (line,)]
        calls = [call for call in of_line if call.method.startswith("effect.")]
        blocks = [self.blocks[call] for call in calls]
        before, made = self._rendered.get((line, book), ([], ""))
        if [*map(id, blocks)] != [*map(id, before)]:
            mark, words = blocks[0].of["assumptions"] if blocks else "", self.book.language
            shown = [Markup(self._whole(call, mark)) for call in calls]
            named = words.pick(self._lines.loc[line], "name")
            made = (
                _template().render(title=title, line=named, mark=mark, shown=shown)
                if blocks
                else ""
            )
            self._rendered[line, book] = blocks, made
        return made

    def _whole(self, call: Call, mark: str = "") -> str:
        """A block as `_drawn`, and below it its files."""
        block = self.blocks[call]
        links = "".join(
            f'<a download="{html.escape(name)}" href="{address}">{html.escape(label)}</a> '
            for label, name, address in self._files(call, block)
        )
        return self._drawn(block, mark) + (links and f'<p class="files">{links}</p>')

    def _drawn(self, block: Block, mark: str = "") -> str:
        """A block as a cell would show it, but for the mark of what is supposed, which its panel bears; what
        is named as the one beside it, after that mark."""
        of = block.of | {"assumptions": ""}
        drawn = screen.render(block.content | {"of": of}, block.svg, self._language)
        named = f'aria-label="{html.escape(mark)}. ' if mark else 'aria-label="'
        return drawn.replace('aria-label="', named)

    def _files(self, call: Call, block: Block) -> list[tuple[str, str, str]]:
        """The files that can be taken of a chart or a table: what a link says, a name, an address that holds
        the file itself, so that no server is asked."""
        text = self.book.text
        if block.figures is None:
            return []
        about = call.given if call.method != "history.changed" else ("since-" + call.given[0],)
        supposed = _supposed_name(self.choice.supposed) if call.book == "what_if" else ""
        parts = *self._opened, supposed, *about, block.content["slug"]
        name = ".".join(filter(None, parts))
        made = []
        if block.svg:
            svg = _with_words(screen.smaller(block.svg), *self._words(block))
            made.append((text("Picture (SVG)"), f"{name}.svg", _address("image/svg+xml", svg)))
        rows = as_csv(block.figures)
        return [*made, (text("Figures (CSV)"), f"{name}.csv", _address("text/csv", rows))]

    def _words(self, block: Block) -> tuple[str, str, list[str]]:
        """Of a picture its title, what it shows to those who do not see it, and what it is not to be parted
        from: of whom and when it is, its marks."""
        about = f"{self.book.ward_name} · {self.book.period_name}. {self.book.known}."
        lines = [about, self.book.mark, block.of["assumptions"]]
        return block.content["caption"], block.content["alt"], [*filter(None, lines)]


def _wards(words: Language) -> Iterator[tuple[str, str]]:
    """The names of wards that have receipts, each with its code; those whose descriptor cannot be read are left
    out."""
    for code in descriptors.names():
        with suppress(WardError):
            if (ward := descriptors.ward(code)).table("receipts") is not None:
                yield words.pick(ward, "name"), code


def _offer(control: Any, options: list[tuple[str, str]], value: str | None) -> None:
    """Have a control offer something else; the value where that is offered, else the first."""
    if tuple(control.options) != tuple(options):
        control.options = options
    control.value = value if value in dict(options).values() else options[0][1]


def _put(place: Any, text: str) -> None:
    """Show a text where it is not shown already, as each is sent to the browser."""
    if place.value != text:
        place.value = text


def _named(title: str, box: Any) -> Any:
    return widgets.VBox([widgets.HTML(f"<p>{html.escape(title)}</p>"), box])


def _literal(value: Any) -> str:
    """A value as Python writes it, a text in double quotes.

    >>> _literal(("nonstate",)), _literal(0.6), _literal((2017, 2018))
    ('("nonstate",)', '0.6', '(2017, 2018)')
    """
    return re.sub(r"'([^'\"\\]*)'", r'"\1"', repr(value))


def _supposed_name(supposed: dict[str, Any]) -> str:
    """What is supposed, but for the lines, as a part of a file's name.

    >>> _supposed_name({"start": "2020-03", "share": 0.6, "leave_out": (2017, 2018), "lines": ("fees",)})
    'what-if_start-2020-03_share-0.6_leave-out-2017-2018'
    """
    told = ["what-if"]
    for name, value in supposed.items():
        if name != "lines":
            values = value if isinstance(value, tuple) else (value,)
            told.append("-".join([name, *map(str, values)]))
    return re.sub(r"[^\w.-]", "-", "_".join(part.replace("_", "-") for part in told))


def _address(kind: str, text: str) -> str:
    """An address that holds a file."""
    return f"data:{kind};charset=utf-8,{quote(text)}"


def _with_words(svg: str, title: str, alt: str, lines: list[str]) -> str:
    """A picture as a file: what it shows for those who do not see it, and below it its title and `lines`, so
    that it is not parted from them wherever it goes."""
    sides = re.compile(r'(width|height)="([\d.]+)pt"')
    width, height = (float(side) for _, side in sides.findall(svg)[:2])
    svg = sides.sub(r'\1="\2"', svg, count=2)  # inside another picture they count in its units
    below = [part for line in (title, *lines) for part in textwrap.wrap(line, _LETTERS)]
    whole = height + _LEADING * (len(below) + 0.5)
    words = "".join(
        f'<text x="6" y="{height + _LEADING * row:g}" font-size="9">{html.escape(part)}</text>'
        for row, part in enumerate(below, 1)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}pt" height="{whole:g}pt" role="img" '
        f'viewBox="0 0 {width:g} {whole:g}" font-family="sans-serif"><title>{html.escape(title)}</title>'
        f"<desc>{html.escape(alt)}</desc>"
        f'<rect width="100%" height="100%" fill="white"/>{svg}{words}</svg>'
    )


@functools.cache
def _template() -> Template:
    return html.template("screen/panel.html.j2", html.escape)


@functools.cache
def _dress() -> str:
    """Style and script of the explorer, which stand before its widgets."""
    return html.template("screen/explorer.html.j2", html.escape).render()
