"""What a batch costs beside the stock tools, on this machine and in this run: CPU seconds and ratios.

    python tests/benchmarks/batch.py [PART ...] [--workers N] [--rounds 3]

CPU seconds are those of the whole tree of processes, also of what is nobody's child any more: each way
runs below a process that inherits orphans and that waits for all of them. Linux only. Parts (default:
all):

- `more`: one more briefing (HTML and PDF). 24 of them (12 months, two languages) less January's two,
  divided by 22: by difference of two whole commands, or measured inside, from the third on, where one
  process does all. Ways: `ward run`; (a) the stock command line, `papermill` and
  `jupyter nbconvert --to html` a job and the same Typst compile in a process of its own (mean of two
  jobs: each starts anew); (b) papermill, nbconvert and Typst as libraries in a pool of processes
  (6 less 2, divided by 4); (c) ploomber-engine, which runs cells in its own process, with our exporters
  in that process: mended, as it drops the metadata of what a cell displays and so loses charts and
  notes, and as it is, with these lost pages; (d) the floor, the same cells and exports in one warm
  process. "Empty": the folder of kept fits (WARDLIB_CACHE) is emptied before; "kept": all 24 ran
  before, for (c) and (d) in the same process, for the others on disk.
- `five`: the five notebooks of one period, whole commands from a cold start, beside (a).
- `memory`: the highest memory of all processes together in batches of 20 and of 510 jobs.
- `check`: 1,140 jobs that are up to date; then a changed row of one month.

(a) and (b) are spared what only we do: the Typst sources are made beforehand. Ways take turns, round by
round; medians are printed. Bytecode is compiled beforehand, for all of them. ploomber-engine is got
into a temporary folder where it is not installed.
"""

from __future__ import annotations

import argparse
import csv
import ctypes
import gc
import importlib.util
import json
import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
sys.path.insert(0, str(ROOT / "tests"))

PLOOMBER = "ploomber-engine==0.0.33"
NOTEBOOK = "90-briefing"
LANGUAGES = ("vi", "en")
JOBS = [(f"2020-{month:02}", language) for month in range(1, 13) for language in LANGUAGES]
START = 2  # the first jobs, which everything starts with
POOLED = 6
BATCH = ["--language", *LANGUAGES, "--notebook", NOTEBOOK, "--force"]
QUARTER = "2020-Q3"
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
Spent = tuple[float, float]  # CPU and wall seconds
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
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
    parser.add_argument("parts", nargs="*", default=["more", "five", "memory", "check"])
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "workbook"
        home.mkdir()
        shutil.copytree(ROOT / "data", home / "data")
        shutil.copytree(ROOT / "notebooks", home / "notebooks")
        os.environ |= {
            "WARDLIB_HOME": str(home),
            "WARDLIB_CACHE": str(home.parent / "cache"),
            "PYTHONPATH": str(ROOT),
            "PLOOMBER": str(home.parent / "ploomber"),
            "PLOOMBER_STATS_ENABLED": "false",
        }
        for code in (Path(sys.prefix) / "lib", ROOT / "wardlib"):
            subprocess.run([sys.executable, "-m", "compileall", "-qq", code], check=False)
        if "more" in arguments.parts:
            get_ploomber()
            more(home, arguments.workers, arguments.rounds)
        if "five" in arguments.parts:
            five(home, arguments.rounds)
        if "memory" in arguments.parts:
            memory(home, arguments.workers)
        if "check" in arguments.parts:
            check(home, arguments.rounds)


def told(title: str, rows: dict[str, dict[str, object]], decimals: dict[str, int]) -> None:
    import pandas as pd
    from report import markdown

    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis(title)
    print(markdown(table.infer_objects(), decimals), end="\n\n")
    sys.stdout.flush()


# what a tree of processes uses


