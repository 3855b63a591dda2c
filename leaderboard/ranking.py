"""Order, and who cannot be told apart: paired differences on the same scenarios, and groups of ties."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from mirror_bench.reports.entries import score_of
from mirror_bench.reports.metrics import Metric
from mirror_bench.reports.outcomes import Outcome, contrast
from mirror_bench.schema import Score

RESAMPLES = 1000


class Place(NamedTuple):
    """Where a model stands on one metric.

    Attributes:
        rank: From 1, by the value alone.
        first: First group of ties that it belongs to, from 1.
        last: Last one; groups overlap, so a model may stand in several.
    """

    rank: int
    first: int
    last: int


class Difference(NamedTuple):
    """One model minus another on one metric over the scenarios that both hold.

    Attributes:
        score: Mean difference with its interval; `n` counts scenarios.
        dz: Cohen's d of paired differences.
        unpaired: Scenarios that only one of the two has.
    """

    score: Score
    dz: float | None
    unpaired: int

    @property
    def sure(self) -> bool:
        """Whether the interval leaves 0 out."""
        low, high = self.score.low, self.score.high
        return low is not None and high is not None and (low > 0 or high < 0)


Differences = Mapping[tuple[str, str], Difference]
"""(slug, other slug) -> the first minus the second; each pair stands once, in the order given."""


def compare_all(held: Mapping[str, Sequence[Outcome]], metric: Metric) -> Differences:
    """Returns the difference of every two models on one metric.

    Args:
        held: Slug -> sessions to compare, under one protocol and one face condition each.
        metric: What to compare.
    """
    found = {}
    for a, b in combinations(held, 2):
        difference = contrast(held[a], held[b], metric.name, RESAMPLES)
        pairs = difference.interval.n if difference.interval else 0
        score = score_of(metric.name, difference.interval, max(1, pairs + difference.unpaired))
        found[a, b] = Difference(score, difference.dz, difference.unpaired)
    return found


def tell_apart(differences: Differences) -> Callable[[str, str], bool]:
    """Returns whether two models differ by more than their paired interval."""

    def apart(a: str, b: str) -> bool:
        found = differences.get((a, b)) or differences.get((b, a))
        return found is not None and found.sure

    return apart


def places(
    values: Mapping[str, float | None], better: str, apart: Callable[[str, str], bool]
) -> dict[str, Place]:
    """Returns the place of every model that has a value.

    A group of ties is a longest run of the ranking in which no two are apart.

    Args:
        values: Slug -> the metric's mean.
        better: "lower" turns the order round.
        apart: Whether two differ.
    """
    sign = 1 if better == "lower" else -1
    known = {slug: value for slug, value in values.items() if value is not None}
    order = sorted(known, key=lambda slug: (sign * known[slug], slug))
    groups = _groups(order, apart)
    found = {}
    for slug in order:
        own = [number for number, group in enumerate(groups, 1) if slug in group]
        rank = 1 + sum(sign * known[other] < sign * known[slug] for other in order)
        found[slug] = Place(rank, own[0], own[-1])
    return found


def _groups(order: Sequence[str], apart: Callable[[str, str], bool]) -> list[tuple[str, ...]]:
    groups: list[tuple[str, ...]] = []
    reached = 0
    for start in range(len(order)):
        end = start + 1
        while end < len(order) and not any(apart(order[end], one) for one in order[start:end]):
            end += 1
        if end > reached:
            groups.append(tuple(order[start:end]))
            reached = end
    return groups
