"""Arrivals: the figures of files beside what is known: new, revised or the same; and the rows that they make."""

from __future__ import annotations

import csv
import datetime
import io
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from wardlib.data import checks, descriptors, disclosure
from wardlib.data.cells import Shelf
from wardlib.data.descriptors import Table, Ward
from wardlib.data.intake.columns import ACTIVITIES, INDICATORS, RECEIPTS, SCHOOLS, TARGETS
from wardlib.data.intake.figures import Figure
from wardlib.data.intake.grids import OfficeFile
from wardlib.data.intake.sense import History, Ranges
from wardlib.errors import Problem, visible

NEW, REVISED, SAME = "new", "revised", "same"
_LONGEST = 1_900  # letters of a cell of `received`
# The column of each table that names its item.
ITEMS = {
    RECEIPTS: "line",
    TARGETS: "line",
    "school_months": "school",
    "activities": "field",
    INDICATORS: "indicator",
}
# The columns of which a figure is compared with those of its own history.
_AMOUNTS = {
    RECEIPTS: ("collected", "kept"),
    INDICATORS: ("value",),
    SCHOOLS: ("pupils",),
    ACTIVITIES: ("participants",),
}


@dataclass(frozen=True)
class Arrival:
    """A row that a file brings: its table, its cells by column, whether it is new, revised or the same as
    the newest known one (`before`; {} for none), and the figure behind each column. `clash`: another row
    of the same day or a later one is known."""

    table: str
    cells: dict[str, str]
    change: str
    before: dict[str, str]
    figures: dict[str, Figure]
    clash: str = ""

    @property
    def time(self) -> str:
        return self.cells.get("month") or self.cells["year"]

    @property
    def item(self) -> str:
        own = self.cells[ITEMS[self.table]]
        return f"{own}:{self.cells['set_by']}" if self.table == TARGETS else own


@dataclass
class Known:
    """What is known of a ward, as it is written: by table and key (without the day) each report by its
    day; with what files of the same intake bring."""

    ward: Ward
    reports: dict[str, dict[tuple[str, ...], dict[str, dict[str, str]]]] = field(
        default_factory=dict
    )

    def history(self) -> History:
        """By month and revenue line the newest collected and kept."""
        return {
            (key[0], key[1]): (int(row["collected"]), int(row["kept"]))
            for key, days in self.reports.get(RECEIPTS, {}).items()
            for row in (days[max(days)],)
        }

    def values(self, table: str, column: str) -> dict[tuple[str, str], Decimal]:
        """By month and item the newest figure of a column."""
        return {
            (key[0], key[1]): Decimal(days[max(days)][column])
            for key, days in self.reports.get(table, {}).items()
        }

    def ranges(self) -> Ranges:
        """By table, item and measure the least and the greatest size known of what is not 0, where
        a figure is compared with its own history."""
        found: Ranges = {}
        for table in (TARGETS, *_AMOUNTS):
            for days in self.reports.get(table, {}).values():
                row = days[max(days)]
                if table == TARGETS:  # of whoever set them
                    measures = [("amount", setter) for setter in ("upper", "ward")]
                else:
                    measures = [(name, name) for name in _AMOUNTS[table]]
                for column, measure in measures:
                    if size := abs(Decimal(row[column])):
                        key = table, row[ITEMS[table]], measure
                        low, high = found.get(key, (size, size))
                        found[key] = min(low, size), max(high, size)
        return found

    def add(self, table: str, cells: dict[str, str]) -> None:
        self.reports.setdefault(table, {}).setdefault(_key(self.ward, table, cells), {})[
            cells["reported_on"]
        ] = cells


def known(ward: Ward) -> Known:
    """What the ward's tables hold; they have to be sound."""
    shelf = Shelf(ward)
    made = Known(ward)
    for name in ITEMS:
        for record in shelf.records(name):
            made.add(name, record)
    return made


def _key(ward: Ward, table: str, cells: dict[str, str]) -> tuple[str, ...]:
    return tuple(
        cells[column] for column in ward.tables[table].primary_key if column != "reported_on"
    )


def arrivals(
    figures: Iterable[Figure], known_now: Known, reported_on: datetime.date
) -> list[Arrival]:
    """The rows that figures make, in the order of the figures, each beside what is known."""
    ward, day = known_now.ward, reported_on.isoformat()
    rows: dict[tuple[str, ...], dict[str, Figure]] = {}
    for own in figures:
        more = (own.measure,) if own.table == TARGETS else ()
        column = "amount" if own.table == TARGETS else own.measure
        rows.setdefault((*own.key, *more), {})[column] = own
    made = []
    for key, by_column in rows.items():
        table = ward.tables[key[0]]
        first = next(iter(by_column.values()))
        cells = {column: "" for column in table.columns}
        cells["year" if first.table == TARGETS else "month"] = first.time
        cells[ITEMS[first.table]] = first.item
        if first.table == TARGETS:
            cells["set_by"] = first.measure
        if "status" in cells:
            cells["status"] = _status(by_column)
        for column, own in by_column.items():
            cells[column] = number(own.value)
        cells["reported_on"] = day
        made.append(_beside(table, cells, by_column, known_now, day))
    return made


