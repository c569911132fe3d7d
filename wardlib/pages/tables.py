"""Tables of a briefing: title, units, notes, and the figures behind them.

Each function takes a result and the edition and returns a block. Amounts stand right-aligned with
a fixed number of decimals under a head that names their unit; a figure not reported is "…"; an
estimate carries an asterisk, a sum that lacks a month a dagger, and the notes say so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

import pandas as pd

from wardlib.analysis import activities as _activities
from wardlib.analysis import receipts as _receipts
from wardlib.analysis.activities import Activities
from wardlib.analysis.closures import OFF
from wardlib.analysis.effects import Effects
from wardlib.analysis.receipts import Receipts
from wardlib.analysis.relief import Amount, Split
from wardlib.analysis.schools import Schools
from wardlib.analysis.targets import FLOW, MONEY, SHARE, Targets
from wardlib.language import NBSP, NONE, Unit, is_missing
from wardlib.pages import sentences
from wardlib.pages.blocks import RESOURCE, TYPST, Block, html, joined, resource, typst
from wardlib.pages.editions import Edition

ESTIMATE, PARTIAL = "*", "†"
HIDDEN = "–"  # a count of persons that is not printed


@dataclass(frozen=True)
class _Row:
    head: str
    cells: tuple[str, ...]
    depth: int = 1
    says: str = ""  # below the head


def _table(
    edition: Edition,
    slug: str,
    caption: str,
    heads: list[str],
    rows: list[_Row],
    notes: list[str],
    figures: dict,
    *,
    words: tuple[int, ...] = (),
    widths: tuple[int, ...] = (),
    sources: tuple[str, ...] = (),
) -> Block:
    """The block of a table. `heads[0]` heads the row heads; columns in `words` hold words and
    stand left-aligned; `widths`, in mm on paper, are those of all columns but the first; `sources`
    are the data tables that the figures come from."""
    if sources:
        files = ", ".join(f"{name}.csv" for name in sources if edition.ward.table(name))
        notes = [*notes, edition.language.text("Source: {sources}.", sources=files)]
    comma = edition.language.comma
    pads = [_pads([row.cells[column] for row in rows], comma) for column in range(len(heads) - 1)]
    aligned = ["start" if index == 0 or index in words else "end" for index in range(len(heads))]
    head = "".join(
        f'<th scope="col" class="{side}">{html(text.replace(chr(10), " "))}</th>'
        for text, side in zip(heads, aligned, strict=True)
    )
    body = joined(
        f'<tr class="depth-{row.depth}"><th scope="row">{_html_row_head(row)}</th>'
        + "".join(
            f'<td class="{side}"{_html_pad(pad[index])}>{_html_cell(cell)}</td>'
            for cell, side, pad in zip(row.cells, aligned[1:], pads, strict=True)
        )
        + "</tr>"
        for index, row in enumerate(rows)
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
        + ", ".join(
            f"[{_strong(row, _typst_cell(cell, pad[index]))}]"
            for cell, pad in zip(row.cells, pads, strict=True)
        )
        + ","
        for index, row in enumerate(rows)
    )
    as_typst = f"""#ward-table(
  caption: [{typst(caption)}],
  foot: {f"[{typst(note)}]" if note else "none"},
  columns: {len(heads)},
  widths: ({"".join(f"{width}mm, " for width in widths)}),
  align: ({", ".join("left" if side == "start" else "right" for side in aligned)}),
  table.header({", ".join(f"[{_lines(text)}]" for text in heads)}),
{cells}
)"""
    plain = joined([caption, *("  ".join([row.head, *row.cells]) for row in rows), *notes])
    return Block(
        {"text/plain": plain, "text/html": as_html, TYPST: as_typst, RESOURCE: figures},
        {"kind": "table", "slug": slug, "caption": caption},
    )


def _split(cell: str) -> tuple[str, str]:
    """A cell without its mark, and the mark: it hangs, so that figures align without it."""
    figure = cell.rstrip(ESTIMATE + PARTIAL)
    return figure, cell[len(figure) :]


_FIGURE = re.compile(r"[-+]?[\d.,]*\d")


def _pads(cells: list[str], comma: str) -> list[str]:
    """What each figure of a column lacks behind its decimal comma, so that the commas stand in line;
    nothing in a column of words or intervals."""
    figures = [_split(cell)[0] for cell in cells]
    if any(
        figure not in ("", NONE, HIDDEN) and not _FIGURE.fullmatch(figure) for figure in figures
    ):
        return [""] * len(cells)
    tails = [comma + figure.partition(comma)[2] if comma in figure else "" for figure in figures]
    longest = max((len(tail) for tail in tails), default=0)
    return [
        (comma + "0" * (longest - 1))[len(tail) :] if _FIGURE.fullmatch(figure) else ""
        for figure, tail in zip(figures, tails, strict=True)
    ]


def _html_pad(pad: str) -> str:
    return f' data-pad="{pad}"' if pad else ""


def _html_cell(cell: str) -> str:
    figure, mark = _split(cell)
    return "<br/>".join(html(part) for part in figure.split("\n")) + (
        f'<span class="hang">{html(mark)}</span>' if mark else ""
    )


def _typst_cell(cell: str, pad: str) -> str:
    figure, mark = _split(cell)
    return (
        _lines(figure)
        + (f"#hang[{typst(mark)}]" if mark else "")
        + (f"#hide[{typst(pad)}]" if pad else "")
    )


def _lines(text: str) -> str:
    return "#linebreak()".join(typst(line) for line in text.split("\n"))


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
    return _table(
        edition,
        "receipts-plan",
        caption,
        heads,
        rows,
        notes,
        figures,
        sources=(
            "receipts",
            "targets",
        ),
    )


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
        edition,
        "receipts-year-before",
        caption,
        heads,
        rows,
        _notes(edition, lines, *spans),
        figures,
        sources=("receipts",),
    )


def effects(found: Effects, edition: Edition, *, brief: bool = False) -> Block | None:
    """The shortfall of each line as the ledger splits it: since the start, and by phase; with `brief`,
    in the year to date alone, of the total and those first-level lines of which more can be said than
    that no difference shows. Nothing where the period ends before the start."""
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
            split = found.by_line.get(line) if brief else found.split(line, begin, end)
            telling = line == found.root or (split is not None and split.verdict != "none")
            if telling if brief else split is not None or depth == row["depth"]:
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
    heads = [text("Line"), text("Expected amount"), text("Shortfall"), "%"]
    heads += [text("Not payable")] * shown["relieved"] + [text("Paid\nsince")] * shown["returned"]
    heads += [text("May still\ncome")] * shown["may_come"]
    heads += [text("Lost or\noverdue")]
    widths = [
        15,
        26,
        10,
        *[13] * (shown["relieved"] + shown["returned"]),
        *[22] * shown["may_come"],
        26,
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
    if brief:
        heads = [
            text("Line"),
            language.sentence(text("expected")),
            text("Shortfall"),
            text("Lost or overdue"),
            text("Finding"),
        ]
        widths = [14, 33, 33, 38]
        body = [
            _Row(head, _finding_cells(found, line, split, unit, edition), depth)
            for line, head, depth, split in rows
        ]
    notes = [
        text(
            "In brackets the 95 % interval. A negative shortfall is more than expected. What is put "
            "off, and not payable, rests on the share of payers in the table tax_relief."
        )
    ]
    if brief:
        notes = [text("In brackets the 95 % interval. A negative shortfall is more than expected.")]
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
    if brief:
        caption = text(
            "Shortfall against what was to be expected, {span} ({unit})",
            span=language.span_short(first, last),
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
    return _table(
        edition,
        slug,
        caption,
        heads,
        body,
        notes,
        figures,
        widths=tuple(widths),
        words=(4,) if brief else (),
        sources=(
            "receipts",
            "tax_relief",
        ),
    )


def _finding_cells(
    found: Effects, line: str, split: Split | None, unit: Unit, edition: Edition
) -> tuple[str, ...]:
    """Expected, shortfall, claim and finding of a line, each interval on the line of its mean."""
    if split is None:
        return NONE, NONE, NONE, sentences.silence(found, line, edition)
    mark = ESTIMATE * bool(found.lines.at[line, "estimated"])
    return (
        unit.figure(split.expected),
        _range(unit, split.shortfall).replace("\n", " ") + mark,
        _range(unit, split.claim).replace("\n", " "),
        sentences.verdict(split, edition),
    )


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
    return _table(
        edition, "receipts-months", caption, heads, rows, notes, figures, sources=("receipts",)
    )


def coverage(tables: pd.DataFrame, edition: Edition) -> Block:
    """For each table of the ward: rows, span, months of the period that have come in."""
    language, text = edition.language, edition.language.text

    def span(row: pd.Series) -> str:
        if is_missing(row["first"]):
            return NONE
        return f"{language.month_short(row['first'])}–{language.month_short(row['last'])}"

    rows = [
        _Row(
            sentences.table_name(row["table"], edition),
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
        text("Data table"), text("Rows"), text("Months"), text("Months of the period"),
        text("Newest report"),
    ]  # fmt: skip
    figures = _figures(edition, "coverage", tables, reported="months", expected="months")
    return _table(edition, "coverage", caption, heads, rows, [], figures)


def reconciliation(table: pd.DataFrame, edition: Edition) -> Block | None:
    """Each published figure beside ours, agreed or explained; nothing where none was published."""
    if table.empty:
        return None
    language, text = edition.language, edition.language.text
    verdicts = sentences.agreements(edition)

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
    return _table(edition, "reconciliation", caption, heads, rows, [], figures,
        words=(4,), sources=("published", "receipts", "targets", "indicator_months",))  # fmt: skip


def school_days(found: Schools | None, edition: Edition, *, brief: bool = False) -> Block | None:
    """Days of each level in the period and in the school year to date, a school year at a time; with
    `brief`, of the period alone, and where days were lost or taught online, of those school years
    alone. Nothing without data."""
    language, text = edition.language, edition.language.text
    if found is None:
        return None
    spans = found.spans
    if brief:
        spans = spans[spans["kind"] == "period"]
        away = (found.levels["online"] > 0) | (found.levels["lost"] > 0)
        hit = spans[spans.index.isin(away.index.get_level_values("span")[away])]
        spans = hit if len(hit) else spans.iloc[-1:]
    rows, shown = [], set()
    for span, at in spans.iterrows():
        months = (at["first"], at["last"])
        if months in shown or span not in found.levels.index.get_level_values("span"):
            continue  # the period is the school year to date
        shown.add(months)
        year = at["year"].replace("-", "–")
        year = year if brief else text("school year {year}", year=year)
        for level, row in found.levels.loc[span].to_dict("index").items():
            if row["reported"] == 0:
                continue
            mark = PARTIAL * bool(row["reported"] < row["expected"])
            cells = [
                *(sentences.days(row[name], edition) + mark for name in _DAYS),
                sentences.days(row["usual_taught"], edition),
                _percent(edition, row["attendance"]),
            ]
            head = language.sentence(sentences.level_name(level, edition))
            when = f"{year}, {language.span_short(*months)}"
            if not brief:
                cells.append(_percent(edition, row["usual_attendance"]))
            rows.append(_Row(f"{head}, {when}", tuple(cells)))
    if not rows:
        return None
    notes = (
        []
        if brief
        else [
            text(
                "Days of an average pupil of the level. Lost = planned - in class - online. Made up: taught "
                "beyond the most that an earlier year planned in the same month. Usual: taught in the same "
                "months of the years before COVID-19. Attendance: pupil-days attended, % of those in class."
            )
        ]
    )
    if any(PARTIAL in cell for row in rows for cell in row.cells):
        notes.append(text("† some school or month is not reported."))
    caption = text("School days of {period} (days)", period=edition.period_name)
    heads = [
        text("Level"), text("Planned"), text("In class"), text("Online"), text("Lost"),
        text("Made up"), text("Usual"), text("Attended %"), *[text("Usual %")] * (not brief),
    ]  # fmt: skip
    widths = (13, 14, 13, 9, 12, 14, 16) if brief else (15, 14, 13, 11, 13, 14, 16, 14)
    slug = "school-days-brief" if brief else "school-days"
    frame = spans.join(found.levels.reset_index("level"), how="inner")
    days = dict.fromkeys([*_DAYS, "usual_planned", "usual_taught"], "days")
    figures = _figures(
        edition, slug, frame, **days, attendance="1", usual_attendance="1", years="years",
        reported="school-months", expected="school-months",
    )  # fmt: skip
    return _table(
        edition,
        slug,
        caption,
        heads,
        rows,
        notes,
        figures,
        widths=widths,
        sources=("school_months",),
    )


_DAYS = ("planned", "in_person", "online", "lost", "made_up")


def school_reasons(found: Schools | None, edition: Edition) -> Block | None:
    """Lost days by level and decision; nothing where none was lost."""
    language, text = edition.language, edition.language.text
    if found is None:
        return None
    spans = found.spans[found.spans["kind"] == "period"]
    reasons = found.reasons[found.reasons["span"].isin(spans.index)]
    if reasons.empty:
        return None
    rows = [
        _Row(
            language.sentence(sentences.level_name(row["level"], edition)),
            (
                language.span_short(*spans.loc[row["span"], ["first", "last"]]),
                row["measure"] or NONE,
                language.pick(row, "name") or text("no recorded decision: unexplained"),
                sentences.days(row["days"], edition),
            ),
        )
        for _, row in reasons.iterrows()
    ]
    caption = text("Why school days of {period} were lost", period=edition.period_name)
    heads = [text("Level"), text("Months"), text("No."), text("Decision"), text("Days lost")]
    notes = [
        text(
            "Schools report how many days of a month were lost, not which: they are set against the days "
            "on which a decision kept the level from class, closures first."
        )
    ]
    frame = reasons.join(spans[["year", "first", "last"]], on="span").drop(columns="span")
    figures = _figures(edition, "school-reasons", frame, days="days")
    return _table(edition, "school-reasons", caption, heads, rows, notes, figures, words=(1, 2, 3),
        widths=(26, 14, 60, 20), sources=("school_months", "school_closures",))  # fmt: skip


def school_calendar(found: Schools | None, edition: Edition) -> Block | None:
    """The calendar chart as a table: every run of school days of one state, by level."""
    language, text = edition.language, edition.language.text
    if found is None:
        return None
    rows, drawn = [], []
    for level, calendar in found.calendar.items():
        open_ = calendar[calendar["state"] != OFF]
        if open_.empty:
            continue
        changes = (open_[["state", "measure"]] != open_[["state", "measure"]].shift()).any(axis=1)
        for _, run in open_.groupby(changes.cumsum()):
            first, last = run.index[0], run.index[-1]
            state, measure = run[["state", "measure"]].iloc[0]
            cells = (
                f"{first:%d/%m/%Y}", f"{last:%d/%m/%Y}", sentences.state_name(state, edition),
                language.number(len(run)), measure or NONE,
            )  # fmt: skip
            rows.append(_Row(language.sentence(sentences.level_name(level, edition)), cells))
            drawn.append((level, first, last, state, len(run), measure))
    if not rows:
        return None
    caption = text("The calendar as a table: school days as the decisions set them")
    heads = [
        text("Level"), text("From"), text("To"), text("State"), text("School days"), text("No."),
    ]  # fmt: skip
    columns = ["level", "first", "last", "state", "days", "measure"]
    frame = pd.DataFrame(drawn, columns=columns)
    figures = _figures(edition, "school-calendar", frame, days="days")
    notes = [
        text(
            "Mondays to Fridays without public holidays; the schools' own longer break at Tết is not known here."
        )
    ]
    return _table(edition, "school-calendar", caption, heads, rows, notes, figures, words=(1, 2, 3, 5),
        widths=(24, 24, 36, 18, 16), sources=("school_closures",))  # fmt: skip


def schools(found: Schools | None, edition: Edition) -> Block | None:
    """Each school in the months of the period, with its pupils; small numbers hidden."""
    language, text = edition.language, edition.language.text
    if found is None:
        return None
    rows, hides = [], False
    spans = found.spans[found.spans["kind"] == "period"]
    for span, at in spans.iterrows():
        if span not in found.schools.index.get_level_values("span"):
            continue
        own = found.schools.loc[span]
        months = language.span_short(at["first"], at["last"])
        for level, group in own.groupby("level", sort=False):
            total = found.totals.loc[(span, level)]
            hides |= bool(group["hidden"].any() or total["hidden"])
            for _, row in group.iterrows():
                rows.append(
                    _Row(
                        f"{row['name']}, {months}",
                        (
                            HIDDEN if row["hidden"] else _count(edition, row["pupils"]),
                            *(
                                sentences.days(row[name], edition)
                                + PARTIAL * bool(row["reported"] < row["expected"])
                                for name in _DAYS
                            ),
                            HIDDEN if row["hidden"] else _percent(edition, row["attendance"]),
                        ),
                        2,
                    )
                )
            if len(group) > 1:
                head = text(
                    "{level}, all schools",
                    level=language.sentence(sentences.level_name(level, edition)),
                )
                days = found.levels.loc[(span, level)]
                rows.append(
                    _Row(
                        f"{head}, {months}",
                        (
                            HIDDEN if total["hidden"] else _count(edition, total["pupils"]),
                            *(sentences.days(days[name], edition) for name in _DAYS),
                            _percent(edition, days["attendance"]),
                        ),
                        1,
                    )
                )
    if not rows:
        return None
    notes = [text("Pupils: at the end of the months named.")]
    if hides:
        notes.append(_hides(edition))
    if any(PARTIAL in cell for row in rows for cell in row.cells):
        notes.append(text("† some school or month is not reported."))
    caption = text("Schools in {period} (pupils; days)", period=edition.period_name)
    heads = [
        text("School"), text("Pupils"), text("Planned"), text("In class"), text("Online"), text("Lost"),
        text("Made up"), text("Attended %"),
    ]  # fmt: skip
    frame = found.schools.reset_index()
    frame = (
        frame[frame["span"].isin(spans.index)]
        .merge(spans, on="span")
        .drop(columns=["span", "name"])
    )
    figures = _figures(
        edition, "schools", frame, pupils="persons", **dict.fromkeys(_DAYS, "days"), attendance="1",
        reported="months", expected="months",
    )  # fmt: skip
    return _table(
        edition,
        "schools",
        caption,
        heads,
        rows,
        notes,
        figures,
        widths=(14, 15, 14, 13, 11, 13, 17),
        sources=(
            "schools",
            "school_months",
        ),
    )


def _hides(edition: Edition) -> str:
    return edition.language.text(
        "– not printed: numbers of 1 to 4 persons, and what would reveal them."
    )


def _count(edition: Edition, count: float) -> str:
    return NONE if is_missing(count) else edition.language.number(count)


def activities(found: Activities | None, edition: Edition) -> Block | None:
    """Events of each field: planned, held, called off, held late, expected, shortfall; nothing
    without data."""
    language, text = edition.language, edition.language.text
    if found is None:
        return None
    names = {
        "extracurricular": text("Extracurricular"),
        "culture": text("Culture"),
        "sport": text("Sport"),
        _activities.TOTAL: text("All fields"),
    }
    months = {"period": edition.period.months, "to_date": edition.period.year_to_date}
    verdicts = {
        "fewer": text("fewer than expected"),
        "more": text("more than expected"),
        "none": text("no difference shown"),
        "silent": text("no statement: fewer than two earlier years"),
    }
    rows = []
    for (span, field), row in found.table.iterrows():
        mark = PARTIAL * bool(row["reported"] < row["expected_months"])
        at = language.span_short(months[span][0], months[span][-1])
        estimate = [NONE, NONE]
        if not is_missing(row["expected"]):
            estimate = [
                f"{language.number(row[mean], 1)}\n({language.number(row[low])} … {language.number(row[high])})"
                for mean, low, high in (
                    ("expected", "lower", "upper"),
                    ("shortfall", "shortfall_lower", "shortfall_upper"),
                )
            ]
        cells = (
            *(
                _count(edition, row[name]) + mark * (not is_missing(row[name]))
                for name in _activities.COUNTS
            ),
            HIDDEN if row["hidden"] else _count(edition, row["participants"]),
            *estimate,
        )
        says = f"{at}: {verdicts[_activities.verdict(row)]}"
        rows.append(_Row(names[field], cells, 1 if field != _activities.TOTAL else 0, says))
    notes = [
        text(
            "Events. Planned = held + cancelled + put off; held late: put off from earlier months, on top. "
            "Expected: after the same months of the years before COVID-19; in brackets the 95 % interval "
            "of an ordinary year. Shortfall = expected - held; a negative one is more than expected."
        )
    ]
    if found.table["hidden"].any():
        notes.append(_hides(edition))
    if any(PARTIAL in cell for row in rows for cell in row.cells):
        notes.append(text("† some month is not reported: the sum is of the months reported only."))
    caption = text(
        "Extracurricular, cultural and sports activities of {period} (events)",
        period=edition.period_name,
    )
    heads = [
        text("Field"), text("Planned"), text("Held"), text("Called off"), text("Put off"), text("Held late"),
        text("Persons"), text("Expected"), text("Shortfall"),
    ]  # fmt: skip
    units = dict.fromkeys(
        [
            *_activities.COUNTS,
            "expected",
            "lower",
            "upper",
            "shortfall",
            "shortfall_lower",
            "shortfall_upper",
        ],
        "events",
    )
    figures = _figures(
        edition, "activities", found.table.reset_index(), **units, participants="persons", years="years",
        reported="months", expected_months="months",
    )  # fmt: skip
    return _table(
        edition,
        "activities",
        caption,
        heads,
        rows,
        notes,
        figures,
        widths=(14, 12, 14, 12, 13, 15, 20, 20),
        sources=("activities",),
    )


def targets(found: Targets, edition: Edition, *, brief: bool = False) -> Block | None:
    """Where each target stands by now and against what is usual by now; with `brief`, only what is
    `in_doubt`, with the year's end beside it."""
    text = edition.language.text
    table = found.in_doubt if brief else found.table
    money = table[table["kind"] == MONEY]
    unit = _unit(edition, money["value"], money["target"])
    planned = bool(table["target"].notna().any())
    ahead = bool((table["left"] > 0).any())  # else the year's end is the value so far
    rows, before = [], ""
    for _, row in table.iterrows():
        mark = ESTIMATE * bool(row["estimated"])
        mark += PARTIAL * bool(
            not is_missing(row["through"]) and row["through"] < found.period.last
        )
        cells = [_target_value(row, "value", edition, unit) + mark * (not is_missing(row["value"]))]
        if planned:
            cells += [_target_value(row, "target", edition, unit), _percent(edition, row["share"])]
        says = sentences.target_status(row["status"], edition) if planned else ""
        if brief:
            cells += [_year_end(row, edition, unit).replace("\n", " ")] * ahead
            cells += [says] * planned
        else:
            cells.append(_percent(edition, row["usual"]))
            if planned:
                gap = _target_value(row, "ahead", edition, unit)
                cells.append(gap if gap.startswith(("-", NONE)) else f"+{gap}")
        name, depth = _target_head(row, before, edition, whose=not brief)
        before = row["item"]
        rows.append(_Row(name, tuple(cells), depth, "" if brief else says))
    notes = [] if brief else [_target_notes(table, edition)]
    if table["estimated"].any():
        notes.append(text("* holds a month that is still an estimate."))
    if any(PARTIAL in cell for row in rows for cell in row.cells):
        notes.append(text("† up to the last month reported only."))
    caption = text(
        "Targets of {year} ({unit} unless a unit is named)",
        year=str(found.period.year),
        unit=unit.name,
    )
    if brief:
        caption = (
            text(
                "Plan of {year}: the total, and the lines not met or likely to be met ({unit})",
                year=str(found.period.year),
                unit=unit.name,
            )
            if planned
            else text("Receipts of {year} ({unit})", year=str(found.period.year), unit=unit.name)
        )
    heads = [text("Target"), text("So far")]
    widths = [20]
    if planned:
        heads += [text("Target of the year"), text("% of it")]
        widths += [19, 15]
    if brief:
        heads += [text("Year's end (80 %)")] * ahead + [text("Status")] * planned
        widths += [40] * ahead + [28] * planned
    else:
        heads += [text("Usual by now %"), *[text("Ahead (+), late (-)")] * planned]
        widths += [17, *[22] * planned]
    slug = "targets-brief" if brief else "targets"
    figures = _target_figures(edition, slug, table)
    return _table(edition, slug, caption, heads, rows, notes, figures, widths=tuple(widths),
        words=(len(heads) - 1,) if brief and planned else (), sources=("receipts", "targets", "indicator_months",))  # fmt: skip


