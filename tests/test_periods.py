"""Periods: every one of 2015-2030, and everything that is not one."""

import datetime
import re
from itertools import pairwise

import pandas as pd
import pytest

from wardlib.data import descriptors
from wardlib.errors import RequestError
from wardlib.language import get
from wardlib.periods import Period, parse_day

MONTHS = [f"{month:02}" for month in range(1, 13)]
QUARTERS = [f"Q{quarter}" for quarter in range(1, 5)]
PARTS = ["", "H1", "9M", *QUARTERS, *MONTHS]
EVERY = [f"{year}-{part}".rstrip("-") for year in range(2015, 2031) for part in PARTS]


def test_every_period_is_written_as_it_is_read():
    """parse and str are inverse on every period of sixteen years."""
    assert len(EVERY) == 16 * len(PARTS)
    assert [str(Period.parse(text)) for text in EVERY] == EVERY


@pytest.mark.parametrize("kind", [[""], QUARTERS, MONTHS], ids=["years", "quarters", "months"])
def test_periods_of_a_kind_tile_the_years_without_gap(kind):
    """Each year, quarter or month begins in the month after the one before has ended."""
    own = [Period(year, part) for year in range(2015, 2031) for part in kind]
    assert all(left.last + 1 == right.first for left, right in pairwise(own))
    assert own == sorted(own, reverse=False)


@pytest.mark.parametrize("text", EVERY[: len(PARTS)])
def test_year_to_date_runs_from_january_to_the_last_month(text):
    """The year to date holds the period and begins in January."""
    period = Period.parse(text)
    assert period.year_to_date[0] == pd.Period(f"{period.year}-01")
    assert period.year_to_date[-1] == period.months[-1] == period.last
    assert set(period.months) <= set(period.year_to_date)
    assert sum(map(len, period.school_years.values())) == len(period.months)


@pytest.mark.parametrize(
    "text",
    ["", "2020-13", "2020-00", "2020-Q5", "2020-Q0", "2020-H2", "2020-6M", "20-09", "2020-9",
     "2020-09 ", "2020/09", "９0２0", "20２0-09", "2020-q3", "2020-09\n",
     "２０２０-０９", "٢٠٢٠", "2020-Q３"],
)  # fmt: skip
def test_anything_else_is_refused_with_the_accepted_forms(text):
    """A text that is no period raises, and the message lists what would be one."""
    with pytest.raises(RequestError, match=r"2020-Q3 \(quarter\).*2020-9M"):
        Period.parse(text)


@pytest.mark.parametrize(
    ("text", "vietnamese", "english"),
    [
        ("2020-09", "tháng 9 năm 2020", "September 2020"),
        ("2020-Q3", "quý III năm 2020", "quarter 3 of 2020"),
        ("2021-Q4", "quý IV năm 2021", "quarter 4 of 2021"),
        ("2020-H1", "6 tháng đầu năm 2020", "the first half of 2020"),
        ("2020-9M", "9 tháng đầu năm 2020", "the first nine months of 2020"),
        ("2020", "năm 2020", "the year 2020"),
    ],
)
def test_names_are_those_of_official_papers(text, vietnamese, english):
    """Quarters carry Roman numerals in Vietnamese, spans are "n tháng đầu năm"."""
    period = Period.parse(text)
    assert (period.name(get("vi")), period.name(get("en"))) == (vietnamese, english)


@pytest.mark.parametrize(
    ("text", "name"),
    [("2020-01", "tháng 01 năm 2020"), ("2020-08", "8 tháng đầu năm 2020"),
     ("2020-Q3", "9 tháng đầu năm 2020"), ("2020-Q4", "năm 2020")],
)  # fmt: skip
def test_the_year_to_date_has_a_name_of_its_own(text, name):
    """A quarter's year to date is not the quarter."""
    assert Period.parse(text).name_year_to_date(get("vi")) == name


def test_days_are_read_strictly():
    """An empty text is no day; anything but year-month-day is refused."""
    assert parse_day("") is None
    assert parse_day("2020-09-13") == datetime.date(2020, 9, 13)
    for text in ("13/09/2020", "2020-02-30", "yesterday", "2020-9-1", "20200901", "2020-W37-7",
                 "２０２０-０９-１３", "2020-09-1３", "٢٠٢٠-٠٩-١٣"):  # fmt: skip
        with pytest.raises(RequestError, match="year-month-day"):
            parse_day(text)


@pytest.mark.parametrize("part", PARTS)
def test_a_figure_may_be_published_of_any_period(part):
    """The descriptors of both wards take every form that `parse` takes."""
    text = f"2020-{part}".rstrip("-")
    for ward in ("phuc-dong", "philadelphia"):
        table = descriptors.ward(ward).table("published")
        (column,) = (field for field in table.fields if field.name == "period")
        assert re.fullmatch(column.constraints["pattern"], text), ward
