"""Holds sessions of scripted therapists with the stateful client, without drawing the faces."""

from __future__ import annotations

import functools
from collections.abc import Callable

from mirror_bench.data.sources.mini import load_mini
from mirror_bench.faces.base import Face
from mirror_bench.schema import (
    FaceCondition,
    Profile,
    Resistance,
    Scenario,
    Session,
    Speaker,
    Turn,
)
from mirror_bench.sessions.offline_sessions import rehearse
from mirror_bench.therapists.base import Therapist
from mirror_bench.therapists.policies.comparison import Scripted


class Saying(Scripted):
    """Says given lines, one after another."""

    name = "saying"
    lines: tuple[str, ...] = ()

    def _answer(self, heard: str, face: Face | None) -> str:
        return self.lines[(self._turn - 1) % len(self.lines)]


@functools.cache
def profiles() -> tuple[Profile, ...]:
    """The profiles of MIRROR-Mini."""
    return load_mini().profiles


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
    return rehearse(scenario, therapist, turns)


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
