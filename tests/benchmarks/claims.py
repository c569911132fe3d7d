"""Walk every printed claim of every page and name those that cannot be true, or are not said as agreed.

    python tests/benchmarks/claims.py [--wards phuc-dong philadelphia] [--years 2019 2020 2021]
                                      [--parts 04 Q2 H1 9M ""] [--notebooks 30-targets] [--seeds 10]

The notebooks' cells are run in this process; what they show is read as a reader reads it: sentences, rows
of tables, captions, notes, alt texts, the words in pictures. Editions: months, quarters, half-years, nine
months and years, as of no day, of the 13th of the period's last month and of ten days after its end, in both
languages; `--seeds` adds so many other illustrative wards (`data/phuc-dong/make.py`). Prints how many claims
were read and every violation with its rule, edition, notebook and words. The rules are those of `RULES`.
"""

from __future__ import annotations

import argparse
import ast
import datetime
import functools
import json
import os
import re
import runpy
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import IPython.display
import numpy as np
import pandas as pd
from babel import Locale
from matplotlib.text import Text

import wardlib
from wardlib import language as languages
from wardlib.analysis.tables import need
from wardlib.data import descriptors
from wardlib.errors import RequestError
from wardlib.language import Language
from wardlib.pages import drawing
from wardlib.pages.block import Block
from wardlib.periods import Period
from wardlib.provenance import digest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = tuple(sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb")))
PARTS = (
    *(f"{month:02}" for month in range(1, 13)), "Q1", "Q2", "Q3", "Q4", "H1", "9M", ""
)  # fmt: skip


class Claim(NamedTuple):
    """One thing that a reader reads: `kind` of its block (`note` for the small print below a table,
    `picture` for words in a drawing), the block's `slug`, `text`, and the whole `block` up to its end."""

    notebook: str
    kind: str
    slug: str
    text: str
    block: str


class Pages(NamedTuple):
    """What the notebooks of an edition say.

    `day`: to which its figures are known; `unknown`: months of its year not known by then;
    `names`: lines by name; `tables`: by notebook, the content and the resource of each table or chart.
    """

    edition: str
    language: Language
    year: int
    day: datetime.date
    unknown: int
    names: Mapping[str, str]
    claims: Sequence[Claim]
    tables: Sequence[tuple[str, Mapping[str, Any], Mapping[str, Any]]]


class Violation(NamedTuple):
    rule: str
    edition: str
    notebook: str
    text: str


# ------------------------------------------------------------------------------- reading the pages


def shown(
    notebook: str, parameters: Mapping[str, str], opened: Callable[..., Any]
) -> tuple[list[Block], list[list[str]]]:
    """The blocks that a notebook's cells show, and the words of each picture drawn, in their order."""
    blocks: list[Any] = []
    pictures: list[list[str]] = []

    def outlines(figure: Any) -> str:
        words = [found.get_text().strip() for found in figure.findobj(Text) if found.get_visible()]
        pictures.append([word for word in words if word])
        return "<svg/>"

    raw = json.loads((ROOT / "notebooks" / f"{notebook}.ipynb").read_text(encoding="utf-8"))
    names: dict[str, Any] = {}
    with (
        patch.object(wardlib, "open", opened),
        patch.object(IPython.display, "display", lambda *shown_: blocks.extend(shown_)),
        patch.object(drawing, "outlines", outlines),
    ):
        for cell in raw["cells"]:
            if cell["cell_type"] != "code":
                continue
            tree = ast.parse("".join(cell["source"]))
            last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, notebook, "exec"), names)
            if "parameters" in cell["metadata"].get("tags", []):
                names |= parameters
            if last is not None:
                value = eval(compile(ast.Expression(last.value), notebook, "eval"), names)
                if value is not None:
                    blocks.append(value)
    return [block if isinstance(block, Block) else block.head for block in blocks], pictures


