"""One notebook, one edition: what is mixed of several, or did not run from the top, makes no paper."""

import copy
import dataclasses
import functools
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import papermill
import pypdf
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import wardlib
from wardlib.analysis.assumptions import Assumptions
from wardlib.errors import ExportError, RequestError
from wardlib.language import get
from wardlib.pages import document
from wardlib.pages.exporters import WardHTMLExporter, WardPDFExporter

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
EDITION = {"ward": "phuc-dong", "period": "2020-9M", "language": "vi", "as_of": ""}
OTHERS = {
    "ward": {"ward": "philadelphia"},
    "period": {"period": "2020-Q3"},
    "language": {"language": "en"},
    "day": {"as_of": "2020-09-13"},
}
CALLED = {
    "ward": "philadelphia, 2020-9M, known on 2022-02-18, vi",
    "period": "phuc-dong, 2020-Q3, known on 2021-01-31, vi, illustrative figures",
    "language": "phuc-dong, 2020-9M, known on 2021-01-31, en, illustrative figures",
    "day": "phuc-dong, 2020-9M as of 2020-09-13, vi, illustrative figures",
}
FIRST = "phuc-dong, 2020-9M, known on 2021-01-31, vi, illustrative figures"


@functools.cache
def _ran(name, **parameters):
    source = NOTEBOOKS / f"{name}.ipynb"
    with io.StringIO() as log:
        done = papermill.execute_notebook(
            str(source), None, dict(parameters), engine_name="ward", kernel_name="python3",
            progress_bar=False, log_output=False, stdout_file=log,
        )  # fmt: skip
    return done


def ran(name="30-targets", **parameters):
    """A notebook that papermill has run for the edition, changed by the parameters."""
    return copy.deepcopy(_ran(name, **EDITION | parameters))


def place(notebook, name):
    return next(at for at, cell in enumerate(notebook.cells) if cell.id == name)


def refused(notebook):
    """What both exporters say of it, and the reader of documents."""
    said = set()
    for exporter in (WardHTMLExporter, WardPDFExporter):
        with pytest.raises(ExportError) as caught:
            exporter().from_notebook_node(notebook)
        said.add(str(caught.value))
    with pytest.raises(ExportError) as caught:
        document.read(notebook)
    assert {str(caught.value)} == said
    return said.pop()


def exported(notebook):
    return WardHTMLExporter().from_notebook_node(notebook)[0]


@pytest.mark.parametrize("change", OTHERS)
@pytest.mark.parametrize("name", ["30-targets", "90-briefing"])
def test_the_top_of_another_edition_makes_no_paper(name, change):
    """Parameters changed, the two cells at the top run again, exported: both editions are named, and the
    first cell that differs. Where only the parameters are changed, so are they."""
    notebook, other = ran(name), ran(name, **OTHERS[change])
    at = place(notebook, "head")
    injected = next(c for c in other.cells if "injected-parameters" in c.metadata.tags)
    notebook.cells[place(notebook, "parameters") + 1] = injected
    assert refused(notebook) == (
        f"the notebook shows two editions: cell {at + 1} (head) shows {FIRST}; "
        f"its parameters ask for {asked(change)}. Run it again from the top."
    )
    notebook.cells[at] = other.cells[at]
    first = re.match(
        r"the notebook shows two editions: (cell \d+ \(\S+\)) shows", refused(notebook)
    )[1]
    below = [c for c in notebook.cells[at + 1 :] if c.get("outputs")]
    assert first == f"cell {notebook.cells.index(below[0]) + 1} ({below[0].id})"
    assert FIRST in refused(notebook)


def asked(change):
    """The edition that the parameters ask for; what its data say is known only to what was run."""
    wanted = EDITION | OTHERS[change]
    day = f" as of {wanted['as_of']}" if wanted["as_of"] else ""
    return f"{wanted['ward']}, {wanted['period']}{day}, {wanted['language']}"


@pytest.mark.parametrize("change", OTHERS)
def test_a_block_of_another_edition_makes_no_paper(change):
    """Each kind of block says of which edition it is; a notebook without parameters is held to its first."""
    other = wardlib.open(**EDITION | OTHERS[change])
    book = wardlib.open(**EDITION)
    for block in (
        other.tax.headline(), other.tax.plan_table(), other.tax.running_total_chart(), other.sources(),
        other.targets.tasks(), other.briefing.answer(), other.lacking() or other.files(), other,
    ):  # fmt: skip
        cells = [new_markdown_cell("# Thu", id="title")]
        for name, shown in (("head", book), ("own", book.tax.headline()), ("other", block)):
            data, metadata = shown._repr_mimebundle_()
            outputs = [new_output("display_data", data=data, metadata=metadata)]
            cells.append(new_code_cell("x", outputs=outputs, id=name))
        said = refused(new_notebook(cells=cells))
        assert said == (
            f"the notebook shows two editions: cell 4 (other) shows {CALLED[change]}; "
            f"cell 2 (head) shows {FIRST}. Run it again from the top."
        )


