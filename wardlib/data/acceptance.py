"""Acceptance: what was accepted of each file, and that a file since then has only grown.

A file has grown if it begins with the bytes that were accepted and goes on with rows of its own: the
descriptor records how many bytes they are and what they hash to. Any other file is compared with the
accepted one row by row, by primary key, and is refused unless the change is meant (`rewrite`). So is a
table that is no longer in the descriptor.

A file whose form alone has changed (an office program has written other line ends, quotes or marks, or
has sorted the rows) is refused as well, with the words that no figure has changed. It is not taken
silently, because the rows that a printed paper was made from are recorded as they are written, and would
no longer be found; and because who sorts a table may not know that it was saved. Once it is accepted so,
rows that the same program adds are growth again.

The accepted files are kept in `data/<package>/.accepted/`, for comparison alone: a copy counts only if
it hashes as recorded, else the last commits are looked through for one that does. The descriptor is kept
too, so that a table, or a record of a table, that somebody takes out of it is missed. What a descriptor
records counts before what was kept here, for it may have come from a colleague who accepted it; but not
where the file kept here begins with the recorded one and goes on: then that record is an earlier one.
"""

from __future__ import annotations

import datetime
import functools
import hashlib
import json
import os
import subprocess
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from wardlib.data import descriptors, journal, reading
from wardlib.data.descriptors import DESCRIPTOR, REFERENCE, Package, Table, Ward
from wardlib.data.journal import NEXT
from wardlib.data.reading import KEPT, Row
from wardlib.errors import DataError, Problem, RequestError, said
from wardlib.provenance import digest_bytes

_SHOWN = 5  # differences of a kind that are named one by one
_MONTHS = 12  # months, or years, that a sentence counts
_COMMITS = 20  # commits of a file that are looked through


@dataclass(frozen=True)
class _File:
    """A table's file as it stands: its bytes, what is said of it where it is accepted ("" for one that
    has not changed), and what it has lost since it was accepted."""

    table: Table
    data: bytes
    said: str
    losses: tuple[Problem, ...]


@dataclass(frozen=True)
class _Proposed:
    """A package with its files as they stand, the tables (by name) that its descriptor has lost, and the
    lines that tell what else of it bears on every page."""

    package: Package
    files: tuple[_File, ...]
    losses: dict[str, Problem]
    turned: tuple[str, ...]


@dataclass(frozen=True)
class Proposal:
    """What stands to be accepted: the files of some wards and of the reference."""

    packages: tuple[_Proposed, ...]

    def losses(self, meant: Collection[str] = ()) -> list[Problem]:
        """What accepted files and descriptors have lost, or what has changed in them, sorted; without
        that of the tables that are `meant` to change ("receipts", "reference/tet")."""
        own = self._losses()
        return sorted(loss for name in own if name not in meant for loss in own[name])

    def ask(self, meant: Collection[str]) -> None:
        """Raise RequestError for a name of which nothing was lost or changed; not for a table whose file
        cannot be read: the checks name it."""
        losses = self._losses()
        unread = {
            _name(proposed.package.id, name)
            for proposed in self.packages
            for name in proposed.package.tables.keys()
            - {file.table.name for file in proposed.files}
        }
        if unknown := sorted(set(meant) - losses.keys() - unread):
            raise RequestError(
                said(
                    "--rewrite {unknown}: nothing accepted was lost or changed there. Tables of which "
                    "something was: {names}.",
                    unknown=" ".join(unknown),
                    names=", ".join(sorted(losses)) or said("none"),
                )
            )

    def _losses(self) -> dict[str, list[Problem]]:
        """What was lost or changed, by the name of the table."""
        problems: dict[str, list[Problem]] = {}
        for proposed in self.packages:
            for file in proposed.files:
                if file.losses:
                    name = _name(proposed.package.id, file.table.name)
                    problems.setdefault(name, []).extend(file.losses)
            for table, loss in proposed.losses.items():
                problems.setdefault(_name(proposed.package.id, table), []).append(loss)
        return problems


def propose(wards: Sequence[Ward]) -> Proposal:
    """The files of these wards and of the reference beside those last accepted; nothing is written.

    A file that cannot be read is left out: the checks name it.
    """
    packages: list[tuple[Package, str]] = [(ward, ward.id) for ward in wards]
    packages += [(wards[0].reference, wards[0].id)] if wards else []
    return Proposal(tuple(_proposed(package, ward) for package, ward in packages))


def record(proposal: Proposal, day: datetime.date) -> list[str]:
    """Record each proposed file in its descriptor (`hash`, `bytes`, and `accepted_on`, the `day` on which
    these were recorded), and keep a copy; the lines that tell what was accepted.

    A copy is written before its record and takes the former's place after it, so that one of the two is
    always what the descriptor records, whatever ends this. To be called after every check has passed.
    Raises DataError where a file has changed since it was proposed, or a folder cannot be written.
    """
    lines = []
    for proposed in proposal.packages:
        folder = _folder(proposed.package.id)
        changed = [file for file in proposed.files if file.said]
        try:
            _write(folder, proposed, day.isoformat())
        except OSError as error:
            # Who may not write the reference still accepts a month of the ward's own.
            if changed or proposed.losses:
                raise DataError([journal.unwritten(folder, error)]) from error
        lines += [
            line for file in changed for line in _told(file.table.file, file.said, file.losses[1:])
        ]
        if proposed.losses:
            losses = tuple(proposed.losses.values())
            lines += _told(f"data/{folder.name}/{DESCRIPTOR}", said("rewritten"), losses)
        lines += proposed.turned
    return lines


def _name(package: str, table: str) -> str:
    """A table as `--rewrite` names it."""
    return f"{REFERENCE}/{table}" if package == REFERENCE else table


def _folder(package: str) -> Path:
    return descriptors.home() / "data" / package


# ---------------------------------------------------------------------------------------- writing


def _write(folder: Path, proposed: _Proposed, day: str) -> None:
    """Keep the copies and write the record of a package."""
    files = {file.table.path.name: file for file in proposed.files}
    with journal.held(folder.name, files):
        journal.settle(folder)
        described = json.loads(reading.descriptor(folder / DESCRIPTOR))
        for resource in described["resources"]:
            file = files.get(resource["path"])
            if file is None or reading.content(file.table.path) != file.data:
                raise DataError([_overtaken(f"data/{folder.name}/{resource['path']}")])
            journal.note(resource, file.data, day)
        journal.record(folder, described, {name: file.data for name, file in files.items()})


def _overtaken(file: str) -> Problem:
    return Problem(
        file,
        0,
        "",
        said("a file that changed while it was checked"),
        said("the file that was checked"),
        said("run the command again"),
    )


def _told(file: str, what: str, losses: tuple[Problem, ...]) -> list[str]:
    """The lines that tell that a file was accepted, and over which differences."""
    lines: list[str] = [said("accepted {file}: {what}", file=file, what=what)]
    for loss in losses:
        change = said("{found} (before: {expected})", found=loss.found, expected=loss.expected)
        if loss.row and loss.column:
            change = said(
                "row {row}, column {column}: {change}",
                row=loss.row,
                column=loss.column,
                change=change,
            )
        elif loss.row:
            change = said("row {row}: {change}", row=loss.row, change=change)
        lines.append(said("  {change}", change=change))
    return lines


# --------------------------------------------------------------------------------------- proposing


