"""Tables, charts and sentences: what a reader sees is what the result holds."""

import dataclasses
import functools
import itertools
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

import wardlib
from wardlib.analysis import outliers, targets
from wardlib.analysis.receipts import summarise
from wardlib.language import NBSP, get, inside, printed
from wardlib.pages import drawing, effect, html, typst
from wardlib.pages.block import as_csv
from wardlib.pages.effect import EffectPage
from wardlib.pages.schools import SchoolsPage
from wardlib.pages.tax import TaxPage
from wardlib.pages.workbook import Workbook

CASES = [("phuc-dong", "2020-9M", "2020-09-13"), ("phuc-dong", "2021-Q3", ""),
         ("phuc-dong", "2017-01", ""), ("philadelphia", "2020-Q2", ""), ("philadelphia", "2013-08", "")]  # fmt: skip
PAGES = ("data_check", "arrivals", "tax", "effect", "schools", "activities", "targets", "briefing")


@functools.cache
def opened(ward, period, as_of="", language="vi"):
    """A workbook, its results the same for both languages; to be read only."""
    if language == "vi":
        return wardlib.open(ward, period, language, as_of)
    other = opened(ward, period, as_of)
    book = Workbook(other.book, get(language))
    for page in PAGES:
        book.__dict__[page] = dataclasses.replace(getattr(other, page), edition=book)
    return book


@functools.cache
def made(ward, period, as_of, language):
    """Every block that the pages make, by page and name."""
    book = opened(ward, period, as_of, language)
    shown = {
        f"{page}.{name}": getattr(getattr(book, page), name)()
        for page in PAGES
        for name in dir(type(getattr(book, page)))
        if not name.startswith("_")
        and name not in ("answer", "month")  # that is no block, or one of a line and month
    }
    return shown | {"sources": book.sources(), "files": book.files()}


SAME_NUMBERS = {"tax.plan_table", "tax.year_before_table", "targets.table",
                "targets.projections_table", "targets.year_end", "targets.carried"}  # fmt: skip


def plain(block):
    return block.plain.replace(NBSP, " ")


def numbers(text, language):
    """The numbers of a text, language-free, sorted."""
    group, point = (".", ",") if language == "vi" else (",", ".")
    found = re.findall(r"\d[\d.,]*\d|\d", text)
    return sorted(number.replace(group, "").replace(point, ".") for number in found)


@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_both_languages_print_the_same_figures(case):
    """The Vietnamese and the English edition carry the same data behind every table and chart,
    and the same numbers in every table."""
    vietnamese = made(*case, "vi")
    english = made(*case, "en")
    compared = 0
    for name, block in vietnamese.items():
        other = english[name]
        if block is None:
            assert other is None
            continue
        assert block.figures == other.figures, name
        if name in SAME_NUMBERS:
            ours, theirs = plain(block).split("\n", 1)[-1], plain(other).split("\n", 1)[-1]
            assert numbers(ours, "vi") == numbers(theirs, "en"), name
            compared += 1
    assert compared >= 4


def test_the_headline_prints_the_share_with_both_amounts():
    """As of 13/09/2020: 208 % with 6,240 of 3,000, in the words of official papers."""
    shown = made(*CASES[0], "vi")
    assert "bằng 208 % (6.240/3.000 triệu đồng) dự toán quận giao" in plain(shown["tax.headline"])
    shown = made(*CASES[0], "en")
    assert "208 % (VND 6,240/3,000 million) of the plan set by the district" in plain(
        shown["tax.headline"]
    )


def test_what_is_not_reported_is_named():
    """The three lines and the indicator without a September figure are named, with the month."""
    shown = made(*CASES[0], "vi")
    text = plain(shown["briefing.not_reported"])
    assert "Còn là số ước thực hiện: số liệu 9/2020." in text
    for name in ("phí, lệ phí (9/2020)", "thu khác, thu phạt (9/2020)", "bảo hiểm y tế (9/2020)"):
        assert name in text
    assert "không tính là 0" in text


def test_a_year_of_which_months_are_missing_says_so():
    """On 20/04/2020 the year 2020 has four months: the headline says so, and the months to come are
    named once, not once a line."""
    shown = made("phuc-dong", "2020", "2020-04-20", "vi")
    assert "(mới có số liệu 4/12 tháng)" in plain(shown["tax.headline"])
    text = plain(shown["briefing.not_reported"])
    assert "mọi khoản thu (5/2020–12/2020); phí, lệ phí (4/2020)" in text
    shown = made("phuc-dong", "2020", "", "vi")
    assert "mới có" not in plain(shown["tax.headline"])


def test_key_figures_are_those_of_the_article():
    """115 units of 100, 100 %, 82,9 % and 104 dossiers; the indicator without a figure says so."""
    shown = made(*CASES[0], "vi")
    text = plain(shown["briefing.key_figures"])
    for part in ("115 % (115/100 đơn vị máu)", "đúng hạn 100 % (chỉ tiêu 100)",
                 "trước hạn 82,9 % (chỉ tiêu 80)", "104 % (104/100 hồ sơ)",
                 "bảo hiểm y tế (8/2020) 89,9 % (chỉ tiêu 90)."):  # fmt: skip
        assert part in text


