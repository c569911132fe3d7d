"""Letters: Vietnamese texts of older programs made Unicode, and what can no longer be read."""

from __future__ import annotations

import codecs
import dataclasses
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache

from wardlib.data.intake.grids import Cell, Grid, Place, a1
from wardlib.errors import ASK, NOTE, REFUSE, Problem, said

TCVN3, VNI, CP1258 = "TCVN3 (ABC)", "VNI-Windows", "Windows-1258"
NAMED = 20  # places of spoilt text that are named one by one on a sheet

GRAVE, ACUTE, TILDE, HOOK, DOT = "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"
_TONES = GRAVE + ACUTE + TILDE + HOOK + DOT
_SHAPES = "\u0302\u0306\u031b"  # circumflex, breve, horn: they make another vowel
_MARKED = re.compile(f"[{_TONES}{_SHAPES}]{{2,}}")
_SMALL = [
    letter
    for vowel in "aăâeêioôơuưy"
    for tone in ("", *_TONES)
    if not (letter := unicodedata.normalize("NFC", vowel + tone)).isascii()
] + ["đ"]
_VIETNAMESE = frozenset(_SMALL) | {letter.upper() for letter in _SMALL}
# What no code of Western Europe has: who writes such a letter writes Unicode.
_BEYOND = frozenset(letter for letter in _VIETNAMESE if letter > "\xff")

# Codes 0x80-0x9f, in Windows signs such as “ – …, which some programs store as control signs of Latin-1.
_SIGNS = {
    code: sign for code in range(0x80, 0xA0) if (sign := bytes([code]).decode("cp1252", "ignore"))
}

# The letters of the codes from 0xa1; "." where an ABC font (.VnTime …) has none.
_TCVN3_FROM_A1 = (
    "ĂÂÊÔƠƯĐăâêôơưđ."
    ".....àảãáạ.ằẳẵắ."
    "......ặầẩẫấậè.ẻẽ"
    "éẹềểễếệìỉ...ĩíịò"
    ".ỏõóọồổỗốộờởỡớợù"
    ".ủũúụừửữứựỳỷỹýỵ."
)
_TCVN3 = {code: letter for code, letter in enumerate(_TCVN3_FROM_A1, 0xA1) if letter != "."}


def _vni_table() -> dict[str, str]:
    """The letters of VNI-Windows: a base letter and a letter that stands for its marks, or one alone."""
    plain = {"ù": ACUTE, "ø": GRAVE, "û": HOOK, "õ": TILDE, "ï": DOT}
    roof = {"â": "", "á": ACUTE, "à": GRAVE, "å": HOOK, "ã": TILDE, "ä": DOT}
    bowl = {"ê": "", "é": ACUTE, "è": GRAVE, "ú": HOOK, "ü": TILDE, "ë": DOT}
    horned = {"ô": "ơ", "ö": "ư"}
    small = {**horned, "ñ": "đ", "í": "í", "ì": "ì", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}
    for base in "aeouyôö":
        small |= {base + sign: horned.get(base, base) + tone for sign, tone in plain.items()}
    small |= {base + sign: base + "\u0302" + tone for base in "aeo" for sign, tone in roof.items()}
    small |= {"a" + sign: "a\u0306" + tone for sign, tone in bowl.items()}
    del small["yï"]  # ỵ has a code of its own
    table = {}
    for code, letter in small.items():
        for sign in {code[1:], code[1:].upper()}:
            table[code[0] + sign] = unicodedata.normalize("NFC", letter)
            table[code[0].upper() + sign] = unicodedata.normalize("NFC", letter.upper())
    return table


_VNI = _vni_table()
_VNI_CODE = re.compile("|".join(sorted(_VNI, key=len, reverse=True)))
_LATIN = re.compile("[À-ÖØ-öø-ÿ]")
# A word in letters of either kind: TCVN3 writes some of its letters with signs.
_WORD = re.compile("[A-Za-z\xa1-\xff\u0100-\u024f\u1e00-\u1eff]+")


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def decodings(data: bytes) -> Iterator[tuple[str, str]]:
    """Every encoding that these bytes can be, by the name that a clerk knows, and the text, likeliest
    first; a text that two encodings share comes once.

    The text is in Unicode letters (NFC) whatever the encoding, so legacy letters are converted. A text
    with NUL, half a sign or a control sign of 0x80-0x9f is no reading, nor is one in which a letter's
    code or mark has no meaning.

    >>> [name for name, text in decodings("Phí".encode())]
    ['UTF-8', 'Windows-1258', 'Windows-1252']
    >>> next(decodings(b"Thu\\xd5 kh\\xb8c"))
    ('TCVN3 (ABC)', 'Thuế khác')
    """
    seen = set()
    for name, text in _readings(data):
        if text is None or re.search("[\0\x80-\x9f\ud800-\udfff]", text):
            continue
        text = compose(text)
        if text not in seen:
            seen.add(text)
            yield name, text


