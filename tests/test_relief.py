"""Late is not lost: the rules of the law as months, and the ledger, worked by hand."""

import math
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from wardlib.analysis import counterfactual, relief
from wardlib.data import descriptors
from wardlib.data.book import load

LONG_BIEN = ("VN", "VN-HN", "VN-HN-004")
CITY = ("US-PA-101",)
DUE = pd.Timestamp("2020-07-15")
PARTS = [
    *("exempt", "reduced", "deferred", "overdue", "paid_later"),
    "never_due_later",
]


def month(text):
    return pd.Period(text, "M")


def estimated(collected, expected=100.0, *, first="2020-04", draws=1000):
    """An estimate that says `expected` on every path: a number, one a month, or draws x months."""
    months = pd.period_range(first, periods=len(collected), freq="M", name="month")
    series = pd.Series(collected, months, dtype="float64")
    paths = np.asarray(expected, dtype="float64")
    if paths.ndim < 2:
        paths = np.broadcast_to(paths, (draws, len(months))).copy()
    return counterfactual.Impact(months[0], series, paths, "receipts", (), None, frozenset())


def rules(*rows):
    """Rules as the ledger takes them: kind, first, last, until, share_low, share_high."""
    return [
        relief.Rule(
            f"R{number}",
            kind,
            "all",
            month(first),
            month(last),
            pd.Timestamp(until),
            *shares,
            "",
            month(first),
        )
        for number, (kind, first, last, until, *shares) in enumerate(rows)
    ]


def deferral(low=1.0, high=1.0):
    """April to June may be paid until 15 July."""
    return rules(("deferral", "2020-04", "2020-06", DUE, low, high))


def means(split, *names):
    return tuple(round(getattr(split, name).mean, 6) for name in names)


def at_month_ends(collected, given):
    """The ledger as it stands when only so many months are known, for each number of months."""
    return [
        relief.ledger(estimated(collected[: count + 1]), given).split()
        for count in range(len(collected))
    ]


# ----------------------------------------------------------------------------------------- rules


def touching(given, areas, line):
    return relief.rules_by_line(given, areas, [line])[line]


def of_line(ward, areas, line):
    given = load(descriptors.ward(ward), "tax_relief")
    return {rule.id: rule for rule in touching(given, areas, line)}


def as_months(rule):
    until = "" if pd.isna(rule.until) else str(rule.until.date())
    return rule.kind, str(rule.first), str(rule.last), until


@pytest.mark.parametrize(
    ("line", "rule", "expected"),
    [
        # Decree 41/2020 is of 8 April: what had fallen due before was not put off by it.
        ("nonstate_vat", "R09", ("deferral", "2020-04", "2020-11", "2020-12-31")),
        # 31/10/2020 is a Saturday: October's rent may be paid on Monday 2 November.
        ("land_rent", "R10", ("deferral", "2020-05", "2020-10", "2020-11-02")),
        ("land_rent", "R15", ("deferral", "2021-05", "2021-10", "2021-11-30")),
        # Neither deferred nor cut, but not late before its ordinary day either.
        ("land_tax", "R30a", ("deferral", "2020-01", "2020-10", "2020-11-02")),
        ("land_tax", "R30b", ("deferral", "2021-01", "2021-10", "2021-11-01")),
        ("nonstate_sct", "R16a", ("exemption", "2021-07", "2021-09", "")),
        ("land_rent", "R21", ("reduction", "2020-01", "2020-12", "")),
        ("licence_fee", "R29", ("exemption", "2020-02", "9999-12", "")),
    ],
)
def test_rules_of_the_law_as_months(line, rule, expected):
    """Which months a rule touches, and the last lawful day, on a working day."""
    row = of_line("phuc-dong", LONG_BIEN, line)[rule]
    assert as_months(row) == expected
    assert pd.isna(row.until) or row.until.day_of_week < 5


def test_the_citys_deferrals_as_months():
    """Business tax: due 15/04, paid until 15/07/2020; property tax: 31/03, until 15/06/2020."""
    assert as_months(of_line("philadelphia", CITY, "birt")["R01"]) == (
        "deferral", "2020-04", "2020-06", "2020-07-15",
    )  # fmt: skip
    assert as_months(of_line("philadelphia", CITY, "real_estate")["R03"]) == (
        "deferral", "2020-03", "2020-05", "2020-06-15",
    )  # fmt: skip


def test_shares_and_documents_come_with_the_rule():
    """Who puts off is not assumed: nobody to everybody; the decree is named."""
    row = of_line("phuc-dong", LONG_BIEN, "nonstate_pit")["R09"]
    assert (row.share_low, row.share_high, row.document) == (0.0, 1.0, "41/2020/NĐ-CP")


def test_rules_without_shares_or_of_others_are_left_out():
    """A row that only says that nothing changed, another area's or another line's, moves nothing."""
    assert list(of_line("philadelphia", CITY, "wage")) == []
    assert list(of_line("philadelphia", LONG_BIEN, "birt")) == []
    assert list(of_line("phuc-dong", LONG_BIEN, "fees")) == []
    assert list(of_line("phuc-dong", LONG_BIEN, "land_tax")) == ["R30a", "R30b", "R30c"]
    assert touching(None, CITY, "birt") == []


@pytest.mark.parametrize(
    ("in_force", "normal_due", "first"),
    [
        (None, None, "2020-01"),
        (None, "2020-05-31", "2020-05"),
        ("2020-04-08", None, "2020-04"),
        ("2020-04-08", "2020-05-31", "2020-05"),
        ("2020-06-01", "2020-05-31", "2020-06"),
    ],
)
def test_a_deferral_begins_when_something_fell_due_under_it(in_force, normal_due, first):
    """With the liability, the due date or the document, whichever is known and last."""
    table = load(descriptors.ward("phuc-dong"), "tax_relief")
    row = table[table["id"] == "R09"].assign(
        in_force=pd.Timestamp(in_force), normal_due=pd.Timestamp(normal_due)
    )
    (found,) = touching(row, ("VN",), "nonstate_vat")
    assert (str(found.first), str(found.last)) == (first, "2020-11")


