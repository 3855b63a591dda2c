"""Computes with transformers how likely given answers are: one forward pass per batch."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from mirror_bench.engines.base import Request
from mirror_bench.engines.images import decode, images_of
from mirror_bench.engines.scoring import Likelihood, ScoringRow, scoring_rows
from mirror_bench.engines.transformers.batch import Loaded, on_device
from mirror_bench.errors import EngineError


@dataclass(frozen=True)
class Scored:
    """A request, and the answers to it whose likelihood is asked for."""

    request: Request
    continuations: tuple[str, ...]


def score_batch(loaded: Loaded, asked: Sequence[Scored]) -> list[list[Likelihood]]:
    """Returns how likely each continuation of each request is.

    Args:
        loaded: The model.
        asked: Either all with images or all without; images the model cannot read are left out before.

    Raises:
        EngineError: If a prompt with its continuation does not fit into the context.
        Exception: Whatever the model raises, which then holds for the batch as a whole.
    """
    prompting = loaded.prompting
    prompts = [prompting.render(scored.request.messages) for scored in asked]
    special = prompting.adds_special_tokens(prompts[0])
    rows = [
        (number, row)
        for number, (prompt, scored) in enumerate(zip(prompts, asked, strict=True))
        for row in scoring_rows(prompting.tokenizer, prompt, scored.continuations, special)
    ]
    arguments: dict[str, Any] = {
        "return_tensors": "pt",
        "padding": True,
        # What follows a token does not change what is thought of it, so padding on the right needs no
        # positions of its own.
        "padding_side": "right",
        "add_special_tokens": special,
    }
    images = [[decode(image) for image in images_of(scored.request.messages)] for scored in asked]
    if any(images):
        arguments["images"] = [images[number] for number, _ in rows]
    inputs = prompting.processor(text=[row.text for _, row in rows], **arguments)
    lengths = [int(length) for length in inputs["attention_mask"].sum(dim=1)]
    if loaded.context and max(lengths) > loaded.context:
        raise EngineError(
            f"prompt and answer have {max(lengths)} tokens and the model's context {loaded.context}: shorten"
        )
    likelihoods: list[dict[int, Likelihood]] = [{} for _ in asked]
    told = _likelihoods(loaded, inputs, lengths, [row for _, row in rows])
    for (number, _), of_row in zip(rows, told, strict=True):
        likelihoods[number] |= of_row
    return [[places[place] for place in sorted(places)] for places in likelihoods]


def _likelihoods(
    loaded: Loaded, inputs: Any, lengths: Sequence[int], rows: Sequence[ScoringRow]
) -> list[dict[int, Likelihood]]:
    # Position p of the output tells of the token at p + 1; the last one of the token that would follow.
    spans = [
        range(length - row.tail - 1, length - (not row.tokens))
        for length, row in zip(lengths, rows, strict=True)
    ]
    wanted = sorted({position for span in spans for position in span})
    with torch.inference_mode():
        logits = _logits(loaded.model, on_device(inputs, loaded.model), wanted)
    place = {position: index for index, position in enumerate(wanted)}
    likelihoods = []
    for number, (row, span, length) in enumerate(zip(rows, spans, lengths, strict=True)):
        shares = torch.log_softmax(logits[number, [place[p] for p in span]].float(), dim=-1)
        tokens = inputs["input_ids"][number, length - row.tail : length].to(shares.device)
        tail = shares[: row.tail]
        logprob = tail.gather(1, tokens[:, None]).sum().item()
        greedy = bool((tail.argmax(dim=-1) == tokens).all())
        likelihoods.append(
            {
                continuation: Likelihood(logprob, greedy, row.tail)
                if token is None
                else Likelihood(
                    logprob + shares[-1, token].item(),
                    greedy and int(shares[-1].argmax()) == token,
                    row.tail + 1,
                )
                for continuation, token in row.nexts.items()
            }
        )
    return likelihoods


def _logits(model: Any, inputs: dict[str, Any], wanted: list[int]) -> Any:
    """Returns scores at the wanted positions, shape [rows, positions, vocabulary]."""
    positions = torch.tensor(wanted, device=model.device)
    # Scores of a whole prompt over a large vocabulary would take gigabytes.
    if "logits_to_keep" in inspect.signature(model.forward).parameters:
        return model(**inputs, logits_to_keep=positions).logits
    return model(**inputs).logits[:, positions]
