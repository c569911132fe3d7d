"""Random office files through the intake: sound ones come back equal, damage to one cell is named or harmless.

    python tests/benchmarks/intake_random.py --cases 10000 --seed 1 [--processes 2] [--keep FOLDER]

A case is a table drawn at random: a ward (two of this project, a small one with lines of its own), what the table
is about (receipts mostly; schools, activities, indicators, targets), its layout, unit, number style, letters and
container. Its truth is known before it is written. The case is examined twice, in this process: as it was drawn,
and with one thing damaged.

What can come of the damaged file:

named         asked or refused at the place, in its row or column, or for the sheet or file as a whole
elsewhere     asked or refused, but only at other places
harmless      taken in with the figures of the truth
not knowable  taken in with other figures, and the file holds nothing that contradicts them
silent        taken in with other figures although the file, or what is known of the ward, contradicts them

Whether other figures can be known to be wrong is decided from the truth and the damage alone, never from what the
intake said: `contradicted` reads the damaged table as a perfect reader would, by what its cells now say, and holds
these figures against each other and against what is known: a cell that is no number in the style of its column;
a line, month or measure that stands twice, lacks or has no name; a sum (parents, groups, the days of a school, the
events of a field) that is not that of its parts; more kept than collected; a year to date that does not fit; a month
that has not begun or that the title contradicts; an amount a hundred times and more off its line's history; a
figure that the ward's rules refuse beside what is known. Only what passes all of these counts as not knowable: a
number of pupils with another digit, two lines exchanged below one sum, a month's name changed where nothing else
tells the month, a school's row deleted.
"""

from __future__ import annotations

import argparse
import copy
import csv
import datetime
import hashlib
import json
import os
import random
import re
import shutil
import sys
import tempfile
import time
import traceback
import unicodedata
from calendar import month_name
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "data" / "intake"))

import numpy as np
from containers import (
    ACCOUNTS,
    PERCENT,
    PLAIN,
    THREE,
    WHOLE,
    Entry,
    Page,
    a1,
    cp1258,
    ods,
    separated,
    tcvn3,
    vni,
    xls,
    xlsx,
)

ROOT = Path(__file__).resolve().parents[2]
TODAY = datetime.date(2026, 6, 30)
FAR = 100
BAD = "bad"  # a cell that is no number to a perfect reader
Key = tuple[str, str, str, str]  # role of the column, month (or year), measure, row
Value = object  # Decimal, None (blank) or BAD

# The small ward: lines of its own, few months, no schools.
SMALL = "yen-binh"
_SMALL_LINES = [
    ("total", "", "Tổng thu ngân sách xã Yên Bình", "Total"),
    ("market", "total", "Thu hoa chi chợ", "Market fees"),
    ("households", "total", "Thuế khoán của hộ cá thể", "Lump-sum tax of households"),
    ("households_trade", "households", "Hộ cá thể buôn bán", "Traders"),
    ("households_craft", "households", "Hộ cá thể làm nghề thủ công", "Craftsmen"),
    ("ferry", "total", "Phí đò, phà, bến bãi", "Ferry fees"),
    ("certificates", "total", "Lệ phí chứng thực", "Certificates"),
    ("ponds", "total", "Khoán ao hồ, đầm lầy", "Leased ponds"),
]


