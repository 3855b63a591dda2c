"""How well a score tells two groups apart: the area under the ROC curve, its interval, and matched pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mirror_bench.stats.intervals import Floats, Interval

_NEARLY_ALL = 1e-9
_MIDDLE = (0.2, 0.8)
"""Outside of this, the variance of ranks is too small to stand alone."""


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
    """Returns the AUC with an interval inside [0, 1].

    In the middle, Student's t on the logit with the variance and the degrees of freedom of Brunner and Munzel
    (2000, "The nonparametric Behrens-Fisher problem"), which let the groups differ in spread. Near the ends
    that variance is too small, and the interval is joined with the score interval of method 5 of Newcombe
    (2006, "Confidence intervals for an effect size measure based on the Mann-Whitney statistic, part 2"),
    which has a width even where the groups do not overlap.

    Args:
        high: Scores of those that should be higher; at least one.
        low: Scores of those that should be lower; at least one.
        level: Coverage aimed at, in (0, 1).
    """
    estimate, n = auc(high, low), len(high) + len(low)
    score = _end(estimate, len(high), len(low), level), 1 - _end(1 - estimate, len(low), len(high), level)
    ends = _rank_ends(estimate, high, low, level)
    if ends is None:
        return Interval(estimate, *score, n, n)
    if not _MIDDLE[0] <= estimate <= _MIDDLE[1]:
        ends = min(ends[0], score[0]), max(ends[1], score[1])
    return Interval(estimate, *ends, n, n)


def roc_points(high: Sequence[float], low: Sequence[float]) -> tuple[RocPoint, ...]:
    """Returns the ROC curve from (0, 0) to (1, 1), a point per threshold; tied scores share one."""
    above, below = np.asarray(high, dtype=np.float64), np.asarray(low, dtype=np.float64)
    thresholds = np.unique(np.concatenate([above, below]))[::-1]
    points = [RocPoint(float((below >= t).mean()), float((above >= t).mean())) for t in thresholds]
    return (RocPoint(0.0, 0.0), *points)


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


def _rank_ends(
    estimate: float, high: Sequence[float], low: Sequence[float], level: float
) -> tuple[float, float] | None:
    """Returns the ends of the interval on the logit; None where ranks tell no variance."""
    from scipy import special, stats
    from statsmodels.stats.nonparametric import rank_compare_2indep

    if min(len(high), len(low)) < 2 or not 0 < estimate < 1:
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        ranks = rank_compare_2indep(high, low)
    error = math.sqrt(ranks.var_prob) if ranks.var_prob > 0 else 0.0
    if error == 0 or not math.isfinite(ranks.df):
        return None
    margin = float(stats.t.ppf((1 + level) / 2, ranks.df)) * error / (estimate * (1 - estimate))
    logit = math.log(estimate / (1 - estimate))
    return float(special.expit(logit - margin)), float(special.expit(logit + margin))


def _end(estimate: float, high: int, low: int, level: float) -> float:
    """Returns the lower end: the smallest AUC that lies no further than its own error below `found`."""
    from scipy.optimize import brentq
    from scipy.stats import norm

    if estimate <= 0:
        return 0.0
    z, size = float(norm.ppf((1 + level) / 2)), (high + low) / 2 - 1

    def excess(true: float) -> float:
        spread = 1 + size * ((1 - true) / (2 - true) + true / (1 + true))
        return estimate - true - z * math.sqrt(true * (1 - true) * spread / (high * low))

    # At `found` = 1 the equation has a second root, 1 itself, which is no end.
    top = min(estimate, 1 - _NEARLY_ALL)
    return float(brentq(excess, 0.0, top)) if excess(top) < 0 else estimate
