"""Aggregations of static tasks, and their standard errors by profile.

lm-eval knows standard errors of a plain mean of independent documents alone. Documents here come in clusters,
the questions about one client. So each metric `m` has a companion `m_stderr` that aggregates (value, cluster)
pairs by the delete-one-cluster jackknife (Efron & Tibshirani 1993, chapter 11); lm-eval's tables show it as
the error of `m`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np

Item = tuple[Any, Hashable]
"""What one document adds to a metric, and the cluster of the document."""


def mean(values: Sequence[Any]) -> float:
    """Returns the mean of the numbers among the values; NaN where there are none."""
    known = [float(value) for value in values if value is not None]
    return float(np.mean(known)) if known else math.nan


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    """Returns the mean over the true labels of each one's F1, in [0, 1].

    Args:
        pairs: (true label, answer); an empty answer is a miss and no false alarm.
    """
    scores = []
    for label in sorted({true for true, _ in pairs}):
        hits = sum(true == label == answer for true, answer in pairs)
        due = sum(true == label for true, _ in pairs)
        given = sum(answer == label for _, answer in pairs)
        scores.append(2 * hits / (due + given))
    return float(np.mean(scores)) if scores else math.nan


def auroc(pairs: Sequence[tuple[bool, float]]) -> float:
    """Returns the chance that a positive document scores above a negative one, ties counting half.

    Args:
        pairs: (whether positive, score). NaN where one of the two kinds is missing.
    """
    above = np.array([score for positive, score in pairs if positive], float)
    below = np.array([score for positive, score in pairs if not positive], float)
    if not len(above) or not len(below):
        return math.nan
    wins = (above[:, None] > below[None, :]).mean() + 0.5 * (above[:, None] == below[None, :]).mean()
    return float(wins)


def gap(pairs: Sequence[tuple[float, str]]) -> float:
    """Returns how far the groups' means lie apart: the largest less the smallest.

    Args:
        pairs: (value, group).
    """
    groups: dict[str, list[float]] = {}
    for value, group in pairs:
        groups.setdefault(group, []).append(float(value))
    means = [float(np.mean(values)) for values in groups.values()]
    return max(means) - min(means) if means else math.nan


def jackknife_stderr(statistic: Callable[[Sequence[Any]], float], items: Sequence[Item]) -> float:
    """Returns a statistic's standard error over clusters; NaN with fewer than two clusters.

    Args:
        statistic: Takes the values of some documents.
        items: (value, cluster) of every document.
    """
    members: dict[Hashable, list[int]] = {}
    for place, (_, cluster) in enumerate(items):
        members.setdefault(cluster, []).append(place)
    if len(members) < 2:
        return math.nan
    values = [value for value, _ in items]
    without = []
    for places in members.values():
        dropped = set(places)
        without.append(statistic([value for place, value in enumerate(values) if place not in dropped]))
    left = np.array(without)
    return float(math.sqrt((len(left) - 1) / len(left) * float(((left - left.mean()) ** 2).sum())))


def mean_stderr(items: Sequence[Item]) -> float:
    """Returns the clustered standard error of a mean."""
    return jackknife_stderr(mean, items)


def macro_f1_stderr(items: Sequence[Item]) -> float:
    """Returns the clustered standard error of `macro_f1`."""
    return jackknife_stderr(macro_f1, items)


def auroc_stderr(items: Sequence[Item]) -> float:
    """Returns the clustered standard error of `auroc`."""
    return jackknife_stderr(auroc, items)


def gap_stderr(items: Sequence[Item]) -> float:
    """Returns the clustered standard error of `gap`."""
    return jackknife_stderr(gap, items)
