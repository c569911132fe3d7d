"""Sentences of a briefing, made from results: what happened, how much, against what.

Every number comes from the result that the tables show. A ratio stands with both its amounts, and
"equal to 84.1 %" is never written as a fall of 84.1 %.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from wardlib.analysis import activities as _activities
from wardlib.analysis import published as _published
from wardlib.analysis.activities import Activities
from wardlib.analysis.closures import BREAK, CLOSED, IN_PERSON, ONLINE, PARTIAL
from wardlib.analysis.effects import Effects
from wardlib.analysis.receipts import Receipts
from wardlib.analysis.relief import Split
from wardlib.analysis.schools import Schools
from wardlib.analysis.targets import GOOD, MONEY, Targets
from wardlib.language import NBSP, NONE, Language, Unit, is_missing
from wardlib.pages.blocks import TYPST, Block, html, joined, lead, paragraph, typst
from wardlib.pages.editions import Edition


def headline(result: Receipts, edition: Edition) -> Block:
    """The year to date of the total: amount, share of the plan, against the year before."""
    language, text = edition.language, edition.language.text
    row = result.lines.loc[result.root]
    unit = language.unit(edition.ward.currency, row["year_to_date"])
    parts = [
        text(
            "In {period}, {line} came to {amount}",
            period=result.period.name_year_to_date(language),
            line=_lower(language.pick(row, "name")),
            amount=unit.amount(row["year_to_date"]),
        )
    ]
    if row["reported"] < row["expected"]:
        parts[0] += " " + _only(row["reported"], row["expected"], edition)
    if not is_missing(row["share_upper"]):
        share = unit.share(row["year_to_date"], row["plan_upper"])
        parts.append(text("{share} of the plan set by the upper level", share=share))
    if not is_missing(row["ratio_year_to_date"]):
        share = unit.share(row["year_to_date"], row["year_to_date_before"])
        parts.append(text("equal to {share} of the same period of the year before", share=share))
    return lead(language.sentence("; ".join(parts)) + ".")


def year_before(result: Receipts, edition: Edition) -> Block:
    """The period's total against the same period of the year before, and how many first-level lines
    rose, fell or stayed."""
    language, text = edition.language, edition.language.text
    row = result.lines.loc[result.root]
    name = _lower(language.pick(row, "name"))
    if is_missing(row["ratio_period"]):
        return lead(
            text(
                "In {period}, {line} cannot be set against the same period of the year before: a "
                "month of either year is not reported, or nothing came in then.",
                period=edition.period_name,
                line=name,
            )
        )
    unit = language.unit(edition.ward.currency, row["period"])
    changes = [_change(ratio) for ratio in result.lines["ratio_period"]]
    change = changes[result.lines.index.get_loc(result.root)]
    how = {
        "rise": text("a rise of {change}", change=language.percent(abs(change) / 100)),
        "fall": text("a fall of {change}", change=language.percent(abs(change) / 100)),
        "same": text("no change"),
    }[_direction(change)]
    said = text(
        "In {period}, {line} was equal to {share} of the same period of the year before: {how}.",
        period=edition.period_name,
        line=name,
        share=unit.share(row["period"], row["period_before"]),
        how=how,
    )
    own = [
        change for change, depth in zip(changes, result.lines["depth"], strict=True) if depth == 1
    ]
    if not own:
        return lead(said)
    counts = {way: str(sum(_direction(change) == way for change in own)) for way in _WAYS}
    words = {
        "rise": text("rose {count}", count=counts["rise"]),
        "fall": text("fell {count}", count=counts["fall"]),
        "same": text("unchanged {count}", count=counts["same"]),
        "": text("cannot be compared {count}", count=counts[""]),
    }
    groups = [words[way] for way in _WAYS if counts[way] != "0"]
    return lead(
        said,
        text("Of its {count} lines: {groups}.", count=str(len(own)), groups="; ".join(groups)),
    )


def _change(ratio: float) -> float:
    """By how many per cent, as printed, `ratio` is above (below: negative) one."""
    return round(round(100 * ratio, 1) - 100, 1)


_WAYS = ("rise", "fall", "same", "")


def _direction(change: float) -> str:
    return "rise" if change > 0 else "fall" if change < 0 else "same" if change == 0 else ""


def _only(reported: int, expected: int, edition: Edition) -> str:
    """Of how many months a sum is, where some are missing."""
    return edition.language.text(
        "(only {reported} of {expected} months are reported)",
        reported=str(reported),
        expected=str(expected),
    )


def effect(effects: Effects, edition: Edition, *, line: str = "") -> Block:
    """What COVID-19 did to a line in the year to date, how sure that is, and what is only late."""
    return lead(*_effect(effects, edition, line or effects.root))


def findings(effects: Effects, edition: Edition) -> Block | None:
    """Each phase, each first-level line, the lines for comparison and the checks, an item each;
    nothing where the period ends before the epidemic."""
    language, text = edition.language, edition.language.text
    if effects.span is None:
        return None
    items = [
        f"{segment_name(effects, segment, edition)}: {finding}"
        for segment in effects.segments.itertuples()
        if (finding := _finding(effects, edition, effects.root, segment.first, segment.last))
    ]
    lines = effects.lines[effects.lines["depth"] == 1]
    items += [_by_verdict(effects, edition, lines.index[~lines["comparison"]])]
    compared = effects.lines.index[effects.lines["comparison"]]
    if len(compared):
        items.append(
            text(
                "For comparison, lines that no closure and no relief for those who paid before "
                "touched: {lines}",
                lines=_lower(_by_verdict(effects, edition, compared)),
            )
        )
    items.append(_checks(effects, edition))
    return _list([language.sentence(item) for item in items if item])


def brief_findings(effects: Effects, edition: Edition) -> Block | None:
    """The first-level lines that the leader's table leaves out: those without a finding."""
    if effects.span is None:
        return None
    lines = effects.lines[effects.lines["depth"] == 1]
    quiet = [
        line
        for line in lines.index
        if line not in effects.by_line or effects.by_line[line].verdict == "none"
    ]
    return paragraph(_by_verdict(effects, edition, quiet), "note") if quiet else None


