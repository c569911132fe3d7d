"""Forks of a warm parent: processes that have the libraries when they start.

Python's `multiprocessing` forkserver imports `warm` once; every kernel (`kernels`) and every worker of
a run (`runs`) is a fork of it. Where the system cannot fork (Windows), `context` gives none.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing import connection
from typing import Any

WARM = "wardlib.runs.warm"

if "forkserver" in multiprocessing.get_all_start_methods():
    from multiprocessing import forkserver, resource_tracker, spawn
    from multiprocessing.context import ForkServerContext, ForkServerProcess

    def _same_parent() -> None:
        """In a fork, of the warm parent or of a process that has one: kernels started from here are
        forks of that same parent.

        multiprocessing means that too (see its `ensure_running`), but what it takes for the sign of
        a running server is none in a fork: each would load the libraries anew.
        """
        global _STARTING
        _STARTING = threading.Lock()
        server = forkserver._forkserver
        if server._forkserver_address:
            server.ensure_running = resource_tracker.ensure_running

    os.register_at_fork(after_in_child=_same_parent)
else:
    ForkServerContext = ForkServerProcess = None

_STARTING = threading.Lock()


class _Process(ForkServerProcess or object):
    """A process of `context()`; it can be started from wherever, and needs nothing of `__main__`.

    multiprocessing would import the `__main__` of this process into the new one, to find functions
    there: slow for a command such as papermill, and wrong for a script without the usual guard. It
    also refuses to start one from a daemon (a Dask worker is one), since a daemon that is killed
    leaves its children; ours die with their parent.
    """

    def start(self) -> None:
        me = multiprocessing.current_process()
        own, prepare = threading.get_ident(), spawn.get_preparation_data

        def without_main(name: str) -> dict[str, Any]:
            data = prepare(name)
            if threading.get_ident() == own:
                for key in ("init_main_from_name", "init_main_from_path"):
                    data.pop(key, None)
            return data

        with _STARTING:
            load_parent()
            self._key = getattr(forkserver._forkserver, "_forkserver_authkey", None)  # Python 3.14
            daemon, spawn.get_preparation_data = me.daemon, without_main
            try:
                if daemon:
                    me.daemon = False
                super().start()
            finally:
                spawn.get_preparation_data = prepare
                if daemon:
                    me.daemon = True

    def run(self) -> None:
        forkserver._forkserver._forkserver_authkey = self._key
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever can answer it says so
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        super().run()


class _Context(ForkServerContext or object):
    Process = _Process


def context() -> multiprocessing.context.BaseContext | None:
    """The multiprocessing context whose processes are forks of the warm parent; None where the
    system cannot fork."""
    if ForkServerContext is None:
        return None
    made = _Context()
    made.set_forkserver_preload([WARM])
    return made


def load_parent() -> None:
    """Start the warm parent, unless there is one; it loads the libraries while others go on. OSError
    where the system has no place for its socket.

    Ctrl-C is not for it: it is blocked from the start, and ignored once the parent is ready.
    """
    context()
    main = sys.modules["__main__"]
    if not hasattr(main, "__spec__"):  # IPython's has none, where multiprocessing looks for one
        main.__spec__ = None
    for descriptor in range(3):  # one that is closed would be taken for a pipe of ours
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    resource_tracker.ensure_running()  # when it starts, it lets the signal through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver._forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_parent() -> None:
    """End the warm parent of this process, which then starts nothing more that was asked of it."""
    if forkserver._forkserver._forkserver_pid is not None:
        with contextlib.suppress(OSError):
            os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)


def die_with_parent(last: Callable[[], None] = lambda: None) -> None:
    """From now on, when the process that started this one is gone, call `last` and kill this
    process with its process group: nobody would read what it makes."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        connection.wait([parent.sentinel])
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 2)  # what fails from here on fails because of the end
            last()
        finally:
            os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=watch, name="die with parent", daemon=True).start()
