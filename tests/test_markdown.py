"""Markdown cells: what JupyterLab shows of them stands in the HTML page and in the PDF, or is refused by
the cell's name."""

import base64
import functools
import io
import re
from html import unescape

import pymupdf
import pypdf
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

import wardlib
from wardlib.errors import ExportError
from wardlib.pages import document, markdown, markup
from wardlib.pages.exporters import WardHTMLExporter, WardPDFExporter


def pixels(width=40, height=20, kind="PNG"):
    """A picture, as bytes."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), "#1b4f72").save(file, kind)
    return file.getvalue()


ATTACHED = {
    "a.png": {"image/png": base64.b64encode(pixels()).decode()},
    "ảnh 1.jpg": {"image/jpeg": base64.b64encode(pixels(kind="JPEG")).decode()},
}


@functools.cache
def head():
    """What the notebook's first code cell shows."""
    data, metadata = wardlib.open("phuc-dong", "2020-9M", "vi", "2020-09-13")._repr_mimebundle_()
    return new_output("display_data", data=data, metadata=metadata)


def notebook(*sources, title="# Tựa"):
    """An executed notebook with these Markdown cells, the first of which is `cell 3 (m0)`."""
    cells = [
        new_markdown_cell(text, id=f"m{at}", attachments=ATTACHED)
        for at, text in enumerate(sources)
    ]
    first = [new_markdown_cell(title, id="title"), new_code_cell("1", outputs=[head()], id="head")]
    return new_notebook(cells=first + cells)


def html(*sources, **options):
    """The main part of the page."""
    page, _ = WardHTMLExporter().from_notebook_node(notebook(*sources, **options))
    return page[page.index("<main") : page.index("</main>")].partition(">")[2]


def pdf(*sources, **options):
    data, _ = WardPDFExporter().from_notebook_node(notebook(*sources, **options))
    return pypdf.PdfReader(io.BytesIO(data))


def squeezed(text):
    """A text without white space, which a line may break anywhere."""
    return "".join(text.replace("\u200b", "").split())


def words(reader):
    return squeezed("".join(page.extract_text() for page in reader.pages))


def tags(reader):
    """The elements of a PDF's structure in the order of reading: what each is, and its alt text."""
    found = []

    def walk(node):
        node = node.get_object()
        if isinstance(node, list):
            for child in node:
                walk(child)
        elif isinstance(node, dict) and "/K" in node:
            if "/S" in node:
                found.append((node["/S"][1:], str(node.get("/Alt", ""))))
            walk(node["/K"])

    walk(reader.root_object["/StructTreeRoot"])
    return found


def kinds(reader):
    return [kind for kind, _ in tags(reader)]