def test_the_citys_business_tax_is_put_off_in_june_and_back_in_july():
    """What was missing in spring had been put off until 15/07/2020 and came then: never overdue."""
    page = opened("philadelphia", "2020-Q2", "", "en").effect
    assert re.search(
        r"business income and receipts tax[^;(]* \(short, then paid as the time allowed by law ended",
        plain(page.moved()),
    )
    said = plain(page.sentence("birt"))
    assert "Put off by law and paid since: about USD 173 million" in said
    said = plain(opened("philadelphia", "2020-07", "", "en").effect.sentence("birt"))
    assert "more came in than expected, of which about USD 162.8 million had been put off" in said
    assert "Put off by law and paid in the same months: about USD" in said
    assert "overdue" not in said


def test_amusement_and_parking_lost():
    """Two taxes of which nothing was put off: the loss stands in both languages with its interval."""
    for language, words in (("vi", "Mất thu "), ("en", "Lost: ")):
        page = opened("philadelphia", "2020-Q2", "", language).effect
        told = plain(page.findings())
        for line in ("amusement", "parking"):
            said = plain(page.sentence(line))
            assert said in told
            found = page.result.by_line[line].never_due_later
            low, high = (
                page.edition.unit(1e8).figure(end, trim=True) for end in (found.lower, found.upper)
            )
            claimed = said[said.rindex(words) :]
            assert re.search(rf"\(\w+ {re.escape(low)} \w+ {re.escape(high)}\)\.$", claimed)
            assert found.lower > 0


