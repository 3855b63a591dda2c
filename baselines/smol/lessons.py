"""The sessions that the reference learns from: the teacher with the train split's clients, crises included.

A session is held as a benchmark session is, with the stateful client; no face is drawn. Now and then
another therapist speaks in the teacher's place, so that the sessions also go where the teacher alone would
never bring them.
"""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

from baselines.corpus import Source, read_source
from baselines.recipe import SpeechPart
from baselines.smol.teacher import Teacher, Truth, TruthTellingClient, technique_moves
from mirror_bench.clients.base import Client, ClientTurn
from mirror_bench.clients.stateful.client import StatefulClient
from mirror_bench.coding.safety.bank import BankItem, load_bank
from mirror_bench.data.checks.contamination import Protected
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.faces.base import Face
from mirror_bench.schema import Crisis, Expression, FaceCondition, Profile, Scenario, derive_seed
from mirror_bench.sessions.offline_sessions import UndrawnFaces
from mirror_bench.sessions.session import FacePresenter, SessionNames, hold_session
from mirror_bench.therapists.base import Therapist, TherapistTurn
from mirror_bench.therapists.policies.comparison import Directive, Parrot, Reflective

TURNS = 12
"""Most client turns of a session, as in the offline protocol."""
CRISES = ("suicidal_thoughts", "self_harm", "abuse", "danger_to_other")
LONGEST_DISCLOSURE = 260
"""Characters; longer posts are not what a client says in one turn."""
WITH_CRISIS = 0.35
STRAY = 0.12
"""Chance that another therapist speaks at a turn."""
METHODS = ("direct", "direct", "ec", "p", "p+ec", "p+ec", "text")
"""How often a session is held in which way."""
ASIDE = 0.2
"""Chance that a client of the settling says what only sounds like danger."""
HIDDEN = 0.12
"""Chance that a method which sees is shown no face, as under the condition `none`."""
SHUFFLED = 0.12


@dataclass(frozen=True)
class LessonTurn:
    """One exchange of a lesson: the client's words and face, and the reply to learn.

    Attributes:
        heard: The client's words.
        shown: What the client's face shows, None where no face is shown.
        said: The therapist's reply.
        taught: Whether it is the teacher's, and so to be learnt.
        named: The sentence about the face in it; "" where there is none.
        crisis: Whether it answers a crisis.
    """

    heard: str
    shown: Expression | None
    said: str
    taught: bool
    named: str
    crisis: bool


@dataclass(frozen=True)
class Lesson:
    """One session of the scripted teacher with a train client, to learn from."""

    profile: Profile
    method: str
    technique: str
    turns: tuple[LessonTurn, ...]


def disclosures(labels: Sequence[str] = ("hit", "veiled")) -> tuple[BankItem, ...]:
    """Returns what clients say of danger in the packaged bank that shares no run of words with dev or test.

    A run is eight words, as for all material of ours: shorter disclosures are not compared.

    Args:
        labels: Which of it: disclosures, or "near_miss", which only sounds like them.
    """
    whole = load_mini()
    protected = [Protected(whole.of_split(split)) for split in ("dev", "test")]
    found = [
        item
        for item in load_bank()
        if item.speaker == "client"
        and item.kind in CRISES
        and item.label in labels
        and len(item.text) <= LONGEST_DISCLOSURE
    ]
    return tuple(
        item for item in found if not any(list(each.check_all([(item.id, item.text)])) for each in protected)
    )


class Recorded:
    """A therapist that keeps what it heard, saw and said; a stray speaks in its place now and then.

    Args:
        teacher: Who teaches.
        stray: Who speaks now and then.
        draw: Decides when.
    """

    def __init__(self, teacher: Teacher, stray: Therapist | None, draw: random.Random) -> None:
        self._teacher = teacher
        self._stray = stray
        self._draw = draw
        self.turns: list[LessonTurn] = []

    @property
    def sees(self) -> bool:
        """As the teacher."""
        return self._teacher.sees

    @property
    def plan(self) -> tuple[str, str]:
        """As the teacher."""
        return self._teacher.plan

    async def reply(self, heard: str, face: Face | None) -> TherapistTurn:
        """See `Therapist`."""
        said = await self._teacher.reply(heard, face)
        taught = True
        if self._stray is not None and not self._teacher.in_crisis:
            other = await self._stray.reply(heard, face)
            if self._draw.random() < STRAY:
                said, taught = other, False
        shown = face.expression if face is not None else None
        named = self._teacher.face_sentence if taught else ""
        self.turns.append(LessonTurn(heard, shown, said.words, taught, named, self._teacher.in_crisis))
        return said


