"""Wards of one upper level together: what they borrow from each other, and what each keeps."""

import dataclasses
import gc
import pickle
import struct
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from conftest import said_by_threads

from wardlib.analysis import counterfactual, districts
from wardlib.analysis.districts import (
    _SCALES,
    FEWEST_WARDS,
    MODEL,
    _Deviations,
    _parts,
    estimate_district,
)

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))
import districts as simulated

START, TET = simulated.START, tuple(simulated.TET)
SEED = 20_000  # even: 48 months before; odd: 84


def together(table, **more):
    """All wards of a table at once."""
    return estimate_district(table, start=START, tet=TET, line="lease", **more)


def alone(series):
    """A ward by itself."""
    return counterfactual.estimate(series, start=START, tet=TET, line=f"lease {series.name}")


def width(impact):
    """Width of the interval of the total, as a share of the expected."""
    effect = impact.cumulative
    return (effect.upper - effect.lower) / effect.expected


def weighed(table):
    """The deviations of all wards of a table, weighed."""
    logs = np.log(table.loc[: START - 1].to_numpy())
    model = _Deviations(logs - np.nanmedian(logs, axis=0), table.index[0], TET)
    model.weigh()
    return model


@pytest.fixture(scope="module")
def alike():
    """A district of wards that are alike, and its estimates."""
    table = simulated.draw("alike", SEED)
    return table, together(table)


def test_same_input_same_numbers_and_nothing_is_changed(alike):
    """Two calls give the same paths, whatever the order of the wards; the caller's table stays."""
    table, first = alike
    before = table.copy()
    second = together(table[table.columns[::-1]])
    assert list(second) == list(table.columns[::-1])
    for ward in table:
        np.testing.assert_array_equal(first[ward].paths, second[ward].paths)
        pd.testing.assert_series_equal(first[ward].series, table[ward])
    pd.testing.assert_frame_equal(table, before)


def test_later_months_never_enter(alike):
    """What happened after the start, in whatever ward, leaves all paths as they are."""
    table, first = alike
    other = table.copy()
    other.loc[START:] = 0.0
    for ward, impact in together(other).items():
        np.testing.assert_array_equal(impact.paths, first[ward].paths)


def test_what_the_law_left_unpayable_enters_no_estimate_made_anew(alike):
    """A ward's exempt month, which the district knows nothing of, is without a figure from another start
    too."""
    _, found = alike
    impact = dataclasses.replace(next(iter(found.values())), exempt=frozenset({START + 1}))
    again = impact.estimate_again(impact.series, START - 1)
    assert again.months[np.isnan(again.observed)].tolist() == [START + 1]


def test_one_more_month_leaves_what_is_a_wards_own_as_it_was(alike):
    """Given what is common, the deviations of the months to come are the same, however many they are."""
    table, _ = alike
    model = weighed(table)
    names = table.columns.tolist()
    common = np.random.default_rng(1).normal(0, 0.2, (500, 24))
    longer = model.paths(common, names, "lease")
    for horizon in (23, 13, 11):
        fewer = model.paths(common[:, :horizon], names, "lease")
        np.testing.assert_allclose(fewer, longer[:, :, :horizon], atol=1e-9)


def test_wards_of_a_line_go_together_and_lines_do_not():
    """What is shared moves all wards of a path, so that the district's spread is not that of
    independent wards; a ward's own part is drawn anew for another line."""
    table = simulated.draw("alike, drifting together", SEED)
    found = together(table)
    totals = np.array([impact.paths.sum(axis=1) for impact in found.values()])
    assert np.corrcoef(totals)[np.triu_indices(len(totals), 1)].mean() > 0.5
    again = estimate_district(table, start=START, tet=TET, line="trade")
    one, other = table.columns[:2]
    ratios = [(made[one].paths / made[other].paths).sum(axis=1) for made in (found, again)]
    assert abs(np.corrcoef(ratios)[0, 1]) < 0.1
    assert np.mean(ratios[0]) == pytest.approx(np.mean(ratios[1]), rel=0.01)


