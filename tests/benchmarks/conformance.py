"""The test suites of nbclient and papermill on the ordinary kernel and on the warm one.

    python tests/benchmarks/conformance.py [FOLDER]

Fetches nbclient's source distribution (its tests are not in the wheel) and what both suites need into
FOLDER (else a temporary one), runs each suite twice, the second time with the warm kernel under the name
`python3`, and prints how many tests passed and how many kernels were forks. What passes on the ordinary
kernel and fails on the warm one is run three times more on both, and printed. Exit code 1 if a test
fails on the warm kernel more often than on the ordinary one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
from pathlib import Path

import papermill

NBCLIENT = "nbclient==0.11.0"
NEEDED = [
    *["flaky", "ipywidgets", "pytest-asyncio>=1.3.0", "testpath", "xmltodict"],  # nbclient
    *["azure-datalake-store<1", "azure-identity", "azure-storage-blob", "boto3", "gcsfs"],
    *["moto[s3]>=5,<5.1", "pyarrow", "pytest-env", "pytest-mock", "requests", "black"],  # papermill
]
SPEC = Path(__file__).parents[2] / "wardlib/prefix/share/jupyter/kernels/ward/kernel.json"
COUNTER = '''
"""A pytest plug-in that writes down how each test ended, and how many kernels our provisioner started
and how many of them are forks."""
import json, os
from pathlib import Path
from wardlib.runs.kernels import WarmProvisioner

tests, counts = {}, {"started": 0, "forks": 0}
launch, fork = WarmProvisioner.launch_kernel, WarmProvisioner._fork

async def counted_launch(self, *args, **kwargs):
    counts["started"] += 1
    return await launch(self, *args, **kwargs)

async def counted_fork(self, *args, **kwargs):
    found = await fork(self, *args, **kwargs)
    counts["forks"] += 1
    return found

WarmProvisioner.launch_kernel, WarmProvisioner._fork = counted_launch, counted_fork

def pytest_runtest_logreport(report):
    before = tests.get(report.nodeid, "passed")
    tests[report.nodeid] = before if report.passed or before == "failed" else report.outcome

def pytest_sessionfinish():
    Path(os.environ["COUNTED"]).write_text(json.dumps([tests, counts]))
'''


def main() -> None:
    named = len(sys.argv) > 1
    folder = Path(sys.argv[1] if named else tempfile.mkdtemp()).resolve()
    python = environment(folder)
    suites = {"nbclient": source(folder, python), "papermill": Path(papermill.__file__).parent}
    shared = folder / "jupyter" / "kernels" / "python3"
    shared.mkdir(parents=True, exist_ok=True)
    shutil.copy(SPEC, shared)
    worse = []
    print(
        "| suite | kernel | passed | failed | skipped | kernels started by ours | of them forks |"
    )
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for name, where in suites.items():
        ended = {}
        for kernel in ("ordinary", "warm"):
            ended[kernel], counts = run(folder, python, where, kernel)
            told = [sum(end == kind for end in ended[kernel].values()) for kind in ("passed", "failed", "skipped")]  # fmt: skip
            cells = [name, kernel, *told, counts["started"], counts["forks"]]
            print("|", " | ".join(map(str, cells)), "|", flush=True)
        suspects = [
            test
            for test, end in ended["warm"].items()
            if end == "failed" and ended["ordinary"].get(test) != "failed"
        ]
        for test in suspects:
            failures = {
                kernel: sum(
                    "failed" in run(folder, python, where, kernel, test)[0].values()
                    for _ in range(3)
                )
                for kernel in ("ordinary", "warm")
            }
            print(f"\n{name} {test}: failed once on the warm kernel; alone, of three, {failures}")
            if failures["warm"] > failures["ordinary"]:
                worse.append(test)
    if not named:
        shutil.rmtree(folder)
    sys.exit(bool(worse))


def environment(folder: Path) -> Path:
    """A virtual environment with what the suites need on top of this one's packages."""
    own = folder / "environment"
    python = own / "bin" / "python"
    if not (own / "ready").exists():
        venv.create(own, with_pip=True, clear=True)
        site = next(own.glob("lib/python*/site-packages"))
        (site / "below.pth").write_text(
            f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
        )
        (site / "counted.py").write_text(COUNTER)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *NEEDED], check=True)
        (own / "ready").touch()
    return python


def source(folder: Path, python: Path) -> Path:
    """nbclient's source distribution, unpacked."""
    words = ["download", "--quiet", "--no-deps", "--no-binary", "nbclient", NBCLIENT, "-d", folder]
    subprocess.run([python, "-m", "pip", *words], check=True)
    archive = next(folder.glob("nbclient-*.tar.gz"))
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz") / "tests"


def run(
    folder: Path, python: Path, where: Path, kernel: str, test: str = ""
) -> tuple[dict[str, str], dict[str, int]]:
    """How each test of a suite ended (or one test alone), and the counts of kernels."""
    counted = folder / "counted.json"
    counted.unlink(missing_ok=True)
    env = os.environ | {"COUNTED": str(counted), "AWS_DEFAULT_REGION": "us-east-1"}
    if kernel == "warm":
        env["JUPYTER_PATH"] = str(folder / "jupyter")
    if where.name == "tests":
        cwd, suite = where.parent, "tests"
        words = ["-o", "asyncio_default_fixture_loop_scope=function"]
    else:  # with no settings: those of a checkout above it are not meant for it
        (folder / "pytest.ini").write_text("[pytest]\n")
        cwd, suite = folder, str(where / "tests")
        words = ["-c", folder / "pytest.ini"]
    subprocess.run(
        [python, "-m", "pytest", test or suite, *words, "-q", "-p", "counted", "-p", "no:cacheprovider"],
        cwd=cwd, env=env, stdout=(folder / "log").open("a"), stderr=subprocess.STDOUT,
    )  # fmt: skip
    tests, counts = json.loads(counted.read_text(encoding="utf-8"))
    return tests, counts


if __name__ == "__main__":
    main()
