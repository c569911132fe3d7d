"""Examination: what taking in a ward's files would do; and doing it, where nothing is asked or refused.

One question or refusal in one file stops all of them: a half-taken report is worse than none.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from wardlib.data import checks, descriptors, journal, reading
from wardlib.data.cells import Shelf
from wardlib.data.descriptors import Ward
from wardlib.data.intake import arrivals, containers, figures, letters, questions, sense, workbooks
from wardlib.data.intake.arrivals import REVISED, SAME, Arrival, Known
from wardlib.data.intake.columns import INDICATORS, RECEIPTS, Reader
from wardlib.data.intake.figures import Figure
from wardlib.data.intake.grids import OfficeFile, a1
from wardlib.data.intake.questions import Answers
from wardlib.data.intake.sheets import Sheet
from wardlib.data.intake.wordings import fold, wordings
from wardlib.errors import ASK, NOTE, REFUSE, DataError, Numeral, Problem, RequestError, said
from wardlib.periods import parse_day
from wardlib.provenance import digest_bytes

ACCEPT = "accept"
_SHOWN = 1_000  # letters of the heads of a layout that are kept
# Answers that belong to a layout rather than to one file, and are given again with its name.
_OF_LAYOUT = ("unit", "number", "column", "kept", "dash", "text")


@dataclass
class Examined:
    """A file as it was understood: its sheets in words, its problems (questions, refusals and notes), the
    arrivals that it would bring, and what `received` would tell of it."""

    name: str
    file: OfficeFile | None = None
    sheets: list[Sheet] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    about: dict[str, str] = field(default_factory=dict)

    def sort(self) -> None:
        """Put the problems in the order in which a reader meets their places, each once."""
        order = {sheet.grid.name: at for at, sheet in enumerate(self.sheets)}
        self.problems = sorted(
            dict.fromkeys(self.problems),
            key=lambda own: (order.get(own.sheet, -1), own.row, len(own.cell), own.cell, own),
        )

    def choices(self, problem: Problem) -> list[str]:
        """The answers to a question, ready to copy."""
        for sheet in self.sheets:
            if problem in sheet.choices:
                return questions.ready(
                    problem.kind, problem.sheet, problem.cell, sheet.choices[problem]
                )
        asked = questions.ASKED.get(problem.kind)
        own = questions.ready(problem.kind, problem.sheet, problem.cell, asked[1]) if asked else []
        return own if problem.severity == ASK else []

    def tell(self, kind: str, severity: str, found: str, expected: str, fix: str = "") -> None:
        """Add a problem of the file as a whole."""
        self.problems.append(
            Problem(self.name, 0, "", found, expected, fix, kind=kind, severity=severity)
        )

    @property
    def outcome(self) -> str:
        """REFUSE, ASK or ACCEPT."""
        severities = {problem.severity for problem in self.problems}
        return REFUSE if REFUSE in severities else ASK if ASK in severities else ACCEPT


@dataclass
class Examination:
    """Files of one ward, reported on one day; the `names` of items by their codes; `rows` by table what
    would be appended."""

    ward: Ward
    reported_on: datetime.date
    files: list[Examined]
    names: dict[str, str]
    rows: dict[str, bytes] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        """The worst of the files'."""
        found = {own.outcome for own in self.files}
        return REFUSE if REFUSE in found else ASK if ASK in found else ACCEPT


def take_in(
    ward: Ward,
    paths: list[Path],
    reported_on: str,
    *,
    apply: bool,
    answers: list[str],
    layout: str,
    status: str,
    today: datetime.date,
) -> Examination:
    """Examine files and, with `apply`, write what they bring, where nothing is asked or refused; while
    it is written nobody else writes there, and what is known then is what counts.

    Raises RequestError for a file, a day or an answer that does not fit, DataError where the ward's own
    tables are faulty or cannot be written.
    """
    day = parse_day(reported_on)
    if day is None:
        raise RequestError(
            said(
                "--reported-on: name the day on which the figures were reported, such as 2020-10-12."
            )
        )
    if status not in ("", "estimate", "actual"):
        raise RequestError(said("--status {status}: estimate or actual.", status=status))
    if layout and not re.fullmatch(r"[\w.-]{1,60}", layout):
        raise RequestError(
            said(
                "--layout {layout}: letters, digits, points and hyphens, at most 60.", layout=layout
            )
        )
    files = _files(paths)
    given = (layout_answers(ward, layout) if layout else []) + answers

    def look() -> Examination:
        return examine(
            ward, files, day, questions.answers(given), today=today, status=status, layout=layout
        )

    found = look()
    if not apply or found.outcome != ACCEPT or not found.rows:
        return found
    with _held(ward):
        ward = descriptors.ward(ward.id)
        found = look()
        if found.outcome == ACCEPT and found.rows:
            originals = {  # two files may have one name
                f"{at} {own.name}": data
                for at, (own, (_, data)) in enumerate(zip(found.files, files, strict=True))
                if any(one.change != SAME for one in own.arrivals)
            }
            journal.append(ward, found.rows, originals, today)
    return found


