"""The warm kernel is a kernel like any other, only sooner there: real processes and sockets."""

import contextlib
import json
import logging
import multiprocessing
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import papermill
import pytest
import zmq
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import start_new_kernel
from nbformat.v4 import new_code_cell, new_notebook

BIN = Path(sys.executable).parent


def value(client, expression):
    """What the kernel prints for an expression."""
    said = []
    client.execute_interactive(
        f"print({expression})",
        timeout=60,
        output_hook=lambda message: said.append(message["content"].get("text", "")),
    )
    return "".join(said).strip()


def gone(pid, seconds=10):
    """Whether the process ends in that time; one that waits to be buried has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """A warm kernel in an empty folder, and its client."""
    monkeypatch.chdir(tmp_path)
    manager, client = start_new_kernel(kernel_name="ward")
    yield manager, client
    client.stop_channels()
    if manager.has_kernel:
        manager.shutdown_kernel(now=True)


def test_a_kernel_is_a_fork_with_the_libraries(kernel):
    """The libraries are there before anybody imports them, and the process is not our child."""
    _, client = kernel
    assert value(client, "'wardlib.pages.drawing' in __import__('sys').modules") == "True"
    assert value(client, "__import__('os').getppid()") != str(os.getpid())


def test_a_kernel_is_a_process_of_its_own(kernel, tmp_path):
    """Its own group, folder, environment, names, chance, and an empty standard input."""
    manager, client = kernel
    pid = int(value(client, "__import__('os').getpid()"))
    assert manager.provisioner.pid == pid
    assert value(client, "__import__('os').getpgrp()") == str(pid)
    assert value(client, "__import__('os').getcwd()") == str(tmp_path)
    assert value(client, "sorted(n for n in globals() if not n.startswith('_'))") == str(
        ["In", "Out", "exit", "get_ipython", "open", "quit"]
    )
    assert value(client, "__import__('os').read(0, 1)") == "b''"
    assert value(client, "__import__('multiprocessing').current_process().daemon") == "False"
    assert value(client, "__name__") == "__main__"
    assert value(client, "__import__('threading').active_count() > 0") == "True"


def test_two_kernels_share_nothing():
    """Environment, names and random numbers of one are not those of another."""
    found = []
    for number in ("1", "2"):
        env = os.environ | {"NUMBER": number}
        manager, client = start_new_kernel(kernel_name="ward", env=env)
        try:
            client.execute_interactive(f"own{number} = 1", timeout=60)
            found.append(
                (
                    value(client, "__import__('os').environ['NUMBER']"),
                    value(client, "[n for n in globals() if n.startswith('own')]"),
                    value(client, "__import__('numpy').random.rand()"),
                )
            )
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    assert [row[:2] for row in found] == [("1", "['own1']"), ("2", "['own2']")]
    assert found[0][2] != found[1][2]


def test_its_sockets_are_for_the_user_alone(kernel):
    """Unix sockets in a folder that nobody else can enter; they go with the kernel."""
    manager, client = kernel
    assert manager.transport == "ipc"
    folder = Path(manager.ip).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert any(stat.S_ISSOCK(path.stat().st_mode) for path in folder.iterdir())
    client.stop_channels()
    manager.shutdown_kernel()
    assert not folder.exists()


def test_interrupt_restart_and_kill(kernel):
    """As of any kernel: the interrupted one keeps its names, the restarted one is new."""
    manager, client = kernel
    pid = manager.provisioner.pid
    client.execute_interactive("kept = 1", timeout=60)
    # ipykernel refuses for a moment what is asked right after an error, unless told otherwise.
    asked = client.execute("import time; time.sleep(60)", stop_on_error=False)
    time.sleep(0.5)
    manager.interrupt_kernel()
    while (answer := client.get_shell_msg(timeout=10))["parent_header"]["msg_id"] != asked:
        pass
    assert answer["content"]["ename"] == "KeyboardInterrupt"
    assert value(client, "kept") == "1"
    manager.restart_kernel()
    client.wait_for_ready(timeout=30)
    assert manager.provisioner.pid != pid
    assert gone(pid)
    assert value(client, "'kept' in globals()") == "False"
    pid = manager.provisioner.pid
    assert manager.is_alive()
    os.kill(pid, signal.SIGKILL)
    assert gone(pid)
    end = time.monotonic() + 5  # its parent has to bury it first
    while manager.is_alive():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_kernel_ends_with_whoever_asked_for_it():
    """kill -9 of the parent leaves no kernel, no socket and no process that the kernel started."""
    code = """
import time
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="ward")
client.execute_interactive("import subprocess; print(subprocess.Popen(['sleep', '600']).pid)",
    output_hook=lambda m: print(m["content"].get("text", ""), end="", flush=True))
