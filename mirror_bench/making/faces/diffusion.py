"""Faces by diffusion, through the library `diffusers`: IP-Adapter or PhotoMaker keep the person."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from mirror_bench.errors import InputError
from mirror_bench.faces.base import SIDE
from mirror_bench.making.faces.generators import Commission
from mirror_bench.modelspec import ModelOptions, ModelSpec, read_options

_REMEDY = "install the extra 'faces': pip install 'mirror-bench[faces]'"
_TRIGGER = "img"
_NOUNS = ("woman", "man", "person")


class DiffusionOptions(ModelOptions):
    """The options that `DiffusionFaces` describes; an empty text stands for the adapter's usual place."""

    adapter: Literal["ip-adapter", "photomaker", "none"] = "ip-adapter"
    adapter_model: str = ""
    subfolder: str = ""
    weights: str = ""
    image_encoder: str = "models/image_encoder"
    strength: float = Field(0.6, ge=0, le=2)
    steps: int = Field(30, ge=1)
    guidance: float = Field(5.0, ge=0)
    size: int = Field(1024, ge=8, multiple_of=8)
    dtype: Literal["auto", "float16", "bfloat16", "float32"] = "auto"


class DiffusionFaces:
    """Makes faces with a diffusion model, `diffusers/BASE?option=value`.

    BASE is a folder or a name on the Hub, such as stabilityai/stable-diffusion-xl-base-1.0. Options:

    - `adapter`: what keeps the person. `ip-adapter` (the default) shows the model the person's picture;
      `photomaker` does through the authors' package `photomaker`; `none` describes age and sex alone.
    - `adapter_model`, `subfolder`, `weights`, `image_encoder`: where the adapter's weights lie.
    - `strength` (0.6), `steps` (30), `guidance` (5), `size` (1024), `dtype` (float16 on a GPU, else float32).

    Raises:
        InputError: If an option is unknown or wrong.
    """

    def __init__(self, spec: ModelSpec) -> None:
        options = read_options(spec, DiffusionOptions)
        self._spec, self._options = spec, options
        self.adapter = options.adapter
        loaders = {"ip-adapter": self._ip_adapter, "photomaker": self._photomaker, "none": self._plain}
        self._load: Callable[[], Any] = loaders[self.adapter]
        maker = self.adapter == "photomaker"
        self._weights_at = options.adapter_model or ("TencentARC/PhotoMaker" if maker else "h94/IP-Adapter")
        self._subfolder = options.subfolder or ("" if maker else "sdxl_models")
        usual = "photomaker-v1.bin" if maker else "ip-adapter-plus-face_sdxl_vit-h.safetensors"
        self._weights = options.weights or usual
        self._pipe: Any = None

    @property
    def name(self) -> str:
        """The model and every option that was given."""
        return str(self._spec)

    def start(self, device: str) -> None:
        """Loads base and adapter; see `FaceGenerator`."""
        try:
            import diffusers
            import torch
        except ImportError as error:
            raise InputError(f"--generator {self._spec}: {error.name} is missing: {_REMEDY}") from None
        diffusers.utils.logging.set_verbosity_error()
        diffusers.utils.logging.disable_progress_bar()
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        half = "float32" if device.startswith("cpu") else "float16"
        self._tensors = getattr(torch, half if self._options.dtype == "auto" else self._options.dtype)
        try:
            pipe = self._load()
            self._pipe = pipe.to(device)
        except InputError:
            raise
        except (OSError, ValueError, KeyError, RuntimeError, AttributeError, AssertionError) as error:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise InputError(
                f"--generator {self._spec}: cannot be loaded on {device} ({reason}): name a folder or a Hub "
                "model that diffusers opens, and a device that this machine has"
            ) from None
        self._pipe.set_progress_bar_config(disable=True)

    def make(self, commission: Commission) -> bytes:
        """Makes one image of the person's picture and the words; see `FaceGenerator`."""
        import torch
        from PIL import Image

        assert self._pipe is not None, "start() comes first"
        with Image.open(io.BytesIO(commission.due.who.png)) as opened:
            person = opened.convert("RGB")
        given: dict[str, Any] = {"prompt": commission.prompt}
        if self.adapter == "ip-adapter":
            given["ip_adapter_image"] = person
        elif self.adapter == "photomaker":
            given |= {"prompt": with_trigger(commission.prompt), "input_id_images": [person]}
            given |= {"start_merge_step": max(1, self._options.steps // 5)}
        try:
            image = self._pipe(
                **given,
                negative_prompt=commission.negative,
                num_inference_steps=self._options.steps,
                guidance_scale=self._options.guidance,
                height=self._options.size,
                width=self._options.size,
                # On the CPU, so that a seed gives the same noise on every device.
                generator=torch.Generator("cpu").manual_seed(commission.seed),
            ).images[0]
        except RuntimeError as error:  # out of memory is one
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"--generator {self._spec}: could not make an image ({reason}): try a smaller size=, "
                "dtype=float16 or fewer --devices; what was made is kept"
            ) from None
        stream = io.BytesIO()
        image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(stream, "PNG")
        return stream.getvalue()

    def _plain(self) -> Any:
        from diffusers import AutoPipelineForText2Image

        opened: Any = AutoPipelineForText2Image
        return opened.from_pretrained(self._spec.name, dtype=self._tensors)

    def _ip_adapter(self) -> Any:
        pipe = self._plain()
        pipe.load_ip_adapter(
            self._weights_at,
            subfolder=self._subfolder,
            weight_name=self._weights,
            image_encoder_folder=self._options.image_encoder,
        )
        pipe.set_ip_adapter_scale(self._options.strength)
        return pipe

    def _photomaker(self) -> Any:
        try:
            from photomaker import PhotoMakerStableDiffusionXLPipeline as Pipeline
        except ImportError:
            raise InputError(
                f"--generator {self._spec}: adapter=photomaker needs the authors' package photomaker, which "
                "is installed from their repository (TencentARC/PhotoMaker); or take adapter=ip-adapter"
            ) from None
        pipe = Pipeline.from_pretrained(self._spec.name, dtype=self._tensors)
        pipe.load_photomaker_adapter(
            _folder_of(self._weights_at, self._weights),
            subfolder=self._subfolder,
            weight_name=self._weights,
            trigger_word=_TRIGGER,
        )
        pipe.fuse_lora()
        return pipe


def with_trigger(prompt: str) -> str:
    """Returns a prompt with PhotoMaker's trigger word behind the noun that it stands for, the first one."""
    words = prompt.split(" ")
    for place, word in enumerate(words):
        if word.rstrip(",.") in _NOUNS:
            bare = word.rstrip(",.")
            words[place] = f"{bare} {_TRIGGER}{word[len(bare) :]}"
            return " ".join(words)
    return f"person {_TRIGGER}, {prompt}"


def _folder_of(place: str, weights: str) -> str:
    """Returns the folder that holds an adapter's weights, fetched from the Hub where it is no folder."""
    if Path(place).is_dir():
        return place
    from huggingface_hub import hf_hub_download

    return str(Path(hf_hub_download(repo_id=place, filename=weights)).parent)
