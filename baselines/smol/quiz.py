"""Questions of the static tasks' train split for the reference: words, letters, yes and no, as tasks ask."""

from __future__ import annotations

import dataclasses
import functools
import random
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from baselines.corpus import Source, TokenSequence, read_source
from baselines.feelings import load_feelings
from baselines.questions import PLACE, PLEASANT, UNPLEASANT, agreement_answer, prompt_text
from baselines.smol.dialogues import ExampleEncoder, ShownFace
from baselines.smol.lessons import Lesson, hold_lesson
from mirror_bench.data.screenplays.records import Line
from mirror_bench.data.sources.registry import load_data
from mirror_bench.faces.facs.expressions import EXPRESSIONS, scaled
from mirror_bench.faces.identity import random_identity
from mirror_bench.lm_eval.expression import labels
from mirror_bench.lm_eval.incongruence import moments, statements
from mirror_bench.lm_eval.questions import (
    LETTERS,
    Faces,
    Making,
    Row,
    Shown,
    dialogue,
    is_client,
    shown_expression,
)
from mirror_bench.lm_eval.session_questions import CUTS, RESISTANCES, resistance_rows, technique_rows
from mirror_bench.schema import Expression, FaceIdentity, Profile, Resistance, Speaker, derive_seed
from mirror_bench.therapists.prompts import about

CHOICE = "mirror_response_choice"
RESISTANCE = ("mirror_resistance", "mirror_resistance_generate")
WRITTEN: Mapping[str, Callable[[Making], list[Row]]] = {
    **dict.fromkeys(RESISTANCE, resistance_rows),
    "mirror_technique": technique_rows,
}
"""The lettered tasks whose questions on the train split are learnt as they are."""
LETTERED = sorted((*WRITTEN, CHOICE))
ASKED = (*LETTERED, "mirror_expression", "mirror_incongruence")
"""The tasks whose questions are learnt."""
GENERATED = ("mirror_resistance_generate", CHOICE)
"""The lettered tasks whose answer is generated, so that words may stand before the letter."""
LED_BY = 6
"""Words of the chosen option that stand before its letter: so small a model can find what is right or which
letter stands before words, not both at once."""
PRACTISED: Mapping[str, int] = {
    CHOICE: 10,
    "mirror_resistance_generate": 6,
    "mirror_resistance": 1,
    "mirror_technique": 1,
}
"""How often each lettered task is practised, among all."""
RESISTING = 256
"""Sessions for each kind of resistance that practice asks about: eight with each client of the split."""


class _NotedFaces(Faces):
    """Notes which face a row shows, in place of drawing it."""

    def __init__(self) -> None:
        super().__init__(blank=True)
        self.noted: dict[str, ShownFace] = {}

    def show(self, identity: FaceIdentity, expression: Expression) -> Shown:
        key = f"{len(self.noted)}"
        self.noted[key] = ShownFace(identity, expression)
        return Shown(b"", key)


@functools.cache
def _source() -> Source:
    return read_source()


@functools.cache
def _resisting_lesson(kind: Resistance, number: int) -> Lesson:
    """Returns a session in which a client of the train split resists in one way, whatever its own is.

    A client's own lines are written for its own way, so none is said.
    """
    changed = {"resistance": kind, "voice": ()}
    profiles = tuple(one.model_copy(update=changed) for one in _source().profiles)
    resisting = dataclasses.replace(_source(), profiles=profiles)
    return hold_lesson(number, resisting, (), derive_seed("resisting", kind), plain=True)


class LetteredQuestion(NamedTuple):
    """A question that is answered by a letter.

    Attributes:
        row: What the task's prompt says beside the options.
        options: In any order.
        right: Those of them that are.
        face: What the client's face shows, None where no face is told of.
    """

    row: Mapping[str, Any]
    options: tuple[str, ...]
    right: tuple[str, ...]
    face: ShownFace | None


@functools.cache
def _written(task: str) -> tuple[LetteredQuestion, ...]:
    """Returns a task's questions on the train split."""
    faces = _NotedFaces()
    rows = WRITTEN[task](Making(load_data("mini"), "train", faces))
    return tuple(
        LetteredQuestion(
            row,
            tuple(row["options"]),
            tuple(row["options"][LETTERS.index(letter)] for letter in row["answers"]),
            faces.noted.get(row.get("image_digest", "")),
        )
        for row in rows
    )


class WrittenReply(NamedTuple):
    """What the therapist of a screenplay says to a client, and the lines before it."""

    profile: Profile
    before: tuple[Line, ...]
    said: str


@functools.cache
def _replies() -> tuple[WrittenReply, ...]:
    """Returns every reply of the train split's screenplays to what a client said, but those that miss it."""
    data = load_data("mini")
    profiles = {profile.id: profile for profile in data.profiles}
    return tuple(
        WrittenReply(profiles[play.profile_id], play.lines[:number], line.words)
        for play in data.of_split("train").screenplays
        for number, line in enumerate(play.lines)
        if number and line.words.strip() and not is_client(line) and is_client(play.lines[number - 1])
        # A moment's number is that of the client's line, counted from 1.
        if not any(moment.missed and moment.number == number for moment in play.moments)
    )


