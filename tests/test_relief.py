"""Late is not lost: the ledger against amounts worked out by hand, and against its own identities."""

import numpy as np
import pandas as pd
import pytest

from wardlib import catalogue, impact, intake, relief

AREAS = ("VN", "VN-HN", "VN-HN-004")
START = pd.Period("2020-04", "M")


def month(text):
    return pd.Period(text, "M")


def known(collected, expected=100.0, draws=400, spread=0.0, seed=0):
    """An estimate of `expected` a month, certain but for `spread`; `collected` by month from START."""
    months = pd.period_range(START, periods=len(collected), freq="M", name="month")
    series = pd.Series(collected, months, dtype=float)
    noise = np.random.default_rng(seed).normal(0, spread, (draws, len(series))) if spread else 0.0
    paths = np.full((draws, len(series)), expected) + noise
    low, high = np.quantile(paths, impact.TAILS, axis=0)
    table = pd.DataFrame(
        {"observed": series, "counterfactual": paths.mean(axis=0), "lower": low, "upper": high}
    )
    return impact.Impact(START, series, table, paths, "receipts", (), None, frozenset())


def rule(kind="deferral", first="2020-04", last="2020-07", until="2020-08-31", low=0.5, high=0.5):
    """One rule, as `relief.rules` gives them."""
    return pd.DataFrame(
        {
            "id": ["R"], "kind": [kind], "payers": ["all"], "first": [month(first)],
            "last": [month(last)], "until": [pd.Timestamp(until) if until else pd.NaT],
            "share_low": [low], "share_high": [high], "document": ["d"],
        }
    )  # fmt: skip


def rules_of(line, table=None):
    table = intake.load(catalogue.ward("phuc-dong"), "tax_relief") if table is None else table
    return relief.rules(table, AREAS, line).set_index("id")


@pytest.mark.parametrize(
    ("line", "name", "first", "last", "until"),
    [("nonstate_vat", "R09", "2020-04", "2020-11", "2020-12-31"),
     ("nonstate_pit", "R14", "2021-04", "2021-11", "2021-12-31"),
     ("land_rent", "R10", "2020-05", "2020-10", "2020-11-02"),
     ("land_tax", "R30a", "2020-01", "2020-10", "2020-11-02")],
)  # fmt: skip
def test_rules_name_the_months_they_touch_and_the_last_lawful_day(line, name, first, last, until):
    """From the due date, or the document, to the month before the last day; a last day on a Saturday
    moves to Monday; the land tax of 2020 is not late before it is due."""
    found = rules_of(line).loc[name]
    assert (str(found["first"]), str(found["last"])) == (first, last)
    assert found["until"] == pd.Timestamp(until)
    assert found["kind"] == relief.DEFERRAL


def test_exemptions_and_reductions_have_no_last_day():
    """Household taxes of July to December 2021 were not payable; rent was cut for all of 2020."""
    vat = relief.rules(
        intake.load(catalogue.ward("phuc-dong"), "tax_relief"), AREAS, "nonstate_vat"
    )
    assert [str(m) for m in relief.exempt_months(vat)] == [f"2021-{m:02}" for m in range(7, 13)]
    cut = rules_of("land_rent").loc["R21"]
    assert (cut["kind"], str(cut["first"]), str(cut["last"])) == ("reduction", "2020-01", "2020-12")
    assert pd.isna(cut["until"])


def test_rules_of_others_are_left_out():
    """Another line, another area, or a share that nobody knows."""
    assert "R09" not in rules_of("fees").index
    assert "R20" not in rules_of("pit").index  # no share is known
    table = intake.load(catalogue.ward("phuc-dong"), "tax_relief")
    assert relief.rules(table, ("US-PA-101",), "nonstate_vat").empty
    assert relief.rules(None, AREAS, "nonstate_vat").empty


