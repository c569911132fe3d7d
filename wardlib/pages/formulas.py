r"""Formulas of LaTeX as pictures, drawn by matplotlib's mathtext in the face STIX; words in them in DejaVu
Serif, which has every Vietnamese letter. What mathtext lacks is written in its words where it can be
(`\tfrac`, `\operatorname*`), or laid out here: rows and columns of `align`, `cases` and matrices.
"""

from __future__ import annotations

import functools
import itertools
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import LoadFlags
from matplotlib.mathtext import MathTextParser
from matplotlib.path import Path as Outline

_EM = 100.0  # units of a picture that one em is
_AXIS = 0.224 * _EM  # half the height of an x above the line: where a browser has a line's middle
_MINUS = 0.26 * _EM  # what stands in the middle of a formula: a minus, the bar of a fraction
_RIM = 0.03 * _EM
_ROW, _COLUMN = 0.45 * _EM, 1.0 * _EM  # between rows and columns
_STYLE: dict[Any, str] = {
    "mathtext.fontset": "custom", "mathtext.fallback": "stix", "mathtext.default": "normal",
    "mathtext.rm": "STIXGeneral", "mathtext.it": "STIXGeneral:italic",
    "mathtext.bf": "STIXGeneral:bold", "mathtext.bfit": "STIXGeneral:italic:bold",
    "mathtext.sf": "DejaVu Sans", "mathtext.tt": "DejaVu Serif", "mathtext.cal": "STIXGeneral",
}  # fmt: skip
_LOCK = threading.Lock()  # matplotlib's style and FreeType's faces are for one thread
_MISSING = 0xA4  # what mathtext draws for a sign that no face has

# What has another name in mathtext, or none that changes anything there.
_NAMES = {
    "bigl": "", "bigr": "", "Bigl": "", "Bigr": "", "big": "", "Big": "", "bigg": "", "Bigg": "",
    "biggl": "", "biggr": "", "Biggl": "", "Biggr": "", "bigm": "", "Bigm": "", "displaystyle": "",
    "textstyle": "", "scriptstyle": "", "limits": "", "nolimits": "", "nonumber": "", "notag": "",
    "tfrac": r"\frac", "cfrac": r"\dfrac", "tbinom": r"\binom", "dbinom": r"\binom",
    "bm": r"\boldsymbol", "pmb": r"\boldsymbol", "boldmath": "", "stackrel": r"\overset",
    "small": "", "large": "", "Large": "", "normalsize": "", "tiny": "", "texttt": r"\text",
    "textsc": r"\text", "hphantom": r"\phantom", "mbox": r"\text", "hbox": r"\text", "textrm": r"\text", "textnormal": r"\text",
    "textit": r"\text", "textsf": r"\text", "textup": r"\text", "mathop": r"\operatorname",
    "lvert": "|", "rvert": "|", "lVert": r"\|", "rVert": r"\|", "lt": "<", "gt": ">", "colon": ":",
    "iff": r"\Leftrightarrow", "implies": r"\Rightarrow", "impliedby": r"\Leftarrow",
    "gets": r"\leftarrow", "land": r"\wedge", "lor": r"\vee", "lnot": r"\neg", "dotsc": r"\ldots",
    "dotso": r"\ldots", "dotsb": r"\cdots", "dotsm": r"\cdots", "dotsi": r"\cdots",
    "bmod": r"\ \mathrm{mod}\ ", "thinspace": r"\,", "medspace": r"\:", "thickspace": r"\;",
    "degree": r"^{\circ}", "le": r"\leq", "ge": r"\geq", "ne": r"\neq", "hfill": "", "mathstrut": "",
    "mathcal": r"\mathscr", "cal": r"\scr", "argmax": r"\operatorname{argmax}", "argmin": r"\operatorname{argmin}",
}  # fmt: skip
_ARGUMENTS = {  # how many of them: mathtext wants each in braces, LaTeX does not
    "frac": 2, "dfrac": 2, "binom": 2, "overset": 2, "underset": 2, "sqrt": 1, "boldsymbol": 1,
    "overline": 1, "underline": 1, "mathbf": 1, "mathrm": 1, "mathbb": 1, "mathcal": 1, "mathit": 1,
    "mathsf": 1, "mathtt": 1, "mathfrak": 1, "mathscr": 1, "operatorname": 1,
}  # fmt: skip
_TOKEN = re.compile(r"\\(?:[A-Za-z]+\*?|.)|[^\\]", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]+")
_GRIDS = {  # of environments: the signs around, and how the columns stand
    "matrix": ("", "", "c"), "pmatrix": ("(", ")", "c"), "bmatrix": ("[", "]", "c"),
    "Bmatrix": (r"\{", r"\}", "c"), "vmatrix": ("|", "|", "c"), "Vmatrix": (r"\|", r"\|", "c"),
    "smallmatrix": ("", "", "c"), "array": ("", "", "c"), "cases": (r"\{", "", "l"),
    "align": ("", "", "rl"), "aligned": ("", "", "rl"), "split": ("", "", "rl"), "alignat": ("", "", "rl"),
    "eqnarray": ("", "", "rcl"), "gather": ("", "", "c"), "gathered": ("", "", "c"),
    "multline": ("", "", "c"), "equation": ("", "", "c"),
}  # fmt: skip
_PAIRED = {"align", "aligned", "split", "alignat", "eqnarray"}  # columns close to the next in pairs
_PART = re.compile(
    r"\\begin\s*\{(?P<begin>[A-Za-z]+)\*?\}|\\end\s*\{(?P<end>[A-Za-z]+)\*?\}"
    r"|(?P<left>\\left(?![A-Za-z]))|(?P<right>\\right(?![A-Za-z]))|(?P<row>\\\\(?:\s*\[[^\]]*\])?)"
    r"|\\[A-Za-z]+|\\.|(?P<open>\{)|(?P<close>\})|(?P<cell>&)",
    re.DOTALL,
)


