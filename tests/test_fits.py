"""Fits are kept between runs, and a file in the cache is never trusted beyond its digest."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wardlib.analysis import counterfactual, relief, remembered
from wardlib.runs import fits

START = pd.Period("2020-02", "M")
DIGEST = hashlib.sha256(b"a fit").hexdigest()
MADE = np.random.default_rng(1).random((50, 24))


@pytest.fixture(autouse=True)
def nothing_remembered():
    """Memory is empty and has no store, before and after."""
    remembered.attach(None)
    remembered.forget()
    yield
    remembered.attach(None)
    remembered.forget()


@pytest.fixture
def store(tmp_path):
    return fits.Fits(tmp_path / "fits")


def series(seed, *, months=84, lumpy=False):
    """Amounts from 2014-01: smooth ones, or such of two due dates a year."""
    rng, time = np.random.default_rng(seed), np.arange(months)
    amounts = np.exp(16 + 0.04 * time / 12 + rng.normal(0, 0.1, months))
    if lumpy:
        amounts *= np.isin(time % 12, [4, 9])
    return pd.Series(amounts, pd.period_range("2014-01", periods=months, freq="M"))


def estimates():
    """Estimates of each kind, made anew: of a line, of one of due dates, of their sum."""
    one, other = series(1), series(2, lumpy=True)
    parts = [
        counterfactual.estimate(own, start=START, line=name)
        for own, name in ((one, "one"), (other, "other"))
    ]
    return [*parts, counterfactual.total(one + other, parts)]


def told(found):
    """All numbers of estimates."""
    return [
        (
            *(one.paths.tobytes(), one.paths.strides, one.silent, one.checks.error),
            *(str(table.to_dict()) for table in (one.checks.placebo, one.checks.sensitivity)),
        )
        for one in found
    ]


class Counted:
    """A store that counts what is asked of it."""

    def __init__(self, store):
        self.store, self.found, self.put_in = store, 0, 0

    def get(self, digest):
        made = self.store.get(digest)
        self.found += made is not None
        return made

    def put(self, digest, made):
        self.put_in += 1
        self.store.put(digest, made)


def test_a_kept_fit_is_that_which_was_made(store):
    """Paths, placebo and sensitivity are the same bytes without a store, put into one, and out of it; a second
    process makes none anew, and checks are kept without the paths behind them."""
    plain = told(estimates())
    counted = Counted(store)
    remembered.attach(counted)
    remembered.forget()
    assert told(estimates()) == plain
    # Paths of two lines, and of two and their sum the placebo and the sensitivity.
    assert (counted.found, counted.put_in) == (0, 8)
    remembered.forget()
    assert told(estimates()) == plain
    assert (counted.found, counted.put_in) == (8, 8)


def test_what_memory_has_is_not_looked_for(store):
    """A fork of a process that has an estimate reads no file for it."""
    counted = Counted(store)
    remembered.attach(counted)
    estimates()
    before = counted.found, counted.put_in
    assert told(estimates())[0][:2] == told(estimates())[0][:2]
    remembered.attach(Counted(fits.Fits(store.folder / "another")))
    estimates()
    assert (counted.found, counted.put_in)[0] == before[0]


@pytest.mark.parametrize(
    "changed",
    [
        {"line": "another"},
        {"draws": 500},
        {"tet": ["2019-02-05", "2020-01-25"]},
        {"start": START - 1},
        {"exempt": ["2019-05"]},
        {},
    ],
    ids=lambda changed: next(iter(changed), "history"),
)
def test_another_history_or_option_is_another_fit(changed):
    """Nothing of what an estimate is made of may change without another estimate."""
    own = series(1)
    how = {"start": START, "line": "one"} | changed
    counterfactual.estimate(own, start=START, line="one").checks  # noqa: B018 - is remembered
    if not changed:
        own.iloc[30] += 1
    remembering = counterfactual.estimate(own, **how)
    checks = remembering.checks
    remembered.forget()
    anew = counterfactual.estimate(own, **how)
    assert remembering.paths.tobytes() == anew.paths.tobytes()
    assert str(checks) == str(anew.checks)


def test_a_later_month_leaves_a_kept_placebo_and_changes_the_sensitivity():
    """The placebo hangs on the history alone, the sensitivity on what came since too."""
    own = series(1)
    counterfactual.estimate(own[:"2020-06"], start=START).checks  # noqa: B018 - is remembered
    own["2020-04"] += 1e6
    later = counterfactual.estimate(own, start=START).checks
    remembered.forget()
    assert str(later) == str(counterfactual.estimate(own, start=START).checks)


def test_what_is_handed_out_can_be_written_to():
    """Who changes the paths of an estimate changes nobody else's."""
    first, second = (counterfactual.estimate(series(1), start=START) for _ in range(2))
    first.paths[:] = 0
    assert (second.paths > 0).all()
    assert (counterfactual.estimate(series(1), start=START).paths > 0).all()