def tree(*words: str | Path) -> tuple[float, float, str, float]:
    """Run a command: (CPU seconds of all that it started, seconds until its own end, what it printed,
    MB of the largest process). AssertionError, with what it said, where it fails."""
    with tempfile.NamedTemporaryFile() as file:
        done = subprocess.run(below(file.name, *words), capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        cpu, wall, peak = json.loads(Path(file.name).read_text())
    return cpu, wall, done.stdout, peak


def below(file: str, *words: str | Path) -> list[str]:
    """The command that runs `words` as `watch` does."""
    return [sys.executable, __file__, "--watch", file, *map(str, words)]


def watch(file: str, *words: str) -> int:
    """Run a command, wait for every process that comes of it, orphans too, and write to `file` what
    `tree` returns but the text. The exit code of the command."""
    assert ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0) == 0
    begin = time.perf_counter()
    code = subprocess.Popen(words).wait()
    wall = time.perf_counter() - begin
    with suppress(ChildProcessError):
        while True:
            os.wait()
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = spent.ru_utime + spent.ru_stime, wall, spent.ru_maxrss * 1024 / 1e6
    Path(file).write_text(json.dumps(figures))
    return code


def emptied() -> None:
    """Forget the fits on disk."""
    shutil.rmtree(os.environ["WARDLIB_CACHE"], ignore_errors=True)
    Path(os.environ["WARDLIB_CACHE"]).mkdir()


def ward(*words: str) -> str:
    """Run `ward run`; what it printed last."""
    return tree(BIN / "ward", "run", *words)[2].splitlines()[-1]


# one more briefing


