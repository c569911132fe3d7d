"""What another office program makes of the intake's files: the same outcomes, whoever saved them.

    python tests/benchmarks/libreoffice.py [--only TEXT]

needs LibreOffice (`soffice`), and is none of the tests. Every sample of the corpus
(tests/data/intake/make.py) and the templates of the wards, blank and with what is known, are opened by
LibreOffice without a window and saved as .xlsx, .xls and .ods; each of these is then taken in as the
original was, and held against the same expected outcome (tests/benchmarks/intake.py). The templates
must come back with nothing asked and nothing new.

Prints a row for each file of which some container has another outcome, with the reason where a conversion
changes it by its nature (`CHANGED`), and how many are the same. Exit code 1 where one differs for no such
reason.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import intake
import make

from wardlib import language
from wardlib.data import descriptors
from wardlib.data.intake import templates
from wardlib.periods import Period

CONTAINERS = {
    "xlsx": "xlsx:Calc MS Excel 2007 XML",
    "xls": "xls:MS Excel 97",
    "ods": "ods:calc8",
}
TEMPLATES = [
    ("phuc-dong", "2020-09", "vi"),
    ("phuc-dong", "2022-01", "vi"),
    ("phuc-dong", "2022-Q1", "en"),
    ("phuc-dong", "2020-9M", "vi"),
    ("phuc-dong", "2020", "vi"),
    ("philadelphia", "2020-09", "vi"),
    ("philadelphia", "2022-01", "en"),
    ("philadelphia", "2022", "vi"),
]
# By a sample's number: what LibreOffice itself changes of it, in which containers ("" for all).
CHANGED: dict[str, tuple[str, str]] = {}


def converted(folder: Path, files: list[Path], container: str, profile: Path) -> Path:
    """The folder with the files as LibreOffice saves them; what it cannot open is not in it."""
    out = folder / container
    out.mkdir()
    subprocess.run(
        [
            "soffice",
            f"-env:UserInstallation={profile.as_uri()}",
            "--headless",
            "--convert-to",
            CONTAINERS[container],
            "--outdir",
            str(out),
            *map(str, files),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=1_200,
    )
    return out


def written(folder: Path, only: str) -> list[tuple[Path, dict]]:
    """The corpus and the templates as files, each in a folder of its own name so that none of them is
    converted over another, with the expected outcome."""
    found = []
    for sample in make.samples():
        found.append((sample.file, sample.data, sample.about()))
    for ward, period, code in TEMPLATES:
        data = templates.template(descriptors.ward(ward), Period.parse(period), language.get(code))
        about = {
            "file": f"mau-{ward}-{period}.xlsx",
            "ward": ward,
            "reported_on": "2023-01-15",
            "outcome": "accept",
            "rows": [],
            "problems": [],
        }
        found.append((about["file"], data, about))
    files = []
    for name, data, about in found:
        if only in name:
            path = folder / name
            path.write_bytes(data)
            files.append((path, about))
    return files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="files whose names hold this text")
    options = parser.parse_args()
    if not shutil.which("soffice"):
        sys.exit("LibreOffice is not installed: no soffice in PATH")
    same = unlike = spared = 0
    print("| file | saved as | outcome | reason, or what is wrong |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name, intake.workbook() as still:
        folder = Path(name)
        originals = folder / "originals"
        originals.mkdir()
        files = written(originals, options.only)
        saved = {
            container: converted(folder, [path for path, _ in files], container, folder / "profile")
            for container in CONTAINERS
        }
        for path, about in files:
            for container, out in saved.items():
                file = out / f"{path.stem}.{container}"
                if file.exists():
                    wrong, told = intake.faults(file, about | {"file": file.name}, still)
                    outcome = told.outcome
                else:
                    wrong, outcome = ["LibreOffice saves nothing of it"], "none"
                if not wrong:
                    same += 1
                    continue
                where, reason = CHANGED.get(path.name[:2], ("none", ""))
                excused = not where or container in where.split()
                spared, unlike = spared + excused, unlike + (not excused)
                shown = reason if excused else f"**{'<br>'.join(wrong[:4])}**".replace("\n", " ")
                print(f"| `{path.name}` | {container} | {outcome} | {shown} |", flush=True)
    print(f"\n{same} the same, {spared} changed by the conversion, {unlike} wrong")
    sys.exit(unlike > 0)


if __name__ == "__main__":
    main()
