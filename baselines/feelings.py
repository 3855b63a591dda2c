"""Statements in which a client sounds glad or distressed, put together from `templates/feelings.yaml`."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baselines.architecture import TEMPLATES
from mirror_bench.content import read_yaml
from mirror_bench.errors import InputError

PATH = TEMPLATES / "feelings.yaml"
FINE, DISTRESSED = "glad", "distressed"
ABOUT = 0.6
"""Share of statements that are about a matter; the others tell what happened, and what came of it."""


@dataclass(frozen=True)
class Feelings:
    """The templates of sentences that tell of a feeling.

    Attributes:
        matters: What can be felt about.
        happened: What can have happened; it tells nothing of the feeling.
        about: Feeling -> sentences with a place for a matter.
        end: Feeling -> ends of what happened.
    """

    matters: tuple[str, ...]
    happened: tuple[str, ...]
    about: Mapping[str, tuple[str, ...]]
    end: Mapping[str, tuple[str, ...]]

    def say(self, fine: bool, draw: random.Random) -> str:
        """Returns a statement, of which only the feeling follows from `fine`."""
        feeling = FINE if fine else DISTRESSED
        if draw.random() < ABOUT:
            words = draw.choice(self.about[feeling]).format(matter=draw.choice(self.matters))
            return words[0].upper() + words[1:]
        return f"{draw.choice(self.happened)}{draw.choice((',', ''))} {draw.choice(self.end[feeling])}"

    def texts(self) -> Iterator[str]:
        """Yields every text of the templates, matters in place of places left for them."""
        yield from self.happened
        matters = itertools.cycle(self.matters)
        for feeling in (FINE, DISTRESSED):
            yield from self.end[feeling]
            yield from (text.format(matter=next(matters)) for text in self.about[feeling])


@functools.cache
def load_feelings(path: Path = PATH) -> Feelings:
    """Reads the templates.

    Raises:
        InputError: If an entry is missing or no list of texts, naming it.
    """
    content = read_yaml(path)
    feelings = _entry(path, content, "feelings", dict)
    told = {name: _entry(path, feelings, name, dict) for name in (FINE, DISTRESSED)}
    return Feelings(
        _texts(path, content, "matters"),
        _texts(path, content, "happened"),
        {name: _texts(path, entry, "about") for name, entry in told.items()},
        {name: _texts(path, entry, "end") for name, entry in told.items()},
    )


def _entry(path: Path, content: Mapping[str, Any], key: str, kind: type) -> Any:
    if not isinstance(content.get(key), kind):
        raise InputError(f"{path}: needs an entry {key!r}")
    return content[key]


def _texts(path: Path, content: Mapping[str, Any], key: str) -> tuple[str, ...]:
    texts = _entry(path, content, key, list)
    if not texts or not all(isinstance(text, str) for text in texts):
        raise InputError(f"{path}: {key!r} must be a list of texts")
    return tuple(texts)