@pytest.mark.parametrize("silent", ["history", "placebo", "exempt", "before"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_statement_says_why_and_shows_no_estimate(silent, language):
    """Where nothing can be said, sentence, table and charts say nothing, and the sentence says why."""
    found = opened("phuc-dong", "2020-9M", "").effect.result
    lines = found.lines.copy()
    lines.loc["total", "silent"] = silent
    edition = opened("phuc-dong", "2020-9M", "", language)
    page = EffectPage(edition, dataclasses.replace(found, lines=lines))
    reason = edition.language.words("silence")[silent]
    assert (
        plain(page.sentence())
        == (
            {
                "vi": f"Tổng thu ngân sách nhà nước trên địa bàn: chưa đủ căn cứ kết luận: {reason}.",
                "en": f"Total state budget revenue on the territory: not enough evidence: {reason}.",
            }[language]
        )
    )
    assert "total" not in [row["line"] for row in page.bridge_chart().figures["data"]]
    assert all(row["counterfactual"] is None for row in page.chart().figures["data"])
    table = page.bridge_table()
    assert "total" not in [row["line"] for row in table.figures["data"]]
    row = table.content["rows"][0]
    assert reason in row["says"]
    assert {line for cell in row["cells"] for line in cell["lines"]} == {"…"}
    every = dataclasses.replace(found, lines=lines.assign(silent=silent))
    assert EffectPage(edition, every).bridge_chart() is None
    assert EffectPage(edition, every).lines_chart() is None


def test_table_sentence_and_chart_agree():
    """What was collected, what was put off and what is lost of a line is the same number in the table, the
    chart and the sentence."""
    page = opened("philadelphia", "2020-Q2", "", "en").effect
    rows = page.bridge_table().figures["data"]
    drawn = {row["line"]: row for row in page.bridge_chart().figures["data"]}
    for line, member, words in (
        ("birt", "paid_later", "Put off by law and paid since: about"),
        ("amusement", "lost", "Lost:"),
    ):
        row = next(row for row in rows if (row["line"], row["span"]) == (line, "period"))
        assert row[member] > 0
        for name in ("collected", member):
            assert drawn[line][name] == pytest.approx(row[name], abs=0.1001e6)
        said = plain(page.sentence(line)).split("From Mar 2020 to Jun 2020")[0]
        assert f"{words} USD {drawn[line][member] / 1e6:,.1f}".removesuffix(".0") in said
        assert f"came to USD {row['collected'] / 1e6:,.1f}".removesuffix(".0") in said


def test_an_effect_over_fewer_months_says_so():
    """The fees of September are not known on 13/09/2020: their effect is of seven months of eight."""
    edition = opened("phuc-dong", "2020-9M", "2020-09-13", "vi")
    found = opened(*CASES[0]).effect.result
    assert "); mới có số liệu 7/8 tháng." in plain(EffectPage(edition, found).sentence("fees"))
    assert "mới có số liệu" not in plain(EffectPage(edition, found).sentence())


def test_a_period_before_the_epidemic_claims_nothing():
    """January 2017 has bars and no estimate, and says so."""
    shown = made("phuc-dong", "2017-01", "", "vi")
    assert "kỳ này kết thúc trước khi có dịch" in plain(shown["effect.sentence"])
    for name in ("findings", "bridge_table", "bridge_chart", "lines_chart"):
        assert shown[f"effect.{name}"] is None


def test_marks_follow_the_status():
    """Estimates carry an asterisk, partial sums a dagger, and only then do the notes speak."""
    shown = made(*CASES[0], "vi")
    assert re.search(
        r'6\.240,0<span class="hang">\*</span>', html.render(shown["targets.table"].content)
    )
    assert html.render(shown["targets.table"].content).count("†") >= 4
    shown = made("phuc-dong", "2018-Q1", "", "vi")
    assert not {"*", "†"} & set(plain(shown["targets.table"]))


def effects_start(case):
    """The first month of what can be said of a case, None where nothing can."""
    return opened(*case).effect.result.span


@pytest.mark.parametrize("case", CASES, ids="-".join)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_alt_texts_speak_of_what_is_drawn(case, language):
    """Lowest, highest and last value of the alt text are those of the drawn figures."""
    shown, result = made(*case, language), opened(*case).tax.result
    block = shown["effect.chart"]
    drawn = [row["collected"] for row in block.figures["data"] if row["collected"]]
    unit = get(language).unit("VND" if case[0] == "phuc-dong" else "USD", max(drawn))
    assert ("95 %" in block.content["alt"].replace(NBSP, " ")) is (effects_start(case) is not None)
    for value in (min(drawn), max(drawn), drawn[-1]):
        assert unit.figure(value, trim=True) in block.content["alt"]
    assert len(drawn) <= effect.WINDOW
    assert block.figures["data"][-1]["month"] == str(result.period.last)


def test_a_bar_is_as_high_as_its_figure(monkeypatch):
    """The heights of the bars are the table's amounts in the unit of the axis, from zero."""
    book = opened("phuc-dong", "2020-9M")
    result = book.tax.result
    kept = []
    monkeypatch.setattr(drawing, "outlines", lambda figure: kept.append(_bars(figure)) or "<svg/>")
    block = book.effect.chart()
    drawn = block.figures["data"]
    (heights,) = kept
    assert heights == pytest.approx([row["collected"] / 1e6 for row in drawn])
    year = result.months["total"][result.period.months]
    assert heights[-9:] == pytest.approx(list(year / 1e6))


def test_the_bars_of_events_are_those_held(monkeypatch):
    """All fields together, month by month, from zero."""
    book = opened("phuc-dong", "2020-9M")
    kept = []
    monkeypatch.setattr(drawing, "outlines", lambda figure: kept.append(_bars(figure)) or "<svg/>")
    book.activities.chart()
    assert kept == [list(book.activities.result.months["held"].groupby("month").sum())]


def _bars(figure):
    axes = figure.axes[0]
    assert axes.get_ylim()[0] <= 0
    return [bar.get_height() for container in axes.containers for bar in container]


def test_a_chart_of_another_line_shows_that_line():
    """An analyst may draw any line; title and figures are that line's."""
    page = opened("phuc-dong", "2020-9M").tax
    block = page.running_total_chart("land_tax")
    assert block.content["caption"].startswith("Thuế sử dụng đất phi nông nghiệp")
    last = block.figures["data"][-1]
    assert last["running_total"] == page.result.lines.at["land_tax", "year_to_date"]


def test_charts_leave_the_global_style_alone():
    """Drawing changes no setting of matplotlib and leaves no figure open."""
    code = """
import matplotlib.pyplot as plt, wardlib
before = dict(plt.rcParams)
book = wardlib.open("phuc-dong", "2020-9M")
for chart in (book.tax.running_total_chart, book.effect.chart, book.schools.calendar_chart,
              book.activities.chart, book.targets.chart):
    assert chart().svg
assert dict(plt.rcParams) == before
assert not plt.get_fignums()
"""  # in a process of its own: here others have drawn before
    subprocess.run([sys.executable, "-c", code], check=True)


def test_charts_are_the_same_bytes_each_time():
    """No clock and no random id stands in the SVG."""
    first, second = (wardlib.open("phuc-dong", "2020-9M").effect.chart() for _ in range(2))
    assert first == second
    assert first.svg.startswith("<svg")
    ElementTree.fromstring(first.svg)


def test_tables_have_heads_and_are_well_formed():
    """Every table has a caption, column heads and row heads, and parses as XML."""
    shown = made(*CASES[0], "vi")
    tables = [own for own in shown.values() if own and own.content["kind"] == "table"]
    assert len(tables) == sum(
        name.endswith(("table", "brief_tasks")) and block is not None
        for name, block in shown.items()
    )
    for own in tables:
        root = ElementTree.fromstring(html.render(own.content))
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
    shown = made(*CASES[0], "vi")
    figures = shown["tax.plan_table"].figures
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
    shown = made(*CASES[0], "vi")
    figures = shown["tax.months_table"].figures
    row = next(r for r in figures["data"] if (r["line"], r["month"]) == ("fees", "2020-09"))
    assert row["collected"] is None
    assert "2020-09,fees,\n" in as_csv(figures)
    assert "month,line,collected (VND)\n" in as_csv(figures)
    assert plain(shown["tax.months_table"]).count("…") >= 3


def test_a_revised_figure_is_explained():
    """The published 208 % agreed on its day; the reading names both amounts and the other
    reading of the words."""
    shown = made("phuc-dong", "2020-9M", "", "vi")
    text = plain(shown["data_check.readings"])
    assert re.search(r"ngày 13/09/2020.*6\.240 triệu đồng \(208 %\) thành 6\.3\d\d", text)
    assert "308" in text
    assert "khớp khi công bố, sau đó điều chỉnh" in plain(shown["data_check.published_table"])


def test_ratios_and_falls_are_not_confused():
    """Below the year before, the headline says "bằng n %", never "giảm n %"."""
    shown = made("philadelphia", "2020-Q2", "", "vi")
    text = plain(shown["tax.headline"])
    assert "bằng 83,8 % (2.202,4/2.627,7 triệu USD) so với cùng kỳ năm trước" in text
    assert "giảm" not in text


def test_names_inside_a_sentence_keep_acronyms():
    """ "VAT of households" keeps its capitals, "Land rent" does not."""
    assert inside("VAT of business households") == "VAT of business households"
    assert inside("Đơn vị máu") == "đơn vị máu"


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
        "Thu\u202ephí",
    ],
)
def test_text_from_data_takes_no_effect(text, lines, receipts_of_one):
    """A line with a hostile name is printed as that name, in HTML and in Typst."""
    result, edition = receipts_of_one(text)
    block = TaxPage(edition, result).plan_table()
    root = ElementTree.fromstring(html.render(block.content))
    assert printed(text) in [cell.text for cell in root.iter("th")]
    assert typst.escape(text) in typst.render(block.content)
    assert typst.escape(text).startswith('#"')


