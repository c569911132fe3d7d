"""The guides in docs/guides: what they quote, as the workbook prints it, and their pictures.

python tests/guides.py --write    follows each guide as a reader would, and brings both up to date

Between a mark of a guide and the next <!-- end --> stands what is written here:

    <!-- printed -->                  what the code above it prints; `printed: 3…7`, its first and last
                                      lines; `printed: 24-27`, these lines,
                                      or of a headline these sentences;
                                      `printed, exit 2`, where the command says no
    <!-- said: CODE -->               the words that CODE gives
    <!-- picture: NOTEBOOK CODE -->   the chart that CODE gives, as the notebook's PDF has it

Code has `wardlib` and `book`, the edition that is named below, in the guide's language. Pictures without
a mark are made of what a clerk ends with.
"""

from __future__ import annotations

import argparse
import ast
import csv
import io
import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import browser
import desk
import openpyxl
import pandas as pd
import pymupdf
from PIL import Image
from typer.testing import CliRunner

import wardlib
from wardlib import cli
from wardlib.language import get
from wardlib.pages.block import Block

ROOT = Path(__file__).parent.parent
GUIDES = ROOT / "docs" / "guides"
EDITION = ("phuc-dong", "2020-9M"), "2020-09-13"
# What a guide's reader changes.
HOMES = {"clerk": ("data", "notebooks"), "developer": ("data", "notebooks", "wardlib", "tests")}
DOTS = 130  # to the inch
COLOURS = 32
_STEP = re.compile(
    r"^```(?P<kind>sh|python)\n(?P<code>.*?)^```$"
    r"|^<!-- (?P<mark>printed|said|picture)(?P<how>.*?) -->\n(?P<old>.*?)^<!-- end -->$",
    re.MULTILINE | re.DOTALL,
)
_HOW = re.compile(r"(?:: (?P<first>\d+)(?:…(?P<last>\d+)|-(?P<to>\d+)))?(?:, exit (?P<exit>\d+))?")
_CASE = re.compile(r"```(?:sh|python)\n(.*?)```", re.DOTALL)


def guides() -> list[Path]:
    """The guides, by name."""
    return sorted(GUIDES.glob("*.md"))


def commands(guide: Path) -> list[str]:
    """What the guide has its reader type, with the language and what is written in it left open."""
    code = "\n".join(_CASE.findall(guide.read_text(encoding="utf-8")))
    language = guide.suffixes[0][1:]
    code = re.sub(rf'(--language |")({language})\b', r"\1LANGUAGE", code)
    return re.sub(r'\b(title|alt|ylabel)="[^"]*"', r"\1=WORDS", code).splitlines()


def quoted(guide: Path) -> list[str]:
    """What stands in the guide between marks."""
    found = _STEP.finditer(guide.read_text(encoding="utf-8"))
    return [step["old"] for step in found if step["mark"]]


def followed(
    guide: Path, home: Path, *, leave_out: str = "\0", picture: Callable[..., None] | None = None
) -> str:
    """The guide's text, each of its marks brought up to date by following it in the workbook `home`.

    Code that holds `leave_out` is not run. `picture` is told the name, notebook and block of each chart.
    Raises AssertionError where a command ends otherwise than the guide says.
    """
    text = guide.read_text(encoding="utf-8")
    language = guide.suffixes[0][1:]
    book = wardlib.open(*EDITION[0], language, EDITION[1])
    names: dict[str, Any] = {"wardlib": wardlib, "book": book}
    kind, printed, code, ended = "", "", "", 0  # of the last code

    def step(found: re.Match[str]) -> str:
        nonlocal printed, code, ended, kind
        if found["kind"]:
            kind = found["kind"]
            assert not ended, f"{guide.name}: {ended} from {code}\n{printed}"
            code = found["code"]
            if leave_out in code:
                printed, ended = "", 0
            elif found["kind"] == "sh":
                printed, ended = _typed(code, home)
                _fill_in(home)
            else:
                printed = _shown(_value(code, names))
            return found[0]
        how, old = found["how"], found["old"]
        if found["mark"] == "printed":
            said = _HOW.fullmatch(how)
            assert said, f"{guide.name}: {how}"
            assert ended == int(said["exit"] or 0), f"{guide.name}: {ended} from {code}\n{printed}"
            ended = 0
            lines = printed.rstrip("\n").split("\n")
            if printed.startswith("|"):
                old = printed
            elif kind == "python":
                wanted = lines[int(said["first"] or 1) - 1 : int(said["to"] or len(lines))]
                old = f"> {' '.join(map(_plain, wanted))}\n"
            else:
                old = _fenced(lines, said)
        elif found["mark"] == "said":
            old = "> " + _plain(eval(how.removeprefix(": "), names)) + "\n"
        else:
            notebook, asked = how.removeprefix(": ").split(" ", 1)
            block = eval(asked, names)
            role = guide.name.partition(".")[0]
            name = f"{role}-{block.content['slug']}.{language}.png"
            if picture:
                picture(name, notebook, language, block)
            old = f"![{_plain(block.content['alt'])}]({name})\n"
        return f"<!-- {found['mark']}{how} -->\n{old}<!-- end -->"

    made = _STEP.sub(step, text)
    assert not ended, f"{guide.name}: {ended} from {code}\n{printed}"
    return made


