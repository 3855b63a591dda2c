"""The shapes that hair and head coverings are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import ArrayLike

from mirror_bench.faces.drawing.canvas import Color, Points, curve, stroke
from mirror_bench.faces.drawing.sketch import Sketch

# Outer line of hair lying on the skull, right half from above the ear to the crown.
_CAP = [(65, -6), (70, -34), (63, -68), (39, -95), (0, -104)]
# Where the crown catches light and where hair turns away from it, as blobs on the skull.
_SHEEN = [
    (-20.0, -84.0, 34.0, 13.0, 17.0), (-62.0, -40.0, 14.0, 40.0, -22.0), (64.0, -36.0, 20.0, 44.0, -36.0),
    (-72.0, 60.0, 12.0, 60.0, -16.0), (74.0, 60.0, 14.0, 60.0, -28.0), (10.0, -104.0, 50.0, 9.0, -14.0),
]  # fmt: skip


def fill_hanging(sketch: Sketch, points: ArrayLike, color: Color) -> None:
    """Fills a closed outline that lies on the skull above and hangs straight below it."""
    sketch.canvas.cover(curve(sketch.pose.hanging(points), closed=True), color)


def fill_cap(sketch: Sketch, hairline: ArrayLike, color: Color, grow: float = 0.0) -> None:
    """Fills hair from a hairline, right temple to left in the image, up to the skull's outer line.

    `grow` is how far the hair stands out, in head units.
    """
    half = np.array(_CAP, dtype=float) * (1 + grow / 68, 1 + grow / 100)
    if sketch.identity.shape == "long":
        half *= (0.94, 1.02)
    arc = curve(sketch.pose.skull(np.concatenate((half * (-1, 1), half[-2::-1]))))
    line = curve(sketch.pose.hair(hairline))
    # Hair throws a soft shadow on the forehead.
    sketch.canvas.relief.fold(stroke(line, 7.0 * sketch.pose.size, (0.4, 0.4)), -30)
    outline = np.concatenate((arc, line))
    sketch.canvas.cover(outline, color)
    shine(sketch, outline)


def shine(sketch: Sketch, outline: ArrayLike) -> None:
    """Lights hair or cloth on the skull inside an outline of the canvas."""
    blobs = np.array(_SHEEN)
    blobs[:, :2] = sketch.pose.skull(blobs[:, :2])
    blobs[:, 2:4] *= sketch.pose.size
    sketch.canvas.relief.forms(np.asarray(outline), blobs)


def draw_strands(sketch: Sketch, paths: Iterable[ArrayLike], amount: float, width: float = 2.2) -> None:
    """Draws strands or folds along the skull as light (a positive amount) or shadow."""
    for path in paths:
        line = curve(sketch.pose.skull(path))
        sketch.canvas.relief.fold(stroke(line, width * sketch.pose.size, (0.2, 0.2)), amount)


def comb(
    sketch: Sketch, place: Callable[[ArrayLike], Points], first: ArrayLike, last: ArrayLike, count: int
) -> None:
    """Draws strands of hair that lie between two, in light and shadow by turns.

    Args:
        sketch: The face.
        place: Puts points on the canvas.
        first: Points of the first strand, root to tip.
        last: As many points of the last.
        count: How many strands.
    """
    number = np.arange(count)
    # Unevenly apart, as hair is.
    share = ((number + 0.5 + 0.35 * np.sin(2.4 * number)) / count)[:, None, None]
    one, other = np.asarray(first, dtype=float), np.asarray(last, dtype=float)
    paths = curve(place(one * (1 - share) + other * share))
    sketch.canvas.relief.strands(paths[::2], -40)
    sketch.canvas.relief.strands(paths[1::2], 26)
