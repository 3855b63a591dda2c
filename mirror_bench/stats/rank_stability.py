"""How firm an order of candidates is: the ranks that each takes when clusters are drawn anew."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

from mirror_bench.stats.intervals import Floats
from mirror_bench.stats.jackknife import cluster_codes

_DIGITS = 10
"""Means that agree in this many digits of the largest are ties: beyond, sums differ by their order alone."""


class RankStability(NamedTuple):
    """How often each of k candidates takes each rank when clusters are drawn anew.

    Attributes:
        means: k means over the units that all candidates have.
        order: k indices of candidates, the highest mean first; ties in the candidates' order.
        shares: (k, k) share of resamples in which the row's candidate has the rank of the column, from 1.
            Tied candidates share the ranks that they take up, so that rows and columns sum to 1.
        units: Units that entered.
        clusters: Clusters that entered, at least 2.
    """

    means: tuple[float, ...]
    order: tuple[int, ...]
    shares: tuple[tuple[float, ...], ...]
    units: int
    clusters: int


def rank_stability(
    table: Sequence[Sequence[float | None]] | Floats,
    clusters: Sequence[Hashable],
    resamples: int = 10_000,
    seed: int = 0,
) -> RankStability | None:
    """Returns how often each candidate has each rank when whole clusters are drawn with replacement.

    The bootstrap of ranks (Hall & Miller 2009, "Using the bootstrap to quantify the authority of an empirical
    ranking"). Every resample draws the same clusters for all candidates, so that what is hard for all moves
    no rank. Drawn means are moved away from the observed ones as far as Student's t is wider than the
    bootstrap with so few clusters (Hesterberg 2015, "What teachers should know about the bootstrap").
    The answer depends on neither the order of the units nor the names of the clusters.

    Args:
        table: n units by k >= 2 candidates, higher is better; None or NaN where a candidate lacks the unit.
            Units that a candidate lacks are left out for all.
        clusters: n cluster names.
        resamples: Bootstrap samples, at least 100.
        seed: Seed of the resampling; equal arguments give equal shares.

    Returns:
        The ranks; None where fewer than two clusters have a unit that all candidates have.

    Raises:
        ValueError: If there are fewer than two candidates, lengths differ, a value is infinite, or there
            are too few resamples.
    """
    values = np.asarray([[np.nan if one is None else one for one in row] for row in table], dtype=np.float64)
    if len(values) != len(clusters):
        raise ValueError(f"{len(values)} units need as many clusters, not {len(clusters)}")
    if resamples < 100:
        raise ValueError(f"resamples={resamples} must be at least 100")
    if not len(values):
        return None
    if values.ndim != 2 or values.shape[1] < 2:
        raise ValueError("ranks need at least two candidates")
    if np.isinf(values).any():
        raise ValueError("values must be finite: leave a missing value out")
    whole = np.flatnonzero(~np.isnan(values).any(axis=1))
    sums, sizes = _totals(values[whole], [clusters[index] for index in whole])
    if len(sizes) < 2:
        return None
    means = sums.sum(axis=0) / sizes.sum()
    draws = _draws(len(sizes), resamples, seed)
    drawn = means + _widening(len(sizes)) * ((draws @ sums) / (draws @ sizes)[:, None] - means)
    return RankStability(
        means=tuple(float(mean) for mean in means),
        order=tuple(int(index) for index in np.argsort(-_rounded(means), kind="stable")),
        shares=tuple(tuple(float(share) for share in row) for row in _shares(_rounded(drawn))),
        units=len(whole),
        clusters=len(sizes),
    )


def _totals(values: Floats, clusters: Sequence[Hashable]) -> tuple[Floats, Floats]:
    """Returns (clusters, k) sums and the clusters' sizes, in an order that comes from the values alone."""
    codes = cluster_codes(clusters)
    count = int(codes.max()) + 1 if len(codes) else 0
    # Sorted rows come first, so that the candidates' order matters only where sorted rows are alike.
    inner = np.lexsort((*values.T, *np.sort(values, axis=1).T, codes))
    values, codes = values[inner], codes[inner]
    sums = np.zeros((count, values.shape[1]))
    np.add.at(sums, codes, values)
    sizes = np.bincount(codes, minlength=count).astype(np.float64)
    outer = np.lexsort((*sums.T, *np.sort(sums, axis=1).T, sizes))
    return sums[outer], sizes[outer]


def _rounded(means: Floats) -> Floats:
    scale = float(np.abs(means).max()) or 1.0
    return np.round(means / scale, _DIGITS)


def _widening(clusters: int) -> float:
    from scipy import stats

    edges = float(stats.t.ppf(0.975, clusters - 1)), float(stats.norm.ppf(0.975))
    return edges[0] / edges[1] * math.sqrt(clusters / (clusters - 1))


def _draws(clusters: int, resamples: int, seed: int) -> Floats:
    """Returns how often each resample draws each cluster, (resamples, clusters)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=resamples).astype(np.float64)


def _shares(means: Floats) -> Floats:
    """Returns (k, k) shares of ranks from (resamples, k) means."""
    count = means.shape[1]
    above = np.stack([(means > means[:, [own]]).sum(axis=1) for own in range(count)], axis=1)
    level = np.stack([(means == means[:, [own]]).sum(axis=1) for own in range(count)], axis=1)
    taken = [((rank >= above) & (rank < above + level)) / level for rank in range(count)]
    shares: Floats = np.stack([one.mean(axis=0) for one in taken], axis=1)
    return shares
