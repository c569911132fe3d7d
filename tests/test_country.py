"""A country of wards: what is read once, what is read again, and what does not grow with their number."""

import gc
import json
import os
import shutil
import sys
import time
import tracemalloc
from collections import Counter

import pytest

from wardlib import cli
from wardlib.data import book, checks, descriptors
from wardlib.data.book import Book, open_book
from wardlib.periods import Period
from wardlib.runs import cache, plans
from wardlib.runs.plans import Job

_opened: Counter[str] | None = None


def _count(event, arguments):
    if _opened is not None and event == "open" and "/data/" in str(arguments[0]):
        _opened[str(arguments[0]).rpartition("/data/")[2]] += 1


sys.addaudithook(_count)  # for good: a hook cannot be taken out


@pytest.fixture
def opened():
    """How often each file below data/ was opened since the test began."""
    global _opened
    _opened = Counter()
    yield _opened
    _opened = None


@pytest.fixture
def country(home):
    """Makes wards like Phúc Đồng beside it, so many that there are `count` with it."""

    def make(count):
        own = home / "data" / "phuc-dong"
        shutil.rmtree(home / "data" / "philadelphia")
        described = json.loads((own / "datapackage.json").read_text("utf-8"))
        for at in range(1, count):
            ward = own.with_name(f"ward-{at:04}")
            shutil.copytree(own, ward)
            text = json.dumps(described | {"name": ward.name}, ensure_ascii=False)
            (ward / "datapackage.json").write_text(text, "utf-8")
        time.sleep(0.03)  # what was changed this very moment is read again
        return descriptors.names()

    return make


def tables(opened):
    return {file: times for file, times in opened.items() if file.endswith(".csv")}


def test_the_reference_is_read_once(country, opened):
    """However many wards are checked, and whatever is read of them after that."""
    names = country(4)
    opened.clear()
    for name in names:
        ward = descriptors.ward(name)
        assert checks.check(ward) == []
        assert book.load(ward, "receipts") is not None
    assert set(tables(opened).values()) == {1}
    assert opened["reference/datapackage.json"] <= 3
    assert opened["ward-0002/datapackage.json"] <= 2 + len(ward.tables)


def test_a_file_is_opened_once_for_all_editions_of_a_ward(home, opened):
    """The check, two periods, two days, every page's tables."""
    time.sleep(0.03)
    ward = descriptors.ward("phuc-dong")
    assert checks.check(ward) == []
    for period, as_of in (("2020-09", ""), ("2021-Q2", ""), ("2020-09", "2021-01-31")):
        edition = open_book("phuc-dong", period, as_of)
        for name in ward.tables | ward.reference.tables:
            edition.table(name)
    assert len(tables(opened)) == len(ward.tables) + len(ward.reference.tables)
    assert set(tables(opened).values()) == {1}


def test_a_job_up_to_date_opens_no_table_twice(home, opened):
    """The states of many jobs of a ward are told from one reading of its files."""
    time.sleep(0.03)
    package = cache._package(home, "phuc-dong")
    for month in range(1, 10):
        package.day(f"2020-0{month}")
        package.digest("receipts.csv", f"2020-0{month}-20")
        assert cache._package(home, "phuc-dong") is package
    assert set(tables(opened).values()) == {1}


def test_a_changed_file_is_seen(home, accept):
    """Also where its length and the time of its change are what they were."""
    path = home / "data" / "phuc-dong" / "receipts.csv"
    time.sleep(0.03)
    before = open_book("phuc-dong", "2020-09").table("receipts")
    known = path.stat()
    text = path.read_text("utf-8")
    *rows, last = text.splitlines(keepends=True)
    assert last.startswith("2021-12,")
    path.write_text("".join([*rows, last.replace("2021-12,", "2021-11,")]), "utf-8")
    os.utime(path, ns=(known.st_atime_ns, known.st_mtime_ns))
    assert checks.check(descriptors.ward("phuc-dong"))
    path.write_text("".join(rows), "utf-8")
    accept()
    after = book.load(descriptors.ward("phuc-dong"), "receipts", every_report=True)
    assert len(after) == len(rows) - 1
    assert len(before) < len(after)


def test_what_a_cell_changes_no_other_edition_sees(home):
    """A frame belongs to whoever asked for it, though it was made once."""
    period, ward = Period.parse("2020-09"), descriptors.ward("phuc-dong")
    own, other = Book(ward, period, None), Book(ward, period, None)
    mine, before = own.table("receipts"), other.table("receipts").copy()
    mine["collected"] = 0
    mine.loc[0, "kept"] = -1.0
    del mine["status"]
    with pytest.raises(ValueError, match="read-only"):
        own.table("receipts")["kept"].to_numpy()[0] = -1
    for edition in (own, other, Book(ward, period, None)):
        assert edition.table("receipts").equals(before)


def test_check_knows_all_wards(country, monkeypatch, capsys):
    """--ward all checks what no --ward checks; list tells each ward."""
    names = country(3)
    told = []
    for words in (["check"], ["check", "--ward", "all"], ["list"]):
        monkeypatch.setattr(sys, "argv", ["ward", *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert not end.value.code
        told.append(capsys.readouterr().out)
    assert told[0] == told[1]
    for out in told:
        assert [line.split(":")[0] for line in out.splitlines()[:3]] == names


def test_a_plan_takes_no_room(home):
    """48,000 jobs are made as they are asked for."""
    tracemalloc.start()
    asked = plans.plan(
        ["1900-01..2099-12"], wards=["phuc-dong", "philadelphia"], languages=["vi", "en"],
    )  # fmt: skip
    gc.collect()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    assert sum(1 for _ in asked) == len(asked) == 48_000
    grown = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert grown < 100_000
    first = next(iter(asked))
    assert first in asked and Job("none", *(first.ward, first.period, "vi", "")) not in asked


def test_wards_take_no_room(country):
    """What is remembered of the wards before is bounded, however many have been looked at."""
    names = country(12)
    gc.collect()
    before = gc.get_objects()  # of tests that ran in this process; held, so that no id comes again
    known = set(map(id, before))
    for name in names:
        cache._package(descriptors.home(), name).day("2021-06")
        assert checks.check(descriptors.ward(name)) == []
    gc.collect()
    kinds = Counter(type(own).__name__ for own in gc.get_objects() if id(own) not in known)
    assert max(kinds[kind] for kind in ("Ward", "_Package", "Shelf")) < 12
    assert kinds["Records"] < 150, "of the 290 that were read"


def test_room_is_what_jobs_took(home):
    """By the records of its notebook; a notebook without one counts for a good deal."""
    for name, bytes_ in (("a", 100), ("b", 300)):
        folder = home / "output" / "phuc-dong" / name / "90-briefing.vi"
        folder.mkdir(parents=True)
        record = {"bytes": {"90-briefing.vi.html": bytes_, "figures.json": 11}}
        (folder / "run.json").write_text(json.dumps(record), "utf-8")
    (folder.parent / "00-data-check.vi").mkdir()
    (folder.parent / "00-data-check.vi" / "run.json").write_text("[]", "utf-8")
    sizes = cache.sizes()
    assert sizes["90-briefing"] == 311
    assert sizes["00-data-check"] == cache._USUAL
