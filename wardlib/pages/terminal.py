"""Printed text as a terminal shows it in the end: what was written over is gone, colours are ink."""

from __future__ import annotations

import colorsys
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from wardlib.language import printed
from wardlib.pages import html
from wardlib.pages.cleaning import STEERING, whole

# What is no letter: a sequence (ECMA-48), a return, a step back, a tab, an end of a line.
_TOKEN = re.compile(
    rf"(?P<steers>{STEERING.pattern})|[\r\b\t\n]|[^\x1b\x80-\x9f\r\b\t\n]+|.", re.DOTALL
)
_SEQUENCE = re.compile(r"(?:\x1b\[|\x9b)([0-9;:]*)([A-Za-z])")
_STEERED = re.compile(r"[\x1b\x80-\x9f\r\b\t]")
_STOPS = 8  # columns from one tab to the next
_REACH = 500  # columns and lines at most that one sequence moves


@dataclass(frozen=True)
class _Look:
    """How a letter looks; `ink` is the name of a colour, "" for that of the text."""

    bold: bool = False
    italic: bool = False
    underlined: bool = False
    struck: bool = False
    ink: str = ""
    paper: str = ""
    inverse: bool = False


_PLAIN = _Look()
# Dark enough to be read on white and on the band of printed text, and to print in grey (WCAG 2, 1.4.3).
INKS = {
    "red": "#a31515", "green": "#1a6b1a", "yellow": "#7a5c00", "blue": "#1b4f9c", "magenta": "#8a1a7a",
    "cyan": "#006070",
}  # fmt: skip
_BASIC = ["", "red", "green", "yellow", "blue", "magenta", "cyan", ""]


def shown(text: str) -> str:
    """What a terminal shows of a text in the end, as the HTML inside a `pre`.

    Bold, italic, underlined and struck letters are so; coloured ones stand in a `span` with the name of
    their ink as its class, those on a coloured ground are bold. Nothing else of what steers a terminal
    is left.

    >>> shown("\\x1b[31mđỏ\\x1b[0m 10%\\r\\x1b[K100%")
    '100%'
    >>> shown("\\x1b[1;31mthu\\x1b[0m < chi")
    '<strong><span class="red">thu</span></strong> &lt; chi'
    """
    text = whole(text)
    if not _STEERED.search(text):
        return html.escape(text)
    return "\n".join(map(_marked, _screen(text.replace("\r\n", "\n"))))


_Row = list[tuple[str, _Look]]


def _screen(text: str) -> list[_Row]:
    """The rows of an endless screen after a text was written, a letter and its look each."""
    rows: list[_Row] = [[]]
    row, column, look = 0, 0, _PLAIN
    for token in _TOKEN.finditer(text):
        word = token[0]
        if token["steers"]:
            if (sequence := _SEQUENCE.fullmatch(word)) is None:
                continue
            kind = sequence[2]
            if kind == "m":
                look = _turned(look, sequence[1])
                continue
            given = sequence[1].split(";")[0]
            count = min(int(given) if given.isdecimal() else 0, _REACH)
            line = rows[row]
            if kind == "K":  # to the end of the line, to its beginning, the whole of it
                if count == 0:
                    del line[column:]
                elif count == 2:
                    line.clear()
                else:
                    line[: column + 1] = [(" ", _PLAIN)] * min(column + 1, len(line))
            elif kind in "AF":
                row = max(row - max(count, 1), 0)
            elif kind in "BE":
                row = min(row + max(count, 1), len(rows) - 1)
            elif kind in "CD":
                column = max(column + max(count, 1) * (1 if kind == "C" else -1), 0)
            elif kind == "G":
                column = max(count - 1, 0)
            if kind in "EF":
                column = 0
        elif word == "\n":
            row, column = row + 1, 0
            if row == len(rows):
                rows.append([])
        elif word == "\r":
            column = 0
        elif word == "\b":
            column = max(column - 1, 0)
        else:
            if word == "\t":
                word = " " * (_STOPS - column % _STOPS)
            word = printed(word)
            line = rows[row]
            line += [(" ", _PLAIN)] * (column - len(line))
            line[column : column + len(word)] = [(letter, look) for letter in word]
            column += len(word)
    return rows


def _marked(row: _Row) -> str:
    """A row as HTML."""
    made = []
    for look, letters in itertools.groupby(row, key=lambda cell: cell[1]):
        words = html.escape("".join(letter for letter, _ in letters))
        if look.ink:
            words = f'<span class="{look.ink}">{words}</span>'
        bold = look.bold or look.paper or look.inverse
        for has, tag in (
            (look.struck, "s"),
            (look.underlined, "u"),
            (look.italic, "em"),
            (bold, "strong"),
        ):
            if has and words.strip():
                words = f"<{tag}>{words}</{tag}>"
        made.append(words)
    return "".join(made)


def _turned(look: _Look, codes: str) -> _Look:
    """A look after a sequence "Select Graphic Rendition" with these codes."""
    given = iter([int(code) if code.isdecimal() else 0 for code in re.split("[;:]+", codes)])
    for code in given:
        match code:
            case 0:
                look = _PLAIN
            case 1:
                look = replace(look, bold=True)
            case 3:
                look = replace(look, italic=True)
            case 4 | 21:
                look = replace(look, underlined=True)
            case 7:
                look = replace(look, inverse=True)
            case 9:
                look = replace(look, struck=True)
            case 22:
                look = replace(look, bold=False)
            case 23:
                look = replace(look, italic=False)
            case 24:
                look = replace(look, underlined=False)
            case 27:
                look = replace(look, inverse=False)
            case 29:
                look = replace(look, struck=False)
            case 38:
                look = replace(look, ink=_mixed(given))
            case 48:
                look = replace(look, paper=_mixed(given))
            case 39:
                look = replace(look, ink="")
            case 49:
                look = replace(look, paper="")
            case _ if code // 10 in (3, 9):
                look = replace(look, ink=_BASIC[code % 10 % 8])
            case _ if code // 10 in (4, 10):
                look = replace(look, paper=_BASIC[code % 10 % 8])
    return look


def _mixed(given: Iterator[int]) -> str:
    """The ink nearest to one of 256 colours, or to one of three parts; what says which is taken."""
    kind = next(given, 0)
    if kind == 5:
        code = next(given, 0)
        if code < 16:
            return _BASIC[code % 8]
        if code > 231:  # greys
            return ""
        steps = [0, 95, 135, 175, 215, 255]
        cube = code - 16
        return _nearest(steps[cube // 36 % 6], steps[cube // 6 % 6], steps[cube % 6])
    if kind == 2:
        return _nearest(*(min(next(given, 0), 255) for _ in range(3)))
    return ""


def _nearest(red: int, green: int, blue: int) -> str:
    """The ink of the same hue; that of the text for what is hardly coloured."""
    hue, _, saturation = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
    if saturation < 0.25 or max(red, green, blue) - min(red, green, blue) < 40:
        return ""
    return ["red", "yellow", "green", "cyan", "blue", "magenta"][round(hue * 6) % 6]
