"""Sense: whether the figures of a file can be, beside each other and beside what is known.

Parents are the sums of their parts; what is kept is no more than what was collected; the year to date less
the months before is the month; an amount a hundred times off a line's own history is asked about.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from wardlib.data.intake import amounts
from wardlib.data.intake.columns import (
    ACTIVITIES,
    COLLECTED,
    INDICATORS,
    KEPT,
    RECEIPTS,
    SCHOOLS,
    TARGETS,
    Reader,
    numeral,
)
from wardlib.data.intake.figures import Entry, Figure, figure
from wardlib.data.intake.months import shown
from wardlib.data.intake.sheets import Column, Sheet
from wardlib.data.intake.wordings import GROUP, LINE, SUM
from wardlib.errors import ASK, NOTE, REFUSE, Numeral, Said, said

FAR = 100  # times off its history from which an amount is asked about
_COPIED = 3  # amounts other than 0 that make a month like the one before a copy
# What is known: by month and line the newest collected and kept.
History = dict[tuple[str, str], tuple[int, int]]
# By table, item and measure the least and the greatest size known of what is not 0.
Ranges = dict[tuple[str, str, str], tuple[Decimal, Decimal]]
_Found = Iterable[tuple[Sheet, Entry]]
_READ = (amounts.NUMBER, amounts.BLANK, amounts.UNREPORTED, amounts.DASH)


def _money(amount: Decimal | int, reader: Reader) -> Said:
    """An amount with its unit, as a message says it."""
    if reader.ward.currency == "VND":
        return said("{amount} đồng", amount=Numeral(amount))
    return said("{amount} {currency}", amount=Numeral(amount), currency=reader.ward.currency)


def _of(table: str, amount: Decimal | int, reader: Reader) -> str:
    """A figure of a table: money with its unit, any other number as it is."""
    return _money(amount, reader) if table in (RECEIPTS, TARGETS) else Numeral(amount)


def sums(found: _Found, ranges: Ranges, reader: Reader) -> None:
    """A refusal at each total that is not the sum of its parts: lines above others by the ward's table,
    and groups by their numbers."""
    by_column: dict[tuple[int, int, str, str], tuple[Sheet, list[Entry]]] = {}
    for sheet, own in found:
        if own.column.kind in (RECEIPTS, TARGETS) and not sheet.incomplete:
            key = id(own.column.table), own.column.head.column, own.time, own.measure
            by_column.setdefault(key, (sheet, []))[1].append(own)
    for sheet, column in by_column.values():
        values: dict[str, Entry] = {}
        for own in column:
            if own.line.codes != (GROUP,):
                values.setdefault(own.item, own)
        for parent in dict.fromkeys(reader.wordings.parents.values()):
            if parent in values:
                parts = [
                    values[item]
                    for item, above in reader.wordings.parents.items()
                    if above == parent and item in values
                ]
                whole = {item for item, above in reader.wordings.parents.items() if above == parent}
                if values[parent].column.kind == TARGETS:
                    # Targets may be set for some lines; only where all usual ones are does the sum tell.
                    whole &= {item for table, item, _ in ranges if table == TARGETS} or whole
                    if not whole <= {part.item for part in parts}:
                        _partly(sheet, values[parent], parts, reader)
                        continue
                _adds_up(sheet, values[parent], parts, reader)
        for at, own in enumerate(column):
            if own.line.codes == (GROUP,):
                _group(sheet, reader, own, column[at + 1 :], values)


def _group(
    sheet: Sheet, reader: Reader, own: Entry, below: list[Entry], values: dict[str, Entry]
) -> None:
    level = numeral(own.line.number)
    if reader.wordings.items(own.line.text).get(LINE) == (SUM,):
        root = next(
            (
                values[code]
                for code, parent in reader.wordings.parents.items()
                if not parent and code in values
            ),
            None,
        )
        if root is not None:
            _adds_up(sheet, own, [root], reader)
        return
    if level is None:
        return
    members: list[Entry] = []
    for other in below:
        other_level = numeral(other.line.number) if other.line.codes == (GROUP,) else None
        if other_level is not None and other_level <= level:
            break
        if other.line.codes == (GROUP,):
            continue
        if not reader.wordings.parents.get(other.item):
            break  # the total of the whole table
        members.append(other)
    inside = {member.item for member in members}
    top = [member for member in members if reader.wordings.parents.get(member.item) not in inside]
    if top:
        _adds_up(sheet, own, top, reader)


def _adds_up(sheet: Sheet, whole: Entry, parts: list[Entry], reader: Reader) -> None:
    if whole.state != amounts.NUMBER or any(part.state not in _READ for part in parts):
        return
    filled = [part.value for part in parts if part.value is not None]
    if not filled or whole.value is None:
        return
    total = sum(filled, Decimal(0))
    # Half a đồng of rounding for each figure, as the checks allow.
    slack = Decimal(len(filled) + 1) / 2
    if abs(whole.value - total) <= slack:
        return
    found = _told(whole, reader)
    expected = said(
        "{amount}, the sum of its parts in this file (difference {difference})",
        amount=_money(total, reader),
        difference=_money(whole.value - total, reader),
    )
    fix = said("find the figure that is wrong, with the sender, and correct it in the file")
    if abs(whole.value - total) <= (whole.column.factor or 1) * slack:
        fix = said("the amounts were rounded: ask the sender for the file in đồng")
    sheet.tell(
        "total_mismatch", REFUSE, whole.place, found, expected, fix, view=whole.column.table.view
    )


def _partly(sheet: Sheet, whole: Entry, parts: list[Entry], reader: Reader) -> None:
    """A question where a target is more than the targets of its parts, and a part that had one before has
    none."""
    filled = [part.value for part in parts if part.value is not None]
    if whole.value is None or not filled or sum(filled, Decimal(0)) == whole.value:
        return
    if reader.answers.get("partial", sheet.grid.name) == "right":
        return
    found = _told(whole, reader)
    expected = said(
        "{amount}, the sum of its parts in this file",
        amount=_money(sum(filled, Decimal(0)), reader),
    )
    fix = said(
        "Lines that had a target before are not here. See whether one was forgotten; if not, say so."
    )
    sheet.tell(
        "total_partial", ASK, whole.place, found, expected, fix, view=whole.column.table.view
    )


def _told(own: Entry, reader: Reader) -> Said:
    """What a cell says for its line: the amount with its unit, and, in another unit, as it stands."""
    assert own.value is not None
    cell = own.column.table.view.cells.get(own.place)
    values = {"amount": _of(own.column.kind, own.value, reader), "line": own.line.text}
    if cell and own.column.factor not in (None, 1):
        return said("{amount} for {line}; the cell holds {text}", text=cell.text, **values)
    return said("{amount} for {line}", **values)


def kept_within(
    figures: list[Figure], history: History, sheets: dict[str, Sheet], reader: Reader
) -> None:
    """A refusal where more is kept than was collected; in a ward whose table does not hold that to be
    wrong (refunds may make it so) a question, where it is not known already."""
    table = reader.ward.tables.get(RECEIPTS)
    never = any(column.at_most == COLLECTED for column in (table.fields if table else ()))
    by_key: dict[tuple[str, str, str], dict[str, Figure]] = {}
    for own in figures:
        if own.table == RECEIPTS:
            by_key.setdefault(own.key, {})[own.measure] = own
    for pair in by_key.values():
        if not {COLLECTED, KEPT} <= set(pair) or pair[KEPT].value <= pair[COLLECTED].value:
            continue
        kept, collected = pair[KEPT], pair[COLLECTED]
        both = int(collected.value), int(kept.value)
        known = history.get((kept.time, kept.item)) == both
        if not never and (known or reader.answers.get("value", kept.sheet, kept.cell) == "right"):
            continue
        found = said(
            "{kept} kept, {collected} collected ({cell})",
            kept=_money(kept.value, reader),
            collected=_money(collected.value, reader),
            cell=collected.cell,
        )
        expected = said("no more kept than collected")
        fix = said("see whether the two columns were exchanged, or ask the sender")
        severity = REFUSE if never else ASK
        sheets[kept.sheet].tell("kept_above_collected", severity, kept.place, found, expected, fix)


def months_of_year(
    until: list[tuple[Sheet, Entry]],
    months: list[tuple[Sheet, Entry]],
    history: History,
    reader: Reader,
) -> Iterator[Figure]:
    """The figures of months that only the year up to them tells, derived from the months before; a
    refusal where the year falls, or a month lacks, and a question where both are told and differ."""
    here = {
        (own.time, own.item, own.measure): own.value
        for _, own in months
        if own.column.kind == RECEIPTS and own.value is not None
    }
    derived_on = set()
    told_lacking: set[tuple[int, str]] = set()
    alone = _wholly_lacking(until, here, history)
    for sheet, own in until:
        if own.value is None or own.line.codes == (GROUP,) or not own.time:
            continue
        year, number = own.time.split("-")
        before = [f"{year}-{month:02}" for month in range(1, int(number))]
        parts = [_known(time, own, here, history) for time in before]
        lacking = [time for time, part in zip(before, parts, strict=True) if part is None]
        total = sum((part for part in parts if part is not None), Decimal(0))
        is_told = (own.time, own.item, own.measure) in here
        view = own.column.table.view
        if not lacking and own.value < total and reader.least(RECEIPTS) >= 0:
            if is_told and own.column.readings[own.line.row].state != amounts.NUMBER:
                continue
            found = said(
                "{told}, from January to {month}", told=_told(own, reader), month=shown(own.time)
            )
            expected = said(
                "at least {amount}, what the months before come to", amount=_money(total, reader)
            )
            sheet.tell(
                "ytd_falls",
                REFUSE,
                own.place,
                found,
                expected,
                said("ask the sender which of the figures is right"),
                view=view,
            )
        elif is_told:
            month = here[own.time, own.item, own.measure]
            slack = (own.column.factor or Decimal(1)) * (int(number) + 1) / 2
            if (
                not lacking
                and abs(own.value - total - month) > slack
                and reader.answers.get("ytd", sheet.grid.name) != "ignore"
            ):
                found = said(
                    "{told}, from January to {month}",
                    told=_told(own, reader),
                    month=shown(own.time),
                )
                expected = said(
                    "{amount}, what is known of the months before and this month come to",
                    amount=_money(total + month, reader),
                )
                sheet.tell(
                    "ytd_mismatch",
                    ASK,
                    own.place,
                    found,
                    expected,
                    said(
                        "If an earlier month was corrected, take its file in first; else ignore the year to date."
                    ),
                    view=view,
                )
        elif lacking:
            # Where every line lacks a month, the column's head says it once.
            whole = (id(sheet), own.time) in alone
            values = {"month": shown(own.time), "months": ", ".join(map(shown, lacking))}
            if whole:
                place = own.column.head.telling()
                found = said("only the year up to {month}; {months} not known", **values)
            else:
                place, line = own.place, own.line.text
                found = said(
                    "only the year up to {month}; {months} not known for {line}",
                    line=line,
                    **values,
                )
            expected = said("the figures of all months before")
            fix = said("take in the files of these months first")
            if not whole or (id(sheet), own.time) not in told_lacking:
                told_lacking.add((id(sheet), own.time))
                sheet.tell("month_missing", REFUSE, place, found, expected, fix, view=view)
        else:
            if number != "01" and id(sheet) not in derived_on:
                derived_on.add(id(sheet))
                sheet.tell(
                    "month_derived",
                    NOTE,
                    None,
                    said("only the year up to {month}", month=shown(own.time)),
                    said("the month is calculated: the year to date less the months before"),
                    "",
                )
            yield figure(own, sheet, own.value - total, derived=number != "01")


def _wholly_lacking(
    until: list[tuple[Sheet, Entry]], here: dict[tuple[str, str, str], Decimal], history: History
) -> set[tuple[int, str]]:
    """The sheets and months up to which a year is told, of which every line lacks some month before."""
    lacks: dict[tuple[int, str], list[bool]] = {}
    for sheet, own in until:
        if own.value is not None and own.line.codes != (GROUP,) and own.time:
            before = (f"{own.time[:5]}{month:02}" for month in range(1, int(own.time[5:])))
            some = any(_known(time, own, here, history) is None for time in before)
            lacks.setdefault((id(sheet), own.time), []).append(some)
    return {key for key, own in lacks.items() if all(own)}


def _known(
    time: str, own: Entry, here: dict[tuple[str, str, str], Decimal], history: History
) -> Decimal | None:
    if (time, own.item, own.measure) in here:
        return here[time, own.item, own.measure]
    pair = history.get((time, own.item))
    return None if pair is None else Decimal(pair[0 if own.measure == COLLECTED else 1])


def by_shares(
    figures: list[Figure], history: History, sheets: dict[str, Sheet], reader: Reader
) -> Iterator[Figure]:
    """What is kept of each line that only tells what was collected, by the share that was kept of it in
    every month known; parents as the sum of their parts. A refusal where a line has no one share."""
    by_time: dict[str, dict[str, dict[str, Figure]]] = {}
    for own in figures:
        if own.table == RECEIPTS:
            by_time.setdefault(own.time, {}).setdefault(own.item, {})[own.measure] = own
    parents = reader.wordings.parents
    for lines in by_time.values():
        needed = {
            item: pair[COLLECTED]
            for item, pair in lines.items()
            if KEPT not in pair and COLLECTED in pair
        }
        made: dict[str, Figure] = {}
        for item, collected in needed.items():
            if any(parents.get(child) == item for child in lines):
                continue
            share = _share(item, history)
            kept = collected.value * share if share is not None else None
            if collected.value == 0:
                kept = Decimal(0)
            if kept is None or kept != kept.to_integral_value():
                sheets[collected.sheet].tell(
                    "kept_missing", REFUSE, collected.place, said("no share of {line} that was the same in all months known", line=reader.wordings.names.get(item, item)),
                    said("a column of what the ward keeps"), said("ask for a file with both columns"),
                )  # fmt: skip
                continue
            made[item] = replace(collected, measure=KEPT, value=kept, derived=True)
        for item in sorted(needed, key=lambda item: -_depth(item, parents)):
            children = [child for child in lines if parents.get(child) == item]
            if children:
                own_parts = [
                    made[child] if child in made else lines[child].get(KEPT) for child in children
                ]
                if all(part is not None for part in own_parts):
                    made[item] = replace(
                        needed[item],
                        measure=KEPT,
                        value=sum((part.value for part in own_parts if part), Decimal(0)),
                        derived=True,
                    )
        for name in dict.fromkeys(own.sheet for own in made.values()):
            found = said("what was collected, without what the ward keeps")
            result = said(
                "what is kept is calculated, by the share that was kept of each line in all months known"
            )
            sheets[name].tell("kept_derived", NOTE, None, found, result, "")
        yield from made.values()


def _depth(item: str, parents: dict[str, str]) -> int:
    depth = 0
    while item := parents.get(item, ""):
        depth += 1
    return depth


def _share(item: str, history: History) -> Decimal | None:
    """The share of a line that was kept in each of the last twelve months known with any."""
    known = [
        (month, pair)
        for (month, line), pair in sorted(history.items())
        if line == item and pair[0] > 0
    ][-12:]
    shares = {Decimal(kept) / Decimal(collected) for _, (collected, kept) in known}
    return shares.pop() if len(shares) == 1 else None


def plausible(
    figures: list[Figure], columns: list[tuple[Sheet, Column]], ranges: Ranges, reader: Reader
) -> None:
    """A question where a sheet's amounts, or one of them, are a hundred times and more off what each item
    has ever brought (`ranges`, see `arrivals.Known.ranges`)."""
    by_sheet: dict[str, list[Figure]] = {}
    for own in figures:
        if own.value and (own.table, own.item, own.measure) in ranges:
            by_sheet.setdefault(own.sheet, []).append(own)
    for name, those in by_sheet.items():
        sheet = next(sheet for sheet, _ in columns if sheet.grid.name == name)
        sides = {
            own: _times(
                own, ranges[own.table, own.item, own.measure], share=own.item in reader.percent
            )
            for own in those
        }
        for side in (1, -1):
            far = [own for own, times in sides.items() if times == side]
            if 2 * len(far) > len(those) and len(those) > 2:
                _unit(sheet, far, columns, ranges, reader)
                continue
            for own in far:
                _value(sheet, own, ranges[own.table, own.item, own.measure], reader)


def _times(own: Figure, known: tuple[Decimal, Decimal], *, share: bool) -> int:
    """1 where an amount is FAR times above all known ones, -1 below, else 0."""
    size = abs(own.value)
    if size >= FAR * known[1]:
        return 1
    if own.table == INDICATORS and share and size <= 1 and known[0] >= 10:
        return -1  # 0.92 where per cent are given
    few = own.table in (SCHOOLS, ACTIVITIES)  # of persons there may come next to none
    return -1 if size * FAR <= known[0] and not few else 0


def _unit(
    sheet: Sheet,
    far: list[Figure],
    columns: list[tuple[Sheet, Column]],
    ranges: Ranges,
    reader: Reader,
) -> None:
    stated = any(own.unit for other, own in columns if other is sheet)
    answered = reader.answers.given_for("unit", sheet.grid.name)
    if sheet.grid.name in reader.doubted or (answered and not stated):
        return  # they are in the unit that the clerk has answered
    largest = max(far, key=lambda own: own.value)
    low, high = ranges[largest.table, largest.item, largest.measure]
    found = said(
        "read so, {line} is {amount}",
        line=reader.wordings.names.get(largest.item, largest.item),
        amount=_of(largest.table, largest.value, reader),
    )
    expected = said(
        "an amount like those known, {low} to {high}",
        low=_of(largest.table, low, reader),
        high=_of(largest.table, high, reader),
    )
    units = {own.unit[0]: own for other, own in columns if other is sheet and own.unit}
    fix = said("Say in which unit the figures are.")
    if not units:
        sheet.tell("unit_implausible", ASK, None, found, expected, fix, choices=reader.units())
    for place, own in units.items():
        in_head = any(place == level for level, _ in own.head.levels)
        sheet.tell(
            "unit_implausible",
            ASK,
            place,
            found,
            expected,
            fix,
            view=own.table.view if in_head else None,
            choices=reader.units(),
        )


def _value(sheet: Sheet, own: Figure, known: tuple[Decimal, Decimal], reader: Reader) -> None:
    if reader.answers.get("value", own.sheet, own.cell) == "right":
        return
    found = said(
        "{amount} for {line}",
        amount=_of(own.table, own.value, reader),
        line=reader.wordings.names.get(own.item, own.item),
    )
    expected = said(
        "an amount like those known, {low} to {high}",
        low=_of(own.table, known[0], reader),
        high=_of(own.table, known[1], reader),
    )
    sheet.tell(
        "value_implausible",
        ASK,
        own.place,
        found,
        expected,
        said("See whether it is in another unit than the others. If it is right, say so."),
    )


def falling(
    figures: list[Figure],
    known: dict[tuple[str, str], Decimal],
    sheets: dict[str, Sheet],
    flows: frozenset[str],
) -> None:
    """A refusal where an indicator that counts from January on is less than in an earlier month of its
    year, of the file or known."""
    here = {(own.time, own.item): own.value for own in figures if own.table == INDICATORS}
    for own in figures:
        if own.table != INDICATORS or own.item not in flows:
            continue
        year = own.time[:4]
        before = {
            time: value
            for (time, item), value in (known | here).items()
            if item == own.item and f"{year}-01" <= time < own.time
        }
        if before and own.value < max(before.values()):
            time = max(before, key=lambda time: (before[time], time))
            found = said(
                "{amount} from January to {month}",
                amount=Numeral(own.value),
                month=shown(own.time),
            )
            expected = said(
                "at least {amount}, as from January to {month}",
                amount=Numeral(before[time]),
                month=shown(time),
            )
            fix = said(
                "see whether it is the figure of the month alone, or ask the sender which of the figures is right"
            )
            sheets[own.sheet].tell("ytd_falls", REFUSE, own.place, found, expected, fix)


def copied(
    figures: list[Figure], history: History, sheets: dict[str, Sheet], reader: Reader
) -> None:
    """A question for a month whose lines are, amount by amount, those of the month before."""
    by_time: dict[str, dict[str, Figure]] = {}
    leaves = set(reader.wordings.parents) - set(reader.wordings.parents.values())
    for own in figures:
        if own.table == RECEIPTS and own.measure == COLLECTED and own.item in leaves:
            by_time.setdefault(own.time, {})[own.item] = own
    for time, lines in by_time.items():
        former = _before(time)
        pairs = []
        for item, own in lines.items():
            known = by_time.get(former, {}).get(item)
            amount = known.value if known else history.get((former, item), (None,))[0]
            if amount is not None and (own.value or amount):
                pairs.append(own.value == amount)
        if len(pairs) >= _COPIED and all(pairs):
            first = next(iter(lines.values()))
            if reader.answers.get("copied", first.sheet) != "right":
                found = said(
                    "{month}, with all amounts of {before}",
                    month=shown(time),
                    before=shown(former),
                )
                sheets[first.sheet].tell(
                    "month_copied",
                    ASK,
                    first.head,
                    found,
                    said("amounts of its own"),
                    said(
                        "See whether the month before was sent again. If the amounts are right, say so."
                    ),
                )


def _before(time: str) -> str:
    year, month = int(time[:4]), int(time[5:])
    return f"{year - 1}-12" if month == 1 else f"{year}-{month - 1:02}"


def over(figures: list[Figure], sheets: dict[str, Sheet], reader: Reader) -> None:
    """A question for figures that are called actual although their month was not over."""
    day: datetime.date = reader.reported_on
    for own in figures:
        if (
            own.table == RECEIPTS
            and own.status == "actual"
            and own.time == f"{day:%Y-%m}"
            and not reader.status
            and not _last_day(day)
        ):
            if reader.answers.get("status", own.sheet) == "actual":
                continue
            found = said(
                "{month} as collected, reported on {day}",
                month=shown(own.time),
                day=f"{day:%d/%m/%Y}",
            )
            sheets[own.sheet].tell(
                "month_not_over",
                ASK,
                own.head,
                found,
                said("the figures of a whole month"),
                said("Are they an estimate (ước thực hiện), or all that was collected?"),
            )


def _last_day(day: datetime.date) -> bool:
    return (day + datetime.timedelta(days=1)).day == 1
