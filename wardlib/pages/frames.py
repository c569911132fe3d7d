"""Tables that a cell put out, as those of the workbook look: figures right, words left, no wider than paper.

pandas, its Styler, great_tables and others write tables of HTML; here they are cleaned ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from wardlib.errors import ExportError
from wardlib.pages.markup import Element, as_html, tree

_FIGURE = re.compile(
    r"[(<>≈~]?\s*[-−–+]?\s*[$€£₫]?\s*(?!0\d)\d[\d.,\u00a0\u202f\u2009 ]*(?:[eE][-+−]?\d+)?\s*(?:%|‰|₫|đ|j|[*†])*\)?"
)
_NO_FIGURE = {
    "",
    "NaN",
    "nan",
    "NaT",
    "<NA>",
    "None",
    "null",
    "...",
    "…",
    "-",
    "–",
    "—",
    "⋮",
    "inf",
    "-inf",
}
_ROWS = 3_000  # that a reader of a page bears at most: more than a hundred sheets
_PAPER = 92  # letters of 9 pt beside each other on a sheet, with what stands between columns
_BETWEEN = 1.6  # letters' widths between two columns


def dressed(fragment: str, cell: str) -> str:
    """A cleaned fragment, its tables with columns of figures set right, of words left, each in a part of
    the page that can be moved sideways; heads say what they head.

    Raises ExportError, which names the `cell`, for a table that nobody can read on paper.
    """
    if "<table" not in fragment:
        return fragment
    root = tree(fragment)
    _dress(root, cell)
    return as_html(root)


def for_paper(fragment: str) -> str:
    """A fragment as paper holds it: a table with more columns than fit stands in several, one below the
    other, each with the columns that head its rows."""
    if "<table" not in fragment:
        return fragment
    root = tree(fragment)
    _narrow(root)
    return as_html(root)


Grid = list[dict[int, Element]]  # per row the cell that stands in each column


def _dress(element: Element, cell: str) -> None:
    for at, child in enumerate(element.children):
        if not isinstance(child, Element):
            continue
        _dress(child, cell)
        if child.tag == "table":
            label = _dress_table(child, cell)
            around = {"class": "scroll", "role": "group", "tabindex": "0", "aria-label": label}
            element.children[at] = Element("div", around, [child])


def _dress_table(table: Element, cell: str) -> str:
    """Set the cells of a table; what it is called: its caption, else the heads of its columns."""
    head, body = _sections(table)
    if len(body) > _ROWS:
        raise ExportError(
            f"{cell} shows a table of {len(body)} rows, which nobody reads on paper: show a part of it "
            "(`frame.head(50)`) or its sums (`frame.groupby(…).sum()`)."
        )
    grid = _grid(body)
    columns = {at for row in grid for at in row}
    right = {at for at in columns if _holds_figures(row[at] for row in grid if at in row)}
    for rows, is_head in ((_grid(head), True), (grid, False)):
        for row in rows:
            for at, each in row.items():
                spans = _span(each, "colspan") > 1
                each.attributes.setdefault(
                    "align", "right" if at in right and not spans else "left"
                )
                if is_head and not each.text.strip():
                    each.tag = "td"  # heads nothing
                if each.tag == "th":
                    kind = "col" if is_head else "row"
                    several = spans if is_head else _span(each, "rowspan") > 1
                    each.attributes["scope"] = f"{kind}group" if several else kind
    caption = next(
        (c for c in table.children if isinstance(c, Element) and c.tag == "caption"), None
    )
    heads = [each.text.strip() for row in head for each in _cells(row)]
    return (
        " ".join((caption.text if caption else ", ".join(filter(None, heads))).split())[:200] or "…"
    )


def _sections(table: Element) -> tuple[list[Element], list[Element]]:
    """The rows of a table's head, and the others; without a `thead` the first ones that hold heads only."""
    head: list[Element] = []
    body: list[Element] = []
    for child in table.children:
        if isinstance(child, Element):
            rows = (
                [child]
                if child.tag == "tr"
                else [r for r in child.children if isinstance(r, Element)]
            )
            (head if child.tag == "thead" else body).extend(row for row in rows if row.tag == "tr")
    while not head or (body and len(head) < 4 and not any(c.tag == "thead" for c in _parts(table))):
        if not body or any(each.tag != "th" for each in _cells(body[0])):
            break
        head.append(body.pop(0))
    return head, body


def _parts(element: Element) -> list[Element]:
    return [child for child in element.children if isinstance(child, Element)]


def _cells(row: Element) -> list[Element]:
    return [each for each in _parts(row) if each.tag in ("td", "th")]


