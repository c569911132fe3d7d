"""Targets: where each stands, where the year ends, what the months that remain need."""

import datetime
import importlib.util
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

import wardlib
from wardlib.analysis import projection, receipts, targets
from wardlib.analysis.epidemic import Epidemic
from wardlib.data import descriptors
from wardlib.data.book import Book, open_book
from wardlib.errors import RequestError
from wardlib.periods import Period

NONE = {}.get


def lines(*names):
    return pd.DataFrame(
        {
            "code": ["total", *names],
            "parent": ["", *["total"] * len(names)],
            "name_vi": ["Tổng", *names],
            "name_en": ["Total", *names],
            "valid_from": pd.PeriodIndex([None] * (1 + len(names)), freq="M"),
            "valid_to": pd.PeriodIndex([None] * (1 + len(names)), freq="M"),
        }
    )


def reported(series, status="actual"):
    """Receipts of the total alone."""
    return pd.DataFrame(
        {
            "month": series.index,
            "line": "total",
            "collected": series.to_numpy(),
            "kept": 0,
            "status": status,
            "reported_on": pd.Timestamp("2020-12-31"),
        }
    )


def noisy(first, months, seed=0, level=100.0):
    """Monthly amounts around a level with a peak each December."""
    index = pd.period_range(first, periods=months, freq="M")
    rng = np.random.default_rng(seed)
    season = np.where(index.month == 12, 3.0, 1.0)
    return pd.Series(1e6 * level * season * np.exp(rng.normal(0, 0.1, months)), index)


def plan(amount, year=2019, set_by="upper", line="total"):
    return pd.DataFrame({"year": [year], "line": [line], "set_by": [set_by], "amount": [amount]})


def assess(*given, **tables):
    return assessed(*given, **tables).rows


def assessed(series, period, plans, day=None, **tables):
    result = receipts.summarise(reported(series), lines(), plans, Period.parse(period))
    epidemic = Epidemic.of(tables.get("covid_phases"), ("X",))
    return targets.assess(result, {"targets": plans, **tables}.get, epidemic, day)


def test_usual_by_now_is_not_months_over_twelve():
    """A December peak of three: nine months usually bring 9/14, not 9/12."""
    steady = pd.Series(1e6, pd.period_range("2016-01", "2019-09", freq="M"))
    steady[steady.index.month == 12] = 3e6
    row = assess(steady, "2019-9M", plan(14e6)).iloc[0]
    assert row["usual"] == pytest.approx(9 / 14)
    assert row["usual_years"] == 3
    assert row["share"] == pytest.approx(9 / 14)
    assert row["ahead"] == pytest.approx(0, abs=1)


def test_needed_and_how_often_it_was_reached():
    """5 of 14 million remain for three months: 1.67 each; only Decembers brought so much."""
    steady = pd.Series(1e6, pd.period_range("2016-01", "2019-09", freq="M"))
    steady[steady.index.month == 12] = 3e6
    row = assess(steady, "2019-9M", plan(14e6)).iloc[0]
    assert row["left"] == 3
    assert row["needed"] == pytest.approx(5e6 / 3)
    assert (row["reached"], row["asked"]) == (3, 9)


def test_the_projection_ends_where_years_end():
    """Half a year of 100 and a December peak: about 1,400 with an interval around it; far targets are
    likely and unlikely."""
    series = noisy("2015-01", 54)
    row = assess(series, "2019-H1", plan(1_400e6)).iloc[0]
    assert row["point"] == pytest.approx(1_400e6, rel=0.1)
    bounds = row[["low95", "low80", "point", "high80", "high95"]].tolist()
    assert bounds == sorted(bounds)
    assert len(set(bounds)) == 5
    assert 0.02 < row["chance"] < 0.98
    assert assess(series, "2019-H1", plan(1_000e6)).iloc[0]["status"] == "likely"
    assert assess(series, "2019-H1", plan(2_000e6)).iloc[0]["status"] == "unlikely"


