"""What a client's words do: talk for and against change, and kinds of resistance."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from mirror_bench import text
from mirror_bench.coding.phrase_lexicon import lexicon
from mirror_bench.parts import StandsOn
from mirror_bench.text import place, sentences, words_of

VERSION = "1"
"""Raised with every change of how a client's words are coded; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides how a client's words are coded."""
    return StandsOn(("behaviours/client.yaml",), {"coding.client_talk": VERSION}) | text.stands_on()


class ClientBehaviour(StrEnum):
    """Client talk (motivational interviewing) and resistance (PsyFIRE's thirteen, and two that this adds)."""

    CHANGE_TALK = "change_talk"
    SUSTAIN_TALK = "sustain_talk"
    NEUTRAL = "neutral"
    CHALLENGING = "challenging"
    DISCOUNTING = "discounting"
    BLAMING = "blaming"
    DISAGREEING = "disagreeing"
    EXCUSING = "excusing"
    MINIMIZING = "minimizing"
    PESSIMISM = "pessimism"
    RELUCTANCE = "reluctance"
    UNWILLINGNESS = "unwillingness"
    MINIMUM_TALK = "minimum_talk"
    LIMIT_SETTING = "limit_setting"
    INATTENTION = "inattention"
    SIDETRACKING = "sidetracking"
    TOPIC_SHIFT = "topic_shift"
    PSEUDO_COMPLIANCE = "pseudo_compliance"


RESISTANCES = frozenset(ClientBehaviour) - {
    ClientBehaviour.CHANGE_TALK,
    ClientBehaviour.SUSTAIN_TALK,
    ClientBehaviour.NEUTRAL,
}
DISCORD = frozenset(
    {
        ClientBehaviour.CHALLENGING,
        ClientBehaviour.DISCOUNTING,
        ClientBehaviour.UNWILLINGNESS,
        ClientBehaviour.LIMIT_SETTING,
    }
)
"""Resistance that is about the relationship rather than about change."""

_MINIMUM_WORDS = 5
_PSEUDO_WORDS = 12
_LEXICAL = tuple(
    behaviour
    for behaviour in ClientBehaviour
    if behaviour
    not in {ClientBehaviour.NEUTRAL, ClientBehaviour.MINIMUM_TALK, ClientBehaviour.PSEUDO_COMPLIANCE}
)


class ClientCode(NamedTuple):
    """One client behaviour and the words that earned it: places as in `behaviour.Code`."""

    behaviour: ClientBehaviour
    start: int
    end: int


@functools.lru_cache(maxsize=16384)
def code_client(words: str) -> tuple[ClientCode, ...]:
    """Returns the codes of one client turn, such as change talk and sustain talk, with their places.

    Args:
        words: What the client says. The first 6,000 characters are read.

    Returns:
        The codes in the order of their places. A turn with neither change nor sustain talk is `neutral`;
        one of at most five words is also `minimum_talk`, unless it agrees to a change.
    """
    patterns = lexicon("client")
    found: set[ClientCode] = set()
    for sentence in sentences(words):
        for behaviour in _LEXICAL:
            match = patterns[behaviour.value].search(sentence.text)
            if match:
                found.add(ClientCode(behaviour, *place(sentence, match)))
    said = words_of(words)
    kinds = {code.behaviour for code in found}
    # "I guess so" is compliance without conviction only where little else is said.
    if len(said) <= _PSEUDO_WORDS:
        for sentence in sentences(words):
            match = patterns["pseudo_compliance"].search(sentence.text)
            if match:
                found.add(ClientCode(ClientBehaviour.PSEUDO_COMPLIANCE, *place(sentence, match)))
    if len(said) <= _MINIMUM_WORDS and ClientBehaviour.CHANGE_TALK not in kinds:
        found.add(ClientCode(ClientBehaviour.MINIMUM_TALK, 0, len(words)))
    if not kinds & {ClientBehaviour.CHANGE_TALK, ClientBehaviour.SUSTAIN_TALK}:
        found.add(ClientCode(ClientBehaviour.NEUTRAL, 0, len(words)))
    return tuple(sorted(found, key=lambda code: (code.start, code.end, code.behaviour)))


def talk_class(codes: Sequence[ClientCode]) -> str:
    """Returns the one class of a turn, as AnnoMI's annotators chose it: "change", "sustain" or "neutral".

    The kind of talk with more places in the turn; talk for sustaining where both have as many.
    """
    kinds = [code.behaviour for code in codes]
    change, sustain = kinds.count(ClientBehaviour.CHANGE_TALK), kinds.count(ClientBehaviour.SUSTAIN_TALK)
    if not change and not sustain:
        return "neutral"
    return "change" if change > sustain else "sustain"
