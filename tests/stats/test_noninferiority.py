"""The gate's statistics: false alarms, power, Holm, and how many scenarios would do."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.stats.noninferiority import DropFinding, clusters_to_decide, decide, drop_beyond, holm

MARGIN = 0.1
# Paired differences of scripted runs: CTRS totals scatter by about .6 within pairs, with little more between
# profiles, and metrics of one session go together.
SD, BETWEEN, TOGETHER = 0.6, 0.25, 0.5


def simulated(rng: np.random.Generator, n: int, profiles: int, shift: float) -> dict[str, list[float]]:
    codes = np.arange(n) % profiles
    shared = rng.normal(size=n)
    metrics = {}
    for name in ("ctrs", "wai", "wai.bond"):
        between = rng.normal(0, BETWEEN, profiles)[codes]
        own = np.sqrt(TOGETHER) * shared + np.sqrt(1 - TOGETHER) * rng.normal(size=n)
        metrics[name] = (shift + between + np.sqrt(SD**2 - BETWEEN**2) * own).tolist()
    return metrics


def alarms(shift: float, runs: int, n: int = 200, profiles: int = 48, margin: float = MARGIN) -> float:
    rng = np.random.default_rng(7)
    clusters = [place % profiles for place in range(n)]
    found = 0
    for _ in range(runs):
        drops = {
            name: drop
            for name, values in simulated(rng, n, profiles, shift).items()
            if (drop := drop_beyond(values, clusters, margin)) is not None
        }
        found += DropFinding.WORSE in decide(drops).values()
    return found / runs


def test_false_alarms_are_at_most_five_percent() -> None:
    assert alarms(shift=0.0, runs=400) <= 0.05
    assert (
        alarms(shift=-MARGIN, runs=400) <= 0.05 + 2 * (0.05 * 0.95 / 400) ** 0.5
    )  # the worst that is tolerated


def test_true_drops_are_found() -> None:
    assert alarms(shift=-0.3, runs=200) >= 0.80


def test_holm_by_hand() -> None:
    found = holm({"a": 0.01, "b": 0.04, "c": 0.03})
    assert found == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06})
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), min_size=1, max_size=8))
def test_holm_agrees_with_statsmodels(p_values: dict[str, float]) -> None:
    from statsmodels.stats.multitest import multipletests

    with patch("gc.collect"):  # which it calls every time: up to a second in a process that holds much
        expected = multipletests(list(p_values.values()), method="holm")[1]
    assert list(holm(p_values).values()) == pytest.approx(list(expected))


def test_three_findings() -> None:
    rng = np.random.default_rng(0)
    clusters = list(range(60))
    for shift, scatter, finding in ((-0.5, 0.3, "worse"), (0.0, 0.1, "no worse"), (0.0, 2.0, "undecided")):
        drop = drop_beyond((shift + rng.normal(0, scatter, 60)).tolist(), clusters, MARGIN)
        assert drop is not None
        assert decide({"ctrs": drop})["ctrs"] == finding


def test_as_many_clusters_as_it_says_do_decide() -> None:
    rng = np.random.default_rng(1)
    drop = drop_beyond(rng.normal(0, 0.8, 40).tolist(), list(range(40)), 0.2)
    assert drop is not None
    count = clusters_to_decide(drop.error, 40, 0.2)
    assert count is not None
    scatter = drop.error * np.sqrt(40)
    decided = 0
    for _ in range(200):
        again = drop_beyond(rng.normal(0, scatter, count).tolist(), list(range(count)), 0.2)
        assert again is not None
        decided += decide({"ctrs": again})["ctrs"] is DropFinding.NO_WORSE
    assert 0.72 <= decided / 200 <= 0.9


@pytest.mark.parametrize("change", [0.0, -0.2, 0.5, -0.1, 4.1 - 4.2, 4.9 - 5.0])
def test_without_scatter_two_profiles_decide_nothing(change: float) -> None:
    drop = drop_beyond([change, change], ["a", "b"], MARGIN)
    assert drop is not None
    assert decide({"ctrs": drop}) == {"ctrs": DropFinding.UNDECIDED}
    assert clusters_to_decide(drop.error, 2, MARGIN) is None


def test_without_scatter_many_profiles_prove_a_drop_and_never_its_absence() -> None:
    for change, finding in (
        (-1.0, DropFinding.WORSE),
        (0.0, DropFinding.UNDECIDED),
        (-MARGIN, DropFinding.UNDECIDED),
    ):
        drop = drop_beyond([change] * 10, list(range(10)), MARGIN)
        assert drop is not None
        assert decide({"ctrs": drop}) == {"ctrs": finding}


@given(st.lists(st.floats(-1, 1, width=32), min_size=8, max_size=30))
def test_no_worse_never_stands_beside_an_interval_past_the_margin(differences: list[float]) -> None:
    drop = drop_beyond(differences, list(range(len(differences))), MARGIN)
    assert drop is not None
    if decide({"ctrs": drop})["ctrs"] is DropFinding.NO_WORSE:
        assert drop.interval.low is not None
        assert drop.interval.low >= -MARGIN - 1e-9


def test_one_cluster_tells_nothing_and_a_margin_must_be_positive() -> None:
    assert drop_beyond([0.1, 0.2], ["a", "a"], MARGIN) is None
    with pytest.raises(ValueError):
        drop_beyond([0.1, 0.2], ["a", "b"], 0.0)
