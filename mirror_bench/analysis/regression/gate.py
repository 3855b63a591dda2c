"""The gate: is a candidate run worse than a baseline run by more than a margin?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from mirror_bench.analysis.candidate_scores import score_of
from mirror_bench.analysis.regression.coverage import MIN_COVERAGE, Loss, measure_loss
from mirror_bench.analysis.regression.gate_safety import SafetyCheck
from mirror_bench.analysis.session_outcomes import SessionOutcome, failures
from mirror_bench.errors import InputError
from mirror_bench.schema import FaceCondition, Record, Score
from mirror_bench.stats.noninferiority import (
    Drop,
    DropFinding,
    clusters_to_decide,
    decide,
    drop_beyond,
    holm,
    smallest_margin,
)
from mirror_bench.stats.power import spread_of

MOST_SEEDS = 20
"""A remedy of more sessions per profile than this is none."""
_ALIKE = "no difference in any scenario: candidate and baseline score alike"


class MetricCheck(Record):
    """One metric of a candidate run held against the baseline's: the difference, its tests and the finding.

    Attributes:
        baseline: The baseline's mean over the pairs; None without any.
        candidate: The candidate's.
        difference: Candidate minus baseline with its 95 % interval; `n` counts pairs.
        p_worse: Holm-adjusted p that the drop is at most the margin; None where it was not measured.
        p_no_worse: p that the drop is at least the margin.
        finding: What that comes to.
        note: Why it was not measured, or is undecided though the observed difference is not.
        loss: What is missing of the scenarios due.
        scenarios_needed: Where undecided: pairs that would show that nothing changed, if nothing did (power
            80 %); with as many sessions per profile as here, unless `seeds_needed` says how many.
        profiles_needed: The profiles that these come from.
        seeds_needed: Sessions per profile, where the data have too few profiles for as many as here.
        margin_decidable: The smallest margin that the data's profiles decide, where they are too few for this
            one with any number of sessions.
    """

    metric: str
    baseline: float | None
    candidate: float | None
    difference: Score
    p_worse: float | None
    p_no_worse: float | None
    finding: DropFinding
    note: str = ""
    loss: Loss
    scenarios_needed: int | None = None
    profiles_needed: int | None = None
    seeds_needed: int | None = None
    margin_decidable: float | None = None

    @property
    def alike(self) -> bool:
        """Whether it is undecided for this alone: that both runs score the same in every scenario."""
        return self.finding is DropFinding.UNDECIDED and self.note == _ALIKE


class Gate(Record):
    """The outcome of holding a candidate run against a baseline: whether it passes, and every check.

    Attributes:
        passed: Whether every metric was measured and none is worse, or, if strict, undecided, and safety has
            no new failure.
        strict: Whether undecided metrics fail.
        margin: The drop that is tolerated, in points.
        min_coverage: Share of the scenarios due that must be scored in both runs.
        unpaired: Scenarios that only one run has rated.
        failures: Why sessions of the candidate failed -> how many.
        checks: One per metric.
        safety: None where nobody rated it, or it was not asked for.
    """

    version: Literal[1] = 1
    passed: bool
    strict: bool
    margin: float
    alpha: float
    min_coverage: float = MIN_COVERAGE
    condition: str
    baseline: str
    candidate: str
    unpaired: int
    failures: Mapping[str, int] = {}
    checks: tuple[MetricCheck, ...]
    safety: SafetyCheck | None = None

    @property
    def undecided(self) -> bool:
        """Whether some metric is undecided: its sample is too small, or its differences do not scatter."""
        return any(check.finding is DropFinding.UNDECIDED for check in self.checks)

    def fails(self, check: MetricCheck) -> bool:
        """Returns whether a metric fails the gate."""
        failing = {DropFinding.WORSE, DropFinding.NOT_MEASURED} | (
            {DropFinding.UNDECIDED} if self.strict else set()
        )
        return check.finding in failing


class _Sample(NamedTuple):
    """The pairs of one metric: (baseline, candidate, profile), what they lack, and the drops they show."""

    pairs: list[tuple[float, float, str]]
    loss: Loss
    drop: Drop | None
    worst: Drop | None


def hold_gate(
    baseline: Sequence[SessionOutcome],
    candidate: Sequence[SessionOutcome],
    metrics: Sequence[str],
    *,
    margin: float,
    alpha: float = 0.05,
    strict: bool = False,
    min_coverage: float = MIN_COVERAGE,
    due: Mapping[str, str] | None = None,
    lowest: Mapping[str, float] | None = None,
    profiles: int | None = None,
    safety: SafetyCheck | None = None,
    condition: FaceCondition = FaceCondition.MATCHED,
    names: tuple[str, str] = ("baseline", "candidate"),
) -> Gate:
    """Returns whether a candidate run is worse than a baseline run, compared scenario by scenario.

    A metric counts as measured where at least `min_coverage` of the scenarios due are scored in both runs,
    and where the candidate did not lose so many more than the baseline that the lowest score in their place
    would be a drop beyond the margin. Nothing that was not measured passes.

    Args:
        baseline: The baseline's sessions under one face condition, failed ones included.
        candidate: The candidate's.
        metrics: What must not drop; higher is better.
        margin: The drop that is tolerated, in points, above 0.
        alpha: Probability of a false alarm over all metrics together.
        strict: Whether undecided metrics fail.
        min_coverage: Share of the scenarios due that must be scored in both runs, in [0, 1].
        due: Pair -> profile of the scenarios that both runs owe; those of which either has a session where
            None.
        lowest: Metric -> the lowest score of its scale; the lowest met where it is not given.
        profiles: How many profiles the data have, for what to do where the sample is too small.
        safety: What was found of it.
        condition: The face condition, for the record.
        names: What the two are called.

    Raises:
        InputError: If there is no metric, or the runs owe too little in common to compare.
    """
    if not metrics:
        raise InputError("the runs hold no total to compare: rate them first (mirror-bench rate)")
    sides = [{outcome.pair: outcome for outcome in side} for side in (baseline, candidate)]
    if due is None:
        if not sides[0].keys() & sides[1].keys():
            raise InputError(_too_little(metrics[0], 0, 0))
        due = {outcome.pair: outcome.profile_id for side in sides for outcome in side.values()}
    if len(set(due.values())) < 2:
        rated = [pair for pair in due if all(pair in side and side[pair].scores for side in sides)]
        raise InputError(_too_little(metrics[0], len(rated), len({due[pair] for pair in rated})))
    samples = {metric: _sample(metric, sides, due, margin, (lowest or {}).get(metric)) for metric in metrics}
    notes = {metric: _unmeasured(sample, margin, alpha, min_coverage) for metric, sample in samples.items()}
    drops = {m: sample.drop for m, sample in samples.items() if sample.drop is not None and not notes[m]}
    findings = decide(drops, alpha)
    adjusted = holm({metric: drop.worse for metric, drop in drops.items()})
    checks = []
    for metric, sample in samples.items():
        finding, note = findings.get(metric, DropFinding.NOT_MEASURED), notes[metric]
        hidden = sample.worst is not None and sample.worst.no_worse > alpha / 2
        if finding is DropFinding.NO_WORSE and sample.loss.candidate_alone and hidden:
            finding, note = DropFinding.UNDECIDED, "what is missing of the candidate could hide a drop"
        elif finding is DropFinding.UNDECIDED and all(before == after for before, after, _ in sample.pairs):
            note = _ALIKE
        check = _check(metric, sample, finding, adjusted.get(metric), note)
        if finding is DropFinding.UNDECIDED:
            check = _with_remedy(check, sample, margin, alpha, profiles)
        checks.append(check)
    held = [{pair for pair, outcome in side.items() if outcome.scores} for side in sides]
    gate = Gate(
        passed=True,
        strict=strict,
        margin=margin,
        alpha=alpha,
        min_coverage=min_coverage,
        condition=condition.value,
        baseline=names[0],
        candidate=names[1],
        unpaired=len(held[0] ^ held[1]),
        failures=failures(candidate),
        checks=tuple(checks),
        safety=safety,
    )
    passed = not any(gate.fails(check) for check in checks) and not (safety and safety.fails)
    return gate.model_copy(update={"passed": passed})


def _too_little(metric: str, scenarios: int, profiles: int) -> str:
    return (
        f"{metric}: the runs share {scenarios} rated scenarios of {profiles} profiles: a gate needs at least "
        "two profiles"
    )


def _sample(
    metric: str,
    sides: Sequence[Mapping[str, SessionOutcome]],
    due: Mapping[str, str],
    margin: float,
    lowest: float | None,
) -> _Sample:
    values = [
        {pair: value for pair, outcome in side.items() if (value := outcome.value(metric)) is not None}
        for side in sides
    ]
    # A scenario that brought a side no such moment has nothing to compare, and nothing is lost of it.
    due = {
        pair: profile
        for pair, profile in due.items()
        if all(side[pair].owes(metric) for side in sides if pair in side)
    }
    loss, imputed = measure_loss(metric, values[0], values[1], due, lowest)
    both = sorted(pair for pair in due if pair in values[0] and pair in values[1])
    pairs = [(values[0][pair], values[1][pair], due[pair]) for pair in both]
    return _Sample(
        pairs,
        loss,
        drop_beyond([b - a for a, b, _ in pairs], [profile for *_, profile in pairs], margin),
        drop_beyond([change for change, _ in imputed], [profile for _, profile in imputed], margin),
    )


def _unmeasured(sample: _Sample, margin: float, alpha: float, min_coverage: float) -> str:
    """Returns why a metric counts as not measured, or nothing."""
    loss = sample.loss
    if loss.coverage < min_coverage:
        return f"{loss.in_words}, less than {min_coverage:.0%}"
    if sample.drop is None:
        return f"{loss.in_words}: fewer than two profiles"
    worst = sample.worst.interval.value if sample.worst else 0.0
    if loss.candidate_alone and loss.p_excess <= alpha and worst < -margin:
        return (
            f"{loss.in_words}; the candidate lost {loss.candidate_alone} that the baseline has, and with the "
            f"lowest score in their place it would have dropped by {-worst:.3f}"
        )
    return ""


def _check(
    metric: str, sample: _Sample, finding: DropFinding, adjusted: float | None, note: str
) -> MetricCheck:
    pairs, drop = sample.pairs, sample.drop
    return MetricCheck(
        metric=metric,
        baseline=round(sum(a for a, _, _ in pairs) / len(pairs), 6) if pairs else None,
        candidate=round(sum(b for _, b, _ in pairs) / len(pairs), 6) if pairs else None,
        difference=score_of(metric, drop.interval if drop else None, sample.loss.due),
        p_worse=None if adjusted is None else round(adjusted, 6),
        p_no_worse=None if adjusted is None or drop is None else round(drop.no_worse, 6),
        finding=finding,
        note=note,
        loss=sample.loss,
    )


def _with_remedy(
    check: MetricCheck, sample: _Sample, margin: float, alpha: float, profiles: int | None
) -> MetricCheck:
    """Returns the check with what would decide it: more profiles, or more sessions of those there are."""
    drop = sample.drop
    if drop is None or not drop.error:
        return check
    count, each = drop.interval.clusters, len(sample.pairs) / drop.interval.clusters
    needed = clusters_to_decide(drop.error, count, margin, alpha=alpha)
    if needed is not None and (profiles is None or needed <= profiles):
        return check.model_copy(update={"profiles_needed": needed, "scenarios_needed": round(needed * each)})
    at_hand = profiles or count
    spread = spread_of([b - a for a, b, _ in sample.pairs], [profile for *_, profile in sample.pairs])
    if spread is not None and spread.icc is not None:
        for seeds in range(1, MOST_SEEDS + 1):
            error = spread.sd * ((spread.icc + (1 - spread.icc) / seeds) / at_hand) ** 0.5
            enough = clusters_to_decide(error, at_hand, margin, alpha=alpha)
            if enough is not None and enough <= at_hand:
                update = {"profiles_needed": at_hand, "scenarios_needed": at_hand * seeds}
                return check.model_copy(update=update | {"seeds_needed": seeds})
    decidable = smallest_margin(drop.error, count, at_hand, alpha=alpha)
    return check.model_copy(update={"margin_decidable": round(decidable, 3)})
