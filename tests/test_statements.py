"""What may be said, by which evidence and in which words; the bridge as it is printed."""

import re

import numpy as np
import pandas as pd
import pytest
import statements as written

import wardlib
from wardlib import language
from wardlib.analysis import statements
from wardlib.analysis.relief import Amount, Split

MILLION = 1_000_000
ZERO = Amount(0.0, 0.0, 0.0)
NAMES = [name for name, kind in Split.__annotations__.items() if kind == "Amount"]


def split(expected=1000, collected=900, until="NaT", was_short=False, granted=True, **amounts):
    """A split of February to September 2020, in millions; amounts as (mean, lower, upper)."""
    given = {
        name: Amount(*(float(value * MILLION) for value in amounts.get(name, (0, 0, 0))))
        for name in NAMES
    }
    return Split(
        pd.Period("2020-02", "M"), pd.Period("2020-09", "M"), 8, expected * MILLION,
        collected * MILLION, **given, until=pd.Timestamp(until), was_short=was_short, granted=granted,
    )  # fmt: skip


@pytest.fixture(scope="module")
def page():
    """The effect page of a ward whose amounts are printed in millions."""
    return wardlib.open("phuc-dong", "2020-9M", "en", "2020-09-13").effect


@pytest.mark.parametrize("code", ["vi", "en"])
@pytest.mark.parametrize("kind", written.KINDS)
def test_every_statement_has_its_words_in_both_languages(kind, code):
    """One row a code, in the order of the table of evidence, and no words without a statement."""
    _, table = written.KINDS[kind]
    words = language.get(code).words(kind)
    assert list(words) == [one.code for one in table]
    assert all(words.values())


def test_the_method_note_has_the_table_of_the_code():
    """`make docs` writes it; otherwise words and evidence would drift apart."""
    assert written.PAPER.read_text(encoding="utf-8") == written.paper()


@pytest.mark.parametrize(
    ("amounts", "cash", "loss", "verdict"),
    [
        ({"difference": (50, -190, 290), "claim": (50, -190, 290), "at_most": (50, -190, 290)},
         "usual", "possible", "usual"),
        ({"difference": (0, -30, 70), "at_most": (0, -30, 70)}, "usual", "excluded", "usual"),
        ({"difference": (-90, -190, 20), "at_most": (-90, -190, 20)}, "usual", "possible", "usual"),
        ({"difference": (100, 60, 140), "shortfall": (100, 60, 140), "claim": (100, 60, 140),
          "never_due_later": (100, 60, 140), "at_most": (100, 60, 140)}, "short", "lost", "lost"),
        ({"difference": (100, 60, 140), "shortfall": (100, 60, 140), "claim": (100, 60, 140),
          "overdue": (90, 0, 140), "never_due_later": (10, 0, 140), "at_most": (100, 60, 140)},
         "short", "overdue", "overdue"),
        ({"difference": (100, 60, 140), "shortfall": (100, 60, 140), "deferred": (80, 0, 140),
          "claim": (20, -90, 140), "at_most": (20, -90, 140)}, "short", "possible", "deferred"),
        ({"difference": (100, 60, 140), "shortfall": (100, 60, 140), "exempt": (80, 50, 120),
          "claim": (20, -10, 40), "at_most": (100, -10, 240)}, "short", "possible", "relief"),
        ({"difference": (100, 60, 140), "shortfall": (100, 60, 140), "paid_later": (80, 0, 140),
          "claim": (20, -90, 140), "at_most": (20, -90, 140)}, "short", "possible", "returned"),
        ({"difference": (-100, -140, -60), "shortfall": (-90, -140, -50), "at_most": (-90, -140, -50)},
         "more", "excluded", "more"),
        ({"difference": (-100, -140, -60), "shortfall": (150, 90, 200), "earlier": (250, 0, 300),
          "claim": (150, 90, 200), "never_due_later": (150, 90, 200), "at_most": (150, 90, 200)},
         "more", "lost", "lost"),
    ],
)  # fmt: skip
def test_what_may_be_said_follows_from_the_intervals(amounts, cash, loss, verdict):
    """A loss is shown, overdue, excluded beyond a small amount, or possible up to one; nothing is claimed
    that an interval leaves open."""
    found = split(**amounts)
    assert (found.cash, found.loss, found.verdict) == (cash, loss, verdict)


