"""`charts.figure`: an analyst's own figure is a numbered chart with its data; a user's settings of
matplotlib change no chart of ours."""

import functools
import os
import re
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import seaborn as sns
from matplotlib import pyplot as plt
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import wardlib
from wardlib import charts
from wardlib.errors import RequestError
from wardlib.pages import cleaning, document
from wardlib.pages.block import RESOURCE, as_csv
from wardlib.pages.exporters import WardHTMLExporter, WardPDFExporter

ROOT = Path(__file__).parent.parent
FRAME = pd.DataFrame(
    {
        "ngày": pd.date_range("2020-01-01", periods=4, freq="MS"),
        "thu": [1.0, 2, 3.5, 4],
        "loại": ["phí", "thuế"] * 2,
    }
)


@functools.cache
def book():
    return wardlib.open("phuc-dong", "2020-9M", "vi", "2020-09-13")


@pytest.fixture(autouse=True)
def closed():
    """Each test begins and ends without a figure, on a backend without a window."""
    with mpl.rc_context():
        plt.switch_backend("agg")
        yield
        plt.close("all")


def made(fig, **given):
    return charts.figure(fig, book(), **{"title": "Số thu", "alt": "Thu tăng."} | given)


def rows(block):
    """The data behind a chart: its columns but for the empty `value`, a tuple a row."""
    return [tuple(row.values()) for row in block.figures["data"]]


def types(block):
    return {field["name"]: field["type"] for field in block.figures["schema"]["fields"]}


def lines_of_days():
    fig, axes = plt.subplots()
    axes.plot(FRAME["ngày"], FRAME["thu"], label="thu")
    axes.axhline(2, label="dự toán")
    return fig


def two_axes():
    _, axes = plt.subplots(1, 2)
    axes[0].bar(["x", "y"], [1, 2], label="a")
    axes[0].set_title("trái")
    axes[1].plot([1, 2], [3, np.nan])
    return axes


def of_series(draw):
    """What pandas draws of a series by month or by name."""
    return getattr(
        pd.Series([1.0, 2], index=pd.period_range("2020-01", periods=2, freq="M")).plot, draw
    )()


# By kind: what draws it, and the first rows of its data.
FIGURES = {
    "days": (lines_of_days, [("1", "thu", "2020-01-01", 1), ("1", "thu", "2020-02-01", 2), ("1", "thu", "2020-03-01", 3.5), ("1", "thu", "2020-04-01", 4), ("1", "dự toán", None, 2)]),
    "axes": (two_axes, [("trái", "a", "x", 1), ("trái", "a", "y", 2), ("2", "1", "1", 3), ("2", "1", "2", None)]),
    "line of seaborn": (lambda: sns.lineplot(FRAME, x="ngày", y="thu", hue="loại"), [("1", "phí", "2020-01-01", 1), ("1", "phí", "2020-03-01", 3.5), ("1", "thuế", "2020-02-01", 2), ("1", "thuế", "2020-04-01", 4)]),
    "points of seaborn": (lambda: sns.scatterplot(FRAME, x="ngày", y="thu", hue="loại"), [("1", "phí", "2020-01-01", 1), ("1", "phí", "2020-03-01", 3.5), ("1", "thuế", "2020-02-01", 2), ("1", "thuế", "2020-04-01", 4)]),
    "bars of seaborn": (lambda: sns.barplot(FRAME, x="loại", y="thu", hue="loại", errorbar=None), [("1", "1", "phí", 2.25), ("1", "2", "thuế", 3)]),
    "points beside a category": (lambda: sns.stripplot(FRAME, x="loại", y="thu"), [("1", "1", "phí", 1), ("1", "1", "phí", 3.5), ("1", "2", "thuế", 2), ("1", "2", "thuế", 4)]),
    "grid": (lambda: sns.relplot(FRAME, x="ngày", y="thu", col="loại"), [("loại = phí", "1", "2020-01-01", 1), ("loại = phí", "1", "2020-03-01", 3.5), ("loại = thuế", "1", "2020-02-01", 2), ("loại = thuế", "1", "2020-04-01", 4)]),
    "pairs": (lambda: sns.pairplot(FRAME[["thu"]].assign(chi=[4, 3, 2, 1]), diag_kind=None), [("1", "1", 1, 1), ("1", "1", 2, 2), ("1", "1", 3.5, 3.5), ("1", "1", 4, 4), ("2", "1", 4, 1)]),
    "joint": (lambda: sns.jointplot(x=[1, 2], y=[3, 4]), [("1", "1", 1, 3), ("1", "1", 2, 4)]),
    "cells": (lambda: sns.heatmap(pd.DataFrame([[1, 2], [3, 4]], index=["u", "v"], columns=["p", "q"])), [("1", "", "p", "u", 1), ("1", "", "q", "u", 2), ("1", "", "p", "v", 3), ("1", "", "q", "v", 4)]),
    "cluster": (lambda: sns.clustermap(np.array([[1.0, 9], [2, 7]])), None),
    "picture": (lambda: plt.imshow(np.array([[1, 2], [3, 4]])), [("1", "", 0, 0, 1), ("1", "", 1, 0, 2), ("1", "", 0, 1, 3), ("1", "", 1, 1, 4)]),
    "months of pandas": (lambda: of_series("line"), [("1", "1", "2020-01", 1), ("1", "1", "2020-02", 2)]),
    "bars of pandas": (lambda: of_series("bar"), [("1", "1", "2020-01", 1), ("1", "1", "2020-02", 2)]),
    "lying bars": (lambda: FRAME.set_index("loại")["thu"].head(2).plot.barh(), [("1", "thu", 1, "phí"), ("1", "thu", 2, "thuế")]),
    "pie": (lambda: plt.pie([1, 3], labels=["a", "b"])[0], [("1", "a", None, 0.25), ("1", "b", None, 0.75)]),
    "histogram": (lambda: plt.hist([1, 2, 2, 3], bins=2)[2], [("1", "1", 1.5, 1), ("1", "1", 2.5, 3)]),
    "band": (lambda: plt.fill_between([1, 2], [1, 2], [2, 3], label="khoảng"), [("1", "khoảng", 1, 2), ("1", "khoảng", 1, 1)]),
    "density": (lambda: sns.kdeplot([1, 2, 2, 3.0]), None),
}  # fmt: skip


