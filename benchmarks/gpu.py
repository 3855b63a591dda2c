"""What a GPU gives, in under eight minutes and without a hub: `python -m benchmarks.gpu --out gpu.json`.

Models of true shape with random weights (`benchmarks.random_models`) are made on the spot, opened with vLLM,
or with transformers where vLLM is absent, and held in sessions by the runner; then the LoRA recipe of
LLaVA-1.5 is trained for a few steps. Speed and memory follow from shapes alone; what random models say means
nothing.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import itertools
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from benchmarks.random_models import MODELS
from benchmarks.runner import RecordingEngine, hold, raw, scenarios
from mirror_bench.engines.base import Engine
from mirror_bench.engines.factory import open_engine
from mirror_bench.errors import InputError
from mirror_bench.modelspec import parse_model
from mirror_bench.sessions.candidate import read_candidate

LORA = "llava-1.5-7b"


class Extent(NamedTuple):
    """How much is measured.

    Attributes:
        tiny: Whether models of a tiny shape are made.
        at: Sessions at once; as many are held.
        steps: Of the LoRA recipe.
        batch: Examples per step.
        max_length: Longest example, in tokens.
    """

    tiny: bool = False
    at: tuple[int, ...] = (8, 32)
    steps: int = 3
    batch: int = 8
    max_length: int = 2048


class TimeBudget:
    """Knows how much of the time is left.

    Args:
        budget: Seconds in all.
    """

    def __init__(self, budget: float) -> None:
        self._end = time.monotonic() + budget
        self.left_out: list[str] = []

    def allows(self, part: str, seconds: float) -> bool:
        """Tells whether a part that takes about so long still fits; what does not is listed."""
        if time.monotonic() + seconds <= self._end:
            return True
        self.left_out.append(part)
        return False


def measure(
    models: Sequence[str], extent: Extent, clock: TimeBudget, place: Path, say: Callable[[str], None]
) -> dict[str, float | str]:
    """Returns name -> figure.

    Args:
        models: Of `MODELS`.
        extent: How much is measured.
        clock: Leaves out what no longer fits.
        place: An empty folder with room for a model, 16 GB at true shape.
        say: Told what is being done.
    """
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    serve = "vllm" if device == "cuda" and importlib.util.find_spec("vllm") else "transformers"
    figures: dict[str, float | str] = {"device": _device(device), "engine": serve}
    scale = 0.02 if extent.tiny else 1.0
    for name in models:
        if not clock.allows(name, 150 * scale):
            continue
        made = MODELS[name]
        folder = place / name
        say(f"{name}: making it")
        started = time.perf_counter()
        count = made.save(folder, made.tiny if extent.tiny else made.true, device)
        figures[f"{name}_parameters_billions"] = round(count / 1e9, 3)
        figures[f"{name}_made_s"] = round(time.perf_counter() - started, 1)
        say(f"{name}: holding sessions with {serve}")
        spec = f"{serve}/{folder}?max_images={made.images}"
        served = asyncio.run(_serve(spec, extent, clock, name))
        figures |= {f"{name}_{key}": value for key, value in served.items()}
        if name == LORA and clock.allows("lora", 90 * scale):
            say("lora: training")
            figures |= {f"lora_{key}": value for key, value in _lora(folder, extent).items()}
        _remove(folder)
    return figures


async def _serve(spec: str, extent: Extent, clock: TimeBudget, name: str) -> dict[str, float]:
    import torch

    figures: dict[str, float] = {}
    started = time.perf_counter()
    engine: Engine = open_engine(parse_model(spec))
    await engine.start()
    figures["loaded_s"] = round(time.perf_counter() - started, 1)
    candidate = read_candidate(spec, "direct", 0, name)
    try:
        for count in extent.at:
            if not clock.allows(f"{name} at {count}", 5 if extent.tiny else 45):
                continue
            kept = RecordingEngine(engine)
            due = scenarios(count, 7000 + count)
            turns = 2 if extent.tiny else 4
            runner = await hold(candidate, due, count, kept, turns=turns)
            alone = await raw(engine, kept.requests, count)
            figures[f"runner_{count}_tokens_per_s"] = round(runner.tokens_per_s, 1)
            figures[f"raw_{count}_tokens_per_s"] = round(alone.tokens_per_s, 1)
            figures[f"runner_over_raw_at_{count}"] = round(runner.tokens_per_s / alone.tokens_per_s, 3)
        if torch.cuda.is_available():
            free, total = torch.cuda.mem_get_info()
            figures["gpu_gib_taken"] = round((total - free) / 2**30, 1)
    finally:
        await engine.close()
        del engine
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    return figures


def _lora(base: Path, extent: Extent) -> dict[str, float]:
    """Trains the packaged recipe of LLaVA-1.5 on random weights for a few steps."""
    import torch

    from baselines.lora import load_base, read_examples, take_steps
    from baselines.recipe import LoraRecipe, load_recipe, recipe_path

    recipe = load_recipe(recipe_path("llava-1.5-7b"))
    assert isinstance(recipe, LoraRecipe)
    cuda = torch.cuda.is_available()
    recipe = recipe.model_copy(
        update={
            "base": str(base),
            "batch": extent.batch,
            "epochs": 1,
            "precision": "bf16" if cuda else "fp32",
            "max_length": extent.max_length,
        }
    )
    if extent.tiny:
        recipe = recipe.model_copy(update={"rank": 4, "alpha": 8})
    made = read_examples(recipe)[: extent.steps * extent.batch]
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    model, processor = load_base(recipe)
    model.to("cuda" if cuda else "cpu").train()
    marks: list[float] = [time.perf_counter()]
    take_steps(recipe, model, processor, made, lambda line: marks.append(time.perf_counter()))
    # The first step warms kernels; where there is one alone, it counts.
    spans = [end - start for start, end in itertools.pairwise(marks)]
    later = spans[1:] or spans
    figures = {
        "steps_per_s": round(len(later) / sum(later), 4),
        "examples_per_s": round(extent.batch * len(later) / sum(later), 2),
    }
    if cuda:
        figures["peak_gib"] = round(torch.cuda.max_memory_allocated() / 2**30, 1)
    return figures


def _device(device: str) -> str:
    import torch

    return torch.cuda.get_device_name(0) if device == "cuda" else f"CPU ({platform.machine()})"


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--model", "models", multiple=True, type=click.Choice(list(MODELS)), help="All where absent.")
@click.option("--tiny", is_flag=True, help="Models of a tiny shape, to try this on a CPU.")
@click.option("--budget", type=click.FloatRange(min=1), default=460.0, help="Seconds in all.")
@click.option("--place", type=click.Path(path_type=Path), default=None, help="Room for a model: 16 GB.")
@click.option("-o", "--out", type=click.Path(path_type=Path), default=None, help="Where the JSON goes too.")
def main(models: tuple[str, ...], tiny: bool, budget: float, place: Path | None, out: Path | None) -> None:
    """Measure and print JSON; what the time did not allow is named under "left_out"."""
    extent = Extent(True, (2,), 2, 2, 2000) if tiny else Extent()
    clock = TimeBudget(budget)
    if place is not None:
        place.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix="mirror-gpu-", dir=place) as made:
            figures = measure(
                models or tuple(MODELS), extent, clock, Path(made), lambda line: click.echo(line, err=True)
            )
    except InputError as error:
        click.echo(f"gpu: {error}", err=True)
        sys.exit(2)
    text = json.dumps({**figures, "left_out": clock.left_out}, indent=1)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n", encoding="utf-8")
    click.echo(text)


if __name__ == "__main__":
    main()
