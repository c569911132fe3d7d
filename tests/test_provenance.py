"""What made an output: an edit anywhere in the package is an edit of what runs a job."""

import os
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT


@pytest.fixture
def package(tmp_path):
    """A copy of the package, to be edited."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "wardlib", tmp_path / "wardlib", ignore=ignored)
    for name in ("data", "notebooks"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def run(package, code):
    """What a Python that has this copy of the package prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=package,
        env=os.environ | {"PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_edit_on_each_floor_changes_the_version(package):
    """Code of the door, of every floor and of the ground, catalogue, template, style: each changes
    what a record says of wardlib, and so makes a job stale."""
    code = "from wardlib import provenance; print(provenance.versions()['wardlib'])"
    seen = [run(package, code)]
    files = [
        "__init__.py", "cli.py", "language.py", "data/checks.py", "analysis/relief.py", "pages/tax.py",
        "runs/plans.py", "locale/vi.po", "pages/templates/block.typ.j2",
        "pages/templates/ward-html/style.css", "pages/ward.mplstyle",
    ]  # fmt: skip
    for name in files:
        with (package / "wardlib" / name).open("a", encoding="utf-8") as file:
            file.write("\n")
        seen.append(run(package, code))
    assert len(set(seen)) == len(files) + 1