ROW = "| Sắc thuế | Số thu | Tỷ lệ |\n|:---|---:|:-:|\n| GTGT | 1.234 | 5 % |"
# What an analyst writes; what stands in the page; the words, and the elements, that the PDF has.
KINDS = {
    "strong": ("a **đậm** b", "<strong>đậm</strong>", "ađậmb", {"Strong"}),
    "emphasis": ("a *nghiêng* _b_", "<em>nghiêng</em> <em>b</em>", "anghiêngb", {"Em"}),
    "struck": ("~~bỏ~~ ~một~", "<del>bỏ</del> <del>một</del>", "bỏmột", set()),
    "code span": ("`x_1 = **y**`", "<code>x_1 = **y**</code>", "x_1=**y**", {"Code"}),
    "fenced code": (
        "```python\nfor i in x:\n    thuế(i)\n```", "<pre><code>for i in x:\n    thuế(i)\n</code></pre>",
        "foriinx:thuế(i)", {"Code"},
    ),
    "tildes": ("~~~\n$x$ <b>\n~~~", "<pre><code>$x$ &lt;b&gt;\n</code></pre>", "$x$<b>", {"Code"}),
    "indented code": ("a\n\n    thụt   vào", "<pre><code>thụt   vào</code></pre>", "thụtvào", {"Code"}),
    "quote": ("> trích\n>\n> > lồng", "<blockquote>\n<p>trích</p>\n<blockquote>\n<p>lồng</p>", "tríchlồng",
              {"BlockQuote"}),
    "rule": ("a\n\n---\n\nb", "<hr>", "ab", set()),
    "table": (ROW, '<td align="right">1.234</td>', "SắcthuếSốthuTỷlệGTGT1.2345%", {"Table", "TH", "TD"}),
    "centred cell": (ROW, '<td align="center">5 %</td>', "5%", {"Table"}),
    "short and long rows": ("a | b\n--|--\nc\nd | e | f", "<td>d</td>\n<td>e</td>", "abcde", {"Table"}),
    "bar in a cell": ("|a|\n|-|\n|b\\|c|", "<td>b|c</td>", "ab|c", {"Table"}),
    "table in a list": ("- x\n\n  |a|b|\n  |-|-|\n  |1|2|", "<td>1</td>", "xab12", {"Table", "LI"}),
    "bullets": ("- một\n- hai\n  - lồng", "<li>hai<ul>\n<li>lồng</li>", "•một•hai‣lồng", {"L", "LI"}),
    "numbers": ("3. ba\n4. bốn", '<ol start="3">\n<li>ba</li>\n<li>bốn</li>', "3.ba4.bốn", {"L"}),
    "numbers in numbers": ("2. a\n   1. b\n3. c", "<li>a<ol>\n<li>b</li>", "2.a1.b3.c", {"L"}),
    "loose list": ("- a\n\n  b\n- c", "<li><p>a</p>\n<p>b</p>\n</li>", "•ab•c", {"L"}),
    "tasks": ("- [x] xong\n- [ ] chưa", "<li>☑ xong</li>\n<li>☐ chưa</li>", "☑xong•☐chưa", {"L"}),
    "hard breaks": ("a  \nb\\\nc", "a<br>\nb<br>\nc", "abc", {"P"}),
    "link": ("[ở đây](https://x.vn/?a=1&b)", '<a href="https://x.vn/?a=1&amp;b">ở đây</a>', "ởđây", {"Link"}),
    "link by reference": ("[đây][n]\n\n[n]: https://x.vn", '<a href="https://x.vn">đây</a>', "đây", {"Link"}),
    "bare address": ("xem https://x.vn/a, (www.x.vn).", '<a href="http://www.x.vn">www.x.vn</a>).',
                     "xemhttps://x.vn/a,(www.x.vn).", {"Link"}),
    "bare mail": ("gửi ubnd@x.vn.", '<a href="mailto:ubnd@x.vn">ubnd@x.vn</a>.', "gửiubnd@x.vn.", {"Link"}),
    "empty link": ("[văn bản]() ở đây", "<a>văn bản</a> ở đây", "vănbảnởđây", set()),
    "raw html": ("H<sub>2</sub>O<br><b>x</b> <u>y</u> <mark>z</mark>", "H<sub>2</sub>O<br><b>x</b> <u>y</u>",
                 "H2Oxyz", {"Strong"}),
    "html table": ("<table><tr><th colspan=2>A</th></tr><tr><td>1</td><td>2</td></tr></table>",
                   '<th colspan="2">A</th>', "A12", {"Table", "TH"}),
    "details": ("<details><summary>Thêm</summary>\n\nẩn **đi**\n\n</details>",
                '<details open=""><summary>Thêm</summary>', "Thêmẩnđi", {"P"}),
    "centred": ('<div align="center">giữa</div>', '<div align="center">giữa</div>', "giữa", set()),
    "comment": ("a <!-- ẩn --> b\n\n<!-- cả\n\nđoạn -->", "<p>a  b</p>", "ab", set()),
    "entities": ("a &amp; b &copy; &lt;c&gt;", "a &amp; b © &lt;c&gt;", "a&b©<c>", set()),
    "escaped": (r"\*a\* \_b\_ \# \[c\]", "*a* _b_ # [c]", "*a*_b_#[c]", set()),
    "definitions": ("<dl><dt>t</dt><dd>d</dd></dl>", "<dt>t</dt><dd>d</dd>", "td", set()),
    "setext": ("Mục\n---\n\na", "<h2>1. Mục</h2>", "1.Mụca", {"H1"}),
    "signs": ("Xong ✓ · ≥ → ₫ … – “x”", "Xong ✓ · ≥ → ₫ … – “x”", "Xong✓·≥→₫…–“x”", set()),
    "selectors": ("Chú ý ☑\ufe0f ✓\ufe0e", "Chú ý ☑ ✓", "Chúý☑✓", set()),
    "decomposed": ("Thue\u0302\u0301", "Thuế", "Thuế", set()),
    "price": ("giá $5", "giá $5", "giá$5", set()),
    "prices": (r"giá \\$5 và \\$10", "giá $5 và $10", "giá$5và$10", set()),
    "price in code": ("`$5` và `$10`", "<code>$5</code> và <code>$10</code>", "$5và$10", {"Code"}),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_of_markdown_stands_in_both_pages(name):
    """Its marks have taken effect in the HTML page, and in the PDF as words and as structure."""
    source, fragment, said, structure = KINDS[name]
    assert fragment in html(source)
    reader = pdf(source)
    assert said in words(reader)
    assert structure <= set(kinds(reader))


def formulas(page):
    """The formulas of a page: whether it is displayed, and its source."""
    found = re.findall(r'<img class="(math|formula)" alt="([^"]*)"', page)
    return [(kind == "formula", unescape(alt)) for kind, alt in found]


@pytest.mark.parametrize(
    ("source", "found", "said"),
    [
        ("Dòng $y_t = a + b_t$ nữa", [(False, "y_t = a + b_t")], "Dòngnữa"),
        ("$$\\sum_{t=1}^{n} y_t$$", [(True, r"\sum_{t=1}^{n} y_t")], ""),
        (r"\\(a\\) và \\[b\\]", [(False, "a"), (True, "b")], "và"),
        (r"\(a\) và \[b\]", [], "(a)và[b]"),  # Markdown takes one backslash away
        ("\\begin{align} a &= b \\\\ c &= d \\end{align}", [(True, r"\begin{align} a &= b \\ c &= d \end{align}")], ""),
        ("$a$$b$ và $5 kg và $10", [(False, "a"), (False, "b"), (False, "5 kg và")], "và10"),
        ("**$a_1$** | *b* $c*d*$", [(False, "a_1"), (False, "c*d*")], "|b"),
        ("| a |\n|---|\n| $x|y$ |", [(False, "x|y")], "a"),
        ("$a\n\nb$", [], "$ab$"),
        ("`$a$` $b$ ``$c$``", [(False, "b")], "$a$$c$"),
        (r"$\text{thu \$5}$ $x<y$", [(False, r"\text{thu \$5}"), (False, "x<y")], ""),
        ("<p>$a$</p>", [(False, "a")], ""),
        ("\"$5\" và '$6'", [(False, "5\" và '")], "\"6'"),
        ("$ $ và $$ $$", [], "và"),
    ],
)  # fmt: skip
def test_a_formula_is_one_where_jupyterlab_shows_one(source, found, said):
    """Drawn, its source as alt text; what JupyterLab leaves as it is, a price or code, stays text."""
    page = html(source)
    assert formulas(page) == found
    assert squeezed(re.sub(r"<[^>]*>", "", page)) == squeezed(said)
    reader = pdf(source)
    alts = [alt for kind, alt in tags(reader) if alt]
    assert alts == [alt for _, alt in found]


@pytest.mark.parametrize(
    "source",
    [
        r"\tfrac12 + \frac ab + \sqrt2 + \sqrt[3]{x} + \binom n2 + \dfrac{\frac{a}{b}}{\sqrt{\frac cd}}",
        r"f(x) = \begin{cases} x^2 & \text{nếu } x > 0 \\ 0 & \text{khác} \end{cases}",
        r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}^{-1}_k \begin{bmatrix} a \\ b \end{bmatrix}",
        r"\left( \begin{array}{lr} 1 & 22 \\ 333 & 4 \end{array} \right) \begin{vmatrix} a & b \\ c & d \end{vmatrix}",
        r"\operatorname*{argmax}_\theta \boldsymbol\beta \mathbb R \mathcal{L} \mathbf x^\top \textbf{đậm} \mathrm{VND}",
        r"\bigl( x \bigr) \lvert y \rvert \le z \ge 10\,\% \ne \hat\beta_1 \overline{x} \xrightarrow{n \to \infty} 0 \tag{1}",
        r"\begin{aligned} a &= b \\ &= c \end{aligned} \quad \text{và} \quad \text{nếu $x > 0$}",
        r"\text{Số thu năm 2020} = \frac{\text{lũy kế (đồng)}}{\text{dự toán}} \times 5 ₫/người",
        r"\lim_{x \to 0} \int_0^1 f(x)\,\mathrm{d}x \left.\frac{a}{b}\right|_{x=0} + \left|\frac ab\right|^2 + e^{-\frac{x^2}{2}}",
        "a + b % lời ghi\n + c",
    ],
)  # fmt: skip
@pytest.mark.parametrize("display", [True, False])
def test_what_analysts_write_in_formulas_is_drawn(source, display):
    """By outlines alone, the same each time; in a line small enough for it, displayed at least as big."""
    made = markdown.math(source, display, "cell 3")
    assert made == markdown.math(source, display, "cell 3")
    (content,) = markup.pictures(made).values()
    assert content.count(b"M") > 5
    assert not re.search(b"<(?!/?svg|path)", content)
    assert 15 < float(re.search('height="([^"]*)"', made)[1]) < 130


