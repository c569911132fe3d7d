"""Prove that a change of the code changes no output: every job of REVISION beside the working tree's.

    python tests/benchmarks/same.py REVISION [PERIOD ...] [--keep FOLDER]

Runs every notebook in both languages by `ward run`, each tree on its own code, data, notebooks and pinned
packages, for all wards and RUNS (or for the PERIODs named, as of no day), and compares, job by job:

- jobs: done, failed (in which cell, with what error) or passed over, and which files were made;
- HTML: the parsed tree, element names, attributes, text; runs of white space and white space between
  elements do not count; a chart is compared as the SVG that it is;
- figures.json: the parsed values, with their types;
- PDF pages, pixel for pixel; PDF text, its text layer; PDF data, the files attached, byte for byte, but
  for run.json, which names the version; PDF metadata, title, dates, language and outline.

Lists the first differences of each kind a job, then a table; exit code 1 where there is any. With
FOLDER, the outputs of REVISION stay there, by its commit, and what is up to date is not made again; one call at a time.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pymupdf
from lxml import html
from report import markdown

from wardlib.periods import Period

ROOT = Path(__file__).resolve().parents[2]
RUNS = {  # periods by as-of day: every kind of them, before, in and after the epidemic
    "": [
        *["2013-08", "2014", "2015-03", "2017-01", "2019-06", "2019-12", "2020-01..2020-07"],
        *["2020-09", "2020-12", "2021-02", "2021-08", "2020-Q1..2020-Q3", "2021-Q3..2021-Q4"],
        *["2019-H1..2021-H1", "2019-9M..2021-9M", "2019..2021"],
    ],
    "2020-02-05": ["2020-Q1"],
    "2020-02-10": ["2020-Q1"],
    "2020-03-20": ["2020-Q1"],
    "2020-04-20": ["2020"],
    "2020-06-30": ["2020-Q2"],
    "2020-09-13": ["2019-06", "2020-09", "2020-Q3", "2020-9M", "2021"],
    "2020-10-10": ["2020"],
    "2022-01-31": ["2021-Q3"],
}
DPI = 70
MOST = 5  # differences told, a kind a job
DONE, MISSING, RECORD = "done:", "(none)", "run.json"
SVG = "data:image/svg+xml;base64,"

Difference = tuple[str, str]  # where it is, and what it is


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("revision", metavar="REVISION")
    parser.add_argument("periods", metavar="PERIOD", nargs="*", help="default: those of RUNS")
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="where REVISION's outputs stay")
    arguments = parser.parse_args()
    asked = {
        as_of: [str(period) for text in texts for period in Period.span(text)]
        for as_of, texts in ({"": arguments.periods} if arguments.periods else RUNS).items()
    }
    words = ["git", "-C", ROOT, "rev-parse", "--verify", f"{arguments.revision}^{{commit}}"]
    commit = subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
    with tempfile.TemporaryDirectory() as scratch:
        after = Path(scratch) / "after"
        copy(after)
        before = (arguments.keep or Path(scratch)).resolve() / commit
        extract(commit, before)
        jobs = [made(tree, asked) for tree in (before, after)]
        found = compare(before, after, *jobs)
    for job, kinds in found.items():
        for kind, told in kinds.items():
            for place, text in told:
                print(f"{job}: {kind}{place}: {text}")
    counts = pd.DataFrame(
        {job: {kind: len(told) for kind, told in kinds.items()} for job, kinds in found.items()}
    ).T
    table = pd.DataFrame({"compared": counts.count(), "different": (counts > 0).sum()})
    print(markdown(table.rename_axis(f"{commit[:9]} and the working tree"), {}))
    sys.exit(bool(table["different"].sum()))


# the two trees


def copy(tree: Path) -> None:
    """The working tree as it is now, edits and all: it may change while its notebooks run."""
    tree.mkdir()
    for part in ("wardlib", "data", "notebooks"):
        shutil.copytree(ROOT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("requirements.lock", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / file, tree)


def extract(commit: str, tree: Path) -> None:
    """The commit's tree, where it is not there yet."""
    if tree.exists():
        return
    tree.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=tree.parent))
    packed = draft / "tree.tar"
    subprocess.run(["git", "-C", ROOT, "archive", "-o", packed, commit], check=True)
    subprocess.run(["tar", "-xf", packed, "-C", draft], check=True)
    draft.rename(tree)


