"""How well a score tells two groups apart: the area under the ROC curve, its interval, and matched groups."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

from mirror_bench.stats.intervals import Floats, Interval

_NEARLY_ALL = 1e-9


class RocPoint(NamedTuple):
    """One point of a ROC curve.

    Attributes:
        false_positive: Share of the lower group at or above the threshold, in [0, 1].
        true_positive: Share of the higher group at or above the threshold, in [0, 1].
    """

    false_positive: float
    true_positive: float


def auc(high: Sequence[float], low: Sequence[float]) -> float:
    """Returns the chance that a random one of `high` lies above a random one of `low`; ties count half.

    Raises:
        ValueError: If a group is empty.
    """
    if not len(high) or not len(low):
        raise ValueError("both groups must have a score")
    return float(_wins(high, low).mean())


def auc_interval(high: Sequence[float], low: Sequence[float], level: float = 0.95) -> Interval:
    """Returns the AUC with a score interval.

    Method 5 of Newcombe (2006, "Confidence intervals for an effect size measure based on the Mann-Whitney
    statistic, part 2"): the AUCs that a test would not reject under the variance of Hanley & McNeil (1982).
    It stays inside [0, 1] and has a width where the groups do not overlap, as DeLong's has not.

    Args:
        high: Scores of those that should be higher; at least one.
        low: Scores of those that should be lower; at least one.
        level: Coverage aimed at, in (0, 1).
    """
    found = auc(high, low)
    return Interval(
        found,
        _end(found, len(high), len(low), level),
        1 - _end(1 - found, len(low), len(high), level),
        len(high) + len(low),
        len(high) + len(low),
    )


def roc_points(high: Sequence[float], low: Sequence[float]) -> tuple[RocPoint, ...]:
    """Returns the ROC curve from (0, 0) to (1, 1), a point per threshold; tied scores share one."""
    above, below = np.asarray(high, dtype=np.float64), np.asarray(low, dtype=np.float64)
    thresholds = np.unique(np.concatenate([above, below]))[::-1]
    points = [RocPoint(float((below >= t).mean()), float((above >= t).mean())) for t in thresholds]
    return (RocPoint(0.0, 0.0), *points)


def stratified_auc(scores: Sequence[float], high: Sequence[bool], strata: Sequence[Hashable]) -> float | None:
    """Returns the AUC over those pairs of a high and a low one that share a stratum; None without any.

    Every such pair weighs alike, so a stratum weighs by its pairs.
    """
    wins = pairs = 0.0
    for stratum in dict.fromkeys(strata):
        mine = [(s, h) for s, h, own in zip(scores, high, strata, strict=True) if own == stratum]
        above, below = ([s for s, h in mine if h is side] for side in (True, False))
        if above and below:
            table = _wins(above, below)
            wins, pairs = wins + float(table.sum()), pairs + table.size
    return wins / pairs if pairs else None


def match_pairs(high: Sequence[float], low: Sequence[float], caliper: float) -> list[tuple[int, int]]:
    """Pairs each of `low` with one of `high` of nearly the same value, each used once.

    As many pairs as can be had, and among those the choice with the least sum of distances (an assignment,
    not a greedy search, so that the order of the values does not matter but for exact ties).

    Args:
        high: The covariate in one group.
        low: The covariate in the other.
        caliper: The largest distance inside a pair.

    Returns:
        Indices into `high` and `low`, in ascending order of the latter.
    """
    from scipy.optimize import linear_sum_assignment

    if not len(high) or not len(low):
        return []
    gaps = np.abs(np.subtract.outer(np.asarray(low, np.float64), np.asarray(high, np.float64)))
    inside = gaps <= caliper
    # One pair outside costs more than all pairs inside together, so their number comes first.
    forbidden = (caliper + 1.0) * (min(gaps.shape) + 1)
    rows, columns = linear_sum_assignment(np.where(inside, gaps, forbidden))
    return [(int(c), int(r)) for r, c in zip(rows, columns, strict=True) if inside[r, c]]


def _wins(high: Sequence[float], low: Sequence[float]) -> Floats:
    above, below = np.asarray(high, np.float64)[:, None], np.asarray(low, np.float64)[None, :]
    table: Floats = (above > below) + 0.5 * (above == below)
    return table


def _end(found: float, high: int, low: int, level: float) -> float:
    """Returns the lower end: the smallest AUC that lies no further than its own error below `found`."""
    from scipy.optimize import brentq
    from scipy.stats import norm

    if found <= 0:
        return 0.0
    z, size = float(norm.ppf((1 + level) / 2)), (high + low) / 2 - 1

    def excess(true: float) -> float:
        spread = 1 + size * ((1 - true) / (2 - true) + true / (1 + true))
        return found - true - z * math.sqrt(true * (1 - true) * spread / (high * low))

    # At `found` = 1 the equation has a second root, 1 itself, which is no end.
    top = min(found, 1 - _NEARLY_ALL)
    return float(brentq(excess, 0.0, top)) if excess(top) < 0 else found
