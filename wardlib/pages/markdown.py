r"""The prose of a notebook's Markdown cells as cleaned HTML, as JupyterLab shows it. The only user of
mistune.

JupyterLab takes formulas out before its renderer of Markdown sees the text, puts them back into the
HTML, and lets MathJax look for them there. So it is done here: what is a formula and what a price is
the same.
"""

from __future__ import annotations

import base64
import functools
import html
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import mistune
from mistune.plugins.footnotes import footnotes
from mistune.plugins.task_lists import task_lists

from wardlib.errors import ExportError
from wardlib.pages import cleaning, markup
from wardlib.pages.markup import Element

# What only says how the sign before it is drawn, or joins two.
_UNSEEN = re.compile(r"[\u034f\u200c\u200d\u2060\ufe00-\ufe0f]")


def as_html(
    text: str,
    cell: str = "",
    attachments: Mapping[str, Mapping[str, Any]] | None = None,
    folder: Path | None = None,
) -> str:
    """Markdown as cleaned HTML. Pictures are those that the `attachments` of the cell hold, or files in
    `folder` (see `_picture`).

    Raises ExportError, which names the `cell`, where a picture or a formula cannot be shown.
    """
    bare, formulas = _without_formulas(_UNSEEN.sub("", unicodedata.normalize("NFC", text)))
    made = str(_parser()(bare))
    made = re.sub(r"@@(\d+)@@", lambda found: formulas[int(found[1])], made)
    made = re.sub(r"<!--.*?-->", "", made, flags=re.DOTALL)
    if 'class="language-mermaid"' in made:
        raise ExportError(
            f"{cell} draws a diagram of Mermaid, which only a browser can draw: save it as a picture, and "
            "drag that into the cell"
        )

    if moving := re.search(r"<(video|audio)\b", made, re.IGNORECASE):
        raise ExportError(
            f"{cell} shows what no paper can (<{moving[1].lower()}>): write where it can be seen, or show a "
            "still picture of it"
        )
    # As JupyterLab names headings: by their words.
    made = re.sub(r'(?<=href=")#[^"]*', lambda found: html.escape(unquote(found[0])), made)

    def picture(found: re.Match[str]) -> str:
        return _picture(found[0], cell, attachments or {}, folder)

    made = made.replace('<section class="footnotes">', "<hr>").replace(
        '<a href="#fnref-', ' <a href="#fnref-'
    )
    root = markup.tree(cleaning.html(_IMAGE.sub(picture, made)))
    _draw_formulas(root, cell)
    _frame_tables(root)
    return markup.as_html(root)


def _frame_tables(element: Element) -> None:
    """Put each table into a part of the page that can be moved sideways on a narrow screen."""
    for at, child in enumerate(element.children):
        if isinstance(child, Element) and child.tag == "table":
            heads = [
                each.words.strip() for each in child.elements() if each.tag in ("caption", "th")
            ]
            label = " ".join(", ".join(filter(None, heads)).split())[:200] or "…"
            around = {"class": "scroll", "role": "region", "tabindex": "0", "aria-label": label}
            element.children[at] = Element("div", around, [child])
        elif isinstance(child, Element):
            _frame_tables(child)


def with_formulas(fragment: str, cell: str) -> str:
    """A cleaned fragment with pictures of the formulas that MathJax would find in it (see `math`)."""
    if "$" not in fragment and "\\" not in fragment:
        return fragment
    root = markup.tree(fragment)
    _draw_formulas(root, cell)
    return markup.as_html(root)


class _Renderer(mistune.HTMLRenderer):
    """HTML, with what cleaning would take away written in another way."""

    def task_list_item(self, text: str, checked: bool = False) -> str:
        box = "☑ " if checked else "☐ "
        inner = text.replace("<p>", f"<p>{box}", 1) if text.startswith("<p>") else box + text
        return f"<li>{inner}</li>\n"

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        tag = "th" if head else "td"
        side = f' align="{align}"' if align else ""
        return f"<{tag}{side}>{text}</{tag}>\n"


@functools.cache
def _parser() -> mistune.Markdown:
    # Which addresses a page may lead to, and which HTML it may hold, is said in `cleaning` alone.
    renderer = _Renderer(escape=False, allow_harmful_protocols=True)
    own = {name: getattr(renderer, name) for name in ("task_list_item", "table_cell")}
    markdown = mistune.Markdown(renderer, plugins=[footnotes, task_lists, _tables, _struck, _links])
    for name, method in own.items():  # plugins have brought their own
        renderer.register(name, lambda _, *args, method=method, **how: method(*args, **how))
    return markdown


