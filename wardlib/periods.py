"""Reporting periods: the month, the quarter, the half-year, the nine months, the year.

All ends are inclusive. A year here is the budget year, which is the calendar year in Việt Nam
(Law on the State Budget 83/2015/QH13, art. 14). School years run from September.

pandas is imported where months are asked for: a plan of jobs needs none of it, and starts sooner.
"""

from __future__ import annotations

import calendar
import datetime
import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wardlib.errors import RequestError, nearest, plainly, said
from wardlib.shown import Shown

if TYPE_CHECKING:
    import pandas as pd

    from wardlib.language import Language

FORMS = said(
    "2020-09 (month), 2020-Q3 (quarter), 2020-H1 (first half), 2020-9M (nine months), 2020 (year)"
)
_MONTHS = tuple(f"{month:02}" for month in range(1, 13))
_QUARTERS = ("Q1", "Q2", "Q3", "Q4")
# By what follows the year: the first and the last month, both inclusive.
_BOUNDS = (
    {"": (1, 12), "H1": (1, 6), "9M": (1, 9)}
    | {part: (3 * at + 1, 3 * at + 3) for at, part in enumerate(_QUARTERS)}
    | {part: (int(part), int(part)) for part in _MONTHS}
)
_GRAMMAR = re.compile(f"((?:19|20)[0-9]{{2}})(?:-({'|'.join(filter(None, _BOUNDS))}))?")
_CYCLES = (_MONTHS, _QUARTERS)
_ROMAN = ("I", "II", "III", "IV")


