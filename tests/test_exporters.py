"""The exporters: one HTML file and one archivable PDF from an executed notebook."""

import dataclasses
import functools
import io
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import matplotlib as mpl
import nbformat
import pandas as pd
import pymupdf
import pypdf
import pytest
from fontTools.ttLib import TTFont
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import wardlib
from wardlib.analysis.receipts import summarise
from wardlib.errors import ExportError
from wardlib.language import printed
from wardlib.pages import document
from wardlib.pages import html as drawn
from wardlib.pages.block import RESOURCE
from wardlib.pages.effect import EffectPage
from wardlib.pages.exporters import WardHTMLExporter, WardPDFExporter
from wardlib.pages.table import Column, Row, pads_of, table
from wardlib.pages.tax import TaxPage

HOSTILE = [
    "<script>alert(1)</script>", '#read("secret.txt")', '=HYPERLINK("x")', "$x$", "**b**", "@c <d> _e_ `f`",
    "]#[", "\\u{41} \\n", "</figcaption></figure>", "Thu\u202e phí\u200f, lệ phí\u2066", "Khoản" + 300 * "W",
]  # fmt: skip


def shown(shows):
    """A block as a kernel puts it into a notebook."""
    data, metadata = shows._repr_mimebundle_()
    return new_output("display_data", data=data, metadata=metadata)


@functools.cache
def opened(ward, language="vi"):
    """The workbook of the small notebook; to be read only."""
    return wardlib.open(ward, "2020-9M", language, "2020-09-13" if ward == "phuc-dong" else "")


def notebook(language="vi", ward="phuc-dong", name=None, extra=()):
    """A small executed notebook: head, sentence, chart, table, sources; with `name` the total and the
    land tax are called so."""
    edition, effects = opened(ward, language), opened(ward).effect.result
    lines = edition.book.table("revenue_lines")
    if name:
        lines.loc[lines["code"].isin(["land_tax", "total"]), ["name_vi", "name_en"]] = name
    given = (edition.book.table(table) for table in ("receipts", "targets"))
    result = summarise(next(given), lines, next(given), edition.period)
    tax = TaxPage(edition, result)
    outputs = [
        tax.headline(),
        EffectPage(edition, dataclasses.replace(effects, receipts=result)).chart(height=2.0),
        tax.plan_table(),
        edition.sources(),
    ]
    cells = [
        new_markdown_cell("# Tiêu đề đầy đủ dấu", metadata={"tags": ["lang-vi"]}, id="vi"),
        new_markdown_cell("# A whole title", metadata={"tags": ["lang-en"]}, id="en"),
        new_code_cell(f"ward = {ward!r}", metadata={"tags": ["parameters"]}, id="parameters"),
        new_code_cell("secret_code()", outputs=[shown(edition)], id="setup"),
        new_markdown_cell("## Mục *một*\n\nLời **đậm** và `mã`, [liên kết](https://x.vn).\n\n- mục", id="md"),
        *(new_code_cell("x", outputs=[shown(shows)], id=f"c{i}") for i, shows in enumerate(outputs)),
        *(new_code_cell("y", outputs=[output], id=f"e{i}") for i, output in enumerate(extra)),
    ]  # fmt: skip
    return new_notebook(cells=cells)


def html(*args, **options):
    return WardHTMLExporter().from_notebook_node(notebook(*args, **options))[0]


def pdf(*args, **options):
    data, _ = WardPDFExporter().from_notebook_node(notebook(*args, **options))
    return data, pypdf.PdfReader(io.BytesIO(data))


def text_of(reader):
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def test_html_asks_for_nothing_from_outside():
    """No script, no style sheet, no font, no picture from anywhere; a link in prose is no request."""
    page = html()
    assert not re.search(r"<(script|link|iframe|object)\b", page)
    assert all(address.startswith("data:") for address in re.findall(r'src="([^"]*)"', page))
    assert "url(" not in page
    assert "@import" not in page


@pytest.mark.parametrize(
    ("language", "title"), [("vi", "Tiêu đề đầy đủ dấu"), ("en", "A whole title")]
)
def test_html_is_in_one_language_without_code(language, title):
    """The page declares its language, has one title, and holds neither code nor parameters."""
    page = html(language)
    assert f'<html lang="{language}">' in page
    assert page.count("<h1>") == 1
    assert f"<h1>{title}</h1>" in page
    assert "secret_code" not in page
    assert "ward = " not in page


def test_every_picture_has_an_alt_text():
    """Made from the figures, not nbconvert's filler."""
    page = html()
    alts = re.findall(r'<img [^>]*alt="([^"]*)"', page)
    assert len(alts) == 1
    assert alts[0].startswith("Biểu đồ cột.")
    assert "No description" not in page


