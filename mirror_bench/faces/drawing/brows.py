"""Brows, and the furrows between them."""

from __future__ import annotations

import numpy as np

from mirror_bench.faces.drawing.canvas import curve
from mirror_bench.faces.drawing.palette import mix
from mirror_bench.faces.drawing.sketch import Sketch


def draw_brows(sketch: Sketch) -> None:
    """Draws both brows: 1 raises the inner end, 2 the outer, 4 lowers and draws them together."""
    canvas, pose, colors = sketch.canvas, sketch.pose, sketch.colors
    # Brows turn gray later than hair, and dark ones last.
    aged = 0.28 * (1 - sketch.identity.skin) if sketch.identity.hair_color in {"gray", "white"} else 0.0
    color = mix(colors.brow, (186, 184, 180), aged)
    for side in (-1, 1):
        inner, outer, low = sketch.unit("1", side), sketch.unit("2", side), sketch.unit("4", side)
        # With 1 the corrugator draws the inner ends together without lowering them: the oblique brow.
        press = low * (1 - 0.85 * inner) + 0.22 * sketch.unit("9") * (1 - 0.5 * low)
        rise = -9.0 * inner * np.array([1.0, 0.72, 0.3, 0.0, -0.1])
        rise += -9.5 * outer * np.array([0.0, 0.3, 0.8, 1.0, 0.85])
        rise += 10.0 * press * np.array([1.0, 0.95, 0.7, 0.35, 0.1])
        rise += 2.5 * low * inner * np.array([0.0, 0.0, 0.6, 1.0, 1.0])
        along = np.array([11.5, 19.0, 29.0, 39.0, 47.5]) - 5.0 * low * np.array([1.0, 0.8, 0.4, 0.1, 0.0])
        arch = 1 - sketch.male
        height = (
            np.array([-18.8, -21.2, -22.6, -21.8, -16.8]) - arch * np.array([0.2, 0.6, 1.4, 1.8, 1.0]) + rise
        )
        width = (0.82 + 0.4 * sketch.male) * np.array([1.7, 2.9, 2.7, 2.0, 0.6])
        edges = np.empty((2, len(along), 2))
        edges[:, :, 0] = side * along
        edges[0, :, 1], edges[1, :, 1] = height - width, height + width
        top, base = curve(pose.face(edges, out=3))
        outline = np.concatenate((top, base[::-1]))
        canvas.relief.fold(outline, -14)
        canvas.fill(outline, mix(color, colors.skin, 0.16))
        # Hairs rise from the lower edge and lean outwards.
        upper, lower = top[::2], base[::2]
        roots, tips = lower[:-1], 1.12 * upper[1:] - 0.12 * lower[1:]
        canvas.hairs(np.stack((roots, 0.5 * roots + 0.5 * tips, tips), axis=1), color, 0.5)
        _draw_furrow(sketch, side, low, inner, press)


def _draw_furrow(sketch: Sketch, side: int, low: float, inner: float, press: float) -> None:
    if low < 0.05:
        return
    end = -16.0 - 8 * inner + 4 * press
    tilt = 2.5 if inner > 0.3 else -0.5
    path = [
        (side * (4.2 + 0.5 * tilt), end - 13),
        (side * 4.0, end - 7),
        (side * (5.2 + 0.3 * tilt), end + 1),
    ]
    calm = 1 - 0.55 * sketch.unit("9")
    sketch.crease(path, (-14 - 84 * low) * calm, 1.9 + 0.5 * low, out=3)
    sketch.crease([(x + side * 3.2, y - 1) for x, y in path[:2]], 26 * low, 3.0, out=3)
    # The lowered brow's skin lies in a bulge over the inner corner of the eye.
    sketch.crease(
        [(side * 9, end + 1), (side * 14, end + 4.5), (side * 24, end + 4.5)], -62 * press, 3.2, out=2
    )
