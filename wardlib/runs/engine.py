"""The papermill engine `ward`: the cells of a notebook run in the process itself.

There is no kernel process, no socket and no handshake. IPython's shell for kernels executes the cells in a
running event loop, and its messages go straight to nbclient's bookkeeping, so that libraries and nbclient
decide what an output is, as ever. Around every message the process is the host's again; after the notebook
it is as it was, but for modules that the cells have imported and threads that they have left.

    papermill --engine ward in.ipynb out.ipynb

Every notebook for the ipykernel of this Python can run so; for any other kernel, or where a kernel manager
or its arguments are given, papermill's own engine does it. No profile, start-up file or history of IPython
is read or written: two people get the same outputs. `tests/test_engine.py` lists every other difference.
"""

from __future__ import annotations

import asyncio
import atexit
import builtins
import codecs
import contextlib
import contextvars
import ctypes
import fnmatch
import io
import logging
import os
import pdb
import select
import shutil
import signal
import sys
import threading
import time
import warnings
from collections import defaultdict, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty
from types import SimpleNamespace
from typing import Any

import comm
import ipykernel
from ipykernel import eventloops, iostream
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelbase import Kernel
from ipykernel.kernelspec import RESOURCES
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core import debugger
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.session import Session
from nbclient.exceptions import CellExecutionComplete, DeadKernelError
from nbclient.util import run_hook
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine
from papermill.log import logger
from papermill.utils import merge_kwargs, remove_args
from traitlets import Type
from traitlets.config import Config

# What a cell may show: text of both streams, and all its outputs together.
MOST_LINES, MOST_TEXT, MOST_BYTES = 10_000, 1_000_000, 50_000_000
_FLUSH_SECONDS = iostream.OutStream.flush_interval  # a kernel's streams are flushed that often
_CHUNK = 65_536
_INLINE = "module://matplotlib_inline.backend_inline"
_LAUNCHER = Path(ipykernel.__file__).parent.with_name("ipykernel_launcher.py")
_STOCK_ONLY = {"km", "kernel_manager_class", "extra_arguments"}


class _Expired(BaseException):
    """The cell's time is over; nothing that a cell usually catches."""


