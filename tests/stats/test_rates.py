"""Shares and win rates: in their range, monotone, mirrored, and as wide as exact intervals where known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mirror_bench.stats.intervals import Interval
from mirror_bench.stats.rates import cluster_share


def ends(events: list[float], clusters: list[int]) -> tuple[float, float]:
    found = cluster_share(events, clusters)
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


@pytest.mark.parametrize("event", [0, 1])
@pytest.mark.parametrize("clusters", [2, 12])
def test_a_share_without_spread_still_has_an_interval(event: int, clusters: int) -> None:
    found = cluster_share([event] * 3 * clusters, list(range(clusters)) * 3)
    exact = stats.binomtest(event * clusters, clusters).proportion_ci(0.95, method="exact")
    assert found is not None
    assert (found.value, found.n, found.clusters) == (event, 3 * clusters, clusters)
    assert found.low == pytest.approx(exact.low)
    assert found.high == pytest.approx(exact.high)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcdefghijkl")), min_size=1))
def test_a_share_stays_in_its_range(pairs: list[tuple[bool, str]]) -> None:
    found = cluster_share([v for v, _ in pairs], [c for _, c in pairs])
    assert found is not None
    if found.clusters > 1:
        assert found.low is not None
        assert found.high is not None
        assert 0 <= found.low <= found.value <= found.high <= 1
        assert found.low < found.high or found.value not in (0, 1)


def test_a_share_of_anything_else_is_refused() -> None:
    assert cluster_share([], []) is None
    with pytest.raises(ValueError, match="between 0 and 1"):
        cluster_share([1.5], ["a"])


@pytest.mark.parametrize("each", [1, 2, 4])
@pytest.mark.parametrize("clusters", [4, 16, 48])
def test_ends_never_fall_with_another_event(clusters: int, each: int) -> None:
    names = [place % clusters for place in range(clusters * each)]
    n = len(names)
    found = [ends([1.0] * count + [0.0] * (n - count), names) for count in range(n + 1)]
    for side in zip(*found, strict=True):
        assert list(side) == sorted(side)
    assert found[0][0] == 0.0 < found[0][1]
    assert found[n][0] < 1.0 == found[n][1]


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.integers(0, 6)), min_size=1))
def test_losses_mirror_wins(pairs: list[tuple[float, int]]) -> None:
    one = cluster_share([v for v, _ in pairs], [c for _, c in pairs])
    other = cluster_share([1 - v for v, _ in pairs], [c for _, c in pairs])
    assert one is not None
    assert other is not None
    assert other.value == pytest.approx(1 - one.value)
    if one.low is not None and other.high is not None:
        assert other.high == pytest.approx(1 - one.low)
        assert 0 <= one.low <= one.value


def test_three_of_three_wins_leave_doubt() -> None:
    low, high = ends([1.0, 1.0, 1.0], [0, 1, 2])
    assert 0.2 < low < 0.4
    assert high == 1.0
    low, high = ends([1.0, 0.5, 1.0, 1.0], [0, 1, 2, 3])
    assert low < 0.5
    assert high <= 1.0


def test_one_cluster_tells_no_error() -> None:
    assert cluster_share([1, 0, 1, 1], ["a"] * 4) == Interval(0.75, None, None, 4, 1)


def test_clusters_whose_values_are_alike_count_as_one_trial_each() -> None:
    exact = stats.binomtest(12, 20).proportion_ci(0.95, method="exact")
    low, high = ends([1.0] * 36 + [0.0] * 24, [place // 3 for place in range(60)])
    assert low == pytest.approx(exact.low, abs=0.005)
    assert high == pytest.approx(exact.high, abs=0.005)
