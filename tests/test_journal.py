"""The journal: rows of several tables are taken in by one step, whatever ends it, and nothing of it counts
before."""

import datetime
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from spoken import heard
from test_acceptance import another_user, contents

from wardlib.data import acceptance, checks, descriptors, journal, reading
from wardlib.data.book import open_book
from wardlib.errors import DataError

ROOT = Path(__file__).parent.parent
DAY = datetime.date(2022, 3, 1)
FILE = "0" * 64
# Of January 2022, which the shipped tables lack: all lines of the receipts, and where they came from.
LINES = [
    "total", "nonstate", "nonstate_vat", "nonstate_pit", "nonstate_sct", "land_tax", "licence_fee",
    "registration_fee", "pit", "land_rent", "fees", "public_land", "other",
]  # fmt: skip


def tails(day="2022-02-10", file=FILE):
    """A report of January 2022, every line of it 0, from one file."""
    rows = {
        "receipts": [f"2022-01,{line},0,0,actual,{day}" for line in LINES],
        "received": [f'{file},"Báo cáo, tháng 1.xlsx",{day},xlsx,,,Sheet1!A5:E20,triệu đồng,'],
        "origins": [
            f"receipts,2022-01,,{line},collected,{day},{file},Sheet1,E{9 + at},0,false"
            for at, line in enumerate(LINES)
        ],
    }
    return {name: ("\n".join(own) + "\n").encode() for name, own in rows.items()}


def append(own=None, originals=None):
    try:
        journal.append(descriptors.ward("phuc-dong"), own or tails(), originals or {}, DAY)
    except DataError as error:
        heard(error.problems)
        raise


def problems(**words):
    return heard(checks.check(descriptors.ward("phuc-dong"), **words))


@pytest.fixture
def folder(home):
    return home / "data" / "phuc-dong"


def test_rows_of_several_tables_are_taken_in_by_one_step(folder, home):
    """They stand at the ends, are recorded as accepted on that day with their copies, and the file that
    they came in is kept; nothing else has changed, and the next acceptance has nothing to say."""
    before = contents(home)
    append(originals={"Báo cáo.XLSX": b"PK"})
    described = json.loads((folder / "datapackage.json").read_text("utf-8"))
    for own in described["resources"]:
        path = folder / own["path"]
        was = before.pop(path)
        assert path.read_bytes() == was + tails().get(own["name"], b"")
        if own["name"] in tails():
            assert own["accepted_on"] == "2022-03-01"
            assert (folder / ".accepted" / own["path"]).read_bytes() == path.read_bytes()
    assert (folder / "received" / journal.kept_as("x.xlsx", b"PK")).read_bytes() == b"PK"
    assert all(path.read_bytes() == data for path, data in before.items() if path.suffix != ".json")
    assert not list(folder.rglob("*.partial")) + list(folder.rglob("journal.json"))
    assert problems() == []
    assert acceptance.record(acceptance.propose([descriptors.ward("phuc-dong")]), DAY) == []


def test_the_same_file_is_kept_once(folder):
    """Under what it hashes to, with the ending of its name, whatever else stands there."""
    for name in ("a.xlsx", "../b.xlsx", "c.x/y", "d"):
        append(tails(f"2022-02-1{len(name) % 10}"), {name: b"one"})
    names = sorted(path.name for path in (folder / "received").iterdir())
    assert names == [journal.kept_as("d", b"one"), journal.kept_as("a.xlsx", b"one")]


def test_what_a_tail_would_break_is_told_before(folder):
    """With `tails` the tables are checked as they would be, rows told as in the longer file; nothing is
    written, and a file that has changed is named all the same."""
    assert problems(tails=tails(), day=DAY) == []
    own = tails()
    own["receipts"] = own["receipts"].replace(b"2022-01,nonstate,0,", b"2022-01,nonstate,7,")
    own["origins"] += b"receipts,2022-02,,total,collected,2022-02-10,ff,S,E9,,false\n"
    found = problems(tails=own, day=DAY)
    last = (folder / "receipts.csv").read_bytes().count(b"\n")
    assert [(p.file, p.row, p.column, p.kind) for p in found] == [
        ("data/phuc-dong/origins.csv", 15, "file", ""),
        ("data/phuc-dong/origins.csv", 15, "item", ""),
        ("data/phuc-dong/receipts.csv", last + 1, "collected", "total_mismatch"),
        ("data/phuc-dong/receipts.csv", last + 2, "collected", "total_mismatch"),
    ]  # fmt: skip
    with (folder / "targets.csv").open("ab") as file:
        file.write(b"2021,total,ward,1,2022-01-05\n")
    told = [
        p.found for p in problems(tails={"targets": b"2022,total,ward,1,2022-01-05\n"}, day=DAY)
    ]
    assert told == ["1 row not accepted"]


