"""Content drawn as HTML, by a template: nothing from data becomes markup."""

from __future__ import annotations

import base64
import functools
import hashlib
import html as _html
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from wardlib.language import printed

TEMPLATES = Path(__file__).parent / "templates"


def escape(text: str) -> str:
    """`text` as character data or a quoted attribute."""
    return _html.escape(printed(text))


def css(text: str) -> str:
    """`text` inside a string of a style sheet that stands in a page."""
    return re.sub(r"[\"\\<>&\n]", lambda sign: f"\\{ord(sign[0]):x} ", printed(text))


def source(style: str) -> str:
    """The source of a style that a Content-Security-Policy lets through: this one and no other."""
    return f"sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}"


def template(name: str, escape: Callable[[str], str], **literals: Callable[[str], str]) -> Template:
    """A template of blocks, in which every text that is printed goes through `escape`.

    Each of `literals` is a filter, by its name, whose result is printed as it is: Markup, as Jinja calls
    what needs no escape, be it of HTML or of Typst.
    """
    environment = Environment(
        loader=FileSystemLoader([TEMPLATES, TEMPLATES / "ward-html"]),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=lambda value: Markup(escape(value)) if type(value) is str else value,
    )
    for filter_, literal in literals.items():
        environment.filters[filter_] = lambda text, literal=literal: Markup(literal(text))
    return environment.get_template(name)


@functools.cache
def _template() -> Template:
    return template("block.html.j2", escape)


def render(
    content: dict[str, Any],
    *,
    label: str = "",
    see: Sequence[tuple[str, str]] = (),
    picture: str = "",
) -> str:
    """A block's content as HTML.

    On a page a table or chart has a `label` ("Hình 1") and a chart its `picture` (an address), and a
    headline may refer to those below it: `see` holds their labels and slugs.
    """
    return _template().render(content, label=label, see=see, picture=picture)
