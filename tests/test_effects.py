"""The effects on the lines of the two wards, and which months they are of."""

import functools

import numpy as np
import pandas as pd
import pytest

from wardlib.analysis import effects, receipts
from wardlib.analysis.epidemic import Epidemic
from wardlib.data.book import open_book


def month(text):
    return pd.Period(text, "M")


@functools.cache
def book(ward, period, as_of=""):
    return open_book(ward, period, as_of)


def epidemic(known):
    return Epidemic.of(known.table("covid_phases"), known.ward.areas)


def assessed(ward, period, *lines, as_of="", change=None):
    """The effects on `lines` (all without any), after `change` of the table of receipts."""
    known = book(ward, period, as_of)
    table = known.table("receipts")
    if lines:
        table = table[table["line"].isin(lines)]
    if change:
        table = change(table)
    result = receipts.summarise(
        table, known.table("revenue_lines"), known.table("targets"), known.period
    )
    return effects.assess(result, known.table, epidemic(known))


@pytest.mark.parametrize(
    ("period", "span"),
    [
        ("2020-01", None),
        ("2020-02", ("2020-02", "2020-02")),
        ("2020-Q3", ("2020-02", "2020-09")),
        ("2021-02", ("2021-01", "2021-02")),
        ("2021", ("2021-01", "2021-12")),
    ],
)
def test_the_effect_is_of_the_year_to_date_from_the_first_phase_on(period, span):
    """January 2020 is before it, February is its first month; 2021 does not count 2020 again."""
    found = assessed("phuc-dong", period, "total")
    assert found.span == (span and tuple(month(text) for text in span))
    assert (found.split("total") is None) is (span is None)
    if span:
        split = found.split("total")
        assert (str(split.first), str(split.last)) == span


def test_segments_run_from_the_first_phase_to_the_period():
    """In February 2021: wave 1, wave 2, the months after it, wave 3; no month twice or left out."""
    found = assessed("phuc-dong", "2021-02", "total")
    ends = [
        (str(row.first), str(row.last), row.spell, row.inside)
        for row in found.segments.itertuples()
    ]
    assert ends == [
        ("2020-02", "2020-06", 0, True), ("2020-07", "2020-09", 1, True),
        ("2020-10", "2020-12", 1, False), ("2021-01", "2021-02", 2, True),
    ]  # fmt: skip


def test_a_month_without_any_figure_has_no_split():
    """The fees of July were not reported: nothing is said of July, and it enters no sum."""
    july = month("2020-07")

    def without_july(table):
        return table[(table["line"] != "fees") | (table["month"] != july)]

    found = assessed("phuc-dong", "2020-9M", "total", "fees", change=without_july)
    assert found.split("fees", july, july) is None
    assert found.split("total", july, july).months == 1
    assert found.split("fees").months == 7
    assert found.by_line["fees"].months == 7


def test_nothing_is_overdue_because_the_period_runs_on():
    """The year 2020 as known on 10/10: until 31 December household tax may come, though the period
    ends then."""
    found = assessed("phuc-dong", "2020", "nonstate_vat", as_of="2020-10-10")
    split = found.split("nonstate_vat")
    assert (split.overdue.mean, split.until) == (0, pd.Timestamp("2020-12-31"))
    assert found.ledgers["nonstate_vat"].impact.by_month.index[-1] < month("2020-12")


def test_months_that_are_known_later_close_what_was_open():
    """At the end of June 2020 business tax was short and could still come; an edition that knows July
    says what has come since, and leaves nothing open."""
    july = month("2020-07")
    then = assessed(
        "philadelphia", "2020-Q2", "birt", change=lambda table: table[table["month"] < july]
    ).split("birt")
    now = assessed("philadelphia", "2020-Q2", "birt").split("birt")
    assert (then.verdict, then.until) == ("deferred", pd.Timestamp("2020-07-15"))
    assert (then.deferred.mean > 0, then.paid_later.mean) == (True, 0)
    assert (now.deferred.mean, pd.isna(now.until)) == (0, True)
    assert now.paid_later.mean > 0.9 * then.deferred.mean
    assert (now.expected, now.collected) == (then.expected, then.collected)
    assert now.difference == then.difference


