"""Whatever kills a run or a process of it: nothing partial is published, nothing runs on, and the
same command then makes the same bytes as a run that nobody disturbed. Real processes, real signals."""

import contextlib
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
HOLDS = "import sys; sys.set_int_max_str_digits(0); x = len(str(7 ** (6 * 10**6)))"
VICTIMS = ("run", "parent", "ward", "job")


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
        """The run itself; the parent of its processes, a Python that serves forks; its children, the wards'
        processes; theirs, jobs and setters of pages."""
        if kind == "run":
            return [self.process.pid] if self.process.poll() is None else []
        found = {"parent": [], "ward": [], "job": []}
        for process in sorted(self.processes(), key=lambda process: process.pid):
            with contextlib.suppress(psutil.Error):
                above = process.ppid()
                if "multiprocessing.forkserver" in " ".join(process.cmdline()):
                    known = [*found["parent"], *found["ward"]]
                    level = (
                        "parent"
                        if above == self.process.pid
                        else "ward"
                        if above in found["parent"]
                        else "job"
                    )
                    if level != "job" or above in known:
                        found[level].append(process.pid)
        return found[kind]

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
    time.sleep(chance.uniform(0, 3))
    victims = there()  # between two jobs there is none for a moment
    if hit := bool(victims):
        with contextlib.suppress(ProcessLookupError):
            os.kill(chance.choice(victims), signal.SIGKILL)
    code, text = run.end()
    assert code == (-9 if hit and victim == "run" else 0), text
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
    """kill -9 while there is a victim: the run itself does the work of a process that died again; what a
    killed run has not come to, the next one does."""

    class Soon:
        choice = staticmethod(max)  # the newest

    for attempt in range(10):
        Soon.uniform = staticmethod(lambda low, high, attempt=attempt: 0.5 - 0.05 * attempt)
        home = workbook(tmp_path / str(attempt))
        done, hit = disturb(home, victim, Soon)
        assert published(home) == undisturbed
        if hit and (done < COUNT) == (victim == "run"):
            break
    assert hit
    assert (done < COUNT) == (victim == "run")
    assert {path.name for path in (home / "output").iterdir()} == {"phuc-dong", "run.json"}


def cell(home, notebook, source):
    """Put a code cell's source in the place of a notebook's setup."""
    path = home / "notebooks" / f"{notebook}.ipynb"
    raw = json.loads(path.read_text("utf-8"))
    next(c for c in raw["cells"] if c["id"] == "setup")["source"] = [source]
    path.write_text(json.dumps(raw), "utf-8")


def test_a_killed_run_takes_all_with_it_at_once(home):
    """However long its cells would go on: no process and no draft is left."""
    cell(home, "30-targets", "import time; print('begun'); time.sleep(60)")
    run = Run(home, "2020-01", "2020-02", "--notebook", "30-targets", "--workers", "2")
    while len(list((home / "output").glob(".run-*/*/evidence"))) < 2:
        time.sleep(0.02)
    time.sleep(0.5)
    run.process.kill()
    assert run.end()[0] == -9
    assert list((home / "output").iterdir()) == []


def test_a_cell_that_holds_python_does_not_outlive_the_run(home):
    """One long computation lets no other thread of its process see that the run was killed."""
    cell(home, "30-targets", HOLDS)
    run = Run(home, "2020-01", "--notebook", "30-targets", "--workers", "1")
    while not list((home / "output").glob(".run-*/*/evidence")):
        time.sleep(0.02)
    time.sleep(1)
    run.process.kill()
    assert run.end()[0] == -9


def test_what_a_cell_hides_ends_with_its_job(home):
    """A daemon in a session of its own, started by a program, and a fork that holds all that is open: gone
    when the job has ended, be it done or killed, though the run goes on."""
    cell(
        home, "30-targets",
        "import os, subprocess, time\n"
        "subprocess.Popen(['sh', '-c', 'setsid sleep 611 & sleep 0.1'], start_new_session=True)\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    time.sleep(611)\n"
        "time.sleep(0.5)\n"
        "period.endswith('1') and os.kill(os.getpid(), 9)",
    )  # fmt: skip
    cell(home, "00-data-check", "import time; time.sleep(30)")
    words = ("2020-01", "2020-02", "--notebook", "30-targets", "00-data-check", "--workers", "1")
    run = Run(home, *words)
    while not list((home / "output").glob(".run-*/00-data-check*/evidence")):
        assert run.process.poll() is None, run.end()
        time.sleep(0.02)
    time.sleep(0.5)
    hidden = [process for process in run.processes() if "611" in process.cmdline()]
    jobs = run.of_kind("job")
    run.process.kill()
    run.end()
    assert hidden == []
    assert len(jobs) <= 2  # the job that runs, and its setter


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


