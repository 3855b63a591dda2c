"""The therapist whose sessions with the train split's clients the reference learns from.

It is the scripted `attuned`, told what no candidate is told: whether the client's words hide something and
whether a danger was disclosed. It goes through its phrases in their order, so that what comes next follows
from what was said, and a session that follows a plan keeps to the plan's one technique.
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
from mirror_bench.schema import Scenario, derive_seed
from mirror_bench.therapists.base import TherapistTurn
from mirror_bench.therapists.policies.client_words import Picture
from mirror_bench.therapists.policies.comparison import Attuned
from mirror_bench.therapists.policies.phrases import Phrasing, Script, load_script

CRISIS_PHRASES = {"abuse": "crisis_abuse", "danger_to_other": "crisis_other"}
"""Kind of a crisis -> kind of phrases that answer it; "crisis" for all others."""
CONTENT = TEMPLATES / "planned.yaml"
EVERY_OTHER = 2
"""Turns between two moves of the plan's technique."""


class PhrasesInOrder(Phrasing):
    """Chooses phrases in the order of their file, from a start that the session's seed decides."""

    def __init__(self, pair: str, who: str) -> None:
        super().__init__(pair, who)
        self._last: dict[str, str] = {}

    def choose(self, script: Script, kind: str, turn: int, **slots: str) -> str:
        """Returns the usable phrase of a kind that follows the one said last; "" where none is usable."""
        return self.following(kind, script.phrases[kind], **slots)

    def following(self, kind: str, phrases: Sequence[tuple[str, frozenset[str]]], **slots: str) -> str:
        """Returns the next usable phrase, filled."""
        every = [text for text, _ in phrases]
        usable = {text for text, needs in phrases if all(slots.get(slot) for slot in needs)}
        if not usable:
            return ""
        last = self._last.get(kind)
        start = (
            every.index(last) + 1 if last in every else derive_seed(self._pair, self._who, kind) % len(every)
        )
        text = next(
            text
            for text in (every[(start + step) % len(every)] for step in range(len(every)))
            if text in usable
        )
        self._last[kind] = text
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
        self._in_order = PhrasesInOrder(scenario.pair, self.name)
        self._phrasing = self._in_order
        self._truth = truth
        self._technique = technique
        self._last_move = 0
        self._answers_danger = False
        self._named = ""
        self.looks = looks

    @property
    def in_crisis(self) -> bool:
        """Whether the reply just given answers a disclosure of danger."""
        return self._answers_danger

    @property
    def named(self) -> str:
        """The word for the face in the reply just given; "" where it names none."""
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
        if feeling and ("masked" in self._truth.marks or load_script("listening").shows("minimises", heard)):
            self._named = feeling
            named = self._say("attuned", "name", feeling=feeling, topic=taken.topic)
            return f"{named} {self._say('attuned', 'after')}"
        if self._technique and self._due_for_move(heard):
            self._last_move = self._turn
            phrases = technique_moves()[self._technique]
            move = self._in_order.following(self._technique, phrases, topic=self._topic, turned=taken.turned)
            return f"{self._reflect(taken)} {move}"
        return super(Attuned, self)._responds(heard, taken, face)

    def _due_for_move(self, heard: str) -> bool:
        if self._turn < 3 or self._turn - self._last_move < EVERY_OTHER:
            return False
        signs = load_script("listening")
        return not signs.shows("objects", heard)
