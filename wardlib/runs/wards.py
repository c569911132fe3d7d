"""Ward processes: one a ward and as-of day, which reads and checks its tables once and forks its jobs.

Between the parent and the jobs (`parent`, `execution`): what a ward process has read, estimated and loaded,
its jobs find in memory, and what a cell changes is that job's own copy. It holds its jobs by their
sentinels, does one that was killed again, and ends one whose time is over with all that its cells
have started.
"""

from __future__ import annotations

import ast
import contextlib
import ctypes
import multiprocessing
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np

from wardlib.data import book, checks, descriptors
from wardlib.errors import DataError, Problem
from wardlib.pages import workbook
from wardlib.periods import Period, parse_day
from wardlib.runs import execution, fits, plans
from wardlib.runs.execution import Failure, Limits
from wardlib.runs.parent import GONE
from wardlib.runs.plans import DONE, FAILED, Job, Outcome

_TRIES = 3  # of a job that is killed
_GRACE = 5.0  # seconds after its time is over in which a job may end by itself, with its evidence
_LOOK = 0.5  # seconds between looks at the clock
_KILLED = (-9, -15)  # exit codes of what somebody else has ended: of memory, by hand
_FORKS = "fork" in multiprocessing.get_all_start_methods()
_CONTEXT: Any = multiprocessing.get_context("fork" if _FORKS else "spawn")
_NAMED = {"tax", "effect", "schools", "activities", "targets", "briefing", "data_check", "district"}


@dataclass
class _Running:
    job: Job
    prose: bool
    work: Path
    process: BaseProcess
    said: Connection
    begin: float
    last: float  # when its time is over
    end: float  # the same of the cell that runs
    cell: int = -1
    late: bool = False
    tries: int = 1
    outcome: list[Failure | None] = field(default_factory=list)


def serve(
    run: Connection,
    home: str,
    staging: str,
    ward: str,
    as_of: str,
    periods: Sequence[str],
    cell: float,
    job: float,
) -> None:
    """Be a ward process: say (problems of its files, by period why it has no figures), then run each
    (job, prose) that comes and say its outcome, until None comes, or the run is gone. `cell`, `job`: the
    most seconds that each may take."""
    _apart()
    _keep_orphans()
    os.environ["WARDLIB_HOME"] = home
    fits.attach()
    jobs = _Jobs(run, Path(staging), Limits(cell, job))
    if os.name == "posix":
        signal.signal(signal.SIGALRM, lambda *_: jobs.look())
        signal.setitimer(signal.ITIMER_REAL, _LOOK, _LOOK)
    try:
        run.send(_checked(ward, as_of, periods))
        jobs.work()
    except (EOFError, OSError):  # nobody would read what is made from here on
        jobs.abandon()


def _checked(
    ward: str, as_of: str, periods: Sequence[str]
) -> tuple[tuple[Problem, ...], dict[str, str]]:
    try:
        described = descriptors.ward(ward)
        if problems := checks.check(described):
            return tuple(problems), {}
        asked = [Period.parse(period) for period in periods]
        absent = book.unreported(described, asked, parse_day(as_of))
    except DataError as error:  # what was sound when the jobs were planned
        return tuple(error.problems), {}
    return (), {str(period): text for period, text in absent.items()}


