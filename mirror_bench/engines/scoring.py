"""How likely an engine finds a given answer, where it can say so."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, cast

from mirror_bench.engines.base import Engine, EngineWrapper, Request
from mirror_bench.errors import EngineError, InputError


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
    """An engine that also says how likely a given answer is."""

    async def score(self, request: Request, continuation: str) -> Likelihood:
        """Returns how likely `continuation` is as the beginning of the answer to `request`.

        The request's sampling and seed play no part.

        Raises:
            EngineError: If this request failed.
            EngineDeadError: If no further request can succeed.
        """
        ...


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


def continuation_tokens(tokenizer: Any, prompt: str, continuation: str, special: bool) -> int:
    """Counts the tokens at the end of `prompt + continuation` that belong to the continuation.

    White space at the end of the prompt counts with the continuation, as in lm-eval, because tokenizers
    join it to the word that follows.

    Args:
        tokenizer: Of transformers.
        prompt: The rendered prompt.
        continuation: What is to be scored.
        special: Whether the tokenizer adds its special tokens.

    Raises:
        EngineError: If the continuation adds no token to the prompt.
    """
    whole = tokenizer(prompt + continuation, add_special_tokens=special)["input_ids"]
    context = tokenizer(prompt.rstrip(), add_special_tokens=special)["input_ids"]
    if len(whole) <= len(context) or not continuation:
        raise EngineError(f"the answer to be scored, {continuation!r}, adds no token to the prompt")
    return len(whole) - len(context)
