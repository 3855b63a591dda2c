"""Differences of groups that share no pair."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mirror_bench.stats.independent import independent_difference


def test_it_is_welchs_interval_where_each_value_is_a_cluster() -> None:
    a, b = [3.1, 4.2, 2.7, 5.0, 3.9], [2.0, 2.4, 1.1, 3.3]
    found = independent_difference(a, range(5), b, range(4))
    from scipy import stats

    interval = stats.ttest_ind(a, b, equal_var=False).confidence_interval()
    assert found is not None
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    mirrored = independent_difference(b, range(4), a, range(5))
    assert mirrored is not None
    assert found.low is not None
    assert found.high is not None
    assert (mirrored.value, mirrored.low, mirrored.high) == (-found.value, -found.high, -found.low)


def test_there_is_none_without_values_and_no_ends_without_scatter() -> None:
    assert independent_difference([], [], [1.0], ["x"]) is None
    found = independent_difference([1.0, 2.0], ["x", "x"], [1.0, 2.0], ["y", "z"])
    assert found is not None
    assert (found.value, found.low, found.high, found.clusters) == (0.0, None, None, 3)


def test_it_covers_the_true_difference() -> None:
    draw = np.random.default_rng(5)
    held = 0
    for _ in range(400):
        sides = []
        for people, spread, mean in ((12, 1.0, 0.3), (7, 2.0, 0.0)):
            of_person = draw.normal(mean, spread, people)
            values = np.repeat(of_person, 3) + draw.normal(0, 1, 3 * people)
            sides += [values.tolist(), np.repeat(np.arange(people), 3).tolist()]
        found = independent_difference(*sides)
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.3 <= found.high
    assert abs(held / 400 - 0.95) < 3 * math.sqrt(0.95 * 0.05 / 400)
