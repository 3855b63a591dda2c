"""Head, ears, nose and the lines of age."""

from __future__ import annotations

import numpy as np

from mirror_bench.faces.drawing.canvas import Canvas, Points, curve, mirrored
from mirror_bench.faces.drawing.palette import mix
from mirror_bench.faces.drawing.sketch import Sketch

# Right half from crown to chin: crown, forehead, temple, cheekbone, cheek, jaw, chin corner, chin.
_SHAPES: dict[str, list[tuple[float, float]]] = {
    "oval": [(0, -90), (36, -83), (58, -56), (63, -20), (60, 16), (47, 53), (23, 80), (0, 87)],
    "round": [(0, -88), (38, -81), (61, -54), (67, -18), (66, 16), (55, 50), (29, 75), (0, 82)],
    "square": [(0, -88), (40, -81), (61, -54), (64, -18), (63, 18), (56, 56), (31, 80), (0, 85)],
    "heart": [(0, -90), (40, -82), (63, -54), (65, -20), (59, 14), (42, 51), (18, 79), (0, 87)],
    "long": [(0, -94), (34, -87), (54, -60), (59, -20), (57, 20), (47, 60), (24, 88), (0, 95)],
}


def head_outline(sketch: Sketch, grow: float = 0.0) -> Points:
    """Returns the head's closed outline on the canvas, its jaw `grow` head units larger."""
    half = np.array(_SHAPES[sketch.identity.shape], dtype=float)
    widen = {"male": 2.5, "female": -1.5}.get(sketch.identity.sex, 0.0)
    half[5:7, 0] += widen
    half[4:6, 0] += 3 * sketch.youth
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
        shape = np.array([(61, -12), (70, -16), (73, -4), (69, 12), (61, 20), (57, 4)], dtype=float)
        fold = np.array([(64, -8), (69, -7), (68, 3), (64, 10)], dtype=float)
        wide = {"long": -5.0, "round": 3.0, "square": 1.0, "heart": 1.0}.get(sketch.identity.shape, 0.0)
        inward = 10 * abs(sketch.pose.yaw) if near else 0.0
        move = np.array([wide - inward, 0.0])
        outline = curve(sketch.pose.skull((shape + move) * (side, 1)), closed=True)
        sketch.canvas.fill(outline, sketch.colors.skin if near else sketch.colors.shade)
        sketch.canvas.line(curve(sketch.pose.skull((fold + move) * (side, 1))), sketch.colors.crease, 1.4)


def draw_head(sketch: Sketch) -> None:
    """Draws the head's skin with its soft shadows and blush."""
    outline = head_outline(sketch)
    colors, pose = sketch.colors, sketch.pose
    sketch.canvas.fill(outline, colors.skin)

    def shadows(canvas: Canvas) -> None:
        canvas.glow(pose.face((-66, 34)), (46, 84), colors.shade, 0.75)
        canvas.glow(pose.face((62, 60)), (34, 52), colors.shade, 0.55)
        canvas.glow(pose.face((0, 92 + sketch.jaw)), (52, 20), colors.shade, 0.7)
        canvas.glow(pose.face((4, -44)), (46, 32), colors.light, 0.4)
        warm = 0.26 + 0.25 * sketch.unit("6") + 0.12 * sketch.youth
        for side in (-1, 1):
            lift = 5 * sketch.unit("6", side) + 3 * sketch.unit("12", side)
            canvas.glow(pose.face((side * 37, 30 - lift)), (22, 15), colors.blush, warm)
            canvas.glow(
                pose.face((side * 28, -10)),
                (25, 20),
                mix(colors.shade, colors.crease, 0.3 * sketch.identity.skin),
                0.85,
            )
            canvas.glow(
                pose.face((side * 34, 15 - lift)), (16, 8), colors.light, 0.55 + 0.08 * sketch.identity.skin
            )
        canvas.glow(pose.face((0, 70 + sketch.jaw)), (15, 10), colors.light, 0.35)

    sketch.canvas.within(outline, shadows)


