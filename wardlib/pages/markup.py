"""A fragment of cleaned HTML (see `cleaning.html`) as Typst, and the pictures that it holds: prose and what
a cell put out are one text for both pages, so that these cannot differ."""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from wardlib.pages import cleaning, terminal, typst

_VOID = {"br", "col", "hr", "img", "wbr"}
_INLINE = {
    "a", "abbr", "b", "br", "cite", "code", "del", "dfn", "em", "i", "img", "ins", "kbd", "mark", "q",
    "s", "samp", "small", "span", "strong", "sub", "sup", "u", "var", "wbr",
}  # fmt: skip
_WRAPPED = {  # in a function of Typst
    "b": "strong", "strong": "strong", "em": "emph", "i": "emph", "cite": "emph", "dfn": "emph",
    "var": "emph", "u": "underline", "ins": "underline", "s": "strike", "del": "strike", "sub": "sub",
    "sup": "super", "mark": "highlight", "small": "text(0.85em)",
}  # fmt: skip
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_SPACE = re.compile(r"[ \t\n\r\f]+")
_SPAN = 100  # columns or rows at most that a cell says to take
_PICTURE = re.compile(r"data:image/([a-z]+)(?:\+xml)?;base64,(.*)", re.DOTALL)


@dataclass
class Element:
    """A tag with its attributes, and what stands in it: elements and texts."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)

    def elements(self) -> Iterator[Element]:
        """Those in it, at any depth, in their order."""
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child.elements()

    @property
    def text(self) -> str:
        """Its words."""
        return "".join(
            child if isinstance(child, str) else "\n" if child.tag == "br" else child.text
            for child in self.children
        )


class _Reader(HTMLParser):
    """Reads a cleaned fragment, whose tags all close, into `root`."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Element("div")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if len(self._open) > 1 and self._open[-1].tag == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def tree(fragment: str) -> Element:
    """A cleaned fragment as a `div` of elements and texts."""
    reader = _Reader()
    reader.feed(fragment)
    reader.close()
    return reader.root


def as_html(root: Element) -> str:
    """What stands in an element, as HTML."""
    return "".join(map(_html, root.children))


def _html(node: Element | str) -> str:
    if isinstance(node, str):
        return html.escape(node, quote=False)
    given = "".join(f' {name}="{html.escape(value)}"' for name, value in node.attributes.items())
    inner = "" if node.tag in _VOID else f"{as_html(node)}</{node.tag}>"
    return f"<{node.tag}{given}>{inner}"


def pictures(fragment: str) -> dict[str, bytes]:
    """The pictures that a fragment holds, by the name under which `as_typst` draws them."""
    found = (_picture(each) for each in tree(fragment).elements() if each.tag == "img")
    return dict(filter(None, found))


def _picture(element: Element) -> tuple[str, bytes] | None:
    """Name and bytes of a picture; None of one that the fragment does not hold."""
    held = _PICTURE.fullmatch(element.attributes.get("src", ""))
    if held is None:
        return None
    content = base64.b64decode(held[2])
    return f"{hashlib.sha256(content).hexdigest()[:16]}.{held[1]}", content


def as_typst(fragment: str) -> str:
    """A cleaned fragment as Typst. A picture is the file that `pictures` names; a heading of level 2 is one
    of level 1 there, as the title stands above all."""
    return _blocks(tree(fragment).children)


def _is_inline(node: Element | str) -> bool:
    return isinstance(node, str) or node.tag in _INLINE


def _blocks(nodes: Iterable[Element | str]) -> str:
    """Paragraphs, lists and tables, one below the other."""
    made = []
    for inline, group in itertools.groupby(nodes, _is_inline):
        if inline:
            made.append(_line(group))
        else:
            made += [_block(node) for node in group if isinstance(node, Element)]
    return "\n\n".join(block for block in made if block.strip())


def _block(element: Element) -> str:
    inner = element.children
    match element.tag:
        case "p" | "dt" | "caption" | "figcaption" | "summary":
            line = _line(inner)
            return line if element.tag == "p" or not line.strip() else f"#strong[{line}]"
        case tag if tag in _HEADINGS:
            line = _line(inner)
            level = max(_HEADINGS[tag] - 1, 1)
            return f"#heading(level: {level})[{line}]" if line.strip() else ""
        case "ul" | "ol":
            return _list(element)
        case "blockquote":
            return f"#quote(block: true)[{_blocks(inner)}]"
        case "dd":
            return f"#pad(left: 1cm)[{_blocks(inner)}]"
        case "pre":
            if not any(element.elements()):
                return typst.printed_lines(element.text.removesuffix("\n"))
            return typst.printed_marks(element.text, _marks(element))
        case "hr":
            return "#line(length: 100%, stroke: 0.5pt)"
        case "table":
            return _table(element)
        case _:
            return _blocks(inner)


def _list(element: Element) -> str:
    items = [each for each in element.children if isinstance(each, Element)]
    loose = any(
        isinstance(node, Element) and node.tag == "p" for item in items for node in item.children
    )
    start = element.attributes.get("start", "")
    given = [
        *(
            [f"start: {start}"]
            if element.tag == "ol" and re.fullmatch(r"\d{1,9}", start, re.A)
            else []
        ),
        *(["tight: false"] if loose else []),
        *(f"[{_blocks([item] if item.tag != 'li' else item.children)}]" for item in items),
    ]
    return f"#{'enum' if element.tag == 'ol' else 'list'}({', '.join(given)})"


def _line(nodes: Iterable[Element | str]) -> str:
    """What stands in a line of text; a block in it (of HTML that nests them so) on lines of its own."""
    return "".join(
        _words(node) if isinstance(node, str) else _inline(node) if _is_inline(node)
        else f"\n\n{_block(node)}\n\n"
        for node in nodes
    )  # fmt: skip


