"""Has something become worse by more than a margin? Paired, clusters respected, Holm over metrics."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeVar

from mirror_bench.stats.intervals import Interval, clustered_mean

T = TypeVar("T", bound=Hashable)
MOST = 1_000_000
"""A plan of more clusters than this is none."""


class DropFinding(StrEnum):
    """Whether a metric is worse by more than the margin, no worse, or undecided."""

    WORSE = "worse"
    NO_WORSE = "no worse"
    UNDECIDED = "undecided"
    NOT_MEASURED = "not measured"


class Drop(NamedTuple):
    """The tests of one metric's drop against a margin.

    Attributes:
        interval: Mean difference, candidate minus baseline, with its two-sided 95 % interval.
        worse: One-sided p that the drop is at most the margin: small where it is proven to be larger.
        no_worse: One-sided p that the drop is at least the margin: small where it is proven to be smaller;
            1 where nothing scatters, since what never varied tells nothing of what another sample would do.
        error: Standard error of the mean, clusters respected; 0 where nothing scatters.
    """

    interval: Interval
    worse: float
    no_worse: float
    error: float


def drop_beyond(differences: Sequence[float], clusters: Sequence[Hashable], margin: float) -> Drop | None:
    """Tests a mean paired difference against minus the margin, from both sides.

    The tests are those of `stats.intervals.ClusteredMean`, and so go with its interval: `no_worse` is at most
    0.025 exactly where the 95 % interval lies above minus the margin (the reading of Piaggio et al. 2012,
    "Reporting of noninferiority and equivalence randomized trials"). Without any scatter a drop is proven by
    a sign test over clusters alone, and the absence of one is not. A collapse so rare that no cluster of the
    sample met it can be excluded by no test.

    Args:
        differences: n differences, candidate minus baseline, higher better.
        clusters: n cluster names.
        margin: The drop that is tolerated, above 0.

    Returns:
        The drop; None with fewer than two clusters.

    Raises:
        ValueError: If the margin is not above 0.
    """
    if not margin > 0:
        raise ValueError(f"margin={margin} must be above 0")
    mean = clustered_mean(differences, clusters)
    if mean is None or mean.clusters < 2:
        return None
    no_worse = mean.p_above(-margin) if mean.scatters else 1.0
    return Drop(mean.interval(), mean.p_below(-margin), no_worse, mean.error)


def holm(p_values: Mapping[T, float]) -> dict[T, float]:
    """Returns p values adjusted for their number (Holm 1979), never above 1 and in the same order."""
    # Not statsmodels' `multipletests`, which collects garbage at every call: a fifth of a second each.
    adjusted: dict[T, float] = {}
    highest = 0.0
    for place, name in enumerate(sorted(p_values, key=p_values.__getitem__)):
        highest = max(highest, min(1.0, p_values[name] * (len(p_values) - place)))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}


def decide(drops: Mapping[str, Drop], alpha: float = 0.05) -> dict[str, DropFinding]:
    """Returns for each metric whether it is worse, no worse or undecided, corrected over all of them.

    A drop is proven where its Holm-adjusted p is at most alpha, so that all metrics together raise a false
    alarm at most so often. That there is none is asked of every metric at the same time, which needs no
    adjustment (Berger 1982, intersection-union test), and at half of alpha, so that "no worse" never stands
    beside a two-sided interval that reaches past the margin.

    Args:
        drops: Metric -> its drop.
        alpha: Probability of a false alarm, in (0, 1).
    """
    worse = holm({name: drop.worse for name, drop in drops.items()})
    found = {}
    for name, drop in drops.items():
        if worse[name] <= alpha:
            found[name] = DropFinding.WORSE
        else:
            found[name] = DropFinding.NO_WORSE if drop.no_worse <= alpha / 2 else DropFinding.UNDECIDED
    return found


def clusters_to_decide(
    error: float, clusters: int, margin: float, power: float = 0.8, alpha: float = 0.05
) -> int | None:
    """Returns how many clusters it takes to prove that nothing changed, if nothing did.

    Args:
        error: The standard error of a mean over `clusters` like those that are asked for.
        clusters: As above.
        margin: The drop that is tolerated.
        power: Probability of proving it.
        alpha: As for `decide`, whose half is the probability of proving it wrongly.

    Returns:
        At least 2; None where no scatter is known.
    """
    from scipy import stats

    if error <= 0:
        return None
    scatter = error * math.sqrt(clusters)
    count = 2
    while count < MOST:
        reach = float(stats.t.ppf(1 - alpha / 2, count - 1) + stats.norm.ppf(power))
        needed = math.ceil((reach * scatter / margin) ** 2)
        if needed <= count:
            return count
        count = min(needed, count * 2)
    return None


def smallest_margin(
    error: float, clusters: int, at_hand: int, power: float = 0.8, alpha: float = 0.05
) -> float:
    """Returns the least margin for which `at_hand` clusters prove that nothing changed, if nothing did.

    Args:
        error: The standard error of a mean over `clusters`.
        clusters: As above.
        at_hand: Clusters, at least 2.
        power: Probability of proving it.
        alpha: As for `decide`.
    """
    from scipy import stats

    reach = float(stats.t.ppf(1 - alpha / 2, at_hand - 1) + stats.norm.ppf(power))
    return reach * error * math.sqrt(clusters / at_hand)