def _readings(data: bytes) -> Iterator[tuple[str, str | None]]:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield "UTF-16", _decoded(data, "utf-16")
    yield "UTF-8", _decoded(data, "utf-8-sig")
    # A table holds many signs below 0x100: half of the bytes of UTF-16, at even or at odd places, are
    # mostly zero.
    high, low = data[::2].count(0), data[1::2].count(0)
    if max(high, low) * 5 >= len(data) // 2 and max(high, low) > 4 * min(high, low):
        yield "UTF-16", _decoded(data, "utf-16-le" if low > high else "utf-16-be")
    windows = _decoded(data, "cp1252")
    vietnamese = _decoded(data, "cp1258")
    readings = [
        (CP1258, vietnamese and _strict_1258(vietnamese)),
        (TCVN3, windows and _strict_tcvn3(windows)),
        (VNI, windows and _strict_vni(windows)),
    ]
    # Most bytes are letters in each of them; only the right one gives words.
    yield from sorted(readings, key=lambda reading: -_share(reading[1] or ""))
    yield "Windows-1252", windows


def compose(text: str) -> str:
    r"""`text` in NFC, with a vowel's own mark taken before its tone, in whichever order they stand.

    >>> compose("thue\u0301\u0302")  # the tone first
    'thuế'
    """
    if text.isascii():
        return text
    text = unicodedata.normalize("NFD", text)
    text = _MARKED.sub(lambda marks: "".join(sorted(marks[0], key=_TONES.__contains__)), text)
    return unicodedata.normalize("NFC", text)


def from_tcvn3(text: str) -> str:
    """A text in TCVN3 (ABC) letters, seen as letters of Western Europe, in Unicode; other signs stay.

    The table is form VN3 of TCVN 5712:1993, as the ABC fonts (.VnTime, .VnArial) have it. It has capitals
    for Ă Â Ê Ô Ơ Ư Đ alone: a capital with a tone stands as the small letter, which becomes a capital
    again in a word whose other letters are capitals, two at least, and in a line of such words.

    >>> from_tcvn3("§¬n vÞ: triÖu ®ång"), from_tcvn3("PH¦êNG")
    ('Đơn vị: triệu đồng', 'PHƯỜNG')
    """
    text = compose(text.translate(_SIGNS).translate(_TCVN3))
    return "\n".join(map(_raised, text.split("\n")))


def _raised(line: str) -> str:
    """Capitals again where no other is meant: in a word, and in a line with two such words."""
    words = [word for word in _WORD.findall(line) if not word.isascii()]
    sure = {word: [x for x in word if x.isascii() or x in "ĂÂÊÔƠƯĐăâêôơưđ"] for word in words}
    high = {word for word in words if len(sure[word]) > 1 and all(map(str.isupper, sure[word]))}
    known = [x for x in line if x.isascii() and x.isalpha()] + [x for y in sure.values() for x in y]
    if len(high) > 1 and all(map(str.isupper, known)):
        return line.upper()
    return _WORD.sub(lambda word: word[0].upper() if word[0] in high else word[0], line)


def from_vni(text: str) -> str:
    """A text in VNI-Windows letters, seen as letters of Western Europe, in Unicode; other signs stay.

    The table is that of the VNI fonts (VNI-Times, VNI-Helve): most letters are a base letter followed by
    one that stands for the marks; the base letter says whether it is a capital.

    >>> from_vni("Ñôn vò: trieäu ñoàng"), from_vni("PHÖÔØNG")
    ('Đơn vị: triệu đồng', 'PHƯỜNG')
    """
    return compose(_VNI_CODE.sub(lambda code: _VNI[code[0]], text.translate(_SIGNS)))


def _strict_tcvn3(text: str) -> str | None:
    unmeant = any(ord(letter) not in _TCVN3 for letter in _LATIN.findall(text))
    return None if unmeant else from_tcvn3(text)


def _strict_vni(text: str) -> str | None:
    return None if _LATIN.search(_VNI_CODE.sub("", text)) else from_vni(text)


def _strict_1258(text: str) -> str | None:
    """A text of Windows-1258, whose tones follow their letters, unless a tone stands where none can."""
    text = compose(text)
    odd = (letter for letter in text if letter > "\xff" and letter.isalpha())
    if any(map(unicodedata.combining, text)) or not _BEYOND.issuperset(odd):
        return None
    return text


