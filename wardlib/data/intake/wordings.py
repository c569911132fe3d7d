"""Wordings: how office files name lines, schools, fields, indicators, columns and units of money.

Two texts name the same thing if they fold alike: case, spaces, punctuation, composed or decomposed letters
and the place of a tone in its syllable ("hoà", "hòa"; "quý", "quí") do not count. Marks on letters do:
đồng is money, dòng a row. What each name may stand for is written in `data/reference/wordings.csv`, beside
the names that the tables of lines, schools and indicators have already.
"""

from __future__ import annotations

import difflib
import functools
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from wardlib.data.cells import Shelf
from wardlib.data.descriptors import Ward

LINE, SCHOOL, FIELD, INDICATOR = "line", "school", "field", "indicator"
SUM, GROUP = "sum", "group"  # a total of what stands above; a heading of several lines
_TONES = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
_WORD = re.compile("[^\\W\u0300-\u036f][\\w\u0300-\u036f]*|%")
_SINGLE_Y = re.compile("(h|k|l|m|s|t|qu)y")  # where y and i are the same vowel: kỳ, tỷ, quý
_NUMBERING = re.compile(
    r"\s*(?:[-+*•–—]+|\(?[0-9]{1,3}(?:\.[0-9]{1,3})*\s*[.)/](?![0-9])|[0-9]{1,2}(?:\.[0-9]{1,2})*\s+(?=\D)"
    r"|[IVX]{1,5}\s*[.)/-]|\(?[a-zđ]\s*[.)])\s*"
)
_IDLE = {"của", "từ", "các", "khoản", "và", "số"}  # words of a line's name that tell nothing
_MONEY = re.compile(
    r"(?i)^\W*(?:đơn\s*vị(?:\s*tính)?|đvt|đv\s*tính|dvt|unit)\W*[:：.]?\s*(.*)$", re.DOTALL
)


def fold(text: str) -> str:
    """The words of a text as they are compared: small letters, the tone at the end of its word.

    >>> fold("Uỷ  ban, HOÀ") == fold("ủy ban hòa"), fold("đồng") == fold("dòng"), fold("quý") == fold("quí")
    (True, False, True)
    """
    words = _WORD.findall(unicodedata.normalize("NFD", text.casefold()))
    return " ".join(_folded(word) for word in words)


@functools.lru_cache(maxsize=10_000)  # the same few hundred words stand in every file
def _folded(word: str) -> str:
    tone = "".join(_TONES.findall(word))
    plain = unicodedata.normalize("NFC", _TONES.sub("", word))
    if _SINGLE_Y.fullmatch(plain):
        plain = plain[:-1] + "i"
    return plain + tone


def without_numbering(text: str) -> str:
    """A name without the number, letter or dash that its row begins with, and without "Trong đó:".

    >>> without_numbering("6.1. Thuế"), without_numbering("- Thuế"), without_numbering("Thuế")
    ('Thuế', 'Thuế', 'Thuế')
    """
    before = None
    while text != before:
        before = text
        text = _NUMBERING.sub("", text, count=1) if _NUMBERING.match(text) else text
        text = re.sub(r"(?i)^\s*trong đó\s*[:,-]\s*(?=\S)", "", text)
    return text