# GitHub's tables: a row of heads, a row of dashes with as many cells, and rows of whatever length.
_TABLE = (
    r"^ {0,3}(?=[^\n]*\||[^\n]*\n[^\n]*\|)(?P<table_heads>\S[^\n]*)\n"
    r" {0,3}(?P<table_sides>\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?)[ \t]*(?:\n|$)"
)
_BEGINS = re.compile(r"\s*$| {0,3}(?:>|#{1,6}\s|```|~~~|[-*+] |\d{1,9}[.)] |<)")


def _tables(md: mistune.Markdown) -> None:
    md.block.register("table", _TABLE, _table, before="paragraph")
    for rules in (md.block.block_quote_rules, md.block.list_rules):
        md.block.insert_rule(rules, "table", before="paragraph")
    for name in ("table", "thead", "tbody", "tr"):
        tag = {"thead": "table_head", "tbody": "table_body", "tr": "table_row"}.get(name, name)
        open_, close = (
            ("<thead><tr>", "</tr></thead>") if name == "thead" else (f"<{name}>", f"</{name}>")
        )
        assert md.renderer is not None
        md.renderer.register(tag, lambda _, text, a=open_, z=close: f"{a}\n{text}{z}\n")


def _table(block: Any, found: re.Match[str], state: Any) -> int | None:
    heads, dashes = _row(found["table_heads"]), _row(found["table_sides"])
    if len(heads) != len(dashes):
        return None
    sides = [_side(dash) for dash in dashes]

    def cells(texts: list[str], head: bool = False) -> list[dict[str, Any]]:
        texts = texts[: len(sides)] + [""] * (len(sides) - len(texts))
        return [
            {"type": "table_cell", "text": text, "attrs": {"align": side, "head": head}}
            for text, side in zip(texts, sides, strict=True)
        ]

    rows, at = [], found.end()
    while at < state.cursor_max and not _BEGINS.match(line := state.get_line(at)):
        rows.append({"type": "table_row", "children": cells(_row(line))})
        at += len(line)
    head = {"type": "table_head", "children": cells(heads, head=True)}
    body = [{"type": "table_body", "children": rows}] if rows else []
    state.append_token({"type": "table", "children": [head, *body]})
    return at


def _row(line: str) -> list[str]:
    """The cells of a line; a sign `|` that is none between cells has a backslash before it."""
    bare = re.sub(r"^\||(?<!\\)\|$", "", line.strip())
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", bare)]


def _side(dashes: str) -> str | None:
    ends = dashes.startswith(":"), dashes.endswith(":")
    return {(True, True): "center", (True, False): "left", (False, True): "right"}.get(ends)


_STRUCK = re.compile(r"(~~?)(?=[^\s~])((?:\\.|[^\\])*?(?:\\.|[^\s~\\]))\1(?!~)", re.DOTALL)


def _struck(md: mistune.Markdown) -> None:
    """Between one or two tildes, as GitHub has it."""

    def parse(inline: Any, found: re.Match[str], state: Any) -> int | None:
        whole = _STRUCK.match(state.src, found.start())
        if whole is None or state.src[: found.start()].endswith("~"):
            return None
        inner = state.copy()
        inner.src = whole[2]
        state.append_token({"type": "struck", "children": inline.render(inner)})
        return whole.end()

    md.inline.register("struck", r"~~?(?=[^\s~])", parse, before="link")
    assert md.renderer is not None
    md.renderer.register("struck", lambda _, text: f"<del>{text}</del>")


_WEB = r"(?<![\w/@.&])(?:https?://|www\.)[^\s<]*[^\s<?!.,:;*_~'\")]"
_MAIL = r"(?<![\w/@.:+-])[\w.+-]+@[\w-]+(?:\.[\w-]*\w)+"


def _links(md: mistune.Markdown) -> None:
    """Addresses that stand in the text."""

    def web(inline: Any, found: re.Match[str], state: Any) -> int | None:
        text = found[0]
        end = found.end()
        following = state.src[end:]
        while following.startswith(")") and text.count("(") > text.count(")"):
            text, end, following = f"{text})", end + 1, following[1:]
        return link(state, text if "://" in text else f"http://{text}", text, end)

    def mail(inline: Any, found: re.Match[str], state: Any) -> int | None:
        return link(state, f"mailto:{found[0]}", found[0], found.end())

    def link(state: Any, address: str, text: str, end: int) -> int | None:
        if state.in_link:
            return None
        children = [{"type": "text", "raw": text}]
        state.append_token({"type": "link", "children": children, "attrs": {"url": address}})
        return end

    md.inline.register("web", _WEB, web, before="link")
    md.inline.register("mail", _MAIL, mail, before="link")


