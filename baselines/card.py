"""What a trained checkpoint says of itself: the model card, the loss curve, sample replies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from baselines.faceset import Sitter, draw_png
from baselines.grammar import Grammar
from baselines.learning import Curve
from mirror_bench.engines.base import ImagePart
from mirror_bench.schema import Profile, Speaker
from mirror_bench.therapists.prompts import PromptTurn, reply_messages

SAMPLE_WORDS = "I'm fine. It was a long week, that is all."
_SOMEBODY = Profile(id="sample", name="Sam", about="Sam, 40.", reason_for_seeking="Sleeps badly.")


def sample_replies(model: Any, processor: Any, shown: Sequence[Sitter], grammar: Grammar) -> dict[str, str]:
    """Returns the reply to the same words over each face, and without one: what is shown -> reply."""
    from baselines.evaluate import generate

    first = {grammar.seen[sitter.label].name: sitter for sitter in reversed(shown)}
    faces: dict[str, ImagePart | None] = {name: ImagePart(draw_png(first[name])) for name in sorted(first)}
    asked = [
        reply_messages(_SOMEBODY, [PromptTurn(Speaker.CLIENT, SAMPLE_WORDS, face)]) for face in faces.values()
    ]
    replies = dict(zip(faces, generate(model, processor, asked, 96), strict=True))
    alone = reply_messages(_SOMEBODY, [PromptTurn(Speaker.CLIENT, SAMPLE_WORDS)], sees=False)
    return replies | {"no face": generate(model, processor, [alone], 96)[0]}


def draw_curve(path: Path, eyes: Curve, words: Curve) -> None:
    """Draws the losses of both phases."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for axes, curve, title in ((left, eyes, "first phase: seeing"), (right, words, "second phase: speaking")):
        for name, losses in curve.losses.items():
            axes.plot(range(1, len(losses) + 1), losses, label=name, linewidth=1)
        axes.set(title=title, xlabel="step", ylabel="loss", yscale="log")
        axes.grid(alpha=0.25)
        axes.legend(frameon=False)
    if eyes.accuracy:
        share = left.twinx()
        share.plot(list(eyes.accuracy), list(eyes.accuracy.values()), "k.--", label="held-out accuracy")
        share.set(ylim=(0, 1))
        share.legend(frameon=False, loc="center right")
    figure.savefig(path, dpi=110)


def draw_losses(path: Path, figures: dict[str, Any]) -> None:
    """Draws the losses of the reference's two trainings, the eyes' and the language model's."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (name, losses) in zip(figure.subplots(1, 2), figures["losses"].items(), strict=True):
        axes.plot(range(1, len(losses) + 1), losses, linewidth=1)
        axes.set(title=name, xlabel="step", ylabel="loss", yscale="log")
        axes.grid(alpha=0.25)
    figure.savefig(path, dpi=110)


NOTICE = """SmolLM2-135M-Instruct, on which this adapter and these eyes are trained, is by Hugging Face and
under the Apache License 2.0; none of its weights are in this folder. The adapter and the eyes are
the mirror-bench project's, under the Apache License 2.0 (LICENSE of the repository).
"""


def write_reference_card(folder: Path, figures: dict[str, Any]) -> None:
    """Writes the reference's card, README.md, and its licence notice, NOTICE."""
    size, rank = figures["recipe"]["eyes"], figures["recipe"]["speech"]["rank"]
    seen = list(figures["seen"].values())[-1]
    data, recipe = figures["data_digest"][:16], figures["recipe_digest"][:16]
    times = ", ".join(f"{name} {value / 60:.0f} min" for name, value in figures["seconds"].items())
    eyes, speech = figures["losses"]["eyes"], figures["losses"]["speech"]
    (folder / "NOTICE").write_text(NOTICE, encoding="utf-8")
    (folder / "README.md").write_text(
        f"""---
license: apache-2.0
base_model: HuggingFaceTB/SmolLM2-135M-Instruct
library_name: peft
pipeline_tag: image-text-to-text
tags: [idefics3, lora, mirror-bench, research-only]
---
# {figures["title"]}

SmolLM2-135M-Instruct with eyes: a vision tower of {size["layers"]} layers and {size["width"]} wide,
a connector, and a LoRA adapter (rank {rank}) on the language model. The base is not in this folder;
`python -m baselines.assemble runs/reference` puts both together. It is a small fine-tuned baseline of
the benchmark. It is **no therapist**, and must never speak to a person in need.

## Trained on
{figures["sessions"]} sessions ({figures["replies"]} replies) that the scripted teacher
(`baselines/smol/teacher.py`) holds with the {len(figures["profiles"])} profiles of MIRROR-Mini's train split,
disclosures of danger out of `tasks/safety/bank`, drawn faces of random identities, and questions of
the static tasks about the train split's clients, screenplays and sessions. Nothing of the dev and
test splits was read; disclosures that share eight words in a row with them are left out.

- Data digest `{data}`, recipe digest `{recipe}`; the recipe and every loss stand in `training.json`.
- Loss: eyes {eyes[0]:.2f} to {_mean(eyes):.2f}, speech {speech[0]:.2f} to {_mean(speech):.2f}.
- Expression on held-out drawn identities, of 19: {seen:.1%} nearest to the right words.
- Time: {times}.

![Loss](loss.png)
""",
        encoding="utf-8",
    )