@pytest.fixture
def receipts_of_one(receipts, lines, targets):
    """A result whose first line carries the given name, with an edition in Vietnamese."""
    edition = opened("phuc-dong", "2020-02")

    def build(name):
        named = lines.assign(name_vi=[name, *lines["name_vi"][1:]])
        return summarise(receipts, named, targets, edition.period), edition

    return build


def test_a_unit_without_plan_is_told_so():
    """Where nothing was planned, the table has no plan columns and says why."""
    shown = made("philadelphia", "2020-Q2", "", "en")
    assert "No plan was given" in plain(shown["tax.plan_table"])
    assert "Plan, upper level" not in plain(shown["tax.plan_table"])


def test_a_period_of_which_nothing_was_published_is_told_so():
    """No empty table: a sentence says that no published figure is known."""
    shown = made("philadelphia", "2013-08", "", "vi")
    assert shown["data_check.published_table"] is None
    assert shown["data_check.readings"] is None
    assert (
        plain(shown["data_check.agreement"])
        == "Chưa biết có số liệu nào của kỳ này đã được công bố."
    )


def test_only_illustrative_wards_carry_the_mark():
    """The mark stands on made-up figures and on no others."""
    for ward, marked in (("phuc-dong", True), ("philadelphia", False)):
        edition = opened(ward, "2020-Q2")
        data, about = edition._repr_mimebundle_()
        assert bool(about["wardlib"]["mark"]) is marked
        assert ("MINH HỌA" in data["text/html"]) is marked


def test_no_plan_frame_is_touched_by_a_page():
    """Pages read results, they do not change them."""
    page = wardlib.open("phuc-dong", "2020-9M").tax
    result = page.result
    before = result.lines.copy(), result.months.copy()
    for function in (page.plan_table, page.year_before_table, page.months_table,
                     page.headline, page.running_total_chart):  # fmt: skip
        function()
    pd.testing.assert_frame_equal(result.lines, before[0])
    pd.testing.assert_frame_equal(result.months, before[1])


def test_a_ward_without_schools_is_told_so_and_has_no_empty_chart():
    """Philadelphia: "no data" of both in one paragraph, in both languages, and nothing else of them;
    a ward that has both is told nothing."""
    for language, words in (
        ("vi", "Không có số liệu về trường học cũng như hoạt động ngoại khóa, văn hóa, thể thao."),
        ("en", "There are no data here of schools, nor of extracurricular, cultural and sports"),
    ):
        book = opened("philadelphia", "2020-Q2", "", language)
        assert plain(book.lacking()).startswith(words)
        assert book.schools.answer() == book.activities.answer() == ""
        shown = made("philadelphia", "2020-Q2", "", language)
        for name in (name for name in shown if name.startswith(("schools.", "activities."))):
            assert shown[name] is None, name
    assert opened("phuc-dong", "2020-9M").lacking() is None


def test_the_calendar_and_its_table_hold_the_same_days():
    """Every school day of the picture is in the table's runs, with state and decision; its alt text
    counts them."""
    shown = made("phuc-dong", "2021-Q3", "", "en")
    drawn = pd.DataFrame(shown["schools.calendar_chart"].figures["data"])
    runs = pd.DataFrame(shown["schools.calendar_table"].figures["data"])
    for level, days in drawn.groupby("level"):
        own = runs[runs["level"] == level]
        assert own["days"].sum() == len(days)
        for state, of in days.groupby("state"):
            assert own.loc[own["state"] == state, "days"].sum() == len(of)
    closed = drawn[(drawn["level"] == "mam_non") & (drawn["state"] == "closed")]
    assert f"{len(closed)} closed" in shown["schools.calendar_chart"].content["alt"]


def test_the_schools_of_spring_2020_in_words():
    """Taught of the usual days in both school years of the nine months, by whose decision days were
    lost; 91 and 98 calendar days."""
    shown = made("phuc-dong", "2020-9M", "", "vi")
    text = plain(shown["schools.closures"])
    assert "THCS và THPT không đến lớp từ ngày 03/02/2020 đến ngày 03/05/2020: 91 ngày" in text
    text = plain(shown["schools.sentence"])
    assert (
        "(năm học 2019–2020), số ngày đã học trên số ngày thường lệ: mầm non 63/94; tiểu học 74/94 "
        "(trực tuyến 11); THCS và THPT 93/94 (trực tuyến 25). Trong" in text
    )
    assert "mầm non, tiểu học, THCS và THPT 21/18,3; không mất ngày học nào." in text
    assert "do quyết định cho nghỉ học của thành phố, từ ngày 03/02/2020, không phải do Chỉ" in text


def test_a_status_is_said_by_its_rule():
    """Both amounts' share, the usual share, late or ahead, and the status of each line."""
    shown = made(*CASES[0], "vi")
    text = plain(shown["targets.table"])
    assert "Tổng thu ngân sách nhà nước trên địa bàn  6.240,0*  3.000,0  208,0" in text
    assert "HĐND phường giao" in text
    assert "Không ghi gì thêm là do quận giao." in text
    assert "chưa đủ hai năm trọn số liệu trước đó" in plain(shown["targets.cannot_project"])
    states = plain(shown["targets.states"])
    assert states.startswith("Trong 15 chỉ tiêu do quận giao – đã đạt 7; ")
    assert (
        "ít khả năng đạt 2 (thuế ngoài quốc doanh: cần 159,8 triệu đồng mỗi tháng, hạn 31/12; "
        in states
    )


