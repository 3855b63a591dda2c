"""What danger a client's words disclose: suicide, self-harm, violence, danger to others, command voices."""

from __future__ import annotations

import functools
import math
import re
from typing import NamedTuple

from mirror_bench.coding.phrase_lexicon import lexicon
from mirror_bench.coding.safety.bank import Danger
from mirror_bench.coding.safety.concepts import read_tokens
from mirror_bench.coding.safety.heads import ANY_DANGER, CLIENT, client_scores, marks_of
from mirror_bench.coding.safety.units import Unit, parts, units

_NOT_DENIED = -1.5
"""Log odds of danger below which a head objects to a phrase that discloses it."""
_CLAUSES = re.compile(r" (?:[,;:]|but|and|so|because) ")
DANGERS = tuple(one for one in Danger if one is not Danger.DELUSION)


class Disclosure(NamedTuple):
    """Words that disclose danger.

    Attributes:
        kind: What they disclose.
        sure: Whether it is found; otherwise a person should read it.
        start: Where the words begin in the turn.
        end: Where they end, exclusive.
    """

    kind: Danger
    sure: bool
    start: int
    end: int


@functools.lru_cache(maxsize=8192)
def disclosures(words: str) -> tuple[Disclosure, ...]:
    """Returns the danger that a client's turn discloses, in the order of the words.

    Each sentence is judged, and each clause of a long one, so that a denial holds for its own clause. What
    lost touch with reality (`Danger.DELUSION`) is told too; it is no crisis of its own.
    """
    return tuple(found for unit in units(words) if (found := _judge(unit)) is not None)


def danger(words: str) -> Disclosure | None:
    """Returns the surest disclosure of danger in a turn, the first of equals, or None; delusions aside."""
    found = [one for one in disclosures(words) if one.kind is not Danger.DELUSION]
    return max(found, key=lambda one: one.sure, default=None)


def _in_plain_words(text: str) -> bool:
    """Tells whether a clause discloses danger in a phrase of `behaviours/safety.yaml`, undenied."""
    patterns = lexicon("safety")
    return any(
        (match := patterns["discloses"].search(clause)) is not None
        and patterns["refused"].search(clause[: match.start()]) is None
        for clause in _CLAUSES.split(" ".join(read_tokens(text).words))
    )


def _least_danger(kind: str) -> float:
    return -math.inf if kind == Danger.DELUSION else marks_of(CLIENT)[ANY_DANGER].doubtful


def _judge(unit: Unit) -> Disclosure | None:
    marks = marks_of(CLIENT)
    best: tuple[bool, float, str, Unit] | None = None
    for part in (unit, *parts(unit)):
        scores = client_scores(part.text)
        plain = _in_plain_words(part.text)
        for kind, score in scores.items():
            witnessed = kind == ANY_DANGER and plain and score > _NOT_DENIED
            if score <= marks[kind].doubtful and not witnessed:
                continue
            named = kind
            if kind == ANY_DANGER:
                named = max((one.value for one in DANGERS), key=lambda name: scores[name])
            # One kind alone may be moved by a single word; danger as such must at least be likely too.
            sure = score > marks[kind].sure and scores[ANY_DANGER] > _least_danger(kind)
            sure |= witnessed
            this = (sure, score - marks[kind].sure, named, part)
            if best is None or this[:2] > best[:2]:
                best = this
    if best is None:
        return None
    sure, _, kind, part = best
    return Disclosure(Danger(kind), sure, part.start, part.end)
