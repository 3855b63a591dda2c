"""Shares and win rates with intervals inside [0, 1], where events come in clusters."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence

from mirror_bench.stats.intervals import Floats, Interval, clustered_mean


def cluster_share(
    events: Sequence[bool] | Sequence[float] | Floats, clusters: Sequence[Hashable], level: float = 0.95
) -> Interval | None:
    """Returns the share of events, each in [0, 1] (1/2 for a tie), with an interval inside [0, 1].

    The exact interval of Clopper and Pearson (1934) for as many independent trials as the clusters leave
    (Korn & Graubard 1998, "Confidence intervals for proportions with small expected number of positive
    counts estimated from survey data"). Few events do not tell how alike a cluster's values are, so the
    design effect begins at its largest, one trial per cluster, and gives way to the estimated one as events
    come in; so the upper end never falls with another event.

    Args:
        events: n numbers in [0, 1].
        clusters: n cluster names.
        level: Coverage aimed at, in (0, 1).

    Returns:
        The share; None for no events; ends of None for one cluster.

    Raises:
        ValueError: If lengths differ, an event is out of its range, or the level is.
    """
    if not 0 < level < 1:
        raise ValueError(f"level={level} must lie between 0 and 1")
    if any(not 0 <= event <= 1 for event in events):
        raise ValueError("events must lie between 0 and 1")
    mean = clustered_mean([float(event) for event in events], clusters)
    if mean is None or mean.clusters < 2:
        return None if mean is None else mean.interval(level)
    effect, largest = _design_effects(mean.value, mean.error, mean.n, clusters)
    # One event leaves no less room above it than none does.
    edge = _lower(1.0, mean.n / largest, level)
    low = min(_lower(mean.value, mean.n / effect, level), edge)
    high = max(1 - _lower(1 - mean.value, mean.n / effect, level), 1 - edge)
    return Interval(mean.value, min(low, mean.value), max(high, mean.value), mean.n, mean.clusters)


def _design_effects(share: float, error: float, n: int, clusters: Sequence[Hashable]) -> tuple[float, float]:
    """Returns the design effect, and the largest that there could be."""
    sizes = Counter(clusters).values()
    largest = math.fsum(size * size for size in sizes) / n  # where a cluster's values are all alike
    binomial = share * (1 - share) / n
    estimated = min(max(1.0, error * error / binomial), largest) if binomial > 0 else largest
    unknown = 1 / (1 + n * min(share, 1 - share) / max(1.0, largest - 1))
    return unknown * largest + (1 - unknown) * estimated, largest


def _lower(share: float, trials: float, level: float) -> float:
    from scipy import stats

    events = share * trials
    if events <= 0:
        return 0.0
    return float(stats.beta.ppf((1 - level) / 2, events, trials - events + 1))
