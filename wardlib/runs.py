"""Running briefings: plan, check everything first, run, publish. The only caller of papermill.

A job is one notebook in one language for one ward, period and as-of day. Its files appear in
`output/<ward>/<period>/` only when all of them are complete; a run as of a day has a folder of its
own, `<period>.as-of-<day>`, so that a past briefing never takes the place of today's.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import platform
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from wardlib import catalogue, intake
from wardlib.blocks import RESOURCE, dumps
from wardlib.errors import DataError, RequestError, WardError
from wardlib.exporters import WardHTMLExporter, WardPDFExporter, record
from wardlib.language import get
from wardlib.periods import Period, parse_day

_EXPORTERS = {".html": WardHTMLExporter, ".pdf": WardPDFExporter}
_RECORD, _FIGURES = "run.json", "figures.json"


@dataclass(frozen=True)
class Job:
    """One notebook to run; the fields but `notebook` are its parameters."""

    notebook: str
    ward: str
    period: str
    language: str
    as_of: str

    @property
    def parameters(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if name != "notebook"}

    @property
    def name(self) -> str:
        return f"{self.notebook}.{self.language}"

    @property
    def source(self) -> Path:
        return catalogue.home() / "notebooks" / f"{self.notebook}.ipynb"

    @property
    def folder(self) -> Path:
        period = f"{self.period}.as-of-{self.as_of}" if self.as_of else self.period
        return catalogue.home() / "output" / self.ward / period


@dataclass(frozen=True)
class Outcome:
    """How a job ended: `error` is empty where it succeeded, `file` is the PDF or the evidence."""

    job: Job
    error: str
    file: Path
    seconds: float


def notebooks() -> list[str]:
    """The notebooks of a run: those that are numbered, in order."""
    return sorted(path.stem for path in (catalogue.home() / "notebooks").glob("[0-9]*.ipynb"))


def plan(
    periods: Sequence[str],
    *,
    wards: Sequence[str],
    languages: Sequence[str],
    notebooks: Sequence[str],
    as_of: str = "",
) -> list[Job]:
    """Every combination of what is asked for, once each, checked before anything runs.

    Raises RequestError with every name, period, day or parameter that is wrong, and DataError with
    every fault of the data of the wards asked for.
    """
    faults = []
    for known, asked in (
        (catalogue.ward, wards),
        (Period.parse, periods),
        (get, languages),
        (parse_day, [as_of]),
        (_signature, notebooks),
    ):
        for name in dict.fromkeys(asked):
            try:
                known(name)
            except RequestError as error:
                faults.append(str(error))
    if faults:
        raise RequestError("\n".join(faults))
    problems = set()
    for ward in dict.fromkeys(wards):
        problems |= set(intake.check(catalogue.ward(ward)))
    if problems:
        raise DataError(problems)
    jobs = [
        Job(notebook, ward, period, language, as_of)
        for ward, period, language, notebook in dict.fromkeys(
            itertools.product(wards, periods, languages, notebooks)
        )
    ]
    for ward, period in dict.fromkeys((job.ward, job.period) for job in jobs):
        try:
            intake.open_book(ward, period, as_of)
        except RequestError as error:
            faults.append(str(error))
    if faults:
        raise RequestError("\n".join(faults))
    return jobs


def run(jobs: Iterable[Job]) -> Iterator[Outcome]:
    """Run each job in turn; a failed one does not stop the others."""
    for job in jobs:
        start = time.monotonic()
        # Beside the output, so that a file is published by one rename on one file system.
        output = catalogue.home() / "output"
        output.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=output) as partial:
            job.folder.mkdir(parents=True, exist_ok=True)
            error, file = _run(job, Path(partial))
        yield Outcome(job, error, file, time.monotonic() - start)


def _signature(notebook: str) -> None:
    """Raise RequestError unless the notebook exists and takes exactly a job's parameters.

    papermill itself only warns of a parameter that a notebook does not have, and runs on with the
    default: a mistyped name would publish the wrong quarter.
    """
    if notebook not in notebooks():
        raise RequestError(
            f"there is no notebook {notebook!r}. Notebooks here: {', '.join(notebooks())}."
        )
    job = Job(notebook, "", "", "", "")
    takes = set(papermill.inspect_notebook(str(job.source)))
    if takes != set(job.parameters):
        raise RequestError(
            f"notebooks/{notebook}.ipynb takes the parameters {', '.join(sorted(takes))}, "
            f"expected {', '.join(sorted(job.parameters))}: mend its parameters cell."
        )


def _run(job: Job, partial: Path) -> tuple[str, Path]:
    """Execute and export in the folder `partial`, then publish; (error or "", file to look at)."""
    executed = partial / f"{job.name}.ipynb"
    failed = job.folder / f"{job.name}.failed.ipynb"
    try:
        with _transport() as transport:
            papermill.execute_notebook(
                str(job.source),
                str(executed),
                parameters=job.parameters,
                progress_bar=False,
                config=transport,
                # The interrupt that ends an idle kernel is not worth a line on the screen.
                extra_arguments=["--log-level=CRITICAL"],
            )
        notebook = _without_traces(nbformat.read(executed, as_version=4))
        nbformat.write(notebook, executed)
        for suffix, exporter in _EXPORTERS.items():
            body, _ = exporter(log=_quiet()).from_notebook_node(notebook)
            target = partial / f"{job.name}{suffix}"
            target.write_bytes(body if isinstance(body, bytes) else body.encode())
    except PapermillExecutionError as error:
        executed.replace(failed)
        return f"cell {error.cell_index}: {error.ename}: {error.evalue}", failed
    except WardError as error:
        executed.replace(failed)
        return str(error), failed
    except Exception as error:  # a dead kernel, a full disk: the other jobs still run
        if executed.exists():
            executed.replace(failed)
        return f"{type(error).__name__}: {error}", failed if failed.exists() else job.source
    record = _record(job, notebook, partial)
    for file in [executed, *(partial / f"{job.name}{suffix}" for suffix in _EXPORTERS)]:
        file.replace(job.folder / file.name)
    failed.unlink(missing_ok=True)
    _merge(job.folder / _FIGURES, job.notebook, _figures(notebook), partial)
    _merge(job.folder / _RECORD, job.name, record, partial)
    return "", job.folder / f"{job.name}.pdf"


@contextmanager
def _transport() -> Iterator[Config]:
    """How to reach the kernel: Unix sockets in a folder of its own that no other user can enter,
    instead of TCP ports that anybody on the machine can take. (Left to itself, jupyter_client puts
    the sockets into the working folder, where two runs would take each other's.)"""
    if os.name != "posix":
        yield Config()
        return
    with tempfile.TemporaryDirectory(prefix="ward-") as folder:
        yield Config({"KernelManager": {"transport": "ipc", "ip": f"{folder}/kernel"}})


def _quiet() -> logging.Logger:
    logger = logging.getLogger("wardlib.exporters")
    logger.setLevel(logging.ERROR)
    return logger


def _without_traces(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook without what differs from run to run: times, paths, random ids."""
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        for name in ("papermill", "execution"):
            cell.metadata.pop(name, None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = "injected-parameters"
    return notebook


def _outputs(notebook: nbformat.NotebookNode) -> Iterator[nbformat.NotebookNode]:
    for cell in notebook.cells:
        yield from (o for o in cell.get("outputs", []) if "data" in o)


def _figures(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """The figures behind every table and chart, by name; the same in every language."""
    found = (output.data[RESOURCE] for output in _outputs(notebook) if RESOURCE in output.data)
    return {figures["name"]: figures for figures in found}


def _record(job: Job, notebook: nbformat.NotebookNode, partial: Path) -> dict[str, Any]:
    """What a job was made from and what it made: no clock, no host, no path of the machine."""
    made_from = record(notebook)
    return made_from | {
        "parameters": job.parameters,
        "notebook": {f"notebooks/{job.source.name}": catalogue.digest(job.source)},
        "versions": {"python": platform.python_version()} | made_from["versions"],
        "outputs": {
            file.name: catalogue.digest(file)
            for file in sorted(partial.iterdir())
            if file.name.startswith(job.name)
        },
    }


def _merge(target: Path, key: str, value: Any, partial: Path) -> None:
    """Set one key of a JSON file, the others kept, replacing the file in one step."""
    known = json.loads(target.read_text(encoding="utf-8")) if target.exists() else {}
    draft = partial / target.name
    draft.write_text(dumps(dict(sorted((known | {key: value}).items()))), encoding="utf-8")
    draft.replace(target)
