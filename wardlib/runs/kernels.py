"""The warm kernel: a kernel provisioner of jupyter_client that forks from a warm parent.

Most of what a notebook costs is the start of its kernel. Python's `multiprocessing` forkserver
imports the libraries once (`warm`), and every kernel is a fork of it: a fresh process with its own
namespace, working folder, environment and process group, ready in a fraction of the time. It
speaks over Unix sockets in a folder that only the user can enter, and dies with the process that
asked for it. The kernelspec `ward`, installed with the package, names the provisioner, so that
papermill, nbclient, `jupyter nbconvert --execute` and JupyterLab all have it.

Where there is no forkserver (Windows), where it fails, or where a kernelspec asks for another
program than this Python's ipykernel, the ordinary kernel starts, and the log says why.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing import connection
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.client import KernelClient
from jupyter_client.connect import KernelConnectionInfo, port_names
from jupyter_client.localinterfaces import localhost
from jupyter_client.provisioning import LocalProvisioner
from jupyter_core.utils import ensure_async, run_sync

from wardlib.runs import forks

NAME = "ward"  # of the kernelspec
_LAUNCHER = ["-m", "ipykernel_launcher"]
_FLAGS = {"-Xfrozen_modules=off"}  # what ipykernel's own kernelspec says to Python; no matter here
_HISTORY = "--HistoryManager.hist_file"  # a file that all kernels share, and wait for
_OPTIONS = {"cwd", "env", "extra_arguments", "kernel_id", "independent"}  # of a launch that we know
_ADDRESS = ("transport", "ip", "cache_ports", *port_names)  # of a manager
_SOCKET_PATH = 100  # bytes; the systems' limits are 104 to 108, the port's suffix included
_START_SECONDS = 60.0
_EXIT_SECONDS = 1.0


def kill_kernels() -> None:
    """Kill the kernels that this process has started and that live: one in a long computation sees
    nothing of the end of its parent."""
    for process in list(_STARTED):
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)


class WarmProvisioner(LocalProvisioner):
    """Starts a kernel as a fork of the warm parent; see the module."""

    _folder: str | None = None  # of the sockets
    _before: dict[str, Any] | None = None  # what the manager's address was

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose Unix sockets in a private folder, unless somebody chose an address; then as usual."""
        manager = self.parent
        if manager is not None and forks.context() is not None:
            chosen = manager.transport != "tcp" or manager.ip != localhost() or manager.shell_port
            if not chosen:
                folder = tempfile.mkdtemp(prefix="ward-")
                if len(os.fsencode(folder)) <= _SOCKET_PATH - len("/kernel"):
                    self._folder = folder
                    self._before = {name: getattr(manager, name) for name in _ADDRESS}
                    manager.transport, manager.ip = "ipc", f"{folder}/kernel"
                    manager.cache_ports = False
                else:
                    Path(folder).rmdir()
                    self.log.warning("%s is too long for a socket: the kernel uses TCP.", folder)
            if manager.client_factory in _CLIENTS:
                manager.client_factory = _CLIENTS[manager.client_factory]
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork a kernel where that is possible, else start the ordinary one and log why."""
        obstacle = _obstacle(cmd, kwargs)
        if not obstacle:
            try:
                await self._fork(cmd[cmd.index(_LAUNCHER[1]) + 1 :], kwargs)
                return self.connection_info
            except (OSError, EOFError, RuntimeError) as error:
                obstacle = f"the warm parent failed ({type(error).__name__}: {error})"
        self.log.warning("An ordinary kernel starts instead of a warm one: %s.", obstacle)
        if self._folder:  # a fork that fails late takes both with it
            Path(self._folder).mkdir(mode=0o700, exist_ok=True)
            self.parent.write_connection_file()
        return await super().launch_kernel(cmd, **kwargs)

    async def shutdown_requested(self, restart: bool = False) -> None:
        """Wait for the exit itself, instead of looking ten times a second whether it has come."""
        await self._exited(_EXIT_SECONDS)

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel's process group and wait for its end."""
        await super().kill(restart)
        await self._exited(_EXIT_SECONDS)

    async def cleanup(self, restart: bool = False) -> None:
        """As usual; the folder of the sockets goes with the last kernel in it."""
        await super().cleanup(restart)
        if self._folder and not restart:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
            for name, value in (self._before or {}).items():  # it may be started again
                setattr(self.parent, name, value)

    async def _fork(self, arguments: list[str], kwargs: dict[str, Any]) -> None:
        ready, tell = multiprocessing.Pipe(duplex=False)
        with ready:
            with tell:
                env = dict(kwargs.get("env") or os.environ)
                cwd = os.fspath(kwargs.get("cwd") or Path.cwd())
                umask = os.umask(0o077)
                os.umask(umask)
                process = forks.context().Process(
                    target=_serve,
                    args=(arguments, env, cwd, umask, self._folder, tell),
                    daemon=True,
                )
                await _aside(process.start)
            self.process = _Popen(process)
            _STARTED.add(self.process)
            self.pid = self.pgid = process.pid
            self.cwd = cwd
            # A client that connects before the sockets are there tries again only a while later.
            await _readable(ready.fileno(), _START_SECONDS)
            try:
                if not ready.poll():
                    raise RuntimeError(f"its fork was not ready after {_START_SECONDS:.0f} s")
                ready.recv_bytes()
            except (EOFError, RuntimeError) as error:
                self.process.kill()
                await self._exited(_EXIT_SECONDS)
                if isinstance(error, EOFError):
                    code = self.process.poll()
                    raise RuntimeError(f"its fork ended with exit code {code}") from None
                raise

    async def _exited(self, seconds: float) -> None:
        if isinstance(self.process, _Popen) and self.process.poll() is None:
            await _readable(self.process.sentinel, seconds)


