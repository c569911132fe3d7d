"""The papermill engine `ward`: the cells of a notebook run in the process itself.

There is no kernel process and no socket. ipykernel's shell executes the cells in a running event loop, and
its messages go straight to nbclient's bookkeeping: libraries and nbclient decide what an output is, as ever.
Between the cells, and while an output is taken, the process is the host's; after the notebook it is as it
was, but for imported modules and threads that cells have left. Kernels that are not the ipykernel of this
Python are left to papermill's own engine.

    papermill --engine ward in.ipynb out.ipynb

No profile, start-up file or history of IPython is read or written: two people get the same outputs.
`tests/test_engine.py` lists every other difference from the ordinary kernel.
"""

# ruff: noqa: E402 - what stands before an import is there for its sake

from __future__ import annotations

import asyncio
import atexit
import builtins
import codecs
import contextlib
import contextvars
import fnmatch
import io
import logging
import os
import select
import shutil
import signal
import sys
import threading
import time
import warnings
from collections import defaultdict, deque
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from types import SimpleNamespace
from typing import Any

# papermill loads all engines by their names when it is loaded: for it, where that is from here.
globals()["WardEngine"] = None

import comm
import ipykernel
from ipykernel import eventloops, iostream
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelbase import Kernel
from ipykernel.kernelspec import RESOURCES
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.session import Session
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbclient.util import run_hook
from papermill import engines
from papermill.clientwrap import PapermillNotebookClient
from papermill.log import logger
from papermill.utils import merge_kwargs, remove_args
from traitlets import Type
from traitlets.config import Config

# What a cell may show: text of both streams, and all its outputs together.
MOST_LINES, MOST_TEXT, MOST_BYTES = 10_000, 1_000_000, 50_000_000
_WAIT = iostream.OutStream.flush_interval  # seconds that a kernel's text waits at most
_AGAIN = 5.0  # seconds until a cell that has caught its interrupt gets another
_NAMES = ("stdout", "stderr")
_INLINE = "module://matplotlib_inline.backend_inline"
_STOCK = {"km", "kernel_manager_class", "extra_arguments"}
_LAUNCHER = Path(ipykernel.__file__).parent.with_name("ipykernel_launcher.py")