def test_a_cell_that_kills_what_it_runs_in(home):
    """Its own process, or the ward's above it: tried again, then named; the others are done."""
    for pid, notebook in (("getpid", "90-briefing"), ("getppid", "30-targets")):
        cell(home, notebook, f"import os, signal; os.kill(os.{pid}(), signal.SIGKILL)")
    words = ("2020-01", "2020-02", "--notebook", "00-data-check", "30-targets", "90-briefing")
    code, text = ran(home, *words, "--workers", "2")
    assert code == 1, text
    assert text.splitlines()[-1] == "2 done, 4 failed"
    assert text.count("the process that ran it died 3 times") >= 4
    assert sum(name.endswith(".pdf") for name in published(home)) == 2
    evidence = json.loads(
        (home / "output/phuc-dong/2020-01/90-briefing.vi.failed/run.json").read_text("utf-8")
    )
    assert evidence["cell"] == "setup"


HOSTILE = {
    "fork": ("import os, time\nif os.fork(): time.sleep(1)", ""),
    "folder": ("import os; os.makedirs('gone'); os.chdir('gone'); os.rmdir('../gone')", ""),
    "drafts": (
        "import glob, os, shutil\n"
        "for one in glob.glob(os.environ['WARDLIB_HOME'] + '/output/.run-*'): shutil.rmtree(one)",
        "FileNotFoundError",
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_cell_that_breaks_its_process_stops_no_other(what, home, monkeypatch, tmp_path):
    """A fork that goes on, a working folder that is gone, the run's drafts taken away: the job is done, or its error is told; the others are done, and the run says so."""
    source, error = HOSTILE[what]
    monkeypatch.chdir(tmp_path)
    path = home / "notebooks" / "30-targets.ipynb"
    raw = json.loads(path.read_text("utf-8"))
    own = {"id": "hostile", "cell_type": "code", "metadata": {}, "source": [source]}
    raw["cells"].insert(-1, own | {"outputs": [], "execution_count": None})
    path.write_text(json.dumps(raw), "utf-8")
    words = ("2020-01", "2020-02", "--notebook", "30-targets", "00-data-check", "--workers", "1")
    code, text = ran(home, *words)
    failed = 2 if error else 0
    assert (code, text.splitlines()[-1]) == (bool(failed), f"{4 - failed} done, {failed} failed")
    assert error in text
    assert "Traceback" not in text
    report = json.loads((home / "output" / "run.json").read_text("utf-8"))
    assert (report["complete"], len(report["failed"])) == (4 - failed, failed)


def test_a_run_ends_where_nothing_can_be_printed(home):
    """What a full disk answers, where standard output is a file on it."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [BIN / "ward", "run", "2020-01", "--notebook", "00-data-check", "30-targets"],
            stdout=full, stderr=subprocess.PIPE, timeout=60,
            env=os.environ | {"WARDLIB_HOME": str(home)},
        )  # fmt: skip
    assert done.returncode != 0
    assert not list((home / "output").glob(".run-*"))


def test_a_time_limit_holds_for_what_cannot_be_interrupted(home):
    """A cell in one long computation, and an export without end: ended, named, with the outputs so far."""
    cell(home, "30-targets", "print('before'); " + HOLDS.replace("6 * 10", "30 * 10"))
    words = ("2020-01", "--notebook", "30-targets", "--cell-seconds", "1")
    code, text = ran(home, *words)
    assert code == 1
    assert "the time is over" in text
    folder = home / "output/phuc-dong/2020-01/30-targets.vi.failed"
    assert json.loads((folder / "run.json").read_text("utf-8"))["cell"] == "setup"
    assert (folder / "30-targets.vi.ipynb").is_file()


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
