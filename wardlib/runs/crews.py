"""Crews: ward processes (`wards`) as the run sees them. It hands out jobs, hears how they ended, and starts
anew what died, so that only a job that takes its ward process with it again and again is lost."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Pipe, wait
from pathlib import Path

from wardlib.data import descriptors
from wardlib.errors import Problem
from wardlib.runs import parent, plans
from wardlib.runs.plans import CURRENT, EMPTY, FAILED, Job, Outcome

_TRIES = 3  # of a job whose ward process dies
_SILENT = (
    60.0  # seconds beyond the time of a job after which a ward process that says nothing is ended
)


@dataclass(frozen=True, eq=False)
class Group:
    """The jobs of a ward as of a day: those that are up to date, and those that are to run, each with
    whether only its words have changed."""

    current: list[Job]
    stale: list[tuple[Job, bool]]


@dataclass(frozen=True)
class Options:
    """What all jobs of a run have in common: where they are drafted, the most seconds of a cell and of a
    job, whether a period without figures is passed over, how many run at once."""

    staging: Path
    cell: float
    job: float
    empty: bool
    workers: int


@dataclass
class Faults:
    """What keeps wards from running: problems of their files; by ward, day and period, what has no figures."""

    problems: set[Problem] = field(default_factory=set)
    absent: dict[tuple[str, str, str], str] = field(default_factory=dict)


class Crew:
    """The ward process of a group, and its jobs. `told`: outcomes that nobody has taken yet."""

    def __init__(self, group: Group, options: Options, faults: Faults) -> None:
        self.group, self.options, self.faults = group, options, faults
        self.waiting, self.alone = deque(group.stale), deque[tuple[Job, bool]]()
        self.out: dict[Job, bool] = {}
        self.tries: dict[Job | None, int] = {}  # with which its process has died; None: with no job
        self.told: list[Outcome] = []
        self._start()

    def _start(self) -> None:
        first, options = self.group.stale[0][0], self.options
        periods = tuple(dict.fromkeys(job.period for job, _ in self.group.stale))
        words = first.ward, first.as_of, periods, options.cell, options.job
        home, staging = str(descriptors.home()), str(options.staging)
        self.line, theirs = Pipe()
        with theirs:
            self.process = parent.start(
                "wardlib.runs.wards", "serve", theirs, home, staging, *words
            )
        self.checked, self.heard = False, time.monotonic()

    @property
    def busy(self) -> int:
        """How many processors it keeps busy; checking, one."""
        return len(self.out) if self.checked else 1

    @property
    def ready(self) -> bool:
        """Whether it can take a job: one that its process has died with runs alone."""
        if self.alone or any(job in self.tries for job in self.out):
            return self.checked and not self.out
        return self.checked and bool(self.waiting)

    @property
    def over(self) -> bool:
        return self.checked and not (self.waiting or self.alone or self.out)

    def hand(self) -> None:
        """Hand out a job."""
        job, prose = (self.alone or self.waiting).popleft()
        self.out[job] = prose
        with contextlib.suppress(OSError):  # it has died, which will be heard
            self.line.send((job, prose))

    def hear(self) -> None:
        """Take what it has said, or that it has died."""
        try:
            while self.line.poll():
                said = self.line.recv()
                self.heard = time.monotonic()
                if not self.checked:
                    self._begin(*said)
                elif self.out.pop(said.job, None) is not None:
                    self.told.append(said)
        except (EOFError, OSError):
            self._die()
            return
        silent = time.monotonic() - self.heard > self.options.job + _SILENT
        if not self.process.is_alive() or (self.busy and silent):
            self._die()

    def _begin(self, problems: tuple[Problem, ...], absent: dict[str, str]) -> None:
        """The ward's files are checked: what is at fault or has no figures is not run."""
        self.checked = True
        self.faults.problems |= set(problems)
        jobs, self.waiting = self.waiting, deque()
        for job, prose in () if problems else jobs:
            if job.period not in absent:
                self.waiting.append((job, prose))
            elif self.options.empty:
                self.told.append(Outcome(job, EMPTY))
            else:
                self.faults.absent[job.ward, job.as_of, job.period] = absent[job.period]

    def _die(self) -> None:
        """Start anew. The jobs that it had are tried again, each alone; if it had none, any may be it."""
        self.kill()
        had: list[tuple[Job | None, bool]] = (
            [*self.out.items()] if self.checked else [(None, False)]
        )
        self.out = {}
        for job, prose in had:
            self.tries[job] = self.tries.get(job, 0) + 1
            lost = self.tries[job] >= _TRIES
            if job and not lost:
                self.alone.append((job, prose))
            elif lost:
                every = [each for each, _ in (*self.alone, *self.waiting)]
                if job is None:
                    self.alone.clear()
                    self.waiting.clear()
                for each in [job] if job else every:
                    error = f"the process that ran it died {_TRIES} times (of memory, or killed)"
                    file = plans.named(each.source)
                    self.told.append(Outcome(each, FAILED, error=error, file=file))
        if self.waiting or self.alone:
            self._start()
        else:
            self.checked = True

    def end(self) -> None:
        """Let it end by itself."""
        with contextlib.suppress(OSError):
            self.line.send(None)
        self.process.join(5)
        self.kill()

    def kill(self) -> None:
        """End it, and with it what it has started."""
        with contextlib.suppress(OSError):
            if os.name == "posix":
                os.killpg(self.process.pid or 0, signal.SIGKILL)
            else:
                self.process.kill()
        self.line.close()


def check(groups: Sequence[Group], options: Options, faults: Faults) -> list[Crew]:
    """Check the wards of all groups before the first job; `faults` has what is wrong. The crews of the
    first groups, as many as work at once, are kept for `work`."""
    kept: list[Crew] = []
    try:
        for at in range(0, len(groups), options.workers):
            crews = [Crew(group, options, faults) for group in groups[at : at + options.workers]]
            kept += crews
            while any(not crew.checked for crew in crews):
                _wait(crews)
            for crew in crews if at else ():
                kept.remove(crew)
                crew.end()
    except BaseException:
        for crew in kept:
            crew.kill()
        raise
    return kept


def work(
    groups: Iterator[Group], options: Options, faults: Faults, begun: Sequence[Crew] = ()
) -> Iterator[Outcome]:
    """The outcome of every job of the groups. Each has a crew; no more than work at once are there, `begun`
    among them."""
    crews = list(begun)
    there = {crew.group for crew in begun}
    try:
        while True:
            while len(crews) < options.workers and (group := next(groups, None)):
                yield from (Outcome(job, CURRENT) for job in group.current)
                if group.stale and group not in there:
                    crews.append(Crew(group, options, faults))
            if not crews:
                return
            while sum(crew.busy for crew in crews) < options.workers:
                ready = [crew for crew in crews if crew.ready]
                if not ready:
                    break
                min(ready, key=lambda crew: crew.busy).hand()
            _wait(crews)
            for crew in list(crews):
                told, crew.told = crew.told, []
                yield from told
                if crew.over:
                    crews.remove(crew)
                    crew.end()
    finally:
        for crew in crews:
            crew.kill()


def _wait(crews: Sequence[Crew]) -> None:
    """Wait until some crew has said something, or has died."""
    if not any(crew.over for crew in crews):
        every = [(crew.line, crew.process.sentinel) for crew in crews]
        wait([each for pair in every for each in pair], 1.0)
    for crew in crews:
        crew.hear()
