"""Shared fixtures: a workbook folder of one's own, and small tables worked by hand."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from wardlib import catalogue

ROOT = Path(__file__).parent.parent


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A copy of the workbook's data and notebooks that a test may spoil."""
    folder = tmp_path / "workbook"
    for name in ("data", "notebooks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
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
                resource["hash"] = catalogue.digest(path.parent / resource["path"])
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
