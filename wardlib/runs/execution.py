"""Executing a job in this process: run the notebook, export it, publish its folder in one step. The only
caller of papermill. nbformat and nbconvert ship types only in part: calls of what has none are marked."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import json
import logging
import os
import pickle
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import papermill
from nbconvert.exporters import Exporter
from papermill.engines import papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.iorw import write_ipynb

from wardlib import provenance
from wardlib.analysis import counterfactual
from wardlib.errors import ExportError, WardError
from wardlib.language import CODES, get
from wardlib.pages import drawing, html, markdown, markup, typst
from wardlib.pages.block import dumps
from wardlib.pages.exporters import WardHTMLExporter, WardPDFExporter
from wardlib.runs import cache, engine, plans
from wardlib.runs.plans import Job

_EXPORTERS = {".html": WardHTMLExporter, ".pdf": WardPDFExporter}
_FIGURES = "figures.json"
_YEAR = pd.period_range("2020-01", periods=12, freq="M")
_SO_FAR = "so-far.pickle"  # the outputs of the cells that have ended


@dataclass(frozen=True)
class Limits:
    """How long a cell and a whole job may take, in seconds."""

    cell: float
    job: float


@dataclass(frozen=True)
class Failure:
    """Why a job failed: the error, the id of the cell ("" where it was no cell), and the file to look
    at, relative to the workbook's folder."""

    error: str
    cell: str
    file: str


def folder(job: Job, staging: Path) -> Path:
    """A new folder in `staging` for the drafts of a job."""
    staging.mkdir(exist_ok=True)  # a cell may have taken it away; not where the run itself is over
    return Path(tempfile.mkdtemp(prefix=f"{job.name}.", dir=staging))


def execute(
    job: Job,
    work: Path,
    limits: Limits,
    *,
    prose: bool = False,
    tell: Callable[[int | None], None] = lambda _: None,
) -> Failure | None:
    """Run and export a job in this process, drafted in the folder `work` (see `folder`), then publish it;
    with `prose`, the outputs of its last run get the notebook's new words.

    `tell` is called with the number of each cell that begins, and with None after the last. A failed
    job leaves what it published before as it is, and its evidence in `job.failed`.
    """
    end, owner = time.monotonic() + limits.job, os.getpid()
    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # what fails is said once
    draft, evidence = work / job.name, work / "evidence"
    running = evidence / f"{job.name}.ipynb"
    try:
        draft.mkdir()
        evidence.mkdir()
        provenance.versions()  # of what is loaded, and of the notebook as it is read: not as edited later
        own = cache.notebook(job)
        if prose:
            write_ipynb(_reworded(job), str(running))
        else:
            _run(job, running, limits.cell, end, tell)
        _only(owner)
        tell(None)
        with _limited(end):
            _export(job, own, running, draft)
            with contextlib.suppress(
                FileNotFoundError
            ):  # first: what is killed in between runs again
                job.failed.rename(work / "failed")
            publish(draft, job.folder)
        return None
    except (
        BaseException
    ) as error:  # a fault of a cell, a full disk, a panic of Typst: others still run
        _only(owner)
        return _kept(job, error, evidence)


def _only(owner: int) -> None:
    """End this process if it is a fork that a cell has made: there is one job."""
    if os.getpid() != owner:
        os._exit(0)


def _export(job: Job, own: dict[str, Any], running: Path, draft: Path) -> None:
    """Draft the files of a job whose cells have run."""
    notebook = _Shared(nbformat.read(running, as_version=4))  # as anybody else finds it
    resources: dict[str, Any] = {}
    folder = {"metadata": {"path": str(job.source.parent)}}  # as nbconvert says it
    for suffix in _EXPORTERS:
        body, resources = _exporter(suffix).from_notebook_node(notebook, folder)
        file = draft / f"{job.name}{suffix}"
        file.write_bytes(body if isinstance(body, bytes) else body.encode())
    document = resources["document"]
    if document.supposed:
        raise ExportError(
            f"the notebook shows what is only supposed ({'; '.join(document.supposed)}): a run publishes "
            "what the tables say. Export such a notebook from JupyterLab."
        )
    (draft / _FIGURES).write_text(dumps(document.figures()), encoding="utf-8")
    running.rename(draft / running.name)
    made = cache.record(job, own | document.record, draft)
    (draft / cache.RECORD).write_text(dumps(made), encoding="utf-8")
    for file in draft.iterdir():
        with file.open("rb+") as written:
            os.fsync(written.fileno())