def test_a_missing_line_end_is_made_up_for(folder, accept):
    """The last accepted row is not lengthened, neither in the check nor in the file."""
    path = folder / "receipts.csv"
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    accept()
    assert problems(tails=tails(), day=DAY) == []
    was = path.read_bytes()
    append()
    assert path.read_bytes() == was + b"\n" + tails()["receipts"]
    assert problems() == []


def without_arrivals(folder):
    """The descriptor as that of a ward that never took in a file."""
    path = folder / "datapackage.json"
    described = json.loads(path.read_text("utf-8"))
    described["resources"] = described["resources"][:-2]
    path.write_text(json.dumps(described, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    for name in ("received", "origins"):
        (folder / f"{name}.csv").unlink()


def test_a_ward_without_these_tables_gets_them(folder):
    """With the first file: described as in every ward; what its papers were made of is the same."""
    was = (folder / "datapackage.json").read_bytes()
    digest = descriptors.digest_descriptor("phuc-dong")
    without_arrivals(folder)
    assert descriptors.digest_descriptor("phuc-dong") == digest
    assert problems() == []
    assert problems(tails=tails(), day=DAY) == []
    append()
    assert problems() == []
    tables = {own["name"]: own for own in json.loads(was)["resources"]}
    now = json.loads((folder / "datapackage.json").read_text("utf-8"))["resources"]
    assert {own["name"]: own["schema"] for own in now} == {
        name: own["schema"] for name, own in tables.items()
    }
    assert descriptors.digest_descriptor("phuc-dong") == digest
    (folder / "origins.csv").rename(folder / "received.csv")
    without_arrivals_again = json.loads((folder / "datapackage.json").read_text("utf-8"))
    without_arrivals_again["resources"] = without_arrivals_again["resources"][:-2]
    (folder / "datapackage.json").write_text(json.dumps(without_arrivals_again), encoding="utf-8")
    before = contents(folder.parents[1])
    with pytest.raises(DataError, match="a file that no descriptor describes"):
        append()
    assert contents(folder.parents[1]) == before


def test_the_shipped_wards_have_them_as_described():
    """Of both wards, word by word."""
    for name in ("phuc-dong", "philadelphia"):
        path = ROOT / "data" / name / "datapackage.json"
        for own in json.loads(path.read_text("utf-8"))["resources"][-2:]:
            for recorded in ("hash", "bytes", "accepted_on"):
                own.pop(recorded)
            assert own in descriptors.arrivals()


def test_what_was_lost_before_is_missed_after(folder):
    """A table that somebody took out of the descriptor is not forgotten because rows of others came in."""
    ward = descriptors.ward("phuc-dong")
    acceptance.record(acceptance.propose([ward]), DAY)
    path = folder / "datapackage.json"
    described = json.loads(path.read_text("utf-8"))
    described["resources"] = [own for own in described["resources"] if own["name"] != "activities"]
    path.write_text(json.dumps(described), encoding="utf-8")
    append()
    (loss,) = acceptance.propose([descriptors.ward("phuc-dong")]).losses()
    assert loss.found == "no table activities"


# ------------------------------------------------------------------------------------ what stops it


def another_row(path):
    with path.open("ab") as file:
        file.write(b"2021-12,other,0,0,actual,2022-02-20\n")


def changed_cell(path):
    path.write_bytes(path.read_bytes().replace(b"2017-01,fees,7678000", b"2017-01,fees,7678001"))


@pytest.mark.parametrize(
    ("spoil", "found"), [(another_row, "1 row not accepted"), (changed_cell, "sha256:")]
)
def test_a_file_that_is_not_the_accepted_one_is_left_alone(folder, home, spoil, found):
    """What somebody wrote there is neither taken in with the rows nor lost: `ward check` comes first."""
    append(tails("2022-02-09"))
    spoil(folder / "receipts.csv")
    before = contents(home)
    with pytest.raises(DataError) as caught:
        append()
    (problem,) = caught.value.problems
    assert problem.file == "data/phuc-dong/receipts.csv"
    assert problem.found.startswith(found)
    assert "`ward check --ward phuc-dong --accept`" in problem.fix
    assert contents(home) == before


def test_a_folder_that_may_not_be_written_is_named():
    """Neither a traceback nor half a step."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        home = Path(name)
        home.chmod(0o755)
        subprocess.run(["cp", "-r", ROOT / "data", home], check=True)
        patch.setenv("WARDLIB_HOME", name)
        folder = home / "data" / "phuc-dong"
        folder.chmod(0o555)
        before = contents(home)
        with another_user(), pytest.raises(DataError, match="the right to write there"):
            append()
        folder.chmod(0o755)
        assert contents(home) == before


@pytest.mark.parametrize("link", [False, True])
def test_what_stands_in_place_of_the_folder_of_files_is_named(folder, home, link):
    """A link is not followed, a file not replaced: the clerk is told to remove it."""
    place = folder / "received"
    place.symlink_to(home / "notebooks") if link else place.write_bytes(b"a note")
    before = contents(home)
    with pytest.raises(DataError, match="where the folder of what came in should be") as caught:
        append(originals={"thu.csv": b"1"})
    (problem,) = caught.value.problems
    assert problem.fix == "remove data/phuc-dong/received; nothing was recorded there"
    after = contents(home)
    assert {path: after[path] for path in after if path.name != ".lock"} == before


# A process whose files may not grow beyond so many bytes, as on a disk that is full.
FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
import test_journal
from wardlib.data.book import open_book
from wardlib.errors import DataError
try:
    test_journal.append()
except DataError as error:
    print(error)
"""


def python(program, home, *words):
    env = os.environ | {
        "WARDLIB_HOME": str(home),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
    }
    command = [sys.executable, "-c", program, *map(str, words)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=env, text=True)


def test_a_full_disk_leaves_what_was(folder, home):
    """Full while rows are appended, and while the descriptor is written: said, and all as before."""
    before = contents(home)
    sizes = [(folder / "receipts.csv").stat().st_size + 9, 20_000]
    for size in sizes:
        out, err = python(FULL, home, size).communicate(timeout=60)
        assert "make room on the disk" in out, err
        now = contents(home)
        assert {path: now[path] for path in before} == before
        assert not list(folder.rglob("*.partial")) + list(folder.rglob("journal.json"))
    append()
    assert problems() == []


# ------------------------------------------------------------------------------------------- kills

# For each number that it is told, a process that dies, as by a power cut, before that call of those which
# change something on the disk; says how each ended.
KILLED = """
import os, signal, sys
from pathlib import Path
import test_journal
left = 0
def die_in_time():
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
def replace(*words, moved=Path.replace):
    die_in_time()
    return moved(*words)
def written_in_part(descriptor):
    size = os.fstat(descriptor).st_size
    if not left and size > 7:
        os.truncate(descriptor, size - 7)
    die_in_time()
os.fsync, Path.replace = written_in_part, replace
for line in sys.stdin:
    child = os.fork()
    if not child:
        left = int(line)
        test_journal.append(originals={"a.xlsx": b"PK"})
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.fixture
def killed(home):
    """A function that appends and is killed before its change number `at`; False where it made fewer."""
    with python(KILLED, home) as process:

        def kill(at):
            process.stdin.write(f"{at}\n")
            process.stdin.flush()
            ended = int(process.stdout.readline())
            assert ended in (0, signal.SIGKILL)
            return ended == signal.SIGKILL

        yield kill
        process.stdin.close()


def test_whatever_kills_a_step_leaves_the_old_state_or_the_new(folder, home, killed):
    """Killed before each of its writes and with half a tail on the disk: readers see all tables as before,
    or all as after, and no problem; the next intake and `ward check --accept` cut off what was left over,
    and both go on."""
    tables = {name: (folder / f"{name}.csv").read_bytes() for name in tails()}
    before = contents(home)
    states = []
    for at in itertools.count():
        for path in contents(home).keys() - before.keys():
            path.unlink()
        for path, data in before.items():
            path.write_bytes(data)
        if not killed(at):
            break
        seen = {name: reading.content(folder / f"{name}.csv") for name in tables}
        new = {name: data + tails()[name] for name, data in tables.items()}
        assert seen in (tables, new), at
        assert problems() == [], at
        states.append(seen == new)
        ward = descriptors.ward("phuc-dong")
        if at % 2:
            assert acceptance.record(acceptance.propose([ward]), DAY) == []
        else:
            append(tails("2022-02-20"))
        assert problems() == []
        assert not (folder / ".accepted" / "journal.json").exists()
        rows = (folder / "receipts.csv").read_bytes().count(b"2022-01,")
        assert rows == len(LINES) * (states[-1] + 1 - at % 2), at
    assert states == sorted(states)
    assert 3 <= sum(states) < len(states) - 5, states


def test_rows_that_no_journal_names_stay_a_fault(folder, killed):
    """Somebody wrote on after a kill: nothing of the file is cut off, and its rows are counted."""
    at = 0
    while b"2022-01," not in (folder / "origins.csv").read_bytes():
        assert killed(at)
        at += 1
    with (folder / "receipts.csv").open("ab") as file:
        file.write(b"2022-01,other,0,0,actual,2022-02-11\n")
    assert [(p.file, p.found) for p in problems()] == [
        ("data/phuc-dong/receipts.csv", f"{len(LINES) + 1} rows not accepted")
    ]
    with pytest.raises(DataError, match="rows not accepted"):
        append()
    assert [p.found for p in problems()] == [f"{len(LINES) + 1} rows not accepted"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"descriptor": 1, "files": 2}', '{"files": {"receipts.csv": {}}}']
)
def test_a_journal_that_no_intake_wrote_counts_for_nothing(folder, text):
    """It hides no row, stops nobody, and is gone with the next step."""
    (folder / ".accepted").mkdir()
    (folder / ".accepted" / "journal.json").write_text(text)
    assert problems() == []
    append()
    assert problems() == []
    assert not (folder / ".accepted" / "journal.json").exists()


TWO = """
import sys, test_journal
for at in range(5):
    test_journal.append(test_journal.tails(f"2022-02-{int(sys.argv[1]) + at:02}"))
"""


def test_two_at_once_both_land(folder, home):
    """Four processes that append five times each, at the same moment: no row is lost, none broken, and a
    reader meanwhile never sees half a step."""
    running = [python(TWO, home, first) for first in (1, 6, 11, 16)]
    while any(process.poll() is None for process in running):
        rows = reading.sheet(folder / "receipts.csv").rows
        assert sum(row.text.startswith("2022-01,") for row in rows) % len(LINES) == 0
    assert [process.communicate()[1] for process in running] == [""] * 4
    assert problems() == []
    for name, tail in tails().items():
        added = (folder / f"{name}.csv").read_bytes().count(b"\n")
        was = (ROOT / "data" / "phuc-dong" / f"{name}.csv").read_bytes().count(b"\n")
        assert added == was + 20 * tail.count(b"\n")


def test_who_began_to_read_before_sees_the_old_state_to_the_end(folder):
    """A book that was opened before the step has read one table and asks for another: none of them shows
    what came meanwhile, and none is at fault."""
    book = open_book("phuc-dong", "2021", "2022-12-31")
    append()
    assert book.table("receipts")["month"].max() == pd.Period("2021-12")
    assert book.table("origins").empty
    assert checks.check(book.ward) == []
    now = open_book("phuc-dong", "2021", "2022-12-31")
    assert len(now.table("origins")) == len(LINES)
    with (folder / "targets.csv").open("ab") as file:
        file.write(b"2022,total,ward,5,2022-01-02\n")
    assert [p.found for p in checks.check(now.ward)] == ["1 row not accepted"]


def test_who_holds_the_folder_may_append_and_accept_in_it(folder):
    """What is looked at while it is held is what is appended to."""
    with journal.held("phuc-dong"):
        append()
        assert acceptance.record(acceptance.propose([descriptors.ward("phuc-dong")]), DAY) == []
    append(tails("2022-02-20"))
    assert problems() == []
