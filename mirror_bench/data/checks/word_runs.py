"""Words, runs of words and sentences of a text, as the filters and the measures of a data set count them."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"”’')\]]*\s+|\n+")


def words_of(text: str) -> list[str]:
    """Returns the words in lower case, without punctuation; "don't" is one word, "well-kept" two."""
    return [word.lower().replace("’", "'") for word in _WORD.findall(text)]


def sentences_of(text: str) -> list[str]:
    """Returns the sentences in order; a line break ends one as well."""
    return [part.strip() for part in _SENTENCE_END.split(text) if part.strip()]


def ngrams(words: list[str], size: int) -> list[tuple[str, ...]]:
    """Returns the runs of `size` neighbouring words, in order."""
    return [tuple(words[start : start + size]) for start in range(len(words) - size + 1)]
