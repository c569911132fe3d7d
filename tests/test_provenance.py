"""What made an output: an edit anywhere in the package is an edit of what runs a job."""

import os
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

KERNEL = """
from pathlib import Path
from jupyter_client.manager import start_new_kernel

def said(code):
    manager, client = start_new_kernel(kernel_name="ward")
    told = []
    client.execute_interactive(code, timeout=60, output_hook=lambda m: told.append(m["content"]))
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    return [content["text"] for content in told if "text" in content]

for file, before, after, code in (
    ("locale/vi.po", "quý {roman} năm {year}", "QUÝ {roman} năm {year}",
     "import wardlib; print(wardlib.open('phuc-dong', '2020-Q3').period_name)"),
    ("pages/templates/block.html.j2", "<ul>", "<ul class='new'>",
     "from wardlib.pages import html; print(html.render({'kind': 'list', 'items': []}))"),
):
    path = Path("wardlib", file)
    first = said(code)
    path.write_text(path.read_text("utf-8").replace(before, after), "utf-8")
    print(first, said(code))
"""


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


def test_a_kernel_of_a_warm_parent_sees_an_edited_catalogue_and_template(package):
    """The parent has read them long ago; the next kernel reads them anew."""
    assert run(package, KERNEL).splitlines() == [
        "['quý III năm 2020\\n'] ['QUÝ III năm 2020\\n']",
        "['<ul></ul>\\n'] [\"<ul class='new'></ul>\\n\"]",
    ]
