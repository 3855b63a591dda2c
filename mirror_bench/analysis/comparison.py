"""Candidates compared two at a time: win rates, strengths with tie groups, and the part of length."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Literal

from mirror_bench.analysis.candidate_scores import score_of
from mirror_bench.analysis.session_outcomes import SessionOutcome, contrast
from mirror_bench.raters.preferences import POINTS, Preference
from mirror_bench.schema import Ending, Record, Score
from mirror_bench.stats.bradley_terry import Comparison, rank
from mirror_bench.stats.independent import independent_difference
from mirror_bench.stats.pairwise_length import controlled_win_rate
from mirror_bench.stats.rates import cluster_share


class Match(Record):
    """Two candidates compared on the scenarios that both have held: wins, ties, losses and win rate.

    Attributes:
        first: Name of one.
        second: Name of the other.
        wins: Pairs that the first wins; `ties` and `losses` likewise.
        missing: Pairs without a verdict.
        unpaired: Scenarios that only one of the two has held.
        win_rate: The first's, ties counting half.
        controlled: The first's win rate where both say as much; without a value where it cannot be told.
        controlled_note: Why not.
        length_slope: Change of the log odds per unit of log(first's words / second's words).
        consistent: Share of pairs whose two orders were answered alike; without a value where order cannot
            matter.
        differences: First minus second on every total, over the same pairs.
        apart: Where the two share no pair, as an imported run and one held here: first minus second on every
            total, over different people. It says nothing of who would do better with the same.
    """

    first: str
    second: str
    wins: int
    ties: int
    losses: int
    missing: int = 0
    unpaired: int = 0
    win_rate: Score
    controlled: Score
    controlled_note: str = ""
    length_slope: Score
    consistent: Score
    differences: tuple[Score, ...] = ()
    apart: tuple[Score, ...] = ()


class CandidateStanding(Record):
    """A candidate's Bradley-Terry log strength, mean 0 over all, and its rank."""

    name: str
    strength: Score
    rank: int
    best_rank: int
    worst_rank: int


class Compared(Record):
    """The result of comparing candidates two at a time, as `comparison.json` keeps it.

    Attributes:
        judge: Who compared.
        standings: Strongest first.
        groups: Candidates that cannot be told apart, strongest group first: two share one exactly where
            their difference is no significant one, with Holm's correction over all pairs.
        ties: The model's tendency to ties.
        matches: Every two candidates.
    """

    version: Literal[1] = 1
    judge: str
    protocol: str = ""
    fingerprint: str = ""
    condition: str = ""
    standings: tuple[CandidateStanding, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    ties: float = 0.0
    matches: tuple[Match, ...] = ()


def compare(
    preferences: Sequence[Preference],
    outcomes: Mapping[str, Sequence[SessionOutcome]],
    totals: Iterable[str] = (),
    **facts: str,
) -> Compared:
    """Returns strengths, ranks and win rates, computed from preferences between sessions of one scenario.

    Args:
        preferences: Of one judge, on any pairs of candidates.
        outcomes: Candidate -> its sessions, in the order to show.
        totals: Metrics whose paired differences are shown beside.
        **facts: `judge`, `protocol`, `fingerprint` and `condition`.
    """
    names = list(outcomes)
    metrics = list(totals)
    matches = tuple(
        _match(name, other, preferences, outcomes, metrics) for name, other in combinations(names, 2)
    )
    decided = [preference for preference in preferences if preference.better is not None]
    met = {name for preference in decided for name in (preference.first, preference.second)}
    ranked = [name for name in names if name in met]
    if len(ranked) < 2:
        return Compared(matches=matches, **facts)
    place = {name: index for index, name in enumerate(ranked)}
    ranking = rank(
        [
            Comparison(
                place[preference.first],
                place[preference.second],
                POINTS[str(preference.better)],
                preference.profile_id,
            )
            for preference in decided
        ],
        len(ranked),
    )
    standings = [
        CandidateStanding(
            name=name,
            strength=Score(
                metric="strength", value=strength.value, low=strength.low, high=strength.high, n=len(decided)
            ),
            rank=strength.rank,
            best_rank=strength.best_rank,
            worst_rank=strength.worst_rank,
        )
        for name, strength in zip(ranked, ranking.strengths, strict=True)
    ]
    return Compared(
        standings=tuple(sorted(standings, key=lambda standing: standing.rank)),
        groups=tuple(tuple(ranked[index] for index in group) for group in ranking.groups),
        ties=ranking.ties,
        matches=matches,
        **facts,
    )


def _match(
    first: str,
    second: str,
    preferences: Sequence[Preference],
    outcomes: Mapping[str, Sequence[SessionOutcome]],
    metrics: Sequence[str],
) -> Match:
    ours = [
        preference for preference in preferences if (preference.first, preference.second) == (first, second)
    ]
    known = [preference for preference in ours if preference.better is not None]
    points = [POINTS[str(preference.better)] for preference in known]
    people = [preference.profile_id for preference in known]
    orders = [
        (float(preference.consistent), preference.profile_id)
        for preference in known
        if preference.consistent is not None
    ]
    sized = [preference for preference in known if min(preference.tokens) > 0]
    controlled = controlled_win_rate(
        [POINTS[str(preference.better)] for preference in sized],
        [math.log(preference.tokens[0] / preference.tokens[1]) for preference in sized],
        [preference.profile_id for preference in sized],
    )
    held = [
        {outcome.pair for outcome in outcomes[name] if outcome.ended is not Ending.FAILED}
        for name in (first, second)
    ]
    both = held[0] & held[1]
    return Match(
        first=first,
        second=second,
        wins=points.count(1.0),
        ties=points.count(0.5),
        losses=points.count(0.0),
        missing=len(ours) - len(known),
        unpaired=len(held[0] ^ held[1]),
        win_rate=score_of("win_rate", cluster_share(points, people), len(ours)),
        controlled=Score(
            metric="controlled_win_rate",
            value=controlled.value,
            low=controlled.low,
            high=controlled.high,
            n=controlled.n,
        ),
        controlled_note=controlled.reason,
        length_slope=Score(
            metric="length_slope",
            value=controlled.slope,
            low=controlled.slope_low,
            high=controlled.slope_high,
            n=controlled.n,
        ),
        consistent=score_of(
            "consistent",
            cluster_share([v for v, _ in orders], [p for _, p in orders]),
            len(orders),
        ),
        differences=tuple(
            score_of(metric, contrast(outcomes[first], outcomes[second], metric).interval, len(both))
            for metric in metrics
        ),
        apart=() if both else tuple(_apart(outcomes[first], outcomes[second], metrics)),
    )


def _apart(
    ours: Sequence[SessionOutcome], theirs: Sequence[SessionOutcome], metrics: Iterable[str]
) -> Iterator[Score]:
    """Yields the difference of two candidates' means over the different people that each of them met."""
    for metric in metrics:
        sides = [
            [(value, outcome.profile_id) for outcome in side if (value := outcome.value(metric)) is not None]
            for side in (ours, theirs)
        ]
        (a, a_people), (b, b_people) = (tuple(zip(*side, strict=True)) or ((), ()) for side in sides)
        interval = independent_difference(a, a_people, b, b_people)
        yield score_of(metric, interval, len(ours) + len(theirs))
