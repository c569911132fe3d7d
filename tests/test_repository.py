"""The repository holds what it promises: floors, thin notebooks, pinned packages, true words."""

import ast
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import architecture
import papermill
import pytest
import yaml

import wardlib

ROOT = Path(__file__).parent.parent
CODE = Path(wardlib.__file__).parent

# Only one module knows each outside tool.
OWNERS = {
    "papermill": {"runs.engine", "runs.execution"},
    "jupyter_client": {"runs.engine"},
    "ipykernel": {"runs.engine"},
    "ipywidgets": {"pages.explorer"},
    "nbconvert": {"runs.execution", "pages.exporters"},
    "typst": {"pages.typst"},
    "mistune": {"pages.markdown"},
    "nh3": {"pages.cleaning"},
    "matplotlib": {"pages.drawing", "pages.figures", "pages.formulas", "pages.typst"},
    "PIL": {"pages.markdown", "pages.markup", "pages.outputs"},
    "seaborn": {"pages.drawing"},
    "csv": {"data.intake.arrivals", "data.intake.delimited", "data.reading", "language"},
    "python_calamine": {"data.intake.workbooks"},
    "xlrd": {"data.intake.binaries"},
    "zipfile": {"data.intake.containers", "data.intake.templates"},
    "defusedxml": {"data.intake.containers"},
    "babel": {"language"},
    "fastjsonschema": {"data.profile"},
    "re2": {"data.patterns"},
    "typer": {"cli"},
    "rich": {"cli"},
    "distributed": {"runs.clusters"},
    "filelock": {"data.journal", "runs.parent"},
    "platformdirs": {"runs.fits"},
    "scipy": {
        "analysis.amounts",
        "analysis.counts",
        "analysis.districts",
        "analysis.due_dates",
        "analysis.funnel",
        "analysis.gaussian_process",
    },
}
# What a notebook's code is made of: names, calls and words; no branch, loop, function or comprehension.
PLAIN = (
    ast.Module, ast.Import, ast.alias, ast.Expr, ast.Assign, ast.AnnAssign, ast.Name, ast.Load, ast.Store,
    ast.Attribute, ast.Call, ast.keyword, ast.Constant,
)  # fmt: skip
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_imports_point_down_only():
    """No module imports from a floor above its own, and no imports run in a circle."""
    arrows = architecture.graph()
    assert len(arrows) > 20
    assert sum(map(len, arrows.values())) > 60
    assert architecture.climbing(arrows) == []
    assert architecture.circle(arrows) == []


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("data/__init__.py", "from wardlib.pages import workbook"),
        ("analysis/relief.py", "from wardlib import pages"),
        ("analysis/relief.py", "import wardlib.runs.plans"),
        ("analysis/relief.py", "import wardlib"),
        ("language.py", "def late():\n    from wardlib.data import book"),
        ("data/book.py", "importlib.import_module('wardlib.pages.html')"),
    ],
)
def test_an_import_that_points_up_is_seen(tmp_path, room, line):
    """In a folder's own module too, of a folder, of the package, inside a function, by name."""
    shutil.copytree(architecture.CODE, tmp_path / "wardlib")
    with (tmp_path / "wardlib" / room).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    assert architecture.climbing(architecture.graph(tmp_path / "wardlib"))


def test_an_import_of_a_neighbour_names_its_floor(tmp_path):
    """`from ..pages import html` would hide which floor is asked: it is refused."""
    shutil.copytree(architecture.CODE, tmp_path / "wardlib")
    with (tmp_path / "wardlib" / "analysis" / "relief.py").open("a", encoding="utf-8") as file:
        file.write("\nfrom ..pages import html\n")
    with pytest.raises(ValueError, match=r"from \.\.pages import html"):
        architecture.graph(tmp_path / "wardlib")


def test_the_architecture_paper_is_that_of_the_code():
    """ARCHITECTURE.md names every room, what it holds and whom it asks; `make docs` writes it."""
    assert architecture.PAPER.read_text(encoding="utf-8") == architecture.paper()