def test_fewer_than_two_full_years_is_said():
    """One full year before: no year-end, but late or ahead of what that year had."""
    for first, months in (("2018-01", 18), ("2017-04", 27)):
        row = assess(noisy(first, months), "2019-H1", plan(1_400e6)).iloc[0]
        assert row["silent"] == "history"
        assert pd.isna(row["point"])
    assert row["status"] in ("late", "ahead")


def test_a_gap_and_no_report_are_said():
    """A month missing inside the year, and a year without a figure, have no projection."""
    holes = noisy("2015-01", 54).drop(pd.Period("2019-03", "M"))
    assert assess(holes, "2019-H1", plan(1e9)).iloc[0]["silent"] == "gap"
    silent = assess(noisy("2015-01", 48), "2019-H1", plan(1e9)).iloc[0]
    assert silent["silent"] == "unreported"
    assert silent["status"] == "none"


def test_december_is_met_or_missed():
    """A complete year is no matter of chance."""
    series = noisy("2015-01", 60)
    total = series["2019-01":].sum()
    for amount, status in ((total - 1, "met"), (total + 1, "missed")):
        row = assess(series, "2019", plan(amount)).iloc[0]
        assert (row["status"], row["left"]) == (status, 0)
        assert row["low95"] == row["high95"] == total


def test_a_year_that_is_known_is_its_outcome():
    """The page of a first half whose year is over: how the half stood, and what the year came to;
    nothing is projected, asked for or falls due, whatever the half had suggested."""
    series = noisy("2015-01", 72)
    half, year = series["2019-01":"2019-06"].sum(), series["2019-01":"2019-12"].sum()
    for amount, status, chance in ((year - 1, "met", 1), (year + 1, "missed", 0)):
        row = assess(series, "2019-H1", plan(amount)).iloc[0]
        assert (row["value"], str(row["through"])) == (half, "2019-06")
        assert (row["known"], str(row["known_through"])) == (year, "2019-12")
        assert row["low95"] == row["point"] == row["high95"] == year
        assert (row["left"], row["status"], row["chance"], row["due"]) == (0, status, chance, 0)
        assert pd.isna(row["needed"])
        early = assess(series[:"2019-06"], "2019-H1", plan(amount)).iloc[0]
        for column in ("share", "usual", "usual_years", "ahead", "estimated"):
            assert row[column] == early[column]


def test_months_after_the_period_are_known():
    """August is known: the paper of the first half projects what that of eight months does, and asks
    for the rest of the plan in four months; the half's own standing stays."""
    series = noisy("2015-01", 56)
    half, eight = (
        assess(series, period, plan(1_500e6)).iloc[0] for period in ("2019-H1", "2019-08")
    )
    after = [
        "known",
        "known_through",
        "low95",
        "point",
        "high95",
        "chance",
        "left",
        "needed",
        "status",
    ]
    assert half[after].tolist() == eight[after].tolist()
    assert half["left"] == 4
    assert half["needed"] == pytest.approx((1_500e6 - series["2019-01":].sum()) / 4)
    assert half["value"] == series["2019-01":"2019-06"].sum() < half["known"]
    assert half["usual"] < eight["usual"]


def test_a_target_reached_after_the_period_is_met():
    """In June 60 of 75 asked, in August 80: met by the day of the paper."""
    index = pd.period_range("2017-01", "2019-08", freq="M")
    for kind in ("flow", "stock"):
        row = indicator(pd.Series(10.0 * index.month, index), kind, 75)
        assert (row["value"], row["known"], row["left"]) == (60, 80, 4)
        assert (row["status"] == "met") == (kind == "flow")
    row = indicator(pd.Series(10.0 * index.month, index), "flow", 100)
    assert row["needed"] == 5