def segment_name(effects: Effects, segment: object, edition: Edition) -> str:
    """A phase, or the time after one, with its months: "Wave 1 (Feb 2020–Jun 2020)"."""
    language, text = edition.language, edition.language.text
    name = language.pick(effects.phases.iloc[segment.spell], "name")
    if not segment.inside:
        name = text("After {phase}", phase=_lower(name))
    return f"{name} ({language.span_short(segment.first, segment.last)})"


def verdict(split: Split, edition: Edition) -> str:
    """What can be said of a split, in two or three words."""
    return _verdicts(edition)[split.verdict]


def _verdicts(edition: Edition) -> dict[str, str]:
    """The words of each verdict, gravest first."""
    text = edition.language.text
    return {
        "loss": text("loss"),
        "overdue": text("overdue: arrears or lost"),
        "late": text("late, not lost"),
        "relief": text("not payable by law"),
        "returned": text("late, since paid"),
        "gain": text("more than expected"),
        "none": text("no difference shown"),
    }


def silence(effects: Effects, line: str, edition: Edition) -> str:
    """Why nothing can be said of a line; "" where something can."""
    text = edition.language.text
    reason = effects.lines.at[line, "silent"]
    if not reason and line not in effects.by_line:
        reason = "unreported"
    return {
        "": "",
        "before": text("the period ends before the epidemic"),
        "history": text(
            "fewer than 24 months of figures before the epidemic, or hardly any receipt"
        ),
        "placebo": text("the method was wrong in earlier years, when nothing had happened"),
        "exempt": text("the law left nothing payable in these months"),
        "unreported": text("no month is reported"),
    }[reason]


def _effect(effects: Effects, edition: Edition, line: str) -> list[str]:
    """The sentences of `effect`."""
    language, text = edition.language, edition.language.text
    name = _lower(language.pick(effects.lines.loc[line], "name"))
    split = effects.by_line.get(line)
    if split is None:
        return [
            text(
                "No statement on COVID-19's effect on {line} is possible: {reason}.",
                line=name,
                reason=silence(effects, line, edition),
            )
        ]
    unit = language.unit(edition.ward.currency, split.expected)
    difference = split.difference
    figures = {
        "span": language.sentence(language.span(split.first, split.last)),
        "line": name,
        "collected": unit.amount(split.collected),
        "expected": unit.amount(split.expected),
        "low": unit.figure(split.expected + difference.lower - difference.mean, trim=True),
        "high": unit.figure(split.expected + difference.upper - difference.mean, trim=True),
    }
    said = [
        text(
            "{span}, {line} came to {collected}; without COVID-19, {expected} was to be expected "
            "(95 % interval: {low} to {high}).",
            **figures,
        )
    ]
    whole = len(pd.period_range(split.first, split.last, freq="M"))
    if split.months < whole:
        said[0] += " " + language.sentence(_only(split.months, whole, edition))
    gap = {
        "amount": unit.amount(abs(difference.mean)),
        "share": language.percent(abs(difference.mean) / split.expected)
        if split.expected > 0
        else NONE,
    }
    if split.verdict == "gain":
        return [*said, text("That is {amount} ({share}) more than expected.", **gap)]
    if split.verdict == "none":
        return [*said, text("No difference can be shown.")]
    if difference.lower > 0:
        said.append(text("That is {amount} ({share}) less than expected.", **gap))
    said += _parts(split, edition, unit)
    if split.verdict in ("loss", "overdue"):
        bounds = {
            "amount": unit.amount(split.claim.mean),
            "low": unit.figure(split.claim.lower, trim=True),
            "high": unit.figure(split.claim.upper, trim=True),
        }
        said.append(
            text("Lost: {amount} (95 % interval: {low} to {high}).", **bounds)
            if split.verdict == "loss"
            else text(
                "Not paid by the last lawful day, so in arrears or lost: {amount} (95 % interval: "
                "{low} to {high}).",
                **bounds,
            )
        )
        plan = effects.lines.at[line, "plan_upper"]
        if plan > 0:
            said.append(
                text(
                    "That is {share} of the plan set by the upper level.",
                    share=unit.share(split.claim.mean, plan),
                )
            )
    else:
        said.append(text("No loss can be claimed."))
    return said


