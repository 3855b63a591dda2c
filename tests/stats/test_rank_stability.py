"""Rank stability: shares that sum to 1, ties, invariances, and the probability that theory gives."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.stats.rank_stability import rank_stability

tables = st.integers(2, 5).flatmap(
    lambda k: st.lists(
        st.tuples(st.lists(st.integers(0, 6).map(float), min_size=k, max_size=k), st.integers(0, 4)),
        min_size=1,
        max_size=20,
    )
)


@given(tables, st.integers(0, 3))
def test_shares_are_doubly_stochastic(rows: list[tuple[list[float], int]], seed: int) -> None:
    found = rank_stability([row for row, _ in rows], [name for _, name in rows], 200, seed)
    if len({name for _, name in rows}) < 2:
        assert found is None
        return
    assert found is not None
    shares = np.array(found.shares)
    assert shares.min() >= 0
    assert shares.sum(axis=0) == pytest.approx(1)
    assert shares.sum(axis=1) == pytest.approx(1)
    assert [found.means[i] for i in found.order] == pytest.approx(sorted(found.means, reverse=True))
    assert found.units == len(rows)


@given(tables, st.randoms(use_true_random=False))
def test_order_and_names_do_not_matter(rows: list[tuple[list[float], int]], rng) -> None:  # type: ignore[no-untyped-def]
    found = rank_stability([row for row, _ in rows], [name for _, name in rows], 200)
    mixed = list(rows)
    rng.shuffle(mixed)
    again = rank_stability([row for row, _ in mixed], [f"p{7 - name}" for _, name in mixed], 200)
    assert again == found


def test_the_order_of_candidates_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    table, names = rng.normal(3, 1, (40, 3)), [f"p{index % 10}" for index in range(40)]
    found = rank_stability(table, names)
    turned = rank_stability(table[:, ::-1], names)
    assert found is not None
    assert turned is not None
    assert turned.shares == found.shares[::-1]


def test_equal_candidates_share_their_ranks() -> None:
    rng = np.random.default_rng(2)
    one = rng.normal(3, 1, 60)
    found = rank_stability(np.stack([one, one - 5, one], axis=1), [index % 12 for index in range(60)])
    assert found is not None
    assert found.shares == ((0.5, 0.5, 0.0), (0.0, 0.0, 1.0), (0.5, 0.5, 0.0))
    assert found.order == (0, 2, 1)


def test_the_share_of_the_first_rank_is_what_theory_gives() -> None:
    rng = np.random.default_rng(3)
    difference = rng.normal(0.0, 1.0, 400)
    for wanted in (0.5, 1.0, 2.0):  # standard errors between the two
        shifted = difference - difference.mean() + wanted * difference.std() / math.sqrt(400)
        common = rng.normal(0, 10, 400)  # what is hard for both moves nothing
        found = rank_stability(np.stack([common + shifted, common], axis=1), range(400), 4000)
        assert found is not None
        assert found.shares[0][0] == pytest.approx(NormalDist().cdf(wanted), abs=0.03)


def test_clusters_are_drawn_whole() -> None:
    rng = np.random.default_rng(4)
    per_profile = rng.normal(0.15, 1.0, 12)
    table = np.stack([np.repeat(per_profile, 20), np.zeros(240)], axis=1)
    by_profile = rank_stability(table, [index // 20 for index in range(240)])
    by_session = rank_stability(table, range(240))
    assert by_profile is not None
    assert by_session is not None
    firmer = max(by_session.shares[0])
    assert max(by_profile.shares[0]) < firmer


def test_units_that_a_candidate_lacks_are_left_out_for_all() -> None:
    table: list[list[float | None]] = [[1.0, 9.0], [3.0, 2.0], [float("nan"), 9.0], [3.0, 2.5], [4.0, None]]
    found = rank_stability(table, ["a", "a", "b", "b", "c"])
    assert found is not None
    assert (found.units, found.clusters) == (3, 2)
    assert found.means == pytest.approx((7 / 3, 4.5))
    assert rank_stability([[1.0, None], [None, 2.0]], ["a", "b"]) is None
    assert rank_stability([], []) is None


@pytest.mark.parametrize(
    ("table", "clusters", "resamples", "message"),
    [
        ([[1.0, 2.0]], ["a", "b"], 200, "as many clusters"),
        ([[1.0], [2.0]], ["a", "b"], 200, "two candidates"),
        ([[1.0, math.inf], [1.0, 2.0]], ["a", "b"], 200, "finite"),
        ([[1.0, 2.0]], ["a"], 20, "at least 100"),
    ],
)
def test_bad_arguments_are_refused(
    table: list[list[float]], clusters: list[str], resamples: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        rank_stability(table, clusters, resamples)
