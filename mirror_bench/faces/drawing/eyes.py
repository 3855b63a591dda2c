"""Eyes with lids and gaze, brows, and spectacles."""

from __future__ import annotations

import numpy as np

from mirror_bench.faces.drawing.canvas import Canvas, Points, curve
from mirror_bench.faces.drawing.palette import mix
from mirror_bench.faces.drawing.sketch import Sketch

_EYE_X, _EYE_Y = 29.0, -5.0


def draw_eyes(sketch: Sketch) -> None:
    """Draws both eyes: 5 opens them, 7 narrows, 6 pushes the lower lid, 43 closes; gaze moves the irises."""
    for side in (-1, 1):
        _draw_eye(sketch, side)


def _lids(sketch: Sketch, side: int) -> tuple[Points, Points]:
    """Returns the upper and lower lid in head coordinates, each from the inner to the outer corner."""
    gaze = sketch.expression.gaze[1]
    tight, cheek = sketch.unit("7", side), sketch.unit("6", side)
    wide = 14.6 + 0.8 * sketch.youth + (0.6 if sketch.identity.sex == "female" else 0.0)
    bottom = 6.8 - 3.0 * tight - 2.2 * cheek + 0.8 * sketch.unit("5", side)
    top = 9.6 + 4.2 * sketch.unit("5", side) - 2.4 * tight - 0.8 * cheek + 0.8 * sketch.youth
    top += 1.2 * max(0.0, gaze) - 5.2 * max(0.0, -gaze)
    bottom = max(1.6, bottom) + 1.2 * max(0.0, -gaze)
    shut = sketch.unit("43", side)
    top = max(1.5, top) * (1 - shut) - (bottom - 0.6) * shut
    upper = [(-wide, 2.0), (-wide * 0.55, -top * 0.78), (0.0, -top), (wide * 0.58, -top * 0.8), (wide, -0.6)]
    lower = [
        (-wide, 2.0),
        (-wide * 0.5, bottom * 0.82),
        (wide * 0.1, bottom),
        (wide * 0.65, bottom * 0.7),
        (wide, -0.6),
    ]
    place = np.array([_EYE_X, _EYE_Y])
    flip = np.array([side, 1.0])
    return (np.array(upper) + place) * flip, (np.array(lower) + place) * flip


def _draw_eye(sketch: Sketch, side: int) -> None:
    canvas, pose, colors = sketch.canvas, sketch.pose, sketch.colors
    upper, lower = _lids(sketch, side)
    shut = sketch.unit("43", side)
    lid, rim = curve(pose.face(upper)), curve(pose.face(lower))
    outline = np.concatenate((lid, rim[::-1]))
    # The fold of the lid stays where the open eye has it, so that a lowered lid shows its skin.
    high = 12.6 + 3.4 * sketch.unit("5", side) - 2.5 * sketch.unit("7", side) - 2.0 * shut
    wide = abs(upper[-1, 0] - upper[0, 0]) / 2
    fold = [
        (-wide, -4.0),
        (-wide * 0.55, -high * 0.86),
        (0.0, -high),
        (wide * 0.58, -high * 0.88),
        (wide, -5.0),
    ]
    crease = (np.array(fold) + np.array((_EYE_X, _EYE_Y))) * (side, 1)
    # The closed or lowered lid is a patch of skin between crease and lashes.
    cover = np.concatenate((curve(pose.face(crease)), lid[::-1]))
    canvas.fill(cover, mix(colors.skin, colors.shade, 0.9))
    canvas.line(curve(pose.face(crease)), mix(colors.shade, colors.crease, 0.75), 1.5)
    if shut < 0.93:

        def ball(inner: Canvas) -> None:
            inner.fill(outline, (250, 248, 245))
            gaze = sketch.expression.gaze
            across, down = 6.2 * gaze[0], -4.2 * gaze[1] if gaze[1] > 0 else -5.6 * gaze[1]
            center = pose.face((side * _EYE_X + across, _EYE_Y - 0.8 + down))
            size = sketch.pose.scale * (8.3 + 0.5 * sketch.youth)
            inner.disc(center, size, mix(colors.eye, (20, 14, 14), 0.55))
            inner.disc(center, size * 0.8, colors.eye)
            inner.disc(center, size * 0.47, (22, 17, 18))
            inner.line(lid + np.array((0, 1.2)), (172, 168, 172), 2.6)
            inner.disc(center + np.array((2.6, -2.8)), size * 0.24, (255, 255, 255))

        canvas.within(outline, ball)
    canvas.line(rim, mix(colors.crease, colors.ink, 0.25 + 0.4 * shut), 1.3)
    heavy = 3.0 if sketch.identity.sex == "female" else 2.5
    canvas.line(lid, colors.ink, heavy)
    if sketch.identity.sex == "female":
        tip = upper[-1]
        lash = tip + np.array([(-side * 4.2, -5.0), (side * 1.5, -0.5), (side * 3.6, -2.4 + 4.5 * shut)])
        lash[0] = upper[-2] + np.array((side * 2, 0))
        canvas.line(curve(pose.face(lash)), colors.ink, 1.8)


