"""What a page draws of a cell's outputs: of each the kind that JupyterLab would show, as a fragment of
cleaned HTML, or an ExportError that names the cell and says what to write instead.

A fragment is printed by the HTML page as it is, and set by `markup` for the PDF.
"""

from __future__ import annotations

import base64
import binascii
import copy
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

from nbformat import NotebookNode

from wardlib.errors import ExportError
from wardlib.pages import cleaning, frames, html, markdown, terminal

# As JupyterLab ranks what it can draw. What moves, asks or loads comes first there, and has no place here
# unless the same output holds a still picture.
_RANKS = (
    "text/html", "text/markdown", "image/svg+xml", "text/latex", "image/png", "image/jpeg", "image/gif",
    "image/webp", "image/bmp", "application/json", "text/plain",
)  # fmt: skip
_STILL = tuple(mime for mime in _RANKS if mime.startswith("image/"))
_MOVING = re.compile(
    r"application/(?:vnd\.(?:vega|vegalite|plotly|bokehjs|holoviews|jupyter\.widget)[^/]*|vdom[^/]*"
    r"|javascript|geo\+json|pdf)|text/(?:javascript|vnd\.mermaid)|(?:video|audio)/.*"
)
_MOVING_TAGS = {
    "applet", "audio", "canvas", "embed", "frame", "frameset", "iframe", "input", "math", "meter",
    "object", "progress", "select", "template", "textarea", "video",
}  # fmt: skip
_FILLER = "No description has been provided for this image"  # nbconvert's own, which says nothing


@dataclass
class Notes:
    """What a cell's comment lines `#| fig-alt: …` say of the pictures that it shows, as Quarto writes them:
    a text, or a list of one a picture."""

    alts: list[str] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    label: str = ""

    @classmethod
    def of(cls, source: str) -> Notes:
        """Those of the source of a cell.

        >>> Notes.of('#| fig-alt: "Thu: tăng"\\nplot()').alts
        ['Thu: tăng']
        """
        found: dict[str, list[str]] = {}
        name = ""
        for line in re.findall(r"(?m)^#\|(.*)$", source):
            if begins := re.match(r" ?([a-z][\w-]*):(?:\s+(.*))?$", line):
                name, text = begins[1], (begins[2] or "").strip()
                found[name] = [] if re.fullmatch(r"[|>]?[+-]?", text) else [text]
            elif name and (item := re.match(r"\s*-\s+(.*)$", line)):
                found[name].append(item[1].strip())
            elif name and line.strip():  # a text that goes on
                before = found[name].pop() if found[name] else ""
                found[name].append(f"{before} {line.strip()}".strip())
        texts = {name: [*map(_unquoted, words)] for name, words in found.items()}
        label = "".join(texts.get("label", [])[:1])
        return cls(texts.get("fig-alt", []), texts.get("fig-cap", []), label)


