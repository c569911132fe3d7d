"""The test suites of nbclient and papermill, by the engine `ward` and by the ordinary kernel.

    python tests/benchmarks/conformance.py [FOLDER]

Fetches nbclient's source distribution (its notebooks are not in the wheel) and what both need into FOLDER
(else a temporary one). Every notebook of nbclient's suite is run by the ordinary kernel and by the engine,
and what differs is printed: outputs, metadata of outputs, execution counts, widgets, and how the run ended.
papermill's own tests, which ship in its wheel, run with its own engine as the default and with ours; what
passes with the one and fails with the other is run three times more with both. Exit code 1 if a notebook
differs that is not listed here, or a test fails with ours more often.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
from pathlib import Path

import papermill

NBCLIENT = "nbclient==0.11.0"
NEEDED = [
    "ipywidgets", "sympy",  # nbclient's notebooks
    *["azure-datalake-store<1", "azure-identity", "azure-storage-blob", "boto3", "gcsfs"],  # papermill
    *["moto[s3]>=5,<5.1", "pyarrow", "pytest-env", "pytest-mock", "requests", "black"],
]  # fmt: skip
ROOT = Path(__file__).parents[2]
# Notebooks of nbclient's suite that differ, and why.
DIFFERENT = {
    "Autokill.ipynb": "it kills its own process, which is papermill's here",
}
EACH = """
import json, sys
from pathlib import Path
import nbformat
from papermill.engines import NBClientEngine
from wardlib.runs.engine import WardEngine
source, target, engine = sys.argv[1:]
notebook = nbformat.read(source, as_version=4)
notebook.metadata["papermill"] = {}
try:
    {"ward": WardEngine, "kernel": NBClientEngine}[engine].execute_notebook(
        notebook, "python3", progress_bar=False, execution_timeout=20, allow_errors="Error" in source)
    end = ""
except BaseException as error:
    end = f"{type(error).__name__}: {error}"
cells = [[c.execution_count, c.outputs] for c in notebook.cells if c.cell_type == "code"]
Path(target).write_text(json.dumps({"end": end, "cells": cells, "widgets": notebook.metadata.get("widgets")}))
"""
PLUGIN = """
'''A pytest plug-in: the engine named in ENGINE is papermill's default; how each test ended is written down.'''
import json, os
from pathlib import Path
from papermill.engines import papermill_engines
from wardlib.runs.engine import WardEngine

if os.environ["ENGINE"] == "ward":
    papermill_engines.register(None, WardEngine)
    papermill_engines.register("nbclient", WardEngine)
tests = {}

def pytest_runtest_logreport(report):
    before = tests.get(report.nodeid, "passed")
    tests[report.nodeid] = before if report.passed or before == "failed" else report.outcome

def pytest_sessionfinish():
    Path(os.environ["ENDED"]).write_text(json.dumps(tests))
"""
RANDOM = (  # what differs from run to run
    (r"0x[0-9a-f]{6,}", "0x"),
    (r"ipykernel_\d+/", "ipykernel/"),
    (r"\d{4}-\d\d-\d\d[T ][\d:.]+", "TIME"),
    (r"\d+(\.\d+)?(e-\d+)? ?[µnm]?s\b", "SECONDS"),
)


def main() -> None:
    named = len(sys.argv) > 1
    folder = Path(sys.argv[1] if named else tempfile.mkdtemp()).resolve()
    folder.mkdir(exist_ok=True)
    python = environment(folder)
    worse = notebooks(folder, python) + papermills(folder, python)
    if not named:
        shutil.rmtree(folder)
    sys.exit(bool(worse))


def environment(folder: Path) -> Path:
    """A virtual environment with what the suites need on top of this one's packages."""
    own = folder / "environment"
    python = own / "bin" / "python"
    if not (own / "ready").exists():
        venv.create(own, with_pip=True, clear=True)
        site = next(own.glob("lib/python*/site-packages"))
        (site / "below.pth").write_text(
            f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
        )
        subprocess.run([python, "-m", "pip", "install", "--quiet", *NEEDED], check=True)
        (own / "ready").touch()
    next(own.glob("lib/python*/site-packages")).joinpath("ended.py").write_text(PLUGIN)
    return python


