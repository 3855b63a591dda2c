"""What a therapist says of its own: a sentence without what it hands back of the client's words."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from mirror_bench.text import LONGEST, lower

_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)*")
_RUN = 3
"""So many words in the client's order are the client's, said as they were or turned ("you" for "I")."""
_PARTS = {
    "'m": "am",
    "'re": "are",
    "'ve": "have",
    "'ll": "will",
    "'d": "would",
}
_TURNS = {
    **dict.fromkeys(("i", "me", "we", "us"), "you"),
    **dict.fromkeys(("my", "our"), "your"),
    **dict.fromkeys(("mine", "ours"), "yours"),
    **dict.fromkeys(("myself", "ourselves"), "yourself"),
    "am": "are",
    "was": "were",
}


@functools.lru_cache(maxsize=8192)
def own_words(words: str, heard: str) -> str:
    """Returns a sentence without the runs of three words and more that stand in what was heard.

    Args:
        words: A sentence of the therapist's.
        heard: The client's last turns. Without any, the sentence comes back as it is.
    """
    said = [name for name, _, _ in _named(heard)]
    theirs = _runs(said) | _runs([_TURNS.get(name, name) for name in said])
    if not theirs:
        return words
    mine = _named(words)
    names = tuple(name for name, _, _ in mine)
    taken = [False] * len(words)
    for place in range(len(names) - _RUN + 1):
        if names[place : place + _RUN] in theirs:
            start, end = mine[place][1], mine[place + _RUN - 1][2]
            taken[start:end] = [True] * (end - start)
    return "".join(" " if gone else sign for sign, gone in zip(words, taken, strict=True))


def _named(text: str) -> list[tuple[str, int, int]]:
    """Returns the words, each with its place; "I'm" is two words at one place."""
    found = []
    for match in _WORD.finditer(lower(text[:LONGEST])):
        head, mark, tail = match.group().partition("'")
        told = (head, _PARTS[mark + tail]) if mark + tail in _PARTS else (match.group(),)
        found += [(name, match.start(), match.end()) for name in told]
    return found


def _runs(names: Sequence[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(names[i : i + _RUN]) for i in range(len(names) - _RUN + 1))
