"""The intake over a folder of office files: what it does beside what it must do.

    python tests/benchmarks/intake.py FOLDER [--messages]

For each file with `<file>.json` beside it (tests/data/intake/make.py writes and explains both) `ward
intake` is asked what it would do, then told to do it, on a copy of the workbook's data. What is held
against the JSON: the outcome; every place that must be named, and no other; the newest figures after
`--apply`, and that nothing else changed; that a second time changes nothing; the folder of data byte
for byte as before wherever nothing was to be written; and, after the answers, what is written then.

Prints a table of outcomes and how many are right; with `--messages` also what the clerk is told of
every file that is refused. Exit code 1 if one is wrong.

A message is right where (kind, sheet, cell) is expected; a null cell is met by any cell of its sheet, a
null sheet by any. It does no harm at a place that is expected under another kind, nor where
`may_also_name` has its kind (if that names kinds) and its cell (if that names cells).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from io import StringIO
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "data" / "intake"))

import make

from wardlib import cli

ROOT = Path(__file__).resolve().parents[2]
# What tells one figure of a table from another, but for the day on which it was reported.
KEYS = {
    "receipts": ("month", "line"),
    "school_months": ("month", "school"),
    "activities": ("month", "field"),
    "indicator_months": ("month", "indicator"),
    "targets": ("year", "line", "set_by"),
}
CELL = re.compile(r"[A-Z]{1,3}[0-9]+")
Newest = dict[tuple[str, ...], dict[str, str]]  # of a table: by key, the row that was reported last


@dataclass
class Told:
    """What one call of `ward intake` said and left: its exit code, the report of the one file, and what
    went wrong where it gave none."""

    code: int
    report: dict = field(default_factory=dict)
    error: str = ""

    @property
    def outcome(self) -> str:
        return self.report.get("outcome", "no report")

    def problems(self, severities: tuple[str, ...]) -> list[dict]:
        """Problems and notes of these severities, a note having none of its own."""
        found = [
            problem
            for file in self.report.get("files", [])
            for problem in (
                *file.get("problems", []),
                *({"severity": "note"} | note for note in file.get("notes", [])),
            )
        ]
        return [problem for problem in found if problem.get("severity") in severities]


def asked(home: Path, file: Path, about: dict, *more: str) -> Told:
    """Call `ward intake` in this process on the workbook in `home`."""
    words = ["intake", str(file), "--ward", about["ward"], "--reported-on", about["reported_on"]]
    words += ["--language", "vi", "--json", *more]
    out, err = StringIO(), StringIO()
    code = 0
    with (
        mock.patch.dict(os.environ, {"WARDLIB_HOME": str(home)}),
        mock.patch.object(sys, "argv", ["ward", *words]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except Exception:
            return Told(1, error=f"traceback: {traceback.format_exc(limit=-3)}")
    try:
        return Told(code, json.loads(out.getvalue()))
    except ValueError:
        return Told(code, error=f"no JSON: {(err.getvalue() or out.getvalue())[-400:]}")


# What is held against what -----------------------------------------------------------------------------


def misplaced(about: dict, told: Told) -> Iterator[str]:
    """What is wrong about the places named: each that lacks, each that must not be."""
    found = told.problems(("refuse", "ask"))
    expected = about["problems"]
    for one in expected:
        if not any(_meets(one, problem) for problem in found):
            yield f"not named: {_place(one)}"
    for problem in found:
        if not any(_meets(one, problem) for one in expected) and not _spared(about, problem):
            yield f"must not be named: {_place(problem)}"
    notes = told.problems(("note",))
    for one in about.get("notes", []):
        if not any(_meets(one, note) for note in notes):
            yield f"not told: {_place(one)}"


def _meets(expected: dict, problem: dict) -> bool:
    return expected["kind"] == problem["kind"] and all(
        expected[name] is None or expected[name] == (problem.get(name) or None)
        for name in ("sheet", "cell")
    )


def _spared(about: dict, problem: dict) -> bool:
    """Whether a message that is not expected does no harm."""
    place = problem.get("sheet") or None, problem.get("cell") or None
    if place[1] and any((one["sheet"], one["cell"]) == place for one in about["problems"]):
        return True
    may = about.get("may_also_name", [])
    cells = {name for name in may if CELL.fullmatch(name)}
    kinds = set(may) - cells
    return bool(may) and (
        (not kinds or problem["kind"] in kinds) and (not cells or problem.get("cell") in cells)
    )


def _place(problem: dict) -> str:
    return f"{problem['kind']} {problem.get('sheet') or ''}!{problem.get('cell') or ''}"


def miswritten(about: dict, rows: list[dict], before: Path, after: Path) -> Iterator[str]:
    """What is wrong about the folder `after` an intake that was to write `rows`, `before` it as it was."""
    day = about["reported_on"]
    for table, key in KEYS.items():
        old, new = (folder / about["ward"] / f"{table}.csv" for folder in (before, after))
        expected = {
            tuple(str(row[name]) for name in key): row for row in rows if row["table"] == table
        }
        if not old.exists() or not new.exists():
            if expected:
                yield f"{table}.csv is not there"
            continue
        if not new.read_bytes().startswith(old.read_bytes()):
            yield f"{table}.csv: what stood there was changed"
        was, now = newest(old, key), newest(new, key)
        for name, row in expected.items():
            figure = now.get(name, {})
            wrong = [
                f"{column} {figure.get(column)!r} instead of {value!r}"
                for column, value in (row | {"reported_on": day}).items()
                if column != "table" and not _equal(value, figure.get(column))
            ]
            if wrong:
                yield f"{table} {' '.join(name)}: {', '.join(wrong)}"
        for name, figure in now.items():
            same = was.get(name, {}) | {"reported_on": figure["reported_on"]}
            if name not in expected and figure != same:
                yield f"{table} {' '.join(name)}: written, but not expected"
    spared = {
        "datapackage.json",
        "received.csv",
        "origins.csv",
        *(f"{table}.csv" for table in KEYS),
    }
    for path in changed(contents(before), contents(after)):
        if ".accepted" in path.parts:  # the checks' own copies, no data
            continue
        inside = path.parts[0] == about["ward"]
        if not inside or not (path.name in spared or "received" in path.parts):
            yield f"{path} was changed"


def newest(path: Path, key: tuple[str, ...]) -> Newest:
    """The row of each figure that was reported last."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["reported_on"])
    return {tuple(row[name] for name in key): row for row in rows}


