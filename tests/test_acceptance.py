"""Acceptance: an accepted file may only grow; what it lost is listed, and refused without --rewrite."""

import csv
import datetime
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from spoken import heard, in_vietnamese

from wardlib.data import acceptance, checks, descriptors
from wardlib.errors import DataError

ROOT = Path(__file__).parent.parent
DAY = datetime.date(2022, 3, 1)
TABLES = [
    path.stem
    for path in sorted((ROOT / "data" / "phuc-dong").glob("*.csv"))
    if path.stem not in ("received", "origins")  # nothing has come in by an intake
]
REWRITE = "if the change is meant, run `ward check --ward phuc-dong --accept --rewrite "


def proposal(*wards):
    proposed = acceptance.propose([descriptors.ward(ward) for ward in wards or ["phuc-dong"]])
    heard(proposed.losses())
    return proposed


def accepted(*wards, day=DAY):
    try:
        lines = acceptance.record(proposal(*wards), day)
    except DataError as error:
        heard(error.problems)
        raise
    for line in lines:
        in_vietnamese(line)
    return lines


def losses():
    """What stands in the way of an acceptance: (row, column, found, expected), by place."""
    return [(p.row, p.column, p.found, p.expected) for p in proposal().losses()]


def ward(home, *words):
    """The `ward` command in a process of its own: exit code, standard output, standard error."""
    command = [sys.executable, "-c", "from wardlib.cli import main; main()", *words]
    env = os.environ | {"WARDLIB_HOME": str(home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def contents(home):
    """Every file of the data and its bytes."""
    return {p: p.read_bytes() for p in (home / "data").rglob("*") if p.is_file()}


@pytest.fixture
def folder(home):
    """The ward's folder after an acceptance on `DAY`, which kept its copies."""
    for path in home.glob("data/*/datapackage.json"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r' *"accepted_on": "[0-9-]*",\n', "", text), encoding="utf-8")
    assert accepted("phuc-dong", "philadelphia") == []
    return home / "data" / "phuc-dong"


@pytest.fixture
def describe(home):
    """Change the ward's descriptor."""

    def change(by, package="phuc-dong"):
        path = home / "data" / package / "datapackage.json"
        described = json.loads(path.read_text(encoding="utf-8"))
        by({resource["name"]: resource for resource in described["resources"]}, described)
        path.write_text(json.dumps(described, ensure_ascii=False, indent=2), encoding="utf-8")

    return change


def drop(name):
    """A change of a descriptor: the table is taken out."""

    def change(_, described):
        described["resources"] = [r for r in described["resources"] if r["name"] != name]

    return change


def edit(path, change):
    """Change a file's lines, their ends included."""
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(change(lines)))


# ------------------------------------------------------------------------------------------ losses