def _parts(split: Split, edition: Edition, unit: Unit) -> list[str]:
    """What of a shortfall has come, may come, or is not payable."""
    language, text = edition.language, edition.language.text
    said = []
    if split.returned.mean > 0.01 * split.shortfall.mean:
        said.append(
            text(
                "Put off by law and paid since: {amount}.", amount=unit.amount(split.returned.mean)
            )
        )
    if split.may_come.mean > 0.01 * split.shortfall.mean:
        said.append(
            text(
                "May still lawfully come, until {day} at the latest: {low} to {high}; this part is "
                "late, not lost.",
                day=language.date(split.until),
                low=unit.figure(split.may_come.lower, trim=True),
                high=unit.amount(split.may_come.upper),
            )
        )
    relieved = split.exempt.mean + split.reduced.mean
    if relieved > 0.01 * split.shortfall.mean:
        said.append(
            text(
                "Not payable by law (exemption, reduction): {amount}.", amount=unit.amount(relieved)
            )
        )
    return said


def _finding(
    effects: Effects, edition: Edition, line: str, first: pd.Period, last: pd.Period
) -> str:
    """A line in some months: its difference with interval, and what can be said of it."""
    language, text = edition.language, edition.language.text
    split = effects.split(line, first, last)
    if split is None:
        return ""
    unit = language.unit(edition.ward.currency, split.expected)
    return (
        text(
            "{line} {collected} against {expected} expected, difference {low} to {high} (95 %): "
            "{verdict}",
            line=_lower(language.pick(effects.lines.loc[line], "name")),
            collected=unit.amount(split.collected),
            expected=unit.figure(split.expected, trim=True),
            low=unit.figure(-split.difference.upper, trim=True),
            high=unit.figure(-split.difference.lower, trim=True),
            verdict=verdict(split, edition),
        )
        + "."
    )


def _by_verdict(effects: Effects, edition: Edition, lines: Iterable[str]) -> str:
    """Lines grouped by what can be said of them, the amount with each claim."""
    language, text = edition.language, edition.language.text
    groups: dict[str, list[str]] = {}
    for line in lines:
        name = _lower(language.pick(effects.lines.loc[line], "name"))
        split = effects.by_line.get(line)
        if split is None:
            why = text("no statement possible, as {reason}", reason=silence(effects, line, edition))
            groups.setdefault(why, []).append(name)
            continue
        unit = language.unit(edition.ward.currency, split.expected)
        amount = {
            "loss": split.claim,
            "overdue": split.claim,
            "late": split.may_come,
            "relief": max(split.exempt, split.reduced, key=lambda amount: amount.mean),
            "returned": split.returned,
        }.get(split.verdict)
        if amount is not None:
            name += (
                f" ({unit.figure(amount.lower, trim=True)}–{unit.figure(amount.upper, trim=True)}"
                f"{NBSP}{unit.name})"
            )
        groups.setdefault(verdict(split, edition), []).append(name)
    order = [name for name in _verdicts(edition).values() if name in groups]
    order += [name for name in groups if name not in order]
    said = [f"{language.sentence(name)}: {'; '.join(groups[name])}." for name in order]
    return " ".join(said)


