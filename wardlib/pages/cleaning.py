"""What a cell may have put out, without what could run, ask for something or lead elsewhere: HTML,
pictures, addresses, printed text. The only user of nh3."""

from __future__ import annotations

import functools
import re
from xml.etree import ElementTree

import nh3

from wardlib.errors import ExportError
from wardlib.language import printed

_TAGS = {
    "a", "abbr", "address", "article", "aside", "b", "blockquote", "br", "caption", "center",
    "cite", "code", "col", "colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt", "em",
    "figcaption", "figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i",
    "img", "ins", "kbd", "li", "mark", "nav", "ol", "p", "pre", "q", "s", "samp", "section",
    "small", "span", "strike", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot",
    "th", "thead", "tr", "tt", "u", "ul", "var", "wbr",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href"},
    "abbr": {"title"},
    "col": {"span"},
    "colgroup": {"span"},
    "div": {"align"},
    "img": {"alt", "height", "src", "width"},
    "ol": {"start"},
    "p": {"align"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan", "scope"},
}
# What stands in these is no text for a reader, and goes with them.
_WITHOUT_CONTENT = {
    "embed", "iframe", "math", "noembed", "noframes", "noscript", "object", "script", "style",
    "svg", "template", "title", "xmp",
}  # fmt: skip
_ADDRESS = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x20\x7f-\x9f<>\"'\\]+", re.IGNORECASE)
_ANCHOR = re.compile(r"#[\w.-]+")
_PICTURE = re.compile(r"data:image/(?:gif|jpeg|png|svg\+xml|webp);base64,[A-Za-z0-9+/=\s]+")


def html(text: str) -> str:
    """HTML as a page may show it: words, lists, tables, pictures that it holds itself, links of an
    `address` or to a place on the page. No style, no class, no id.

    >>> html('<td onclick=x() style="background: url(//x.vn)" colspan=2>1<script>x()</script>')
    '1'
    >>> html('<img src="https://x.vn/count.gif" alt="Chùa"><a href=" javascript:x()">đây</a>')
    '<img alt="Chùa"><a>đây</a>'
    """
    return _cleaner().clean(printed(plain(text)))


@functools.cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        clean_content_tags=_WITHOUT_CONTENT,
        set_tag_attribute_values={"details": {"open": ""}},  # on paper nobody opens it
        attribute_filter=_kept,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel=None,
    )


def _kept(tag: str, attribute: str, value: str) -> str | None:
    """The value of an attribute that may stand there; None of one that may not."""
    if attribute == "href":
        return value if _ANCHOR.fullmatch(value) else address(value) or None
    if attribute == "align":
        return value if value in ("left", "right", "center") else None
    if attribute in ("height", "width"):
        return value if re.fullmatch("[0-9]{1,4}", value) else None
    if attribute == "src":
        return value if _PICTURE.fullmatch(value) else None
    return value


def address(text: str) -> str:
    """`text` where it is an address of the web or of mail, in full; else nothing.

    >>> address("https://chinhphu.vn"), address("javascript:x()"), address("../../secret.txt")
    ('https://chinhphu.vn', '', '')
    """
    return text if _ADDRESS.fullmatch(text) else ""


# ECMA-48: what a program writes to steer a terminal: colours, places, titles, links.
_STEERING = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[P\]X^_]|[\x90\x98\x9d-\x9f]).*?(?:\x07|\x1b\\|\x9c|$)"
    r"|\x1b[ -/]*[0-~]",
    re.DOTALL,
)


_HALVES = re.compile("[\ud800-\udfff]")  # of a sign, which no file can hold


def plain(text: str) -> str:
    r"""`text` without what would steer a terminal or stop a file from being written.

    >>> plain("\x1b[1;31mthu\x1b[0m \x1b]8;;https://x.vn\x1b\\phí\x1b]8;;\x1b\\")
    'thu phí'
    """
    return _STEERING.sub("", _HALVES.sub("\ufffd", text))


# What charts are made of (see `drawing.outlines`); the last is what matplotlib says of each of them.
_SVG = "{http://www.w3.org/2000/svg}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DRAWN = {
    *(
        f"{_SVG}{name}"
        for name in ("svg", "g", "defs", "path", "rect", "use", "clipPath", "pattern")
    ),
    f"{_SVG}style",
    f"{_SVG}metadata",
    f"{_RDF}RDF",
    "{http://creativecommons.org/ns#}Work",
    "{http://purl.org/dc/elements/1.1/}format",
    "{http://purl.org/dc/elements/1.1/}type",
}
_DRAWN_BY = {
    "clip-path", "d", "fill", "height", "id", "patternUnits", "style", "transform", "type",
    "version", "viewBox", "width", "x", "y",
}  # fmt: skip
_HREF = "{http://www.w3.org/1999/xlink}href"
_REFERENCES = re.compile(r"url\(\s*#[\w.-]+\s*\)", re.IGNORECASE)
_REACHING = re.compile(r"[\\@]|url|image(?:-set)?\s*\(|expression|:\s*//", re.IGNORECASE)


@functools.lru_cache(maxsize=16)  # HTML and PDF of a notebook show the same ones
def svg(text: str) -> str:
    """A chart's picture with nothing in it but outlines, which refer to each other alone. One of our
    own comes out as it went in.

    Raises ExportError where it is no SVG, or declares a type, entities or a style sheet.
    """
    try:
        if re.search(r"<[!?](?!--)", text):
            raise ValueError("it declares something")
        root = ElementTree.fromstring(text)
        if root.tag != f"{_SVG}svg":
            raise ValueError(f"it begins with <{root.tag}>")
        return ElementTree.tostring(root, encoding="unicode") if _cut(root) else text
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        raise ExportError(
            f"the picture of a chart is no SVG of this workbook ({error}): run the notebook again."
        ) from None


def _cut(root: ElementTree.Element) -> bool:
    """Take out of a picture what no chart of ours has; whether there was any."""
    found = False
    for element in list(root.iter()):
        for child in list(element):
            if child.tag not in _DRAWN or (child.tag == f"{_SVG}style" and _reaches(child.text)):
                element.remove(child)
                found = True
        for name, value in list(element.attrib.items()):
            if not _drawn_by(name, value):
                del element.attrib[name]
                found = True
    return found


def _drawn_by(name: str, value: str) -> bool:
    """Whether an attribute may stand in a picture."""
    if name == _HREF:
        return bool(_ANCHOR.fullmatch(value))
    return name == f"{_RDF}resource" or (name in _DRAWN_BY and not _reaches(value))


def _reaches(value: str | None) -> bool:
    """Whether a value or a style may ask for what does not stand in the picture."""
    return bool(_REACHING.search(_REFERENCES.sub("", value or "")))
