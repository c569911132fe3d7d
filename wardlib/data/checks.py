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
        problems += rule(ward, table, frame)
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
        if column.codes is None:
            continue
        # What all wards share is written in the codes that all wards share.
        shared = table.package == descriptors.REFERENCE
        target = (ward.reference if shared else ward).table(column.codes[0])
        if target is None or column.codes[1] not in target.columns:
            file = f"data/{table.package}/{descriptors.DESCRIPTOR}"
            place, found = f"{table.name}.{column.name}", f"codes {'.'.join(column.codes)}"
            expected = "table.column of this ward or of the reference"
            problems.append(Problem(file, 0, place, found, expected, "correct the property codes"))
            continue
        target_cells = _cells(target, reading.sheet(target.path))
        if target_cells is None:  # it is itself faulty, and reported as such
            continue
        known = {"", *target_cells[column.codes[1]]}
        unknown = {}  # by cell
        for text in set(cells[column.name]):
            codes = text.split(column.delimiter) if column.type == "list" else [text]
            unknown[text] = [code for code in codes if code not in known]
        expected = f"a code in column {column.codes[1]} of {target.file}"
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


_Reported = dict[str, tuple[int, float, float]]  # by revenue line: row, collected, kept


def _families(ward: Ward, reported: set[str]) -> dict[str, set[str]] | None:
    """The children of each revenue line that has some, of those reported; the parent "" is that of
    lines without a reported one. None where the file of the lines is faulty."""
    lines = ward.table("revenue_lines")
    cells = _cells(lines, reading.sheet(lines.path)) if lines else None
    if cells is None:
        return None
    families: dict[str, set[str]] = {}
    for code, parent in zip(cells["code"], cells["parent"], strict=True):
        if code in reported:
            families.setdefault(parent if parent in reported else "", set()).add(code)
    return families


def _one_root(ward: Ward, table: Table, frame: pd.DataFrame) -> list[Problem]:
    """All lines but one have a parent that is reported too."""
    families = _families(ward, set(frame["line"].tolist()))
    roots = sorted((families or {}).get("", ()))
    if families is None or len(roots) == 1:
        return []
    found = ", ".join(roots) or "no line"
    fix = "report a line that holds all of them, and each line's parents"
    return [Problem(table.file, 0, "line", found, "one line that no other is above", fix)]


def _family_sums(ward: Ward, table: Table, frame: pd.DataFrame) -> list[Problem]:
    """On each day on which any line of a family was reported, the parent's newest figure of the
    month exists and is the sum of its children's newest, each rounded to whole units."""
    families = _families(ward, set(frame["line"].tolist())) or {}
    families.pop("", None)
    problems = []
    for month, day, today, known in _known_by_day(frame):
        for parent, children in families.items():
            if parent not in today and children.isdisjoint(today):
                continue
            parts = [known[child] for child in children if child in known]
            if parent not in known:
                found = f"a part of {parent} in {month}, reported on {day:%Y-%m-%d}"
                expected = f"a figure of {parent} for that month by that day"
                fix = f"report {parent} too, the sum of its parts known on that day"
                line = min(line for line, *_ in parts)
                problems.append(Problem(table.file, line, "line", found, expected, fix))
            elif parts:
                problems += _false_sums(table, f"{parent} in {month}", day, known[parent], parts)
    return problems


def _false_sums(
    table: Table,
    what: str,
    day: datetime.date,
    parent: tuple[int, float, float],
    children: list[tuple[int, float, float]],
) -> Iterator[Problem]:
    """A problem for each of a parent's two figures that is not the sum of its children's."""
    slack = 0.5 * (len(children) + 1)  # half a unit of rounding for each figure
    for at, column in enumerate(("collected", "kept"), start=1):
        total, whole = parent[at], sum([child[at] for child in children])
        if abs(total - whole) > slack:
            expected = f"{whole:.0f}, the sum of its children known on {day:%Y-%m-%d}"
            fix = "correct the parent or a child, or report the parent again on that day"
            found = f"{total:.0f} for {what}"
            yield Problem(table.file, parent[0], column, found, expected, fix)


