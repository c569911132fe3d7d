"""The exporters: one HTML file and one archivable PDF from an executed notebook."""

import functools
import io
import re

import nbformat
import pypdf
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from wardlib import blocks, charts, editions, effects, intake, receipts, sentences, tables
from wardlib.errors import ExportError
from wardlib.exporters import WardHTMLExporter, WardPDFExporter

HOSTILE = ["<script>alert(1)</script>", '#read("secret.txt")', '=HYPERLINK("x")', "$x$ **b** @c"]


def shown(block):
    """A block as a kernel puts it into a notebook."""
    data, metadata = block._repr_mimebundle_()
    return new_output("display_data", data=data, metadata=metadata)


@functools.cache
def assessed(ward):
    """The effects of the small notebook's ward, whatever a line is called."""
    book = intake.open_book(ward, "2020-9M", "2020-09-13" if ward == "phuc-dong" else "")
    result = receipts.summarise(
        book.table("receipts"), book.table("revenue_lines"), book.table("targets"), book.period
    )
    return effects.assess(result, book.table, book.ward.areas)


def notebook(language="vi", ward="phuc-dong", name=None, extra=()):
    """A small executed notebook: head, sentence, chart, table, sources."""
    book = intake.open_book(ward, "2020-9M", "2020-09-13" if ward == "phuc-dong" else "")
    edition = editions.of(book, language)
    lines = book.table("revenue_lines")
    if name:
        lines.loc[lines["code"] == "land_tax", ["name_vi", "name_en"]] = name
    result = receipts.summarise(book.table("receipts"), lines, book.table("targets"), book.period)
    outputs = [
        sentences.headline(result, edition),
        charts.monthly(result, assessed(ward), edition, height=2.0),
        tables.plan(result, edition),
        editions.sources(edition, book),
    ]
    cells = [
        new_markdown_cell("# Tiêu đề đầy đủ dấu", metadata={"tags": ["lang-vi"]}, id="vi"),
        new_markdown_cell("# A whole title", metadata={"tags": ["lang-en"]}, id="en"),
        new_code_cell("ward = 1", metadata={"tags": ["parameters"]}, id="parameters"),
        new_code_cell("secret_code()", outputs=[shown(edition)], id="setup"),
        new_markdown_cell("## Mục *một*\n\nLời **đậm** và `mã`, [liên kết](https://x.vn).\n\n- mục", id="md"),
        *(new_code_cell("x", outputs=[shown(block)], id=f"c{i}") for i, block in enumerate(outputs)),
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
    assert "ward = 1" not in page


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
    fonts = {
        font.get_object()["/BaseFont"].split("+")[-1].split("-")[0]
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert fonts <= {"/LibertinusSerif", "LibertinusSerif", "DejaVuSansMono"}
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


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_printed_as_text(name):
    """Nothing from data takes effect in either output."""
    page = html(name=name)
    assert "<script" not in page
    assert blocks.html(name) in page
    assert "".join(name.split()) in "".join(text_of(pdf(name=name)[1]).split())


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


@pytest.mark.parametrize("exporter", [WardHTMLExporter, WardPDFExporter])
def test_a_failed_notebook_is_not_made_into_a_briefing(exporter):
    """An error output stops the export and names the cell."""
    error = new_output("error", ename="KeyError", evalue="'x'", traceback=[])
    with pytest.raises(ExportError, match=r"cell e0 failed with KeyError: 'x'"):
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