class _Jobs:
    """The jobs of a ward process."""

    def __init__(self, run: Connection, staging: Path, limits: Limits) -> None:
        self.run, self.staging, self.limits = run, staging, limits
        self.running: dict[int, _Running] = {}  # by sentinel

    def work(self) -> None:
        """Until there is nothing more to do."""
        going = True
        while going or self.running:
            said = {each.said: each for each in self.running.values() if not each.said.closed}
            lines = [*said, *([self.run] if going else [])]
            for ready in wait([*lines, *self.running], _LOOK):
                if ready is self.run:
                    asked = self.run.recv()
                    going = asked is not None
                    if going:
                        self.start(*asked)
                elif ready in said:
                    _listen(said[ready], self.limits)
            for sentinel, running in list(self.running.items()):
                # Not by the sentinel alone: a process that a cell has forked may hold its other end.
                if running.process.exitcode is not None:
                    del self.running[sentinel]
                    self.ended(running)

    def start(self, job: Job, prose: bool, tries: int = 1) -> None:
        """Fork a job."""
        begin = time.monotonic()
        try:
            work = execution.folder(job, self.staging)
        except OSError as error:
            self._say(job, execution.unwritten(job, error), begin)
            return
        if _FORKS and not prose:
            _prepare(job)
        said, tell = Pipe(duplex=False)
        process = _CONTEXT.Process(
            target=_job, args=(job, prose, work, self.limits, tell, self.run)
        )
        process.start()
        tell.close()
        last = time.monotonic() + self.limits.job + _GRACE
        self.running[process.sentinel] = _Running(
            job, prose, work, process, said, begin, last, last, tries=tries
        )

    def ended(self, running: _Running) -> None:
        """Clear up after a job, and say how it ended, or start it again."""
        while not running.said.closed and running.said.poll():
            _listen(running, self.limits)
        running.said.close()
        _kill(running.process)
        self._end_orphans()
        job, code = running.job, running.process.exitcode
        if not running.outcome:
            if code in _KILLED and not running.late and running.tries < _TRIES:
                shutil.rmtree(running.work, ignore_errors=True)
                self.start(job, running.prose, running.tries + 1)
                return
            text = f"the process that ran it ended with exit code {code}"
            if running.late:
                text = "the time is over, and the cell or page did not let itself be interrupted"
            elif code in _KILLED:
                text = f"the process that ran it died {_TRIES} times (of memory, or killed)"
            running.outcome.append(execution.killed(job, running.work, text, running.cell))
        shutil.rmtree(running.work, ignore_errors=True)
        self._say(job, running.outcome[0], running.begin)

    def _say(self, job: Job, failure: Failure | None, begin: float) -> None:
        seconds = time.monotonic() - begin
        if failure:
            told = Outcome(job, FAILED, seconds, failure.error, failure.cell, failure.file)
        else:
            told = Outcome(job, DONE, seconds, file=plans.named(job.folder / f"{job.name}.pdf"))
        self.run.send(told)

    def look(self) -> None:
        """End the jobs whose time is over; all, where the run is gone."""
        now = time.monotonic()
        for running in self.running.values():
            if now > running.end:
                running.late = True
                _kill(running.process)
        run = multiprocessing.parent_process()
        if run and not run.is_alive():
            self.abandon()

    def abandon(self) -> None:
        """All processes of the ward end; where the run is gone, its drafts go too."""
        run = multiprocessing.parent_process()
        gone = self.staging.with_name(self.staging.name + GONE)
        if run and not run.is_alive():
            with contextlib.suppress(OSError):  # another ward process does it
                self.staging.rename(gone)  # what still runs writes nothing to it from here on
        for running in self.running.values():
            _kill(running.process)
        self.running = {}
        self._end_orphans()
        shutil.rmtree(gone, ignore_errors=True)
        os._exit(1)

    def _end_orphans(self) -> None:
        """Kill what a job that has ended has left in a session of its own."""
        known = {running.process.pid for running in self.running.values()}
        while orphans := _children() - known:
            for pid in orphans:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
                with contextlib.suppress(OSError):
                    os.waitpid(pid, 0)


def _listen(running: _Running, limits: Limits) -> None:
    """Take what a job says: the number of the cell that begins, None after the last, its end in a list."""
    try:
        said = running.said.recv()
    except (EOFError, OSError):
        running.said.close()
        return
    if isinstance(said, list):  # what it leaves running has no more time
        running.outcome += said
        running.end = time.monotonic() + _GRACE
    elif said is None:
        running.end = running.last
    else:
        running.cell = said
        running.end = min(running.last, time.monotonic() + limits.cell + _GRACE)


def _job(
    job: Job, prose: bool, work: Path, limits: Limits, tell: Connection, run: Connection
) -> None:
    """Be a job."""
    _apart()
    _keep_orphans()
    _die_with(os.getppid())
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if os.name == "posix":
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    run.close()
    np.random.seed()  # else all jobs draw the same numbers
    try:
        failure = execution.execute(job, work, limits, prose=prose, tell=tell.send)
    except BaseException as error:  # of what a cell has broken in this process
        failure = Failure(f"{type(error).__name__}: {error}", "", plans.named(job.source))
    tell.send([failure])


def _prepare(job: Job) -> None:
    """Have the results in memory that the job's notebook names, so that other jobs find them too. What
    fails here fails in the job, where it is told."""
    with contextlib.suppress(Exception):
        cells = plans.cells(job.source)
        tree = ast.parse("\n".join(source for _, tags, source in cells if "parameters" not in tags))
        named = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        workbook.prepare(job.ward, job.period, job.as_of, sorted(named & _NAMED))


# ------------------------------------------------------------------------- the operating system


def _apart() -> None:
    """A session of its own: a signal to the run's group, as a terminal sends, is for the run."""
    if os.name == "posix":
        os.setsid()


def _kill(process: BaseProcess) -> None:
    """Kill a process and its group."""
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid or 0, signal.SIGKILL)
        else:
            process.kill()


def _control(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _keep_orphans() -> None:
    """What the processes below this one leave becomes its child (PR_SET_CHILD_SUBREAPER, prctl(2))."""
    _control(36, 1)


def _die_with(parent: int) -> None:
    """Be killed when the parent ends (PR_SET_PDEATHSIG, prctl(2)); it may have ended by now."""
    _control(1, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _children() -> set[int]:
    """The children of this process; empty where the system does not tell."""
    try:
        return set(map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()))
    except OSError:
        return set()
