"""Checks: every fault of every table, named with file, row, column, what was found, what was expected
and what to do.

A table is checked whole before anything of it is handed out, and all its faults are reported at once;
of many of one kind the first ones, and how many more.
"""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from wardlib.data import cells, descriptors, reading, rules
from wardlib.data.cells import Cells, File, Shelf
from wardlib.data.descriptors import Field, Table, Ward
from wardlib.data.reading import Sheet
from wardlib.errors import DataError, Problem, said
from wardlib.provenance import digest_bytes


def check(
    ward: Ward,
    *,
    hashes: bool = True,
    day: datetime.date | None = None,
    tails: dict[str, bytes] | None = None,
) -> list[Problem]:
    """Every fault of every table of the ward and of the reference, sorted by place; without
    `hashes`, files that differ from their recorded hash are no fault.

    Nothing may have been reported or published after `day`; without one, in a file that is as it was
    accepted, not after the day of that, where it is recorded. The tables are checked as if the `tails`
    (by the name of the ward's table, rows that end a line) stood at their ends already; rows are those of
    the longer file. Of the tables of `descriptors.arrivals` these may be the first rows.
    """
    tails = tails or {}
    if missing := tails.keys() - ward.tables.keys():
        known = descriptors.receiving(ward).tables
        ward = replace(ward, tables=ward.tables | {name: known[name] for name in sorted(missing)})
    shelf = Shelf(ward) if tails else cells.shelf(ward)
    whole = {}  # by their path, the files as they are now
    for name, tail in tails.items():
        table = ward.tables[name]
        whole[table.path] = shelf.lengthen(table, tail, new=name in missing)
    problems = _areas(shelf)
    for table in (*ward.tables.values(), *ward.reference.tables.values()):
        faults, _ = _judged(shelf, table, day)
        if hashes and not faults:
            faults = changed(table, whole.get(table.path, shelf.sheet(table)))
        problems += faults
    return sorted(problems)


def typed(ward: Ward, table: Table) -> tuple[pd.DataFrame, Sheet]:
    """A whole table and the sheet that it was made of. Columns are those of the descriptor:
    `yearmonth` as monthly periods, `date` as timestamps, `list` as tuples, empty texts as "", other
    empty cells as missing; the index is the line of each row.

    Raises DataError with every fault of the table's file.
    """
    file = sound(ward, table)
    assert file.frame is not None
    return file.frame.copy(deep=False), file.sheet


def sound(ward: Ward, table: Table) -> File:
    """A whole table with its frame, made once as long as no file of the ward changes (`cells.shelf`);
    nobody may change it. Raises DataError with every fault of the table's file."""
    shelf = cells.shelf(ward)
    file = shelf.file(table)
    problems, written = _judged(shelf, table)
    if problems := problems or changed(table, file.sheet):
        raise DataError(problems)
    if file.frame is None:
        file.frame = _frame(table, written) if written else pd.DataFrame(columns=table.columns)
    return file


def _judged(
    shelf: Shelf, table: Table, day: datetime.date | None = None
) -> tuple[list[Problem], Cells | None]:
    """Every fault of a table's cells and rows, and the rows without a fault of their own."""
    file, key = shelf.file(table), (day, shelf.ward.currency)
    if key not in file.judged:
        problems, written = _written(shelf, table, day)
        if written and rules.of(table):
            frame = _frame(table, written)
            if written is file.cells:
                file.frame = frame
            problems += rules.broken(shelf, table, frame, whole=written.whole)
        file.judged[key] = problems, written
    return file.judged[key]


def _written(
    shelf: Shelf, table: Table, day: datetime.date | None = None
) -> tuple[list[Problem], Cells | None]:
    """Every problem of a table's cells, each by itself; and the sound rows, where rules may look at them.
    Without a `day` on which all was known, it is that on which just this file was accepted."""
    sheet = shelf.sheet(table)
    if day is None and sheet.digest == table.hash:
        day = table.accepted_on
    problems = list(sheet.problems)
    if not sheet.rows:
        return problems, None
    written = shelf.cells(table)
    if written is None:
        found = ", ".join(sheet.rows[0].cells)[:500] or said("an empty file")
        fix = said("name each of the columns once, as the descriptor does")
        for sign, name in ((";", said("semicolons")), ("\t", said("tabs"))):
            if len(sheet.rows[0].cells) == 1 and sign in found:
                fix = said(
                    "the columns are parted by {sign}: save the file as CSV UTF-8 with commas",
                    sign=name,
                )
        return [*problems, Problem(table.file, 1, "", found, ", ".join(table.columns), fix)], None
    faulty = cells.faulty(table, written, day)
    unknown = _unknown_codes(shelf, table, written)
    problems += faulty + unknown + _repeated_keys(table, written)
    # Rules are for tables with a slip or two: they take long over one of nothing but wrong codes.
    if len(faulty) > reading.SHOWN or len(unknown) > reading.SHOWN:
        return problems, None
    return problems, written.without({problem.row for problem in faulty})


