"""What an intake may cost, and what it must withstand.

    python tests/benchmarks/intake_limits.py [archives|speed|agreement|together|kills ...] [--moments 100]

archives   files that unpack to 1 GiB, in several shapes: refused within a second and 100 MiB more memory
speed      a workbook of 5,000 rows beside what python-calamine and openpyxl alone need for it, turn by turn:
           at most three times their CPU time
agreement  every cell used of the corpus, as the intake reads it, beside openpyxl, xlrd and python-calamine
together   two `ward intake --apply` at once, twenty times: both land, or the second finds it known
kills      `kill -9` at random moments of a `ward intake --apply` over three tables (intake_kills.py)

Without a word all of them. Prints a line each; exit code 1 where one does not hold.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import io
import json
import os
import random
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "data" / "intake"))

import intake_random
import make
from containers import WHOLE, Page, ods, xlsx

ROOT = Path(__file__).resolve().parents[2]
GIB, MIB = 1 << 30, 1 << 20
WARD = "phuc-dong"
INTAKE = [sys.executable, "-c", "from wardlib.cli import main; main()", "intake"]
CHECK = [sys.executable, "-c", "from wardlib.cli import main; main()", "check", "--ward", WARD]


# Archives -----------------------------------------------------------------------------------------------


def _small() -> Page:
    page = Page("Thu")
    page.put(0, 0, "Đơn vị: đồng")
    for column, head in enumerate(("Nội dung", "Thu NSNN tháng 1/2022", "Thu NSX tháng 1/2022")):
        page.put(2, column, head)
    page.put(3, 0, "Phí, lệ phí")
    page.put(3, 1, 1_000_000)
    page.put(3, 2, 1_000_000)
    return page


def _swollen(data: bytes, parts: dict[str, tuple[bytes, bytes, int]]) -> bytes:
    """An archive in which parts are what begins them, something repeated, so many bytes of it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:  # fmt: skip
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, (first, again, size) in parts.items():
            with new.open(name, "w", force_zip64=True) as file:
                file.write(first)
                block = again * (MIB // len(again))
                for _ in range(size // len(block)):
                    file.write(block)
    return out.getvalue()


def _belittled(data: bytes) -> bytes:
    """The archive with every unpacked size in its directory said to be 1,000 bytes."""
    data_ = bytearray(data)
    at = 0
    while (at := data_.find(b"PK\x01\x02", at)) >= 0:
        if struct.unpack_from("<I", data_, at + 24)[0] > MIB:
            struct.pack_into("<I", data_, at + 24, 1_000)
        at += 4
    return bytes(data_)


def bombs() -> Iterator[tuple[str, str, bytes]]:
    """What each is, its file's name, its bytes."""
    book, sheet = xlsx(_small()), "xl/worksheets/sheet1.xml"
    start = b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    row = b'<row><c t="inlineStr"><is><t>x</t></is></c></row>'
    blanks = _swollen(book, {sheet: (start, b" ", GIB)})
    yield "a sheet of blanks", "a.xlsx", blanks
    yield "the same, its size said to be small", "a.xlsx", _belittled(blanks)
    yield "a sheet of rows", "a.xlsx", _swollen(book, {sheet: (start, row, GIB)})
    yield (
        "one text of a gibibyte", "a.xlsx",
        _swollen(book, {"xl/sharedStrings.xml": (b"<sst><si><t>", b"x", GIB)}),
    )  # fmt: skip
    yield (
        "1,024 parts of a mebibyte", "a.xlsx",
        _swollen(book, {f"xl/media/{at}.xml": (b"", b"<a/>", MIB) for at in range(1_024)}),
    )  # fmt: skip
    yield (
        "an .ods of blanks", "a.ods",
        _swollen(ods(_small()), {"content.xml": (b"<office:document-content>", b" ", GIB)}),
    )  # fmt: skip
    yield "named .xls", "a.xls", blanks


_OPEN = """
import resource, sys, time
from wardlib.data.intake import workbooks
from wardlib.errors import DataError
small, path = sys.argv[1:]
workbooks.opened(open(small, "rb").read(), "small.xlsx", lambda text: True)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begun, cpu = time.perf_counter(), time.process_time()
data = open(path, "rb").read()
try:
    workbooks.opened(data, path.rsplit("/", 1)[1], lambda text: True)
    kind = "opened"
except DataError as error:
    kind = error.problems[0].kind
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(kind, time.perf_counter() - begun, time.process_time() - cpu, (after - before) / 1024)
"""


def archives(_: argparse.Namespace) -> bool:
    good = True
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.xlsx"
        small.write_bytes(xlsx(_small()))
        for what, name, data in bombs():
            path = Path(folder) / name
            path.write_bytes(data)
            out = subprocess.run(
                [sys.executable, "-c", _OPEN, str(small), str(path)],
                cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if out.returncode:
                print(f"archives: {what}: {out.stderr[-300:]}")
                good = False
                continue
            kind, seconds, cpu, memory = out.stdout.split()
            right = kind not in ("opened",) and float(cpu) < 1 and float(memory) < 100
            good &= right
            print(
                f"archives: {what} ({len(data) / MIB:.1f} MiB): {kind}, {float(seconds):.2f} s ({float(cpu):.2f} s CPU), "
                f"{float(memory):.0f} MiB more{'' if right else '  WRONG'}"
            )
    return good


# Speed --------------------------------------------------------------------------------------------------


def long_list(rows: int) -> bytes:
    """A list of known figures, a row a line and month, over and over up to so many rows; each month once,
    then details of households, which are left aside."""
    page = Page("Data")
    page.put(0, 0, "Đơn vị: đồng")
    for column, head in enumerate(("Mã", "Khoản thu", "Tháng", "Thu NSNN", "Thu NSX")):
        page.put(2, column, head)
    at = 3
    known = make.known(WARD)
    for (month, line), (collected, kept) in sorted(known.items()):
        for column, value in enumerate((line, make.NAMES[line], month, collected, kept)):
            page.put(at, column, value, WHOLE if column > 2 else "General")
        at += 1
    count = 0
    while at < rows + 3:
        count += 1
        for column, value in enumerate(
            (None, f"Hộ kinh doanh số {count}", "2021-12", 1_000 * count, 0)
        ):
            if value is not None:
                page.put(at, column, value, WHOLE if column > 2 else "General")
        at += 1
    return xlsx(page)


def speed(_: argparse.Namespace) -> bool:
    import openpyxl
    import python_calamine

    from wardlib.data import descriptors
    from wardlib.data.intake import examination, questions, workbooks

    data = long_list(5_000)
    ward = descriptors.ward(WARD)

    def calamine() -> None:
        book = python_calamine.load_workbook(io.BytesIO(data))
        book.get_sheet_by_index(0).to_python()

    def openpyxl_() -> None:
        for row in openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows(values_only=True):
            tuple(row)

    def opened() -> None:
        workbooks.opened(data, "a.xlsx", lambda text: True)

    def examined() -> None:
        examination.examine(
            ward, [("a.xlsx", data)], datetime.date(2022, 2, 10), questions.answers([]), today=intake_random.TODAY
        )  # fmt: skip

    programs: dict[str, Callable[[], None]] = {
        "python-calamine": calamine, "openpyxl": openpyxl_, "opened by the intake": opened, "the whole intake": examined,
    }  # fmt: skip
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for _turn in range(6):
        for name, program in programs.items():
            begun = time.process_time()
            program()
            seconds[name].append(time.process_time() - begun)
    best = {name: statistics.median(own[1:]) for name, own in seconds.items()}
    alone = best["python-calamine"] + best["openpyxl"]
    told = ", ".join(f"{name} {own:.2f} s" for name, own in best.items())
    ratios = {name: best[name] / alone for name in ("opened by the intake", "the whole intake")}
    print(
        f"speed: 5,000 rows: {told}; " + ", ".join(f"{n}: {r:.2f} times" for n, r in ratios.items())
    )
    return max(ratios.values()) <= 3


# Agreement ----------------------------------------------------------------------------------------------


def agreement(_: argparse.Namespace) -> bool:
    """Each cell of the corpus as the intake has it beside other readers' own values."""
    import openpyxl
    import python_calamine
    import xlrd

    from wardlib.data.intake import workbooks
    from wardlib.errors import DataError

    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for sample in make.samples():
        if sample.file.endswith(".csv"):
            continue
        try:
            file = workbooks.opened(sample.data, sample.file, lambda text: True)
        except DataError:
            counts["files refused"] += 1
            continue
        counts["files"] += 1
        values: dict[str, Callable[[str, tuple[int, int]], object]] = {}
        calamine = {
            name: python_calamine.load_workbook(io.BytesIO(sample.data))
            .get_sheet_by_name(name)
            .to_python(skip_empty_area=False)
            for name in (grid.name for grid in file.grids)
        }
        values["python-calamine"] = lambda sheet, at, own=calamine: _at(own[sheet], at)
        if sample.data[:2] == b"PK" and not sample.file.endswith(".ods"):
            book = openpyxl.load_workbook(io.BytesIO(sample.data), data_only=True)
            if book.sheetnames:  # of Strict Open XML it shows none
                values["openpyxl"] = lambda sheet, at, own=book: (
                    own[sheet].cell(at[0] + 1, at[1] + 1).value
                )
        elif sample.data[:4] == b"\xd0\xcf\x11\xe0":
            old = xlrd.open_workbook(file_contents=sample.data)
            values["xlrd"] = lambda sheet, at, own=old: _cell(own.sheet_by_name(sheet), at)
        for grid in file.grids:
            for at, cell in grid.cells.items():
                if cell.fault:
                    counts[f"cells with {cell.fault}"] += 1
                    continue
                if cell.value is None:
                    continue
                for reader, value in values.items():
                    counts[f"cells held against {reader}"] += 1
                    other = value(grid.name, at)
                    if not _same(cell.value, other):
                        wrong.append(
                            f"{sample.file} {grid.name} {at}: {cell.value!r}, {reader} {other!r}"
                        )
    print("agreement: " + ", ".join(f"{count:,} {what}" for what, count in sorted(counts.items())))
    print("\n".join([f"agreement: {len(wrong)} differ", *wrong[:20]]))
    return not wrong


def _at(rows: list[list[object]], at: tuple[int, int]) -> object:
    return rows[at[0]][at[1]] if at[0] < len(rows) and at[1] < len(rows[at[0]]) else None


def _cell(sheet, at: tuple[int, int]) -> object:  # type: ignore[no-untyped-def]
    return sheet.cell_value(*at) if at[0] < sheet.nrows and at[1] < sheet.row_len(at[0]) else None


def _same(own: object, other: object) -> bool:
    if isinstance(own, bool) or isinstance(other, bool):
        return bool(own) == bool(other)
    if isinstance(own, Decimal):
        return isinstance(other, int | float) and Decimal(repr(other)) == own
    if isinstance(own, datetime.date):
        return isinstance(other, float) or f"{own}"[:10] == f"{other}"[:10]
    return "".join(str(own).split()) == "".join(str(other).split())


# Together and killed --------------------------------------------------------------------------------------


@contextmanager
def workbook() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        ignored = shutil.ignore_patterns(".accepted", "received", "__pycache__")
        shutil.copytree(ROOT / "data", Path(folder) / "data", ignore=ignored)
        yield Path(folder)


def _figures(seed: int, month: str) -> dict[tuple[str, str], tuple[int, int]]:
    return make.near(seed, month)


def report(seed: int) -> bytes:
    """Receipts, schools and activities of January 2022, a sheet each."""
    receipts = make.listed(_figures(seed, "2022-01"), "2022-01", name="Thu")
    schools, fields = Page("Trường"), Page("Hoạt động")
    chance = random.Random(seed)
    schools.put(0, 0, "Tình hình dạy học tháng 01 năm 2022")
    heads = ("Tên trường", "Số học sinh", "Số ngày kế hoạch", "Trực tiếp", "Trực tuyến", "Nghỉ", "Tỷ lệ chuyên cần")  # fmt: skip
    for column, head in enumerate(heads):
        schools.put(2, column, head)
    with (ROOT / "data" / WARD / "schools.csv").open(encoding="utf-8") as file:
        open_ = [row for row in csv.DictReader(file) if not row["valid_to"]]
    for at, row in enumerate(open_, 3):
        person = chance.randrange(1, 15)
        for column, value in enumerate((row["name"], chance.randrange(100, 900), 15, person, 15 - person, 0, 0.9 + chance.randrange(999) / 10_000)):  # fmt: skip
            schools.put(at, column, value)
    fields.put(0, 0, "Các hoạt động tháng 01 năm 2022")
    for column, head in enumerate(("Lĩnh vực", "Kế hoạch", "Đã tổ chức", "Hủy", "Hoãn", "Tổ chức bù", "Lượt người tham gia")):  # fmt: skip
        fields.put(2, column, head)
    for at, name in enumerate(("Ngoại khóa", "Văn hóa", "Thể thao"), 3):
        held = chance.randrange(1, 5)
        for column, value in enumerate((name, 5, held, 5 - held, 0, 0, 40 * held)):
            fields.put(at, column, value)
    return xlsx(receipts, schools, fields)


def _start(home: Path, *words: str) -> subprocess.Popen[str]:
    env = os.environ | {"WARDLIB_HOME": str(home), "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    return subprocess.Popen([*INTAKE, *words], cwd=ROOT, env=env, stdout=pipe, stderr=pipe, text=True)  # fmt: skip


def _rows(home: Path) -> dict[str, int]:
    folder = home / "data" / WARD
    return {
        name: len((folder / f"{name}.csv").read_bytes().splitlines())
        for name in ("receipts", "school_months", "activities", "received", "origins")
    }


def together(_: argparse.Namespace) -> bool:
    """Ten times the same file twice, ten times two files of different months and tables."""
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        one, two = Path(folder) / "mot.xlsx", Path(folder) / "hai.xlsx"
        for number in range(20):
            same = number % 2 == 0
            one.write_bytes(report(number))
            february = make.listed(_figures(number, "2022-02"), "2022-02", name="Thu")
            two.write_bytes(one.read_bytes() if same else xlsx(february))
            with workbook() as home:
                before = _rows(home)
                words = ["--ward", WARD, "--reported-on", "2022-03-10", "--apply", "--json"]
                running = [_start(home, str(path), *words) for path in (one, two)]
                ended = [process.communicate(timeout=300) for process in running]
                codes = [process.returncode for process in running]
                after = _rows(home)
                grown = {name: after[name] - before[name] for name in after}
                expected = {"receipts": 13 if same else 26, "school_months": 5, "activities": 3, "received": 1 if same else 2}  # fmt: skip
                check = subprocess.run(
                    CHECK, cwd=ROOT, env=os.environ | {"WARDLIB_HOME": str(home), "PYTHONPATH": str(ROOT)},
                    capture_output=True, text=True, check=False,
                )  # fmt: skip
                whole = all(grown[name] == count for name, count in expected.items())
                known = ""
                if same:
                    told = [
                        json.loads(out)["files"][0] for out, _err in ended if out.startswith("{")
                    ]
                    kinds = [{n["kind"] for n in [*own["notes"], *own["problems"]]} for own in told]
                    known = "the second knows it" if any("already_known" in own for own in kinds) else "nobody knows it"  # fmt: skip
                good = codes == [0, 0] and whole and check.returncode == 0 and known != "nobody knows it"  # fmt: skip
                what = "the same file" if same else "two files"
                outcomes[f"{what}: {'right' if good else f'WRONG {codes} {grown} {known} {check.stdout[-200:]}{[err[-200:] for _, err in ended]}'}"] += 1  # fmt: skip
    for what, count in outcomes.items():
        print(f"together: {count} times {what}")
    return not any("WRONG" in what for what in outcomes)


def kills(options: argparse.Namespace) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bao-cao.xlsx"
        path.write_bytes(report(1))
        command = [
            *INTAKE,
            str(path),
            "--ward",
            WARD,
            "--reported-on",
            "2022-03-10",
            "--apply",
            "--language",
            "en",
        ]
        words = [sys.executable, "tests/benchmarks/intake_kills.py", str(options.moments), "1"]
        done = subprocess.run([*words, *command], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)  # fmt: skip
    for line in (done.stdout + done.stderr[-1_500:]).splitlines():
        print(f"kills: {line}")
    return done.returncode == 0


_ALL = {
    "archives": archives, "speed": speed, "agreement": agreement, "together": together, "kills": kills,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", nargs="*", choices=[*_ALL, []], default=[])
    parser.add_argument("--moments", type=int, default=100)
    options = parser.parse_args()
    wrong = [name for name in options.what or _ALL if not _ALL[name](options)]
    print(f"does not hold: {', '.join(wrong)}" if wrong else "all hold")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
