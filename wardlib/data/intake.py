"""Data files: the only module that opens them. Every row is checked against its descriptor.

A table is checked whole before anything of it is handed out, and all its faults are reported at
once. Files only grow: each figure carries the day it was reported (`reported_on`), and a reader
who asks `as_of` a day sees what was known on that day.
"""

from __future__ import annotations

import csv
import datetime
import io
import itertools
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from wardlib import provenance
from wardlib.data import descriptors
from wardlib.data.descriptors import Field, Table, Ward
from wardlib.errors import DataError, Problem, RequestError
from wardlib.periods import Period, parse_day


def load(
    ward: Ward,
    table: str,
    *,
    period: Period | None = None,
    as_of: datetime.date | None = None,
    every_report: bool = False,
) -> pd.DataFrame | None:
    """What was known of `table` on the day `as_of`, up to the last month of `period` (inclusive).

    Without `as_of`: the newest of each figure; with `every_report`: earlier reports too. Columns
    are those of the descriptor: `yearmonth` as monthly periods, `date` as timestamps, `list` as
    tuples, empty texts as "", other empty cells as missing. None where the ward has no such table.

    Raises DataError with every fault of the table's file.
    """
    described = ward.table(table)
    if described is None:
        return None
    return _known(_whole(ward, described), described, period, as_of, every_report)


def _whole(ward: Ward, table: Table) -> pd.DataFrame:
    frame, problems = _read(ward, table)
    problems += _changed(table)
    if problems:
        raise DataError(problems)
    return frame


def _known(
    frame: pd.DataFrame,
    table: Table,
    period: Period | None,
    as_of: datetime.date | None,
    every_report: bool,
) -> pd.DataFrame:
    """The rows of a whole table that a reader sees; `descriptors.digest_read` digests the same."""
    if period is not None and "month" in frame:
        frame = frame[frame["month"] <= period.last]
    if period is not None and "year" in frame:
        frame = frame[frame["year"] <= period.year]
    reported = next((name for name in descriptors.REPORTED if name in frame), None)
    if reported and as_of:
        frame = frame[frame[reported] <= pd.Timestamp(as_of)]
    if reported == "reported_on" and not every_report:
        frame = newest(frame, table.primary_key)
    return frame.reset_index(drop=True)


def newest(frame: pd.DataFrame, key: tuple[str, ...]) -> pd.DataFrame:
    """The last reported row of each figure, a figure being `key` without `reported_on`."""
    figure = [_plain(frame[name]) for name in key if name != "reported_on"]
    figures = list(zip(*figure, strict=True))
    in_order = np.argsort(frame["reported_on"].to_numpy(), kind="stable").tolist()
    last = {figures[row]: row for row in in_order}
    return frame.iloc[sorted(last.values())]


def _plain(column: pd.Series) -> list:
    """The cells of a column, months as their ordinals: Periods are slow to make and to compare."""
    if isinstance(column.dtype, pd.PeriodDtype):
        return column.astype("int64").tolist()
    return column.tolist()


def check(ward: Ward, *, hashes: bool = True) -> list[Problem]:
    """Every fault of every table of the ward and of the reference, sorted by place; without
    `hashes`, files that differ from their recorded hash are no fault."""
    tables = [*ward.tables.values(), *ward.reference.tables.values()]
    faults = [_read(ward, table)[1] for table in tables]
    if hashes:
        faults += [_changed(table) for table in tables]
    return sorted(itertools.chain.from_iterable(faults))


