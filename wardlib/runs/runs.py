"""Runs: many jobs side by side, on this machine's processors or on a cluster's.

What is up to date is left alone. Everything is checked before the first kernel starts; a failed job
stops no other; a lost worker's jobs run again elsewhere. Jobs are drafted in `output/.run-…/`, which
goes with the run, or, if that was killed, with the next one. The modules that take long to load are
imported where jobs really run: to find all up to date takes no second.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import multiprocessing
import os
import shutil
import signal
import tempfile
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from wardlib.data import descriptors
from wardlib.errors import DataError, Problem, RequestError
from wardlib.periods import Period, parse_day
from wardlib.runs import cache, plans
from wardlib.runs.plans import Job

if TYPE_CHECKING:
    from wardlib.runs.execution import Failure

DONE, FAILED, CURRENT, EMPTY = "done", "failed", "up to date", "no figures"
_JOB_BYTES = 4_000_000  # what a job may need on the disk; the largest of both wards needs half
_TRIES = 3  # of a job whose worker dies
_GONE = ".gone"  # after the name of a killed run's drafts


@dataclass(frozen=True)
class Outcome:
    """How a job ended: `status`; of a failed one `error`, the id of the `cell` ("" where it was none) and, as of
    one that is done, the `file` to look at, relative to the workbook's folder."""

    job: Job
    status: str
    seconds: float = 0.0
    error: str = ""
    cell: str = ""
    file: str = ""


def run(
    jobs: Collection[Job],
    *,
    workers: int,
    scheduler: str = "",
    force: bool = False,
    empty: bool = False,
    cell_seconds: float = 120.0,
    job_seconds: float = 600.0,
) -> Iterator[Outcome]:
    """Run the jobs that are not up to date (all, with `force`); each one's outcome as it ends.

    `workers` processes of this machine, or the workers of the Dask `scheduler` (tcp://…). With
    `empty`, a ward without figures for a period is passed over. A job fails after `cell_seconds` in one
    cell or `job_seconds` in all. Ends with `output/run.json`, as `report` reads it, also when it is
    broken off.

    Raises DataError with every fault of the data of the wards that have something to run, and
    RequestError where a period has no figures, the disk no room, or the cluster no answer.
    """
    failed: list[dict[str, object]] = []
    complete = 0
    stale: list[tuple[Job, bool]] = []
    for job in jobs:
        state = cache.STALE if force else cache.state(job)
        if state == cache.CURRENT:
            complete += 1
            yield Outcome(job, CURRENT)
        else:
            stale.append((job, state == cache.PROSE))
    left = len(stale)
    with _staging() as staging:
        if not stale:
            _report(staging, complete, failed, left)
            return
        _room(left)
        with _executors(workers, scheduler, staging) as (start, width):
            absent = _checked([job for job, _ in stale], start, empty=empty)
            ready = []
            for job, prose in stale:
                if (job.ward, job.as_of, job.period) in absent:
                    left -= 1
                    yield Outcome(job, EMPTY)
                else:
                    ready.append((job, prose))
            options = (str(descriptors.home()), str(staging), cell_seconds, job_seconds)
            try:
                for outcome in _all(ready, options, start, width):
                    left -= 1
                    if outcome.status == FAILED:
                        failed.append(
                            asdict(outcome.job)
                            | {"cell": outcome.cell, "error": outcome.error, "file": outcome.file}
                        )
                    else:
                        complete += 1
                    yield outcome
            finally:
                _report(staging, complete, failed, left)


def failed() -> list[Job]:
    """The jobs that failed and have not been done since: those of the last run's report, and those
    whose evidence stands in the output. RequestError where there is no report, or where either
    names what is not there."""
    report = plans.output() / cache.RECORD
    rows = []
    try:
        rows += json.loads(report.read_text(encoding="utf-8"))["failed"]
        for file in sorted(plans.output().glob(f"*/*/*.failed/{cache.RECORD}")):
            about = json.loads(file.read_text(encoding="utf-8"))
            rows.append({"notebook": about["notebook"], **about["parameters"]})
        found = [Job(**{name: str(row[name]) for name in Job.__slots__}) for row in rows]
    except (OSError, ValueError, KeyError, TypeError):
        raise RequestError(
            "output/run.json does not say which jobs failed: no run has come to its end here. "
            "Name the periods to run."
        ) from None
    return plans.known(found)


