"""An attack on what a ward publishes: which hidden counts of persons can be worked out?

    python tests/benchmarks/disclosure.py [--wards phuc-dong philadelphia] [--years 2020 2021] [--seed 1]
                                          [--languages vi en] [--notebooks ...] [--workers 2]

A copy of the data gets small schools and small numbers of participants (seeded; a ward without such tables
gets those of phường Phúc Đồng), and a district of its wards. `ward run` makes every month, quarter,
half-year, nine months and year of them, in both languages. Then:

- *other numbers*: every hidden count is replaced by another one from 1 to 4 and all is made again; a paper,
  an attachment, a notebook or a record that is not the same to the byte tells one from the other;
- *linear algebra*: all numbers of persons and all means weighted by pupils of all `figures.json` are taken
  as equations in the hidden counts, whole numbers from 1 to 4, and each is made as small and as large as
  they allow (scipy.optimize.milp). A count with one feasible value is recovered. An attacker knows the
  rules: a mean that is what they say of hidden counts (`disclosure.WEIGHT`) says nothing.

The same attack on papers made with the hiding switched off, and on those with each small number left out by
itself (what subtraction then brings back), shows that it bites. Prints a table; exit code 1 where the hidden
papers give a count away, or where the attack does not bite.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from report import markdown
from scipy.optimize import Bounds, LinearConstraint, milp

from wardlib.data import disclosure
from wardlib.periods import Period
from wardlib.provenance import digest

ROOT = Path(__file__).resolve().parents[2]
DONOR = "phuc-dong"
TABLES = {"schools": "", "school_months": "pupils", "activities": "participants"}
DISTRICT, PAGE = "district", "80-district"
NOTEBOOKS = (
    "00-data-check",
    "20-school-activities",
    PAGE,
    "90-briefing",
)  # those that tell of persons
PARTS = (*(f"-{month:02}" for month in range(1, 13)), "-Q1", "-Q2", "-Q3", "-Q4", "-H1", "-9M", "")
DAYS = {
    "planned": "planned_days",
    "in_person": "in_person_days",
    "online": "online_days",
    "lost": "closed_days",
}


class Cell(NamedTuple):
    """A count of persons: its table, its row of the file, and its month; `of` is the school or field."""

    table: str
    row: int
    month: str
    of: str


class Equation(NamedTuple):
    """The sum of coefficients times counts lies from `low` to `high`; `says` where it was published."""

    terms: Mapping[Cell, float]
    low: float
    high: float
    says: str


# ------------------------------------------------------------------------------------------ planting


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, table_: Sequence[Mapping[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(table_[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table_)


def accept(folder: Path) -> None:
    """Record the files of a package as they are."""
    path = folder / "datapackage.json"
    described = json.loads(path.read_text(encoding="utf-8"))
    for resource in described["resources"]:
        file = folder / resource["path"]
        resource |= {"hash": digest(file), "bytes": file.stat().st_size}
    path.write_text(json.dumps(described, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def plant(home: Path, ward: str, years: Sequence[int], chance: random.Random) -> None:
    """Give a ward small schools and small numbers of participants in `years` (schools: and before)."""
    folder, donor = home / "data" / ward, home / "data" / DONOR
    if ward != DONOR:
        described = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
        given = json.loads((ROOT / "data" / DONOR / "datapackage.json").read_text(encoding="utf-8"))
        described["resources"] += [
            resource for resource in given["resources"] if resource["name"] in TABLES
        ]
        (folder / "datapackage.json").write_text(json.dumps(described), encoding="utf-8")
        for name in TABLES:
            shutil.copy(ROOT / "data" / DONOR / f"{name}.csv", donor.parent / ward / f"{name}.csv")
    months = rows(folder / "school_months.csv")
    schools = sorted({row["school"] for row in months})
    always, late = chance.sample(schools, 2)  # one is small in all months, one from some month on
    since = f"{years[0]}-{chance.randint(2, 12):02}"
    for row in months:
        if row["school"] == always or (row["school"] == late and row["month"] >= since):
            row["pupils"] = str(chance.randint(1, 4))
    write(folder / "school_months.csv", months)
    events = rows(folder / "activities.csv")
    for row in events:
        held = int(row["held"]) + int(row["held_later"])
        if held and int(row["month"][:4]) in years and chance.random() < 0.3:
            row["participants"] = str(chance.randint(1, 4))
    write(folder / "activities.csv", events)
    accept(folder)


def unite(home: Path, wards: Sequence[str]) -> None:
    """A district of the wards."""
    path = home / "data" / DONOR / "datapackage.json"
    described = json.loads(path.read_text(encoding="utf-8"))
    described |= {"name": DISTRICT, "resources": []}
    described["ward"] |= {"illustrative": True, "wards": [{"ward": ward} for ward in wards]}
    folder = home / "data" / DISTRICT
    folder.mkdir()
    (folder / path.name).write_text(json.dumps(described), encoding="utf-8")


def replace(home: Path, ward: str, chance: random.Random) -> int:
    """Put another number from 1 to 4 in the place of every hidden one; how many there are."""
    folder, count = home / "data" / ward, 0
    for name, column in TABLES.items():
        if not column:
            continue
        table_ = rows(folder / f"{name}.csv")
        for row in table_:
            if 1 <= int(row[column]) <= 4:
                row[column] = str(chance.choice([n for n in range(1, 5) if n != int(row[column])]))
                count += 1
        write(folder / f"{name}.csv", table_)
    accept(folder)
    return count


# -------------------------------------------------------------------------------------------- papers


def make(home: Path, package: Path, options: argparse.Namespace) -> None:
    """All papers of the wards and years in `home`, by the wardlib in the folder `package`."""
    periods = [f"{year}{part}" for year in options.years for part in PARTS]
    command = [sys.executable, "-c", "from wardlib.cli import main; main()", "run", *periods]
    district = [DISTRICT] if PAGE in options.notebooks else []
    command += ["--ward", *options.wards, *district, "--language", *options.languages]
    command += ["--notebook", *options.notebooks, "--workers", str(options.workers)]
    environment = os.environ | {"WARDLIB_HOME": str(home), "PYTHONPATH": str(package)}
    # The folder of `-c` comes before all others on the path.
    subprocess.run(command, cwd=package, env=environment, check=True, stdout=subprocess.DEVNULL)


def unhidden(folder: Path) -> Path:
    """A copy of wardlib that hides nothing."""
    shutil.copytree(
        ROOT / "wardlib", folder / "wardlib", ignore=shutil.ignore_patterns("__pycache__")
    )
    path = folder / "wardlib" / "data" / "disclosure.py"
    code = path.read_text(encoding="utf-8")
    now = f"SMALLEST, LARGEST = {disclosure.SMALLEST}, {disclosure.LARGEST}"
    assert now in code, "the line that this script changes is no longer there"
    path.write_text(code.replace(now, "SMALLEST, LARGEST = 1, 0"), encoding="utf-8")
    return folder


def papers(home: Path) -> dict[str, bytes]:
    """Every file that was published, by its path, but for the summary of the run, which has times."""
    output = home / "output"
    files = (path for path in sorted(output.glob("*/**/*")) if path.is_file())
    return {str(path.relative_to(output)): path.read_bytes() for path in files}


# -------------------------------------------------------------------------------------------- attack


def known(home: Path, ward: str) -> dict[Cell, tuple[str, int]]:
    """Every count of persons of a ward's files: the day on which it was reported, and the number."""
    cells = {}
    for name, column in TABLES.items():
        for line, row in enumerate(rows(home / "data" / ward / f"{name}.csv") if column else (), 2):
            of = row.get("school") or row["field"]
            cells[Cell(name, line, row["month"], of)] = row["reported_on"], int(row[column])
    return cells


