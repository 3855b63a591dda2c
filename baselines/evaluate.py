"""Measures what a checkpoint sees: the expression that its caption of a face names, against the one drawn.

`python -m baselines.evaluate runs/reference --engine vllm`
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from baselines.corpus import as_chat
from baselines.faceset import Sitter, draw_png, sitters
from baselines.grammar import Grammar, load_grammar
from mirror_bench.engines.base import Engine, ImagePart, Message, Request, Sampling
from mirror_bench.errors import InputError
from mirror_bench.modelspec import parse_model
from mirror_bench.therapists.methods import CAPTION_TOKENS
from mirror_bench.therapists.prompts import caption_messages

BATCH = 50
NOTHING = "nothing known"
"""What a caption names that names none of the things taught."""


@dataclass(frozen=True)
class Confusion:
    """How often each shown expression was given each name by captions.

    Attributes:
        counts: Shown -> named -> how often.
    """

    counts: dict[str, dict[str, int]]

    @property
    def accuracy(self) -> float:
        """The share of captions that name what was shown, in [0, 1]."""
        right = sum(row.get(shown, 0) for shown, row in self.counts.items())
        return right / max(1, sum(sum(row.values()) for row in self.counts.values()))


def confusion_of(shown: Sequence[Sitter], captions: Sequence[str], grammar: Grammar) -> Confusion:
    """Returns which faces the captions name rightly, and what they name otherwise."""
    counts: dict[str, dict[str, int]] = {seen.name: {} for seen in grammar.seen}
    for sitter, caption in zip(shown, captions, strict=True):
        row = counts[grammar.seen[sitter.label].name]
        named = grammar.caption_names(caption) or NOTHING
        row[named] = row.get(named, 0) + 1
    return Confusion(counts)


def generate(model: Any, processor: Any, asked: Sequence[Sequence[Message]], max_tokens: int) -> list[str]:
    """Returns greedy answers of a transformers model to requests of the same form, `BATCH` at a time."""
    import torch

    from mirror_bench.engines.images import decode, images_of

    answers: list[str] = []
    for start in range(0, len(asked), BATCH):
        batch = asked[start : start + BATCH]
        texts = [processor.apply_chat_template(as_chat(one), add_generation_prompt=True) for one in batch]
        images = [[decode(part) for part in images_of(one)] for one in batch]
        inputs = processor(
            text=texts, images=images if any(images) else None, padding=True, return_tensors="pt"
        )
        with torch.no_grad():
            ids = model.generate(**inputs, max_new_tokens=max_tokens, do_sample=False)
        new = ids[:, inputs["input_ids"].shape[1] :]
        answers += processor.batch_decode(new, skip_special_tokens=True)
    return answers


def caption_faces(model: Any, processor: Any, shown: Sequence[Sitter], grammar: Grammar) -> Confusion:
    """Captions drawn faces by transformers."""
    asked = [caption_messages(ImagePart(draw_png(sitter))) for sitter in shown]
    return confusion_of(shown, generate(model, processor, asked, CAPTION_TOKENS), grammar)


async def caption_by_engine(engine: Engine, shown: Sequence[Sitter], grammar: Grammar) -> Confusion:
    """Captions drawn faces by any engine, all at once."""
    await engine.start()
    try:
        sampling = Sampling(max_tokens=CAPTION_TOKENS)
        asked = [Request(caption_messages(ImagePart(draw_png(sitter))), sampling) for sitter in shown]
        answers = await asyncio.gather(*(engine.answer(request) for request in asked))
    finally:
        await engine.close()
    return confusion_of(shown, [answer.text for answer in answers], grammar)


def table(confusion: Confusion) -> str:
    """Returns the confusion as text, one line for each thing shown: how often right, what else was named."""
    lines = []
    for shown, row in confusion.counts.items():
        other = ", ".join(f"{name} {count}" for name, count in sorted(row.items()) if name != shown)
        lines.append(f"{shown:14} {row.get(shown, 0):4d}/{sum(row.values()):<4d} {other}")
    return "\n".join(lines)


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("--engine", "provider", default="transformers", show_default=True, help="vllm or transformers")
@click.option("--faces", default=300, show_default=True, help="How many faces of unseen identities")
@click.option("--seed", default=0, show_default=True, help="Of the faces")
@click.option("--json", "as_json", is_flag=True, help="Print figures for machines")
def main(checkpoint: Path, provider: str, faces: int, seed: int, as_json: bool) -> None:
    """Measure how many held-out faces CHECKPOINT captions rightly."""
    from mirror_bench.engines.factory import open_engine

    try:
        grammar = load_grammar()
        shown = sitters(grammar.seen, faces, split="held-out", seed=seed, weakest=0.6)
        engine = open_engine(parse_model(f"{provider}/{checkpoint}", "--engine"))
        confusion = asyncio.run(caption_by_engine(engine, shown, grammar))
    except InputError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
    if as_json:
        click.echo(json.dumps({"accuracy": confusion.accuracy, "confusion": confusion.counts}))
    else:
        click.echo(
            f"{table(confusion)}\n{confusion.accuracy:.1%} of {faces} faces captioned rightly ({engine.name})"
        )


if __name__ == "__main__":
    main()
