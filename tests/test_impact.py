"""The estimate of the effect: its table and paths, and what it says where the truth is known."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wardlib import impact

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))
import simulated

START = simulated.START


def series(kind, seed, effect=True):
    """History and observed months of a simulated case, and the case."""
    case = simulated.draw(kind, seed, effect)
    return pd.concat([case.history, case.observed]), case


def test_same_input_same_numbers_and_nothing_is_changed():
    """Two calls give the same paths; the caller's series stays as it was."""
    observed, _ = series("smooth", 1)
    before = observed.copy()
    first, second = (impact.estimate(observed, start=START) for _ in range(2))
    np.testing.assert_array_equal(first.paths, second.paths)
    pd.testing.assert_series_equal(observed, before)


def test_later_months_never_enter_the_counterfactual():
    """What happened after the start changes the effect, not the counterfactual."""
    observed, _ = series("smooth", 1)
    other = observed.copy()
    other[START:] = 0.0
    np.testing.assert_array_equal(
        impact.estimate(observed, start=START).paths, impact.estimate(other, start=START).paths
    )


def test_months_add_up_to_the_total():
    """The sum of the monthly counterfactuals is the cumulative one; the interval is narrower."""
    observed, _ = series("smooth", 2)
    result = impact.estimate(observed, start=START)
    total = result.cumulative
    assert total.expected == pytest.approx(result.table["counterfactual"].sum())
    assert total.observed == pytest.approx(observed[START:].sum())
    assert total.upper - total.lower < (result.table["upper"] - result.table["lower"]).sum()


def test_a_clear_loss_is_found_and_no_effect_is_not():
    """The planted loss of the first phase is found; without effect nothing is claimed."""
    lost, _ = series("smooth", 3)
    calm, _ = series("smooth", 3, effect=False)
    spring = {"spring": (START, START + 3)}
    assert impact.estimate(lost, start=START).phases(spring)["spring"].verdict == "loss"
    assert impact.estimate(calm, start=START).cumulative.verdict == "none"


def test_a_month_without_figure_enters_neither_side():
    """Missing is not zero: the expected amount of a missing month is left out too."""
    observed, _ = series("smooth", 4)
    gap = observed.copy()
    gap[START + 2] = np.nan
    full, partly = (impact.estimate(s, start=START).cumulative for s in (observed, gap))
    assert partly.months == full.months - 1
    assert partly.observed == pytest.approx(full.observed - observed[START + 2])
    assert partly.expected < full.expected


@pytest.mark.parametrize(
    ("kind", "model"),
    [("smooth", "receipts"), ("due-date lump", "due dates"), ("school days", "counts")],
)
def test_each_kind_of_series_has_its_model(kind, model):
    """Lumps at due dates and bounded counts have parts of their own; counts stay in bounds."""
    observed, case = series(kind, 5)
    result = impact.estimate(observed, start=START, planned=case.planned)
    assert result.model == model
    assert (result.paths >= 0).all()
    if case.planned is not None:
        assert (result.paths <= case.planned[START:].to_numpy()).all()


def test_too_little_history_is_refused():
    """With fewer than 24 months before the start there is no estimate."""
    observed, _ = series("smooth", 6)
    with pytest.raises(ValueError, match="24 months"):
        impact.estimate(observed[START - 23 :], start=START)
