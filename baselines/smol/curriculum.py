"""What the reference's language model learns at each step, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from baselines.corpus import TokenSequence
from baselines.grammar import TechniquePlan
from baselines.recipe import SpeechPart
from baselines.smol.dialogues import LEARNING, SETTLING, ExampleEncoder, NumberedFaces, ShownFace
from baselines.smol.lessons import Lesson
from baselines.smol.looks import load_looks
from baselines.smol.quiz import Quiz
from mirror_bench.faces.facs.expressions import EXPRESSIONS
from mirror_bench.lm_eval.session_questions import fitting
from mirror_bench.schema import FaceIdentity, Profile, derive_seed

VERSION = "2"
"""Raised with every change of what is learnt in which order; part of what a training depends on."""
FLOOR = 0.05
"""Share of the learning rate that is left at the end."""
SETTLING_RATE = 0.4
"""Share of the learning rate with which the settling begins."""
PRACTICE_RATE = 0.5
"""Share of the learning rate with which the practice begins."""
UNSURE, BETWEEN, BLUR = 0.4, 0.45, 0.2
"""Share of the faces that are seen as something between two looks, how far at most towards the other, and the
noise on all, as a share of the words' own size."""


class StepExamples(NamedTuple):
    """The sequences and faces that one training step learns.

    Attributes:
        groups: Sequences in groups of like length; the faces in them are numbers into `looks`.
        looks: For each face, the place of what it shows among the looks.
        seed: Of how clearly the faces are seen.
    """

    groups: tuple[tuple[TokenSequence, ...], ...]
    looks: tuple[int, ...]
    seed: int