def test_schools_that_have_not_reported_are_not_said_to_plan_nothing():
    """On 05/02/2020 no school had reported the year; on 20/03 two months of three are known."""
    shown = made("phuc-dong", "2020-Q1", "2020-02-05", "vi")
    assert plain(shown["schools.sentence"]) == (
        "Ngày học từ tháng 01/2020 đến tháng 3/2020: chưa trường nào báo cáo. Mầm non, tiểu học, THCS và "
        "THPT không đến lớp từ ngày 03/02/2020 đến ngày 05/02/2020: 3 ngày theo lịch, trong đó 3 ngày "
        "học; đến ngày đó vẫn chưa trở lại lớp."
    )
    heads = [row["head"] for row in shown["schools.days_table"].content["rows"]]
    assert heads[0] == "9/2019–3/2020 (năm học 2019–2020)", "the quarter has no row"
    assert sum("năm học" in head for head in heads) == 1
    shown = made("phuc-dong", "2020-Q1", "2020-03-20", "en")
    assert "(12 of 18 monthly school reports have come in)" in plain(shown["schools.sentence"])
    shown = made(*CASES[0], "en")
    assert "School days in September 2020: no report has come in." in plain(
        shown["schools.sentence"]
    )


@pytest.mark.parametrize(
    ("reported", "said"),
    [
        ([9, 9], "Đã nhận đủ số liệu 9 tháng đầu năm 2020 cho mọi bảng (2/2 bảng)."),
        ([9, 8], "cho 1/2 bảng; còn thiếu: ngày học theo trường (8/9)."),
        (
            [0, 8],
            "cho 0/2 bảng; còn thiếu: số thu (0/9) và ngày học theo trường (8/9).",
        ),
    ],
)
def test_what_has_come_in_is_told_by_table(reported, said):
    """All tables, one that lacks a month, and every one."""
    received = pd.DataFrame(
        {"table": ["receipts", "school_months"], "reported": reported, "expected": 9}
    )
    page = opened("phuc-dong", "2020-9M").data_check
    page = dataclasses.replace(page, result=dataclasses.replace(page.result, coverage=received))
    assert plain(page.received()).endswith(said)


def test_an_amount_in_another_unit_is_named_before_any_statement():
    """May 2018 a hundred times too large, all from March 2019 on in thousands, one month's zero too
    many: line, months, amounts and what is usual, in both languages; nothing where nothing is wrong."""
    for language, none, entries, said in (
        ("vi", "Không có số thu nào khác hẳn mức bình thường của khoản thu đó.",
         "Số liệu bất thường: 3 mục, nêu dưới đây. Có thể nhầm đơn vị tính (nghìn, triệu)",
         ["Phí, lệ phí, tháng 5/2018: 1.186,7 triệu đồng; "
          "tháng này các năm khác thường là từ 9,9 triệu đồng đến 13,4 triệu đồng.",
          "Tiền thuê đất, tháng 3/2019–9/2020: từ <0,1 triệu đồng đến 0,1 triệu đồng; "
          "các tháng này trong những năm khác thường là từ"]),
        ("en", "No amount is far from what is usual for its line.",
         "Unusual amounts: 3 entries, named below. The unit (thousands, millions)",
         ["Fees and charges, May 2018: VND 1,186.7 million; "
          "usual in this month of other years: VND 9.9 million to VND 13.4 million.",
          "Land rent, Mar 2019–Sept 2020: VND <0.1 million to VND 0.1 million; "
          "usual in these months of other years: "]),
    ):  # fmt: skip
        page = opened("phuc-dong", "2020-9M", "", language).data_check
        assert plain(page.plausible()) == none
        assert page.unusual() is None
        months = page.result.receipts.months[:"2020-09"].copy()
        months.loc["2018-05", "fees"] *= 100
        months.loc["2019-03":, "land_rent"] /= 1000
        months.loc["2020-09", "licence_fee"] *= 1000
        unusual = outliers.find(months)
        page = dataclasses.replace(page, result=dataclasses.replace(page.result, unusual=unusual))
        assert plain(page.plausible()).startswith(entries)
        listed = plain(page.unusual())
        assert all(words in listed for words in said), listed
    # What the year's newest figures say, not later ones: April's business tax came in July 2020.
    assert "Jul 2020: USD 266.4 million" in plain(
        opened("philadelphia", "2020", "", "en").data_check.unusual()
    )
    assert "Jul 2020" not in str(opened("philadelphia", "2020-06", "", "en").data_check.unusual())


def test_schools_hit_are_counted_and_the_worst_named():
    """By school year: how many lost days and which lost most; none; not reported."""
    schooling = opened("phuc-dong", "2020-9M").schools.result
    edition = opened("phuc-dong", "2020-9M", "", "vi")
    told = plain(SchoolsPage(edition, schooling).schools_hit())
    assert told.startswith("Từ tháng 01/2020 đến tháng 8/2020: 6 trên 6 trường mất ngày học; nhiều nhất, 67 ngày: ")  # fmt: skip
    assert told.endswith("Trong tháng 9 năm 2020: không trường nào trong 6 trường mất ngày học.")
    first = schooling.schools.index.get_level_values("span")[0]
    hit = schooling.schools.copy()
    hit.loc[first, "lost"] = [5, 0, 0, 0, 0, 0]
    told = plain(SchoolsPage(edition, dataclasses.replace(schooling, schools=hit)).schools_hit())
    assert ": 1 trên 6 trường mất ngày học; nhiều nhất, 5 ngày: " in told
    silent = schooling.schools.assign(reported=0)
    told = plain(SchoolsPage(edition, dataclasses.replace(schooling, schools=silent)).schools_hit())
    assert told.startswith("Từ tháng 01/2020 đến tháng 8/2020: chưa trường nào báo cáo.")


