"""Shown: what an object says of itself where a prompt or a cell shows it: a few lines, as text and as HTML.

A result holds thousands of figures. Whoever shows one wants to know what it is, of whom, as of when, the
few figures that matter, and what to ask it next; Tab lists what is meant to be asked.
"""

from __future__ import annotations

import datetime
import html
import textwrap
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from wardlib.errors import visible

_WIDTH = 92  # letters of a line
_MOST = 18  # facts
_FEW = 6  # names of a list
_LINES, _LONGEST = 4, 24  # of one fact, of all


class Shown:
    """An object that speaks. A child says its `_title`, its `_facts` (by default its fields) and perhaps
    what to call `_next`; each name of `__dir__` is public."""

    __slots__ = ()

    def _title(self) -> str:
        """What it is, of whom, as of when: one line."""
        return type(self).__name__

    def _facts(self) -> Mapping[str, str]:
        """What it holds, in the order in which it is read."""
        if not is_dataclass(self):
            return {}
        names = [field.name for field in fields(self) if field.repr]
        return {name: brief(getattr(self, name)) for name in names if not name.startswith("_")}

    def _of(self) -> dict[str, Any]:
        """Of which edition it is, as far as it knows, and what was supposed for it (see `Edition.of`)."""
        return {}

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        of = self._of()
        data = {"text/plain": repr(self), "text/html": self._repr_html_()}
        return data, {"wardlib-of": of} if of else {}

    def _next(self) -> str:
        """What can be asked of it that is not shown."""
        shown = set(self._facts())
        names = [name for name in dir(self) if name not in shown]
        calls = (f".{name}{'()' * callable(getattr(type(self), name, None))}" for name in names)
        return ", ".join(calls)

    def __dir__(self) -> list[str]:
        return sorted(name for name in super().__dir__() if not name.startswith("_"))

    def __repr__(self) -> str:
        lines = textwrap.wrap(visible(self._title()), _WIDTH, subsequent_indent="    ")
        for name, text in self._told():
            lines += _wrapped(f"{name}: {text}", "  ")
        called = _wrapped(self._next(), "  → ")
        return "\n".join([*lines[: _LONGEST - len(called)], *called])

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><th scope="row" style="text-align: left; font-weight: normal; white-space: nowrap">{_escaped(name)}</th>'
            f'<td style="text-align: left">{_escaped(text)}</td></tr>'
            for name, text in self._told()
        )
        table = f"<table>{rows}</table>" if rows else ""
        called = self._next()
        after = f"<p><code>{_escaped(called)}</code></p>" if called else ""
        return f"<div><p><strong>{_escaped(self._title())}</strong></p>{table}{after}</div>"

    def _told(self) -> list[tuple[str, str]]:
        """The facts, those that a reader has no use for (empty ones, too many) left out."""
        told = [(name, " ".join(text.split())) for name, text in self._facts().items() if text]
        return [(visible(name), visible(text)) for name, text in told[:_MOST]]


def _wrapped(text: str, indent: str) -> list[str]:
    """A text in the few lines that it may take."""
    lines = textwrap.TextWrapper(_WIDTH, indent, "    ", max_lines=_LINES, placeholder=" …")
    return lines.wrap(text)


def _escaped(text: str) -> str:
    return html.escape(visible(text))


def brief(value: Any) -> str:
    """A value in a few words; of an array or a table its size, of a list its first names.

    >>> brief(17843000000.0), brief(0.93), brief(("a", "b")), brief({name: 1 for name in "abcdefgh"})
    ('17,843,000,000', '0.93', '2: a, b', '8: a, b, c, d, e, f …')
    """
    if isinstance(value, Shown):
        return value._title()
    if value is None:
        return "none"
    if isinstance(value, str):
        return textwrap.shorten(value, _WIDTH, placeholder=" …")
    if isinstance(value, float):
        return number(value)
    if isinstance(value, Path):
        return value.name  # no folder of the machine
    if hasattr(value, "shape"):
        return _size(value)
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.strftime("%Y-%m-%d") if value == value else "none"
    if isinstance(named := getattr(value, "id", None), str):
        return named
    if isinstance(value, Collection):
        return listed(map(brief, value))
    if is_dataclass(value):
        return type(value).__name__
    return type(value).__name__ if callable(value) else str(value)


def number(value: float, unit: str = "") -> str:
    """A number with its unit, grouped by thousands; "not known" where it is missing.

    >>> number(17843000000.4, "VND"), number(12.34), number(float("nan"))
    ('17,843,000,000 VND', '12.34', 'not known')
    """
    if value is None or value != value:
        return "not known"
    text = f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:,.4g}"
    return f"{text} {unit}".rstrip()


def listed(names: Iterable[str]) -> str:
    """How many there are, and the first of them."""
    every = list(names)
    if not every:
        return "none"
    few = ", ".join(textwrap.shorten(name, 40, placeholder=" …") for name in every[:_FEW])
    return f"{len(every)}: {few}{' …' * (len(every) > _FEW)}"


def _size(value: Any) -> str:
    """The size of an array, a series or a table, and what its columns are called."""
    size = " x ".join(map(str, value.shape))
    columns = getattr(value, "columns", None)
    if columns is None:
        return f"{size} values"
    return f"{size} ({', '.join(map(str, columns[:_FEW]))}{' …' * (len(columns) > _FEW)})"
