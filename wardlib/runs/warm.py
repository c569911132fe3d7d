"""What the warm parent of all kernels imports. Importing this module IS the warming.

`forks` names it to Python's forkserver, which imports it once and forks every kernel and every
worker from there; nothing else should. It loads what a briefing's notebook, an exporter and ipykernel
need, draws a chart and formats texts in each language, so that fonts, styles and locale data are at
hand. It opens no data file, and leaves no thread of Python's and no event loop behind.
"""

# ruff: noqa: E402 - what comes before an import is there for its sake

from __future__ import annotations

import datetime
import gc
import importlib.util
import os
import sys
import time
from collections.abc import Callable
from types import ModuleType

gc.disable()  # until all is loaded: modules are no garbage, and looking for some takes a while

import ipykernel.kernelapp  # noqa: F401
import matplotlib
import numpy as np
import pandas as pd


def _load_later(name: str, *functions: str) -> ModuleType:
    """A stand-in for a module that is seldom asked: the real one loads when it is."""

    def later(function: str) -> Callable[..., object]:
        def ask(*arguments: object, **options: object) -> object:
            return getattr(importlib.import_module(name), function)(*arguments, **options)

        return ask

    module = ModuleType(name)
    for function in functions:
        setattr(module, function, later(function))
    return module


_TREES = _load_later("scipy.cluster.hierarchy", "linkage", "dendrogram")  # seaborn asks
_CLUSTERS = ModuleType("scipy.cluster")
_CLUSTERS.hierarchy = _TREES
# What takes long to load and is seldom asked, and who asks.
_SELDOM = [
    _load_later("rfc3987_syntax", "is_valid_syntax"),  # jsonschema, whether a web address is one
    _load_later("scipy.stats", "gaussian_kde"),  # seaborn, for densities
    _TREES,
    _CLUSTERS,
    _load_later("bs4", "BeautifulSoup"),  # nbconvert's own pages
]
_SELDOM = [
    module for module in _SELDOM if importlib.util.find_spec(module.__name__.partition(".")[0])
]
sys.modules.update((module.__name__, module) for module in _SELDOM)

import nbformat

from wardlib import language, provenance
from wardlib.analysis import counterfactual
from wardlib.data import profile
from wardlib.pages import drawing, html, markdown, typst, workbook  # noqa: F401 - workbook for notebooks
from wardlib.runs import execution, runs  # noqa: F401 - for workers

for _module in _SELDOM:
    del sys.modules[_module.__name__]

# What a kernel or a worker would otherwise import at its own start, each one anew.
_LATE = (
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "IPython.utils.wildcard",
    "encodings.cp437",
    "encodings.unicode_escape",
    "encodings.utf_8_sig",
    "faulthandler",
    "jinja2.ext",
    "multiprocessing.popen_fork",
    "multiprocessing.popen_forkserver",
    "multiprocessing.synchronize",
    "pandas.core.methods.to_dict",
    "pandas.core.reshape.reshape",
    "pandas.io.formats.csvs",
    "psutil",
    "sqlite3",
    "tornado.platform.asyncio",
    "wardlib.runs.forks",
    "wardlib.runs.kernels",
    "zmq.utils.garbage",
)
_INLINE = "module://matplotlib_inline.backend_inline"
_PATH = [
    entry
    for entry in sys.path
    if entry not in ("", *os.environ.get("PYTHONPATH", "").split(os.pathsep))
]


def _code() -> dict[str, int]:
    return {str(file): file.stat().st_mtime_ns for file in provenance.code_files()}


_CODE = _code()
_DAY = datetime.date(2020, 9, 13)


def refresh(env: dict[str, str]) -> None:
    """In a fork: give this process the environment `env` and what Python and the libraries would
    have made of it, chance of its own, and wardlib as it is on disk now."""
    os.environ.clear()
    os.environ.update(env)
    extra = [entry for entry in env.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:] = [*extra, *_PATH]
    time.tzset()
    if (backend := env.get("MPLBACKEND", _INLINE)) != _INLINE:
        matplotlib.rcParams["backend"] = backend
    np.random.seed()
    if _code() != _CODE:  # an analyst has edited it and restarted the kernel
        for name in [name for name in sys.modules if name.partition(".")[0] == "wardlib"]:
            del sys.modules[name]


def _warm() -> None:
    # debugpy warns those who debug of Python's frozen modules; forks have an environment of their own.
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    for name in ("ipykernel.debugger", *_LATE):
        importlib.import_module(name)
    # ipykernel tells its backend to a matplotlib that is imported later than itself; ours is not.
    matplotlib.rcParams["backend"] = _INLINE
    for code in language.CODES:
        spoken = language.get(code)
        with drawing.drawing(2.0) as (figure, axes):
            axes.plot([0, 1], [0, 1])
            axes.set_title(f"Thu ngân sách {spoken.number(1234.5, 1)} {spoken.date(_DAY)}")
            drawing.outlines(figure)
    # What a block, an estimate and a notebook's check make once.
    block = {"kind": "paragraph", "text": "Thu", "note": False}
    html.render(block)
    typst.render(block)
    markdown.as_html("Thu")
    markdown.as_typst("Thu")
    series = pd.Series(np.arange(1.0, 61.0), pd.period_range("2015-01", periods=60, freq="M"))
    counterfactual.estimate(series, start=series.index[48])
    nbformat.validate(nbformat.v4.new_notebook())
    profile.validator()
    execution.load_exporters()
    provenance.versions()  # of what has just been loaded, whatever is edited later


_warm()
gc.freeze()  # what is here now stays: forks leave its pages shared
gc.set_threshold(50_000, 20, 50)  # pandas makes much garbage that refers to nothing: look seldom
gc.enable()
