"""Descriptors: which wards and tables exist, what each field means, where each file came from.

Every folder under `data/` is a Frictionless Data Package v2 (https://datapackage.org) whose
`datapackage.json` names its tables with path, hash, source, licence and schema. A ward's package
also carries a `ward` object (names, areas, currency, whether its figures are illustrative); that of a
district names its `wards`, and its package may have tables of its own or none. Custom
properties of ours: `ward`; a table's `area` (the country that its rows are about, where they are about
one) and `accepted_on` (the day on which its `hash` and `bytes` were recorded); a field's `unit`, `codes`
("table.column", or a list of such: one of them must hold each of its values) and `at_most` (the column of
the row that it must not exceed); a source's `title_vi` beside its English `title`.

A descriptor is read as a whole or not at all: `profile` finds every fault of it first.
"""

from __future__ import annotations

import calendar
import contextlib
import datetime
import functools
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from wardlib.data import profile, reading
from wardlib.errors import DataError, Problem, RequestError, nearest, said, visible
from wardlib.periods import Period, parse_day
from wardlib.provenance import digest_bytes
from wardlib.shown import Shown, listed

REFERENCE = profile.REFERENCE
RECEIVED, ORIGINS = "received", "origins"
DESCRIPTOR = reading.DESCRIPTOR


def home() -> Path:
    """The workbook's folder, which holds `data/`, `notebooks/` and `output/`: the one that WARDLIB_HOME
    names, else the nearest from the working folder up that holds `data/` and `notebooks/`.

    Raises RequestError where there is none.
    """
    if named := os.environ.get("WARDLIB_HOME"):
        folder = Path(named).absolute()
        if not _is_folder(folder / "data"):
            raise RequestError(
                said(
                    "no data/ in {folder}, which WARDLIB_HOME names. Set it to the workbook's folder, "
                    "which holds data/ and notebooks/.",
                    folder=folder,
                )
            )
        return _resolved(folder)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if _is_folder(folder / "data") and _is_folder(folder / "notebooks"):
            return _resolved(folder)
    raise RequestError(
        said(
            "no folder with data/ and notebooks/ in {folder} or above it. Go to the workbook's folder, "
            "or set WARDLIB_HOME to it.",
            folder=here,
        )
    )


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except PermissionError as error:
        raise unreadable(path, error) from None
    except OSError:  # such as a name that is too long
        return False


def unreadable(folder: Path, error: OSError) -> RequestError:
    """What is said of a folder that cannot be looked into."""
    return RequestError(
        said(
            "{folder} cannot be read: {reason}. Give whoever runs this the right to read it and the "
            "folders above it.",
            folder=folder,
            reason=reading.outside(str(error.strerror)),
        )
    )


@functools.lru_cache(maxsize=16)
def _resolved(folder: Path) -> Path:
    """The folder without symbolic links, which a run asks for many times a job; a link that is moved
    meanwhile is not followed."""
    return folder.resolve()


@dataclass(frozen=True, repr=False)
class Field(Shown):
    """A column: Table Schema type, unit, constraints, the tables and columns one of which holds each of
    its codes, what parts the items of a list, and the column that it must not exceed ("" for none)."""

    name: str
    type: str
    unit: str
    constraints: dict[str, Any]
    codes: tuple[tuple[str, str], ...]
    delimiter: str
    at_most: str

    @property
    def required(self) -> bool:
        return bool(self.constraints.get("required"))


