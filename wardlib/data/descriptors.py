"""Descriptors: which wards and tables exist, what each field means, where each file came from.

Every folder under `data/` is a Frictionless Data Package v2 (https://datapackage.org) whose
`datapackage.json` names its tables with path, hash, source, licence and schema. A ward's package
also carries a `ward` object (names, areas, currency, whether its figures are illustrative). Custom
properties of ours: `ward`, a reference table's `area` (the country that its rows are about, where they
are about one), its `accepted_on` (the day on which `ward check --accept` recorded its hash), a field's
`unit`, a field's `codes` ("table.column" that must hold each of its values, or a list of such, of which
one must), a field's `at_most` (the column that it must not exceed), a source's `title_vi` beside its
English `title`.
"""

from __future__ import annotations

import datetime
import functools
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wardlib.data import reading
from wardlib.errors import DataError, Problem, RequestError
from wardlib.periods import parse_day
from wardlib.provenance import digest, digest_bytes

REFERENCE = "reference"
TYPES = ("string", "integer", "number", "boolean", "date", "yearmonth", "list")
DESCRIPTOR = "datapackage.json"


def home() -> Path:
    """The workbook's folder, which holds `data/`, `notebooks/` and `output/`: the one that WARDLIB_HOME
    names, else the nearest from the working folder up that holds `data/` and `notebooks/`.

    Raises RequestError where there is none.
    """
    if named := os.environ.get("WARDLIB_HOME"):
        folder = Path(named).absolute()
        if not (folder / "data").is_dir():
            raise RequestError(
                f"no data/ in {folder}, which WARDLIB_HOME names. Set it to the workbook's folder, "
                "which holds data/ and notebooks/."
            )
        return _resolved(folder)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "data").is_dir() and (folder / "notebooks").is_dir():
            return _resolved(folder)
    raise RequestError(
        f"no folder with data/ and notebooks/ in {here} or above it. Go to the workbook's folder, or "
        "set WARDLIB_HOME to it."
    )


@functools.lru_cache(maxsize=16)
def _resolved(folder: Path) -> Path:
    """The folder without symbolic links, which a run asks for many times a job; a link that is moved
    meanwhile is not followed."""
    return folder.resolve()


@dataclass(frozen=True)
class Field:
    """A column: Table Schema type, unit, constraints, the tables and columns of which one must hold each
    of its codes, what parts the items of a list, and the column that it must not exceed ("": none)."""

    name: str
    type: str
    unit: str
    constraints: dict[str, Any]
    codes: tuple[tuple[str, str], ...]
    delimiter: str
    at_most: str = ""

    @property
    def required(self) -> bool:
        return bool(self.constraints.get("required"))


@dataclass(frozen=True, eq=False)
class Table:
    """A table of a package: where it is, the country that it is about ("" for any), what its bytes
    hash to, what its columns are, and on which day the file was last accepted."""

    package: str
    name: str
    path: Path
    area: str
    hash: str
    fields: tuple[Field, ...]
    primary_key: tuple[str, ...]
    accepted_on: datetime.date | None = None

    @property
    def file(self) -> str:
        """The path as messages and records name it: relative to the workbook's folder."""
        return reading.name(self.path)

    @property
    def columns(self) -> list[str]:
        return [field.name for field in self.fields]

    @property
    def is_reported(self) -> bool:
        """Whether its rows say of which month or year they are and on which day they were reported."""
        columns = set(self.columns)
        return "reported_on" in columns and not columns.isdisjoint(("month", "year"))


@dataclass(frozen=True)
class Package:
    """A folder of tables with its title, sources and licences."""

    id: str
    title: str
    sources_vi: tuple[str, ...]
    sources_en: tuple[str, ...]
    licences: tuple[str, ...]
    tables: dict[str, Table]

    def table(self, name: str) -> Table | None:
        """The package's table of that name, or None."""
        return self.tables.get(name)


@dataclass(frozen=True)
class Recipient:
    """Who receives a ward's papers (Nơi nhận), from the first to the last day, both inclusive; None:
    without end."""

    name_vi: str
    name_en: str
    valid_from: datetime.date | None
    valid_to: datetime.date | None


@dataclass(frozen=True)
class Ward(Package):
    """A ward's package: the tables plus what a briefing says of the ward.

    `areas` runs from the country to the ward; measures and relief of any of them bind it.
    `illustrative` figures were made up, and every page says so.
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
    reference: Package

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
    """The digest of what a package's descriptor says, but for the hashes of its tables."""
    described = _read(package)
    for resource in described["resources"]:
        resource.pop("hash", None)
    return digest_bytes(json.dumps(described, ensure_ascii=False, sort_keys=True).encode())


