"""kill -9 of a command that takes in figures of several tables, at random moments, many times over.

    python tests/benchmarks/intake_kills.py [MOMENTS] [SEED] [COMMAND WORD...]

The command works in a copy of the workbook's data (WARDLIB_HOME names its folder) on the ward phuc-dong;
without one, a report of January 2022 is appended to three tables. The moments begin by turns when it
holds the ward's folder and when it has written its journal, and go on to some time after its step. After each, readers see every table as before or every one as
after, `ward check` finds no problem, and `ward check --accept` and the same command again go well and
leave what an undisturbed one leaves; it raises where that does not hold. Prints how many moments
found which state, and what stood on the disk.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from report import markdown

ROOT = Path(__file__).parents[2]
WARD = "phuc-dong"
SIGNS = ".lock", "journal.json"  # what tells how far a command has come
APPEND = [sys.executable, "-c", "import test_journal; test_journal.append()"]
CHECK = [sys.executable, "-c", "from wardlib.cli import main; main()", "check", "--ward", WARD]


def fresh(home: Path) -> Path:
    """A workbook with the data as they are shipped; the ward's folder."""
    shutil.rmtree(home, ignore_errors=True)
    ignored = shutil.ignore_patterns(".accepted", "received", "__pycache__")
    shutil.copytree(ROOT / "data", home / "data", ignore=ignored)
    return home / "data" / WARD


def start(command: list[str], home: Path) -> subprocess.Popen[str]:
    """The command in that workbook."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    env = os.environ | {"WARDLIB_HOME": str(home), "PYTHONPATH": paths}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=pipe, stderr=pipe, text=True)


def ended(command: list[str], home: Path) -> None:
    """Run a command that has to go well."""
    process = start(command, home)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err


def begun(process: subprocess.Popen[str], sign: Path) -> float:
    """The moment at which a file of the command's stands there, or it has ended."""
    while not sign.exists() and process.poll() is None:
        pass
    return time.perf_counter()


def lasted(command: list[str], home: Path, folder: Path, sign: str) -> float:
    """The seconds from the command's sign to a while after its step, which changes the descriptor."""
    process = start(command, home)
    begin = begun(process, folder / ".accepted" / sign)
    descriptor = folder / "datapackage.json"
    which = descriptor.stat().st_ino
    while descriptor.stat().st_ino == which:
        assert process.poll() is None, process.communicate()
    seconds = time.perf_counter() - begin
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    return 1.4 * seconds


def seen(folder: Path) -> dict[str, bytes | None]:
    """What readers see of each table."""
    from wardlib.data import reading

    return {path.name: reading.content(path) for path in sorted(folder.glob("*.csv"))}


def main() -> None:
    """Kill the command at each moment and hold what it left against the two states."""
    moments = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    chance = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    command = sys.argv[3:] or APPEND
    found: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "workbook"
        folder = fresh(home)
        old = seen(folder)
        longest = {}
        for sign in SIGNS:
            longest[sign] = lasted(command, home, fresh(home), sign)
        new = seen(folder)
        assert sum(new[table] != old[table] for table in old) >= 3
        hit = 0
        while hit < moments:
            folder = fresh(home)
            process = start(command, home)
            sign = SIGNS[hit % len(SIGNS)]
            begin = begun(process, folder / ".accepted" / sign)
            moment = begin + chance.uniform(0, longest[sign])
            while time.perf_counter() < moment and process.poll() is None:
                pass
            process.kill()
            process.communicate()
            if process.returncode == 0:  # it ended before the moment came: no disturbance
                continue
            hit += 1
            files = {path.name: path.read_bytes() for path in folder.glob("*.csv")}
            disk = "as before" if files == old else "as after" if files == new else "in between"
            state = seen(folder)
            assert state in (old, new), {table for table in state if state[table] != old[table]}
            found["new" if state == new else "old", disk] += 1
            ended(CHECK, home)
            assert seen(folder) == state
            ended([*CHECK, "--accept"], home)
            assert {path.name: path.read_bytes() for path in folder.glob("*.csv")} == state
            if state == old:
                ended(command, home)
            assert seen(folder) == new
            assert not (folder / ".accepted" / "journal.json").exists()
    import pandas as pd

    rows = [
        {"readers see, the files are": f"{state}, {disk}", "moments": count}
        for (state, disk), count in sorted(found.items())
    ]
    print(markdown(pd.DataFrame(rows).set_index("readers see, the files are"), {}))


if __name__ == "__main__":
    main()
