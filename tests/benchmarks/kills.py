"""kill -9 at random moments, many times over: what is published, what runs on, what is left.

    python tests/benchmarks/kills.py [--kills 100] [--seed 1] [--victims run parent ward job cell]

Each time `ward run` of a few jobs of both wards is disturbed, then run again in quiet. Victims, in turn:

- `run`, the command itself; `parent`, its child, multiprocessing's forkserver; `ward`, a child of that;
  `job`, a child of a ward process (a job, or one that sets its pages): one of them, at a moment of the
  time that such a run takes;
- `cell`: a cell of one job kills the process above its own, once or five times.

Afterwards: the run has ended as it should (a lost job or process is made good, and only a job that takes
the process above it with it again and again fails); what stands in `output/` is whole and has the bytes of
a run that nobody disturbed; ten seconds later nothing is alive that the run had started. After the next
run all bytes are there, and nothing is left in `output/` or in the folder for temporary files, which is
one of its own. Prints a table by victim and each fault with its moment; exit code 1 where there is one.
Linux only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pandas as pd
import psutil
from report import markdown

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
VICTIMS = ("run", "parent", "ward", "job", "cell")
WARDS = ("phuc-dong", "philadelphia")
NOTEBOOK, KILLER = "90-briefing", ("phuc-dong", "2020-02")
JOBS = ("2020-01..2020-03", "--ward", *WARDS, "--notebook", "00-data-check", NOTEBOOK)
SECONDS, AFTER = 300, 10  # that a run, and what it leaves, may take to end
OFTEN = 5  # kills by a cell, more than a run tries a job again
CELL = f"""
import os as _os, pathlib as _pathlib, signal as _signal
_left = _pathlib.Path(_os.environ["KILLS_LEFT"])
if (ward, period) == {KILLER} and int(_left.read_text()):
    _left.write_text(str(int(_left.read_text()) - 1))
    _os.kill(_os.getppid(), _signal.SIGKILL)
"""


class Home:
    """A workbook without outputs, with folders of its own for temporary files and kept fits, in which
    `NOTEBOOK` has the cell that kills, as often as the file `left` says."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.temporary, self.left = folder / "w", folder / "t", folder / "left"
        (self.folder / "notebooks").mkdir(parents=True)
        self.temporary.mkdir()
        (self.folder / "data").symlink_to(ROOT / "data")
        for file in (ROOT / "notebooks").glob("*.ipynb"):
            raw = json.loads(file.read_text("utf-8"))
            if file.stem == NOTEBOOK:
                cell = next(cell for cell in raw["cells"] if cell["id"] == "setup")
                cell["source"] = [*CELL.strip().splitlines(keepends=True), "\n", *cell["source"]]
            (self.folder / "notebooks" / file.name).write_text(json.dumps(raw), "utf-8")
        self.cache = folder / "c"

    def published(self) -> dict[str, dict[str, str]]:
        """By folder of a job, its files and their digests."""
        found: dict[str, dict[str, str]] = {}
        for path in sorted((self.folder / "output").glob("[!.]*/**/*")):
            if path.is_file():
                folder = path.parent.relative_to(self.folder / "output").as_posix()
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                found.setdefault(folder, {})[path.name] = digest
        return found

    def remains(self) -> set[str]:
        """What is in `output/` and in the folder for temporary files, but for wards and the report."""
        output = {f"output/{path.name}" for path in (self.folder / "output").glob("*")}
        kept = {f"output/{name}" for name in (*WARDS, "run.json")}
        return (output - kept) | {f"tmp/{path.name}" for path in self.temporary.glob("*")}


class Run:
    """`ward run` of the jobs, with a mark in its environment, by which all that it starts is found."""

    def __init__(self, home: Home, kills: int = 0) -> None:
        home.left.write_text(str(kills))
        self.mark = uuid.uuid4().hex
        own = {"WARDLIB_HOME": home.folder, "TMPDIR": home.temporary, "KILLS_LEFT": home.left}
        own |= {"WARDLIB_CACHE": home.cache, "KILLS_MARK": self.mark, "PYTHONPATH": ROOT}
        self.said = home.left.with_name("said")
        with self.said.open("w") as said:
            self.process = subprocess.Popen(
                [BIN / "ward", "run", *JOBS], start_new_session=True,
                stdout=said, stderr=subprocess.STDOUT,
                env=os.environ | {name: str(value) for name, value in own.items()},
            )  # fmt: skip

    def alive(self) -> list[psutil.Process]:
        """All processes of the run that live, wherever they stand."""
        found = []
        for process in psutil.process_iter():
            with suppress(OSError, psutil.Error):
                marked = self.mark.encode() in Path(f"/proc/{process.pid}/environ").read_bytes()
                if marked and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def of_kind(self, kind: str) -> list[psutil.Process]:
        """The processes of a kind, told by where they stand below the run."""
        run = psutil.Process(self.process.pid)
        if kind == "run":
            return [run]
        found = [one for one in children(run) if "multiprocessing.forkserver" in words(one)]
        for _ in range(("parent", "ward", "job").index(kind)):
            found = [below for one in found for below in children(one)]
        return found

    def killed(self, kind: str, moment: float, chance: random.Random) -> bool:
        """Whether one of a kind was killed, at the moment (seconds from the start) or when there was one."""
        time.sleep(moment)
        while self.process.poll() is None:
            with suppress(psutil.Error):
                if victims := self.of_kind(kind):
                    chance.choice(victims).send_signal(signal.SIGKILL)
                    return True
            time.sleep(0.01)
        return False

    def end(self) -> tuple[int | None, str, list[str]]:
        """(exit code, what it printed, faults) once it has ended, and what it had started too."""
        faults = []
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            faults.append(f"runs on after {SECONDS} s")
            self.process.kill()
            self.process.wait()
        end = time.monotonic() + AFTER
        while (left := self.alive()) and time.monotonic() < end:
            time.sleep(0.05)
        for process in left:
            with suppress(psutil.Error):
                faults.append(f"orphan: {process.pid} {words(process)[-80:]}")
                process.kill()
        return self.process.returncode, self.said.read_text("utf-8"), faults


