"""Intake: office files of many shapes and faults (tests/data/intake/make.py), each taken in, asked about
or refused as it must be, and nothing changed that is not told."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))
sys.path.insert(0, str(Path(__file__).parent / "data" / "intake"))

import intake
import make

SAMPLES = {sample.file: sample for sample in make.samples()}


@pytest.fixture(scope="module")
def still():
    """A workbook in which nothing may change."""
    with intake.workbook() as home:
        yield home


@pytest.mark.parametrize("file", SAMPLES)
def test_each_sample_comes_to_its_outcome(file, still, tmp_path):
    """Rows exactly as expected, or every place named and no other; twice is once; nothing is written
    but what was to be written."""
    path = tmp_path / file
    path.write_bytes(SAMPLES[file].data)
    wrong, _ = intake.faults(path, SAMPLES[file].about(), still)
    assert not wrong


def test_the_corpus_is_the_same_each_time(tmp_path, monkeypatch):
    """The files that the script writes are those of the tests, to the byte, but for the password's."""
    monkeypatch.setattr(sys, "argv", ["make.py", str(tmp_path)])
    make.main()
    for file, sample in SAMPLES.items():
        told = json.loads((tmp_path / f"{file}.json").read_text(encoding="utf-8"))
        assert told == json.loads(json.dumps(sample.about()))
        assert file == "22-password.xlsx" or (tmp_path / file).read_bytes() == sample.data


def test_the_corpus_is_wide():
    """At least 65 samples, of every container that an intake opens and of every outcome."""
    kinds = {Path(file).suffix for file in SAMPLES}
    assert len(SAMPLES) >= 65
    assert kinds == {".xlsx", ".xlsm", ".xls", ".ods", ".csv"}
    outcomes = [sample.outcome for sample in SAMPLES.values()]
    assert min(map(outcomes.count, ("accept", "ask", "refuse"))) >= 15