def test_memory_is_bounded_and_what_was_used_last_stays(monkeypatch):
    """Beyond its bytes, what was not asked for longest is forgotten."""
    monkeypatch.setattr(remembered, "MOST", 3 * MADE.nbytes)
    made = []

    def ask(name):
        remembered.recall(lambda: made.append(name) or MADE.copy(), (50, 24), name)

    for name in "abcadabe":
        ask(name)
    assert made == ["a", "b", "c", "d", "b", "e"]


def test_a_hundred_lines_find_all_their_fits(monkeypatch):
    """However many lines a ward has, a second look makes none anew."""
    lines = {str(line): series(line) for line in range(100)}
    whole = pd.DataFrame(lines)
    counterfactual.estimate_all(whole, start=START, draws=50)
    monkeypatch.setattr(counterfactual.monthly, "_simulate", None)
    counterfactual.estimate_all(whole, start=START, draws=50)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:40],
        lambda data: data[:-1],
        lambda data: data + b"0",
        lambda data: data[:500] + bytes([data[500] ^ 1]) + data[501:],
        lambda data: b"#!/bin/sh\n" * 50,
    ],
    ids=["empty", "cut", "shorter", "longer", "a bit", "foreign"],
)
def test_a_damaged_file_is_ignored_and_replaced(store, damage):
    """A file that is not what its digest says is none."""
    store.put(DIGEST, MADE)
    (file,) = store.folder.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert store.get(DIGEST) is None
    store.put(DIGEST, MADE)
    np.testing.assert_array_equal(store.get(DIGEST), MADE)


def test_a_file_of_another_name_is_foreign(store):
    """A sound file under the name of another is ignored; so are a folder and a pipe of that name."""
    other = hashlib.sha256(b"another").hexdigest()
    store.put(DIGEST, MADE)
    (file,) = store.folder.iterdir()
    place = store._file(other)
    file.rename(place)
    assert store.get(other) is None
    place.unlink()
    place.mkdir()
    assert store.get(other) is None
    store.put(other, MADE)
    assert store.get(other) is None
    place.rmdir()
    os.mkfifo(place)
    assert store.get(other) is None


@pytest.mark.parametrize(
    "foreign",
    [MADE[:, :12].copy(), MADE.astype("float32"), MADE.astype(object), MADE[::2, ::2], MADE[None]],
    ids=["months", "single", "objects", "draws", "dimensions"],
)
def test_an_array_of_another_shape_is_not_taken(store, foreign):
    """What comes out of a store is asked for its type and shape; objects are never unpickled."""
    remembered.attach(store)
    file = store._file(hashlib.sha256(repr(("x",)).encode()).hexdigest())
    store.folder.mkdir()
    with file.open("wb") as out:
        np.lib.format.write_array(out, foreign)
    data = file.read_bytes()
    file.write_bytes(fits._seal(file, data) + data)
    found = remembered.recall(MADE.copy, (50, 24), "x")
    np.testing.assert_array_equal(found, MADE)
    remembered.forget()
    np.testing.assert_array_equal(remembered.recall(lambda: None, (50, 24), "x"), MADE)


def test_other_code_makes_its_own_fits(store, monkeypatch):
    """What another version of the analysis kept is not used; a changed file of it or library is one."""
    store.put(DIGEST, MADE)
    assert fits.Fits(store.folder, "another").get(DIGEST) is None
    assert fits.Fits(store.folder).get(DIGEST) is not None
    before = fits._estimator()
    assert before == fits.ESTIMATOR
    digest = fits.provenance.digest
    for name in ("sobol.npy", "local_level.py", "counterfactual.py", "periods.py", "disclosure.py"):
        monkeypatch.setattr(
            fits.provenance,
            "digest",
            lambda file, name=name: digest(file) + (file.name == name) * "+",
        )
        assert fits._estimator() != before
    monkeypatch.setattr(fits.provenance, "digest", digest)
    exponential = fits.np.exp
    monkeypatch.setattr(fits.np, "exp", lambda given: exponential(given) * (1 + 2**-52))
    assert fits._estimator() != before  # of a machine that calculates otherwise
    monkeypatch.setattr(fits.np, "exp", exponential)
    monkeypatch.setattr(fits.importlib.metadata, "version", lambda name: "0")
    assert fits._estimator() != before


