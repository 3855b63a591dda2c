"""Holds ONE session, from the client's opening to its end: the only place where client and therapist meet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, NamedTuple, Protocol

from mirror_bench.clients.base import Client, ClientTurn
from mirror_bench.faces.base import Face
from mirror_bench.parts import StandsOn
from mirror_bench.schema import Ending, Expression, Scenario, Session, Speaker, Turn
from mirror_bench.therapists.base import Therapist, TherapistTurn

VERSION = "1"
"""Raised with every change of how a session goes from turn to turn; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides how a session goes, but for who meets in it and which face is shown."""
    return StandsOn.of("sessions.session", VERSION)


MAX_WORDS = 8_000
"""The longest turn that is kept, in characters: a model's text is bounded wherever it comes from."""


MAX_REASON = 2_000
"""The longest reason for an ending that is kept, in characters."""


class SessionNames(NamedTuple):
    """Names of therapist, method and client, as the session's record keeps them."""

    therapist: str
    method: str
    client: str


class FaceShower(Protocol):
    """Shows the therapist a face, as the scenario's condition says (`faces.presenter.FaceShow`)."""

    def show(self, scenario: Scenario, turn: int, expression: Expression) -> Face | None:
        """Returns the face of a client's turn, or None where none is shown."""
        ...


class FacePresenter:
    """Where sessions are held: shows faces, without holding up the other sessions.

    Args:
        faces: What shows a face.
        executor: Draws faces beside the event loop; None draws them in place.
        keep: Called with each face that was shown, in the executor.
    """

    def __init__(
        self, faces: FaceShower, executor: Executor | None = None, keep: Callable[[Face], None] | None = None
    ) -> None:
        self._faces = faces
        self._executor = executor
        self._keep = keep

    async def face(self, scenario: Scenario, turn: int, expression: Expression) -> Face | None:
        """Returns the face that the therapist is shown at this turn."""
        if self._executor is None:
            return self._draw(scenario, turn, expression)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self._draw, scenario, turn, expression)

    def _draw(self, scenario: Scenario, turn: int, expression: Expression) -> Face | None:
        face = self._faces.show(scenario, turn, expression)
        if face is not None and self._keep is not None:
            self._keep(face)
        return face


def _client_turn(said: ClientTurn, face: Face | None) -> Turn:
    return Turn(
        speaker=Speaker.CLIENT,
        words=said.words[:MAX_WORDS],
        direction=said.direction[:MAX_WORDS],
        expression=said.expression,
        face=face.sha256 if face else "",
        shown=face.expression.label if face else "",
        state=said.state,
        marks=said.marks,
        raw=said.raw[:MAX_WORDS],
        removed=said.removed,
        tokens=said.tokens,
        finish=said.finish,
        fit=said.fit,
    )


def _therapist_turn(said: TherapistTurn) -> Turn:
    return Turn(
        speaker=Speaker.THERAPIST,
        words=said.words[:MAX_WORDS],
        raw=said.raw[:MAX_WORDS],
        removed=said.removed,
        caption=said.caption,
        tokens=said.tokens,
        finish=said.finish,
        fit=said.fit,
    )


def session_record(
    scenario: Scenario, names: SessionNames, ended: Ending, reason: str, **rest: Any
) -> Session:
    """Returns the record of a session; `rest` are the fields that only a held session has."""
    return Session(
        scenario_id=scenario.id,
        pair=scenario.pair,
        profile_id=scenario.profile.id,
        resistance=scenario.resistance,
        condition=scenario.condition,
        seed=scenario.seed,
        therapist=names.therapist,
        method=names.method,
        client=names.client,
        ended=ended,
        reason=reason[:MAX_REASON],
        only_safety=scenario.only_safety,
        **rest,
    )


async def hold_session(
    scenario: Scenario,
    client: Client,
    therapist: Therapist,
    stage: FacePresenter,
    *,
    max_client_turns: int,
    names: SessionNames,
    heard: Callable[[Turn], None] = lambda turn: None,
) -> Session:
    """Returns the record of one session, held turn by turn between client and therapist.

    Args:
        scenario: Who the client is and what is shown of the face.
        client: Speaks first in every arm, so that arms with and without faces start alike.
        therapist: Hears words and sees a face; the stage direction stays here.
        stage: Shows faces.
        max_client_turns: The session ends with this many client turns at the latest.
        names: Who meets.
        heard: Called with every turn as it is spoken.

    Raises:
        EngineError: If an engine could not answer.
    """
    turns: list[Turn] = []

    def speak(turn: Turn) -> None:
        turns.append(turn)
        heard(turn)

    said = await client.open()
    spoken = 1
    while True:
        over = said.ends or (Ending.TURN_LIMIT if spoken >= max_client_turns else None)
        seen = not over and therapist.sees
        face = await stage.face(scenario, spoken - 1, said.expression) if seen else None
        speak(_client_turn(said, face))
        if over:
            break
        reply = await therapist.reply(said.words, face)
        speak(_therapist_turn(reply))
        said = await client.reply(reply.words)
        spoken += 1
    technique, plan = therapist.plan
    return session_record(
        scenario, names, over, said.reason, turns=tuple(turns), plan=plan, technique=technique
    )