def children(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return process.children()
    return []


def words(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def disturbed(
    home: Home,
    victim: str,
    chance: random.Random,
    seconds: float,
    expected: dict[str, dict[str, str]],
) -> tuple[bool, int, int | None, list[str]]:
    """Disturb a run and run it again: (whether it was hit, how many jobs were published by then, its exit
    code, faults). `seconds`: that an undisturbed run takes."""
    kills = chance.choice([1, OFTEN]) if victim == "cell" else 0
    run, moment = Run(home, kills), chance.uniform(0, seconds)
    hit = victim == "cell" or run.killed(victim, moment, chance)
    code, text, faults = run.end()
    if victim == "cell":
        hit = home.left.read_text() != str(kills)
    wanted = -signal.SIGKILL if victim == "run" else int(kills == OFTEN)
    if hit and code != wanted:
        faults.append(f"exit code {code}, not {wanted}: {text[-300:]}")
    if "Traceback" in text:
        faults.append(f"a traceback: {text[-300:]}")
    found, failed = home.published(), f"{KILLER[0]}/{KILLER[1]}/{NOTEBOOK}.vi.failed"
    for folder, files in found.items():
        if folder == failed and wanted == 1:
            faults += [] if "run.json" in files else [f"evidence without record: {folder}"]
        elif files != expected.get(folder):
            faults.append(f"partial, or other bytes: {folder}: {', '.join(files)}")
    missing = expected.keys() - found.keys()
    if (wanted == 0 and missing) or (wanted == 1 and missing != {failed.removesuffix(".failed")}):
        faults.append(f"not published: {', '.join(sorted(missing))}")

    before = home.remains()
    code_after, text, more = Run(home).end()
    faults += [f"next run: {fault}" for fault in more]
    if code_after != 0:
        faults.append(f"next run: exit code {code_after}: {text[-300:]}")
    if home.published() != expected:
        faults.append("next run: other bytes")
    end = time.monotonic() + AFTER
    while (left := home.remains()) and time.monotonic() < end:
        time.sleep(0.05)
    if left:
        named = (f"{name} ({'of old' if name in before else 'new'})" for name in sorted(left))
        faults.append(f"next run: left behind: {', '.join(named)}")
    return hit, len(expected) - len(missing), code, faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--victims", nargs="+", choices=VICTIMS, default=VICTIMS)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    rows, told = [], []
    with tempfile.TemporaryDirectory(prefix="k") as folder:  # short: sockets lie below it
        quiet = Home(Path(folder) / "q")
        begin = time.monotonic()
        code, text, faults = Run(quiet).end()
        seconds = time.monotonic() - begin
        assert (code, faults) == (0, []), text + str(faults)
        expected = quiet.published()
        assert not (left := quiet.remains()), f"left behind by a run that nobody disturbed: {left}"
        tries = 0
        while len(rows) < arguments.kills:
            victim = arguments.victims[len(rows) % len(arguments.victims)]
            tries += 1
            assert tries < 10 * arguments.kills + 10, "victims are hardly ever there"
            home = Home(Path(folder) / str(tries))
            hit, done, code, faults = disturbed(home, victim, chance, seconds, expected)
            told += [f"{tries}, {victim}: {fault}" for fault in faults]
            if hit:  # a run that ended before is no disturbance
                rows.append({"victim": victim, "done": done, "code": code, "faults": len(faults)})
                print(f"{len(rows)} {victim} {done} {code} {faults}", file=sys.stderr, flush=True)
    table = {}
    for victim, found in pd.DataFrame(rows).groupby("victim", sort=False):
        codes = Counter(found["code"])
        table[victim] = {
            "kills": len(found),
            "jobs published by then": f"{found['done'].min()} to {found['done'].max()}",
            "exit codes": ", ".join(f"{code}: {count}" for code, count in sorted(codes.items())),
            "faults": int(found["faults"].sum()),
        }
    shown = pd.DataFrame.from_dict(table, orient="index").rename_axis("victim")
    print(markdown(shown, {}), *told, sep="\n")
    return int(bool(told))


if __name__ == "__main__":
    sys.exit(main())