print(manager.provisioner.pid, manager.ip, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as asker:
        child = int(asker.stdout.readline())
        pid, address = asker.stdout.readline().split()
        asker.kill()
    assert gone(int(pid))
    assert gone(child)
    assert not Path(address).parent.exists()


def test_what_is_registered_for_the_exit_is_done(kernel, tmp_path):
    """As in any Python: atexit, temporary folders, and threads that are to end first."""
    manager, client = kernel
    client.execute_interactive(
        "import atexit, pathlib, tempfile, threading, time\n"
        "atexit.register(lambda: pathlib.Path('exit').touch())\n"
        "kept = tempfile.TemporaryDirectory(dir='.', prefix='gone')\n"
        "threading.Thread(target=lambda: (time.sleep(0.3), pathlib.Path('thread').touch())).start()",
        timeout=60,
    )
    assert any(path.name.startswith("gone") for path in tmp_path.iterdir())
    client.stop_channels()
    manager.shutdown_kernel()
    assert {path.name for path in tmp_path.iterdir()} == {"exit", "thread"}


def test_every_kernel_of_a_run_has_the_same_parent(kernel):
    """Kernels of a kernel, and of a plain fork of this process, are forks of the one warm parent: the
    libraries load once."""
    _, client = kernel
    code = (
        "from jupyter_client.manager import start_new_kernel\n"
        "manager, own = start_new_kernel(kernel_name='ward')\n"
        "own.execute_interactive('import os; print(os.getppid())', timeout=60)\n"
        "own.stop_channels(); manager.shutdown_kernel(now=True)"
    )
    parent = value(client, "__import__('os').getppid()")
    said = []
    client.execute_interactive(
        code, timeout=60, output_hook=lambda m: said.append(m["content"].get("text", ""))
    )
    assert "".join(said).strip() == parent
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(_parent_of_a_kernel) == parent


def _parent_of_a_kernel():
    manager, client = start_new_kernel(kernel_name="ward")
    try:
        return value(client, "__import__('os').getppid()")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_manager_can_start_again():
    """Shut down, a manager has the address that it had before, and starts another warm kernel."""
    context = zmq.Context()  # one of the manager's own would end with its first kernel
    manager = KernelManager(kernel_name="ward", context=context)
    before = manager.transport, manager.ip, manager.ports
    for _ in range(2):
        manager.start_kernel()
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=30)
        assert value(client, "'wardlib.pages.drawing' in __import__('sys').modules") == "True"
        client.stop_channels()
        manager.shutdown_kernel()
        assert (manager.transport, manager.ip, manager.ports) == before
    context.destroy(linger=0)


def test_a_kernel_has_the_clock_and_the_mask_of_its_asker(tmp_path):
    """Time zone from the environment, file mode mask from the process; settings of Python itself that
    a fork cannot take make it an ordinary kernel."""
    before = os.umask(0o027)
    try:
        for name, own, warm in (("TZ", "Asia/Ho_Chi_Minh", True), ("PYTHONHASHSEED", "7", False)):
            manager, client = start_new_kernel(kernel_name="ward", env=os.environ | {name: own})
            try:
                client.execute_interactive("import os, sys, time", timeout=60)
                assert value(client, "'wardlib.pages.drawing' in sys.modules") == str(warm)
                assert value(client, "os.umask(0)") == str(0o027)
                assert value(client, f"os.environ[{name!r}]") == own
                if name == "TZ":
                    assert value(client, "time.tzname[0]") == "+07"
            finally:
                client.stop_channels()
                manager.shutdown_kernel(now=True)
    finally:
        os.umask(before)


def test_starting_a_kernel_leaves_main_alone():
    """Other threads find their `__main__` while kernels start, even one such as IPython's."""
    code = """
import pickle, sys, threading
del sys.modules["__main__"].__spec__
from jupyter_client.manager import start_new_kernel
class Own: pass
failures, going = [], True
def look():
    while going:
        try:
            pickle.dumps(Own())
        except Exception as error:
            failures.append(error)
thread = threading.Thread(target=look)
thread.start()
for _ in range(3):
    manager, client = start_new_kernel(kernel_name="ward")
    client.stop_channels()
    manager.shutdown_kernel(now=True)
going = False
thread.join()
assert not failures, failures[0]
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_an_option_of_the_history_is_taken_once():
    """nbclient adds it for a kernel named python3; given twice it would be refused."""
    manager = KernelManager(kernel_name="ward")
    manager.start_kernel(extra_arguments=["--HistoryManager.hist_file=:memory:"])
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=30)
        assert value(client, "'wardlib.pages.drawing' in __import__('sys').modules") == "True"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_fork_that_fails_gives_way_to_an_ordinary_kernel(tmp_path):
    """Here wardlib cannot be imported by the parent: the log says so, the notebook runs."""
    nbformat.write(new_notebook(cells=[new_code_cell("1 + 1")]), tmp_path / "a.ipynb")
    code = """
