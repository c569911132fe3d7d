"""Words, numbers and dates in both languages."""

import csv
import datetime
import json
import re
import unicodedata
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

import wardlib
from wardlib.analysis import activities, attributions, closures, published, targets
from wardlib.errors import NOTE, Problem, RequestError, TranslationError, said
from wardlib.language import NBSP, NONE, get, read

CODE = Path(wardlib.__file__).parent


# Where a text stands in a call: `text(message)`, `self._text(message)`, `said(message)`,
# `plural(singular, plural, count)`.
CALLS = {"text": None, "_text": None, "said": None, "plural": (1, 2)}


def _in_code(folder=CODE) -> set[str | tuple[str, str]]:
    messages = {
        text
        for path in folder.rglob("*.schema.json")
        for text in _descriptions(json.loads(path.read_text(encoding="utf-8")))
    }
    for path in folder.rglob("*.py"):
        with path.open("rb") as file:
            messages |= {message for _, message, *_ in extract("python", file, keywords=CALLS)}
    return messages


def _descriptions(schema):
    """What a schema expects, in the words that messages quote."""
    if isinstance(schema, list):
        return [text for inner in schema for text in _descriptions(inner)]
    if not isinstance(schema, dict):
        return []
    own = schema.get("description")
    return ([own] if isinstance(own, str) else []) + _descriptions(list(schema.values()))


def _catalogue():
    with (CODE / "locale" / "vi.po").open("rb") as file:
        return {message.id: message.string for message in read_po(file) if message.id}


def test_every_text_has_a_vietnamese_one_and_no_other_stands_in_the_catalogue():
    """A text without translation, or a translation without text, fails here first."""
    assert len(_in_code()) > 50
    assert _in_code() == set(_catalogue())


def test_translations_keep_every_placeholder_and_are_composed_letters():
    """A figure named in one language is named in the other; quarters may choose their numeral, units
    their language."""
    for message, string in _catalogue().items():
        singular, plural = (message, message) if isinstance(message, str) else message
        (string,) = (string,) if isinstance(string, str) else string  # Vietnamese has one form
        names = set(re.findall(r"{(\w+)}", plural)) - {"number", "unit_en"}
        assert names == set(re.findall(r"{(\w+)}", string)) - {"roman", "unit_vi"}, message
        assert set(re.findall(r"{(\w+)}", singular)) <= names | {"number", "unit_en"}, message
        assert string.strip(), message
        assert unicodedata.is_normalized("NFC", string), message


def test_a_missing_translation_is_an_error():
    """No reader meets an English word in a Vietnamese paper."""
    with pytest.raises(TranslationError, match="no Vietnamese for 'never written'"):
        get("vi").text("never written")
    assert get("en").text("never written") == "never written"
    with pytest.raises(TranslationError, match=r"no Vietnamese for '\{count\} things'"):
        get("vi").plural("one thing", "{count} things", 1)


def test_a_note_tells_what_came_of_it_a_problem_what_was_expected():
    """Where nothing was wrong, the clerk does not read that something should have been otherwise."""
    texts = (
        said("no figure for {line}", line="Phí"),
        said("no row is written, and nothing becomes 0"),
    )
    note = Problem("a.xlsx", 0, "", *texts, "", severity=NOTE)
    assert note.told(get("vi")).split("\n")[1:] == [
        "    thấy: Phí: không có số liệu", "    kết quả: không ghi dòng nào, không coi là 0",
    ]  # fmt: skip
    problem = Problem("a.xlsx", 0, "", *texts, "")
    assert "lẽ ra: không ghi dòng nào" in problem.told(get("vi"))


def test_one_thing_is_told_as_one(tmp_path):
    """English has a form for one and a form for any other number, Vietnamese has one; the count is
    written as a number, and an English singular may do without it."""
    english = get("en")
    assert english.plural("one month", "{count} months", 1) == "one month"
    assert english.plural("{count} month of {all}", "{count} months of {all}", 1, all="12") == (
        "1 month of 12"
    )
    for count, text in (
        (0, "0 months"),
        (2, "2 months"),
        (1234, "1,234 months"),
        (101, "101 months"),
    ):
        assert english.plural("{count} month", "{count} months", count) == text
    catalogue = tmp_path / "vi.po"
    catalogue.write_text(
        (CODE / "locale" / "vi.po").read_text(encoding="utf-8")
        + '\nmsgid "{count} never"\nmsgid_plural "{count} nevers"\nmsgstr[0] "{count} không"\n',
        encoding="utf-8",
    )
    vietnamese = read(catalogue)
    for count, text in ((0, "0 không"), (1, "1 không"), (1234, "1.234 không")):
        assert vietnamese.plural("{count} never", "{count} nevers", count) == text
    assert vietnamese.text("Month") == "Tháng"


