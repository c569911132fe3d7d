"""Plans: which jobs a request asks for, every name in it checked.

A job is one notebook in one language for one ward, period and as-of day; a notebook with the parameter
`district` in place of `ward` is for districts (see `descriptors.Ward.wards`). Its files lie in a folder of
their own, `output/<ward>/<period>/<notebook>.<language>/`; a run as of a day has a period folder
`<period>.as-of-<day>`, so that a past briefing never takes the place of today's.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import itertools
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from wardlib.data import descriptors
from wardlib.errors import DataError, Problem, RequestError
from wardlib.language import get
from wardlib.periods import Period, parse_day

ALL = (
    "all"  # in place of the wards: every one that has figures for the period, districts among them
)
WARD, DISTRICT = "ward", "district"  # for which a notebook is, and its parameter that names one
DONE, FAILED, CURRENT, EMPTY = "done", "failed", "up to date", "no figures"


@dataclass(frozen=True, slots=True)
class Job:
    """One notebook to run; the fields but `notebook` are its parameters, `ward` under the name that it has
    in the notebook."""

    notebook: str
    ward: str
    period: str
    language: str
    as_of: str

    @property
    def parameters(self) -> dict[str, str]:
        unit = of(self.notebook)
        named = {unit if name == WARD else name: value for name, value in asdict(self).items()}
        return {name: value for name, value in named.items() if name != "notebook"}

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
    """Every combination of wards, periods, languages and those of the notebooks that are for such a ward,
    each named once; its jobs, ward by ward, are made as they are asked for. `districts`: which of the
    wards are such."""

    wards: tuple[str, ...]
    periods: tuple[str, ...]
    languages: tuple[str, ...]
    notebooks: dict[str, tuple[str, ...]]  # by WARD, DISTRICT
    as_of: str
    districts: frozenset[str]

    def __iter__(self) -> Iterator[Job]:
        for ward in self.wards:
            for period, language, notebook in itertools.product(
                self.periods, self.languages, self.notebooks[self._kind(ward)]
            ):
                yield Job(notebook, ward, period, language, self.as_of)

    def __len__(self) -> int:
        of_ward = sum(len(self.notebooks[self._kind(ward)]) for ward in self.wards)
        return of_ward * len(self.periods) * len(self.languages)

    def _kind(self, ward: str) -> str:
        return DISTRICT if ward in self.districts else WARD


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


def _numbered() -> tuple[str, ...]:
    return tuple(notebooks())


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
    notebooks: Sequence[str] = (),
    as_of: str = "",
) -> Plan:
    """Every combination of what is asked for, once each; `periods` may hold spans, `wards` be `ALL`, and
    no `notebooks` mean all. A ward gets those that are for wards, a district those for districts.

    Raises RequestError with every name, period, day or parameter that is wrong, and with every ward and
    notebook that is named and has no counterpart; DataError with every fault of the wards' descriptors.
    """
    every = list(wards) == [ALL]
    wards = tuple(dict.fromkeys(descriptors.names() if every else wards))
    asked = tuple(dict.fromkeys(notebooks)) or _numbered()
    kinds, spans, _, _, units = _each(
        (_ward, wards),
        (Period.span, periods),
        (get, languages),
        (parse_day, [as_of]),
        (of, asked),
    )
    if notebooks:
        named = () if every else zip(wards, kinds, strict=True)
        _ask_pairs(dict(named), dict(zip(asked, units, strict=True)), kinds)
    fitting = {
        kind: tuple(name for name, unit in zip(asked, units, strict=True) if unit == kind)
        for kind in (WARD, DISTRICT)
    }
    kept = {ward: kind for ward, kind in zip(wards, kinds, strict=True) if fitting[kind]}
    texts = [str(period) for period in itertools.chain.from_iterable(spans)]
    return Plan(
        wards=tuple(kept),
        periods=tuple(dict.fromkeys(texts)),
        languages=tuple(dict.fromkeys(languages)),
        notebooks=fitting,
        as_of=as_of,
        districts=frozenset(ward for ward, kind in kept.items() if kind == DISTRICT),
    )


def _ask_pairs(
    wards: Mapping[str, str], notebooks: Mapping[str, str], there: Collection[str]
) -> None:
    """Raise RequestError with each of the named wards, by their kind, for which none of the notebooks is,
    and each notebook that is for none of the kinds that are `there`."""
    words = {WARD: "a ward", DISTRICT: "a district"}
    lost = [
        f"{ward} is {words[kind]}: name a notebook that is for {words[kind]}, such as {_first(kind)}."
        for ward, kind in wards.items()
        if kind not in notebooks.values()
    ]
    lost += [
        f"{notebook} is for {words[kind]}: name {words[kind]} with --ward."
        for notebook, kind in notebooks.items()
        if kind not in there
    ]
    if lost:
        raise RequestError("\n".join(lost))


def _first(kind: str) -> str:
    """The first notebook that is for units of a kind; … where there is none."""
    return next((name for name in _numbered() if of(name) == kind), "…")


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
        (of, [job.notebook for job in jobs]),
    )
    for job in jobs:
        _ask_pairs({}, {job.notebook: of(job.notebook)}, [_ward(job.ward)])
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


def _ward(name: str) -> str:
    """Whether it is a ward or a district. It is looked at and let go: a country's descriptors need not lie
    in memory at once."""
    return DISTRICT if descriptors.ward(name).wards else WARD


def of(notebook: str) -> str:
    """For which units a notebook is: WARD or DISTRICT. RequestError unless it exists and takes exactly a
    job's parameters.

    papermill itself only warns of a parameter that a notebook does not have, and runs on with the
    default: a mistyped name would publish the wrong quarter.
    """
    source = descriptors.home() / "notebooks" / f"{notebook}.ipynb"
    with contextlib.suppress(OSError):
        if source.match("[0-9]*.ipynb"):
            return _of(source, source.stat().st_mtime_ns)
    raise RequestError(
        f"there is no notebook {notebook!r}. Notebooks here: {', '.join(notebooks())}."
    )


@functools.lru_cache(maxsize=64)
def _of(source: Path, _: int) -> str:
    mend = "mend its parameters cell."
    try:
        tree = ast.parse("\n".join(s for _, tags, s in cells(source) if "parameters" in tags))
    except (OSError, ValueError, KeyError, SyntaxError) as error:
        raise RequestError(f"notebooks/{source.name} cannot be read ({error}): {mend}") from None
    takes = {
        target.id
        for node in tree.body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    others = set(Job.__slots__) - {"notebook", WARD}
    for unit in (WARD, DISTRICT):
        if takes == others | {unit}:
            return unit
    raise RequestError(
        f"notebooks/{source.name} takes the parameters {', '.join(sorted(takes))}, "
        f"expected {', '.join(sorted(others | {WARD}))}, or {DISTRICT} in place of {WARD}: {mend}"
    )
