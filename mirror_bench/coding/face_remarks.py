"""Remarks on a face: which feelings they name, and whether the face shows them."""

from __future__ import annotations

import functools
import re
from enum import StrEnum
from typing import NamedTuple

from mirror_bench.coding import feelings, therapist_behaviour
from mirror_bench.coding.feelings import alternatives, named_feelings, not_of_others
from mirror_bench.coding.therapist_behaviour import Behaviour, Code, code_therapist
from mirror_bench.content import content_path, read_yaml
from mirror_bench.errors import InputError
from mirror_bench.faces.directions import reader
from mirror_bench.faces.directions.reader import read_direction
from mirror_bench.faces.facs import expressions
from mirror_bench.faces.facs.expressions import EXPRESSIONS, similarity
from mirror_bench.parts import StandsOn
from mirror_bench.schema import Expression
from mirror_bench.text import lower, sentences

VERSION = "2"
"""Raised with every change of what is read out of a remark on a face; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides whether a remark on a face is right."""
    return (
        StandsOn.of("coding.face_remarks", VERSION)
        | feelings.stands_on()
        | reader.stands_on()
        | expressions.stands_on()
        | therapist_behaviour.stands_on()
    )


ALIKE = 0.6
"""Similarity from which a named feeling is the client's own: sad passes for ashamed, not for anxious."""
_CUE_ALIKE = 0.35
_CUE_UNLIKE = 0.12
_MOST_FEELINGS = 2


class FaceRemark(StrEnum):
    """Whether a therapist's remark on the client's face was right, wrong, vague or absent."""

    NOTHING = "nothing"
    RIGHT = "right"
    VAGUE = "vague"
    WRONG = "wrong"


def judge_remark(words: str, shown: Expression) -> FaceRemark:
    """Judges a therapist's remark on a face by the feelings it names or, where it names none, by the cues.

    Args:
        words: A therapist's turn; `NOTHING` where it makes no remark.
        shown: What the face shows.
    """
    remark = _remark(words)
    if not remark:
        return FaceRemark.NOTHING
    named = named_feelings(not_of_others(remark))
    if not named:
        return _cues_seen(remark, shown)
    if len(named) > _MOST_FEELINGS:  # who names everything has seen nothing
        return FaceRemark.VAGUE
    alike = [similarity(EXPRESSIONS[name], shown) for name in named]
    if max(alike) < ALIKE:
        return FaceRemark.WRONG
    return FaceRemark.RIGHT if min(alike) >= ALIKE else FaceRemark.VAGUE  # one of two guesses is no reading


def reads_face(words: str, shown: Expression | None) -> bool | None:
    """Tells whether a therapist's remark fits the face shown; None without a remark or a face."""
    if shown is None or not remarks_on_face(words):
        return None
    return judge_remark(words, shown) is FaceRemark.RIGHT


def _cues_seen(remark: str, shown: Expression) -> FaceRemark:
    reading = read_direction(remark)
    if not (reading.expression.units or reading.expression.posture):
        return FaceRemark.VAGUE
    likeness = similarity(reading.expression, shown)
    if likeness >= _CUE_ALIKE:
        return FaceRemark.RIGHT
    return FaceRemark.WRONG if likeness < _CUE_UNLIKE else FaceRemark.VAGUE


def remarks_on_face(words: str) -> tuple[Code, ...]:
    """Returns where a therapist's turn speaks of the client's face or bearing.

    Telling the client what to do with it ("soften your jaw") is no remark.
    """
    marks = tuple(code for code in code_therapist(words) if code.behaviour is Behaviour.NOTICES_FACE)
    if not marks:
        return ()
    others = [found.span() for found in _patterns().no_remark.finditer(lower(words))]
    return tuple(
        mark for mark in marks if not any(mark.start < end and start < mark.end for start, end in others)
    )


def _remark(words: str) -> str:
    """Returns the sentences that speak of the face, each with the one after it, in lower case."""
    marks = remarks_on_face(words)
    every = sentences(words)
    kept = [
        any(mark.start < sentence.end and sentence.start < mark.end for mark in marks) for sentence in every
    ]
    return " ".join(
        sentence.text
        for index, sentence in enumerate(every)
        if kept[index] or (index > 0 and kept[index - 1])
    )


def names_mismatch(words: str) -> bool:
    """Tells whether a reply says that the words may not be all, without naming what the face shows."""
    return _patterns().mismatch.search(lower(words)) is not None


class _Patterns(NamedTuple):
    mismatch: re.Pattern[str]
    no_remark: re.Pattern[str]


@functools.cache
def _patterns() -> _Patterns:
    path = content_path("behaviours", "feelings.yaml")
    content = read_yaml(path)
    try:
        return _Patterns(alternatives(content["mismatch"]), alternatives(content["no_remark"]))
    except (KeyError, TypeError, re.error) as error:
        raise InputError(f"{path}: lacks or misspells a pattern: {error}") from None
