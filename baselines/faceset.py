"""Drawn faces to train on and to measure with: pixels as the vision tower reads them, and what each shows."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from baselines.grammar import NEUTRAL
from mirror_bench.faces.directions.reader import read_direction
from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
from mirror_bench.faces.facs.expressions import EXPRESSIONS, nearest, scaled, signs
from mirror_bench.faces.identity import random_identity
from mirror_bench.schema import Expression, FaceIdentity, derive_seed

TRAIN = "train"
DESCRIBED = 0.4
"""Share of the faces to learn from that show a stage direction, where there is one."""
CHUNK = 50
"""Faces that a process draws between two reports of progress."""


@dataclass(frozen=True)
class Sitter:
    """A face to draw: who, with which expression, and the number of what it counts as."""

    identity: FaceIdentity
    expression: Expression
    label: int


@dataclass(frozen=True)
class FaceSet:
    """Drawn faces as pixels with labels and signs.

    Attributes:
        pixels: (n, side, side, 3) uint8 RGB.
        labels: (n,) int64, indices into `Grammar.seen`.
        signs: (2, n, signs) float32: what each face shows as it is and mirrored, scaled to be about one wide.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    signs: NDArray[np.float32]

    def of(self, label: int) -> NDArray[np.int64]:
        """Returns the indices of the faces with one label."""
        return np.flatnonzero(self.labels == label)


class KindOfFace(Protocol):
    """One thing that a face can show: the expressions that count as it."""

    @property
    def of(self) -> tuple[str, ...]:
        """Names of expressions."""
        ...


def sitters(
    seen: Sequence[KindOfFace],
    count: int,
    *,
    split: str,
    seed: int,
    weakest: float,
    directions: Sequence[str] = (),
) -> list[Sitter]:
    """Returns `count` faces to draw, every label equally often, every face with an identity of its own.

    Faces to measure with show the named expressions at any strength. Faces to learn from vary: some show what
    a stage direction describes, the others a named expression with signs missing, weaker or stronger.

    Args:
        seen: What is told apart.
        count: How many.
        split: "train" or "held-out": identities of one never appear in the other, for their seeds differ.
        seed: Of identities and strengths.
        weakest: Lowest strength of an expression.
        directions: Stage directions to learn from.
    """
    draw = random.Random(derive_seed("sitters", split, seed))
    described = [read_direction(text).expression for text in directions]
    chosen = []
    for number in range(count):
        label = number % len(seen)
        of = seen[label].of
        pool = [expression for expression in described if expression.label in of and expression.units]
        expression = scaled(EXPRESSIONS[of[number // len(seen) % len(of)]], draw.uniform(weakest, 1.0))
        if split == TRAIN and pool and draw.random() < DESCRIBED:
            expression = draw.choice(pool)
        elif split == TRAIN:
            expression = _varied(expression, of, draw)
        identity = random_identity(derive_seed("sitter", split, seed, number))
        chosen.append(Sitter(identity, expression, label))
    return chosen


def _varied(expression: Expression, of: Sequence[str], draw: random.Random) -> Expression:
    """Returns the expression with its signs changed at random, still nearest to what it counts as."""
    for _ in range(8):
        units = {
            unit: min(1.0, round(value * draw.uniform(0.6, 1.4), 3))
            for unit, value in expression.units.items()
            if draw.random() > 0.12
        }
        gaze = tuple(
            _within(value * draw.uniform(0, 1.2) + draw.gauss(0, 0.08), 1.0) for value in expression.gaze
        )
        head = tuple(
            _within(value * draw.uniform(0, 1.2) + draw.gauss(0, 1.5), 30.0) for value in expression.head
        )
        posture = {name: value for name, value in expression.posture.items() if draw.random() > 0.3}
        changed = expression.model_copy(
            update={"units": units, "gaze": gaze, "head": head, "posture": posture}
        )
        if expression.label == NEUTRAL or nearest(changed) in of:
            return changed
    return expression


def _within(value: float, limit: float) -> float:
    return round(max(-limit, min(limit, value)), 3)


def draw_png(sitter: Sitter) -> bytes:
    """Returns one face as a session would show it."""
    return DrawnFaces().render(sitter.identity, sitter.expression)


def to_pixels(png: bytes, side: int) -> NDArray[np.uint8]:
    """Returns a face as the image processor resizes it: (side, side, 3) uint8 RGB."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        small = image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(small)


def _draw_chunk(chunk: Sequence[Sitter], side: int) -> NDArray[np.uint8]:
    import cv2

    cv2.setNumThreads(1)  # the processes share the cores already
    return np.stack([to_pixels(draw_png(sitter), side) for sitter in chunk])


def draw_faces(
    chosen: Sequence[Sitter],
    side: int,
    *,
    processes: int = 1,
    progress: Callable[[int], Any] = lambda _: None,
) -> FaceSet:
    """Draws faces.

    Args:
        chosen: What to draw.
        side: Side of the pixels kept.
        processes: How many processes draw; one draws in this process.
        progress: Called with the number of faces drawn so far.
    """
    chunks = [chosen[start : start + CHUNK] for start in range(0, len(chosen), CHUNK)]
    work = partial(_draw_chunk, side=side)
    parts = []
    if processes == 1 or len(chunks) < 2 * processes:
        for chunk in chunks:
            parts.append(work(chunk))
            progress(sum(len(part) for part in parts))
    else:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            for part in pool.map(work, chunks):
                parts.append(part)
                progress(sum(len(part) for part in parts))
    shown = [sitter.expression for sitter in chosen]
    return FaceSet(
        np.concatenate(parts),
        np.array([sitter.label for sitter in chosen], np.int64),
        np.stack([_scaled_signs(shown), _scaled_signs([mirrored(expression) for expression in shown])]),
    )


def mirrored(expression: Expression) -> Expression:
    """Returns an expression as its mirror image shows it: left and right swapped."""
    sides = {"L": "R", "R": "L"}
    yaw, pitch, roll = expression.head
    return expression.model_copy(
        update={
            "units": {
                sides.get(name[0], name[0]) + name[1:]: value for name, value in expression.units.items()
            },
            "gaze": (-expression.gaze[0], expression.gaze[1]),
            "head": (-yaw, pitch, -roll),
        }
    )


_SPREAD = np.std([signs(sign) for sign in EXPRESSIONS.values()], axis=0) + 0.05
"""How much each sign varies over the named expressions."""


def _scaled_signs(shown: Sequence[Expression]) -> NDArray[np.float32]:
    return np.stack([signs(expression) / _SPREAD for expression in shown]).astype(np.float32)
