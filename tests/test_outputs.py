"""What cells of an analyst show comes out in HTML and PDF as in JupyterLab, or is refused by the cell's
name. The cells are run by a kernel, once for all tests."""

import copy
import io
import re

import nbformat
import papermill
import pymupdf
import pypdf
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from wardlib.errors import ExportError
from wardlib.pages import cleaning, document, html, terminal
from wardlib.pages.exporters import WardHTMLExporter, WardPDFExporter

OPENS = 'import wardlib\nbook = wardlib.open("phuc-dong", "2020-9M", "vi", "2020-09-13")\nbook'
DISPLAY = "from IPython.display import *\n"
PLOT = "import matplotlib.pyplot as plt\n"
PANDAS = "import numpy as np, pandas as pd\n"
MADE = (
    DISPLAY + "import io\nimport PIL.Image\ndef made(kind, **how):\n    file = io.BytesIO()\n"
    "    PIL.Image.new('RGB', (60, 30), 'navy').save(file, kind, **how)\n    return file.getvalue()\n"
)
SQUARE = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="40">%s<rect width="30" height="30"/></svg>'

# By kind: the cell, what HTML holds of it, and what the text of the PDF holds ("" where it draws a picture).
SHOWN = {
    "figure": ('#| fig-alt: "Đường đi lên"\n' + PLOT + "plt.plot([1, 2], [3, 4])", 'src="data:image/png;.*" alt="Đường đi lên"', ""),
    "figure of seaborn": ("#| fig-alt: Thu: tăng\nimport seaborn as sns\nsns.lineplot(x=[1, 2], y=[3, 4])", 'alt="Thu: tăng"', ""),
    "two figures": ("#| fig-alt:\n#|   - 'Một'\n#|   - Hai\n" + PLOT + "plt.plot([1])\nplt.show()\nplt.plot([2]);", 'alt="Một".*alt="Hai"', ""),
    "figure with a caption": ('#| label: fig-Thu\n#| fig-alt: "Đường"\n#| fig-cap: "Thu theo tháng"\n' + PLOT + "plt.plot([1, 2]);", 'id="fig-thu".*alt="Đường".*Hình 1. Thu theo tháng', "Hình 1. Thu theo tháng"),
    "figure as SVG": ("#| fig-alt: Đường\n" + PLOT + "import matplotlib_inline.backend_inline as inline\ninline.set_matplotlib_formats('svg')\nplt.plot([1, 2]); plt.show(); inline.set_matplotlib_formats('png')", 'src="data:image/svg.*" alt="Đường"', ""),
    "frame": (PANDAS + 'pd.DataFrame({"tháng": ["01", "02"], "thu": [1234.5, 2]})', '<th align="right" scope="col">thu</th>.*<td align="left">01</td><td align="right">1234.5</td>', "tháng thu 0 01 1234.5 1 02 2.0"),
    "frame of levels": (PANDAS + 'pd.DataFrame(np.eye(4), index=pd.MultiIndex.from_product([["2019", "2020"], ["Q1", "Q2"]], names=["năm", "quý"]), columns=pd.MultiIndex.from_product([["thu", "chi"], ["KH", "TH"]]))', '<th colspan="2" align="left" scope="colgroup">thu</th>.*<th rowspan="2"[^>]*>2019</th>', "thu chi KH TH KH TH năm quý"),
    "frame cut by pandas": (PANDAS + "pd.DataFrame(np.arange(200).reshape(100, 2))", "<td align=\"right\">...</td>.*100 rows × 2 columns", "100 rows × 2 columns"),
    "wide frame": (PANDAS + 'pd.set_option("display.max_columns", None)\npd.DataFrame([range(1_000_000, 1_000_030)], columns=[f"cột{i}" for i in range(30)])', "cột0.*cột29", "cột29 0 1000020"),
    "long frame": (PANDAS + 'with pd.option_context("display.max_rows", None):\n    display(pd.DataFrame({"a": range(300)}))', ">299</td>", "299 299"),
    "series": (PANDAS + "pd.Series([1, 2.5], index=['thu', 'chi'])", "<pre>thu    1.0\nchi    2.5\n", "thu 1.0 chi 2.5 dtype: float64"),
    "styler": (PANDAS + 'pd.DataFrame({"a": [1.25, 2], "b": ["x", "y"]}).style.format(precision=1).hide(axis="index").set_caption("Bảng thử").highlight_max("a")', '<caption>Bảng thử</caption>.*<td align="right">1.2</td><td align="left">x</td>', "Bảng thử a b 1.2 x"),
    "great tables": (DISPLAY + 'HTML("<div><style>x</style><table class=gt_table><thead><tr><td colspan=2>Tên bảng</td></tr><tr><th>Khoản</th><th>Số</th></tr></thead><tbody><tr><td>thuế</td><td>1.234</td></tr></tbody></table></div>")', '<td colspan="2"[^>]*>Tên bảng</td>.*<td align="right">1.234</td>', "Tên bảng Khoản Số thuế 1.234"),
    "Markdown": (DISPLAY + 'Markdown("**Kết luận**\\n\\n| a | b |\\n|---|--:|\\n| x | 1 |")', "<strong>Kết luận</strong>.*<table>", "Kết luận a b x 1"),
    "Latex": (DISPLAY + 'Latex("Với $$a^2$$")', '<p>Với <img [^>]*alt="a\\^2"', "Với"),
    "HTML": (DISPLAY + 'HTML("<p>Đoạn <b>HTML</b></p><ul><li>một</li></ul>")', "<p>Đoạn <b>HTML</b></p><ul><li>một</li></ul>", "Đoạn HTML"),
    "HTML of pieces": (DISPLAY + 'HTML("<p>mở</main></body></html><p>đóng")', "<p>mở</p><p>đóng</p></div>", "mở đóng"),
    "HTML with a script beside": (DISPLAY + 'HTML("<p>lời</p><script>x()</script>")', "<p>lời</p></div>", "lời"),
    "SVG": (DISPLAY + f"SVG('{SQUARE % '<title>Hình vuông</title><text x=%s40%s y=%s9%s>Thuế</text>'}')".replace("%s", '"'), 'alt="Hình vuông"', "Thuế"),
    "SVG inside HTML": (DISPLAY + f"HTML('<p>x</p>{SQUARE % '<desc>Ô đen</desc>'}')", '<p>x</p><img src="data:image/svg[^"]*" alt="Ô đen">', ""),
    "JPEG": (MADE + 'Image(made("JPEG"), alt="Ảnh JPEG")', 'src="data:image/jpeg;[^>]*alt="Ảnh JPEG"', ""),
    "GIF": (MADE + 'Image(made("GIF"), alt="Ảnh GIF")', 'src="data:image/gif;[^>]*alt="Ảnh GIF"', ""),
    "WebP": (MADE + 'Image(made("WEBP"), format="webp", alt="Ảnh WebP")', 'src="data:image/webp;[^>]*alt="Ảnh WebP"', ""),
    "picture that moves": (MADE + 'import PIL.Image as P\nframes = [P.new("L", (9, 9), c) for c in (0, 255)]\nf = io.BytesIO(); frames[0].save(f, "GIF", save_all=True, append_images=frames[1:])\nImage(f.getvalue(), alt="Hai ảnh")', 'src="data:image/png;[^>]*alt="Hai ảnh"', ""),
    "bitmap": (MADE + 'import base64\ndisplay({"image/bmp": base64.b64encode(made("BMP")).decode()}, metadata={"alt": "Ảnh BMP"}, raw=True)', 'src="data:image/png;[^>]*alt="Ảnh BMP"', ""),
    "still picture of what moves": (MADE + 'import base64\ndisplay({"application/vnd.plotly.v1+json": {}, "text/html": "<script>x()</script>", "image/png": base64.b64encode(made("PNG")).decode()}, metadata={"image/png": {"alt": "Ảnh tĩnh"}}, raw=True)', 'alt="Ảnh tĩnh"', ""),
    "JSON": (DISPLAY + 'JSON({"thu": [1], "tên": "phí"})', '<pre>{\n  &quot;thu&quot;: \\[\n    1\n  \\],\n  &quot;tên&quot;: &quot;phí&quot;\n}</pre>', '"thu": [ 1 ], "tên": "phí"'),
    "colours": ('print("\\x1b[31mnợ\\x1b[0m \\x1b[1mđậm\\x1b[0m \\x1b[3mnghiêng\\x1b[0m \\x1b[38;2;0;0;200mxanh\\x1b[m thường")', '<pre><span class="red">nợ</span> <strong>đậm</strong> <em>nghiêng</em> <span class="blue">xanh</span> thường</pre>', "nợ đậm nghiêng xanh thường"),
    "written over": ('print("10%\\r50%\\r100%")\nprint("ab\\b\\bc")', "<pre>100%\ncb</pre>", "100% cb"),
    "letters as lines": ('print("┌───┬───┐\\n│thu│ 1 │\\n└───┴───┘")', '<pre class="columns" tabindex="0">┌───┬───┐\n│thu│ 1 │\n└───┴───┘</pre>', "│thu│ 1 │"),
    "long lines": ('print("từ " * 100 + "W" * 300)', "W{300}", "W{80}"),
    "tabs": ('print("a\\tb\\nabc\\td")', "<pre>a       b\nabc     d</pre>", "a b abc d"),
    "pieces of text": ('import sys\nprint("một", end="")\nprint("cảnh báo", file=sys.stderr)\nprint(" hai")', "<pre>một hai</pre>", "một hai"),
    "dict": ('{"thu": 1, "chi": [1, 2]}', "<pre>{&#x27;thu&#x27;: 1, &#x27;chi&#x27;: \\[1, 2\\]}</pre>", "{'thu': 1, 'chi': [1, 2]}"),
    "string and number": ('display("chữ", 42)', "<pre>&#x27;chữ&#x27;</pre>.*<pre>42</pre>", "'chữ' 42"),
    "Pretty": (DISPLAY + 'Pretty("đẹp")', "<pre>đẹp</pre>", "đẹp"),
    "addresses in a text": ("print('mô hình', object())", "<pre>mô hình &lt;object object&gt;</pre>", "mô hình <object object>"),
    "update": (DISPLAY + 'shown = display("cũ", display_id=True)\nshown.update("mới")', "<pre>&#x27;mới&#x27;</pre></div>", "'mới'"),
    "bar of progress": (DISPLAY + "for _ in ProgressBar(3): pass", "<pre>\\[=+\\] 3/3</pre>", "] 3/3"),
    "tqdm": ("import sys\nfrom tqdm import tqdm\nfor _ in tqdm(range(3), file=sys.stdout, bar_format='{l_bar}{bar:9}|{n}/3'): pass", "<pre>100%\\|█+\\|3/3</pre>", "|3/3"),
    "rich": ('from rich import print as tell\nfrom rich.table import Table\ntable = Table("khoản", "số")\ntable.add_row("[bold]thuế[/bold]", "1")\ntell(table)', "<pre[^>]*>.*┃<strong> khoản </strong>┃.*<strong>thuế</strong>", "┃ khoản ┃ số ┃"),
    "headings": (DISPLAY + 'Markdown("## Mục con\\n\\n#### Nhỏ\\n\\nchữ")', "<h2>\\d+\\. Mục con</h2><h3>Nhỏ</h3><p>chữ</p>", "Mục con Nhỏ chữ"),
    "SVG with letters of programs": (DISPLAY + f"SVG('{SQUARE % '<title>Chữ</title><text x=%s40%s y=%s9%s font-family=%smonospace%s>ổ ẵ</text>'}')".replace("%s", '"'), 'alt="Chữ"', "ổ ẵ"),
    "picture in another size": (MADE + 'Image(made("PNG"), width=30, alt="Nhỏ")', 'alt="Nhỏ" width="30"', ""),
    "control with words": ('class Model:\n    def _repr_html_(self):\n        return "<style>x</style><input type=checkbox><pre>Model</pre>"\n    def __repr__(self):\n        return "Model(a=1)"\nModel()', "<pre>Model\\(a=1\\)</pre>", "Model(a=1)"),
    "HTML tables without heads": (DISPLAY + 'HTML("<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>x<br>y</td></tr></table><table><tr><td>2</td></tr></table>")', '<th align="right" scope="col">a</th>.*<td align="right">2</td>', "a b 1 x y 2"),
    "cells that were heads": (PANDAS + 'with pd.option_context("display.max_rows", None):\n    display(pd.DataFrame({"x": range(40)}, index=pd.MultiIndex.from_product([["A", "B"], range(20)])))', '<th rowspan="20"[^>]*>B</th>', "B 0 20 1 21"),
    "marks of Typst": ('print(\'#read("x") @a *b* _c_ `d` <e>\')', "@a \\*b\\* _c_", '#read("x") @a *b* _c_ `d` <e>'),
    "chart of ours": (PLOT + 'from wardlib import charts\nfig, axes = plt.subplots()\naxes.plot([1, 2], label="thu")\ncharts.figure(fig, book, title="Số thu", alt="Thu tăng từ 1 lên 2.")', '<figure class="chart" id="figure">.*alt="Thu tăng từ 1 lên 2.".*Hình 1. Số thu', "Hình 1. Số thu"),
}  # fmt: skip
# What shows a reader nothing.
SILENT = {
    "None": "None",
    "axes and lines": PLOT + "fig, axes = plt.subplots(1, 2); plt.close(fig)\ndisplay(axes, axes[0], axes[0].plot([1]), axes[0].set_title('x'), axes[0].bar([1], [2]), axes[0].hist([1]), axes[0].boxplot([1]))",
    "method": PANDAS + "pd.DataFrame({'a': [1]}).head",
    "objects": "display(len, object(), (lambda: 0), [object()], {'x': object()})\nprint(object())\nprint(display)",
    "style": DISPLAY + 'HTML("<style>p { color: red }</style>")',
    "warning": "import logging, sys\nlogging.warning('x')\nprint('x', file=sys.stderr)",
}  # fmt: skip
# What no page can show, and what the message says beside the cell's name.
REFUSED = {
    "figure": (PLOT + "plt.plot([1, 2], [3, 4]);", r'#\| fig-alt: "…".*charts\.figure\(fig, book, title="…", alt="…"\)'),
    "second figure": ("#| fig-alt: Một\n" + PLOT + "plt.plot([1]); plt.show(); plt.plot([2]);", "fig-alt"),
    "nbconvert's filler": (MADE + 'Image(made("PNG"), alt="No description has been provided for this image")', "fig-alt"),
    "picture": (MADE + 'Image(made("PNG"))', "fig-alt"),
    "broken picture": (DISPLAY + 'Image(b"\\x89PNG\\r\\n\\x1a\\nx", format="png", alt="x")', r"cannot be read.*Image\(filename"),
    "picture from elsewhere": (DISPLAY + 'HTML("<script>document.title=1</script><img src=https://example.org/x.png></main></body>")', r"does not hold.*Image\(filename"),
    "picture without words": (MADE + 'import base64\nHTML(f"<img src=\'data:image/png;base64,{base64.b64encode(made(\'PNG\')).decode()}\'>")', "fig-alt"),
    "SVG without words": (DISPLAY + f"SVG('{SQUARE % ''}')", "fig-alt"),
    "no SVG": (DISPLAY + 'display({"image/svg+xml": "<p/>"}, metadata={"alt": "x"}, raw=True)', r"no SVG.*PNG"),
    "script": (DISPLAY + 'HTML("<div id=x></div><script>Plotly.newPlot(1)</script>")', "script.*still picture"),
    "table by a script": (DISPLAY + 'HTML("<table><thead><tr><th>a</th></tr></thead></table><p>Loading</p><script>x()</script>")', "script.*still picture"),
    "Javascript": (DISPLAY + 'Javascript("1")', "application/javascript.*still picture"),
    "Video": (DISPLAY + 'Video("https://example.org/x.mp4")', "<video>.*still picture"),
    "Audio": (DISPLAY + "import numpy\nAudio(numpy.arange(99), rate=8000)", "<audio>.*still picture"),
    "IFrame": (DISPLAY + 'IFrame("https://example.org", 9, 9)', "<iframe>.*still picture"),
    "Vega": ('display({"application/vnd.vegalite.v5+json": {}, "text/plain": "x"}, raw=True)', "vegalite.*still picture"),
    "widget": ('display({"application/vnd.jupyter.widget-view+json": {}, "text/plain": "IntSlider()"}, raw=True)', "widget.*still picture"),
    "canvas": (DISPLAY + 'HTML("<canvas></canvas>")', "<canvas>.*still picture"),
    "MathML": (DISPLAY + 'HTML("<math><mi>x</mi></math>")', "Latex"),
    "emoji": ('print("xong ✅")', "✅.*Write a word"),
    "letters of an SVG": (DISPLAY + f"SVG('{SQUARE % '<title>x</title><text>日本</text>'}')", "日.*Write a word"),
    "endless frame": (PANDAS + 'with pd.option_context("display.max_rows", None):\n    display(pd.DataFrame({"a": range(3001)}))', r"3001 rows.*head\(50\)"),
}  # fmt: skip


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """All cells in a notebook that a kernel has run, under headings; the cells by kind."""
    folder = tmp_path_factory.mktemp("cells")
    sources = {f"s{at}": cell for at, (cell, *_) in enumerate(SHOWN.values())}
    sources |= {f"n{at}": cell for at, cell in enumerate(SILENT.values())}
    sources |= {f"r{at}": cell for at, (cell, _) in enumerate(REFUSED.values())}
    cells = [new_markdown_cell("# Thử", id="title"), new_code_cell(OPENS, id="head")]
    cells += [new_code_cell(source, id=name) for name, source in sources.items()]
    kernel = {"name": "python3", "display_name": "Python", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), folder / "in.ipynb")
    return papermill.execute_notebook(
        str(folder / "in.ipynb"), str(folder / "out.ipynb"), engine_name="ward", progress_bar=False
    )


