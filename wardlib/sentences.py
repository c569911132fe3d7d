"""Sentences of a briefing, made from results: what happened, how much, against what.

Every number comes from the result that the tables show. A ratio stands with both its amounts, and
"equal to 84.1 %" is never written as a fall of 84.1 %.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from wardlib import published as _published
from wardlib.blocks import TYPST, Block, html, joined, paragraph, typst
from wardlib.editions import Edition
from wardlib.language import NBSP, NONE, Language, is_missing
from wardlib.receipts import Receipts


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
        parts[0] += " " + text(
            "(only {reported} of {expected} months are reported)",
            reported=str(row["reported"]),
            expected=str(row["expected"]),
        )
    if not is_missing(row["share_upper"]):
        share = unit.share(row["year_to_date"], row["plan_upper"])
        parts.append(text("{share} of the plan set by the upper level", share=share))
    if not is_missing(row["ratio_year_to_date"]):
        share = unit.share(row["year_to_date"], row["year_to_date_before"])
        parts.append(text("equal to {share} of the same period of the year before", share=share))
    return paragraph(language.sentence("; ".join(parts)) + ".", "headline")


def lags(result: Receipts, edition: Edition) -> Block:
    """The first-level lines furthest below plan, or below the year before where no plan is set."""
    language, text = edition.language, edition.language.text
    lines = result.lines[result.lines["depth"] == 1]
    share, whole = ("share_upper", "plan_upper") if result.has_plan else (
        "ratio_year_to_date", "year_to_date_before"
    )  # fmt: skip
    lowest = lines[lines[share] < 1].nsmallest(3, share, keep="first")
    unit = language.unit(edition.ward.currency, lowest[whole].max() if len(lowest) else 0)
    named = [
        f"{_lower(language.pick(row, 'name'))} {unit.share(row['year_to_date'], row[whole])}"
        for _, row in lowest.iterrows()
    ]
    if not named:
        return paragraph(
            text("No line is below its plan for the year.")
            if result.has_plan
            else text("No line is below the same period of the year before.")
        )
    lead = (
        text("Furthest from the year's plan: {lines}.", lines="; ".join(named))
        if result.has_plan
        else text("Lowest against the same period of the year before: {lines}.",
                  lines="; ".join(named))
    )  # fmt: skip
    return paragraph(lead)


def largest_fall(result: Receipts, edition: Edition) -> Block:
    """The leaf line and month of the period that fell most, in money, below the same month of the
    year before. Observed figures only: a fall is not yet an effect of COVID-19."""
    language, text = edition.language, edition.language.text
    leaves = result.lines.index.difference(result.lines["parent"], sort=False)
    now = result.months.reindex(result.period.months)[leaves]
    before = result.months.reindex(result.period.year_before.months)[leaves]
    change = now - before.set_axis(now.index)
    change.index.name, change.columns.name = "month", "line"
    falls = change.stack().loc[lambda values: values < 0]
    if falls.empty:
        return paragraph(text("No line fell below the same month of the year before."))
    month, line = falls.idxmin()
    then = before.at[month - 12, line]
    amounts = now.at[month, line], then
    unit = language.unit(edition.ward.currency, then)
    share = "" if then <= 0 or amounts[0] < 0 else f" ({language.percent(amounts[0] / then)})"
    return paragraph(
        text(
            "The largest fall against the same month of the year before: {line}, {month}: "
            "{now} against {then}{share}. Deferral or exemption by law may explain it; neither is "
            "taken into account here.",
            line=_lower(language.pick(result.lines.loc[line], "name")),
            month=language.month(month),
            now=unit.amount(amounts[0]),
            then=unit.amount(then),
            share=share,
        )
    )


def not_reported(result: Receipts, edition: Edition, standing: pd.DataFrame | None = None) -> Block:
    """Which figures of the year to date are estimates and which have not come in."""
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
    return paragraph(
        " ".join(said) or text("Every figure has been reported, none is an estimate."), "note"
    )


def _months(months: list[pd.Period], language: Language) -> str:
    """Months as a list, an unbroken run of three or more by its ends."""
    if len(months) > 2 and months[-1] - months[0] == pd.offsets.MonthEnd(len(months) - 1):
        return f"{language.month_short(months[0])}–{language.month_short(months[-1])}"
    return language.join([language.month_short(month) for month in months])


def key_figures(result: Receipts, edition: Edition, standing: pd.DataFrame | None = None) -> Block:
    """The figures a leader looks for first: number, what it is, both amounts of a ratio."""
    language, text = edition.language, edition.language.text
    row = result.lines.loc[result.root]
    unit = language.unit(edition.ward.currency, row["year_to_date"])
    cards = []
    if result.has_plan and not is_missing(row["share_upper"]):
        cards.append(
            (
                language.percent(row["share_upper"]),
                text("of the plan set by the upper level"),
                f"{unit.figure(row['year_to_date'], trim=True)}/"
                f"{unit.figure(row['plan_upper'], trim=True)}{NBSP}{unit.name}",
            )
        )
    else:
        cards.append((unit.amount(row["year_to_date"]), text("collected, year to date"), ""))
    if not is_missing(row["ratio_year_to_date"]):
        cards.append(
            (
                language.percent(row["ratio_year_to_date"]),
                text("of the same period of the year before"),
                f"{unit.figure(row['year_to_date'], trim=True)}/"
                f"{unit.figure(row['year_to_date_before'], trim=True)}{NBSP}{unit.name}",
            )
        )
    cards.append((unit.amount(row["kept_year_to_date"]), text("kept by its own budget"), ""))
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


def reconciliation(table: pd.DataFrame, edition: Edition) -> Block:
    """How each published figure is read here, and why ours differs where it does."""
    language, text = edition.language, edition.language.text
    if table.empty:
        return paragraph(text("No published figure of this period is known here."))
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
