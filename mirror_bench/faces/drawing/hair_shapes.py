"""The shapes that hair and head coverings are made of."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from mirror_bench.faces.drawing.canvas import Color, curve
from mirror_bench.faces.drawing.sketch import Sketch

# Outer line of hair lying on the skull, right half from above the ear to the crown.
_CAP = [(65, -6), (69, -34), (62, -66), (38, -92), (0, -101)]


def fill_hanging(sketch: Sketch, points: ArrayLike, color: Color) -> None:
    """Fills a closed outline that lies on the skull above and hangs straight below it."""
    sketch.canvas.fill(curve(sketch.pose.hanging(points), closed=True), color)


def fill_cap(sketch: Sketch, hairline: ArrayLike, color: Color, grow: float = 0.0) -> None:
    """Fills hair from a hairline, right temple to left in the image, up to the skull's outer line.

    `grow` is how far the hair stands out, in head units.
    """
    half = np.array(_CAP, dtype=float) * (1 + grow / 68, 1 + grow / 100)
    if sketch.identity.shape == "long":
        half *= (0.94, 1.02)
    arc = curve(sketch.pose.skull(np.concatenate((half * (-1, 1), half[-2::-1]))))
    line = curve(sketch.pose.hair(hairline))
    sketch.canvas.fill(np.concatenate((arc, line)), color)


def draw_strands(sketch: Sketch, paths: Iterable[ArrayLike], color: Color, width: float = 1.8) -> None:
    """Draws strands or folds along the skull."""
    for path in paths:
        sketch.canvas.line(curve(sketch.pose.skull(path)), color, width)
