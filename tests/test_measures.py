"""When measures were in force, and the months of each phase."""

import numpy as np
import pandas as pd
import pytest

from wardlib.analysis import epidemic
from wardlib.analysis.epidemic import Epidemic
from wardlib.data import descriptors
from wardlib.data.book import load

CITY = ("VN", "VN-HN")
LONG_BIEN = ("VN", "VN-HN", "VN-HN-004")
INNER_CITY = ("VN", "VN-HN", "VN-HN-001")


def month(text):
    return pd.Period(text, "M")


def spells(*pairs):
    """A table of spells; an end of None: still in force."""
    return pd.DataFrame(pairs, columns=["start", "end"], dtype="datetime64[ns]")


def known(*rows):
    """A table of measures: start, end, kind, sectors; area VN-HN and line fees."""
    table = pd.DataFrame(rows, columns=["start", "end", "kind", "sectors"])
    table = table.astype({"start": "datetime64[us]", "end": "datetime64[us]"})
    table["sectors"] = table["sectors"].str.split()
    return table.assign(area="VN-HN", lines=[("fees",)] * len(table))


def days(found):
    """Spells as text, "" for an end that never came."""
    return [
        (str(start.date()), "" if pd.isna(end) else str(end.date()))
        for start, end in zip(found["start"], found["end"], strict=True)
    ]


def listed(segments):
    return [(str(row.first), str(row.last), row.spell, row.inside) for row in segments.itertuples()]


@pytest.fixture(scope="module")
def hanoi():
    return load(descriptors.ward("phuc-dong"), "covid_measures")


def phases(ward, areas):
    return Epidemic.of(load(descriptors.ward(ward), "covid_phases"), areas).phases


# -------------------------------------------------------------------------------------- segments


def assert_whole(table, first, last):
    """Segments follow each other from `first` to `last`: every month is in just one."""
    covered = [
        month for row in table.itertuples() for month in pd.period_range(row.first, row.last)
    ]
    assert covered == list(pd.period_range(first, last, freq="M"))


@pytest.mark.parametrize(("ward", "areas"), [("phuc-dong", CITY), ("philadelphia", ("US-PA-101",))])
def test_segments_have_no_gap_and_no_overlap_in_any_window(ward, areas):
    """Whatever months are asked for, each is counted once, inside a phase or between two."""
    table = phases(ward, areas)
    months = pd.period_range("2019-12", "2022-06", freq="M")
    for i, first in enumerate(months):
        for last in months[i::5]:
            assert_whole(epidemic.segments(table, first, last), first, last)


def test_a_month_belongs_to_the_phase_with_the_most_days_in_it():
    """Counted day by day on random phases: most days, the earlier of two with as many."""
    rng = np.random.default_rng(7)
    first, last = month("2020-01"), month("2021-06")
    for _ in range(60):
        edges = np.sort(rng.choice(500, 2 * rng.integers(1, 6), replace=False))
        pairs = pd.Timestamp("2020-01-10") + pd.to_timedelta(edges, "D")
        table = spells(*zip(pairs[::2], pairs[1::2], strict=True))
        found = epidemic.segments(table, first, last)
        assert_whole(found, first, last)
        for row in found.itertuples():
            for each in pd.period_range(row.first, row.last):
                counts = [
                    (pd.date_range(start, end).to_period("M") == each).sum()
                    for start, end in zip(table["start"], table["end"], strict=True)
                ]
                assert row.inside == (max(counts) > 0)
                if row.inside:
                    assert row.spell == counts.index(max(counts))


def test_a_shared_month_is_counted_once():
    """June has 9 days of the first phase and 21 of the second; February 14 of each."""
    june = spells(("2020-02-03", "2020-06-09"), ("2020-06-10", "2020-07-31"))
    assert listed(epidemic.segments(june, month("2020-05"), month("2020-07"))) == [
        ("2020-05", "2020-05", 0, True),
        ("2020-06", "2020-07", 1, True),
    ]
    even = spells(("2021-01-01", "2021-02-14"), ("2021-02-15", "2021-03-31"))
    assert listed(epidemic.segments(even, month("2021-01"), month("2021-03"))) == [
        ("2021-01", "2021-02", 0, True),
        ("2021-03", "2021-03", 1, True),
    ]


