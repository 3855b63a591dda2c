"""What a client makes of the therapist's words: behaviour codes, and what only the client can judge.

Whether a remark on the face is right, a reflection is about what was said, or a step comes with an ask, is
judged from the client's side: its own words and its own face.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

from mirror_bench.coding import face_remarks, therapist_behaviour
from mirror_bench.coding.face_remarks import FaceRemark, judge_remark, names_mismatch
from mirror_bench.coding.feelings import alternatives
from mirror_bench.coding.therapist_behaviour import (
    QUESTIONS,
    REFLECTIONS,
    Behaviour,
    Code,
    code_therapist,
)
from mirror_bench.content import content_path, read_yaml
from mirror_bench.errors import InputError
from mirror_bench.faces.directions import reader
from mirror_bench.faces.directions.reader import read_direction
from mirror_bench.parts import StandsOn
from mirror_bench.text import count_words, echo_share, lower, shared

VERSION = "2"
"""Raised with every change of what a client takes from the therapist's words; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides what a client takes from the therapist's words."""
    return (
        StandsOn(("clients/hearing.yaml",), {"clients.stateful.perception": VERSION})
        | face_remarks.stands_on()
        | reader.stands_on()
        | therapist_behaviour.stands_on()
    )


LONGEST = 4_000
"""Characters that a client listens to."""
PATIENCE = 160
"""Words of one turn that a client follows; a longer turn wears it out."""
_ECHO = 0.6


class PerceivedTurn(NamedTuple):
    """What the client takes from a therapist's turn: behaviours in it, and whether they fit.

    Attributes:
        codes: The behaviours in it.
        seen: Whether it names what the client's face shows.
        fits: Whether a reflection shares content with what the client said in this session.
        proposes: Whether it proposes to do something and leaves the choice to the client.
        challenges: Whether it gently asks the client to look again.
        echoes: Whether it hands the client's words back unchanged.
        empty: Whether nothing was said.
        overlong: Whether it went past the client's patience.
    """

    codes: frozenset[Behaviour]
    seen: FaceRemark = FaceRemark.NOTHING
    fits: bool = False
    proposes: bool = False
    challenges: bool = False
    echoes: bool = False
    empty: bool = False
    overlong: bool = False

    @property
    def reflects(self) -> bool:
        """Whether the turn holds a reflection of any depth."""
        return bool(self.codes & REFLECTIONS)

    @property
    def asks(self) -> bool:
        """Whether the turn asks."""
        return bool(self.codes & QUESTIONS)

    @property
    def pushes(self) -> bool:
        """Whether the turn advises unasked or confronts."""
        return Behaviour.PERSUADE in self.codes or Behaviour.CONFRONT in self.codes


class _Patterns(NamedTuple):
    step: re.Pattern[str]
    challenge: re.Pattern[str]


def hear(words: str, said: Sequence[str], direction: str, before: Sequence[str]) -> PerceivedTurn:
    """Returns what the client takes from a therapist's turn: its behaviours, and whether they fit.

    Args:
        words: The therapist's words; the first `LONGEST` characters count.
        said: The client's own turns so far, the latest last.
        direction: The stage direction of the client's latest turn: what its face shows.
        before: The therapist's earlier turns.
    """
    bounded = words[:LONGEST]
    if not any(character.isalnum() for character in bounded):
        return PerceivedTurn(frozenset(), empty=True)
    latest = said[-1] if said else ""
    plain = _understood(bounded, latest, tuple(before))
    seen = _seen(bounded, direction) if Behaviour.NOTICES_FACE in plain.codes else FaceRemark.NOTHING
    if seen is FaceRemark.NOTHING and names_mismatch(bounded):
        seen = FaceRemark.VAGUE
    fits = plain.reflects and any(shared(bounded, own) > 0 for own in said[-4:])
    overlong = words.count(" ") >= PATIENCE or len(words) > LONGEST
    return plain._replace(seen=seen, fits=fits, overlong=overlong)


@functools.lru_cache(maxsize=16384)
def _understood(words: str, latest: str, before: tuple[str, ...]) -> PerceivedTurn:
    """Returns what does not depend on the client's face, nor on what it said earlier."""
    found: tuple[Code, ...] = code_therapist(words, latest, before)
    codes = frozenset(code.behaviour for code in found)
    text = lower(words)
    patterns = _patterns()
    pushing = Behaviour.PERSUADE in codes or Behaviour.CONFRONT in codes
    asked = codes & {
        Behaviour.SEEK_COLLABORATION,
        Behaviour.EMPHASIZE_AUTONOMY,
        Behaviour.PERSUADE_WITH_PERMISSION,
    }
    return PerceivedTurn(
        codes=codes,
        proposes=bool(asked) and not pushing and patterns.step.search(text) is not None,
        challenges=not pushing and patterns.challenge.search(text) is not None,
        echoes=_echoes(words, latest, codes),
    )


def _echoes(words: str, latest: str, codes: frozenset[Behaviour]) -> bool:
    if count_words(words) < 4:
        return False
    if echo_share(words, latest) >= _ECHO:
        return True
    return (
        not codes & QUESTIONS and Behaviour.COMPLEX_REFLECTION not in codes and shared(words, latest) >= 0.9
    )


@functools.lru_cache(maxsize=16384)
def _seen(words: str, direction: str) -> FaceRemark:
    return judge_remark(words, read_direction(direction).expression)


@functools.cache
def _patterns() -> _Patterns:
    path = content_path("clients", "hearing.yaml")
    content = read_yaml(path)
    try:
        return _Patterns(
            step=alternatives(content["step"]),
            challenge=alternatives(content["challenge"]),
        )
    except (KeyError, TypeError, AttributeError, re.error) as error:
        raise InputError(f"{path}: lacks or misspells a pattern: {error}") from None
