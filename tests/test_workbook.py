"""The front door: one edition, bound once to its tables and its results."""

import dataclasses
import datetime
import pickle
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

import wardlib
from wardlib.errors import RequestError
from wardlib.pages.page import Page

PAGES = ("data_check", "tax", "effect", "schools", "activities", "targets", "briefing")


@pytest.fixture(scope="module")
def book():
    """To be read only."""
    return wardlib.open("phuc-dong", "2020-9M", "en", "2020-09-13")


def test_a_workbook_knows_ward_period_day_and_language(book):
    """And its tables, as of that day; shown, it is the head of the paper."""
    assert (book.ward.id, str(book.period), str(book.as_of)) == (
        "phuc-dong",
        "2020-9M",
        "2020-09-13",
    )
    assert book.language.code == "en"
    assert book.table("receipts")["reported_on"].max() <= pd.Timestamp("2020-09-13")
    assert book.table("no such table") is None
    data, about = book._repr_mimebundle_()
    assert "The first nine months of 2020" in data["text/html"]
    assert about["wardlib"]["kind"] == "head"


def test_every_page_is_the_edition_with_a_result_of_its_period(book):
    """A page is made once, and cannot be changed."""
    for name in PAGES:
        page = getattr(book, name)
        assert isinstance(page, Page)
        assert page is getattr(book, name)
        assert page.edition is book
        assert page.result.period == book.period
        with pytest.raises(dataclasses.FrozenInstanceError):
            page.edition = None


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_another_period_is_refused(book, name):
    """A result of one period is never shown under the head of another."""
    other = wardlib.open("phuc-dong", "2019-Q1")
    with pytest.raises(RequestError, match=r"result of 2020-9M is not shown as 2019-Q1: open that"):
        dataclasses.replace(getattr(book, name), edition=other)


def test_a_line_may_be_named_first(book):
    """As an analyst writes it: `book.effect.chart("fees")`."""
    assert book.effect.chart("fees").content["caption"].startswith("Fees")
    assert "fees" in book.effect.sentence("fees").plain
    assert book.tax.running_total_chart("fees") == book.tax.running_total_chart(line="fees")


def test_numbers_of_papermill_are_taken_for_words():
    """`papermill -p period 2020` hands a number over."""
    assert wardlib.open("phuc-dong", 2020).period == wardlib.open("phuc-dong", "2020").period
    day = datetime.date(2020, 9, 13)
    assert wardlib.open("phuc-dong", "2020-Q1", "vi", day).as_of == day


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("nowhere", "2020"), "there is no ward 'nowhere'"),
        (("phuc-dong", "2020-13"), "'2020-13' is not a period"),
        (("phuc-dong", "2020", "fr"), "'fr' is not a language"),
        (("phuc-dong", "2020", "vi", "yesterday"), "'yesterday' is not a day"),
        (("phuc-dong", "2031"), "no receipt of phuc-dong for 2031"),
    ],
)
def test_what_names_nothing_is_refused(asked, said):
    """With a message that says what is there."""
    with pytest.raises(RequestError, match=said):
        wardlib.open(*asked)


def test_only_what_a_page_needs_is_read():
    """The tax page opens no table of schools; the digests name what was read."""
    book = wardlib.open("phuc-dong", "2020-Q2")
    book.tax.headline()
    read = {file.rpartition("/")[2] for file in book.book.digests}
    assert read == {"receipts.csv", "revenue_lines.csv", "targets.csv"}


def test_several_blocks_are_shown_in_one_cell(book, capsys):
    """Those that there are: a page gives None where it has nothing to show."""
    first, last = book.tax.headline(), book.tax.not_reported()
    book.show(first, None, last)
    assert capsys.readouterr().out.split() == f"{first.plain} {last.plain}".split()


def test_a_series_of_ones_own_is_estimated():
    """`wardlib.estimate` takes any monthly series."""
    months = pd.period_range("2016-01", "2020-12", freq="M")
    level = 100 + 10 * np.sin(np.arange(60) * np.pi / 6)
    series = pd.Series(np.where(months >= pd.Period("2020-03"), 0.5 * level, level), months)
    impact = wardlib.estimate(series, start=pd.Period("2020-03", "M"))
    assert impact.cumulative.verdict == "loss"
    assert impact.cumulative.amount == pytest.approx(-0.5 * level[50:].sum(), rel=0.1)