@pytest.mark.parametrize(
    ("source", "what"),
    [
        (r"\underbrace{x}_{y}", r"\\underbrace"),
        (r"\begin{tikzpicture} x \end{tikzpicture}", r"tikzpicture"),
        (r"\frac{a}", r"\\frac"),
        (r"\begin{array}{c|c} 1 & 2 \end{array}", "a line in an array"),
        (r"x_日", "日"),
        (r"\newcommand{\x}{y} \x", r"\\newcommand"),
    ],
)
def test_a_formula_that_cannot_be_drawn_is_refused(source, what):
    """By cell, with what in it is not known and what to write."""
    for export in (html, pdf):
        with pytest.raises(ExportError, match=rf"cell 3 \(m0\) has a formula .*{what}.* Write "):
            export(f"$${source}$$")


def test_a_formula_stands_on_the_line(chromium):
    """In the PDF and in the browser the foot of an x is where the feet of the letters beside it are."""
    made = notebook("xxx $x$ xxx")
    with pymupdf.open(stream=WardPDFExporter().from_notebook_node(made)[0]) as sheets:
        page = sheets[0]
        words = [word for word in page.get_text("words") if word[4] == "xxx"]
        line = next(
            span["origin"][1]
            for block in page.get_text("dict")["blocks"] for row in block.get("lines", [])
            for span in row["spans"] if "xxx" in span["text"]
        )  # fmt: skip
        drawn = [
            each["rect"] for each in page.get_drawings()
            if words[0][2] < each["rect"].x0 and each["rect"].x1 < words[1][0]
        ]  # fmt: skip
    assert len(drawn) == 1
    assert drawn[0].y1 == pytest.approx(line, abs=0.6)
    tab = chromium.new_page(viewport={"width": 900, "height": 800})
    tab.set_content(WardHTMLExporter().from_notebook_node(made)[0])
    box = tab.evaluate("document.querySelector('.math').getBoundingClientRect().toJSON()")
    middle = tab.evaluate(
        "(() => { const mark = document.createElement('span'); mark.style.cssText = 'display: inline-block';"
        "document.querySelector('main p').append(mark); return mark.getBoundingClientRect().bottom })()"
    )
    tab.close()
    assert (box["top"] + box["bottom"]) / 2 == pytest.approx(middle - 0.224 * 17, abs=1)


