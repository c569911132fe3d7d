"""The exceptions of wardlib: one base class, so that one `except` catches all that is ours."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

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


class Said(str):
    """A text in English that knows of which message it was made and what fills it, so that a language
    can say it anew; it is an ordinary text for whoever reads English."""

    message: str
    values: dict[str, str]

    def __new__(cls, message: str, values: dict[str, str]) -> Said:
        text = super().__new__(cls, message.format(**values))
        text.message, text.values = message, values
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        return Said, (self.message, self.values)


def said(message: str, **values: object) -> Said:
    """The English `message`, its {names} filled with `values`; what of these is `Said` itself is said
    in the reader's language, all else as it stands.

    >>> said("at most {limit} days", limit=27)
    'at most 27 days'
    """
    return Said(
        message,
        {name: value if isinstance(value, str) else str(value) for name, value in values.items()},
    )


class Tongue(Protocol):
    """What says a text anew: `language.Language` is one."""

    def say(self, text: str) -> str:
        """The text in this language."""


class _English:
    def say(self, text: str) -> str:
        return text


class WardError(Exception):
    """Base of every error that wardlib raises on purpose; its text says what to do. It shows what came
    from data or names of files so that a terminal obeys nothing of it."""

    def __str__(self) -> str:
        return visible(super().__str__(), "\n")

    def told(self, language: Tongue) -> str:
        """The text as `str` gives it, in a language if it is `Said`."""
        text = self.args[0] if len(self.args) == 1 else ""
        return visible(language.say(text), "\n") if isinstance(text, Said) else str(self)


class RequestError(WardError):
    """What was asked for does not exist or cannot be understood (ward, period, language, date)."""


REFUSE, ASK, NOTE = "refuse", "ask", "note"  # what a problem asks of the clerk


@dataclass(frozen=True, order=True)
class Problem:
    """One fault, one question or one remark about one place of a file.

    `file` is relative to the workbook's folder; `row` is the line number in the file (the header
    is 1; 0 means the whole file); `column` may be empty. Of an office file `sheet` and `cell` ("E9", ""
    for the sheet as a whole) name the place. `kind` is a word for programs; `severity` says whether the
    file is refused, a person has to decide, or something is only told. The three texts may be `Said`.
    """

    file: str
    row: int
    column: str
    found: str
    expected: str
    fix: str
    sheet: str = ""
    cell: str = ""
    kind: str = ""
    severity: str = REFUSE

    def __str__(self) -> str:
        return self.told(_English())

    def told(self, language: Tongue) -> str:
        """The place, and below it what was found, what was expected and what to do."""
        say = language.say
        where = visible(self.file)
        if self.sheet:
            where += ", " + say(said("sheet {sheet}", sheet=visible(self.sheet)))
        if self.cell:
            where += ", " + say(said("cell {cell}", cell=self.cell))
        elif self.row:
            where += ", " + say(said("row {row}", row=self.row))
        if self.column:
            where += ", " + say(said("column {column}", column=visible(self.column)))
        second = said("expected: {text}", text=self.expected)
        if self.severity == NOTE:  # nothing was wrong: what came of it
            second = said("result: {text}", text=self.expected)
        texts = [
            (self.found, said("found: {text}", text=self.found)),
            (self.expected, second),
            (self.fix, said("do: {text}", text=self.fix)),
        ]
        return where + "".join(f"\n    {visible(say(line))}" for text, line in texts if text)


class DataError(WardError):
    """Data files hold faults: all of them, sorted by place, in `problems`."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__(self.told(_English()))

    def told(self, language: Tongue) -> str:
        """How many problems there are, and each of them."""
        count = len(self.problems)
        head = said("1 problem in the data:")
        if count != 1:
            head = said("{count} problems in the data:", count=count)
        return "\n".join(
            [language.say(head), *(f"- {problem.told(language)}" for problem in self.problems)]
        )

    def __reduce__(self) -> tuple[type[DataError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class TranslationError(WardError):
    """A text has no translation in the catalogue of a language."""


class ExportError(WardError):
    """A notebook cannot be made into a briefing as it stands."""