class _Outputs:
    """What a cell shows, in order and bounded, until the thread of the cells hands it to the client.

    As with a kernel, text waits by stream until it is flushed, or something is written after a while.
    """

    def __init__(self, client: Any) -> None:
        self.client, self.pid, self.thread = client, os.getpid(), threading.get_ident()
        self.lock = threading.RLock()
        self.waiting: dict[str, tuple[float, list[str]]] = {}  # by stream: since when, and the text
        self.ready: deque[Any] = deque()  # messages, and (stream, text)
        self.pipes: dict[int, tuple[str, codecs.IncrementalDecoder]] = {}
        self.poll: Any = None
        self.silent, self.shown = True, 0.0
        self.begin()

    def begin(self) -> None:
        """Nothing came yet, or all that came is cleared."""
        self.lines = self.text = self.size = self.dropped = 0
        self.cut: tuple[str, int, int] | None = None  # stream, lines and bytes kept

    def capture(self, pipes: dict[int, str]) -> threading.Thread:
        """Read these pipes (which do not block) from now on, as streams of that name."""
        self.poll, watch = select.poll(), select.poll()
        for pipe, name in pipes.items():
            self.pipes[pipe] = name, codecs.getincrementaldecoder("utf-8")("replace")
            self.poll.register(pipe, select.POLLIN)
            watch.register(pipe, select.POLLIN)

        def read() -> None:
            while watch.poll():
                with self.lock:
                    if self.poll is None:
                        return
                    self._read()

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread

    def _read(self) -> None:
        turns = 16  # what is written without end does not keep us
        while self.poll and turns and (ready := self.poll.poll(0)):
            turns -= 1
            for pipe, _event in ready:
                name, decoder = self.pipes[pipe]
                self._add(name, decoder.decode(os.read(pipe, 65_536)))

    def _add(self, name: str, text: str) -> None:
        if self.silent or not text:
            return
        data = text.encode("utf-8", "replace")
        size, lines, room = len(data), data.count(b"\n"), MOST_LINES - self.lines
        if self.cut is None:
            if size > MOST_TEXT - self.text or lines > room or not room:
                parts = data.split(b"\n", room)
                data = data[: size - len(parts[room])] if len(parts) > room else data
                data = data[: MOST_TEXT - self.text]
                self.cut = name, self.lines + data.count(b"\n"), self.text + len(data)
            text = data.decode("utf-8", "ignore")
            self.waiting.setdefault(name, (time.monotonic(), []))[1].append(text)
        self.text, self.lines = self.text + size, self.lines + lines

    def write(self, name: str, text: str) -> None:
        if os.getpid() != self.pid:  # a fork of a cell's: what it writes comes by the pipe
            os.write(1 + _NAMES.index(name), text.encode("utf-8", "replace"))
            return
        with self.lock:
            self._read()
            now = time.monotonic()
            due = [n for n, (since, _) in self.waiting.items() if now - since >= _WAIT]
            for stream in due:  # before the new text, the rest of whose line may come
                self.flush(stream)
            self._add(name, text)
            if self.client.live and text.endswith("\n") and now - self.shown >= _WAIT:
                self.flush(name)
                due.append(name)
        if due:
            self.show()

    def flush(self, name: str) -> None:
        """Put the stream's text behind what is ready; text that joins on stays one output."""
        if os.getpid() == self.pid:
            with self.lock:
                self._read()
                _, chunks = self.waiting.pop(name, (0.0, []))
                if self.ready and isinstance(self.ready[-1], tuple) and self.ready[-1][0] == name:
                    self.ready[-1][1].extend(chunks)
                elif chunks:
                    self.ready.append((name, chunks))

    def take(self, message: dict[str, Any], size: int) -> None:
        """A message of the shell and its bytes; a fork of a cell's has nobody to take it."""
        kind = message["msg_type"]
        if self.silent or os.getpid() != self.pid:
            return
        with self.lock:
            if kind == "clear_output":
                self.begin()
            counted = kind in ("display_data", "execute_result", "comm_open")
            self.size += size * counted
            if (self.size if counted else size) > MOST_BYTES:
                self.dropped += 1
                return
            self.ready.append(message)
        self.show()

    def show(self) -> None:
        """Hand what is ready to the client, in the thread of the cells."""
        if threading.get_ident() == self.thread and self.ready:
            self.shown = time.monotonic()
            with self.client.outside():
                while self.ready:
                    self.client.receive(self.ready.popleft())

    def end(self) -> None:
        """Hand over all that is left, and say what was cut."""
        for name in _NAMES:
            self.flush(name)
        self.show()
        for output in reversed(self.client.cell.outputs if self.cut else ()):
            if self.cut and output.output_type == "stream" and output.name == self.cut[0]:
                output.text += ("" if output.text.endswith("\n") else "\n") + (
                    f"[Cut here, after {self.cut[1]:,} lines and {self.cut[2]:,} bytes;"
                    f" {self.lines:,} lines and {self.text:,} bytes were written.]\n"
                )
                break
        if self.dropped:
            text = f"[{self.dropped:,} outputs are left out: all came to {self.size:,} bytes.]\n"
            self.client.receive(("stderr", [text]))


class OutStream(iostream.OutStream):
    """ipykernel's stream, with outputs of the same process in place of a socket."""

    def __init__(self, name: str, outputs: _Outputs) -> None:
        self.name, self._outputs = name, outputs
        self.pub_thread, self._local = self, threading.local()  # it is open; for register_hook

    def fileno(self) -> int:
        """The descriptor of that name, which is read as well."""
        if not self._outputs.pipes:
            raise io.UnsupportedOperation("fileno")
        return 1 + _NAMES.index(self.name)

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

    close = flush


class _Session(Session):
    """Makes messages, and hands them to outputs."""

    outputs: _Outputs | None = None
    reply: dict[str, Any] | None = None

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, parent: Any = None, **more: Any) -> Any:  # type: ignore[override] # fmt: skip
        message = msg_or_type
        if not isinstance(message, dict):
            message = self.msg(message, content, parent, metadata=more.get("metadata"))
        content, kind = message["content"], message["msg_type"]
        if kind == "execute_reply":
            self.reply = message
            return message
        if kind == "error":
            content["evalue"] = content["evalue"][:MOST_TEXT]
            content["traceback"] = [line[:MOST_TEXT] for line in content["traceback"]]
        packed = self.pack(content)  # there and back, as over a wire
        message |= {"content": self.unpack(packed), "buffers": [*(more.get("buffers") or ())]}
        if self.outputs is not None:
            self.outputs.take(message, len(packed))
        return message


class _Store(dict[str, Any]):
    """What `%store` and bookmarks keep, in memory."""

    def keys(self, pattern: str = "*") -> Any:
        return fnmatch.filter(super().keys(), pattern)


