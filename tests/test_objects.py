"""What an analyst meets at the desk: objects that say what they are, errors in one box, Tab, the screen."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config

import wardlib
from wardlib.analysis import projection
from wardlib.errors import DataError, Problem, WardError, nearest, said
from wardlib.language import get
from wardlib.pages import screen
from wardlib.pages.block import resource
from wardlib.pages.completion import complete, register
from wardlib.shown import Shown

PAGES = [
    "tax",
    "effect",
    "history",
    "schools",
    "activities",
    "targets",
    "briefing",
    "data_check",
    "arrivals",
]
EDITIONS = [
    ("phuc-dong", "2020-9M", "vi", ""),
    ("phuc-dong", "2021-Q3", "en", "2021-10-20"),
    ("phuc-dong", "2018-H1", "en", ""),
    ("philadelphia", "2020", "vi", ""),
]
HIDDEN = re.compile(r"/(?:home|root|tmp|work|usr)\b|File \"|site-packages|line \d+, in")
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module", params=EDITIONS, ids=lambda edition: "-".join(edition).rstrip("-"))
def book(request):
    """To be read only."""
    return wardlib.open(*request.param)


@pytest.fixture
def shell():
    """A shell of IPython as a notebook's kernel has it."""
    made = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    made.reset(new_session=False)
    made.run_cell("import wardlib")
    register(made)  # as the first import does in a kernel
    return made


def boxed(shell, code):
    """The lines that a cell's error shows, without colours."""
    with capture_output() as captured:
        done = shell.run_cell(code)
    assert done.error_in_exec is not None
    return ANSI.sub("", captured.stdout).strip("\n").splitlines()


# ---------------------------------------------------------------------------------------- errors

TYPOS = {
    'wardlib.open("phuc-dng", "2020-9M", {})': ("phuc-dong", "không có phường", "there is no ward"),
    'wardlib.open("phuc-dong", "2020-Q5", {})': ("2020-Q4", "không phải là một kỳ", "not a period"),
    'wardlib.open("phuc-dong", "2020-9M", {}, "2020-13-01")': (
        "2020-12-01", "không phải là một ngày", "is not a day",
    ),
    'wardlib.open("phuc-dong", "2020-9M", {}).effect.chart(line="thue gtgt")': (
        "nonstate_vat", "không có khoản thu", "there is no line",
    ),
    'wardlib.open("phuc-dong", "2020-9M", {}).tax.plan_tabel()': (
        "plan_table", "không có 'plan_tabel'", "has no 'plan_tabel'",
    ),
    'wardlib.open("phuc-dong", "2031-Q3", {})': ("2021-Q3", "không có số thu", "no receipt"),
    'wardlib.open("phuc-dong", "2020-9M", {}).tax.result.table("mouths")': (
        "months", "không có bảng", "there is no table",
    ),
}  # fmt: skip


@pytest.mark.parametrize("code", ["vi", "en"])
@pytest.mark.parametrize("typo", TYPOS)
def test_a_typo_is_one_box_in_the_notebooks_language(shell, typo, code):
    """At most six lines: what was found, what is accepted, the nearest right value; no path of the machine, no
    line of our source."""
    right, *said_in = TYPOS[typo]
    lines = boxed(shell, typo.format(f'"{code}"'))
    text = " ".join(line.removeprefix("▌ ") for line in lines)
    assert len(lines) <= 6
    assert all(line.startswith("▌ ") for line in lines)
    assert said_in[code == "en"].casefold() in text.casefold()
    assert f'"{right}"' in lines[-1]
    assert not HIDDEN.search(text)


def test_an_unknown_language_is_told_in_the_last_one(shell):
    """That of the edition opened last; the nearest of the two is named."""
    boxed(shell, 'wardlib.open("x", "2020", "en")')
    assert boxed(shell, 'wardlib.open("phuc-dong", "2020-9M", "vn")') == [
        "▌ 'vn' is not a language of the briefings. Use one of: vi, en.",
        '▌ Did you mean "vi"?',
    ]


