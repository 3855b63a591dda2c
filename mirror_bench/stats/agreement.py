"""How far raters agree: with each other, with themselves, and across the items of one instrument.

Tables of ratings are (units, raters), with NaN or None for a missing cell. Every answer is None where the
ratings leave nothing to tell, as when they do not vary: agreement is then unknown, not perfect. The interval
of `icc` speaks of raters drawn from many; all others speak of these raters, and of other units alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt

from mirror_bench.stats.intervals import Floats, Interval
from mirror_bench.stats.intraclass import incomplete_intraclass, intraclass, intraclass_ends, varies
from mirror_bench.stats.jackknife import Scale, by_units, cluster_codes, jackknife_interval

Flags = npt.NDArray[np.bool_]
Cells = Sequence[Sequence[float | None]] | Floats
Weights = Literal["none", "linear", "quadratic"]
Level = Literal["nominal", "ordinal", "interval"]
_ZERO = 1e-12


def icc(
    ratings: Cells,
    clusters: Sequence[Hashable] | None = None,
    *,
    average: bool = False,
) -> Interval | None:
    """Returns ICC(2,1), or ICC(2,k): absolute agreement of raters drawn from many (Shrout & Fleiss 1979).

    Units that lack a rating are left out. The interval is that of Shrout & Fleiss, with Satterthwaite's
    degrees of freedom, which counts raters as drawn from many: with two or three of them it is wide. Where
    units come in clusters, clusters stand in the degrees of freedom in place of units.

    Args:
        ratings: Units by raters.
        clusters: One name per unit, where units are not independent.
        average: Whether the mean of the k raters is judged, ICC(2,k), instead of one rater.

    Returns:
        Value at most 1 and its interval; `n` counts complete units. None with fewer than two complete units
        or raters, or without variance.
    """
    table, names = _complete(ratings, clusters)
    n = len(table)
    value = intraclass(table, average)
    if value is None:
        return None
    count = len(set(names))
    ends = intraclass_ends(table, average, count) if count > 1 else None
    if ends is None:
        return Interval(value, None, None, n, count)
    # In the smallest samples the ends, which are approximate, may leave the estimate out.
    return Interval(value, min(ends[0], value), max(ends[1], value), n, count)


def incomplete_icc(ratings: Cells, clusters: Sequence[Hashable] | None = None) -> Interval | None:
    """Returns ICC(2,1) where each unit was rated by some of the raters, as in incomplete blocks.

    See `intraclass.incomplete_intraclass`. The interval, by leaving out a cluster at a time, speaks of these
    raters and of other units.

    Args:
        ratings: Units by raters.
        clusters: One name per unit; each unit for itself where None.

    Returns:
        Value at most 1; `n` counts units with two or more ratings. None where raters share no unit.
    """
    table, names = _rows(ratings, clusters)
    paired: Flags = np.isfinite(table).sum(axis=1) >= 2
    table, names = table[paired], [name for name, kept in zip(names, paired, strict=True) if kept]
    return _with_ends(incomplete_intraclass, table, names) if len(table) else None


def krippendorff_alpha(
    ratings: Cells,
    clusters: Sequence[Hashable] | None = None,
    *,
    level: Level = "interval",
) -> Interval | None:
    """Returns Krippendorff's alpha (2011, "Computing Krippendorff's alpha-reliability").

    Args:
        ratings: Units by raters; units with fewer than two ratings do not count.
        clusters: One name per unit; each unit for itself where None.
        level: Level of measurement.

    Returns:
        Alpha at most 1; `n` counts units with two or more ratings. None where all ratings are alike.
    """
    table, names = _rows(ratings, clusters)
    paired: Flags = np.isfinite(table).sum(axis=1) >= 2
    table, names = table[paired], [name for name, kept in zip(names, paired, strict=True) if kept]
    if not len(table):
        return None
    return _with_ends(lambda rows: _alpha(rows, level), table, names)


def cohen_kappa(
    first: Sequence[float | None] | Floats,
    second: Sequence[float | None] | Floats,
    clusters: Sequence[Hashable] | None = None,
    *,
    weights: Weights = "none",
) -> Interval | None:
    """Returns Cohen's kappa of two raters (1960), or weighted kappa (1968), weights by distance of values.

    Args:
        first: One rater's categories as numbers.
        second: The other's, of as many units; units that one of them left out do not count.
        clusters: One name per unit; each unit for itself where None.
        weights: How a disagreement grows with distance.

    Returns:
        Kappa in [-1, 1]; None where chance alone leaves nothing to disagree on.
    """
    table, names = _complete(_columns(first, second), clusters)
    return _with_ends(lambda rows: _kappa(rows, weights), table, names)


def kendall_tau(ratings: Cells, clusters: Sequence[Hashable] | None = None) -> Interval | None:
    """Returns Kendall's tau-b (1945) of two raters; of more, the mean over pairs of raters.

    Args:
        ratings: Units by raters; units that lack a rating are left out.
        clusters: One name per unit; each unit for itself where None.

    Returns:
        Tau in [-1, 1]; None with fewer than two units or raters, or where a rater's values are all alike.
    """
    table, names = _complete(ratings, clusters)
    return _with_ends(_tau, table, names)


def retest_r(
    first: Sequence[float | None] | Floats,
    second: Sequence[float | None] | Floats,
    clusters: Sequence[Hashable] | None = None,
) -> Interval | None:
    """Returns Pearson's r between a rater's first and second ratings; arguments as for `cohen_kappa`.

    Returns:
        r in [-1, 1]; None with fewer than two units, or where one of the two does not vary.
    """
    table, names = _complete(_columns(first, second), clusters)
    return _with_ends(lambda rows: _mean_r(rows), table, names)


def mean_inter_item_r(items: Cells, clusters: Sequence[Hashable] | None = None) -> Interval | None:
    """Returns the mean correlation between items: near 1, the rater gives one impression on every item.

    That is Thorndike's halo (1920, "A constant error in psychological ratings"). Units that lack an item are
    left out, and so are items that do not vary.

    Args:
        items: Units by items, as one rater filled them in.
        clusters: One name per unit; each unit for itself where None.

    Returns:
        Mean r in [-1, 1]; None with fewer than two units or two items that vary.
    """
    table, names = _complete(items, clusters)
    return _with_ends(lambda rows: _mean_r(rows), table, names)


def cronbach_alpha(items: Cells, clusters: Sequence[Hashable] | None = None) -> Interval | None:
    """Returns Cronbach's alpha (1951) of the items' sum; arguments as for `mean_inter_item_r`.

    Returns:
        Alpha at most 1; None with fewer than two units or items, or where the sum does not vary.
    """
    table, names = _complete(items, clusters)
    return _with_ends(lambda rows: _cronbach(rows), table, names, "agreement")


def _with_ends(
    statistic: Callable[[Floats], float | None],
    table: Floats,
    names: Sequence[Hashable],
    scale: Scale = "correlation",
) -> Interval | None:
    codes = cluster_codes(names)
    kept = by_units(lambda left: statistic(table[left]), codes)
    return jackknife_interval(kept, len(set(codes.tolist())), len(table), scale=scale)


def _columns(first: Sequence[float | None] | Floats, second: Sequence[float | None] | Floats) -> Floats:
    if len(first) != len(second):
        raise ValueError(f"{len(first)} values need as many on the other side, not {len(second)}")
    return np.column_stack([np.asarray(side, dtype=np.float64) for side in (first, second)])


def _rows(ratings: Cells, clusters: Sequence[Hashable] | None) -> tuple[Floats, list[Hashable]]:
    table = np.asarray(ratings, dtype=np.float64)
    if table.size == 0:
        return np.empty((0, 2)), []
    if table.ndim != 2:
        raise ValueError("ratings must be a table of units by raters")
    if clusters is not None and len(clusters) != len(table):
        raise ValueError(f"{len(table)} units need as many clusters, not {len(clusters)}")
    return table, list(range(len(table)) if clusters is None else clusters)


def _complete(ratings: Cells, clusters: Sequence[Hashable] | None) -> tuple[Floats, list[Hashable]]:
    table, names = _rows(ratings, clusters)
    kept: Flags = np.asarray(np.isfinite(table).all(axis=1))
    return table[kept], [name for name, stays in zip(names, kept, strict=True) if stays]


def _alpha(rows: Floats, level: Level) -> float | None:
    """Krippendorff's alpha of rows that hold two ratings or more each.

    Each level is squared distance of something: of the values; of their mid-ranks, whose gap is the number
    of ratings from the one value to the other, these two counted half; of marks 0 and 1 for every category.
    """
    if level == "interval":
        return _one_minus_share([rows])
    values, places, counts = np.unique(rows[np.isfinite(rows)], return_inverse=True, return_counts=True)
    if level == "nominal":
        return _one_minus_share([np.where(np.isfinite(rows), rows == value, np.nan) for value in values])
    ranks = np.full(rows.shape, np.nan)
    ranks[np.isfinite(rows)] = (np.cumsum(counts) - counts / 2)[places]
    return _one_minus_share([ranks])


def _one_minus_share(tables: Sequence[Floats]) -> float | None:
    """One minus observed over expected disagreement, both in squared distance and summed over tables."""
    observed = expected = largest = 0.0
    for rows in tables:
        sizes = np.isfinite(rows).sum(axis=1)
        within = np.nansum((rows - np.nanmean(rows, axis=1, keepdims=True)) ** 2, axis=1)
        values = rows[np.isfinite(rows)]
        observed += float((within * sizes / (sizes - 1)).sum()) / len(values)
        expected += float(((values - values.mean()) ** 2).sum()) / (len(values) - 1)
        largest = max(largest, float(np.abs(values).max()))
    return None if expected <= _ZERO * max(1.0, largest**2) else 1 - observed / expected


def _kappa(table: Floats, weights: Weights) -> float | None:
    if not len(table):
        return None
    gap = np.abs(table[:, 0][:, None] - table[:, 1][None, :])
    cost = {"none": gap > 0, "linear": gap, "quadratic": gap**2}[weights].astype(np.float64)
    expected = float(cost.mean())
    return None if expected <= _ZERO else float(1 - np.diag(cost).mean() / expected)


def _tau(table: Floats) -> float | None:
    from scipy import stats

    if len(table) < 2 or table.shape[1] < 2 or not all(varies(column) for column in table.T):
        return None
    pairs = combinations(table.T, 2)
    return float(np.mean([stats.kendalltau(first, second).statistic for first, second in pairs]))


def _mean_r(table: Floats) -> float | None:
    if len(table) < 2:
        return None
    varying = table[:, [varies(column) for column in table.T]]
    if varying.shape[1] < 2:
        return None
    found = np.corrcoef(varying, rowvar=False)
    return float(found[np.triu_indices_from(found, 1)].mean())


def _cronbach(table: Floats) -> float | None:
    n, k = table.shape
    if n < 2 or k < 2 or not varies(table.sum(axis=1)):
        return None
    share = float(table.var(axis=0, ddof=1).sum() / table.sum(axis=1).var(ddof=1))
    return float(k / (k - 1) * (1 - share))