def _checks(effects: Effects, edition: Edition) -> str:
    """The checks of the total's estimate in one line."""
    language, text = edition.language, edition.language.text
    if effects.root not in effects.ledgers or not effects.impact(effects.root).model:
        return ""
    impact = effects.impact(effects.root)
    checks = impact.checks
    said = []
    if len(checks.placebo):
        said.append(
            text(
                "in {windows} earlier windows of twelve months, in which nothing had happened, the "
                "amount collected lay inside the interval {inside} times, a month typically "
                "{error} off",
                windows=str(len(checks.placebo)),
                inside=str(int(checks.placebo["inside"].sum())),
                error=language.percent(checks.error),
            )
        )
    else:
        said.append(text("the history is too short to test the method on earlier windows"))
    changed = -checks.sensitivity["amount"]
    if len(changed):
        unit = language.unit(edition.ward.currency, changed.abs().max())
        said.append(
            text(
                "with the start one or two months earlier, or one year of history left out, the "
                "difference since {start} lies between {low} and {high}",
                start=language.month_short(effects.start),
                low=unit.figure(-changed.max(), trim=True),
                high=unit.amount(-changed.min()),
            )
        )
    return text("Checks of the total: {checks}.", checks="; ".join(said))


def schooling(found: Schools | None, edition: Edition) -> Block:
    """Days lost, taught online and made up of each level, a sentence a school year; or that there is
    no data."""
    return lead(*_schooling(found, edition))


def _schooling(found: Schools | None, edition: Edition) -> list[str]:
    language, text = edition.language, edition.language.text
    if found is None:
        return [text("School days: no data for this ward.")]
    said: list[str] = []
    unknown: list[str] = []
    for span, row in found.spans[found.spans["kind"] == "period"].iterrows():
        if span not in found.levels.index.get_level_values("span"):
            continue
        levels = found.levels.loc[span]
        counted = levels[["reported", "expected"]].sum()
        if counted["reported"] == 0:
            unknown.append(language.span(row["first"], row["last"]))
            continue
        levels = levels[levels["planned"] > 0]
        if levels.empty:
            continue
        lost = levels[levels["lost"] > 0]
        figures = {
            "span": language.sentence(language.span(row["first"], row["last"])),
            "year": row["year"].replace("-", "–"),
        }
        partly = ""
        if counted["reported"] < counted["expected"]:
            partly = " " + text(
                "({reported} of {expected} monthly school reports have come in)",
                reported=str(counted["reported"]),
                expected=str(counted["expected"]),
            )
        if lost.empty:
            said.append(
                text("{span} (school year {year}): no school day was lost", **figures)
                + partly
                + "."
            )
            continue
        parts = [
            text(
                "{level} {lost} of {planned}{made_up}",
                level=level_name(level, edition),
                lost=days(own["lost"], edition),
                planned=days(own["planned"], edition),
                made_up=""
                if not own["made_up"] > 0
                else " " + text("(made up {days})", days=days(own["made_up"], edition)),
            )
            for level, own in lost.iterrows()
        ]
        said.append(
            text(
                "{span} (school year {year}), school days lost: {levels}",
                levels="; ".join(parts),
                **figures,
            )
            + partly
            + "."
        )
    if unknown:
        said.append(text("School days {spans}: no report has come in.", spans="; ".join(unknown)))
    return said or [text("No school day was planned in this period.")]


def longest_closure(found: Schools | None, edition: Edition) -> Block | None:
    """The longest time that a level was kept from class in the school years of the period."""
    language, text = edition.language, edition.language.text
    if found is None:
        return None
    if found.spells.empty:
        return lead(text("No decision kept a level from class in these school years."))
    longest = found.spells[found.spells["days"] == found.spells["days"].max()]
    row = longest.iloc[0]
    return lead(
        text(
            "Longest away from class: {levels}, {days} calendar days, from {start} to {end}.",
            levels=language.join(
                [level_name(level, edition) for level in longest["level"].unique()]
            ),
            days=language.number(row["days"]),
            start=language.date(row["start"]),
            end=language.date(row["end"]),
        )
    )


def schools_hit(found: Schools | None, edition: Edition) -> Block | None:
    """How many schools lost days in each school year of the period, and which lost most."""
    language, text = edition.language, edition.language.text
    if found is None:
        return None
    said = []
    for span, row in found.spans[found.spans["kind"] == "period"].iterrows():
        if span not in found.schools.index.get_level_values("span"):
            continue
        own = found.schools.loc[span]
        known = own[(own["reported"] > 0) & (own["planned"] > 0)]
        figures = {
            "span": language.sentence(language.span(row["first"], row["last"])),
            "hit": str(int((known["lost"] > 0).sum())),
            "count": str(len(known)),
        }
        if known.empty:
            said.append(text("{span}: no school day is reported.", **figures))
        elif not (known["lost"] > 0).any():
            said.append(text("{span}: none of {count} schools lost a day.", **figures))
        else:
            most = known[known["lost"] == known["lost"].max()]
            names = (
                "; ".join(most["name"])
                if len(most) <= 3
                else text("{count} schools", count=str(len(most)))
            )
            said.append(
                text(
                    "{span}: {hit} of {count} schools lost days; most, {lost} of {planned}: {names}.",
                    lost=days(most["lost"].iloc[0], edition),
                    planned=days(most["planned"].iloc[0], edition),
                    names=names,
                    **figures,
                )
            )
    return lead(*said) if said else None


