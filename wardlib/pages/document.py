"""What an executed notebook says, ready for a page: head, title, parts, and what it was made from.

Everything is read from the notebook alone. Code, parameters and the other language's cells are left
out.
"""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode

from wardlib import provenance
from wardlib.errors import ExportError
from wardlib.pages import cleaning, html, markdown, typst
from wardlib.pages.block import RESOURCE, SVG, as_csv, dumps, known, known_figures

_LANGUAGE_TAGS = {"lang-vi": "vi", "lang-en": "en"}
_SECTION = "## "
_NUMERAL = re.compile(r"[IVX]+\. ")  # a heading that brings its own, as reports of a ward have it
# How `desk/custom.css` knows a cell of one language; nothing of it is printed.
_SCREEN = re.compile(r'<span lang="(?:vi|en)"></span>(?:&ZeroWidthSpace;|&NoBreak;)?')
_QUESTION = re.compile(r"<!--.*?-->")  # of a title, for the start page
_PARAMETER_TAGS = {"parameters", "injected-parameters"}


@dataclass
class Part:
    """A part of a page: the `prose` of a Markdown cell, or an output with its MIME bundle and
    `content` (see `block`; empty for what is not ours).

    Of a table or chart, `label` is what the page calls it ("Hình 1", "Bảng 2") and `slug` the name
    that is its own on the page; of a headline, `see` holds labels and slugs of those below it.
    `cell` is where it stands in the notebook, for messages (see `cell_name`).
    """

    cell: str = ""
    prose: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    content: dict[str, Any] = field(default_factory=dict)
    label: str = ""
    see: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_section(self) -> bool:
        """Whether it begins a section: a heading, perhaps with prose below it in the same cell."""
        return self.prose.startswith(_SECTION)

    @property
    def slug(self) -> str:
        """Of a table or chart, its name on the page; "" for other parts."""
        return str(self.content.get("slug", ""))

    @property
    def resource(self) -> dict[str, Any] | None:
        """The figures behind a table or chart, under its name on the page."""
        return self.data[RESOURCE] | {"name": self.slug} if self.slug else None

    def as_html(self) -> str:
        """This part of an HTML page."""
        if self.prose:
            return markdown.as_html(self.prose)
        if self.content:
            picture = ""
            if SVG in self.data:
                encoded = base64.b64encode(self.data[SVG].encode()).decode()
                picture = f"data:image/svg+xml;base64,{encoded}"
            return html.render(self.content, label=self.label, see=self.see, picture=picture)
        if "text/html" in self.data:
            return cleaning.html(self.data["text/html"])
        return f"<pre>{html.escape(self._plain)}</pre>"

    def as_typst(self) -> str:
        """This part of a page in Typst."""
        if self.prose:
            return markdown.as_typst(self.prose)
        if self.content:
            return typst.render(self.content, label=self.label, see=self.see)
        return typst.printed_lines(self._plain)

    @property
    def _plain(self) -> str:
        return cleaning.plain(self.data.get("text/plain", ""))