def _target_notes(table: pd.DataFrame, edition: Edition) -> str:
    text = edition.language.text
    return (
        text(
            "Usual by now: the part of a year's amount that had come by this month in earlier full years "
            "({years} at most).",
            years=str(int(table["usual_years"].max())),
        )
        + " "
        + text(
            "Status: met or missed; else the chance of meeting the target: likely (80 % and more), unlikely "
            "(20 % and less), open between; without a projection, late or ahead of what is usual (shares: of "
            "the target itself, in points)."
        )
    )


def _target_head(
    row: pd.Series, before: str, edition: Edition, *, whose: bool = True
) -> tuple[str, int]:
    """The head of a target's row and its depth; of a second target of the item `before`, who set it."""
    depth = int(row["depth"])
    if row["item"] == before:
        return edition.language.sentence(sentences.set_by(row["set_by"], edition)), depth + 1
    name = edition.language.pick(row, "name")
    details = [sentences.set_by(row["set_by"], edition)] * whose
    if row["kind"] != MONEY:
        details.append(edition.language.pick(row, "unit"))
    details = [detail for detail in details if detail]
    return f"{name} ({'; '.join(details)})" if details else name, depth


def _target_value(row: pd.Series, column: str, edition: Edition, unit: Unit) -> str:
    amount = row[column]
    if is_missing(amount):
        return NONE
    if row["kind"] == MONEY:
        return unit.figure(amount)
    return edition.language.number(amount, row["decimals"])