@functools.total_ordering
@dataclass(frozen=True, repr=False)
class Period(Shown):
    """A reporting period; make one with `Period.parse`.

    >>> period = Period.parse("2020-9M")
    >>> str(period.first), str(period.last), len(period.months)
    ('2020-01', '2020-09', 9)
    """

    year: int
    part: str

    @classmethod
    def parse(cls, text: str) -> Period:
        """The period that `text` names; raises RequestError with the accepted forms otherwise."""
        match = _GRAMMAR.fullmatch(text)
        if match is None:
            raise RequestError(
                said(
                    "{text} is not a period. Accepted forms: {forms}.", text=repr(text), forms=FORMS
                ),
                _period_like(text),
            )
        return cls(int(match[1]), match[2] or "")

    @classmethod
    def span(cls, text: str) -> list[Period]:
        """The period that `text` names, or all from one to another of its kind (2020-01..2020-12),
        both inclusive; raises RequestError where it names neither.

        >>> [str(period) for period in Period.span("2019-Q3..2020-Q1")]
        ['2019-Q3', '2019-Q4', '2020-Q1']
        >>> [str(period) for period in Period.span("2019-9M..2020-9M")]
        ['2019-9M', '2020-9M']
        """
        begin, dots, end = text.partition("..")
        if not dots:
            return [cls.parse(text)]
        first, last = cls.parse(begin), cls.parse(end)
        if first._cycle != last._cycle or last < first:
            raise RequestError(
                said(
                    "{text} is no span of periods. Name two of one kind, the earlier first, "
                    "e.g. 2020-01..2020-12 or 2019-Q3..2020-Q2.",
                    text=repr(text),
                )
            )
        cycle = first._cycle
        at, until = (p.year * len(cycle) + cycle.index(p.part) for p in (first, last))
        return [cls(at // len(cycle), cycle[at % len(cycle)]) for at in range(at, until + 1)]

    @property
    def _cycle(self) -> tuple[str, ...]:
        """The parts of a year of this period's kind, in order."""
        return next((cycle for cycle in _CYCLES if self.part in cycle), (self.part,))

    def __str__(self) -> str:
        return f"{self.year}-{self.part}" if self.part else str(self.year)

    def __lt__(self, other: Period) -> bool:
        return (self.year, *self.bounds) < (other.year, *other.bounds)

    def _title(self) -> str:
        return f"Period {self}"

    def _facts(self) -> dict[str, str]:
        first, last = (f"{self.year}-{month:02}" for month in self.bounds)
        return {"months": f"{first} to {last}"}

    @property
    def bounds(self) -> tuple[int, int]:
        """The first and the last month's number in the year (1 to 12), both inclusive."""
        return _BOUNDS[self.part]

    @property
    def first(self) -> pd.Period:
        """First month, inclusive."""
        return self._month(self.bounds[0])

    @property
    def last(self) -> pd.Period:
        """Last month, inclusive."""
        return self._month(self.bounds[1])

    @property
    def months(self) -> pd.PeriodIndex:
        """Every month of the period, in order."""
        return self._months(*self.bounds)

    @property
    def year_to_date(self) -> pd.PeriodIndex:
        """The months from January to the period's last month (lũy kế)."""
        return self._months(1, self.bounds[1])

    def _month(self, number: int) -> pd.Period:
        import pandas as pd

        return pd.Period(year=self.year, month=number, freq="M")

    def _months(self, first: int, last: int) -> pd.PeriodIndex:
        import pandas as pd

        return pd.period_range(f"{self.year}-{first:02}", f"{self.year}-{last:02}", freq="M")

    @property
    def school_years(self) -> dict[str, pd.PeriodIndex]:
        """The period's months by school year, a school year beginning in September.

        >>> {name: len(months) for name, months in Period.parse("2020-9M").school_years.items()}
        {'2019-2020': 8, '2020-2021': 1}
        """
        starts = [month.year - (month.month < 9) for month in self.months]
        return {
            f"{start}-{start + 1}": self.months[[own == start for own in starts]]
            for start in sorted(set(starts))
        }

    def name(self, language: Language) -> str:
        """The period in words, as it stands inside a sentence.

        Official Vietnamese papers number quarters in Roman numerals ("quý III"), which CLDR's
        "Quý 3" does not.
        """
        year = str(self.year)
        match self.part:
            case "":
                return language.text("the year {year}", year=year)
            case "9M":
                return language.text("the first nine months of {year}", year=year)
            case "H1":
                return language.text("the first half of {year}", year=year)
            case part if part.startswith("Q"):
                quarter = int(part[1])
                return language.text(
                    "quarter {number} of {year}",
                    number=str(quarter),
                    roman=_ROMAN[quarter - 1],
                    year=year,
                )
            case _:
                return language.month(self.first)

    def name_year_to_date(self, language: Language) -> str:
        """The year to date in words: the year, its first month, or "the first n months".

        >>> from wardlib.language import get
        >>> Period.parse("2020-08").name_year_to_date(get("vi"))
        '8 tháng đầu năm 2020'
        """
        count = self.last.month
        if count == 12:
            return Period(self.year, "").name(language)
        if count == 1:
            return language.month(self.last)
        return language.text(
            "the first {count} months of {year}", count=str(count), year=str(self.year)
        )


def periods_of(months: Iterable[pd.Period]) -> list[Period]:
    """Every period that has one of the months in it, the newest year first.

    >>> import pandas as pd
    >>> [str(period) for period in periods_of(pd.period_range("2020-01", "2020-01", freq="M"))]
    ['2020', '2020-H1', '2020-9M', '2020-Q1', '2020-01']
    """
    known = {(month.year, month.month) for month in months}
    return [
        Period(year, part)
        for year in sorted({year for year, _ in known}, reverse=True)
        for part, (first, last) in _BOUNDS.items()
        if any((year, month) in known for month in range(first, last + 1))
    ]


def parse_day(text: str) -> datetime.date | None:
    """The day that `text` names, written as 2020-09-13, None for an empty text; RequestError otherwise."""
    if not text:
        return None
    try:
        day = datetime.date.fromisoformat(text)
        if day.isoformat() != text:  # 20200913 would name another folder for the same day
            raise ValueError
        return day
    except ValueError:
        raise RequestError(
            said(
                "{text} is not a day. Write it as year-month-day, e.g. 2020-09-13.", text=repr(text)
            ),
            _day_like(text),
        ) from None


def _period_like(text: str) -> str:
    """The period that `text` was most likely meant to be, "" where it names no year.

    >>> [_period_like(text) for text in ("2020-Q5", "2020-13", "q3/2020", "9/2020", "Quý III 2020", "x")]
    ['2020-Q4', '2020-12', '2020-Q3', '2020-09', '2020-Q3', '']
    """
    year = re.search(r"(?:19|20)[0-9]{2}", text)
    if year is None:
        return ""
    rest = plainly(text.replace(year[0], " ", 1)).upper()
    rest = re.sub(r"\b(?:I{1,3}|IV)\b", lambda roman: str(_ROMAN.index(roman[0]) + 1), rest)
    rest = re.sub(r"^(?:QUY|QUARTER) ", "Q", rest).replace(" ", "")
    rest = re.sub(r"^(?:THANG|T|M)?([0-9]{1,2})$", lambda month: f"{month[1]:0>2}", rest)
    return nearest(f"{year[0]}-{rest}", [f"{year[0]}-{part}".removesuffix("-") for part in _BOUNDS])


def _day_like(text: str) -> str:
    """The day that `text` was most likely meant to be, "" where it names none.

    >>> [_day_like(text) for text in ("2020-13-01", "20200230", "13/9/2020", "2020-9", "today")]
    ['2020-12-01', '2020-02-29', '2020-09-13', '', '']
    """
    found = re.fullmatch(
        r"\D*((?:19|20)[0-9]{2})\D*([0-9]{1,2})(?:\D+|(?<=\d{6}))([0-9]{1,2})\D*", text
    )
    turned = re.fullmatch(r"\D*([0-9]{1,2})\D+([0-9]{1,2})\D+((?:19|20)[0-9]{2})\D*", text)
    if not (found or turned):
        return ""
    parts = found.groups() if found else turned.groups()[::-1] if turned else ()
    year, month, day = map(int, parts)
    month = min(max(month, 1), 12)
    return f"{year}-{month:02}-{min(max(day, 1), calendar.monthrange(year, month)[1]):02}"