def more(home: Path, workers: int, rounds: int) -> None:
    months = [month for month, _ in JOBS]
    short, long = [months[START - 1]], [f"{months[0]}..{months[-1]}"]
    emptied()
    ward(*long, *BATCH)
    sources = typst_sources(home, home.parent / "typst")
    scratch, stock = home.parent / "scratch", home.parent / "stock"
    for folder in (scratch, stock):
        folder.mkdir(exist_ok=True)

    def ours(count: int, *states: str) -> dict[str, Spent]:
        found = {}
        for fits in states:  # the empty folder is full afterwards
            whole = []
            for periods in (short, long):
                if fits == "empty":
                    emptied()
                whole.append(tree(BIN / "ward", "run", *periods, *BATCH, "--workers", str(count)))
            found[fits] = each(*whole, len(JOBS) - START)
        return found

    def each(few: Sequence, many: Sequence, jobs: int) -> Spent:
        return (many[0] - few[0]) / jobs, (many[1] - few[1]) / jobs

    def inside(way: str) -> dict[str, Spent]:
        emptied()
        found = tree(sys.executable, __file__, f"--{way}", scratch)[2]
        drawn = sum(b'class="chart"' in file.read_bytes() for file in scratch.glob("*.html"))
        assert drawn == (0 if way == "lossy" else len(JOBS)), f"{drawn} pages with charts"
        return json.loads(found.splitlines()[-1])

    def command_line() -> dict[str, Spent]:
        spent = [by_command(home, stock, sources, NOTEBOOK, *job) for job in JOBS[:START]]
        return {"kept": tuple(statistics.fmean(kind) for kind in zip(*spent, strict=True))}

    def pool() -> dict[str, Spent]:
        words = [sys.executable, __file__, "--pool", home, stock, sources, str(workers)]
        whole = [tree(*words, str(count)) for count in (START, POOLED)]
        return {"kept": each(*whole, POOLED - START)}

    ways: dict[str, Callable[[], dict[str, Spent]]] = {
        "ward run, 1 worker": lambda: ours(1, "empty", "kept"),
        "(d) floor, one warm process": lambda: inside("floor"),
        "(c) ploomber-engine, mended": lambda: inside("ploomber"),
        "(c) ploomber-engine as it is": lambda: inside("lossy"),
        f"ward run, {workers} workers": lambda: ours(workers, "kept"),
        "(a) stock command line": command_line,
        f"(b) stock libraries, {workers} processes": pool,
    }
    own, floor, mended, lossy, _, a, b = ways
    found: dict[str, list[dict[str, Spent]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            found[name].append(way())
    columns = [
        ("CPU s", 0, "empty"),
        ("CPU s", 0, "kept"),
        ("wall s", 1, "empty"),
        ("wall s", 1, "kept"),
    ]
    rows: dict[str, dict[str, object]] = {}
    for name, spent in found.items():
        row = rows[name] = {}
        for unit, at, fits in columns:
            if fits in spent[0]:
                each_round = sorted(one[fits][at] for one in spent)
                row[f"{unit}, {fits}"] = statistics.median(each_round)
                row[f"{unit}, {fits}: from, to"] = f"{each_round[0]:.2f} {each_round[-1]:.2f}"
    told(
        f"one more briefing, medians of {rounds}",
        rows,
        {f"{unit}, {fits}": 2 for unit, _, fits in columns},
    )

    def times(one: str, fits: str, other: str, others: str) -> float:
        """The median of the rounds' ratios of CPU: what slows the machine slows both."""
        pairs = zip(found[one], found[other], strict=True)
        return statistics.median(mine[fits][0] / theirs[others][0] for mine, theirs in pairs)

    wanted = [
        (own, "kept", mended, "empty", "at most 0.8"),
        (own, "kept", mended, "kept", ""),
        (own, "kept", lossy, "empty", ""),
        (own, "kept", floor, "kept", "at most 1.2"),
        (own, "empty", mended, "empty", "at most 1.0"),
        (own, "empty", lossy, "empty", ""),
        (a, "kept", own, "kept", ""),
        (b, "kept", own, "kept", ""),
    ]
    told(
        "CPU, medians of the rounds' ratios",
        {
            f"{one}, {fits}, to {other}, {others}": {
                "times": times(one, fits, other, others),
                "wanted": word,
            }
            for one, fits, other, others, word in wanted
        },
        {"times": 2},
    )


def get_ploomber() -> None:
    """Get ploomber-engine into its folder, unless it is installed."""
    if importlib.util.find_spec("ploomber_engine") is None:
        words = ["install", "-qqq", "--target", os.environ["PLOOMBER"], PLOOMBER]
        with_pip = importlib.util.find_spec("pip") is not None
        how = [sys.executable, "-m", "pip"] if with_pip else ["uv", "pip"]
        where = [] if with_pip else ["--python", sys.executable]
        subprocess.run([*how, *words, *where], check=True)
        subprocess.run(
            [sys.executable, "-m", "compileall", "-qq", os.environ["PLOOMBER"]], check=False
        )


def in_process(way: str, scratch: Path) -> None:
    """(c) or (d): all briefings in this process. Prints the CPU and wall seconds of one more, after the
    first ones: fits made as they come, and once more with those remembered."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.display import display
    from IPython.utils.capture import capture_output
    from nbformat import NotebookNode
    from nbformat.v4 import new_output
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook
    from traitlets.config import Config

    from wardlib.pages import workbook  # noqa: F401 - loaded beforehand
    from wardlib.pages.exporters import WardHTMLExporter, WardPDFExporter

    exporters = {".html": WardHTMLExporter(), ".pdf": WardPDFExporter()}
    source = ROOT / "notebooks" / f"{NOTEBOOK}.ipynb"

    def plainly(parameters: dict[str, str]) -> NotebookNode:
        shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
        shell.user_ns.clear()  # `reset` would also collect garbage
        shell.init_user_ns()
        found = parameterize_notebook(load_notebook_node(str(source)), parameters)
        for cell in found.cells:
            if cell.cell_type != "code":
                continue
            with capture_output() as captured:
                done = shell.run_cell(cell.source)
                done.raise_error()
                if done.result is not None:
                    display(done.result)
            cell.outputs = [
                new_output("display_data", data=shown.data, metadata=shown.metadata)
                for shown in captured.outputs
            ]
        return found

    def by_ploomber(parameters: dict[str, str]) -> NotebookNode:
        from ploomber_engine import execute_notebook, ipython

        def publish(self, data, metadata=None, **_):
            shown = new_output("display_data", data=data, metadata=metadata or {})
            self.shell._current_output.append(shown)

        if way == "ploomber":
            ipython.CustomDisplayPublisher.publish = publish
        file = scratch / f"{parameters['period']}.{parameters['language']}.ipynb"
        return execute_notebook(source, file, parameters=parameters, progress_bar=False)

    def batch() -> list[float]:
        for number, (month, language) in enumerate(JOBS):
            if number == START:
                begin = time.process_time(), time.perf_counter()
            parameters = {"ward": "phuc-dong", "period": month, "language": language, "as_of": ""}
            done = plainly(parameters) if way == "floor" else by_ploomber(parameters)
            for suffix, exporter in exporters.items():
                body, _ = exporter.from_notebook_node(done)
                file = scratch / f"{month}.{language}{suffix}"
                file.write_bytes(body if isinstance(body, bytes) else body.encode())
            if way == "floor" and number == 0:  # as a process does that is to serve many jobs
                gc.freeze()
                gc.set_threshold(50_000, 20, 50)
        end = time.process_time(), time.perf_counter()
        return [(b - a) / (len(JOBS) - START) for a, b in zip(begin, end, strict=True)]

    sys.path.append(os.environ["PLOOMBER"])  # last: what it brings along is older or newer
    print(json.dumps({"empty": batch(), "kept": batch()}))


def typst_sources(home: Path, target: Path) -> Path:
    """A folder a job with the Typst source of its page, what it draws, and how it is compiled."""
    import nbformat
    import typst

    from wardlib.pages.exporters import WardPDFExporter

    class Kept:
        """Keeps what a compiler is given, and compiles."""

        def __init__(self, main, *, root, **how):
            self.how, self.compiler = how, original(main, root=root, **how)
            self.page = not isinstance(main, bytes)
            if self.page:
                shutil.copytree(root, kept, dirs_exist_ok=True)

        def __getattr__(self, name):
            return getattr(self.compiler, name)

        def compile(self, *args, **how):
            if self.page:
                fonts = {
                    "font_paths": [],
                    "ignore_system_fonts": True,
                }  # the same, as can be written
                about = {"compiler": self.how | fonts, "pdf_standards": how["pdf_standards"]}
                about |= {"timestamp": how["timestamp"].isoformat()}
                (kept / "how.json").write_text(json.dumps(about))
            return self.compiler.compile(*args, **how)

    original, typst.Compiler = typst.Compiler, Kept
    try:
        for file in home.glob("output/*/*/*/*.ipynb"):
            kept = target / f"{file.parent.parent.name}.{file.stem}"
            WardPDFExporter().from_notebook_node(nbformat.read(file, 4))
    finally:
        typst.Compiler = original
    return target


def by_command(
    home: Path, scratch: Path, sources: Path, notebook: str, period: str, language: str
) -> Spent:
    """(a): one job by the stock commands; the CPU and wall seconds of all three."""
    name = f"{period}.{notebook}.{language}"
    made = scratch / f"{name}.ipynb"
    spent = [
        tree(*words)[:2]
        for words in (
            [BIN / "papermill", "--no-progress-bar", "-k", "python3",
             home / "notebooks" / f"{notebook}.ipynb", made,
             "-p", "period", period, "-p", "language", language],
            [BIN / "jupyter", "nbconvert", "--to", "html", made],
            [sys.executable, "-c", TYPESET, sources / name, scratch / f"{name}.pdf"],
        )
    ]  # fmt: skip
    return tuple(map(sum, zip(*spent, strict=True)))


def by_library(home: str, scratch: str, sources: str, month: str, language: str) -> None:
    """(b): one job by the stock libraries, in a process that has them loaded."""
    import nbformat
    import papermill
    from nbconvert.exporters import HTMLExporter

    name = f"{month}.{NOTEBOOK}.{language}"
    notebook = Path(scratch) / f"{name}.ipynb"
    papermill.execute_notebook(
        f"{home}/notebooks/{NOTEBOOK}.ipynb", str(notebook), kernel_name="python3",
        parameters={"period": month, "language": language}, progress_bar=False,
    )  # fmt: skip
    html, _ = HTMLExporter().from_notebook_node(nbformat.read(notebook, 4))
    notebook.with_suffix(".html").write_text(html, encoding="utf-8")
    sys.argv = ["", f"{sources}/{name}", str(notebook.with_suffix(".pdf"))]
    exec(TYPESET, {})


def pooled(home: str, scratch: str, sources: str, workers: str, count: str) -> None:
    """(b): the first `count` jobs in a pool."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(int(workers), mp_context=spawn) as executor:
        for future in [
            executor.submit(by_library, home, scratch, sources, *job) for job in JOBS[: int(count)]
        ]:
            future.result()


# five notebooks


def five(home: Path, rounds: int) -> None:
    shutil.rmtree(home / "output", ignore_errors=True)
    emptied()
    ward(QUARTER)
    notebooks = sorted(file.stem for file in (home / "notebooks").glob("[0-9]*.ipynb"))
    sources = typst_sources(home, home.parent / "typst")
    scratch = home.parent / "stock"
    scratch.mkdir(exist_ok=True)
    found: dict[str, list[Spent]] = {
        "ward run, empty cache": [], "ward run, fits kept": [],
        "(a) stock command line, empty cache": [], "(a) stock command line, fits kept": [],
    }  # fmt: skip
    for _ in range(rounds):
        for name, spent in found.items():
            if "empty" in name:
                emptied()
            if name.startswith("ward"):
                spent.append(tree(BIN / "ward", "run", QUARTER, "--force")[:2])
                continue
            each = [
                by_command(home, scratch, sources, notebook, QUARTER, "vi")
                for notebook in notebooks
            ]
            spent.append(tuple(map(sum, zip(*each, strict=True))))
    rows: dict[str, dict[str, object]] = {}
    for name, spent in found.items():
        cpu, wall = (statistics.median(kind) for kind in zip(*spent, strict=True))
        rows[name] = {"CPU s": cpu, "wall s": wall}
    for fits in ("empty cache", "fits kept"):
        ours, stock = rows[f"ward run, {fits}"], rows[f"(a) stock command line, {fits}"]
        for kind in ("CPU s", "wall s"):
            stock[f"times ward run, {kind.split()[0]}"] = stock[kind] / ours[kind]
    told(
        f"{len(notebooks)} notebooks of {QUARTER}, cold, medians of {rounds}", rows,
        {"CPU s": 2, "wall s": 2, "times ward run, CPU": 1, "times ward run, wall": 1},
    )  # fmt: skip


# memory and check


def memory(home: Path, workers: int) -> None:
    import psutil

    rows = {}
    for name, words in (("20 jobs", FEW), ("510 jobs", [*EVERY, "--notebook", NOTEBOOK])):
        shutil.rmtree(home / "output", ignore_errors=True)
        emptied()
        run = subprocess.Popen(
            below(os.devnull, BIN / "ward", "run", *words, "--workers", str(workers)),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        reader = threading.Thread(target=run.stdout.read)  # else it waits for one
        reader.start()
        highest, samples = 0, 0
        while run.poll() is None:
            with suppress(psutil.Error):
                started = psutil.Process(run.pid).children(recursive=True)
                highest = max(highest, sum(map(proportional, started)))
                samples += 1
            time.sleep(0.02)
        reader.join()
        assert run.returncode == 0
        rows[name] = {"highest, MB": highest / 1e6, "samples": samples}
    first, last = (row["highest, MB"] for row in rows.values())
    rows["ratio"] = {"highest, MB": last / first}
    told("all processes together", rows, {"highest, MB": 2})


def proportional(process: object) -> int:
    """The memory of a process in bytes, pages that it shares counted in part."""
    with suppress(OSError):
        for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def check(home: Path, rounds: int) -> None:
    ward(*BOTH)
    spent = [tree(BIN / "ward", "run", *BOTH) for _ in range(rounds)]
    for _, _, text, _ in spent:
        assert text.splitlines()[-1] == "0 done, 0 failed, 1140 up to date", text
    cpu, wall = (statistics.median(kind) for kind in list(zip(*spent, strict=True))[:2])
    row = {"CPU s": cpu, "wall s": wall, "ms a job": 1000 * wall / 1140}
    told("1,140 jobs up to date", {f"median of {rounds}": row}, dict.fromkeys(row, 2))

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
    match sys.argv[1:]:
        case ["--watch", file, *words]:
            sys.exit(watch(file, *words))
        case ["--ploomber" | "--lossy" | "--floor" as way, scratch]:
            in_process(way[2:], Path(scratch))
        case ["--pool", *words]:
            pooled(*words)
        case _:
            main()