class UnknownError(ValueError):
    """What of a formula cannot be drawn."""


@dataclass(frozen=True)
class _Box:
    """Outlines on a line of text: how wide they are, how far they reach above the line and below it."""

    width: float
    height: float
    depth: float
    outlines: tuple[tuple[float, float, Outline], ...] = ()

    def at(self, x: float, y: float) -> tuple[tuple[float, float, Outline], ...]:
        """Its outlines, moved."""
        return tuple((x + right, y + up, outline) for right, up, outline in self.outlines)


@functools.lru_cache(maxsize=256)  # HTML and PDF show the same ones
def svg(source: str, display: bool) -> tuple[str, float, float]:
    """A formula as SVG, with its width and height in em. It stands on a line of text where its middle
    stands half the height of an x above that line.

    Raises UnknownError where it holds what cannot be drawn.
    """
    with _LOCK, matplotlib.rc_context(_STYLE):
        box = _grid(_plain(source, display), "gather")
    half = max(box.height - _AXIS, box.depth + _AXIS) + _RIM
    width, height = box.width + 2 * _RIM, 2 * half
    drawn = "".join(_path(_RIM + x, half + _AXIS - y, outline) for x, y, outline in box.outlines)
    size = f'width="{width / _EM:.3f}em" height="{height / _EM:.3f}em"'
    view = f'viewBox="0 0 {width:.1f} {height:.1f}"'
    picture = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view}><path fill="#111" d="{drawn}"/></svg>'
    return picture, width / _EM, height / _EM


_SIGNS = {Outline.MOVETO: "M", Outline.LINETO: "L", Outline.CURVE3: "Q", Outline.CURVE4: "C"}


def _path(x: float, y: float, outline: Outline) -> str:
    """An outline as the data of a path, its line of text at `y` from the top."""
    said = []
    for points, code in outline.iter_segments(simplify=False, curves=True):
        if code == Outline.CLOSEPOLY:
            said.append("Z")
        else:
            pairs = np.reshape(points, (-1, 2)) * (1, -1) + (x, y)
            said.append(_SIGNS[code] + " ".join(f"{value:.1f}" for value in pairs.ravel()))
    return "".join(said)


