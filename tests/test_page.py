"""The page to hand round: a line is chosen and a month opened without a script, and it prints as a briefing does."""

import re
from html import unescape
from pathlib import Path

import pymupdf
import pytest
from typer.testing import CliRunner

import wardlib
from wardlib import cli
from wardlib.data import disclosure
from wardlib.errors import WardError
from wardlib.pages import handout

LARGEST = 2_000_000  # bytes
EDITIONS = [("phuc-dong", "2020-9M", "vi", ""), ("philadelphia", "2021", "en", "")]
BEFORE = ("phuc-dong", "2017-01", "en", "")  # of which nothing can be said
_made = {}


def made(*edition):
    """The book and its page; to be read only."""
    if edition not in _made:
        book = wardlib.open(*edition)
        _made[edition] = book, handout.page(book)
    return _made[edition]


def words(source):
    """The text of HTML."""
    return " ".join(unescape(re.sub("<[^>]*>", " ", source)).split())


@pytest.mark.parametrize("edition", EDITIONS, ids="-".join)
def test_the_page_in_a_browser(edition, chromium, tmp_path):
    """Without script and network, and by keyboard alone: a line is chosen and it alone is seen, a month is opened;
    nothing is asked for; at 390 px nothing is cut; what is chosen and open is what is printed, with the marks."""
    book, source = made(*edition)
    file = tmp_path / "page.html"
    file.write_text(source, encoding="utf-8")
    lines = book.effect.result.lines.index
    asked, complaints = [], []
    context = chromium.new_context(
        offline=True, java_script_enabled=False, viewport={"width": 390, "height": 800}
    )
    tab = context.new_page()
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: complaints.append(message.text))
    tab.goto(file.as_uri())
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]

    def seen():
        return [at for at in range(1, len(lines) + 1) if tab.locator(f"#line-{at}").is_visible()]

    assert seen() == [1]
    tab.keyboard.press("Tab")  # the link that skips the head
    tab.keyboard.press("Tab")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")
    assert seen() == [3]
    month = tab.locator("#line-3 details").nth(0)
    month.locator("summary").focus()
    tab.keyboard.press("Enter")
    history = month.locator("table")
    assert history.is_visible()
    assert words(history.inner_html()) in words(source)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    cut = """[...document.querySelectorAll(".choices label, #line-3 .table .scroll, #line-3 td")]
        .filter(box => box.scrollWidth > box.clientWidth).map(box => box.textContent)"""
    assert tab.evaluate(cut) == []
    printed = tab.pdf(prefer_css_page_size=True)
    sheets = [" ".join(page.get_text().split()) for page in pymupdf.open(stream=printed)]
    text = " ".join(sheets)
    names = [book.language.pick(book.effect.result.lines.loc[line], "name") for line in lines]
    caption = history.locator("caption").inner_text()
    for told in (
        names[2],
        caption,
        book.head.content["authority"][-1],
        book.known,
        book.head.content["draft"],
    ):
        assert told.casefold() in text.casefold()
    assert book.mark.casefold() in text.casefold()
    assert names[-1] not in text  # neither another line, nor the choice
    assert words(tab.locator("#line-3 details").nth(1).locator("summary").inner_html()) not in text
    assert len(sheets) <= 3
    assert names[2].casefold() in sheets[0].casefold()  # below the head
    tab.keyboard.press("Shift+Tab")
    tab.locator("#pick-all").check()
    assert seen() == list(range(1, len(lines) + 1))
    assert complaints == []
    context.close()


def test_the_page_is_accessible(chromium, axe, tmp_path):
    """axe-core finds no violation, a month being open: names, order of headings, contrast, language."""
    file = tmp_path / "page.html"
    file.write_text(made(*EDITIONS[0])[1], encoding="utf-8")
    tab = chromium.new_page()
    tab.goto(file.as_uri())
    tab.locator("#line-1 summary").nth(0).click()
    tab.evaluate(axe)
    found = tab.evaluate(
        "axe.run().then(found => found.violations.map(v => [v.id, v.nodes[0].html]))"
    )
    tab.close()
    assert found == []


@pytest.mark.parametrize("edition", EDITIONS, ids="-".join)
def test_the_page_says_what_the_pages_say(edition):
    """Of each line name, verdict, sentence, alt text and table; of each of its months the history. It is of the
    edition, which it says, in its language, and small."""
    book, source = made(*edition)
    text, effect = words(source), book.effect
    assert len(source.encode()) < LARGEST
    assert f'<html lang="{book.language.code}">' in source
    assert source.count("<h1>") == 1
    for told in (
        book.period_name,
        book.known,
        book.mark,
        book.head.content["draft"],
        *book.recipients,
    ):
        assert told.casefold() in text.casefold()
    assert book.sources().plain in text
    if edition == EDITIONS[0]:  # of what the law put off, a loss may be among it
        assert "hụt thu rồi nộp bù khi hết gia hạn, chưa loại trừ mất thu" in text
    for line in effect.result.lines.index:
        verdict = book.language.words("verdict")[effect.result.by_line[line].verdict]
        name = book.language.pick(effect.result.lines.loc[line], "name")
        assert f"{name} {verdict}" in text
        assert " ".join(effect.sentence(line).plain.split()) in text
        assert effect.chart(line).content["alt"] in unescape(source)
        last = effect.months_table(line).content["rows"][-1]
        assert f"{last['head']} {last['cells'][0]['lines'][0]}" in text
        for month in (book.period.last, book.period.last - 23):
            row = book.history.month(line, str(month)).content["rows"][0]
            assert " ".join([row["head"], row["says"], *row["cells"][0]["lines"]]).strip() in text
    assert source.count("<details>") == 24 * len(effect.result.lines)