import logging, papermill, wardlib.runs.forks
logging.basicConfig()
wardlib.runs.forks.WARM = "wardlib.nothing"
papermill.execute_notebook("a.ipynb", "b.ipynb", kernel_name="ward", progress_bar=False)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "An ordinary kernel starts instead of a warm one: the warm parent failed" in done.stderr
    assert nbformat.read(tmp_path / "b.ipynb", 4).cells[0].outputs[0]["data"]["text/plain"] == "2"


def test_what_cannot_be_forked_starts_as_usual(tmp_path, monkeypatch, caplog):
    """A kernelspec that runs another program, and one that asks for TCP: the first is no fork, and
    the log says so."""
    folder = tmp_path / "kernels" / "other"
    folder.mkdir(parents=True)
    spec = KernelSpecManager().get_kernel_spec("ward").to_dict()
    spec["argv"] = [sys.executable, "-I", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    with caplog.at_level(logging.WARNING):
        manager, client = start_new_kernel(kernel_name="other")
        try:
            assert value(client, "1 + 1") == "2"
            assert value(client, "'wardlib' in __import__('sys').modules") == "False"
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    assert "An ordinary kernel starts instead of a warm one" in caplog.text


def test_who_chooses_an_address_has_it():
    """Ports that were asked for are used: the kernel is warm all the same."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    manager = KernelManager(kernel_name="ward", shell_port=port, cache_ports=False)
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=30)
        assert (manager.transport, manager.shell_port) == ("tcp", port)
        assert value(client, "'wardlib.pages.drawing' in __import__('sys').modules") == "True"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_papermill_and_nbconvert_have_it(tmp_path):
    """From their command lines, with the kernelspec's name and nothing else."""
    cell = new_code_cell(
        "import sys, matplotlib\n"
        "'wardlib.pages.drawing' in sys.modules, matplotlib.get_backend().endswith('inline')"
    )
    nbformat.write(new_notebook(cells=[cell]), tmp_path / "a.ipynb")
    for words in (
        ["papermill", "-k", "ward", "a.ipynb", "b.ipynb"],
        ["jupyter-nbconvert", "--execute", "--to", "notebook", "--output", "b.ipynb",
         "--ExecutePreprocessor.kernel_name=ward", "a.ipynb"],
    ):  # fmt: skip
        (tmp_path / "b.ipynb").unlink(missing_ok=True)
        done = subprocess.run(
            [BIN / words[0], *words[1:]], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        output = nbformat.read(tmp_path / "b.ipynb", 4).cells[0].outputs[0]
        assert output["data"]["text/plain"] == "(True, True)"
        assert {path.name for path in tmp_path.iterdir()} == {"a.ipynb", "b.ipynb"}


def test_a_dead_kernel_is_seen_by_papermill(tmp_path):
    nbformat.write(
        new_notebook(cells=[new_code_cell("import os; os.kill(os.getpid(), 9)")]),
        tmp_path / "a.ipynb",
    )
    with pytest.raises(Exception, match="died"):
        papermill.execute_notebook(
            str(tmp_path / "a.ipynb"), None, kernel_name="ward", progress_bar=False
        )


def test_jupyterlab_has_it(tmp_path):
    """Its server starts, restarts, interrupts and ends a warm kernel."""
    words = ["--no-browser", "--allow-root", "--ServerApp.port=0", "--IdentityProvider.token=x"]
    log = (tmp_path / "log").open("w+")
    with subprocess.Popen(
        [BIN / "jupyter-lab", *words], cwd=tmp_path, stdout=log, stderr=subprocess.STDOUT
    ) as server:
        try:
            address = None
            for _ in range(600):
                if found := re.search(r"http://127\.0\.0\.1:\d+/", Path(log.name).read_text()):
                    address = found[0]
                    break
                time.sleep(0.1)

            def ask(method, path, body=None):
                request = urllib.request.Request(
                    f"{address}api/{path}", method=method, data=body and json.dumps(body).encode(),
                    headers={"Authorization": "token x"},
                )  # fmt: skip
                with urllib.request.urlopen(request, timeout=60) as answer:
                    text = answer.read()
                return json.loads(text) if text else None

            for _ in range(100):  # it says where it will be before it listens there
                with contextlib.suppress(urllib.error.URLError):
                    ask("GET", "status")
                    break
                time.sleep(0.1)
            assert "ward" in ask("GET", "kernelspecs")["kernelspecs"]
            own = ask("POST", "kernels", {"name": "ward"})["id"]
            for action in ("interrupt", "restart"):
                ask("POST", f"kernels/{own}/{action}")
            assert ask("GET", f"kernels/{own}")["execution_state"] in ("starting", "idle")
            ask("DELETE", f"kernels/{own}")
            assert ask("GET", "kernels") == []
            assert "An ordinary kernel" not in Path(log.name).read_text()
        finally:
            server.terminate()
    log.close()