def newest(cells: Mapping[Cell, tuple[str, int]], day: str) -> dict[tuple[str, str, str], Cell]:
    """The cell of each table, month and school or field that was known on a day."""
    found: dict[tuple[str, str, str], Cell] = {}
    for cell, (reported, _) in sorted(cells.items(), key=lambda item: item[1][0]):
        if reported <= day:
            found[cell.table, cell.month, cell.of] = cell
    return found


def equations(
    home: Path, ward: str, cells: Mapping[Cell, tuple[str, int]], *, blanked: bool
) -> Iterator[Equation]:
    """What the figures of all papers of a ward say of its counts; `blanked`: without each single small
    number."""
    days = {(row["month"], row["school"], row["reported_on"]): row for row in
            rows(home / "data" / ward / "school_months.csv")}  # fmt: skip
    levels = {row["school"]: row["level"] for row in rows(home / "data" / ward / "schools.csv")}
    schools = {row["name"]: row["school"] for row in
               rows(home / "data" / ward / "schools.csv")}  # fmt: skip
    output = home / "output"
    for path in sorted(
        [*(output / ward).glob("*/*/figures.json"), *(output / DISTRICT).glob("*/*/figures.json")]
    ):
        for slug, resource in json.loads(path.read_text(encoding="utf-8")).items():
            at, says = newest(cells, resource["day"]), f"{path.parent.name}, {slug}"
            period = Period.parse(resource["period"])
            for row in resource["data"]:
                if row.get("ward", ward) != ward:
                    continue
                yield from _persons(row, period, at, f"{period} {says}", cells, blanked)
                means = "usual_taught" in row or slug == "wards-schools"
                if means and row["first"] == row["last"]:
                    yield from _means(row, at, levels, days, cells, f"{period} {says}")
            if slug == "schools" and len(period.months) == 1:
                yield from _totals(path, str(period), schools, at, f"{period} {says}")