def notebooks(folder: Path, python: Path) -> list[str]:
    """Compare nbclient's notebooks; those that differ unlisted."""
    words = ["download", "--quiet", "--no-deps", "--no-binary", "nbclient", NBCLIENT, "-d", folder]
    subprocess.run([python, "-m", "pip", *words], check=True)
    archive = next(folder.glob("nbclient-*.tar.gz"))
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    files = folder / archive.name.removesuffix(".tar.gz") / "tests" / "files"
    unlisted, same = [], 0
    for source in sorted(files.glob("*.ipynb")):
        found = {}
        for engine in ("kernel", "ward"):
            target = folder / "found.json"
            target.unlink(missing_ok=True)
            subprocess.run(
                [python, "-c", EACH, source, target, engine], cwd=files, env=environ(),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=(folder / "log").open("a"),
            )  # fmt: skip
            found[engine] = comparable(target) if target.exists() else "the process ended"
        if found["kernel"] == found["ward"]:
            same += 1
            continue
        print(f"{source.name} differs: {DIFFERENT.get(source.name, 'unlisted')}")
        if source.name not in DIFFERENT:
            unlisted.append(source.name)
            for engine, text in found.items():
                print(f"    {engine}: {text[:1000]}")
    print(f"nbclient's notebooks: {same} same, {len(unlisted)} differ unlisted", flush=True)
    return unlisted


def comparable(file: Path) -> str:
    """What was found, with text that joins on as one output, without what differs from run to run."""
    found = json.loads(file.read_text(encoding="utf-8"))
    for _, outputs in found["cells"]:
        joined: list[dict[str, object]] = []
        for output in outputs:
            last = joined[-1] if joined else {}
            if "name" in output and output["name"] == last.get("name"):
                last["text"] += output["text"]
            else:
                joined.append(output)
        outputs[:] = joined
    text = json.dumps(found, ensure_ascii=False)
    for pattern, stand_in in RANDOM:
        text = re.sub(pattern, stand_in, text)
    names = dict.fromkeys(re.findall(r"\b[0-9a-f]{32}\b", text))  # of widgets, in their order
    for number, name in enumerate(names):
        text = text.replace(name, f"widget{number}")
    return text


def papermills(folder: Path, python: Path) -> list[str]:
    """Run papermill's tests with both engines; those that fail more often with ours."""
    ended = {}
    print("\n| papermill's tests with | passed | failed | skipped |\n| --- | ---: | ---: | ---: |")
    for engine in ("papermill", "ward"):
        ended[engine] = run(folder, python, engine)
        kinds = [sum(end == k for end in ended[engine].values()) for k in ("passed", "failed", "skipped")]  # fmt: skip
        print("|", " | ".join(map(str, [engine, *kinds])), "|", flush=True)
    worse = []
    for test, end in ended["ward"].items():
        if end == "failed" and ended["papermill"].get(test) != "failed":
            failures = {
                engine: sum(
                    "failed" in run(folder, python, engine, test).values() for _ in range(3)
                )
                for engine in ended
            }
            print(f"{test}: failed once with ward; alone, of three, {failures}", flush=True)
            if failures["ward"] > failures["papermill"]:
                worse.append(test)
    return worse


def run(folder: Path, python: Path, engine: str, test: str = "") -> dict[str, str]:
    """How each test of papermill's ended (or one alone)."""
    file = folder / "ended.json"
    file.unlink(missing_ok=True)
    # With no settings: those of a checkout above it are not meant for it.
    (folder / "pytest.ini").write_text("[pytest]\n")
    tests = Path(papermill.__file__).parent / "tests" / test
    subprocess.run(
        [python, "-m", "pytest", tests, "-c", folder / "pytest.ini", "-q", "-p", "ended", "-p", "no:cacheprovider"],
        cwd=folder, env=environ() | {"ENDED": str(file), "ENGINE": engine, "AWS_DEFAULT_REGION": "us-east-1"},
        stdout=(folder / "log").open("a"), stderr=subprocess.STDOUT,
    )  # fmt: skip
    found: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return found


def environ() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}


if __name__ == "__main__":
    main()
