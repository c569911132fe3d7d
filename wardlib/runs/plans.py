"""Plans: which jobs a request asks for, every name in it checked.

A job is one notebook in one language for one ward, period and as-of day. Its files lie in a folder of
their own, `output/<ward>/<period>/<notebook>.<language>/`; a run as of a day has a period folder
`<period>.as-of-<day>`, so that a past briefing never takes the place of today's.
"""

from __future__ import annotations

import ast
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wardlib.data import descriptors
from wardlib.errors import DataError, Problem, RequestError
from wardlib.language import get
from wardlib.periods import Period, parse_day

ALL = "all"  # in place of the wards: every one that has figures for the period
DONE, FAILED, CURRENT, EMPTY = "done", "failed", "up to date", "no figures"


@dataclass(frozen=True, slots=True)
class Job:
    """One notebook to run; the fields but `notebook` are its parameters."""

    notebook: str
    ward: str
    period: str
    language: str
    as_of: str

    @property
    def parameters(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if name != "notebook"}

    @property
    def name(self) -> str:
        return f"{self.notebook}.{self.language}"

    @property
    def source(self) -> Path:
        return descriptors.home() / "notebooks" / f"{self.notebook}.ipynb"

    @property
    def folder(self) -> Path:
        """Where its files are published."""
        period = f"{self.period}.as-of-{self.as_of}" if self.as_of else self.period
        return output() / self.ward / period / self.name

    @property
    def failed(self) -> Path:
        """Where the evidence is kept if it fails."""
        return self.folder.with_name(f"{self.name}.failed")


@dataclass(frozen=True)
class Outcome:
    """How a job ended: `status`; of a failed one `error`, the id of the `cell` ("" where it was none) and, as of
    one that is done, the `file` to look at, relative to the workbook's folder."""

    job: Job
    status: str
    seconds: float = 0.0
    error: str = ""
    cell: str = ""
    file: str = ""


@dataclass(frozen=True)
class Plan:
    """Every combination of wards, periods, languages and notebooks, each named once; its jobs, ward by
    ward, are made as they are asked for."""

    wards: tuple[str, ...]
    periods: tuple[str, ...]
    languages: tuple[str, ...]
    notebooks: tuple[str, ...]
    as_of: str

    def __iter__(self) -> Iterator[Job]:
        for ward, period, language, notebook in itertools.product(
            self.wards, self.periods, self.languages, self.notebooks
        ):
            yield Job(notebook, ward, period, language, self.as_of)

    def __len__(self) -> int:
        return len(self.wards) * len(self.periods) * len(self.languages) * len(self.notebooks)


def named(file: Path) -> str:
    """A file as a run names it: relative to the workbook's folder."""
    return file.relative_to(descriptors.home()).as_posix()


def output() -> Path:
    """The folder of everything that is published."""
    return descriptors.home() / "output"


def notebooks() -> list[str]:
    """The notebooks of a run: those that are numbered, in order.

    Raises RequestError where their folder cannot be read.
    """
    folder = descriptors.home() / "notebooks"
    try:
        files = list(folder.iterdir())
    except FileNotFoundError:
        files = []
    except OSError as error:
        raise descriptors.unreadable(folder, error) from None
    return sorted(path.stem for path in files if path.match("[0-9]*.ipynb"))


def cells(notebook: Path) -> list[tuple[str, list[str], str]]:
    """(id, tags, source) of the notebook's code cells. Raises ValueError where it is none."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    return [
        (cell["id"], cell["metadata"].get("tags", []), "".join(cell["source"]))
        for cell in content["cells"]
        if cell["cell_type"] == "code"
    ]


def plan(
    periods: Sequence[str],
    *,
    wards: Sequence[str],
    languages: Sequence[str],
    notebooks: Sequence[str],
    as_of: str = "",
) -> Plan:
    """Every combination of what is asked for, once each; `periods` may hold spans, `wards` be `ALL`.

    Raises RequestError with every name, period, day or parameter that is wrong, DataError with every fault
    of the wards' descriptors.
    """
    wards = descriptors.names() if list(wards) == [ALL] else wards
    _, spans, *_ = _each(
        (_ward, wards),
        (Period.span, periods),
        (get, languages),
        (parse_day, [as_of]),
        (_signature, notebooks),
    )
    texts = [str(period) for period in itertools.chain.from_iterable(spans)]
    once = [tuple(dict.fromkeys(names)) for names in (wards, texts, languages, notebooks)]
    return Plan(once[0], once[1], once[2], once[3], as_of)


def wards(jobs: Plan | Sequence[Job]) -> int:
    """How many wards, each as of a day, there are jobs of."""
    return (
        len(jobs.wards) if isinstance(jobs, Plan) else len({(job.ward, job.as_of) for job in jobs})
    )


def known(jobs: Sequence[Job]) -> list[Job]:
    """Those jobs, once each; RequestError with every name in them that is wrong."""
    _each(
        (_ward, [job.ward for job in jobs]),
        (Period.parse, [job.period for job in jobs]),
        (get, [job.language for job in jobs]),
        (parse_day, [job.as_of for job in jobs]),
        (_signature, [job.notebook for job in jobs]),
    )
    return list(dict.fromkeys(jobs))


def _each(*asked: tuple[Callable[[str], Any], Sequence[str]]) -> list[list[Any]]:
    """What each check makes of its names, once each; RequestError with every one that is wrong, DataError
    with every fault that the checks find in files."""
    every, faults = [], []
    problems: set[Problem] = set()
    for check, names in asked:
        made = []
        for name in dict.fromkeys(names):
            try:
                made.append(check(name))
            except RequestError as error:
                faults.append(str(error))
            except DataError as error:
                problems |= set(error.problems)
        every.append(made)
    if faults and problems:
        faults.append(str(DataError(problems)))
    elif problems:
        raise DataError(problems)
    if faults:
        raise RequestError("\n".join(faults))
    return every


def _ward(name: str) -> None:
    """A ward is looked at and let go: a country's descriptors need not lie in memory at once."""
    descriptors.ward(name)


def _signature(notebook: str) -> None:
    """Raise RequestError unless the notebook exists and takes exactly a job's parameters.

    papermill itself only warns of a parameter that a notebook does not have, and runs on with the
    default: a mistyped name would publish the wrong quarter.
    """
    if notebook not in notebooks():
        raise RequestError(
            f"there is no notebook {notebook!r}. Notebooks here: {', '.join(notebooks())}."
        )
    job = Job(notebook, "", "", "", "")
    mend = "mend its parameters cell."
    try:
        tree = ast.parse("\n".join(s for _, tags, s in cells(job.source) if "parameters" in tags))
    except (OSError, ValueError, KeyError, SyntaxError) as error:
        raise RequestError(f"notebooks/{notebook}.ipynb cannot be read ({error}): {mend}") from None
    takes = {
        target.id
        for node in tree.body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    if takes != set(job.parameters):
        raise RequestError(
            f"notebooks/{notebook}.ipynb takes the parameters {', '.join(sorted(takes))}, "
            f"expected {', '.join(sorted(job.parameters))}: {mend}"
        )