def closures(found: Schools | None, edition: Edition) -> Block | None:
    """How long each level was kept from class, in calendar days; and lost days without a reason."""
    language, text = edition.language, edition.language.text
    if found is None:
        return None
    items = []
    for (start, end), spells in found.spells.groupby(["start", "end"]):
        names = language.join([level_name(level, edition) for level in spells["level"]])
        items.append(
            text(
                "{levels}: away from class from {start} to {end}, {days} calendar days",
                levels=names,
                start=language.date(start),
                end=language.date(end),
                days=language.number(spells["days"].iloc[0]),
            )
        )
    unexplained = found.reasons[found.reasons["measure"] == ""]
    for row in unexplained.itertuples():
        span = found.spans.loc[row.span]
        if span["kind"] == "period":
            items.append(
                text(
                    "{level}, {span}: {days} lost days that no recorded decision explains",
                    level=level_name(row.level, edition),
                    span=language.span(span["first"], span["last"]),
                    days=days(row.days, edition),
                )
            )
    return _list([language.sentence(item) + "." for item in items]) if items else None


def schools_missing(found: Schools | None, edition: Edition) -> Block | None:
    """Which schools have not reported which months."""
    language, text = edition.language, edition.language.text
    if found is None or not found.missing:
        return None
    gaps: dict[str, list[pd.Period]] = {}
    for school, month in found.missing:
        gaps.setdefault(school, []).append(month)
    names = found.names
    lines = "; ".join(
        f"{names.get(school, school)} ({_months(months, language)})"
        for school, months in gaps.items()
    )
    return paragraph(
        text("Not yet reported, and not counted as zero: {lines}.", lines=lines), "note"
    )


def level_name(level: str, edition: Edition) -> str:
    """A school level as it stands inside a sentence."""
    text = edition.language.text
    return {
        "mam_non": text("preschool"),
        "tieu_hoc": text("primary school"),
        "thcs": text("lower secondary school"),
        "thpt": text("upper secondary school"),
    }[level]


def state_name(state: str, edition: Edition) -> str:
    """The state of a school day in a few words."""
    text = edition.language.text
    return {
        IN_PERSON: text("in class"),
        ONLINE: text("online"),
        CLOSED: text("closed"),
        PARTIAL: text("some pupils in class"),
        BREAK: text("early break"),
    }[state]


def days(value: float, edition: Edition) -> str:
    """A number of days: whole, or with one decimal where it is a mean over pupils."""
    return NONE if is_missing(value) else edition.language.number(round(value, 1), 1, trim=True)


def events(found: Activities | None, edition: Edition) -> Block:
    """Events held in the period against the number to be expected; or that there is no data."""
    return lead(*_events(found, edition))


def _events(found: Activities | None, edition: Edition) -> list[str]:
    language, text = edition.language, edition.language.text
    if found is None:
        return [text("Extracurricular, cultural and sports activities: no data for this ward.")]
    row = found.table.loc["period"].loc[_activities.TOTAL]
    if is_missing(row["held"]):
        return [text("No activity of this period is reported.")]
    figures = {
        "period": edition.period_name,
        "held": language.number(row["held"]),
        "planned": language.number(row["planned"]),
    }
    said = [
        text(
            "In {period}, {held} of {planned} planned extracurricular, cultural and sports events "
            "were held in their month.",
            **figures,
        )
    ]
    if row["reported"] < row["expected_months"]:
        only = _only(row["reported"], row["expected_months"], edition)
        said[0] = f"{said[0].removesuffix('.')} {only}."
    verdict = _activities.verdict(row)
    if verdict == "silent":
        said.append(
            text(
                "How many were to be expected cannot be said: fewer than two earlier years are known."
            )
        )
        return said
    bounds = {
        "expected": language.number(round(row["expected"])),
        "low": language.number(row["lower"]),
        "high": language.number(row["upper"]),
        "gap": language.number(abs(round(row["expected"]) - row["held"])),
    }
    ends = {
        "fewer": text("{gap} fewer than expected", **bounds),
        "more": text("{gap} more than expected", **bounds),
        "none": text("no difference can be shown"),
    }
    said.append(
        text(
            "After the same months of earlier years {expected} were to be expected (95 % interval: {low} "
            "to {high}): {verdict}.",
            verdict=ends[verdict],
            **bounds,
        )
    )
    if row["held_later"] > 0:
        said.append(
            text(
                "Put off from earlier months and held in these: {count}.",
                count=language.number(row["held_later"]),
            )
        )
    return said