def draw_brows(sketch: Sketch) -> None:
    """Draws both brows: 1 raises the inner end, 2 the outer, 4 lowers and draws them together."""
    canvas, pose, colors = sketch.canvas, sketch.pose, sketch.colors
    thick = {"male": 1.3, "female": 0.85}.get(sketch.identity.sex, 1.05)
    color = mix(
        colors.brow, (190, 190, 190), 0.55 if sketch.identity.hair_color in {"gray", "white"} else 0.0
    )
    for side in (-1, 1):
        inner, outer, low = sketch.unit("1", side), sketch.unit("2", side), sketch.unit("4", side)
        # With 1 the corrugator draws the inner ends together without lowering them: the oblique brow.
        press = low * (1 - 0.85 * inner) + 0.35 * sketch.unit("9")
        rise = -10 * inner * np.array([1.0, 0.72, 0.3, 0.0, -0.1])
        rise += -9.5 * outer * np.array([0.0, 0.3, 0.8, 1.0, 0.85])
        rise += 9.0 * press * np.array([1.0, 0.9, 0.55, 0.15, 0.0])
        rise += 2.5 * low * inner * np.array([0.0, 0.0, 0.6, 1.0, 1.0])
        along = np.array([11.0, 19.0, 29.0, 39.0, 47.0]) - 4.5 * low * np.array([1.0, 0.8, 0.4, 0.1, 0.0])
        height = np.array([-25.5, -29.0, -31.5, -30.0, -25.0]) + rise
        width = thick * np.array([2.9, 3.2, 2.8, 2.1, 0.7])
        top = np.stack((along, height - width), axis=1) * (side, 1)
        base = np.stack((along, height + width), axis=1) * (side, 1)
        outline = np.concatenate((curve(pose.face(top, out=2)), curve(pose.face(base, out=2))[::-1]))
        canvas.fill(outline, color)
        if low > 0.15:
            slant = 3.0 if inner > 0.3 else -1.0
            start, length = -29 - 5 * inner + 6 * press, 9 + 4 * low
            fold = [
                (side * (4.5 + slant * 0.4), start - length),
                (side * 4.5, start - length / 2),
                (side * 5.0, start),
            ]
            canvas.line(curve(pose.face(fold, out=3)), mix(colors.skin, colors.crease, 0.3 + 0.7 * low), 1.9)


def draw_glasses(sketch: Sketch) -> None:
    """Draws the spectacles, if any."""
    kind = sketch.identity.glasses
    if kind == "none":
        return
    canvas, pose = sketch.canvas, sketch.pose
    frame = mix((58, 48, 52), (34, 26, 30), sketch.identity.skin)
    if kind == "round":
        angle = np.linspace(0, 2 * np.pi, 17)[:-1]
        glass = np.stack((21 * np.cos(angle), 20 * np.sin(angle)), axis=1)
    else:
        glass = np.array([(-20, -14), (0, -15.5), (21, -14), (22, 0), (19, 15), (0, 17), (-18, 15), (-21, 0)])
    for side in (-1, 1):
        rim = curve(pose.face((glass + np.array((_EYE_X + 1, -2))) * (side, 1), out=8), closed=True)
        canvas.line(rim, frame, 2.2, closed=True)
        if side * pose.yaw < 0.25:
            temple = np.stack((pose.face((side * 51, -7), out=8), pose.skull((side * 58, -9))))
            canvas.line(temple, frame, 2.2)
    canvas.line(curve(pose.face([(-9, -5), (0, -8), (9, -5)], out=10)), frame, 2.2)