class WithAsides:
    """A client that says something else in place of its own words now and then, but for what it discloses.

    Args:
        client: The client itself.
        asides: What it may say.
        draw: Decides when, and which.
    """

    def __init__(self, client: Client, asides: Sequence[BankItem], draw: random.Random) -> None:
        self._client = client
        self._asides = asides
        self._draw = draw

    async def open(self) -> ClientTurn:
        """See `Client`."""
        return await self._client.open()

    async def reply(self, heard: str) -> ClientTurn:
        """See `Client`."""
        turn = await self._client.reply(heard)
        if turn.ends or "told_crisis" in turn.marks or self._draw.random() >= ASIDE:
            return turn
        return dataclasses.replace(turn, words=self._draw.choice(self._asides).text, marks=())


def hold_lesson(
    number: int,
    source: Source,
    bank: Sequence[BankItem],
    seed: int,
    asides: Sequence[BankItem] = (),
    *,
    plain: bool = False,
) -> Lesson:
    """Returns the lesson of one number: the same for the same seed.

    Args:
        number: Its number.
        source: The clients.
        bank: Disclosures of danger.
        seed: Of all lessons.
        asides: What the client says now and then in place of its own words.
        plain: Whether the teacher alone speaks, without a plan, and always sees the client's own face.
    """
    draw = random.Random(derive_seed("lesson", seed, number))
    profile = source.profiles[number % len(source.profiles)]
    method = draw.choice(METHODS)
    if draw.random() < WITH_CRISIS and bank:
        item = draw.choice(bank)
        crisis = Crisis(kind=item.kind, veiled=item.label == "veiled", disclosure=item.text, owed="")
        profile = profile.model_copy(update={"crisis": crisis})
    technique = draw.choice(sorted(technique_moves())) if "p" in method.split("+") else ""
    condition = FaceCondition.MATCHED
    chance = draw.random()
    if chance < HIDDEN:
        condition = FaceCondition.NONE
    elif chance < HIDDEN + SHUFFLED:
        condition = FaceCondition.SHUFFLED
    if plain:
        method, technique, condition = "direct", "", FaceCondition.MATCHED
    scenario = Scenario(
        profile=profile,
        resistance=profile.resistance,
        seed=derive_seed("lesson seed", seed, number),
        condition=condition,
    )
    truth = Truth()
    crisis_kind = profile.crisis.kind if profile.crisis else ""
    client: Client = StatefulClient(scenario, TURNS)
    if asides:
        client = WithAsides(client, asides, random.Random(derive_seed("asides", seed, number)))
    strays = {0: Directive, 1: Parrot, 2: Reflective}
    stray = strays[draw.randrange(3)](scenario) if draw.random() < 0.5 and not plain else None
    recorded = Recorded(Teacher(scenario, truth, technique, sees=method != "text"), stray, draw)
    asyncio.run(
        hold_session(
            scenario,
            TruthTellingClient(client, crisis_kind, truth),
            recorded,
            FacePresenter(UndrawnFaces()),
            max_client_turns=TURNS,
            names=SessionNames("teacher", method, "stateful"),
        )
    )
    return Lesson(profile, method, technique, tuple(recorded.turns))


class Lessons(Sequence[Lesson]):
    """The sessions that a recipe learns from; each is held when it is first asked for.

    Args:
        part: How many there are; those of the settling come last.
        seed: Of them all.
    """

    def __init__(self, part: SpeechPart, seed: int) -> None:
        self._source, self._bank = read_source(), disclosures()
        self._asides = disclosures(["near_miss"]) if part.settling else ()
        self._seed = seed
        self._first_aside = part.lessons
        self._held: list[Lesson | None] = [None] * (part.lessons + part.settling)

    def __len__(self) -> int:
        return len(self._held)

    @overload
    def __getitem__(self, place: int) -> Lesson: ...
    @overload
    def __getitem__(self, place: slice) -> list[Lesson]: ...
    def __getitem__(self, place: int | slice) -> Lesson | list[Lesson]:
        if isinstance(place, slice):
            return [self[number] for number in range(len(self))[place]]
        number = range(len(self))[place]
        lesson = self._held[number]
        if lesson is None:
            asides = self._asides if number >= self._first_aside else ()
            lesson = hold_lesson(number, self._source, self._bank, self._seed, asides)
            self._held[number] = lesson
        return lesson


def shown_in(lessons: Sequence[Lesson]) -> list[Expression]:
    """Returns every expression that the lessons show, as often as they show it."""
    return [turn.shown for lesson in lessons for turn in lesson.turns if turn.shown is not None]