@dataclass(frozen=True, eq=False, repr=False)
class Table(Shown):
    """A table of a package: where it is, the country that it is about ("" for any), what its bytes
    hash to and how many they are, as recorded on the day `accepted_on` ("", None where it is not), what
    its columns are."""

    package: str
    name: str
    path: Path
    area: str
    hash: str
    bytes: int | None
    accepted_on: datetime.date | None
    fields: tuple[Field, ...]
    primary_key: tuple[str, ...]

    def _title(self) -> str:
        return f"Table {self.file}"

    def _facts(self) -> dict[str, str]:
        about = {"about": self.area, "accepted on": str(self.accepted_on or "never")}
        return about | {"columns": listed(self.columns), "key": listed(self.primary_key)}

    @property
    def file(self) -> str:
        """The path as messages and records name it: relative to the workbook's folder."""
        return reading.name(self.path)

    @property
    def columns(self) -> list[str]:
        return [field.name for field in self.fields]

    @property
    def item(self) -> list[str]:
        """The columns that tell what a figure is about, beside its month or year and the day of the
        report: a line, a school."""
        return [name for name in self.primary_key if name not in ("month", "year", "reported_on")]

    @property
    def is_reported(self) -> bool:
        """Whether its rows say of which month or year they are and on which day they were reported."""
        columns = set(self.columns)
        return "reported_on" in columns and not columns.isdisjoint(("month", "year"))


@dataclass(frozen=True, repr=False)
class Package(Shown):
    """A folder of tables with its title, sources and licences."""

    id: str
    title: str
    sources_vi: tuple[str, ...]
    sources_en: tuple[str, ...]
    licences: tuple[str, ...]
    tables: dict[str, Table]

    def _title(self) -> str:
        return f"{type(self).__name__} {self.id}"

    def table(self, name: str) -> Table | None:
        """The package's table of that name, or None."""
        return self.tables.get(name)


@dataclass(frozen=True, repr=False)
class Recipient(Shown):
    """Who receives a ward's papers (Nơi nhận), from the first to the last day, both inclusive; None:
    without end."""

    name_vi: str
    name_en: str
    valid_from: datetime.date | None
    valid_to: datetime.date | None


@dataclass(frozen=True, repr=False)
class Member(Shown):
    """A ward of a district, from the first to the last day, both inclusive; None: without end.
    `illustrative`: whether its figures are."""

    ward: str
    valid_from: datetime.date | None
    valid_to: datetime.date | None
    illustrative: bool


@dataclass(frozen=True, repr=False)
class Ward(Package):
    """A ward's package: the tables plus what a briefing says of the ward.

    `areas` runs from the country to the ward; measures and relief of any of them bind it.
    `illustrative` figures were made up, and every page says so. `wards`: those of a district, any set of
    wards that its descriptor names, in its order; () of a ward. A district is none of another's.
    """

    name_vi: str
    name_en: str
    authority_vi: str
    authority_en: str
    superior_vi: str
    superior_en: str
    place: str
    recipients: tuple[Recipient, ...]
    areas: tuple[str, ...]
    currency: str
    illustrative: bool
    wards: tuple[Member, ...]
    reference: Package

    def members(self, period: Period) -> dict[str, frozenset[int]]:
        """The wards of a district in a period's year to date: by ward, in the order of the descriptor, the
        months (1 to 12) at whose end it belongs there. Of a month in which wards are merged, the one that
        is left has it."""
        months: dict[str, set[int]] = {}
        for month in range(1, period.bounds[1] + 1):
            end = datetime.date(period.year, month, calendar.monthrange(period.year, month)[1])
            for member in self.wards:
                if (member.valid_from or end) <= end <= (member.valid_to or end):
                    months.setdefault(member.ward, set()).add(month)
        named = dict.fromkeys(member.ward for member in self.wards)
        return {ward: frozenset(months[ward]) for ward in named if ward in months}

    @property
    def mixed(self) -> bool:
        """Whether it is a district of which the figures of some wards are illustrative and of others real."""
        return len({member.illustrative for member in self.wards}) > 1

    @property
    def vietnamese(self) -> bool:
        """Whether Vietnamese rules of form (national motto, superior body) apply."""
        return self.areas[0] == "VN"

    def table(self, name: str) -> Table | None:
        """The ward's own table, else the reference table of that name, else None. A reference table
        of one country is none of a ward outside it."""
        shared = self.reference.tables.get(name)
        if shared and shared.area and shared.area not in self.areas:
            shared = None
        return self.tables.get(name) or shared


