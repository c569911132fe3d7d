"""Journal: one step over several tables of a ward. A reader sees all of them as they were before it, or all
as they are after it, and whatever ends it in between leaves one of the two.

Rows are appended to each file, then the descriptor that records their new lengths takes the place of the
former: that is the step. Before anything is appended, a journal in `.accepted/` tells how long each file was
and what comes; as long as the descriptor is the one of before, readers leave that out
(`reading.settled`), and the next intake or `ward check --accept` cuts it off (`settle`). Other rows than those
stay what they are: rows that nobody accepted.

The files that figures came in are kept in `data/<ward>/received/` under what they hash to. They may name
persons, and stay out of git.
"""

from __future__ import annotations

import datetime
import errno
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from wardlib.data import checks, descriptors, reading
from wardlib.data.descriptors import DESCRIPTOR, Ward
from wardlib.data.reading import JOURNAL, KEPT
from wardlib.errors import DataError, Problem, said
from wardlib.provenance import digest_bytes

RECEIVED = "received"  # the folder of the files as they came in
NEXT = ".next"  # ends the name of a copy whose record is not written yet
_PARTIAL = ".partial"  # ends the name of a file that is not written to its end
_WAIT = 60  # seconds that one who writes waits for another


@contextmanager
def held(package: str, files: Iterable[str] = ()) -> Iterator[None]:
    """Alone to write in `data/<package>/`: no other intake or acceptance begins meanwhile, nor ends; may be
    entered again inside. `files`: the names of the tables of which copies will be kept.

    Raises OSError where the folder may not be written, or where something stands in the way that is not
    ours to remove; DataError where another command does not come to its end.
    """
    folder = _folder(package)
    kept = folder / KEPT
    _clear(kept, folder / DESCRIPTOR, [*files, DESCRIPTOR])
    kept.mkdir(exist_ok=True)
    lock = FileLock(kept / ".lock", is_singleton=True)
    try:
        lock.acquire(timeout=_WAIT)
    except Timeout:
        expected = said("a folder in which no other command is at work")
        fix = said("wait until the other command has ended, then run this one again")
        found = said("another command that has been writing here for {count} seconds", count=_WAIT)
        problem = Problem(f"data/{package}/{DESCRIPTOR}", 0, "", found, expected, fix)
        raise DataError([problem]) from None
    try:
        yield
    finally:
        lock.release()


def append(
    ward: Ward, tails: dict[str, bytes], originals: dict[str, bytes], day: datetime.date
) -> None:
    """Append rows (by the name of the ward's table; whole CSV rows, each with its line end) to several
    tables and record them as accepted on `day`, in one step; and keep the files that they came in (by the
    name under which these were given). Tables of `descriptors.arrivals` that the descriptor lacks are added
    to it. To be called after `checks.check` has passed with these `tails`.

    Raises DataError, with nothing changed but files kept, where a table is not as it was accepted, another
    command is at work there and does not end, or the folder cannot be written.
    """
    folder = _folder(ward.id)
    tails = {name: tail for name, tail in tails.items() if tail}
    try:
        with held(ward.id, (f"{name}.csv" for name in tails)):
            settle(folder)
            now = descriptors.ward(ward.id)
            before = _accepted(now, tails)
            for name, data in originals.items():
                _keep(folder / RECEIVED, kept_as(name, data), data)
            if tails:
                _append(folder, descriptors.receiving(now), before, tails, day.isoformat())
    except OSError as error:
        raise DataError([unwritten(folder, error)]) from error


