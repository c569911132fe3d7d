"""The ward's COVID-19 workbook: what the epidemic did to tax collection, schools, culture and sport.

Three functions are for everybody: `open` gives one edition of a ward's workbook, `explore` a desk with
controls to try what if, `estimate` what a monthly series would have been. Importing this does nothing, but that a notebook's Tab learns what exists;
what they need is imported when they are called. The floors below are described in ARCHITECTURE.md.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wardlib.analysis.counterfactual import estimate as estimate
    from wardlib.pages.explorer import Explorer
    from wardlib.pages.workbook import Workbook

__version__ = "0.9.0"
__all__ = ["estimate", "explore", "open"]


def open(ward: str, period: str, language: str = "vi", as_of: str = "") -> Workbook:
    """One edition of a ward's workbook: what was known of `period` on the day `as_of`.

    `ward`: a folder of `data/`. `period`: 2020-09, 2020-Q3, 2020-H1, 2020-9M or 2020. `language`: "vi"
    or "en". `as_of`: nothing reported after this day is seen, e.g. "2020-09-13"; "" for the
    newest day on which something of the period or before was reported.
    A year and a ward whose name is a number may come as one, as `papermill -p` hands them over, a day as a
    date.

    Raises RequestError where they name nothing, or where nothing was reported for the period, and
    DataError with every fault of a file, when a page first reads it.
    """
    from wardlib.pages.workbook import open_workbook

    return open_workbook(*_texts(ward, period, language, as_of))


def explore(ward: str, period: str, language: str = "vi", as_of: str = "") -> Explorer:
    """Controls in a notebook for one edition after the other: chart, table and sentence of revenue lines as
    they stand, and beside them what if. Takes and raises what `open` does; it needs ipywidgets.
    """
    from wardlib.pages.explorer import Explorer

    return Explorer(*_texts(ward, period, language, as_of))


def _texts(ward: str, period: str, language: str, as_of: str) -> tuple[str, str, str, str]:
    """What was asked for, as texts."""
    from wardlib.data.descriptors import named

    found = ward if isinstance(ward, str) else named(ward)
    return found, str(period), str(language), str(as_of)


def __getattr__(name: str) -> object:
    if name == "estimate":
        from wardlib.analysis.counterfactual import estimate

        return estimate
    raise AttributeError(f"module 'wardlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


def _tab() -> None:
    """Where a notebook imports this, have Tab complete what `open` is asked for."""
    interactive = getattr(sys.modules.get("IPython"), "get_ipython", None)
    if interactive and (shell := interactive()):
        from wardlib.pages.completion import register

        register(shell)


_tab()
