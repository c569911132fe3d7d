"""Tables, charts and sentences: what a reader sees is what the result holds."""

import dataclasses
import functools
import json
import re
import xml.etree.ElementTree as ElementTree

import matplotlib as mpl
import pandas as pd
import pytest

from wardlib.analysis import activities, effects, published, receipts, relief, schools, targets
from wardlib.analysis.epidemic import Epidemic
from wardlib.analysis.receipts import summarise
from wardlib.data import intake
from wardlib.language import NBSP
from wardlib.pages import blocks, charts, editions, sentences, tables

CASES = [("phuc-dong", "2020-9M", "2020-09-13"), ("phuc-dong", "2021-Q3", ""),
         ("phuc-dong", "2017-01", ""), ("philadelphia", "2020-Q2", ""), ("philadelphia", "2013-08", "")]  # fmt: skip


@functools.cache
def assessed(ward, period, as_of):
    """The effects: the same for both languages."""
    book = intake.open_book(ward, period, as_of)
    result = receipts.summarise(
        book.table("receipts"), book.table("revenue_lines"), book.table("targets"), book.period
    )
    epidemic = Epidemic.of(book.table("covid_phases"), book.ward.areas)
    return effects.assess(result, book.table, epidemic)


@functools.cache
def others(ward, period, as_of):
    """Schooling, activities and targets: the same for both languages."""
    book = intake.open_book(ward, period, as_of)
    epidemic = Epidemic.of(book.table("covid_phases"), book.ward.areas)
    given = book.period, book.table, epidemic
    result = receipts.summarise(
        book.table("receipts"), book.table("revenue_lines"), book.table("targets"), book.period
    )
    found = targets.assess(result, book.table, epidemic)
    return schools.assess(*given), activities.assess(*given), found


def made(ward, period, as_of, language):
    """Every block that the notebooks show, by name."""
    book = intake.open_book(ward, period, as_of)
    edition = editions.of(book, language)
    result = receipts.summarise(
        book.table("receipts"), book.table("revenue_lines"), book.table("targets"), book.period
    )
    history = [
        book.table(name, every_report=True) for name in ("receipts", "indicator_months", "targets")
    ]
    beside = published.reconcile(book.table("published"), *history, book.period)
    effect = assessed(ward, period, as_of)
    schooling, held, found = others(ward, period, as_of)
    standing = found.standing
    shown = {
        "headline": sentences.headline(result, edition),
        "effect": sentences.effect(effect, edition),
        "findings": sentences.findings(effect, edition),
        "brief_findings": sentences.brief_findings(effect, edition),
        "not_reported": sentences.not_reported(result, edition, standing),
        "key_figures": sentences.key_figures(result, edition, standing),
        "agreement": sentences.agreement(beside, edition),
        "readings": sentences.reconciliation(beside, edition),
        "plan": tables.plan(result, edition),
        "year_before": tables.year_before(result, edition),
        "months": tables.months(result, edition),
        "school_days": tables.school_days(schooling, edition),
        "school_days_brief": tables.school_days(schooling, edition, brief=True),
        "school_reasons": tables.school_reasons(schooling, edition),
        "school_calendar": tables.school_calendar(schooling, edition),
        "schools": tables.schools(schooling, edition),
        "schooling": sentences.schooling(schooling, edition),
        "closures": sentences.closures(schooling, edition),
        "activities": tables.activities(held, edition),
        "events": sentences.events(held, edition),
        "chart_calendar": charts.school_calendar(schooling, edition),
        "chart_activities": charts.activities(held, edition),
        "targets": tables.targets(found, edition),
        "targets_brief": tables.targets(found, edition, brief=True),
        "projections": tables.projections(found, edition),
        "target_states": sentences.target_states(found, edition),
        "year_end": sentences.year_end(found, edition),
        "cannot_project": sentences.cannot_project(found, edition),
        "chart_targets": charts.targets(found, edition),
        "coverage": tables.coverage(intake.coverage(book), edition),
        "reconciliation": tables.reconciliation(beside, edition),
        "chart_year": charts.year_to_date(result, edition),
        "effects": tables.effects(effect, edition),
        "effects_brief": tables.effects(effect, edition, brief=True),
        "chart_months": charts.monthly(result, effect, edition),
        "chart_shortfall": charts.shortfall(effect, edition),
        "sources": editions.sources(edition, book),
        "files": editions.files(edition, book),
    }
    return result, shown


