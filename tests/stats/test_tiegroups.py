"""Compact letter displays and ranges of ranks, against what they stand for."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.stats.tiegroups import letter_groups, rank_ranges, significant

displays = st.integers(1, 8).flatmap(
    lambda n: st.tuples(
        st.just(list(range(n))),
        st.sets(st.sampled_from(list(combinations(range(n), 2)))) if n > 1 else st.just(set()),
    )
)


@given(displays)
def test_two_share_a_group_exactly_where_they_are_not_apart(
    case: tuple[list[int], set[tuple[int, int]]],
) -> None:
    order, better = case
    groups = letter_groups(order, better)
    for pair in combinations(order, 2):
        assert any(set(pair) <= set(group) for group in groups) == (pair not in better)
    assert {one for group in groups for one in group} == set(order)
    assert all(not set(a) <= set(b) for a in groups for b in groups if a != b)


@given(displays)
def test_ranges_hold_the_rank_and_part_who_is_apart(case: tuple[list[int], set[tuple[int, int]]]) -> None:
    order, better = case
    ranges = rank_ranges(order, better)
    for one in order:
        best, worst = ranges[one]
        assert 1 <= best <= worst <= len(order)
    if not better:
        assert set(ranges.values()) == {(1, len(order))}


def test_piephos_runs_are_letters() -> None:
    # Four in a row, of which only the ends differ by enough.
    better = {(0, 2), (0, 3), (1, 3)}
    assert letter_groups(range(4), better) == ((0, 1), (1, 2), (2, 3))
    # Not a run: the first and the last alone are alike.
    assert letter_groups(range(3), {(0, 1), (1, 2)}) == ((0, 2), (1,))


def test_holm_parts_pairs() -> None:
    assert significant({("a", "b"): 0.02, ("a", "c"): 0.001, ("b", "c"): 0.5}) == {("a", "b"), ("a", "c")}
    assert significant({("a", "b"): 0.03, ("a", "c"): 0.03, ("b", "c"): 0.03}) == set()