class _Outputs:
    """What a cell shows, in order and bounded, until the thread of the cells hands it to the client.

    As with a kernel, text waits by stream until something flushes it, at most a fifth of a second.
    """

    def __init__(self, client: _Client) -> None:
        self._client, self._lock, self._pid = client, threading.RLock(), os.getpid()
        self._thread = threading.get_ident()
        self._waiting: dict[
            str, tuple[float, list[str]]
        ] = {}  # by stream: since when, and the text
        self._ready: deque[tuple[str, list[str]] | dict[str, Any]] = deque()
        self._pipes: dict[int, tuple[str, codecs.IncrementalDecoder]] = {}
        self._poll = None
        self.ended = self.silent = False
        self._shown = 0.0
        self.begin()

    def begin(self) -> None:
        """All that the cell has shown is gone, or nothing came yet."""
        self._text = self._lines = self._size = 0  # that came
        self._cut: tuple[str, int, int] | None = None  # stream, lines and bytes kept
        self._dropped = 0

    def capture(self, pipes: dict[int, str]) -> threading.Thread:
        """Read what is written to the file descriptors 1 and 2, from pipes that do not block."""
        decoder = codecs.getincrementaldecoder("utf-8")
        self._pipes = {fd: (name, decoder("replace")) for fd, name in pipes.items()}
        self._poll, watch = select.poll(), select.poll()
        for fd in self._pipes:
            self._poll.register(fd, select.POLLIN)
            watch.register(fd, select.POLLIN)

        def read() -> None:
            while not self.ended and watch.poll():
                with self._lock:
                    self._read()

        thread = threading.Thread(target=read, name="ward-outputs", daemon=True)
        thread.start()
        return thread

    def _read(self) -> None:
        if self._poll is None:
            return
        for _ in range(16):  # what is written without end does not keep us
            ready = self._poll.poll(0)
            if not ready:
                return
            for fd, _event in ready:
                name, decoder = self._pipes[fd]
                self._add(name, decoder.decode(os.read(fd, _CHUNK)))

    def write(self, name: str, text: str) -> None:
        if os.getpid() != self._pid:  # a fork of a cell's: what it writes comes by the pipe
            os.write(1 if name == "stdout" else 2, text.encode("utf-8", "replace"))
            return
        with self._lock:
            self._read()
            self._add(name, text)
            now = time.monotonic()
            old = [
                (since, name)
                for name, (since, _) in self._waiting.items()
                if now - since >= _FLUSH_SECONDS
            ]
            if self._client.live and now - self._shown >= _FLUSH_SECONDS and text.endswith("\n"):
                old = [(now, name)]
            for _, stream in sorted(old):
                self.flush(stream)
        if old:
            self.show()

    def _add(self, name: str, text: str) -> None:
        if self.ended or self.silent or not text:
            return
        if not text.isascii():
            text = text.encode("utf-8", "replace").decode()  # half a character is none
        size, lines = len(text) if text.isascii() else len(text.encode()), text.count("\n")
        if self._cut is None:
            room = MOST_LINES - self._lines
            if size > MOST_TEXT - self._text or lines > room or not room:
                end = 0
                for _ in range(room):
                    end = text.find("\n", end) + 1 or len(text)
                text = text[:end].encode()[: MOST_TEXT - self._text].decode("utf-8", "ignore")
                kept = text.count("\n"), len(text.encode())
                self._cut = name, self._lines + kept[0], self._text + kept[1]
            self._waiting.setdefault(name, (time.monotonic(), []))[1].append(text)
        self._text += size
        self._lines += lines

    def flush(self, name: str) -> None:
        """Put the stream's text behind what is ready; text that joins on stays one output."""
        if os.getpid() != self._pid:
            return
        with self._lock:
            self._read()
            _, chunks = self._waiting.pop(name, (0.0, []))
            last = self._ready[-1] if self._ready else None
            if isinstance(last, tuple) and last[0] == name:
                last[1].extend(chunks)
            elif chunks:
                self._ready.append((name, chunks))

    def take(self, message: dict[str, Any], size: int) -> None:
        """A message of the shell, and its bytes; in a fork of a cell's nobody is there to take it."""
        if os.getpid() != self._pid:
            return
        with self._lock:
            kind = message["msg_type"]
            if self.ended or (self.silent and kind != "status"):
                return
            if kind == "clear_output":
                self.begin()
            elif kind in ("display_data", "execute_result", "comm_open"):
                self._size += size
                if self._size > MOST_BYTES:
                    self._dropped += 1
                    return
            elif kind == "update_display_data" and size > MOST_BYTES:
                self._dropped += 1
                return
            self._ready.append(message)
        self.show()

    def show(self) -> None:
        """Hand what is ready to the client, in the thread of the cells."""
        if threading.get_ident() == self._thread and self._ready:
            self._shown = time.monotonic()
            with self._client.outside():
                while self._ready:
                    item = self._ready.popleft()
                    if isinstance(item, tuple):
                        item = self._client.stream(item[0], "".join(item[1]))
                    self._client.receive(item)

    def end(self) -> None:
        """Hand over all that is left, and say what was cut."""
        for name in ("stdout", "stderr"):
            self.flush(name)
        self.show()
        for output in reversed(self._client.cell.outputs):
            if self._cut and output.output_type == "stream" and output.name == self._cut[0]:
                _, lines, size = self._cut
                output.text += ("" if output.text.endswith("\n") else "\n") + (
                    f"[Cut here, after {lines:,} lines and {size:,} bytes;"
                    f" {self._lines:,} lines and {self._text:,} bytes were written.]\n"
                )
                break
        if self._dropped:
            text = f"[{self._dropped:,} outputs are left out: all came to {self._size:,} bytes.]\n"
            with self._client.outside():
                self._client.receive(self._client.stream("stderr", text))


class OutStream(iostream.OutStream):
    """A kernel's stream, with a client in the same process in place of a socket."""

    def __init__(self, name: str, outputs: _Outputs) -> None:
        self.name, self._outputs = name, outputs
        self.pub_thread, self._local = self, threading.local()  # open; of register_hook

    def fileno(self) -> int:
        """The descriptor of that name, which is read as well."""
        if self._outputs._poll is None:
            raise io.UnsupportedOperation("fileno")
        return 1 if self.name == "stdout" else 2

    def isatty(self) -> bool:
        return False

    def set_parent(self, parent: object) -> None:
        """Text belongs to the cell that runs."""

    def write(self, string: str) -> int:
        if not isinstance(string, str):
            raise TypeError(f"write() argument must be str, not {type(string)}")
        self._outputs.write(self.name, string)
        return len(string)

    def flush(self) -> None:
        self._outputs.flush(self.name)

    def close(self) -> None:
        self.flush()


