"""The bank of labelled sentences, `tasks/safety/bank/*.jsonl`: a file per theme, an item per line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from mirror_bench.content import content_path
from mirror_bench.errors import InputError
from mirror_bench.schema import Record


class Danger(StrEnum):
    """A kind of danger that a client's words may disclose, such as suicidal thoughts or abuse."""

    SUICIDE = "suicidal_thoughts"
    SELF_HARM = "self_harm"
    ABUSE = "abuse"
    TO_OTHER = "danger_to_other"
    VOICES = "command_voices"
    DELUSION = "delusion"
    SEEKS = "seeks_means"


class SafetyAct(StrEnum):
    """What a therapist's words do where a client is in danger, and what no therapist's words may do."""

    RECOGNISES = "recognises"
    ASKS = "asks"
    PLAN = "plan"
    MEANS = "means"
    NOW = "now"
    HELP = "help"
    REALITY = "reality"
    AGREES = "agrees"
    COLLUDES = "colludes"
    METHOD = "method"
    DIAGNOSIS = "diagnosis"
    DOSING = "dosing"
    INTIMACY = "intimacy"
    SECRECY = "secrecy"
    CURE = "cure"
    HUMAN = "human"
    EVADES = "evades"
    MOCKS = "mocks"
    BAD_LINE = "badline"
    EMPTY = "empty"


EVERYDAY = "everyday"
NO_CRISIS = frozenset({Danger.DELUSION, Danger.SEEKS})
"""What is told of a client's words, and is no disclosure of danger by itself."""
ANSWERS = (
    SafetyAct.RECOGNISES,
    SafetyAct.ASKS,
    SafetyAct.PLAN,
    SafetyAct.MEANS,
    SafetyAct.NOW,
    SafetyAct.HELP,
    SafetyAct.REALITY,
)
HELD_OUT = frozenset(
    {"care_leavers", "commuters", "couples_night", "forum_advice", "late_night_bot", "night_chat_bot"}
    | {"night_shift", "second_language", "widowers"}
    | {"guarded_people", "caring_replies_adults", "tired_clinicians", "doctors_orders", "warm_assistants"}
    | {"posts_to_strangers", "half_said", "fluent_assistants"}
)
"""Themes that nothing is trained on: the marks are set on them, and the figures measured."""
HARMS = tuple(act for act in SafetyAct if act not in ANSWERS and act is not SafetyAct.EMPTY)


class BankItem(Record):
    """One sentence or post of the safety bank, with the kind of danger or harm that it is labelled with.

    Attributes:
        id: Unique in the bank.
        speaker: Whose words.
        kind: A `Danger` for clients, an `SafetyAct` for therapists; `EVERYDAY` where it is neither.
        label: "hit" shows the kind, "veiled" hints at it, "near_miss" looks like it and is none,
            "everyday" is ordinary talk.
        also: Other kinds that a hit shows.
        span: The words of a longer text that show it, as start and end; all of it where absent.
        heard: What the client said just before.
        heard_shows: Kinds that these words show, where somebody has labelled them; None where nobody has.
        theme: The writer's theme, which is the file's name. Splits are by theme.
    """

    id: str
    speaker: Literal["client", "therapist"]
    kind: str
    label: Literal["hit", "veiled", "near_miss", "everyday"]
    text: Annotated[str, Field(min_length=1, max_length=2000)]
    also: tuple[str, ...] = ()
    span: tuple[int, int] | None = None
    heard: str = ""
    heard_shows: tuple[Danger, ...] | None = None
    theme: str = ""

    @property
    def shows(self) -> tuple[str, ...]:
        """The kinds that it shows; none for a near miss or everyday talk."""
        return () if self.label in ("near_miss", EVERYDAY) else (self.kind, *self.also)


def bank_paths() -> list[Path]:
    """Returns the packaged bank's files, in order."""
    return sorted(content_path("safety", "bank").glob("*.jsonl"))


def load_bank(paths: Sequence[Path] | None = None) -> tuple[BankItem, ...]:
    """Returns the bank's items in the order of their files.

    Raises:
        InputError: If a line is no such item, naming file and line, or an id stands twice.
    """
    found: list[BankItem] = []
    seen: set[str] = set()
    for path in bank_paths() if paths is None else paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                item = BankItem.model_validate({**json.loads(line), "theme": path.stem})
                known: type[StrEnum] = Danger if item.speaker == "client" else SafetyAct
                for kind in (item.kind, *item.also):
                    if (kind == EVERYDAY) != (item.label == EVERYDAY):
                        raise ValueError("the kind 'everyday' and the label 'everyday' go together")
                    if kind != EVERYDAY:
                        known(kind)
            except (ValidationError, ValueError, TypeError) as error:
                said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
                raise InputError(f"{path}:{number}: {said}") from None
            if item.id in seen:
                raise InputError(f"{path}:{number}: the id {item.id!r} stands twice in the bank")
            seen.add(item.id)
            found.append(item)
    return tuple(found)


def bank_digest() -> str:
    """Returns the digest of what the encoder is tuned on: the bank without the themes of `HELD_OUT`."""
    return _digest(path for path in bank_paths() if path.stem not in HELD_OUT)


def content_digest() -> str:
    """Returns the digest of everything that heads are trained on: bank, concepts, signals and phrases."""
    return _digest(
        (
            *bank_paths(),
            content_path("safety", "concepts.yaml"),
            content_path("safety", "signals.yaml"),
            content_path("behaviours", "safety.yaml"),
            content_path("safety", "encoder.npz"),
        )
    )


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
