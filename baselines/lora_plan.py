"""What a fine-tuning would take on a given GPU: memory, steps and hours, before anything is loaded or begun.

Parameters are counted on the model itself, built without storage. The rest is arithmetic: what a layer keeps
for the backward pass, and the share of a GPU's peak that training one example at a time reaches.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from baselines.lora import PROJECTORS, read_examples, with_adapters
from baselines.recipe import LoraRecipe
from mirror_bench.data.export.training_examples import TrainingExample
from mirror_bench.errors import InputError

CHARACTERS = 4.2
"""Letters of English in a token, about."""
_SHARE = 0.35
_OVERHEAD = 1.5e9


class Gpu(NamedTuple):
    """A GPU: memory in GB, and dense bf16 arithmetic in TFLOPS as its maker states it."""

    memory: float
    tflops: float


GPUS: Mapping[str, Gpu] = {
    "h200": Gpu(141, 989),
    "h100": Gpu(80, 989),
    "a100": Gpu(80, 312),
    "a100-40": Gpu(40, 312),
    "l40s": Gpu(48, 362),
    "a6000": Gpu(48, 155),
    "rtx4090": Gpu(24, 165),
    "l4": Gpu(24, 121),
}


class ModelSizes(NamedTuple):
    """The parameter counts of a model, and of what LoRA adds to it.

    Attributes:
        language: Parameters that every token passes, without embeddings.
        whole: All parameters of the base.
        adapters: Parameters of LoRA, in `layers` matrices.
        projector: Parameters of what is trained in full.
    """

    whole: int
    language: int
    vision: int
    adapters: int
    layers: int
    projector: int
    width: int
    inner: int
    depth: int
    vocabulary: int
    image_tokens: int


class TrainingPlan(NamedTuple):
    """The memory, steps and hours that a fine-tuning would take.

    Attributes:
        tokens: Of an example on average, and `longest` of the longest; images included.
        memory: In GB, by part.
    """

    sizes: ModelSizes
    examples: int
    tokens: float
    longest: int
    steps: int
    memory: Mapping[str, float]
    hours: float

    @property
    def needed(self) -> float:
        """GB in all."""
        return sum(self.memory.values())


def plan_training(recipe: LoraRecipe, gpu: Gpu) -> TrainingPlan:
    """Returns what the recipe's training would take; no weights are read.

    Raises:
        InputError: If the data give no example, or nothing says how large the base is.
    """
    made = read_examples(recipe)
    sizes = measure(recipe)
    lengths = _lengths(made, sizes.image_tokens, recipe.max_length)
    tokens, longest = sum(lengths) / len(lengths), max(lengths)
    steps = math.ceil(len(made) / recipe.batch) * recipe.epochs
    bytes_per = 2 if recipe.precision == "bf16" else 4
    per_layer = longest * (52 * sizes.width + 12 * sizes.inner)
    kept = per_layer * sizes.depth
    if recipe.checkpointing:
        kept = per_layer + longest * sizes.width * bytes_per * sizes.depth
    memory = {
        "weights": (sizes.whole + sizes.projector) * bytes_per / 1e9,
        "adapters and optimiser": (sizes.adapters * 16 + sizes.projector * 4 * bytes_per) / 1e9,
        "activations": kept / 1e9,
        "logits": longest * sizes.vocabulary * 10 / 1e9,
        "the rest": _OVERHEAD / 1e9,
    }
    attention = 4 * sizes.depth * sizes.width * tokens
    passes = 3 if recipe.checkpointing else 2  # forward, backward through frozen weights, and again
    work = passes * (2 * sizes.language + attention) + 6 * sizes.adapters
    seen = 2 * sizes.vision * (sizes.image_tokens + 1)
    flops = len(made) * recipe.epochs * (tokens * work + seen)
    hours = flops / (gpu.tflops * 1e12 * _SHARE) / 3600
    return TrainingPlan(sizes, len(made), tokens, longest, steps, memory, hours)


def measure(recipe: LoraRecipe) -> ModelSizes:
    """Returns how large the recipe's base is, built without storage, with its adapters.

    Raises:
        InputError: If its configuration is neither in the recipe nor at hand.
    """
    import torch
    from transformers import AutoModelForImageTextToText

    config = _config(recipe)
    with torch.device("meta"):
        model = AutoModelForImageTextToText.from_config(config)
    whole = sum(parameter.numel() for parameter in model.parameters())
    tower = sum(p.numel() for name, p in model.named_parameters() if _sees(name))
    projector = sum(p.numel() for name, p in model.named_parameters() if _projects(name))
    text = config.get_text_config()
    heads = sum(p.numel() for name, p in model.named_parameters() if "embed_tokens" in name)
    with torch.device("meta"):
        adapted = with_adapters(model, recipe)
    adapters = [p.numel() for name, p in adapted.named_parameters() if "lora_" in name]
    return ModelSizes(
        whole=whole,
        language=whole - tower - projector - heads,
        vision=tower,
        adapters=sum(adapters),
        layers=len(adapters) // 2,
        projector=projector,
        width=text.hidden_size,
        inner=text.intermediate_size,
        depth=text.num_hidden_layers,
        vocabulary=text.vocab_size,
        image_tokens=_image_tokens(config),
    )


def lines_of(plan: TrainingPlan, recipe: LoraRecipe, name: str, gpu: Gpu) -> list[str]:
    """Returns a training plan as lines of text."""
    sizes, parts = plan.sizes, ", ".join(f"{what} {many:.1f}" for what, many in plan.memory.items())
    remedy = "checkpointing: true in the recipe" if not recipe.checkpointing else "a GPU with more memory"
    return [
        f"{recipe.title}: a dry run; nothing is loaded or trained",
        f"examples  {plan.examples:,} of {recipe.data} ({recipe.form}), about {plan.tokens:,.0f} tokens "
        f"each, the longest {plan.longest:,}",
        f"trained   {sizes.adapters / 1e6:,.1f} M parameters of LoRA in {sizes.layers} matrices and "
        f"{sizes.projector / 1e6:,.1f} M of the projector; {sizes.whole / 1e6:,.0f} M in all",
        f"memory    {plan.needed:.1f} GB ({parts}) of {gpu.memory:g} GB on {name}: "
        + ("fits" if fits(plan, gpu) else f"does not fit; try {remedy}"),
        f"steps     {plan.steps:,} of {recipe.batch} examples, in {recipe.epochs} epochs",
        f"time      about {_clock(plan.hours)} at {_SHARE:.0%} of the peak of one {name}",
        "Parameters and steps are counted; lengths, memory and time are estimates by formula, not measured.",
    ]


def fits(plan: TrainingPlan, gpu: Gpu) -> bool:
    """Whether the memory is enough, with a twentieth to spare."""
    return plan.needed <= gpu.memory * 0.95


def _clock(hours: float) -> str:
    return f"{hours:.1f} h" if hours >= 1 else f"{max(1, round(hours * 60))} min"


def _sees(name: str) -> bool:
    return ("vision" in name or ".visual." in f".{name}") and not _projects(name)


def _projects(name: str) -> bool:
    return any(f".{part}." in f".{name}" for part in PROJECTORS)


def _config(recipe: LoraRecipe) -> Any:
    from transformers import AutoConfig

    if recipe.architecture and not Path(recipe.base).is_dir():
        values = dict(recipe.architecture)
        kind = values.pop("model_type", "")
        try:
            return AutoConfig.for_model(kind, **values)
        except (ValueError, TypeError) as error:
            raise InputError(f"architecture: {str(error).splitlines()[0][:200]}") from None
    try:
        return AutoConfig.from_pretrained(recipe.base)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0][:200]
        raise InputError(
            f"base: the size of {recipe.base!r} is not known ({reason}): name a folder, or give architecture"
        ) from None


def _image_tokens(config: Any) -> int:
    """Returns how many tokens one face of 336 x 336 takes."""
    if length := getattr(config, "image_seq_length", None):
        return int(length)
    vision = config.vision_config
    patch = int(getattr(vision, "patch_size", 14)) * int(getattr(vision, "spatial_merge_size", 1))
    return (336 // patch) ** 2


def _lengths(made: Sequence[TrainingExample], image_tokens: int, most: int) -> list[int]:
    """Returns about how many tokens each example is."""
    return [
        min(
            most,
            round((len(one.prompt) + len(one.answer)) / CHARACTERS) + (image_tokens if one.image else 0),
        )
        for one in made
    ]
