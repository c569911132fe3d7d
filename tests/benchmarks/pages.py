"""Make every page of both wards and the district for a month, a quarter, nine months and a year, and check them all.

    python tests/benchmarks/pages.py [FOLDER]

Prints, by notebook, how many pages a PDF has, how large the largest HTML and PDF are, what axe-core
finds in Chromium and what outloud finds in the PDFs. With FOLDER, the PDFs and the HTML are kept there
to be looked at, and a picture of every page beside them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import pymupdf

sys.path.insert(0, str(Path(__file__).parent.parent))
import conftest
from report import markdown

from wardlib.pages.exporters import WardHTMLExporter, WardPDFExporter
from wardlib.runs import plans

PERIODS = ("2020-04", "2020-Q2", "2020-9M", "2020", "2021-Q3", "2021")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for ward in ("phuc-dong", "philadelphia", "long-bien"):
        kind = plans.DISTRICT if ward == "long-bien" else plans.WARD
        for notebook in filter(lambda name: plans.of(name) == kind, plans.notebooks()):
            for period in PERIODS:
                for language in ("vi", "en"):
                    executed = conftest.executed(notebook, ward, period, language)
                    file = folder / f"{ward}.{period}.{notebook}.{language}.html"
                    file.write_text(WardHTMLExporter().from_notebook_node(executed)[0], "utf-8")
                    pdf = file.with_suffix(".pdf")
                    pdf.write_bytes(WardPDFExporter().from_notebook_node(executed)[0])
                    sheets = pymupdf.open(pdf)
                    if len(sys.argv) > 1:
                        for sheet in sheets:
                            sheet.get_pixmap(dpi=70).save(
                                file.with_suffix(f".{sheet.number + 1}.png")
                            )
                    sizes = {f"{kind} kB": path.stat().st_size // 1000 for kind, path in (("HTML", file), ("PDF", pdf))}  # fmt: skip
                    rows.append({"notebook": notebook, "file": file, "pages": len(sheets)} | sizes)
                conftest.executed.cache_clear()
    table = pd.DataFrame(rows).set_index("file")
    table["axe-core"] = pd.Series(in_browser(list(table.index)))
    report = folder / "outloud.json"
    command = [Path(sys.executable).parent / "outloud", folder, "--json", report]
    subprocess.run(command, capture_output=True)
    for severity in ("error", "warning"):
        table[f"outloud {severity}s"] = pd.Series(
            {
                Path(found["path"]).with_suffix(".html"): sum(
                    finding["severity"] == severity for finding in found["findings"]
                )
                for found in json.loads(report.read_text(encoding="utf-8"))["results"]
            }
        )
    bad = table[(table["axe-core"] > 0) | (table["outloud errors"] > 0)]
    for file in bad.index:
        print(file.name)
    wrong = table.isna().any(axis=None)
    assert not wrong, "a page was not checked"
    grouped = table.groupby("notebook")
    summary = grouped.size().rename("documents").to_frame()
    summary["pages"] = grouped["pages"].min().astype(str) + " to " + grouped["pages"].max().astype(str)  # fmt: skip
    for column in ("HTML kB", "PDF kB"):
        summary[f"largest {column}"] = grouped[column].max()
    for column in ("axe-core", "outloud errors", "outloud warnings"):
        summary[column] = grouped[column].sum()
    print(markdown(summary, {}))
    if len(sys.argv) == 1:
        shutil.rmtree(folder)


def in_browser(files: list[Path]) -> dict[Path, int]:
    """How many violations axe-core finds in each page."""
    browsers, source = conftest.chromium.__wrapped__(), conftest.axe.__wrapped__()
    tab = next(browsers).new_page(viewport={"width": 390, "height": 800})
    found = {}
    for file in files:
        tab.goto(file.resolve().as_uri())
        tab.evaluate(source)
        found[file] = tab.evaluate("axe.run().then(found => found.violations.length)")
    tab.context.close()
    next(browsers, None)
    return found


if __name__ == "__main__":
    main()
