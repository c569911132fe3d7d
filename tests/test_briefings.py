"""The briefings as their readers meet them: in a browser, in a PDF reader, in either language."""

import csv
import functools
import io
import json
import re
import subprocess
import sys
import unicodedata
from collections import Counter
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pymupdf
import pypdf
import pytest
from conftest import ROOT, executed
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text as Words
from nbformat.v4 import new_markdown_cell, new_notebook

import wardlib
from wardlib.language import get
from wardlib.pages import drawing, effect
from wardlib.pages.document import record
from wardlib.pages.edition import Edition
from wardlib.pages.exporters import WardHTMLExporter, WardPDFExporter

NOTEBOOKS = [
    "00-data-check",
    "10-tax-collection",
    "20-school-activities",
    "30-targets",
    "90-briefing",
]
PERIODS = [("phuc-dong", "2020-04"), ("phuc-dong", "2020-9M"), ("philadelphia", "2020-Q2")]
PAGES = [
    (notebook, ward, period, language)
    for notebook in NOTEBOOKS
    for ward, period in PERIODS
    for language in ("vi", "en")
] + [("80-district", "long-bien", "2020-9M", language) for language in ("vi", "en")]  # fmt: skip
MONTHS = "January February March April May June July August September October November December"
NAMES = {name: str(number) for number, name in enumerate(MONTHS.split(), 1)} | {
    name[:3]: str(number) for number, name in enumerate(MONTHS.split(), 1)
} | {"Sept": "9", "six": "6", "nine": "9",
     "IV": "4", "III": "3", "II": "2"}  # fmt: skip


def quoted():
    """What the papers quote: words of others, in their own language and with their own signs."""
    for path in sorted((ROOT / "data").glob("*/*.csv")):
        if path.stem not in ("published", "attributions"):
            continue
        with path.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                yield from (f"“{row['statement']}”", f"{row['statement']} (")


@functools.cache
def html(*page):
    return WardHTMLExporter().from_notebook_node(executed(*page))[0]


@functools.cache
def pdf(*page):
    return WardPDFExporter().from_notebook_node(executed(*page))[0]


def text_of(data):
    """The text layer of a PDF as one line, without page numbers and the mark at the foot."""
    said = ""
    for number, page in enumerate(pypdf.PdfReader(io.BytesIO(data)).pages, 1):
        text = " ".join(page.extract_text().split())
        text = text.removesuffix("ILLUSTRATIVE FIGURES – NOT REAL DATA OF THE WARD")
        text = text.removesuffix("SỐ LIỆU MINH HỌA – KHÔNG PHẢI SỐ LIỆU THẬT CỦA PHƯỜNG")
        said += " " + (text.removeprefix(str(number)) if number > 1 else text)
    return " ".join(said.split())


class Text(HTMLParser):
    """The text of a page and its alternative texts; what is hidden is left out."""

    def __init__(self, source):
        super().__init__()
        self.words, self._style = [], False
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        self._style = tag in ("style", "script")
        self.words.append(dict(attributes).get("alt") or " ")

    def handle_endtag(self, tag):
        self._style = False
        self.words.append(" ")

    def handle_data(self, data):
        self.words.append("" if self._style else data)


def numbers(source, language):
    """Every number of a page: digits, and months and quarters that stand as words. Names that hold
    digits are left out, and what is quoted."""
    text = " ".join("".join(Text(source).words).split())
    for name in ("COVID-19", "May still", "CC0 1.0", "phl_budget_data 0.2.1", *quoted()):
        text = text.replace(name, "")
    for name in sorted(NAMES, key=len, reverse=True):
        text = re.sub(rf"\b{name}\b", f" {NAMES[name]} ", text)
    group, point = (".", ",") if language == "vi" else (",", ".")
    found = re.findall(r"\d+(?:[.,]\d+)*", text)
    return Counter(float(number.replace(group, "").replace(point, ".")) for number in found)


@pytest.mark.parametrize(("notebook", "ward", "period"), [
    (notebook, ward, period) for notebook in NOTEBOOKS for ward, period in PERIODS
])  # fmt: skip
def test_both_languages_print_the_same_numbers(notebook, ward, period):
    """Every number of the Vietnamese page stands in the English one as often, and the other way."""
    vietnamese, english = (
        numbers(html(notebook, ward, period, language), language) for language in ("vi", "en")
    )
    assert sum(vietnamese.values()) > 10
    assert (vietnamese - english, english - vietnamese) == (Counter(), Counter())