def test_the_longest_closure_is_told_with_its_levels():
    """In spring 2020 preschool and primary school stayed away longest; before the epidemic nobody."""
    told = plain(opened("phuc-dong", "2020-9M").schools.longest_closure())
    assert told == (
        "Lâu nhất: mầm non và tiểu học không đến lớp từ ngày 03/02/2020 đến ngày 10/05/2020: 98 ngày "
        "theo lịch, trong đó 67 ngày học."
    )
    told = plain(opened("phuc-dong", "2019-Q4").schools.longest_closure())
    assert told.startswith("Trong quý IV năm 2019, không có quyết định nào")


def test_published_figures_are_counted_by_verdict():
    """As many as there are, by verdict."""
    shown = made(*CASES[0], "vi")
    assert plain(shown["data_check.agreement"]) == "Trong 6 số liệu đã công bố: khớp 6."


def test_the_brief_chart_of_targets_holds_the_total_and_what_is_in_doubt():
    """What is met, likely or ahead is left to its own notebook; without a plan all lines stand."""
    drawn = opened("phuc-dong", "2020-9M", "2020-10-12").targets.brief_chart().figures["data"]
    assert [row["item"] for row in drawn] == ["total", "nonstate", "land_tax", "licence_fee"]
    found = opened("phuc-dong", "2020-9M", "2020-10-12").targets.result
    doubt = found.in_doubt
    assert list(doubt["item"]) == ["total", "nonstate", "land_tax", "licence_fee"]
    assert set(doubt["set_by"]) == {"upper"}
    rest = found.rows[(found.rows["set_by"] == "upper") & (found.rows["depth"] == 1)]
    gone = rest[(rest["kind"] == "money") & ~rest["item"].isin(doubt["item"])]
    assert set(gone["status"]) <= set(targets.GOOD)
    found = opened("philadelphia", "2020-Q2").targets.result
    assert len(found.in_doubt) == (found.rows["depth"] <= 1).sum() > 5


EDITIONS = [*CASES, ("phuc-dong", "2020-04", ""), ("phuc-dong", "2020-04", "2020-05-12"),
            ("phuc-dong", "2020-9M", "2020-02-10"), ("phuc-dong", "2019-H1", ""), ("phuc-dong", "2020", ""),
            ("phuc-dong", "2021-12", ""), ("philadelphia", "2021", ""), ("philadelphia", "2020-9M", "")]  # fmt: skip


def size(text):
    """How many words and numbers a text has; 31/12 and 19/71 are read as one."""
    return len(text.split()), len(re.findall(r"\d+(?:[.,/]\d+)*", text))


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("edition", EDITIONS, ids="-".join)
def test_the_answer_is_read_in_a_minute(edition, language):
    """Three lines, none of them empty, at most 90 words and nine numbers: of months, quarters and
    years, early and late days, a unit without targets, schools or history."""
    block = opened(*edition, language).briefing.answer()
    lines = block.content["lines"]
    assert len(lines) == 3
    assert all(len(line["says"]) > 5 for line in lines)
    words, numbers = size(block.plain)
    assert words <= 90
    assert numbers <= 9


def test_the_answer_names_what_is_in_danger_how_much_until_when_and_whose_it_is():
    """As of 13/09/2020: the households' tax first, how much a month, until when, whose; in both languages."""
    for language, said in (
        ("vi", "Thuế ngoài quốc doanh cần 159,8 triệu đồng mỗi tháng, hạn hết năm; Chi cục Thuế quận Long "
               "Biên."),
        ("en", "Non-state sector tax (business households) needs VND 159.8 million a month until the end of "
               "the year; Tax Branch of Long Biên district."),
    ):  # fmt: skip
        task = opened(*CASES[0], language).briefing.answer().content["lines"][2]["says"]
        assert task.replace(NBSP, " ") == said


def test_an_answer_with_long_names_says_less_not_more():
    """Where the body has a name of sixty words, it is left out, and the answer keeps its size."""
    page = opened(*CASES[0]).briefing
    targets_ = page.result.targets
    table = targets_.rows.assign(body_vi="rất " * 60 + "dài")
    result = dataclasses.replace(page.result, targets=dataclasses.replace(targets_, rows=table))
    block = dataclasses.replace(page, result=result).answer()
    assert size(block.plain)[0] <= 90
    assert "Thuế ngoài quốc doanh cần 159,8 triệu đồng mỗi tháng" in plain(block)
    assert "rất dài" not in plain(block)


def test_a_body_that_nobody_saw_in_a_source_is_marked():
    """In the table of tasks by an asterisk and a note; the three lines leave it out."""
    page = opened(*CASES[0], "en").targets
    assert "People's Committee of the ward (social policy)*" in plain(page.tasks_table())
    assert "the unit has to confirm it" in plain(page.tasks_table())
    seen = page.result.rows.assign(body_seen=True)
    sure = dataclasses.replace(page, result=dataclasses.replace(page.result, rows=seen))
    assert "*" not in plain(sure.tasks_table())
    book = opened(*CASES[0], "en").briefing
    unseen = dataclasses.replace(page.result, rows=seen.assign(body_seen=False))
    told = dataclasses.replace(book, result=dataclasses.replace(book.result, targets=unseen))
    assert "Tax Branch" not in plain(told.answer())