def test_importing_the_package_loads_nothing():
    """Neither pandas nor any room of the house, until something is opened."""
    code = "import sys, wardlib; print(sorted(m for m in sys.modules if 'wardlib' in m or m == 'pandas'))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "['wardlib']\n"


def test_what_the_readme_shows_of_the_door_runs():
    """Its two lines, and every call of a page that stands below them."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^ {4}((?:import wardlib|book = wardlib\.open).*)$", readme, re.M)
    known = {}
    exec("\n".join(lines), known)
    calls = re.findall(r"`(book\.\w+(?:\.\w+\([^`]*\))?(?:\.result\.\w+)?)`", readme)
    assert len(calls) >= 8
    assert all(eval(call, known) is not None for call in calls)


def test_a_line_that_is_none_is_told_so(book):
    """With the lines that there are."""
    for page in (book.effect.chart, book.effect.sentence, book.tax.running_total_chart):
        with pytest.raises(RequestError, match=r"no line 'nope'. Lines here: total, .*fees"):
            page("nope")


def test_a_book_of_another_day_has_read_nothing(book):
    """What was read is not taken over, nor the day: they are of one period and day."""
    period = wardlib.open("phuc-dong", "2021-Q1").period
    other = dataclasses.replace(book.book, period=period, as_of=None)
    assert other.digests == {}
    assert str(other.table("receipts")["month"].max()) == "2021-04"
    assert (str(book.day), str(other.day)) == ("2020-09-13", "2021-04-12")


@pytest.mark.parametrize("period", ["2021-05", "2021-H1", "2019-Q2"])
def test_what_comes_later_moves_no_figure_of_a_period(period):
    """Seen when it was reported and half a year later, with six more months known and nothing of it
    corrected: receipts, schools, activities and the data check say the same."""
    year = period[:4]
    early, late = (
        wardlib.open("phuc-dong", period, "en", f"{year}-{day}") for day in ("07-12", "12-31")
    )
    known = late.table("receipts")["month"].max() - early.table("receipts")["month"].max()
    assert known.n == 5
    said = [
        {
            f"{name}.{show}": getattr(
                block, "plain", block
            )  # some give a sentence for another page
            for name in ("tax", "schools", "activities", "data_check")
            for show in dir(type(getattr(book, name)))
            if not show.startswith("_")
            and callable(getattr(getattr(book, name), show))
            and (block := getattr(getattr(book, name), show)()) is not None
        }
        for book in (early, late)
    ]
    assert len(said[0]) > 20
    assert said[0] == said[1]


def test_a_workbook_is_frozen_short_and_travels(book):
    """Nothing can be set; in a plain shell it is a line; a copy of it, or one sent to another process,
    says the same."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        book.tax = None
    assert repr(book) == "<Workbook phuc-dong 2020-9M as of 2020-09-13, en>"
    assert repr(book.tax).startswith(
        "Tax collection. Phúc Đồng ward, the first nine months of 2020"
    )
    assert "plan_table" in repr(book.tax)
    assert repr(book.tax.headline()) == book.tax.headline().plain
    vietnamese = wardlib.open("phuc-dong", "2020-Q1")
    sent = pickle.loads(pickle.dumps(vietnamese))
    assert sent.tax.headline() == vietnamese.tax.headline()
    assert hash(book) == hash(book)


@pytest.mark.parametrize("start", ["2020-03", pd.Timestamp("2020-03-01"), pd.Period("2020-03")])
def test_a_series_of_days_and_a_start_in_words_are_taken(start):
    """As people have them; the series of the caller stays his own."""
    months = pd.period_range("2016-01", "2020-12", freq="M")
    series = pd.Series(100.0 + np.arange(60) % 12, months)
    by_day = series.set_axis(months.to_timestamp())
    impact = wardlib.estimate(by_day, start=start)
    assert impact.by_month.equals(
        wardlib.estimate(series, start=pd.Period("2020-03", "M")).by_month
    )
    by_day.iloc[-1] = 0.0
    assert impact.series.iloc[-1] == 111.0
    with pytest.raises(ValueError, match="infinite"):
        wardlib.estimate(series.where(series.index < "2020-12", np.inf), start=start)
    with pytest.raises(ValueError, match="a whole number from 1 on"):
        wardlib.estimate(series, start=start, draws=0)
