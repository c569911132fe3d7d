"""The table of statements in docs/method.md, as the code and the words have it.

python tests/statements.py --write    brings the table up to date
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from wardlib import language
from wardlib.analysis import statements

PAPER = Path(__file__).parent.parent / "docs" / "method.md"
KINDS = {
    "cash": ("What came in", statements.CASH),
    "loss": ("Of what these months owed, a loss", statements.LOSSES),
    "verdict": ("A line in few words", statements.VERDICTS),
}
_MARKS = re.compile(r"(?s)(<!-- statements -->\n).*?(<!-- end -->)")


def paper() -> str:
    """docs/method.md with the table of the code."""
    rows = ["| | words (vi) | words (en) | needs |", "| --- | --- | --- | --- |"]
    for kind, (of, table) in KINDS.items():
        vi, en = (language.get(code).words(kind) for code in ("vi", "en"))
        for place, one in enumerate(table):
            head = "" if place else of
            rows.append(f"| {head} | {vi[one.code]} | {en[one.code]} | {one.needs} |")
    text = PAPER.read_text(encoding="utf-8")
    return _MARKS.sub(lambda marks: marks[1] + "\n".join(rows) + "\n" + marks[2], text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", required=True)
    parser.parse_args()
    PAPER.write_text(paper(), encoding="utf-8")