def _status(by_column: dict[str, Figure]) -> str:
    return "estimate" if any(own.status == "estimate" for own in by_column.values()) else "actual"


def _beside(
    table: Table, cells: dict[str, str], figures: dict[str, Figure], known_now: Known, day: str
) -> Arrival:
    reports = known_now.reports.get(table.name, {}).get(_key(known_now.ward, table.name, cells), {})
    if not reports:
        return Arrival(table.name, cells, NEW, {}, figures)
    newest = reports[max(reports)]
    if day in reports:
        same = _same(table, reports[day], cells)
        return Arrival(
            table.name, cells, SAME if same else REVISED, reports[day], figures, "" if same else day
        )
    if _same(table, newest, cells):
        return Arrival(table.name, cells, SAME, newest, figures)
    return Arrival(
        table.name, cells, REVISED, newest, figures, max(reports) if max(reports) > day else ""
    )


def _same(table: Table, before: dict[str, str], now: dict[str, str]) -> bool:
    for column in table.fields:
        if column.name == "reported_on":
            continue
        then, own = before[column.name], now[column.name]
        if column.type in ("integer", "number") and then and own:
            if Decimal(then) != Decimal(own):
                return False
        elif then != own:
            return False
    return True


def number(value: Decimal) -> str:
    """A number as the tables hold it.

    >>> number(Decimal("1.2300E+3")), number(Decimal("0.9731")), number(Decimal("100"))
    ('1230', '0.9731', '100')
    """
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def tails(
    ward: Ward,
    taken: list[tuple[OfficeFile, list[Arrival], dict[str, str]]],
    reported_on: datetime.date,
) -> dict[str, bytes]:
    """By table the rows to append: the figures, where each came from, and the files. `taken`: of each file
    the arrivals, and what else `received` tells of it."""
    rows: dict[str, list[dict[str, str]]] = {}
    day = reported_on.isoformat()
    for file, those, about in taken:
        written = [own for own in those if own.change != SAME]
        for own in written:
            rows.setdefault(own.table, []).append(own.cells)
            hidden = disclosure.secret(ward.tables[own.table])
            for column, figure in own.figures.items():
                rows.setdefault("origins", []).append(
                    {
                        "table": own.table,
                        "month": own.cells.get("month", ""),
                        "year": own.cells.get("year", ""),
                        "item": own.item,
                        "measure": column,
                        "reported_on": day,
                        "file": file.digest.removeprefix("sha256:"),
                        "sheet": told(figure.sheet),
                        "cell": figure.cell,
                        "text": "" if column in hidden else told(figure.text),
                        "derived": "true" if figure.derived else "false",
                    }
                )
        if written:
            received = {
                "file": file.digest.removeprefix("sha256:"),
                "name": told(file.name),
                "reported_on": day,
                "kind": file.kind,
                "encoding": file.encoding,
            }
            rows.setdefault("received", []).append(
                received | {name: told(text) for name, text in about.items()}
            )
    tables = descriptors.receiving(ward).tables
    return {name: _written(ward, tables[name], own) for name, own in rows.items()}


def _written(ward: Ward, table: Table, rows: list[dict[str, str]]) -> bytes:
    """Rows as CSV, in the order of the columns of the file where there is one."""
    header = table.columns
    if table.name in ward.tables:
        sheet = Shelf(ward).sheet(table)
        header = sheet.rows[0].cells if sheet.rows and sheet.rows[0].cells else header
    out = io.StringIO()
    writer = csv.DictWriter(out, header, lineterminator="\n")
    writer.writerows(rows)
    return out.getvalue().encode()


def told(text: str) -> str:
    """A text of a file as a table keeps it: one line, composed letters, nothing unseen, no formula."""
    plain = visible(" ".join(unicodedata.normalize("NFC", text).split()))[:_LONGEST].strip()
    return (
        f"'{plain}"
        if plain[:1] in ("=", "+", "@") or (plain[:1] == "-" and plain[1:2].isalpha())
        else plain
    )


def checked(
    ward: Ward, rows: dict[str, bytes], taken: list[Arrival], day: datetime.date
) -> list[tuple[Problem, Arrival | None, str]]:
    """Every problem that the ward's tables would have with these rows, with the arrival that it is about
    (None for other rows) and the column."""
    order: dict[str, list[Arrival]] = {}
    for own in taken:
        if own.change != SAME:
            order.setdefault(own.table, []).append(own)
    shelf = Shelf(ward)
    last = {
        name: max((row.line for row in shelf.sheet(ward.tables[name]).rows), default=1)
        for name in order
    }
    files = {ward.tables[name].file: name for name in order}
    found: list[tuple[Problem, Arrival | None, str]] = []
    for problem in checks.check(ward, hashes=False, day=day, tails=rows):
        name = files.get(problem.file, "")
        at = problem.row - last.get(name, 0) - 1
        about = order[name][at] if name and 0 <= at < len(order[name]) else None
        found.append((problem, about, problem.column))
    return found