def test_a_deferral_within_a_month_touches_none():
    """From the 5th to the 20th of a month nothing is late at any month-end."""
    table = load(descriptors.ward("phuc-dong"), "tax_relief")
    row = table[table["id"] == "R10"].assign(extended_due=pd.Timestamp("2020-05-31"))
    assert len(touching(row, ("VN",), "land_rent")) == 1, "31/05/2020 is a Sunday"
    row["extended_due"] = pd.Timestamp("2020-05-29")
    assert len(touching(row, ("VN",), "land_rent")) == 0


def test_months_in_which_nothing_is_payable():
    """Household taxes of July to December 2021; a partial exemption or a deferral is none."""
    given = load(descriptors.ward("phuc-dong"), "tax_relief")
    for line in ("nonstate_vat", "nonstate_pit", "nonstate_sct"):
        found = relief.exempt_months(touching(given, LONG_BIEN, line))
        assert found == list(pd.period_range("2021-07", "2021-12", freq="M"))
    for line in ("licence_fee", "land_rent", "land_tax"):
        assert relief.exempt_months(touching(given, LONG_BIEN, line)) == []


# ---------------------------------------------------------------------------------------- ledger


def test_what_was_put_off_may_come_until_its_day_and_is_returned_then():
    """Half of April and May comes in July: never a loss, at any month-end."""
    splits = at_month_ends([50, 50, 100, 200], deferral())
    assert [means(split, "shortfall", "deferred", "returned", "claim") for split in splits] == [
        (50, 50, 0, 0),
        (100, 100, 0, 0),
        (100, 100, 0, 0),
        (0, 0, 100, 0),
    ]
    assert [split.verdict for split in splits] == ["deferred", "deferred", "deferred", "returned"]
    assert [split.until for split in splits[:3]] == [DUE] * 3
    assert pd.isna(splits[-1].until)
    assert means(splits[-1], "difference", "overdue", "never_due_later") == (0, 0, 0)


def test_the_share_is_a_range_and_so_are_late_and_lost():
    """90 of 100 are missing; 20 to 80 could be put off, and no share between is left out: 20 to 80
    late, the rest lost."""
    split = relief.ledger(estimated([10.0]), deferral(0.2, 0.8)).split()
    assert means(split, "shortfall", "deferred", "never_due_later") == (90, 50, 40)
    assert (split.deferred.lower, split.deferred.upper) == pytest.approx((20, 80))
    assert (split.never_due_later.lower, split.never_due_later.upper) == pytest.approx((10, 70))
    assert split.verdict == "lost", "at least 10 of the 90 could not be put off"


def test_not_more_is_put_off_than_is_missing():
    """30 are missing; whoever put off, it is at most 30 and at least 20."""
    split = relief.ledger(estimated([70.0]), deferral(0.2, 0.8)).split()
    assert split.deferred.upper == pytest.approx(30)
    assert split.deferred.lower == pytest.approx(20)
    assert split.never_due_later.lower == 0


def test_what_is_not_paid_by_the_last_lawful_day_is_overdue():
    """April's missing half did not come by 15 July: arrears or lost, no longer late."""
    split = relief.ledger(estimated([50, 100, 100, 100]), deferral()).split()
    assert means(split, "deferred", "returned", "overdue", "never_due_later") == (0, 0, 50, 0)
    assert means(split, "claim", "never_due_later") == (50, 0)
    assert split.verdict == "overdue"


def test_the_last_lawful_day_counts():
    """At the end of a month the day is past if it is that month's last; not if it is the next's."""
    for until, expected in (("2020-05-31", (0, 50)), ("2020-06-01", (50, 0))):
        given = rules(("deferral", "2020-04", "2020-04", until, 1, 1))
        split = relief.ledger(estimated([50, 100]), given).split()
        assert means(split, "deferred", "overdue") == expected


def test_a_late_payment_after_the_last_day_still_returns():
    """Arrears that come in October are no loss then."""
    table = relief.ledger(estimated([50, 100, 100, 100, 100, 100, 150]), deferral()).month_ends
    assert list(table["overdue"].round(6)) == [0, 0, 0, 50, 50, 50, 0]
    assert list(table["returned"].round(6)) == [0, 0, 0, 0, 0, 0, 50]
    assert list(table["claim"].round(6)) == [0, 0, 0, 50, 50, 50, 0]


def test_ups_and_downs_are_no_return():
    """August is 20 short and September 20 over: April's 50 are still overdue."""
    table = relief.ledger(estimated([50, 100, 100, 100, 80, 120]), deferral()).month_ends
    assert list(table["overdue"].round(6)) == [0, 0, 0, 50, 50, 50]
    assert list(table["claim"].round(6)) == [0, 0, 0, 50, 70, 50]


def test_early_payers_are_not_late():
    """30 over in April, 30 under in May: nothing was put off."""
    split = relief.ledger(estimated([130, 70]), deferral()).split()
    assert means(split, "shortfall", "deferred", "claim") == (0, 0, 0)
    assert split.verdict == "usual"


def test_the_oldest_last_day_is_served_first():
    """Of two amounts put off, a payment settles the one that would be overdue first."""
    given = rules(
        ("deferral", "2020-04", "2020-04", "2020-10-15", 1, 1),
        ("deferral", "2020-05", "2020-05", "2020-07-15", 1, 1),
    )
    ledger = relief.ledger(estimated([50, 50, 150, 100]), given)
    april, may = (ledger.split(month(text), month(text)) for text in ("2020-04", "2020-05"))
    assert means(april, "deferred", "returned") == (50, 0)
    assert means(may, "overdue", "returned") == (0, 50)
    assert april.until == pd.Timestamp("2020-10-15")
    assert pd.isna(may.until)


def test_the_later_of_two_last_days_holds():
    """Where two rules touch a month, what is put off may come until the later day."""
    for order in (1, -1):
        given = rules(
            ("deferral", "2020-04", "2020-06", DUE, 1, 1),
            ("deferral", "2020-05", "2020-05", "2020-09-15", 1, 1),
        )[::order]
        ledger = relief.ledger(estimated([50, 0, 100, 100]), given)
        assert ledger.split().until == pd.Timestamp("2020-09-15")
        assert means(ledger.split(), "overdue", "deferred") == (50, 100)


