"""Wards estimated together and added up: joint paths, what is left out and why, the district that ships."""

import functools
import pickle
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wardlib.analysis import comparison, effects, funnel, members, receipts, relief
from wardlib.analysis.comparison import CURRENCIES, STARTS, Ward
from wardlib.analysis.epidemic import Epidemic
from wardlib.data.book import open_book
from wardlib.periods import Period

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))
import district as benchmark

DATA = Path(__file__).parents[1] / "data"
LINES = ["total", "fees", "registration_fee", "nonstate", "nonstate_vat", "land_rent"]
PLANTED = ["ngoc-lan", "sao-den", "loc-vung", "muong-vang", "com-nguoi"]


def month(text):
    return pd.Period(text, "M")


@functools.cache
def made():
    """The script of the illustrative district, and what it makes for another seed."""
    script = benchmark.script("long-bien")
    return script, script.make(1, complete=True)


@functools.cache
def book(period="2020-9M"):
    return open_book("phuc-dong", period)


def epidemic():
    return Epidemic.of(book().table("covid_phases"), book().ward.areas)


def ward(reports, period="2020-9M", **other):
    """A ward of which a few lines are reported; the total is their sum."""
    chosen = Period.parse(period)
    known = benchmark.known(reports, chosen.last)
    known = known[known["line"].isin([*LINES[1:3], *LINES[4:]])]
    amounts = known.groupby("month")[["collected", "kept"]].sum().reset_index()
    total = amounts.assign(line="total", status="actual", reported_on=pd.Timestamp("2022-01-31"))
    vat = known[known["line"] == "nonstate_vat"].assign(line="nonstate")
    table = pd.concat([known, vat, total], ignore_index=True)
    found = receipts.summarise(table, book().table("revenue_lines"), None, chosen)
    return Ward(found, book().table, epidemic(), "VND")._replace(**other)


def wards(period="2020-9M"):
    return {name: ward(made()[1][name]["receipts"], period) for name in PLANTED}


def assess(given):
    return comparison.assess(given, book().table, epidemic(), "VND")


@pytest.fixture(scope="module")
def together():
    return assess(wards())


def without(name, chosen):
    """The reports of a planted ward without those for which `chosen` holds."""
    table = made()[1][name]["receipts"]
    return table[~chosen(table)]


# --------------------------------------------------------------------------------------- the sum


def test_the_sum_is_that_of_the_wards_and_its_interval_is_not(together):
    """Expected, collected and what is put off add up from ward to ward. The interval is that of the sums
    of paths: narrower than the sum of intervals, wider than that of wards that share nothing."""
    splits = [own.by_line["total"] for own in together.wards.values()]
    whole = together.whole()
    for name in ("expected", "collected"):
        assert getattr(whole, name) == pytest.approx(sum(getattr(one, name) for one in splits))
    for name in ("difference", "exempt", "deferred", "earlier", "claim"):
        mean = sum(getattr(one, name).mean for one in splits)
        assert getattr(whole, name).mean == pytest.approx(mean, abs=1)
    assert whole.deferred.mean > 0
    widths = np.array([one.difference.upper - one.difference.lower for one in splits])
    width = whole.difference.upper - whole.difference.lower
    assert 1.1 * np.sqrt((widths**2).sum()) < width < 0.97 * widths.sum()
    taken = sum(amount.mean for name, amount in whole.bridge.items() if name != "earlier")
    left = whole.expected - taken + whole.bridge["earlier"].mean
    assert left == pytest.approx(whole.collected)


def test_two_wards_with_the_same_figures_are_not_each_others_shadow():
    """Estimated by themselves, as they are two, they have random numbers of their own: their sum is known
    better than twice the one. On each ward's own page it would not be."""
    reports = made()[1]["sao-den"]["receipts"]
    twins = assess({"one": ward(reports), "other": ward(reports)})
    assert not twins.used
    one, whole = twins.wards["one"].by_line["total"].difference, twins.whole().difference
    assert whole.upper - whole.lower < 1.9 * (one.upper - one.lower)
    alone = [
        effects.assess(own.receipts, own.table, own.epidemic).ledgers["fees"].impact.paths
        for own in (ward(reports), ward(reports))
    ]
    np.testing.assert_array_equal(*alone)


def test_a_sum_that_is_added_up_one_by_one_says_what_a_parent_says():
    """Of the lines of a ward, in any months, to the last figure, at every share of payers."""
    own = ward(made()[1]["sao-den"]["receipts"], "2020")
    found = effects.assess(own.receipts, own.table, own.epidemic)
    parts = {line: found.ledgers[line] for line in ("nonstate", "land_rent", "fees")}
    impact = found.impact("total")
    whole = None
    for part in parts.values():
        whole = relief.added(whole, part)
    whole = effects.replace(whole, impact=impact)
    parent = relief.parent(impact, parts)
    for span in (("2020-02", "2020-12"), ("2020-04", "2020-06"), ("2020-09", "2020-09")):
        first, last = map(month, span)
        assert whole.split(first, last).row() == parent.split(first, last).row()


