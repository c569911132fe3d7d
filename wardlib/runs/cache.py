"""What need not run again: a job whose code, parameters, data and packages are those of its record,
and whose outputs stand unharmed.

The record is the `run.json` of the job's folder, written after the other files. Of the data it holds
the day on which they were known, and the digest of the rows that the notebook really read: what is
reported after that day changes no earlier job.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

from wardlib import provenance
from wardlib.data import descriptors, disclosure, reading
from wardlib.data.descriptors import Table
from wardlib.data.reading import Sheet, View
from wardlib.errors import WardError
from wardlib.periods import Period
from wardlib.provenance import digest, digest_bytes
from wardlib.runs import plans
from wardlib.runs.plans import Job

RECORD = "run.json"
CURRENT, PROSE, STALE = "current", "prose", "stale"
_WRITING = 10 * 10**9  # ns; writing the files of a job takes less


def code(notebook: Path) -> str:
    """The digest of a notebook's code: the cells that run, with their tags, without the prose."""
    text = json.dumps(plans.cells(notebook), ensure_ascii=False)
    return digest_bytes(text.encode())


def state(job: Job) -> str:
    """`CURRENT` where the job's outputs are what a run would make; `PROSE` where only the words
    between the cells have changed; else `STALE`, and where the evidence of a failure stands beside
    outputs that were good before.

    Cheap for jobs of one ward after each other: its tables are read again where a file has changed. Of a
    district each ward's are read, and let go."""
    home = descriptors.home()
    folder, source = job.folder, home / "notebooks" / f"{job.notebook}.ipynb"
    try:
        record = json.loads((folder / RECORD).read_bytes())
        changed = source.stat().st_mtime_ns
        packages = {name: _package(home, name) for name in (job.ward, descriptors.REFERENCE)}
        same = (
            record["parameters"] == job.parameters
            and record["versions"] == provenance.versions()
            and record["code"] == _code(source, changed)
            and _unchanged(packages, job, record["day"], record["data"])
            and _unharmed(folder, record["outputs"], record["bytes"])
            and not folder.with_name(f"{job.name}.failed").exists()
        )
        if not same:
            return STALE
        name, prose = next(iter(record["notebook"].items()))
    except (OSError, ValueError, KeyError, AttributeError, TypeError, WardError):
        return STALE
    now = _file(source, changed)
    return CURRENT if (name, prose) == (f"notebooks/{source.name}", now) else PROSE


def _unharmed(folder: Path, outputs: dict[str, str], sizes: dict[str, int]) -> bool:
    """Whether the files are there and are those recorded. Their bytes are read only where their
    times are not those of a job that was just written, the marker last."""
    with os.scandir(folder) as inside:
        found = {entry.name: entry.stat() for entry in inside}
    written = _touched(found[RECORD])
    for name, recorded in outputs.items():
        known = found[name]
        if known.st_size != sizes[name]:
            return False
        if not 0 <= written - _touched(known) < _WRITING and digest(folder / name) != recorded:
            return False
    return bool(outputs)


def _touched(known: os.stat_result) -> int:
    """When a file was changed last; Windows keeps another time under the name of `st_ctime`."""
    return max(known.st_ctime_ns, known.st_mtime_ns)


def _unchanged(packages: dict[str, _Package], job: Job, day: str, read: dict[str, str]) -> bool:
    """Whether what was `read` of each file by one who sees what was known on a `day` is there today ("" where
    the ward has no such file), and the day is that of the job's edition; see `Book.day`. Of a district each
    ward is looked at once."""
    dating = {job.ward}
    if plans.of(job.notebook) == plans.DISTRICT:
        dating |= descriptors.ward(job.ward).members(Period.parse(job.period)).keys()
    newest = ""
    for file, recorded in read.items():
        _, package, name = file.split("/")
        own = packages.get(package) or _package(descriptors.home(), package)
        if own.digest(name, day) != recorded:
            return False
        if package in dating:
            newest = max(newest, own.day(job.period))
    return day == (job.as_of or newest)


class _Package:
    """What the files of a package hold, for as long as none of them changes: each is read once."""

    def __init__(self, name: str) -> None:
        self._name = name
        tables = descriptors.package(name).tables.values()
        self._tables = {table.path.name: table for table in tables}
        self._sheets: dict[Path, Sheet] = {}
        self._days: dict[str, str] = {}
        self._digests: dict[tuple[str, str], str] = {}

    def day(self, period: str) -> str:
        """The day of a period's edition as the data are now; see `Book.day`."""
        if period not in self._days:
            asked = Period.parse(period)
            sheets = [self._sheet(table) for table in self._tables.values() if table.is_reported]
            days = [reading.last_report(sheet, asked) for sheet in sheets]
            self._days[period] = max(days, default="")
        return self._days[period]

    def digest(self, name: str, day: str) -> str:
        """The digest of a file's rows known on a day, or of the descriptor; "" where there is none."""
        if (name, day) not in self._digests:
            self._digests[name, day] = self._digest(name, day)
        return self._digests[name, day]

    def _digest(self, name: str, day: str) -> str:
        if name == descriptors.DESCRIPTOR:
            return descriptors.digest_descriptor(self._name)
        table = self._tables.get(name)
        return disclosure.digest(table, View(day), self._sheet(table)) if table else ""

    def _sheet(self, table: Table) -> Sheet:
        if table.path not in self._sheets:
            self._sheets[table.path] = reading.sheet(table.path)
        return self._sheets[table.path]


def _package(home: Path, name: str) -> _Package:
    folder = home / "data" / name
    return _made(folder, reading.stamps(folder))


# Jobs come ward by ward: a few packages are enough, however many there are.
@functools.lru_cache(maxsize=4)
def _made(folder: Path, _: reading.Stamps) -> _Package:
    return _Package(folder.name)


@functools.lru_cache(maxsize=64)
def _code(notebook: Path, _: int) -> str:
    return code(notebook)


@functools.lru_cache(maxsize=64)
def _file(path: Path, _: int) -> str:
    return digest(path)


def notebook(job: Job) -> dict[str, Any]:
    """What a record says of the job's notebook as it is now."""
    return {
        "notebook": {f"notebooks/{job.source.name}": digest(job.source)},
        "code": code(job.source),
    }


def record(job: Job, made_from: dict[str, Any], draft: Path) -> dict[str, Any]:
    """The record of a job whose files lie in the folder `draft`: what they were made from (see
    `notebook` and `document.record`), and their digests and sizes. No clock, no host, no path of
    the machine."""
    files = sorted(draft.iterdir())
    return made_from | {
        "parameters": job.parameters,
        "outputs": {file.name: digest(file) for file in files},
        "bytes": {file.name: file.stat().st_size for file in files},
    }


# What the files of a job take where no record tells: more than the largest of both wards' own.
_USUAL = 1_500_000  # bytes
_SAMPLE = 200  # records that are looked at, of all notebooks


def sizes() -> dict[str, int]:
    """By notebook about how many bytes the files of a job take on the disk: the most that one took, of the
    first records that are found; a good deal where none tells."""
    taken: dict[str, int] = defaultdict(lambda: _USUAL)
    records = plans.output().glob(f"*/*/*/{RECORD}")
    for marker in itertools.islice(records, _SAMPLE):
        with contextlib.suppress(OSError, ValueError, KeyError, AttributeError, TypeError):
            size = sum(json.loads(marker.read_bytes())["bytes"].values())
            notebook = marker.parent.stem  # without the language
            taken[notebook] = max(taken.get(notebook, 0), size)
    return taken