@dataclass
class Document:
    """A page: its `head` (see `Edition.head`), title and parts; `record` as the function gives it."""

    head: dict[str, Any]
    title: str
    parts: list[Part]
    record: dict[str, Any] = field(default_factory=dict)

    def files(self) -> Iterator[tuple[str, str]]:
        """The files that a PDF draws and carries: name and text."""
        yield "run.json", dumps(self.record)
        for part in self.parts:
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
    set in. No clock, no host, no path of the
    machine."""
    contents = [known(output) for cell in notebook.cells for output in cell.get("outputs", [])]
    head = next(content for content in contents if content.get("kind") == "head")
    read: dict[str, str] = {}
    for content in contents:
        read |= content.get("digests", {})
    return {
        "parameters": {
            "ward": head["id"],
            "period": head["period_id"],
            "language": head["language"],
            "as_of": head["as_of"] or "",
        },
        "day": head["day"],
        "data": dict(sorted(read.items())),
        "versions": provenance.versions(),
        "face": typst.faces()[0][0],  # a machine with another one gives other bytes
    }


def cell_name(notebook: NotebookNode, at: int) -> str:
    """What a message calls a cell, by its place from 0 on: `cell 3 (tax-chart)`; the id, which a notebook
    of nbformat 4.4 has not, is what `ward run` names too."""
    name = notebook.cells[at].get("id", "")
    return f"cell {at + 1} ({name})" if name else f"cell {at + 1}"


def read(notebook: NotebookNode) -> Document:
    """The document in an executed notebook; ExportError where it cannot be one."""
    heads = []
    for at, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                raise ExportError(
                    f"{cell_name(notebook, at)} failed with {output.ename}: {output.evalue}\n"
                    "A failed notebook is not made into a briefing: mend the cause, run it again."
                )
            content = known(output)
            if content.get("kind") == "head" and content not in heads:
                heads.append(content)
    if not heads:
        raise ExportError(
            "the notebook shows no head: run it first (its second cell shows the edition), "
            "e.g. with `papermill` or `ward run`"
        )
    if len(heads) > 1:
        raise ExportError(
            "the notebook shows two different heads, of two editions or with and without a mark: run it "
            "again from the top"
        )
    title, parts = "", []
    for at, cell in enumerate(notebook.cells):
        tags = set(cell.metadata.get("tags", []))
        languages = {_LANGUAGE_TAGS[tag] for tag in tags & _LANGUAGE_TAGS.keys()}
        if languages and heads[0]["language"] not in languages:
            continue
        if cell.cell_type == "markdown":
            text = _SCREEN.sub("", cell.source).strip()
            if not title and text.startswith("# "):
                title, _, text = text[2:].partition("\n")
                title = _QUESTION.sub("", title).strip()
            if text.strip():
                parts.append(Part(cell_name(notebook, at), text))
        elif cell.cell_type == "code" and not tags & _PARAMETER_TAGS:
            name = cell_name(notebook, at)
            parts += filter(None, (_part(name, output) for output in cell.outputs))
    if not title:
        raise ExportError("the notebook has no title: begin a Markdown cell with '# '")
    # A section of which nothing is known shows nothing, and its heading goes with it.
    parts = [
        part
        for part, following in zip(parts, [*parts, Part(prose=_SECTION)][1:], strict=True)
        if not (part.is_section and "\n" not in part.prose and following.is_section)
    ]
    _number(parts, heads[0])
    return Document(heads[0], title, parts, record(notebook))


def _number(parts: list[Part], head: dict[str, Any]) -> None:
    """Number sections, but for those that bring a Roman numeral, and figures and tables in the order of
    the page; each headline refers to those that stand below it in its section. Charts of one slug (the
    same chart of two revenue lines) are told apart by a number after it."""
    counts = {"chart": 0, "table": 0}
    taken = {"content", "to", "start", "end"}  # anchors of the page itself
    headline: Part | None = None
    sections = 0
    for part in parts:
        kind = part.content.get("kind", "")
        if part.is_section:
            headline = None
            sections += 1
            heading = part.prose.removeprefix(_SECTION)
            if not _NUMERAL.match(heading):
                part.prose = f"{_SECTION}{sections}. {heading}"
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


def _part(cell: str, output: NotebookNode) -> Part | None:
    """An output of a cell as a part; None for what no reader needs there."""
    if output.output_type == "stream":
        return None if output.name == "stderr" else Part(cell, data={"text/plain": output.text})
    content, data = known(output), dict(output.data)
    if content.get("kind") == "head":
        return None
    if slug := content.get("slug"):
        data[RESOURCE] = known_figures(data.get(RESOURCE), slug)
        if content["kind"] == "chart":
            data[SVG] = cleaning.svg(data.get(SVG, ""))
        else:
            data.pop(SVG, None)
    return Part(cell, data=data, content=content)