def test_half_of_aprils_business_tax_came_in_july():
    """At least half of what was missing in April 2020 is found again, from July's month-end on."""
    april, july = month("2020-04"), month("2020-07")
    missing = assessed("philadelphia", "2020-04", "birt").split("birt", april, april)
    assert missing.returned.mean > 0.5 * missing.difference.mean
    for period in ("2020-07", "2020"):
        found = assessed("philadelphia", period, "birt")
        assert found.split("birt").returned.mean > 0.5 * missing.difference.mean
        ends = found.ledgers["birt"].month_ends["returned"]
        assert ends[july] > 0.5 * missing.difference.mean > 10 * ends[july - 1]


@pytest.mark.parametrize("line", ["amusement", "parking"])
def test_closed_venues_lost_in_every_phase(line):
    """Loss in the lockdown, between the phases and in the second one, and over all of 2020."""
    found = assessed("philadelphia", "2020", line)
    verdicts = [found.split(line, s.first, s.last).verdict for s in found.segments.itertuples()]
    assert verdicts == ["lost"] * 3
    assert found.split(line).verdict == "lost"


def test_household_tax_is_late_in_september_not_lost():
    """Nine months of 2020: each household tax that the decree names is late, or nothing is shown."""
    lines = ("nonstate", "nonstate_vat", "nonstate_pit")
    found = assessed("phuc-dong", "2020-9M", *lines, as_of="2020-10-12")
    verdicts = {line: split.verdict for line, split in found.by_line.items()}
    assert verdicts["nonstate"] == "deferred"
    assert set(verdicts.values()) <= {"deferred", "usual"}
    assert found.by_line["nonstate"].until == pd.Timestamp("2020-12-31")


def test_a_parents_relief_is_its_parts():
    """What may still come of the non-state tax is what may come of VAT and of income tax."""
    lines = ("nonstate", "nonstate_vat", "nonstate_pit")
    found = assessed("phuc-dong", "2020-9M", *lines, as_of="2020-10-12")
    parts = [found.split(line).deferred.mean for line in ("nonstate_vat", "nonstate_pit")]
    assert found.split("nonstate").deferred.mean == pytest.approx(sum(parts))
    assert found.split("nonstate").deferred.mean > 0
    own = found.impact("nonstate").cumulative.expected
    assert found.split("nonstate").expected == pytest.approx(own)