def test_texts_of_a_count_are_found_in_the_code(tmp_path):
    """Both forms are held against the catalogue, as one message."""
    (tmp_path / "page.py").write_text(
        'language.plural("{count} day", "{count} days", len(days))\n'
        'text("of {days}", days=language.plural("{count} a", "{count} b", 3), x="y")\n'
        'x = text("a")\n[].count(1)\n'
    )
    assert _in_code(tmp_path) == {
        "a", "of {days}", ("{count} day", "{count} days"), ("{count} a", "{count} b"),
    }  # fmt: skip


def test_an_unknown_language_is_refused():
    """Only the languages of the catalogues exist."""
    with pytest.raises(RequestError, match="'fr' is not a language"):
        get("fr")


@pytest.mark.parametrize(
    ("code", "number", "percent", "date", "amount", "share"),
    [
        ("vi", "1.234,5", "82,9 %", "13/09/2020", "6.240 triệu đồng",
         "208 % (6.240/3.000 triệu đồng)"),
        ("en", "1,234.5", "82.9 %", "13 September 2020", "VND 6,240 million",
         "208 % (VND 6,240/3,000 million)"),
    ],
)  # fmt: skip
def test_numbers_dates_and_money(code, number, percent, date, amount, share):
    """The forms that the papers of each language use."""
    language = get(code)
    unit = language.unit("VND", 6.24e9)

    def plain(text):
        return text.replace(NBSP, " ")

    assert language.number(1234.5, 1) == number
    assert plain(language.percent(0.829)) == percent
    assert language.date(datetime.date(2020, 9, 13)) == date
    assert plain(unit.amount(6.24e9)) == amount
    assert plain(unit.share(6.24e9, 3e9)) == share


def test_a_district_reads_thousands_of_millions():
    """From a hundred thousand millions of đồng on the unit is tỷ đồng; dollars stay millions. Heads of
    tables and sentences name it in the order of the language."""
    for code, currency, largest, head, sentence in (
        ("vi", "VND", 1e11, "tỷ đồng", "355,6 tỷ đồng"),
        ("vi", "VND", 9.9e10, "triệu đồng", "355.600 triệu đồng"),
        ("vi", "USD", 1e12, "triệu USD", "355.600 triệu USD"),
        ("en", "VND", 1e11, "VND billion", "VND 355.6 billion"),
        ("en", "VND", 9.9e10, "VND million", "VND 355,600 million"),
        ("en", "USD", 1e12, "USD million", "USD 355,600 million"),
    ):
        unit = get(code).unit(currency, largest)
        assert unit.name == head
        assert unit.amount(355.6e9).replace(NBSP, " ") == sentence
        assert not re.search(" [0-9]|[0-9] ", unit.amount(355.6e9))


def test_two_bounds_share_one_unit():
    """The currency stands once, before the first of them in English, after the last in Vietnamese."""
    vi, en = (get(code).unit("VND", 1e9).range(-761e6, 1.935e9) for code in ("vi", "en"))
    assert vi.replace(NBSP, " ") == "từ -761 đến 1.935 triệu đồng"
    assert en.replace(NBSP, " ") == "VND -761 to 1,935 million"


@pytest.mark.parametrize("decimals", range(4))
def test_a_small_amount_reads_as_less_than_the_last_digit(decimals):
    """Neither as zero nor with more digits than its column has; below zero it keeps its sign, as the
    lower bound of an interval says by it whether a loss is shown. Zero itself stays zero."""
    for code in ("vi", "en"):
        unit = get(code).unit("VND", 1e9)
        last = 10.0**-decimals
        digit = unit.language.number(last, decimals)
        for share in (0.49, 0.3, 0.001):
            assert unit.figure(share * last * 1e6, decimals) == f"<{digit}"
            assert unit.figure(-share * last * 1e6, decimals, trim=True) == f"-<{digit}"
        assert unit.figure(0.51 * last * 1e6, decimals) == digit
        assert unit.figure(0, decimals) == unit.language.number(0, decimals)
    assert get("vi").unit("VND", 1e9).amount(3_000) == f"<0,1{NBSP}triệu đồng"
    assert get("en").unit("VND", 1e9).amount(3_000) == f"VND{NBSP}<0.1{NBSP}million"
    assert get("en").unit("VND", 1e9).share(3_000, 3e9).endswith(f"<0.1/3,000{NBSP}million)")


@pytest.mark.parametrize("code", ["vi", "en"])
@pytest.mark.parametrize("decimals", range(7))
def test_zero_has_no_sign(code, decimals):
    """Nothing that rounds to zero is printed with a minus, what does not keeps it."""
    language = get(code)
    for value in (-0.0, -0.4 * 10**-decimals, -(10**-9)):
        for trim in (False, True):
            zero = language.number(0, decimals, trim=trim)
            assert language.number(value, decimals, trim=trim) == zero
            assert zero.strip("0,.") == ""
        assert language.percent(value / 100, decimals) == language.percent(0, decimals)
    assert language.number(-(10**-decimals), decimals)[0] == "-"
    unit = language.unit("VND", 1e9)
    assert unit.figure(-0.0, decimals) == unit.figure(0, decimals) == language.number(0, decimals)


