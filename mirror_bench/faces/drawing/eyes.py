"""Eyes with lids and gaze, and spectacles."""

from __future__ import annotations

import numpy as np

from mirror_bench.faces.drawing.canvas import Canvas, Points, curve, stroke
from mirror_bench.faces.drawing.palette import mix
from mirror_bench.faces.drawing.sketch import Sketch

_EYE_X, _EYE_Y = 29.0, -4.0
_IRIS = 6.0


def draw_eyes(sketch: Sketch) -> None:
    """Draws both eyes: 5 opens them, 7 narrows, 6 pushes the lower lid, 43 closes; gaze moves the irises."""
    for side in (-1, 1):
        _draw_eye(sketch, side)


def _lids(sketch: Sketch, side: int) -> tuple[Points, Points]:
    """Returns the upper and lower lid in head coordinates, each from the inner to the outer corner."""
    gaze = sketch.expression.gaze[1]
    tight, cheek, press = sketch.unit("7", side), sketch.unit("6", side), sketch.unit("4", side)
    wide = 14.4 + 0.6 * sketch.youth + 0.4 * (1 - sketch.male)
    bottom = 4.3 - 2.3 * tight - 1.7 * cheek + 0.6 * sketch.unit("5", side) - 1.2 * sketch.unit("9")
    top = 5.0 + 4.6 * sketch.unit("5", side) - 1.5 * tight - 0.8 * cheek - 1.2 * sketch.unit("9")
    top += 0.5 * sketch.youth + 0.4 * (1 - sketch.male) + 0.6 * sketch.unit("2", side)
    top += 1.2 * max(0.0, gaze) - 3.4 * max(0.0, -gaze) - 1.3 * press * (1 - sketch.unit("1", side))
    bottom = max(1.4, bottom) + 0.8 * max(0.0, -gaze)
    shut = sketch.unit("43", side)
    top = max(1.2, top) * (1 - shut) - (bottom - 0.5) * shut
    # Worry lifts the lid's inner part, a scowl covers it.
    inner = 0.8 + 0.12 * sketch.unit("1", side) - 0.24 * press * (1 - sketch.unit("1", side))
    upper = [
        (-wide, 2.2),
        (-wide * 0.58, -top * inner),
        (0.0, -top),
        (wide * 0.58, -top * 0.76),
        (wide, -0.2),
    ]
    lower = [
        (-wide, 2.2),
        (-wide * 0.5, bottom * 0.8),
        (wide * 0.08, bottom),
        (wide * 0.62, bottom * 0.76),
        (wide, -0.2),
    ]
    place = np.array([_EYE_X, _EYE_Y])
    flip = np.array([side, 1.0])
    return (np.array(upper) + place) * flip, (np.array(lower) + place) * flip


def _draw_eye(sketch: Sketch, side: int) -> None:
    canvas, pose, colors = sketch.canvas, sketch.pose, sketch.colors
    upper, lower = _lids(sketch, side)
    shut = sketch.unit("43", side)
    lid, rim = curve(pose.face(np.stack((upper, lower)), out=1))
    _draw_lid(sketch, side, upper, lid)
    if shut < 0.93:
        _draw_ball(sketch, side, lid, rim)
    ink = mix(colors.ink, colors.crease, 0.25 * sketch.male)
    heavy = (2.5 - 0.7 * sketch.male) * pose.size
    canvas.fill(stroke(lid + np.array((0.0, -0.4)), heavy, (0.25, 0.75)), ink)
    canvas.fill(
        stroke(rim, (0.9 + 1.1 * shut) * pose.size, (0.3, 0.8)), mix(colors.crease, ink, 0.2 + 0.6 * shut)
    )
    if sketch.identity.sex == "female":
        tip = upper[-1]
        lash = tip + np.array([(-side * 4.0, -1.6), (side * 0.8, -0.5), (side * 2.6, -2.0 + 3.6 * shut)])
        canvas.fill(stroke(curve(pose.face(lash, out=1)), 1.8 * pose.size), ink)


