"""The reference's eyes: a small vision tower and a connector, trained on drawn faces.

The image tokens of a face are drawn to the language model's own embeddings of the words for what the face
shows, so that a model which has never seen an image can read them; a head that only training knows measures
action units, gaze, head and posture off them.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from baselines.faceset import Sitter, sitters
from baselines.learning import Curve, Optimiser, TrainingHeads, cosine
from baselines.pixels import Pixels
from baselines.recipe import EyesPart
from baselines.smol.looks import Look, load_looks
from mirror_bench.faces.identity import random_identity
from mirror_bench.schema import Expression, derive_seed

WORDS_WEIGHT = 2.0
"""Weight of the distance to the words beside the losses of the heads."""
KEEP_EVERY = 100
"""Steps between two states that a training goes on from."""
MEAN = DEVIATION = (0.5, 0.5, 0.5)
"""What the image processor subtracts and divides by."""


class Eyes(nn.Module):  # type: ignore[misc]
    """Vision tower and connector, under the names that Idefics3 gives them.

    Args:
        config: Of the whole Idefics3 model.
    """

    def __init__(self, config: Any) -> None:
        super().__init__()
        from transformers.models.idefics3.modeling_idefics3 import (
            Idefics3Connector,
            Idefics3VisionTransformer,
        )

        config.vision_config._attn_implementation = "sdpa"
        self.vision_model = Idefics3VisionTransformer(config.vision_config)
        self.connector = Idefics3Connector(config)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Returns patches (n, patches, width) and image tokens (n, tokens, text width)."""
        patches = self.vision_model(pixel_values=images).last_hidden_state
        return patches, self.connector(patches)


def seen_faces(
    count: int, shown: Sequence[Expression], *, split: str, seed: int, sessions: float
) -> list[Sitter]:
    """Returns faces to draw: named expressions at any strength, and those that clients show in sessions.

    Args:
        count: How many.
        shown: Expressions of sessions; a share of the faces shows one of them.
        split: "train" or "held-out"; identities of one never appear in the other.
        seed: Of identities and strengths.
        sessions: The share.
    """
    looks = load_looks()
    places = {look.name: place for place, look in enumerate(looks)}
    known = [expression for expression in shown if expression.label in places]
    taken = round(count * sessions) if known else 0
    faces = sitters(looks, count - taken, split=split, seed=seed, weakest=0.55)
    draw = random.Random(derive_seed("seen faces", split, seed))
    for number in range(taken):
        expression = draw.choice(known)
        identity = random_identity(derive_seed("seen face", split, seed, number))
        faces.append(Sitter(identity, expression, places[expression.label]))
    return faces


def word_targets(embeddings: Tensor, tokens: Callable[[str], list[int]], looks: Sequence[Look]) -> Tensor:
    """Returns (looks, words, width): the language model's embeddings of the words of each look."""
    return torch.stack([embeddings[[tokens(f" {word}")[0] for word in look.words]] for look in looks]).float()


def learn_to_see(
    eyes: Eyes,
    targets: Tensor,
    train: Pixels,
    held_out: Pixels,
    part: EyesPart,
    seed: int,
    state: Path | None,
    say: Callable[[str, int, int, str], Any],
) -> Curve:
    """Trains the eyes, going on from `state` where it holds a state of this very training.

    Args:
        eyes: What is trained.
        targets: From `word_targets`.
        train: Faces to learn from.
        held_out: Faces to measure with.
        part: Steps, batch and learning rates.
        seed: Of the order of the faces.
        state: Where the training's state is kept; None keeps none.
        say: Called with the phase, the step, the number of steps, and figures in words.
    """
    heads = TrainingHeads(_patches(eyes), targets.shape[-1], len(targets), train.signs)
    train.whiten(eyes.vision_model)
    optimiser = Optimiser([eyes.vision_model, eyes.connector, heads], part.learning_rate, part.matrix_rate)
    curve, first, start = Curve(), 0, time.monotonic()
    if state is not None and state.is_file():
        kept = torch.load(state, weights_only=False)
        first, curve = kept["step"], kept["curve"]
        eyes.load_state_dict(kept["eyes"])
        heads.load_state_dict(kept["heads"])
        optimiser.load_state_dict(kept["optimiser"])
        train.drawn = kept["drawn"]
    before = curve.seconds
    for step in range(first, part.steps):
        draw = np.random.default_rng(derive_seed("eyes", seed, step))
        taken = train.take(draw.choice(len(train), part.batch, replace=False), augment=True)
        patches, tokens = eyes(taken.images)
        distance = (tokens - targets[taken.labels]).pow(2).mean() / targets.pow(2).mean()
        loss = heads.loss(patches, tokens, taken) + WORDS_WEIGHT * distance
        optimiser.step(loss, cosine(step / part.steps, 0.05, 0.02))
        curve.add(seeing=loss.item(), words=distance.item())
        curve.seconds = before + time.monotonic() - start
        done = step + 1
        if done % max(1, part.steps // 16) == 0 or done == part.steps:
            curve.accuracy[done] = accuracy(eyes, targets, held_out)
            figures = f"loss {curve.recent('seeing'):.3f}, words {curve.recent('words'):.3f}, "
            say("eyes", done, part.steps, f"{figures}held-out {curve.accuracy[done]:.1%}")
        if state is not None and (done % KEEP_EVERY == 0 or done == part.steps):
            keep(
                state,
                {
                    "step": done,
                    "curve": curve,
                    "eyes": eyes.state_dict(),
                    "heads": heads.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "drawn": train.drawn,
                },
            )
    return curve


def keep(path: Path, state: dict[str, Any]) -> None:
    """Writes a training's state so that a kill leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def accuracy(eyes: Eyes, targets: Tensor, faces: Pixels) -> float:
    """Returns the share of faces whose image tokens lie nearest to the words for what they show."""
    right = 0
    with torch.no_grad():
        for start in range(0, len(faces), 64):
            taken = faces.take(np.arange(start, min(start + 64, len(faces))), augment=False)
            right += int((nearest(eyes(taken.images)[1], targets) == taken.labels).sum())
    return right / max(1, len(faces))


def nearest(tokens: Tensor, targets: Tensor) -> Tensor:
    """Returns for each face the place of the look whose words its image tokens lie nearest to."""
    return (tokens[:, None] - targets[None]).pow(2).sum((-1, -2)).argmin(1)


def image_tokens(eyes: Eyes, faces: Pixels) -> Tensor:
    """Returns (n, tokens, text width): what the language model is given for each face."""
    found = []
    with torch.no_grad():
        for start in range(0, len(faces), 64):
            found.append(
                eyes(faces.take(np.arange(start, min(start + 64, len(faces))), augment=False).images)[1]
            )
    return torch.cat(found)


def _patches(eyes: Eyes) -> int:
    embeddings = eyes.vision_model.embeddings
    return int(embeddings.num_patches * embeddings.embed_dim)
