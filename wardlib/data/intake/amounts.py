"""Amounts: what the cells of one column say as numbers, and whole đồng out of units.

How numbers are written as text is decided for a column by all of its cells: "1.234" alone may be a thousand
or one and a bit, "916.560.000" or "0,980" beside it decides. Blank, "-", "…", "x" and 0 are different
things. Calculated in exact decimals; a number that a program stored in binary counts as its shortest text,
and, where only its noise would make parts of a đồng, as its first 15 digits, which is all that office
programs themselves show (Microsoft, "Excel specifications and limits": number precision, 15 digits).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from wardlib.data.intake.grids import Cell

NUMBER, BLANK, UNREPORTED, DASH, AMBIGUOUS = "number", "blank", "unreported", "dash", "ambiguous"
# What a cell of a column of numbers may be instead: kinds of problems.
PERCENT, DATE, ERROR, UNCALCULATED, DIFFERS, NONSENSE = (
    "percent_in_money",
    "date_in_money",
    "error_cell",
    "formula_without_value",
    "readers_differ",
    "not_a_number",
)
DECIMALS, THOUSANDS = "decimals", "thousands"  # what the sign in "1.234" sets apart
_LONGEST = 100  # letters of a number, spaces included, with room to spare
_DASHES = re.compile(r"[-–—−_]{1,3}")
_UNREPORTED = re.compile(r"(?i)[.…]+|x|n/?a|chưa (có|báo cáo|phát sinh báo cáo)|không có số liệu")
_DAY = re.compile(r"\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}")
_ERROR = re.compile(r"#(REF|N/A|VALUE|DIV/0|NAME|NUM|NULL|SPILL|CALC)[!?]?|#{3,}")
_SPACES = re.compile("[\\s\u00a0\u2000-\u200a\u202f\u205f]+")
_UNSEEN = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_MONEY = re.compile(r"(?i)\s*(đồng|đ|vnđ|vnd)\.?$")
# By what sets apart thousands and decimals.
_STYLES = {
    (group, decimal): re.compile(
        rf"(?P<whole>[1-9][0-9]{{0,2}}(?:{re.escape(group)}[0-9]{{3}})+|[0-9]+)"
        rf"(?:{re.escape(decimal)}(?P<rest>[0-9]+))?"
    )
    for group, decimal in ((".", ","), (",", "."), (" ", ","), (" ", "."), ("'", "."))
}


@dataclass(frozen=True)
class Reading:
    """What a cell says: NUMBER with its value, or one of the other words, also the kind of a problem;
    an AMBIGUOUS one with both values, a PERCENT with the share (1 = all). `stored`: a program's own number, no text; `money`: it says đồng
    itself."""

    state: str
    value: Decimal | None = None
    other: Decimal | None = None
    stored: bool = False
    money: bool = False


def read(cells: Sequence[Cell | None], answer: str = "") -> list[Reading]:
    """The readings of a column's cells; `answer`, DECIMALS or THOUSANDS, decides where the column does
    not.

    >>> def said(*texts): return [str(own.value) for own in read([Cell(text, text) for text in texts])]
    >>> said("916.560.000", "335.500"), said("0,980", "335,500")
    (['916560000', '335500'], ['0.980', '335.500'])
    """
    texts = {
        at: _text(cell) for at, cell in enumerate(cells) if cell and isinstance(cell.value, str)
    }
    numbers = {at: text for at, text in texts.items() if text and _word(text) is None}
    styles = _styles(list(numbers.values()), answer)
    return [
        _number(texts[at], styles) if at in numbers else _other(cell, texts.get(at, ""))
        for at, cell in enumerate(cells)
    ]


def whole(reading: Reading, factor: Decimal) -> int | None:
    """The number in whole đồng (or in whole things, by a factor of 1); None where it holds a part of one.

    >>> whole(Reading(NUMBER, Decimal("0.30000000000000004"), stored=True), Decimal(1_000_000))
    300000
    """
    value = reading.value
    assert value is not None
    for number in (value, Decimal(f"{value:.15g}")) if reading.stored else (value,):
        amount = number * factor
        if amount == amount.to_integral_value():
            return int(amount)
    return None


def exact(reading: Reading) -> Decimal:
    """The number without the noise of a binary one."""
    value = reading.value
    assert value is not None
    short = Decimal(f"{value:.15g}")
    return short if reading.stored and len(str(short)) < len(str(value)) else value


def _text(cell: Cell) -> str:
    assert isinstance(cell.value, str)
    return _SPACES.sub(" ", cell.value[:_LONGEST]).strip(_UNSEEN + " ")


def _word(text: str) -> str | None:
    """The state of a text that is no number, as far as it is a known one."""
    if not text:
        return BLANK
    if _DASHES.fullmatch(text):
        return DASH
    if _UNREPORTED.fullmatch(text):
        return UNREPORTED
    if _ERROR.fullmatch(text):
        return ERROR
    if text.endswith("%"):
        return PERCENT
    if _DAY.fullmatch(text) and len(re.split("[/.-]", text)) == 3 and not _is_grouped(text):
        return DATE
    return None


def _is_grouped(text: str) -> bool:
    """Whether a text with two points is a number in thousands, and no day."""
    return any(style.fullmatch(text) for style in _STYLES.values())


def _other(cell: Cell | None, text: str) -> Reading:
    if cell is None or cell.value is None:
        faults = {"error": ERROR, "formula": UNCALCULATED, "differs": DIFFERS}
        return Reading(faults[cell.fault] if cell and cell.fault else BLANK)
    if isinstance(cell.value, str):
        state = _word(text) or NONSENSE
        return Reading(state, _share(text) if state == PERCENT else None)
    if isinstance(cell.value, bool):
        return Reading(NONSENSE)
    if isinstance(cell.value, datetime.date):
        return Reading(DATE)
    if isinstance(cell.value, Decimal):
        return Reading(PERCENT if cell.percent else NUMBER, cell.value, stored=True)
    return Reading(NONSENSE)


def _share(text: str) -> Decimal | None:
    """ "97,31 %" as a share; a mark in it stands before decimals, as no share has thousands."""
    digits = text.rstrip("% ").replace(",", ".")
    return Decimal(digits) / 100 if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", digits) else None


def _bare(text: str) -> tuple[str, str, bool]:
    """Sign, digits with their marks, and whether đồng was written behind."""
    money = bool(_MONEY.search(text))
    text = _MONEY.sub("", text)
    sign = ""
    if text.startswith("(") and text.endswith(")"):
        sign, text = "-", text[1:-1]
    elif text[:1] in "-−–+":
        sign, text = ("" if text[0] == "+" else "-"), text[1:]
    return sign, _SPACES.sub(" ", text.strip()), money


def _value(text: str, style: tuple[str, str]) -> Decimal | None:
    sign, digits, _ = _bare(text)
    match = _STYLES[style].fullmatch(digits)
    if not match:
        return None
    whole_part = match["whole"].replace(style[0], "")
    return Decimal(
        f"{sign}{whole_part}.{match['rest']}" if match["rest"] else f"{sign}{whole_part}"
    )


def _styles(texts: list[str], answer: str) -> list[tuple[str, str]]:
    """The styles in which all the texts are numbers, else the one in which most are."""
    fits = {style: [_value(text, style) is not None for text in texts] for style in _STYLES}
    # What is no number in any style decides nothing.
    numbers = [at for at in range(len(texts)) if any(own[at] for own in fits.values())]
    possible = [style for style, own in fits.items() if all(own[at] for at in numbers)]
    if not possible:
        return [max(fits, key=lambda style: sum(fits[style]))]
    if answer:
        marks = {sign for text in texts for sign in ".,'" if sign in text}
        place = 1 if answer == DECIMALS else 0
        return [style for style in possible if style[place] in marks] or possible
    return possible


def _number(text: str, styles: list[tuple[str, str]]) -> Reading:
    values = {_value(text, style) for style in styles}
    if None in values:
        return Reading(NONSENSE)
    found = sorted(value for value in values if value is not None)
    money = _bare(text)[2]
    if len(found) > 1:
        return Reading(AMBIGUOUS, found[-1], found[0], money=money)
    return Reading(NUMBER, found[0], money=money)