def test_any_months_can_be_asked_about(together):
    """The splits of February to May and of June to September add up to that of both."""
    first, second, both = (
        together.whole(*map(month, span))
        for span in (("2020-02", "2020-05"), ("2020-06", "2020-09"), ("2020-02", "2020-09"))
    )
    assert first.collected + second.collected == pytest.approx(both.collected)
    assert first.expected + second.expected == pytest.approx(both.expected)
    assert first.months + second.months == both.months == 8


def test_the_wards_of_a_line_are_estimated_together_where_it_is_of_the_kind(together):
    """Fees come each month, rent at two due dates: the one is used, the other not."""
    assert together.used["fees"] == tuple(PLANTED)
    assert together.used["registration_fee"] == tuple(PLANTED)
    assert "land_rent" not in together.used


def test_neither_the_order_of_wards_nor_a_copy_moves_a_figure(together):
    """Wards in another order, and a pickled result, say the same."""
    turned = assess(dict(reversed(wards().items())))
    stored = pickle.loads(pickle.dumps(together))
    for other in (turned, stored):
        pd.testing.assert_frame_equal(
            other.rows.set_index("ward").loc[PLANTED], together.rows.set_index("ward")
        )
    assert stored.whole(month("2020-03"), month("2020-05")) == together.whole(
        month("2020-03"), month("2020-05")
    )


# ------------------------------------------------------------------------------- who is not in it


def test_a_month_that_one_ward_lacks_is_in_no_sum():
    """The fees of August were not reported by one ward: the months before are added up, those with August
    are not, and ward, line and month are named."""
    given = wards()
    august = month("2020-08")

    def gone(table):
        return (table["month"] == august) & (table["line"] == "fees")

    given["loc-vung"] = ward(without("loc-vung", gone))
    found = assess(given)
    assert found.whole() is None
    assert found.unreported(*found.spans[-1]) == ("loc-vung",)
    assert found.until(*found.spans[-1]) == month("2020-07")
    assert found.whole(month("2020-02"), month("2020-07")).months == 6
    assert found.whole(month("2020-09"), month("2020-09")).months == 1
    assert found.lacking.to_numpy().tolist() == [["loc-vung", "fees", august]]
    compared, over = members._compared(found)  # of more than half: all months
    assert set(compared.index) == {*found.summed} - {"loc-vung"} and over == found.spans[-1]
    fewer = dict(found.wards)
    for name in found.summed[2:]:
        own = found.wards[name].by_month
        fewer[name] = replace(found.wards[name], by_month=own.assign(complete=own.index < august))
    compared, over = members._compared(
        replace(found, wards=fewer)
    )  # else of all: as far as all report
    assert (tuple(compared.index), over[1]) == (found.summed, month("2020-07"))


def test_who_has_reported_nothing_keeps_all_from_being_added_up():
    """A ward with figures until 2019 alone: no sum, and it is named with each month under its total."""
    given = wards()
    given["loc-vung"] = ward(without("loc-vung", lambda t: t["month"] >= month("2020-01")))
    found = assess(given)
    assert found.wards["loc-vung"].silent == effects.UNREPORTED
    assert (found.whole(), found.until(*found.spans[-1])) == (None, None)
    assert found.unreported(*found.spans[-1]) == ("loc-vung",)
    lacking = found.lacking.query("ward == 'loc-vung'")
    assert set(lacking["line"]) == {"total"}
    assert len(lacking) == 9
    given["loc-vung"] = given["loc-vung"]._replace(receipts=None)
    assert assess(given).unreported(*found.spans[-1]) == ("loc-vung",)


def test_other_money_and_another_start_are_in_no_sum(together):
    """A ward of another currency and one where the epidemic began later keep their own statements, and
    neither lends nor borrows."""
    given = wards()
    given["loc-vung"] = given["loc-vung"]._replace(currency="USD")
    own = epidemic()
    given["sao-den"] = given["sao-den"]._replace(
        epidemic=Epidemic.of(own.phases.iloc[1:], own.areas)
    )
    found = assess(given)
    apart = {name: one.apart for name, one in found.wards.items() if one.apart}
    assert apart == {"loc-vung": CURRENCIES, "sao-den": STARTS}
    assert found.summed == ("ngoc-lan", "muong-vang", "com-nguoi")
    assert found.whole().collected == sum(
        together.wards[name].by_line["total"].collected for name in found.summed
    )
    assert found.wards["sao-den"].by_line["total"].first == month("2020-07")
    assert not found.used  # three are too few


def test_a_young_ward_has_no_statement_and_the_others_have():
    """Seven months of history: `history`, and the sum is that of the rest."""
    given = wards()
    given["loc-vung"] = ward(without("loc-vung", lambda t: t["month"] < month("2019-07")))
    found = assess(given)
    assert found.wards["loc-vung"].silent == "history"
    assert found.wards["loc-vung"].by_line == {}
    assert found.summed == tuple(name for name in PLANTED if name != "loc-vung")
    assert found.whole().months == 8
    row = found.rows.set_index("ward").loc["loc-vung"]
    assert (row["silent"], row["span"]) == ("history", "")


