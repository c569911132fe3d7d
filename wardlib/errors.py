"""The exceptions of wardlib: one base class, so that one `except` catches all that is ours."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

# Control signs, those without width or of writing direction, halves of a sign, ends of lines, signs that
# nobody has given a meaning.
_UNSEEN = {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}
# Printable for Unicode, but nothing to be seen, or a sign that a file was spoilt: variation selectors,
# fillers, the blank of Braille, the replacement character.
_FILLERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\ufffd"
    "\U000e0100-\U000e01ef]"
)


def hides(text: str) -> bool:
    """Whether some sign of a text shows nothing on paper, or moves what stands beside it."""
    if text.isprintable():
        return bool(_FILLERS.search(text))
    return any(unicodedata.category(char) in _UNSEEN or _FILLERS.match(char) for char in text)


def visible(text: str, spared: str = "") -> str:
    r"""`text` with each sign that a screen would obey or hide, but for those `spared`, as an escape.

    >>> print(visible("Thu\x1b[31m \u202ephí\n"))
    Thu\x1b[31m \u202ephí\n
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        ascii(char)[1:-1] if hides(char) and char not in spared else char for char in text
    )


class WardError(Exception):
    """Base of every error that wardlib raises on purpose; its text says what to do. It shows what came
    from data or names of files so that a terminal obeys nothing of it."""

    def __str__(self) -> str:
        return visible(super().__str__(), "\n")


class RequestError(WardError):
    """What was asked for does not exist or cannot be understood (ward, period, language, date)."""


@dataclass(frozen=True, order=True)
class Problem:
    """One fault in one place of a file.

    `file` is relative to the workbook's folder; `row` is the line number in the file (the header
    is 1; 0 means the whole file); `column` may be empty.
    """

    file: str
    row: int
    column: str
    found: str
    expected: str
    fix: str

    def __str__(self) -> str:
        where = visible(self.file)
        if self.row:
            where += f", row {self.row}"
        if self.column:
            where += f", column {visible(self.column)}"
        found, expected, fix = map(visible, (self.found, self.expected, self.fix))
        return f"{where}\n    found: {found}\n    expected: {expected}\n    do: {fix}"


class DataError(WardError):
    """Data files hold faults: all of them, sorted by place, in `problems`."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        count = len(self.problems)
        head = f"{count} problem{'s' * (count != 1)} in the data:"
        super().__init__("\n".join([head, *(f"- {problem}" for problem in self.problems)]))

    def __reduce__(self) -> tuple[type[DataError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class TranslationError(WardError):
    """A text has no translation in the catalogue of a language."""


class ExportError(WardError):
    """A notebook cannot be made into a briefing as it stands."""
