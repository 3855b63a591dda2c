"""What danger a client's words disclose: suicide, self-harm, violence, danger to others, command voices."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from mirror_bench.coding.phrase_lexicon import lexicon
from mirror_bench.coding.safety.bank import Danger
from mirror_bench.coding.safety.concepts import read_tokens
from mirror_bench.coding.safety.heads import ANY_DANGER, CLIENT, agree, client_scores, marks_of, prepare
from mirror_bench.coding.safety.units import Unit, parts, units

_NOT_DENIED = -1.5
"""Log odds of danger below which a head objects to a phrase that discloses it."""
_SELF = frozenset({"I", "MYSELF", "WE", "BODY", "HIDE"})
_READ_LEAST = 0.0
"""Log odds from which the encoder agrees that there is danger."""
_READ = 2.5
"""How far below the marks a person should still read the words."""
_BARELY = 0.01
_NOTHING = -60.0
_CLAUSES = re.compile(r" (?:[,;:]|but|and|so|because) ")
DANGERS = tuple(kind for kind in Danger if kind is not Danger.DELUSION)


class Disclosure(NamedTuple):
    """A disclosure of danger in a client's turn: its kind, and the words that make it.

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
    prepare(CLIENT, [part.text for unit in units(words) for part in (unit, *parts(unit))])
    return tuple(disclosure for unit in units(words) if (disclosure := _judge(unit)) is not None)


def danger(words: str) -> Disclosure | None:
    """Returns the surest disclosure of danger in a turn, the first of equals, or None; delusions aside."""
    told = [disclosure for disclosure in disclosures(words) if disclosure.kind is not Danger.DELUSION]
    return max(told, key=lambda disclosure: disclosure.sure, default=None)


def _in_plain_words(text: str) -> bool:
    """Tells whether a clause discloses danger in a phrase of `behaviours/safety.yaml`, undenied."""
    patterns = lexicon("safety")
    return any(
        (match := patterns["discloses"].search(clause)) is not None
        and patterns["refused"].search(clause[: match.start()]) is None
        for clause in _CLAUSES.split(" ".join(read_tokens(text).words))
    )


def _own(kind: Danger, text: str) -> bool:
    """Tells whether a clause may be about the client: not "you know when you …?", nor somebody else hit."""
    concepts = set(read_tokens(text).concepts)
    if concepts & _SELF:
        return True
    return kind is not Danger.ABUSE and not {"YOU", "?"} <= concepts


def closest(words: str) -> float:
    """Returns how far a turn's surest words stand above the mark of danger, in log odds.

    Below it, that is less than 0. Delusions aside, and without regard to what is to be read.
    """
    some = [part for unit in units(words) for part in (unit, *parts(unit))]
    prepare(CLIENT, [part.text for part in some])
    return max((_weigh(part.text)[0] for part in some), default=_NOTHING)


def _weigh(text: str) -> tuple[float, Danger]:
    """Returns how far danger as such and the likeliest kind both stand above their marks, and the kind."""
    marks, scores = marks_of(CLIENT), client_scores(text)
    kind = max(DANGERS, key=lambda kind_: scores[kind_.value] - marks[kind_.value].sure)
    as_such = scores[ANY_DANGER] - marks[ANY_DANGER].sure
    margin = min(as_such, scores[kind.value] - marks[kind.value].sure)
    if margin > 0 and not (_own(kind, text) and agree(CLIENT, text, ANY_DANGER, least=_READ_LEAST)):
        margin = -_BARELY
    if margin <= 0 and scores[ANY_DANGER] > _NOT_DENIED and _in_plain_words(text):
        margin = _BARELY
    return margin, kind


def _judge(unit: Unit) -> Disclosure | None:
    """Returns what a sentence or a clause of it discloses: where danger as such and one kind agree on it."""
    marks = marks_of(CLIENT)
    best: tuple[bool, float, Danger, Unit] | None = None
    for part in (unit, *parts(unit)):
        scores = client_scores(part.text)
        margin, kind = _weigh(part.text)
        heard_dangers: list[tuple[bool, float, Danger, Unit]] = []
        if margin > -_READ:
            heard_dangers.append((margin > 0, margin, kind, part))
        lost = scores[Danger.DELUSION.value] - marks[Danger.DELUSION.value].sure
        if scores[Danger.DELUSION.value] > marks[Danger.DELUSION.value].doubtful:
            heard_dangers.append((lost > 0, lost, Danger.DELUSION, part))
        for this in heard_dangers:
            if best is None or this[:2] > best[:2]:
                best = this
    return None if best is None else Disclosure(best[2], best[0], best[3].start, best[3].end)
