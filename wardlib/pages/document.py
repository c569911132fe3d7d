"""What an executed notebook says, ready for a page: head, title, parts, and what it was made from.

Everything is read from the notebook alone. Code, parameters and the other language's cells are left
out.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from wardlib import provenance
from wardlib.errors import ExportError
from wardlib.pages import agreement, cleaning, frames, html, markdown, markup, outputs, typst
from wardlib.pages.agreement import cell_name, is_parameters, tags
from wardlib.pages.block import RESOURCE, SVG, as_csv, dumps, known, known_figures

_LANGUAGE_TAGS = {"lang-vi": "vi", "lang-en": "en"}
_SECTION = "<h2"
_SOURCE = re.compile(r'<img src="([^"]*)"')
# In the metadata of an output that comes with controls (see `explorer`), and a tag of the cell that shows them.
CONTROLS = "wardlib-controls"
_FAILURE = "papermill-error-cell-tag"  # of the cells that papermill puts where a run failed
# How `desk/custom.css` knows a cell of one language; nothing of it is printed.
_SCREEN = re.compile(r'<span lang="(?:vi|en)"></span>(?:&ZeroWidthSpace;|&NoBreak;)?')


@dataclass
class Part:
    """A part of a page: `prose` of a Markdown cell, as cleaned HTML, an output of ours with its MIME bundle
    and `content` (see `block`), or the `fragment` of HTML that another output shows (see `outputs`).

    Of a table or chart, `label` is what the page calls it ("Hình 1", "Bảng 2") and `slug` the name
    that is its own on the page; of a headline, `see` holds labels and slugs of those below it.
    `cell` is where it stands in the notebook, for messages (see `cell_name`).
    """

    cell: str = ""
    prose: str = ""
    fragment: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    content: dict[str, Any] = field(default_factory=dict)
    label: str = ""
    see: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_section(self) -> bool:
        """Whether it begins a section: a heading, perhaps with prose below it in the same cell."""
        return self.prose.startswith(_SECTION)

    @property
    def is_bare(self) -> bool:
        """Whether it is a heading of a section and nothing else."""
        return self.is_section and self.prose.endswith("</h2>")

    @property
    def is_silent(self) -> bool:
        """Whether it is a cell that shows nothing."""
        return not (self.prose or self.fragment or self.content)

    @property
    def slug(self) -> str:
        """Of a table or chart, its name on the page; "" for other parts."""
        return str(self.content.get("slug", ""))

    @property
    def resource(self) -> dict[str, Any] | None:
        """The figures behind a table or chart of ours, under its name on the page."""
        return self.data[RESOURCE] | {"name": self.slug} if RESOURCE in self.data else None

    def as_html(self) -> str:
        """This part of an HTML page."""
        if self.prose:
            return self.prose
        if not self.content:
            return f'<div class="output">{self.fragment}</div>'
        picture = "".join(_SOURCE.findall(self.fragment))
        if SVG in self.data:
            picture = cleaning.vector(self.data[SVG])
        return html.render(self.content, label=self.label, see=self.see, picture=picture)

    def as_typst(self) -> str:
        """This part of a page in Typst."""
        if self.prose:
            return markup.as_typst(self.prose)
        if not self.content:
            made = markup.as_typst(frames.for_paper(self.fragment))
            return f"#[\n#set par(first-line-indent: 0pt)\n{made}\n]"
        picture = next(iter(markup.pictures(self.fragment)), f"{self.slug}.svg")
        return typst.render(self.content, label=self.label, see=self.see, picture=picture)


@dataclass
class Document:
    """A page: its `head` (see `Edition.head` and `Edition.of`), title and parts; what is `supposed` for
    some of them (see `Edition.what_if`); `record` as the function gives it."""

    head: dict[str, Any]
    title: str
    parts: list[Part]
    supposed: list[str] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)

    @property
    def marks(self) -> list[str]:
        """What every page of it says: that figures are illustrative, and what is supposed."""
        return [mark for mark in (self.head["mark"], *self.supposed) if mark]

    def files(self) -> Iterator[tuple[str, str | bytes]]:
        """The files that a PDF draws and carries: name and content."""
        yield "run.json", dumps(self.record)
        for part in self.parts:
            yield from markup.pictures(part.prose + part.fragment).items()
            if part.slug and SVG in part.data:
                yield f"{part.slug}.svg", part.data[SVG]
            if part.resource is not None:
                yield f"{part.slug}.csv", as_csv(part.resource)

    def figures(self) -> dict[str, Any]:
        """The figures behind every table and chart, by name; the same in every language."""
        return {part.slug: part.resource for part in self.parts if part.resource is not None}


def record(notebook: NotebookNode) -> dict[str, Any]:
    """What an executed notebook was made from: parameters, the day on which its data were known, files
    with the digests of the rows read, versions of the packages that made it, the face that its PDF is
    set in. No clock, no host, no path of the machine."""
    contents = [known(output) for cell in notebook.cells for output in cell.get("outputs", [])]
    of = next(content["of"] for content in contents if content.get("kind") == "head")
    read: dict[str, str] = {}
    for content in contents:
        read |= content.get("digests", {})
    return {
        "parameters": {
            **{agreement.unit(notebook): of["ward"]},
            "period": of["period"],
            "language": of["language"],
            "as_of": of["as_of"] or "",
        },
        "day": of["day"],
        "data": dict(sorted(read.items())),
        "versions": provenance.versions(),
        "face": typst.faces()[0][0],  # a machine with another one gives other bytes
    }


def _ask_paper(notebook: NotebookNode, at: int) -> None:
    """Raise ExportError where a cell shows controls, or will."""
    cell = notebook.cells[at]
    shown = any(output.get("metadata", {}).get(CONTROLS) for output in cell.get("outputs", []))
    if shown or CONTROLS in tags(cell):
        raise ExportError(
            f"{cell_name(notebook, at)} shows controls, which no paper has, and a notebook does not keep "
            "how they stand. Copy the cell that is written below the figures into a notebook of your "
            "own, after its head, and export that."
        )


def read(notebook: NotebookNode, folder: Path | None = None) -> Document:
    """The document in an executed notebook, whose prose may show pictures from its `folder`; ExportError
    where it cannot be one."""
    heads, supposed = [], {}
    for at, cell in enumerate(notebook.cells):
        _ask_paper(notebook, at)
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                raise ExportError(
                    f"{cell_name(notebook, at)} failed with {output.ename}: {output.evalue}\n"
                    "A failed notebook is not made into a briefing: mend the cause, run it again."
                )
            supposed[agreement.supposed(output)] = True
            content = known(output)
            if content.get("kind") == "head" and content not in heads:
                heads.append(content)
    agreement.ask(notebook)
    if not heads:
        raise ExportError(
            "the notebook shows no head: run it first (its second cell shows the edition), "
            "e.g. with `papermill` or `ward run`"
        )
    if len(heads) > 1 or (heads[0]["of"]["illustrative"] and not heads[0]["mark"]):
        raise ExportError(
            "the notebook shows two different heads, or one that lacks the mark of illustrative figures: "
            "run it again from the top"
        )
    head = heads[0] | heads[0]["of"]
    title, parts = "", list[Part]()
    for at, cell in enumerate(notebook.cells):
        if _FAILURE in tags(cell):
            continue
        languages = {_LANGUAGE_TAGS[tag] for tag in tags(cell) & _LANGUAGE_TAGS.keys()}
        if languages and head["language"] not in languages:
            continue
        if cell.cell_type == "markdown":
            name = cell_name(notebook, at)
            source = _SCREEN.sub("", cell.source)
            prose = markdown.as_html(source, name, cell.get("attachments"), folder)
            if not title:
                title, prose = markup.titled(prose)
            parts += (Part(name, section) for section in markup.sections(prose))
        elif cell.cell_type == "code" and not is_parameters(cell):
            name = cell_name(notebook, at)
            shown = [*filter(None, _parts(name, cell))]
            # A section of which nothing is known shows nothing, and its heading goes with it.
            parts += shown or [Part(name)]
    if not title:
        raise ExportError("the notebook has no title: begin a Markdown cell with '# '")
    parts = _spoken(parts)
    for part in parts:
        _check_signs(part)
    _number(parts, head)
    return Document(head, title, parts, [*filter(None, supposed)], record(notebook))


def _spoken(parts: list[Part]) -> list[Part]:
    """The parts that say something: none of a cell that shows nothing, nor a section's heading below which
    there are such cells alone."""
    kept: list[Part] = []
    silent = False  # whether there are such cells below what was kept last
    for part in (*parts, Part(prose=_SECTION)):
        if part.is_silent:
            silent = True
            continue
        if part.is_section and silent and kept and kept[-1].is_bare:
            kept.pop()
        kept.append(part)
        silent = False
    return kept[:-1]


def _number(parts: list[Part], head: dict[str, Any]) -> None:
    """Number sections (see `markup.Headings`), and figures and tables in the order of the page; each
    headline refers to those that stand below it in its section. Charts of one slug (the same chart of two
    revenue lines) are told apart by a number after it."""
    counts = {"chart": 0, "table": 0}
    taken = {"content", "to", "start", "end"}  # anchors of the page itself
    headline: Part | None = None
    headings = markup.Headings([part.prose + part.fragment for part in parts])
    for part in parts:
        kind = part.content.get("kind", "")
        part.prose, part.fragment = map(headings.mended, (part.prose, part.fragment))
        if part.is_section:
            headline = None
        elif kind == "headline":
            headline = part
        elif kind in counts:
            counts[kind] += 1
            names = (f"{part.slug}-{times}" for times in itertools.count(2))
            slug = next(n for n in itertools.chain([part.slug], names) if n not in taken)
            taken.add(slug)
            part.content = part.content | {"slug": slug}
            part.label = f"{head[kind]} {counts[kind]}"
            if headline is not None:
                headline.see.append((part.label, part.slug))


def _check_signs(part: Part) -> None:
    """Raises ExportError where a part holds a sign that no face of a page has."""
    texts = [markup.tree(part.prose + part.fragment).text, *_texts(part.content)]
    pictures = markup.pictures(part.fragment)
    texts += [cleaning.words(pictures[name]) for name in pictures if name.endswith(".svg")]
    for sign in filter(None, map(typst.strange, texts)):
        raise ExportError(
            f"{part.cell} shows the sign {sign} ({unicodedata.name(sign, f'U+{ord(sign):04X}')}). "
            f"{typst.NO_FACE} Write a word in its place, or a sign such as ✓ ✗ → • ≥ ☐ ☑."
        )


def _texts(content: Any) -> Iterator[str]:
    """The texts in a block's content."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, (dict, list)):
        for inner in content.values() if isinstance(content, dict) else content:
            yield from _texts(inner)


