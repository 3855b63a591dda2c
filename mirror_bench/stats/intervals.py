"""Means with intervals where values come in clusters: several sessions of one profile are not independent."""

from __future__ import annotations

import functools
import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FEW_CLUSTERS = 8
"""Below this many clusters a bootstrap cannot reach its level (three clusters never pass 75 %), so
Student's t over clusters takes its place."""

Floats = npt.NDArray[np.float64]


class Interval(NamedTuple):
    """A mean and its interval.

    Attributes:
        value: The mean over values (not over clusters).
        low: Lower end, or None where one cluster alone gives no interval.
        high: Upper end, or None likewise.
        n: Values that entered.
        clusters: Clusters that entered.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    clusters: int


def cluster_bootstrap_mean(
    values: Sequence[float] | Floats,
    clusters: Sequence[Hashable],
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval | None:
    """Returns the mean of `values` with an interval that respects clusters.

    Whole clusters are drawn with replacement, each weighing by its size, and the ends are expanded
    percentiles (Hesterberg 2015, "What teachers should know about the bootstrap", section 4.3), which
    mend the plain percentile interval's undercoverage in small samples. With fewer than `FEW_CLUSTERS`
    clusters the interval is Student's t with clusters - 1 degrees of freedom over linearised cluster
    totals. The answer depends on neither the order of the values nor the names of the clusters.

    Args:
        values: n finite numbers.
        clusters: n cluster names, one per value.
        resamples: Bootstrap samples, at least 100.
        seed: Seed of the resampling; equal arguments give equal intervals.
        level: Coverage aimed at, in (0, 1).

    Returns:
        The interval; None for no values; ends of None for one cluster.

    Raises:
        ValueError: If lengths differ, a value is not finite, or an option is out of its range.
    """
    if len(values) != len(clusters):
        raise ValueError(f"{len(values)} values need as many clusters, not {len(clusters)}")
    if not 0 < level < 1:
        raise ValueError(f"level={level} must lie between 0 and 1")
    if resamples < 100:
        raise ValueError(f"resamples={resamples} must be at least 100")
    if not len(values):
        return None
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError("values must be finite: leave a missing value out")
    sums, sizes = _totals(array, clusters)
    count = len(sums)
    value = float(sums.sum() / sizes.sum())
    if count == 1:
        return Interval(value, None, None, len(array), 1)
    if count < FEW_CLUSTERS:
        low, high = _student(sums, sizes, level)
    else:
        low, high = _percentiles(sums, sizes, resamples, seed, level)
    # Rounding may put an end of an interval without width past its own mean.
    return Interval(value, min(low, value), max(high, value), len(array), count)


def cluster_bootstrap_share(
    events: Sequence[bool] | Sequence[float] | Floats,
    clusters: Sequence[Hashable],
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval | None:
    """Returns the share of events, each 0 or 1, with an interval inside [0, 1].

    As `cluster_bootstrap_mean`, but where no event or nothing but events occurred, resampling knows no
    spread, and the far end is that of Clopper and Pearson (1934) with one trial per cluster, the careful
    extreme in which a cluster's values are all alike.

    Raises:
        ValueError: As `cluster_bootstrap_mean`, or if an event is neither 0 nor 1.
    """
    if any(event not in (0, 1) for event in events):
        raise ValueError("events must be 0 or 1")
    found = cluster_bootstrap_mean([float(event) for event in events], clusters, resamples, seed, level)
    if found is None or found.low is None or found.high is None:
        return found
    if found.value in (0.0, 1.0):
        tail = float(((1 - level) / 2) ** (1 / found.clusters))
        return found._replace(low=tail) if found.value == 1.0 else found._replace(high=1 - tail)
    return found._replace(low=max(0.0, found.low), high=min(1.0, found.high))


def expanded_level(level: float, clusters: int) -> float:
    """Returns the level at which percentiles are read so that an interval of few clusters is wide enough.

    Args:
        level: Coverage aimed at, in (0, 1).
        clusters: At least 2.
    """
    from scipy import stats

    edge = stats.t.ppf((1 + level) / 2, clusters - 1) * math.sqrt(clusters / (clusters - 1))
    return float(1 - 2 * stats.norm.cdf(-edge))


def _totals(array: Floats, clusters: Sequence[Hashable]) -> tuple[Floats, Floats]:
    """Returns each cluster's sum and size, ordered by their values so that names and order do not matter."""
    index: dict[Hashable, int] = {}
    codes = np.fromiter((index.setdefault(name, len(index)) for name in clusters), np.intp, len(array))
    # Sorting first makes the sums themselves independent of the order in which values came.
    order = np.lexsort((array, codes))
    sums = np.bincount(codes[order], weights=array[order], minlength=len(index))
    sizes = np.bincount(codes, minlength=len(index)).astype(np.float64)
    order = np.lexsort((sums, sizes))
    return sums[order], sizes[order]


def _student(sums: Floats, sizes: Floats, level: float) -> tuple[float, float]:
    from scipy import stats

    count, total = len(sums), sizes.sum()
    mean = sums.sum() / total
    # The mean is a ratio of totals; its cluster-robust variance comes from the residual total per cluster.
    residuals = sums - mean * sizes
    error = math.sqrt(count / (count - 1) * float((residuals**2).sum())) / total
    margin = float(stats.t.ppf((1 + level) / 2, count - 1)) * error
    return mean - margin, mean + margin


def _percentiles(sums: Floats, sizes: Floats, resamples: int, seed: int, level: float) -> tuple[float, float]:
    draws = _draws(len(sums), resamples, seed)
    means = (draws @ sums) / (draws @ sizes)
    tail = (1 - expanded_level(level, len(sums))) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


@functools.lru_cache(maxsize=8)
def _draws(clusters: int, resamples: int, seed: int) -> Floats:
    """Returns how often each resample draws each cluster, (resamples, clusters); shared by all metrics."""
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=resamples)
    return counts.astype(np.float64)