@contextmanager
def _held(ward: Ward) -> Iterator[None]:
    """Alone to write in the ward's folder; DataError where nothing can be written there."""
    with ExitStack() as stack:
        try:
            stack.enter_context(journal.held(ward.id))
        except OSError as error:
            folder = descriptors.home() / "data" / ward.id
            raise DataError([journal.unwritten(folder, error)]) from error
        yield


def _files(paths: list[Path]) -> list[tuple[str, bytes]]:
    """Name and bytes of each file; RequestError for one that is not there, DataError for one that is larger
    than any that is opened."""
    files = []
    for path in paths:
        try:
            if not path.is_file():
                raise RequestError(said("{path}: no such file.", path=path))
            if (size := path.stat().st_size) > containers.SIZE:
                raise containers.oversized(path.name, size)
            files.append((path.name, path.read_bytes()))
        except (OSError, ValueError) as error:
            raise RequestError(
                said(
                    "{path}: cannot be read: {reason}",
                    path=path,
                    reason=reading.outside(getattr(error, "strerror", None) or str(error)),
                )
            ) from None
    return files


def examine(
    ward: Ward,
    files: list[tuple[str, bytes]],
    reported_on: datetime.date,
    given: Answers,
    *,
    today: datetime.date,
    status: str = "",
    layout: str = "",
) -> Examination:
    """What taking in `files` (name and bytes) would do; nothing is written.

    Raises DataError where the ward's own tables are faulty, RequestError where the day has not come or an
    answer answers nothing.
    """
    if reported_on > today:
        raise RequestError(said("--reported-on {day}: that day has not come yet.", day=reported_on))
    if problems := checks.check(ward):
        raise DataError(problems)
    words = wordings(ward)
    now = arrivals.known(ward)
    reader = Reader(ward, words, given, reported_on, status, _in_percent(ward))
    examined = []
    for name, data in files:
        own = _examined(name, data, reader, now, layout)
        examined.append(own)
        for arrival in own.arrivals if own.outcome == ACCEPT else ():
            if arrival.change != SAME:
                now.add(arrival.table, arrival.cells)
    result = Examination(ward, reported_on, examined, words.names)
    taken = [(own.file, own.arrivals, own.about) for own in examined if own.file]
    if any(arrival.change != SAME for own in examined for arrival in own.arrivals):
        rows = arrivals.tails(ward, taken, reported_on)
        _checked(result, rows, today)
        result.rows = rows
    unused = set(given.given) - given.used
    if unused and result.outcome == ACCEPT and result.rows and not layout:
        names = ", ".join(sorted(f"{name}@{place}" if place else name for name, place in unused))
        raise RequestError(
            said("--answer {names}: nothing was asked that this answers.", names=names)
        )
    return result


def _in_percent(ward: Ward) -> frozenset[str]:
    """The indicators that are given in per cent."""
    return frozenset(code for code, unit, _ in _indicators(ward) if unit.startswith("%"))


def _flows(ward: Ward) -> frozenset[str]:
    """The indicators that count from January on."""
    return frozenset(code for code, _, kind in _indicators(ward) if kind == "flow")


def _indicators(ward: Ward) -> list[tuple[str, ...]]:
    """Code, unit and kind of each indicator."""
    records = Shelf(ward).records("indicators")
    return [(own["code"], own["unit_vi"], own["kind"]) for own in records]