def test_an_exemption_in_the_history_is_kept_out_of_it():
    """The law left no fees payable in 2019's summer in one ward: its fees are estimated by themselves,
    the others together, and all are added up."""
    given = wards()
    table = book().table("tax_relief")
    (row,) = (table[table["kind"] == relief.EXEMPTION].iloc[:1],)
    own = row.assign(
        id="X1", lines=[("fees",)], period_start=month("2019-06"), period_end=month("2019-08"),
        in_force=pd.Timestamp("2019-06-01"), area="VN", share_low=1.0, share_high=1.0,
    )  # fmt: skip

    def tables(name):
        return pd.concat([table, own]) if name == "tax_relief" else book().table(name)

    given["loc-vung"] = given["loc-vung"]._replace(table=tables)
    found = assess(given)
    assert set(found.used["fees"]) == set(PLANTED) - {"loc-vung"}
    assert set(found.summed) == set(PLANTED)
    assert found.whole() is not None


def test_before_the_epidemic_nothing_is_said():
    """Of 2019 each ward, and the sum, has the reason."""
    found = assess({name: ward(made()[1][name]["receipts"], "2019") for name in PLANTED})
    assert {own.silent for own in found.wards.values()} == {effects.BEFORE}
    assert (found.whole(), found.silent, found.spans) == (None, effects.BEFORE, ())
    assert found.compared(month("2019-01"), month("2019-12")).empty


def test_receipts_of_several_periods_are_refused():
    """They cannot stand side by side; nor can none."""
    own = wards()["sao-den"]
    other = ward(made()[1]["sao-den"]["receipts"], "2020-Q2")
    with pytest.raises(ValueError, match="of several periods"):
        assess({"one": own, "other": other})
    with pytest.raises(ValueError, match="no ward has receipts"):
        assess({"one": own._replace(receipts=None)})


# ------------------------------------------------------------------------------ the funnel's input


def test_what_is_common_to_the_wards_does_not_make_one_stand_out(together):
    """The error of a ward's ratio is that beside the others': less than half of its interval, as season,
    growth and what is unknown of them are common."""
    compared = together.compared(*together.spans[-1])
    assert list(compared.index) == PLANTED
    for name, row in compared.iterrows():
        split = together.wards[name].by_line["total"]
        assert row["size"] == pytest.approx(split.expected)
        assert row["ratio"] == pytest.approx(split.difference.mean / split.expected)
        width = (split.difference.upper - split.difference.lower) / split.expected
        assert 0.01 < row["error"] < 0.8 * width / 3.92


# ------------------------------------------------------------------------- the district that ships


@functools.cache
def shipped(period):
    """The district as it ships, as known when all had been reported."""
    given = {}
    for name in [*(own.folder for own in made()[0].WARDS), "phuc-dong"]:
        own = open_book(name, period)
        found = receipts.summarise(
            own.table("receipts"), own.table("revenue_lines"), own.table("targets"), own.period
        )
        place = Epidemic.of(own.table("covid_phases"), own.ward.areas)
        given[name] = Ward(found, own.table, place, own.ward.currency)
    return assess(given)


def test_the_illustrative_district_is_made_by_its_script():
    """Making it again gives the committed bytes; the ward that stands out lost most of all by far."""
    script, tables = made()[0], made()[0].make()
    for own in script.WARDS:
        for name in ("receipts", "targets", "schools", "school_months"):
            text = tables[own.folder][name].to_csv(
                index=False, lineterminator="\n", float_format=script.base.plain
            )
            assert (DATA / own.folder / f"{name}.csv").read_text("utf-8") == text
    truth = pd.read_csv(DATA / "long-bien" / "truth.csv").query("'2020-02' <= month <= '2020-09'")
    sums = truth.groupby("ward")[["lost", "no_effect"]].sum()
    lost = (sums["lost"] / sums["no_effect"]).sort_values()
    assert lost.index[-1] == script.STANDS_OUT
    assert lost.iloc[-1] > 2 * lost.iloc[-2]


def test_the_funnel_finds_the_ward_that_stands_out_and_no_other():
    """In the nine months of the article, of 13 wards; the youngest has no statement, which is named."""
    found = shipped("2020-9M")
    compared = found.compared(*found.spans[-1])
    assert len(compared) == 13
    seen = funnel.find(compared["size"], compared["ratio"], compared["error"])
    assert seen.outside == [made()[0].STANDS_OUT]
    assert found.wards[made()[0].YOUNG].silent == "history"
    assert found.whole() is not None


def test_the_newest_month_of_the_district_lacks_a_ward():
    """One ward has not reported December 2021: it is named, and November is the last month added up."""
    found = shipped("2021")
    assert found.unreported(*found.spans[-1]) == (made()[0].UNREPORTED,)
    assert found.whole() is None
    assert found.until(*found.spans[-1]) == month("2021-11")
    lacking = found.lacking
    assert set(lacking["ward"]) == {made()[0].UNREPORTED}
    assert set(lacking["month"]) == {made()[0].NEWEST}