def charts_of(*page):
    """What each chart of a page says of itself, with the figures that it draws."""
    for cell in executed(*page).cells:
        for output in cell.get("outputs", []):
            about = output.metadata.get("wardlib", {})
            if about.get("kind") == "chart":
                yield about, pd.DataFrame(output.data["application/vnd.dataresource+json"]["data"])


@pytest.mark.parametrize(("ward", "period"), PERIODS)
def test_alt_texts_hold_the_numbers_drawn(ward, period):
    """Every number of an alt text, dates aside, is a figure that the chart draws, their sum over the
    months of the shortfall, or how many days it draws of a kind."""
    seen = 0
    for notebook in NOTEBOOKS[1:]:
        for about, drawn in charts_of(notebook, ward, period, "vi"):
            alt = re.sub(r"\d\d/\d\d/\d{4}|\d+(–\d+)?/\d{4}|tháng \d+(/\d+| năm \d+)|\bnăm \d{4}\b|95 %|COVID-19", "", about["alt"].replace("\N{NO-BREAK SPACE}", " "))  # fmt: skip
            alt = re.sub(
                r"\b(20\d\d)(?=:|$)|\b20\d\d\b(?=[^,.]*? theo)|quý \w+|Đợt dịch \d", "", alt
            )
            values = [value for column in drawn for value in drawn[column].dropna() if not isinstance(value, (str, bool))]  # fmt: skip
            if "counterfactual" in drawn:
                short = drawn["counterfactual"] - drawn["collected"]
                lines = drawn["line"] if "line" in drawn else drawn["counterfactual"].notna()
                values += list(short.groupby(lines).sum().abs())
            if "state" in drawn:
                values += list(drawn.groupby(["level", "state"]).size())
            if "held" in drawn:
                months = drawn.groupby("month")[["held", "expected"]].sum(min_count=1)
                values += list(months.to_numpy().ravel())
            known = {round(abs(value) / scale, 1) for value in values for scale in (1, 1e6)}
            for number in re.findall(r"\d+(?:\.\d{3})*(?:,\d+)?", alt):
                value = float(number.replace(".", "").replace(",", "."))
                assert round(value, 1) in known, (about["slug"], number, alt)
                seen += 1
    assert seen > 10


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize(("ward", "period"), PERIODS)
def test_each_section_opens_with_a_headline_that_names_its_figures(ward, period, language):
    """Every section with a figure or a table begins with a headline; every one is referred to by its
    number, and numbers run through the page."""
    for notebook in NOTEBOOKS:
        main = html(notebook, ward, period, language).partition("<main")[2]
        sections = re.split(r"<h2>", main)[1:]
        for number, section in enumerate(sections, 1):
            title, _, body = section.partition("</h2>")
            numeral = ("I", "II", "III")[number - 1] if notebook == "90-briefing" else number
            assert title.startswith(f"{numeral}. ")
            if "<figure" in body:
                assert body.strip().startswith('<p class="headline">'), title
        labels = re.findall(r"<(?:figcaption|caption)>((?:Hình|Bảng|Figure|Table) \d+)\. ", main)
        assert len(labels) == main.count("<figure ")
        assert sorted(re.findall(r'<a href="#[\w-]+">([^<]+)</a>', main)) == sorted(labels)
        for word in {label.split()[0] for label in labels}:
            own = [int(label.split()[1]) for label in labels if label.startswith(word)]
            assert own == list(range(1, len(own) + 1))


