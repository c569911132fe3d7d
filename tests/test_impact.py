"""The estimate of the effect: its table and paths, and what it says where the truth is known."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import qmc

from wardlib.analysis import counterfactual, due_dates, gaussian_process

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))
import simulated

START = simulated.START
ROOT = Path(__file__).parent.parent


def series(kind, seed, effect=True):
    """History and observed months of a simulated case, and the case."""
    case = simulated.draw(kind, seed, effect)
    return pd.concat([case.history, case.observed]), case


def test_same_input_same_numbers_and_nothing_is_changed():
    """Two calls give the same paths; the caller's series stays as it was."""
    observed, _ = series("smooth", 1)
    before = observed.copy()
    first, second = (counterfactual.estimate(observed, start=START) for _ in range(2))
    np.testing.assert_array_equal(first.paths, second.paths)
    pd.testing.assert_series_equal(observed, before)


def test_the_points_are_those_of_scipy():
    """The file holds the scrambled Sobol' points that it is said to hold."""
    kept = np.load(ROOT / "wardlib" / "analysis" / "sobol.npy") / 2**30
    for seed, points in enumerate(kept, 1):
        made = qmc.Sobol(points.shape[1], scramble=True, rng=seed).random_base2(8)
        np.testing.assert_array_equal(points, made)


def test_later_months_never_enter_the_counterfactual():
    """What happened after the start changes the effect, not the counterfactual."""
    observed, _ = series("smooth", 1)
    other = observed.copy()
    other[START:] = 0.0
    np.testing.assert_array_equal(
        counterfactual.estimate(observed, start=START).paths,
        counterfactual.estimate(other, start=START).paths,
    )


def test_months_add_up_to_the_total():
    """The sum of the monthly counterfactuals is the cumulative one; the interval is narrower."""
    observed, _ = series("smooth", 2)
    result = counterfactual.estimate(observed, start=START)
    total = result.cumulative
    assert total.expected == pytest.approx(result.table["counterfactual"].sum())
    assert total.observed == pytest.approx(observed[START:].sum())
    assert total.upper - total.lower < (result.table["upper"] - result.table["lower"]).sum()


def test_a_clear_loss_is_found_and_no_effect_is_not():
    """The planted loss of the first phase is found; without effect nothing is claimed."""
    lost, _ = series("smooth", 3)
    calm, _ = series("smooth", 3, effect=False)
    assert counterfactual.estimate(lost, start=START).effect(START, START + 3).verdict == "loss"
    assert counterfactual.estimate(calm, start=START).cumulative.verdict == "none"


def test_a_month_without_figure_enters_neither_side():
    """Missing is not zero: the expected amount of a missing month is left out too."""
    observed, _ = series("smooth", 4)
    gap = observed.copy()
    gap[START + 2] = np.nan
    full, partly = (counterfactual.estimate(s, start=START).cumulative for s in (observed, gap))
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
    result = counterfactual.estimate(observed, start=START, planned=case.planned)
    assert result.model == model
    assert (result.paths >= 0).all()
    if case.planned is not None:
        assert (result.paths <= case.planned[START:].to_numpy()).all()


def test_few_and_scattered_receipts_do_not_explode():
    """Ten receipts in four years: what may come stays within what such a line can bring."""
    months = pd.period_range("2016-03", "2022-02", freq="M")
    for seed in range(12):
        rng = np.random.default_rng(seed)
        amounts = pd.Series(np.exp(rng.normal(0, 1, 72)) * (rng.random(72) < 0.2), months)
        result = counterfactual.estimate(amounts, start=START, draws=500)
        if result.model:
            assert result.paths.max() < 25 * amounts[: START - 1].max()


@pytest.mark.parametrize("start", ["2016-10", "2016-12", "2018-12"])
def test_a_line_paid_once_a_year_has_finite_paths(start):
    """Tobacco tax of Philadelphia: at the year's end next to nothing is left to split, and still no
    path is without a number."""
    table = pd.read_csv(ROOT / "data" / "philadelphia" / "receipts.csv")
    own = table[table["line"] == "tobacco"]
    series = pd.Series(own["collected"].to_numpy(float), pd.PeriodIndex(own["month"], freq="M"))
    result = counterfactual.estimate(series, start=pd.Period(start, "M"))
    assert result.model == "due dates"
    assert np.isfinite(result.paths).all()


@pytest.mark.parametrize("months", [0, 5, 23])
def test_too_little_history_gives_no_statement(months):
    """With fewer than 24 months before the start there is no estimate, and it says why."""
    observed, _ = series("smooth", 6)
    result = counterfactual.estimate(observed[START - months :], start=START)
    assert (result.silent, result.model) == ("history", "")
    assert result.table["counterfactual"].isna().all()


def test_exempt_months_enter_neither_history_nor_effect():
    """Where the law left nothing payable there is no observed figure to compare."""
    observed, _ = series("smooth", 7)
    exempt = [START + 2, START + 3]
    changed = observed.copy()
    changed[exempt] = 0.0
    results = [counterfactual.estimate(s, start=START, exempt=exempt) for s in (observed, changed)]
    assert results[0].cumulative == results[1].cumulative
    assert results[0].cumulative.months == 22
    only = counterfactual.estimate(observed[: START + 3], start=START + 2, exempt=exempt)
    assert only.silent == "exempt"


