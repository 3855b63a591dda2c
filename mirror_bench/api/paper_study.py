"""The set-up of Kim et al. (2025) as one study: the runs it takes, what they would cost, who is preferred."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mirror_bench.analysis.overview.paper_table import PaperTable, paper_table
from mirror_bench.analysis.regression.run_estimate import Estimate, RoleUsage, estimate
from mirror_bench.api.analysing import compare_folders
from mirror_bench.data.sources.registry import load_data
from mirror_bench.engines.factory import engine_name
from mirror_bench.engines.prices import SpendingLimit, Usage
from mirror_bench.errors import InputError
from mirror_bench.protocol import Protocol
from mirror_bench.schema import FaceCondition
from mirror_bench.sessions.candidate import Candidate, read_candidate
from mirror_bench.sessions.evaluation import Evaluation
from mirror_bench.sessions.run_data import due_scenarios

SEEING = ("direct", "ec", "p", "p+ec")
"""The paper's four ways to ask a therapist that sees faces."""
PAIRWISE = "pairwise"
CASES = 200
"""Sessions that the paper's experts compared."""
_VERDICT_TOKENS, _QUESTION_TOKENS, _TURN_TOKENS = 90, 420, 38


@dataclass(frozen=True)
class PaperStudy:
    """The runs to hold and rate, and how their sessions are then compared.

    Attributes:
        evaluations: A run per candidate, each in a folder of its own.
        out: Where tables and comparisons go.
        judge: Who says which of two sessions is better; none where empty.
        cases: Scenarios that are compared, spread over the resistance types.
    """

    evaluations: tuple[Evaluation, ...]
    out: Path
    judge: str = ""
    cases: int = CASES

    @property
    def folders(self) -> list[Path]:
        """The run folders, in the order of the table."""
        return [evaluation.out for evaluation in self.evaluations]

    def pairs(self) -> frozenset[str]:
        """Returns the scenarios that are compared."""
        first = self.evaluations[0]
        protocol = first.protocol.model_copy(update={"safety": False})
        most = min(self.cases, first.limit or self.cases)
        due = due_scenarios(protocol, load_data(protocol.data), first.conditions, most)
        return frozenset(scenario.pair for scenario in due)


class StudyEstimate(Estimate):
    """What a study would take; `sessions` and `turns` are those of all runs.

    Attributes:
        runs: How many there are.
        comparisons: Pairs of sessions that are compared.
    """

    runs: int
    comparisons: int


def plan_study(
    protocol: Protocol,
    out: Path,
    *,
    therapists: Sequence[str],
    methods: Sequence[str] = SEEING,
    text: Sequence[str] = (),
    planned_text: Sequence[str] = (),
    judge: str = "",
    cases: int = CASES,
    limit: int | None = None,
    concurrency: int = 32,
    quiet: bool = False,
) -> PaperStudy:
    """Returns the runs and comparisons that the study of some therapists takes.

    Args:
        protocol: What every run is held under.
        out: The study's folder.
        therapists: Models that see faces; each is asked by every one of `methods`.
        methods: How.
        text: Models that read words alone; the therapists themselves where nothing is given.
        planned_text: Models that read words alone and plan first, as Camel does.
        judge: Who compares two sessions; nobody where empty.
        cases: Scenarios that are compared.
        limit: At most so many profiles.
        concurrency: Sessions at a time.
        quiet: Whether no progress is shown.

    Raises:
        InputError: If there is no therapist, a method does not exist, or two candidates are called alike.
    """
    asked = [(model, method) for model in therapists for method in methods]
    asked += [(model, "text") for model in (text or (() if planned_text else therapists))]
    asked += [(model, "text+p") for model in planned_text]
    candidates: list[Candidate] = []
    for model, method in asked:
        if (candidate := _candidate(model, method)) not in candidates:
            candidates.append(candidate)
    if not candidates:
        raise InputError("nobody to evaluate: give --therapist, --text or --planned-text a MODEL")
    names = [(candidate.name, candidate.method) for candidate in candidates]
    for name in names:
        if names.count(name) > 1:
            raise InputError(
                f"two candidates are called {' '.join(filter(None, name))}: leave one out, or give it a "
                "study of its own (--out ANOTHER)"
            )
    evaluations = tuple(
        Evaluation(
            protocol=protocol,
            candidate=candidate,
            out=out / "runs" / _folder(candidate),
            conditions=(FaceCondition.MATCHED,),
            limit=limit,
            concurrency=concurrency,
            quiet=quiet,
        )
        for candidate in candidates
    )
    return PaperStudy(evaluations, out, judge, cases)


