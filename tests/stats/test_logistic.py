from __future__ import annotations

import numpy as np
import pytest

from mirror_bench.stats.logistic import logistic

RNG = np.random.default_rng(7)


def drawn(n: int, score: float, length: float) -> tuple[dict[str, list[float]], list[bool]]:
    x, y = RNG.normal(size=n), RNG.normal(size=n)
    high = RNG.random(n) < 1 / (1 + np.exp(-(score * x + length * y)))
    return {"score": (3 + 2 * x).tolist(), "length": y.tolist()}, high.tolist()


def test_finds_the_effects_that_were_put_in() -> None:
    fit = logistic(*drawn(4000, 1.5, 0.0))
    score, length = fit.partials["score"], fit.partials["length"]
    assert score.coefficient.value == pytest.approx(1.5, abs=0.2)
    assert score.coefficient.low is not None
    assert score.coefficient.low > 1.2
    assert score.p < 1e-6
    assert abs(length.coefficient.value) < 0.15
    assert length.p > 0.001


def test_a_p_value_is_small_by_chance_as_often_as_it_says() -> None:
    small = sum(logistic(*drawn(80, 1.0, 0.0)).partials["length"].p < 0.1 for _ in range(150))
    assert 5 <= small <= 28


def test_separated_groups_have_a_reason_and_no_coefficient() -> None:
    values = np.arange(40.0)
    fit = logistic({"score": values.tolist()}, (values > 20).tolist())
    assert fit.partials == {}
    assert "completely" in fit.reason


@pytest.mark.parametrize(
    ("values", "high", "reason"),
    [([1.0] * 20, [True, False] * 10, "vary"), ([1.0, 2.0], [True, False], "fewer than ten")],
)
def test_says_why_there_is_no_fit(values: list[float], high: list[bool], reason: str) -> None:
    assert reason in logistic({"score": values}, high).reason