SAME_NUMBERS = {"plan", "year_before", "targets", "targets_brief", "projections", "year_end"}


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
        if name in SAME_NUMBERS:
            ours, theirs = plain(block).split("\n", 1)[-1], plain(other).split("\n", 1)[-1]
            assert numbers(ours, "vi") == numbers(theirs, "en"), name
            compared += 1
    assert compared >= 4


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


def test_the_citys_business_tax_is_late_in_june_and_back_in_july():
    """Until 15/07/2020 the tax missing since April is late, not lost; a month later it has come."""
    _, shown = made("philadelphia", "2020-Q2", "", "en")
    assert re.search(
        r"Late, not lost: business income and receipts tax \([\d.]+–[\d.]+ M USD\)",
        plain(shown["findings"]),
    )
    assert "until 15 July 2020 at the latest" in plain(shown["effect"])
    edition = editions.of(intake.open_book("philadelphia", "2020-07"), "en")
    later = sentences.findings(assessed("philadelphia", "2020-07", ""), edition)
    text = plain(later)
    assert re.search(r"Late, since paid: [^.]*business income and receipts tax", text)
    assert "late, not lost" not in text.lower()


def test_amusement_and_parking_lost():
    """Two taxes of which nothing was put off: the loss stands in both languages with its interval."""
    for language, words in (("vi", "Mất thu:"), ("en", "Loss:")):
        _, shown = made("philadelphia", "2020-Q2", "", language)
        text = plain(shown["findings"])
        claimed = text[text.index(words) :].split(".  ")[0].split(". ")[0]
        for name in {"vi": ("thuế giải trí", "thuế bãi đỗ xe"),
                     "en": ("amusement tax", "parking tax")}[language]:  # fmt: skip
            assert f"{name} (" in claimed


# A split of a line with these amounts gives that verdict: difference, parts, lower and upper bounds.
VERDICTS = {
    "loss": {"difference": (40, 30, 50), "claim": (40, 30, 50), "never_due_later": (40, 30, 50)},
    "overdue": {"difference": (40, 30, 50), "claim": (40, 30, 50), "overdue": (40, 30, 50)},
    "late": {"difference": (40, 30, 50), "may_come": (40, 30, 50)},
    "relief": {"difference": (40, 30, 50), "exempt": (40, 40, 40)},
    "returned": {"difference": (2, -8, 12), "shortfall": (40, 30, 50), "returned": (40, 30, 50)},
    "gain": {"difference": (-40, -50, -30), "shortfall": (-40, -50, -30)},
    "none": {"difference": (5, -10, 20)},
}
SAID = {
    "loss": ("thu thiếu 40 triệu đồng (40 %)", "Số bị mất: 40 triệu đồng",
             "40 M VND (40 %) less than expected", "Lost: 40 M VND (95 % interval: 30 to 50)"),
    "overdue": ("tức là nợ đọng hoặc mất: 40 triệu đồng", "thu thiếu 40 triệu đồng",
                "so in arrears or lost: 40 M VND", "less than expected"),
    "late": ("chậm nhất đến 31/12/2020: từ 30 đến 50 triệu đồng; phần này là chậm nộp, không phải mất",
             "Chưa thể kết luận là mất thu",
             "until 31 December 2020 at the latest: 30 to 50 M VND; this part is late, not lost",
             "No loss can be claimed"),
    "relief": ("Không phải nộp theo luật (miễn, giảm): 40 triệu đồng", "Chưa thể kết luận là mất thu",
               "Not payable by law (exemption, reduction): 40 M VND", "No loss can be claimed"),
    "returned": ("Được gia hạn và đã nộp sau: 40 triệu đồng", "Chưa thể kết luận là mất thu",
                 "Put off by law and paid since: 40 M VND", "No loss can be claimed"),
    "gain": ("thu vượt 40 triệu đồng (40 %) so với dự kiến", "nếu không có dịch",
             "40 M VND (40 %) more than expected", "without COVID-19"),
    "none": ("Chưa đủ căn cứ kết luận là có chênh lệch", "khoảng tin cậy 95 %: từ 85 đến 115",
             "No difference can be shown", "95 % interval: 85 to 115"),
}  # fmt: skip