def test_wards_that_are_alike_borrow_from_each_other():
    """Over some districts the intervals hold the truth about as often as they say, and are better
    than those of each ward alone."""
    held, scores = [], []
    for seed in range(SEED, SEED + 4):
        table = simulated.draw("alike", seed)
        found = together(table)
        for ward in table:
            truth = table.loc[START:, ward].to_numpy()
            by = [simulated._judged(one.paths, truth) for one in (found[ward], alone(table[ward]))]
            held.append(by[0]["coverage 24"])
            scores.append([one["score 24"] for one in by])
    assert np.mean(held) >= 0.9
    ours, own = np.mean(scores, axis=0)
    assert ours < own


def test_the_points_stand_for_the_posterior(alike):
    """Each ward's hyper-parameters are averaged over many points, not the one that happens to be best."""
    effective = simulated.effective(alike[0])
    assert np.median(effective) > 40
    assert effective.min() > 8


def test_a_ward_with_few_years_borrows_those_of_the_others():
    """Wards of 24 months among wards of 84 know their season and growth from the others."""
    table = simulated.draw("24 months in some", SEED)
    short = table.columns[simulated.special("24 months in some")]
    found = together(table)
    assert {found[ward].model for ward in short} == {MODEL}
    assert np.mean([width(found[ward]) / width(alone(table[ward])) for ward in short]) < 0.8


def test_a_ward_of_one_year_is_estimated_with_the_others():
    """Twelve months, too few for a statement by itself, are enough beside wards with a history: the
    total is found, less surely than that of the others."""
    table = simulated.draw("alike", SEED + 1)
    young = table.columns[:4]
    table.loc[: START - 13, young] = np.nan
    found = together(table)
    for ward in young:
        assert found[ward].model == MODEL
        assert alone(table[ward]).model == ""
        assert found[ward].cumulative.verdict == "none"
    others = np.mean([width(found[ward]) for ward in table.columns[4:]])
    assert others < np.mean([width(found[ward]) for ward in young]) < 2 * others


def test_paths_are_those_of_the_process():
    """At one point of the hyper-parameters, with months missing, a break and a share of its own in what
    is common, the paths of a ward have the mean and the covariance that the textbook gives for the
    months ahead of a Gaussian process."""
    table = simulated.draw("with gaps", SEED)
    model = weighed(table)
    point, scale, ward, broken = 5, 11, 0, 20
    model.breaks[point, ward] = broken
    model.likelihood(model.points, model.breaks)
    model.weights[:] = 0
    model.weights[:, point * len(_SCALES) + scale] = 1
    model.share[:], model.excess = 0, []  # neither a mean of zero nor outliers
    names = table.columns.tolist()
    ahead = model.centre + 0.3 * np.sin(np.arange(simulated.HORIZON))  # of what is common
    paths = model.paths(np.tile(ahead, (40_000, 1)), names, "")[ward]

    size = model.count + simulated.HORIZON
    after, held = np.arange(model.count, size), model.used[:, ward]
    months = np.r_[model.rows[held], after]
    none = np.zeros(1, int)
    parts = _parts(model.points[[point]])
    block = model.kernel.block(months, months, size)
    (covariance,) = model.kernel.covariance(parts[:, :-1], none, block)
    moves = np.r_[model.moves[held], ahead - model.centre]
    covariance += parts[0, -1] * np.outer(moves, moves)
    step = model.after_break(np.array([broken]), months)[0]
    covariance = _SCALES[scale] ** 2 * covariance + step @ step.T
    count = held.sum()
    past, across = covariance[:count, :count], covariance[:count, count:]
    weights = np.linalg.solve(past, across)
    mean = weights.T @ model.own[held, ward]
    spread = covariance[count:, count:] - across.T @ weights
    np.testing.assert_allclose(paths.mean(axis=0), mean, atol=0.01)
    np.testing.assert_allclose(np.cov(paths.T), spread, atol=0.03 * spread.max())


def test_months_missing_in_some_wards_are_no_zeros():
    """Without a tenth of its months, and with a year missing in one ward, a district is expected to
    bring about what it is expected to with them."""
    table = simulated.draw("alike", SEED + 1)
    full = together(table)
    gaps = table.copy()
    before = len(gaps.loc[: START - 1])
    gaps.iloc[:before] = gaps.iloc[:before].mask(
        np.random.default_rng(1).random((before, gaps.shape[1])) < 0.1
    )
    gaps.iloc[20:32, 0] = np.nan
    found = together(gaps)
    for ward in table:
        assert found[ward].model == MODEL
        expected = full[ward].cumulative.expected
        assert found[ward].cumulative.expected == pytest.approx(expected, rel=0.06)


