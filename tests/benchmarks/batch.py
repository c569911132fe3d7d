"""How a batch compares with the stock tools, on this machine and in this run: ratios.

    python tests/benchmarks/batch.py [PART ...] [--workers N] [--rounds 3]

Parts (default: all):

- `start`: a kernel from its start until the notebooks' libraries are imported, and an empty notebook
  through papermill, on the ordinary and on the warm kernel.
- `speed`: 24 briefings (12 months, two languages; HTML and PDF) by `ward run`, from the command's start
  to its end, beside (a) the stock command line, `papermill` and `jupyter nbconvert --to html` a job
  and the same Typst compile in a process of its own; (b) papermill, nbconvert and Typst as libraries
  in a pool of as many processes; (c) the floor, the same cells and the same two exports in one warm
  process. The stock ways are spared what only we do: the Typst sources are made beforehand.
- `memory`: the highest memory of all processes together in batches of 20 and of 510 jobs.
- `check`: 1,140 jobs that are up to date; then a changed row of one month.

Bytecode is compiled beforehand, for all of them.
"""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
sys.path.insert(0, str(ROOT / "tests"))

NOTEBOOK = "90-briefing"
MONTHS = [f"2020-{month:02}" for month in range(1, 13)]
LANGUAGES = ("vi", "en")
BATCH = ["2020-01..2020-12", "--language", *LANGUAGES, "--notebook", NOTEBOOK]
EVERY = [
    *["2013-07..2021-12", "2013-Q3..2021-Q4", "2014-H1..2021-H1", "2014-9M..2021-9M"],
    *["2014..2021", "--ward", "all", "--language", *LANGUAGES],
]
THREE = ("00-data-check", "20-school-activities", NOTEBOOK)
BOTH = [
    *["2017-01..2021-12", "2017-Q1..2021-Q4", "2017-H1..2021-H1", "2017-9M..2021-9M", "2017..2021"],
    *["--ward", "all", "--language", *LANGUAGES, "--notebook", *THREE],
]
FEW = ["2021-08..2021-12", "--ward", "all", "--language", *LANGUAGES, "--notebook", NOTEBOOK]
IMPORTS = "from wardlib.pages import workbook"  # what `wardlib.open` needs
TYPESET = """
import datetime, json, pathlib, sys, typst
folder, target = map(pathlib.Path, sys.argv[1:])
how = json.loads((folder / "how.json").read_text())
compiler = typst.Compiler(folder / "main.typ", root=folder, **how["compiler"])
stamp = datetime.datetime.fromisoformat(how["timestamp"])
target.write_bytes(compiler.compile(format="pdf", pdf_standards=how["pdf_standards"], timestamp=stamp))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", default=["start", "speed", "memory", "check"])
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--floor", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.floor:
        floor()
        return
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    site = Path(sys.prefix) / "lib"
    subprocess.run([sys.executable, "-m", "compileall", "-q", site, ROOT / "wardlib"], check=False)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "workbook"
        home.mkdir()
        shutil.copytree(ROOT / "data", home / "data")
        shutil.copytree(ROOT / "notebooks", home / "notebooks")
        os.environ["WARDLIB_HOME"] = str(home)
        if "start" in arguments.parts:
            start(10 * arguments.rounds)
        if "speed" in arguments.parts:
            speed(home, arguments.workers, arguments.rounds)
        if "memory" in arguments.parts:
            memory(home, arguments.workers)
        if "check" in arguments.parts:
            check(home, arguments.rounds)


def told(title: str, rows: dict[str, dict[str, object]], decimals: dict[str, int]) -> None:
    import pandas as pd
    from report import markdown

    print(markdown(pd.DataFrame(rows).T.rename_axis(title).infer_objects(), decimals), end="\n\n")
    sys.stdout.flush()


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


# start


def start(times: int) -> None:
    import papermill
    from jupyter_client.manager import start_new_kernel
    from nbformat.v4 import new_notebook

    def ready(kernel: str) -> None:
        manager, client = start_new_kernel(kernel_name=kernel)
        try:
            client.execute_interactive(IMPORTS, timeout=60)
        finally:
            begin = time.perf_counter()
            client.stop_channels()
            manager.shutdown_kernel()
            ends.append(time.perf_counter() - begin)

    def empty(kernel: str) -> None:
        with open(os.devnull, "w") as null:  # noqa: PTH123 - a stream is wanted
            papermill.execute_notebook(
                str(blank), None, kernel_name=kernel, progress_bar=False, stderr_file=null
            )

    ends: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        blank = Path(folder) / "empty.ipynb"
        import nbformat

        nbformat.write(new_notebook(), blank)
        first = timed(lambda: ready("ward"))
        rows = {}
        for name, work in (("start to imported", ready), ("empty notebook", empty)):
            found: dict[str, list[float]] = {"python3": [], "ward": []}
            for _ in range(times):
                for kernel, durations in found.items():
                    ends.clear()
                    durations.append(timed(lambda: work(kernel)) - sum(ends))  # noqa: B023
            stock, warm = (statistics.median(durations) for durations in found.values())
            rows[name] = {"ordinary, s": stock, "warm, s": warm, "ratio": warm / stock}
    rows["the first, which loads the parent"] = {"warm, s": first}
    told(f"kernel, medians of {times}", rows, {"ordinary, s": 3, "warm, s": 3, "ratio": 3})


# speed


def speed(home: Path, workers: int, rounds: int) -> None:
    ward(*BATCH)
    sources = typst_sources(home, home.parent / "typst")
    jobs = [(month, language) for month in MONTHS for language in LANGUAGES]
    scratch = home.parent / "stock"
    scratch.mkdir()

    def ours(count: int) -> Callable[[], object]:
        return lambda: ward(*BATCH, "--force", "--workers", str(count))

    def command_line() -> None:
        for job in jobs:
            by_command(home, scratch, sources, *job)

    def pool() -> None:
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=spawn) as executor:
            for future in [
                executor.submit(by_library, home, scratch, sources, *job) for job in jobs
            ]:
                future.result()

    def one_process() -> tuple[float, float]:
        done = subprocess.run(
            [sys.executable, __file__, "--floor"], check=True, capture_output=True, text=True
        )
        fresh, remembering = json.loads(done.stdout.splitlines()[-1])
        return fresh, remembering

    several, single, pooled = [], [], []
    floors: list[tuple[float, float]] = []
    for _ in range(rounds):
        several.append(timed(ours(workers)))
        pooled.append(timed(pool))
        single.append(timed(ours(1)))
        floors.append(one_process())
    a = timed(command_line)
    b, one, many = (statistics.median(found) for found in (pooled, single, several))
    c, remembering = (statistics.median(found) for found in zip(*floors, strict=True))
    rows = {
        f"ward run, {workers} workers": {"s": many},
        "ward run, 1 worker": {"s": one},
        "(a) stock command line": {"s": a, "times ward run": a / many},
        f"(b) stock libraries, {workers} processes": {"s": b, "times ward run": b / many},
        "(c) floor, one warm process": {"s": c, "ward run, 1 worker, to it": one / c},
        "(c) remembering fits of earlier jobs": {
            "s": remembering, "ward run, 1 worker, to it": one / remembering
        },
    }  # fmt: skip
    told(
        f"24 briefings, medians of {rounds}; (a) once", rows,
        {"s": 1, "times ward run": 1, "ward run, 1 worker, to it": 2},
    )  # fmt: skip


def ward(*words: str) -> str:
    """Run `ward run`; what it printed last."""
    done = subprocess.run([BIN / "ward", "run", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def typst_sources(home: Path, target: Path) -> Path:
    """A folder a job with the Typst source of its briefing, what it draws, and how it is compiled."""
    import nbformat

    from wardlib.pages import typst as setting
    from wardlib.pages.exporters import WardPDFExporter

    class Kept:
        """Keeps what a compiler is given, and compiles."""

        def __init__(self, main, *, root, **how):
            shutil.copytree(root, kept)
            self.how, self.compiler = how, original(main, root=root, **how)

        def compile(self, *, timestamp, pdf_standards, **how):
            about = {"compiler": self.how, "pdf_standards": pdf_standards}
            about |= {"timestamp": timestamp.isoformat()}
            (kept / "how.json").write_text(json.dumps(about))
            return self.compiler.compile(timestamp=timestamp, pdf_standards=pdf_standards, **how)

    setting._forget()  # its own compiler, of blank documents, is not to be kept
    original, setting.typst.Compiler = setting.typst.Compiler, Kept
    try:
        for file in home.glob(f"output/*/*/{NOTEBOOK}.*/*.ipynb"):
            kept = target / f"{file.parent.parent.name}.{file.stem.rpartition('.')[2]}"
            WardPDFExporter().from_notebook_node(nbformat.read(file, 4))
    finally:
        setting.typst.Compiler = original
    return target


def by_command(home: Path, scratch: Path, sources: Path, month: str, language: str) -> None:
    """(a): one job by the stock commands."""
    name = f"{month}.{language}"
    notebook = scratch / f"{name}.ipynb"
    for words in (
        [BIN / "papermill", "--no-progress-bar", "-k", "python3",
         home / "notebooks" / f"{NOTEBOOK}.ipynb", notebook,
         "-p", "period", month, "-p", "language", language],
        [BIN / "jupyter", "nbconvert", "--to", "html", notebook],
        [sys.executable, "-c", TYPESET, sources / name, scratch / f"{name}.pdf"],
    ):  # fmt: skip
        subprocess.run(words, check=True, capture_output=True)


def by_library(home: Path, scratch: Path, sources: Path, month: str, language: str) -> None:
    """(b): one job by the stock libraries, in a process that has them loaded."""
    import nbformat
    import papermill
    from nbconvert.exporters import HTMLExporter

    name = f"{month}.{language}"
    notebook = scratch / f"{name}.ipynb"
    papermill.execute_notebook(
        str(home / "notebooks" / f"{NOTEBOOK}.ipynb"), str(notebook), kernel_name="python3",
        parameters={"period": month, "language": language}, progress_bar=False,
    )  # fmt: skip
    html, _ = HTMLExporter().from_notebook_node(nbformat.read(notebook, 4))
    notebook.with_suffix(".html").write_text(html, encoding="utf-8")
    sys.argv = ["", str(sources / name), str(scratch / f"{name}.pdf")]
    exec(TYPESET, {})


def floor() -> None:
    """(c), in a process of its own: prints the seconds of the batch without what only runs of many
    notebooks need, and the same where a job finds the fits that an earlier one left in memory."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    import conftest

    import wardlib.runs.warm  # noqa: F401
    from wardlib.analysis import due_dates, gaussian_process
    from wardlib.pages.exporters import WardHTMLExporter, WardPDFExporter

    exporters = {".html": WardHTMLExporter(), ".pdf": WardPDFExporter()}

    def job(month: str, language: str) -> None:
        done = conftest.executed.__wrapped__(NOTEBOOK, "phuc-dong", month, language)
        for suffix, exporter in exporters.items():
            body, _ = exporter.from_notebook_node(done)
            file = scratch / f"{month}.{language}{suffix}"
            file.write_bytes(body if isinstance(body, bytes) else body.encode())

    def batch(*, remember: bool) -> float:
        begin = time.perf_counter()
        for month in MONTHS:
            for language in LANGUAGES:
                if not remember:
                    gaussian_process._kept_fit.cache_clear()
                    due_dates._kept_years.cache_clear()
                job(month, language)
        return time.perf_counter() - begin

    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        job(MONTHS[0], LANGUAGES[0])
        print(json.dumps([batch(remember=False), batch(remember=True)]))


