"""The page of a large district: what making it costs, and making it again from stored results.

    python tests/benchmarks/district_pages.py [--wards 300] [--period 2020-9M] [--language vi] [--keep FOLDER]

Makes a workbook of so many wards in a temporary folder (or in FOLDER, which is kept), by `data/long-bien/make.py`
for one seed after another, and a district that names them all. Then the whole command `ward run … --notebook
80-district`, with an empty folder of fits; again with `--force`, from what the first run has kept; and a third
time, when all is up to date. Prints wall and CPU seconds of each, all processes counted, the memory of the
largest, and what the page weighs.
At most 5 s of wall are wanted of the second.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import batch

ROOT = Path(__file__).resolve().parents[2]
DISTRICT = "lien-phuong"


def script() -> ModuleType:
    """The script that makes the illustrative district."""
    path = ROOT / "data" / "long-bien" / "make.py"
    spec = importlib.util.spec_from_file_location("long_bien", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def build(home: Path, count: int) -> None:
    """A workbook of `count` wards and their district."""
    make, data = script(), home / "data"
    shutil.copytree(ROOT / "data" / "reference", data / "reference")
    shutil.copytree(ROOT / "notebooks", home / "notebooks")
    model = json.loads((ROOT / "data" / "sau" / "datapackage.json").read_text(encoding="utf-8"))
    names: list[str] = []
    for seed in range(1, count):
        made = make.make(seed)
        for ward in make.WARDS[: count - len(names)]:
            name = f"{ward.folder}-{seed}"
            about = make.ward_object(ward)
            about |= {
                "name_vi": f"Phường {ward.name} {seed}",
                "name_en": f"{ward.name} {seed} ward",
            }
            resources = [dict(own) for own in model["resources"]]
            make.write(
                data / name,
                model | {"name": name, "ward": about, "resources": resources},
                made[ward.folder],
            )
            names.append(name)
        if len(names) == count:
            break
    own = make.district_object() | {"wards": [{"ward": name} for name in names]}
    make.write(data / DISTRICT, model | {"name": DISTRICT, "ward": own, "resources": []}, {})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--wards", type=int, default=300)
    parser.add_argument("--period", default="2020-9M")
    parser.add_argument("--language", default="vi")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    ward = [sys.executable, "-c", "from wardlib.cli import main; main()"]
    with tempfile.TemporaryDirectory() as folder:
        home = options.keep or Path(folder) / "workbook"
        if not (home / "data").is_dir():
            build(home, options.wards)
        shutil.rmtree(home / "cache", ignore_errors=True)
        shutil.rmtree(home / "output", ignore_errors=True)
        os.environ |= {"WARDLIB_HOME": str(home), "WARDLIB_CACHE": str(home / "cache")}
        run = ["run", options.period, "--ward", DISTRICT, "--language", options.language]
        for name, more in (
            ("made anew", []),
            ("from stored results", ["--force"]),
            ("up to date", []),
        ):
            cpu, wall, said, peak = batch.tree(*ward, *run, *more)
            end = said.strip().splitlines()[-1]
            print(
                f"{options.wards} wards, {name}: {wall:.1f} s wall, {cpu:.1f} s CPU, {peak:.0f} MB ({end})",
                flush=True,
            )
        job = home / "output" / DISTRICT / options.period / f"80-district.{options.language}"
        for file in sorted(job.iterdir()):
            print(f"{file.name}: {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
