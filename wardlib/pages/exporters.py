"""nbconvert exporters: `ward-html`, one HTML file, and `ward-pdf`, an archivable PDF by Typst.

Both take an executed notebook and need nothing else: what a page shows travels in the outputs (see
`blocks`). Code, parameters and the other language's cells are left out. They serve
`jupyter nbconvert --to ward-pdf`, JupyterLab's menu *Save and Export* (as `ward_pdf`) and
`ward run` alike.
"""

from __future__ import annotations

import base64
import datetime
import functools
import json
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mistune
import typst
from nbconvert.exporters import TemplateExporter
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode, validate
from traitlets import Bool, default

from wardlib import provenance
from wardlib.errors import ExportError
from wardlib.pages import blocks

_TEMPLATES = Path(__file__).parent / "templates"
_LANGUAGE_TAGS = {"lang-vi": "vi", "lang-en": "en"}
_SECTION = "## "
_PARAMETER_TAGS = {"parameters", "injected-parameters"}


@dataclass
class Briefing:
    """What an executed notebook says, ready for a page: the head, the title, the parts in order.

    A part is the text of a Markdown cell (str) or the bundle of an output (dict). Of a figure or a
    table, `about["label"]` is what it is called ("Hình 1", "Bảng 2"); of the headline above them,
    `about["see"]` holds those labels with the slug that each is found by.
    """

    head: dict[str, Any]
    title: str
    parts: list[str | dict[str, Any]] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)


def record(notebook: NotebookNode) -> dict[str, Any]:
    """What an executed notebook was made from: parameters, data files with their digests, versions
    of the packages that made it, the face that its PDF is set in. No clock, no host, no path of the
    machine."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    head = next(about for about in map(_about, outputs) if about.get("kind") == "head")
    read: dict[str, str] = {}
    for output in outputs:
        read |= _about(output).get("digests", {})
    return {
        "parameters": {
            "ward": head["id"],
            "period": head["period_id"],
            "language": head["language"],
            "as_of": head["as_of"] or "",
        },
        "data": dict(sorted(read.items())),
        "versions": provenance.versions(),
        "face": _faces()[0][0],  # a machine with another one gives other bytes
    }


def read(notebook: NotebookNode) -> Briefing:
    """The briefing in an executed notebook; ExportError where it cannot be one."""
    outputs = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for output in cell.outputs:
                if output.output_type == "error":
                    raise ExportError(
                        f"cell {cell.get('id', '?')} failed with {output.ename}: {output.evalue}\n"
                        "A failed notebook is not made into a briefing: mend the cause, run it "
                        "again."
                    )
                outputs.append(output)
    heads = [_about(output) for output in outputs if _about(output).get("kind") == "head"]
    if not heads:
        raise ExportError(
            "the notebook shows no head: run it first (its setup cell shows the edition), "
            "e.g. with `papermill` or `ward run`"
        )
    briefing = Briefing(heads[0], "")
    for cell in notebook.cells:
        tags = set(cell.metadata.get("tags", []))
        languages = {_LANGUAGE_TAGS[tag] for tag in tags & _LANGUAGE_TAGS.keys()}
        if languages and briefing.head["language"] not in languages:
            continue
        if cell.cell_type == "markdown":
            text = cell.source.strip()
            if not briefing.title and text.startswith("# "):
                briefing.title, _, text = text[2:].partition("\n")
            if text.strip():
                briefing.parts.append(text)
        elif cell.cell_type == "code" and not tags & _PARAMETER_TAGS:
            briefing.parts += [
                _bundle(output)
                for output in cell.outputs
                if _about(output).get("kind") != "head" and _bundle(output)
            ]
    # A section of which nothing is known shows nothing, and its heading goes with it.
    briefing.parts = [
        part
        for part, following in zip(briefing.parts, [*briefing.parts[1:], _SECTION], strict=True)
        if not (_is_section(part) and "\n" not in part and _is_section(following))
    ]
    if not briefing.title:
        raise ExportError("the notebook has no title: begin a Markdown cell with '# '")
    _number(briefing)
    briefing.record = record(notebook)
    return briefing


def _number(briefing: Briefing) -> None:
    """Number sections, and figures and tables in the order of the page; each headline refers to
    those that stand below it in its section. One shown twice, of two lines, has two names."""
    counts = {"chart": 0, "table": 0}
    slugs: Counter[str] = Counter()
    headline: dict[str, Any] = {}
    sections = 0
    for index, part in enumerate(briefing.parts):
        if isinstance(part, str):
            if _is_section(part):
                headline = {}
                sections += 1
                briefing.parts[index] = f"{_SECTION}{sections}. {part.removeprefix(_SECTION)}"
            continue
        about = part["about"]
        if about.get("kind") == "headline":
            headline = about
            headline["see"] = []
        elif about.get("kind") in counts:
            counts[about["kind"]] += 1
            slugs[about["slug"]] += 1
            if (times := slugs[about["slug"]]) > 1:
                about["slug"] += f"-{times}"
            about["label"] = f"{briefing.head[about['kind']]} {counts[about['kind']]}"
            if headline:
                headline["see"].append((about["label"], about["slug"]))


def _is_section(part: str | dict[str, Any]) -> bool:
    return isinstance(part, str) and part.startswith(_SECTION)


def _about(output: NotebookNode) -> dict[str, Any]:
    return output.get("metadata", {}).get("wardlib", {})


def _bundle(output: NotebookNode) -> dict[str, Any]:
    """The output's MIME bundle with what it says about itself; {} for what no reader needs."""
    if output.output_type == "stream":
        return {} if output.name == "stderr" else {"data": {"text/plain": output.text}, "about": {}}
    return {"data": dict(output.data), "about": dict(_about(output))}