def walk(
    ward: str, period: str, code: str, as_of: str = "", notebooks: Iterable[str] = NOTEBOOKS
) -> Pages | None:
    """What the pages of an edition say; None where it has no receipts."""
    try:
        book = wardlib.open(ward, period, code, as_of)
    except RequestError:
        return None
    claims: list[Claim] = []
    tables = []
    parameters = {"ward": ward, "period": period, "language": code, "as_of": as_of}
    for notebook in notebooks:
        blocks, pictures = shown(notebook, parameters, lambda *_: book)
        for words in pictures:
            claims += [Claim(notebook, "picture", "", word, word) for word in words]
        for block in blocks:
            claims += claims_of(notebook, block.content)
            if block.figures is not None:
                tables.append((notebook, block.content, block.figures))
    lines = need(book.table, "revenue_lines")
    pick = f"name_{code}"
    about = book.about
    told = next(about[name] for name in ("day", "as_of", "newest_report") if about.get(name))
    day = datetime.date.fromisoformat(str(told))
    return Pages(
        edition=f"{ward} {period}{f' as of {as_of}' if as_of else ''} {code}",
        language=languages.get(code),
        year=Period.parse(period).year,
        day=day,
        unknown=12 - known_months(ward, Period.parse(period), day),
        names=dict(zip(lines[pick], lines["code"], strict=True)),
        claims=claims,
        tables=tables,
    )


def known_months(ward: str, period: Period, day: datetime.date) -> int:
    """Months of the period's year of which receipts were known on a day: any up to the period's end, more
    than an estimate after it, as the month is then still going on."""
    table = _receipts(descriptors.home() / "data" / ward / "receipts.csv")
    seen = table["reported_on"] <= day.isoformat()
    counts = (table["month"] <= str(period.last)) | (table["status"] != "estimate")
    own = table["month"].str.startswith(f"{period.year}-")
    return int(table["month"][seen & counts & own].nunique())


@functools.lru_cache(maxsize=4)
def _receipts(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, usecols=["month", "status", "reported_on"], dtype=str)


def claims_of(notebook: str, content: Mapping[str, Any]) -> list[Claim]:
    """What a reader reads in a block, sentence by sentence; a row of a table is one."""
    kind, slug = content["kind"], content.get("slug", "")
    texts: list[tuple[str, str, str]] = []  # kind, text, what it stands in up to its end

    def add(text: str, as_: str = kind, before: str = "") -> None:
        for sentence in sentences(text):
            before = f"{before} {sentence}"
            texts.append((as_, sentence, before))

    if kind == "headline":
        add(" ".join(content["sentences"]))
    elif kind == "list":
        for text in content["items"]:
            add(text)
    elif kind == "cards":
        for card in content["cards"]:
            add(" · ".join(filter(None, card.values())))
    elif kind == "table":
        add(content["caption"], "caption")
        add(content["note"], "note")
        add(" | ".join(column["head"] for column in content["columns"]), "caption")
        for row in content["rows"]:
            cells = [" ".join(cell["lines"]) + cell["mark"] for cell in row["cells"]]
            text = " | ".join(filter(None, [row["head"], row["says"], *cells]))
            texts.append(("row", " ".join(text.split()), text))
    elif kind == "chart":
        add(content["caption"], "caption")
        add(content["alt"] if isinstance(content["alt"], str) else " ".join(content["alt"]), "alt")
    elif kind == "head":
        for text in content["lines"]:
            add(text)
    elif kind != "sources":  # hashes and titles are no claims
        for text in _strings({key: content[key] for key in content if key not in ("kind", "slug")}):
            add(text)
    return [Claim(notebook, as_, slug, text, whole) for as_, text, whole in texts]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, Sequence):
        for one in value:
            yield from _strings(one)