def test_an_indicators_year_that_is_known_is_its_outcome():
    """Flows, stocks and shares, to be high or low: December's value decides."""
    index = pd.period_range("2016-01", "2020-03", freq="M")
    series = pd.Series(7.0 * index.month, index)
    for kind in ("flow", "stock", "share"):
        for amount, better, status in (
            (84, "higher", "met"), (85, "higher", "missed"), (84, "lower", "met"), (83, "lower", "missed")
        ):  # fmt: skip
            row = indicator(series, kind, amount, better)
            assert (row["value"], row["known"], row["left"]) == (42, 84, 0)
            assert (row["point"], row["status"]) == (84, status)


def test_an_indicators_estimate_within_a_later_month_is_not_known_yet():
    """July's first count of 11/07 does not stand in June's paper; once July is over it does."""
    index = pd.period_range("2016-01", "2019-07", freq="M")
    months = values(pd.Series(10.0 * index.month, index))
    for day, through in (("2019-07-11", "2019-06"), ("2019-08-01", "2019-07")):
        months.loc[months.index[-1], ["status", "reported_on"]] = ["estimate", pd.Timestamp(day)]
        given = {"indicators": indicators("flow"), "indicator_months": months}
        table = assess(noisy("2015-01", 54), "2019-H1", plan(100, line="x"), **given)
        row = table.set_index("item").loc["x"]
        assert (str(row["known_through"]), row["estimated"]) == (through, False)


def test_without_targets_the_lines_stand_alone():
    """No plan: projection and usual share without chance, status or needs."""
    row = assess(noisy("2015-01", 54), "2019-H1", None).iloc[0]
    assert row["set_by"] == ""
    assert row["status"] == "none"
    assert row["point"] > 0
    assert pd.isna(row["chance"])


def relief(**row):
    return pd.DataFrame(
        [
            {
                "id": "R", "area": "X", "kind": "deferral", "payers": "all", "lines": ("total",),
                "period_start": pd.Period("2020-03", "M"), "period_end": pd.Period("2020-06", "M"),
                "in_force": pd.Timestamp("2020-03-01"), "normal_due": pd.NaT,
                "extended_due": pd.Timestamp("2020-12-15"), "share_low": 0.5, "share_high": 0.5,
                "document": "D", **row,
            }
        ]
    )  # fmt: skip


PHASES = pd.DataFrame(
    {"id": ["1"], "area": ["X"], "start": [pd.Timestamp("2020-02-03")],
     "end": [pd.Timestamp("2020-06-09")], "name_vi": ["a"], "name_en": ["a"]}
)  # fmt: skip


def deferred():
    """A level of 100; from March to June 2020 half of it is put off."""
    series = pd.Series(100e6, pd.period_range("2015-01", "2020-06", freq="M"))
    series *= np.exp(np.random.default_rng(5).normal(0, 0.02, len(series)))
    series["2020-03":] *= 0.5
    return series


def test_what_was_put_off_is_expected_by_its_due_day():
    """About 200 of what was put off falls due by 31/12: it comes on top; without the rule, or due after
    the year, it does not."""
    series = deferred()
    given = {"covid_phases": PHASES}
    own = assess(series, "2020-H1", plan(1e9, 2020), tax_relief=relief(), **given).iloc[0]
    assert own["due"] == pytest.approx(200e6, rel=0.15)
    assert own["point"] == pytest.approx(1_200e6, rel=0.1)
    later = relief(extended_due=pd.Timestamp("2021-03-15"))
    late = assess(series, "2020-H1", plan(1e9, 2020), tax_relief=later, **given).iloc[0]
    assert late["due"] == 0
    assert late["point"] < own["point"] - 150e6


def test_what_fell_due_before_the_day_does_not_fall_due():
    """Put off until 15/12: on 15/12 it is no longer to come, though December is not known; what it
    brings by the year's end is the same."""
    series, given = deferred(), {"covid_phases": PHASES, "tax_relief": relief()}
    before, after = (
        assess(series, "2020-H1", plan(1e9, 2020), day=datetime.date(2020, 12, day), **given).iloc[
            0
        ]
        for day in (14, 15)
    )
    assert before["due"] == pytest.approx(200e6, rel=0.15)
    assert after["due"] == after["due_high"] == 0
    assert before["point"] == after["point"]