def test_a_line_says_why_nothing_can_be_said():
    """One year of history is too little; a line shaken a year before fails its check; others speak."""

    def spoil(table):
        short = (table["line"] == "fees") & (table["month"] < month("2019-02"))
        shaken = (table["line"] == "pit") & table["month"].between(
            month("2019-02"), month("2019-11")
        )
        table = table.assign(
            collected=np.where(shaken, table["collected"] // 4, table["collected"])
        )
        return table[~short]

    found = assessed("phuc-dong", "2020-9M", "total", "fees", "pit", change=spoil)
    assert found.lines["silent"].to_dict() == {"total": "", "fees": "history", "pit": "placebo"}
    assert list(found.by_line) == ["total"]


def test_exempt_months_stay_out_of_the_estimate_but_in_the_split():
    """July to September 2021 of household VAT: expected and exempt are the same, nothing is lost."""
    found = assessed("phuc-dong", "2021-Q3", "nonstate_vat")
    first, last = month("2021-07"), month("2021-09")
    assert found.impact("nonstate_vat").by_month.loc[first:last, "observed"].isna().all()
    split = found.split("nonstate_vat", first, last)
    assert split.exempt.mean == pytest.approx(split.expected)
    assert split.expected > 0
    assert split.verdict == "relief"


def test_lines_for_comparison_follow_from_measures_and_relief():
    """Of the ward those that no restriction and no relief named; a line named in a later relief, or as a
    part, is none; where no restriction names a line, as in the city, there is none."""
    lines = whole("phuc-dong", "2020").lines
    assert set(lines.index[lines["comparison"]]) == {"land_tax", "public_land", "other"}
    assert not whole("philadelphia", "2020").lines["comparison"].any()
    known = book("phuc-dong", "2020")
    found = whole("phuc-dong", "2020").receipts

    def compared(**changes):
        def tables(name):
            return changes[name] if name in changes else known.table(name)

        lines = effects.assess(found, tables, epidemic(known)).lines
        return set(lines.index[lines["comparison"]])

    given = known.table("tax_relief")
    land = given[given["id"] == "R10"].assign(lines=[["land_tax"]])
    assert compared(tax_relief=pd.concat([given, land])) == {"public_land", "other"}
    later = land.assign(in_force=pd.Timestamp("2021-02-01"))
    assert "land_tax" not in compared(tax_relief=pd.concat([given, later])), "whenever it is named"
    assert compared(covid_measures=None) == set()
    taken = known.table("covid_measures")
    every = taken[taken["id"] == "B08"].assign(lines=[["total"]])
    assert compared(covid_measures=pd.concat([taken, every])) == set()


@functools.cache
def whole(ward, period, as_of=""):
    """The effects on all lines, made once."""
    return assessed(ward, period, as_of=as_of)


@functools.cache
def city(period, line):
    """The effects on one tax of Philadelphia, and its split from 2020-03 to the period's end."""
    found = assessed("philadelphia", period, line)
    return found, found.split(line, found.start, found.period.last)


def test_the_effect_starts_with_the_first_phase():
    """March 2020 in Philadelphia, February in Hà Nội."""
    assert str(whole("philadelphia", "2020").start) == "2020-03"
    assert str(whole("phuc-dong", "2020").start) == "2020-02"


@pytest.mark.parametrize("period", ["2020-04", "2020-Q2", "2020-9M", "2020", "2021-02", "2021"])
def test_no_loss_of_property_tax_is_claimed(period):
    """Its due date moved in 2020, and with the discount gone February's payers came in March 2021."""
    assert city(period, "real_estate")[1].verdict != "lost"


@pytest.mark.parametrize("period", ["2020-04", "2020-05", "2020-06"])
def test_business_tax_is_late_until_its_new_due_date(period):
    """April to June 2020, known to their ends: all that is missing may lawfully come until 15/07/2020."""
    last = month(period)
    found = assessed(
        "philadelphia", period, "birt", change=lambda table: table[table["month"] <= last]
    )
    split = found.split("birt", found.start, last)
    assert split.verdict == "deferred"
    assert split.until == pd.Timestamp("2020-07-15")
    assert split.deferred.mean > 0.5 * split.shortfall.mean
    assert split.deferred.upper > 0.9 * split.shortfall.upper


@pytest.mark.parametrize("period", ["2020-07", "2020"])
def test_business_tax_has_returned_in_july(period):
    """The greater part of the shortfall of April to June is found again, and no loss claimed."""
    found, split = city(period, "birt")
    spring = found.split("birt", pd.Period("2020-04", "M"), pd.Period("2020-06", "M"))
    assert spring.returned.mean > 0.5 * spring.shortfall.mean
    assert spring.claim.lower <= 0
    assert split.verdict in ("returned", "usual")


@pytest.mark.parametrize("line", ["amusement", "parking"])
@pytest.mark.parametrize("period", ["2020-Q2", "2020", "2021"])
def test_amusement_and_parking_lost(line, period):
    """Closed venues and empty streets: a loss whose interval excludes zero."""
    _, split = city(period, line)
    assert split.verdict == "lost"
    assert split.claim.lower > 0


@pytest.mark.parametrize(("ward", "period"), [("philadelphia", "2019"), ("phuc-dong", "2020-01")])
def test_before_the_epidemic_nothing_is_said(ward, period):
    """A period that ends before the first phase has no split and says why."""
    found = whole(ward, period)
    assert found.span is None
    assert set(found.lines["silent"]) == {effects.BEFORE}
    assert found.by_line == {}
    assert found.segments.empty


def test_months_not_reported_yet_are_not_overdue():
    """On 20/04/2020 the year 2020 ends in April: nothing of it is past its last lawful day."""
    found = whole("phuc-dong", "2020", "2020-04-20")
    split = found.split("nonstate")
    assert (split.months, split.overdue.mean) == (3, 0)
    assert found.split("total", pd.Period("2020-07", "M"), pd.Period("2020-09", "M")) is None


def test_a_start_without_any_figure_is_said():
    """On 20/02/2020 no month of the effect but the estimate of February is known; in January none."""
    found = whole("phuc-dong", "2020-Q1", "2020-02-10")
    assert set(found.lines["silent"]) == {effects.UNREPORTED}
    assert found.by_line == {}


def test_household_taxes_are_late_in_september_and_exempt_a_year_later():
    """Nine months of 2020: until 31/12. July to September 2021: not payable, so no loss."""
    waits = whole("phuc-dong", "2020-9M", "2020-10-12").split("nonstate").deferred
    assert (waits.lower, waits.mean > 0) == (0, True), "nobody, or some, may have put payment off"
    found = whole("phuc-dong", "2021-Q3")
    split = found.split("nonstate_vat", pd.Period("2021-07", "M"), pd.Period("2021-09", "M"))
    assert split.exempt.mean == pytest.approx(split.expected)
    assert split.claim.lower <= 0


@pytest.mark.parametrize("ward", ["phuc-dong", "philadelphia"])
def test_every_line_has_an_answer_or_a_reason(ward):
    """No line is left without either; verdicts never contradict their own intervals."""
    found = whole(ward, "2020")
    for line, row in found.lines.iterrows():
        split = found.split(line)
        assert bool(row["silent"]) is (split is None)
        if split is None:
            continue
        claims = split.claim.lower > 0
        assert claims is (split.verdict in ("lost", "overdue"))
        if split.verdict == "deferred":
            assert split.deferred.mean > 0
        if split.verdict == "usual":
            assert split.claim.lower <= 0


def test_segments_of_a_line_add_up_to_the_whole():
    """The expected and collected amounts of the phases are those of the whole time."""
    found, total = city("2021", "sales")
    pieces = [found.split("sales", s.first, s.last) for s in found.segments.itertuples()]
    assert sum(p.expected for p in pieces) == pytest.approx(total.expected)
    assert sum(p.collected for p in pieces) == pytest.approx(total.collected)
    assert sum(p.claim.mean for p in pieces) == pytest.approx(total.claim.mean)


@pytest.mark.parametrize("first", ["2020-03", "2020-09", "2021-02"])
def test_a_ward_without_history_gets_no_estimate(first):
    """One that has kept figures only since the epidemic began: too little history, no error."""
    found = assessed("phuc-dong", "2021-03", change=lambda table: table[table["month"] >= first])
    assert set(found.lines["silent"]) == {"history"}
    assert found.by_line == {}


def test_a_total_that_is_not_that_of_its_lines_leaves_out_months_that_lack_some():
    """Fees without history: the total has an estimate of its own. The month in which the fees are not
    reported is then of some lines, and stands against nothing; else it would be short by what they bring."""
    august = month("2020-08")
    lines = ("total", "fees", "pit")

    def spoil(table):
        table = table[(table["line"] != "fees") | (table["month"] >= month("2019-06"))]
        sums = table[table["line"] != "total"].groupby("month")["collected"].sum()
        whole = table["line"] == "total"
        made = table["month"].map(sums).where(whole, table["collected"])
        return table.assign(collected=made)

    def without_fees(table):
        return spoil(table[(table["line"] != "fees") | (table["month"] != august)])

    every = assessed("phuc-dong", "2020-9M", *lines, change=spoil)
    some = assessed("phuc-dong", "2020-9M", *lines, change=without_fees)
    assert every.impact("total").model != "sum"
    assert some.receipts.partial["total"].loc[august]
    assert (every.split("total").months, some.split("total").months) == (8, 7)
    assert some.split("total", august, august) is None
