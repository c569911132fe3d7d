"""A funnel: which of several units stand out, given how large they are and how surely each is known.

Small units scatter more than large ones; a ranking puts them at both ends by chance alone. The funnel is
D. J. Spiegelhalter's: Funnel plots for comparing institutional performance, Statistics in Medicine 24
(2005), 1185-1202, with its overdispersion: z-scores winsorised, an additive variance between units. Done
otherwise is what keeps the rate of false alarms where few units tell how much they differ. Winsorising
makes z-scores look closer together than they are: their scatter is held against that of winsorised z-scores
of as many normal units, and the variance solved for by Paule and Mandel's equation. The centre is the mean
of the winsorised ratios, so that a large unit that stands out does not draw it near. And as the variance
between units is itself estimated, limits are Student's, of the degrees of freedom that F. E. Satterthwaite
(Biometrics Bulletin 2 (1946), 110-114) gives to the sum of a known and an estimated variance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit  # type: ignore[import-untyped]  # SciPy ships no types

from wardlib.analysis.results import CURRENCY, Result
from wardlib.analysis.tables import Floats

RATE = 0.05  # chance that any unit at all is said to stand out where none does
FEWEST = 5  # units with which it can be told who stands out
WINSORISED = 0.1  # share of the units at either end whose z-scores are drawn in
_CURVE = 60  # points of the limits
_ROUNDS, _HALVINGS = 10, 30


@dataclass(frozen=True, repr=False)
class Funnel(Result):
    """What a funnel shows.

    `units`: index as given; columns `size`, `ratio`, `error` (standard error of the ratio), `z` (how many
    standard errors, the spread between units counted, the ratio is off the `centre`), `lower` and `upper`
    (between which the unit does not stand out), `stands_out`. The limits allow for the number of units
    (Bonferroni): were all of one kind, one or more would be said to stand out with chance `RATE`. With fewer
    than `FEWEST` units they are infinite, and nobody stands out.

    `limits`: index `size`, from the least to the greatest; columns `lower`, `upper`: the same for a unit of
    that size whose error is what units of that size have (log error on log size, by least squares). A unit
    that is known less surely than others of its size may lie outside them and not stand out.

    `centre`: the ratio around which the units lie; `spread`: standard deviation between them beyond their
    errors (overdispersion; 0: none is seen).
    """

    units: pd.DataFrame
    limits: pd.DataFrame = field(repr=False)
    centre: float
    spread: float

    _tables = ("units", "limits")
    _units = {"size": CURRENCY} | dict.fromkeys(("ratio", "error", "lower", "upper"), "1")

    def _facts(self) -> dict[str, str]:
        return {
            "units": str(len(self.units)),
            "centre": f"{self.centre:.1%}",
            "spread between units": f"{self.spread:.1%}",
            "stand out": ", ".join(map(str, self.outside)) or "none",
        }

    @property
    def outside(self) -> list[str]:
        """The units that stand out, the farthest first."""
        far: pd.Series = self.units.loc[self.units["stands_out"], "z"].abs()
        order: list[str] = far.sort_values(ascending=False, kind="stable").index.tolist()
        return order


def find(size: pd.Series, ratio: pd.Series, error: pd.Series) -> Funnel:
    """The funnel of units (index of all three): how large they are, what is compared, and its standard
    error, of which no more may be common to the units than falls out of their differences.

    Raises ValueError where the units are not the same, none is given, or a size or error is not a number
    above zero.
    """
    if not (size.index.equals(ratio.index) and size.index.equals(error.index)):
        raise ValueError(
            "size, ratio and error are of different units: give all three the same index"
        )
    if size.empty:
        raise ValueError("there is no unit: give one at least")
    for name, given in (("size", size), ("error", error)):
        if not (np.isfinite(given) & (given > 0)).all():
            raise ValueError(f"a unit has no {name}: leave out those of which nothing is known")
    values, errors = ratio.to_numpy(float), error.to_numpy(float)
    centre, spread = _fitted(values, errors)
    wide = np.hypot(errors, spread)
    off = _times(wide, spread, len(values)) * wide
    z = (values - centre) / wide
    units = pd.DataFrame(
        {
            "size": size,
            "ratio": ratio,
            "error": error,
            "z": z,
            "lower": centre - off,
            "upper": centre + off,
            "stands_out": np.abs(values - centre) > off,
        }
    )
    return Funnel(units, _limits(units, centre, spread), centre, spread)


def _times(wide: Floats, spread: float, count: int) -> Floats:
    """How many standard errors `wide`, of which `spread` is estimated from `count` units, one stands out."""
    if count < FEWEST:
        return np.full(len(wide), np.inf)
    freedom = (count - 1) * (wide / max(spread, 1e-6 * wide.min())) ** 4
    found: Floats = stdtrit(np.minimum(freedom, 1e9), 1 - RATE / count / 2)
    return found


def _fitted(values: Floats, errors: Floats) -> tuple[float, float]:
    """The centre of the values, and their spread beyond their errors: the one with which the winsorised
    z-scores scatter as they should (R. C. Paule and J. Mandel 1982), 0 where they scatter less without any."""
    if len(values) < FEWEST:
        return _centre(values, errors), 0.0

    def beyond(spread: float) -> tuple[float, float]:
        wide = np.hypot(errors, spread)
        centre = _centre(values, wide)
        scatter = (_winsorised((values - centre) / wide) ** 2).sum() / _usual(len(values))
        return centre, float(scatter) - (len(values) - 1)

    low, high = 0.0, float(np.ptp(values))
    if beyond(low)[1] <= 0:
        return beyond(low)[0], 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(middle)[1] > 0 else (low, middle)
    return beyond(high)[0], high


def _centre(values: Floats, wide: Floats) -> float:
    """The mean of the values by their precision, each drawn in to where its winsorised z-score is."""
    centre = float(np.median(values))
    for _ in range(_ROUNDS):
        drawn_in = centre + _winsorised((values - centre) / wide) * wide
        centre = float(np.average(drawn_in, weights=wide**-2))
    return centre


def _winsorised(z: Floats) -> Floats:
    """The z-scores, those of the outermost units drawn in to the next."""
    ordered = np.sort(z)
    cut = int(np.ceil(WINSORISED * len(z))) if len(z) >= FEWEST else 0
    clipped: Floats = z.clip(ordered[cut], ordered[len(z) - 1 - cut])
    return clipped


@lru_cache(maxsize=32)
def _usual(count: int) -> float:
    """The mean square of the winsorised z-scores of so many units that differ by nothing but chance, from
    the scores' places (Blom's)."""
    places = (np.arange(1, count + 1) - 0.375) / (count + 0.25)
    scores: Floats = ndtri(places)
    return float((_winsorised(scores) ** 2).mean() / (scores**2).mean())


def _limits(units: pd.DataFrame, centre: float, spread: float) -> pd.DataFrame:
    """See `Funnel`."""
    size, error = np.log(units["size"].to_numpy()), np.log(units["error"].to_numpy())
    slope = 0.0
    if np.ptp(size) > 0:
        slope = float(np.polyfit(size - size.mean(), error, 1)[0])
    sizes = np.linspace(size.min(), size.max(), _CURVE)
    wide = np.hypot(np.exp(error.mean() + slope * (sizes - size.mean())), spread)
    off = _times(wide, spread, len(units)) * wide
    frame = pd.DataFrame({"lower": centre - off, "upper": centre + off})
    return frame.set_index(pd.Index(np.exp(sizes), name="size"))
