"""Mouth and chin."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mirror_bench.faces.drawing.canvas import Canvas, Points, curve
from mirror_bench.faces.drawing.palette import mix
from mirror_bench.faces.drawing.sketch import Sketch

_T = np.array([-1.0, -0.68, -0.34, 0.0, 0.34, 0.68, 1.0])
_BOW = np.array([0.0, 0.68, 1.08, 0.82, 1.08, 0.68, 0.0])
_ARCH = 1 - np.abs(_T) ** 2.3


class Lips(NamedTuple):
    """Four lines from the image's left to its right in head coordinates, each of shape (7, 2)."""

    top: Points
    upper: Points
    lower: Points
    bottom: Points


def lips(sketch: Sketch) -> Lips:
    """Returns where the lips lie: their outer lines, and the edges of the opening between them."""
    unit = sketch.unit
    tight, press, chin = unit("23"), unit("24"), unit("17")
    thin = max(0.12, 1 - 0.8 * max(tight, press) - 0.35 * unit("20") - 0.2 * unit("12"))
    x, y = np.zeros(7), np.zeros(7)
    middle = 0.8 + 4.6 * unit("12") - 3.0 * unit("15") - 4.0 * chin - 3.0 * unit("9") + 0.5 * unit("20")
    for side, places in ((-1, slice(0, 3)), (1, slice(4, 7))):
        half = 21.5 + 10 * unit("12", side) + 9 * unit("20", side) + 2 * unit("14", side)
        half -= (
            5.0 * tight
            + 2.5 * press
            + 3 * chin
            + 1.5 * unit("15", side)
            + 5.5 * unit("26") * (1 - unit("20"))
        )
        corner = (
            -0.8
            - 11.5 * unit("12", side)
            + 8.5 * unit("15", side)
            - 3.5 * unit("14", side)
            + 3.5 * unit("20", side)
        )
        corner += 2.5 * chin - 2 * unit("10", side)
        t = np.abs(_T[places])
        x[places] = side * half * t
        y[places] = middle + (corner - middle) * t**2.0
    y[3] = middle
    parted, dropped = unit("25"), unit("26")
    gap = (8.0 + 6.0 * min(unit("12"), 1 - dropped)) * parted + 17 * dropped
    at = 51.0 + (3 if sketch.identity.shape == "long" else 0) - 2 * sketch.youth + 1.5 * dropped
    raised = np.array([0, unit("10", -1), unit("10", -1), 0.6 * unit("10"), unit("10", 1), unit("10", 1), 0])
    upper = y - 0.3 * gap * _ARCH - 4.0 * raised
    lower = y + 0.7 * gap * _ARCH
    if gap == 0:
        lower = upper.copy()
    full = {"male": 0.82, "female": 1.12}.get(sketch.identity.sex, 1.0) * thin
    top = upper - 5.6 * full * _BOW - 1.5 * raised
    bottom = lower + (7.4 * full + 2.2 * chin * (1 - press)) * _ARCH
    return Lips(*(np.stack((x, line + at), axis=1) for line in (top, upper, lower, bottom)))


def draw_mouth(sketch: Sketch) -> None:
    """Draws lips, teeth and tongue, then the dimples and the chin."""
    canvas, pose, colors = sketch.canvas, sketch.pose, sketch.colors
    shape = lips(sketch)
    top, upper, lower, bottom = (curve(pose.face(line, out=3)) for line in shape)
    canvas.fill(np.concatenate((upper, bottom[::-1])), colors.lip)
    canvas.fill(np.concatenate((top, lower[::-1])), colors.lip_shade)
    canvas.glow(pose.face((0, shape.bottom[3, 1] - 3.4), out=3), (9, 2.6), colors.light, 0.5)
    opening = float(shape.lower[3, 1] - shape.upper[3, 1])
    if opening > 0.8:
        _draw_inside(sketch, np.concatenate((upper, lower[::-1])), shape, opening)
        canvas.line(upper, mix(colors.lip_shade, colors.ink, 0.55), 1.5)
    else:
        pressed = max(sketch.unit("24"), sketch.unit("23"))
        canvas.line(upper, mix(colors.lip_shade, colors.ink, 0.72 + 0.2 * pressed), 2.3 + 0.6 * pressed)
    _draw_corners(sketch, shape)
    _draw_chin(sketch, shape)


def _draw_inside(sketch: Sketch, outline: Points, shape: Lips, opening: float) -> None:
    pose = sketch.pose
    teeth = min(0.62 * opening, 7.5) if sketch.unit("26") < 0.6 else 4.2
    bared = max(sketch.unit("12"), sketch.unit("10"), sketch.unit("20"), 0.7 * sketch.unit("9"))

    def inside(canvas: Canvas) -> None:
        canvas.fill(outline, (86, 26, 34))
        if opening > 9:
            tongue = pose.face((0, shape.lower[3, 1] + 2), out=3)
            canvas.glow(tongue, (17, 10), (216, 96, 100), 1.0)
        if bared > 0.2 or sketch.unit("26") > 0.3:
            edge = (
                shape.upper + np.array([0.0, teeth]) * np.append(np.append(0.75, np.ones(5)), 0.75)[:, None]
            )
            band = np.concatenate(
                (curve(pose.face(shape.upper - (0, 3), out=3)), curve(pose.face(edge, out=3))[::-1])
            )
            canvas.fill(band, (250, 247, 241))

    sketch.canvas.within(outline, inside)


def _draw_corners(sketch: Sketch, shape: Lips) -> None:
    canvas, pose, colors = sketch.canvas, sketch.pose, sketch.colors
    for side, place in ((-1, 0), (1, -1)):
        x, y = shape.upper[place]
        dimple, smile = sketch.unit("14", side), sketch.unit("12", side)
        if (strength := max(dimple, 0.7 * smile)) > 0.1:
            bend = [(x + side * 3.0, y - 6), (x + side * 6.5, y - 0.5), (x + side * 3.5, y + 5.5)]
            color = mix(colors.skin, colors.crease, 0.35 + 0.65 * strength)
            canvas.line(curve(pose.face(bend)), color, 1.5 + 0.9 * dimple)
        canvas.disc(pose.face((x, y), out=3), 1.3 + 1.0 * dimple, mix(colors.crease, colors.ink, 0.4))


def _draw_chin(sketch: Sketch, shape: Lips) -> None:
    canvas, pose, colors = sketch.canvas, sketch.pose, sketch.colors
    below = float(shape.bottom[3, 1])
    raised = sketch.unit("17")
    canvas.glow(pose.face((0, below + 4)), (15, 4.5), colors.shade, 0.95)
    if raised > 0.1 and sketch.identity.beard != "full":
        color = mix(colors.skin, colors.crease, raised)
        canvas.line(
            curve(
                pose.face(
                    [(-11, below + 9), (-6, below + 5.5), (0, below + 4.6), (6, below + 5.5), (11, below + 9)]
                )
            ),
            color,
            1.9,
        )
        for x, y in ((-6, 12), (0, 10.5), (6, 12), (-3, 16), (3, 16)):
            canvas.disc(pose.face((x, below + y)), 1.1, color)