@pytest.mark.parametrize("kind", FIGURES)
def test_a_figure_brings_its_data(kind):
    """Of a line, bar, point, cell: days as days, categories by name, a series by its name in the legend."""
    draw, wanted = FIGURES[kind]
    block = made(draw())
    if wanted is None:
        assert len(rows(block)) > 3
    else:
        assert rows(block)[: len(wanted)] == wanted
    assert set(types(block)) >= {"axes", "series", "x", "y"}
    assert as_csv(block.figures).startswith("axes,series,x")
    assert cleaning.svg(block.svg) == block.svg
    assert plt.get_fignums() == []


def test_days_have_the_type_of_days():
    """Numbers that of numbers; labels of the axes name what stands in a column, and its unit."""
    fig = lines_of_days()
    fig.axes[0].set(xlabel="ngày", ylabel="thu (triệu đồng)")
    block = made(fig, units={"ngày": "ngày"})
    fields = {field["name"]: field for field in block.figures["schema"]["fields"]}
    assert fields["x"] == {"name": "x", "type": "date", "title": "ngày", "unit": "ngày"}
    assert fields["y"] == {
        "name": "y",
        "type": "number",
        "title": "thu (triệu đồng)",
        "unit": "triệu đồng",
    }
    assert block.figures["ward"] == "phuc-dong"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"title": ""}, r'no title: write charts\.figure\(fig, book, title="…", alt="…"\)'),
        ({"alt": " "}, r"no alt: write charts\.figure"),
        ({"alt": None}, r"no alt: write charts\.figure"),
        ({"slug": "Hình 1"}, "'Hình 1' cannot name a file"),
        ({"slug": "../x"}, "cannot name a file"),
    ],
)
def test_what_a_chart_lacks_is_said(given, said):
    """With what to write, in both languages; the figure is not lost."""
    with pytest.raises(RequestError, match=said) as raised:
        made(lines_of_days(), **given)
    assert raised.value.told(book().language) != str(raised.value)


@pytest.mark.parametrize("fig", [FRAME, "x", None, 3, []])
def test_what_is_no_figure_is_refused(fig):
    """Its kind is named, and what would do."""
    with pytest.raises(RequestError, match=f"{type(fig).__name__} is no figure: give a Figure"):
        made(fig)


def test_an_empty_figure_is_refused():
    """There is nothing to number."""
    with pytest.raises(RequestError, match="the figure is empty"):
        made(plt.figure())


