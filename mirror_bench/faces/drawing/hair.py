"""Hair, head coverings and beards, each in a layer behind the head and one before it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from mirror_bench.faces.drawing.canvas import Color, Points, curve, mirrored
from mirror_bench.faces.drawing.head import head_outline
from mirror_bench.faces.drawing.mouth import lips
from mirror_bench.faces.drawing.palette import mix
from mirror_bench.faces.drawing.sketch import Sketch

# Outer line of hair lying on the skull, right half from above the ear to the crown.
_CAP = [(65, -6), (69, -34), (62, -66), (38, -92), (0, -101)]


def draw_back(sketch: Sketch) -> None:
    """Draws what lies behind the head and shoulders."""
    if (layer := _BACK.get(sketch.identity.hair)) is not None:
        layer(sketch)


def draw_front(sketch: Sketch) -> None:
    """Draws what lies over the head."""
    if (layer := _FRONT.get(sketch.identity.hair)) is not None:
        layer(sketch)


def draw_drape(sketch: Sketch) -> None:
    """Draws the part of a head covering that lies over neck and shoulders, below the head."""
    if sketch.identity.hair == "headscarf":
        half = [(0, 20), (58, 30), (74, 74), (70, 110), (46, 134), (0, 146)]
        _fill_skull(sketch, mirrored(half), sketch.colors.cover_shade)
        folds = [[(-60, 62), (-20, 104), (34, 120)], [(-66, 90), (-30, 122), (8, 134)]]
        for fold in folds:
            sketch.canvas.line(
                curve(sketch.pose.skull(fold)), mix(sketch.colors.cover_shade, (20, 20, 30), 0.3), 2.0
            )


def _fill_skull(sketch: Sketch, points: ArrayLike, color: Color) -> None:
    sketch.canvas.fill(curve(sketch.pose.skull(points), closed=True), color)


def _cap(sketch: Sketch, hairline: list[tuple[float, float]], color: Color, grow: float = 0.0) -> None:
    """Fills the hair between a hairline, from the image's right temple to its left, and the skull's outer line."""
    half = np.array(_CAP, dtype=float) * (1 + grow / 68, 1 + grow / 100)
    if sketch.identity.shape == "long":
        half *= (0.94, 1.02)
    outer = np.concatenate((half[::-1][1:] * (1, 1), np.zeros((0, 2))))
    left = half * (-1, 1)
    arc = curve(sketch.pose.skull(np.concatenate((left, outer))))
    line = curve(sketch.pose.face(hairline))
    sketch.canvas.fill(np.concatenate((arc, line)), color)


def _strands(
    sketch: Sketch, paths: list[list[tuple[float, float]]], color: Color, width: float = 1.8
) -> None:
    for path in paths:
        sketch.canvas.line(curve(sketch.pose.skull(path)), color, width)


def _short(sketch: Sketch) -> None:
    colors = sketch.colors
    if sketch.identity.sex == "female":
        line = [
            (64, 4),
            (57, -10),
            (54, -34),
            (30, -46),
            (-6, -44),
            (-34, -34),
            (-54, -22),
            (-58, -8),
            (-64, 4),
        ]
    else:
        line = [
            (64, -2),
            (58, -12),
            (55, -36),
            (44, -52),
            (14, -56),
            (-22, -60),
            (-46, -50),
            (-56, -34),
            (-58, -12),
            (-64, -2),
        ]
    _cap(sketch, line, colors.hair, 3)
    _strands(
        sketch, [[(-30, -64), (2, -84), (40, -76)], [(-40, -58), (-10, -76), (24, -76)]], colors.hair_light
    )
    _strands(
        sketch, [[(-56, -44), (-48, -66), (-26, -82)], [(56, -40), (58, -56), (46, -76)]], colors.hair_shade
    )


def _long_back(sketch: Sketch) -> None:
    half = [(0, -104), (46, -92), (74, -50), (80, 0), (82, 56), (86, 108), (70, 136), (30, 138), (0, 128)]
    _fill_skull(sketch, mirrored(half), sketch.colors.hair_shade)


def _long_front(sketch: Sketch) -> None:
    colors, pose = sketch.colors, sketch.pose
    line = [
        (66, 10),
        (57, -16),
        (48, -42),
        (22, -62),
        (-6, -70),
        (-26, -60),
        (-50, -40),
        (-58, -16),
        (-66, 10),
    ]
    _cap(sketch, line, colors.hair, 4)
    for side in (-1, 1):
        lock = np.array(
            [
                (60, -46),
                (72, -40),
                (79, 4),
                (81, 56),
                (84, 106),
                (72, 120),
                (62, 84),
                (62, 46),
                (60, 10),
                (56, -20),
            ]
        )
        sketch.canvas.fill(curve(pose.skull(lock * (side, 1)), closed=True), colors.hair)
        strand = np.array([(68, -30), (70, 20), (73, 62), (75, 100)])
        sketch.canvas.line(curve(pose.skull(strand * (side, 1))), colors.hair_light, 1.8)
    _strands(
        sketch, [[(-8, -94), (26, -80), (54, -48)], [(-10, -94), (-38, -78), (-58, -46)]], colors.hair_shade
    )


def _bob_back(sketch: Sketch) -> None:
    half = [(0, -104), (46, -92), (74, -52), (80, -6), (80, 34), (72, 62), (40, 66), (0, 62)]
    _fill_skull(sketch, mirrored(half), sketch.colors.hair_shade)


def _bob_front(sketch: Sketch) -> None:
    colors, pose = sketch.colors, sketch.pose
    line = [
        (66, 8),
        (57, -14),
        (54, -40),
        (40, -43),
        (14, -41),
        (-14, -41),
        (-40, -43),
        (-54, -40),
        (-57, -14),
        (-66, 8),
    ]
    _cap(sketch, line, colors.hair, 5)
    for side in (-1, 1):
        lock = np.array(
            [(58, -46), (72, -44), (80, -6), (80, 34), (72, 62), (62, 58), (60, 30), (58, 0), (55, -24)]
        )
        sketch.canvas.fill(curve(pose.skull(lock * (side, 1)), closed=True), colors.hair)
    paths = [[(x * 0.75, -84), (x, -62), (x * 1.05, -48)] for x in (-42, -24, -6, 14, 34)]
    _strands(sketch, paths, colors.hair_shade, 1.5)


def _curly_back(sketch: Sketch) -> None:
    for angle in np.linspace(-0.32 * np.pi, 1.32 * np.pi, 17):
        at = (74 * np.cos(angle), -30 - 68 * np.sin(angle))
        sketch.canvas.disc(sketch.pose.skull(at), 20 * sketch.pose.scale, sketch.colors.hair_shade)


def _curly_front(sketch: Sketch) -> None:
    colors, pose = sketch.colors, sketch.pose
    line = [(64, 2), (57, -18), (50, -42), (26, -56), (0, -58), (-26, -56), (-50, -42), (-57, -18), (-64, 2)]
    _cap(sketch, line, colors.hair, 5)
    for place, (x, y) in enumerate(
        [(-62, -18), (-58, -40), (-44, -56), (-24, -63), (0, -64), (24, -63), (44, -56), (58, -40), (62, -18)]
    ):
        at = pose.skull((x, y))
        sketch.canvas.disc(at, (12 + 2 * (place % 2)) * pose.scale, colors.hair)
    for x, y in [(-48, -72), (-22, -86), (8, -90), (38, -80), (-66, -44), (66, -44), (56, -64)]:
        arc = [(x - 6, y + 3), (x - 3, y - 5), (x + 5, y - 4), (x + 6, y + 3)]
        sketch.canvas.line(curve(pose.skull(arc)), colors.hair_light, 1.8)


def _bun_back(sketch: Sketch) -> None:
    at = sketch.pose.skull((0, -110))
    sketch.canvas.disc(at, 25 * sketch.pose.scale, sketch.colors.hair)
    arc = [(-14, -112), (-2, -126), (14, -116), (8, -104)]
    sketch.canvas.line(curve(sketch.pose.skull(arc)), sketch.colors.hair_shade, 2.2)


def _bun_front(sketch: Sketch) -> None:
    line = [
        (63, -6),
        (57, -20),
        (51, -44),
        (28, -60),
        (0, -64),
        (-28, -60),
        (-51, -44),
        (-57, -20),
        (-63, -6),
    ]
    _cap(sketch, line, sketch.colors.hair, 0)
    paths = [[(x, -64 + abs(x) * 0.2), (x * 0.75, -80), (x * 0.3, -96)] for x in (-44, -24, 0, 24, 44)]
    _strands(sketch, paths, sketch.colors.hair_shade, 1.6)


def _buzz(sketch: Sketch) -> None:
    line = [
        (63, -8),
        (57, -18),
        (53, -44),
        (36, -58),
        (0, -60),
        (-36, -58),
        (-53, -44),
        (-57, -18),
        (-63, -8),
    ]
    _cap(sketch, line, mix(sketch.colors.skin, sketch.colors.hair, 0.68), -6)


def _bald(sketch: Sketch) -> None:
    sketch.canvas.glow(sketch.pose.face((14, -66)), (20, 10), (255, 250, 240), 0.4)
    if sketch.identity.age >= 45:
        for side in (-1, 1):
            fringe = np.array([(58, -34), (66, -30), (69, -10), (66, 4), (60, -4), (57, -18)])
            _fill_skull(sketch, fringe * (side, 1), mix(sketch.colors.skin, sketch.colors.hair, 0.8))


def _scarf_back(sketch: Sketch) -> None:
    half = [(0, -108), (50, -94), (78, -50), (82, 6), (80, 60), (92, 110), (70, 140), (0, 140)]
    _fill_skull(sketch, mirrored(half), sketch.colors.cover_shade)


def _scarf_front(sketch: Sketch) -> None:
    colors, pose = sketch.colors, sketch.pose
    jaw = sketch.jaw
    outer = mirrored([(0, -106), (48, -93), (75, -52), (78, 4), (70, 54), (44, 98 + jaw), (0, 114 + jaw)])
    opening = mirrored(
        [(0, -62), (34, -56), (53, -34), (57, 4), (53, 38), (36, 72 + 0.8 * jaw), (0, 85 + jaw)]
    )
    sketch.canvas.ring(
        curve(pose.skull(outer), closed=True), curve(_framed(sketch, opening), closed=True), colors.cover
    )
    sketch.canvas.line(curve(_framed(sketch, opening), closed=True), colors.cover_shade, 2.2, closed=True)
    for path in (
        [(-64, -40), (-34, -78), (14, -90)],
        [(-70, 0), (-66, 44), (-40, 86)],
        [(68, -30), (68, 30), (50, 78)],
    ):
        sketch.canvas.line(curve(pose.skull(path)), colors.cover_shade, 2.0)


def _framed(sketch: Sketch, opening: Points) -> Points:
    """Places a face opening: it lies between the skull's outline and the face's surface."""
    on_face: Points = sketch.pose.face(opening)
    on_skull: Points = sketch.pose.skull(opening)
    return 0.4 * on_face + 0.6 * on_skull


def _turban(sketch: Sketch) -> None:
    colors, pose = sketch.colors, sketch.pose
    outer = [
        (-66, -20),
        (-77, -46),
        (-72, -84),
        (-42, -114),
        (0, -122),
        (42, -114),
        (72, -84),
        (77, -46),
        (66, -20),
    ]
    line = [(60, -30), (40, -50), (0, -60), (-40, -50), (-60, -30)]
    arc, edge = curve(pose.skull(outer)), curve(pose.face(line))
    sketch.canvas.fill(np.concatenate((arc, edge)), colors.cover)
    folds: list[list[tuple[float, float]]] = [
        [(-70, -36), (-36, -72), (2, -84)], [(-75, -54), (-40, -92), (6, -102)], [(-64, -90), (-36, -108), (8, -116)],
        [(70, -36), (38, -66), (0, -74)], [(76, -54), (42, -84), (2, -94)], [(66, -86), (40, -104), (4, -110)],
    ]  # fmt: skip
    _strands(sketch, folds, colors.cover_shade, 2.2)


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
    area = np.concatenate((curve(pose.face(cheek)), pose.skull(np.array(low) + (0, sketch.jaw))))
    outline = head_outline(sketch, grow)
    sketch.canvas.within(area, lambda layer: layer.fill(outline, color))


_Layer = Callable[[Sketch], None]
_BACK: dict[str, _Layer] = {
    "long": _long_back, "bob": _bob_back, "curly": _curly_back, "bun": _bun_back, "headscarf": _scarf_back,
}  # fmt: skip
_FRONT: dict[str, _Layer] = {
    "short": _short, "long": _long_front, "bob": _bob_front, "curly": _curly_front, "bun": _bun_front,
    "buzz": _buzz, "bald": _bald, "headscarf": _scarf_front, "turban": _turban,
}  # fmt: skip
