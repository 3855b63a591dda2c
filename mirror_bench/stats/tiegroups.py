"""Who can be told apart, in which groups, and which ranks that leaves open."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from mirror_bench.stats.noninferiority import holm

T = TypeVar("T", bound=Hashable)


def significant(p_values: Mapping[tuple[T, T], float], alpha: float = 0.05) -> set[tuple[T, T]]:
    """Returns the pairs that differ, with Holm's correction over all of them.

    Among things that are all alike, any pair is so called in at most `alpha` of samples.
    """
    return {pair for pair, p in holm(p_values).items() if p <= alpha}


def letter_groups(order: Sequence[T], better: Iterable[tuple[T, T]]) -> tuple[tuple[T, ...], ...]:
    """Returns groups such that two things share one exactly where neither is better than the other.

    The compact letter display of Piepho (2004, "An algorithm for a letter-based representation of
    all-pairwise comparisons"): insert, that is, split every group that holds a pair that differs, and absorb
    what another group contains. Then sweep: leave out of a group what stands beside each of its members
    elsewhere as well.

    Args:
        order: The things, the best first.
        better: Pairs that differ, the better one first.

    Returns:
        Groups in the order of their first members, each in the given order.
    """
    place = {thing: index for index, thing in enumerate(order)}
    groups = [frozenset(order)]
    for pair in sorted(better, key=lambda one: (place[one[0]], place[one[1]])):
        split: list[frozenset[T]] = []
        for group in groups:
            split += [group - {member} for member in pair] if group.issuperset(pair) else [group]
        groups = _absorbed(split)
    ranked = sorted(_swept(groups, order), key=lambda group: sorted(place[thing] for thing in group))
    return tuple(tuple(sorted(group, key=place.__getitem__)) for group in ranked)


def rank_ranges(things: Iterable[T], better: Iterable[tuple[T, T]]) -> dict[T, tuple[int, int]]:
    """Returns the best and the worst rank of each thing that the pairs that differ leave open.

    With pairs that hold all together, so do the ranges (Mogstad, Romano, Shaikh & Wilhelm 2024, "Inference
    for ranks with applications to mobility across neighbourhoods and academic achievement across countries").

    Args:
        things: All of them.
        better: Pairs that differ, the better one first.
    """
    names, pairs = list(things), set(better)
    return {
        name: (
            1 + sum(worse == name for _, worse in pairs),
            len(names) - sum(best == name for best, _ in pairs),
        )
        for name in names
    }


def _absorbed(groups: Iterable[frozenset[T]]) -> list[frozenset[T]]:
    kept: list[frozenset[T]] = []
    for group in sorted(dict.fromkeys(groups), key=len, reverse=True):
        if not any(group <= other for other in kept):
            kept.append(group)
    return kept


def _swept(groups: list[frozenset[T]], order: Sequence[T]) -> list[frozenset[T]]:
    for place in range(len(groups)):
        for thing in order:
            group, others = groups[place], groups[:place] + groups[place + 1 :]
            elsewhere = {member for other in others if thing in other for member in other}
            if thing in group and len(group) > 1 and group <= elsewhere:
                groups[place] = group - {thing}
    return [group for group in _absorbed(groups) if group]
