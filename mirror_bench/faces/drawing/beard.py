"""Stubble, moustache and beard."""

from __future__ import annotations

import numpy as np

from mirror_bench.faces.drawing.canvas import Color, curve
from mirror_bench.faces.drawing.head import head_outline
from mirror_bench.faces.drawing.mouth import lips
from mirror_bench.faces.drawing.palette import mix
from mirror_bench.faces.drawing.sketch import Sketch


def draw_beard(sketch: Sketch) -> None:
    """Draws stubble, moustache or beard; the mouth is drawn over it."""
    kind = sketch.identity.beard
    if kind == "none":
        return
    colors, pose = sketch.colors, sketch.pose
    shape = lips(sketch)
    hair = mix(colors.hair, colors.skin, 0.06) if kind != "stubble" else mix(colors.skin, colors.hair, 0.3)
    if sketch.identity.hair_color == "dyed":
        hair = mix(hair, (60, 44, 36), 0.8)
    if kind in {"stubble", "full"}:
        _draw_jaw_hair(sketch, hair, 8.0 if kind == "full" else 0.0)
    if kind in {"mustache", "full", "stubble"}:
        top = shape.top - (0, 0.5)
        ends = np.array([1.18, 1.1, 1.0, 1.0, 1.0, 1.1, 1.18])
        crown = np.stack((top[:, 0] * ends, top[:, 1] - np.array([-4, 5.5, 9, 8, 9, 5.5, -4])), axis=1)
        base = np.stack((top[:, 0] * ends, top[:, 1] + np.array([6, 3, 1.5, 1.0, 1.5, 3, 6])), axis=1)
        outline = np.concatenate((curve(pose.face(crown, out=4)), curve(pose.face(base, out=4))[::-1]))
        sketch.canvas.fill(outline, hair)


def _draw_jaw_hair(sketch: Sketch, color: Color, grow: float) -> None:
    pose = sketch.pose
    cheek = [
        (70, -2),
        (57, 8),
        (50, 30),
        (36, 43),
        (20, 44),
        (0, 40),
        (-20, 44),
        (-36, 43),
        (-50, 30),
        (-57, 8),
        (-70, -2),
    ]
    low = [(-70, 60), (-50, 100), (-24, 122), (0, 126), (24, 122), (50, 100), (70, 60)]
    area = np.concatenate((curve(pose.face(cheek)), pose.skull(np.array(low) + np.array((0, sketch.jaw)))))
    outline = head_outline(sketch, grow)
    sketch.canvas.within(area, lambda layer: layer.fill(outline, color))