def sentences(text: str) -> list[str]:
    """The sentences of a text.

    >>> sentences("Thu 6.240 triệu đồng. Hụt thu 1,5 triệu.")
    ['Thu 6.240 triệu đồng.', 'Hụt thu 1,5 triệu.']
    """
    found: list[str] = []
    for part in re.split(r"(?<=[.!?])\s+", " ".join(text.split())):
        if found and not part[:1].isupper():
            found[-1] += f" {part}"
        elif part:
            found.append(part)
    return found


# ---------------------------------------------------------------------------------------- amounts

_FIGURE = r"[-−+]?\d[\d.,]*(?<![.,])"
_SCALES = {
    "triệu": 1e6,
    "tỷ": 1e9,
    "nghìn": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "M": 1e6,
    "B": 1e9,
}
_AMOUNT = rf"(?:(?:VND|USD)\s)?(?P<figure>{_FIGURE})\s?(?:(?P<scale>triệu|tỷ|nghìn|million|billion|M|B)\b)?"


def value_of(figure: str, language: Language) -> float:
    """A printed figure as a number.

    >>> value_of("1.234,5", languages.get("vi")), value_of("-1,234.5", languages.get("en"))
    (1234.5, -1234.5)
    """
    thousands = "." if language.comma == "," else ","
    plain = figure.replace("−", "-").replace(thousands, "").replace(language.comma, ".")
    return float(plain)


def amounts(pattern: str, text: str, language: Language) -> list[tuple[float, float]]:
    """The amounts that a pattern with AMOUNT finds in a text, in base units, each with half of its last
    digit; those without a scale ("triệu đồng") are left out."""
    found = []
    for match in re.finditer(pattern.replace("AMOUNT", _AMOUNT), text, re.IGNORECASE):
        if match["scale"]:
            scale = _SCALES[match["scale"] if match["scale"] in _SCALES else match["scale"].lower()]
            decimals = len(match["figure"].partition(language.comma)[2])
            half = 0.5 * 10.0**-decimals
            found.append((scale * value_of(match["figure"], language), scale * half))
    return found


def first_figure(cell: Mapping[str, Any], language: Language) -> float | None:
    """The figure that a cell leads with, what is less than its last digit as nought; None where it has
    none."""
    text = cell["lines"][0].strip() if cell["lines"] else ""
    if text.startswith("<"):
        return 0.0
    match = re.match(_FIGURE, text)
    return value_of(match[0], language) if match else None


def line_in(text: str, names: Mapping[str, str]) -> str | None:
    """The line whose name stands last in a text, the longest of several there."""
    low = text.lower()
    places = [(low.rfind(name.lower()), name) for name in names]
    ends = [(at + len(name), len(name), names[name]) for at, name in places if at >= 0]
    return max(ends)[2] if ends else None


def span_in(
    text: str, rows: Iterable[Mapping[str, Any]], language: Language
) -> tuple[str, str] | None:
    """The months (first, last) of one of `rows` that a text names last; the longest of several there."""
    plain = " ".join(text.split()).lower()
    found = []
    for first, last in {(str(row["first"]), str(row["last"])) for row in rows}:
        ends = pd.Period(first, "M"), pd.Period(last, "M")
        for words in (language.span(*ends), language.span_short(*ends)):
            own = " ".join(words.split()).lower()
            if (at := plain.rfind(own)) >= 0:
                found.append((at + len(own), len(own), (first, last)))
    return max(found)[2] if found else None


