"""nbconvert exporters: `ward-html`, one HTML file, and `ward-pdf`, an archivable PDF by Typst.

Both take an executed notebook and need nothing else (see `document`). They serve
`jupyter nbconvert --to ward-pdf`, JupyterLab's menu *Save and Export* (as `ward_pdf`) and
`ward run` alike.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from jinja2 import UndefinedError
from nbconvert.exporters import TemplateExporter
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode, validate
from traitlets import Bool, default

from wardlib.errors import ExportError
from wardlib.pages import document, html, typst
from wardlib.pages.document import Part


class _Reading(Preprocessor):
    """Reads the document after every other preprocessor, so that `--execute` has run by then."""

    enabled = Bool(True)

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        path = resources.get("metadata", {}).get("path")
        resources["document"] = document.read(nb, Path(path) if path else None)
        return nb, resources


class _WardExporter(TemplateExporter):
    """What both exporters share; a child names its format, its template and how a part is drawn."""

    _format: str
    _template: str
    _part: ClassVar[staticmethod[[Part], str]]

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
        return [str(html.TEMPLATES)]

    @default("preprocessors")
    def _preprocessors_default(self) -> list[type[Preprocessor]]:
        return [_Reading]

    def from_notebook_node(
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[Any, dict[str, Any]]:
        validate(nb)
        try:
            return super().from_notebook_node(nb, resources, **kw)
        except UndefinedError as error:
            raise ExportError(
                f"an output lacks what this version of wardlib draws ({error.message}): it was made by "
                "another one. Run the notebook again."
            ) from None

    def default_filters(self) -> Iterator[tuple[str, Callable[..., object]]]:
        yield from super().default_filters()  # type: ignore[no-untyped-call]  # nbconvert has no types
        yield "part", type(self)._part
        yield "html", html.escape
        yield "css", html.css
        yield "digest", html.source
        yield "typst", typst.escape
        yield "typst_string", typst.string
        yield "mark", typst.cell_mark


class WardHTMLExporter(_WardExporter):
    """One HTML file that asks for nothing from outside: no script, no font, no style sheet. What a
    cell put out is cleaned, and a Content-Security-Policy forbids the rest a second time."""

    output_mimetype = "text/html"

    _format, _template, _part = "html", ".html.j2", staticmethod(Part.as_html)


class WardPDFExporter(_WardExporter):
    """A PDF that is PDF/A-3a and PDF/UA-1 at once; the figures behind it are attached as CSV, and
    what it was made from as `run.json`. ExportError names a letter that the page's face lacks."""

    output_mimetype = "application/pdf"

    _format, _template, _part = "pdf", ".typ.j2", staticmethod(Part.as_typst)

    def from_notebook_node(  # type: ignore[override]  # a PDF is bytes, a template's output text
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[bytes, dict[str, Any]]:
        source, resources = super().from_notebook_node(nb, resources, **kw)
        made = resources["document"]
        day = datetime.date.fromisoformat(made.head["day"])
        return typst.compile_pdf(source, made.files(), day), resources


class WardHTMLMenuExporter(WardHTMLExporter):
    """`ward-html` for JupyterLab's menu, where it is named `ward_html`."""

    enabled = Bool(True)
    export_from_notebook = "Ward briefing (HTML)"


class WardPDFMenuExporter(WardPDFExporter):
    """`ward-pdf` for JupyterLab's menu, where it is named `ward_pdf`."""

    enabled = Bool(True)
    export_from_notebook = "Ward briefing (PDF)"
