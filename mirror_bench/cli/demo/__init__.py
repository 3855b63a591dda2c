"""`mirror-bench demo`: the main job on the packaged data, from sessions to report, without network or key."""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from mirror_bench.errors import InputError

if TYPE_CHECKING:
    from mirror_bench.engines.base import Engine
    from mirror_bench.sessions.evaluation import Evaluation


class Part(NamedTuple):
    """One candidate that the demo evaluates, under the face conditions named.

    Attributes:
        label: Name of its run folder.
        therapist: A scripted therapist, or "" for the reference.
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
INSTEAD = "or give --skip-reference"
REFERENCE = (Part("reference-direct", method="direct", seen="matched,none"),)


@click.command()
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("runs/demo"), show_default=True)
@click.option(
    "--limit", type=click.IntRange(1), default=8, show_default=True, help="At most N of the test profiles."
)
@click.option(
    "--skip-reference", is_flag=True, help="Only the scripted therapists: no language model, no vLLM."
)
def demo(out: Path, limit: int, skip_reference: bool) -> None:
    """Compare the scripted therapists and the shipped reference model, and report."""
    started = time.perf_counter()
    if not skip_reference:
        refuse_without_reference()
        click.echo("The reference is put together meanwhile: base, eyes, adapter.", err=True)
    click.echo(
        "Scripted therapists of known skill meet resisting clients: a yardstick for every model.", err=True
    )
    from mirror_bench.cli.demo.summary import closing_lines, score_table
    from mirror_bench.pages.run_report import report_runs

    with ThreadPoolExecutor(1) as beside:
        put = None if skip_reference else beside.submit(put_together, out / "reference")
        folders = asyncio.run(_hold(SCRIPTED, "", out, limit))
        if put is not None:
            put.result()
    if not skip_reference:
        click.echo(score_table(report_runs(folders, out), f"after {_minutes(started)}"))
        model = f"{'vllm' if importlib.util.find_spec('vllm') else 'transformers'}/{out / 'reference'}"
        click.echo(f"Now the reference, a fine-tuned SmolLM2-135M with eyes; opening {model} …", err=True)
        folders += asyncio.run(_hold(REFERENCE, model, out, limit))
    summary = report_runs(folders, out)
    click.echo(score_table(summary, f"after {_minutes(started)}"))
    for line in closing_lines(summary, out / "report.html"):
        click.echo(line)


def _minutes(started: float) -> str:
    return f"{(time.perf_counter() - started) / 60:.1f} minutes"


def refuse_without_reference() -> None:
    """Ends the demo where what the reference needs is not installed.

    Raises:
        InputError: If it is not.
    """
    if importlib.util.find_spec("torch") is None or importlib.util.find_spec("baselines") is None:
        raise InputError(
            f"the reference needs the extra 'train': pip install 'mirror-bench[train]', {INSTEAD}"
        )


def put_together(checkpoint: Path) -> None:
    """Puts the shipped reference together with its base, in a process of its own; what is there is kept.

    Raises:
        InputError: If it cannot be, as where its base is not installed.
    """
    command = [sys.executable, "-m", "baselines.assemble", str(checkpoint)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        reason = lines[-1].removeprefix("Error: ") if lines else f"exit code {done.returncode}"
        raise InputError(f"the reference cannot be put together: {reason}; {INSTEAD}")


async def _hold(parts: Sequence[Part], model: str, out: Path, limit: int) -> list[Path]:
    from mirror_bench.engines.factory import open_engine
    from mirror_bench.modelspec import parse_model
    from mirror_bench.sessions.evaluation import evaluate

    folders = []
    engine: Engine | None = None
    try:
        if model:
            engine = open_engine(parse_model(model))
            await engine.start()
        for part in parts:
            evaluation = _evaluation(part, model, out / part.label, limit)
            await evaluate(evaluation, engine)
            folders.append(evaluation.out)
    finally:
        if engine is not None:
            await engine.close()
    return folders


def _evaluation(part: Part, model: str, out: Path, limit: int) -> Evaluation:
    from mirror_bench.sessions.candidate import read_candidate
    from mirror_bench.sessions.choosing import chosen_conditions, chosen_protocol
    from mirror_bench.sessions.evaluation import Evaluation

    label = "" if part.therapist else "reference"
    return Evaluation(
        protocol=chosen_protocol("offline", seeds=(0,)),  # one: the demo is to be short
        candidate=read_candidate(part.therapist or model, part.method, 0, label),
        out=out,
        conditions=chosen_conditions(part.seen.split(",")),
        limit=limit,
        probe_turns=0,
    )
