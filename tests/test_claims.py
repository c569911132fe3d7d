"""Claims: what every page says, held against what can be true (tests/benchmarks/claims.py)."""

import datetime
import importlib.util
import sys

import numpy as np
import pytest
from conftest import ROOT

from wardlib import language as languages

EDITIONS = 40
WARDS = 4  # other illustrative wards; making one takes as long as two editions
PAGES = ("10-tax-collection", "30-targets", "90-briefing")


@pytest.fixture(scope="module")
def claims():
    """The module that walks the pages."""
    path = ROOT / "tests" / "benchmarks" / "claims.py"
    spec = importlib.util.spec_from_file_location("claims", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["claims"] = module  # its tuples look their annotations up there
    spec.loader.exec_module(module)
    yield module
    del sys.modules["claims"]


@pytest.fixture
def pages(claims):
    """Makes the pages of 2020 as of 31/01/2021, but for what a test says."""

    def make(*texts, code="en", kind="headline", day="2021-01-31", unknown=0, tables=()):
        content = {"kind": kind, "sentences": list(texts)}
        return claims.Pages(
            edition="a ward",
            language=languages.get(code),
            year=2020,
            day=datetime.date.fromisoformat(day),
            unknown=unknown,
            names={"Fees": "fees", "Land rent": "rent", "Phí": "fees"},
            claims=claims.claims_of("10-tax-collection", content) if texts else [],
            tables=[("10-tax-collection", content, figures) for content, figures in tables],
        )

    return make


def table(slug, heads, *rows, caption="Receipts, Feb–Sept 2020 (VND million)", data=()):
    """A table's content and the figures behind it."""
    content = {
        "kind": "table",
        "slug": slug,
        "caption": caption,
        "note": "",
        "columns": [{"head": head} for head in heads],
        "rows": [
            {
                "head": head,
                "says": "",
                "cells": [{"lines": cell.split("\n"), "mark": ""} for cell in cells],
            }
            for head, *cells in rows
        ],
    }
    return content, {"period": "2020-9M", "data": list(data)}


def split(line, expected, collected, **more):
    """A row of figures of a line since February 2020."""
    return {
        "line": line,
        "first": "2020-02",
        "last": "2020-09",
        "expected": expected,
        "collected": collected,
    } | more


def found(claims, pages):
    """The rules that are broken."""
    return {violation.rule for violation in claims.violations(pages)}


@pytest.mark.parametrize(
    ("rule", "code", "text"),
    [
        ("words", "vi", "Chậm nộp, không phải mất: phí."),
        ("words", "vi", "Bằng 208 % kế hoạch cấp trên giao."),
        ("words", "vi", "Tổ chức 0 trên 14 hoạt động."),
        ("words", "vi", "Chênh lệch -0,0 triệu đồng."),
        ("words", "vi", "Không phải nộp theo luật, không phải nộp theo luật: phí."),
        ("words", "en", "Late, since paid: fees; late, not lost: land rent."),
        ("words", "en", "Not payable by law: fees; not payable by law: land rent."),
        ("words", "en", "Needed in each of the 1 months."),
        ("words", "en", "Fees came to 12.5 M VND."),
        ("words", "en", "Fees came to VND 0.003 million."),
        ("words", "en", "Fees came to nan."),
        ("words", "en", "Between 1 and 2 (80 %), between 0 and 3 (95 %)."),
        ("future", "en", "May still lawfully come, until 31 December 2020 at the latest: 12.5."),
        ("future", "en", "Projected for the whole year: VND 12.5 million."),
        ("future", "en", "Needed in each of the 2 months that remain: VND 12.5 million."),
        ("future", "vi", "Còn được nộp chậm nhất ngày 31/12/2020: 12,5 triệu đồng."),
        ("future", "vi", "Dự kiến cả năm: 12,5 triệu đồng."),
        ("future", "vi", "Mỗi tháng trong 2 tháng còn lại cần 12,5 triệu đồng."),
        ("shortfall", "en", "A shortfall of VND -12.5 million."),
        ("shortfall", "vi", "Hụt thu -12,5 triệu đồng."),
        ("loss of surplus", "en", "Fees 1,288.6 against 1,167.7 expected: loss."),
    ],
)
def test_a_sentence_that_breaks_a_rule_is_named(claims, pages, rule, code, text):
    """Each of these sentences breaks the rule, and no other one."""
    assert found(claims, pages(text, code=code)) == {rule}


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("vi", "Hụt thu 12,5 triệu đồng, trong đó 10 triệu đồng được gia hạn theo luật."),
        ("vi", "Đã được gia hạn đến ngày 31/12/2020, nay đã nộp."),
        ("vi", "Có thể phải nộp chậm nhất ngày 31/03/2021: 12,5 triệu đồng."),
        ("vi", "Không tổ chức được hoạt động nào trong 14 hoạt động; đạt 90 trên 100."),
        ("en", "Exempt by law: VND 12.5 million."),
        ("en", "Fees 1,100.6 against 1,167.7 expected: loss."),
        ("en", "Put off by law until 31 December 2020, since paid: VND 12.5 million."),
        ("en", "VND 120.9 million more came in than expected; VND 0.1 million is lost."),
        ("vi", "Được gia hạn (41/2020/NĐ-CP): thuế của năm 2020 được nộp chậm nhất 31/12/2020."),
        ("en", "The year is complete: nothing remains to be projected."),
        ("en", "None of the events was held; the interval at 95 % is 0.05 to 10.0."),
    ],
)
def test_a_sentence_that_keeps_the_rules_is_left_alone(claims, pages, code, text):
    """What is true and said as agreed is no violation."""
    assert not claims.violations(pages(text, code=code))


