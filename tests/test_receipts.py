"""Receipts of a period, worked by hand."""

import math

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from wardlib.analysis import receipts as module
from wardlib.periods import Period


def summarise(receipts, lines, targets, period):
    return module.summarise(receipts, lines, targets, Period.parse(period))


def test_sums_are_over_each_lines_own_months(receipts, lines, targets):
    """Total of January-February 2020: 12 + 13 = 25 million, its own rows, not 25 + 20 + 5."""
    row = summarise(receipts, lines, targets, "2020-02").lines.loc["total"]
    assert row["month"] == row["period"] == 13e6
    assert row["year_to_date"] == 25e6
    assert (row["kept_period"], row["kept_year_to_date"]) == (7e6, 13e6)


def test_plans_and_shares_name_both_amounts(receipts, lines, targets):
    """25 of 50 million set by the upper level is a half, of 100 set by the ward a quarter."""
    result = summarise(receipts, lines, targets, "2020-02")
    row = result.lines.loc["total"]
    assert (row["plan_upper"], row["share_upper"]) == (50e6, 0.5)
    assert (row["plan_ward"], row["share_ward"]) == (100e6, 0.25)
    assert math.isnan(result.lines.at["tax", "share_upper"])


def test_the_year_before_is_a_ratio(receipts, lines, targets):
    """Tax: 8 against 10 in February is 0.8; 20 against 20 for the year to date is 1."""
    row = summarise(receipts, lines, targets, "2020-02").lines.loc["tax"]
    assert (row["period_before"], row["ratio_period"]) == (10e6, 0.8)
    assert (row["year_to_date_before"], row["ratio_year_to_date"]) == (20e6, 1.0)


def test_a_missing_month_is_not_zero(receipts, lines, targets):
    """Nothing was reported for March: the month is missing, the sum partial, no ratio is formed."""
    result = summarise(receipts, lines, targets, "2020-Q1")
    row = result.lines.loc["tax"]
    assert math.isnan(row["month"])
    assert (row["period"], row["reported"], row["expected"]) == (20e6, 2, 3)
    assert row["status_year_to_date"] == "partial"
    assert math.isnan(row["ratio_period"])
    assert ("tax", pd.Period("2020-03")) in result.missing
    assert ("total", pd.Period("2020-03")) not in result.missing, "a parent is named by its leaves"


def test_a_period_without_any_figure_has_no_sum(receipts, lines, targets):
    """Of March alone nothing is known: no sum, nothing kept, status missing; not zero."""
    row = summarise(receipts, lines, targets, "2020-03").lines.loc["tax"]
    assert math.isnan(row["period"])
    assert math.isnan(row["kept_period"])
    assert row["status_period"] == "missing"
    assert (row["year_to_date"], row["kept_year_to_date"]) == (20e6, 10e6)


def test_a_line_is_expected_from_its_first_month(receipts, lines, targets):
    """The rent exists from February: January is no gap."""
    result = summarise(receipts, lines, targets, "2020-02")
    row = result.lines.loc["rent"]
    assert (row["reported"], row["expected"], row["status_year_to_date"]) == (1, 1, "estimate")
    assert result.missing == ()


def test_estimates_stay_apart_from_actual_figures(receipts, lines, targets):
    """February's total rests on an estimate of the rent; the tax is actual."""
    table = summarise(receipts, lines, targets, "2020-02").lines
    assert table["status_year_to_date"].to_dict() == {
        "total": "estimate",
        "tax": "actual",
        "rent": "estimate",
    }


def test_a_period_is_marked_by_its_own_months(receipts, lines, targets):
    """March is missing: the year to date to April is partial, April itself is whole."""
    april = receipts[receipts["month"] == pd.Period("2020-01")].assign(month=pd.Period("2020-04"))
    both = pd.concat([receipts, april], ignore_index=True)
    row = summarise(both, lines, targets, "2020-04").lines.loc["tax"]
    assert (row["status_period"], row["status_year_to_date"]) == ("actual", "partial")
    assert row["ratio_period"] == 1.2
    assert math.isnan(row["ratio_year_to_date"])


def test_without_plan_nothing_is_invented(receipts, lines):
    """A ward without targets has no share of plan."""
    result = summarise(receipts, lines, None, "2020-02")
    assert result.lines[["plan_upper", "plan_ward", "share_upper"]].isna().all(axis=None)


def test_a_negative_or_zero_year_before_gives_no_ratio(receipts, lines, targets):
    """Refunds can make a month negative; a ratio to it would mean nothing."""
    for amount in (0, -5):
        changed = receipts.assign(
            collected=receipts["collected"].where(
                ~((receipts["line"] == "tax") & (receipts["month"] == pd.Period("2019-02"))), amount
            )
        )
        row = summarise(changed, lines, targets, "2020-02").lines.loc["tax"]
        assert math.isnan(row["ratio_period"])