def workbook(folder: Path, guide: Path) -> Path:
    """A copy of the workbook in `folder` for the reader of a guide, who may spoil it."""
    for name in HOMES.get(guide.name.partition(".")[0], HOMES["clerk"]):
        ignored = shutil.ignore_patterns("__pycache__", ".accepted", "lab", ".ipynb_checkpoints")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    return folder


def _typed(code: str, home: Path) -> tuple[str, int]:
    """What the commands print in the workbook `home`, and the exit code of the last."""
    own = (home / "wardlib").exists()  # whose code is not that of this process
    if not own and "ward run" not in code:  # which leaves processes that live as long as this one
        printed, ended, before = "", 0, os.environ.get("WARDLIB_HOME")
        os.environ["WARDLIB_HOME"] = str(home)
        try:
            with chdir(home):
                for line in code.splitlines():
                    done = CliRunner().invoke(cli.app, shlex.split(line)[1:])
                    printed, ended = printed + done.output, done.exit_code
                    if done.exception and not isinstance(done.exception, SystemExit):
                        raise done.exception
        finally:
            del os.environ["WARDLIB_HOME"]
            if before is not None:
                os.environ["WARDLIB_HOME"] = before
        return printed, ended
    ward = f'ward() {{ "{sys.executable}" -c "from wardlib.cli import main; main()" "$@"; }}'
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", f"{ward}\n{code}"],
        cwd=home,
        env=os.environ
        | {"WARDLIB_HOME": str(home), "PYTHONPATH": str(home if own else ROOT), "PATH": path},
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr, done.returncode


def _fill_in(home: Path) -> None:
    """Fill in a form of January 2022 that lies there empty, with what the tax office tells: what was
    collected (here that of a year before), not what the ward keeps."""
    for form in home.glob("mau-*-2022-01.xlsx"):
        book = openpyxl.load_workbook(form)
        sheet = book.worksheets[0]
        with (home / "data" / "phuc-dong" / "receipts.csv").open(encoding="utf-8") as file:
            known = {row["line"]: row for row in csv.DictReader(file) if row["month"] == "2021-01"}
        if sheet["D6"].value is not None:
            continue
        for row in range(6, sheet.max_row + 1):
            sheet.cell(row, 4).value = int(known[sheet.cell(row, 2).value]["collected"])
        book.save(form)


def _value(code: str, names: dict[str, Any]) -> Any:
    """Run the lines; what the last of them gives, None where that is no expression."""
    *lines, last = ast.parse(code).body
    said = isinstance(last, ast.Expr)
    exec(compile(ast.Module(lines if said else [*lines, last], []), "guide", "exec"), names)
    return eval(compile(ast.Expression(last.value), "guide", "eval"), names) if said else None


def _shown(value: Any) -> str:
    """A value as a guide quotes it: a table as a table, of what a headline says each sentence as a line."""
    if not isinstance(value, Block):
        return "" if value is None else f"{value}\n"
    if value.content["kind"] != "table":
        return "\n".join(value.content.get("sentences", [value.plain]))
    heads = [column["head"] for column in value.content["columns"]]
    rows = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    for row in value.content["rows"]:
        cells = [
            " ".join([own["lines"][0] + own["mark"], *(f"({line})" for line in own["lines"][1:])])
            for own in row["cells"]
        ]
        rows.append([row["head"], *cells])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _plain(text: str) -> str:
    return " ".join(text.split())


def _fenced(lines: list[str], said: re.Match[str]) -> str:
    """What a command printed, or those of its lines that are wanted; what is left out is marked."""
    if said["last"]:
        lines = [*lines[: int(said["first"])], "  …", *lines[-int(said["last"]) :]]
    elif said["to"]:
        lines = ["  …", *lines[int(said["first"]) - 1 : int(said["to"])], "  …"]
    return "\n".join(["```text", *lines, "```", ""])


# --------------------------------------------------------------------------------------- pictures


