"""The house as the code has it: floors, rooms, and who imports whom.

    python tests/architecture.py [FOLDER]     measures the package in FOLDER (default: ours)
    python tests/architecture.py --write      brings the tables of ARCHITECTURE.md up to date

Imports are read from the syntax, those inside functions too; what is imported for type checks alone
does not count.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent
CODE = ROOT / "wardlib"
PAPER = ROOT / "ARCHITECTURE.md"
# From the top down: a module imports from floors below its own, or, without a circle, from its own.
FLOORS = ["door", "runs", "pages", "analysis", "data", "ground"]
DOOR = {"charts", "cli", "wardlib"}
_MARKS = re.compile(r"(?s)(<!-- generated -->\n).*?(<!-- end -->)")


def modules(code: Path = CODE) -> dict[str, Path]:
    """Every module by its name below the package ("data.book"); a folder's own by the folder's name
    ("data"), the package's own as "wardlib"."""
    found = {}
    for path in sorted(code.rglob("*.py")):
        *folders, stem = path.relative_to(code).with_suffix("").parts
        found[".".join(folders if stem == "__init__" else [*folders, stem]) or "wardlib"] = path
    return found


def imports(path: Path, known: set[str]) -> tuple[set[str], set[str]]:
    """(modules of wardlib among those `known`, other top-level modules) that a file imports.

    Raises ValueError at an import that begins with a point: it would not say which floor it asks.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    ours, others = set(), set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{path}: {ast.unparse(node)}")
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            names = [str(word.value) for word in node.args if isinstance(word, ast.Constant)]
        else:
            continue
        for name in names:
            head, _, rest = name.partition(".")
            if head != "wardlib":
                others.add(head)
            else:  # a module, or something in one, or in the package itself
                holder = rest.rpartition(".")[0] or "wardlib"
                ours.add(next((own for own in (rest, holder) if own in known), "wardlib"))
    return ours, others


def graph(code: Path = CODE) -> dict[str, set[str]]:
    """By module, the modules of the package that it imports."""
    rooms = modules(code)
    return {name: imports(path, set(rooms))[0] - {name} for name, path in rooms.items()}


def floor(module: str) -> str:
    """The floor of a module: its folder, or what lies beside the folders."""
    folder, dot, _ = module.partition(".")
    if dot or folder in FLOORS:
        return folder
    return "door" if module in DOOR else "ground"


def climbing(arrows: dict[str, set[str]]) -> list[tuple[str, str]]:
    """The imports that point up."""
    level = FLOORS.index  # a new folder is no floor until it stands there
    return [
        (name, other)
        for name, others in arrows.items()
        for other in sorted(others)
        if level(floor(other)) < level(floor(name))
    ]


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle; empty where there is none."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def tables() -> str:
    """A table a floor: its rooms, what each holds, whom it asks."""
    rooms, arrows = modules(), graph()
    said = []
    for name in FLOORS:
        said += [f"### {name}", "", "| room | holds | asks |", "|---|---|---|"]
        for room in (room for room in rooms if floor(room) == name):
            own = [
                other.rpartition(".")[2] if floor(other) == name else other
                for other in sorted(arrows[room])
            ]
            if room == name and not own:
                continue  # the folder's own, which holds nothing but its docstring
            text = ast.get_docstring(ast.parse(rooms[room].read_text(encoding="utf-8"))) or ""
            holds = " ".join(text.partition("\n\n")[0].split()).replace("|", "\\|")
            said.append(f"| `{room.rpartition('.')[2]}` | {holds} | {', '.join(own)} |")
        said.append("")
    return "\n".join(said)


def paper() -> str:
    """ARCHITECTURE.md with its tables as the code has them."""
    return _MARKS.sub(
        lambda marks: f"{marks[1]}\n{tables()}\n{marks[2]}", PAPER.read_text(encoding="utf-8")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=CODE)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    if arguments.write:
        PAPER.write_text(paper(), encoding="utf-8")
        return
    if arguments.folder == CODE and PAPER.read_text(encoding="utf-8") != paper():
        sys.exit("ARCHITECTURE.md is not that of the code: make docs")
    rooms, arrows = modules(arguments.folder), graph(arguments.folder)
    lines = {
        name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in rooms.items()
    }
    largest = max(lines, key=lines.__getitem__)
    folders = {path.parent for path in rooms.values()}
    print(f"folders {len(folders)}, rooms {len(rooms)}, arrows {sum(map(len, arrows.values()))}")
    print(f"lines {sum(lines.values())}, largest room {largest} ({lines[largest]})")
    print(f"arrows up {len(climbing(arrows)) if len(folders) > 1 else 'none to tell'}, ", end="")
    print(f"circle {' > '.join(circle(arrows)) or 'none'}")


if __name__ == "__main__":
    main()