def _parts(name: str, cell: NotebookNode) -> Iterator[Part | None]:
    """The outputs of a cell as parts; None for what no reader needs there."""
    notes = outputs.Notes.of(cell.source)
    for output in outputs.settled(cell.outputs):
        content = known(output)
        if not content:
            yield _of_others(name, outputs.shown(output, name, notes))
        elif content["kind"] != "head":
            data = dict(output.data)
            if slug := content.get("slug"):
                data[RESOURCE] = known_figures(data.get(RESOURCE), slug)
                if content["kind"] == "chart":
                    data[SVG] = _chart(data.get(SVG, ""), name)
                else:
                    data.pop(SVG, None)
            yield Part(name, data=data, content=content)


def _chart(svg: str, cell: str) -> str:
    try:
        return cleaning.svg(svg)
    except ExportError as error:
        raise ExportError(f"{cell}: {error}: run the notebook again.") from None


def _of_others(cell: str, shown: outputs.Shown | None) -> Part | None:
    """What is none of our blocks; a picture with a caption is counted as our charts are."""
    if shown is None:
        return None
    content = {}
    if shown.caption:
        content = {
            "kind": "chart",
            "slug": shown.slug,
            "caption": shown.caption,
            "alt": shown.alt,
            "newest": False,
        }
    return Part(cell, fragment=shown.fragment, content=content)