def python(tree: Path) -> Path:
    """A Python with the packages that the tree's lock pins: this one where the lock is ours, else that of
    an environment in the tree (by uv where it is at hand)."""
    if (tree / "requirements.lock").read_bytes() == (ROOT / "requirements.lock").read_bytes():
        return Path(sys.executable)
    own = tree / ".venv" / "bin" / "python"
    if not own.exists():
        subprocess.run([sys.executable, "-m", "venv", tree / ".venv"], check=True)
        pip = ["uv", "pip"] if shutil.which("uv") else [own, "-m", "pip"]
        words = [
            "install",
            "--quiet",
            "--require-hashes",
            "--requirement",
            tree / "requirements.lock",
        ]
        environment = os.environ | {"VIRTUAL_ENV": str(tree / ".venv")}
        subprocess.run([*pip, *words], env=environment, check=True)
        # The kernelspec, which is installed apart from the package; the package is found by PYTHONPATH.
        shutil.copytree(tree / "wardlib/prefix/share", tree / ".venv/share", dirs_exist_ok=True)
    return own


def made(tree: Path, asked: dict[str, list[str]]) -> dict[str, str]:
    """How each job that was not passed over ended, by its folder in output/."""
    output, jobs, folders = tree / "output", {}, set()
    environment = os.environ | {"PYTHONPATH": str(tree), "WARDLIB_HOME": str(tree)}
    # The tree's own entry points, of kernels and exporters, before those of what is installed.
    metadata = "from flit_core import buildapi; buildapi.prepare_metadata_for_build_wheel('.')"
    for old in tree.glob("*.dist-info"):
        shutil.rmtree(old)
    subprocess.run([python(tree), "-c", metadata], cwd=tree, check=True)
    command = [python(tree), "-c", "from wardlib.cli import main; main()", "run"]
    for as_of, periods in asked.items():
        suffix = f".as-of-{as_of}" if as_of else ""
        folders |= {period + suffix for period in periods}
        words = [*periods, "--ward", "all", "--language", "vi", "en", "--as-of", as_of]
        (output / RECORD).unlink(missing_ok=True)
        done = subprocess.run(
            [*command, *words], cwd=tree, env=environment, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        if done.returncode not in (0, 1) or not (output / RECORD).exists():  # 1: a job failed
            sys.exit(f"{tree}: ward run {' '.join(words)}\n{done.stderr}")
        for row in json.loads((output / RECORD).read_text("utf-8"))["failed"]:
            job = f"{row['ward']}/{row['period']}{suffix}/{row['notebook']}.{row['language']}"
            text = row["error"].replace(str(tree), "")
            jobs[job] = f"failed in cell {row['cell']!r}: {text}"
    for folder in output.glob("[!.]*/*/*"):
        # Of an earlier call there may be more than was asked for now.
        if folder.parent.name in folders and folder.suffix != ".failed":
            names = sorted(file.name for file in folder.iterdir())
            jobs.setdefault(folder.relative_to(output).as_posix(), " ".join([DONE, *names]))
    return jobs


# job by job


def compare(
    before: Path, after: Path, was: dict[str, str], now: dict[str, str]
) -> dict[str, dict[str, list[Difference]]]:
    """By job and kind, the first differences; a kind that was not compared is not there."""
    found: dict[str, dict[str, list[Difference]]] = {}
    for job in sorted(was.keys() | now.keys()):
        ends = [jobs.get(job, "passed over") for jobs in (was, now)]
        found[job] = {"jobs": [] if ends[0] == ends[1] else [("", excerpt(*ends))]}
    both = [job for job in found if all(j.get(job, "").startswith(DONE) for j in (was, now))]
    with ProcessPoolExecutor() as pool:
        compared = pool.map(partial(of_job, before / "output", after / "output"), both, chunksize=8)
        for job, kinds in zip(both, compared, strict=True):
            found[job] |= kinds
    return found


def of_job(before: Path, after: Path, job: str) -> dict[str, list[Difference]]:
    """The first differences between a job's documents, by kind."""
    was, now = documents(before / job), documents(after / job)
    return {kind: list(itertools.islice(differences(was[kind], now[kind]), MOST)) for kind in was}


def documents(folder: Path) -> dict[str, object]:
    """What a job's documents hold, by kind."""
    page = html.document_fromstring((folder / f"{folder.name}.html").read_bytes())
    with pymupdf.open(folder / f"{folder.name}.pdf") as pdf:
        return {
            "HTML": elements(page, "html"),
            "figures.json": json.loads((folder / "figures.json").read_text("utf-8")),
            "PDF pages": {f"page {sheet.number + 1}": pixels(sheet) for sheet in pdf},
            "PDF text": {
                f"page {sheet.number + 1}": [line.rstrip() for line in sheet.get_text().split("\n")]
                for sheet in pdf
            },
            "PDF data": {name: attached(pdf, name) for name in pdf.embfile_names()},
            "PDF metadata": pdf.metadata | {"language": pdf.language, "outline": pdf.get_toc()},
        }


def elements(element: html.HtmlElement, path: str) -> dict[str, object]:
    """An element and those in it by path, a number being the place among all children."""
    found: dict[str, object] = {
        path: {f"@{name}": drawn(value) for name, value in element.attrib.items()}
        | {"text": spaced(element.text), "text after it": spaced(element.tail)}
    }
    for number, child in enumerate(element, 1):
        found |= elements(child, f"{path}/{child.tag}[{number}]")
    return found


def spaced(text: str | None) -> str:
    """A text, each run of white space one space; a non-breaking one is none."""
    text = re.sub(r"[ \t\r\n\f]+", " ", text or "")
    return "" if text == " " else text


def drawn(value: str) -> str:
    """The value of an attribute; of a chart its SVG."""
    return base64.b64decode(value[len(SVG) :]).decode() if value.startswith(SVG) else value


def pixels(sheet: pymupdf.Page) -> np.ndarray:
    """A page as it looks: height x width x colours."""
    picture = sheet.get_pixmap(dpi=DPI)
    shape = picture.height, picture.width, picture.n
    return np.frombuffer(picture.samples, np.uint8).reshape(shape)


def attached(pdf: pymupdf.Document, name: str) -> dict[str, object]:
    """A file in a PDF: what is said of it, and its bytes."""
    told = pdf.embfile_info(name)
    file = b"" if name == RECORD else pdf.embfile_get(name)
    text = file.decode("utf-8", "surrogateescape")
    return {"description": told["description"], "day": told["modDate"], "bytes": text}


def differences(was: object, now: object, path: str = "") -> Iterator[Difference]:
    """Where two documents differ, in their order; 1, 1.0 and true do."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in {**was, **now}:
            yield from differences(was.get(key, MISSING), now.get(key, MISSING), f"{path} {key}")
    elif isinstance(was, list) and isinstance(now, list):
        for number, pair in enumerate(itertools.zip_longest(was, now, fillvalue=MISSING)):
            yield from differences(*pair, f"{path}[{number}]")
    elif isinstance(was, np.ndarray) and isinstance(now, np.ndarray):
        share = (was != now).any(axis=2).mean() if was.shape == now.shape else 1
        if share:
            yield path, f"{share:.3%} of the pixels"
    elif repr(was) != repr(now):
        yield path, excerpt(*(each if isinstance(each, str) else repr(each) for each in (was, now)))


def excerpt(was: str, now: str) -> str:
    """Both texts, about the first place where they differ."""
    pairs = enumerate(itertools.zip_longest(was, now))
    start = max(0, next((place for place, (one, other) in pairs if one != other), 0) - 30)
    return f"{was[start : start + 80]!r} -> {now[start : start + 80]!r}"


if __name__ == "__main__":
    main()