def _plain(source: str, display: bool) -> str:
    """LaTeX in the words of mathtext; its environments stay."""
    source = re.sub(r"(?<!\\)%[^\n]*", "", source)
    known = _signs("STIXGeneral") | _signs("DejaVu Serif") | _signs("DejaVu Sans")
    if unknown := next((sign for sign in source if sign not in known and not sign.isspace()), ""):
        raise UnknownError(unknown)
    source = re.sub(r"\\(?:label|color|vspace|vphantom)\s*\{[^{}]*\}", "", source)
    source = re.sub(r"\\hspace\*?\s*\{[^{}]*\}", r"\\quad ", source)
    source = re.sub(r"\\textcolor\s*\{[^{}]*\}", "", source)
    source = re.sub(r"\\tag\*?\s*\{([^{}]*)\}", r"\\qquad \\text{(\1)}", source)
    source = re.sub(r"\\pmod\s*\{([^{}]*)\}", r"\\ (\\mathrm{mod}\\ \1)", source)
    source = re.sub(r"\\x(right|left)arrow\s*(\{[^{}]*\})", r"\\overset\2{\\long\1arrow}", source)
    source = re.sub(r"\\operatorname\*", r"\\operatorname", source)
    source = re.sub(r"\\([A-Za-z]+)", lambda found: _NAMES.get(found[1], found[0]), source)
    source = re.sub(r"\\(textbf|text)\s*\{([^{}]*)\}", _worded, source).replace(r"\&", r"\text{&}")
    source = "".join(_braced(iter(_TOKEN.findall(re.sub(r"\s+", " ", source)))))
    source = re.sub(r'(\\text\{[^{}]*\})|"', lambda found: found[1] or r'\text{"}', source)
    source = re.sub(rf"(?<!\\mathtt\{{){_foreign()}", r"\\mathtt{\g<0>}", source)
    source = re.sub(_others(), r"\\mathsf{\g<0>}", source)
    return source.replace(r"\frac", r"\dfrac") if display else source


@functools.cache
def _signs(face: str) -> frozenset[str]:
    """What a face has."""
    return frozenset(map(chr, get_font(findfont(face)).get_charmap()))


@functools.cache
def _foreign() -> str:
    """The pattern of a word with letters that STIX has not and DejaVu Serif has."""
    signs = (s for s in sorted(_signs("DejaVu Serif") - _signs("STIXGeneral")) if s.isalpha())
    return rf"[^\W\d_]*[{''.join(signs)}][^\W\d_]*"


@functools.cache
def _others() -> str:
    """The pattern of another sign that STIX has not and DejaVu Sans has."""
    signs = (s for s in sorted(_signs("DejaVu Sans") - _signs("STIXGeneral")) if not s.isalpha())
    return rf"[{re.escape(''.join(signs))}]"


def _worded(found: re.Match[str]) -> str:
    """The words of a `text` in one face: as they are, or where STIX has not all their letters word by word
    in the other one. What stands between $ in it is a formula."""
    words, *rest = re.split(r"(?<!\\)\$", found[2])
    made = _in_one_face(found[1], words)
    for at, part in enumerate(rest):
        made += _in_one_face(found[1], part) if at % 2 else part
    return made


def _in_one_face(name: str, words: str) -> str:
    words = re.sub(r"\\[,;:! ]|~", " ", words)
    foreign = re.search(_foreign(), words)
    if name == "text" and not foreign:
        return rf"\text{{{words}}}" if words else ""
    face = "mathtt" if foreign else "mathbf"
    return "".join(
        rf"\{face}{{{part}}}"
        if at % 2
        else "".join(r"\ " if sign.isspace() else rf"\text{{{sign}}}" for sign in part)
        for at, part in enumerate(re.split(r"([^\W_]+)", words))
    )


def _braced(tokens: Iterator[str]) -> Iterator[str]:
    """The tokens, with braces around each argument of those that mathtext wants there."""
    for token in tokens:
        yield token
        for _ in range(_ARGUMENTS.get(token[1:], 0) if token[0] == "\\" else 0):
            yield from _argument(tokens)


def _argument(tokens: Iterator[str]) -> Iterator[str]:
    token = next((token for token in tokens if token != " "), "")
    if token == "[":  # of a root
        yield token
        for inner in tokens:
            yield inner
            if inner == "]":
                break
        yield from _argument(tokens)
    elif token == "{":
        yield from _braced(iter(_group(tokens)))
    elif token[:1] == "\\" and token[1:] in _ARGUMENTS:
        yield "{" + "".join(_braced(itertools.chain([token], tokens))) + "}"
    else:
        yield "{" + token + "}"


