"""Questions of static tasks to learn from: those of the train split, asked exactly as lm-eval asks them."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Mapping
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined

from baselines.corpus import Corpus, TokenSequence
from baselines.feelings import PATH, load_feelings
from baselines.grammar import Grammar
from mirror_bench.content import content_path
from mirror_bench.data.sources.registry import load_data
from mirror_bench.engines.base import ImagePart, Message
from mirror_bench.lm_eval.expression import labels
from mirror_bench.lm_eval.incongruence import moments, statements
from mirror_bench.lm_eval.questions import Faces, Making
from mirror_bench.schema import derive_seed, digest

PLACE = "<image>"
PLEASANT = ("happiness",)
UNPLEASANT = ("sadness", "anger", "fear", "disgust", "ashamed", "pain")
SIDES = ("pleasant", "unpleasant")
TEMPLATED, STATEMENTS = 0.6, 0.3
"""Shares of the questions on face and words that are about statements from templates, and about plain
statements of the train split; the others are about moments of its sessions."""


class _Loader(yaml.SafeLoader):
    """Reads a task's file without importing what it calls."""


_Loader.add_constructor("!function", lambda loader, node: str(node.value))


@functools.cache
def prompt_of(task: str) -> str:
    """Returns the prompt template of a static task, as its YAML file has it."""
    content = yaml.load(content_path("lm_eval", f"{task}.yaml").read_text(encoding="utf-8"), _Loader)
    return str(content["doc_to_text"])


@functools.cache
def _environment() -> Environment:
    return Environment(undefined=StrictUndefined)


def prompt_text(task: str, row: Mapping[str, Any]) -> str:
    """Returns one question of a task, filled."""
    return _environment().from_string(prompt_of(task)).render(**row)


def ask(task: str, row: Mapping[str, Any], face: int) -> Message:
    """Returns one question as lm-eval's chat makes it: the face, then the text after its place."""
    return Message("user", (ImagePart(b"", f"face {face}"), prompt_text(task, row).partition(PLACE)[2]))


def questions_digest() -> str:
    """Returns the SHA-256 of what the questions are made of: prompts, statements, templates and labels."""
    names = ("mirror_expression.yaml", "mirror_incongruence.yaml", "statements.yaml", "labels.yaml")
    files = (*(content_path("lm_eval", name) for name in names), PATH)
    return digest([path.read_text(encoding="utf-8") for path in files])


def question_texts() -> list[str]:
    """Returns what the questions say: texts for the tokenizer of a model that is asked them."""
    said = [word for four in statements(_making()) for word in (four.fine, four.distressed)]
    answers = [agreement_answer(*sides) for sides in itertools.product((True, False), repeat=2)]
    prompts = [prompt_of("mirror_expression"), prompt_of("mirror_incongruence")]
    return [*prompts, *labels(), *answers, *said, *load_feelings().texts()]


@functools.cache
def _making() -> Making:
    """Returns the train split, read once for the tokenizer and the questions."""
    return Making(load_data("mini"), "train", Faces())


def agreement_answer(pleasant: bool, fine: bool) -> str:
    """Returns what the model says of a face and words, "yes" or "no" last."""
    face, words = (SIDES[0] if good else SIDES[1] for good in (pleasant, fine))
    return f"{face} face, {words} words: {'yes' if pleasant == fine else 'no'}"


class Questions:
    """Draws questions without end, the same for the same seed.

    Args:
        grammar: Says which expressions the faces to learn from count as.
        corpus: Makes sequences, and has the faces.
        seed: Of the draws.
    """

    def __init__(self, grammar: Grammar, corpus: Corpus, *, seed: int) -> None:
        self._corpus = corpus
        self._draw = random.Random(derive_seed("questions", seed))
        self._feelings = load_feelings()
        self._plain, self._moments = statements(_making()), moments(_making())
        self._shown = {
            name: [place for place, seen in enumerate(grammar.seen) if set(seen.of) <= set(label.of)]
            for name, label in labels().items()
        }
        self._named = {name: place for place, seen in enumerate(grammar.seen) for name in seen.of}

    def batch(self, count: int) -> list[TokenSequence]:
        """Returns `count` questions, every fourth about the expression alone."""
        return [self.expression() if number % 4 == 0 else self.agreement() for number in range(count)]

    def expression(self) -> TokenSequence:
        """Returns a face and its label."""
        name = self._draw.choice([name for name, places in self._shown.items() if places])
        face = self._corpus.face_of(self._draw.choice(self._shown[name]))
        question = ask("mirror_expression", {"options": list(labels())}, face)
        return self._corpus.example((question, Message("assistant", (name,))), [True], [face])

    def agreement(self) -> TokenSequence:
        """Returns words and a face, and whether they agree.

        The answer first says how the face looks and how the words sound: so small a model learns whether two
        things agree only once each of the two is said.
        """
        fine, pleasant = self._draw.random() < 0.5, self._draw.random() < 0.5
        shown = self._draw.choice(PLEASANT if pleasant else UNPLEASANT)
        face = self._corpus.face_of(self._named[shown])
        question = ask("mirror_incongruence", {"words": self._words(fine)}, face)
        answer = agreement_answer(pleasant, fine)
        return self._corpus.example((question, Message("assistant", (answer,))), [True], [face])

    def _words(self, fine: bool) -> str:
        """Returns what a client says who sounds glad, or does not."""
        share = self._draw.random()
        if share < TEMPLATED or not self._moments:
            return self._feelings.say(fine, self._draw)
        four = self._draw.choice(self._plain if share < TEMPLATED + STATEMENTS else self._moments)
        return four.fine if fine else four.distressed
