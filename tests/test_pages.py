"""Tables, charts and sentences: what a reader sees is what the result holds."""

import json
import re
import xml.etree.ElementTree as ElementTree

import matplotlib as mpl
import pandas as pd
import pytest

from wardlib import (
    blocks,
    charts,
    editions,
    intake,
    published,
    receipts,
    sentences,
    tables,
    targets,
)
from wardlib.language import NBSP
from wardlib.receipts import summarise

CASES = [("phuc-dong", "2020-9M", "2020-09-13"), ("phuc-dong", "2021-Q3", ""),
         ("phuc-dong", "2017-01", ""), ("philadelphia", "2020-Q2", ""), ("philadelphia", "2013-08", "")]  # fmt: skip


def made(ward, period, as_of, language):
    """Every block that the notebooks show, by name."""
    book = intake.open_book(ward, period, as_of)
    edition = editions.of(book, language)
    result = receipts.summarise(
        book.table("receipts"), book.table("revenue_lines"), book.table("targets"), book.period
    )
    standing = targets.standing(
        book.table("indicator_months"), book.table("indicators"), book.table("targets"), book.period
    )
    history = [
        book.table(name, every_report=True) for name in ("receipts", "indicator_months", "targets")
    ]
    beside = published.reconcile(book.table("published"), *history, book.period)
    shown = {
        "headline": sentences.headline(result, edition),
        "lags": sentences.lags(result, edition),
        "largest_fall": sentences.largest_fall(result, edition),
        "not_reported": sentences.not_reported(result, edition, standing),
        "key_figures": sentences.key_figures(result, edition, standing),
        "readings": sentences.reconciliation(beside, edition),
        "plan": tables.plan(result, edition),
        "year_before": tables.year_before(result, edition),
        "months": tables.months(result, edition),
        "briefing": tables.briefing(result, edition),
        "coverage": tables.coverage(intake.coverage(book), edition),
        "reconciliation": tables.reconciliation(beside, edition),
        "chart_year": charts.year_to_date(result, edition),
        "chart_months": charts.monthly(result, edition, book.table("covid_phases")),
        "sources": editions.sources(edition, book),
        "files": editions.files(edition, book),
    }
    return result, shown


def plain(block):
    return block.data["text/plain"].replace(NBSP, " ")


def numbers(text, language):
    """The numbers of a text, language-free, sorted."""
    group, point = (".", ",") if language == "vi" else (",", ".")
    found = re.findall(r"\d[\d.,]*\d|\d", text)
    return sorted(number.replace(group, "").replace(point, ".") for number in found)


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_both_languages_print_the_same_figures(case):
    """The Vietnamese and the English edition carry the same data behind every table and chart,
    and the same numbers in every table."""
    _, vietnamese = made(*case, "vi")
    _, english = made(*case, "en")
    compared = 0
    for name, block in vietnamese.items():
        other = english[name]
        if block is None:
            assert other is None
            continue
        assert block.data.get(blocks.RESOURCE) == other.data.get(blocks.RESOURCE), name
        if name in {"plan", "year_before", "briefing"}:
            ours, theirs = plain(block).split("\n", 1)[-1], plain(other).split("\n", 1)[-1]
            assert numbers(ours, "vi") == numbers(theirs, "en"), name
            compared += 1
    assert compared == 3


def test_the_headline_prints_the_share_with_both_amounts():
    """As of 13/09/2020: 208 % with 6,240 of 3,000, in the words of official papers."""
    _, shown = made(*CASES[0], "vi")
    assert "bằng 208 % (6.240/3.000 triệu đồng) kế hoạch cấp trên giao" in plain(shown["headline"])
    _, shown = made(*CASES[0], "en")
    assert "208 % (6,240/3,000 M VND) of the plan" in plain(shown["headline"])


def test_what_is_not_reported_is_named():
    """The three lines and the indicator without a September figure are named, with the month."""
    _, shown = made(*CASES[0], "vi")
    text = plain(shown["not_reported"])
    assert "Còn là số ước thực hiện: số liệu 9/2020." in text
    for name in ("phí, lệ phí (9/2020)", "thu khác, thu phạt (9/2020)", "bảo hiểm y tế (9/2020)"):
        assert name in text
    assert "không tính là 0" in text


def test_a_year_of_which_months_are_missing_says_so():
    """On 20/04/2020 the year 2020 has four months: the headline says so, and the months to come are
    named once, not once a line."""
    _, shown = made("phuc-dong", "2020", "2020-04-20", "vi")
    assert "(mới có số liệu 4/12 tháng)" in plain(shown["headline"])
    text = plain(shown["not_reported"])
    assert "mọi khoản thu (5/2020–12/2020); phí, lệ phí (4/2020)" in text
    _, shown = made("phuc-dong", "2020", "", "vi")
    assert "mới có" not in plain(shown["headline"])