def only(ran, *names):
    """The notebook with some of its cells, each below a heading."""
    by_name = {cell.id: cell for cell in ran.cells}
    cells = [by_name["title"], by_name["head"]]
    for name in names:
        cells += [new_markdown_cell(f"## {name}", id=f"h-{name}"), by_name[name]]
    return new_notebook(cells=copy.deepcopy(cells))


def main_of(page):
    """What stands below the headings of a page."""
    return page[page.index("<main") : page.index("</main>")]


def page_of(notebook):
    return WardHTMLExporter().from_notebook_node(notebook)[0]


def paper_of(notebook):
    return WardPDFExporter().from_notebook_node(notebook)[0]


def text_of(data):
    """The words of a PDF as a reader's program has them, which knows of letters drawn as two glyphs."""
    text = " ".join(page.get_text() for page in pymupdf.open(stream=data))
    return " ".join(text.replace("\u200b", "").split())


@pytest.fixture(scope="module")
def both(ran):
    """What can be shown, on one page and one paper: by kind the HTML below its heading; the bytes of the PDF
    and its text."""
    notebook = only(ran, *(f"s{at}" for at in range(len(SHOWN))))
    page, paper = page_of(notebook), paper_of(notebook)
    _, *parts = re.split(r"<h2[^>]*>\d+\. s\d+</h2>", main_of(page))
    text = text_of(paper)
    said = re.split(r"(?<!\S)\d+\. s\d+(?!\S)", text)[1:]
    return dict(zip(SHOWN, zip(parts, said, strict=True), strict=True)), page, paper


