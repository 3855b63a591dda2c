"""Differences between two conditions measured on the same pairs, with clusters of pairs respected."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import NamedTuple

import numpy as np

from mirror_bench.stats.intervals import ClusteredMean, Interval, clustered_mean


class PairedDifference(NamedTuple):
    """The mean of `a` minus `b` over the pairs that both hold, with interval and effect size.

    Attributes:
        interval: Mean difference with its interval; None without a common pair.
        mean: The same with what tests need; None likewise.
        dz: Cohen's d of paired differences, their mean over their standard deviation (Cohen 1988); None
            with fewer than two pairs or where all differences are equal.
        unpaired: Pairs that only one side holds, and that therefore did not enter.
    """

    interval: Interval | None
    mean: ClusteredMean | None
    dz: float | None
    unpaired: int


def paired_difference(
    a: Mapping[str, float],
    b: Mapping[str, float],
    cluster_of: Mapping[str, Hashable],
    level: float = 0.95,
) -> PairedDifference:
    """Returns the mean of `a` minus `b` over common pairs, its clustered interval and its effect size.

    `b` minus `a` has exactly the mirrored interval.

    Args:
        a: Pair -> value.
        b: Pair -> value, on the same scale.
        cluster_of: Pair -> cluster, for every common pair.
        level: Coverage aimed at, in (0, 1).

    Raises:
        ValueError: If a common pair has no cluster, or a value is not finite.
    """
    common = sorted(a.keys() & b.keys())
    unpaired = len(a.keys() ^ b.keys())
    if not common:
        return PairedDifference(None, None, None, unpaired)
    homeless = [pair for pair in common if pair not in cluster_of]
    if homeless:
        raise ValueError(f"pair {homeless[0]!r} has no cluster")
    differences = np.array([a[pair] - b[pair] for pair in common], dtype=np.float64)
    mean = clustered_mean(differences, [cluster_of[pair] for pair in common])
    interval = mean.interval(level) if mean else None
    return PairedDifference(interval, mean, _effect_size(differences), unpaired)


def _effect_size(differences: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float | None:
    if len(differences) < 2:
        return None
    spread = float(differences.std(ddof=1))
    # A spread that is rounding error alone would turn into an effect of astronomical size.
    if spread <= 1e-12 * max(1.0, float(np.abs(differences).max())):
        return None
    return float(differences.mean()) / spread
