"""How the work grows with lines and months, with wards, and with rows: seconds, milliseconds, memory.

    python tests/benchmarks/growth.py [PART ...] [--lines 10 30 100] [--months 60 240]
        [--wards 2 20 200 3321] [--periods 5] [--rows 10000 100000 1000000]

Parts (default: all). Every ward is made here, with a seed; CPU seconds and the highest memory of one
process are those of the whole tree of processes (`batch.tree`), with no fits kept from before.

- `lines`: a ward of 10, 30, 100 revenue lines with 60 and 240 months of receipts, a target a line and
  year: `ward run` of one period's notebooks, and the effects and the targets alone, in a process that
  has made those of a small ward before. Beside it the ratio to the fewest lines; at most 12 from 10 to
  100 is wanted.
- `wards`: 2 to 3,321 wards of 24 months: `ward list`, `ward check`, planning alone, and `ward run` where
  all jobs (periods x wards) are up to date, at most 0.5 ms a job wanted. One ward's jobs are run; the
  others, whose tables are the same, get copies of its outputs under their names.
- `rows`: receipts of 10,000 to 1,000,000 rows, which is to say reported again and again: `ward check`
  and one briefing.

What a command refuses, or what the disk cannot hold, is printed in place of its figures.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import batch
import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
WARD, PERIOD, NOTEBOOK = "phuong-0001", "2020-Q3", "90-briefing"
PARTS = ("lines", "wards", "rows")
LAST = pd.Period("2021-12", "M")
FEW_MONTHS, FEW_LINES = 24, 13
ALONE = """
import sys, time, wardlib
def both(ward):
    begin = [time.process_time()]
    book = wardlib.open(ward, sys.argv[2], "vi")
    book.tax.result
    for subject in ("effect", "targets"):
        begin.append(time.process_time())
        result = getattr(book, subject).result
        subject == "effect" and result.by_line
    begin.append(time.process_time())
    return begin[2] - begin[1], begin[3] - begin[2]
both(sys.argv[3])
print(*both(sys.argv[1]))
"""
PLAN = """
import sys, time
from wardlib.runs import plans
begin = time.process_time()
jobs = plans.plan(sys.argv[1:], wards=["all"], languages=["vi"], notebooks=["90-briefing"])
print(len(jobs), time.process_time() - begin)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", default=PARTS)
    parser.add_argument("--lines", type=int, nargs="+", default=[10, 30, 100])
    parser.add_argument("--months", type=int, nargs="+", default=[60, 240])
    parser.add_argument("--wards", type=int, nargs="+", default=[2, 20, 200, 3321])
    parser.add_argument("--periods", type=int, default=5, help="months of each ward, up to date")
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"WARDLIB_CACHE": f"{folder}/cache", "PYTHONPATH": str(ROOT)}
        if "lines" in arguments.parts:
            lines(Path(folder), arguments.lines, arguments.months)
        if "wards" in arguments.parts:
            wards(Path(folder), arguments.wards, arguments.periods)
        if "rows" in arguments.parts:
            rows(Path(folder), arguments.rows)


# wards made by script