def test_payers_of_two_rules_in_one_month_add_up():
    """Half of April may wait under one rule and 30 % under another: of 90 missing 80 may come; but never
    more than all."""
    for order in (1, -1):
        given = rules(
            ("deferral", "2020-04", "2020-04", DUE, 0.5, 0.5),
            ("deferral", "2020-04", "2020-04", "2020-09-15", 0.3, 0.3),
        )[::order]
        assert means(
            relief.ledger(estimated([10.0]), given).split(), "deferred", "never_due_later"
        ) == (
            80,
            10,
        )
        given[0] = given[0]._replace(share_low=0.9, share_high=0.9)
        assert means(
            relief.ledger(estimated([0.0]), given).split(), "deferred", "never_due_later"
        ) == (100, 0)


def test_a_return_in_a_month_that_others_put_off_is_not_overdue():
    """60 of April and of May are paid in June and July, whose own 60 wait until 31 December: four
    ordinary sums, but nothing was late at any month-end. If nobody put off June and July, 120 are
    overdue: no share is favoured."""
    given = rules(
        ("deferral", "2020-04", "2020-05", "2020-07-31", 0, 1),
        ("deferral", "2020-06", "2020-07", "2020-12-30", 0, 1),
    )
    collected = [40, 40, 100, 100, 100, 100, 100, 100, 220]
    splits = at_month_ends(collected, given)
    assert [split.verdict for split in splits] == ["deferred"] * 8 + ["returned"]
    assert all(split.claim.lower <= 0 for split in splits)
    assert splits[4].until == pd.Timestamp("2020-12-30")
    assert (splits[4].overdue.lower, splits[4].overdue.upper) == (0, 120)
    known = [rule._replace(share_low=0.6, share_high=0.6) for rule in given]
    assert means(at_month_ends(collected, known)[4], "overdue", "deferred") == (0, 120)
    before = relief.ledger(estimated(collected[:5]), known).split(
        month("2020-04"), month("2020-05")
    )
    assert means(before, "returned", "claim") == (120, 0)
    before = relief.ledger(estimated(collected[:5]), given).split(
        month("2020-04"), month("2020-05")
    )
    assert (before.claim.lower, before.claim.upper) == (0, 120)


def test_every_share_at_its_high_end_is_within_the_bounds():
    """Of April's 64 missing 20 are exempt, 8 cut and 36 put off, if all shares are high; these came in May
    if as much of May was put off. April's claim may be nothing, though it takes all four."""
    given = rules(
        ("exemption", "2020-04", "2020-04", None, 0, 0.2),
        ("reduction", "2020-04", "2020-04", None, 0, 0.1),
        ("deferral", "2020-04", "2020-04", "2020-05-29", 0.3, 0.5),
        ("deferral", "2020-05", "2020-06", "2020-12-30", 0, 0.5),
    )
    ledger = relief.ledger(estimated([36, 100, 100]), given)
    assert ledger.split(month("2020-04"), month("2020-04")).claim.lower == pytest.approx(0)


def test_what_is_past_its_last_day_is_not_put_off_again():
    """April's 50 were to be paid by 29 May; that June's payers may wait does not make them come."""
    given = rules(
        ("deferral", "2020-04", "2020-04", "2020-05-29", 0, 1),
        ("deferral", "2020-06", "2020-07", "2020-12-30", 0, 1),
    )
    split = relief.ledger(estimated([50, 100, 100, 100]), given).split()
    assert (split.verdict, split.claim.lower) == ("overdue", pytest.approx(50))


def test_what_was_put_off_under_one_rule_leaves_the_next_its_share():
    """90 of 100 put off in April and May, 40 in June by another rule's payers: all may come. A later
    share counts for the months before only where more was paid in them."""
    given = rules(
        ("deferral", "2020-04", "2020-05", "2020-12-30", 0.85, 0.95),
        ("deferral", "2020-06", "2020-07", "2020-12-30", 0.35, 0.45),
    )
    splits = at_month_ends([10, 10, 60, 60], given)
    assert [split.verdict for split in splits] == ["deferred"] * 4
    assert splits[-1].claim.lower == pytest.approx(0)


def test_exempt_is_not_lost():
    """Nothing was payable and nothing came: 100 exempt; 5 that came all the same are no gain."""
    given = rules(("exemption", "2020-04", "2020-04", None, 1, 1))
    split = relief.ledger(estimated([0.0]), given).split()
    assert means(split, "shortfall", "exempt", "claim", "never_due_later") == (100, 100, 0, 0)
    assert split.verdict == "relief"
    some = relief.ledger(estimated([5.0]), given).split()
    assert means(some, "exempt", "claim") == (100, -5)
    assert some.verdict == "relief"


def test_a_partial_exemption_covers_its_share():
    """Half the payers exempt, 60 missing: 50 exempt, 10 lost; nothing missing: nothing exempt."""
    given = rules(("exemption", "2020-04", "2020-05", None, 0.5, 0.5))
    split = relief.ledger(estimated([40, 100]), given).split()
    assert means(split, "exempt", "never_due_later") == (50, 10)


def test_reduced_is_not_lost():
    """A cut of 30 % of what is left after half was exempt: 15; of 70 missing, 5 are lost."""
    given = rules(
        ("exemption", "2020-04", "2020-04", None, 0.5, 0.5),
        ("reduction", "2020-04", "2020-05", None, 0.3, 0.3),
    )
    split = relief.ledger(estimated([30, 80]), given).split()
    assert means(split, "exempt", "reduced", "never_due_later") == (50, 15 + 20, 5)
    alone = relief.ledger(estimated([70.0]), [given[1]._replace(first=month("2020-04"))]).split()
    assert means(alone, "reduced", "claim") == (30, 0)
    assert alone.verdict == "relief"


def test_no_more_is_put_off_than_the_payers_share_of_what_was_due():
    """Half may be put off: 100 of the 150 missing in two months. Half of that is exempt: 25 of 50."""
    two = relief.ledger(estimated([50.0, 0.0]), deferral(0.5, 0.5)).split()
    assert means(two, "deferred", "never_due_later") == (100, 50)
    half = rules(("exemption", "2020-04", "2020-04", None, 0.5, 0.5)) + deferral(0.5, 0.5)
    split = relief.ledger(estimated([0.0]), half).split()
    assert means(split, "exempt", "deferred", "never_due_later") == (50, 25, 25)


