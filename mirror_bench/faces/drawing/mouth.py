"""Mouth and chin."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mirror_bench.faces.drawing.canvas import Canvas, Points, curve, stroke
from mirror_bench.faces.drawing.palette import mix
from mirror_bench.faces.drawing.sketch import Sketch

_T = np.array([-1.0, -0.68, -0.34, 0.0, 0.34, 0.68, 1.0])
_BOW = np.array([0.0, 0.6, 1.04, 0.8, 1.04, 0.6, 0.0])
_ARCH = 1 - np.abs(_T) ** 2.2
# How closed lips meet: the upper lip's middle hangs a little over the lower.
_MEET = np.array([0.0, -0.1, 0.1, 0.8, 0.1, -0.1, 0.0])


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
    thin = max(0.12, 1 - 0.8 * max(tight, press) - 0.35 * unit("20") - 0.22 * unit("12") - 0.12 * unit("15"))
    x, y = np.zeros(7), np.zeros(7)
    middle = 0.2 + 4.2 * unit("12") - 2.0 * unit("15") - 3.6 * chin - 1.5 * unit("9") + 0.5 * unit("20")
    for side, places in ((-1, slice(0, 3)), (1, slice(4, 7))):
        half = 23.0 + 0.8 * sketch.male + 9.5 * unit("12", side) + 8 * unit("20", side) + 2 * unit("14", side)
        half -= 3.8 * tight + 1.0 * press + 2.5 * chin + 1.0 * unit("15", side)
        half -= 6.5 * unit("26") * (1 - unit("20")) * (1 - unit("12"))
        corner = (
            -9.5 * unit("12", side) + 8.0 * unit("15", side) - 2.5 * unit("14", side) + 2.5 * unit("20", side)
        )
        corner += 2.0 * chin - 0.5 * unit("10", side) + 1.2 * tight + 0.6 * press
        t = np.abs(_T[places])
        x[places] = side * half * t
        y[places] = middle + (corner - middle) * t**2.0
    y[3] = middle
    parted, dropped = unit("25"), unit("26")
    gap = (7.5 + 6.0 * min(unit("12"), 1 - dropped)) * parted + 17 * dropped
    at = 51.0 + (2.5 if sketch.identity.shape == "long" else 0) - 2 * sketch.youth + 1.5 * dropped
    left, right = (unit("10", side) + 0.35 * unit("9") for side in (-1, 1))
    raised = np.array([0.0, 0.9 * left, left, 0.36 * (left + right), right, 0.9 * right, 0.0])
    upper = y - 0.3 * gap * _ARCH - 4.6 * raised + _MEET * (1 - min(1.0, gap / 4))
    lower = y + 0.7 * gap * _ARCH
    if gap == 0:
        lower = upper.copy()
    full = (1.08 - 0.24 * sketch.male + 0.16 * sketch.identity.skin) * thin
    top = upper - 5.4 * full * _BOW - 2.0 * raised
    bottom = lower + (7.6 * full + 2.0 * chin * (1 - max(press, tight))) * _ARCH
    return Lips(*(np.stack((x, line + at), axis=1) for line in (top, upper, lower, bottom)))


def draw_mouth(sketch: Sketch) -> None:
    """Draws lips, teeth and tongue, then the dimples and the chin."""
    canvas, pose, colors = sketch.canvas, sketch.pose, sketch.colors
    shape = lips(sketch)
    top, upper, lower, bottom = curve(pose.face(np.stack(shape), out=4))
    # Lips lie in the shade of the hair around them.
    shaded = 0.3 if sketch.identity.beard in {"mustache", "full"} else 0.0
    lower_lip, upper_lip = (mix(color, colors.brow, shaded) for color in (colors.lip, colors.lip_shade))
    canvas.fill(np.concatenate((upper, bottom[::-1])), lower_lip)
    canvas.fill(np.concatenate((top, lower[::-1])), upper_lip)
    lit = float(shape.bottom[3, 1] - shape.lower[3, 1])
    at, radii = pose.face((-2, shape.lower[3, 1] + 0.5 * lit), out=4), (14, max(1.5, 0.42 * lit))
    canvas.glow(at, radii, colors.light, 0.34 - 0.6 * shaded)
    opening = float(shape.lower[3, 1] - shape.upper[3, 1])
    line = mix(colors.lip_shade, colors.ink, 0.6)
    if opening > 0.8:
        _draw_inside(sketch, np.concatenate((upper, lower[::-1])), shape, opening)
        canvas.line(upper, line, 1.2)
    else:
        pressed = max(sketch.unit("24"), sketch.unit("23"))
        canvas.fill(stroke(upper, (2.1 + 0.8 * pressed) * pose.size, (0.5, 0.5)), line)
    _draw_corners(sketch, shape)
    _draw_chin(sketch, shape)


def _draw_inside(sketch: Sketch, outline: Points, shape: Lips, opening: float) -> None:
    pose = sketch.pose
    teeth = min(0.7 * opening, 7.5) if sketch.unit("26") < 0.6 else 4.2
    bared = max(sketch.unit("12"), sketch.unit("10"), sketch.unit("20"), 0.7 * sketch.unit("9"))

    def inside(canvas: Canvas) -> None:
        canvas.fill(outline, (74, 22, 28))
        if opening > 9:
            tongue = pose.face((0, shape.lower[3, 1] + 2), out=4)
            canvas.glow(tongue, (20, 11), (190, 86, 88), 1.0)
        if bared > 0.2 or sketch.unit("26") > 0.3:
            reach = np.array([0.5, 0.9, 1.0, 1.0, 1.0, 0.9, 0.5])
            edge = shape.upper + np.array([0.0, teeth]) * reach[:, None]
            upper, lower = curve(pose.face(np.stack((shape.upper - (0, 3), edge)), out=4))
            canvas.fill(np.concatenate((upper, lower[::-1])), (236, 230, 220))
            ends = np.stack((upper[6:-6:4], lower[6:-6:4]), axis=1)
            canvas.hairs(ends, (206, 196, 188), 0.5)
        if sketch.unit("20") > 0.3 and opening > 5:
            canvas.fill(curve(pose.face([
                (-15, shape.lower[1, 1]), (-6, shape.lower[3, 1] - 3), (6, shape.lower[3, 1] - 3),
                (15, shape.lower[1, 1]), (0, shape.lower[3, 1] + 4),
            ], out=4), closed=True), (222, 214, 204))  # fmt: skip

    sketch.canvas.within(outline, inside)


def _draw_corners(sketch: Sketch, shape: Lips) -> None:
    for side, place in ((-1, 0), (1, -1)):
        x, y = shape.upper[place]
        dimple, smile = sketch.unit("14", side), sketch.unit("12", side)
        if (strength := max(dimple, 0.7 * smile)) > 0.1:
            bend = [(x + side * 2.6, y - 6), (x + side * 5.6, y - 0.5), (x + side * 3.0, y + 5.5)]
            sketch.crease(bend, -92 * strength, 2.2 + 0.8 * dimple)
        down = sketch.unit("15", side) + 0.4 * sketch.unit("20", side)
        corner = [(x - side * 2, y), (x + side * 1.5, y + 0.6), (x + side * 3.2, y + 1.5 + 4 * down)]
        sketch.crease(corner, -56 - 40 * max(dimple, down), 2.6, out=3, ends=(0.5, 0.2))


def _draw_chin(sketch: Sketch, shape: Lips) -> None:
    below, above = float(shape.bottom[3, 1]), float(shape.top[3, 1])
    raised, press = sketch.unit("17"), max(sketch.unit("23"), sketch.unit("24"))
    wide = float(shape.bottom[5, 0])
    sketch.crease([(-0.8 * wide, below + 1.0), (0, below + 3.4), (0.8 * wide, below + 1.0)], -34, 3.6, out=2)
    if press > 0.1:
        # Pressed lips swell above and below the line between them.
        sketch.crease([(-13, above - 3), (0, above - 2.5), (13, above - 3)], 34 * press, 4.0, out=3)
        sketch.crease([(-15, below + 5), (0, below + 7.5), (15, below + 5)], -58 * press, 2.8, out=2)
    if raised > 0.05 and sketch.identity.beard != "full":
        arch = [(-13, below + 10), (-7, below + 6.5), (0, below + 5.4), (7, below + 6.5), (13, below + 10)]
        sketch.crease(arch, -80 * raised, 2.6)
        for x, y in ((-6, 13), (0, 11.5), (6, 13), (-3, 17), (3, 17)):
            sketch.crease(
                [(x - 1.2, below + y), (x, below + y + 0.6), (x + 1.2, below + y)], -70 * raised, 2.0
            )
