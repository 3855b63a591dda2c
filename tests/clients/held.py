"""Holds sessions of scripted therapists with the stateful client, without drawing the faces."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable

from mirror_bench.clients.stateful import StatefulClient
from mirror_bench.content import content_path
from mirror_bench.faces.base import Face
from mirror_bench.faces.conditions import shown_expression
from mirror_bench.schema import (
    Expression,
    FaceCondition,
    Profile,
    Resistance,
    Scenario,
    Session,
    Speaker,
    Turn,
    derive_seed,
)
from mirror_bench.sessions.dialogue import Names, Stage, hold_session
from mirror_bench.therapists.base import Therapist
from mirror_bench.therapists.scripted import Scripted


class UndrawnFaces:
    """Shows what `FaceShow` shows, without the image: scripted therapists read the expression alone."""

    def show(self, scenario: Scenario, turn: int, expression: Expression) -> Face | None:
        shown = shown_expression(scenario.condition, expression, derive_seed(scenario.pair, "face", turn))
        return None if shown is None else Face(b"", "", shown)


class Saying(Scripted):
    """Says given lines, one after another."""

    name = "saying"
    lines: tuple[str, ...] = ()

    def _answer(self, heard: str, face: Face | None) -> str:
        return self.lines[(self._turn - 1) % len(self.lines)]


class Kind(Saying):
    """Warm phrases and nothing else."""

    name = "kind"
    lines = (
        "I'm here for you. That sounds really hard.",
        "Thank you for sharing that with me. You are so brave.",
        "That must be very painful. I'm glad you came.",
        "I can imagine how hard this is. You are doing so well.",
        "It's understandable. I really care about you.",
        "I appreciate your honesty. You're very strong.",
        "That sounds tough. You are not alone in this.",
        "I feel for you. It's great that you're here.",
        "You're safe here. I admire your courage.",
        "Thank you for being here. That must hurt.",
        "It sounds exhausting. I believe in you.",
    )


@functools.cache
def profiles() -> tuple[Profile, ...]:
    """The profiles of MIRROR-Mini."""
    text = content_path("mini", "profiles.jsonl").read_text(encoding="utf-8")
    return tuple(Profile.model_validate_json(line) for line in text.splitlines() if line.strip())


def scenario_of(
    resistance: Resistance = Resistance.EMOTIONAL,
    seed: int = 0,
    condition: FaceCondition = FaceCondition.MATCHED,
) -> Scenario:
    """A scenario of the first profile with this resistance type."""
    profile = next(one for one in profiles() if one.resistance is resistance)
    return Scenario(profile=profile, resistance=resistance, seed=seed, condition=condition)


def held(scenario: Scenario, therapist: Callable[[Scenario], Therapist], turns: int = 12) -> Session:
    """One session from beginning to end."""
    return asyncio.run(
        hold_session(
            scenario,
            StatefulClient(scenario, turns),
            therapist(scenario),
            Stage(UndrawnFaces()),
            max_client_turns=turns,
            names=Names("scripted", "", "stateful"),
        )
    )


def client_turns(session: Session) -> list[Turn]:
    """The client's turns."""
    return [turn for turn in session.turns if turn.speaker is Speaker.CLIENT]


@functools.cache
def arm(
    therapist: Callable[[Scenario], Therapist], condition: FaceCondition = FaceCondition.MATCHED
) -> tuple[Session, ...]:
    """Every resisting profile of MIRROR-Mini with three seeds."""
    return tuple(
        held(Scenario(profile=one, resistance=one.resistance, seed=seed, condition=condition), therapist)
        for one in profiles()
        if one.resistance is not Resistance.NONE
        for seed in range(3)
    )


def change(session: Session, name: str = "resistance") -> float:
    """How far a value of the state moved over a session."""
    spoken = client_turns(session)
    return spoken[-1].state[name] - spoken[0].state[name]
