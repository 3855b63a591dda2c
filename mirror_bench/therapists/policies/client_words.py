"""What the scripted therapists take from the client's words: a clause to hand back, and a topic."""

from __future__ import annotations

import functools
import itertools
import re
from typing import NamedTuple

from mirror_bench import text as wording
from mirror_bench.parts import StandsOn
from mirror_bench.text import function_words, lower

VERSION = "1"
"""Raised with every change of what is taken from the client's words; part of a therapist's identity."""


def stands_on() -> StandsOn:
    """Returns what decides what a scripted therapist takes from the client's words."""
    return StandsOn.of("therapists.policies.client_words", VERSION) | wording.stands_on()


_LONGEST = 2_000
_LONGEST_CLAUSE = 14
_SHORTEST_CLAUSE = 3

_TURNS = {
    "i": "you", "i'm": "you're", "i've": "you've", "i'd": "you'd", "i'll": "you'll", "am": "are",
    "me": "you", "my": "your", "mine": "yours", "myself": "yourself", "we": "you", "our": "your", "us": "you",
}  # fmt: skip
_PHRASES = {
    "i was": "you were",
    "i am": "you are",
    "was i": "were you",
    "am i": "are you",
    "i wasn't": "you weren't",
}
_TURN = re.compile(
    r"\b("
    + "|".join(sorted((*_PHRASES, *_TURNS), key=len, reverse=True)).replace(" ", r"\s+")
    + r")(?!['\w])",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[.!?;…]+|\s[–—-]+\s|,\s(?=(?:and|but|so|because|then|if)\b)")
_OPENER = re.compile(
    r"^(?:(?:well|okay|ok|yes|yeah|no|right|so|and|but|honestly|look|hm+|huh|sure|maybe|mm|oh|all right|fine|"
    r"hi|hello|sorry|really|mostly|i mean|i guess|i think|i suppose|because|then)\b[\s,.]*)+",
    re.IGNORECASE,
)
_FIRST_PERSON = re.compile(r"\b(?:i|i'm|i've|i'd|i'll|my|me|it|it's|that|there)\b", re.IGNORECASE)
_SECOND_PERSON = re.compile(r"\b(?:you|your|you're|you've|you'd|yours|yourself)\b", re.IGNORECASE)
_QUESTION_LIKE = re.compile(
    r"^(?:what|how|why|who|where|when|is|are|do|did|can|could|define|ask|give|forget|leave|let|look|stop|try|move|write|call|check)\b",
    re.IGNORECASE,
)
_TOPIC = re.compile(
    r"\b(?P<lead>about|with|from|of|for|to|into|at)?\s*\b(?P<owner>my|the|our|his|her|their|that)\s"
    r"(?P<rest>[a-z][\w'-]*(?:\s[a-z][\w'-]*){0,3})(?P<after>\W|$)"
)
_NO_TOPIC = frozenset(
    "answer bathroom best bit case clock conclusion day days door end evening evidence expert face fact "  # noqa: SIM905
    "facts first hard head hour idea job kind kitchen last late list mind minute moment morning most next "
    "night one ones only opposite other own phone point problem question radio reason rest result same "
    "sentence side size sort story stuff subject theory thing things throat time truth voice way weather "
    "week weeks whole words worst".split()
)


class Picture(NamedTuple):
    """What a therapist took from the client's words.

    Attributes:
        turned: A clause of the client's with "I" turned to "you", in lower case at its start; may be empty.
        topic: Something the client spoke of, from the therapist's side ("your brother"); may be empty.
    """

    turned: str
    topic: str


@functools.lru_cache(maxsize=8192)
def picture(heard: str) -> Picture:
    """Returns what can be handed back of the client's words; the first 2,000 characters are read."""
    text = " ".join(heard[:_LONGEST].replace("’", "'").split())
    return Picture(_clause(text), _topic(lower(text)))


def turned(words: str) -> str:
    """Returns words with the first person turned to the second: "I lost my keys" -> "you lost your keys"."""

    def swap(match: re.Match[str]) -> str:
        word = " ".join(match.group().lower().split())
        return _PHRASES.get(word) or _TURNS[word]

    return _TURN.sub(swap, words.replace("’", "'"))


def _clause(text: str) -> str:
    """Returns the last clause of the client's own telling: no question, and not about the therapist."""
    found = ""
    for raw in _CLAUSE_END.split(text):
        clause = _OPENER.sub("", raw.strip(" ,\"'")).strip(" ,\"'")
        words = clause.split()
        if not _SHORTEST_CLAUSE <= len(words) <= _LONGEST_CLAUSE:
            continue
        if _SECOND_PERSON.search(clause) or _QUESTION_LIKE.match(clause) or not _FIRST_PERSON.search(clause):
            continue
        found = clause
    if not found:
        return ""
    result = turned(found)
    first = result.split()[0]
    return result if first.isupper() and len(first) > 1 else result[:1].lower() + result[1:]


def _topic(text: str) -> str:
    """Returns what the client speaks about: the noun phrase after "about", else the last after "my".

    After anything but "about", a second word is taken only where the phrase ends with it: "with my sister."
    but not "with my sister knows". "my" is turned to "your".
    """
    best = ""
    for match in _TOPIC.finditer(text):
        if not match["lead"] and match["owner"] != "my":
            continue
        rest = match["rest"].split()
        words = list(itertools.takewhile(lambda word: word not in function_words() and len(word) > 2, rest))
        if match["lead"] != "about" and not (len(words) == 2 == len(rest) and match["after"] != " "):
            words = words[:1]
        if words and words[0] not in _NO_TOPIC and words[-1] not in _NO_TOPIC:
            best = " ".join((match["owner"], *words))
            if match["lead"] == "about":
                break
    return turned(best)
