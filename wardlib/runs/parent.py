"""The parent of a run's processes: multiprocessing's forkserver, which has the libraries loaded (`loaded`).

A process that is started here is a fork of it, ready at once. Where the system cannot fork (Windows), or
the parent cannot load, a plain process does the same and loads for itself. What a process of ours leaves
behind, its temporary files and processes that hid themselves in a session of their own, is told by a mark
in its environment, and goes at the end; of one that was killed, with the next run.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib
import logging
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any

from filelock import FileLock, Timeout

LOADED = "wardlib.runs.loaded"
GONE = ".gone"  # after the name of a folder whose owner was killed
_MARK, _PREFIX = "WARDLIB_RUN", "ward-run-"
_LONGEST = 70  # letters of a folder in which a socket still finds room (the systems' limits are 104 to 108)
_LOG = logging.getLogger(__name__)
_STARTING = threading.Lock()
_lock: FileLock | None = None  # of `_scratch`, held as long as this process lives
_plain = "forkserver" not in multiprocessing.get_all_start_methods()


def load() -> None:
    """Start the parent, unless there is one; it loads while others go on."""
    if not _plain:
        from multiprocessing import forkserver

        with contextlib.suppress(OSError), _as_parent(deaf=True):
            multiprocessing.set_forkserver_preload([LOADED])
            forkserver.ensure_running()


def start(module: str, function: str, *arguments: Any) -> BaseProcess:
    """A process that calls a function, named so that this process need not load it: a fork of the parent,
    which is started again where it has died."""
    words: dict[str, Any] = {
        "target": _call,
        "args": (module, function, *arguments),
        "daemon": False,
    }
    global _plain
    failure: Exception | None = None
    for _ in range(0 if _plain else 2):
        load()
        process = multiprocessing.get_context("forkserver").Process(**words)
        try:
            with _as_parent():
                process.start()
            return process
        except (OSError, EOFError) as error:
            failure = error
    if failure:
        _plain = True
        _LOG.warning(
            "The parent of the jobs cannot load (%s: %s): each ward loads for itself, which takes longer.",
            type(failure).__name__, failure,
        )  # fmt: skip
    plain = multiprocessing.get_context("spawn").Process(**words)
    with _as_parent(deaf=True):
        plain.start()
    return plain


def _call(module: str, function: str, *arguments: Any) -> None:
    getattr(importlib.import_module(module), function)(*arguments)


@contextlib.contextmanager
def _as_parent(*, deaf: bool = False) -> Iterator[None]:
    """What is started here carries the mark, keeps its temporary files in our folder, and needs nothing of
    this process's `__main__`; `deaf`, it does not hear Ctrl-C, which is for the run to answer."""
    with _STARTING:
        own = {
            _MARK: _scratch(),
            "TMPDIR": _scratch(),
            "OPENBLAS_NUM_THREADS": "1",
        }  # a job, a processor
        before = {name: os.environ.get(name) for name in own}
        main, temporary = sys.modules["__main__"], tempfile.tempdir
        os.environ.update(own)
        sys.modules["__main__"], tempfile.tempdir = ModuleType("__main__"), own["TMPDIR"]
        me = multiprocessing.current_process()
        daemon, me.daemon = me.daemon, False  # a worker of Dask's is one, and may start none
        mask = _blocked({signal.SIGINT}) if deaf else None
        try:
            yield
        finally:
            me.daemon = daemon
            if mask is not None:
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            sys.modules["__main__"], tempfile.tempdir = main, temporary
            for name, value in before.items():
                os.environ.pop(name, None)
                os.environ.update({} if value is None else {name: value})


def _blocked(signals: set[signal.Signals]) -> set[signal.Signals] | None:
    """Block signals, which a program that is started then inherits; those that were."""
    if not hasattr(signal, "pthread_sigmask"):
        return None
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # when it starts, it lets them through
    return {*map(signal.Signals, signal.pthread_sigmask(signal.SIG_BLOCK, signals))}


@functools.cache
def _scratch() -> str:
    """This process's folder for temporary files, whose name is also its mark."""
    global _lock
    folder, _lock = held(_place(), _PREFIX)
    if _plain:  # else the parent does it, as this process may be killed
        atexit.register(sweep, folder)
        atexit.register(_lock.release)  # before it
    return str(folder)


def held(place: Path, prefix: str) -> tuple[Path, FileLock]:
    """A new folder, which nobody sweeps as long as its lock is held."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
        lock = FileLock(folder / "lock")
        with contextlib.suppress(OSError):  # swept before it was locked
            lock.acquire(timeout=0)
            if (folder / "lock").exists():
                return folder, lock


def _place() -> Path:
    place = Path(tempfile.gettempdir())
    return place if len(str(place)) <= _LONGEST else Path("/tmp")


def left() -> Iterator[Path]:
    """The folders for temporary files of all runs, those that were killed among them."""
    return _place().glob(f"{_PREFIX}*")


def clear_up(owner: int) -> None:
    """For the parent, at its end: whoever started it is gone, and soon what that had started."""
    end, folder = time.monotonic() + 5, Path(os.environ.get(_MARK, ""))
    if os.getpid() == owner and folder.name:
        while _marked(folder) and time.monotonic() < end:
            time.sleep(0.05)
        sweep(folder, seconds=1)


def sweep(folder: Path, seconds: float = 0) -> None:
    """Remove a folder whose owner, who holds its lock, has ended (or does within so many seconds), and kill
    the processes that carry its name."""
    try:
        if not (folder / "lock").exists():
            with contextlib.suppress(OSError):  # its owner may be about to lock it
                folder.rmdir()
            if not (folder / "lock").exists():  # what was left when it was removed
                shutil.rmtree(folder, ignore_errors=True)
            return
        lock = FileLock(folder / "lock")
        lock.acquire(timeout=seconds)
    except (OSError, Timeout):  # it lives, or is another user's
        return
    for process in _marked(folder):
        with contextlib.suppress(OSError):
            os.kill(process, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)
    lock.release()
    shutil.rmtree(folder, ignore_errors=True)


def _marked(folder: Path) -> list[int]:
    """The other processes that carry the folder's name, where the system tells."""
    found, mark = [], f"{_MARK}={folder}\0".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # another user's, or gone
            if process.name != str(os.getpid()) and mark in (process / "environ").read_bytes():
                found.append(int(process.name))
    return found
