"""When measures were in force: every month in one segment, open ends closed by the next easing."""

import pandas as pd
import pytest

from wardlib import catalogue, intake, measures

HANOI, LONG_BIEN = ("VN", "VN-HN"), ("VN", "VN-HN", "VN-HN-004")


def month(text):
    return pd.Period(text, "M")


def spells(*days):
    """Spells from pairs of days; an empty text leaves the end open."""
    return pd.DataFrame(
        [(pd.Timestamp(start), pd.Timestamp(end) if end else pd.NaT) for start, end in days],
        columns=["start", "end"],
    )


def taken(*rows):
    """Measures from (start, end, area, kind, sectors, lines)."""
    table = pd.DataFrame(rows, columns=["start", "end", "area", "kind", "sectors", "lines"])
    return table.assign(start=pd.to_datetime(table["start"]), end=pd.to_datetime(table["end"]))


def in_days(found):
    return [
        (str(row.start.date()), "" if pd.isna(row.end) else str(row.end.date()))
        for row in found.itertuples()
    ]


@pytest.mark.parametrize(("first", "last"), [("2019-11", "2022-06"), ("2020-03", "2020-03"),
                                             ("2020-07", "2020-10"), ("2023-01", "2023-04")])  # fmt: skip
@pytest.mark.parametrize("ward", ["phuc-dong", "philadelphia"])
def test_segments_leave_no_gap_and_do_not_overlap(ward, first, last):
    """Every month of the window stands in just one segment, in order."""
    known = catalogue.ward(ward)
    phases = measures.of_areas(intake.load(known, "covid_phases"), known.areas)
    found = measures.segments(phases, month(first), month(last))
    covered = [m for row in found.itertuples() for m in pd.period_range(row.first, row.last)]
    assert covered == list(pd.period_range(first, last, freq="M"))


def test_segments_alternate_between_phases_and_the_times_after_them():
    """Hà Nội 2020: wave 1 to June, wave 2 from July, then the time after it; ends are inclusive."""
    known = catalogue.ward("phuc-dong")
    phases = measures.of_areas(intake.load(known, "covid_phases"), known.areas)
    found = measures.segments(phases, month("2020-01"), month("2020-12"))
    assert [(str(r.first), str(r.last), r.spell, r.inside) for r in found.itertuples()] == [
        ("2020-01", "2020-01", -1, False), ("2020-02", "2020-06", 0, True),
        ("2020-07", "2020-09", 1, True), ("2020-10", "2020-12", 1, False),
    ]  # fmt: skip


def test_a_month_of_two_phases_goes_to_the_one_with_more_days():
    """Of equal numbers of days, to the earlier one."""
    two = spells(("2020-03-01", "2020-04-10"), ("2020-04-15", "2020-05-31"))
    found = measures.segments(two, month("2020-03"), month("2020-05"))
    assert list(found["spell"]) == [0, 1]
    assert str(found["first"][1]) == "2020-04"
    even = spells(("2020-03-01", "2020-04-15"), ("2020-04-16", "2020-05-31"))
    assert str(measures.segments(even, month("2020-03"), month("2020-05"))["first"][1]) == "2020-05"


def test_an_open_restriction_ends_the_day_before_its_sector_is_eased():
    """Another sector's easing does not end it."""
    table = taken(
        ("2020-03-21", None, "VN", "restriction", ("karaoke",), ()),
        ("2020-04-01", None, "VN", "easing", ("retail",), ()),
        ("2020-06-10", None, "VN", "easing", ("karaoke", "retail"), ()),
    )
    assert in_days(measures.in_force(table, ("VN",))) == [("2020-03-21", "2020-06-09")]
    never = table.iloc[:2]
    assert in_days(measures.in_force(never, ("VN",))) == [("2020-03-21", "")]


def test_spells_that_touch_are_one():
    """From the 1st to the 3rd and from the 4th on: one spell; with a day between, two."""
    table = taken(
        ("2020-04-04", "2020-04-09", "VN", "restriction", ("a",), ()),
        ("2020-04-01", "2020-04-03", "VN", "restriction", ("b",), ()),
        ("2020-04-11", "2020-04-12", "VN", "restriction", ("a",), ()),
    )
    assert in_days(measures.in_force(table, ("VN",))) == [
        ("2020-04-01", "2020-04-09"),
        ("2020-04-11", "2020-04-12"),
    ]


def test_a_measure_of_the_district_does_not_bind_the_city():
    """Long Biên was in zone 2 from 06/09/2021; what held there does not hold elsewhere in Hà Nội."""
    table = intake.load(catalogue.ward("phuc-dong"), "covid_measures")
    own = table[table["area"] == "VN-HN-004"]
    assert len(own)
    assert in_days(measures.in_force(own, HANOI)) == []
    assert ("2021-09-06", "2021-09-20") in in_days(measures.in_force(own, LONG_BIEN))


def test_karaoke_was_closed_longer_than_restaurants():
    """Spring 2020: karaoke closed to 09/06 without a break; nothing named restaurants then."""
    table = intake.load(catalogue.ward("phuc-dong"), "covid_measures")
    karaoke = measures.in_force(table, LONG_BIEN, sector="karaoke_bars")
    assert in_days(karaoke)[0] == ("2020-03-21", "2020-06-09")
    food = measures.in_force(table, LONG_BIEN, sector="food_service")
    assert in_days(food)[0][0] == "2020-08-01"


def test_a_line_is_touched_by_the_measures_that_name_it():
    """Fees: the two times of Directive 16 alone; land tax: never."""
    table = intake.load(catalogue.ward("phuc-dong"), "covid_measures")
    fees = measures.in_force(table, LONG_BIEN, line="fees")
    assert in_days(fees) == [("2020-04-01", "2020-04-22"), ("2021-07-24", "2021-09-05")]
    assert measures.in_force(table, LONG_BIEN, line="land_tax").empty


def test_months_of_spells_are_inclusive_and_stop_at_the_last():
    """A spell's first and last day count; an open one runs to the last month asked for."""
    days = spells(("2020-01-31", "2020-03-01"), ("2020-06-30", ""))
    assert {str(m) for m in measures.months(days, month("2020-08"))} == {
        "2020-01", "2020-02", "2020-03", "2020-06", "2020-07", "2020-08"
    }  # fmt: skip
    assert {str(m) for m in measures.months(days, month("2020-02"))} == {"2020-01", "2020-02"}


def test_a_unit_without_phases_has_none():
    """No table of phases, or none of its areas: no phase, no segment inside one."""
    assert measures.of_areas(None, HANOI).empty
    table = intake.load(catalogue.ward("phuc-dong"), "covid_phases")
    assert measures.of_areas(table, ("XX",)).empty
    found = measures.segments(measures.of_areas(None, HANOI), month("2020-01"), month("2020-02"))
    assert list(found["inside"]) == [False]
