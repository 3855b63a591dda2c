"""How well the stage directions of a data source can be read as expressions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from mirror_bench.data.base import DataSet
from mirror_bench.faces.directions.reader import read_direction
from mirror_bench.schema import Speaker


class DirectionCounts(NamedTuple):
    """How many of the client's stage directions were understood, and which words were not.

    Attributes:
        directions: How many there are.
        neutral: How many hold no word that was understood, and so show a neutral face.
        expressions: Label -> how often, the commonest first.
        unknown_words: Content word that was not understood -> how often, the commonest first.
    """

    directions: int
    neutral: int
    expressions: Mapping[str, int]
    unknown_words: Mapping[str, int]


def count_directions(data: DataSet) -> DirectionCounts:
    """Reads every stage direction of the client in every screenplay."""
    expressions: Counter[str] = Counter()
    unknown: Counter[str] = Counter()
    neutral = 0
    for play in data.screenplays:
        for line in play.lines:
            for direction in line.directions if line.speaker is Speaker.CLIENT else ():
                reading = read_direction(direction)
                expressions[reading.expression.label] += 1
                unknown.update(reading.unknown)
                neutral += not reading.known
    return DirectionCounts(
        expressions.total(), neutral, dict(expressions.most_common()), dict(unknown.most_common())
    )