def test_the_tree_puts_each_parent_before_its_children(receipts, lines, targets):
    """Rows stand in the order of the tree whatever the order of the file."""
    table = summarise(receipts, lines.iloc[::-1], targets, "2020-02").lines
    assert list(table.index) == ["total", "rent", "tax"]
    assert list(table["depth"]) == [0, 1, 1]


def later(receipts, month, line, collected, status="actual", reported_on="2020-05-10"):
    """The receipts with a figure of a later month."""
    row = receipts.iloc[[-1]].assign(
        month=pd.PeriodIndex([month], freq="M"), line=line, collected=collected, kept=0,
        status=status, reported_on=pd.Timestamp(reported_on),
    )  # fmt: skip
    return pd.concat([receipts, row], ignore_index=True)


@pytest.mark.parametrize("period", ["2019-12", "2020-01", "2020-02", "2020-Q1"])
def test_later_months_change_no_sum(receipts, lines, targets, period):
    """What is known of months after the period stands among the months, and nowhere else: not the
    new line that came with them, no gap, no mark."""
    before = receipts[receipts["month"] <= Period.parse(period).last]
    more = later(receipts, "2020-04", "total", 30e6, "estimate")
    for line, collected in (("tax", 20e6), ("rent", 10e6)):
        more = later(more, "2020-04", line, collected)
    early, late = (summarise(own, lines, targets, period) for own in (before, more))
    assert_frame_equal(early.lines, late.lines)
    assert early.missing == late.missing
    assert late.months.at[pd.Period("2020-04"), "total"] == 30e6
    assert late.estimated.at[pd.Period("2020-04"), "total"]
    upto = late.months[: early.months.index[-1]]
    assert_frame_equal(early.months, upto, check_freq=False)


def test_an_estimate_made_within_a_later_month_is_not_known_yet(receipts, lines, targets):
    """On 11/04 the office estimates April: in February's paper April is open, in April's it stands;
    an estimate made in May is of a month that is over."""
    april = pd.Period("2020-04")
    for day, is_known in (("2020-04-11", False), ("2020-05-02", True)):
        more = later(receipts, "2020-04", "tax", 20e6, "estimate", day)
        known = summarise(more, lines, targets, "2020-02")
        assert (april in known.months["tax"].dropna().index) == is_known
        assert known.estimated["tax"].get(april, False) == is_known
        own = summarise(more, lines, targets, "2020-04")
        assert (own.months.at[april, "tax"], own.lines.at["tax", "month"]) == (20e6, 20e6)


def test_a_later_sum_stands_when_its_parts_do(receipts, lines, targets):
    """April's total while the rent has not come in is no total of April; a line that has ended is not
    waited for."""
    more = later(later(receipts, "2020-04", "total", 20e6), "2020-04", "tax", 20e6)
    months = summarise(more, lines, targets, "2020-02").months.loc[pd.Period("2020-04")]
    assert math.isnan(months["total"])
    assert months["tax"] == 20e6
    whole = later(more, "2020-04", "rent", 0)
    assert summarise(whole, lines, targets, "2020-02").months["total"].iloc[-1] == 20e6
    ended = lines.assign(valid_to=pd.PeriodIndex([None, None, "2020-03"], freq="M"))
    assert summarise(more, ended, targets, "2020-02").months["total"].iloc[-1] == 20e6


@pytest.mark.parametrize("period", ["2020-02", "2020-Q1", "2020"])
def test_the_tables_handed_in_are_not_changed(receipts, lines, targets, period):
    """Analysis is pure."""
    before = receipts.copy(), lines.copy(), targets.copy()
    summarise(receipts, lines, targets, period)
    for frame, copy in zip((receipts, lines, targets), before, strict=True):
        assert_frame_equal(frame, copy)


def test_the_lines_reported_so_far_stand_against_themselves(receipts, lines, targets):
    """In February the total is the tax alone, 8 million, as the rent has not come in: it stands against the
    tax of February 2019, not against tax and rent, and is marked as partial."""
    february = pd.Period("2020-02")
    gone = (receipts["line"] == "rent") & (receipts["month"] == february)
    now = receipts[~gone].copy()
    total = (now["line"] == "total") & (now["month"] == february)
    now.loc[total, "collected"] = 8e6
    before = later(now, "2019-02", "rent", 4e6)
    whole = (before["line"] == "total") & (before["month"] == pd.Period("2019-02"))
    before.loc[whole, "collected"] = 14e6
    row = summarise(before, lines.assign(valid_from=pd.NaT), targets, "2020-02").lines.loc["total"]
    assert (row["period"], row["period_before"], row["ratio_period"]) == (8e6, 10e6, 0.8)
    assert row["status_period"] == "partial"


def test_a_total_reported_as_a_whole_stands_against_the_whole(receipts, lines, targets):
    """Where the total is more than the lines reported, it was not made of them: nothing is left out."""
    february = pd.Period("2020-02")
    gone = (receipts["line"] == "rent") & (receipts["month"] == february)
    row = summarise(receipts[~gone], lines, targets, "2020-02").lines.loc["total"]
    assert (row["period"], row["period_before"]) == (13e6, 10e6)
