"""Wordings: texts that name the same thing, and units of money among other words."""

import pytest

from wardlib.data import descriptors
from wardlib.data.intake.wordings import (
    FIELD,
    LINE,
    SCHOOL,
    SUM,
    fold,
    without_numbering,
    wordings,
)


@pytest.fixture(scope="module")
def words():
    return wordings(descriptors.ward("phuc-dong"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Uỷ  ban, HOÀ", "ủy ban hòa"),
        ("quý", "quí"),
        ("tỷ", "tỉ"),
        ("Thue\u0302\u0301", "Thuế"),
        ("Phí, lệ phí", "PHÍ - LỆ PHÍ"),
    ],
)
def test_texts_that_differ_in_nothing_fold_alike(one, other):
    """Case, spaces, signs, the place of a tone, composed letters."""
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("đồng", "dòng"), ("thuế", "thuê"), ("ba", "bà")])
def test_marks_on_letters_are_part_of_a_word(one, other):
    """Money is no row, a tax no rent."""
    assert fold(one) != fold(other)


@pytest.mark.parametrize("text", ["6.1. Thuế", "- Thuế", "II. Thuế", "a) Thuế", "Trong đó: Thuế"])
def test_what_a_row_begins_with_is_no_part_of_its_name(text):
    """Numbers, letters, dashes, "trong đó"."""
    assert without_numbering(text) == "Thuế"


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("Đơn vị: 1000 đồng", ("1000", True)),
        ("ĐVT: Triệu đồng", ("1000000", True)),
        ("(Đơn vị tính: nghìn đồng)", ("1000", True)),
        ("triệu đồng", ("1000000", True)),
        ("Đơn vị: đồng Việt Nam", ("1", True)),
        ("SỔ THU (tỷ đồng)", ("1000000000", True)),
        ("Đơn vị tính: xu đồng", ("", True)),
        ("Đơn vị: UBND phường Phúc Đồng", ("", False)),
        ("Đơn vị: Chi cục Thuế", ("", False)),
        ("Nội dung", ("", False)),
    ],
)
def test_a_line_tells_its_unit_of_money(words, text, unit):
    """A unit, an unknown one, or an office that is none."""
    assert words.unit_line(text) == unit


@pytest.mark.parametrize(
    ("text", "family", "codes"),
    [
        ("Phí, lệ phí", LINE, ("fees",)),
        ("9. THU KHÁC", LINE, ("other",)),
        ("fees", LINE, ("fees",)),
        ("Tổng cộng", LINE, (SUM,)),
        ("Trường THCS Phúc Đồng", SCHOOL, ("thcs_phuc_dong",)),
        ("THCS Phúc Đồng", SCHOOL, ("thcs_phuc_dong",)),
        ("Mầm non A", SCHOOL, ("mam_non_a",)),
        ("sport", FIELD, ("sport",)),
    ],
)
def test_a_cell_names_what_the_ward_has(words, text, family, codes):
    """Lines, schools and fields by their names, their codes, abbreviations, without a remark."""
    assert words.items(text).get(family) == codes


@pytest.mark.parametrize("text", ["", "12.500", "Kế toán", "Phí chợ đêm", "x" * 300])
def test_any_other_cell_names_nothing(words, text):
    """No number, signature or long text, and no name that is only like one."""
    assert words.items(text) == {}


def test_near_names_are_offered(words):
    """A name with a slip of the pen is not taken, and its line is offered."""
    assert words.items("Phí, lệ phỉ") == {}
    assert words.nearest(LINE, "Phí, lệ phỉ")[0] == "fees"
