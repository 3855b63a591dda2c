"""Small drawings: geometry stays inside its frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.pages.charts import HEIGHT, WIDTH, bar, spark
from mirror_bench.schema import Score

number = st.floats(-20, 20)


def test_a_bar_lies_on_its_scale() -> None:
    drawn = bar(Score(metric="wai.total", value=3, low=2, high=4), 1, 5)
    assert drawn is not None
    assert (drawn.low, drawn.point, drawn.high) == pytest.approx((26, 50, 74))
    assert drawn.zero is None


def test_zero_is_marked_on_scales_that_cross_it() -> None:
    drawn = bar(Score(metric="gain", value=0.5), -1, 1)
    assert drawn is not None
    assert drawn.zero == 50
    assert drawn.low == drawn.high == drawn.point


def test_without_value_or_scale_there_is_no_bar() -> None:
    assert bar(None, 0, 1) is None
    assert bar(Score(metric="x", value=None), 0, 1) is None
    assert bar(Score(metric="x", value=1), 0, None) is None
    assert bar(Score(metric="x", value=1), 1, 1) is None


@given(number, number, number)
def test_bars_stay_inside_and_in_order(value: float, a: float, b: float) -> None:
    drawn = bar(Score(metric="x", value=value, low=min(value, a), high=max(value, b)), 0, 6)
    assert drawn is not None
    assert 0 <= drawn.low <= drawn.point <= drawn.high <= 100


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=40))
def test_sparks_stay_inside(values: list[float]) -> None:
    drawn = spark("bond", values)
    assert drawn is not None
    places = [tuple(map(float, place.split(","))) for place in drawn.points.split()]
    assert len(places) == len(values)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)
    assert (drawn.first, drawn.last) == (values[0], values[-1])


def test_nothing_has_no_spark() -> None:
    assert spark("bond", []) is None
