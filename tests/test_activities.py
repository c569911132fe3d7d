"""Activities, small counts, and numbers of persons too small to print."""

import numpy as np
import pandas as pd
import pytest

import wardlib
from wardlib.analysis import activities, counts
from wardlib.analysis.epidemic import Epidemic
from wardlib.data import descriptors, disclosure
from wardlib.data.book import open_book
from wardlib.pages.activities import ActivitiesPage
from wardlib.periods import Period


def history(rate, years=3, seed=1):
    index = pd.period_range("2017-01", periods=12 * years, freq="M")
    return pd.Series(np.random.default_rng(seed).poisson(rate, len(index)), index, dtype=float)


@pytest.mark.parametrize(("rate", "months"), [(0.5, 3), (2, 3), (4, 12)])
def test_the_interval_of_a_count_holds_its_coverage(rate, months):
    """Poisson counts: at least 93 % of 400 inside the 95 % interval, and not all of them idle."""
    inside, widths = [], []
    span = pd.period_range("2020-01", periods=months, freq="M")
    for seed in range(400):
        drawn = counts.predictive(history(rate, seed=seed), span)
        low, high = np.quantile(drawn, (0.025, 0.975))
        came = np.random.default_rng(10_000 + seed).poisson(rate, months).sum()
        inside.append(low <= came <= high)
        widths.append(high - low)
    assert 0.93 <= np.mean(inside) <= 0.995
    assert np.mean(widths) < 8 * np.sqrt(rate * months) + 3


def test_counts_that_vary_more_than_poisson_have_wider_intervals():
    """Same mean, variance five times as large: the interval follows."""
    rng = np.random.default_rng(3)
    index = pd.period_range("2017-01", periods=36, freq="M")
    wild = pd.Series(rng.negative_binomial(2, 2 / 10, 36), index, dtype=float)
    calm = pd.Series(rng.poisson(8, 36), index, dtype=float)
    span = pd.period_range("2020-01", periods=6, freq="M")
    width = {
        name: np.ptp(np.quantile(counts.predictive(series, span), (0.025, 0.975)))
        for name, series in {"wild": wild, "calm": calm}.items()
    }
    assert counts.dispersion(wild) > 2 > counts.dispersion(calm)
    assert width["wild"] > 1.4 * width["calm"]


def test_one_year_is_no_history():
    """Nothing can be said after one year, or after years that lack one of the months."""
    span = pd.period_range("2020-01", "2020-03", freq="M")
    assert counts.predictive(history(3, years=1), span) is None
    holes = history(3).drop([pd.Period("2018-02", "M"), pd.Period("2019-02", "M")])
    assert counts.predictive(holes, span) is None
    assert counts.predictive(history(3), span) is not None


def test_no_event_in_earlier_years_does_not_rule_one_out():
    """Three years without an event: one is still inside the interval."""
    index = pd.period_range("2017-01", periods=36, freq="M")
    drawn = counts.predictive(
        pd.Series(0.0, index), pd.period_range("2020-01", "2020-03", freq="M")
    )
    low, high = np.quantile(drawn, (0.025, 0.975))
    assert low == 0 < 1 <= high  # at most one with chance 0.9743: the bound is 1 or 2


def table(rows):
    frame = pd.DataFrame(
        rows,
        columns=[
            "month",
            "field",
            "planned",
            "held",
            "cancelled",
            "postponed",
            "held_later",
            "participants",
        ],
    )
    frame = frame.assign(month=pd.PeriodIndex(frame["month"], freq="M"))
    return disclosure.disclosed(descriptors.ward("phuc-dong").table("activities"), frame)


def ordinary(field="sport", held=10, persons=100):
    return [
        (f"{year}-{month:02}", field, held, held, 0, 0, 0, persons)
        for year in (2018, 2019)
        for month in range(1, 13)
    ]


def assess(period, rows):
    phases = pd.DataFrame(
        {"id": ["1"], "area": ["VN"], "start": [pd.Timestamp("2020-02-03")], "end": [pd.NaT],
         "name_vi": ["Đợt 1"], "name_en": ["Wave 1"]}
    )  # fmt: skip
    given = {"activities": table(rows)}
    return activities.assess(Period.parse(period), given.get, Epidemic.of(phases, ("VN",)))


def test_a_shortfall_is_against_earlier_years_not_the_programme():
    """Ten a month before; three planned and held now: seven a month are missing."""
    now = [(f"2020-{month:02}", "sport", 3, 3, 0, 0, 1, 50) for month in (4, 5, 6)]
    found = assess("2020-Q2", ordinary() + now)
    row = found.rows.loc[("period", "sport")]
    assert row["expected"] == pytest.approx(30, abs=1.0)
    assert row["shortfall"] == pytest.approx(row["expected"] - 9)
    assert row["held_later"] == 3
    assert activities.verdict(row) == "fewer"


def test_a_month_not_reported_is_on_neither_side():
    """Of two months one is known: half the span's number is expected."""
    found = assess("2020-Q2", [*ordinary(), ("2020-04", "sport", 3, 3, 0, 0, 0, 50)])
    row = found.rows.loc[("period", "sport")]
    assert (row["reported"], row["expected_months"]) == (1, 3)
    assert row["expected"] == pytest.approx(10, abs=0.5)