def test_letters_that_no_font_has_are_named():
    """Instead of empty boxes; pyplot closes the figure all the same."""
    fig, axes = plt.subplots()
    axes.set_title("Thu 日本")
    axes.plot([1])
    with pytest.raises(RequestError, match="no font of the figure has 日, 本"):
        made(fig)
    assert plt.get_fignums() == []


def test_a_figure_keeps_its_proportions():
    """A high one gets white room at its sides, so that it stands on a page."""
    for size, wanted in (((6.4, 4.8), 4.8 / 6.4), ((4, 2), 0.5), ((3, 12), 1.35)):
        fig, axes = plt.subplots(figsize=size)
        axes.plot([1, 2])
        svg = made(fig).svg
        _, _, wide, high = map(float, re.search('viewBox="([^"]*)"', svg)[1].split())
        assert high / wide == pytest.approx(wanted, abs=0.001)
        assert f'width="{wide:g}pt"' in svg


def test_the_same_figure_gives_the_same_bytes_and_changes_no_style():
    """No clock, no random names; the style of the session stays as it was."""
    before = dict(mpl.rcParams)
    first, second = made(lines_of_days()), made(lines_of_days())
    assert first.svg == second.svg
    assert "<dc:date>" not in first.svg
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_figure_is_numbered_among_our_charts(language):
    """In HTML and PDF, its title below it, its data attached."""
    ours = wardlib.open("phuc-dong", "2020-9M", language, "2020-09-13")
    shown = [
        ours,
        ours.tax.running_total_chart(),
        charts.figure(lines_of_days(), ours, title="Thêm", alt="Lời."),
    ]
    cells = [new_markdown_cell("# Thu", id="title")]
    for at, block in enumerate(shown):
        data, metadata = block._repr_mimebundle_()
        output = new_output("display_data", data=data, metadata=metadata)
        cells.append(new_code_cell("x", outputs=[output], id=f"c{at}"))
    notebook = new_notebook(cells=cells)
    page = WardHTMLExporter().from_notebook_node(notebook)[0]
    number = {"vi": "Hình 2", "en": "Figure 2"}[language]
    assert f'alt="Lời."></div><figcaption>{number}. Thêm</figcaption>' in page
    read = document.read(notebook)
    assert list(read.figures())[-1] == "figure"
    assert b"/EmbeddedFiles" in WardPDFExporter().from_notebook_node(notebook)[0]
    assert shown[-1]._repr_mimebundle_()[0][RESOURCE]["data"][0]["series"] == "thu"


HOSTILE = """
figure.facecolor: black
axes.facecolor: red
axes.prop_cycle: cycler('color', ['lime'])
lines.linewidth: 9
font.family: monospace
font.size: 30
text.color: yellow
text.usetex: False
axes.labelcolor: yellow
xtick.labelsize: 40
xtick.direction: in
savefig.facecolor: black
savefig.bbox: tight
figure.dpi: 33
svg.fonttype: none
path.sketch: 1, 100, 2
axes.unicode_minus: False
hatch.color: lime
legend.frameon: True
patch.linewidth: 5
axes.xmargin: 0.4
"""


def test_no_setting_of_a_user_changes_a_chart_of_ours(tmp_path):
    """Neither a `matplotlibrc` in the working folder or the home, nor what a session has set."""
    (tmp_path / "matplotlibrc").write_text(HOSTILE, encoding="utf-8")
    code = (
        "import hashlib, matplotlib, seaborn as sns, wardlib\n"
        "assert matplotlib.rcParams['font.size'] == {size}, matplotlib.matplotlib_fname()\n"
        "{more}\n"
        "book = wardlib.open('phuc-dong', '2020-9M', 'vi', '2020-09-13')\n"
        "for chart in (book.tax.running_total_chart(), book.schools.calendar_chart(), book.activities.chart()):\n"
        "    print(hashlib.sha256(chart.svg.encode()).hexdigest())\n"
    )
    session = "sns.set_theme('poster', 'dark'); matplotlib.rcParams['text.color'] = 'lime'"

    def drawn(folder, size, more=""):
        done = subprocess.run(
            [sys.executable, "-c", code.format(size=size, more=more)],
            cwd=folder, env=os.environ | {"MPLBACKEND": "agg", "WARDLIB_HOME": str(ROOT)}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    plain = tmp_path / "plain"
    plain.mkdir()
    wanted = drawn(plain, 10.0)
    assert len(wanted.split()) == 3
    assert drawn(tmp_path, 30.0) == wanted
    assert drawn(plain, 10.0, session) == wanted