@dataclass(frozen=True)
class Wordings:
    """What a ward's files may call things; made by `wordings`.

    `parents`: by revenue line, the one above it ("" for none), in the order of the table.
    """

    ward: str
    parents: dict[str, str]
    names: dict[str, str]
    _abbreviations: dict[str, str]
    _schools_abbreviated: dict[str, str]
    _items: dict[str, dict[str, tuple[str, ...]]]
    _heads: dict[str, frozenset[str]]
    _units: dict[str, str]
    _longest: int = 12  # words of a wording of a head, at most
    _named: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict, repr=False)

    @property
    def root(self) -> str:
        """The line above all others; "" where the ward has none."""
        return next((code for code, parent in self.parents.items() if not parent), "")

    def items(self, text: str) -> dict[str, tuple[str, ...]]:
        """By family (LINE, SCHOOL, FIELD, INDICATOR) the codes that a cell may name."""
        if len(text) > 200 or not any(char.isalpha() for char in text):
            return {}
        found = self._named.get(text)
        if found is None:  # the same names stand in every month of a long list
            words = fold(without_numbering(text))
            named = (
                (own, codes.get(self._folded(own, words))) for own, codes in self._items.items()
            )
            self._named[text] = found = {own: codes for own, codes in named if codes}
        return found

    def heads(self, text: str) -> frozenset[str]:
        """The codes of all that a column's head says; of wordings inside each other the longest."""
        if len(text) > _HEAD:
            return frozenset()
        words = self._expanded(fold(text), self._abbreviations).split()
        said: set[str] = set()
        at = 0
        while at < len(words):
            for end in range(min(len(words), at + self._longest), at, -1):
                codes = self._heads.get(" ".join(words[at:end]))
                if codes:
                    said |= codes
                    at = end
                    break
            else:
                at += 1
        return frozenset(said)

    def unknown(self, text: str) -> set[str]:
        """The folded words of a head that no wording of heads holds."""
        words = self._expanded(fold(text), self._abbreviations).split()
        left: set[str] = set()
        at = 0
        while at < len(words):
            ends = range(min(len(words), at + self._longest), at, -1)
            end = next((end for end in ends if " ".join(words[at:end]) in self._heads), 0)
            if not end:
                left.add(words[at])
            at = end or at + 1
        return left

    def begins_head(self, text: str) -> bool:
        """Whether a text begins with a wording of a head, as a head does and a title seldom."""
        words = self._expanded(fold(text), self._abbreviations).split()
        return any(" ".join(words[:end]) in self._heads for end in range(len(words), 0, -1))

    def unit(self, text: str) -> str:
        """The unit of money that a text spells, as how many đồng it holds ("1000"), or "USD"; "" for any
        other text."""
        words = [word for word in fold(text).split() if word not in _COUNTRY]
        return self._units.get(" ".join(words)) or self._units.get(fold(text), "")

    def unit_line(self, text: str) -> tuple[str, bool]:
        """The unit that a line above a table gives ("Đơn vị: 1000 đồng", "triệu đồng"), "" for none, and
        whether it speaks of a unit of money at all: "Đơn vị: UBND phường" names an office."""
        bare = self.unit(text.strip(" ().:"))
        if bare:
            return bare, True
        match = _MONEY.match(unicodedata.normalize("NFC", text))
        if match:
            rest = match[1].strip(" ().:")
            if unit := self.unit(rest):
                return unit, True
            words = set(fold(rest).split())
            return "", bool(words & _MONEY_WORDS) and not words & _OFFICES and len(words) <= 5
        inside = re.findall(r"\(([^()]{1,30})\)", text)
        for part in inside:
            if unit := self.unit_line(part)[0]:
                return unit, True
        return "", False

    def known(self, text: str) -> bool:
        """Whether a cell is something that a table of this ward is recognised by."""
        if len(text) > 200:
            return False
        # A unit in brackets behind other words says nothing of these.
        if self.items(text) or ("(" not in text.strip("( ") and self.unit_line(text)[0]):
            return True
        key = self._expanded(fold(text), self._abbreviations)
        return key in self._heads

    def nearest(self, family: str, text: str) -> tuple[str, ...]:
        """Codes whose names come near to a name that no wording has."""
        key = self._key(family, text)
        near = difflib.get_close_matches(key, self._items[family], n=3, cutoff=0.75)
        codes = (code for own in near for code in self._items[family][own])
        return tuple(dict.fromkeys(code for code in codes if code not in (SUM, GROUP)))

    def _key(self, family: str, text: str) -> str:
        return self._folded(family, fold(without_numbering(text)))

    def _folded(self, family: str, text: str) -> str:
        """A folded name as it is looked up: abbreviations in full, idle words left out."""
        own = self._schools_abbreviated if family == SCHOOL else self._abbreviations
        words = [part for word in text.split() for part in own.get(word, word).split()]
        if family == SCHOOL and len(words) > 1 and words[0] == _SCHOOL:
            words = words[1:]
        if family == LINE:
            kept = [word for word in words if word not in _IDLE_FOLDED] or words
            if len(kept) > 1 and kept[0] == "thu" and kept[1] in _DUES:
                kept = kept[1:]
            words = kept
        return " ".join(words)

    @staticmethod
    def _expanded(key: str, abbreviations: dict[str, str]) -> str:
        return " ".join(abbreviations.get(word, word) for word in key.split())


