"""Rules: what several cells of a table must be together, a row's or many rows'.

A rule sees a table whose every cell is as its column asks, and yields a fault for each that it finds.
"""

from __future__ import annotations

import datetime
import functools
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from wardlib.data import disclosure, reading
from wardlib.data.cells import ASK_OFFICE, Shelf, any_of, nearest, plain, shown
from wardlib.data.descriptors import Table
from wardlib.errors import Problem, RequestError, said
from wardlib.periods import Period

# A fault that a rule finds in a typed table: row, column, what was found, what was expected, what to do.
_Fault = tuple[int, str, str, str, str]
_Rule = Callable[[Shelf, Table, pd.DataFrame], Iterator[_Fault]]
_Reported = dict[str, tuple[int, float, float]]  # by revenue line: row, collected, kept
_School = tuple[str, str, str]  # level, first month, last month or ""


def broken(shelf: Shelf, table: Table, frame: pd.DataFrame, *, whole: bool = True) -> list[Problem]:
    """A problem for each fault over several cells of a typed table; of many of one rule and column the
    first ones, and how many more. Where it is not the `whole` table, rules over many rows wait."""
    problems = []
    for rule in of(table):
        if not whole and rule in _OVER_ROWS:
            continue
        faults: dict[str, list[_Fault]] = {}
        for fault in rule(shelf, table, frame):
            faults.setdefault(fault[1], []).append(fault)
        for of_column in faults.values():
            told = reading.first(sorted(of_column), lambda fault: Problem(table.file, *fault))
            problems += [replace(one, kind=_kind(rule, one.column)) for one in told]
    return problems


def _kind(rule: _Rule, column: str) -> str:
    """What programs call a rule's fault in a column; "" where none of them asks."""
    return _KINDS.get((rule.__qualname__.partition(".")[0], column), "")


def of(table: Table) -> list[_Rule]:
    """The rules that a table is held to."""
    return [*_general(table), *_RULES.get(table.name, ())]


def _general(table: Table) -> Iterator[_Rule]:
    """The rules of every table with such columns, whatever it is called."""
    columns = set(table.columns)
    if {"month", "reported_on"} <= columns:
        yield _reported_early
    if {"year", "reported_on"} <= columns:
        yield _set_early
    if {"period", "published_on"} <= columns:
        yield _published_early
    for field in table.fields:
        if field.at_most in columns:
            yield _at_most(field.name, field.at_most)


def _where(frame: pd.DataFrame, wrong: Any) -> pd.DataFrame:
    """The rows that are wrong; mostly none, which is told quickly."""
    return frame[wrong] if wrong.any() else frame.iloc[:0]