def _equal(value: object, written: str | None) -> bool:
    if written is None:
        return False
    if value is None or isinstance(value, str):
        return written == (value or "")
    return bool(written) and Decimal(str(value)) == Decimal(written)


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file of a folder."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder): path.read_bytes() for path in paths}


def changed(old: dict[Path, bytes], new: dict[Path, bytes]) -> list[Path]:
    """The files that are not byte for byte what they were, and those added or gone."""
    return sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))


@contextmanager
def workbook(data: Path = ROOT / "data") -> Iterator[Path]:
    """A workbook's folder of its own, with a copy of `data`."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        # What was accepted on this machine is none of the test's; what an intake kept is.
        own = (".accepted",) if data == ROOT / "data" else ()
        shutil.copytree(data, home / "data", ignore=shutil.ignore_patterns("__pycache__", *own))
        yield home


@cache
def answers() -> dict[str, list[str]]:
    """The answers to the questions of the corpus, by the number of the sample: what a folder of the same
    shapes without answers of its own is answered with."""
    return {sample.file[:2]: sample.answers for sample in make.samples()}


def faults(file: Path, about: dict, still: Path) -> tuple[list[str], Told]:
    """What is wrong about the intake of a file, and what it said first. `still` is a workbook in which
    nothing may ever change; what writes gets a copy of its own."""
    data = still / "data"
    wrong = []
    before = contents(data)
    first = asked(still, file, about)
    if changed(before, contents(data)):
        wrong.append("the workbook's data were changed before --apply")
    if first.error:
        return [*wrong, first.error], first
    if first.outcome != about["outcome"]:
        wrong.append(f"{first.outcome} instead of {about['outcome']}")
    if first.code != (0 if about["outcome"] == "accept" else 2):
        wrong.append(f"exit code {first.code}")
    wrong += misplaced(about, first)
    applied: list[tuple[str, list[dict], list[str]]] = [("--apply", about["rows"], [])]
    given = about.get("answers")
    if given is None:
        found = re.match(r"\D{0,2}(\d\d)-", file.name)
        given = answers().get(found[1], []) if found else []
    if about.get("rows_if_answered") and given:
        options = [word for answer in given for word in ("--answer", answer)]
        applied.append((" ".join(given), about["rows_if_answered"], options))
    for what, rows, options in applied:
        with workbook(data) as home:
            after = home / "data"
            told = asked(home, file, about, "--apply", *options)
            wrong += [f"{what}: {fault}" for fault in _applied(about, rows, data, after, told)]
            if rows and told.code == 0:
                with workbook(after) as again:
                    second = asked(again, file, about, "--apply", *options)
                    if second.code or changed(contents(after), contents(again / "data")):
                        wrong.append(f"{what}: a second time changed something, or was refused")
    return wrong, first


def _applied(about: dict, rows: list[dict], before: Path, after: Path, told: Told) -> Iterator[str]:
    if told.error:
        yield told.error
    elif rows:
        if told.code:
            named = ", ".join(map(_place, told.problems(("refuse", "ask"))))
            yield f"exit code {told.code}: {named}"
        yield from miswritten(about, rows, before, after)
    elif about["outcome"] != "accept" and (paths := changed(contents(before), contents(after))):
        yield f"written: {', '.join(map(str, paths))}"
    else:  # nothing new: the file itself may be kept
        yield from miswritten(about, rows, before, after)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--messages", action="store_true", help="what the clerk is told")
    options = parser.parse_args()
    right, count, messages = 0, 0, []
    print("| file | expected | outcome | |\n|---|---|---|---|")
    with workbook() as still:
        for path in sorted(options.folder.glob("*.json")):
            about = json.loads(path.read_text(encoding="utf-8"))
            file = options.folder / about["file"]
            wrong, told = faults(file, about, still)
            count, right = count + 1, right + (not wrong)
            kinds = dict.fromkeys(problem["kind"] for problem in about["problems"])
            expected = ": ".join(filter(None, (about["outcome"], ", ".join(kinds))))
            kinds = dict.fromkeys(p["kind"] for p in told.problems(("refuse", "ask")))
            found = ": ".join(filter(None, (told.outcome, ", ".join(kinds))))
            shown = "<br>".join(wrong[:6] + [f"and {len(wrong) - 6} more"] * (len(wrong) > 6))
            verdict = "right" if not wrong else f"**wrong**: {shown}".replace("\n", " ")
            print(f"| `{file.name}` | {expected} | {found} | {verdict} |", flush=True)
            if about["outcome"] == "refuse":
                messages.append((file.name, told))
    print(f"\n{right} of {count}")
    if options.messages:
        for name, told in messages:
            print(f"\n{name}")
            for problem in told.problems(("refuse", "ask")):
                place = "!".join(filter(None, (problem.get("sheet"), problem.get("cell"))))
                words = [problem.get(part, "") for part in ("found", "expected", "fix")]
                print("- " + "; ".join(filter(None, (place, *words))))
    sys.exit(right != count)


if __name__ == "__main__":
    main()