class Curriculum:
    """Makes the examples of every step, the same for the same seed.

    Args:
        lessons: The sessions, those of the settling last.
        plans: The plans, by technique.
        processor: The model's processor.
        part: How many of each kind make a step.
        seed: Of the draws.
    """

    def __init__(
        self,
        lessons: Sequence[Lesson],
        plans: Sequence[TechniquePlan],
        processor: Any,
        part: SpeechPart,
        seed: int,
    ) -> None:
        self._lessons = lessons
        self._plans = {plan.technique: plan for plan in plans}
        self._part = part
        self._seed = seed
        self._processor = processor
        self._places = {look.name: place for place, look in enumerate(load_looks())}
        # Lessons are drawn at random as they are held: in their order, more of them change no step before.
        order = [number for _ in range(part.epochs) for number in range(part.lessons)]
        learning = _batches(order, part.batch)
        self._batches = learning + _batches(range(part.lessons, part.lessons + part.settling), part.batch)
        self._learning = part.first + len(learning)
        self.practice_from = part.first + len(self._batches)
        """The step with which the practice begins."""

    @property
    def steps(self) -> int:
        """How many steps there are: those that only read faces, those with sessions, those of practice."""
        return self.practice_from + self._part.practice

    def rate(self, number: int) -> float:
        """Returns the factor of the learning rate at a step: up a line, level, and down a line at the end.

        Settling and practice begin lower, and go down a line as well.
        """
        if number >= self.practice_from:
            rising = min(1.0, (number - self.practice_from + 1) / self._part.rise)
            return max(FLOOR, rising * PRACTICE_RATE * (self.steps - number) / self._part.practice)
        if number >= self._learning:
            left = (self.practice_from - number) / (self.practice_from - self._learning)
            return max(FLOOR, SETTLING_RATE * left)
        falling = self._learning * self._part.fall
        left = (self._learning - number) / max(1.0, falling)
        return min(1.0, (number + 1) / self._part.rise, max(FLOOR, left))

    def step(self, number: int) -> StepExamples:
        """Returns the examples of one step."""
        draw = random.Random(derive_seed("step", self._seed, number))
        faces = NumberedFaces()
        settling = number >= self._learning
        encoder = ExampleEncoder(self._processor, faces, SETTLING if settling else LEARNING)
        quiz = Quiz(encoder, derive_seed("quiz", self._seed, number))
        if number < self._part.first:
            read = [encoder.caption(self._any_face(draw)) for _ in range(self._part.first_captions)]
            read += [quiz.expression() for _ in range(self._part.first_captions // 4)]
            groups: list[list[TokenSequence]] = [read]
        elif number >= self.practice_from:
            groups = self._practice(number - self.practice_from, encoder, quiz, draw)
        else:
            groups = self._with_sessions(number - self._part.first, encoder, quiz, draw)
        neutral = self._places["neutral"]
        looks = tuple(self._places.get(face.expression.label, neutral) for face in faces.shown)
        seed = derive_seed("sight", self._seed, number)
        return StepExamples(tuple(tuple(group) for group in groups if group), looks, seed)

    def _with_sessions(
        self, number: int, encoder: ExampleEncoder, quiz: Quiz, draw: random.Random
    ) -> list[list[TokenSequence]]:
        part = self._part
        sessions = [self._session(encoder, place) for place in self._batches[number]]
        short = [encoder.caption(self._any_face(draw)) for _ in range(part.captions)]
        short += [
            quiz.expression() if (number + one) % 3 == 0 else quiz.agreement()
            for one in range(part.questions)
        ]
        long = [self._plan(encoder, draw)] if part.plan_every and number % part.plan_every == 0 else []
        if part.letter_every and number % part.letter_every == part.letter_every - 1:
            long.append(quiz.letter())
        return [sessions, short, long]

    def _practice(
        self, number: int, encoder: ExampleEncoder, quiz: Quiz, draw: random.Random
    ) -> list[list[TokenSequence]]:
        part = self._part
        short = [encoder.caption(self._any_face(draw))]
        short += [quiz.agreement() for _ in range(part.questions)]
        long = [quiz.practice() for _ in range(part.practised)]
        if number % part.practice_session_every:
            return [short, long]
        first = part.lessons if part.settling else 0
        again = draw.randrange(first, part.lessons + part.settling)
        return [[self._session(encoder, again)], short, long]

    def _session(self, encoder: ExampleEncoder, place: int) -> TokenSequence:
        lesson = self._lessons[place]
        plan = self._plans[lesson.technique].text if lesson.technique else ""
        return encoder.lesson(lesson, derive_seed("lesson", self._seed, place), plan)

    def _plan(self, encoder: ExampleEncoder, draw: random.Random) -> TokenSequence:
        lesson = self._lessons[draw.choice(range(self._part.lessons))]
        turn = lesson.turns[0]
        face = None if turn.shown is None else ShownFace(_NOBODY, turn.shown)
        return encoder.plan(lesson.profile, turn.heard, face, self._fitting(lesson.profile, draw).answer)

    def _fitting(self, profile: Profile, draw: random.Random) -> TechniquePlan:
        """Returns a plan of a technique that suits the profile's thinking traps."""
        names = [name for name in fitting(profile) if name in self._plans] or sorted(self._plans)
        return self._plans[draw.choice(names)]

    def _any_face(self, draw: random.Random) -> ShownFace:
        return ShownFace(_NOBODY, EXPRESSIONS[draw.choice([look.name for look in load_looks()])])


def _batches(numbers: Sequence[int], size: int) -> list[Sequence[int]]:
    return [numbers[start : start + size] for start in range(0, len(numbers), size)]


_NOBODY = FaceIdentity()
"""Whose face it is where any will do."""


def as_seen(targets: Tensor, looks: Sequence[int], seed: int) -> Tensor:
    """Returns the image tokens of faces as eyes would give them: blurred, at times between two.

    The language model learns from the very words that the eyes are drawn to, blurred: it depends on no eyes
    in particular, and both can be trained apart.

    Args:
        targets: (looks, tokens, width).
        looks: What each face shows.
        seed: Of the blur.
    """
    random_numbers = torch.Generator().manual_seed(seed)
    first = targets[list(looks)]
    other = targets[torch.randint(len(targets), (len(looks),), generator=random_numbers)]
    share = torch.rand((len(looks), 1, 1), generator=random_numbers) * BETWEEN
    share = share * (torch.rand((len(looks), 1, 1), generator=random_numbers) < UNSURE)
    noise = torch.randn(first.shape, generator=random_numbers) * targets.pow(2).mean().sqrt() * BLUR
    return first * (1 - share) + other * share + noise
