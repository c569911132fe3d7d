"""Texts in the letters of older programs become Unicode; what cannot be read is said."""

import csv
import unicodedata
from decimal import Decimal
from pathlib import Path

import pytest

from wardlib import language
from wardlib.data.intake.grids import Cell, Grid
from wardlib.data.intake.letters import compose, composed, decodings, from_tcvn3, from_vni
from wardlib.errors import ASK, NOTE, REFUSE

ROOT = Path(__file__).parents[1]
DATA = [
    value
    for path in sorted((ROOT / "data").glob("*/*.csv"))
    for row in csv.reader(path.read_text("utf-8").splitlines())
    for value in row
]
HEADS = """
Chỉ tiêu|Nội dung|Mã số|Số TT|Dự toán năm|Kế hoạch|Thực hiện tháng 1|Ước thực hiện|Lũy kế|Luỹ kế
Cùng kỳ năm trước|So sánh (%)|Thu NSNN|Thu NSX|Phường hưởng|Đơn vị: triệu đồng|Tháng 1/2022|Tổng số
Đơn vị tính: 1.000 đồng|Quý IV năm 2021|Ghi chú|Số ngày học trực tuyến|Tỷ lệ chuyên cần
"""
HEADS = HEADS.strip().replace("\n", "|").split("|")


