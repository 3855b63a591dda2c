"""Stubble, moustache and beard."""

from __future__ import annotations

import numpy as np

from mirror_bench.faces.drawing.canvas import Canvas, Color, Points, curve
from mirror_bench.faces.drawing.head import head_outline
from mirror_bench.faces.drawing.mouth import Lips, lips
from mirror_bench.faces.drawing.palette import mix
from mirror_bench.faces.drawing.sketch import Sketch

_CHEEK = np.array([
    (70, -2), (58, 8), (50, 30), (36, 45), (20, 47), (0, 44),
    (-20, 47), (-36, 45), (-50, 30), (-58, 8), (-70, -2),
], dtype=float)  # fmt: skip
_LOW = np.array([(-70, 60), (-50, 100), (-24, 122), (0, 126), (24, 122), (50, 100), (70, 60)], dtype=float)


def draw_beard(sketch: Sketch) -> None:
    """Draws stubble, moustache or beard; the mouth is drawn over it."""
    kind, colors = sketch.identity.beard, sketch.colors
    if kind == "none":
        return
    hair = mix(colors.natural, colors.skin, 0.08)
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
    crown = np.stack((top[:, 0] * ends, top[:, 1] - np.array([-4, 5.0, 8.5, 7.5, 8.5, 5.0, -4])), axis=1)
    base = np.stack((top[:, 0] * ends, top[:, 1] + np.array([6, 3, 1.5, 1.0, 1.5, 3, 6])), axis=1)
    upper, lower = curve(pose.face(crown, out=4)), curve(pose.face(base, out=4))
    outline = np.concatenate((upper, lower[::-1]))
    sketch.canvas.relief.level(outline)
    sketch.canvas.fill(outline, color)
    # Hairs run outwards and down from the middle of the lip.
    spread = (lower - upper.mean(axis=0)) * (0.12, 0.0)
    sketch.canvas.relief.strands(np.stack((upper, lower + spread), axis=1)[::2], -36)


def _draw_jaw_hair(sketch: Sketch, color: Color) -> None:
    pose = sketch.pose
    line = curve(pose.face(_CHEEK))
    low = pose.skull(_LOW + np.array((0, sketch.jaw)))
    outline = head_outline(sketch, 8.0)
    area = np.concatenate((line, low))
    sketch.canvas.relief.level(outline[_below(outline, line)])
    sketch.canvas.within(area, lambda layer: layer.fill(outline, color))
    inner, outer = line[4:-4:2], curve(low)
    ends = outer[np.linspace(len(outer) - 1, 0, len(inner)).astype(int)]
    for share, amount in ((0.0, -30.0), (0.28, 24.0), (0.5, -34.0)):
        roots = inner + share * (ends - inner)
        sketch.canvas.relief.strands(np.stack((roots, roots + 0.24 * (ends - inner)), axis=1), amount)
    sketch.forms(outline, [
        (0.0, 62.0 + sketch.jaw, 16.0, 5.0, -30.0), (-8.0, 78.0 + sketch.jaw, 18.0, 12.0, 18.0),
        (56.0, 60.0, 24.0, 40.0, -30.0), (0.0, 98.0 + sketch.jaw, 50.0, 12.0, -30.0),
    ])  # fmt: skip


def _below(outline: Points, line: Points) -> Points:
    below: Points = outline[:, 1] > line[:, 1].min() + 0.6 * np.ptp(line[:, 1])
    return below