def whole_row_losses(path):
    """Every way to lose rows of one value of one column of the key (a month, a line, a report), all
    rows, the first, the last, one in the middle: by name, the lines of the rows that go."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader)
        rows = [(reader.line_num, cells) for cells in reader]
    ways = {"all": [line for line, _ in rows]}
    ways |= {f"row {at}": [rows[at][0]] for at in (0, -1, len(rows) // 2)}
    for at, column in enumerate(header):
        values = {cells[at] for _, cells in rows}
        if column in ("month", "year", "line", "school", "field", "indicator", "item", "period"):
            for value in values:
                ways[f"{column} {value}"] = [line for line, cells in rows if cells[at] == value]
    return ways


@pytest.mark.parametrize("table", TABLES)
def test_no_loss_of_rows_is_accepted(folder, table):
    """Whatever months, lines or single rows go from any table of the ward: the loss is refused, it is
    told how many rows went, and the first are named by their line in the accepted file."""
    path = folder / f"{table}.csv"
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    ways = whole_row_losses(path)
    assert len(ways) >= 5
    for way, gone in ways.items():
        left = [line for number, line in enumerate(lines, start=1) if number not in gone]
        path.write_bytes(b"".join(left))
        problems = proposal().losses()
        assert {problem.file for problem in problems} == {f"data/phuc-dong/{table}.csv"}, way
        summary, *named = problems
        count = f"{len(gone)} row{'s' * (len(gone) != 1)} lost"
        assert f"a file that has not only grown: {count}" in summary.found, way
        assert REWRITE in summary.fix
        assert [p.row for p in named] == gone[:5], way
        assert all("of the accepted file is gone" in p.found for p in named)


def test_the_sweep_is_over_months_and_lines():
    """The sweep holds what it is for: of receipts, each of 60 months and each line."""
    ways = whole_row_losses(ROOT / "data" / "phuc-dong" / "receipts.csv")
    assert sum(way.startswith("month ") for way in ways) == 60
    assert sum(way.startswith("line ") for way in ways) > 10


def test_a_lost_month_is_refused_by_the_command(folder, home):
    """The monthly routine names the file, the months, the rows and both ways on; nothing is written."""
    edit(folder / "activities.csv", lambda lines: [x for x in lines if x[:7] != b"2020-04"])
    with (folder / "receipts.csv").open("a") as file:
        file.write("2022-01,total,1,1,actual,2022-02-08\n")
    before = contents(home)
    code, out, err = ward(home, "check", "--ward", "phuc-dong", "--accept")
    assert (code, out) == (2, "")
    assert (
        "data/phuc-dong/activities.csv, row 119\n    found: row 119 of the accepted file is gone"
        in err
    )
    assert "3 rows lost (2020-04: 3)" in err
    assert "put the former file back (data/phuc-dong/.accepted/activities.csv)" in err
    assert REWRITE in err
    assert contents(home) == before


def test_a_changed_cell_is_told_old_and_new(folder):
    """By the key: the row and the column in the file as it stands, and what was accepted."""

    def change(lines):
        cells = lines[10].split(b",")
        return [*lines[:10], b",".join([*cells[:3], b"77", *cells[4:]]), *lines[11:]]

    lines = (folder / "receipts.csv").read_text().splitlines()
    edit(folder / "receipts.csv", change)
    summary, changed = losses()
    assert summary[2] == "a file that has not only grown: 1 cell changed"
    assert changed == (
        11,
        "kept",
        "'77'",
        f"{lines[10].split(',')[3]!r}, row 11 of the accepted file",
    )
    assert "a later report is a row of its own" in proposal().losses()[1].fix


def test_moved_rows_are_named_alone(folder):
    """One row taken from its place to the end has moved, not the hundreds below it; and no figure
    has changed, which is said."""
    edit(folder / "receipts.csv", lambda x: [*x[:5], *x[6:], x[5]])
    summary, moved = losses()
    assert summary[2] == "no figure changed, only how they are written: 1 row moved"
    assert moved[0] == 1526
    assert moved[3] == "its place, row 6 of the accepted file"


def test_a_row_put_between_others_is_named(folder):
    """A new row above an accepted one is none of growth: it belongs to the end."""
    new = b"2022-01,blood_units,20,actual,2022-02-08\n"
    edit(folder / "indicator_months.csv", lambda x: [*x[:3], new, *x[3:]])
    (_, _, found, _), (row, _, added, expected) = losses()
    assert found == "a file that has not only grown: 1 row new before the end"
    assert (row, expected) == (4, "new rows at the end alone")
    assert added == f"a new row {new.decode().strip()!r}"


def test_many_losses_are_bounded_and_all_files_told_at_once(folder):
    """Five of a kind are named, the sum says how many there are; each file is told."""
    edit(folder / "receipts.csv", lambda x: [*x[:1], *x[1:][::-1]])
    edit(folder / "targets.csv", lambda x: x[:1])
    (folder.parent / "reference" / "tet.csv").write_text("year,date,source,verified\n")
    problems = proposal().losses()
    assert len(problems) == 3 * 6
    assert "1524 rows moved; the first 5 of each kind are named" in problems[0].found
    assert {problem.file for problem in problems} == {
        "data/phuc-dong/receipts.csv", "data/phuc-dong/targets.csv", "data/reference/tet.csv"
    }  # fmt: skip
    assert all(REWRITE in problem.fix for problem in problems if not problem.row)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data.replace(b"\n", b"\r\n"), "line ends CRLF (LF before)"),
        (lambda data: b"\xef\xbb\xbf" + data, "a byte order mark more"),
        (lambda data: data.replace(b"public", b'"public"'), "other quotes, spaces or empty lines"),
        (lambda data: data.replace(b"\n", b"\n\n", 3), "other quotes, spaces or empty lines"),
        (
            lambda data: b"".join(
                b",".join([*x.split(b",")[1:-1], x.split(b",")[0], b"\n"]).replace(b",\n", b"\n")
                for x in (line.replace(b"\n", b",\n") for line in data.splitlines(keepends=True))
                if x
            ),
            "columns in another order",
        ),
    ],
    ids=["line-ends", "mark", "quotes", "blank", "columns"],
)
def test_a_file_that_is_only_written_otherwise_is_told_so(folder, change, said):
    """No figure changed: that is said, and asked for once; then rows in the same form are growth."""
    path = folder / "schools.csv"
    path.write_bytes(change(path.read_bytes()))
    ((row, _, found, _),) = losses()
    assert (row, found) == (0, f"no figure changed, only how they are written: {said}")
    assert accepted() == [f"accepted data/phuc-dong/schools.csv: rewritten, {said}"]
    edit(path, lambda lines: [*lines, lines[-1].replace(b"_c", b"_x")])
    assert accepted() == ["accepted data/phuc-dong/schools.csv: 1 row more"]


def test_a_lost_column_is_named(folder, describe):
    """A column that goes from file and descriptor alike takes figures with it; a new one is told."""
    edit(
        folder / "schools.csv",
        lambda lines: [b",".join([x.split(b",")[0], *x.split(b",")[2:]]) for x in lines],
    )
    edit(
        folder / "targets.csv",
        lambda lines: [x.replace(b"\n", b",note\n" if at == 0 else b",\n") for at, x in enumerate(lines)],
    )  # fmt: skip
    (_, _, found, _), *lost = losses()
    assert found == "a file that has not only grown: 1 column lost or new"
    assert lost[0] == (1, "name", "no such column", "the column 'name'")
    assert lost[2][:3] == (1, "note", "a new column 'note'")


# ------------------------------------------------------------------------------------------ growth


def test_growth_tells_the_months_that_came(folder, home):
    """How many rows of which months, newest first; years where there are no months; else rows."""
    for file, row in (
        ("activities.csv", "2021-12,sport,1,1,0,0,0,9,2022-02-12\n"),
        ("activities.csv", "2022-01,sport,1,1,0,0,0,9,2022-02-12\n"),
        ("activities.csv", "2022-01,culture,1,1,0,0,0,9,2022-02-12\n"),
        ("targets.csv", "2021,total,ward,5000000000,2022-01-02\n"),
        ("schools.csv", "mam_non_x,Trường Mầm non X,mam_non,private,2022-01,\n"),
    ):
        with (folder / file).open("a", encoding="utf-8") as opened:
            opened.write(row)
    with (home / "data" / "reference" / "tet.csv").open("a") as opened:
        opened.write("2030,2030-02-02,general knowledge,no\n")
    code, out, err = ward(home, "check", "--ward", "phuc-dong", "--accept")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "accepted data/phuc-dong/targets.csv: 1 row more (2021: 1)",
        "accepted data/phuc-dong/schools.csv: 1 row more",
        "accepted data/phuc-dong/activities.csv: 3 rows more (2022-01: 2; 2021-12: 1)",
        "accepted data/reference/tet.csv: 1 row more (2030: 1)",
        "phuc-dong: 11 tables, no problem",
    ]
    assert checks.check(descriptors.ward("phuc-dong")) == []


def test_many_months_are_counted_in_a_bounded_line(folder):
    """Twelve months are told, and how many there are before them."""
    rows = [f"{year}-01,total,1,1,actual,2022-02-08\n" for year in range(1950, 1970)]
    with (folder / "receipts.csv").open("a") as file:
        file.writelines(rows)
    (line,) = accepted()
    assert line.startswith("accepted data/phuc-dong/receipts.csv: 20 rows more (1969-01: 1; ")
    assert line.endswith("1958-01: 1; and 8 months before)")


def test_a_last_row_without_a_line_end_may_not_be_lengthened(folder):
    """`…,2022-01-08` and then `1`: the first bytes are the accepted ones, the last row is another. A
    row of its own after a line end is growth."""
    path = folder / "targets.csv"
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert accepted()[0].startswith("accepted data/phuc-dong/targets.csv: rewritten, ")
    whole = path.read_bytes()
    path.write_bytes(whole + b"1")
    assert losses()[0][2] == "a file that has not only grown: 1 row lost (2021: 1)"
    path.write_bytes(whole + b"\n2021,total,ward,5000000000,2022-01-02")
    assert accepted() == ["accepted data/phuc-dong/targets.csv: 1 row more (2021: 1)"]


# -------------------------------------------------------------------------------- records and copies


def test_what_is_recorded(folder, home):
    """Hash, length and day, of the changed file alone; a copy of each file; and the digest of the
    descriptor, by which jobs run again, knows of none of the three."""
    digest = descriptors.digest_descriptor("phuc-dong")
    with (folder / "indicator_months.csv").open("a") as file:
        file.write("2022-01,blood_units,20,actual,2022-02-08\n")
    accepted(day=datetime.date(2022, 4, 2))
    described = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    for resource in described["resources"]:
        data = (folder / resource["path"]).read_bytes()
        assert resource["bytes"] == len(data)
        assert (folder / ".accepted" / resource["path"]).read_bytes() == data
        days = {"indicator_months": "2022-04-02"}
        assert resource["accepted_on"] == days.get(resource["name"], "2022-03-01")
        assert list(resource)[-4:] == ["hash", "bytes", "accepted_on", "schema"]
    assert descriptors.digest_descriptor("phuc-dong") == digest
    assert checks.check(descriptors.ward("phuc-dong")) == []


def test_a_second_acceptance_writes_nothing(folder, home):
    """What has not changed is left alone, to the byte."""
    before = {path: path.stat().st_mtime_ns for path in contents(home) if path.name != ".lock"}
    assert accepted("phuc-dong", "philadelphia") == []
    after = {path: path.stat().st_mtime_ns for path in contents(home) if path.name != ".lock"}
    assert after == before


def test_shipped_files_grow_without_a_copy(home):
    """The first acceptance after a checkout has nothing but the record, which is enough for growth."""
    with (home / "data" / "phuc-dong" / "targets.csv").open("a") as file:
        file.write("2021,total,ward,5000000000,2022-01-02\n")
    assert accepted() == ["accepted data/phuc-dong/targets.csv: 1 row more (2021: 1)"]


def test_a_new_table_is_accepted_with_its_rows(home, describe):
    """No record in the descriptor, nor anywhere else: it is the first."""
    describe(lambda tables, _: [table.pop("hash") for table in tables.values()])
    lines = accepted()
    assert lines[0] == "accepted data/phuc-dong/receipts.csv: first accepted, 1525 rows"
    assert len(lines) == 11


def git(folder, *words):
    options = ["-c", "user.name=clerk", "-c", "user.email=clerk@example.org"]
    subprocess.run(["git", *options, *words], cwd=folder, check=True, capture_output=True)


def test_without_a_copy_the_last_commits_serve(home):
    """The newest commit of the file that is the recorded one; a later commit of a spoilt file does not
    hide it."""
    path = home / "data" / "phuc-dong" / "targets.csv"
    git(home, "init", "-q")
    git(home, "add", ".")
    git(home, "commit", "-qm", "as accepted")
    edit(path, lambda lines: [*lines[:40], *lines[41:]])
    git(home, "commit", "-qam", "a row lost")
    summary, (row, _, _, _) = losses()
    assert "1 row lost (2018: 1)" in summary[2]
    assert row == 41
    assert "`git checkout " in proposal().losses()[0].fix


def test_a_committed_table_taken_out_is_missed(home, describe):
    """Without a kept descriptor that of the last commit tells which tables there were."""
    git(home, "init", "-q")
    git(home, "add", ".")
    git(home, "commit", "-qm", "as accepted")
    describe(drop("targets"))
    assert [found for _, _, found, _ in losses()] == ["no table targets"]


def test_without_the_former_file_the_file_is_named(home):
    """Neither a copy nor a repository: the file, its rows and both lengths, and the same ways on."""
    path = home / "data" / "phuc-dong" / "schools.csv"
    edit(path, lambda lines: lines[:-1])
    (problem,) = proposal().losses()
    assert (problem.file, problem.row) == ("data/phuc-dong/schools.csv", 0)
    assert problem.found.startswith("5 rows in ")
    assert "the file of 469 bytes that was accepted" in problem.expected
    assert REWRITE in problem.fix


def test_a_copy_that_was_changed_is_not_believed(folder):
    """A copy counts only if it hashes as recorded."""
    edit(folder / "targets.csv", lambda lines: lines[:-1])
    shutil.copy(folder / "targets.csv", folder / ".accepted" / "targets.csv")
    (problem,) = proposal().losses()
    assert "that file is not at hand" in problem.expected


def test_a_file_that_is_no_table_any_more_is_named(folder):
    """Where no row can be read, none is called lost: the file is named, and where the former one is."""
    (folder / "targets.csv").write_bytes(b'year,line\n2017,"total\n')
    (problem,) = proposal().losses()
    assert problem.found == "0 rows in 22 bytes"
    assert "put the former file back (data/phuc-dong/.accepted/targets.csv)" in problem.fix


@pytest.mark.parametrize("properties", [["hash"], ["hash", "bytes"], ["bytes"], ["hash", "bytes", "accepted_on"]])  # fmt: skip
def test_a_record_taken_out_of_the_descriptor_is_missed(folder, describe, properties):
    """Without `hash` or `bytes` in the descriptor a loss is still one, and growth is growth."""
    describe(lambda tables, _: [tables["targets"].pop(name) for name in properties])
    path = folder / "targets.csv"
    whole = path.read_bytes()
    edit(path, lambda lines: [*lines[:40], *lines[41:]])
    assert [row for row, *_ in losses()] == [0, 41]
    path.write_bytes(whole + b"2021,total,ward,5000000000,2022-01-02\n")
    assert accepted() == ["accepted data/phuc-dong/targets.csv: 1 row more (2021: 1)"]


def test_a_record_put_back_to_an_earlier_day_is_seen(folder):
    """Rows that were accepted here do not go with the descriptor of the month before."""
    path, descriptor = folder / "targets.csv", folder / "datapackage.json"
    file_before, record_before = path.read_bytes(), descriptor.read_bytes()
    path.write_bytes(file_before + b"2021,total,ward,5000000000,2022-01-02\n")
    accepted()
    descriptor.write_bytes(record_before)
    path.write_bytes(file_before)
    assert [row for row, *_ in losses()] == [0, 117]


def test_a_record_from_a_colleague_is_believed(folder, describe):
    """A rewritten table that came with its record, as by git, is no loss here."""
    path = folder / "targets.csv"
    edit(path, lambda lines: [*lines[:40], *lines[41:]])
    record = {"hash": acceptance.digest_bytes(path.read_bytes()), "bytes": path.stat().st_size}
    describe(lambda tables, _: tables["targets"].update(record))
    assert losses() == []
    assert accepted() == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (drop("targets"), "no table targets"),
        (lambda tables, _: tables["targets"].update(name="plans"), "no table targets"),
        (
            lambda tables, _: (
                tables["targets"].pop("hash"),
                tables["targets"].update(name="plans", path="plans.csv"),
            ),
            "no table targets",
        ),
    ],
    ids=["taken-out", "renamed", "renamed-with-its-file"],
)
def test_a_table_that_leaves_the_descriptor_is_lost(folder, describe, change, found):
    """Taken out or renamed, with its file or without: asked for; `rewrite` takes it and tells it."""
    shutil.copy(folder / "targets.csv", folder / "plans.csv")
    describe(change)
    (problem,) = proposal().losses()
    assert (problem.file, problem.found) == ("data/phuc-dong/datapackage.json", found)
    assert "which was accepted on 2022-03-01" in problem.expected
    assert REWRITE in problem.fix
    lines = accepted()
    assert lines[-2] == "accepted data/phuc-dong/datapackage.json: rewritten"
    assert (
        "no table targets (before: the table targets of targets.csv, which was accepted"
        in lines[-1]
    )
    assert proposal().losses() == []


def test_a_file_under_another_name_is_held_against_its_record(folder, describe):
    """A path that changes takes nothing with it: the new file begins as the former one did."""
    describe(lambda tables, _: tables["targets"].update(path="plans.csv"))
    (folder / "targets.csv").rename(folder / "plans.csv")
    assert losses() == []
    edit(folder / "plans.csv", lambda lines: [*lines[:40], *lines[41:]])
    assert [row for row, *_ in losses()] == [0, 41]


# ------------------------------------------------------------------------------------- the command


def test_rewrite_takes_what_it_tells(folder, home):
    """`--rewrite` lists what it overrode; then the file is the accepted one."""
    edit(folder / "schools.csv", lambda lines: [x.replace(b"private", b"public") for x in lines])
    code, out, _ = ward(home, "check", "--ward", "phuc-dong", "--accept", "--rewrite", "schools")
    assert code == 0
    head, first, *_ = out.splitlines()
    assert head == "accepted data/phuc-dong/schools.csv: rewritten, 3 cells changed"
    assert first == (
        "  row 5, column ownership: 'public' (before: 'private', row 5 of the accepted file)"
    )
    assert checks.check(descriptors.ward("phuc-dong")) == []
    assert ward(home, "check", "--ward", "phuc-dong", "--accept")[1] == (
        "phuc-dong: 11 tables, no problem\n"
    )


def test_rewrite_takes_no_fault(folder, home):
    """What a check refuses is refused with `--rewrite` too, and nothing is written."""
    edit(folder / "schools.csv", lambda lines: [x.replace(b"private", b"pri") for x in lines])
    before = contents(home)
    code, _, err = ward(home, "check", "--accept", "--rewrite", "schools")
    assert code == 2
    assert "'pri'" in err
    assert contents(home) == before


def test_rewrite_is_of_the_tables_that_it_names(folder, home):
    """What is lost elsewhere, in the reference too, stays refused; a name of which nothing is lost is told."""
    edit(folder / "schools.csv", lambda lines: [x.replace(b"private", b"public") for x in lines])
    edit(folder / "targets.csv", lambda lines: lines[:-1])
    edit(home / "data" / "reference" / "tet.csv", lambda lines: lines[:-1])
    before = contents(home)
    words = ["check", "--ward", "phuc-dong", "--accept", "--rewrite"]
    code, _, err = ward(home, *words, "schools")
    assert code == 2
    assert "schools.csv" not in err
    assert f"{REWRITE}targets`" in err
    assert f"{REWRITE}reference/tet`" in err
    code, _, err = ward(home, *words, "schools", "targets", "reference/holidays")
    assert "reference/holidays: nothing accepted was lost" in err
    assert "schools, targets" in err.replace("reference/tet, ", "")
    assert contents(home) == before
    code, out, _ = ward(home, *words, "schools", "targets", "--rewrite", "reference/tet")
    assert code == 0
    assert out.count("rewritten, ") == 3


def test_what_a_descriptor_turns_is_told(folder, home, describe):
    """The mark that is taken off, other areas: lines of the answer, no refusal."""
    edit(folder / "targets.csv", lambda lines: [*lines, b"2021,total,ward,5000000000,2022-02-02\n"])
    describe(
        lambda _, described: described["ward"].update(illustrative=False, areas=["VN", "VN-HN"])
    )
    lines = accepted()
    assert (
        "note data/phuc-dong/datapackage.json: from now on all pages lose the mark illustrative"
        in lines
    )
    assert any("areas was ['VN', 'VN-HN', 'VN-HN-004', 'VN-HN-00151']" in line for line in lines)
    assert accepted() == []


def test_the_last_month_of_a_school_may_be_filled_in(folder, home):
    """No new row could say that it closed: it is taken and told, but not if anything else differs."""
    edit(
        folder / "schools.csv",
        lambda lines: [*lines[:-2], lines[-2].rstrip(b"\n") + b"2021-12\n", lines[-1]],
    )
    assert losses() == []
    (line,) = accepted()
    assert "1 cell of valid_to filled (row 6: '2021-12')" in line
    edit(folder / "schools.csv", lambda lines: [x.replace(b"2021-12", b"2021-11") for x in lines])
    assert len(losses()) == 2


@pytest.mark.parametrize(
    "form",
    [
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"public", b'"public"', 1),
    ],
    ids=["line-ends", "quotes"],
)
def test_a_filled_last_month_takes_no_other_form_with_it(folder, form):
    """Written in another form as well it is asked for, like any change of form."""
    edit(
        folder / "schools.csv",
        lambda lines: [*lines[:-2], lines[-2].rstrip(b"\n") + b"2021-12\n", lines[-1]],
    )
    assert losses() == []
    path = folder / "schools.csv"
    path.write_bytes(form(path.read_bytes()))
    assert "1 cell changed" in losses()[0][2]


def test_a_filled_last_month_and_new_rows_are_both_told(folder):
    """A school closes and another opens in the same month."""
    edit(
        folder / "schools.csv",
        lambda lines: [
            *lines[:-2],
            lines[-2].rstrip(b"\n") + b"2021-12\n",
            lines[-1],
            lines[-1].replace(b"_c", b"_x"),
        ],
    )
    (line,) = accepted()
    assert line.endswith("1 cell of valid_to filled (row 6: '2021-12'); 1 row more")


def test_a_named_table_hides_no_fault(folder, home, describe):
    """A missing file, a faulty descriptor: they are told, not that nothing was lost."""
    (folder / "targets.csv").unlink()
    words = ["check", "--ward", "phuc-dong", "--accept", "--rewrite", "targets"]
    code, _, err = ward(home, *words)
    assert (code, "data/phuc-dong/targets.csv\n    found: No such file" in err) == (2, True)
    describe(lambda _, described: described["ward"].pop("currency"))
    code, _, err = ward(home, *words)
    assert (code, "currency" in err) == (2, True)


@pytest.mark.parametrize(
    "place",
    [".accepted/.lock", ".accepted/targets.csv", ".accepted/targets.csv.next", "datapackage.partial"],
)  # fmt: skip
def test_a_folder_where_it_writes_is_named_and_nothing_recorded(folder, home, place):
    """The place that is in the way, before anything is written; removing it is all there is to do."""
    edit(folder / "targets.csv", lambda lines: [*lines, b"2021,total,ward,5000000000,2022-02-02\n"])
    (folder / place).unlink(missing_ok=True)
    (folder / place).mkdir()
    before = contents(home)
    with pytest.raises(DataError, match="a folder where a file should be") as caught:
        accepted()
    assert f"remove data/phuc-dong/{place};" in caught.value.problems[0].fix
    assert contents(home) == before
    (folder / place).rmdir()
    assert len(accepted()) == 1


def test_a_commit_is_restored_from_the_folder_of_the_workbook(tmp_path, monkeypatch):
    """The command that a loss prints, run there, puts the file back: also in a part of a repository."""
    home = tmp_path / "repository" / "workbook"
    ignored = shutil.ignore_patterns(".accepted")
    shutil.copytree(ROOT / "data", home / "data", ignore=ignored)
    monkeypatch.setenv("WARDLIB_HOME", str(home))
    git(home.parent, "init", "-q")
    git(home.parent, "add", ".")
    git(home.parent, "commit", "-qm", "as accepted")
    path = home / "data" / "phuc-dong" / "targets.csv"
    whole = path.read_bytes()
    edit(path, lambda lines: lines[:-1])
    command = re.search(r"`(git checkout [^`]*)`", proposal().losses()[0].fix).group(1)
    subprocess.run(command.split(), cwd=home, check=True, capture_output=True)
    assert path.read_bytes() == whole


def test_rows_in_another_form_are_not_listed_as_lost(folder):
    """Semicolons or days as a spreadsheet writes them: one line, not a hundred rows to put back."""
    path = folder / "targets.csv"
    whole = path.read_bytes()
    days = re.sub(rb"(\d{4})-(\d\d)-(\d\d)\n", rb"\3/\2/\1\n", whole)
    assert days != whole
    for other in (days, whole.replace(b",", b";")):
        path.write_bytes(other)
        ((row, _, found, _),) = losses()
        assert row == 0
        assert "not found again" in found
    path.write_bytes(whole.replace(b",", b";"))
    problems = checks.check(descriptors.ward("phuc-dong"), hashes=False)
    assert any("parted by semicolons" in p.fix for p in problems)


@pytest.mark.parametrize("place", [".accepted/targets.csv.next", "datapackage.partial"])
@pytest.mark.parametrize("make", ["pipe", "link"])
def test_what_stands_where_it_writes_is_neither_followed_nor_opened(folder, tmp_path, place, make):
    """A pipe would keep it waiting, a link lead it out of the folder."""
    edit(folder / "targets.csv", lambda lines: [*lines, b"2021,total,ward,5000000000,2022-02-02\n"])
    elsewhere = tmp_path / "elsewhere"
    os.mkfifo(folder / place) if make == "pipe" else (folder / place).symlink_to(elsewhere)
    assert len(accepted()) == 1
    assert not elsewhere.exists()
    assert not (folder / "datapackage.json").is_symlink()
    assert accepted() == []


def test_a_link_in_place_of_the_copies_is_told(folder, tmp_path):
    """It is not written through, and the message does not speak of rights."""
    shutil.rmtree(folder / ".accepted")
    (folder / ".accepted").symlink_to(tmp_path)
    edit(folder / "targets.csv", lambda lines: [*lines, b"2021,total,ward,5000000000,2022-02-02\n"])
    with pytest.raises(DataError, match="a link, where a file or folder"):
        accepted()


def test_a_ward_that_was_never_accepted_is_told_so(folder, describe):
    """Not that a hash differs from one that nobody recorded."""
    describe(lambda tables, _: tables["targets"].pop("hash"))
    (problem,) = checks.check(descriptors.ward("phuc-dong"))
    assert problem.found == "a file that was never accepted"
    assert "--ward phuc-dong --accept" in problem.fix


def test_rewrite_goes_with_accept(home):
    """Alone it would say that something is done."""
    code, out, err = ward(home, "check", "--rewrite", "schools")
    assert (code, out) == (2, "")
    assert err == "ward: --rewrite goes with --accept: ward check --accept --rewrite receipts\n"


def test_the_clerk_is_told_in_vietnamese(folder, home):
    """What is asked for in a language is told in it, on both streams; nothing but the words differs."""
    spoken = ("--ward", "phuc-dong", "--language", "vi")
    edit(folder / "schools.csv", lambda lines: [x.replace(b"private", b"public") for x in lines])
    code, out, err = ward(home, "check", *spoken)
    assert (code, out) == (2, "")
    head, place, found, expected, fix = err.splitlines()
    assert (head, place) == ("ward: 1 chỗ sai trong số liệu:", "- data/phuc-dong/schools.csv")
    assert re.fullmatch("    thấy: sha256:[0-9a-f]{64}", found)
    assert re.fullmatch("    lẽ ra: sha256:[0-9a-f]{64}, như ghi ở datapackage.json", expected)
    assert fix == (
        "    cần làm: nếu thay đổi này là có chủ ý, chạy lệnh `ward check --ward phuc-dong --accept`; nếu "
        "không, đưa tệp cũ trở lại"
    )
    _, _, err = ward(home, "check", "--accept", *spoken)
    assert "- data/phuc-dong/schools.csv, dòng 5, cột ownership\n    thấy: 'public'\n" in err
    code, out, _ = ward(home, "check", "--accept", "--rewrite", "schools", *spoken)
    assert code == 0
    head, first, *_, last = out.splitlines()
    assert head == "đã chấp nhận data/phuc-dong/schools.csv: đã ghi lại, 3 ô thay đổi"
    assert first == (
        "  dòng 5, cột ownership: 'public' (trước: 'private', dòng 5 của tệp đã chấp nhận)"
    )
    assert last == "phuc-dong: 11 bảng, không có chỗ sai"
    (folder / "receipts.csv").write_bytes(b"\xff")
    _, out, err = ward(home, "list", "--language", "vi")
    assert "(số liệu minh họa); số thu: có chỗ sai\n" in out
    assert "    thấy: byte 0xff\n    lẽ ra: văn bản UTF-8\n" in err
    for words in (("2020-9M", "--language", "vi", "en"), ("2020-9M",)):
        err = ward(home, "run", *words)[2]
        assert ("    thấy: byte 0xff\n" in err) == (len(words) > 1)
        assert ("    found: byte 0xff\n" in err) == (len(words) == 1)


def test_a_request_that_cannot_be_met_is_told_in_the_language_asked_for(home):
    """A ward that is none, an option alone; a language that is none is told in English."""
    vi = ("--language", "vi")
    known = "Các phường ở đây: philadelphia, phuc-dong.\n"
    assert ward(home, "check", "--ward", "x", *vi)[2] == f"ward: không có phường 'x'. {known}"
    alone = "ward: --rewrite phải đi cùng --accept: ward check --accept --rewrite receipts\n"
    assert ward(home, "check", "--rewrite", "schools", *vi)[2] == alone
    code, _, err = ward(home, "check", "--language", "fr")
    assert code == 2
    assert err.startswith("ward: 'fr' is not a language")


def test_losses_and_faults_are_told_together(folder, home):
    """One look at the list is enough."""
    edit(folder / "schools.csv", lambda lines: lines[:-1])
    edit(folder / "targets.csv", lambda lines: [*lines, b"20x2,total,ward,5,2022-01-02\n"])
    _, _, err = ward(home, "check", "--accept")
    assert "schools.csv, row 7\n    found: row 7 of the accepted file is gone" in err
    assert "targets.csv, row 117, column year" in err


def test_a_lost_reference_row_stops_the_ward(folder, home):
    """What all wards share may only grow too."""
    edit(home / "data" / "reference" / "holidays.csv", lambda lines: lines[:-1])
    before = contents(home)
    code, _, err = ward(home, "check", "--ward", "phuc-dong", "--accept")
    assert code == 2
    assert (
        "data/reference/holidays.csv, row 155\n    found: row 155 of the accepted file is gone"
        in err
    )
    assert REWRITE in err
    assert contents(home) == before


# ------------------------------------------------------------------------ kills, races, closed doors

# Dies, as by a power cut, before the write of number `at` of those that an acceptance makes.
KILLED = """
import os, signal, sys
from pathlib import Path
left = int(sys.argv.pop(1))
def counted(write):
    def call(*words):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return write(*words)
    return call
