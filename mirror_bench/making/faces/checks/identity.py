"""The face must be the person's: by dlib's network, or by one of the ArcFace kind that the user has."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mirror_bench.errors import InputError
from mirror_bench.making.faces.checks.base import (
    REMEDY,
    Box,
    ExaminedImage,
    ImageVerdict,
    missing,
    pixels_of,
    unusable,
)
from mirror_bench.making.faces.checks.detection import largest_face
from mirror_bench.modelspec import ModelOptions, ModelSpec, read_options

_ARCFACE = "arcface:"
_MODELS = "face_recognition_models"
_POINTS = "shape_predictor_5_face_landmarks.dat"
_NETWORK = "dlib_face_recognition_resnet_model_v1.dat"
_SIDE = 112


class CosineOptions(ModelOptions):
    """The least cosine of two faces of one person."""

    least: float = 0.2


class DistanceOptions(ModelOptions):
    """The largest distance of two faces of one person."""

    most: float = 0.6


class SamePerson:
    """Asks that an image shows the person of the reference picture.

    `identity/dlib?most=0.6` measures the distance of dlib's descriptors, of which its author calls two within
    0.6 one person. `identity/arcface:FILE.onnx?least=0.2` measures the cosine of a network of the ArcFace
    kind (112 x 112 aligned RGB in, one vector out), which is what the paper's limits of 0.2 and 0.3 are of.

    Raises:
        InputError: If it is neither, or a limit is wrong.
    """

    def __init__(self, spec: ModelSpec) -> None:
        self._spec = spec
        self._file = spec.name.removeprefix(_ARCFACE) if spec.name.startswith(_ARCFACE) else ""
        if not self._file and spec.name != "dlib":
            raise InputError(f"--check {spec}: identity asks dlib or {_ARCFACE}FILE.onnx")
        self._limit = (
            read_options(spec, CosineOptions).least
            if self._file
            else read_options(spec, DistanceOptions).most
        )
        self._dlib: Any = None
        self._points: Any = None
        self._network: Any = None
        self._known: dict[str, NDArray[np.float64] | None] = {}

    def start(self) -> None:
        """Loads landmarks and network."""
        try:
            import dlib
        except ImportError as error:
            raise missing(self._spec, error) from None
        self._dlib = dlib
        found = importlib.util.find_spec(_MODELS)
        if found is None or not found.submodule_search_locations:
            raise InputError(f"the check {self._spec}: the package {_MODELS} is missing: {REMEDY} identity")
        # The package itself is not imported: it needs pkg_resources, which setuptools no longer brings.
        models = Path(next(iter(found.submodule_search_locations))) / "models"
        try:
            self._points = dlib.shape_predictor(str(models / _POINTS))
            if self._file:
                self._network = _session(self._spec, self._file)
            else:
                self._network = dlib.face_recognition_model_v1(str(models / _NETWORK))
        except RuntimeError as error:
            raise unusable(self._spec, error) from None

    def check(self, seen: ExaminedImage) -> ImageVerdict:
        """See `ImageCheck`."""
        who = seen.due.who
        if who.sha256 not in self._known:
            pixels = pixels_of(who.png)
            self._known[who.sha256] = self._describe(pixels, largest_face(pixels))
        wanted = self._known[who.sha256]
        if wanted is None:
            return ImageVerdict(False, reason="no face is found in the person's own picture", final=True)
        own = self._describe(seen.pixels, seen.box)
        if own is None:
            return ImageVerdict(False, reason="no face to compare")
        if self._file:
            cosine = float(wanted @ own / (np.linalg.norm(wanted) * np.linalg.norm(own)))
            passes = cosine >= self._limit
            return ImageVerdict(
                passes, cosine, "" if passes else f"cosine {cosine:.2f} under {self._limit:g}"
            )
        distance = float(np.linalg.norm(wanted - own))
        passes = distance <= self._limit
        return ImageVerdict(
            passes, distance, "" if passes else f"distance {distance:.2f} over {self._limit:g}"
        )

    def _describe(self, pixels: NDArray[np.uint8], box: Box | None) -> NDArray[np.float64] | None:
        if box is None:
            return None
        pixels = np.ascontiguousarray(pixels)
        right, low = box.left + box.width - 1, box.top + box.height - 1
        shape = self._points(pixels, self._dlib.rectangle(box.left, box.top, right, low))
        if not self._file:
            return np.array(self._network.compute_face_descriptor(pixels, shape))
        aligned = self._dlib.get_face_chip(pixels, shape, size=_SIDE)
        fed = ((np.asarray(aligned, np.float32) - 127.5) / 127.5).transpose(2, 0, 1)[None]
        name = self._network.get_inputs()[0].name
        return np.asarray(self._network.run(None, {name: fed})[0], np.float64).reshape(-1)


def _session(spec: ModelSpec, file: str) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise missing(spec, error) from None
    try:
        return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class of its own for each kind of failure
        raise unusable(spec, error) from None