@pytest.mark.parametrize(
    "change",
    [
        {"ward": "other"},
        {"period": "x"},
        {"language": "en"},
        {"as_of": "2020-09-13"},
        {"period": 2020},
    ],
)
def test_parameters_that_were_only_changed_make_no_paper(change):
    """Nothing was run after it, be it the notebook's own cell or the one of papermill."""
    for tag in ("parameters", "injected-parameters"):
        notebook = ran()
        cells = [c for c in notebook.cells if c.cell_type == "code" and c.metadata.get("tags")]
        (cell,) = (c for c in cells if tag in c.metadata.tags)
        cell.source = "\n".join(
            f"{name}: str = {value!r}" for name, value in (EDITION | change).items()
        )
        if tag == "parameters":
            notebook.cells.remove(next(c for c in cells if c is not cell))
        assert "its parameters ask for" in refused(notebook)


@pytest.mark.parametrize(
    "source",
    ['ward, period = "phuc-dong", "2020-9M"', 'period = "2020" + "-9M"', 'if True:\n    ward = "phuc-dong"',
     "ward: str", "%time ward = 1", 'for ward in ["phuc-dong"]: pass'],
)  # fmt: skip
def test_parameters_that_are_no_plain_values_make_no_paper(source):
    """Which edition they ask for cannot be read."""
    notebook = ran()
    cell = notebook.cells[place(notebook, "parameters")]
    cell.source = source
    assert refused(notebook).startswith(
        f"cell {notebook.cells.index(cell) + 1} (parameters) does not say plainly"
    )


def test_what_ran_before_another_start_of_the_kernel_makes_no_paper():
    """The numbers of the cells rise all the same: a cell above the sources that was changed, or the one that
    opens the edition, is not among those that had run when they were shown."""
    for name, old, new in (
        ("setup", "as_of)", "as_of); rate = 2"),
        ("parameters", "# vi", "# or vi"),
    ):
        notebook = ran()
        cell = notebook.cells[place(notebook, name)]
        assert old in cell.source
        cell.source = cell.source.replace(old, new)
        at = notebook.cells.index(cell) + 1
        assert refused(notebook).startswith(
            f"cell {at} ({name}) was changed after it had run, or ran in"
        )
    notebook = ran()
    added = new_code_cell("1 + 1", id="added", execution_count=6)
    notebook.cells.insert(place(notebook, "standing-sentence"), added)
    for at, cell in enumerate(cell for cell in notebook.cells if cell.cell_type == "code"):
        cell.execution_count = at + 1
    assert "(added) was changed after it had run, or ran in" in refused(notebook)


