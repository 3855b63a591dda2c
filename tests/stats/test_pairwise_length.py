"""Length-controlled win rates take length out, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from mirror_bench.stats.pairwise_length import controlled_win_rate


def _simulated(candidate: float, slope: float, mean_ratio: float, seed: int = 0, n: int = 2000):  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(seed)
    ratios = rng.normal(mean_ratio, 0.5, n)
    chance = 1 / (1 + np.exp(-(candidate + slope * ratios)))
    return (rng.random(n) < chance).astype(float), ratios, [i % 50 for i in range(n)]


def test_a_win_by_length_alone_disappears() -> None:
    won, ratios, clusters = _simulated(candidate=0.0, slope=2.0, mean_ratio=0.8)
    assert won.mean() > 0.75
    found = controlled_win_rate(won, ratios, clusters)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.5 < found.high
    assert found.slope == pytest.approx(2.0, abs=0.4)


def test_a_win_by_skill_stays() -> None:
    won, ratios, clusters = _simulated(candidate=1.0, slope=0.0, mean_ratio=0.8)
    found = controlled_win_rate(won, ratios, clusters)
    assert found.value == pytest.approx(1 / (1 + np.exp(-1.0)), abs=0.05)
    assert found.slope_low is not None
    assert found.slope_high is not None
    assert found.slope_low < 0 < found.slope_high


def test_ties_count_half() -> None:
    rng = np.random.default_rng(0)
    found = controlled_win_rate([0.5] * 50 + [1.0, 0.0] * 25, rng.normal(size=100).tolist(), list(range(100)))
    assert found.value == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("outcomes", "ratios", "clusters", "reason"),
    [
        ([1.0], [0.1], [0], "fewer"),
        ([1.0] * 20, list(range(20)), list(range(20)), "alike"),
        ([1.0, 0.0] * 10, [0.3] * 20, list(range(20)), "do not vary"),
        (
            [1.0] * 10 + [0.0] * 10,
            [1.0 + i for i in range(10)] + [-1.0 - i for i in range(10)],
            list(range(20)),
            "length alone",
        ),
    ],
)
def test_it_says_why_it_cannot_tell(outcomes, ratios, clusters, reason) -> None:  # type: ignore[no-untyped-def]
    found = controlled_win_rate(outcomes, ratios, clusters)
    assert found.value is None
    assert reason in found.reason
