"""Studies of what decides: tests, gates, histories, groups of ties and ranks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from benchmarks import designs
from benchmarks.designs import Floats, Rng
from benchmarks.studies import PROFILES, Study, holds
from mirror_bench.analysis.metrics import Metric
from mirror_bench.analysis.overview.face_verdict import judge_faces
from mirror_bench.analysis.overview.ranking import Differences, compare_all, places, shared_means
from mirror_bench.analysis.regression.coverage import MIN_COVERAGE
from mirror_bench.analysis.regression.gate import Gate, hold_gate
from mirror_bench.analysis.regression.history import Past, trace
from mirror_bench.analysis.session_outcomes import SessionOutcome
from mirror_bench.schema import FaceCondition
from mirror_bench.stats.bradley_terry import Comparison, Ranking, rank
from mirror_bench.stats.intervals import Interval
from mirror_bench.stats.noninferiority import DropFinding
from mirror_bench.stats.power import clusters_needed, gate_alpha
from mirror_bench.stats.rank_stability import rank_stability

MARGIN = 0.3
CTRS = Metric(name="ctrs.total", title="CTRS")
CTRS_TOTAL = Metric(name="ctrs.total", title="CTRS total", kind="total", low=0, high=6, better="higher")


def gates() -> Iterator[Study]:
    """Gates: false alarms, passes that are none, and what missing sessions do."""
    for profiles in PROFILES[1:]:

        def alarm(rng: Rng, n: int = profiles) -> float:
            gate = _gate([designs.differences(rng, n, -MARGIN) for _ in range(2)])
            return float(any(check.finding is DropFinding.WORSE for check in gate.checks))

        def wrong_pass(rng: Rng, n: int = profiles) -> float:
            return float(
                _gate([designs.differences(rng, n, -MARGIN)]).checks[0].finding is DropFinding.NO_WORSE
            )

        def beside(rng: Rng, n: int = profiles) -> float:
            (check,) = _gate([designs.differences(rng, n, 0.0)]).checks
            low = check.difference.low
            return float(check.finding is DropFinding.NO_WORSE and (low is None or low < -MARGIN - 1e-6))

        def worst_unrated(rng: Rng, n: int = profiles) -> float:
            change = designs.differences(rng, n, -0.5)
            lost = np.where(change <= np.quantile(change, 0.25), np.nan, change)
            return float(_gate([lost]).passed)

        def few_unrated(rng: Rng, n: int = profiles) -> float:
            change = designs.differences(rng, n, -MARGIN)
            lost = np.where(change <= np.quantile(change, 0.04), np.nan, change)
            return float(_gate([lost]).checks[0].finding is DropFinding.NO_WORSE)

        def collapse(rng: Rng, n: int = profiles) -> float:
            hit = rng.random((n, 1)) < 0.1
            change = rng.normal(0, 0.3, (n, designs.SEEDS)) - 2 * hit
            return float(_gate([change], margin=0.2).checks[0].finding is DropFinding.NO_WORSE)

        yield Study("gate: worse", "two metrics, drop = margin", profiles, "alarm", 0.05, alarm, 2)
        yield Study("gate: no worse", "drop = margin", profiles, "alarm", 0.025, wrong_pass, 2)
        yield Study("gate: no worse", "interval past the margin", profiles, "alarm", 0.0, beside, 2)
        yield Study(
            "gate: passed", "drop .5, worst quarter unrated", profiles, "alarm", 0.05, worst_unrated, 2
        )
        yield Study(
            "gate: no worse", "drop = margin, worst 4 % unrated", profiles, "alarm", 0.025, few_unrated, 2
        )
        yield Study(
            "gate: no worse", "10 % of profiles lose 2, margin .2", profiles, "alarm", 0.025, collapse, 2,
            known="a collapse that no profile of the sample met cannot be seen: the gate says so",
        )  # fmt: skip
    planned = clusters_needed((0.3 - 0.1) / _profile_sd(), alpha=gate_alpha(0.05, 2))
    assert planned is not None

    def planned_power(rng: Rng) -> float:
        changes = [designs.differences(rng, planned, -0.3), designs.differences(rng, planned, 0.0)]
        return float(_gate(changes, margin=0.1).checks[0].finding is DropFinding.WORSE)

    yield Study("power of a gate", "drop .3, margin .1, two metrics", planned, "power", 0.8, planned_power, 2)
    for profiles in PROFILES[1:]:

        def first_drop(rng: Rng, n: int = profiles) -> float:
            level = designs.DESIGNS["plain"](rng, n)
            runs = [
                Past(f"r{at}", "", designs.outcomes(level + designs.differences(rng, n))) for at in range(6)
            ]
            traced = trace(runs, ["ctrs.total"], candidate="c", condition="matched")
            return float(any(trend.first_drop is not None for trend in traced.trends))

        yield Study("history: first drop", "six equal runs", profiles, "alarm", 0.05, first_drop, 6)


def verdicts() -> Iterator[Study]:
    """The face verdict: help that is none, and help that is seen."""
    for profiles in PROFILES[1:]:
        shapes = {"the face does nothing": (0.0, 0.0), "any picture lifts by .5": (-0.5, 0.0)}
        for shape, (none, wrong) in shapes.items():

            def helped(rng: Rng, n: int = profiles, none: float = none, wrong: float = wrong) -> float:
                return float(_face_verdict(rng, n, none, wrong) == "helped")

            yield Study("face verdict: helped", shape, profiles, "alarm", 0.025, helped, 4)

        def ignored(rng: Rng, n: int = profiles) -> float:
            return float(_face_verdict(rng, n, -0.4, -0.4) == "ignores faces")

        yield Study("face verdict: ignored", "the own face lifts by .4", profiles, "alarm", 0.025, ignored, 4)

    def seen(rng: Rng) -> float:
        return float(_face_verdict(rng, 48, -0.3, -0.3) == "helped")

    yield Study("power of the face verdict", "the own face lifts by .3", 48, "power", 0.8, seen, 4)


def _face_verdict(rng: Rng, profiles: int, none: float, wrong: float) -> str:
    """Returns the verdict on a candidate that scores so much more without a face, and with a wrong one."""
    conditions = (FaceCondition.MATCHED, FaceCondition.NONE, FaceCondition.SHUFFLED)
    scores = designs.models(rng, profiles, [0.0, none, wrong])
    held = [
        outcome
        for condition, each in zip(conditions, scores, strict=True)
        for outcome in designs.outcomes(each, condition=condition)
    ]
    (verdict,) = judge_faces(held, (CTRS_TOTAL,))
    return verdict.verdict


def groups() -> Iterator[Study]:
    """Groups of ties, ranks and strengths."""
    for profiles in PROFILES[1:]:
        for count in (2, 10, 30):

            def parted(rng: Rng, n: int = profiles, count: int = count) -> float:
                return float(
                    any(place.apart for place in _board(designs.models(rng, n, [0.0] * count)).values())
                )

            yield Study(
                "board: any two apart", f"{count} equal models", profiles, "alarm", 0.05, parted, count**2 / 2
            )

        def turned(rng: Rng, n: int = profiles) -> float:
            scores = designs.models(rng, n, [0.0, 0.13])
            (standing,), (other,) = (_board(side).values() for side in (scores, scores[::-1]))
            same = standing.apart == other.apart and standing.score.low == -(other.score.high or 0.0)
            return float(not same)

        def ranges(rng: Rng, n: int = profiles) -> float:
            skills = [0.0, 0.1, 0.2, 0.3, 0.4]
            scores = designs.models(rng, n, skills)
            held = _held(scores)
            held_places = places(shared_means(held, CTRS), "higher", compare_all(held, CTRS))
            return float(
                all(held_places[f"m{at}"].best <= 5 - at <= held_places[f"m{at}"].worst for at in range(5))
            )

        def above(rng: Rng, n: int = profiles) -> float:
            scores = designs.models(rng, n, [0.0, -0.3])
            scores[1] = np.where(scores[1] <= np.quantile(scores[1], 0.15), np.nan, scores[1])
            held = _held(scores)
            means = shared_means(held, CTRS)
            rated = np.isfinite(scores).mean(axis=(1, 2)) >= MIN_COVERAGE
            held_places = places(
                {f"m{at}": means[f"m{at}"] if rated[at] else None for at in range(2)}, "higher", {}
            )
            return float("m1" in held_places and held_places["m1"].rank < held_places["m0"].rank)

        def first_rank(rng: Rng, n: int = profiles) -> float | None:
            scores = designs.models(rng, n, [0.0, 0.0]).reshape(2, -1).T
            stability = rank_stability(scores, designs.names_of(n), 1000)
            return None if stability is None else float(not 0.025 <= stability.shares[0][0] <= 0.975)

        yield Study("board: order of two models", "one .13 better", profiles, "alarm", 0.0, turned, 2)
        yield Study("board: ranges of ranks", "five models .1 apart", profiles, "coverage", 0.95, ranges, 6)
        yield Study(
            "board: worse ranks above", ".3 worse, worst 15 % unrated", profiles, "alarm", 0.05, above, 3
        )
        yield Study("rank stability", "two equal models", profiles, "alarm", 0.05, first_rank, 3)
    yield from _strengths()


def _strengths() -> Iterator[Study]:
    for profiles in PROFILES:
        for alike in (0.0, 0.7):

            def split(rng: Rng, n: int = profiles, alike: float = alike) -> float:
                return float(len(_compared(rng, n, [0.0] * 8, alike).groups) > 1)

            def covered(rng: Rng, n: int = profiles, alike: float = alike) -> float | None:
                strength = _compared(rng, n, [0.8, 0.0, -0.8], alike).strengths[0]
                # With effects of profiles the strength in the model is nearer to the mean than the effect.
                return holds(Interval(*strength[:3], n, n), 0.8) if alike == 0 else None

            design = f"eight equal models, profiles alike {alike:g}"
            yield Study("compare: any two apart", design, profiles, "alarm", 0.05, split, 60)
            if alike == 0:
                yield Study(
                    "strength (Bradley-Terry)", "three models", profiles, "coverage", 0.95, covered, 10
                )

    def wins(rng: Rng) -> float | None:
        games = [Comparison(0, 1, float(rng.random() < 0.85), place) for place in range(16)]
        strength = rank(games, 2).strengths[0]
        return holds(Interval(*strength[:3], 16, 16), math.log(0.85 / 0.15) / 2)

    yield Study("strength (Bradley-Terry)", "two models, one wins 85 %", 16, "coverage", 0.95, wins, 4)


def _compared(rng: Rng, profiles: int, strengths: Sequence[float], alike: float) -> Ranking:
    games = []
    for profile in range(profiles):
        own = np.array(strengths) + alike * rng.normal(size=len(strengths))
        for i, j in list(combinations(range(len(strengths)), 2)) * designs.SEEDS:
            first, other = math.exp(own[i]), math.exp(own[j])
            tie = 0.4 * math.sqrt(first * other)
            at = rng.random() * (first + other + tie)
            games.append(Comparison(i, j, 1.0 if at < first else 0.0 if at < first + other else 0.5, profile))
    return rank(games, len(strengths))


def _gate(changes: Sequence[Floats], margin: float = MARGIN) -> Gate:
    """Holds a gate over metrics whose candidate differs by these changes; NaN is a missing score."""
    before = [np.full_like(change, 4.0) for change in changes]
    after = [4.0 + change for change in changes]
    sides = [
        [
            _joined(same)
            for same in zip(
                *(designs.outcomes(own, metric=f"m{at}.total") for at, own in enumerate(side)), strict=True
            )
        ]
        for side in (before, after)
    ]
    names = [f"m{at}.total" for at in range(len(changes))]
    return hold_gate(sides[0], sides[1], names, margin=margin, lowest=dict.fromkeys(names, 0.0))


def _joined(same: Sequence[SessionOutcome]) -> SessionOutcome:
    return replace(
        same[0], scores={name: score for outcome in same for name, score in outcome.scores.items()}
    )


def _held(scores: Floats) -> dict[str, list[SessionOutcome]]:
    return {f"m{at}": designs.outcomes(own, f"m{at}") for at, own in enumerate(scores)}


def _board(scores: Floats) -> Differences:
    return compare_all(_held(scores), CTRS)


def _profile_sd() -> float:
    """The standard deviation of a profile's mean difference."""
    return math.sqrt(designs.BETWEEN**2 + designs.WITHIN**2 / designs.SEEDS)
