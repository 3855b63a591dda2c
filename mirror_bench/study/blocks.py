"""Balanced incomplete blocks: who rates what, which side is shown first, and in which order."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from itertools import combinations
from typing import TypeVar

from mirror_bench.schema import derive_seed

_DEALS = 40
"""Deals of which the most even one is taken."""
_MORE_DEALS, _EVEN = 800, 3
"""Deals at most, where overlaps of two raters still lie further apart than so many units."""
T = TypeVar("T", bound=Hashable)


def assign(
    units: Sequence[Sequence[str]], raters: Sequence[str], each: int, seed: int
) -> dict[str, tuple[str, ...]]:
    """Returns unit -> the raters that rate it, in incomplete blocks that are as balanced as they can be.

    Every unit is rated by exactly `each` raters; what two raters are given differs by one unit at most over
    all groups, and by two within one group, so that no candidate is left to a severe rater; of the choices
    that keep this, each unit goes to those who share the fewest units so far, so that every two raters
    overlap alike.

    Args:
        units: The units in their groups, such as the sessions of each run.
        raters: Who rates.
        each: By how many raters a unit is rated, 1 to all.
        seed: Decides among what is equally balanced.

    Raises:
        ValueError: If `each` is out of its range.
    """
    if not 1 <= each <= len(raters):
        raise ValueError(f"each unit can be rated by 1 to {len(raters)} raters, not {each}")
    best: tuple[tuple[int, int], dict[str, tuple[str, ...]]] | None = None
    for number in range(_MORE_DEALS):
        if number >= _DEALS and best is not None and best[0][0] <= _EVEN:
            break
        dealt = _deal(units, raters, each, random.Random(derive_seed(seed, "blocks", number)))
        uneven = _unevenness(dealt, raters)
        if best is None or uneven < best[0]:
            best = uneven, dealt
        if uneven[0] <= 1:
            break  # no deal is more even
    assert best is not None
    return best[1]


def _unevenness(dealt: Mapping[str, Sequence[str]], raters: Sequence[str]) -> tuple[int, int]:
    """Returns how far the overlaps of every two raters lie apart, and the sum of their squares."""
    shared = Counter(frozenset(two) for chosen in dealt.values() for two in combinations(chosen, 2))
    overlaps = [shared[frozenset(two)] for two in combinations(raters, 2)]
    return max(overlaps, default=0) - min(overlaps, default=0), sum(many * many for many in overlaps)


def _deal(
    units: Sequence[Sequence[str]], raters: Sequence[str], each: int, draw: random.Random
) -> dict[str, tuple[str, ...]]:
    """Returns blocks made unit by unit; the last have the least choice, so some deals turn out better."""
    load, shared = Counter(dict.fromkeys(raters, 0)), Counter[frozenset[str]]()
    dealt: dict[str, tuple[str, ...]] = {}
    for group in units:
        here = Counter(dict.fromkeys(raters, 0))
        for unit in draw.sample(list(group), len(group)):
            chosen = _least_met(load, here, shared, each, draw)
            load.update(chosen)
            here.update(chosen)
            shared.update(frozenset(two) for two in combinations(chosen, 2))
            dealt[unit] = tuple(sorted(chosen, key=list(raters).index))
    return dealt


def _least_met(
    load: Counter[str], here: Counter[str], shared: Counter[frozenset[str]], each: int, draw: random.Random
) -> list[str]:
    """Returns the raters of the next unit: the least loaded, and among them those who met the least."""
    order = draw.sample(sorted(load), len(load))
    bar = sorted(load.values())[each - 1]
    chosen = [rater for rater in order if load[rater] < bar]
    open_ = [rater for rater in order if load[rater] == bar]
    while len(chosen) < each:
        best = min(
            open_, key=lambda rater: (sum(shared[frozenset((rater, other))] for other in chosen), here[rater])
        )
        open_.remove(best)
        chosen.append(best)
    return chosen


def sides(edges: Sequence[tuple[Hashable, Hashable]]) -> list[bool]:
    """Returns for each edge of a bipartite graph which of two sides it takes, balanced at every node.

    Whether a pair is shown as it stands or turned round is such a side: at every node (a pair of sessions, or
    a rater on two candidates) the two sides come up equally often, or differ by one where the number is odd.
    It walks along unused edges and takes the sides in turn (Euler 1736): a walk that closes is even here, and
    one that begins and ends where the number is odd leaves a difference of one there.

    Args:
        edges: Pairs of a node of the one kind and a node of the other.
    """
    at: dict[tuple[int, Hashable], list[int]] = {}
    for index, edge in enumerate(edges):
        for kind in (0, 1):
            at.setdefault((kind, edge[kind]), []).append(index)
    left = {node: len(indices) for node, indices in at.items()}
    taken: list[bool | None] = [None] * len(edges)

    def walk(node: tuple[int, Hashable], side: bool) -> None:
        while (index := _unused(at[node], taken)) is not None:
            taken[index] = side
            side = not side
            left[node] -= 1
            kind = 1 - node[0]
            node = (kind, edges[index][kind])
            left[node] -= 1

    begun = True
    for node in at:
        if left[node] % 2:
            walk(node, begun)
            begun = not begun
    for node in at:
        while left[node]:
            walk(node, True)
    return [bool(side) for side in taken]


def _unused(indices: list[int], taken: Sequence[bool | None]) -> int | None:
    while indices and taken[indices[-1]] is not None:
        indices.pop()
    return indices[-1] if indices else None


def ordered(units: Sequence[T], people: Mapping[T, str], seed: int, rater: str) -> list[T]:
    """Returns one rater's units in an order of their own, parting a client's sessions where that can be.

    Args:
        units: What the rater is given.
        people: Unit -> client.
        seed: Of the study.
        rater: Whose order it is.
    """
    draw = random.Random(derive_seed(seed, "order", rater))
    waiting: dict[str, list[T]] = {}
    for unit in draw.sample(list(units), len(units)):
        waiting.setdefault(people[unit], []).append(unit)
    order: list[T] = []
    last = ""
    while waiting:
        others = [person for person in waiting if person != last] or list(waiting)
        left = sum(map(len, waiting.values()))
        # Whoever has more left than all others together comes now, or stands twice in a row in the end.
        pressing = [person for person in others if 2 * len(waiting[person]) > left]
        last = pressing[0] if pressing else draw.choices(others, [len(waiting[kind]) for kind in others])[0]
        order.append(waiting[last].pop())
        if not waiting[last]:
            del waiting[last]
    return order