# Wards ------------------------------------------------------------------------------------------------------


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@contextmanager
def home() -> Iterator[Path]:
    """A workbook's folder with the wards of the cases; WARDLIB_HOME names it meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        shutil.copytree(
            ROOT / "data", data, ignore=shutil.ignore_patterns("__pycache__", ".accepted")
        )
        _small(data)
        with mock.patch.dict(os.environ, {"WARDLIB_HOME": folder}):
            yield Path(folder)


def _small(data: Path) -> None:
    """Write the small ward: a commune with lines of its own, January to August 2021."""
    folder = data / SMALL
    folder.mkdir()
    described = json.loads((data / "philadelphia" / "datapackage.json").read_text("utf-8"))
    own = json.loads((data / "phuc-dong" / "datapackage.json").read_text("utf-8"))
    # Its descriptor is the illustrative ward's, with only the tables that it has.
    resources = {r["name"]: r for r in own["resources"]}
    resources["revenue_lines"] = next(
        r for r in described["resources"] if r["name"] == "revenue_lines"
    )
    for name in ("targets", "receipts", "received", "origins"):
        resources[name] = copy.deepcopy(resources[name])
    own |= {"name": SMALL, "title": "Xã Yên Bình", "resources": []}
    own["ward"] |= {
        "name_vi": "Xã Yên Bình", "name_en": "Yên Bình commune", "authority_vi": "Ủy ban nhân dân\nxã Yên Bình",
        "authority_en": "People's Committee\nof Yên Bình", "superior_vi": "UBND huyện Bắc Hà",
        "superior_en": "Bắc Hà district", "place": "Yên Bình", "code": "02974", "areas": ["VN", "VN-02"],
        "illustrative": True,
    }  # fmt: skip
    own["ward"].pop("recipients", None)
    chance = random.Random("yen-binh")
    lines = "code,parent,name_vi,name_en,sub_items,due_months,due_vi,due_en,relief,valid_from,valid_to,source,verified\n"
    lines += "".join(
        f'{code},{parent},"{vi}","{en}",,,,,false,,,made up,no\n'
        for code, parent, vi, en in _SMALL_LINES
    )
    known = "month,line,collected,kept,status,reported_on\n"
    parents = {code: parent for code, parent, *_ in _SMALL_LINES}
    for month in range(1, 9):
        amounts: dict[str, tuple[int, int]] = {}
        for code in reversed(parents):
            parts = [amounts[child] for child, parent in parents.items() if parent == code]
            collected = chance.randrange(2_000, 90_000) * 1_000
            share = 30 if parents[code] == "households" else 100
            amounts[code] = (
                tuple(map(sum, zip(*parts, strict=True)))
                if parts
                else (collected, collected * share // 100)
            )
        for code in parents:
            c, k = amounts[code]
            known += f"2021-{month:02},{code},{c},{k},actual,2021-{month + 1:02}-08\n"
    targets = "year,line,set_by,amount,reported_on\n2021,total,ward,2000000000,2021-01-05\n"
    texts = {"revenue_lines": lines, "receipts": known, "targets": targets}
    for name in ("received", "origins"):
        texts[name] = (data / "phuc-dong" / f"{name}.csv").read_text("utf-8")
    for name, text in texts.items():
        content = text.encode()
        (folder / f"{name}.csv").write_bytes(content)
        resource = resources[name] | {
            "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
            "bytes": len(content),
        }
        own["resources"].append(resource)
    (folder / "datapackage.json").write_text(json.dumps(own, ensure_ascii=False, indent=2), "utf-8")


@dataclass(frozen=True)
class Place:
    """What is known of a ward: parents and names of its lines, newest receipts with their day, by table the
    names of its other items."""

    ward: str
    parents: dict[str, str]
    names: dict[str, tuple[str, str]]
    receipts: dict[tuple[str, str], tuple[int, int, str]]
    ranges: dict[tuple[str, int], tuple[int, int]]
    schools: dict[str, dict[str, str]]
    pupils: dict[str, int]
    largest: dict[tuple[str, str, str], Decimal]  # by table, item and measure, of what is known
    least_target: dict[str, Decimal]
    least: bool  # whether no amount is below 0
    wordings: dict[str, list[str]]

    @property
    def leaves(self) -> list[str]:
        above = set(self.parents.values())
        return [code for code in self.parents if code not in above]

    def children(self, parent: str) -> list[str]:
        return [code for code, above in self.parents.items() if above == parent]

    @property
    def last(self) -> str:
        return max(month for month, _ in self.receipts)

    @property
    def root(self) -> str:
        return next(code for code, parent in self.parents.items() if not parent)

    @property
    def usd(self) -> bool:
        return self.ward == "philadelphia"


@cache
def place(ward: str, folder: Path) -> Place:
    data = folder / "data"
    own, reference = data / ward, data / "reference"
    at = own if (own / "revenue_lines.csv").exists() else reference
    lines = _rows(at / "revenue_lines.csv")
    newest: dict[tuple[str, str], tuple[int, int, str]] = {}
    ranges: dict[tuple[str, int], tuple[int, int]] = {}
    for row in sorted(_rows(own / "receipts.csv"), key=lambda row: row["reported_on"]):
        newest[row["month"], row["line"]] = (
            int(row["collected"]), int(row["kept"]), row["reported_on"],
        )  # fmt: skip
    for (_, line), (*pair, _) in newest.items():
        for side, amount in enumerate(pair):
            if amount:
                low, high = ranges.get((line, side), (amount, amount))
                ranges[line, side] = min(low, amount), max(high, amount)
    told: dict[str, set[str]] = {}
    for row in _rows(reference / "wordings.csv"):
        if row["about"] in ("line", "field", "indicator"):
            told.setdefault(_plain(row["wording"]), set()).add(row["code"])
    wordings: dict[str, list[str]] = {}
    codes = {row["code"] for row in lines}
    for row in _rows(reference / "wordings.csv"):
        of = told.get(_plain(row["wording"]), set())
        if row["about"] == "line":
            of = of & codes
        if row["about"] in ("line", "field", "indicator") and of == {row["code"]}:
            wordings.setdefault(row["code"], []).append(row["wording"])
    schools, pupils = {}, {}
    largest: dict[tuple[str, str, str], Decimal] = {}
    least_target: dict[str, Decimal] = {}
    for table, item in (
        ("targets", "line"), ("school_months", "school"), ("activities", "field"), ("indicator_months", "indicator"),
    ):  # fmt: skip
        path = own / f"{table}.csv"
        for row in _rows(path) if path.exists() else ():
            for measure, text in row.items():
                if measure in ("amount", "pupils", "participants", "value") and text:
                    key = table, row[item], measure
                    largest[key] = max(largest.get(key, Decimal(0)), Decimal(text))
                    if table == "targets" and Decimal(text):
                        least_target[row[item]] = min(
                            least_target.get(row[item], Decimal(text)), Decimal(text)
                        )
    if (own / "schools.csv").exists():
        schools = {row["school"]: row for row in _rows(own / "schools.csv")}
        pupils = {
            row["school"]: int(row["pupils"])
            for row in _rows(own / "school_months.csv")
            if row["pupils"]
        }
    return Place(
        ward,
        {row["code"]: row["parent"] for row in lines},
        {row["code"]: (row["name_vi"], row["name_en"]) for row in lines},
        newest, ranges, schools, pupils, largest, least_target, ward != "philadelphia", wordings,
    )  # fmt: skip


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFC", text).casefold()))


def _after(month: str, by: int = 1) -> str:
    total = int(month[:4]) * 12 + int(month[5:]) - 1 + by
    return f"{total // 12}-{total % 12 + 1:02}"


# Cases ------------------------------------------------------------------------------------------------------


@dataclass
class Case:
    """A drawn table: its truth (by table, time and item the cells of its row), what each cell of it says, where
    these stand (on its first page), and how it is written."""

    seed: str
    ward: str
    table: str
    day: str
    figures: dict[Key, Value] = field(default_factory=dict)
    truth: dict[tuple[str, str, str], dict[str, str]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)
    where: dict[Key, tuple[int, int]] = field(default_factory=dict)
    labels: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    heads: list[tuple[tuple[int, int], str, list[tuple[str, str, str]]]] = field(
        default_factory=list
    )
    units: list[tuple[int, int]] = field(default_factory=list)
    factors: dict[tuple[str, str, str], int] = field(default_factory=dict)
    title_month: str = ""
    style: tuple[str, str] | None = None  # of numbers as texts: what sets apart groups, decimals
    container: str = "xlsx"
    letters: str = "nfc"
    about: dict[str, object] = field(default_factory=dict)
    turned: bool = False

    @property
    def page(self) -> Page:
        return self.pages[0]

    def suffix(self) -> str:
        return {"strict": "xlsx"}.get(self.container, self.container)


Column = tuple[tuple[str, str, str], list[str], int]  # role, time, measure; heads; factor

_VI = {"collected": ["Thu NSNN", "Thu ngân sách nhà nước", "Số thu NSNN", "Tổng thu NSNN", "NSNN"],
       "kept": ["Thu NSX", "Phường hưởng", "Thu xã hưởng", "NS phường hưởng", "Ngân sách phường", "Thu phường hưởng"]}  # fmt: skip
_EN = {"collected": ["Collected", "Receipts"], "kept": ["Kept"]}
_UNITS = {
    1: ["đồng", "Đồng", "VNĐ", "VND", "đ"],
    1_000: ["nghìn đồng", "1000 đồng", "1.000 đồng", "Nghìn đồng", "ngàn đồng", "1.000đ"],
    1_000_000: ["triệu đồng", "Triệu đồng", "Tr.đồng", "trđ", "Triệu dồng"],
    1_000_000_000: ["tỷ đồng", "tỉ đồng"],
}


def _said_month(chance: random.Random, month: str, english: bool = False) -> str:
    year, number = month.split("-")
    if english:
        return chance.choice([f"{month_name[int(number)]} {year}", f"{number}/{year}"])
    return chance.choice(
        [f"tháng {number} năm {year}", f"Tháng {int(number)}/{year}", f"tháng {number}/{year}", f"T{int(number)}/{year}",
         f"tháng {int(number)} năm {year}", f"Tháng {number}-{year}"]
    )  # fmt: skip


def draw(seed: str, folder: Path) -> Case:
    """The case of a seed; the same each time."""
    chance = random.Random(seed)
    table = chance.choices(
        ("receipts", "school_months", "activities", "indicator_months", "targets"),
        (70, 9, 7, 7, 7),
    )[0]
    ward = (
        chance.choices(("phuc-dong", "philadelphia", SMALL), (5, 3, 3))[0]
        if table in ("receipts", "targets")
        else "phuc-dong"
    )
    if table == "targets" and ward == "philadelphia":
        ward = "phuc-dong"
    case = Case(seed, ward, table, "")
    made = {
        "receipts": _receipts, "school_months": _schools, "activities": _activities,
        "indicator_months": _indicators, "targets": _targets,
    }[table]  # fmt: skip
    made(case, place(ward, folder), chance)
    return case


def _tones(text: str) -> str:
    """The other placement of tones: hoà for hòa, uỷ for ủy."""
    made = unicodedata.normalize("NFC", text)
    for new, old in (
        ("òa", "oà"), ("óa", "oá"), ("ỏa", "oả"), ("ọa", "oạ"), ("ủy", "uỷ"), ("ũy", "uỹ"), ("úy", "uý"), ("ụy", "uỵ"),
        ("ùy", "uỳ"), ("òe", "oè"),
    ):  # fmt: skip
        made = re.sub(rf"(?<![qQ]){new}(?!\w)", old, made)
    return made


def _label(case: Case, own: Place, code: str, chance: random.Random, english: bool) -> str:
    """A name of a line as some office writes it."""
    names = own.names[code]
    text = names[1] if english else names[0]
    if not english and chance.random() < 0.25 and own.wordings.get(code):
        text = chance.choice(own.wordings[code])
    return text


def _receipts(case: Case, own: Place, chance: random.Random) -> None:
    english = own.usd and chance.random() < 0.5
    # Months: the first ones not known, or a known one again after a correction.
    last_day = max(day for *_, day in own.receipts.values())
    again = chance.random() < 0.25
    if again:
        months = [_after(own.last, -chance.randrange(0, 6))]
    else:
        months = [_after(own.last, at + 1) for at in range(chance.choices((1, 2, 3), (8, 2, 1))[0])]
    estimate = not again and len(months) == 1 and chance.random() < 0.15
    if estimate:
        case.day = f"{months[-1]}-{chance.randrange(20, 29):02}"
    else:
        case.day = max(
            f"{_after(months[-1])}-{chance.randrange(1, 29):02}",
            str(datetime.date.fromisoformat(last_day) + datetime.timedelta(chance.randrange(1, 9))),
        )
    status = "estimate" if estimate else "actual"
    layout = chance.choices(("wide", "long", "turned"), (80, 12, 8))[0]
    # Lines: all, or those of which something was reported (and all above these).
    leaves = own.leaves
    if not again and chance.random() < 0.3:
        leaves = [code for code in leaves if chance.random() < 0.7] or leaves[:2]
    above = set()
    for code in leaves:
        while code := own.parents[code]:
            above.add(code)
    items = [code for code in own.parents if code in above or code in leaves]
    unit = 1 if own.usd else chance.choices((1, 1_000, 1_000_000), (4, 4, 3))[0]
    step = chance.choice((1, unit)) if unit < 1_000_000 else chance.choice((1, 1_000, 10_000))
    amounts: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
    for month in months:
        for code in reversed(items):
            parts = [
                amounts[month, child] for child in own.children(code) if (month, child) in amounts
            ]
            if parts:
                amounts[month, code] = tuple(sum(side) for side in zip(*parts, strict=True))
                continue
            before = _base(own, month, code, chance)
            c = int(before[0] * (0.85 + 0.3 * chance.random()))
            share = Decimal(before[1]) / Decimal(before[0]) if before[0] else Decimal(1)
            c -= c % step if c >= 0 else 0
            k = int(Decimal(c) * share)
            k -= k % step if k >= 0 else 0
            k = min(c, k)
            if chance.random() < 0.04:
                c = k = 0
            amounts[month, code] = Decimal(c), Decimal(k)
    if any(_far(own, code, pair) for (_, code), pair in amounts.items()):
        return _receipts(case, own, chance)  # some part lacks, and what is above it is far off
    for (month, code), (c, k) in amounts.items():
        case.truth["receipts", month, code] = {
            "collected": str(c), "kept": str(k), "status": status,
        }  # fmt: skip
    # Groups with subtotals, over the lines right below the root.
    top = [code for code in items if own.parents[code] == own.root]
    order: list[str] = []
    groups: dict[str, list[str]] = {}
    if layout == "wide" and len(top) > 3 and chance.random() < 0.25 and not english:
        cut = chance.randrange(1, len(top))
        mixed = top[:]
        chance.shuffle(mixed)
        groups = {"I": mixed[:cut], "II": mixed[cut:]}
    case.groups = groups

    def under(code: str) -> list[str]:
        kids = [kid for kid in own.children(code) if kid in items]
        return [code, *(each for kid in kids for each in under(kid))]

    if groups:
        for group, members in groups.items():
            order += [group, *(each for code in members for each in under(code))]
    else:
        mixed = top[:]
        if chance.random() < 0.3:
            chance.shuffle(mixed)
        order = [each for code in mixed for each in under(code)]
    absent = [
        code for code in own.leaves if code not in items and own.parents[code] in (own.root, *items)
    ]
    blanks = absent if layout == "wide" and not groups and chance.random() < 0.4 else []
    for code in blanks:  # a line that is listed, and was not reported
        above = own.parents[code]
        order.insert(order.index(above) + 1 if above in order else len(order), code)
    case.about["blank"] = chance.choice((None, None, "…", "..."))
    total_at = chance.choices(("top", "end"), (6, 4))[0]
    rows = [own.root, *order] if total_at == "top" else [*order, own.root]

    def amount(role: str, time: str, side: int, row: str) -> Value:
        if row in groups:
            values = [amount(role, time, side, member) for member in groups[row]]
            return sum((v for v in values if isinstance(v, Decimal)), Decimal(0))
        return source[role, time].get(row, (None, None))[side]

    source: dict[tuple[str, str], dict[str, tuple]] = {}
    for month in months:
        source["month", month] = {code: amounts[month, code] for code in items}
        year, number = month.split("-")
        before = [f"{year}-{at:02}" for at in range(1, int(number))]
        sides = {}
        for code in items:
            known = [
                amounts.get((one, code)) or own.receipts.get((one, code), (None, None))[:2]
                for one in before
            ]
            if all(pair[0] is not None for pair in known):
                sides[code] = tuple(
                    sum((Decimal(pair[side]) for pair in known), amounts[month, code][side])
                    for side in (0, 1)
                )
        if len(sides) == len(
            own.parents
        ):  # else sums of the year hold lines that are not in the file
            source["until", month] = sides
        source["plan", year] = _above_parts(
            own, items, {c: tuple(12 * v for v in amounts[month, c]) for c in items}, chance, unit
        )
        source["previous", month] = _above_parts(
            own, items, {c: amounts[month, c] for c in items}, chance, unit
        )
    # Columns.
    words = _EN if english else _VI
    heads_of = {m: chance.choice(words[m]) for m in ("collected", "kept")}
    single = len(months) == 1
    in_title = single and layout != "long" and chance.random() < 0.4
    groups_of_columns: list[tuple[str, str, str]] = []  # role, time, head
    for month in months:
        said = _said_month(chance, month, english)
        if english:
            word = ("Estimate " if estimate else chance.choice(("", "Actual "))) + said
        elif in_title and chance.random() < 0.6:
            word = "Ước thực hiện" if estimate else chance.choice(("Thực hiện", "Số thu trong tháng", "Thực hiện trong tháng"))  # fmt: skip
        else:
            word = ("Ước thực hiện " if estimate else chance.choice(("", "Thực hiện "))) + said
        groups_of_columns.append(("month", month, word[0].upper() + word[1:]))
    month = months[-1]
    year, number = month.split("-")
    if layout == "wide" and single and not english:
        if chance.random() < 0.45:
            groups_of_columns.append(("plan", year, chance.choice((f"Dự toán năm {year}", f"Dự toán {year}", "Dự toán năm", "Kế hoạch năm", "Dự toán giao"))))  # fmt: skip
        if ("until", month) in source and chance.random() < 0.4:
            groups_of_columns.append(("until", month, chance.choice((f"Lũy kế đến hết tháng {number}/{year}", f"Lũy kế {int(number)} tháng", f"Lũy kế {int(number)} tháng năm {year}", "Lũy kế từ đầu năm"))))  # fmt: skip
        if chance.random() < 0.25:
            groups_of_columns.append(("previous", month, chance.choice(("Cùng kỳ năm trước", f"Cùng kỳ năm {int(year) - 1}", f"Cùng kỳ tháng {number}/{int(year) - 1}"))))  # fmt: skip
        if chance.random() < 0.3:
            groups_of_columns.append(("percent", month, chance.choice(("So sánh (%)", "Tỷ lệ % so với dự toán", "Tỷ lệ (%)", "So với cùng kỳ (%)"))))  # fmt: skip
        chance.shuffle(groups_of_columns)
    per_column = chance.random() < 0.1 and not own.usd
    unit_at = "heads" if per_column else chance.choices(("above", "heads"), (7, 3))[0]
    measures = ["collected", "kept"] if chance.random() < 0.9 else ["kept", "collected"]
    shape = chance.choices(("groups", "measures", "flat"), (6, 2, 2))[0] if layout == "wide" else "flat" if layout == "long" else "groups"  # fmt: skip
    columns: list[Column] = []
    order_of = (
        [(g, m) for m in measures for g in groups_of_columns]
        if shape == "measures"
        else [(g, m) for g in groups_of_columns for m in measures]
    )
    year_above = shape == "groups" and not single and not english and months[0][:4] == months[-1][:4] and chance.random() < 0.4  # fmt: skip
    for (role, month, head), measure in order_of:
        factor = 1 if own.usd else chance.choice((1, 1_000, 1_000_000)) if per_column else unit
        sub = heads_of[measure]
        if shape == "measures":
            levels = [sub, head]
        elif shape == "flat":
            levels = [f"{sub} {head}" if role != "percent" else f"{head} {sub}"]
        elif year_above:
            levels = [f"Năm {month[:4]}", f"Tháng {int(month[5:])}", sub]
        else:
            levels = [head, sub]
        if unit_at == "heads" and role != "percent":
            word = "USD" if own.usd else _UNITS[factor][0]
            levels[-1] += f" ({word})"
        columns.append(((role, month, measure), levels, factor))
    case.factors = {key: factor for key, _, factor in columns}
    if layout == "long":
        _long(case, own, chance, items, months, amounts, unit, unit_at, status, english)
        return

    def value(key: tuple[str, str, str], row: str) -> Value:
        role, time, measure = key
        side = 0 if measure == "collected" else 1
        if role == "percent":
            return None
        return amount(role, time, side, row)

    case.figures = {(*key, row): value(key, row) for key, *_ in columns for row in rows}
    labels = {row: _label(case, own, row, chance, english) for row in rows if row not in groups}
    if not english and chance.random() < 0.35:
        labels[own.root] = chance.choice(("Tổng cộng", "TỔNG CỘNG", "Cộng", "Tổng số"))
    group_names = {
        "I": chance.choice(("Các khoản thu 100%", "Các khoản thu phường hưởng 100%", "Các khoản thu xã hưởng 100%")),
        "II": chance.choice(("Các khoản thu phân chia theo tỷ lệ phần trăm (%)", "Các khoản thu phân chia theo tỷ lệ")),
    }  # fmt: skip
    labels |= {group: group_names[group] for group in groups}
    if not english and chance.random() < 0.12:
        labels = {row: text.upper() for row, text in labels.items()}
    numbers = _numbers(own, rows, groups, chance)
    percent = {
        (*key, row): round(0.5 + chance.random() / 2, 4)
        for key, *_ in columns
        for row in rows
        if key[0] == "percent"
    }
    _drawn(
        case, own, chance, columns, rows, labels, numbers, percent,
        turned=layout == "turned", english=english, unit_at=unit_at, unit=unit,
        title=_title(chance, months, in_title, english),
    )  # fmt: skip
    if in_title:
        case.title_month = months[0]


def _far(own: Place, code: str, pair: tuple[Decimal, Decimal]) -> bool:
    """Whether an amount is a hundred times and more off its line's history."""
    for side, amount in enumerate(pair):
        known = own.ranges.get((code, side))
        if amount and known:
            sizes = sorted(map(abs, known))
            if abs(amount) >= FAR * sizes[1] or (known[0] > 0 and amount * FAR <= known[0]):
                return True
    return False


