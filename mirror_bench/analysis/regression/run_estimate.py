"""What a run would take, from a dry run of its own scenarios: stand-ins answer where models would."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from mirror_bench.data.sources.registry import load_data
from mirror_bench.engines.base import Engine
from mirror_bench.engines.factory import engine_name
from mirror_bench.engines.memo import Memo
from mirror_bench.engines.prices import Usage
from mirror_bench.engines.stand_in import CHARACTERS, CallCounts, StandInEngine, saying
from mirror_bench.errors import InputError
from mirror_bench.faces.base import Face
from mirror_bench.schema import (
    Ending,
    Expression,
    FaceCondition,
    Rating,
    Record,
    Scenario,
    Session,
    Speaker,
    derive_seed,
)
from mirror_bench.sessions.batch import RatingDue, run_ratings, run_sessions
from mirror_bench.sessions.build import SessionFactory
from mirror_bench.sessions.counterfactual_turns import probes_due, run_probes
from mirror_bench.sessions.engine_pool import EnginePool, open_raters
from mirror_bench.sessions.evaluation import Evaluation
from mirror_bench.sessions.progress import Tally
from mirror_bench.sessions.rating import load_forms
from mirror_bench.sessions.run_data import due_scenarios
from mirror_bench.sessions.run_folder import read_sessions
from mirror_bench.sessions.run_header import read_header
from mirror_bench.sessions.session import FacePresenter, session_record

MOST_SESSIONS = 48
"""So many sessions are held dry at the most; counts are scaled up to those due."""
_PNG = b"\x89PNG\r\n\x1a\n a face that nobody looks at"


class _Factor(NamedTuple):
    """By what dry counts are multiplied."""

    calls: float = 1
    prompt_tokens: float = 1
    tokens: float = 1


class RoleUsage(Record):
    """The requests and tokens that one model is asked for in one role, such as client or judge.

    Attributes:
        role: "therapist", "client" or "judge".
        model: Its name, as its engine states it.
        measured: Whether counts were put right by an earlier run of the same model.
    """

    role: str
    model: str
    usage: Usage
    measured: bool = False


class Estimate(Record):
    """The sessions, turns and tokens that a run would take.

    Attributes:
        sessions: Sessions due, of which `held` were held dry.
        turns: Client turns in all, about.
        clients: Whom the scored sessions meet, each under `seeds` seeds and `conditions` face conditions.
        only_safety: Sessions that count for safety alone.
    """

    sessions: int
    held: int
    turns: float
    roles: tuple[RoleUsage, ...]
    clients: int = 0
    seeds: int = 0
    conditions: int = 0
    only_safety: int = 0


class _BlankFace:
    """Shows the same image wherever a face is shown."""

    def show(self, scenario: Scenario, turn: int, expression: Expression) -> Face | None:
        """Returns it, or None where the condition withholds the face."""
        if scenario.condition is FaceCondition.NONE:
            return None
        mark = f"{scenario.pair}:{scenario.condition}:{turn}"
        return Face(png=_PNG, sha256=mark, expression=expression)


async def estimate(
    evaluation: Evaluation, *, like: Path | None = None, reply_tokens: int = 0, image_tokens: int = 256
) -> Estimate:
    """Returns what an evaluation would take; nothing is asked of a model and nothing is kept.

    Args:
        evaluation: What is to be held.
        like: An earlier, smaller run of the same candidate: its replies are said again, and all counts are
            put right by what it really took.
        reply_tokens: How long the therapist's replies are; as long as a written therapist's where 0.
        image_tokens: What an image takes in a prompt.

    Raises:
        InputError: If anything given cannot be used, or `like` is no run or one of another candidate.
    """
    factors: Mapping[str, _Factor] = {}
    said: dict[Speaker, list[str]] = {speaker: _written(speaker) for speaker in Speaker}
    if like is not None:
        said |= _said_in(like, evaluation)
        factors = await _factors(like, evaluation, said, image_tokens)
    elif reply_tokens:
        said[Speaker.THERAPIST] = [_stretched(text, reply_tokens) for text in said[Speaker.THERAPIST]]
    data = evaluation.data()
    due = due_scenarios(evaluation.protocol, data, evaluation.conditions, evaluation.limit)
    counts, held, turns = await _dry_run(evaluation, due, said, image_tokens)
    scale = len(due) / max(1, held)
    roles = [
        RoleUsage(
            role=role,
            model=model,
            usage=_times(usage, factors.get(model, _Factor()), scale),
            measured=model in factors,
        )
        for (role, model), usage in counts.of.items()
    ]
    order = ("therapist", "client", "judge")
    roles.sort(key=lambda one: (order.index(one.role), one.model))
    scored = [scenario for scenario in due if not scenario.only_safety]
    return Estimate(
        sessions=len(due),
        held=held,
        turns=turns * scale,
        roles=tuple(roles),
        clients=len({scenario.profile.id for scenario in scored}),
        seeds=len({scenario.seed for scenario in scored}),
        conditions=len({scenario.condition for scenario in scored}),
        only_safety=len(due) - len(scored),
    )


def real_usage(folder: Path) -> dict[str, Usage]:
    """Returns engine -> what a run really took, also by earlier starts.

    Raises:
        InputError: If the folder holds no answers, or another process uses it.
    """
    path = folder / "calls.sqlite"
    if not path.is_file():
        raise InputError(f"{folder}: holds no calls.sqlite, so nothing was asked of a model there")
    memo = Memo(path)
    try:
        return memo.usage()
    finally:
        memo.close()


async def _dry_run(
    evaluation: Evaluation, due: Sequence[Scenario], said: Mapping[Speaker, Sequence[str]], image_tokens: int
) -> tuple[CallCounts, int, float]:
    """Holds and rates some of the scenarios with stand-ins; returns counts, sessions and client turns."""
    protocol, candidate, data = evaluation.protocol, evaluation.candidate, evaluation.data()
    chosen = _spread(due)
    counts = CallCounts(image_tokens)
    models = {
        *filter(None, (protocol.client.model, *(rater.model for rater in protocol.raters))),
        *(model for rater in protocol.raters for model in rater.models),
    }
    given: dict[str, Engine] = {
        model: StandInEngine("client", engine_name(model), saying(said[Speaker.CLIENT]), counts)
        for model in models
    }
    therapist = None
    if candidate.asks_engine:
        name = engine_name(str(candidate.model))
        therapist = StandInEngine("therapist", name, saying(said[Speaker.THERAPIST]), counts)
    kept: list[Session] = []
    with TemporaryDirectory(prefix="mirror-bench-") as folder:
        async with EnginePool(Path(folder) / "calls.sqlite", given) as pool:
            cast = SessionFactory(protocol, candidate, data, pool, therapist)
            raters = open_raters(protocol.raters, pool)
            forms = load_forms(protocol.instruments_due, protocol.raters)
            cast.check(due[0])
            stage = FacePresenter(_BlankFace())
            await run_sessions(
                chosen,
                lambda scenario: cast.hold(scenario, stage),
                lambda scenario, why: session_record(scenario, cast.names, Ending.FAILED, why),
                kept.append,
                Tally("sessions", len(chosen)),
                concurrency=8,
                attempts=1,
            )
            by_id = {scenario.id: scenario for scenario in chosen}
            probed = {id: one for id, one in by_id.items() if not one.only_safety}
            probes = probes_due(kept, probed, evaluation.conditions, evaluation.probe_turns)
            await run_probes(probes, cast.open_again, stage, lambda probe: None, concurrency=8)
            asking = [rater for rater in raters if rater.name != "coded"]  # which asks no model
            owed = [
                RatingDue(session, by_id[session.scenario_id].profile, rater, form)
                for session in kept
                if session.ended is not Ending.FAILED
                for rater in asking
                for form in forms
            ]
            ratings: list[Rating] = []
            await run_ratings(owed, ratings.append, Tally("ratings", len(owed)), concurrency=8)
    turns = sum(turn.speaker is Speaker.CLIENT for session in kept for turn in session.turns)
    return counts, len(kept), turns


def _spread(due: Sequence[Scenario]) -> list[Scenario]:
    """Some of the scenarios, evenly over all; whole pairs where each is held under several conditions."""
    if len(due) <= MOST_SESSIONS:
        return list(due)
    pairs = list(dict.fromkeys(scenario.pair for scenario in due))
    most = max(1, MOST_SESSIONS * len(pairs) // len(due))
    wanted = {pairs[number * len(pairs) // most] for number in range(most)}
    return [scenario for scenario in due if scenario.pair in wanted]


async def _factors(
    like: Path, evaluation: Evaluation, said: Mapping[Speaker, Sequence[str]], image_tokens: int
) -> dict[str, _Factor]:
    """Returns model -> by what dry counts are multiplied: a run's real counts by those of its dry run."""
    header = read_header(like)
    same = Evaluation(
        protocol=header.protocol,
        candidate=evaluation.candidate,
        out=like,
        conditions=header.selection.conditions,
        limit=header.selection.limit,
        probe_turns=evaluation.probe_turns,
    )
    data = load_data(header.protocol.data)
    due = due_scenarios(header.protocol, data, same.conditions, same.limit)
    counts, held, _ = await _dry_run(same, due, said, image_tokens)
    dry: defaultdict[str, Usage] = defaultdict(Usage)
    for (_, model), usage in counts.of.items():
        dry[model] += _times(usage, _Factor(), len(due) / max(1, held))
    real = real_usage(like)
    return {
        model: _Factor(
            calls=real[model].calls / usage.calls,
            prompt_tokens=real[model].prompt_tokens / max(1, usage.prompt_tokens),
            tokens=real[model].tokens / max(1, usage.tokens),
        )
        for model, usage in dry.items()
        if model in real and real[model].calls
    }