def test_a_message_is_vietnamese_where_no_edition_was_asked_for():
    """In a new process, e.g. by a page's module used on its own."""
    code = (
        "import wardlib.language\nfrom wardlib.periods import Period\n"
        "try:\n    Period.parse('2020-Q7')\n"
        "except Exception as error:\n    print(error._render_traceback_()[0])"
    )
    text = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "không phải là một kỳ" in text.stdout


def test_errors_that_are_not_ours_keep_their_traceback(shell):
    """Whoever wrote the cell needs it."""
    lines = boxed(shell, "def deep():\n    return 1 / 0\ndeep()")
    assert any("ZeroDivisionError" in line for line in lines)
    assert any("deep()" in line for line in lines)


@pytest.mark.parametrize("count", [1, 2, 5, 40])
@pytest.mark.parametrize("code", ["vi", "en"])
def test_faults_of_data_are_named_with_file_row_and_column(monkeypatch, count, code):
    """All of few; of many the first and how many more: six lines at most, however long the texts are."""
    monkeypatch.setattr(WardError, "tongue", lambda: get(code))
    problems = [
        Problem("data/a/receipts.csv", row, "kept", "'x' " * 60, said("a whole number"), "")
        for row in range(2, 2 + count)
    ]
    lines = [ANSI.sub("", line) for line in DataError(problems)._render_traceback_()]
    assert len(lines) <= 6
    assert str(count) in lines[0]
    place = {"vi": "dòng 2, cột kept", "en": "row 2, column kept"}[code]
    assert f"data/a/receipts.csv, {place}" in lines[1]
    left = count - sum("receipts.csv" in line for line in lines)
    assert left == 0 or str(left) in lines[-1]


def test_a_message_in_one_language_only_is_shown_all_the_same(monkeypatch):
    """In English, as `str` has it, with a sign that a terminal would obey as an escape."""
    monkeypatch.setattr(WardError, "tongue", lambda: get("vi"))
    (line,) = WardError(said("nobody {what}", what="translated\x1b[2J"))._render_traceback_()
    assert "Nobody translated\\x1b[2J" in line


def test_a_wrong_name_says_what_there_is(shell):
    """Of a workbook and its pages; what is asked for by programs and begins with an underscore is not."""
    lines = boxed(shell, 'wardlib.open("phuc-dong", "2020-9M", "en").taxx')
    assert lines[0].startswith("▌ Workbook has no 'taxx'.")
    assert lines[-1] == '▌ Did you mean "tax"?'
    opened = wardlib.open("phuc-dong", "2020-9M")
    with pytest.raises(AttributeError) as asked:
        _ = opened._repr_png_
    assert not isinstance(asked.value, WardError)
    assert not hasattr(opened.tax, "charts")


@pytest.mark.parametrize(
    ("found", "right"),
    [("Phúc Đồng", "phuc-dong"), ("phuc_dong", "phuc-dong"), ("PHILADELPHIA", "philadelphia"),
     ("philly", "philadelphia"), ("quận 1", ""), ("", "")],
)  # fmt: skip
def test_the_nearest_right_value(found, right):
    """Whatever marks and capitals are; nothing where nothing is like it."""
    assert nearest(found, ["philadelphia", "phuc-dong"]) == right


# --------------------------------------------------------------------------------------- objects


def objects(book):
    """Every kind of object that an analyst reaches from a workbook."""
    yield from (book, book.book, book.ward, book.ward.reference, book.period, book.language)
    yield from (book.unit(1e9), *book.ward.tables.values(), *book.ward.recipients)
    for name in PAGES:
        page = getattr(book, name)
        yield from (page, *([page.result] if page.result is not None else []))
    result = book.effect.result
    yield from (result.epidemic, *result.ledgers.values(), *result.by_line.values())
    for split in result.by_line.values():
        yield split.difference
        yield result.impact(result.root)
        yield result.cash(result.root, *result.span)
    yield from book.data_check.result.answers
    yield from projection.project(book.tax.result, book.table, result.epidemic).values()


def test_every_object_is_short(book):
    """Text and HTML of less than 30 lines, in which no path of the machine and no array stands."""
    kinds = set()
    for shown in objects(book):
        kinds.add(type(shown).__name__)
        text = repr(shown)
        assert 1 <= len(text.splitlines()) < 30, text
        assert not [name for name in dir(shown) if name.startswith("_")]
        assert max(map(len, text.splitlines())) <= 92
        page = shown._repr_html_()
        assert page.count("<tr>") + page.count("<p>") < 30
        for said_ in (text, page):
            assert not HIDDEN.search(said_)
            assert "array(" not in said_
            assert "DataFrame" not in said_
    assert {
        "Workbook",
        "Book",
        "Ward",
        "Period",
        "Language",
        "Unit",
        "Receipts",
        "Effects",
    } <= kinds


def test_however_much_there_is_it_stays_short():
    """A hundred facts of a thousand letters, and as many names to call."""

    class Long(Shown):
        def _facts(self):
            return {f"fact {at}": "word " * 200 for at in range(100)}

        def _next(self):
            return ", ".join(f".name_{at}()" for at in range(1000))

    assert len(repr(Long()).splitlines()) < 30
    assert repr(Long()).splitlines()[-4].startswith("  → .name_0()")
    assert Long()._repr_html_().count("<tr>") < 25


def test_a_result_says_what_it_is_of_whom_as_of_when():
    """With the figures that matter, their unit and interval, and what to call next."""
    result = wardlib.open("phuc-dong", "2020-9M", "vi", "2020-10-20").effect.result
    first, *rest = repr(result).splitlines()
    assert first == "Effects of phuc-dong, 2020-9M, as known on 2020-10-20, illustrative figures"
    assert any(re.search(r"difference: [\d,-]+ VND \(95 %: ", line) for line in rest)
    assert ".table()" in rest[-1]


@pytest.mark.parametrize(
    ("code", "name", "period"),
    [
        ("vi", "Thu ngân sách. Phường", "9 tháng đầu năm"),
        ("en", "Tax collection. Phúc", "nine months"),
    ],
)
def test_a_page_speaks_the_language_of_its_edition(code, name, period):
    """Its subject, ward, period, day and mark, and the sentence that opens it."""
    page = wardlib.open("phuc-dong", "2020-9M", code).tax
    assert repr(page).startswith(name)
    assert period in repr(page).splitlines()[0]
    assert page.edition.mark in " ".join(repr(page).split())
    assert page.headline().plain[:40] in page._repr_html_()


def test_what_an_object_shows_is_no_markup():
    """Neither in a name nor in a text, nor a sign that a terminal obeys."""

    class Odd(Shown):
        def _facts(self):
            return {"<b>": "<script>x()</script>\x1b[2J"}

    assert "<script>" not in Odd()._repr_html_()
    assert "<b>" not in Odd()._repr_html_()
    assert "\x1b" not in repr(Odd()) + Odd()._repr_html_()


def test_an_estimate_of_ones_own_series_says_no_currency():
    """Its unit is whatever the series has."""
    index = pd.period_range("2016-01", "2020-12", freq="M")
    series = pd.Series([100.0 + month.month for month in index], index)
    impact = wardlib.estimate(series, start="2020-02")
    assert impact.table().attrs["units"]["counterfactual"] == "as given"
    assert impact.table()["observed"].sum() == impact.cumulative.observed
    effect = impact.cumulative.table()
    assert effect.loc[0, ["amount", "lower"]].tolist() == [
        impact.cumulative.amount,
        impact.cumulative.lower,
    ]
    assert "VND" not in repr(impact)


# Which table of a page's result holds the figures of which block.
SHOWN = [
    ("tax", "plan_table", ""),
    ("tax", "year_before_table", ""),
    ("tax", "months_table", "months"),
    ("effect", "bridge_table", ""),
    ("schools", "days_table", ""),
    ("schools", "schools_table", "schools"),
    ("activities", "table", ""),
    ("targets", "table", ""),
    ("data_check", "received_table", ""),
    ("data_check", "published_table", "beside"),
    ("arrivals", "revised_table", "revised"),
    ("arrivals", "files_table", "figures"),
]


