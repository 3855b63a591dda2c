"""Computes one batch of requests with transformers, each row sampled by its own rules."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import torch
from transformers import GenerationConfig, LogitsProcessor, StoppingCriteria

from mirror_bench.engines.base import Answer, Request, Sampling
from mirror_bench.engines.chat_templates import Prompting
from mirror_bench.engines.images import decode, images_of
from mirror_bench.errors import EngineError, TooMuchError

# A stop text is looked for in the text of so many last tokens, beyond one token per character of it.
_SLACK_TOKENS = 4


class Loaded(NamedTuple):
    """A model of transformers in memory, with its prompting and the token ids that generation needs.

    Attributes:
        ends: Token ids that end an answer.
        pad: Token id that fills up shorter rows.
        context: Longest prompt and answer together, in tokens; 0 where unknown.
    """

    model: Any
    prompting: Prompting
    ends: tuple[int, ...]
    pad: int
    context: int


def answer_batch(loaded: Loaded, requests: Sequence[Request]) -> list[Answer | EngineError]:
    """Answers requests together; a prompt too long for the context gets an error in its place.

    Args:
        loaded: The model.
        requests: Either all with images or all without; images the model cannot read are left out before.

    Raises:
        Exception: Whatever the model raises, which then holds for the batch as a whole.
    """
    inputs = _encode(loaded, requests)
    lengths = [int(length) for length in inputs["attention_mask"].sum(dim=1)]
    if not all(_fits(*pair, loaded) for pair in zip(requests, lengths, strict=True)):
        return _without_too_long(loaded, requests, lengths)
    rows = [
        _limited(request.sampling, length, loaded) for request, length in zip(requests, lengths, strict=True)
    ]
    width = inputs["input_ids"].shape[1]
    with torch.inference_mode():
        output = loaded.model.generate(
            **on_device(inputs, loaded.model),
            generation_config=GenerationConfig(
                do_sample=False,
                max_new_tokens=max(row.max_tokens for row in rows),
                eos_token_id=list(loaded.ends),
                pad_token_id=loaded.pad,
            ),
            logits_processor=[RowSampler(rows, [request.seed for request in requests], width)],
            stopping_criteria=[RowStop(rows, loaded.prompting.tokenizer, width)],
        )
    return [
        _read(loaded, row, [int(token) for token in tokens], length)
        for row, tokens, length in zip(rows, output[:, width:], lengths, strict=True)
    ]


class RowSampler(LogitsProcessor):  # type: ignore[misc]
    """Draws every row's next token by the row's own temperature, top-p, penalties and seed.

    The token drawn is given the only finite score, so that greedy search takes it. Penalties count
    generated tokens alone, as OpenAI and vLLM define them.
    """

    def __init__(self, rows: Sequence[Sampling], seeds: Sequence[int], width: int) -> None:
        self._rows = rows
        self._width = width
        self._draws = [torch.Generator().manual_seed(seed) for seed in seeds]

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Returns scores of shape [rows, vocabulary] in which greedy search finds the token drawn."""
        for index, row in enumerate(self._rows):
            if row.frequency_penalty or row.presence_penalty:
                tokens, counts = input_ids[index, self._width :].unique(return_counts=True)
                penalty = row.frequency_penalty * counts + row.presence_penalty
                scores[index, tokens] -= penalty.to(scores.dtype)
            if row.temperature > 0:
                drawn = self._draw(scores[index].float().cpu(), row, self._draws[index])
                scores[index] = -torch.inf
                scores[index, drawn] = 0.0
        return scores

    @staticmethod
    def _draw(scores: Any, row: Sampling, draws: Any) -> int:
        shares = torch.softmax(scores / row.temperature, dim=-1)
        if row.top_p < 1:
            ordered, order = shares.sort(descending=True)
            # A token stays if those before it do not yet reach top_p: the likeliest always does.
            ordered[ordered.cumsum(0) - ordered >= row.top_p] = 0.0
            shares = torch.zeros_like(shares).scatter(0, order, ordered)
        return int(torch.multinomial(shares, 1, generator=draws))


