"""Feelings that a text names, and those that a therapist ascribes to its client.

Warm replies are full of feelings that nobody ascribes: "I'm so glad you told me" tells of the therapist, "she
was furious" of somebody else, "don't hurt yourself" of an act. These are taken out first. Of what is left,
the client's is what stands in a frame ("you sound ...", "there's a lot of ... in that") and, in a short
sentence that speaks to the client, any feeling.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mirror_bench.content import content_path, read_yaml
from mirror_bench.errors import InputError
from mirror_bench.faces.facs.expressions import EXPRESSIONS
from mirror_bench.parts import StandsOn
from mirror_bench.text import sentences

VERSION = "1"
"""Raised with every change of what is read as a named feeling; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides which feelings a text names, and which it ascribes to the client."""
    return StandsOn(("behaviours/feelings.yaml",), {"coding.feelings": VERSION})


SHORT = 22
"""Words up to which a sentence that speaks to the client has room for nobody else's feeling."""


class _Words(NamedTuple):
    any_feeling: re.Pattern[str]
    feelings: tuple[tuple[str, re.Pattern[str]], ...]
    negated: re.Pattern[str]


class _Frames(NamedTuple):
    not_the_clients: re.Pattern[str]
    ascribed: re.Pattern[str]
    addressed: re.Pattern[str]


@functools.lru_cache(maxsize=16384)
def named_feelings(text: str) -> tuple[str, ...]:
    """Returns the named expressions whose feeling words stand in a lower-case text, negated ones left out."""
    if not mentions_feeling(text):  # most sentences, for one search instead of twenty
        return ()
    return _named(_words().negated.sub(" ", text))


def mentions_feeling(text: str) -> bool:
    """Tells whether any feeling word stands in a lower-case text, negated or not."""
    return _words().any_feeling.search(text) is not None


def not_of_others(text: str) -> str:
    """Returns a lower-case text of a therapist without feelings of its own, of others, or of nobody."""
    return _frames().not_the_clients.sub(" ", text) if mentions_feeling(text) else text


@functools.lru_cache(maxsize=16384)
def ascribed_feelings(words: str) -> tuple[str, ...]:
    """Returns the named expressions that a therapist's turn ascribes to the client, in order, each once."""
    found: dict[str, None] = {}
    for sentence in sentences(words):
        text = not_of_others(sentence.text)
        if not mentions_feeling(text):
            continue
        affirmed, frames = _words().negated.sub(" ", text), _frames()
        if len(affirmed.split()) <= SHORT and frames.addressed.search(text):
            found |= dict.fromkeys(_named(affirmed))
        for frame in frames.ascribed.finditer(affirmed):
            found |= dict.fromkeys(_named(frame.group()))
    return tuple(found)


def alternatives(texts: Iterable[str]) -> re.Pattern[str]:
    """Compiles a list of regular expressions into one that matches any of them at word boundaries."""
    return re.compile(rf"\b(?:{_either(texts)})\b", re.DOTALL)


def _named(text: str) -> tuple[str, ...]:
    return tuple(name for name, pattern in _words().feelings if pattern.search(text))


@functools.cache
def _words() -> _Words:
    path, content = _content()
    try:
        feelings = content["feelings"]
        every = _either(word for words in feelings.values() for word in words)
        found = _Words(
            any_feeling=re.compile(rf"\b(?:{every})\b", re.DOTALL),
            feelings=tuple((str(name), alternatives(words)) for name, words in feelings.items()),
            negated=re.compile(rf"(?:\b|(?=n't))(?:{content['negated']}) (?:{every})\b"),
        )
    except (KeyError, TypeError, AttributeError, re.error) as error:
        raise InputError(f"{path}: lacks or misspells a pattern: {error}") from None
    unknown = [name for name, _ in found.feelings if name not in EXPRESSIONS]
    if unknown:
        raise InputError(f"{path}: feelings: no expression is named {unknown[0]!r}")
    return found


@functools.cache
def _frames() -> _Frames:
    """Compiles what only replies to a client with a face are read by: it takes most of a second."""
    path, content = _content()
    try:
        frames = content["frames"]
        return _Frames(
            not_the_clients=compile_frames([*frames["nobodys"], *frames["own"], *frames["others"]], content),
            ascribed=compile_frames(frames["ascribed"], content, frames["and_others"]),
            addressed=alternatives(content["addressed"]),
        )
    except (KeyError, TypeError, AttributeError, re.error) as error:
        raise InputError(f"{path}: lacks or misspells a pattern: {error}") from None


def _content() -> tuple[Path, Mapping[str, Any]]:
    path = content_path("behaviours", "feelings.yaml")
    return path, read_yaml(path)


def compile_frames(texts: Iterable[str], content: Mapping[str, Any], after: str = "") -> re.Pattern[str]:
    """Compiles regular expressions in which {feeling}, {between} and {degree} stand for parts of the content.

    Args:
        texts: The expressions, any of which matches.
        content: Of `behaviours/feelings.yaml`.
        after: Follows whichever matched.
    """
    words = _either(word for words in content["feelings"].values() for word in words)
    parts = {name: content["frames"][name] for name in ("between", "degree")} | {"feeling": rf"(?:{words})\b"}
    pattern = rf"(?:{_either(texts)}){after}"
    for name, part in parts.items():
        pattern = pattern.replace(f"{{{name}}}", f"(?:{part})")
    return re.compile(pattern, re.DOTALL)


def _either(texts: Iterable[str]) -> str:
    return "|".join(f"(?:{text})" for text in texts)
