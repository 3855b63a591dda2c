"""Means over clusters: exact cases, mirrored values, invariances, coverage, and agreement with scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mirror_bench.stats.intervals import (
    FEW_CLUSTERS,
    Interval,
    cluster_mean,
    clustered_mean,
)

finite = st.floats(-100, 100, allow_nan=False, width=32)
samples = st.lists(st.tuples(finite, st.sampled_from("abcdefghijklmnop")), min_size=1, max_size=40)


def of(pairs: list[tuple[float, str]]) -> Interval:
    interval = cluster_mean([v for v, _ in pairs], [c for _, c in pairs])
    assert interval is not None
    return interval


def test_no_values_give_no_interval() -> None:
    assert cluster_mean([], []) is None


def test_one_cluster_gives_a_mean_without_ends() -> None:
    assert cluster_mean([1, 2, 6], ["a", "a", "a"]) == Interval(3.0, None, None, 3, 1)


def test_the_mean_weighs_clusters_by_their_sizes() -> None:
    assert of([(0.0, "a"), (0.0, "a"), (3.0, "b")]).value == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("values", "clusters", "options"),
    [
        ([1.0], ["a", "b"], {}),
        ([math.nan, 1.0], ["a", "b"], {}),
        ([math.inf], ["a"], {}),
        ([1.0], ["a"], {"level": 1.0}),
    ],
)
def test_bad_arguments_are_refused(
    values: list[float], clusters: list[str], options: dict[str, float]
) -> None:
    with pytest.raises(ValueError):
        cluster_mean(values, clusters, **options)


@given(samples)
def test_the_interval_holds_its_mean(pairs: list[tuple[float, str]]) -> None:
    interval = of(pairs)
    assert interval.n == len(pairs)
    assert interval.clusters == len({c for _, c in pairs})
    assert interval.value == pytest.approx(float(np.mean([v for v, _ in pairs])), abs=1e-6)
    if interval.low is not None and interval.high is not None:
        assert interval.clusters > 1
        assert interval.low <= interval.value <= interval.high


@given(samples, st.randoms(use_true_random=False))
def test_order_and_names_of_clusters_do_not_matter(pairs: list[tuple[float, str]], random: object) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    renamed = [(value, chr(ord("z") - ord(name) + ord("a"))) for value, name in shuffled]
    assert of(pairs) == of(renamed)


@given(samples, st.floats(0.5, 4), st.floats(-5, 5))
def test_the_interval_moves_with_its_values(
    pairs: list[tuple[float, str]], scale: float, shift: float
) -> None:
    before = of(pairs)
    # A shift may reorder the totals of unequal clusters, so only the mean must follow it exactly.
    after = of([(value * scale, name) for value, name in pairs])
    assert after.value == pytest.approx(before.value * scale, abs=1e-6)
    if before.low is not None and after.low is not None:
        assert after.low == pytest.approx(before.low * scale, abs=1e-5)
    assert of([(value + shift, name) for value, name in pairs]).value == pytest.approx(
        before.value + shift, abs=1e-6
    )


@given(samples)
def test_negated_values_have_exactly_the_mirrored_interval_and_tests(pairs: list[tuple[float, str]]) -> None:
    plain, turned = of(pairs), of([(-value, name) for value, name in pairs])
    assert turned.value == -plain.value
    assert turned.low == (None if plain.high is None else -plain.high)
    assert turned.high == (None if plain.low is None else -plain.low)
    one = clustered_mean([v for v, _ in pairs], [c for _, c in pairs])
    other = clustered_mean([-v for v, _ in pairs], [c for _, c in pairs])
    assert one is not None
    assert other is not None
    assert one.p_above(1.5) == other.p_below(-1.5)
    assert one.p_apart() == other.p_apart()


@given(samples)
def test_tests_go_with_the_interval(pairs: list[tuple[float, str]]) -> None:
    mean = clustered_mean([v for v, _ in pairs], [c for _, c in pairs])
    assert mean is not None
    low, high = mean.interval()[1:3]
    if low is None or high is None:
        return
    assert mean.p_above(low) == pytest.approx(0.025, abs=1e-6)
    assert mean.p_below(high) == pytest.approx(0.025, abs=1e-6)
    assert mean.p_above(low - 1) <= 0.025 < mean.p_above((low + mean.value) / 2)


def test_clusters_that_are_all_alike_tell_no_error() -> None:
    assert of([(2.5, name) for name in "abcdefghijkl"]) == Interval(2.5, None, None, 12, 12)
    mean = clustered_mean([0.1 + 0.2, 0.3] * 3, "aabbcc")  # rounding is no scatter
    assert mean is not None
    assert not mean.scatters
    assert mean.p_above(0.3) == 1.0
    assert mean.p_above(0.2) == 0.5**3


def test_repeating_a_cluster_does_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(3)
    once = [(float(value), str(index)) for index, value in enumerate(rng.normal(size=30))]
    tripled = [pair for pair in once for _ in range(3)]
    one, three = of(once), of(tripled)
    assert one.low is not None
    assert three.low is not None
    assert three.low == pytest.approx(one.low)
    assert three.high == pytest.approx(one.high)


def test_clusters_without_skewness_agree_with_student() -> None:
    values = [1.0, 2.0, 4.0, 5.0]
    ours = cluster_mean(values, "abcd")
    low, high = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    assert ours is not None
    assert ours.low == pytest.approx(low)
    assert ours.high == pytest.approx(high)


@pytest.mark.parametrize("clusters", [4, FEW_CLUSTERS, 40])
def test_coverage_is_near_its_level(clusters: int) -> None:
    """400 simulated data sets of correlated clusters: the true mean is covered about 95 times in 100."""
    rng = np.random.default_rng(clusters)
    trials, hits = 400, 0
    for _ in range(trials):
        names = np.repeat(np.arange(clusters), rng.integers(1, 5, size=clusters))
        values = 2.0 + rng.normal(size=clusters)[names] + rng.normal(scale=0.5, size=len(names))
        interval = cluster_mean(values, names.tolist())
        assert interval is not None
        assert interval.low is not None
        assert interval.high is not None
        hits += interval.low <= 2.0 <= interval.high
    # Unequal cluster sizes cost a little coverage with few clusters; 0.92 is what is promised there.
    assert stats.binom.cdf(hits, trials, 0.92 if clusters < 40 else 0.93) > 0.01
    assert stats.binom.sf(hits - 1, trials, 0.95) > 0.01


def test_ignoring_clusters_would_undercover() -> None:
    """The reason for clusters: with every value its own cluster the interval is far too narrow."""
    rng = np.random.default_rng(1)
    names = np.repeat(np.arange(12), 10)
    values = rng.normal(size=12)[names] + rng.normal(scale=0.1, size=120)
    clustered = cluster_mean(values, names.tolist())
    naive = cluster_mean(values, list(range(120)))
    assert clustered is not None
    assert naive is not None
    assert clustered.low is not None
    assert clustered.high is not None
    assert naive.low is not None
    assert naive.high is not None
    assert clustered.high - clustered.low > 2 * (naive.high - naive.low)
