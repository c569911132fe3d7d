"""The languages of a briefing: words from gettext catalogues, numbers and dates from Babel.

A language is an argument, never a global: `get("vi")` gives a frozen object to hand on. Texts in
the code are English and are looked up in `locale/<code>.po`; a text that a catalogue lacks raises
TranslationError, so no reader meets half a sentence in another tongue.
"""

from __future__ import annotations

import csv
import datetime
import functools
import io
import math
import re
from dataclasses import dataclass, field
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import TYPE_CHECKING

from babel import Locale
from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import NumberPattern, get_decimal_symbol, list_currencies, parse_pattern

from wardlib.errors import (
    Numeral,
    RequestError,
    Said,
    TranslationError,
    WardError,
    nearest,
    said,
)
from wardlib.shown import Shown

if TYPE_CHECKING:
    import pandas as pd

_LOCALES = {"vi": Locale("vi"), "en": Locale("en", "GB")}
CODES = tuple(_LOCALES)
NBSP = "\N{NO-BREAK SPACE}"  # between a number and its unit, so that a line never ends in between
NONE = "…"  # stands for a figure not reported or not applicable: never a zero, never a blank
_FIRST_DIGIT = re.compile(r"[1-9]")
_PER_CENT = re.compile(r"(?<=[0-9]) (?=%)")


class _Lacking(NullTranslations):
    """What a catalogue falls back on, which raises where the standard one would answer in English."""

    def gettext(self, message: str) -> str:
        raise TranslationError(f"no Vietnamese for {message!r}: add it to wardlib/locale/vi.po")

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid2)


