"""Fine-tunes a published vision-language model with LoRA, as Kim et al. (2025) did with LLaVA-1.5.

The adapters go into the language layers and the projector is trained in full; both are merged before saving,
because servers ignore or mishandle adapters of a projector without saying so.
"""

from __future__ import annotations

import io
import json
import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from baselines.card import write_lora_card
from baselines.corpus import IGNORED
from baselines.lora_state import TrainingState
from baselines.recipe import LoraRecipe
from mirror_bench.data.export.training_examples import TRAINING_FORMS, TrainingExample, examples
from mirror_bench.data.sources.registry import load_data
from mirror_bench.engines.without_video import spare_videos
from mirror_bench.errors import InputError
from mirror_bench.faces.directions.reader import read_direction
from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
from mirror_bench.faces.identity import identity_of
from mirror_bench.schema import derive_seed, digest

LANGUAGE_LAYERS = (
    r".*(language_model|text_model).*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
)
PROJECTORS = ("multi_modal_projector", "connector", "merger")
"""Names that the families give to what stands between the vision tower and the language model."""
FIGURES, ADAPTER, STATE = "training.json", "adapter", ".training"
"""In the checkpoint's folder: what a training says of itself, the adapter alone, what one goes on from."""


def fine_tune(recipe: LoraRecipe, out: Path, say: Callable[[str], Any] = print) -> dict[str, Any]:
    """Fine-tunes the recipe's base model and writes the merged checkpoint, its adapter and its card.

    What was stopped, even killed, goes on from the last step that was kept; what is done is not done again.

    Args:
        recipe: What decides the model.
        out: Folder of the checkpoint.
        say: Where lines of progress go.

    Returns:
        The figures that stand in `training.json`.

    Raises:
        InputError: If the precision needs a GPU that is not there, the weights cannot be loaded, or the data
            gives no example.
    """
    import torch

    cuda = torch.cuda.is_available()
    if recipe.precision == "bf16" and not cuda:
        raise InputError(
            f"precision: bf16 training of {recipe.base} needs a GPU and none was found: "
            "use a machine with one, or train baselines/recipes/tiny.yaml"
        )
    made = read_examples(recipe)
    decided_by = digest([recipe.model_dump(exclude={"save_every", "architecture"}), _told(made)])
    if (known := _finished(out, decided_by)) is not None:
        say(f"{out}: already trained by this recipe on these data")
        return known
    torch.manual_seed(recipe.seed)
    model, processor = load_base(recipe)
    if cuda:
        model.to("cuda")
    if recipe.checkpointing:
        model.gradient_checkpointing_enable()
        model.enable_input_require_grads()
    model.train()
    state = TrainingState(out / STATE, decided_by)
    losses = take_steps(recipe, model, processor, made, say, state)
    (out / FIGURES).unlink(missing_ok=True)
    model.save_pretrained(out / ADAPTER)
    merged = model.merge_and_unload()
    merged.save_pretrained(out)
    _save_processor(processor, recipe, out)
    figures = {
        "title": recipe.title,
        "recipe": recipe.model_dump(),
        "decided_by": decided_by,
        "examples": len(made),
        "profiles": sorted({example.profile.id for example in made}),
        "losses": losses,
    }
    write_lora_card(out, figures)
    # Last, since its presence says that all the rest is there.
    (out / FIGURES).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    state.forget()
    return figures


def _told(made: Sequence[TrainingExample]) -> list[list[str]]:
    return [[example.id, example.image, example.prompt, example.answer] for example in made]