class _Reading(Preprocessor):
    """Reads the briefing after every other preprocessor, so that `--execute` has run by then."""

    enabled = Bool(True)

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        resources["briefing"] = read(nb)
        return nb, resources


def _as_html(part: str | dict[str, Any]) -> str:
    if isinstance(part, str):
        return _MARKDOWN_HTML(part)
    data, about = part["data"], part["about"]
    if about.get("kind") == "chart":
        address = base64.b64encode(data[blocks.SVG].encode()).decode()
        return (
            f'<figure class="chart" id="{about["slug"]}"><div class="scroll" role="region" '
            f'tabindex="0" aria-label="{blocks.html(about["caption"])}"><img src="data:image/svg+xml;'
            f'base64,{address}" alt="{blocks.html(about["alt"])}"></div><figcaption>'
            f"{about['label']}. {blocks.html(about['caption'])}</figcaption></figure>"
        )
    if about.get("kind") == "table":
        return (
            data["text/html"]
            .replace("<caption>", f"<caption>{about['label']}. ", 1)
            .replace("<figure ", f'<figure id="{about["slug"]}" ', 1)
        )
    if about.get("see"):
        links = ", ".join(f'<a href="#{slug}">{label}</a>' for label, slug in about["see"])
        first, rest = _headline(about, blocks.html)
        return f'<p class="headline"><strong>{first}</strong> ({links}).{rest}</p>'
    if "text/html" in data:
        return data["text/html"]
    return f"<pre>{blocks.html(data.get('text/plain', ''))}</pre>"


def _as_typst(part: str | dict[str, Any]) -> str:
    if isinstance(part, str):
        return _MARKDOWN_TYPST(part)
    data, about = part["data"], part["about"]
    attached = ""
    if "slug" in about:
        slug = blocks.typst_string(f"{about['slug']}.csv")
        caption = blocks.typst_string(about["caption"])
        attached = (
            f"#pdf.attach({slug}, description: {caption}, "
            'mime-type: "text/csv", relationship: "data")\n'
        )
    if about.get("kind") == "chart":
        return (
            f"{attached}{_anchor(about)}#figure(image({blocks.typst_string(about['slug'] + '.svg')}, width: 100%, "
            f"alt: {blocks.typst_string(about['alt'])}), kind: image, "
            f"caption: [{blocks.typst(about['caption'])}])"
        )
    if about.get("see"):
        links = ", ".join(
            f"#link(label({blocks.typst_string(slug)}))[{blocks.typst(label)}]"
            for label, slug in about["see"]
        )
        first, rest = _headline(about, blocks.typst)
        return f"{first} ({links}).{rest}"
    if blocks.TYPST in data:
        return attached + _anchor(about) + data[blocks.TYPST]
    return f"#raw({blocks.typst_string(data.get('text/plain', ''))}, block: true)"


