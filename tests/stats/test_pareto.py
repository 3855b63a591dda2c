"""The Pareto front: against its definition."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.stats.pareto import pareto_front

points = st.lists(st.tuples(st.integers(-5, 5).map(float), st.integers(-5, 5).map(float)), max_size=25)


@given(points)
def test_the_front_is_what_nothing_dominates(given_points: list[tuple[float, float]]) -> None:
    def dominated(one: tuple[float, float]) -> bool:
        return any(x >= one[0] and y >= one[1] and (x, y) != one for x, y in given_points)

    front = pareto_front(given_points)
    assert set(front) == {index for index, one in enumerate(given_points) if not dominated(one)}
    assert [given_points[index][0] for index in front] == sorted(
        (given_points[index][0] for index in front), reverse=True
    )


def test_a_known_front() -> None:
    assert pareto_front([(1, 5), (2, 4), (2, 3), (3, 1), (0, 5), (2, 4)]) == (3, 1, 5, 0)
    assert pareto_front([]) == ()


def test_coordinates_must_be_finite() -> None:
    with pytest.raises(ValueError, match="finite"):
        pareto_front([(math.nan, 1.0)])
