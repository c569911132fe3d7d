"""A fragment of cleaned HTML (see `cleaning.html`) as Typst, and the pictures that it holds: prose and what
a cell put out are one text for both pages, so that these cannot differ."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from wardlib.pages import cleaning, terminal, typst

_VOID = {"br", "col", "hr", "img", "wbr"}
_INLINE = {
    "a", "abbr", "b", "br", "cite", "code", "del", "dfn", "em", "i", "img", "ins", "kbd", "mark", "q",
    "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr",
}  # fmt: skip
_WRAPPED = {  # in a function of Typst
    "b": "strong", "strong": "strong", "em": "emph", "i": "emph", "cite": "emph", "dfn": "emph",
    "var": "emph", "u": "underline", "ins": "underline", "s": "strike", "del": "strike", "sub": "sub",
    "sup": "super", "mark": "highlight", "small": "text(0.85em)", "strike": "strike",
}  # fmt: skip
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_SPACE = re.compile(r"[ \t\n\r\f]+")
PIXELS = 17  # of one em in the page, see style.css
_SIDES = ("left", "right", "center")
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

    @property
    def words(self) -> str:
        """Its words, those of pictures with them."""
        return "".join(
            child
            if isinstance(child, str)
            else child.attributes.get("alt", "") + (" " if child.tag == "br" else child.words)
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


def titled(fragment: str) -> tuple[str, str]:
    """The words of the first heading of level 1 that stands by itself, and the fragment without it; no
    words where there is none."""
    root = tree(fragment)
    for at, node in enumerate(root.children):
        if isinstance(node, Element) and node.tag == "h1":
            del root.children[at]
            return _SPACE.sub(" ", node.words).strip(), as_html(root)
    return "", fragment


def sections(fragment: str) -> list[str]:
    """A fragment in pieces, each from a heading of a section on; what is before the first comes first.
    Headings and paragraphs of no words are left out, and a heading of level 1 is one of a section."""
    pieces: list[list[Element | str]] = [[]]
    for node in tree(fragment).children:
        if isinstance(node, Element):
            if _EMPTY.fullmatch(node.tag) and not _shows(node):
                continue
            if node.tag in ("h1", "h2"):
                node.tag = "h2"
                pieces.append([])
        pieces[-1].append(node)
    made = (as_html(Element("div", children=piece)).strip() for piece in pieces)
    return [piece for piece in made if piece]


_EMPTY = re.compile("h[1-6]|p")


def _shows(element: Element) -> bool:
    """Whether a reader sees anything of it."""
    return bool(element.text.strip()) or any(each.tag == "img" for each in element.elements())


_NUMERAL = re.compile(r"[IVX]+\. ")  # a heading that brings its own, as reports of a ward have it
_NUMBER = re.compile(r"\s*\d{1,2}[.)]\s+")
_NOTE = re.compile(r"#fn(ref)?-(\d{1,4})")


_OWN = {"content", "to"}  # names that the page itself gives


class Headings:
    """Numbers the sections of a page and mends levels that skip, fragment by fragment; footnotes, what
    refers to them, and headings to which a link of the page leads get names that are their own."""

    def __init__(self, page: Iterable[str]) -> None:
        links = (re.findall('href="#([^"]*)"', fragment) for fragment in page)
        self._wanted = {html.unescape(name) for names in links for name in names}
        self._sections = 0
        self._fragments = 0
        self._above: list[
            tuple[int, int]
        ] = []  # of the headings above: level as written, as mended

    def mended(self, fragment: str) -> str:
        """The next fragment of the page."""
        if not re.search('<h[1-6]>|href="#fn', fragment):
            return fragment
        self._fragments += 1
        root = tree(fragment)
        for heading in (each for each in root.elements() if each.tag in _HEADINGS):
            self._name(heading)
        for node in root.children:
            if isinstance(node, Element) and node.tag in ("h1", "h2"):
                self._number(node)
        for heading in (each for each in root.elements() if each.tag in _HEADINGS):
            heading.tag = self._level(max(_HEADINGS[heading.tag], 2))
        self._name_notes(root)
        return as_html(root)

    def _name(self, heading: Element) -> None:
        """JupyterLab's name of a heading: its words, with a line in place of each space."""
        name = "-".join(heading.words.strip().split(" "))
        if name in self._wanted - _OWN:
            self._wanted.remove(name)
            heading.attributes["id"] = name

    def _number(self, heading: Element) -> None:
        """Number a section, but for one that brings a Roman numeral; another number of its own goes."""
        self._sections += 1
        if _NUMERAL.match(heading.text):
            return
        if heading.children and isinstance(first := heading.children[0], str):
            heading.children[0] = _NUMBER.sub("", first, count=1)
        heading.children.insert(0, f"{self._sections}. ")

    def _level(self, level: int) -> str:
        while self._above and self._above[-1][0] >= level:
            self._above.pop()
        mended = self._above[-1][1] + 1 if self._above else 2
        self._above.append((level, mended))
        return f"h{mended}"

    def _name_notes(self, root: Element) -> None:
        named: set[str] = set()
        for element in [root, *root.elements()]:
            for child in element.children:
                if isinstance(child, Element) and child.tag == "a":
                    self._name_note(element, child, named)
        for item in root.elements():
            back = (
                [each.attributes.get("href", "") for each in item.elements()]
                if item.tag == "li"
                else []
            )
            for name in back:
                if (found := re.fullmatch(r"#ref(\.\d+\.\d+)", name)) and found[1] not in named:
                    named.add(found[1])
                    item.attributes["id"] = f"note{found[1]}"

    def _name_note(self, around: Element, link: Element, named: set[str]) -> None:
        """Lead a footnote's mark to the footnote, and this back to its first mark."""
        if not (found := _NOTE.fullmatch(link.attributes.get("href", ""))):
            return
        place = f".{self._fragments}.{found[2]}"
        link.attributes["href"] = f"#{'ref' if found[1] else 'note'}{place}"
        if not found[1] and around.tag == "sup" and f"ref{place}" not in named:
            named.add(f"ref{place}")
            link.attributes["id"] = f"ref{place}"


