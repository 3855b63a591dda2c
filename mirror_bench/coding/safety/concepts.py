"""Words and their concepts: a sentence as the tokens that the heads of `coding` read."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mirror_bench.content import content_path, read_yaml
from mirror_bench.errors import InputError

_TOKEN = re.compile(r"[a-z0-9]+(?:['&+%-][a-z0-9]+)*%?|[?!,;:]|\.{2,}")
_NUMBER = re.compile(
    r"(?<![\w$£€])(?:\d[\d-]*[a-z]+[\da-z-]*"  # 1-800-HELPERS
    r"|\+?\(?\d(?:[\d.-]*\d)?\)?(?:[ .-]?\d{2,}(?:[.-]\d+)*| \d(?= \d{2}))*)(?!\w)"  # 0800 111 0 111
)
_MEASURED = re.compile(r"\d+(?:s|mg|ml|mcg|g|kg|km|k|am|pm|th|st|nd|rd)")
"""A decade, an amount or a time, which is no telephone number."""
_STRAIGHT = str.maketrans("’‘ʼ“”—–…", "'''\"\",,,")
_LONGEST = 6
"""Words of the longest phrase that is looked for."""
_LEAST_DIGITS = 7
"""A number of so many digits that is no known line is a telephone number that somebody must look up."""
_NATIONAL = 10
"""Digits of a number of North America without the 1 that may stand before it."""
CLAUSE = "|"
_BREAKS = frozenset(",;:") | {
    "but",
    "and",
    "because",
    "so",
    "though",
    "although",
    "that",
    "if",
    "when",
}


class ConceptList(NamedTuple):
    """The file `tasks/safety/concepts.yaml`, ready to look up.

    Attributes:
        spellings: Words as they are written -> words as they are read.
        phrases: Words -> concept.
        endings: The beginning of a word -> concept.
        lines: Digits of the crisis lines that are known.
    """

    spellings: Mapping[tuple[str, ...], tuple[str, ...]]
    phrases: Mapping[tuple[str, ...], str]
    endings: Mapping[str, str]
    lines: frozenset[str]


@functools.cache
def content() -> ConceptList:
    """Returns the packaged list of spellings and concepts, parsed.

    Raises:
        InputError: If the file is missing or malformed.
    """
    path = content_path("safety", "concepts.yaml")
    read = read_yaml(path)
    try:
        spellings = {tuple(str(k).split()): tuple(str(v).split()) for k, v in read["spellings"].items()}
        phrases: dict[tuple[str, ...], str] = {}
        endings: dict[str, str] = {}
        for name, listed in read["concepts"].items():
            for phrase in listed:
                words = tuple(_words(str(phrase).replace("*", "")))
                words = tuple(w for word in words for w in spellings.get((word,), (word,)))
                if str(phrase).endswith("*") and len(words) == 1:
                    endings.setdefault(words[0], str(name))
                else:
                    phrases.setdefault(words, str(name))
        lines = {re.sub(r"\D", "", str(one)) for one in read["concepts"]["KNOWNLINE"]} - {""}
    except (AttributeError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: needs the mappings 'spellings' (text to text) and 'concepts' (name to texts): {error}"
        ) from None
    return ConceptList(spellings, phrases, endings, frozenset(lines))


class Tokens(NamedTuple):
    """A sentence as words in their usual spelling, and as the concepts that they stand for.

    Attributes:
        words: Lower-case words in their usual spelling, with the marks ? ! , ; :
        concepts: The concepts in their order, with `CLAUSE` between clauses and "?" for a question mark.
    """

    words: tuple[str, ...]
    concepts: tuple[str, ...]


@functools.lru_cache(maxsize=16384)
def read_tokens(text: str) -> Tokens:
    """Reads a sentence as words and concepts."""
    known = content()
    plain = _NUMBER.sub(_number, text.translate(_STRAIGHT).lower())
    words = _respell(_words(plain), known.spellings)
    concepts: list[str] = []
    place = 0
    while place < len(words):
        length, name = _concept(words, place, known)
        if name:
            concepts.append(name)
        if words[place] in _BREAKS and (not concepts or concepts[-1] != CLAUSE):
            concepts.append(CLAUSE)
        if words[place] == "?":
            concepts.append("?")
        place += length
    return Tokens(tuple(words), tuple(concepts))


def _words(text: str) -> list[str]:
    return _TOKEN.findall(text.replace("BADNUMBER", "badnumber"))


def _number(match: re.Match[str]) -> str:
    """Writes a telephone number that is no known line as one word; other numbers stay."""
    if _MEASURED.fullmatch(match.group()):
        return match.group()
    digits = re.sub(r"\D", "", match.group())
    known = content().lines if digits else frozenset()
    whole = digits.removeprefix("1") if len(digits) > _NATIONAL else digits
    if digits in known or whole in {one.removeprefix("1") if len(one) > _NATIONAL else one for one in known}:
        return "988"
    spelt = len(digits) >= 4 and any(sign.isalpha() for sign in match.group())
    return "badnumber" if spelt or len(digits) >= _LEAST_DIGITS else match.group()


def _respell(words: Sequence[str], spellings: Mapping[tuple[str, ...], tuple[str, ...]]) -> list[str]:
    found: list[str] = []
    place = 0
    while place < len(words):
        for length in (3, 2, 1):
            new = spellings.get(tuple(words[place : place + length]))
            if new is not None and place + length <= len(words):
                found.extend(new)
                place += length
                break
        else:
            found.append(words[place])
            place += 1
    return found


def _concept(words: Sequence[str], place: int, known: ConceptList) -> tuple[int, str]:
    """Returns how many words the longest phrase here takes, at least one, and its concept or ""."""
    for length in range(min(_LONGEST, len(words) - place), 0, -1):
        name = known.phrases.get(tuple(words[place : place + length]))
        if name is not None:
            return length, name
    return 1, _by_beginning(words[place])


@functools.lru_cache(maxsize=65536)
def _by_beginning(word: str) -> str:
    endings = content().endings
    for length in range(len(word), 2, -1):
        name = endings.get(word[:length])
        if name is not None:
            return name
    return ""
