"""Order, and who cannot be told apart: paired differences on the same scenarios, and groups of ties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np

from mirror_bench.analysis.candidate_scores import CandidateScores, score_of
from mirror_bench.analysis.metrics import Metric
from mirror_bench.analysis.regression.coverage import MIN_COVERAGE
from mirror_bench.analysis.session_outcomes import SessionOutcome
from mirror_bench.schema import FaceCondition, Record, Score
from mirror_bench.stats.paired import paired_difference
from mirror_bench.stats.tiegroups import letter_groups, rank_ranges, significant

_DIGITS = 9  # Means that agree so far differ by the order of sums alone.


class Place(NamedTuple):
    """The rank of one model on one metric, and the models that it cannot be told apart from.

    Attributes:
        rank: From 1, by the mean over shared scenarios; equal means share one.
        best: The best rank that the differences leave open.
        worst: The worst.
        groups: Letters of the groups of ties that it belongs to, the best first: models that share one cannot
            be told apart, and those that share none can.
    """

    rank: int
    best: int
    worst: int
    groups: tuple[str, ...]

    @property
    def ties(self) -> str:
        """The letters of its groups of ties, in words."""
        return f"tie group{'s' if len(self.groups) > 1 else ''} {', '.join(self.groups)}"


class CandidatePlace(Record):
    """Where a candidate stands on one total among those it was reported with; see `Place`."""

    therapist: str
    method: str = ""
    metric: str
    rank: int
    best: int
    worst: int
    groups: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """One model minus another on one metric over the scenarios that both hold.

    Attributes:
        score: Mean difference with its interval; `n` counts scenarios.
        dz: Cohen's d of paired differences.
        unpaired: Scenarios that only one of the two has.
        p: Two-sided p of no difference, of this pair alone; 1 where nothing can be told.
        apart: Whether the two differ, with Holm's correction over all pairs of the board.
    """

    score: Score
    dz: float | None
    unpaired: int
    p: float = 1.0
    apart: bool = False

    def turned(self) -> Difference:
        """Returns the second model minus the first: exactly the mirror image."""
        score = self.score
        mirrored = {
            "value": None if score.value is None else -score.value,
            "low": None if score.high is None else -score.high,
            "high": None if score.low is None else -score.low,
        }
        dz = None if self.dz is None else -self.dz
        return replace(self, score=score.model_copy(update=mirrored), dz=dz)


Differences = Mapping[tuple[str, str], Difference]
"""(slug, other slug) -> the first minus the second; each pair stands once, in the order given."""


def compare_all(held: Mapping[str, Sequence[SessionOutcome]], metric: Metric) -> Differences:
    """Returns the difference of every two models on one metric, and who is apart.

    Args:
        held: Slug -> sessions to compare, under one protocol and one face condition each.
        metric: What to compare.
    """
    values = {
        slug: {outcome.pair: value for outcome in own if (value := outcome.value(metric.name)) is not None}
        for slug, own in held.items()
    }
    profiles = {outcome.pair: outcome.profile_id for own in held.values() for outcome in own}
    differences = {}
    for a, b in combinations(held, 2):
        difference = paired_difference(values[a], values[b], profiles)
        pairs = difference.interval.n if difference.interval else 0
        score = score_of(metric.name, difference.interval, max(1, pairs + difference.unpaired))
        mean = difference.mean
        p = mean.p_apart() if mean is not None and mean.clusters > 1 else 1.0
        differences[a, b] = Difference(score, difference.dz, difference.unpaired, p)
    apart = significant({pair: difference.p for pair, difference in differences.items()})
    return {pair: replace(difference, apart=pair in apart) for pair, difference in differences.items()}


def shared_means(held: Mapping[str, Sequence[SessionOutcome]], metric: Metric) -> dict[str, float]:
    """Returns a mean per model that has a value, as over scenarios that all of them hold.

    Model and scenario are fitted together by least squares, so that a model gains nothing by lacking hard
    scenarios. Where all hold all scenarios these are the plain means.
    """
    values = {
        slug: {outcome.pair: value for outcome in own if (value := outcome.value(metric.name)) is not None}
        for slug, own in held.items()
    }
    slugs = sorted(slug for slug, own in values.items() if own)
    pairs = sorted({pair for own in values.values() for pair in own})
    if not slugs:
        return {}
    table = np.array([[values[slug].get(pair, np.nan) for slug in slugs] for pair in pairs])
    there = np.isfinite(table)
    centred = np.where(there, table - np.nanmean(table, axis=1, keepdims=True), 0.0)
    weights = there / there.sum(axis=1, keepdims=True)
    normal = np.diag(there.sum(axis=0).astype(np.float64)) - there.T.astype(np.float64) @ weights
    effects = np.linalg.pinv(normal, hermitian=True) @ centred.sum(axis=0)
    level = float(np.nanmean(table - effects))
    return {slug: level + float(effect) for slug, effect in zip(slugs, effects, strict=True)}


def places(values: Mapping[str, float | None], better: str, differences: Differences) -> dict[str, Place]:
    """Returns the place of every model that has a value.

    Args:
        values: Slug -> the metric's mean, as `shared_means` gives it; None for a model without a rank.
        better: "lower" turns the order round.
        differences: Of every two models; their `apart` alone parts groups.
    """
    sign = 1 if better == "lower" else -1
    known = {slug: round(sign * value, _DIGITS) for slug, value in values.items() if value is not None}
    order = sorted(known, key=lambda slug: (known[slug], slug))
    pairs = {
        (a, b) if known[a] < known[b] else (b, a)
        for (a, b), difference in differences.items()
        if difference.apart and a in known and b in known
    }
    groups = letter_groups(order, pairs)
    ranges = rank_ranges(order, pairs)
    return {
        slug: Place(
            1 + sum(other < known[slug] for other in known.values()),
            *ranges[slug],
            tuple(_letters(place) for place, group in enumerate(groups) if slug in group),
        )
        for slug in order
    }


def main_entries(entries: Iterable[CandidateScores]) -> dict[tuple[str, str], CandidateScores]:
    """Returns the entry of each candidate that is ranked: with its client's own face, else its first."""
    by_candidate: dict[tuple[str, str], CandidateScores] = {}
    for entry in entries:
        if entry.key[:2] not in by_candidate or entry.condition is FaceCondition.MATCHED:
            by_candidate[entry.key[:2]] = entry
    return by_candidate


