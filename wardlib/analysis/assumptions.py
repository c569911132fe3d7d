"""Assumptions: what an analyst supposes in place of what the tables say ("what if")."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from wardlib.analysis.tables import months_of
from wardlib.errors import RequestError, said
from wardlib.periods import Period
from wardlib.shown import Shown

_Item = TypeVar("_Item", str, int)
Learnt = TypeVar("Learnt", pd.Series, pd.DataFrame)


@dataclass(frozen=True, repr=False)
class Assumptions(Shown):
    """What is supposed; what is left empty is as the tables have it. False where nothing is supposed.

    `start`: the first month of the effect, e.g. "2020-03". `phases`: those of the epidemic that count, by
    the names of covid_phases. `share`: how much of what may be put off by law is (0 to 1). `leave_out`: years
    that the estimate does not learn from. `lines`: the revenue lines that are looked at. `level`: how often
    an interval is to hold the truth, from 0.8 to 0.999: below, words would claim what is often false.

    A result that was made so carries those that it hangs on as `assumptions`, and every page that shows it
    says them (`Edition.what_if`). One text or year stands for a list of it. Raises RequestError where one of
    them cannot be.
    """

    start: str = ""
    phases: tuple[str, ...] = ()
    share: float | None = None
    leave_out: tuple[int, ...] = ()
    lines: tuple[str, ...] = ()
    level: float | None = None

    def __post_init__(self) -> None:
        start = str(self.start or "")  # a pandas Period too
        if start and len(Period.parse(start).months) != 1:
            raise RequestError(
                said("the start {start} is no month: give one such as 2020-03.", start=repr(start))
            )
        phases, lines = (_listed(given, str) for given in (self.phases, self.lines))
        put = object.__setattr__  # the way of a frozen dataclass to tidy what it was given
        put(self, "start", start)
        put(self, "phases", phases)
        put(self, "lines", lines)
        put(self, "leave_out", tuple(sorted(_listed(self.leave_out, _year))))
        put(self, "share", _number(self.share, "share"))
        put(self, "level", _number(self.level, "level"))
        if self.share is not None and not 0 <= self.share <= 1:
            raise RequestError(
                said("a share is from 0 to 1, not {share}: 0.6 is 60 %.", share=self.share)
            )
        if self.level is not None and not 0.8 <= self.level <= 0.999:
            raise RequestError(
                said("a level is from 0.8 to 0.999, not {level}: 0.8 is 80 %.", level=self.level)
            )

    def only(self, *names: str) -> Assumptions:
        """Those of some names, on which a result hangs."""
        return Assumptions(**{name: value for name, value in self.given.items() if name in names})  # type: ignore[arg-type]  # the checker knows no names

    def learnt_from(self, series: Learnt, start: pd.Period) -> Learnt:
        """Amounts by month without those from before `start` of years that are left out.

        Raises RequestError where there is no month before it of such a year.
        """
        if not self.leave_out:
            return series
        months = months_of(series)
        before = months.year[months < start].unique()
        if strange := [year for year in self.leave_out if year not in before]:
            raise RequestError(
                said(
                    "there is no history of {years} to leave out. Years here: {known}.",
                    years=", ".join(map(str, strange)),
                    known=", ".join(map(str, before)),
                )
            )
        learnt = series.copy()
        learnt[(months < start) & months.year.isin(self.leave_out)] = np.nan
        return learnt

    def __bool__(self) -> bool:
        return self != NOTHING

    @property
    def told(self) -> str:
        """What is supposed, in a line of names and values; the lines that are looked at move no figure."""
        facts = self._facts()
        return "; ".join(f"{name} {text}" for name, text in facts.items() if name != "lines")

    def _facts(self) -> dict[str, str]:
        return {
            name: ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
            for name, value in self.given.items()
        }

    @property
    def given(self) -> dict[str, object]:
        """What is supposed, by name."""
        nothing = asdict(NOTHING)
        return {name: value for name, value in asdict(self).items() if value != nothing[name]}


def _listed(given: Any, made: Callable[[Any], _Item]) -> tuple[_Item, ...]:
    """A list of what was given, be it one or several, each once."""
    several = isinstance(given, Iterable) and not isinstance(given, str)
    every = given if several else [given]
    return tuple(dict.fromkeys(made(one) for one in every if one not in ("", None)))


def _year(given: Any) -> int:
    text = str(given)
    if not (text.isascii() and text.isdecimal() and len(text) == 4):
        raise RequestError(said("{year} is no year: give one such as 2017.", year=repr(given)))
    return int(text)


def _number(given: Any, name: str) -> float | None:
    if given is None:
        return None
    try:
        return float(given)
    except (TypeError, ValueError):
        raise RequestError(
            said("the {name} {value} is no number: 0.6 is 60 %.", name=name, value=repr(given))
        ) from None


NOTHING = Assumptions()