def _persons(
    row: Mapping[str, Any],
    period: Period,
    at: Mapping[tuple[str, str, str], Cell],
    says: str,
    cells: Mapping[Cell, tuple[str, int]],
    blanked: bool,
) -> Iterator[Equation]:
    """The equation of a published number of pupils or participants."""
    for name, table_ in (("pupils", "school_months"), ("participants", "activities")):
        least, most = row.get(f"{name}_at_least"), row.get(f"{name}_at_most")
        if least is None:
            continue
        if name == "pupils":
            months = [month for _, month, of in at if of == row["school"]]
            last = max(m for m in months if row["first"] <= m <= row["last"])
            terms = [at["school_months", last, row["school"]]]
        else:
            span = period.months if row["span"] == "period" else period.year_to_date
            wanted = {str(month) for month in span}
            terms = [
                cell
                for (of_table, month, of), cell in at.items()
                if of_table == table_ and month in wanted and row["field"] in (of, "total")
            ]
        if blanked and len(terms) == 1 and 1 <= cells[terms[0]][1] <= 4:
            continue
        yield Equation(dict.fromkeys(terms, 1.0), least, most, says)


def _totals(
    figures: Path,
    month: str,
    schools: Mapping[str, str],
    at: Mapping[tuple[str, str, str], Cell],
    says: str,
) -> Iterator[Equation]:
    """The equations of the pupils of all schools of a level in one month, which stand on the page only:
    in the row below those schools, less indented."""
    notebook = json.loads(
        figures.with_name(f"{figures.parent.name}.ipynb").read_text(encoding="utf-8")
    )
    outputs = (output for cell in notebook["cells"] for output in cell.get("outputs", ()))
    contents = (output.get("metadata", {}).get("wardlib", {}) for output in outputs)
    (page,) = (content for content in contents if content.get("slug") == "schools")
    terms: dict[Cell, float] = {}
    for row in page["rows"]:
        if row["head"] in schools:
            terms[at["school_months", month, schools[row["head"]]]] = 1.0
            continue
        if row["depth"] == 1:
            ends = re.sub(r"[.,]", "", row["cells"][0]["lines"][0]).split("–")
            yield Equation(terms, float(ends[0]), float(ends[-1]), f"{says}, all schools")
        terms = {}


def _means(
    row: Mapping[str, Any],
    at: Mapping[tuple[str, str, str], Cell],
    levels: Mapping[str, str],
    days: Mapping[tuple[str, str, str], Mapping[str, str]],
    cells: Mapping[Cell, tuple[str, int]],
    says: str,
) -> Iterator[Equation]:
    """The equations of the means of a level in one month: pupils times (days of the school - mean)."""
    own = [
        cell
        for (of_table, month, of), cell in at.items()
        if of_table == "school_months" and month == row["first"] and levels[of] == row["level"]
    ]
    for name, column in DAYS.items():
        if row[name] is None:
            continue
        away = {
            cell: int(days[cell.month, cell.of, cells[cell][0]][column]) - row[name] for cell in own
        }
        size = sum(cells[cell][1] for cell in own)
        small = [cell for cell in own if 1 <= cells[cell][1] <= 4]
        rest = sum(away[cell] * cells[cell][1] for cell in own if cell not in small)
        if abs(rest + disclosure.WEIGHT * sum(away[cell] for cell in small)) < 1e-9 * size:
            continue  # it is what the rule says of hidden counts
        slack = 1e-7 * size
        yield Equation(away, -slack, slack, f"{says}, {name}")


