"""Checks that hold sessions again: the client from what it heard, and scripted therapists likewise."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import NamedTuple

from mirror_bench.clients import CLIENTS
from mirror_bench.clients.base import ClientNeeds, ClientTurn
from mirror_bench.parts import read_options
from mirror_bench.schema import (
    Ending,
    Scenario,
    Session,
    Speaker,
    Turn,
)
from mirror_bench.sessions.candidate import open_therapist, read_candidate
from mirror_bench.sessions.offline_sessions import UndrawnFaces
from mirror_bench.sessions.session import MAX_REASON, MAX_WORDS
from mirror_bench.submissions.findings import Check, judged, skipped
from mirror_bench.submissions.submission import Held


class _Replayed(NamedTuple):
    """What a client said to recorded words.

    Attributes:
        turns: Its turns, until it ended the session or there were no more words to hear.
        ended: Why it is over; None where it would have gone on.
    """

    turns: list[ClientTurn]
    ended: Ending | None
    reason: str


def checks_of_client(held: Held) -> list[Check]:
    """Returns `client`: every turn is what it says to these words; and `endings`: it ends as that does."""
    client = held.protocol.client
    if client.model:
        why = f"the client is a model ({client.model}): its turns cannot be replayed"
        return [skipped("client", why), skipped("endings", why)]
    turns: list[str] = []
    endings: list[str] = []
    spoken = 0
    for scenario, session in held.pairs:
        replayed = asyncio.run(_replay(held, scenario, session))
        spoken += len(replayed.turns)
        turns += _other_turns(session, replayed)
        endings += _other_ending(session, replayed)
    if held.submission.scripted:
        failed = [one.scenario_id for one in held.submission.sessions if one.ended is Ending.FAILED]
        endings += [f"{name}: is said to have failed, where no model could fail" for name in failed]
    return [
        judged("client", turns, f"{spoken} turns of the {client.kind} client replayed, all alike"),
        judged("endings", endings, f"{len(held.pairs)} sessions end as the client ends them"),
    ]


def replays_alike(held: Held, scenario: Scenario, session: Session) -> bool:
    """Tells whether the present client says and does what is recorded, when it hears the recorded words."""
    replayed = asyncio.run(_replay(held, scenario, session))
    return not [*_other_turns(session, replayed), *_other_ending(session, replayed)]


async def _replay(held: Held, scenario: Scenario, session: Session) -> _Replayed:
    kind = CLIENTS.get(held.protocol.client.kind)
    options = read_options(kind, held.protocol.client.options, "client.options")
    needs = ClientNeeds(
        max_turns=held.protocol.max_client_turns, screenplays=held.screenplays, options=options
    )
    client = kind.cast(scenario, needs)
    said = await client.open()
    turns = [said]
    words = [turn.words for turn in session.turns if turn.speaker is Speaker.THERAPIST]
    for heard in words:
        if said.ends:
            break
        said = await client.reply(heard)
        turns.append(said)
    limit = Ending.TURN_LIMIT if len(turns) >= held.protocol.max_client_turns else None
    return _Replayed(turns, said.ends or limit, said.reason)


def _other_turns(session: Session, replayed: _Replayed) -> Iterator[str]:
    recorded = [turn for turn in session.turns if turn.speaker is Speaker.CLIENT]
    if len(recorded) != len(replayed.turns):
        yield f"{session.scenario_id}: {len(recorded)} client turns, and {len(replayed.turns)} when replayed"
    for number, (turn, said) in enumerate(zip(recorded, replayed.turns, strict=False)):
        if differing := _differing(turn, said):
            yield f"{session.scenario_id}: client turn {number}: another {differing} than replayed"
            return  # what follows differs because of this one


def _differing(turn: Turn, said: ClientTurn) -> str:
    """Returns the first field in which a recorded turn is not the replayed one, or ""."""
    expected = {
        "words": said.words[:MAX_WORDS],
        "direction": said.direction[:MAX_WORDS],
        "expression": said.expression,
        "state": dict(said.state),
        "marks": said.marks,
        "tokens": said.tokens,
    }
    for field, value in expected.items():
        found = getattr(turn, field)
        if (dict(found) if field == "state" else found) != value:
            return field
    return ""


def _other_ending(session: Session, replayed: _Replayed) -> Iterator[str]:
    if replayed.ended is None:
        yield f"{session.scenario_id}: breaks off, the client would have gone on"
    elif session.ended is not replayed.ended:
        yield f"{session.scenario_id}: ended as {session.ended}, and as {replayed.ended} when replayed"
    elif session.reason != replayed.reason[:MAX_REASON]:
        yield f"{session.scenario_id}: another reason for its end than when replayed"


def check_therapist(held: Held) -> Check:
    """A scripted therapist says to these client turns what it said then."""
    if not held.submission.scripted:
        why = "the words of a model cannot be recomputed here: what follows from them is"
        return skipped("therapist", f"{why} (client, ratings, scores)")
    problems = [
        problem
        for scenario, session in held.pairs
        for problem in asyncio.run(_heard_again(held, scenario, session))
    ]
    return judged("therapist", problems, f"{len(held.pairs)} sessions of a scripted therapist, heard again")


async def _heard_again(held: Held, scenario: Scenario, session: Session) -> list[str]:
    candidate = read_candidate(held.submission.header.candidate.model)
    therapist = open_therapist(candidate, scenario, None, held.protocol.therapist)
    faces = UndrawnFaces()
    for number in range(len(session.turns) // 2):
        client, recorded = session.turns[2 * number], session.turns[2 * number + 1]
        face = None
        if therapist.sees and client.expression is not None:
            face = faces.show(scenario, number, client.expression)
        reply = await therapist.reply(client.words, face)
        if reply.words[:MAX_WORDS] != recorded.words:
            return [f"{session.scenario_id}: therapist turn {number}: other words than heard again"]
    technique, plan = therapist.plan
    if (session.technique, session.plan) != (technique, plan):
        return [f"{session.scenario_id}: another technique or plan than heard again"]
    return []