def test_markdown_is_set_in_both_outputs():
    """Prose keeps its headings and emphasis; nothing of the marks shows."""
    page = html()
    assert "<h2>1. Mục <em>một</em></h2>" in page
    assert "<strong>đậm</strong>" in page
    _, reader = pdf()
    text = text_of(reader)
    assert "Mục một" in text
    assert "Lời đậm và mã, liên kết." in text


def test_the_pdf_is_archivable_accessible_and_in_one_face():
    """PDF/A-3a and PDF/UA-1 are declared; language, title and tags are there; one type family."""
    data, reader = pdf()
    meta = reader.xmp_metadata.stream.get_data().decode()
    assert re.search(r"<pdfaid:part>3<.*<pdfaid:conformance>A<", meta, re.DOTALL)
    assert "<pdfuaid:part>1<" in meta
    assert reader.root_object["/Lang"] == "vi"
    assert reader.root_object["/MarkInfo"]["/Marked"]
    assert reader.metadata.title.startswith("Tiêu đề đầy đủ dấu · Phường Phúc Đồng")
    assert len(faces(reader)) == 1
    assert len(data) < 500_000


def test_the_pdf_can_be_searched_with_its_diacritics():
    """The text layer holds composed Vietnamese letters."""
    text = text_of(pdf()[1])
    for part in ("Thuế sử dụng đất phi nông nghiệp", "Số liệu tính đến ngày 13/09/2020", "208"):
        assert part in text


def test_the_figures_are_attached():
    """The CSV behind the chart and the table travel in the PDF, with units in their heads."""
    attached = pdf()[1].attachments
    assert sorted(attached) == ["chart-monthly.csv", "receipts-plan.csv", "run.json"]
    head, *rows = attached["receipts-plan.csv"][0].decode().splitlines()
    assert head.startswith("line,year_to_date (VND),plan_upper (VND),share_upper (1)")
    assert rows[0].startswith("total,6240000000,3000000000,2.08,")


@pytest.mark.parametrize("ward", ["phuc-dong", "philadelphia"])
def test_every_page_of_made_up_figures_says_so(ward):
    """The mark stands on each page of the illustrative ward, and on none of the real one."""
    reader = pdf(ward=ward)[1]
    marks = ["SỐ LIỆU MINH HỌA" in page.extract_text() for page in reader.pages]
    assert marks == [ward == "phuc-dong"] * len(reader.pages)
    assert ("SỐ LIỆU MINH HỌA" in html(ward=ward)) is (ward == "phuc-dong")


def test_the_same_notebook_gives_the_same_bytes():
    """No clock, no random id, no path."""
    executed = notebook()
    for exporter in (WardHTMLExporter, WardPDFExporter):
        first, second = (exporter().from_notebook_node(executed)[0] for _ in range(2))
        assert first == second


def test_two_pages_can_be_made_at_once():
    """As JupyterLab does, which exports in threads."""
    made = notebook()
    alone, _ = WardPDFExporter().from_notebook_node(made)
    with ThreadPoolExecutor(4) as threads:
        pages = list(
            threads.map(lambda _: WardPDFExporter().from_notebook_node(made)[0], range(12))
        )
    assert set(pages) == {alone}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_printed_as_text(name, chromium):
    """Nothing from data takes effect in either output: the name stands in sentence, caption, table,
    alternative text; no line leaves its margins, in the browser of a phone neither."""
    page = html(name=name)
    assert "<script" not in page
    assert page.count("<figure") == page.count("</figure") == 2
    assert page.count(drawn.escape(name)) > 4
    data, reader = pdf(name=name)
    squeezed = "".join(text_of(reader).replace("\u200b", "").split())
    assert squeezed.count("".join(printed(name).split())) >= 3
    for sheet in pymupdf.open(stream=data):
        words = sheet.get_text("words")
        assert min(word[0] for word in words) >= 30 / 25.4 * 72 - 1
        assert (
            max(word[2] for word in words) <= sheet.rect.width - 15 / 25.4 * 72 + 4
        )  # a mark hangs
    tab = chromium.new_page(viewport={"width": 390, "height": 800})
    tab.set_content(page)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert tab.evaluate("document.body.innerText").replace("\n", "").count("đ") > 20
    right = "mark => mark.getBoundingClientRect().right"
    edge = tab.query_selector(".table .scroll").evaluate(right)
    marks = tab.query_selector_all(".hang")
    assert len(marks) > 5
    assert max(mark.evaluate(right) for mark in marks) <= edge
    tab.close()