def _headline(about: dict[str, Any], escape: Callable[[str], str]) -> tuple[str, str]:
    """The first sentence of a headline without its full stop, and the rest with a space before it."""
    first, *rest = about["sentences"]
    return escape(first.removesuffix(".")), "".join(f" {escape(sentence)}" for sentence in rest)


def _anchor(about: dict[str, Any]) -> str:
    """Where a reference to this figure or table leads."""
    return (
        f"#metadata(none) #label({blocks.typst_string(about['slug'])})\n" if "slug" in about else ""
    )


class _WardExporter(TemplateExporter):
    """What both exporters share; a child names its format, its template and how a part reads."""

    _format: str
    _template: str

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return f".{self._format}"

    @default("template_name")
    def _template_name_default(self) -> str:
        return f"ward-{self._format}"

    @default("template_extension")
    def _template_extension_default(self) -> str:
        return self._template

    @default("enabled")
    def _enabled_default(self) -> bool:
        # A Jupyter server lists every exporter in JupyterLab's menu, but answers 404 to one with
        # a hyphen in its name: there the `Menu` exporters stand in.
        return "jupyter_server" not in sys.modules

    @default("optimistic_validation")
    def _optimistic_validation_default(self) -> bool:
        # Not after each of nbconvert's preprocessors, which do nothing here: see below.
        return True

    @default("extra_template_basedirs")
    def _basedirs_default(self) -> list[str]:
        return [str(_TEMPLATES)]

    @default("preprocessors")
    def _preprocessors_default(self) -> list:
        return [_Reading]

    def from_notebook_node(self, nb: NotebookNode, resources: dict | None = None, **kw: Any):
        validate(nb)
        return super().from_notebook_node(nb, resources, **kw)

    def default_filters(self):
        yield from super().default_filters()
        yield "part", self._part
        yield "html", blocks.html
        yield "typst", blocks.typst
        yield "typst_string", blocks.typst_string


class WardHTMLExporter(_WardExporter):
    """One HTML file that asks for nothing from outside: no script, no font, no style sheet."""

    output_mimetype = "text/html"

    _format, _template, _part = "html", ".html.j2", staticmethod(_as_html)


class WardPDFExporter(_WardExporter):
    """A PDF that is PDF/A-3a and PDF/UA-1 at once; the figures behind it are attached as CSV, and
    what it was made from as `run.json`.

    Set in Times New Roman where the machine has it whole, else in Libertinus Serif, which comes
    inside the typst wheel and has every Vietnamese letter: a page is in one face, never in two.
    ExportError names a letter that neither face has.
    """

    output_mimetype = "application/pdf"

    _format, _template, _part = "pdf", ".typ.j2", staticmethod(_as_typst)

    def from_notebook_node(self, nb: NotebookNode, resources: dict | None = None, **kw: Any):
        source, resources = super().from_notebook_node(nb, resources, **kw)
        briefing = resources["briefing"]
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "main.typ").write_text(source, encoding="utf-8")
            for name, content in _attachments(briefing):
                (root / name).write_text(content, "utf-8", newline="")
            newest = datetime.datetime.fromisoformat(briefing.head["newest"])
            for face, folders in _faces():
                try:
                    pdf = typst.Compiler(
                        root / "main.typ",
                        root=root,
                        ignore_system_fonts=True,
                        font_paths=folders,
                        sys_inputs={"face": face},
                    ).compile(
                        format="pdf",
                        pdf_standards=["a-3a", "ua-1"],
                        timestamp=newest.replace(tzinfo=datetime.UTC),
                    )
                    break
                except typst.TypstError as error:
                    failure = error
                finally:
                    _forget()
            else:
                raise _refusal(failure)
        return pdf, resources


_KEPT = 10  # documents
_blank = threading.local()  # a compiler is for one thread alone; JupyterLab exports in several


