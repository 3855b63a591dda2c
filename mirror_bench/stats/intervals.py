"""Means with intervals where values come in clusters: several sessions of one profile are not independent."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FEW_CLUSTERS = 8
"""Below this many clusters a skewed mean is covered a little less often than promised: readers are warned."""
_TAIL = 0.025
_NOTHING = 1e-9
"""Differences below this share of the values' size are rounding, not scatter."""

Floats = npt.NDArray[np.float64]


class Interval(NamedTuple):
    """An estimate, mostly a mean, with the ends of its interval and the counts that entered.

    Attributes:
        value: The mean over values (not over clusters).
        low: Lower end, or None where one cluster, or clusters that are all alike, tell no error.
        high: Upper end, or None likewise.
        n: Values that entered.
        clusters: Clusters that entered.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    clusters: int


@dataclass(frozen=True)
class ClusteredMean:
    """A mean of clustered values, with the moments that its intervals and tests need.

    The reference distribution is Student's t with clusters - 1 degrees of freedom, after the cubic
    transformation that takes out the skewness of the clusters (Hall 1992, "On the removal of skewness by
    transformation"). It has a closed form: no draws, so that no seed decides, and the mean of negated values
    has exactly the mirrored interval.

    Attributes:
        value: The mean over values.
        error: Its standard error, linearised over cluster totals; 0 where nothing scatters.
        skewness: Of the clusters' residual totals.
        n: Values.
        clusters: Clusters.
    """

    value: float
    error: float
    skewness: float
    n: int
    clusters: int

    @property
    def scatters(self) -> bool:
        """Whether an error can be told."""
        return self.error > 0

    def interval(self, level: float = 0.95) -> Interval:
        """Returns the mean with its two-sided interval; without ends where nothing scatters."""
        if not self.scatters:
            return Interval(self.value, None, None, self.n, self.clusters)
        from scipy import special

        edge = float(special.stdtrit(self.clusters - 1, (1 + level) / 2))
        low = self.value - self.error * _untransformed(edge, self.skewness, self.clusters)
        high = self.value + self.error * _untransformed(edge, -self.skewness, self.clusters)
        return Interval(self.value, low, high, self.n, self.clusters)

    def p_above(self, bound: float) -> float:
        """Returns the one-sided p of a true mean of at most `bound`: small where it is proven to be larger.

        Without scatter a sign test over clusters takes its place: all of them lie on one side. Further out
        than the ends of the 95 % interval the transformation is a guess, and p is no less than Student's.
        """
        gap = self.value - bound
        if not self.scatters:
            return 0.5**self.clusters if gap > _NOTHING * max(1.0, abs(bound)) else 1.0
        from scipy import special

        shift = self.skewness / math.sqrt(self.clusters)
        t = gap / self.error
        transformed = t + shift * (t * t / 3 + 1 / 6) + shift * shift * t**3 / 27
        p, plain = (float(special.stdtr(self.clusters - 1, -one)) for one in (transformed, t))
        return p if p >= _TAIL else max(p, min(_TAIL, plain))

    def p_below(self, bound: float) -> float:
        """Returns the one-sided p of a true mean of at least `bound`: small where it is proven smaller."""
        return replace(self, value=-self.value, skewness=-self.skewness).p_above(-bound)

    def p_apart(self, bound: float = 0.0) -> float:
        """Returns the two-sided p of a true mean of `bound`; it goes with the two-sided interval."""
        return min(1.0, 2 * min(self.p_above(bound), self.p_below(bound)))


def clustered_mean(values: Sequence[float] | Floats, clusters: Sequence[Hashable]) -> ClusteredMean | None:
    """Returns the mean of `values`, each cluster weighing by its size; None for no values.

    Sums are exact (`math.fsum`), so that the answer depends on neither the order of the values nor the names
    of the clusters, and mirrors exactly where the values do.

    Args:
        values: n finite numbers.
        clusters: n cluster names, one per value.

    Raises:
        ValueError: If lengths differ or a value is not finite.
    """
    if len(values) != len(clusters):
        raise ValueError(f"{len(values)} values need as many clusters, not {len(clusters)}")
    if not len(values):
        return None
    groups: dict[Hashable, list[float]] = {}
    for value, name in zip(values, clusters, strict=True):
        groups.setdefault(name, []).append(float(value))
    largest = max(abs(value) for own in groups.values() for value in own)
    if not math.isfinite(largest):
        raise ValueError("values must be finite: leave a missing value out")
    n, count = len(values), len(groups)
    mean = math.fsum(value for own in groups.values() for value in own) / n
    # The mean is a ratio of totals; its cluster-robust variance comes from the residual total per cluster.
    residuals = [math.fsum([*own, -len(own) * mean]) for own in groups.values()]
    squares = math.fsum(one * one for one in residuals)
    error = math.sqrt(count / (count - 1) * squares) / n if count > 1 else 0.0
    if error <= _NOTHING * max(1.0, largest):
        return ClusteredMean(mean, 0.0, 0.0, n, count)
    skewness = math.fsum(one**3 for one in residuals) / count / (squares / count) ** 1.5
    return ClusteredMean(mean, error, skewness, n, count)


def cluster_mean(
    values: Sequence[float] | Floats, clusters: Sequence[Hashable], level: float = 0.95
) -> Interval | None:
    """Returns the mean of `values` with an interval that respects clusters; see `ClusteredMean`.

    Args:
        values: n finite numbers.
        clusters: n cluster names, one per value.
        level: Coverage aimed at, in (0, 1).

    Returns:
        The interval; None for no values; ends of None for one cluster, or where all clusters are alike.

    Raises:
        ValueError: If lengths differ, a value is not finite, or the level is out of its range.
    """
    if not 0 < level < 1:
        raise ValueError(f"level={level} must lie between 0 and 1")
    found = clustered_mean(values, clusters)
    return None if found is None else found.interval(level)


def _untransformed(edge: float, skewness: float, clusters: int) -> float:
    """Returns how many standard errors away the transformed statistic reaches `edge`, above 0."""
    shift = skewness / math.sqrt(clusters)
    if abs(shift) < 1e-6:  # the limit; the formula would lose its digits
        return edge
    return 3 / shift * (math.cbrt(1 + shift * (edge - shift / 6)) - 1)