@dataclass(frozen=True, repr=False)
class Language(Shown):
    """One language: its words, numbers, dates, money and percentages."""

    code: str
    _catalogue: NullTranslations = field(repr=False, compare=False)

    def _title(self) -> str:
        return f"Language {self.code}"

    def __reduce__(self) -> tuple[object, ...]:
        return get, (self.code,)  # gettext's catalogues cannot be pickled

    @property
    def locale(self) -> Locale:
        return _LOCALES[self.code]

    @property
    def comma(self) -> str:
        """The decimal sign: "," in Vietnamese, "." in English."""
        return get_decimal_symbol(self.locale)

    def text(self, message: str, **values: str) -> str:
        """The translation of the English `message`, its {names} filled with `values`."""
        return _PER_CENT.sub(NBSP, self._catalogue.gettext(message).format(**values))

    def say(self, text: str) -> str:
        """What `errors.said` made, said in this language, with all that fills it; any other text as
        it stands. What it quotes keeps its own spaces: no line of a message breaks as a page does."""
        if isinstance(text, Numeral):
            places = max(0, -int(text.value.as_tuple().exponent))
            pattern = _pattern("0" * places)
            return str(pattern.apply(text.value, self.locale))
        if not isinstance(text, Said):
            return text
        values = {name: self.say(value) for name, value in text.values.items()}
        return self._catalogue.gettext(text.message).format(**values)

    def plural(self, singular: str, plural: str, count: int, **values: str) -> str:
        """As `text`, in the form that the language has for `count` things; {count} is filled with it.

        >>> [get("en").plural("{count} month", "{count} months", count) for count in (0, 1, 2)]
        ['0 months', '1 month', '2 months']
        """
        count = int(count)  # gettext takes no number of numpy's
        text = self._catalogue.ngettext(singular, plural, count)
        return _PER_CENT.sub(NBSP, text.format(count=self.number(count), **values))

    def words(self, kind: str) -> dict[str, str]:
        """The words of each code of a kind ("verdict": "loss" …), in the order of `words.csv`."""
        return {row["code"]: row[self.code] for row in _words() if row["kind"] == kind}

    def pick(self, record: object, stem: str) -> str:
        """The cell or attribute `<stem>_<code>` of a record that holds both languages."""
        name = f"{stem}_{self.code}"
        text: str = record[name] if isinstance(record, dict) else getattr(record, name)
        return text

    def number(self, value: float, decimals: int = 0, *, trim: bool = False) -> str:
        """`value` with grouping and `decimals` decimals; with `trim`, without idle zeros. What rounds
        to zero has no sign, a missing value is NONE; ValueError where it is infinite, as a division
        by zero is a fault of ours that no page may print.

        >>> get("vi").number(1234.5, 1), get("en").number(1234.5, 1), get("vi").number(-0.04, 1)
        ('1.234,5', '1,234.5', '0,0')
        """
        if is_missing(value):
            return NONE
        if math.isinf(value):
            raise ValueError(f"{value} is no figure to print")
        pattern = _pattern(("#" if trim else "0") * decimals)
        text = str(pattern.apply(value, self.locale))
        if text.startswith("-") and text[1:] == (zero := pattern.apply(0, self.locale)):
            return str(zero)
        return text

    def percent(self, share: float, decimals: int = 1) -> str:
        """A share (1 = all) in per cent, without idle zeros; NONE alone where it is missing.

        >>> get("vi").percent(0.829).replace(NBSP, " ")
        '82,9 %'
        """
        if is_missing(share):
            return NONE
        return self.number(100 * share, decimals, trim=True) + NBSP + "%"

    def often(self, share: float) -> str:
        """A share of cases in words.

        >>> get("en").often(0.95), get("en").often(0.8), get("vi").often(0.99)
        ('19 times in 20', '8 times in 10', '99 trên 100 trường hợp')
        """
        ends = (10, 20, 100, 1000, 10**6)
        every = next(
            (end for end in ends if abs(share * end - round(share * end)) < 1e-9), ends[-1]
        )
        return self.text(
            "{count} times in {every}",
            count=self.number(round(share * every)),
            every=self.number(every),
        )

    def date(self, day: datetime.date) -> str:
        """13/09/2020 in Vietnamese, 13 September 2020 in English."""
        return format_date(day, "dd/MM/yyyy" if self.code == "vi" else "d MMMM y", self.locale)

    def day(self, day: datetime.date, year: int) -> str:
        """A date; one in `year` without the year: 31/12, 31 December.

        >>> get("vi").day(datetime.date(2020, 12, 31), 2020)
        '31/12'
        """
        text = self.date(day)
        return text.removesuffix(str(year)).rstrip("/ ") if day.year == year else text

    def date_line(self, day: datetime.date) -> str:
        """The date as Decree 30/2020/NĐ-CP, Appendix I writes it: days below 10 and the months
        1 and 2 with a leading zero.

        >>> get("vi").date_line(datetime.date(2020, 3, 5))
        'ngày 05 tháng 3 năm 2020'
        """
        if self.code != "vi":
            return self.date(day)
        return f"ngày {day.day:02} tháng {_numeral(day.month)} năm {day.year}"

    def month(self, month: pd.Period) -> str:
        """ "tháng 9 năm 2020", "September 2020"; in Vietnamese the months 1 and 2 with a leading zero,
        as in a date line.

        >>> import pandas as pd
        >>> [get("vi").month(pd.Period(month)) for month in ("2020-02", "2020-03")]
        ['tháng 02 năm 2020', 'tháng 3 năm 2020']
        """
        if self.code == "vi":
            return f"tháng {_numeral(month.month)} năm {month.year}"
        return format_date(month.start_time, "MMMM y", self.locale)

    def month_short(self, month: pd.Period) -> str:
        """ "9/2020" for lists and axes; "Sep 2020" in English."""
        if self.code == "vi":
            return f"{month.month}/{month.year}"
        return format_date(month.start_time, "MMM y", self.locale)

    def month_tick(self, month: pd.Period) -> str:
        """ "T9", "Sept": a month on the axis of a chart."""
        if self.code == "vi":
            return f"T{month.month}"
        return format_date(month.start_time, "MMM", self.locale)

    def span(self, first: pd.Period, last: pd.Period) -> str:
        """Months from first to last, both inclusive, as they stand inside a sentence."""
        if first == last:
            return self.text("in {month}", month=self.month(first))
        begin, end = (
            f"{_numeral(month.month)}/{month.year}"
            if self.code == "vi"
            else self.month_short(month)
            for month in (first, last)
        )
        return self.text("from {first} to {last}", first=begin, last=end)

    def span_short(self, first: pd.Period, last: pd.Period) -> str:
        """Months for lists and tables: "2–6/2020", "11/2020–1/2021"; "Feb–Jun 2020" in English."""
        end = self.month_short(last)
        if first == last:
            return end
        begin = self.month_short(first)
        if first.year == last.year:
            begin = str(first.month) if self.code == "vi" else begin.split()[0]
        return f"{begin}–{end}"

    def month_list(self, months: list[pd.Period]) -> str:
        """Months as a list, an unbroken run of three or more by its ends."""
        if len(months) > 2 and (months[-1] - months[0]).n == len(months) - 1:
            return f"{self.month_short(months[0])}–{self.month_short(months[-1])}"
        return self.join([self.month_short(month) for month in months])

    def join(self, items: list[str]) -> str:
        """ "a, b và c", "a, b and c"."""
        if len(items) < 2:
            return "".join(items)
        return self.text("{items} and {last}", items=", ".join(items[:-1]), last=items[-1])

    def sentence(self, text: str) -> str:
        """`text` with its first letter in capitals."""
        return text[:1].upper() + text[1:]

    def unit(self, currency: str, largest: float) -> Unit:
        """The unit in which to print amounts of `currency` of which `largest` is the largest.

        Millions; from a hundred thousand millions of đồng on (a district's scale), tỷ đồng.
        """
        text = self.text
        if currency != "VND":
            sentence = text("{currency} {figure} million", currency=currency, figure="{figure}")
            return Unit(self, text("{currency} million", currency=currency), sentence, 1e6)
        if largest >= 1e11:
            return Unit(
                self, text("VND billion"), text("VND {figure} billion", figure="{figure}"), 1e9
            )
        return Unit(self, text("VND million"), text("VND {figure} million", figure="{figure}"), 1e6)


