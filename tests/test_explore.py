"""The explorer: a control moved is a doubt answered, with the very blocks that a line of code gives."""

import asyncio
import json
import re
from urllib.parse import unquote
from xml.etree import ElementTree

import nbformat
import pytest
from conftest import ROOT, executed
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

import wardlib
from wardlib.analysis import remembered
from wardlib.data import descriptors
from wardlib.errors import ExportError, RequestError
from wardlib.pages.block import as_csv
from wardlib.pages.explorer import Explorer
from wardlib.pages.exporters import WardHTMLExporter

EDITION = ("phuc-dong", "2020-9M", "vi", "2020-09-13")
# Each doubt of an analyst: the line of code that answers it, and what is clicked in the notebook.
LINE = ("option", "Thuế ngoài quốc doanh")
DOUBTS = {
    'book.effect.months_table("nonstate")': [LINE],
    'book.suppose(start="2020-03").effect.sentence("nonstate")': [LINE, ("list", "3/2020")],
    'book.suppose(share=0.6).effect.sentence("nonstate")': [LINE, ("slider", "60 %")],
    'book.history.month("nonstate", "2020-04")': [LINE, ("button", "4/2020")],
    'wardlib.open("hoa-sua", period).effect.sentence("nonstate")': [
        LINE,
        ("list", "Phường Hoa Sữa"),
    ],
    'book.suppose(leave_out=2017).effect.sentence("nonstate")': [LINE, ("checkbox", "2017")],
}
CLICKS = {"option": 1, "list": 2, "slider": 1, "button": 1, "checkbox": 1}  # a list opens first


@pytest.fixture
def quiet():
    """No loop of events, as where no kernel runs: Playwright keeps one for as long as a browser is open."""
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(running)


@pytest.fixture(scope="module")
def opened():
    return Explorer(*EDITION)


@pytest.fixture
def explorer(opened, quiet):
    """Of non-state tax, nothing supposed."""
    opened.ward.value = EDITION[0]
    with opened._quietly():
        opened.period.value, opened.as_of.value = EDITION[1], EDITION[3]
        opened.lines.value = ("nonstate",)
        opened.month.value = opened.since.value = ""
    opened.suppose_nothing()
    assert not opened.error
    return opened


def seen(explorer):
    """What the browser is sent."""
    views = [place.value for _, pair in explorer._panels for place in pair]
    shown = explorer._views.children
    assert len(shown) <= len(explorer._panels)
    return "".join([*views[: 2 * len(shown)], explorer._told.value, explorer._changed.value])


def run(cell):
    """What a cell shows: contents and data."""
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    shell.reset(new_session=False)
    with capture_output() as captured:
        shell.run_cell(cell).raise_error()
    return [(shown.metadata["wardlib"], shown.data) for shown in captured.outputs]


SUPPOSED = {
    "start": "2020-03",
    "phases": ("2020-2",),
    "share": 0.6,
    "leave_out": (2017,),
    "level": 0.8,
}
MOVES = [
    {"ward": "philadelphia"},
    {"period": "2020-Q3", "lines": ("total", "fees")},
    {"as_of": "2020-08-10"},
    SUPPOSED,
    {"month": "2020-04", "since": "2020-06-10"},
]


