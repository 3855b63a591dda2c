"""Faces by diffusion, through the library `diffusers`: IP-Adapter or PhotoMaker keep the person."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mirror_bench.errors import InputError
from mirror_bench.making.faces.generators import SIDE, Commission
from mirror_bench.modelspec import ModelSpec, Options

_REMEDY = "install the extra 'faces': pip install 'mirror-bench[faces]'"
_SMALLEST = 8
_TRIGGER = "img"
_NOUNS = ("woman", "man", "person")


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
        options = Options(spec)
        self._spec = spec
        self.adapter = options.text("adapter", "ip-adapter")
        loaders = {"ip-adapter": self._ip_adapter, "photomaker": self._photomaker, "none": self._plain}
        if self.adapter not in loaders:
            raise InputError(f"{spec}: adapter={self.adapter!r}: known are {', '.join(loaders)}")
        self._load: Callable[[], Any] = loaders[self.adapter]
        maker = self.adapter == "photomaker"
        self._weights_at = options.text(
            "adapter_model", "TencentARC/PhotoMaker" if maker else "h94/IP-Adapter"
        )
        self._subfolder = options.text("subfolder", "" if maker else "sdxl_models")
        usual = "photomaker-v1.bin" if maker else "ip-adapter-plus-face_sdxl_vit-h.safetensors"
        self._weights = options.text("weights", usual)
        self._encoder = options.text("image_encoder", "models/image_encoder")
        self._strength = options.number("strength", 0.6)
        self._steps = options.integer("steps", 30)
        self._guidance = options.number("guidance", 5.0)
        self._size = options.integer("size", 1024)
        self._dtype = options.text("dtype", "auto")
        options.done()
        if self._steps < 1 or self._size < _SMALLEST or self._size % _SMALLEST:
            raise InputError(f"{spec}: steps must be 1 or more, and size a multiple of {_SMALLEST}")
        if self._dtype not in {"auto", "float16", "bfloat16", "float32"}:
            raise InputError(f"{spec}: dtype={self._dtype!r}: known are auto, float16, bfloat16, float32")
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
        self._tensors = getattr(torch, half if self._dtype == "auto" else self._dtype)
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
            given |= {"start_merge_step": max(1, self._steps // 5)}
        try:
            image = self._pipe(
                **given,
                negative_prompt=commission.negative,
                num_inference_steps=self._steps,
                guidance_scale=self._guidance,
                height=self._size,
                width=self._size,
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
            image_encoder_folder=self._encoder,
        )
        pipe.set_ip_adapter_scale(self._strength)
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
