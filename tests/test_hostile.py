"""What an analyst's cell, or somebody who wrote it, may have put into a notebook: its pages run nothing
and ask for nothing. Each attack is first seen to bite where nothing is cleaned."""

import base64
import csv
import functools
import io
import json
import os
import re
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pypdf
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import Error

import wardlib
from wardlib.errors import ExportError
from wardlib.pages import block, cleaning, document
from wardlib.pages import html as drawn
from wardlib.pages.block import RESOURCE, SVG, as_csv
from wardlib.pages.exporters import WardHTMLExporter, WardPDFExporter

SITE = "http://ward.invalid"  # a listener stands in its place
HACK = "window.hacked=1"
PICTURE = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{HACK}"/>'
# HTML that a cell puts out; each does something when it is opened, or when its link is followed.
OUTPUTS = {
    "script": f"<script>{HACK}</script>",
    "script from elsewhere": f'<script src="{SITE}/x.js"></script>',
    "dialog": "<script>alert(1)</script>",
    "popup": f'<script>open("{SITE}/popup")</script>',
    "onerror": f'<img src="x:" onerror="{HACK}">',
    "onerror, no quotes": f"<img/src='x:'/onerror={HACK}>",
    "body onload": f'<body onload="{HACK}">',
    "ontoggle": f'<details open ontoggle="{HACK}">x</details>',
    "onfocus": f'<input autofocus onfocus="{HACK}">',
    "onclick": f'<a href="#x" onclick="{HACK}">x</a>',
    "javascript link": f'<a href="javascript:{HACK}">x</a>',
    "javascript link with a tab": f'<a href="java\tscript:{HACK}">x</a>',
    "javascript link in entities": f'<a href="&#106;avascript&colon;{HACK}">x</a>',
    "download": '<a download="x.exe" href="data:application/octet-stream,x">x</a>',
    "ping and target": f'<a href="#x" ping="{SITE}/ping" target="_blank">x</a>',
    "picture": f'<img src="{SITE}/count.gif">',
    "srcset": f'<img srcset="{SITE}/count.gif 1x">',
    "picture element": f'<picture><source srcset="{SITE}/count.gif"><img></picture>',
    "background": f'<table background="{SITE}/count.gif"><tr><td>x</td></tr></table>',
    "input image": f'<input type="image" src="{SITE}/count.gif">',
    "style attribute": f'<p style="background: url({SITE}/count.gif)">x</p>',
    "content url": f'<p style="content: url({SITE}/count.gif)">x</p>',
    "style element": f"<style>body {{ background: url({SITE}/count.gif) }}</style>",
    "import": f'<style>@import "{SITE}/x.css";</style>',
    "font": f"<style>@font-face {{ font-family: x; src: url({SITE}/x.woff) }} p {{ font-family: x }}</style><p>x</p>",
    "style sheet": f'<link rel="stylesheet" href="{SITE}/x.css">',
    "prefetch": f'<link rel="preload" as="script" href="{SITE}/x.js">',
    "refresh": f'<meta http-equiv="refresh" content="0; url={SITE}/away">',
    "base": f'<base href="{SITE}/"><img src="count.gif">',
    "iframe": f'<iframe src="{SITE}/frame"></iframe>',
    "iframe of data": f'<iframe src="data:text/html,<img src={SITE}/count.gif>"></iframe>',
    "srcdoc": f'<iframe srcdoc="<script>parent.{HACK}</script>"></iframe>',
    "object": f'<object data="{SITE}/object"></object>',
    "embed": f'<embed src="{SITE}/embed">',
    "form": f'<form action="{SITE}/form"><button>x</button></form>',
    "formaction": f'<form><button formaction="javascript:{HACK}">x</button></form>',
    "video": f'<video src="{SITE}/video" autoplay muted></video>',
    "poster": f'<video poster="{SITE}/count.gif"></video>',
    "audio": f'<audio src="{SITE}/audio" preload="auto"></audio>',
    "track": f'<video src="{SITE}/video"><track default src="{SITE}/track"></video>',
    "svg onload": f'<svg onload="{HACK}"></svg>',
    "svg script": f"<svg><script>{HACK}</script></svg>",
    "svg image": f'<svg><image href="{SITE}/count.gif"/></svg>',
    "svg feImage": f'<svg><filter id="f"><feImage href="{SITE}/count.gif"/></filter><rect width="9" height="9" filter="url(#f)"/></svg>',
    "svg foreignObject": f'<svg><foreignObject width="9" height="9"><img src="{SITE}/count.gif"/></foreignObject></svg>',
    "svg link": f'<svg width="50" height="50"><a href="javascript:{HACK}"><rect width="50" height="50"/></a></svg>',
    "svg animation": f'<svg><animate onbegin="{HACK}" attributeName="x" dur="1s"/></svg>',
    "mathml": f'<math><mi><img src="x:" onerror="{HACK}"></mi></math>',
    "mathml and style": f'<math><mtext></mtext><style><!--</style><img src="x:" onerror="{HACK}">--></style></math>',
    "noscript": f'<noscript><p title="</noscript><img src=x: onerror={HACK}>"></noscript>',
    "comment": f'<!--><img src="x:" onerror="{HACK}">-->',
    "torn tags": f'</p></figure></main></body></html><img src="x:" onerror="{HACK}"></main>',
    "template": f'<div><template shadowrootmode="open"><img src="{SITE}/count.gif"></template></div>',
    "table of pandas": f'<style scoped>td {{ background: url({SITE}/count.gif) }}</style><table class="dataframe"><tr style="text-align: right" onmouseover="{HACK}"><td colspan="2">1</td></tr></table>',
}  # fmt: skip
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
# Those whose picture or whole content would be missing: the export is refused instead.
REFUSED = {
    "script", "script from elsewhere", "dialog", "popup", "onerror", "onerror, no quotes", "onfocus",
    "picture", "srcset", "picture element", "input image", "base", "iframe", "iframe of data", "srcdoc",
    "object", "embed", "video", "poster", "audio", "track", "mathml", "mathml and style", "noscript",
    "comment", "torn tags", "template",
}  # fmt: skip
# Markdown, as it takes effect where a renderer of Markdown lets HTML through.
PROSE = {
    "heading": f'## <img src="x:" onerror="{HACK}">',
    "html in markdown": f"<script>{HACK}</script>",
    "block of html": f'<div onmouseover="x()">\n<img src="x:" onerror="{HACK}">\n</div>',
    "html inside a line": f'Thu <img src="x:" onerror="{HACK}"> phí',
    "picture in markdown": f"![đếm]({SITE}/count.gif)",
    "picture by reference": f"![đếm][nơi]\n\n[nơi]: {SITE}/count.gif",
    "click in markdown": f'Thu <a onclick="{HACK}" href="#">phí</a>',
    "javascript in markdown": f"[đây](javascript:{HACK})",
    "javascript in brackets": f"<javascript:{HACK}>",
    "code": f"`</code><script>{HACK}</script>`\n\n    </pre><script>{HACK}</script>",
}
# These show a picture that the notebook does not hold, which is refused.
PICTURED = (
    "heading",
    "block of html",
    "html inside a line",
    "picture in markdown",
    "picture by reference",
)
# What Typst would read as its own.
TYPST = [
    '#import "@preview/cetz:0.3.0"',
    '#read("/etc/passwd")',
    '#image("/etc/passwd")',
    '#include "main.typ"',
    '"); #read("run.json"); #("',
    ']; #read("run.json") [',
    '\\"); #panic("x") //',
    "$ #panic() $ @label <label> `#panic()` ```typ #panic()``` \\u{41} /* // = - + ~ --- ...",
    '#eval("1+1")',
    "#sys.inputs #link(\"file:///etc/passwd\")[x]",
]  # fmt: skip
MIMES = {
    "text/html": f"<p>x</p><script>{HACK}</script>",
    "text/markdown": f"x <script>{HACK}</script>",
    "text/typst": '#read("/etc/passwd")',
    "application/json": {HACK: f"<script>{HACK}</script>"},
    "text/plain": f"<script>{HACK}</script> x",
    SVG: PICTURE,
}  # fmt: skip
# Of these nothing would be left, or they are no page's.
MIMES_REFUSED = {
    "application/javascript": HACK,
    "text/markdown": f"<script>{HACK}</script>",
    "text/vnd.mermaid": f"graph TD; A-->B; click A href \"javascript:{HACK}\"",
    "text/latex": "$\\href{javascript:x}{x}$",
    "application/pdf": base64.b64encode(b"%PDF-1.7").decode(),
    "image/png": base64.b64encode(b"<script>").decode(),
    SVG: "<html/>",
}  # fmt: skip