def _report(staging: Path, complete: int, failed: list[dict[str, object]], left: int) -> None:
    """The report of a run: the jobs that are complete, made now or before; those that failed; how
    many it did not come to. Drafted in `staging`."""
    failed = sorted(failed, key=lambda row: [str(row[name]) for name in Job.__slots__])
    about = {"complete": complete, "failed": failed, "not_run": left}
    draft = staging / cache.RECORD
    draft.write_text(json.dumps(about, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    draft.replace(plans.output() / cache.RECORD)


def _room(count: int) -> None:
    """Raise RequestError unless the disk has room for so many jobs."""
    free = shutil.disk_usage(plans.output()).free
    if free < count * _JOB_BYTES:
        raise RequestError(
            f"{count} jobs may need {count * _JOB_BYTES / 1e9:.1f} GB in output/, the disk has "
            f"{free / 1e9:.1f} GB left. Make room, or run fewer periods at once."
        )


@contextlib.contextmanager
def _staging() -> Iterator[Path]:
    """A folder for the drafts of this run. Those of runs that were killed are swept away; that of a
    run that lives is locked."""
    output = plans.output()
    try:
        output.mkdir(exist_ok=True)
        for folder in output.glob(".run-*"):
            _sweep(folder)
        while True:
            folder = Path(tempfile.mkdtemp(prefix=".run-", dir=output))
            lock = FileLock(folder / "lock")
            with contextlib.suppress(OSError):  # swept before it was locked
                lock.acquire(timeout=0)
                if (folder / "lock").exists():
                    break
    except OSError as error:
        raise RequestError(f"output/ cannot be written: {error.strerror}.") from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(folder: Path) -> None:
    if folder.suffix == _GONE:  # a run that was killed, its drafts half removed
        shutil.rmtree(folder, ignore_errors=True)
        return
    if not (folder / "lock").exists():
        with contextlib.suppress(OSError):  # not empty: its run is about to lock it
            folder.rmdir()
        return
    lock = FileLock(folder / "lock")
    with contextlib.suppress(Timeout, OSError):
        lock.acquire(timeout=0)
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _executors(
    workers: int, scheduler: str, staging: Path
) -> Iterator[tuple[Callable[[], Executor], int]]:
    """What opens an executor (again, where one has broken), and how many jobs it runs at once."""
    if scheduler:
        with _cluster(scheduler) as client:
            width = sum(client.nthreads().values())
            if not width:
                raise RequestError(f"the scheduler {scheduler} has no worker: start `dask worker`.")
            yield lambda: client.get_executor(pure=False, retries=_TRIES), width
        return
    from wardlib.runs import forks

    # A job has one processor: that of a library that would take more for itself is not there.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    context = forks.context()
    if context is not None:  # the libraries load while the data are checked
        try:
            forks.load_parent()
        except OSError:
            context = None

    def start() -> Executor:
        # Where a processor is left, one process more than jobs run at once: the next kernel starts,
        # and the pages of the last job are made, while the cells of others run.
        size = workers + (workers < (os.cpu_count() or 1))
        turns = (context or multiprocessing).BoundedSemaphore(workers)
        return ProcessPoolExecutor(
            size, mp_context=context, initializer=_begin, initargs=(staging, turns)
        )

    try:
        yield start, workers
    except BaseException:
        if context is not None:
            forks.end_parent()
        raise
    finally:
        for process in multiprocessing.active_children():
            process.kill()
            process.join()


@contextlib.contextmanager
def _cluster(scheduler: str) -> Iterator[object]:
    try:
        from distributed import Client
    except ImportError:
        raise RequestError(
            "--scheduler needs the package distributed: pip install 'wardlib[cluster]'."
        ) from None
    # What becomes of the cluster is said by the outcomes; its own log would tear the progress.
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = Client(scheduler, timeout=10, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise RequestError(
            f"no Dask scheduler answers at {scheduler} ({error}). Start one with `dask scheduler`."
        ) from None
    with client:
        yield client


# Held while cells run; elsewhere than in a pool of ours, whoever gives out the jobs counts them.
_turn: AbstractContextManager = contextlib.nullcontext()


def _begin(staging: Path, turns: AbstractContextManager) -> None:
    """Make a process of the pool a process group of its own, which ends with the run: Ctrl-C is for
    the run to answer. If the run is killed, its drafts go too."""
    global _turn
    _turn = turns
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.name != "posix":
        return
    os.setpgid(0, 0)
    from wardlib.runs import forks, kernels

    def sweep() -> None:
        kernels.kill_kernels()
        gone = staging.with_name(staging.name + _GONE)
        with contextlib.suppress(OSError):  # another process of the pool does it
            staging.rename(gone)  # what still runs writes nothing to it from here on
            shutil.rmtree(gone, ignore_errors=True)

    forks.die_with_parent(sweep)


def _checked(
    jobs: list[Job], start: Callable[[], Executor], *, empty: bool
) -> set[tuple[str, str, str]]:
    """The (ward, as-of day, period) without figures, every file of the wards checked.

    Raises DataError with every fault, RequestError with what has no figures unless that is `empty`.
    """
    asked: dict[tuple[str, str], set[str]] = {}
    for job in jobs:
        asked.setdefault((job.ward, job.as_of), set()).add(job.period)
    home = str(descriptors.home())
    problems: set[Problem] = set()
    absent: dict[tuple[str, str, str], str] = {}
    every = [(*key, sorted(periods)) for key, periods in asked.items()]
    if len(every) == 1:  # not worth the start of a process
        found = [_faults(home, *each) for each in every]
    else:
        executor = start()
        try:
            coming = [executor.submit(_faults, home, *each) for each in every]
            found = [future.result() for future in coming]
        except BrokenExecutor:  # a process was killed: nothing is lost but time
            found = [_faults(home, *each) for each in every]
        finally:
            executor.shutdown(wait=False)
    for faults, lacking in found:
        problems |= set(faults)
        absent |= lacking
    if problems:
        raise DataError(problems)
    if absent and not empty:
        raise RequestError("\n".join(absent[key] for key in sorted(absent)))
    return set(absent)


def _faults(
    home: str, ward: str, as_of: str, periods: list[str]
) -> tuple[list[Problem], dict[tuple[str, str, str], str]]:
    """The problems of a ward's files; where there are none, the periods without figures."""
    os.environ["WARDLIB_HOME"] = home
    from wardlib.data import book, checks

    described = descriptors.ward(ward)
    problems = checks.check(described)
    if problems:
        return problems, {}
    asked = [Period.parse(period) for period in periods]
    absent = book.unreported(described, asked, parse_day(as_of))
    return [], {(ward, as_of, str(period)): text for period, text in absent.items()}


def _all(
    jobs: list[tuple[Job, bool]],
    options: tuple[str, str, float, float],
    start: Callable[[], Executor],
    width: int,
) -> Iterator[Outcome]:
    """The outcome of every job. A few more jobs are handed out than run at once, however many
    there are. When a worker dies, the executor breaks; the jobs that it had are tried again one at a
    time, so that the one that kills its worker is found."""
    coming, suspects = deque(jobs), deque()
    tries: dict[Job, int] = {}
    pending: dict[Future, tuple[Job, bool]] = {}
    executor = start()
    try:
        while coming or suspects or pending:
            source, most = (suspects, 1) if suspects else (coming, 2 * width)
            while source and len(pending) < most:
                job, prose = source.popleft()
                try:
                    pending[executor.submit(_work, job, prose, *options)] = job, prose
                except BrokenExecutor:
                    source.appendleft((job, prose))
                    executor = start()
                except EOFError:
                    raise RequestError(
                        "the parent of the kernels has ended (killed, or of memory). What is done "
                        "stays; the same command goes on with the rest."
                    ) from None
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                job, prose = pending.pop(future)
                try:
                    yield future.result()
                except BrokenExecutor:
                    tries[job] = tries.get(job, 0) + 1
                    if tries[job] < _TRIES:
                        suspects.append((job, prose))
                        continue
                    error = f"the process that ran it died {_TRIES} times (of memory, or killed)"
                    yield Outcome(job, FAILED, error=error, file=_source(job))
                except CancelledError:
                    raise RequestError(
                        "the cluster is lost: no scheduler answers any more. What is done stays; "
                        "the same command goes on with the rest."
                    ) from None
                except Exception as error:
                    text = f"{type(error).__name__}: {error}"
                    yield Outcome(job, FAILED, error=text, file=_source(job))
    finally:
        for future in pending:
            future.cancel()
        # Not waited for: a process that is killed while it says goodbye keeps the others from theirs.
        executor.shutdown(wait=False)


def _source(job: Job) -> str:
    return job.source.relative_to(descriptors.home()).as_posix()


def _work(
    job: Job, prose: bool, home: str, staging: str, cell_seconds: float, job_seconds: float
) -> Outcome:
    """Execute a job in this process, wherever it runs."""
    begin = time.monotonic()
    os.environ["WARDLIB_HOME"] = home
    from wardlib.runs import execution

    limits = execution.Limits(cell_seconds, job_seconds)
    failure: Failure | None = execution.execute(job, Path(staging), limits, prose=prose, turn=_turn)
    gc.collect()  # else what jobs leave piles up: a fork of the warm parent looks seldom
    seconds = time.monotonic() - begin
    if failure:
        return Outcome(job, FAILED, seconds, failure.error, failure.cell, failure.file)
    file = job.folder / f"{job.name}.pdf"
    return Outcome(job, DONE, seconds, file=file.relative_to(descriptors.home()).as_posix())