def test_what_was_short_before_a_deferral_does_not_eat_its_return():
    """August's 20 were short; October's 50, put off, come back in December: all 50 are returned."""
    given = deferral() + rules(("deferral", "2020-10", "2020-11", "2020-12-31", 1, 1))
    split = relief.ledger(estimated([100, 100, 100, 100, 80, 100, 50, 100, 150]), given).split()
    assert means(split, "returned", "overdue", "claim") == (50, 0, 20)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.7, 0.9])
def test_rounding_is_no_loss(share):
    """A line that is short by exactly what was cut has lost nothing."""
    given = rules(("reduction", "2020-04", "2020-06", None, share, share))
    for expected in (0.7, 33.3, 100.1):
        collected = [expected * (1 - share)] * 3
        split = relief.ledger(estimated(collected, expected), given).split()
        assert (split.verdict, split.claim.lower, split.claim.upper) == ("relief", 0, 0)


def test_a_cut_comes_before_a_deferral():
    """Of 60 missing 20 are cut for good; only the other 40 may still come."""
    given = rules(("reduction", "2020-04", "2020-06", None, 0.2, 0.2)) + deferral()
    split = relief.ledger(estimated([40.0]), given).split()
    assert means(split, "reduced", "deferred", "claim") == (20, 40, 0)


def test_a_month_without_a_figure_enters_no_side():
    """May was not reported: neither expected nor missing nor put off."""
    ledger = relief.ledger(estimated([50, math.nan, 100]), deferral())
    split = ledger.split()
    assert (split.months, split.expected, split.collected) == (2, 200, 150)
    assert means(split, "shortfall", "deferred", "claim") == (50, 50, 0)
    assert list(ledger.month_ends["difference"].round(6)) == [50, 50, 50]
    assert ledger.split(month("2020-05"), month("2020-05")).months == 0


@pytest.mark.parametrize(
    ("collected", "expected", "verdict"),
    [
        ([60], [100], "lost"),
        ([130], [100], "more"),
        ([100], [100], "usual"),
    ],
)
def test_without_relief_it_is_loss_gain_or_nothing(collected, expected, verdict):
    """What is missing is lost, and only more than expected is said to be more."""
    assert relief.ledger(estimated(collected, expected), rules()).split().verdict == verdict


def test_doubt_about_the_expected_amount_is_no_verdict():
    """Between 80 and 120 expected, 95 collected: no difference can be shown; 60: a loss."""
    paths = np.linspace(80, 120, 1000)[:, None]
    splits = [relief.ledger(estimated([got], paths), rules()).split() for got in (95, 60, 130)]
    assert [split.verdict for split in splits] == ["usual", "lost", "more"]
    assert splits[0].claim.lower == pytest.approx(81 - 95, abs=0.1)
    assert splits[0].claim.upper == pytest.approx(119 - 95, abs=0.1)


def test_a_return_is_no_gain():
    """July alone brought 150 of 100: 50 of it is April's, put off, and nobody calls it a gain."""
    split = relief.ledger(estimated([50, 100, 100, 150]), deferral()).split(
        month("2020-07"), month("2020-07")
    )
    assert means(split, "difference", "shortfall", "claim") == (-50, 0, 0)
    assert split.verdict == "usual"


# ------------------------------------------------------------------------- on any path and window


def random_ledgers():
    """Ledgers with every kind of rule, months without a figure, and doubt in every path."""
    rng = np.random.default_rng(3)
    given = rules(
        ("deferral", "2020-04", "2020-08", "2020-09-15", 0.2, 0.8),
        ("deferral", "2020-12", "2021-02", "2021-08-16", 0.5, 1),
        ("exemption", "2020-07", "2020-10", None, 0, 0.4),
        ("exemption", "2020-11", "2020-11", None, 1, 1),
        ("reduction", "2020-10", "2021-01", None, 0, 0.3),
    )
    for _ in range(12):
        level = rng.uniform(0.4, 1.2)
        paths = 100 * np.exp(rng.normal(0, rng.uniform(0.02, 0.3), (200, 14)))
        collected = 100 * level * np.exp(rng.normal(0, 0.3, 14))
        collected[rng.random(14) < 0.1] = math.nan
        yield relief.ledger(estimated(collected, paths), given)


def test_the_parts_add_up_in_every_window():
    """Shortfall = exempt + reduced + deferred + overdue + paid later + the rest, and the bridge leads from
    expected to collected, for any months; neighbouring windows add up to the whole."""
    for ledger in random_ledgers():
        months = ledger.impact.by_month.index
        for i, first in enumerate(months):
            for last in months[i::3]:
                split = ledger.split(first, last)
                parts = sum(getattr(split, name).mean for name in PARTS)
                assert split.shortfall.mean == pytest.approx(parts, abs=1e-6)
                bridge = {name: amount.mean for name, amount in split.bridge.items()}
                came = split.expected - sum(bridge.values()) + 2 * bridge["earlier"]
                assert came == pytest.approx(split.collected, abs=1e-6)
                claim = split.never_due_later.mean + split.overdue.mean
                assert split.claim.mean == pytest.approx(claim, abs=1e-6)
                assert split.difference.mean == pytest.approx(
                    split.expected - split.collected, abs=1e-6
                )
        pieces = [ledger.split(*ends) for ends in zip(months[::5], months[4::5], strict=False)]
        pieces.append(ledger.split(months[10], months[-1]))
        whole = ledger.split()
        apart = ("paid_later", "shortfall")  # what one piece paid for another is of no piece's own
        for name in (*(name for name in PARTS if name not in apart), "difference", "claim"):
            total = sum(getattr(piece, name).mean for piece in pieces)
            assert getattr(whole, name).mean == pytest.approx(total, abs=1e-6)


def test_no_verdict_contradicts_its_interval():
    """Loss and overdue only where the claim excludes zero; late and the like only where it does not
    and something is missing; no part but the rest is ever negative."""
    seen = set()
    for ledger in random_ledgers():
        months = ledger.impact.by_month.index
        for first, last in [(months[0], end) for end in months] + [(m, m) for m in months]:
            split = ledger.split(first, last)
            seen.add(split.verdict)
            if split.verdict in ("lost", "overdue"):
                assert split.claim.lower > 0
            else:
                assert split.claim.lower <= 0
            if split.verdict in ("deferred", "relief", "returned"):
                assert split.shortfall.lower > 0 or (split.verdict, split.was_short) == (
                    "returned", True,
                )  # fmt: skip
            if split.verdict == "deferred":
                assert split.until > last.end_time
            for name in (
                "exempt",
                "reduced",
                "returned",
                "deferred",
                "overdue",
                "paid_later",
                "earlier",
            ):
                assert getattr(split, name).lower >= 0
    assert seen >= {"lost", "more", "deferred", "returned", "usual", "relief"}