def shown(shows):
    """A block as a kernel puts it into a notebook."""
    data, metadata = shows._repr_mimebundle_()
    return new_output("display_data", data=data, metadata=metadata)


@functools.cache
def edition():
    return wardlib.open("phuc-dong", "2020-9M", "vi", "2020-09-13").tax.edition


def notebook(outputs=(), prose=(), head=None, title="Thu"):
    """An executed notebook: its head, cells of prose, and a cell with outputs, whose pictures have words."""
    noted = "#| fig-alt:\n" + "#| - Hình\n" * 50
    cells = [
        new_markdown_cell(f"# {title}", id="title"),
        new_code_cell("1", outputs=[shown(edition()) if head is None else head], id="head"),
        *(new_markdown_cell(text, id=f"m{at}") for at, text in enumerate(prose)),
        new_code_cell(noted, outputs=list(outputs), id="outputs"),
    ]
    return new_notebook(cells=cells)


def html(*args, **options):
    return WardHTMLExporter().from_notebook_node(notebook(*args, **options))[0]


def pdf(*args, **options):
    made = WardPDFExporter().from_notebook_node(notebook(*args, **options))[0]
    return pypdf.PdfReader(io.BytesIO(made))


def text_of(reader):
    """The text of a PDF without white space, which lines and long words get."""
    text = "".join(page.extract_text() for page in reader.pages)
    return "".join(text.replace("\u200b", "").split())


