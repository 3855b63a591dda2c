"""How scores go with the length of what the therapist says, and totals with length taken out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mirror_bench.analysis.candidate_scores import score_of
from mirror_bench.analysis.metrics import Metric
from mirror_bench.analysis.session_outcomes import CandidateKey, SessionOutcome
from mirror_bench.schema import FaceCondition, Record, Score
from mirror_bench.stats.length import Adjusted, adjust_for_length, length_correlation

MEASURED = ("total", "item")


class LengthEffect(Record):
    """What length has to do with one metric of one candidate under one face condition.

    Attributes:
        metric: The metric's name.
        correlation: Spearman's correlation over sessions with log(therapist tokens); `n` counts sessions.
        adjusted: The metric's mean at the reference length; totals only.
        reason: Why there is no adjusted total.
    """

    therapist: str
    method: str = ""
    condition: FaceCondition
    metric: str
    correlation: Score
    adjusted: Score | None = None
    reason: str = ""

    @property
    def key(self) -> CandidateKey:
        """The entry that it belongs to."""
        return CandidateKey(self.therapist, self.method, self.condition)


class LengthSlope(Record):
    """How length was taken out of a total: one slope for all candidates and face conditions.

    Attributes:
        slope: Points per unit of log(therapist tokens), on the same scenario and by the same candidate.
        reference_tokens: The length at which adjusted totals are read: the geometric mean, in words.
    """

    slope: Score
    reference_tokens: float


class Lengths(NamedTuple):
    """How scores go with the length of replies: a correlation per metric, and slopes of totals."""

    effects: tuple[LengthEffect, ...]
    slopes: tuple[LengthSlope, ...]


class _Case(NamedTuple):
    key: CandidateKey
    score: float
    log_tokens: float
    pair: str
    profile_id: str


def measure_length(outcomes: Iterable[SessionOutcome], metrics: Sequence[Metric]) -> Lengths:
    """Returns correlations for every total and item, and adjusted totals.

    Args:
        outcomes: Those of every entry that is compared.
        metrics: What was measured.
    """
    found = sorted(outcomes, key=lambda outcome: outcome.session_key)
    keys = sorted({outcome.key for outcome in found})
    effects: list[LengthEffect] = []
    slopes: list[LengthSlope] = []
    for metric in metrics:
        if metric.kind not in MEASURED:
            continue
        cases = _cases(found, metric.name)
        adjusted = _adjusted(cases, metric) if metric.kind == "total" else None
        if adjusted and adjusted.slope and adjusted.reference is not None:
            slope = score_of(metric.name, adjusted.slope, adjusted.slope.n)
            slopes.append(LengthSlope(slope=slope, reference_tokens=round(math.exp(adjusted.reference), 2)))
        effects += [_effect(key, metric, cases, adjusted) for key in keys]
    return Lengths(tuple(effects), tuple(slopes))


def _cases(outcomes: Iterable[SessionOutcome], metric: str) -> list[_Case]:
    return [
        _Case(outcome.key, score, math.log(outcome.tokens), outcome.pair, outcome.profile_id)
        for outcome in outcomes
        if outcome.tokens and (score := outcome.scores.get(metric)) is not None
    ]


def _adjusted(cases: Sequence[_Case], metric: Metric) -> Adjusted:
    return adjust_for_length(
        [case.score for case in cases],
        [case.log_tokens for case in cases],
        [case.key for case in cases],
        [case.pair for case in cases],
        [case.profile_id for case in cases],
        (
            -math.inf if metric.low is None else metric.low,
            math.inf if metric.high is None else metric.high,
        ),
    )


def _effect(
    key: CandidateKey, metric: Metric, cases: Iterable[_Case], adjusted: Adjusted | None
) -> LengthEffect:
    own = [case for case in cases if case.key == key]
    correlation = length_correlation(
        [case.score for case in own],
        [case.log_tokens for case in own],
        [case.profile_id for case in own],
    )
    mean = adjusted.means.get(key) if adjusted else None
    reason = adjusted.reason if adjusted else ""
    if adjusted and mean is None and not reason:
        reason = adjusted.declined.get(key, "no session was rated")
    return LengthEffect(
        therapist=key.therapist,
        method=key.method,
        condition=key.condition,
        metric=metric.name,
        correlation=score_of(metric.name, correlation, max(1, len(own))),
        adjusted=score_of(metric.name, mean, mean.n) if mean else None,
        reason=reason,
    )