def test_the_last_month_end_is_the_split_of_all_months():
    """Chart and table say the same at the end."""
    for ledger in random_ledgers():
        split, row = ledger.split(), ledger.month_ends.iloc[-1]
        for name in ("difference", "returned", "deferred", "overdue", "claim"):
            amount = getattr(split, name)
            drawn = row[[name, f"{name}_lower", f"{name}_upper"]].to_numpy(dtype=float)
            assert drawn == pytest.approx([amount.mean, amount.lower, amount.upper], abs=1e-6)


def test_month_ends_are_what_was_known_then():
    """Each row is the split that the ledger gave when only the months up to it were known."""
    collected = [20, 90, 130, 150, 60, 100]
    given = deferral(0.2, 0.8)
    table = relief.ledger(estimated(collected), given).month_ends
    for row, split in zip(table.itertuples(), at_month_ends(collected, given), strict=True):
        for name in ("difference", "returned", "deferred", "overdue", "claim"):
            assert getattr(row, name) == pytest.approx(getattr(split, name).mean, abs=1e-6)
    assert list(table["until"].iloc[:3]) == [DUE] * 3
    assert table["until"].iloc[3:].isna().all()


def test_same_input_same_numbers():
    """The shares are drawn alike each time; nobody's table is changed."""
    collected = estimated([10, 90, 150, 40])
    given = deferral(0.2, 0.8)
    assert relief.ledger(collected, given).split() == relief.ledger(collected, given).split()
    assert given == deferral(0.2, 0.8)


# ---------------------------------------------------------------------------------------- parent


def test_a_parent_has_its_own_estimate_and_its_childrens_relief():
    """The parent is 120 short; 50 may come by one child's rule, 30 are exempt by the other's: 40 are
    claimed. Its own noise is in no child."""
    late = relief.ledger(estimated([50.0]), deferral())
    (free,) = rules(("exemption", "2020-04", "2020-04", None, 0.3, 0.3))
    exempt = relief.ledger(estimated([70.0]), [free._replace(id="X")])
    whole = relief.parent(estimated([180.0], 300.0), {"late": late, "exempt": exempt})
    split = whole.split()
    assert (split.expected, split.collected) == (300, 180)
    assert means(split, "shortfall", "deferred", "exempt", "claim") == (120, 50, 30, 40)
    assert split.until == DUE
    assert [rule.id for rule in whole.rules] == ["R0", "X"]


def test_a_parents_rule_is_listed_once():
    """Two children under the same rule: the relief adds up, the decree is named once."""
    children = {name: relief.ledger(estimated([50, 100]), deferral()) for name in ("vat", "pit")}
    whole = relief.parent(estimated([100, 200], 200.0), children)
    assert [rule.id for rule in whole.rules] == ["R0"]
    assert means(whole.split(), "deferred", "claim") == (100, 0)
    assert whole.month_ends["claim"].abs().max() < 1e-6


def test_without_estimate_nothing_is_split():
    """Too little history: the ledger has no amounts, and does not fail."""
    blank = estimated([50.0], math.nan)
    nothing = counterfactual.Impact(
        **{f.name: getattr(blank, f.name) for f in fields(blank)} | {"model": ""}
    )
    ledger = relief.ledger(nothing, deferral())
    assert ledger.split().deferred.mean == 0
    assert math.isnan(ledger.split().claim.mean)
    assert ledger.split().verdict == "usual"


def test_what_was_not_put_off_in_one_year_cannot_be_in_the_next():
    """Everybody paid in 2020; of April 2021's 100 half may be put off, so half is lost."""
    given = rules(
        ("deferral", "2020-04", "2020-11", "2020-12-31", 0.5, 0.5),
        ("deferral", "2021-04", "2021-11", "2021-12-31", 0.5, 0.5),
    )
    split = relief.ledger(estimated([100] * 12 + [0]), given).split()
    assert means(split, "deferred", "never_due_later") == (50, 50)
    assert split.verdict == "lost"


def test_nothing_is_overdue_before_the_months_after_are_known():
    """The line was last reported for June; whether it was paid by 15 July nobody knows."""
    split = relief.ledger(estimated([50, 100, 100, math.nan, math.nan]), deferral()).split()
    assert means(split, "deferred", "overdue", "claim") == (50, 0, 0)
    assert (split.verdict, split.until) == ("deferred", DUE)


def test_a_parents_last_day_is_that_of_what_waits():
    """The child that may pay until December owes nothing; the other's last day is 2 November."""
    months = ("2020-04", "2020-10")
    year = rules(("deferral", *months, "2020-12-31", 1, 1))
    (rent,) = rules(("deferral", *months, "2020-11-02", 1, 1))
    children = {
        "vat": relief.ledger(estimated([100.0]), year),
        "rent": relief.ledger(estimated([40.0]), [rent._replace(id="B")]),
    }
    whole = relief.parent(estimated([140.0], 200.0), children)
    assert whole.split().until == pd.Timestamp("2020-11-02")
    assert list(whole.month_ends["until"]) == [pd.Timestamp("2020-11-02")]


def test_the_last_day_at_a_month_end_is_that_of_what_waited_then():
    """Only April's money waits, until 15 July; that June's could wait longer changes nothing."""
    given = rules(
        ("deferral", "2020-04", "2020-05", DUE, 1, 1),
        ("deferral", "2020-06", "2020-07", "2020-12-31", 0, 0),
    )
    ledger = relief.ledger(estimated([50, 100, 100]), given)
    assert list(ledger.month_ends["until"]) == [DUE] * 3
    assert ledger.split().until == DUE


def test_rounding_is_no_gain_where_nothing_was_expected():
    """July brings just what May and June owed, and nothing of its own: neither gain nor loss."""
    given = rules(("deferral", "2020-04", "2020-05", DUE, 1, 1))
    ledger = relief.ledger(estimated([0, 0, 132.4], [79.1, 53.3, 0.0]), given)
    alone = ledger.split(month("2020-06"), month("2020-06"))
    assert (alone.verdict, alone.claim.lower, alone.claim.upper) == ("usual", 0, 0)