_MARKS = re.compile(
    r"(\$\$?|\\(?:begin|end)\{[a-z]*\*?\}|\\[{}$]|[{}]|(?:\n\s*)+|@@\d+@@|\\\\[()\[\]])",
    re.IGNORECASE,
)
_FENCED = re.compile(r"^(`{3,}|(?:~T){3,})[^`\n]*\n[\s\S]*?^\1`*$", re.MULTILINE)
_CODE = re.compile(r"(^|[^\\])(`+)([^\n]*?[^`\n])\2(?!`)", re.MULTILINE)


def _without_formulas(text: str) -> tuple[str, list[str]]:
    """The text with `@@0@@` in place of its first formula, and the formulas as HTML.

    JupyterLab's own rules (removeMath of its package rendermime): a formula ends in its paragraph and
    holds as many braces of each kind; code has none.
    """
    if coded := "`" in text or "~~~" in text:
        text = text.replace("~", "~T")
        for code in (_FENCED, _CODE):
            text = code.sub(lambda found: found[0].replace("$", "~D"), text)
    parts = _MARKS.split(re.sub(r"\r\n?", "\n", text))
    formulas: list[str] = []

    def plain(part: str) -> str:
        return re.sub("~([TD])", lambda f: "~" if f[1] == "T" else "$", part) if coded else part

    def take(first: int, last: int) -> None:
        formula = plain("".join(parts[first : last + 1]))
        parts[first : last + 1] = [f"@@{len(formulas)}@@"] + [""] * (last - first)
        double = re.fullmatch(r"\\(\\\(.*\\)\\(\))|\\(\\\[.*\\)\\(\])", formula, re.DOTALL)
        formulas.append(
            html.escape("".join(filter(None, double.groups())) if double else formula, quote=False)
        )

    start, end, last, braces = -1, "", -1, 0
    at = 1
    while at < len(parts):
        part = parts[at]
        if part.startswith("@"):
            parts[at] = f"@@{len(formulas)}@@"
            formulas.append(part)
        elif start >= 0:
            if part == end and braces:
                last = at
            elif part == end:
                take(start, at)
                start, last = -1, -1
            elif re.search(r"\n.*\n", part):
                if last >= 0:
                    take(start, at := last)
                start, last, braces = -1, -1, 0
            else:
                braces = max(braces + (part == "{") - (part == "}"), 0)
        elif part in ("$", "$$"):
            start, end, braces = at, part, 0
        elif part in (r"\\(", r"\\["):
            start, end, braces = at, r"\\)" if part == r"\\(" else r"\\]", 0
        elif part[1:6] == "begin":
            start, end, braces = at, rf"\end{part[6:]}", 0
        at += 2
    if start >= 0 and last >= 0:
        take(start, last)
    return plain("".join(parts)), formulas


def _draw_formulas(element: Element, cell: str) -> None:
    """Put pictures in place of the formulas in an element's text; code has none."""
    made: list[Element | str] = []
    for child in element.children:
        if isinstance(child, str):
            made += _drawn(child, cell)
        else:
            if child.tag not in ("code", "pre"):
                _draw_formulas(child, cell)
            made.append(child)
    element.children = made


_OPENS = re.compile(
    r"\\begin\s*\{(?P<kind>[^}]*)\}|(?P<sign>\$\$|\\\[|\\\(|\$)|\\(?P<literal>[\\$])"
)
_ENDS = {"$": "$", "$$": "$$", r"\(": r"\)", r"\[": r"\]"}


def _drawn(text: str, cell: str) -> Iterator[Element | str]:
    """A text with its formulas drawn, where MathJax finds some (its FindTeX, as JupyterLab sets it)."""
    at = begins = 0
    while opened := _OPENS.search(text, at):
        at = opened.end()
        if opened["literal"]:
            yield text[begins : opened.start()] + opened["literal"]
            begins = at
            continue
        kind, sign = opened["kind"], opened["sign"]
        end = re.escape(_ENDS[sign]) if sign else rf"\\end\s*\{{{re.escape(kind)}\}}"
        if (closed := _closed(text, at, end)) is None:
            continue
        source = text[at : closed.start()] if sign else text[opened.start() : closed.end()]
        yield text[begins : opened.start()]
        yield _formula(source, sign not in ("$", r"\("), cell)
        at = begins = closed.end()
    yield text[begins:]


