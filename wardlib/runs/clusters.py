"""Clusters: runs on the workers of a Dask scheduler. The only user of distributed.

A task is a ward's process tree with its jobs (`crews`), on a worker that sees the same folder; outcomes come
as the jobs end. What a lost worker had runs again elsewhere.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import asdict, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from wardlib.data import descriptors
from wardlib.errors import RequestError
from wardlib.runs import crews
from wardlib.runs.crews import Faults, Group, Options
from wardlib.runs.plans import CURRENT, FAILED, Job, Outcome

_RETRIES = 3  # of a task whose worker is lost
_HERE = ("127.", "localhost", "[::1]")
_LOG = logging.getLogger(__name__)


def work(
    groups: Iterator[Group], options: Options, faults: Faults, scheduler: str
) -> Iterator[Outcome]:
    """`crews.work` on the workers of a scheduler."""
    with _client(scheduler) as client:
        width = sum(client.nthreads().values())
        if not width:
            raise RequestError(f"the scheduler {scheduler} has no worker: start `dask worker`.")
        heard: SimpleQueue[Any] = SimpleQueue()  # outcomes and tasks that have ended
        topic = options.staging.name
        client.subscribe_topic(topic, lambda event: heard.put(_told(event[1])))
        parts = _split(groups, width)
        tasks: dict[Any, dict[Job, bool]] = {}  # with the jobs of which nothing was heard
        while True:
            while len(tasks) < 2 * width and (group := next(parts, None)):
                yield from (Outcome(job, CURRENT) for job in group.current)
                if group.stale:
                    words = group.stale, options, str(descriptors.home()), topic
                    task = client.submit(_ward, *words, pure=False, retries=_RETRIES)
                    tasks[task] = dict(group.stale)
                    task.add_done_callback(heard.put)
            if not tasks:
                return
            said = heard.get()
            if isinstance(said, Outcome):
                if any(left.pop(said.job, None) is not None for left in tasks.values()):
                    yield said
                continue
            left = tasks.pop(said)
            try:
                told, found = said.result()
            except CancelledError:
                raise RequestError(
                    "the cluster is lost: no scheduler answers any more. What is done stays; "
                    "the same command goes on with the rest."
                ) from None
            except Exception as error:
                text = f"{type(error).__name__}: {error}"
                told, found = (
                    [Outcome(job, FAILED, error=text, file=job.name) for job in left],
                    Faults(),
                )
            faults.problems |= found.problems
            faults.absent |= found.absent
            yield from (outcome for outcome in told if outcome.job in left)


def _split(groups: Iterator[Group], width: int) -> Iterator[Group]:
    """The groups; where they are fewer than work at once, in parts."""
    first = [group for _, group in zip(range(width), groups, strict=False)]
    busy = sum(bool(group.stale) for group in first)
    for group in first:
        size = -(-len(group.stale) * busy // width) or 1 if len(first) < width else len(group.stale)
        yield Group(group.current, [])
        for at in range(0, len(group.stale), max(size, 1)):
            yield Group([], group.stale[at : at + size])
    yield from groups


def _ward(
    jobs: list[tuple[Job, bool]], options: Options, home: str, topic: str
) -> tuple[list[Outcome], Faults]:
    """On a worker: run jobs of a ward, and tell each outcome as it comes."""
    from distributed import get_worker

    os.environ["WARDLIB_HOME"] = home
    own = replace(options, staging=Path(tempfile.mkdtemp(dir=options.staging)), workers=1)
    faults, told = Faults(), []
    for outcome in crews.work(iter([Group([], jobs)]), own, faults):
        told.append(outcome)
        get_worker().log_event(topic, asdict(outcome))
    return told, faults


def _told(said: dict[str, Any]) -> Outcome:
    return Outcome(**said | {"job": Job(**said["job"])})


@contextlib.contextmanager
def _client(scheduler: str) -> Iterator[Any]:
    try:
        from distributed import Client
    except ImportError:
        raise RequestError(
            "--scheduler needs the package distributed: pip install 'wardlib[cluster]'."
        ) from None
    if scheduler.startswith("tcp://") and not scheduler[6:].startswith(_HERE):
        _LOG.warning(
            "%s is neither encrypted nor closed: whoever reaches that port can run code on its workers. "
            "Use tls:// with certificates.", scheduler,
        )  # fmt: skip
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
