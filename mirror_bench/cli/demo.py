"""`mirror-bench demo`: the main job on the packaged data, from training to report, without network or key."""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from mirror_bench.errors import InputError

if TYPE_CHECKING:
    from mirror_bench.sessions.evaluation import Evaluation

RECIPE = "tiny"


class Part(NamedTuple):
    """One candidate of the demo.

    Attributes:
        therapist: A scripted therapist, or "" for the trained reference.
        seen: The face conditions it is held under.
    """

    label: str
    therapist: str = ""
    method: str = ""
    seen: str = "matched"


SCRIPTED = (
    Part("attuned", "scripted/attuned", seen="matched,none,shuffled"),
    Part("reflective", "scripted/reflective"),
    Part("directive", "scripted/directive"),
    Part("parrot", "scripted/parrot"),
)
REFERENCE = (
    Part("reference-direct", method="direct", seen="matched,none,shuffled"),
    Part("reference-ec", method="ec"),
    Part("reference-text", method="text"),
)


@click.command()
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("runs/demo"), show_default=True)
@click.option("--recipe", default=RECIPE, show_default=True, help="Recipe of the reference therapist.")
@click.option(
    "--limit", type=click.IntRange(1), default=16, show_default=True, help="At most N of the test profiles."
)
@click.option("--skip-reference", is_flag=True, help="Only the scripted therapists: no training, no vLLM.")
def demo(out: Path, recipe: str, limit: int, skip_reference: bool) -> None:
    """Train the reference therapist, serve it with vLLM, compare it with the scripted ones and report."""
    from mirror_bench.cli.outcome import finish

    started = time.perf_counter()
    parts: tuple[Part, ...] = SCRIPTED
    if not skip_reference:
        train_reference(recipe, out / "reference")
        parts += REFERENCE
    folders = asyncio.run(_hold(parts, out, limit))
    finish(folders, out)
    click.echo(f"demo done in {(time.perf_counter() - started) / 60:.1f} minutes")


def train_reference(recipe: str, checkpoint: Path) -> None:
    """Trains the reference therapist in a process of its own, unless it has been trained by this recipe.

    Raises:
        InputError: If training is not installed or failed.
    """
    if importlib.util.find_spec("torch") is None or importlib.util.find_spec("baselines") is None:
        raise InputError(
            "training needs the extra 'train': pip install 'mirror-bench[train]', or --skip-reference"
        )
    command = [sys.executable, "-m", "baselines.train", recipe, "--out", str(checkpoint), "--unless-trained"]
    if subprocess.run(command, check=False).returncode:
        raise InputError(f"training the reference by {recipe} failed: see above, or give --skip-reference")


async def _hold(parts: tuple[Part, ...], out: Path, limit: int) -> list[Path]:
    from mirror_bench.engines.factory import open_engine
    from mirror_bench.modelspec import parse_model
    from mirror_bench.sessions.evaluation import evaluate

    folders = []
    provider = "vllm" if importlib.util.find_spec("vllm") else "transformers"
    model = f"{provider}/{out / 'reference'}"
    engine = None
    try:
        for part in parts:
            evaluation = _evaluation(part, model, out / part.label, limit)
            if not part.therapist and engine is None:
                click.echo(f"starting {model} …", err=True)
                engine = open_engine(parse_model(model))
                await engine.start()
            await evaluate(evaluation, None if part.therapist else engine)
            folders.append(evaluation.out)
    finally:
        if engine is not None:
            await engine.close()
    return folders


def _evaluation(part: Part, model: str, out: Path, limit: int) -> Evaluation:
    from mirror_bench.sessions.candidate import read_candidate
    from mirror_bench.sessions.choosing import chosen_conditions, chosen_protocol
    from mirror_bench.sessions.evaluation import Evaluation

    context = 0 if part.therapist else 3  # the reference is trained on the last exchange
    label = "" if part.therapist else "reference"
    return Evaluation(
        protocol=chosen_protocol("offline"),
        candidate=read_candidate(part.therapist or model, part.method, context, label),
        out=out,
        conditions=chosen_conditions(part.seen.split(",")),
        limit=limit,
    )