@pytest.mark.parametrize(("name", "block", "table"), SHOWN)
def test_a_table_has_the_numbers_of_the_figures(book, name, block, table):
    """Those that `figures.json` has of the page's table, under the same names, with the same units."""
    page = getattr(book, name)
    shown = getattr(page, block)() if page.result is not None else None
    if shown is None:
        return
    had = page.result.table(table)
    fields = {field["name"]: field.get("unit") for field in shown.figures["schema"]["fields"]}
    ours = resource("ours", had[list(fields)], had.attrs["units"], {})
    rows = [tuple(row.items()) for row in ours["data"]]
    assert shown.figures["data"]
    for row in shown.figures["data"]:
        assert tuple(row.items()) in rows
    if block not in (
        "months_table",
        "days_table",
        "schools_table",
    ):  # which show some months, some spans
        assert len(rows) == len(shown.figures["data"])
    named = {field["name"]: field.get("unit") for field in ours["schema"]["fields"]}
    fields.pop("granted", None)  # whether, not how much
    assert {column: named[column] for column in fields} == fields


def test_a_table_is_ones_own_and_says_what_it_is(book):
    """With ward, period, day and sources beside the units; to change it changes no result."""
    for name in PAGES:
        result = getattr(book, name).result
        if result is None:
            continue
        table = result.table()
        assert isinstance(table.index, pd.RangeIndex)
        known = table.attrs
        assert (known["ward"], known["period"]) == (book.ward.id, str(book.period))
        assert known["day"] == book.day.isoformat()
        assert known["illustrative"] == book.ward.illustrative
        assert known["source"] == "; ".join(book.ward.sources_en)
        table["spoilt"] = 0
        assert "spoilt" not in result.table()


# ------------------------------------------------------------------------------------------- Tab


def completed(shell, text):
    """What Tab offers at the end of a text."""
    with provisionalcompleter():
        found = list(shell.Completer.completions(text, len(text)))
    return [completion.text for completion in found]


def test_tab_shows_what_is_public(shell):
    """Of the door, a workbook, a page, a result: no underscore, no name that only the code needs."""
    shell.run_cell('book = wardlib.open("phuc-dong", "2020-9M")')
    door = {"open", "explore", "estimate"}
    assert door <= set(dir(wardlib)) <= door | {"__version__"}
    assert set(completed(shell, "wardlib.")) == door
    for text, some in (
        ("book.", {"tax", "effect", "ward", "period", "show"}),
        ("book.tax.", {"edition", "result", "headline", "plan_table"}),
        ("book.tax.result.", {"table", "lines", "months", "period"}),
        ("book.effect.result.by_line['total'].", {"table", "expected", "verdict"}),
    ):
        names = completed(shell, text)
        assert some <= set(names)
        assert not [name for name in names if name.startswith("_")]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ('wardlib.open("', "bang-lang"),
        ('wardlib.open("phuc', "phuc-dong"),
        ('wardlib.open("phuc-dong", "2021-Q', "2021-Q1"),
        ('wardlib.open("phuc-dong", "2021-9M", "', "vi"),
        ("wardlib.open('philadelphia', period='", "2022"),
        ('wardlib.open(\n    ward="phuc-dong",\n    language="', "vi"),
        ('ward: str = "ph', "philadelphia"),
        ('ward: str = "phuc-dong"\nperiod: str = "2019-0', "2019-01"),
    ],
)
def test_tab_offers_what_exists(shell, text, first):
    """Wards, the periods of which something was reported, languages; in a call and in a parameters cell. No
    file of the folder is offered there."""
    fragment, values = complete(text)
    assert values[0] == first or (first == "2022" and re.fullmatch(r"20\d\d", values[0]))
    assert all(value.startswith(fragment) for value in values)
    assert completed(shell, text) == values


@pytest.mark.parametrize(
    "text",
    [
        'print("',
        'wardlib.open("nowhere", "',
        'open("',
        'wardlib.open("phuc-dong", "2020", "vi", "',
        "ward = ",
    ],
)
def test_tab_offers_nothing_elsewhere(text):
    """Other calls, a ward that there is none of, a day, which nobody can list."""
    assert complete(text)[1] == []


def test_tab_offers_it_in_a_kernel_that_imports_wardlib(seen):
    """Without anything to be loaded."""
    assert seen[-1]["text/plain"] == "['philadelphia', 'phuc-dong', 'phuong-vi']"


# ------------------------------------------------------------------------------------ the screen

