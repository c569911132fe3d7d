"""Templates: an .xlsx for the clerk to fill in, made so that the intake reads it without a question.

A sheet a table; a row a month and item (revenue line, school, field, indicator), so that one month, a
quarter and a year look the same and each row carries its own status. What is known of the period stands
in it already, the newest figure of each; what was not reported is blank. Targets, which are of a year,
are asked for where the period begins with January.

Counts of persons from 1 to 4 stand in it as they are, though no page shows them: a clerk who got them
blank would take them for figures not reported, and the form goes to whoever reported them. It is no
paper to pass on, and never written to `output/`.
"""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.workbook.protection import WorkbookProtection
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from wardlib import language as languages
from wardlib.data import checks
from wardlib.data.cells import Shelf
from wardlib.data.descriptors import Table, Ward
from wardlib.data.intake.arrivals import ITEMS, Known, known
from wardlib.data.intake.columns import ACTIVITIES, INDICATORS, RECEIPTS, SCHOOLS, TARGETS
from wardlib.data.intake.months import shown
from wardlib.errors import DataError, RequestError, said, visible
from wardlib.language import Language
from wardlib.periods import Period

# The columns to fill in; those of targets are who sets them.
_FILLED = {
    RECEIPTS: ("collected", "kept", "status"),
    SCHOOLS: ("pupils", "planned_days", "in_person_days", "online_days", "closed_days", "attendance_share"),
    ACTIVITIES: ("planned", "held", "cancelled", "postponed", "held_later", "participants"),
    INDICATORS: ("value", "status"),
    TARGETS: ("upper", "ward"),
}  # fmt: skip
_EXACT = 10**15 - 1  # the largest whole number of which a spreadsheet keeps every digit
_STILL = datetime.datetime(2020, 1, 1)  # the day of the file's properties: no clock, the same bytes
_HEAD = 5  # the row of the heads
_FONT = "Times New Roman"
_WIDEST = 60  # letters of a name on one line
_LINE = Side(style="thin", color="808080")
_STRONG = Side(style="medium", color="404040")


@dataclass(frozen=True)
class _Row:
    """A row of a form: what names it, by column; what is known of it, as the tables hold it; how deep
    its name is set in, and whether it is a sum of others."""

    names: dict[str, str]
    figures: dict[str, str]
    depth: int = 0
    total: bool = False


@dataclass(frozen=True)
class _Form:
    """A sheet to be: its code in the words, the table that it fills, the time in words, the unit of money
    above the table ("" for none), the columns that name a row, and the rows."""

    code: str
    table: Table
    time: str
    unit: str
    names: tuple[str, ...]
    rows: tuple[_Row, ...]

    @property
    def filled(self) -> tuple[str, ...]:
        return _FILLED[self.table.name]


def template(ward: Ward, period: Period, language: Language) -> bytes:
    """The .xlsx of a ward and period; the same bytes for the same data.

    Heads are Vietnamese, with English beside it where that is the language. Raises DataError where the
    ward's tables are faulty, RequestError where it has none of those that a clerk brings.
    """
    if problems := checks.check(ward):
        raise DataError(problems)
    forms = list(_forms(ward, period, language))
    if not forms:
        raise RequestError(
            said(
                "{ward} has no table of figures to fill in: {tables}. Describe one in its datapackage.json.",
                ward=ward.id,
                tables=", ".join(ITEMS),
            )
        )
    book = Workbook()
    book.remove(book.active)
    book.properties.creator = "wardlib"
    book.properties.title = f"{visible(language.pick(ward, 'name'))}, {period.name(language)}"
    book.properties.created = _STILL
    book.security = WorkbookProtection(lockStructure=True)
    for form in forms:
        _Page(book, ward, language, form).fill()
    return _still(book)