def _group(tokens: Iterator[str]) -> Iterator[str]:
    """From behind an opening brace to the one that closes it, both in."""
    yield "{"
    depth = 1
    for token in tokens:
        depth += (token == "{") - (token == "}")
        yield token
        if not depth:
            return


def _grid(source: str, kind: str) -> _Box:
    """The rows and columns of an environment, between the signs around it."""
    if kind not in _GRIDS:
        raise UnknownError(rf"\begin{{{kind}}}")
    left, right, sides = _GRIDS[kind]
    if kind == "array":
        given = re.match(r"\s*\{([^{}]*)\}", source)
        sides = re.sub(r"[^lcr]", "", given[1]) if given else ""
        if (given and "|" in given[1]) or "\\hline" in source:
            raise UnknownError("a line in an array")
        source, sides = source[given.end() :] if given else source, sides or "c"
    source = re.sub(r"^\s*\{\d+\}", "", source) if kind == "alignat" else source
    rows = [[_line(cell) for cell in _split(row, "cell")] for row in _split(source, "row")]
    if len(rows) > 1 and not any(box.width for box in rows[-1]):
        rows.pop()
    if len(rows) == len(rows[0]) == 1 and not left:
        return rows[0][0]
    count = max(map(len, rows))
    rows = [row + [_Box(0, 0, 0)] * (count - len(row)) for row in rows]
    widths = [max(box.width for box in column) for column in zip(*rows, strict=True)]
    outlines: list[tuple[float, float, Outline]] = []
    top, y = 0.0, 0.0
    for at, row in enumerate(rows):
        height = max(0.7 * _EM, *(box.height for box in row))
        depth = max(0.22 * _EM, *(box.depth for box in row))
        y = y - height if not at else y - _ROW - height
        x = 0.0
        for column, (box, width) in enumerate(zip(row, widths, strict=True)):
            side = sides[column % len(sides)]
            x += {"l": 0.0, "c": (width - box.width) / 2, "r": width - box.width}[side]
            outlines += box.at(x, y)
            x += width - {"l": 0.0, "c": (width - box.width) / 2, "r": width - box.width}[side]
            close = kind in _PAIRED and side != sides[-1]
            x += 0.1 * _EM if close else _COLUMN
        y -= depth
    width = sum(widths) + sum(
        0.1 * _EM if kind in _PAIRED and sides[at % len(sides)] != sides[-1] else _COLUMN
        for at in range(count - 1)
    )
    up = _MINUS + (top - y) / 2
    inner = _Box(width, up, -y - up, _Box(0, 0, 0, tuple(outlines)).at(0, up))
    return _fenced(inner, left, right)


def _split(source: str, kind: str) -> list[str]:
    """The source between its marks of one kind that stand in no braces and no environment."""
    made, depth, begins = [], 0, 0
    for found in _PART.finditer(source):
        depth += bool(found["open"] or found["begin"]) - bool(found["close"] or found["end"])
        if found[kind] and not depth:
            made.append(source[begins : found.start()])
            begins = found.end()
    return [*made, source[begins:]]


def _line(source: str) -> _Box:
    """What stands beside each other: what mathtext draws, environments, and signs around these."""
    boxes: list[_Box] = []
    begins = braces = 0
    parts = _PART.finditer(source)
    for found in parts:
        braces += bool(found["open"]) - bool(found["close"])
        if braces or not (found["begin"] or found["left"]):
            continue
        last = _last(parts, source)
        whole = source[found.start() : last.end()]
        if "\\begin" not in whole and not _BAR.match(whole):
            continue
        boxes.append(_following(source[begins : found.start()], boxes))
        begins = last.end()
        if found["begin"]:
            boxes.append(_grid(source[found.end() : last.start()], found["begin"]))
        else:
            left, behind = _sign(source, found.end())
            right, begins = _sign(source, last.end())
            boxes.append(_fenced(_line(source[behind : last.start()]), left, right))
        base = boxes[-1]
        while script := _SCRIPT.match(source, begins):
            boxes.append(_script(base, script[1], script[2]))
            begins = script.end()
    return _beside([*boxes, _following(source[begins:], boxes)])