def spans(pages: Pages) -> list[Mapping[str, Any]]:
    """The rows of all resources that are of a line and of months."""
    return [
        row
        for _, _, figures in pages.tables
        for row in figures["data"]
        if {"line", "first", "last", "expected", "collected"} <= row.keys()
        and row["first"] and row["last"] and row["expected"] is not None
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------ rules

_LOSS = {"en": r"\b(?:loss|lost)\b", "vi": r"mất thu|bị mất"}
_UNSAID = {
    "en": r"\bnot\b|\bno\b|cannot|excluded|at most|evidence|or lost|\bif\b|\bany\b",
    "vi": r"chưa|không|nếu|nhiều nhất|loại trừ|hoặc mất",
}
_SURPLUS = {"en": r"\bmore (?:than|came|was)\b", "vi": r"vượt|nhiều hơn"}
_SHORTFALL = {"en": r"shortfall", "vi": r"hụt thu"}
_CALLED_SHORT = {
    "en": (
        r"shortfall(?: of|:)? AMOUNT",
        r"AMOUNT(?: [A-Z]{3})? (?:\([^)]*\) )?less than expected",
    ),
    "vi": (r"hụt(?: thu)? AMOUNT", r"ít hơn(?: mức)? dự kiến AMOUNT"),
}
_CALLED_LOST = {"en": (r"\blost:? AMOUNT",), "vi": (r"mất(?: thu)?:? AMOUNT",)}
_LAST_DAY = {
    "en": r"(?:until|by|before|not after)(?: the)? (?P<day>DATE)",
    "vi": r"(?:chậm nhất|đến hết|đến|trước|hạn|còn được nộp:?)(?: là)?(?: ngày)? (?P<day>DATE)",
}
_STILL = {
    "en": r"may (?:still|come)|can still|still lawfully|not yet due|at the latest|falling due|falls due|"
    r"last lawful day|put off until",
    "vi": r"còn được nộp|còn có thể|chưa đến hạn|chậm nhất|phải nộp trước|được gia hạn đến",
}
_PAST = {
    "en": r"since paid|paid since|has since|have since|was due|were due|fell due|had to|had been|has come|"
    r"have come|could be paid|unpaid|overdue",
    "vi": r"đã nộp|đã đến hạn|đã hết hạn|đã qua|nay đã|quá hạn",
}
_DECREE = r"\d/\d{4}/[A-ZĐ]"  # what a law says is told in its own words
_PROJECTED = {
    "en": r"\bprojected\b|chance of reaching|likely to be met|year's end \(|will (?:end|reach|stand)",
    "vi": r"dự kiến (?:cả|cuối) năm|cuối năm đạt|xác suất đạt|khả năng đạt|chưa chắc chắn",
}
_ONCE = {
    "en": r"\b(?:was|were|had been) projected|at the time|nothing remains",
    "vi": r"khi đó|lúc đó|đã từng|không còn gì",
}
_LEFT = {
    "en": r"(?P<a>\d+) months? (?:that )?remain|remaining (?P<b>\d+) months?|(?P<c>\d+) remaining months?",
    "vi": r"(?P<a>\d+) tháng còn lại|còn lại (?P<b>\d+) tháng|\bcòn (?P<c>\d+) tháng",
}
_MONTHS = tuple(Locale("en").months["format"]["wide"].values())
_DATE = rf"\d{{1,2}}/\d{{1,2}}(?:/\d{{4}})?|\d{{1,2}} (?:{'|'.join(_MONTHS)})(?: \d{{4}})?"
BANNED = {
    "a fault where the law put off": r"chậm nộp|late, not lost|late, since paid",
    "never lost": r"không phải mất",
    "plan of nobody": r"kế hoạch cấp trên",
    "nought of": r"(?<![\d.,])0 trên ",
    "minus nought": r"[-−]0(?:[.,]0+)?(?![\d.,]*\d)",
    "one months": r"each of the 1\b|\b1 (?:months|times|days|events)\b",
    "million": r"\bM (?:VND|USD)\b",
    "too fine": r"(?<![\d.,])0[.,]00\d",
    "nothing": r"\b(?:nan|NaN|NaT|None(?! of)|inf)\b",
}
_LAW = r"not payable by law|không phải nộp theo luật"
_BOTH = r"\b80\s?(?:%|,|and|và)[^|]*\b95\s?%"


def bridges(pages: Pages) -> Iterator[tuple[str, str]]:
    """Every bridge adds up as printed: expected - members + paid for earlier months = collected."""
    named = pages.language.words("bridge") if _has("bridge") else {}
    for notebook, content, figures in pages.tables:
        if "bridge" not in content["slug"]:
            continue
        # A chart's figures are as printed, with what is less than the last digit as it is.
        slack = 0.05 * (scale_of(content["caption"]) or 0.0) if content["kind"] == "chart" else 1e-6
        for row in figures["data"]:
            yield from ((notebook, text) for text in _unequal(row, named, slack))
        if content["kind"] == "chart":
            continue
        heads = [" ".join(column["head"].lower().split()) for column in content["columns"]]
        members = {heads.index(words.lower()): name for name, words in named.items()
                   if words.lower() in heads}  # fmt: skip
        end = max(members, default=1) + 1  # the column of what was collected
        for row in content["rows"]:
            cells = [None, *(first_figure(cell, pages.language) for cell in row["cells"])]
            if cells[1] is None and cells[end] is None:
                continue  # no statement
            total = 0.0
            for at in range(1, end):
                sign = 1 if at == 1 or members.get(at) == "earlier" else -1
                total += sign * (cells[at] or 0.0)
            # "<0.1" stands for whatever is less.
            small = any(cell["lines"][0].startswith("<") for cell in row["cells"][:end])
            slack = 10.0**-1 if small else 1e-6
            if cells[1] is None or cells[end] is None or abs(total - cells[end]) > 1.001 * slack:
                printed = [cell["lines"][0] for cell in row["cells"][:end]]
                yield notebook, f"{row['head']}: {' | '.join(printed)} (gives {total:.1f})"


def _has(kind: str) -> bool:
    """Whether the table of words has words of that kind."""
    return any(row["kind"] == kind for row in languages._words())


def _unequal(row: Mapping[str, Any], named: Mapping[str, str], slack: float) -> Iterator[str]:
    """The row of figures behind a bridge, where its members do not add up."""
    if not named or any(row.get(name) is None for name in (*named, "expected", "collected")):
        return
    left = row["expected"] - sum(row[name] * (-1 if name == "earlier" else 1) for name in named)
    if abs(left - row["collected"]) > max(slack, 1e-6 * abs(row["expected"])):
        months = f"{row.get('first')} to {row.get('last')}"
        yield f"figures of {row.get('line')}, {months}: {left:.1f} is not {row['collected']:.1f}"


def scale_of(caption: str) -> float | None:
    """The unit of money that a caption names; None where it names none."""
    return next((_SCALES[word] for word in _SCALES if re.search(rf"\b{word}\b", caption)), None)


def one_number(pages: Pages) -> Iterator[tuple[str, str]]:
    """One quantity of the same line and months is the same everywhere, in figures and in words."""
    known: dict[tuple[str, ...], tuple[float, str]] = {}
    for notebook, content, figures in pages.tables:
        about = figures.get("period", "")
        for row in figures["data"]:
            for key, value in _quantities(row, content["slug"], str(about)):
                where = f"{notebook}, {content['slug']}"
                if key not in known:
                    known[key] = value, where
                elif not np.isclose(known[key][0], value, rtol=1e-9, atol=0.5):
                    yield (
                        notebook,
                        (
                            f"{' '.join(key)}: {value} in {where}, {known[key][0]} in {known[key][1]}"
                        ),
                    )
    yield from _one_word(pages)


def _quantities(
    row: Mapping[str, Any], slug: str, period: str
) -> Iterator[tuple[tuple[str, ...], float]]:
    """What a row of a resource says of lines: (line, first, last, quantity), value."""
    months = Period.parse(period) if period else None
    cells = {name: value for name, value in row.items()
             if isinstance(value, (int, float)) and not isinstance(value, bool)}  # fmt: skip
    if "line" in row and row.get("first") and row.get("last"):
        yield from (
            ((row["line"], row["first"], row["last"], name), value) for name, value in cells.items()
        )
    elif months is not None:
        year, end = str(months.year), str(months.last)
        line = row.get("line") or (row.get("item") if row.get("kind") == "money" else None)
        if not line or "month" in row:
            return
        from_january = {"year_to_date": "collected", "kept_year_to_date": "kept"}
        in_period = {"period": "collected", "kept_period": "kept"}
        for name, value in cells.items():
            if name in from_january:
                yield (line, f"{year}-01", end, from_january[name]), value
            elif name in in_period:
                yield (line, str(months.first), end, in_period[name]), value
            elif name in ("plan_upper", "plan_ward"):
                yield (line, year, name), value
            elif name == "target" and row.get("set_by"):
                yield (line, year, f"plan_{row['set_by']}"), value
            elif name == "value" and str(row.get("through")) == end:
                yield (line, f"{year}-01", end, "collected"), value
            elif slug in ("targets", "projections", "targets-brief"):
                yield (line, year, f"{row.get('set_by')} {name}"), value


def _one_word(pages: Pages) -> Iterator[tuple[str, str]]:
    """What sentences and tables call a shortfall, or lost, of a line in some months, is one amount."""
    code, rows = pages.language.code, spans(pages)
    called: dict[tuple[object, ...], list[tuple[float, float, str, str]]] = {}
    for claim in pages.claims:
        if claim.kind not in ("headline", "list", "paragraph"):
            continue
        line = line_in(claim.block, pages.names)
        months = span_in(claim.block, rows, pages.language)
        for word, patterns in (("short", _CALLED_SHORT), ("lost", _CALLED_LOST)):
            for pattern in patterns[code]:
                for value, half in amounts(pattern, claim.text, pages.language):
                    said = value, half, claim.notebook, claim.text
                    called.setdefault((line, months, word), []).append(said)
    for notebook, content, _ in pages.tables:
        if content["kind"] != "table":
            continue
        scale = scale_of(content["caption"])
        heads = [column["head"].lower() for column in content["columns"]]
        short = [
            at for at, head in enumerate(heads) if re.search(_SHORTFALL[code] + "|^thiếu", head)
        ]
        if scale is None:
            continue
        months = span_in(content["caption"], rows, pages.language)
        for row in content["rows"]:
            line = next((pages.names[name] for name in pages.names if name == row["head"]), None)
            for at in short:
                value = first_figure(row["cells"][at - 1], pages.language)
                if value is not None and line:
                    said = (
                        scale * value,
                        0.05 * scale,
                        notebook,
                        f"{content['caption']}: {row['head']}",
                    )
                    called.setdefault((line, months, "short"), []).append(said)
    for (line, months, word), said in called.items():
        if line is None or months is None:
            continue
        value, half, notebook, text = said[0]
        for other, other_half, other_notebook, other_text in said[1:]:
            if abs(abs(other) - abs(value)) > half + other_half + 1e-6 * abs(value):
                yield (
                    other_notebook,
                    (
                        f"{word}: {other / 1e6:.1f} in {other_text!r}, but {value / 1e6:.1f} in {notebook}: {text!r}"
                    ),
                )


def future(pages: Pages) -> Iterator[tuple[str, str]]:
    """No future tense about what is known on the edition's day."""
    code = pages.language.code
    for claim in pages.claims:
        text = claim.text
        told = re.search(_PAST[code], text, re.I) or re.search(_DECREE, text)
        if re.search(_STILL[code], text, re.I) and not told:
            for match in re.finditer(_LAST_DAY[code].replace("DATE", _DATE), text, re.I):
                day = _day(match["day"], pages.year)
                if day and day < pages.day:
                    yield claim.notebook, f"{day} is past: {text}"
        # Estimates of the whole of December are known before it has ended.
        over = pages.unknown == 0 and pages.day.year > pages.year and claim.kind != "note"
        if (
            over
            and re.search(_PROJECTED[code], text, re.I)
            and not re.search(_ONCE[code], text, re.I)
        ):
            yield claim.notebook, f"the year is known: {text}"
        for match in re.finditer(_LEFT[code], text, re.IGNORECASE):
            left = int(next(filter(None, match.groupdict().values())))
            if left > pages.unknown:
                yield claim.notebook, f"{pages.unknown} months are unknown: {text}"


def _day(text: str, year: int) -> datetime.date | None:
    """The day that a text names, in `year` where it names none; None where there is no such day."""
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    month = next((at for at, name in enumerate(_MONTHS, 1) if name in text), None)
    if month:
        numbers.insert(1, month)
    day, month, *named = numbers
    try:
        return datetime.date(*(named or [year]), month, day)
    except ValueError:
        return None


def loss_of_surplus(pages: Pages) -> Iterator[tuple[str, str]]:
    """No loss of a line that brought more than expected, unless the sentence says both."""
    code, rows = pages.language.code, spans(pages)
    for claim in pages.claims:
        text = claim.text
        if claim.kind in ("note", "caption", "picture", "alt") or not re.search(
            _LOSS[code], text, re.I
        ):
            continue
        if re.search(_SURPLUS[code], text, re.I):
            continue
        # Each part of an enumeration is of its own lines; what is not shown is not claimed.
        for part in re.split(r"[;.]\s", text):
            if not re.search(_LOSS[code], part, re.I) or re.search(_UNSAID[code], part, re.I):
                continue
            against = re.search(
                rf"(?P<came>{_FIGURE})[^|;]*?(?:against|so với)[^|;\d]*(?P<due>{_FIGURE})", part
            )
            if against:
                came, due = (value_of(against[name], pages.language) for name in ("came", "due"))
                if came > due:
                    yield claim.notebook, text
                continue
            months = span_in(text, rows, pages.language) or span_in(
                claim.block, rows, pages.language
            )
            line = line_in(part, pages.names) or line_in(claim.block, pages.names)
            own = [row for row in rows if row["line"] == line
                   and (months is None or (row["first"], row["last"]) == months)]  # fmt: skip
            if claim.kind == "row":  # the figures of the row itself, where they can be found
                same = [row for row in own if _prints(text, row["expected"], pages.language)]
                own = same[:1]
            if own and own[0]["collected"] > own[0]["expected"]:
                yield claim.notebook, f"{line}: {text}"


def _prints(text: str, value: float, language: Language) -> bool:
    """Whether a text holds a figure of this value, in some unit of money; nought is one of no unit."""
    figures = [value_of(figure, language) for figure in re.findall(_FIGURE, text)]
    return any(
        abs(figure * scale - value) <= 0.051 * scale
        for figure in figures
        if figure
        for scale in (1.0, 1e3, 1e6, 1e9)
    )


def banned(pages: Pages) -> Iterator[tuple[str, str]]:
    """Words and figures that no page prints."""
    for claim in pages.claims:
        for name, pattern in BANNED.items():
            if re.search(pattern, claim.text):
                yield claim.notebook, f"{name}: {claim.text}"
        if re.search(_LAW, claim.text) and not re.search(r"\d", claim.text):
            yield claim.notebook, f"without amount: {claim.text}"
        if re.search(_BOTH, claim.text):
            yield claim.notebook, f"80 % and 95 %: {claim.text}"


def positive(pages: Pages) -> Iterator[tuple[str, str]]:
    """A shortfall is positive."""
    word = _SHORTFALL[pages.language.code]
    for claim in pages.claims:
        if re.search(
            rf"(?:{word})[^\d|]{{0,12}}[-−]\d|negative shortfall|thiếu âm|hụt thu âm",
            claim.text,
            re.I,
        ):
            yield claim.notebook, claim.text
    for notebook, content, _ in pages.tables:
        if content["kind"] != "table":
            continue
        for at, column in enumerate(content["columns"]):
            if at and re.search(word + "|^thiếu", column["head"], re.I):
                for row in content["rows"]:
                    value = first_figure(row["cells"][at - 1], pages.language)
                    if value is not None and value < 0:
                        yield notebook, f"{column['head']} of {row['head']}: {value}"


RULES: Mapping[str, Callable[[Pages], Iterator[tuple[str, str]]]] = {
    "bridge": bridges,
    "one number": one_number,
    "future": future,
    "loss of surplus": loss_of_surplus,
    "words": banned,
    "shortfall": positive,
}


def violations(pages: Pages) -> list[Violation]:
    """What the pages of an edition say against the rules."""
    found = [
        Violation(rule, pages.edition, notebook, text)
        for rule, finds in RULES.items()
        for notebook, text in finds(pages)
    ]
    return list(dict.fromkeys(found))


# ---------------------------------------------------------------------------------------- editions


def copied(folder: Path, seed: int | None = None) -> Path:
    """A copy of the workbook's data; with the illustrative ward of another seed in place of ours."""
    shutil.copytree(ROOT / "data", folder / "data", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "notebooks").mkdir()
    if seed is not None:
        ward = folder / "data" / "phuc-dong"
        make = _made()
        for name, table in make["make"](seed).items():
            table.to_csv(
                ward / f"{name}.csv", index=False, lineterminator="\n", float_format=make["plain"]
            )
        path = ward / "datapackage.json"
        described = json.loads(path.read_text(encoding="utf-8"))
        for resource in described["resources"]:
            resource["hash"] = digest(ward / resource["path"])
        path.write_text(json.dumps(described, ensure_ascii=False), encoding="utf-8")
    return folder


@functools.cache
def _made() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "data" / "phuc-dong" / "make.py"))


