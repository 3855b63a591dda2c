"""Ranks from comparisons of two at a time: Bradley-Terry strengths with ties, intervals and tie groups."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mirror_bench.stats.intervals import expanded_level

Floats = npt.NDArray[np.float64]
_RIDGE = 0.05
"""Weight of a prior that pulls log strengths towards their mean, 0: a candidate that wins every comparison
would otherwise be infinitely strong. It is worth about a twentieth of one comparison."""


class Comparison(NamedTuple):
    """One comparison.

    Attributes:
        first: Index of one competitor.
        second: Index of the other.
        outcome: 1 where the first wins, 0 where the second does, 0.5 for a tie.
        cluster: Comparisons of one cluster are not independent.
    """

    first: int
    second: int
    outcome: float
    cluster: Hashable


class Strength(NamedTuple):
    """A competitor's log strength; those of all competitors have the mean 0.

    Attributes:
        value: The estimate.
        low: Lower end of its interval, or None where there was no second cluster.
        high: Upper end likewise.
        rank: From 1, by the estimate.
        best_rank: The best rank within the interval of ranks.
        worst_rank: The worst.
    """

    value: float
    low: float | None
    high: float | None
    rank: int
    best_rank: int
    worst_rank: int


@dataclass(frozen=True)
class Ranking:
    """What comparisons say of n competitors.

    Attributes:
        strengths: n strengths, in the competitors' order.
        ties: The model's tendency to ties, nu >= 0 (Davidson 1970); 0 where none occurred.
        wins: (n, n) probability that the row beats the column, the model's; 0 on the diagonal.
        groups: Sets of competitors that cannot be told apart, each the longest run in the order of strength
            within which every pair's difference has an interval over 0. A competitor can be in several.
    """

    strengths: tuple[Strength, ...]
    ties: float
    wins: tuple[tuple[float, ...], ...]
    groups: tuple[tuple[int, ...], ...]


def rank(
    comparisons: Sequence[Comparison],
    competitors: int,
    resamples: int = 500,
    seed: int = 0,
    level: float = 0.95,
) -> Ranking:
    """Fits the Bradley-Terry model with ties of Davidson (1970, "On extending the Bradley-Terry model").

    The probability that i beats j is p_i / (p_i + p_j + nu sqrt(p_i p_j)), that they tie
    nu sqrt(p_i p_j) over the same sum. Strengths log p are fitted by maximum likelihood with a slight ridge.
    Intervals come from drawing whole clusters with replacement and fitting anew.

    Args:
        comparisons: At least one.
        competitors: n, at least 2.
        resamples: Bootstrap samples, at least 100.
        seed: Seed of the resampling.
        level: Coverage aimed at, in (0, 1).

    Raises:
        ValueError: If there is nothing to compare, an index or outcome is out of its range, or a competitor
            was never compared.
    """
    counts, clusters = _counts(comparisons, competitors)
    pooled = counts.sum(axis=0)
    strengths, ties = _fit(pooled)
    order = [int(i) for i in np.argsort(-strengths, kind="stable")]
    drawn = _resampled(counts, resamples, seed) if clusters > 1 else np.empty((0, competitors))
    tail = (1 - expanded_level(level, clusters)) / 2 if clusters > 1 else 0.0
    return Ranking(
        strengths=_strengths(strengths, order, drawn, tail),
        ties=ties,
        wins=_wins(strengths, ties),
        groups=_groups(order, drawn, tail),
    )


def _counts(comparisons: Sequence[Comparison], competitors: int) -> tuple[Floats, int]:
    """Returns per cluster the wins of i over j and, in the upper half of the last plane, the ties."""
    if competitors < 2 or not comparisons:
        raise ValueError("ranking needs two competitors and a comparison")
    index: dict[Hashable, int] = {}
    for one in comparisons:
        index.setdefault(one.cluster, len(index))
    counts = np.zeros((len(index), 2, competitors, competitors))
    for one in comparisons:
        if not (0 <= one.first < competitors and 0 <= one.second < competitors and one.first != one.second):
            raise ValueError(f"{one}: compares no two of {competitors} competitors")
        if one.outcome not in (0.0, 0.5, 1.0):
            raise ValueError(f"{one}: an outcome is 0, 0.5 or 1")
        won, lost = (one.first, one.second) if one.outcome > 0.5 else (one.second, one.first)
        if one.outcome == 0.5:
            won, lost = min(won, lost), max(won, lost)
        counts[index[one.cluster], int(one.outcome == 0.5), won, lost] += 1
    met = counts.sum(axis=(0, 1))
    lonely = np.flatnonzero(met.sum(axis=0) + met.sum(axis=1) == 0)
    if len(lonely):
        raise ValueError(f"competitor {lonely[0]} was never compared")
    # Sorting makes the answer independent of the clusters' names and order.
    order = np.lexsort(counts.reshape(len(index), -1).T[::-1])
    return counts[order], len(index)


def _fit(counts: Floats, start: Floats | None = None) -> tuple[Floats, float]:
    """Returns n log strengths and nu from (2, n, n) counts."""
    from scipy.optimize import minimize

    wins, ties = counts
    n = wins.shape[0]
    tied = ties + ties.T  # symmetric; each tie twice
    some = bool(ties.sum() > 0)

    def loss(theta: Floats) -> tuple[float, Floats]:
        strength, log_nu = theta[:n], theta[n]
        halves = 0.5 * (strength[:, None] + strength[None, :])
        top = np.maximum(strength[:, None], strength[None, :])
        parts = np.exp(strength[:, None] - top), np.exp(strength[None, :] - top)
        third = np.exp(halves + log_nu - top) if some else np.zeros((n, n))
        total = parts[0] + parts[1] + third
        log_total = np.log(total) + top
        met = wins + wins.T + tied
        value = -(wins * (strength[:, None] - log_total)).sum()
        value -= 0.5 * (tied * (halves + log_nu - log_total)).sum() if some else 0.0
        share_i = (parts[0] + 0.5 * third) / total
        gradient = -(wins.sum(axis=1) + 0.5 * tied.sum(axis=1)) + (met * share_i).sum(axis=1)
        slope = (-0.5 * tied.sum() + 0.5 * (met * third / total).sum()) if some else 0.0
        value += 0.5 * _RIDGE * float((strength**2).sum()) + (0.5 * _RIDGE * log_nu**2 if some else 0.0)
        gradient = gradient + _RIDGE * strength
        slope += _RIDGE * log_nu if some else 0.0
        return float(value), np.append(gradient, slope)

    found = minimize(
        loss, np.zeros(n + 1) if start is None else start, jac=True, method="L-BFGS-B", tol=1e-10
    )
    strengths = found.x[:n] - found.x[:n].mean()
    return strengths, float(np.exp(found.x[n])) if some else 0.0


def _resampled(counts: Floats, resamples: int, seed: int) -> Floats:
    """Returns (resamples, n) log strengths of samples of clusters."""
    if resamples < 100:
        raise ValueError(f"resamples={resamples} must be at least 100")
    clusters = len(counts)
    drawn = np.random.default_rng(seed).multinomial(clusters, np.full(clusters, 1 / clusters), size=resamples)
    flat = counts.reshape(clusters, -1)
    return np.array([_fit((times @ flat).reshape(counts.shape[1:]))[0] for times in drawn.astype(np.float64)])


def _strengths(strengths: Floats, order: list[int], drawn: Floats, tail: float) -> tuple[Strength, ...]:
    n = len(strengths)
    if not len(drawn):
        return tuple(Strength(float(strengths[i]), None, None, order.index(i) + 1, 1, n) for i in range(n))
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    places = 1 + (drawn[:, None, :] > drawn[:, :, None]).sum(axis=2)
    best = np.quantile(places, tail, axis=0, method="lower")
    worst = np.quantile(places, 1 - tail, axis=0, method="higher")
    return tuple(
        Strength(
            float(strengths[i]),
            min(float(low[i]), float(strengths[i])),
            max(float(high[i]), float(strengths[i])),
            order.index(i) + 1,
            int(best[i]),
            int(worst[i]),
        )
        for i in range(n)
    )


def _wins(strengths: Floats, ties: float) -> tuple[tuple[float, ...], ...]:
    power = np.exp(strengths)
    total = power[:, None] + power[None, :] + ties * np.sqrt(power[:, None] * power[None, :])
    shares = power[:, None] / total
    np.fill_diagonal(shares, 0.0)
    return tuple(tuple(float(share) for share in row) for row in shares)


def _groups(order: list[int], drawn: Floats, tail: float) -> tuple[tuple[int, ...], ...]:
    def apart(i: int, j: int) -> bool:
        if not len(drawn):
            return False
        low, high = np.quantile(drawn[:, i] - drawn[:, j], [tail, 1 - tail])
        return bool(low > 0 or high < 0)

    groups: list[tuple[int, ...]] = []
    for start in range(len(order)):
        end = start + 1
        while end < len(order) and not any(apart(order[end], one) for one in order[start:end]):
            end += 1
        group = tuple(order[start:end])
        if not groups or not set(group) <= set(groups[-1]):
            groups.append(group)
    return tuple(groups)