def _column(path, name):
    with (ROOT / "data" / path).open(encoding="utf-8", newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


LINES = _column("reference/revenue_lines.csv", "name_vi")
NAMES = [*LINES, *_column("phuc-dong/schools.csv", "name"), *HEADS]
KNOWN = {name.casefold() for name in NAMES}

# The letters by vowel: plain, acute, grave, hook, tilde, dot below; "." where there is nothing to code.
LETTERS = (
    ".áàảãạ âấầẩẫậ ăắằẳẵặ .éèẻẽẹ êếềểễệ .óòỏõọ ôốồổỗộ ơớờởỡợ .úùủũụ ưứừửữự .íìỉĩị .ýỳỷỹỵ đ ĂÂÊÔƠƯĐ"
)
TCVN3_CODES = """
. b8 b5 b6 b7 b9  a9 ca c7 c8 c9 cb  a8 be bb bc bd c6  . d0 cc ce cf d1  aa d5 d2 d3 d4 d6
. e3 df e1 e2 e4  ab e8 e5 e6 e7 e9  ac ed ea eb ec ee  . f3 ef f1 f2 f4  ad f8 f5 f6 f7 f9
. dd d7 d8 dc de  . fd fa fb fc fe  ae  a1 a2 a3 a4 a5 a6 a7
"""
TCVN3 = {
    letter: chr(int(code, 16))
    for letter, code in zip(LETTERS.replace(" ", ""), TCVN3_CODES.split(), strict=True)
    if letter != "."
}
SMALL = [letter for letter in TCVN3 if letter.islower()]


def tcvn3(text):
    return "".join(TCVN3.get(x) or TCVN3.get(x.lower(), x) for x in text)


def vni(text):
    tones = dict(zip("\u0301\u0300\u0309\u0303\u0323", range(5), strict=True))
    signs = {"": "ùøûõï", "\u0302": "áàåãä", "\u0306": "éèúüë", "\u031b": "ùøûõï"}
    result = ""
    for letter in text:
        base, *marks = unicodedata.normalize("NFD", letter)
        shape = "".join(mark for mark in marks if mark not in tones)
        tone = next((tones[mark] for mark in marks if mark in tones), None)
        low = base.lower()
        if low == "đ":
            code = "ñ"
        elif low == "i" and tone is not None:
            code = "íìæóò"[tone]
        elif (low, tone) == ("y", 4):
            code = "î"
        else:
            code = {"o": "ô", "u": "ö"}[low] if shape == "\u031b" else low
            if tone is not None:
                code += signs[shape][tone]
            else:
                code += {"\u0302": "â", "\u0306": "ê"}.get(shape, "")
        result += code.upper() if base.isupper() else code
    return result


def cp1258(text):
    """Bytes of Windows-1258, each tone after its letter."""
    return b"".join(
        x.encode("cp1258", "ignore")
        or unicodedata.normalize("NFC", "".join(y for y in parts if y not in TONES)).encode(
            "cp1258"
        )
        + "".join(y for y in parts if y in TONES).encode("cp1258")
        for x in text
        for parts in [unicodedata.normalize("NFD", x)]
    )


TONES = "\u0300\u0301\u0303\u0309\u0323"


def known(text):
    return text.casefold() in KNOWN


def sheet(texts, font="", column=0, size=1):
    """A sheet with texts below each other and a number right of each."""
    cells = {}
    for row, text in enumerate(texts):
        text, drawn = text if isinstance(text, tuple) else (text, font)
        cells[row, column] = Cell(text, text, font=drawn)
        cells[row, column + size] = Cell(Decimal(row), str(row))
    return Grid("Thu", cells)


def read(texts, font="", **options):
    grid, problems = composed("a.xlsx", sheet(texts, font), known, **options)
    kinds = [(problem.severity, problem.kind, problem.cell) for problem in problems]
    return [grid.cells[row, 0].value for row in range(len(texts))], kinds


TOLD = [(NOTE, "text_converted", "")]


def test_every_vietnamese_letter_comes_back_from_its_legacy_code():
    """Each letter has a code of its own in either table, and comes back from it."""
    assert len(SMALL) == 67
    assert len(set(TCVN3.values())) == len(TCVN3) == 74
    assert all(from_tcvn3(code) == letter for letter, code in TCVN3.items())
    both = [*SMALL, *(letter.upper() for letter in SMALL)]
    assert len({vni(letter) for letter in both}) == 134
    assert all(from_vni(vni(letter)) == letter for letter in both)
    assert from_vni("Thueá ngoaøi QUOÁC DOANH, LÒCH, kyø, kî, Ñ") == (
        "Thuế ngoài QUỐC DOANH, LỊCH, kỳ, kỵ, Đ"
    )


@pytest.mark.parametrize("raised", [str, str.upper], ids=["as written", "capitals"])
def test_every_name_comes_back_from_legacy_letters(raised):
    """Names of lines, schools and heads; TCVN3 keeps small what it has no capital for."""
    assert len(NAMES) > 35
    for name in map(raised, NAMES):
        assert from_vni(vni(name)) == name
        assert from_tcvn3(tcvn3(name)).casefold() == name.casefold()
    for name in NAMES:
        assert from_tcvn3(tcvn3(name))[1:] == name[1:]


def test_signs_that_are_no_letters_stay_and_words_in_capitals_stay_capitals():
    """Signs of 0x80-0x9f come in two forms; the soft hyphen and ÷ are letters of TCVN3."""
    assert from_tcvn3("L\xadu \u2013 20 \u20ac\u2026 (\x96 \x85) gi÷") == "Lưu – 20 €… (– …) giữ"
    assert from_vni("Soá \x96 “a” 20°") == "Số – “a” 20°"
    assert from_tcvn3("UBND PH¦êNG, Sè TT") == "UBND PHƯỜNG, Số TT"
    assert from_tcvn3("CéNG HßA X· HéI\nñY BAN: Sè liÖu") == "CỘNG HÒA XÃ HỘI\nủY BAN: Số liệu"


@pytest.mark.parametrize(
    ("name", "encode"),
    [
        ("UTF-8", str.encode),
        ("UTF-8", lambda text: text.encode("utf-8-sig")),
        ("UTF-16", lambda text: text.encode("utf-16")),
        ("UTF-16", lambda text: b"\xfe\xff" + text.encode("utf-16-be")),
        ("UTF-16", lambda text: text.encode("utf-16-le")),
        ("UTF-16", lambda text: text.encode("utf-16-be")),
        ("UTF-8", lambda text: unicodedata.normalize("NFD", text).encode()),
        ("Windows-1258", cp1258),
        ("TCVN3 (ABC)", lambda text: tcvn3(text).encode("latin-1")),
        ("VNI-Windows", lambda text: vni(text).encode("latin-1")),
    ],
)
def test_the_likeliest_reading_of_bytes_is_the_right_one(name, encode):
    """Of a whole table, and of a single head as far as its words tell."""
    text = "\r\n".join(f"{line};1.234" for line in NAMES)
    first, decoded = next(decodings(encode(text)))
    assert (first, decoded.casefold()) == (name, text.casefold())
    for text in NAMES:
        readings = [found.casefold() for _, found in decodings(encode(text + ";1"))]
        assert text.casefold() + ";1" in readings


def test_bytes_that_are_no_text_have_no_reading():
    """NUL, half a sign, control signs; a letter's code without a meaning rules its encoding out."""
    assert [name for name, _ in decodings(b"Thu;1")] == ["UTF-8"]
    assert list(decodings(b"Thu\0khac\x81")) == []
    assert list(decodings(b"\xff\xfea\0\0\xd8")) == []
    assert "UTF-8" not in dict(decodings("a\x85b".encode()))
    assert "TCVN3 (ABC)" not in dict(decodings(b"T\xe0i ch\xednh"))
    assert "VNI-Windows" not in dict(decodings(b"kh\xb8c \xf8ng"))
    assert "VNI-Windows" not in dict(decodings(b"ca\xf9 \xf8ng"))
    assert "Windows-1258" not in dict(decodings(b"1\xcc2"))
    assert next(decodings(b"Thue\xe1;1")) == ("VNI-Windows", "Thuế;1")


@pytest.mark.parametrize("encode", [tcvn3, vni, lambda text: cp1258(text).decode("cp1252")])
@pytest.mark.parametrize("font", ["", "Arial", "own"])
def test_a_sheet_in_legacy_letters_is_converted_and_told_once(encode, font):
    """Whatever font the cells name; every legacy text, those too that nobody knows."""
    font = {tcvn3: ".VnTime", vni: "VNI-Times"}.get(encode, "") if font == "own" else font
    texts = [*NAMES, "Ủy ban nhân dân phường Phúc Đồng", "Người lập biểu"]
    values, kinds = read([encode(text) for text in texts], font)
    assert [x.casefold() for x in values] == [x.casefold() for x in texts]
    assert kinds == TOLD


def test_a_legacy_sheet_is_converted_to_its_last_text_but_for_numbers_and_signs():
    """What its font asks for though it is no word; without fonts what the rest of the sheet tells."""
    lines = [tcvn3(line) for line in LINES]
    values, _ = read([*lines, tcvn3("Mẫuxyz"), "®"], ".VnTime")
    assert values[-2:] == ["Mẫuxyz", "đ"]
    values, _ = read([*lines, "Sè", "1·234", "12 ± 3", "÷"])
    assert values[-4:] == ["Số", "1·234", "12 ± 3", "÷"]
    values, _ = read([*map(vni, LINES), "ñi"])
    assert values[-1] == "đi"
    values, _ = read([*lines, *NAMES[-9:], "Sè"])
    assert values[-1] == "Sè"  # a word of Unicode too, on a sheet that holds both


def test_the_note_names_encoding_and_an_example_in_either_language():
    """A clerk sees what was read as what."""
    grid, [note] = composed("a.xlsx", sheet([tcvn3("Lệ phí môn bài")], ".VnTime"), known)
    assert "TCVN3 (ABC)" in note.found and "“Lệ phí môn bài”" in note.found
    assert "được đọc là “Lệ phí môn bài”" in note.told(language.get("vi"))
    assert grid.cells[0, 0].converted and grid.cells[0, 0].text == "Lệ phí môn bài"
    assert not grid.cells[0, 1].converted


def test_fonts_of_capitals_show_capitals():
    """.VnTimeH draws each letter as a capital."""
    values, _ = read([tcvn3("Lệ phí môn bài"), tcvn3("Thu ngân sách")], ".VnTimeH")
    assert values == ["LỆ PHÍ MÔN BÀI", "THU NGÂN SÁCH"]


def test_nothing_is_converted_that_becomes_no_better_known():
    """Without a head or line that is known only when converted, the sheet stays as it is."""
    texts = ["Café de la Gare", "Müller & Söhne", tcvn3("Người lập biểu")]
    assert read(texts) == (texts, [])
    assert read(texts, ".VnTime") == (texts, [])


def test_texts_of_unicode_are_never_changed_or_asked_about():
    """All texts of the data, alone and together, whatever fonts their cells name."""
    assert len(DATA) > 10_000
    texts = sorted({text for text in DATA if text and not text.isascii()} | set(NAMES))
    for font in ("", ".VnTime", "VNI-Times"):
        assert read(texts, font) == (texts, [])
    for text in texts:
        assert read([text]) == ([text], [])


def test_a_legacy_cell_among_unicode_is_asked_about_and_the_answer_settles_it():
    """A name that is known when converted, and a name beside a figure that is Vietnamese only then."""
    for foreign in ("Thu khác, thu phạt", "Thu hồi nợ đọng"):
        for encode in (tcvn3, vni):
            texts = [*LINES, encode(foreign)]
            cell = f"A{len(texts)}"
            assert read(texts) == (texts, [(ASK, "text_foreign", cell)])
            assert read(texts, answers={"text": "leave"}) == (texts, [])
            assert read(texts, answers={"text": "convert"}) == ([*LINES, foreign], TOLD)
    # Spelt with a tone that no word in -p and -t has, so it is not Unicode.
    assert read([*LINES, "xèp tèt"])[1] == [(ASK, "text_foreign", f"A{len(LINES) + 1}")]


def test_remarks_and_stray_signs_of_a_unicode_sheet_are_not_asked_about():
    """Signs that TCVN3 has for letters are signs elsewhere; a remark stands beside no figure."""
    remarks = [
        "© 2022 Phòng Tài chính", "Excel® 2016", "Phí × 2", "5÷6 tháng", "37°C ± 2", "12 µm", "m²",
        "Café", "Müller", "Nestlé", "Bà Hà", "Phòng Tài chính", "«Phí»", "·Phí", "XÃ\u201d", "§ 3",
    ]  # fmt: skip
    assert read([*LINES, *remarks]) == ([*LINES, *remarks], [])
    grid = sheet(LINES)
    remark = Cell(tcvn3("Đã đối chiếu"), "")
    grid = Grid("Thu", {**grid.cells, (40, 0): remark, (2, 5): remark})
    assert composed("a.xlsx", grid, known) == (grid, [])


def test_a_sheet_of_two_legacy_encodings_or_half_converted_is_not_spoilt():
    """Each cell is read by its own letters; what is Unicode already stays."""
    texts = (
        [tcvn3(x) for x in LINES]
        + [vni(x) for x in HEADS]
        + ["Tháng 1/2022", "Tài chính", "Lệ phí"]
    )
    values, kinds = read(texts)
    assert [x.casefold() for x in values[:-3]] == [x.casefold() for x in [*LINES, *HEADS]]
    assert values[-3:] == texts[-3:] and kinds == TOLD
    halves = [tcvn3(x) if i % 2 else x for i, x in enumerate(LINES)]
    values, kinds = read(halves, answers={"text": "convert"})
    assert [x.casefold() for x in values] == [x.casefold() for x in LINES]
    assert kinds == TOLD


def test_decomposed_letters_blanks_and_crossed_letters_are_put_right_silently():
    """NFD, a tone before the vowel's mark, no-break spaces, the Icelandic Ð; numbers keep their signs."""
    assert compose("Thu\u00e9\u0302") == compose("Thue\u0301\u0302") == "Thuế"
    assert compose("nghi\u1ec7p n\u01a1\u0323") == "nghiệp nợ"
    texts = [
        unicodedata.normalize("NFD", "Lũy kế"),
        "Thu\xa0NSNN",
        "Ðơn vị",
        "29\xa0000",
        "1\u202f234",
    ]
    assert read(texts) == (["Lũy kế", "Thu NSNN", "Đơn vị", "29\xa0000", "1\u202f234"], [])


def _misread(text, encoding):
    table = {code: bytes([code]).decode(encoding, "ignore") or chr(code) for code in range(256)}
    return "".join(table[code] for code in text.encode())


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "cp1258", "mac_roman"])
def test_utf8_read_as_something_else_is_refused(encoding):
    """Every name; it is not taken for legacy letters."""
    for name in NAMES:
        if not name.isascii():
            _, kinds = read([_misread(name, encoding)])
            assert kinds == [(REFUSE, "text_broken", "A1")], name