def days(period: str) -> list[str]:
    """As of which days an edition is walked: none, during its last month, ten days after its end."""
    last = Period.parse(period).last
    end = last.end_time + pd.Timedelta(days=10)
    return ["", f"{last}-13", f"{end:%Y-%m-%d}"]


def main() -> None:
    """Walk them all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wards", nargs="*", default=["phuc-dong", "philadelphia"])
    parser.add_argument("--years", nargs="*", type=int, default=[2019, 2020, 2021])
    parser.add_argument("--parts", nargs="*", default=PARTS, help='04, Q2, H1, 9M, "" for the year')
    parser.add_argument("--notebooks", nargs="*", default=NOTEBOOKS)
    parser.add_argument(
        "--seeds", type=int, default=0, help="other illustrative wards, a year each"
    )
    options = parser.parse_args()
    editions = claims = 0
    found: list[Violation] = []
    wards = [(name, None) for name in options.wards]
    wards += [("phuc-dong", seed) for seed in range(1, options.seeds + 1)]
    for name, seed in wards:
        with tempfile.TemporaryDirectory() as folder:
            home = ROOT if seed is None else copied(Path(folder), seed)
            with patch.dict(os.environ, {"WARDLIB_HOME": str(home)}):
                for year in options.years:
                    for part in options.parts:
                        period = f"{year}-{part}" if part else str(year)
                        for as_of in days(period):
                            for code in languages.CODES:
                                pages = walk(name, period, code, as_of, options.notebooks)
                                if pages is None:
                                    continue
                                editions += 1
                                claims += len(pages.claims)
                                own = violations(pages)
                                if seed is not None:
                                    own = [
                                        v._replace(edition=f"seed {seed}, {v.edition}") for v in own
                                    ]
                                found += own
                    print(f"{name} {seed or ''} {year}: {editions} editions, {claims} claims, "
                          f"{len(found)} violations", file=sys.stderr, flush=True)  # fmt: skip
    print(f"{editions} editions, {claims} claims, {len(found)} violations.\n")
    for rule in RULES:
        own = [violation for violation in found if violation.rule == rule]
        print(f"{rule}: {len(own)}")
        for violation in own:
            print(f"  [{violation.edition}, {violation.notebook}] {violation.text}")


if __name__ == "__main__":
    main()