_HEAD = 400  # letters of a head, all levels together; what is longer is a remark
_SCHOOL = fold("trường")
_IDLE_FOLDED = {fold(word) for word in _IDLE}
_COUNTRY = {fold(word) for word in ("việt", "nam", "vn")}
_MONEY_WORDS = {
    fold(word)
    for word in [
        "đồng",
        "dồng",
        "đổng",
        "đông",
        "triệu",
        "nghìn",
        "ngàn",
        "tỷ",
        "vnđ",
        "vnd",
        "usd",
        "đ",
    ]
}
_OFFICES = {
    fold(word)
    for word in [
        "ubnd",
        "ủy",
        "phường",
        "xã",
        "trấn",
        "trường",
        "chi",
        "cục",
        "phòng",
        "quận",
        "huyện",
        "sở",
        "kho",
        "thôn",
        "tổ",
    ]
}
_DUES = {fold(word) for word in ("thuế", "phí", "lệ", "tiền")}


def wordings(ward: Ward) -> Wordings:
    """The wordings of a ward: those of the reference, and the names in its own tables.

    A table that is missing or faulty gives none; the checks name its faults.
    """
    shelf = Shelf(ward)

    def rows(name: str, *columns: str) -> Iterable[tuple[str, ...]]:
        table = ward.table(name)
        cells = shelf.cells(table) if table else None
        return list(zip(*(cells[column] for column in columns), strict=True)) if cells else []

    told = rows("wordings", "about", "code", "wording")
    lines = rows("revenue_lines", "code", "parent", "name_vi", "name_en")
    schools = rows("schools", "school", "name")
    indicators = rows("indicators", "code", "name_vi", "name_en")
    made = Wordings(
        ward=ward.id,
        parents={code: parent for code, parent, *_ in lines},
        names={code: name for code, _, name, _ in lines}
        | {code: name for code, name in schools}
        | {code: name for code, name, _ in indicators},
        _abbreviations={
            fold(short): fold(long) for about, long, short in told if about == "abbreviation"
        },
        _schools_abbreviated={
            fold(short): fold(long) for about, long, short in told if about == "school abbreviation"
        },
        _items={LINE: {}, SCHOOL: {}, FIELD: {}, INDICATOR: {}},
        _heads={},
        _units={fold(wording): code for about, code, wording in told if about == "unit"}
        | ({} if ward.currency == "VND" else {fold(ward.currency): ward.currency}),
    )

    def name(family: str, code: str, *texts: str) -> None:
        for text in texts:
            key = made._key(family, text)
            known = made._items[family].get(key, ())
            if known and code in (SUM, GROUP):
                continue  # a name of one thing is none of a total of anything
            made._items[family][key] = known if code in known else (*known, code)

    codes = {
        LINE: {code for code, *_ in lines} | {SUM, GROUP},
        FIELD: {"extracurricular", "culture", "sport"},
        INDICATOR: {code for code, *_ in indicators},
    }
    for code, _, *texts in lines:
        name(LINE, code, code, *texts)
    for code, text in schools:
        name(SCHOOL, code, code, text)
    for code, *texts in indicators:
        name(INDICATOR, code, code, *texts)
    for about, code, wording in told:
        if code in codes.get(about, ()):
            name(about, code, wording)
        elif about == "head":
            key = made._expanded(fold(wording), made._abbreviations)
            made._heads[key] = made._heads.get(key, frozenset()) | {code}
    for code in sorted(codes[FIELD]):
        name(FIELD, code, code)
    for code, text in schools:  # a name without its remark, where that leaves it alone of its name
        short = made._key(SCHOOL, re.sub(r"\s*\([^()]*\)", "", text))
        others = [
            own
            for own, other in schools
            if own != code and made._key(SCHOOL, re.sub(r"\s*\([^()]*\)", "", other)) == short
        ]
        if not others:
            name(SCHOOL, code, re.sub(r"\s*\([^()]*\)", "", text))
    return made