class _Session(Session):
    """Makes messages, and hands them to whom it is told."""

    outputs: _Outputs | None = None
    reply: dict[str, Any] | None = None

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, parent: Any = None, ident: Any = None,
             buffers: Any = None, track: bool = False, header: Any = None, metadata: Any = None) -> dict[str, Any]:  # fmt: skip
        message = msg_or_type
        if not isinstance(message, dict):
            message = self.msg(message, content, parent, header, metadata)
        if message["msg_type"] == "execute_reply":
            self.reply = message
            return message
        if message["msg_type"] == "error":
            _shorten(message["content"])
        packed = self.pack(message["content"])  # there and back, as over a wire
        message |= {"content": self.unpack(packed), "buffers": [*(buffers or [])]}
        if self.outputs is not None:
            self.outputs.take(message, len(packed))
        return message


def _shorten(error: dict[str, Any]) -> None:
    error["evalue"] = error["evalue"][:MOST_TEXT]
    error["traceback"] = [line[:MOST_TEXT] for line in error["traceback"]]


class _Kept(dict[str, Any]):
    """IPython's store, in memory."""

    def keys(self, pattern: str = "*") -> Any:
        return fnmatch.filter(super().keys(), pattern)


class _Shell(ZMQInteractiveShell):
    """A kernel's shell without a profile: nothing of the user's is read or written."""

    def init_ipython_dir(self, ipython_dir: object) -> None:
        """No folder."""

    def init_profile_dir(self, profile_dir: object) -> None:
        self.db = _Kept()  # what `%store` and bookmarks keep

    @contextlib.contextmanager
    def _tee(self, channel: str) -> Iterator[None]:
        """No copy of all that is written, which IPython keeps for `%notebook`, without bound."""
        yield

    def enable_gui(self, gui: Any = None) -> None:
        eventloops.enable_gui(gui, kernel=self.kernel)
        self.active_eventloop = gui


class _Kernel(IPythonKernel):
    """A kernel's way to execute a request, without sockets, threads and debugger."""

    debugger_class = Type(object)  # the real one takes a while to load

    def __init__(self) -> None:
        config = Config({"HistoryManager": {"hist_file": ":memory:"}})
        # Not IPythonKernel's own, which starts a debugger.
        Kernel.__init__(
            self,
            session=_Session(),
            config=config,
            log=logging.getLogger(__name__),
            _execute_sleep=0.0,
        )
        self.shell_channel_thread = SimpleNamespace(parent_thread=None)
        self.shell = _Shell(
            parent=self, kernel=self, user_ns={}, compiler_class=self.compiler_class
        )
        self.shell.displayhook.session = self.shell.display_pub.session = self.session
        self.comm_manager = comm.get_comm_manager()
        self.shell.configurables.append(self.comm_manager)
        self.shell.history_manager.outputs = defaultdict(list)  # all shells have one by default
        self.shell.extension_manager.load_extension("storemagic")
        for name in ("comm_open", "comm_msg", "comm_close"):
            self.shell_handlers[name] = getattr(self.comm_manager, name)

    def _abort_queues(self, subshell_id: str | None = None) -> None:
        """Nobody has asked for more than one cell."""


_prepared: list[_Kernel] = []


def prepare() -> None:
    """Make in advance what the next notebook of this process, or of a fork of it, needs."""
    if not _prepared:
        with _restored():
            _prepared.append(_Kernel())


