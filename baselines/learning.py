"""The two phases of training: first the eyes, then everything."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from baselines.corpus import IGNORED, Corpus, Example
from baselines.pixels import Pixels, Taken
from baselines.recipe import JointPart, VisionPart

CLIP = 1.0
"""Largest norm of a gradient."""
PLAN_EVERY = 12
"""Every so many steps plans take the conversations' place."""

Progress = Callable[[str, int, int, str], Any]
"""Called with the phase, the step, the number of steps, and figures in words."""


@dataclass
class Curve:
    """What a phase measured of itself, step by step.

    Attributes:
        losses: Name of a loss -> its value at every step.
        accuracy: Step -> share of held-out faces that the classification head names rightly.
        seconds: How long the phase took.
    """

    losses: dict[str, list[float]] = field(default_factory=dict)
    accuracy: dict[int, float] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, **losses: float) -> None:
        """Notes one step."""
        for name, value in losses.items():
            self.losses.setdefault(name, []).append(value)

    def recent(self, name: str, steps: int = 20) -> float:
        """Returns the mean of the last steps."""
        return float(np.mean(self.losses[name][-steps:]))


class Optimiser:
    """Muon for the matrices within the layers, AdamW for everything else: fewer steps than AdamW alone.

    Args:
        parts: The modules to train.
        rate: Learning rate of AdamW.
        matrix_rate: Learning rate of Muon.
    """

    def __init__(self, parts: Sequence[nn.Module], rate: float, matrix_rate: float) -> None:
        named = [entry for part in parts for entry in part.named_parameters()]
        matrices = [p for name, p in named if "layers." in name and p.ndim == 2]
        inside = {id(p) for p in matrices}
        self._parameters = [p for _, p in named]
        self._both = (
            torch.optim.AdamW(
                [p for p in self._parameters if id(p) not in inside],
                lr=rate,
                betas=(0.9, 0.98),
                weight_decay=0.02,
                fused=True,
            ),
            torch.optim.Muon(matrices, lr=matrix_rate, momentum=0.95, weight_decay=0.0),
        )
        self._rates = (rate, matrix_rate)

    def step(self, loss: Tensor, factor: float) -> None:
        """Follows the gradient of `loss`, at both learning rates times `factor`."""
        loss.backward()
        nn.utils.clip_grad_norm_(self._parameters, CLIP)
        for optimiser, rate in zip(self._both, self._rates, strict=True):
            for group in optimiser.param_groups:
                group["lr"] = rate * factor
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)


