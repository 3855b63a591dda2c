"""Correlation with length, and scores with length taken out: on data whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mirror_bench.stats.length import adjust_for_length, length_correlation

Data = tuple[list[float], list[float], list[str], list[int], list[int]]


def _data(seed: int, slope: float, talk: float = 0.5, skill: float = 0.0) -> Data:
    """Two candidates on 60 scenarios of 20 clusters; `b` says more by `talk` and is better by `skill`."""
    rng = np.random.default_rng(seed)
    scores: list[float] = []
    lengths: list[float] = []
    groups: list[str] = []
    scenarios: list[int] = []
    clusters: list[int] = []
    for scenario in range(60):
        level = rng.normal()
        for group in "ab":
            length = 5 + (group == "b") * talk + 0.3 * rng.normal()
            scores.append(3 + level + slope * length + skill * (group == "b") + 0.1 * rng.normal())
            lengths.append(float(length))
            groups.append(group)
            scenarios.append(scenario)
            clusters.append(scenario // 3)
    return scores, lengths, groups, scenarios, clusters


def test_correlation_is_spearmans() -> None:
    scores, lengths, _, _, clusters = _data(1, 0.5)
    found = length_correlation(scores, lengths, clusters)
    assert found is not None
    assert found.value == pytest.approx(stats.spearmanr(scores, lengths).statistic)
    assert (found.n, found.clusters) == (120, 20)
    assert found.low is not None
    assert found.high is not None
    assert -1 <= found.low < found.value < found.high <= 1


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(1, 500)), min_size=10, max_size=60), st.integers(1, 20)
)
def test_correlation_follows_scipy_on_any_data(pairs: list[tuple[int, int]], clusters: int) -> None:
    scores, tokens = [float(a) for a, _ in pairs], [float(np.log(b)) for _, b in pairs]
    found = length_correlation(scores, tokens, [place % clusters for place in range(len(pairs))])
    if len(set(scores)) < 2 or len(set(tokens)) < 2:
        assert found is None
        return
    assert found is not None
    assert found.value == pytest.approx(stats.spearmanr(scores, tokens).statistic, abs=1e-9)


@pytest.mark.parametrize(("scores", "tokens"), [([1.0] * 20, range(20)), (range(20), [3.0] * 20), ([1], [2])])
def test_no_correlation_without_variance_or_values(scores: list[float], tokens: list[float]) -> None:
    assert length_correlation(list(scores), list(tokens), list(range(len(scores)))) is None


def test_a_difference_that_is_length_alone_vanishes() -> None:
    data = _data(2, slope=1.0)
    found = adjust_for_length(*data)
    raw = {g: np.mean([s for s, own in zip(data[0], data[2], strict=True) if own == g]) for g in "ab"}
    assert raw["b"] - raw["a"] > 0.4
    assert abs(found.means["b"].value - found.means["a"].value) < 0.1
    assert found.slope is not None
    assert found.slope.low is not None
    assert found.slope.high is not None
    assert found.slope.low < 1.0 < found.slope.high


def test_skill_that_goes_with_length_is_not_taken_away() -> None:
    found = adjust_for_length(*_data(3, slope=0.0, talk=0.3, skill=1.0))
    assert found.means["b"].value - found.means["a"].value == pytest.approx(1.0, abs=0.15)


def test_groups_whose_lengths_do_not_overlap_are_not_adjusted() -> None:
    found = adjust_for_length(*_data(3, slope=1.0, talk=2.0))
    assert not found.means
    assert "mostly says less" in found.declined["a"]
    assert "mostly says more" in found.declined["b"]
    assert found.slope is not None


def test_an_effect_that_bends_is_not_taken_out_by_a_line() -> None:
    scores, lengths, groups, scenarios, clusters = _data(7, slope=0.0, talk=0.4)
    bent = [score + 2 * min(length, 5.2) for score, length in zip(scores, lengths, strict=True)]
    assert (
        "not the same at all lengths" in adjust_for_length(bent, lengths, groups, scenarios, clusters).reason
    )


def test_nothing_lies_off_the_scale() -> None:
    data = _data(2, slope=1.0)
    plain, cut = adjust_for_length(*data), adjust_for_length(*data, bounds=(8.4, 20.0))
    assert plain.means["a"].value < 8.4
    assert cut.means["a"].value == cut.means["a"].low == 8.4


def test_the_slope_is_that_of_ordinary_least_squares() -> None:
    import statsmodels.formula.api as smf

    scores, lengths, groups, scenarios, clusters = _data(4, slope=0.7, skill=0.3)
    found = adjust_for_length(scores, lengths, groups, scenarios, clusters)
    data = {"y": scores, "x": lengths, "g": groups, "s": scenarios}
    fit = smf.ols("y ~ x + C(g) + C(s)", data).fit()
    assert found.slope is not None
    assert found.slope.value == pytest.approx(fit.params["x"], abs=1e-9)
    raw = np.mean([s for s, own in zip(scores, groups, strict=True) if own == "a"])
    own = np.mean([x for x, g in zip(lengths, groups, strict=True) if g == "a"])
    assert found.means["a"].value == pytest.approx(raw - fit.params["x"] * (own - np.mean(lengths)))


def test_few_clusters_still_give_an_interval() -> None:
    scores, lengths, groups, scenarios, _ = _data(5, slope=0.5)
    found = adjust_for_length(scores, lengths, groups, scenarios, [s // 15 for s in scenarios])
    mean = found.means["a"]
    assert mean.clusters == 4
    assert mean.low is not None
    assert mean.high is not None
    assert mean.low < mean.value < mean.high


@pytest.mark.parametrize(
    ("groups", "lengths", "reason"),
    [("a" * 20, range(20), "one candidate"), ("ab" * 10, [1.0] * 20, "do not vary"),
     ("ab" * 10, [1.0, 2.0] * 10, "beyond what scenario and candidate"), ("ab", [1, 2], "fewer than 10")],
)  # fmt: skip
def test_what_cannot_be_told_has_its_reason(groups: str, lengths: list[float], reason: str) -> None:
    n = len(groups)
    found = adjust_for_length(
        [float(i % 5) for i in range(n)], list(lengths), list(groups), [i // 2 for i in range(n)], [0] * n
    )
    assert found.slope is None
    assert not found.means
    assert reason in found.reason
