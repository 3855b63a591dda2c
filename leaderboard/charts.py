"""Geometry of the site's drawings; templates turn it into SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from mirror_bench.analysis.candidate_scores import TrajectoryPoint
from mirror_bench.schema import Score

RADAR_WIDTH, RADAR_HEIGHT, RADIUS = 460, 330, 108
COURSE_WIDTH, COURSE_HEIGHT = 420, 200
LEFT, RIGHT, TOP, BOTTOM = 34, 10, 10, 30  # Margins of a course, in SVG units.
RINGS = 4
LONGEST_LINE = 13
"""Letters of one line of a spoke's name."""
LINE = 16
"""Height of such a line, in SVG units."""


class Spoke(NamedTuple):
    """One axis of a radar: a metric's name, its place and its value.

    Attributes:
        lines: Its name, broken into lines.
        end: Where the axis ends.
        text: Where its name stands.
        anchor: SVG `text-anchor`.
        point: Where the value lies; None where there is none.
    """

    lines: tuple[str, ...]
    end: tuple[float, float]
    text: tuple[float, float]
    anchor: str
    point: tuple[float, float] | None


class Radar(NamedTuple):
    """A radar of several scores on one scale.

    Attributes:
        center: Where the axes meet: the lower end of the scale.
        spokes: Clockwise from the top.
        shape: SVG `points` of the values; empty where one is missing.
        band: SVG path between the intervals' ends; empty where one is missing.
        rings: Radii of the rings, the outermost the upper end of the scale.
    """

    width: int
    height: int
    center: tuple[float, float]
    spokes: tuple[Spoke, ...]
    shape: str
    band: str
    rings: tuple[float, ...]


class StateCourse(NamedTuple):
    """The course of one state over client turns, as SVG points.

    Attributes:
        line: SVG `points` of the means.
        band: SVG `points` of the intervals' outline; empty without intervals.
        ticks: (x, turn) under the drawing.
        levels: (y, value) beside it.
        ends: First and last mean.
    """

    name: str
    line: str
    band: str
    ticks: tuple[tuple[float, int], ...]
    levels: tuple[tuple[float, str], ...]
    ends: tuple[float, float]


def radar(named: Sequence[tuple[str, Score | None]], low: float, high: float) -> Radar | None:
    """Returns the radar of named scores on the scale from `low` to `high`; None for fewer than three."""
    if len(named) < 3 or high <= low:
        return None
    center = (RADAR_WIDTH / 2, RADAR_HEIGHT / 2)
    turns = [2 * math.pi * index / len(named) for index in range(len(named))]

    def at(turn: float, value: float) -> tuple[float, float]:
        return _polar(center, turn, RADIUS * min(1.0, max(0.0, (value - low) / (high - low))))

    spokes = []
    for turn, (name, score) in zip(turns, named, strict=True):
        known = score is not None and score.value is not None
        spokes.append(_spoke(name, center, turn, at(turn, score.value or 0.0) if score and known else None))
    scores = [score for _, score in named]
    values = [score.value for score in scores if score and score.value is not None]
    lows = [score.low for score in scores if score and score.low is not None]
    highs = [score.high for score in scores if score and score.high is not None]
    band = ""
    if len(lows) == len(highs) == len(named):
        outer = _points([at(turn, value) for turn, value in zip(turns, highs, strict=True)])
        inner = _points([at(turn, value) for turn, value in zip(turns, lows, strict=True)])
        band = f"M{outer.replace(' ', 'L')}ZM{inner.replace(' ', 'L')}Z"
    shape = ""
    if len(values) == len(named):
        shape = _points([at(turn, value) for turn, value in zip(turns, values, strict=True)])
    rings = tuple(round(RADIUS * ring / RINGS, 1) for ring in range(1, RINGS + 1))
    return Radar(RADAR_WIDTH, RADAR_HEIGHT, center, tuple(spokes), shape, band, rings)


def course(name: str, points: Sequence[TrajectoryPoint]) -> StateCourse | None:
    """Returns the drawing of a state's means in [0, 1] over client turns; None without any."""
    if not points:
        return None
    width = COURSE_WIDTH - LEFT - RIGHT
    height = COURSE_HEIGHT - TOP - BOTTOM
    last = max(2, points[-1].turn)

    def place(turn: int, value: float) -> tuple[float, float]:
        share = min(1.0, max(0.0, value))
        return round(LEFT + width * (turn - 1) / (last - 1), 1), round(TOP + height * (1 - share), 1)

    line = _points([place(point.turn, point.value) for point in points])
    sure = [(p.turn, p.low, p.high) for p in points if p.low is not None and p.high is not None]
    upper = [place(turn, high) for turn, _, high in sure]
    lower = [place(turn, low) for turn, low, _ in reversed(sure)]
    step = max(1, math.ceil(last / 8))
    ticks = tuple((place(turn, 0)[0], turn) for turn in range(1, last + 1, step))
    levels = tuple((place(1, value)[1], f"{value:g}") for value in (0.0, 0.25, 0.5, 0.75, 1.0))
    return StateCourse(
        name,
        line,
        _points(upper + lower) if len(sure) > 1 else "",
        ticks,
        levels,
        (points[0].value, points[-1].value),
    )


def _spoke(name: str, center: tuple[float, float], turn: float, point: tuple[float, float] | None) -> Spoke:
    end, text = _polar(center, turn, RADIUS), _polar(center, turn, RADIUS + 14)
    side = text[0] - center[0]
    anchor = "middle" if abs(side) < 8 else ("start" if side > 0 else "end")
    lines = _broken(name)
    # Lines run downwards from the first, so a name above the centre has to begin higher.
    lift = LINE * (len(lines) - 1) * (1 - (text[1] - (center[1] - RADIUS)) / (2 * RADIUS))
    return Spoke(lines, end, (text[0], round(text[1] + 4 - lift, 1)), anchor, point)


def _broken(name: str) -> tuple[str, ...]:
    lines = [""]
    for word in name.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > LONGEST_LINE:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return tuple(line[: LONGEST_LINE + 4] for line in lines[:3])


def _polar(center: tuple[float, float], turn: float, radius: float) -> tuple[float, float]:
    return round(center[0] + radius * math.sin(turn), 1), round(center[1] - radius * math.cos(turn), 1)


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in places)
