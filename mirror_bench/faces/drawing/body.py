"""Neck, shoulders, clothes, and what arms and hands do."""

from __future__ import annotations

import numpy as np

from mirror_bench.faces.drawing.canvas import Canvas, Color, Points, curve, stroke
from mirror_bench.faces.drawing.palette import mix
from mirror_bench.faces.drawing.sketch import Sketch

_FOLDS = [
    (-34.0, 26.0, 50.0, 16.0, 14.0), (66.0, 60.0, 60.0, 60.0, -34.0), (-112.0, 70.0, 26.0, 60.0, -20.0),
    (0.0, 30.0, 34.0, 26.0, -14.0),
]  # fmt: skip


def draw_body(sketch: Sketch) -> None:
    """Draws neck, shoulders and clothes."""
    canvas, pose, colors = sketch.canvas, sketch.pose, sketch.colors
    broad = {"male": 1.06, "female": 0.92}.get(sketch.identity.sex, 0.98) * (1 - 0.08 * sketch.youth)
    up = 26 * pose.shrug - 15 * pose.slump
    neck = 25.0 if sketch.identity.sex == "male" else 21.0
    half = np.array([
        (neck + 1, -13 - 0.1 * up), (neck + 14, -1 - 0.5 * up), (66 * broad, 9 - 0.9 * up),
        (98 * broad, 20 - up),
        (116 * broad - 4 * pose.slump, 44 - 0.85 * up), (124 * broad, 90 - 0.3 * up), (128 * broad, 190),
    ])  # fmt: skip
    outline = np.concatenate((curve(pose.body(half[::-1] * (-1, 1))), curve(pose.body(half))))
    canvas.cover(outline, colors.cloth)
    blobs = np.array(_FOLDS)
    blobs[:, :2] = pose.body(blobs[:, :2])
    canvas.relief.forms(outline, blobs)
    for side in (-1, 1):
        seam = [
            (side * 84 * broad, 120),
            (side * 86 * broad, 78 - 0.4 * up),
            (side * 90 * broad, 52 - 0.7 * up),
        ]
        canvas.relief.fold(stroke(curve(pose.body(seam)), 4.0, (0.6, 0.1)), -46)
    _draw_neck(sketch, neck)


def _draw_neck(sketch: Sketch, neck: float) -> None:
    canvas, pose, colors = sketch.canvas, sketch.pose, sketch.colors
    top = pose.skull([(-neck, 40), (neck, 40)])
    collar = pose.body([(neck + 4, -9), (22, 8), (0, 16), (-22, 8), (-neck - 4, -9)])
    rim = curve(collar)
    area = np.concatenate((top, rim))
    canvas.cover(area, mix(colors.skin, colors.shade, 0.25))
    dark = mix(colors.shade, colors.crease, 0.45)

    def shadow(layer: Canvas) -> None:
        layer.glow(pose.skull((2, 92 + sketch.jaw)), (66, 44), dark, 0.9)
        layer.glow(pose.skull((30, 96 + sketch.jaw)), (24, 64), dark, 0.5)

    canvas.within(area, shadow)
    canvas.line(rim, colors.cloth_shade, 4.5)


def draw_arms(sketch: Sketch) -> None:
    """Draws crossed arms, the hands of a shrug, or hands over the face, higher with strength."""
    posture = sketch.expression.posture
    crossed, hidden = posture.get("arms_crossed", 0.0), posture.get("hands_over_face", 0.0)
    if crossed > 0.1:
        _draw_crossed(sketch, crossed)
    if hidden > 0.1:
        _draw_hiding(sketch, hidden)
    if posture.get("shrug", 0.0) > 0.4 and max(crossed, hidden) < 0.3:
        _draw_upturned(sketch, posture["shrug"])