@pytest.mark.parametrize("page", PAGES, ids="-".join)
def test_a_page_in_a_browser(page, chromium, axe, tmp_path):
    """With the network cut, nothing is asked for; axe-core finds no violation; the file is small. A
    phone shows the whole width: of each table every column with its head, of a chart by month the
    newest months, its letters in 9 px at least."""
    source = html(*page)
    assert len(source.encode()) < 1_000_000
    file = tmp_path / "page.html"
    file.write_text(source, encoding="utf-8")
    context = chromium.new_context(offline=True, viewport={"width": 390, "height": 800})
    asked, complaints = [], []
    tab = context.new_page()
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: complaints.append(message.text))
    tab.goto(file.as_uri())
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    for box in tab.query_selector_all(".table .scroll, td"):
        assert box.evaluate("box => box.scrollWidth <= box.clientWidth"), box.inner_text()
    assert bool(tab.query_selector(".newest")) or page[0] != "10-tax-collection"
    for picture in tab.query_selector_all(".chart img"):
        edges = picture.bounding_box()
        assert edges["width"] >= 9 / 12 * 96 * drawing.WIDTH
        if picture.evaluate("image => !!image.closest('.newest')"):
            assert edges["x"] + edges["width"] <= 390
    heads = tab.evaluate(
        "[...document.querySelectorAll('td')].map(c => getComputedStyle(c, '::before').content)"
    )
    assert not [head for head in heads if head in ("none", "normal")]
    tab.evaluate(axe)
    found = tab.evaluate(
        "axe.run().then(found => found.violations.map(v => [v.id, v.nodes[0].html]))"
    )
    assert found == []
    assert complaints == []
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "content"
    context.close()


def test_a_pdf_checker_finds_no_error(tmp_path):
    """PDF/UA-1 and the checker's own questions, on every page."""
    for page in PAGES:
        (tmp_path / f"{'-'.join(page)}.pdf").write_bytes(pdf(*page))
    report = tmp_path / "report.json"
    command = [Path(sys.executable).parent / "outloud", tmp_path, "--json", report]
    subprocess.run(command, capture_output=True, text=True)
    found = json.loads(report.read_text(encoding="utf-8"))
    assert len(found["results"]) == len(PAGES)
    errors = [
        (file["path"], finding["rule"], finding.get("evidence"))
        for file in found["results"]
        for finding in file["findings"]
        if finding["severity"] == "error"
    ]
    assert errors == []


@pytest.mark.parametrize("page", PAGES, ids="-".join)
def test_a_pdf_is_small_and_legible(page):
    """Two pages at most for the leader, half a megabyte, no word upon another, and what it was made
    from inside."""
    data = pdf(*page)
    reader = pypdf.PdfReader(io.BytesIO(data))
    assert len(data) < 500_000
    if page[0] == "90-briefing":
        assert len(reader.pages) <= 2
    assert json.loads(reader.attachments["run.json"][0]) == record(executed(*page))
    assert len(reader.outline) == html(*page).count("<h2>")
    for sheet in pymupdf.open(stream=data):
        words = sheet.get_text("words")
        for index, (left, top, right, foot, word, *_) in enumerate(words):
            for left2, top2, right2, foot2, word2, *_ in words[:index]:
                high = min(foot, foot2) - max(top, top2)
                if min(right, right2) - max(left, left2) > 1:
                    assert high < 0.45 * min(foot - top, foot2 - top2), (word, word2)
    for number, sheet in enumerate(reader.pages, 1):
        assert sheet.extract_text().strip().startswith(str(number)) is (number > 1)


def squeezed(text):
    """A text without its spaces, places where a line may break, and capitals, which styles set."""
    return "".join(text.replace("\u200b", "").split()).casefold()


@pytest.mark.parametrize("page", PAGES, ids="-".join)
def test_the_text_layer_gives_back_what_is_printed(page):
    """Every piece of text of the HTML, head and recipients included, is read from the PDF letter by
    letter, in whatever style it is set."""
    printed = squeezed(text_of(pdf(*page)))
    body = html(*page).partition("</a>")[2]  # after the link that skips the head
    pieces = [squeezed(unescape(piece)) for piece in re.split(r"<[^>]*>", body)]
    assert len(list(filter(None, pieces))) > 8
    assert [piece for piece in pieces if piece not in printed] == []