class _Popen:
    """A process of multiprocessing with the part of Popen's manners that a LocalProvisioner needs."""

    stdin = stdout = stderr = None

    def __init__(self, process: multiprocessing.process.BaseProcess) -> None:
        self._process = process
        self.pid, self.sentinel = process.pid, process.sentinel

    def poll(self) -> int | None:
        code = self._process.exitcode
        if code is not None:
            _STARTED.discard(self)
        return code

    def wait(self) -> int | None:
        self._process.join()
        return self.poll()

    def send_signal(self, signum: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, signum)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


_STARTED: set[_Popen] = set()


async def _aside(work: Callable[[], None]) -> None:
    """Do a work that may block (the first start waits for the libraries) while others go on.

    The loop's own threads will not do: where a process with a loop was forked, they are not there.
    """
    failures: list[BaseException] = []

    def attempt() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    while thread.is_alive():
        await asyncio.sleep(0.002)
    if failures:
        raise failures[0]


async def _readable(descriptor: int, seconds: float) -> None:
    """Wait until there is something to read, or the end, or the time is over."""
    loop, seen = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, seen.set)
    try:
        await asyncio.wait_for(seen.wait(), seconds)
    except TimeoutError:
        pass
    finally:
        loop.remove_reader(descriptor)


def _for_python(env: Mapping[str, str]) -> dict[str, str]:
    """What Python itself reads at its start, and a fork does not."""
    return {
        name: value
        for name, value in env.items()
        if name.startswith("PYTHON") and name != "PYTHONPATH"
    }


_PYTHON = _for_python(os.environ)


def _obstacle(cmd: list[str], kwargs: dict[str, Any]) -> str:
    """Why a kernel with this command cannot be a fork; empty where it can."""
    if forks.context() is None:
        return "this system cannot fork"
    python, own = Path(cmd[0]), Path(sys.executable)
    words = [word for word in cmd[1:] if word not in _FLAGS]
    if python.parent != own.parent or python.resolve() != own.resolve() or words[:2] != _LAUNCHER:
        return f"the kernelspec runs {' '.join(cmd[:3])}, not the ipykernel of {own}"
    env = kwargs.get("env") or os.environ
    if _for_python(env) != _PYTHON:
        return "its environment has other settings of Python than the parent's"
    unknown = {name for name, value in kwargs.items() if value is not None} - _OPTIONS
    if kwargs.get("independent"):
        unknown.add("independent")
    return f"it was asked for with {', '.join(sorted(unknown))}" if unknown else ""


