"""The Pareto front: what no other beats in one respect without losing in another."""

from __future__ import annotations

import math
from collections.abc import Sequence


def pareto_front(points: Sequence[tuple[float, float]]) -> tuple[int, ...]:
    """Returns the indices of the points that no other dominates, by their first coordinate from the highest.

    A point dominates another that it equals or exceeds in both coordinates and exceeds in one (Pareto 1906).
    Equal points are on the front together.

    Args:
        points: n pairs of finite numbers; in both, higher is better.

    Raises:
        ValueError: If a coordinate is not finite.
    """
    if not all(math.isfinite(x) and math.isfinite(y) for x, y in points):
        raise ValueError("coordinates must be finite: leave a missing value out")
    order = sorted(range(len(points)), key=lambda index: (-points[index][0], -points[index][1]))
    front: list[int] = []
    for index in order:
        if not front or points[index][1] > points[front[-1]][1] or points[index] == points[front[-1]]:
            front.append(index)
    return tuple(front)