def test_months_after_the_period_change_nothing():
    """May and June, and a field that begins in May, in the tables of a reader of April."""
    april = [*ordinary(), ("2020-04", "sport", 3, 1, 2, 0, 0, 50)]
    later = [("2020-05", "sport", 9, 9, 0, 0, 4, 2), ("2020-05", "culture", 2, 2, 0, 0, 0, 1)]
    few, all_ = assess("2020-04", april), assess("2020-04", april + later)
    pd.testing.assert_frame_equal(few.rows, all_.rows)
    pd.testing.assert_frame_equal(few.months, all_.months)
    assert assess("2017-04", april + later) is None


def page_of(period, rows, language="en"):
    return ActivitiesPage(wardlib.open("phuc-dong", period, language), assess(period, rows))


def held(count, planned=None, later=0, field="sport"):
    """April 2020: events held, planned (the rest called off), made up."""
    planned = count if planned is None else planned
    return ("2020-04", field, planned, count, planned - count, 0, later, 50)


# Events a month in earlier years (None: no such year), April 2020, the leader's line, the sentence.
SAID = {
    "none of many": (
        10, held(0, 14), "No event held, 10 expected.",
        "In April 2020, none of the 10 extracurricular, cultural and sports events expected after the "
        "same months of earlier years was held. 19 times in 20, an ordinary year would have held",
    ),
    "one of many": (
        10, held(1, later=1), "Held 1/10 expected events.",
        "1 of 10 extracurricular, cultural and sports events expected after the same months of earlier "
        "years was held: 9 fewer than expected. 19",
    ),
    "none of one": (
        1, held(0, 1), "No event held, 1 expected, within normal variation.",
        "the one extracurricular, cultural or sports event expected after the same months of earlier "
        "years was not held: within normal variation. 19",
    ),
    "none of none": (
        0, held(0), "Held 0 events, 0 expected, within normal variation.",
        "no extracurricular, cultural or sports event was held, and none was to be expected",
    ),
    "many more": (
        3, held(30), "Held 30 events, 3 expected, more than expected.",
        "30 extracurricular, cultural and sports events were held, against 3 to be expected after the "
        "same months of earlier years: 27 more than expected.",
    ),
    "no history": (
        None, held(4, 5), "Held 4/5 planned events.",
        "4 of 5 planned extracurricular, cultural and sports events were held in their month. How many",
    ),
    "no history, none held": (
        None, held(0, 1), "Held 0/1 planned events.",
        "In April 2020, the one planned extracurricular, cultural or sports event was not held. How",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID)
def test_events_held_of_those_expected_are_said_as_one_says_it(case):
    """In the singular and the plural, with nought in words, what is expected before what was planned."""
    usual, now, answer, sentence = SAID[case]
    page = page_of("2020-04", [*([] if usual is None else ordinary(held=usual)), now])
    assert page.answer() == answer
    assert sentence in str(page.sentence())


def test_what_was_put_off_is_made_up():
    """Nought in Vietnamese is "không … nào"; 15 events put off are made up, one is in the singular."""
    rows = [*ordinary(), held(0, 14, 15)]
    said = str(page_of("2020-04", rows, "vi").sentence())
    assert said.startswith("Trong tháng 4 năm 2020, không tổ chức được hoạt động nào trong 10 hoạt")
    assert said.endswith("Kế hoạch 14 hoạt động: hủy 14; tổ chức bù 15 hoạt động đã hoãn.")
    said = str(page_of("2020-04", [*ordinary(), held(1, later=1)]).sentence())
    assert said.endswith("1 event was planned; 1 event put off earlier was held to make up.")


def test_few_participants_are_not_printed():
    """Three persons are from one to four, and the total is a range."""
    rows = [("2020-04", field, 1, 1, 0, 0, 0, n) for field, n in
            [("sport", 3), ("culture", 40), ("extracurricular", 90)]]  # fmt: skip
    found = assess("2020-04", ordinary() + ordinary("culture") + ordinary("extracurricular") + rows)
    own = found.rows.loc["period"]
    assert own["participants"].dropna().to_dict() == {"extracurricular": 90, "culture": 40}
    bounds = own[["participants_at_least", "participants_at_most"]]
    assert bounds.loc["sport"].tolist() == [1, 4]
    assert bounds.loc["total"].tolist() == [131, 134]
    assert bounds.loc["culture"].tolist() == [40, 40]


def test_a_month_without_report_is_not_taken_for_a_hidden_one():
    """Nobody in January, not reported in February, three in March: from one to four in the quarter."""
    rows = [("2020-01", "sport", 1, 1, 0, 0, 0, 0), ("2020-03", "sport", 1, 1, 0, 0, 0, 3)]
    sport = assess("2020-Q1", ordinary() + rows).rows.loc[("period", "sport")]
    assert sport[["participants_at_least", "participants_at_most"]].tolist() == [1, 4]
    assert pd.isna(sport["participants"])
    assert sport["reported"] == 2


def test_the_illustrative_ward_lies_inside(tmp_path):
    """The planted shortfall of every field and period lies in its interval (one ward, one seed)."""
    for period in ("2020-9M", "2020", "2021"):
        book = open_book("phuc-dong", period)
        truth = book.table("truth")
        lost = truth[
            (truth["table"] == "activities")
            & (truth["measure"] == "lost")
            & truth["month"].isin(book.period.months)
        ]
        epidemic = Epidemic.of(book.table("covid_phases"), book.ward.areas)
        found = activities.assess(book.period, book.table, epidemic).rows.loc["period"]
        for field, events in lost.groupby("item")["value"].sum().items():
            row = found.loc[field]
            assert row["shortfall_lower"] <= events <= row["shortfall_upper"], (period, field)
