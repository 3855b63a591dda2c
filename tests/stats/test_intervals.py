"""Cluster bootstrap: exact cases, invariances, coverage, and agreement with scipy."""

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
    cluster_bootstrap_mean,
    cluster_bootstrap_share,
    expanded_level,
)

finite = st.floats(-100, 100, allow_nan=False, width=32)
samples = st.lists(st.tuples(finite, st.sampled_from("abcdefghijklmnop")), min_size=1, max_size=40)


def of(pairs: list[tuple[float, str]], **options: int) -> Interval:
    interval = cluster_bootstrap_mean([v for v, _ in pairs], [c for _, c in pairs], **options)
    assert interval is not None
    return interval


def test_no_values_give_no_interval() -> None:
    assert cluster_bootstrap_mean([], []) is None


def test_one_cluster_gives_a_mean_without_ends() -> None:
    assert cluster_bootstrap_mean([1, 2, 6], ["a", "a", "a"]) == Interval(3.0, None, None, 3, 1)


def test_the_mean_weighs_clusters_by_their_sizes() -> None:
    assert of([(0.0, "a"), (0.0, "a"), (3.0, "b")]).value == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("values", "clusters", "options"),
    [
        ([1.0], ["a", "b"], {}),
        ([math.nan, 1.0], ["a", "b"], {}),
        ([math.inf], ["a"], {}),
        ([1.0], ["a"], {"level": 1.0}),
        ([1.0], ["a"], {"resamples": 10}),
    ],
)
def test_bad_arguments_are_refused(
    values: list[float], clusters: list[str], options: dict[str, float]
) -> None:
    with pytest.raises(ValueError):
        cluster_bootstrap_mean(values, clusters, **options)  # type: ignore[arg-type]


@given(samples)
def test_the_interval_holds_its_mean(pairs: list[tuple[float, str]]) -> None:
    interval = of(pairs, resamples=200)
    assert interval.n == len(pairs)
    assert interval.clusters == len({c for _, c in pairs})
    assert interval.value == pytest.approx(float(np.mean([v for v, _ in pairs])), abs=1e-6)
    if interval.clusters > 1:
        assert interval.low is not None
        assert interval.high is not None
        assert interval.low <= interval.value <= interval.high


@given(samples, st.randoms(use_true_random=False))
def test_order_and_names_of_clusters_do_not_matter(pairs: list[tuple[float, str]], random: object) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    renamed = [(value, chr(ord("z") - ord(name) + ord("a"))) for value, name in shuffled]
    assert of(pairs, resamples=200) == of(renamed, resamples=200)


@given(samples, st.floats(0.5, 4), st.floats(-5, 5))
def test_the_interval_moves_with_its_values(
    pairs: list[tuple[float, str]], scale: float, shift: float
) -> None:
    before = of(pairs, resamples=200)
    # A shift may reorder the totals of unequal clusters, so only the mean must follow it exactly.
    after = of([(value * scale, name) for value, name in pairs], resamples=200)
    assert after.value == pytest.approx(before.value * scale, abs=1e-6)
    if before.low is not None and after.low is not None:
        assert after.low == pytest.approx(before.low * scale, abs=1e-5)
    assert of([(value + shift, name) for value, name in pairs], resamples=200).value == pytest.approx(
        before.value + shift, abs=1e-6
    )


def test_equal_values_have_no_width() -> None:
    interval = of([(2.5, name) for name in "abcdefghijkl"])
    assert interval.low == pytest.approx(2.5)
    assert interval.high == pytest.approx(2.5)


def test_repeating_a_cluster_does_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(3)
    once = [(float(value), str(index)) for index, value in enumerate(rng.normal(size=30))]
    tripled = [pair for pair in once for _ in range(3)]
    one, three = of(once), of(tripled)
    assert one.low is not None
    assert three.low is not None
    assert three.low == pytest.approx(one.low)
    assert three.high == pytest.approx(one.high)


def test_single_clusters_agree_with_scipy() -> None:
    rng = np.random.default_rng(11)
    values = rng.gamma(2.0, size=60)
    ours = cluster_bootstrap_mean(values, list(range(60)), resamples=20_000)
    theirs = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=20_000,
        confidence_level=expanded_level(0.95, 60),
        method="percentile",
        rng=np.random.default_rng(5),
    ).confidence_interval
    assert ours is not None
    width = theirs.high - theirs.low
    assert ours.low == pytest.approx(theirs.low, abs=0.03 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.03 * width)


def test_few_single_clusters_agree_with_student() -> None:
    values = [1.0, 2.0, 4.0, 4.5]
    ours = cluster_bootstrap_mean(values, "abcd")
    low, high = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    assert ours is not None
    assert ours.low == pytest.approx(low)
    assert ours.high == pytest.approx(high)


@pytest.mark.parametrize("clusters", [3, 5, FEW_CLUSTERS, 12, 40])
def test_coverage_is_near_its_level(clusters: int) -> None:
    """400 simulated data sets of correlated clusters: the true mean is covered about 95 times in 100."""
    rng = np.random.default_rng(clusters)
    trials, hits = 400, 0
    for _ in range(trials):
        names = np.repeat(np.arange(clusters), rng.integers(1, 5, size=clusters))
        values = 2.0 + rng.normal(size=clusters)[names] + rng.normal(scale=0.5, size=len(names))
        interval = cluster_bootstrap_mean(values, names.tolist(), resamples=1000)
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
    clustered = cluster_bootstrap_mean(values, names.tolist())
    naive = cluster_bootstrap_mean(values, list(range(120)))
    assert clustered is not None
    assert naive is not None
    assert clustered.low is not None
    assert clustered.high is not None
    assert naive.low is not None
    assert naive.high is not None
    assert clustered.high - clustered.low > 2 * (naive.high - naive.low)


@pytest.mark.parametrize("event", [0, 1])
@pytest.mark.parametrize("clusters", [2, 12])
def test_a_share_without_spread_still_has_an_interval(event: int, clusters: int) -> None:
    found = cluster_bootstrap_share([event] * 3 * clusters, list(range(clusters)) * 3)
    exact = stats.binomtest(event * clusters, clusters).proportion_ci(0.95, method="exact")
    assert found is not None
    assert (found.value, found.n, found.clusters) == (event, 3 * clusters, clusters)
    assert found.low == pytest.approx(exact.low)
    assert found.high == pytest.approx(exact.high)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcdefghijkl")), min_size=1))
def test_a_share_stays_in_its_range(pairs: list[tuple[bool, str]]) -> None:
    found = cluster_bootstrap_share([v for v, _ in pairs], [c for _, c in pairs], resamples=200)
    assert found is not None
    if found.clusters > 1:
        assert found.low is not None
        assert found.high is not None
        assert 0 <= found.low <= found.value <= found.high <= 1
        assert found.low < found.high or found.value not in (0, 1)


def test_a_share_of_anything_else_is_refused() -> None:
    assert cluster_bootstrap_share([], []) is None
    with pytest.raises(ValueError, match="0 or 1"):
        cluster_bootstrap_share([0.5], ["a"])