def _closed(text: str, at: int, end: str) -> re.Match[str] | None:
    braces = 0
    for found in re.compile(rf"(?P<end>{end})|\\(?:[a-zA-Z]|.)|[{{}}]").finditer(text, at):
        if found["end"] and not braces:
            return found
        braces = max(braces + (found[0] == "{") - (found[0] == "}"), 0)
    return None


def math(source: str, display: bool, cell: str) -> str:
    """A formula of LaTeX as an `img`, its source as alt text; displayed, it stands on a line of its own.

    Raises ExportError, which names the `cell`, where it holds what cannot be drawn.
    """
    return markup.as_html(Element("div", children=[_formula(source, display, cell)]))


def _formula(source: str, display: bool, cell: str) -> Element | str:
    from wardlib.pages import formulas  # matplotlib, of which most pages have no need

    said = " ".join(source.split())
    if not said:
        return ""
    try:
        svg, width, height = formulas.svg(source, display)
    except formulas.UnknownError as error:
        raise ExportError(
            f"{cell} has a formula that cannot be drawn (${said}$): {error} is not known here. Write it with "
            "\\frac, \\sqrt, \\sum, \\text, sub- and superscripts, align, cases or a matrix; a sum of money "
            "that is no formula as \\\\$5; or attach a picture of the formula."
        ) from None
    encoded = base64.b64encode(svg.encode()).decode()
    return Element(
        "img",
        {
            "class": "formula" if display else "math",
            "alt": said,
            "width": f"{width * markup.PIXELS:.1f}",
            "height": f"{height * markup.PIXELS:.1f}",
            "src": f"data:image/svg+xml;base64,{encoded}",
        },
    )


_IMAGE = re.compile(r"<img\b(?:[^>\"']|\"[^\"]*\"|'[^']*')*>", re.IGNORECASE)
_KINDS = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif", b"RIFF": "webp"}


def _picture(
    tag: str, cell: str, attachments: Mapping[str, Mapping[str, Any]], folder: Path | None
) -> str:
    """The tag of a picture with what it shows in it."""
    (image,) = markup.tree(tag).elements()
    source, alt = image.attributes.get("src", ""), image.attributes.get("alt", "")
    if not alt.strip():
        raise ExportError(
            f"{cell} shows a picture without words for readers who do not see it ({source[:80]}): write "
            f"![what it shows]({source[:80]})"
        )
    if not source.startswith("data:"):
        content = _content(source, cell, attachments, folder)
        kind = next(
            (kind for begins, kind in _KINDS.items() if content.startswith(begins)), "svg+xml"
        )
        try:
            content = _whole(content, kind)
        except (ExportError, OSError, ValueError, SyntaxError) as error:
            raise ExportError(
                f"{cell} shows {source[:80]}, which is no picture of PNG, JPEG, GIF, WebP or SVG that can be "
                f"read ({error}): save it again as PNG"
            ) from None
        source = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    image.attributes["src"] = source
    return markup.as_html(Element("div", children=[image]))


def _whole(content: bytes, kind: str) -> bytes:
    """A picture that can be read to its end, an SVG without what could run in it."""
    if kind == "svg+xml":
        return cleaning.svg(content.decode()).encode()
    from PIL import Image  # most pages have no picture of pixels

    with Image.open(io.BytesIO(content)) as picture:
        picture.load()
    return content


def _content(
    source: str, cell: str, attachments: Mapping[str, Mapping[str, Any]], folder: Path | None
) -> bytes:
    """The bytes of an attached picture, or of a file in the notebook's folder or below it."""
    instead = "drag the picture into the cell, which attaches it"
    if source.startswith("attachment:"):
        held = attachments.get(unquote(source.removeprefix("attachment:")), {})
        if not held:
            raise ExportError(f"{cell} shows {source}, which is not attached to it: {instead}")
        kind, content = next(iter(held.items()))
        content = "".join(content) if isinstance(content, list) else content
        return (
            content.encode()
            if kind == "image/svg+xml" and "<" in content
            else base64.b64decode(content)
        )
    if re.match(r"(?:[a-z][a-z0-9+.-]+:|//)", source, re.IGNORECASE):
        raise ExportError(
            f"{cell} shows a picture from elsewhere ({source[:80]}), for which a paper cannot ask: {instead}"
        )
    if folder is not None:
        file = (folder / unquote(source.split("?")[0])).resolve()
        if file.is_relative_to(folder.resolve()) and file.is_file():
            return file.read_bytes()
    raise ExportError(
        f"{cell} shows the picture {source[:80]}, which is not in the notebook's folder: {instead}"
    )