def test_first_and_last_day_of_a_phase_are_its_own():
    """A phase from 31 January to 1 February has both months, and no third."""
    table = spells(("2020-01-31", "2020-02-01"))
    assert listed(epidemic.segments(table, month("2019-12"), month("2020-03"))) == [
        ("2019-12", "2019-12", -1, False),
        ("2020-01", "2020-02", 0, True),
        ("2020-03", "2020-03", 0, False),
    ]


def test_a_phase_still_in_force_has_every_later_month():
    """Without an end the phase goes on to the last month asked for, and no further."""
    table = spells(("2020-03-16", "2020-06-04"), ("2020-11-20", None))
    last = month("2021-02")
    assert listed(epidemic.segments(table, month("2020-06"), last)) == [
        ("2020-06", "2020-06", 0, True),
        ("2020-07", "2020-10", 0, False),
        ("2020-11", "2021-02", 1, True),
    ]


def test_without_phases_there_is_one_segment_before_the_first():
    """A ward whose phases nobody noted still gets its months."""
    none = Epidemic.of(None, CITY).phases
    assert Epidemic.of(None, CITY).start is None
    assert list(none.columns) == ["id", "start", "end", "name_vi", "name_en"]
    assert listed(epidemic.segments(none, month("2020-01"), month("2020-12"))) == [
        ("2020-01", "2020-12", -1, False)
    ]


def test_the_phases_of_both_wards_by_month():
    """Hà Nội's four waves and Philadelphia's two, with the times between them."""
    hanoi = epidemic.segments(phases("phuc-dong", CITY), month("2020-02"), month("2022-05"))
    assert listed(hanoi) == [
        ("2020-02", "2020-06", 0, True),
        ("2020-07", "2020-09", 1, True),
        ("2020-10", "2020-12", 1, False),
        ("2021-01", "2021-03", 2, True),
        ("2021-04", "2022-04", 3, True),
        ("2022-05", "2022-05", 3, False),
    ]
    city = phases("philadelphia", ("US-PA-101",))
    assert listed(epidemic.segments(city, month("2020-03"), month("2021-12"))) == [
        ("2020-03", "2020-06", 0, True),
        ("2020-07", "2020-10", 0, False),
        ("2020-11", "2021-01", 1, True),
        ("2021-02", "2021-12", 1, False),
    ]


def test_phases_of_other_areas_are_left_out_and_stand_in_order():
    """Only the ward's own phases count, the earliest first whatever the order of the file."""
    table = spells(("2021-01-01", "2021-02-01"), ("2020-01-01", "2020-02-01")).assign(area="VN-HN")
    mixed = pd.concat([table, table.assign(area="VN-SG")])
    assert days(Epidemic.of(mixed, CITY).phases) == [
        ("2020-01-01", "2020-02-01"),
        ("2021-01-01", "2021-02-01"),
    ]


# -------------------------------------------------------------------------------------- in force


def test_a_restriction_without_end_lasts_until_the_day_before_its_sector_is_eased():
    """Bars open again on 1 February, so 31 January is their last day; schools stay closed."""
    table = known(
        ("2020-01-10", None, "restriction", "bars schools"),
        ("2020-01-20", None, "easing", "shops"),
        ("2020-02-01", None, "easing", "bars"),
        ("2020-03-01", None, "easing", "bars"),
    )
    bars, schools = (epidemic.in_force(table, CITY, sector=name) for name in ("bars", "schools"))
    assert days(bars) == [("2020-01-10", "2020-01-31")]
    assert days(schools) == [("2020-01-10", "")]
    assert days(epidemic.in_force(table, CITY)) == [("2020-01-10", "")]


