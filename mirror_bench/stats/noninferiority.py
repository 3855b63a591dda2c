"""Has something become worse by more than a margin? Paired, clusters respected, Holm over metrics."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from mirror_bench.stats.intervals import Interval, cluster_bootstrap_mean


class Finding(StrEnum):
    """What paired differences say of a drop by more than a margin."""

    WORSE = "worse"
    NO_WORSE = "no worse"
    UNDECIDED = "undecided"


class Drop(NamedTuple):
    """One metric.

    Attributes:
        interval: Mean difference, candidate minus baseline, with its two-sided interval.
        worse: One-sided p that the drop is at most the margin: small where it is proven to be larger.
        no_worse: One-sided p that the drop is at least the margin: small where it is proven to be smaller.
        error: Standard error of the mean, clusters respected.
    """

    interval: Interval
    worse: float
    no_worse: float
    error: float


def drop_beyond(
    differences: Sequence[float],
    clusters: Sequence[Hashable],
    margin: float,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Drop | None:
    """Tests a mean paired difference against minus the margin, from both sides.

    The standard error is that of means over resampled clusters, as in `cluster_bootstrap_mean`; the tests are
    Student's t with clusters - 1 degrees of freedom (the reading of a margin follows Piaggio et al. 2012,
    "Reporting of noninferiority and equivalence randomized trials").

    Args:
        differences: n differences, candidate minus baseline, higher better.
        clusters: n cluster names.
        margin: The drop that is tolerated, above 0.
        resamples: Bootstrap samples.
        seed: Seed of the resampling.
        level: Coverage of the interval.

    Returns:
        The drop; None with fewer than two clusters.

    Raises:
        ValueError: If the margin is not above 0.
    """
    if not margin > 0:
        raise ValueError(f"margin={margin} must be above 0")
    interval = cluster_bootstrap_mean(differences, clusters, resamples, seed, level)
    if interval is None or interval.clusters < 2:
        return None
    error = _error(np.asarray(differences, dtype=np.float64), clusters)
    from scipy import stats

    if error <= 1e-12:
        worse = 0.0 if interval.value < -margin else 1.0
        return Drop(interval, worse, 1.0 - worse if interval.value != -margin else 1.0, 0.0)
    t = (interval.value + margin) / error
    freedom = interval.clusters - 1
    return Drop(interval, float(stats.t.cdf(t, freedom)), float(stats.t.sf(t, freedom)), error)


def _error(values: np.ndarray[tuple[int], np.dtype[np.float64]], clusters: Sequence[Hashable]) -> float:
    """The bootstrap's standard error in the limit of many resamples, with its small-sample factor."""
    index = {name: code for code, name in enumerate(dict.fromkeys(clusters))}
    codes = np.array([index[name] for name in clusters])
    residuals = np.bincount(codes, weights=values - values.mean())
    count = len(index)
    return math.sqrt(count / (count - 1) * float((residuals**2).sum())) / len(values)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Returns p values adjusted for their number (Holm 1979), never above 1 and in the same order."""
    adjusted: dict[str, float] = {}
    highest = 0.0
    for place, (name, p) in enumerate(sorted(p_values.items(), key=lambda item: (item[1], item[0]))):
        highest = max(highest, min(1.0, p * (len(p_values) - place)))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}


def decide(drops: Mapping[str, Drop], alpha: float = 0.05) -> dict[str, Finding]:
    """Returns what each metric's drop comes to.

    A drop is proven where its Holm-adjusted p is at most alpha, so that all metrics together raise a false
    alarm at most so often. That there is none is asked of every metric at the same time, which needs no
    adjustment (Berger 1982, intersection-union test).

    Args:
        drops: Metric -> its drop.
        alpha: Probability of a false alarm, in (0, 1).
    """
    worse = holm({name: drop.worse for name, drop in drops.items()})
    found = {}
    for name, drop in drops.items():
        if worse[name] <= alpha:
            found[name] = Finding.WORSE
        else:
            found[name] = Finding.NO_WORSE if drop.no_worse <= alpha else Finding.UNDECIDED
    return found


def clusters_to_decide(drop: Drop, margin: float, power: float = 0.8, alpha: float = 0.05) -> int | None:
    """Returns how many clusters of this size it takes to prove that nothing changed, if nothing did.

    Args:
        drop: Gives the standard error.
        margin: The drop that is tolerated.
        power: Probability of proving it.
        alpha: Probability of proving it wrongly.

    Returns:
        At least 2; None where no scatter is known.
    """
    from scipy import stats

    if drop.error <= 0:
        return None
    scatter = drop.error * math.sqrt(drop.interval.clusters)
    count = 2
    while count < 1_000_000:
        reach = float(stats.t.ppf(1 - alpha, count - 1) + stats.norm.ppf(power))
        needed = math.ceil((reach * scatter / margin) ** 2)
        if needed <= count:
            return count
        count = min(needed, count * 2)
    return None
