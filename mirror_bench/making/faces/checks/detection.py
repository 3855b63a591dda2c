"""A face must be found: OpenCV's frontal cascade, which ships with it."""

from __future__ import annotations

import functools
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirror_bench.errors import InputError
from mirror_bench.making.faces.checks.base import Box, ExaminedImage, ImageVerdict, must_be
from mirror_bench.modelspec import ModelOptions, ModelSpec, read_options

_SMALLEST = 60
_LOCAL = threading.local()


class FaceFound:
    """Asks for a frontal face of at least 60 pixels (Viola & Jones 2001; Lienhart & Maydt 2002)."""

    def __init__(self, spec: ModelSpec) -> None:
        must_be(spec, "opencv")
        read_options(spec, ModelOptions)

    def start(self) -> None:
        """Loads the cascade."""
        _cascade()

    def check(self, seen: ExaminedImage) -> ImageVerdict:
        """See `ImageCheck`."""
        return ImageVerdict(True) if seen.box else ImageVerdict(False, reason="no face was found")


def largest_face(pixels: NDArray[np.uint8]) -> Box | None:
    """Returns the largest frontal face of an RGB image, or None.

    Raises:
        InputError: If OpenCV has no cascade.
    """
    return max(faces_in(pixels), key=lambda box: (box.width, -box.top, -box.left), default=None)


def faces_in(pixels: NDArray[np.uint8], smallest: int = _SMALLEST) -> list[Box]:
    """Returns every frontal face of an RGB image that is at least `smallest` pixels wide.

    Raises:
        InputError: If OpenCV has no cascade.
    """
    import cv2

    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    boxes = _cascade().detectMultiScale(gray, scaleFactor=1.1, minNeighbors=3, minSize=(smallest, smallest))
    return [Box(*(int(value) for value in box)) for box in boxes]


def _cascade() -> Any:
    import cv2

    # Detecting changes a classifier's inner state, so threads cannot share one.
    if not hasattr(_LOCAL, "cascade"):
        _LOCAL.cascade = cv2.CascadeClassifier(_cascade_file())
        if _LOCAL.cascade.empty():
            raise InputError("OpenCV cannot read its frontal cascade: install opencv-python-headless<5 anew")
    return _LOCAL.cascade


@functools.cache
def _cascade_file() -> str:
    try:
        from cv2.data import haarcascades
    except ImportError:
        haarcascades = ""
    path = Path(haarcascades) / "haarcascade_frontalface_default.xml"
    if not haarcascades or not path.is_file():
        raise InputError("this OpenCV ships no frontal cascade: install 'opencv-python-headless<5'")
    return str(path)
