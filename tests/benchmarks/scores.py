"""How a predictive distribution is scored."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from wardlib.analysis import counterfactual

TAIL = (1 - counterfactual.LEVEL) / 2


def winkler(sums: np.ndarray, truth: float) -> tuple[bool, float]:
    """Whether the 95 % interval of `sums` holds `truth`, and its interval score (Gneiting and
    Raftery 2007): width plus 2/0.05 times what lies outside."""
    low, high = np.quantile(sums, (TAIL, 1 - TAIL))
    return low <= truth <= high, high - low + (max(low - truth, 0) + max(truth - high, 0)) / TAIL


def geometric(values: Iterable[float]) -> float:
    """Geometric mean."""
    return float(np.exp(np.mean(np.log(list(values)))))


def clustered(held: pd.Series, cluster: pd.Series) -> tuple[float, float]:
    """Mean of `held`, and half the width of its 95 % interval where what is of one cluster goes
    together (sandwich estimate)."""
    mean = held.mean()
    rest = (held - mean).groupby(cluster).sum()
    return float(mean), float(1.96 * np.sqrt((rest**2).sum()) / len(held))