def _limb(sketch: Sketch, path: Points, width: float, color: Color, edge: Color) -> None:
    scaled = width * sketch.pose.scale
    line = curve(path)
    sketch.canvas.relief.level(stroke(line, scaled + 3.2, (1.0, 1.0)))
    sketch.canvas.line(line, edge, scaled + 3.2)
    sketch.canvas.line(line, color, scaled)


def _draw_crossed(sketch: Sketch, strength: float) -> None:
    pose, colors = sketch.pose, sketch.colors
    low = 62 * (1 - strength) - 24
    sleeve, edge = mix(colors.cloth, (255, 250, 240), 0.08), colors.cloth_shade
    skin_edge = mix(colors.skin, colors.crease, 0.7)
    _limb(
        sketch,
        pose.body([(98, 86 + low), (60, 82 + low), (-20, 62 + low), (-46, 55 + low)]),
        25,
        sleeve,
        edge,
    )
    _limb(sketch, pose.body([(-52, 54 + low), (-66, 50 + low)]), 17, colors.skin, skin_edge)
    for finger in range(3):
        start = np.array([-64, 47 + 6 * finger + low])
        _limb(sketch, pose.body([start, start + np.array((-15, -3))]), 5.5, colors.skin, skin_edge)
    _limb(
        sketch,
        pose.body([(-99, 84 + low), (-62, 84 + low), (14, 70 + low), (62, 58 + low)]),
        26,
        sleeve,
        edge,
    )
    _limb(sketch, pose.body([(66, 57 + low), (76, 54 + low)]), 16, colors.skin, skin_edge)


def _draw_hiding(sketch: Sketch, strength: float) -> None:
    pose, colors = sketch.pose, sketch.colors
    low = 88 * (1 - strength)
    edge = mix(colors.skin, colors.crease, 0.75)
    for side in (-1, 1):
        wrist = pose.face((side * 38, 66 + low))
        elbow = pose.body((side * 88, 118))
        _limb(
            sketch,
            np.stack((elbow, (elbow + wrist) / 2 + (side * 8, 0), wrist)),
            27,
            colors.cloth,
            colors.cloth_shade,
        )
        palm = pose.face([(side * 37, 62 + low), (side * 30, 30 + low)])
        _limb(sketch, palm, 32, colors.skin, edge)
        for finger, (reach, lean) in enumerate(((-24, -3), (-33, -2), (-35, 0), (-27, 3))):
            base = np.array([16.5 + 8.6 * finger, 26.0 + low])
            tip = base + np.array((lean - 3, reach - 8))
            joints = np.stack((base, (base + tip) / 2 + (1, 0), tip)) * (side, 1)
            _limb(sketch, pose.face(joints), 9.8, colors.skin, edge)
        hand = np.array([(14, 26), (46, 26), (49, 60), (22, 60)]) * (side, 1) + (0, low)
        sketch.canvas.cover(curve(pose.face(hand), closed=True), colors.skin)


def _draw_upturned(sketch: Sketch, strength: float) -> None:
    pose, colors = sketch.pose, sketch.colors
    low = 95 * (1 - strength) - 16
    edge = mix(colors.skin, colors.crease, 0.75)
    for side in (-1, 1):
        flip = np.array([side, 1.0])
        wrist = np.array([112.0, 62.0 + low])
        _limb(
            sketch,
            pose.body(np.stack(((76.0, 130.0 + low), (96.0, 92.0 + low), wrist)) * flip),
            25,
            colors.cloth,
            colors.cloth_shade,
        )
        for dx, dy in ((24, -15), (29, -7), (30, 1), (10, -22)):
            base = wrist + np.array((5, -10))
            _limb(
                sketch,
                pose.body(
                    np.stack((base, base + np.array((dx * 0.6, dy * 0.75)), base + np.array((dx, dy)))) * flip
                ),
                6.5,
                colors.skin,
                edge,
            )
        sketch.canvas.disc(pose.body((wrist + np.array((4, -8))) * flip), 11.5 * pose.scale, colors.skin)