def _examined(name: str, data: bytes, reader: Reader, now: Known, layout: str) -> Examined:
    own = Examined(Path(name).name)
    try:
        file = workbooks.opened(data, name, reader.wordings.known)
    except DataError as error:
        own.problems = list(error.problems)
        return own
    grids = []
    text_answers = {"text": answer} if (answer := reader.answers.get("text")) else {}
    for grid in file.grids:
        if grid.hidden:
            grids.append(grid)
            continue
        composed, problems = letters.composed(
            file.name, grid, reader.wordings.known, answers=text_answers
        )
        grids.append(composed)
        own.problems += problems
    own.file = file = replace(file, grids=tuple(grids))
    for ignored in file.ignored:
        found = said("{what} in the file", what=_PARTS[ignored])
        result = said("they are left aside, and nothing of them runs")
        own.tell("ignored_part", NOTE, found, result)
    if file.encoding in (letters.TCVN3, letters.VNI, letters.CP1258):
        found = said("letters of {encoding}, converted", encoding=file.encoding)
        own.tell("text_converted", NOTE, found, said("texts in Unicode letters"))
    blocked: dict[str, set[str]] = {}
    for problem in own.problems:
        if problem.severity != NOTE:
            blocked.setdefault(problem.sheet, set()).add(problem.cell)
    own.sheets = reader.sheets(file, blocked)
    figures_found = _figures(own, reader, now)
    doubted = frozenset(
        sheet.grid.name
        for sheet in own.sheets
        if any(problem.kind == "unit_implausible" for problem in sheet.problems)
        and reader.answers.get("unit", sheet.grid.name)
    )
    if doubted:  # read again, by the unit that the clerk has answered
        reader = replace(reader, doubted=doubted)
        own.sheets = reader.sheets(file, blocked)
        figures_found = _figures(own, reader, now)
    own.problems += [problem for sheet in own.sheets for problem in sheet.problems]
    broken = any(problem.severity != NOTE for problem in own.problems)
    if not any(sheet.columns for sheet in own.sheets) and not broken:
        shown = ", ".join(f"“{grid.name}”" for grid in file.grids if grid.name) or file.name
        found = said("no table that is recognised, in {sheets}", sheets=shown)
        expected = said(
            "rows named as the revenue lines, schools, fields of activities or indicators of {ward}",
            ward=reader.ward.name_vi,
        )
        fix = said(
            "see whether it is the right file; or write the figures into the form of `ward template`"
        )
        own.tell("table_not_found", REFUSE, found, expected, fix)
    _lay_out(own, reader, layout)
    absent = sorted({figure.table for figure in figures_found} - set(reader.ward.tables))
    for table in absent:
        found = said("figures for a table {table}", table=table)
        expected = said("a table that data/{ward}/datapackage.json describes", ward=reader.ward.id)
        fix = said("ask who looks after this workbook to add the table")
        own.tell("table_not_found", REFUSE, found, expected, fix)
    if not absent:
        own.arrivals = arrivals.arrivals(figures_found, now, reader.reported_on)
        _compared(own, reader)
    own.sort()
    return own


_PARTS = {
    "macros": said("macros"),
    "links": said("links to other files"),
    "embedded": said("embedded objects"),
}


def _figures(own: Examined, reader: Reader, now: Known) -> list[Figure]:
    """The figures of a file, with all that makes no sense told at its cell."""
    by_name = {sheet.grid.name: sheet for sheet in own.sheets}
    history = now.history()
    months, until = figures.of_months(own.sheets, reader)
    ranges = now.ranges()
    sense.sums(months, ranges, reader)
    needed = _needed(until, months)
    sense.sums(needed, ranges, reader)
    found = list(figures.complete(months, reader))
    list(figures.complete(needed, reader))  # the year's figures count as the month's: told alike
    found += sense.months_of_year(until, months, history, reader)
    if any(reader.answers.get("kept", sheet.grid.name) == "shares" for sheet in own.sheets):
        found += sense.by_shares(found, history, by_name, reader)
    sense.kept_within(found, history, by_name, reader)
    columns = [(sheet, column) for sheet in own.sheets for column in sheet.columns]
    sense.plausible(found, columns, ranges, reader)
    sense.falling(found, now.values(INDICATORS, "value"), by_name, _flows(reader.ward))
    sense.copied(found, history, by_name, reader)
    sense.over(found, by_name, reader)
    return _whole(found)


