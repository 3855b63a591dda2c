"""Where the parts of a person lie on the canvas, given how head and body are held."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from mirror_bench.faces.drawing.canvas import Points
from mirror_bench.schema import Expression

_HEAD_AT = (168.0, 139.0)
_NECK_AT = (168.0, 261.0)
_HEAD_SCALE = 1.18
_BODY_SCALE = 1.1
_DEPTH = 62.0
_WIDE, _TALL = 84.0, 112.0
_PIVOT = 84.0


class Pose:
    """Turns head and body coordinates into canvas coordinates.

    Head coordinates have their origin between the eyes' level and the ears, x to the image's right (the
    person's left), y down; the skull reaches from about -90 to 88. Body coordinates have their origin at
    the base of the neck. The head is an ellipsoid seen from the front without perspective.
    """

    def __init__(self, expression: Expression) -> None:
        posture: Mapping[str, float] = expression.posture
        yaw, pitch, roll = expression.head
        turned = posture.get("turned_away", 0.0)
        lead = yaw if yaw else expression.gaze[0]
        self.side = 1.0 if lead > 0 else -1.0
        self.turned = turned * self.side
        self.slump = posture.get("slump", 0.0)
        self.shrug = posture.get("shrug", 0.0)
        # A flat face hides its far eye sooner than a round one would, so it turns a little less.
        self.yaw = math.radians(0.82 * max(-40.0, min(40.0, yaw + 10 * self.turned)))
        self.pitch = math.radians(max(-28.0, min(28.0, pitch)))
        self._roll = math.radians(roll)
        lean = posture.get("lean_forward", 0.0) - posture.get("lean_back", 0.0)
        self.scale = 1.0 + 0.11 * lean
        sink = 12 * self.slump + 5 * self.shrug + 6 * max(0.0, -expression.head[1]) / 20
        self._shift = np.array([14 * self.turned, sink + (9 * lean if lean > 0 else 12 * -lean)])
        self._sin, self._cos = math.sin(self.yaw), math.cos(self.yaw)
        self._sin_pitch, self._cos_pitch = math.sin(self.pitch), math.cos(self.pitch)
        angle = self._roll
        self._turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        # Roll about the nape, then size, then lean about the base of the neck, as one affine map.
        around, neck, at = np.array([0.0, _PIVOT]), np.asarray(_NECK_AT), np.asarray(_HEAD_AT)
        self.size = _HEAD_SCALE * self.scale
        self._head = self._turn * self.size
        rest = around - around @ self._turn
        self._head_at = (rest * _HEAD_SCALE + at - neck) * self.scale + neck + self._shift

    def face(self, points: ArrayLike, out: ArrayLike = 0.0) -> Points:
        """Places points of the face's surface, shape (..., 2); `out` stands that far out of it."""
        given = np.asarray(points, dtype=float)
        x, y = given[..., 0], given[..., 1]
        inside = np.maximum(1 - (x / _WIDE) ** 2 - (y / _TALL) ** 2, 0.02)
        z = _DEPTH * np.sqrt(inside) + np.asarray(out)
        across = x * self._cos + z * self._sin
        depth = z * self._cos - x * self._sin
        # Tilting is damped: a flat drawing shows no underside of the chin to make up for foreshortening.
        down = y * (0.35 + 0.65 * self._cos_pitch) - 0.8 * (depth - 18) * self._sin_pitch
        return self._placed(across, down)

    def skull(self, points: ArrayLike) -> Points:
        """Places points of the head's outline, shape (n, 2) or (2,)."""
        given = np.asarray(points, dtype=float)
        x, y = given[..., 0], given[..., 1]
        low = np.clip((y + 10) / 98, -0.5, 1.2)
        across = x + self._sin * (9 + 22 * np.maximum(low, 0))
        down = y - self._sin_pitch * (6 + 26 * np.maximum(low, 0) - 8 * np.minimum(low, 0))
        return self._placed(across, down)

    def hair(self, points: ArrayLike) -> Points:
        """Places the rim of hair around the face, which joins the face's surface to the head's outline."""
        given = np.asarray(points, dtype=float)
        aside = np.clip((np.abs(given[..., 0]) - 38) / 30, 0, 1)[..., None]
        rim: Points = self.face(given) * (1 - aside) + self.hanging(given) * aside
        return rim

    def hanging(self, points: ArrayLike) -> Points:
        """Places hair that lies on the skull above and hangs straight below it."""
        given = np.asarray(points, dtype=float)
        free = (np.clip((given[..., 1] - 20) / 90, 0, 1) ** 1.3)[..., None]
        neck = np.asarray(_NECK_AT)
        at_rest = (given * _HEAD_SCALE + np.asarray(_HEAD_AT) - neck) * self.scale + neck + self._shift
        at_rest = at_rest + np.array([34 * self._sin + 40 * self._turn[0, 1], 0.0])
        hung: Points = self.skull(given) * (1 - free) + at_rest * free
        return hung

    def body(self, points: ArrayLike) -> Points:
        """Places points of the body, shape (n, 2) or (2,)."""
        given = np.asarray(points, dtype=float)
        x, y = given[..., 0], given[..., 1]
        narrow = 1 - 0.2 * abs(self.turned)
        tilt = -0.1 * self.turned
        turned = np.stack((x * narrow - 4 * self.turned, y + tilt * x), axis=-1)
        low = np.array([0.0, 8 * self.slump])
        placed: Points = (
            turned * (_BODY_SCALE * self.scale) + np.asarray(_NECK_AT) + low + self._shift * (0.5, 0.25)
        )
        return placed

    def _placed(self, across: Points, down: Points) -> Points:
        points = np.empty((*np.shape(across), 2))
        points[..., 0], points[..., 1] = across, down
        placed: Points = points @ self._head + self._head_at
        return placed
