"""Attributions: causes that somebody named in print for what went badly, held against the data.

A statement (a row of the table attributions) says of a revenue line, of the schools or of a field of
activities that COVID-19, or one document against it, kept it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from wardlib.analysis import activities
from wardlib.analysis.activities import Activities
from wardlib.analysis.closures import OFF
from wardlib.analysis.epidemic import RESTRICTION, Epidemic, in_force
from wardlib.analysis.schools import Schools
from wardlib.analysis.tables import Tables, months_of, need
from wardlib.analysis.targets import Targets
from wardlib.periods import Period
from wardlib.shown import Shown

SHOWN, PART, OTHER, NOT_COVID, OPEN = "shown", "part", "other", "not_covid", "open"
SCHOOLS, ACTIVITIES = "schools", "activities:"
# What keeps events from being held, by the sectors that measures name; extracurricular ones need
# pupils at school.
SECTORS = {"culture": ("festivals", "culture", "public_life"), "sport": ("sport", "public_life")}
_STANDING = ("value", "point", "low95", "high95", "usual")  # columns of `Targets.rows`
# Student's t at 97.5 %, by degrees of freedom from 1 on; more years than these are taken for as many.
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
_YEARS = 2  # fewer earlier years do not say by how much years differ


@dataclass(frozen=True, repr=False)
class LineFacts(Shown):
    """What is known of a revenue line in the months of the period that are reported of it.

    `reliefs`: rows of tax_relief for the line or a part of it that touch these months and were made by
    the day of the edition, None where none are recorded of the area; `restricted`: the first day on
    which a restriction named its payers, None where none did; `measured`: whether restrictions are
    recorded of the area. `collected` against the same months of the `years` before COVID-19 (`earlier`, by
    year): `low` to `high` is where one more such year falls 19 times in 20. `share` = collected in the
    year to date (`to_date`) / `year_end`, what the whole year brings (`estimated` while months are not
    known), both missing where that cannot be said; `usual`, the same share in years before COVID-19.
    """

    due_vi: str
    due_en: str
    reliefs: pd.DataFrame | None
    restricted: pd.Timestamp | None
    measured: bool
    first: pd.Period
    last: pd.Period
    collected: float
    earlier: pd.Series
    low: float
    high: float
    to_date: float
    year_end: float
    estimated: bool
    usual: float

    @property
    def share(self) -> float:
        return self.to_date / self.year_end if self.year_end > 0 else np.nan

    @property
    def granted(self) -> list[str]:
        """The documents of the reliefs that put off, exempt or reduce."""
        if self.reliefs is None:
            return []
        return list(self.reliefs["document"][self.reliefs["kind"] != "none"])

    @property
    def behind(self) -> bool:
        """Whether less came in than years differ by."""
        return bool(self.collected < self.low)


@dataclass(frozen=True, repr=False)
class SchoolFacts(Shown):
    """School days of the period on which a decision kept pupils from class.

    `since`: the first (None: none), with the decisions' names, and whether they are `local`, none of
    them the country's; by level `away`, how many, and `within`, those of them on which the document
    named as the cause was in force.
    """

    since: pd.Timestamp | None
    name_vi: str
    name_en: str
    local: bool
    away: dict[str, int]
    within: dict[str, int]


@dataclass(frozen=True, repr=False)
class EventFacts(Shown):
    """Events of a field in the period: `held` of `expected` (95 % interval `lower` to `upper`), missing
    where nothing can be expected; `held_outside`, those held in months without a day of the document
    named as the cause, and `usual_outside`, the mean of the same months before COVID-19, both missing
    where there is no such month; `since`, the first day of a restriction of the field (None: none),
    with its name, and whether it is `local`, not the country's; `measured`: whether any are recorded of the area."""

    held: float
    expected: float
    lower: float
    upper: float
    held_outside: float
    usual_outside: float
    since: pd.Timestamp | None
    name_vi: str
    name_en: str
    local: bool
    measured: bool