@contextlib.contextmanager
def _limited(end: float) -> Iterator[None]:
    """TimeoutError at the time `end`, where the system can interrupt; else whoever waits ends the process."""

    def over(*_: object) -> None:
        raise TimeoutError("of the whole job, in its export")

    if not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, max(0.01, end - time.monotonic()))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _run(
    job: Job, file: Path, seconds: float, end: float, tell: Callable[[int | None], None]
) -> None:
    """Write the executed notebook to `file`; where it fails, as far as it came."""
    with (file.parent / _SO_FAR).open("wb") as so_far:

        def begun(cell_index: int, **_: Any) -> None:
            tell(cell_index)

        def ended(cell: nbformat.NotebookNode, cell_index: int, **_: Any) -> None:
            pickle.dump((cell_index, cell.get("outputs", [])), so_far)
            so_far.flush()

        papermill.execute_notebook(
            str(job.source),
            str(file),
            engine_name=_ENGINE,
            kernel_name="python3",
            parameters=job.parameters,
            progress_bar=False,
            timeout_func=lambda _: max(0.01, min(seconds, end - time.monotonic())),
            on_cell_start=begun,
            on_cell_executed=ended,
        )
    (file.parent / _SO_FAR).unlink()


class _Shared(nbformat.NotebookNode):
    """A notebook that is only read: exporters, which copy it twice each, have it in common."""

    def __deepcopy__(self, _: dict[int, Any]) -> _Shared:
        return self


class _SavedOnce(engine.WardEngine):
    """papermill's engine, which writes the notebook before and after every cell, as one that writes
    it at the end, be that a good one or not; a good one without what differs from run to run."""

    @classmethod
    def execute_notebook(
        cls, nb: nbformat.NotebookNode, kernel_name: str, output_path: str, **kwargs: Any
    ) -> nbformat.NotebookNode:
        try:
            done = super().execute_notebook(nb, kernel_name, output_path=None, **kwargs)
        except Exception:  # of a cell that raised, papermill itself writes the notebook
            write_ipynb(nb, output_path)
            raise
        return done if done.metadata.papermill["exception"] else _without_traces(done)


_ENGINE = "ward-run"
papermill_engines.register(_ENGINE, _SavedOnce)


def _kept(job: Job, error: BaseException, evidence: Path) -> Failure:
    """Publish the evidence of a failure."""
    running = evidence / f"{job.name}.ipynb"
    cell, text = _cell(running), f"{type(error).__name__}: {error}"
    if isinstance(error, PapermillExecutionError):
        text = f"{error.ename}: {error.evalue}"
    elif isinstance(error, WardError):
        cell, text = "", str(error)
    elif isinstance(error, TimeoutError):
        text = f"the time is over: {error}".partition("\n")[0]
    return _published(job, text, cell, evidence)


def killed(job: Job, work: Path, text: str, cell: int) -> Failure:
    """Publish the evidence of a job whose process was killed while it was at a cell (-1: at none)."""
    evidence, record = work / "evidence", job.failed / cache.RECORD
    try:
        if not evidence.exists():  # it has published it, and could not say so any more
            about = json.loads(record.read_text(encoding="utf-8"))
            return _failure(job, about["error"], about["cell"])
        nodes = papermill.iorw.load_notebook_node(str(job.source))
        found = papermill.parameterize.parameterize_notebook(nodes, job.parameters)
        with (
            (evidence / _SO_FAR).open("rb") as so_far,
            contextlib.suppress(EOFError, pickle.PickleError),
        ):
            while True:
                index, outputs = pickle.load(so_far)
                found.cells[index].outputs = outputs
        (evidence / _SO_FAR).unlink()
        write_ipynb(found, str(evidence / f"{job.name}.ipynb"))
        name = found.cells[cell].id if cell >= 0 else ""
    except (OSError, ValueError, LookupError, AttributeError):  # it came to none
        name = ""
    return _published(job, text, name, evidence)


def _published(job: Job, text: str, cell: str, evidence: Path) -> Failure:
    about = {
        "notebook": job.notebook,
        "parameters": job.parameters,
        "cell": cell,
        "error": text,
    }
    try:
        (evidence / _SO_FAR).unlink(missing_ok=True)
        (evidence / cache.RECORD).write_text(dumps(about), encoding="utf-8")
        publish(evidence, job.failed)
    except OSError as full:
        return unwritten(job, full, cell, f"{text}\n")
    return _failure(job, text, cell)