def test_footnotes_stand_below_their_cell():
    """Numbered in the order of their marks, with links there and back that are their own on the page;
    what is marked twice stands once."""
    cell = "Thu[^b] và chi[^a], lại[^b].\n\n[^a]: của **chi**\n[^b]: của thu\n[^c]: không ai"
    page = html(cell, cell)
    names = re.findall(r'id="([^"]*)"', page)
    assert names == [
        "ref.1.1", "ref.1.2", "note.1.1", "note.1.2", "ref.2.1", "ref.2.2", "note.2.1", "note.2.2"
    ]  # fmt: skip
    assert set(re.findall(r'href="#([^"]*)"', page)) == set(names)
    assert '<li id="note.1.2"><p>của <strong>chi</strong> <a href="#ref.1.2">↩</a></p></li>' in page
    reader = pdf(cell, cell)
    said = "Thu1vàchi2,lại1.1.củathu↩2.củachi↩"
    assert said + said in words(reader)
    links = [note for sheet in reader.pages for note in sheet.get("/Annots", [])]
    assert len(links) == 10


def test_a_link_leads_to_a_place_of_the_page():
    """Where there is such a place; else its words stay."""
    reader = pdf("[xem](#note.1.1) hay [không](#nowhere) thu[^1]\n\n[^1]: chú")
    assert "xemhaykhôngthu1" in words(reader)
    assert len([note for sheet in reader.pages for note in sheet.get("/Annots", [])]) == 3


