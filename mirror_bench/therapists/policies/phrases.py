"""The phrases of the scripted therapists, from `tasks/therapists/`, and their choice within one session."""

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
    """Returns what decides the phrases of these scripts, for the therapists that say them."""
    files = tuple(f"therapists/{name}.yaml" for name in scripts)
    return StandsOn(files, {"therapists.policies.phrases": VERSION})


@dataclass(frozen=True)
class Script:
    """One file of phrases.

    Attributes:
        phrases: Kind -> phrases, with the slots that each holds.
        signs: Name -> pattern over the client's words in lower case.
        feelings: Label of an expression -> words for it.
    """

    phrases: Mapping[str, tuple[tuple[str, frozenset[str]], ...]]
    signs: Mapping[str, re.Pattern[str]]
    feelings: Mapping[str, tuple[str, ...]]

    def shows(self, sign: str, heard: str) -> bool:
        """Tells whether the client's words show a sign."""
        return self.signs[sign].search(lower(heard[:4_000])) is not None


@functools.cache
def load_script(name: str) -> Script:
    """Returns the script `tasks/therapists/<name>.yaml`.

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
        joined = "|".join(f"(?:{pattern})" for pattern in _texts(f"{path}: {sign}", patterns))
        try:
            signs[sign] = re.compile(rf"\b(?:{joined})")
        except re.error as error:
            raise InputError(f"{path}: signs: {sign}: {error}") from None
    feelings = {
        label: _texts(f"{path}: {label}", words) for label, words in (content.get("feelings") or {}).items()
    }
    return Script(phrases, signs, feelings)


def _slots(where: str, text: str) -> frozenset[str]:
    slots = frozenset(slot for _, slot, _, _ in string.Formatter().parse(text) if slot is not None)
    if slots - SLOTS:
        raise InputError(
            f"{where}: {text!r}: no slot {sorted(slots - SLOTS)[0]!r}: known are {', '.join(sorted(SLOTS))}"
        )
    return slots


def _texts(where: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) and text.strip() for text in value):
        raise InputError(f"{where}: must be a list of texts (quote a text that holds a colon)")
    return tuple(value)


class Phrasing:
    """Chooses phrases in one session: by derived seed, and none twice before all of its kind were said."""

    def __init__(self, pair: str, who: str) -> None:
        self._pair = pair
        self._who = who
        self._said: dict[str, list[str]] = {}

    def choose(self, script: Script, kind: str, turn: int, **slots: str) -> str:
        """Returns a phrase of a kind, filled; "" where each would need a slot that is empty."""
        usable = [text for text, needs in script.phrases[kind] if all(slots.get(slot) for slot in needs)]
        if not usable:
            return ""
        said = self._said.setdefault(kind, [])
        fresh = [text for text in usable if text not in said]
        if not fresh:
            said[:] = said[-1:]  # a new round, but not the same phrase at once
            fresh = [text for text in usable if text not in said] or usable
        text = fresh[derive_seed(self._pair, self._who, kind, turn) % len(fresh)]
        said.append(text)
        return _capital(text.format(**slots))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
