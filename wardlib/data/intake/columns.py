"""Columns: what the columns of a sheet's tables mean: which month, which measure, which unit.

Plan, month, year to date, the same month of the year before and percentages are different things. What
the heads and the lines above a table do not tell surely is a question at its cell.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, replace
from decimal import Decimal

from wardlib.data.descriptors import Ward
from wardlib.data.intake import amounts, layouts
from wardlib.data.intake.grids import OfficeFile, Place
from wardlib.data.intake.layouts import Head, Line, Table
from wardlib.data.intake.months import shown, told
from wardlib.data.intake.questions import FACTORS, Answers
from wardlib.data.intake.sheets import MONTH, UNTIL, Column, Sheet
from wardlib.data.intake.titles import DISTRICT, FILLERS, Title, communes, is_other, is_partly
from wardlib.data.intake.wordings import FIELD, GROUP, LINE, SCHOOL, SUM, Wordings, fold
from wardlib.errors import ASK, NOTE, REFUSE, said

RECEIPTS, TARGETS, SCHOOLS, ACTIVITIES, INDICATORS = (
    "receipts",
    "targets",
    "school_months",
    "activities",
    "indicator_months",
)
COLLECTED, KEPT = "collected", "kept"
_MEASURES = {
    SCHOOLS: (
        "pupils",
        "planned_days",
        "in_person_days",
        "online_days",
        "closed_days",
        "attendance_share",
    ),
    ACTIVITIES: ("planned", "held", "cancelled", "postponed", "held_later", "participants"),
}
_IGNORED = {"ratio", "previous", "note"}
_NEAR = 20  # names of which those that come near are looked for


@dataclass(frozen=True)
class Reader:
    """What sheets are read with: the ward and what its files may call things, the answers, the day of
    the report, the status that the clerk has given ("" for what the heads say), the indicators that
    are given in per cent, and the sheets whose own unit is doubted."""

    ward: Ward
    wordings: Wordings
    answers: Answers
    reported_on: datetime.date
    status: str = ""
    percent: frozenset[str] = frozenset()
    doubted: frozenset[str] = frozenset()

    def _months(self) -> tuple[str, ...]:
        """The answers that name a month: the last one that was over on the day of the report."""
        day = self.reported_on.replace(day=1) - datetime.timedelta(days=1)
        return (f"{day:%Y-%m}",)

    def least(self, table: str) -> float:
        """The least amount that a table's columns of figures may hold."""
        own = self.ward.tables.get(table)
        limits = (
            [field.constraints.get("minimum") for field in own.fields if field.unit] if own else []
        )
        return min((limit for limit in limits if limit is not None), default=float("-inf"))

    def sheets(self, file: OfficeFile, blocked: dict[str, set[str]]) -> list[Sheet]:
        """The sheets of a file, read; a hidden one is told of and left aside. `blocked`: by sheet the cells
        whose letters are asked about or refused already."""
        read = []
        for grid in file.grids:
            sheet = Sheet(file.name, grid, blocked=blocked.get(grid.name, set()))
            if grid.hidden:
                if layouts.tables(grid, self.wordings):
                    found = said("a hidden sheet with a table")
                    sheet.tell(
                        "hidden_sheet",
                        NOTE,
                        None,
                        found,
                        said("it is left aside"),
                        said("show the sheet if it is meant to be taken in"),
                    )
            else:
                self._read(sheet)
            read.append(sheet)
        return read

    # ------------------------------------------------------------------------------- one sheet

    def _read(self, sheet: Sheet) -> None:
        before: list[tuple[Place, str]] = []
        for table in layouts.tables(sheet.grid, self.wordings):
            table = self._visible(sheet, table)
            context = [*table.above, *before]
            if not table.heads:
                if sheet.columns:
                    self._headless(sheet, table)
                continue
            if table.family == LINE:
                self._lines(sheet, table, context)
            elif table.family in (SCHOOL, FIELD):
                self._reports(sheet, table, context)
            else:
                self._indicators(sheet, table, context)
            before = [*table.above, *before]
        self._other_ward(sheet)

    def _headless(self, sheet: Sheet, table: Table) -> None:
        """A question for each row of figures below which heads nothing says what they are."""
        for line in table.lines:
            cell = table.view.name(line.place)
            if self.answers.get("line", sheet.grid.name, cell) == "none":
                continue
            if line.codes and set(line.codes) != {GROUP}:
                found = said("“{text}” with figures, among rows of another kind", text=line.text)
                expected = said("a table of its own, with a head above its columns")
                fix = said(
                    "Give the figures in a table of their own; or none: the row is then left out."
                )
                sheet.tell(
                    "line_unknown",
                    ASK,
                    line.place,
                    found,
                    expected,
                    fix,
                    view=table.view,
                    choices=("none",),
                )

    def _other_ward(self, sheet: Sheet) -> None:
        """A question where what stands above the tables, or the sheet's name, is of another ward."""
        if not sheet.columns or not self.ward.vietnamese:
            return
        top = (
            min(column.table.top for column in sheet.columns if not column.table.view.turned)
            if any(not column.table.view.turned for column in sheet.columns)
            else 8
        )
        texts: list[tuple[Place | None, str]] = [
            (place, cell.value)
            for place, cell in sorted(sheet.grid.cells.items())
            if place[0] < top and isinstance(cell.value, str) and len(cell.value) < 300
        ]
        texts.append((None, sheet.grid.name))
        own = fold(self.ward.name_vi).split(" ", 1)[-1]
        named = [(place, name) for place, text in texts for name in communes(text)]
        named += [
            (place, match[0])
            for place, text in texts
            if (match := DISTRICT.search(text)) and "ngân sách" in text.casefold()
        ]
        others = [(place, name) for place, name in named if not fold(name).startswith(own)]
        if (
            not others
            or len(others) < len(named)
            or self.answers.get("ward", sheet.grid.name) == "right"
        ):
            return
        place, name = others[0]
        sheet.tell(
            "other_ward", ASK, place, said("{name} above the table", name=name.strip()),
            self.ward.name_vi, said("Make sure that the file is of this ward."),
        )  # fmt: skip

    def _visible(self, sheet: Sheet, table: Table) -> Table:
        """The table without hidden rows that the clerk has left out; a question for each other one that
        holds figures."""
        lines = []
        for line in table.lines:
            if not table.view.hidden_row(line.row):
                lines.append(line)
                continue
            filled = any(table.cell(line, head) is not None for head in table.heads)
            if not filled or set(line.codes) <= {GROUP}:
                continue
            answer = self.answers.get("hidden", sheet.grid.name, table.view.name(line.place))
            if answer == "take":
                lines.append(line)
            elif answer != "leave-out":
                twice = any(
                    other.codes == line.codes and other is not line for other in table.lines
                )
                found = (
                    said("a hidden row that gives “{name}” a second time", name=line.text)
                    if twice
                    else said("a hidden row with figures: “{name}”", name=line.text)
                )
                expected = said("rows that can be seen")
                sheet.tell(
                    "hidden_row",
                    ASK,
                    line.place,
                    found,
                    expected,
                    said("Leave the row out, or take it?"),
                    view=table.view,
                )
        return replace(table, lines=tuple(lines))

    # ---------------------------------------------------------------------------- revenue lines

    def _lines(self, sheet: Sheet, table: Table, context: list[tuple[Place, str]]) -> None:
        roles = {head.column: self._role(head) for head in table.heads}
        plans = [head for head in table.heads if roles[head.column] == "plan"]
        figures = [head for head in table.heads if roles[head.column] in (MONTH, UNTIL)]
        if not figures and plans:
            others = any("previous" in head.codes for head in table.heads)
            title = Title(context, sheet.grid.name)
            if others or title.place or title.quarter:
                sheet.tell(
                    "column_missing", REFUSE, plans[0].place, said("plans, and no column of what was collected in a month"),
                    said("a head such as “Thực hiện tháng 01 năm 2022”"), said("ask the sender for that column, or name its head so"), view=table.view,
                )  # fmt: skip
                return
            self._targets(sheet, table, context, plans)
            return
        self._same_year(sheet, table, figures)
        self._other_matter(sheet, table, context, figures)
        items = self._items(sheet, table)
        found = self._dated(sheet, table, context, figures, roles)
        found = self._apart(sheet, table, found)
        if not any("measure" in line.said for line in items.values()):
            self._kept_missing(sheet, table, found)
        for head, span, time, measure in found:
            if span is None:
                continue
            factor, unit = self._unit(sheet, table, head, context)
            status = self._status(sheet, head, context)
            self._column(
                sheet, table, head, items, RECEIPTS, span, time, measure, status, factor, unit
            )

    def _other_matter(
        self, sheet: Sheet, table: Table, context: list[tuple[Place, str]], figures: list[Head]
    ) -> None:
        """A question where a title or a head has words that no column of receipts of a month has."""
        plain = not any({"actual", "estimate", "ytd"} & head.codes for head in figures)
        for place, text in context[:12]:
            other = plain and is_other(text, self.wordings.heads(text))
            if other or is_partly(text):
                if self.answers.get("title", sheet.grid.name) == "right":
                    return
                found = said("“{text}” above the table", text=text)
                expected = said("a title of what was collected in a month")
                fix = said(
                    "See what the file holds. If it is what was collected in the month, say so."
                )
                sheet.tell("title_unknown", ASK, place, found, expected, fix)
                return
        for head in figures:
            if head.told.quarters and not head.told.months and not head.told.until:
                continue  # a sum that is not needed
            unknown = self._unknown_words(head)
            if (
                unknown
                and self.answers.get("head", sheet.grid.name, table.view.name(head.place))
                != "right"
            ):
                found = said("“{text}”, with words that are not known here", text=head.text)
                expected = said("a head such as “Thực hiện tháng 01 năm 2022 – Thu NSNN”")
                fix = said(
                    "See what the column holds. If it is what was collected in the month, say so."
                )
                place = next(
                    (own for own, text in head.levels if unknown & set(fold(text).split())),
                    head.place,
                )
                sheet.tell("head_unknown", ASK, place, found, expected, fix, view=table.view)

    def _unknown_words(self, head: Head) -> set[str]:
        """The words of a head that no wording has, but for those that tell nothing, and times and units."""
        left: set[str] = set()
        for _, text in head.levels:
            left |= self.wordings.unknown(text)
        own = set(fold(f"{self.ward.name_vi} {self.ward.name_en}").split())
        return {
            word
            for word in left
            if word not in FILLERS | own and not any(char.isdigit() for char in word)
        }

    def _same_year(self, sheet: Sheet, table: Table, figures: list[Head]) -> None:
        """A refusal for “cùng kỳ” of a month of the year that the other columns are of."""
        years = {year for head in figures for year, _ in head.told.months if year}
        for head in table.heads:
            if "previous" in head.codes and years & {year for year, _ in head.told.months}:
                found = said("“{text}”, beside months of the same year", text=head.text)
                expected = said("the same month of an earlier year")
                fix = said("correct the head, or ask the sender what the column holds")
                sheet.tell(
                    "month_conflict", REFUSE, head.telling(), found, expected, fix, view=table.view
                )

    def _role(self, head: Head) -> str:
        """What a column beside revenue lines holds: a month, the year up to one, the plan, or what is
        not needed."""
        codes = head.codes
        if "%" in head.text or codes & _IGNORED or {"plan", "actual"} <= codes:
            return "ignored"
        if codes & {"plan", "upper", "ward"}:
            return "plan"
        if codes & {"number", "unit"}:
            return "ignored"
        if "ytd" in codes or head.told.until:
            return UNTIL
        if not head.text:
            return "ignored"
        return MONTH

    def _dated(
        self,
        sheet: Sheet,
        table: Table,
        context: list[tuple[Place, str]],
        heads: list[Head],
        roles: dict[int, str],
    ) -> list[tuple[Head, str | None, str, str]]:
        """Each column with what it covers, its month and its measure; a span of None where it is not
        needed or cannot be dated."""
        title = Title(context, sheet.grid.name)
        years = {head.told.year for head in heads} - {0}
        numbers = [number for head in heads for _, number in head.told.months]
        if any(0 in pair for head in heads for pair in head.told.months) and numbers != sorted(
            numbers
        ):
            years = set()  # December of a year, then January: of which year is open
        plans = {head.told.year for head in table.heads if roles[head.column] == "plan"} - {0}
        year = title.year or next((own.pop() for own in (years, plans) if len(own) == 1), 0)
        asked = self.answers.given_for("month", sheet.grid.name)
        in_rows = any(line.said.get("month") for line in table.lines)
        latest = max((head.told.year for head in heads), default=0)
        single = {
            pair for head in heads if roles[head.column] == MONTH for pair in head.told.months
        }
        found: list[tuple[Head, str | None, str, str]] = []
        for head in heads:
            codes, when = head.codes, head.told
            measure = measured(codes)
            span = roles[head.column]
            if when.quarters and not when.months and not when.until:
                found.append((head, "quarter", "", measure))
                continue
            pairs = when.until if span == UNTIL and when.until else when.months
            if span == MONTH and not pairs and when.years and "actual" in codes and not in_rows:
                if (len(heads) > 1 and when.year < latest) or any(
                    other.told.months for other in heads
                ):
                    continue  # the whole year before, beside months
                span, pairs = UNTIL, ((when.year, 12),)
            if len(pairs) > 1:
                continue  # two months set against each other
            if pairs:
                ((own_year, number),) = pairs
                own_year = own_year or year
            elif span == UNTIL and len(single) == 1:
                ((own_year, number),) = single
                own_year = own_year or year
            elif span == UNTIL and single:
                continue  # the months are told by columns of their own
            elif in_rows:
                own_year, number = 0, 0
            else:
                span, own_year, number = title.month(span)
                own_year = own_year or year
            if asked and not in_rows and not (own_year and number):
                self.answers.get("month", sheet.grid.name)
                own_year, number = int(asked[:4]), int(asked[5:])
            time = f"{own_year}-{number:02}" if own_year and number else ""
            found.append((head, span, time, measure))
        self._undated(sheet, table, title, found, in_rows)
        return [
            (head, None if span == "quarter" else span, time, measure)
            for head, span, time, measure in found
        ]

    def _undated(
        self,
        sheet: Sheet,
        table: Table,
        title: Title,
        found: list[tuple[Head, str | None, str, str]],
        in_rows: bool,
    ) -> None:
        """What is wrong with the months of a table's columns."""
        real = [own for own in found if own[1] in (MONTH, UNTIL)]
        quarters = [own for own in found if own[1] == "quarter"]
        month_heads = [own for own in real if own[0].told.months and own[1] == MONTH]
        if quarters and not real:
            for place in dict.fromkeys(own[0].telling() for own in quarters):
                text = table.view.text(place)
                sheet.tell_quarter(place, text, or_until=True, view=table.view)
            return
        if title.quarter and real and not in_rows and not any(time for _, _, time, _ in real):
            sheet.tell_quarter(*title.quarter, or_until=True)
            return
        self._sheet_month(sheet, [time for _, span, time, _ in real if span == MONTH and time])
        named = {time for _, _, time, _ in month_heads if time}
        above = title.single
        if above and len(named) == 1 and not title.cumulative:
            (time,) = named
            if time != above[1]:
                expected = said("one month in the title and in the head of the column")
                for place, view in ((above[0], None), (month_heads[0][0].telling(), table.view)):
                    found_text = said(
                        "“{title}” above the table, “{head}” in it",
                        title=above[2],
                        head=table.view.text(month_heads[0][0].telling()),
                    )
                    sheet.tell(
                        "month_conflict",
                        REFUSE,
                        place,
                        found_text,
                        expected,
                        said("correct the title or the head, or ask the sender which month it is"),
                        view=view,
                    )
        undated = [own for own in real if not own[2]]
        if undated and not in_rows:
            head = undated[0][0]
            sheet.tell(
                "month_unknown", ASK, head.telling(), said("no month and year, neither above the table nor in this head: “{text}”", text=head.text),
                said("the month that the figures are of"), said("Say which month it is."), choices=self._months(), view=table.view,
            )  # fmt: skip

    def _sheet_month(self, sheet: Sheet, times: list[str]) -> None:
        """A question where the sheet's name is that of one month and its table of another."""
        said_by_name = told(sheet.grid.name).months
        if len(said_by_name) != 1 or not times:
            return
        ((year, number),) = said_by_name
        if any(int(time[5:]) == number and (not year or int(time[:4]) == year) for time in times):
            return
        if self.answers.get("sheet", sheet.grid.name) == "title":
            return
        found = said(
            "a sheet of that name with the figures of {month}",
            month=shown(times[0]),
        )
        expected = said("one month in the name of the sheet and in its table")
        fix = said(
            "See which month it is. If the name of the sheet is wrong, say so; else correct the table."
        )
        sheet.tell("sheet_month", ASK, None, found, expected, fix)

    def _apart(
        self, sheet: Sheet, table: Table, found: list[tuple[Head, str | None, str, str]]
    ) -> list[tuple[Head, str | None, str, str]]:
        """The columns, each of another month and measure; a question where two may be the same."""
        kept = []
        for head, span, time, measure in found:
            if table.view.hidden_column(head.column) and span is not None:
                answer = self.answers.get("hidden", sheet.grid.name, table.view.name(head.place))
                if answer == "leave-out":
                    continue
                if not answer:
                    sheet.tell(
                        "hidden_column",
                        ASK,
                        head.place,
                        said("a hidden column with figures: “{text}”", text=head.text),
                        said("columns that can be seen"),
                        said("Leave the column out, or take it?"),
                        view=table.view,
                    )
            kept.append((head, span, time, measure))
        chosen = self.answers.get("column", sheet.grid.name)
        groups: dict[tuple[str, str, str], list[Head]] = {}
        for head, span, time, measure in kept:
            if span is not None:
                groups.setdefault((span, time, measure or COLLECTED), []).append(head)
        double = {head.column for own in groups.values() if len(own) > 1 for head in own}
        if double and chosen:
            letters = set(chosen.split(","))
            return [
                own for own in kept
                if own[0].column not in double or table.view.letter(own[0].place) in letters
            ]  # fmt: skip
        pairs = self._pairs(table, groups)
        for own in groups.values():
            for head in own if len(own) > 1 else ():
                others = ", ".join(
                    table.view.name(other.place) for other in own if other is not head
                )
                sheet.tell(
                    "column_ambiguous", ASK, head.place, said("“{text}”, as in {others}", text=head.text, others=others),
                    said("one column for each month and measure, and a head that says which"), said("Say which columns are the month's."), view=table.view,
                    choices=pairs,
                )  # fmt: skip
        return [
            (head, None if head.column in double else span, time, measure)
            for head, span, time, measure in kept
        ]

    def _pairs(
        self, table: Table, groups: dict[tuple[str, str, str], list[Head]]
    ) -> tuple[str, ...]:
        """The answers that choose among columns alike: the first of each, the second of each, and so on."""
        alike = [own for own in groups.values() if len(own) > 1]
        most = max(map(len, alike), default=0)
        return tuple(
            ",".join(table.view.letter(own[at].place) for own in alike if at < len(own))
            for at in range(most)
        )

    def _kept_missing(
        self, sheet: Sheet, table: Table, found: list[tuple[Head, str | None, str, str]]
    ) -> None:
        """A question where a month has what was collected, not what the ward keeps, and the other way
        round."""
        months: dict[str, dict[str, Head]] = {}
        single = {time for _, span, time, _ in found if span == MONTH}
        for head, span, time, measure in found:
            if span == MONTH or (span == UNTIL and time not in single):
                months.setdefault(time, {}).setdefault(measure or COLLECTED, head)
        if any(problem.kind == "column_ambiguous" for problem in sheet.problems):
            return
        for heads in months.values():
            if KEPT not in heads and self.answers.get("kept", sheet.grid.name) != "shares":
                head = heads[COLLECTED]
                sheet.tell(
                    "kept_missing", ASK, head.place, said("“{text}”: what was collected, and no column of what the ward keeps", text=head.text),
                    said("both columns, thu NSNN and thu NSX"), said("Give the kept amounts in a file that has both, or have them calculated from the shares known for each line."), view=table.view,
                )  # fmt: skip
            elif COLLECTED not in heads:
                head = heads[KEPT]
                sheet.tell(
                    "collected_missing", REFUSE, head.place, said("“{text}”: what the ward keeps, and no column of what was collected", text=head.text),
                    said("both columns, thu NSNN and thu NSX"), said("ask the sender for a file with both columns"), view=table.view,
                )  # fmt: skip

    def _status(self, sheet: Sheet, head: Head, context: list[tuple[Place, str]]) -> str:
        if given := self.status or self.answers.get("status", sheet.grid.name):
            return given
        if "estimate" in head.codes:
            return "estimate"
        if "actual" not in head.codes and any(
            "estimate" in self.wordings.heads(text) for _, text in context[:8]
        ):
            return "estimate"
        return "actual"

    # ------------------------------------------------------------------------------------ units

    def _unit(
        self, sheet: Sheet, table: Table, head: Head, context: list[tuple[Place, str]]
    ) -> tuple[Decimal | None, tuple[Place, str] | None]:
        """How many đồng (or units of the ward's money) a figure of the column holds, and the place that
        says so; a question where none, two, or an unknown one is given."""
        currency = self.ward.currency
        spelt = [(place, text, *self.wordings.unit_line(text)) for place, text in head.levels]
        in_head = [own for own in spelt if own[2]]
        above = [(place, text, *self.wordings.unit_line(text)) for place, text in context]
        above = [own for own in above if own[2] or own[3]]
        found = in_head or [own for own in above if own[2]]
        place = (found or above)[0][:2] if (found or above) else None
        units = {own[2] for own in found}
        sure = len(units) == 1 and self._is_money(units)
        # What a sheet says of itself counts, unless its amounts cannot be.
        open_ = sheet.grid.name in self.doubted or not sure
        if open_ and (answer := self.answers.get("unit", sheet.grid.name)):
            return self._factor(FACTORS[answer]), place
        unknown = [own for own in (spelt if in_head else above) if not own[2] and own[3]]
        own_names = {"collected", "kept", "amount"}
        if not units and not unknown and any(text in own_names for _, text in head.levels):
            return Decimal(1), None  # a list in the form of the workbook's own tables
        if len(units) > 1:
            for other in found:
                sheet.tell(
                    "unit_conflict", ASK, other[0], said("“{text}” and another unit on the same sheet", text=other[1]),
                    said("one unit of money"), said("Say in which unit the figures are."), choices=self.units(), view=table.view if in_head else None,
                )  # fmt: skip
        elif unknown and not units:
            for other in unknown:
                sheet.tell(
                    "unit_unknown", ASK, other[0], said("“{text}”", text=other[1]),
                    said("a unit of money that is known: đồng, nghìn đồng, triệu đồng, tỷ đồng"), said("Say in which unit the figures are."), choices=self.units(),
                )  # fmt: skip
        elif not units:
            sheet.tell(
                "unit_missing", ASK, None, said("no unit, neither above the table nor in its heads"),
                said("a line such as “Đơn vị tính: nghìn đồng”"), said("Say in which unit the figures are."), choices=self.units(),
            )  # fmt: skip
        elif not self._is_money(units):
            sheet.tell(
                "unit_conflict", ASK, found[0][0], said("“{text}”", text=found[0][1]), said("a unit of {currency}", currency=currency),
                said("Say in which unit the figures are."), choices=self.units(), view=table.view if in_head else None,
            )  # fmt: skip
        return (self._factor(found[0][2]) if sure else None), place

    def _is_money(self, units: set[str]) -> bool:
        """Whether units are of the ward's own money."""
        return all(
            unit.isdecimal() if self.ward.currency == "VND" else unit == self.ward.currency
            for unit in units
        )

    def units(self) -> tuple[str, ...]:
        """The answers that name a unit of the ward's money."""
        return ("dong", "nghin", "trieu", "ty") if self.ward.currency == "VND" else ("one",)

    @staticmethod
    def _factor(unit: str) -> Decimal:
        return Decimal(unit) if unit.isdecimal() else Decimal(1)

    # ------------------------------------------------------------------------------------ items

    def _items(self, sheet: Sheet, table: Table) -> dict[int, Line]:
        """The lines of a table that name one thing each, by row; a question for each other that holds
        figures."""
        known: dict[int, Line] = {}
        numbers: dict[str, str] = {}
        last = ""  # the last name that began with no dash
        explicit = {line.codes[0] for line in table.lines if len(line.codes) == 1}
        unknown = 0
        root = self.wordings.root
        leaves = set(self.wordings.parents) - set(self.wordings.parents.values())
        for line in table.lines:
            codes = line.codes
            cell = table.view.name(line.place)
            if cell in sheet.blocked:
                continue  # its letters are in question
            answer = self.answers.get("line", sheet.grid.name, cell) if (len(codes) != 1) else ""
            if answer and answer != "none":
                codes = (answer,)
            elif answer == "none":
                sheet.left_out.add(line.row)
                continue
            if len(codes) > 1:
                codes = self._one_of(codes, line, numbers, last, explicit - {SUM, GROUP})
            if codes == (SUM,):
                codes = (root,) if root not in explicit else (GROUP,)
            if len(codes) == 1:
                known[line.row] = replace(line, codes=codes)
                if codes[0] == GROUP:
                    numbers.clear()  # the numbers begin anew in each group
                else:
                    numbers[line.number] = codes[0]
                    if not line.dashed:
                        last = codes[0]
                continue
            if len(codes) > 1:
                names = ", ".join(
                    f"{code} ({self.wordings.names.get(code, code)})" for code in codes
                )
                sheet.tell(
                    "line_ambiguous", ASK, line.place, said("“{text}”, which may be {names}", text=line.text, names=names),
                    said("a name or a number that says which line it is"), said("Say which line it is."), view=table.view, choices=codes,
                )  # fmt: skip
                continue
            if root in explicit and self._is_group(table, line):
                numbers.clear()
                known[line.row] = replace(line, codes=(GROUP,))
                continue
            parent = (
                numbers.get(line.number.rpartition(".")[0])
                if "." in line.number
                else (last if line.dashed else None)
            )
            if parent in leaves:
                continue  # a detail of a line that is itself taken
            if not self._holds(table, line):
                continue
            unknown += 1
            near = self.wordings.nearest(table.family, line.text) if unknown <= _NEAR else ()
            names = ", ".join(f"{self.wordings.names.get(code, code)} ({code})" for code in near)
            hint = (
                said("a name that is known; near to it: {names}", names=names)
                if near
                else said("a name that is known")
            )
            kind = "school_unknown" if table.family == SCHOOL else "line_unknown"
            sheet.tell(
                kind, ASK, line.place, said("“{text}” with figures", text=line.text or "…"), hint,
                said("Say which line it is, by its code, or none: the row is then left out."), view=table.view,
                choices=("none", *near) if near else (),
            )  # fmt: skip
        return known

    def _is_group(self, table: Table, line: Line) -> bool:
        """Whether a row that no wording names is a heading of several lines: numbered by a letter or a
        Roman numeral, with lines of another numbering below it."""
        level = numeral(line.number)
        if level is None:
            return False
        below = 0
        for other in table.lines[table.lines.index(line) + 1 :]:
            own = numeral(other.number)
            if own is not None and own <= level:
                break
            below += len(other.codes) > 0
        return below >= 2

    def _holds(self, table: Table, line: Line) -> bool:
        """Whether a row says something in a column that may be needed, be it 0 or a dash."""
        for head in table.heads:
            cell = table.cell(line, head)
            if cell is None or self._role(head) == "ignored":
                continue
            (reading,) = amounts.read([cell])
            if reading.state not in (amounts.BLANK, amounts.NONSENSE):
                return True
        return False

    def _one_of(
        self,
        codes: tuple[str, ...],
        line: Line,
        numbers: dict[str, str],
        last: str,
        explicit: set[str],
    ) -> tuple[str, ...]:
        """Which of several lines of one name a row is: its number, a dash, or what else is in the table
        tells under which parent it stands."""
        parents = self.wordings.parents
        if "." in line.number:
            above = numbers.get(line.number.rpartition(".")[0])
        elif line.dashed and last:
            above = last if last in parents.values() else parents.get(last)
        elif line.number:
            above = self.wordings.root or None
        else:
            above = None
        if above is not None:
            own = tuple(code for code in codes if parents.get(code) == above)
            return own if len(own) == 1 else codes
        others = tuple(code for code in codes if code not in explicit)
        return others if len(others) == 1 else codes

    # ---------------------------------------------------------------------------------- columns

    def _column(
        self,
        sheet: Sheet,
        table: Table,
        head: Head,
        items: dict[int, Line],
        kind: str,
        span: str,
        time: str,
        measure: str,
        status: str,
        factor: Decimal | None,
        unit: tuple[Place, str] | None,
    ) -> None:
        """Read a column of amounts."""
        letter = table.view.letter((0, head.column))
        answer = self.answers.get("number", sheet.grid.name, letter)
        lines = [line for line in table.lines if line.row not in sheet.left_out]
        readings = amounts.read([table.cell(line, head) for line in lines], answer)
        found = {line.row: reading for line, reading in zip(lines, readings, strict=True)}
        column = Column(table, head, kind, span, time, measure, status, factor, unit, items, found)
        sheet.columns.append(column)
        place = f"{table.view.name(unit[0])}: {unit[1]}" if unit else ""
        if place and place not in sheet.units:
            sheet.units.append(place)

    # ------------------------------------------------------------------- schools and activities

    def _reports(self, sheet: Sheet, table: Table, context: list[tuple[Place, str]]) -> None:
        """A table of schools or of fields of activities: a column a measure."""
        kind = SCHOOLS if table.family == SCHOOL else ACTIVITIES
        time = self._month_of(sheet, table, context)
        items = self._items(sheet, table)
        found: dict[str, list[Head]] = {}
        for head in table.heads:
            measures = [measure for measure in _MEASURES[kind] if measure in head.codes]
            if kind == ACTIVITIES and "held_later" in measures:
                measures = ["held_later"]
            if len(measures) == 1:
                found.setdefault(measures[0], []).append(head)
        for heads in found.values():
            for head in heads if len(heads) > 1 else ():
                sheet.tell(
                    "column_ambiguous",
                    ASK,
                    head.place,
                    said("“{text}” stands twice", text=head.text),
                    said("one column for each measure"),
                    said("Say which columns are the month's."),
                    view=table.view,
                )
        for measure in _MEASURES[kind]:
            if measure not in found:
                sheet.tell(
                    "column_missing", REFUSE, None, said("no column of {measure}", measure=measure),
                    said("a head such as “{head}”", head=_HEADS[measure]), said("ask the sender for that column, or name its head so"),
                )  # fmt: skip
        for measure, heads in found.items():
            if len(heads) == 1:
                self._column(
                    sheet, table, heads[0], items, kind, MONTH, time, measure, "", Decimal(1), None
                )

    def _month_of(self, sheet: Sheet, table: Table, context: list[tuple[Place, str]]) -> str:
        """The month of a table without months in its heads."""
        title = Title(context, sheet.grid.name)
        if any(line.said.get("month") for line in table.lines):
            return ""
        _, year, number = title.month(MONTH)
        year = year or title.year
        if year and number:
            time = f"{year}-{number:02}"
            self._sheet_month(sheet, [time])
            return time
        if asked := self.answers.get("month", sheet.grid.name):
            return asked
        if title.quarter:
            sheet.tell_quarter(*title.quarter)
        else:
            sheet.tell(
                "month_unknown",
                ASK,
                None,
                said("no month and year above the table"),
                said("the month that the figures are of"),
                said("Say which month it is."),
                choices=self._months(),
            )
        return ""

    def _indicators(self, sheet: Sheet, table: Table, context: list[tuple[Place, str]]) -> None:
        """A table of indicators: their value of the year up to a month, or their targets."""
        roles = {head.column: self._role(head) for head in table.heads}
        plans = [head for head in table.heads if roles[head.column] == "plan"]
        values = [head for head in table.heads if roles[head.column] in (MONTH, UNTIL)]
        if plans and not values:
            self._targets(sheet, table, context, plans)
            return
        items = self._items(sheet, table)
        dated = [own for own in self._dated(sheet, table, context, values, roles) if own[1]]
        dated = self._apart(sheet, table, dated)
        for head, span, time, _ in dated:
            if span is not None:
                self._column(
                    sheet,
                    table,
                    head,
                    items,
                    INDICATORS,
                    MONTH,
                    time,
                    "value",
                    self._status(sheet, head, context),
                    Decimal(1),
                    None,
                )

    def _targets(
        self, sheet: Sheet, table: Table, context: list[tuple[Place, str]], plans: list[Head]
    ) -> None:
        """A table of the year's targets: a column for each who sets them."""
        title = Title(context, sheet.grid.name)
        years = {head.told.year or title.year for head in plans} - {0}
        year = str(years.pop()) if len(years) == 1 else ""
        if not year and (asked := self.answers.get("month", sheet.grid.name)):
            year = asked[:4]
        if not year:
            sheet.tell(
                "month_unknown",
                ASK,
                None,
                said("no year above the table"),
                said("the year that the targets are for"),
                said("Say any month of that year."),
            )
        items = self._items(sheet, table)
        found: dict[str, list[Head]] = {}
        for head in plans:
            if measured(head.codes) == KEPT:
                continue  # targets are of what is collected
            setter = "ward" if "ward" in head.codes else "upper"
            found.setdefault(setter, []).append(head)
        for setter, heads in found.items():
            if len(heads) > 1:
                for head in heads:
                    sheet.tell(
                        "column_ambiguous",
                        ASK,
                        head.place,
                        said("“{text}” stands twice", text=head.text),
                        said("one column for each who sets targets"),
                        said("Say which columns are meant."),
                        view=table.view,
                    )
                continue
            factor: Decimal | None = Decimal(1)
            unit = None
            if table.family == LINE:
                factor, unit = self._unit(sheet, table, heads[0], context)
            self._column(
                sheet, table, heads[0], items, TARGETS, MONTH, year, setter, "", factor, unit
            )


_HEADS = {
    "pupils": "Số học sinh",
    "planned_days": "Số ngày kế hoạch",
    "in_person_days": "Số ngày trực tiếp",
    "online_days": "Số ngày trực tuyến",
    "closed_days": "Số ngày nghỉ",
    "attendance_share": "Tỷ lệ chuyên cần",
    "planned": "Kế hoạch",
    "held": "Đã tổ chức",
    "cancelled": "Hủy",
    "postponed": "Hoãn",
    "held_later": "Tổ chức bù",
    "participants": "Lượt người tham gia",
}


def measured(codes: frozenset[str]) -> str:
    """What a head of revenue lines is of: COLLECTED, KEPT, "" where it says neither."""
    if COLLECTED in codes:
        return COLLECTED
    return KEPT if KEPT in codes else ""


def numeral(number: str) -> int | None:
    """The level of a heading: 0 for a letter, 1 for a Roman numeral; None for any other number."""
    if re.fullmatch("[IVX]+", number):
        return 1
    return 0 if re.fullmatch("[A-ZĐ]", number) else None
