"""What runs again and what does not: rows, code, words, packages, damage."""

import datetime
import hashlib
import json
import os
import re
import shutil
import threading
import time

import pandas as pd
import pytest
from test_journal import tails

from wardlib import provenance
from wardlib.data import checks, descriptors, disclosure, journal
from wardlib.data.book import open_book
from wardlib.errors import DataError
from wardlib.runs import cache, execution, runs
from wardlib.runs.execution import Limits
from wardlib.runs.plans import Job, output, plan

LIMITS = Limits(120, 600)


PAST = "2021-04-11"
PERIODS = "2021-03", "2021-06", "2021-Q2"


def job(period="2021-03", notebook="00-data-check", as_of=""):
    return Job(notebook, "phuc-dong", period, "en", as_of)


def execute(asked, limits=LIMITS, **options):
    """Execute a job in this process, as a job's own process does."""
    work = execution.folder(asked, output())
    try:
        return execution.execute(asked, work, limits, **options)
    finally:
        shutil.rmtree(work)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A workbook in which the jobs of three periods have run, and one as of a day."""
    home = tmp_path_factory.mktemp("cache")
    for name in ("data/reference", "data/phuc-dong", "data/philadelphia", "notebooks"):
        shutil.copytree(descriptors.home() / name, home / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WARDLIB_HOME", str(home))
        output().mkdir()
        for period in PERIODS:
            assert execute(job(period)) is None
        assert execute(job(as_of=PAST)) is None
    return home


@pytest.fixture
def home(made, tmp_path, monkeypatch):
    """A copy of that workbook to spoil, its jobs as old as they are."""
    folder = tmp_path / "workbook"
    shutil.copytree(made, folder)
    for marker in folder.rglob("run.json"):  # a marker is written last, in a copy too
        marker.write_bytes(marker.read_bytes())
    monkeypatch.setenv("WARDLIB_HOME", str(folder))
    return folder


def states():
    return {period: cache.state(job(period)) for period in PERIODS}


def test_what_has_run_is_current(home):
    assert set(states().values()) == {cache.CURRENT}
    assert cache.state(job("2021-04")) == cache.STALE


def test_a_row_makes_stale_the_jobs_that_read_it(home, accept):
    """A row of May: March, known on 12/04, has not read it, June and the second quarter have."""
    path = home / "data" / "phuc-dong" / "receipts.csv"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if line.startswith("2021-05"))
    path.write_text("".join([*lines[:at], *lines[at + 1 :]]), "utf-8")
    accept()
    assert states() == {
        "2021-03": cache.CURRENT,
        "2021-06": cache.STALE,
        "2021-Q2": cache.STALE,
    }


def test_a_row_of_a_later_month_counts_if_it_was_known(home, accept):
    """April's estimate of 11/04 was known on March's day, 12/04, and on the day asked for."""
    path = home / "data" / "phuc-dong" / "receipts.csv"
    text = path.read_text("utf-8")
    row = next(line for line in text.splitlines() if re.match("2021-04,.*2021-04-11", line))
    path.write_text(text.replace(row + "\n", ""), "utf-8")
    accept()
    assert cache.state(job()) == cache.state(job(as_of=PAST)) == cache.STALE


def test_a_later_month_makes_nothing_stale(home, accept):
    """The clerk appends a month: the papers of earlier ones stand, and a run would make them again."""
    before = {file.name: file.read_bytes() for file in job().folder.iterdir()}
    with (home / "data" / "phuc-dong" / "receipts.csv").open("a", encoding="utf-8") as file:
        file.write("2022-01,total,1,1,actual,2022-02-08\n")
    accept()
    assert set(states().values()) == {cache.CURRENT}
    assert cache.state(job(as_of=PAST)) == cache.CURRENT
    assert execute(job()) is None
    assert {file.name: file.read_bytes() for file in job().folder.iterdir()} == before


def test_a_file_that_came_in_later_makes_nothing_stale(home):
    """A later month is taken in with where it came from; papers that have read these tables stand too."""
    book = open_book("phuc-dong", "2021-03")
    read = {name: book.table(name) is not None for name in ("received", "origins")}
    assert all(read.values())
    marker = job().folder / "run.json"
    made = json.loads(marker.read_text("utf-8"))
    made["data"] |= book.digests
    marker.write_text(json.dumps(made), "utf-8")
    assert set(states().values()) == {cache.CURRENT}
    journal.append(book.ward, tails(), {}, datetime.date(2022, 3, 1))
    assert set(states().values()) == {cache.CURRENT}
    assert cache.state(job(as_of=PAST)) == cache.CURRENT
    own = open_book("phuc-dong", "2022-01")
    assert len(own.table("origins")) == len(own.table("receipts")[-13:]) == 13


def test_rows_count_from_the_step_on(home, monkeypatch):
    """A run that looks while rows are being appended finds its papers current, and stale once they are in."""
    own = job(as_of="2022-12-31")
    assert execute(own) is None
    seen, record = [cache.state(own)], journal.record

    def looked_at(*words):
        seen.append(cache.state(own))
        record(*words)
        seen.append(cache.state(own))

    monkeypatch.setattr(journal, "record", looked_at)
    journal.append(descriptors.ward("phuc-dong"), tails(), {}, datetime.date(2022, 3, 1))
    assert seen == [cache.CURRENT, cache.CURRENT, cache.STALE]


def test_a_correction_makes_stale_the_papers_that_it_dates(home, accept):
    """Schools correct May on a day on which nothing else came: June's paper of the targets, which read
    no schools, bears that day from then on; March's, and the one of a day asked for, stand."""
    own = job("2021-06", "30-targets")
    assert execute(own) is None
    assert cache.state(own) == cache.CURRENT
    made = json.loads((own.folder / "run.json").read_text("utf-8"))
    assert made["day"] == "2021-07-12"
    assert "data/phuc-dong/school_months.csv" not in made["data"]
    path = home / "data" / "phuc-dong" / "school_months.csv"
    text = path.read_text("utf-8")
    row = next(line for line in text.splitlines() if line.startswith("2021-05"))
    path.write_text(f"{text}{row.rpartition(',')[0]},2021-07-13\n", "utf-8")
    accept()
    assert cache.state(own) == cache.STALE
    assert cache.state(job()) == cache.state(job(as_of=PAST)) == cache.CURRENT