def test_relief_not_yet_enacted_is_not_foreseen():
    """A document of July is not known at the end of June."""
    series, given = deferred(), {"covid_phases": PHASES}
    coming = relief(in_force=pd.Timestamp("2020-07-10"))
    row = assess(series, "2020-H1", plan(1e9, 2020), tax_relief=coming, **given).iloc[0]
    assert row["due"] == 0
    plain = assess(series, "2020-H1", plan(1e9, 2020), **given).iloc[0]
    exempt = relief(
        kind="exemption", in_force=pd.Timestamp("2020-07-10"), share_low=1.0, share_high=1.0,
        period_start=pd.Period("2020-07", "M"), period_end=pd.Period("2020-12", "M"),
    )  # fmt: skip
    row = assess(series, "2020-H1", plan(1e9, 2020), tax_relief=exempt, **given).iloc[0]
    assert row["point"] == plain["point"]
    known = exempt.assign(in_force=pd.Timestamp("2020-06-10"))
    row = assess(series, "2020-H1", plan(1e9, 2020), tax_relief=known, **given).iloc[0]
    assert row["point"] == pytest.approx(row["value"])


def test_usual_leaves_the_epidemic_out():
    """In 2021 the years before 2020 say what is usual, where there are two of them."""
    series = pd.Series(1e6, pd.period_range("2017-01", "2021-06", freq="M"))
    series["2020-01":"2020-06"] = 0.1e6
    row = assess(series, "2021-H1", plan(12e6, 2021), covid_phases=PHASES).iloc[0]
    assert (row["usual"], row["usual_years"]) == (0.5, 3)


def indicators(kind, better="higher"):
    return pd.DataFrame(
        {"code": ["x"], "name_vi": ["x"], "name_en": ["x"], "unit_vi": ["%"], "unit_en": ["%"],
         "kind": [kind], "better": [better], "decimals": [1]}
    )  # fmt: skip


def values(series):
    return pd.DataFrame(
        {"month": series.index, "indicator": "x", "value": series.to_numpy(), "status": "actual",
         "reported_on": pd.Timestamp("2019-12-31")}
    )  # fmt: skip


def indicator(series, kind, amount, better="higher"):
    table = assess(
        noisy("2015-01", 54), "2019-H1", plan(amount, line="x"),
        indicators=indicators(kind, better), indicator_months=values(series),
    )  # fmt: skip
    return table.set_index("item").loc["x"]


def test_shares_are_never_summed():
    """A share that stands at 90 month after month ends near 90, has no share of its target, and is
    compared with the target itself."""
    index = pd.period_range("2016-01", "2019-06", freq="M")
    rng = np.random.default_rng(2)
    row = indicator(pd.Series(90 + rng.normal(0, 0.5, len(index)), index), "share", 95)
    assert row["point"] == pytest.approx(90, abs=1.5)
    assert pd.isna(row["share"])
    assert pd.isna(row["needed"])
    assert row["ahead"] == pytest.approx(-5, abs=1.5)
    near = pd.Series(99.2 + rng.normal(0, 0.5, len(index)), index).clip(upper=100)
    assert indicator(near, "share", 95)["high95"] == 100
    assert indicator(near, "stock", 95)["high95"] > 100


def test_lower_is_better_turns_the_status_round():
    """The same figures against the same target: unlikely to rise to it, likely to stay below it."""
    index = pd.period_range("2016-01", "2019-06", freq="M")
    series = pd.Series(90 + np.random.default_rng(2).normal(0, 0.5, len(index)), index)
    assert indicator(series, "share", 97)["status"] == "unlikely"
    assert indicator(series, "share", 97, "lower")["status"] == "likely"


def test_what_is_printed_as_met_is_met():
    """A share printed with one decimal that stands at 94.96 meets 95.0."""
    index = pd.period_range("2016-01", "2019-06", freq="M")
    row = indicator(pd.Series(94.96, index), "share", 95)
    assert (row["point"], row["chance"], row["status"]) == (95.0, 1.0, "likely")