def set_by(who: str, edition: Edition) -> str:
    """Who set a target, in a word or two; "" where nobody did."""
    text = edition.language.text
    return {"upper": text("upper level"), "ward": text("ward council"), "": ""}[who]


def target_status(name: str, edition: Edition) -> str:
    """A status in a few words; the rule is `targets.status`."""
    return _target_statuses(edition)[name]


def _target_statuses(edition: Edition) -> dict[str, str]:
    text = edition.language.text
    return {
        "met": text("met"),
        "likely": text("likely to be met"),
        "ahead": text("ahead"),
        "open": text("open"),
        "late": text("late"),
        "unlikely": text("unlikely to be met"),
        "missed": text("missed"),
        "none": text("no statement"),
    }


def target_silence(row: pd.Series, edition: Edition) -> str:
    """Why a target's year-end cannot be projected; "" where it can."""
    text = edition.language.text
    return {
        "": "",
        "history": text("fewer than two full years before"),
        "gap": text("a month of this year is missing"),
        "unreported": text("no month is reported"),
    }[row["silent"]]


def target_states(found: Targets, edition: Edition) -> Block:
    """How many targets are met, likely, open, unlikely, and which are in doubt."""
    return lead(_states(found, edition))


def year_end(found: Targets, edition: Edition) -> Block | None:
    """The total at the year's end, the chance of its target, and what the remaining months need."""
    said = _year_end(found, edition)
    return lead(*said) if said else None


def _states(found: Targets, edition: Edition) -> str:
    language, text = edition.language, edition.language.text
    table = found.table[found.table["set_by"] != ""]
    if table.empty:
        return text("No target was given to this unit.")
    own = table[table["set_by"] == "upper"]
    own = own if len(own) else table
    states = _target_statuses(edition)
    names: dict[str, list[str]] = {}
    for state, name in zip(own["status"], own[f"name_{language.code}"], strict=True):
        names.setdefault(state, []).append(_lower(name))
    groups = {words: names[state] for state, words in states.items() if state in names}
    sure = {states[state] for state in GOOD}
    said = "; ".join(
        f"{state} {len(names)}" + ("" if state in sure else f" ({', '.join(names)})")
        for state, names in groups.items()
    )
    return text(
        "Of {count} targets set by {whom}: {states}.",
        count=str(len(own)),
        whom=text("the upper level")
        if (own["set_by"] == "upper").all()
        else text("the ward council"),
        states=said,
    )


def _year_end(found: Targets, edition: Edition) -> list[str]:
    """The year-end of the first line of money: the total."""
    language, text = edition.language, edition.language.text
    money = found.table[found.table["kind"] == MONEY]
    row = money.iloc[0]
    name = _lower(language.pick(row, "name"))
    if row["silent"]:
        return [
            text(
                "Where {line} will stand at the end of the year cannot be said: {reason}.",
                line=name,
                reason=target_silence(row, edition),
            )
        ]
    unit = language.unit(edition.ward.currency, row["point"])
    if row["left"] == 0:
        return []
    said = [
        text(
            "Projected for the whole year, {line}: {point} (80 %: {low80} to {high80}; 95 %: {low95} to "
            "{high95})",
            line=name,
            point=unit.amount(row["point"]),
            **{
                bound: unit.figure(row[bound], trim=True)
                for bound in ("low80", "high80", "low95", "high95")
            },
        )
    ]
    if not is_missing(row["chance"]):
        said[0] += "; " + text(
            "chance of reaching {target}: {chance}",
            target=unit.amount(row["target"]),
            chance=chance(row["chance"], edition),
        )
    said[0] += "."
    if row["needed"] > 0:
        said.append(
            text(
                "Needed: {needed} in each of the {left} months that remain; the same months of earlier "
                "years brought so much {reached} times of {asked}.",
                needed=unit.amount(row["needed"]),
                left=str(row["left"]),
                reached=str(row["reached"]),
                asked=str(row["asked"]),
            )
        )
    if row["due"] > 0.001 * row["point"]:
        said.append(
            text(
                "Of it, put off by law and falling due by 31/12: {due} (95 % interval: {low} to {high}).",
                due=unit.amount(row["due"]),
                low=unit.figure(row["due_low"], trim=True),
                high=unit.figure(row["due_high"], trim=True),
            )
        )
    return said