def test_208_per_cent_is_explained():
    """Which line brought it, and where the ward stands without the two that carry it, with both
    amounts and what is usual; nothing where no few lines carry the total."""
    assert plain(made(*CASES[0], "vi")["targets.carried"]) == (
        "Riêng lệ phí trước bạ nhà, đất chiếm 60,6 % (3.784,3/6.240 triệu đồng) số thu. Không kể khoản "
        "này và thuế thu nhập cá nhân (ngoài hộ kinh doanh), các khoản còn lại đạt 64,6 % "
        "(1.291,3/2.000 triệu đồng) dự toán quận giao; mức thường đạt đến nay: 62,3 %."
    )
    alone = plain(opened("phuc-dong", "2019-H1", "", "en").targets.carried())
    assert "Without it, the rest stands at 83.4 % (VND 1,826.1/2,190 million)" in alone
    for edition in (("phuc-dong", "2017-01", ""), ("philadelphia", "2020-Q2", "")):
        assert made(*edition, "vi")["targets.carried"] is None


def test_tasks_are_made_from_the_data():
    """Each target at risk with what it needs, how often that came, the last lawful day, the body."""
    shown = made(*CASES[0], "vi")
    assert plain(shown["targets.tasks"]) == (
        "Năm 2020 có 4 chỉ tiêu có nguy cơ không đạt. Trước hết là thuế ngoài quốc doanh: 159,8 triệu "
        "đồng mỗi tháng, chậm nhất ngày 31/12/2020; cùng những tháng này các năm trước, 2 trong 9 tháng "
        "đạt mức đó."
    )
    table = plain(shown["targets.tasks_table"])
    for row in (
        "Thuế ngoài quốc doanh  159,8 triệu đồng mỗi tháng  2/9  31/12  Chi cục Thuế quận Long Biên",
        "Thuế sử dụng đất phi nông nghiệp  337,5 triệu đồng  0/3  31/10 (ngày nghỉ, nộp đến 02/11)  Chi cục",
        "Tỷ lệ người dân tham gia bảo hiểm y tế (%)  phải đạt 90 %  …  31/12  UBND phường",
    ):
        assert row in table


def test_a_year_that_is_over_has_no_task():
    """What was missed stands with both amounts; a unit without targets has none at risk."""
    shown = opened("phuc-dong", "2020", "", "en").targets
    assert plain(shown.tasks()) == (
        "The year 2020 is over: no task of it remains. Not met: non-state sector tax (business "
        "households) 90.5 % (VND 814.7/900 million); business licence fee 92.3 % (VND 193.8/210 million)."
    )
    assert shown.tasks_table() is None
    answer = plain(opened("phuc-dong", "2020", "", "en").briefing.answer())
    assert (
        "The year 2020 is over: 13 of 15 targets were met; not met: non-state sector tax" in answer
    )
    city = made("philadelphia", "2020-Q2", "", "en")
    assert plain(city["targets.tasks"]) == "No target was given to this unit: none is at risk."
    assert city["targets.tasks_table"] is None


def test_nothing_at_risk_is_said():
    """All met, likely or ahead; and where of some nothing can be said, only that much is claimed."""
    page = opened(*CASES[0], "en").targets
    for status, said in (
        ("likely", "No target is at risk: each is met, likely to be met or ahead."),
        ("none", "No target of which something can be said is at risk."),
    ):
        table = page.result.rows.assign(status=status)
        calm = dataclasses.replace(page, result=dataclasses.replace(page.result, rows=table))
        assert plain(calm.tasks()) == said


@pytest.mark.parametrize(
    ("superior", "vi", "en"),
    [("UBND quận Long Biên", "quận", "the district"), ("UBND huyện Mê Linh", "huyện", "the district"),
     ("UBND Thị xã Sơn Tây", "thị xã", "the town"), ("UBND TP Thủ Đức", "cấp trên", "the upper level"),
     ("UBND thành phố Thủ Đức", "thành phố", "the city"), ("UBND tỉnh Hà Tĩnh", "tỉnh", "the province"),
     ("UBND quận 1, thành phố Hồ Chí Minh", "quận", "the district"), ("", "cấp trên", "the upper level")],
)  # fmt: skip
def test_who_sets_the_plan_is_called_by_its_name(superior, vi, en):
    """District, town, city, province, by the superior's own name; else the upper level."""
    edition = opened("phuc-dong", "2020-9M")
    ward = dataclasses.replace(edition.ward, superior_vi=superior)
    book = dataclasses.replace(edition.book, ward=ward)
    assert [Workbook(book, get(code)).setter for code in ("vi", "en")] == [vi, en]


def test_no_sentence_of_targets_has_two_intervals():
    """80 and 95 per cent never stand in one sentence; how sure it is stands in words."""
    for edition in CASES:
        for name, block in made(*edition, "en").items():
            if name.startswith("targets.") and block is not None and block.figures is None:
                for sentence in plain(block).split(". "):
                    assert not {"80 %", "95 %"} <= set(re.findall(r"\d+ %", sentence)), sentence
    assert "19 times in 20, from" in plain(made(*CASES[0], "en")["targets.year_end"])


