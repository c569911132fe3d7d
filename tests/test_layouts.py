"""Layouts: where the tables of a sheet are, what their heads say, and what each row is about."""

from decimal import Decimal

import pytest

from wardlib.data import descriptors
from wardlib.data.intake import layouts
from wardlib.data.intake.grids import Cell, Grid
from wardlib.data.intake.wordings import LINE, SCHOOL, wordings

HEADS = ["Nội dung", "Thu NSNN", "Thu NSX"]
TOTAL, FEES, OTHER = (
    ["Tổng thu ngân sách nhà nước trên địa bàn", 3, 3],
    ["Phí, lệ phí", 1, 1],
    ["Thu khác", 2, 2],
)


@pytest.fixture(scope="module")
def words():
    return wordings(descriptors.ward("phuc-dong"))


def grid(*rows, merges=()):
    """A sheet of these rows, from A1 on; None is an empty cell."""
    cells = {
        (row, column): Cell(Decimal(value) if isinstance(value, int) else value, str(value))
        for row, values in enumerate(rows)
        for column, value in enumerate(values)
        if value is not None
    }
    return Grid("Thu", cells, merges)


def codes(table):
    """By the names of their cells the codes of a table's rows."""
    return {table.view.name(line.place): line.codes for line in table.lines}


def test_a_table_is_found_by_its_rows(words):
    """Its family, heads, rows; what stands above it, the nearest first."""
    sheet = grid(["THÁNG 01 NĂM 2022"], ["Đơn vị: đồng"], HEADS, TOTAL, FEES, OTHER, ["Kế toán"])
    (table,) = layouts.tables(sheet, words)
    assert table.family == LINE
    assert [head.text for head in table.heads] == ["Thu NSNN", "Thu NSX"]
    assert codes(table) == {"A4": ("total",), "A5": ("fees",), "A6": ("other",)}
    assert [text for _, text in table.above] == ["Đơn vị: đồng", "THÁNG 01 NĂM 2022"]


@pytest.mark.parametrize("merges", [(), ((0, 1, 0, 2), (0, 3, 0, 4))])
def test_a_head_has_all_its_levels(words, merges):
    """Merged or not, an upper level is that of each column below it."""
    upper = [None, "Tháng 1/2022", None, "Tháng 2/2022", None]
    twice = ([*own, *own[1:]] for own in (TOTAL, FEES, OTHER))
    (table,) = layouts.tables(grid(upper, [*HEADS, *HEADS[1:]], *twice, merges=merges), words)
    assert [head.told.months for head in table.heads] == [((2022, 1),)] * 2 + [((2022, 2),)] * 2
    assert table.heads[3].text == "Tháng 2/2022 / Thu NSX"


def test_rows_and_columns_may_be_exchanged(words):
    """Names side by side: places are still those of the sheet."""
    rows = zip(HEADS, TOTAL, FEES, OTHER, strict=True)
    (table,) = layouts.tables(grid(["THÁNG 01/2022"], *map(list, rows)), words)
    assert table.view.turned
    assert codes(table) == {"B2": ("total",), "C2": ("fees",), "D2": ("other",)}


def test_tables_of_other_kinds_are_apart(words):
    """Schools below revenue lines are a table of their own."""
    schools = ["Tên trường", "Số học sinh"], ["Trường THCS Phúc Đồng", 900], ["Trường THPT B", 600]
    found = layouts.tables(grid(HEADS, TOTAL, FEES, OTHER, [None], *schools), words)
    assert [table.family for table in found] == [LINE, SCHOOL]


def test_a_sheet_without_names_has_no_table(words):
    """Numbers alone, or text alone, are none."""
    assert layouts.tables(grid(["Kính gửi", "phường"], [1, 2], [3, 4]), words) == []


def test_heads_that_stand_again_go_on_with_the_table(words):
    """The head repeated on the next page makes no second table; another head does."""
    (table,) = layouts.tables(grid(HEADS, TOTAL, FEES, HEADS, OTHER), words)
    assert len(table.lines) == 3
    other = ["Nội dung", "Tháng 2/2022", None]
    below = TOTAL, FEES, OTHER
    assert len(layouts.tables(grid(HEADS, *below, other, HEADS, *below), words)) == 2


@pytest.mark.parametrize(
    "detail",
    [
        ["- Phí chợ", None, None, "theo QĐ"],
        ["- Phí chợ", "theo QĐ", "theo QĐ", None],
        [None, "(theo QĐ)", None, None],
        ["Theo QĐ 15/QĐ-UBND", None, None, "đã nộp"],
        ["- Phí chợ", "chưa thu", None, "theo QĐ"],
    ],
)
def test_a_remark_between_two_lines_is_no_head(words, detail):
    """A row of texts that say nothing of months or measures leaves the table whole."""
    (table,) = layouts.tables(grid([*HEADS, "Ghi chú"], TOTAL, FEES, detail, OTHER), words)
    assert [head.text for head in table.heads][:2] == ["Thu NSNN", "Thu NSX"]
    assert {("total",), ("fees",), ("other",)} <= set(codes(table).values())