def test_the_upper_levels_targets_bind():
    """Of two targets of an item that of the upper level; the ward's own where that set none at all."""
    both = pd.DataFrame({"item": ["a", "a", "b"], "set_by": ["upper", "ward", "ward"]})
    assert list(targets.binding(both)["set_by"]) == ["upper"]
    assert list(targets.binding(both[1:])["item"]) == ["a", "b"]


def test_indicators_stand_with_the_upper_levels_target_of_the_last_month():
    """90 of the upper level's 100 in June; nothing for July, as its value has not come; without
    indicators nothing stands."""
    index = pd.period_range("2018-01", "2019-06", freq="M")
    given = {
        "indicators": indicators("flow"),
        "indicator_months": values(pd.Series(15.0 * index.month, index)),
    }
    plans = pd.concat([plan(100, line="x"), plan(120, set_by="ward", line="x")])
    for period, value, share in (("2019-06", 90, 0.9), ("2019-07", np.nan, np.nan)):
        standing = assessed(noisy("2016-01", 42), period, plans, **given).standing
        assert list(standing.index) == ["x"]
        shown = standing.loc["x", ["value", "target", "share"]].astype(float)
        np.testing.assert_array_equal(shown, [value, 100, share])
    assert assessed(noisy("2016-01", 42), "2019-06", plans).standing.empty


def test_values_without_their_indicators_are_named():
    """A ward that has indicator_months and no table indicators is told which is lacking."""
    months = values(pd.Series(1.0, pd.period_range("2018-01", "2019-06", freq="M")))
    with pytest.raises(RequestError, match="no table indicators"):
        assess(noisy("2016-01", 42), "2019-06", plan(1), indicator_months=months)


def test_a_count_to_be_kept_low_needs_nothing():
    """Ten a month, at most 150 a year: likely kept, and no amount is needed."""
    index = pd.period_range("2016-01", "2019-06", freq="M")
    row = indicator(pd.Series(10.0 * index.month, index), "flow", 150, "lower")
    assert row["status"] == "likely"
    assert pd.isna(row["needed"])


def test_a_flow_counts_up_and_is_met_for_good():
    """Ten a month counted up: 60 by June, about 120 at the end."""
    index = pd.period_range("2016-01", "2019-06", freq="M")
    series = pd.Series(10.0 * index.month, index)
    row = indicator(series, "flow", 119)
    assert row["usual"] == pytest.approx(0.5)
    assert row["point"] == pytest.approx(120, rel=0.08)
    assert row["needed"] == pytest.approx(59 / 6)
    assert indicator(series, "flow", 60)["status"] == "met"


def test_the_article_day():
    """As of 13/09/2020: the total is met; the indicators, with one full year before, say what they
    cannot; the households' put-off tax falls due by 31/12."""
    book = open_book("phuc-dong", "2020-9M", "2020-09-13")
    result = receipts.summarise(
        book.table("receipts"), book.table("revenue_lines"), book.table("targets"), book.period
    )
    table = targets.assess(
        result, book.table, Epidemic.of(book.table("covid_phases"), book.ward.areas)
    ).rows
    table = table[table["set_by"] == "upper"].set_index("item")
    assert table.at["total", "status"] == "met"
    assert table.at["total", "share"] == 2.08
    assert table.at["blood_units", "status"] == "met"
    assert set(table.loc[table["kind"] != "money", "silent"]) == {"history"}
    assert table.at["nonstate", "due"] > 50e6
    assert table.at["fees", "through"] == pd.Period("2020-08", "M")


def standing(rows):
    """Rows of `Targets.rows` of a total and its lines: item, value and target; all of the upper level,
    half of each year usual by now."""
    table = pd.DataFrame(rows, columns=["item", "value", "target"])
    table = table.assign(set_by="upper", kind="money", usual=0.5, depth=1)
    table.loc[table["item"] == "total", "depth"] = 0
    table["share"] = table["value"] / table["target"]
    return table.assign(ahead=table["value"] - 0.5 * table["target"])


