"""Computes with transformers how likely given answers are: one forward pass per batch."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from mirror_bench.engines.base import Request
from mirror_bench.engines.images import decode, images_of
from mirror_bench.engines.scoring import Likelihood, continuation_tokens
from mirror_bench.engines.transformers.batch import Loaded, on_device
from mirror_bench.errors import EngineError


@dataclass(frozen=True)
class Scored:
    """A request and the answer whose likelihood is asked for."""

    request: Request
    continuation: str


def score_batch(loaded: Loaded, asked: Sequence[Scored]) -> list[Likelihood]:
    """Returns how likely each continuation is.

    Args:
        loaded: The model.
        asked: Either all with images or all without; images the model cannot read are left out before.

    Raises:
        EngineError: If a prompt with its continuation does not fit into the context.
        Exception: Whatever the model raises, which then holds for the batch as a whole.
    """
    prompting = loaded.prompting
    prompts = [prompting.render(one.request.messages) for one in asked]
    special = prompting.adds_special_tokens(prompts[0])
    counts = [
        continuation_tokens(prompting.tokenizer, prompt, one.continuation, special)
        for prompt, one in zip(prompts, asked, strict=True)
    ]
    arguments: dict[str, Any] = {
        "return_tensors": "pt",
        "padding": True,
        # What follows a token does not change what is thought of it, so padding on the right needs no
        # positions of its own.
        "padding_side": "right",
        "add_special_tokens": special,
    }
    images = [[decode(image) for image in images_of(one.request.messages)] for one in asked]
    if any(images):
        arguments["images"] = images
    texts = [prompt + one.continuation for prompt, one in zip(prompts, asked, strict=True)]
    inputs = prompting.processor(text=texts, **arguments)
    lengths = [int(length) for length in inputs["attention_mask"].sum(dim=1)]
    if loaded.context and max(lengths) > loaded.context:
        raise EngineError(
            f"prompt and answer have {max(lengths)} tokens and the model's context {loaded.context}: shorten"
        )
    return _likelihoods(loaded, inputs, lengths, counts)


def _likelihoods(
    loaded: Loaded, inputs: Any, lengths: Sequence[int], counts: Sequence[int]
) -> list[Likelihood]:
    # Position p of the output tells of the token at p + 1.
    spans = [range(length - count - 1, length - 1) for length, count in zip(lengths, counts, strict=True)]
    wanted = sorted({position for span in spans for position in span})
    with torch.inference_mode():
        logits = _logits(loaded.model, on_device(inputs, loaded.model), wanted)
    place = {position: index for index, position in enumerate(wanted)}
    found = []
    for row, span in enumerate(spans):
        shares = torch.log_softmax(logits[row, [place[p] for p in span]].float(), dim=-1)
        tokens = inputs["input_ids"][row, [p + 1 for p in span]]
        logprob = shares.gather(1, tokens[:, None]).sum().item()
        found.append(Likelihood(logprob, bool((shares.argmax(dim=-1) == tokens).all()), len(span)))
    return found


def _logits(model: Any, inputs: dict[str, Any], wanted: list[int]) -> Any:
    """Returns scores at the wanted positions, shape [rows, positions, vocabulary]."""
    positions = torch.tensor(wanted, device=model.device)
    # Scores of a whole prompt over a large vocabulary would take gigabytes.
    if "logits_to_keep" in inspect.signature(model.forward).parameters:
        return model(**inputs, logits_to_keep=positions).logits
    return model(**inputs).logits[:, positions]