def _proposed(package: Package, ward: str) -> _Proposed:
    """A package beside what was accepted of it; `ward` is whose acceptance takes it in."""
    descriptor = _former_descriptor(package.id)
    former = _former_resources(descriptor)

    def meant(table: str) -> str:
        name = _name(package.id, table)
        command = f"ward check --ward {ward} --accept --rewrite {name}"
        return said("if the change is meant, run `{command}`", command=command)

    files = []
    for table in package.tables.values():
        data = reading.content(table.path)
        if data is not None:
            own = former.get(table.name, {})
            files.append(_examined(table, data, own, meant(table.name)))
    losses = {
        name: Problem(
            f"data/{package.id}/{DESCRIPTOR}",
            0,
            "",
            said("no table {table}", table=name),
            _missed(name, resource),
            said(
                "put the table back into the descriptor, and its file beside it; or, {meant}",
                meant=meant(name),
            ),
        )
        for name, resource in former.items()
        if name not in package.tables
    }
    return _Proposed(package, tuple(files), losses, tuple(_turned(package, descriptor)))


def _missed(table: str, resource: dict[str, Any]) -> str:
    """What a descriptor should hold that has lost a table."""
    file = resource["path"]
    if day := resource.get("accepted_on"):
        return said(
            "the table {table} of {file}, which was accepted on {day}",
            table=table,
            file=file,
            day=day,
        )
    return said("the table {table} of {file}, which was accepted", table=table, file=file)


def _turned(package: Package, former: Any) -> Iterator[str]:
    """What a ward's descriptor says otherwise than when it was last accepted, where that bears on every
    page: told, not refused."""
    before = former.get("ward") if isinstance(former, dict) else None
    if not isinstance(package, Ward) or not isinstance(before, dict):
        return
    place = f"data/{package.id}/{DESCRIPTOR}"
    if before.get("illustrative", package.illustrative) != package.illustrative:
        if package.illustrative:
            yield said("note {file}: from now on all pages are marked as illustrative", file=place)
        else:
            yield said("note {file}: from now on all pages lose the mark illustrative", file=place)
    for name, value in (("areas", list(package.areas)), ("currency", package.currency)):
        if before.get(name, value) != value:
            yield said(
                "note {file}: {key} was {before}, and is now {now}",
                file=place,
                key=name,
                before=before[name],
                now=value,
            )


def _former_descriptor(package: str) -> Any:
    """What the descriptor held when it was last accepted, else when it was last committed; None where
    neither is at hand."""
    path = _folder(package) / DESCRIPTOR
    kept = reading.content(path.parent / KEPT / DESCRIPTOR)
    data = kept if kept is not None else next((data for _, data in _committed(path)), b"")
    with suppress(ValueError):
        return json.loads(data)
    return None


def _former_resources(former: Any) -> dict[str, dict[str, Any]]:
    """By name, the tables with a record that a former descriptor held."""
    # It may be of another time, and of another form.
    with suppress(TypeError, KeyError, AttributeError):
        return {
            str(resource["name"]): resource
            for resource in former["resources"]
            if resource.get("hash") and resource["path"] == Path(resource["path"]).name
        }
    return {}