@dataclass(frozen=True)
class Book:
    """What a ward knew of a period on a day: its tables, and a record of the rows read.

    `digests` maps each file read so far to the digest of the rows that it gave for this period and
    day (`descriptors.digest_read`). A file is opened once.
    """

    ward: Ward
    period: Period
    as_of: datetime.date | None
    digests: dict[str, str] = field(default_factory=dict, compare=False)
    _whole: dict[str, pd.DataFrame] = field(default_factory=dict, compare=False, repr=False)
    _seen: dict[tuple[str, bool], pd.DataFrame] = field(
        default_factory=dict, compare=False, repr=False
    )

    def table(self, name: str, *, every_report: bool = False) -> pd.DataFrame | None:
        """`load` for this ward, period and day."""
        described = self.ward.table(name)
        if described is None:
            return None
        if name not in self._whole:
            self._whole[name] = _whole(self.ward, described)
            day = self.as_of.isoformat() if self.as_of else ""
            read = descriptors.digest_read(described, str(self.period.last), day)
            self.digests[described.file] = read
        asked = name, every_report
        if asked not in self._seen:
            self._seen[asked] = _known(
                self._whole[name], described, self.period, self.as_of, every_report
            )
        return self._seen[asked].copy(deep=False)  # pandas copies what a reader writes to

    @property
    def descriptors(self) -> dict[str, str]:
        """The digests of the descriptors that the tables were read by."""
        return {
            f"data/{package}/{descriptors.DESCRIPTOR}": descriptors.digest_descriptor(package)
            for package in (self.ward.id, descriptors.REFERENCE)
        }


def open_book(ward: str, period: str, as_of: str = "") -> Book:
    """The book of a notebook's parameters, texts as papermill hands them over.

    Raises RequestError where they name nothing, or where nothing was reported for the period.
    """
    book = Book(descriptors.ward(ward), Period.parse(period), parse_day(as_of))
    if absent := unreported(book.ward, [book.period], book.as_of, book.table("receipts")):
        raise RequestError(absent[book.period])
    return book


def unreported(
    ward: Ward,
    periods: Iterable[Period],
    as_of: datetime.date | None,
    receipts: pd.DataFrame | None = None,
) -> dict[Period, str]:
    """Those of the periods of which no receipt was known on the day `as_of`, each with a text that
    says so; `receipts`, if they are at hand, save reading them."""
    if receipts is None:
        receipts = load(ward, "receipts", as_of=as_of)
    months = set() if receipts is None else set(_plain(receipts["month"]))
    absent = [
        period
        for period in periods
        if months.isdisjoint(range(period.first.ordinal, period.last.ordinal + 1))
    ]
    if not absent:
        return {}
    every = load(ward, "receipts")
    span = "none" if every is None else f"{every['month'].min()} to {every['month'].max()}"
    known = f" was reported by {as_of}" if as_of else " is in its files"
    return {
        period: f"no receipt of {ward.id} for {period}{known}. Months in its files: {span}."
        for period in absent
    }


@dataclass(frozen=True)
class _Cells:
    """The cells of a table's file as they are written: the line of each row, and by column the cell
    of each row."""

    lines: list[int]
    columns: dict[str, tuple[str, ...]]

    def __getitem__(self, column: str) -> tuple[str, ...]:
        return self.columns[column]


def _read(ward: Ward, table: Table) -> tuple[pd.DataFrame, list[Problem]]:
    """The typed table (empty if any cell is faulty), with every problem of its file."""
    raw, problems = _cells(table)
    if raw is None:
        return pd.DataFrame(columns=table.columns), problems
    faulty = _faulty_cells(table, raw)
    problems += faulty
    problems += _repeated_keys(table, raw)
    problems += _unknown_codes(ward, table, raw)
    if faulty:
        return pd.DataFrame(columns=table.columns), problems
    frame = pd.DataFrame({f.name: _typed(raw[f.name], f) for f in table.fields}, index=raw.lines)
    for rule in _RULES.get(table.name, ()):
        problems += rule(ward, table, frame)
    return frame, problems


def _changed(table: Table) -> list[Problem]:
    """A problem if the file is not the one that the descriptor records; none if it is missing."""
    if not table.path.is_file() or (found := provenance.digest(table.path)) == table.hash:
        return []
    option = "" if table.package == descriptors.REFERENCE else f" --ward {table.package}"
    fix = (
        f"if the change is meant, run `ward check{option} --accept`; "
        "if not, put the former file back"
    )
    expected = f"{table.hash or 'a hash'}, as datapackage.json records"
    return [Problem(table.file, 0, "", found, expected, fix)]


