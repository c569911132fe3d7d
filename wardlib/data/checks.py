"""Checks: every fault of every table, named with file, row, column, what was found, what was expected
and what to do.

A table is checked whole before anything of it is handed out, and all its faults are reported at once.
"""

from __future__ import annotations

import datetime
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from wardlib.data import descriptors, reading
from wardlib.data.descriptors import Field, Table, Ward
from wardlib.data.reading import Sheet
from wardlib.errors import DataError, Problem


def check(ward: Ward, *, hashes: bool = True) -> list[Problem]:
    """Every fault of every table of the ward and of the reference, sorted by place; without
    `hashes`, files that differ from their recorded hash are no fault."""
    problems: list[Problem] = []
    for table in (*ward.tables.values(), *ward.reference.tables.values()):
        sheet = reading.sheet(table.path)
        problems += _examined(ward, table, sheet)[1]
        problems += _changed(table, sheet) if hashes else []
    return sorted(problems)


def typed(ward: Ward, table: Table) -> tuple[pd.DataFrame, Sheet]:
    """A whole table and the sheet that it was made of. Columns are those of the descriptor:
    `yearmonth` as monthly periods, `date` as timestamps, `list` as tuples, empty texts as "", other
    empty cells as missing; the index is the line of each row.

    Raises DataError with every fault of the table's file.
    """
    sheet = reading.sheet(table.path)
    frame, problems = _examined(ward, table, sheet)
    problems += _changed(table, sheet)
    if problems:
        raise DataError(problems)
    return frame, sheet


def _examined(ward: Ward, table: Table, sheet: Sheet) -> tuple[pd.DataFrame, list[Problem]]:
    """The typed table (empty if any cell is faulty), with every problem of its sheet."""
    untyped = pd.DataFrame(columns=table.columns)
    problems = list(sheet.problems)
    if not sheet.rows:
        return untyped, problems
    cells = _cells(table, sheet)
    if cells is None:
        found = ", ".join(sheet.rows[0].cells) or "an empty file"
        fix = "name each of the columns once, as the descriptor does"
        problems.append(Problem(table.file, 1, "", found, ", ".join(table.columns), fix))
        return untyped, problems
    faulty = _faulty_cells(table, cells)
    problems += faulty
    problems += _repeated_keys(table, cells)
    problems += _unknown_codes(ward, table, cells)
    if faulty:
        return untyped, problems
    columns = {field.name: _typed(cells[field.name], field) for field in table.fields}
    frame = pd.DataFrame(columns, index=cells.lines)
    for rule in _RULES.get(table.name, ()):
        problems += [Problem(table.file, *fault) for fault in rule(ward, table, frame)]
    return frame, problems


def _changed(table: Table, sheet: Sheet) -> list[Problem]:
    """A problem if the file is not the one that the descriptor records; none if it is missing."""
    if sheet.digest in ("", table.hash):
        return []
    option = "" if table.package == descriptors.REFERENCE else f" --ward {table.package}"
    fix = (
        f"if the change is meant, run `ward check{option} --accept`; "
        "if not, put the former file back"
    )
    expected = f"{table.hash or 'a hash'}, as datapackage.json records"
    return [Problem(table.file, 0, "", sheet.digest, expected, fix)]


@dataclass(frozen=True)
class _Cells:
    """The cells of a table as they are written: the line of each row, and by column the cell of each
    row."""

    lines: list[int]
    columns: dict[str, tuple[str, ...]]

    def __getitem__(self, column: str) -> tuple[str, ...]:
        return self.columns[column]


def _cells(table: Table, sheet: Sheet) -> _Cells | None:
    """The cells of the rows that have as many as the header; None unless that names the columns."""
    if not sheet.rows or sorted(sheet.rows[0].cells) != sorted(table.columns):
        return None
    header, *rows = sheet.rows
    whole = [row for row in rows if len(row.cells) == len(header.cells)]
    by_column = (
        zip(*(row.cells for row in whole), strict=True) if whole else [()] * len(header.cells)
    )
    return _Cells([row.line for row in whole], dict(zip(header.cells, by_column, strict=True)))


