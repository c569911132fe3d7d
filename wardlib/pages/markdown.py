"""The prose of a notebook's Markdown cells, in HTML and in Typst. The only user of mistune."""

from __future__ import annotations

import functools
from typing import Any

import mistune

from wardlib.pages import cleaning, typst


class _TypstRenderer(mistune.BaseRenderer):
    """Markdown as Typst: what the notebooks' prose uses, everything else as its plain text."""

    NAME = "typst"

    def render_token(self, token: dict[str, Any], state: Any) -> str:
        kind, attributes = token["type"], token.get("attrs", {})
        if kind in ("text", "block_text") and "raw" in token:
            return typst.escape(token["raw"])
        if kind == "codespan":
            return f"#raw({typst.string(token['raw'])});"
        inner = (
            self.render_tokens(token["children"], state)
            if "children" in token
            else typst.escape(token.get("raw", ""))
        )
        match kind:
            case "heading":  # the title stands above, so a section is a heading of level 1
                level = max(attributes["level"] - 1, 1)
                return f"#heading(level: {level})[{inner}]\n\n"
            case "paragraph":
                return inner + "\n\n"
            case "strong":
                return f"#strong[{inner}]"
            case "emphasis":
                return f"#emph[{inner}]"
            case "link":
                to = cleaning.address(attributes["url"])
                return f"#link({typst.string(to)})[{inner}]" if to else inner
            case "list":
                return f"#{'enum' if attributes.get('ordered') else 'list'}({inner})\n\n"
            case "list_item":
                return f"[{inner}], "
            case "softbreak" | "blank_line":
                return "\n"
            case "linebreak":
                return "#linebreak();"
            case _:
                return inner


@functools.cache
def _html() -> mistune.Markdown:
    # Which addresses a page may lead to is said in `cleaning` alone.
    return mistune.Markdown(mistune.HTMLRenderer(escape=True, allow_harmful_protocols=True))


@functools.cache
def _typst() -> mistune.Markdown:
    return mistune.create_markdown(renderer=_TypstRenderer())


def as_html(text: str) -> str:
    """Markdown as HTML; HTML in it stands as text, and a picture from elsewhere as its words."""
    return cleaning.html(str(_html()(text)))


def as_typst(text: str) -> str:
    """Markdown as Typst; Typst in it stands as text."""
    return str(_typst()(text))