def rich(text):
    """An output of HTML, as IPython shows it."""
    return new_output("display_data", data={"text/html": text, "text/plain": "<HTML object>"})


def forged(kind, data=None, **content):
    """An output that says it is a block of ours."""
    return new_output(
        "display_data",
        data={"text/plain": "x", "text/html": OUTPUTS["script"], **(data or {})},
        metadata={"wardlib": {"kind": kind, "of": edition().of, **content}},
    )


FIGURES = {
    "schema": {"fields": [{"name": "line", "type": "string"}]},
    "data": [{"line": "x"}],
}
HOSTILE = f'<script>{HACK}</script>"><img src="x:" onerror="{HACK}">#panic("x")]) $x$'


def forged_table(**changed):
    """A table as ours are, all its texts hostile."""
    cell = {"lines": [HOSTILE, HOSTILE], "mark": HOSTILE, "pad": HOSTILE}
    content = {
        "slug": "forged", "caption": HOSTILE, "note": HOSTILE,
        "columns": [{"head": HOSTILE, "width": 0, "words": True}] * 2,
        "rows": [{"head": HOSTILE, "depth": 1, "says": HOSTILE, "cells": [cell]}],
    }  # fmt: skip
    return forged("table", {RESOURCE: FIGURES}, **content | changed)


def forged_chart(svg, **changed):
    """A chart as ours are, with a picture of the cell's own."""
    content = {"slug": "picture", "caption": "x", "alt": HOSTILE, "newest": True}
    return forged("chart", {RESOURCE: FIGURES, SVG: svg}, **content | changed)


def everything():
    """All attacks of which a page shows something in one notebook."""
    outputs = [
        *(rich(text) for name, text in OUTPUTS.items() if name not in REFUSED),
        *(new_output("display_data", data={mime: text}) for mime, text in MIMES.items()),
        *(new_output("stream", name="stdout", text=text) for text in [HOSTILE, *TYPST]),
        forged("paragraph", text=HOSTILE, note=False),
        forged("headline", sentences=[HOSTILE, HOSTILE]),
        forged("answer", lines=[{"about": HOSTILE, "says": HOSTILE}]),
        forged("list", items=[HOSTILE]),
        forged("sources", text=HOSTILE, note=True, digests={}),
        forged_table(),
        forged_chart(HOSTILE_SVG),
    ]
    prose = [text for name, text in PROSE.items() if name not in PICTURED]
    formula = '$x \\text{"]); #panic("x")}$'
    return outputs, [*prose, *(text for text in TYPST if "$" not in text), formula]


SVGS = {
    "script": f"<script>{HACK}</script>",
    "onload": f'<g onload="{HACK}"/>',
    "image": f'<image href="{SITE}/count.gif" width="9" height="9"/>',
    "file": '<image xlink:href="file:///etc/passwd" width="9" height="9"/>',
    "own file": '<image href="run.json" width="9" height="9"/>',
    "foreignObject": f'<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="{SITE}"/></foreignObject>',
    "use": f'<use xlink:href="{SITE}/x.svg#a"/>',
    "use of data": '<use xlink:href="data:image/svg+xml,x#a"/>',
    "style": f"<style>* {{ fill: url({SITE}/x.svg#a) }}</style>",
    "import": f'<style>@import "{SITE}/x.css";</style>',
    "style attribute": f'<path style="fill: url({SITE}/x.svg#a)" d="M 0 0"/>',
    "escaped": '<path style="fill: u\\72l(//x.vn)" d="M 0 0"/>',
    "link": f'<a href="javascript:{HACK}"><path d="M 0 0"/></a>',
    "set": f'<set attributeName="href" to="javascript:{HACK}"/>',
    "in metadata": f"<metadata><script>{HACK}</script></metadata>",
}  # fmt: skip