# Digits are those of ASCII: others, such as full-width ones, look the same and are no number here.
_NUMBER = r"-?[0-9]+(\.[0-9]+)?"
# How a cell of each Table Schema type is written: pattern, what to expect, what to do.
_WRITTEN = {
    "integer": (
        r"-?[0-9]{1,18}",
        "a whole number",
        "write digits only, without separators or decimals",
    ),
    "number": (_NUMBER, "a number", "write a point before the decimals, no separators"),
    "date": (
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
        "a day such as 2020-09-13",
        "write year-month-day",
    ),
    "yearmonth": (r"[0-9]{4}-(0[1-9]|1[0-2])", "a month such as 2020-09", "write year-month"),
    "boolean": (r"true|false", "true or false", "write true or false"),
}


class _Demand(NamedTuple):
    """What a filled cell must be: a test, what is expected, what to do where it fails."""

    holds: Callable[[str], object]
    expected: str
    fix: str


def _demands(column: Field) -> Iterator[_Demand]:
    """Each demand on the filled cells of a column."""
    unit = f" ({column.unit})" if column.unit else ""
    if column.type in _WRITTEN:
        pattern, expected, fix = _WRITTEN[column.type]
        yield _Demand(re.compile(pattern).fullmatch, expected + unit, fix)
    if column.type == "date":
        yield _Demand(_is_no_false_day, "a day of the calendar", "correct the day or the month")
    limits = column.constraints
    if "minimum" in limits or "maximum" in limits:
        low, high = limits.get("minimum", -math.inf), limits.get("maximum", math.inf)
        bounds = [f"at least {low}"] * ("minimum" in limits)
        bounds += [f"at most {high}"] * ("maximum" in limits)
        yield _Demand(
            lambda text: not re.fullmatch(_NUMBER, text) or low <= float(text) <= high,
            " and ".join(bounds) + unit,
            "correct the figure, or ask the office that reported it",
        )
    if "enum" in limits:
        words = limits["enum"]
        yield _Demand(words.__contains__, "one of " + ", ".join(words), "use one of these words")
    if "pattern" in limits:
        wanted = re.compile(limits["pattern"])
        yield _Demand(
            lambda text: wanted.fullmatch(text) and _digits_are_plain(text),
            f"text like {limits['pattern']}",
            "write it in this form",
        )
    if column.type in ("string", "list"):
        yield _Demand(
            lambda text: unicodedata.is_normalized("NFC", text),
            "composed Unicode letters (NFC)",
            "save the file with composed letters (NFC), e.g. from a Unicode keyboard",
        )
        spaces = "remove the spaces"
        yield _Demand(lambda text: text == text.strip(), "no space at either end", spaces)


def _is_no_false_day(text: str) -> bool:
    """Whether a text that begins with a year and is as long as a day is one of the calendar."""
    if not re.fullmatch(r"[0-9]{4}.{6}", text, re.DOTALL):
        return True
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _digits_are_plain(text: str) -> bool:
    r"""Whether all digits are those of ASCII: the \d of a descriptor's pattern takes any script's."""
    return not any(char.isdecimal() and not char.isascii() for char in text)


def _faulty_cells(table: Table, cells: _Cells) -> list[Problem]:
    """A problem for every cell that breaks its column's type, range, codes or normal form."""
    problems = []
    for column in table.fields:
        different = set(cells[column.name])  # few, in most columns
        filled = different - {""}
        faults = [
            ({text for text in filled if not demand.holds(text)}, demand.expected, demand.fix)
            for demand in _demands(column)
        ]
        if column.required:
            fix = "fill the cell; a figure not reported has no row at all"
            faults.append((different & {""}, "a value", fix))
        problems += [
            Problem(table.file, line, column.name, _shown(text), expected, fix)
            for faulty, expected, fix in faults
            if faulty
            for line, text in zip(cells.lines, cells[column.name], strict=True)
            if text in faulty
        ]
    return problems


def _shown(text: str) -> str:
    """A cell as a message shows it: quoted, shortened, with an empty one named."""
    if not text:
        return "an empty cell"
    return repr(text) if len(text) <= 60 else repr(text[:57] + "...")