def names() -> list[str]:
    """The wards that have a folder with a descriptor, sorted."""
    packages = {path.parent.name for path in (home() / "data").glob(f"*/{DESCRIPTOR}")}
    return sorted(packages - {REFERENCE})


def package(name: str) -> Package:
    """The descriptor of a folder of tables, be it a ward or not; DataError if it is faulty."""
    return Package(**_package(name, _read(name)))


def ward(name: str) -> Ward:
    """The descriptor of ward `name`; RequestError if there is none, DataError if it is faulty."""
    own = Path(name).name == name != REFERENCE and (_folder(name) / DESCRIPTOR).is_file()
    if not own:
        raise RequestError(f"there is no ward {name!r}. Wards here: {', '.join(names())}.")
    described = _read(name)
    reference = package(REFERENCE)
    with _shape(name):
        about = described["ward"]
        texts = ("name", "authority", "superior")
        return Ward(
            **_package(name, described),
            **{
                f"{text}_{code}": about[f"{text}_{code}"] for text in texts for code in ("vi", "en")
            },
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
            reference=reference,
        )


def accept(ward: Ward) -> list[str]:
    """Write the present hashes of the ward's and the reference tables into the descriptors.

    Returns the files whose hash changed. To be called after every other check has passed.
    """
    changed = []
    for package in (ward.id, REFERENCE):
        described = _read(package)
        for resource in described["resources"]:
            now = digest(_folder(package) / resource["path"])
            if resource.get("hash") != now:
                resource["hash"] = now
                changed.append(f"data/{package}/{resource['path']}")
        target = _folder(package) / DESCRIPTOR
        partial = target.with_suffix(".partial")
        partial.write_text(
            json.dumps(described, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
        )
        partial.replace(target)
    return changed


def _folder(package: str) -> Path:
    return home() / "data" / package


def _read(package: str) -> dict[str, Any]:
    """What a package's descriptor says, as it is written."""
    described: dict[str, Any] = reading.descriptor(_folder(package) / DESCRIPTOR)
    return described


@contextmanager
def _shape(package: str) -> Iterator[None]:
    """Turn a descriptor's missing or misshapen part into a DataError that names the file."""
    try:
        yield
        return
    except KeyError as error:
        found, fix = f"no property {error}", f"add the property {error}"
    except (TypeError, AttributeError, RequestError) as error:
        found, fix = str(error), "compare it with that file"
    file = f"data/{package}/{DESCRIPTOR}"
    raise DataError([Problem(file, 0, "", found, reading.SHAPE, fix)])


def _package(name: str, described: dict[str, Any]) -> dict[str, Any]:
    with _shape(name):
        folder = _folder(name)
        return {
            "id": name,
            "title": described["title"],
            "sources_vi": tuple(source["title_vi"] for source in described.get("sources", [])),
            "sources_en": tuple(source["title"] for source in described.get("sources", [])),
            "licences": tuple(licence["title"] for licence in described["licenses"]),
            "tables": {
                resource["name"]: _table(folder, resource) for resource in described["resources"]
            },
        }


def _table(folder: Path, resource: dict[str, Any]) -> Table:
    schema = resource["schema"]
    if Path(resource["path"]).name != resource["path"]:
        raise TypeError(f"the path {resource['path']!r} of {resource['name']} leaves the folder")
    area = resource.get("area", "")
    if not isinstance(area, str):
        raise TypeError(f"the area {area!r} of {resource['name']} is no text")
    return Table(
        package=folder.name,
        name=resource["name"],
        path=folder / resource["path"],
        area=area,
        hash=resource.get("hash", ""),
        fields=tuple(_field(field) for field in schema["fields"]),
        primary_key=tuple(schema.get("primaryKey", ())),
        accepted_on=parse_day(resource.get("accepted_on", "")),
    )


def _field(described: dict[str, Any]) -> Field:
    if described["type"] not in TYPES:
        raise TypeError(
            f"the type {described['type']!r} of field {described['name']} is none of {TYPES}"
        )
    named = described.get("codes", [])
    codes = tuple(
        (table, column)
        for name in ([named] if isinstance(named, str) else named)
        for table, dot, column in [name.partition(".")]
        if dot and "." not in column
    )
    if len(codes) != (1 if isinstance(named, str) else len(named)):
        raise TypeError(f"the codes {named!r} of field {described['name']} are no table.column")
    return Field(
        name=described["name"],
        type=described["type"],
        unit=described.get("unit", ""),
        constraints=described.get("constraints", {}),
        codes=codes,
        delimiter=described.get("delimiter", ","),
        at_most=described.get("at_most", ""),
    )
