"""The book: what a ward knew of a period on a day."""

import datetime
import json

import pandas as pd
import pytest

from wardlib.data import descriptors, reading
from wardlib.data.book import coverage, load, open_book
from wardlib.errors import DataError, RequestError
from wardlib.periods import Period

SEPTEMBER = datetime.date(2020, 9, 13)


def test_as_of_a_day_nothing_later_is_seen():
    """On 13/09/2020 September is an estimate of 11/09, August has become actual."""
    ward = descriptors.ward("phuc-dong")
    known = load(ward, "receipts", as_of=SEPTEMBER)
    assert known["reported_on"].max() == pd.Timestamp("2020-09-11")
    assert not known.duplicated(["month", "line"]).any()
    total = known[known["line"] == "total"].set_index("month")["status"]
    assert (total["2020-08"], total["2020-09"]) == ("actual", "estimate")
    latest = load(ward, "receipts").set_index(["line", "month"])["status"]
    assert latest["total", pd.Period("2020-09")] == "actual"


def test_every_month_reported_by_the_day_is_seen():
    """March 2021 was last reported on 12/04/2021, by its schools: April's first estimate, of the day
    before, is seen, and the plan of 2021, but no word of May."""
    book = open_book("phuc-dong", "2021-03")
    assert book.day == datetime.date(2021, 4, 12)
    assert book.table("receipts")["month"].max() == pd.Period("2021-04")
    assert book.table("school_months")["month"].max() == pd.Period("2021-03")
    assert book.table("targets")["year"].max() == 2021


@pytest.mark.parametrize(
    ("ward", "period", "as_of", "day"),
    [
        ("phuc-dong", "2021-03", "2021-04-11", "2021-04-11"),  # asked for
        ("phuc-dong", "2021-03", "2035-01-01", "2035-01-01"),
        ("phuc-dong", "2020-9M", "", "2021-01-31"),  # a correction of September's receipts
        ("phuc-dong", "2021-Q3", "", "2022-01-31"),
        (
            "phuc-dong",
            "2021-01",
            "",
            "2021-02-12",
        ),  # its schools, a day after the first of February
        ("philadelphia", "2013-07", "", "2022-02-18"),  # all was reported on one day
    ],
)
def test_the_day_of_a_book_is_that_of_its_newest_report(ward, period, as_of, day):
    """Of all tables; of rows about the period's months, its year, or earlier ones."""
    assert open_book(ward, period, as_of).day == datetime.date.fromisoformat(day)


@pytest.mark.parametrize(
    ("file", "row", "day"),
    [
        ("activities", "2021-03,culture,1,1,0,0,0,9,2021-06-01", "2021-06-01"),
        ("indicator_months", "2018-05,blood_units,9,actual,2021-06-01", "2021-06-01"),
        ("targets", "2021,total,upper,1,2021-06-01", "2021-06-01"),
        ("targets", "2022,total,upper,1,2021-06-01", "2021-04-12"),
        ("indicator_months", "2021-04,blood_units,9,actual,2021-06-01", "2021-04-12"),
    ],
    ids=["other-table", "old-month", "plan-of-the-year", "plan-of-the-next", "next-month"],
)
def test_a_later_report_moves_the_day_if_it_is_about_the_period(file, row, day, home, accept):
    """A correction of whatever table and earlier month does; what is about later months does not."""
    path = home / "data" / "phuc-dong" / f"{file}.csv"
    path.write_text(path.read_text("utf-8") + row + "\n", "utf-8")
    accept()
    assert open_book("phuc-dong", "2021-03").day == datetime.date.fromisoformat(day)


@pytest.mark.parametrize("table", ["receipts", "activities", "targets"])
@pytest.mark.parametrize("cell", ["2021-13-45", "13/09/2021", ""])
def test_a_wrong_day_of_any_table_is_told(table, cell, home, accept):
    """The day of a book is asked of every table: a faulty one is named, with row and column."""
    path = home / "data" / "phuc-dong" / f"{table}.csv"
    lines = path.read_text("utf-8").splitlines()
    lines[-1] = lines[-1].rpartition(",")[0] + "," + cell
    path.write_text("\n".join(lines) + "\n", "utf-8")
    accept()
    with pytest.raises(DataError, match=f"{table}.csv.*reported_on"):
        open_book("phuc-dong", "2021-Q3")
    assert open_book("philadelphia", "2021-Q3").day


def test_a_ward_may_have_nothing_but_receipts(home):
    """Its day is that of their newest report; of a time before them nothing is said."""
    path = home / "data" / "phuc-dong" / "datapackage.json"
    raw = json.loads(path.read_text("utf-8"))
    raw["resources"] = [own for own in raw["resources"] if own["name"] == "receipts"]
    path.write_text(json.dumps(raw), "utf-8")
    assert open_book("phuc-dong", "2021-03").day == datetime.date(2021, 4, 10)
    with pytest.raises(RequestError, match=r"2010 is in its files\..*2017-01"):
        open_book("phuc-dong", "2010")


def test_every_report_shows_what_was_superseded():
    """Files only grow: the estimate of September still stands behind the actual figure."""
    ward = descriptors.ward("phuc-dong")
    every = load(ward, "receipts", every_report=True)
    own = every[(every["line"] == "total") & (every["month"] == pd.Period("2020-09"))]
    assert {"estimate", "actual"} <= set(own["status"])


A_FILE = "ab" * 32
RECEIVED = f'{A_FILE},"Báo cáo tháng 9.xlsx",2020-10-10,xlsx,,,Thu!A5:E20,triệu đồng,'


