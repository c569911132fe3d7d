"""School days: lost, made up, why; by level, school and school year."""

import dataclasses
import re

import pandas as pd
import pytest

import wardlib
from wardlib.analysis import closures, schools
from wardlib.analysis.epidemic import Epidemic
from wardlib.data import descriptors, disclosure
from wardlib.data.book import open_book
from wardlib.errors import RequestError
from wardlib.pages.schools import SchoolsPage
from wardlib.periods import Period

PHASES = pd.DataFrame(
    {
        "id": ["1"],
        "area": ["VN-HN"],
        "start": [pd.Timestamp("2020-02-03")],
        "end": [pd.Timestamp("2020-06-09")],
        "name_vi": ["Đợt 1"],
        "name_en": ["Wave 1"],
    }
)


def decided(*rows):
    """Rows (id, start, end, levels, grades, state), as the table school_closures has them."""
    frame = pd.DataFrame(rows, columns=["id", "start", "end", "levels", "grades", "state"])
    frame["levels"] = frame["levels"].str.split(" ").map(tuple)
    frame["start"], frame["end"] = pd.to_datetime(frame["start"]), pd.to_datetime(frame["end"])
    frame = frame.assign(area="VN-HN", document="")
    return frame.assign(name_vi=frame["id"], name_en=frame["id"])


def months(school, rows):
    """Rows month: (pupils, planned, in person, online, closed) of a school."""
    frame = pd.DataFrame.from_dict(
        rows,
        orient="index",
        columns=["pupils", "planned_days", "in_person_days", "online_days", "closed_days"],
    )
    frame["month"], frame["school"] = pd.PeriodIndex(frame.index, freq="M"), school
    frame["attendance_share"] = (frame["in_person_days"] > 0).map({True: 0.9, False: None})
    frame["attendance_share"] = frame["attendance_share"].astype(float)
    described = descriptors.ward("phuc-dong").table("school_months")
    return disclosure.disclosed(described, frame.reset_index(drop=True))


def register(**levels):
    return pd.DataFrame(
        {
            "school": list(levels),
            "name": [f"Trường {name}" for name in levels],
            "level": list(levels.values()),
            "valid_from": pd.PeriodIndex([None] * len(levels), freq="M"),
            "valid_to": pd.PeriodIndex([None] * len(levels), freq="M"),
        }
    )


def assess(period, reported, where, decisions, day=None):
    given = {
        "school_months": reported,
        "schools": where,
        "school_closures": decisions,
    }
    epidemic = Epidemic.of(PHASES, ("VN", "VN-HN"))
    return schools.assess(Period.parse(period), given.get, epidemic, day)


ORDINARY = {
    f"{year}-{month:02}": (100, days, days, 0, 0)
    for year in (2018, 2019)
    for month, days in enumerate([20, 10, 21, 20, 18, 0, 0, 0, 20, 22, 21, 21], start=1)
}
SPRING = {
    "2020-01": (100, 16, 16, 0, 0),
    "2020-02": (100, 20, 0, 0, 20),
    "2020-03": (100, 22, 0, 5, 17),
    "2020-04": (100, 20, 12, 2, 6),
    "2020-05": (100, 20, 20, 0, 0),
    "2020-06": (100, 22, 22, 0, 0),
}
CLOSED = decided(
    ("F", "2019-09-05", "2020-07-15", "thcs", "", "frame"),
    ("S1", "2020-02-03", "2020-04-05", "thcs", "", "closed"),
    ("S2", "2020-03-25", "2020-04-05", "thcs", "", "online"),
)


def test_lost_made_up_and_usual_days_by_hand():
    """Lost = planned - in class - online; made up beyond the most that an earlier year planned; usual
    from the same months before COVID-19, not from 2020's own plan."""
    found = assess("2020-H1", months("a", ORDINARY | SPRING), register(a="thcs"), CLOSED)
    row = found.levels.loc[(0, "thcs")]
    assert (row["planned"], row["in_person"], row["online"], row["lost"]) == (120, 70, 7, 43)
    assert row["made_up"] == (20 - 18) + 22
    assert row["taught"] == 77
    assert (row["usual_taught"], row["years"]) == (89, 2)
    assert row["attendance"] == pytest.approx(0.9)


