"""Whatever kills a run, a worker or a kernel: nothing partial is published, nothing runs on, and the
same command then makes the same bytes as a run that nobody disturbed. Real processes, real signals."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
JOBS = ("2020-01..2020-03", "--notebook", "00-data-check", "90-briefing", "--workers", "2")
COUNT = 6
VICTIMS = ("run", "worker", "kernel")


class Run:
    """`ward run` with a mark in its environment, by which all that it starts is found."""

    def __init__(self, home, *words):
        self.mark = f"WARD_MARK={uuid.uuid4().hex}"
        name, _, value = self.mark.partition("=")
        self.process = subprocess.Popen(
            [BIN / "ward", "run", *words], text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=os.environ | {"WARDLIB_HOME": str(home), name: value},
        )  # fmt: skip

    def processes(self):
        """All processes of the run that live, wherever they stand."""
        found = []
        for process in psutil.process_iter():
            try:
                marked = self.mark.encode() in Path(f"/proc/{process.pid}/environ").read_bytes()
                if marked and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (OSError, psutil.Error):
                continue
        return found

    def of_kind(self, kind):
        """The run itself; its workers, each with a process group of its own; its kernels, each with
        a session of its own."""
        if kind == "run":
            return [self.process.pid] if self.process.poll() is None else []
        found = []
        for process in self.processes():
            try:
                leads = os.getpgid(process.pid) == process.pid != self.process.pid
                alone = os.getsid(process.pid) == process.pid
            except OSError:
                continue
            if leads and alone == (kind == "kernel"):
                found.append(process.pid)
        return found

    def end(self):
        """(exit code, what it printed) once it has ended and all that it started is gone; a process
        that is there ten seconds later is an orphan."""
        text = self.process.communicate(timeout=120)[0]
        end = time.monotonic() + 10
        while left := self.processes():
            assert time.monotonic() < end, f"orphans: {left}"
            time.sleep(0.02)
        return self.process.returncode, text


def ran(home, *words):
    run = Run(home, *words)
    return run.end()


def published(home, *, running=False):
    """Every file in output/ but the report, with its digest; each job's folder is checked to be
    complete, and no draft to be there unless somebody is `running`."""
    output, found = home / "output", {}
    for path in sorted(output.glob("[!.]*/**/*")):
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found[path.relative_to(output).as_posix()] = f"sha256:{digest}"
    if not running:
        # Nothing but the lock of a run that was killed before it had a process to sweep it away.
        drafts = {path.relative_to(output).as_posix() for path in output.glob(".*/**/*")}
        assert all(re.fullmatch(r"\.run-\w+/lock", name) for name in drafts), drafts
    for folder in {Path(name).parent for name in found}:
        record = json.loads((output / folder / "run.json").read_text("utf-8"))
        own = {Path(name).name: d for name, d in found.items() if Path(name).parent == folder}
        if not folder.name.endswith(".failed"):
            assert own == record["outputs"] | {"run.json": own["run.json"]}, folder
        else:
            assert record["error"]
    return found


def workbook(folder):
    """A workbook on the checkout's data and notebooks, without outputs."""
    folder.mkdir()
    for name in ("data", "notebooks"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def disturb(home, victim, chance):
    """Run the jobs, kill a `victim` at a moment that `chance` (a random.Random) picks from the time
    in which there is one, then run them again. Returns (how many jobs were published at the end of
    the disturbed run, whether it was hit)."""
    run = Run(home, *JOBS)

    def there():
        while not (victims := run.of_kind(victim)) and run.process.poll() is None:
            time.sleep(0.02)
        return victims

    there()
    time.sleep(chance.uniform(0, 6 if victim == "run" else 3))
    victims = there()  # between two jobs there is none for a moment
    if hit := bool(victims):
        os.kill(chance.choice(victims), signal.SIGKILL)
    code, text = run.end()
    expected = {"run": {-9}, "worker": {0}, "kernel": {0, 1}}[victim] if hit else {0}
    assert code in expected, text
    done = sum(name.endswith(".pdf") for name in published(home))
    code, text = ran(home, *JOBS)
    assert code == 0, text
    return done, hit


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What the jobs leave if nobody disturbs them."""
    home = workbook(tmp_path_factory.mktemp("quiet") / "workbook")
    code, text = ran(home, *JOBS)
    assert (code, text.splitlines()[-1]) == (0, f"{COUNT} done, 0 failed")
    return published(home)


@pytest.mark.parametrize("victim", VICTIMS)
def test_killed_in_the_middle(victim, tmp_path, undisturbed):
    """kill -9 a moment after there is a victim: the next run finishes what is left."""

    class Soon:
        choice = staticmethod(max)  # the newest

    for attempt in range(10):  # a kernel that has done its last cell is missed by nobody
        Soon.uniform = staticmethod(lambda low, high, attempt=attempt: 0.5 - 0.05 * attempt)
        home = workbook(tmp_path / str(attempt))
        done, hit = disturb(home, victim, Soon)
        assert published(home) == undisturbed
        if hit and (done < COUNT or victim == "worker"):
            break
    # The run itself does a lost worker's jobs again; the others are left to the next run.
    assert hit
    assert done == COUNT if victim == "worker" else done < COUNT
    assert {path.name for path in (home / "output").iterdir()} == {"phuc-dong", "run.json"}


def test_a_killed_run_takes_all_with_it_at_once(home):
    """However long its cells would go on: no process and no draft is left."""
    path = home / "notebooks" / "30-targets.ipynb"
    raw = json.loads(path.read_text("utf-8"))
    next(c for c in raw["cells"] if c["id"] == "setup")["source"] = ["import time; time.sleep(60)"]
    path.write_text(json.dumps(raw), "utf-8")
    run = Run(home, "2020-01", "2020-02", "--notebook", "30-targets", "--workers", "2")
    while len(run.of_kind("kernel")) < 2:
        time.sleep(0.02)
    time.sleep(0.5)
    assert any((home / "output").glob(".run-*/*"))
    run.process.kill()
    assert run.end()[0] == -9
    assert list((home / "output").iterdir()) == []


def test_a_cell_that_holds_python_does_not_outlive_the_run(home):
    """One long computation lets no other thread of its kernel see that the run was killed."""
    path = home / "notebooks" / "30-targets.ipynb"
    raw = json.loads(path.read_text("utf-8"))
    next(c for c in raw["cells"] if c["id"] == "setup")["source"] = [
        "import sys; sys.set_int_max_str_digits(0); x = len(str(7 ** (6 * 10**6)))"
    ]
    path.write_text(json.dumps(raw), "utf-8")
    run = Run(home, "2020-01", "--notebook", "30-targets", "--workers", "1")
    while not run.of_kind("kernel"):
        time.sleep(0.02)
    time.sleep(2)
    run.process.kill()
    assert run.end()[0] == -9


@pytest.mark.parametrize("moment", [0.6, 1.2])
def test_ctrl_c_while_the_libraries_load(moment, home):
    """A terminal sends it to the whole group of processes: one word, no traceback."""
    run = Run(home, *JOBS)
    time.sleep(moment)
    os.killpg(run.process.pid, signal.SIGINT)
    code, text = run.end()
    assert code == 130
    assert "Traceback" not in text


def test_without_standard_input(tmp_path, undisturbed):
    """Closed by whoever started the run, as some schedulers do."""
    home = workbook(tmp_path / "workbook")
    words = " ".join(JOBS)
    done = subprocess.run(
        ["sh", "-c", f"exec '{BIN}/ward' run {words} <&-"], capture_output=True, text=True,
        env=os.environ | {"WARDLIB_HOME": str(home)}, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert published(home) == undisturbed


def test_failures_are_run_again_after_an_interruption(home):
    """`--failed` knows what stands as failed, not only what the last run came to."""
    path = home / "notebooks" / "30-targets.ipynb"
    good = path.read_text("utf-8")
    path.write_text(good.replace("import wardlib", "1 / 0\\nimport wardlib", 1), "utf-8")
    words = ("2020-01..2020-03", "--notebook", "30-targets")
    assert ran(home, *words)[0] == 1
    run = Run(home, "--failed")
    while not any((home / "output").glob(".run-*/lock")):  # before, Python is still starting
        time.sleep(0.02)
    run.process.send_signal(signal.SIGINT)
    assert run.end()[0] == 130
    path.write_text(good, "utf-8")
    code, text = ran(home, "--failed")
    assert (code, text.splitlines()[-1]) == (0, "3 done, 0 failed")
    report = home / "output" / "run.json"
    row = {"notebook": "gone", "ward": "x", "period": "1", "language": "xx", "as_of": "5"}
    report.write_text(json.dumps({"failed": [row]}), "utf-8")
    code, text = ran(home, "--failed")
    assert code == 2
    for part in ("'gone'", "'x'", "'1'", "'xx'", "'5'"):
        assert part in text


def test_the_next_run_sweeps_what_killed_runs_left(home):
    """Empty, locked and half removed folders of drafts go; that of a run that lives stays."""
    output = home / "output"
    for name in (".run-a", ".run-b", ".run-c.gone/job", ".run-live"):
        (output / name).mkdir(parents=True)
    for name in (".run-b", ".run-live"):
        (output / name / "lock").touch()
    with FileLock(output / ".run-live" / "lock"):
        code, text = ran(home, "2020-01", "--notebook", "00-data-check")
        assert code == 0, text
        assert {path.name for path in output.glob(".*")} == {".run-live"}


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_cleanly(sent, tmp_path, undisturbed):
    """A word, exit code 130, no draft, a report of what is left; the same command goes on."""
    home = workbook(tmp_path / "workbook")
    run = Run(home, *JOBS)
    assert "done in" in run.process.stdout.readline()
    run.process.send_signal(sent)
    code, text = run.end()
    assert code == 130
    assert "stopped: what is done stays" in text
    assert "Traceback" not in text
    assert {path.name for path in (home / "output").iterdir()} == {"phuc-dong", "run.json"}
    report = json.loads((home / "output" / "run.json").read_text("utf-8"))
    assert report["failed"] == []
    assert 0 < report["not_run"] == COUNT - report["complete"] < COUNT
    assert ran(home, *JOBS)[0] == 0
    assert published(home) == undisturbed


def test_two_runs_at_once_do_no_harm(tmp_path, undisturbed):
    """The same jobs in the same output, by force: both end well, the bytes are the same."""
    home = workbook(tmp_path / "workbook")
    both = [Run(home, *JOBS, "--force") for _ in range(2)]
    looks = 0
    while any(run.process.poll() is None for run in both):
        looks += bool(published(home, running=True))  # whoever looks sees whole folders only
    assert looks > 10
    assert [run.end()[0] for run in both] == [0, 0]
    assert published(home) == undisturbed
    assert {path.name for path in (home / "output").iterdir()} == {"phuc-dong", "run.json"}


def test_a_worker_that_every_job_kills_ends_as_failures(tmp_path, home):
    """A job that kills its worker each time is named; the others are done."""
    path = home / "notebooks" / "90-briefing.ipynb"
    raw = json.loads(path.read_text("utf-8"))
    cell = next(c for c in raw["cells"] if c["id"] == "setup")
    # The worker is the process that asked for the kernel: the one that holds the other end of its
    # pipe; a stand-in for a machine that runs out of memory.
    cell["source"] = [
        "import multiprocessing, os, signal\n",
        "os.kill(multiprocessing.parent_process().pid, signal.SIGKILL)",
    ]
    path.write_text(json.dumps(raw), "utf-8")
    code, text = ran(home, *JOBS)
    assert code == 1, text
    assert text.splitlines()[-1] == "3 done, 3 failed"
    assert text.count("the process that ran it died 3 times") == 3
    assert sum(name.endswith(".pdf") for name in published(home)) == 3


@pytest.fixture
def cluster(tmp_path):
    """A Dask scheduler and two worker processes on this machine: its address, and the workers."""
    said = (tmp_path / "dask.log").open("w+")
    file = tmp_path / "scheduler.json"
    words = {"stdout": said, "stderr": said, "cwd": tmp_path}
    started = [
        subprocess.Popen(
            [BIN / "dask", "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
             "--scheduler-file", file], **words,
        )
    ]  # fmt: skip
    try:
        while not file.exists() or not file.read_text():
            assert started[0].poll() is None, Path(said.name).read_text()
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        for _ in range(2):
            started.append(
                subprocess.Popen(
                    [BIN / "dask", "worker", address, "--nthreads", "1", "--no-nanny",
                     "--no-dashboard", "--local-directory", tmp_path], **words,
                )
            )  # fmt: skip
        while Path(said.name).read_text().count("Starting established connection") < 4:
            assert all(p.poll() is None for p in started), Path(said.name).read_text()
            time.sleep(0.05)
        yield address, started
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()
        said.close()


def test_a_cluster_that_loses_a_worker(tmp_path, cluster, undisturbed):
    """Two worker processes, one killed in the middle: every job done, bytes as of a local run."""
    address, (_, worker, _) = cluster
    home = workbook(tmp_path / "workbook")
    run = Run(home, *JOBS, "--scheduler", address)
    assert "done in" in run.process.stdout.readline()
    worker.kill()
    code, text = run.end()
    assert (code, text.splitlines()[-1]) == (0, f"{COUNT} done, 0 failed")
    assert published(home) == undisturbed
    assert {path.name for path in (home / "output").iterdir()} == {"phuc-dong", "run.json"}


def test_a_cluster_that_loses_its_scheduler(tmp_path, cluster):
    """The run ends with a word that says what happened."""
    address, (scheduler, *_) = cluster
    home = workbook(tmp_path / "workbook")
    run = Run(home, *JOBS, "--scheduler", address)
    assert "done in" in run.process.stdout.readline()
    scheduler.kill()
    code, text = run.end()
    assert code == 2
    assert "the cluster is lost" in text
    assert "Traceback" not in text
    published(home)