def test_key_figures_are_those_of_the_article():
    """115 units, 100 %, 82,9 % and 104 dossiers; the indicator without a figure says so."""
    _, shown = made(*CASES[0], "vi")
    text = plain(shown["key_figures"])
    for part in ("115 đơn vị máu · ", "115 % · chỉ tiêu 100", "100 % · tỷ lệ hồ sơ", "82,9 % · ",
                 "104 hồ sơ", "… · tỷ lệ người dân"):  # fmt: skip
        assert part in text


def test_the_citys_april_is_named_as_the_largest_fall():
    """April 2020: business tax 69.4 against 355.6 million dollars, and no loss is claimed."""
    _, shown = made("philadelphia", "2020-Q2", "", "en")
    text = plain(shown["largest_fall"])
    assert "business income and receipts tax, April 2020: 69.4 M USD against 355.6 M USD" in text
    assert "Deferral or exemption by law may explain it" in text
    assert "69.4" in plain(shown["months"])


def test_marks_follow_the_status():
    """Estimates carry an asterisk, partial sums a dagger, and only then do the notes speak."""
    _, shown = made(*CASES[0], "vi")
    table = shown["briefing"].data["text/html"]
    assert re.search(r'6\.240,0<span class="hang">\*</span>', table)
    assert table.count("†") >= 4
    _, shown = made("phuc-dong", "2018-Q1", "", "vi")
    assert not {"*", "†"} & set(plain(shown["briefing"]))


@pytest.mark.parametrize("case", CASES, ids="-".join)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_alt_texts_speak_of_what_is_drawn(case, language):
    """Lowest, highest and last value of the alt text are those of the drawn figures."""
    result, shown = made(*case, language)
    block = shown["chart_months"]
    drawn = [row["collected"] for row in block.data[blocks.RESOURCE]["data"] if row["collected"]]
    unit = editions.get(language).unit("VND" if case[0] == "phuc-dong" else "USD", max(drawn))
    for value in (min(drawn), max(drawn), drawn[-1]):
        assert unit.figure(value, trim=True) in block.about["alt"]
    assert len(drawn) <= charts.WINDOW
    assert block.data[blocks.RESOURCE]["data"][-1]["month"] == str(result.period.last)


def test_a_bar_is_as_high_as_its_figure(monkeypatch):
    """The heights of the bars are the table's amounts in the unit of the axis, from zero."""
    kept = []
    monkeypatch.setattr(charts, "_svg", lambda figure: kept.append(_bars(figure)) or "<svg/>")
    result, shown = made("phuc-dong", "2020-9M", "", "vi")
    drawn = shown["chart_months"].data[blocks.RESOURCE]["data"]
    heights = kept[-1]
    assert heights == pytest.approx([row["collected"] / 1e6 for row in drawn])
    assert heights[-9:] == pytest.approx(list(result.months["total"].iloc[-9:] / 1e6))


def _bars(figure):
    axes = figure.axes[0]
    assert axes.get_ylim()[0] <= 0
    return [bar.get_height() for container in axes.containers for bar in container]


def test_a_chart_of_another_line_shows_that_line():
    """An analyst may draw any line; title and figures are that line's."""
    result, _ = made("phuc-dong", "2020-9M", "", "vi")
    edition = editions.of(intake.open_book("phuc-dong", "2020-9M"), "vi")
    block = charts.year_to_date(result, edition, line="land_tax")
    assert block.about["caption"].startswith("Thuế sử dụng đất phi nông nghiệp")
    last = block.data[blocks.RESOURCE]["data"][-1]
    assert last["running_total"] == result.lines.at["land_tax", "year_to_date"]


def test_charts_leave_the_global_style_alone():
    """Drawing changes no setting of matplotlib and leaves no figure open."""
    before = dict(mpl.rcParams)
    made("phuc-dong", "2020-9M", "", "vi")
    assert dict(mpl.rcParams) == before
    assert not mpl.pyplot.get_fignums()


def test_charts_are_the_same_bytes_each_time():
    """No clock and no random id stands in the SVG."""
    first, second = (made("phuc-dong", "2020-9M", "", "vi")[1]["chart_months"] for _ in range(2))
    assert first.data == second.data
    assert first.data[blocks.SVG].startswith("<svg")
    ElementTree.fromstring(first.data[blocks.SVG])


def test_tables_have_heads_and_are_well_formed():
    """Every table has a caption, column heads and row heads, and parses as XML."""
    _, shown = made(*CASES[0], "vi")
    for name in ("plan", "year_before", "months", "briefing", "coverage", "reconciliation"):
        root = ElementTree.fromstring(shown[name].data["text/html"])
        (table,) = root.iter("table")
        heads = table.findall("thead/tr/th")
        rows = table.findall("tbody/tr")
        assert table.find("caption").text
        assert {head.get("scope") for head in heads} == {"col"}
        assert rows
        assert all(row[0].tag == "th" and row[0].get("scope") == "row" for row in rows)
        assert {len(row) for row in rows} == {len(heads)}


