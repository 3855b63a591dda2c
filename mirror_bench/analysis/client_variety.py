"""How varied the client's words are: repeated utterances, recurring phrases, distinct n-grams."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from mirror_bench.clients.stateful.utterances import load_bank
from mirror_bench.schema import Profile, Resistance, Session, Speaker
from mirror_bench.text import ngrams, words_of


class Variety(NamedTuple):
    """How often the client's words repeat themselves over some sessions, in counts and shares.

    Attributes:
        sessions: Sessions looked at.
        utterances: Client turns with words in them.
        words: Words of these.
        repeating_sessions: Sessions in which the client says the same utterance twice.
        recurring_5grams: Share of the 5-grams inside utterances that stood in the same session before.
        distinct_1: Different words over all words (Li et al. 2016).
        distinct_2: Different pairs of neighbouring words within an utterance, over all of them.
        distinct_utterances: Different utterances over all utterances.
    """

    sessions: int
    utterances: int
    words: int
    repeating_sessions: int
    recurring_5grams: float
    distinct_1: float
    distinct_2: float
    distinct_utterances: float


def measure_variety(sessions: Iterable[Session]) -> Variety:
    """Measures the client's words over many sessions, without keeping the sessions."""
    held = repeating = words = fives = recurring = pairs = utterances = 0
    vocabulary: set[str] = set()
    bigrams: set[tuple[str, ...]] = set()
    different: set[str] = set()
    for session in sessions:
        held += 1
        spoken = [words_of(t.words) for t in session.turns if t.speaker is Speaker.CLIENT]
        spoken = [said for said in spoken if said]
        whole = [" ".join(said) for said in spoken]
        repeating += len(set(whole)) < len(whole)
        different.update(whole)
        utterances += len(spoken)
        heard: set[tuple[str, ...]] = set()
        for said in spoken:
            words += len(said)
            vocabulary.update(said)
            own = ngrams(said, 2)
            pairs += len(own)
            bigrams.update(own)
            for gram in ngrams(said, 5):
                fives += 1
                recurring += gram in heard
                heard.add(gram)
    return Variety(
        held,
        utterances,
        words,
        repeating,
        _share(recurring, fives),
        _share(len(vocabulary), words),
        _share(len(bigrams), pairs),
        _share(len(different), utterances),
    )


def bank_variety(profiles: Iterable[Profile]) -> dict[str, float]:
    """Measures the utterance bank itself: every line that a client can say, each once.

    Returns:
        `lines`, `words` and `distinct_2`.
    """
    lines = {line.words for profile in profiles for line in profile.voice}
    lines |= {line.text for kind in Resistance for line in load_bank(kind).all_lines()}
    said = [words_of(line) for line in sorted(lines)]
    pairs = [pair for words in said for pair in ngrams(words, 2)]
    return {
        "lines": len(lines),
        "words": sum(map(len, said)),
        "distinct_2": _share(len(set(pairs)), len(pairs)),
    }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
