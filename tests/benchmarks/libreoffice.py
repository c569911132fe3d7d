"""What another office program makes of the intake's files: the same outcomes, whoever saved them.

    python tests/benchmarks/libreoffice.py [--only TEXT]

needs LibreOffice (`soffice`), and is none of the tests. Every sample of the corpus
(tests/data/intake/make.py) and the templates of the wards, blank and with what is known, are opened by
LibreOffice without a window and saved as .xlsx, .xls and .ods; each of these is then taken in as the
original was, and held against the same expected outcome (tests/benchmarks/intake.py). The templates
must come back with nothing asked and nothing new.

Prints a row for each file that does not come to its outcome, with the reason where a conversion changes
it by its nature (`CHANGED`), and how many are the same. Exit code 1 where one differs for no such reason.
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
from wardlib.data.intake import templates, workbooks
from wardlib.data.intake.wordings import wordings
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
# What LibreOffice asks whoever opens a CSV file: the mark between cells, and the encoding, by its numbers
# (help of LibreOffice, "Filter Options for CSV Files"). Legacy letters are bytes of Windows-1252 to it.
ENCODINGS = {"UTF-8": 76, "UTF-16": 65_535, "Windows-1258": 40}
LEGACY = 1
COLUMNS = (
    40  # of a CSV file, each of them opened as text: else LibreOffice guesses numbers and days
)
# By a sample's number: what LibreOffice itself changes of it, and the outcome that then is right.
_LOST = "no file: LibreOffice asks for the password, or finds nothing that it can open", "none"
_CALCULATED = "LibreOffice calculates formulas that no program had", "accept"
CHANGED = {
    "10": _CALCULATED,
    "22": _LOST,
    "45": _LOST,
    "47": _LOST,
    "48": _LOST,
    "21": ("a web page becomes a workbook, which may be one", "ask"),
    "44": ("macros are not saved: nothing to tell of", "accept"),
    "46": ("an empty file becomes an empty workbook", "refuse"),
}


def converted(files: list[Path], container: str, folder: Path, *options: str) -> None:
    """Have LibreOffice save files in a container; what it cannot open is not in `folder` afterwards."""
    subprocess.run(
        [
            "soffice",
            f"-env:UserInstallation={(folder.parent / 'profile').as_uri()}",
            "--headless",
            *options,
            "--convert-to",
            CONTAINERS[container],
            "--outdir",
            str(folder),
            *map(str, files),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=1_200,
    )


def as_opened(path: Path) -> str:
    """What a clerk answers LibreOffice about a CSV file."""
    known = wordings(descriptors.ward("phuc-dong")).known
    file = workbooks.opened(path.read_bytes(), path.name, known)
    charset = ENCODINGS.get(file.encoding, LEGACY)
    columns = "/".join(f"{column}/2" for column in range(1, COLUMNS + 1))
    return f"--infilter=Text - txt - csv (StarCalc):{ord(file.delimiter)},34,{charset},1,{columns}"


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
        tables = [path for path, _ in files if path.suffix == ".csv"]
        books = [path for path, _ in files if path.suffix != ".csv"]
        for container in CONTAINERS:
            (folder / container).mkdir()
            if books:
                converted(books, container, folder / container)
            for path in tables:
                converted([path], container, folder / container, as_opened(path))
        for path, about in files:
            before: list[str] | None = None  # what is wrong about the original, where it was asked
            for container in CONTAINERS:
                file = folder / container / f"{path.stem}.{container}"
                if file.exists():
                    wrong, told = intake.faults(file, about | {"file": file.name}, still)
                    outcome = told.outcome
                else:
                    wrong, outcome = ["LibreOffice saves nothing of it"], "none"
                if not wrong:
                    same += 1
                    continue
                reason, right = CHANGED.get(path.name[:2], ("", ""))
                if outcome == right:
                    spared += 1
                    print(f"| `{path.name}` | {container} | {outcome} | {reason} |", flush=True)
                    continue
                if before is None:
                    before, _ = intake.faults(path, about, still)
                unlike += 1
                shown = "<br>".join(wrong[:4]).replace("\n", " ")
                also = " (the original is wrong too)" if before else ""
                print(
                    f"| `{path.name}` | {container} | {outcome} | **{shown}**{also} |", flush=True
                )
    print(f"\n{same} the same, {spared} changed by the conversion, {unlike} wrong")
    sys.exit(unlike > 0)


if __name__ == "__main__":
    main()
