"""Words of a turn: sentences with their places, and how much one text shares with another."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

from mirror_bench.content import content_path, read_yaml
from mirror_bench.parts import StandsOn

VERSION = "1"
"""Raised with every change of how words are cut, counted and compared; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides how words are cut, counted and compared."""
    return StandsOn(("behaviours/words.yaml",), {"text": VERSION})


LONGEST = 6000
"""Characters of a turn that are read; a longer turn is coded by its beginning, so cost stays bounded."""

_SENTENCE = re.compile(r"[^.!?…\n]+(?:[.!?…]+(?=\s|$|[\"'”)])|[.!?…]+(?=\S)|\n+|$)[\"'”)]*")
_DISFLUENT = re.compile(
    r"\[[^\]]{0,60}\] ?|\b(?:u[mh]+|er+m?),? ?|,? (?:you know|kind of|sort of|kinda|sorta|"
    r"i mean|i guess),(?= )|\b(\w+(?:'\w+)?)-+ ?(?=\1\b)"
)
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ’‘ʼ“”—–", "abcdefghijklmnopqrstuvwxyz'''\"\"--")


@functools.cache
def function_words() -> frozenset[str]:
    """Returns the words that carry no content, from `tasks/behaviours/words.yaml`."""
    content = read_yaml(content_path("behaviours", "words.yaml"))
    return frozenset(str(content["function_words"]).split())


class Sentence(NamedTuple):
    """One sentence of a turn.

    Attributes:
        text: In lower case, straight quotes, trimmed, without the disfluencies of transcripts ("I-I", "um,",
            "[laughs]"), so it may be shorter than its place.
        start: Where it begins in the turn's words.
        end: Where it ends, exclusive.
    """

    text: str
    start: int
    end: int


def place(sentence: Sentence, match: re.Match[str]) -> tuple[int, int]:
    """Returns where a match in `sentence.text` lies in the turn: start and end, exclusive.

    It is the whole sentence where disfluencies were taken out of it, as places inside it have moved.
    """
    if len(sentence.text) != sentence.end - sentence.start:
        return sentence.start, sentence.end
    return sentence.start + match.start(), sentence.start + match.end()


def lower(words: str) -> str:
    """Returns the words in ASCII lower case with straight quotes: the same length, so places stay valid."""
    return words.translate(_LOWER)


@functools.lru_cache(maxsize=4096)
def sentences(words: str) -> tuple[Sentence, ...]:
    """Splits the first `LONGEST` characters of a turn into sentences; empty ones are left out."""
    found = []
    text = lower(words[:LONGEST])
    for match in _SENTENCE.finditer(text):
        raw = match.group()
        trimmed = raw.strip()
        if any(c.isalnum() for c in trimmed) or trimmed.endswith("?"):
            start = match.start() + len(raw) - len(raw.lstrip())
            end = start + len(trimmed)
            if _DISFLUENT.search(trimmed):
                trimmed = _DISFLUENT.sub("", trimmed).strip(" ,")
            if trimmed:
                found.append(Sentence(trimmed, start, end))
    return tuple(found)


def tokens(text: str) -> list[str]:
    """Returns the lower-case words of a text."""
    return _WORD.findall(lower(text[:LONGEST]))


@functools.lru_cache(maxsize=8192)
def content_words(text: str) -> frozenset[str]:
    """Returns the words that carry content, without endings, so that "worried" meets "worry"."""
    return frozenset(stem(word) for word in tokens(text) if word not in function_words())


def stem(word: str) -> str:
    """Returns a word without its commonest English endings; crude, but the same for both texts compared."""
    word = word.removesuffix("'s")
    for ending in ("ing", "ied", "ies", "ed", "ly", "es", "s", "y", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


def shared(text: str, other: str) -> float:
    """Returns the share of `text`'s content words that `other` holds, in [0, 1]; 0 where it has none."""
    mine = content_words(text)
    return len(mine & content_words(other)) / len(mine) if mine else 0.0


@functools.lru_cache(maxsize=8192)
def _runs(text: str) -> frozenset[tuple[str, ...]]:
    words = tokens(text)
    size = 3
    return frozenset(tuple(words[i : i + size]) for i in range(len(words) - size + 1))


def echo_share(words: str, heard: str) -> float:
    """Returns the share of a turn's three-word runs that stand in what was heard, in [0, 1].

    A reflection in the therapist's own words shares few; a parrot shares nearly all. Pronouns are turned
    ("my" to "your") in neither text, so a parrot that turns them still shares the runs between them.
    """
    mine = _runs(words)
    return len(mine & _runs(heard)) / len(mine) if mine else 0.0


def repeats(words: str, before: Sequence[str], threshold: float = 0.5) -> bool:
    """Tells whether a turn says again what an earlier one said.

    True where at least `threshold` of its three-word runs (and at least four runs) stand in one earlier turn.
    """
    mine = _runs(words)
    if len(mine) < 4:
        return False
    return any(len(mine & _runs(earlier)) / len(mine) >= threshold for earlier in before)