def chance(share: float, edition: Edition) -> str:
    """A chance in whole per cent, never as certainty."""
    if share > 0.99:
        return edition.language.text("over {percent}", percent=edition.language.percent(0.99))
    if share < 0.01:
        return edition.language.text("under {percent}", percent=edition.language.percent(0.01))
    return edition.language.percent(share, 0)


def cannot_project(found: Targets, edition: Edition) -> Block | None:
    """Targets whose year-end cannot be projected, by reason; in December, that nothing remains."""
    language, text = edition.language, edition.language.text
    if (found.table["left"] == 0).all():
        return paragraph(text("The year is complete: nothing remains to be projected."))
    silent = found.table[found.table["silent"] != ""]
    if silent.empty:
        return None
    said = []
    for _, rows in silent.groupby("silent"):
        names = dict.fromkeys(_lower(language.pick(row, "name")) for _, row in rows.iterrows())
        said.append(f"{'; '.join(names)} ({target_silence(rows.iloc[0], edition)})")
    return paragraph(
        text("No statement on the year's end: {items}.", items="; ".join(said)), "note"
    )


def not_reported(
    result: Receipts,
    edition: Edition,
    standing: pd.DataFrame | None = None,
    *,
    opening: bool = False,
) -> Block:
    """Which figures of the year to date are estimates and which have not come in: a note, or with
    `opening` the headline of a section."""
    language, text = edition.language, edition.language.text
    months = result.estimated.reindex(result.period.year_to_date, fill_value=False)
    estimates = [language.month_short(month) for month in months.index[months.any(axis=1)]]
    said = []
    if estimates:
        said.append(text("Still estimates: figures of {months}.", months=language.join(estimates)))
    total = result.months[result.root].reindex(result.period.year_to_date)
    silent = list(total.index[total.isna()])
    gaps = []
    if silent:
        gaps.append(text("every line ({months})", months=_months(silent, language)))
    for line in result.lines.index:
        own = [month for name, month in result.missing if name == line and month not in silent]
        if own:
            name = _lower(language.pick(result.lines.loc[line], "name"))
            gaps.append(f"{name} ({_months(own, language)})")
    if standing is not None:
        absent = standing[standing["value"].isna()]
        gaps += [
            f"{_lower(language.pick(row, 'name'))} ({language.month_short(result.period.last)})"
            for _, row in absent.iterrows()
        ]
    if gaps:
        said.append(
            text("Not yet reported, and not counted as zero: {lines}.", lines="; ".join(gaps))
        )
    said = said or [text("Every figure has been reported, none is an estimate.")]
    return lead(*said) if opening else paragraph(" ".join(said), "note")


def coverage(tables: pd.DataFrame, edition: Edition) -> Block:
    """How many of the ward's monthly tables have every month of the period, and which have not."""
    language, text = edition.language, edition.language.text
    lacking = tables[tables["reported"] < tables["expected"]]
    figures = {
        "period": edition.period_name,
        "whole": str(len(tables) - len(lacking)),
        "count": str(len(tables)),
    }
    if lacking.empty:
        return lead(
            text(
                "Every month of {period} has come in for every table ({count} of {count}).",
                **figures,
            )
        )
    names = [
        f"{_lower(table_name(row['table'], edition))} ({row['reported']}/{row['expected']})"
        for _, row in lacking.iterrows()
    ]
    return lead(
        text(
            "Every month of {period} has come in for {whole} of {count} tables; lacking: {names}.",
            names=language.join(names),
            **figures,
        )
    )


def table_name(name: str, edition: Edition) -> str:
    """What a table of monthly figures holds."""
    text = edition.language.text
    return {
        "receipts": text("Receipts"),
        "school_months": text("School days by school"),
        "activities": text("Extracurricular, cultural and sports activities"),
        "indicator_months": text("Other targets"),
    }.get(name, name)


def _months(months: list[pd.Period], language: Language) -> str:
    """Months as a list, an unbroken run of three or more by its ends."""
    if len(months) > 2 and months[-1] - months[0] == pd.offsets.MonthEnd(len(months) - 1):
        return f"{language.month_short(months[0])}–{language.month_short(months[-1])}"
    return language.join([language.month_short(month) for month in months])