def with_split(verdict):
    """Effects of the ward in which the total's split is made of the amounts of `VERDICTS`."""
    found = assessed("phuc-dong", "2020-9M", "")
    given = VERDICTS[verdict]
    amounts = {name: relief.Amount(*(1e6 * x for x in given.get(name, (0, 0, 0)))) for name in (
        "difference", "shortfall", "exempt", "reduced", "returned", "may_come", "overdue", "lost",
        "unexplained", "claim", "never_due_later")}  # fmt: skip
    if "shortfall" not in given:
        amounts["shortfall"] = amounts["difference"]
    until = pd.Timestamp("2020-12-31") if "may_come" in given else pd.NaT
    split = relief.Split(*found.span, 8, 100e6, 100e6 - amounts["difference"].mean, **amounts,
                         until=until)  # fmt: skip
    fresh = dataclasses.replace(found)
    fresh.__dict__["by_line"] = {**found.by_line, "total": split}
    return fresh, split


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_each_verdict_has_its_sentence_and_no_other(verdict, language):
    """Clear loss, overdue, late not lost, not payable, returned, gain, no difference: one of them."""
    found, split = with_split(verdict)
    assert split.verdict == verdict
    edition = editions.of(intake.open_book("phuc-dong", "2020-9M"), language)
    text = plain(sentences.effect(found, edition))
    first, second = SAID[verdict][:2] if language == "vi" else SAID[verdict][2:]
    assert first in text
    assert second in text
    claims = {"loss": ("Số bị mất", "Lost:"), "overdue": ("nợ đọng", "arrears"),
              "gain": ("thu vượt", "more than expected"),
              "none": ("Chưa đủ căn cứ", "No difference")}  # fmt: skip
    for other, words in claims.items():
        assert (words[language == "en"] in text) is (other == verdict), (other, text)


