"""What need not run again: a job whose code, parameters, data and packages are those of its record,
and whose outputs stand unharmed.

The record is the `run.json` of the job's folder, written after the other files. Of the data it holds
the day on which they were known, and the digest of the rows that the notebook really read: what is
reported after that day changes no earlier job.
"""

from __future__ import annotations

import functools
import json
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
    outputs that were good before."""
    marker = job.folder / RECORD
    try:
        record = json.loads(marker.read_text(encoding="utf-8"))
        same = (
            record["parameters"] == job.parameters
            and record["versions"] == provenance.versions()
            and record["code"] == _code(job.source, job.source.stat().st_mtime_ns)
            and record["day"] == (day := _day(job))
            and record["data"] == {file: _read(file, day) for file in record["data"]}
            and _unharmed(marker, record["outputs"], record["bytes"])
            and not job.failed.exists()
        )
        if not same:
            return STALE
        name, prose = next(iter(record["notebook"].items()))
    except (OSError, ValueError, KeyError, AttributeError, TypeError, WardError):
        return STALE
    now = _file(job.source, job.source.stat().st_mtime_ns)
    return CURRENT if (name, prose) == (f"notebooks/{job.source.name}", now) else PROSE


def _unharmed(marker: Path, outputs: dict[str, str], sizes: dict[str, int]) -> bool:
    """Whether the files are there and are those recorded. Their bytes are read only where their
    times are not those of a job that was just written, the marker last."""
    written = _touched(marker)
    for name, recorded in outputs.items():
        file = marker.with_name(name)
        if file.stat().st_size != sizes[name]:
            return False
        if not 0 <= written - _touched(file) < _WRITING and digest(file) != recorded:
            return False
    return bool(outputs)


def _touched(file: Path) -> int:
    """When a file was changed last; Windows keeps another time under the name of `st_ctime`."""
    known = file.stat()
    return max(known.st_ctime_ns, known.st_mtime_ns)


def _day(job: Job) -> str:
    """The day of the job's edition as the data are now; see `Book.day`."""
    if job.as_of:
        return job.as_of
    path = descriptors.home() / "data" / job.ward / descriptors.DESCRIPTOR
    period = Period.parse(job.period)
    tables = _tables(path, path.stat().st_mtime_ns).values()
    files = [table.path for table in tables if table.is_reported]
    return max((_newest(file, period, _changed(file)) for file in files), default="")


def _read(file: str, day: str) -> str:
    """The digest of what is read of a file today by one who sees what was known on a day; "" where
    the ward has no such file."""
    _, package, name = file.split("/")
    path = descriptors.home() / "data" / package / descriptors.DESCRIPTOR
    if name == descriptors.DESCRIPTOR:
        return _descriptor(path, path.stat().st_mtime_ns)
    table = _tables(path, path.stat().st_mtime_ns).get(name)
    if table is None:
        return ""
    return _rows(table, View(day), _changed(table.path))


def _changed(file: Path) -> int:
    """When a table's file changed last, or what is recorded of it: rows that are being appended count from
    then on."""
    described = file.with_name(descriptors.DESCRIPTOR)
    return max(file.stat().st_mtime_ns, described.stat().st_mtime_ns)


# Thousands of jobs read the same files; each is looked at once as long as its time is the same.
@functools.lru_cache(maxsize=1024)
def _code(notebook: Path, _: int) -> str:
    return code(notebook)


@functools.lru_cache(maxsize=1024)
def _file(path: Path, _: int) -> str:
    return digest(path)


@functools.lru_cache(maxsize=1024)
def _descriptor(path: Path, _: int) -> str:
    return descriptors.digest_descriptor(path.parent.name)


@functools.lru_cache(maxsize=64)
def _tables(path: Path, _: int) -> dict[str, Table]:
    tables = descriptors.package(path.parent.name).tables.values()
    return {table.path.name: table for table in tables}


@functools.lru_cache(maxsize=4096)
def _rows(table: Table, view: View, changed: int) -> str:
    return disclosure.digest(table, view, _sheet(table.path, changed))


@functools.lru_cache(maxsize=4096)
def _newest(path: Path, period: Period, changed: int) -> str:
    return reading.last_report(_sheet(path, changed), period)


@functools.lru_cache(maxsize=64)
def _sheet(path: Path, _: int) -> Sheet:
    return reading.sheet(path)


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


def room(job: Job) -> int:
    return 1_000_000