@pytest.mark.parametrize(
    "style", ["{}", "**{}**", "*{}*", "***{}***", "## *{}*\n\na", "*a **{}** a*"]
)
def test_every_letter_is_read_back_in_every_style(style):
    """All Vietnamese letters, small and capital: each comes out of the text layer once."""
    signs = ["", *"\u0300\u0301\u0309\u0303\u0323"]
    small = [
        unicodedata.normalize("NFC", letter + sign) for letter in "aăâeêioôơuưy" for sign in signs
    ]
    words = [f"n{letter}{letter.upper()}n" for letter in [*small, *"đbcdfghjklmnpqrstvwxz"]]
    made = executed("20-school-activities", "philadelphia", "2020-Q2", "vi")
    said = new_markdown_cell(style.format(" ".join(words)))
    made = new_notebook(cells=[*made.cells, said], metadata=made.metadata)
    text = text_of(WardPDFExporter().from_notebook_node(made)[0])
    assert [word for word in words if word not in text.split()] == []


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize(
    ("ward", "period"), [*PERIODS, ("phuc-dong", "2021"), ("philadelphia", "2021")]
)
def test_no_page_is_half_empty_or_in_small_type(ward, period, language):
    """What stands on a page, but for the last, reaches below its middle; no letter is under 9 pt."""
    millimetre = 72 / 25.4
    for notebook in NOTEBOOKS:
        sheets = list(pymupdf.open(stream=pdf(notebook, ward, period, language)))
        for number, sheet in enumerate(sheets, 1):
            foot = sheet.rect.height - 20 * millimetre
            feet = [drawn["rect"].y1 for drawn in sheet.get_drawings()]
            for block in sheet.get_text("dict")["blocks"]:
                for span in (span for line in block.get("lines", []) for span in line["spans"]):
                    assert span["size"] > 8.99 or not span["text"].strip(), span["text"]
                    feet.append(span["bbox"][3])
            lowest = max(low for low in feet if low <= foot + 1)
            if number < len(sheets):
                assert lowest > sheet.rect.height / 2, (notebook, number)


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize(("ward", "period", "as_of"), [
    ("phuc-dong", "2020-9M", "2020-09-13"), ("phuc-dong", "2021-Q3", ""), ("phuc-dong", "2021-01", ""),
    ("phuc-dong", "2020", ""), ("phuc-dong", "2021", ""), ("phuc-dong", "2019-H1", ""),
    ("philadelphia", "2020-Q2", ""), ("philadelphia", "2020-9M", ""),
])  # fmt: skip
def test_the_leader_reads_two_pages_that_answer_first(ward, period, as_of, language):
    """At any time: two pages at most, with the signature; the answer stands before the first section
    and is on the first page."""
    page = ("90-briefing", ward, period, language, as_of)
    sheets = pypdf.PdfReader(io.BytesIO(pdf(*page))).pages
    assert len(sheets) <= 2
    main = html(*page).partition("<main")[2]
    lines = re.findall(r"<p>(<strong>.*?)</p>", main.partition("<h2>")[0])
    assert len(lines) == 3
    first = "".join(sheets[0].extract_text().split())
    for line in lines:
        assert "".join("".join(Text(line).words).split()) in first
    end = "CHỦTỊCH" if language == "vi" else "CHAIRMAN"
    assert ward != "phuc-dong" or end in "".join(sheets[-1].extract_text().split())


def test_the_head_follows_the_decree():
    """Superior and issuing body, motto, number to be filled in, place and date, draft, title,
    signature left blank; in English the same."""
    text = text_of(pdf("90-briefing", "phuc-dong", "2020-9M", "vi", "2020-09-13"))
    for part in ("DỰ THẢO", "UBND QUẬN LONG BIÊN", "ỦY BAN NHÂN DÂN PHƯỜNG PHÚC ĐỒNG", "Số: … /BC-UBND",
                 "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "BÁO CÁO",
                 "Phúc Đồng, ngày 13 tháng 9 năm 2020", "TM. ỦY BAN NHÂN DÂN CHỦ TỊCH", "Lưu: VT."):  # fmt: skip
        assert part in text, part
    text = text_of(pdf("90-briefing", "phuc-dong", "2020-9M", "en"))
    for part in ("DRAFT", "LONG BIÊN DISTRICT", "PEOPLE'S COMMITTEE OF PHÚC ĐỒNG WARD", "REPORT",
                 "No.: … /BC-UBND", "Independence - Freedom - Happiness", "CHAIRMAN"):  # fmt: skip
        assert part in text, part
    assert "BC-UBND" not in text_of(pdf("90-briefing", "philadelphia", "2020-Q2", "en"))


@pytest.mark.parametrize(
    ("day", "council"),
    [("2021-06-30", True), ("2021-07-01", False), ("2025-06-30", False), ("2025-07-01", True)],
)
def test_recipients_are_those_of_the_day(day, council):
    """The ward had no People's Council from 01/07/2021 to 30/06/2025, both days included."""
    edition = wardlib.open("phuc-dong", "2020-9M", "vi", day)
    assert ("HĐND phường" in edition.recipients) is council
    assert edition.recipients[0] == "UBND quận Long Biên (để báo cáo)"
    assert edition.recipients[-1] == "Lưu: VT"


