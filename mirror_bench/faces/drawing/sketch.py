"""What every part of the drawing needs to know: the canvas, the person, the muscles and the pose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mirror_bench.faces.action_units import both_sides
from mirror_bench.faces.drawing.canvas import Canvas
from mirror_bench.faces.drawing.palette import Palette, palette_of
from mirror_bench.faces.drawing.pose import Pose
from mirror_bench.schema import Expression, FaceIdentity


@dataclass(frozen=True)
class Sketch:
    """One face being drawn.

    Attributes:
        youth: 1 at twelve years, 0 from twenty on.
        jaw: How far the jaw has dropped, in head coordinates.
    """

    canvas: Canvas
    identity: FaceIdentity
    colors: Palette
    expression: Expression
    pose: Pose
    youth: float
    jaw: float
    _units: Mapping[str, tuple[float, float]]

    def unit(self, number: str, side: int = 0) -> float:
        """Returns an action unit's intensity: the mean, or that of the image's right (1) or left (-1) half.

        The image's right half is the person's left.
        """
        left, right = self._units.get(number, (0.0, 0.0))
        return (left + right) / 2 if side == 0 else left if side > 0 else right


def begin(identity: FaceIdentity, expression: Expression) -> Sketch:
    """Returns a sketch on an empty canvas."""
    colors = palette_of(identity)
    units = both_sides(expression.units)
    dropped, parted = units.get("26", (0.0, 0.0))[0], units.get("25", (0.0, 0.0))[0]
    return Sketch(
        canvas=Canvas(colors.wall),
        identity=identity,
        colors=colors,
        expression=expression,
        pose=Pose(expression),
        youth=max(0.0, min(1.0, (20 - identity.age) / 8)),
        jaw=13 * dropped + 2 * parted,
        _units=units,
    )
