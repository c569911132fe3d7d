"""What the warm parent of all kernels imports. Importing this module IS the warming.

`kernels` names it to Python's forkserver, which imports it once and forks every kernel and every
worker from there; nothing else should. It loads the libraries that a briefing's notebook, an
exporter and ipykernel need, draws a chart and formats texts in each language, so that fonts, styles
and locale data are at hand. It opens no data file, and leaves no thread, no event loop and no
chosen chart backend behind.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # its warning is meant for who debugs; forks have their own
import ipykernel.debugger  # draws in debugpy, which every start of a kernel would import
import ipykernel.kernelapp
import matplotlib
import numpy as np

import wardlib.runs  # noqa: F401 - what a worker and, but for papermill, a notebook needs
from wardlib import charts

_PATH = [entry for entry in sys.path if entry not in ("", *os.environ.get("PYTHONPATH", "").split(os.pathsep))]


def _code() -> dict[str, int]:
    folder = Path(__file__).parent
    return {str(file): file.stat().st_mtime_ns for file in sorted(folder.glob("*.py"))}


_CODE = _code()


def refresh(env: dict[str, str]) -> None:
    """In a fork: give this process the environment `env` and what Python and the libraries would
    have made of it, chance of its own, and wardlib as it is on disk now."""
    os.environ.clear()
    os.environ.update(env)
    extra = [entry for entry in env.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.path[:] = [*extra, *_PATH]
    # ipykernel names its backend to a matplotlib that is imported later than itself.
    inline = "module://matplotlib_inline.backend_inline"
    matplotlib.rcParams["backend"] = env.get("MPLBACKEND", inline)
    np.random.seed()  # noqa: NPY002 - the global state, which all forks would share
    if _code() != _CODE:  # an analyst has edited it and restarted the kernel
        for name in [name for name in sys.modules if name.partition(".")[0] == "wardlib"]:
            del sys.modules[name]


gc.collect()
gc.freeze()  # what is here now is nobody's garbage: forks leave its pages shared
