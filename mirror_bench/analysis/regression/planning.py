"""How large a next run must be, from how the scores of past runs scatter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from mirror_bench.analysis.display_names import entry_labels
from mirror_bench.analysis.session_outcomes import CandidateKey, SessionOutcome
from mirror_bench.errors import InputError
from mirror_bench.stats.power import (
    Spread,
    clusters_needed,
    design_effect,
    gate_alpha,
    power_of,
    spread_of,
)

FEWEST = 10
"""With fewer sessions or pairs, a standard deviation is no base for a plan."""


class Question(NamedTuple):
    """The effect that a next run is to find, and with which power.

    Attributes:
        effect: Points of the score; dz, or d if not paired, where standardized. Not 0.
        power: In (alpha, 1).
        alpha: In (0, 1).
        paired: Whether both sides meet the same scenarios.
        standardized: Whether the effect is in standard deviations.
        per_profile: Sessions per profile that the next run will hold; as in the past where None.
        margin: The drop that a gate tolerates, in the unit of the effect: the plan is then for that gate to
            prove a drop of the effect's size. None for a two-sided test against no difference.
        metrics: How many metrics that gate holds.
    """

    effect: float
    power: float = 0.8
    alpha: float = 0.05
    paired: bool = True
    standardized: bool = False
    per_profile: int | None = None
    margin: float | None = None
    metrics: int = 1

    @property
    def sought(self) -> float:
        """What the test must find: the effect, less the margin of a gate."""
        return self.effect if self.margin is None else abs(self.effect) - self.margin

    @property
    def level(self) -> float:
        """The level of the two-sided test that is planned."""
        return self.alpha if self.margin is None else gate_alpha(self.alpha, self.metrics)


class ComparisonPlan(NamedTuple):
    """How many scenarios and profiles a next run needs, from how one comparison of past runs scatters.

    Attributes:
        comparison: What was compared, or whose scores were read.
        sd: Standard deviation of paired differences, or of scores; None for a plan without runs.
        icc: Intraclass correlation of sessions of one profile.
        per_profile: Sessions per profile.
        standardized: The effect in standard deviations.
        profiles: Profiles needed, per side if not paired.
        scenarios: Scenarios needed, per side if not paired; each is one session on either side.
        at_hand: Profiles of the past runs.
        power_at_hand: Power with those.
        assumed: Whether the scatter of differences was not seen but taken as large as it can be.
    """

    comparison: str
    sd: float | None
    icc: float | None
    per_profile: float
    standardized: float
    profiles: int
    scenarios: int
    at_hand: int = 0
    power_at_hand: float | None = None
    assumed: bool = False


class Plans(NamedTuple):
    """The plans of all comparisons of past runs, and the comparisons that allow none.

    Attributes:
        plans: At least one.
        left_out: Comparisons with too few pairs, or whose differences do not vary.
    """

    plans: list[ComparisonPlan]
    left_out: list[str]


def plan_from_runs(outcomes: Sequence[SessionOutcome], metric: str, question: Question) -> Plans:
    """Returns a plan per pair of entries that met the same scenarios, or per entry if not paired.

    One entry alone does not tell how alike two are on the same scenario: a paired plan is then made as if not
    at all, which is the most that it can take.

    Raises:
        InputError: If the runs hold too little to plan from.
    """
    scored = [outcome for outcome in outcomes if outcome.value(metric) is not None]
    groups: dict[CandidateKey, list[SessionOutcome]] = {}
    for outcome in scored:
        groups.setdefault(outcome.key, []).append(outcome)
    labels = entry_labels(groups, 40)
    samples = []
    assumed = question.paired and len(groups) == 1
    if question.paired and not assumed:
        for first, second in combinations(sorted(groups), 2):
            values, profiles = _differences(groups[first], groups[second], metric)
            samples.append((f"{labels[first]} against {labels[second]}", values, profiles))
    else:
        for key in sorted(groups):
            values = [value for outcome in groups[key] if (value := outcome.value(metric)) is not None]
            samples.append((labels[key], values, [outcome.profile_id for outcome in groups[key]]))
    plans: list[ComparisonPlan] = []
    left_out: list[str] = []
    for name, values, profiles in samples:
        spread = spread_of(values, profiles) if len(values) >= FEWEST else None
        if spread is None:
            left_out.append(name)
        else:
            if assumed:
                spread = spread._replace(sd=math.sqrt(2) * spread.sd)
            plans.append(_plan(name, spread, question)._replace(assumed=assumed))
    if not plans:
        raise InputError(_too_little(metric, question, len(groups)))
    return Plans(plans, left_out)


def plan_standardized(question: Question) -> ComparisonPlan:
    """Returns a plan without any run: one session per profile, the effect in standard deviations."""
    return ComparisonPlan(
        "without runs",
        None,
        None,
        1,
        question.sought,
        profiles := _needed(question.sought, question),
        profiles,
    )


def _plan(name: str, spread: Spread, question: Question) -> ComparisonPlan:
    each = spread.per_cluster if question.per_profile is None else question.per_profile
    if each > 1 and spread.icc is None:
        raise InputError(
            "--per-profile: the runs hold one session per profile, which does not tell how alike several "
            "are: plan with --per-profile 1, or hold a run with --seeds 0,1"
        )
    icc = spread.icc or 0.0
    # Profiles are the independent units: the test is one of profiles' means, whose variance is this.
    shrink = math.sqrt(design_effect(each, icc) / each)
    standardized = question.sought if question.standardized else question.sought / spread.sd
    profiles = _needed(standardized / shrink, question)
    past = math.sqrt(design_effect(spread.per_cluster, icc) / spread.per_cluster)
    return ComparisonPlan(
        name,
        spread.sd,
        spread.icc,
        each,
        standardized,
        profiles,
        math.ceil(profiles * each),
        spread.clusters,
        power_of(spread.clusters, standardized / past, question.level, paired=question.paired),
    )


def _needed(effect: float, question: Question) -> int:
    found = clusters_needed(effect, question.power, question.level, paired=question.paired)
    if found is None:
        raise InputError(
            f"--effect {question.effect:g}: no run could be large enough; ask for a larger effect"
        )
    return found


def _differences(
    ours: Sequence[SessionOutcome], theirs: Sequence[SessionOutcome], metric: str
) -> tuple[list[float], list[str]]:
    other = {outcome.pair: outcome.value(metric) for outcome in theirs}
    values, profiles = [], []
    for outcome in ours:
        mine, its = outcome.value(metric), other.get(outcome.pair)
        if mine is not None and its is not None:
            values.append(mine - its)
            profiles.append(outcome.profile_id)
    return values, profiles


def _too_little(metric: str, question: Question, entries: int) -> str:
    if not entries:
        return f"--metric {metric}: no session of these runs is rated with it"
    return (
        f"too little to plan from: it takes {FEWEST} scored {'pairs' if question.paired else 'sessions'} of "
        "two or more profiles whose scores differ; hold a larger run"
    )
