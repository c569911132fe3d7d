"""The project's own corpus of office files: what clerks bring, sound or not, and what must come of it.

    python tests/data/intake/make.py FOLDER

writes every sample and, beside it, `<file>.json` with its expected outcome; the same bytes each time but
for the workbook under a password. `samples()` yields the same in memory.

The JSON: `file`, `ward`, `reported_on`, `outcome` (accept, ask, refuse), `rows` (what the newest figures
then are; amounts in whole units of the ward's money), `problems` (kind, sheet, cell; a null cell is the
sheet as a whole, a null sheet the file) and `notes` likewise, `may_also_name` (kinds and cells that are
no fault if named too), `already_known` (lines that need no row), `question` (what is asked, in other
words), `answers` (as `ward intake --answer` takes them) and `rows_if_answered`.

All figures are made up: near the same month of 2021 in the illustrative ward's data. Samples 01 to 34
have the shapes of files that were seen with other people; the rest are shapes and faults of our own.
"""

from __future__ import annotations

import csv
import datetime
import json
import random
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from containers import (
    ACCOUNTS,
    DAY,
    PERCENT,
    PLAIN,
    THREE,
    WHOLE,
    Page,
    a1,
    broken,
    cp1258,
    grouped,
    locked_xlsx,
    ods,
    separated,
    tcvn3,
    vni,
    xls,
    xlsx,
)

ROOT = Path(__file__).parents[3]
Figures = dict[tuple[str, str], tuple[int, int]]  # (month, line): collected, kept
JANUARY, FEBRUARY, MARCH = "2022-01", "2022-02", "2022-03"
IN_FEBRUARY, IN_MARCH, LATE = "2022-02-10", "2022-03-10", "2022-03-31"


@dataclass
class Sample:
    """A file and what must come of it; problems and notes are (kind, sheet, cell)."""

    file: str
    data: bytes
    outcome: str
    rows: list[dict] = field(default_factory=list)
    problems: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    notes: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    may_also_name: list[str] = field(default_factory=list)
    already_known: list[str] = field(default_factory=list)
    question: str = ""
    answers: list[str] = field(default_factory=list)
    rows_if_answered: list[dict] = field(default_factory=list)
    reported_on: str = IN_FEBRUARY
    ward: str = "phuc-dong"

    def about(self) -> dict:
        """The expected outcome as it stands in the JSON."""
        told: dict = {
            "file": self.file,
            "ward": self.ward,
            "reported_on": self.reported_on,
            "outcome": self.outcome,
            "rows": self.rows,
        }
        for name in ("problems", "notes"):
            told[name] = [
                dict(zip(("kind", "sheet", "cell"), one, strict=True))
                for one in getattr(self, name)
            ]
        for name in ("may_also_name", "question", "answers", "rows_if_answered", "already_known"):
            if getattr(self, name):
                told[name] = getattr(self, name)
        return told


# What is known --------------------------------------------------------------------------------------


