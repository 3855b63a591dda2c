"""How many clusters a comparison needs, by the noncentral t distribution (Cohen 1988)."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

from mirror_bench.stats.intraclass import varies
from mirror_bench.stats.jackknife import cluster_codes

MOST = 10_000_000
"""An effect that needs more clusters than this is none that a benchmark could find."""


class Spread(NamedTuple):
    """The standard deviation and clustering of values, or of paired differences, for planning.

    Attributes:
        sd: Their standard deviation.
        icc: Share of their variance that lies between clusters, in [0, 1]; None where each cluster holds one.
        per_cluster: Mean number of values in a cluster.
        n: Values.
        clusters: Clusters.
    """

    sd: float
    icc: float | None
    per_cluster: float
    n: int
    clusters: int


def spread_of(values: Sequence[float], clusters: Sequence[Hashable]) -> Spread | None:
    """Returns how values scatter between and within clusters, by one-way analysis of variance.

    Returns:
        The spread; None with fewer than two clusters or without variance. A negative estimate of the
        intraclass correlation is 0.
    """
    array, codes = np.asarray(values, dtype=np.float64), cluster_codes(clusters)
    sizes = np.bincount(codes).astype(np.float64)
    n, count = len(array), len(sizes)
    if count < 2 or not varies(array):
        return None
    means = np.bincount(codes, weights=array) / sizes
    between = float((sizes * (means - array.mean()) ** 2).sum()) / (count - 1)
    icc = None
    if n > count:
        within = float(((array - means[codes]) ** 2).sum()) / (n - count)
        size = (n - float((sizes**2).sum()) / n) / (count - 1)
        icc = max(0.0, (between - within) / (between + (size - 1) * within))
    return Spread(float(array.std(ddof=1)), icc, n / count, n, count)


def design_effect(per_cluster: float, icc: float) -> float:
    """Returns by how much clusters multiply the variance of a mean (Kish 1965): 1 + (m - 1) icc."""
    return 1 + (per_cluster - 1) * icc


def power_of(clusters: int, effect: float, alpha: float = 0.05, *, paired: bool = True) -> float:
    """Returns the power of a two-sided t test.

    Args:
        clusters: Independent differences if paired, values per group otherwise; at least 2.
        effect: dz if paired, Cohen's d otherwise; its sign does not matter.
        alpha: Probability of finding an effect where there is none, in (0, 1).
        paired: Whether differences are tested against 0, or two groups against each other.
    """
    from scipy import stats

    freedom = clusters - 1 if paired else 2 * (clusters - 1)
    shift = abs(effect) * math.sqrt(clusters if paired else clusters / 2)
    edge = float(stats.t.ppf(1 - alpha / 2, freedom))
    found = float(stats.nct.sf(edge, freedom, shift) + stats.nct.cdf(-edge, freedom, shift))
    # Far out, scipy's noncentral t gives NaN where the power is 1 to the last digit.
    return found if math.isfinite(found) else float(shift > edge)


def clusters_needed(
    effect: float, power: float = 0.8, alpha: float = 0.05, *, paired: bool = True
) -> int | None:
    """Returns the fewest clusters, per group if not paired, that find an effect; arguments as for `power_of`.

    Args:
        effect: dz or d, as above.
        power: Probability of finding it, in (alpha, 1).
        alpha: As above.
        paired: As above.

    Returns:
        At least 2; None where more than `MOST` would be needed.

    Raises:
        ValueError: If the effect is 0, or power or alpha is out of its range.
    """
    if effect == 0 or not math.isfinite(effect):
        raise ValueError("effect must be a number other than 0")
    if not 0 < alpha < power < 1:
        raise ValueError(f"alpha={alpha} and power={power} must satisfy 0 < alpha < power < 1")
    low, high = 1, 2
    while power_of(high, effect, alpha, paired=paired) < power:
        low, high = high, 2 * high
        if high > MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        enough = power_of(middle, effect, alpha, paired=paired) >= power
        low, high = (low, middle) if enough else (middle, high)
    return high


def gate_alpha(alpha: float, metrics: int) -> float:
    """Returns the level of a two-sided test that plans for a gate.

    A gate tests from one side, and over its metrics together at alpha: where only one of them has dropped,
    Holm's correction leaves it alpha over their number. A one-sided test has the power of a two-sided one at
    twice its level, but for the wrong tail.

    Args:
        alpha: Probability of a false alarm over all metrics, in (0, 0.5).
        metrics: How many metrics the gate holds, at least 1.
    """
    return 2 * alpha / metrics