def enough_rated(entry: CandidateScores, metric: str) -> bool:
    """Tells whether an entry may have a rank: whoever lost its worst sessions would else stand too high."""
    score = entry.score(metric)
    return score is not None and score.value is not None and score.coverage >= MIN_COVERAGE


def rank_candidates(
    outcomes: Iterable[SessionOutcome], entries: Iterable[CandidateScores], metrics: Iterable[Metric]
) -> tuple[CandidatePlace, ...]:
    """Returns the place of every candidate on every total, the best of each first.

    Args:
        outcomes: The sessions of all candidates.
        entries: Their scores; the main entry of each is ranked.
        metrics: What was measured.
    """
    main = main_entries(entries)
    names = {f"{place}": key for place, key in enumerate(main)}
    held: dict[str, list[SessionOutcome]] = {name: [] for name in names}
    by_key = {main[key].key: name for name, key in names.items()}
    for outcome in outcomes:
        if outcome.key in by_key:
            held[by_key[outcome.key]].append(outcome)
    ranked: list[CandidatePlace] = []
    for metric in metrics:
        if metric.kind != "total":
            continue
        means = shared_means(held, metric)
        values = {
            name: means.get(name) if enough_rated(main[key], metric.name) else None
            for name, key in names.items()
        }
        standing = places(values, metric.better, compare_all(held, metric))
        ranked += [
            CandidatePlace(
                therapist=names[name][0],
                method=names[name][1],
                metric=metric.name,
                rank=place.rank,
                best=place.best,
                worst=place.worst,
                groups=place.groups,
            )
            for name, place in sorted(standing.items(), key=lambda entry: (entry[1].rank, names[entry[0]]))
        ]
    return tuple(ranked)


def _letters(place: int) -> str:
    """Returns a, b and so on to z, then aa, ab."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters
