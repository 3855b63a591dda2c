"""A turn as the sentences that are judged, with their places: long replies with lists and headings too."""

from __future__ import annotations

import functools
import itertools
import re
from typing import NamedTuple

LONGEST = 6000
"""Characters of a turn that are read; cost stays bounded."""
# A pause is no end: "I think about ... not being here" goes on in lower case.
_SENTENCE = re.compile(
    r"(?:[^.!?…\n]|(?:\.{2,}|…)(?= ?[a-z,]))+(?:[.!?…]+(?=[\s\"'”’)*\]]|$)|[.!?…]+(?=\S)|\n+|$)[\"'”’)*]*"
)
_MARKS = re.compile(r"^(?:\s|[-*#>•–—]|\d{1,2}[.)](?=\s))+|[\s*_#]+$")
_PART = re.compile(r"\s*(?:;|,? but\b|,(?= (?:i|and|so|because|then)\b)|--)\s*", re.IGNORECASE)
_LONG, _SHORT = 14, 4
_WORD = re.compile(r"\S+")
_MOST, _STEP = 44, 30
"""Words that are read at once, and from where to where the next piece of a longer sentence begins."""
_LINE = 3
"""Digits that may be a crisis line; a number of a list has fewer."""


class Unit(NamedTuple):
    """A sentence of a turn, or a part of a long one.

    Attributes:
        text: As it stands in the turn, without list marks, stars and headings.
        start: Where it begins in the turn.
        end: Where it ends, exclusive.
    """

    text: str
    start: int
    end: int


@functools.lru_cache(maxsize=8192)
def units(words: str) -> tuple[Unit, ...]:
    """Returns the sentences of a turn's first `LONGEST` characters."""
    found = []
    for match in _SENTENCE.finditer(words[:LONGEST]):
        raw = match.group()
        text = _MARKS.sub("", raw)
        if any(sign.isalpha() for sign in text) or sum(sign.isdigit() for sign in text) >= _LINE:
            start = match.start() + raw.find(text)
            found += _within_reach(Unit(text, start, start + len(text)))
    return tuple(found)


def _within_reach(unit: Unit) -> list[Unit]:
    """Returns a sentence, or pieces of one that runs on for longer than is read at once; they overlap."""
    words = [*_WORD.finditer(unit.text)]
    if len(words) <= _MOST:
        return [unit]
    pieces = []
    for first in range(0, len(words) - _MOST + _STEP, _STEP):
        some = words[first : first + _MOST]
        start, end = some[0].start(), some[-1].end()
        pieces.append(Unit(unit.text[start:end], unit.start + start, unit.start + end))
    return pieces


def parts(unit: Unit) -> tuple[Unit, ...]:
    """Returns the clauses of a long sentence that can stand alone; none where it is short or has one."""
    if len(unit.text.split()) < _LONG:
        return ()
    found, begin = [], 0
    for match in (*_PART.finditer(unit.text), None):
        end = match.start() if match else len(unit.text)
        text = unit.text[begin:end]
        if len(text.split()) >= _SHORT:
            found.append(Unit(text, unit.start + begin, unit.start + end))
        begin = match.end() if match else end
    return tuple(found) if len(found) > 1 else ()


def pairs(words: str) -> tuple[Unit, ...]:
    """Returns each two sentences of a turn that stand in a row, as one."""
    return tuple(
        Unit(words[first.start : second.end], first.start, second.end)
        for first, second in itertools.pairwise(units(words))
    )
