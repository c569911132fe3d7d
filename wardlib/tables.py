"""Tables of a briefing: title, units, notes, and the figures behind them.

Each function takes a result and the edition and returns a block. Amounts stand right-aligned with
a fixed number of decimals under a head that names their unit; a figure not reported is "…"; an
estimate carries an asterisk, a sum that lacks a month a dagger, and the notes say so.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import pandas as pd

from wardlib import receipts as _receipts
from wardlib import sentences
from wardlib.blocks import RESOURCE, TYPST, Block, html, joined, resource, typst
from wardlib.editions import Edition
from wardlib.effects import Effects
from wardlib.language import NBSP, NONE, Unit, is_missing
from wardlib.receipts import Receipts
from wardlib.relief import Amount, Split

ESTIMATE, PARTIAL = "*", "†"


@dataclass(frozen=True)
class _Row:
    head: str
    cells: tuple[str, ...]
    depth: int = 1
    says: str = ""  # below the head


def _table(
    slug: str,
    caption: str,
    heads: list[str],
    rows: list[_Row],
    notes: list[str],
    figures: dict,
    *,
    words: tuple[int, ...] = (),
    widths: tuple[int, ...] = (),
) -> Block:
    """The block of a table. `heads[0]` heads the row heads; columns in `words` hold words and
    stand left-aligned; `widths`, in mm on paper, are those of all columns but the first."""
    aligned = ["start" if index == 0 or index in words else "end" for index in range(len(heads))]
    head = "".join(
        f'<th scope="col" class="{side}">{html(text)}</th>'
        for text, side in zip(heads, aligned, strict=True)
    )
    body = joined(
        f'<tr class="depth-{row.depth}"><th scope="row">{_html_row_head(row)}</th>'
        + "".join(
            f'<td class="{side}">{_html_cell(cell)}</td>'
            for cell, side in zip(row.cells, aligned[1:], strict=True)
        )
        + "</tr>"
        for row in rows
    )
    note = " ".join(notes)
    foot = f'<p class="note">{html(note)}</p>' if note else ""
    as_html = (
        f'<figure class="table"><div class="scroll" role="region" tabindex="0" '
        f'aria-label="{html(caption)}"><table><caption>{html(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>{foot}</figure>"
    )
    cells = joined(
        f"  {_typst_row_head(row)}, "
        + ", ".join(f"[{_strong(row, _typst_cell(cell))}]" for cell in row.cells)
        + ","
        for row in rows
    )
    as_typst = f"""#ward-table(
  caption: [{typst(caption)}],
  columns: {len(heads)},
  widths: ({"".join(f"{width}mm, " for width in widths)}),
  align: ({", ".join("left" if side == "start" else "right" for side in aligned)}),
  table.header({", ".join(f"[{typst(text)}]" for text in heads)}),
{cells}
)
{f"#note[{typst(note)}]" if note else ""}"""
    plain = joined([caption, *("  ".join([row.head, *row.cells]) for row in rows), *notes])
    return Block(
        {"text/plain": plain, "text/html": as_html, TYPST: as_typst, RESOURCE: figures},
        {"kind": "table", "slug": slug, "caption": caption},
    )


def _split(cell: str) -> tuple[str, str]:
    """A cell without its mark, and the mark: it hangs, so that figures align without it."""
    figure = cell.rstrip(ESTIMATE + PARTIAL)
    return figure, cell[len(figure) :]


def _html_cell(cell: str) -> str:
    figure, mark = _split(cell)
    return "<br/>".join(html(part) for part in figure.split("\n")) + (
        f'<span class="hang">{html(mark)}</span>' if mark else ""
    )


def _typst_cell(cell: str) -> str:
    figure, mark = _split(cell)
    return "#linebreak()".join(typst(part) for part in figure.split("\n")) + (
        f"#hang[{typst(mark)}]" if mark else ""
    )


def _strong(row: _Row, content: str) -> str:
    return f"#strong[{content}]" if row.depth == 0 else content


def _typst_row_head(row: _Row) -> str:
    says = f"#linebreak()#emph[{typst(row.says)}]" if row.says else ""
    return f"[#pad(left: {max(row.depth - 1, 0)}em)[{_strong(row, typst(row.head))}{says}]]"


def _html_row_head(row: _Row) -> str:
    return html(row.head) + (f"<br/><em>{html(row.says)}</em>" if row.says else "")


def _amount(unit: Unit, value: float, mark: str = "") -> str:
    return NONE if is_missing(value) else unit.figure(value) + mark


def _percent(edition: Edition, share: float) -> str:
    return NONE if is_missing(share) else edition.language.number(100 * share, 1)


def _unit(edition: Edition, *columns: pd.Series) -> Unit:
    largest = max((column.abs().max() for column in columns), default=0)
    return edition.language.unit(edition.ward.currency, largest)


def _mark(row: pd.Series, span: str = "year_to_date") -> str:
    """The mark of a sum over the months of `span` ("period", "year_to_date")."""
    return {_receipts.ESTIMATE: ESTIMATE, _receipts.PARTIAL: PARTIAL}.get(row[f"status_{span}"], "")


def _notes(edition: Edition, lines: pd.DataFrame, *spans: str) -> list[str]:
    """What the marks in a table of these spans mean; only those that it holds."""
    text = edition.language.text
    status = lines[[f"status_{span}" for span in spans or ("year_to_date",)]]
    notes = []
    if (status == _receipts.ESTIMATE).any(axis=None):
        notes.append(text("* holds a month that is still an estimate."))
    if (status == _receipts.PARTIAL).any(axis=None):
        notes.append(text("† some month is not reported: the sum is of the months reported only."))
    return notes


def _figures(edition: Edition, slug: str, frame: pd.DataFrame, **units: str) -> dict:
    return resource(slug, frame, units, edition.about)


def plan(result: Receipts, edition: Edition) -> Block:
    """Year to date against the plans of the upper level and of the ward, and the share kept."""
    language, text = edition.language, edition.language.text
    lines = result.lines
    unit = _unit(edition, lines["year_to_date"], lines["plan_upper"], lines["plan_ward"])
    plans = [by for by in ("upper", "ward") if lines[f"plan_{by}"].notna().any()]
    rows = []
    for _, row in lines.iterrows():
        cells = [_amount(unit, row["year_to_date"], _mark(row))]
        for by in plans:
            cells += [_amount(unit, row[f"plan_{by}"]), _percent(edition, row[f"share_{by}"])]
        cells.append(_amount(unit, row["kept_year_to_date"], _mark(row)))
        rows.append(_Row(language.pick(row, "name"), tuple(cells), row["depth"]))
    caption = text(
        "Receipts of {period} against the year's plan ({unit})",
        period=result.period.name_year_to_date(language),
        unit=unit.name,
    )
    plan_heads = {"upper": text("Plan, upper level"), "ward": text("Plan, ward")}
    heads = [text("Line"), text("Year to date")]
    for by in plans:
        heads += [plan_heads[by], text("% of it")]
    heads.append(text("Kept by its own budget"))
    notes = _notes(edition, lines)
    if not plans:
        notes.append(text("No plan was given to this unit."))
    money = edition.ward.currency
    figures = _figures(
        edition,
        "receipts-plan",
        lines.reset_index()[
            ["line", "year_to_date", "plan_upper", "share_upper", "plan_ward", "share_ward",
             "kept_year_to_date", "reported", "expected", "status_year_to_date"]
        ],
        year_to_date=money, plan_upper=money, plan_ward=money, kept_year_to_date=money,
        share_upper="1", share_ward="1", reported="months", expected="months",
    )  # fmt: skip
    return _table("receipts-plan", caption, heads, rows, notes, figures)


def year_before(result: Receipts, edition: Edition) -> Block:
    """The period, and the year to date where it is longer, against the same months of the year
    before, as ratios (100 = as much)."""
    language, text = edition.language, edition.language.text
    lines = result.lines
    spans = ["period"]
    if len(result.period.months) < len(result.period.year_to_date):
        spans.append("year_to_date")
    unit = _unit(edition, *(lines[span] for span in spans))
    rows = []
    for _, row in lines.iterrows():
        cells = []
        for span in spans:
            cells += [
                _amount(unit, row[span], _mark(row, span)),
                _amount(unit, row[f"{span}_before"]),
                _percent(edition, row[f"ratio_{span}"]),
            ]
        cells.append(_amount(unit, row["kept_period"], _mark(row, "period")))
        rows.append(_Row(language.pick(row, "name"), tuple(cells), row["depth"]))
    caption = text(
        "Receipts of {period} against the same period of the year before ({unit})",
        period=edition.period_name,
        unit=unit.name,
    )
    heads = [text("Line"), text("Period"), text("Year before"), text("Equal to %")]
    if len(spans) == 2:
        heads += [text("Year to date"), text("Year before"), text("Equal to %")]
    heads.append(text("Kept, period"))
    money = edition.ward.currency
    wanted = [f"{span}{end}" for span in spans for end in ("", "_before")]
    figures = _figures(
        edition,
        "receipts-year-before",
        lines.reset_index()[
            [
                "line",
                *wanted,
                *(f"ratio_{span}" for span in spans),
                "kept_period",
                *(f"status_{span}" for span in spans),
            ]
        ],
        **dict.fromkeys(wanted, money),
        **{f"ratio_{span}": "1" for span in spans},
        kept_period=money,
    )
    return _table(
        "receipts-year-before", caption, heads, rows, _notes(edition, lines, *spans), figures
    )


def effects(found: Effects, edition: Edition, *, brief: bool = False) -> Block | None:
    """The shortfall of each line as the ledger splits it: since the start, and by phase; with `brief`,
    of first-level lines in the year to date alone. Nothing where the period ends before the start."""
    language, text = edition.language, edition.language.text
    if found.span is None:
        return None
    first, last = found.span if brief else (found.start, found.period.last)
    segments = [] if brief else list(found.segments.itertuples())
    if len(segments) == 1:
        segments = []
    rows, drawn = [], []
    lines = found.lines[found.lines["depth"] <= 1] if brief else found.lines
    for line, row in lines.iterrows():
        spans = [(first, last, language.pick(row, "name"), row["depth"])]
        spans += [
            (
                segment.first,
                segment.last,
                sentences.segment_name(found, segment, edition),
                row["depth"] + 1,
            )
            for segment in segments
        ]
        for begin, end, head, depth in spans:
            split = found.split(line, begin, end)
            if split is not None or depth == row["depth"]:
                rows.append((line, head, depth, split))
            if split is not None:
                drawn.append({"line": line, **_flat(split)})
    splits = [split for *_, split in rows if split is not None]
    unit = _unit(edition, pd.Series([split.expected for split in splits], dtype=float))
    shown = {
        "relieved": any(split.exempt.mean + split.reduced.mean > 0 for split in splits),
        "returned": any(split.returned.mean > 0 for split in splits),
        "may_come": any(split.may_come.mean > 0 for split in splits),
    }
    heads = [text("Line"), text("Expected"), text("Shortfall"), "%"]
    heads += [text("Not payable")] * shown["relieved"] + [text("Paid since")] * shown["returned"]
    heads += [text("May still come")] * shown["may_come"]
    heads += [text("Lost or overdue")]
    widths = [
        15,
        26,
        10,
        *[13] * (shown["relieved"] + shown["returned"]),
        *[22] * shown["may_come"],
    ]
    body = []
    for line, head, depth, split in rows:
        if split is None:
            reason = sentences.silence(found, line, edition)
            says = text("no statement: {reason}", reason=reason)
            cells = (NONE,) * (len(heads) - 1)
        else:
            says = sentences.verdict(split, edition)
            share = split.shortfall.mean / split.expected if split.expected > 0 else None
            whole = len(pd.period_range(split.first, split.last, freq="M"))
            cells = (
                unit.figure(split.expected) + PARTIAL * (split.months < whole),
                _range(unit, split.shortfall) + ESTIMATE * bool(found.lines.at[line, "estimated"]),
                _percent(edition, share),
                *[unit.figure(split.exempt.mean + split.reduced.mean)] * shown["relieved"],
                *[unit.figure(split.returned.mean)] * shown["returned"],
                *[_range(unit, split.may_come)] * shown["may_come"],
                _range(unit, split.claim),
            )
        body.append(_Row(head, cells, depth, says))
    notes = [
        text(
            "In brackets the 95 % interval. A negative shortfall is more than expected. What is put "
            "off, and not payable, rests on the share of payers in the table tax_relief."
        )
    ]
    if any(ESTIMATE in cell for row in body for cell in row.cells):
        notes.append(text("* holds a month that is still an estimate."))
    if any(PARTIAL in cell for row in body for cell in row.cells):
        notes.append(text("† some month is not reported: the sum is of the months reported only."))
    waiting = [split.until for split in splits if not is_missing(split.until)]
    if waiting:
        notes.append(text("The last lawful day: {day}.", day=language.date(max(waiting))))
    caption = text(
        "Receipts {span} against what was to be expected without COVID-19 ({unit})",
        span=language.span(first, last),
        unit=unit.name,
    )
    slug = "effects" if brief else "effects-by-phase"
    frame = pd.DataFrame(drawn)
    money = {
        name: edition.ward.currency
        for name in frame
        if name not in ("line", "first", "last", "months", "until", "verdict")
    }
    figures = _figures(edition, slug, frame, **money, months="months") if drawn else _figures(
        edition, slug, pd.DataFrame({"line": pd.Series(dtype=str)})
    )  # fmt: skip
    return _table(slug, caption, heads, body, notes, figures, widths=(*widths, 26))


def _range(unit: Unit, amount: Amount) -> str:
    """The mean, and below it the interval where there is one."""
    figure = unit.figure(amount.mean)
    if amount.lower == amount.upper:
        return figure
    return f"{figure}\n({unit.figure(amount.lower)} … {unit.figure(amount.upper)})"


def _flat(split: Split) -> dict[str, object]:
    """The fields of a split as one row; of each amount the mean and both bounds."""
    row: dict[str, object] = {}
    for field in fields(split):
        value = getattr(split, field.name)
        if isinstance(value, Amount):
            row[field.name] = value.mean
            row[f"{field.name}_lower"], row[f"{field.name}_upper"] = value.lower, value.upper
        else:
            row[field.name] = value
    return {**row, "verdict": split.verdict}


def months(result: Receipts, edition: Edition) -> Block:
    """Collected by line in each month of the period."""
    language, text = edition.language, edition.language.text
    wanted = result.period.months
    table = result.months.reindex(wanted)
    estimated = result.estimated.reindex(wanted, fill_value=False)
    unit = _unit(edition, table.max())
    rows = [
        _Row(
            language.pick(row, "name"),
            tuple(
                _amount(unit, table.at[month, line], ESTIMATE * bool(estimated.at[month, line]))
                for month in wanted
            ),
            row["depth"],
        )
        for line, row in result.lines.iterrows()
    ]
    caption = text(
        "Receipts by month of {period} ({unit})", period=edition.period_name, unit=unit.name
    )
    notes = []
    if estimated.any(axis=None):
        notes.append(text("* estimate."))
    if table.isna().any(axis=None):
        notes.append(text("… not reported."))
    long = (
        table.rename_axis(index="month")
        .melt(ignore_index=False, var_name="line", value_name="collected")
        .reset_index()
    )
    figures = _figures(edition, "receipts-months", long, collected=edition.ward.currency)
    heads = [text("Line"), *(language.month_short(month) for month in wanted)]
    return _table("receipts-months", caption, heads, rows, notes, figures)


def briefing(result: Receipts, edition: Edition) -> Block:
    """The one table of the leader's page: first-level lines, year to date against the plan of the
    upper level and against the year before."""
    language, text = edition.language, edition.language.text
    lines = result.lines[result.lines["depth"] <= 1]
    unit = _unit(edition, lines["year_to_date"], lines["plan_upper"])
    planned = result.has_plan
    rows = []
    for _, row in lines.iterrows():
        cells = [_amount(unit, row["year_to_date"], _mark(row))]
        if planned:
            cells += [_amount(unit, row["plan_upper"]), _percent(edition, row["share_upper"])]
        cells += [
            _amount(unit, row["year_to_date_before"]),
            _percent(edition, row["ratio_year_to_date"]),
        ]
        rows.append(_Row(language.pick(row, "name"), tuple(cells), row["depth"]))
    heads = [text("Line"), text("Year to date")]
    if planned:
        heads += [text("Plan, upper level"), text("% of plan")]
    heads += [text("Same period of the year before"), text("Equal to %")]
    caption = text(
        "Receipts of {period} ({unit})",
        period=result.period.name_year_to_date(language),
        unit=unit.name,
    )
    money = edition.ward.currency
    figures = _figures(
        edition,
        "receipts",
        lines.reset_index()[
            ["line", "year_to_date", "kept_year_to_date", "plan_upper", "share_upper",
             "year_to_date_before", "ratio_year_to_date", "reported", "expected", "status_year_to_date"]
        ],
        year_to_date=money, kept_year_to_date=money, plan_upper=money, year_to_date_before=money,
        share_upper="1", ratio_year_to_date="1", reported="months", expected="months",
    )  # fmt: skip
    return _table("receipts", caption, heads, rows, _notes(edition, lines), figures)


def coverage(tables: pd.DataFrame, edition: Edition) -> Block:
    """For each table of the ward: rows, span, months of the period that have come in."""
    language, text = edition.language, edition.language.text
    names = {
        "receipts": text("Receipts"),
        "school_months": text("School days by school"),
        "activities": text("Extracurricular, cultural and sports activities"),
        "indicator_months": text("Other targets"),
    }

    def span(row: pd.Series) -> str:
        if is_missing(row["first"]):
            return NONE
        return f"{language.month_short(row['first'])}–{language.month_short(row['last'])}"

    rows = [
        _Row(
            names.get(row["table"], row["table"]),
            (
                language.number(row["rows"]),
                span(row),
                NONE if is_missing(row["first"]) else f"{row['reported']}/{row['expected']}",
                NONE if is_missing(row["newest"]) else language.date(row["newest"]),
            ),
        )
        for _, row in tables.iterrows()
    ]
    caption = text("What has come in for {period}", period=edition.period_name)
    heads = [
        text("Table"), text("Rows"), text("Months"), text("Months of the period"),
        text("Newest report"),
    ]  # fmt: skip
    figures = _figures(edition, "coverage", tables, reported="months", expected="months")
    return _table("coverage", caption, heads, rows, [], figures)


def reconciliation(table: pd.DataFrame, edition: Edition) -> Block | None:
    """Each published figure beside ours, agreed or explained; nothing where none was published."""
    if table.empty:
        return None
    language, text = edition.language, edition.language.text
    verdicts = {
        "agrees": text("agrees"),
        "revised": text("agreed then, revised since"),
        "differs": text("differs"),
        "nothing": text("no figure of ours"),
    }

    def value(row: pd.Series, amount: float) -> str:
        if is_missing(amount):
            return NONE
        unit = "%" if row["unit"] == "%" else row["unit"].removeprefix("1e6 ")
        if row["unit"].startswith("1e6 "):
            unit = language.unit(unit, 0).name
        return language.number(amount, 1, trim=True) + ("" if unit == "1" else NBSP + unit)

    rows = [
        _Row(
            f"{row['statement']} ({row['published_on']:%d/%m/%Y})",
            (
                (text("more than") + " " if row["relation"] == "more_than" else "")
                + value(row, row["value"]),
                value(row, row["ours_then"]),
                value(row, row["ours"]),
                verdicts[row["verdict"]],
            ),
        )
        for _, row in table.iterrows()
    ]
    caption = text("Published figures beside this workbook's")
    heads = [
        text("Published"), text("As published"), text("Ours on that day"), text("Ours now"),
        text("Verdict"),
    ]  # fmt: skip
    frame = table[
        ["id", "published_on", "item", "measure", "value", "unit", "relation", "part_then",
         "ours_then", "part", "whole", "ours", "verdict", "source"]
    ]  # fmt: skip
    figures = _figures(edition, "reconciliation", frame)
    return _table(
        "reconciliation", caption, heads, rows, [], figures,
        words=(4,),
    )  # fmt: skip