@pytest.mark.parametrize("silent", ["history", "placebo", "exempt", "before"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_statement_says_why_and_shows_no_estimate(silent, language):
    """Where nothing can be said, sentence, table and charts say nothing, and the sentence says why."""
    found = assessed("phuc-dong", "2020-9M", "")
    lines = found.lines.copy()
    lines.loc["total", "silent"] = silent
    fresh = dataclasses.replace(found, lines=lines)
    book = intake.open_book("phuc-dong", "2020-9M")
    edition = editions.of(book, language)
    result = receipts.summarise(
        book.table("receipts"), book.table("revenue_lines"), book.table("targets"), book.period
    )
    text = plain(sentences.effect(fresh, edition))
    assert text.startswith(
        {
            "vi": "Không thể kết luận về tác động của dịch COVID-19 đến tổng thu",
            "en": "No statement on COVID-19's effect on total state",
        }[language]
    )
    assert ": " in text
    assert not re.search(r"\d,\d|\d\.\d", text)
    assert charts.shortfall(fresh, edition) is None
    drawn = charts.monthly(result, fresh, edition).data[blocks.RESOURCE]["data"]
    assert all(row["counterfactual"] is None for row in drawn)
    table = tables.effects(fresh, edition, brief=True)
    assert "total" not in [row["line"] for row in table.data[blocks.RESOURCE]["data"]]
    assert plain(table).split("\n")[1].count("…") == 3


def test_table_sentence_and_chart_agree():
    """The claim of the total is the same number in the table, the chart and the sentence."""
    _, shown = made("philadelphia", "2020-Q2", "", "en")
    rows = shown["effects"].data[blocks.RESOURCE]["data"]
    total = next(row for row in rows if row["line"] == "total")
    last = shown["chart_shortfall"].data[blocks.RESOURCE]["data"][-1]
    assert (last["month"], last["claim"]) == ("2020-06", pytest.approx(total["claim"]))
    assert last["claim_lower"] == pytest.approx(total["claim_lower"])
    assert total["verdict"] == "loss"
    amount = f"Lost: {total['claim'] / 1e6:,.1f} M USD"
    assert amount in plain(shown["effect"])


def test_an_effect_over_fewer_months_says_so():
    """The fees of September are not known on 13/09/2020: their effect is of seven months of eight."""
    edition = editions.of(intake.open_book("phuc-dong", "2020-9M", "2020-09-13"), "vi")
    found = assessed(*CASES[0])
    assert "(mới có số liệu 7/8 tháng)" in plain(sentences.effect(found, edition, line="fees"))
    assert "mới có số liệu" not in plain(sentences.effect(found, edition))


def test_a_period_before_the_epidemic_claims_nothing():
    """January 2017 has bars and no estimate, and says so."""
    _, shown = made("phuc-dong", "2017-01", "", "vi")
    assert "kỳ này kết thúc trước khi có dịch" in plain(shown["effect"])
    assert [shown[name] for name in ("findings", "effects", "chart_shortfall")] == [None] * 3


def test_marks_follow_the_status():
    """Estimates carry an asterisk, partial sums a dagger, and only then do the notes speak."""
    _, shown = made(*CASES[0], "vi")
    assert re.search(
        r'6\.240,0<span class="hang">\*</span>', shown["targets_brief"].data["text/html"]
    )
    assert shown["targets"].data["text/html"].count("†") >= 4
    _, shown = made("phuc-dong", "2018-Q1", "", "vi")
    assert not {"*", "†"} & set(plain(shown["targets_brief"]))


def effects_start(case):
    """The first month of what can be said of a case, None where nothing can."""
    return assessed(*case).span


@pytest.mark.parametrize("case", CASES, ids="-".join)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_alt_texts_speak_of_what_is_drawn(case, language):
    """Lowest, highest and last value of the alt text are those of the drawn figures."""
    result, shown = made(*case, language)
    block = shown["chart_months"]
    drawn = [row["collected"] for row in block.data[blocks.RESOURCE]["data"] if row["collected"]]
    unit = editions.get(language).unit("VND" if case[0] == "phuc-dong" else "USD", max(drawn))
    assert ("95 %" in block.about["alt"].replace(NBSP, " ")) is (effects_start(case) is not None)
    for value in (min(drawn), max(drawn), drawn[-1]):
        assert unit.figure(value, trim=True) in block.about["alt"]
    assert len(drawn) <= charts.WINDOW
    assert block.data[blocks.RESOURCE]["data"][-1]["month"] == str(result.period.last)


def test_a_bar_is_as_high_as_its_figure(monkeypatch):
    """The heights of the bars are the table's amounts in the unit of the axis, from zero."""
    book = intake.open_book("phuc-dong", "2020-9M")
    edition = editions.of(book, "vi")
    result, _ = made("phuc-dong", "2020-9M", "", "vi")
    kept = []
    monkeypatch.setattr(charts, "outlines", lambda figure: kept.append(_bars(figure)) or "<svg/>")
    block = charts.monthly(result, assessed("phuc-dong", "2020-9M", ""), edition)
    drawn = block.data[blocks.RESOURCE]["data"]
    (heights,) = kept
    assert heights == pytest.approx([row["collected"] / 1e6 for row in drawn])
    assert heights[-9:] == pytest.approx(list(result.months["total"].iloc[-9:] / 1e6))


def test_the_bars_of_events_are_those_held(monkeypatch):
    """All fields together, month by month, from zero."""
    edition = editions.of(intake.open_book("phuc-dong", "2020-9M"), "vi")
    _, held, _ = others("phuc-dong", "2020-9M", "")
    kept = []
    monkeypatch.setattr(charts, "outlines", lambda figure: kept.append(_bars(figure)) or "<svg/>")
    charts.activities(held, edition)
    assert kept == [list(held.months["held"].groupby("month").sum())]


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
    for name in (
        "plan",
        "year_before",
        "months",
        "targets_brief",
        "targets",
        "projections",
        "school_days",
        "school_days_brief",
        "school_reasons",
        "school_calendar",
        "schools",
        "activities",
        "coverage",
        "reconciliation",
        "effects",
    ):
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
        "Thu\u202ephí",
    ],
)
def test_text_from_data_takes_no_effect(text, lines, receipts_of_one):
    """A line with a hostile name is printed as that name, in HTML and in Typst."""
    result, edition = receipts_of_one(text)
    block = tables.plan(result, edition)
    root = ElementTree.fromstring(block.data["text/html"])
    assert blocks.printed(text) in [cell.text for cell in root.iter("th")]
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
    assert shown["readings"] is None
    assert plain(shown["agreement"]) == "Chưa biết có số liệu nào của kỳ này đã được công bố."


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
    for function in (tables.plan, tables.year_before, tables.months,
                     sentences.headline, charts.year_to_date):  # fmt: skip
        function(result, edition)
    pd.testing.assert_frame_equal(result.lines, before[0])
    pd.testing.assert_frame_equal(result.months, before[1])


