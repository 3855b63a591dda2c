"""Trains the reference on a real language model: eyes, then LoRA; what was done before a kill stays done."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from baselines.architecture import IMAGE, initialise_vision
from baselines.faceset import TRAIN, FaceSet, Sitter, draw_faces
from baselines.grammar import load_grammar
from baselines.learning import Curve
from baselines.pixels import Pixels
from baselines.recipe import EyesPart, SightedRecipe
from baselines.smol.base import Base, load_base
from baselines.smol.body import make_config, make_processor
from baselines.smol.curriculum import Curriculum
from baselines.smol.eyes import DEVIATION, MEAN, Eyes, learn_to_see, seen_faces, word_targets
from baselines.smol.lessons import Lesson, Lessons, shown_in
from baselines.smol.looks import load_looks
from baselines.smol.shipping import decided_by, write_weights
from baselines.smol.speech import SpeechTrainer, learn_to_speak
from mirror_bench.errors import InputError
from mirror_bench.files import write_atomically
from mirror_bench.schema import Expression, derive_seed, digest

STATE = ".training"
"""Folder beside the weights in which a training keeps what it goes on from."""
LOOKED_AT = 96
"""Lessons whose faces the eyes learn from."""

Say = Callable[[str], Any]


class Body(NamedTuple):
    """What the reference is made of."""

    base: Base
    processor: Any
    config: Any
    eyes: Eyes


class Trained(NamedTuple):
    """Eyes that have learnt to see, how, and the sessions to learn from."""

    body: Body
    curve: Curve
    lessons: Sequence[Lesson]


def see(recipe: SightedRecipe, out: Path, say: Say) -> Trained:
    """Returns the reference's body, its eyes trained; what `out` holds of this training is not done again."""
    lessons = Lessons(recipe.speech, recipe.seed)
    say(f"lessons  {len(lessons)} sessions, {sum(len(lesson.turns) for lesson in lessons)} replies")
    part, state = recipe.eyes, out / STATE
    shown = shown_in(lessons[:LOOKED_AT])
    sitters = {split: sitters_of(recipe, shown, split) for split in ("train", "held-out")}
    seen = {split: drawn(state / f"faces-{split}.npz", each, part, say) for split, each in sitters.items()}
    body = make_body(recipe)
    pixels = {
        split: Pixels(faces, MEAN, DEVIATION, derive_seed("pixels", split, recipe.seed))
        for split, faces in seen.items()
    }
    targets = body_targets(body)
    progress = functools.partial(_tell, say, time.monotonic())
    curve = learn_to_see(
        body.eyes,
        targets,
        pixels["train"],
        pixels["held-out"],
        part,
        recipe.seed,
        state / "eyes.pt",
        progress,
    )
    return Trained(body, curve, lessons)


def sitters_of(recipe: SightedRecipe, shown: Sequence[Expression], split: str) -> list[Sitter]:
    """Returns the faces that a recipe learns to see, or is measured with ("held-out")."""
    part = recipe.eyes
    count = part.faces if split == TRAIN else part.held_out
    return seen_faces(count, shown, split=split, seed=recipe.seed, sessions=part.sessions)


def make_body(recipe: SightedRecipe) -> Body:
    """Returns the base model, and eyes that have seen nothing yet."""
    base = load_base(recipe.base)
    processor = make_processor(base.tokenizer, recipe.eyes)
    config = make_config(base.model.config, processor, recipe.eyes)
    torch.manual_seed(recipe.seed)
    eyes = Eyes(config)
    initialise_vision(eyes.vision_model)
    return Body(base, processor, config, eyes)


def body_targets(body: Body) -> torch.Tensor:
    """Returns what the image tokens of each look are drawn to."""
    embeddings = body.base.model.get_input_embeddings().weight.detach()
    return word_targets(
        embeddings,
        lambda word: body.base.tokenizer(word, add_special_tokens=False)["input_ids"],
        load_looks(),
    )


def drawn(path: Path, sitters: Sequence[Sitter], part: EyesPart, say: Say) -> FaceSet:
    """Returns the faces, drawn once and then read from `path`."""
    name = digest([part.image, [[s.identity.line(), s.expression.line(), str(s.label)] for s in sitters]])
    if path.is_file():
        with np.load(path) as kept:
            if str(kept["name"]) == name:
                return FaceSet(kept["pixels"], kept["labels"], kept["signs"])

    def progress(done: int) -> None:
        if done % 500 == 0:
            say(f"faces    {done:6d}/{len(sitters)}")

    faces = draw_faces(sitters, part.image, processes=part.processes, progress=progress)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, name=name, pixels=faces.pixels, labels=faces.labels, signs=faces.signs)
    partial.replace(path)
    return faces


def _tell(say: Say, began: float, phase: str, step: int, steps: int, figures: str) -> None:
    say(f"{phase:8} {step:6d}/{steps}  {figures}")


def curriculum_of(recipe: SightedRecipe, lessons: Sequence[Lesson], processor: Any) -> Curriculum:
    """Returns what a recipe's language model learns, step by step."""
    return Curriculum(lessons, load_grammar().plans, processor, recipe.speech, recipe.seed)


def train_reference(recipe: SightedRecipe, out: Path, say: Say) -> dict[str, Any]:
    """Trains the reference and writes its weights: eyes, adapter, card and figures.

    Args:
        recipe: What decides the model.
        out: Folder of the weights; a training that was cut off goes on from what it left there.
        say: Where lines of progress go.

    Returns:
        The figures that stand in `training.json`.

    Raises:
        InputError: If what `out` holds was begun by another recipe or on other data.
    """
    began = time.monotonic()
    _refuse_another(recipe, out / STATE)
    say("a training that is stopped goes on from where it was when the same command is given again")
    seen = see(recipe, out, say)
    curriculum = curriculum_of(recipe, seen.lessons, seen.body.processor)
    speaker = make_speaker(recipe, seen.body)
    speech = learn_to_speak(
        speaker,
        curriculum,
        body_targets(seen.body),
        out / STATE / "speech.pt",
        functools.partial(_tell, say, began),
    )
    return write_weights(out, recipe, seen, speaker, speech)


def _refuse_another(recipe: SightedRecipe, state: Path) -> None:
    """Notes whose training a folder holds; raises InputError where it is another one's."""
    noted, decided = state / "decided_by.json", decided_by(recipe)
    if noted.is_file() and json.loads(noted.read_bytes()) != decided:
        raise InputError(
            f"{state}: is of a training by another recipe or on other data: name another --out, or remove "
            "that folder to begin anew"
        )
    write_atomically(noted, json.dumps(decided).encode())


def begin_to_speak(recipe: SightedRecipe, steps: int) -> list[float]:
    """Returns the losses of the language model's first steps, which depend on no eyes, and keeps nothing."""
    body = make_body(recipe)
    curriculum = curriculum_of(recipe, Lessons(recipe.speech, recipe.seed), body.processor)
    curve = learn_to_speak(
        make_speaker(recipe, body), curriculum, body_targets(body), None, lambda *_: None, steps
    )
    return curve.losses["speaking"]


def make_speaker(recipe: SightedRecipe, body: Body) -> SpeechTrainer:
    """Returns the language model with an adapter that changes nothing yet."""
    tokens = body.processor.tokenizer
    image = tokens.convert_tokens_to_ids(IMAGE)
    return SpeechTrainer(body.base.model, image, tokens.pad_token_id, recipe.speech, recipe.seed)