def with_row(row):
    return lambda path: path.write_bytes(path.read_bytes() + row)


def into_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (with_row(b"2022-01,total\n"), "2 cells"),
        (with_row(b"2022-01\n"), "1 cell\n"),
        (with_row(b"2022-01,total,1,1,actual,2022-02-08,x\n"), "7 cells"),
        (with_row(b"2022-01,to\0tal,1,1,actual,2022-02-08\n"), "byte 0x00"),
        (with_row(b"2022-01,\xff,1,1,actual,2022-02-08\n"), "byte 0xff"),
        (with_row(b'2022-01,"total\n'), "unexpected end of data"),
        (lambda path: path.write_bytes(b""), "an empty file"),
        (lambda path: path.write_bytes(b"\n"), "an empty file"),
        (lambda path: path.write_bytes(path.read_bytes().partition(b"\n")[0] + b"\n"), "no line"),
        (into_folder, "a folder"),
    ],
    ids=["short", "shorter", "long", "nul", "encoding", "quote", "empty", "line-end", "header", "folder"],
)  # fmt: skip
def test_a_damaged_file_makes_stale_and_the_run_tells_its_fault(home, damage, fault):
    """Whatever row is damaged, and for a job as of a day too: never current, never a traceback."""
    damage(home / "data" / "phuc-dong" / "receipts.csv")
    for own in (job(), job(as_of=PAST)):
        assert cache.state(own) == cache.STALE
        with pytest.raises(DataError, match=fault):
            list(runs.run([own], workers=1))
    assert cache.state(job(as_of=PAST)) == cache.STALE


