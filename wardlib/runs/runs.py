"""Runs: many jobs, on this machine's processors or on a cluster's.

What is up to date is left alone. A ward's data are checked before its first job starts, those of a few wards
before any does; a failed job stops no other. Jobs are drafted in `output/.run-…/`, which goes with the run,
or, if that was killed, with the next one. The modules that take long to load are imported where jobs
really run: to find all up to date takes no second.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import shutil
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from wardlib.errors import DataError, RequestError, WardError
from wardlib.runs import cache, crews, parent, plans
from wardlib.runs.crews import Faults, Group, Options
from wardlib.runs.plans import CURRENT, DONE, EMPTY, FAILED, Job, Outcome, Plan

_LOG = logging.getLogger(__name__)
_TOGETHER = 20  # wards that are all checked before the first job: as many as a district has


def run(
    jobs: Plan | Sequence[Job],
    *,
    workers: int,
    scheduler: str = "",
    force: bool = False,
    empty: bool = False,
    cell_seconds: float = 120.0,
    job_seconds: float = 600.0,
) -> Generator[Outcome]:
    """Run the jobs that are not up to date (all, with `force`); each one's outcome as it ends.

    `workers` jobs at once on this machine, or as many as the Dask `scheduler` (tls://…, tcp://…) has. With
    `empty`, a ward without figures for a period is passed over. A job fails after `cell_seconds` in one
    cell or `job_seconds` in all. Ends with `output/run.json`, also when it is broken off: how many jobs are
    complete, made now or before; which failed; how many it did not come to.

    Raises DataError with every fault of the data of the wards that have something to run, and
    RequestError where a period has no figures, the disk no room, or the cluster no answer: before the first
    job, if the wards are no more than a district's; else at the end, the other wards' jobs being done.
    """
    told: Counter[str] = Counter()
    failed: list[Outcome] = []
    faults = Faults()
    groups = _groups(jobs, force)
    with _staging() as staging:
        options = Options(staging, cell_seconds, job_seconds, empty, workers)
        begun: list[crews.Crew] = []
        if plans.wards(jobs) <= _TOGETHER:
            every = list(groups)
            stale = [group for group in every if group.stale]
            _room(stale, cache.sizes())
            begun = crews.check(stale, options, faults)
            _refuse(faults, begun)
            groups = iter(every)
        else:
            groups = _roomy(groups, cache.sizes())
        if scheduler:
            from wardlib.runs import clusters

            for crew in begun:
                crew.end()
            outcomes = clusters.work(groups, options, faults, scheduler)
        else:
            outcomes = crews.work(groups, options, faults, begun)
        written = True
        try:
            for outcome in outcomes:
                told[outcome.status] += 1
                if outcome.status == FAILED:
                    failed.append(outcome)
                yield outcome
        except WardError:  # before its first job it leaves nothing
            written = bool(told)
            raise
        finally:
            if written:
                try:
                    _report(staging, told, failed, len(jobs))
                except OSError as error:
                    _LOG.warning("output/run.json cannot be written: %s.", error.strerror)
    _refuse(faults, [])


def _groups(jobs: Plan | Sequence[Job], force: bool) -> Iterator[Group]:
    """The jobs by ward and day, as they follow each other; what is up to date is looked at ward by ward."""
    for _, own in itertools.groupby(jobs, lambda job: (job.ward, job.as_of)):
        group = Group([], [])
        for job in own:
            state = cache.STALE if force else cache.state(job)
            if state == cache.CURRENT:
                group.current.append(job)
            else:
                parent.load()  # while the others are looked at
                group.stale.append((job, state == cache.PROSE))
        yield group


def _refuse(faults: Faults, begun: list[crews.Crew]) -> None:
    """Raise what is wrong with the data, or lacks figures."""
    if faults.problems or faults.absent:
        for crew in begun:
            crew.kill()
    if faults.problems:
        raise DataError(faults.problems)
    if faults.absent:
        raise RequestError("\n".join(faults.absent[key] for key in sorted(faults.absent)))


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
            unit = {plans.WARD: about["parameters"].pop(plans.DISTRICT, "")}
            rows.append({"notebook": about["notebook"]} | unit | about["parameters"])
        found = [Job(**{name: str(row[name]) for name in Job.__slots__}) for row in rows]
    except (OSError, ValueError, KeyError, TypeError):
        raise RequestError(
            "output/run.json does not say which jobs failed: no run has come to its end here. "
            "Name the periods to run."
        ) from None
    return plans.known(found)


def _report(staging: Path, told: Counter[str], failed: list[Outcome], count: int) -> None:
    """The report of a run of `count` jobs, drafted in `staging`."""
    rows = [
        asdict(each.job) | {"cell": each.cell, "error": each.error, "file": each.file}
        for each in failed
    ]
    rows.sort(key=lambda row: [str(row[name]) for name in Job.__slots__])
    complete = told[DONE] + told[CURRENT]
    left = count - complete - told[EMPTY] - len(rows)
    about = {"complete": complete, "failed": rows, "not_run": left}
    staging.mkdir(parents=True, exist_ok=True)  # somebody may have taken it away
    draft = staging / cache.RECORD
    draft.write_text(json.dumps(about, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    draft.replace(plans.output() / cache.RECORD)


def _room(groups: list[Group], sizes: dict[str, int]) -> None:
    """Raise RequestError unless the disk has room for the jobs that are to run."""
    free = shutil.disk_usage(plans.output()).free
    needed = [sizes[job.notebook] for group in groups for job, _ in group.stale]
    if free < sum(needed):
        raise RequestError(
            f"{len(needed)} jobs may need {sum(needed) / 1e9:.1f} GB in output/, the disk has "
            f"{free / 1e9:.1f} GB left. Make room, or run fewer periods at once."
        )


def _roomy(groups: Iterator[Group], sizes: dict[str, int]) -> Iterator[Group]:
    """The groups, as far as the disk has room for each."""
    for group in groups:
        _room([group], sizes)
        yield group


@contextlib.contextmanager
def _staging() -> Iterator[Path]:
    """A folder for the drafts of this run. Those of runs that were killed are swept away; that of a
    run that lives is locked."""
    output = plans.output()
    try:
        output.mkdir(exist_ok=True)
        for folder in (*output.glob(".run-*"), *parent.left()):
            parent.sweep(folder)
        for folder in output.glob(f".run-*{parent.GONE}"):  # of one that was killed, half removed
            shutil.rmtree(folder, ignore_errors=True)
        folder, lock = parent.held(output, ".run-")
    except OSError as error:
        raise RequestError(
            f"output/, or the folder for temporary files, cannot be written: {error.strerror}."
        ) from None
    try:
        yield folder
    finally:
        gone = folder.with_name(folder.name + parent.GONE)
        try:
            folder.rename(
                gone
            )  # what a lost worker has left running writes nothing to it from here on
        except OSError:  # a cell has taken it away, or the system renames no file that is held
            gone = folder
        shutil.rmtree(gone, ignore_errors=True)
        lock.release()
        shutil.rmtree(gone, ignore_errors=True)