@pytest.mark.parametrize("moves", MOVES, ids=lambda moves: next(iter(moves)))
def test_each_control_shows_what_the_book_says(explorer, moves):
    """Sentence, chart and table of each line, as it stands and under what the controls suppose, and what is opened
    beside them, are what the cell gives that is written, which opens a book anew; all of it is sent to the
    browser."""
    for name, value in moves.items():
        if boxes := {"phases": explorer.phases, "leave_out": explorer.years}.get(name):
            for checked in value:
                boxes[checked].value = True
        else:
            getattr(explorer, name).value = value
    assert explorer.error == ""
    choice, shown = explorer.choice, list(explorer.blocks.values())
    supposed = moves == SUPPOSED
    assert choice.supposed == (SUPPOSED | {"lines": ("nonstate",)} if supposed else {})
    again = run(choice.cell)
    assert [data["text/plain"] for _, data in again] == [block.plain for block in shown]
    assert [about["of"] for about, _ in again] == [block.of for block in shown]
    assert [data.get("image/svg+xml", "") for _, data in again] == [block.svg for block in shown]
    own = [f"book.effect.{kind}" for kind in ("sentence", "chart", "months_table")]
    kinds = own + [kind.replace("book", "what_if") for kind in own] * supposed
    opened = ["book.history.month", "book.history.changed"] * ("month" in moves)
    called = [f"{call.book}.{call.method}" for call in explorer.blocks]
    assert called == kinds * len(choice.lines) + opened
    told = seen(explorer)
    for block in shown:
        content = block.content
        for text in (
            *content.get("sentences", ()), content.get("alt", ""), content.get("caption", ""),
        ):  # fmt: skip
            assert text.replace('"', "&quot;") in told
    marks = {block.of["assumptions"] for block in shown} - {""}
    assert len(marks) == supposed
    assert all(mark in told for mark in marks)


def test_what_a_share_or_level_moves_needs_no_estimate(explorer):
    """And what a start moves only those of the chosen line and its parts: of a line with three parts its own,
    and those that each of these needs alone."""
    known = set(remembered._memory)
    explorer.share.value, explorer.level.value = 0.35, 0.9
    assert set(remembered._memory) == known
    made = {}
    parts = ("nonstate_vat", "nonstate_pit", "nonstate_sct")
    for line in ("nonstate", *parts):
        explorer.suppose_nothing()
        explorer.lines.value = (line,)
        remembered.forget()
        explorer.start.value = "2020-05"
        paths = remembered._memory.items()
        made[line] = {digest for digest, own in paths if own.ndim == 2 and len(own) > 99}
    assert all(made.values())
    of_parts = set.union(*(made[part] for part in parts))
    assert of_parts < made["nonstate"]
    assert len(made["nonstate"] - of_parts) == 1


def test_the_newest_of_a_burst_wins(explorer):
    """Of two hundred values that come while a kernel is at it, as a dragged slider sends them, few are drawn
    and the last one stands."""
    drawn = []
    place = explorer._panels[0][1][1]
    place.observe(drawn.append, "value")

    async def drag():
        values = [value for _, value in explorer.share.options if value != ""]
        for turn in range(200):
            explorer.share.value = values[turn % len(values)]
            if turn % 10 == 0:
                await asyncio.sleep(0)
        explorer.share.value = 0.45
        while explorer._waiting is not None:
            await asyncio.sleep(0.01)

    asyncio.run(drag())
    place.unobserve_all()
    assert explorer.choice.supposed["share"] == 0.45
    assert "45" in drawn[-1]["new"]
    assert len(drawn) == 1


def test_what_is_refused_is_told_in_place(explorer):
    """In the language of the edition, with nothing of before beside it; the next move draws again. Of an assumption
    alone what stands stays, with its cell and command."""
    stands, cell = list(explorer.blocks), explorer._cell.value
    explorer.phases["x"] = explorer._check("x", True)
    explorer.share.value = 0.6
    assert explorer.error.startswith("Không có đợt dịch 'x'.")
    assert 'role="alert"' in explorer._alert.value
    assert list(explorer.blocks) == stands
    assert (explorer._cell.value, explorer._panels[0][1][1].value) == (cell, "")
    assert "9 tháng" in explorer._head.value and "ward run 2020-9M" in explorer._command.value
    del explorer.phases["x"]
    explorer.suppose_nothing()
    first = min(value for _, value in explorer.as_of.options if value)
    explorer.as_of.value = first
    assert explorer.blocks == {}
    assert explorer.error.startswith("Đến 2017-01-11 chưa có số thu nào của phuc-dong kỳ 2020-9M")
    assert 'role="alert"' in explorer._alert.value
    assert explorer._views.children == ()
    assert "9 tháng" not in explorer._head.value
    explorer.as_of.value = ""
    assert explorer.error == explorer._alert.value == ""
    assert len(explorer.blocks) == 3
    with pytest.raises(RequestError, match="no ward"):
        wardlib.explore("nowhere", "2020")