def test_a_month_that_no_ward_has_is_missing():
    """A month without a figure in the whole district is no obstacle."""
    table = simulated.draw("alike", SEED)
    full = together(table)
    table.iloc[17] = np.nan
    found = together(table)
    for ward in table:
        expected = full[ward].cumulative.expected
        assert found[ward].cumulative.expected == pytest.approx(expected, rel=0.05)


def test_a_ward_apart_keeps_its_own_estimate():
    """Over some districts, a ward that shares nothing with the others is estimated about as by itself;
    a shock of the others does not reach it."""
    widths = []
    for seed in range(SEED + 1, SEED + 4):
        table = simulated.draw("one ward apart", seed)
        ward = table.columns[0]
        before = table.loc[: START - 1].index
        swing = pd.Series(0.25 * np.sin(np.arange(len(before)) / 7), before)
        others = table.columns[1:]
        table.loc[before, others] = table.loc[before, others].mul(np.exp(swing), axis=0)
        found, own = together(table)[ward], alone(table[ward])
        assert found.model == MODEL
        assert found.cumulative.expected == pytest.approx(own.cumulative.expected, rel=0.02)
        widths.append(width(found) / width(own))
    assert np.mean(widths) == pytest.approx(1, abs=0.15)


def test_a_ward_may_move_less_than_the_others():
    """A ward that has followed what is common by half is expected to go on so: where the common part
    comes higher than expected, the ward comes half as much higher."""
    table = simulated.draw("alike", SEED + 1)
    common = np.log(table).mean(axis=1)
    table["ward 01"] /= np.exp(0.5 * (common - common.mean()))
    model, names = weighed(table), table.columns.tolist()
    low = np.full((500, 12), model.centre)
    more = model.paths(low + 0.4, names, "") - model.paths(low, names, "")
    by_ward = 1 + more.mean(axis=(1, 2)) / 0.4
    assert by_ward[0] == pytest.approx(0.5, abs=0.1)
    np.testing.assert_allclose(by_ward[1:], 1.0, atol=0.25)


def test_a_wards_own_break_is_its_own():
    """A ward whose level doubled two years before stays at the new level; the others do not move."""
    table = simulated.draw("alike", SEED + 1)
    before = together(table)
    ward, *others = table.columns
    table.loc[START - 24 :, ward] *= 2
    found = together(table)
    expected = before[ward].cumulative.expected
    assert found[ward].cumulative.expected == pytest.approx(2 * expected, rel=0.1)
    for other in others:
        expected = before[other].cumulative.expected
        assert found[other].cumulative.expected == pytest.approx(expected, rel=0.05)


def test_a_clerks_slip_moves_neither_its_ward_nor_another():
    """One month a hundred times too large in one ward: the months to come are as before, and about as
    sure, there and elsewhere."""
    table = simulated.draw("alike", SEED + 1)
    before = together(table)
    ward = table.columns[0]
    table.loc[START - 9, ward] *= 100
    for name, found in together(table).items():
        expected = before[name].cumulative.expected
        assert found.cumulative.expected == pytest.approx(expected, rel=0.02)
        assert width(found) == pytest.approx(width(before[name]), rel=0.15)


def test_a_month_of_which_only_outliers_tell_is_missing(alike):
    """The two wards that have a month contradict each other beyond belief: it is as if none had it."""
    table = alike[0].copy()
    without = table.copy()
    month = START - 20
    table.loc[month, table.columns[2:]] = np.nan
    table.loc[month, table.columns[:2]] *= [40, 1 / 40]
    without.loc[month] = np.nan
    found, expected = together(table), together(without)
    for ward in table:
        assert found[ward].cumulative.expected == pytest.approx(
            expected[ward].cumulative.expected, rel=0.05
        )


def test_other_kinds_of_wards_are_estimated_alone():
    """Due dates, many months without receipts and less than a year: as `estimate` has them."""
    table = simulated.draw("alike", SEED)
    months = np.arange(len(table))
    table["due"] = np.where(months % 12 == 3, 100.0, 1.0) * (1 + months % 5)
    table["empty"] = table["ward 01"].where(months % 3 > 0, 0.0)
    table["new"] = table["ward 02"].where(table.index >= START - 11)
    found = together(table)
    assert {found[ward].model for ward in table.columns[:14]} == {MODEL}
    for ward, model in {"due": "due dates", "empty": "receipts", "new": ""}.items():
        assert found[ward].model == model
        np.testing.assert_array_equal(found[ward].paths, alone(table[ward]).paths)