def test_a_kind_of_relief_is_known_wherever_it_is_named():
    """The descriptors allow the kinds that the ledger knows; a row of another is no deferral."""
    for ward in ("phuc-dong", "philadelphia"):
        table = descriptors.ward(ward).table("tax_relief")
        (kind,) = (field for field in table.fields if field.name == "kind")
        assert set(kind.constraints["enum"]) == set(relief.KINDS)
    given = load(descriptors.ward("phuc-dong"), "tax_relief")
    given["kind"] = "instalment"
    with pytest.raises(ValueError, match="no relief of kind 'instalment'"):
        relief.rules_by_line(
            given, ("VN",), ["cit", "nonstate", "total", *given["lines"].explode()]
        )


@pytest.mark.parametrize(("kind", "column"), [("deferral", "extended_due"), ("none", "normal_due")])
def test_a_rule_without_its_last_day_touches_no_month(kind, column):
    """A table of one's own that was never checked: nothing is put off to a day that nobody knows."""
    given = load(descriptors.ward("phuc-dong"), "tax_relief")
    own = given[(given["kind"] == kind) & given["lines"].map(bool)].head(1)
    (line, *_), areas = own["lines"].iloc[0], tuple(own["area"])
    assert relief.rules_by_line(own, areas, [line])[line] or kind == "none"
    assert relief.rules_by_line(own.assign(**{column: pd.NaT}), areas, [line])[line] == []


def test_what_falls_due_in_time_returns():
    """A deferral until 31/12 returns by that day and not the day before; an exemption never does."""
    (put_off,) = deferral()
    day = put_off.until
    assert put_off.returns_by(day)
    assert not put_off.returns_by(day - pd.Timedelta(days=1))
    assert not put_off._replace(kind="exemption").returns_by(day)


# ------------------------------------------------------------------------------- no favourite share


def put_off_by_some(low=0.0, high=1.0):
    """April to June may be paid until 15 July, by anybody from nobody to everybody."""
    return deferral(low, high)


def test_before_the_last_day_no_loss_survives_every_share():
    """All of 300 is missing at the end of June: everybody may have put off, or nobody. On 31 July it is
    overdue; if at most half could put off, 150 are a loss already in June."""
    splits = at_month_ends([0, 0, 0, 100], put_off_by_some())
    assert [split.verdict for split in splits] == ["deferred", "deferred", "deferred", "overdue"]
    june, july = splits[2:]
    assert (june.deferred.lower, june.deferred.upper) == (0, 300)
    assert (june.claim.lower, june.claim.upper) == (0, 300)
    assert (july.claim.lower, july.overdue.lower, july.never_due_later.lower) == (300, 0, 0)
    counted = at_month_ends([0, 0, 0], put_off_by_some(0.3, 0.5))[2]
    assert counted.verdict == "lost"
    assert (counted.claim.lower, counted.claim.upper) == pytest.approx((150, 210))


def test_means_are_over_evenly_spread_shares():
    """Of 100 missing, 0 to 100 may come, 50 in the mean, and the parts add up."""
    split = relief.ledger(estimated([0.0]), put_off_by_some()).split()
    assert means(split, "deferred", "never_due_later", "claim", "difference") == (50, 50, 50, 100)


def test_what_comes_in_july_alone_is_a_return_or_is_not():
    """50 of July's 150 are April's if somebody put off, and beyond the expected if nobody did: neither
    a gain nor a loss can be shown."""
    split = relief.ledger(estimated([50, 100, 100, 150]), put_off_by_some()).split(
        month("2020-07"), month("2020-07")
    )
    assert (split.difference.lower, split.difference.upper) == (-50, -50)
    assert (split.shortfall.lower, split.shortfall.upper) == (-50, 0)
    assert (split.claim.lower, split.claim.upper) == (-50, 0)
    assert split.verdict == "usual"


def test_what_came_back_for_others_and_what_was_put_off_may_have_other_payers():
    """June brings April's 60, July lacks 60 of its own. Nothing is claimed where both decrees were used
    alike; but 60 if only April's was, and if only July's was, 60 came beyond what was due."""
    given = rules(
        ("deferral", "2020-04", "2020-04", "2020-06-15", 0, 1),
        ("deferral", "2020-07", "2020-08", "2020-10-15", 0, 1),
    )
    ledger = relief.ledger(estimated([40, 100, 160, 40]), given)
    split = ledger.split(month("2020-06"), month("2020-07"))
    assert (split.claim.lower, split.claim.upper) == (-60, 60)
    assert (split.shortfall.lower, split.shortfall.upper) == (0, 60)
    for low, high, claimed in ((0, 0, 0), (1, 1, 0), (0, 1, -60), (1, 0, 60)):
        known = [
            rule._replace(share_low=share, share_high=share)
            for rule, share in zip(given, (low, high), strict=True)
        ]
        one = relief.ledger(estimated([40, 100, 160, 40]), known)
        assert means(one.split(month("2020-06"), month("2020-07")), "claim") == (claimed,)


def test_no_share_in_the_range_leaves_the_bounds():
    """Whatever share each decree's payers have, no bound of any window or month-end is narrower than
    with these shares known, but for 3 % of the expected: what early payers take with them. Where all
    have the same end of their range, no bound is narrower at all, on as many paths as a page has."""
    rng = np.random.default_rng(11)
    names = [f.name for f in fields(relief.Split) if f.type == "Amount"]
    windows = [(0, 13), (0, 5), (3, 3), (4, 9), (5, 13), (8, 10), (9, 13)]
    for low, high in [(0, 1)] * 6 + [(0.2, 0.8)] * 3:
        given = rules(
            ("deferral", "2020-04", "2020-08", "2020-09-15", low, high),
            ("deferral", "2020-12", "2021-02", "2021-08-16", low, high),
            ("exemption", "2020-11", "2020-11", None, 1, 1),
        )
        paths = 100 * np.exp(rng.normal(0, rng.uniform(0.02, 0.3), (2000, 14)))
        collected = 100 * rng.uniform(0.4, 1.2) * np.exp(rng.normal(0, 0.3, 14))
        line = estimated(collected, paths)
        whole = relief.ledger(line, given)
        for shares in [*rng.random((2, 2)), (1, 0), (0, 1), (0, 0), (1, 1)]:
            slack = 1e-9 if shares[0] == shares[1] else 0.03
            between = low + (high - low) * np.array([*shares, 1.0])
            known = [
                rule._replace(share_low=share, share_high=share)
                if rule.kind == relief.DEFERRAL
                else rule
                for rule, share in zip(given, between, strict=True)
            ]
            fixed = relief.ledger(line, known)
            for first, last in windows:
                ends = line.months[first], line.months[last]
                split, one = whole.split(*ends), fixed.split(*ends)
                for name in names:
                    bounds, amount = getattr(split, name), getattr(one, name)
                    assert bounds.lower <= amount.lower + slack * split.expected
                    assert bounds.upper >= amount.upper - slack * split.expected
            for name in ("returned", "deferred", "overdue", "claim", "never_due_later"):
                ends = whole.month_ends
                assert (ends[f"{name}_lower"] <= fixed.month_ends[f"{name}_lower"] + 1).all()
                assert (ends[f"{name}_upper"] >= fixed.month_ends[f"{name}_upper"] - 1).all()


