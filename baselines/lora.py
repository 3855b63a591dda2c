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

from baselines.corpus import IGNORED
from baselines.recipe import LoraRecipe
from mirror_bench.data.export.training_examples import FORMS, TrainingExample, examples
from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError
from mirror_bench.faces.directions.reader import read_direction
from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
from mirror_bench.faces.identity import identity_of

LANGUAGE_LAYERS = (
    r".*(language_model|text_model).*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
)
PROJECTORS = ("multi_modal_projector", "connector", "merger")
"""Names that the families give to what stands between the vision tower and the language model."""


def fine_tune(recipe: LoraRecipe, out: Path, say: Callable[[str], Any] = print) -> dict[str, Any]:
    """Fine-tunes the recipe's base model and writes the merged checkpoint.

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
    torch.manual_seed(recipe.seed)
    model, processor = load_base(recipe)
    if cuda:
        model.to("cuda")
    model.train()
    losses = take_steps(recipe, model, processor, made, say)
    merged = model.merge_and_unload()
    out.mkdir(parents=True, exist_ok=True)
    merged.save_pretrained(out)
    processor.save_pretrained(out)
    figures = {
        "title": recipe.title,
        "recipe": recipe.model_dump(),
        "examples": len(made),
        "profiles": sorted({example.profile.id for example in made}),
        "losses": losses,
    }
    (out / "training.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return figures


def read_examples(recipe: LoraRecipe) -> list[TrainingExample]:
    """Returns the training examples of the recipe's data, dev and test splits left out.

    Raises:
        InputError: If there are none.
    """
    data = load_data(recipe.data)
    splits = {profile.split for profile in data.profiles}
    if "train" in splits:
        data = data.of_split("train")
    made = list(examples(data, FORMS[recipe.form]))
    if not made:
        raise InputError(
            f"data: {recipe.data!r} gives no example to train on: name a source with screenplays"
        )
    return made


def load_base(recipe: LoraRecipe) -> tuple[Any, Any]:
    """Returns the recipe's base model with adapters to be trained, and its processor.

    Raises:
        InputError: If the weights cannot be loaded.
    """
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForImageTextToText, AutoProcessor

    try:
        processor = AutoProcessor.from_pretrained(recipe.base)
        dtype = torch.bfloat16 if recipe.precision == "bf16" else torch.float32
        model = AutoModelForImageTextToText.from_pretrained(recipe.base, dtype=dtype)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0][:200]
        raise InputError(
            f"base: {recipe.base!r} cannot be loaded ({reason}): name a folder or a Hub model"
        ) from None
    projectors = [name for name, _ in model.named_modules() if name.rpartition(".")[2] in PROJECTORS]
    config = LoraConfig(
        r=recipe.rank, lora_alpha=recipe.alpha, target_modules=LANGUAGE_LAYERS, modules_to_save=projectors
    )
    return get_peft_model(model, config), processor


def take_steps(
    recipe: LoraRecipe, model: Any, processor: Any, made: Sequence[TrainingExample], say: Callable[[str], Any]
) -> list[float]:
    """Trains for the recipe's epochs and returns the mean loss of every step.

    Args:
        recipe: What decides the steps.
        model: As `load_base` gives it, in training and where it is to be computed.
        processor: Of the model.
        made: The examples.
        say: Told a line after each step.
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
    draw = random.Random(recipe.seed)
    losses: list[float] = []
    for _ in range(recipe.epochs):
        order = draw.sample(range(len(made)), len(made))
        for start in range(0, len(order), recipe.batch):
            chosen = [made[place] for place in order[start : start + recipe.batch]]
            # One example at a time: the memory of a batch of one, the gradient of the whole batch.
            total = 0.0
            for example in chosen:
                inputs = encode(processor, example, recipe.max_length).to(model.device)
                loss = model(**inputs).loss / len(chosen)
                loss.backward()
                total += float(loss.detach())
            torch.nn.utils.clip_grad_norm_([*adapters, *projector], 1.0)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad(set_to_none=True)
            losses.append(total)
            say(f"lora     {len(losses):6d}/{steps}  loss {total:.3f}")
    return losses


def _cosine(step: int, steps: int, warm_up: float) -> float:
    rise = max(1, round(steps * warm_up))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise)))


def encode(processor: Any, example: TrainingExample, max_length: int) -> Any:
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
        face = DrawnFaces().render(identity_of(example.profile), read_direction(example.direction).expression)
        images = [Image.open(io.BytesIO(face)).convert("RGB")]
    end = processor.tokenizer.eos_token or ""
    whole = processor(text=[prompt + example.answer + end], images=images, return_tensors="pt")
    length = processor(text=[prompt], images=images, return_tensors="pt")["input_ids"].shape[1]
    if length >= max_length:
        raise InputError(f"max_length: the prompt of {example.id} takes {length} tokens: raise it above that")
    labels = whole["input_ids"].clone()
    labels[:, :length] = IGNORED
    for name in ("input_ids", "attention_mask"):
        whole[name] = whole[name][:, :max_length]
    whole["labels"] = labels[:, :max_length]
    return whole
