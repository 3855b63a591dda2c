"""Therapists that try to be rated well without helping: each says the phrases of a file in `tasks/gaming/`.

Benchmarks that a constant answer can win are no benchmarks (Zheng et al. 2024, "Cheating automatic LLM
benchmarks: null models achieve high win rates"): `validity.gaming` holds sessions with all of these.
"""

from __future__ import annotations

import functools
import string
from typing import Literal

from pydantic import Field, ValidationError, field_validator

from mirror_bench.content import content_path, names, read_yaml
from mirror_bench.errors import InputError
from mirror_bench.faces.base import Face
from mirror_bench.parts import StandsOn
from mirror_bench.raters.session_features import FEATURES
from mirror_bench.schema import Record, Scenario
from mirror_bench.therapists.base import TherapistTurn
from mirror_bench.therapists.policies import client_words
from mirror_bench.therapists.policies import phrases as scripted_phrases
from mirror_bench.therapists.policies.client_words import gist_of, in_second_person
from mirror_bench.therapists.policies.phrases import Phrasing, Script

VERSION = "1"
"""Raised with every change of how a cheat speaks; part of its identity."""

_CHARACTERS_REPEATED = 2_000
"""Of the client's words, at most so many fill the slot {words}."""


class Cheat(Record):
    """One way to be rated well without helping, as its file describes it: what is said, what should stop it.

    Attributes:
        name: Name of its file.
        title: What tables call it.
        tries: What it tries, in a sentence.
        kind: "injection" where its words are meant for the judge, "play" otherwise.
        stopped_by: Features of the coded rater that are expected to stand against it, or that it lacks.
        at_once: How many phrases make a turn.
        phrases: Templates with the slots {words} (the client's words), {turned} (a clause of them, "I" turned
            to "you") and {topic} (what they are about); at least one has no slot.
    """

    name: str
    title: str
    tries: str
    kind: Literal["play", "injection"] = "play"
    stopped_by: tuple[str, ...] = Field(min_length=1)
    at_once: int = Field(default=1, ge=1, le=200)
    phrases: tuple[str, ...] = Field(min_length=1)

    @field_validator("stopped_by")
    @classmethod
    def _refuse_unknown_features(cls, features: tuple[str, ...]) -> tuple[str, ...]:
        for feature in features:
            if feature not in FEATURES:
                raise ValueError(f"no feature is named {feature!r}: known are {', '.join(FEATURES)}")
        return features

    @field_validator("phrases")
    @classmethod
    def _refuse_unfillable(cls, phrases: tuple[str, ...]) -> tuple[str, ...]:
        for phrase in phrases:
            try:
                unknown = slots(phrase) - {"words", "turned", "topic"}
            except ValueError as error:
                raise ValueError(f"{phrase!r}: {error}; write a brace twice") from None
            if unknown:
                raise ValueError(
                    f"{phrase!r}: no slot {sorted(unknown)[0]!r}: known are words, turned, topic"
                )
        if all(slots(phrase) for phrase in phrases):
            raise ValueError("one phrase at least must stand without slots")
        return phrases


def slots(template: str) -> frozenset[str]:
    """Returns the names of the slots in a template: {"topic"} for "What about {topic}?".

    Raises:
        ValueError: If the template has a brace without its partner.
    """
    return frozenset(slot for _, slot, _, _ in string.Formatter().parse(template) if slot is not None)


def cheat_names() -> list[str]:
    """Returns the names of all cheats, which are the files in `tasks/gaming/` without `.yaml`."""
    return names("gaming", ".yaml")


def stands_on(name: str) -> StandsOn:
    """Returns the file and the code versions that decide what the therapist `cheat/<name>` says."""
    own = StandsOn((f"gaming/{name}.yaml",), {"therapists.cheats": VERSION})
    return own | scripted_phrases.stands_on() | client_words.stands_on()


@functools.cache
def load_cheat(name: str) -> Cheat:
    """Returns the cheat that the file `tasks/gaming/<name>.yaml` describes.

    Raises:
        InputError: If it is missing or malformed, naming the file and the key.
    """
    path = content_path("gaming", f"{name}.yaml")
    try:
        return Cheat.model_validate({"name": name, **read_yaml(path)})
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise InputError(f"{path}: {key}: {str(problem['msg']).removeprefix('Value error, ')}") from None


class Cheating:
    """A therapist that answers any words with the phrases of a cheat: deterministic, and blind to faces."""

    sees = False
    plan = ("", "")

    def __init__(self, cheat: Cheat, scenario: Scenario) -> None:
        self._cheat = cheat
        self._script = Script({"say": tuple((text, slots(text)) for text in cheat.phrases)}, {}, {})
        self._phrasing = Phrasing(scenario.pair, f"cheat/{cheat.name}")
        self._phrases_said = 0

    async def reply(self, heard: str, face: Face | None) -> TherapistTurn:
        """Returns the cheat's next phrases, whatever the client said; its words fill their slots."""
        gist = gist_of(heard)
        words = heard.strip()[:_CHARACTERS_REPEATED]
        clause = gist.clause or in_second_person(words).rstrip(" .!?")
        phrases = []
        for _ in range(self._cheat.at_once):
            self._phrases_said += 1
            phrases.append(
                self._phrasing.choose(
                    self._script, "say", self._phrases_said, words=words, turned=clause, topic=gist.topic
                )
            )
        return TherapistTurn(" ".join(phrases))


def cheating(name: str) -> functools.partial[Cheating]:
    """Returns a function that makes, from a scenario, the therapist `cheat/<name>` of that session.

    Raises:
        InputError: If there is no such cheat, or its file is malformed.
    """
    return functools.partial(Cheating, load_cheat(name))
