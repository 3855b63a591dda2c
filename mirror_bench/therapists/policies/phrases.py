"""Reads the scripted therapists' phrases from `tasks/therapists/`, and chooses among them in a session."""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mirror_bench.content import content_path, read_yaml
from mirror_bench.errors import InputError
from mirror_bench.parts import StandsOn
from mirror_bench.schema import derive_seed
from mirror_bench.text import lower

SLOTS = frozenset({"turned", "topic", "other", "feeling", "words"})


VERSION = "1"
"""Raised with every change of how a phrase is chosen and filled; part of a scripted therapist's identity."""


def stands_on(*scripts: str) -> StandsOn:
    """Returns the files and the code version that decide what a therapist with these scripts can say."""
    files = tuple(f"therapists/{name}.yaml" for name in scripts)
    return StandsOn(files, {"therapists.policies.phrases": VERSION})


@dataclass(frozen=True)
class Script:
    """The content of one file of `tasks/therapists/`: what to say, and what to listen for.

    Attributes:
        phrases: Kind of phrase, such as "reflect" -> phrases of that kind, each with the names of its slots.
        signs: Sign, such as "objects" -> pattern that finds it in the client's words, in lower case.
        feelings: Label of an expression of the face -> words that name the feeling.
    """

    phrases: Mapping[str, tuple[tuple[str, frozenset[str]], ...]]
    signs: Mapping[str, re.Pattern[str]]
    feelings: Mapping[str, tuple[str, ...]]

    def shows(self, sign: str, heard: str) -> bool:
        """Returns whether a sign is found in the first 4,000 characters of the client's words."""
        return self.signs[sign].search(lower(heard[:4_000])) is not None


@functools.cache
def load_script(name: str) -> Script:
    """Returns the phrases, signs and feelings in `tasks/therapists/<name>.yaml`.

    Raises:
        InputError: If it is missing or wrong, naming the kind and the phrase.
    """
    path = content_path("therapists", f"{name}.yaml")
    content = read_yaml(path)
    phrases = {
        kind: tuple((text, _slots(f"{path}: {kind}", text)) for text in _texts(f"{path}: {kind}", texts))
        for kind, texts in (content.get("phrases") or {}).items()
    }
    signs = {}
    for sign, patterns in (content.get("signs") or {}).items():
        alternatives = "|".join(f"(?:{pattern})" for pattern in _texts(f"{path}: {sign}", patterns))
        try:
            signs[sign] = re.compile(rf"\b(?:{alternatives})")
        except re.error as error:
            raise InputError(f"{path}: signs: {sign}: {error}") from None
    feelings = {
        label: _texts(f"{path}: {label}", words) for label, words in (content.get("feelings") or {}).items()
    }
    return Script(phrases, signs, feelings)


def _slots(where: str, text: str) -> frozenset[str]:
    """Returns the names of the slots in a phrase; `where` is its file and kind, for the message."""
    slots = frozenset(slot for _, slot, _, _ in string.Formatter().parse(text) if slot is not None)
    if slots - SLOTS:
        raise InputError(
            f"{where}: {text!r}: no slot {sorted(slots - SLOTS)[0]!r}: known are {', '.join(sorted(SLOTS))}"
        )
    return slots


def _texts(where: str, value: Any) -> tuple[str, ...]:
    """Returns a list of texts as a file holds it, checked; `where` is its file and key, for the message."""
    if not isinstance(value, list) or not all(isinstance(text, str) and text.strip() for text in value):
        raise InputError(f"{where}: must be a list of texts (quote a text that holds a colon)")
    return tuple(value)


class Phrasing:
    """Chooses a therapist's phrases in one session: each of a kind is said once before any is said again.

    Args:
        pair: `Scenario.pair` of the session; with the therapist's name it seeds the choice.
        therapist: The therapist's name.
    """

    def __init__(self, pair: str, therapist: str) -> None:
        self._pair = pair
        self._therapist = therapist
        self._said_by_kind: dict[str, list[str]] = {}

    def choose(self, script: Script, kind: str, turn: int, **slots: str) -> str:
        """Returns a phrase of a kind with its slots filled; "" where each needs a slot that is empty.

        Args:
            script: Where the phrases stand.
            kind: The kind of phrase, such as "reflect".
            turn: The number of the therapist's turn, from 1.
            slots: Name of a slot -> what fills it.
        """
        fillable = [text for text, needed in script.phrases[kind] if all(slots.get(slot) for slot in needed)]
        if not fillable:
            return ""
        said = self._said_by_kind.setdefault(kind, [])
        unsaid = [text for text in fillable if text not in said]
        if not unsaid:
            said[:] = said[-1:]  # a new round, but not the same phrase at once
            unsaid = [text for text in fillable if text not in said] or fillable
        text = unsaid[derive_seed(self._pair, self._therapist, kind, turn) % len(unsaid)]
        said.append(text)
        return _capitalized(text.format(**slots))


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]
