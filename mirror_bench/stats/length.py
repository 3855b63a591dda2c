"""Scores and length: how far they go together, and what scores are with length taken out."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mirror_bench.stats.intervals import Floats, Interval
from mirror_bench.stats.intraclass import varies
from mirror_bench.stats.jackknife import Codes, cluster_codes, jackknife_interval

FEWEST = 10
"""With fewer values, a correlation or a slope says more of chance than of length."""
_MIDDLE = (0.1, 0.9)
"""Adjusted means are read inside this part of a group's own lengths, and nowhere beyond."""
_BENT = 0.05
"""Level of the test of whether the effect of length bends."""


class Adjusted(NamedTuple):
    """Means of groups at equal length, or why there is none.

    Attributes:
        means: Group -> adjusted mean with its interval; empty where there is a reason.
        declined: Group -> why it alone has none.
        slope: Points of the score per unit of log tokens, with its interval.
        reference: The log tokens at which means are read, the mean over all values.
        reason: Why there is none.
    """

    means: dict[Hashable, Interval]
    slope: Interval | None
    reference: float | None
    reason: str = ""
    declined: Mapping[Hashable, str] = {}


def length_correlation(
    scores: Sequence[float],
    log_tokens: Sequence[float],
    clusters: Sequence[Hashable],
) -> Interval | None:
    """Returns Spearman's rank correlation of scores with length, its interval clustered.

    Ranks are taken once, over all values.

    Args:
        scores: n scores.
        log_tokens: n logarithms of how many words the therapist said.
        clusters: n cluster names.

    Returns:
        The correlation in [-1, 1]; None with fewer than `FEWEST` values or where one of the two does not
        vary.
    """
    from scipy import stats

    first, second = (np.asarray(side, dtype=np.float64) for side in (scores, log_tokens))
    if len(first) < FEWEST or not varies(first) or not varies(second):
        return None
    x, y = (stats.rankdata(side) - (len(side) + 1) / 2 for side in (first, second))
    codes = cluster_codes(clusters)
    columns = (np.ones(len(x)), x, y, x * x, y * y, x * y)
    sums = np.column_stack([np.bincount(codes, weights=column) for column in columns])

    def correlation(weights: Floats) -> Floats:
        n, sx, sy, sxx, syy, sxy = (weights @ sums).T
        spread = (sxx - sx * sx / n) * (syy - sy * sy / n)
        with np.errstate(invalid="ignore", divide="ignore"):
            r: Floats = np.where(spread > 0, (sxy - sx * sy / n) / np.sqrt(spread), math.nan)
        return np.clip(r, -1.0, 1.0)

    return jackknife_interval(correlation, len(sums), len(x), scale="correlation")


