"""Intraclass correlation of raters drawn from many (Shrout & Fleiss 1979); all or some rate a unit."""

from __future__ import annotations

import math

import numpy as np

from mirror_bench.stats.intervals import Floats

_ZERO = 1e-12


def varies(values: Floats) -> bool:
    """Returns whether values differ by more than rounding error."""
    return bool(np.ptp(values) > _ZERO * max(1.0, float(np.abs(values).max())))


def _mean_squares(table: Floats) -> tuple[float, float, float]:
    """Returns mean squares between units, between raters, and of the residual."""
    n, k = table.shape
    grand = table.mean()
    units, raters = table.mean(axis=1, keepdims=True), table.mean(axis=0, keepdims=True)
    residual = table - units - raters + grand
    between = k * float(((units - grand) ** 2).sum()) / (n - 1)
    columns = n * float(((raters - grand) ** 2).sum()) / (k - 1)
    return between, columns, float((residual**2).sum()) / ((n - 1) * (k - 1))


def intraclass(table: Floats, average: bool = False) -> float | None:
    """Returns ICC(2,1) or ICC(2,k) of a complete table of units by raters; None without variance."""
    n, k = table.shape
    if n < 2 or k < 2 or not varies(table):
        return None
    between, columns, error = _mean_squares(table)
    spread = (columns - error) / n
    below = between + spread if average else between + (k - 1) * error + k * spread
    return (between - error) / below if below > _ZERO else None


def incomplete_intraclass(table: Floats) -> float | None:
    """Returns ICC(2,1) of a table in which raters left out units (NaN); None where it cannot be told.

    Components of variance by Henderson's first method (1953, "Estimation of variance and covariance
    components"; Searle, Casella & McCulloch 1992, chapter 5): sums of squares of units and of raters are set
    equal to what they would be on average. Of a complete table that is `intraclass` exactly.

    Args:
        table: Units by raters; units and raters without a value do not count.
    """
    rated = np.isfinite(table)
    kept = table[np.ix_(rated.any(axis=1), rated.any(axis=0))]
    met = np.isfinite(kept)
    if met.size == 0 or min(met.shape) < 2:
        return None
    n, units, raters = int(met.sum()), met.sum(axis=1), met.sum(axis=0)
    if not varies(kept[met]) or n <= sum(met.shape) - 1:
        return None
    centred = np.where(
        met, kept - kept[met].mean(), 0.0
    )  # sums of squares of large numbers lose their digits
    by_unit = float((centred.sum(axis=1) ** 2 / units).sum())
    by_rater = float((centred.sum(axis=0) ** 2 / raters).sum())
    all_of_it, common = float((centred**2).sum()), float(centred.sum() ** 2) / n
    a, b = met.shape
    of_units, of_raters = float((units**2).sum()) / n, float((raters**2).sum()) / n
    expected = np.array(
        [
            [n - of_units, a - of_raters, a - 1],
            [b - of_units, n - of_raters, b - 1],
            [of_units - b, of_raters - a, n - a - b + 1],
        ]
    )
    found = [by_unit - common, by_rater - common, all_of_it - by_unit - by_rater + common]
    if abs(float(np.linalg.det(expected))) <= _ZERO * n**3:
        return None
    between, severity, error = (float(one) for one in np.linalg.solve(expected, np.array(found)))
    total = between + severity + error
    return min(1.0, between / total) if total > _ZERO else None


def intraclass_ends(
    table: Floats, average: bool = False, clusters: int | None = None, level: float = 0.95
) -> tuple[float, float] | None:
    """Returns the ends of the interval by Shrout & Fleiss 1979, page 424; None where they do not exist.

    Args:
        table: Units by raters, complete.
        average: As for `intraclass`.
        clusters: How many independent clusters the units come from, at least 2; the units' number where None.
        level: Coverage aimed at, in (0, 1).
    """
    from scipy import stats

    n, k = table.shape
    between, columns, error = _mean_squares(table)
    if error <= _ZERO:
        return None  # full agreement in a small sample is no certainty
    single = intraclass(table) or 0.0
    ratio = columns / error
    share = n * (1 + (k - 1) * single) - k * single
    independent = (n if clusters is None else clusters) - 1
    freedom = (k - 1) * independent * (k * single * ratio + share) ** 2
    freedom /= independent * k**2 * single**2 * ratio**2 + share**2
    upper = float(stats.f.ppf((1 + level) / 2, independent, freedom))
    lower = float(stats.f.ppf((1 + level) / 2, freedom, independent))
    rest = k * columns + (k * n - k - n) * error
    if upper * rest + n * between <= _ZERO or rest + n * lower * between <= _ZERO:
        return None
    low = n * (between - upper * error) / (upper * rest + n * between)
    high = n * (lower * between - error) / (rest + n * lower * between)
    if average:
        low, high = (k * end / (1 + (k - 1) * end) for end in (low, high))
    return (low, high) if math.isfinite(low) and math.isfinite(high) and low <= high <= 1 else None