def _candidate(model: str, method: str) -> Candidate:
    """Returns a candidate; scripted therapists, for trying the set-up out, have no method."""
    candidate = read_candidate(model)
    return read_candidate(model, method) if candidate.asks_engine else candidate


def _folder(candidate: Candidate) -> str:
    text = f"{candidate.name} {candidate.method}".lower()
    return re.sub(r"[^a-z0-9.+]+", "-", text).strip("-.")[:100]


async def estimate_study(
    study: PaperStudy, *, reply_tokens: int = 0, image_tokens: int = 256
) -> StudyEstimate:
    """Returns what a study would take, all its runs held dry; arguments and errors as for `estimate`."""
    estimates = [
        await estimate(evaluation, reply_tokens=reply_tokens, image_tokens=image_tokens)
        for evaluation in study.evaluations
    ]
    usage: dict[tuple[str, str], Usage] = {}
    for role in (role for estimated in estimates for role in estimated.roles):
        key = (role.role, role.model)
        usage[key] = usage.get(key, Usage()) + role.usage
    due = len(study.pairs()) * len(estimates) * (len(estimates) - 1) // 2 if study.judge else 0
    if due and study.judge != "coded":
        turns = sum(estimated.turns for estimated in estimates) / max(
            1, sum(estimated.sessions for estimated in estimates)
        )
        shown = 2 * turns * (_TURN_TOKENS + max(_TURN_TOKENS, reply_tokens)) + _QUESTION_TOKENS
        usage["judge of pairs", engine_name(study.judge)] = Usage(
            calls=2 * due, prompt_tokens=2 * due * shown, tokens=2 * due * _VERDICT_TOKENS
        )
    return StudyEstimate(
        sessions=sum(estimated.sessions for estimated in estimates),
        held=sum(estimated.held for estimated in estimates),
        turns=sum(estimated.turns for estimated in estimates),
        roles=tuple(RoleUsage(role=role, model=model, usage=used) for (role, model), used in usage.items()),
        runs=len(estimates),
        comparisons=due,
    )


def with_spending(study: PaperStudy, spending: SpendingLimit | None) -> PaperStudy:
    """Returns the study whose runs together may cost no more than a limit."""
    return replace(
        study, evaluations=tuple(replace(evaluation, spending=spending) for evaluation in study.evaluations)
    )


def finish_study(
    study: PaperStudy,
    *,
    spending: SpendingLimit | None = None,
    tick: Callable[[int], None] = lambda due: None,
) -> PaperTable:
    """Has the held sessions compared, and returns the table.

    Args:
        study: All its runs have been held.
        spending: What the comparisons may cost.
        tick: Called after each comparison with how many there are.

    Raises:
        InputError: If a run is missing, or the judge cannot be used.
    """
    if not study.judge or len(study.folders) < 2:
        return paper_table(study.folders)
    compared = compare_folders(
        study.folders,
        judge=study.judge,
        condition=FaceCondition.MATCHED,
        out=study.out / PAIRWISE,
        concurrency=study.evaluations[0].concurrency,
        tick=tick,
        pairs=study.pairs(),
        spending=spending,
        lost_may_stand=True,
    )
    judge = next((preference.judge for preference in compared.preferences), study.judge)
    return paper_table(study.folders, compared.preferences, judge)
