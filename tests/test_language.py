"""Words, numbers and dates in both languages."""

import datetime
import re
import unicodedata
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

import wardlib
from wardlib.errors import RequestError, TranslationError
from wardlib.language import NBSP, get

CODE = Path(wardlib.__file__).parent


def _in_code() -> set[str]:
    found = set()
    for path in CODE.rglob("*.py"):
        with path.open("rb") as file:
            found |= {
                message for _, message, *_ in extract("python", file, keywords={"text": None})
            }
    return found


def _catalogue():
    with (CODE / "locale" / "vi.po").open("rb") as file:
        return {message.id: message.string for message in read_po(file) if message.id}


def test_every_text_has_a_vietnamese_one_and_no_other_stands_in_the_catalogue():
    """A text without translation, or a translation without text, fails here first."""
    assert len(_in_code()) > 50
    assert _in_code() == set(_catalogue())


def test_translations_keep_every_placeholder_and_are_composed_letters():
    """A figure named in one language is named in the other; quarters may choose their numeral."""
    for message, string in _catalogue().items():
        names = set(re.findall(r"{(\w+)}", message)) - {"number"}
        assert names == set(re.findall(r"{(\w+)}", string)) - {"roman"}, message
        assert string.strip(), message
        assert unicodedata.is_normalized("NFC", string), message


def test_a_missing_translation_is_an_error():
    """No reader meets an English word in a Vietnamese paper."""
    with pytest.raises(TranslationError, match="no Vietnamese for 'never written'"):
        get("vi").text("never written")
    assert get("en").text("never written") == "never written"


def test_an_unknown_language_is_refused():
    """Only the languages of the catalogues exist."""
    with pytest.raises(RequestError, match="'fr' is not a language"):
        get("fr")


@pytest.mark.parametrize(
    ("code", "number", "percent", "date", "amount", "share"),
    [
        ("vi", "1.234,5", "82,9 %", "13/09/2020", "6.240 triệu đồng",
         "208 % (6.240/3.000 triệu đồng)"),
        ("en", "1,234.5", "82.9 %", "13 September 2020", "6,240 M VND",
         "208 % (6,240/3,000 M VND)"),
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
    """From a hundred thousand millions of đồng on the unit is tỷ đồng; dollars stay millions."""
    assert get("vi").unit("VND", 1e11).name == "tỷ đồng"
    assert get("vi").unit("VND", 9.9e10).name == "triệu đồng"
    assert get("en").unit("USD", 1e12).name == "M USD"


def test_a_small_amount_never_reads_as_zero():
    """A figure below the last decimal shows its first digit; zero itself stays zero."""
    unit = get("vi").unit("VND", 1e9)
    assert unit.figure(49_000) == "0,05"
    assert unit.figure(-3_000) == "-0,003"
    assert unit.figure(0) == "0,0"


@pytest.mark.parametrize(
    ("day", "line"),
    [((2020, 3, 5), "ngày 05 tháng 3 năm 2020"), ((2020, 2, 13), "ngày 13 tháng 02 năm 2020"),
     ((2020, 12, 1), "ngày 01 tháng 12 năm 2020")],
)  # fmt: skip
def test_the_date_line_follows_the_decree(day, line):
    """Decree 30/2020/NĐ-CP: days below 10 and the months 1 and 2 carry a zero, others do not."""
    assert get("vi").date_line(datetime.date(*day)) == line
