"""What a head reads of a sentence: words, letters of words and the order of concepts, as numbers."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mirror_bench.coding.phrase_lexicon import lexicon
from mirror_bench.coding.safety.concepts import Tokens, read_tokens
from mirror_bench.coding.safety.signals import signals

BUCKETS = 1 << 16
"""Features are hashed into so many places; a few share one, which costs less than a vocabulary to ship."""
_WORD_GRAMS = (1, 2, 3)
_LETTERS = (3, 4, 5)
_CONCEPT_GRAMS = (1, 2, 3, 4)
_WEIGHTS = {"w": 1.0, "c": 0.6, "k": 1.0, "s": 1.3}
_REFUSED = "refused"

Vector = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]
"""Places of the features in ascending order, and their values; the values' squares sum to 1."""


@functools.lru_cache(maxsize=16384)
def features(text: str, heard: str = "") -> Vector:
    """Returns the hashed features of a sentence that the safety heads read.

    Args:
        text: One sentence or clause.
        heard: What stood before it, as a few words ("danger", "means"); they are crossed with its concepts.
    """
    tokens = read_tokens(text)
    parts = [
        _part(_grams("w", tokens.words, _WORD_GRAMS), _WEIGHTS["w"]),
        _part([place for word in tokens.words for place in _letters(word)], _WEIGHTS["c"]),
        _part(_concepts(tokens, heard), _WEIGHTS["k"]),
        _part(_signs(tokens), _WEIGHTS["s"]),
    ]
    places = np.concatenate([part[0] for part in parts])
    values = np.concatenate([part[1] for part in parts])
    kept, where = np.unique(places, return_inverse=True)
    summed: npt.NDArray[np.float64] = np.bincount(where, weights=values, minlength=len(kept)).astype(
        np.float64
    )
    norm = float(np.sqrt(np.sum(summed * summed)))
    return kept, summed / norm if norm else summed


def _part(places: Sequence[int], weight: float) -> Vector:
    """Returns one family of features: damped counts, at the length `weight`."""
    kept, counts = np.unique(np.asarray(places, dtype=np.int64), return_counts=True)
    values = 1.0 + np.log(counts.astype(np.float64))
    norm = float(np.sqrt(np.sum(values * values)))
    return kept, weight * values / norm if norm else values


def _concepts(tokens: Tokens, heard: str) -> list[int]:
    """Concepts in a row, with and without the breaks between clauses, and crossed with what was heard."""
    row = tokens.concepts
    flat = tuple(name for name in row if name != "|")
    places = _grams("k", row, _CONCEPT_GRAMS) + _grams("f", flat, (2, 3))
    # Two concepts of one clause in any distance, in their order.
    clause: list[str] = []
    for name in (*row, "|"):
        if name == "|":
            pairs = {(one, two) for i, one in enumerate(clause) for two in clause[i + 1 :]}
            places += [_hash(f"p {one} {two}") for one, two in sorted(pairs)]
            clause = []
        else:
            clause.append(name)
    for word in heard.split():
        places.append(_hash(f"h {word}"))
        places += [_hash(f"h {word} {name}") for name in sorted(set(flat))]
    return places or [_hash("k none")]


def _signs(tokens: Tokens) -> list[int]:
    """Signals of each clause, and phrases of `behaviours/safety.yaml`, also where they are refused."""
    places = [_hash(f"s {name}") for name in signals(tokens.concepts)]
    patterns = lexicon("safety")
    text = " ".join(tokens.words)
    for name, pattern in patterns.items():
        match = pattern.search(text)
        if match is not None:
            places.append(_hash(f"r {name}"))
            if name != _REFUSED and patterns[_REFUSED].search(text[: match.start()]):
                places.append(_hash(f"r! {name}"))
    return places or [_hash("s none")]


def _grams(family: str, words: Sequence[str], sizes: Sequence[int]) -> list[int]:
    padded = ("<", *words, ">")
    return [
        _hash(f"{family} {' '.join(padded[i : i + size])}")
        for size in sizes
        for i in range(len(padded) - size + 1)
    ]


@functools.lru_cache(maxsize=65536)
def _letters(word: str) -> tuple[int, ...]:
    padded = f" {word} "
    return tuple(
        _hash(f"c {padded[i : i + size]}") for size in _LETTERS for i in range(len(padded) - size + 1)
    )


@functools.lru_cache(maxsize=1 << 18)
def _hash(feature: str) -> int:
    return zlib.crc32(feature.encode()) % BUCKETS
