"""What the parent of a run's processes loads (`parent`). Importing this module IS the loading.

multiprocessing's forkserver imports it once and forks every ward process from there; nothing else should.
It loads what a notebook, an exporter and the engine need and makes what any first job would, so that
fonts, styles, templates and locale data are at hand. It opens no file of a ward, compiles no page, and leaves
no thread and no event loop behind. What takes long to load and is seldom asked loads when it is.
"""

# ruff: noqa: E402 - what comes before an import is there for its sake

from __future__ import annotations

import atexit
import gc
import importlib.util
import os
import sys
from types import ModuleType, TracebackType

gc.disable()  # until all is loaded: modules are no garbage, and looking for some takes a while


class _Later(ModuleType):
    """Stands in for a module while others load: a function of its own loads the real one when called."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *words, **more: getattr(importlib.import_module(self.__name__), name)(
            *words, **more
        )


_SELDOM = [
    _Later(name)
    for name in (
        "rfc3987_syntax",  # jsonschema, whether a web address is one
        "scipy.cluster",  # seaborn, for trees
        "scipy.cluster.hierarchy",
        "scipy.stats",  # seaborn, for densities
        "bs4",  # nbconvert's own pages
    )
    if importlib.util.find_spec(name.partition(".")[0])
]
sys.modules.update({module.__name__: module for module in _SELDOM})

from wardlib import provenance
from wardlib.runs import execution, parent, wards  # noqa: F401 - for ward processes

for _module in _SELDOM:
    del sys.modules[_module.__name__]


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """As usual; but a request for a process whose sender is gone by now is no news."""
    if kind is not EOFError:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _uncaught
execution.prepare()
atexit.register(parent.clear_up, os.getpid())
provenance.versions()  # of what has just been loaded, whatever is edited later
gc.freeze()  # what is here now stays: forks leave its pages shared
gc.set_threshold(50_000, 20, 50)  # pandas makes much garbage that refers to nothing: look seldom
gc.enable()