def test_what_is_still_open_may_be_told_in_the_future(claims, pages):
    """Before the last lawful day and with two months unknown, the sentences of a closed year stand."""
    texts = (
        "May still lawfully come, until 31 December 2020 at the latest: 12.5.",
        "Projected for the whole year: VND 12.5 million.",
        "Needed in each of the 2 months that remain: VND 12.5 million.",
    )
    assert not claims.violations(pages(*texts, day="2020-11-10", unknown=2))
    assert found(claims, pages(*texts, day="2020-11-10", unknown=1)) == {"future"}


@pytest.mark.parametrize(
    ("collected", "broken"), [("70.0", False), ("70.1", True), ("…", True), ("<0.1", True)]
)
def test_a_bridge_adds_up_as_printed(claims, pages, monkeypatch, collected, broken):
    """Expected less the members and more what came for earlier months is what is printed as collected."""
    words = {"deferred": "put off", "lost": "lost", "earlier": "paid for earlier months"}
    named = [{"kind": "bridge", "code": code, "vi": en, "en": en} for code, en in words.items()]
    kept = [row for row in languages._words() if row["kind"] != "bridge"]
    monkeypatch.setattr(languages, "_words", lambda: kept + named)
    heads = ["Line", "Expected", "Put off", "Lost", "Paid for earlier months", "Collected", "Most"]
    row = ("Fees", "100.0\n(90.0 … 110.0)", "25.0", "-4.9", "-9.9", collected, "12.0")
    content = table("bridge", heads, row)
    assert ("bridge" in found(claims, pages(tables=[content]))) == broken
    row = split("fees", 100.0, 70.0, deferred=25.0, lost=-4.9, earlier=-9.9)
    figures = table("bridge", ["Line", "Expected", "Collected"], data=[row])
    assert not claims.violations(pages(tables=[figures]))
    figures[1]["data"][0]["lost"] = 5.0
    assert found(claims, pages(tables=[figures])) == {"bridge"}


def test_one_quantity_is_one_number(claims, pages):
    """The same quantity of the same line and months differs nowhere, whatever the table calls it."""
    plan = table("receipts-plan", ["Line"], data=[{"line": "fees", "year_to_date": 5e6}])
    target = {
        "item": "fees",
        "kind": "money",
        "set_by": "upper",
        "value": 5e6,
        "through": "2020-09",
    }
    targets = table("targets", ["Line"], data=[target])
    assert not claims.violations(pages(tables=[plan, targets]))
    target["value"] = 6e6
    targets = table("targets", ["Line"], data=[target])
    assert found(claims, pages(tables=[plan, targets])) == {"one number"}