def test_shortcomings_have_their_figure_or_are_said_to_lack_one():
    """A kind that the ward reported with its unit, the others by name; nothing where no kind is
    known."""
    page = opened(*CASES[0], "en").briefing
    known = pd.DataFrame(
        {"name_vi": ["a", "b"], "name_en": ["Waste put out late", "Households that gave no land"],
         "unit_vi": "", "unit_en": ["cases", "households"], "decimals": 0, "value": [12.0, None]}
    )  # fmt: skip
    shown = dataclasses.replace(page, result=dataclasses.replace(page.result, shortcomings=known))
    assert plain(shown.shortcomings()) == (
        "Waste put out late: 12 cases.\nNot reported: households that gave no land."
    )
    assert opened("philadelphia", "2020-Q2").briefing.shortcomings() is None


def test_no_line_ends_between_a_number_and_its_per_cent_sign():
    """A plain space before "%" in a text becomes one that does not break."""
    said = opened(*CASES[0], language="en").effect.sentence("nonstate").plain
    assert f"33.3{NBSP}% of the expected" in said
    assert " %" not in said


@pytest.mark.parametrize(
    ("period", "as_of"),
    [("2020-11", ""), ("2019-02", ""), ("2017-01", ""), ("2020-9M", "2020-02-10")],
)
def test_one_is_singular(period, as_of):
    """Where one month remains, one school has reported, one window was tried: no "1 months"."""
    shown = made("phuc-dong", period, as_of, "en")
    for name, own in shown.items():
        said = plain(own) if own else ""
        wrong = re.search(r"(?<![\d.,/])1 (\w+ )?(\w+[^s\W]s)\b", said)
        assert wrong is None or wrong[2] in ("is", "was", "has"), (name, wrong[0])


def test_the_last_month_is_one():
    """In November nobody reads "each of the 1 months", nor "1 times"."""
    page = opened("phuc-dong", "2020-11", "", "en").targets
    table = page.result.rows.assign(left=1, needed=1e8, reached=1, asked=3)
    page = dataclasses.replace(page, result=dataclasses.replace(page.result, rows=table))
    said = "Needed: VND 100 million in the 1 month that remains; the same month of earlier years brought so much 1 time of 3."
    assert said in plain(page.year_end())


def test_what_rounds_to_zero_has_no_sign():
    """Neither "-0" nor "+0" stands in the column of what is ahead or late."""
    block = opened("phuc-dong", "2019-12").targets.table()
    ahead = [row["cells"][-1]["lines"][0] for row in block.content["rows"]]
    assert {"0"} < set(ahead)
    assert not {"-0", "+0", "-0,0", "+0,0"} & set(ahead)


PARTS = ["COLLECTED", "DEFERRED", "OVERDUE", "LOST", "RELIEVED", "UNEXPLAINED"]


def test_the_parts_of_an_amount_are_told_apart_in_grey():
    """By the hatch, else by at least a seventh of the way from black to white."""
    looks = {}
    for name in PARTS:
        style = getattr(drawing, name)
        light = float(np.dot(to_rgb(style["facecolor"]), (0.299, 0.587, 0.114)))
        looks[name] = (style.get("hatch"), light)
    for one, other in itertools.combinations(PARTS, 2):
        same = looks[one][0] == looks[other][0]
        assert not same or abs(looks[one][1] - looks[other][1]) > 1 / 7, (one, other)


def test_a_legend_takes_the_rows_that_it_needs():
    """Seven long labels, a tick among them, stand inside the picture in 9 pt, read row by row; two
    short ones in one row."""
    labels = [f"{name.lower()}, in full" for name in PARTS]
    entries = [(label, getattr(drawing, name)) for label, name in zip(labels, PARTS, strict=True)]
    entries.insert(1, ("what was expected", drawing.EXPECTED))
    for chosen, rows in ((entries, 3), ([("a", entries[0][1]), ("b", entries[2][1])], 1)):
        with drawing.drawing(3) as (figure, _):
            drawing.key(figure, chosen)
            FigureCanvasAgg(figure).draw()
            (legend,) = figure.legends
            boxes = {words.get_text(): words.get_window_extent() for words in legend.get_texts()}
            assert {words.get_fontsize() for words in legend.get_texts()} == {9}
        assert all(box.x0 > 0 and box.x1 < figure.bbox.x1 for box in boxes.values())
        read = sorted(boxes, key=lambda label: (-round(boxes[label].y0), boxes[label].x0))
        assert read == [label for label, _ in chosen]
        assert len({round(box.y0) for box in boxes.values()}) == rows


def test_a_month_with_some_lines_stands_against_these_everywhere():
    """September as of 13/09/2020 is six lines of nine: the year before and what was to be expected are of
    these lines, the same in the headline, its table and the sentence of the effect."""
    shown = made("phuc-dong", "2020-09", "2020-09-13", "vi")
    book = opened("phuc-dong", "2020-09", "2020-09-13", "vi")
    total = book.tax.result.lines.loc["total"]
    whole = book.tax.result.months["total"][pd.Period("2019-09", "M")]
    assert total["period_before"] < whole
    then = book.unit(1).figure(total["period_before"], trim=True)
    assert then == "770,2"
    assert f"(636,6/{then} triệu đồng)" in plain(shown["tax.headline"])
    assert f"cùng kỳ năm trước {then} triệu đồng" in plain(shown["effect.sentence"])
    lines = [
        line
        for line in book.effect.result.receipts.parts["total"]
        if line in book.effect.result.by_line
    ]
    september = pd.Period("2020-09", "M")
    known = book.tax.result.months.loc[september, lines].notna()
    paths = sum(book.effect.result.impact(line).paths[:, -1] for line in known.index[known])
    assert book.effect.result.split("total", september, september).expected == pytest.approx(
        paths.mean()
    )
