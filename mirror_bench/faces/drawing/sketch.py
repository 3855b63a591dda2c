"""What every part of the drawing needs to know: the canvas, the person, the muscles and the pose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mirror_bench.faces.drawing.canvas import Canvas, Points, curve, stroke
from mirror_bench.faces.drawing.palette import Palette, palette_of
from mirror_bench.faces.drawing.pose import Pose
from mirror_bench.faces.facs.action_units import both_sides
from mirror_bench.schema import Expression, FaceIdentity

_FAINT = 3.0
_Crease = tuple[Sequence[tuple[float, float]] | Points, float, float, float, tuple[float, float]]


@dataclass(frozen=True)
class Sketch:
    """The canvas, expression and person of one face being drawn, handed from part to part.

    Attributes:
        youth: 1 at twelve years, 0 from twenty on.
        jaw: How far the jaw has dropped, in head coordinates.
        male: 1 for a man, 0 for a woman, between them where neither is said.
    """

    canvas: Canvas
    identity: FaceIdentity
    colors: Palette
    expression: Expression
    pose: Pose
    youth: float
    jaw: float
    male: float
    _units: Mapping[str, tuple[float, float]]
    _creases: list[_Crease] = field(default_factory=list)

    def unit(self, number: str, side: int = 0) -> float:
        """Returns an action unit's intensity: the mean, or that of the image's right (1) or left (-1) half.

        The image's right half is the person's left.
        """
        left, right = self._units.get(number, (0.0, 0.0))
        return (left + right) / 2 if side == 0 else left if side > 0 else right

    def forms(self, outline: Points, spots: Sequence[tuple[float, float, float, float, float]]) -> None:
        """Models the face inside an outline of the canvas.

        Args:
            outline: Closed, in the canvas's pixels.
            spots: Each x, y, radius across, radius down in head coordinates, and the amount of light.
        """
        blobs = np.array(spots)
        blobs[:, :2] = self.pose.face(blobs[:, :2], out=4)
        blobs[:, 2:4] *= self.pose.size
        # Dark skin takes in more light, so what shines on it stands out more.
        blobs[:, 4] *= np.where(blobs[:, 4] > 0, 1 + 0.8 * self.identity.skin, 1.0)
        self.canvas.relief.forms(outline, blobs)

    def crease(
        self,
        points: Sequence[tuple[float, float]] | Points,
        amount: float,
        width: float,
        out: float = 0.0,
        ends: tuple[float, float] = (0.15, 0.15),
    ) -> None:
        """Asks for a fold of the skin through points in head coordinates; shadows have negative amounts."""
        if abs(amount) > _FAINT:
            shine = 1 + 0.8 * self.identity.skin if amount > 0 else 1.0
            self._creases.append((points, shine * amount, width, out, ends))

    def draw_creases(self) -> None:
        """Draws the folds that were asked for, all of equally many points at once."""
        outlines: dict[int, Points] = {}
        for count in {len(crease[0]) for crease in self._creases}:
            places = [place for place, crease in enumerate(self._creases) if len(crease[0]) == count]
            some = [self._creases[place] for place in places]
            out = np.array([crease[3] for crease in some])[:, None]
            paths = curve(self.pose.face(np.array([crease[0] for crease in some]), out=out))
            widths = np.array([crease[2] for crease in some])[:, None] * self.pose.size
            ends = np.array([crease[4] for crease in some])
            outlines.update(zip(places, stroke(paths, widths[:, 0], ends), strict=True))
        for place, crease in enumerate(self._creases):
            self.canvas.relief.fold(outlines[place], crease[1])
        self._creases.clear()


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
        male={"male": 1.0, "female": 0.0}.get(identity.sex, 0.5),
        _units=units,
    )
