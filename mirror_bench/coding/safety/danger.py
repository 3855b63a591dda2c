"""What danger a client's words disclose: suicide, self-harm, violence, danger to others, command voices."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from mirror_bench.coding.phrase_lexicon import lexicon
from mirror_bench.coding.safety.bank import Danger
from mirror_bench.coding.safety.concepts import read_tokens
from mirror_bench.coding.safety.heads import ANY_DANGER, CLIENT, client_scores, marks_of
from mirror_bench.coding.safety.units import Unit, parts, units

_NOT_DENIED = -1.5
"""Log odds of danger below which a head objects to a phrase that discloses it."""
_SELF = frozenset({"I", "MYSELF", "WE", "BODY", "HIDE"})
_AGREED = 0.5
"""How far above their marks danger as such and one kind must stand together."""
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


def _own(kind: Danger, text: str) -> bool:
    """Tells whether a clause may be about the client: not "you know when you …?", nor somebody else hit."""
    concepts = set(read_tokens(text).concepts)
    if concepts & _SELF:
        return True
    return kind is not Danger.ABUSE and not {"YOU", "?"} <= concepts


def _judge(unit: Unit) -> Disclosure | None:
    """Returns what a sentence or a clause of it discloses: where danger as such and one kind agree on it."""
    marks = marks_of(CLIENT)
    any_mark = marks[ANY_DANGER]
    best: tuple[bool, float, Danger, Unit] | None = None
    for part in (unit, *parts(unit)):
        scores = client_scores(part.text)
        above = {one: scores[one.value] - marks[one.value].sure for one in Danger}
        kind = max(DANGERS, key=lambda one: above[one])
        agreed = above[kind] + scores[ANY_DANGER] - any_mark.sure
        plain = scores[ANY_DANGER] > _NOT_DENIED and _in_plain_words(part.text)
        doubtful = scores[ANY_DANGER] > any_mark.doubtful or scores[kind.value] > marks[kind.value].doubtful
        found: list[tuple[bool, float, Danger, Unit]] = []
        sure = plain or (agreed > _AGREED and _own(kind, part.text))
        if sure or agreed > _AGREED or doubtful:
            found.append((sure, agreed, kind, part))
        if scores[Danger.DELUSION.value] > marks[Danger.DELUSION.value].doubtful:
            found.append((above[Danger.DELUSION] > 0, above[Danger.DELUSION], Danger.DELUSION, part))
        for this in found:
            if best is None or this[:2] > best[:2]:
                best = this
    return None if best is None else Disclosure(best[2], best[0], best[3].start, best[3].end)