@dataclass(frozen=True, repr=False)
class Answer(Shown):
    """The answer to one attribution, whose cells `claim` holds; `name_vi`, `name_en`: of a line, its
    name, or its code where it has none; "" of other subjects.

    `verdict`: `shown`; `part`, measures or relief touched what is behind, and not all of it is lost;
    `other`, kept back by COVID-19, but by another decision than the one named; `not_covid`; `open`,
    not enough evidence. `ordered`: first and last day, within the period, on which the document named
    was in force; None where it was not, or none is named. `facts`: None where nothing is known.
    """

    claim: dict[str, Any]
    name_vi: str
    name_en: str
    verdict: str
    ordered: tuple[pd.Timestamp, pd.Timestamp] | None
    facts: LineFacts | SchoolFacts | EventFacts | None

    def _title(self) -> str:
        return f"Answer to {self.claim['id']}: {self.verdict}"


def about(attributions: pd.DataFrame | None, period: Period) -> pd.DataFrame:
    """The attributions that are about `period`; none where the ward has no table of them."""
    if attributions is None:
        return pd.DataFrame()
    return attributions[attributions["period"] == str(period)]


def answer(
    claims: pd.DataFrame,
    table: Tables,
    day: pd.Timestamp,
    targets: Targets,
    schools: Schools | None,
    events: Activities | None,
    epidemic: Epidemic,
) -> tuple[Answer, ...]:
    """An answer to each of `claims` (rows of `about`), from what was known on `day`.

    `table` gives revenue_lines, covid_measures and tax_relief.
    """
    period = targets.period
    closures = _here(table("school_closures"), epidemic)
    measures = _here(table("covid_measures"), epidemic)
    if measures is not None:
        measures = measures[measures["start"] <= day]
    answers = []
    for record in claims.to_dict("records"):
        claim = {str(name): value for name, value in record.items()}
        subject, cause = claim["subject"], claim["cause"]
        ordered = _ordered(measures, cause, period)
        facts: LineFacts | SchoolFacts | EventFacts | None
        name_vi = name_en = ""
        if subject == SCHOOLS:
            facts = _of_schools(schools, closures, ordered, period, epidemic)
            verdict = _schools_verdict(facts, cause)
        elif subject.startswith(ACTIVITIES):
            field = subject.removeprefix(ACTIVITIES)
            closed = _of_schools(schools, closures, ordered, period, epidemic)
            facts = _of_events(events, field, measures, closed, ordered, epidemic)
            verdict = _events_verdict(events, field, facts, cause, ordered)
        else:
            facts = _of_line(subject, table, day, targets, measures, epidemic)
            verdict = _line_verdict(facts)
            lines = need(table, "revenue_lines").set_index("code")
            name_vi = name_en = subject
            if subject in lines.index:
                name_vi, name_en = lines["name_vi"][subject], lines["name_en"][subject]
        answers.append(Answer(claim, name_vi, name_en, verdict, ordered, facts))
    return tuple(answers)


def _here(table: pd.DataFrame | None, epidemic: Epidemic) -> pd.DataFrame | None:
    """The rows of `table` that bind the unit; None where nobody recorded any."""
    own = None if table is None else table[table["area"].isin(epidemic.areas)]
    return None if own is None or own.empty else own