from wardlib.data import journal
journal._put = counted(journal._put)
Path.replace = counted(Path.replace)
from wardlib.cli import main
main()
"""


def test_whatever_kills_an_acceptance_the_next_one_understands(folder, home):
    """Killed before each of its writes: the descriptor is whole, what it records is at hand (a loss is
    listed row by row), and the same command goes on."""
    path, descriptor = folder / "targets.csv", folder / "datapackage.json"
    lost = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lost[:40], *lost[41:]]))
    before = {file: file.read_bytes() for file in contents(home) if file.name != ".lock"}
    env = os.environ | {"WARDLIB_HOME": str(home), "PYTHONPATH": str(ROOT)}
    words = ["check", "--ward", "phuc-dong", "--accept", "--rewrite", "targets"]
    for at in range(20):
        for file, data in before.items():
            file.write_bytes(data)
        command = [sys.executable, "-c", KILLED, str(at), *words]
        done = subprocess.run(command, env=env, capture_output=True)
        if done.returncode != -signal.SIGKILL:
            break
        new = descriptor.read_bytes() != before[descriptor]
        path.write_bytes(b"".join([*lost[:30], *lost[31:40], *lost[41:]]))
        assert {row for row, *_ in losses()} == ({0, 31} if new else {0, 31, 41}), at
        path.write_bytes(b"".join([*lost[:40], *lost[41:]]))
        accepted()
        assert losses() == []
        assert checks.check(descriptors.ward("phuc-dong")) == []
    assert done.returncode == 0
    assert at >= 4


def test_acceptances_at_once_leave_one_whole_record(folder, home):
    """Eight at the same moment, four of each ward, a month after the other: all end well, and after
    each the records are whole."""
    for year in range(2030, 2036):
        with (home / "data" / "reference" / "tet.csv").open("a") as file:
            file.write(f"{year},{year}-02-02,general knowledge,no\n")
        with (folder / "targets.csv").open("a") as file:
            file.write(f"2021,total,ward,5000000000,{year}-01-02\n")
        proposals = [proposal("phuc-dong"), proposal("philadelphia")] * 4
        with ThreadPoolExecutor(len(proposals)) as pool:
            for lines in pool.map(lambda proposed: acceptance.record(proposed, DAY), proposals):
                assert f"accepted data/reference/tet.csv: 1 row more ({year}: 1)" in lines
        assert proposal("phuc-dong", "philadelphia").losses() == []
        assert accepted("phuc-dong", "philadelphia") == []
        names = {path.suffix for path in (home / "data").rglob("*")}
        assert not names & {".partial", ".next"}


def test_a_file_that_changes_while_it_is_checked_is_not_recorded(folder):
    """What the checks have seen is what is recorded, or nothing is."""
    path = folder / "targets.csv"
    edit(path, lambda lines: [*lines, b"2021,total,ward,5000000000,2022-01-02\n"])
    proposed = proposal()
    edit(path, lambda lines: lines[:3])
    before = (folder / "datapackage.json").read_bytes()
    with pytest.raises(DataError, match="changed while it was checked") as caught:
        acceptance.record(proposed, DAY)
    assert caught.value.problems[0].file == "data/phuc-dong/targets.csv"
    assert (folder / "datapackage.json").read_bytes() == before


@pytest.fixture
def open_home(monkeypatch):
    """A copy of the data where another user may look; tests run as root cannot be refused a file."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o755)
        shutil.copytree(ROOT / "data", home / "data", ignore=shutil.ignore_patterns(".accepted"))
        monkeypatch.setenv("WARDLIB_HOME", name)
        yield home


