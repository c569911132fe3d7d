"""What is built from the checkout is the whole package: it works where there is no checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Python 3.11 has filters from its fourth release on, 3.12 wants one.
SAFELY = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


def _tracked(folder):
    listed = ["git", "ls-files", "-z", folder]
    text = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {Path(name) for name in text.split("\0") if name}


def _build(kind, source, target):
    """The file that flit makes of the project in `source`, in a process of its own."""
    code = "import sys; from flit_core import buildapi; print(buildapi.build_{}(sys.argv[1]))"
    target.mkdir()
    words = [sys.executable, "-c", code.format(kind), target]
    made = subprocess.run(words, cwd=source, capture_output=True, text=True, check=True).stdout
    return target / made.split()[-1]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """The tracked files of the checkout as they are now."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in _tracked("."):
        if (ROOT / name).is_file():
            (folder / name.parent).mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def wheel(checkout, tmp_path_factory):
    return _build("wheel", checkout, tmp_path_factory.mktemp("built") / "wheel")


def test_the_wheel_holds_every_file_of_the_package(wheel):
    """What git knows of wardlib/, no less (templates, words, styles) and no more."""
    with zipfile.ZipFile(wheel) as archive:
        names = {Path(name) for name in archive.namelist() if not name.endswith("/")}
    code = {name for name in names if name.parts[0] == "wardlib"}
    assert code == _tracked("wardlib")


def test_the_sdist_builds_the_same_wheel(checkout, wheel, tmp_path):
    """Byte for byte the wheel of the checkout; the licence comes along."""
    sdist = _build("sdist", checkout, tmp_path / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", **SAFELY)
    (source,) = (tmp_path / "unpacked").iterdir()
    assert (source / "LICENSE").is_file()
    again = _build("wheel", source, tmp_path / "again")
    with zipfile.ZipFile(wheel) as one, zipfile.ZipFile(again) as other:
        assert {name: one.read(name) for name in one.namelist()} == {
            name: other.read(name) for name in other.namelist()
        }


@pytest.fixture(scope="module")
def clean(wheel, tmp_path_factory):
    """The folder of the programs of an environment with the wheel in it and no checkout in sight."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    venv.create(folder, with_pip=True)
    path = sysconfig.get_path("purelib", "venv", vars={"base": str(folder)})
    # What wardlib needs is that of the tests; a .pth inside the folder that this names, such as that
    # of an editable install, is not heeded.
    Path(path, "needed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    pages = Path("share", "jupyter", "nbconvert")  # its templates stand outside of site-packages
    (folder / pages).parent.mkdir(parents=True)
    (folder / pages).symlink_to(Path(sys.prefix) / pages)
    install = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel]
    subprocess.run([folder / "bin" / "python", *install], check=True)
    return folder / "bin"


def _said(program, *words, cwd):
    """What it printed; that it ended well is asserted. Nothing of this process tells it where the
    checkout is."""
    hidden = ("WARDLIB_HOME", "PYTHONPATH", "VIRTUAL_ENV", "JUPYTER_PATH")
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run([program, *words], cwd=cwd, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_ward_works_without_a_checkout(clean, home):
    """In a folder with copies of data/ and notebooks/ alone, and in one below it."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    code = "import wardlib; print(wardlib.__file__, wardlib.__version__)"
    file, installed = _said(clean / "python", "-c", code, cwd=home).split()
    assert Path(file).is_relative_to(clean.parent)
    assert installed == version
    assert "phuc-dong" in _said(clean / "ward", "list", cwd=home)
    assert "phuc-dong" in _said(clean / "ward", "check", cwd=home / "notebooks")
    text = _said(clean / "ward", "run", "2020-Q3", "--notebook", "30-targets", cwd=home)
    assert text.splitlines()[-1] == "1 done, 0 failed"
    made = home / "output" / "phuc-dong" / "2020-Q3" / "30-targets.vi"
    assert (made / "30-targets.vi.pdf").read_bytes().startswith(b"%PDF-")
    assert "</html>" in (made / "30-targets.vi.html").read_text("utf-8")


def test_a_folder_without_a_workbook_is_told(clean, tmp_path):
    """Where no folder up from the working one holds data/ and notebooks/, a word says what to do."""
    with pytest.raises(AssertionError, match="WARDLIB_HOME"):
        _said(clean / "ward", "list", cwd=tmp_path)