def test_wards_that_are_one_another_and_a_constant_one_have_an_estimate(alike):
    """Nothing to learn of deviations, as wards are copies of each other or never move: no obstacle."""
    table, _ = alike
    same = pd.DataFrame({name: table["ward 01"] for name in "abcde"})
    for impact in together(same).values():
        assert np.isfinite(impact.paths).all()
        assert impact.cumulative.verdict == "none"
    constant = table.assign(**{"ward 01": 7.0})
    assert together(constant)["ward 01"].cumulative.verdict == "none"


def test_a_ward_whose_months_are_no_others_is_estimated_alone(alike):
    """Of a ward whose history ended before the others' began, they say nothing."""
    table, _ = alike
    past = table.set_axis(table.index - 48).iloc[:48]
    both = pd.concat([past, table])
    both.loc[both.index < START - 48, both.columns[1:]] = np.nan
    both.loc[START - 48 :, both.columns[0]] = np.nan
    found = together(both)
    assert found[table.columns[0]].model == "receipts"


def test_a_few_wards_are_estimated_alone(alike):
    """Fewer wards than say what they share are each estimated by itself."""
    table, _ = alike
    few = table.iloc[:, : FEWEST_WARDS - 1]
    for ward, impact in together(few).items():
        assert impact.model == "receipts"
        np.testing.assert_array_equal(impact.paths, alone(few[ward]).paths)


def test_a_pooled_ward_has_months_without_receipts_as_often_as_before():
    """Two months of 48 brought nothing, or a refund: about as many of those to come bring the same;
    of a ward that had none, no month does."""
    table = simulated.draw("alike", SEED)
    ward, other = table.columns[:2]
    table.iloc[[10, 33], 0] = 0.0, -5.0
    found = together(table)
    assert found[ward].model == MODEL
    assert 0.02 < (found[ward].paths <= 0).mean() < 0.09
    assert set(found[ward].paths[found[ward].paths <= 0]) == {0.0, -5.0}
    assert (found[other].paths > 0).all()


def test_the_placebo_is_that_of_the_district(alike):
    """A pooled ward's placebo tests the method that was used: all wards, from the earlier start."""
    table, found = alike
    ward = table.columns[3]
    first, last = START - 12, START - 1
    again = estimate_district(table.loc[:last], start=first, tet=TET, draws=1000, line="lease")
    window = found[ward].checks.placebo.set_index("first").loc[first]
    assert window["expected"] == pytest.approx(again[ward].cumulative.expected)
    assert window["upper"] - window["lower"] == pytest.approx(
        again[ward].cumulative.upper - again[ward].cumulative.lower
    )


def test_leaving_a_year_out_leaves_it_out_of_all_wards(alike):
    """The sensitivity to a year is that of the district without it."""
    table, found = alike
    ward = table.columns[3]
    without = table.copy()
    without.loc[START - 24 : START - 13] = np.nan
    again = estimate_district(without, start=START, tet=TET, draws=1000, line="lease")
    changed = found[ward].checks.sensitivity
    amount = changed[changed["what"] == START - 24]["amount"].item()
    assert amount == pytest.approx(again[ward].cumulative.amount)


def test_a_wards_estimate_shows_no_other_wards_figures(alike):
    """Neither an estimate nor its checks hold, when printed, a figure of another ward."""
    table, found = alike
    ward, other = table.columns[:2]
    shown = repr(found[ward]) + found[ward].table().to_csv() + found[ward].checks.table().to_csv()
    assert f"{table[ward].iloc[-1]:.6f}"[:-1] in shown
    for figure in table[other]:
        assert f"{figure:.6f}"[:-1] not in shown


def arrays_of(thing):
    """All arrays that something holds, as far as one can go from it; of a view, the whole."""
    seen, open_ends, found = set(), [thing], []
    while open_ends:
        one = open_ends.pop()
        if id(one) in seen or isinstance(one, (type, ModuleType)):
            continue
        seen.add(id(one))
        if isinstance(one, np.ndarray):
            while one.base is not None and isinstance(one.base, np.ndarray):
                one = one.base
            found.append(one)
        if not (isinstance(one, dict) and "__builtins__" in one):  # what a module holds
            open_ends += gc.get_referents(one)
    return found


