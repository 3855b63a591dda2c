"""Trains a reference model by one command: `python -m baselines.train baselines/recipes/tiny.yaml`."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from baselines.corpus import Source, read_source
from baselines.faceset import TRAIN
from baselines.grammar import Grammar, load_grammar
from baselines.recipe import LoraRecipe, Recipe, SightedRecipe, load_recipe, recipe_path
from mirror_bench.errors import InputError
from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
from mirror_bench.schema import derive_seed

FIGURES = "training.json"
"""What a training run says of itself, beside its weights."""
COMPLETE = ("model.safetensors", "config.json", "tokenizer.json", "processor_config.json", "README.md")
"""Files without which a checkpoint is not complete."""


@dataclass
class Clock:
    """Seconds per phase, in the order of the phases."""

    seconds: dict[str, float]
    _last: float

    @classmethod
    def started(cls) -> Clock:
        """Returns a clock that runs."""
        return cls({}, time.monotonic())

    def lap(self, phase: str) -> None:
        """Ends a phase; the next begins."""
        now = time.monotonic()
        self.seconds[phase] = round(now - self._last, 1)
        self._last = now


def say_at_once(line: str) -> None:
    """Prints a line of progress, even into a pipe, when it is made."""
    print(line, flush=True)


def train(recipe: Recipe, out: Path, say: Callable[[str], Any] = say_at_once) -> dict[str, Any]:
    """Trains the tiny reference model from nothing and writes a complete checkpoint.

    Args:
        recipe: What decides the model.
        out: Folder of the checkpoint; files of the same names in it are replaced.
        say: Where lines of progress go.

    Returns:
        The figures that stand in `training.json`.

    Raises:
        InputError: If there is nothing to train from.
    """
    import torch

    from baselines import card
    from baselines.architecture import make_model, make_processor, save
    from baselines.corpus import Corpus, tokenizer_texts
    from baselines.evaluate import caption_faces
    from baselines.faceset import draw_faces, sitters
    from baselines.learning import Learner
    from baselines.pixels import Pixels
    from baselines.questions import Questions, question_texts

    (out / FIGURES).unlink(missing_ok=True)
    clock = Clock.started()
    grammar, source, size = load_grammar(), read_source(), recipe.size.size()
    face = recipe.faces
    chosen = {
        split: sitters(
            grammar.seen,
            count,
            split=split,
            seed=recipe.seed,
            weakest=face.weakest,
            directions=source.directions,
        )
        for split, count in (("train", face.train), ("held-out", face.held_out))
    }
    say(f"drawing {face.train + face.held_out} faces of {len(grammar.seen)} kinds")
    seen, held_out = (
        draw_faces(each, size.image, processes=face.processes, progress=_every_thousand(say))
        for each in chosen.values()
    )
    clock.lap("faces")

    texts = tokenizer_texts(grammar, source) + (question_texts() if recipe.joint.questions else [])
    processor = make_processor(texts, size)
    model = make_model(processor, size, recipe.seed)
    images = processor.image_processor
    pixels = {
        name: Pixels(each, images.image_mean, images.image_std, derive_seed("pixels", name, recipe.seed))
        for name, each in (("train", seen), ("held_out", held_out))
    }
    torch.manual_seed(recipe.seed)
    model.train()

    def tell(phase: str, step: int, steps: int, figures: str) -> None:
        say(f"{phase:8} {step:6d}/{steps}  {figures}")

    learner = Learner(model, len(grammar.seen), **pixels, progress=tell)
    clock.lap("model")
    eyes = learner.learn_to_see(recipe.vision, recipe.seed)
    clock.lap("vision")
    corpus = Corpus(grammar, source, seen, processor, seed=recipe.seed, turns=recipe.joint.turns)
    asked = Questions(grammar, corpus, seed=recipe.seed) if recipe.joint.questions else None
    words = learner.learn_to_speak(recipe.joint, corpus, asked)
    clock.lap("joint")
    model.eval()
    save(out, model, processor)
    confusion = caption_faces(model, processor, chosen["held-out"], grammar)
    clock.lap("measuring")
    figures = {
        "title": recipe.title,
        **_decided_by(recipe, grammar, source),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "split": TRAIN,
        "profiles": sorted(profile.id for profile in source.profiles),
        "seconds": clock.seconds,
        "steps": {"vision": len(eyes.losses["seeing"]), "joint": len(words.losses["words"])},
        "loss": {"words": words.recent("words"), "captions": words.recent("captions")},
        "expression_accuracy": confusion.accuracy,
        "confusion": confusion.counts,
        "peak_memory_gb": peak_memory(),
    }
    card.draw_curve(out / "loss.png", eyes, words)
    card.write_card(out, figures, card.sample_replies(model, processor, chosen["held-out"], grammar))
    # Last, since its presence says that all the rest is there.
    (out / FIGURES).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    total = sum(clock.seconds.values())
    say(f"{out}: {confusion.accuracy:.1%} of held-out faces captioned rightly, {total:.0f} s")
    return figures


def _decided_by(recipe: Recipe, grammar: Grammar, source: Source) -> dict[str, Any]:
    """Returns what the outcome of a training depends on."""
    from baselines.questions import questions_digest

    digests = {"data_digest": source.digest, "grammar_digest": grammar.digest, "faces": DrawnFaces().name}
    if recipe.joint.questions:
        digests["questions_digest"] = questions_digest()
    return {"recipe": recipe.model_dump(), **digests}


def is_trained(recipe: Recipe, out: Path) -> bool:
    """Tells whether `out` holds a complete checkpoint, trained by this recipe on these data and templates."""
    try:
        figures = json.loads((out / FIGURES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    expected = _decided_by(recipe, load_grammar(), read_source())
    return all((out / name).is_file() for name in COMPLETE) and {
        key: figures.get(key) for key in expected
    } == json.loads(json.dumps(expected))


def _every_thousand(say: Callable[[str], Any]) -> Callable[[int], None]:
    def progress(done: int) -> None:
        if done % 1000 == 0:
            say(f"faces    {done:6d}")

    return progress


def peak_memory() -> float:
    """Returns the most memory that this process has held, in GB."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e9 if sys.platform == "darwin" else 1e6), 2)