def test_a_failed_placebo_silences_the_estimate():
    """A level that fell by two thirds a year before the start, and came back, is no steady line."""
    observed, _ = series("smooth", 8)
    assert counterfactual.estimate(observed, start=START).silent == ""
    shaken = observed.copy()
    shaken[START - 12 : START - 1] *= 0.33
    result = counterfactual.estimate(shaken, start=START)
    assert result.checks.failed
    assert result.silent == "placebo"


def test_checks_say_how_far_the_answer_hangs_on_choices():
    """Two placebo windows, two other starts and each year left out, all near the estimate."""
    observed, _ = series("smooth", 9)
    result = counterfactual.estimate(observed, start=START)
    checks = result.checks
    assert list(checks.placebo["first"]) == [START - 12, START - 24]
    assert checks.sensitivity["change"].value_counts().to_dict() == {"year": 4, "start": 2}
    assert 0 < checks.error < 0.3
    spread = result.cumulative.upper - result.cumulative.lower
    assert (checks.sensitivity["amount"] - result.cumulative.amount).abs().max() < spread


def test_many_series_at_once_are_the_same_as_one_by_one():
    """The batch gives each column what it gets alone."""
    table = pd.DataFrame({kind: series(kind, 10)[0] for kind in ("smooth", "many zeros", "mixed")})
    together = counterfactual.estimate_all(table, start=START, tet=simulated.TET)
    for name in table:
        alone = counterfactual.estimate(table[name], start=START, tet=simulated.TET)
        np.testing.assert_array_equal(together[name].paths, alone.paths)


DATA = ROOT / "tests" / "benchmarks" / "data"


def test_the_published_excess_deaths_and_ours_beside_them():
    """England and Wales, January 2020 to May 2022: CausalPy's example gives 26.4 standard deviations,
    20.9 to 32.0 from the mean alone and 1.45 times that with noise. Its regression on the same file
    gives the same; ours, which lets the level drift, is wider, holds it, and finds April 2020."""
    table = pd.read_csv(DATA / "deaths_and_temps_england_wales.csv")
    before = table["pre"].to_numpy()

    def standard(column):
        return (table[column] - table[column][before].mean()) / table[column][before].std(ddof=0)

    seasons = pd.get_dummies(table["month"]).astype(float)
    design = np.column_stack([seasons, standard("t"), standard("temp")])
    deaths = standard("deaths").to_numpy()
    fit, *_ = np.linalg.lstsq(design[before], deaths[before], rcond=None)
    rest = deaths - design @ fit
    noise = rest[before] @ rest[before] / (before.sum() - design.shape[1])
    ahead = design[~before].sum(axis=0)
    mean = np.sqrt(noise * ahead @ np.linalg.inv(design[before].T @ design[before]) @ ahead)
    published = rest[~before].sum()
    assert published == pytest.approx(26.4, abs=0.05)
    assert published + 1.96 * mean * np.array([-1, 1]) == pytest.approx([20.9, 32.0], abs=0.05)
    whole = np.sqrt(mean**2 + noise * (~before).sum())
    assert whole / mean == pytest.approx(1.45, abs=0.005)

    months = pd.PeriodIndex(table["date"], freq="M")
    result = counterfactual.estimate(
        pd.Series(table["deaths"].to_numpy(float), months), start=pd.Period("2020-01", "M")
    )
    unit = table["deaths"][before].std(ddof=0)
    ours = result.cumulative
    assert ours.lower / unit < published < ours.upper / unit
    assert (ours.upper - ours.lower) / unit > 2 * 1.96 * whole
    april = pd.Period("2020-04", "M")
    assert result.effect(april, april).verdict == "gain"


def test_the_seat_belt_law_saved_what_was_published():
    """Great Britain 1983: Harvey and Durbin (1986) found 23 % fewer drivers killed or seriously
    injured; our interval for the year after the law excludes zero and holds it."""
    table = pd.read_csv(DATA / "seatbelts.csv")
    drivers = pd.Series(table["drivers"].to_numpy(float), pd.PeriodIndex(table["month"], freq="M"))
    law = pd.Period("1983-02", "M")
    effect = counterfactual.estimate(drivers, start=law).effect(law, law + 11)
    assert effect.verdict == "loss"
    assert effect.lower / effect.expected < -0.23 < effect.upper / effect.expected
    assert effect.amount / effect.expected == pytest.approx(-0.23, abs=0.05)


def test_the_method_note_states_the_models_constants():
    """Every prior of the model stands in docs/method.md as it stands in the code."""
    note = (ROOT / "docs" / "method.md").read_text("utf-8")
    for name, (median, spread) in gaussian_process._PRIOR.items():
        assert f"{median:g} ({spread:g})" in note.replace("0.10 (", "0.1 ("), name
    assert (
        f"with chance {gaussian_process._BREAK_CHANCE:g} one step (sd {gaussian_process._STEP_SD:g})"
        in note
    )
    assert f"more than {gaussian_process._OUTLIER:g}" in note.replace("\n", " ")
    assert f"at least {100 * due_dates._LUMP:.0f} %" in note