def test_a_deferral_paid_later_is_never_a_loss():
    """Half of four months put off and paid in August: late until then, returned after."""
    found = relief.ledger(known([50, 50, 50, 50, 300]), rule())
    ends = found.month_ends
    assert ends["claim"].to_list() == pytest.approx([0, 0, 0, 0, 0])
    assert ends["may_come"].to_list() == pytest.approx([50, 100, 150, 200, 0])
    assert ends["returned"].to_list() == pytest.approx([0, 0, 0, 0, 200])
    assert list(ends["until"].dt.strftime("%m-%d"))[:4] == ["08-31"] * 4
    assert pd.isna(ends["until"].iloc[-1])
    assert relief.ledger(known([50, 50, 50, 50]), rule()).split().verdict == "late"
    split = found.split()
    assert (split.verdict, split.difference.mean, split.shortfall.mean) == ("returned", 0, 200)
    spring = found.split(last=month("2020-07"))
    assert (spring.shortfall.mean, spring.returned.mean, spring.lost.mean) == (200, 200, 0)


def test_more_than_the_payers_can_put_off_is_lost():
    """Of 90 missing in a month of 100, between 20 and 80 can be put off: lost 10 to 70."""
    split = relief.ledger(known([10]), rule(low=0.2, high=0.8)).split()
    assert split.may_come.mean == pytest.approx(50, abs=0.5)
    assert (split.may_come.lower, split.may_come.upper) == pytest.approx((21.5, 78.5), abs=0.5)
    assert (split.lost.lower, split.lost.upper) == pytest.approx((11.5, 68.5), abs=0.5)
    assert split.verdict == "loss"
    assert split.until == pd.Timestamp("2020-08-31")


def test_what_is_not_paid_by_the_last_day_is_overdue():
    """Arrears or lost, which is not the same claim as a loss, and no longer late."""
    before = relief.ledger(known([60, 100, 100, 100]), rule()).split()
    assert (before.verdict, before.may_come.mean) == ("late", 40)
    after = relief.ledger(known([60, 100, 100, 100, 100]), rule()).split()
    assert (after.verdict, after.overdue.mean, after.lost.mean) == ("overdue", 40, 40)
    assert (after.may_come.mean, after.never_due_later.mean) == (0, 0)
    recovered = relief.ledger(known([60, 100, 100, 100, 100, 140]), rule()).split()
    assert (recovered.overdue.mean, recovered.returned.mean) == (0, 40)


def test_an_exempt_month_is_neither_late_nor_lost():
    """Nothing is payable: what is missing is exempt; what comes in pays what was put off before."""
    both = pd.concat([rule(), rule("exemption", "2020-06", "2020-07", "", 1.0, 1.0)])
    both = both.reset_index(drop=True)
    split = relief.ledger(known([50, 100, 0, 50, 0]), both).split(last=month("2020-07"))
    assert (split.exempt.mean, split.returned.mean, split.claim.mean) == (200, 50, 0)
    assert (
        relief.ledger(known([0, 0]), rule("exemption", until="", low=1, high=1)).split().verdict
        == "relief"
    )


def test_a_cut_leaves_the_rest_payable():
    """A cut of 30 % explains 30 of 50 missing."""
    split = relief.ledger(known([50]), rule("reduction", until="", low=0.3, high=0.3)).split()
    assert (split.reduced.mean, split.lost.mean) == pytest.approx((30, 20))


def test_a_month_without_a_figure_enters_no_side():
    """Missing is not zero: two months of three count."""
    split = relief.ledger(known([90, np.nan, 90]), rule("deferral", low=0, high=0)).split()
    assert (split.months, split.expected, split.collected) == (2, 200, 180)
    assert split.shortfall.mean == pytest.approx(20)


def test_a_shortfall_without_a_measure_is_unexplained():
    """What is missing in months with no phase and no measure is not said to be lost to them."""
    nothing = rule().iloc[:0]
    split = relief.ledger(
        known([80, 90, 70]), nothing, {month("2020-04"), month("2020-05")}
    ).split()
    assert (split.lost.mean, split.unexplained.mean, split.claim.mean) == (30, 30, 60)


