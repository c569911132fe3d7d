"""The exceptions of wardlib: one base class, so that one `except` catches all that is ours."""

from __future__ import annotations

import difflib
import re
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Protocol

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


class Numeral(str):
    """A number in English form that knows its value, so that a language can write it anew."""

    value: Decimal

    def __new__(cls, value: Decimal | int) -> Numeral:
        text = super().__new__(cls, f"{value:,}" if isinstance(value, int) else f"{value:,f}")
        text.value = Decimal(value)
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        return Numeral, (self.value,)


class Tongue(Protocol):
    """What says a text anew: `language.Language` is one."""

    def say(self, text: str) -> str:
        """The text in this language."""


class _English:
    def say(self, text: str) -> str:
        return text


def plainly(text: str) -> str:
    """A name as people type it who have no Vietnamese keyboard: small, without marks, words apart.

    >>> plainly("Phúc Đồng"), plainly("phuc-dong")
    ('phuc dong', 'phuc dong')
    """
    marked = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d")
    return " ".join(re.findall(r"\w+", re.sub(r"[\u0300-\u036f_]", _unmarked, marked)))


def _unmarked(sign: re.Match[str]) -> str:
    return " " if sign[0] == "_" else ""


def nearest(found: str, accepted: Iterable[str] | Mapping[str, str], least: float = 0.5) -> str:
    """The accepted name that `found` was most likely meant to be, "" where none is like it (by at least
    `least`: 0 nothing alike, 1 the same); of a mapping, the value behind the most like of its keys.

    >>> nearest("Phuc Dong", ["philadelphia", "phuc-dong"]), nearest("quận", ["phuc-dong"])
    ('phuc-dong', '')
    """
    names = accepted if isinstance(accepted, Mapping) else {name: name for name in accepted}
    asked = plainly(found)
    best, chosen = (least, 0, ""), ""
    for name, value in names.items():
        plain = plainly(name)
        # As a whole, or word by word of a longer name, of which a word may be the initials (GTGT).
        initials = "".join(word[0] for word in plain.split())
        words = [
            1.0
            if len(word) > 2 and word in initials
            else max((_alike(word, own) for own in plain.split()), default=0.0)
            for word in asked.split()
        ]
        known = sum(share for share in words if share > 0.75)
        alike = max(_alike(asked, plain), 0.95 * known / max(len(words), 1))
        rank = alike, _begins_alike(asked, plain), value
        if alike and rank > best:
            best, chosen = rank, value
    return chosen


def _alike(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def _begins_alike(one: str, other: str) -> int:
    """How many signs both begin with."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


_BAR, _STRONG, _OFF = "\x1b[31m▌\x1b[0m ", "\x1b[1m", "\x1b[0m"
_BOX_LINES, _BOX_WIDTH = 6, 92


class WardError(Exception):
    """Base of every error that wardlib raises on purpose; its text says what to do. It shows what came
    from data or names of files so that a terminal obeys nothing of it.

    In a notebook it is one box of few lines in the language of the edition that was asked for last,
    without a line of code: what to mend is not there.
    """

    # Of the notebook: `wardlib.language` sets it, and `wardlib.open` to that of the edition.
    tongue: ClassVar[Callable[[], Tongue]] = _English

    def __str__(self) -> str:
        return visible(super().__str__(), "\n")

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback: at most `_BOX_LINES` lines."""
        tongue = type(self).tongue()
        try:
            last = self._last(tongue)
            lines = self._lines(tongue, _BOX_LINES - len(last))
        except WardError:  # a text without a translation: in English rather than not at all
            last, lines = [], str(self).splitlines()
        lines = lines[: _BOX_LINES - len(last)] + last
        lines[0] = f"{_STRONG}{lines[0][:1].upper()}{lines[0][1:]}{_OFF}"
        return [_BAR + line for line in lines]

    def _lines(self, language: Tongue, most: int) -> list[str]:
        """The text in lines of the box, at most so many."""
        lines = [
            part
            for line in self.told(language).splitlines()
            for part in textwrap.wrap(line, _BOX_WIDTH) or [""]
        ]
        if len(lines) > most:
            lines[most - 1 :] = [textwrap.shorten(lines[most - 1], _BOX_WIDTH - 2) + " …"]
        return lines

    def _last(self, language: Tongue) -> list[str]:
        """What stands in the box after the text."""
        return []

    def told(self, language: Tongue) -> str:
        """The text as `str` gives it, in a language if it is `Said`."""
        text = self.args[0] if len(self.args) == 1 else ""
        return visible(language.say(text), "\n") if isinstance(text, Said) else str(self)


class RequestError(WardError):
    """What was asked for does not exist or cannot be understood (ward, period, language, date).

    `nearest`: what exists and is most like it, "" where nothing is.
    """

    def __init__(self, text: str = "", nearest: str = "") -> None:
        super().__init__(text)
        self.nearest = nearest

    def _last(self, language: Tongue) -> list[str]:
        if not self.nearest:
            return []
        meant = said("Did you mean {nearest}?", nearest=f'"{visible(self.nearest)}"')
        return textwrap.wrap(language.say(meant), _BOX_WIDTH)[:1]


class UnknownNameError(RequestError, AttributeError):
    """An object has nothing of that name, which a person has typed."""


def unknown(owner: object, name: str) -> Exception:
    """What `__getattr__` of an object that people talk to raises: names with an underscore before them
    are asked for by programs, which want to hear nothing but that there is none. Of a name that it has, what
    went wrong in it is raised."""
    if hasattr(type(owner), name):
        object.__getattribute__(owner, name)
    kind = type(owner).__name__
    if name.startswith("_"):
        return AttributeError(f"{kind!r} object has no attribute {name!r}", name=name, obj=owner)
    public = [own for own in dir(owner) if not own.startswith("_")]
    return UnknownNameError(
        said(
            "{kind} has no {name}. It has: {names}.",
            kind=kind,
            name=repr(name),
            names=", ".join(public),
        ),
        nearest(name, public),
    )


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
        lines = [self.place(language), *self.texts(language)]
        return "\n    ".join(lines)

    def place(self, language: Tongue) -> str:
        """File, sheet, cell or row, and column."""
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
        return where

    def texts(self, language: Tongue) -> list[str]:
        """What was found, what was expected and what to do, each where there is something to say."""
        second = said("expected: {text}", text=self.expected)
        if self.severity == NOTE:  # nothing was wrong: what came of it
            second = said("result: {text}", text=self.expected)
        texts = [
            (self.found, said("found: {text}", text=self.found)),
            (self.expected, second),
            (self.fix, said("do: {text}", text=self.fix)),
        ]
        return [visible(language.say(line)) for text, line in texts if text]


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

    def _lines(self, language: Tongue, most: int) -> list[str]:
        """How many problems there are, and a line for each of the first of them."""
        if len(self.problems) == 1:
            return super()._lines(language, most)
        shown = self.problems[: most - 1 if len(self.problems) < most else most - 2]
        lines = [language.say(said("{count} problems in the data:", count=len(self.problems)))]
        for problem in shown:
            told = "; ".join([problem.place(language), *problem.texts(language)])
            lines.append(told if len(told) <= _BOX_WIDTH else f"{told[: _BOX_WIDTH - 1]}…")
        if left := len(self.problems) - len(shown):
            lines.append(language.say(said("… and {count} more: ward check", count=left)))
        return lines

    def __reduce__(self) -> tuple[type[DataError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)


class TranslationError(WardError):
    """A text has no translation in the catalogue of a language."""


class ExportError(WardError):
    """A notebook cannot be made into a briefing as it stands."""