def _repeated_keys(table: Table, cells: _Cells) -> list[Problem]:
    """A problem for each row with a key that stands above it too; one a row."""
    keys = [table.primary_key] if table.primary_key else []
    keys += [(field.name,) for field in table.fields if field.constraints.get("unique")]
    problems = {}
    for key in keys:
        values_by_row = list(zip(*(cells[column] for column in key), strict=True))
        if len(set(values_by_row)) == len(values_by_row):
            continue
        first: dict[tuple[str, ...], int] = {}
        for line, values in zip(cells.lines, values_by_row, strict=True):
            above = first.setdefault(values, line)
            if above != line:
                problems[line] = Problem(
                    table.file,
                    line,
                    ", ".join(key),
                    f"{', '.join(values)}, as in row {above}",
                    "a key that stands once",
                    "remove one of the two rows; a later report has its own reported_on",
                )
    return list(problems.values())


def _unknown_codes(ward: Ward, table: Table, cells: _Cells) -> list[Problem]:
    """A problem for each code that the table named by its column's `codes` does not hold."""
    problems = []
    for column in table.fields:
        # What all wards share is written in the codes that all wards share.
        shared = table.package == descriptors.REFERENCE
        tables = ward.reference if shared else ward
        targets = [(tables.table(name), code) for name, code in column.codes]
        known, places = {""}, []
        for target, code in targets:
            held = _cells(target, reading.sheet(target.path)) if target else None
            if target is None or held is None:  # it is itself faulty, and reported as such
                break
            known |= set(held[code])
            places.append(f"column {code} of {target.file}")
        if not places or len(places) < len(targets):
            continue
        unknown = {}  # by cell
        for text in set(cells[column.name]):
            codes = text.split(column.delimiter) if column.type == "list" else [text]
            unknown[text] = [code for code in codes if code not in known]
        expected = f"a code in {' or '.join(places)}"
        fix = "correct the code, or add it to that file"
        problems += [
            Problem(table.file, line, column.name, _shown(code), expected, fix)
            for line, text in zip(cells.lines, cells[column.name], strict=True)
            for code in unknown[text]
        ]
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


# A fault that a rule finds in a typed table: row, column, what was found, what was expected, what to do.
_Fault = tuple[int, str, str, str, str]
_Rule = Callable[[Ward, Table, pd.DataFrame], Iterator[_Fault]]
_Reported = dict[str, tuple[int, float, float]]  # by revenue line: row, collected, kept
_School = tuple[str, str, str]  # level, first month, last month or ""


def _families(ward: Ward, reported: set[str]) -> dict[str, set[str]] | None:
    """The children of each revenue line that has some, of those reported; "" has those whose parent
    is not reported. None where the file of the lines is faulty."""
    lines = ward.table("revenue_lines")
    cells = _cells(lines, reading.sheet(lines.path)) if lines else None
    if cells is None:
        return None
    families: dict[str, set[str]] = {}
    for code, parent in zip(cells["code"], cells["parent"], strict=True):
        if code in reported:
            families.setdefault(parent if parent in reported else "", set()).add(code)
    return families