def recovered(
    cells: Mapping[Cell, tuple[str, int]], said: Iterable[Equation]
) -> dict[Cell, tuple[int, int]]:
    """The least and the most that each small count of which something is said can be, by all of it."""
    said = list(said)
    of = dict.fromkeys(cell for terms, *_ in said for cell in terms if 1 <= cells[cell][1] <= 4)
    small = {cell: at for at, cell in enumerate(of)}
    lines: dict[tuple[tuple[int, float], ...], tuple[float, float]] = {}
    for terms, low, high, says in said:
        rest = sum(factor * cells[cell][1] for cell, factor in terms.items() if cell not in small)
        own = tuple(
            sorted((small[cell], factor) for cell, factor in terms.items() if cell in small)
        )
        if not own:
            assert low - 1e-6 <= rest <= high + 1e-6, f"{says} is not what the files say"
            continue
        before = lines.get(own, (-np.inf, np.inf))
        lines[own] = max(before[0], low - rest), min(before[1], high - rest)
    matrix = np.zeros((len(lines), len(small)))
    for at, own in enumerate(lines):
        for place, factor in own:
            matrix[at, place] = factor
    low, high = np.array(list(lines.values())).reshape(-1, 2).T
    found = {}
    for cell, place in small.items():
        goal = np.zeros(len(small))
        ends = []
        for sign in (1, -1):
            goal[place] = sign
            solved = milp(
                goal,
                integrality=np.ones(len(small)),
                bounds=Bounds(1, 4),
                constraints=LinearConstraint(matrix, low, high) if len(lines) else (),
            )
            assert solved.success, f"what is published of {cell} contradicts itself"
            ends.append(round(sign * solved.fun))
        found[cell] = ends[0], ends[1]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--wards", nargs="+", default=["phuc-dong", "philadelphia"])
    parser.add_argument("--years", nargs="+", type=int, default=[2020, 2021])
    parser.add_argument("--languages", nargs="+", default=["vi", "en"])
    parser.add_argument("--notebooks", nargs="+", default=list(NOTEBOOKS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        first, other, bare = (Path(folder) / name for name in ("first", "other", "bare"))
        chance = random.Random(options.seed)
        for name in ("data", "notebooks"):
            shutil.copytree(
                ROOT / name, first / name, ignore=shutil.ignore_patterns("__pycache__", ".accepted")
            )
        for ward in options.wards:
            plant(first, ward, options.years, chance)
        unite(first, options.wards)
        shutil.copytree(first, other)
        shutil.copytree(first, bare)
        for ward in options.wards:
            replace(other, ward, chance)
        make(first, ROOT, options)
        make(other, ROOT, options)
        make(bare, unhidden(Path(folder) / "code"), options)
        before, after = papers(first), papers(other)
        differ = [
            name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
        ]
        print(
            f"{len(before)} files published; with other hidden counts, {len(differ)} of them differ"
        )
        for name in sorted(differ)[:20]:
            print("  " + name)
        failed |= bool(differ)
        told = []
        for ward, (papers_of, home, blanked) in itertools.product(
            options.wards,
            (
                ("as published", first, False),
                ("hiding switched off", bare, False),
                ("each small number left out by itself", bare, True),
            ),
        ):
            cells = known(home, ward)
            said = list(equations(home, ward, cells, blanked=blanked))
            spread = recovered(cells, said)
            right = [
                cell for cell, (least, most) in spread.items() if least == most == cells[cell][1]
            ]
            wrong = [
                cell for cell, (least, most) in spread.items() if least == most != cells[cell][1]
            ]
            told.append(
                {
                    "ward": ward,
                    "papers": papers_of,
                    "hidden counts": len(spread),
                    "equations": len(said),
                    "recovered": len(right),
                    "falsely": len(wrong),
                }
            )
            failed |= bool(right or wrong) if home is first else not right
            by_month = defaultdict(list)
            for cell in right if home is first else ():
                by_month[cell.month].append(cell)
            for month, own in sorted(by_month.items()):
                print(f"  {ward} {month}: " + ", ".join(f"{cell.table} {cell.of}" for cell in own))
        print(markdown(pd.DataFrame(told).set_index("ward"), {}))
    sys.exit(failed)


if __name__ == "__main__":
    main()