def test_each_outside_tool_has_one_owner():
    """papermill only in runs, nbconvert and Typst only in exporters, and so on."""
    users = {tool: set() for tool in OWNERS}
    for name, path in architecture.modules().items():
        for tool in architecture.imports(path, set())[1] & set(OWNERS):
            users[tool].add(name)
    assert users == OWNERS


def test_one_module_opens_data_files():
    """On the floor of data all others ask `reading`; only the journal writes, what is taken in and what
    was accepted; examination reads the clerk's files, containers the parts of an archive that it was
    handed; descriptors and profile open what the package itself holds."""
    openers = {
        name
        for name, path in architecture.modules().items()
        if name.startswith("data.")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"open", "read_text", "read_bytes"}
    }
    assert openers == {
        "data.descriptors", "data.intake.containers", "data.intake.examination", "data.journal",
        "data.profile", "data.reading",
    }  # fmt: skip


def test_importing_is_free(tmp_path):
    """Importing every module opens no socket, writes no file and changes no chart style; but for
    `loaded`, which exists to do things when it is imported."""
    code = """
import os, socket, sys
def refuse(*_, **__): raise OSError("no network at import")
socket.socket.connect = refuse
import matplotlib
before = dict(matplotlib.rcParams)
import {}
assert dict(matplotlib.rcParams) == before
assert os.listdir() == [], os.listdir()
""".format(
        ", ".join(
            f"wardlib.{name}"
            for name in architecture.modules()
            if name not in ("runs.loaded", "wardlib")
        )
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_thin(path):
    """At most 12 code cells of 8 lines, 60 lines in all; no logic, no magic, no outputs; of wardlib they
    use `open` alone, the one that explores `explore`."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in code]
    assert len(code) <= 12
    assert max(source.count("\n") + 1 for source in sources) <= 8
    assert sum(source.count("\n") + 1 for source in sources) <= 60
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            assert isinstance(node, PLAIN), f"{type(node).__name__} in: {source}"
    imported = [line for source in sources for line in source.splitlines() if "import" in line]
    assert imported == ["import wardlib"]
    used = [word for source in sources for word in re.findall(r"wardlib\.(\w+)", source)]
    assert used == ["explore" if path.stem == "explore" else "open"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    for cell in notebook["cells"]:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cell["id"])
        assert set(cell["metadata"]) <= {"tags"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_speak_both_languages(path):
    """Each Markdown cell has its twin, with as many headings of the same level."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    prose = [cell for cell in cells if cell["cell_type"] == "markdown"]
    assert prose
    for left, right in zip(prose[::2], prose[1::2], strict=True):
        assert (left["metadata"]["tags"], right["metadata"]["tags"]) == (["lang-vi"], ["lang-en"])
        assert left["id"].removesuffix("-vi") == right["id"].removesuffix("-en")
        assert len("".join(left["source"])) > 0 < len("".join(right["source"]))
        marks = ["".join(cell["source"]).split()[0].strip("#") for cell in (left, right)]
        assert bool(marks[0]) == bool(marks[1])


def test_parameters_are_seen_by_papermill():
    """Four annotated literals with a comment each, the same in every notebook, but for the name of the first
    in one for districts."""
    assert len(NOTEBOOKS) >= 3
    for path in NOTEBOOKS:
        found = papermill.inspect_notebook(str(path))
        unit = "district" if path.stem == "80-district" else "ward"
        assert list(found) == [unit, "period", "language", "as_of"]
        assert all(
            value["inferred_type_name"] == "str" and value["help"] for value in found.values()
        )


def _bare(requirement):
    return re.split(r"[ <>=!~;\[]", requirement)[0].lower()


def test_both_environments_carry_the_same_packages():
    """environment.yml and pyproject.toml: the same direct dependencies with the same bounds."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {
        requirement.replace(" ", "")
        for group in (project["dependencies"], *project["optional-dependencies"].values())
        for requirement in group
    }
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    conda = yaml.safe_load(text)
    pip = next(entry["pip"] for entry in conda["dependencies"] if isinstance(entry, dict))
    listed = [entry for entry in conda["dependencies"] if isinstance(entry, str)] + pip[:-1]
    assert {entry.replace(" ", "") for entry in listed} - {"pip"} == wanted | {
        "python" + project["requires-python"]
    }
    assert pip[-1] == "-e ."
    order = [text.index(f"# {section}:") for section in ("run", "analyse", "cluster", "test")]
    assert order == sorted(order)


def _pinned(lock):
    """The blocks of a lock, a package each, in the order of the file: (name, text)."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    return [(_bare(block), block) for block in re.split(r"\n(?=\S)", text.strip())]


def test_the_locks_pin_all_with_hashes_and_no_address():
    """What a briefing needs is in the first lock, what tests and analysts need in both together;
    each pin has a hash; no line holds an address."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    first, second = _pinned("requirements.lock"), _pinned("requirements-test.lock")
    run = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    groups = project["project"]["optional-dependencies"].values()
    both = run + [requirement for group in groups for requirement in group]
    for wanted, blocks in ((run, first), (both, first + second)):
        needed = {_bare(requirement).replace("_", "-") for requirement in wanted}
        assert needed <= {name for name, _ in blocks}
    assert {"pymupdf", "pytest", "jupyterlab"}.isdisjoint(name for name, _ in first)
    for _, block in [*first, *second, *_pinned("tests/npm.lock")]:
        assert "==" in block
        assert "--hash=sha256:" in block
        assert "://" not in block
        assert "--index" not in block
    packages = json.loads((ROOT / "tests" / "package-lock.json").read_text("utf-8"))["packages"]
    for name, package in packages.items():
        assert not name or package["integrity"].startswith("sha512-")
        assert "resolved" not in package


def test_the_test_lock_goes_on_top_of_the_first():
    """What both locks pin (as one of them needs it on fewer systems) has the same version in both,
    and what the first has everywhere is not in the second."""
    first = dict(_pinned("requirements.lock"))
    pin = re.compile(r"(\S+==\S+)(?: ; (.*?))?(?: \\)?\n")
    versions = {pin.match(block)[1] for _, block in _pinned("requirements.lock")}
    both = [(name, block) for name, block in _pinned("requirements-test.lock") if name in first]
    assert both
    for name, block in both:
        assert pin.match(block)[1] in versions
        assert pin.match(first[name])[2], f"{name} is in both locks"


def test_the_readme_shows_every_command_and_notebook():
    """Each command of `ward` stands in the README with an example, and each notebook."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make briefing" in readme
    assert "make test" in readme
    for command in ("ward run ", "ward check", "ward intake ", "ward page ", "ward list"):
        assert command in readme
    for path in NOTEBOOKS:
        assert f"`{path.stem}`" in readme
    assert (ROOT / ".github" / "briefing.png").is_file()
    assert ".github/briefing.png" in readme


def test_every_ward_command_of_the_readme_is_a_command():
    """What the README tells to type is understood: each example parses."""
    from typer.main import get_command

    from wardlib.cli import app

    group = get_command(app)
    examples = re.findall(
        r"^ {4}(?:\.venv/bin/)?(ward .*)$", (ROOT / "README.md").read_text("utf-8"), re.M
    )
    assert len(examples) >= 4
    for example in examples:
        _, name, *words = shlex.split(example)
        command = group.commands[name]
        command.make_context(name, words)


def test_code_is_clean():
    """ruff finds nothing, in code, tests, notebooks and data scripts."""
    subprocess.run([sys.executable, "-m", "ruff", "check", "--quiet", ROOT], check=True)
    subprocess.run([sys.executable, "-m", "ruff", "format", "--check", "--quiet", ROOT], check=True)


def test_types_agree(tmp_path):
    """mypy, as strict as pyproject.toml has it, finds nothing in the package."""
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--cache-dir", tmp_path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


def test_nothing_names_this_machine():
    """No absolute path of a checkout and no address of a package registry in tracked files."""
    words = [str(ROOT.parent) + "/", "py" + "pi.org", "python" + "hosted"]
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    assert len(tracked) > 30
    for name in filter(None, tracked):
        if (ROOT / name).is_dir():  # a link to a folder whose files are looked at
            continue
        text = (ROOT / name).read_bytes().decode("utf-8", "replace")
        assert not [word for word in words if word in text], name
