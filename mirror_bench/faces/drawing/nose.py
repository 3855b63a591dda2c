"""The nose's wings and nostrils; its ridge is modelled with the head."""

from __future__ import annotations

import numpy as np

from mirror_bench.faces.drawing.canvas import curve
from mirror_bench.faces.drawing.palette import mix
from mirror_bench.faces.drawing.sketch import Sketch


def draw_nose(sketch: Sketch) -> None:
    """Draws the nose; action unit 9 wrinkles its root and lifts its wings, as 10 does a little."""
    pose, colors = sketch.pose, sketch.colors
    wrinkle = sketch.unit("9")
    lift = 4.5 * wrinkle + 2.0 * sketch.unit("10")
    size = 0.94 + 0.12 * sketch.male - 0.1 * sketch.youth + 0.08 * sketch.identity.skin
    wide = 14.6 * size + 2.2 * wrinkle + 1.2 * sketch.unit("12") + 0.8 * sketch.unit("20")
    for side in (-1, 1):
        wing = [
            (side * (wide - 3.0), 19.5 - lift * 1.2),
            (side * wide, 24.5 - lift * 1.3),
            (side * (wide - 0.6), 30.0 - lift * 1.3),
            (side * (wide - 4.0), 32.0 - lift * 1.1),
        ]
        sketch.crease(wing, -72, 2.3, out=6, ends=(0.1, 0.5))
        hole = np.array([(4.0, 32.6), (5.8, 30.4), (9.4, 30.2), (wide - 3.4, 32.0), (8.0, 33.4)])
        hole = (hole - (0, lift)) * (side, 1)
        sketch.canvas.fill(curve(pose.face(hole, out=9), closed=True), mix(colors.crease, colors.ink, 0.42))
        # From the root past the tip: the plane of the nose's side.
        sketch.crease(
            [(side * 6.5, 12 - lift / 2), (side * 7.8, 20 - lift), (side * 6.2, 27 - lift)],
            -20 - 8 * (side > 0),
            3.0,
            out=10,
        )
    base = [(-5.0, 33.4 - lift), (0.0, 35.4 - lift), (5.0, 33.4 - lift)]
    sketch.crease(base, -52, 2.4, out=10, ends=(0.4, 0.4))
    _draw_wrinkles(sketch, wrinkle)


def _draw_wrinkles(sketch: Sketch, wrinkle: float) -> None:
    """Draws the skin bunched at the nose's root: folds, and the light on what swells between them."""
    for y, wide in ((-16.0, 7.0), (-10.5, 8.5), (-5.0, 8.0)):
        sketch.crease([(-wide, y + 2.5), (0, y - 1.5), (wide, y + 2.5)], -92 * wrinkle, 2.3, out=8)
        sketch.crease([(-wide, y + 5.2), (0, y + 1.2), (wide, y + 5.2)], 34 * wrinkle, 2.4, out=8)
    for side in (-1, 1):
        for y in (0.0, 6.0):
            path = [(side * 4.0, y + 3), (side * 8.5, y - 0.5), (side * 13.5, y - 6)]
            sketch.crease(path, -86 * wrinkle, 2.1, out=6)
            sketch.crease([(x, at + 2.6) for x, at in path], 30 * wrinkle, 2.2, out=6)