class _Shell(ZMQInteractiveShell):
    """ipykernel's shell without a profile."""

    def init_ipython_dir(self, ipython_dir: object) -> None:
        """No folder."""

    def init_profile_dir(self, profile_dir: object) -> None:
        self.db = _Store()

    def enable_gui(self, gui: Any = None) -> None:
        eventloops.enable_gui(gui, kernel=self.kernel)
        self.active_eventloop = gui

    @contextlib.contextmanager
    def _tee(self, channel: str) -> Iterator[None]:
        """No copy of all that is written, which IPython keeps for `%notebook`, without bound."""
        yield


class _Kernel(IPythonKernel):
    """ipykernel's way to execute a request, without sockets, threads and debugger."""

    debugger_class = Type(object)  # the real one takes a while to load
    shell: Any
    session: Any

    def __init__(self) -> None:
        config = Config({"HistoryManager": {"hist_file": ":memory:"}})
        log = logging.getLogger(__name__)
        log.propagate = False  # to the handlers of cells
        # Not IPythonKernel's own, which starts a debugger.
        Kernel.__init__(self, session=_Session(), config=config, log=log, _execute_sleep=0.0)
        self.shell_channel_thread = SimpleNamespace(parent_thread=None)
        shell: Any = _Shell
        self.shell = shell(parent=self, kernel=self, user_ns={}, compiler_class=self.compiler_class)
        self.shell.displayhook.session = self.shell.display_pub.session = self.session
        self.shell.history_manager.outputs = defaultdict(list)  # all shells have one by default
        self.shell.extension_manager.load_extension("storemagic")
        self.comm_manager = comm.get_comm_manager()
        self.shell.configurables.append(self.comm_manager)
        for name in ("comm_open", "comm_msg", "comm_close"):
            self.shell_handlers[name] = getattr(self.comm_manager, name)

    def _abort_queues(self, subshell_id: str | None = None) -> None:
        """Nobody has asked for more than one cell."""


_prepared: list[_Kernel] = []


def prepare() -> None:
    """Make in advance what the next notebook of this process, or of each of its forks, needs."""
    if not _prepared:
        with _restored():
            _prepared.append(_Kernel())


