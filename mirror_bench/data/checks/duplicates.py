"""Screenplays that are nearly the same, and those that begin or end with the same words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from mirror_bench.data.screenplays.records import (
    Screenplay,
)
from mirror_bench.errors import InputError
from mirror_bench.text import ngrams, words_of

ABOVE = 0.15
"""Jaccard index of two screenplays' 5-grams above which they count as near-duplicates."""
SIZE = 5
EXACT_UP_TO = 400
"""Screenplays up to which all pairs are compared; above, MinHash picks the pairs that are."""
# 200 bands of two: a pair of similarity 0.15 is compared with a probability of 0.99, one of 0.25 but for one
# in 400,000; of unlike pairs (0.01) one in fifty is compared in vain. Comparing all pairs takes longer the
# more phrases they have in common; this does not.
_BANDS, _ROWS = 200, 2


class Pair(NamedTuple):
    """Two screenplays, by id in the order of the source, and the Jaccard index of their 5-grams."""

    first: str
    second: str
    similarity: float


class Shared(NamedTuple):
    """Words that several screenplays begin or end with."""

    words: str
    screenplays: tuple[str, ...]


def near_duplicates(
    plays: Sequence[Screenplay], above: float = ABOVE, exact: bool | None = None
) -> list[Pair]:
    """Returns the pairs of screenplays that share more than `above` of their 5-grams, the likest first.

    The 5-grams are those of all words in a row, without stage directions; every similarity is the true one.

    Args:
        plays: With unique ids.
        above: In [0, 1).
        exact: Whether every pair is compared; with False, MinHash may miss one near the threshold. None
            decides by the number of screenplays.

    Raises:
        InputError: If MinHash is needed and its library is not installed.
    """
    grams = [_grams(play) for play in plays]
    if exact is None:
        exact = len(plays) <= EXACT_UP_TO
    pairs = []
    for (one, other), shared in _overlaps(grams) if exact else _candidates(grams):
        similarity = shared / (len(grams[one]) + len(grams[other]) - shared)
        if similarity > above:
            pairs.append(Pair(plays[one].id, plays[other].id, similarity))
    return sorted(pairs, key=lambda pair: (-pair.similarity, pair.first, pair.second))


def equal_openings(plays: Iterable[Screenplay]) -> list[Shared]:
    """Returns the first utterances that several screenplays have in common, the commonest first."""
    return _shared(plays, 0)


def equal_endings(plays: Iterable[Screenplay]) -> list[Shared]:
    """Returns the last utterances that several screenplays have in common, the commonest first."""
    return _shared(plays, -1)


def _grams(play: Screenplay) -> frozenset[tuple[str, ...]]:
    return frozenset(ngrams([word for line in play.lines for word in words_of(line.words)], SIZE))


def _overlaps(grams: Sequence[frozenset[tuple[str, ...]]]) -> Iterator[tuple[tuple[int, int], int]]:
    """Yields every pair with something in common, and how much."""
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, own in enumerate(grams):
        for gram in own:
            holders[gram].append(place)
    counts: Counter[tuple[int, int]] = Counter()
    for places in holders.values():
        if len(places) > 1:
            counts.update(combinations(places, 2))
    yield from counts.items()


def _candidates(grams: Sequence[frozenset[tuple[str, ...]]]) -> Iterator[tuple[tuple[int, int], int]]:
    """Yields the pairs that share a band of MinHash values, and how much they have in common."""
    try:
        from datasketch import MinHash, MinHashLSH
    except ImportError:
        raise InputError(
            "comparing many screenplays needs the extra 'data': pip install 'mirror-bench[data]'"
        ) from None
    index = MinHashLSH(num_perm=_BANDS * _ROWS, params=(_BANDS, _ROWS))
    for place, own in enumerate(grams):
        if not own:
            continue
        signature = MinHash(num_perm=_BANDS * _ROWS)
        signature.update_batch([" ".join(gram).encode() for gram in own])
        for other in sorted(index.query(signature)):
            yield (other, place), len(grams[other] & own)
        index.insert(place, signature, check_duplication=False)


def _shared(plays: Iterable[Screenplay], place: int) -> list[Shared]:
    found: dict[str, list[str]] = defaultdict(list)
    for play in plays:
        said = [words for line in play.lines if (words := words_of(line.words))]
        if said:
            found[" ".join(said[place])].append(play.id)
    groups = [Shared(words, tuple(ids)) for words, ids in found.items() if len(ids) > 1]
    return sorted(groups, key=lambda group: (-len(group.screenplays), group.words))
