"""Takes from a client's words what a scripted therapist can say back: a clause (for "you") and a topic."""

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


_CHARACTERS_READ = 2_000
_MOST_CLAUSE_WORDS = 14
_FEWEST_CLAUSE_WORDS = 3

_SECOND_PERSON = {
    "i": "you", "i'm": "you're", "i've": "you've", "i'd": "you'd", "i'll": "you'll", "am": "are",
    "me": "you", "my": "your", "mine": "yours", "myself": "yourself", "we": "you", "our": "your", "us": "you",
}  # fmt: skip
_SECOND_PERSON_OF_PAIRS = {
    "i was": "you were",
    "i am": "you are",
    "was i": "were you",
    "am i": "are you",
    "i wasn't": "you weren't",
}
_LONGEST_FIRST = sorted((*_SECOND_PERSON_OF_PAIRS, *_SECOND_PERSON), key=len, reverse=True)
_FIRST_PERSON = re.compile(
    r"\b(" + "|".join(_LONGEST_FIRST).replace(" ", r"\s+") + r")(?!['\w])", re.IGNORECASE
)
_CLAUSE_END = re.compile(r"[.!?;…]+|\s[–—-]+\s|,\s(?=(?:and|but|so|because|then|if)\b)")
_OPENER = re.compile(
    r"^(?:(?:well|okay|ok|yes|yeah|no|right|so|and|but|honestly|look|hm+|huh|sure|maybe|mm|oh|all right|fine|"
    r"hi|hello|sorry|really|mostly|i mean|i guess|i think|i suppose|because|then)\b[\s,.]*)+",
    re.IGNORECASE,
)
_ABOUT_THE_CLIENT = re.compile(r"\b(?:i|i'm|i've|i'd|i'll|my|me|it|it's|that|there)\b", re.IGNORECASE)
_ABOUT_THE_THERAPIST = re.compile(r"\b(?:you|your|you're|you've|you'd|yours|yourself)\b", re.IGNORECASE)
_QUESTION_LIKE = re.compile(
    r"^(?:what|how|why|who|where|when|is|are|do|did|can|could|define|ask|give|forget|leave|let|look|stop|try|move|write|call|check)\b",
    re.IGNORECASE,
)
_TOPIC = re.compile(
    r"\b(?P<lead>about|with|from|of|for|to|into|at)?\s*\b(?P<owner>my|the|our|his|her|their|that)\s"
    r"(?P<rest>[a-z][\w'-]*(?:\s[a-z][\w'-]*){0,3})(?P<after>\W|$)"
)
_TOO_VAGUE = frozenset(
    "answer bathroom best bit case clock conclusion day days door end evening evidence expert face fact "  # noqa: SIM905
    "facts first hard head hour idea job kind kitchen last late list mind minute moment morning most next "
    "night one ones only opposite other own phone point problem question radio reason rest result same "
    "sentence side size sort story stuff subject theory thing things throat time truth voice way weather "
    "week weeks whole words worst".split()
)


class Gist(NamedTuple):
    """A clause and a topic of the client's words, put so that a therapist can say them back.

    Attributes:
        clause: The client's last clause in the second person ("you lost your keys"); empty where none fits.
        topic: What the client spoke of, as the therapist calls it ("your brother"); empty without one.
    """

    clause: str
    topic: str


@functools.lru_cache(maxsize=8192)
def gist_of(heard: str) -> Gist:
    """Returns the clause and the topic in a client's words; only their first 2,000 characters are read."""
    text = " ".join(heard[:_CHARACTERS_READ].replace("’", "'").split())
    return Gist(_clause(text), _topic(lower(text)))


def in_second_person(words: str) -> str:
    """Returns words with "I" turned to "you": "I lost my keys" becomes "you lost your keys"."""

    def second_person(match: re.Match[str]) -> str:
        first_person = " ".join(match.group().lower().split())
        return _SECOND_PERSON_OF_PAIRS.get(first_person) or _SECOND_PERSON[first_person]

    return _FIRST_PERSON.sub(second_person, words.replace("’", "'"))


def _clause(text: str) -> str:
    """Returns the last clause that the client tells of itself, in the second person; "" where there is none.

    Questions, and clauses about the therapist ("you"), are passed over.
    """
    last_clause = ""
    for part in _CLAUSE_END.split(text):
        clause = _OPENER.sub("", part.strip(" ,\"'")).strip(" ,\"'")
        words = clause.split()
        if not _FEWEST_CLAUSE_WORDS <= len(words) <= _MOST_CLAUSE_WORDS:
            continue
        about_the_therapist = _ABOUT_THE_THERAPIST.search(clause) or _QUESTION_LIKE.match(clause)
        if _ABOUT_THE_CLIENT.search(clause) and not about_the_therapist:
            last_clause = clause
    if not last_clause:
        return ""
    clause = in_second_person(last_clause)
    first_word = clause.split()[0]
    is_acronym = first_word.isupper() and len(first_word) > 1
    return clause if is_acronym else clause[:1].lower() + clause[1:]


def _topic(text: str) -> str:
    """Returns what the client speaks about, "my" turned to "your"; "" where nothing is found.

    It is the noun phrase after the first "about", else the last after "my" or another preposition. Without
    "about", a second word is taken only where the phrase ends with it: "with my little sister." but not "with
    my sister knows".
    """
    topic = ""
    for match in _TOPIC.finditer(text):
        if not match["lead"] and match["owner"] != "my":
            continue
        following = match["rest"].split()
        words = list(itertools.takewhile(_is_content_word, following))
        if match["lead"] != "about" and not (len(words) == 2 == len(following) and match["after"] != " "):
            words = words[:1]
        if words and words[0] not in _TOO_VAGUE and words[-1] not in _TOO_VAGUE:
            topic = " ".join((match["owner"], *words))
            if match["lead"] == "about":
                break
    return in_second_person(topic)


def _is_content_word(word: str) -> bool:
    return word not in function_words() and len(word) > 2
