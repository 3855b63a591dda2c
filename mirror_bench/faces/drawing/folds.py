"""The folds that age leaves and that muscles make: forehead, under the eyes, beside the mouth."""

from __future__ import annotations

from mirror_bench.faces.drawing.sketch import Sketch


def draw_folds(sketch: Sketch) -> None:
    """Draws the folds of forehead, cheeks and chin and the light on the skin that they push up."""
    _draw_forehead(sketch)
    for side in (-1, 1):
        _draw_under_eye(sketch, side)
        _draw_beside_mouth(sketch, side)


def _draw_forehead(sketch: Sketch) -> None:
    age, inner, outer = sketch.identity.lines, sketch.unit("1"), sketch.unit("2")
    across = min(inner, 0.25 + outer)
    for row, y in enumerate((-42.0, -50.0, -58.0)):
        amount = max(62 * across - 8, 40 * age) - 8 * row
        wide = 19 + 14 * min(1.0, outer + age)
        line = [(-wide, y + 1.5), (-wide / 2, y - 1.5), (0, y + 0.5), (wide / 2, y - 1.5), (wide, y + 1.5)]
        sketch.crease(line, -amount, 2.2)
        sketch.crease([(x, at + 3.2) for x, at in line], 0.4 * amount, 2.6)
    # Inner brows raised alone, or drawn together as well: short folds in the middle of the forehead.
    for row, y in enumerate((-40.0, -46.5)):
        amount = 54 * max(0.0, inner - outer) - 8 * row
        sketch.crease(
            [(-18, y + 2.5), (-9, y - 1.5), (0, y - 0.5), (9, y - 1.5), (18, y + 2.5)], -amount, 2.2
        )
        sketch.crease([(-12, y + 2), (0, y + 2.6), (12, y + 2)], 0.4 * amount, 2.6)


def _draw_under_eye(sketch: Sketch, side: int) -> None:
    age = sketch.identity.lines
    cheek, tight = sketch.unit("6", side), sketch.unit("7", side)
    bag = [(side * 15, 5 - 1.5 * cheek), (side * 25, 8.5 - 3 * cheek), (side * 40, 5 - 4 * cheek)]
    sketch.crease(bag, -max(62 * cheek, 34 * age, 30 * tight), 2.2)
    for y in (-7.0, -2.0, 3.0):
        foot = [(side * 47, -4 + y / 3), (side * 52, -4 + y), (side * 57, -5 + 1.5 * y)]
        sketch.crease(foot, -max(58 * cheek, 44 * age - 10), 1.7)


def _draw_beside_mouth(sketch: Sketch, side: int) -> None:
    age, wrinkle = sketch.identity.lines, sketch.unit("9")
    smile, raised, stretched = sketch.unit("12", side), sketch.unit("10", side), sketch.unit("20", side)
    deep = max(
        78 * smile, 74 * raised, 68 * wrinkle, 50 * age + 8, 34 * stretched, 40 * sketch.unit("15", side)
    )
    up = 5 * wrinkle + 4 * raised
    wide = 29.5 + 8 * smile + 5 * stretched + 2 * raised
    path = [
        (side * 15.5, 24 - up),
        (side * (21.5 + 3 * smile + 3 * max(raised, wrinkle)), 31 - up),
        (side * wide, 43 - 3 * smile - 0.4 * up),
        (side * (wide + 1.5 * smile), 50 - 3 * smile),
    ]
    sketch.crease(path, -deep, 2.9, ends=(0.5, 0.1))
    # The cheek that is pushed against the fold catches the light.
    swell = [(x + side * 4.5, y - 2.5) for x, y in path[:3]]
    sketch.crease(swell, 0.3 * deep, 4.0)
    droop = max(62 * sketch.unit("15", side), 40 * age - 6)
    low = 4 * sketch.unit("15", side) + 0.5 * sketch.jaw
    sketch.crease([(side * 25, 56 + low), (side * 27.5, 62 + low), (side * 27, 69 + low)], -droop, 2.4)
