"""Formats: what a number format makes of a stored number."""

from __future__ import annotations

import datetime
import math
import re
from decimal import Decimal

from wardlib.data.intake.grids import Cell

# What a format shows as it stands: quoted, escaped, as wide as a letter, repeated; colours, conditions
# and countries in brackets (but for hours, minutes and seconds that run past their end).
_LITERAL = re.compile(
    r'"[^"]*"|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]|general|standard', re.IGNORECASE | re.DOTALL
)
_EPOCH = datetime.datetime(1899, 12, 30)
_DAY = 86_400


def shape(code: str) -> str:
    """What a format of office programs shows: "percent", "date" (a time too), "duration" or "".

    >>> [shape(code) for code in ("0.00%", 'dd"%"', "[h]:mm", '#,##0"đ"', "[Red]0", "[$-42A]d/m/yy")]
    ['percent', 'date', 'duration', '', '', 'date']
    """
    bare = _LITERAL.sub("", code)
    if "%" in bare:
        return "percent"
    if "[" in bare:
        return "duration"
    return "date" if re.search("[dmyhs]", bare, re.IGNORECASE) else ""


def number(stored: float) -> Decimal:
    """The shortest decimal number that is stored as `stored`, which is finite.

    >>> number(916.56), number(5.0), number(1e16)
    (Decimal('916.56'), Decimal('5'), Decimal('10000000000000000'))
    """
    text = format(Decimal(repr(stored or 0.0)), "f")  # a zero has no sign
    return Decimal(text.removesuffix(".0"))


def plain(value: Decimal) -> str:
    """A number without exponent or idle zeros.

    >>> plain(Decimal("20.00")), plain(Decimal("-0")), plain(Decimal("1E+3"))
    ('20', '0', '1000')
    """
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def clock(seconds: float) -> str:
    """Hours, minutes and seconds.

    >>> clock(30600), clock(95400.4)
    ('08:30:00', '26:30:00')
    """
    whole = round(abs(seconds))
    sign = "-" if seconds < 0 and whole else ""
    return f"{sign}{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def read(text: str) -> datetime.datetime:
    """A day, or a moment to the second, as XML writes it; ValueError where it is none.

    >>> read("2022-05-04"), read("2022-05-04T08:30:00.4Z")
    (datetime.datetime(2022, 5, 4, 0, 0), datetime.datetime(2022, 5, 4, 8, 30))
    """
    value = datetime.datetime.fromisoformat(text.strip()).replace(tzinfo=None)
    return (value + datetime.timedelta(microseconds=500_000)).replace(microsecond=0)


def moment(value: datetime.datetime, font: str = "", *, formula: bool = False) -> Cell:
    """The cell of a day, with a time where it has one."""
    if value.time() == datetime.time():
        return Cell(value.date(), value.date().isoformat(), formula=formula, font=font)
    return Cell(value, value.isoformat(" ", "seconds"), formula=formula, font=font)


def cell(
    stored: float, shown: str, font: str = "", *, formula: bool = False, since_1904: bool = False
) -> Cell:
    """The cell of a stored number with a format of the `shape` shown. A time of day and a duration
    are texts. What its format cannot show, as a day before 1900, is an error."""
    if not math.isfinite(stored):
        return Cell(None, "#NUM!", "error", formula=formula, font=font)
    if shown in ("", "percent"):
        value = number(stored)
        text = plain(value)
        if shown:
            text = plain(value * 100) + "%"
        return Cell(value, text, percent=bool(shown), formula=formula, font=font)
    if shown == "duration" or 0 <= stored < 1:
        text = clock(stored * _DAY)
        return Cell(text, text, formula=formula, font=font)
    days = stored + 1462 * since_1904
    try:
        # Excel counts a 29 February 1900; before it, each day is one further on.
        value_at = _EPOCH + datetime.timedelta(
            days=math.floor(days) + (days < 60), seconds=round((days % 1) * _DAY)
        )
    except OverflowError:
        value_at = _EPOCH
    if stored < 0 or value_at == _EPOCH:
        return Cell(None, "#####", "error", formula=formula, font=font)
    return moment(value_at, font, formula=formula)