def _known_by_day(
    frame: pd.DataFrame,
) -> Iterator[tuple[str, datetime.date, _Reported, _Reported]]:
    """For each month ("2020-09") and each day on which something of it was reported: what was reported then,
    and of all lines known by then the newest."""
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


_Rule = Callable[[Ward, Table, pd.DataFrame], list[Problem]]  # the typed table's faults


def _reported_early(_: Ward, table: Table, frame: pd.DataFrame) -> list[Problem]:
    """No figure of a month is reported before the month has begun."""
    begun = frame["month"].astype("int64").to_numpy().astype("datetime64[M]")
    early = frame["reported_on"].to_numpy() < begun
    return [
        Problem(
            table.file,
            int(row),
            "reported_on",
            f"{frame.at[row, 'reported_on']:%Y-%m-%d} for {frame.at[row, 'month']!s}",
            "a day in or after the month that the figure is about",
            "correct the day or the month",
        )
        for row in frame.index[early]
    ]


def _adds_up(whole: str, *parts: str) -> _Rule:
    """A rule: in every row the column `whole` is the sum of the columns `parts`."""

    def rule(_: Ward, table: Table, frame: pd.DataFrame) -> list[Problem]:
        sums = frame[list(parts)].sum(axis=1)
        return [
            Problem(
                table.file,
                int(row),
                whole,
                str(frame.at[row, whole]),
                f"{sums[row]}, the sum of {' + '.join(parts)}",
                "correct the total or its parts",
            )
            for row in frame.index[frame[whole] != sums]
        ]

    return rule


def _in_order(first: str, second: str) -> _Rule:
    """A rule: where both are filled, the column `second` is not below the column `first`."""

    def rule(_: Ward, table: Table, frame: pd.DataFrame) -> list[Problem]:
        return [
            Problem(
                table.file,
                int(row),
                second,
                str(frame.at[row, second]).removesuffix(" 00:00:00"),
                f"not below {first}, {str(frame.at[row, first]).removesuffix(' 00:00:00')}",
                f"correct {first} or {second}",
            )
            for row in frame.index[frame[second] < frame[first]]
        ]

    return rule


def _relief_is_whole(_: Ward, table: Table, frame: pd.DataFrame) -> list[Problem]:
    """A rule that touches a line has what the ledger needs: both shares, and until when."""
    problems = []
    missing = {
        name: frame[name].isna().tolist()
        for name in ("share_low", "share_high", "extended_due", "normal_due")
    }
    rows = zip(frame.index.tolist(), frame["lines"], frame["kind"].tolist(), strict=True)
    for at, (row, lines, kind) in enumerate(rows):
        if not lines:
            continue
        needed = {"deferral": ["extended_due"], "none": ["normal_due"]}.get(kind, [])
        shares = ["share_low", "share_high"]
        if all(missing[share][at] for share in shares):
            continue  # no share is known: the ledger leaves the rule out
        problems += [
            Problem(
                table.file,
                row,
                column,
                "an empty cell",
                f"a value, as the rule is of kind {kind} and names a line",
                "fill the cell, or empty the cell in lines",
            )
            for column in [*shares, *needed]
            if missing[column][at]
        ]
    return problems


_School = tuple[str, str, str]  # level, first month, last month or ""


def _school_reports(ward: Ward, table: Table, frame: pd.DataFrame) -> list[Problem]:
    """What a school reports of a month is possible: the days fit into it, the school exists, its level
    has pupils, and attendance stands where there was a day in class."""
    register = ward.table("schools")
    cells = _cells(register, reading.sheet(register.path)) if register else None
    if register is None or cells is None:
        return []
    columns = ("school", "level", "valid_from", "valid_to")
    rows = list(zip(*(cells[column] for column in columns), strict=True))
    schools = {school: (level, first, last) for school, level, first, last in reversed(rows)}
    if not schools.keys() >= set(frame["school"].tolist()):
        return []
    impossible = _impossible_months(table, frame, schools, register.file)
    return [*impossible, *_no_pupils(table, frame, schools)]


