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
from mirror_bench.therapists.policies.client_words import Gist
from mirror_bench.therapists.policies.comparison import Attuned
from mirror_bench.therapists.policies.phrases import Phrasing, Script

CRISIS_PHRASES = {"abuse": "crisis_abuse", "danger_to_other": "crisis_other"}
"""Kind of crisis in a profile -> kind of phrases that answer it; all others are answered by "crisis"."""
TECHNIQUE_MOVES_FILE = TEMPLATES / "planned.yaml"
FACE_OPENERS_FILE = TEMPLATES / "openers.yaml"
FIRST_TECHNIQUE_TURN = 3
"""The turn from which on the plan's technique is carried out."""
FOLLOW_UPS = ("ask", "agenda", "", "challenge", "ask", "", "challenge", "", "ask", "challenge", "", "ask")
"""The kind of phrase that follows the reflection at each turn, around and around; "" for none."""


class PhrasesByTurn(Phrasing):
    """Chooses the phrase of a kind by the number of the turn: the first at turn 1, and so on around."""

    def choose(self, script: Script, kind: str, turn: int, **slots: str) -> str:
        """Returns the phrase of a kind for a turn, in a crisis the first; "" where none can be filled."""
        return phrase_at(script.phrases[kind], 1 if kind.startswith("crisis") else turn, **slots)


def phrase_at(phrases: Sequence[tuple[str, frozenset[str]]], turn: int, **slots: str) -> str:
    """Returns a turn's phrase with its slots filled, or the next that can be filled; "" where none can."""
    count = len(phrases)
    from_turn_on = (phrases[(turn - 1 + step) % count] for step in range(count))
    template = next((text for text, needed in from_turn_on if all(slots.get(slot) for slot in needed)), "")
    phrase = template.format(**slots)
    return phrase[:1].upper() + phrase[1:]


@dataclass
class Truth:
    """What the client meant by its latest turn, which only the teacher is told.

    Attributes:
        marks: What the client notes of the turn, such as "masked" where its words hide what it feels.
        disclosed_crisis: The kind of crisis that the turn discloses; "" where it discloses none.
    """

    marks: tuple[str, ...] = ()
    disclosed_crisis: str = ""


@dataclass
class TruthTellingClient:
    """Answers as the client that it holds, and writes what each turn means into `truth`, for the teacher.

    Attributes:
        client: The client that answers.
        crisis_kind: The kind of crisis that it may disclose; "" without one.
        truth: What is written anew at each turn.
    """

    client: Client
    crisis_kind: str = ""
    truth: Truth = field(default_factory=Truth)

    async def open(self) -> ClientTurn:
        """See `Client`."""
        return self._with_truth_told(await self.client.open())

    async def reply(self, heard: str) -> ClientTurn:
        """See `Client`."""
        return self._with_truth_told(await self.client.reply(heard))

    def _with_truth_told(self, turn: ClientTurn) -> ClientTurn:
        self.truth.marks = turn.marks
        self.truth.disclosed_crisis = self.crisis_kind if "told_crisis" in turn.marks else ""
        return turn


@functools.cache
def face_openers() -> tuple[tuple[str, frozenset[str]], ...]:
    """Returns the sentences that name what a face shows, each with its slot, from `FACE_OPENERS_FILE`.

    Raises:
        InputError: If there are none, or one has no place for the feeling.
    """
    texts = read_yaml(FACE_OPENERS_FILE).get("look")
    if not isinstance(texts, list) or not texts or not all("{feeling}" in str(text) for text in texts):
        raise InputError(
            f"{FACE_OPENERS_FILE}: look: must be a list of sentences, each with {{feeling}} in it"
        )
    return tuple((str(text), frozenset({"feeling"})) for text in texts)


@functools.cache
def technique_moves() -> Mapping[str, tuple[tuple[str, frozenset[str]], ...]]:
    """Returns technique of a plan -> what the teacher says to carry it out, each with its slots.

    Raises:
        InputError: If a technique has no moves.
    """
    content = read_yaml(TECHNIQUE_MOVES_FILE)
    moves_of_technique = {}
    for name, texts in content.items():
        if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
            raise InputError(f"{TECHNIQUE_MOVES_FILE}: {name}: must be a list of texts")
        moves_of_technique[str(name)] = tuple(
            (text, frozenset(slot for slot in ("topic", "turned") if "{" + slot + "}" in text))
            for text in texts
        )
    return moves_of_technique


class Teacher(Attuned):
    """Answers as `Attuned` does, but in an order that can be learnt, and told what the client's words mean.

    Args:
        scenario: What the session is held about.
        truth: What the client's latest turn means, written anew before each reply.
        technique: The technique of the session's plan; "" without a plan.
        sees: Whether it looks at faces.
    """

    name = "teacher"

    def __init__(self, scenario: Scenario, truth: Truth, technique: str = "", sees: bool = True) -> None:
        super().__init__(scenario)
        self._phrasing = PhrasesByTurn(scenario.pair, self.name)
        self._truth = truth
        self._technique = technique
        self._in_crisis = False
        self._face_sentence = ""
        self.sees = sees

    @property
    def in_crisis(self) -> bool:
        """Whether the reply just given answers a disclosure of danger."""
        return self._in_crisis

    @property
    def face_sentence(self) -> str:
        """The sentence about the face in the reply just given; "" where there is none."""
        return self._face_sentence

    async def reply(self, heard: str, face: Face | None) -> TherapistTurn:
        """See `Therapist`."""
        self._face_sentence = ""
        newly_disclosed = bool(self._truth.disclosed_crisis) and not self._heard_danger
        self._in_crisis = newly_disclosed or bool(self._crisis_kinds_due)
        return await super().reply(heard, face)

    def _danger_in(self, heard: str) -> str:
        crisis = self._truth.disclosed_crisis
        return CRISIS_PHRASES.get(crisis, "crisis") if crisis else ""

    def _makes_little_of_it(self, heard: str) -> bool:
        return "masked" in self._truth.marks or super()._makes_little_of_it(heard)

    def _name_feeling(self, feeling: str, gist: Gist) -> str:
        self._face_sentence = phrase_at(face_openers(), self._turn, feeling=feeling)
        return self._face_sentence

    def _explore(self, gist: Gist, *, long_turn: bool) -> str:
        reflection = self._thank_for_trust(gist) if long_turn else self._reflect(gist)
        return f"{reflection} {self._follow_up(gist)}".strip()

    def _follow_up(self, gist: Gist) -> str:
        """Returns what follows the reflection: a question, a move of the plan's technique, or nothing."""
        kind = FOLLOW_UPS[(self._turn - 1) % len(FOLLOW_UPS)]
        if self._technique and kind and self._turn >= FIRST_TECHNIQUE_TURN:
            moves = technique_moves()[self._technique]
            return phrase_at(moves, self._turn, topic=self._latest_topic, turned=gist.clause)
        return self._say("listening", kind, topic=self._latest_topic) if kind else ""