def test_what_is_missing_is_printed_as_such_and_the_infinite_not_at_all():
    """No "nan" and no "inf" stands on a page: a gap has its sign, a division by zero is a fault."""
    language, nan = get("vi"), float("nan")
    unit = language.unit("VND", 1e9)
    texts = (language.number(nan, 1), language.percent(nan), unit.figure(nan), unit.amount(nan))
    assert set(texts) == {NONE}
    for print_it in (language.number, language.percent, unit.figure, unit.amount):
        for value in (float("inf"), float("-inf")):
            with pytest.raises(ValueError, match="inf is no figure to print"):
                print_it(value)


def test_less_than_half_a_dong_is_nothing():
    """Money comes in whole base units: what is left of a computation is zero, one đồng is not."""
    unit = get("vi").unit("VND", 1e9)
    for dust in (1e-9, -1e-9, 0.49, -0.49):
        assert unit.figure(dust) == "0,0"
        assert unit.amount(dust) == f"0{NBSP}triệu đồng"
    assert (unit.figure(1), unit.figure(-1)) == ("<0,1", "-<0,1")


@pytest.mark.parametrize(
    ("day", "line"),
    [((2020, 3, 5), "ngày 05 tháng 3 năm 2020"), ((2020, 2, 13), "ngày 13 tháng 02 năm 2020"),
     ((2020, 12, 1), "ngày 01 tháng 12 năm 2020")],
)  # fmt: skip
def test_the_date_line_follows_the_decree(day, line):
    """Decree 30/2020/NĐ-CP: days below 10 and the months 1 and 2 carry a zero, others do not."""
    assert get("vi").date_line(datetime.date(*day)) == line


def test_the_first_two_months_carry_a_zero_wherever_they_are_written_out():
    """As in the date line; a month in short, on an axis or in a list, has none."""
    said = [get("vi").month(month) for month in pd.period_range("2020-01", "2020-12", freq="M")]
    assert [words.split()[1] for words in said] == ["01", "02", *map(str, range(3, 13))]
    assert get("vi").span(pd.Period("2020-01"), pd.Period("2020-01")).endswith("tháng 01 năm 2020")
    assert get("vi").month_short(pd.Period("2020-01")) == "1/2020"


def test_every_code_of_analysis_has_its_words():
    """One row a kind and code, both languages filled, composed letters; no code of analysis lacks one."""
    with (CODE / "locale" / "words.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({(row["kind"], row["code"]) for row in rows}) == len(rows) > 40
    assert all(row["vi"] and row["en"] for row in rows)
    assert all(unicodedata.is_normalized("NFC", row["vi"]) for row in rows)
    codes = {kind: set(get("vi").words(kind)) for kind in {row["kind"] for row in rows}}
    assert codes["level"] == set(closures.GRADES)
    assert codes["school_day"] == {
        closures.IN_PERSON, closures.ONLINE, closures.CLOSED, closures.PARTIAL, closures.BREAK
    }  # fmt: skip
    assert codes["field"] == {*activities.FIELDS, activities.TOTAL}
    assert codes["agreement"] == {
        published.AGREES, published.REVISED, published.DIFFERS, published.NOTHING
    }  # fmt: skip
    assert codes["answer"] == {
        attributions.SHOWN, attributions.PART, attributions.OTHER, attributions.NOT_COVID,
        attributions.OPEN,
    }  # fmt: skip
    assert set(targets.GOOD) < codes["status"]


@pytest.mark.parametrize("scale", [1.0, 1e9])
@pytest.mark.parametrize("share", [0.05, 0.05 - 1e-9, 0.05 + 1e-9, 0.25, 0.005, -0.05])
def test_an_amount_never_rounds_to_nothing(scale, share):
    """Nor half way between two figures, where one rule rounds up and another to the even."""
    unit = get("vi").unit("VND", 2e11 * (scale > 1))
    for trim in (True, False):
        assert re.search("[1-9]", unit.figure(share * unit.scale, trim=trim))


@pytest.mark.parametrize(
    "missing",
    [None, float("nan"), np.float32("nan"), Decimal("NaN"), pd.NA, pd.NaT, np.datetime64("NaT")],
)
def test_whatever_is_missing_is_said_to_be(missing):
    """None and every kind of NaN: never a zero, never a word of Python's."""
    unit = get("vi").unit("VND", 1e6)
    said = {get("vi").number(missing), unit.figure(missing), unit.amount(missing)}
    assert said | {unit.share(missing, 3.0), unit.share(1.0, missing), unit.share(1.0, 0.0)} == {
        NONE
    }
