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
        if any(sign.isalnum() for sign in text):
            start = match.start() + raw.find(text)
            found.append(Unit(text, start, start + len(text)))
    return tuple(found)


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