@pytest.mark.parametrize(("ward", "period"), [("phuc-dong", "2020-9M"), ("phuc-dong", "2020-01")])
def test_targets_are_drawn_to_be_read(monkeypatch, ward, period):
    """No word under 9 pt, as the chart stands on paper in its own size; a legend names what is drawn;
    no bar or line leaves the axes, and a bar that is broken says inside how far it goes."""
    figures = []
    monkeypatch.setattr(drawing, "outlines", lambda figure: figures.append(figure) or "<svg/>")
    page = wardlib.open(ward, period, "en").targets
    drawn = pd.DataFrame(page.chart().figures["data"])
    (figure,) = figures
    (axes,) = figure.axes
    words = [own for own in figure.findobj(Words) if own.get_visible() and own.get_text()]
    assert min(own.get_fontsize() for own in words) >= 9
    (legend,) = figure.legends
    named = [own.get_text() for own in legend.get_texts()]
    assert named[0] == ("so far" if period == "2020-01" else "by the end of the period")
    assert {"usual by now", "target"} <= set(named)
    low, high = axes.get_xlim()
    for line in axes.lines:
        x = [float(value) for value in line.get_xdata()]
        assert all(low <= value <= high for value in x if value == value)
    far = {f"{value:,.0f}\N{NO-BREAK SPACE}%" for value in drawn["value"] if value > high}
    inside = {
        own.get_text() for own in axes.texts if 0 < own.xy[0] < high and "%" in own.get_text()
    }
    assert far <= inside
    assert far or period != "2020-9M"


def test_no_words_of_a_chart_touch_at_any_length(monkeypatch):
    """From one month to five years, in both languages, every word of every chart stands inside the
    picture and on no other, in 9 pt at least: a picture prints in its own size."""
    drawn = 0

    def look(figure):
        nonlocal drawn
        FigureCanvasAgg(figure).draw()
        renderer, whole = figure.canvas.get_renderer(), figure.bbox
        boxes, beyond = [], set()  # matplotlib keeps ticks beyond the ends of an axis, undrawn
        for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
            low, high = sorted(axis.get_view_interval())
            for tick, at in zip(axis.get_major_ticks(), axis.get_majorticklocs(), strict=True):
                if not low <= at <= high:
                    beyond |= {tick.label1, tick.label2}
        for words in figure.findobj(Words):
            box = words.get_window_extent(renderer)
            if words.get_visible() and words.get_text().strip() and words not in beyond:
                boxes.append((words.get_text(), box))
                assert words.get_fontsize() >= 9, words
        for index, (words, box) in enumerate(boxes):
            assert whole.x0 - 1 <= box.x0 and box.x1 <= whole.x1 + 1, words
            assert whole.y0 - 1 <= box.y0 and box.y1 <= whole.y1 + 1, words
            for other, beside in boxes[:index]:
                wide = min(box.x1, beside.x1) - max(box.x0, beside.x0)
                high = min(box.y1, beside.y1) - max(box.y0, beside.y0)
                assert wide < 1 or high < 1, (words, other)
        drawn += 1
        return "<svg/>"

    monkeypatch.setattr(drawing, "outlines", look)
    for ward, period, window in (
        ("phuc-dong", "2017-01", 36), ("phuc-dong", "2020-04", 36), ("phuc-dong", "2020-9M", 36),
        ("phuc-dong", "2021", 60), ("philadelphia", "2021", 60), ("philadelphia", "2020-Q2", 12),
    ):  # fmt: skip
        monkeypatch.setattr(effect, "WINDOW", window)
        book = wardlib.open(ward, period)
        pages = book.tax, book.effect, book.schools, book.activities, book.targets
        for language in ("vi", "en"):
            edition = Edition(book.book, get(language))
            tax, effects, schools, activities, targets = (
                replace(p, edition=edition) for p in pages
            )
            tax.running_total_chart()
            effects.chart()
            effects.chart(height=1.2)
            effects.bridge_chart()
            effects.bridge_chart(row_height=0.31, most=5)
            effects.lines_chart()
            schools.calendar_chart()
            activities.chart()
            targets.chart()
            targets.brief_chart()
    assert drawn > 60