def test_what_was_unpaid_on_its_last_day_is_never_a_loss():
    """50 of April never came. After August brought 10 more than expected and September 10 less, it is
    still the 50 that are overdue, not 40 and a loss of 10."""
    table = relief.ledger(estimated([50, 100, 100, 100, 110, 90]), put_off_by_some()).month_ends
    assert table["claim_lower"].iloc[-1] == pytest.approx(50)
    assert table["never_due_later_lower"].iloc[-1] == pytest.approx(0)
    split = relief.ledger(estimated([50, 100, 100, 100, 110, 90]), put_off_by_some()).split()
    assert split.verdict == "overdue"
    lost = relief.ledger(estimated([50, 100, 100, 100, 110, 50]), put_off_by_some()).split()
    assert (lost.verdict, lost.never_due_later.lower) == ("lost", pytest.approx(40))


def test_late_since_paid_is_said_whoever_put_off():
    """What came back leaves no shortfall if nobody put off; that one was shown in June tells it. Where
    none was shown, nothing has come back."""
    whole = relief.ledger(estimated([50, 50, 100, 200]), put_off_by_some()).split()
    assert (whole.shortfall.lower, whole.was_short, whole.verdict) == (0, True, "returned")
    paths = np.linspace(40, 160, 1000)[:, None] * np.ones(4)
    unclear = relief.ledger(estimated([50, 50, 100, 200], paths), put_off_by_some()).split()
    assert (unclear.was_short, unclear.verdict) == (False, "usual")
    after = relief.ledger(estimated([50, 50, 100, 200]), put_off_by_some())
    assert not after.split(month("2020-07"), month("2020-07")).was_short, (
        "nothing is put off in July"
    )


def test_the_difference_has_one_interval_at_every_share():
    """It does not hang on who put off."""
    paths = np.random.default_rng(5).lognormal(4.6, 0.2, (2000, 3))
    line = estimated([50, 100, 100], paths)
    assert relief.ledger(line, put_off_by_some()).split().difference == (
        relief.ledger(line, rules()).split().difference
    )


def test_where_nobody_may_have_put_off_the_claim_may_be_the_whole_difference():
    """At a share of 0 nothing is set apart: the claim's interval holds the difference's, on any number of
    paths and in any months."""
    rng = np.random.default_rng(9)
    for draws in (400, 2000):
        for _ in range(8):
            paths = rng.lognormal(4.6, rng.uniform(0.05, 0.25), (draws, 8))
            line = estimated(rng.lognormal(4.6, 0.2, 8), paths)
            ledger = relief.ledger(line, put_off_by_some())
            for first, last in ((0, 7), (0, 2), (3, 7)):
                split = ledger.split(line.months[first], line.months[last])
                assert split.claim.lower <= split.difference.lower
                assert split.claim.upper >= split.difference.upper


def test_two_decrees_bounds_are_not_those_of_one():
    """Everybody put off April and May and nobody June and July, or the other way round: with 2,000 paths,
    no shares of these decrees leave the bounds of the months since the start (but for 1 % of the expected
    where they lie in between)."""
    given = rules(
        ("deferral", "2020-04", "2020-05", "2020-07-31", 0, 1),
        ("deferral", "2020-06", "2020-07", "2020-12-30", 0, 1),
    )
    rng = np.random.default_rng(4)
    line = estimated([40, 40, 100, 100, 100], 100 * np.exp(rng.normal(0, 0.05, (2000, 5))))
    whole = relief.ledger(line, given).split()
    for shares in [*rng.random((9, 2)), (0, 0), (0, 1), (1, 0), (1, 1)]:
        slack = (1e-9 if set(shares) <= {0, 1} else 0.01) * whole.expected
        known = [
            rule._replace(share_low=share, share_high=share)
            for rule, share in zip(given, shares, strict=True)
        ]
        one = relief.ledger(line, known).split()
        for name in ("returned", "deferred", "overdue", "claim", "never_due_later"):
            assert getattr(whole, name).lower <= getattr(one, name).lower + slack, (shares, name)
            assert getattr(whole, name).upper >= getattr(one, name).upper - slack


def test_lines_under_one_rule_have_the_same_payers():
    """VAT and income tax under one decree are put off by the same share on each path, so that their sum
    is as wide as its parts; under another decree by other payers."""
    (vat,) = put_off_by_some()
    waits = {
        name: relief.ledger(estimated([0.0]), [vat._replace(id=rule)]).flows.lawful[:, 0]
        for name, rule in (("vat", "R1"), ("pit", "R1"), ("rent", "R2"))
    }
    assert (waits["vat"] == waits["pit"]).all()
    assert abs(np.corrcoef(waits["vat"], waits["rent"])[0, 1]) < 0.1
    for shares in waits.values():
        assert np.sort(shares) == pytest.approx((np.arange(1000) + 0.5) / 10)