def test_a_ward_without_schools_is_told_so_and_has_no_empty_chart():
    """Philadelphia: "no data", in both languages, and neither table nor chart."""
    for language, words in (
        ("vi", "không có số liệu của phường này"),
        ("en", "no data for this ward"),
    ):
        _, shown = made("philadelphia", "2020-Q2", "", language)
        assert words in plain(shown["schooling"])
        assert words in plain(shown["events"])
        for name in ("school_days", "school_days_brief", "school_reasons", "school_calendar",
                     "schools", "closures", "activities", "chart_calendar", "chart_activities"):  # fmt: skip
            assert shown[name] is None, name


def test_the_calendar_and_its_table_hold_the_same_days():
    """Every school day of the picture is in the table's runs, with state and decision; its alt text
    counts them."""
    _, shown = made("phuc-dong", "2021-Q3", "", "en")
    drawn = pd.DataFrame(shown["chart_calendar"].data[blocks.RESOURCE]["data"])
    runs = pd.DataFrame(shown["school_calendar"].data[blocks.RESOURCE]["data"])
    for level, days in drawn.groupby("level"):
        own = runs[runs["level"] == level]
        assert own["days"].sum() == len(days)
        for state, of in days.groupby("state"):
            assert own.loc[own["state"] == state, "days"].sum() == len(of)
    closed = drawn[(drawn["level"] == "mam_non") & (drawn["state"] == "closed")]
    assert f"{len(closed)} closed" in shown["chart_calendar"].about["alt"]


def test_the_schools_of_spring_2020_in_words():
    """91 and 98 calendar days, both school years of the nine months, what was made up."""
    _, shown = made("phuc-dong", "2020-9M", "", "vi")
    text = plain(shown["closures"])
    assert "THCS và THPT: không đến lớp từ 03/02/2020 đến 03/05/2020, 91 ngày" in text
    assert "10/05/2020, 98 ngày" in text
    text = plain(shown["schooling"])
    assert "(năm học 2019–2020), số ngày học bị mất" in text
    assert "THCS 37/130 (học bù 35)" in text
    assert "(năm học 2020–2021): không mất ngày học nào." in text


@pytest.mark.parametrize("pupils", [1, 4])
def test_small_counts_are_in_no_output(home, accept, pupils):
    """A school of four pupils: neither its count nor the one that would reveal it is in text, HTML,
    Typst or the attached figures."""
    path = home / "data" / "phuc-dong" / "school_months.csv"
    rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        if row[1] == "mam_non_d":
            row[2] = str(pupils)
    path.write_text("\n".join(map(",".join, rows)) + "\n", encoding="utf-8")
    accept()
    book = intake.open_book("phuc-dong", "2020-Q1")
    epidemic = Epidemic.of(book.table("covid_phases"), book.ward.areas)
    found = schools.assess(book.period, book.table, epidemic)
    edition = editions.of(book, "en")
    block = tables.schools(found, edition)
    own = {row["school"]: row for row in block.data[blocks.RESOURCE]["data"]}
    assert [own[name]["pupils"] for name in ("mam_non_d", "mam_non_c")] == [None, None]
    assert [own[name]["attendance"] for name in ("mam_non_d", "mam_non_c")] == [None, None]
    assert own["mam_non_a"]["pupils"] == 442
    newest = rows[[row[:2] for row in rows].index(["2020-03", "mam_non_c"])][2]
    for rendering in ("text/plain", "text/html", blocks.TYPST):
        cells = re.findall(r"[\d.,]+", block.data[rendering])
        assert newest not in cells
    assert plain(block).count("–  ") >= 2
    assert "1 to 4 persons" in plain(block)


