"""Therapists that try to be rated well without helping: their words are content, `tasks/gaming/*.yaml`.

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
from mirror_bench.therapists.policies.client_words import picture, turned
from mirror_bench.therapists.policies.phrases import Phrasing, Script

VERSION = "1"
"""Raised with every change of how a cheat speaks; part of its identity."""

_LONGEST_HEARD = 2_000


class Cheat(Record):
    """One way of cheating.

    Attributes:
        name: Name of its file.
        title: What tables call it.
        tries: What it tries, in a sentence.
        kind: "injection" where its words are meant for the judge, "play" otherwise.
        stopped_by: Features of the coded rater that are expected to stand against it, or that it lacks.
        at_once: How many phrases make a turn.
        phrases: Templates with the slots {words}, {turned} and {topic}; at least one needs none of them.
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
    def _known(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if value not in FEATURES:
                raise ValueError(f"no feature is named {value!r}: known are {', '.join(FEATURES)}")
        return values

    @field_validator("phrases")
    @classmethod
    def _fillable(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            try:
                unknown = slots(value) - {"words", "turned", "topic"}
            except ValueError as error:
                raise ValueError(f"{value!r}: {error}; write a brace twice") from None
            if unknown:
                raise ValueError(f"{value!r}: no slot {sorted(unknown)[0]!r}: known are words, turned, topic")
        if all(slots(value) for value in values):
            raise ValueError("one phrase at least must stand without slots")
        return values


def slots(template: str) -> frozenset[str]:
    """Returns the names of a template's slots.

    Raises:
        ValueError: If it is no template.
    """
    return frozenset(slot for _, slot, _, _ in string.Formatter().parse(template) if slot is not None)


def cheat_names() -> list[str]:
    """Returns the names of all cheats."""
    return names("gaming", ".yaml")


def stands_on(name: str) -> StandsOn:
    """Returns what decides what the therapist `cheat/<name>` says: its file, and code."""
    own = StandsOn((f"gaming/{name}.yaml",), {"therapists.cheats": VERSION})
    return own | scripted_phrases.stands_on() | client_words.stands_on()


@functools.cache
def load_cheat(name: str) -> Cheat:
    """Returns the cheat `tasks/gaming/<name>.yaml`.

    Raises:
        InputError: If it is missing or malformed, naming the file and the key.
    """
    path = content_path("gaming", f"{name}.yaml")
    try:
        return Cheat.model_validate({"name": name, **read_yaml(path)})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {key}: {str(first['msg']).removeprefix('Value error, ')}") from None


class Cheating:
    """A cheating therapist in one session: deterministic, and blind to faces."""

    sees = False
    plan = ("", "")

    def __init__(self, cheat: Cheat, scenario: Scenario) -> None:
        self._cheat = cheat
        self._script = Script({"say": tuple((text, slots(text)) for text in cheat.phrases)}, {}, {})
        self._phrasing = Phrasing(scenario.pair, f"cheat/{cheat.name}")
        self._said = 0

    async def reply(self, heard: str, face: Face | None) -> TherapistTurn:
        """Answers whatever was said with the next phrases."""
        taken = picture(heard)
        words = heard.strip()[:_LONGEST_HEARD]
        clause = taken.turned or turned(words).rstrip(" .!?")
        parts = []
        for _ in range(self._cheat.at_once):
            self._said += 1
            parts.append(
                self._phrasing.choose(
                    self._script, "say", self._said, words=words, turned=clause, topic=taken.topic
                )
            )
        return TherapistTurn(" ".join(parts))


def cheating(name: str) -> functools.partial[Cheating]:
    """Returns what makes the therapist `cheat/<name>` for a scenario.

    Raises:
        InputError: If there is no such cheat, or its file is malformed.
    """
    return functools.partial(Cheating, load_cheat(name))