def digest_descriptor(package: str) -> str:
    """The digest of what a package's descriptor says, but for what is recorded of its tables' files."""
    described = _read(package)
    for resource in described["resources"]:
        for recorded in ("hash", "bytes", "accepted_on"):
            resource.pop(recorded, None)
    # Whether a ward's intake has begun moves no figure.
    described["resources"] = [own for own in described["resources"] if own not in arrivals()]
    return digest_bytes(json.dumps(described, ensure_ascii=False, sort_keys=True).encode())


def digests(*packages: str) -> dict[str, str]:
    """The digests of packages' descriptors, by their files."""
    return {f"data/{package}/{DESCRIPTOR}": digest_descriptor(package) for package in packages}


def arrivals() -> list[dict[str, Any]]:
    """The tables of a ward that tell which files came in (`RECEIVED`) and which figure came from which
    cell of them (`ORIGINS`), as a descriptor describes them."""
    resources: list[dict[str, Any]] = json.loads(_arrivals())
    return resources


@functools.cache
def _arrivals() -> str:
    return (files("wardlib.data") / "arrivals.json").read_text(encoding="utf-8")


def receiving(ward: Ward) -> Ward:
    """The ward with the tables of `arrivals`; those that its descriptor lacks stand at the end."""
    folder = _folder(ward.id)
    lacking = [own for own in arrivals() if own["name"] not in ward.tables]
    return replace(ward, tables=ward.tables | {own["name"]: _table(folder, own) for own in lacking})


def named(ward: object) -> str:
    """The folder of a ward as it is asked for: a text, or the number that `papermill -p` makes of a code
    such as 00139, where one folder alone has that number."""
    meant = [name for name in names() if name.isdecimal() and int(name) == ward]
    return meant[0] if len(meant) == 1 else str(ward)


def names() -> list[str]:
    """The folders of wards, sorted: those with a descriptor, be it faulty or not, or with tables, whose
    descriptor is then missing; hidden ones are none.

    Raises RequestError where data/ may not be read.
    """
    data = home() / "data"
    try:
        folders = [folder for folder in data.iterdir() if not folder.name.startswith(".")]
    except OSError as error:
        raise unreadable(data, error) from None
    return sorted(
        folder.name for folder in folders if folder.name != REFERENCE and _is_ward(folder)
    )


def districts() -> list[str]:
    """Those of `names` whose descriptor names wards."""
    return [name for name in names() if "wards" in _about(name)]


def _is_ward(folder: Path) -> bool:
    try:
        inside = {file.name.casefold() for file in folder.iterdir()}
    except NotADirectoryError:
        return False
    except OSError:  # it may not be looked into: whoever asks for the ward is told
        return True
    return any(name in (DESCRIPTOR, ".accepted") or name.endswith(".csv") for name in inside)


def package(name: str) -> Package:
    """The descriptor of a folder of tables, be it a ward or not; DataError with every fault of it."""
    return Package(**_package(name, _read(name)))


def ward(name: str) -> Ward:
    """The descriptor of ward `name`; RequestError if there is none, DataError with every fault of it and
    of the reference's. It is the same object as long as no file of either has changed."""
    ask(name)
    folders = _folder(name), _folder(REFERENCE)
    return _known(*folders, *map(reading.stamps, folders))


@functools.lru_cache(maxsize=4)
def _known(folder: Path, _: Path, __: reading.Stamps, ___: reading.Stamps) -> Ward:
    name = folder.name
    problems: list[Problem] = []
    reference = None
    try:
        reference = _reference()
    except DataError as error:
        problems += error.problems
    try:
        described = _read(name)
        if "ward" not in described:
            fix = said("add the property {key}", key="ward")
            raise DataError([fault(name, ("ward",), said("no such property"), said("a ward"), fix)])
        if reference:
            return _ward(name, described, reference)
    except DataError as error:
        problems += error.problems
    raise DataError(problems)