def _pdf(home: Path, period: str, notebook: str, language: str, as_of: str = "") -> Path:
    words = ["run", period, "--ward", "phuc-dong", "--notebook", notebook, "--language", language]
    printed, ended = _typed(shlex.join(["ward", *words, "--as-of", as_of]), home)
    assert not ended, printed
    name = f"{notebook}.{language}"
    return next((home / "output" / "phuc-dong").glob(f"{period}*/{name}/{name}.pdf"))


def _chart(pdf: Path, caption: str) -> Image.Image:
    """A chart as it stands in a PDF: from the end of the text above it to that of its caption, in bold."""
    with pymupdf.open(pdf) as document:
        for page in document:
            blocks = page.get_text("dict", sort=True)["blocks"]
            lines = [line for block in blocks for line in block.get("lines", [])]
            said = [_plain("".join(span["text"] for span in line["spans"])) for line in lines]
            for at, words in enumerate(said):
                if re.search(rf"^\w+ \d+\. {re.escape(caption[:25])}", words):
                    above = lines[at - 1]["bbox"][3] if at else 0
                    of_it = list(itertools.takewhile(_is_bold, lines[at:]))
                    return _cut(page, above + 2, of_it[-1]["bbox"][3])
    raise AssertionError(f"{pdf.name} has no chart {caption}")


def _is_bold(line: dict[str, Any]) -> bool:
    return all(span["flags"] & pymupdf.TEXT_FONT_BOLD for span in line["spans"])


def _cut(page: pymupdf.Page, top: float, bottom: float) -> Image.Image:
    """What stands between two heights of a page."""
    area = pymupdf.Rect(page.rect.x0 + 80, top, page.rect.x1 - 34, bottom)
    drawn = page.get_pixmap(dpi=DOTS, clip=area)
    picture = Image.frombytes("RGB", (drawn.width, drawn.height), drawn.samples)
    return picture.quantize(COLOURS, dither=Image.Dither.NONE)


def _save(picture: Image.Image, name: str) -> None:
    picture.save(GUIDES / name, optimize=True)


def _explorer(language: str) -> Image.Image:
    """The notebook `explore` at the desk: a line, and beside it what if the effect began in March."""
    text = get(language).text
    with tempfile.TemporaryDirectory() as folder, browser.drive() as driver:
        home = Path(folder) / "workbook"
        desk.cloned(home)
        chromium = browser.launch(driver)
        assert chromium, browser.MISSING
        with desk.served(home, language) as address:
            page = chromium.new_page(viewport={"width": 1480, "height": 1100})
            lab = desk.Desk(home, address, page)
            lab.start(f"start.{language}.md")
            lab.do("await app.commands.execute('application:toggle-left-area')")
            with lab.notebook("explore") as opened:
                opened.change("parameters", 'as_of: str = ""', f'as_of: str = "{EDITION[1]}"')
                opened.change("parameters", 'language: str = "vi"', f'language: str = "{language}"')
                assert opened.run_all(afresh=True) == []
                lines = page.get_by_label(text("Lines"), exact=True)
                lines.select_option(index=1)
                march = get(language).month_short(pd.Period("2020-03"))
                page.get_by_label(text("Effect begins in")).select_option(label=march)
                mark = text("WHAT IF: {assumptions}", assumptions="")
                page.wait_for_selector(f"text={mark.strip()}")
                page.wait_for_timeout(1000)
                area = page.locator(".jp-OutputArea-output").last.bounding_box()
                area["height"] = min(area["height"], 525)
                shot = page.screenshot(clip=area)
            chromium.close()
    drawn = Image.open(io.BytesIO(shot)).convert("RGB")
    return drawn.quantize(COLOURS, dither=Image.Dither.NONE)


def write() -> None:
    """Bring texts and pictures up to date."""
    with tempfile.TemporaryDirectory() as folder:
        for guide in guides():
            home = workbook(Path(folder) / guide.stem, guide)

            def chart(
                name: str, notebook: str, language: str, block: Block, home: Path = home
            ) -> None:
                pdf = _pdf(home, EDITION[0][1], notebook, language, EDITION[1])
                _save(_chart(pdf, block.content["caption"]), name)

            guide.write_text(followed(guide, home, picture=chart), encoding="utf-8")
            role, language = guide.name.split(".")[:2]
            if role == "analyst":
                _save(_explorer(language), f"analyst-explore.{language}.png")
            if role == "clerk":
                with pymupdf.open(_pdf(home, "2022-01", "90-briefing", language)) as document:
                    page = document[0]
                    mark = page.search_for("MINH HỌA" if language == "vi" else "ILLUSTRATIVE")[0]
                    _save(_cut(page, 20, mark.y1 + 4), f"clerk-head.{language}.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", required=True)
    parser.parse_args()
    write()
