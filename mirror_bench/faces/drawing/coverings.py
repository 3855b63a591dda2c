"""Headscarf and turban."""

from __future__ import annotations

import numpy as np

from mirror_bench.faces.drawing.canvas import Points, curve, mirrored, stroke
from mirror_bench.faces.drawing.hair_shapes import draw_strands, fill_hanging, shine
from mirror_bench.faces.drawing.sketch import Sketch


def draw_drape(sketch: Sketch) -> None:
    """Draws the part of a headscarf that lies over neck and shoulders, below the head."""
    if sketch.identity.hair == "headscarf":
        half = [(0, 20), (58, 30), (74, 74), (70, 110), (46, 134), (0, 146)]
        fill_hanging(sketch, mirrored(half), sketch.colors.cover_shade)
        folds = [[(-60, 62), (-20, 104), (34, 120)], [(-66, 90), (-30, 122), (8, 134)]]
        for fold in folds:
            draw_strands(sketch, [fold], -40, 3.0)


def draw_scarf_back(sketch: Sketch) -> None:
    """Draws the headscarf behind the head."""
    half = [(0, -108), (50, -94), (78, -50), (82, 6), (80, 60), (92, 110), (70, 140), (0, 140)]
    fill_hanging(sketch, mirrored(half), sketch.colors.cover_shade)


def draw_scarf_front(sketch: Sketch) -> None:
    """Draws the headscarf around the face."""
    colors, pose = sketch.colors, sketch.pose
    jaw = sketch.jaw
    outer = mirrored([(0, -106), (48, -93), (75, -52), (78, 4), (70, 54), (44, 98 + jaw), (0, 114 + jaw)])
    opening = mirrored(
        [(0, -62), (34, -56), (53, -34), (57, 4), (53, 38), (36, 72 + 0.8 * jaw), (0, 85 + jaw)]
    )
    rim, edge = curve(_framed(sketch, opening), closed=True), curve(pose.skull(outer), closed=True)
    sketch.canvas.relief.fold(stroke(rim, 6.0 * pose.size, (1.0, 1.0)), -30)
    sketch.canvas.ring(edge, rim, colors.cover)
    sketch.canvas.line(rim, colors.cover_shade, 2.2, closed=True)
    shine(sketch, edge)
    for path in (
        [(-64, -40), (-34, -78), (14, -90)],
        [(-70, 0), (-66, 44), (-40, 86)],
        [(68, -30), (68, 30), (50, 78)],
    ):
        draw_strands(sketch, [path], -44, 2.8)


def draw_turban(sketch: Sketch) -> None:
    """Draws the turban."""
    colors, pose = sketch.colors, sketch.pose
    outer = [
        (-67, -14),
        (-76, -44),
        (-71, -78),
        (-44, -106),
        (0, -114),
        (44, -106),
        (71, -78),
        (76, -44),
        (67, -14),
    ]
    line = [(63, -12), (58, -30), (40, -48), (0, -58), (-40, -48), (-58, -30), (-63, -12)]
    arc, edge = curve(pose.skull(outer)), curve(pose.hair(line))
    sketch.canvas.relief.fold(stroke(edge, 6.0 * pose.size, (0.5, 0.5)), -34)
    outline = np.concatenate((arc, edge))
    sketch.canvas.cover(outline, colors.cover)
    shine(sketch, outline)
    folds = [
        [(-70, -36), (-36, -72), (2, -84)],
        [(-75, -52), (-40, -86), (6, -96)],
        [(-64, -84), (-36, -101), (8, -109)],
        [(70, -36), (38, -66), (0, -74)],
        [(76, -52), (42, -80), (2, -90)],
        [(66, -80), (40, -98), (4, -104)],
    ]
    draw_strands(sketch, folds, -52, 3.0)


def _framed(sketch: Sketch, opening: Points) -> Points:
    """Places a face opening: it lies between the skull's outline and the face's surface."""
    on_face: Points = sketch.pose.face(opening)
    on_skull: Points = sketch.pose.skull(opening)
    return 0.4 * on_face + 0.6 * on_skull