def as_typst(fragment: str) -> str:
    """A cleaned fragment as Typst. A picture is the file that `pictures` names; a heading of level 2 is one
    of level 1 there, as the title stands above all."""
    return _blocks(tree(fragment).children)


def _is_inline(node: Element | str) -> bool:
    return isinstance(node, str) or (
        node.tag in _INLINE and node.attributes.get("class") != "formula"
    )


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
    """A paragraph, a list, a table, with the name by which a link leads to it and the side on which it
    stands."""
    made = _anchor(element) + _bare_block(element)
    side = element.attributes.get("align", "")
    return f"#align({side})[{made}]" if side in _SIDES and element.tag in ("div", "p") else made


def _bare_block(element: Element) -> str:
    inner = element.children
    match element.tag:
        case "p" | "dt" | "caption" | "figcaption" | "summary":
            if alone := _alone(inner):
                return _image(alone, inline=False)
            line = _line(inner)
            return line if element.tag == "p" or not line.strip() else f"#strong[{line}]"
        case tag if tag in _HEADINGS:
            line = _line(inner)
            level = max(_HEADINGS[tag] - 1, 1)
            return f"#heading(level: {level})[{line}]" if line.strip() else ""
        case "ul" | "ol":
            return _list(element)
        case "img":
            return _image(element)
        case "center":
            return f"#align(center)[{_blocks(inner)}]"
        case "blockquote":
            return f"#quote(block: true)[{_blocks(inner)}]"
        case "dd":
            return f"#pad(left: 1cm)[{_blocks(inner)}]"
        case "pre":
            if not any(element.elements()):
                return typst.printed_lines(element.text.removesuffix("\n"))
            return typst.printed_marks(element.text, _marked_lines(element))
        case "hr":
            return "#line(length: 100%, stroke: 0.5pt)"
        case "table":
            return _table(element)
        case _:
            return _blocks(inner)


def _alone(nodes: list[Element | str]) -> Element | None:
    """The picture that a paragraph has and nothing beside."""
    shown = [node for node in nodes if not isinstance(node, str) or node.strip()]
    if len(shown) == 1 and isinstance(node := shown[0], Element) and node.tag == "img":
        return node if node.attributes.get("class") != "math" else None
    return None


def _anchor(element: Element) -> str:
    name = element.attributes.get("id", "")
    return f"#anchor({typst.string(name)});" if name else ""


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
        *(f"[{_item(item)}]" for item in items),
    ]
    return f"#{'enum' if element.tag == 'ol' else 'list'}({', '.join(given)})"


def _item(item: Element) -> str:
    return _anchor(item) + _blocks(item.children) if item.tag == "li" else _blocks([item])


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


def _marked_lines(element: Element) -> list[str]:
    """The lines of printed text; an element that goes on over several lines stands in that where it begins."""
    lines = [""]
    for node in element.children:
        if isinstance(node, str):
            first, *others = node.removesuffix("\n" if node is element.children[-1] else "").split(
                "\n"
            )
            lines[-1] += _marks(Element("", children=[first]))
            lines += [_marks(Element("", children=[line])) for line in others]
        else:
            lines[-1] += _marks(Element("", children=[node]))
    return lines


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
        case "code" | "kbd" | "samp" | "tt":
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
    """A link to the web, to mail, or to a place on the page."""
    to = element.attributes.get("href", "")
    if not inner.strip():
        return ""
    if to.startswith("#"):
        return f"{_anchor(element)}#to({typst.string(to[1:])})[{inner}];"
    if address := cleaning.address(to):
        return f"#link({typst.string(address)})[{inner}];"
    return inner


def _image(element: Element, *, inline: bool = True) -> str:
    picture = _picture(element)
    alt = element.attributes.get("alt", "")
    if picture is None:
        return _words(alt)
    name, content = picture
    kind = element.attributes.get("class", "")
    if kind in ("math", "formula"):
        size = [f"{_number(element, side) / PIXELS:.3f}em" for side in ("width", "height")]
        return f"#{kind}({typst.string(name)}, {typst.string(alt)}, {', '.join(size)});"
    width = _number(element, "width") or _pixels(content)
    wide = f"{width * 0.75:g}pt" if width else "none"
    place = "picture" if inline else "picture-block"
    return f"#{place}({typst.string(name)}, {typst.string(alt)}, {wide});"


def _number(element: Element, name: str) -> float:
    given = element.attributes.get(name, "")
    return float(given) if re.fullmatch(r"\d{1,5}(?:\.\d+)?", given, re.A) else 0


def _pixels(content: bytes) -> int:
    """How many pixels a picture is wide; 0 of one of lines, which says it by itself."""
    if content.lstrip()[:1] == b"<":
        return 0
    from PIL import Image, UnidentifiedImageError  # most pages have no picture of pixels

    try:
        return Image.open(io.BytesIO(content)).width
    except (UnidentifiedImageError, OSError, ValueError):
        return 0


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
            given += [f"align: {side}"] if side in _SIDES else []
            inner = f"[{_blocks(cell.element.children)}]"
            made.append(f"table.cell({', '.join(given)}){inner}" if given else inner)
    return made