def _needed(
    until: list[tuple[Sheet, figures.Entry]], months: list[tuple[Sheet, figures.Entry]]
) -> list[tuple[Sheet, figures.Entry]]:
    """What columns of the year say of months that no column of their own tells."""
    told = {(id(sheet), own.time) for sheet, own in months if own.column.kind == RECEIPTS}
    return [(sheet, own) for sheet, own in until if (id(sheet), own.time) not in told]


def _whole(found: list[Figure]) -> list[Figure]:
    """The figures of receipts that are told in full."""
    measures: dict[tuple[str, str, str], set[str]] = {}
    for own in found:
        measures.setdefault(own.key, set()).add(own.measure)
    return [own for own in found if own.table != RECEIPTS or len(measures[own.key]) == 2]


def _lay_out(own: Examined, reader: Reader, layout: str) -> None:
    """What `received` tells of a file; a named layout that the file no longer fits is refused."""
    assert own.file is not None
    parts = []
    for sheet in own.sheets:
        for column in sheet.columns:
            head = re.sub("[0-9]+", "#", column.head.text)
            letter = column.table.view.letter((0, column.head.column))
            parts.append(
                f"{sheet.grid.name or '1'}!{letter} {column.kind}.{column.measure} {column.span} ({head})"
            )
    units = "; ".join(dict.fromkeys(unit for sheet in own.sheets for unit in sheet.units))
    own.about = {
        "layout": layout,
        "understood": _understood(parts),
        "units": units,
        "answers": " / ".join(reader.answers.lines()),
    }
    former = former_layout(reader.ward, layout) if layout else None
    now = own.about
    if former and parts and (_shape(former), _units(former)) != (_shape(now), _units(now)):
        then = former["understood"][:300]
        expected = said("the layout {name}: {understood}", name=layout, understood=then)
        fix = said("see what has changed in the form; without --layout it is read anew")
        own.tell("layout_differs", REFUSE, own.about["understood"][:300], expected, fix)


def _understood(parts: list[str]) -> str:
    """The columns of a layout in one text; of many the first, how many there are, and a digest of all."""
    shapes = [part.partition("!")[2] for part in parts]
    shown = [part for at, part in enumerate(parts) if sum(map(len, shapes[: at + 1])) <= _SHOWN]
    if len(shown) < len(parts):
        digest = digest_bytes("; ".join(shapes).encode()).removeprefix("sha256:")[:16]
        shown.append(f"!{len(parts)} columns, {digest}")
    return "; ".join(shown) or "…"


def _units(about: dict[str, str]) -> set[str]:
    """The units that a layout states, without their cells."""
    return {fold(part.partition(": ")[2]) for part in arrivals.told(about["units"]).split("; ")}


def _shape(about: dict[str, str]) -> list[str]:
    """A layout without the names of its sheets, which often tell the month."""
    understood = arrivals.told(about["understood"])
    return [fold(part.partition("!")[2]) for part in understood.split("; ")]


def former_layout(ward: Ward, name: str) -> dict[str, str] | None:
    """The last received file of a layout's name, as `received` tells of it."""
    rows = Shelf(ward).records("received")
    own = [row for row in rows if row["layout"] == name]
    return max(own, key=lambda row: row["reported_on"]) if own else None


def layout_answers(ward: Ward, name: str) -> list[str]:
    """The answers that belong to a layout, as they were given with its last file."""
    former = former_layout(ward, name)
    given = former["answers"].split(" / ") if former and former["answers"] else []
    return [text for text in given if text.partition("=")[0] in _OF_LAYOUT]


