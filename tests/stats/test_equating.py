"""Equating takes out severity and spread, and nothing else."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.stats.equating import equate


def test_two_raters_of_different_severity_and_spread_meet() -> None:
    mild, severe = [4.0, 5.0, 6.0], [0.0, 2.0, 4.0]  # means 5 and 2, spreads 1 : 2
    lines = equate({"mild": mild, "severe": severe})
    assert [lines["mild"].apply(x) for x in mild] == pytest.approx([lines["severe"].apply(x) for x in severe])
    assert lines["mild"].severity == pytest.approx(-1.5)
    assert lines["severe"].severity == pytest.approx(1.5)
    assert lines["mild"].slope == pytest.approx(1.5)
    assert lines["severe"].slope == pytest.approx(0.75)


def test_a_rater_that_tells_nothing_apart_is_shifted_and_not_stretched() -> None:
    lines = equate({"flat": [5.0, 5.0, 5.0, 5.0], "wide": [0.0, 2.0, 4.0, 6.0]})
    assert not lines["flat"].stretched
    assert lines["flat"].slope == 1.0
    assert lines["flat"].apply(5.0) == pytest.approx(4.0)


def test_what_one_left_out_counts_for_none() -> None:
    lines = equate({"a": [1.0, None, 3.0, 5.0], "b": [2.0, 6.0, 4.0, 6.0]})
    assert lines["a"].n == 3
    assert lines["a"].apply(1.0) == pytest.approx(lines["b"].apply(2.0))


def test_nothing_in_common_leaves_scores_as_they_are() -> None:
    assert equate({"a": [None, 1.0], "b": [2.0, None]})["a"].apply(3.0) == 3.0


def test_bias_is_reduced_and_the_order_kept() -> None:
    draw = random.Random(3)
    truth = [draw.uniform(0, 6) for _ in range(400)]
    judges = {
        "mild": [min(6.0, 2.5 + 0.5 * t + draw.gauss(0, 0.4)) for t in truth],
        "plain": [t + draw.gauss(0, 0.4) for t in truth],
        "severe": [0.6 * t - 0.5 + draw.gauss(0, 0.4) for t in truth],
    }
    lines = equate({name: scores[:100] for name, scores in judges.items()})

    def gap(name: str, other: str, equated: bool) -> float:
        pairs = zip(judges[name][100:], judges[other][100:], strict=True)
        values = [(lines[name].apply(a) - lines[other].apply(b)) if equated else a - b for a, b in pairs]
        return sum(abs(v) for v in values) / len(values)

    for name, other in (("mild", "plain"), ("plain", "severe"), ("mild", "severe")):
        assert gap(name, other, equated=True) < 0.55 * gap(name, other, equated=False)


@given(
    st.lists(st.tuples(st.floats(0, 6), st.floats(0, 6), st.floats(0, 6)), min_size=1, max_size=12),
)
def test_the_panels_mean_is_kept_and_order_of_raters_does_not_matter(rows: list[tuple[float, ...]]) -> None:
    scores = {name: [row[place] for row in rows] for place, name in enumerate("abc")}
    lines = equate(scores)
    turned = equate(dict(reversed(scores.items())))
    raw = sum(sum(column) for column in scores.values())
    equated = sum(lines[name].apply(x) for name, column in scores.items() for x in column)
    assert equated == pytest.approx(raw, abs=1e-6)
    for name in scores:
        assert lines[name].slope == pytest.approx(turned[name].slope)
        assert lines[name].slope > 0


@pytest.mark.parametrize("scores", [{}, {"a": [1.0], "b": [1.0, 2.0]}])
def test_what_cannot_be_equated_is_refused(scores: dict[str, list[float]]) -> None:
    with pytest.raises(ValueError):
        equate(scores)
