"""Sample sizes against Cohen's tables, and power against simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mirror_bench.stats.power import clusters_needed, design_effect, power_of, spread_of


@pytest.mark.parametrize(("effect", "n"), [(0.5, 34), (0.2, 199), (0.8, 15)])
def test_paired_sizes_of_cohen(effect: float, n: int) -> None:
    assert clusters_needed(effect) == n
    assert clusters_needed(-effect) == n


@pytest.mark.parametrize(("effect", "n"), [(0.2, 394), (0.5, 64), (0.8, 26)])
def test_group_sizes_of_cohens_table(effect: float, n: int) -> None:
    # Cohen (1988), table 2.4.1, prints 393 for d = .2; the exact noncentral t needs one more.
    assert clusters_needed(effect, paired=False) == n


def test_power_is_what_simulation_finds() -> None:
    rng = np.random.default_rng(8)
    data = 0.5 + rng.normal(size=(20_000, 25))
    t = data.mean(1) / data.std(1, ddof=1) * 5
    share = float((np.abs(t) > stats.t.ppf(0.975, 24)).mean())
    assert power_of(25, 0.5) == pytest.approx(share, abs=3.5 * math.sqrt(share * (1 - share) / 20_000))


def test_a_clustered_plan_has_the_power_it_promises() -> None:
    # Differences with sd 1 and intraclass correlation 0.4, five per profile.
    rng = np.random.default_rng(9)
    icc, each, effect = 0.4, 5, 0.3
    profiles = clusters_needed(effect / math.sqrt(design_effect(each, icc) / each))
    assert profiles is not None
    shared = math.sqrt(icc) * rng.normal(size=(10_000, profiles, 1))
    own = math.sqrt(1 - icc) * rng.normal(size=(10_000, profiles, each))
    means = (effect + shared + own).mean(2)
    t = means.mean(1) / means.std(1, ddof=1) * math.sqrt(profiles)
    found = float((np.abs(t) > stats.t.ppf(0.975, profiles - 1)).mean())
    assert found == pytest.approx(
        power_of(profiles, effect / math.sqrt(design_effect(each, icc) / each)), abs=0.015
    )
    assert 0.79 < found < 0.83


def test_spread_is_found_again() -> None:
    rng = np.random.default_rng(10)
    values = 2 * (math.sqrt(0.3) * rng.normal(size=(3000, 1)) + math.sqrt(0.7) * rng.normal(size=(3000, 4)))
    found = spread_of(values.ravel().tolist(), [row for row in range(3000) for _ in range(4)])
    assert found is not None
    assert found.icc == pytest.approx(0.3, abs=0.03)
    assert found.sd == pytest.approx(2, abs=0.05)
    assert (found.per_cluster, found.clusters) == (4, 3000)


def test_no_spread_without_variance_or_clusters() -> None:
    assert spread_of([1.0, 1.0, 1.0], ["a", "b", "c"]) is None
    assert spread_of([1.0, 2.0], ["a", "a"]) is None
    single = spread_of([1.0, 2.0, 4.0], ["a", "b", "c"])
    assert single is not None
    assert single.icc is None


@given(st.floats(0.05, 3), st.floats(0.2, 0.99), st.sampled_from([0.01, 0.05, 0.1]), st.booleans())
def test_the_size_is_the_smallest_that_is_enough(
    effect: float, power: float, alpha: float, paired: bool
) -> None:
    n = clusters_needed(effect, power, alpha, paired=paired)
    assert n is not None
    assert power_of(n, effect, alpha, paired=paired) >= power
    assert n == 2 or power_of(n - 1, effect, alpha, paired=paired) < power


def test_what_cannot_be_planned_is_refused() -> None:
    with pytest.raises(ValueError, match="other than 0"):
        clusters_needed(0)
    with pytest.raises(ValueError, match="0 < alpha < power < 1"):
        clusters_needed(0.5, power=1.0)
    assert clusters_needed(1e-6) is None