@pytest.mark.parametrize("kind", SHOWN)
def test_an_output_comes_out_in_both(kind, both):
    """As JupyterLab shows it, in the page and in the PDF."""
    part, said = both[0][kind]
    _, wanted, words = SHOWN[kind]
    part = re.sub(r">\n\s*<", "><", part)
    assert re.search(wanted.replace("Hình 1", r"Hình \d"), part, re.DOTALL), part[:3000]
    words = words.replace("Hình 1", r"Hình \d") if "Hình 1" in words else re.escape(words)
    words = words.replace(re.escape("W{80}"), "W{80}")
    assert re.search(words.replace("\\ ", r"\s"), said), said[:3000]


def test_nothing_of_the_machine_is_on_a_page(both):
    """No repr of an object, no address of its memory, no mark of Markdown or LaTeX, no program."""
    _parts, page, paper = both
    for text in (re.sub('src="data:[^"]*"', "", main_of(page)), text_of(paper)):
        assert not re.search(r"<Axes|&lt;Axes|IPython|at 0x|<script|\$|\*\*|\x1b|Figure size", text)


def test_the_pdf_with_all_of_it_can_be_archived_and_read_aloud(both):
    """PDF/A-3a and PDF/UA-1; each picture has its words; nothing leaves the margins."""
    paper = both[2]
    meta = pypdf.PdfReader(io.BytesIO(paper)).xmp_metadata.stream.get_data().decode()
    assert "<pdfuaid:part>1<" in meta
    assert re.search(r"<pdfaid:part>3<.*<pdfaid:conformance>A<", meta, re.DOTALL)
    for sheet in pymupdf.open(stream=paper):
        for word in sheet.get_text("words"):
            assert word[0] >= 30 / 25.4 * 72 - 1
            assert word[2] <= sheet.rect.width - 15 / 25.4 * 72 + 4, word
        for image in sheet.get_image_info():
            assert image["bbox"][2] <= sheet.rect.width - 15 / 25.4 * 72 + 1


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_with_all_of_it_is_no_wider_than_its_window(width, both, chromium, axe):
    """Wide tables move in their own frame; axe-core finds no fault in outputs; no error in the console."""
    tab = chromium.new_page(viewport={"width": width, "height": 900})
    said = []
    tab.on("console", lambda message: said.append(message.text))
    tab.set_content(both[1])
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []
    tab.close()
    policy = '<meta http-equiv="Content-Security-Policy".*?>'
    tab = chromium.new_page(viewport={"width": width, "height": 900})
    tab.set_content(re.sub(policy, "", both[1]))
    tab.add_script_tag(content=axe)
    found = tab.evaluate("axe.run(document.querySelector('main'), {resultTypes: ['violations']})")
    tab.close()
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found["violations"]] == []