def _following(source: str, boxes: list[_Box]) -> _Box:
    """What mathtext draws behind boxes: a sign such as + stands between two there."""
    return _text(f"{{}}{source}" if boxes and source.strip() else source)


_BAR = re.compile(
    r"\\left\s*(?:\||\\(?:\||vert|Vert))"
)  # which mathtext makes bold as it makes it high
_SCRIPT = re.compile(r"\s*([\^_])\s*(\{[^{}]*\}|\\[A-Za-z]+|[^\s\\])")


def _script(base: _Box, side: str, source: str) -> _Box:
    """What stands high or low behind a box."""
    box = _text(f"{{}}{side}{source}")
    up = base.height - 0.7 * _EM if side == "^" else 0.22 * _EM - base.depth
    return _Box(box.width, box.height + up, box.depth - up, box.at(0, up))


def _last(parts: Iterator[re.Match[str]], source: str) -> re.Match[str]:
    """The mark that ends what one before began."""
    depth = 1
    for found in parts:
        depth += bool(found["begin"] or found["left"]) - bool(found["end"] or found["right"])
        if not depth:
            return found
    raise UnknownError(source.strip())


def _sign(source: str, at: int) -> tuple[str, int]:
    """The sign behind `\\left` or `\\right`, and where it ends."""
    found = re.compile(r"\s*(\\[A-Za-z]+|\\.|.)", re.DOTALL).match(source, at)
    if found is None:
        raise UnknownError(source.strip())
    return ("" if found[1] == "." else found[1]), found.end()


def _beside(boxes: list[_Box]) -> _Box:
    outlines: list[tuple[float, float, Outline]] = []
    x = 0.0
    for box in boxes:
        outlines += box.at(x, 0)
        x += box.width
    height, depth = (
        max(sizes) for sizes in zip(*((b.height, b.depth) for b in boxes), strict=True)
    )
    return _Box(x, height, depth, tuple(outlines))


def _fenced(inner: _Box, left: str, right: str) -> _Box:
    """A box between two signs as high as it is."""
    reach = max(inner.height - _MINUS, inner.depth + _MINUS)
    signs = [_stretched(sign, reach) if sign else _Box(0, 0, 0) for sign in (left, right)]
    gap = _Box(0.12 * _EM, 0, 0) if left or right else _Box(0, 0, 0)
    return _beside([signs[0], gap, inner, gap, signs[1]])


def _stretched(sign: str, reach: float) -> _Box:
    """A bracket that reaches so far above and below the middle."""
    box = _text(sign)
    times = max(1.0, 2 * reach / (box.height + box.depth))
    middle = (box.height - box.depth) / 2
    outlines = tuple(
        (
            x,
            _MINUS + (y - middle) * times,
            Outline(np.asarray(outline.vertices) * (1, times), outline.codes),
        )
        for x, y, outline in box.outlines
    )
    return _Box(box.width, _MINUS + reach, reach - _MINUS, outlines)


@functools.cache
def _parser() -> MathTextParser[Any]:
    return MathTextParser("path")


def _text(source: str) -> _Box:
    """What mathtext draws."""
    if not source.strip():
        return _Box(0, 0, 0)
    face = FontProperties(family="DejaVu Serif", math_fontfamily="custom", size=_EM)
    try:
        made = _parser().parse(f"${source}$", 72, face)
    except ValueError as error:
        unknown = re.search(r"Unknown symbol: (\S+?),", str(error))
        raise UnknownError(unknown[1] if unknown else source.strip()) from None
    outlines = []
    for font, size, sign, index, x, y in made.glyphs:
        if sign == _MISSING:
            raise UnknownError(next((s for s in source if ord(s) > 127), source))
        font.set_size(size, 72)
        font.load_glyph(index, flags=LoadFlags.NO_HINTING)
        outlines.append((x, y, Outline(*font.get_path())))
    for x, y, width, height in made.rects:
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height], [0, 0]])
        outlines.append((x, y, Outline(corners, closed=True)))
    return _Box(made.width, made.height - made.depth, made.depth, tuple(outlines))
