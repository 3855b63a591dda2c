"""Remarks on a face: which feelings they name, and whether the face shows them."""

from __future__ import annotations

import functools
import re
from enum import StrEnum
from typing import Any, NamedTuple

from mirror_bench.coding import therapist_behaviour
from mirror_bench.coding.therapist_behaviour import Behaviour, code_therapist
from mirror_bench.content import content_path, read_yaml
from mirror_bench.errors import InputError
from mirror_bench.faces.directions import reader
from mirror_bench.faces.directions.reader import read_direction
from mirror_bench.faces.facs import expressions
from mirror_bench.faces.facs.expressions import EXPRESSIONS, similarity
from mirror_bench.parts import StandsOn
from mirror_bench.schema import Expression
from mirror_bench.text import lower, sentences

VERSION = "1"
"""Raised with every change of what is read out of a remark on a face; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides whether a remark on a face is right."""
    return (
        StandsOn(("behaviours/feelings.yaml",), {"coding.face_remarks": VERSION})
        | reader.stands_on()
        | expressions.stands_on()
        | therapist_behaviour.stands_on()
    )


ALIKE = 0.6
"""Similarity from which a named feeling is the client's own: sad passes for ashamed, not for anxious."""
_CUE_ALIKE = 0.35
_CUE_UNLIKE = 0.12
_MOST_FEELINGS = 2


class _Patterns(NamedTuple):
    any_feeling: re.Pattern[str]
    feelings: tuple[tuple[str, re.Pattern[str]], ...]
    negated: re.Pattern[str]
    mismatch: re.Pattern[str]


class FaceRemark(StrEnum):
    """Whether a therapist's remark on the client's face was right, wrong, vague or absent."""

    NOTHING = "nothing"
    RIGHT = "right"
    VAGUE = "vague"
    WRONG = "wrong"


def judge_remark(words: str, shown: Expression) -> FaceRemark:
    """Judges a remark on a face by the feelings it names or, where it names none, by the cues.

    Args:
        words: A therapist's turn that remarks on the face.
        shown: What the face shows.
    """
    remark = _remark(words)
    named = named_feelings(remark)
    if not named:
        return _cues_seen(remark, shown)
    if len(named) > _MOST_FEELINGS:  # who names everything has seen nothing
        return FaceRemark.VAGUE
    alike = [similarity(EXPRESSIONS[name], shown) for name in named]
    if max(alike) < ALIKE:
        return FaceRemark.WRONG
    return FaceRemark.RIGHT if min(alike) >= ALIKE else FaceRemark.VAGUE  # one of two guesses is no reading


def _cues_seen(remark: str, shown: Expression) -> FaceRemark:
    reading = read_direction(remark)
    if not (reading.expression.units or reading.expression.posture):
        return FaceRemark.VAGUE
    likeness = similarity(reading.expression, shown)
    if likeness >= _CUE_ALIKE:
        return FaceRemark.RIGHT
    return FaceRemark.WRONG if likeness < _CUE_UNLIKE else FaceRemark.VAGUE


def _remark(words: str) -> str:
    """Returns the sentences that speak of the face, each with the one after it, in lower case."""
    marks = [code for code in code_therapist(words) if code.behaviour is Behaviour.NOTICES_FACE]
    every = sentences(words)
    kept = [
        any(mark.start < sentence.end and sentence.start < mark.end for mark in marks) for sentence in every
    ]
    return " ".join(
        sentence.text
        for index, sentence in enumerate(every)
        if kept[index] or (index > 0 and kept[index - 1])
    )


@functools.lru_cache(maxsize=16384)
def named_feelings(text: str) -> tuple[str, ...]:
    """Returns the named expressions whose feeling words stand in a lower-case text, negated ones left out."""
    patterns = _patterns()
    if patterns.any_feeling.search(text) is None:  # most sentences, for one search instead of twenty
        return ()
    affirmed = patterns.negated.sub(" ", text)
    return tuple(name for name, pattern in patterns.feelings if pattern.search(affirmed))


def names_mismatch(words: str) -> bool:
    """Tells whether a reply says that the words may not be all, without naming what the face shows."""
    return _patterns().mismatch.search(lower(words)) is not None


@functools.cache
def _patterns() -> _Patterns:
    path = content_path("behaviours", "feelings.yaml")
    content = read_yaml(path)
    try:
        feelings = content["feelings"]
        every = "|".join(f"(?:{word})" for words in feelings.values() for word in words)
        found = _Patterns(
            any_feeling=alternatives(word for words in feelings.values() for word in words),
            feelings=tuple((str(name), alternatives(words)) for name, words in feelings.items()),
            negated=re.compile(rf"(?:\b|(?=n't))(?:{content['negated']}) (?:{every})\b"),
            mismatch=alternatives(content["mismatch"]),
        )
    except (KeyError, TypeError, AttributeError, re.error) as error:
        raise InputError(f"{path}: lacks or misspells a pattern: {error}") from None
    unknown = [name for name, _ in found.feelings if name not in EXPRESSIONS]
    if unknown:
        raise InputError(f"{path}: feelings: no expression is named {unknown[0]!r}")
    return found


def alternatives(texts: Any) -> re.Pattern[str]:
    """Compiles a list of regular expressions into one that matches any of them at word boundaries."""
    return re.compile(rf"\b(?:{'|'.join(f'(?:{text})' for text in texts)})\b", re.DOTALL)