def _examined(table: Table, data: bytes, former: dict[str, Any], meant: str) -> _File:
    """A file beside the one that it was when it was accepted."""
    record = _recorded(table, former)
    if digest_bytes(data) == record.hash:
        what = "" if table.hash == record.hash else said("as it was accepted before")
        return _File(table, data, what, ())
    if not record.hash:
        rows = _counted([], _rows(table, data)[1:])
        return _File(table, data, said("first accepted, {rows}", rows=rows), ())
    end = record.end(data)
    if end is not None and reading.ends_a_row(data, end):
        header = _rows(table, data[: data.find(b"\n") + 1])  # of a large file the rest is known
        return _File(table, data, _counted(header, _rows(table, data[end:]), "more"), ())
    found = _accepted(table, record, former)
    new = _rows(table, data)
    if found is None or not new:
        now = said("{rows} in {count} bytes", rows=_counted([], new[1:]), count=f"{len(data):,}")
        expected = said("the file that was accepted, and new rows after it")
        if record.length is not None:
            expected = said(
                "the file of {count} bytes that was accepted, and new rows after it",
                count=f"{record.length:,}",
            )
        if found:
            fix = _put_back(found[1], meant)
        else:
            fix = said("put the former file back, new rows at its end; or, {meant}", meant=meant)
            expected = said(
                "{expected}; that file is not at hand, neither in {folder}/ nor in the last commits, "
                "so no row can be named",
                expected=expected,
                folder=f"data/{table.package}/{KEPT}",
            )
        loss = Problem(table.file, 0, "", now, expected, fix)
        return _File(table, data, said("rewritten, {what}", what=now), (loss,))
    before, place = found
    old = _rows(table, before)
    head, parts, named = _differing(table, old, new, _form(before, data))
    if not head:
        return _File(table, data, parts, ())
    expected = said("the accepted file ({rows}), new rows after it", rows=_counted([], old[1:]))
    summing = said("{what}: {parts}", what=head, parts=parts)
    summary = Problem(table.file, 0, "", summing, expected, _put_back(place, meant))
    return _File(table, data, said("rewritten, {what}", what=parts), (summary, *named))


def _put_back(place: str, meant: str) -> str:
    return said(
        "put the former file back ({place}), new rows at its end; or, {meant}",
        place=place,
        meant=meant,
    )


def _recorded(table: Table, former: dict[str, Any]) -> _Record:
    """What was accepted of a table: what the descriptor records, or, where that was taken out or put back
    to an earlier day, what the `former` descriptor records."""
    own = _Record(table.hash, table.bytes)
    last = _Record(former.get("hash", ""), former.get("bytes"))
    if not own.hash:
        return last
    kept = reading.content(table.path.parent / KEPT / former.get("path", table.path.name)) or b""
    went_on = digest_bytes(kept) == last.hash and own.end(kept) is not None
    return last if went_on else own


@dataclass(frozen=True)
class _Record:
    """What a descriptor says of an accepted file: the hash of its bytes, and how many they are; None
    where that was not recorded yet."""

    hash: str
    length: int | None

    def end(self, data: bytes) -> int | None:
        """How many of the first bytes of `data` are the accepted file; None where it does not begin
        with it."""
        if digest_bytes(data) == self.hash:
            return len(data)
        if self.length is not None:
            return self.length if digest_bytes(data[: self.length]) == self.hash else None
        # Recorded without its length: it ended where a row does.
        so_far, at = hashlib.sha256(), 0
        for line in data.splitlines(keepends=True):
            for part in (line.rstrip(b"\r\n"), line[len(line.rstrip(b"\r\n")) :]):
                so_far.update(part)
                at += len(part)
                if f"sha256:{so_far.hexdigest()}" == self.hash:
                    return at
        return None


def _accepted(table: Table, record: _Record, former: dict[str, Any]) -> tuple[bytes, str] | None:
    """The accepted file and where it is, as a clerk finds it: a copy, or in a commit; None where
    neither has the bytes of the record."""
    folder = table.path.parent
    names = dict.fromkeys([table.path.name, former.get("path", table.path.name)])
    copies = (
        (reading.content(folder / KEPT / f"{name}{end}"), f"data/{folder.name}/{KEPT}/{name}{end}")
        for name in names
        for end in ("", NEXT)
    )
    commits = (
        (data, f"`git checkout {commit[:12]} -- data/{folder.name}/{name}`")
        for name in names
        for commit, data in _committed(folder / name)
    )
    for found in (copies, commits):
        for data, place in found:
            if data is not None and (end := record.end(data)) is not None:
                return data[:end], place
    return None