@pytest.mark.parametrize(
    "text",
    ["Thu\ufffd ngo\ufffdi", "Thu? ngo?i qu?c doanh", "L? phí môn bài", "Ti?n thuê đ?t", "L? phí tr??c b?",
     "?ơn v? tính: tri?u đ?ng", "T?NG S?"],
)  # fmt: skip
def test_lost_letters_are_refused(text):
    """The replacement sign, and question marks in the place of letters; with what to ask for."""
    grid, [problem] = composed("a.xlsx", sheet([text]), known)
    assert (problem.severity, problem.kind, problem.cell) == (REFUSE, "text_broken", "A1")
    assert "UTF-8" in problem.fix and grid == sheet([text])


def test_questions_are_not_lost_letters():
    """A question mark at the end of a word is one, unless the word is known with a letter there."""
    texts = [
        "Đã nộp chưa?",
        "Sao? Vì đâu? Ai?",
        "Thuế môn bài?",
        "https://đ.vn/a?b&c?d&e?f",
        "?",
        "Lệ phí (?)",
    ]
    assert read(texts) == (texts, [])


def test_many_spoilt_cells_are_named_up_to_twenty_and_then_counted():
    """The last message says how many more there are."""
    _, problems = composed("a.xlsx", sheet(["Thu\ufffd"] * 30), known)
    assert [problem.cell for problem in problems] == [*(f"A{row}" for row in range(1, 21)), ""]
    assert problems[-1].found.endswith(": 10") and problems[-1].row == 21
    assert "10" in problems[-1].told(language.get("vi"))