def _through_1258(text: str) -> str | None:
    """A text of Windows-1258 that some program took for Windows-1252."""
    try:
        return _strict_1258(text.translate(_SIGNS).encode("cp1252").decode("cp1258"))
    except UnicodeError:
        return None


_STRICT = {TCVN3: _strict_tcvn3, VNI: _strict_vni, CP1258: _through_1258}

_SYLLABLE = re.compile(
    "(?:(?:ngh|gh|k)(?=[eêiy])|(?:ng|c)(?![eêiy])|g(?![eê])|gi|qu|ch|kh|nh|ph|th|tr|[bdđhlmnprstvx])?"
    "(?:iêu|yêu|oai|oao|oay|oeo|uây|uôi|uya|uyê|uyu|ươi|ươu"
    "|ai|ao|au|ay|âu|ây|eo|êu|ia|iê|iu|oa|oă|oe|oi|oo|ôi|ơi|ua|uâ|uê|ui|uô|uơ|uy|ưa|ưi|ươ|ưu|yê"
    "|[aăâeêioôơuưy])"
    "(?:(?P<stop>ch|c|p|t)|ng|nh|m|n)?"
)


@cache
def _syllable(word: str) -> bool:
    """Whether a word is spelt as Vietnamese is, in small letters, capitals or with one first; and a word
    of capitals without a tone (ĐVT, HĐND), which may be short for others."""
    if not (word.islower() or word.isupper() or word[1:].islower()):
        return False
    letters = unicodedata.normalize("NFD", word.lower())
    tones = [mark for mark in letters if mark in _TONES]
    bare = unicodedata.normalize("NFC", "".join(x for x in letters if x not in _TONES))
    if word.isupper() and not tones:
        return _VIETNAMESE.issuperset(letter for letter in word if not letter.isascii())
    match = _SYLLABLE.fullmatch(bare)
    if not match or len(tones) > 1:
        return False
    return not match["stop"] or tones in ([ACUTE], [DOT])


def _words(text: str) -> list[str]:
    """The words that hold more than ASCII letters, but for a sign that stands alone (© × ÷)."""
    words = _WORD.findall(text)
    return [x for x in words if not x.isascii() and (len(x) > 1 or x.isalpha())]


def _share(text: str) -> float:
    """How many of the words with other than ASCII letters are spelt as Vietnamese is, from 0 to 1."""
    words = _words(text)
    return sum(map(_syllable, words)) / len(words) if words else 0.0


def _plausible(text: str) -> bool:
    return _share(text) == 1


def _font_encoding(font: str) -> str:
    name = font.casefold()
    return TCVN3 if name.startswith(".vn") else VNI if name.startswith("vni") else ""


def _worded(cell: Cell) -> bool:
    """Whether a cell holds words: a number that stands as text keeps its signs."""
    text = cell.value
    if not isinstance(text, str):
        return False
    if any(map(str.isalpha, text)):
        return True
    signs = not any(map(str.isdigit, text)) and any(ord(sign) in _TCVN3 for sign in text)
    return signs and _font_encoding(cell.font) == TCVN3


# No-break spaces, but for those that hold a number together or to its sign ("29 000", "30 %").
_NO_BREAK = re.compile(r"(?<!\d)[\xa0\u2007\u202f]|[\xa0\u2007\u202f](?![\d%‰])")


def _spaced(text: str) -> str:
    """`text` composed, with ordinary spaces, and with Đ for the Icelandic letter that looks like it."""
    text = compose(_NO_BREAK.sub(" ", text))
    crossed = text.translate({0xD0: "Đ", 0xF0: "đ", 0x189: "Đ"})
    if crossed != text and (_plausible(crossed) or not _BEYOND.isdisjoint(text)):
        return crossed
    return text


@dataclasses.dataclass(frozen=True)
class _Reading:
    """How a cell in legacy letters may be read. `sure`: the text becomes known by it; `likely`: it
    becomes Vietnamese words, which it was not; `drawn`: the cell's font asks for it."""

    encoding: str
    old: str
    new: str
    sure: bool = False
    likely: bool = False
    drawn: bool = False