def each(names: Iterable[str]) -> Iterator[tuple[Ward | None, tuple[Problem, ...]]]:
    """Of each name, one after the other: the ward, or None and every fault of its descriptor; before
    them None and those of the reference's, where it has some. RequestError for a name that no folder
    has."""
    try:
        _reference()
    except DataError as error:
        yield None, error.problems
    for name in names:
        try:
            yield ward(name), ()
        except DataError as error:
            yield None, error.problems


def wards(names: Iterable[str]) -> tuple[list[Ward], list[Problem]]:
    """The wards of these names whose descriptors have no fault, and every fault of the others and of
    the reference; RequestError for a name that no folder has."""
    read = list(each(names))
    problems = {problem for _, faults in read for problem in faults}
    return [found for found, _ in read if found], sorted(problems)


def _reference() -> Package:
    """What all wards share, looked at again where a file of it stands there anew; DataError as of
    `package`."""
    folder = _folder(REFERENCE)
    return _shared(folder, reading.stamps(folder))


@functools.lru_cache(maxsize=1)
def _shared(_: Path, __: reading.Stamps) -> Package:
    return package(REFERENCE)


def ask(name: str) -> None:
    """Raise RequestError unless there may be a ward of that name in a folder of its own."""
    plain = name not in ("", ".", "..") and not re.search(r"[/\\\0]", name)
    with contextlib.suppress(OSError):
        if plain and name != REFERENCE and _folder(name).is_dir():
            return
    known = names()
    here = ", ".join(map(visible, known))
    if name == REFERENCE:
        raise RequestError(
            said(
                "there is no ward {name}: it is what all wards share. Wards here: {wards}.",
                name=repr(name),
                wards=here,
            )
        )
    if not plain or not (name in known or _is_folder(_folder(name))):
        raise RequestError(
            said("there is no ward {name}. Wards here: {wards}.", name=repr(name), wards=here),
            nearest(name, known),
        )


def _ward(name: str, described: dict[str, Any], reference: Package) -> Ward:
    about = described["ward"]
    texts = ("name", "authority", "superior")
    made = Ward(
        **_package(name, described),
        **{f"{text}_{code}": about[f"{text}_{code}"] for text in texts for code in ("vi", "en")},
        place=about["place"],
        recipients=tuple(
            Recipient(
                recipient["name_vi"],
                recipient["name_en"],
                *(parse_day(recipient.get(end, "")) for end in ("valid_from", "valid_to")),
            )
            for recipient in about.get("recipients", [])
        ),
        areas=tuple(about["areas"]),
        currency=about["currency"],
        illustrative=about["illustrative"],
        wards=tuple(
            Member(
                one["ward"],
                parse_day(one.get("valid_from", "")),
                parse_day(one.get("valid_to", "")),
                _about(one["ward"]).get("illustrative") is True,
            )
            for one in about.get("wards", [])
        ),
        reference=reference,
    )
    if problems := _unknown_codes(made) + _unfit_wards(made):
        raise DataError(problems)
    return made


def _folder(package: str) -> Path:
    return home() / "data" / package


def digest_files(*packages: str) -> str:
    """The digest of all files of packages; see `reading.digest_of`."""
    return digest_bytes("".join(map(reading.digest_of, map(_folder, packages))).encode())


def _read(package: str) -> dict[str, Any]:
    """What a package's descriptor says, as it is written; DataError with every fault of it."""
    text = reading.descriptor(_folder(package) / DESCRIPTOR)
    if faults := profile.faults(package, text):
        raise DataError(faults)
    described: dict[str, Any] = json.loads(text)
    return described


def fault(
    package: str, path: tuple[str | int, ...], found: str, expected: str, fix: str
) -> Problem:
    """A fault at a place (keys and numbers from 0) of a descriptor that can be read."""
    text = reading.descriptor(_folder(package) / DESCRIPTOR)
    return profile.located(package, text, path, found, expected, fix)


