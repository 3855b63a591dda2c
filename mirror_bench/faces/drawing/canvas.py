"""The canvas that faces are drawn on: smooth shapes at twice the size, shrunk to a PNG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from mirror_bench.faces.drawing.relief import NUDGE, Relief

Points = NDArray[np.float64]
Color = tuple[int, int, int]

SIZE = 336
"""Side of the finished image in pixels, as in MIRROR (Kim et al. 2025)."""

_SCALE = 2
_SHIFT = 4
_FIXED = _SCALE * (1 << _SHIFT)
_STEPS = 6


class Canvas:
    """Draws in the finished image's pixels, x to the right and y down; colours are RGB.

    Args:
        background: Colour of the empty canvas.
    """

    def __init__(self, background: Color = (0, 0, 0)) -> None:
        side = SIZE * _SCALE
        self._pixels: NDArray[np.uint8] = np.empty((side, side, 3), np.uint8)
        cv2.rectangle(self._pixels, (0, 0), (side, side), background, -1)
        self._origin = np.zeros(2, np.int32)
        self.relief = Relief(SIZE)

    def cover(self, outline: Points, color: Color) -> None:
        """Fills a closed outline with something that lies before what is drawn, its light and shadow too."""
        self.relief.level(outline)
        self.fill(outline, color)

    def fill(self, outline: Points, color: Color) -> None:
        """Fills a closed outline, shape (n, 2)."""
        cv2.fillPoly(self._pixels, [self._fixed(outline)], color, cv2.LINE_AA, _SHIFT)

    def ring(self, outer: Points, inner: Points, color: Color) -> None:
        """Covers what lies between two closed outlines."""
        self.relief.level(outer, inner)
        cv2.fillPoly(self._pixels, [self._fixed(outer), self._fixed(inner)], color, cv2.LINE_AA, _SHIFT)

    def line(self, path: Points, color: Color, width: float, closed: bool = False) -> None:
        """Draws a path, shape (n, 2), with round ends; `width` is in pixels of the finished image."""
        thickness = max(1, round(width * _SCALE + NUDGE))
        cv2.polylines(self._pixels, [self._fixed(path)], closed, color, thickness, cv2.LINE_AA, _SHIFT)

    def hairs(self, paths: Points, color: Color, width: float) -> None:
        """Draws many short paths of equally many points at once, shape (paths, points, 2)."""
        thickness = max(1, round(width * _SCALE + NUDGE))
        cv2.polylines(self._pixels, list(self._fixed(paths)), False, color, thickness, cv2.LINE_AA, _SHIFT)

    def disc(self, center: Sequence[float] | Points, radius: float, color: Color) -> None:
        """Fills a circle."""
        x, y = self._fixed(np.asarray(center, float))
        cv2.circle(
            self._pixels,
            (int(x), int(y)),
            max(1, round(radius * _FIXED + NUDGE)),
            color,
            -1,
            cv2.LINE_AA,
            _SHIFT,
        )

    def glow(
        self, center: Sequence[float] | Points, radii: tuple[float, float], color: Color, strength: float
    ) -> None:
        """Tints an ellipse, strongest in its middle and fading to nothing; `strength` in [0, 1]."""
        across, down = (max(2, round(radius * _SCALE + NUDGE)) for radius in radii)
        x, y = (int(value) for value in np.rint(np.asarray(center, float) * _SCALE + NUDGE) - self._origin)
        top, left = max(0, y - down), max(0, x - across)
        part = self._pixels[top : max(0, y + down), left : max(0, x + across)]
        if part.size == 0:
            return
        share = _soft_disc(across, down)[top - (y - down) :, left - (x - across) :]
        share = cv2.convertScaleAbs(share[: part.shape[0], : part.shape[1]], alpha=strength)
        tint = np.empty_like(part)
        tint[:] = color
        weights = cv2.merge((share, share, share))
        added = cv2.multiply(tint, weights, scale=1 / 255)
        kept = cv2.multiply(part, cv2.bitwise_not(weights), scale=1 / 255)
        cv2.add(added, kept, dst=part)

    def within(self, outline: Points, draw: Callable[[Canvas], None]) -> None:
        """Lets `draw` draw on a canvas of which only what lies inside a closed outline is kept."""
        fixed = self._fixed(outline)
        side = self._pixels.shape
        low = np.maximum((fixed.min(axis=0) >> _SHIFT) - 1, 0)
        high = np.minimum((fixed.max(axis=0) >> _SHIFT) + 2, (side[1], side[0]))
        if (high <= low).any():
            return
        part = self._pixels[low[1] : high[1], low[0] : high[0]]
        layer = Canvas.__new__(Canvas)
        layer._pixels = part.copy()
        layer.relief = self.relief
        layer._origin = self._origin + low
        draw(layer)
        mask = np.zeros(part.shape[:2], np.uint8)
        cv2.fillPoly(mask, [fixed - (low << _SHIFT)], 255, cv2.LINE_8, _SHIFT)
        cv2.copyTo(layer._pixels, mask, part)

    def png(self) -> bytes:
        """Returns the finished image as a PNG."""
        small = cv2.resize(self._pixels, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        self.relief.apply(small)
        cv2.cvtColor(small, cv2.COLOR_RGB2BGR, dst=small)
        # Run lengths of differences between rows suit flat colours: twice as fast as the defaults, no larger.
        options = [
            cv2.IMWRITE_PNG_COMPRESSION,
            2,
            cv2.IMWRITE_PNG_STRATEGY,
            cv2.IMWRITE_PNG_STRATEGY_RLE,
            cv2.IMWRITE_PNG_FILTER,
            cv2.IMWRITE_PNG_FILTER_UP,
        ]
        return bytes(cv2.imencode(".png", small, options)[1])

    def _fixed(self, points: Points) -> NDArray[np.int32]:
        fixed: NDArray[np.int32] = np.rint(points * _FIXED + NUDGE).astype(np.int32)
        return fixed - (self._origin << _SHIFT)


def curve(points: ArrayLike, closed: bool = False) -> Points:
    """Returns the Catmull-Rom curve through points, (..., n, 2) -> (..., m, 2); if open, its ends stay."""
    given = np.asarray(points, dtype=float)
    count = given.shape[-2]
    segments = _basis() @ given[..., _places(count, closed), :]
    path = segments.reshape(*given.shape[:-2], -1, 2)
    return path if closed else np.concatenate((path, given[..., count - 1 :, :]), axis=-2)


def stroke(path: Points, width: ArrayLike, ends: ArrayLike = (0.0, 0.0)) -> Points:
    """Returns the outline of a stroke along a path, (..., n, 2) -> (..., 2 n, 2).

    Args:
        path: One path, or several of equally many points.
        width: In the path's units, at its middle; one for each path or one for all.
        ends: Share of the width that is left at the path's beginning and end, shape (..., 2).
    """
    along = np.empty_like(path)
    along[..., 1:-1, :] = path[..., 2:, :] - path[..., :-2, :]
    along[..., 0, :] = path[..., 1, :] - path[..., 0, :]
    along[..., -1, :] = path[..., -1, :] - path[..., -2, :]
    length = np.hypot(along[..., 0], along[..., 1]) + 1e-9
    middle, last = _swell(path.shape[-2])
    left = np.asarray(ends, dtype=float)[..., None]
    share = middle + (1 - middle) * (left[..., 0, :] * (1 - last) + left[..., 1, :] * last)
    half = share * np.asarray(width, dtype=float)[..., None] / (2 * length)
    outline = np.empty((*path.shape[:-2], 2, *path.shape[-2:]))
    aside = along[..., ::-1] * half[..., None] * (-1.0, 1.0)
    outline[..., 0, :, :] = path + aside
    outline[..., 1, :, :] = (path - aside)[..., ::-1, :]
    return outline.reshape(*path.shape[:-2], -1, 2)


def mirrored(half: ArrayLike) -> Points:
    """Returns a closed outline from its right half, top to bottom; points on the axis are not doubled."""
    right = np.asarray(half, dtype=float)
    inner = right[np.abs(right[:, 0]) > 1e-9][::-1]
    return np.concatenate((right, inner * (-1.0, 1.0)))


@cache
def _swell(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns how much of a stroke's width its middle and its last point give to each of `count` points."""
    t = np.linspace(0, 1, count)
    return 4 * t * (1 - t), t


@cache
def _places(count: int, closed: bool) -> NDArray[np.int64]:
    starts = np.arange(count if closed else count - 1)[:, None] + np.arange(-1, 3)[None, :]
    return starts % count if closed else np.clip(starts, 0, count - 1)


@cache
def _basis() -> NDArray[np.float64]:
    """Blending weights of the four points around a segment at `_STEPS` places along it."""
    t = np.arange(_STEPS) / _STEPS
    powers = np.stack((np.ones_like(t), t, t**2, t**3), axis=1)
    matrix = np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]) / 2
    weights: NDArray[np.float64] = powers @ matrix
    return weights


@cache
def _soft_disc(across: int, down: int) -> NDArray[np.uint8]:
    y, x = np.ogrid[-down:down, -across:across]
    distance = ((x + 0.5) / across) ** 2 + ((y + 0.5) / down) ** 2
    return np.asarray(255 * np.clip(1 - distance, 0, 1) ** 1.5, np.uint8)