def picture(inside):
    """An SVG with a line of ours and something else."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9" '
        f'width="9pt" height="9pt">{inside}<path d="M 0 0 L 9 9" style="stroke: #000000"/></svg>'
    )


HOSTILE_SVG = picture("".join(SVGS.values()))


@pytest.fixture(scope="module")
def listener():
    """A server of this machine: its address, and the paths that it was asked for."""
    asked = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            body = HACK.encode() if self.path.endswith(".js") else b"x"
            kind = "text/javascript" if self.path.endswith(".js") else "text/html"
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(ConnectionError):
                self.wfile.write(body)

        do_POST = do_HEAD = do_CONNECT = do_GET  # noqa: N815 - so the server calls them

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


class Watched:
    """A tab of the browser that tells what each page did that was opened in it."""

    def __init__(self, chromium, listener, folder):
        self.site, self.asked = listener
        self.file, self.count, self.seen = folder / "page.html", 0, set()
        self.context = chromium.new_context()
        self.context.on("request", self._requested)
        self.tab = None
        self._fresh()

    def _fresh(self):
        """A tab of its own for each page: the page before may be about to leave for somewhere else."""
        if self.tab:
            self.tab.close()
        self.tab = self.context.new_page()
        self.tab.on("popup", self._popped)
        self.tab.on("dialog", self._dismissed)
        self.tab.on("download", lambda _: self.seen.add("download"))
        self.tab.on("framenavigated", self._went)

    def _requested(self, request):
        if not request.url.startswith(("data:", "about:", self.file.parent.as_uri())):
            self.seen.add("request")

    def _popped(self, page):
        self.seen.add("popup")
        with suppress(Error):
            page.close()

    def _dismissed(self, dialog):
        self.seen.add("dialog")
        dialog.dismiss()

    def _went(self, frame):
        if frame is self.tab.main_frame and not frame.url.startswith(
            ("about:blank", self.file.as_uri())
        ):
            self.seen.add("navigation")

    def open(self, page):
        """Open a page; what elsewhere is named has another address each time, which no cache has."""
        self.count += 1
        self.file = self.file.with_name(f"page-{self.count}.html")
        self.file.write_text(page.replace(SITE, f"{self.site}/{self.count}"), encoding="utf-8")
        self._fresh()
        self.asked.clear()
        self.seen.clear()
        self.tab.goto(self.file.as_uri(), wait_until="commit")

    def effects(self):
        """What the page did so far."""
        with suppress(Error):  # a page that goes away answers nothing
            self.tab.wait_for_timeout(10)
            if self.tab.evaluate("window.hacked"):
                self.seen.add("script")
        if any(path.startswith(f"/{self.count}") for path in self.asked):
            self.seen.add("request")
        return self.seen


@pytest.fixture
def watched(chromium, listener, tmp_path):
    made = Watched(chromium, listener, tmp_path)
    yield made
    made.context.close()


def follow(tab, selector="a, button"):
    """Click what can be clicked."""
    with suppress(Error):
        tab.evaluate(
            "s => document.querySelectorAll(s).forEach(e => e.dispatchEvent("
            "new MouseEvent('click', {bubbles: true, cancelable: true, view: window})))",
            selector,
        )


def test_each_attack_bites_where_nothing_is_cleaned(watched):
    """A request, a script, a dialog, a download, a page that goes away: else it would prove nothing."""
    raw = OUTPUTS | {name: raw_markdown(text) for name, text in PROSE.items() if name != "code"}
    idle = []
    for name, attack in raw.items():
        watched.open(f"<!DOCTYPE html><body>{attack}")
        end = time.monotonic() + 5
        while not (found := watched.effects()) and time.monotonic() < end:
            follow(watched.tab)
        if not found:
            idle.append(name)
    assert len(raw) > 60
    assert idle == []


def raw_markdown(text):
    """Markdown by a renderer that lets everything through."""
    import mistune

    renderer = mistune.HTMLRenderer(escape=False, allow_harmful_protocols=True)
    return mistune.Markdown(renderer)(text)


@pytest.mark.parametrize("export", [html, pdf])
def test_what_a_page_cannot_show_is_refused_by_name(export):
    """Where a picture or the whole of an output would be missing, no page is made in either format; the
    message names the cell. What else does harm leaves a page without it."""
    outputs = {name: [rich(text)] for name, text in OUTPUTS.items()}
    outputs |= {
        mime: [new_output("display_data", data={mime: text})]
        for mime, text in MIMES_REFUSED.items()
    }
    found = set()
    for name, output in outputs.items():
        try:
            export(output)
        except ExportError as error:
            assert "cell 3 (outputs)" in str(error)
            found.add(name)
    assert found == REFUSED | set(MIMES_REFUSED)


@pytest.mark.parametrize("policy", [True, False])
def test_the_page_of_a_hostile_notebook_does_nothing(policy, watched):
    """No request, script, dialog, download, popup or navigation, with its policy and by the cleaning
    alone; whatever has a link is followed, but links of the web."""
    outputs, prose = everything()
    page = html([*outputs, rich("<p>all others</p>")], prose)
    refused = "".join(cleaning.html(OUTPUTS[name]) for name in sorted(REFUSED))
    assert page.count("<p>all others</p>") == 1
    page = page.replace("<p>all others</p>", refused)
    if not policy:
        page = re.sub('<meta http-equiv="Content-Security-Policy".*?>', "", page)
    assert ("Content-Security-Policy" in page) is policy
    watched.open(page)
    tab = watched.tab
    tab.wait_for_load_state("load")
    follow(tab, "a:not([href^=http]), button, input, summary, svg *")
    tab.wait_for_timeout(500)
    assert watched.effects() == set()
    every = "[...document.querySelectorAll('main, main *')]"
    kinds = tab.evaluate(f"[...new Set({every}.map(e => e.localName))]")
    given = tab.evaluate(f"[...new Set({every}.flatMap(e => e.getAttributeNames()))]")
    assert not set(kinds) & {"script", "iframe", "object", "embed", "form", "input", "link", "base",
                             "svg", "math", "video", "audio", "template", "button"}  # fmt: skip
    assert {"src", "colspan"} <= set(given)
    assert not [name for name in given if name.startswith("on")]
    assert not set(given) & {
        "style",
        "srcset",
        "ping",
        "target",
        "background",
        "formaction",
        "download",
    }


def test_the_policy_holds_where_the_cleaning_would_not(watched):
    """With nothing cleaned no script runs, and no picture, style or frame is asked for."""
    left = (
        "refresh",
        "popup",
        "ping",
        "form",
        "torn",
        "preload",
    )  # a policy in a page knows no word for these
    raw = "".join(text for name, text in OUTPUTS.items() if not name.startswith(left))
    page = html([rich("<p>raw</p>")])
    assert page.count("<p>raw</p>") == 1
    watched.open(page.replace("<p>raw</p>", raw))
    watched.tab.wait_for_load_state("load")
    watched.tab.wait_for_timeout(500)
    assert watched.tab.evaluate("window.hacked") is None
    assert watched.asked == []


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_policy_lets_our_style_and_charts_through(language, watched):
    """With a mark in the style and with the figures of a chart: the page looks as before, and the
    browser has nothing to report."""
    book = wardlib.open("phuc-dong", "2020-9M", language, "2020-09-13")
    page = html([shown(book.tax.running_total_chart())], head=shown(book))
    assert drawn.css(book.tax.edition.mark).upper() in page
    said = []
    watched.tab.on("console", lambda message: said.append(message.text))
    watched.open(page)
    watched.tab.wait_for_load_state("load")
    assert watched.tab.evaluate("getComputedStyle(document.body).maxWidth") == "832px"
    assert watched.tab.evaluate("document.querySelector('.chart img').naturalWidth") > 400
    assert watched.effects() == set()
    assert said == []


def test_html_in_markdown_is_cleaned():
    """As JupyterLab has it: words and emphasis stay, in the page as in the PDF, and a script goes."""
    prose = [PROSE["html in markdown"], PROSE["click in markdown"], "Lệ <b onclick='x()'>phí</b>"]
    page = html(prose=prose)
    assert 'Thu <a href="#">phí</a>' not in page
    assert "Thu <a>phí</a>" in page
    assert "Lệ <b>phí</b>" in page
    assert HACK not in page
    said = text_of(pdf(prose=prose))
    assert "ThuphíLệphí" in said
    assert HACK not in said


@pytest.mark.parametrize("name", PICTURED)
def test_a_picture_that_prose_would_ask_for_is_refused(name):
    """Neither page asks for it, and its author is told which cell it is."""
    for export in (html, pdf):
        with pytest.raises(ExportError, match=r"cell 3 \(m0\) shows a picture"):
            export(prose=[PROSE[name]])


def test_what_is_harmless_in_an_output_stays():
    """The table of a frame keeps heads and cells, words their emphasis, a picture in the page itself
    its bytes, a link of the web its address."""
    pixel = f"data:image/png;base64,{PIXEL}"
    said = (
        '<table border="1" class="dataframe"><thead><tr style="text-align: right;"><th colspan="2">Thuế'
        '</th></tr></thead><tbody><tr><th scope="row">phí</th><td rowspan="2">1&nbsp;234</td></tr></tbody>'
        f'</table><p><b>x</b> &lt; <a href="https://x.vn/?a=1&amp;b">y</a><img src="{pixel}" alt="z"></p>'
    )
    page = html([rich(said)])
    table = page[page.index("<table") : page.index("</table>")]
    for cell in (
        '<th colspan="2"',
        ">Thuế</th>",
        ">phí</th>",
        '<td rowspan="2"',
        ">1\u00a0234</td>",
    ):
        assert cell in table
    assert not re.search("border|class|style", table)
    for kept in (
        "<b>x</b> &lt; ",
        '<a href="https://x.vn/?a=1&amp;b">y</a>',
        f'src="{pixel}"',
        'alt="z"',
    ):
        assert kept in page


def test_markdown_leads_to_the_web_mail_and_this_page_only():
    """Other addresses lead nowhere, in HTML and in PDF; their words stay."""
    prose = (
        "[web](https://x.vn/a) [thư](mailto:a@x.vn) [đây](#to) [tệp](file:///etc/passwd) [mã](javascript:x) "
        "[dữ](data:text/html,x) [cạnh](../x.pdf) [vb](vbscript:x) [hai](//x.vn) [tin](tel:1) <ftp://x.vn/>"
    )
    page = html(prose=[prose])
    main = page[page.index("<main") :]
    assert re.findall('href="([^"]*)"', main) == ["https://x.vn/a", "mailto:a@x.vn", "#to"]
    reader = pdf(prose=[prose])
    assert addresses(reader) == ["https://x.vn/a", "mailto:a@x.vn"]
    for word in ("web", "thư", "tệp", "mã", "dữ", "cạnh", "vb", "hai", "ftp://x.vn/"):
        assert word in text_of(reader)
        assert word in main


def objects(reader):
    """Every record in a PDF."""
    found, todo, seen = [], [reader.trailer], set()
    while todo:
        value = todo.pop()
        if isinstance(value, pypdf.generic.IndirectObject):
            if value.idnum in seen:
                continue
            seen.add(value.idnum)
            value = value.get_object()
        if isinstance(value, dict):
            found.append(value)
            todo += [value.raw_get(key) for key in value]
        elif isinstance(value, list):
            todo += value
    return found


def addresses(reader):
    """Where a PDF leads to outside of itself, in its order."""
    return sorted(found["/URI"] for found in objects(reader) if "/URI" in found)


def test_the_pdf_of_a_hostile_notebook_holds_words_only():
    """No script, no program, no form, no other file, no address but of the web; the texts stand there
    as they were put out, Typst among them."""
    outputs, prose = everything()
    reader = pdf(outputs, [*prose, "[x](https://x.vn)", "[y](file:///etc/passwd)"])
    found = objects(reader)
    keys = {key for each in found for key in each}
    assert len(found) > 200
    assert {"/Annots", "/EmbeddedFiles", "/StructTreeRoot"} <= keys
    assert not keys & {
        "/JS",
        "/JavaScript",
        "/AA",
        "/OpenAction",
        "/AcroForm",
        "/RichMediaContent",
        "/XFA",
    }
    actions = {str(each["/S"]) for each in found if each.get("/S") in ("/URI", "/Launch", "/JavaScript",
               "/GoToR", "/GoToE", "/SubmitForm", "/ImportData", "/Rendition", "/Movie", "/Sound")}  # fmt: skip
    assert actions == {"/URI"}
    assert addresses(reader) == ["https://x.vn"]
    assert all("/EF" in each for each in found if each.get("/Type") == "/Filespec")
    assert sorted(reader.attachments) == ["forged.csv", "picture.csv", "run.json"]
    text = text_of(reader)
    for hostile in [HOSTILE, *TYPST]:
        assert "".join(hostile.split()) in text
    assert "root:x" not in text


def test_a_title_is_only_a_title():
    """In the page, and in the properties of the PDF, whose XML stays well formed."""
    title = f'<b onclick="{HACK}">Thu</b> <script>{HACK}</script>&lt;/title> "]) #panic("x") & phí'
    words = 'Thu </title> "]) #panic("x") & phí'
    reader = pdf(title=title)
    assert reader.metadata.title.startswith(words)
    assert reader.xmp_metadata.dc_title["x-default"] == reader.metadata.title
    assert f"<h1>{drawn.escape(words)}</h1>" in html(title=title)


def test_setting_a_page_asks_the_network_for_nothing(listener, tmp_path):
    """Typst gets a package where its own source imports one; what a notebook holds imports none."""
    site, asked = listener
    asked.clear()
    code = (
        "import datetime, sys, nbformat, urllib.request as web\n"
        "from wardlib.pages import typst\n"
        "from wardlib.pages.exporters import WardPDFExporter\n"
        "WardPDFExporter().from_notebook_node(nbformat.read(sys.argv[1], as_version=4))\n"
        "web.build_opener(web.ProxyHandler({})).open(sys.argv[2] + '/set').close()\n"
        "typst.compile_pdf('#import \"@preview/cetz:0.3.0\"', [], datetime.date(2020, 9, 13))\n"
    )
    file = tmp_path / "page.ipynb"
    file.write_text(json.dumps(notebook(*everything())), encoding="utf-8")
    proxies = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    environment = os.environ | dict.fromkeys(proxies, site)
    environment |= {name: str(tmp_path) for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME")}
    environment |= {"NO_PROXY": "", "no_proxy": ""}
    subprocess.run([sys.executable, "-c", code, file, site], env=environment, capture_output=True)
    assert asked[0] == "/set"  # before it, the notebook was set; after it, the package is sought
    assert len(asked) > 1


def test_a_forged_block_is_drawn_from_its_content(watched):
    """As text, whatever its stored HTML is; it does nothing, in JupyterLab neither, which shows what a
    block draws of itself."""
    page = html([forged("paragraph", text=HOSTILE, note=False), forged_table()])
    assert OUTPUTS["script"] not in page
    assert page.count(drawn.escape(HOSTILE)) >= 8
    blocks = [block.known(output) for output in everything()[0] if block.known(output)]
    assert len(blocks) == 7
    shown = "".join(map(drawn.render, blocks))
    watched.open(f"<!DOCTYPE html><body><main>{shown}")
    follow(watched.tab, "main *")
    watched.tab.wait_for_timeout(300)
    assert watched.effects() == set()
    assert watched.tab.inner_text("main").count("onerror") >= 8


def test_the_head_is_drawn_from_its_content(watched):
    """A head that a cell forged puts nothing into the page's style, and brings no language of its own."""
    head = shown(edition())
    texts = {
        name: HOSTILE if isinstance(text, str) else [HOSTILE, HOSTILE]
        for name, text in head.metadata["wardlib"].items()
        if name != "kind" and isinstance(text, (str, list))
    }
    head.metadata["wardlib"] |= texts | {
        "mark": f'"; }}}}}} </style><script>{HACK}</script>\\" {HOSTILE}'
    }
    page = html(head=head)
    watched.open(re.sub('<meta http-equiv="Content-Security-Policy".*?>', "", page))
    watched.tab.wait_for_timeout(300)
    assert watched.effects() == set()
    assert pdf(head=head).metadata.author.startswith(HOSTILE)
    for language in ('vi"><script>', 'vi", #panic()', "xx", None, ["vi"]):
        head.metadata["wardlib"]["of"]["language"] = language
        with pytest.raises(ExportError, match=r"\(head: of: language\)"):
            html(head=head)


