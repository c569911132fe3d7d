"""Content drawn as Typst, by a template, and set as a PDF. The only user of the compiler."""

from __future__ import annotations

import datetime
import functools
import importlib.util
import json
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import typst
from jinja2 import Template

from wardlib.errors import ExportError
from wardlib.language import printed
from wardlib.pages.html import template

_LONG = re.compile(r"\S{31,}")  # letters without a space that no column may hold


def escape(text: str) -> str:
    """`text` as content, in markup or a content block.

    A string in code mode is never parsed as markup, so nothing in it can take effect; the
    semicolon ends the expression whatever follows.

    >>> print(escape('#read("secret.txt") $x$'))
    #"#read(\\"secret.txt\\") $x$";
    """
    return f"#{string(breakable(text))};"


def breakable(text: str) -> str:
    """`text` with places where a line may break in words that no column may hold."""
    return _LONG.sub(_broken, text)


def _broken(word: re.Match[str]) -> str:
    """A long word with places where a line may break: Typst breaks no word by itself."""
    return "\u200b".join(word[0][at : at + 8] for at in range(0, len(word[0]), 8))


def string(text: str) -> str:
    """`text` as a string literal, for arguments such as alt texts."""
    return '"' + printed(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


_BLOCK = 250  # lines: the time that Typst takes for a block grows with the square of its lines
_LINE = 8_000  # letters: of a line that does not break, a PDF holds 32,767 bytes at most
_BROAD = 86  # letters of printed text in a line, of 9 pt each 0.602 wide
_SMALLEST = 6.5  # points: a table of letters keeps its columns where it fits by smaller ones


def printed_lines(text: str) -> str:
    """What a program printed, as a block of lines; many stand as several blocks, one close below the
    other, and a line longer than any page can show is broken."""
    lines = [
        line[at : at + _LINE] for line in text.split("\n") for at in range(0, len(line) or 1, _LINE)
    ]
    blocks = [
        f"raw({string(breakable(chr(10).join(lines[at : at + _BLOCK])))}, block: true)"
        for at in range(0, len(lines), _BLOCK)
    ]
    smaller = _smaller(lines)
    if len(blocks) == 1 and not smaller:
        return f"#{blocks[0]}"
    return "#{\nshow raw: set block(spacing: 0.55em)\n" + smaller + "\n".join(blocks) + "\n}"


def printed_marks(text: str, lines: Sequence[str]) -> str:
    """As `printed_lines`, of a text with marks: `lines` are those of the same text in Typst."""
    made = "".join(
        f"block(spacing: 0.55em)[{'#linebreak();'.join(lines[at : at + _BLOCK])}]\n"
        for at in range(0, len(lines), _BLOCK)
    )
    style = "set par(justify: false, first-line-indent: 0pt, leading: 0.55em)\n"
    return "#block({\n" + _smaller(text.split("\n")) + style + made + "})"


def _smaller(lines: Sequence[str]) -> str:
    """A rule for smaller letters where these keep the longest of lines whole."""
    longest = max(map(len, lines), default=0)
    size = 9 * _BROAD / max(longest, 1)
    return f"show raw: set text({size:.3g}pt)\n" if _SMALLEST <= size < 9 else ""


@functools.cache
def _template() -> Template:
    return template("block.typ.j2", escape, literal=string)


def render(
    content: dict[str, Any],
    *,
    label: str = "",
    see: Sequence[tuple[str, str]] = (),
    picture: str = "",
) -> str:
    """A block's content as Typst; see `html.render`. A chart's picture is the file `picture`, and what a
    table or chart of ours was drawn from, `<slug>.csv`, is attached."""
    return _template().render(content, label=label, see=see, picture=picture)


def compile_pdf(source: str, files: Iterable[tuple[str, str | bytes]], day: datetime.date) -> bytes:
    """The page `source`, which draws and attaches `files` (name and content), as a PDF that is PDF/A-3a
    and PDF/UA-1 at once, dated `day`. What a cell of the notebook shows begins in it with `cell_mark`.

    A process that has called this must not fork: the threads of Typst would be gone in the child, which
    would wait for them for ever. Raises ExportError where it cannot be set; where no face has a letter,
    the message names it, and the cell where it can be found.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "main.typ").write_text(source, encoding="utf-8")
        for name, content in files:
            encoded = content.encode() if isinstance(content, str) else content
            (root / name).write_bytes(encoded)
        for face, fonts in faces():
            try:
                made, sheets, full = _laid_out(root, face, fonts, tight=False)
                if sheets > 1 and not full:
                    tight, fewer, _ = _laid_out(root, face, fonts, tight=True)
                    made = tight if fewer < sheets else made
                return made.compile(  # type: ignore[return-value]  # a PDF is one file
                    format="pdf",
                    pdf_standards=["a-3a", "ua-1"],
                    timestamp=datetime.datetime.combine(day, datetime.time(), datetime.UTC),
                )
            except typst.TypstError as error:
                failure = error
    raise _refusal(failure, source)


_LITTLE = 130  # millimetres: a last page that ends above may be saved by tighter setting


def _laid_out(
    root: Path, face: str, fonts: typst.Fonts, *, tight: bool
) -> tuple[typst.Compiler, int, bool]:
    """What makes the page in `root`, laid out `tight` or not, a PDF, how many sheets it has, and whether
    the last one is too full to be saved."""
    compiler = typst.Compiler(
        f"{root}/main.typ",
        root=root,
        font_paths=fonts,
        sys_inputs={"face": face, "tight": "yes" if tight else ""},
    )
    try:
        end = json.loads(compiler.query("<end>", field="value", one=True))
    except RuntimeError:  # a question is not told what helps: let the compiler say it
        compiler.compile(format="pdf")
        raise
    return compiler, end["page"], end["top"] > _LITTLE


_STYLES = {("normal", 400), ("normal", 700), ("italic", 400), ("italic", 700)}


@functools.cache
def faces() -> tuple[tuple[str, typst.Fonts], ...]:
    """The faces to try in turn, each with the fonts that hold it. Finding them starts no thread.

    Times New Roman where the machine has it whole, else Libertinus Serif, which comes inside the typst
    wheel and has every Vietnamese letter: a page is in one face, and a word never in two. Signs that it
    has not are those of DejaVu Sans, which matplotlib brings.
    """
    times = [
        font
        for font in typst.Fonts(include_embedded_fonts=False).fonts()
        if font.family == "Times New Roman" and font.path
    ]
    whole = {(font.style, font.weight) for font in times} >= _STYLES
    folders = sorted({str(Path(font.path).parent) for font in times if font.path})
    found = {"Times New Roman": folders} if whole else {}
    found["Libertinus Serif"] = []
    signs = [str(_dejavu().parent)] if _dejavu().is_file() else []
    return tuple(
        (face, typst.Fonts(include_system_fonts=False, font_paths=[*paths, *signs]))
        for face, paths in found.items()
    )


@functools.cache
def _dejavu() -> Path:
    """The file of DejaVu Sans, found without loading matplotlib."""
    spec = importlib.util.find_spec("matplotlib")
    package = Path(spec.origin).parent if spec and spec.origin else Path()
    return package / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"


_MARK = "// from "


def cell_mark(cell: str) -> str:
    """A comment that says where in the notebook the following comes from."""
    return f"{_MARK}{string(cell)[1:-1]}" if cell else ""


def _refusal(error: typst.TypstError, source: str) -> ExportError:
    """Why the page could not be set, and what to do."""
    lines = source.split("\n")
    places = [int(line) for line in re.findall(r"main\.typ:(\d+)", error.diagnostic)]
    marks = [mark for mark in (_mark_above(lines, place) for place in places) if mark]
    where = f"{marks[0]}: " if marks else ""
    said = [f"{where}the PDF could not be set: {error.message}", *error.hints]
    if "could not be displayed" in error.message:
        said.append(
            f"{NO_FACE} Vietnamese text has none such: look for a stray sign in the names of the ward's "
            "tables, or in the text of the notebook."
        )
    return ExportError("\n".join(said))


def _mark_above(lines: list[str], place: int) -> str:
    above = (line for line in reversed(lines[:place]) if line.startswith(_MARK))
    return next(above, "").removeprefix(_MARK)


NO_FACE = "No face at hand has this letter."
# The letters of Libertinus Serif, all Vietnamese ones among them.
_LETTERS = (
    "A-Za-z\xaa\xb5\xba\xc0-\u02c1\u02c6-\u02d1\u0300-\u036f\u0386-\u03ce\u0400-\u0477\u048c-\u04c4"
    "\u04d0-\u04f9\u1e00-\u1ffc\u2071\u207f\u2090-\u209c\u2102\u210c-\u210f\u2113\u2115\u2119\u211a"
    "\u211c\u211d\u2124\u2126\u212a\u212b"
)
_UNUSUAL = re.compile(f"[^{_LETTERS}\t\n\r -~\xa0-\xbf\xd7\xf7\u2000-\u2044\u20ac]")


def strange(text: str) -> str:
    """The first sign in a text that no face of a page has; nothing where all of them print."""
    return next((sign for sign in _UNUSUAL.findall(printed(text)) if not _is_sign(sign)), "")


def _is_sign(sign: str) -> bool:
    """Whether it is a sign of DejaVu's (see `faces`): no letter, and no picture as telephones have them."""
    return (
        unicodedata.category(sign)[0] not in "LM" and sign < "\U0001f000" and ord(sign) in _signs()
    )


@functools.cache
def _signs() -> frozenset[int]:
    from matplotlib.ft2font import FT2Font  # few pages have a sign that asks for it

    return frozenset(FT2Font(_dejavu()).get_charmap()) if _dejavu().is_file() else frozenset()
