"""Session moves: what gives a session its shape (aims, particulars, the key thought, techniques, steps)."""

from __future__ import annotations

import functools

from mirror_bench import text
from mirror_bench.coding.phrase_lexicon import lexicon
from mirror_bench.parts import StandsOn
from mirror_bench.text import sentences

VERSION = "1"
"""Raised with every change of which moves of a session are found; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides which moves of a session are found."""
    return StandsOn(("behaviours/moves.yaml",), {"coding.session_moves": VERSION}) | text.stands_on()


TECHNIQUES = (
    "technique_evidence",
    "technique_perspective",
    "technique_worst",
    "technique_scale",
    "technique_costs",
    "technique_experiment",
)


@functools.lru_cache(maxsize=16384)
def moves(words: str) -> frozenset[str]:
    """Returns the names of the moves in a therapist's turn, as in `tasks/behaviours/moves.yaml`."""
    patterns = lexicon("moves")
    return frozenset(
        name
        for sentence in sentences(words)
        for name, pattern in patterns.items()
        if pattern.search(sentence.text)
    )
