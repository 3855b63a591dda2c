"""Faces as a model in training takes them: mirrored, moved and relit at random, with what each shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines.faceset import FaceSet

FAINTEST = 0.01
"""Added to a direction's variance before it is scaled to one, so that mere noise is not."""


class Taken(NamedTuple):
    """A batch of faces, normalised and labelled.

    Attributes:
        images: (n, 3, side, side) float32, as the image processor normalises them.
        labels: (n,) indices into `Grammar.seen`.
        signs: (n, signs) float32: action units, gaze, head and posture, each about one wide.
    """

    images: Tensor
    labels: Tensor
    signs: Tensor


class Pixels:
    """Draws batches of normalised, augmented faces for the vision tower.

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

    def __len__(self) -> int:
        return len(self._faces.labels)

    @property
    def drawn(self) -> Any:
        """How far the augmentation has drawn: kept, it lets a training go on as if never cut off."""
        return self._draw.bit_generator.state

    @drawn.setter
    def drawn(self, state: Any) -> None:
        self._draw.bit_generator.state = state

    @property
    def signs(self) -> int:
        """How many signs a face has."""
        return int(self._faces.signs.shape[2])

    def take(self, indices: NDArray[np.int64], *, augment: bool) -> Taken:
        """Returns faces by index, changed at random when augmented; a mirrored face has mirrored signs."""
        images = self._faces.pixels[indices]
        flip = self._draw.random(len(images)) < 0.5 if augment else np.zeros(len(images), bool)
        images = np.where(flip[:, None, None, None], images[:, :, ::-1], images)
        if augment:
            images = np.stack([self._moved(image) for image in images])
        values = self._normalised(images)
        if augment:
            values += self._draw.normal(0, 0.06, (len(values), 1, 1, 3)).astype(np.float32)
        return Taken(
            torch.from_numpy(np.ascontiguousarray(values.transpose(0, 3, 1, 2))),
            torch.from_numpy(self._faces.labels[indices]),
            torch.from_numpy(self._faces.signs[flip.astype(int), indices]),
        )

    def whiten(self, tower: Any) -> None:
        """Lets a vision tower begin from the directions in which patches of these faces vary, all made equal.

        Skin, hair and background make nearly all of the variance and brows and lips next to none; from random
        patch weights the tower spends its first minutes on finding them.
        """
        embedding = tower.embeddings.patch_embedding
        width, _, side, _ = embedding.weight.shape
        images = self._normalised(self._faces.pixels[:1500])
        count = images.shape[1] // side
        grid = images.reshape(-1, count, side, count, side, 3).transpose(0, 1, 3, 5, 2, 4)
        patches = grid.reshape(-1, 3 * side * side).astype(np.float64)
        centre = patches.mean(0)
        variances, directions = np.linalg.eigh(np.cov((patches - centre).T))
        kept = min(width, len(variances))
        scaled = (directions[:, ::-1][:, :kept] / np.sqrt(variances[::-1][:kept] + FAINTEST)).T
        with torch.no_grad():
            embedding.weight[:kept] = torch.from_numpy(scaled.reshape(kept, 3, side, side).copy())
            embedding.bias[:kept] = torch.from_numpy(-(scaled @ centre))

    def _normalised(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        values: NDArray[np.float32] = (images.astype(np.float32) / 255.0 - self._mean) / self._deviation
        return values

    def _moved(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        down, right = self._draw.integers(-2, 3, 2)
        padded = np.pad(image, ((2, 2), (2, 2), (0, 0)), mode="edge")
        height, width = image.shape[:2]
        return padded[2 + down : 2 + down + height, 2 + right : 2 + right + width]