class _Client(PapermillNotebookClient):
    """papermill's client, which is its own kernel: it answers where nbclient asks a channel."""

    cell: Any = None
    cell_index = 0

    @contextlib.contextmanager
    def setup_kernel(self, **_: Any) -> Iterator[None]:
        """Be a kernel's process for a while."""
        self.live = bool(self.log_output or self.stdout_file or self.stderr_file)
        self._outputs, self._inside = _Outputs(self), False
        self._loop = asyncio.new_event_loop()
        with contextlib.ExitStack() as stack:
            stack.callback(self._loop.close)
            stack.callback(self._end_tasks)
            stack.enter_context(_restored())
            self._kernel = kernel = _prepared.pop() if _prepared else _Kernel()
            self._session = kernel.session
            self._session.outputs = self._outputs
            stack.enter_context(self._redirected())
            self._streams = [OutStream(name, self._outputs) for name in ("stdout", "stderr")]
            self._handlers, self._level = [], logging.WARNING
            self._cwd = self.resources.get("metadata", {}).get("path") or os.getcwd()
            kernel._stdout, kernel._stderr = self._streams
            _settle(kernel, stack)
            self._context = contextvars.copy_context()
            self._idle: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
            self.kc = self.km = SimpleNamespace(
                execute=self._ask,
                kernel_info=lambda: "",
                is_alive=lambda: True,
                interrupt_kernel=lambda: None,  # it was, when its time was over
                session=self._session,
                shell_channel=SimpleNamespace(get_msg=self._answer, send=self._widget),
                iopub_channel=SimpleNamespace(get_msg=lambda timeout: self._idle.get()),
            )
            self._loop.run_until_complete(run_hook(self.on_notebook_start, notebook=self.nb))
            try:
                yield
            finally:
                self.kc = self.km = None

    def execute_cell(self, cell: Any, cell_index: int, **options: Any) -> Any:
        self.cell, self.cell_index = cell, cell_index
        return self._loop.run_until_complete(self.async_execute_cell(cell, cell_index, **options))

    def wait_for_reply(self, msg_id: object, cell: Any = None) -> dict[str, Any]:
        """What papermill asks for at the end."""
        return {"content": {"language_info": dict(self._kernel.language_info)}}

    def _ask(self, code: str, store_history: bool = True, stop_on_error: bool = True) -> str:
        if self._kernel.shell.exit_now:
            raise DeadKernelError("Kernel died")
        content = {"code": code, "store_history": store_history, "stop_on_error": stop_on_error}
        self._request = self._session.msg("execute_request", content)
        self._session.reply, self._expired = None, False
        return self._request["msg_id"]

    def _widget(self, message: dict[str, Any]) -> None:
        self._context.run(self._kernel.shell_handlers[message["msg_type"]], None, [], message)

    async def _answer(self, timeout: float | None) -> dict[str, Any]:
        """Execute the request that was made, and give its reply; Empty where its time was over."""
        if not self._expired:
            await self._execute(timeout)
            self._idle.put_nowait(
                self._session.msg("status", {"execution_state": "idle"}, self._request)
            )
            if self._expired:
                raise Empty
        reply = self._session.reply or self._session.msg(
            "execute_reply", {"status": "aborted"}, self._request
        )
        return reply

    async def _execute(self, timeout: float | None) -> None:
        kernel, outputs = self._kernel, self._outputs
        outputs.begin()
        outputs.silent = False
        request = kernel.execute_request(None, [], self._request)
        self._context.run(kernel.set_parent, [], self._request)
        self._session.send(None, "status", {"execution_state": "busy"}, self._request)
        self._task = self._loop.create_task(request, context=self._context)
        try:
            with self._inside_for(timeout):
                await self._task
        except (_Expired, asyncio.CancelledError):
            if not self._expired:
                raise
        outputs.end()

    @contextlib.contextmanager
    def _inside_for(self, seconds: float | None) -> Iterator[None]:
        main = threading.current_thread() is threading.main_thread() and hasattr(
            signal, "setitimer"
        )
        with contextlib.ExitStack() as stack:
            self._swap()
            stack.callback(self._swap)
            again = seconds if self.interrupt_on_timeout else 1.0  # for a cell that caught it
            if seconds is not None and main:
                stack.callback(
                    signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, self._over)
                )
                stack.callback(
                    signal.setitimer,
                    signal.ITIMER_REAL,
                    *signal.setitimer(signal.ITIMER_REAL, seconds, again),
                )
            elif seconds is not None:
                timer = threading.Timer(seconds, self._over_there, [threading.get_ident()])
                timer.start()
                stack.callback(timer.cancel)
            yield

    def _over(self, *_: object) -> None:
        """The time is over: raise in the cell, or cancel it where it waits in the event loop."""
        self._expired, self._outputs.silent = True, not self.interrupt_on_timeout
        if asyncio.current_task(self._loop) is None:
            self._loop.call_soon_threadsafe(self._task.cancel)
        else:
            raise KeyboardInterrupt if self.interrupt_on_timeout else _Expired

    def _over_there(self, thread: int) -> None:
        try:
            self._over()
        except BaseException as error:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread), ctypes.py_object(type(error))
            )

    def stream(self, name: str, text: str) -> dict[str, Any]:
        return self._session.msg("stream", {"name": name, "text": text}, self._kernel.get_parent())

    def receive(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(CellExecutionComplete):
            self.process_message(message, self.cell, self.cell_index)

    def output(self, outs: list[Any], msg: dict[str, Any], display_id: Any, cell_index: int) -> Any:
        """nbclient's; text that joins on is one output, whenever it was flushed."""
        output = super().output(outs, msg, display_id, cell_index)
        if output and output.output_type == "stream" and len(outs) > 1:
            before = outs[-2]
            if before.output_type == "stream" and before.name == output.name:
                before.text += output.text
                outs.pop()
        return output

    @contextlib.contextmanager
    def outside(self) -> Iterator[None]:
        """The process as the host has it, from within a cell."""
        if not self._inside:
            yield
            return
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        """Let host and cell change places in what both use all the time."""
        for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
            with contextlib.suppress(AttributeError, ValueError, OSError):
                stream.flush()  # type: ignore[union-attr]
        self._inside = not self._inside
        own = [sys.stdout, sys.stderr]
        sys.stdout, sys.stderr = self._streams
        self._streams = own
        root = logging.root
        root.handlers, self._handlers = self._handlers, root.handlers
        self._level, level = root.level, self._level
        root.setLevel(level)
        with contextlib.suppress(OSError):
            here = os.getcwd()
            os.chdir(self._cwd)
            self._cwd = here
        for number, (host, cell) in self._numbers.items():
            os.dup2(cell if self._inside else host, number)

    @contextlib.contextmanager
    def _redirected(self) -> Iterator[None]:
        """An empty 0; pipes to take the places of 1 and 2."""
        self._numbers: dict[int, tuple[int, int]] = {}
        with contextlib.ExitStack() as stack:
            null = os.open(os.devnull, os.O_RDWR)
            stack.callback(os.close, null)
            try:
                hosts = [os.dup(number) for number in (0, 1, 2)]
            except OSError:  # a process without them
                hosts = []
            for number, host in enumerate(hosts):
                stack.callback(os.close, host)
                stack.callback(os.dup2, host, number)
            if hosts:
                os.dup2(null, 0)
            sys.stdin = stack.enter_context(open(os.devnull, encoding="utf-8"))  # noqa: PTH123
            if hosts and hasattr(select, "poll"):
                pipes = {}
                for number, name in ((1, "stdout"), (2, "stderr")):
                    out, into = os.pipe()
                    stack.callback(os.close, out)
                    stack.callback(os.close, into)
                    os.set_blocking(out, False)
                    pipes[out] = name
                    self._numbers[number] = hosts[number], into
                thread = self._outputs.capture(pipes)
                stack.callback(thread.join)
                stack.callback(os.write, self._numbers[1][1], b"\0")  # wakes it
            stack.callback(setattr, self._outputs, "ended", True)
            yield

    def _end_tasks(self) -> None:
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self._loop.run_until_complete(asyncio.wait(tasks, timeout=1))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())