def _frame(table: Table, written: Cells) -> pd.DataFrame:
    """The table of cells without a fault, by the line of each row."""
    columns = {field.name: _typed(written[field.name], field) for field in table.fields}
    return pd.DataFrame(columns, index=pd.Index(written.lines))


def changed(table: Table, sheet: Sheet) -> list[Problem]:
    """A problem if the file is not the one that the descriptor records; none if it is missing. To be told
    of sound rows alone: what else is wrong with a file comes first."""
    if sheet.digest in ("", table.hash):
        return []
    option = "" if table.package == descriptors.REFERENCE else f" --ward {table.package}"
    if not table.hash:
        found = said("a file that was never accepted")
        fix = said("if it is as it should be, run `ward check{option} --accept`", option=option)
        expected = said("a file that was accepted, whose hash datapackage.json records")
        return [Problem(table.file, 0, "", found, expected, fix)]
    fix = said(
        "if the change is meant, run `ward check{option} --accept`; if not, put the former file back",
        option=option,
    )
    expected = said("{hash}, as datapackage.json records", hash=table.hash)
    return [Problem(table.file, 0, "", _more(table) or sheet.digest, expected, fix)]


def _more(table: Table) -> str:
    """How many rows follow the accepted ones; "" for none, and where a file does not begin with these."""
    data, end = reading.content(table.path) or b"", table.bytes
    if end is None or digest_bytes(data[:end]) != table.hash or not reading.ends_a_row(data, end):
        return ""
    count = sum(bool(row.cells) for row in reading.sheet(table.path, data[end:]).rows)
    if count == 1:
        return said("1 row not accepted")
    return said("{count} rows not accepted", count=count) if count else ""


def _repeated_keys(table: Table, written: Cells) -> list[Problem]:
    """A problem for each row with a key that stands above it too; one a row."""
    keys = [table.primary_key] if table.primary_key else []
    keys += [(field.name,) for field in table.fields if field.constraints.get("unique")]
    problems = {}
    for key in keys:
        values_by_row = list(zip(*(written[column] for column in key), strict=True))
        if len(set(values_by_row)) == len(values_by_row):
            continue
        first: dict[tuple[str, ...], int] = {}
        for line, values in zip(written.lines, values_by_row, strict=True):
            above = first.setdefault(values, line)
            if above != line:
                problems[line] = (
                    line,
                    ", ".join(key),
                    said("{key}, as in row {row}", key=", ".join(values)[:200], row=above),
                )
    expected = said("a key that stands once")
    fix = said("remove one of the two rows; a later report has its own reported_on")
    ordered = [problems[line] for line in sorted(problems)]
    return reading.first(
        ordered, lambda at: Problem(table.file, *at, expected, fix, kind="line_twice")
    )


def _unknown_codes(shelf: Shelf, table: Table, written: Cells) -> list[Problem]:
    """A problem for each code that none of the tables named by its column's `codes` holds."""
    problems = []
    for column in table.fields:
        lists = _lists(shelf, table, column)
        if not lists:
            continue
        known = {"", *(code for codes in lists.values() for code in codes)}
        unknown = {}  # by cell
        for text in set(written[column.name]):
            codes = text.split(column.delimiter) if column.type == "list" else [text]
            unknown[text] = [code for code in codes if code not in known]
        places = [
            (line, code)
            for line, text in zip(written.lines, written[column.name], strict=True)
            for code in unknown[text]
        ]
        problems += _named(table, column, places, lists, known)
    return problems


def _named(
    table: Table,
    column: Field,
    places: list[tuple[int, str]],
    lists: dict[str, tuple[str, ...]],
    known: set[str],
) -> list[Problem]:
    """The problems that unknown codes make; `places`: the line and the code of each."""
    expected = said("a code in {lists}", lists=cells.any_of(lists))

    def problem(place: tuple[int, str]) -> Problem:
        line, code = place
        fix = said(
            "{hint}correct the code, or add it to that file", hint=cells.nearest(code, known)
        )
        return Problem(table.file, line, column.name, cells.shown(code), expected, fix)

    return reading.first(places, problem)


