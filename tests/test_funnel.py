"""The funnel: who stands out among units of different sizes, and how seldom somebody does by chance."""

from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

from wardlib.analysis import funnel


def find(ratio, error, size=None):
    units = pd.Index([f"ward {place}" for place in range(len(ratio))])
    size = np.arange(1.0, len(ratio) + 1) if size is None else size
    return funnel.find(
        *(pd.Series(np.asarray(given, float), units) for given in (size, ratio, error))
    )


def test_one_far_off_stands_out_and_the_limits_are_those_worked_by_hand():
    """Nine units lie half a standard error about 10 %, one at 25 %. The rate of 5 % among ten units is 0.25 % on
    either side of each: 2.807 standard errors of 2 %, or 5.6 %."""
    ratio = [0.10, 0.11, 0.09, 0.10, 0.11, 0.25, 0.09, 0.10, 0.11, 0.09]
    found = find(ratio, [0.02] * 10)
    assert found.outside == ["ward 5"]
    assert found.spread == 0
    assert found.centre == pytest.approx(0.101, abs=1e-5)  # the one is drawn in to 11 %
    assert found.units["upper"].to_numpy() == pytest.approx(found.centre + 0.05614, abs=1e-5)
    assert found.units["z"]["ward 5"] == pytest.approx((0.25 - found.centre) / 0.02)


def test_where_all_differ_by_more_than_chance_nobody_stands_out():
    """Errors of 1 % and ratios that scatter by 10 %: the spread is seen, and the limits are as wide."""
    places = [NormalDist().inv_cdf((place + 0.5) / 14) for place in range(14)]
    ratio = 0.1 + 0.1 * np.array(places)
    found = find(ratio, [0.01] * 14)
    assert found.spread == pytest.approx(0.1, rel=0.1)
    assert found.outside == []
    assert (found.units["upper"] - found.centre).min() > 0.25


@pytest.mark.parametrize("spread", [0.0, 0.05])
def test_somebody_stands_out_by_chance_in_about_one_of_twenty(spread):
    """Over 150 districts of 14 alike wards, with and without a spread between them, in few."""
    rng = np.random.default_rng(2)
    size = np.geomspace(1, 20, 14)
    error = 0.06 * size**-0.3
    some = [
        find(rng.standard_normal(14) * np.hypot(error, spread), error, size).outside
        for _ in range(150)
    ]
    assert 0 < sum(map(bool, some)) <= 21  # of 7.5; more with chance 0.00002


def test_a_small_unit_may_lie_farther_off_than_a_large_one():
    """The same ratio stands out in the largest unit, and in the smallest it does not; the limits narrow as
    size grows."""
    size = np.geomspace(1, 20, 14)
    error = 0.08 * size**-0.5
    ratio = np.where(np.arange(14) % 2, 0.09, 0.11)
    ratio[0] = ratio[-1] = 0.2
    found = find(ratio, error, size)
    assert found.outside == ["ward 13"]
    wide = found.limits["upper"] - found.limits["lower"]
    assert wide.is_monotonic_decreasing
    assert wide.iloc[0] == pytest.approx(wide.iloc[-1] * 20**0.5, rel=1e-6)
    assert found.limits.index[[0, -1]].tolist() == pytest.approx([1, 20])


def test_with_few_units_nobody_can_be_said_to_stand_out():
    """Four are too few to tell what is usual; the limits are open."""
    found = find([0.1, 0.1, 0.1, 0.9], [0.01] * 4)
    assert found.outside == []
    assert np.isinf(found.units["upper"]).all()
    assert np.isinf(found.limits["upper"]).all()
    assert find([0.3], [0.01]).centre == pytest.approx(0.3)


def test_the_order_of_units_moves_nothing():
    """Rows come back as they were given, with the same numbers."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {"size": rng.uniform(1, 9, 9), "ratio": rng.normal(0, 0.1, 9), "error": [0.03] * 9}
    )
    turned = frame[::-1]
    one, other = (
        funnel.find(given["size"], given["ratio"], given["error"]) for given in (frame, turned)
    )
    assert list(other.units.index) == list(turned.index)
    pd.testing.assert_frame_equal(one.units, other.units.sort_index())


def test_what_cannot_be_compared_is_refused():
    """Other units, none, an error of zero or a missing size: each in one sentence."""
    one = pd.Series([1.0, 2.0])
    for given, said in (
        ((one, one, one[:1]), "different units"),
        ((one[:0],) * 3, "there is no unit"),
        ((one, one, one - 1), "a unit has no error"),
        ((one.where(one > 1), one, one), "a unit has no size"),
    ):
        with pytest.raises(ValueError, match=said):
            funnel.find(*given)
