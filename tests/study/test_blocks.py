"""Blocks: every unit as often as wanted, loads, overlaps and sides balanced, whatever the numbers."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.study.blocks import assign, ordered, sides

RATERS = [f"r{number}" for number in range(1, 13)]


@st.composite
def designs(draw: st.DrawFn) -> tuple[list[list[str]], list[str], int, int]:
    groups = [
        [f"g{group}-{number}" for number in range(draw(st.integers(1, 25)))]
        for group in range(draw(st.integers(1, 5)))
    ]
    raters = RATERS[: draw(st.integers(1, len(RATERS)))]
    return groups, raters, draw(st.integers(1, len(raters))), draw(st.integers(0, 10_000))


@given(designs())
def test_every_unit_is_rated_as_often_as_wanted_and_loads_are_even(
    design: tuple[list[list[str]], list[str], int, int],
) -> None:
    groups, raters, each, seed = design
    found = assign(groups, raters, each, seed)
    assert set(found) == {unit for group in groups for unit in group}
    assert all(len(set(chosen)) == len(chosen) == each for chosen in found.values())
    load = Counter(rater for chosen in found.values() for rater in chosen)
    assert max(load[rater] for rater in raters) - min(load[rater] for rater in raters) <= 1
    for group in groups:
        here = Counter(rater for unit in group for rater in found[unit])
        assert max(here[rater] for rater in raters) - min(here[rater] for rater in raters) <= 2
    assert found == assign(groups, raters, each, seed)


@given(designs())
def test_every_two_raters_share_about_as_many_units(
    design: tuple[list[list[str]], list[str], int, int],
) -> None:
    groups, raters, each, seed = design
    found = assign(groups, raters, each, seed)
    shared = Counter(two for chosen in found.values() for two in combinations(chosen, 2))
    overlaps = [shared[two] for two in combinations(raters, 2)]
    assert max(overlaps, default=0) - min(overlaps, default=0) <= 3


def test_where_a_balanced_design_exists_it_is_nearly_met() -> None:
    # 7 raters, 7 units, 3 each: the Fano plane would let every two raters share exactly one unit.
    found = assign([[f"u{number}" for number in range(70)]], RATERS[:7], 3, 1)
    shared = Counter(two for chosen in found.values() for two in combinations(chosen, 2))
    overlaps = [shared[two] for two in combinations(RATERS[:7], 2)]
    assert sum(overlaps) == 210
    assert min(overlaps) >= 9
    assert max(overlaps) <= 11


def test_a_number_of_raters_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="1 to 2 raters, not 3"):
        assign([["a"]], RATERS[:2], 3, 0)


@given(st.sets(st.tuples(st.integers(0, 9), st.integers(0, 30)), max_size=120).map(sorted))
def test_sides_are_balanced_at_every_node(edges: list[tuple[int, int]]) -> None:
    taken = sides(edges)
    assert len(taken) == len(edges)
    for kind in (0, 1):
        for node in {edge[kind] for edge in edges}:
            here = [side for edge, side in zip(edges, taken, strict=True) if edge[kind] == node]
            assert abs(2 * sum(here) - len(here)) <= 1


@given(st.lists(st.integers(0, 6), min_size=1, max_size=30), st.integers(0, 1000))
def test_an_order_holds_all_and_parts_a_clients_sessions(people: list[int], seed: int) -> None:
    units = [f"u{number}" for number in range(len(people))]
    person = {unit: str(client) for unit, client in zip(units, people, strict=True)}
    found = ordered(units, person, seed, "r1")
    assert sorted(found) == sorted(units)
    most = Counter(person.values()).most_common(1)[0][1]
    if 2 * most <= len(units) + 1:
        assert all(person[one] != person[other] for one, other in pairwise(found))
    assert found == ordered(units, person, seed, "r1")


def test_two_raters_meet_them_in_different_orders() -> None:
    units = [f"u{number}" for number in range(12)]
    person = {unit: unit for unit in units}
    assert ordered(units, person, 0, "r1") != ordered(units, person, 0, "r2")