def test_the_usual_days_are_of_the_months_reported():
    """Of January to June January and March are known: 20 and 21 days, not 89."""
    known = {month: SPRING[month] for month in ("2020-01", "2020-03")}
    found = assess("2020-H1", months("a", ORDINARY | known), register(a="thcs"), CLOSED)
    row = found.levels.loc[(0, "thcs")]
    assert (row["taught"], row["usual_taught"], row["years"]) == (16 + 5, 20 + 21, 2)


def test_months_after_the_period_change_nothing():
    """April's closure and a school that reports from May on, on Saturdays too, in the tables of a
    reader of the first quarter: all that the quarter shows is the same."""
    quarter = {month: row for month, row in SPRING.items() if month <= "2020-03"}
    where = register(a="thcs", b="thpt").assign(
        valid_from=pd.PeriodIndex([None, "2020-05"], freq="M")
    )
    early = months("a", ORDINARY | quarter)
    later = [months("a", SPRING), months("b", {"2020-05": (3, 26, 26, 0, 0)})]
    late = pd.concat([early, *(own[own["month"] > "2020-03"] for own in later)])
    few, all_ = (assess("2020-Q1", rows, where, CLOSED) for rows in (early, late))
    for name in ("levels", "schools", "totals", "reasons", "spells"):
        pd.testing.assert_frame_equal(getattr(few, name), getattr(all_, name))
    assert few.missing == all_.missing == ()
    assert not few.six_days
    assert not all_.six_days
    pd.testing.assert_frame_equal(few.calendar["thcs"], all_.calendar["thcs"])
    assert set(all_.calendar) == {"thcs"}
    assert assess("2017-Q1", late, where, CLOSED) is None


def test_nothing_is_made_up_before_a_day_is_lost():
    """February taught twice the usual, the first day was lost in March: only May's excess makes up."""
    rows = {
        "2020-02": (100, 20, 20, 0, 0),
        "2020-03": (100, 21, 11, 0, 10),
        "2020-04": (100, 20, 20, 0, 0),
        "2020-05": (100, 21, 21, 0, 0),
    }
    found = assess("2020-H1", months("a", ORDINARY | rows), register(a="thcs"), CLOSED)
    assert found.levels.loc[(0, "thcs"), "made_up"] == 3


def test_the_epidemics_own_year_is_not_usual():
    """For the first half of 2021 the years 2018 and 2019 say what is usual, 2020 does not."""
    rest = {f"2020-{month:02}": (100, 0, 0, 0, 0) for month in range(7, 13)}
    after = {f"2021-{month:02}": (100, 20, 20, 0, 0) for month in range(1, 7)}
    reported = months("a", ORDINARY | SPRING | rest | after)
    row = assess("2021-H1", reported, register(a="thcs"), CLOSED).levels.loc[(0, "thcs")]
    assert (row["usual_taught"], row["years"]) == (89, 2)


def test_lost_days_are_set_against_the_days_of_decisions():
    """February's 20 and March's 17 under the closure; in April three school days fall under it, the
    other three lost days have no reason."""
    found = assess("2020-H1", months("a", ORDINARY | SPRING), register(a="thcs"), CLOSED)
    period = found.reasons[found.reasons["span"] == 0].set_index("measure")["days"]
    assert period.to_dict() == {"S1": 20 + 17 + 3, "": 3}


def test_a_period_of_two_school_years_has_two_rows():
    """Nine months: January to August belong to one school year, September to the next."""
    extra = {
        "2020-07": (100, 5, 5, 0, 0),
        "2020-08": (100, 0, 0, 0, 0),
        "2020-09": (110, 21, 21, 0, 0),
    }
    found = assess("2020-9M", months("a", ORDINARY | SPRING | extra), register(a="thcs"), CLOSED)
    spans = found.spans[found.spans["kind"] == "period"]
    assert list(spans["year"]) == ["2019-2020", "2020-2021"]
    lost = found.levels["lost"].droplevel("level")
    assert list(lost[spans.index]) == [43, 0]


def test_days_of_a_level_are_those_of_an_average_pupil():
    """300 pupils lose 10 days, 100 lose 2: 8 days on average."""
    big = months("a", {"2020-02": (300, 20, 10, 0, 10)})
    small = months("b", {"2020-02": (100, 20, 18, 0, 2)})
    found = assess("2020-02", pd.concat([big, small]), register(a="thcs", b="thcs"), CLOSED)
    assert found.levels.loc[(0, "thcs"), "lost"] == 8