def _package(name: str, described: dict[str, Any]) -> dict[str, Any]:
    folder = _folder(name)
    sources = described.get("sources", [])
    made = {
        "id": name,
        "title": described["title"],
        "sources_vi": tuple(source["title_vi"] for source in sources),
        "sources_en": tuple(source["title"] for source in sources),
        "licences": tuple(licence["title"] for licence in described["licenses"]),
        "tables": {
            resource["name"]: _table(folder, resource) for resource in described["resources"]
        },
    }
    expected = said("an ordinary file of this folder")
    fix = said("put a CSV file in its place, or take the table out of the descriptor")
    if problems := [
        Problem(table.file, 0, "", found, expected, fix)
        for table in made["tables"].values()
        if (found := reading.irregular(table.path))
    ]:
        raise DataError(problems)
    return made


def _table(folder: Path, resource: dict[str, Any]) -> Table:
    schema = resource["schema"]
    key = schema.get("primaryKey", ())
    return Table(
        package=folder.name,
        name=resource["name"],
        path=folder / resource["path"],
        area=resource.get("area", ""),
        hash=resource.get("hash", ""),
        bytes=int(resource["bytes"]) if "bytes" in resource else None,
        accepted_on=parse_day(resource.get("accepted_on", "")),
        fields=tuple(_field(field) for field in schema["fields"]),
        primary_key=(key,) if isinstance(key, str) else tuple(key),
    )


def _field(described: dict[str, Any]) -> Field:
    codes = described.get("codes", [])
    return Field(
        name=described["name"],
        type=described["type"],
        unit=described.get("unit", ""),
        constraints=described.get("constraints", {}),
        codes=tuple(
            (table, column)
            for table, _, column in (
                code.partition(".") for code in ([codes] if isinstance(codes, str) else codes)
            )
        ),
        delimiter=described.get("delimiter", ","),
        at_most=described.get("at_most", ""),
    )


def _unknown_codes(ward: Ward) -> list[Problem]:
    """A problem for each table or column of codes that is neither the ward's nor the reference's."""
    problems = []
    for owner in (ward, ward.reference):
        for at, table in enumerate(owner.tables.values()):
            for place, field in enumerate(table.fields):
                for name, column in field.codes:
                    target = owner.table(name)
                    if target is None and name in ward.reference.tables and len(field.codes) > 1:
                        continue  # a table of one country is none of a ward outside it
                    if target is None or column not in target.columns:
                        path = ("resources", at, "schema", "fields", place, "codes")
                        expected = said("table.column of this ward or of the reference")
                        found = said("codes {codes}", codes=f"{name}.{column}")
                        fix = said("correct the property codes")
                        problems.append(fault(owner.id, path, found, expected, fix))
    return problems


def _unfit_wards(district: Ward) -> list[Problem]:
    """A problem for each ward of a district that there is not, that is a district too, or whose figures are
    made up where the district does not say that some are."""
    problems = []
    for at, member in enumerate(district.wards):
        path = ("ward", "wards", at, "ward")
        folder = _folder(member.ward)
        if member.ward == REFERENCE or not (_is_folder(folder) and _is_ward(folder)):
            found, expected = said("no such ward"), said("a folder of a ward")
            fix = said("correct the name, or add its folder to data/")
            problems.append(fault(district.id, path, found, expected, fix))
            continue
        if "wards" in _about(member.ward):
            fix = said("name its wards in its place")
            found, expected = said("a district"), said("a ward: a district holds no districts")
            problems.append(fault(district.id, path, found, expected, fix))
        elif member.illustrative and not district.illustrative:
            found = said("a ward whose figures are illustrative")
            expected = said("illustrative: true where the figures of a ward are")
            fix = said(
                "write true for illustrative of the district: its pages tell which wards' are"
            )
            problems.append(fault(district.id, path, found, expected, fix))
    return problems


def _about(name: str) -> dict[str, Any]:
    """What a descriptor says of its ward, as far as it can be read; its faults are told of the ward itself."""
    try:
        about = json.loads(reading.descriptor(_folder(name) / DESCRIPTOR))["ward"]
    except (DataError, ValueError, KeyError, TypeError):
        return {}
    return about if isinstance(about, dict) else {}
