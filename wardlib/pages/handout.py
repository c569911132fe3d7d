"""The page to hand round: one HTML file in which a reader chooses a line and opens a month, without a script.

Everything is worked out beforehand. It shows receipts alone, which count no persons: nothing of it falls under
the plan of hiding (`data.disclosure`).
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd
from jinja2 import Template
from markupsafe import Markup

from wardlib.language import is_missing
from wardlib.pages import cleaning, html
from wardlib.pages.block import Block, paragraph
from wardlib.pages.document import Document
from wardlib.pages.effect import in_brief
from wardlib.pages.workbook import Workbook

_MONTHS = 24  # of each line that can be opened


def page(book: Workbook) -> str:
    """The page of an edition. No clock, so that the same edition gives the same bytes."""
    text, head = book.text, book.head
    title = text("The effect of COVID-19 on tax collection, line by line")
    legend = text("Choose a line")
    if span := book.effect.result.span:
        months = book.language.span_short(*span)
        legend = text("Choose a line; beside it, what can be said of {span}", span=months)
    else:
        legend = f"{legend}. {text('The period ends before the epidemic.')}"
    kept = text("This page shows receipts alone, and no count of persons.")
    sources = book.sources(), book.files(), paragraph(book, kept, note=True)
    return _template().render(
        resources={"document": Document(head.content | head.of, title, [])},
        legend=legend,
        all=text("All lines"),
        hint=text(
            "The line that is chosen is printed, with the months that are open; to print every line, "
            "choose all."
        ),
        months=text("Month by month, the newest first: each report, and what bears on it"),
        made_from=text("Sources"),
        sources=[_drawn(block) for block in sources],
        lines=list(_lines(book)),
    )


@functools.cache
def _template() -> Template:
    return html.template(
        "ward-page/index.html.j2",
        html.escape,
        html=html.escape,
        css=html.css,
        digest=html.source,
        part=html.escape,  # which the paper's own content asks for, and this page has in its place
    )


def _lines(book: Workbook) -> Iterator[dict[str, Any]]:
    """Each line: its name and depth, what can be said of it in a word or two, its blocks, its months."""
    language, effect = book.language, book.effect
    result = effect.result
    unsaid = (
        book.text("not enough evidence") if result.span else ""
    )  # before the epidemic once for all
    for place, line in enumerate(result.lines.index, 1):
        split = result.by_line.get(line)
        yield {
            "name": language.pick(result.lines.loc[line], "name"),
            "depth": result.lines["depth"][line],
            "verdict": in_brief(language, split) if split is not None else unsaid,
            "blocks": [
                _drawn(block)
                for block in (
                    effect.sentence(line),
                    _named(effect.chart(line), place),
                    effect.months_table(line),
                )
                if block is not None
            ],
            "months": list(_months(book, line)),
        }


def _named(chart: Block, place: int) -> Block:
    """The chart of the line in that place, under a name of its own on the page."""
    return replace(chart, content=chart.content | {"slug": f"{chart.content['slug']}-{place}"})


def _months(book: Workbook, line: str) -> Iterator[dict[str, Any]]:
    """The months of a line that can be opened, the newest first: name and amount, and the history."""
    language, receipts = book.language, book.effect.result.receipts
    unit, last = book.unit(0), receipts.period.last
    first = max(receipts.months.index[0], last - (_MONTHS - 1))
    for month in reversed(pd.period_range(first, last, freq="M")):
        known: Any = receipts.months[line].get(month)
        amount = book.text("not reported") if is_missing(known) else unit.amount(float(known))
        yield {
            "name": f"{language.sentence(language.month(month))}: {amount}",
            "history": _drawn(book.history.month(line, str(month))),
        }


def _drawn(block: Block) -> Markup:
    """A block as HTML. Figures and tables bear no numbers: which of them are seen is the reader's choice."""
    picture = cleaning.vector(cleaning.svg(block.svg)) if block.svg else ""
    return Markup(html.render(block.content, picture=picture))