def _year_end(row: pd.Series, edition: Edition, unit: Unit) -> str:
    """The point of the projection and its 80 % interval."""
    if row["silent"]:
        return NONE
    point, low, high = (
        _target_value(row, name, edition, unit) for name in ("point", "low80", "high80")
    )
    return point if low == high else f"{point}\n({low} … {high})"


def _target_figures(edition: Edition, slug: str, table: pd.DataFrame) -> dict:
    frame = table.drop(columns=["name_vi", "name_en", "unit_vi", "decimals", "depth", "higher"])
    frame["unit_en"] = frame["unit_en"].mask(frame["kind"] == MONEY, edition.ward.currency)
    return _figures(
        edition, slug, frame.rename(columns={"unit_en": "unit"}), share="1", usual="1", usual_low="1",
        usual_high="1", usual_years="years", chance="1", left="months", reached="months", asked="months",
    )  # fmt: skip


def projections(found: Targets, edition: Edition) -> Block | None:
    """Where each year will end, the chance of the target, what each remaining month needs, and what
    still falls due; nothing where no year-end can be projected."""
    text = edition.language.text
    table = found.table[found.table["silent"] == ""]
    table = table[table["left"] > 0]
    if table.empty:
        return None
    money = table[table["kind"] == MONEY]
    unit = _unit(edition, money["high95"])
    owed = bool((table["due"] > 0).any())
    planned = bool(table["target"].notna().any())
    rows, before = [], ""
    for _, row in table.iterrows():
        if row["low95"] == row["high95"]:
            wide = _target_value(row, "point", edition, unit)
        else:
            wide = " … ".join(
                _target_value(row, name, edition, unit) for name in ("low95", "high95")
            )
        cells = [_year_end(row, edition, unit), wide]
        if planned:
            cells += [
                NONE if is_missing(row["chance"]) else sentences.chance(row["chance"], edition),
                _target_value(row, "needed", edition, unit),
                NONE
                if is_missing(row["needed"]) or row["needed"] == 0
                else f"{row['reached']}/{row['asked']}",
            ]
        if owed:
            due = NONE
            if row["kind"] == MONEY and row["due"] > 0:
                due = f"{unit.figure(row['due'])}\n({unit.figure(row['due_low'])} … {unit.figure(row['due_high'])})"
            cells.append(due)
        name, depth = _target_head(row, before, edition)
        before = row["item"]
        rows.append(_Row(name, tuple(cells), depth))
    caption = text(
        "Projected end of {year} ({unit} unless a unit is named)",
        year=str(found.period.year),
        unit=unit.name,
    )
    heads = [text("Target"), text("Year's end\n(80 %)"), text("95 %")]
    widths = [33, 36]
    if planned:
        heads += [text("Chance"), text("Needed\na month"), text("Reached")]
        widths += [15, 15, 14]
    if owed:
        heads.append(text("Falls due by 31/12"))
        widths.append(24)
    notes = [
        text(
            "From the months known by then; new closures and new relief are not foreseen. Reached: in how "
            "many of the same months of earlier full years so much came in. Falls due: put off by law or "
            "not yet due, taken to be paid by then."
        )
    ]
    if (table["kind"] == FLOW).any() or (table["kind"] == SHARE).any():
        notes.append(text("Indicators: after their earlier years; shares are never added up."))
    figures = _target_figures(edition, "projections", table)
    return _table(
        edition,
        "projections",
        caption,
        heads,
        rows,
        notes,
        figures,
        widths=tuple(widths),
        sources=(
            "receipts",
            "targets",
            "indicator_months",
        ),
    )