@dataclass(frozen=True, repr=False)
class Unit(Shown):
    """A money unit: `name` for heads of tables, `sentence` how an amount stands in a sentence
    ("VND {figure} million"), `scale` base units in one of it."""

    language: Language
    name: str
    sentence: str
    scale: float

    def figure(self, amount: float, decimals: int = 1, *, trim: bool = False) -> str:
        """The amount without its unit, for a cell under a head that names it.

        What is too small for the last decimal reads as less than one of it, never as zero, and keeps
        its sign, as a bound just below zero says something else than one just above. But money comes
        in whole base units (đồng): less than half of one is zero. NONE where it is missing.

        >>> unit = get("vi").unit("VND", 1e9)
        >>> [unit.figure(amount) for amount in (30_000, -30_000, 60_000, 0.4)]
        ['<0,1', '-<0,1', '0,1', '0,0']
        """
        if is_missing(amount):
            return NONE
        value = amount / self.scale if abs(amount) >= 0.5 else 0.0
        text = self.language.number(value, decimals, trim=trim)
        if not value or _FIRST_DIGIT.search(text):
            return text
        return ("-" if value < 0 else "") + "<" + self.language.number(10**-decimals, decimals)

    def amount(self, amount: float) -> str:
        """The amount with its unit, for a sentence: "6.240 triệu đồng", "VND 6,240 million"; NONE alone
        where it is missing."""
        return NONE if is_missing(amount) else self._said(self.figure(amount, trim=True))

    def range(self, low: float, high: float) -> str:
        """Two bounds with their unit, for a sentence.

        >>> unit = get("en").unit("USD", 1e9)
        >>> unit.range(30e6, 50e6).replace(NBSP, " ")
        'USD 30 to 50 million'
        """
        first, last = (self.figure(bound, trim=True) for bound in (low, high))
        return self._said(self.language.text("{low} to {high}", low=first, high=last))

    def share(self, part: float, whole: float) -> str:
        """A share with both its amounts: "208 % (6.240/3.000 triệu đồng)"; NONE where one is missing,
        or the whole is zero."""
        if is_missing(part) or is_missing(whole) or not whole:
            return NONE
        amounts = f"{self.figure(part, trim=True)}/{self.figure(whole, trim=True)}"
        return f"{self.language.percent(part / whole)} ({self._said(amounts)})"

    def _said(self, figure: str) -> str:
        bound = self.sentence.replace("{figure} ", "{figure}" + NBSP)
        return bound.replace(" {figure}", NBSP + "{figure}").format(figure=figure)