def test_a_link_leads_to_a_heading():
    """As JupyterLab names it, from any cell; the section is numbered all the same."""
    cells = ["[xem](#Thứ-hai) [và](#Một-(nhỏ))", "## Thứ hai\n\na", "### Thứ hai\n\nb"]
    page = html(*cells)
    assert '<a href="#Thứ-hai">xem</a>' in page
    assert re.findall("<h[23].*>", page) == ['<h2 id="Thứ-hai">1. Thứ hai</h2>', "<h3>Thứ hai</h3>"]
    reader = pdf(*cells)
    assert len([note for sheet in reader.pages for note in sheet.get("/Annots", [])]) == 1
    assert kinds(reader).count("H1") == 1


SECTIONS = "Trước\n\n## Thứ nhất\n\na\n\n## Thứ hai\n\nb"


def test_sections_are_numbered_wherever_they_stand():
    """Several in a cell, with text before them, in a later cell, as a heading of level 1; a Roman numeral
    stays, another number goes; what somebody wrote stays, be there nothing below it."""
    cells = [SECTIONS, "# Lớn\n\nc", "## IV. La Mã\n\nd", "## 7. Có số\n\ne", "## Cuối"]
    page = html(*cells)
    heads = ["1. Thứ nhất", "2. Thứ hai", "3. Lớn", "IV. La Mã", "5. Có số", "6. Cuối"]
    assert re.findall("<h[1-6]>(.*?)</h", page) == heads
    reader = pdf(*cells)
    assert squeezed("Trước1. Thứ nhất a 2. Thứ hai b 3. Lớn c IV. La Mã d 5. Có số e") in words(
        reader
    )
    assert kinds(reader).count("H1") == 6


@pytest.mark.parametrize(
    ("source", "levels"),
    [
        ("## a\n\n#### b\n\n#### c\n\n##### d\n\n### e\n\nx", [2, 3, 3, 4, 3]),
        ("#### a\n\n## b\n\n###### c\n\nx", [2, 2, 3]),
        ("## a\n\n> #### b\n\n- ##### c", [2, 3, 4]),
    ],
)
def test_levels_that_skip_are_mended(source, levels):
    """In both pages alike; siblings stay siblings."""
    assert [int(level) for level in re.findall(r"<h([1-6])>", html(source))] == levels
    found = [int(kind[1:]) for kind in kinds(pdf(source)) if re.fullmatch("H[1-6]", kind)]
    assert found == [level - 1 for level in levels]
    later = html("## a\n\nx", "#### b\n\nx")
    assert re.findall(r"<h([1-6])>", later) == ["2", "3"]


def test_an_empty_span_prints_nothing():
    """At the end of a title, a heading or a cell, or as all of a heading or paragraph."""
    mark = '<span lang="en"></span>'
    cells = [f"## Một {mark}\n\na\n\n{mark}", f"## {mark}", f"### {mark}\n\n{mark}"]
    page = html(*cells, title=f"# Tựa {mark}")
    assert re.sub(r"<[^>]*>|\s", "", page) == "1.Mộta"
    assert re.findall("<p>|<h.>", page) == ["<h2>", "<p>"]
    reader = pdf(*cells, title=f"# Tựa {mark}")
    assert reader.metadata.title.startswith("Tựa · ")
    assert kinds(reader).count("H1") == 1