def test_the_controls_offer_only_what_exists(explorer):
    """Wards with receipts, which a district has not, days on which receipts were reported, months of a start that leave two years of history, phases that have begun,
    years before the epidemic, months up to the end of the period."""
    book = wardlib.open(*EDITION)
    receipts = book.table("receipts", every_report=True)
    wards = {value for _, value in explorer.ward.options}
    assert {"phuc-dong", "hoa-sua"} < wards < set(descriptors.names())
    assert "long-bien" not in wards
    days = [value for _, value in explorer.as_of.options]
    assert days[0] == ""
    assert set(receipts["reported_on"].dt.strftime("%Y-%m-%d")) <= set(days)
    assert all(day < "2020-09-13" for _, day in explorer.since.options)
    starts = [value for _, value in explorer.start.options]
    assert (starts[1], starts[-1]) == ("2019-01", "2020-09")
    assert list(explorer.phases) == ["2020-1", "2020-2"]
    assert list(explorer.years) == [2017, 2018, 2019, 2020]
    explorer.years[2020].value = True
    explorer.start.value = "2019-03"  # before which no month is one of 2020
    assert list(explorer.years) == [2017, 2018, 2019]
    assert explorer.error == "" and "leave_out" not in explorer.choice.supposed
    explorer.start.value = ""
    assert [value for _, value in explorer.month.options][-1] == "2020-09"
    explorer.ward.value = "philadelphia"
    assert explorer.period.value == "2020-9M"
    assert "real_estate" in [value for _, value in explorer.lines.options]
    assert explorer.lines.value == ("total",)


def test_files_come_with_marks_and_words(explorer):
    """A chart as a picture that says what it shows, of whom and when, and what is supposed, as its name does; its
    figures as CSV, and those of a month and of what changed. The addresses hold the files themselves."""
    explorer.share.value, explorer.start.value = 0.6, "2020-03"
    explorer.month.value, explorer.since.value = "2020-04", "2020-06-08"
    links = dict(re.findall(r'<a download="([^"]+)" href="data:[^,]*,([^"]+)"', seen(explorer)))
    name = "phuc-dong.2020-9M.2020-09-13.what-if_start-2020-03_share-0.6.nonstate.chart-monthly"
    block = next(
        b for call, b in explorer.blocks.items() if str(call) == 'what_if.effect.chart("nonstate")'
    )
    assert unquote(links[f"{name}.csv"]) == as_csv(block.figures)
    picture = ElementTree.fromstring(unquote(links[f"{name}.svg"]))
    said = [
        "".join(own.itertext()) for own in picture if own.tag.endswith(("title", "desc", "text"))
    ]
    assert said[:2] == [block.content["caption"], block.content["alt"]]
    inner = next(own for own in picture if own.tag.endswith("svg"))
    assert picture.get("viewBox").split()[2] == inner.get("width") == "468"
    below = " ".join(said[2:])
    for text in (wardlib.open(*EDITION).mark, "Số liệu tính đến ngày 13/09/2020", "GIẢ ĐỊNH", "60"):
        assert text in below
    for about, call in (
        ("nonstate.2020-04.history", 'book.history.month("nonstate", "2020-04")'),
        ("since-2020-06-08.changes", 'book.history.changed("2020-06-08")'),
    ):
        (block,) = (b for own, b in explorer.blocks.items() if str(own) == call)
        file = links[f"phuc-dong.2020-9M.2020-09-13.{about}.csv"]
        assert unquote(file) == as_csv(block.figures)
    assert len(links) == 8


