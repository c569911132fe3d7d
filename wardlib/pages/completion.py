"""Completion: what Tab offers inside the quotes of `wardlib.open`: the wards, periods and languages that
exist. The same in a parameters cell (`ward: str = "…"`; of a notebook for districts `district: str = "…"`,
which is offered districts alone)."""

from __future__ import annotations

import re
from typing import Any

from wardlib.errors import WardError

_PARAMETERS = ("ward", "period", "language")
# The quoted text that the cursor stands in, and what is before it: a name, or a call of `open` so far.
_NAMED = re.compile(r"\b(ward|district|period|language)\s*(?::\s*str\s*)?=\s*([\"'])([^\"'\n]*)$")
_CALLED = re.compile(r"\bwardlib\.open\(((?:[^()\"']|\"[^\"\n]*\"|'[^'\n]*')*)[\"']([^\"'\n]*)$")
_WARD = re.compile(
    r"(?:\b(?:ward|district)\s*(?::\s*str\s*)?=\s*|\bwardlib\.open\(\s*)[\"']([^\"'\n]+)[\"']"
)


def complete(text: str, known: str = "") -> tuple[str, list[str]]:
    """The fragment at the end of `text` (the cell up to the cursor) that can be completed, and what it can
    become, in the order in which it is offered; nothing where the cursor is elsewhere. `known`: the ward
    where the text names none."""
    if found := _NAMED.search(text):
        name, fragment = found[1], found[3]
    elif (found := _CALLED.search(text)) and found[1].count(",") < len(_PARAMETERS):
        name, fragment = _PARAMETERS[found[1].count(",")], found[2]
    else:
        return "", []
    wards = _WARD.findall(text)
    try:
        values = _values(name, wards[-1] if wards else known)
    except WardError:  # no workbook here, or one that cannot be read: `open` says so
        values = []
    return fragment, [value for value in values if value.startswith(fragment)]


def _values(name: str, ward: str) -> list[str]:
    from wardlib.data import book, descriptors  # only whoever asks pays for it
    from wardlib.language import CODES
    from wardlib.periods import periods_of

    if name == "language":
        return list(CODES)
    if name == "ward":
        return descriptors.names()
    if name == "district":
        return descriptors.districts()
    return [str(period) for period in periods_of(book.months(descriptors.ward(ward)))]


def register(shell: Any) -> None:
    """Let Tab ask this module in an IPython `shell`, once."""
    from IPython.core.completer import (
        CompletionContext,
        SimpleCompletion,
        SimpleMatcherResult,
        context_matcher,
    )

    @context_matcher(identifier=__name__)  # type: ignore[untyped-decorator]  # IPython has no types
    def matcher(context: CompletionContext) -> SimpleMatcherResult:
        lines = context.full_text.split("\n")
        before = "\n".join(
            [*lines[: context.cursor_line], context.line_with_cursor[: context.cursor_position]]
        )
        fragment, values = complete(
            before, str(shell.user_ns.get("ward") or shell.user_ns.get("district", ""))
        )
        return SimpleMatcherResult(
            completions=[SimpleCompletion(value, type="text") for value in values],
            matched_fragment=fragment,
            ordered=True,
            suppress=bool(values),  # no file and no magic command belongs there
        )

    asked = shell.Completer.custom_matchers
    asked[:] = [own for own in asked if getattr(own, "matcher_identifier", "") != __name__]
    asked.append(matcher)
