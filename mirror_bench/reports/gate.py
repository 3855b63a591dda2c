"""The gate: is a candidate run worse than a baseline run by more than a margin?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from mirror_bench.errors import InputError
from mirror_bench.reports.entries import score_of
from mirror_bench.reports.outcomes import Outcome
from mirror_bench.schema import FaceCondition, Record, Score
from mirror_bench.stats.noninferiority import Drop, Finding, clusters_to_decide, decide, drop_beyond, holm


class MetricCheck(Record):
    """One metric of the gate.

    Attributes:
        baseline: The baseline's mean over the pairs.
        candidate: The candidate's.
        difference: Candidate minus baseline with its 95 % interval; `n` counts pairs.
        p_worse: Holm-adjusted p that the drop is at most the margin.
        p_no_worse: p that the drop is at least the margin.
        finding: What that comes to.
        scenarios_needed: Where undecided: pairs that would show that nothing changed, if nothing did (power
            80 %), with as many sessions per profile as here.
        profiles_needed: The profiles that these come from.
    """

    metric: str
    baseline: float
    candidate: float
    difference: Score
    p_worse: float
    p_no_worse: float
    finding: Finding
    scenarios_needed: int | None = None
    profiles_needed: int | None = None


class Gate(Record):
    """What the gate found.

    Attributes:
        passed: Whether no metric is worse, and, if strict, none undecided.
        strict: Whether undecided metrics fail.
        margin: The drop that is tolerated, in points.
        unpaired: Scenarios that only one run has rated.
        checks: One per metric.
    """

    version: Literal[1] = 1
    passed: bool
    strict: bool
    margin: float
    alpha: float
    condition: str
    baseline: str
    candidate: str
    unpaired: int
    checks: tuple[MetricCheck, ...]

    @property
    def undecided(self) -> bool:
        """Whether the sample is too small to tell for some metric."""
        return any(check.finding is Finding.UNDECIDED for check in self.checks)


def hold_gate(
    baseline: Sequence[Outcome],
    candidate: Sequence[Outcome],
    metrics: Sequence[str],
    *,
    margin: float,
    alpha: float = 0.05,
    strict: bool = False,
    condition: FaceCondition = FaceCondition.MATCHED,
    names: tuple[str, str] = ("baseline", "candidate"),
) -> Gate:
    """Compares two runs pair by pair.

    Args:
        baseline: The baseline's sessions under one face condition.
        candidate: The candidate's.
        metrics: What must not drop; higher is better.
        margin: The drop that is tolerated, in points, above 0.
        alpha: Probability of a false alarm over all metrics together.
        strict: Whether undecided metrics fail.
        condition: The face condition, for the record.
        names: What the two are called.

    Raises:
        InputError: If there is no metric, or the runs have too little in common to compare.
    """
    if not metrics:
        raise InputError("the runs hold no total to compare: rate them first (mirror-bench rate)")
    pairs = {metric: _pairs(baseline, candidate, metric) for metric in metrics}
    drops: dict[str, Drop] = {}
    for metric, found in pairs.items():
        drop = drop_beyond([b - a for a, b, _ in found], [profile for *_, profile in found], margin)
        if drop is None:
            raise InputError(
                f"{metric}: the runs share {len(found)} rated scenarios of "
                f"{len({profile for *_, profile in found})} profiles: a gate needs at least two profiles"
            )
        drops[metric] = drop
    findings = decide(drops, alpha)
    adjusted = holm({metric: drop.worse for metric, drop in drops.items()})
    checks = tuple(
        _check(metric, pairs[metric], drops[metric], findings[metric], adjusted[metric], margin, alpha)
        for metric in metrics
    )
    failing = {Finding.WORSE, Finding.UNDECIDED} if strict else {Finding.WORSE}
    held = [{outcome.pair for outcome in side if outcome.scores} for side in (baseline, candidate)]
    return Gate(
        passed=not any(check.finding in failing for check in checks),
        strict=strict,
        margin=margin,
        alpha=alpha,
        condition=condition.value,
        baseline=names[0],
        candidate=names[1],
        unpaired=len(held[0] ^ held[1]),
        checks=checks,
    )


def _pairs(
    baseline: Sequence[Outcome], candidate: Sequence[Outcome], metric: str
) -> list[tuple[float, float, str]]:
    theirs = {outcome.pair: outcome for outcome in candidate}
    found = []
    for outcome in sorted(baseline, key=lambda one: one.pair):
        other = theirs.get(outcome.pair)
        values = (outcome.value(metric), other.value(metric) if other else None)
        if values[0] is not None and values[1] is not None:
            found.append((values[0], values[1], outcome.profile_id))
    return found


def _check(
    metric: str,
    pairs: Sequence[tuple[float, float, str]],
    drop: Drop,
    finding: Finding,
    adjusted: float,
    margin: float,
    alpha: float,
) -> MetricCheck:
    needed = clusters_to_decide(drop, margin, alpha=alpha) if finding is Finding.UNDECIDED else None
    per_profile = len(pairs) / drop.interval.clusters
    return MetricCheck(
        metric=metric,
        baseline=round(sum(a for a, _, _ in pairs) / len(pairs), 6),
        candidate=round(sum(b for _, b, _ in pairs) / len(pairs), 6),
        difference=score_of(metric, drop.interval, len(pairs)),
        p_worse=round(adjusted, 6),
        p_no_worse=round(drop.no_worse, 6),
        finding=finding,
        scenarios_needed=None if needed is None else round(needed * per_profile),
        profiles_needed=needed,
    )