def test_an_exploration_is_no_paper(quiet):
    """The exporters say so, and what to do instead, be it run or not."""
    made = executed("explore", *EDITION)
    (cell,) = (cell for cell in made.cells if cell.id == "explore")
    cell.metadata.tags = []  # as of one of somebody's own
    for notebook in (made, nbformat.read(ROOT / "notebooks/explore.ipynb", as_version=4)):
        with pytest.raises(ExportError, match=r"cell \d \(explore\) shows controls.*Copy the cell"):
            WardHTMLExporter().from_notebook_node(notebook)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_each_doubt_is_a_line_of_code(language):
    """Those of the notebook, in both languages; each gives something to read."""
    cells = json.loads((ROOT / "notebooks/explore.ipynb").read_text(encoding="utf-8"))["cells"]
    (told,) = ("".join(cell["source"]) for cell in cells if cell["id"] == f"doubts-{language}")
    assert re.findall(r"^- [^`]+ `(.+)`$", told, re.MULTILINE) == list(DOUBTS)
    opened = wardlib.open("phuc-dong", "2020-9M", language)
    for line in DOUBTS:
        assert len(eval(line, {"wardlib": wardlib, "book": opened, "period": "2020-9M"}).plain) > 50


# -- In a browser -------------------------------------------------------------------------------------

SEEN = """() => [...document.querySelectorAll(".ward-shown :is(.headline, img, tbody, .mark, [role=alert])")]
    .filter(own => own.checkVisibility())
    .map(own => (own.alt ?? own.textContent).replace(/\\s+/g, ""))"""


def told(block):
    """What a browser shows of a block, without blanks."""
    content = block.content
    if content["kind"] == "headline":
        text = "".join(content["sentences"])
    elif content["kind"] == "chart":
        text = content["alt"]
    else:
        rows = content["rows"]
        cells = ("".join(cell["lines"]) + cell["mark"] for row in rows for cell in row["cells"])
        widths = [len(row["cells"]) for row in rows]
        each = iter(cells)
        text = "".join(
            row["head"] + row["says"] + "".join(next(each) for _ in range(width))
            for row, width in zip(rows, widths, strict=True)
        )
    return re.sub(r"\s+", "", text)


def wait(page, *blocks):
    """Until the page shows these blocks, in this order, and of what they suppose the mark once a line."""
    wanted, mark = [], ""
    for block in filter(None, blocks):
        if block.of["assumptions"] != mark:
            mark = block.of["assumptions"]
            wanted += [re.sub(r"\s+", "", mark)] * bool(mark)
        wanted.append(told(block))
    shown = []
    for _ in range(300):
        shown = page.evaluate(SEEN)
        if shown == wanted:
            return
        page.wait_for_timeout(100)
    assert shown == wanted


def lines(book, line="nonstate"):
    effect = book.effect
    return effect.sentence(line), effect.chart(line), effect.months_table(line)


def click(page, kind, words):
    """Click as a person does; of a list of the browser's own, which no program can open, by its keys."""
    box = page.locator(".ward-explorer")
    if kind == "list":
        box.locator(f'select:has(option:text-is("{words}"))').first.select_option(label=words)
    elif kind == "option":
        box.get_by_role("option", name=words).first.click()
    elif kind == "slider":
        slider = box.locator(".noUi-target").first
        slider.scroll_into_view_if_needed()
        track = slider.bounding_box()
        place = (1 + float(words.split()[0]) / 5) / 21
        page.mouse.click(track["x"] + place * track["width"], track["y"] + track["height"] / 2)
    else:
        box.get_by_role(kind, name=words, exact=True).click()


