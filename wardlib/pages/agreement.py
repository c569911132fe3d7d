"""Agreement: whether all that a notebook shows is of one edition, the one that its parameters ask for, and
was made by one run of its cells from the top. A notebook of which that is not so makes no paper."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nbformat import NotebookNode

from wardlib.errors import ExportError, RequestError, Said, said
from wardlib.pages.block import digest_of, known
from wardlib.periods import Period

_NAMED = ("ward", "period", "language", "as_of")  # what a parameters cell says of an edition
_UNITS = (
    "ward",
    "district",
)  # how a notebook for wards, one for districts calls the first of these
_AGREED = (*_NAMED, "day", "illustrative")
_UNKNOWN = {**dict.fromkeys((*_NAMED, "day"), "?"), "as_of": "", "illustrative": False}
_PARAMETERS = (
    "parameters",
    "injected-parameters",
)  # as papermill tags them; the injected one is the newer


def cell_name(notebook: NotebookNode, at: int) -> str:
    """What a message calls a cell, by its place from 0 on: `cell 3 (tax-chart)`; the id, which a notebook
    of nbformat 4.4 has not, is what `ward run` names too."""
    name = notebook.cells[at].get("id", "")
    return f"cell {at + 1} ({name})" if name else f"cell {at + 1}"


def tags(cell: Mapping[str, Any]) -> set[str]:
    """The tags of a cell."""
    return set(cell["metadata"].get("tags", []))


def is_parameters(cell: Mapping[str, Any]) -> bool:
    """Whether it is a cell of parameters, the notebook's own or the one that papermill puts below it."""
    return bool(tags(cell) & set(_PARAMETERS))


def ask(notebook: NotebookNode) -> None:
    """Raise ExportError, which names both editions and the first cell that differs, where the notebook's
    blocks, its head and its parameters are of several editions; where its cells did not run one after the
    other, one that may show something has not run, or one was changed after it had."""
    _one_edition(notebook)
    _one_run(notebook)
    _one_source(notebook)


def _one_edition(notebook: NotebookNode) -> None:
    asked = _asked(notebook)
    first: dict[str, Any] = {}
    for at, of in _shown(notebook):
        named = _UNKNOWN | of
        if not _fits({name: asked[name] for name in asked if name in of}, of):
            wanted = said("its parameters ask for {it}", it=_name(named | asked, known=False))
            raise _mixed(cell_name(notebook, at), _name(named), wanted)
        first = first or {"at": at, **of}
        if any(of[name] != first[name] for name in _AGREED if name in of and name in first):
            where, it = cell_name(notebook, first["at"]), _name(_UNKNOWN | first)
            other = said("{cell} shows {it}", cell=where, it=it)
            raise _mixed(cell_name(notebook, at), _name(named), other)


def _mixed(cell: str, edition: str, other: Said) -> ExportError:
    return ExportError(
        said(
            "the notebook shows two editions: {cell} shows {edition}; {other}. Run it again from the top.",
            cell=cell,
            edition=edition,
            other=other,
        )
    )


def supposed(output: Mapping[str, Any]) -> str:
    """What was supposed for what an output shows, "" where nothing was or it is none of ours."""
    content = known(output)
    of = content["of"] if content else _of(output)
    return str(of.get("assumptions", ""))


def _shown(notebook: NotebookNode) -> Iterator[tuple[int, dict[str, Any]]]:
    """Of each thing of ours that the notebook shows the place of its cell, and of which edition it is; a
    result does not know all of that."""
    for at, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if content := known(output):
                yield at, content["of"] | {"as_of": content["of"]["as_of"] or ""}
            elif of := _of(output):
                yield at, of


def _of(output: Mapping[str, Any]) -> dict[str, Any]:
    """Of which edition a page or a result is that a cell shows as it is (see `Shown`)."""
    given = output.get("metadata", {}).get("wardlib-of")
    if not isinstance(given, dict):
        return {}
    return {
        name: value or ("" if value is None else value)
        for name, value in given.items()
        if isinstance(value, (str, bool)) or value is None
    }


def _asked(notebook: NotebookNode) -> dict[str, Any]:
    """What the parameters say of the edition; ExportError where they are no plain values."""
    found = _parameters(notebook)
    ward, district = _UNITS
    if district in found:
        found.setdefault(ward, found.pop(district))
    return {name: found[name] for name in _NAMED if name in found}


def unit(notebook: NotebookNode) -> str:
    """By which parameter a notebook names its ward: "ward", or "district" in one for districts."""
    ward, district = _UNITS
    found = _parameters(notebook)
    return district if district in found and ward not in found else ward


