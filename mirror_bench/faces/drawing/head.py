"""Head and ears, and the soft light and shadow that model the face."""

from __future__ import annotations

import numpy as np

from mirror_bench.faces.drawing.canvas import Canvas, Points, curve, mirrored, stroke
from mirror_bench.faces.drawing.palette import mix
from mirror_bench.faces.drawing.sketch import Sketch

# Right half from crown to chin: crown, forehead, temple, cheekbone, cheek, jaw, chin corner, chin.
_SHAPES: dict[str, list[tuple[float, float]]] = {
    "oval": [(0, -92), (36, -85), (59, -56), (63, -20), (61, 16), (49, 52), (24, 80), (0, 87)],
    "round": [(0, -90), (38, -83), (62, -54), (67, -18), (66, 18), (55, 52), (28, 77), (0, 83)],
    "square": [(0, -90), (40, -83), (61, -54), (64, -18), (63, 18), (56, 55), (31, 80), (0, 86)],
    "heart": [(0, -92), (40, -84), (63, -54), (65, -20), (60, 14), (45, 51), (20, 79), (0, 87)],
    "long": [(0, -96), (35, -88), (55, -60), (60, -20), (58, 20), (48, 57), (25, 85), (0, 92)],
}


def head_outline(sketch: Sketch, grow: float = 0.0) -> Points:
    """Returns the head's closed outline on the canvas, its jaw `grow` head units larger."""
    half = np.array(_SHAPES[sketch.identity.shape], dtype=float)
    half[5:7, 0] += 4.5 * sketch.male - 2
    half[4:6, 0] += 3 * sketch.youth
    half[4, 0] += 1.2 * sketch.unit("12")
    half[5:, 1] += np.array([0.4, 0.9, 1.0]) * sketch.jaw - 4 * sketch.youth - 1.5 * sketch.unit("17")
    if grow:
        # A beard stands out at jaw and chin, not beside the ears.
        half *= 1 + grow / 80 * np.array([0, 0, 0, 0, 0.25, 0.8, 1, 1])[:, None]
    return curve(sketch.pose.skull(mirrored(half)), closed=True)


def draw_ears(sketch: Sketch, near: bool) -> None:
    """Draws the ears that lie behind the head's outline, or, with `near`, the one turned to the viewer."""
    for side in (-1, 1):
        if near != (side * sketch.pose.yaw < -0.2):
            continue
        shape = np.array([(61, -13), (69, -17), (72, -5), (69, 13), (61, 24), (57, 4)], dtype=float)
        fold = np.array([(62, -8), (68, -10), (68.5, 0), (66, 9), (63, 14)], dtype=float)
        wide = {"long": -4.0, "round": 3.0, "square": 1.0, "heart": 1.0}.get(sketch.identity.shape, 0.0)
        inward = 10 * abs(sketch.pose.yaw) if near else 0.0
        move = np.array([wide - inward, 0.0])
        outline = curve(sketch.pose.skull((shape + move) * (side, 1)), closed=True)
        sketch.canvas.cover(outline, mix(sketch.colors.skin, sketch.colors.blush, 0.18))
        path = curve(sketch.pose.skull((fold + move) * (side, 1)))
        sketch.canvas.relief.fold(stroke(path, 2.4 * sketch.pose.size, (0.3, 0.3)), -58)


def draw_head(sketch: Sketch) -> None:
    """Draws the head's skin, warm where blood shows, and models its forms."""
    outline = head_outline(sketch)
    colors, pose = sketch.colors, sketch.pose
    sketch.canvas.cover(outline, colors.skin)

    def warmth(canvas: Canvas) -> None:
        warm = (0.2 + 0.2 * sketch.unit("6") + 0.12 * sketch.youth) * (1 - 0.35 * sketch.male)
        for side in (-1, 1):
            lift = 5 * sketch.unit("6", side) + 3 * sketch.unit("12", side)
            canvas.glow(pose.face((side * 38, 27 - lift)), (27, 20), colors.blush, warm)
        canvas.glow(pose.face((0, 24), out=14), (14, 12), colors.blush, 0.14)
        if sketch.male and sketch.identity.age > 16:
            stubble = mix(colors.skin, mix(colors.brow, (60, 70, 84), 0.5), 0.5)
            canvas.glow(pose.face((0, 66 + sketch.jaw)), (70, 46), stubble, 0.42 * sketch.male)

    sketch.canvas.within(outline, warmth)
    sketch.forms(outline, _forms(sketch))


def _forms(sketch: Sketch) -> list[tuple[float, float, float, float, float]]:
    """Returns the face's spots of light and shadow; the light comes from the upper left."""
    jaw, male, age, wrinkle = sketch.jaw, sketch.male, sketch.identity.lines, sketch.unit("9")
    tip = 25 - 4 * wrinkle - 1.5 * sketch.unit("10")
    chin = sketch.unit("17")
    spots = [
        (-10.0, -56.0, 36.0, 20.0, 15.0), (-66.0, -18.0, 17.0, 60.0, -26.0), (66.0, -8.0, 23.0, 66.0, -44.0),
        (-58.0, 58.0 + jaw / 2, 22.0, 30.0, -24.0), (56.0, 58.0 + jaw / 2, 26.0, 36.0, -34.0),
        (0.0, 95.0 + jaw, 56.0, 15.0, -34.0), (0.0, -96.0, 60.0, 16.0, -14.0),
        # Nose: ridge, tip, what lies beside and below it.
        (-1.0, -12.0, 5.5, 16.0, 13.0), (-1.0, 8.0, 4.6, 14.0, 15.0), (-1.5, tip, 6.5, 5.5, 21.0),
        (-9.5, 8.0, 4.5, 14.0, -9.0), (10.0, 8.0, 5.5, 16.0, -23.0), (13.5, tip + 2, 5.0, 7.0, -14.0),
        (2.0, 36.5 - 3 * wrinkle, 13.0, 4.6, -22.0), (0.0, 41.0, 2.6, 4.5, -9.0),
        # Below the lips, and the chin.
        (0.0, 65.0 + 0.8 * jaw - 2 * chin, 14.0, 4.5, -25.0),
        (-2.0, 76.0 + jaw - 3 * chin, 12.0, 8.0, 14.0 + 8 * chin),
        # Between the brows.
        (0.0, -24.0, 7.0, 9.0, 7.0 - 22 * sketch.unit("4") - 10 * wrinkle),
    ]  # fmt: skip
    for side in (-1, 1):
        lit = 1.0 if side < 0 else 0.75
        cheek, smile = sketch.unit("6", side), sketch.unit("12", side)
        press = sketch.unit("4", side)
        lift = 6 * cheek + 3 * smile
        spots += [
            # The eye lies in its socket, deepest beside the root of the nose, below a ridge.
            (side * 28.0, -10.0, 20.0, 9.0, -17.0 - 10 * press),
            (side * 12.5, -9.0, 6.0, 10.0, -24.0 - 6 * male),
            (side * 30.0, -30.0, 17.0, 6.0, 6.0 + 5 * male), (side * 30.0, 6.0, 15.0, 4.0, -10.0 - 8 * age),
            # Cheekbone, the hollow below it, the side of the mouth.
            (side * 37.0, 17.0 - lift, 15.0, 10.0, lit * (17.0 + 9 * cheek + 5 * smile)),
            (side * 48.0, 42.0, 14.0, 18.0, -9.0 - 4 * male), (side * 27.0, 53.0, 6.0, 8.0, -9.0),
            (side * 12.0, 42.0, 9.0, 5.0, 6.0), (side * 46.0, -46.0, 13.0, 22.0, -6.0),
        ]  # fmt: skip
    return spots
