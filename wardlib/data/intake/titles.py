"""Titles: what stands above a table says of time, of the ward and of what its figures are."""

from __future__ import annotations

import re

from wardlib.data.intake.grids import Place
from wardlib.data.intake.months import told
from wardlib.data.intake.sheets import UNTIL
from wardlib.data.intake.wordings import fold

# Words that turn a title into one of other money than that collected in a month.
_OTHER = {
    fold(words)
    for words in (
        "nợ đọng", "nợ thuế", "hoàn trả", "hoàn thuế", "miễn giảm", "bình quân", "phải thu", "phải nộp",
        "budgeted", "arrears", "refunds", "average",
    )
}  # fmt: skip
_TASKS = {fold(words) for words in ("nhiệm vụ", "kế hoạch thu")}
_SPENDING = f" {fold('chi ngân sách')} "
_PARTLY = {
    fold(words)
    for words in ("tuần", "nửa đầu", "nửa cuối", "10 ngày", "15 ngày", "week", "half of")
}
# Words of heads that tell nothing of what a column holds.
FILLERS = {
    fold(word)
    for word in (
        "thu", "số", "tiền", "tổng", "cộng", "trong", "tháng", "kỳ", "này", "năm", "đó", "trên",
        "địa", "bàn", "của", "đến", "được", "kết", "quả", "phát", "sinh", "ngân", "sách", "nhà",
        "nước", "phường", "xã", "thị", "trấn", "đồng", "triệu", "nghìn", "ngàn", "tỷ", "đ", "vnđ",
        "vnd", "trđ", "theo", "phần", "vào", "và", "từ", "đã", "nsnn", "nsx", "nsp", "hưởng",
        "đơn", "vị", "tính", "đvt", "báo", "cáo", "các", "khoản", "tại", "ước", "thực", "hiện",
        "lũy", "kế", "luỹ", "quý", "hết", "ngày", "đầu", "tr", "usd", "in", "us", "dollars", "of",
        "the", "month", "year", "actual", "total", "collected", "kept", "receipts", "for", "to",
        "amount", "revenue", "by", "its", "own", "ward", "city", "january", "february", "march",
        "april", "may", "june", "july", "august", "september", "october", "november", "december",
        "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "t", "th",
        "một", "hai", "ba", "tư", "bốn", "năm", "sáu", "bảy", "tám", "chín", "mười", "giêng",
        "chạp",
    )
} | {"%"}  # fmt: skip
# A commune's name: words with a capital after what it is.
_COMMUNE = re.compile(
    r"(?:\b[Pp]hường|\bPHƯỜNG|\b[Xx]ã|\bXÃ|\b[Tt]hị trấn|\bTHỊ TRẤN|\b[Pp]\.)\s*:?\s*((?:[^\W\d_a-zđ][\w]*[ \t]?){1,5})"
)
DISTRICT = re.compile(
    r"(?:NGÂN SÁCH|[Nn]gân sách)\s+(?:QUẬN|HUYỆN|THỊ XÃ|[Qq]uận|[Hh]uyện|[Tt]hị xã)\s+[^\W\d_a-zđ]\w*(?:\s+[^\W\d_a-zđ]\w*)*"
)
_NO_NAME = {
    fold(word)
    for word in (
        "tháng", "năm", "quý", "thu", "chi", "hưởng", "được", "hội", "phường", "xã", "quản", "lý", "trên", "và", "theo",
        "dự", "thực", "kỳ", "nsnn", "nsx", "nsp", "ngân", "báo", "từ", "đến", "các", "tổng", "số", "ước", "lũy", "cùng",
        "so", "độc", "cộng", "quận", "huyện", "thành", "tỉnh", "giao", "hđnd", "ubnd", "đã", "tờ", "biểu", "mẫu",
    )
}  # fmt: skip


def communes(text: str) -> list[str]:
    """The names of communes in a text, without what they are."""
    names = []
    for match in _COMMUNE.finditer(text.replace("\n", " | ")):
        words: list[str] = []
        for word in match[1].split():
            if fold(word) in _NO_NAME:
                break
            words.append(word)
        if words:
            names.append(" ".join(words))
    return names


def is_other(text: str, codes: frozenset[str]) -> bool:
    """Whether a title, which says the `codes` of heads, is one of other money than that collected: a plan,
    arrears, refunds, spending."""
    words = f" {fold(text)} "
    odd = any(f" {word} " in words for word in _OTHER)
    # "Thu, chi ngân sách" heads both.
    spending = _SPENDING in words and f" {fold('thu')} " not in words
    tasks = any(f" {word} " in words for word in _TASKS)
    planned = ("plan" in codes or tasks) and not codes & {"actual", "estimate"}
    return odd or spending or planned


def is_partly(text: str) -> bool:
    """Whether a title is of a part of a month, or of several months that do not begin with January."""
    words = f" {fold(text)} "
    spans = any(not number for _, number in told(text).quarters)
    return spans or any(f" {word} " in words for word in _PARTLY)


class Title:
    """What stands above a table says of time, the nearest first; the name of the sheet says it last."""

    def __init__(self, context: list[tuple[Place, str]], sheet: str) -> None:
        self._said = [(place, text, told(text)) for place, text in context]
        self._sheet = told(sheet)

    @property
    def year(self) -> int:
        """The nearest year that is named alone; 0 for none."""
        for _, _, when in self._said:
            if when.year:
                return when.year
        return self._sheet.year

    @property
    def quarter(self) -> tuple[Place, str] | None:
        """Place and text of a quarter, or of another span of several months."""
        return next(((place, text) for place, text, when in self._said if when.quarters), None)

    @property
    def cumulative(self) -> bool:
        """Whether the title speaks of several months from January on."""
        return any(when.until for _, _, when in self._said)

    @property
    def single(self) -> tuple[Place, str, str] | None:
        """The place, month and text of a title that names one month and year."""
        for place, text, when in self._said:
            if when.months:
                if len(when.months) == 1 and when.months[0][0]:
                    ((year, number),) = when.months
                    return place, f"{year}-{number:02}", text
                return None
        return None

    @property
    def place(self) -> Place | None:
        """The place of the nearest text that names a month."""
        return next((place for place, _, when in self._said if when.months), None)

    def month(self, span: str) -> tuple[str, int, int]:
        """Span, year and number of the month that a column without one is of; zeros where unknown."""
        for when in (*(own for _, _, own in self._said), self._sheet):
            if len(when.months) == 1 and not (span == UNTIL and when.until):
                return (span, *when.months[0])
            if len(when.until) == 1:
                return (UNTIL, *when.until[0])
            if when.months or when.until:
                break
        return span, 0, 0
