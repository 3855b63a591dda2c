"""Intervals of any statistic by drawing whole clusters: correlations, agreement, regression slopes."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence

import numpy as np
import numpy.typing as npt

from mirror_bench.stats.intervals import FEW_CLUSTERS, Floats, Interval, _draws, expanded_level

Codes = npt.NDArray[np.intp]
LEAST_DEFINED = 0.9
"""Where the statistic exists in a smaller share of the samples, their spread says nothing of its error."""


def cluster_codes(clusters: Sequence[Hashable]) -> Codes:
    """Returns a number from 0 per cluster name, in order of first appearance."""
    index: dict[Hashable, int] = {}
    return np.fromiter((index.setdefault(name, len(index)) for name in clusters), np.intp, len(clusters))


def cluster_interval(
    statistic: Callable[[Floats], Floats],
    clusters: int,
    n: int,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Interval | None:
    """Returns a statistic with an interval that respects clusters.

    Expanded percentiles of the clustered bootstrap (Hesterberg 2015); with fewer than `FEW_CLUSTERS` clusters
    Student's t around the delete-one-cluster jackknife (Efron & Tibshirani 1993, chapter 11).

    Args:
        statistic: Takes (samples, clusters) weights, how often each cluster was drawn, and returns a value
            per sample, NaN where there is none.
        clusters: How many clusters there are.
        n: Units that entered, for the answer.
        resamples: Bootstrap samples.
        seed: Seed of the resampling; equal arguments give equal intervals.
        level: Coverage aimed at, in (0, 1).
        bounds: Ends of the statistic's range, at which intervals are cut.

    Returns:
        The interval; None where the statistic does not exist; ends of None where its error cannot be told.
    """
    if clusters < 1:
        return None
    value = float(statistic(np.ones((1, clusters)))[0])
    if not math.isfinite(value):
        return None
    few = clusters < FEW_CLUSTERS
    weights = 1.0 - np.eye(clusters) if few else _draws(clusters, resamples, seed)
    found = statistic(weights) if clusters > 1 else np.array([])
    known = found[np.isfinite(found)]
    if clusters < 2 or len(known) < LEAST_DEFINED * len(found) or (few and len(known) < len(found)):
        return Interval(value, None, None, n, clusters)
    if few:
        low, high = _jackknife(value, known, level)
    else:
        tail = (1 - expanded_level(level, clusters)) / 2
        low, high = (float(end) for end in np.quantile(known, [tail, 1 - tail]))
    low, high = max(bounds[0], min(low, value)), min(bounds[1], max(high, value))
    return Interval(value, low, high, n, clusters)


def by_units(statistic: Callable[[Codes], float | None], codes: Codes) -> Callable[[Floats], Floats]:
    """Returns a statistic of drawn units' indices as one of clusters' weights.

    Args:
        statistic: Takes the indices of the drawn units, each as often as drawn.
        codes: The cluster of each unit.
    """

    def weighted(weights: Floats) -> Floats:
        found = (statistic(np.repeat(np.arange(len(codes)), row[codes].astype(np.intp))) for row in weights)
        return np.array([math.nan if value is None else value for value in found])

    return weighted


def _jackknife(value: float, without: Floats, level: float) -> tuple[float, float]:
    from scipy import stats

    count = len(without)
    error = math.sqrt((count - 1) / count * float(((without - without.mean()) ** 2).sum()))
    margin = float(stats.t.ppf((1 + level) / 2, count - 1)) * error
    return value - margin, value + margin
