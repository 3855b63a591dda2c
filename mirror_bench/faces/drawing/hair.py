"""Hair: a layer behind the head and one before it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mirror_bench.faces.drawing.canvas import Points, curve, mirrored, stroke
from mirror_bench.faces.drawing.coverings import draw_scarf_back, draw_scarf_front, draw_turban
from mirror_bench.faces.drawing.hair_shapes import comb, draw_strands, fill_cap, fill_hanging, shine
from mirror_bench.faces.drawing.palette import mix
from mirror_bench.faces.drawing.sketch import Sketch


def draw_back(sketch: Sketch) -> None:
    """Draws what lies behind the head and shoulders."""
    if (layer := _BACK.get(sketch.identity.hair)) is not None:
        layer(sketch)


def draw_front(sketch: Sketch) -> None:
    """Draws what lies over the head."""
    if (layer := _FRONT.get(sketch.identity.hair)) is not None:
        layer(sketch)


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
    fill_cap(sketch, line, colors.hair, 3)
    comb(
        sketch,
        sketch.pose.skull,
        [(-56, -26), (-46, -58), (-4, -64), (50, -50)],
        [(-58, -56), (-44, -88), (10, -102), (62, -58)],
        16,
    )
    comb(sketch, sketch.pose.skull, [(57, -14), (56, -44)], [(66, -20), (64, -56)], 5)


def _long_back(sketch: Sketch) -> None:
    half = [(0, -104), (46, -92), (74, -50), (80, 0), (82, 56), (86, 108), (70, 136), (30, 138), (0, 128)]
    fill_hanging(sketch, mirrored(half), sketch.colors.hair_shade)


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
    fill_cap(sketch, line, colors.hair, 4)
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
        _lock(sketch, pose.hair(lock * (side, 1)))
        comb(
            sketch,
            pose.hair,
            np.array([(60, -40), (63, 4), (64, 60), (70, 112)]) * (side, 1),
            np.array([(72, -38), (80, 4), (81, 60), (82, 106)]) * (side, 1),
            7,
        )
        comb(
            sketch,
            pose.skull,
            [(-6, -72), (side * 26, -60), (side * 57, -16)],
            [(-6, -106), (side * 50, -88), (side * 74, -34)],
            12,
        )


def _lock(sketch: Sketch, points: Points) -> None:
    """Draws hair that falls beside the face."""
    outline = curve(points, closed=True)
    sketch.canvas.cover(outline, sketch.colors.hair)
    shine(sketch, outline)


def _bob_back(sketch: Sketch) -> None:
    half = [(0, -104), (46, -92), (74, -52), (80, -6), (80, 34), (72, 62), (40, 66), (0, 62)]
    fill_hanging(sketch, mirrored(half), sketch.colors.hair_shade)


def _bob_front(sketch: Sketch) -> None:
    colors, pose = sketch.colors, sketch.pose
    line = [
        (66, 8),
        (57, -14),
        (54, -44),
        (40, -49),
        (14, -47),
        (-14, -47),
        (-40, -49),
        (-54, -44),
        (-57, -14),
        (-66, 8),
    ]
    fill_cap(sketch, line, colors.hair, 5)
    for side in (-1, 1):
        lock = np.array(
            [(58, -46), (72, -44), (80, -6), (80, 34), (72, 62), (62, 58), (60, 30), (58, 0), (55, -24)]
        )
        _lock(sketch, pose.hair(lock * (side, 1)))
        comb(
            sketch,
            pose.hair,
            np.array([(59, -40), (60, -6), (62, 28), (64, 58)]) * (side, 1),
            np.array([(72, -40), (79, -6), (79, 28), (72, 58)]) * (side, 1),
            7,
        )
    comb(sketch, pose.skull, [(-30, -96), (-46, -72), (-50, -50)], [(30, -96), (46, -72), (50, -50)], 20)


def _curly_back(sketch: Sketch) -> None:
    for angle in np.linspace(-0.32 * np.pi, 1.32 * np.pi, 17):
        at = (74 * np.cos(angle), -30 - 68 * np.sin(angle))
        sketch.canvas.disc(sketch.pose.skull(at), 19 * sketch.pose.size, sketch.colors.hair_shade)


def _curly_front(sketch: Sketch) -> None:
    colors, pose = sketch.colors, sketch.pose
    line = [(64, 2), (57, -18), (50, -42), (26, -60), (0, -64), (-26, -60), (-50, -42), (-57, -18), (-64, 2)]
    fill_cap(sketch, line, colors.hair, 5)
    for place, (x, y) in enumerate(
        [(-64, -18), (-60, -42), (-46, -59), (-24, -68), (0, -70), (24, -68), (46, -59), (60, -42), (64, -18)]
    ):
        at = pose.skull((x, y))
        sketch.canvas.disc(at, (12 + 2 * (place % 2)) * pose.size, colors.hair)
    for x, y in [(-48, -72), (-22, -86), (8, -90), (38, -80), (-66, -44), (66, -44), (56, -64)]:
        arc = [(x - 6, y + 3), (x - 3, y - 5), (x + 5, y - 4), (x + 6, y + 3)]
        sketch.canvas.relief.fold(stroke(curve(pose.skull(arc)), 2.6 * pose.size), 34)


def _bun_back(sketch: Sketch) -> None:
    at = sketch.pose.skull((0, -99))
    sketch.canvas.disc(at, 18 * sketch.pose.size, sketch.colors.hair)
    arc = [(-12, -103), (-2, -112), (12, -105), (7, -96)]
    draw_strands(sketch, [arc], -44)


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
    fill_cap(sketch, line, sketch.colors.hair, 0)
    for side in (-1, 1):
        comb(
            sketch,
            sketch.pose.skull,
            [(side * 58, -26), (side * 52, -68), (side * 10, -100)],
            [(0, -68), (0, -86), (0, -104)],
            9,
        )


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
    fill_cap(sketch, line, mix(sketch.colors.skin, sketch.colors.hair, 0.68), -3)


def _bald(sketch: Sketch) -> None:
    sketch.canvas.glow(sketch.pose.face((14, -66)), (20, 10), (255, 250, 240), 0.4)
    if sketch.identity.age >= 45:
        for side in (-1, 1):
            fringe = np.array([(58, -34), (66, -30), (69, -10), (66, 4), (60, -4), (57, -18)])
            fill_hanging(sketch, fringe * (side, 1), mix(sketch.colors.skin, sketch.colors.hair, 0.8))


_Layer = Callable[[Sketch], None]
_BACK: dict[str, _Layer] = {
    "long": _long_back,
    "bob": _bob_back, "curly": _curly_back, "bun": _bun_back, "headscarf": draw_scarf_back,
}  # fmt: skip
_FRONT: dict[str, _Layer] = {
    "short": _short, "long": _long_front, "bob": _bob_front, "curly": _curly_front, "bun": _bun_front,
    "buzz": _buzz, "bald": _bald, "headscarf": draw_scarf_front, "turban": draw_turban,
}  # fmt: skip