def test_the_bridge_names_the_rest_by_the_evidence():
    """The same rest is lost where a loss is shown, and unexplained where none is."""
    shown = split(never_due_later=(100, 60, 140), claim=(100, 60, 140))
    unclear = split(never_due_later=(100, -60, 140), claim=(100, -60, 140))
    for found, lost, unexplained in ((shown, 100, 0), (unclear, 0, 100)):
        means = {name: own.mean / MILLION for name, own in found.bridge.items()}
        assert (means["lost"], means["unexplained"]) == (lost, unexplained)


def test_the_bridge_adds_up_as_it_is_printed(page):
    """Whatever the means, the printed figures lead from the expected to the collected to the last digit,
    and what was collected is rounded, never moved."""
    rng = np.random.default_rng(7)
    names = ("exempt", "reduced", "deferred", "overdue", "paid_later", "earlier")
    for _ in range(300):
        means = dict(zip(names, rng.uniform(0, 50, 6) * (rng.random(6) < 0.6), strict=True))
        collected = rng.uniform(0, 900)
        rest = rng.normal(0, 40)
        off = sum(means.values()) - 2 * means["earlier"] + rest
        found = split(
            expected=collected + off, collected=collected,
            never_due_later=(rest, rest - 50, rest + 50),
            **{name: (mean, 0, 2 * mean) for name, mean in means.items()},
        )  # fmt: skip
        printed = page._printed(found)
        figures = {name: float(page._unit.figure(value).replace(",", "").replace("<0.1", "0"))
                   for name, value in printed.items()}  # fmt: skip
        taken = sum(figures[name] for name in found.bridge if name != "earlier")
        came = figures["expected"] - taken + figures["earlier"]
        assert came == pytest.approx(figures["collected"], abs=1e-6)
        assert figures["collected"] == pytest.approx(round(collected, 1), abs=1e-6)
        assert figures["difference"] == pytest.approx(
            figures["expected"] - figures["collected"], abs=1e-6
        )
        for name, own in found.bridge.items():
            assert abs(figures[name] - own.mean / MILLION) < 0.1001, "rounded, not moved"
            assert own.mean != 0 or figures[name] == 0, "nothing stays nothing"


def said(page, found):
    """The sentences on a split of the non-state tax."""
    return " ".join(page._account("nonstate", found, own=False)).replace("\N{NO-BREAK SPACE}", " ")


def test_a_surplus_in_cash_is_never_called_a_loss_alone(page):
    """120.9 more came in than expected, of which 284.6 had been put off before: the sentence says so and
    what these months still lack, before it names a loss."""
    found = split(
        expected=1167.7, collected=1288.6, difference=(-120.9, -226.1, -7.7), earlier=(284.6, 0, 300),
        shortfall=(163.7, 80, 250), never_due_later=(163.7, 60, 250), claim=(163.7, 60, 250),
        at_most=(163.7, 60, 250),
    )  # fmt: skip
    text = said(page, found)
    assert "VND 120.9 million more came in than expected, of which about VND 284.6 million" in text
    assert "VND 163.7 million short of what these months owed. Lost: VND 163.7 million" in text
    assert "hortfall" not in text


def test_not_shown_is_not_excluded(page):
    """Where a loss of up to 250.9 is not excluded, the page says so, and never that it is only late."""
    found = split(
        collected=800, difference=(200, 90, 310), shortfall=(200, 90, 310), deferred=(150, 0, 300),
        claim=(50, -60, 250.9), never_due_later=(50, -60, 250.9), at_most=(50, -60, 250.9),
        until="2020-12-31",
    )  # fmt: skip
    text = said(page, found)
    assert "by 31 December 2020 at the latest: about VND 150 million (from 0 to 300)" in text
    assert "Not enough evidence of a loss; at most VND 250.9 million" in text
    assert "late" not in text.replace("later", "").replace("latest", "")


def test_what_was_exempt_is_not_proven_to_be_no_loss(page):
    """Of payers from whom the law took nothing, nobody knows who would have paid: at most all of it."""
    found = split(
        collected=500, difference=(500, 400, 600), shortfall=(500, 400, 600), exempt=(500, 400, 600),
        at_most=(500, 100, 600),
    )  # fmt: skip
    assert found.loss == "possible"
    assert "at most VND 600 million" in said(page, found)


