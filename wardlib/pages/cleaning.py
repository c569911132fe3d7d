"""What a cell may have put out, without what could run, ask for something or lead elsewhere: HTML,
pictures, addresses, printed text. The only user of nh3."""

from __future__ import annotations

import base64
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
_RASTER = re.compile(r"data:image/(?:gif|jpeg|png|webp);base64,[A-Za-z0-9+/=\s]+")
_VECTOR = re.compile(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=\s]+)")


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
        return picture(value)
    return value


def picture(source: str) -> str | None:
    """A picture that a page holds itself, as the address `source` says it; an SVG is cleaned. None of
    one that stands elsewhere."""
    if drawn := _VECTOR.fullmatch(source):
        try:
            return vector(svg(base64.b64decode(drawn[1]).decode()))
        except (ExportError, ValueError):
            return None
    return source if _RASTER.fullmatch(source) else None


def vector(text: str) -> str:
    """The address of an SVG that a page holds itself."""
    return f"data:image/svg+xml;base64,{base64.b64encode(text.encode()).decode()}"


def address(text: str) -> str:
    """`text` where it is an address of the web or of mail, in full; else nothing.

    >>> address("https://chinhphu.vn"), address("javascript:x()"), address("../../secret.txt")
    ('https://chinhphu.vn', '', '')
    """
    return text if _ADDRESS.fullmatch(text) else ""


# ECMA-48: what a program writes to steer a terminal: colours, places, titles, links.
STEERING = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[P\]X^_]|[\x90\x98\x9d-\x9f]).*?(?:\x07|\x1b\\|\x9c|$)"
    r"|\x1b[ -/]*[0-~]",
    re.DOTALL,
)


_HALVES = re.compile("[\ud800-\udfff]")


def whole(text: str) -> str:
    """`text` without halves of a sign, which no file can hold."""
    return _HALVES.sub("\ufffd", text)


def plain(text: str) -> str:
    r"""`text` without what would steer a terminal or stop a file from being written.

    >>> plain("\x1b[1;31mthu\x1b[0m \x1b]8;;https://x.vn\x1b\\phí\x1b]8;;\x1b\\")
    'thu phí'
    """
    return STEERING.sub("", whole(text))


# What a still picture is made of: shapes, words, shades, and what says what it is of.
_SVG = "{http://www.w3.org/2000/svg}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DRAWN = {
    *(
        f"{_SVG}{name}"
        for name in (
            "circle", "clipPath", "defs", "desc", "ellipse", "feBlend", "feColorMatrix",
            "feComponentTransfer", "feComposite", "feDropShadow", "feFlood", "feFuncA", "feFuncB",
            "feFuncG", "feFuncR", "feGaussianBlur", "feMerge", "feMergeNode", "feMorphology", "feOffset",
            "feTile", "filter", "g", "image", "line", "linearGradient", "marker", "mask", "metadata",
            "path", "pattern", "polygon", "polyline", "radialGradient", "rect", "stop", "style", "svg",
            "switch", "symbol", "text", "textPath", "title", "tspan", "use",
        )
    ),
    f"{_RDF}RDF",  # from here on, what matplotlib says of each of its own
    "{http://creativecommons.org/ns#}Work",
    "{http://purl.org/dc/elements/1.1/}format",
    "{http://purl.org/dc/elements/1.1/}type",
}  # fmt: skip
_LINK = f"{_SVG}a"
_HREFS = {"{http://www.w3.org/1999/xlink}href", "href"}
_ATTRIBUTE = re.compile(
    r"(?!on)[A-Za-z-]+[0-9]?", re.IGNORECASE
)  # what is of another name space is none
_SPACE_KEPT = "{http://www.w3.org/XML/1998/namespace}space"
_UNDRAWN = {"class", "id", "type", "version"}  # these ask for nothing, whatever they say
_REFERENCES = re.compile(r"url\(\s*([\"']?)#[\w.:-]+\1\s*\)", re.IGNORECASE)
_REACHING = re.compile(r"[\\@]|url|image(?:-set)?\s*\(|expression|:\s*//", re.IGNORECASE)
# What stands before the picture of many a program; a declaration of entities is none of these.
_PROLOGUE = re.compile(
    r"\ufeff?\s*(?:<\?xml\s[^<>]*\?>)?(?:\s|<!--.*?-->)*(?:<!DOCTYPE\s+svg[^\[<>]*>)?", re.DOTALL
)