@functools.cache
def get(code: str) -> Language:
    """The language of `code`: "vi" or "en"; raises RequestError for any other."""
    if code not in CODES:
        raise RequestError(
            said("{code} is not a language of the briefings. Use one of: vi, en.", code=repr(code)),
            nearest(code, CODES, 0.0),
        )
    if code == "en":
        return Language(code, NullTranslations())
    return read(Path(__file__).with_name("locale") / f"{code}.po")


WardError.tongue = functools.partial(get, "vi")  # until an edition is opened in another one


def read(file: Path) -> Language:
    """The language of a catalogue, which is named after its code ("vi.po")."""
    with file.open("rb") as source:
        catalogue = read_po(source, locale=file.stem)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    translations = GNUTranslations(compiled)
    translations.add_fallback(_Lacking())
    return Language(file.stem, translations)


_NO_MONEY = {"XXX", "XTS", "XAU", "XAG", "XPD", "XPT"}  # of ISO 4217: none, a test, metals


def is_currency(code: str) -> bool:
    """Whether `code` is that of a currency in ISO 4217, of today or of the past.

    >>> is_currency("VND"), is_currency("vnd"), is_currency("VNX")
    (True, False, False)
    """
    return code in list_currencies() and code not in _NO_MONEY


@functools.cache
def _words() -> list[dict[str, str]]:
    """The rows of `locale/words.csv`: codes of analysis, and what a reader sees for them."""
    path = Path(__file__).with_name("locale") / "words.csv"
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def _numeral(month: int) -> str:
    """The number of a month as Decree 30/2020/NĐ-CP writes it: 1 and 2 with a leading zero."""
    return f"{month:02}" if month < 3 else str(month)


@functools.cache
def _pattern(decimals: str) -> NumberPattern:
    return parse_pattern("#,##0." + decimals)


def is_missing(value: object) -> bool:
    """Whether a figure is missing (None, NaN of any kind, NaT, pandas' NA): printed as NONE."""
    if value is None or type(value).__name__ == "NAType":
        return True
    return not isinstance(value, str) and bool(value != value)


# Signs that print nothing themselves but turn or break what stands beside them: control characters
# and the marks of writing direction (Unicode Standard Annex #9).
_UNPRINTED = dict.fromkeys(
    code
    for code in (*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F),
                 *range(0x2066, 0x206A), 0xFEFF)
    if chr(code) not in "\n\t"
)  # fmt: skip


def printed(text: str) -> str:
    """`text` as it prints: without controls and marks of direction, which could turn a line around.

    >>> printed("Thu\u202e phí\u200f")
    'Thu phí'
    """
    return text.translate(_UNPRINTED)


def inside(name: str) -> str:
    """A name as it stands inside a sentence: its first letter small unless it is an acronym.

    >>> inside("Thu khác"), inside("VAT of business households")
    ('thu khác', 'VAT of business households')
    """
    return name if name[:2].isupper() else name[:1].lower() + name[1:]