def test_a_descriptor_counts_but_for_its_hashes(home):
    path = home / "data" / "phuc-dong" / "datapackage.json"
    raw = json.loads(path.read_text("utf-8"))
    raw["resources"][0]["hash"] = "sha256:" + "0" * 64
    path.write_text(json.dumps(raw), "utf-8")
    assert set(states().values()) == {cache.CURRENT}
    raw["ward"]["name_vi"] = "Phường khác"
    path.write_text(json.dumps(raw), "utf-8")
    assert set(states().values()) == {cache.STALE}


def test_code_makes_stale_and_words_ask_for_an_export(home):
    """An edit of prose takes the outputs of the last run; one of code does not."""
    path = home / "notebooks" / "00-data-check.ipynb"
    text = path.read_text("utf-8")
    path.write_text(text.replace("# Data check", "# Check of the data"), "utf-8")
    assert path.read_text("utf-8") != text
    assert set(states().values()) == {cache.PROSE}
    before = json.loads((job().folder / "00-data-check.en.ipynb").read_text("utf-8"))
    assert execute(job(), prose=True) is None
    assert cache.state(job()) == cache.CURRENT
    after = json.loads((job().folder / "00-data-check.en.ipynb").read_text("utf-8"))
    assert [c for c in after["cells"] if c["cell_type"] == "code"] == [
        c for c in before["cells"] if c["cell_type"] == "code"
    ]
    assert "Check of the data" in (job().folder / "00-data-check.en.html").read_text("utf-8")
    path.write_text(text.replace("book.tax.months_table()", "None"), "utf-8")
    assert set(states().values()) == {cache.STALE}


def test_rewording_gives_what_a_run_gives(home):
    """Re-exporting and running anew leave the same bytes."""
    path = home / "notebooks" / "00-data-check.ipynb"
    path.write_text(path.read_text("utf-8").replace("# Data check", "# Check of the data"), "utf-8")

    def made():
        return {file.name: file.read_bytes() for file in job().folder.iterdir()}

    assert execute(job(), prose=True) is None
    reworded = made()
    assert execute(job()) is None
    assert made() == reworded


@pytest.mark.parametrize("name", ["00-data-check.en.pdf", "00-data-check.en.html", "figures.json"])
def test_a_harmed_output_is_made_again(home, name):
    """Cut short, changed in one place, or gone."""
    file = job().folder / name
    whole = file.read_bytes()
    for harmed in (whole[:-1], b"x" + whole[1:], b""):
        file.write_bytes(harmed)
        assert cache.state(job()) == cache.STALE
    file.write_bytes(whole)
    assert cache.state(job()) == cache.CURRENT
    file.unlink()
    assert cache.state(job()) == cache.STALE


def test_harm_is_seen_whatever_was_touched_since(home):
    """A file of another size, or a marker that is newer than its job, is looked at closely."""
    pdf, marker = job().folder / "00-data-check.en.pdf", job().folder / "run.json"
    whole = pdf.read_bytes()
    pdf.write_bytes(b"broken")
    marker.write_bytes(marker.read_bytes())
    assert cache.state(job()) == cache.STALE
    pdf.write_bytes(b"x" + whole[1:])
    os.utime(pdf, (1, 1))
    marker.write_bytes(marker.read_bytes())
    late = time.time() + 60
    os.utime(marker, (late, late))
    assert cache.state(job()) == cache.STALE


