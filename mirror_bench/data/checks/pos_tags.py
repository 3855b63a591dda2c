"""Parts of speech of English utterances, tagged by HanTa (Wartena 2019), whose model lies in its package.

The tags are those of the British National Corpus (C5): NN1 is a noun in the singular, VVD a verb in the past.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from mirror_bench.errors import InputError
from mirror_bench.text import plain_sentences

_MODEL = "morphmodel_en.pgz"
# The corpus that the tagger learned from has "don't" as "do" and "n't", "it's" as "it" and "'s".
_TOKEN = re.compile(
    r"[^\W_]+?(?=n't\b)|n't\b|'(?:s|re|ll|ve|d|m)\b|[^\W_]+(?:(?:-|'(?!(?:s|re|ll|ve|d|m)\b))[^\W_]+)*|[^\w\s]+|_+",
    re.IGNORECASE,
)
_NO_PART_OF_SPEECH = {"UNC", "!!!", ""}
_LONGEST = 400
"""Words of one sentence that are tagged at a time: text from models may go on without a full stop."""
_LONGEST_WORD = 32
"""Letters of a word that the tagger reads, from its end: its time grows with the square of the length."""


class Tagged(NamedTuple):
    """A word and its part of speech; the tag is "" for punctuation and for unclassified words."""

    word: str
    tag: str


class TagRun(NamedTuple):
    """Neighbouring words of one part of speech."""

    tag: str
    words: tuple[str, ...]


def tag_words(text: str) -> list[Tagged]:
    """Returns the words and marks of a text with their parts of speech.

    Raises:
        InputError: If HanTa is not installed.
    """
    return [tagged for sentence in plain_sentences(text) for tagged in _tag_sentence(sentence)]


def equal_runs(text: str, least: int) -> list[TagRun]:
    """Returns the runs of at least `least` neighbouring words of one part of speech; punctuation ends a run.

    Raises:
        InputError: If HanTa is not installed.
    """
    runs = []
    for sentence in plain_sentences(text):
        if not _may_hold(sentence, least):
            continue
        for tag, group in groupby(_tag_sentence(sentence), key=lambda tagged: tagged.tag):
            words = tuple(tagged.word for tagged in group)
            if tag and len(words) >= least:
                runs.append(TagRun(tag, words))
    return runs


def _may_hold(sentence: str, least: int) -> bool:
    """Whether any stretch between two marks is long enough: tagging is slow beside counting."""
    longest = length = 0
    for token in _tokens(sentence):
        length = length + 1 if _is_word(token) else 0
        longest = max(longest, length)
    return longest >= least


@lru_cache(maxsize=4096)
def _tag_sentence(sentence: str) -> tuple[Tagged, ...]:
    tokens = _tokens(sentence)
    tagged: list[Tagged] = []
    for start in range(0, len(tokens), _LONGEST):
        part = tokens[start : start + _LONGEST]
        found = _tagger().tag_sent([token[-_LONGEST_WORD:] for token in part])
        for word, (_, _, tag) in zip(part, found, strict=True):
            known = _is_word(word) and tag not in _NO_PART_OF_SPEECH
            tagged.append(Tagged(word, tag if known else ""))
    return tuple(tagged)


def _tokens(sentence: str) -> list[str]:
    return _TOKEN.findall(sentence.replace("’", "'"))


def _is_word(token: str) -> bool:
    return any(char.isalnum() for char in token)


@lru_cache(maxsize=1)
def _tagger() -> Any:
    try:
        from HanTa import HanoverTagger as hanta  # noqa: N813 - a module with the name of its class
    except ImportError:
        raise InputError(
            "the filter of parts of speech needs the extra 'data': pip install 'mirror-bench[data]'"
        ) from None
    # In full, for HanTa would take a file of this name out of the working directory, and unpickle it.
    return hanta.HanoverTagger(str(Path(hanta.__file__).with_name(_MODEL)))
