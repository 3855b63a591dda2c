"""Light and shadow on what is drawn: soft forms and folds, kept apart from colours until the end.

All sums are of whole numbers, so that the bytes of a face are the same on every processor.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

_CELL = 3
_SHIFT = 4
NUDGE = 1e-6
"""Added before rounding: processors differ in the last bit, and halves must not fall either way."""
_EVEN = 128
_FINE = 64
_BLUR = 1.15
# Shadows on skin are warm: blue and green fade sooner than red. Light is a little warm too.
_DARK = np.array([0.72, 0.86, 0.92])
_LIGHT = np.array([0.62, 0.6, 0.54])


def _multipliers() -> NDArray[np.uint8]:
    level = (np.arange(256)[:, None] - _EVEN) / _EVEN
    factor = np.where(level < 0, 1 + level * _DARK, 1 + level * _LIGHT)
    return np.asarray(np.rint(factor * _EVEN).clip(0, 255), np.uint8).reshape(1, 256, 3)


_EVEN_ALL = (float(_EVEN), 0.0, 0.0, 0.0)
_FACTORS = _multipliers()


class Relief:
    """Collects light and shadow in the finished image's pixels; amounts run from -127 (dark) to 127.

    Args:
        side: Side of the finished image.
    """

    def __init__(self, side: int) -> None:
        self._forms: NDArray[np.int16] = np.zeros((side, side), np.int16)
        self._folds: NDArray[np.uint8] = np.full((side, side), _EVEN, np.uint8)
        self._figure: NDArray[np.uint8] = np.zeros((side, side), np.uint8)

    def forms(self, outline: Points, blobs: Points) -> None:
        """Adds soft spots of light and shadow inside a closed outline.

        Args:
            outline: Shape (n, 2).
            blobs: Shape (m, 5): centre x and y, radius across and down, amount at the centre.
        """
        low = np.maximum(np.floor(outline.min(axis=0) + NUDGE).astype(np.int32), 0)
        high = np.minimum(np.ceil(outline.max(axis=0) + NUDGE).astype(np.int32) + 1, len(self._forms))
        if (high <= low).any():
            return
        # Soft spots need no more than every third pixel, but end where the outline does.
        cells = -(-(high - low) // _CELL)
        columns, rows = (
            np.arange(count) * _CELL + _CELL / 2 + start for count, start in zip(cells, low, strict=True)
        )
        wide = np.rint(_FINE * np.exp(-(((columns - blobs[:, :1]) / blobs[:, 2:3]) ** 2)) + NUDGE)
        fading = np.exp(-(((rows - blobs[:, 1:2]) / blobs[:, 3:4]) ** 2))
        tall = np.rint(_FINE * blobs[:, 4:] * fading + NUDGE)
        spots = np.rint(tall.T @ wide / _FINE**2).clip(-_EVEN, _EVEN - 1) + _EVEN
        size = (int(cells[0]) * _CELL, int(cells[1]) * _CELL)
        light = cv2.resize(spots.astype(np.uint8), size, interpolation=cv2.INTER_LINEAR_EXACT)
        part = self._forms[low[1] : high[1], low[0] : high[0]]
        mask = np.zeros(part.shape, np.uint8)
        cv2.fillPoly(mask, [_fixed(outline - low)], 1, cv2.LINE_8, _SHIFT)
        cv2.add(part, light[: part.shape[0], : part.shape[1]], dst=part, mask=mask, dtype=cv2.CV_16S)
        cv2.subtract(part, (_EVEN, 0, 0, 0), dst=part, mask=mask)

    def fold(self, outline: Points, amount: float) -> None:
        """Sets what lies inside a closed outline to an amount of light or shadow; its edge is soft."""
        level = int(min(255, max(1, _EVEN + round(amount))))
        cv2.fillPoly(self._folds, [_fixed(outline)], level, cv2.LINE_AA, _SHIFT)

    def strands(self, paths: Points, amount: float, width: int = 1) -> None:
        """Draws many thin lines of equally many points at once, shape (paths, points, 2)."""
        level = int(min(255, max(1, _EVEN + round(amount))))
        cv2.polylines(self._folds, list(_fixed(paths)), False, level, width, cv2.LINE_AA, _SHIFT)

    def level(self, *outlines: Points) -> None:
        """Takes light and shadow from inside closed outlines: something lies before it.

        What lies in two of them stays, as the face does inside the rim of a headscarf.
        """
        fixed = [_fixed(outline) for outline in outlines]
        cv2.fillPoly(self._figure, fixed, 255, cv2.LINE_AA, _SHIFT)
        cv2.fillPoly(self._folds, fixed, _EVEN, cv2.LINE_8, _SHIFT)
        cv2.fillPoly(self._forms, fixed, 0, cv2.LINE_8, _SHIFT)

    def apply(self, image: NDArray[np.uint8]) -> None:
        """Multiplies light and shadow into an image, in place."""
        folds = cv2.GaussianBlur(self._folds, (7, 7), _BLUR)
        light = cv2.add(self._forms, folds, dtype=cv2.CV_8U)
        # Nothing falls on the wall behind the figure.
        kept = cv2.multiply(light, self._figure, scale=1 / 255)
        wall = cv2.multiply(cv2.bitwise_not(self._figure), _EVEN_ALL, scale=1 / 255)
        light = cv2.add(kept, wall)
        factors = cv2.LUT(cv2.merge((light, light, light)), _FACTORS)
        cv2.multiply(image, factors, dst=image, scale=1 / _EVEN)


def _fixed(points: Points) -> NDArray[np.int32]:
    fixed: NDArray[np.int32] = np.rint(points * (1 << _SHIFT) + NUDGE).astype(np.int32)
    return fixed
