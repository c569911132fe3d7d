"""Amounts: what cells say as numbers, decided by the whole column, and whole đồng out of units."""

import datetime
from decimal import Decimal

import pytest

from wardlib.data.intake import amounts
from wardlib.data.intake.amounts import (
    AMBIGUOUS,
    BLANK,
    DASH,
    DATE,
    DECIMALS,
    DIFFERS,
    ERROR,
    NONSENSE,
    NUMBER,
    PERCENT,
    THOUSANDS,
    UNCALCULATED,
    UNREPORTED,
    Reading,
)
from wardlib.data.intake.grids import Cell


def read(*values, answer=""):
    """State and value of each cell of a column; None is an empty one."""
    cells = [None if value is None else Cell(value, str(value)) for value in values]
    return [(own.state, own.value) for own in amounts.read(cells, answer)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.234.567", "1234567"),
        ("1,234,567", "1234567"),
        ("1 234 567,5", "1234567.5"),
        ("1\u202f234\u00a0567", "1234567"),
        ("1'234'567.5", "1234567.5"),
        ("(1.234.567)", "-1234567"),
        ("−1.234.567", "-1234567"),
        ("+12", "12"),
        ("12.500.000 đồng", "12500000"),
        ("\u200b12\ufeff", "12"),
        ("0", "0"),
    ],
)
def test_numbers_are_read_in_every_style(text, value):
    """Points, commas, spaces of all kinds, signs and brackets."""
    assert read(text) == [(NUMBER, Decimal(value))]


@pytest.mark.parametrize(
    ("value", "state"),
    [
        (None, BLANK), ("", BLANK), ("  ", BLANK), ("-", DASH), ("–", DASH), ("…", UNREPORTED),
        ("x", UNREPORTED), ("chưa có", UNREPORTED), ("#REF!", ERROR), ("####", ERROR),
        ("97,5 %", PERCENT), ("10/02/2022", DATE), (datetime.date(2022, 2, 10), DATE),
        (True, NONSENSE), ("12a", NONSENSE), ("1..2", NONSENSE),
    ],
)  # fmt: skip
def test_what_is_no_number_says_what_it_is(value, state):
    """Blank, a dash, not reported, 0, a share, a day, an error and nonsense are different things."""
    assert [own for own, _ in read(value)] == [state]


@pytest.mark.parametrize(
    ("fault", "state"), [("error", ERROR), ("formula", UNCALCULATED), ("differs", DIFFERS)]
)
def test_a_cell_without_a_value_tells_why(fault, state):
    """An error, a formula that nobody calculated, a cell that two readers read differently."""
    (own,) = amounts.read([Cell(None, "", fault)])
    assert own.state == state


def test_the_column_decides_what_a_sign_sets_apart():
    """ "1.234" is a thousand beside "1.234.567", one and a bit beside "0.980", else open until answered."""
    assert read("1.234", "1.234.567")[0] == (NUMBER, 1234)
    assert read("1.234", "0.980")[0] == (NUMBER, Decimal("1.234"))
    (own,) = amounts.read([Cell("1.234", "1.234")])
    assert (own.state, own.value, own.other) == (AMBIGUOUS, 1234, Decimal("1.234"))
    assert read("1.234", answer=THOUSANDS) == [(NUMBER, 1234)]
    assert read("1.234", answer=DECIMALS) == [(NUMBER, Decimal("1.234"))]


@pytest.mark.parametrize(
    "remark", ["xem bảng", "đã nộp", "theo QĐ 15", "1.234 (tạm)", "12,5 triệu/hộ"]
)
@pytest.mark.parametrize("texts", [("1.234",), ("1,234",), ("1.234", "5.678"), ("12.500", "0")])
def test_a_text_that_is_no_number_decides_nothing(remark, texts):
    """Beside a remark numbers that can be read in two ways stay so; the remark alone is nonsense."""
    states = [state for state, _ in read(*texts, remark)]
    assert states == [NUMBER if text == "0" else AMBIGUOUS for text in texts] + [NONSENSE]


@pytest.mark.parametrize("remark", ["xem bảng", "1.234 (tạm)"])
def test_beside_a_remark_the_column_still_decides(remark):
    """What the other numbers decide, and what was answered, counts as without the remark; no number is
    nonsense for it."""
    assert read(remark, "1,234", "1,234,567") == [
        (NONSENSE, None),
        (NUMBER, 1234),
        (NUMBER, 1234567),
    ]
    assert read(remark, "1.234", "0.980")[1] == (NUMBER, Decimal("1.234"))
    assert read("1.234", remark, answer=DECIMALS)[0] == (NUMBER, Decimal("1.234"))


def test_a_share_is_a_part_of_one():
    """ "97,31 %" as text or by its format is 0.9731."""
    assert read("97,31 %") == [(PERCENT, Decimal("0.9731"))]
    (own,) = amounts.read([Cell(Decimal("0.9731"), "97%", percent=True)])
    assert (own.state, own.value) == (PERCENT, Decimal("0.9731"))


@pytest.mark.parametrize(
    ("value", "stored", "factor", "amount"),
    [
        ("12.5", False, 1_000, 12_500),
        ("12.5", False, 1, None),
        ("0.30000000000000004", True, 1_000_000, 300_000),
        ("0.30000000000000004", False, 1_000_000, None),
        ("0.3000004", True, 1_000_000, None),
        ("-3", False, 1_000, -3_000),
    ],
)
def test_amounts_are_whole_or_none(value, stored, factor, amount):
    """In exact decimals; only the noise of a stored number is taken off, never a part of a đồng."""
    own = Reading(NUMBER, Decimal(value), stored=stored)
    assert amounts.whole(own, Decimal(factor)) == amount


def test_the_exact_number_has_no_noise():
    """As office programs show it: 15 digits."""
    assert amounts.exact(Reading(NUMBER, Decimal("0.30000000000000004"), stored=True)) == Decimal(
        "0.3"
    )
    assert amounts.exact(Reading(NUMBER, Decimal("0.3000004"), stored=True)) == Decimal("0.3000004")