def _compared(own: Examined, reader: Reader) -> None:
    """What is told of figures that are known, corrected, or contradict a report of the same day."""
    assert own.file is not None
    by_sheet: dict[str, list[Arrival]] = {}
    for arrival in own.arrivals:
        by_sheet.setdefault(next(iter(arrival.figures.values())).sheet, []).append(arrival)
    for sheet in own.sheets:
        those = by_sheet.get(sheet.grid.name, [])
        before = len(sheet.problems)
        for arrival in those:
            if arrival.clash:
                _clash(sheet, arrival, reader)
        counts = Counter(arrival.change for arrival in those if not arrival.clash)
        if counts[SAME]:
            sheet.tell(
                "already_known",
                NOTE,
                None,
                said("{count} figures that are known already", count=counts[SAME]),
                said("nothing is written for them"),
                "",
            )
        if counts[REVISED]:
            sheet.tell(
                "revised",
                NOTE,
                None,
                said("{count} figures that differ from those known", count=counts[REVISED]),
                said(
                    "the new ones count from {day}; the former stay on record",
                    day=f"{reader.reported_on:%d/%m/%Y}",
                ),
                "",
            )
        closed = sorted(
            {
                arrival.time[:4]
                for arrival in those
                if arrival.change == REVISED
                and "month" in arrival.cells
                and reader.reported_on > datetime.date(int(arrival.time[:4]) + 1, 1, 31)
            }
        )
        for year in closed:
            sheet.tell(
                "books_closed",
                NOTE,
                None,
                said(
                    "a correction of {year}, whose books were closed on 31/01/{next}",
                    year=year,
                    next=int(year) + 1,
                ),
                said("it is taken in; the year's settlement may have to be corrected too"),
                "",
            )
        own.problems += sheet.problems[before:]


def _numeral(text: str) -> str:
    """A cell of a table as a message says it: a number in the reader's form."""
    return Numeral(Decimal(text)) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) else text or "…"


def _clash(sheet: Sheet, arrival: Arrival, reader: Reader) -> None:
    changed = [
        column for column in arrival.figures if arrival.before.get(column) != arrival.cells[column]
    ] or ["status"]
    first = next(iter(arrival.figures.values()))
    for column in changed:
        figure, then = arrival.figures.get(column, first), arrival.before.get(column, "")
        now, day = arrival.cells[column], arrival.clash
        if day == reader.reported_on.isoformat():
            sheet.tell(
                "same_day_differs", REFUSE, figure.place, said("{now}; {then} was taken in as reported on the same day", now=_numeral(now), then=_numeral(then)),
                said("one figure for one day of report"), said("if this is a correction, give the day on which it was made by --reported-on"),
            )  # fmt: skip
        else:
            sheet.tell(
                "older_report", REFUSE, figure.place, said("{now}, reported on {own}; {then} was reported later, on {day}", now=_numeral(now), own=f"{reader.reported_on:%d/%m/%Y}", then=_numeral(then), day="/".join(reversed(day.split("-")))),
                said("a report that is newer than the one known"), said("give the day on which this figure was reported by --reported-on, or leave the file aside"),
            )  # fmt: skip


def _checked(result: Examination, rows: dict[str, bytes], today: datetime.date) -> None:
    """Tell every problem that the ward's tables would have with the new rows, at the cells that these come
    from. Where something of the receipts is asked or refused already, their sums say nothing yet."""
    taken = [(own, arrival) for own in result.files for arrival in own.arrivals]
    where = {id(arrival): own for own, arrival in taken}
    found = arrivals.checked(result.ward, rows, [arrival for _, arrival in taken], today)
    for problem, arrival, column in found:
        own = where[id(arrival)] if arrival else next(one for one in result.files if one.arrivals)
        if (arrival is None or arrival.table == RECEIPTS) and any(
            one.severity != NOTE for one in own.problems
        ):
            continue
        own.problems.append(_moved(own, problem, arrival, column))
    for own in result.files:
        own.sort()


def _moved(own: Examined, problem: Problem, arrival: Arrival | None, column: str) -> Problem:
    """A problem of a row told at the cell that it comes from."""
    kind = problem.kind or "not_valid"
    if arrival is None:
        return replace(problem, kind=kind)
    figure = arrival.figures.get(column) or next(iter(arrival.figures.values()))
    place = figure.place if column in arrival.figures else figure.label
    sheet = next(sheet for sheet in own.sheets if sheet.grid.name == figure.sheet)
    name = sheet.grid.cells.get(figure.label)
    return replace(
        problem,
        found=said(
            "{name}: {found}", name=name.text if name else arrival.item, found=problem.found
        ),
        file=own.name,
        row=place[0] + 1,
        column="",
        sheet=sheet.grid.name,
        cell=a1(place),
        kind=kind,
        severity=REFUSE,
    )
