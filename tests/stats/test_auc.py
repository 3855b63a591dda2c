from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm

from mirror_bench.stats.auc import auc, auc_interval, match_pairs, roc_points

numbers = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=15)


@given(numbers, numbers)
def test_auc_is_the_mann_whitney_statistic(high: list[float], low: list[float]) -> None:
    expected = mannwhitneyu(high, low).statistic / (len(high) * len(low))
    assert auc(high, low) == pytest.approx(expected)


@given(numbers, numbers)
def test_the_roc_curve_climbs_and_encloses_the_auc(high: list[float], low: list[float]) -> None:
    points = roc_points(high, low)
    assert points[0] == (0, 0)
    assert points[-1] == (1, 1)
    assert list(points) == sorted(points)
    area = np.trapezoid([p.true_positive for p in points], [p.false_positive for p in points])
    assert area == pytest.approx(auc(high, low))


@given(numbers, numbers)
def test_intervals_hold_the_auc_and_mirror_when_groups_change_places(
    high: list[float], low: list[float]
) -> None:
    found, other = auc_interval(high, low), auc_interval(low, high)
    assert found.low is not None
    assert found.high is not None
    assert other.low is not None
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high
    assert found.high == pytest.approx(1 - other.low)


@pytest.mark.parametrize(("high", "low", "spread"), [(55, 11, 1.0), (11, 11, 1.0), (55, 11, 2.0)])
@pytest.mark.parametrize("distance", [0.5, 1.5, 2.5])
def test_intervals_cover_the_truth_as_often_as_they_claim(
    high: int, low: int, spread: float, distance: float
) -> None:
    rng, truth, trials = np.random.default_rng(3), norm.cdf(distance / (1 + spread**2) ** 0.5), 200
    covered = 0
    for _ in range(trials):
        found = auc_interval(rng.normal(distance, 1, high).tolist(), rng.normal(0, spread, low).tolist())
        covered += (found.low or 0.0) <= truth <= (found.high or 1.0)
    assert covered / trials >= 0.925


def test_complete_separation_still_leaves_doubt() -> None:
    few, many = auc_interval([2, 3, 4], [0, 1]), auc_interval([2.0] * 60, [1.0] * 40)
    assert few.high == many.high == 1.0
    assert few.low is not None
    assert many.low is not None
    assert 0.2 < few.low < 0.8
    assert 0.9 < many.low < 1.0


def test_empty_groups_have_no_auc() -> None:
    with pytest.raises(ValueError, match="both groups"):
        auc([], [1.0])


values = st.lists(st.floats(0, 10), max_size=9)


@given(values, values, st.floats(0.01, 5))
def test_pairs_are_near_and_used_once_and_as_many_as_can_be(
    high: list[float], low: list[float], caliper: float
) -> None:
    pairs = match_pairs(high, low, caliper)
    assert all(abs(high[h] - low[x]) <= caliper for h, x in pairs)
    assert len({h for h, _ in pairs}) == len({x for _, x in pairs}) == len(pairs)
    # On a line a sweep from the left finds the greatest number of pairs.
    rest, most = sorted(high), 0
    for value in sorted(low):
        rest = [h for h in rest if h >= value - caliper]
        if rest and abs(rest[0] - value) <= caliper:
            rest, most = rest[1:], most + 1
    assert len(pairs) == most