def _one_root(ward: Ward, _: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
    """All lines but one have a parent that is reported too."""
    families = _families(ward, set(frame["line"].tolist()))
    if families is not None and len(roots := sorted(families.get("", ()))) != 1:
        found = ", ".join(roots) or "no line"
        fix = "report a line that holds all of them, and each line's parents"
        yield 0, "line", found, "one line that no other is above", fix


def _family_sums(ward: Ward, _: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
    """On each day on which any line of a family was reported, the parent's newest figure of the
    month exists and is the sum of its children's newest, each rounded to whole units."""
    families = _families(ward, set(frame["line"].tolist())) or {}
    families.pop("", None)
    for month, day, today, known in _known_by_day(frame):
        for parent, children in families.items():
            if parent not in today and children.isdisjoint(today):
                continue
            parts = [known[child] for child in children if child in known]
            if parent not in known:
                found = f"a part of {parent} in {month}, reported on {day:%Y-%m-%d}"
                expected = f"a figure of {parent} for that month by that day"
                fix = f"report {parent} too, the sum of its parts known on that day"
                yield min(row for row, *_ in parts), "line", found, expected, fix
                continue
            slack = 0.5 * (len(parts) + 1)  # half a unit of rounding for each figure
            row, *totals = known[parent]
            for at, (column, total) in enumerate(
                zip(("collected", "kept"), totals, strict=True), 1
            ):
                whole = sum([part[at] for part in parts])
                if parts and abs(total - whole) > slack:
                    found = f"{total:.0f} for {parent} in {month}"
                    expected = f"{whole:.0f}, the sum of its children known on {day:%Y-%m-%d}"
                    fix = "correct the parent or a child, or report the parent again on that day"
                    yield row, column, found, expected, fix


def _known_by_day(frame: pd.DataFrame) -> Iterator[tuple[str, datetime.date, _Reported, _Reported]]:
    """For each month ("2020-09") and each day on which something of it was reported: what was
    reported then, and of all lines known by then the newest."""
    days = frame["reported_on"].to_numpy().astype("datetime64[D]").tolist()
    months = reading.plain(frame["month"])
    columns = (frame[name].tolist() for name in ("line", "collected", "kept"))
    by_day: dict[tuple[int, datetime.date], _Reported] = {}
    for month, day, row, line, collected, kept in zip(
        months, days, frame.index.tolist(), *columns, strict=True
    ):  # of two alike the first: they are a fault already
        by_day.setdefault((month, day), {}).setdefault(line, (row, collected, kept))
    before, known = None, {}
    for month, day in sorted(by_day):
        today = by_day[month, day]
        known = known | today if month == before else today
        before = month
        yield str(np.datetime64(month, "M")), day, today, known


def _reported_early(_: Ward, __: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
    """No figure of a month is reported before the month has begun."""
    begun = frame["month"].astype("int64").to_numpy().astype("datetime64[M]")
    early = frame[frame["reported_on"].to_numpy() < begun]
    expected = "a day in or after the month that the figure is about"
    for row, month, day in zip(early.index, early["month"], early["reported_on"], strict=True):
        found = f"{day:%Y-%m-%d} for {month}"
        yield row, "reported_on", found, expected, "correct the day or the month"


def _adds_up(whole: str, *parts: str) -> _Rule:
    """A rule: in every row the column `whole` is the sum of the columns `parts`."""

    def rule(_: Ward, __: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
        sums = frame[list(parts)].sum(axis=1)
        for row in frame.index[frame[whole] != sums]:
            expected = f"{sums[row]}, the sum of {' + '.join(parts)}"
            yield row, whole, str(frame.at[row, whole]), expected, "correct the total or its parts"

    return rule


def _in_order(first: str, second: str) -> _Rule:
    """A rule: where both are filled, the column `second` is not below the column `first`."""

    def rule(_: Ward, __: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
        for row in frame.index[frame[second] < frame[first]]:
            low, high = (
                str(frame.at[row, name]).removesuffix(" 00:00:00") for name in (first, second)
            )
            yield row, second, high, f"not below {first}, {low}", f"correct {first} or {second}"

    return rule


def _relief_is_whole(_: Ward, __: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
    """A rule that touches a line has what the ledger needs: both shares, and until when."""
    shares = ["share_low", "share_high"]
    days = {"deferral": ["extended_due"], "none": ["normal_due"]}
    missing = frame[[*shares, "extended_due", "normal_due"]].isna()
    for row, lines, kind in zip(frame.index, frame["lines"], frame["kind"], strict=True):
        if not lines or missing.loc[row, shares].all():
            continue  # no share is known: the ledger leaves the rule out
        expected = f"a value, as the rule is of kind {kind} and names a line"
        for column in [*shares, *days.get(kind, [])]:
            if missing.at[row, column]:
                fix = "fill the cell, or empty the cell in lines"
                yield row, column, "an empty cell", expected, fix


def _school_reports(ward: Ward, table: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
    """What a school reports of a month is possible: the days fit into it, the school exists, its level
    has pupils, and attendance stands where there was a day in class."""
    register = ward.table("schools")
    cells = _cells(register, reading.sheet(register.path)) if register else None
    if register is None or cells is None:
        return
    columns = ("school", "level", "valid_from", "valid_to")
    rows = list(zip(*(cells[column] for column in columns), strict=True))
    schools = {school: (level, first, last) for school, level, first, last in reversed(rows)}
    if schools.keys() >= set(frame["school"].tolist()):
        yield from _impossible_months(frame, schools, register.file)
        yield from _no_pupils(reading.newest(frame, table.primary_key), schools)


_ASK = "correct the figure, or ask the school that reported it"


def _impossible_months(
    frame: pd.DataFrame, schools: dict[str, _School], register: str
) -> Iterator[_Fault]:
    """Reports of a month without the school, with more days than it has, with attendance but no day
    in class, or the other way round."""
    months = frame["month"].astype("int64").to_numpy().astype("datetime64[M]")
    names = np.datetime_as_string(months).tolist()
    most = np.busday_count(
        months, months + np.timedelta64(1, "M"), weekmask="Mon Tue Wed Thu Fri Sat"
    ).tolist()
    columns = ("school", "planned_days", "in_person_days", "attendance_share")
    reports = (frame[name].tolist() for name in columns)
    for row, month, limit, school, planned, in_person, share in zip(
        frame.index.tolist(), names, most, *reports, strict=True
    ):
        _, first, last = schools[school]
        if month < first or (last and month > last):
            spell = f"a month from {first or 'the first'} to {last or 'now'}"
            fix = f"correct the month, or the school's dates in {register}"
            yield row, "month", f"{month} for {school}", spell, fix
        if planned > limit:
            expected = f"at most {limit}, the days of {month} without Sundays"
            yield row, "planned_days", str(planned), expected, _ASK
        if in_person > 0 and math.isnan(share):
            expected = "a share, as days were taught in class"
            yield row, "attendance_share", "an empty cell", expected, _ASK
        if in_person <= 0 and not math.isnan(share):
            expected = "an empty cell, as no day was taught in class"
            yield row, "attendance_share", str(share), expected, _ASK


def _no_pupils(known: pd.DataFrame, schools: dict[str, _School]) -> Iterator[_Fault]:
    """Of the newest reports, those of school days in a level and month that has no pupil."""
    levels = [schools[school][0] for school in known["school"].tolist()]
    places = list(zip(levels, reading.plain(known["month"]), strict=True))
    pupils: Counter[tuple[str, int]] = Counter()
    for place, count in zip(places, known["pupils"].tolist(), strict=True):
        pupils[place] += count
    days = known["planned_days"].tolist()
    expected = "at least one pupil where school days are planned"
    for row, (level, month), planned in zip(known.index.tolist(), places, days, strict=True):
        if planned > 0 and not pupils[level, month]:
            found = f"no pupil in level {level} in {np.datetime64(month, 'M')}"
            yield row, "pupils", found, expected, _ASK


def _participants(_: Ward, __: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
    """Nobody takes part where no event was held."""
    idle = frame[frame["held"] + frame["held_later"] == 0]
    for row, count in zip(idle.index, idle["participants"], strict=True):
        if count > 0:
            fix = "correct the number, or held and held_later"
            yield row, "participants", str(count), "0, as no event was held", fix


def _answered_for(ward: Ward, table: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
    """A body answers for what there is: a revenue line or an indicator."""
    tables = ward.reference if table.package == descriptors.REFERENCE else ward
    known: set[str] = set()
    for name in ("revenue_lines", "indicators"):
        target = tables.table(name)
        cells = _cells(target, reading.sheet(target.path)) if target else None
        known |= set(cells["code"]) if cells else set()
    expected = "a code of revenue_lines or of indicators"
    for row, item in zip(frame.index, frame["item"], strict=True):
        if item not in known:
            yield row, "item", item, expected, "correct the code, or add it to that table"


_RULES: dict[str, tuple[_Rule, ...]] = {
    "covid_measures": (_in_order("start", "end"),),
    "covid_phases": (_in_order("start", "end"),),
    "school_closures": (_in_order("start", "end"),),
    "tax_relief": (
        _relief_is_whole,
        _in_order("share_low", "share_high"),
        _in_order("period_start", "period_end"),
        _in_order("normal_due", "extended_due"),
    ),
    "owners": (_answered_for, _in_order("valid_from", "valid_to")),
    "receipts": (_one_root, _family_sums, _reported_early),
    "indicator_months": (_reported_early,),
    "school_months": (
        _adds_up("planned_days", "in_person_days", "online_days", "closed_days"),
        _school_reports,
        _reported_early,
    ),
    "activities": (
        _adds_up("planned", "held", "cancelled", "postponed"),
        _participants,
        _reported_early,
    ),
}