def test_plain_outputs_of_an_analyst_are_kept():
    """Printed text and a plain value show; what went to stderr does not."""
    extra = [
        new_output("stream", name="stdout", text="printed #1 <b>"),
        new_output("stream", name="stderr", text="warned"),
        new_output("execute_result", data={"text/plain": "42 apples"}, execution_count=1),
    ]
    page = html(extra=extra)
    assert "<pre>printed #1 &lt;b&gt;</pre>" in page
    assert "<pre>42 apples</pre>" in page
    assert "warned" not in page
    text = text_of(pdf(extra=extra)[1])
    assert "printed #1 <b>" in text
    assert "warned" not in text


def test_printed_lines_take_time_in_proportion():
    """Four times as many lines take both exporters at most seven times as long; none is lost, and a
    line that no page holds does not stop the export."""

    def printed_by(lines):
        return [new_output("stream", name="stdout", text="\n".join(lines))]

    def seconds(count):
        made = notebook(extra=printed_by(f"line {at} of many" for at in range(count)))
        began = time.process_time()
        for exporter in (WardHTMLExporter, WardPDFExporter):
            exporter().from_notebook_node(made)
        return time.process_time() - began

    lines = [*(f"line<{at}>" for at in range(700)), "", "W" * 100_000, "last<line>"]
    text = text_of(pdf(extra=printed_by(lines))[1])
    assert re.findall(r"line<(\d+)>", text) == [str(at) for at in range(700)]
    assert "last<line>" in text
    assert text.count("W") == 100_000
    assert seconds(16_000) < 7 * seconds(4_000)


@pytest.mark.parametrize("exporter", [WardHTMLExporter, WardPDFExporter])
def test_a_failed_notebook_is_not_made_into_a_briefing(exporter):
    """An error output stops the export and names the cell."""
    error = new_output("error", ename="KeyError", evalue="'x'", traceback=[])
    with pytest.raises(ExportError, match=r"cell 10 \(e0\) failed with KeyError: 'x'"):
        exporter().from_notebook_node(notebook(extra=[error]))


def test_a_notebook_that_was_not_run_is_refused():
    """Without outputs there is nothing to publish."""
    bare = notebook()
    for cell in bare.cells:
        cell.pop("outputs", None)
        if cell.cell_type == "code":
            cell.outputs = []
    with pytest.raises(ExportError, match="run it first"):
        WardPDFExporter().from_notebook_node(bare)
    assert nbformat.validate(bare) is None


def test_no_two_figures_have_one_name():
    """Whatever they are called: with a number of their own, or as the page's own anchors are."""
    plan = opened("phuc-dong").tax.plan_table()
    extra = [
        shown(dataclasses.replace(plan, content=plan.content | {"slug": slug}))
        for slug in ("x", "x", "x-2", "content")
    ]
    names = ["x", "x-2", "x-2-2", "content-2"]
    assert list(document.read(notebook(extra=extra)).figures())[2:] == names
    assert {f"{name}.csv" for name in names} < set(pdf(extra=extra)[1].attachments)
    anchors = re.findall(r'id="([^"]+)"', html(extra=extra))
    assert len(set(anchors)) == len(anchors)


@pytest.mark.parametrize("exporter", [WardHTMLExporter, WardPDFExporter])
def test_an_output_of_another_version_is_refused(exporter):
    """What this version cannot draw is not left out: the message says to run the notebook again."""
    made = notebook()
    for cell in made.cells:
        for output in cell.get("outputs", []):
            output.metadata["wardlib"].pop("rows", None)
    with pytest.raises(ExportError, match=r"\(table: rows\).*Run the notebook again"):
        exporter().from_notebook_node(made)


def test_a_table_of_an_analyst_has_no_figures_of_ours():
    """Pandas can show a frame as a Tabular Data Resource, without a name: it is no figure of a page."""
    data = {"text/plain": "1", RESOURCE: {"schema": {"fields": []}, "data": []}}
    own = new_output("display_data", data=data)
    assert set(document.read(notebook(extra=[own])).figures()) == {"chart-monthly", "receipts-plan"}


def test_a_letter_that_no_face_has_fails_the_export():
    """The message names the letter; nothing is set in a second face."""
    with pytest.raises(ExportError, match=r"(?s)中.*No face at hand has this letter"):
        pdf(name="Phí 中")