def test_a_restriction_with_an_end_takes_over_from_one_without():
    """The open-ended rule runs up to the dated one, which ends on its last day."""
    table = known(
        ("2020-01-10", None, "restriction", "bars"),
        ("2020-02-01", "2020-02-20", "restriction", "bars"),
    )
    assert days(epidemic.in_force(table, CITY)) == [("2020-01-10", "2020-02-20")]


def test_spells_that_touch_are_one():
    """The day after is no gap, two days after is; a spell inside another adds nothing."""
    table = known(
        ("2020-03-01", "2020-03-10", "restriction", "bars"),
        ("2020-03-11", "2020-03-31", "restriction", "bars"),
        ("2020-03-05", "2020-03-06", "restriction", "bars"),
        ("2020-04-02", "2020-04-02", "restriction", "bars"),
    )
    assert days(epidemic.in_force(table, CITY)) == [
        ("2020-03-01", "2020-03-31"),
        ("2020-04-02", "2020-04-02"),
    ]


def test_only_restrictions_that_name_the_line_count():
    """Events and easings close nothing; a line that no measure names was never restricted."""
    table = known(
        ("2020-03-01", "2020-03-10", "event", "bars"),
        ("2020-04-01", "2020-04-10", "easing", "bars"),
        ("2020-05-01", "2020-05-10", "restriction", "bars"),
    )
    assert days(epidemic.in_force(table, CITY, line="fees")) == [("2020-05-01", "2020-05-10")]
    assert days(epidemic.in_force(table, CITY, line="land_tax")) == []


def test_the_area_decides(hanoi):
    """Long Biên was in Zone 2 from 6 to 20 September 2021 and at level 3 that winter; the city and
    its inner districts were not."""
    autumn = {
        areas: days(epidemic.in_force(hanoi, areas, sector="public_life"))[2:]
        for areas in (CITY, INNER_CITY, LONG_BIEN)
    }
    assert autumn[LONG_BIEN] == [("2021-07-19", "2021-10-13"), ("2021-12-27", "2022-01-22")]
    assert autumn[CITY] == [("2021-07-19", "2021-09-05"), ("2021-09-21", "2021-10-13")]
    assert autumn[INNER_CITY] == autumn[CITY]


def test_karaoke_is_not_food(hanoi):
    """Karaoke was closed throughout from 21/03 to 09/06/2020, when no measure named restaurants;
    in 2021 restaurants opened and closed while karaoke stayed closed for a year."""
    karaoke, food = (
        days(epidemic.in_force(hanoi, LONG_BIEN, sector=name))
        for name in ("karaoke_bars", "food_service")
    )
    assert karaoke == [
        ("2020-03-21", "2020-06-09"),
        ("2020-07-30", "2020-09-15"),
        ("2021-02-01", "2021-03-22"),
        ("2021-04-30", "2022-04-07"),
    ]
    assert food[0] == ("2020-08-01", "2020-09-15")
    assert ("2021-07-13", "2021-07-18") in food


def test_lines_have_the_days_of_their_measures(hanoi):
    """Ward fees are named for the two times of Directive 16 only; land tax for none."""
    assert days(epidemic.in_force(hanoi, LONG_BIEN, line="fees")) == [
        ("2020-04-01", "2020-04-22"),
        ("2021-07-24", "2021-09-05"),
    ]
    assert days(epidemic.in_force(hanoi, LONG_BIEN, line="land_tax")) == []


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_an_open_phase_in_any_resolution(unit):
    """As the reader gives days (microseconds), too; a warning today, an error in a later pandas."""
    table = pd.DataFrame({"start": [np.datetime64("2020-03-16")], "end": [np.datetime64("NaT")]})
    table = table.astype(f"datetime64[{unit}]")
    found = epidemic.segments(table, month("2020-03"), month("2020-05"))
    assert list(found["inside"]) == [True]