def _stand_in(instance: Any, base: Any) -> Any:
    """Make it what `base.instance()` gives (None: nothing), and give what was."""
    before = base._instance
    for cls in {*type(before).__mro__, *type(instance).__mro__}:
        if issubclass(cls, base):
            cls._instance = instance if isinstance(instance, cls) else None  # type: ignore[attr-defined]
    return before


def _settle(kernel: _Kernel, stack: contextlib.ExitStack) -> None:
    """Give the process what a kernel's has; `_restored` and the stack take it back."""
    shell = kernel.shell
    for instance, base in ((shell, InteractiveShell), (kernel, Kernel)):
        stack.callback(_stand_in, _stand_in(instance, base), base)
    stack.callback(atexit.unregister, shell.atexit_operations)
    stack.callback(shell.history_manager.db.close)
    shell.init_environment()
    shell.init_builtins()
    sys.modules["__main__"] = shell.user_module
    sys.argv = [str(_LAUNCHER)]
    if "" not in sys.path:
        sys.path.insert(0, "")
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
    debugger.Pdb = pdb.Pdb = debugger.InterruptiblePdb  # as ipykernel's application does
    pdb.set_trace = debugger.set_trace
    sys.breakpointhook = lambda *_, **__: None  # debugpy's, where nobody is attached
    os.environ.setdefault("MPLBACKEND", _INLINE)
    if "matplotlib" in sys.modules:
        _draw_inline(shell, stack)
    else:
        stack.callback(_forget_styles)


