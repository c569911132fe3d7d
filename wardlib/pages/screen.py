"""Screen: what a notebook shows of a block, in the colours of JupyterLab's theme, light or dark. Exporters draw
the block anew from its content and its picture, and take nothing from here."""

from __future__ import annotations

import functools
import re
import sys
from typing import Any

from jinja2 import Template

from wardlib import language
from wardlib.pages import html

_LONG = 15  # rows: a longer table sorts and searches
_STYLED = {"table", "chart", "answer"}


def render(content: dict[str, Any], svg: str, code: str) -> str:
    """A block's content as HTML for a notebook in the language `code`; of a chart with its picture, which it
    needs to have a text of its own."""
    kind = content["kind"]
    if kind not in _STYLED:
        return html.render(content)
    find = ""
    if kind == "table":
        content = content | {"rows": [_on_one_line(row) for row in content["rows"]]}
        if len(content["rows"]) > _LONG and is_interactive():
            find = language.get(code).text("Search")
    picture = f"data:image/svg+xml,{_address(smaller(svg))}" if svg else ""
    return _template().render(content, label="", see=(), picture=picture, find=find, language=code)


def is_interactive() -> bool:
    """Whether the cells run in a kernel at which somebody may sit; that of `ward run` is our own."""
    asked = getattr(sys.modules.get("IPython"), "get_ipython", None)
    kernel = getattr(asked and asked(), "kernel", None)
    return kernel is not None and not type(kernel).__module__.startswith("wardlib.")


@functools.cache
def _template() -> Template:
    return html.template("screen.html.j2", html.escape)


def _on_one_line(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose figures do not break inside an interval, as they do on paper where the room is scarce."""
    cells = []
    for cell in row["cells"]:
        text = "\n".join(cell["lines"]).replace(f"\n{language.NONE} ", f" {language.NONE} ")
        cells.append(cell | {"lines": text.split("\n")})
    return row | {"cells": cells}


_SIGNS = str.maketrans({sign: f"%{ord(sign):02X}" for sign in '%#"<>\n\t'})


def _address(svg: str) -> str:
    """A picture as the end of an address that holds it."""
    return svg.translate(_SIGNS)


_OUTLINE = re.compile(r'(?<= d=")[^"]+')
_CIRCLE = re.compile(r"M (\S+) (\S+) \nC [^Mz]+z\n")


def smaller(svg: str) -> str:
    """A chart's picture for a screen, which a notebook holds beside the one that is printed: a tenth of a point
    is enough, and each of the thousand dots of a hatch is a point of a round pen, not eight curves."""
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<path d="[^"]+" style="[^"]+"/>(?=\s*</pattern>)', _dotted, svg)
    svg = _OUTLINE.sub(lambda outline: re.sub(r"(\.[0-9])[0-9]+", r"\1", outline[0]), svg)
    return re.sub(r"\s+", " ", svg).replace("> <", "><")


def _dotted(path: re.Match[str]) -> str:
    """A path of circles as points; any other as it is."""
    points, circles = _CIRCLE.subn(r"M\1 \2h0", path[0])
    if not circles:
        return path[0]
    pen = "stroke-width: 1.2; stroke-linecap: round"  # a circle of 0.3 with its rim of 0.6
    return points.replace("stroke-width: 0.6; stroke-linecap: butt", pen)
