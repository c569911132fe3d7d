"""Results: what analysis made of a ward's tables: how it says what it is, and hands out its figures."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import pandas as pd

from wardlib.errors import RequestError, nearest, said
from wardlib.shown import Shown, number

CURRENCY = "currency"  # in place of a unit: that of the ward


@dataclass(frozen=True)
class Origin:
    """Of whom a result is: the ward, the currency of its amounts, the day on which the figures were known,
    whether they are illustrative, their sources, and what was supposed for it. What is not known is empty."""

    ward: str = ""
    currency: str = ""
    day: datetime.date | None = None
    illustrative: bool = False
    sources: tuple[str, ...] = ()
    supposed: str = ""


def plain(record: Result) -> dict[str, Any]:
    """The fields of a record by name, but for its origin."""
    return {own.name: getattr(record, own.name) for own in fields(record) if own.name != "origin"}


@dataclass(frozen=True, repr=False)
class Result(Shown):
    """A frozen result. A child names its tables, the first of which says most, and the unit of each column
    that has one (`CURRENCY` for money)."""

    origin: Origin = field(default=Origin(), kw_only=True, compare=False, repr=False)

    _tables: ClassVar[tuple[str, ...]] = ()
    _units: ClassVar[Mapping[str, str]] = {}

    def table(self, name: str = "") -> pd.DataFrame:
        """The figures as one tidy DataFrame of its own, a row an observation: by default those that say
        most, else what the result holds under that `name`.

        `attrs` has the `units` of the columns that have one ("1" for a share, where 1 is all), and, where it
        is known, `ward`, `period`, `day` (on which the figures were known), `illustrative`, `source` and
        `what_if`, what was supposed.
        Raises RequestError where there is no such table.
        """
        if name and name not in self._tables:
            raise RequestError(
                said(
                    "there is no table {name}. Tables here: {tables}.",
                    name=repr(name),
                    tables=", ".join(self._tables),
                ),
                nearest(name, self._tables),
            )
        name = name or next(iter(self._tables), "")
        frame, every = self._tidied(name), self._units_of(name)
        money = self.origin.currency or "as given"
        units = {
            str(column): money if unit == CURRENCY else unit
            for column in frame.columns
            if (unit := every.get(str(column)))
        }
        origin = self.origin
        known = {
            "ward": origin.ward,
            "period": str(getattr(self, "period", "")),
            "day": origin.day.isoformat() if origin.day else "",
            "illustrative": origin.illustrative if origin.ward else "",
            "source": "; ".join(origin.sources),
            "what_if": origin.supposed,
        }
        frame.attrs = {"units": units} | {key: text for key, text in known.items() if text != ""}
        return frame

    def _tidied(self, name: str) -> pd.DataFrame:
        """A table of the result with nothing left in its index."""
        frame: pd.DataFrame = getattr(self, name)
        return frame.reset_index() if any(frame.index.names) else frame.reset_index(drop=True)

    def _units_of(self, name: str) -> Mapping[str, str]:
        """The unit of each column of a table that has one."""
        return self._units

    def _of(self) -> dict[str, Any]:
        if not self.origin.ward:
            return {}
        supposed = self.origin.supposed
        known = {"ward": self.origin.ward, "illustrative": self.origin.illustrative}
        period = {"period": str(self.period)} if hasattr(self, "period") else {}
        return known | period | {"assumptions": f"WHAT IF: {supposed}" if supposed else ""}

    def _title(self) -> str:
        period = getattr(self, "period", None)
        parts = [self.origin.ward, str(period) if period else ""]
        if self.origin.day:
            parts.append(f"as known on {self.origin.day}")
        if self.origin.illustrative:
            parts.append("illustrative figures")
        if self.origin.supposed:
            parts.append(f"WHAT IF {self.origin.supposed}")
        about = ", ".join(filter(None, parts))
        return f"{type(self).__name__} of {about}" if about else type(self).__name__

    def _amount(self, value: float, low: float | None = None, high: float | None = None) -> str:
        """An amount of money with its unit and, where there is one, its interval."""
        text = number(value, self.origin.currency)
        if low is None or high is None or low != low:
            return text
        level = getattr(self, "level", 0.95)
        return f"{text} ({100 * level:.4g} %: {number(low)} to {number(high)})"