class Learner:
    """A model in training, with two heads that only training knows: what a face counts as, and its signs.

    Args:
        model: The Idefics3 model.
        classes: What is told apart.
        train: Faces to learn from.
        held_out: Faces to measure with.
        progress: Where progress goes.
    """

    def __init__(self, model: Any, classes: int, train: Pixels, held_out: Pixels, progress: Progress) -> None:
        self.model = model
        self._train = train
        self._held_out = held_out
        self._progress = progress
        tower = model.model.vision_model
        width = model.config.vision_config.hidden_size * tower.embeddings.num_patches
        self._heads = nn.ModuleList([nn.Linear(width, classes), nn.Linear(width, train.signs)])

    def learn_to_see(self, part: VisionPart, seed: int) -> Curve:
        """First phase: the vision tower under the two heads.

        Args:
            part: Steps, batch and learning rates.
            seed: Of the order of faces.
        """
        curve, start = Curve(), time.monotonic()
        draw = np.random.default_rng(seed)
        tower = self.model.model.vision_model
        self._train.whiten(tower)
        optimiser = Optimiser([tower, self._heads], part.learning_rate, part.matrix_rate)
        order = np.array([], np.int64)
        for step in range(part.steps):
            while len(order) < part.batch:
                order = np.concatenate([order, draw.permutation(len(self._train))])
            batch, order = order[: part.batch], order[part.batch :]
            taken = self._train.take(batch, augment=True)
            loss = self._seen(tower(pixel_values=taken.images).last_hidden_state, taken)
            optimiser.step(loss, _cosine(step / part.steps, 0.05, 0.05))
            curve.add(seeing=loss.item())
            if (step + 1) % max(1, part.steps // 8) == 0 or step + 1 == part.steps:
                curve.accuracy[step + 1] = self._classified()
                figures = f"loss {curve.recent('seeing'):.3f}, held-out {curve.accuracy[step + 1]:.1%}"
                self._progress("vision", step + 1, part.steps, figures)
        curve.seconds = time.monotonic() - start
        return curve

    def learn_to_speak(self, part: JointPart, corpus: Corpus) -> Curve:
        """Second phase: all of the model, on conversations, plans and captions.

        Args:
            part: Steps, batch, learning rates and limits.
            corpus: Where the examples come from.
        """
        curve, start = Curve(), time.monotonic()
        optimiser = Optimiser([self.model, self._heads], part.learning_rate, part.matrix_rate)
        for step in range(part.steps):
            share = step / part.steps
            if part.minutes:
                share = max(share, (time.monotonic() - start) / (60 * part.minutes))
            if share >= 1:
                break
            plans = step % PLAN_EVERY == 0
            talk = (
                [corpus.plan() for _ in range(part.captions)]
                if plans
                else corpus.conversations(part.conversations)
            )
            words, seen = self._losses(talk)
            captions, caption_seen = self._losses([corpus.caption() for _ in range(part.captions)])
            seeing = (seen + caption_seen) / 2
            optimiser.step(words + captions + part.auxiliary * seeing, _cosine(share, part.warm_up, 0.02))
            curve.add(words=words.item(), captions=captions.item(), seeing=seeing.item())
            if (step + 1) % max(1, part.steps // 16) == 0 or step + 1 == part.steps:
                figures = f"words {curve.recent('words'):.3f}, captions {curve.recent('captions'):.3f}"
                self._progress("joint", step + 1, part.steps, figures)
        curve.seconds = time.monotonic() - start
        return curve

    def _losses(self, examples: Sequence[Example]) -> tuple[Tensor, Tensor]:
        """Returns the mean loss of the learnt tokens, and that of the two heads on the faces."""
        batch = _padded(examples, self.model.config.pad_token_id)
        core = self.model.model
        embedded = core.get_input_embeddings()(batch.ids)
        seen = torch.zeros(())
        if len(batch.faces):
            taken = self._train.take(batch.faces, augment=True)
            images = core.get_image_features(taken.images[:, None], return_dict=True)
            place = (batch.ids == self.model.config.image_token_id)[..., None]
            embedded = embedded.masked_scatter(place, images.pooler_output)
            seen = self._seen(images.last_hidden_state, taken)
        # No mask: attention is causal and the padding is on the right, so nothing learnt ever looks at it.
        hidden = core.text_model(inputs_embeds=embedded, use_cache=False)
        targets = batch.labels[:, 1:]
        learnt = targets != IGNORED  # the vocabulary is wide: score only what is learnt
        scores = self.model.lm_head(hidden.last_hidden_state[:, :-1][learnt])
        return nn.functional.cross_entropy(scores, targets[learnt]), seen

    def _seen(self, patches: Tensor, taken: Taken) -> Tensor:
        named, signs = (head(patches.flatten(1)) for head in self._heads)
        return nn.functional.cross_entropy(named, taken.labels) + nn.functional.mse_loss(signs, taken.signs)

    def _classified(self) -> float:
        taken = self._held_out.take(np.arange(len(self._held_out)), augment=False)
        with torch.no_grad():
            patches = self.model.model.vision_model(pixel_values=taken.images).last_hidden_state
            named = self._heads[0](patches.flatten(1)).argmax(1)
        return float((named == taken.labels).float().mean())


class _Batch(NamedTuple):
    ids: Tensor
    labels: Tensor
    faces: NDArray[np.int64]


def _padded(examples: Sequence[Example], pad: int) -> _Batch:
    """Returns examples as one batch, padded on the right; faces in the order of their places."""
    longest = max(len(example.ids) for example in examples)
    ids = torch.full((len(examples), longest), pad)
    labels = torch.full((len(examples), longest), IGNORED)
    for row, example in enumerate(examples):
        ids[row, : len(example.ids)] = torch.tensor(example.ids)
        labels[row, : len(example.labels)] = torch.tensor(example.labels)
    return _Batch(ids, labels, np.array([face for e in examples for face in e.faces], np.int64))


def _cosine(share: float, warm_up: float, floor: float) -> float:
    """Returns the factor of the learning rate at a share of the way: up a line, then down a cosine."""
    if share < warm_up:
        return (share + 1e-3) / (warm_up + 1e-3)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * (share - warm_up) / max(1e-9, 1 - warm_up)))