@pytest.fixture
def came_in(home, accept):
    """Appends rows to tables of the ward, by the table's name."""

    def append(**rows):
        for name, own in rows.items():
            with (home / "data" / "phuc-dong" / f"{name}.csv").open("a", encoding="utf-8") as file:
                file.write("\n".join(own) + "\n")
        accept()

    return append


def test_a_figures_history_is_one_call(came_in):
    """Every report that was known on the day, the newest last, with file, sheet, cell and the text there;
    what came in by no file says so; a plan's is asked for by its year."""
    came_in(
        received=[RECEIVED],
        origins=[
            f"receipts,2020-09,,total,collected,2020-10-10,{A_FILE},Thu,E9,"
            '"6.240,5",true',
            f"targets,,2020,total:upper,amount,2019-12-24,{A_FILE},Thu,C9,3.000,false",
        ],
    )  # fmt: skip
    book = open_book("phuc-dong", "2020-9M", "2020-12-31")
    told = book.history("receipts", "total", "2020-09", "collected")
    every = load(book.ward, "receipts", as_of=book.day, every_report=True)
    own = every[(every["line"] == "total") & (every["month"] == pd.Period("2020-09"))]
    assert told["value"].tolist() == own["collected"].tolist()
    assert told["status"].tolist() == own["status"].tolist() == ["estimate", "estimate", "actual"]
    assert told.iloc[:-1, 4:].to_numpy().tolist() == [["", "", "", "", False]] * 2
    assert told.iloc[-1, 4:].tolist() == ["Báo cáo tháng 9.xlsx", "Thu", "E9", "6.240,5", True]
    assert told["derived"].dtype == bool
    assert not told["hidden"].any()
    assert (
        len(open_book("phuc-dong", "2020-9M").history("receipts", "total", "2020-09", "kept")) == 4
    )
    plan = book.history("targets", "total:upper", "2020", "amount")
    assert plan[["value", "file", "cell"]].to_numpy().tolist() == [
        [3e9, "Báo cáo tháng 9.xlsx", "C9"]
    ]
    assert book.history("receipts", "total", "2030-01", "kept").empty
    assert open_book("philadelphia", "2020-Q2").history("targets", "x", "2020", "amount") is None
    with pytest.raises(RequestError, match="collected, kept, status"):
        book.history("receipts", "total", "2020-09", "amount")


def test_a_history_hides_small_counts(came_in):
    """Neither three pupils nor the share of three who came, of whatever report; the book has read the
    tables that it says so from."""
    came_in(
        school_months=[
            "2021-12,mam_non_a,3,0,0,0,0,,2022-02-01", "2021-12,mam_non_a,8,1,1,0,0,0.9,2022-02-02",
        ],
    )  # fmt: skip
    book = open_book("phuc-dong", "2021-12", "2022-02-02")
    told = book.history("school_months", "mam_non_a", "2021-12", "pupils")
    assert told["hidden"].tolist()[-2:] == [True, False]
    assert told["value"].isna().tolist()[-2:] == [True, False]
    share = book.history("school_months", "mam_non_a", "2021-12", "attendance_share")
    assert share["hidden"].tolist()[-2:] == [True, False]
    assert {"data/phuc-dong/origins.csv", "data/phuc-dong/received.csv"} <= book.digests.keys()


def test_what_came_in_later_moves_no_earlier_book(came_in):
    """Of files and origins a book sees those of its day; its day is not that of a later month's."""
    before = open_book("phuc-dong", "2021-03")
    seen = {name: before.table(name) for name in ("received", "origins")}
    assert all(table.empty for table in seen.values())
    came_in(
        receipts=["2022-01,total,0,0,actual,2022-02-10"],
        received=[RECEIVED.replace("2020-10-10", "2022-02-10")],
        origins=[
            f"receipts,2022-01,,total,collected,2022-02-10,{A_FILE},,E9,0,false",
            f"targets,,2021,total:upper,amount,2020-12-24,{A_FILE},,E9,,false",
        ],
    )  # fmt: skip
    after = open_book("phuc-dong", "2021-03")
    assert after.day == before.day == datetime.date(2021, 4, 12)
    assert after.table("received").empty
    assert after.table("origins")["table"].tolist() == ["targets"]
    assert set(coverage(after)["table"]) == set(coverage(before)["table"])
    assert "origins" not in set(coverage(after)["table"])


def test_the_day_of_a_book_is_that_of_a_plan_taken_in(came_in):
    """A table that tells months in some rows and years in others is asked for both."""
    came_in(
        targets=["2021,total,upper,1,2021-06-01"],
        received=[RECEIVED],
        origins=[f"targets,,2021,total:upper,amount,2021-06-01,{A_FILE},,E9,1,false"],
    )
    sheet = reading.sheet(descriptors.ward("phuc-dong").tables["origins"].path)
    assert reading.last_report(sheet, Period.parse("2021-03")) == "2021-06-01"
    assert reading.last_report(sheet, Period.parse("2020-12")) == ""


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
    """The record of a run names the files that the notebook really read, not those that the day was
    asked of; the digest of one that is read to its end is the file's."""
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


def test_coverage_is_of_the_months_up_to_the_period():
    """On 11/04/2021 the receipts of April stand beside those of March: they are not counted."""
    table = coverage(open_book("phuc-dong", "2021-03", "2021-04-11")).set_index("table")
    receipts = table.loc["receipts"]
    assert (receipts["last"], receipts["newest"]) == (
        pd.Period("2021-03"),
        pd.Timestamp("2021-04-10"),
    )
    known = load(descriptors.ward("phuc-dong"), "receipts")["month"]
    assert receipts["rows"] == (known <= pd.Period("2021-03")).sum()