def _at_most(part: str, whole: str) -> _Rule:
    """A rule: where both are filled, the column `part` is not above the column `whole`."""

    def rule(_: Shelf, __: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
        above = _where(frame, frame[part] > frame[whole])
        for row, high, low in zip(above.index, above[part], above[whole], strict=True):
            expected = said("at most {limit}, which stands in {column}", limit=low, column=whole)
            yield row, part, str(high), expected, _correct(part, whole)

    return rule


def _correct(one: str, other: str) -> str:
    return said("correct {one} or {other}", one=one, other=other)


def _families(shelf: Shelf, table: Table, reported: set[str]) -> dict[str, set[str]] | None:
    """The children of each revenue line that has some, of those reported; "" has those whose parent
    is not reported. None where the file of the lines is faulty."""
    lines = shelf.find("revenue_lines", table)
    cells = shelf.cells(lines) if lines else None
    if cells is None:
        return None
    families: dict[str, set[str]] = {}
    for code, parent in zip(cells["code"], cells["parent"], strict=True):
        if code in reported:
            families.setdefault(parent if parent in reported else "", set()).add(code)
    return families


def _one_root(shelf: Shelf, table: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
    """All lines but one have a parent that is reported too."""
    families = _families(shelf, table, set(frame["line"].tolist()))
    if families is not None and len(roots := sorted(families.get("", ()))) != 1:
        tops = ", ".join(roots[: reading.SHOWN]) or said("no line")
        if more := len(roots[reading.SHOWN :]):
            tops = said("{lines}, and {count} more", lines=tops, count=f"{more:,}")
        fix = said("report a line that holds all of them, and each line's parents")
        yield 0, "line", tops, said("one line that no other is above"), fix


def _family_sums(shelf: Shelf, table: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
    """On each day on which any line of a family was reported, the parent's newest figure of the
    month exists and is the sum of its children's newest, each rounded to whole units."""
    families = _families(shelf, table, set(frame["line"].tolist())) or {}
    families.pop("", None)
    for month, day, today, known in _known_by_day(frame):
        for parent, children in families.items():
            if parent not in today and children.isdisjoint(today):
                continue
            parts = [known[child] for child in children if child in known]
            if parent not in known:
                part_of = said(
                    "a part of {line} in {month}, reported on {day}",
                    line=parent,
                    month=month,
                    day=f"{day:%Y-%m-%d}",
                )
                expected = said("a figure of {line} for that month by that day", line=parent)
                fix = said("report {line} too, the sum of its parts known on that day", line=parent)
                yield min(row for row, *_ in parts), "line", part_of, expected, fix
                continue
            slack = 0.5 * (len(parts) + 1)  # half a unit of rounding for each figure
            row, *totals = known[parent]
            for at, (column, total) in enumerate(
                zip(("collected", "kept"), totals, strict=True), 1
            ):
                whole = sum([part[at] for part in parts])
                if parts and abs(total - whole) > slack:
                    amount = said(
                        "{amount} for {line} in {month}",
                        amount=f"{total:.0f}",
                        line=parent,
                        month=month,
                    )
                    expected = said(
                        "{amount}, the sum of its children known on {day}",
                        amount=f"{whole:.0f}",
                        day=f"{day:%Y-%m-%d}",
                    )
                    fix = said(
                        "correct the parent or a child, or report the parent again on that day"
                    )
                    yield row, column, amount, expected, fix


def _known_by_day(frame: pd.DataFrame) -> Iterator[tuple[str, datetime.date, _Reported, _Reported]]:
    """For each month ("2020-09") and each day on which something of it was reported: what was
    reported then, and of all lines known by then the newest."""
    days = frame["reported_on"].to_numpy().astype("datetime64[D]").tolist()
    months = reading.plain(frame["month"])
    columns = (frame[name].tolist() for name in ("line", "collected", "kept"))
    by_day: dict[tuple[int, datetime.date], _Reported] = {}
    for month, day, row, line, collected, kept in zip(
        months, days, frame.index.tolist(), *columns, strict=True
    ):  # of two alike the first: they are a fault already
        by_day.setdefault((month, day), {}).setdefault(line, (row, collected, kept))
    before, known = None, {}
    for month, day in sorted(by_day):
        today = by_day[month, day]
        known = known | today if month == before else today
        before = month
        yield str(np.datetime64(month, "M")), day, today, known


def _reported_early(_: Shelf, __: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
    """No figure of a month is reported before the month has begun."""
    begun = frame["month"].astype("int64").to_numpy().astype("datetime64[M]")
    early = _where(frame, frame["reported_on"].to_numpy() < begun)
    expected = said("a day in or after the month that the figure is about")
    fix = said("correct the day or the month")
    for row, month, day in zip(early.index, early["month"], early["reported_on"], strict=True):
        yield row, "reported_on", _about(f"{day:%Y-%m-%d}", month), expected, fix


def _about(day: str, what: object) -> str:
    return said("{day} for {what}", day=day, what=what)


def _set_early(_: Shelf, __: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
    """Nothing of a year is set before the year before it."""
    frame = frame[frame["year"].notna()]
    years = frame["year"].to_numpy("int64")
    early = _where(frame, frame["reported_on"].dt.year.to_numpy() < years - 1)
    expected = said("a day in the year before the one that the figure is for, or later")
    fix = said("correct the day or the year")
    for row, year, day in zip(early.index, early["year"], early["reported_on"], strict=True):
        yield row, "reported_on", _about(f"{day:%Y-%m-%d}", year), expected, fix


def _published_early(_: Shelf, __: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
    """Nothing is published of a period that has not begun, or of one before this workbook's time."""
    periods = {text: _period(text) for text in set(frame["period"].tolist())}
    days = frame["published_on"].dt.strftime("%Y-%m-%d").tolist()
    for row, text, day in zip(frame.index.tolist(), frame["period"].tolist(), days, strict=True):
        period = periods[text]
        if period is None or period.year < 2000:
            expected = said("a period such as 2020-9M, of 2000 or later")
            yield row, "period", shown(text), expected, said("correct the period")
        elif day < f"{period.year}-{period.bounds[0]:02}-01":
            expected = said("a day in or after the period that the figure is about")
            fix = said("correct the day or the period")
            yield row, "published_on", _about(day, text), expected, fix


def _period(text: str) -> Period | None:
    try:
        return Period.parse(text)
    except RequestError:
        return None


def _adds_up(whole: str, *parts: str) -> _Rule:
    """A rule: in every row the column `whole` is the sum of the columns `parts`."""

    def rule(_: Shelf, __: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
        sums = frame[list(parts)].sum(axis=1)
        wrong = frame[whole] != sums
        if not wrong.any():
            return
        for row, total, added in zip(
            frame.index[wrong], frame[whole][wrong], sums[wrong], strict=True
        ):
            expected = said(
                "{amount}, the sum of {columns}", amount=added, columns=" + ".join(parts)
            )
            yield row, whole, str(total), expected, said("correct the total or its parts")

    return rule


def _in_order(first: str, second: str) -> _Rule:
    """A rule: where both are filled, the column `second` is not below the column `first`."""

    def rule(_: Shelf, __: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
        below = _where(frame, frame[second] < frame[first])
        for row, *pair in zip(below.index, below[first], below[second], strict=True):
            low, high = (str(value).removesuffix(" 00:00:00") for value in pair)
            expected = said("not below {column}, {value}", column=first, value=low)
            yield row, second, high, expected, _correct(first, second)

    return rule


def _relief_is_whole(_: Shelf, __: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
    """A rule that touches a line has what the ledger needs: both shares, and until when."""
    shares = ["share_low", "share_high"]
    days = {"deferral": ["extended_due"], "none": ["normal_due"]}
    columns = [*shares, "extended_due", "normal_due"]
    missing = frame[columns].isna().to_numpy().tolist()
    for row, lines, kind, absent in zip(
        frame.index, frame["lines"], frame["kind"], missing, strict=True
    ):
        empty = dict(zip(columns, absent, strict=True))
        if not lines or all(empty[share] for share in shares):
            continue  # no share is known: the ledger leaves the rule out
        for column in [*shares, *days.get(kind, [])]:
            if empty[column]:
                expected = said(
                    "a value, as the rule is of kind {kind} and names a line", kind=kind
                )
                fix = said("fill the cell, or empty the cell in lines")
                yield row, column, said("an empty cell"), expected, fix


def _school_reports(shelf: Shelf, table: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
    """What a school reports of a month is possible: the days fit into it, the school exists, its level
    has pupils, and attendance stands where there was a day in class."""
    register = shelf.find("schools", table)
    cells = shelf.cells(register) if register else None
    if register is None or cells is None:
        return
    columns = ("school", "level", "valid_from", "valid_to")
    rows = list(zip(*(cells[column] for column in columns), strict=True))
    schools = {school: (level, first, last) for school, level, first, last in reversed(rows)}
    if schools.keys() >= set(frame["school"].tolist()):
        yield from _impossible_months(frame, schools, register.file)
        yield from _no_pupils(reading.newest(frame, table.primary_key), schools)


_ASK = said("correct the figure, or ask the school that reported it")


def _impossible_months(
    frame: pd.DataFrame, schools: dict[str, _School], register: str
) -> Iterator[_Fault]:
    """Reports of a month without the school, with more days than it has, with attendance but no day
    in class, or the other way round."""
    months = frame["month"].astype("int64").to_numpy().astype("datetime64[M]")
    names = np.datetime_as_string(months).tolist()
    most = np.busday_count(
        months, months + np.timedelta64(1, "M"), weekmask="Mon Tue Wed Thu Fri Sat"
    ).tolist()
    columns = ("school", "planned_days", "in_person_days", "attendance_share")
    reports = (frame[name].tolist() for name in columns)
    for row, month, limit, school, planned, in_person, share in zip(
        frame.index.tolist(), names, most, *reports, strict=True
    ):
        _, first, last = schools[school]
        if month < first or (last and month > last):
            spell = said(
                "a month from {low} to {high}",
                low=first or said("the first"),
                high=last or said("now"),
            )
            fix = said("correct the month, or the school's dates in {file}", file=register)
            yield row, "month", _about(month, school), spell, fix
        if planned > limit:
            expected = said(
                "at most {limit}, the days of {month} without Sundays", limit=limit, month=month
            )
            yield row, "planned_days", str(planned), expected, _ASK
        if in_person > 0 and math.isnan(share):
            expected = said("a share, as days were taught in class")
            yield row, "attendance_share", said("an empty cell"), expected, _ASK
        if in_person <= 0 and not math.isnan(share):
            expected = said("an empty cell, as no day was taught in class")
            yield row, "attendance_share", str(share), expected, _ASK


def _no_pupils(known: pd.DataFrame, schools: dict[str, _School]) -> Iterator[_Fault]:
    """Of the newest reports, those of school days in a level and month that has no pupil."""
    levels = [schools[school][0] for school in known["school"].tolist()]
    places = list(zip(levels, reading.plain(known["month"]), strict=True))
    pupils: Counter[tuple[str, int]] = Counter()
    for place, count in zip(places, known["pupils"].tolist(), strict=True):
        pupils[place] += count
    days = known["planned_days"].tolist()
    expected = said("at least one pupil where school days are planned")
    for row, (level, month), planned in zip(known.index.tolist(), places, days, strict=True):
        if planned > 0 and not pupils[level, month]:
            found = said(
                "no pupil in level {level} in {month}",
                level=level,
                month=np.datetime64(month, "M"),
            )
            yield row, "pupils", found, expected, _ASK


def _participants(_: Shelf, __: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
    """Nobody takes part where no event was held."""
    idle = frame[frame["held"] + frame["held_later"] == 0]
    for row, count in zip(idle.index, idle["participants"], strict=True):
        if count > 0:
            fix = said("correct the number, or held and held_later")
            yield row, "participants", str(count), said("0, as no event was held"), fix


def _figures_fit(item: str, column: str) -> _Rule:
    """A rule: the figure in `column` is one that its `item` can have: money is whole; a share lies in 0
    to 100 per cent; of an indicator no more decimals are told than it has (a share: one more)."""

    def rule(shelf: Shelf, table: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
        lines = {row["code"] for row in shelf.rows("revenue_lines", table) or ()}
        indicators = {row["code"]: row for row in shelf.rows("indicators", table) or ()}
        currency = shelf.ward.currency
        for row, code, value in zip(
            frame.index.tolist(), frame[item].tolist(), frame[column].tolist(), strict=True
        ):
            if code in lines:
                if value % 1:
                    expected = said(
                        "a whole number ({unit}), as {line} is a revenue line",
                        unit=currency,
                        line=code,
                    )
                    fix = said("write digits only, without a point")
                    yield row, column, str(value), expected, fix
            elif code in indicators:
                about = indicators[code]
                share = about["kind"] == "share"
                if not 0 <= value <= (100 if share else 10**9):
                    most = f"{100 if share else 10**9:,}"
                    bounds = said("at least {low} and at most {high}", low=0, high=most)
                    fit = _in_its_unit(bounds, about)
                    yield row, column, f"{value:,.10g}", fit, ASK_OFFICE
                places = (
                    int(about["decimals"] or 0) + share if about["decimals"].isdecimal() else 15
                )
                if round(value, places) != value:
                    written = said("a whole number")
                    if places:
                        written = said("at most {count} decimals", count=places)
                    fit = _in_its_unit(written, about)
                    yield row, column, str(value), fit, ASK_OFFICE

    return rule


def _in_its_unit(what: str, indicator: dict[str, str]) -> str:
    """What a figure should be, with the unit of its indicator, which has a word in each language."""
    units = {name: indicator[name] for name in ("unit_en", "unit_vi")}
    return said("{what} ({unit})", what=what, unit=said("{unit_en}", **units))


# By table that a published figure is held against: what of it is compared.
_COMPARED = {
    "receipts": ("collected", "kept", "share_upper"),
    "indicators": ("value", "share_target"),
    "targets": ("met",),
}
_SETTERS = {"upper", "ward"}


def _published_fits(shelf: Shelf, table: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
    """A published figure names an item of its table, a measure that the table has, and a unit and
    a scale that belong to them."""
    lines, indicators = (shelf.rows(name, table) for name in ("revenue_lines", "indicators"))
    items: dict[str, set[str] | None] = {
        "receipts": {row["code"] for row in lines} if lines is not None else None,
        "indicators": {row["code"] for row in indicators} if indicators is not None else None,
        "targets": _SETTERS,
    }
    units = {row["code"]: row for row in indicators or ()}
    columns = ("table", "item", "measure", "unit", "scale")
    for row, name, item, measure, unit, scale in zip(
        frame.index.tolist(), *(frame[column].tolist() for column in columns), strict=True
    ):
        if name not in _COMPARED:
            continue  # the descriptor's own words say which tables there are
        known = items[name]
        if known is not None and item not in known:
            words = {"receipts": said("a revenue line"), "indicators": said("an indicator")}
            word = words.get(name) or any_of(("upper", "ward"))
            expected = said("{what}, as the table is {table}", what=word, table=name)
            yield row, "item", shown(item), expected, _correct_code(item, known)
            continue
        if measure not in _COMPARED[name]:
            one_of = said("one of {words}", words=", ".join(_COMPARED[name]))
            expected = said("{what}, as the table is {table}", what=one_of, table=name)
            fix = said("correct the measure or the table")
            yield row, "measure", measure, expected, fix
            continue
        expected_units, factor = _units(shelf.ward.currency, measure, unit, units.get(item))
        if unit not in expected_units:
            expected = said(
                "{units}, as {item} is compared by {measure}",
                units=any_of(expected_units),
                item=item,
                measure=measure,
            )
            fix = said("correct the unit or the measure")
            yield row, "unit", shown(unit), expected, fix
        elif not math.isclose(scale, factor):
            expected = said("{factor}, one {unit}", factor=f"{factor:g}", unit=unit)
            fix = said("correct the scale or the unit")
            yield row, "scale", f"{scale:g}", expected, fix


def _correct_code(code: str, known: set[str]) -> str:
    return said("{hint}correct the code", hint=nearest(code, known))


def _units(
    currency: str, measure: str, unit: str, indicator: dict[str, str] | None
) -> tuple[list[str], float]:
    """The units that a published figure may be in, and what one of them is worth."""
    if measure.startswith("share_"):
        return ["%"], 0.01
    if measure == "met":
        return ["1"], 1
    if measure == "value":
        if indicator is None:
            return [unit], 1
        own = [indicator["unit_vi"], indicator["unit_en"]]
        return list(dict.fromkeys(own)), 0.01 if indicator["unit_vi"].startswith("%") else 1
    power = re.fullmatch(rf"1e([0-9]{{1,2}}) {re.escape(currency)}", unit)
    return [unit if power else f"1e6 {currency}", currency], 10.0 ** int(power[1]) if power else 1


def _attributed(shelf: Shelf, table: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
    """What is said to have gone badly is a revenue line, the schools or a field of activities. The
    cause is quoted, and may be a document that nobody recorded, but not one written in another way."""
    lines, measures = (shelf.rows(name, table) for name in ("revenue_lines", "covid_measures"))
    known = {row["code"] for row in lines or ()} | {"schools"}
    documents = {text for row in measures or () for text in row["document"].split("; ") if text}
    written = {plain(text): text for text in documents}
    columns = (frame[name].tolist() for name in ("subject", "cause"))
    for row, subject, cause in zip(frame.index.tolist(), *columns, strict=True):
        if lines is not None and subject not in known and not subject.startswith("activities:"):
            expected = said("a revenue line, schools, or activities: with a field")
            yield row, "subject", shown(subject), expected, _correct_code(subject, known)
        recorded = written.get(plain(cause), cause)
        if recorded != cause:
            expected = said(
                "{document}, as column document of covid_measures writes it", document=recorded
            )
            yield row, "cause", shown(cause), expected, said("write the number in the same way")


def _above_itself(_: Shelf, __: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
    """No line or area is a part of itself, by way of whatever others."""
    parents = dict(zip(frame["code"].tolist(), frame["parent"].tolist(), strict=True))
    good = {""}
    for row, code in zip(frame.index.tolist(), parents, strict=False):
        way: list[str] = []
        at = code
        while at not in good and at not in way:
            way.append(at)
            at = parents.get(at, "")
        if at not in good:
            circle = functools.reduce(
                lambda part, whole: said("{part} in {whole}", part=part, whole=whole),
                [*way, at][:5],
            )
            expected = said("a parent that is no part of it")
            yield row, "parent", circle, expected, said("correct the parent")
        good.update(way)


def _have_figures(shelf: Shelf, table: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
    """An origin is that of a figure in another table of the ward, and repeats no count of persons, nor what
    is hidden with one."""
    figures: dict[str, set[tuple[str, ...]]] = {}
    measures: dict[str, set[str]] = {}
    secret: dict[str, set[str]] = {}
    for name in set(frame["table"].tolist()):
        other = shelf.find(name, table)
        cells = shelf.cells(other) if other else None
        if other is None or not other.is_reported or other is table:
            figures[name] = set()
        elif cells is not None:
            dated = cells["month"] if "month" in other.columns else cells["year"]
            items = zip(*(cells[column] for column in other.item), strict=True)
            figures[name] = set(zip(dated, map(":".join, items), cells["reported_on"], strict=True))
            measures[name] = set(other.columns) - set(other.primary_key)
            secret[name] = disclosure.secret(other)
    cells = shelf.cells(table)
    assert cells is not None  # the frame is made of them
    since = map("".join, zip(cells["month"], cells["year"], strict=True))
    columns = ("table", "item", "reported_on", "measure", "text")
    places = dict(
        zip(cells.lines, zip(since, *(cells[name] for name in columns), strict=True), strict=True)
    )
    for row in frame.index.tolist():
        of, name, item, day, measure, text = places[row]
        if name not in figures:
            continue  # that file is faulty
        if (of, item, day) not in figures[name]:
            found = said("{item} of {of}, reported on {day}", item=shown(item), of=of, day=day)
            expected = said("a figure of table {table}", table=name)
            yield row, "item", found, expected, said("take the row out, or report the figure")
        elif measure not in measures[name]:
            known = ", ".join(sorted(measures[name]))
            yield row, "measure", shown(measure), said("one of {words}", words=known), _ORIGIN
        elif text and measure in secret[name]:
            expected = said("an empty cell, as persons are counted there")
            yield row, "text", said("a text"), expected, said("empty the cell")


_ORIGIN = said("correct the name of the column")


def _tet(_: Shelf, __: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
    """The lunar year begins in its calendar year, between 20 January and 21 February."""
    days = frame["date"].dt.strftime("%Y-%m-%d").tolist()
    for row, year, day in zip(frame.index.tolist(), frame["year"].tolist(), days, strict=True):
        if not f"{year}-01-20" <= day <= f"{year}-02-21":
            low, high = f"{year}-01-20", f"{year}-02-21"
            expected = said("a day from {low} to {high}", low=low, high=high)
            yield row, "date", day, expected, said("correct the day or the year")


_LEVELS = {"mam_non", "tieu_hoc", "thcs", "thpt"}
_MONTHS = {str(month) for month in range(1, 13)}
# Taxes that a law names beside those that are revenue lines of the workbook.
_TAXES = {"vat", "cit", "pit", "sct", "land_rent", "land_tax", "licence_fee", "car_registration"}


def _items(column: str, known: set[str], *, lines: bool = False) -> _Rule:
    """A rule: each item of the lists in `column` is one of the `known`, or, with `lines`, the code of a
    revenue line."""

    def rule(shelf: Shelf, table: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
        codes = known | {row["code"] for row in shelf.rows("revenue_lines", table) or () if lines}
        items_known = ", ".join(sorted(known, key=lambda item: item.zfill(2)))
        expected = said("items out of {items}", items=items_known)
        if lines:
            expected = said("items out of {items} or the revenue lines", items=items_known)
        for row, items in zip(frame.index.tolist(), frame[column].tolist(), strict=True):
            for item in items:
                if item not in codes:
                    fix = said("{hint}correct the item", hint=nearest(item, codes))
                    yield row, column, shown(item), expected, fix

    return rule


def _sub_items(_: Shelf, __: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
    """Sub-items of the state budget index have four digits."""
    for row, items in zip(frame.index.tolist(), frame["sub_items"].tolist(), strict=True):
        for item in items:
            if not re.fullmatch("[0-9]{4}", item):
                expected, fix = said("four digits, such as 1701"), said("correct the item")
                yield row, "sub_items", shown(item), expected, fix


def _within(years: int, first: str, second: str) -> _Rule:
    """A rule: where both are filled, the day `second` is at most so many years after `first`."""

    def rule(_: Shelf, __: Table, frame: pd.DataFrame) -> Iterator[_Fault]:
        most = np.timedelta64(366 * years, "D")
        late = _where(frame, frame[second] - frame[first] > most)
        for row, low, high in zip(late.index, late[first], late[second], strict=True):
            expected = said(
                "at most {count} years after {column}, {value}",
                count=years,
                column=first,
                value=f"{low:%Y-%m-%d}",
            )
            yield row, second, f"{high:%Y-%m-%d}", expected, _correct(first, second)

    return rule


_RULES: dict[str, tuple[_Rule, ...]] = {
    "areas": (_above_itself,),
    "covid_measures": (_in_order("start", "end"), _within(3, "start", "end")),
    "covid_phases": (_in_order("start", "end"), _within(3, "start", "end")),
    "school_closures": (
        _in_order("start", "end"),
        _within(3, "start", "end"),
        _items("levels", _LEVELS),
    ),
    "tax_relief": (
        _relief_is_whole,
        _items("tax", _TAXES, lines=True),
        _in_order("share_low", "share_high"),
        _in_order("period_start", "period_end"),
        _in_order("normal_due", "extended_due"),
        _within(3, "normal_due", "extended_due"),
    ),
    "tet": (_tet,),
    "owners": (_in_order("valid_from", "valid_to"),),
    "revenue_lines": (
        _above_itself,
        _in_order("valid_from", "valid_to"),
        _items("due_months", _MONTHS),
        _sub_items,
    ),
    "schools": (_in_order("valid_from", "valid_to"),),
    "vn_fiscal_published": (_in_order("period_start", "period_end"),),
    "receipts": (_one_root, _family_sums),
    "targets": (_figures_fit("line", "amount"),),
    "indicator_months": (_figures_fit("indicator", "value"),),
    "origins": (_have_figures,),
    "published": (_published_fits,),
    "attributions": (_attributed,),
    "school_months": (
        _adds_up("planned_days", "in_person_days", "online_days", "closed_days"),
        _school_reports,
    ),
    "activities": (_adds_up("planned", "held", "cancelled", "postponed"), _participants),
}
# By the rule, or what makes it, and the column.
_KINDS = {
    ("_family_sums", "line"): "total_mismatch",
    ("_family_sums", "collected"): "total_mismatch",
    ("_family_sums", "kept"): "total_mismatch",
    ("_adds_up", "planned"): "total_mismatch",
    ("_adds_up", "planned_days"): "days_mismatch",
    ("_school_reports", "month"): "school_not_valid",
    ("_at_most", "kept"): "kept_above_collected",
    ("_reported_early", "reported_on"): "month_future",
}
# Those that a row left out for a fault of its own would mislead.
_OVER_ROWS = {_one_root, _family_sums, _school_reports, _above_itself}
