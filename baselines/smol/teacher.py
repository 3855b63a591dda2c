"""The therapist whose sessions with the train split's clients the reference learns from.

It is the scripted `attuned`, told what no candidate is told: whether the client's words hide something and
whether a danger was disclosed. Every phrase is decided by the number of the turn, so that what comes next
follows from what was said last, and a small model can learn the order from some hundred sessions. What the
face decides begins with one and the same word, and what a disclosure of danger asks for is always the same.
A session that follows a plan keeps to the plan's one technique.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from baselines.architecture import TEMPLATES
from mirror_bench.clients.base import Client, ClientTurn
from mirror_bench.content import read_yaml
from mirror_bench.errors import InputError
from mirror_bench.faces.base import Face
from mirror_bench.schema import Scenario
from mirror_bench.therapists.base import TherapistTurn
from mirror_bench.therapists.policies.client_words import Picture
from mirror_bench.therapists.policies.comparison import Attuned
from mirror_bench.therapists.policies.phrases import Phrasing, Script, load_script

CRISIS_PHRASES = {"abuse": "crisis_abuse", "danger_to_other": "crisis_other"}
"""Kind of a crisis -> kind of phrases that answer it; "crisis" for all others."""
CONTENT = TEMPLATES / "planned.yaml"
OPENERS = TEMPLATES / "openers.yaml"
FIRST_MOVE, FIRST_CHANGE = 3, 4
"""The turns from which the plan's technique is carried out, and talk of change is met."""
LONG = 24
"""Words from which a client's turn is thanked for."""
COURSE = ("ask", "agenda", "", "challenge", "ask", "", "challenge", "", "ask", "challenge", "", "ask")
"""What follows the reflection at each turn, around and around; "" for nothing."""


class PhrasesByTurn(Phrasing):
    """Chooses phrases by the number of the turn: the first of a kind at the first turn, and so on around."""

    def choose(self, script: Script, kind: str, turn: int, **slots: str) -> str:
        """Returns the usable phrase of a kind for a turn; "" where none is usable."""
        return phrase_at(script.phrases[kind], 1 if kind.startswith("crisis") else turn, **slots)


def phrase_at(phrases: Sequence[tuple[str, frozenset[str]]], turn: int, **slots: str) -> str:
    """Returns the phrase of a turn, filled, or the next one whose slots can be filled; "" where none can."""
    count = len(phrases)
    in_turn = (phrases[(turn - 1 + step) % count] for step in range(count))
    text = next((text for text, needs in in_turn if all(slots.get(slot) for slot in needs)), "")
    said = text.format(**slots)
    return said[:1].upper() + said[1:]


@dataclass
class Truth:
    """What the teacher is told of the client's latest turn."""

    marks: tuple[str, ...] = ()
    crisis: str = ""


@dataclass
class ToldClient:
    """A client whose turns are told to the teacher as they are meant.

    Attributes:
        client: The client itself.
        crisis: The kind of the crisis that it may disclose.
        truth: Where it is told.
    """

    client: Client
    crisis: str = ""
    truth: Truth = field(default_factory=Truth)

    async def open(self) -> ClientTurn:
        """See `Client`."""
        return self._told(await self.client.open())

    async def reply(self, heard: str) -> ClientTurn:
        """See `Client`."""
        return self._told(await self.client.reply(heard))

    def _told(self, turn: ClientTurn) -> ClientTurn:
        self.truth.marks = turn.marks
        self.truth.crisis = self.crisis if "told_crisis" in turn.marks else ""
        return turn


@functools.cache
def face_openers() -> tuple[tuple[str, frozenset[str]], ...]:
    """Returns the sentences that say what a face shows, with their slot, from `OPENERS`.

    Raises:
        InputError: If there are none, or one has no place for the feeling.
    """
    texts = read_yaml(OPENERS).get("look")
    if not isinstance(texts, list) or not texts or not all("{feeling}" in str(text) for text in texts):
        raise InputError(f"{OPENERS}: look: must be a list of sentences, each with {{feeling}} in it")
    return tuple((str(text), frozenset({"feeling"})) for text in texts)


@functools.cache
def technique_moves() -> Mapping[str, tuple[tuple[str, frozenset[str]], ...]]:
    """Returns technique -> the moves by which a session that follows its plan carries it, with their slots.

    Raises:
        InputError: If a technique has no moves.
    """
    content = read_yaml(CONTENT)
    moves = {}
    for name, texts in content.items():
        if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
            raise InputError(f"{CONTENT}: {name}: must be a list of texts")
        moves[str(name)] = tuple(
            (text, frozenset(slot for slot in ("topic", "turned") if "{" + slot + "}" in text))
            for text in texts
        )
    return moves


class Teacher(Attuned):
    """`Attuned` with the truth at hand.

    Args:
        scenario: Whose session it is.
        truth: What it is told, turn by turn.
        technique: The technique of its plan; empty without one.
        looks: Whether it looks at faces.
    """

    name = "teacher"

    def __init__(self, scenario: Scenario, truth: Truth, technique: str = "", looks: bool = True) -> None:
        super().__init__(scenario)
        self._phrasing = PhrasesByTurn(scenario.pair, self.name)
        self._truth = truth
        self._technique = technique
        self._answers_danger = False
        self._named = ""
        self.looks = looks

    @property
    def in_crisis(self) -> bool:
        """Whether the reply just given answers a disclosure of danger."""
        return self._answers_danger

    @property
    def named(self) -> str:
        """The sentence about the face in the reply just given; "" where there is none."""
        return self._named

    async def reply(self, heard: str, face: Face | None) -> TherapistTurn:
        """See `Therapist`."""
        self._named = ""
        self._answers_danger = bool(self._crisis_steps or (self._truth.crisis and not self._heard_danger))
        return await super().reply(heard, face)

    def _danger(self, heard: str) -> str:
        crisis = self._truth.crisis
        return CRISIS_PHRASES.get(crisis, "crisis") if crisis else ""

    def _responds(self, heard: str, taken: Picture, face: Face | None) -> str:
        feeling = self._feeling(face)
        signs = load_script("listening")
        if feeling and ("masked" in self._truth.marks or signs.shows("minimises", heard)):
            self._named = phrase_at(face_openers(), self._turn, feeling=feeling)
            return f"{self._named} {self._say('attuned', 'after')}"
        changes = signs.shows("changes", heard) and not signs.shows("sustains", heard)
        if signs.shows("objects", heard) and not changes:
            return self._say("listening", "discord")
        if changes and self._turn >= FIRST_CHANGE:
            return self._meets_change(taken)
        reflection = self._trust(taken) if len(heard.split()) >= LONG else self._reflect(taken)
        return f"{reflection} {self._moves_on(taken)}".strip()

    def _moves_on(self, taken: Picture) -> str:
        """Returns what follows the reflection: a question, a move of the plan's technique, or nothing."""
        kind = COURSE[(self._turn - 1) % len(COURSE)]
        if self._technique and kind and self._turn >= FIRST_MOVE:
            moves = technique_moves()[self._technique]
            return phrase_at(moves, self._turn, topic=self._topic, turned=taken.turned)
        return self._say("listening", kind, topic=self._topic) if kind else ""
