"""Many runs of one model in time: each score with its interval, and the first drop that is no chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from mirror_bench.analysis.candidate_scores import score_of, within_scale
from mirror_bench.analysis.metrics import Metric
from mirror_bench.analysis.regression.coverage import MIN_COVERAGE
from mirror_bench.analysis.session_outcomes import SessionOutcome
from mirror_bench.schema import Record, Score
from mirror_bench.stats.intervals import cluster_mean, clustered_mean
from mirror_bench.stats.noninferiority import holm


class Past(NamedTuple):
    """One earlier run: its name, when it started, and its sessions under one face condition.

    Attributes:
        name: What to call it.
        started: When it was started, ISO 8601; empty where unknown.
        outcomes: Its sessions under one face condition.
        due: How many it owes under that condition; as many as it has where 0.
    """

    name: str
    started: str
    outcomes: Sequence[SessionOutcome]
    due: int = 0


class Step(Record):
    """The score of one run on one metric, and its change against the best run before it.

    Attributes:
        run: Its name.
        score: Mean with its 95 % interval.
        measured: Whether enough of its sessions have a score; without, nothing is said of a drop, and no
            later run is held against it.
        against: The best earlier run that was measured; empty for the first.
        change: This run minus that one, over common pairs.
        p_drop: One-sided p of a drop, adjusted as `trace` says; None for the first.
    """

    run: str
    started: str
    score: Score
    measured: bool = True
    against: str = ""
    change: Score | None = None
    p_drop: float | None = None


class Trend(Record):
    """One metric over all runs in time, and the first drop that is no chance.

    Attributes:
        first_drop: The first run whose drop is significant (its index), if any.
    """

    metric: str
    steps: tuple[Step, ...]
    first_drop: int | None = None

    @property
    def unmeasured(self) -> tuple[Step, ...]:
        """The runs of which too little is scored."""
        return tuple(step for step in self.steps if not step.measured)


class History(Record):
    """The course of every metric over the runs of one candidate, as `mirror-bench history` prints it."""

    version: Literal[1] = 1
    candidate: str
    condition: str
    alpha: float
    trends: tuple[Trend, ...]


def trace(
    runs: Sequence[Past],
    metrics: Sequence[str],
    *,
    candidate: str,
    condition: str,
    alpha: float = 0.05,
    min_coverage: float = MIN_COVERAGE,
    scales: Mapping[str, Metric] = {},
) -> History:
    """Returns each metric's course over runs, with the first significant drop.

    Every run is held against the best run before it, on the scenarios that both have rated: against the
    latest alone, a slow slide would never be found. The best of several was lucky, too, so that each p counts
    as many times as there were runs to choose from; then Holm corrects over all runs and metrics.

    Args:
        runs: In the order of time.
        metrics: Higher is better.
        candidate: The model's name.
        condition: The face condition.
        alpha: Probability of naming a drop where there is none.
        min_coverage: Share of a run's sessions that must have a score, in [0, 1].
        scales: Metric -> its description, at whose ends intervals are cut.
    """
    steps = {metric: _steps(runs, metric, min_coverage, scales.get(metric)) for metric in metrics}
    raw = {
        f"{metric}\x1f{place}": step.p_drop
        for metric, found in steps.items()
        for place, step in enumerate(found)
        if step.p_drop is not None
    }
    adjusted = holm({key: p for key, p in raw.items() if p is not None})
    trends = []
    for metric, found in steps.items():
        corrected = [
            step.model_copy(update={"p_drop": round(adjusted[key], 6)})
            if (key := f"{metric}\x1f{place}") in adjusted
            else step
            for place, step in enumerate(found)
        ]
        drops = [
            place for place, step in enumerate(corrected) if step.p_drop is not None and step.p_drop <= alpha
        ]
        trends.append(Trend(metric=metric, steps=tuple(corrected), first_drop=drops[0] if drops else None))
    return History(candidate=candidate, condition=condition, alpha=alpha, trends=tuple(trends))


def _steps(runs: Sequence[Past], metric: str, min_coverage: float, scale: Metric | None) -> list[Step]:
    steps: list[Step] = []
    values: list[Mapping[str, tuple[float, str]]] = []
    for run in runs:
        own = {
            one.pair: (value, one.profile_id)
            for one in run.outcomes
            if (value := one.value(metric)) is not None
        }
        interval = cluster_mean([v for v, _ in own.values()], [p for _, p in own.values()])
        if interval is not None and scale is not None:
            interval = within_scale(interval, scale)
        due = (run.due or len(run.outcomes)) - sum(not one.owes(metric) for one in run.outcomes)
        score = score_of(metric, interval, max(1, due))
        measured = score.value is not None and score.coverage >= min_coverage
        rated = [place for place, step in enumerate(steps) if step.measured]
        best = max(rated, key=lambda place: (steps[place].score.value or 0.0, place), default=None)
        step = Step(run=run.name, started=run.started, score=score, measured=measured)
        if best is not None and measured:
            step = _held_against(step, steps[best], own, values[best], len(rated))
        steps.append(step)
        values.append(own)
    return steps


def _held_against(
    step: Step,
    best: Step,
    own: Mapping[str, tuple[float, str]],
    theirs: Mapping[str, tuple[float, str]],
    choices: int,
) -> Step:
    common = sorted(own.keys() & theirs.keys())
    differences = [own[pair][0] - theirs[pair][0] for pair in common]
    mean = clustered_mean(differences, [own[pair][1] for pair in common])
    if mean is None or mean.clusters < 2:
        return step.model_copy(update={"against": best.run})
    change = score_of(step.score.metric, mean.interval(), len(common))
    p_drop = min(1.0, choices * mean.p_below(0.0))
    return step.model_copy(update={"against": best.run, "change": change, "p_drop": p_drop})