def test_what_is_edited_while_it_runs_is_not_recorded(home):
    """The record says what ran: an edit made meanwhile makes the job stale."""
    path = home / "notebooks" / "00-data-check.ipynb"
    text = path.read_text("utf-8")
    slow = text.replace("book.tax.months_table()", "import time; time.sleep(3)")
    path.write_text(slow, "utf-8")

    def edit():
        while not any(output().glob("00-data-check.en.*/evidence")):
            time.sleep(0.01)
        time.sleep(1)
        path.write_text(text, "utf-8")

    thread = threading.Thread(target=edit)
    thread.start()
    assert execute(job()) is None
    thread.join()
    assert cache.state(job()) == cache.STALE
    path.write_text(slow, "utf-8")
    assert cache.state(job()) == cache.CURRENT


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"parameters": null}', "\x00"])
def test_a_harmed_record_is_no_record(home, text):
    (job().folder / "run.json").write_text(text, "utf-8")
    assert cache.state(job()) == cache.STALE


def test_other_packages_make_stale(home, monkeypatch):
    other = provenance.versions() | {"pandas": "0"}
    monkeypatch.setattr(provenance, "versions", lambda: other)
    assert set(states().values()) == {cache.STALE}


def test_a_failure_leaves_what_was_published(home):
    """The last good briefing stands beside the evidence."""
    before = {file.name: file.read_bytes() for file in job().folder.iterdir()}
    path = home / "notebooks" / "00-data-check.ipynb"
    path.write_text(path.read_text("utf-8").replace("book.tax.months_table()", "1 / 0"), "utf-8")  # fmt: skip
    failure = execute(job())
    assert failure.error == "ZeroDivisionError: division by zero"
    assert {file.name: file.read_bytes() for file in job().folder.iterdir()} == before
    assert {file.name for file in job().failed.iterdir()} == {"00-data-check.en.ipynb", "run.json"}
    assert sorted(path.name for path in output().iterdir()) == ["phuc-dong"]


def test_a_hung_cell_is_ended_and_named(home):
    """Time limits by cell and by job; the evidence says where it was."""
    path = home / "notebooks" / "00-data-check.ipynb"
    path.write_text(
        path.read_text("utf-8").replace("book.tax.months_table()", "import time; time.sleep(60)"),
        "utf-8",
    )  # fmt: skip
    for limits in (Limits(4, 600), Limits(60, 6)):
        failure = execute(job(), limits)
        assert failure.error.startswith("the time is over")
        assert failure.cell == "missing-table"
        assert (home / failure.file).is_file()


@pytest.mark.parametrize(
    ("name", "text", "as_of"),
    [
        ("phuc-dong", "2019-06", ""),
        ("phuc-dong", "2019-06", "2019-07-11"),
        ("phuc-dong", "2020-Q3", "2020-09-13"),
        ("phuc-dong", "2021", ""),
        ("philadelphia", "2019-06", ""),
        ("philadelphia", "2021", "2023-01-01"),
    ],
)
def test_the_digest_is_of_the_rows_that_are_read(name, text, as_of):
    """Of every table: the header and the lines that a reader of that day is given."""
    book = open_book(name, text, as_of)
    ward = book.ward
    for table in (ward.tables | ward.reference.tables).values():
        seen, _ = checks.typed(ward, table)
        for column in {"reported_on", "published_on"} & set(seen):
            seen = seen[seen[column] <= pd.Timestamp(book.day)]
        lines = table.path.read_text("utf-8").splitlines(keepends=True)
        text = "".join([lines[0], *(lines[row - 1] for row in seen.index)])
        digest = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
        given = book.table(table.name, every_report=True)
        own = ward.table(table.name) is table  # else it is the one that the ward's own replaces
        if own:
            assert book.digests[table.file] == digest, table.name
            seen = disclosure.disclosed(table, seen.reset_index(drop=True))
            pd.testing.assert_frame_equal(given, seen)


def test_spans_and_lists_make_every_combination(home):
    jobs = plan(
        ["2020-01..2020-03", "2020-Q1", "2020-02"], wards=["all"], languages=["vi", "en"],
        notebooks=["90-briefing"],
    )  # fmt: skip
    assert len(jobs) == len(set(jobs)) == 2 * 2 * 4
    assert {item.ward for item in jobs} == {"philadelphia", "phuc-dong"}
