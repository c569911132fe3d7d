"""Random office files (tests/benchmarks/intake_random.py, which tries thousands): sound ones come back
equal, and nothing that is damaged is taken in silently."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))

import intake_random

CASES = 60


@pytest.fixture(scope="module")
def results():
    return intake_random.batch(0, CASES, "test")


def told(results):
    """What the summary says, to be read where a test fails."""
    return "\n".join(intake_random.summary(results)[0])


def test_no_figure_changes_silently(results):
    """A file is taken in with the figures of its truth, or named; what cannot be known from it apart."""
    assert len(results) > CASES  # damage was tried too
    assert not [result for result in results if result.fault], told(results)


def test_few_sound_files_are_asked_about(results):
    """At most 2 of the files without a fault are asked about or refused."""
    sound = [result for result in results if not result.damage]
    assert sum(result.sound != "equal" for result in sound) <= 2, told(results)


def test_the_same_seed_draws_the_same_file():
    """A case can be had again by its seed alone, to the byte."""
    with intake_random.home() as folder:
        for number in range(8):
            once, again = (
                intake_random.written(intake_random.draw(f"test {number}", folder)) for _ in "12"
            )
            assert once == again


def test_a_contradiction_is_known_from_the_truth():
    """A changed figure contradicts the sum that it is part of; a number of pupils contradicts nothing."""
    with intake_random.home() as folder:
        cases = [intake_random.draw(f"test {number}", folder) for number in range(CASES)]
        receipts = next(case for case in cases if case.table == "receipts")
        own = intake_random.place(receipts.ward, folder)
        key = next(
            key
            for key, value in receipts.figures.items()
            if key[0] == "month" and value and value > 0
        )
        assert not intake_random._after_values(receipts, own, {})
        assert intake_random._after_values(receipts, own, {key: receipts.figures[key] + 1_000})
        schools = next(case for case in cases if case.table == "school_months")
        own = intake_random.place(schools.ward, folder)
        key = next(key for key in schools.figures if key[2] == "pupils")
        assert not intake_random._after_values(schools, own, {key: schools.figures[key] + 1})
