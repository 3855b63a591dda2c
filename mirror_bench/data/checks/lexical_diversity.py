"""How rich the words of some utterances are: vocabulary, type-token ratio, distinct n-grams."""

from __future__ import annotations

from collections.abc import Iterable

from mirror_bench.schema import Record
from mirror_bench.text import distinct_share, ngrams, words_of

WINDOW = 100
"""Words of a stretch over which the type-token ratio is taken."""


class Wording(Record):
    """Measures of how varied some utterances are, such as their type-token ratio.

    Attributes:
        vocabulary: Different words.
        type_token: Different words over all words, mean over stretches of 100 words in a row, so that it does
            not fall with the size of the data as the plain ratio does.
        distinct_1: Different words over all words (Li et al. 2016): the plain type-token ratio.
        distinct_2: Different pairs of neighbouring words within an utterance, over all of them.
    """

    utterances: int = 0
    words: int = 0
    vocabulary: int = 0
    type_token: float = 0.0
    distinct_1: float = 0.0
    distinct_2: float = 0.0


def measure_wording(utterances: Iterable[str]) -> Wording:
    """Measures utterances; those without a word do not count."""
    spoken = [words for text in utterances if (words := words_of(text))]
    words = [word for said in spoken for word in said]
    pairs = [pair for said in spoken for pair in ngrams(said, 2)]
    return Wording(
        utterances=len(spoken),
        words=len(words),
        vocabulary=len(set(words)),
        type_token=_type_token(words),
        distinct_1=distinct_share(words),
        distinct_2=distinct_share(pairs),
    )


def _type_token(words: list[str]) -> float:
    """Takes whole stretches alone, for a shorter one has a higher ratio; all words where none is whole."""
    stretches = [words[start : start + WINDOW] for start in range(0, len(words) - WINDOW + 1, WINDOW)]
    ratios = [distinct_share(stretch) for stretch in stretches or [words]]
    return sum(ratios) / len(ratios)