@pytest.mark.parametrize("whole", [True, False])
def test_times_new_roman_is_used_where_it_is_whole(whole, tmp_path):
    """A machine with all four styles sets the page in it, one that lacks the italic does not."""
    fonts = tmp_path / "home" / ".fonts"
    fonts.mkdir(parents=True)
    styles = ["", "-Bold", "-Italic", "-BoldItalic"]
    for style in styles if whole else styles[:-1]:
        font = TTFont(Path(mpl.get_data_path(), "fonts", "ttf", f"DejaVuSerif{style}.ttf"))
        for entry in font["name"].names:
            if entry.nameID in (1, 3, 4, 6, 16):
                entry.string = str(entry).replace("DejaVu Serif", "Times New Roman")
        font.save(fonts / f"times{style}.ttf")
    file = tmp_path / "page.ipynb"
    nbformat.write(notebook(), file)
    subprocess.run(
        [Path(sys.executable).parent / "jupyter", "nbconvert", "--to", "ward-pdf", file],
        env=os.environ | {"HOME": str(tmp_path / "home")},
        check=True,
        capture_output=True,
    )
    assert faces(pypdf.PdfReader(tmp_path / "page.pdf")) == (
        {"DejaVuSerif" if whole else "LibertinusSerif"}
    )


def test_a_long_table_repeats_its_head_and_loses_no_row():
    """A hundred rows run over pages; each begins with the head, and every row is there."""
    rows = [Row(f"Khoản {index:02}", (str(index), "…"), 1) for index in range(100)]
    reader = set_table(rows, ["Khoản thu", "Lũy kế", "Đạt"])
    pages = [" ".join(page.extract_text().split()) for page in reader.pages]
    holding = [page for page in pages if "Khoản 0" in page or "Khoản 99" in page]
    assert len(holding) >= 2
    assert all("Khoản thu Lũy kế Đạt" in page for page in holding)
    assert all(f"Khoản {index:02}" in " ".join(pages) for index in range(100))


def test_a_wide_table_stands_in_two_halves():
    """Twelve months stand six by six on an upright page, each half with the heads of the rows."""
    rows = [
        Row(f"Khoản {index}", tuple(f"{index}{at:02}" for at in range(12))) for index in range(3)
    ]
    reader = set_table(rows, ["Khoản thu", *(f"{month}/2020" for month in range(1, 13))])
    assert all(page.mediabox.width < page.mediabox.height for page in reader.pages)
    text = text_of(reader)
    first, second = text.index("Khoản thu 1/2020 2/2020"), text.index("Khoản thu 7/2020 8/2020")
    assert "Khoản 2 200 201 202 203 204 205" in text[first:second]
    assert "Khoản 2 206 207 208 209 210 211" in text[second:]


def test_figures_stand_on_their_decimal_comma():
    """A figure with fewer decimals, a mark or none keeps the comma in line; words move nothing."""
    pads = pads_of(["1.234,5", "0,03*", "12", "…", "–", "-7,25"], ",")
    assert pads == ["0", "", ",00", "", "", ""]
    assert pads_of(["<0,1", "12", "-<0,1*", "+<0,1"], ",") == ["", ",0", "", ""]
    assert pads_of(["1,5", "2 (1 … 3)"], ",") == ["", ""]


def set_table(rows, heads):
    """A PDF with one table of these rows."""
    frame = pd.DataFrame({"a": [1]})
    columns = [Column(head) for head in heads]
    made = table(opened("phuc-dong"), "one", "Một bảng", columns, rows, frame, {}, [], [])
    return pypdf.PdfReader(
        io.BytesIO(WardPDFExporter().from_notebook_node(notebook(extra=[shown(made)]))[0])
    )


def faces(reader):
    """The type families of a PDF, the one of code aside."""
    return {
        font.get_object()["/BaseFont"].split("+")[-1].split("-")[0].lstrip("/")
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()
    } - {"DejaVuSansMono"}


def test_a_chart_shown_twice_is_two_figures():
    """An analyst's second chart of the same kind keeps its own picture, figures, number and anchor."""
    second = opened("phuc-dong").effect.chart("land_tax")
    page = html(extra=[shown(second)])
    pictures = re.findall(r'src="(data:image[^"]+)"', page)
    assert len(set(pictures)) == 2
    assert re.findall(r'<figure [^>]*id="(chart[^"]*)"', page) == [
        "chart-monthly",
        "chart-monthly-2",
    ]
    attached = pdf(extra=[shown(second)])[1].attachments
    first, other = (attached[f"chart-monthly{end}.csv"][0] for end in ("", "-2"))
    assert first != other
    figures = document.read(notebook(extra=[shown(second)])).figures()
    first, other = (figures[f"chart-monthly{end}"] for end in ("", "-2"))
    assert (first["name"], other["name"]) == ("chart-monthly", "chart-monthly-2")
    assert first["data"] != other["data"]
