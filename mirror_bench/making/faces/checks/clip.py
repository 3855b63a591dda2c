"""The image must fit its stage direction: cosine of image and text by a CLIP model."""

from __future__ import annotations

from typing import Any

from mirror_bench.making.faces.checks.base import ExaminedImage, ImageVerdict, missing, unusable
from mirror_bench.modelspec import ModelOptions, ModelSpec, read_options

ASKED = "a facial photo with {text}"
"""What the paper compares an image with."""


class ClipOptions(ModelOptions):
    """The least cosine of image and text, and where the model runs."""

    least: float = 0.2
    device: str = "cpu"


class FitsDirection:
    """Asks for a cosine of at least `least` (0.2, the paper's for CLIP ViT-B/32) between image and direction.

    `clip/NAME`, where NAME is a folder or a model of the Hub that transformers opens as CLIP.
    """

    def __init__(self, spec: ModelSpec) -> None:
        self._spec = spec
        options = read_options(spec, ClipOptions)
        self._least, self._device = options.least, options.device
        self._model: Any = None
        self._processor: Any = None

    def start(self) -> None:
        """Loads the model."""
        try:
            import torch
            from transformers import CLIPModel, CLIPProcessor
        except ImportError as error:
            raise missing(self._spec, error) from None
        try:
            self._processor = CLIPProcessor.from_pretrained(self._spec.name)
            self._model = CLIPModel.from_pretrained(self._spec.name, dtype=torch.float32)
            self._model = self._model.to(self._device).eval()
        except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
            raise unusable(self._spec, error) from None

    def check(self, seen: ExaminedImage) -> ImageVerdict:
        """See `ImageCheck`."""
        import torch
        from PIL import Image

        text = ASKED.format(text=(seen.due.direction or seen.text).strip().rstrip("."))
        fed = self._processor(
            text=[text],
            images=[Image.fromarray(seen.pixels)],
            return_tensors="pt",
            truncation=True,
            padding=True,
        )
        with torch.inference_mode():
            out = self._model(**fed.to(self._device))
        cosine = float(torch.nn.functional.cosine_similarity(out.image_embeds, out.text_embeds)[0])
        passes = cosine >= self._least
        return ImageVerdict(passes, cosine, "" if passes else f"cosine {cosine:.2f} under {self._least:g}")