def test_what_was_not_used_for_longest_goes_first(store, monkeypatch):
    """A sweep leaves what was used last within the bound, and files that are nobody's business."""
    digests = [hashlib.sha256(bytes([number])).hexdigest() for number in range(6)]
    for age, digest in enumerate(digests):
        store.put(digest, MADE)
        os.utime(store._file(digest), (1000 - age, 1000 - age))
    (store.folder / "notes.txt").write_text("mine")
    store.get(digests[5])
    monkeypatch.setattr(fits, "MOST", 3 * store._file(digests[0]).stat().st_size)
    store.sweep()
    assert [number for number, digest in enumerate(digests) if store.get(digest) is not None] == [
        0,
        1,
        5,
    ]
    assert (store.folder / "notes.txt").exists()


def test_the_folder_stays_within_its_bound(store, monkeypatch):
    """Nobody needs to call for a sweep: what is put in has the folder swept now and then."""
    monkeypatch.setattr(fits, "MOST", 20 * MADE.nbytes)
    for number in range(600):
        store.put(hashlib.sha256(str(number).encode()).hexdigest(), MADE)
    assert len(list(store.folder.iterdir())) < 250


def test_processes_at_once_do_no_harm(store):
    """Four processes that put and read the same fits at once all get what was made; no draft is left."""
    program = """
import hashlib, sys
import numpy as np
from pathlib import Path
from wardlib.runs import fits
store = fits.Fits(Path(sys.argv[1]))
for round in range(60):
    for number in range(5):
        digest = hashlib.sha256(bytes([number])).hexdigest()
        made = np.full((40, 24), float(number))
        found = store.get(digest)
        assert found is None or (found == made).all()
        store.put(digest, made)
        if round % 7 == 0:
            store._file(digest).unlink(missing_ok=True)
"""
    running = [subprocess.Popen([sys.executable, "-c", program, store.folder]) for _ in range(4)]
    assert [one.wait() for one in running] == [0] * 4
    assert all(len(file.name) == 64 for file in store.folder.iterdir())


@pytest.mark.parametrize("kind", ["a file", "read-only", "gone"])
def test_where_nothing_can_be_kept_all_goes_on(tmp_path, kind, monkeypatch, capfd):
    """An unusable folder, and one deleted on the way: the same estimates, and no word."""
    plain = told(estimates())
    remembered.forget()
    folder = tmp_path / "cache"
    if kind == "a file":
        folder.write_text("")
    elif kind == "read-only":  # to root too
        folder = Path("/proc/fits")
    monkeypatch.setenv("WARDLIB_CACHE", str(folder))
    fits.attach()
    if kind == "gone":
        estimates()
        for file in (folder / "fits").iterdir():
            file.unlink()
        (folder / "fits").rmdir()
        remembered.forget()
    assert told(estimates()) == plain
    assert capfd.readouterr() == ("", "")


def test_a_draft_that_cannot_be_finished_is_not_left(store, monkeypatch):
    """A disk that is full in the middle leaves neither a fit nor a draft."""

    def full(self, data):
        with self.open("wb") as out:
            out.write(data[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fits.Path, "write_bytes", full)
    store.put(DIGEST, MADE)
    assert list(store.folder.iterdir()) == []
    assert store.get(DIGEST) is None


def test_without_a_home_nothing_is_kept(tmp_path, monkeypatch):
    """Where the user has no home, no folder of that name is made where the run happens to be."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WARDLIB_CACHE", raising=False)
    home = Path("~/.cache/wardlib")
    monkeypatch.setattr(fits.platformdirs, "user_cache_path", lambda *_, **__: home)
    fits.attach()
    estimates()
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_is_the_same_with_kept_fits(store):
    """What may have been paid early is an estimate of its own, which is kept too."""
    rule = relief.Rule(
        *(
            "d",
            relief.DEFERRAL,
            "",
            START,
            START + 2,
            pd.Timestamp("2020-07-31"),
            0.2,
            0.6,
            "",
            START - 2,
        )
    )

    def split():
        impact = counterfactual.estimate(series(3), start=START, line="x")
        return relief.ledger(impact, [rule]).split(START, START + 4)

    plain = split()
    counted = Counted(store)
    remembered.attach(counted)
    remembered.forget()
    assert split() == plain
    remembered.forget()
    assert split() == plain
    assert counted.found == counted.put_in == 2