def _draw_lid(sketch: Sketch, side: int, upper: Points, lid: Points) -> None:
    """Draws the skin between the fold of the lid and the lashes, and the pouch of the lower lid."""
    pose, colors = sketch.pose, sketch.colors
    open_wide, low = sketch.unit("5", side), sketch.unit("4", side)
    # The fold stays where the open eye has it, so that a lowered lid shows its skin.
    high = 10.2 + 2.6 * open_wide - 1.4 * sketch.unit("7", side) - 1.0 * sketch.unit("43", side)
    high += 1.2 * sketch.unit("1", side) - 1.2 * low * (1 - sketch.unit("1", side)) - 0.8 * sketch.male
    wide = abs(upper[-1, 0] - upper[0, 0]) / 2
    fold = np.array([
        (-wide + 1, -1.8), (-wide * 0.55, -high * 0.84), (0.0, -high),
        (wide * 0.58, -high * 0.86), (wide + 1.5, -3.6),
    ])  # fmt: skip
    crease = (fold + np.array((_EYE_X, _EYE_Y))) * (side, 1)
    cover = np.concatenate((curve(pose.face(crease)), lid[::-1]))
    sketch.canvas.fill(cover, mix(colors.skin, colors.shade, 0.55))
    sketch.crease(crease, -58, 1.9, ends=(0.2, 0.3))
    pouch = (np.array([(-9, 8.4), (1, 9.6), (10, 7.6)]) + np.array((_EYE_X, _EYE_Y))) * (side, 1)
    tight = max(sketch.unit("7", side), sketch.unit("6", side))
    sketch.crease(pouch, -12 - 26 * tight, 1.8)


def _draw_ball(sketch: Sketch, side: int, lid: Points, rim: Points) -> None:
    pose, colors = sketch.pose, sketch.colors
    outline = np.concatenate((lid, rim[::-1]))

    def ball(inner: Canvas) -> None:
        inner.fill(outline, (240, 236, 232))
        gaze = sketch.expression.gaze
        across, down = 6.4 * gaze[0], -3.0 * gaze[1] if gaze[1] > 0 else -4.2 * gaze[1]
        center = pose.face((side * _EYE_X + across, _EYE_Y - 0.5 + down))
        size = pose.size * (_IRIS + 0.3 * sketch.youth)
        inner.disc(center, size, mix(colors.eye, (20, 14, 14), 0.6))
        inner.disc(center, size * 0.84, colors.eye)
        inner.glow(
            center + np.array((0, size * 0.4)),
            (size * 0.6, size * 0.5),
            mix(colors.eye, (255, 240, 210), 0.4),
            0.7,
        )
        inner.disc(center, size * 0.44, (18, 14, 15))
        inner.line(lid + np.array((0, 1.4)), (166, 158, 160), 2.2)
        inner.disc(center + np.array((-2.2, -2.6)), size * 0.22, (255, 255, 255))
        corner = pose.face((side * (_EYE_X - 13.6), _EYE_Y + 1.6))
        inner.disc(corner, 2.0 * pose.size, mix(colors.blush, (230, 170, 165), 0.5))

    sketch.canvas.within(outline, ball)


def draw_glasses(sketch: Sketch) -> None:
    """Draws the spectacles, if any."""
    kind = sketch.identity.glasses
    if kind == "none":
        return
    canvas, pose = sketch.canvas, sketch.pose
    frame = mix(mix((58, 48, 52), (34, 26, 30), sketch.identity.skin), sketch.colors.skin, 0.42)
    if kind == "round":
        angle = np.linspace(0, 2 * np.pi, 17)[:-1]
        glass = np.stack((21 * np.cos(angle), 19 * np.sin(angle)), axis=1)
    else:
        glass = np.array([(-20, -12), (0, -13.5), (21, -12), (22, 0), (19, 15), (0, 17), (-18, 15), (-21, 0)])
    for side in (-1, 1):
        rim = curve(pose.face((glass + np.array((_EYE_X + 1, 1))) * (side, 1), out=8), closed=True)
        canvas.line(rim, frame, 1.3, closed=True)
        if side * pose.yaw < 0.25:
            temple = np.stack((pose.face((side * 51, -6), out=8), pose.skull((side * 58, -8))))
            canvas.line(temple, frame, 1.3)
    canvas.line(curve(pose.face([(-9, -3), (0, -6), (9, -3)], out=10)), frame, 1.3)
