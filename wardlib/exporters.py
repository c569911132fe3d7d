"""nbconvert exporters: `ward-html`, one HTML file, and `ward-pdf`, an archivable PDF by Typst.

Both take an executed notebook and need nothing else: what a page shows travels in the outputs (see
`blocks`). Code, parameters and the other language's cells are left out. They serve
`jupyter nbconvert --to ward-pdf`, JupyterLab's menu *Save and Export* (as `ward_pdf`) and
`ward run` alike.
"""

from __future__ import annotations

import base64
import datetime
import json
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mistune
import typst
from nbconvert.exporters import TemplateExporter
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from traitlets import Bool, default

from wardlib import blocks
from wardlib.errors import ExportError

_TEMPLATES = Path(__file__).parent / "templates"
_LANGUAGE_TAGS = {"lang-vi": "vi", "lang-en": "en"}
_SECTION = "## "
_PARAMETER_TAGS = {"parameters", "injected-parameters"}


@dataclass
class Briefing:
    """What an executed notebook says, ready for a page: the head, the title, the parts in order.

    A part is the text of a Markdown cell (str) or the bundle of an output (dict).
    """

    head: dict[str, Any]
    title: str
    parts: list[str | dict[str, Any]] = field(default_factory=list)


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
    return briefing


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
            f'<figure class="chart"><img src="data:image/svg+xml;base64,{address}" '
            f'alt="{blocks.html(about["alt"])}"><figcaption>{blocks.html(about["caption"])}'
            "</figcaption></figure>"
        )
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
            f"{attached}#figure(image({blocks.typst_string(about['slug'] + '.svg')}, width: 100%, "
            f"alt: {blocks.typst_string(about['alt'])}), kind: image, "
            f"caption: [{blocks.typst(about['caption'])}])"
        )
    if blocks.TYPST in data:
        return attached + data[blocks.TYPST]
    return f"#raw({blocks.typst_string(data.get('text/plain', ''))}, block: true)"


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

    @default("extra_template_basedirs")
    def _basedirs_default(self) -> list[str]:
        return [str(_TEMPLATES)]

    @default("preprocessors")
    def _preprocessors_default(self) -> list:
        return [_Reading]

    def default_filters(self):
        yield from super().default_filters()
        yield "part", self._part
        yield "typst", blocks.typst
        yield "typst_string", blocks.typst_string


class WardHTMLExporter(_WardExporter):
    """One HTML file that asks for nothing from outside: no script, no font, no style sheet."""

    output_mimetype = "text/html"

    _format, _template, _part = "html", ".html.j2", staticmethod(_as_html)


class WardPDFExporter(_WardExporter):
    """A PDF that is PDF/A-3a and PDF/UA-1 at once, the figures behind it attached as CSV.

    Set in Libertinus Serif, which comes inside the typst wheel and has every Vietnamese letter;
    the machine's own fonts are left aside, so that the same notebook gives the same bytes.
    """

    output_mimetype = "application/pdf"

    _format, _template, _part = "pdf", ".typ.j2", staticmethod(_as_typst)

    def from_notebook_node(self, nb: NotebookNode, resources: dict | None = None, **kw: Any):
        source, resources = super().from_notebook_node(nb, resources, **kw)
        briefing = resources["briefing"]
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "main.typ").write_text(source, encoding="utf-8")
            for part in briefing.parts:
                if isinstance(part, dict) and "slug" in part["about"]:
                    slug = part["about"]["slug"]
                    if blocks.SVG in part["data"]:
                        (root / f"{slug}.svg").write_text(part["data"][blocks.SVG], "utf-8")
                    figures = part["data"][blocks.RESOURCE]
                    if isinstance(figures, str):
                        figures = json.loads(figures)
                    (root / f"{slug}.csv").write_text(blocks.as_csv(figures), "utf-8", newline="")
            newest = datetime.datetime.fromisoformat(briefing.head["newest"])
            try:
                pdf = typst.Compiler(
                    root / "main.typ", root=root, ignore_system_fonts=True
                ).compile(
                    format="pdf",
                    pdf_standards=["a-3a", "ua-1"],
                    timestamp=newest.replace(tzinfo=datetime.UTC),
                )
            except typst.TypstError as error:
                raise ExportError(
                    "\n".join([f"the PDF could not be set: {error.message}", *error.hints])
                ) from error
        return pdf, resources


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