def test_a_wards_estimate_holds_no_other_wards_figures(alike):
    """Nothing that hangs on an estimate, before or after its checks, has a figure of another ward."""
    table, _ = alike
    found = together(table, draws=100)
    ward, others = table.columns[0], table.columns[1:]
    paths = np.concatenate([found[other].paths[:, 0] for other in others])
    for _ in range(2):
        held = np.concatenate(
            [array.ravel() for array in arrays_of(vars(found[ward])) if array.dtype == float]
        )
        assert np.isin(table[ward], held).all()
        assert not np.isin(table[others], held).any()
        assert not np.isin(paths, held).any()
        assert len(found[ward].checks.placebo) == 2


def test_a_pickled_estimate_has_its_checks_and_no_other_wards_figures(alike):
    """A copy in another process says the same as the estimate, also of the placebo, and no more."""
    table, _ = alike
    found = together(table, draws=100)
    ward, others = table.columns[0], table.columns[1:]
    handed_on = pickle.dumps(found[ward])
    for figure in table[ward]:
        assert struct.pack("<d", figure) in handed_on
    for figure in table[others].to_numpy().ravel():
        assert struct.pack("<d", figure) not in handed_on
    copied = pickle.loads(handed_on)
    assert copied.again is None
    assert copied.silent == found[ward].silent
    assert copied.cumulative == found[ward].cumulative
    pd.testing.assert_frame_equal(copied.checks.placebo, found[ward].checks.placebo)
    pd.testing.assert_frame_equal(copied.checks.sensitivity, found[ward].checks.sensitivity)


def test_the_table_is_kept_as_long_as_one_estimate():
    """A ward's checks can be made when the other estimates are gone; then the table goes too."""
    before = len(districts._ANEW)
    one = together(simulated.draw("alike", SEED), draws=100)["ward 01"]
    assert len(districts._ANEW) == before + 1
    assert len(one.checks.placebo) == 2
    del one
    assert len(districts._ANEW) == before


def test_threads_do_not_matter(tmp_path):
    """With one thread or two in the library of linear algebra the numbers are the same."""
    here = Path(__file__).resolve().parent
    program = tmp_path / "paths.py"
    program.write_text(
        f"import sys; sys.path[:0] = {[str(here.parent), str(here / 'benchmarks')]}\n"
        "import zlib, districts\n"
        "from wardlib.analysis.districts import estimate_district\n"
        "for kind, seed, start in (('alike', 2, '2020-03'), ('with gaps', 1, '2020-03'),\n"
        "                          ('one ward apart', 1, '2018-03')):\n"
        f"    table = districts.draw(kind, {SEED} + seed)\n"
        "    found = estimate_district(table, start=start, tet=districts.TET, draws=200)\n"
        "    print(*(zlib.crc32(one.paths.tobytes()) for one in found.values()))\n",
        encoding="utf-8",
    )
    one, two = said_by_threads(program)
    assert len(one.splitlines()) == 3
    assert one == two


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.set_axis(["a"] * 14, axis=1), "the ward a comes twice"),
        (lambda table: table * [np.inf, *[1] * 13], "infinite"),
        (lambda table: table.drop(START - 5), "add a row for each that is missing"),
        (lambda table: table.loc[: START - 1], "no month 2020-03"),
        (lambda table: table["ward 01"], "the table is a Series, not a pandas DataFrame"),
        (lambda table: table.to_numpy(), "the table is a ndarray, not a pandas DataFrame"),
        (lambda table: table[[]], "the table has no wards"),
    ],
)
def test_a_table_that_is_no_district_is_refused(alike, change, said):
    """What cannot be estimated is refused in one sentence."""
    table, _ = alike
    with pytest.raises((TypeError, ValueError), match=said):
        together(change(table))


@pytest.mark.parametrize("draws", ["a", 2.5, True, 0])
def test_a_number_of_draws_that_is_none_is_refused(alike, draws):
    """As `estimate` refuses it."""
    with pytest.raises(ValueError, match="not a whole number from 1 on"):
        together(alike[0], draws=draws)


def test_a_line_that_is_no_text_is_refused(alike):
    """Its name is what the random numbers are told apart by."""
    with pytest.raises(TypeError, match="line is 3, not a text"):
        estimate_district(alike[0], start=START, line=3)
