"""Ranks from comparisons of two at a time: Bradley-Terry strengths with ties, intervals and tie groups."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mirror_bench.stats.davidson import StrengthFit, fit
from mirror_bench.stats.tiegroups import letter_groups, rank_ranges, significant

Floats = npt.NDArray[np.float64]
_FAR = 12.0
"""An interval of log strengths that reaches further than this says nothing."""


class Comparison(NamedTuple):
    """The outcome of one comparison between two competitors.

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
        low: Lower end of its interval, or None without a second cluster or where it has no end.
        high: Upper end likewise.
        rank: From 1, by the estimate.
        best_rank: The best rank that the differences between competitors leave it.
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
    """Strengths, ranks and groups of ties of n competitors, fitted to comparisons.

    Attributes:
        strengths: n strengths, in the competitors' order.
        ties: The model's tendency to ties, nu >= 0 (Davidson 1970); 0 where none occurred.
        wins: (n, n) probability that the row beats the column, the model's; 0 on the diagonal.
        groups: Sets of competitors that cannot be told apart, as `tiegroups.letter_groups` makes them, the
            strongest first. A competitor can be in several.
    """

    strengths: tuple[Strength, ...]
    ties: float
    wins: tuple[tuple[float, ...], ...]
    groups: tuple[tuple[int, ...], ...]


def rank(comparisons: Sequence[Comparison], competitors: int, level: float = 0.95) -> Ranking:
    """Fits the Bradley-Terry model with ties of Davidson (1970, "On extending the Bradley-Terry model").

    See `stats.davidson` for the fit, which stays finite where one competitor wins every comparison. Intervals
    and tests are those of the profile likelihood, its drop divided by the design effect of the clusters (Rao
    & Scott 1984) and read by F with clusters - 1 degrees of freedom. Which two competitors differ is decided
    with Holm's correction over all pairs; tie groups and the ranges of ranks come from that alone.

    Args:
        comparisons: At least one.
        competitors: n, at least 2.
        level: Coverage aimed at, in (0, 1), and of all pairs together.

    Raises:
        ValueError: If there is nothing to compare, an index or outcome is out of its range, or a competitor
            was never compared.
    """
    counts = _counts(comparisons, competitors)
    fitted = fit(counts.sum(axis=0))
    strengths = fitted.strengths
    order = [int(i) for i in np.argsort(-np.round(strengths, 6), kind="stable")]
    ends: list[tuple[float | None, float | None]] = [(None, None)] * competitors
    apart: set[tuple[int, int]] = set()
    if len(counts) > 1:
        contrasts = _Contrasts(fitted, counts)
        ends = [contrasts.ends(i, level) for i in range(competitors)]
        apart = significant(
            {(i, j): contrasts.p_equal(i, j) for i, j in combinations(range(competitors), 2)}, 1 - level
        )
    better = {(i, j) if strengths[i] > strengths[j] else (j, i) for i, j in apart}
    ranges = rank_ranges(range(competitors), better)
    return Ranking(
        strengths=tuple(
            Strength(float(strengths[i]), low, high, order.index(i) + 1, *ranges[i])
            for i, (low, high) in enumerate(ends)
        ),
        ties=fitted.ties,
        wins=_wins(strengths, fitted.ties),
        groups=letter_groups(order, better),
    )


class _Contrasts:
    """Tests of linear combinations of strengths, with the clusters' design effect."""

    def __init__(self, fitted: StrengthFit, counts: Floats) -> None:
        self.fit = fitted
        self.clusters = len(counts)
        scores = np.array([fitted.score(own) for own in counts])
        inverse = np.linalg.pinv(fitted.information, hermitian=True)
        self.naive = inverse
        self.robust = len(counts) / (len(counts) - 1) * inverse @ (scores.T @ scores) @ inverse

    def p_equal(self, i: int, j: int) -> float:
        """Returns the p of equal strengths."""
        from scipy import stats

        direction = self._direction(i)
        direction = direction - self._direction(j)
        drop = self.fit.drop(direction, 0.0) / self._effect(direction)
        return float(stats.f.sf(drop, 1, self.clusters - 1))

    def ends(self, i: int, level: float) -> tuple[float | None, float | None]:
        """Returns the interval of one strength against the mean of all; none where it has no bounds."""
        from scipy import optimize, stats

        direction = self._direction(i)
        value = float(direction @ self.fit.strengths)
        edge = float(stats.f.ppf(level, 1, self.clusters - 1)) * self._effect(direction)
        step = math.sqrt(edge * float(direction @ self.naive[: len(direction), : len(direction)] @ direction))

        def excess(at: float) -> float:
            return self.fit.drop(direction, at) - edge

        ends = []
        for sign in (-1, 1):
            far = value + sign * min(step, _FAR / 2)
            while excess(far) < 0:
                if abs(far - value) > _FAR:
                    return None, None
                far = value + 1.5 * (far - value)
            low, high = sorted((value, far))
            ends.append(float(optimize.brentq(excess, low, high, xtol=1e-4)))
        return ends[0], ends[1]

    def _direction(self, i: int) -> Floats:
        n = len(self.fit.strengths)
        direction = np.full(n, -1.0 / n)
        direction[i] += 1.0
        return direction

    def _effect(self, direction: Floats) -> float:
        n = len(direction)
        robust = float(direction @ self.robust[:n, :n] @ direction)
        return max(1.0, robust / float(direction @ self.naive[:n, :n] @ direction))


def _counts(comparisons: Sequence[Comparison], competitors: int) -> Floats:
    """Returns per cluster the wins of i over j and, in the upper half of the last plane, the ties."""
    if competitors < 2 or not comparisons:
        raise ValueError("ranking needs two competitors and a comparison")
    index: dict[Hashable, int] = {}
    for comparison in comparisons:
        index.setdefault(comparison.cluster, len(index))
    counts = np.zeros((len(index), 2, competitors, competitors))
    for comparison in comparisons:
        if not (
            0 <= comparison.first < competitors
            and 0 <= comparison.second < competitors
            and comparison.first != comparison.second
        ):
            raise ValueError(f"{comparison}: compares no two of {competitors} competitors")
        if comparison.outcome not in (0.0, 0.5, 1.0):
            raise ValueError(f"{comparison}: an outcome is 0, 0.5 or 1")
        won, lost = (
            (comparison.first, comparison.second)
            if comparison.outcome > 0.5
            else (comparison.second, comparison.first)
        )
        if comparison.outcome == 0.5:
            won, lost = min(won, lost), max(won, lost)
        counts[index[comparison.cluster], int(comparison.outcome == 0.5), won, lost] += 1
    met = counts.sum(axis=(0, 1))
    lonely = np.flatnonzero(met.sum(axis=0) + met.sum(axis=1) == 0)
    if len(lonely):
        raise ValueError(f"competitor {lonely[0]} was never compared")
    return counts


def _wins(strengths: Floats, ties: float) -> tuple[tuple[float, ...], ...]:
    power = np.exp(strengths)
    total = power[:, None] + power[None, :] + ties * np.sqrt(power[:, None] * power[None, :])
    shares = power[:, None] / total
    np.fill_diagonal(shares, 0.0)
    return tuple(tuple(float(share) for share in row) for row in shares)