def test_three_clicks_and_every_key(desk, axe):
    """In JupyterLab each doubt takes at most three clicks; every control is reached with Tab, its focus seen,
    moved with keys alone, and what the page shows then is what `wardlib` says. Nothing is out of reach for who sees
    or hears it otherwise."""
    page, book = desk.page, wardlib.open("phuc-dong", "2020-9M")
    with desk.notebook("explore") as notebook:
        assert notebook.run_all() == []
        wait(page, *lines(book, "total"))
        assert page.evaluate(CUT) == []
        for line, clicks in DOUBTS.items():
            assert sum(CLICKS[kind] for kind, _ in clicks) <= 3
            for kind, words in clicks:
                click(page, kind, words)
            answer = eval(line, {"wardlib": wardlib, "book": book, "period": "2020-9M"})
            page.wait_for_function(f"text => ({SEEN})().includes(text)", arg=told(answer))
            if "hoa-sua" in line:
                click(page, "list", "Phường Phúc Đồng")
            page.get_by_role("button", name="Bỏ mọi giả định").click()
            click(page, "option", "Tổng thu")
            click(page, "button", "–")
            wait(page, *lines(book, "total"))
        tab_through(page)
        assert page.locator(REACHED).count() > 20
        assert page.locator(f"{REACHED}:not([data-reached])").count() == 0
        other = {"share": 0.6, "lines": ("nonstate",)}
        steps = {
            "Khoản thu (chọn được nhiều)": (["ArrowDown"], lambda: lines(book)),
            "Tỷ lệ gia hạn": (
                ["ArrowRight"] * 13,
                lambda: (*lines(book), *lines(book.suppose(**other))),
            ),
        }
        for label, (keys, blocks) in steps.items():
            control(page, label).focus()
            for key in keys:
                page.keyboard.press(key)
            wait(page, *blocks())
        press = page.keyboard
        for step, change in (
            (lambda: press.press("ArrowLeft"), ("Độ tin cậy", {"level": 0.9})),
            (lambda: press.press("Space"), ("2018", {"leave_out": (2018,)})),
            (lambda: press.press("Space"), ("Đợt dịch 2", {"phases": ("2020-2",)})),
            (lambda: press.type("6/2020"), ("Tác động bắt đầu từ", {"start": "2020-06"})),
        ):
            label, supposed = change
            control(page, label).focus()
            step()
            other |= supposed
            wait(page, *lines(book), *lines(book.suppose(**other)))
        desk.picture("explore-what-if")
        control(page, "4/2020").focus()
        press.press("Enter")
        control(page, "Thay đổi kể từ ngày").focus()
        press.type("10/06/2020")
        month, changed = (
            book.history.month("nonstate", "2020-04"),
            book.history.changed("2020-06-10"),
        )
        wait(page, *lines(book), *lines(book.suppose(**other)), month, changed)
        assert notebook.barriers(axe) == []
        desk.picture("explore-history")
        control(page, "Bỏ mọi giả định").focus()
        press.press("Enter")
        control(page, "Kỳ báo cáo").select_option("2020-Q2: quý II năm 2020")
        book = wardlib.open("phuc-dong", "2020-Q2")
        month, changed = (
            book.history.month("nonstate", "2020-04"),
            book.history.changed("2020-06-10"),
        )
        wait(page, *lines(book), month, changed)
        control(page, "Số liệu tính đến").select_option("08/04/2020")
        page.locator(".ward-explorer [role=alert]", has_text="Đến 2020-04-08").wait_for()
        page.wait_for_selector(".ward-explorer .ward-panel", state="hidden")
        control(page, "Số liệu tính đến").select_option("mới nhất")
        wait(page, *lines(book), month, changed)
        with page.expect_download() as download:
            page.get_by_role("link", name="Tải số liệu (CSV)").first.click()
        made = download.value
        assert made.suggested_filename == "phuc-dong.2020-Q2.nonstate.chart-monthly.csv"
        assert made.path().read_text(encoding="utf-8") == as_csv(
            book.effect.chart("nonstate").figures
        )
        assert desk.complaints == []
        assert desk.strangers == set()


CUT = """() => [...document.querySelectorAll(".ward-explorer :is(option, .scroll)")]
    .filter(own => own.scrollWidth > own.clientWidth).map(own => own.textContent)"""
REACHED = ".ward-explorer :is(a, button, input, select, textarea, [tabindex='0'])"


def control(page, label):
    """The control that is called so."""
    return (
        page.locator(".ward-explorer")
        .get_by_label(label, exact=True)
        .or_(page.locator(".ward-explorer").get_by_role("button", name=label, exact=True))
    )


def tab_through(page):
    """Go through the explorer with Tab; each control shows that it has the focus."""
    page.locator(REACHED).first.focus()
    look = """() => {
        const at = document.activeElement;
        if (!at.closest(".ward-explorer")) return "";
        at.dataset.reached = "";
        return getComputedStyle(at).outlineStyle + at.outerHTML; }"""
    while at := page.evaluate(look):
        assert not at.startswith("none"), at
        page.keyboard.press("Tab")
