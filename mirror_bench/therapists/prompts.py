"""What a therapist model is asked: the messages of a reply, a caption and a plan.

Two layouts. `chat` gives each turn its own message with its own image, so that one turn's prompt begins with
the whole of the turn before and prefix caching works. `flat` is the layout of the released code of Kim et al.
(2025): one message, the present face first, then the profile and the last messages as text.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from mirror_bench import prompts
from mirror_bench.content import content_path, read_yaml
from mirror_bench.engines.base import ImagePart, Message
from mirror_bench.parts import StandsOn
from mirror_bench.prompts import fill
from mirror_bench.schema import Profile, Speaker

VERSION = "1"
"""Raised with every change of how a therapist model is asked; part of the fingerprint."""

Layout = Literal["chat", "flat"]

SILENCE = "(says nothing)"


class PromptTurn(NamedTuple):
    """One turn of the session as a therapist's prompt shows it.

    Attributes:
        face: The client's face at that turn, None where none was shown.
        caption: The emotional caption of that face, where the method made one.
    """

    speaker: Speaker
    words: str
    face: ImagePart | None = None
    caption: str = ""


def stands_on(layout: Layout, *, captions: bool, plans: bool) -> StandsOn:
    """Returns what decides the messages of one layout, with captions or a plan where a method makes them."""
    found = StandsOn.of("therapists.prompts", VERSION)
    found |= prompts.stands_on("therapist_system" if layout == "chat" else "therapist_flat")
    if captions:
        found |= prompts.stands_on("therapist_caption")
    if plans:
        found |= prompts.stands_on("therapist_plan") | StandsOn(("techniques.yaml",))
    return found


@functools.cache
def techniques() -> tuple[str, ...]:
    """Returns the names of the techniques that a plan chooses from."""
    return tuple(read_yaml(content_path("techniques.yaml")))


def about(profile: Profile) -> str:
    """Returns who the client is as one sentence: the source's own, or one made of the profile's fields."""
    if profile.about:
        return profile.about
    facts = [str(profile.age) if profile.age else "", profile.gender, profile.occupation]
    facts += [profile.marital_status, profile.family]
    return f"{profile.name}, " + ", ".join(fact.strip().rstrip(".") for fact in facts if fact.strip()) + "."


def first_read(history: Sequence[PromptTurn], context_messages: int = 0, start: int = 0) -> int:
    """Returns the index of the first turn that a model reads; a chat must not begin with the assistant's.

    Args:
        history: All turns so far.
        context_messages: How many of the last turns are read; 0 for all.
        start: No turn before this one is read.
    """
    first = max(start, len(history) - context_messages if context_messages else 0)
    begins_wrong = first < len(history) - 1 and history[first].speaker is Speaker.THERAPIST
    return first + 1 if begins_wrong else first


def _chat_turn(turn: PromptTurn) -> Message:
    words = turn.words.strip() or SILENCE
    if turn.speaker is Speaker.THERAPIST:
        return Message("assistant", (words,))
    if turn.caption:
        words = f"({turn.caption}) {words}"
    return Message("user", (words,) if turn.face is None else (turn.face, words))


def reply_messages(
    profile: Profile,
    history: Sequence[PromptTurn],
    *,
    layout: Layout = "chat",
    context_messages: int = 0,
    sees: bool = True,
    technique: str = "",
    plan: str = "",
) -> tuple[Message, ...]:
    """Returns the messages that ask for the therapist's next turn.

    Args:
        profile: The client; only what a therapist would read before the session is used.
        history: All turns so far, the last one the client's.
        layout: `chat` or `flat`.
        context_messages: How many of the last turns are shown; 0 for all.
        sees: Whether the method shows faces at all.
        technique: The technique of the plan.
        plan: The plan of the session.
    """
    kept = history[first_read(history, context_messages) :]
    if layout == "chat":
        system = _system_message(about(profile), profile.reason_for_seeking, sees, technique, plan)
        return (system, *(_chat_turn(turn) for turn in kept))
    known = {"about": about(profile), "reason": profile.reason_for_seeking, "sees": sees}
    known |= {"technique": technique, "plan": plan}
    dialogue = [{"label": turn.speaker.capitalize(), "words": turn.words.strip() or SILENCE} for turn in kept]
    now = kept[-1]
    text = fill(
        "therapist_flat", **known | {"sees": now.face is not None, "caption": now.caption}, dialogue=dialogue
    )
    return (Message("user", (text,) if now.face is None else (now.face, text)),)


@functools.lru_cache(maxsize=1024)  # a session asks for the same one at every turn
def _system_message(about: str, reason: str, sees: bool, technique: str, plan: str) -> Message:
    known = {"about": about, "reason": reason, "sees": sees, "technique": technique, "plan": plan}
    return Message("system", (fill("therapist_system", **known),))


def caption_messages(face: ImagePart) -> tuple[Message, ...]:
    """Returns the messages that ask what a face shows, from the image alone."""
    return (Message("user", (face, fill("therapist_caption"))),)


def plan_messages(profile: Profile, history: Sequence[PromptTurn]) -> tuple[Message, ...]:
    """Returns the messages that ask for a technique and a plan, once, after the client's opening."""
    opening = next((turn for turn in history if turn.speaker is Speaker.CLIENT), None)
    text = fill(
        "therapist_plan",
        about=about(profile),
        reason=profile.reason_for_seeking,
        opening=opening.words if opening else "",
        techniques=techniques(),
    )
    face = opening.face if opening else None
    return (Message("user", (text,) if face is None else (face, text)),)


def read_plan(text: str) -> tuple[str, str]:
    """Returns the technique and the plan of an answer to `plan_messages`.

    The technique is the one on the line "Technique:", or the first of the twelve that the answer names; empty
    where it names none. The plan is everything else.
    """
    lines = text.strip().splitlines()
    stated = [line for line in lines if re.match(r"\W*technique\b", line, re.IGNORECASE)]
    for place in (" ".join(stated).lower(), text.lower()):
        found = [(place.index(name), name) for name in techniques() if name in place]
        if found:
            return min(found)[1], "\n".join(line for line in lines if line not in stated).strip()
    return "", text.strip()