def workbook(folder: Path) -> Path:
    """A workbook without wards, which commands then work in."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    shutil.copytree(ROOT / "data" / "reference", folder / "data" / "reference")
    (folder / "notebooks").symlink_to(ROOT / "notebooks")
    os.environ["WARDLIB_HOME"] = str(folder)
    batch.emptied()
    return folder


def make(home: Path, ward: str, lines: int, months: int, reports: int = 1) -> Path:
    """A ward whose total has `lines` - 1 others below it, each month up to the end of 2021 reported
    `reports` times, day after day; the folder of its package."""
    chance = np.random.default_rng(20200913)
    folder = home / "data" / ward
    folder.mkdir()
    codes = [f"line_{number:03}" for number in range(1, lines)]
    dues = ["3;6;9;12", "1;2;3;4;5;6;7;8;9;10;11;12", "5;10", ""]
    known = pd.DataFrame({"code": ["total", *codes], "parent": ["", *["total"] * len(codes)]})
    for language, word in (("vi", "Khoản thu"), ("en", "Receipts")):
        known[f"name_{language}"] = [f"{word} {number}" for number in range(lines)]
    known["sub_items"] = ""
    known["due_months"] = ["", *(dues[number % len(dues)] for number in range(len(codes)))]
    known["due_vi"], known["due_en"], known["relief"] = "Theo luật", "As the law says", "true"
    known["valid_from"], known["valid_to"] = "", ""
    known["source"], known["verified"] = "general knowledge", "no"

    calendar = pd.period_range(end=LAST, periods=months, freq="M")
    level = chance.uniform(5e6, 5e8, len(codes))
    season = 1 + 0.5 * np.sin(np.arange(months) * np.pi / 6)[:, None]
    lost = np.where((calendar.year == 2020) & (calendar.month > 2), 0.7, 1.0)[:, None]
    came = (level * season * lost * chance.lognormal(0, 0.15, (months, len(codes)))).round(-3)
    came = np.column_stack([came.sum(axis=1), came]).astype("int64")
    one = pd.DataFrame(
        {
            "month": np.repeat(calendar.astype(str), lines),
            "line": np.tile(known["code"], months),
            "collected": came.ravel(),
            "kept": came.ravel() // 2,
            "status": "actual",
        }
    )
    first = np.repeat((calendar + 1).to_timestamp() + pd.Timedelta(days=9), lines)
    receipts = pd.concat(
        [one.assign(reported_on=first + pd.Timedelta(days=day)) for day in range(reports)]
    )
    years = np.unique(calendar.year)
    targets = pd.DataFrame(
        {
            "year": np.repeat(years, lines),
            "line": np.tile(known["code"], len(years)),
            "set_by": "upper",
            "amount": np.tile((np.append(level.sum(), level) * 12).round(-6).astype("int64"), len(years)),
            "reported_on": np.repeat([f"{year - 1}-12-24" for year in years], lines),
        }
    )  # fmt: skip

    described = json.loads((ROOT / "data/phuc-dong/datapackage.json").read_text("utf-8"))
    shared = json.loads((ROOT / "data/reference/datapackage.json").read_text("utf-8"))
    described["name"] = ward
    described["sources"] = [{"title": "Made up", "title_vi": "Số liệu giả định"}]
    every = {one["name"]: one for one in described["resources"]}
    every |= {one["name"]: one for one in shared["resources"] if one["name"] == "revenue_lines"}
    described["resources"] = []
    for name, table in (("receipts", receipts), ("targets", targets), ("revenue_lines", known)):
        file = folder / f"{name}.csv"
        table.to_csv(file, index=False, lineterminator="\n", date_format="%Y-%m-%d")
        described["resources"].append(every[name] | recorded(file))
    for name in ("schools", "school_months", "activities", "indicator_months"):
        file = folder / f"{name}.csv"
        shutil.copy(ROOT / "data" / "phuc-dong" / file.name, file)
        described["resources"].append(every[name] | recorded(file))
    (folder / "datapackage.json").write_text(json.dumps(described, ensure_ascii=False), "utf-8")
    return folder


def recorded(file: Path) -> dict[str, object]:
    from wardlib.provenance import digest

    return {"hash": digest(file), "bytes": file.stat().st_size}


# what is measured


def tried(row: dict[str, object], name: str, *words: str | Path) -> str:
    """Run a command and put what it uses into a row under a name; what it printed. Of what it refuses,
    the last line."""
    try:
        cpu, wall, text, peak = batch.tree(*words)
    except AssertionError as error:
        said = str(error).strip().splitlines() or ["failed without a word"]
        row[f"{name}, CPU s"] = said[-1][:120]
        return ""
    row[f"{name}, CPU s"], row[f"{name}, wall s"], row[f"{name}, MB"] = cpu, wall, peak
    return text


def told(title: str, rows: dict[str, dict[str, object]]) -> None:
    names = {name for row in rows.values() for name in row}
    batch.told(title, rows, {name: 2 if " s" in name or "times" in name else 0 for name in names})


def lines(folder: Path, counts: list[int], months: list[int]) -> None:
    found: dict[str, dict[str, object]] = {}
    for span in months:
        fewest: dict[str, float] = {}
        for count in counts:
            home = workbook(folder / "lines")
            make(home, WARD, count, span)
            make(home, "phuong-0002", FEW_LINES, FEW_MONTHS)
            row = found[f"{count} lines, {span} months"] = {}
            tried(row, "ward run", batch.BIN / "ward", "run", PERIOD, "--ward", WARD)
            alone: dict[str, object] = {}
            batch.emptied()
            text = tried(alone, "alone", sys.executable, "-c", ALONE, WARD, PERIOD, "phuong-0002")
            if text:
                row |= dict(
                    zip(("effects, CPU s", "targets, CPU s"), map(float, text.split()), strict=True)
                )
            else:
                row["effects, CPU s"] = alone["alone, CPU s"]
            for name in ("ward run", "effects", "targets"):
                spent = row.get(f"{name}, CPU s")
                if isinstance(spent, float):
                    fewest.setdefault(name, spent)
                    row[f"{name}, times"] = spent / fewest[name]
    told(f"all notebooks of {PERIOD}", found)


def wards(folder: Path, counts: list[int], periods: int) -> None:
    from wardlib.data import descriptors

    found: dict[str, dict[str, object]] = {}
    home = workbook(folder / "wards")
    package = make(home, WARD, FEW_LINES, FEW_MONTHS)
    span = [f"{LAST - periods + 1}..{LAST}"]
    words = ["run", *span, "--notebook", NOTEBOOK, "--ward"]
    batch.tree(batch.BIN / "ward", *words, WARD)
    made = home / "output" / WARD
    old = descriptors.digest_descriptor(WARD)
    for count in sorted(counts):
        row = found[f"{count} wards, {count * periods} jobs"] = {}
        try:
            for number in range(1, count + 1):
                ward = f"phuong-{number:04}"
                if (home / "data" / ward).exists():
                    continue
                shutil.copytree(package, home / "data" / ward)
                renamed(home / "data" / ward / "datapackage.json", {f'"{WARD}"': f'"{ward}"'})
                new = descriptors.digest_descriptor(ward)
                shutil.copytree(made, home / "output" / ward)
                for file in (home / "output" / ward).rglob("run.json"):
                    renamed(file, {WARD: ward, old: new})
        except OSError as error:
            row["list, CPU s"] = str(error)
            continue
        shutil.rmtree(home / "output" / ".cache", ignore_errors=True)
        tried(row, "list", batch.BIN / "ward", "list")
        tried(row, "check", batch.BIN / "ward", "check")
        text = tried({}, "plan", sys.executable, "-c", PLAN, *span)
        if text:
            row["plan, CPU s"] = float(text.split()[1])
        text = tried(row, "up to date", batch.BIN / "ward", *words, "all")
        if text:
            last = text.splitlines()[-1]
            if last == f"0 done, 0 failed, {count * periods} up to date":
                spent = float(row["up to date, wall s"])
                row["up to date, ms a job"] = 1000 * spent / (count * periods)
            else:
                row["up to date, ms a job"] = f"not up to date: {last}"
    batch.told(
        f"{periods} months a ward", found,
        {name: 2 if " s" in name or "ms" in name else 0 for row in found.values() for name in row},
    )  # fmt: skip


def renamed(file: Path, words: dict[str, str]) -> None:
    """Put words in the place of others; a file's place in the order of times stays, as the record of a
    job is written last."""
    text = file.read_text("utf-8")
    for one, other in words.items():
        text = text.replace(one, other)
    file.write_text(text, "utf-8")


def rows(folder: Path, counts: list[int]) -> None:
    found: dict[str, dict[str, object]] = {}
    for count in counts:
        row = found[f"{count:,} rows"] = {}
        home = workbook(folder / "rows")
        months = 60
        try:
            package = make(home, WARD, FEW_LINES, months, round(count / FEW_LINES / months))
        except OSError as error:
            row["check, CPU s"] = str(error)
            continue
        file = package / "receipts.csv"
        row["file, MB"] = file.stat().st_size / 1e6
        tried(row, "check", batch.BIN / "ward", "check", "--ward", WARD)
        job = ["run", PERIOD, "--ward", WARD, "--notebook", NOTEBOOK]
        tried(row, "one job", batch.BIN / "ward", *job)
    told("receipts", found)


if __name__ == "__main__":
    main()