def test_what_is_not_due_is_not_said_to_be_put_off(page):
    """A tax that no decree put off is not due before its day; the words of a deferral are not said."""
    found = split(
        collected=800, difference=(200, 90, 310), shortfall=(200, 90, 310), deferred=(150, 0, 300),
        claim=(50, -60, 310), never_due_later=(50, -60, 310), at_most=(50, -60, 310), until="2020-11-02", granted=False,
    )  # fmt: skip
    text = said(page, found)
    assert "Not due before 2 November 2020: about VND 150 million" in text
    assert "law lets" not in text


def test_within_normal_variation_nothing_is_short(page):
    """4.3 less than expected is no shortfall where neither cash nor what these months owed is shown to
    differ, though some came for earlier months; a line that was short before is said to have been paid."""
    found = split(
        collected=995.7, difference=(4.3, -60, 70), shortfall=(4.5, -60, 70), earlier=(0.2, 0, 1),
        returned=(38, 0, 60), claim=(4.5, -190, 290), at_most=(4.5, -190, 290), was_short=True,
    )  # fmt: skip
    assert found.verdict == "returned"
    text = said(page, found)
    assert "The difference is within normal variation." in text
    assert "hort" not in text
    short = page._in_short(found).replace("\N{NO-BREAK SPACE}", " ")
    assert short.startswith(
        "short, then paid as the time allowed by law ended; not enough evidence"
    )


def test_what_came_on_top_has_no_part_exempt(page):
    """Of 72 more than expected nothing is exempt; and an amount that is all lost is told once."""
    more = split(
        expected=264, collected=336, difference=(-72, -120, -10), shortfall=(-72, -120, -10),
        exempt=(9.7, 0, 20),
    )  # fmt: skip
    told = page._in_short(more).replace("\N{NO-BREAK SPACE}", " ")
    assert told == "VND 72 million more than expected"
    lost = split(collected=875, difference=(125, 4, 279), shortfall=(125, 4, 279),
                 never_due_later=(125, 4, 279), claim=(125, 4, 279), at_most=(125, 4, 279))  # fmt: skip
    assert page._in_short(lost).count("125") == 1
    assert page._in_short(lost).startswith("lost: ")


def test_a_loss_that_is_excluded_is_not_said_to_be_open(page):
    """Among the lines that moved: not excluded stands beside a verdict only where it is so."""
    owed = {"difference": (100, 60, 140), "shortfall": (100, 60, 140), "deferred": (100, 0, 140)}
    splits = {
        "nonstate": split(**owed, at_most=(0, 0, 0)),
        "land_rent": split(**owed, claim=(0, -400, 400), at_most=(0, -400, 400)),
    }
    assert [own.loss for own in splits.values()] == ["excluded", "possible"]
    assert page._grouped(splits) == (
        "non-state sector tax (business households) (short; the law lets payers pay later); land rent "
        "(short; the law lets payers pay later, a loss not excluded)"
    )


@pytest.mark.parametrize("code", ["vi", "en"])
def test_a_verdict_reaches_the_page_by_its_words_alone(code):
    """Every row of the bridge says a verdict of the table, and every loss in a sentence one of its words."""
    words = language.get(code)
    for ward, period in (("phuc-dong", "2021-Q3"), ("philadelphia", "2020-Q2")):
        effect = wardlib.open(ward, period, code).effect
        known = set(words.words("verdict").values())
        rows = effect.bridge_table().content["rows"]
        assert {row["says"] for row in rows if row["says"]} <= known
        losses = "|".join(
            re.escape(form).replace(r"\{", "{").split("{")[0]
            for form in words.words("loss").values()
        )
        for line, found in effect.result.by_line.items():
            if found.verdict != statements.USUAL:
                text = str(effect.sentence(line)).replace("\N{NO-BREAK SPACE}", " ")
                assert re.search(losses, text, re.IGNORECASE), (line, text)


def test_one_quantity_is_printed_alike_in_sentence_table_and_chart(page):
    """The expected amount of a line stands with the same digits in its sentence, row, bar and answer."""
    found = page.result.by_line["nonstate"]
    expected = page._unit.figure(page._printed(found)["expected"], trim=True)
    row = next(
        row for row in page.bridge_table().content["rows"] if row["head"].startswith("Non-state")
    )
    assert row["cells"][0]["lines"][0] == page._unit.figure(page._printed(found)["expected"])
    assert f"{expected} million (19 times in 20" in str(page.sentence("nonstate")).replace(
        "\N{NO-BREAK SPACE}", " "
    )
    assert f"of {expected} expected" in page.bridge_chart().plain