def _mean(losses: Sequence[float], steps: int = 10) -> float:
    last = losses[-steps:]
    return sum(last) / max(1, len(last))


def write_lora_card(folder: Path, figures: dict[str, Any]) -> None:
    """Writes the card, README.md, of a published model that was fine-tuned with LoRA."""
    recipe, losses = figures["recipe"], figures["losses"]
    base = Path(recipe["base"]).name if Path(recipe["base"]).is_dir() else recipe["base"]
    images = "images that were given" if recipe["images"] else "drawn faces"
    rates = f"{recipe['learning_rate']:g} ({recipe['projector_learning_rate']:g} for the projector)"
    (folder / "README.md").write_text(
        f"""---
base_model: {base}
library_name: transformers
pipeline_tag: image-text-to-text
tags: [lora, mirror-bench, research-only]
---
# {figures["title"]}

{base}, fine-tuned with LoRA (rank {recipe["rank"]}, alpha {recipe["alpha"]}) on its language layers, its
projector trained in full; both are merged into the weights of this folder. `adapter/` holds adapter and
projector alone. The base's licence holds. It is **no therapist**, and must never speak to a person in need.

## Trained on
{figures["examples"]} examples of the form {recipe["form"]}, {len(figures["profiles"])} clients, {images};
{recipe["epochs"]} epochs of {recipe["batch"]} examples a step, learning rate {rates}, {recipe["precision"]}.

- Digest of recipe and data `{figures["decided_by"][:16]}`; all losses stand in `training.json`.
- Loss: {losses[0]:.2f} at first, {_mean(losses):.2f} over the last steps.
""",
        encoding="utf-8",
    )


def write_card(folder: Path, figures: dict[str, Any], replies: dict[str, str]) -> None:
    """Writes the model card, README.md."""
    rows = "\n".join(
        f"| {shown} | {row.get(shown, 0)}/{sum(row.values())} |"
        for shown, row in figures["confusion"].items()
    )
    samples = "\n".join(f"- **{name}**: {reply}" for name, reply in replies.items())
    seconds = ", ".join(f"{phase} {value:.0f} s" for phase, value in figures["seconds"].items())
    (folder / "README.md").write_text(
        f"""---
library_name: transformers
pipeline_tag: image-text-to-text
tags: [idefics3, mirror-bench, research-only]
---
# {figures["title"]}

A tiny vision-language model ({figures["parameters"] / 1e6:.1f} M parameters, Idefics3) trained
from nothing on a CPU. It shows that the benchmark's path from a face to a score works end to end. It knows a
few hundred sentences, is **no therapist**, and must never speak to a person in need.

## Measured
- Expression named rightly on held-out drawn identities: **{figures["expression_accuracy"]:.1%}**
- Loss at the end: replies {figures["loss"]["words"]:.3f}, captions {figures["loss"]["captions"]:.3f}
- Time: {seconds}; most memory held {figures["peak_memory_gb"]} GB

| shown | named rightly |
|---|---|
{rows}

![Loss](loss.png)

## Data
The train split of MIRROR-Mini ({len(figures["profiles"])} profiles; digest `{figures["data_digest"][:16]}`),
drawn faces of random identities, and the reply templates. Nothing of the dev and test splits was read.
`training.json` holds every figure and the recipe.

## Replies to "{SAMPLE_WORDS}"
{samples}
""",
        encoding="utf-8",
    )