@pytest.mark.parametrize(
    "title", ["# Thu *NSNN* `x` &amp; $y^2$", "Thu *NSNN* `x` &amp; $y^2$\n==="]
)
def test_the_title_is_the_first_heading_in_words(title):
    """Whichever way it is written; text before and below it stays."""
    made = document.read(notebook("# Khác\n\nb", title=f"trước\n\n{title}\n\nsau"))
    assert made.title == "Thu NSNN x & y^2"
    assert [part.prose for part in made.parts] == [
        "<p>trước</p>\n\n<p>sau</p>", "<h2>1. Khác</h2>\n<p>b</p>"
    ]  # fmt: skip


def test_pictures_of_a_cell_stand_in_both_pages():
    """Attached ones, whatever they are called, with their words, once in the PDF."""
    source = "![thứ nhất](attachment:a.png) và ![thứ hai](attachment:%E1%BA%A3nh%201.jpg)\n\n![lại](attachment:a.png)"
    page = html(source)
    assert re.findall(r'<img src="data:image/(\w+);base64,[^"]+" alt="([^"]*)">', page) == [
        ("png", "thứ nhất"), ("jpeg", "thứ hai"), ("png", "lại")
    ]  # fmt: skip
    reader = pdf(source)
    assert [alt for kind, alt in tags(reader) if kind == "Figure"] == ["thứ nhất", "thứ hai", "lại"]
    assert sum(len(sheet.images) for sheet in reader.pages) >= 2


def export(made, folder, exporter=WardHTMLExporter):
    resources = {"metadata": {"path": str(folder)}}
    return exporter().from_notebook_node(made, resources)[0]


