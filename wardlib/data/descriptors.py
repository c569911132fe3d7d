"""Descriptors: which wards and tables exist, what each field means, where each file came from.

Every folder under `data/` is a Frictionless Data Package v2 (https://datapackage.org) whose
`datapackage.json` names its tables with path, hash, source, licence and schema. A ward's package
also carries a `ward` object (names, areas, currency, whether its figures are illustrative). Custom
properties of ours: `ward`, a field's `unit`, a field's `codes` ("table.column" that must hold each
of its values), a source's `title_vi` beside its English `title`.
"""

from __future__ import annotations

import csv
import datetime
import functools
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wardlib.errors import DataError, Problem, RequestError
from wardlib.periods import parse_day
from wardlib.provenance import digest

REFERENCE = "reference"
TYPES = ("string", "integer", "number", "boolean", "date", "yearmonth", "list")
DESCRIPTOR = "datapackage.json"
REPORTED = ("reported_on", "published_on")  # columns that say since when a row is known


def home() -> Path:
    """The workbook's folder, which holds `data/`, `notebooks/` and `output/`.

    The checkout that wardlib was installed from, or the folder that WARDLIB_HOME names.
    """
    named = os.environ.get("WARDLIB_HOME")
    folder = Path(named) if named else Path(__file__).parents[2]
    if not (folder / "data").is_dir():
        raise RequestError(
            f"no data/ in {folder}. Set WARDLIB_HOME to the folder that holds data/ and notebooks/."
        )
    return _resolved(folder.absolute())


@functools.lru_cache(maxsize=16)
def _resolved(folder: Path) -> Path:
    """The folder without symbolic links, which a run asks for many times a job; a link that is moved
    meanwhile is not followed."""
    return folder.resolve()


@dataclass(frozen=True)
class Field:
    """A column: Table Schema type, unit, meaning, constraints."""

    name: str
    type: str
    unit: str
    description: str
    constraints: dict[str, Any]
    codes: tuple[str, str] | None
    delimiter: str

    @property
    def required(self) -> bool:
        return bool(self.constraints.get("required"))


@dataclass(frozen=True, eq=False)
class Table:
    """A table of a package: where it is, what its bytes hash to, what its columns are."""

    package: str
    name: str
    path: Path
    hash: str
    fields: tuple[Field, ...]
    primary_key: tuple[str, ...]

    @property
    def file(self) -> str:
        """The path as messages and records name it: relative to the workbook's folder."""
        return f"data/{self.package}/{self.path.name}"

    @property
    def columns(self) -> list[str]:
        return [field.name for field in self.fields]


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
        """The ward's own table, else the reference table of that name, else None; a reference table
        of Viet Nam alone is None elsewhere."""
        if name in ("tet", "holidays") and not self.vietnamese:
            return self.tables.get(name)
        return self.tables.get(name) or self.reference.tables.get(name)


def digest_read(table: Table, last: str, as_of: str) -> str:
    """The digest of what a reader of `table` sees who asks for the months up to `last` ("2020-09",
    inclusive), as of a day ("2020-09-13"; "" for the newest): the header and the rows of those
    months (or years) that were reported by then, as they are written. Of a file that is read whole,
    it is the `digest` of the file.

    Raises OSError, UnicodeDecodeError or csv.Error where the file is no table.
    """
    bounds = {"month": last, "year": last[:4]} | (dict.fromkeys(REPORTED, as_of) if as_of else {})
    limits = [(at, bounds[name]) for at, name in enumerate(_heads(table.path)) if name in bounds]
    rows = _rows(table.path, table.path.stat().st_mtime_ns)
    kept = rows[1:]
    for at, bound in limits:
        kept = [row for row in kept if not row[0] or "" < row[0][at] <= bound]
    if len(kept) == len(rows) - 1:
        return digest(table.path)
    text = "".join(raw for _, raw in [rows[0], *kept])
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _heads(path: Path) -> list[str]:
    return _rows(path, path.stat().st_mtime_ns)[0][0]


@functools.lru_cache(maxsize=64)
def _rows(path: Path, _: int) -> list[tuple[list[str], str]]:
    """The records of a CSV file, header first: their cells, and their text as it is written."""
    raw: list[str] = []

    def lines() -> Iterator[str]:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for line in file:
                raw.append(line)
                yield line

    found = []
    for cells in csv.reader(lines(), strict=True):
        found.append((cells, "".join(raw)))
        raw.clear()
    return found or [([], "")]