def _cells(table: Table) -> tuple[_Cells | None, list[Problem]]:
    """The file's cells as written; None if there is no such table."""

    def problem(row: int, column: str, found: str, expected: str, fix: str) -> Problem:
        return Problem(table.file, row, column, found, expected, fix)

    try:
        data = table.path.read_bytes()
    except OSError as error:
        fix = "put the file back, or take the table out of the descriptor"
        return None, [problem(0, "", error.strerror or "unreadable", "a CSV file", fix)]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        fix = "save the file as CSV UTF-8"
        found = f"byte 0x{data[error.start]:02x}"
        return None, [problem(row, "", found, "UTF-8 text", fix)]
    problems = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header, rows = [], {}
    try:
        header = next(reader, [])
        for cells in reader:
            if len(cells) == len(header):
                rows[reader.line_num] = cells
            elif cells:
                fix = "add or remove commas; put cells that hold a comma in double quotes"
                found, expected = f"{len(cells)} cells", f"{len(header)} cells"
                problems.append(problem(reader.line_num, "", found, expected, fix))
    except csv.Error as error:
        fix = "close the double quotes of this row"
        return None, [*problems, problem(reader.line_num, "", str(error), "a CSV row", fix)]
    if sorted(header) != sorted(table.columns):
        return None, [
            *problems,
            problem(
                1,
                "",
                ", ".join(header) or "an empty file",
                ", ".join(table.columns),
                "name each of the columns once, as the descriptor does",
            ),
        ]
    by_column = zip(*rows.values(), strict=True) if rows else [()] * len(header)
    columns = dict(zip(header, by_column, strict=True))
    return _Cells(list(rows), {name: columns[name] for name in table.columns}), problems


# How a cell of each Table Schema type is written: pattern, what to expect, what to do.
_WRITTEN = {
    "integer": (
        r"-?\d{1,18}",
        "a whole number",
        "write digits only, without separators or decimals",
    ),
    "number": (r"-?\d+(\.\d+)?", "a number", "write a point before the decimals, no separators"),
    "date": (r"\d{4}-\d{2}-\d{2}", "a day such as 2020-09-13", "write year-month-day"),
    "yearmonth": (r"\d{4}-(0[1-9]|1[0-2])", "a month such as 2020-09", "write year-month"),
    "boolean": (r"true|false", "true or false", "write true or false"),
}