def _words(text: str) -> str:
    """A text whose white space is one space each; Typst itself drops those where a line ends."""
    words = _SPACE.sub(" ", text)
    bare = words.strip(" ")
    if not bare:
        return words
    return " " * words.startswith(" ") + typst.escape(bare) + " " * words.endswith(" ")


def _marks(element: Element) -> str:
    """What stands in printed text, letter by letter, with its marks: bold, leaning, in ink."""
    made = []
    for node in element.children:
        if isinstance(node, str):
            lines = node.split("\n")
            raws = (
                f"#raw({typst.string(typst.breakable(line))});" if line else "" for line in lines
            )
            made.append("#linebreak();".join(raws))
        elif node.tag == "br":
            made.append("#linebreak();")
        elif ink := terminal.INKS.get(node.attributes.get("class", "")):
            made.append(f'#text(fill: rgb("{ink}"))[{_marks(node)}];')
        elif node.tag in _WRAPPED and node.tag not in ("sub", "sup", "small"):
            made.append(f"#{_WRAPPED[node.tag]}[{_marks(node)}];")
        else:
            made.append(_marks(node))
    return "".join(made)


def _inline(element: Element) -> str:
    inner = element.children
    match element.tag:
        case "br":
            return "#linebreak();"
        case "wbr":
            return typst.escape("\u200b")
        case "img":
            return _image(element)
        case "code" | "kbd" | "samp":
            return f"#raw({typst.string(typst.breakable(_SPACE.sub(' ', element.text)))});"
        case "q":
            return typst.escape("“") + _line(inner) + typst.escape("”")
        case "a":
            return _link(element, _line(inner))
        case tag if tag in _WRAPPED:
            return f"#{_WRAPPED[tag]}[{_line(inner)}];"
        case _:
            return _line(inner)


def _link(element: Element, inner: str) -> str:
    if to := cleaning.address(element.attributes.get("href", "")):
        return f"#link({typst.string(to)})[{inner}];" if inner.strip() else ""
    return inner


def _image(element: Element) -> str:
    picture = _picture(element)
    alt = element.attributes.get("alt", "")
    if picture is None:
        return _words(alt)
    return f"#box(image({typst.string(picture[0])}, alt: {typst.string(alt)}));"


@dataclass
class _Cell:
    """A cell of a table with the columns and rows that it takes."""

    element: Element
    columns: int
    rows: int


def _table(element: Element) -> str:
    """A table; rows of a `thead`, or the first ones whose cells are all `th`, are its head."""
    captions = [
        each for each in element.children if isinstance(each, Element) and each.tag == "caption"
    ]
    rows = list(_rows(element))
    if not any(cells for _, cells in rows):
        return "\n\n".join(_block(caption) for caption in captions)
    headed = next((at for at, (tag, _) in enumerate(rows) if tag != "thead"), len(rows))
    if not headed:
        bare = (at for at, (_, cells) in enumerate(rows) if any(cell.tag != "th" for cell in cells))
        headed = next(bare, 0)
    grids = [_placed([cells for _, cells in some]) for some in (rows[:headed], rows[headed:])]
    # Columns in which no cell begins are none.
    width = max(at + 1 for grid in grids for row in grid for at, cell in row.items() if cell)
    head, body = (_cells(grid, width) for grid in grids)
    header = [f"head: {headed}", f"table.header({', '.join(head)})"] if head else ["head: 0"]
    parts = [str(width), *header, *body]
    made = f"#prose-table({', '.join(parts)})"
    return "\n\n".join([*(_block(caption) for caption in captions), made])


def _rows(element: Element) -> Iterator[tuple[str, list[Element]]]:
    """Each row: the tag of its section, and its cells."""
    for child in element.children:
        if not isinstance(child, Element):
            continue
        if child.tag == "tr":
            cells = [each for each in child.children if isinstance(each, Element)]
            yield element.tag, [cell for cell in cells if cell.tag in ("td", "th")]
        elif child.tag in ("thead", "tbody", "tfoot"):
            yield from _rows(child)


def _placed(rows: list[list[Element]]) -> list[dict[int, _Cell | None]]:
    """Per row the cell that begins in a column; None where one that began before reaches."""
    grid: list[dict[int, _Cell | None]] = [{} for _ in rows]
    for at, cells in enumerate(rows):
        column = 0
        for element in cells:
            while column in grid[at]:
                column += 1
            wide, down = _span(element, "colspan"), _span(element, "rowspan")
            free = next((n for n in range(wide) if column + n in grid[at]), wide)
            cell = _Cell(element, free, min(down, len(rows) - at))
            for row in grid[at : at + cell.rows]:
                row |= {column + right: None for right in range(cell.columns)}
            grid[at][column] = cell
            column += cell.columns
    return grid


def _span(element: Element, name: str) -> int:
    given = element.attributes.get(name, "")
    return min(max(int(given), 1), _SPAN) if re.fullmatch(r"\d{1,6}", given, re.A) else 1


def _cells(grid: list[dict[int, _Cell | None]], width: int) -> list[str]:
    """The cells of rows in their order, empty ones where a row is short."""
    made = []
    for row in grid:
        for column in range(width):
            cell = row.get(column, _Cell(Element("td"), 1, 1))
            if cell is None:
                continue
            side = cell.element.attributes.get("align", "")
            spans = {"colspan": min(cell.columns, width - column), "rowspan": cell.rows}
            given = [f"{name}: {span}" for name, span in spans.items() if span > 1]
            given += [f"align: {side}"] if side in ("left", "right", "center") else []
            inner = f"[{_blocks(cell.element.children)}]"
            made.append(f"table.cell({', '.join(given)}){inner}" if given else inner)
    return made
