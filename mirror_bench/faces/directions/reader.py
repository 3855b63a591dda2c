"""Reads stage directions as expressions: a deterministic phrase lexicon, kept as content."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from mirror_bench.faces.directions.lexicon import Cue, Lexicon, packaged_lexicon, root
from mirror_bench.faces.facs import expressions
from mirror_bench.faces.facs.action_units import HEAD_LIMITS
from mirror_bench.faces.facs.expressions import EXPRESSIONS, nearest
from mirror_bench.parts import StandsOn
from mirror_bench.schema import Expression

VERSION = "1"
"""Raised with every change of how a stage direction is read; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides how a stage direction is read."""
    return (
        StandsOn(("faces/directions.yaml",), {"faces.directions.reader": VERSION}) | expressions.stands_on()
    )


_LONGEST = 400
_GAP = 2
_CLAUSE = re.compile(r"[,;:.!?()\[\]\n—–…]+|\s-+\s|\b(?:but|yet|then|though|although|however|despite)\b")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")


class DirectionReading(NamedTuple):
    """The expression that a stage direction shows, and the words of it that were not understood.

    Attributes:
        expression: What it shows; its label is the nearest named expression, or "neutral".
        known: The cues that were understood, by their first phrase, in the order of the text.
        unknown: The content words that were not understood, in lower case, in their order.
    """

    expression: Expression
    known: tuple[str, ...]
    unknown: tuple[str, ...]


class _Word(NamedTuple):
    text: str
    stem: str


class _Hit(NamedTuple):
    cue: Cue
    places: tuple[int, ...]


@lru_cache(maxsize=8192)
def read_direction(text: str) -> DirectionReading:
    """Reads one stage direction, such as "Looks away, arms crossed".

    Several cues in one direction add up; negations remove and strengths scale the cue they belong to;
    words that the lexicon does not know change nothing and are reported. Brackets may be left on. Text
    beyond 400 characters is not read.
    """
    lexicon = packaged_lexicon()
    parts: list[tuple[Cue, float]] = []
    known: list[str] = []
    unknown: list[str] = []
    for clause in _CLAUSE.split(text[:_LONGEST].lower().replace("’", "'").replace("-", " ")):
        words = [_Word(word, root(word)) for word in _WORD.findall(clause) if word not in lexicon.little]
        if words:
            _read_clause(words, lexicon, parts, known, unknown)
    return DirectionReading(_combined(parts), tuple(known), tuple(unknown))


def _read_clause(
    words: list[_Word], lexicon: Lexicon, parts: list[tuple[Cue, float]], known: list[str], unknown: list[str]
) -> None:
    taken: set[int] = set()
    hits = _hits(words, lexicon, taken)
    factors = [1.0] * len(hits)
    for place, word in enumerate(words):
        if place in taken:
            continue
        if (factor := lexicon.weaken.get(word.text)) is not None:
            for index, hit in enumerate(hits):
                if hit.places[-1] > place:
                    factors[index] *= factor
        elif (factor := lexicon.strengths.get(word.text)) is not None:
            if hits:
                factors[_closest(hits, place)] *= factor
        elif word.stem not in lexicon.quiet:
            unknown.append(word.text)
    for hit, factor in zip(hits, factors, strict=True):
        known.append(hit.cue.name if factor else f"not {hit.cue.name}")
        if factor:
            parts.append((hit.cue, factor))


def _hits(words: list[_Word], lexicon: Lexicon, taken: set[int]) -> list[_Hit]:
    """Finds the phrases of a clause, longest first; marks the places of their words as taken."""
    hits: list[_Hit] = []
    candidates = {phrase for word in words for phrase in lexicon.by_stem.get(word.stem, ())}
    for phrase in sorted(candidates, key=lambda phrase: phrase.rank):
        start = 0
        while (places := _places(words, phrase.words, start, taken)) is not None:
            taken.update(places)
            hits.append(_Hit(phrase.cue, places))
            start = places[-1] + 1
    return sorted(hits, key=lambda hit: hit.places)


def _places(
    words: list[_Word], phrase: tuple[frozenset[str], ...], start: int, taken: set[int]
) -> tuple[int, ...] | None:
    """Returns where the phrase's words stand, each at most `_GAP` words after the one before."""
    for first in range(start, len(words)):
        if first in taken or words[first].stem not in phrase[0]:
            continue
        places = [first]
        for stems in phrase[1:]:
            nearby = range(places[-1] + 1, min(len(words), places[-1] + 2 + _GAP))
            found = next((at for at in nearby if at not in taken and words[at].stem in stems), None)
            if found is None:
                break
            places.append(found)
        else:
            return tuple(places)
    return None


def _closest(hits: list[_Hit], place: int) -> int:
    def distance(index: int) -> tuple[int, int]:
        gap = min(abs(place - at) for at in hits[index].places)
        return gap, index

    return min(range(len(hits)), key=distance)


def _combined(parts: list[tuple[Cue, float]]) -> Expression:
    units: dict[str, float] = {}
    posture: dict[str, float] = {}
    gaze = [0.0, 0.0]
    head = [0.0, 0.0, 0.0]
    for cue, factor in parts:
        shown = cue.expression
        for name, value in shown.units.items():
            units[name] = max(units.get(name, 0.0), min(1.0, round(value * factor, 3)))
        for name, value in shown.posture.items():
            posture[name] = max(posture.get(name, 0.0), min(1.0, round(value * factor, 3)))
        # The strongest cue decides where eyes and head point: two looks do not add up to a third.
        gaze = [_stronger(old, new * min(1.0, factor)) for old, new in zip(gaze, shown.gaze, strict=True)]
        head = [_stronger(old, new * factor) for old, new in zip(head, shown.head, strict=True)]
    head = [max(-limit, min(limit, value)) for value, limit in zip(head, HEAD_LIMITS, strict=True)]
    expression = Expression(
        units=units, gaze=(gaze[0], gaze[1]), head=(head[0], head[1], head[2]), posture=posture
    )
    label = nearest(expression)
    return expression.model_copy(update={"label": label}) if label in EXPRESSIONS else expression


def _stronger(old: float, new: float) -> float:
    return round(new if abs(new) > abs(old) else old, 3)