def key_figures(result: Receipts, edition: Edition, standing: pd.DataFrame | None = None) -> Block:
    """What the unit keeps, and its other targets: number, what it is, both amounts of a ratio. (The
    receipts themselves stand in the headline.)"""
    language, text = edition.language, edition.language.text
    kept = result.lines.at[result.root, "kept_year_to_date"]
    unit = language.unit(edition.ward.currency, kept)
    cards = [(unit.amount(kept), text("kept by its own budget"), "")]
    for _, indicator in (standing if standing is not None else pd.DataFrame()).iterrows():
        if is_missing(indicator["value"]):
            name = _lower(language.pick(indicator, "name"))
            cards.append((NONE, name, text("not reported")))
            continue
        name_of_unit = language.pick(indicator, "unit")
        detail = ""
        if not is_missing(indicator["target"]):
            amount = language.number(indicator["target"], indicator["decimals"], trim=True)
            detail = text("target {amount}", amount=f"{amount}{NBSP}{name_of_unit}")
            if not is_missing(indicator["share"]):
                detail = f"{language.percent(indicator['share'])} · {detail}"
        value = language.number(indicator["value"], indicator["decimals"], trim=True)
        cards.append(
            (f"{value}{NBSP}{name_of_unit}", _lower(language.pick(indicator, "name")), detail)
        )
    return _cards(cards)


def _cards(cards: list[tuple[str, str, str]]) -> Block:
    as_html = joined(
        f'<div class="card"><dt>{html(what)}</dt><dd><strong>{html(number)}</strong>'
        + (f"<span>{html(detail)}</span>" if detail else "")
        + "</dd></div>"
        for number, what, detail in cards
    )
    as_typst = joined(
        f"  card([{typst(number)}], [{typst(what)}], [{typst(detail)}]),"
        for number, what, detail in cards
    )
    return Block(
        {
            "text/plain": joined(" · ".join(filter(None, card)) for card in cards),
            "text/html": f'<dl class="cards">{as_html}</dl>',
            TYPST: f"#cards(\n{as_typst}\n)",
        },
        {"kind": "figures"},
    )


def agreement(table: pd.DataFrame, edition: Edition) -> Block:
    """How many published figures agree with this workbook's."""
    text = edition.language.text
    if table.empty:
        return lead(text("No published figure of this period is known here."))
    verdicts = agreements(edition)
    counted = table["verdict"].value_counts()
    return lead(
        text(
            "Of {count} published figures: {verdicts}.",
            count=str(len(table)),
            verdicts="; ".join(
                f"{words} {counted[verdict]}"
                for verdict, words in verdicts.items()
                if verdict in counted
            ),
        )
    )


def agreements(edition: Edition) -> dict[str, str]:
    """The words of each verdict on a published figure."""
    text = edition.language.text
    return {
        "agrees": text("agrees"),
        "revised": text("agreed then, revised since"),
        "differs": text("differs"),
        "nothing": text("no figure of ours"),
    }


def reconciliation(table: pd.DataFrame, edition: Edition) -> Block | None:
    """How each published figure is read here, and why ours differs where it does."""
    language, text = edition.language, edition.language.text
    if table.empty:
        return None
    items = []
    for _, row in table.iterrows():
        said = [f"“{row['statement']}”: {language.pick(row, 'reading')}"]
        if row["verdict"] == _published.REVISED:
            said.append(
                text(
                    "On {day} the figures known gave the published value; later reports turned "
                    "{then} into {now}.",
                    day=language.date(row["published_on"]),
                    then=_part(row, row["part_then"], edition),
                    now=_part(row, row["part"], edition),
                )
            )
        items.append(" ".join(said))
    return _list(items)


def _part(row: pd.Series, part: float, edition: Edition) -> str:
    """The amount that a published figure is formed from, in words."""
    if row["table"] == "receipts":
        amount = edition.language.unit(edition.ward.currency, part).amount(part)
        if not is_missing(row["whole"]):
            amount += f" ({edition.language.percent(part / row['whole'])})"
        return amount
    if row["unit"] == "%" and is_missing(row["whole"]):
        return edition.language.percent(part)
    return edition.language.number(part, 1, trim=True)


def _list(items: Iterable[str]) -> Block:
    items = list(items)
    return Block(
        {
            "text/plain": joined(items),
            "text/html": f"<ul>{''.join(f'<li>{html(item)}</li>' for item in items)}</ul>",
            TYPST: joined(f"- {typst(item)}" for item in items),
        },
        {"kind": "list"},
    )


def _lower(name: str) -> str:
    """A name as it stands inside a sentence: its first letter small unless it is an acronym."""
    return name if name[:2].isupper() else name[:1].lower() + name[1:]