def _finished(out: Path, decided_by: str) -> dict[str, Any] | None:
    """Returns the figures of a finished training of this very recipe and data, or None."""
    try:
        figures: dict[str, Any] = json.loads((out / FIGURES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return figures if figures.get("decided_by") == decided_by else None


def _save_processor(processor: Any, recipe: LoraRecipe, out: Path) -> None:
    """Writes what reads texts and images; where a processor of videos lacks, the base's own files."""
    try:
        processor.save_pretrained(out)
    except (AttributeError, TypeError, ImportError):
        processor.tokenizer.save_pretrained(out)
        processor.image_processor.save_pretrained(out)
        base = Path(recipe.base)
        for name in ("preprocessor_config.json", "processor_config.json", "chat_template.jinja"):
            if (base / name).is_file():
                (out / name).write_bytes((base / name).read_bytes())


def read_examples(recipe: LoraRecipe) -> list[TrainingExample]:
    """Returns the training examples of the recipe's data, dev and test splits left out.

    Raises:
        InputError: If there are none.
    """
    data = load_data(recipe.data)
    splits = {profile.split for profile in data.profiles}
    if "train" in splits:
        data = data.of_split("train")
    root = Path(recipe.images) if recipe.images else None
    if root is not None and not root.is_dir():
        raise InputError(f"images: {recipe.images!r} is no folder: it holds <idx>/turn:<n>_<identity>.png")
    made = list(examples(data, TRAINING_FORMS[recipe.form], image_root=root))
    if not made:
        raise InputError(
            f"data: {recipe.data!r} gives no example to train on: name a source with screenplays, and "
            "with the plans and images that form and images ask for"
        )
    return made


def load_base(recipe: LoraRecipe) -> tuple[Any, Any]:
    """Returns the recipe's base model with adapters to be trained, and its processor.

    Raises:
        InputError: If the weights cannot be loaded.
    """
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    spare_videos()
    try:
        processor = AutoProcessor.from_pretrained(recipe.base)
        dtype = torch.bfloat16 if recipe.precision == "bf16" else torch.float32
        model = AutoModelForImageTextToText.from_pretrained(recipe.base, dtype=dtype)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0][:200]
        raise InputError(
            f"base: {recipe.base!r} cannot be loaded ({reason}): name a folder or a Hub model"
        ) from None
    return with_adapters(model, recipe), processor


def with_adapters(model: Any, recipe: LoraRecipe) -> Any:
    """Returns a model with LoRA in its language layers and its projector trained in full.

    Raises:
        InputError: If the model has no layer of these names.
    """
    from peft import LoraConfig, get_peft_model

    projectors = [name for name, _ in model.named_modules() if name.rpartition(".")[2] in PROJECTORS]
    config = LoraConfig(
        r=recipe.rank, lora_alpha=recipe.alpha, target_modules=LANGUAGE_LAYERS, modules_to_save=projectors
    )
    try:
        return get_peft_model(model, config)
    except ValueError as error:
        raise InputError(f"base: {recipe.base!r} takes no adapter ({str(error)[:200]})") from None


def take_steps(
    recipe: LoraRecipe,
    model: Any,
    processor: Any,
    made: Sequence[TrainingExample],
    say: Callable[[str], Any],
    state: TrainingState | None = None,
) -> list[float]:
    """Trains for the recipe's epochs and returns the mean loss of every step.

    Args:
        recipe: What decides the steps.
        model: As `load_base` gives it, in training and where it is to be computed.
        processor: Of the model.
        made: The examples.
        say: Told a line after each step.
        state: Where the training goes on from and is kept; None keeps none.
    """
    import torch

    projector = [p for name, p in model.named_parameters() if p.requires_grad and "modules_to_save" in name]
    known = {id(p) for p in projector}
    adapters = [p for p in model.parameters() if p.requires_grad and id(p) not in known]
    optimiser = torch.optim.AdamW(
        [
            {"params": adapters, "lr": recipe.learning_rate},
            {"params": projector, "lr": recipe.projector_learning_rate},
        ],
        weight_decay=0.0,
    )
    steps = math.ceil(len(made) / recipe.batch) * recipe.epochs
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _cosine(step, steps, recipe.warm_up))
    losses = state.restore(model, optimiser, schedule) if state else []
    if losses:
        say(f"lora     {len(losses):6d}/{steps}  goes on")
    per_epoch = math.ceil(len(made) / recipe.batch)
    for epoch in range(len(losses) // per_epoch, recipe.epochs):
        draw = random.Random(derive_seed("lora", recipe.seed, epoch))
        order = draw.sample(range(len(made)), len(made))
        first = (len(losses) - epoch * per_epoch) * recipe.batch
        for start in range(first, len(order), recipe.batch):
            chosen = [made[place] for place in order[start : start + recipe.batch]]
            # One example at a time: the memory of a batch of one, the gradient of the whole batch.
            total = 0.0
            for example in chosen:
                inputs = encode(processor, example, recipe.max_length, recipe.images).to(model.device)
                loss = model(**inputs).loss / len(chosen)
                loss.backward()
                total += float(loss.detach())
            torch.nn.utils.clip_grad_norm_([*adapters, *projector], 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad(set_to_none=True)
            losses.append(total)
            if state and len(losses) % recipe.save_every == 0:
                state.keep(model, optimiser, schedule, losses)
            say(f"lora     {len(losses):6d}/{steps}  loss {total:.3f}")
    return losses


def _cosine(step: int, steps: int, warm_up: float) -> float:
    rise = max(1, round(steps * warm_up))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def encode(processor: Any, example: TrainingExample, max_length: int, image_root: str = "") -> Any:
    """Returns one example as model inputs, its answer alone to be learnt.

    Raises:
        InputError: If the prompt alone is longer than `max_length` tokens.
    """
    from PIL import Image

    text = example.prompt.removeprefix("<image>").strip()
    content = [{"type": "image"}] if example.image else []
    asked = [{"role": "user", "content": [*content, {"type": "text", "text": text}]}]
    prompt = processor.apply_chat_template(asked, add_generation_prompt=True)
    images = None
    if example.image:
        images = [Image.open(io.BytesIO(_picture(example, image_root))).convert("RGB")]
    end = processor.tokenizer.eos_token or ""
    whole = processor(text=[prompt + example.answer + end], images=images, return_tensors="pt")
    length = processor(text=[prompt], images=images, return_tensors="pt")["input_ids"].shape[1]
    if length >= max_length:
        raise InputError(f"max_length: the prompt of {example.id} takes {length} tokens: raise it above that")
    labels = whole["input_ids"].clone()
    labels[:, :length] = IGNORED
    per_token = [name for name, values in whole.items() if values.shape == labels.shape]
    for name in per_token:  # some families say of every token, too, whether it is of an image
        whole[name] = whole[name][:, :max_length]
    whole["labels"] = labels[:, :max_length]
    return whole


def _picture(example: TrainingExample, image_root: str) -> bytes:
    """Returns the bytes of an example's image: one that lies there, or one that is drawn."""
    if not image_root:
        identity = identity_of(example.profile)
        return DrawnFaces().render(identity, read_direction(example.direction).expression)
    path = Path(image_root) / example.image
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"images: {path}: cannot be read ({error.strerror})") from None
