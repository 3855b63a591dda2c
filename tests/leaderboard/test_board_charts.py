"""Geometry of radars and courses."""

import re

from hypothesis import given
from hypothesis import strategies as st

from leaderboard.charts import COURSE_HEIGHT, COURSE_WIDTH, RADAR_HEIGHT, RADAR_WIDTH, RADIUS, course, radar
from mirror_bench.analysis.candidate_scores import TrajectoryPoint
from mirror_bench.schema import Score

SCORES = st.lists(st.tuples(st.floats(0, 6), st.floats(0, 1)), min_size=3, max_size=9)


def _numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.?\d*", text)]


@given(SCORES)
def test_a_radar_stays_in_its_circle(values: list[tuple[float, float]]) -> None:
    named = [
        (f"Spoke {n}", Score(metric=f"m{n}", value=value, low=value - spread, high=value + spread))
        for n, (value, spread) in enumerate(values)
    ]
    drawn = radar(named, 0, 6)
    assert drawn is not None
    assert len(drawn.spokes) == len(values)
    for spoke, (value, _) in zip(drawn.spokes, values, strict=True):
        assert spoke.point is not None
        x, y = spoke.point
        distance = ((x - drawn.center[0]) ** 2 + (y - drawn.center[1]) ** 2) ** 0.5
        assert abs(distance - RADIUS * value / 6) < 0.2
        assert 0 < spoke.text[0] < RADAR_WIDTH
        assert 0 < spoke.text[1] < RADAR_HEIGHT
    assert len(_numbers(drawn.shape)) == 2 * len(values)
    assert len(_numbers(drawn.band)) == 4 * len(values)


def test_a_radar_says_what_is_missing() -> None:
    scores = [("a", Score(metric="a", value=1.0)), ("b", None), ("c", Score(metric="c", value=None))]
    drawn = radar(scores, 0, 6)
    assert drawn is not None
    assert [spoke.point is None for spoke in drawn.spokes] == [False, True, True]
    assert drawn.shape == ""
    assert drawn.band == ""
    assert radar(scores[:2], 0, 6) is None


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_a_course_stays_in_its_drawing(values: list[float]) -> None:
    points = [
        TrajectoryPoint(turn=n, value=value, low=value / 2, high=(1 + value) / 2)
        for n, value in enumerate(values, 1)
    ]
    drawn = course("resistance", points)
    assert drawn is not None
    numbers = _numbers(drawn.line)
    assert len(numbers) == 2 * len(values)
    assert all(0 <= x <= COURSE_WIDTH for x in numbers[::2])
    assert all(0 <= y <= COURSE_HEIGHT for y in numbers[1::2])
    assert drawn.ends == (values[0], values[-1])
    assert len(drawn.ticks) <= 9


def test_no_points_no_course() -> None:
    assert course("resistance", []) is None