def adjust_for_length(
    scores: Sequence[float],
    log_tokens: Sequence[float],
    groups: Sequence[Hashable],
    scenarios: Sequence[Hashable],
    clusters: Sequence[Hashable],
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Adjusted:
    """Regresses scores on scenario, group and log tokens, and reads groups' means at one length.

    After length-controlled AlpacaEval (Dubois et al. 2024), whose regression too holds a term for the
    model, so that a better candidate is not charged for its skill because it happens to say more. Adjusted
    is raw minus slope times (log tokens minus reference), averaged over a group's values, and never off the
    scale. It assumes one slope at every length and for every group: where the effect of length bends
    (a squared term tells, by a test over clusters) there is no adjustment, and none for a group that seldom
    says as much, or as little, as the reference.

    Args:
        scores: n scores.
        log_tokens: n logarithms of how many words the therapist said.
        groups: n names of what is compared: candidate and face condition.
        scenarios: n names of scenarios; each belongs to one cluster.
        clusters: n cluster names.
        bounds: Ends of the scale.
    """
    y, length = (np.asarray(side, dtype=np.float64) for side in (scores, log_tokens))
    if len(set(groups)) < 2:
        return _none("one candidate under one face condition leaves no other length to compare with")
    if len(y) < FEWEST:
        return _none(f"fewer than {FEWEST} rated sessions")
    if not varies(length):
        return _none("the lengths do not vary")
    group, scenario, cluster = (cluster_codes(names) for names in (groups, scenarios, clusters))
    design = np.column_stack([group[:, None] == np.arange(1, group.max() + 1), length]).astype(np.float64)
    slopes = _last_coefficient(design, y, scenario, cluster)
    if slopes is None:
        return _none("length does not vary beyond what scenario and candidate explain")
    clusters_met, reference = int(cluster.max()) + 1, float(length.mean())
    bend = _last_coefficient(np.column_stack([design, (length - reference) ** 2]), y, scenario, cluster)
    if bend is not None and _leaves_out_zero(jackknife_interval(bend, clusters_met, len(y), level=1 - _BENT)):
        return _none("what length does is not the same at all lengths, so that no one slope takes it out")
    slope = jackknife_interval(slopes, clusters_met, len(y))
    means: dict[Hashable, Interval] = {}
    declined: dict[Hashable, str] = {}
    for code, name in enumerate(dict.fromkeys(groups)):
        least, most = np.quantile(length[group == code], _MIDDLE)
        if not least <= reference <= most:
            declined[name] = (
                f"it mostly says {'more' if least > reference else 'less'} than the length at which "
                "candidates are compared"
            )
            continue
        mine = (group == code).astype(np.float64)
        sizes, total, long = (
            np.bincount(cluster, weights=mine * column, minlength=clusters_met).astype(np.float64)
            for column in (np.ones(len(y)), y, length)
        )

        def mean(
            weights: Floats, sizes: Floats = sizes, total: Floats = total, long: Floats = long
        ) -> Floats:
            count = weights @ sizes
            with np.errstate(invalid="ignore", divide="ignore"):
                raw, own = (weights @ total) / count, (weights @ long) / count
            adjusted: Floats = raw - slopes(weights) * (own - reference)
            return adjusted

        interval = jackknife_interval(mean, clusters_met, int(mine.sum()))
        if interval is not None:
            means[name] = _cut(interval, bounds)._replace(clusters=int((sizes > 0).sum()))
    return Adjusted(means, slope, reference, declined=declined)


def _last_coefficient(
    design: Floats, y: Floats, scenario: Codes, cluster: Codes
) -> Callable[[Floats], Floats] | None:
    """Returns the last column's coefficient beside scenarios, by clusters' weights; None without any."""
    inner, outer = _within(design, scenario), _within(y[:, None], scenario)[:, 0]
    if not _identified(inner):
        return None
    products = _by_cluster(inner[:, :, None] * inner[:, None, :], cluster)
    answers = _by_cluster(inner * outer[:, None], cluster)

    def coefficient(weights: Floats) -> Floats:
        left = np.tensordot(weights, products, 1)
        right = np.tensordot(weights, answers, 1)
        slopes: Floats = (np.linalg.pinv(left, hermitian=True) @ right[:, :, None])[:, -1, 0]
        return slopes

    return coefficient


def _leaves_out_zero(interval: Interval | None) -> bool:
    return interval is not None and None not in interval and (interval[1] or 0) * (interval[2] or 0) > 0


def _cut(interval: Interval, bounds: tuple[float, float]) -> Interval:
    """Returns an interval of which nothing lies past the ends of the scale."""
    value, low, high = (None if end is None else min(max(end, bounds[0]), bounds[1]) for end in interval[:3])
    return interval._replace(value=bounds[0] if value is None else value, low=low, high=high)


def _within(columns: Floats, scenario: Codes) -> Floats:
    """Returns columns less their scenario's mean."""
    sizes = np.bincount(scenario)
    means = np.column_stack([np.bincount(scenario, weights=column) / sizes for column in columns.T])
    less: Floats = columns - means[scenario]
    return less


def _identified(inner: Floats) -> bool:
    """Returns whether length, the last column, varies once the other columns are taken out."""
    others, length = inner[:, :-1], inner[:, -1]
    rest = length - others @ np.linalg.lstsq(others, length, rcond=None)[0]
    return float((rest**2).sum()) > 1e-9 * len(length)


def _by_cluster(terms: Floats, cluster: Codes) -> Floats:
    summed = np.zeros((int(cluster.max()) + 1, *terms.shape[1:]))
    np.add.at(summed, cluster, terms)
    return summed


def _none(reason: str) -> Adjusted:
    return Adjusted({}, None, None, reason)