def _said_in(like: Path, evaluation: Evaluation) -> dict[Speaker, list[str]]:
    """What therapist and client said in a run of the same candidate."""
    header = read_header(like)
    wanted = evaluation.candidate.recorded(evaluation.protocol.therapist)
    if (header.candidate.model, header.candidate.method) != (wanted.model, wanted.method):
        raise InputError(
            f"--like {like}: is a run of {header.candidate.full_name}, not of {wanted.full_name}: give one "
            "of the same model and method, such as a run with --limit 5"
        )
    said: dict[Speaker, list[str]] = {speaker: [] for speaker in Speaker}
    for session in read_sessions(like):
        for turn in session.turns:
            if text := turn.raw or " ".join(filter(None, (_bracketed(turn.direction), turn.words))):
                said[turn.speaker].append(text)
    for texts in said.values():
        texts.sort(key=lambda text: derive_seed("estimate", text))  # whichever session ended first
    if not said[Speaker.THERAPIST]:
        raise InputError(f"--like {like}: holds no session in which the therapist spoke")
    return said


@cache
def _written(speaker: Speaker) -> list[str]:
    """Turns of the screenplays in MIRROR-Mini, as a model would answer them."""
    return [
        " ".join(filter(None, (_bracketed(" ".join(line.directions)), line.words)))
        for play in load_data("mini").screenplays
        for line in play.lines
        if line.speaker is speaker and line.words
    ]


def _bracketed(direction: str) -> str:
    return f"[{direction}]" if direction else ""


def _stretched(text: str, tokens: int) -> str:
    """A text, repeated or cut to about so many tokens."""
    length = round(tokens * CHARACTERS)
    return (f"{text} " * (length // (len(text) + 1) + 1))[:length].strip()


def _times(usage: Usage, factor: _Factor, scale: float) -> Usage:
    return Usage(
        calls=usage.calls * factor.calls * scale,
        prompt_tokens=usage.prompt_tokens * factor.prompt_tokens * scale,
        tokens=usage.tokens * factor.tokens * scale,
    )
