"""Sequences of tokens to learn from: lessons, captions, plans and questions, as serving asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from baselines.architecture import AROUND_IMAGE, IMAGE, WHOLE_IMAGE
from baselines.corpus import IGNORED, TokenSequence, as_chat
from baselines.smol.body import ASSISTANT, END
from baselines.smol.lessons import Lesson
from baselines.smol.looks import look_of
from mirror_bench.engines.base import ImagePart, Message
from mirror_bench.faces.identity import random_identity
from mirror_bench.schema import Expression, FaceIdentity, Profile, Speaker, derive_seed
from mirror_bench.therapists.prompts import PromptTurn, caption_messages, plan_messages, reply_messages


class Emphasis(NamedTuple):
    """What the rare words of a session weigh, beside the 1 of all others: else they would be learnt last.

    Attributes:
        face: The sentence that the face decides; one reply among six has one.
        crisis: A reply to a disclosure of danger.
    """

    face: float
    crisis: float


LEARNING, SETTLING = Emphasis(4.0, 4.0), Emphasis(1.0, 0.7)
ANSWER_WEIGHT = 4.0
"""Weight of an answer of one or a few tokens, beside sessions of hundreds."""


class ShownFace(NamedTuple):
    """A face that an example shows: whose, and with which expression."""

    identity: FaceIdentity
    expression: Expression


class NumberedFaces:
    """Numbers the faces that examples show, so that each is drawn and looked at once."""

    def __init__(self) -> None:
        self.shown: list[ShownFace] = []

    def add(self, face: ShownFace) -> int:
        """Returns the number of a face."""
        self.shown.append(face)
        return len(self.shown) - 1


class ExampleEncoder:
    """Encodes messages and faces as training sequences.

    Args:
        processor: The model's processor.
        faces: Where the faces of the examples are numbered.
        emphasis: What rare words weigh.
    """

    def __init__(self, processor: Any, faces: NumberedFaces, emphasis: Emphasis = LEARNING) -> None:
        self._tokens = processor.tokenizer
        self._template = processor.chat_template
        self._image = AROUND_IMAGE + WHOLE_IMAGE + IMAGE * processor.image_seq_len + AROUND_IMAGE
        self.faces = faces
        self._emphasis = emphasis

    def sequence(
        self, messages: Sequence[Message], answers: Sequence[LearntAnswer], faces: list[int]
    ) -> TokenSequence:
        """Returns messages as a sequence.

        Args:
            messages: The conversation, answers included.
            answers: How each assistant message is learnt, in their order.
            faces: Numbers of the faces in `messages`.
        """
        text = self._tokens.apply_chat_template(
            as_chat(messages), chat_template=self._template, tokenize=False
        )
        text = text.replace(IMAGE, self._image)
        read = self._tokens(text, add_special_tokens=False, return_offsets_mapping=True)
        ids, places = read["input_ids"], read["offset_mapping"]
        labels, weights = [IGNORED] * len(ids), [1.0] * len(ids)
        end = token = 0
        for answer in answers:
            start = text.index(ASSISTANT, end) + len(ASSISTANT)
            end = text.index(END, start) + len(END)
            heavy = text.find(answer.heavy, start, end) if answer.heavy else -1
            while token < len(ids) and places[token][1] <= start:
                token += 1
            while token < len(ids) and places[token][0] < end:
                if answer.learnt:
                    labels[token] = ids[token]
                    weights[token] = answer.weight
                    if (
                        heavy >= 0
                        and places[token][0] < heavy + len(answer.heavy)
                        and places[token][1] > heavy
                    ):
                        weights[token] = self._emphasis.face
                token += 1
        return TokenSequence(ids, labels, weights, faces)

    def lesson(self, lesson: Lesson, seed: int, plan: str = "") -> TokenSequence:
        """Returns a session, all of the teacher's replies in it to be learnt."""
        identity = random_identity(derive_seed("lesson face", seed))
        ways = lesson.method.split("+")
        history, faces, answers = [], [], []
        for turn in lesson.turns:
            part, caption = None, ""
            if turn.shown is not None and lesson.method != "text":
                number = self.faces.add(ShownFace(identity, turn.shown))
                faces.append(number)
                part = face_part(number)
                caption = look_of(turn.shown.label).caption if "ec" in ways else ""
            history.append(PromptTurn(Speaker.CLIENT, turn.heard, part, caption))
            history.append(PromptTurn(Speaker.THERAPIST, turn.said))
            answers.append(
                LearntAnswer(turn.taught, turn.named, self._emphasis.crisis if turn.crisis else 1.0)
            )
        messages = reply_messages(
            lesson.profile, history, sees=lesson.method != "text", technique=lesson.technique, plan=plan
        )
        return self.sequence(messages, answers, faces)

    def caption(self, face: ShownFace) -> TokenSequence:
        """Returns a face and its caption."""
        number = self.faces.add(face)
        look = look_of(face.expression.label)
        messages = (*caption_messages(face_part(number)), Message("assistant", (look.caption,)))
        return self.sequence(messages, [LearntAnswer(heavy=look.head)], [number])

    def plan(self, profile: Profile, opening: str, face: ShownFace | None, answer: str) -> TokenSequence:
        """Returns a first turn and the plan that it leads to."""
        number = None if face is None else self.faces.add(face)
        turn = PromptTurn(Speaker.CLIENT, opening, None if number is None else face_part(number))
        messages = (*plan_messages(profile, [turn]), Message("assistant", (answer,)))
        return self.sequence(messages, [LearntAnswer()], [] if number is None else [number])

    def question(self, text: str, face: ShownFace | None, answer: str) -> TokenSequence:
        """Returns one question of a static task as lm-eval's chat makes it, and its answer."""
        if face is None:
            return self.sequence(
                (Message("user", (text,)), Message("assistant", (answer,))),
                [LearntAnswer(weight=ANSWER_WEIGHT)],
                [],
            )
        number = self.faces.add(face)
        asked = Message("user", (face_part(number), text))
        return self.sequence(
            (asked, Message("assistant", (answer,))), [LearntAnswer(weight=ANSWER_WEIGHT)], [number]
        )


class LearntAnswer(NamedTuple):
    """Whether an assistant message is learnt, and how much its tokens weigh.

    Attributes:
        learnt: Whether it is.
        heavy: Words of it that weigh `Emphasis.face`.
        weight: What its other tokens weigh.
    """

    learnt: bool = True
    heavy: str = ""
    weight: float = 1.0


def face_part(number: int) -> ImagePart:
    """Returns the place of a face in a message: the image itself is looked at apart."""
    return ImagePart(b"", f"face {number}")
