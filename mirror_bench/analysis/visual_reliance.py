"""Visual reliance: how far a candidate's behaviour and scores depend on the face it is shown.

*Visual gain* asks whether the client's own face helps. *Visual reliance* asks whether the face matters at
all, for better or worse: a candidate may rely on faces without gaining (it is swayed by whatever it sees),
and one that gains must rely on them. Four measures, each with a paired interval clustered by profile:

- cost: what a wrong face (shuffled, incongruent) takes from a total, or from how the client fares
  (resistance, drop-out), held against no face, or a neutral one where there is none; in the metric's own
  points, and turned where lower is better: above 0, a wrong face harms. Gain over a wrong face is gain over
  no face plus this.
- words: the share of turns whose words change where only the face of that turn changes, less the share that
  change where the same face is shown again (the noise); in [-1, 1].
- remarks: the share of turns in which a remark on the face appears or disappears, less the noise; in [-1,
  1].
- read: of the remarks made, the share that fit the face shown; in [0, 1]. One who guesses from the words
  cannot follow a face that was swapped.

The last three come from probes (`sessions.counterfactual_turns`): the same turn and history, another face.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from mirror_bench.analysis.candidate_scores import score_of
from mirror_bench.analysis.metrics import Metric
from mirror_bench.analysis.session_outcomes import CandidateKey, SessionOutcome, contrast
from mirror_bench.schema import FaceCondition, Record, Score
from mirror_bench.sessions.counterfactual_turns import Probe
from mirror_bench.stats.paired import paired_difference
from mirror_bench.stats.rates import cluster_share

WRONG = (FaceCondition.SHUFFLED, FaceCondition.INCONGRUENT)
SILENT = (FaceCondition.NONE, FaceCondition.NEUTRAL)
"""Faces that tell nothing, neither truth nor error; a wrong face is held against the first that was run."""
FARES = ("resistance_change", "dropout")
"""How the client fares, as the client itself logs it; a rater may not notice what a wrong face did."""

Measure = Literal["cost", "words", "remarks", "read"]


class Reliance(Record):
    """How far one candidate depends on the face, by one measure.

    Attributes:
        measure: See the module.
        shown: The face condition shown; `matched` with "words" and "remarks" is the noise itself.
        against: What "cost" is held against; `matched` for "words" and "remarks"; None for the noise and
            for "read".
        value: The measure; `n` counts scenario pairs for "cost", turns for the others.
        lost: Pairs or turns that could not enter.
    """

    therapist: str
    method: str = ""
    measure: Measure
    shown: FaceCondition
    against: FaceCondition | None = None
    value: Score
    lost: int = 0


def measure_reliance(
    outcomes: Iterable[SessionOutcome], metrics: Sequence[Metric], probes: Iterable[Probe]
) -> tuple[Reliance, ...]:
    """Returns the visual reliance of every candidate: the cost per total, then what its probes tell.

    Args:
        outcomes: Sessions of any candidates and face conditions.
        metrics: What was measured; the totals count.
        probes: Of any candidates.
    """
    groups: dict[CandidateKey, list[SessionOutcome]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome.key, []).append(outcome)
    asked: dict[tuple[str, str], list[Probe]] = {}
    for probe in probes:
        asked.setdefault((probe.therapist, probe.method), []).append(probe)
    reliance: list[Reliance] = []
    for therapist, method in sorted({(key.therapist, key.method) for key in groups} | set(asked)):
        mine = {key.condition: held for key, held in groups.items() if key[:2] == (therapist, method)}
        reliance += _costs(therapist, method, mine, metrics)
        reliance += _probed(therapist, method, asked.get((therapist, method), ()))
    return tuple(reliance)


def _costs(
    therapist: str,
    method: str,
    held: Mapping[FaceCondition, Sequence[SessionOutcome]],
    metrics: Sequence[Metric],
) -> list[Reliance]:
    against = next((condition for condition in SILENT if condition in held), None)
    if against is None:
        return []
    costs = []
    for shown in (condition for condition in WRONG if condition in held):
        pairs = len({outcome.pair for outcome in (*held[against], *held[shown])})
        for metric in metrics:
            if metric.kind == "total" or metric.name in FARES:
                sides = (against, shown) if metric.better != "lower" else (shown, against)
                cost = contrast(held[sides[0]], held[sides[1]], metric.name)
                costs.append(
                    Reliance(
                        therapist=therapist,
                        method=method,
                        measure="cost",
                        shown=shown,
                        against=against,
                        value=score_of(metric.name, cost.interval, pairs),
                        lost=cost.unpaired,
                    )
                )
    return costs


def _probed(therapist: str, method: str, probes: Sequence[Probe]) -> list[Reliance]:
    probed = []
    shown = [condition for condition in FaceCondition if any(p.shown is condition for p in probes)]
    tests: tuple[tuple[Measure, Callable[[Probe], bool]], ...] = (
        ("words", lambda probe: probe.changed),
        ("remarks", lambda probe: probe.remarks is not probe.remarked),
    )
    for measure, test in tests:
        for condition in shown:
            value, lost = _change(probes, condition, measure, test)
            floor = condition is FaceCondition.MATCHED
            probed.append(
                Reliance(
                    therapist=therapist,
                    method=method,
                    measure=measure,
                    shown=condition,
                    against=None if floor else FaceCondition.MATCHED,
                    value=value,
                    lost=lost,
                )
            )
    for condition in shown:
        fits = [p for p in probes if p.shown is condition and p.read is not None]
        if fits:
            interval = cluster_share([float(bool(p.read)) for p in fits], [p.profile_id for p in fits])
            value = _share(score_of("read", interval, len(fits)))
            probed.append(
                Reliance(therapist=therapist, method=method, measure="read", shown=condition, value=value)
            )
    return probed


def _share(score: Score, lowest: float = 0.0) -> Score:
    """Cuts the interval of a share at its ends, past which Student's t may reach with few profiles.

    Args:
        score: The share, or a difference of two.
        lowest: 0 for a share, -1 for a difference.
    """
    low, high = score.low, score.high
    ends = {
        "low": None if low is None else min(1.0, max(lowest, low)),
        "high": None if high is None else max(lowest, min(1.0, high)),
    }
    return score.model_copy(update=ends)


def _change(
    probes: Sequence[Probe],
    condition: FaceCondition,
    measure: Measure,
    test: Callable[[Probe], bool],
) -> tuple[Score, int]:
    """Returns the share of turns that change, less the noise, and how many turns could not enter."""
    clusters = {_turn(probe): probe.profile_id for probe in probes}
    by_condition = {
        face: {_turn(p): float(test(p)) for p in probes if p.shown is face and not p.lost}
        for face in (condition, FaceCondition.MATCHED)
    }
    noise = by_condition[FaceCondition.MATCHED]
    if condition is FaceCondition.MATCHED:
        noise = dict.fromkeys(noise, 0.0)
    difference = paired_difference(by_condition[condition], noise, clusters)
    due = sum(probe.shown is condition for probe in probes)
    lost = due - (difference.interval.n if difference.interval else 0)
    lowest = 0.0 if condition is FaceCondition.MATCHED else -1.0
    return _share(score_of(measure, difference.interval, due), lowest), lost


def _turn(probe: Probe) -> str:
    return f"{probe.scenario_id}#{probe.turn}"