def _accepted(ward: Ward, tails: dict[str, bytes]) -> dict[str, bytes]:
    """By name, the files to append to as they were accepted; b"" for one that the descriptor lacks."""
    before: dict[str, bytes] = {}
    problems: list[Problem] = []
    for name, table in descriptors.receiving(ward).tables.items():
        if name not in tails:
            continue
        data = reading.content(table.path)
        if name not in ward.tables:
            if os.path.lexists(table.path):
                expected = said("no file of this name, as the descriptor has no such table yet")
                fix = said("move the file to another folder")
                found = said("a file that no descriptor describes")
                problems.append(Problem(table.file, 0, "", found, expected, fix))
            before[name] = b""
        elif data is None:
            problems += reading.sheet(table.path).problems
        else:
            problems += checks.changed(table, reading.sheet(table.path, data))
            before[name] = data
            if len(data) + len(tails[name]) > reading.LARGEST:
                most = said("a CSV file of at most {count} bytes", count=f"{reading.LARGEST:,}")
                found = said("no room for {count} bytes more", count=len(tails[name]))
                fix = said("ask who looks after this workbook to begin a new table")
                problems.append(Problem(table.file, 0, "", found, most, fix))
    if problems:
        raise DataError(problems)
    return before


def _append(
    folder: Path, ward: Ward, before: dict[str, bytes], tails: dict[str, bytes], day: str
) -> None:
    """Append the tails to files that are what they were `before`, and record them."""
    target = folder / DESCRIPTOR
    described = json.loads(reading.descriptor(target))
    names = {resource["name"] for resource in described["resources"]}
    new = [own for own in descriptors.arrivals() if own["name"] in tails.keys() - names]
    described["resources"] += new
    after, added, files = {}, {}, {}  # by the name of the file
    for resource in described["resources"]:
        if (name := resource["name"]) not in tails:
            continue
        was, path = before[name], ward.tables[name].path
        header = b"" if was else ",".join(ward.tables[name].columns).encode() + b"\n"
        after[path.name] = data = reading.lengthened(was, header + tails[name])
        added[path.name] = data[len(was) :]
        files[path.name] = {"length": len(was), "tail": added[path.name].decode()}
        note(resource, data, day)
    journal = {"descriptor": digest_bytes(target.read_bytes()), "files": files}
    _replace(folder / KEPT / JOURNAL, json.dumps(journal, ensure_ascii=False).encode())
    try:
        for file, tail in added.items():
            with (folder / file).open("ab") as out:
                out.write(tail)
                out.flush()
                os.fsync(out.fileno())
        record(folder, described, after)
    finally:
        with suppress(OSError):  # as long as it cannot be cut off, no reader sees it
            settle(folder)


def settle(folder: Path) -> None:
    """Cut off what an intake has appended to the tables of a folder without coming to its end, and remove
    its journal. To be called by who holds the folder. Raises OSError where it may not be written."""
    for name, (length, tail) in reading.unsettled(folder).items():
        path = folder / name
        if not os.path.lexists(path):
            continue
        data = path.read_bytes()
        if not tail.startswith(data[length:]):
            continue  # somebody has gone on writing: that is for the checks to tell
        if not length:
            path.unlink()
        elif len(data) > length:
            with path.open("r+b") as file:
                file.truncate(length)
                os.fsync(file.fileno())
    (folder / KEPT / JOURNAL).unlink(missing_ok=True)


def note(resource: dict[str, Any], data: bytes, day: str) -> None:
    """Record in a table's part of the descriptor that its file holds `data`, and since when."""
    now: dict[str, Any] = {"hash": digest_bytes(data), "bytes": len(data)}
    same = all(resource.get(key) == value for key, value in now.items())
    now["accepted_on"] = resource.get("accepted_on", day) if same else day
    schema = resource.pop("schema")  # long: the record stands before it
    resource |= now | {"schema": schema}


def record(folder: Path, described: dict[str, Any], files: dict[str, bytes]) -> None:
    """Write the descriptor, and keep copies of the `files` (by name) that it records.

    A copy is written before its record and takes the former's place after it, so that one of the two is
    always what the descriptor records, whatever ends this. Of a descriptor some of whose tables are not
    among the files, the copy is what it was but for the others: what it says of them is not accepted.
    """
    kept, target = folder / KEPT, folder / DESCRIPTOR
    written = _json(described)
    copies = dict(files)
    if (copy := _remembered(kept / DESCRIPTOR, described, files)) is not None:
        copies[DESCRIPTOR] = copy
    fresh = {name: data for name, data in copies.items() if reading.content(kept / name) != data}
    for name, data in fresh.items():
        _put(kept / f"{name}{NEXT}", data)
    if written != target.read_bytes():
        _replace(target, written)
    for name in fresh:
        (kept / f"{name}{NEXT}").replace(kept / name)


def _remembered(copy: Path, described: dict[str, Any], files: dict[str, bytes]) -> bytes | None:
    """What to keep of a descriptor of which only these files are accepted; None: nothing, as none was
    kept before."""
    own = {part["name"]: part for part in described["resources"] if part["path"] in files}
    if len(own) == len(described["resources"]):
        return _json(described)
    with suppress(OSError, ValueError, KeyError, TypeError):
        former = json.loads(copy.read_bytes())
        parts = [own.pop(part["name"], part) for part in former["resources"]]
        return _json(former | {"resources": [*parts, *own.values()]})
    return None


def _json(described: dict[str, Any]) -> bytes:
    return (json.dumps(described, ensure_ascii=False, indent=2) + "\n").encode()


def kept_as(name: str, data: bytes) -> str:
    """The name under which a file is kept: what it hashes to, and how the name that it came with ends."""
    ending = re.search(r"\.([A-Za-z0-9]{1,8})$", name)
    return digest_bytes(data).removeprefix("sha256:") + (f".{ending[1].lower()}" if ending else "")


def _keep(folder: Path, name: str, data: bytes) -> None:
    """Write a file of what came in, unless it is there."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        text = said("a file or link where the folder of what came in should be")
        raise OSError(errno.ENOTDIR, text, str(folder))
    folder.mkdir(exist_ok=True)
    path = folder / name
    if path.is_symlink() or not path.is_file() or path.read_bytes() != data:
        _replace(path, data)


def _replace(path: Path, data: bytes) -> None:
    """Write a file that is whole as soon as it has its name."""
    partial = path.with_name(f"{path.stem}{_PARTIAL}")
    try:
        _put(partial, data)
        partial.replace(path)
    except OSError:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def _put(path: Path, data: bytes) -> None:
    """Write a file of its own: a link or a pipe that stands there is removed, neither followed nor
    opened."""
    path.unlink(missing_ok=True)
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _clear(kept: Path, target: Path, names: Iterable[str]) -> None:
    """Raise OSError, before anything is written, where something stands in the way that is not ours to
    remove."""
    for path in (kept, kept / ".lock"):
        if path.is_symlink():
            text = said("a link, where a file or folder of its own should be")
            raise OSError(errno.ELOOP, text, str(path))
    if kept.exists() and not kept.is_dir():
        text = said("an ordinary file where the folder of copies should be")
        raise OSError(errno.EEXIST, text, str(kept))
    copies = [kept / f"{name}{end}" for name in names for end in ("", NEXT)]
    for path in (kept / ".lock", kept / JOURNAL, target.with_suffix(_PARTIAL), *copies):
        if path.is_dir() and not path.is_symlink():
            raise OSError(errno.EISDIR, said("a folder where a file should be"), str(path))


def unwritten(folder: Path, error: OSError) -> Problem:
    """What is told where a package's folder cannot be written."""
    place = f"data/{folder.name}"
    expected = said(
        "a folder {folder}/ in which this command may write, and in it {copies}/",
        folder=place,
        copies=KEPT,
    )
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if full:
        fix = said("make room on the disk, then run the command again; nothing was recorded there")
    elif isinstance(error, PermissionError) or error.errno == errno.EROFS or not error.filename:
        fix = said(
            "ask who looks after this computer for the right to write there; nothing was recorded there"
        )
    else:
        way = Path(error.filename).relative_to(folder.parents[1])
        fix = said("remove {file}; nothing was recorded there", file=way)
    found = reading.outside(error.strerror or str(error))
    return Problem(f"{place}/{DESCRIPTOR}", 0, "", found, expected, fix)


def _folder(package: str) -> Path:
    return descriptors.home() / "data" / package