@contextmanager
def another_user():
    """This process as a user who owns none of the files, where the tests run as root."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(was)


def test_a_folder_that_may_not_be_written_is_named(open_home):
    """Neither a traceback nor half a record: the folder, the reason, whom to ask."""
    folder = open_home / "data" / "phuc-dong"
    with (folder / "targets.csv").open("a") as file:
        file.write("2021,total,ward,5000000000,2022-01-02\n")
    folder.chmod(0o555)
    before = contents(open_home)
    with another_user(), pytest.raises(DataError, match="the right to write there") as caught:
        accepted()
    folder.chmod(0o755)
    (problem,) = caught.value.problems
    assert problem.file == "data/phuc-dong/datapackage.json"
    assert problem.found == "Permission denied"
    assert contents(open_home) == before


def test_who_may_not_write_the_reference_accepts_the_ward(open_home):
    """A reference that has not changed and belongs to somebody else stops no month."""
    folder = open_home / "data" / "phuc-dong"
    with (folder / "targets.csv").open("a") as file:
        file.write("2021,total,ward,5000000000,2022-01-02\n")
    for path in (folder, *folder.iterdir()):
        path.chmod(0o777)
    (open_home / "data" / "reference").chmod(0o555)
    with another_user():
        lines = accepted()
    (open_home / "data" / "reference").chmod(0o755)
    assert lines == ["accepted data/phuc-dong/targets.csv: 1 row more (2021: 1)"]
    assert checks.check(descriptors.ward("phuc-dong")) == []


def test_a_file_in_the_place_of_the_copies_is_named(folder):
    """`.accepted` that is no folder: said, not thrown."""
    shutil.rmtree(folder / ".accepted")
    (folder / ".accepted").write_text("")
    edit(folder / "targets.csv", lambda lines: [*lines, lines[-1].replace(b"2021", b"2022", 1)])
    with pytest.raises(DataError, match="ordinary file where the folder of copies") as caught:
        accepted()
    assert "remove data/phuc-dong/.accepted;" in caught.value.problems[0].fix
