"""Months: which months a title or a column's head speaks of."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from wardlib.data.intake.wordings import fold

_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_WORDS = dict(
    zip(
        ("một", "giêng", "hai", "ba", "tư", "bốn", "năm", "sáu", "bảy", "bẩy", "tám", "chín", "mười một",
         "mười hai", "mười", "chạp"),
        (1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 11, 12, 10, 12),
        strict=True,
    )
)  # fmt: skip
_ENGLISH = {
    short: at
    for at, name in enumerate(
        ("january", "february", "march", "april", "may", "june", "july", "august", "september",
         "october", "november", "december"), 1,
    )
    for short in (name, name[:3])
}  # fmt: skip
_YEAR = r"(?:\s*(?:[/.,-]|năm|\s)\s*((?:19|20)\d\d))?"
# "until 31/01/2022" speaks of the months up to it; any other day is a date of the paper or of a law.
_UNTIL = re.compile(
    r"đến\s*(?:hết\s*)?(?:ngày\s*)?(\d{1,2})\s*(?:[/.-]|tháng)\s*(\d{1,2})\s*(?:[/.-]|năm)\s*(\d{4})"
)
_DAYS = re.compile(
    r"(?:ngày\s*)?\d{1,2}\s*(?:/|-|\.)\s*\d{1,2}\s*(?:/|-|\.)\s*\d{4}"
    r"|(?:19|20)\d\d-\d\d-\d\d"
    r"|ngày\s*(?:\d{1,2}|[….]+)\s*tháng\s*(?:\d{1,2}|[….]+)(?:\s*năm\s*(?:\d{4}|[….]+))?"
)
_PAPERS = re.compile(
    r"\d+\s*/\s*\d{4}\s*/\s*[\w-]+|(?:số|thông tư|nghị định|quyết định|luật)\s*:?\s*\d+[\w/.-]*"
)
_QUARTER = re.compile(r"quý\s*(iv|iii|ii|i|[1-4])\b" + _YEAR)
_FIRST = re.compile(
    r"(?<![\d/.-])(\d{1,2})\s*tháng(?!\s*(?:cuối|còn lại|tới|tiếp|gần|sau|trước))(?:\s*đầu)?(?:\s*năm)?(?!\s*\d{1,2}(?!\d))"
    + _YEAR
)
_RANGE = re.compile(
    r"tháng\s*0?(\d{1,2})\s*(?:-|–|đến|đến hết)\s*(?:tháng\s*)?0?(\d{1,2})(?![\d])" + _YEAR
)
_MONTH = re.compile(r"(?:tháng|\bthang|\bth?)\s*\.?\s*0?(\d{1,2})(?!\d)" + _YEAR)
_NUMERALS = "|".join(sorted(_WORDS, key=len, reverse=True))
_WORDED = re.compile(rf"tháng\s+({_NUMERALS})\b(?!\s*\d)" + _YEAR)
_SLASHED = re.compile(r"(?<![\d/.,-])(\d{1,2})\s*[/-]\s*((?:19|20)\d\d)(?![\d/])")
_ISO = re.compile(r"(?<![\d/.,-])((?:19|20)\d\d)[-/.](\d{1,2})(?![\d])")
_NAMED_MONTH = "|".join(sorted(_ENGLISH, key=len, reverse=True))
# Without a year such a name is a month only where it stands alone: "may" is many things.
_NAMED = re.compile(rf"\b({_NAMED_MONTH})\b\.?[\s,/'-]*((?:19|20)\d\d)|^\W*({_NAMED_MONTH})\W*$")
# Several months at once: "tháng 1, 2 năm 2022", "tháng 1 và tháng 2".
_JOINED = re.compile(
    rf"(?:tháng|thang|\bth?)\s*\.?(?:\d{{1,2}}|{_NUMERALS})\s*(?:,|;|và|va\b|&|\+|-(?!\s*\d{{3}}))\s*(?:tháng\s*)?(?:\d{{1,2}}(?!\d)|{_NUMERALS})\b"
    rf"(?:\s*(?:,|;|và|&|\+)\s*(?:tháng\s*)?\d{{1,2}}(?!\d))*" + _YEAR
)
# The year up to a day or month without its year: "đến 28/02", "đến hết tháng 2", "2T".
_UP_TO = re.compile(
    r"đến\s*(?:hết\s*)?(?:(?:ngày\s*)?\d{1,2}\s*/\s*(?P<day>\d{1,2})(?!\s*[/\d])|(?:tháng|t)\s*\.?0?(?P<month>\d{1,2})(?!\d)"
    + _YEAR
    + r")|(?<![\d/.,-])(?P<count>\d{1,2})\s*t\b"
)
_COUNTED = re.compile(rf"\b({_NUMERALS})\s+tháng\s+đầu(?:\s*năm)?" + _YEAR)
_FISCAL = re.compile(r"(?:fiscal|financial)\s+year|\bfy\b|năm tài khóa|năm tài khoá|niên độ")
_PAIR = re.compile(r"(?<![\d/.,-])\d{1,2}\s*(?:,|và|va\b|&|\+)\s*\d{1,2}\s*[/-]\s*((?:19|20)\d\d)")
_LATER = re.compile(
    r"(?<![\d/.-])\d{1,2}\s*tháng\s*(?:cuối|còn lại|tới|tiếp|gần|sau|trước)[^|]*?" + _YEAR + "$"
)
_SO_FAR = re.compile(r"to date|lũy kế|luỹ kế|through")
_ALONE = re.compile(r"(?<![\d.,/])((?:19|20)\d\d)(?![\d.,/])")


@dataclass(frozen=True)
class Told:
    """What a text says of time: single months and months from January on, each with its year (0 where
    the text has none), quarters and other spans of several months (0) likewise, and the years that it names."""

    months: tuple[tuple[int, int], ...] = ()
    until: tuple[tuple[int, int], ...] = ()
    quarters: tuple[tuple[int, int], ...] = ()
    years: tuple[int, ...] = ()

    @property
    def year(self) -> int:
        """The year that the text names, 0 where it names none or several."""
        return self.years[0] if len(self.years) == 1 else 0


def told(text: str) -> Told:
    """What a text says of time; the days of letters, laws and signatures do not count.

    >>> told("Thực hiện tháng 01 năm 2022").months, told("Lũy kế 2 tháng năm 2022").until
    (((2022, 1),), ((2022, 2),))
    >>> told("Phúc Đồng, ngày 10 tháng 02 năm 2022").months, told("Quý I/2022").quarters
    ((), ((2022, 1),))
    """
    text = unicodedata.normalize("NFC", text).casefold().replace("qúy", "quý")
    months: list[tuple[int, int]] = []
    until: list[tuple[int, int]] = []
    quarters: list[tuple[int, int]] = []
    years: list[int] = []

    def take(
        pattern: re.Pattern[str], into: list[tuple[int, int]], numbers: dict[str, int] | None = None
    ) -> None:
        nonlocal text
        rest, end = "", 0
        for match in pattern.finditer(text):
            number = numbers[match[1]] if numbers else int(match[1])
            if 1 <= number <= 12:
                into.append((int(match[2] or 0), number))
            rest, end = rest + text[end : match.start()] + " | ", match.end()
        text = rest + text[end:]

    text = _PAPERS.sub(" | ", text)
    fiscal = _FISCAL.search(text)
    for match in _UNTIL.finditer(text):
        day, month, year = int(match[1]), int(match[2]), int(match[3])
        if 1 <= month <= 12 and day >= 28:
            until.append((year, month))
        else:  # a part of a month
            quarters.append((year, 0))
    text = _DAYS.sub(" | ", _UNTIL.sub(" | ", text))
    take(_QUARTER, quarters, _ROMAN | {str(at): at for at in range(1, 5)})
    for match in _RANGE.finditer(text):
        first, last = int(match[1]), int(match[2])
        if 1 <= first < last <= 12:
            year = int(match[3] or 0)
            if first == 1:
                until.append((year, last))
            else:  # neither a month nor from January on
                quarters.append((year, (first + 2) // 3))
    text = _RANGE.sub(" | ", text)
    for match in _UP_TO.finditer(text):
        number = int(match["day"] or match["month"] or match["count"])
        if 1 <= number <= 12:
            until.append((int(match[3] or 0), number))
    text = _UP_TO.sub(" | ", text)
    for pattern in (_JOINED, _PAIR, _LATER):
        for match in pattern.finditer(text):
            quarters.append((int(match[1] or 0), 0))  # neither a month nor from January on
        text = pattern.sub(" | ", text)
    take(_COUNTED, until, _WORDS)
    take(_FIRST, until)
    take(_WORDED, months, _WORDS)
    take(_MONTH, months)
    take(_SLASHED, months)
    for match in _ISO.finditer(text):
        if 1 <= int(match[2]) <= 12:
            months.append((int(match[1]), int(match[2])))
    text = _ISO.sub(" | ", text)
    for match in _NAMED.finditer(text):
        months.append((int(match[2] or 0), _ENGLISH[match[1] or match[3]]))
    text = _NAMED.sub(" | ", text)
    if fiscal:  # whose months are of two calendar years
        if until or _SO_FAR.search(text):
            quarters, months, until = [*quarters, (0, 0)], [], []
        return Told(tuple(dict.fromkeys(months)), (), tuple(dict.fromkeys(quarters)))
    years = [year for year, _ in (*months, *until, *quarters) if year]
    years += [int(match[1]) for match in _ALONE.finditer(text)]
    return Told(
        tuple(dict.fromkeys(months)),
        tuple(dict.fromkeys(until)),
        tuple(dict.fromkeys(quarters)),
        tuple(dict.fromkeys(years)),
    )


def shown(time: str) -> str:
    """A month as both languages write it; a year stays as it is.

    >>> shown("2022-01"), shown("2022")
    ('01/2022', '2022')
    """
    return f"{time[5:]}/{time[:4]}" if "-" in time else time


def is_named_month(word: str) -> bool:
    """Whether a word is the English name of a month, or short for it."""
    return word.casefold() in _ENGLISH


def is_month_word(text: str) -> bool:
    """Whether a head says "month" and no more: the months stand in the rows below it."""
    return fold(text) in {
        fold(word) for word in ("tháng", "kỳ", "kỳ báo cáo", "tháng báo cáo", "month")
    }
