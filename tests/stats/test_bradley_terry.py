"""Strengths against published figures, against simulated truth, and under renaming."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.stats.bradley_terry import Comparison, rank

# Agresti (1990, "Categorical Data Analysis", section 10.6): wins of the row over the column, American League
# East 1987. Milwaukee, Detroit, Toronto, New York, Boston, Cleveland, Baltimore.
BASEBALL = (
    (0, 7, 9, 7, 7, 9, 11),
    (6, 0, 7, 5, 11, 9, 9),
    (4, 6, 0, 7, 7, 8, 12),
    (6, 8, 6, 0, 6, 7, 10),
    (6, 2, 6, 7, 0, 7, 12),
    (4, 4, 5, 6, 6, 0, 6),
    (2, 4, 1, 3, 1, 7, 0),
)
# His fitted log strengths, Baltimore at 0.
PUBLISHED = (1.581, 1.436, 1.294, 1.248, 1.107, 0.684, 0.0)


def _games() -> list[Comparison]:
    return [
        Comparison(i, j, 1.0, f"{i}{j}{game}")
        for i, row in enumerate(BASEBALL)
        for j, wins in enumerate(row)
        for game in range(wins)
    ]


def test_baseball_comes_out_as_published() -> None:
    found = rank(_games(), 7)
    base = found.strengths[6].value
    for one, published in zip(found.strengths, PUBLISHED, strict=True):
        assert one.value - base == pytest.approx(published, abs=0.02)  # the ridge moves the second decimal
    assert [one.rank for one in found.strengths] == [1, 2, 3, 4, 5, 6, 7]
    assert found.ties == 0.0


def test_two_competitors_with_ties_have_a_closed_form() -> None:
    """With 30 wins, 10 losses and 20 ties, p1/p2 = 3 and nu = ties / sqrt(wins x losses) (Davidson 1970)."""
    games = [
        Comparison(0, 1, outcome, place) for place, outcome in enumerate([1.0] * 30 + [0.0] * 10 + [0.5] * 20)
    ]
    found = rank(games, 2)
    assert found.strengths[0].value - found.strengths[1].value == pytest.approx(math.log(3), abs=0.02)
    assert found.ties == pytest.approx(20 / math.sqrt(300), abs=0.03)
    assert found.wins[0][1] == pytest.approx(0.5, abs=0.01)
    assert found.wins[1][0] == pytest.approx(1 / 6, abs=0.01)


def _simulated(strengths: tuple[float, ...], nu: float, clusters: int, seed: int) -> list[Comparison]:
    draw = random.Random(seed)
    games = []
    for cluster in range(clusters):
        for i in range(len(strengths)):
            for j in range(i):
                a, b = math.exp(strengths[i]), math.exp(strengths[j])
                tie = nu * math.sqrt(a * b)
                at = draw.random() * (a + b + tie)
                games.append(Comparison(i, j, 1.0 if at < a else 0.0 if at < a + b else 0.5, cluster))
    return games


@pytest.mark.parametrize("times", [20, pytest.param(200, marks=pytest.mark.campaign)])
def test_intervals_hold_the_truth_about_as_often_as_they_say(times: int) -> None:
    truth = (1.0, 0.3, -0.4, -0.9)
    held = total = 0
    for seed in range(times):
        found = rank(_simulated(truth, 0.5, 40, seed), 4)
        held += sum(
            one.low is not None and one.high is not None and one.low <= real <= one.high
            for one, real in zip(found.strengths, truth, strict=True)
        )
        total += 4
    assert held / total >= 0.88  # at 95 %, four a time that are not independent


def test_equals_are_one_group_and_unequals_are_not() -> None:
    equal = rank(_simulated((0.0, 0.0, 0.0), 0.5, 60, 1), 3)
    assert equal.groups == ((*equal.groups[0],),)
    assert set(equal.groups[0]) == {0, 1, 2}
    apart = rank(_simulated((3.0, 0.0, -3.0), 0.5, 60, 1), 3)
    assert apart.groups == ((0,), (1,), (2,))
    assert [one.best_rank for one in apart.strengths] == [one.worst_rank for one in apart.strengths]


def test_few_wins_prove_nothing() -> None:
    for wins in (2, 3):
        found = rank([Comparison(0, 1, 1.0, place) for place in range(wins)], 2)
        first, second = found.strengths
        assert (first.best_rank, first.worst_rank, second.best_rank) == (1, 2, 1)
        assert found.groups == ((0, 1),)
        assert first.low is None or first.low < 0


def test_a_competitor_that_always_wins_stays_finite() -> None:
    found = rank([Comparison(0, 1, 1.0, i) for i in range(50)], 2)
    assert 1 < found.strengths[0].value < 20
    assert found.groups == ((0,), (1,))


def test_one_cluster_gives_no_interval() -> None:
    found = rank([Comparison(0, 1, 1.0, "c"), Comparison(0, 1, 0.0, "c")], 2)
    assert found.strengths[0].low is None
    assert found.groups == ((0, 1),)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([(0, 1), (1, 2), (0, 2)]), st.sampled_from([0.0, 0.5, 1.0]), st.integers(0, 4)
        ),
        min_size=3,
        max_size=30,
    ).filter(lambda games: {i for pair, _, _ in games for i in pair} == {0, 1, 2})
)
def test_sides_names_and_order_do_not_matter(games: list[tuple[tuple[int, int], float, int]]) -> None:
    plain = [Comparison(i, j, outcome, cluster) for (i, j), outcome, cluster in games]
    turned = [Comparison(j, i, 1 - outcome, f"c{cluster}") for (i, j), outcome, cluster in reversed(games)]
    one, other = rank(plain, 3), rank(turned, 3)
    for a, b in zip(one.strengths, other.strengths, strict=True):
        assert a.value == pytest.approx(b.value, abs=1e-4)
        assert (a.low is None) == (b.low is None)
    relabelled = rank([Comparison(2 - i, 2 - j, outcome, cluster) for (i, j), outcome, cluster in games], 3)
    for place, a in enumerate(one.strengths):
        assert a.value == pytest.approx(relabelled.strengths[2 - place].value, abs=1e-4)


@pytest.mark.parametrize(
    "games",
    [
        [],
        [Comparison(0, 0, 1.0, 0)],
        [Comparison(0, 3, 1.0, 0)],
        [Comparison(0, 1, 0.7, 0)],
        [Comparison(0, 1, 1.0, 0)],  # the third was never compared
    ],
)
def test_what_cannot_be_ranked_is_refused(games: list[Comparison]) -> None:
    with pytest.raises(ValueError):
        rank(games, 3)