def test_the_fewest_lines_carry_a_plan_that_is_passed():
    """230 of 200: without a (150 of 50) the rest has 80 of 150, below its plan; usual is half."""
    table = standing(
        [("total", 230, 200), ("a", 150, 50), ("b", 55, 50), ("c", 15, 50), ("d", 10, 50)]
    )
    found = targets.carriers(table)
    assert list(found.lines["item"]) == ["a"]
    assert (found.value, found.target, found.usual) == (80, 150, 0.5)
    two = standing(
        [("total", 290, 250), ("a", 90, 50), ("b", 130, 50), ("c", 55, 50), ("d", 10, 50), ("e", 5, 50)]
    )  # fmt: skip
    assert list(targets.carriers(two).lines["item"]) == ["b"]  # 80 over its plan, the total 40


def test_a_total_that_is_ahead_of_the_year_is_carried_too():
    """130 of 200, usual 100: without a (60 ahead of its 25) the rest is 30 late."""
    table = standing(
        [("total", 130, 200), ("a", 85, 50), ("b", 20, 50), ("c", 15, 50), ("d", 10, 50)]
    )
    found = targets.carriers(table)
    assert list(found.lines["item"]) == ["a"]
    assert (found.value, found.target) == (45, 150)


@pytest.mark.parametrize(
    "rows",
    [
        [("total", 90, 200), ("a", 60, 50), ("b", 10, 50), ("c", 10, 50), ("d", 10, 50)],  # late
        [
            ("total", 205, 200),
            ("a", 54, 50),
            ("b", 53, 50),
            ("c", 52, 50),
            ("d", 46, 50),
        ],  # two of four
        [("total", 240, 200), ("a", np.nan, 50)],  # nothing is known of the lines
        [("total", 240, np.nan), ("a", 100, np.nan)],  # no plan
    ],
    ids=["late", "half", "unknown", "no-plan"],
)
def test_no_few_lines_carry_the_total(rows):
    """A total that is late, one that half of the lines carry, lines without a figure, no plan: nothing."""
    assert targets.carriers(standing(rows)) is None


def answered(day, amount=2e7, **tables):
    """The rows of 2020-9M of a total and of the land tax, with until and bodies."""
    months = pd.period_range("2018-01", "2020-09", freq="M")
    reports = [
        reported(pd.Series(1e6, months)),
        reported(pd.Series(1e6, months)).assign(line="land"),
    ]
    plans = pd.concat([plan(2e7, 2020), plan(amount, 2020, line="land")])
    table = {"targets": plans, **tables}.get
    result = receipts.summarise(pd.concat(reports), lines("land"), plans, Period.parse("2020-9M"))
    assessed = targets.assess(result, table, Epidemic.of(None, ("X",)))
    found = targets.answered_for(assessed, table, ("X", "X-1"), pd.Timestamp(day).date())
    return found.rows.set_index("item")


def due(*months):
    return pd.DataFrame({"code": ["total", "land"], "due_months": [(), months]})


def test_the_last_lawful_day_is_the_last_that_is_left():
    """Due in May and October: 31/10/2020 is a Saturday, so Monday 02/11; due in May alone: nothing is
    left but the year's end; December's last day stays in the year."""
    for months, day in (
        (("5", "10"), "2020-11-02"),
        (("5",), "2020-12-31"),
        (("12",), "2020-12-31"),
    ):
        until = answered("2020-10-01", revenue_lines=due(*months))["until"]
        assert until["land"] == pd.Timestamp(day)
        assert until["total"] == pd.Timestamp("2020-12-31")
    assert set(answered("2020-10-01")["until"]) == {pd.Timestamp("2020-12-31")}