def test_noise_is_not_put_off_and_returned():
    """A line that varies around what was expected shows no difference, with or without the law."""
    rng = np.random.default_rng(3)
    collected = 100 + rng.normal(0, 10, 12)
    collected += 100 - collected.mean()
    for rules in (rule(), rule(last="2021-02", until="2021-03-31", low=0.2, high=0.8)):
        split = relief.ledger(known(collected, spread=10.0), rules).split()
        assert split.verdict == "none"
        assert split.claim.lower < 0 < split.claim.upper


@pytest.mark.parametrize("seed", range(4))
def test_the_parts_add_up_in_every_window(seed):
    """Shortfall = exempt + reduced + returned + may come + lost + unexplained; segments add up."""
    rng = np.random.default_rng(seed)
    rules = pd.concat(
        [rule(low=0.2, high=0.8), rule("reduction", "2020-05", "2020-09", "", 0, 0.3),
         rule("exemption", "2020-09", "2020-10", "", 1, 1),
         rule(first="2020-08", last="2020-10", until="2020-12-31", low=0.3, high=0.9)],
        ignore_index=True,
    )  # fmt: skip
    estimate = known(rng.uniform(0, 160, 10), spread=15.0, seed=seed)
    ledger = relief.ledger(estimate, rules, set(estimate.table.index[:6]))
    whole = ledger.split()
    cuts = [(0, 2), (3, 3), (4, 9)]
    pieces = [ledger.split(estimate.table.index[a], estimate.table.index[b]) for a, b in cuts]
    names = ("exempt", "reduced", "returned", "may_come", "lost", "unexplained")
    for split in (whole, *pieces):
        total = sum(getattr(split, name).mean for name in names)
        assert total == pytest.approx(split.shortfall.mean, abs=1e-6)
    for name in (*names, "shortfall", "difference", "claim", "overdue"):
        parts = sum(getattr(piece, name).mean for piece in pieces)
        assert parts == pytest.approx(getattr(whole, name).mean, abs=1e-6), name
    last = ledger.month_ends.iloc[-1]
    for name in ("difference", "returned", "may_come", "overdue", "claim"):
        amount = getattr(whole, name)
        got = last[name], last[f"{name}_lower"], last[f"{name}_upper"]
        assert got == pytest.approx((amount.mean, amount.lower, amount.upper), abs=1e-6), name


def test_each_month_end_is_as_it_would_have_been_read_then():
    """What the ledger says of August does not change when September becomes known."""
    collected = [50, 60, 100, 70, 140, 100, 90]
    rules = rule(low=0.2, high=0.8)
    whole = relief.ledger(known(collected, spread=5.0), rules).month_ends
    for size in (1, 3, 5):
        estimate = known(collected, spread=5.0)
        cut = impact.Impact(
            START, estimate.series[:size], estimate.table[:size], estimate.paths[:, :size],
            "receipts", (), None, frozenset(),
        )  # fmt: skip
        pd.testing.assert_frame_equal(relief.ledger(cut, rules).month_ends, whole[:size])


def test_a_parent_has_its_own_estimate_and_its_childrens_relief():
    """Two children, one of which may pay later: the parent's loss is what relief leaves."""
    late = relief.ledger(known([50, 50]), rule())
    plain = relief.ledger(known([80, 80]), rule().iloc[:0])
    total = relief.parent(known([130, 130], expected=200.0), {"a": late, "b": plain})
    split = total.split()
    assert (split.shortfall.mean, split.may_come.mean, split.lost.mean) == (140, 100, 40)
    assert split.until == pd.Timestamp("2020-08-31")
    assert list(total.rules["id"]) == ["R"]


def test_more_than_expected_is_a_gain():
    """And what pays earlier months is not."""
    nothing = rule().iloc[:0]
    assert relief.ledger(known([120, 130]), nothing).split().verdict == "gain"
    returned = relief.ledger(known([50, 50, 50, 50, 300]), rule())
    assert returned.split(first=month("2020-08")).verdict == "none"