def _is_day(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _cell_tests(column: Field) -> Iterator[tuple[Callable[[str], bool], str, str]]:
    """(test of a filled cell, what is expected, what to do) for each demand on the column."""
    unit = f" ({column.unit})" if column.unit else ""
    if column.type in _WRITTEN:
        pattern, expected, fix = _WRITTEN[column.type]
        yield re.compile(pattern).fullmatch, expected + unit, fix
    if column.type == "date":
        yield (
            (lambda text: not text[:4].isdigit() or len(text) != 10 or _is_day(text)),
            ("a day of the calendar"),
            "correct the day or the month",
        )
    demands = column.constraints
    if "minimum" in demands or "maximum" in demands:
        low, high = demands.get("minimum", float("-inf")), demands.get("maximum", float("inf"))
        bounds = [f"at least {low}"] * ("minimum" in demands)
        bounds += [f"at most {high}"] * ("maximum" in demands)
        number = re.compile(_WRITTEN["number"][0]).fullmatch
        yield (
            (lambda text: not number(text) or low <= float(text) <= high),
            (" and ".join(bounds) + unit),
            "correct the figure, or ask the office that reported it",
        )
    if "enum" in demands:
        allowed = demands["enum"]
        yield allowed.__contains__, "one of " + ", ".join(allowed), "use one of these words"
    if "pattern" in demands:
        yield (
            re.compile(demands["pattern"]).fullmatch,
            f"text like {demands['pattern']}",
            ("write it in this form"),
        )
    if column.type in ("string", "list"):
        yield (
            (lambda text: unicodedata.is_normalized("NFC", text)),
            ("composed Unicode letters (NFC)"),
            "save the file with composed letters (NFC), e.g. from a Unicode keyboard",
        )
        yield (lambda text: text == text.strip()), "no space at either end", "remove the spaces"


def _faulty_cells(table: Table, raw: _Cells) -> list[Problem]:
    """A problem for every cell that breaks its column's type, range, codes or normal form."""
    suspects = []
    for column in table.fields:
        # Most columns hold few different cells, all of them good: pandera reports on the others.
        cells, tests = set(raw[column.name]), list(_cell_tests(column))
        empty = "" in cells and column.required
        cells.discard("")
        if empty or not all(all(map(test, cells)) for test, *_ in tests):
            suspects.append((column, tests))
    if not suspects:
        return []
    import pandera.errors
    import pandera.pandas as pa  # takes a tenth of a second to load, and is seldom needed

    columns, fixes = {}, {}
    for column, tests in suspects:
        checks = []
        for test, expected, fix in tests:
            fixes[column.name, expected] = fix
            checks.append(
                pa.Check(
                    lambda text, test=test: text == "" or bool(test(text)),
                    element_wise=True,
                    error=expected,
                )
            )
        if column.required:
            fixes[column.name, "a value"] = "fill the cell; a figure not reported has no row at all"
            checks.append(pa.Check.str_length(min_value=1, error="a value"))
        columns[column.name] = pa.Column(str, checks)
    frame = pd.DataFrame(raw.columns, index=raw.lines, dtype="str")
    try:
        pa.DataFrameSchema(columns).validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        return [
            Problem(
                table.file,
                int(case.index),
                case.column,
                _shown(case.failure_case),
                case.check,
                fixes[case.column, case.check],
            )
            for case in errors.failure_cases.itertuples(index=False)
        ]
    return []


def _shown(text: str) -> str:
    """A cell as a message shows it: quoted, shortened, with an empty one named."""
    if not text:
        return "an empty cell"
    return repr(text) if len(text) <= 60 else repr(text[:57] + "...")


def _repeated_keys(table: Table, raw: _Cells) -> list[Problem]:
    keys = [table.primary_key] if table.primary_key else []
    keys += [(f.name,) for f in table.fields if f.constraints.get("unique")]
    problems = {}
    for key in keys:
        rows = list(zip(*(raw[name] for name in key), strict=True))
        if len(set(rows)) == len(rows):
            continue
        first: dict[tuple[str, ...], int] = {}
        for row, values in zip(raw.lines, rows, strict=True):
            above = first.setdefault(values, row)
            if above != row:
                problems[row] = Problem(
                    table.file,
                    row,
                    ", ".join(key),
                    f"{', '.join(values)}, as in row {above}",
                    "a key that stands once",
                    "remove one of the two rows; a later report has its own reported_on",
                )
    return list(problems.values())


def _unknown_codes(ward: Ward, table: Table, raw: _Cells) -> list[Problem]:
    problems = []
    for column in table.fields:
        if column.codes is None:
            continue
        # What all wards share is written in the codes that all wards share.
        shared = table.package == descriptors.REFERENCE
        target = (ward.reference if shared else ward).table(column.codes[0])
        if target is None or column.codes[1] not in target.columns:
            problems.append(
                Problem(
                    f"data/{table.package}/{descriptors.DESCRIPTOR}",
                    0,
                    f"{table.name}.{column.name}",
                    f"codes {'.'.join(column.codes)}",
                    "table.column of this ward or of the reference",
                    "correct the property codes",
                )
            )
            continue
        known = _codes(target, column.codes[1])
        if known is None:  # the table of codes is itself faulty, and reported as such
            continue
        unknown = {}  # by cell
        for text in set(raw[column.name]):
            codes = text.split(column.delimiter) if column.type == "list" else [text]
            unknown[text] = [code for code in codes if code and code not in known]
        problems += [
            Problem(
                table.file,
                row,
                column.name,
                _shown(code),
                f"a code in column {column.codes[1]} of {target.file}",
                "correct the code, or add it to that file",
            )
            for row, text in zip(raw.lines, raw[column.name], strict=True)
            for code in unknown[text]
        ]
    return problems


def _codes(table: Table, column: str) -> set[str] | None:
    """The filled cells of a column; None where the file is no table."""
    raw, _ = _cells(table)
    return None if raw is None else set(raw[column]) - {""}


def _typed(cells: tuple[str, ...], column: Field) -> pd.api.extensions.ExtensionArray | np.ndarray:
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
            return pd.PeriodIndex.from_ordinals(months.astype("int64"), freq="M")
        case "boolean":
            return np.array([text == "true" for text in cells], dtype="bool")
        case "list":
            parts = np.empty(len(cells), dtype=object)
            parts[:] = [tuple(text.split(column.delimiter)) if text else () for text in cells]
            return parts
        case _:
            return pd.array(cells, dtype="str")


_Reported = dict[str, tuple[int, float, float]]  # by line: row, collected, kept


def _family_sums(ward: Ward, table: Table, frame: pd.DataFrame) -> list[Problem]:
    """On each day on which any line of a family was reported, the parent's newest figure of the
    month exists and is the sum of its children's newest, each rounded to whole units."""
    lines = ward.table("revenue_lines")
    raw, _ = _cells(lines)
    if raw is None:
        return []
    lines = set(frame["line"].tolist())
    families: dict[str, set[str]] = {}
    for code, parent in zip(raw["code"], raw["parent"], strict=True):
        if parent in lines and code in lines:
            families.setdefault(parent, set()).add(code)
    columns = ("collected", "kept")
    problems = {
        (parent, column): [] for parent in sorted(families) for column in ("line", *columns)
    }
    for month, day, today, known in _known_by_day(frame):
        for parent, children in families.items():
            if parent not in today and children.isdisjoint(today):
                continue
            parts = [known[child] for child in children if child in known]
            if parent not in known:
                problems[parent, "line"].append(
                    Problem(
                        table.file,
                        min(row for row, *_ in parts),
                        "line",
                        f"a part of {parent} in {month}, reported on {day:%Y-%m-%d}",
                        f"a figure of {parent} for that month by that day",
                        f"report {parent} too, the sum of its parts known on that day",
                    )
                )
                continue
            slack = 0.5 * (len(parts) + 1)  # half a unit of rounding for each figure
            row, *totals = known[parent]
            for at, (column, total) in enumerate(zip(columns, totals, strict=True), start=1):
                whole = sum([part[at] for part in parts])
                if parts and abs(total - whole) > slack:
                    problems[parent, column].append(
                        Problem(
                            table.file,
                            row,
                            column,
                            f"{total:.0f} for {parent} in {month}",
                            f"{whole:.0f}, the sum of its children known on {day:%Y-%m-%d}",
                            "correct the parent or a child, or report the parent again on that day",
                        )
                    )
    return list(itertools.chain.from_iterable(problems.values()))


def _known_by_day(
    frame: pd.DataFrame,
) -> Iterator[tuple[np.datetime64, datetime.date, _Reported, _Reported]]:
    """For each month and each day on which something of it was reported: what was reported then,
    and of all lines known by then the newest."""
    days = frame["reported_on"].to_numpy().astype("datetime64[D]").tolist()
    columns = (frame[name].tolist() for name in ("line", "collected", "kept"))
    by_day: dict[tuple[int, datetime.date], _Reported] = {}
    for month, day, row, line, *figures in zip(
        _plain(frame["month"]), days, frame.index.tolist(), *columns, strict=True
    ):  # of two alike the first: they are a fault already
        by_day.setdefault((month, day), {}).setdefault(line, (row, *figures))
    before, known = None, {}
    for month, day in sorted(by_day):
        today = by_day[month, day]
        known = known | today if month == before else today
        before = month
        yield np.datetime64(month, "M"), day, today, known


def _reported_early(_: Ward, table: Table, frame: pd.DataFrame) -> list[Problem]:
    """No figure of a month is reported before the month has begun."""
    begun = frame["month"].astype("int64").to_numpy().astype("datetime64[M]")
    early = frame["reported_on"].to_numpy() < begun
    return [
        Problem(
            table.file,
            int(row),
            "reported_on",
            f"{frame.at[row, 'reported_on']:%Y-%m-%d} for {frame.at[row, 'month']}",
            "a day in or after the month that the figure is about",
            "correct the day or the month",
        )
        for row in frame.index[early]
    ]


def _adds_up(whole: str, *parts: str) -> Callable[[Ward, Table, pd.DataFrame], list[Problem]]:
    """A rule: in every row the column `whole` is the sum of the columns `parts`."""

    def rule(_: Ward, table: Table, frame: pd.DataFrame) -> list[Problem]:
        sums = sum(frame[part] for part in parts)
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


def _one_root(ward: Ward, table: Table, frame: pd.DataFrame) -> list[Problem]:
    """All lines but one have a parent that is reported too."""
    raw, _ = _cells(ward.table("revenue_lines"))
    if raw is None:
        return []
    lines = set(frame["line"].tolist())
    parents = zip(raw["code"], raw["parent"], strict=True)
    roots = sorted(code for code, parent in parents if code in lines and parent not in lines)
    if len(roots) == 1:
        return []
    fix = "report a line that holds all of them, and each line's parents"
    found = ", ".join(roots) or "no line"
    return [Problem(table.file, 0, "line", found, "one line that no other is above", fix)]


def _in_order(first: str, second: str) -> Callable[[Ward, Table, pd.DataFrame], list[Problem]]:
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


def _school_days(ward: Ward, table: Table, frame: pd.DataFrame) -> list[Problem]:
    """What a school reports of a month is possible: the days fit into it, the school exists, its level
    has pupils, and attendance stands where there was a day in class."""
    register = ward.table("schools")
    raw = None if register is None else _cells(register)[0]
    if raw is None or not set(frame["school"].tolist()) <= set(raw["school"]):
        return []
    rows = zip(raw["school"], raw["level"], raw["valid_from"], raw["valid_to"], strict=True)
    schools = {school: about for school, *about in reversed([*rows])}  # the first of two alike
    problems = []

    def problem(row: int, column: str, found: str, expected: str, fix: str) -> None:
        problems.append(Problem(table.file, int(row), column, found, expected, fix))

    ask = "correct the figure, or ask the school that reported it"
    months = frame["month"].astype("int64").to_numpy().astype("datetime64[M]")
    names = np.datetime_as_string(months).tolist()
    most = np.busday_count(months, months + 1, weekmask="Mon Tue Wed Thu Fri Sat").tolist()
    columns = ("school", "planned_days", "in_person_days", "attendance_share")
    cells = (frame[name].tolist() for name in columns)
    for row, month, limit, school, planned, in_person, share in zip(
        frame.index.tolist(), names, most, *cells, strict=True
    ):
        _, first, last = schools[school]
        if month < first or (last and month > last):
            spell = f"a month from {first or 'the first'} to {last or 'now'}"
            fix = f"correct the month, or the school's dates in {register.file}"
            problem(row, "month", f"{month} for {school}", spell, fix)
        if planned > limit:
            days = f"at most {limit}, the days of {month} without Sundays"
            problem(row, "planned_days", str(planned), days, ask)
        taught, empty = in_person > 0, math.isnan(share)
        if taught == empty:
            expected = (
                "a share, as days were taught in class"
                if taught
                else "an empty cell, as no day was taught in class"
            )
            found = "an empty cell" if empty else str(share)
            problem(row, "attendance_share", found, expected, ask)
    known = newest(frame, table.primary_key)
    levels = [schools[school][0] for school in known["school"].tolist()]
    places = list(zip(levels, _plain(known["month"]), strict=True))
    pupils: Counter[tuple[str, int]] = Counter()
    for place, count in zip(places, known["pupils"].tolist(), strict=True):
        pupils[place] += count
    days = known["planned_days"].tolist()
    for row, (level, month), planned in zip(known.index.tolist(), places, days, strict=True):
        if planned > 0 and not pupils[level, month]:
            found = f"no pupil in level {level} in {np.datetime64(month, 'M')}"
            problem(row, "pupils", found, "at least one pupil where school days are planned", ask)
    return problems


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
        _school_days,
        _reported_early,
    ),
    "activities": (
        _adds_up("planned", "held", "cancelled", "postponed"),
        _participants,
        _reported_early,
    ),
}


def coverage(book: Book) -> pd.DataFrame:
    """What has come in of each table of the ward that is reported by month.

    Columns: `table`; `rows`, the figures known up to the period's last month; `first`, `last`, the
    months they span; `reported`, the months of the period with some row; `expected`, the months of
    the period; `newest`, the day of the newest report. In the order of the descriptor.
    """
    rows = []
    for name, table in book.ward.tables.items():
        if not {"month", "reported_on"} <= set(table.columns):
            continue
        frame = book.table(name)
        months = frame["month"]
        rows.append(
            {
                "table": name,
                "rows": len(frame),
                "first": months.min(),
                "last": months.max(),
                "reported": int(book.period.months.isin(months).sum()),
                "expected": len(book.period.months),
                "newest": frame["reported_on"].max(),
            }
        )
    return pd.DataFrame(rows)
