"""The book: what a ward knew of a period on a day."""

import datetime
import json

import pandas as pd
import pytest

from wardlib.data import descriptors
from wardlib.data.book import coverage, load, open_book
from wardlib.errors import RequestError
from wardlib.periods import Period

SEPTEMBER = datetime.date(2020, 9, 13)


def test_as_of_a_day_nothing_later_is_seen():
    """On 13/09/2020 September is an estimate of 11/09, August has become actual."""
    ward, period = descriptors.ward("phuc-dong"), Period.parse("2020-9M")
    known = load(ward, "receipts", period=period, as_of=SEPTEMBER)
    assert known["reported_on"].max() == pd.Timestamp("2020-09-11")
    assert not known.duplicated(["month", "line"]).any()
    total = known[known["line"] == "total"].set_index("month")["status"]
    assert (total["2020-08"], total["2020-09"]) == ("actual", "estimate")
    latest = load(ward, "receipts", period=period).set_index(["line", "month"])["status"]
    assert latest["total", pd.Period("2020-09")] == "actual"


def test_nothing_after_the_period_is_seen():
    """The last month of the period is the last month loaded; targets stop at its year."""
    ward, period = descriptors.ward("phuc-dong"), Period.parse("2019-Q2")
    assert load(ward, "receipts", period=period)["month"].max() == pd.Period("2019-06")
    assert load(ward, "targets", period=period)["year"].max() == 2019


def test_every_report_shows_what_was_superseded():
    """Files only grow: the estimate of September still stands behind the actual figure."""
    ward = descriptors.ward("phuc-dong")
    every = load(ward, "receipts", every_report=True)
    own = every[(every["line"] == "total") & (every["month"] == pd.Period("2020-09"))]
    assert {"estimate", "actual"} <= set(own["status"])


def test_a_table_the_ward_does_not_have_is_none():
    """Philadelphia has no schools; that is not an empty table."""
    assert load(descriptors.ward("philadelphia"), "school_months") is None


@pytest.mark.parametrize(
    ("period", "as_of", "part"),
    [("2035", "", "is in its files"), ("2020-9M", "2019-12-31", "was reported by 2019-12-31")],
)
def test_a_period_without_any_receipt_is_refused(period, as_of, part):
    """A briefing of nothing is not made; the message says which months exist."""
    with pytest.raises(RequestError, match=f"{part}.*2017-01 to 2021-12"):
        open_book("phuc-dong", period, as_of)


def test_a_book_records_what_it_has_read():
    """The record of a run names the files that the notebook really read; the digest of one that is
    read to its end is the file's."""
    book = open_book("phuc-dong", "2021")
    book.table("targets")
    assert sorted(book.digests) == ["data/phuc-dong/receipts.csv", "data/phuc-dong/targets.csv"]
    raw = json.loads((descriptors.home() / "data/phuc-dong/datapackage.json").read_text("utf-8"))
    assert book.digests["data/phuc-dong/targets.csv"] in {r["hash"] for r in raw["resources"]}


def test_coverage_counts_the_months_that_came_in():
    """As of 13/09/2020 nine months of receipts are known, eight of the schools' months."""
    table = coverage(open_book("phuc-dong", "2020-9M", "2020-09-13"))
    rows = table.set_index("table")
    assert rows.at["receipts", "reported"] == rows.at["receipts", "expected"] == 9
    assert rows.at["school_months", "reported"] == 8
