"""Months: which months a title or a head speaks of, and which of its words are none."""

import pytest

from wardlib.data.intake.months import is_month_word, told


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("Thực hiện tháng 01 năm 2022", ((2022, 1),)),
        ("Tháng 12/2021", ((2021, 12),)),
        ("T3/2022", ((2022, 3),)),
        ("Tháng mười hai năm 2021", ((2021, 12),)),
        ("tháng giêng", ((0, 1),)),
        ("tháng chạp năm 2021", ((2021, 12),)),
        ("2022-02", ((2022, 2),)),
        ("Jan", ((0, 1),)),
        ("May 2022", ((2022, 5),)),
        ("tháng 13 năm 2022", ()),
        ("Phúc Đồng, ngày 10 tháng 02 năm 2022", ()),
        ("Thông tư số 1/2022/TT-BTC", ()),
    ],
)
def test_a_text_tells_its_months(text, months):
    """By number, word, abbreviation or English name; days of letters and laws are none."""
    assert told(text).months == months


@pytest.mark.parametrize(
    ("text", "until", "quarters"),
    [
        ("Lũy kế 2 tháng năm 2022", ((2022, 2),), ()),
        ("9 tháng đầu năm 2021", ((2021, 9),), ()),
        ("Từ tháng 1 đến tháng 6/2021", ((2021, 6),), ()),
        ("Lũy kế đến hết ngày 31/01/2022", ((2022, 1),), ()),
        ("Quý I/2022", (), ((2022, 1),)),
        ("qúy 4 năm 2021", (), ((2021, 4),)),
        ("tháng 4 - tháng 6 năm 2021", (), ((2021, 2),)),
    ],
)
def test_years_to_date_and_quarters_are_no_months(text, until, quarters):
    """What covers several months says so, and names no single month."""
    own = told(text)
    assert (own.until, own.quarters, own.months) == (until, quarters, ())


def test_a_text_has_a_year_where_it_names_one():
    """One year, however often; of two none."""
    assert told("Dự toán năm 2022").year == 2022
    assert told("Tháng 1/2022 so với năm 2022").year == 2022
    assert told("Năm 2021 và 2022").year == 0
    assert told("Nội dung").year == 0


@pytest.mark.parametrize(
    "text",
    [
        "Thực hiện tháng 1, 2 năm 2022",
        "Thực hiện tháng 01, 02/2022",
        "tháng 1 và 2 năm 2022",
        "Thu tháng 1 và tháng 2 năm 2022",
        "tháng 1&2/2022",
        "tháng 1 & 2 năm 2022",
        "Tháng 1+2 năm 2022",
        "tháng 1; 2 năm 2022",
        "tháng 1, 2 và 3 năm 2022",
        "tháng một và hai năm 2022",
        "tháng mười một, mười hai năm 2021",
        "các tháng 11, 12 năm 2021",
        "T1, T2/2022",
        "tháng 1 và 2",
    ],
)
def test_several_months_are_not_one(text):
    """A list of months, whatever parts it, is never the first of them alone."""
    own = told(text)
    assert len(own.months) != 1
    assert len(own.until) != 1 or own.until[0][1] > 1  # January on to the last is no lie


@pytest.mark.parametrize(
    "text",
    [
        "Counts may be revised",
        "These figures may change.",
        "Hàng may mặc",
        "Thuế GTGT ngành dệt may",
        "Phí, lệ phí (may đo)",
        "A march past the hall",
        "Marketing, dec. works",
        "See sep. sheet",
        "Figures that may 10 times be revised",
    ],
)
def test_a_word_that_only_looks_like_a_month_is_none(text):
    """“may”, “march”, “dec” inside other words, without a year, name no month."""
    assert told(text).months == ()


@pytest.mark.parametrize(
    "text",
    [
        "3 tháng cuối năm 2021",
        "03 tháng cuối năm",
        "Thực hiện 6 tháng cuối năm 2021",
        "6 tháng còn lại",
        "6 tháng còn lại của năm 2021",
        "2 tháng tới",
        "3 tháng sau năm 2021",
        "3 tháng tiếp theo",
    ],
)
def test_the_last_months_are_no_year_to_date(text):
    """The last, the remaining or the coming months do not begin in January."""
    assert told(text).until == ()
    assert told(text).months == ()


def test_a_head_that_only_says_month_tells_none():
    """“Tháng” alone heads a column of months; with a number it is one."""
    assert is_month_word("THÁNG") and is_month_word("Kỳ báo cáo") and is_month_word("Month")
    assert not is_month_word("Tháng 1")