def test_what_is_due_before_december_is_asked_for_in_one_sum():
    """A million a month, 20 planned: 11 are left. Until Monday 02/11 all 11, which October and November
    of neither year before brought; without a day before, 11/3 a month; 2 million both years brought."""
    land = answered("2020-10-01", revenue_lines=due("10")).loc["land"]
    asked = ["in_sum", "asked_amount", "times_reached", "times_asked"]
    assert land[asked].tolist() == [True, 11e6, 0, 2]
    whole = answered("2020-10-01").loc["land"]
    assert whole[asked].tolist() == [False, pytest.approx(11e6 / 3), 0, 6]
    less = answered("2020-10-01", amount=11e6, revenue_lines=due("10")).loc["land"]
    assert less[asked].tolist() == [True, 2e6, 2, 2]


def test_relief_moves_the_last_lawful_day_once_it_is_in_force():
    """A decree of 15/09/2020 puts October's payment off to 30/11: from that day on."""
    given = relief(
        lines=("land",), normal_due=pd.Timestamp("2020-10-31"), extended_due=pd.Timestamp("2020-11-30"),
        period_start=pd.Period("2020-10", "M"), period_end=pd.Period("2020-10", "M"),
        in_force=pd.Timestamp("2020-09-15"),
    )  # fmt: skip
    tables = {"revenue_lines": due("10"), "tax_relief": given}
    assert answered("2020-09-14", **tables).at["land", "until"] == pd.Timestamp("2020-11-02")
    assert answered("2020-09-15", **tables).at["land", "until"] == pd.Timestamp("2020-11-30")


def test_the_body_is_that_of_the_smallest_area_on_the_day():
    """The district's office until 30/06/2020, which nobody saw in a source, the country's afterwards;
    nobody for the total."""
    owners = pd.DataFrame(
        {"item": "land", "area": ["X-1", "X", "Y"], "body_vi": ["quận", "nước", "khác"],
         "body_en": ["district", "country", "other"], "valid_from": pd.NaT,
         "valid_to": pd.to_datetime(["2020-06-30", None, None]), "verified": ["no", "partly", "yes"]}
    )  # fmt: skip
    for day, body in (("2020-06-30", "district"), ("2020-07-01", "country")):
        found = answered(day, owners=owners)
        assert (found.at["land", "body_en"], found.at["land", "body_seen"]) == (
            body,
            body == "country",
        )
        assert found.at["total", "body_en"] == ""
    assert set(answered("2020-07-01")["body_vi"]) == {""}


def test_what_is_at_risk_is_sorted_by_how_bad_it_is():
    """The district's before the ward's own, and of an item only that; the unlikely ones first; then what
    needs most; nothing of what is met, nor of a year that is over."""
    rows = [("a", "upper", "open", 9.0), ("b", "upper", "unlikely", 1.0), ("b", "ward", "unlikely", 2.0),
            ("c", "ward", "unlikely", 5.0), ("d", "upper", "unlikely", 3.0), ("e", "upper", "late", np.nan),
            ("f", "upper", "likely", 1.0), ("c", "upper", "met", 0.0)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["item", "set_by", "status", "needed"])
    table = table.assign(kind="money", left=3)
    found = targets.at_risk(table)
    assert list(zip(found["item"], found["set_by"], strict=True)) == [
        ("d", "upper"), ("b", "upper"), ("a", "upper"), ("e", "upper"), ("c", "ward")
    ]  # fmt: skip
    assert targets.at_risk(table.assign(left=0)).empty


def test_shortcomings_are_nobodys_target():
    """An indicator of that kind is in no table of targets; it is listed with its figure of the month,
    or without one."""
    index = pd.period_range("2018-01", "2019-06", freq="M")
    given = {
        "indicators": indicators("shortcoming"),
        "indicator_months": values(pd.Series(15.0 * index.month, index)),
    }
    table = assess(noisy("2015-01", 54), "2019-H1", plan(1e9), **given)
    assert set(table["item"]) == {"total"}
    for month, value in (("2019-06", 90.0), ("2019-07", np.nan)):
        found = targets.shortcomings(*given.values(), Period.parse(month))
        np.testing.assert_array_equal(found["value"], [value])
    assert targets.shortcomings(None, None, Period.parse("2019-06")).empty
    assert (
        targets.shortcomings(given["indicators"], None, Period.parse("2019"))["value"].isna().all()
    )


