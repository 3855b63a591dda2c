"""Opens models that read videos too where torchvision is missing, which only their videos need."""

from __future__ import annotations

import importlib.util
from typing import Any


class NoVideos(dict[str, Any]):
    """Stands where a processor of videos belongs; empty, because nothing here asks about a video."""

    model_input_names: tuple[str, ...] = ()

    @classmethod
    def from_pretrained(cls, *_: Any, **__: Any) -> NoVideos:
        """Takes the place of the loader; whatever it is given plays no part."""
        return cls()

    def to_dict(self) -> dict[str, Any]:
        """Returns no settings."""
        return {}


def spare_videos() -> None:
    """Lets `AutoProcessor` do without a processor of videos, in this process, where torchvision is missing.

    Qwen-VL, LLaVA-OneVision, InternVL, Gemma and others have one, and transformers insists on it even for
    texts and images. A machine without a GPU often has no torchvision that goes with its torch.
    """
    if importlib.util.find_spec("torchvision") is not None:
        return
    from transformers import processing_utils
    from transformers.models.auto.video_processing_auto import AutoVideoProcessor

    AutoVideoProcessor.from_pretrained = NoVideos.from_pretrained
    processing_utils.transformers_module.VideoProcessorMixin = NoVideos