def _span(period: Period) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The first and the last day of a period."""
    return period.first.start_time, period.last.end_time.floor("D")


def _ordered(
    measures: pd.DataFrame | None, cause: str, period: Period
) -> tuple[pd.Timestamp, pd.Timestamp] | None:
    """The days of the period on which restrictions under the document `cause` were in force."""
    if measures is None or not cause:
        return None
    first, last = _span(period)
    bans = measures[measures["kind"] == RESTRICTION]
    own = bans[
        bans["document"].str.split("; ").map(lambda documents: cause in documents).astype(bool)
    ]
    own = own[(own["start"] <= last) & (own["end"].fillna(last) >= first)]
    if own.empty:
        return None
    return max(own["start"].min(), first), min(own["end"].fillna(last).max(), last)


# ----------------------------------------------------------------------------------- revenue lines


def _of_line(
    line: str,
    table: Tables,
    day: pd.Timestamp,
    targets: Targets,
    measures: pd.DataFrame | None,
    epidemic: Epidemic,
) -> LineFacts | None:
    receipts, period = targets.receipts, targets.period
    if line not in receipts.lines.index:
        return None
    series = receipts.months[line][: period.last]
    own = series[period.first :].dropna()
    if own.empty:
        return None
    start = epidemic.start or period.first
    earlier = _same_months(series, own, min(start.year, period.year))
    low, high = _next(earlier)
    family = _family(receipts.parts, line)
    named = need(table, "revenue_lines").set_index("code").reindex(columns=["due_vi", "due_en"])
    rows = targets.rows[targets.rows["item"] == line].to_dict("records")
    row: dict[Any, Any] = rows[0] if rows else dict.fromkeys(_STANDING, np.nan)
    return LineFacts(
        due_vi=str(named["due_vi"].fillna("")[line]),
        due_en=str(named["due_en"].fillna("")[line]),
        reliefs=_reliefs(_here(table("tax_relief"), epidemic), family, period, day),
        restricted=_restricted(measures, family, period, epidemic),
        measured=measures is not None,
        first=months_of(own)[0],
        last=months_of(own)[-1],
        collected=float(own.sum()),
        earlier=earlier,
        low=low,
        high=high,
        to_date=float(row["value"]),
        year_end=float(row["point"]),
        estimated=bool(row["low95"] < row["high95"]),
        usual=float(row["usual"]),
    )


def _family(parts: dict[str, list[str]], line: str) -> set[str]:
    """A line and all that it is made of."""
    return {line}.union(*(_family(parts, part) for part in parts[line]))


def _same_months(series: pd.Series, own: pd.Series, before: int) -> pd.Series:
    """By year before the year `before`, the sum over the months of `own`, where all are known."""
    months = months_of(series)
    same = series[(months.year < before) & months.month.isin(months_of(own).month)]
    sums = same.groupby(months_of(same).year).sum(min_count=len(own))
    return sums[same.groupby(months_of(same).year).count() == len(own)]


def _next(earlier: pd.Series) -> tuple[float, float]:
    """Where one more year falls 19 times in 20, were it like these: Student's t, of the logs of
    amounts that are all positive (else of the amounts)."""
    count = len(earlier)
    if count < _YEARS:
        return np.nan, np.nan
    positive = bool((earlier > 0).all())
    values = np.log(earlier.to_numpy()) if positive else earlier.to_numpy()
    times = _T[min(count - 1, len(_T)) - 1]
    margin = times * values.std(ddof=1) * np.sqrt(1 + 1 / count)
    bounds = values.mean() - margin, values.mean() + margin
    low, high = np.exp(bounds) if positive else bounds
    return float(low), float(high)


def _reliefs(
    reliefs: pd.DataFrame | None, family: set[str], period: Period, day: pd.Timestamp
) -> pd.DataFrame | None:
    if reliefs is None:
        return None
    touches = reliefs["lines"].map(family.isdisjoint).eq(False)
    begun = reliefs["period_start"] <= period.last
    going = reliefs["period_end"].isna() | (reliefs["period_end"] >= period.first)
    made = reliefs["in_force"].isna() | (reliefs["in_force"] <= day)
    return reliefs[touches & begun & going & made]


def _restricted(
    measures: pd.DataFrame | None, family: set[str], period: Period, epidemic: Epidemic
) -> pd.Timestamp | None:
    """The first day in the period on which a restriction named a line of the family."""
    if measures is None:
        return None
    spells = [in_force(measures, epidemic.areas, line=line) for line in sorted(family)]
    return _first_day(pd.concat(spells), period)


def _first_day(spells: pd.DataFrame, period: Period) -> pd.Timestamp | None:
    """The first day of the period that lies in one of `spells`; None: no day does."""
    first, last = _span(period)
    own = spells[(spells["start"] <= last) & (spells["end"].isna() | (spells["end"] >= first))]
    return None if own.empty else max(own["start"].min(), first)


def _line_verdict(facts: LineFacts | None) -> str:
    if facts is None or np.isnan(facts.low):
        return OPEN
    touched = bool(facts.granted) or facts.restricted is not None
    if facts.behind:
        return PART if touched else OPEN
    known = facts.measured and facts.reliefs is not None
    return NOT_COVID if known and not touched else OPEN


# ---------------------------------------------------------------------------- schools and events


def _of_schools(
    schools: Schools | None,
    closures: pd.DataFrame | None,
    ordered: tuple[pd.Timestamp, pd.Timestamp] | None,
    period: Period,
    epidemic: Epidemic,
) -> SchoolFacts | None:
    if schools is None or closures is None or not schools.calendar:
        return None
    first, last = _span(period)
    away, within = {}, {}
    began: dict[pd.Timestamp, list[str]] = {}  # by first day of a level: the decisions
    for level, calendar in schools.calendar.items():
        days = calendar[first:last]
        kept = days[(days["measure"] != "") & (days["state"] != OFF)]
        away[level] = len(kept)
        within[level] = len(kept[ordered[0] : ordered[1]]) if ordered else 0
        if len(kept):
            began.setdefault(kept.index[0], []).append(kept["measure"].iloc[0])
    since = min(began, default=None)
    named = closures[closures["id"].isin(began[since] if since else [])]
    name_vi, name_en = ("; ".join(named[name]) for name in ("name_vi", "name_en"))
    local = (named["area"] != epidemic.areas[0]).all()
    return SchoolFacts(since, name_vi, name_en, bool(local), away, within)


def _schools_verdict(facts: SchoolFacts | None, cause: str) -> str:
    if facts is None:
        return OPEN
    if not any(facts.away.values()):
        return NOT_COVID
    return OTHER if cause and facts.away != facts.within else SHOWN


def _of_events(
    events: Activities | None,
    field: str,
    measures: pd.DataFrame | None,
    closed: SchoolFacts | None,
    ordered: tuple[pd.Timestamp, pd.Timestamp] | None,
    epidemic: Epidemic,
) -> EventFacts | None:
    if events is None or ("period", field) not in events.rows.index:
        return None
    period = events.period
    row: Any = events.rows.loc[("period", field)]  # a row: the stubs know no columns
    if np.isnan(row["held"]):
        return None
    by_month = events.months.xs(field)[period.first : period.last].dropna()
    months = months_of(by_month)
    others = by_month
    if ordered:
        first, last = (day.to_period("M") for day in ordered)
        others = by_month[(months < first) | (months > last)]
    since, name_vi, name_en, local = None, "", "", False
    if field not in SECTORS:
        if closed is not None:
            since, local = closed.since, closed.local
            name_vi, name_en = closed.name_vi, closed.name_en
    elif measures is not None:
        sectors = SECTORS[field]
        spells = [in_force(measures, epidemic.areas, sector=sector) for sector in sectors]
        since = _first_day(pd.concat(spells), period)
        bans = measures[measures["kind"] == RESTRICTION].sort_values("start")
        bans = bans[bans["sectors"].map(set(sectors).isdisjoint).eq(False)]
        if since is not None:
            held = (bans["start"] <= since) & (bans["end"].isna() | (bans["end"] >= since))
            name_vi, name_en = (bans[name][held].iloc[-1] for name in ("name_vi", "name_en"))
            local = bool(bans["area"][held].iloc[-1] != epidemic.areas[0])
    return EventFacts(
        held=float(row["held"]),
        expected=float(row["expected"]),
        lower=float(row["lower"]),
        upper=float(row["upper"]),
        held_outside=float(others["held"].sum()) if len(others) else np.nan,
        usual_outside=float(others["expected"].sum()) if len(others) else np.nan,
        since=since,
        name_vi=name_vi,
        name_en=name_en,
        local=local,
        measured=(measures if field in SECTORS else closed) is not None,
    )


def _events_verdict(
    events: Activities | None,
    field: str,
    facts: EventFacts | None,
    cause: str,
    ordered: tuple[pd.Timestamp, pd.Timestamp] | None,
) -> str:
    if events is None or facts is None:
        return OPEN
    row: Any = events.rows.loc[("period", field)]
    if activities.verdict(row) != "fewer" or not facts.measured:
        return OPEN
    if facts.since is None:
        return NOT_COVID
    alone = ordered and facts.since >= ordered[0] and not facts.held_outside < facts.usual_outside
    return SHOWN if alone or not cause else OTHER