class _Client(PapermillNotebookClient):  # type: ignore[misc] # papermill ships no types
    """papermill's client, which is its own kernel: it answers where nbclient asks a channel."""

    @contextlib.contextmanager
    def setup_kernel(self, **_: Any) -> Iterator[None]:
        """Be a kernel's process for a while."""
        self.live = bool(self.log_output or self.stdout_file or self.stderr_file)
        self._outputs, self._inside = _Outputs(self), False
        self._numbers: dict[int, tuple[int, int]] = {}
        self._loop = asyncio.new_event_loop()
        with contextlib.ExitStack() as stack:
            stack.callback(self._loop.close)
            stack.enter_context(_restored())
            self._kernel: Any = _prepared.pop() if _prepared else _Kernel()
            self._session = self._kernel.session
            self._session.outputs = self._outputs
            self._redirect(stack)
            self._streams: list[Any] = [OutStream(name, self._outputs) for name in _NAMES]
            self._handlers: list[logging.Handler] = []
            self._level = logging.WARNING
            self._cwd = self.resources.get("metadata", {}).get("path") or str(Path.cwd())
            _settle(self._kernel, stack)
            stack.callback(self._end_tasks)
            self._context = contextvars.copy_context()
            self._idle: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
            self._comms: list[dict[str, Any]] = []
            self.kc = self.km = SimpleNamespace(
                execute=self._ask,
                kernel_info=lambda: "",
                is_alive=lambda: True,
                interrupt_kernel=lambda: None,  # it was, when its time was over
                session=self._session,
                shell_channel=SimpleNamespace(get_msg=self._answer, send=self._comms.append),
                iopub_channel=SimpleNamespace(get_msg=lambda timeout: self._idle.get()),
            )
            self._loop.run_until_complete(run_hook(self.on_notebook_start, notebook=self.nb))
            stack.callback(setattr, self, "kc", None)
            yield

    def execute_cell(self, cell: Any, cell_index: int, **options: Any) -> Any:
        self.cell, self.cell_index = cell, cell_index
        execution = self.async_execute_cell(cell, cell_index, **options)
        try:
            return self._loop.run_until_complete(execution)
        except KeyboardInterrupt:
            if not self._over:
                raise
            text = "Cell execution timed out"  # just between two steps of the cell
            limit = self._get_timeout(cell) or 0
            raise CellTimeoutError.error_from_timeout_and_cell(text, limit, cell) from None

    def wait_for_reply(self, msg_id: object, cell: Any = None) -> dict[str, Any]:
        """What papermill asks for at the end."""
        return {"content": {"language_info": dict(self._kernel.language_info)}}

    def _ask(self, code: str, **options: Any) -> Any:
        if self._kernel.shell.exit_now:
            raise DeadKernelError("Kernel died")
        self._request = self._session.msg("execute_request", {"code": code, **options})
        self._session.reply, self._over = None, False
        return self._request["msg_id"]

    async def _answer(self, timeout: float | None) -> Any:
        """Execute the request, and give its reply; Empty where its time was over."""
        if not self._over:
            await self._execute(timeout)
            idle = {"execution_state": "idle"}
            self._idle.put_nowait(self._session.msg("status", idle, self._request))
            if self._over:
                raise Empty
        aborted = {"status": "aborted"}
        return self._session.reply or self._session.msg("execute_reply", aborted, self._request)

    async def _execute(self, timeout: float | None) -> None:
        while self._comms:  # widgets: what nbclient has answered for a page
            message = self._comms.pop(0)
            handler = self._kernel.shell_handlers[message["msg_type"]]
            self._context.run(handler, None, [], message | {"buffers": []})
        self._outputs.begin()
        self._outputs.silent = False
        self._context.run(self._kernel.set_parent, [], self._request)
        self._session.send(None, "status", {"execution_state": "busy"}, self._request)
        request = self._kernel.execute_request(None, [], self._request)
        self._task = self._loop.create_task(request, context=self._context)
        self.swap()
        try:
            with self._limited(timeout):
                await self._task
        except asyncio.CancelledError:
            if not self._over:
                raise
        finally:
            self.swap()
        self._outputs.end()

    @contextlib.contextmanager
    def _limited(self, seconds: float | None) -> Iterator[None]:
        """Interrupt the cell when its time is over, as nbclient does a kernel; again, if it goes on."""
        if seconds is None or not hasattr(signal, "setitimer"):
            yield
            return

        def over(*_: object) -> None:
            self._over = True
            if asyncio.current_task(self._loop) is None:  # it waits in the event loop
                self._loop.call_soon_threadsafe(self._task.cancel)
            else:  # a moment later, without a frame of ours in the traceback
                signal.signal(signal.SIGALRM, signal.default_int_handler)
                signal.setitimer(signal.ITIMER_REAL, 0.001, _AGAIN)

        handler = signal.signal(signal.SIGALRM, over)
        timer = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, *timer)
            signal.signal(signal.SIGALRM, handler)

    def receive(self, item: Any) -> None:
        """A message, or a stream's name and text."""
        if isinstance(item, tuple):
            content = {"name": item[0], "text": "".join(item[1])}
            item = self._session.msg("stream", content, self._kernel.get_parent())
        self.process_message(item, self.cell, self.cell_index)

    def output(self, outs: list[Any], msg: Any, display_id: Any, cell_index: int) -> Any:
        """nbclient's; text that joins on is one output, whenever it was flushed."""
        output = super().output(outs, msg, display_id, cell_index)
        if output and output.output_type == "stream" and len(outs) > 1:
            before = outs[-2]
            if before.output_type == "stream" and before.name == output.name:
                before.text += outs.pop().text
        return output

    @contextlib.contextmanager
    def outside(self) -> Iterator[None]:
        """The process as the host has it."""
        inside = self._inside
        if inside:
            self.swap()
        try:
            yield
        finally:
            if inside:
                self.swap()

    def swap(self) -> None:
        """Let host and cell change places in what both use: streams, log, folder, descriptors."""
        for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
            with contextlib.suppress(AttributeError, ValueError, OSError):
                stream.flush()  # type: ignore[union-attr]
        self._inside = not self._inside
        (sys.stdout, sys.stderr), self._streams = self._streams, [sys.stdout, sys.stderr]
        root = logging.root
        root.handlers, self._handlers = self._handlers, root.handlers
        level, self._level = self._level, root.level
        root.setLevel(level)
        here = self._cwd
        with contextlib.suppress(OSError):  # it may have been removed
            here = str(Path.cwd())
        with contextlib.suppress(OSError):
            os.chdir(self._cwd)
        self._cwd = here
        for number, ends in self._numbers.items():
            os.dup2(ends[self._inside], number)

    def _redirect(self, stack: contextlib.ExitStack) -> None:
        """An empty standard input; pipes to take the places of the descriptors 1 and 2."""
        sys.stdin = stack.enter_context(Path(os.devnull).open(encoding="utf-8"))  # noqa: SIM115
        try:
            hosts = [os.dup(number) for number in (0, 1, 2)]
        except OSError:  # a process without them
            return
        for number, host in enumerate(hosts):
            stack.callback(os.close, host)
            stack.callback(os.dup2, host, number)
        os.dup2(sys.stdin.fileno(), 0)
        if not hasattr(select, "poll"):
            return
        pipes = {}
        for number, name in enumerate(_NAMES, 1):
            out, into = os.pipe()
            stack.callback(os.close, out)
            stack.callback(os.close, into)
            os.set_blocking(out, False)
            pipes[out] = name
            self._numbers[number] = hosts[number], into
        stack.callback(self._outputs.capture(pipes).join)
        stack.callback(os.write, into, b"\0")  # wakes it
        stack.callback(setattr, self._outputs, "poll", None)
        stack.callback(setattr, self._outputs, "silent", True)

    def _end_tasks(self) -> None:
        """End what the cells have left in the event loop."""
        self._outputs.silent = True
        self.swap()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self._loop.run_until_complete(asyncio.wait(tasks, timeout=1))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self.swap()