def test_names_of_the_page_itself_are_told_apart():
    """A slug that the template uses for a place of its own, and half of a sign in a printed text."""
    outputs = [forged_table(slug=name) for name in ("start", "end", "content", "to")]
    outputs.append(new_output("stream", name="stdout", text="x\ud800y"))
    assert "x\ufffdy" in html(outputs)
    assert sorted(pdf(outputs).attachments)[:4] == [
        "content-2.csv",
        "end-2.csv",
        "run.json",
        "start-2.csv",
    ]


@pytest.mark.parametrize(
    ("output", "place"),
    [
        (forged("table"), "table: slug"),
        (forged("macro"), "kind"),
        (forged(["table"]), "kind"),
        (forged("list", items="x"), "list: items"),
        (forged("list", items=[["x"]]), "list: items"),
        (forged("paragraph", text={"__html__": "x"}, note=False), "paragraph: text"),
        (forged("paragraph", text="x", note="<b>"), "paragraph: note"),
        (forged_table(slug="../../x"), "table: slug"),
        (forged_table(slug="/etc/x"), "table: slug"),
        (forged_table(slug="x\x00"), "table: slug"),
        (forged_table(slug="x\n"), "table: slug"),
        (forged_table(slug='x" onclick="y'), "table: slug"),
        (forged_table(columns=[{"head": "x", "width": "1mm) #panic()", "words": True}]), "table: columns: width"),
        (forged_table(columns=[{"head": "x", "width": ["#panic()"], "words": True}]), "table: columns: width"),
        (forged_table(rows=[{"head": "x", "depth": True, "says": "", "cells": []}]), "table: rows: depth"),
        (forged_table(caption=["x"]), "table: caption"),
        (forged_table(slug="x" * 300), "table: slug"),
        (forged_table(columns=[]), "table: columns"),
        (forged("paragraph", text="x\ud800", note=False), "paragraph: text"),
        (forged_chart(""), "no SVG"),
        (forged_chart("<svg"), "no SVG"),
        (forged_chart("<html/>"), "no SVG"),
        (forged_chart('<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + picture("&x;")), "no SVG"),
        (forged_chart('<?xml-stylesheet href="http://x.vn/x.css"?>' + picture("")), "no SVG"),
    ],
)  # fmt: skip
def test_a_block_of_another_shape_is_refused(output, place):
    """Where ours has a text, a number or a name, nothing else is drawn; the message names the place."""
    with pytest.raises(ExportError, match=place):
        html([output])


@pytest.mark.parametrize(
    ("name", "value"),
    [("day", "9999-99-99"), ("day", "0000-00-00"), ("as_of", "2020-02-30"), ("motto", []), ("signature", ["x"])],
)  # fmt: skip
def test_a_head_of_another_shape_is_refused(name, value):
    """No page is made of it, in either format; nor of two heads that differ, be it in the mark alone."""
    head = shown(edition())
    content = head.metadata["wardlib"]
    (content if name in content else content["of"])[name] = value
    for export in (html, pdf):
        with pytest.raises(ExportError, match=rf"\(head: (of: )?{name}\)"):
            export(head=head)


def test_two_heads_that_differ_are_refused():
    """A cell above the edition's own would take the mark off; the same head twice is none the worse."""
    head, other = shown(edition()), shown(edition())
    assert html([other], head=head)
    other.metadata["wardlib"]["mark"] = ""
    for first, second in ((head, other), (other, head)):
        with pytest.raises(ExportError, match="two different heads"):
            html([second], head=first)


@pytest.mark.parametrize(
    "figures",
    [
        None, [], "x", {}, {"schema": {}}, {"schema": {"fields": [{"name": "x"}]}, "data": []},
        {"schema": {"fields": [{"name": "x", "type": "string"}] * 2}, "data": []},
        {"schema": {"fields": []}, "data": [[1]]},
    ],
)  # fmt: skip
def test_figures_of_another_shape_are_refused(figures):
    """What is no Tabular Data Resource is not attached to a table of ours."""
    output = forged_table()
    output.data[RESOURCE] = figures
    with pytest.raises(ExportError, match="forged: figures"):
        document.read(notebook([output]))


def test_what_a_block_holds_beside_its_content_is_left_out():
    """Neither the record of a page nor a template sees it."""
    extra = {"digests": {"x": "y"}, "namespace": "x", "label": HOSTILE, "loop": 1, "picture": SITE}
    made = document.read(notebook([forged("paragraph", text="x", note=False, **extra)]))
    assert made.parts[-1].content == {
        "kind": "paragraph", "text": "x", "note": False, "of": edition().of
    }  # fmt: skip
    assert made.record["data"] == {}


@pytest.mark.parametrize("name", SVGS)
def test_a_picture_holds_outlines_only(name):
    """What else a forged chart has is taken out, in the page and for Typst; its lines stay."""
    kept = cleaning.svg(picture(SVGS[name]))
    assert 'd="M 0 0 L 9 9" style="stroke: #000000"' in kept
    for sign in (
        "script",
        "onload",
        "image",
        "foreign",
        "://",
        "data:",
        "url",
        "u\\72l",
        "import",
        "set",
    ):
        assert sign not in kept.replace("http://www.w3.org", ""), sign
    assert (
        kept in dict(document.read(notebook([forged_chart(picture(SVGS[name]))])).files()).values()
    )
    encoded = base64.b64encode(kept.encode()).decode()
    assert encoded in html([forged_chart(picture(SVGS[name]))])


def test_a_picture_of_ours_stays_as_it_is():
    """To the byte, the hatched and shaded ones too."""
    book = wardlib.open("phuc-dong", "2020-9M", "vi", "2020-09-13")
    charts = (
        book.tax.running_total_chart(),
        book.schools.calendar_chart(),
        book.activities.chart(),
    )
    for ours in (shown(chart).data[SVG] for chart in charts):
        assert "<metadata>" in ours
        assert cleaning.svg(ours) == ours


def test_no_text_steers_a_terminal_or_shows_how_it_would():
    """Colours, titles and links of a terminal leave no trace in either page."""
    said = "\x1b[1;31mthu\x1b[0m \x9b2Jphí\x1b]0;title\x07 \x1b]8;;http://x.vn\x1b\\lệ\x1b]8;;\x1b\\ \x1b(B\x1bcphí\x00"
    outputs = [
        new_output("stream", name="stdout", text=said),
        rich(f"<p>{said}</p>"),
    ]
    page = html(outputs)
    assert re.sub("<[^>]*>", "", page).count("thu phí lệ phí") == 2
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", page)
    assert "thuphílệphí" in text_of(pdf(outputs[:1]))


BEGINNINGS = [
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "＝",
    "＋",
    "－",
    "＠",
    " =",
    "\ufeff=",
    '"=',
    "x;=",
    "x\n=",
    "x\t=",
]


@pytest.mark.parametrize("begins", BEGINNINGS)
def test_no_text_of_a_csv_is_a_formula(begins):
    """In a cell, a name of a column and its unit, also for a program that parts cells at a semicolon;
    `figures.json` has the text as it is."""
    text = begins + 'HYPERLINK("http://x.vn","x")'
    figures = {
        "schema": {
            "fields": [
                {"name": text, "type": "string", "unit": text},
                {"name": "a", "type": "number", "unit": text},
            ]
        },
        "data": [{text: text, "a": -1.5}],
    }
    made = as_csv(figures)
    (name, unit), (cell, number) = csv.reader(io.StringIO(made, newline=""))
    assert number == "-1.5"
    for cells in (made.split(";"), [name, cell], re.split(r"[;\t\n\r]", name + "\n" + cell)):
        for each in cells:
            assert not each.lstrip(' "\ufeff').startswith(tuple("=+-@＝＋－＠"))
    assert unit.startswith("a (") and not unit.startswith(f"a ({text}")
    assert name[0] == cell[0] == "'" or begins[0] == "x"
    assert cell.replace("'", "") == text
    output = forged_table()
    output.data[RESOURCE] = figures
    assert document.read(notebook([output])).figures()["forged"]["data"] == figures["data"]


def test_numbers_of_a_csv_stay_numbers():
    """Negative, whole, missing, true; a text that looks like a negative number is a text."""
    fields = [("whole", "integer"), ("part", "number"), ("yes", "boolean"), ("word", "string")]
    figures = {
        "schema": {"fields": [{"name": name, "type": kind} for name, kind in fields]},
        "data": [
            {"whole": -3, "part": -0.5, "yes": True, "word": "-3"},
            {"whole": None, "part": None, "yes": False, "word": None},
            {"whole": 10**12, "part": 2, "yes": True, "word": "phí"},
        ],
    }
    rows = ["whole,part,yes,word", "-3,-0.5,True,'-3", ",,False,", "1000000000000,2.0,True,phí", ""]
    assert as_csv(figures).split("\n") == rows


def test_an_integer_that_is_none_is_a_text():
    """A forged figure stops no page."""
    figures = {
        "schema": {"fields": [{"name": "x", "type": "integer"}]},
        "data": [{"x": "=1"}, {"x": 1.5}],
    }
    assert as_csv(figures).split("\n")[1:3] == ["'=1", "1.5"]


@pytest.mark.parametrize("exporter", [WardHTMLExporter, WardPDFExporter])
def test_the_same_hostile_notebook_gives_the_same_bytes(exporter):
    """Cleaning has no chance in it, the policy no nonce."""
    made = notebook(*everything())
    first, second = (exporter().from_notebook_node(made)[0] for _ in range(2))
    assert first == second
