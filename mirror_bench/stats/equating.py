"""Puts several raters' scores on one scale: linear equating of severity and spread."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean, pstdev
from typing import NamedTuple

_LEAST_SPREAD = 0.1
"""A rater whose scores spread less than this share of the panel's tells too little apart to be stretched."""


class EquatingLine(NamedTuple):
    """A rater's scores on the panel's scale: `intercept + slope x score`.

    Attributes:
        severity: Mean of the panel less the rater's own, over what both rated: above 0 for a severe rater.
        n: Scores it was estimated from.
        stretched: Whether the spread was equated too, or the mean alone.
    """

    intercept: float
    slope: float
    severity: float
    n: int
    stretched: bool

    def apply(self, score: float) -> float:
        """Returns a score on the panel's scale."""
        return self.intercept + self.slope * score


def equate(scores: Mapping[str, Sequence[float | None]]) -> dict[str, EquatingLine]:
    """Returns each rater's line onto the scale of the panel's mean rater.

    Mean-sigma linear equating on common material (Kolen & Brennan 2014, "Test Equating", chapter 2): every
    rater's mean and standard deviation over what all have rated become those of the average rater. It takes
    out that a rater is severe or uses little of the scale, and cannot take out what it has misunderstood.

    Args:
        scores: Rater -> scores of the same things in the same order, None where missing; things that
            any rater left out do not count.

    Raises:
        ValueError: If there is no rater, or their lists differ in length.
    """
    if not scores:
        raise ValueError("no rater to equate")
    if len({len(one) for one in scores.values()}) > 1:
        raise ValueError("raters must have rated the same things: lists differ in length")
    rows = [row for row in zip(*scores.values(), strict=True) if None not in row]
    columns = {
        name: [float(row[place]) for row in rows if row[place] is not None]
        for place, name in enumerate(scores)
    }
    if not rows:
        return {name: EquatingLine(0.0, 1.0, 0.0, 0, stretched=False) for name in scores}
    means = {name: fmean(found) for name, found in columns.items()}
    spreads = {name: pstdev(found) for name, found in columns.items()}
    # Summing in order of size makes the answer independent of the raters' order.
    mean = math.fsum(sorted(means.values())) / len(means)
    spread = math.fsum(sorted(spreads.values())) / len(spreads)
    lines = {}
    for name in scores:
        wide = len(rows) >= 3 and spread > 0 and spreads[name] >= _LEAST_SPREAD * spread
        slope = spread / spreads[name] if wide else 1.0
        lines[name] = EquatingLine(
            mean - slope * means[name], slope, mean - means[name], len(rows), stretched=wide
        )
    return lines