def composed(
    file: str,
    grid: Grid,
    known: Callable[[str], bool],
    answers: Mapping[str, str] | None = None,
) -> tuple[Grid, list[Problem]]:
    """The grid with every text in Unicode (NFC), and what is to be said of its texts.

    The sheet is judged as a whole: where legacy letters prevail, and some of its texts are `known` only
    when converted, all of them are converted (`Cell.converted`) and one note says so. Legacy texts among
    prevailing Unicode are asked about one by one where they can matter; `answers["text"]` settles it,
    "convert" or "leave". Spoilt texts are refused. A text with a letter that only Unicode has is never
    converted, nor is a number that stands as text touched.
    """
    problems = _broken(file, grid, known)
    cells = dict(grid.cells)
    readings: dict[Place, list[_Reading]] = {}
    modern = 0
    for place, cell in grid.cells.items():
        if not _worded(cell) or (str(cell.value).isascii()):
            continue
        text = _spaced(str(cell.value))
        if text != cell.value:
            cells[place] = dataclasses.replace(cell, value=text, text=text)
        if not _BEYOND.isdisjoint(text) or known(text):
            modern += not text.isascii()
        elif found := _legacy(text, cell.font, known):
            readings[place] = found

    chosen = _chosen(readings)
    firm = {place for place, reading in chosen.items() if reading.sure or reading.likely}
    gains = any(reading.sure for reading in chosen.values())
    if gains and len(firm) >= modern:
        fonts = any(reading.drawn for reading in chosen.values())
        strong = len(firm) > 4 * modern
        taken = {
            place: reading
            for place, reading in chosen.items()
            if place in firm or reading.drawn or (strong and not fonts and _plausible(reading.new))
        }
    else:
        answer = (answers or {}).get("text", "")
        labels = _labels(grid)
        asked = {
            place: chosen[place]
            for place in sorted(firm)
            if chosen[place].sure or (modern and place in labels)
        }
        taken = asked if answer == "convert" else {}
        if answer not in ("convert", "leave"):
            problems += [_asked(file, grid, *item) for item in asked.items()]
    for place, reading in taken.items():
        cells[place] = dataclasses.replace(
            cells[place], value=reading.new, text=reading.new, converted=True
        )
    if taken:
        problems.append(_told(file, grid, [taken[place] for place in sorted(taken)]))
    return dataclasses.replace(grid, cells=cells), problems


def _legacy(text: str, font: str, known: Callable[[str], bool]) -> list[_Reading]:
    """How a text without letters of Unicode's own may be read, the one that its font asks for first."""
    drawn = _font_encoding(font)
    readings = []
    modern = _plausible(text)
    for encoding in sorted(_STRICT, key=lambda name: name != drawn):
        new = _STRICT[encoding](text)
        if new is None or new == text:
            continue
        if encoding == TCVN3 == drawn and font.casefold().endswith("h"):
            new = new.upper()  # .VnTimeH and its like draw every letter as a capital
        own = encoding == drawn
        words = _words(text)
        # A sign or two beside a letter (µm) is no word in legacy letters.
        enough = own or len(words) > 1 or any(len(word) > 2 for word in words)
        sure = (own or bool(words)) and known(new)
        likely = enough and not modern and (own or not drawn) and _plausible(new)
        readings.append(_Reading(encoding, text, new, sure, likely, own))
    return readings


def _chosen(readings: dict[Place, list[_Reading]]) -> dict[Place, _Reading]:
    """One reading a cell: the best founded; among equals that in which most of the sheet is read."""
    usual = Counter(x.encoding for found in readings.values() for x in found if x.sure)
    likely = Counter(x.encoding for found in readings.values() for x in found if x.likely)
    return {
        place: max(
            found,
            key=lambda x: (x.sure, x.drawn, x.likely, usual[x.encoding], likely[x.encoding]),
        )
        for place, found in readings.items()
    }


def _labels(grid: Grid) -> set[Place]:
    """The places with a number to the right or below, as heads and names of lines have it."""
    right: dict[int, int] = {}
    below: dict[int, int] = {}
    for (row, column), cell in grid.cells.items():
        number = isinstance(cell.value, Decimal) or (
            isinstance(cell.value, str)
            and any(map(str.isdigit, cell.value))
            and not any(map(str.isalpha, cell.value))
        )
        if number:
            right[row] = max(right.get(row, -1), column)
            below[column] = max(below.get(column, -1), row)
    ends = {(top, left): last for top, left, _, last in grid.merges or ()}
    return {
        (row, column)
        for row, column in grid.cells
        if right.get(row, -1) > column
        or any(below.get(x, -1) > row for x in range(column, ends.get((row, column), column) + 1))
    }


def _shown(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:59] + "…"


