"""Draws by weight: as evenly as the weights allow, so that few draws stand for many."""

from __future__ import annotations

import zlib

import numpy as np

from wardlib.analysis.tables import Floats, Ints

KEPT = 50  # places from which paths are drawn, each as often as its weight says


def stream(*names: str) -> np.random.Generator:
    """The random numbers of one purpose, told apart by its `names` (the line, what is drawn).

    The same names give the same numbers in every process and whatever else is drawn. Who draws for
    months draws them months x draws, so that a later month leaves those of earlier ones as they are.
    """
    return np.random.default_rng([zlib.crc32(name.encode()) for name in names])


def normalised(log: Floats) -> Floats:
    """Weights that add up to one from their logs."""
    weights: Floats = np.exp(log - log.max())
    weights /= weights.sum()
    return weights


def log_mean(weights: Floats, error: Floats, spread: Floats) -> float:
    """Log of the mean of normal densities of an error, up to a constant."""
    return float(np.log(weights @ (np.exp(-((error / spread) ** 2) / 2) / spread)))


def strata(weights: Floats, count: int) -> Ints:
    """`count` places drawn by their weights, evenly: each as often as its weight says."""
    edges = np.cumsum(weights)
    at = np.searchsorted(edges / edges[-1], (np.arange(count) + 0.5) / count)
    return at.clip(max=len(weights) - 1)


def kept(weights: Floats) -> tuple[Ints, Ints]:
    """The places that stand for all, and how often each counts (`KEPT` in all)."""
    return np.unique(strata(weights, KEPT), return_counts=True)


def repeated(counts: Ints, draws: int) -> Ints:
    """For each of `draws` paths, which of the `kept` places it comes from, in their order."""
    return np.repeat(np.arange(len(counts)), counts)[np.arange(draws) * KEPT // draws]
