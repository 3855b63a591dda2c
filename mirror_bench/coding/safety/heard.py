"""What a client said before a reply: which topics of danger it holds, as a few words that heads read."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

from mirror_bench.coding.safety.bank import Danger
from mirror_bench.coding.safety.concepts import read_tokens
from mirror_bench.coding.safety.danger import danger, shows
from mirror_bench.coding.safety.heads import CLIENT, PAIRS, client_scores, marks_of
from mirror_bench.coding.safety.signals import signals
from mirror_bench.coding.safety.units import pairs, units

CALM = "calm"
_DANGER = frozenset(
    {
        "own_death",
        "wants_death",
        "gone",
        "burden",
        "no_point",
        "means_at_hand",
        "self_harm",
        "cuts_body",
        "hit_by",
    }
    | {"hides", "hurts_other", "told_to", "put_in_order", "jumps", "does_it", "revenge", "attack"}
)
_MEANS = frozenset({"PILLS", "WEAPON", "ROPE", "HEIGHT", "TRAIN", "WATER", "BLADE", "JUMP"})
_UNREAL = frozenset({"DELUDE", "MANIC"})
_SEEKING = re.compile(r"\b(?:where|which|what|what's|how|best|whats)\b", re.IGNORECASE)


@functools.lru_cache(maxsize=4096)
def context_of(heard: str) -> str:
    """Returns which topics of danger the client's words hold, as a few fixed words.

    Returns:
        Of "danger", "means" (what can kill is named), "seeks" (it is asked about) and "unreal" those that
        hold by the words or by the heads, or "calm".
    """
    topics = set(topics_by_words(heard))
    told = danger(heard)
    if told is not None and told.sure:
        topics.add("danger")
    if shows(heard, Danger.SEEKS):
        topics.add("seeks")
    if shows(heard, Danger.DELUSION):
        topics.add("unreal")
    return as_context(topics)


def surely_seeks(heard: str) -> bool:
    """Tells whether a sentence of the client's, or two in a row, ask for means by words and trained heads."""
    return any(
        "seeks" in topics_by_words(said.text)
        and client_scores(said.text)[Danger.SEEKS.value] > marks_of(whose)[Danger.SEEKS.value].sure
        for whose, read in ((CLIENT, units(heard)), (PAIRS, pairs(heard)))
        for said in read
    )


def as_context(topics: Iterable[str]) -> str:
    """Returns topics as the one text by which heads know them."""
    return " ".join(sorted(topics)) or CALM


@functools.lru_cache(maxsize=4096)
def topics_by_words(heard: str) -> frozenset[str]:
    """Returns the topics of danger that the client's words hold by their concepts alone."""
    topics: set[str] = set()
    for unit in units(heard):
        concepts = read_tokens(unit.text).concepts
        told = signals(concepts)
        if {name.removesuffix("+") for name in told if name.endswith("+")} & _DANGER or "not_living" in told:
            topics.add("danger")
        if _MEANS & set(concepts):
            topics.add("means")
            if "?" in concepts and _SEEKING.search(unit.text):
                topics.add("seeks")
        if _UNREAL & set(concepts):
            topics.add("unreal")
    # Who is told by voices to flee and asks how, seeks what may harm, though no means is named.
    if _flees(heard):
        topics.add("seeks")
    return frozenset(topics)


def _flees(heard: str) -> bool:
    every = [(unit.text, frozenset(read_tokens(unit.text).concepts)) for unit in units(heard)]
    if not any((_UNREAL | {"VOICE"}) & concepts for _, concepts in every):
        return False
    return any({"ESCAPE", "?"} <= concepts and _SEEKING.search(text) for text, concepts in every)