@pytest.fixture(scope="module")
def backtest():
    """The module that goes back; its own tables are in docs/method.md."""
    sys.path.insert(0, str(ROOT / "tests" / "benchmarks"))
    path = ROOT / "tests" / "benchmarks" / "targets.py"
    spec = importlib.util.spec_from_file_location("backtest", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(ROOT / "tests" / "benchmarks"))


@pytest.mark.parametrize("ward", ["phuc-dong", "philadelphia"])
def test_going_back_beats_both_simple_rules(ward, backtest):
    """At mid-year of every year with two before it, over all lines: less than 0.8 of the error of
    either rule, four of five years inside their 95 % interval."""
    final = backtest.summary(backtest.book(ward)).months
    cuts = [month for month in final.index[24:] if month.month == 6]
    rows = pd.DataFrame([row for cut in cuts for row in backtest.at(ward, cut, final)])
    assert len(rows) > 30
    shown = backtest.table(rows, ["ward"]).iloc[0]
    assert shown["error / twelfths"] < 0.8
    assert shown["error / last year's share"] < 0.8
    assert shown["95 %"] > 0.8


def test_a_day_gives_what_had_been_projected_then():
    """As of 12/10/2020 the nine months are projected as they were; nothing reported later enters. The
    newest figures have closed the year."""
    then, now = (
        wardlib.open("phuc-dong", "2020-9M", "en", day).targets.result.rows.iloc[0]
        for day in ("2020-10-12", "")
    )
    assert (str(then["known_through"]), then["left"]) == ("2020-09", 3)
    assert then["low95"] < then["point"] < then["high95"]
    assert (str(now["known_through"]), now["left"], now["status"]) == ("2020-12", 0, "met")
    assert then["low95"] < now["point"] == now["known"] < then["high95"]


@pytest.mark.parametrize(
    ("ward", "period", "day"),
    [("phuc-dong", "2021-Q3", "2022-01-31"), ("philadelphia", "2020-Q2", "2022-02-18")],
)
def test_a_closed_year_leaves_nothing_open(ward, period, day):
    """The paper bears the day on which its figures were known, says what the year came to, and
    projects nothing; the non-state tax of 2021 came to 385.0 million."""
    book = wardlib.open(ward, period, "en")
    assert str(book.day) == day
    table = book.targets.result.rows
    assert (table["left"] == 0).all()
    assert (table["low95"] == table["known"]).all()
    assert book.targets.projections_table() is None
    said = book.targets.year_end().plain
    assert said.startswith("The year is complete: total")
    if ward == "phuc-dong":
        outcome = table.set_index("item").at["nonstate", "known"]
        assert set(round(outcome / 1e6, 1)) == {385.0}
        assert "296.8 % (VND 9,320.4/3,140 million)" in said.replace("\xa0", " ")
        row = book.targets.table().content["rows"][2]
        assert row["head"] == "Non-state sector tax (business households)"
        printed = [cell["lines"][0] for cell in row["cells"]]
        assert (printed[:3], printed[4], row["says"]) == (
            ["296.8", "900.0", "33.0"], "385.0", "missed",
        )  # fmt: skip


def test_what_comes_after_the_year_changes_no_projection():
    """The months of 2020 and 2021, and of the year to which 2019 belongs those to come, stay out."""
    ward = descriptors.ward("philadelphia")
    book = Book(ward, Period.parse("2019-06"), None)
    epidemic = Epidemic.of(book.table("covid_phases"), ward.areas)
    table = book.table("receipts")
    table = table[(table["month"].dt.year != 2019) | (table["month"] <= pd.Period("2019-06"))]
    one, other = (
        projection.project(
            receipts.summarise(own, book.table("revenue_lines"), None, book.period),
            book.table, epidemic,
        )["wage"].draws
        for own in (table, table[table["month"] <= pd.Period("2019-06")])
    )  # fmt: skip
    assert np.array_equal(one, other)