class Quiz:
    """Draws questions without end, the same for the same seed.

    Args:
        encoder: Makes the sequences.
        seed: Of the draws.
    """

    def __init__(self, encoder: ExampleEncoder, seed: int) -> None:
        self._encoder = encoder
        self._draw = random.Random(derive_seed("quiz", seed))
        self._feelings = load_feelings()
        making = Making(load_data("mini"), "train", _NotedFaces())
        self._plain, self._moments = statements(making), moments(making)

    def expression(self) -> TokenSequence:
        """Returns a face and its label."""
        name = self._draw.choice(sorted(labels()))
        shown = self._face(self._draw.choice(labels()[name].of))
        return self._ask("mirror_expression", {"options": list(labels())}, shown, name)

    def agreement(self) -> TokenSequence:
        """Returns words and a face, and whether they agree; the answer says first how each is."""
        fine, pleasant = self._draw.random() < 0.5, self._draw.random() < 0.5
        shown = self._face(self._draw.choice(PLEASANT if pleasant else UNPLEASANT))
        row = {"words": self._words(fine)}
        return self._ask("mirror_incongruence", row, shown, agreement_answer(pleasant, fine))

    def letter(self) -> TokenSequence:
        """Returns a lettered question, its options in a new order, answered by the letter alone."""
        task = self._draw.choice(LETTERED)
        asked = self._choosing() if task == CHOICE else self._draw.choice(_written(task))
        return self._lettered(task, asked, led=False)

    def practice(self) -> TokenSequence:
        """Returns a lettered question whose answer, where it is generated, begins with words of the option.

        The train split's own questions are few, and would be learnt by heart. Half of the questions on
        resistance are therefore about sessions of the stateful client, in which every client of the train
        split resists in every way: who it is does not tell how.
        """
        task = self._draw.choice([name for name, times in PRACTISED.items() for _ in range(times)])
        if task == CHOICE:
            asked = self._choosing()
        elif task in RESISTANCE and self._draw.random() < 0.5:
            asked = self._resisting()
        else:
            asked = self._draw.choice(_written(task))
        return self._lettered(task, asked, led=task in GENERATED)

    def _choosing(self) -> LetteredQuestion:
        """Returns a place of a train screenplay, its reply, and three of sessions with other clients.

        The task's own distractors are the same in every split, so nothing may be trained on them.
        """
        place = self._draw.choice(_replies())
        others = [reply.said for reply in _replies() if reply.profile.id != place.profile.id]
        row = {
            "about": about(place.profile),
            "reason": place.profile.reason_for_seeking,
            "dialogue": dialogue(place.before),
        }
        face = ShownFace(FaceIdentity(), shown_expression(place.before[-1]))
        return LetteredQuestion(row, (place.said, *self._draw.sample(others, 3)), (place.said,), face)

    def _resisting(self) -> LetteredQuestion:
        """Returns a session of the stateful client so far, with how it resists."""
        kind = self._draw.choice(list(RESISTANCES))
        lesson = _resisting_lesson(kind, self._draw.randrange(RESISTING))
        turns = lesson.turns[: self._draw.choice(CUTS)]
        lines = [
            Line(speaker=speaker, words=words)
            for turn in turns
            for speaker, words in ((Speaker.CLIENT, turn.heard), (Speaker.THERAPIST, turn.said))
        ]
        shown = turns[-1].shown
        face = None if shown is None else ShownFace(FaceIdentity(), shown)
        row = {"dialogue": dialogue(lines[:-1])}
        return LetteredQuestion(row, tuple(RESISTANCES.values()), (RESISTANCES[kind],), face)

    def _lettered(self, task: str, question: LetteredQuestion, *, led: bool) -> TokenSequence:
        options = self._draw.sample(question.options, len(question.options))
        listing = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False))
        chosen = self._draw.choice(question.right)
        answer = LETTERS[options.index(chosen)]
        if led:
            answer = f"{' '.join(chosen.split()[:LED_BY])} ({answer})"
        asked = {**question.row, "listing": listing}
        if question.face is not None and PLACE in prompt_text(task, asked):
            shown = ShownFace(random_identity(self._draw.getrandbits(30)), question.face.expression)
            return self._ask(task, asked, shown, answer)
        return self._ask(task, asked, None, answer)

    def _ask(self, task: str, row: Mapping[str, Any], face: ShownFace | None, answer: str) -> TokenSequence:
        text = prompt_text(task, row)
        return self._encoder.question(text.partition(PLACE)[2] if face else text, face, answer)

    def _face(self, label: str) -> ShownFace:
        strength = round(self._draw.uniform(0.6, 1.0), 3)
        return ShownFace(random_identity(self._draw.getrandbits(30)), scaled(EXPRESSIONS[label], strength))

    def _words(self, fine: bool) -> str:
        share = self._draw.random()
        if share < 0.5:
            return self._feelings.say(fine, self._draw)
        four = self._draw.choice(self._plain if share < 0.75 or not self._moments else self._moments)
        return four.fine if fine else four.distressed