def test_a_status_is_said_by_its_rule():
    """Both amounts' share, the usual share, late or ahead, and the status of each line."""
    _, shown = made(*CASES[0], "vi")
    text = plain(shown["targets"])
    assert (
        "Tổng thu ngân sách nhà nước trên địa bàn (cấp trên giao)  6.240,0*  3.000,0  208,0" in text
    )
    assert "HĐND phường giao" in text
    assert "chưa đủ hai năm trọn số liệu trước đó" in plain(shown["cannot_project"])
    states = plain(shown["target_states"])
    assert states.startswith("Trong 15 chỉ tiêu do cấp trên giao: ")
    assert "ít khả năng đạt 2 (thuế ngoài quốc doanh, lệ phí môn bài)" in states


def test_schools_that_have_not_reported_are_not_said_to_plan_nothing():
    """On 05/02/2020 no school had reported the year; on 20/03 two months of three are known."""
    _, shown = made("phuc-dong", "2020-Q1", "2020-02-05", "vi")
    assert plain(shown["schooling"]) == (
        "Ngày học từ tháng 1/2020 đến tháng 3/2020: chưa trường nào báo cáo."
    )
    assert shown["school_days_brief"] is None
    _, shown = made("phuc-dong", "2020-Q1", "2020-03-20", "en")
    assert "(12 of 18 monthly school reports have come in)" in plain(shown["schooling"])
    _, shown = made(*CASES[0], "en")
    assert "School days in September 2020: no report has come in." in plain(shown["schooling"])


@pytest.mark.parametrize(
    ("ratios", "said"),
    [
        ((0.841, 0.5, 1.2), "bằng 84,1 % (8,4/10 triệu đồng) so với cùng kỳ năm trước: giảm 15,9 %. Trong 2 khoản thu: tăng 1; giảm 1."),
        ((1.064, 1.1, 1.2), "bằng 106,4 % (10,6/10 triệu đồng) so với cùng kỳ năm trước: tăng 6,4 %. Trong 2 khoản thu: tăng 2."),
        ((1.0004, 1.0, None), "bằng 100 % (10/10 triệu đồng) so với cùng kỳ năm trước: không tăng, không giảm. Trong 2 khoản thu: không đổi 1; không so sánh được 1."),
        ((None, 1.0, 1.0), "không so sánh được với cùng kỳ năm trước: có tháng của một trong hai năm chưa được báo cáo, hoặc cùng kỳ không có số thu."),
    ],
)  # fmt: skip
def test_the_year_before_is_told_as_a_rise_a_fall_or_neither(ratios, said, receipts_of_one):
    """ "bằng" is the ratio, "tăng" and "giảm" what it differs from 100, both as printed."""
    result, edition = receipts_of_one("Tổng thu")
    lines = result.lines.assign(ratio_period=pd.Series(ratios, result.lines.index, dtype=float))
    lines["period_before"] = 1e7
    lines["period"] = 1e7 * lines["ratio_period"]
    told = plain(sentences.year_before(dataclasses.replace(result, lines=lines), edition))
    assert told.endswith(said)


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
    edition = editions.of(intake.open_book("phuc-dong", "2020-9M"), "vi")
    received = pd.DataFrame(
        {"table": ["receipts", "school_months"], "reported": reported, "expected": 9}
    )
    assert plain(sentences.coverage(received, edition)).endswith(said)