CELLS = [
    'import wardlib\nbook = wardlib.open("phuc-dong", "2020-9M", "vi")',
    "book.targets.table()",
    "book.effect.bridge_chart()",
    "book.effect.bridge_table()",
    "book.briefing.answer()",
    "book.tax.result",
    "book.tax",
    """get_ipython().kernel.do_complete('wardlib.open("ph', 16)["matches"]""",
]


@pytest.fixture(scope="module")
def seen():
    """The MIME bundles of cells that a kernel of its own has run."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in CELLS])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return [output.data for cell in notebook.cells for output in cell.outputs]


# JupyterLab's own rules for tables, and the colours of its two themes.
LAB = """
.jp-RenderedHTMLCommon {{ color: {ink}; background: {paper}; font: 14px/1.6 sans-serif; }}
.jp-RenderedHTMLCommon :is(td, th, tr) {{ text-align: right; vertical-align: middle; white-space: normal; }}
.jp-RenderedHTMLCommon tbody tr:nth-child(odd) {{ background: {band}; }}
.jp-RenderedHTMLCommon code {{ background: {code}; }}
"""
LIGHT = {"ink": "rgba(0,0,0,.87)", "paper": "#fff", "band": "#f5f5f5", "code": "#eee"}
DARK = {"ink": "#fff", "paper": "#111", "band": "#212121", "code": "#424242"}


def on_screen(chromium, bundles, theme):
    """A page with outputs as JupyterLab lays them."""
    outputs = "".join(
        f'<div class="jp-RenderedHTMLCommon">{data["text/html"]}</div>' for data in bundles
    )
    tab = chromium.new_page()
    light = str(theme is LIGHT).lower()
    tab.set_content(
        f'<!DOCTYPE html><html lang="vi"><title>x</title><style>{LAB.format(**theme)}</style>'
        f'<body data-jp-theme-light="{light}"><main><h1>x</h1>{outputs}</main></body></html>'
    )
    return tab


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_outputs_are_readable_in_both_themes(chromium, axe, seen, theme):
    """axe-core finds nothing: contrast, names, text of the charts."""
    tab = on_screen(chromium, seen[:-1], theme)
    tab.add_script_tag(content=axe)
    found = tab.evaluate("axe.run()")["violations"]
    tab.close()
    assert [(fault["id"], fault["nodes"][0]["html"]) for fault in found] == []


def test_a_table_on_screen_reads_like_the_page(chromium, seen):
    """Heads stand left and are indented by depth, a total is bold, a part lighter than its whole, figures stand
    right and no interval breaks."""
    tab = on_screen(chromium, seen[2:3], LIGHT)
    style = (
        "([row, cell, name]) => getComputedStyle("
        "document.querySelector(`${row} > ${cell}`)).getPropertyValue(name)"
    )
    for row, cell, name, value in (
        (".depth-1", "th", "text-align", "left"),
        (".depth-1", "td", "text-align", "right"),
        (".depth-1", "td", "white-space", "nowrap"),
        (".depth-0", "td", "font-weight", "700"),
        (".depth-1", "th", "font-weight", "400"),
        (".depth-1", "th", "opacity", "1"),
        (".depth-2", "th", "opacity", "0.8"),
    ):
        assert tab.evaluate(style, [f"tbody {row}", cell, name]) == value, (row, cell, name)
    indents = [tab.evaluate(style, [f"tbody .depth-{d}", "th", "padding-left"]) for d in (1, 2)]
    assert float(indents[0][:-2]) < float(indents[1][:-2])
    cells = tab.evaluate("[...document.querySelectorAll('td')].map((cell) => cell.innerText)")
    tab.close()
    assert any("\n" in cell for cell in cells)  # the interval stands below its figure
    assert not [cell for cell in cells if "\n…" in cell]


def test_a_chart_on_screen_follows_the_theme(chromium, seen):
    """In the dark theme it is turned around; its text is that of the page; the picture that is printed stays."""
    chart = wardlib.open("phuc-dong", "2020-9M", "vi").effect.bridge_chart()
    assert seen[1]["image/svg+xml"] == chart.svg
    for theme, turned in ((LIGHT, "none"), (DARK, "invert(0.9) hue-rotate(180deg)")):
        tab = on_screen(chromium, seen[1:2], theme)
        image = tab.query_selector("img")
        assert image.evaluate("(own) => own.naturalWidth") > 400
        assert image.get_attribute("alt") == chart.content["alt"]
        assert image.evaluate("(own) => getComputedStyle(own).filter") == turned
        tab.close()


def test_what_the_screen_adds_is_small(seen):
    """A third of the chart's own picture, where that is hatched with dots; a long table's script stands once."""
    assert len(seen[1]["text/html"]) < len(seen[1]["image/svg+xml"]) / 3
    assert len(seen[0]["text/html"]) < 25_000
    assert seen[0]["text/html"].count("<script>") == 1
    assert "<script>" not in seen[2]["text/html"]


def test_a_long_table_sorts_and_searches(chromium, seen):
    """Without marks a word stands for all that it may be, with them for what has them; a part stands below its
    whole; a third click gives the order of the paper back."""
    tab = on_screen(chromium, seen[:1], LIGHT)
    heads = (
        "[...document.querySelectorAll('tbody tr:not([hidden]) th')].map((head) => head.innerText)"
    )
    every = tab.evaluate(heads)
    assert len(every) > 15
    assert tab.get_attribute("input", "aria-label") == "Tìm"

    def found(text):
        tab.fill("input", text)
        return [head for head in tab.evaluate(heads) if not head.startswith("Tổng thu")]

    assert {head.split()[0] for head in found("thue")} == {"Thuế", "Tiền"}
    assert {head.split()[0] for head in found("thuế")} == {"Thuế"}
    assert {head.split()[0] for head in found("TIỀN THUÊ")} == {"Tiền"}
    assert any("đất" in head for head in found("dat"))
    assert all("đất" in head for head in found("đất"))
    assert found("không có ở đây") == []
    tab.fill("input", "")
    column = (
        "[...document.querySelectorAll('tbody tr')].filter((row) => row.className === 'depth-1')"
        ".map((row) => +row.cells[1].innerText.replace('.', '').replace(',', '.').replace('*', ''))"
    )
    button = "thead th:nth-child(2) button"
    tab.click(button)
    assert tab.evaluate(column) == sorted(tab.evaluate(column))
    assert tab.get_attribute("thead th:nth-child(2)", "aria-sort") == "ascending"
    assert tab.evaluate(heads)[0].startswith("Tổng thu")
    tab.click(button)
    assert tab.evaluate(column) == sorted(tab.evaluate(column), reverse=True)
    tab.click(button)
    assert tab.evaluate(heads) == every
    tab.close()


def test_a_run_carries_nothing_for_the_screen(tmp_path):
    """No second picture and no script: nobody sits at its kernel. What it prints is as it was."""
    notebook = new_notebook(
        cells=[new_code_cell(source) for source in CELLS[:3]],
        metadata={"kernelspec": {"name": "python3", "display_name": "x", "language": "python"}},
    )
    nbformat.write(notebook, tmp_path / "a.ipynb")
    code = (
        "import papermill; from wardlib.runs import engine\n"
        "papermill.execute_notebook('a.ipynb', 'b.ipynb', engine_name='ward', progress_bar=False)"
    )

    env = os.environ | {"WARDLIB_HOME": str(Path(__file__).parent.parent)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, check=True)
    table, chart = (
        output.data
        for cell in nbformat.read(tmp_path / "b.ipynb", 4).cells
        for output in cell.outputs
    )
    assert "<script>" not in table["text/html"]
    assert "text/html" not in chart


def test_dots_of_a_hatch_are_points():
    """Only they: a path of anything else is drawn as it was, to a tenth of a point."""
    circle = "M 3 72.3 \nC 3.079561 72.3 3.155874 72.26839 3.212132 72.212132 \nz\n"
    rest = 'style="fill: #1b4f72; stroke-width: 0.6; stroke-linecap: butt"/>\n  </pattern>'
    assert screen.smaller(f'<path d="{circle}" {rest}') == (
        '<path d="M3 72.3h0" style="fill: #1b4f72; stroke-width: 1.2; stroke-linecap: round"/></pattern>'
    )
    assert 'd="M 1.2 3 L 4 5.9"' in screen.smaller('<path d="M 1.25 3 \nL 4 5.999"/>')
    assert "scale(0.09 -0.09)" in screen.smaller('<g transform="scale(0.09 -0.09)"/>')
