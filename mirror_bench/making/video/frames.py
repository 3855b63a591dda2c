"""One good frame of a client's face out of a moment of a video."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mirror_bench.errors import InputError
from mirror_bench.faces.base import SIDE
from mirror_bench.making.faces.checks.base import Box
from mirror_bench.making.faces.checks.detection import faces_in

SIDES = ("only", "left", "right", "largest")
"""Which face is the client's where a frame shows several; "only" takes frames with a single one."""

_MARGIN = 0.55
"""Of the face's width that is kept on each side of it."""
_SMALLEST_SEEN = 32
_DARK, _BRIGHT = 35.0, 225.0
_READ = 96
"""Width in pixels at which sharpness is measured, so that it does not depend on the video's size."""


class FrameLimits(NamedTuple):
    """The least size and sharpness of the face in a frame that is kept.

    Attributes:
        side: One of `SIDES`.
        width: Of the face, in pixels of the video.
        sharpness: Variance of the Laplacian over the face at 96 pixels.
    """

    side: str = "only"
    width: int = 64
    sharpness: float = 25.0


class FrameVerdict(NamedTuple):
    """The face cut from a video frame, or why the frame is of no use.

    Attributes:
        png: The face as the benchmark shows it; empty where the frame fell.
        reason: Why it fell, beginning with one word that is counted.
        width: Of the face that was found; 0 where none was.
    """

    png: bytes = b""
    reason: str = ""
    width: int = 0


class Video:
    """A video opened for reading frames at given times. Use `opened`."""

    def __init__(self, container: Any) -> None:
        self._container = container
        self._stream = container.streams.video[0]
        self._stream.thread_type = "AUTO"

    def frame(self, seconds: float) -> NDArray[np.uint8] | None:
        """Returns the first frame at or after a moment as RGB, or None where the video has ended."""
        import av

        try:
            self._container.seek(int(seconds * av.time_base), backward=True)
            for frame in self._container.decode(self._stream):
                if frame.time is not None and frame.time + 1e-3 >= seconds:
                    pixels: NDArray[np.uint8] = frame.to_ndarray(format="rgb24")
                    return pixels
        except av.error.FFmpegError:
            return None
        return None


@contextmanager
def opened(path: Path) -> Iterator[Video]:
    """Opens a video while the block runs.

    Raises:
        InputError: If it cannot be read, or the package for it is missing.
    """
    try:
        import av
    except ImportError:
        raise InputError(
            "reading videos needs the extra 'video': "
            "pip install 'mirror-bench[video]' 'opencv-python-headless<5'"
        ) from None
    try:
        container = av.open(str(path))
    except (av.error.FFmpegError, OSError) as error:
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"{path}: cannot be read as a video ({reason}): convert it to .mp4") from None
    with container:
        if not container.streams.video:
            raise InputError(f"{path}: holds no pictures, only sound")
        yield Video(container)


def examine(pixels: NDArray[np.uint8], limits: FrameLimits) -> FrameVerdict:
    """Returns the client's face out of a frame, cropped, or why it is not taken."""
    import cv2

    boxes = faces_in(pixels, _SMALLEST_SEEN)
    if not boxes:
        return FrameVerdict(reason="face: none was found")
    if limits.side == "only" and len(boxes) > 1:
        return FrameVerdict(reason=f"several: {len(boxes)} faces; say which is the client's by --side")
    box = _chosen(boxes, limits.side)
    if box.width < limits.width:
        return FrameVerdict(reason=f"small: {box.width} pixels, under {limits.width}", width=box.width)
    face = pixels[box.top : box.top + box.height, box.left : box.left + box.width]
    gray = cv2.resize(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), (_READ, _READ), interpolation=cv2.INTER_AREA)
    light = float(gray.mean())
    if not _DARK <= light <= _BRIGHT:
        return FrameVerdict(reason=f"light: mean {light:.0f} of 255", width=box.width)
    sharpness = float(cv2.Laplacian(gray, cv2.CV_64F).var())
    if sharpness < limits.sharpness:
        reason = f"blurred: sharpness {sharpness:.0f} under {limits.sharpness:g}"
        return FrameVerdict(reason=reason, width=box.width)
    return FrameVerdict(png=_cropped(pixels, box), width=box.width)


def _chosen(boxes: list[Box], side: str) -> Box:
    if side == "left":
        return min(boxes, key=lambda box: box.left + box.width / 2)
    if side == "right":
        return max(boxes, key=lambda box: box.left + box.width / 2)
    return max(boxes, key=lambda box: box.width)


def _cropped(pixels: NDArray[np.uint8], box: Box) -> bytes:
    """Returns a square around a face as the benchmark's PNG; at the frame's edge it is moved, not cut."""
    from PIL import Image

    height, width = pixels.shape[:2]
    side = min(round(box.width * (1 + 2 * _MARGIN)), height, width)
    left = min(max(0, round(box.left + box.width / 2 - side / 2)), width - side)
    top = min(max(0, round(box.top + box.height / 2 - side / 2)), height - side)
    image = Image.fromarray(pixels[top : top + side, left : left + side])
    stream = io.BytesIO()
    image.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(stream, "PNG")
    return stream.getvalue()
