"""Content drawn as HTML, by a template: nothing from data becomes markup."""

from __future__ import annotations

import functools
import html as _html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from wardlib.language import printed

TEMPLATES = Path(__file__).parent / "templates"


def escape(text: str) -> str:
    """`text` as character data or a quoted attribute."""
    return _html.escape(printed(text))


@functools.cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=lambda value: Markup(escape(value)) if type(value) is str else value,
    )
    return environment.get_template("block.html.j2")


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