def test_the_order_of_rules_and_lines_moves_nothing():
    """The shares of a rule are its own, whichever stands before it; so are those of a parent's parts."""
    given = rules(
        ("deferral", "2020-04", "2020-06", DUE, 0, 1),
        ("exemption", "2020-05", "2020-06", None, 0, 0.4),
        ("reduction", "2020-04", "2020-05", None, 0, 0.3),
        ("deferral", "2020-05", "2020-06", DUE, 0.5, 0.6),
    )
    line = estimated([10, 90, 40, 150])
    one, other = relief.ledger(line, given), relief.ledger(line, given[::-1])
    assert one.split() == other.split()
    assert one.month_ends.equals(other.month_ends)
    children = {"a": one, "b": relief.ledger(estimated([20, 80, 100, 100]), given[:1])}
    both = estimated([30, 170, 140, 250], 200.0)
    forth = relief.parent(both, children)
    back = relief.parent(both, dict(reversed(children.items())))
    for first in line.months:
        assert forth.split(first) == back.split(first)


def test_a_parents_bounds_are_at_the_same_ends_as_its_parts():
    """Two lines under one decree, 50 of each missing: nothing of both may come, or all 100."""
    children = {
        name: relief.ledger(estimated([50.0]), put_off_by_some()) for name in ("vat", "pit")
    }
    whole = relief.parent(estimated([100.0], 200.0), children).split()
    assert (whole.deferred.lower, whole.deferred.upper) == (0, 100)
    assert (whole.claim.lower, whole.claim.upper) == (0, 100)
    assert whole.deferred.mean == pytest.approx(
        sum(child.split().deferred.mean for child in children.values())
    )


# ------------------------------------------------------------------------- two accounts, early payers


def test_what_came_for_earlier_months_is_told_apart():
    """Half of April and May is put off and comes in July: July's cash is 100 more, all of it earlier; May
    owed 50 that came after it; over all months nothing is earlier and nothing came later."""
    ledger = relief.ledger(estimated([50, 50, 100, 200]), deferral())
    july = ledger.split(month("2020-07"), month("2020-07"))
    assert means(july, "difference", "earlier", "shortfall", "claim") == (-100, 100, 0, 0)
    may = ledger.split(month("2020-05"), month("2020-05"))
    assert means(may, "difference", "earlier", "paid_later", "shortfall") == (50, 0, 50, 50)
    assert means(ledger.split(), "difference", "earlier", "paid_later") == (0, 0, 0)
    until_june = ledger.split(None, month("2020-06"))
    assert means(until_june, "paid_later", "deferred", "claim") == (100, 0, 0)


def test_a_loss_in_months_that_were_spared_is_possible():
    """Of two months that are exempt as a whole nobody knows who would have paid: nothing is claimed, up to
    all of it may be lost. A share that is exempt leaves out no more than what is missing."""
    spared = rules(("exemption", "2020-05", "2020-06", None, 1, 1))
    split = relief.ledger(estimated([100, 0, 0]), spared).split()
    assert means(split, "exempt", "claim", "at_most") == (200, 0, 200)
    some = rules(("exemption", "2020-05", "2020-06", None, 0, 0.5))
    split = relief.ledger(estimated([100, 50, 50]), some).split()
    assert split.at_most == split.claim


def paid_early(collected, owed_from):
    """The ledger of a line of two due dates, whose first months of 2020 brought more than ever, from
    March on; what falls due then may be put off by everybody until 15 July."""
    index = pd.period_range("2015-01", "2020-09", freq="M")
    year = np.array([40, 300, 120, 25, 12, 6, 8, 8, 7, 7, 6, 12.0])
    amounts = pd.Series(np.resize(year, len(index)), index)
    amounts["2020-01":] = collected
    line = counterfactual.estimate(amounts, start=month("2020-03"), line="early")
    given = rules(("deferral", "2020-03", "2020-05", DUE, 0, 1))
    return relief.ledger(line, [given[0]._replace(owed_from=month(owed_from))])


def test_what_was_paid_early_is_not_missing_later():
    """January and February brought 80 more than usual, March to September 80 less: the year is whole, and
    no claim is made of what was owed since January. Were it owed from March on, it would be missing."""
    collected = [60, 360, 60, 15, 10, 6, 8, 8, 7]
    owed = paid_early(collected, "2020-01").split()
    assert owed.difference.lower > 0
    assert owed.claim.lower <= 0
    assert paid_early(collected, "2020-03").split().claim.lower > 0


@pytest.mark.parametrize("draws", [1, 2, 40, 41, 999, 1000, 2000])
def test_the_bounds_are_quantiles_to_the_bit(draws):
    """Bounds are those of `np.quantile`: of amounts, of nothing, of ties, of what is not known."""
    rng = np.random.default_rng(draws)
    amounts = rng.normal(0, 1e6, (6, 3, draws))
    amounts[1], amounts[2] = 0, np.maximum(amounts[2], 0)
    amounts[3, :, : draws // 2], amounts[4, 1, draws // 2] = 7.25, np.nan
    for found, asked in zip(relief._tails(amounts, 0.95), counterfactual.tails(0.95), strict=True):
        np.testing.assert_array_equal(found, np.quantile(amounts, asked, axis=-1))


def test_a_line_and_what_it_is_a_part_of_have_the_bounds_that_they_have_alone():
    """In whatever order splits are asked for, each is that of a ledger of which nothing was asked before."""

    def made():
        """A parent and its two parts, one of them with relief in two decrees."""
        given = rules(
            (relief.DEFERRAL, "2020-04", "2020-05", "2020-07-31", 0.2, 0.6),
            (relief.REDUCTION, "2020-06", "2020-07", "", 0.1, 0.3),
        )
        one = estimated([60, 70, 80, 95, 120, 90], draws=200)
        other = estimated([90, 90, 100, 100, 110, 100], draws=200)
        parts = {"one": relief.ledger(one, given), "other": relief.ledger(other, [])}
        whole = estimated([150, 160, 180, 195, 230, 190], 200.0, draws=200)
        return [relief.parent(whole, parts), *parts.values()]

    spans = [("2020-04", "2020-09"), ("2020-05", "2020-06"), ("2020-07", "2020-07")]
    asked = [(place, *map(month, span)) for place in range(3) for span in spans]
    alone = {key: made()[key[0]].split(*key[1:]) for key in asked}
    for order in (asked, asked[::-1], asked[1::2] + asked[::2] + asked):
        together = made()
        ends = [one.month_ends for one in together]
        for key in order:
            assert together[key[0]].split(*key[1:]) == alone[key]
        pd.testing.assert_frame_equal(together[0].month_ends, ends[0])
        pd.testing.assert_frame_equal(made()[0].month_ends, ends[0])
