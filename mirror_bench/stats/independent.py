"""Differences between two groups that share no pair, such as sessions with different people."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from mirror_bench.stats.intervals import Interval, clustered_mean


def independent_difference(
    a: Sequence[float],
    a_clusters: Sequence[Hashable],
    b: Sequence[float],
    b_clusters: Sequence[Hashable],
    level: float = 0.95,
) -> Interval | None:
    """Returns the mean of `a` minus the mean of `b` with an interval that respects clusters.

    Student's t with the degrees of freedom of Welch (1947, "The generalization of Student's problem when
    several different population variances are involved"), each group's variance linearised over its clusters.
    `b` minus `a` has exactly the mirrored interval.

    Args:
        a: Values of one group.
        a_clusters: Their clusters, none of which is one of the other group's.
        b: Values of the other.
        b_clusters: Their clusters.
        level: Coverage aimed at, in (0, 1).

    Returns:
        The interval, which counts the values and clusters of both; None where a group is empty; without ends
        where a group has one cluster, or neither scatters.

    Raises:
        ValueError: If lengths differ or a value is not finite.
    """
    one, other = clustered_mean(a, a_clusters), clustered_mean(b, b_clusters)
    if one is None or other is None:
        return None
    difference = one.value - other.value
    n, clusters = one.n + other.n, one.clusters + other.clusters
    variance = one.error**2 + other.error**2
    if min(one.clusters, other.clusters) < 2 or variance <= 0:
        return Interval(difference, None, None, n, clusters)
    from scipy import special

    freedom = variance**2 / (one.error**4 / (one.clusters - 1) + other.error**4 / (other.clusters - 1))
    reach = float(special.stdtrit(freedom, (1 + level) / 2)) * variance**0.5
    return Interval(difference, difference - reach, difference + reach, n, clusters)