def _draw_inline(shell: _Shell, stack: contextlib.ExitStack) -> None:
    """Do for a matplotlib that is loaded what it does itself when a kernel loads it."""
    import matplotlib
    from IPython.core.pylabtools import activate_matplotlib
    from matplotlib_inline import backend_inline, config

    before = matplotlib.get_backend(auto_select=False)
    stack.enter_context(matplotlib.rc_context())
    stack.callback(_stand_in, _stand_in(None, config.InlineBackend), config.InlineBackend)
    matplotlib.rcParams["backend"] = backend = os.environ["MPLBACKEND"]
    if backend == _INLINE:
        vars(backend_inline.configure_inline_support).pop("current_backend", None)
        activate_matplotlib(backend)
        backend_inline.configure_inline_support(shell, backend)
    stack.callback(sys.modules["matplotlib.pyplot"].switch_backend, before or "agg")


def _forget_styles() -> None:
    if "matplotlib" in sys.modules:
        sys.modules["matplotlib"].rc_file_defaults()


@contextlib.contextmanager
def _restored() -> Iterator[None]:
    """Afterwards the process is as it was: hooks, names, environment, signals, warnings."""
    modules = [(module, dict(vars(module))) for module in (sys, builtins, pdb, debugger)]
    main, path, env = sys.modules["__main__"], sys.path[:], dict(os.environ)
    signals = {}
    if threading.current_thread() is threading.main_thread():
        signals = {number: signal.getsignal(number) for number in signal.valid_signals()}
    try:
        with warnings.catch_warnings():
            yield
    finally:
        for number, handler in signals.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        for module, names in modules:
            for name in vars(module).keys() - names.keys():
                delattr(module, name)
            vars(module).update(names)
        sys.modules["__main__"] = main
        sys.path[:] = path
        if dict(os.environ) != env:
            os.environ.clear()
            os.environ.update(env)


class WardEngine(NBClientEngine):
    """papermill's engine, in this process; see the module."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        log_output: bool = False,
        stdout_file: Any = None,
        stderr_file: Any = None,
        start_timeout: int = 60,
        execution_timeout: int | None = None,
        **kwargs: Any,
    ) -> Any:
        """As papermill's own, whose arguments these are."""
        if kwargs.keys() & _STOCK_ONLY or not _is_ours(kernel_name):
            return super().execute_managed_notebook(
                nb_man, kernel_name, log_output=log_output, stdout_file=stdout_file, stderr_file=stderr_file,
                start_timeout=start_timeout, execution_timeout=execution_timeout, **kwargs,
            )  # fmt: skip
        client = _Client(
            nb_man,
            **merge_kwargs(
                remove_args(["input_path", "timeout", "startup_timeout"], **kwargs),
                timeout=execution_timeout if execution_timeout else kwargs.get("timeout"),
                startup_timeout=start_timeout,
                kernel_name=kernel_name,
                log=logger,
                log_output=log_output,
                stdout_file=stdout_file,
                stderr_file=stderr_file,
            ),
        )
        # nbclient as well takes a thread where a loop runs, in JupyterLab for one. Not in the handler of
        # an exception, which would be the context of those in cells.
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop()
            with ThreadPoolExecutor(1) as aside:
                return aside.submit(client.execute).result()
        return client.execute()


def _is_ours(kernel_name: str) -> bool:
    """Whether that kernel is the ipykernel of this Python, as it comes."""
    folder = KernelSpecManager().find_kernel_specs().get(kernel_name.lower())
    if folder is None or folder == RESOURCES:  # None: papermill's engine says so
        return folder is not None
    spec = KernelSpec.from_resource_dir(folder)
    python, *words = [word for word in spec.argv if not word.startswith("-X")]
    if python in ("python", f"python{sys.version_info[0]}"):
        python = sys.executable
    found, own = Path(shutil.which(python) or python), Path(sys.executable)
    return (
        found.parent == own.parent
        and found.resolve() == own.resolve()
        and words == ["-m", "ipykernel_launcher", "-f", "{connection_file}"]
        and not spec.env
        and not spec.metadata.get("kernel_provisioner")
    )