def _read(path: str) -> list[dict[str, str]]:
    with (ROOT / "data" / path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def lines(ward: str = "reference") -> dict[str, dict[str, str]]:
    """The revenue lines by code, in the order in which they are listed."""
    return {row["code"]: row for row in _read(f"{ward}/revenue_lines.csv")}


@cache
def known(ward: str = "phuc-dong") -> Figures:
    """The newest figure of each month and line."""
    rows = sorted(_read(f"{ward}/receipts.csv"), key=lambda row: row["reported_on"])
    return {(r["month"], r["line"]): (int(r["collected"]), int(r["kept"])) for r in rows}


def parts(parent: str, ward: str = "reference") -> list[str]:
    return [code for code, line in lines(ward).items() if line["parent"] == parent]


def leaves(ward: str = "reference") -> list[str]:
    return [code for code in lines(ward) if not parts(code, ward)]


@cache
def share(line: str) -> int:
    """What the ward keeps of a line, in hundredths."""
    return next(
        round(100 * kept / collected)
        for (month, code), (collected, kept) in sorted(known().items(), reverse=True)
        if code == line and collected
    )


def near(seed: int, *months: str, step: int = 40_000) -> Figures:
    """Made-up figures of months of 2022, near the same months of 2021; their sums are right."""
    chance = random.Random(f"intake {seed}")
    figures: Figures = {}
    for month in months:
        for line in leaves():
            before = known()[f"2021{month[4:]}", line][0]
            collected = round(before * (0.88 + 0.27 * chance.random()) / step) * step
            figures[month, line] = collected, collected * share(line) // 100
    return summed(figures)


def summed(figures: Figures) -> Figures:
    """The figures with each parent as the sum of what stands below it."""
    for month in {month for month, _ in figures}:
        for parent in ("nonstate", "total"):
            below = [figures[month, line] for line in parts(parent) if (month, line) in figures]
            figures[month, parent] = sum(c for c, _ in below), sum(k for _, k in below)
    return figures


def year_to(figures: Figures, month: str) -> Figures:
    """From January to a month: each line's figures of the file, or those known, added up."""
    everything = known() | figures
    year, last = month.split("-")
    months = [f"{year}-{number:02}" for number in range(1, int(last) + 1)]
    return {
        (month, line): tuple(sum(everything[one, line][side] for one in months) for side in (0, 1))
        for line in lines()
    }


@cache
def planned(line: str) -> tuple[int, int]:
    """A made-up plan of the year: what 2021 brought and a little more, in millions."""
    of_2021 = [
        pair for (month, code), pair in known().items() if month[:4] == "2021" and code == line
    ]
    return tuple(
        sum(pair[side] for pair in of_2021) * 103 // 100_000_000 * 1_000_000 for side in (0, 1)
    )


def rows_of(figures: Figures, status: str = "actual", only: Iterable[str] = ()) -> list[dict]:
    order = list(lines())
    return [
        {
            "table": "receipts",
            "month": month,
            "line": line,
            "collected": collected,
            "kept": kept,
            "status": status,
        }
        for (month, line), (collected, kept) in sorted(
            figures.items(), key=lambda item: (item[0][0], order.index(item[0][1]))
        )
        if not only or line in only
    ]


# Tables ----------------------------------------------------------------------------------------------


@dataclass
class Column:
    """A column of a table: its heads from the top down, what stands in it for a line (None: nothing),
    its number format; `key` finds its cells again."""

    heads: tuple[str, ...]
    of: Callable[[str], object]
    key: str = ""
    look: str = PLAIN


NAMES = {code: line["name_vi"] for code, line in lines().items()} | {
    "I": "Các khoản thu 100%",
    "II": "Các khoản thu phân chia theo tỷ lệ phần trăm (%)",
}
# Numbers of the lines in a list, and in the commune's form with its two groups.
IN_LIST = {
    "total": "A", "nonstate": "1", "nonstate_vat": "1.1", "nonstate_pit": "1.2", "nonstate_sct": "1.3",
    "land_tax": "2", "licence_fee": "3", "registration_fee": "4", "pit": "5", "land_rent": "6",
    "fees": "7", "public_land": "8", "other": "9",
}  # fmt: skip
IN_FORM = {
    "total": "", "I": "I", "fees": "1", "public_land": "2", "other": "3", "II": "II", "land_tax": "1",
    "licence_fee": "2", "registration_fee": "3", "land_rent": "4", "pit": "5", "nonstate": "6",
    "nonstate_vat": "6.1", "nonstate_pit": "6.2", "nonstate_sct": "6.3",
}  # fmt: skip
GROUPS = {"I": ("fees", "public_land", "other"), "II": ("land_tax", "licence_fee", "registration_fee", "land_rent", "pit", "nonstate")}  # fmt: skip
COLLECTED, KEPT = "Thu NSNN", "Thu NSX"


def amount(figures: Figures, month: str, side: int, unit: int = 1) -> Callable[[str], object]:
    """What a column of money holds for a line or group: the amount in its unit, whole where it is."""

    def of(line: str) -> object:
        members = GROUPS.get(line, (line,))
        found = [figures[month, member][side] for member in members if (month, member) in figures]
        if len(found) < len(members):
            return None
        return sum(found) // unit if sum(found) % unit == 0 else sum(found) / unit

    return of


def pair(
    head: str,
    figures: Figures,
    month: str,
    unit: int = 1,
    key: str = "",
    look: str = WHOLE,
    heads: tuple[str, str] = (COLLECTED, KEPT),
) -> list[Column]:
    """Two columns under one head: collected (key `c`) and kept (`k`), of a month where `key` says so."""
    return [
        Column((head, below), amount(figures, month, side, unit), mark + key, look)
        for side, (below, mark) in enumerate(zip(heads, "ck", strict=True))
    ]


def plan_pair(head: str, unit: int = 1) -> list[Column]:
    plan = {("", line): planned(line) for line in lines()}
    return pair(head, plan, "", unit, key="plan")


def percent_pair(head: str, figures: Figures, month: str) -> list[Column]:
    def of(side: int) -> Callable[[str], object]:
        plan = {("", line): planned(line) for line in lines()}

        def part(line: str) -> object:
            whole = amount(plan, "", side)(line)
            return round(amount(figures, month, side)(line) / whole, 5) if whole else None

        return part

    return [
        Column((head, below), of(side), f"%{side}", PERCENT)
        for side, below in enumerate((COLLECTED, KEPT))
    ]


def table(
    page: Page,
    at: tuple[int, int],
    columns: list[Column],
    numbers: dict[str, str],
    *,
    names: dict[str, str] = NAMES,
    first: tuple[str, str] = ("STT", "Nội dung"),
    counted: bool = False,
    spans: bool = True,
) -> int:
    """Write heads and lines from a place on; the row below. `counted`: a row that counts the columns.
    Without `spans` the heads of groups stand in their first cell and nothing is merged."""
    columns = [
        Column((first[0],), lambda line: numbers[line] or None, "number"),
        Column((first[1],), lambda line: names[line], "name"),
        *columns,
    ]
    top, left = at
    depth = max(len(column.heads) for column in columns)
    filled = [column.heads + ("",) * (depth - len(column.heads)) for column in columns]
    for level in range(depth):
        begun = 0
        for index in range(1, len(columns) + 1):
            if (
                index < len(columns)
                and filled[index][: level + 1] == filled[begun][: level + 1]
                and filled[begun][level]
            ):
                continue
            head = filled[begun][level]
            if head:
                page.put(top + level, left + begun, head)
                bottom = level
                while index == begun + 1 and bottom + 1 < depth and not filled[begun][bottom + 1]:
                    bottom += 1
                if spans:
                    page.span(top + level, left + begun, top + bottom, left + index - 1)
            begun = index
    row = top + depth
    if counted:
        for index in range(len(columns)):
            text = "AB"[index] if index < 2 else str(index - 1)
            if columns[index].key.startswith("%"):
                text += f"={index - 3}/{index - 5}"
            page.put(row, left + index, text)
        row += 1
    for line in numbers:
        for index, column in enumerate(columns):
            value = column.of(line)
            if value is not None:
                page.put(row, left + index, value, column.look)
            page.where[column.key, line] = row, left + index
        row += 1
    return row


def form(
    figures: Figures,
    month: str = JANUARY,
    *,
    unit: int = 1_000,
    unit_line: str = "Đơn vị: 1000 đồng",
    name: str = "B104",
    head: str = "Thực hiện tháng {} năm {}",
    look: str = WHOLE,
    office: str = "PHƯỜNG PHÚC ĐỒNG",
    counted: bool = True,
) -> Page:
    """The commune's form of receipts, as published: plan, month and % side by side, groups I and II."""
    page = Page(name)
    year, number = month.split("-")
    page.put(0, 0, f"ỦY BAN NHÂN DÂN\n{office}")
    page.put(0, 4, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM")
    page.put(1, 4, "Độc lập - Tự do - Hạnh phúc")
    page.put(3, 0, f"TÌNH HÌNH THỰC HIỆN DỰ TOÁN THU NGÂN SÁCH THÁNG {number} NĂM {year}")
    page.span(3, 0, 3, 7)
    if unit_line:
        page.put(5, 6, unit_line)
    columns = [
        *plan_pair(f"Dự toán năm {year}", unit),
        *pair(head.format(number, year), figures, month, unit, look=look),
        *percent_pair("So sánh (%)", figures, month),
    ]
    below = table(page, (6, 0), columns, IN_FORM, counted=counted)
    page.put(below + 1, 5, f"Phúc Đồng, ngày 10 tháng {int(number) % 12 + 1} năm {year}")
    page.put(below + 2, 0, "Kế toán")
    page.put(below + 2, 5, "CHỦ TỊCH")
    page.put(below + 3, 5, "(Ký tên, đóng dấu)")
    return page


def month_head(month: str) -> str:
    return f"Tháng {int(month[5:])}/{month[:4]}"


def listed(
    figures: Figures,
    *months: str,
    unit: int = 1,
    unit_line: str = "Đơn vị tính: đồng",
    name: str = "So thu",
    title: str = "SỔ THEO DÕI THU NGÂN SÁCH",
    head: Callable[[str], str] = month_head,
    look: str = WHOLE,
    **more: object,
) -> Page:
    """A plain list of lines with a pair of columns a month; keys c and k, with several months c2022-01…"""
    page = Page(name)
    page.put(0, 1, title)
    if unit_line:
        page.put(1, 1, unit_line)
    columns = [
        column
        for month in months
        for column in pair(head(month), figures, month, unit, month * (len(months) > 1), look)
    ]
    table(page, (3, 0), columns, more.pop("numbers", IN_LIST), **more)
    return page


def as_text(page: Page, write: Callable[[float], str], keys: Iterable[str] = "ck") -> Page:
    """The amounts of a page's columns as texts."""
    for (key, _), place in page.where.items():
        entry = page.cells.get(place)
        if key in keys and entry and isinstance(entry.value, int | float):
            entry.value = write(entry.value)
    return page


def cells_of(page: Page, keys: Iterable[str], only: Iterable[str] | None = None) -> list[str]:
    """The names of cells, row by row."""
    places = [
        place
        for (key, line), place in page.where.items()
        if key in keys and (only is None or line in only)
    ]
    return [a1(place) for place in sorted(places)]


# Samples 01 to 34: shapes and faults that were seen ----------------------------------------------------


def seen_layouts() -> Iterator[Sample]:
    f = near(1, JANUARY)
    yield Sample("01-commune-form.xlsx", xlsx(form(f)), "accept", rows_of(f))

    f = near(2, JANUARY)
    page = Page("Chi cuc thue")
    page.put(0, 0, "CHI CỤC THUẾ QUẬN LONG BIÊN")
    page.put(1, 0, "KẾT QUẢ THU NGÂN SÁCH NHÀ NƯỚC THÁNG 01/2022 TRÊN ĐỊA BÀN PHƯỜNG PHÚC ĐỒNG")
    page.put(3, 4, "ĐVT: Triệu đồng")
    million = 1_000_000
    plan = {("", line): planned(line) for line in lines()}
    columns = [
        Column(("Dự toán pháp lệnh",), amount(plan, "", 0, million), "plan", THREE),
        Column(("Thực hiện tháng 01",), amount(f, JANUARY, 0, million), "c", THREE),
        Column(("Lũy kế từ đầu năm",), amount(f, JANUARY, 0, million), "year", THREE),
        Column(("Tiến độ so dự toán (%)",), percent_pair("", f, JANUARY)[0].of, "%", PERCENT),
    ]
    table(page, (5, 0), columns, IN_LIST, first=("STT", "Chỉ tiêu"))
    yield Sample(
        "02-tax-office-no-kept.xlsx",
        xlsx(page),
        "ask",
        problems=[("kept_missing", page.name, "D6")],
        question="The file has what was collected, not what the ward keeps: is that to come from the shares known?",
        answers=["kept=shares"],
        rows_if_answered=rows_of(f),
    )

    f = near(3, JANUARY, FEBRUARY)
    yield Sample(
        "03-two-months-side-by-side.xlsx",
        xlsx(listed(f, JANUARY, FEBRUARY)),
        "accept",
        rows_of(f),
        reported_on=IN_MARCH,
    )

    f = near(9, JANUARY)
    page = form(f)
    row = page.where["c", "licence_fee"][0]
    page.opened(row)
    page.put(row, 1, NAMES["licence_fee"])
    for column in (4, 5):
        page.put(row, column, f[JANUARY, "licence_fee"][0] // 1_000 - 1_960, WHOLE)
    page.out_of_sight_rows.add(row)
    yield Sample(
        "09-hidden-row.xlsx",
        xlsx(page),
        "ask",
        problems=[("hidden_row", page.name, a1((row, 1)))],
        may_also_name=["line_twice"],
        question="A hidden row gives a line a second time: leave it out? The total agrees with the row that is seen.",
        answers=["hidden=leave-out"],
        rows_if_answered=rows_of(f),
    )

    f = near(19, JANUARY)
    page = form(f)
    for row in range(page.height, 3_500):
        page.put(row, 1, None)
    page.put(65_000, 70, None)
    yield Sample("19-far-blank-cells.xlsx", xlsx(page), "accept", rows_of(f))

    f = near(23, JANUARY, FEBRUARY)
    pages = (
        form(f, JANUARY, unit=1, unit_line="Đơn vị tính: Đồng", name="Thang 1"),
        form(
            f,
            FEBRUARY,
            unit=1_000_000,
            unit_line="Đơn vị tính: Triệu đồng",
            name="Thang 2",
            look=THREE,
        ),
    )
    yield Sample("23-two-units.xlsx", xlsx(*pages), "accept", rows_of(f), reported_on=IN_MARCH)

    f = near(24, JANUARY)
    page = Page("Bang 1")
    page.put(0, 0, "KẾT QUẢ THU NGÂN SÁCH THÁNG 01 NĂM 2022")
    page.put(1, 0, "Đơn vị: đồng")
    columns = [
        Column(column.heads[1:], column.of, column.key, WHOLE)
        for column in (*pair("", f, JANUARY), *plan_pair(""))
    ]
    table(page, (3, 0), columns, IN_LIST)
    yield Sample(
        "24-heads-twice.xlsx",
        xlsx(page),
        "ask",
        problems=[("column_ambiguous", page.name, f"{letter}4") for letter in "CDEF"],
        question="The same two heads stand twice and nothing says which pair is the month's: C and D here.",
        answers=["column=C,D"],
        rows_if_answered=rows_of(f),
    )


def seen_numbers() -> Iterator[Sample]:
    f = near(4, JANUARY)
    page = as_text(listed(f, JANUARY), lambda v: grouped(v, "\u00a0" if v % 3 else "\u202f"))
    yield Sample("04-text-spaces.xlsx", xlsx(page), "accept", rows_of(f))

    f = near(5, JANUARY)
    f[JANUARY, "land_rent"] = 17_400_000, 1_740_000
    summed(f)
    page = listed(f, JANUARY, unit=1_000_000, unit_line="Đơn vị tính: triệu đồng")
    as_text(page, lambda v: grouped(v, ",", ".", 3) if v else "0")
    filled = [
        a1(place)
        for (key, _), place in sorted(page.where.items(), key=lambda item: item[1])
        if key in ("c", "k") and page.cells[place].value != "0"
    ]
    yield Sample(
        "05-one-dot-only.xlsx",
        xlsx(page),
        "ask",
        problems=[("number_ambiguous", page.name, cell) for cell in filled],
        question="The one point of each amount sets apart thousands or decimals: decimals here.",
        answers=["number=decimals"],
        rows_if_answered=rows_of(f),
    )

    f = near(6, JANUARY)
    page = as_text(listed(f, JANUARY), grouped)
    yield Sample("06-column-decides.xlsx", xlsx(page), "accept", rows_of(f))

    f = near(12, JANUARY)
    page = form(f, unit=1, unit_line="ĐVT: Triệu đồng")
    yield Sample(
        "12-dong-under-trieu.xlsx",
        xlsx(page),
        "ask",
        problems=[("unit_implausible", page.name, "G6")],
        question="Read as triệu đồng the total is a million times the one of a year ago: are these whole đồng?",
        answers=["unit=dong"],
        rows_if_answered=rows_of(f),
    )

    f = near(13, JANUARY)
    f[JANUARY, "fees"] = tuple(1_000 * value for value in f[JANUARY, "fees"])
    page = form(summed(f))
    yield Sample(
        "13-one-line-thousandfold.xlsx",
        xlsx(page),
        "ask",
        problems=[
            ("value_implausible", page.name, cell) for cell in cells_of(page, "ck", ["fees"])
        ],
        may_also_name=["value_implausible", *cells_of(page, "ck", ["total", "I"])],
        question="One line is a thousand times its figure of any month before, and the sums agree: is that right?",
        answers=["value=right"],
        rows_if_answered=rows_of(f),
    )

    f = near(29, JANUARY)
    page = listed(f, JANUARY, look=ACCOUNTS)
    yield Sample("29-accounting-dash.xlsx", xlsx(page), "accept", rows_of(f))

    f = near(30, JANUARY)
    page = listed(f, JANUARY)
    typed = [page.alter(key, line, "-") for line in ("nonstate_sct", "public_land") for key in "ck"]
    yield Sample(
        "30-typed-dash.xlsx",
        xlsx(page),
        "ask",
        problems=[("dash_meaning", page.name, cell) for cell in typed],
        question="A typed dash: nothing was collected, or it is not reported? Nothing, here.",
        answers=["dash=zero"],
        rows_if_answered=rows_of(f),
    )

    f = near(31, JANUARY)
    lacking = [f.pop((JANUARY, line)) and line for line in ("public_land", "other")]
    page = listed(summed(f), JANUARY)
    for key in "ck":
        page.alter(key, "other", "…")
    yield Sample(
        "31-not-reported.xlsx",
        xlsx(page),
        "accept",
        rows_of(f),
        notes=[("not_reported", page.name, page.named("c", line)) for line in lacking],
    )


def seen_faults() -> Iterator[Sample]:
    f = near(10, JANUARY)
    page = listed(f, JANUARY)
    empty = []
    for parent in ("total", "nonstate"):
        for key in "ck":
            formula = "=" + "+".join(page.named(key, line) for line in parts(parent))
            empty.append(page.alter(key, parent, 0, formula=formula))
    yield Sample(
        "10-formula-no-value.xlsx",
        xlsx(page, stored=False),
        "refuse",
        problems=[("formula_without_value", page.name, cell) for cell in empty],
    )

    f = near(11, JANUARY)
    page = listed(f, JANUARY)
    wrong = [
        page.alter("c", "pit", "#REF!", formula="=#REF!/2"),
        page.alter("c", "total", "#REF!", formula="=SUM(#REF!)"),
    ]
    yield Sample(
        "11-error-cells.xlsx",
        xlsx(page),
        "refuse",
        problems=[("error_cell", page.name, cell) for cell in wrong],
    )

    f = near(14, JANUARY)
    page = form(f)
    digits = str(f[JANUARY, "registration_fee"][0] // 1_000)
    swap = next(i for i in range(1, len(digits)) if digits[i] != digits[i - 1])
    swapped = digits[: swap - 1] + digits[swap] + digits[swap - 1] + digits[swap + 1 :]
    cell = page.alter("c", "registration_fee", int(swapped))
    yield Sample(
        "14-digits-swapped.xlsx",
        xlsx(page),
        "refuse",
        problems=[("total_mismatch", page.name, page.named("c", line)) for line in ("total", "II")],
        may_also_name=["total_mismatch", cell],
    )

    f = near(18, JANUARY, FEBRUARY)
    page = Page("Luy ke")
    page.put(0, 0, "THU NGÂN SÁCH HAI THÁNG NĂM 2022")
    page.put(1, 3, "Đơn vị tính: nghìn đồng")
    year = year_to(f, FEBRUARY)
    less = f[JANUARY, "licence_fee"][0] - 2_520_000
    year[FEBRUARY, "licence_fee"] = less, less
    columns = [
        *pair("Thực hiện tháng 01/2022", f, JANUARY, 1_000),
        *pair("Lũy kế 2 tháng năm 2022", summed(year), FEBRUARY, 1_000, key="year"),
    ]
    table(page, (2, 0), columns, IN_LIST)
    yield Sample(
        "18-cumulative-falls.xlsx",
        xlsx(page),
        "refuse",
        problems=[
            ("ytd_falls", page.name, cell)
            for cell in cells_of(page, ("cyear", "kyear"), ["licence_fee"])
        ],
        reported_on=IN_MARCH,
    )

    f = near(25, JANUARY)
    page = listed(f, JANUARY)
    first, row = a1(page.where["name", "fees"]), page.height
    page.put(row, 1, NAMES["fees"])
    for column in (2, 3):
        page.put(row, column, 2_250_000, WHOLE)
    yield Sample(
        "25-line-twice.xlsx",
        xlsx(page),
        "refuse",
        problems=[("line_twice", page.name, a1((row, 1)))],
        may_also_name=["line_twice", first],
    )

    f = near(26, JANUARY)
    page = listed(f, JANUARY)
    for line in leaves():
        page.alter("k", line, share(line) / 100, look="0%")
    yield Sample(
        "26-percent-for-amount.xlsx",
        xlsx(page),
        "refuse",
        problems=[("percent_in_money", page.name, cell) for cell in cells_of(page, "k", leaves())],
    )

    f = near(27, JANUARY)
    page = listed(f, JANUARY, unit=1_000, unit_line="Đơn vị tính: nghìn đồng")
    cell = page.alter("c", "land_tax", datetime.datetime(2022, 4, 5), look=DAY)
    yield Sample(
        "27-date-for-amount.xlsx",
        xlsx(page),
        "refuse",
        problems=[("date_in_money", page.name, cell)],
        may_also_name=["total_mismatch", page.named("c", "total")],
    )

    page = form(near(32, MARCH), MARCH)
    yield Sample(
        "32-month-to-come.xlsx",
        xlsx(page),
        "refuse",
        problems=[("month_future", page.name, "E7")],
        may_also_name=["month_future", "A4"],
    )


def seen_files() -> Iterator[Sample]:
    f = near(7, JANUARY)
    page = Page("")
    for column, head in enumerate(
        ["Kỳ", "Mã", "Nội dung", "Thu NSNN (đồng)", "Thu NSX (đồng)", "Tình trạng"]
    ):
        page.put(0, column, head)
    for row, line in enumerate(lines(), 1):
        for column, value in enumerate(
            ["01/2022", line, NAMES[line], *f[JANUARY, line], "thực hiện"]
        ):
            page.put(row, column, value)
    yield Sample(
        "07-semicolon.csv",
        separated(page, ";", grouped).encode("utf-8-sig"),
        "accept",
        rows_of(f),
    )

    f = near(8, FEBRUARY)
    page = as_text(listed(f, FEBRUARY), lambda v: grouped(v, ","))
    yield Sample(
        "08-unicode-text.csv",
        b"\xff\xfe" + separated(page, "\t").encode("utf-16-le"),
        "accept",
        rows_of(f),
        reported_on=IN_MARCH,
    )

    f = near(15, JANUARY)
    page = form(f).rewritten(tcvn3, ".VnTime")
    yield Sample(
        "15-tcvn3.xlsx",
        xlsx(page),
        "accept",
        rows_of(f),
        notes=[("text_converted", page.name, None)],
    )

    f = near(16, JANUARY)
    title = "Uỷ ban nhân dân phường Phúc Đồng - Luỹ kế thu ngân sách tháng 01 năm 2022"
    page = listed(f, JANUARY, unit=1_000, unit_line="Đơn vị tính: Nghìn đồng", title=title)
    yield Sample(
        "16-decomposed.xlsx",
        xlsx(page.rewritten(lambda text: unicodedata.normalize("NFD", text))),
        "accept",
        rows_of(f),
    )

    f = near(20, JANUARY)
    page = form(f, unit=1_000_000, unit_line="ĐVT: Tr.đồng", look=PLAIN)
    yield Sample("20-workbook-named-xls.xls", xlsx(page), "accept", rows_of(f))

    f = near(21, JANUARY)
    body = "".join(
        f"<tr><td>{NAMES[line]}<td>{grouped(f[JANUARY, line][0])}<td>{grouped(f[JANUARY, line][1])}"
        for line in lines()
    )
    web = f"<!DOCTYPE html><meta charset=utf-8><title>Thu</title><table><tr><th>Nội dung<th>Thu NSNN<th>Thu NSX{body}</table>"
    yield Sample(
        "21-web-page-named-xls.xls",
        web.encode(),
        "refuse",
        problems=[("file_is_html", None, None)],
    )

    yield Sample(
        "22-password.xlsx",
        locked_xlsx(xlsx(form(near(22, JANUARY))), "thang01"),
        "refuse",
        problems=[("file_encrypted", None, None)],
    )


def seen_revisions() -> Iterator[Sample]:
    december = {key: value for key, value in known().items() if key[0] == "2021-12"}
    after = dict(december)
    for line, more in (("pit", 1_600_000), ("registration_fee", -3_200_000)):
        collected, kept = december["2021-12", line]
        after["2021-12", line] = collected + more, kept + more * share(line) // 100
    summed(after)
    page = Page("Nam 2021")
    page.put(0, 0, "THU NGÂN SÁCH NĂM 2021 SAU CHỈNH LÝ QUYẾT TOÁN")
    page.put(1, 2, "Đơn vị tính: đồng")
    columns = pair("Lũy kế thực hiện 12 tháng năm 2021", year_to(after, "2021-12"), "2021-12")
    table(page, (3, 0), columns, IN_LIST)
    changed = [line for line in lines() if after["2021-12", line] != december["2021-12", line]]
    yield Sample(
        "17-year-to-date.xlsx",
        xlsx(page),
        "accept",
        rows_of(after, only=changed),
        notes=[("month_derived", page.name, None), ("revised", page.name, None)],
        already_known=[line for line in lines() if line not in changed],
        reported_on=LATE,
    )

    page = listed(december, "2021-12", head=lambda _: "Thực hiện tháng 12/2021", title="")
    yield Sample(
        "28-nothing-new.xlsx",
        xlsx(page),
        "accept",
        notes=[("already_known", page.name, None)],
        already_known=list(lines()),
        reported_on=LATE,
    )


# Schools: code, pupils, days planned, in class, online, closed, share attended.
SCHOOLS: list[tuple[str, int, int, int, int, int, float | None]] = [
    ("tieu_hoc_phuc_dong", 1440, 16, 9, 7, 0, 0.9684),
    ("thcs_phuc_dong", 1047, 16, 13, 3, 0, 0.9615),
    ("mam_non_a", 451, 16, 0, 0, 16, None),
    ("thpt_b", 665, 16, 14, 2, 0, 0.9503),
    ("mam_non_c", 170, 16, 0, 0, 16, None),
]
SCHOOL_FIELDS = ("school", "pupils", "planned_days", "in_person_days", "online_days", "closed_days", "attendance_share")  # fmt: skip


def schools(*more: tuple, month: str = FEBRUARY) -> tuple[Page, list[dict]]:
    """A report of schools, and its rows."""
    names = {row["school"]: row["name"] for row in _read("phuc-dong/schools.csv")}
    page = Page("Truong hoc")
    page.put(0, 0, f"BÁO CÁO DẠY VÀ HỌC THÁNG {month[5:]} NĂM {month[:4]}")
    heads = {0: "STT", 1: "Tên trường", 2: "Số học sinh, trẻ", 3: "Số ngày", 7: "Tỷ lệ chuyên cần"}
    for column, head in heads.items():
        page.put(2, column, head)
        page.span(2, column, *((2, 6) if column == 3 else (3, column)))
    for column, head in enumerate(("Kế hoạch", "Trực tiếp", "Trực tuyến", "Nghỉ"), 3):
        page.put(3, column, head)
    for number, school in enumerate((*SCHOOLS, *more), 1):
        row = page.height
        page.put(row, 0, number)
        page.put(row, 1, names.get(school[0], school[0]))
        for column, name, value in zip(range(2, 8), SCHOOL_FIELDS[1:], school[1:], strict=True):
            page.where[name, school[0]] = row, column
            if value is not None:
                page.put(row, column, value, "0.00%" if column == 7 else PLAIN)
        page.where["name", school[0]] = row, 1
    rows = [
        {"table": "school_months", "month": month} | dict(zip(SCHOOL_FIELDS, school, strict=True))
        for school in (*SCHOOLS, *more)
    ]
    return page, rows


def seen_schools() -> Iterator[Sample]:
    page, rows = schools()
    yield Sample("33-school-report.xlsx", xlsx(page), "accept", rows, reported_on="2022-03-12")

    page, _ = schools(("mam_non_d", 118, 16, 0, 0, 16, None))
    page.alter("closed_days", "tieu_hoc_phuc_dong", 2)
    days = [page.named(name, "tieu_hoc_phuc_dong") for name in SCHOOL_FIELDS[2:6]]
    yield Sample(
        "34-school-impossible.xlsx",
        xlsx(page),
        "refuse",
        problems=[
            ("days_mismatch", page.name, days[0]),
            ("school_not_valid", page.name, page.named("name", "mam_non_d")),
        ],
        may_also_name=["days_mismatch", *days[1:]],
        reported_on="2022-03-12",
    )


# Samples from 35 on: our own ----------------------------------------------------------------------------


def own_containers() -> Iterator[Sample]:
    f = near(35, JANUARY)
    yield Sample("35-form-in-old-excel.xls", xls(form(f)), "accept", rows_of(f))

    f = near(36, JANUARY)
    yield Sample("36-form-in-opendocument.ods", ods(form(f)), "accept", rows_of(f))

    f = near(37, JANUARY)
    page = form(f, unit=1_000_000, unit_line="Đơn vị tính: Triệu dồng", look=THREE)
    yield Sample("37-form-in-strict-xlsx.xlsx", xlsx(page, strict=True), "accept", rows_of(f))

    f = near(38, JANUARY)
    page = listed(f, JANUARY, unit=1_000, unit_line="ĐVT: 1.000đ").rewritten(vni, "VNI-Times")
    yield Sample(
        "38-vni-in-old-excel.xls",
        xls(page),
        "accept",
        rows_of(f),
        notes=[("text_converted", page.name, None)],
    )

    f = near(39, JANUARY)
    page = listed(f, JANUARY, unit_line="Đơn vị tính: đồng")
    text = separated(page, ";", grouped)
    yield Sample(
        "39-tcvn3-bytes.csv",
        tcvn3(text).encode("latin-1"),
        "accept",
        rows_of(f),
        notes=[("text_converted", None, None)],
    )

    f = near(40, JANUARY)
    page = listed(f, JANUARY)
    yield Sample(
        "40-vni-bytes.csv",
        vni(separated(page, "\t", grouped)).encode("latin-1"),
        "accept",
        rows_of(f),
        notes=[("text_converted", None, None)],
    )

    f = near(41, JANUARY)
    page = listed(f, JANUARY, unit=1_000, unit_line="Đơn vị tính: nghìn đồng")
    yield Sample(
        "41-vietnamese-windows.csv",
        cp1258(separated(page, ";", lambda v: grouped(v, ""))),
        "accept",
        rows_of(f),
    )

    f = near(42, JANUARY)
    page = Page("")
    heads = ("Mã", "Tên khoản thu", "Tháng", "Thu NSNN\n(đồng)", "Thu NSX,\nphường hưởng (đồng)")
    for column, head in enumerate(heads):
        page.put(0, column, head)
    for row, line in enumerate(lines(), 1):
        for column, value in enumerate((line, NAMES[line], JANUARY, *f[JANUARY, line])):
            page.put(row, column, value)
    yield Sample("42-quoted-heads.csv", separated(page, ",").encode(), "accept", rows_of(f))

    f = near(43, JANUARY)
    page = listed(f, JANUARY)
    page.put(3, 2, datetime.datetime(2022, 1, 1), '"Tháng "m/yyyy')
    yield Sample("43-days-since-1904.xlsx", xlsx(page, since_1904=True), "accept", rows_of(f))

    f = near(44, JANUARY)
    page = listed(f, JANUARY)
    yield Sample(
        "44-with-macros.xlsm",
        xlsx(page, macros=True),
        "accept",
        rows_of(f),
        notes=[("ignored_part", None, None)],
    )

    whole = xlsx(form(near(45, JANUARY)))
    yield Sample(
        "45-cut-off.xlsx",
        whole[: len(whole) * 3 // 5],
        "refuse",
        problems=[("file_damaged", None, None)],
    )
    yield Sample(
        "46-empty.xlsx",
        b"",
        "refuse",
        problems=[("file_not_office", None, None)],
    )
    printed = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    yield Sample(
        "47-print-named-xlsx.xlsx",
        printed,
        "refuse",
        problems=[("file_not_office", None, None)],
    )
    yield Sample(
        "48-password.xls",
        xls(form(near(48, JANUARY)), password=True),
        "refuse",
        problems=[("file_encrypted", None, None)],
    )


def own_layouts() -> Iterator[Sample]:
    f = near(49, JANUARY, FEBRUARY)
    page = Page("Theo thang")
    page.put(0, 0, "THU NGÂN SÁCH CÁC THÁNG NĂM 2022 (Đơn vị tính: đồng)")
    page.put(2, 0, "Tháng")
    page.span(2, 0, 3, 0)
    for index, line in enumerate(lines()):
        page.put(2, 1 + 2 * index, NAMES[line])
        page.span(2, 1 + 2 * index, 2, 2 + 2 * index)
        for side, head in enumerate((COLLECTED, KEPT)):
            page.put(3, 1 + 2 * index + side, head)
            for row, month in enumerate((JANUARY, FEBRUARY), 4):
                page.put(row, 0, f"{month[5:]}/{month[:4]}")
                page.put(row, 1 + 2 * index + side, f[month, line][side], WHOLE)
    yield Sample(
        "49-months-down-lines-across.xlsx", xlsx(page), "accept", rows_of(f), reported_on=IN_MARCH
    )

    months = (JANUARY, FEBRUARY, MARCH, "2022-04")
    f = near(50, *months)
    pages = [
        listed(f, month, name=f"T{month[5:]}", unit=1_000, unit_line="ĐVT: nghìn đồng")
        for month in months
    ]
    yield Sample("50-four-sheets.ods", ods(*pages), "accept", rows_of(f), reported_on="2022-05-10")

    f = near(51, JANUARY, FEBRUARY)
    page = Page("Du lieu")
    for column, head in enumerate(("month", "line", "collected", "kept", "status")):
        page.put(0, column, head)
    for (month, line), (collected, kept) in f.items():
        row = page.height
        for column, value in enumerate((month, line, collected, kept, "actual")):
            page.put(row, column, value)
    yield Sample("51-long-list.xlsx", xlsx(page), "accept", rows_of(f), reported_on=IN_MARCH)

    f = near(52, JANUARY, FEBRUARY)
    page = listed(f, JANUARY, name="Hai thang")
    below = listed(f, FEBRUARY).moved(page.height + 2, 0)
    page.cells |= below.cells
    page.spans += below.spans
    yield Sample(
        "52-one-month-below-the-other.xlsx", xlsx(page), "accept", rows_of(f), reported_on=IN_MARCH
    )

    f = near(53, FEBRUARY)
    page = listed(f, FEBRUARY, name="Bao cao", unit=1_000, unit_line="Đơn vị tính: 1.000 đồng")
    taught, school_rows = schools()
    taught.moved(page.height + 3, 0)
    page.cells |= taught.cells
    page.spans += taught.spans
    yield Sample(
        "53-receipts-and-schools.xlsx",
        xlsx(page),
        "accept",
        rows_of(f) + school_rows,
        reported_on="2022-03-12",
    )

    f = near(54, JANUARY)
    page = listed(f, JANUARY, name="In hai trang")
    turn = page.where["name", "registration_fee"][0]
    for _ in range(3):
        page.opened(turn)
    page.put(turn, 3, "Trang 2")
    for column, (upper, lower) in enumerate(
        (("STT", ""), ("Nội dung", ""), (month_head(JANUARY), COLLECTED), ("", KEPT))
    ):
        page.put(turn + 1, column, upper or None)
        page.put(turn + 2, column, lower or None)
    page.span(turn + 1, 2, turn + 1, 3)
    yield Sample("54-heads-again-on-page-two.xlsx", xlsx(page), "accept", rows_of(f))

    f = near(55, JANUARY)
    cover = Page("Bia")
    cover.put(3, 2, "BÁO CÁO THÁNG 01 NĂM 2022")
    cover.put(5, 2, "Ủy ban nhân dân phường Phúc Đồng")
    page = listed(f, JANUARY, name="Phu luc").moved(16, 5)
    yield Sample("55-second-sheet-from-f20.xlsx", xlsx(cover, page), "accept", rows_of(f))

    f = near(56, JANUARY)
    page = Page("Ba tang")
    page.put(0, 0, "THU NGÂN SÁCH NĂM 2022")
    page.put(1, 5, "Đơn vị: Triệu đồng")
    columns = [
        Column(("Năm 2022", column.heads[0], column.heads[1]), column.of, column.key, THREE)
        for column in (
            *plan_pair("Dự toán", 1_000_000),
            *pair("Tháng\n01", f, JANUARY, 1_000_000, heads=("Thu\nNSNN", "Phường\nhưởng")),
        )
    ]
    table(page, (2, 0), columns, IN_LIST)
    yield Sample("56-three-rows-of-heads.xlsx", xlsx(page), "accept", rows_of(f))

    f = near(57, JANUARY, FEBRUARY)
    page = listed(f, JANUARY, FEBRUARY, spans=False)
    yield Sample(
        "57-heads-not-merged.csv",
        separated(page, ";", grouped).encode("utf-8-sig"),
        "accept",
        rows_of(f),
        reported_on=IN_MARCH,
    )

    f = near(58, JANUARY)
    same = NAMES | {
        "nonstate_vat": "Thuế giá trị gia tăng",
        "nonstate_pit": "Thuế thu nhập cá nhân",
        "nonstate_sct": "Thuế tiêu thụ đặc biệt",
        "pit": "Thuế thu nhập cá nhân",
    }
    page = listed(f, JANUARY, names=same)
    yield Sample("58-one-name-under-two-parents.xlsx", xlsx(page), "accept", rows_of(f))

    f = near(59, JANUARY)
    short = NAMES | {
        "total": "TỔNG THU NSNN",
        "nonstate": "Thuế NQD",
        "nonstate_vat": "Thuế GTGT hộ kinh doanh",
        "nonstate_pit": "Thuế TNCN hộ kinh doanh",
        "nonstate_sct": "Thuế TTĐB hộ kinh doanh",
        "land_tax": "Thuế SDĐ phi NN",
        "licence_fee": "LP môn bài",
        "registration_fee": "LPTB nhà đất",
        "pit": "Thuế TNCN",
        "fees": "Phí và lệ phí",
    }
    page = listed(f, JANUARY, names=short)
    yield Sample("59-abbreviations.xlsx", xlsx(page), "accept", rows_of(f))

    f = near(60, JANUARY)
    title = "UỶ BAN NHÂN DÂN PHƯỜNG PHÚC ĐỒNG: CÂN ĐỐI THU"
    shouted = {code: name.upper() for code, name in NAMES.items()}
    shouted |= {"public_land": "THU TỪ QUỸ ĐẤT CÔNG ÍCH VÀ  HOA LỢI CÔNG SẢN "}
    page = listed(f, JANUARY, names=shouted, title=title, unit_line="ĐVT: ĐỒNG")
    yield Sample("60-capitals.xlsx", xlsx(page), "accept", rows_of(f))

    f = near(61, FEBRUARY)
    page = listed(f, FEBRUARY, head=lambda _: "Ước thực hiện tháng 02/2022")
    yield Sample(
        "61-estimate.xlsx",
        xlsx(page),
        "accept",
        rows_of(f, "estimate"),
        reported_on="2022-02-25",
    )

    f = near(62, JANUARY)
    page = Page("Tong hop")
    page.put(0, 0, "BÁO CÁO THU NGÂN SÁCH THÁNG 01 NĂM 2022")
    page.put(2, 9, "Đơn vị tính: 1.000đ")
    columns = [
        *plan_pair("Dự toán năm 2022", 1_000),
        *pair("Thực hiện tháng 01/2022", f, JANUARY, 1_000),
        *pair("Lũy kế từ đầu năm", f, JANUARY, 1_000, key="year"),
        *pair("Cùng kỳ năm 2021", known(), "2021-01", 1_000, key="before", look=PLAIN),
        *percent_pair("Thực hiện/Dự toán (%)", f, JANUARY),
    ]
    table(page, (3, 0), columns, IN_FORM)
    yield Sample("62-five-pairs-side-by-side.xlsx", xlsx(page), "accept", rows_of(f))

    f = near(63, JANUARY)
    order = [*[line for line in IN_LIST if line != "total"], "total"]
    page = listed(
        f,
        JANUARY,
        names=NAMES | {"total": "Tổng cộng"},
        numbers={line: IN_LIST[line] if line != "total" else "" for line in order},
    )
    for line in ("land_tax", "registration_fee", "total"):
        page.opened(page.where["name", line][0])
    yield Sample("63-total-at-the-end.xlsx", xlsx(page), "accept", rows_of(f))


def own_units() -> Iterator[Sample]:
    f = near(64, JANUARY)
    page = listed(f, JANUARY, unit_line="")
    yield Sample(
        "64-no-unit.xlsx",
        xlsx(page),
        "ask",
        problems=[("unit_missing", page.name, None)],
        question="Nothing says in what unit the amounts stand: whole đồng here.",
        answers=["unit=dong"],
        rows_if_answered=rows_of(f),
    )

    f = near(65, JANUARY)
    page = listed(f, JANUARY, unit=1_000, unit_line="Đơn vị tính: nghìn đồng")
    page.put(0, 4, "ĐVT: triệu đồng")
    yield Sample(
        "65-two-units-for-one-table.xlsx",
        xlsx(page),
        "ask",
        problems=[("unit_conflict", page.name, "B2"), ("unit_conflict", page.name, "E1")],
        question="Two lines name two units for one table: thousands of đồng here.",
        answers=["unit=nghin"],
        rows_if_answered=rows_of(f),
    )

    f = near(66, JANUARY)
    page = Page("Hai don vi")
    page.put(0, 0, "THU NGÂN SÁCH THÁNG 01 NĂM 2022")
    columns = [
        Column(("Thu NSNN (triệu đồng)",), amount(f, JANUARY, 0, 1_000_000), "c", THREE),
        Column(("Thu NSX (nghìn đồng)",), amount(f, JANUARY, 1, 1_000), "k", WHOLE),
    ]
    table(page, (2, 0), columns, IN_LIST)
    yield Sample("66-a-unit-a-column.xlsx", xlsx(page), "accept", rows_of(f))

    f = near(67, JANUARY)
    page = listed(
        f,
        JANUARY,
        unit=1_000_000,
        unit_line="Đơn vị tính: Tr.đ",
        title="Đơn vị: UBND phường Phúc Đồng",
        look=THREE,
    )
    yield Sample("67-unit-that-is-an-office.xlsx", xlsx(page), "accept", rows_of(f))

    f = near(68, JANUARY)
    page = listed(f, JANUARY, unit=1_000_000, unit_line="Đơn vị tính: T.Đ", look=THREE)
    yield Sample(
        "68-unknown-unit.xlsx",
        xlsx(page),
        "ask",
        problems=[("unit_unknown", page.name, "B2")],
        question="“T.Đ” is no unit that is known: millions of đồng here.",
        answers=["unit=trieu"],
        rows_if_answered=rows_of(f),
    )


def own_numbers() -> Iterator[Sample]:
    f = near(69, JANUARY)
    page = listed(f, JANUARY, unit=1_000_000, unit_line="Đơn vị tính: triệu đồng", look=THREE)
    for line in ("nonstate", "total"):
        for key in "ck":
            below = [page.cells[page.where[key, part]].value for part in parts(line)]
            noisy = 0.0
            for value in below:
                noisy += float(value)
            names = "+".join(page.named(key, part) for part in parts(line))
            page.alter(key, line, noisy, formula=f"={names}")
    yield Sample("69-noise-of-binary-sums.xlsx", xlsx(page), "accept", rows_of(f))

    f = near(70, JANUARY)
    page = form(f)
    for key in ("cplan", "kplan"):
        for line in ("public_land", "total"):
            page.alter(key, line, "#N/A", formula="=NA()")
    yield Sample("70-error-in-the-plan.xlsx", xlsx(page), "accept", rows_of(f))

    f = near(71, JANUARY)
    page = listed(f, JANUARY)
    for line in ("nonstate", "total"):
        for side, key in enumerate("ck"):
            names = "+".join(page.named(key, part) for part in parts(line))
            page.alter(key, line, f[JANUARY, line][side], formula=f"={names}")
    yield Sample("71-formulas-with-values.ods", ods(page), "accept", rows_of(f))

    f = near(72, JANUARY)
    page = listed(f, JANUARY)
    cells = [page.alter(key, "other", "(1.234.000)") for key in "ck"]
    yield Sample(
        "72-negative-in-brackets.xlsx",
        xlsx(page),
        "refuse",
        problems=[("not_a_number", page.name, cell) for cell in cells],
        may_also_name=["total_mismatch", *cells_of(page, "ck", ["total"])],
    )

    f = near(73, JANUARY)
    page = listed(f, JANUARY, unit=1_000, unit_line="ĐVT: nghìn đồng", look=PLAIN)
    cells = []
    for line, more in (("nonstate_vat", 0.0004), ("nonstate_pit", -0.0004)):
        value = page.cells[page.where["c", line]].value
        cells.append(page.alter("c", line, round(value + more, 4)))
    yield Sample(
        "73-part-of-a-dong.xlsx",
        xlsx(page),
        "refuse",
        problems=[("part_of_dong", page.name, cell) for cell in cells],
    )

    f = near(74, JANUARY)
    page = listed(f, JANUARY)
    top, left = page.where["c", "nonstate_vat"]
    page.alter("c", "nonstate_vat", f[JANUARY, "nonstate"][0])
    for line in ("nonstate_pit", "nonstate_sct"):
        del page.cells[page.where["c", line]]
    page.span(top, left, top + 2, left)
    yield Sample(
        "74-amount-over-three-lines.xlsx",
        xlsx(page),
        "refuse",
        problems=[("merged_amount", page.name, a1((top, left)))],
        may_also_name=["merged_amount", a1((top + 1, left)), a1((top + 2, left))],
    )

    f = near(75, JANUARY)
    collected = f[JANUARY, "land_rent"][0]
    f[JANUARY, "land_rent"] = collected, collected + 400_000
    page = listed(summed(f), JANUARY)
    yield Sample(
        "75-kept-above-collected.xls",
        xls(page),
        "refuse",
        problems=[("kept_above_collected", page.name, page.named("k", "land_rent"))],
        may_also_name=["kept_above_collected", page.named("c", "land_rent")],
    )

    f = near(98, JANUARY)
    page = listed(f, JANUARY)
    page.alter("c", "nonstate_vat", f[JANUARY, "nonstate_vat"][0] + 90_000)
    yield Sample(
        "98-sum-that-is-off.csv",
        separated(page, ";", grouped).encode("utf-8-sig"),
        "refuse",
        problems=[("total_mismatch", None, page.named("c", "nonstate"))],
        may_also_name=["total_mismatch", *cells_of(page, "c", ["total", "nonstate_vat"])],
    )

    page = listed(near(99, JANUARY), JANUARY)
    cell = page.alter("k", "land_rent", "#REF!", formula="=#REF!*2")
    yield Sample(
        "99-error-cell.ods",
        ods(page),
        "refuse",
        problems=[("error_cell", page.name, cell)],
    )


def own_text() -> Iterator[Sample]:
    f = near(76, JANUARY)
    page = listed(f, JANUARY)
    spoilt = ("land_tax", "registration_fee", "pit")
    for line in spoilt:
        page.cells[page.where["name", line]].value = broken(NAMES[line])
    yield Sample(
        "76-broken-names.xlsx",
        xlsx(page),
        "refuse",
        problems=[("text_broken", page.name, page.named("name", line)) for line in spoilt],
    )

    f = near(77, JANUARY)
    page = listed(f, JANUARY)
    entry = page.cells[page.where["name", "land_rent"]]
    entry.value, entry.font = tcvn3(NAMES["land_rent"]), ".VnTime"
    yield Sample(
        "77-one-foreign-name.xlsx",
        xlsx(page),
        "ask",
        problems=[("text_foreign", page.name, page.named("name", "land_rent"))],
        question="One name is in letters of before Unicode on a sheet that is in Unicode: convert it?",
        answers=["text=convert"],
        rows_if_answered=rows_of(f),
    )


def own_lines() -> Iterator[Sample]:
    f = near(78, JANUARY)
    page = listed(f, JANUARY)
    row = page.height
    page.put(row, 1, "Trong đó: thu nợ thuế năm trước")
    page.put(row, 2, 12_000_000, WHOLE)
    yield Sample(
        "78-footnote-with-a-figure.xlsx",
        xlsx(page),
        "ask",
        problems=[("line_unknown", page.name, a1((row, 1)))],
        question="A row with a figure names no line that is known: leave it out?",
        answers=[f"line@{page.name}!{a1((row, 1))}=none"],
        rows_if_answered=rows_of(f),
    )

    f = near(79, JANUARY)
    page = form(f)
    row = page.where["name", "II"][0]
    page.opened(row)
    page.put(row, 0, "4")
    page.put(row, 1, NAMES["land_rent"])
    for column, key in ((4, "c"), (5, "k")):
        page.put(row, column, page.cells[page.where[key, "land_rent"]].value, WHOLE)
    yield Sample(
        "79-line-in-two-groups.xlsx",
        xlsx(page),
        "refuse",
        problems=[("line_twice", page.name, page.named("name", "land_rent"))],
        may_also_name=[
            "line_twice",
            "total_mismatch",
            a1((row, 1)),
            *cells_of(page, "ck", ["I", "total"]),
        ],
    )

    f = near(80, JANUARY)
    page = form(f)
    page.put(0, 0, "ỦY BAN NHÂN DÂN\nPHƯỜNG VIỆT HƯNG")
    yield Sample(
        "80-another-ward.xlsx",
        xlsx(page),
        "ask",
        problems=[("other_ward", page.name, "A1")],
        question="The letterhead names another ward: is the file this ward's all the same?",
        answers=["ward=right"],
        rows_if_answered=rows_of(f),
    )


def own_months() -> Iterator[Sample]:
    f = near(81, JANUARY)
    page = listed(f, JANUARY, head=lambda _: "Quý I/2022")
    yield Sample(
        "81-quarter-for-a-month.xlsx",
        xlsx(page),
        "refuse",
        problems=[("quarter_for_month", page.name, "C4")],
        reported_on="2022-04-10",
    )

    f = near(82, JANUARY)
    page = form(f)
    page.put(3, 0, "TÌNH HÌNH THỰC HIỆN DỰ TOÁN THU NGÂN SÁCH THÁNG 02 NĂM 2022")
    yield Sample(
        "82-title-of-another-month.xlsx",
        xlsx(page),
        "refuse",
        problems=[("month_conflict", page.name, "A4"), ("month_conflict", page.name, "E7")],
        reported_on=IN_MARCH,
    )

    f = {(JANUARY, line): known()["2021-12", line] for line in lines()}
    page = listed(f, JANUARY)
    yield Sample(
        "83-copied-from-december.xlsx",
        xlsx(page),
        "ask",
        problems=[("month_copied", page.name, "C4")],
        may_also_name=["month_copied", "C5", "D5"],
        question="Every figure is that of the month before: is that right?",
        answers=["copied=right"],
        rows_if_answered=rows_of(f),
    )

    f = near(84, JANUARY, FEBRUARY)
    page = Page("Luy ke")
    page.put(0, 0, "THU NGÂN SÁCH ĐẾN HẾT THÁNG 02 NĂM 2022")
    page.put(1, 1, "Đơn vị tính: đồng")
    columns = pair("Lũy kế 2 tháng năm 2022", year_to(f, FEBRUARY), FEBRUARY)
    table(page, (3, 0), columns, IN_LIST)
    yield Sample(
        "84-year-to-date-without-january.xlsx",
        xlsx(page),
        "refuse",
        problems=[("month_missing", page.name, "C4")],
        may_also_name=["month_missing", "C5", "D5"],
        reported_on=IN_MARCH,
    )

    f = near(85, JANUARY)
    page = Page("Thang 1")
    page.put(0, 0, "THU NGÂN SÁCH THÁNG 01 NĂM 2022")
    page.put(1, 1, "Đơn vị tính: nghìn đồng")
    columns = [
        *pair("Thực hiện tháng 01", f, JANUARY, 1_000),
        *pair("Lũy kế từ đầu năm", f, JANUARY, 1_000, key="year"),
    ]
    table(page, (3, 0), columns, IN_LIST)
    collected = f[JANUARY, "fees"][0] // 1_000
    cells = [page.alter(key, "fees", collected + 800) for key in ("cyear", "kyear")]
    totals = [
        page.alter(key, "total", page.cells[page.where[key, "total"]].value + 800)
        for key in ("cyear", "kyear")
    ]
    yield Sample(
        "85-year-to-date-differs.xlsx",
        xlsx(page),
        "ask",
        problems=[("ytd_mismatch", page.name, cell) for cell in (*totals, *cells)],
        question="The year to date is not the months added up: take the month and leave the year to date?",
        answers=["ytd=ignore"],
        rows_if_answered=rows_of(f),
    )

    f = near(86, JANUARY)
    page = listed(
        f, JANUARY, head=lambda _: "Thực hiện", title="SỔ THU NGÂN SÁCH PHƯỜNG", name="So thu"
    )
    yield Sample(
        "86-no-month.xlsx",
        xlsx(page),
        "ask",
        problems=[("month_unknown", page.name, None)],
        question="Nothing on the sheet names the month of the figures: January 2022 here.",
        answers=["month=2022-01"],
        rows_if_answered=rows_of(f),
    )

    f = near(87, JANUARY)
    page = listed(f, JANUARY, head=lambda _: "Thực hiện tháng 01/2022")
    yield Sample(
        "87-month-not-over.xlsx",
        xlsx(page),
        "ask",
        problems=[("month_not_over", page.name, "C4")],
        question="The month is not over on the day of the report: are these estimates?",
        answers=["status=estimate"],
        rows_if_answered=rows_of(f, "estimate"),
        reported_on="2022-01-24",
    )

    december = {
        (month, line): pair for (month, line), pair in known().items() if month == "2021-12"
    }
    other = dict(december)
    other["2021-12", "land_tax"] = 10_915_000, 7_640_500
    page = listed(summed(other), "2021-12")
    yield Sample(
        "88-same-day-another-amount.xlsx",
        xlsx(page),
        "refuse",
        problems=[
            ("same_day_differs", page.name, page.named("c", line)) for line in ("total", "land_tax")
        ],
        may_also_name=["same_day_differs", *cells_of(page, "k", ["total", "land_tax"])],
        reported_on="2022-01-31",
    )

    after = dict(december)
    after["2021-12", "fees"] = 14_082_000, 14_082_000
    page = listed(summed(after), "2021-12", title="ĐIỀU CHỈNH SỐ THU THÁNG 12")
    changed = [line for line in lines() if after["2021-12", line] != december["2021-12", line]]
    yield Sample(
        "89-after-the-books-were-closed.ods",
        ods(page),
        "accept",
        rows_of(after, only=changed),
        notes=[("revised", page.name, None), ("books_closed", page.name, None)],
        already_known=[line for line in lines() if line not in changed],
        reported_on=LATE,
    )


def own_sheets() -> Iterator[Sample]:
    f = near(90, JANUARY)
    old = form(near(900, JANUARY), name="Ban cu")
    old.out_of_sight = True
    yield Sample(
        "90-hidden-sheet.xlsx",
        xlsx(form(f, name="Ban chinh"), old),
        "accept",
        rows_of(f),
        notes=[("hidden_sheet", old.name, None)],
    )

    f = near(91, JANUARY, FEBRUARY)
    page = listed(f, JANUARY, FEBRUARY)
    page.out_of_sight_columns |= {2, 3}
    yield Sample(
        "91-hidden-columns.xlsx",
        xlsx(page),
        "ask",
        problems=[("hidden_column", page.name, None)],
        question="January stands in columns that are hidden: take it too? It is left out here.",
        answers=["hidden=leave-out"],
        rows_if_answered=rows_of({key: value for key, value in f.items() if key[0] == FEBRUARY}),
        reported_on=IN_MARCH,
    )

    f = near(92, JANUARY)
    page = form(f)
    page.locked = True
    page.remarks[page.where["c", "pit"]] = "Đã đối chiếu với Chi cục Thuế: 198.700"
    yield Sample("92-protected-with-remarks.xlsx", xlsx(page), "accept", rows_of(f))


def own_tables() -> Iterator[Sample]:
    fields = ("field", "planned", "held", "cancelled", "postponed", "held_later", "participants")
    events = [
        ("extracurricular", 5, 2, 1, 2, 1, 318),
        ("culture", 4, 3, 1, 0, 0, 242),
        ("sport", 2, 1, 0, 1, 1, 97),
    ]
    named = {"extracurricular": "Ngoại khóa", "culture": "Văn hóa", "sport": "Thể thao"}
    page = Page("Phong trao")
    page.put(0, 0, "KẾT QUẢ HOẠT ĐỘNG NGOẠI KHÓA, VĂN HÓA, THỂ THAO THÁNG 02/2022")
    heads = (
        "Lĩnh vực",
        "Kế hoạch",
        "Đã tổ chức",
        "Hủy",
        "Hoãn",
        "Tổ chức bù",
        "Lượt người tham gia",
    )
    for column, head in enumerate(heads):
        page.put(2, column, head)
        for row, event in enumerate(events, 3):
            page.put(row, column, named[event[0]] if column == 0 else event[column])
    yield Sample(
        "93-activities.xlsx",
        xlsx(page),
        "accept",
        [
            {"table": "activities", "month": FEBRUARY} | dict(zip(fields, event, strict=True))
            for event in events
        ],
        reported_on="2022-03-12",
    )

    values = {
        "blood_units": 12,
        "loan_dossiers": 7,
        "dossiers_on_time": 99.6,
        "dossiers_early": 82.5,
        "health_insurance": 92.1,
    }
    about = {row["code"]: row for row in _read("reference/indicators.csv")}
    page = Page("Chi tieu")
    page.put(0, 0, "MỘT SỐ CHỈ TIÊU THÁNG 01 NĂM 2022")
    for column, head in enumerate(("STT", "Chỉ tiêu", "Đơn vị tính", "Thực hiện tháng 01/2022")):
        page.put(2, column, head)
    for number, (code, value) in enumerate(values.items(), 1):
        cells = (number, about[code]["name_vi"], about[code]["unit_vi"], value)
        for column, cell in enumerate(cells):
            page.put(2 + number, column, cell)
    yield Sample(
        "94-indicators.ods",
        ods(page),
        "accept",
        [
            {
                "table": "indicator_months",
                "month": JANUARY,
                "indicator": code,
                "value": value,
                "status": "actual",
            }
            for code, value in values.items()
        ],
    )

    amounts = {
        "nonstate": 960, "land_tax": 470, "licence_fee": 230, "registration_fee": 855, "pit": 355,
        "land_rent": 175, "fees": 105, "public_land": 85, "other": 135,
    }  # fmt: skip
    amounts = {"total": sum(amounts.values())} | amounts
    page = Page("Du toan 2022")
    page.put(0, 0, "DỰ TOÁN THU NGÂN SÁCH NĂM 2022")
    page.put(1, 3, "Đơn vị tính: triệu đồng")
    for column, head in enumerate(("STT", "Nội dung", "Quận giao", "HĐND phường giao")):
        page.put(2, column, head)
    goals = []
    for row, (line, value) in enumerate(amounts.items(), 3):
        ward = sum(v + 5 for v in list(amounts.values())[1:]) if line == "total" else value + 5
        for column, cell in enumerate((IN_LIST[line], NAMES[line], value, ward)):
            page.put(row, column, cell)
        for set_by, goal in (("upper", value), ("ward", ward)):
            goals.append(
                {
                    "table": "targets",
                    "year": 2022,
                    "line": line,
                    "set_by": set_by,
                    "amount": goal * 1_000_000,
                }
            )
    yield Sample("95-targets.xlsx", xlsx(page), "accept", goals, reported_on="2021-12-20")

    page, _ = schools(("Trường Mầm non Hoa Sen", 95, 16, 0, 0, 16, None))
    yield Sample(
        "96-unknown-school.xlsx",
        xlsx(page),
        "ask",
        problems=[("school_unknown", page.name, page.named("name", "Trường Mầm non Hoa Sen"))],
        question="A school that the ward's list of schools does not have: which is it?",
        reported_on="2022-03-12",
    )

    taxes = lines("philadelphia")
    chance = random.Random("intake 97")
    f = {}
    for line in leaves("philadelphia"):
        before = known("philadelphia")["2021-01", line]
        f[line] = tuple(round(value * 1.04) for value in before)
        if before[0] == before[1]:
            f[line] = (round(before[0] * (0.95 + 0.1 * chance.random())),) * 2
    for parent in ("wage_earnings_net_profits", "total"):
        below = [f[line] for line in parts(parent, "philadelphia")]
        f[parent] = tuple(map(sum, zip(*below, strict=True)))
    page = Page("Collections")
    page.put(0, 0, "CITY MONTHLY TAX COLLECTIONS")
    page.put(1, 0, "Unit: USD")
    for column, head in enumerate(("Month", "Code", "Tax", "Collected", "Kept", "Status")):
        page.put(3, column, head)
    for row, line in enumerate(taxes, 4):
        cells = ("January 2022", line, taxes[line]["name_en"], *f[line], "Actual")
        for column, cell in enumerate(cells):
            page.put(row, column, cell)
    yield Sample(
        "97-city-in-english.xlsx",
        xlsx(page),
        "accept",
        [
            {
                "table": "receipts",
                "month": JANUARY,
                "line": line,
                "collected": f[line][0],
                "kept": f[line][1],
                "status": "actual",
            }
            for line in taxes
        ],
        ward="philadelphia",
        reported_on="2022-03-18",
    )


# Writing ----------------------------------------------------------------------------------------------


def samples() -> list[Sample]:
    """Every sample, by its number."""
    makers = (
        seen_layouts,
        seen_numbers,
        seen_faults,
        seen_files,
        seen_revisions,
        seen_schools,
        own_containers,
        own_layouts,
        own_units,
        own_numbers,
        own_text,
        own_lines,
        own_months,
        own_sheets,
        own_tables,
    )
    found = sorted((sample for maker in makers for sample in maker()), key=lambda one: one.file)
    numbers = [sample.file[:2] for sample in found]
    assert len(numbers) == len(set(numbers)), numbers
    return found


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python make.py FOLDER")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for sample in samples():
        (folder / sample.file).write_bytes(sample.data)
        text = json.dumps(sample.about(), ensure_ascii=False, indent=1)
        (folder / f"{sample.file}.json").write_text(text + "\n", encoding="utf-8")
    print(len(samples()), "samples in", folder)


if __name__ == "__main__":
    main()