def test_the_same_edition_gives_the_same_bytes():
    """And nothing in it is a script, an address to ask, or a style that it does not itself hold."""
    _, source = made(*BEFORE)
    assert handout.page(wardlib.open(*BEFORE)) == source
    source = made(*EDITIONS[0])[1]
    assert not re.search(
        r"<(script|link|iframe|form|object)\b|\son\w+=|javascript:|https?:", source
    )
    policy = re.search('Content-Security-Policy" content="([^"]*)"', source)[1]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert source.count("<style") == 1


def test_the_page_shows_receipts_alone():
    """Whatever the ward has: no table that it reads has a cell that the plan of hiding touches, as the page says."""
    book, source = made(*EDITIONS[0])
    read = [table for table in book.ward.tables.values() if table.file in book.book.digests]
    assert {table.name for table in read} >= {"receipts"}
    assert not [table.name for table in read if disclosure.secret(table)]
    assert [table.name for table in book.ward.tables.values() if disclosure.secret(table)]
    assert "Trang này chỉ có số thu ngân sách, không có số liệu đếm người." in words(source)


def test_a_line_without_a_statement_says_why():
    """Before the epidemic none has one: each says so, beside what it brought."""
    book, source = made(*BEFORE)
    text = words(source)
    lines = len(book.effect.result.lines)
    assert text.count("not enough evidence: the period ends before the epidemic.") == lines
    assert "Choose a line. The period ends before the epidemic." in text
    assert text.count("not enough evidence") == lines  # beside no name in the choice
    assert source.count('class="chart') == lines


def test_the_command_writes_the_page_in_one_step(home, monkeypatch):
    """Beside the briefings of the period, or where it is told; where that fails, what stood there stays. The name
    has the language, and the folder the day."""
    call = CliRunner().invoke
    monkeypatch.setattr(handout, "page", lambda book: f"<p>{book.day}</p>")
    done = call(cli.app, ["page", "phuc-dong", "2020-9M"])
    assert (done.exit_code, done.output) == (0, "output/phuc-dong/2020-9M/page.vi.html\n")
    file = home / done.output.strip()
    assert file.read_text() == "<p>2021-01-31</p>"
    words_ = ["page", "phuc-dong", "2020-9M", "--language", "en", "--as-of", "2020-10-20"]
    assert (
        call(cli.app, words_).output == "output/phuc-dong/2020-9M.as-of-2020-10-20/page.en.html\n"
    )
    monkeypatch.setattr(
        Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    failed = call(
        cli.app, ["page", "phuc-dong", "2020-9M", "--as-of", "2021-01-30", "--output", str(file)]
    )
    assert isinstance(failed.exception, WardError)
    assert "No space left on device" in str(failed.exception)
    assert file.read_text() == "<p>2021-01-31</p>"
    assert [own.name for own in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("output", ["", "there", "nowhere/page.html", "there/file/page.html"])
def test_the_command_names_a_place_that_is_none(home, monkeypatch, output):
    """Before anything is worked out: no name, a folder, a folder that is missing or a file."""
    monkeypatch.chdir(home)
    (home / "there").mkdir()
    (home / "there" / "file").touch()
    failed = CliRunner().invoke(cli.app, ["page", "phuc-dong", "2020-9M", "--output", output])
    assert isinstance(failed.exception, WardError)
    assert f"--output {output or '.'}: name a file" in str(failed.exception)


def test_the_command_says_what_a_district_has_in_place_of_a_page():
    """The briefings of its own."""
    failed = CliRunner().invoke(cli.app, ["page", "long-bien", "2020-9M"])
    assert isinstance(failed.exception, WardError)
    assert "long-bien is a district" in str(failed.exception)
    assert "ward run 2020-9M --ward long-bien" in str(failed.exception)


def test_the_command_refuses_what_a_run_refuses(home):
    """Names that there are not, all at once; a period without figures; every fault of the ward's data. Nothing is
    written."""
    call = CliRunner().invoke
    unknown = call(cli.app, ["page", "phuc", "2020-Q5", "--language", "xx", "--as-of", "x"])
    same = call(cli.app, ["run", "2020-Q5", "--ward", "phuc", "--language", "xx", "--as-of", "x"])
    assert isinstance(unknown.exception, WardError)
    assert str(unknown.exception) == str(same.exception)
    assert str(unknown.exception).count("\n") >= 3
    absent = call(cli.app, ["page", "phuc-dong", "2031-Q1"])
    assert "2031-Q1" in str(absent.exception)
    schools = home / "data" / "phuc-dong" / "schools.csv"  # which the page does not read
    schools.write_text(schools.read_text(encoding="utf-8") + "x\n", encoding="utf-8")
    faulty = call(cli.app, ["page", "phuc-dong", "2020-9M"])
    assert "schools.csv" in str(faulty.exception)
    assert not (home / "output").exists()
