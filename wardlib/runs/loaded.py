"""What the parent of a run's processes loads (`parent`). Importing this module IS the loading.

multiprocessing's forkserver imports it once and forks every ward process from there; nothing else should.
It loads what a notebook, an exporter and the engine need and draws a chart and formats texts in each
language, so that fonts, styles and locale data are at hand. It opens no file of a ward, compiles no page, and
leaves no thread and no event loop behind.
"""

# ruff: noqa: E402 - what comes before an import is there for its sake

from __future__ import annotations

import gc

gc.disable()  # until all is loaded: modules are no garbage, and looking for some takes a while

import atexit
import os

from wardlib import provenance
from wardlib.runs import execution, parent, wards  # noqa: F401 - for ward processes

execution.prepare()
atexit.register(parent.clear_up, os.getpid())
provenance.versions()  # of what has just been loaded, whatever is edited later
gc.freeze()  # what is here now stays: forks leave its pages shared
gc.set_threshold(50_000, 20, 50)  # pandas makes much garbage that refers to nothing: look seldom
gc.enable()