def _still(book: Workbook) -> bytes:
    """The workbook's bytes without the clock that openpyxl writes into them."""
    written, made = io.BytesIO(), io.BytesIO()
    book.save(written)
    day = f"{_STILL:%Y-%m-%dT%H:%M:%SZ}".encode()
    with (
        zipfile.ZipFile(written) as parts,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as still,
    ):
        for name in parts.namelist():
            data = parts.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + day, data)
            info = zipfile.ZipInfo(name, _STILL.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            still.writestr(info, data)
    return made.getvalue()


# ------------------------------------------------------------------------------------ what is in it


def _forms(ward: Ward, period: Period, language: Language) -> Iterator[_Form]:
    """The sheets of a ward, in the order of the intake's tables, the targets last."""
    shelf, newest = Shelf(ward), _newest(known(ward))
    first, last = period.bounds
    months = [f"{period.year}-{number:02}" for number in range(first, last + 1)]
    time = period.name(language)
    unit = language.text("VND") if ward.currency == "VND" else ward.currency
    by_month = {
        RECEIPTS: ("line", unit, _lines),
        SCHOOLS: ("school", "", _schools),
        ACTIVITIES: ("field", "", _fields),
        INDICATORS: ("indicator", "", _indicators),
    }
    for name, (item, money, items) in by_month.items():
        table = ward.tables.get(name)
        if table is None:
            continue
        rows = []
        for month in months:
            for own in items(ward, shelf, language, month):
                at = {"month": shown(month)}
                figures = newest.get((name, month, own.names["code"]), {})
                rows.append(_Row(at | own.names, figures, own.depth, own.total))
        named = ("month", "code", item, *(("unit",) if name == INDICATORS else ()))
        if rows:
            yield _Form(name, table, time, money, named, tuple(rows))
    table = ward.tables.get(TARGETS)
    if table is None or first != 1:
        return
    year = Period(period.year, "")
    of_year = (
        (TARGETS, unit, ("code", "line"), _lines(ward, shelf, language, str(period.year))),
        ("target_indicators", "", ("code", "indicator", "unit"), _indicators(ward, shelf, language, "")),
    )  # fmt: skip
    for code, money, named, items_of_year in of_year:
        rows = [
            _Row(own.names, newest.get((TARGETS, str(period.year), own.names["code"]), {}), own.depth, own.total)
            for own in items_of_year
        ]  # fmt: skip
        if rows and (code == TARGETS or INDICATORS in ward.tables):
            yield _Form(code, table, year.name(language), money, named, tuple(rows))


def _newest(now: Known) -> dict[tuple[str, str, str], dict[str, str]]:
    """By table, month (of targets the year) and item the newest cells known; of targets by who sets them."""
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    for name, reports in now.reports.items():
        for days in reports.values():
            row = days[max(days)]
            key = name, row.get("month") or row["year"], row[ITEMS[name]]
            own = {row["set_by"]: row["amount"]} if name == TARGETS else row
            found.setdefault(key, {}).update(own)
    return found


def _valid(record: dict[str, str], time: str) -> bool:
    """Whether a record is valid in a month, or in some month of a year."""
    first, last = record["valid_from"], record["valid_to"]
    return first[: len(time)] <= time and (not last or time <= last[: len(time)])


def _lines(ward: Ward, shelf: Shelf, language: Language, time: str) -> Iterator[_Row]:
    records = [own for own in shelf.records("revenue_lines") if _valid(own, time)]
    parents = {own["code"]: own["parent"] for own in records}
    for own in records:
        depth, code = 0, own["code"]
        while code := parents.get(code, ""):
            depth += 1
        names = {"code": own["code"], "line": language.pick(own, "name")}
        yield _Row(names, {}, depth, own["code"] in parents.values())


def _schools(ward: Ward, shelf: Shelf, language: Language, time: str) -> Iterator[_Row]:
    for own in shelf.records("schools"):
        if _valid(own, time):
            yield _Row({"code": own["school"], "school": own["name"]}, {})


def _fields(ward: Ward, shelf: Shelf, language: Language, time: str) -> Iterator[_Row]:
    field = next(own for own in ward.tables[ACTIVITIES].fields if own.name == "field")
    words = language.words("field")
    for code in field.constraints["enum"]:
        yield _Row({"code": code, "field": words.get(code, code)}, {})


def _indicators(ward: Ward, shelf: Shelf, language: Language, time: str) -> Iterator[_Row]:
    for own in shelf.records("indicators"):
        yield _Row(
            {
                "code": own["code"],
                "indicator": language.pick(own, "name"),
                "unit": language.pick(own, "unit"),
            },
            {},
        )


# ------------------------------------------------------------------------------------ how it looks


@dataclass
class _Page:
    """A sheet as it is filled."""

    book: Workbook
    ward: Ward
    language: Language
    form: _Form

    def fill(self) -> None:
        words, form = self.language.words, self.form
        sheet: Worksheet = self.book.create_sheet(words("form_sheet")[form.code])
        columns = (*form.names, *form.filled)
        title = words("form_title")[form.code].format(period=form.time)
        above = [
            (self.language.pick(self.ward, "name"), Font(name=_FONT, size=12, bold=True), "left"),
            (title.upper(), Font(name=_FONT, size=14, bold=True), "center"),
            (
                self.language.text(
                    "Fill in the yellow cells only. Leave empty what was not reported; write 0 for none. "
                    "The notes on the heads tell more."
                ),
                Font(name=_FONT, size=11, italic=True),
                "center",
            ),
            (
                self.language.text("Unit: {unit}", unit=form.unit) if form.unit else "",
                Font(name=_FONT, size=12, italic=True),
                "right",
            ),
        ]
        for row, (text, font, side) in enumerate(above, 1):
            # One block over the whole table: such a text is no head of a column.
            sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=len(columns))
            cell = sheet.cell(row, 1)
            if text:
                _write(cell, text)
            cell.font = font
            cell.alignment = Alignment(horizontal=side, vertical="center", wrap_text=True)
            sheet.row_dimensions[row].height = 24
        for at, column in enumerate(columns, 1):
            self._head(sheet.cell(_HEAD, at), column)
        sheet.row_dimensions[_HEAD].height = 20 * max(
            sheet.cell(_HEAD, at).value.count("\n") + 2 for at in range(1, len(columns) + 1)
        )
        before = ""
        for at, own in enumerate(form.rows, _HEAD + 1):
            self._row(sheet, at, own, columns, begins=own.names.get("month", "") != before)
            before = own.names.get("month", "")
        last = _HEAD + len(form.rows)
        for at, column in enumerate(columns, 1):
            letter = get_column_letter(at)
            sheet.column_dimensions[letter].width = self._width(column)
            if column in form.filled:
                rule = self._rule(column)
                rule.add(f"{letter}{_HEAD + 1}:{letter}{last}")
                sheet.add_data_validation(rule)
        self._printed(sheet)

    def _head(self, cell: Cell, column: str) -> None:
        _write(cell, self._told(column))
        cell.font = Font(name=_FONT, size=12, bold=True)
        cell.fill = PatternFill("solid", start_color="D9E2EC")
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        cell.border = Border(_LINE, _LINE, _STRONG, _STRONG)
        note = self.language.words("form_note")[column]
        cell.comment = Comment(note, "wardlib", height=40 + 18 * (len(note) // 30), width=260)

    def _told(self, column: str) -> str:
        """The head of a column: Vietnamese, and English above it for who reads English, or where the
        ward lies in another country."""
        vietnamese, english = (languages.get(code).words("form_head") for code in ("vi", "en"))
        ward, upper = _kind(self.ward), _superior(self.ward)
        head = vietnamese[column].format(ward=ward, upper=upper).replace("  ", " ")
        if column == "kept" and ward not in ("phường", "xã"):
            head = "Thu NSX"
        if not self.ward.vietnamese and column in ("collected", "kept"):
            head = {"collected": "Số thu", "kept": "Số được hưởng"}[column]
        if self.language.code == "vi" and self.ward.vietnamese:
            return head
        return f"{english[column]}\n{head}"

    def _row(
        self, sheet: Worksheet, at: int, own: _Row, columns: tuple[str, ...], *, begins: bool
    ) -> None:
        longest = max(len(text) for text in own.names.values())
        sheet.row_dimensions[at].height = 20 * (1 + longest // _WIDEST)
        for place, column in enumerate(columns, 1):
            cell = sheet.cell(at, place)
            cell.font = Font(name=_FONT, size=12, bold=own.total and column in ("line", "code"))
            cell.border = Border(_LINE, _LINE, _STRONG if begins else _LINE, _LINE)
            if column in own.names:
                _write(cell, own.names[column])
                cell.number_format = "@"
                cell.fill = PatternFill("solid", start_color="F2F2F2")
                indent = own.depth if column == "line" else 0
                cell.alignment = Alignment(
                    horizontal="left", indent=indent, vertical="center", wrap_text=True
                )
                continue
            cell.fill = PatternFill("solid", start_color="FFF8D6")
            cell.protection = Protection(locked=False)
            cell.alignment = Alignment(horizontal="right", indent=1, vertical="center")
            if column == "status":
                cell.alignment = Alignment(horizontal="center", vertical="center")
                words = self.language.words("form_status")
                _write(cell, words[own.figures.get("status") or "actual"])
                continue
            cell.number_format = self._format(column)
            text = own.figures.get(column, "")
            if text:
                number = Decimal(text)
                whole = number == number.to_integral_value()
                cell.value = int(number) if whole else float(number)

    def _format(self, column: str) -> str:
        if column == "attendance_share":
            return "0.00%"
        return "General" if "unit" in self.form.names else "#,##0"

    def _width(self, column: str) -> float:
        """The width that cuts nothing; long names and heads go on in the next line."""
        if column in self.form.names:
            longest = max(len(own.names[column]) + 3 * own.depth for own in self.form.rows)
            return max(10.0, 1.05 * min(longest, _WIDEST) + 2)
        longest = max(map(len, self._told(column).split("\n")))
        least = 22.0 if column in ("collected", "kept", "upper", "ward") else 14.0
        return max(least, min(1.2 * longest + 2, 30.0))

    def _rule(self, column: str) -> DataValidation:
        """What a cell takes, and what is said to whoever writes something else."""
        text, number = self.language.text, self.language.number
        if column == "status":
            words = self.language.words("form_status").values()
            rule = DataValidation("list", formula1=f'"{",".join(words)}"')
            rule.error = text("Choose one of the list: {choices}.", choices=", ".join(words))
        else:
            least, most = self._limits(column)
            whole = column != "attendance_share" and "unit" not in self.form.names
            rule = DataValidation(
                "whole" if whole else "decimal", operator="between", formula1=str(least), formula2=str(most)
            )  # fmt: skip
            rule.error = (
                text(
                    "Write a share from 0 % to 100 %, or leave the cell empty where there is none."
                )
                if column == "attendance_share"
                else text(
                    "Write a whole number from {least} to {most}, without its unit; leave the cell empty "
                    "where nothing was reported.",
                    least=number(least),
                    most=number(most),
                )
                if whole
                else text(
                    "Write a number from {least} to {most}, without its unit; leave the cell empty where "
                    "nothing was reported.",
                    least=number(least),
                    most=number(most),
                )
            )
        rule.errorTitle = text("Not taken")
        rule.showErrorMessage = True
        rule.allow_blank = True
        return rule

    def _limits(self, column: str) -> tuple[int, int]:
        name = "amount" if self.form.table.name == TARGETS else column
        field = next(own for own in self.form.table.fields if own.name == name)
        least, most = (field.constraints.get(end) for end in ("minimum", "maximum"))
        return (-_EXACT if least is None else int(least)), (_EXACT if most is None else int(most))

    def _printed(self, sheet: Worksheet) -> None:
        """What the clerk may do on the sheet, and how it prints: A4 across, as wide as the page."""
        sheet.freeze_panes = sheet.cell(_HEAD + 1, len(self.form.names) + 1)
        sheet.protection.sheet = True
        sheet.protection.formatColumns = False  # whoever wants a column wider may have it
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
        sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
        sheet.sheet_properties.pageSetUpPr.fitToPage = True
        sheet.print_title_rows = f"{_HEAD}:{_HEAD}"
        sheet.print_options.horizontalCentered = True
        sheet.oddFooter.right.text = "&P/&N"


def _write(cell: Cell, text: str) -> None:
    """Write a text as a text: what begins like a formula is none."""
    cell.value = visible(text, "\n")
    cell.data_type = "s"
    cell.quotePrefix = text[:1] in ("=", "+", "-", "@")


def _kind(ward: Ward) -> str:
    """What a ward calls itself in Vietnamese: phường, xã, thị trấn; "" for anything else."""
    name = f"{ward.name_vi.casefold()} "
    return next((kind for kind in ("phường", "xã", "thị trấn") if name.startswith(f"{kind} ")), "")


def _superior(ward: Ward) -> str:
    """Who sets the plan above the ward, by what its superior calls itself; "cấp trên" where it does not say."""
    words = languages.get("vi").words("superior")
    name = f" {ward.superior_vi.casefold()} "
    found = {name.find(f" {kind} "): kind for kind in words.values()}
    first = min((place for place in found if place >= 0), default=None)
    return words["upper"] if first is None else found[first]