def _told(file: str, grid: Grid, readings: list[_Reading]) -> Problem:
    example = next((x for x in readings if x.sure), readings[0])
    return Problem(
        file,
        0,
        "",
        said(
            "letters of {encoding}, converted: “{old}” is read as “{new}”",
            encoding=", ".join(sorted({reading.encoding for reading in readings})),
            old=_shown(example.old),
            new=_shown(example.new),
        ),
        said("texts in Unicode letters"),
        "",
        sheet=grid.name,
        kind="text_converted",
        severity=NOTE,
    )


def _asked(file: str, grid: Grid, place: Place, reading: _Reading) -> Problem:
    new = _shown(reading.new)
    return Problem(
        file,
        place[0] + 1,
        "",
        said(
            "“{old}”, which read as {encoding} is “{new}”",
            old=_shown(reading.old),
            encoding=reading.encoding,
            new=new,
        ),
        said("Unicode letters, like the rest of the sheet"),
        said(
            "If “{new}” is right, add to the command --answer text=convert; if the cell is to stay "
            "as it is, --answer text=leave",
            new=new,
        ),
        sheet=grid.name,
        cell=a1(place),
        kind="text_foreign",
        severity=ASK,
    )


def _spoilt(file: str, grid: Grid, place: Place, found: str, cell: str) -> Problem:
    return Problem(
        file,
        place[0] + 1,
        "",
        found,
        said("texts with all their letters"),
        said("Ask the sender for the original file, or for the text saved as Unicode (UTF-8)"),
        sheet=grid.name,
        cell=cell,
        kind="text_broken",
        severity=REFUSE,
    )


def _broken(file: str, grid: Grid, known: Callable[[str], bool]) -> list[Problem]:
    """The cells whose letters are lost: the first of them one by one, then how many more there are."""
    tries: dict[str, bool] = {}
    places = []
    for place, cell in sorted(grid.cells.items()):
        if not isinstance(text := cell.value, str):
            continue
        lost = "\ufffd" in text or (not _font_encoding(cell.font) and _misread(text))
        if not lost and "?" in text:
            if text not in tries and len(tries) < 500:  # so many trials take a second at most
                tries[text] = _holed(text, known)
            lost = tries.get(text, False)
        if lost:
            places.append(place)
    problems = [
        _spoilt(
            file,
            grid,
            place,
            said("spoilt letters: “{text}”", text=_shown(str(grid.cells[place].value))),
            a1(place),
        )
        for place in places[:NAMED]
    ]
    if rest := places[NAMED:]:
        count = len(rest)
        found = said("further cells with spoilt letters, from this row on: {count}", count=count)
        problems.append(_spoilt(file, grid, rest[0], found, ""))
    return problems


def _bytes_of(encoding: str) -> dict[int, int]:
    """From each sign of an encoding of single bytes back to its byte; an unused byte is a control sign."""
    table = {code: code for code in range(0x80, 0x100)}
    for code in range(0x80, 0x100):
        if sign := bytes([code]).decode(encoding, "ignore"):
            table[ord(sign)] = code
    return table


_TAKEN_FOR = [_bytes_of(encoding) for encoding in ("cp1252", "cp1258", "mac_roman")]
_LETTER_IN_UTF8 = re.compile(
    "|".join(
        re.escape(letter.encode().decode("latin-1"))
        for letter in sorted(_VIETNAMESE | set(_TONES + _SHAPES))
    )
)


def _misread(text: str) -> bool:
    """Whether a text is UTF-8 that somebody read as Windows-1252, -1258 or Mac Roman ("Thuáº¿")."""
    if text.isascii() or not (_BEYOND - {"Ă"}).isdisjoint(text) or _plausible(text):
        return False
    return any(_LETTER_IN_UTF8.search(text.translate(table)) for table in _TAKEN_FOR)


_LETTER = r"[^\W\d_]"
_TOUCHING = re.compile(rf"(?<={_LETTER})\?|\?(?={_LETTER})")
_INSIDE = re.compile(rf"(?<={_LETTER})\?(?={_LETTER})|(?<![^\s(])\?(?={_LETTER})")


def _holed(text: str, known: Callable[[str], bool]) -> bool:
    """Whether question marks stand in place of letters: three or more, one inside a word at least, or
    the text is `known` with some letters in their places."""
    text = _spaced(re.sub(r"\?+", "?", text))
    holes = [match.start() for match in _TOUCHING.finditer(text)]
    if not holes or "://" in text or "=" in text:
        return False
    if len(holes) > 2:
        return bool(_INSIDE.search(text))
    parts = [text[start + 1 : end] for start, end in itertools.pairwise([-1, *holes, len(text)])]
    return any(
        known(parts[0] + "".join(map(str.__add__, letters, parts[1:])))
        for letters in itertools.product(_SMALL, repeat=len(holes))
    )
