"""Pages set by a process beside the one that asks for them."""

import datetime
import multiprocessing
import os
import signal
import threading
import time

import pytest

from wardlib.errors import ExportError
from wardlib.pages import typst

DAY = datetime.date(2020, 9, 13)
END = "#context [#metadata((page: here().page(), top: 0)) <end>]"


def page(text):
    return f'#set document(title: "Thu")\n{text}\n{END}', [], DAY


@pytest.fixture
def setter(monkeypatch):
    """A process that sets the pages of this one."""
    context = multiprocessing.get_context("spawn")  # a process that has set a page must not fork
    here, there = context.Pipe()
    process = context.Process(target=typst.serve, args=(there,))
    process.start()
    there.close()
    monkeypatch.setattr(typst, "_setter", None)
    typst.elsewhere(here)
    yield process
    here.close()
    process.join(20)
    assert process.exitcode is not None, "it does not end with its connection"


def alone(monkeypatch, text):
    """The page set in this process."""
    with monkeypatch.context() as here:
        here.setattr(typst, "_setter", None)
        return typst.compile_pdf(*page(text))


def by_itself(monkeypatch):
    """From now on, the pages that this process sets itself."""
    pages = []
    real = typst._compiled
    monkeypatch.setattr(typst, "_compiled", lambda *of: pages.append(of) or real(*of))
    return pages


def test_a_page_set_elsewhere_is_the_same(setter, monkeypatch):
    """Byte for byte, and not set here a second time; one that cannot be set says the same, and the
    next one is set."""
    mine = alone(monkeypatch, "Thu phí")
    with pytest.raises(ExportError) as here:
        alone(monkeypatch, "Phí 中 #strange")
    pages = by_itself(monkeypatch)
    assert typst.compile_pdf(*page("Thu phí")) == mine
    with pytest.raises(ExportError) as there:
        typst.compile_pdf(*page("Phí 中 #strange"))
    assert str(there.value) == str(here.value)
    assert typst.compile_pdf(*page("Thu phí")) == mine
    assert not pages
    assert setter.is_alive()


def test_where_the_setter_is_killed_the_page_is_set_here(setter, monkeypatch):
    """One that hangs, killed by its owner in the middle of a page; and the page after it."""
    mine = alone(monkeypatch, "Thu phí")
    pages = by_itself(monkeypatch)
    os.kill(setter.pid, signal.SIGSTOP)
    ending = threading.Timer(0.2, setter.kill)
    ending.start()
    began = time.monotonic()
    assert typst.compile_pdf(*page("Thu phí")) == mine
    assert time.monotonic() - began > 0.15, "it was not waited for"
    assert typst.compile_pdf(*page("Thu phí")) == mine
    assert len(pages) == 2


def test_a_setter_leaves_when_it_has_set_its_pages(setter, monkeypatch):
    """It ends well by itself, and pages are set here until there is another one."""
    mine = alone(monkeypatch, "Thu phí")
    pages = by_itself(monkeypatch)
    for _ in range(typst._FULL + 1):
        assert typst.compile_pdf(*page("Thu phí")) == mine
    setter.join(20)
    assert setter.exitcode == 0
    assert len(pages) == 1