@functools.lru_cache(maxsize=16)  # HTML and PDF of a notebook show the same ones
def svg(text: str) -> str:
    """A picture with nothing in it but shapes and words, which refer to each other alone and stand still.
    One of our own comes out as it went in; of others the names of the parts, which may be random, are
    counted.

    Raises ExportError where it is no SVG, or declares entities or a style sheet.
    """
    try:
        bare = text[found.end() :] if (found := _PROLOGUE.match(text)) else text
        if re.search(r"<[!?](?!--|\[CDATA\[)", bare):
            raise ValueError("it declares something")
        root = ElementTree.fromstring(bare)
        if root.tag == "svg":  # an HTML page needs no name space
            root = ElementTree.fromstring(
                re.sub("<svg", f'<svg xmlns="{_SVG[1:-1]}"', bare, count=1)
            )
        if root.tag != f"{_SVG}svg":
            raise ValueError(f"it begins with <{root.tag}>")
        worded = any(element.tag == f"{_SVG}text" for element in root.iter())
        if not _cut(root) and not worded:
            return bare
        _counted(root)
        if worded:
            _lettered(root)
        return ElementTree.tostring(root, encoding="unicode")
    except (ElementTree.ParseError, ValueError, RecursionError) as error:
        raise ExportError(f"a picture is no SVG that a page can show ({error})") from None


def _cut(root: ElementTree.Element) -> bool:
    """Take out of a picture what would move, ask for something or lead elsewhere; whether there was any."""
    found = False
    for element in list(root.iter()):
        for child in list(element):
            if child.tag == _LINK:
                child.tag = f"{_SVG}g"
                found = True
            elif not _is_drawn(child):
                element.remove(child)
                found = True
        for name, value in list(element.attrib.items()):
            if not _drawn_by(element, name, value):
                del element.attrib[name]
                found = True
    return found


def _is_drawn(element: ElementTree.Element) -> bool:
    """Whether an element may stand in a picture: one of another's only where the picture holds it."""
    if element.tag == f"{_SVG}image":
        return any(_RASTER.fullmatch(element.get(name, "")) for name in _HREFS)
    if element.tag == f"{_SVG}style":
        return not _reaches(element.text)
    return element.tag in _DRAWN


def _drawn_by(element: ElementTree.Element, name: str, value: str) -> bool:
    """Whether an attribute may stand in a picture."""
    if name in _HREFS:
        if element.tag == f"{_SVG}image":
            return bool(_RASTER.fullmatch(value))
        return bool(_ANCHOR.fullmatch(value))
    if name in (f"{_RDF}resource", _SPACE_KEPT) or name in _UNDRAWN:
        return True
    return bool(_ATTRIBUTE.fullmatch(name)) and not _reaches(value)


def _reaches(value: str | None) -> bool:
    """Whether a value or a style may ask for what does not stand in the picture."""
    return bool(_REACHING.search(_REFERENCES.sub("", value or "")))


def _counted(root: ElementTree.Element) -> None:
    """Name the parts of a picture by their place in it: programs name them at random."""
    names: dict[str, str] = {}
    for element in root.iter():
        if name := element.get("id"):
            names.setdefault(name, f"p{len(names) + 1}")
            element.set("id", names[name])
    reference = re.compile(r"(url\(\s*[\"']?#|^#)([\w.:-]+)", re.IGNORECASE)
    for element in root.iter():
        for name, value in element.attrib.items():
            if name in _HREFS or "url" in value.lower():
                renamed = reference.sub(lambda m: m[1] + names.get(m[2], m[2]), value)
                element.set(name, renamed)
        if element.tag == f"{_SVG}style" and element.text:
            element.text = re.sub(
                r"#([\w-]+)(?=[^{}]*\{)", lambda m: f"#{names.get(m[1], m[1])}", element.text
            )


# Of a list of faces the end, which says what stands in for them where a page has none of them. A PDF has
# these alone, and would else take any that has the letter.
_FACES = re.compile(r"(font(?:-family)?\s*:\s*)(?!inherit|initial|unset)([^;{}]+)", re.IGNORECASE)


def words(picture: bytes) -> str:
    """What an SVG writes."""
    root = ElementTree.fromstring(picture)
    return " ".join("".join(text.itertext()) for text in root.iter(f"{_SVG}text"))


def _lettered(root: ElementTree.Element) -> None:
    """See that the words of a picture are set in a face that a PDF has."""
    root.set("font-family", root.get("font-family", "serif"))
    for element in root.iter():
        if (faces := element.get("font-family")) and faces != "inherit":
            element.set("font-family", _with_ours(faces))
        if style := element.get("style"):
            element.set("style", _FACES.sub(lambda m: m[1] + _with_ours(m[2]), style))
        if element.tag == f"{_SVG}style" and element.text:
            element.text = _FACES.sub(lambda m: m[1] + _with_ours(m[2]), element.text)


# The face of programs puts half of the Vietnamese letters together, which a picture in a PDF may not.
_MONO = re.compile(
    r"'[^']*mono[^']*'|\"[^\"]*mono[^\"]*\"|\b(?:[a-z][\w-]* )*[\w-]*mono[\w-]*", re.IGNORECASE
)


def _with_ours(faces: str) -> str:
    ours = "'Libertinus Serif'"
    return f"{_MONO.sub(ours, faces)}, {ours}"
