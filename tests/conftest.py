"""Shared fixtures: a workbook folder of one's own, and small tables worked by hand."""

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import browser
import pandas as pd
import pytest
from desk import desk as desk
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display
from IPython.utils.capture import capture_output
from nbformat.v4 import new_output
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from traitlets.config import Config

from wardlib import provenance

# What rebuilds the benchmarks' data wants packages that the tests do without.
collect_ignore_glob = ["benchmarks/data/*"]
ROOT = Path(__file__).parent.parent

# A shell has what it starts in the background ignore Ctrl-C, which is inherited: the runs that a test
# interrupts would not hear it.
signal.signal(signal.SIGINT, signal.default_int_handler)


# The files that take longest, the longest first: begun first, no worker waits for one of them at the end.
LONG = (
    "test_desk", "test_interruptions", "test_runs", "test_repository", "test_cache", "test_claims",
    "test_briefings", "test_agreement", "test_explore", "test_guides", "test_page", "test_intake_random",
)  # fmt: skip


def pytest_collection_modifyitems(items):
    """Bring the tests into the order in which workers get their files."""
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


def said_by_threads(program):
    """What a program prints with one thread and with two in the library of linear algebra."""
    return [
        subprocess.run(
            [sys.executable, program],
            env=os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    ]


@functools.cache
def executed(notebook, ward, period, language, as_of=""):
    """A notebook's cells run in this process, which saves the start of a kernel; to be read only."""
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    shell.reset(new_session=False)
    unit = "district" if notebook == "80-district" else "ward"
    parameters = {unit: ward, "period": period, "language": language, "as_of": as_of}
    source = load_notebook_node(str(ROOT / "notebooks" / f"{notebook}.ipynb"))
    found = parameterize_notebook(source, parameters)
    for cell in found.cells:
        if cell.cell_type != "code":
            continue
        with capture_output() as captured:
            done = shell.run_cell(cell.source)
            done.raise_error()
            if done.result is not None:
                display(done.result)
        cell.outputs = [
            new_output("display_data", data=shown.data, metadata=shown.metadata)
            for shown in captured.outputs
        ]
    return found


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """Runs of tests keep their fits in a folder of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WARDLIB_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def chromium():
    """A Chromium, driven; it asks for no page of its own."""
    with browser.drive() as driver:
        started = browser.launch(driver)
        assert started, "these tests need Chromium: python tests/browser.py gets one"
        yield started
        started.close()


@pytest.fixture(scope="session")
def axe():
    """The source of axe-core, the checker of accessibility."""
    source = browser.axe()
    assert source, "these tests need axe-core: python tests/browser.py gets it"
    return source


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A copy of the workbook's data and notebooks that a test may spoil: of the wards, the two that are not
    made up for a district."""
    folder = tmp_path / "workbook"
    for name in ("data/reference", "data/phuc-dong", "data/philadelphia", "notebooks"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".accepted")
        )
    monkeypatch.setenv("WARDLIB_HOME", str(folder))
    return folder


@pytest.fixture
def accept(home):
    """Record the changed files of a ward in its descriptor, as `ward check --accept` does."""

    def record(ward="phuc-dong"):
        for package in (ward, "reference"):
            path = home / "data" / package / "datapackage.json"
            raw = json.loads(path.read_text(encoding="utf-8"))
            for resource in raw["resources"]:
                file = path.parent / resource["path"]
                resource |= {"hash": provenance.digest(file), "bytes": file.stat().st_size}
            path.write_text(json.dumps(raw, ensure_ascii=False), encoding="utf-8")

    return record


@pytest.fixture
def lines():
    """A tree of three: total > rent, tax; the rent began in 2020-02."""
    return pd.DataFrame(
        {
            "code": ["total", "tax", "rent"],
            "parent": ["", "total", "total"],
            "name_vi": ["Tổng", "Thuế", "Tiền thuê"],
            "name_en": ["Total", "Tax", "Rent"],
            "valid_from": pd.PeriodIndex([None, None, "2020-02"], freq="M"),
            "valid_to": pd.PeriodIndex([None, None, None], freq="M"),
        }
    )


@pytest.fixture
def receipts():
    """2019: 10 a month of tax. 2020: tax 12, 8, (March missing); rent 5 in February, an estimate."""
    rows = [
        (f"2019-{month:02}", line, 10_000_000, 4_000_000, "actual")
        for month in range(1, 13)
        for line in ("total", "tax")
    ]
    rows += [
        ("2020-01", "total", 12_000_000, 6_000_000, "actual"),
        ("2020-01", "tax", 12_000_000, 6_000_000, "actual"),
        ("2020-02", "total", 13_000_000, 7_000_000, "estimate"),
        ("2020-02", "tax", 8_000_000, 4_000_000, "actual"),
        ("2020-02", "rent", 5_000_000, 3_000_000, "estimate"),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["month", "line", "collected", "kept", "status"])
    frame["month"] = pd.PeriodIndex(frame["month"], freq="M")
    frame["reported_on"] = pd.Timestamp("2020-03-10")
    return frame


@pytest.fixture
def targets():
    return pd.DataFrame(
        {
            "year": [2020, 2020, 2019],
            "line": ["total", "total", "total"],
            "set_by": ["upper", "ward", "upper"],
            "amount": [50_000_000.0, 100_000_000.0, 1.0],
            "reported_on": pd.Timestamp("2020-01-05"),
        }
    )
