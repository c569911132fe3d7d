"""Outliers: amounts so far from a line's usual ones that a unit or a digit may be wrong.

A clerk who reports thousands of đồng in place of đồng, or one zero too many, moves an amount by a power
of ten. What is usual is read from the logs of the line itself: the size of each month of the calendar,
and the level of the amounts around. A month is named from 9 times the usual, or a 50th of it, and a
change that lasts from 50 times on, farther where the line's months vary more: a wrong factor of a hundred or a thousand is found nearly
always, one of ten only in calm lines.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from wardlib.analysis.tables import Floats, Ints, months_of

FEWEST = 12  # months with an amount, without which nothing is usual
_BESIDE = 6  # amounts on either side that say the level
_YEAR = 12  # months on either side of a lasting change
_LASTING = 3  # months that a change must last
_CHANGE = np.log(50.0)  # of a lasting change, at least
_CHANGES = 6  # that are looked for
_HIGH, _LOW = np.log(9.0), np.log(50.0)  # of a single month, at least
_TO_SD = 1.4826  # of a normal distribution: sd over median absolute deviation
_SCALES = 5.0  # likewise, in standard deviations of the line's months

COLUMNS = ["line", "first", "last", "low", "high", "usual_low", "usual_high"]


def find(months: pd.DataFrame) -> pd.DataFrame:
    """The outliers among amounts by month (every month, missing ones NaN) and line.

    One row a run of months that are off together: `line`, its `first` and `last` month (inclusive) with
    an amount, their amounts (`low` to `high`) and those that are usual in these months of the calendar
    (`usual_low` to `usual_high`). Months without an amount (missing, nothing, a refund) are none, and
    say nothing of the others. Of two lasting levels the first is taken for the usual one if at least
    twelve months have it.
    """
    rows = [(line, *found) for line in months for found in _of_line(months[line])]
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_line(
    amounts: pd.Series,
) -> Iterator[tuple[pd.Period, pd.Period, float, float, float, float]]:
    """The rows of one line."""
    given = amounts.to_numpy(dtype=float)
    known = np.flatnonzero(given > 0)
    if len(known) < FEWEST:
        return
    months = months_of(amounts)[known]
    logs, calendar = np.log(given[known]), months.month.to_numpy() - 1
    rest = logs - _season(logs, calendar)
    level = _lasting(known, rest)
    away = _beside(rest - level)
    # How much the months vary; where few have years to compare, the season is part of it.
    often = np.bincount(calendar, minlength=12)[calendar] > 2
    varying = away[often] if often.sum() >= FEWEST else _beside(logs)
    least = _SCALES * _TO_SD * np.median(np.abs(varying))
    alone = (away > max(_HIGH, least)) | (away < -max(_LOW, least))
    off = level + np.where(alone, away, 0.0)
    edges = np.flatnonzero(np.abs(np.diff(off)) > _HIGH) + 1
    for run in np.split(np.arange(len(off)), edges):
        if not off[run].any():
            continue
        own, same = np.exp(logs[run]), np.isin(calendar, calendar[run])
        others = np.setdiff1d(np.flatnonzero(same), run)
        usual = np.exp((logs - off)[others if len(others) else run])
        low, high = float(usual.min()), float(usual.max())
        if not low <= np.median(own) <= high:
            yield months[run[0]], months[run[-1]], float(own.min()), float(own.max()), low, high


def _season(logs: Floats, calendar: Ints) -> Floats:
    """The usual log of each month's place in the calendar against the amounts around it: the median of
    three years or more; of fewer, what is nearest to them, so that a single year says nothing of itself."""
    centred = _beside(logs)
    usual: Floats = np.zeros(len(logs))
    for month in set(calendar.tolist()):
        own = centred[calendar == month]
        nearest = own[np.argmin(np.abs(own))]
        usual[calendar == month] = np.median(own) if len(own) > 2 else nearest
    return usual


def _beside(values: Floats) -> Floats:
    """How far each amount is from the median of those around it."""
    away: Floats = np.zeros(len(values))
    for place, value in enumerate(values):
        before, after = values[max(place - _BESIDE, 0) : place], values[place + 1 :][:_BESIDE]
        away[place] = value - np.median(np.r_[before, after])
    return away


def _lasting(known: Ints, rest: Floats) -> Floats:
    """The level of each month against that of the first, where a change lasts; against the level that
    most months have where fewer than a year's have the first."""
    level: Floats = np.zeros(len(rest))
    ordered = np.sort(rest)
    if ordered[-2] - ordered[1] < _CHANGE:  # no medians of three are further apart
        return level
    for _ in range(_CHANGES):
        best, at, size = 0.0, 0, 0.0
        flat = rest - level
        for place in range(_LASTING, len(rest) - _LASTING + 1):
            before = flat[:place][known[:place] > known[place - 1] - _YEAR]
            after = flat[place:][known[place:] < known[place] + _YEAR]
            step = np.median(after) - np.median(before)
            if abs(step) < _CHANGE:
                continue
            apart = np.r_[before - np.median(before), after - np.median(after)]
            if abs(step) < _SCALES * _TO_SD * np.median(np.abs(apart)):
                continue
            # The place that divides best: what it takes off the absolute deviations.
            both = np.r_[before, after]
            gain = np.abs(both - np.median(both)).sum() - np.abs(apart).sum()
            if gain > best:
                best, at, size = gain, place, step
        if best == 0:
            break
        level[at:] += size
    alike = np.abs(level[:, None] - level) < _CHANGE  # levels that are the same but for their error
    first = int(alike[0].sum())
    level -= level[0] if first >= _YEAR else level[np.argmax(alike.sum(axis=1))]
    level[np.abs(level) < _CHANGE] = 0.0
    return level
