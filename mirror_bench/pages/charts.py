"""Geometry of the small drawings inside a page; templates turn it into SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mirror_bench.schema import Score

WIDTH, HEIGHT, EDGE = 160, 40, 4  # Of a sparkline, in SVG units.


class Bar(NamedTuple):
    """A score and its interval as places on a horizontal scale, in percent of the width.

    Attributes:
        point: The value, in percent of the width.
        low: Lower end, likewise; the value itself where there is no interval.
        high: Upper end.
        zero: Where 0 lies, for scales that reach below it; else None.
    """

    point: float
    low: float
    high: float
    zero: float | None = None


class Spark(NamedTuple):
    """The line of one state over the client's turns, as SVG points.

    Attributes:
        points: SVG `points` of the line.
        end: Where the line ends.
        first: First value, in [0, 1].
        last: Last value.
        lowest: Lowest value.
        highest: Highest value.
    """

    name: str
    points: str
    end: tuple[float, float]
    first: float
    last: float
    lowest: float
    highest: float


def bar(score: Score | None, low: float | None, high: float | None) -> Bar | None:
    """Returns where a score lies on a scale from `low` to `high`; None without a value or a scale."""
    if score is None or score.value is None or low is None or high is None or high <= low:
        return None

    def place(value: float) -> float:
        share = (value - low) / (high - low)
        return round(2 + 96 * min(1.0, max(0.0, share)), 2)

    return Bar(
        place(score.value),
        place(score.value if score.low is None else score.low),
        place(score.value if score.high is None else score.high),
        place(0.0) if low < 0 < high else None,
    )


def spark(name: str, values: Sequence[float]) -> Spark | None:
    """Returns the sparkline of values in [0, 1]; None without any."""
    if not values:
        return None
    step = (WIDTH - 2 * EDGE) / max(1, len(values) - 1)
    places = [
        (round(EDGE + index * step, 1), round(HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * min(1.0, max(0.0, v)), 1))
        for index, v in enumerate(values)
    ]
    return Spark(
        name,
        " ".join(f"{x},{y}" for x, y in places),
        places[-1],
        values[0],
        values[-1],
        min(values),
        max(values),
    )