def _base(own: Place, month: str, code: str, chance: random.Random) -> tuple[int, int]:
    """A known amount of a line near a month: of the year before, else of any month."""
    year_before = f"{int(month[:4]) - 1}{month[4:]}"
    pair = own.receipts.get((year_before, code))
    if pair is None:
        known = [own.receipts[key] for key in sorted(own.receipts) if key[1] == code]
        pair = chance.choice(known)
    return pair[:2]


def _above_parts(own, items, amounts, chance, unit):  # type: ignore[no-untyped-def]
    """Other amounts near these, whose parents are again the sums of their parts."""
    made: dict[str, tuple] = {}
    for code in reversed(items):
        parts = [made[child] for child in own.children(code) if child in made]
        if parts:
            made[code] = tuple(sum(side) for side in zip(*parts, strict=True))
        else:
            by = Decimal(chance.randrange(85, 115)) / 100
            made[code] = tuple(
                Decimal(int(v * by)) - (Decimal(int(v * by)) % unit) for v in amounts[code]
            )
    return made


def _title(chance: random.Random, months: list[str], in_title: bool, english: bool) -> str:
    year, number = months[-1].split("-")
    if english:
        said = _said_month(chance, months[0], True)
        return f"Tax receipts, {said}" if in_title else chance.choice(("Tax receipts", "City tax collections"))  # fmt: skip
    if in_title:
        return chance.choice(
            (f"TÌNH HÌNH THỰC HIỆN DỰ TOÁN THU NGÂN SÁCH THÁNG {number} NĂM {year}",
             f"BÁO CÁO THU NGÂN SÁCH THÁNG {int(number)}/{year}", f"Báo cáo thu ngân sách tháng {number} năm {year}")
        )  # fmt: skip
    return chance.choice(("", "SỔ THEO DÕI THU NGÂN SÁCH", "BÁO CÁO THU NGÂN SÁCH", f"THU NGÂN SÁCH NĂM {year}"))  # fmt: skip


def _numbers(
    own: Place, rows: list[str], groups: dict[str, list[str]], chance: random.Random
) -> tuple[str, dict[str, str]]:
    """Where the rows' numbers stand (column, cell, dash, none) and what they are."""
    at = chance.choices(("column", "cell", "dash", "none"), (5, 2, 1.5, 1.5))[0]
    style = chance.choice(("1", "I")) if not groups else "1"
    numbers: dict[str, str] = {}
    count, sub = 0, Counter()
    for row in rows:
        if row in groups:
            numbers[row], count = row, 0
        elif row == own.root:
            numbers[row] = chance.choice(("", "A")) if style == "1" else ""
        elif own.parents[row] == own.root:
            count += 1
            numbers[row] = _roman(count) if style == "I" else str(count)
        else:
            parent = own.parents[row]
            sub[parent] += 1
            numbers[row] = f"{numbers[parent]}.{sub[parent]}" if style == "1" else str(sub[parent])
    return at, numbers


def _roman(number: int) -> str:
    made = ""
    for value, word in ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")):
        while number >= value:
            made, number = made + word, number - value
    return made


