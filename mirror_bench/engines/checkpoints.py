"""Local checkpoints and adapters: whether they are there, what they are, and a digest of their content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Set
from dataclasses import dataclass
from pathlib import Path

from mirror_bench.errors import InputError
from mirror_bench.modelspec import ModelSpec

# Files up to this size are read whole; of larger ones, evenly spaced samples are.
_WHOLE = 64 * 2**20
_SAMPLE = 64 * 2**10
_SAMPLES = 256
# Words in the names of weights that do not belong to the language model.
_TOWER_WORDS = ("vision", "visual", "connector", "projector", "merger", "image_newline")
# The ranks that vLLM can be opened for.
_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)


@dataclass(frozen=True)
class Adapter:
    """A LoRA adapter as peft saves it.

    Attributes:
        rank: The smallest rank that vLLM offers and that holds the adapter's.
        tower: Whether it holds weights of the vision tower or the connector, which vLLM drops without a
            word unless told of them.
    """

    folder: Path
    rank: int
    tower: bool


def local_folder(model: str) -> Path | None:
    """Returns the folder of a local checkpoint, or None where the name is one of the Hugging Face Hub.

    Raises:
        InputError: If the name can only be a path and there is no checkpoint.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise InputError(
                f"{folder}: holds no config.json, so it is no checkpoint; name the folder that does"
            )
        return folder
    if folder.exists():
        raise InputError(f"{folder}: is a file; name the folder of a checkpoint")
    if model.startswith((".", "/", "~")) or model.count("/") != 1:
        raise InputError(
            f"{model}: there is no such folder; correct the path or name a model of the Hub (owner/name)"
        )
    return None


def content_digest(folder: Path) -> str:
    """Returns 12 hex digits over the names, sizes and content of a checkpoint's files.

    A model that was trained further under the same path must not be answered for from memory. Files above
    64 MiB enter by 256 evenly spaced samples of 64 KiB, so that it takes no minutes.
    """
    hashed = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")):
        if path.suffix == ".md":
            continue
        size = path.stat().st_size
        hashed.update(f"{path.name}\0{size}\0".encode())
        with path.open("rb") as file:
            if size <= _WHOLE:
                hashed.update(file.read())
                continue
            for index in range(_SAMPLES):
                file.seek((size - _SAMPLE) * index // (_SAMPLES - 1))
                hashed.update(file.read(_SAMPLE))
    return hashed.hexdigest()[:12]


def cache_identity(spec: ModelSpec, indifferent: Set[str]) -> str:
    """Returns what memory keys a local model's answers on.

    Args:
        spec: The model's name as given.
        indifferent: Options that decide no answer, to leave out.

    Returns:
        The name, with `@digest` after a local folder's own name and after an adapter's: what lies above the
        folder decides no answer.
    """
    return _by_content(spec, indifferent, lambda folder: folder.expanduser().resolve().name)


def content_identity(spec: ModelSpec, indifferent: Set[str]) -> str:
    """Returns what a local model is to a fingerprint: its `cache_identity`, with folders by digest alone.

    "transformers/./judge?batch_size=4" becomes "transformers/@1f0c…"; a model of the Hub keeps its name.
    """
    return _by_content(spec, indifferent, lambda folder: "")


def _by_content(spec: ModelSpec, indifferent: Set[str], shown: Callable[[Path], str]) -> str:
    def named(text: str) -> str:
        folder = Path(text).expanduser()
        return f"{shown(folder)}@{content_digest(folder)}" if folder.is_dir() else text

    options = {key: value for key, value in spec.options.items() if key not in indifferent}
    if "lora" in options:
        options["lora"] = named(options["lora"])
    return str(ModelSpec(spec.provider, named(spec.name), options))


def read_adapter(path: str) -> Adapter:
    """Returns the settings of a LoRA adapter that peft saved to a folder.

    Raises:
        InputError: If the folder holds none, or one of a rank that is too high.
    """
    folder = Path(path).expanduser()
    config, weights = folder / "adapter_config.json", folder / "adapter_model.safetensors"
    for file in (config, weights):
        if not file.is_file():
            raise InputError(
                f"{folder}: holds no {file.name}; name the folder that peft saved the adapter to"
            )
    from safetensors import SafetensorError, safe_open  # comes with the engines that take an adapter

    try:
        rank = int(json.loads(config.read_text(encoding="utf-8"))["r"])
        with safe_open(weights, "numpy") as opened:
            names = list(opened.keys())
    except (ValueError, KeyError, TypeError, OSError, RecursionError, SafetensorError):
        raise InputError(f"{folder}: is no readable LoRA adapter; save it again with peft") from None
    if rank > _RANKS[-1]:
        raise InputError(
            f"{folder}: rank {rank} is above {_RANKS[-1]}; merge the adapter into the model instead"
        )
    tower = any(word in name for name in names for word in _TOWER_WORDS)
    return Adapter(folder, next(known for known in _RANKS if known >= rank), tower)
