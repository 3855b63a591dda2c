"""The toolbox for texts: sentences with their places, words, stems, counts, and what two texts share."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from mirror_bench.content import content_path, read_yaml
from mirror_bench.parts import StandsOn

VERSION = "2"
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
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"”’')\]]*\s+|\n+")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ’‘ʼ“”—–", "abcdefghijklmnopqrstuvwxyz'''\"\"--")


@functools.cache
def function_words() -> frozenset[str]:
    """Returns the words that carry no content, from `tasks/behaviours/words.yaml`."""
    content = read_yaml(content_path("behaviours", "words.yaml"))
    return frozenset(str(content["function_words"]).split())


class Sentence(NamedTuple):
    """One sentence of a turn, normalised, and its place in the words.

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


def plain_sentences(text: str) -> list[str]:
    """Returns the sentences of a text as they are written, in order; a line break ends one as well."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part.strip()]


def words_of(text: str) -> list[str]:
    """Returns the words of a text in lower case, without punctuation; "don't" is one, "well-kept" two."""
    return [word.lower() for word in _WORD.findall(lower(text))]


def count_words(text: str) -> int:
    """Returns how many words a text has, as `words_of` cuts them."""
    return len(_WORD.findall(lower(text)))


def ngrams(words: Sequence[str], size: int) -> list[tuple[str, ...]]:
    """Returns the runs of `size` neighbouring words, in order."""
    return [tuple(words[start : start + size]) for start in range(len(words) - size + 1)]


def distinct_share(items: Sequence[Hashable]) -> float:
    """Returns different items over all items, in [0, 1] (distinct-n, Li et al. 2016); 0 for no items."""
    return len(set(items)) / len(items) if items else 0.0


@functools.lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Returns a lower-case English word without its endings (Porter2): "worried" meets "worry"."""
    return str(_stemmer().stemWord(word.removesuffix("'s")))


@functools.cache
def _stemmer() -> Any:
    import snowballstemmer  # on first use: most commands compare no texts

    return snowballstemmer.stemmer("english")


@functools.lru_cache(maxsize=8192)
def content_words(text: str) -> frozenset[str]:
    """Returns the stems of the words that carry content, of the first `LONGEST` characters."""
    return frozenset(stem(word) for word in words_of(text[:LONGEST]) if word not in function_words())


def one_line(text: object, longest: int = 300) -> str:
    """Returns what a stranger's program or file says as one printable line, cut with "…" at `longest`."""
    said = str(text)[: 20 * longest]
    line = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def without_invisible(text: str) -> str:
    """Returns a text without control, format, surrogate and private characters; line ends and tabs stay."""
    return "".join(c for c in text if c in "\n\t " or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"})


def shared(text: str, other: str) -> float:
    """Returns the share of `text`'s content words that `other` holds, in [0, 1]; 0 where it has none."""
    mine = content_words(text)
    return len(mine & content_words(other)) / len(mine) if mine else 0.0


@functools.lru_cache(maxsize=8192)
def _runs(text: str) -> frozenset[tuple[str, ...]]:
    return frozenset(ngrams(words_of(text[:LONGEST]), 3))


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