def _failure(job: Job, text: str, cell: str) -> Failure:
    notebook = job.failed / f"{job.name}.ipynb"
    file = notebook if notebook.exists() else job.failed / cache.RECORD
    return Failure(text, cell, plans.named(file))


def unwritten(job: Job, error: OSError, cell: str = "", text: str = "") -> Failure:
    """The failure of a job of which nothing can be kept."""
    text += f"Nothing can be written to output/: {error.strerror or error}"
    return Failure(text, cell, plans.named(job.source))


def _cell(running: Path) -> str:
    """The id of the cell that was begun last."""
    try:
        found = nbformat.read(running, as_version=4).cells
    except (OSError, ValueError):
        return ""
    begun = [cell.id for cell in found if cell.metadata.get("papermill", {}).get("start_time")]
    return begun[-1] if begun else ""


def publish(draft: Path, target: Path) -> None:
    """Put the folder `draft` in the place of `target`, in one step; what stood there is then where
    the draft was. Two runs that publish the same folder come one after the other."""
    target.parent.mkdir(parents=True, exist_ok=True)
    while True:
        try:
            draft.rename(target)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.EACCES):
                raise
            if not target.exists():
                raise
        try:
            _exchange(draft, target)
            return
        except FileNotFoundError:  # the other run has just taken it away
            continue


def _exchange(one: Path, other: Path) -> None:
    """Let two folders change places: on Linux in one step (renameat2), elsewhere in two."""
    here, both = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    swap = (
        getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
        if os.name == "posix"
        else None
    )
    if swap is not None:
        if swap(here, os.fsencode(one), here, os.fsencode(other), both) == 0:
            return
        code = ctypes.get_errno()
        if code not in (errno.ENOSYS, errno.EINVAL):
            raise OSError(code, os.strerror(code), str(other))
    old = one.with_name(one.name + ".old")
    other.rename(old)
    one.rename(other)
    old.rename(one)


@functools.cache
def _exporter(suffix: str) -> Exporter:
    logger = logging.getLogger("wardlib.pages.exporters")
    logger.setLevel(logging.ERROR)
    return _EXPORTERS[suffix](log=logger)


def prepare() -> None:
    """Make once, for all forks of this process, what the first job would make for itself: a shell, exporters
    with their templates, faces, the letters of charts, words, an estimate."""
    engine.prepare()
    for suffix in _EXPORTERS:
        _exporter(suffix).template  # type: ignore[attr-defined]  # noqa: B018 - loads when it is asked for
    typst.faces()
    blank = nbformat.v4.new_notebook()
    for _ in range(2):  # nbformat reads with one check and validates with another
        blank = nbformat.reads(nbformat.writes(blank), as_version=4)
        nbformat.validate(blank)
    block = {"kind": "paragraph", "text": "Thu", "note": False}
    for drawn in (html.render(block), typst.render(block)):
        assert drawn
    for made in (markdown.as_html("Thu"), markup.as_typst("Thu")):
        assert made
    for code in CODES:
        spoken = get(code)
        with drawing.drawing(2.0) as (figure, axes):
            axes.plot([0, 1], [0, 1])
            axes.set_xticks(range(12), [spoken.month_tick(month) for month in _YEAR])
            axes.set_title(f"Thu {spoken.number(1234567890, 1)} {spoken.date(_YEAR[0].start_time)}")
            drawing.outlines(figure)
    history = pd.Series(np.arange(48.0), pd.period_range("2015-01", periods=48, freq="M"))
    counterfactual.estimate(history, start=history.index[-1])


def _reworded(job: Job) -> nbformat.NotebookNode:
    """The outputs of the job's last run between the words of the notebook as they are now."""
    done: nbformat.NotebookNode = nbformat.read(job.folder / f"{job.name}.ipynb", as_version=4)
    ran = {cell.id: cell for cell in done.cells if cell.cell_type == "code"}
    injected = [cell for cell in ran.values() if "injected-parameters" in _tags(cell)]
    cells = []
    for cell in nbformat.read(job.source, as_version=4).cells:
        cells.append(ran.get(cell.id, cell))
        if "parameters" in _tags(cell):
            cells += injected
    done.cells = cells
    return done


def _tags(cell: nbformat.NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def _without_traces(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook without what differs from run to run: times, paths, random ids."""
    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        for name in ("papermill", "execution"):
            cell.metadata.pop(name, None)
        if "injected-parameters" in _tags(cell):
            cell.id = "injected-parameters"
    return notebook