def _impossible_months(
    table: Table, frame: pd.DataFrame, schools: dict[str, _School], register: str
) -> Iterator[Problem]:
    """Reports of a month without the school, with more days than it has, or with a share of pupils
    attending that no day in class stands behind, or the other way round."""

    def problem(row: int, column: str, found: str, expected: str, fix: str) -> Problem:
        return Problem(table.file, row, column, found, expected, fix)

    ask = "correct the figure, or ask the school that reported it"
    months = frame["month"].astype("int64").to_numpy().astype("datetime64[M]")
    names = np.datetime_as_string(months).tolist()
    most = np.busday_count(months, months + 1, weekmask="Mon Tue Wed Thu Fri Sat").tolist()
    columns = ("school", "planned_days", "in_person_days", "attendance_share")
    reports = (frame[name].tolist() for name in columns)
    for row, month, limit, school, planned, in_person, share in zip(
        frame.index.tolist(), names, most, *reports, strict=True
    ):
        _, first, last = schools[school]
        if month < first or (last and month > last):
            spell = f"a month from {first or 'the first'} to {last or 'now'}"
            fix = f"correct the month, or the school's dates in {register}"
            yield problem(row, "month", f"{month} for {school}", spell, fix)
        if planned > limit:
            days = f"at most {limit}, the days of {month} without Sundays"
            yield problem(row, "planned_days", str(planned), days, ask)
        if in_person > 0 and math.isnan(share):
            expected = "a share, as days were taught in class"
            yield problem(row, "attendance_share", "an empty cell", expected, ask)
        if not in_person > 0 and not math.isnan(share):
            expected = "an empty cell, as no day was taught in class"
            yield problem(row, "attendance_share", str(share), expected, ask)


def _no_pupils(table: Table, frame: pd.DataFrame, schools: dict[str, _School]) -> Iterator[Problem]:
    """Reports of school days in a level and month that has no pupil, by the newest reports."""
    known = reading.newest(frame, table.primary_key)
    levels = [schools[school][0] for school in known["school"].tolist()]
    places = list(zip(levels, reading.plain(known["month"]), strict=True))
    pupils: Counter[tuple[str, int]] = Counter()
    for place, count in zip(places, known["pupils"].tolist(), strict=True):
        pupils[place] += count
    days = known["planned_days"].tolist()
    for row, (level, month), planned in zip(known.index.tolist(), places, days, strict=True):
        if planned > 0 and not pupils[level, month]:
            found = f"no pupil in level {level} in {np.datetime64(month, 'M')}"
            expected = "at least one pupil where school days are planned"
            fix = "correct the figure, or ask the school that reported it"
            yield Problem(table.file, row, "pupils", found, expected, fix)


def _participants(_: Ward, table: Table, frame: pd.DataFrame) -> list[Problem]:
    """Nobody takes part where no event was held."""
    none = (frame["held"] + frame["held_later"] == 0) & (frame["participants"] > 0)
    return [
        Problem(
            table.file,
            int(row),
            "participants",
            str(frame.at[row, "participants"]),
            "0, as no event was held",
            "correct the number, or held and held_later",
        )
        for row in frame.index[none]
    ]


_RULES = {
    "covid_measures": (_in_order("start", "end"),),
    "covid_phases": (_in_order("start", "end"),),
    "school_closures": (_in_order("start", "end"),),
    "tax_relief": (
        _relief_is_whole,
        _in_order("share_low", "share_high"),
        _in_order("period_start", "period_end"),
        _in_order("normal_due", "extended_due"),
    ),
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
