"""The examples that the reference model learns from: conversations, captions and plans, as serving asks.

Every prompt is made by `mirror_bench.therapists.prompts` and rendered by the model's own chat template, so
what is trained is what is served. Only the train split is read.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from baselines.architecture import AROUND_IMAGE, IMAGE, WHOLE_IMAGE
from baselines.faceset import TRAIN, FaceSet
from baselines.grammar import FaceKind, Grammar, TechniquePlan
from mirror_bench.data.base import DataSet
from mirror_bench.data.checks.contamination import Protected
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.engines.base import ImagePart, Message
from mirror_bench.errors import InputError
from mirror_bench.schema import Profile, Speaker, digest
from mirror_bench.therapists.prompts import PromptTurn, caption_messages, plan_messages, reply_messages

METHODS = ("direct", "direct", "ec", "p", "p+ec", "text")
"""How often a conversation is held in which way."""
IGNORED = -100
"""Label of a token that is not learnt."""
MIDDLE = 0.7
"""Share of the longer conversations that begin in the middle of a session."""
SEEN_WEIGHT = 5.0
"""Weight of the words that only the face decides: few among many, they would be learnt last."""


@dataclass(frozen=True)
class Source:
    """The profiles and sentences of the train split that a model learns from.

    Attributes:
        profiles: The profiles of the train split.
        client: What clients say in their screenplays and voices.
        therapist: What therapists say there.
        directions: What clients do there.
        digest: SHA-256 of the profiles and screenplays read.
    """

    profiles: tuple[Profile, ...]
    client: tuple[str, ...]
    therapist: tuple[str, ...]
    directions: tuple[str, ...]
    digest: str


def read_source() -> Source:
    """Reads MIRROR-Mini's train split, and nothing of the others.

    Raises:
        InputError: If the packaged set has no train split, or its train split shares text with another.
    """
    whole = load_mini()
    data = whole.of_split(TRAIN)
    if not data.profiles:
        raise InputError("MIRROR-Mini has no profiles of the split 'train': tasks/mini is not complete")
    lines = [line for play in data.screenplays for line in play.lines if line.words.strip()]
    voices = [line.words for profile in data.profiles for line in profile.voice]
    source = Source(
        data.profiles,
        (*(line.words.strip() for line in lines if line.speaker is Speaker.CLIENT), *voices),
        tuple(line.words.strip() for line in lines if line.speaker is Speaker.THERAPIST),
        tuple(
            text
            for play in data.screenplays
            for line in play.lines
            if line.speaker is Speaker.CLIENT
            for text in line.directions
        ),
        digest([[p.line() for p in data.profiles], [play.line() for play in data.screenplays]]),
    )
    refuse_contamination(source, whole)
    return source


def refuse_contamination(source: Source, whole: DataSet) -> None:
    """Checks that nothing to train from stands in a split that is kept for tuning or testing.

    Raises:
        InputError: If something does, quoting it.
    """
    for split in ("dev", "test"):
        protected = Protected(whole.of_split(split))
        read = [("a client's line", text) for text in source.client]
        read += [("a therapist's line", text) for text in source.therapist]
        read += [(f"profile {profile.id}", profile.line()) for profile in source.profiles]
        for hit in protected.check_all(read):
            raise InputError(
                f"{hit.source} of the split train also stands in {split} ({hit.of}): {hit.example!r}"
            )


class TokenSequence(NamedTuple):
    """One training sequence: token ids, labels, and the faces at their places.

    Attributes:
        ids: Token ids, images expanded.
        labels: The ids that are learnt, `IGNORED` elsewhere; not shifted.
        weights: How much each label counts.
        faces: Indices of the faces in the face set, in the order of their places.
    """

    ids: list[int]
    labels: list[int]
    weights: list[float]
    faces: list[int]


def as_chat(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Returns messages as the chat template takes them, with an empty place for each image."""
    return [
        {
            "role": message.role,
            "content": [
                {"type": "text", "text": part} if isinstance(part, str) else {"type": "image"}
                for part in message.parts
            ],
        }
        for message in messages
    ]