@pytest.mark.parametrize("kind", SILENT)
def test_what_says_nothing_is_left_out(kind, ran):
    """Bare objects, styles and warnings leave no empty box."""
    notebook = only(ran, f"n{list(SILENT).index(kind)}")
    assert [part.fragment for part in document.read(notebook).parts if not part.prose] == []


@pytest.mark.parametrize("kind", REFUSED)
def test_what_no_page_can_show_is_refused(kind, ran):
    """By the cell's name, with what to write instead, in both formats."""
    name = f"r{list(REFUSED).index(kind)}"
    for export in (page_of, paper_of):
        with pytest.raises(ExportError, match=rf"(?s)cell 4 \({name}\).*{REFUSED[kind][1]}"):
            export(only(ran, name))


def test_the_same_outputs_give_the_same_bytes(ran, both):
    """Names of parts in pictures of matplotlib, which are random, do not show."""
    notebook = only(ran, *(f"s{at}" for at in range(len(SHOWN))))
    assert page_of(notebook) == both[1]
    assert paper_of(notebook) == both[2]
    at = list(SHOWN).index("figure as SVG")
    (output,) = [
        o for o in only(ran, f"s{at}").cells[-1].outputs if "image/svg+xml" in o.get("data", {})
    ]
    drawn = output.data["image/svg+xml"]
    renamed = re.sub(r"\b(p|m|C)([0-9a-f]{8,})", r"\1x\2", drawn)
    assert renamed != drawn
    assert cleaning.svg(renamed) == cleaning.svg(drawn)
    assert "dc:date" not in cleaning.svg(drawn)


def test_inks_are_those_of_the_page_and_can_be_read():
    """Each at 4.5 to 1 at least on the band of printed text (WCAG 2, 1.4.3)."""
    style = html.TEMPLATES.joinpath("ward-html", "style.css").read_text(encoding="utf-8")
    for name, ink in terminal.INKS.items():
        assert f".{name} {{ color: {ink}; }}" in style
        parts = [int(ink[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        band = ((0xF0 / 255 + 0.055) / 1.055) ** 2.4
        assert (band + 0.05) / (light + 0.05) >= 4.5, name
