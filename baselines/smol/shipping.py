"""The reference's weights as they ship, and the folder that engines open: base and weights."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baselines.architecture import TEMPLATES
from baselines.card import draw_losses, write_reference_card
from baselines.corpus import read_source
from baselines.recipe import EyesPart
from baselines.smol.base import Base, load_base
from baselines.smol.body import join, make_config, make_processor
from baselines.smol.curriculum import VERSION
from baselines.smol.quiz import ASKED
from baselines.smol.speech import TARGETS
from mirror_bench.clients.stateful.client import StatefulClient
from mirror_bench.coding.safety.bank import content_digest as bank_digest
from mirror_bench.content import content_path
from mirror_bench.errors import InputError
from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
from mirror_bench.protocol import identity
from mirror_bench.schema import digest

if TYPE_CHECKING:
    from baselines.learning import Curve
    from baselines.recipe import SightedRecipe
    from baselines.smol.speech import SpeechTrainer
    from baselines.smol.training import Trained

SHIPPED = Path(__file__).resolve().parents[1] / "weights" / "smol"
EYES, ADAPTER, ADAPTER_CONFIG = "eyes.safetensors", "adapter_model.safetensors", "adapter_config.json"
FIGURES = "training.json"
PREFIX = "base_model.model.model."
LAYERS = r".*text_model\.layers\.({})\.(self_attn|mlp)\.({})"
"""What the adapter changes, as peft finds it in an Idefics3: layers of the language model alone."""
STAMP = "assembled.json"
"""In a folder put together: of which weights and which base. Written last."""


def write_weights(
    out: Path, recipe: SightedRecipe, seen: Trained, speaker: SpeechTrainer, speech: Curve
) -> dict[str, Any]:
    """Writes eyes, adapter and figures to `out` and returns the figures."""
    import torch
    from safetensors.torch import save_file

    out.mkdir(parents=True, exist_ok=True)
    half = torch.bfloat16
    eyes = {name: value.to(half).contiguous() for name, value in seen.body.eyes.state_dict().items()}
    save_file(eyes, out / EYES, metadata={"format": "pt"})
    adapter = {
        name.replace(f"{PREFIX}layers.", f"{PREFIX}text_model.layers.").replace(".default.", "."): value.to(
            half
        ).contiguous()
        for name, value in speaker.master.items()
    }
    save_file(adapter, out / ADAPTER, metadata={"format": "pt"})
    config = {
        "peft_type": "LORA",
        "task_type": None,
        "base_model_name_or_path": recipe.base,
        "r": recipe.speech.rank,
        "lora_alpha": recipe.speech.alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "target_modules": LAYERS.format(
            "|".join(sorted({name.split(".")[5] for name in adapter}, key=int)), "|".join(TARGETS)
        ),
        "modules_to_save": None,
    }
    (out / ADAPTER_CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    figures = {
        "title": recipe.title,
        "recipe": recipe.model_dump(),
        **decided_by(recipe),
        "profiles": sorted({lesson.profile.id for lesson in seen.lessons}),
        "sessions": len(seen.lessons),
        "replies": sum(len(lesson.turns) for lesson in seen.lessons),
        "seconds": {"eyes": round(seen.curve.seconds), "speech": round(speech.seconds)},
        "seen": {str(step): round(value, 4) for step, value in seen.curve.accuracy.items()},
        "losses": {
            "eyes": [round(value, 4) for value in seen.curve.losses["seeing"]],
            "speech": [round(value, 4) for value in speech.losses["speaking"]],
        },
    }
    draw_losses(out / "loss.png", figures)
    write_reference_card(out, figures)
    (out / FIGURES).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return figures


def decided_by(recipe: SightedRecipe) -> dict[str, str]:
    """Returns the digests of what the outcome of a training depends on: the recipe, and all that it reads."""
    names = {
        "therapists": ("attuned.yaml", "listening.yaml", "directive.yaml", "parrot.yaml"),
        "prompts": tuple(f"therapist_{name}.jinja" for name in ("system", "flat", "caption", "plan")),
        "lm_eval": tuple(f"{name}.yaml" for name in ("statements", "labels", "techniques", *ASKED)),
    }
    files = [content_path(folder, name) for folder, found in names.items() for name in found]
    files.append(content_path("techniques.yaml"))
    files += sorted(TEMPLATES.glob("*.yaml"))
    texts = [path.read_text(encoding="utf-8") for path in files]
    return {
        "recipe_digest": digest(recipe.model_dump()),
        "data_digest": digest(
            [
                VERSION,
                read_source().digest,
                bank_digest(),
                identity(StatefulClient.stands_on()),
                DrawnFaces().name,
                texts,
            ]
        ),
    }


def read_figures(weights: Path) -> dict[str, Any]:
    """Returns the figures that a training wrote beside its weights.

    Raises:
        InputError: If there are no weights.
    """
    for name in (EYES, ADAPTER, ADAPTER_CONFIG, FIGURES):
        if not (weights / name).is_file():
            raise InputError(
                f"{weights}: holds no {name}: the reference's weights come with the repository "
                "(baselines/weights), or train them by `make reference`"
            )
    figures: dict[str, Any] = json.loads((weights / FIGURES).read_text(encoding="utf-8"))
    return figures


def weights_digest(weights: Path) -> str:
    """Returns 12 hex digits over eyes and adapter."""
    hashed = hashlib.sha256()
    for name in (EYES, ADAPTER, ADAPTER_CONFIG):
        hashed.update((weights / name).read_bytes())
    return hashed.hexdigest()[:12]


def assemble(weights: Path, out: Path, *, merged: bool = True, base: str = "") -> Path:
    """Puts base and weights together as a folder that transformers and vLLM open; what is there is kept.

    Args:
        weights: Folder with eyes and adapter.
        out: The folder to write. Not merged, the adapter stands beside the model, in `out`/adapter.
        merged: Whether the adapter is merged into the language model.
        base: The base model, where it is not the one of the recipe.

    Returns:
        `out`.

    Raises:
        InputError: If weights or base are missing, saying how to get them.
    """
    figures = read_figures(weights)
    recipe = figures["recipe"]
    name = base or recipe["base"]
    stamp = {"weights": weights_digest(weights), "base": name, "merged": merged}
    if _stamp(out) == stamp:
        return out
    (out / STAMP).unlink(missing_ok=True)
    loaded = load_base(name)
    model, processor = put_together(weights, loaded, EyesPart(**recipe["eyes"]))
    if merged:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, str(weights)).merge_and_unload()
    out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out, safe_serialization=True)
    processor.save_pretrained(out)
    if not merged:
        (out / "adapter").mkdir(exist_ok=True)
        for file in (ADAPTER, ADAPTER_CONFIG):
            shutil.copyfile(weights / file, out / "adapter" / file)
    (out / STAMP).write_text(json.dumps(stamp) + "\n", encoding="utf-8")
    return out


def put_together(weights: Path, base: Base, part: EyesPart) -> tuple[Any, Any]:
    """Returns the base with the trained eyes, not yet the adapter, and the processor."""
    from safetensors.torch import load_file

    from baselines.smol.eyes import Eyes

    processor = make_processor(base.tokenizer, part)
    config = make_config(base.model.config, processor, part)
    eyes = Eyes(config).float()
    eyes.load_state_dict({key: value.float() for key, value in load_file(weights / EYES).items()})
    return join(base, eyes, processor, config), processor


def _stamp(out: Path) -> Mapping[str, Any] | None:
    try:
        stamp: Mapping[str, Any] = json.loads((out / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return stamp if (out / "model.safetensors").is_file() and (out / "config.json").is_file() else None
