"""The ward's answer: the city's real taxes, whose story is known, and the illustrative ward."""

import functools

import pandas as pd
import pytest

from wardlib import effects, intake, receipts


@functools.cache
def assessed(ward, period, as_of=""):
    book = intake.open_book(ward, period, as_of)
    result = receipts.summarise(
        book.table("receipts"), book.table("revenue_lines"), book.table("targets"), book.period
    )
    return effects.assess(result, book.table, book.ward.areas)


def city(period, line):
    """The split of a tax of Philadelphia from 2020-03 to the end of the period."""
    found = assessed("philadelphia", period)
    return found.split(line, found.start, found.period.last)


def test_the_effect_starts_with_the_first_phase():
    """March 2020 in Philadelphia, February in Hà Nội."""
    assert str(assessed("philadelphia", "2020").start) == "2020-03"
    assert str(assessed("phuc-dong", "2020").start) == "2020-02"


@pytest.mark.parametrize("period", ["2020-04", "2020-Q2", "2020-9M", "2020", "2021-02", "2021"])
def test_no_loss_of_property_tax_is_claimed(period):
    """Its due date moved in 2020, and with the discount gone February's payers came in March 2021."""
    assert city(period, "real_estate").verdict != "loss"


@pytest.mark.parametrize("period", ["2020-04", "2020-05", "2020-06"])
def test_business_tax_is_late_until_its_new_due_date(period):
    """April to June 2020: what is missing may lawfully come until 15/07/2020."""
    split = city(period, "birt")
    assert split.verdict == "late"
    assert split.until == pd.Timestamp("2020-07-15")
    assert split.may_come.mean > 0.6 * split.shortfall.mean


@pytest.mark.parametrize("period", ["2020-07", "2020"])
def test_business_tax_has_returned_in_july(period):
    """The greater part of the shortfall of April to June is found again, and no loss claimed."""
    found = assessed("philadelphia", period)
    spring = found.split("birt", pd.Period("2020-04", "M"), pd.Period("2020-06", "M"))
    assert spring.returned.lower > 0.5 * spring.shortfall.lower
    assert spring.claim.lower <= 0
    assert city(period, "birt").verdict in ("returned", "none")


@pytest.mark.parametrize("line", ["amusement", "parking"])
@pytest.mark.parametrize("period", ["2020-Q2", "2020", "2021"])
def test_amusement_and_parking_lost(line, period):
    """Closed venues and empty streets: a loss whose interval excludes zero."""
    split = city(period, line)
    assert split.verdict == "loss"
    assert split.claim.lower > 0


@pytest.mark.parametrize(("ward", "period"), [("philadelphia", "2019"), ("phuc-dong", "2020-01")])
def test_before_the_epidemic_nothing_is_said(ward, period):
    """A period that ends before the first phase has no split and says why."""
    found = assessed(ward, period)
    assert found.span is None
    assert set(found.lines["silent"]) == {effects.BEFORE}
    assert found.by_line == {}
    assert found.segments.empty


def test_months_not_reported_yet_are_not_overdue():
    """On 20/04/2020 the year 2020 ends in April: nothing of it is past its last lawful day."""
    found = assessed("phuc-dong", "2020", "2020-04-20")
    split = found.split("nonstate")
    assert (split.months, split.overdue.mean) == (3, 0)
    assert found.split("total", pd.Period("2020-07", "M"), pd.Period("2020-09", "M")) is None


def test_a_start_without_any_figure_is_said():
    """On 20/02/2020 no month of the effect but the estimate of February is known; in January none."""
    found = assessed("phuc-dong", "2020-Q1", "2020-02-10")
    assert set(found.lines["silent"]) == {effects.UNREPORTED}
    assert found.by_line == {}


def test_household_taxes_are_late_in_september_and_exempt_a_year_later():
    """Nine months of 2020: until 31/12. July to September 2021: not payable, so no loss."""
    assert assessed("phuc-dong", "2020-9M").split("nonstate").may_come.lower > 0
    found = assessed("phuc-dong", "2021-Q3")
    split = found.split("nonstate_vat", pd.Period("2021-07", "M"), pd.Period("2021-09", "M"))
    assert split.exempt.mean == pytest.approx(split.expected)
    assert split.claim.lower <= 0


@pytest.mark.parametrize("ward", ["phuc-dong", "philadelphia"])
def test_every_line_has_an_answer_or_a_reason(ward):
    """No line is left without either; verdicts never contradict their own intervals."""
    found = assessed(ward, "2020")
    for line, row in found.lines.iterrows():
        split = found.split(line)
        assert bool(row["silent"]) is (split is None)
        if split is None:
            continue
        claims = split.claim.lower > 0
        assert claims is (split.verdict in ("loss", "overdue"))
        if split.verdict == "late":
            assert split.may_come.mean > 0
        if split.verdict == "none":
            assert split.claim.lower <= 0


def test_lines_for_comparison_are_those_that_nothing_touched():
    """Licence fee, land tax and registration fee of the ward."""
    lines = assessed("phuc-dong", "2020").lines
    assert set(lines.index[lines["comparison"]]) == {"licence_fee", "land_tax", "registration_fee"}


def test_segments_of_a_line_add_up_to_the_whole():
    """The expected and collected amounts of the phases are those of the whole time."""
    found = assessed("philadelphia", "2021")
    whole = found.split("sales", found.start, found.period.last)
    pieces = [found.split("sales", s.first, s.last) for s in found.segments.itertuples()]
    assert sum(p.expected for p in pieces) == pytest.approx(whole.expected)
    assert sum(p.collected for p in pieces) == pytest.approx(whole.collected)
    assert sum(p.claim.mean for p in pieces) == pytest.approx(whole.claim.mean)
