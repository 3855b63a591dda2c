"""How fast the parts of a session are on one core: client, behaviour coder, coded rater, drawn faces."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import cv2

from mirror_bench.clients.stateful.client import StatefulClient
from mirror_bench.coding.client_talk import code_client
from mirror_bench.coding.therapist_behaviour import code_therapist
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
from mirror_bench.faces.facs.expressions import EXPRESSIONS
from mirror_bench.faces.identity import random_identity
from mirror_bench.raters.coded import CodedRater
from mirror_bench.raters.instruments import load_instrument
from mirror_bench.schema import Scenario, Speaker
from mirror_bench.sessions.offline_sessions import rehearse
from mirror_bench.therapists.policies.comparison import Attuned, Reflective


async def _held(scenarios: list[Scenario], replies: list[list[str]]) -> int:
    turns = 0
    for scenario, said in zip(scenarios, replies, strict=True):
        client = StatefulClient(scenario, 12)
        turn = await client.open()
        for words in said:
            if turn.ends:
                break
            turn = await client.reply(words)
            turns += 1
    return turns


async def _replies(scenario: Scenario) -> list[str]:
    client, therapist = StatefulClient(scenario, 12), Reflective(scenario)
    turn, said = await client.open(), []
    while not turn.ends:
        said.append((await therapist.reply(turn.words, None)).words)
        turn = await client.reply(said[-1])
    return said


def turns_per_second(sessions: int) -> dict[str, float]:
    """Returns client turns per second of one core's time, for new words and for known ones."""
    profiles = load_mini().profiles
    scenarios = [
        Scenario(profile=one, resistance=one.resistance, seed=place // len(profiles))
        for place in range(sessions)
        for one in [profiles[place % len(profiles)]]
    ]
    replies = [asyncio.run(_replies(scenario)) for scenario in scenarios]
    # A mark in every turn makes each text new to every cache.
    new = [[f"{words} Yes, {place}." for words in said] for place, said in enumerate(replies)]
    rates = {}
    for name in ("new_words", "known_words"):
        begun = time.process_time()
        turns = asyncio.run(_held(scenarios, new))
        rates[name] = turns / (time.process_time() - begun)
    return rates


def coded_per_second(turns: int) -> dict[str, float]:
    """Returns turns that the behaviour coder reads per second of one core's time.

    The turns are those of stateful clients with a scripted therapist; each is made different from all others,
    so that no memory of an earlier answer helps.
    """
    said: dict[Speaker, list[str]] = {speaker: [] for speaker in Speaker}
    for profile in load_mini().profiles[:12]:
        for turn in rehearse(Scenario(profile=profile, resistance=profile.resistance), Attuned).turns:
            said[turn.speaker].append(turn.words)
    theirs, own = said[Speaker.CLIENT], said[Speaker.THERAPIST]
    code_therapist("The lexicons are read and compiled here.", "Once.")
    code_client("And here.")

    def therapist(number: int) -> object:
        return code_therapist(f"{own[number % len(own)]} Number {number}.", theirs[number % len(theirs)])

    def client(number: int) -> object:
        return code_client(f"{theirs[number % len(theirs)]} Number {number}.")

    return {"therapist": _pace(therapist, turns), "client": _pace(client, turns)}


def rated_per_minute(sessions: int) -> float:
    """Returns sessions that the coded rater rates with CTRS and WAI per minute of one core's time.

    They are held by stateful clients and a scripted therapist; a mark in every turn makes each new to it.
    """
    profiles, instruments = load_mini().profiles, (load_instrument("ctrs"), load_instrument("wai"))
    held = [
        rehearse(Scenario(profile=profile, resistance=profile.resistance), Attuned)
        for profile in (profiles[place % len(profiles)] for place in range(sessions + 1))
    ]
    rater = CodedRater()

    def rate(number: int) -> object:
        one, said = held[number], f" {number}."
        turns = tuple(turn.model_copy(update={"words": turn.words + said}) for turn in one.turns)
        session = one.model_copy(update={"turns": turns})
        client = profiles[number % len(profiles)]
        return [asyncio.run(rater.rate(session, client, instrument)) for instrument in instruments]

    rate(sessions)  # the lexicons are read and compiled here
    return 60 * _pace(rate, sessions)


def _pace(code: Callable[[int], object], turns: int) -> float:
    start = time.process_time()
    for number in range(turns):
        code(number)
    return turns / (time.process_time() - start)


def faces_per_second(count: int) -> float:
    """Returns faces drawn per second of one core's time, over identities and all named expressions."""
    cv2.setNumThreads(1)
    source = DrawnFaces()
    expressions = list(EXPRESSIONS.values())
    cases = [(random_identity(place), expressions[place % len(expressions)]) for place in range(count + 20)]
    for person, expression in cases[count:]:
        source.render(person, expression)
    # Processor time, so that other programs on the machine do not count.
    begun = time.process_time()
    for person, expression in cases[:count]:
        source.render(person, expression)
    return count / (time.process_time() - begun)


def measure(sessions: int, turns: int, faces: int) -> dict[str, float]:
    """Returns name -> figure, from so many sessions, turns and faces."""
    clients, coded = turns_per_second(sessions), coded_per_second(turns)
    return {
        "client_turns_per_s_new_words": round(clients["new_words"]),
        "client_turns_per_s_known_words": round(clients["known_words"]),
        "coded_therapist_turns_per_s": round(coded["therapist"]),
        "coded_client_turns_per_s": round(coded["client"]),
        "coded_sessions_per_min": round(rated_per_minute(sessions)),
        "faces_per_s": round(faces_per_second(faces), 1),
    }