def test_a_month_not_reported_is_missing_and_a_closed_school_is_not_expected():
    """Validity dates say which months are due."""
    where = register(a="thcs", b="thcs")
    where["valid_to"] = pd.PeriodIndex([None, "2020-01"], freq="M")
    both = pd.concat(
        [
            months("a", {"2020-01": (100, 16, 16, 0, 0), "2020-03": (100, 22, 0, 0, 22)}),
            months("b", {"2020-01": (50, 16, 16, 0, 0)}),
        ]
    )
    found = assess("2020-Q1", both, where, CLOSED)
    assert found.missing == (("a", pd.Period("2020-02", "M")),)
    row = found.levels.loc[(0, "thcs")]
    assert (row["reported"], row["expected"]) == (3, 4)


def test_grades_in_different_states_make_a_level_partial():
    """Grade 12 in class, 10 and 11 online: some pupils are in class."""
    decisions = decided(
        ("F", "2021-09-01", "2022-05-31", "thpt", "", "frame"),
        ("A", "2021-09-06", "2022-02-07", "thcs thpt", "7-11", "online"),
        ("B", "2021-09-06", "2021-12-05", "thpt", "12", "online"),
        ("C", "2021-12-06", "2021-12-26", "thpt", "12", "partial"),
        ("D", "2021-12-27", "2022-01-22", "thpt", "12", "online"),
    )
    reported = months("a", {"2021-12": (100, 23, 0, 23, 0)})
    found = assess("2021-12", reported, register(a="thpt"), decisions)
    states = found.calendar["thpt"]["state"]
    assert states["2021-12-03"] == closures.ONLINE
    assert states["2021-12-06"] == closures.PARTIAL
    assert states["2021-12-27"] == closures.ONLINE
    assert states["2021-12-05"] == closures.OFF  # a Sunday


FRAMES = (
    ("F", "2020-09-01", "2021-05-31", "thcs", "", "frame"),
    ("G", "2021-09-01", "2022-05-31", "thcs", "", "frame"),
)
# Decisions beside FRAMES, period, day, and what is told of the last time away: start, end, calendar
# days, school days (weekdays in FRAMES), whether a summer lies inside, when the decisions end it.
AWAY = {
    "a closure that outlasts the summer, in its first school year": (
        [("S", "2021-05-24", "2021-10-03", "thcs", "", "closed")], "2021-H1", None,
        ("2021-05-24", "2021-06-30", 38, 6, True, "2021-10-03"),
    ),
    "the same in the next school year, in which it ends": (
        [("S", "2021-05-24", "2021-10-03", "thcs", "", "closed")], "2021-Q4", None,
        ("2021-05-24", "2021-10-03", 133, 6 + 23, True, "2021-10-03"),
    ),
    "a closure without an end": (
        [("S", "2021-09-20", None, "thcs", "", "closed")], "2021-Q3", None,
        ("2021-09-20", "2021-09-30", 11, 9, False, None),
    ),
    "a closure that ends with the period": (
        [("S", "2021-09-20", "2021-09-30", "thcs", "", "closed")], "2021-Q3", None,
        ("2021-09-20", "2021-09-30", 11, 9, False, "2021-09-30"),
    ),
    "what is decided beyond the day of the edition is not told": (
        [("S", "2021-09-20", "2021-10-30", "thcs", "", "closed")], "2021-Q3", "2021-09-24",
        ("2021-09-20", "2021-09-24", 5, 5, False, "2021-10-30"),
    ),
    "a weekend between two decisions brings nobody back": (
        [("S", "2021-09-13", "2021-09-17", "thcs", "", "closed"),
         ("T", "2021-09-20", "2021-09-24", "thcs", "", "online")], "2021-Q3", None,
        ("2021-09-13", "2021-09-24", 12, 10, False, "2021-09-24"),
    ),
    "a day in class between two decisions parts them": (
        [("S", "2021-09-13", "2021-09-16", "thcs", "", "closed"),
         ("T", "2021-09-20", "2021-09-24", "thcs", "", "online")], "2021-Q3", None,
        ("2021-09-20", "2021-09-24", 5, 5, False, "2021-09-24"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", AWAY)
def test_a_time_away_is_as_long_as_the_decisions_make_it(case):
    """From its own first day, through summers, to its last day, that of the period or the edition's."""
    rows, period, day, (start, end, days, school_days, summer, until) = AWAY[case]
    reported = months("a", {"2021-01": (100, 20, 20, 0, 0)})
    day = day and pd.Timestamp(day).date()
    found = assess(period, reported, register(a="thcs"), decided(*FRAMES, *rows), day)
    last = found.spells.iloc[-1]
    assert (last["start"], last["end"]) == (pd.Timestamp(start), pd.Timestamp(end))
    assert (last["days"], last["school_days"], last["summer"]) == (days, school_days, summer)
    assert last["until"] is pd.NaT if until is None else last["until"] == pd.Timestamp(until)
    if day:
        assert found.calendar["thcs"].index[-1] == pd.Timestamp(day)


def test_a_directive_closes_no_school():
    """What is not in school_closures explains nothing, whatever measures were in force."""
    none = CLOSED[CLOSED["state"] == "frame"]
    found = assess("2020-H1", months("a", ORDINARY | SPRING), register(a="thcs"), none)
    assert set(found.reasons["measure"]) == {""}
    assert found.spells.empty


def test_small_schools_show_neither_pupils_nor_attendance():
    """Three pupils are from one to four, their school shows no attendance, and the level a range."""
    parts = [
        months(name, {"2020-01": (pupils, 16, 16, 0, 0)})
        for name, pupils in {"a": 3, "b": 60, "c": 200}.items()
    ]
    found = assess("2020-01", pd.concat(parts), register(a="thcs", b="thcs", c="thcs"), CLOSED)
    own = found.schools.loc[0]
    assert own["hidden"].to_dict() == {"a": True, "b": False, "c": False}
    assert own.loc[["a"], ["pupils", "attendance"]].isna().all(axis=None)
    assert own["pupils"].dropna().to_dict() == {"b": 60, "c": 200}
    bounds = ["pupils_at_least", "pupils_at_most"]
    assert own.loc["a", bounds].tolist() == [1, 4]
    assert own.loc["b", bounds].tolist() == [60, 60]
    total = found.totals.loc[(0, "thcs")]
    assert pd.isna(total["pupils"])
    assert total[bounds].tolist() == [261, 264]
    assert found.levels.loc[(0, "thcs"), "attendance"] == pytest.approx(0.9)


def test_a_month_with_few_pupils_hides_the_attendance_of_the_span():
    """A school that shrank from 60 to 3 pupils: neither it nor its level, of which it is the only one."""
    shrunk = months("a", {"2020-01": (60, 16, 16, 0, 0), "2020-02": (3, 16, 16, 0, 0)})
    shrunk["attendance_share"] = [0.5, float("nan")]
    found = assess("2020-Q1", shrunk, register(a="thcs"), CLOSED)
    assert pd.isna(found.schools.loc[(0, "a"), "attendance"])
    assert pd.isna(found.levels.loc[(0, "thcs"), "attendance"])
    assert found.levels.loc[(0, "thcs"), "hidden"]
    other = months("b", {"2020-01": (60, 16, 16, 0, 0)})
    found = assess("2020-Q1", pd.concat([shrunk, other]), register(a="thcs", b="thcs"), CLOSED)
    assert found.levels.loc[(0, "thcs"), "attendance"] == pytest.approx(0.9), "of the other alone"


def test_few_pupils_weigh_the_same_whatever_their_number():
    """A school of 1 to 4 pupils that lost all 16 days, beside one of 97.5 that lost none."""
    for few in (1, 2, 3, 4):
        big, small = (
            months("a", {"2020-01": (195, 16, 16, 0, 0)}),
            months("b", {"2020-01": (few, 16, 0, 0, 16)}),
        )
        found = assess("2020-01", pd.concat([big, small]), register(a="thcs", b="thcs"), CLOSED)
        assert found.levels.loc[(0, "thcs"), "lost"] == pytest.approx(16 * 2.5 / 197.5, rel=1e-12)


def test_a_level_of_three_pupils_shows_no_attendance():
    """A single school of three: neither it nor its level."""
    found = assess(
        "2020-01", months("a", {"2020-01": (3, 16, 16, 0, 0)}), register(a="thcs"), CLOSED
    )
    assert pd.isna(found.levels.loc[(0, "thcs"), "attendance"])
    assert pd.isna(found.totals.loc[(0, "thcs"), "pupils"])
    assert found.levels.loc[(0, "thcs"), "in_person"] == 16


QUIET = {f"2020-{month:02}": (100, 20, 20, 0, 0) for month in range(1, 7)}
# Period, reports, register, and the (span, level) that stand in the tables.
RARE = {
    "the only school closed before the span": (
        "2020-Q1", months("a", {"2019-05": (100, 20, 20, 0, 0)}),
        register(a="thcs").assign(valid_to=pd.PeriodIndex(["2019-05"], freq="M")), [],
    ),
    "no school of a level exists any more": (
        "2020-Q1", pd.concat([months("a", QUIET), months("b", {"2019-05": (90, 20, 20, 0, 0)})]),
        register(a="thcs", b="thpt").assign(valid_to=pd.PeriodIndex([None, "2019-05"], freq="M")),
        [(0, "thcs"), (1, "thcs")],
    ),
    "a school opens after the span": (
        "2020-Q1", months("a", QUIET),
        register(a="thcs", b="thpt").assign(valid_from=pd.PeriodIndex([None, "2020-06"], freq="M")),
        [(0, "thcs"), (1, "thcs")],
    ),
    "the only school with a report is to be closed, another opens": (
        "2020-9M", months("a", QUIET),
        register(a="thcs", b="thpt").assign(
            valid_from=pd.PeriodIndex([None, "2020-09"], freq="M"),
            valid_to=pd.PeriodIndex(["2020-06", None], freq="M"),
        ),
        [(0, "thcs"), (1, "thcs"), (2, "thpt"), (3, "thpt")],
    ),
    "schools of the register have no report at all": (
        "2020-Q1", months("a", QUIET), register(a="thcs", b="thpt", c="thpt"),
        [(0, "thcs"), (0, "thpt"), (1, "thcs"), (1, "thpt")],
    ),
    "a school year of the period has no school": (
        "2020-9M", months("a", QUIET),
        register(a="thcs").assign(valid_to=pd.PeriodIndex(["2020-06"], freq="M")),
        [(0, "thcs"), (1, "thcs")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", RARE)
def test_schools_that_come_and_go_stand_in_their_own_spans(case):
    """Each table has the levels that had a school, no other; what is not reported is missing, and
    every page can be made of it in both languages."""
    period, reported, where, stand = RARE[case]
    found = assess(period, reported[reported["month"] <= Period.parse(period).last], where, CLOSED)
    assert list(found.levels.index) == list(found.totals.index) == stand
    assert set(
        zip(found.schools.index.get_level_values(0), found.schools["level"], strict=True)
    ) == set(stand)
    assert set(found.calendar) == {level for _, level in stand}
    silent = found.levels[found.levels["reported"] == 0]
    assert silent[["planned", "lost", "attendance"]].isna().all(axis=None)
    assert len(silent) == sum(level == "thpt" for _, level in stand)
    for language in ("vi", "en"):
        page = SchoolsPage(wardlib.open("phuc-dong", period, language), found)
        assert page.sentence()
        assert (page.schools_table() is None) is (not (found.schools["planned"] > 0).any())
        for name in (name for name in dir(SchoolsPage) if not name.startswith("_")):
            getattr(page, name)()


def page_of(period, reported, where, decisions=CLOSED, language="en", day=None):
    """The page of the illustrative ward's edition with these reports in place of its own."""
    found = assess(period, reported, where, decisions, day)
    return SchoolsPage(wardlib.open("phuc-dong", period, language), found)


def test_days_taught_of_the_usual_ones_lead():
    """Levels with the same figures stand together; nothing is out of the planned days."""
    both = pd.concat([months("a", ORDINARY | SPRING), months("b", ORDINARY | SPRING)])
    where = register(a="thcs", b="thpt")
    page = page_of("2020-H1", both, where)
    said = str(page.sentence())
    assert said.startswith(
        "From Jan 2020 to Jun 2020 (school year 2019–2020), school days taught of the usual number: "
        "lower secondary school and upper secondary school 77/89 (7 online)."
    )
    assert "120" not in said
    assert page.answer() == (
        "Taught 77/89 usual days (lower secondary school, upper secondary school)."
    )
    cells = [row["cells"][0]["lines"][0] for row in page.days_table().content["rows"]]
    assert cells[:3] == ["", "77/89", "77/89"]


def test_without_an_earlier_year_the_usual_is_said_not_to_be_known():
    """Days taught are then of those planned, in the sentence, the table and the leader's line."""
    page = page_of("2020-H1", months("a", SPRING), register(a="thcs"))
    assert "the usual number is not known, for want of an earlier year): lower" in str(
        page.sentence()
    )
    assert "77/120 (7 online)" in str(page.sentence())
    assert page.answer() == "Taught 77/120 planned days (lower secondary school)."
    assert page.days_table().content["columns"][1]["head"] == "Taught / planned"


def test_summer_months_without_school_are_said_and_not_shown():
    """Nothing in the tables; where another level has school, only that one."""
    summer = {f"2020-{month:02}": (100, 0, 0, 0, 0) for month in (7, 8)}
    extra = {f"2020-{month:02}": (100, 5, 5, 0, 0) for month in (7, 8)}
    one = months("a", ORDINARY | SPRING | summer)
    page = page_of("2020-08", one, register(a="thcs"))
    assert str(page.sentence()) == (
        "In August 2020 (school year 2019–2020): summer holidays, no school day was planned."
    )
    assert page.answer() == "No school day was planned."
    for name in ("days_table", "schools_table", "schools_hit"):
        assert getattr(page, name)() is None, name
    two = pd.concat([one, months("b", ORDINARY | extra)])
    page = page_of("2020-08", two, register(a="thcs", b="thpt"))
    assert "In August 2020, no school day was planned: lower secondary school." in str(
        page.sentence()
    )
    month, upper, year, *_ = [row["head"] for row in page.days_table().content["rows"]]
    assert (month, upper) == ("Aug 2020 (school year 2019–2020)", "Upper secondary school")
    assert year == "Sept 2019–Aug 2020 (school year 2019–2020)"
    heads = " ".join(row["head"] for row in page.schools_table().content["rows"])
    assert "Lower" not in heads
    assert "Trường a" not in heads


def test_a_loss_not_yet_reported_is_not_denied():
    """February is decided to be closed and nobody has reported it: no "no day was lost"."""
    january = {"2020-01": SPRING["2020-01"]}
    reported = months("a", ORDINARY | january)
    page = page_of("2020-Q1", reported, register(a="thcs"), day=pd.Timestamp("2020-02-20").date())
    assert "no school day was lost" not in str(page.sentence())
    assert "no lost day is reported so far. Lower secondary school away from class" in str(
        page.sentence()
    )
    assert page.answer() == (
        "Classrooms closed from 3 February 2020; the days lost are not reported yet."
    )


@pytest.mark.parametrize(
    ("area", "document", "words"),
    [
        ("VN", "", "decision of the national authorities, from 3"),
        ("VN-HN", "", "decision of the city, from 3"),
        ("VN-HN-004", "12/QĐ-UBND", "decision of the city No. 12/QĐ-UBND, from 3"),
        ("VN-44", "", "decision of the province, from 3"),
        ("US-PA", "", "decision of the authorities, from 3"),
    ],
)
def test_it_is_said_by_whose_decision_days_were_lost(area, document, words):
    """The country's, the city's or the province's, with the number where it is known, never Directive 16."""
    page = page_of("2020-H1", months("a", ORDINARY | SPRING), register(a="thcs"))
    reasons = page.result.reasons
    closed = reasons["measure"] != ""
    reasons = reasons.assign(
        area=reasons["area"].where(~closed, area),
        document=reasons["document"].where(~closed, document),
    )
    page = dataclasses.replace(page, result=dataclasses.replace(page.result, reasons=reasons))
    assert f"Days were lost by {words} February 2020, not by Directive 16." in str(page.sentence())
    assert words in str(page.reasons_table())


@pytest.mark.parametrize(
    ("period", "as_of", "told"),
    [
        ("2020-04", "", "30 April 2020: 88 calendar days, of which 62 are school days; it lasted until 10 May 2020."),
        ("2020-04", "2020-05-08", "of which 62 are school days; still away on that day."),
        ("2021-Q3", "", "from 4 May 2021 to 30 September 2021: 150 calendar days, of which 40 are school days (the summer holidays lie inside); still away on that day."),
        ("2021", "", "preschool away from class from 4 May 2021 to 31 December 2021: 242 calendar days"),
    ],
)  # fmt: skip
def test_the_longest_time_away_crosses_summer_and_the_end_of_the_period(period, as_of, told):
    """An end that is past on the edition's day is told, one that is not is "still away"."""
    assert told in str(wardlib.open("phuc-dong", period, "en", as_of).schools.longest_closure())


def test_the_leaders_line_is_short():
    """With that of the activities at most 20 words and six numbers; of two school years each by its
    months."""
    book = wardlib.open("phuc-dong", "2020-9M", "vi", "2020-09-13")
    assert book.schools.answer() == (
        "Học 93/94 ngày thường lệ (THCS, THPT); 74 (tiểu học); 63 (mầm non)."
    )
    both = f"{book.schools.answer()} {book.activities.answer()}"
    assert len(both.split()) <= 20
    assert len(re.findall("[0-9]+", both)) <= 6
    said = wardlib.open("phuc-dong", "2021", "en").schools.answer()
    assert "Jan–Aug 2021: taught 80/94 usual days" in said
    assert "Sept–Dec 2021: taught in full (primary" in said


def test_one_school_is_spoken_of_in_the_singular():
    """ "The school", not "1 of 1 school"."""
    page = page_of("2020-H1", months("a", ORDINARY | SPRING), register(a="thcs"))
    assert str(page.schools_hit()).endswith("to Jun 2020: the school lost 43 days: Trường a.")
    page = page_of("2020-06", months("a", ORDINARY | SPRING), register(a="thcs"))
    assert str(page.schools_hit()) == "In June 2020: the school lost no day."


@pytest.mark.parametrize("name", ["schools", "school_closures"])
def test_a_table_that_is_lacking_is_named(name):
    """School months without the schools, or the decisions, that they speak of."""
    given = {
        "school_months": months("a", QUIET), "schools": register(a="thcs"), "school_closures": CLOSED,
    }  # fmt: skip
    del given[name]
    with pytest.raises(RequestError, match=f"no table {name}"):
        schools.assess(Period.parse("2020-Q1"), given.get, Epidemic.of(PHASES, ("VN",)))


@pytest.fixture(scope="module")
def ward():
    """Assess a period of the illustrative ward."""

    def of(period):
        book = open_book("phuc-dong", period)
        epidemic = Epidemic.of(book.table("covid_phases"), book.ward.areas)
        return book, schools.assess(book.period, book.table, epidemic)

    return of


@pytest.mark.parametrize("period", ["2020-Q1", "2020-9M", "2020", "2021-Q3", "2021"])
def test_days_lost_by_level_are_those_planted(ward, period):
    """Against truth.csv, exactly, level by level; every day has its decision."""
    book, found = ward(period)
    truth = book.table("truth")
    truth = truth[(truth["table"] == "school_months") & truth["month"].isin(book.period.months)]
    planted = truth.groupby("item")["value"].sum()
    spans = found.spans.index[found.spans["kind"] == "period"]
    lost = found.levels.loc[list(spans), "lost"].groupby("level").sum()
    assert lost.round(9).to_dict() == planted.to_dict()
    assert "" not in set(found.reasons["measure"])
    days = found.reasons[found.reasons["span"].isin(spans)].groupby("level")["days"].sum()
    assert days.round(9).to_dict() == planted[planted > 0].to_dict()


def test_the_closures_agree_by_hand(ward):
    """THCS 91 and primary 98 calendar days in spring 2020; from 04/05/2021 in 2021, preschools to the
    year's end."""
    _, found = ward("2020-9M")
    spring = found.spells.set_index("level")
    assert spring["days"].to_dict() == {"mam_non": 98, "tieu_hoc": 98, "thcs": 91, "thpt": 91}
    assert set(spring["start"]) == {pd.Timestamp("2020-02-03")}
    _, found = ward("2021")
    starts = found.spells[found.spells["level"] == "thcs"]["start"]
    assert list(starts) == list(pd.to_datetime(["2021-02-01", "2021-05-04", "2021-09-06"]))
    assert list(found.spells.loc[found.spells["level"] == "mam_non", "days"]) == [29, 242]


def test_no_table_no_answer():
    """A ward without school months has no schooling to show."""
    book = open_book("philadelphia", "2020-Q2")
    assert schools.assess(book.period, book.table, Epidemic.of(None, book.ward.areas)) is None


def test_what_schools_report_of_later_months_is_not_of_the_period():
    """Saturdays taught in May make no six-day week of March; a ward whose first report is of a later
    month has nothing in the period."""
    where, decisions = register(A="tieu_hoc"), decided()
    saturdays = months("A", ORDINARY | SPRING | {"2020-05": (100, 26, 26, 0, 0)})
    assert not assess("2020-03", saturdays, where, decisions).six_days
    assert assess("2020-05", saturdays, where, decisions).six_days
    assert assess("2017-12", saturdays, where, decisions) is None