def test_what_papermill_makes_of_parameters_is_the_same(tmp_path):
    """`-p period 2020` hands over a number, `-p ward 00139` another one: the ward and the year are found,
    and the paper is that of the texts."""
    notebook = NOTEBOOKS / "10-tax-collection.ipynb"
    out = tmp_path / "out.ipynb"
    words = [
        "-p",
        "period",
        "2020",
        "-p",
        "language",
        "en",
        "--engine",
        "ward",
        "--no-progress-bar",
    ]
    command = [sys.executable, "-m", "papermill", str(notebook), str(out), *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = nbformat.read(out, as_version=4)
    assert "period = 2020\n" in made.cells[place(made, "parameters") + 1].source
    assert exported(made) == exported(ran("10-tax-collection", period="2020", language="en"))


def test_a_ward_whose_folder_is_a_number(home):
    """papermill takes the noughts off an administrative code; where one ward alone has that number, it
    is meant."""
    own = home / "data/phuc-dong"
    ward = own.with_name("00139")
    own.rename(ward)
    described = json.loads((ward / "datapackage.json").read_text("utf-8"))
    text = json.dumps(described | {"name": ward.name}, ensure_ascii=False)
    (ward / "datapackage.json").write_text(text, "utf-8")
    book = wardlib.open(139, "2020-9M")
    assert book.ward.id == "00139"
    data, metadata = book._repr_mimebundle_()
    cells = [
        new_markdown_cell("# Thu"),
        new_code_cell("ward = 139", metadata={"tags": ["parameters"]}),
        new_code_cell("book", outputs=[new_output("display_data", data=data, metadata=metadata)]),
    ]
    assert "<h1>Thu</h1>" in exported(new_notebook(cells=cells))
    with pytest.raises(RequestError, match="140"):
        wardlib.open(140, "2020-9M")


def test_cells_out_of_order_make_no_paper():
    """A cell that ran before one that stands above it is named, with that one."""
    notebook = ran()
    table, chart = place(notebook, "standing-table"), place(notebook, "standing-chart")
    counts = [notebook.cells[at].execution_count for at in (table, chart)]
    for at, count in zip((table, chart), reversed(counts), strict=True):
        notebook.cells[at].execution_count = count
    assert refused(notebook) == (
        f"cell {table + 1} (standing-table) ran before cell {chart + 1} (standing-chart), which stands "
        "above it: what they show may not belong together. Run the notebook again from the top."
    )


@pytest.mark.parametrize("shows", ["tasks", "setup", "new"])
def test_a_cell_that_has_not_run_makes_no_paper(shows):
    """Be it cleared, never run, or added; a comment, an empty cell and one that no run executes are not
    missed."""
    notebook = ran()
    if shows == "new":
        notebook.cells.append(new_code_cell("book.tax.headline()", id="new"))
    cell = notebook.cells[place(notebook, shows)]
    cell.execution_count, cell.outputs = None, []
    at = place(notebook, shows) + 1
    assert refused(notebook).startswith(f"cell {at} ({shows}) has not run")
    source = cell.source
    for text in ("", "# only a word\n\n#| fig-cap: x"):
        cell.source = text
        assert "<h1>" in exported(notebook)
    cell.source = source
    cell.metadata["tags"] = ["skip-execution"]
    assert "<h1>" in exported(notebook)


def test_a_cell_that_was_changed_after_its_run_makes_no_paper():
    """Another table is asked for, the old one is shown; comments may change, and a cell may show what
    another one has made."""
    notebook = ran()
    at = place(notebook, "standing-table")
    cell = notebook.cells[at]
    before = cell.source
    cell.source = "# as it was\n\nbook.targets.table()  "
    assert "<h1>" in exported(notebook)
    cell.source = "book.tax.plan_table()"
    assert refused(notebook).startswith(
        f"cell {at + 1} (standing-table) was changed after it had run"
    )
    shown = new_code_cell(cell.source, outputs=cell.outputs, id="shown", execution_count=99)
    cell.source, cell.outputs = before, []
    notebook.cells.append(shown)
    assert "<h1>" in exported(notebook)


def test_a_notebook_without_numbers_of_a_kernel_is_taken_as_it_is():
    """A program that makes a notebook gives its cells none: there is no order that could be wrong."""
    notebook = ran()
    whole = exported(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count = None
    assert exported(notebook) == whole


def test_a_notebook_of_an_older_form_says_the_same():
    """nbformat 4.4 has no ids: a cell is named by its place."""
    notebook = ran()
    whole = exported(notebook)
    notebook.nbformat_minor = 4
    for cell in notebook.cells:
        del cell["id"]
    assert exported(notebook) == whole
    notebook.cells[4].execution_count = None
    notebook.cells[4].outputs = []
    assert refused(notebook).startswith("cell 5 has not run")


def test_a_notebook_that_shows_nothing_below_its_title():
    """It is a paper with a head and nothing else; without the head it says what to run."""
    book = wardlib.open(**EDITION)
    data, metadata = book._repr_mimebundle_()
    cell = new_code_cell("book", outputs=[new_output("display_data", data=data, metadata=metadata)])
    notebook = new_notebook(cells=[new_markdown_cell("# Thu"), cell])
    assert "<h1>Thu</h1>" in exported(notebook)
    assert WardPDFExporter().from_notebook_node(notebook)[0].startswith(b"%PDF")
    notebook.cells.pop()
    assert "shows no head" in refused(notebook)


def test_what_papermill_adds_where_a_run_failed_is_no_part_of_a_paper():
    """Its red words stay in the notebook when it is mended and run again."""
    notebook = ran()
    whole = exported(notebook)
    words = "<span style=\"color:red\">An Exception was encountered at 'In [5]'.</span>"
    for at in (0, 5):
        added = new_markdown_cell(words, metadata={"tags": ["papermill-error-cell-tag"]})
        notebook.cells.insert(at, added)
    assert exported(notebook) == whole


def test_the_mark_does_not_depend_on_the_head_alone():
    """A head whose mark was taken off makes no paper of illustrative figures."""
    notebook = ran()
    for output in notebook.cells[place(notebook, "head")].outputs:
        output.metadata["wardlib"]["mark"] = ""
    assert "lacks the mark" in refused(notebook)


# ------------------------------------------------------------------------------------ what if

SUPPOSED = Assumptions(start="2020-03", share=0.6, leave_out=(2017,))
SAID = {
    "vi": "GIẢ ĐỊNH: tác động bắt đầu từ tháng 3 năm 2020; số được gia hạn bằng 60\u00a0% số được phép; không dùng số liệu năm 2017 trước mốc bắt đầu để ước tính",
    "en": "WHAT IF: the effect begins in March 2020; of what may be put off by law, 60\u00a0% is; nothing is learnt from the months of 2017 before the start",
}  # fmt: skip


def supposed(language):
    """A notebook with one result of the tables and one that is supposed."""
    book = wardlib.open(**EDITION | {"language": language})
    page = book.suppose(**SUPPOSED.given).effect
    cells = [new_markdown_cell("# Thu")]
    shown = (
        book,
        book.tax.headline(),
        book.effect.brief(),
        page.chart(height=2.0),
        page.bridge_table(),
    )
    for block in (*shown, page.brief()):
        data, metadata = block._repr_mimebundle_()
        output = new_output("display_data", data=data, metadata=metadata)
        cells.append(new_code_cell("x", outputs=[output]))
    return new_notebook(cells=cells)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_what_is_supposed_is_marked_on_every_page(language):
    """Above each block that shows it, in the head, and at the foot of every page, with what is supposed."""
    notebook, mark = supposed(language), SAID[language]
    page = exported(notebook)
    assert page.count(f'<p class="mark">{mark}</p>') == 1 + 3
    assert page.index(mark, page.index("<main")) > page.index(
        'class="headline"', page.index("<main")
    )
    assert mark.upper() in re.search(r"@bottom-center \{ content: \"([^\"]*)\"", page)[1]
    data = WardPDFExporter().from_notebook_node(notebook)[0]
    reader = pypdf.PdfReader(io.BytesIO(data))
    for sheet in reader.pages:
        assert " ".join(mark.upper().split()) in " ".join(sheet.extract_text().split())
    figures = document.read(notebook).figures()
    assert next(own for own in figures.values() if "assumptions" in own)["assumptions"] == {
        "start": "2020-03",
        "share": 0.6,
        "leave_out": [2017],
    }


def test_pages_and_results_say_of_which_edition_they_are():
    """Shown as they are, they are held to the notebook's edition, and say what was supposed for them."""
    book, other = wardlib.open(**EDITION), wardlib.open("philadelphia", "2020-Q2")
    given = book.suppose(**SUPPOSED.given).effect
    for shown, wanted in (
        (book.tax, ""), (book.effect.result, ""), (other.tax, "two editions"), (other.tax.result, "two editions"),
        (given, SAID["vi"]), (given.result, "WHAT IF: start 2020-03; share 0.6; leave_out 2017"),
    ):  # fmt: skip
        cells = [new_markdown_cell("# Thu")]
        for each in (book, shown):
            data, metadata = each._repr_mimebundle_()
            outputs = [new_output("display_data", data=data, metadata=metadata)]
            cells.append(new_code_cell("x", outputs=outputs))
        notebook = new_notebook(cells=cells)
        if wanted == "two editions":
            assert wanted in refused(notebook)
        else:
            marks = [mark for mark in document.read(notebook).supposed if mark]
            assert marks == ([wanted] if wanted else [])


def test_a_run_publishes_nothing_that_is_supposed(home):
    """A notebook of a run that shows what is supposed fails, and says what it shows."""
    file = home / "notebooks/30-targets.ipynb"
    notebook = nbformat.read(file, as_version=4)
    notebook.cells[place(notebook, "tasks")].source = "book.suppose(leave_out=2017).effect.brief()"
    nbformat.write(notebook, file)
    words = ["run", "2020-9M", "--notebook", "30-targets"]
    command = [sys.executable, "-c", "from wardlib.cli import main; main()", *words]
    env = os.environ | {"WARDLIB_HOME": str(home)}
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert (
        "only supposed (GIẢ ĐỊNH: không dùng số liệu năm 2017 trước mốc bắt đầu để ước tính)"
        in done.stderr
    )
    assert not (home / "output/phuc-dong/2020-9M/30-targets.vi").exists()


@pytest.mark.parametrize(
    "wrong", [{"start": "2020"}, {"start": "x"}, {"share": 60}, {"level": 95}, {"level": 0}]
)
def test_what_cannot_be_supposed_is_refused(wrong):
    """A year is no month, per cent are no share."""
    with pytest.raises(RequestError):
        Assumptions(**wrong)


def test_every_assumption_is_said_in_both_languages():
    """Each field has its words; none is said where nothing is supposed."""
    every = Assumptions("2020-03", ("2020-1",), 0.6, (2017, 2018), ("land_tax",), 0.8)
    assert set(every.given) == {field.name for field in dataclasses.fields(Assumptions)}
    book = wardlib.open(**EDITION)
    assert book.what_if == ""
    for code in ("vi", "en"):
        said = dataclasses.replace(book, language=get(code), assumptions=every).what_if
        assert said.count(";") == 4  # which lines are looked at moves no figure
        assert "80\u00a0%" in said
        assert "2017, 2018" in said
