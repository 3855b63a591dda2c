"""Checks that an image shows a face that can be used."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, NamedTuple

from mirror_bench.errors import InputError

SIZE = 336
_LEAST_SIDE = 60
_LOCAL = threading.local()


class Box(NamedTuple):
    """Where a face is, in pixels of the image, x to the right and y down."""

    left: int
    top: int
    width: int
    height: int


def find_face(png: bytes) -> Box | None:
    """Returns the largest frontal face in an image, or None.

    Uses OpenCV's bundled frontal cascade (Viola & Jones 2001; Lienhart & Maydt 2002), which finds frontal
    faces, few that are turned by more than about 20 degrees, and none behind hands.

    Args:
        png: An encoded image in any format that OpenCV reads.

    Raises:
        InputError: If the bytes are no image, or OpenCV came without its cascades.
    """
    import cv2
    import numpy as np

    gray = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE) if png else None
    if gray is None:
        raise InputError(f"{len(png)} bytes are no image: give an encoded PNG or JPEG")
    boxes = _cascade().detectMultiScale(
        gray, scaleFactor=1.1, minNeighbors=3, minSize=(_LEAST_SIDE, _LEAST_SIDE)
    )
    found = [Box(*(int(value) for value in box)) for box in boxes]
    return max(found, key=lambda box: (box.width, -box.top, -box.left), default=None)


def check_face(png: bytes) -> str:
    """Returns why an image cannot be shown as a client's face, or an empty text where it can.

    Raises:
        InputError: If the bytes are no image.
    """
    import cv2
    import numpy as np

    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED) if png else None
    if image is None:
        raise InputError(f"{len(png)} bytes are no image: give an encoded PNG or JPEG")
    if image.shape != (SIZE, SIZE, 3):
        high, wide = image.shape[:2]
        channels = image.shape[2] if image.ndim == 3 else 1
        return f"is {wide}x{high} with {channels} channels, not {SIZE}x{SIZE} RGB"
    return "" if find_face(png) else "no frontal face was detected"


def _cascade() -> Any:
    """Returns this thread's classifier: detecting changes its inner state, so threads cannot share one."""
    import cv2
    from cv2.data import haarcascades

    if getattr(_LOCAL, "cascade", None) is None:
        path = Path(haarcascades) / "haarcascade_frontalface_default.xml"
        cascade = cv2.CascadeClassifier(str(path))
        if cascade.empty():
            raise InputError(f"{path}: OpenCV has no frontal face cascade: install opencv-python-headless<5")
        _LOCAL.cascade = cascade
    return _LOCAL.cascade
