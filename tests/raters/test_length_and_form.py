"""Length and form pay nothing: the same good replies, made long, score no higher."""

from __future__ import annotations

import asyncio
from itertools import cycle, islice
from statistics import fmean

import pytest

from mirror_bench.coding.therapist_behaviour import clauses
from mirror_bench.data.sources.registry import load_data
from mirror_bench.raters.coded import CodedRater
from mirror_bench.raters.instruments import instrument_scores, load_instrument
from mirror_bench.schema import Profile, Scenario, Session, Speaker
from mirror_bench.sessions.offline_sessions import rehearse
from mirror_bench.therapists import SCRIPTED

TIPS = (
    "Here are a few things that many people find helpful: - **Breathing**: slow breaths can calm the body. "
    "- **Sleep**: a steady rhythm helps the mind to settle. - **Movement**: a short walk can lift the mood."
)
KIND = (
    "### What I hear - It sounds like there is a lot on your mind, and I imagine that it feels heavy. "
    "- Your feelings are valid. ### What matters - What would you like to be different? - What would be a "
    "first small step, if you want to? It is entirely up to you. - Thank you for your courage. - What is the "
    "evidence for it? - Shall we look at it together, if that is okay with you? Have I understood you right?"
)


def _padded(session: Session, padding: str, words: int = 200) -> Session:
    def longer(text: str) -> str:
        return " ".join([*text.split(), *islice(cycle(padding.split()), max(0, words - len(text.split())))])

    turns = tuple(
        turn.model_copy(update={"words": longer(turn.words)}) if turn.speaker is Speaker.THERAPIST else turn
        for turn in session.turns
    )
    return session.model_copy(update={"turns": turns})


@pytest.mark.parametrize("padding", [TIPS, KIND])
async def test_a_padded_reply_gains_nothing(padding: str) -> None:
    profiles = load_data("mini").of_split("dev").profiles[:6]
    held = []
    for profile in profiles:
        scenario = Scenario(profile=profile, resistance=profile.resistance)
        held.append(await asyncio.to_thread(rehearse, scenario, SCRIPTED.get("reflective")))
    for name in ("ctrs", "wai"):
        short = await _total(held, profiles, name)
        assert await _total([_padded(one, padding) for one in held], profiles, name) < short
        assert await _total([_padded(one, padding, 120) for one in held], profiles, name) < short


async def _total(sessions: list[Session], profiles: tuple[Profile, ...], name: str) -> float:
    instrument, rater = load_instrument(name), CodedRater()
    totals = [
        instrument_scores(instrument, await rater.rate(session, profile, instrument))[f"{name}.total"]
        for session, profile in zip(sessions, profiles, strict=True)
    ]
    return fmean(total for total in totals if total is not None)


def test_lists_and_headings_are_coded_point_by_point() -> None:
    words = "I hear you; that is hard. It helps to: 1) **Breathe**: slowly - Walk ### Next You could try."
    found = clauses(words)
    assert [one.text for one in found] == [
        "i hear you",
        "that is hard.",
        "it helps to:",
        "breathe**: slowly",
        "walk",
        "next you could try.",
    ]
    assert all(words[one.start : one.end].lower() == one.text for one in found)