def _stand_in(instance: Any, base: Any) -> Any:
    """Make it what `base.instance()` gives (None: nothing), and give what was."""
    before = base._instance
    for cls in {*type(before).__mro__, *type(instance).__mro__}:
        if issubclass(cls, base):
            cls._instance = instance if isinstance(instance, cls) else None  # type: ignore[attr-defined]
    return before


def _settle(kernel: _Kernel, stack: contextlib.ExitStack) -> None:
    """Give the process what a kernel's has; the stack and `_restored` take it back."""
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
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.breakpointhook = lambda *_, **__: None  # debugpy's, where nobody is attached
    backend = os.environ.setdefault("MPLBACKEND", _INLINE)
    loaded = "matplotlib" in sys.modules
    if not loaded:  # it asks the environment when it is
        stack.callback(lambda: "matplotlib" in sys.modules and _matplotlib().rc_file_defaults())
        return
    from IPython.core import pylabtools
    from matplotlib_inline import backend_inline, config

    before = _matplotlib().get_backend(auto_select=False)
    stack.enter_context(_matplotlib().rc_context())
    stack.callback(_stand_in, _stand_in(None, config.InlineBackend), config.InlineBackend)
    _matplotlib().rcParams["backend"] = backend
    if backend == _INLINE:
        vars(backend_inline.configure_inline_support).pop("current_backend", None)
        pylabtools.activate_matplotlib(backend)
        backend_inline.configure_inline_support(shell, backend)
        stack.callback(sys.modules["matplotlib.pyplot"].switch_backend, before or "agg")


def _matplotlib() -> Any:
    return sys.modules["matplotlib"]


@contextlib.contextmanager
def _restored() -> Iterator[None]:
    """Afterwards the process is as it was: hooks, names, environment, signals, warnings."""
    modules = [(module, dict(vars(module))) for module in (sys, builtins)]
    main, path, env = sys.modules["__main__"], sys.path[:], dict(os.environ)
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


class WardEngine(engines.NBClientEngine):  # type: ignore[misc] # papermill ships no types
    """papermill's engine, in this process; see the module."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        start_timeout: int = 60,
        execution_timeout: int | None = None,
        **kwargs: Any,
    ) -> Any:
        """As papermill's own, whose arguments these are."""
        replaced = engines.PapermillNotebookClient is not PapermillNotebookClient  # somebody's own
        if kwargs.keys() & _STOCK or replaced or not _is_free() or not _is_ours(kernel_name):
            kwargs |= {"start_timeout": start_timeout, "execution_timeout": execution_timeout}
            return super().execute_managed_notebook(nb_man, kernel_name, **kwargs)
        options = merge_kwargs(
            remove_args(["input_path", "timeout", "startup_timeout"], **kwargs),
            timeout=execution_timeout or kwargs.get("timeout"),
            startup_timeout=start_timeout,
            kernel_name=kernel_name,
            log=logger,
        )
        return _Client(nb_man, **options).execute()


engines.papermill_engines.register("ward", WardEngine)  # whoever was loaded first


def _is_free() -> bool:
    """Whether this is the main thread and no event loop runs in it, as one does in JupyterLab."""
    with contextlib.suppress(RuntimeError):
        return not asyncio.get_running_loop()
    return threading.current_thread() is threading.main_thread()


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
        (found.parent, found.resolve()) == (own.parent, own.resolve())
        and words == ["-m", "ipykernel_launcher", "-f", "{connection_file}"]
        and not spec.env
        and not spec.metadata.get("kernel_provisioner")
    )