# memory and check


def memory(home: Path, workers: int) -> None:
    import psutil
    from test_interruptions import Run

    rows = {}
    for name, words in (("20 jobs", FEW), ("510 jobs", [*EVERY, "--notebook", NOTEBOOK])):
        shutil.rmtree(home / "output", ignore_errors=True)
        run = Run(home, *words, "--workers", str(workers))
        reader = threading.Thread(target=run.process.stdout.read)  # else it waits for one
        reader.start()
        highest, samples = 0, 0
        while run.process.poll() is None:
            with suppress(psutil.Error):
                started = psutil.Process(run.process.pid).children(recursive=True)
                highest = max(highest, sum(map(proportional, started)))
                samples += 1
            time.sleep(0.02)
        reader.join()
        assert run.process.returncode == 0
        rows[name] = {"highest, MB": highest / 1e6, "samples": samples}
    first, last = (row["highest, MB"] for row in rows.values())
    rows["ratio"] = {"highest, MB": last / first}
    told("all processes together", rows, {"highest, MB": 2})


def proportional(process: object) -> int:
    """The memory of a process in bytes, pages that it shares counted in part."""
    with suppress(OSError):
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1000
    return 0


def check(home: Path, rounds: int) -> None:
    ward(*BOTH)
    durations = [timed(lambda: ward(*BOTH)) for _ in range(rounds)]
    text = ward(*BOTH)
    assert text == "0 done, 0 failed, 1140 up to date", text
    told("1,140 jobs up to date", {"median": {"s": statistics.median(durations)}}, {"s": 2})

    path = home / "data" / "phuc-dong" / "activities.csv"
    with path.open(encoding="utf-8", newline="") as file:
        head, *lines = csv.reader(file)
    row = next(row for row in lines if row[:2] == ["2021-11", "sport"])
    row[head.index("participants")] += "0"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *lines])
    accept = [BIN / "ward", "check", "--accept", "--rewrite", "activities"]
    subprocess.run(accept, check=True, capture_output=True)
    done = subprocess.run([BIN / "ward", "run", *BOTH], capture_output=True, text=True, check=True)
    again = [line.split()[1:4] for line in done.stdout.splitlines() if "done in" in line]
    periods = ("2021", "2021-11", "2021-12", "2021-Q4")
    expected = [
        ["phuc-dong", period, f"{notebook}.{language}:"]
        for period in periods
        for notebook in THREE
        for language in LANGUAGES
    ]
    assert sorted(again) == sorted(expected), again
    said = f"{len(again)}: all of {', '.join(periods)}"
    told("a row of 2021-11 changed", {"jobs run again": {"": said}}, {})


if __name__ == "__main__":
    main()
