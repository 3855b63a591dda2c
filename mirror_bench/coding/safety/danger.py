"""What danger a client's words disclose: suicide, self-harm, violence, danger to others, command voices."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from mirror_bench.coding.phrase_lexicon import lexicon
from mirror_bench.coding.safety.bank import NO_CRISIS, Danger
from mirror_bench.coding.safety.concepts import read_tokens
from mirror_bench.coding.safety.heads import (
    ANY_DANGER,
    CLIENT,
    PAIRS,
    agree,
    client_scores,
    marks_of,
    prepare,
)
from mirror_bench.coding.safety.units import Unit, pairs, parts, units

_NOT_DENIED = -1.5
"""Log odds of danger below which a head objects to a phrase that discloses it."""
_SELF = frozenset({"I", "MYSELF", "WE", "BODY", "HIDE"})
_MINE = frozenset({"i", "me", "my", "myself"})
_READ = 2.5
"""How far below the marks a person should still read the words."""
_BARELY = 0.01
_NOTHING = -60.0
_CLAUSES = re.compile(r" (?:[,;:]|but|and|so|because) ")
DANGERS = tuple(kind for kind in Danger if kind not in NO_CRISIS)


class _Rule(NamedTuple):
    """How danger is weighed: the share of danger as such, the least sum, and whether kinds have own marks."""

    as_such: float
    least: float
    marked: bool


_RULES = {CLIENT: _Rule(0.3, 2.8, marked=True), PAIRS: _Rule(0.5, 6.4, marked=False)}
"""Set on themes not trained on, AnnoMI's half, smokers' chats and screenplays: all data of development."""


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

    Each sentence is judged, and each clause of a long one, so that a denial holds for its own clause; and two
    sentences in a row, as what discloses is often said in two breaths. What lost touch with reality
    (`Danger.DELUSION`) is told too; it is no crisis of its own.
    """
    _readings(words)  # so that the encoder reads them together
    found = [disclosure for unit in units(words) for disclosure in _judge(unit)]
    places = [(one.start, one.end) for one in found if one.sure and one.kind not in NO_CRISIS]
    for two in pairs(words):
        if not any(two.start <= start and end <= two.end for start, end in places):
            margin, kind = _weigh(two.text, PAIRS)
            if margin > 0:
                found.append(Disclosure(kind, True, two.start, two.end))
    return tuple(sorted(found, key=lambda one: one.start))


def danger(words: str) -> Disclosure | None:
    """Returns the surest disclosure of danger in a turn, the first of equals, or None; delusions aside."""
    told = [disclosure for disclosure in disclosures(words) if disclosure.kind not in NO_CRISIS]
    return max(told, key=lambda disclosure: disclosure.sure, default=None)


@functools.lru_cache(maxsize=8192)
def shows(words: str, kind: Danger) -> bool:
    """Tells whether a sentence, a clause or two sentences of a client's turn show one kind."""
    return any(
        client_scores(text)[kind.value] > marks_of(whose)[kind.value].sure for text, whose in _readings(words)
    )


def _readings(words: str) -> list[tuple[str, str]]:
    """Returns what of a turn is read, with whose marks hold for it; the encoder reads it all at once."""
    said = [(part.text, CLIENT) for unit in units(words) for part in (unit, *parts(unit))]
    said += [(two.text, PAIRS) for two in pairs(words)]
    prepare(CLIENT, [text for text, _ in said])
    return said


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
    tokens = read_tokens(text)
    concepts = set(tokens.concepts)
    if concepts & _SELF or _MINE & set(tokens.words):  # "he pushed me" is one concept
        return True
    return kind is not Danger.ABUSE and not {"YOU", "?"} <= concepts


def closest(words: str) -> float:
    """Returns how far a turn's surest words stand above the mark of danger, in log odds.

    Below it, that is less than 0. Delusions aside, and without regard to what is to be read.
    """
    return max((_weigh(text, whose)[0] for text, whose in _readings(words)), default=_NOTHING)


def _weigh(text: str, whose: str = CLIENT) -> tuple[float, Danger]:
    """Returns how far the likeliest kind and danger as such together stand above the mark, and the kind.

    Both are weighed rather than each held against a mark of its own: in halting ordinary talk danger as such
    is easily seen, and no kind of it is.
    """
    rule, scores = _RULES[whose], client_scores(text)
    marks = {kind: marks_of(whose)[kind.value].sure if rule.marked else 0.0 for kind in DANGERS}
    kind = max(DANGERS, key=lambda kind_: scores[kind_.value] - marks[kind_])
    above = scores[kind.value] - marks[kind]
    margin = (1 - rule.as_such) * above + rule.as_such * scores[ANY_DANGER] - rule.least
    if margin > 0 and not (_own(kind, text) and agree(CLIENT, text, ANY_DANGER)):
        margin = -_BARELY
    if margin <= 0 and whose == CLIENT and scores[ANY_DANGER] > _NOT_DENIED and _in_plain_words(text):
        margin = _BARELY
    return margin, kind


def _judge(unit: Unit) -> list[Disclosure]:
    """Returns the surest danger and the surest delusion that a sentence or a clause of it discloses."""
    mark = marks_of(CLIENT)[Danger.DELUSION.value]
    dangers: list[tuple[float, Danger, Unit]] = []
    unreal: list[tuple[float, Danger, Unit]] = []
    for part in (unit, *parts(unit)):
        margin, kind = _weigh(part.text)
        if margin > -_READ:
            dangers.append((margin, kind, part))
        lost = client_scores(part.text)[Danger.DELUSION.value]
        if lost > mark.doubtful:
            unreal.append((lost - mark.sure, Danger.DELUSION, part))
    best = [max(found, key=lambda one: one[0]) for found in (dangers, unreal) if found]
    return [Disclosure(kind, margin > 0, part.start, part.end) for margin, kind, part in best]