def _committed(path: Path) -> Iterator[tuple[str, bytes]]:
    """The last commits that changed a file, newest first, each with the file as it was in it; none
    without git or a repository."""

    def git(*words: str) -> bytes:
        return subprocess.run(
            ["git", *words],
            cwd=path.parent,
            env=os.environ | {"GIT_LITERAL_PATHSPECS": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=20,
        ).stdout

    with suppress(OSError, subprocess.SubprocessError):
        for commit in git("log", f"-{_COMMITS}", "--format=%H", "--", path.name).decode().split():
            with suppress(subprocess.CalledProcessError):  # the commit that deleted it
                yield commit, git("cat-file", "blob", f"{commit}:./{path.name}")


# --------------------------------------------------------------------------------------- comparing


class _Difference(NamedTuple):
    """One place of a file that differs: row (that of the former file for what is lost), column, what
    is found, what was accepted."""

    row: int
    column: str
    found: str
    expected: str


def _differing(
    table: Table, old: list[Row], new: list[Row], form: list[str]
) -> tuple[str, str, list[Problem]]:
    """How the rows of a file differ from the accepted ones: whether a figure does, how much of each kind
    (with what is said of the `form`), and the first differences of each."""
    kinds = _differences(table, old, new)
    if not form and (closed := _closed(table, kinds, old, new)):
        return "", closed, []
    lost = len(kinds["lost"])
    if old and new and set(old[0].cells).isdisjoint(new[0].cells):
        lost = len(old) - 1  # not one of its columns is there
    if lost > max(_SHOWN, len(old) // 2) and len(new) > len(old) // 2:
        # Rows that stand there under other keys: another separator, days in another form.
        again = said("{lost} of {count} rows are not found again", lost=lost, count=len(old) - 1)
        other = said("columns of the key may be written in another form, or parted by another sign")
        return said("a file that has not only grown"), _listed([again, *form, other]), []
    later = said("put the former cell back; a later report is a row of its own at the end")
    fixes: dict[str, str] = {
        "column": said("put the column back as it was"),
        "lost": said("put the row back"),
        "changed": later if table.is_reported else said("put the former cell back"),
        "moved": said("put the row back where it stood"),
        "added": said("move the new row to the end"),
    }
    named = [
        Problem(table.file, *difference, fixes[kind])
        for kind, differences in kinds.items()
        for difference in differences[:_SHOWN]
    ]
    parts = [*_sums(kinds, old), *form]
    if old and new and old[0].cells != new[0].cells and not kinds["column"]:
        parts.append(said("columns in another order"))
    if any(kinds[kind] for kind in ("column", "lost", "changed", "added")):
        head = said("a file that has not only grown")
    else:
        head = said("no figure changed, only how they are written")
        parts = parts or [said("other quotes, spaces or empty lines")]
    if any(len(differences) > _SHOWN for differences in kinds.values()):
        parts.append(said("the first {count} of each kind are named", count=_SHOWN))
    return head, _listed(parts), sorted(named)


def _listed(parts: list[str]) -> str:
    """Parts of a sentence as one."""
    return functools.reduce(lambda one, other: said("{one}; {other}", one=one, other=other), parts)


def _closed(
    table: Table, kinds: dict[str, list[_Difference]], old: list[Row], new: list[Row]
) -> str:
    """What is told where nothing but the last month or day of something was filled in, which no new row
    could say of a table without reports, and rows were added at the end; "" for any other difference,
    also one of form."""
    filled = kinds["changed"]
    others = any(own for kind, own in kinds.items() if kind != "changed")
    if others or not filled or table.is_reported:
        return ""
    if any(one.column != "valid_to" or not one.expected.startswith("'',") for one in filled):
        return ""
    lines = {one.row for one in filled}
    pairs = zip(old, new, strict=False)  # what follows the accepted rows is growth
    if any(before.text != now.text for before, now in pairs if now.line not in lines):
        return ""
    rows: str = functools.reduce(
        lambda one, other: said("{one}, {other}", one=one, other=other),
        [said("row {row}: {change}", row=one.row, change=one.found) for one in filled[:_SHOWN]],
    )
    closed = said("{count} cells of valid_to filled ({rows})", count=len(filled), rows=rows)
    if len(filled) == 1:
        closed = said("1 cell of valid_to filled ({rows})", rows=rows)
    more = new[len(old) :]
    return _listed([closed, _counted(new[:1], more, "more")]) if more else closed


def _differences(table: Table, old: list[Row], new: list[Row]) -> dict[str, list[_Difference]]:
    """By kind, where the rows differ, in the order of the file."""
    head_old, head_new = (rows[0].cells if rows else [] for rows in (old, new))
    common = [column for column in head_old if column in head_new]
    key = [column for column in table.primary_key if column in common]
    if key != list(table.primary_key) or not key:
        key = common
    keyed_old, keyed_new = _keyed(old, key), _keyed(new, key)
    at_old = {column: head_old.index(column) for column in common}
    at_new = {column: head_new.index(column) for column in common}
    kinds: dict[str, list[_Difference]] = {
        "column": [
            *(
                _Difference(
                    1,
                    column,
                    said("no such column"),
                    said("the column {column}", column=repr(column)),
                )
                for column in head_old
                if column not in common
            ),
            *(
                _Difference(
                    1,
                    column,
                    said("a new column {column}", column=repr(column)),
                    said("the columns as they were"),
                )
                for column in head_new
                if column not in common
            ),
        ],
        "lost": [
            _Difference(
                row.line,
                "",
                said("row {row} of the accepted file is gone", row=row.line),
                _line(row),
            )
            for key, row in keyed_old.items()
            if key not in keyed_new
        ],
        "changed": [],
        "moved": [],
        "added": [],
    }
    both = [(row, keyed_old[key]) for key, row in keyed_new.items() if key in keyed_old]
    for row, former in both:
        for column in common:
            now, then = _cell(row, at_new[column]), _cell(former, at_old[column])
            if now != then:
                before = said(
                    "{cell}, row {row} of the accepted file", cell=repr(then), row=former.line
                )
                kinds["changed"].append(_Difference(row.line, column, repr(now), before))
    in_order = _in_order([former.line for _, former in both])
    kinds["moved"] = [
        _Difference(
            row.line,
            "",
            _line(row),
            said("its place, row {row} of the accepted file", row=former.line),
        )
        for at, (row, former) in enumerate(both)
        if at not in in_order
    ]
    last = max((row.line for row, _ in both), default=0)
    kinds["added"] = [
        _Difference(
            row.line,
            "",
            said("a new row {cells}", cells=_line(row)),
            said("new rows at the end alone"),
        )
        for key, row in keyed_new.items()
        if key not in keyed_old and row.line < last
    ]
    return kinds


def _keyed(rows: list[Row], key: list[str]) -> dict[tuple[str | int, ...], Row]:
    """The rows under the header by their cells of the key, and how many of the same stand above."""
    if not rows:
        return {}
    places = [rows[0].cells.index(column) for column in key]
    seen: Counter[tuple[str, ...]] = Counter()
    keyed: dict[tuple[str | int, ...], Row] = {}
    for row in rows[1:]:
        cells = tuple(_cell(row, place) for place in places)
        keyed[*cells, seen[cells]] = row
        seen[cells] += 1
    return keyed


def _in_order(numbers: list[int]) -> set[int]:
    """The places of a longest part of `numbers` that rises; the others are those that moved.

    >>> sorted(_in_order([2, 3, 9, 4, 5]))
    [0, 1, 3, 4]
    """
    ends: list[int] = []  # the smallest last number of a rising part, by its length
    at_end: list[int] = []
    before: list[int] = []  # the place before each in the longest part that ends with it
    for place, number in enumerate(numbers):
        length = bisect_left(ends, number)
        ends[length : length + 1] = [number]
        at_end[length : length + 1] = [place]
        before.append(at_end[length - 1] if length else -1)
    found, place = set(), at_end[-1] if at_end else -1
    while place >= 0:
        found.add(place)
        place = before[place]
    return found


def _sums(kinds: dict[str, list[_Difference]], old: list[Row]) -> list[str]:
    """How many differences there are of each kind."""
    sums: list[str] = []
    if columns := len(kinds["column"]):
        many = said("{count} columns lost or new", count=columns)
        sums.append(said("1 column lost or new") if columns == 1 else many)
    if kinds["lost"]:
        gone = {difference.row for difference in kinds["lost"]}
        sums.append(_counted(old[:1], [row for row in old[1:] if row.line in gone], "lost"))
    if cells := len(kinds["changed"]):
        many = said("{count} cells changed", count=cells)
        sums.append(said("1 cell changed") if cells == 1 else many)
    if rows := len(kinds["moved"]):
        many = said("{count} rows moved", count=rows)
        sums.append(said("1 row moved") if rows == 1 else many)
    if rows := len(kinds["added"]):
        many = said("{count} rows new before the end", count=rows)
        sums.append(said("1 row new before the end") if rows == 1 else many)
    return sums


def _form(before: bytes, data: bytes) -> list[str]:
    """How the form of two files differs in what surrounds the rows: marks and line ends."""
    differences: list[str] = []
    marks = [file.startswith(b"\xef\xbb\xbf") for file in (before, data)]
    if marks[0] != marks[1]:
        less, more = said("a byte order mark less"), said("a byte order mark more")
        differences.append(more if marks[1] else less)
    then, now = _line_ends(before), _line_ends(data)
    if then != now:
        differences.append(said("line ends {now} ({before} before)", now=now, before=then))
    return differences


def _line_ends(data: bytes) -> str:
    both = data.count(b"\r\n")
    counts = {"CRLF": both, "LF": data.count(b"\n") - both, "CR": data.count(b"\r") - both}
    names: list[str] = [name for name, count in counts.items() if count] or [said("none")]
    return functools.reduce(
        lambda one, other: said("{one} and {other}", one=one, other=other), names
    )


def _rows(table: Table, data: bytes) -> list[Row]:
    """The rows of a CSV file that hold something, the header first; none where it is no CSV, which the
    checks name."""
    return [row for row in reading.sheet(table.path, data).rows if row.cells]


def _cell(row: Row, place: int) -> str:
    return row.cells[place] if place < len(row.cells) else ""


def _line(row: Row) -> str:
    """A row as a message shows it: quoted, shortened."""
    text = ",".join(row.cells)
    return repr(text) if len(text) <= 100 else repr(text[:97] + "...")


def _counted(header: list[Row], rows: list[Row], word: str = "") -> str:
    """How many rows, and, if a header with months (else years) is given, of which, the newest first.

    >>> header, row = Row(1, ["month", "line"], ""), Row(2, ["2020-09", "total"], "")
    >>> _counted([header], [row, row], "more")
    '2 rows more (2020-09: 2)'
    """
    number = len(rows)
    if word == "more":
        text = said("1 row more") if number == 1 else said("{count} rows more", count=number)
    elif word == "lost":
        text = said("1 row lost") if number == 1 else said("{count} rows lost", count=number)
    else:
        text = said("1 row") if number == 1 else said("{count} rows", count=number)
    columns = header[0].cells if header else []
    column = next((name for name in ("month", "year") if name in columns), None)
    if not (column and rows):
        return text
    place = columns.index(column)
    counts = Counter(_cell(row, place) for row in rows)
    parts: list[str] = [f"{_plain(name)}: {counts[name]}" for name in sorted(counts, reverse=True)]
    if before := len(parts[_MONTHS:]):
        earlier = said("and {count} months before", count=before)
        if column == "year":
            earlier = said("and {count} years before", count=before)
        parts[_MONTHS:] = [earlier]
    return said("{rows} ({parts})", rows=text, parts=_listed(parts))


def _plain(text: str) -> str:
    return text if text.isprintable() else repr(text)
