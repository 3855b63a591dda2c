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
from baselines.faceset import FaceSet
from baselines.recipe import JointPart, VisionPart

CLIP = 1.0
"""Largest norm of a gradient."""


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


PLAN_EVERY = 12
"""Every so many steps plans take the conversations' place."""

Progress = Callable[[str, int, int, str], Any]
"""Called with the phase, the step, the number of steps, and figures in words."""


class Pixels:
    """Faces as the vision tower takes them.

    Args:
        faces: The faces.
        mean: Channel means that the image processor subtracts.
        deviation: Channel deviations that it divides by.
        seed: Of the augmentation.
    """

    def __init__(self, faces: FaceSet, mean: Sequence[float], deviation: Sequence[float], seed: int) -> None:
        self._faces = faces
        self._mean = np.asarray(mean, np.float32)
        self._deviation = np.asarray(deviation, np.float32)
        self._draw = np.random.default_rng(seed)

    def take(self, indices: NDArray[np.int64], *, augment: bool) -> Tensor:
        """Returns (n, 3, side, side) float32; mirrored, moved and relit at random when augmented."""
        images = self._faces.pixels[indices]
        if augment:
            flip = self._draw.random(len(images)) < 0.5
            images = np.where(flip[:, None, None, None], images[:, :, ::-1], images)
            images = np.stack([self._moved(image) for image in images])
        values = (images.astype(np.float32) / 255.0 - self._mean) / self._deviation
        if augment:
            values += self._draw.normal(0, 0.06, (len(values), 1, 1, 3)).astype(np.float32)
        return torch.from_numpy(np.ascontiguousarray(values.transpose(0, 3, 1, 2)))

    def labels(self, indices: NDArray[np.int64]) -> Tensor:
        """Returns (n,) labels."""
        return torch.from_numpy(self._faces.labels[indices])

    def _moved(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        down, right = self._draw.integers(-2, 3, 2)
        padded = np.pad(image, ((2, 2), (2, 2), (0, 0)), mode="edge")
        height, width = image.shape[:2]
        return padded[2 + down : 2 + down + height, 2 + right : 2 + right + width]


class Learner:
    """A model in training, with the classification head that only training knows.

    Args:
        model: The Idefics3 model.
        classes: What the head tells apart.
        train: Faces to learn from.
        held_out: Faces to measure with.
        progress: Where progress goes.
    """

    def __init__(self, model: Any, classes: int, train: Pixels, held_out: Pixels, progress: Progress) -> None:
        self.model = model
        self._train = train
        self._held_out = held_out
        self._progress = progress
        width = model.config.vision_config.hidden_size
        patches = model.model.vision_model.embeddings.num_patches
        self._head = nn.Sequential(nn.Flatten(), nn.Linear(width * patches, classes))

    def learn_to_see(self, part: VisionPart, count: int, held_out: int, seed: int) -> Curve:
        """First phase: the vision tower under the classification head.

        Args:
            part: Steps, batch and learning rate.
            count: Faces to learn from.
            held_out: Faces to measure with.
            seed: Of the order of faces.
        """
        curve, start = Curve(), time.monotonic()
        draw = np.random.default_rng(seed)
        tower = self.model.model.vision_model
        parameters = [*tower.parameters(), *self._head.parameters()]
        optimiser = torch.optim.AdamW(parameters, lr=part.learning_rate, weight_decay=0.05, fused=True)
        order = np.array([], np.int64)
        for step in range(part.steps):
            while len(order) < part.batch:
                order = np.concatenate([order, draw.permutation(count)])
            batch, order = order[: part.batch], order[part.batch :]
            _set_rate(optimiser, part.learning_rate * _cosine(step / part.steps, 0.05, 0.1))
            patches = tower(pixel_values=self._train.take(batch, augment=True)).last_hidden_state
            loss = nn.functional.cross_entropy(self._head(patches), self._train.labels(batch))
            self._step(loss, optimiser, parameters)
            curve.add(classification=loss.item())
            if (step + 1) % max(1, part.steps // 8) == 0 or step + 1 == part.steps:
                curve.accuracy[step + 1] = self._classified(held_out)
                figures = (
                    f"loss {curve.recent('classification'):.3f}, held-out {curve.accuracy[step + 1]:.1%}"
                )
                self._progress("vision", step + 1, part.steps, figures)
        curve.seconds = time.monotonic() - start
        return curve

    def learn_to_speak(self, part: JointPart, corpus: Corpus) -> Curve:
        """Second phase: all of the model, on conversations, plans and captions.

        Args:
            part: Steps, batch, learning rate and limits.
            corpus: Where the examples come from.
        """
        curve, start = Curve(), time.monotonic()
        parameters = [*self.model.parameters(), *self._head.parameters()]
        optimiser = torch.optim.AdamW(
            parameters, lr=part.learning_rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True
        )
        for step in range(part.steps):
            share = step / part.steps
            if part.minutes:
                share = max(share, (time.monotonic() - start) / (60 * part.minutes))
            if share >= 1:
                break
            _set_rate(optimiser, part.learning_rate * _cosine(share, part.warm_up, 0.02))
            plans = step % PLAN_EVERY == 0
            talk = (
                [corpus.plan() for _ in range(part.captions)]
                if plans
                else corpus.conversations(part.conversations)
            )
            words, seen = self._losses(talk)
            captions, caption_seen = self._losses([corpus.caption() for _ in range(part.captions)])
            auxiliary = (seen + caption_seen) / 2
            self._step(words + captions + part.auxiliary * auxiliary, optimiser, parameters)
            curve.add(words=words.item(), captions=captions.item(), classification=auxiliary.item())
            if (step + 1) % max(1, part.steps // 16) == 0 or step + 1 == part.steps:
                figures = f"words {curve.recent('words'):.3f}, captions {curve.recent('captions'):.3f}"
                self._progress("joint", step + 1, part.steps, figures)
        curve.seconds = time.monotonic() - start
        return curve

    def _losses(self, examples: Sequence[Example]) -> tuple[Tensor, Tensor]:
        """Returns the mean loss of the learnt tokens, and that of the classification head on the faces."""
        batch = _padded(examples, self.model.config.pad_token_id)
        core = self.model.model
        embedded = core.get_input_embeddings()(batch.ids)
        seen = torch.zeros(())
        if len(batch.faces):
            images = core.get_image_features(
                self._train.take(batch.faces, augment=True)[:, None], return_dict=True
            )
            place = (batch.ids == self.model.config.image_token_id)[..., None]
            embedded = embedded.masked_scatter(place, images.pooler_output)
            seen = nn.functional.cross_entropy(
                self._head(images.last_hidden_state), self._train.labels(batch.faces)
            )
        # No mask: attention is causal and the padding is on the right, so nothing learnt ever looks at it.
        hidden = core.text_model(inputs_embeds=embedded, use_cache=False)
        targets = batch.labels[:, 1:]
        learnt = targets != IGNORED  # the vocabulary is wide: score only what is learnt
        scores = self.model.lm_head(hidden.last_hidden_state[:, :-1][learnt])
        return nn.functional.cross_entropy(scores, targets[learnt]), seen

    def _step(
        self, loss: Tensor, optimiser: torch.optim.Optimizer, parameters: Sequence[nn.Parameter]
    ) -> None:
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, CLIP)
        optimiser.step()

    def _classified(self, count: int) -> float:
        indices = np.arange(count)
        with torch.no_grad():
            patches = self.model.model.vision_model(pixel_values=self._held_out.take(indices, augment=False))
            named = self._head(patches.last_hidden_state).argmax(1)
        return float((named == self._held_out.labels(indices)).float().mean())


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


def _set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate
