"""Stubble, moustache and beard."""

from __future__ import annotations

import numpy as np

from mirror_bench.faces.drawing.canvas import Canvas, Color, curve
from mirror_bench.faces.drawing.head import head_outline
from mirror_bench.faces.drawing.mouth import Lips, lips
from mirror_bench.faces.drawing.palette import mix
from mirror_bench.faces.drawing.sketch import Sketch

_CHEEK = np.array([
    (70, -2), (58, 8), (50, 30), (36, 45), (20, 47), (0, 44),
    (-20, 47), (-36, 45), (-50, 30), (-58, 8), (-70, -2),
], dtype=float)  # fmt: skip


def draw_beard(sketch: Sketch) -> None:
    """Draws stubble, moustache or beard; the mouth is drawn over it."""
    kind, colors = sketch.identity.beard, sketch.colors
    if kind == "none":
        return
    hair = mix(colors.natural, colors.skin, 0.14 if kind == "stubble" else 0.26)
    if kind == "stubble":
        _draw_stubble(sketch, mix(colors.skin, hair, 0.62))
        return
    if kind == "full":
        _draw_jaw_hair(sketch, hair)
    _draw_moustache(sketch, lips(sketch), hair)


def _draw_stubble(sketch: Sketch, color: Color) -> None:
    pose, jaw = sketch.pose, sketch.jaw

    def shadow(canvas: Canvas) -> None:
        canvas.glow(pose.face((0, 74 + jaw)), (62, 40), color, 0.5)
        canvas.glow(pose.face((0, 43), out=4), (32, 13), color, 0.5)
        for side in (-1, 1):
            canvas.glow(pose.face((side * 50, 42 + jaw / 2)), (20, 46), color, 0.24)

    sketch.canvas.within(head_outline(sketch), shadow)


def _draw_moustache(sketch: Sketch, shape: Lips, color: Color) -> None:
    pose, top = sketch.pose, shape.top - (0, 0.5)
    ends = np.array([1.18, 1.1, 1.0, 1.0, 1.0, 1.1, 1.18])
    crown = np.stack((top[:, 0] * ends, top[:, 1] - np.array([-4, 4.0, 7.0, 6.0, 7.0, 4.0, -4])), axis=1)
    base = np.stack((top[:, 0] * ends, top[:, 1] + np.array([5, 3, 2.2, 1.6, 2.2, 3, 5])), axis=1)
    upper, lower = curve(pose.face(crown, out=4)), curve(pose.face(base, out=4))
    outline = np.concatenate((upper, lower[::-1]))
    sketch.canvas.relief.level(outline)
    sketch.canvas.fill(outline, color)
    # Hairs run outwards and down from the middle of the lip.
    spread = (lower - upper.mean(axis=0)) * (0.12, 0.0)
    sketch.canvas.relief.strands(np.stack((upper, lower + spread), axis=1)[::2], -36)


def _draw_jaw_hair(sketch: Sketch, color: Color) -> None:
    pose, jaw = sketch.pose, sketch.jaw
    line = curve(pose.face(_CHEEK))[4:-4]
    # Of the head's outline, what lies below the ears: from the image's right over the chin to its left.
    edge = head_outline(sketch, 8.0)
    edge = edge[len(edge) * 5 // 16 : len(edge) * 11 // 16 + 1]
    outline = np.concatenate((edge, line[::-1]))
    sketch.canvas.cover(outline, color)
    ends = edge[np.linspace(0, len(edge) - 1, len(line[::2])).astype(int)]
    for share, amount in ((0.0, -30.0), (0.3, 24.0), (0.55, -34.0)):
        roots = line[::2] + share * (ends - line[::2])
        tips = roots + 0.3 * (ends - line[::2])
        sketch.canvas.relief.strands(np.stack((roots, tips), axis=1), amount)
    sketch.forms(outline, [
        (0.0, 63.0 + jaw, 16.0, 5.0, -26.0), (-8.0, 78.0 + jaw, 18.0, 12.0, 18.0),
        (60.0, 50.0, 22.0, 40.0, -34.0), (-60.0, 50.0, 16.0, 40.0, -18.0),
        (0.0, 98.0 + jaw, 50.0, 12.0, -30.0),
    ])  # fmt: skip