def test_schools_hit_are_counted_and_the_worst_named():
    """By school year: how many lost days and which lost most; none; not reported."""
    schooling, _, _ = others("phuc-dong", "2020-9M", "")
    edition = editions.of(intake.open_book("phuc-dong", "2020-9M"), "vi")
    told = plain(sentences.schools_hit(schooling, edition))
    assert told.startswith("Từ tháng 1/2020 đến tháng 8/2020: 6 trên 6 trường mất ngày học; nhiều nhất, 67 trên 130 ngày: ")  # fmt: skip
    assert told.endswith("Trong tháng 9 năm 2020: không trường nào trong 6 trường mất ngày học.")
    first = schooling.schools.index.get_level_values("span")[0]
    hit = schooling.schools.copy()
    hit.loc[first, "lost"] = [5, 0, 0, 0, 0, 0]
    told = plain(sentences.schools_hit(dataclasses.replace(schooling, schools=hit), edition))
    assert ": 1 trên 6 trường mất ngày học; nhiều nhất, 5 trên 130 ngày: " in told
    silent = schooling.schools.assign(reported=0)
    told = plain(sentences.schools_hit(dataclasses.replace(schooling, schools=silent), edition))
    assert told.startswith("Từ tháng 1/2020 đến tháng 8/2020: chưa có báo cáo về ngày học.")


def test_the_longest_closure_is_told_with_its_levels():
    """In spring 2020 preschool and primary school stayed away longest; before the epidemic nobody."""
    edition = editions.of(intake.open_book("phuc-dong", "2020-9M"), "vi")
    told = plain(sentences.longest_closure(others("phuc-dong", "2020-9M", "")[0], edition))
    assert told == (
        "Nghỉ đến trường lâu nhất: mầm non và tiểu học, 98 ngày liên tục, từ ngày 03/02/2020 đến "
        "ngày 10/05/2020."
    )
    told = plain(sentences.longest_closure(others("phuc-dong", "2019-Q4", "")[0], edition))
    assert told.startswith("Trong các năm học này, không có quyết định nào")


def test_a_loss_is_set_against_the_plan():
    """Where a loss is claimed and a plan known, its share of the plan stands with both amounts."""
    found = assessed("philadelphia", "2020-Q2", "")
    edition = editions.of(intake.open_book("philadelphia", "2020-Q2"), "en")
    assert "of the plan" not in plain(sentences.effect(found, edition, line="amusement"))
    claim = found.by_line["amusement"].claim.mean
    planned = dataclasses.replace(found, lines=found.lines.assign(plan_upper=4 * claim))
    told = plain(sentences.effect(planned, edition, line="amusement"))
    assert re.search(
        r"That is 25 % \([\d.]+/[\d.]+ M USD\) of the plan set by the upper level\.", told
    )


def test_published_figures_are_counted_by_verdict():
    """As many as there are, by verdict."""
    _, shown = made(*CASES[0], "vi")
    assert plain(shown["agreement"]) == "Trong 6 số liệu đã công bố: khớp 6."


def test_a_brief_table_of_targets_holds_the_total_and_what_is_in_doubt():
    """What is met, likely or ahead is left to its own notebook; without a plan all lines stand."""
    _, _, found = others("phuc-dong", "2020-9M", "")
    doubt = found.in_doubt
    assert list(doubt["item"]) == ["total", "nonstate", "land_tax", "licence_fee"]
    assert set(doubt["set_by"]) == {"upper"}
    rest = found.table[(found.table["set_by"] == "upper") & (found.table["depth"] == 1)]
    gone = rest[(rest["kind"] == "money") & ~rest["item"].isin(doubt["item"])]
    assert set(gone["status"]) <= set(targets.GOOD)
    _, _, found = others("philadelphia", "2020-Q2", "")
    assert len(found.in_doubt) == (found.table["depth"] <= 1).sum() > 5


def test_no_line_ends_between_a_number_and_its_per_cent_sign():
    """A plain space before "%" in a text becomes one that does not break."""
    said = sentences.effect(assessed(*CASES[0]), editions.of(intake.open_book(*CASES[0]), "en"))
    assert f"95{NBSP}%" in said.data["text/plain"]
    assert " %" not in said.data["text/plain"]