@pytest.mark.parametrize(("amount", "broken"), [("50.0", False), ("79.9", True)])
def test_one_word_is_one_quantity(claims, pages, amount, broken):
    """A sentence and a table of the same months mean the same amount by a shortfall."""
    text = "From Feb 2020 to Sept 2020, Fees: shortfall of VND 50 million."
    row = split("fees", 100e6, 50e6)
    shown = table("effects", ["Line", "Shortfall"], ("Fees", amount), data=[row])
    assert (found(claims, pages(text, tables=[shown])) == {"one number"}) == broken


@pytest.mark.parametrize(
    ("collected", "text", "broken"),
    [
        (120e6, "From Feb 2020 to Sept 2020, Fees: lost 3 million.", True),
        (80e6, "From Feb 2020 to Sept 2020, Fees: lost 3 million.", False),
        (120e6, "Fees: more came in than expected; 3 million are lost.", False),
        (120e6, "Fees: a loss is not shown.", False),
    ],
)
def test_no_loss_where_more_came_than_expected(claims, pages, collected, text, broken):
    """A surplus in cash is no loss, unless the sentence says both."""
    shown = table("effects", ["Line"], data=[split("fees", 100e6, collected)])
    assert (found(claims, pages(text, tables=[shown])) == {"loss of surplus"}) == broken


def test_a_negative_shortfall_in_a_table_is_named(claims, pages):
    """A column of shortfalls holds none below zero; the interval of one may."""
    shown = table("effects", ["Line", "Shortfall"], ("Fees", "5.0\n(-2.0 … 9.0)"))
    assert not claims.violations(pages(tables=[shown]))
    shown = table("effects", ["Line", "Shortfall"], ("Fees", "-5.0\n(-9.0 … 2.0)"))
    assert found(claims, pages(tables=[shown])) == {"shortfall"}


def test_every_word_of_a_page_is_read(claims):
    """Sentences, rows, notes, alt texts, and the words in pictures are claims; each figure's resource
    comes along."""
    walked = claims.walk("phuc-dong", "2020-9M", "vi", "2020-09-13", ["90-briefing"])
    assert walked.day == datetime.date(2020, 9, 13)
    assert walked.unknown == 3
    kinds = {claim.kind for claim in walked.claims}
    assert {"head", "headline", "row", "caption", "note", "alt", "picture"} <= kinds
    assert any("6.240" in claim.text for claim in walked.claims)
    assert all(figures["data"] for _, _, figures in walked.tables)


def chosen(ward):
    """The editions that are walked of the ward of that number: period, day as a place, language."""
    rng = np.random.default_rng([17, ward])
    return [
        (f"{rng.integers(2019, 2022)}-{part}".removesuffix("-"), int(rng.integers(3)), code)
        for part, code in zip(
            rng.choice(
                ["03", "04", "09", "11", "Q1", "Q2", "Q3", "H1", "9M", ""], EDITIONS // WARDS
            ),
            rng.choice(languages.CODES, EDITIONS // WARDS),
            strict=True,
        )
    ]


@pytest.mark.parametrize("ward", range(WARDS))
def test_no_page_of_other_wards_claims_what_cannot_be(claims, tmp_path, monkeypatch, ward):
    """Seeded editions of illustrative wards that nobody has seen break no rule."""
    seed = int(np.random.default_rng([17, ward]).integers(1, 10**6))
    monkeypatch.setenv("WARDLIB_HOME", str(claims.copied(tmp_path, seed)))
    broken = []
    for period, day, code in chosen(ward):
        walked = claims.walk("phuc-dong", period, code, claims.days(period)[day], PAGES)
        if walked is not None:
            assert len(walked.claims) > 50
            broken += claims.violations(walked)
    assert not broken, "\n".join(f"seed {seed}: {violation}" for violation in broken[:20])