def _span(element: Element, name: str) -> int:
    given = element.attributes.get(name, "")
    return min(max(int(given), 1), 1_000) if re.fullmatch(r"[0-9]{1,6}", given) else 1


def _grid(rows: list[Element]) -> Grid:
    """The cells of rows by row and column, one that spans several in each of them."""
    grid: Grid = [{} for _ in rows]
    for at, row in enumerate(rows):
        column = 0
        for each in _cells(row):
            while column in grid[at]:
                column += 1
            for below in grid[at : at + _span(each, "rowspan")]:
                for right in range(column, column + _span(each, "colspan")):
                    below.setdefault(right, each)
            column += _span(each, "colspan")
    return grid


def _holds_figures(cells: Iterable[Element]) -> bool:
    """Whether a column is one of figures: those of rows that it heads are words."""
    texts = [(each.tag, each.text.strip()) for each in cells if _span(each, "colspan") == 1]
    said = [text for tag, text in texts if tag == "td" and text not in _NO_FIGURE]
    return bool(said) and all(map(_FIGURE.fullmatch, said))


def _narrow(element: Element) -> None:
    children: list[Element | str] = []
    for child in element.children:
        if isinstance(child, Element) and child.tag == "table":
            children += _parted(child)
        else:
            if isinstance(child, Element):
                _narrow(child)
            children.append(child)
    element.children[:] = children


_TALL = 6  # rows at most that a head of rows keeps on one page


def _parted(table: Element) -> list[Element]:
    """A table as paper holds it: the tables that it comes in."""
    head, body = _sections(table)
    grids = _grid(head), _grid(body)
    columns = sorted({at for grid in grids for row in grid for at in row})
    widths = {at: _width(at, *grids) for at in columns}
    keys = 0
    while keys < len(columns) and any(row[keys].tag == "th" for row in grids[1] if keys in row):
        keys += 1
    keys = min(keys or 1, len(columns))
    room = _PAPER - sum(widths[at] for at in columns[:keys])
    chunks: list[list[int]] = [[]]
    for at in columns[keys:]:
        if chunks[-1] and sum(widths[other] for other in chunks[-1]) + widths[at] > room:
            chunks.append([])
        chunks[-1].append(at)
    if len(chunks) > 1:  # of the same breadth, not the last one of a column or two
        each = -(-len(columns[keys:]) // len(chunks))
        even = [columns[keys + at : keys + at + each] for at in range(0, len(columns[keys:]), each)]
        if all(sum(widths[at] for at in chunk) <= room for chunk in even):
            chunks = even
    made: list[Element] = []
    for chunk in chunks:
        kept = columns[:keys] + chunk
        inside: list[Element | str] = [
            part for part in _parts(table) if part.tag == "caption" and not made
        ]
        inside += [Element("thead", {}, _rows_of(grids[0], kept))] if head else []
        inside.append(Element("tbody", {}, _rows_of(grids[1], kept)))
        made.append(Element("table", dict(table.attributes), inside))
    return made


def _width(column: int, *grids: Grid) -> float:
    """What a column takes on paper, in letters: the longest word of words, which may break, else all."""
    longest = 1
    for grid in grids:
        for row in grid:
            each = row.get(column)
            if each is None or _span(each, "colspan") > 1:
                continue
            text = each.text.strip()
            if _FIGURE.fullmatch(text):
                longest = max(longest, len(text))
            elif len(text) > longest:
                words = max(map(len, text.split()), default=0)
                longest = max(longest, min(max(words, min(len(text), 14)), 30))
    return longest + _BETWEEN


def _rows_of(grid: Grid, columns: list[int]) -> list[Element | str]:
    """The rows of a grid with these columns only. A cell that spans more rows than a page should hold
    together stands in the first of them."""
    rows: list[Element | str] = []
    before: dict[int, Element] = {}
    for row in grid:
        made: list[Element | str] = []
        for place, at in enumerate(columns):
            each = row.get(at, Element("td"))
            tall = _span(each, "rowspan") > _TALL
            if place and row.get(columns[place - 1]) is each:
                continue  # it began in a column to the left
            if before.get(at) is each:  # it began in a row above
                if tall:
                    made.append(Element("td"))
                continue
            wide = sum(row.get(other) is each for other in columns)
            attributes = {
                n: v for n, v in each.attributes.items() if n not in ("colspan", "rowspan")
            }
            if wide > 1:
                attributes["colspan"] = str(wide)
            if not tall and _span(each, "rowspan") > 1:
                attributes["rowspan"] = each.attributes["rowspan"]
            made.append(Element(each.tag, attributes, each.children))
        rows.append(Element("tr", {}, made))
        before = row
    return rows
