"""A detector that was trained on photographs finds the drawn faces."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from cv2.data import haarcascades

from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
from mirror_bench.faces.facs.expressions import EXPRESSIONS, scaled
from mirror_bench.faces.identity import random_identity
from mirror_bench.schema import Expression

_MILD = ("neutral", "happiness", "sadness", "sceptical", "anxious")
_LOCAL = threading.local()


class Box(NamedTuple):
    """Where a face is, in pixels of the image, x to the right and y down."""

    left: int
    top: int
    width: int
    height: int


def find_face(png: bytes) -> Box | None:
    """Returns the largest frontal face in an image, or None.

    Uses OpenCV's frontal cascade (Viola & Jones 2001; Lienhart & Maydt 2002), which finds frontal faces, few
    that are turned by more than about 20 degrees, and none behind hands.
    """
    if not hasattr(_LOCAL, "cascade"):
        # Detecting changes a classifier's inner state, so threads cannot share one.
        _LOCAL.cascade = cv2.CascadeClassifier(
            str(Path(haarcascades) / "haarcascade_frontalface_default.xml")
        )
        assert not _LOCAL.cascade.empty(), "OpenCV has no frontal cascade: install opencv-python-headless<5"
    gray = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    boxes = _LOCAL.cascade.detectMultiScale(gray, scaleFactor=1.1, minNeighbors=3, minSize=(60, 60))
    found = [Box(*(int(value) for value in box)) for box in boxes]
    return max(found, key=lambda box: (box.width, -box.top, -box.left), default=None)


@pytest.mark.parametrize("count", [100, pytest.param(500, marks=pytest.mark.campaign)])
def test_faces_are_detected_over_many_identities(count: int) -> None:
    drawn = DrawnFaces()
    cases = [(random_identity(seed), scaled(EXPRESSIONS[_MILD[seed % 5]], 0.5)) for seed in range(count)]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda case: find_face(drawn.render(*case)), cases))
    assert sum(box is not None for box in found) / len(found) >= 0.95


def test_a_found_face_lies_where_the_head_is_drawn() -> None:
    box = find_face(DrawnFaces().render(random_identity(3), Expression()))
    assert box is not None
    assert abs(box.left + box.width / 2 - 168) < 20
    assert abs(box.top + box.height / 2 - 135) < 35


def test_no_face_is_found_where_there_is_none() -> None:
    assert find_face(cv2.imencode(".png", np.full((336, 336, 3), 128, np.uint8))[1].tobytes()) is None
