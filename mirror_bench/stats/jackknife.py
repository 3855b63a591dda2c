"""Intervals of any smooth statistic by leaving out one cluster at a time: correlations, agreement, slopes."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from mirror_bench.stats.intervals import Floats, Interval

Codes = npt.NDArray[np.intp]
Scale = Literal["plain", "share", "correlation", "agreement"]
"""What a statistic may be: any number, in [0, 1], in [-1, 1], or at most 1."""
_RANGES: dict[Scale, tuple[float, float]] = {
    "plain": (-math.inf, math.inf),
    "share": (0.0, 1.0),
    "correlation": (-1.0, 1.0),
    "agreement": (-math.inf, 1.0),
}
_NEAR = 1e-9
"""What lies this near to an end of its range has no finite transform."""


def cluster_codes(clusters: Sequence[Hashable]) -> Codes:
    """Returns a number from 0 per cluster name, in order of first appearance."""
    index: dict[Hashable, int] = {}
    return np.fromiter((index.setdefault(name, len(index)) for name in clusters), np.intp, len(clusters))


def jackknife_interval(
    statistic: Callable[[Floats], Floats],
    clusters: int,
    n: int,
    level: float = 0.95,
    scale: Scale = "plain",
) -> Interval | None:
    """Returns a statistic with an interval that respects clusters.

    Student's t with clusters - 1 degrees of freedom around the delete-one-cluster jackknife (Efron &
    Tibshirani 1993, "An introduction to the bootstrap", chapter 11), on a scale without ends: the logit of a
    share, Fisher's z of a correlation, log(1 - x) of what is at most 1. Nothing is drawn.

    Args:
        statistic: Takes (samples, clusters) weights, 0 or 1, of the clusters and returns a value per sample,
            NaN where there is none.
        clusters: How many clusters there are.
        n: Units that entered, for the answer.
        level: Coverage aimed at, in (0, 1).
        scale: The statistic's range.

    Returns:
        The interval; None where the statistic does not exist; ends of None where its error cannot be told:
        with one cluster, where it does not exist without one of them, and where none changes it.
    """
    if clusters < 1:
        return None
    value = float(statistic(np.ones((1, clusters)))[0])
    if not math.isfinite(value):
        return None
    without = statistic(1.0 - np.eye(clusters)) if clusters > 1 else np.array([math.nan])
    if not np.isfinite(without).all() or np.ptp(without) <= _NEAR * max(1.0, abs(value)):
        return Interval(value, None, None, n, clusters)
    low, high = _ends(value, without, level, scale)
    lowest, highest = _RANGES[scale]
    return Interval(value, max(lowest, min(low, value)), min(highest, max(high, value)), n, clusters)


def by_units(statistic: Callable[[Codes], float | None], codes: Codes) -> Callable[[Floats], Floats]:
    """Returns a statistic of units' indices as one of clusters' weights.

    Args:
        statistic: Takes the indices of the units that are left.
        codes: The cluster of each unit.
    """

    def weighted(weights: Floats) -> Floats:
        found = (statistic(np.flatnonzero(row[codes] > 0)) for row in weights)
        return np.array([math.nan if value is None else value for value in found])

    return weighted


def _ends(value: float, without: Floats, level: float, scale: Scale) -> tuple[float, float]:
    from scipy import stats

    lowest, highest = _RANGES[scale]
    inside = min(value, float(without.min())) > lowest + _NEAR
    inside = inside and max(value, float(without.max())) < highest - _NEAR
    # Where one cluster alone keeps the statistic from its end, the transform has no spread to tell.
    chosen: Scale = scale if inside else "plain"
    centre, around = _stretched(np.array([value]), chosen)[0], _stretched(without, chosen)
    count = len(without)
    error = math.sqrt((count - 1) / count * float(((around - around.mean()) ** 2).sum()))
    margin = float(stats.t.ppf((1 + level) / 2, count - 1)) * error
    low, high = _shrunk(np.array([centre - margin, centre + margin]), chosen)
    return float(low), float(high)


def _stretched(values: Floats, scale: Scale) -> Floats:
    if scale == "share":
        return np.log(values / (1 - values))
    if scale == "correlation":
        return np.arctanh(values)
    return -np.log(1 - values) if scale == "agreement" else values


def _shrunk(values: Floats, scale: Scale) -> Floats:
    with np.errstate(over="ignore"):
        if scale == "share":
            return 1 / (1 + np.exp(-values))
        if scale == "correlation":
            return np.tanh(values)
        return 1 - np.exp(-values) if scale == "agreement" else values