def _drawn(
    case: Case,
    own: Place,
    chance: random.Random,
    columns: list[Column],
    rows: list[str],
    labels: dict[str, str],
    numbers: tuple[str, dict[str, str]],
    percent: dict[Key, float],
    *,
    turned: bool,
    english: bool,
    unit_at: str,
    unit: int,
    title: str,
    plain_values: bool = False,
    name_head: str = "",
) -> None:
    """Write the table of a case on its first page, with what stands around it."""
    months = sorted({key[1] for key, *_ in columns if len(key[1]) == 7})
    page = Page(
        chance.choice(
            (
                "Sheet1",
                "Thu NS",
                "B104",
                "Báo cáo",
                "Bieu 1",
                "TH thu",
                *(f"T{int(m[5:])}.{m[:4]}" for m in months[:1] if len(months) == 1),
            )
        )
    )
    merged = chance.random() < 0.75
    at_number, said_numbers = numbers
    if turned:
        at_number = "none"
    first: list[tuple[str, list[str]]] = []
    if at_number == "column":
        first.append(("number", [chance.choice(("STT", "TT", "Số TT"))]))
    if not turned and chance.random() < 0.12 and case.table == "receipts":
        first.append(("code", [chance.choice(("Mã", "Mã số"))]))
    first.append(("name", [name_head or ("Line" if english else chance.choice(("Nội dung", "Chỉ tiêu", "Khoản thu", "Nội dung thu", "NỘI DUNG")))]))  # fmt: skip
    note = chance.random() < 0.12 and not turned
    levels = [heads for _, heads in first] + [heads for _, heads, _ in columns]
    keys: list[tuple[str, str, str]] = [(name, "", "") for name, _ in first] + [
        key for key, *_ in columns
    ]
    if note:
        levels.append(["Note" if english else "Ghi chú"])
        keys.append(("note", "", ""))
    depth = max(map(len, levels))
    if chance.random() < 0.15:  # broken inside the cell
        levels = [
            [re.sub(r"(?<=\w) (?=\w+$|\()", "\n", head) for head in heads] for heads in levels
        ]
    _write_heads(case, page, levels, keys, depth, merged)
    row_at = depth
    if not turned and chance.random() < 0.2:
        for index in range(len(levels)):
            page.put(row_at, index, "AB"[index] if index < min(2, len(first)) else str(index))
        row_at += 1
    looks = chance.choice((PLAIN, WHOLE, ACCOUNTS if unit == 1 else THREE))
    factors = {key: factor for key, _, factor in columns}
    texts = _style(case, chance, columns, rows)
    upper_rows = chance.random() < 0.2
    spaced = chance.random() < 0.1
    blank_rows = chance.random() < 0.2 and not turned
    again = rows[len(rows) // 2] if not turned and len(rows) > 6 and chance.random() < 0.05 else ""
    for row in rows:
        if row == again:  # the next printed page
            for (level, index), entry in list(page.cells.items()):
                if level < depth:
                    page.put(row_at + level, index, entry.value)
            page.spans += [(t + row_at, x, b + row_at, y) for t, x, b, y in page.spans if b < depth]
            row_at += depth
        if blank_rows and row != rows[0] and chance.random() < 0.2:
            row_at += 1
        number, text = said_numbers.get(row, ""), labels[row]
        if at_number == "cell" and number:
            text = f"{number}{chance.choice(('. ', '.', ') ', ' '))}{text}" if number not in "A" else text  # fmt: skip
            if re.match(r"[\d.IVX]+ ", text) and not re.match(r"[\d.IVX]+[.)]", text):
                text = f"{number}. {labels[row]}"
        elif at_number == "dash" and own.parents.get(row, "") not in ("", own.root):
            text = f"- {text}"
        elif upper_rows and own.parents.get(row, "x") == "":
            text = text.upper()
        for index, key in enumerate(keys):
            if key[0] == "number":
                if number:
                    page.put(row_at, index, number)
            elif key[0] == "name":
                if spaced:
                    text = chance.choice(
                        (f" {text}", f"{text} ", text.replace(" ", "\u00a0", 1), text)
                    )
                page.put(row_at, index, text)
                case.labels.setdefault(row, []).append((row_at, index))
            elif key[0] == "code":
                if row in own.parents:
                    page.put(row_at, index, row)
                    case.labels.setdefault(row, []).append((row_at, index))
            elif key[0] == "note":
                if chance.random() < 0.1:
                    page.put(row_at, index, "Số chính thức")
            elif key[0] == "percent":
                page.put(row_at, index, percent[*key, row], PERCENT)
                case.where[*key, row] = row_at, index
            else:
                value = case.figures[*key, row]
                case.where[*key, row] = row_at, index
                if value is None and case.table == "receipts" and case.about.get("blank"):
                    page.put(row_at, index, case.about["blank"])
                if value is not None:
                    page.put(
                        row_at, index, _shown(value, factors[key], texts),
                        looks if not texts and key[2] != "attendance_share" else PLAIN,
                    )  # fmt: skip
        row_at += 1
    if turned:
        page.cells = {(c, r): entry for (r, c), entry in page.cells.items()}
        page.spans = [(left, top, right, bottom) for top, left, bottom, right in page.spans]
        case.where = {key: (c, r) for key, (r, c) in case.where.items()}
        case.labels = {row: [(c, r) for r, c in at] for row, at in case.labels.items()}
        case.heads = [((c, r), text, keys) for (r, c), text, keys in case.heads]
        case.turned = True
    # What stands above: letterhead, title, unit.
    above: list[dict[int, str]] = []
    width = max(page.width, 3)
    office = {"phuc-dong": "PHƯỜNG PHÚC ĐỒNG", SMALL: "XÃ YÊN BÌNH"}.get(case.ward, "")
    if not english and office and chance.random() < 0.4:
        above.append({0: f"ỦY BAN NHÂN DÂN\n{office}" if chance.random() < 0.6 else f"UBND {office}", width - 2: "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"})  # fmt: skip
        above.append({width - 2: "Độc lập - Tự do - Hạnh phúc"})
        above.append({})
    title_at = None
    if title:
        title_at = len(above), chance.choice((0, 1))
        above.append({title_at[1]: title})
    if chance.random() < 0.3 and title:
        above.append({})
    unit_place = None
    if unit_at == "above":
        word = "USD" if own.usd else chance.choice(_UNITS[unit])
        spelt = chance.choice((f"Đơn vị: {word}", f"Đơn vị tính: {word}", f"ĐVT: {word}", f"(Đơn vị tính: {word})", f"Đvt: {word}"))  # fmt: skip
        if english:
            spelt = f"Unit: {word}"
        unit_place = len(above), chance.choice((0, width - 1, width - 2, 1))
        above.append({unit_place[1]: spelt})
        if chance.random() < 0.25:
            above.append({})
    elif title and chance.random() < 0.5:
        above.append({})
    down, right = chance.choices((0, 1, 4), (8, 2, 1))[0], chance.choices((0, 1, 2), (8, 1, 1))[0]
    by = len(above) + down, right
    page.moved(*by)

    def move(at: tuple[int, int]) -> tuple[int, int]:
        return at[0] + by[0], at[1] + by[1]

    case.where = {key: move(at) for key, at in case.where.items()}
    case.labels = {row: [move(at) for at in places] for row, places in case.labels.items()}
    case.heads = [(move(at), text, keys) for at, text, keys in case.heads]
    for index, texts_of in enumerate(above):
        for column, text in texts_of.items():
            page.put(index + down, column + right, text)
    if title_at:
        case.about["title_at"] = title_at[0] + down, title_at[1] + right
        if merged and chance.random() < 0.5 and page.width - right > 2:
            page.span(title_at[0] + down, title_at[1] + right, title_at[0] + down, page.width - 1)
    if unit_place:
        case.units = [(unit_place[0] + down, unit_place[1] + right)]
    elif unit_at == "heads":
        case.units = [at for at, text, _ in case.heads if re.search(r"\([^()]*\)$", text) and "%" not in text]  # fmt: skip
    # What stands below.
    end = page.height
    if chance.random() < 0.4 and not english:
        number = int(case.day[5:7])
        page.put(end + 1, max(0, page.width - 3), f"Ngày {case.day[8:]} tháng {number:02} năm {case.day[:4]}")  # fmt: skip
        page.put(end + 2, 0, "Người lập biểu")
        page.put(end + 2, max(1, page.width - 3), "CHỦ TỊCH")
        if chance.random() < 0.3:
            page.put(end + 4, 0, "Ghi chú: số liệu do Chi cục Thuế cung cấp")
    case.pages = [page]
    if chance.random() < 0.2:
        notes = Page("Ghi chú")
        for at, text in enumerate(("Số liệu lấy từ sổ kế toán", "Liên hệ: bộ phận tài chính", "Tổng số trang: 1")):  # fmt: skip
            notes.put(at, 0, text)
        case.pages.append(notes)
    _contained(case, chance)


def _write_heads(case, page, levels, keys, depth, merged):  # type: ignore[no-untyped-def]
    """Heads from the top down; equal neighbours under equal ones are one head."""
    filled = [heads + [""] * (depth - len(heads)) for heads in levels]
    for level in range(depth):
        begun = 0
        for index in range(1, len(levels) + 1):
            same = (
                index < len(levels)
                and filled[index][: level + 1] == filled[begun][: level + 1]
                and filled[begun][level]
                and level + 1 < len(levels[begun])
            )
            if same:
                continue
            text = filled[begun][level]
            if text:
                page.put(level, begun, text)
                case.heads.append(((level, begun), text, keys[begun:index]))
                bottom = depth - 1 if level + 1 == len(levels[begun]) else level
                if merged:
                    page.span(level, begun, bottom, index - 1)
            begun = index


_MARKS = ((".", ","), (",", "."), (" ", ","), ("\u00a0", ","))


def _style(case, chance, columns, rows):  # type: ignore[no-untyped-def]
    """How the numbers are written as texts, where each column of them then decides how it is read; None for
    stored numbers."""
    if chance.random() > 0.3:
        return None
    style = chance.choice((*_MARKS, ("", ","), ("", ".")))
    for key, _, factor in columns:
        if key[0] == "percent":
            continue
        texts = [
            _shown(case.figures[*key, row], factor, style)
            for row in rows
            if case.figures[*key, row] is not None
        ]
        if not _decided([text for text in texts if isinstance(text, str)]):
            return None
    case.style = style
    return style


def _decided(texts: list[str]) -> bool:
    """Whether the texts of a column can be read in one way only."""
    doubtful = False
    for text in texts:
        marks = re.findall(r"[.,]", text)
        if not marks:
            continue
        if len(marks) > 1 or " " in text or "\u00a0" in text:
            return True
        whole, rest = re.split(r"[.,]", text.lstrip("-"))
        if len(rest) != 3 or whole.startswith("0") or len(whole) > 3:
            return True
        doubtful = True
    return not doubtful


def _shown(value: Decimal, factor: int, style: tuple[str, str] | None) -> object:
    """A figure as its cell holds it."""
    number = value / factor
    if style is None:
        return int(number) if number == number.to_integral_value() else float(number)
    places = max(0, -number.normalize().as_tuple().exponent)
    text = f"{number:,.{places}f}"
    return text.replace(",", "\0").replace(".", style[1]).replace("\0", style[0])


def _long(case, own, chance, items, months, amounts, unit, unit_at, status, english):  # type: ignore[no-untyped-def]
    """A list as a program writes it: a row a line and month."""
    page = Page("Data")
    said = _said_month(chance, months[0])
    dated = chance.choice(("iso", "slash", "word"))
    write = {
        "iso": lambda m: m,
        "slash": lambda m: f"{m[5:]}/{m[:4]}",
        "word": lambda m: f"Tháng {int(m[5:])}/{m[:4]}",
    }[dated]
    word = "USD" if own.usd else _UNITS[unit][0]
    mark = f" ({word})" if unit_at == "heads" else ""
    words = _EN if english else _VI
    heads = {
        "code": "Code" if english else "Mã",
        "name": "Line" if english else "Khoản thu",
        "month": "Month" if english else chance.choice(("Tháng", "Kỳ")),
        "collected": chance.choice(words["collected"]) + mark,
        "kept": chance.choice(words["kept"]) + mark,
        "status": "Status" if english else "Tình trạng",
    }
    keys = ["code", "name", "month", "collected", "kept"]
    if chance.random() < 0.4:
        keys.remove("code")
    if status == "estimate" or chance.random() < 0.4:
        keys.append("status")
    if chance.random() < 0.3:
        keys.remove("month")
        keys.insert(0, "month")
    del said
    case.figures = {
        ("month", month, measure, code): amounts[month, code][side]
        for month in months
        for code in items
        for side, measure in enumerate(("collected", "kept"))
    }
    columns = [(("month", month, measure), [], unit) for month in months for measure in ("collected", "kept")]  # fmt: skip
    case.factors = {key: unit for key, *_ in columns}
    texts = _style(case, chance, columns, items)
    for index, key in enumerate(keys):
        page.put(0, index, heads[key])
        if key in ("collected", "kept"):
            case.heads.append(((0, index), heads[key], [("month", month, key) for month in months]))
    row = 1
    labels = {code: _label(case, own, code, chance, english) for code in items}
    for month in months:
        for code in items:
            for index, key in enumerate(keys):
                if key in ("collected", "kept"):
                    value = _shown(case.figures["month", month, key, code], unit, texts)
                    page.put(row, index, value, WHOLE if not texts and unit == 1 else PLAIN)
                    case.where["month", month, key, code] = row, index
                elif key == "month":
                    page.put(row, index, write(month))
                elif key == "status":
                    page.put(row, index, ("Estimate" if english else "Ước thực hiện") if status == "estimate" else ("Actual" if english else "Thực hiện"))  # fmt: skip
                else:
                    page.put(row, index, code if key == "code" else labels[code])
                    case.labels.setdefault(f"{month} {code}", []).append((row, index))
            row += 1
    by = 0
    if unit_at == "above":
        page.moved(2, 0)
        by = 2
        page.put(0, 0, f"Unit: {word}" if english else f"Đơn vị tính: {word}")
        case.units = [(0, 0)]
    case.where = {key: (r + by, c) for key, (r, c) in case.where.items()}
    case.labels = {key: [(r + by, c) for r, c in at] for key, at in case.labels.items()}
    case.heads = [((r + by, c), text, keys) for (r, c), text, keys in case.heads]
    if unit_at == "heads":
        case.units = [at for at, *_ in case.heads]
    case.pages = [page]
    case.about["long"] = True
    _contained(case, chance)


def _contained(case: Case, chance: random.Random) -> None:
    """Draw the container and the letters."""
    case.container = chance.choices(("xlsx", "strict", "xls", "ods", "csv"), (40, 8, 17, 17, 18))[0]
    if case.container == "csv":
        case.pages = case.pages[:1]
        if not case.style and not _columns_decided(case):
            case.container = "xlsx"  # as text nobody could read it
    if case.container in ("xlsx", "strict", "ods") and chance.random() < 0.25:
        _calculated(case)
    choices = {"csv": ("nfc", "nfd", "cp1258", "utf16"), "ods": ("nfc", "nfd", "tones")}
    case.letters = (
        "nfc"
        if chance.random() < 0.6
        else chance.choice(choices.get(case.container, ("nfd", "tcvn3", "vni", "tones")))
    )
    case.about["mark"] = chance.choice((";", ",", "\t"))
    case.about["bom"] = chance.random() < 0.5


def _calculated(case: Case) -> None:
    """Make the totals of the groups and lines formulas, with the values that were stored for them."""
    for key, at in case.where.items():
        entry = case.page.cells.get(at)
        if (
            entry
            and not isinstance(entry.value, str)
            and (key[3] in case.groups or key[3] == "total")
        ):
            below = [
                a1(there)
                for other, there in case.where.items()
                if other[:3] == key[:3] and other != key
            ][:2]
            if below and key[0] != "percent":
                entry.formula = "=" + "+".join(below)


def _columns_decided(case: Case) -> bool:
    """Whether the stored numbers of each column can be read in one way as texts."""
    columns: dict[tuple[str, ...], list[str]] = {}
    for key, at in case.where.items():
        entry = case.page.cells.get(at)
        if entry and not isinstance(entry.value, str) and key[0] != "percent":
            column = key[2:3] if case.about.get("long") else key[:3]
            columns.setdefault(column, []).append(_in_csv(entry.value))
    return all(map(_decided, columns.values()))


# The other tables -------------------------------------------------------------------------------------------


def _month_for(case: Case, chance: random.Random) -> str:
    month = chance.choice(("2022-01", "2022-02"))
    case.day = f"{_after(month)}-{chance.randrange(5, 25):02}"
    return month


def _schools(case: Case, own: Place, chance: random.Random) -> None:
    month = _month_for(case, chance)
    schools = [code for code, about in own.schools.items() if not about["valid_to"]]
    if chance.random() < 0.3:
        schools = schools[: chance.randrange(2, len(schools) + 1)]
    measures = ["pupils", "planned_days", "in_person_days", "online_days", "closed_days", "attendance_share"]  # fmt: skip
    planned = chance.randrange(12, 22)
    for code in schools:
        closed = chance.choice((0, 0, chance.randrange(0, planned + 1)))
        online = chance.randrange(0, planned - closed + 1)
        person = planned - closed - online
        share = Decimal(chance.randrange(9000, 9999)) / 10_000 if person else None
        values = (Decimal(own.pupils[code] + chance.randrange(-9, 9)), *map(Decimal, (planned, person, online, closed)), share)  # fmt: skip
        for measure, value in zip(measures, values, strict=True):
            case.figures["month", month, measure, code] = value
        case.truth["school_months", month, code] = {
            m: "" if v is None else str(v) for m, v in zip(measures, values, strict=True)
        }
    heads = {
        "pupils": ["Số học sinh", "Sĩ số", "Số học sinh, trẻ"],
        "planned_days": ["Số ngày kế hoạch", "Theo kế hoạch", "Kế hoạch"],
        "in_person_days": ["Trực tiếp", "Học trực tiếp", "Số ngày trực tiếp"],
        "online_days": ["Trực tuyến", "Học trực tuyến"],
        "closed_days": ["Nghỉ", "Nghỉ học", "Số ngày nghỉ"],
        "attendance_share": ["Tỷ lệ chuyên cần", "Chuyên cần", "Tỷ lệ đi học"],
    }
    order = measures[:]
    if chance.random() < 0.2:
        chance.shuffle(order)
    grouped_days = chance.random() < 0.4 and order == measures
    columns: list[Column] = []
    for measure in order:
        head = chance.choice(heads[measure])
        levels = ["Số ngày học", head] if grouped_days and measure.endswith("days") else [head]
        columns.append((("month", month, measure), levels, 1))
    # Attendance as a percentage: shown so, or as a number up to 100.
    labels = {code: own.schools[code]["name"] for code in schools}
    if chance.random() < 0.4:
        labels = {c: re.sub(r" \(.*\)", "", t) for c, t in labels.items()}
    if chance.random() < 0.3:
        labels = {c: t.replace("Tiểu học", "TH").replace("Mầm non", "MN") for c, t in labels.items()}  # fmt: skip
    _report(case, own, chance, columns, schools, labels, month, ("BÁO CÁO TÌNH HÌNH DẠY HỌC", "Tình hình dạy và học", "BÁO CÁO CÁC TRƯỜNG"), "Tên trường")  # fmt: skip
    if chance.random() < 0.5 and case.style is None:
        for (_, _, measure, _), at in case.where.items():
            entry = case.page.cells.get(at)
            if measure == "attendance_share" and entry and not isinstance(entry.value, str):
                entry.look = "0.00%"


def _report(case, own, chance, columns, rows, labels, month, titles, name_head):  # type: ignore[no-untyped-def]
    said = _said_month(chance, month)
    case.factors = {key: factor for key, _, factor in columns}
    case.title_month = month
    numbers = chance.choices(("column", "cell", "none"), (6, 2, 2))[0], {row: str(at + 1) for at, row in enumerate(rows)}  # fmt: skip
    title = f"{chance.choice(titles)} {said}"
    if title.isupper() or chance.random() < 0.3:
        title = title.upper()
    _drawn(
        case, own, chance, columns, rows, labels, numbers, {}, turned=chance.random() < 0.1, english=False,
        unit_at="none", unit=1, title=title, name_head=name_head,
    )  # fmt: skip


def _activities(case: Case, own: Place, chance: random.Random) -> None:
    month = _month_for(case, chance)
    fields = ["extracurricular", "culture", "sport"]
    measures = ["planned", "held", "cancelled", "postponed", "held_later", "participants"]
    for code in fields:
        planned = chance.randrange(0, 9)
        held = chance.randrange(0, planned + 1)
        cancelled = chance.randrange(0, planned - held + 1)
        postponed = planned - held - cancelled
        later = chance.choice((0, 0, 1))
        people = chance.randrange(20, 900) if held + later else 0
        values = [Decimal(v) for v in (planned, held, cancelled, postponed, later, people)]
        for measure, value in zip(measures, values, strict=True):
            case.figures["month", month, measure, code] = value
        case.truth["activities", month, code] = {m: str(v) for m, v in zip(measures, values, strict=True)}  # fmt: skip
    heads = {
        "planned": ["Kế hoạch", "Theo kế hoạch"], "held": ["Đã tổ chức", "Đã thực hiện", "Thực hiện"],
        "cancelled": ["Hủy", "Đã hủy", "Hủy bỏ"], "postponed": ["Hoãn", "Tạm hoãn"],
        "held_later": ["Tổ chức bù", "Đã tổ chức bù"],
        "participants": ["Lượt người tham gia", "Số người tham gia", "Số lượt tham gia"],
    }  # fmt: skip
    columns = [(("month", month, m), [chance.choice(heads[m])], 1) for m in measures]
    if chance.random() < 0.2:
        chance.shuffle(columns)
    names = {"extracurricular": ["Hoạt động ngoại khóa", "Ngoại khóa"], "culture": ["Văn hóa", "Hoạt động văn hóa", "Văn hóa, văn nghệ"], "sport": ["Thể thao", "Thể dục, thể thao", "TDTT", "Hoạt động thể thao"]}  # fmt: skip
    labels = {code: chance.choice(names[code]) for code in fields}
    _report(case, own, chance, columns, fields, labels, month, ("BÁO CÁO HOẠT ĐỘNG VĂN HÓA, THỂ THAO", "Các hoạt động"), "Lĩnh vực")  # fmt: skip


_INDICATORS = {
    "blood_units": ("Số đơn vị máu hiến tặng", 0, False), "loan_dossiers": ("Số hồ sơ vay vốn chính sách được xét duyệt", 0, False),
    "dossiers_on_time": ("Tỷ lệ hồ sơ giải quyết đúng hạn", 0, True), "dossiers_early": ("Tỷ lệ hồ sơ giải quyết trước hạn", 1, True),
    "health_insurance": ("Tỷ lệ người dân tham gia bảo hiểm y tế", 1, True),
}  # fmt: skip


def _indicators(case: Case, own: Place, chance: random.Random) -> None:
    month = _month_for(case, chance)
    codes = [code for code in _INDICATORS if chance.random() < 0.85] or ["blood_units"]
    labels = {}
    for code in codes:
        name, places, share = _INDICATORS[code]
        value = Decimal(chance.randrange(700, 1000)) / 10 if share else Decimal(chance.randrange(1, 120))  # fmt: skip
        value = round(value, places)
        case.figures["month", month, "value", code] = value
        case.truth["indicator_months", month, code] = {"value": str(value), "status": "actual"}
        labels[code] = chance.choice([name, *own.wordings.get(code, [])])
        if share and not re.match("(?i)tỷ lệ", labels[code]):
            labels[code] = name
    said = _said_month(chance, month)
    head = chance.choice((f"Thực hiện {said}", "Kết quả", f"Kết quả {said}", "Thực hiện"))
    columns: list[Column] = [(("month", month, "value"), [head], 1)]
    if chance.random() < 0.4:
        columns.append((("plan", month[:4], "value"), [chance.choice((f"Kế hoạch năm {month[:4]}", "Chỉ tiêu năm", "Chỉ tiêu giao"))], 1))  # fmt: skip
        for code in codes:
            case.figures["plan", month[:4], "value", code] = Decimal(100)
        chance.shuffle(columns)
    _report(case, own, chance, columns, codes, labels, month, ("KẾT QUẢ THỰC HIỆN CHỈ TIÊU", "Báo cáo kết quả các chỉ tiêu"), "Chỉ tiêu")  # fmt: skip


def _targets(case: Case, own: Place, chance: random.Random) -> None:
    year = "2022"
    case.day = f"2022-01-{chance.randrange(4, 28):02}"
    setters = chance.choice((["upper"], ["ward"], ["upper", "ward"]))
    lines = [code for code in own.parents if code == own.root or own.parents[code] == own.root]
    unit = chance.choice((1, 1_000, 1_000_000))
    values: dict[str, Decimal] = {}
    for setter in setters:
        for code in lines[1:]:
            known = [pair[0] for (m, c), pair in own.receipts.items() if c == code and m[:4] == "2021"]  # fmt: skip
            values[code] = Decimal(int(sum(known) * (0.9 + chance.random() / 5)) // 1_000_000 * 1_000_000)  # fmt: skip
        values[lines[0]] = sum(values[code] for code in lines[1:])
        for code in lines:
            case.figures["plan", year, setter, code] = values[code]
            case.truth["targets", year, f"{code}:{setter}"] = {"amount": str(values[code])}
    words = {"upper": ["Quận giao", "Cấp trên giao", "Dự toán quận giao", "Dự toán thành phố giao"], "ward": ["HĐND phường giao", "Dự toán HĐND phường giao", "Phường giao"]}  # fmt: skip
    over = chance.random() < 0.5
    columns: list[Column] = []
    for setter in setters:
        head = chance.choice(words[setter])
        columns.append((("plan", year, setter), [f"Dự toán năm {year}", head] if over else [head if "Dự toán" in head else f"Dự toán {head}"], unit))  # fmt: skip
    case.factors = {key: factor for key, _, factor in columns}
    unit_at = chance.choice(("above", "above", "heads"))
    if unit_at == "heads":
        for _, heads, _ in columns:
            heads[-1] += f" ({_UNITS[unit][0]})"
    labels = {code: _label(case, own, code, chance, False) for code in lines}
    numbers = _numbers(own, lines, {}, chance)
    _drawn(
        case, own, chance, columns, lines, labels, numbers, {}, turned=False, english=False,
        unit_at=unit_at, unit=unit,
        title=chance.choice((f"DỰ TOÁN THU NGÂN SÁCH NĂM {year}", f"Giao dự toán thu năm {year}")),
    )  # fmt: skip


# Writing ----------------------------------------------------------------------------------------------------


def written(case: Case) -> tuple[str, bytes]:
    """Name and bytes of the case's file."""
    pages = [copy.deepcopy(page) for page in case.pages]
    change: Callable[[str], str] | None = {
        "nfd": lambda text: unicodedata.normalize("NFD", text), "tones": _tones, "tcvn3": tcvn3, "vni": vni,
    }.get(case.letters)  # fmt: skip
    font = {"tcvn3": ".VnTime", "vni": "VNI-Times"}.get(case.letters, "")
    if change:
        for page in pages:
            page.rewritten(change, font)
    name = f"bao-cao.{case.suffix()}"
    if case.container == "csv":
        mark = "\t" if case.letters == "utf16" else str(case.about["mark"])
        text = separated(pages[0], mark, _in_csv)
        if case.letters == "cp1258":
            return name, cp1258(text)
        if case.letters == "utf16":
            return name, text.encode("utf-16")
        return name, text.encode("utf-8-sig" if case.about["bom"] else "utf-8")
    if case.container == "xls":
        return name, xls(*pages)
    if case.container == "ods":
        return name, ods(*pages)
    return name, xlsx(*pages, strict=case.container == "strict")


def _in_csv(value: float) -> str:
    return str(value)


# Damage -----------------------------------------------------------------------------------------------------


@dataclass
class Damage:
    """What was done to a case: in words, at which places, and whether a perfect reader would see it."""

    kind: str
    places: list[tuple[int, int]]
    seen: bool
    what: str = ""


def damaged(case: Case, own: Place, chance: random.Random) -> Damage | None:
    """Damage a case in one place; None where the drawn damage does not fit it."""
    kind = chance.choice(tuple(_DAMAGES))
    return _DAMAGES[kind](kind, case, own, chance)


def _cell(case: Case, chance: random.Random) -> Key | None:
    """A cell of figures, mostly one that is needed."""
    filled = [key for key in case.where if case.page.cells.get(case.where[key])]
    needed = [key for key in filled if key[0] == "month" or case.table == "targets"]
    return chance.choice(needed if needed and chance.random() < 0.9 else filled) if filled else None


def _set(case: Case, key: Key, value: object, look: str | None = None) -> None:
    at = case.where[key]
    before = case.page.cells.get(at) or Entry(None)
    case.page.cells[at] = Entry(value, look or before.look, font=before.font)


def _after_values(case: Case, own: Place, changes: dict[Key, Value]) -> bool:
    """Whether the figures with these changes contradict each other or what is known."""
    entries = [(*key, changes.get(key, value)) for key, value in case.figures.items()]
    return contradicted(case, own, entries)


def _value(kind: str, case: Case, own: Place, chance: random.Random) -> Damage | None:
    key = _cell(case, chance)
    if key is None or key not in case.figures:
        return None
    at = case.where[key]
    value = case.figures[key]
    entry = case.page.cells[at]
    if value is None or not isinstance(value, Decimal):
        return None
    factor = case.factors[key[:3]]
    own_text = isinstance(entry.value, str)
    style = case.style
    now: Value
    if kind == "digit":
        text = entry.value if own_text else repr(entry.value)
        places = [m.start() for m in re.finditer(r"\d", text)]
        at_digit = chance.choice(places)
        other = chance.choice([d for d in "0123456789" if d != text[at_digit]])
        text = text[:at_digit] + other + text[at_digit + 1 :]
        if own_text:
            now = _understood(text, style, factor)
            _set(case, key, text)
        else:
            if re.match(r"-?0\d", text):
                return None
            number = float(text) if "." in text or "e" in text else int(text)
            now = Decimal(repr(number)) * factor
            _set(case, key, number)
    elif kind == "sign":
        if value == 0:
            return None
        now = -value
        _set(case, key, _shown(now, factor, style if own_text else None))
    elif kind == "thousandfold":
        if value == 0:
            return None
        now = value * 1000
        _set(case, key, _shown(now, factor, style if own_text else None))
    elif kind == "comma":
        text = entry.value if own_text else _shown(value, factor, ("", "."))
        marks = [m.start() for m in re.finditer(r"[.,]", text)]
        if not marks:
            text = f"{_shown(value, factor, (',', '.'))}"
            marks = [m.start() for m in re.finditer(r"[.,]", text)]
            if not marks:
                return None
        at_mark = chance.choice(marks)
        text = text[:at_mark] + ("," if text[at_mark] == "." else ".") + text[at_mark + 1 :]
        now = _understood(text, style, factor) if own_text else BAD
        if not own_text:  # beside stored numbers a text can be read in any way that its marks allow
            readings = {
                r for s in _MARKS[:2] if (r := _understood(text, s, factor)) not in (BAD, None)
            }
            now = readings.pop() if len(readings) == 1 else BAD
        _set(case, key, text, PLAIN)
    elif kind == "text":
        now = BAD
        text = chance.choice(("chưa rõ", "xem ghi chú", "khoảng 20", "abc", "12 tr", "?"))
        _set(case, key, text, PLAIN)
    elif kind == "error":
        now = BAD
        word = chance.choice(("#REF!", "#DIV/0!", "#N/A", "#VALUE!"))
        at = case.where[key]
        if case.container in ("xlsx", "strict", "ods"):
            case.page.cells[at] = Entry(word, formula="=A1/0")
        else:
            case.page.cells[at] = Entry(word)
    elif kind == "percent":
        if key[2] in ("attendance_share", "value"):
            return None
        now = BAD
        number = chance.choice((0.2, 0.7, 0.125, 1))
        if case.container == "csv" or own_text:
            _set(case, key, f"{number * 100:g}%")
        else:
            _set(case, key, number, "0%")
    elif kind == "date":
        now = BAD
        if case.container == "csv" or own_text:
            _set(case, key, "04/05/2022")
        else:
            _set(case, key, datetime.date(2022, 5, 4), "dd/mm/yyyy")
    else:  # blank
        now = None
        del case.page.cells[at]
    if now == value:
        return Damage(kind, [at], False, f"{a1(at)} {key}: the same value")
    return Damage(
        kind, [at], _after_values(case, own, {key: now}), f"{a1(at)} {key}: {value} → {now}"
    )


def _understood(text: str, style: tuple[str, str] | None, factor: int) -> Value:
    """A text as a number in the style of its column."""
    if style is None:
        return BAD
    group, point = style
    bare = text.lstrip("-")
    whole, _, rest = bare.partition(point)
    if group:
        if not re.fullmatch(rf"\d{{1,3}}(?:{re.escape(group)}\d{{3}})*|\d+", whole) or (group in whole and whole.startswith("0")):  # fmt: skip
            return BAD
        whole = whole.replace(group, "")
    if not whole.isdecimal() or (point in bare and not rest.isdecimal()):
        return BAD
    number = Decimal(f"{whole}.{rest or 0}") * (-1 if text.startswith("-") else 1)
    return number * factor


def _neighbour(kind: str, case: Case, own: Place, chance: random.Random) -> Damage | None:
    key = _cell(case, chance)
    if key is None:
        return None
    at = case.where[key]
    beside = [
        other
        for other, (r, c) in case.where.items()
        if abs(r - at[0]) + abs(c - at[1]) == 1 and case.page.cells.get((r, c))
    ]
    if not beside or key not in case.figures:
        return None
    other = chance.choice(beside)
    if other not in case.figures:
        return None
    there = case.where[other]
    cells = case.page.cells
    cells[at], cells[there] = (
        Entry(cells[there].value, cells[at].look, font=cells[at].font),
        Entry(cells[at].value, cells[there].look, font=cells[there].font),
    )
    a, b = case.figures[key], case.figures[other]
    fa, fb = case.factors[key[:3]], case.factors[other[:3]]
    now = {
        key: None if b is None else b / fb * fa,
        other: None if a is None else a / fa * fb,
    }
    return Damage(kind, [at, there], _after_values(case, own, now), f"{a1(at)} ↔ {a1(there)}")


def _relabel(kind: str, case: Case, own: Place, chance: random.Random) -> Damage | None:
    rows = [row for row in case.labels if row not in case.groups]
    if not rows:
        return None
    row = chance.choice(rows)
    at = case.labels[row][-1]  # the name
    text = case.page.cells[at].value
    code = row.split()[-1]
    if kind == "misspelt":
        letters = [m.start() for m in re.finditer(r"[^\W\d]", text)][1:]
        if len(letters) < 4:
            return None
        where = chance.choice(letters)
        how = chance.choice(("drop", "double", "other"))
        new = {"drop": "", "double": text[where] * 2, "other": "x"}[how]
        made = text[:where] + new + text[where + 1 :]
        case.page.cells[at].value = made
        # The row's name is no longer one: a perfect reader asks. A code beside it may still say it.
        return Damage(kind, [at], True, f"{text} → {made}")
    families = {"receipts": own.parents, "targets": own.parents, "school_months": own.schools, "indicator_months": _INDICATORS}  # fmt: skip
    codes = [other for other in families.get(case.table, ()) if other != code]
    if case.table == "activities":
        codes = [other for other in ("extracurricular", "culture", "sport") if other != code]
    other = chance.choice(codes)
    name = {
        "school_months": lambda: own.schools[other]["name"],
        "activities": lambda: {"extracurricular": "Ngoại khóa", "culture": "Văn hóa", "sport": "Thể thao"}[other],
        "indicator_months": lambda: _INDICATORS[other][0],
    }.get(case.table, lambda: own.names[other][0])()  # fmt: skip
    number = re.match(r"\s*(?:[\dIVX.]+[.)]\s*|- )", text)
    made = (number[0] if number else "") + name
    if "\n" not in text and text.isupper():
        made = made.upper()
    case.page.cells[at].value = made
    entries = []
    for key, value in case.figures.items():
        role, time, measure, its = key
        mine = its == code and (len(row.split()) == 1 or time == row.split()[0])
        entries.append((role, time, measure, other if mine else its, value))
    seen = contradicted(case, own, entries) or len(case.labels[row]) > 1
    return Damage(kind, [at], seen, f"{text} → {made}")


def _head(kind: str, case: Case, own: Place, chance: random.Random) -> Damage | None:
    """Another month in a head, or a head that says year to date, plan or the same month of last year."""
    heads = [
        (at, text, keys) for at, text, keys in case.heads if any(k[0] == "month" for k in keys)
    ]
    if case.table != "receipts":
        return None
    if kind == "month":
        heads = [
            own_head
            for own_head in heads
            if re.search(r"(?i)(?:tháng |\bt)\d|\d/20\d\d", own_head[1])
        ]
    else:
        heads = [h for h in heads if not re.search("(?i)nsnn|nsx|hưởng|nhà nước|năm 20\\d\\d$|collected|kept|receipts", h[1]) or re.search("(?i)tháng", h[1])]  # fmt: skip
    if not heads:
        return None
    at, text, keys = chance.choice(heads)
    month = keys[0][1]
    if kind == "month":
        other = _after(month, chance.choice((-12, -2, -1, 1, 2)))
        old, new = (month[5:], other[5:])
        made = re.sub(r"(?i)(tháng |\bt)0?\d{1,2}", lambda m: m[1] + str(int(new)), text, count=1)
        made = re.sub(r"\b0?\d{1,2}([/-])20\d\d", rf"{int(new):02}\g<1>{month[:4]}", made)
        made = made.replace(month[:4], other[:4])
        if made == text or not re.search("20\\d\\d", text):
            return None
        del old
        change = {key: ("month", other, key[2]) for key in keys if key[0] == "month"}
    else:
        word = {"ytd": "Lũy kế ", "plan": "Dự toán ", "previous": "Cùng kỳ "}[kind]
        role = {"ytd": "until", "plan": "plan", "previous": "previous"}[kind]
        if re.search(r"(?i)thực hiện|số thu trong", text):
            made = re.sub(r"(?i)(ước )?thực hiện ?|số thu ?", word, text, count=1)
        else:
            made = word + text
        change = {
            key: (role, key[1] if role != "plan" else key[1][:4], key[2])
            for key in keys
            if key[0] == "month"
        }
    case.page.cells[at].value = made
    entries = [
        (*change.get(key[:3], key[:3]), key[3], value) for key, value in case.figures.items()
    ]
    titled = case.title_month and kind == "month" and not _year_to(case)
    seen = bool(titled) or contradicted(case, own, entries)
    if kind in ("plan", "previous") and not any(e[0] in ("month", "until") for e in entries):
        # Now a file of plans or of the year before: nothing in it says otherwise unless its title does.
        seen = kind == "previous" or bool(case.title_month)
    return Damage(kind, [at], seen, f"{text} → {made}")


def _year_to(case: Case) -> bool:
    return False


def _unit(kind: str, case: Case, own: Place, chance: random.Random) -> Damage | None:
    if not case.units:
        return None
    at = chance.choice(case.units)
    text = case.page.cells[at].value
    if own.usd:
        made = text.replace("USD", chance.choice(("đồng", "nghìn đồng")))
        case.page.cells[at].value = made
        return Damage(kind, [at], True, f"{text} → {made}")
    spellings = sorted((word for words in _UNITS.values() for word in words), key=len, reverse=True)
    found = next((word for word in spellings if word in text), None)
    if not found:
        return None
    factor = next(f for f, words in _UNITS.items() if found in words)
    how = chance.choice(("other", "other", "other", "none", "unknown"))
    if how == "none":
        if text.strip("()").lower().startswith(("đơn vị", "đvt")):
            del case.page.cells[at]
        else:
            case.page.cells[at].value = re.sub(r" ?\([^()]*\)$", "", text)
        return Damage(kind, [at], True, f"{text} → none")
    if how == "unknown":
        case.page.cells[at].value = made = text.replace(found, "triện đồng")
        return Damage(kind, [at], True, f"{text} → {made}")
    new = chance.choice([f for f in _UNITS if f != factor])
    case.page.cells[at].value = made = text.replace(found, _UNITS[new][0])
    keys = next((keys for place_, _, keys in case.heads if place_ == at), None)
    entries = [
        (*key, value * new / factor if isinstance(value, Decimal) and (keys is None or key[:3] in keys) else value)
        for key, value in case.figures.items()
    ]  # fmt: skip
    return Damage(kind, [at], contradicted(case, own, entries), f"{text} → {made}")


def _row_of(case: Case, chance: random.Random) -> tuple[str, int] | None:
    """A row of figures of an upright table, and where it is."""
    if case.turned or not case.labels:
        return None
    row = chance.choice(tuple(case.labels))
    return row, case.labels[row][0][0]


def _mine(case: Case, row: str) -> Callable[[Key], bool]:
    code = row.split()[-1]
    month = row.split()[0] if len(row.split()) > 1 else ""
    return lambda key: key[3] == code and (not month or key[1] == month)


def _hidden(kind: str, case: Case, own: Place, chance: random.Random) -> Damage | None:
    if case.container == "csv":
        return None
    if kind == "hidden_row":
        found = _row_of(case, chance)
        if not found:
            return None
        case.page.out_of_sight_rows.add(found[1])
        return Damage(kind, [(found[1], 0)], True, f"row {found[1] + 1}")
    key = _cell(case, chance)
    if key is None or case.turned:
        return None
    column = case.where[key][1]
    case.page.out_of_sight_columns.add(column)
    return Damage(kind, [(0, column)], True, f"column {column}")


def _deleted(kind: str, case: Case, own: Place, chance: random.Random) -> Damage | None:
    found = _row_of(case, chance)
    if not found:
        return None
    row, at = found
    mine = _mine(case, row)
    page = case.page
    page.cells = {(r - (r > at), c): e for (r, c), e in page.cells.items() if r != at}
    page.spans = [
        (t - (t > at), x, b - (b >= at), y) for t, x, b, y in page.spans if not t == b == at
    ]
    entries = [(*key, value) for key, value in case.figures.items() if not mine(key)]
    neighbours = [(at, c) for c in range(page.width)] + [(at - 1, c) for c in range(page.width)]
    return Damage(kind, neighbours, contradicted(case, own, entries), f"row {at + 1} ({row})")


def _doubled(kind: str, case: Case, own: Place, chance: random.Random) -> Damage | None:
    found = _row_of(case, chance)
    if not found:
        return None
    row, at = found
    page = case.page
    copied = {c: copy.copy(e) for (r, c), e in page.cells.items() if r == at}
    page.cells = {(r + (r > at), c): e for (r, c), e in page.cells.items()}
    page.spans = [(t + (t > at), x, b + (b > at), y) for t, x, b, y in page.spans]
    page.cells |= {(at + 1, c): e for c, e in copied.items()}
    return Damage(kind, [(at, 0), (at + 1, 0)], row not in case.groups, f"row {at + 1} ({row})")


def _merged(kind: str, case: Case, own: Place, chance: random.Random) -> Damage | None:
    if case.container == "csv":
        return None
    key = _cell(case, chance)
    if key is None:
        return None
    r, c = case.where[key]
    down, right = chance.choice(((1, 0), (0, 1)))
    other = next((k for k, at in case.where.items() if at == (r + down, c + right)), None)
    if other is None or other not in case.figures or key not in case.figures:
        return None
    case.page.cells.pop((r + down, c + right), None)
    case.page.span(r, c, r + down, c + right)
    seen = any(k[0] == "month" or case.table == "targets" for k in (key, other))
    return Damage(kind, [(r, c), (r + down, c + right)], seen, f"{a1((r, c))}:{a1((r + down, c + right))}")  # fmt: skip


_DAMAGES: dict[str, Callable[[str, Case, Place, random.Random], Damage | None]] = {
    **dict.fromkeys(("digit", "sign", "thousandfold", "comma", "text", "error", "percent", "date", "blank"), _value),
    "neighbour": _neighbour, "label": _relabel, "misspelt": _relabel, "month": _head, "ytd": _head, "plan": _head,
    "previous": _head, "unit": _unit, "hidden_row": _hidden, "hidden_column": _hidden, "deleted": _deleted,
    "doubled": _doubled, "merged": _merged,
}  # fmt: skip


# What a perfect reader sees -----------------------------------------------------------------------------------


def contradicted(case: Case, own: Place, entries: list[tuple[str, str, str, str, Value]]) -> bool:
    """Whether what the cells say contradicts itself or what is known of the ward."""
    if case.table == "receipts":
        return _receipts_contradicted(case, own, entries)
    needed = "plan" if case.table == "targets" else "month"
    rows: dict[tuple[str, str, str], dict[str, Value]] = {}
    for role, month, measure, item, value in entries:
        name = "amount" if case.table == "targets" else measure
        most = own.largest.get((case.table, item, name))
        if role == needed and most and isinstance(value, Decimal) and value:
            if value >= FAR * most:
                return True
            least = own.least_target.get(item)
            if case.table == "targets" and least and value * FAR <= least:
                return True
        if role == needed:
            key = month, item, measure if case.table == "targets" else ""
            row = rows.setdefault(key, {})
            if measure in row:
                return True
            row[measure] = value
    if case.table == "targets":
        setters: dict[str, dict[str, Value]] = {}
        for (_, item, setter), row in rows.items():
            setters.setdefault(setter, {})[item] = row[setter]
        if not all(_sums_hold(case, own, column) for column in setters.values() if BAD not in column.values()):  # fmt: skip
            return True
    return any(_impossible(case, own, key, row) for key, row in rows.items())


def _impossible(case: Case, own: Place, key: tuple[str, str, str], row: dict[str, Value]) -> bool:
    month, item, _ = key
    values = list(row.values())
    if any(value == BAD for value in values):
        return True
    if case.table in ("targets", "indicator_months"):
        (value,) = values
        if value is None:
            return False
        if value < 0:
            return True
        if case.table == "targets":
            return value != value.to_integral_value()
        _, places, share = _INDICATORS[item]
        return (share and value > 100) or round(value, places + share) != value or value > 10**9
    share = row.get("attendance_share")
    counts = {m: v for m, v in row.items() if m != "attendance_share"}
    if all(v is None for v in values):
        return False
    if any(v is None or v < 0 or v != v.to_integral_value() for v in counts.values()):
        return True
    if case.table == "activities":
        return (
            row["planned"] != row["held"] + row["cancelled"] + row["postponed"]
            or (row["participants"] > 0 and row["held"] + row["held_later"] == 0)
            or max(counts.values()) > 1_000_000
        )
    about = own.schools[item]
    first = np.datetime64(month)
    limit = int(np.busday_count(first, first + 1, weekmask="Mon Tue Wed Thu Fri Sat"))
    return (
        row["planned_days"] != row["in_person_days"] + row["online_days"] + row["closed_days"]
        or (row["in_person_days"] > 0) != (share is not None)
        or (share is not None and not 0 <= share <= 1)
        or row["planned_days"] > limit
        or row["pupils"] > 100_000
        or bool(about["valid_to"] and month > about["valid_to"])
    )


def _receipts_contradicted(
    case: Case, own: Place, entries: list[tuple[str, str, str, str, Value]]
) -> bool:
    told: dict[tuple[str, str, str], dict[str, Value]] = {}
    for role, month, measure, item, value in entries:
        if role in ("month", "until"):
            column = told.setdefault((role, month, measure), {})
            if item in column:
                return True  # a line, month or measure twice
            column[item] = value
    months = {month for role, month, _ in told if role == "month"}
    alone = {month for role, month, _ in told if role == "until"} - months
    if not months and not alone:
        return True
    for month in months | alone:
        role = "month" if month in months else "until"
        if {m for r, t, m in told if (r, t) == (role, month)} != {"collected", "kept"}:
            return True
        if month > case.day[:7]:
            return True
    for (role, month, _), column in told.items():
        if role == "month" or month in alone:
            if any(value == BAD for value in column.values()):
                return True
            if not _sums_hold(case, own, column):
                return True
    figures: dict[tuple[str, str], dict[str, Value]] = {}
    for (role, month, measure), column in told.items():
        if role == "month":
            for item, value in column.items():
                if item not in case.groups:
                    figures.setdefault((month, item), {})[measure] = value
    for (role, month, measure), column in told.items():
        if role != "until":
            continue
        factor = case.factors.get((role, month, measure), 1)
        year, number = month.split("-")
        for item, value in column.items():
            if item in case.groups or not isinstance(value, Decimal):
                continue
            side = 0 if measure == "collected" else 1
            before = []
            for at in range(1, int(number)):
                one = f"{year}-{at:02}", item
                here = figures.get(one, {}).get(measure)
                known = own.receipts.get(one)
                before.append(here if here is not None else known[side] if known else None)
            lacking = any(part is None for part in before)
            rest = value - sum((part for part in before if part is not None), Decimal(0))
            if month in alone:
                if lacking or (rest < 0 and own.least):
                    return True
                figures.setdefault((month, item), {})[measure] = rest
            elif not lacking:
                mine = figures.get((month, item), {}).get(measure)
                if mine is not None and abs(rest - mine) > Decimal(max(factor, 1)) * (int(number) + 1) / 2:  # fmt: skip
                    return True
    for (_, item), pair in figures.items():
        c, k = pair.get("collected"), pair.get("kept")
        if (c is None) != (k is None):
            return True
        if c is None or k is None:
            continue
        if k > c or (own.least and min(c, k) < 0) or c % 1 or k % 1:
            return True
        if _far(own, item, (c, k)):
            return True
    return not _families_hold(case, own, figures)


def _sums_hold(case: Case, own: Place, column: dict[str, Value]) -> bool:
    for whole, parts in [
        *((code, own.children(code)) for code in own.parents if own.children(code)),
        *case.groups.items(),
    ]:
        if whole not in column or column[whole] is None:
            continue
        filled = [column[p] for p in parts if isinstance(column.get(p), Decimal)]
        if filled and abs(column[whole] - sum(filled)) > Decimal(len(filled) + 1) / 2:
            return False
    return True


def _families_hold(
    case: Case, own: Place, figures: dict[tuple[str, str], dict[str, Value]]
) -> bool:
    """The rule of the ward's own table: beside what is known, each parent is the sum of its parts."""
    for month in {month for month, _ in figures}:
        newest = {
            item: Decimal(pair[0])
            for (m, item), pair in own.receipts.items()
            if m == month and pair[2] <= case.day
        }
        if any(
            m == month
            and (pair[2] >= case.day)
            and figures.get((m, item), {}).get("collected") not in (None, pair[0])
            for (m, item), pair in own.receipts.items()
        ):
            return False
        newest |= {
            item: pair["collected"]
            for (m, item), pair in figures.items()
            if m == month and pair.get("collected") is not None
        }
        for code in own.parents:
            parts = [newest[child] for child in own.children(code) if child in newest]
            if parts and (code not in newest or abs(newest[code] - sum(parts)) > Decimal(len(parts) + 1) / 2):  # fmt: skip
                return False
    return True


# Examining ----------------------------------------------------------------------------------------------------


@contextmanager
def quick() -> Iterator[None]:
    """What is the same for every case of a ward (its files, the checks of all but the tables that a case
    lengthens, what is known, its wordings) is found once."""
    from wardlib.data import checks, reading
    from wardlib.data.intake import arrivals, examination

    check, known, words = checks.check, arrivals.known, examination.wordings
    sheet, rows_of = reading.sheet, checks._written
    sheets: dict[Path, object] = {}

    def once(path, data=None):  # type: ignore[no-untyped-def]
        if data is not None:
            return sheet(path, data)
        if path not in sheets:
            sheets[path] = sheet(path)
        return sheets[path]

    def lengthened(shelf, table, day=None):  # type: ignore[no-untyped-def]
        """Nothing of a table that is as it was: it was found sound before."""
        own = shelf.sheet(table)
        if checked.tails and own is sheets.get(table.path):
            return [], None
        return rows_of(shelf, table, day)

    sound = cache(lambda ward: check(_WARDS[ward]))
    read = cache(lambda ward: known(_WARDS[ward]))
    named = cache(lambda ward: words(_WARDS[ward]))

    def checked(ward, **options):  # type: ignore[no-untyped-def]
        if options.get("tails") is None:
            return sound(ward.id)
        checked.tails = True
        try:
            return check(ward, **options)
        finally:
            checked.tails = False

    checked.tails = False

    def copied(ward):  # type: ignore[no-untyped-def]
        made = read(ward.id)
        reports = {
            table: {key: dict(days) for key, days in own.items()}
            for table, own in made.reports.items()
        }
        return type(made)(made.ward, reports)

    with (
        mock.patch.object(checks, "check", checked),
        mock.patch.object(checks, "_written", lengthened),
        mock.patch.object(reading, "sheet", once),
        mock.patch.object(arrivals, "known", copied),
        mock.patch.object(examination, "wordings", lambda ward: named(ward.id)),
    ):
        yield


_WARDS: dict[str, object] = {}


@dataclass
class Outcome:
    """What came of a file: accept, ask, refuse or traceback; the figures taken; its problems."""

    outcome: str
    rows: dict[tuple[str, str, str], dict[str, str]]
    problems: list[tuple[str, str, str]]  # kind, sheet, cell
    error: str = ""


def examined(case: Case, file: tuple[str, bytes]) -> Outcome:
    from wardlib.data import descriptors
    from wardlib.data.intake import examination, questions

    if case.ward not in _WARDS:
        _WARDS[case.ward] = descriptors.ward(case.ward)
    try:
        found = examination.examine(
            _WARDS[case.ward], [file], datetime.date.fromisoformat(case.day), questions.answers([]), today=TODAY,
        )  # fmt: skip
    except Exception:
        return Outcome("traceback", {}, [], traceback.format_exc(limit=-4))
    (own,) = found.files
    rows = {
        (arrival.table, arrival.time, arrival.item): {
            column: text
            for column, text in arrival.cells.items()
            if column not in ("month", "year", "line", "school", "field", "indicator", "set_by", "reported_on")
        }
        for arrival in own.arrivals
    }  # fmt: skip
    problems = [(p.kind, p.sheet, p.cell) for p in own.problems if p.severity != "note"]
    return Outcome(own.outcome, rows, problems)


def equal(case: Case, rows: dict[tuple[str, str, str], dict[str, str]]) -> str:
    """ "" where the rows are those of the truth, else the first difference."""
    for key in sorted(case.truth.keys() | rows.keys()):
        expected, found = case.truth.get(key), rows.get(key)
        if expected is None:
            return f"{key}: {found}, not in the truth"
        if found is None:
            return f"{key}: not taken"
        for column, value in expected.items():
            other = found[column]
            same = other == value if not re.match(r"-?\d", value) or not other else Decimal(other) == Decimal(value)  # fmt: skip
            if not same:
                return f"{key} {column}: {other} instead of {value}"
    return ""


def _row_column(cell: str) -> tuple[int, int]:
    letters_, digits = re.fullmatch(r"([A-Z]+)(\d+)", cell).groups()  # type: ignore[union-attr]
    column = 0
    for letter in letters_:
        column = column * 26 + ord(letter) - 64
    return int(digits) - 1, column - 1


_ROWS = ("label", "misspelt", "hidden_row", "deleted", "doubled")  # what is done to a whole row


def named(damage: Damage, problems: list[tuple[str, str, str]]) -> bool:
    """Whether a problem is at the damage, in its row or column, at a sum that it is part of, at a figure in the
    unit that was changed, or of the sheet or file."""
    if damage.kind == "unit" and problems:
        return True
    for kind, _, cell in problems:
        if not cell or (kind == "total_mismatch" and damage.kind in _ROWS):
            return True
        row, column = _row_column(cell)
        if any(row == r or column == c for r, c in damage.places):
            return True
    return False


@dataclass
class Result:
    """What came of a case, in words; `fault` where it must not be."""

    seed: str
    sound: str  # equal, changed, traceback, or the kinds asked or refused
    damage: str = ""
    verdict: str = ""
    fault: str = ""
    told: dict[str, object] = field(default_factory=dict)
    file: bytes = b""
    name: str = ""


def tried(seed: str, folder: Path) -> list[Result]:
    """Examine the case of a seed as it is and damaged."""
    case = draw(seed, folder)
    own = place(case.ward, folder)
    name, data = written(case)
    found = examined(case, (name, data))
    about = {
        "ward": case.ward, "table": case.table, "reported_on": case.day, "container": case.container,
        "letters": case.letters, "style": case.style, "turned": case.turned, "long": bool(case.about.get("long")),
    }  # fmt: skip
    result = Result(seed, "", told=about | {"outcome": found.outcome, "problems": found.problems[:6]}, file=data, name=name)  # fmt: skip
    if found.outcome == "traceback":
        result.sound, result.fault = "traceback", found.error
    elif found.outcome == "accept":
        difference = equal(case, found.rows)
        result.sound = "changed" if difference else "equal"
        result.fault = difference
    else:
        kinds = sorted({kind for kind, *_ in found.problems})
        result.sound = f"{found.outcome}: {', '.join(kinds)}"
    results = [result]
    if result.sound != "equal":
        return results
    chance = random.Random(f"{seed} damage")
    damage = None
    for _ in range(12):
        damage = damaged(case, own, chance)
        if damage:
            break
    if not damage:
        return results
    name, data = written(case)
    found = examined(case, (name, data))
    result = Result(
        seed, "", damage=damage.kind,
        told=about | {"damage": damage.kind, "what": damage.what, "places": [a1(at) for at in damage.places], "outcome": found.outcome, "problems": found.problems[:6]},
        file=data, name=name,
    )  # fmt: skip
    if found.outcome == "traceback":
        result.verdict, result.fault = "traceback", found.error
    elif found.outcome != "accept":
        result.verdict = "named" if named(damage, found.problems) else "elsewhere"
    elif not (difference := equal(case, found.rows)):
        result.verdict = "harmless"
    elif damage.seen:
        result.verdict, result.fault = "silent", difference
    else:
        result.verdict = "not knowable"
    return [*results, result]


def batch(first: int, last: int, seed: str) -> list[Result]:
    """The results of cases, in a folder of their own; the files only of those that are of interest."""
    made = []
    with home() as folder, quick():
        for number in range(first, last):
            try:
                found = tried(f"{seed} {number}", folder)
            except Exception as error:
                raise RuntimeError(f"case {seed} {number}: {traceback.format_exc()}") from error
            for result in found:
                if result.sound in ("equal",) or result.verdict in ("named", "harmless"):
                    result.file = b""
            made += found
    place.cache_clear()
    _WARDS.clear()
    return made


def summary(results: list[Result]) -> tuple[list[str], bool]:
    """The lines of the summary, and whether something must not be."""
    sound = [r for r in results if not r.damage]
    hurt = [r for r in results if r.damage]
    equal_ = sum(r.sound == "equal" for r in sound)
    changed = [r for r in sound if r.sound == "changed"]
    broken = [r for r in results if "traceback" in (r.sound, r.verdict)]
    needless = Counter(r.sound for r in sound if r.sound not in ("equal", "changed", "traceback"))
    count = sum(needless.values())
    verdicts = Counter(r.verdict for r in hurt)
    lines = [
        f"{len(sound)} sound files: {equal_} equal, {len(changed)} changed, {count} asked or refused without need"
        f" ({100 * count / max(1, len(sound)):.2f} %)",
        *(f"    {number:5}  {kinds}" for kinds, number in needless.most_common(25)),
        f"{len(hurt)} damaged files: "
        + ", ".join(f"{verdicts[v]} {v}" for v in ("named", "elsewhere", "harmless", "not knowable", "silent")),
        *(
            f"    {kind:13}" + ", ".join(f"{n} {v}" for v, n in sorted(Counter(r.verdict for r in hurt if r.damage == kind).items()))
            for kind in _DAMAGES
        ),
        f"{len(broken)} tracebacks",
    ]  # fmt: skip
    faults = [r for r in results if r.fault]
    for r in faults[:40]:
        lines.append(f"FAULT {r.seed} {r.sound or r.verdict} {r.damage}: {r.fault} {json.dumps(r.told, ensure_ascii=False)}")  # fmt: skip
    return lines, bool(faults)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--keep", type=Path, help="a folder for the files that failed, each with a JSON"
    )
    parser.add_argument("--also", default="", help="keep files with this word in their outcome too")
    options = parser.parse_args()
    begun = time.perf_counter()
    size = max(1, min(250, options.cases // options.processes))
    parts = [(at, min(options.cases, at + size)) for at in range(0, options.cases, size)]
    results: list[Result] = []
    if options.processes == 1:
        for first, last in parts:
            results += batch(first, last, options.seed)
    else:
        with ProcessPoolExecutor(options.processes) as pool:
            for made in pool.map(batch, *zip(*parts, strict=True), [options.seed] * len(parts)):
                results += made
    lines, wrong = summary(results)
    print("\n".join(lines))
    spent = time.perf_counter() - begun
    print(f"{len(results) / spent:.1f} files a second")
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        for r in results:
            word = f"{r.sound} {r.verdict} {r.damage}"
            if r.file and (r.fault or (options.also and options.also in word)):
                stem = re.sub(r"[^\w.-]+", "-", f"{r.seed}-{r.damage or 'sound'}")
                (options.keep / f"{stem}{Path(r.name).suffix}").write_bytes(r.file)
                told = r.told | {"sound": r.sound, "verdict": r.verdict, "fault": r.fault}
                (options.keep / f"{stem}.json").write_text(json.dumps(told, ensure_ascii=False, indent=1, default=str))  # fmt: skip
    sys.exit(wrong)


if __name__ == "__main__":
    main()