def draw_nose(sketch: Sketch) -> None:
    """Draws the nose; action unit 9 wrinkles its bridge and lifts its wings."""
    canvas, pose, colors = sketch.canvas, sketch.pose, sketch.colors
    wrinkle = sketch.unit("9")
    lift = 4.5 * wrinkle + 1.5 * sketch.unit("10")
    size = 1 - 0.12 * sketch.youth + (0.08 if sketch.identity.sex == "male" else 0.0)
    shadow_side = 1 if pose.yaw < -0.12 else -1
    bridge = [
        (shadow_side * 5, -16),
        (shadow_side * 4, 4),
        (shadow_side * 8.5 * size, 22 - lift),
        (shadow_side * 5, 30 - lift),
        (0, 27 - lift),
        (shadow_side * 1, 2),
    ]
    canvas.fill(curve(pose.face(bridge, out=9), closed=True), mix(colors.skin, colors.shade, 0.75))
    canvas.glow(pose.face((-shadow_side * 1.5, 20 - lift), out=16), (7, 10), colors.light, 0.8)
    wing = 12.5 * size + 2 * wrinkle
    base = [
        (-wing, 24 - lift * 1.3),
        (-wing + 0.5, 30 - lift * 1.3),
        (-6 * size, 31.5 - lift),
        (0, 34 - lift),
        (6 * size, 31.5 - lift),
        (wing - 0.5, 30 - lift * 1.3),
        (wing, 24 - lift * 1.3),
    ]
    canvas.line(curve(pose.face(base, out=10)), colors.crease, 1.9)
    for side in (-1, 1):
        nostril = [(side * 3.5, 31.5 - lift), (side * 6.5, 29.5 - lift), (side * 9, 31 - lift)]
        canvas.line(curve(pose.face(nostril, out=10)), mix(colors.crease, colors.ink, 0.5), 2.2)
        if wrinkle > 0.1:
            for row in range(3):
                y = -13 + 7 * row
                fold = [(side * 1.5, y + 2), (side * 5, y), (side * 9.5, y - 4)]
                canvas.line(curve(pose.face(fold, out=8)), mix(colors.skin, colors.crease, wrinkle), 1.7)


def draw_lines(sketch: Sketch) -> None:
    """Draws the folds that age leaves and that muscles make: forehead, under the eyes, beside the mouth."""
    canvas, pose, colors = sketch.canvas, sketch.pose, sketch.colors
    age = sketch.identity.lines

    def fold(points: list[tuple[float, float]], strength: float, width: float = 1.6) -> None:
        if strength > 0.06:
            canvas.line(curve(pose.face(points)), mix(colors.skin, colors.crease, min(1.0, strength)), width)

    raised = min(sketch.unit("1"), 0.35 + sketch.unit("2"))
    for row, y in enumerate((-44.0, -51.0, -58.0)):
        strength = max(1.0 * raised - 0.25, 0.55 * age) - 0.12 * row
        wide = 22 + 10 * min(1.0, sketch.unit("2") + age)
        fold(
            [(-wide, y + 1), (-wide / 2, y - 1.5), (0, y), (wide / 2, y - 1.5), (wide, y + 1)], strength, 1.5
        )
    for side in (-1, 1):
        cheek, smile = sketch.unit("6", side), sketch.unit("12", side)
        fold(
            [(side * 15, 9), (side * 25, 13.5 - 2 * cheek), (side * 38, 9 - 3 * cheek)],
            max(0.75 * cheek, 0.55 * age),
        )
        for y in (-8.0, -3.0, 2.0):
            fold(
                [(side * 47, -3 + y / 3), (side * 52, -3 + y), (side * 55, -4 + 1.4 * y)],
                max(0.75 * cheek, 0.6 * age - 0.15),
                1.3,
            )
        deep = max(
            0.75 * smile,
            0.85 * sketch.unit("10", side),
            0.7 * sketch.unit("9"),
            0.65 * age,
            0.35 * sketch.unit("20", side),
        )
        wide = 28 + 7 * smile + 5 * sketch.unit("20", side)
        up = 5 * sketch.unit("9") + 3 * sketch.unit("10", side)
        fold([(side * 14, 25 - up), (side * (wide - 6), 33 - up), (side * wide, 47 - 4 * smile)], deep, 1.8)
        fold(
            [(side * 24, 59), (side * 25.5, 64), (side * 24.5, 69)],
            max(0.6 * sketch.unit("15", side), 0.5 * age),
            1.5,
        )