def _serve(
    arguments: list[str],
    env: dict[str, str],
    cwd: str,
    umask: int,
    folder: str | None,
    tell: connection.Connection,
) -> None:
    """Be a kernel: what a fork has of its parent is set to what a fresh Python would have."""
    os.setsid()
    multiprocessing.current_process().daemon = False  # a notebook may start processes of its own
    with open(os.devnull, "rb") as null:  # noqa: PTH123 - a descriptor is wanted
        os.dup2(null.fileno(), 0)
    os.chdir(cwd)
    os.umask(umask)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # The parent has imported it long ago; here it stands above this module.
    sys.modules[forks.WARM].refresh(env)
    import ipykernel
    from ipykernel.kernelapp import IPKernelApp

    # nbclient asks for the same of a kernel named python3, and twice is refused.
    if not any(argument.startswith(_HISTORY) for argument in arguments):
        arguments = [*arguments, f"{_HISTORY}=:memory:"]
    launcher = Path(ipykernel.__file__).parent.with_name("ipykernel_launcher.py")
    sys.argv = [str(launcher), *arguments]

    # 1: it has a parent (and needs no advice on Ctrl-C), but not one to poll: see the thread below.
    app = IPKernelApp.instance(parent_handle=1)

    def last() -> None:
        app.cleanup_connection_file()
        if folder:
            shutil.rmtree(folder, ignore_errors=True)

    forks.die_with_parent(last)
    app.initialize(arguments)
    tell.send_bytes(b"ready")
    tell.close()
    try:
        app.start()
    finally:  # as Python ends; a process of multiprocessing leaves out what atexit was told
        atexit.unregister(app.close)  # waits for threads that may wait for each other
        threading._shutdown()
        atexit._run_exitfuncs()


class _Prompt(KernelClient):
    """Is ready when the kernel is. jupyter_client's clients then listen for a fifth of a second
    more, to be sure that nothing is left of the start; here the kernel's own word that it is idle
    after our request tells so."""

    async def _until_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers and its output reaches this client.

        Raises RuntimeError if the kernel dies, or does not answer within `timeout` seconds.
        """
        end = time.monotonic() + (float("inf") if timeout is None else timeout)
        while True:
            asked = self.kernel_info()
            try:
                answer = await self._about(self.shell_channel, asked, "kernel_info_reply", 1)
                await self._about(self.iopub_channel, asked, "status", 0.05)
            except Empty:
                pass
            else:
                self._handle_kernel_info_reply(answer)
                return
            if not await self._async_is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if time.monotonic() > end:
                raise RuntimeError(f"Kernel didn't respond in {timeout} seconds")

    async def _about(self, channel: Any, asked: str, kind: str, seconds: float) -> dict[str, Any]:
        """The message of that kind about our request; of `status`, the one that says idle."""
        while True:
            message = await ensure_async(channel.get_msg(timeout=seconds))
            if (
                message["parent_header"].get("msg_id") == asked
                and message["msg_type"] == kind
                and message["content"].get("execution_state", "idle") == "idle"
            ):
                return message


class PromptAsyncClient(_Prompt, AsyncKernelClient):
    """jupyter_client's asynchronous client, ready sooner."""

    wait_for_ready = _Prompt._until_ready


class PromptBlockingClient(_Prompt, BlockingKernelClient):
    """jupyter_client's blocking client, ready sooner."""

    wait_for_ready = run_sync(_Prompt._until_ready)


_CLIENTS = {AsyncKernelClient: PromptAsyncClient, BlockingKernelClient: PromptBlockingClient}
