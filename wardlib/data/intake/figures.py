"""Figures: what each needed cell of a sheet says, as a figure of a table; only these are read strictly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from wardlib.data.intake import amounts, months
from wardlib.data.intake.amounts import Reading
from wardlib.data.intake.columns import (
    ACTIVITIES,
    COLLECTED,
    KEPT,
    RECEIPTS,
    SCHOOLS,
    Reader,
    measured,
)
from wardlib.data.intake.grids import Place
from wardlib.data.intake.layouts import Line, View
from wardlib.data.intake.sheets import MONTH, Column, Sheet
from wardlib.data.intake.wordings import GROUP, INDICATOR
from wardlib.errors import ASK, NOTE, REFUSE, Numeral, said


@dataclass(frozen=True)
class Figure:
    """A figure of a file: for a table, a time ("2022-01"; of targets "2022"), an item and a measure (a
    column of the table; of targets who set it) its value, where it stands and what stood there. `head`
    is the place that tells its month, `label` the one that names its item. `derived`: calculated, from
    the figure that stands there and others."""

    table: str
    time: str
    item: str
    measure: str
    value: Decimal
    status: str
    sheet: str
    place: Place
    cell: str
    text: str
    label: Place
    head: Place
    derived: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        return self.table, self.time, self.item


@dataclass(frozen=True)
class Entry:
    """What a line says in a column: the cell, its time, measure and status, and its value in đồng (or
    in whole things), None where it is not reported or cannot be taken."""

    column: Column
    line: Line
    time: str
    measure: str
    status: str
    place: Place
    value: Decimal | None
    state: str

    @property
    def item(self) -> str:
        return self.line.codes[0]


def entries(sheet: Sheet, reader: Reader, column: Column, *, strict: bool = True) -> list[Entry]:
    """What the lines of a column say; with `strict` a problem at each cell that cannot be taken.
    Group rows are never read strictly: they check."""
    found = []
    shares = _shares(sheet, column)
    filled = any(own.state != amounts.BLANK for own in column.readings.values())
    if strict and filled and "-" in column.time and column.time > f"{reader.reported_on:%Y-%m}":
        when = column.head.told
        if when.months or when.until:
            place: Place = column.head.telling()
            view: View | None = column.table.view
        else:  # the title tells it
            above = [place for place, text in column.table.above if months.told(text).months]
            place, view = (above[0], None) if above else (column.head.place, column.table.view)
        _not_begun(sheet, reader, place, column.time, view)
    for row, line in column.items.items():
        place = row, column.head.column
        group = line.codes == (GROUP,)
        told = strict and not group and column.readings[row].state != amounts.BLANK
        time = column.time or _time(sheet, reader, column, line, told)
        measure = column.measure or _measure(reader, line)
        status = _status(reader, line) or column.status
        state, value = _taken(sheet, reader, column, line, place, shares, strict and not group)
        found.append(Entry(column, line, time, measure, status, place, value, state))
    return found


def figure(entry: Entry, sheet: Sheet, value: Decimal, *, derived: bool = False) -> Figure:
    """What a line says, as a figure; `value` may be a calculated one."""
    column, view = entry.column, entry.column.table.view
    cell = view.cells.get(entry.place)
    month = entry.line.said.get("month")
    return Figure(
        table=column.kind,
        time=entry.time,
        item=entry.item,
        measure=entry.measure,
        value=value,
        status=entry.status,
        sheet=sheet.grid.name,
        place=view.original(entry.place),
        cell=view.name(entry.place),
        text=cell.text if cell else "",
        label=view.original(entry.line.place),
        head=view.original(month[0] if month and not column.time else column.head.telling()),
        derived=derived,
    )


def _time(sheet: Sheet, reader: Reader, column: Column, line: Line, strict: bool) -> str:
    """The month of a row that tells it itself."""
    told = line.said.get("month")
    year_told = line.said.get("year")
    if told is None:
        return ""
    place, text = told
    when = months.told(text)
    if not when.months and text.isdecimal():
        when = months.told(f"tháng {text}")
    year = next((year for year, _ in when.months if year), 0)
    if not year and year_told and year_told[1].isdecimal():
        year = int(year_told[1])
    year = year or _title_year(column)
    if len(when.months) == 1 and year:
        time = f"{year}-{when.months[0][1]:02}"
        if time > f"{reader.reported_on:%Y-%m}" and strict:
            _not_begun(sheet, reader, place, time, column.table.view)
        return time
    if strict and when.quarters:
        sheet.tell_quarter(place, text, view=column.table.view)
    elif strict:
        sheet.tell(
            "month_unknown",
            ASK,
            place,
            said("“{text}”, no month with its year", text=text),
            said("the month that the figures are of"),
            said("Say which month it is."),
            view=column.table.view,
        )
    return ""


def _not_begun(sheet: Sheet, reader: Reader, place: Place, time: str, view: View | None) -> None:
    day = f"{reader.reported_on:%d/%m/%Y}"
    found = said("{month}, which had not begun on {day}", month=months.shown(time), day=day)
    expected = said("a month that had begun when the file was handed in")
    fix = said("correct the month, or the day of --reported-on")
    sheet.tell("month_future", REFUSE, place, found, expected, fix, view=view)


def _title_year(column: Column) -> int:
    for _, text in column.table.above:
        year = months.told(text).year
        if year:
            return year
    return 0


def _measure(reader: Reader, line: Line) -> str:
    told = line.said.get("measure")
    codes = reader.wordings.heads(told[1]) if told else frozenset()
    return measured(codes) or COLLECTED


def _status(reader: Reader, line: Line) -> str:
    told = line.said.get("status")
    if told is None or reader.status:
        return ""
    codes = reader.wordings.heads(told[1])
    return "estimate" if "estimate" in codes else "actual" if "actual" in codes else ""


def _shares(sheet: Sheet, column: Column) -> Decimal | None:
    """By what the numbers of a column of shares are divided (97.3 is 0.973); None for any other column. A
    refusal at each number of a column that holds both."""
    if column.measure != "attendance_share":
        return None
    numbers = {
        row: own.other if own.state == amounts.AMBIGUOUS and own.other is not None else own.value
        for row, own in column.readings.items()
        if own.state in (amounts.NUMBER, amounts.AMBIGUOUS) and own.value
    }
    above = [row for row, number in numbers.items() if number > 1]
    below = [row for row, number in numbers.items() if number <= 1]
    if above and below:
        for row in min(above, below, key=len):
            place = row, column.head.column
            view = column.table.view
            found = said("{text} beside numbers of another size", text=view.text(place))
            expected = said("shares written alike: 0.97 or 97 %")
            fix = said("correct the number, or ask the school that reported it")
            sheet.tell("not_a_number", REFUSE, place, found, expected, fix, view=view)
    return Decimal(100) if len(above) > len(below) else Decimal(1)


def _taken(
    sheet: Sheet,
    reader: Reader,
    column: Column,
    line: Line,
    place: Place,
    shares: Decimal | None,
    strict: bool,
) -> tuple[str, Decimal | None]:
    """State and value of a cell."""
    view = column.table.view
    reading = column.readings[line.row]
    block = view.blocks.get(place)
    if block and _covers_lines(column, block):
        if strict and reading.state not in (amounts.BLANK,):
            sheet.tell(
                "merged_amount",
                REFUSE,
                place,
                said("one amount over several merged cells"),
                said("an amount for each line"),
                said("undo the merge, and give each line its own amount"),
                view=view,
            )
        return "merged", None
    state, value = reading.state, reading.value
    if shares is not None:
        state, value = _as_share(reading, shares)
    elif (
        state == amounts.PERCENT
        and not _counts(column)
        and value is not None
        and _in_percent(reader, line)
    ):
        return amounts.NUMBER, amounts.exact(Reading(amounts.NUMBER, value * 100, stored=True))
    elif state == amounts.NUMBER and _counts(column):
        return _whole(sheet, reader, column, place, reading, strict)
    if state == amounts.NUMBER and value is not None:
        return state, amounts.exact(Reading(amounts.NUMBER, value, stored=reading.stored))
    if state == amounts.DASH:
        answer = reader.answers.get("dash", sheet.grid.name, view.name(place))
        if answer == "zero":
            return amounts.NUMBER, Decimal(0)
        if answer == "not-reported":
            return amounts.UNREPORTED, None
    if strict:
        _tell(sheet, column, line, place, state, reading)
    return state, None


def _counts(column: Column) -> bool:
    """Whether a column holds money or whole things; indicators and their targets may have decimals."""
    return column.table.family != INDICATOR


def _covers_lines(column: Column, block: tuple[int, int, int, int]) -> bool:
    """Whether a merged block covers more than one figure of the table."""
    top, left, bottom, right = block
    lines = sum(top <= row <= bottom for row in column.items)
    heads = sum(left <= head.column <= right for head in column.table.heads)
    return lines * heads > 1


def _in_percent(reader: Reader, line: Line) -> bool:
    return line.codes[0] in reader.percent


def _as_share(reading: Reading, divisor: Decimal) -> tuple[str, Decimal | None]:
    if reading.state == amounts.PERCENT and reading.value is not None:
        return amounts.NUMBER, reading.value
    if reading.state == amounts.NUMBER and reading.value is not None:
        return amounts.NUMBER, amounts.exact(reading) / divisor
    if reading.state == amounts.AMBIGUOUS and reading.other is not None:
        return amounts.NUMBER, reading.other / divisor
    return reading.state, None


def _whole(
    sheet: Sheet, reader: Reader, column: Column, place: Place, reading: Reading, strict: bool
) -> tuple[str, Decimal | None]:
    """A number in whole đồng or things."""
    view = column.table.view
    if reading.money and column.factor not in (None, 1):
        if strict:
            sheet.tell(
                "not_a_number",
                REFUSE,
                place,
                said("“{text}”, an amount with a unit of its own", text=view.text(place)),
                said("a number in the unit of the column"),
                said("write the number without its unit"),
                view=view,
            )
        return amounts.NONSENSE, None
    if column.factor is None:
        return "open", None  # the unit is asked about
    amount = amounts.whole(reading, column.factor)
    if amount is not None and amount < reader.least(column.kind):
        if strict:
            sheet.tell(
                "not_a_number", REFUSE, place, said("{text}, less than 0", text=Numeral(amount)), said("a figure of 0 or more"),
                said("see whether a sign or brackets stand there by mistake, or ask the sender"), view=view,
            )  # fmt: skip
        return amounts.NONSENSE, None
    if amount is not None:
        return amounts.NUMBER, Decimal(amount)
    if strict:
        exact = amounts.exact(reading)
        if column.kind == RECEIPTS:
            found = said(
                "{text}, which holds a part of a đồng", text=Numeral(exact * column.factor)
            )
            sheet.tell(
                "part_of_dong",
                REFUSE,
                place,
                found,
                said("whole đồng"),
                said("ask the sender for the exact amount; no figure is rounded here"),
                view=view,
            )
        else:
            sheet.tell(
                "not_a_number",
                REFUSE,
                place,
                said("{text}, no whole number", text=Numeral(exact)),
                said("a whole number"),
                said("correct the number, or ask the sender"),
                view=view,
            )
    return "part", None


def _tell(
    sheet: Sheet, column: Column, line: Line, place: Place, state: str, reading: Reading
) -> None:
    """The problem of a cell that cannot be taken."""
    view = column.table.view
    cell = view.cells.get(place)
    text = cell.text if cell else ""
    kind, severity, expected = state, REFUSE, said("a number")
    match state:
        case amounts.AMBIGUOUS:
            kind, severity = "number_ambiguous", ASK
            found = said(
                "“{text}”: the sign in it may set apart thousands ({thousands}) or decimals ({decimals})",
                text=text,
                thousands=Numeral(reading.value or Decimal(0)),
                decimals=Numeral(reading.other or Decimal(0)),
            )
            expected = said("a number that can be read in one way; nothing in the column decides")
            fix = said("Say what the sign sets apart.")
        case amounts.DASH:
            kind, severity = "dash_meaning", ASK
            found = said("“{text}” for {line}", text=text, line=line.text)
            expected = said("a number, or an empty cell where nothing was reported")
            fix = said("Was nothing collected (0), or was it not reported?")
        case amounts.ERROR:
            found = said("{text}, an error of a formula", text=text)
            fix = said("correct the formula in Excel, or ask the sender for the figure")
        case amounts.UNCALCULATED:
            found = said("a formula that no program has calculated")
            fix = said("open the file in Excel, save it, and take it in again")
        case amounts.DIFFERS:
            found = said("a cell that two readers of the file read differently")
            fix = said("open the file in Excel, save it as .xlsx, and take it in again")
        case amounts.PERCENT:
            found, expected = said("{text}, a percentage", text=text), said("an amount")
            fix = said("put the amount there, or ask the sender for it")
        case amounts.DATE:
            found = said("{text}, a day: Excel makes days of numbers that look like one", text=text)
            expected = said("an amount")
            fix = said("look up the amount, set the cell's format to number, and write it anew")
        case amounts.NONSENSE:
            found = said("“{text}”", text=text[:80])
            fix = said("write the number alone, or leave the cell empty where nothing was reported")
        case _:
            return  # not reported, or asked about elsewhere
    sheet.tell(kind, severity, place, found, expected, fix, view=view)


def complete(found: list[tuple[Sheet, Entry]], reader: Reader) -> Iterator[Figure]:
    """The figures of the lines that are reported in full; those that are not are told, and one that is
    reported in part is a problem at the cell that lacks. `found`: what the columns of months say, of one
    file and table."""
    by_key: dict[tuple[str, str, str], dict[str, list[tuple[Sheet, Entry]]]] = {}
    for sheet, own in found:
        if own.line.codes != (GROUP,) and own.time:
            by_key.setdefault((own.column.kind, own.time, own.item), {}).setdefault(
                own.measure, []
            ).append((sheet, own))
    begun = {(own.column.kind, own.time) for _, own in found if own.state != amounts.BLANK}
    empty = {key[:2] for key in by_key} - begun
    for (kind, time, _), measures in by_key.items():
        _twice(measures)
        first = {measure: own[0] for measure, own in measures.items()}
        open_ = [
            own
            for _, own in first.values()
            if own.state not in (amounts.NUMBER, amounts.BLANK, amounts.UNREPORTED)
        ]
        filled = {measure for measure, (_, own) in first.items() if own.state == amounts.NUMBER}
        if not filled and not open_ and (kind, time) in empty:
            continue  # a part of a form that is not filled in
        if not filled and not open_:
            sheet, own = next(iter(first.values()))
            sheet.tell(
                "not_reported",
                NOTE,
                own.place,
                said("no figure for {line}", line=own.line.text),
                said("no row is written, and nothing becomes 0"),
                "",
                view=own.column.table.view,
            )
            continue
        for measure, (sheet, own) in first.items():
            if (
                own.state in (amounts.BLANK, amounts.UNREPORTED)
                and measure != "attendance_share"
                and kind in (RECEIPTS, SCHOOLS, ACTIVITIES)
            ):
                _lacking(sheet, own, measure, reader)
        absent = {COLLECTED, KEPT} - set(measures) if kind == RECEIPTS else set()
        for measure in absent:
            sheet, own = next(iter(first.values()))
            if own.line.said.get("measure"):  # a row for each: the other has none
                _lacking(sheet, own, measure, reader)
        for sheet, own in first.values():
            if own.value is not None:
                yield figure(own, sheet, own.value)


def _lacking(sheet: Sheet, own: Entry, measure: str, reader: Reader) -> None:
    """A line of which one column is filled and another is not."""
    view = own.column.table.view
    found = said("an empty cell for {line}, whose other figures are given", line=own.line.text)
    if measure == KEPT:
        if reader.answers.get("kept", sheet.grid.name, view.name(own.place)) != "shares":
            sheet.tell(
                "kept_missing",
                ASK,
                own.place,
                found,
                said("both figures, thu NSNN and thu NSX"),
                said(
                    "Give the kept amount, or have it calculated from the share known for the line."
                ),
                view=view,
            )
    else:
        sheet.tell(
            "cell_missing",
            REFUSE,
            own.place,
            found,
            said("all figures of the line, or none"),
            said("ask the sender for the figure"),
            view=view,
        )


def _twice(measures: dict[str, list[tuple[Sheet, Entry]]]) -> None:
    """A line that stands twice for the same month; the same amounts on another sheet or in another table
    are no fault."""
    for all_ in measures.values():
        first_sheet, first = all_[0]
        for sheet, own in all_[1:]:
            same_table = own.column.table is first.column.table
            if not same_table and own.value == first.value:
                continue
            where = first.column.table.view.name(first.line.place)
            if sheet is not first_sheet:
                where = f"{first_sheet.grid.name}!{where}"
            found = said("“{name}” a second time, as in {cell}", name=own.line.text, cell=where)
            fix = said("remove one of the two, or name the second as the line that it is")
            expected = said("each line once for a month")
            view = own.column.table.view
            sheet.tell("line_twice", REFUSE, own.line.place, found, expected, fix, view=view)


def of_months(
    sheets: list[Sheet], reader: Reader
) -> tuple[list[tuple[Sheet, Entry]], list[tuple[Sheet, Entry]]]:
    """What the columns of a file say, those of months and those of the year up to a month."""
    months_said: list[tuple[Sheet, Entry]] = []
    until_said: list[tuple[Sheet, Entry]] = []
    for sheet in sheets:
        times = {
            column.time
            for column in sheet.columns
            if column.span == MONTH and column.kind == RECEIPTS
        }
        for column in sheet.columns:
            needed = column.span == MONTH or column.time not in times
            own = [(sheet, one) for one in entries(sheet, reader, column, strict=needed)]
            (months_said if column.span == MONTH else until_said).extend(own)
    return months_said, until_said