class RowStop(StoppingCriteria):  # type: ignore[misc]
    """Ends a row at its own number of tokens or its own stop texts."""

    def __init__(self, rows: Sequence[Sampling], tokenizer: Any, width: int) -> None:
        self._rows = rows
        self._tokenizer = tokenizer
        self._width = width

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        """Returns which rows are done, shape [rows]."""
        generated = input_ids[:, self._width :]
        done = [
            generated.shape[1] >= row.max_tokens or self._stopped(row, generated[index])
            for index, row in enumerate(self._rows)
        ]
        return torch.tensor(done, device=input_ids.device)

    def _stopped(self, row: Sampling, tokens: Any) -> bool:
        if not row.stop:
            return False
        tail = tokens[-(max(map(len, row.stop)) + _SLACK_TOKENS) :]
        text = self._tokenizer.decode(tail, skip_special_tokens=True)
        return any(stop in text for stop in row.stop)


def on_device(inputs: Any, model: Any) -> dict[str, Any]:
    """Returns inputs where the model computes, images in its number format.

    What processors return can be told a number format; what tokenizers return cannot.
    """
    moved = {}
    for name, values in inputs.items():
        # Tokenizers saved without the names of their outputs give these to models that know none.
        if name == "token_type_ids" and name not in inspect.signature(model.forward).parameters:
            continue
        dtype = model.dtype if torch.is_floating_point(values) else values.dtype
        moved[name] = values.to(model.device, dtype=dtype)
    return moved


def _encode(loaded: Loaded, requests: Sequence[Request]) -> Any:
    prompting = loaded.prompting
    texts = [prompting.render(request.messages) for request in requests]
    arguments: dict[str, Any] = {
        "return_tensors": "pt",
        "padding": True,
        "padding_side": "left",
        "add_special_tokens": prompting.adds_special_tokens(texts[0]),
    }
    images = [[decode(image) for image in images_of(request.messages)] for request in requests]
    if any(images):
        arguments["images"] = images
    return prompting.processor(text=texts, **arguments)


def _without_too_long(
    loaded: Loaded, requests: Sequence[Request], lengths: Sequence[int]
) -> list[Answer | EngineError]:
    pairs = list(zip(requests, lengths, strict=True))
    fitting = [request for request, length in pairs if _fits(request, length, loaded)]
    answers = iter(answer_batch(loaded, fitting) if fitting else ())
    return [
        next(answers)
        if _fits(request, length, loaded)
        else TooMuchError(
            f"the prompt has {length} tokens and the model's context {loaded.context}: shorten it"
        )
        for request, length in pairs
    ]


def _fits(request: Request, length: int, loaded: Loaded) -> bool:
    """Whether the context holds a prompt; with the whole answer where the prompt can be shortened."""
    room = request.sampling.max_tokens if request.shrinkable else 1
    return not loaded.context or length + room <= loaded.context


def _limited(sampling: Sampling, length: int, loaded: Loaded) -> Sampling:
    room = loaded.context - length if loaded.context else sampling.max_tokens
    return replace(sampling, max_tokens=max(1, min(sampling.max_tokens, room)))


def _read(loaded: Loaded, row: Sampling, tokens: list[int], prompt_tokens: int) -> Answer:
    tokens = tokens[: row.max_tokens]
    end = next((index for index, token in enumerate(tokens) if token in loaded.ends), None)
    spoken = tokens if end is None else tokens[:end]
    # A character whose last bytes never came is no part of the answer; vLLM does not show it either.
    keeps = loaded.prompting.thinks_in_special_tokens
    text = loaded.prompting.tokenizer.decode(spoken, skip_special_tokens=not keeps).rstrip("\ufffd")
    text = loaded.prompting.without_special_tokens(text)
    cut = min((text.find(stop) for stop in row.stop if stop in text), default=None)
    finish = "stop" if end is not None or cut is not None else "length"
    # The token that ends an answer counts as generated, as in vLLM.
    return Answer(text[:cut], finish, prompt_tokens, len(spoken) + (end is not None))