@pytest.mark.parametrize(
    ("name", "kind"), [("a.png", "PNG"), ("sâu/b c.jpeg", "JPEG"), ("c.gif", "GIF"), ("d.webp", "WEBP"), ("e.svg", "")]
)  # fmt: skip
def test_a_picture_in_the_notebooks_folder_is_shown(name, kind, tmp_path):
    """Or below it; of pixels or of lines; as Markdown or HTML has it."""
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    drawn = (
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M 0 0 L 9 9"/></svg>'
    )
    file.write_bytes(pixels(kind=kind) if kind else drawn)
    address = name.replace(" ", "%20")
    made = notebook(f'![ảnh]({address})\n\n<img src="{address}" alt="nhỏ" width="20">')
    assert export(made, tmp_path).count('src="data:image/') == 2
    reader = pypdf.PdfReader(io.BytesIO(export(made, tmp_path, WardPDFExporter)))
    assert [alt for kind, alt in tags(reader) if kind == "Figure"] == ["ảnh", "nhỏ"]


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("![x](https://x.vn/a.png)", "from elsewhere"),
        ("![x](//x.vn/a.png)", "from elsewhere"),
        ("![x](file:///etc/passwd)", "from elsewhere"),
        ('<p><img alt="x" src=http://x.vn/a></p>', "from elsewhere"),
        ("![x](attachment:none.png)", "not attached"),
        ("![x](none.png)", "not in the notebook's folder"),
        ("![x](../secret.png)", "not in the notebook's folder"),
        ("![x](/etc/passwd)", "not in the notebook's folder"),
        ("![x](link.png)", "not in the notebook's folder"),
        ("![x](%2e%2e/secret.png)", "not in the notebook's folder"),
        ("![](attachment:a.png)", "without words"),
        ('<img src="attachment:a.png">', "without words"),
        ("![x](words.txt)", "no picture"),
        ("![x](half.png)", "no picture"),
    ],
)
def test_a_picture_that_cannot_be_shown_is_refused(source, why, tmp_path):
    """By cell and picture, with what to do; nothing outside the notebook's folder is read."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(pixels())
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "words.txt").write_text("thu", encoding="utf-8")
    (folder / "half.png").write_bytes(pixels()[:60])
    for exporter in (WardHTMLExporter, WardPDFExporter):
        with pytest.raises(ExportError, match=rf"cell 3 \(m0\) shows .*{why}"):
            export(notebook(source), folder, exporter)


@pytest.mark.parametrize(
    ("source", "sign"),
    [
        ("Xong ✅", "✅"),
        ("日本", "日"),
        ("vui 😀", "😀"),
        ("`mã 中`", "中"),
        ("## 한\n\nx", "한"),
        ("| ﷽ |\n|-|", "﷽"),
    ],
)
def test_a_sign_that_no_face_has_is_refused(source, sign):
    """By cell and sign, in both pages alike, with what to write instead."""
    for export in (html, pdf):
        with pytest.raises(
            ExportError, match=rf"cell 3 \(m0\) shows the sign {sign} .* Write a word"
        ):
            export(source)


def test_no_word_is_of_two_faces():
    """A sign comes from a second face, a letter never: in code a word has the face that has all of it."""
    made = WardPDFExporter().from_notebook_node(notebook("Đã xong ✓ thu₫\n\n`số thuế` `so`"))[0]
    with pymupdf.open(stream=made) as sheets:
        rows = [
            row for block in sheets[0].get_text("dict")["blocks"] for row in block.get("lines", [])
        ]
    spans = [(span["font"], span["text"]) for row in rows for span in row["spans"]]
    faces = {text.strip(): face for face, text in spans}
    assert faces["✓"] == "DejaVuSans"
    assert faces["số"] == faces["thuế"] == "DejaVuSans"
    assert faces["so"] == "DejaVuSansMono"
    assert "số thuế" in pypdf.PdfReader(io.BytesIO(made)).pages[0].extract_text()


def test_a_refusal_of_typst_names_the_cell():
    """Whatever the cause, where Typst says the line."""
    made = document.read(notebook("a", "b"))
    made.parts[1].prose = '<p>b <a href="https://x.vn">x</a></p><h6>y</h6>'
    exporter = WardPDFExporter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(document, "read", lambda *_: made)
        with pytest.raises(
            ExportError, match=r"(?s)cell 4 \(m1\): the PDF could not be set: .*level"
        ):
            exporter.from_notebook_node(notebook("a", "b"))


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("```mermaid\ngraph TD; A-->B\n```", "draws a diagram of Mermaid"),
        ('<video src="a.mp4"></video>', "shows what no paper can .<video>"),
        ('a <audio controls src="a.mp3"></audio>', "shows what no paper can .<audio>"),
    ],
)
def test_what_has_no_still_picture_is_refused(source, what):
    """Which JupyterLab draws by a program, or plays."""
    with pytest.raises(ExportError, match=rf"cell 3 \(m0\) {what}"):
        html(source)


@pytest.mark.parametrize(
    "table",
    [
        "<table><tr><td rowspan=9>a<td colspan=99>b<tr><td rowspan=0>c<tr><td colspan=3>d</table>",
        "<table><thead><tr><th rowspan=5>a</thead><tbody><tr><td>b<td rowspan=99999999>c<tr></tbody></table>",
        "<table><caption>chỉ tên</caption></table><table></table>",
        "<table><tr><td><table><tr><td>trong</table></table>",
        "<ul>x<li>y<ol start=-3><li>z</ol></ul><dl><dd>x</dl><td>y</td>",
    ],
)
def test_tables_of_any_shape_are_set(table):
    """Cells that span too much, rows that are short, what stands where it should not."""
    said = squeezed(re.sub("<[^>]*>", "", table))
    assert all(sign in words(pdf(table)) for sign in said)


def test_prose_gives_the_same_bytes():
    """No chance, no clock, no path, with formulas and pictures too."""
    made = notebook("$$x^2$$ ![x](attachment:a.png) thu[^1]\n\n[^1]: chú ✓", ROW)
    for exporter in (WardHTMLExporter, WardPDFExporter):
        first, second = (exporter().from_notebook_node(made)[0] for _ in range(2))
        assert first == second


def test_a_page_of_all_kinds_fits_a_phone(chromium):
    """No line leaves the page at 390 px but in its own scroller."""
    tab = chromium.new_page(viewport={"width": 390, "height": 800})
    wide = "|" + "một cột rất dài|" * 12 + "\n|" + "-|" * 12
    every = [source for source, *_ in KINDS.values()]
    page, _ = WardHTMLExporter().from_notebook_node(
        notebook(*every, wide, "$$" + "a + " * 40 + "b$$")
    )
    tab.set_content(page)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.close()