def _unquoted(text: str) -> str:
    """A text of YAML without its quotes."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    return text


@dataclass(frozen=True)
class Shown:
    """What a page draws of an output: a fragment; of a picture that the cell gave a caption to, this and a
    name for it."""

    fragment: str
    caption: str = ""
    alt: str = ""
    slug: str = ""


def settled(outputs: Sequence[NotebookNode]) -> Iterator[NotebookNode]:
    """A cell's outputs without what it said to stderr, which is for its author; pieces of what it printed
    with nothing else between them are one."""
    printed: NotebookNode | None = None
    for output in outputs:
        if output.output_type != "stream":
            if printed is not None:
                yield printed
                printed = None
            yield output
        elif output.name != "stderr":
            text = _whole(output.text)
            if printed is None:
                printed = copy.copy(output)
                printed.text = text
            else:
                printed.text += text
    if printed is not None:
        yield printed


def shown(output: NotebookNode, cell: str, notes: Notes) -> Shown | None:
    """What a page draws of an output that is none of our blocks; None for what shows a reader nothing.

    Raises ExportError where it cannot be drawn; `cell` is what the message calls the cell. Pictures take
    their words from `notes` in turn.
    """
    if output.output_type == "stream":
        return _pre(_without_reprs(_whole(output.text)))
    data: Mapping[str, Any] = output.get("data", {})
    mime = _chosen(data, cell)
    match mime:
        case None:
            return None
        case "text/html":
            return _html(data, cell, notes)
        case "text/markdown":
            text = _whole(data[mime])
            made = markdown.as_html(text, cell)
            return Shown(made) if _is_seen(made) else _marked(made, text, cell)
        case "text/latex":
            text = _whole(data[mime])
            return _marked(_latex(text, cell), text, cell)
        case "image/svg+xml":
            source = _vector(_whole(data[mime]), cell)
            alt = _alt(output, mime) or _said(source)
            return _figure(source, alt, _size(output, mime), cell, notes)
        case "application/json":
            return _pre(json.dumps(data[mime], ensure_ascii=False, indent=2))
        case "text/plain":
            return _plain(data)
        case _:
            source = _raster(re.sub(r"\s", "", _whole(data[mime])), cell)
            return _figure(source, _alt(output, mime), _size(output, mime), cell, notes)


def _whole(value: Any) -> str:
    """A text of a notebook, which may hold it line by line."""
    return "".join(map(str, value)) if isinstance(value, list) else str(value)


def _chosen(data: Mapping[str, Any], cell: str) -> str | None:
    """The kind to draw; None where there is none."""
    moving = next((mime for mime in data if _MOVING.fullmatch(mime)), None)
    if moving is None:
        return next((mime for mime in _RANKS if mime in data), None)
    if still := next((mime for mime in _STILL if mime in data), None):
        return still
    if "widget" in moving and re.search(r"\d%\|", _whole(data.get("text/plain", ""))):
        return None  # a bar of progress, which has come to its end
    raise _moves(cell, moving)


def _moves(cell: str, what: str) -> ExportError:
    if what == "<math>":
        return ExportError(f'{cell} shows MathML: write the formula as `Latex("$…$")`.')
    return ExportError(
        f"{cell} shows what no paper can ({what}): show a still picture of it instead, e.g. "
        '`Image(filename="….png", alt="what it shows")`, a figure of matplotlib, or a table.'
    )


# -- Text ---------------------------------------------------------------------------------------------


# What Python says of an object that has no words of its own, and of the parts of a figure.
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")
_OBJECT = re.compile(
    r"""[\[({]*<(?:[^<>\n]|<[^<>\n]*>)*[ ]at[ ]0x[0-9A-Fa-f]+>[\])}]*,?
      | [\[({]*(?:array\(\[+)?<(?:Axes\w*:[ ].*|Figure[ ]size[ ].*|IPython\.[\w.]+[ ]object.*
                              |[\w.]*Container[ ]object.*|a[ ]list[ ]of[ ]\d+[ ].*)
      | \[?(?:Text|Annotation)\(-?[\d.e+-]+,[ ].*""",
    re.VERBOSE | re.DOTALL,
)
# Else only what has no figure and no letter but those of ASCII: what says more was written for readers.
_BARE = re.compile(
    r"<[ -/:-~]*>|<(?:module|class|built-in|function|method|coroutine|generator|Task|Future|_io\.|matplotlib\.)[^\n]*>"
    r"|<bound method .*",
    re.DOTALL,
)
_CONTAINER = re.compile(r"<\w*Container object of \d+ artists?>")


def _is_bare(text: str) -> bool:
    """Whether what a cell ended in says only that there is an object."""
    text = text.strip()
    if text in ("", "None"):
        return True
    if text[0] in "'\"":
        return False
    named = _ADDRESS.search(text) or _CONTAINER.search(text)
    return bool(named or _OBJECT.match(text) or _BARE.fullmatch(text))


def _without_reprs(text: str) -> str:
    """Printed text without lines that only say that there is an object, and without addresses of the
    machine's memory, which differ from run to run."""
    if " at 0x" not in text and "<" not in text:
        return text
    lines = [
        line
        for line in text.split("\n")
        if not (
            line.strip().startswith(("<", "[<", "(<", "Text(")) and _OBJECT.fullmatch(line.strip())
        )
    ]
    return _ADDRESS.sub("", "\n".join(lines))


_RULED = re.compile("[\u2500-\u257f]")


def _plain(data: Mapping[str, Any]) -> Shown | None:
    text = _whole(data.get("text/plain", ""))
    return None if _is_bare(text) else _pre(text)


def _pre(text: str) -> Shown | None:
    """Printed text, as a terminal shows it in the end."""
    if not text.strip():
        return None
    made = terminal.shown(text.expandtabs(8) if "\t" in text and "\x1b" not in text else text)
    made = made.strip("\n")
    if _RULED.search(made):  # a table of letters, whose lines must not break
        return Shown(f'<pre class="columns" tabindex="0">{made}</pre>')
    return Shown(f"<pre>{made}</pre>") if made.strip() else None


def _marked(fragment: str, text: str, cell: str) -> Shown | None:
    if _is_seen(fragment):
        return Shown(frames.dressed(fragment, cell))
    if "script" in _Tags(text).found:
        raise _moves(cell, "a script alone")
    return None


def _is_seen(fragment: str) -> bool:
    """Whether a fragment shows anything."""
    return bool(re.search(r"<(?:img|hr)\b", fragment) or re.sub(r"<[^>]*>|&nbsp;|\s", "", fragment))


_MATH = re.compile(
    r"\$\$(?P<a>.+?)\$\$|\\\[(?P<b>.+?)\\\]|(?P<c>\\begin\{(\w+\*?)\}.+?\\end\{\4\})"
    r"|(?<!\\)\$(?P<d>[^$]+?)\$|\\\((?P<e>.+?)\\\)",
    re.DOTALL,
)


def _latex(text: str, cell: str) -> str:
    """Words and formulas: JupyterLab draws the formulas in what is LaTeX, and prints the rest as it is."""
    made, end = [], 0
    for formula in _MATH.finditer(text):
        made.append(html.escape(text[end : formula.start()]))
        displayed = next((formula[name] for name in "abc" if formula[name]), None)
        inline = formula["d"] or formula["e"] or ""
        made.append(markdown.math(displayed or inline, displayed is not None, cell))
        end = formula.end()
    made.append(html.escape(text[end:]))
    return f"<p>{''.join(made).strip()}</p>"


# -- HTML ---------------------------------------------------------------------------------------------


class _Tags(HTMLParser):
    """The tags that a text of HTML opens."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.add(tag)


_DRAWING = re.compile(
    r"<svg\b(?:[^>\"']|\"[^\"]*\"|'[^']*')*?(?:/>|>.*?</svg\s*>)", re.IGNORECASE | re.DOTALL
)
_BOLD = re.compile(  # how programs write it that have no name for it
    r"""<span style=["'][^"'>]*font-weight: ?(?:bold|[6-9]00)[^"'>]*["']>([^<]*)</span>"""
)
_IMG = re.compile(r'<img((?: [a-z]+="[^"]*")*)>')
_ATTRIBUTE = re.compile(r' ([a-z]+)="([^"]*)"')


def _html(data: Mapping[str, Any], cell: str, notes: Notes) -> Shown | None:
    """An output of HTML, cleaned; where it draws itself by a program, its text if it has one."""
    text = cleaning.whole(_whole(data["text/html"]))
    tags = _Tags(text).found
    moving = tags & _MOVING_TAGS
    scripted = "script" in tags
    if moving or (scripted and "table" in tags and "td" not in tags):  # a table that a script fills
        if instead := _plain(data):
            return instead
        raise _moves(cell, f"<{min(moving or {'script'})}>")
    if "svg" in tags:
        text = _DRAWING.sub(lambda drawing: _as_img(drawing[0], cell), text)
    text = _BOLD.sub(r"<strong>\1</strong>", text)
    cleaned = cleaning.html(text)
    if not _is_seen(cleaned):
        instead = _plain(data)
        if scripted and instead is None:
            raise _moves(cell, "a script alone")
        return instead
    cleaned = _IMG.sub(lambda img: _checked(img[1], cell, notes), cleaned)
    cleaned = markdown.with_formulas(cleaned, cell)  # which JupyterLab draws there too
    return Shown(frames.dressed(cleaned, cell))


def _as_img(drawing: str, cell: str) -> str:
    """An SVG inside of HTML as the picture that it is."""
    if "xlink:" in drawing and "xmlns:xlink" not in drawing:
        drawing = drawing.replace("<svg", '<svg xmlns:xlink="http://www.w3.org/1999/xlink"', 1)
    source = _vector(drawing, cell)
    return f'<img src="{source}" alt="{html.escape(_said(source))}">'


def _checked(attributes: str, cell: str, notes: Notes) -> str:
    """A picture of an output of HTML, with words and readable."""
    given = dict(_ATTRIBUTE.findall(attributes))
    source = given.get("src", "")
    if not source:
        raise ExportError(
            f"{cell} shows a picture that the notebook does not hold: a page asks for nothing from outside. "
            'Put the picture into the notebook, e.g. `Image(filename="….png", alt="what it shows")`.'
        )
    if not source.startswith("data:image/svg"):
        source = _raster(re.sub(r"\s", "", source.partition(",")[2]), cell)
    alt = given.get("alt", "").strip()
    if alt == _FILLER:
        alt = ""
    if not alt:
        alt = html.escape(_worded("", cell, notes)[0])
    size = "".join(f' {name}="{given[name]}"' for name in ("width", "height") if name in given)
    return f'<img src="{source}" alt="{alt}"{size}>'


# -- Pictures -----------------------------------------------------------------------------------------


def _alt(output: NotebookNode, mime: str) -> str:
    """What an output's metadata say that its picture shows."""
    metadata = output.get("metadata", {})
    of_kind = metadata.get(mime)
    for place in (of_kind if isinstance(of_kind, Mapping) else {}, metadata):
        if isinstance(alt := place.get("alt"), str) and alt.strip():
            return alt
    return ""


def _worded(alt: str, cell: str, notes: Notes) -> tuple[str, str]:
    """The alt text and the caption of the next picture."""
    noted = notes.alts.pop(0) if notes.alts else ""
    caption = notes.captions.pop(0) if notes.captions else ""
    alt = alt.strip()
    alt = alt if alt and alt != _FILLER else noted.strip()
    if not alt or alt == _FILLER:
        raise ExportError(
            f"{cell} shows a picture without a text for readers who do not see it. Write what it shows as "
            'the cell\'s first line, `#| fig-alt: "…"` (a list of one a picture where it shows several), or '
            'end the cell in `charts.figure(fig, book, title="…", alt="…")` (`from wardlib import charts`).'
        )
    return alt, caption


def _size(output: NotebookNode, mime: str) -> str:
    """The attributes of a picture that is to be drawn in another size than its own."""
    given = output.get("metadata", {}).get(mime)
    given = given if isinstance(given, Mapping) else {}
    sizes = {name: given.get(name) for name in ("width", "height")}
    return "".join(
        f' {name}="{size:.0f}"'
        for name, size in sizes.items()
        if isinstance(size, (int, float)) and 0 < size < 10_000
    )


def _figure(source: str, alt: str, size: str, cell: str, notes: Notes) -> Shown:
    """A picture that is an output of its own."""
    alt, caption = _worded(alt, cell, notes)
    fragment = f'<p><img src="{source}" alt="{html.escape(alt)}"{size}></p>'
    slug = re.sub(r"[^a-z0-9]+", "-", notes.label.lower()).strip("-")[:60].strip("-")
    return Shown(fragment, caption, alt, slug or "figure")


def _vector(text: str, cell: str) -> str:
    """An SVG, cleaned, as an address."""
    try:
        drawn = cleaning.svg(cleaning.whole(text))
    except ExportError as error:
        raise ExportError(
            f'{cell}: {error}. Show it as PNG instead, e.g. `Image(filename="….png", alt="what it shows")`.'
        ) from None
    return cleaning.vector(drawn)


def _said(source: str) -> str:
    """What an SVG says itself that it shows."""
    root = ElementTree.fromstring(base64.b64decode(source.partition(",")[2]))
    said = [root.get("aria-label")]
    said += [element.text for element in root if element.tag.endswith(("}title", "}desc"))]
    return ". ".join(
        " ".join(text.split()).removesuffix(".") for text in said if text and text.strip()
    )


_KEPT = {"PNG": "png", "JPEG": "jpeg", "GIF": "gif", "WEBP": "webp"}


def _raster(encoded: str, cell: str) -> str:
    """A picture of dots as an address; one that moves by its first frame, one in a format that a PDF has
    not as PNG."""
    from PIL import Image  # an export without pictures does without it

    try:
        content = base64.b64decode(encoded, validate=True)
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
            kind = _KEPT.get(picture.format or "")
            if (
                kind is None
                or getattr(picture, "is_animated", False)
                or picture.mode in ("CMYK", "YCCK")
            ):
                alpha = "A" in picture.getbands() or "transparency" in picture.info
                made = io.BytesIO()
                picture.convert("RGBA" if alpha else "RGB").save(made, "PNG")
                content, kind = made.getvalue(), "png"
    except (OSError, SyntaxError, ValueError, binascii.Error, Image.DecompressionBombError):
        raise ExportError(
            f"{cell} shows a picture that cannot be read: run the cell again, or show it as PNG, e.g. "
            '`Image(filename="….png", alt="what it shows")`.'
        ) from None
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