def _lists(shelf: Shelf, table: Table, column: Field) -> dict[str, tuple[str, ...]]:
    """The codes that a column may hold, by the place where they stand; none where one of its files is
    itself faulty, and reported as such."""
    lists: dict[str, tuple[str, ...]] = {}
    for name, codes in column.codes:
        target = shelf.find(name, table)
        if target is None:  # of one country, and the ward lies in another: see `descriptors`
            continue
        written = shelf.cells(target)
        if written is None:
            return {}
        lists[_column(codes, target)] = written[codes]
        if name == _AREAS and table.package != descriptors.REFERENCE:
            own = f"data/{table.package}/{descriptors.DESCRIPTOR}"
            lists[said("the areas of {file}", file=own)] = shelf.ward.areas
    return lists


def _column(name: str, table: Table) -> str:
    return said("column {column} of {file}", column=name, file=table.file)


_AREAS = "areas"  # the reference table of what lies in what


def _areas(shelf: Shelf) -> list[Problem]:
    """A problem for each of the ward's areas that is no link of a chain from the country down: those
    that the reference knows come first, each within the one before it; what follows is the ward's own.
    Of a country that the reference knows it knows all provinces. And a problem for each reference table
    whose country the reference does not know."""
    ward = shelf.ward
    table = ward.reference.table(_AREAS)
    written = shelf.cells(table) if table else None
    if table is None or written is None:
        return []
    parents = dict(zip(written["code"], written["parent"], strict=True))
    problems = []

    def fault(
        package: str, place: tuple[str | int, ...], found: str, expected: str, fix: str = ""
    ) -> None:
        fix = fix or said(
            "{hint}correct the area, or add it to {file}",
            hint=cells.nearest(found, parents),
            file=table.file,
        )
        problems.append(descriptors.fault(package, place, cells.shown(found), expected, fix))

    above, own = "", False
    for at, area in enumerate(ward.areas):
        place = "ward", "areas", at
        if area in parents:
            if own or parents[area] != above:
                expected = said("{area} after nothing, in which it lies", area=area)
                if inside := parents[area]:
                    expected = said(
                        "{area} after {other}, in which it lies", area=area, other=inside
                    )
                fault(ward.id, place, area, expected, said("put that one before it"))
        else:
            twin = next((code for code in parents if code.casefold() == area.casefold()), "")
            if twin:
                expected = said("{code}, as in {list}", code=twin, list=_column("code", table))
                fault(ward.id, place, area, expected)
            elif not own and parents.get(above) == "":
                codes = _column("code", table)
                expected = said("a part of {area} in {list}", area=above, list=codes)
                fault(ward.id, place, area, expected)
            own = True
        above = area
    for at, shared in enumerate(ward.reference.tables.values()):
        if shared.area and shared.area not in parents:
            expected = said("a code in {lists}", lists=_column("code", table))
            fault(descriptors.REFERENCE, ("resources", at, "area"), shared.area, expected)
    return problems


def _typed(
    cells: tuple[str, ...], column: Field
) -> pd.api.extensions.ExtensionArray | np.ndarray[Any, Any] | pd.PeriodIndex:
    """The cells of a faultless column as values of its type; empty ones as missing."""
    match column.type:
        case "integer" if column.required:
            return np.array(list(map(int, cells)), dtype="int64")
        case "integer":
            return pd.array([int(text) if text else None for text in cells], dtype="Int64")
        case "number":
            return np.array([float(text) if text else np.nan for text in cells], dtype="float64")
        case "date":
            return np.array([text or "NaT" for text in cells], dtype="datetime64[us]")
        case "yearmonth":
            months = np.array([text or "NaT" for text in cells], dtype="datetime64[M]")
            ordinals = months.astype("int64")
            # pandas' stubs do not know this constructor, a public one.
            return pd.PeriodIndex.from_ordinals(ordinals, freq="M")  # type: ignore[attr-defined,no-any-return]
        case "boolean":
            return np.array([text == "true" for text in cells], dtype="bool")
        case "list":
            parts = np.empty(len(cells), dtype=object)
            parts[:] = [tuple(text.split(column.delimiter)) if text else () for text in cells]
            return parts
        case _:
            return pd.array(cells, dtype="str")