Recipes = Recipe | LoraRecipe | SightedRecipe


def _with_choices(recipe: Recipes, choices: dict[str, str]) -> Recipes:
    """Returns a recipe with what the command line says otherwise.

    Raises:
        InputError: If it is none for LoRA, which alone has choices, or one does not exist.
    """
    given = {name: value for name, value in choices.items() if value}
    if not given:
        return recipe
    if not isinstance(recipe, LoraRecipe):
        raise InputError(f"--{next(iter(given))}: goes with a recipe for LoRA alone, such as llava-1.5-7b")
    try:
        return LoraRecipe.model_validate(recipe.model_dump() | given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputError(f"--{first['loc'][0]}: {first['msg'].lower()}") from None


def _say_plan(recipe: Recipes, gpu: str) -> bool:
    """Prints what a recipe takes; returns whether the GPU's memory is enough."""
    from baselines.lora_plan import GPUS, fits, lines_of, plan_training

    if not isinstance(recipe, LoraRecipe):
        raise InputError("--dry-run: goes with a recipe for LoRA, such as llava-1.5-7b: others need no GPU")
    if gpu not in GPUS:
        raise InputError(f"--gpu {gpu!r}: known are {', '.join(GPUS)}")
    plan = plan_training(recipe, GPUS[gpu])
    for line in lines_of(plan, recipe, gpu, GPUS[gpu]):
        click.echo(line)
    return fits(plan, GPUS[gpu])


@click.command()
@click.argument("recipe")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/reference"), show_default=True)
@click.option("--unless-trained", is_flag=True, help="Do nothing where --out is a model of this very recipe.")
@click.option("--dry-run", is_flag=True, help="Say what a LoRA recipe takes on --gpu, and stop.")
@click.option("--gpu", default="h100", show_default=True, help="Which GPU a dry run is for.")
@click.option("--data", default="", help="Other data for a LoRA recipe, such as mirror:PATH.")
@click.option("--form", default="", help="Another training set, such as ec_planning.")
@click.option("--images", default="", help="A folder of images, as data export --image-root takes it.")
def main(
    recipe: str,
    out: Path,
    unless_trained: bool,
    dry_run: bool,
    gpu: str,
    data: str,
    form: str,
    images: str,
) -> None:
    """Train the model of RECIPE, a YAML file or the name of a packaged one, and write it to --out.

    A training that was stopped goes on when the same command is given again. Exit code 1: a dry run finds
    that the GPU's memory is not enough.
    """
    os.environ.setdefault(
        "OMP_WAIT_POLICY", "PASSIVE"
    )  # spinning threads ruin a machine that does other work
    try:
        read = _with_choices(load_recipe(recipe_path(recipe)), {"data": data, "form": form, "images": images})
        if dry_run:
            sys.exit(0 if _say_plan(read, gpu) else 1)
        if isinstance(read, LoraRecipe):
            from baselines.lora import fine_tune

            fine_tune(read, out, say_at_once)
        elif isinstance(read, SightedRecipe):
            from baselines.smol.training import train_reference

            train_reference(read, out, say_at_once)
        elif unless_trained and is_trained(read, out):
            click.echo(f"{out}: already trained by this recipe")
        else:
            train(read, out)
    except InputError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