def digest_descriptor(package: str) -> str:
    """The digest of what a package's descriptor says, but for the hashes of its tables."""
    raw = _read(package)
    for resource in raw["resources"]:
        resource.pop("hash", None)
    text = json.dumps(raw, ensure_ascii=False, sort_keys=True)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def names() -> list[str]:
    """The wards that have a folder with a descriptor, sorted."""
    found = (home() / "data").glob(f"*/{DESCRIPTOR}")
    return sorted(path.parent.name for path in found if path.parent.name != REFERENCE)


def package(name: str) -> Package:
    """The descriptor of a folder of tables, be it a ward or not; DataError if it is faulty."""
    return Package(**_package(name, _read(name)))


def ward(name: str) -> Ward:
    """The descriptor of ward `name`; RequestError if there is none, DataError if it is faulty."""
    own = Path(name).name == name != REFERENCE and (_folder(name) / DESCRIPTOR).is_file()
    if not own:
        raise RequestError(f"there is no ward {name!r}. Wards here: {', '.join(names())}.")
    raw = _read(name)
    reference = package(REFERENCE)
    with _faults(name):
        about = raw["ward"]
        texts = ("name", "authority", "superior")
        return Ward(
            **_package(name, raw),
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
        raw = _read(package)
        for resource in raw["resources"]:
            now = digest(_folder(package) / resource["path"])
            if resource.get("hash") != now:
                resource["hash"] = now
                changed.append(f"data/{package}/{resource['path']}")
        target = _folder(package) / DESCRIPTOR
        partial = target.with_suffix(".partial")
        partial.write_text(json.dumps(raw, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        partial.replace(target)
    return changed


def _folder(package: str) -> Path:
    return home() / "data" / package


@contextmanager
def _faults(package: str) -> Iterator[None]:
    """Turn a descriptor's missing or misshapen part into a DataError that names the file."""
    row, expected = 0, "the shape of data/phuc-dong/datapackage.json"
    try:
        yield
        return
    except json.JSONDecodeError as error:
        row, found, expected, fix = error.lineno, error.msg, "JSON", "mend the syntax at this line"
    except OSError as error:
        found, fix = error.strerror or "unreadable", "restore the file"
    except KeyError as error:
        found, fix = f"no property {error}", f"add the property {error}"
    except (TypeError, AttributeError, RequestError) as error:
        found, fix = str(error), "compare it with that file"
    raise DataError(
        [Problem(f"data/{package}/{DESCRIPTOR}", row, "", found, expected, fix)]
    ) from None


def _read(package: str) -> dict[str, Any]:
    with _faults(package):
        return json.loads((_folder(package) / DESCRIPTOR).read_text(encoding="utf-8"))


def _package(name: str, raw: dict[str, Any]) -> dict[str, Any]:
    with _faults(name):
        folder = _folder(name)
        return {
            "id": name,
            "title": raw["title"],
            "sources_vi": tuple(source["title_vi"] for source in raw.get("sources", [])),
            "sources_en": tuple(source["title"] for source in raw.get("sources", [])),
            "licences": tuple(licence["title"] for licence in raw["licenses"]),
            "tables": {resource["name"]: _table(folder, resource) for resource in raw["resources"]},
        }


def _table(folder: Path, raw: dict[str, Any]) -> Table:
    schema = raw["schema"]
    if Path(raw["path"]).name != raw["path"]:
        raise TypeError(f"the path {raw['path']!r} of {raw['name']} leaves the folder")
    return Table(
        package=folder.name,
        name=raw["name"],
        path=folder / raw["path"],
        hash=raw.get("hash", ""),
        fields=tuple(_field(field) for field in schema["fields"]),
        primary_key=tuple(schema.get("primaryKey", ())),
    )


def _field(raw: dict[str, Any]) -> Field:
    if raw["type"] not in TYPES:
        raise TypeError(f"the type {raw['type']!r} of field {raw['name']} is none of {TYPES}")
    codes = tuple(raw["codes"].split(".")) if "codes" in raw else None
    if codes and len(codes) != 2:
        raise TypeError(f"the codes {raw['codes']!r} of field {raw['name']} are no table.column")
    return Field(
        name=raw["name"],
        type=raw["type"],
        unit=raw.get("unit", ""),
        description=raw.get("description", ""),
        constraints=raw.get("constraints", {}),
        codes=codes,
        delimiter=raw.get("delimiter", ","),
    )