def _parameters(notebook: NotebookNode) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for at, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and is_parameters(cell):
            found |= _values(cell.source, cell_name(notebook, at))
    return found


def _values(source: str, cell: str) -> dict[str, Any]:
    """The plain values that a cell gives to the names of an edition's parameters."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        raise _unread(cell) from None
    found = {}
    for statement in tree.body:
        targets: Sequence[ast.expr] = ()
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets = [statement.target]
        name = targets[0].id if len(targets) == 1 and isinstance(targets[0], ast.Name) else ""
        value = getattr(statement, "value", None)
        if name and isinstance(value, ast.Constant):
            found[name] = value.value
        elif _stored(statement):
            raise _unread(cell)
    return {name: found[name] for name in (*_UNITS, *_NAMED[1:]) if name in found}


def _stored(statement: ast.stmt) -> bool:
    """Whether a statement gives a value to a parameter of an edition."""
    return any(
        isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Store)
        and node.id in (*_NAMED, *_UNITS)
        for node in ast.walk(statement)
    )


def _unread(cell: str) -> ExportError:
    return ExportError(
        said(
            "{cell} does not say plainly which edition is asked for: give each parameter its value on a line "
            'of its own, such as period = "2020-Q3", and run the notebook again from the top.',
            cell=cell,
        )
    )


def _fits(asked: Mapping[str, Any], of: Mapping[str, Any]) -> bool:
    """Whether an edition is the one that is asked for; papermill's `-p` makes numbers of "2020" and
    "00139", which mean the same."""
    for name, value in asked.items():
        text, own = str(value), str(of[name])
        if name == "period":
            try:
                text = str(Period.parse(text))
            except RequestError:
                return False
        if text != own and not (isinstance(value, int) and own.isdecimal() and int(own) == value):
            return False
    return True


def _name(of: Mapping[str, Any], *, known: bool = True) -> Said:
    """An edition as a message calls it; where it is only asked for, what its data say is not `known`."""
    named: dict[str, object] = {name: of[name] for name in ("ward", "period", "language")}
    day, kind = "", ""
    if of["as_of"]:
        day = said(" as of {day}", day=of["as_of"])
    elif known:
        day = said(", known on {day}", day=of["day"])
    if known and of["illustrative"]:
        kind = said(", illustrative figures")
    return said("{ward}, {period}{day}, {language}{kind}", **named, day=day, kind=kind)


def _one_run(notebook: NotebookNode) -> None:
    """The numbers that a kernel gives its cells must rise down the notebook. A notebook whose cells have
    none, as a program makes one, says nothing of it."""
    ran = [
        (at, cell.get("execution_count"), bool(cell.outputs))
        for at, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and _does(cell)
    ]
    if all(count is None for _, count, _ in ran):
        return
    last, above = 0, ""
    for at, count, shows in ran:
        name = cell_name(notebook, at)
        if count is None and not shows:
            raise ExportError(
                said(
                    "{cell} has not run, so what it may show is not on the page. Run the notebook again from "
                    "the top, or remove that cell.",
                    cell=name,
                )
            )
        if count is not None and count <= last:
            raise ExportError(
                said(
                    "{cell} ran before {above}, which stands above it: what they show may not belong "
                    "together. Run the notebook again from the top.",
                    cell=name,
                    above=above,
                )
            )
        last, above = (last, above) if count is None else (count, name)


def _does(cell: Mapping[str, Any]) -> bool:
    """Whether a code cell does something when it runs: it is neither empty nor a comment, and no run is
    told to pass it over."""
    lines = (line.strip() for line in cell["source"].splitlines())
    return "skip-execution" not in tags(cell) and any(
        line and not line.startswith("#") for line in lines
    )


def _one_source(notebook: NotebookNode) -> None:
    """What a block was shown by must stand in the notebook still; in which cell is left open, as a cell may
    show what another one has captured, and change what it shows. Of the head and of the sources, which say
    what had run in their session, so must every cell above them: one that was changed since, or ran before
    the kernel was started again, is none of these."""
    code = [
        (at, digest_of(cell.source))
        for at, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and _does(cell)
    ]
    there = {digest for _, digest in code}
    for at, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            content = output.get("metadata", {}).get("wardlib", {})
            if content and content.get("by", "") not in {"", *there}:
                raise _changed(cell_name(notebook, at))
            if ran := content.get("ran"):
                above = (each for each, digest in code if each <= at and digest not in ran)
                if (changed := next(above, None)) is not None:
                    raise _changed(cell_name(notebook, changed))


def _changed(cell: str) -> ExportError:
    return ExportError(
        said(
            "{cell} was changed after it had run, or ran in another session: what stands on the page is from "
            "before. Run the notebook again from the top.",
            cell=cell,
        )
    )
