"""What an analyst supposes: what hangs on it moves, nothing else does, and it is said."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import wardlib
from wardlib.analysis import counterfactual, remembered
from wardlib.analysis.assumptions import NOTHING, Assumptions
from wardlib.analysis.relief import Amount
from wardlib.errors import RequestError

WARDS = {"phuc-dong": "nonstate", "philadelphia": "wage_earnings_net_profits"}


@pytest.fixture(scope="module", params=WARDS)
def book(request):
    """An edition whose estimates have been made."""
    found = wardlib.open(request.param, "2020-9M", "en")
    assert found.effect.result.by_line
    return found


def amounts(split):
    """The amounts of a split, by name."""
    values = {field.name: getattr(split, field.name) for field in dataclasses.fields(split)}
    return {name: value for name, value in values.items() if isinstance(value, Amount)}


def estimates():
    """What the estimates made so far are remembered by."""
    return set(remembered._memory)


def test_a_share_or_a_level_needs_no_estimate(book):
    """Another share of what may be put off and another level are read from the estimates that there are."""
    before = estimates()
    for given in ({"share": 0.6}, {"level": 0.8}, {"share": 0.1, "level": 0.9}):
        moved = book.suppose(**given).effect
        moved.sentence()
        moved.chart()
    assert estimates() == before


def test_a_level_moves_the_bounds_and_nothing_else(book):
    """The lower the level, the narrower each interval, around the same means."""
    levels = [book.suppose(level=level).effect.result for level in (0.8, 0.9, 0.95, 0.99)]
    for line, split in book.effect.result.by_line.items():
        assert levels[2].by_line[line] == dataclasses.replace(
            split, origin=levels[2].by_line[line].origin
        )
        by_level = [amounts(result.by_line[line]) for result in levels]
        for name, amount in amounts(split).items():
            assert {own[name].mean for own in by_level} == {amount.mean}
            lows, highs = (
                [getattr(own[name], end) for own in by_level] for end in ("lower", "upper")
            )
            assert lows == sorted(lows, reverse=True)
            assert highs == sorted(highs)
        widths = [own["difference"].upper - own["difference"].lower for own in by_level]
        assert len(set(widths)) == 4


def test_a_share_is_what_is_put_off_at_most():
    """With none, nothing is put off by law; the more do, the more is late rather than lost."""
    book = wardlib.open("phuc-dong", "2020-9M", "en")
    splits = [book.suppose(share=s).effect.result.by_line["nonstate"] for s in (0, 0.3, 0.6, 1)]
    off = [one.deferred.mean + one.overdue.mean + one.paid_later.mean for one in splits]
    assert off[0] == 0
    assert off == sorted(off)
    assert off[-1] > 0.5 * splits[0].difference.mean
    assert len({one.difference for one in splits}) == 1
    claims = [one.at_most.upper for one in splits]
    assert (np.diff(claims) < 1).all()


def test_lines_are_estimated_alone_and_as_with_all_others(book):
    """A line and its parts; nothing of any other line, and the same numbers as where all are asked for."""
    line = WARDS[book.ward.id]
    start = "2020-04"
    remembered.forget()
    own = book.suppose(start=start, lines=line).effect.result
    assert own.by_line
    made = estimates()
    other = next(name for name in book.tax.result.lines.index[1:] if name not in own.lines.index)
    tet = book.table("tet")
    days = () if tet is None else tet["date"]
    series = book.tax.result.months[other]
    counterfactual.estimate(series, start=start, tet=days, line=other)
    assert made < estimates()
    every = book.suppose(start=start).effect.result
    assert set(every.by_line) > set(own.by_line)
    tree = every.lines["parent"]
    assert set(own.lines.index) == {line, *tree.index[tree == line]}
    for name, split in own.by_line.items():
        assert dataclasses.replace(split, origin=every.by_line[name].origin) == every.by_line[name]


def test_a_year_that_is_left_out_teaches_nothing():
    """The estimate of a line is that of its series without the year; what came after the start stays."""
    book = wardlib.open("philadelphia", "2020-9M", "en")
    known = book.tax.result.months["parking"]
    for year in (2017, 2020):
        found = book.suppose(leave_out=year, lines="parking").effect.result
        without = known.mask((known.index.year == year) & (known.index < found.start))
        alone = counterfactual.estimate(without, start=found.start, line="parking")
        np.testing.assert_array_equal(found.impact("parking").paths, alone.paths)
        standing = book.suppose(lines="parking").effect.result.by_line["parking"]
        assert found.by_line["parking"].collected == standing.collected
        assert found.by_line["parking"].expected != standing.expected


@pytest.mark.parametrize("code", ["vi", "en"])
def test_a_later_start_says_what_it_learns_from(code):
    """The months of the epidemic that it puts into the history stand beside every sentence; an earlier
    start puts none there."""
    book = wardlib.open("phuc-dong", "2020-9M", code)
    note = {"vi": "đưa các tháng có dịch vào chuỗi số liệu gốc", "en": "puts months of the epidemic into the history"}[code]  # fmt: skip
    later, earlier = book.suppose(start="2020-05"), book.suppose(start="2019-12")
    learnt = later.effect.result.into_history
    assert [str(month) for month in learnt] == ["2020-02", "2020-03", "2020-04"]
    for said in ("sentence", "moved", "brief"):
        assert note in getattr(later.effect, said)().plain
        assert note not in getattr(earlier.effect, said)().plain
        assert note not in getattr(book.effect, said)().plain
    assert later.effect.result.by_line["nonstate"].first == pd.Period("2020-05")
    # A phase that is left out is learnt from as well; a year that is left out is not.
    assert note in book.suppose(phases="2020-2", lines="fees").effect.sentence().plain
    given = {"start": "2020-09", "lines": "fees"}
    assert note in book.suppose(**given).effect.sentence().plain
    assert note not in book.suppose(**given, leave_out=2020).effect.sentence().plain


def test_a_check_on_months_of_the_epidemic_is_none():
    """Where the windows before a later start hold such months, nobody says that nothing had happened in them;
    before the first phase is not after the last."""
    book = wardlib.open("phuc-dong", "2020-9M", "en")
    later = book.suppose(start="2020-09", lines="nonstate").effect
    assert "hold months of the epidemic" in later.findings().plain
    assert "nothing had happened" not in later.findings().plain
    earlier = book.suppose(start="2019-06", lines="nonstate").effect
    usual = wardlib.open("philadelphia", "2020-9M", "en").suppose(lines="parking").effect
    assert "nothing had happened" in usual.findings().plain
    assert "Before wave 1 (" in earlier.findings().plain
    assert "before 2020-1" in set(earlier.result.rows["span"])
    assert not any("2021" in span for span in earlier.result.rows["span"])
    shorter = book.suppose(start="2018-01", lines="nonstate").effect.sentence().plain
    assert "as supposed, fewer than 24 months" in shorter


def test_a_share_moves_no_expected_amount_as_printed(book):
    """Nor what was collected, nor the difference: what rounding leaves goes to the law's members."""
    for share in (0, 0.6, 1):
        moved = book.suppose(share=share).effect
        for line, split in book.effect.result.by_line.items():
            printed, other = book.effect._printed(split), moved._printed(moved.result.by_line[line])
            for name in ("expected", "collected", "difference"):
                assert printed[name] == other[name], (line, share, name)
            rest = sum(other[name] for name in split.bridge if name != "earlier")
            assert other["expected"] - rest + other["earlier"] == pytest.approx(
                other["collected"], abs=moved._unit.scale / 10 - 1
            )


def test_phases_that_are_left_out_shade_and_part_nothing():
    """Only the phases that are named count; the start is that of the first of them."""
    book = wardlib.open("phuc-dong", "2020", "en")
    first, second = (book.suppose(phases=phase).effect.result for phase in ("2020-1", "2020-2"))
    assert first.phases["id"].tolist() == ["2020-1"]
    assert first.start == book.effect.result.start == pd.Period("2020-02")
    assert second.start == pd.Period("2020-07")
    assert first.segments["spell"].unique().tolist() == [0]


def test_words_keep_to_the_level():
    """Whatever a page says of how often comes from the level, in words and beside the interval."""
    for code, often in (("en", "8 times in 10"), ("vi", "8 trên 10 trường hợp")):
        supposed = wardlib.open("phuc-dong", "2020-9M", code).suppose(level=0.8)
        said = [
            supposed.effect.sentence(), supposed.effect.moved(), supposed.effect.bridge_table(), supposed.effect.months_table(),
            supposed.effect.bridge_chart(), supposed.effect.lines_chart(), supposed.effect.chart(), supposed.activities.sentence(),
        ]  # fmt: skip
        for block in said:
            told = str(block.content) + block.plain
            assert not any(
                usual in told for usual in ("19 times in 20", "19 trên 20", "95 %", "95\u00a0%")
            )
        assert often in said[0].plain
        assert often in said[-1].plain


def test_what_hangs_on_nothing_supposed_is_not_marked():
    """Facts stay what they are; of the year's targets and the leader's page nobody knows what would change."""
    book = wardlib.open("phuc-dong", "2020-9M", "en")
    supposed = book.suppose(share=0.6)
    assert supposed.tax.headline().of["assumptions"] == ""
    assert supposed.schools.sentence().of["assumptions"] == ""
    assert supposed.activities.result.assumptions == NOTHING
    assert book.suppose(start="2020-03", leave_out=2020).activities.result.assumptions == NOTHING
    assert book.suppose(lines="fees").effect.sentence().of["assumptions"] == ""
    assert supposed.effect.sentence().of["assumptions"] == supposed.what_if != ""
    assert supposed.effect.result.table().attrs["what_if"] == "share 0.6"
    assert "what_if" not in book.effect.result.table().attrs
    assert supposed.suppose().effect.sentence().plain == book.effect.sentence().plain
    for page in ("targets", "briefing"):
        with pytest.raises(RequestError, match="bears on effect, activities"):
            getattr(supposed, page)


def test_activities_are_assessed_under_assumptions():
    """Years left out, a start and a level move what was to be expected of events."""
    book = wardlib.open("phuc-dong", "2020-9M", "en")
    standing = book.activities.result.rows.loc[("period", "total")]
    rows = {
        name: book.suppose(**given).activities.result.rows.loc[("period", "total")]
        for name, given in (
            ("year", {"leave_out": 2019}),
            ("level", {"level": 0.8}),
            ("start", {"start": "2019-06"}),
        )
    }
    assert rows["year"]["expected"] != standing["expected"]
    assert rows["start"]["expected"] != standing["expected"]
    assert rows["year"]["held"] == standing["held"]
    assert rows["level"]["expected"] == standing["expected"]
    assert standing["lower"] < rows["level"]["lower"] < rows["level"]["upper"] < standing["upper"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"start": "2020-10"}, "cannot start in 2020-10, after 2020-09"),
        ({"start": "2020"}, "is no month"),
        ({"lines": ("nonstate", "nonstat")}, "Lines here: total, nonstate,"),
        ({"phases": "2020-9"}, "Phases here: 2020-1, 2020-2"),
        ({"leave_out": 2031}, "Years here: 2017, 2018, 2019, 2020"),
        ({"leave_out": "last"}, "is no year"),
        ({"share": "most"}, "is no number"),
        ({"level": 95}, "from 0.8 to 0.999, not 95.0"),
    ],
)
def test_what_cannot_be_supposed_says_what_can(given, told):
    """A start after the period, a line, phase or year that there is not, what is no number."""
    with pytest.raises(RequestError) as error:
        _ = wardlib.open("phuc-dong", "2020-9M", "en").suppose(**given).effect
    assert told in str(error.value)


def test_one_may_stand_for_a_list_and_types_of_pandas_for_texts():
    """As an analyst has them at hand."""
    every = Assumptions(
        pd.Period("2020-03"),
        "2020-1",
        np.float64(0.5),
        np.int64(2017),
        ["fees", ""],
        np.float64(0.9),
    )
    assert every == Assumptions("2020-03", ("2020-1",), 0.5, (2017,), ("fees",), 0.9)
    assert Assumptions() == NOTHING
    assert not NOTHING


def test_the_months_of_a_line_add_up_to_what_its_sentence_says(book):
    """As printed, whatever the line: what is short of all months; what was collected is a month's own."""

    def number(text):
        figure = text["lines"][0].split("*")[0].replace(",", "")
        return 0 if "<" in figure else round(10 * float(figure))  # "<0.1" adds nothing

    page = book.effect
    for line, split in page.result.by_line.items():
        rows = [row["cells"] for row in page.months_table(line).content["rows"]]
        printed = page._printed(split)
        difference = round(10 * printed["difference"] / page._unit.scale)
        assert sum(number(row[2]) for row in rows) == number(rows[-1][3]) == difference
        months = page.result.receipts.months[line][split.first : split.last]
        for row, own in zip(rows, months, strict=True):
            assert number(row[1]) == round(10 * own / page._unit.scale)
            assert abs(number(row[0]) - number(row[1]) - number(row[2])) <= 1  # "<0.1"