def _forget() -> None:
    """Let Typst forget the page. It keeps what it worked out until ten documents did not need it, and
    its tables grow for longer than a batch lasts; a blank document takes next to no time."""
    if not hasattr(_blank, "compiler"):
        _blank.compiler = typst.Compiler(b"", root=_TEMPLATES, ignore_system_fonts=True)
    for _ in range(_KEPT + 1):
        _blank.compiler.compile(input=b"", format="pdf")


def _attachments(briefing: Briefing) -> Iterator[tuple[str, str]]:
    """The files that the page draws and carries: name and content."""
    yield "run.json", blocks.dumps(briefing.record)
    for part in briefing.parts:
        if isinstance(part, dict) and "slug" in part["about"]:
            slug = part["about"]["slug"]
            if blocks.SVG in part["data"]:
                yield f"{slug}.svg", part["data"][blocks.SVG]
            figures = part["data"][blocks.RESOURCE]
            if isinstance(figures, str):
                figures = json.loads(figures)
            yield f"{slug}.csv", blocks.as_csv(figures)


_STYLES = {("normal", 400), ("normal", 700), ("italic", 400), ("italic", 700)}


@functools.cache
def _faces() -> tuple[tuple[str, list[str]], ...]:
    """The faces to try in turn, each with the folders that hold its files."""
    times = [
        font
        for font in typst.Fonts(include_embedded_fonts=False).fonts()
        if font.family == "Times New Roman" and font.path
    ]
    whole = {(font.style, font.weight) for font in times} >= _STYLES
    folders = sorted({str(Path(font.path).parent) for font in times})
    return (*([("Times New Roman", folders)] if whole else []), ("Libertinus Serif", []))


def _refusal(error: typst.TypstError) -> ExportError:
    """Why the page could not be set, and what to do."""
    said = [f"the PDF could not be set: {error.message}", *error.hints]
    if "could not be displayed" in error.message:
        said.append(
            "No face at hand has this letter. Vietnamese text has none such: look for a stray sign in "
            "the names of the ward's tables, or in the text of the notebook."
        )
    return ExportError("\n".join(said))


class WardHTMLMenuExporter(WardHTMLExporter):
    """`ward-html` for JupyterLab's menu, where it is named `ward_html`."""

    enabled = Bool(True)
    export_from_notebook = "Ward briefing (HTML)"


class WardPDFMenuExporter(WardPDFExporter):
    """`ward-pdf` for JupyterLab's menu, where it is named `ward_pdf`."""

    enabled = Bool(True)
    export_from_notebook = "Ward briefing (PDF)"


class _TypstRenderer(mistune.BaseRenderer):
    """Markdown as Typst: what the notebooks' prose uses, everything else as its plain text."""

    NAME = "typst"

    def render_token(self, token: dict[str, Any], state: Any) -> str:
        kind, attributes = token["type"], token.get("attrs", {})
        if kind in ("text", "block_text") and "raw" in token:
            return blocks.typst(token["raw"])
        if kind == "codespan":
            return f"#raw({blocks.typst_string(token['raw'])});"
        inner = (
            self.render_tokens(token["children"], state)
            if "children" in token
            else blocks.typst(token.get("raw", ""))
        )
        match kind:
            case "heading":  # the title stands above, so a section is a heading of level 1
                level = max(attributes["level"] - 1, 1)
                return f"#heading(level: {level})[{inner}]\n\n"
            case "paragraph":
                return inner + "\n\n"
            case "strong":
                return f"#strong[{inner}]"
            case "emphasis":
                return f"#emph[{inner}]"
            case "link":
                return f"#link({blocks.typst_string(attributes['url'])})[{inner}]"
            case "list":
                return f"#{'enum' if attributes.get('ordered') else 'list'}({inner})\n\n"
            case "list_item":
                return f"[{inner}], "
            case "softbreak" | "blank_line":
                return "\n"
            case "linebreak":
                return "#linebreak();"
            case _:
                return inner


_MARKDOWN_HTML = mistune.create_markdown(escape=True)
_MARKDOWN_TYPST = mistune.create_markdown(renderer=_TypstRenderer())