class Corpus:
    """Draws examples without end, the same for the same seed.

    Args:
        grammar: What is said.
        source: What the words of clients and the profiles are taken from.
        faces: The faces that are shown; an example refers to them by index.
        processor: The model's processor.
        seed: Of the draws.
        turns: Most client turns of a conversation.
    """

    def __init__(
        self, grammar: Grammar, source: Source, faces: FaceSet, processor: Any, *, seed: int, turns: int
    ) -> None:
        self._grammar = grammar
        self._source = source
        self._faces = [faces.of(label) for label in range(len(grammar.seen))]
        self._draw = random.Random(seed)
        self._turns = turns
        self._tokens = processor.tokenizer
        self._image = AROUND_IMAGE + WHOLE_IMAGE + IMAGE * processor.image_seq_len + AROUND_IMAGE
        self._assistant = self._tokens.convert_tokens_to_ids("<|assistant|>")
        self._template = processor.chat_template

    def caption(self) -> TokenSequence:
        """Returns a face and its caption."""
        seen, face = self._face()
        messages = (*caption_messages(_part(face)), Message("assistant", (seen.caption,)))
        return self.example(messages, [True], [face], [seen.head])

    def plan(self) -> TokenSequence:
        """Returns a first turn and the plan that it leads to."""
        turn, face, _ = self._client(seen=self._draw.random() < 0.8, captioned=False)
        plan = self._grammar.plan_for(self._grammar.kind_of(turn.words))
        messages = (*plan_messages(self._profile(), [turn]), Message("assistant", (plan.answer,)))
        return self.example(messages, [True], [] if face is None else [face])

    def conversations(self, replies: int, alone: float = 0.5) -> list[TokenSequence]:
        """Returns conversations with one client and one plan, and of the same number of turns.

        So their prompts begin alike, which is computed once, and little of a batch is padding.

        Args:
            replies: How many replies they hold together, about: many short conversations or few long ones.
            alone: Chance that they are of one client turn, with one face to look at. Such replies are all a
                first step, and soon learnt.
        """
        turns = 1 if self._draw.random() < alone or self._turns == 1 else self._draw.randint(2, self._turns)
        method, profile = self._draw.choice(METHODS), self._profile()
        plan = self._draw.choice(self._grammar.plans) if "p" in method.split("+") else None
        return [
            self.conversation(turns, method, profile, plan) for _ in range(max(1, round(replies / turns)))
        ]

    def conversation(
        self, turns: int, method: str, profile: Profile, plan: TechniquePlan | None = None
    ) -> TokenSequence:
        """Returns a conversation of so many client turns with all its replies to learn.

        Most begin in the middle of a session: their first reply is given, not learnt, because it does not
        follow from anything that stands before it.
        """
        middle = turns > 1 and self._draw.random() < MIDDLE
        history: list[PromptTurn] = []
        faces: list[int] = []
        marked: list[str] = []
        before = ""
        for number in range(turns):
            turn, face, seen = self._client(method != "text", "ec" in method.split("+"))
            history.append(turn)
            faces += [] if face is None else [face]
            before = self._reply(turn, seen, plan, before, given=middle and number == 0)
            history.append(PromptTurn(Speaker.THERAPIST, before))
            marked += [way for way in (seen.ways if seen else ()) if way in before]
        messages = reply_messages(
            profile,
            history,
            sees=method != "text",
            technique=plan.technique if plan else "",
            plan=plan.text if plan else "",
        )
        return self.example(
            messages, [not (middle and number == 0) for number in range(turns)], faces, marked
        )

    def example(
        self,
        messages: Sequence[Message],
        learnt: Sequence[bool],
        faces: list[int],
        marked: Sequence[str] = (),
    ) -> TokenSequence:
        """Returns messages as a sequence.

        Args:
            messages: The conversation, answers included.
            learnt: For each assistant message, whether it is learnt.
            faces: Indices of the faces in `messages`.
            marked: Words of the answers that the face decides, in their order.
        """
        text = self._tokens.apply_chat_template(
            as_chat(messages), chat_template=self._template, tokenize=False
        )
        text = text.replace(IMAGE, self._image)
        read = self._tokens(text, add_special_tokens=False, return_offsets_mapping=True)
        ids = read["input_ids"]
        labels = [IGNORED] * len(ids)
        answers = iter(learnt)
        inside = False
        for place, token in enumerate(ids):
            if inside:
                labels[place] = token
            if token == self._tokens.eos_token_id:
                inside = False
            elif token == self._assistant:
                inside = next(answers)
        return TokenSequence(ids, labels, _weights(text, read["offset_mapping"], marked), faces)

    def face_of(self, label: int) -> int:
        """Returns the index of a face that shows one of `Grammar.seen`, drawn at random."""
        return int(self._draw.choice(self._faces[label]))

    def _face(self) -> tuple[FaceKind, int]:
        label = self._draw.randrange(len(self._grammar.seen))
        return self._grammar.seen[label], self.face_of(label)

    def _client(self, seen: bool, captioned: bool) -> tuple[PromptTurn, int | None, FaceKind | None]:
        words = self._words()
        if not seen or self._draw.random() < 0.08:  # now and then the face is withheld
            return PromptTurn(Speaker.CLIENT, words), None, None
        shown, face = self._face()
        caption = shown.caption if captioned else ""
        return PromptTurn(Speaker.CLIENT, words, _part(face), caption), face, shown

    def _reply(
        self, turn: PromptTurn, seen: FaceKind | None, plan: TechniquePlan | None, before: str, given: bool
    ) -> str:
        if given and self._draw.random() < 0.2:
            return self._draw.choice(self._source.therapist or self._grammar.unseen)
        step = (
            self._draw.randrange(len(self._grammar.closings)) if given else self._grammar.step_after(before)
        )
        return self._grammar.reply(turn.words, seen, step, plan)

    def _words(self) -> str:
        """Returns what a client says: of the templates, of a screenplay, or both, one after the other."""
        kind = self._draw.choice(self._grammar.kinds)
        words = self._draw.choice(kind.says)
        chance = self._draw.random()
        if self._source.client and chance < 0.25:
            line = self._draw.choice(self._source.client)
            words = line if chance < 0.18 else f"{words} {line}"
        elif chance < 0.35 and kind.name != "silence":
            words = f"{words} {self._draw.choice(self._grammar.kinds[-1].says)}"
        return words

    def _profile(self) -> Profile:
        """Returns a profile, often in brief, with another one's reason: it must not decide the reply."""
        profile, other = (self._draw.choice(self._source.profiles) for _ in range(2))
        reason = other.reason_for_seeking
        if self._draw.random() < 0.5:
            brief = {
                "about": f"{profile.name}, {profile.age}.",
                "reason_for_seeking": reason.split(".")[0] + ".",
            }
            return profile.model_copy(update=brief)
        return profile.model_copy(update={"reason_for_seeking": reason})


def _weights(text: str, places: Sequence[tuple[int, int]], marked: Sequence[str]) -> list[float]:
    """Returns the weight of each token: `SEEN_WEIGHT` within the marked words, which stand in this order."""
    weights = [1.0] * len(places)
    end = 0
    for words in marked:
        start = text.find(words, end)
        end = start + len(words)
        for token, (first, last) in enumerate(places):
            if first < end and last > start:
                weights[token] = SEEN_WEIGHT
    return weights


def _part(face: int) -> ImagePart:
    return ImagePart(b"", f"face {face}")


def tokenizer_texts(grammar: Grammar, source: Source) -> list[str]:
    """Returns the texts that the tokenizer learns from: the templates, the prompts, and the train split."""
    face = ImagePart(b"", "face")
    spoken = [PromptTurn(Speaker.CLIENT, grammar.kinds[0].says[0], face)]
    texts = list(grammar.texts())
    for profile in source.profiles:
        asked = [*plan_messages(profile, spoken), *caption_messages(face)]
        for plan in grammar.plans:
            asked += reply_messages(profile, spoken, technique=plan.technique, plan=plan.text)
        texts += [message.text for message in asked]
    return texts + [*source.client, *source.therapist] * 2
