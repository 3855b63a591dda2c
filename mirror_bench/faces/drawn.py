"""Drawn faces: a parametric illustration whose action units are known exactly."""

from __future__ import annotations

from mirror_bench.faces.action_units import both_sides, check_expression
from mirror_bench.faces.identity import check_identity
from mirror_bench.schema import Expression, FaceIdentity

SIZE = 336
"""Side of the image in pixels, as in MIRROR (Kim et al. 2025)."""


class DrawnFaces:
    """Draws faces; needs no model and no network. Stateless, so safe to share between threads."""

    @property
    def name(self) -> str:
        """Name and version; the version changes with every change of the drawing."""
        return "drawn/1"

    def render(self, identity: FaceIdentity, expression: Expression) -> bytes:
        """Returns a 336x336 RGB PNG, the same bytes for the same arguments.

        Raises:
            InputError: If the identity or the expression cannot be drawn.
        """
        import cv2
        import numpy as np

        check_identity(identity)
        units = both_sides(check_expression(expression).units)
        tone = int(235 - 150 * identity.skin)
        image = np.full((SIZE, SIZE, 3), 205, np.uint8)
        cv2.ellipse(image, (168, 150), (62, 84), 0, 0, 360, (tone - 50, tone - 25, tone), -1, cv2.LINE_AA)
        for side in (-1, 1):
            x = 168 + side * 30
            half = max(1, round(8 * (1 - units.get("43", (0, 0))[side < 0])))
            cv2.ellipse(image, (x, 145), (14, half), 0, 0, 360, (255, 255, 255), -1, cv2.LINE_AA)
            pupil = (x + round(6 * expression.gaze[0]), 145 - round(4 * expression.gaze[1]))
            cv2.circle(image, pupil, min(6, half), (30, 30, 30), -1, cv2.LINE_AA)
            inner = round(122 + 8 * units.get("4", (0, 0))[0] - 8 * units.get("1", (0, 0))[0])
            cv2.line(image, (168 + side * 14, inner), (168 + side * 44, 120), (30, 30, 40), 5, cv2.LINE_AA)
        rise = [units.get("12", (0, 0))[i] - units.get("15", (0, 0))[i] for i in (1, 0)]
        mouth = np.array(
            [[144, 200 - round(10 * rise[0])], [168, 202], [192, 200 - round(10 * rise[1])]], np.int32
        )
        cv2.polylines(image, [mouth], False, (50, 50, 130), 5, cv2.LINE_AA)
        return bytes(cv2.imencode(".png", image)[1])
