"""Counts of persons too small to print, and what would reveal them.

A count from 1 to 4 may point at single persons. Where the total of a row of counts is printed too, a
hidden cell could be worked out from the rest, so larger cells are hidden with it until it cannot.
Threshold and practice: OECD glossary "cell suppression"; secondary suppression as in the handbook of
statistical disclosure control, ch. 5 (https://sdctools.github.io/HandbookSDC/05-frequency-tables.html).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

LARGEST = 4  # the largest count of persons that is not printed


def hidden(counts: pd.Series) -> tuple[pd.Series, bool]:
    """Which of `counts` (persons; missing ones stay missing) must not be printed beside their total,
    and whether the total itself must not.

    A reader who knows this rule, the total and all printed cells can still not tell what a hidden
    count is: at least one hidden cell is larger than `LARGEST`, and the hidden sum leaves every small
    one more than one value. Where the cells do not suffice for that, the total is hidden.
    """
    cells = counts.to_numpy(dtype=float, na_value=np.nan)
    small = (cells > 0) & (cells <= LARGEST)
    mask = pd.Series(small, counts.index)
    total = int(np.nansum(cells))
    if 0 < total <= LARGEST:
        return mask, True
    if not small.any():
        return mask, False
    hide, away = small.copy(), cells[small].sum()
    larger = np.flatnonzero(cells > LARGEST)
    in_order = larger[np.argsort(cells[larger], kind="stable")]
    for added, place in enumerate(in_order, start=1):
        hide[place] = True
        away += cells[place]
        # Others at their least: 5 for each added cell, 1 for each small one. What is left over has to
        # let a small one be 1 or 2.
        if away >= (LARGEST + 1) * added + small.sum() + 1:
            return pd.Series(hide, counts.index), False
    return pd.Series(hide, counts.index), True
