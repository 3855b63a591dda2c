"""How likely an engine finds a given answer, where it can say so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, cast

from mirror_bench.engines.base import Engine, EngineWrapper, Request
from mirror_bench.errors import EngineError, InputError

MOST_NEXTS = 128
"""Tokens that may be asked about at once as following one text, by the limit of vLLM."""


class Likelihood(NamedTuple):
    """How likely a continuation of a prompt is.

    Attributes:
        logprob: Natural logarithm of its probability given the prompt, at most 0: the sum over its tokens.
        greedy: Whether every token of it is the likeliest at its place.
        tokens: Tokens of the continuation.
    """

    logprob: float
    greedy: bool
    tokens: int


class ScoringEngine(Engine, Protocol):
    """An engine that also says how likely given answers are."""

    async def score(self, request: Request, continuations: Sequence[str]) -> list[Likelihood]:
        """Returns how likely each of `continuations` is as the beginning of the answer to `request`.

        All of them are of one question, whose prompt is read once where the engine can. The request's
        sampling and seed play no part.

        Raises:
            EngineError: If this request failed.
            EngineDeadError: If no further request can succeed.
        """
        ...


class ScoringRow(NamedTuple):
    """A text that a model reads once to say how likely continuations are.

    Attributes:
        text: The rendered prompt; with a continuation behind it where that is read token by token.
        tail: So many tokens at the end of the text are part of every continuation of the row.
        nexts: Place among the continuations -> the token that would follow the text; None where the text
            holds the whole continuation.
    """

    text: str
    tail: int
    nexts: dict[int, int | None]

    @property
    def tokens(self) -> list[int]:
        """The tokens that may follow, each once, in the order of the continuations."""
        return list(dict.fromkeys(token for token in self.nexts.values() if token is not None))


def scoring(engine: Engine) -> ScoringEngine:
    """Returns the engine as one that scores answers.

    Raises:
        InputError: If it cannot, naming engines that can.
    """
    asked = engine
    while isinstance(asked, EngineWrapper):
        asked = asked.engine
    if not (hasattr(engine, "score") and hasattr(asked, "score")):
        raise InputError(
            f"{engine.name}: gives no log-probabilities of given answers, which multiple choice by "
            "likelihood needs; open the model with vllm/… or transformers/…, or choose tasks that generate"
        )
    return cast("ScoringEngine", engine)


def scoring_rows(
    tokenizer: Any, prompt: str, continuations: Sequence[str], special: bool
) -> list[ScoringRow]:
    """Returns the texts to be read so that every continuation of a prompt is scored, the prompt alone first.

    Continuations that differ from each other in the one token after the prompt, as letters do, are all told
    by what the model expects there; each other one needs a text of its own. White space at the end of the
    prompt counts with the continuation, as in lm-eval, because tokenizers join it to the word that follows.

    Args:
        tokenizer: Of transformers.
        prompt: The rendered prompt.
        continuations: What is to be scored.
        special: Whether the tokenizer adds its special tokens.

    Raises:
        EngineError: If a continuation adds no token to the prompt.
    """

    def tokens(text: str) -> list[int]:
        return list(tokenizer(text, add_special_tokens=special)["input_ids"])

    alone, context = tokens(prompt), len(tokens(prompt.rstrip()))
    nexts: dict[int, int | None] = {}
    rows = []
    for place, continuation in enumerate(continuations):
        whole = tokens(prompt + continuation)
        if len(whole) <= context or not continuation:
            raise EngineError(f"the answer to be scored, {continuation!r}, adds no token to the prompt")
        if whole[:-1] == alone:
            nexts[place] = whole[-1]
        else:
            rows.append(ScoringRow(prompt + continuation, len(whole) - context, {place: None}))
    followed = list(nexts.items())
    parts = [dict(followed[start : start + MOST_NEXTS]) for start in range(0, len(followed), MOST_NEXTS)]
    return [*(ScoringRow(prompt, len(alone) - context, part) for part in parts), *rows]