def test_the_figures_behind_a_table_have_units_period_day_and_source():
    """No number travels without unit, period, as-of day and source."""
    _, shown = made(*CASES[0], "vi")
    figures = shown["plan"].data[blocks.RESOURCE]
    units = {field["name"]: field.get("unit") for field in figures["schema"]["fields"]}
    assert units["year_to_date"] == units["plan_upper"] == "VND"
    assert (figures["period"], figures["as_of"]) == ("2020-9M", "2020-09-13")
    assert figures["illustrative"] is True
    assert figures["sources"][0]["title"].startswith("Illustrative")
    row = next(row for row in figures["data"] if row["line"] == "total")
    assert (row["year_to_date"], row["share_upper"]) == (6_240_000_000, 2.08)
    json.dumps(figures, allow_nan=False)


def test_missing_figures_are_null_in_data_and_dots_in_print():
    """A missing month is null in the resource, an empty cell in the CSV, "…" on the page."""
    _, shown = made(*CASES[0], "vi")
    figures = shown["months"].data[blocks.RESOURCE]
    row = next(r for r in figures["data"] if (r["line"], r["month"]) == ("fees", "2020-09"))
    assert row["collected"] is None
    assert "2020-09,fees,\n" in blocks.as_csv(figures)
    assert "month,line,collected (VND)\n" in blocks.as_csv(figures)
    assert plain(shown["months"]).count("…") >= 3


def test_a_revised_figure_is_explained():
    """The published 208 % agreed on its day; the reading names both amounts and the other
    reading of the words."""
    _, shown = made("phuc-dong", "2020-9M", "", "vi")
    text = plain(shown["readings"])
    assert re.search(r"ngày 13/09/2020.*6\.240 triệu đồng \(208 %\) thành 6\.3\d\d", text)
    assert "308" in text
    assert "khớp khi công bố, sau đó điều chỉnh" in plain(shown["reconciliation"])


def test_ratios_and_falls_are_not_confused():
    """Below the year before, the headline says "bằng n %", never "giảm n %"."""
    _, shown = made("philadelphia", "2020-Q2", "", "vi")
    text = plain(shown["headline"])
    assert "bằng 83,8 % (2.202,4/2.627,7 triệu USD) so với cùng kỳ năm trước" in text
    assert "giảm" not in text


def test_names_inside_a_sentence_keep_acronyms():
    """ "VAT of households" keeps its capitals, "Land rent" does not."""
    assert sentences._lower("VAT of business households") == "VAT of business households"
    assert sentences._lower("Đơn vị máu") == "đơn vị máu"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '#read("secret.txt")',
        "$x$",
        "**b**",
        "@ref",
        "a\\b",
        "]#[",
        "\u202e",
    ],
)
def test_text_from_data_takes_no_effect(text, lines, receipts_of_one):
    """A line with a hostile name is printed as that name, in HTML and in Typst."""
    result, edition = receipts_of_one(text)
    block = tables.plan(result, edition)
    root = ElementTree.fromstring(block.data["text/html"])
    assert text in [cell.text for cell in root.iter("th")]
    assert blocks.typst(text) in block.data[blocks.TYPST]
    assert blocks.typst(text).startswith('#"')


@pytest.fixture
def receipts_of_one(receipts, lines, targets):
    """A result whose first line carries the given name, with an edition in Vietnamese."""
    book = intake.open_book("phuc-dong", "2020-02")
    edition = editions.of(book, "vi")

    def build(name):
        named = lines.assign(name_vi=[name, *lines["name_vi"][1:]])
        return summarise(receipts, named, targets, book.period), edition

    return build


def test_a_unit_without_plan_is_told_so():
    """Where nothing was planned, the table has no plan columns and says why."""
    _, shown = made("philadelphia", "2020-Q2", "", "en")
    assert "No plan was given" in plain(shown["plan"])
    assert "Plan, upper level" not in plain(shown["plan"])


def test_a_period_of_which_nothing_was_published_is_told_so():
    """No empty table: a sentence says that no published figure is known."""
    _, shown = made("philadelphia", "2013-08", "", "vi")
    assert shown["reconciliation"] is None
    assert plain(shown["readings"]) == "Chưa biết có số liệu nào của kỳ này đã được công bố."


def test_only_illustrative_wards_carry_the_mark():
    """The mark stands on made-up figures and on no others."""
    for ward, marked in (("phuc-dong", True), ("philadelphia", False)):
        edition = editions.of(intake.open_book(ward, "2020-Q2"), "vi")
        data, about = edition._repr_mimebundle_()
        assert bool(about["wardlib"]["mark"]) is marked
        assert ("MINH HỌA" in data["text/html"]) is marked


def test_no_plan_frame_is_touched_by_a_page():
    """Pages read results, they do not change them."""
    result, _ = made("phuc-dong", "2020-9M", "", "vi")
    before = result.lines.copy(), result.months.copy()
    edition = editions.of(intake.open_book("phuc-dong", "2020-9M"), "vi")
    for function in (tables.plan, tables.year_before, tables.months, tables.briefing,
                     sentences.headline, sentences.lags, charts.year_to_date):  # fmt: skip
        function(result, edition)
    pd.testing.assert_frame_equal(result.lines, before[0])
    pd.testing.assert_frame_equal(result.months, before[1])
