"""Every figure of speed and memory in one run, as a table and as JSON: `python -m benchmarks.speed --quick`.

Parts, each in a process of its own so that none profits from another's caches: `runner` (beside the raw
engine, and over one session after another), `alone` (the runner with a scripted engine), `prefill` (prompt
tokens computed, chat beside flat layout), `likelihood` (questions by letter, beside lm-eval's own model),
`parts` (client, coder, faces), `report`, `verify`, `board`, `driver` (a simulation: from how many engines on
is one driver the limit).
"""

from __future__ import annotations

import asyncio
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import click

from mirror_bench.errors import InputError
from mirror_bench.processors import cores

ROOT = Path(__file__).resolve().parent.parent


class Sizes(NamedTuple):
    """How much is measured.

    Attributes:
        sessions: Of the runner beside the raw engine, at each number at once.
        at: Sessions at once.
        repeats: Of each of these.
        few: Sessions of the runner alone, before memory is first read.
        many: Sessions of the runner alone after that.
        turns: Of the behaviour coder.
        prefill: Sessions of twenty turns with each layout.
        questions: Asked by log-likelihood.
        report: Sessions of the report.
        entry: The committed entry that is verified and copied.
        entries: Of a board of copies; 0 for none.
        committed: Whether the board of the committed entries is built too, twice: 1 or 0.
        seconds: Of each simulated number of engines.
    """

    sessions: int = 160
    at: tuple[int, ...] = (8, 32, 128)
    repeats: int = 3
    few: int = 1_000
    many: int = 99_000
    turns: int = 4_000
    prefill: int = 4
    questions: int = 160
    report: int = 100_000
    entry: str = "attuned"
    entries: int = 500
    committed: int = 1
    seconds: float = 20.0


QUICK = Sizes(8, (8,), 1, 20, 80, 100, 1, 4, 200, "parrot", 2, 0, 0.5)
TARGETS: Mapping[str, tuple[str, float]] = {
    "runner_over_raw_at_32": (">=", 0.95),
    "runner_over_raw_at_128": (">=", 0.95),
    "runner_over_sequential_at_32": (">=", 8),
    "alone_turns_per_s": (">=", 25_000),
    "chat_over_flat": ("<=", 0.25),
    "report_100000_sessions_s": ("<=", 60),
    "report_100000_sessions_mib": ("<=", 2048),
    "verify_attuned_s": ("<=", 20),
    "board_second_s": ("<=", 3),
    "board_500_entries_s": ("<=", 300),
}
"""Figure -> what it should be; a quick run measures few of them."""


def measure(part: str, sizes: Sizes, model: str, place: Path) -> dict[str, float]:
    """Returns name -> figure of one part.

    Args:
        part: One of `PARTS`.
        sizes: How much is measured.
        model: Checkpoint folder; an untrained tiny model where empty.
        place: An empty folder for what is written.
    """
    return PARTS[part](sizes, model, place)


def _checkpoint(model: str, place: Path) -> str:
    if model:
        return model
    from benchmarks.random_models import save_tiny

    return str(save_tiny(place / "tiny"))


def _runner(sizes: Sizes, model: str, place: Path) -> dict[str, float]:
    from benchmarks.runner import against_vllm

    return asyncio.run(against_vllm(_checkpoint(model, place), sizes.sessions, sizes.at, sizes.repeats))


def _alone(sizes: Sizes, model: str, place: Path) -> dict[str, float]:
    from benchmarks.runner import alone

    return asyncio.run(alone(sizes.few, sizes.many))


def _prefill(sizes: Sizes, model: str, place: Path) -> dict[str, float]:
    from benchmarks import prefill

    return asyncio.run(prefill.measure(_checkpoint(model, place), sizes.prefill))


def _likelihood(sizes: Sizes, model: str, place: Path) -> dict[str, float]:
    from benchmarks import likelihood

    return likelihood.measure(_checkpoint(model, place), sizes.questions, sees=not model)


def _parts(sizes: Sizes, model: str, place: Path) -> dict[str, float]:
    from benchmarks import parts

    return parts.measure(max(4, sizes.turns // 40), sizes.turns, max(20, sizes.turns // 10))


def _report(sizes: Sizes, model: str, place: Path) -> dict[str, float]:
    from benchmarks import volume

    return volume.report(sizes.report, sizes.entry, place)


def _verify(sizes: Sizes, model: str, place: Path) -> dict[str, float]:
    from benchmarks import volume

    return volume.verify(sizes.entry)


def _board(sizes: Sizes, model: str, place: Path) -> dict[str, float]:
    from benchmarks import volume

    figures = volume.committed_board(place) if sizes.committed else {}
    return figures | (volume.many_entries(sizes.entries, place) if sizes.entries else {})


def _driver(sizes: Sizes, model: str, place: Path) -> dict[str, float]:
    from benchmarks import driver

    engines = (1, 2) if sizes.seconds < 1 else driver.ENGINES
    tokens = 8 if sizes.seconds < 1 else driver.TOKENS
    return asyncio.run(driver.measure(sizes.seconds, engines, tokens))


PARTS: Mapping[str, Callable[[Sizes, str, Path], dict[str, float]]] = {
    "runner": _runner,
    "alone": _alone,
    "prefill": _prefill,
    "likelihood": _likelihood,
    "parts": _parts,
    "report": _report,
    "verify": _verify,
    "board": _board,
    "driver": _driver,
}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--quick", is_flag=True, help="Small sizes, within a minute: whether it runs, not how fast.")
@click.option("--only", multiple=True, type=click.Choice(list(PARTS)), help="Parts; all where not given.")
@click.option("--model", default="", help="Checkpoint folder for vLLM; an untrained tiny model where absent.")
@click.option("--size", "changed", multiple=True, metavar="NAME=VALUE", help="As in --size report=5000.")
@click.option("-o", "--out", type=click.Path(path_type=Path), default=None, help="Where the JSON goes too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON in place of the table.")
@click.option("--part", hidden=True, type=click.Choice(list(PARTS)), help="Measure this part here.")
def main(
    quick: bool,
    only: tuple[str, ...],
    model: str,
    changed: tuple[str, ...],
    out: Path | None,
    as_json: bool,
    part: str | None,
) -> None:
    """Measure and print."""
    try:
        sizes = read_sizes(QUICK if quick else Sizes(), changed)
        if part:
            with tempfile.TemporaryDirectory(prefix="mirror-speed-") as place:
                click.echo(json.dumps(measure(part, sizes, model, Path(place))))
            return
        figures = measure_all(only or tuple(PARTS), sizes, quick, changed, model)
    except InputError as error:
        click.echo(f"speed: {error}", err=True)
        sys.exit(2)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    click.echo(json.dumps(figures, indent=1) if as_json else table(figures["figures"]))


def read_sizes(sizes: Sizes, changed: Sequence[str]) -> Sizes:
    """Returns the sizes with those changed that `NAME=VALUE` names.

    Raises:
        InputError: If there is no such size, or the value is none.
    """
    for text in changed:
        name, _, value = text.partition("=")
        if name not in Sizes._fields:
            raise InputError(f"--size {text}: known sizes are {', '.join(Sizes._fields)}")
        former = getattr(sizes, name)
        try:
            new = tuple(int(part) for part in value.split(",")) if name == "at" else type(former)(value)
        except ValueError:
            raise InputError(f"--size {text}: {value!r} is no value of it; now it is {former!r}") from None
        values: dict[str, Any] = {**sizes._asdict(), name: new}
        sizes = Sizes(**values)
    return sizes


def measure_all(
    parts: Sequence[str], sizes: Sizes, quick: bool, changed: Sequence[str], model: str
) -> dict[str, dict[str, object]]:
    """Measures parts one after another, each in a process of its own.

    Returns:
        "machine", "sizes" and "figures"; a part that fails has its reason under "failed".
    """
    figures: dict[str, object] = {}
    failed: dict[str, object] = {}
    for part in parts:
        command = [sys.executable, "-m", "benchmarks.speed", "--part", part, "--model", model]
        command += ["--quick"] * quick + [f"--size={text}" for text in changed]
        started = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - started
        if done.returncode:
            failed[part] = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            click.echo(f"{part}: failed after {seconds:.0f} s: {failed[part]}", err=True)
            continue
        click.echo(f"{part}: {seconds:.0f} s", err=True)
        figures |= json.loads(done.stdout.strip().splitlines()[-1])
    machine = {
        "cores": cores(most=1 << 16),
        "system": platform.platform(),
        "python": platform.python_version(),
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return {"machine": machine, "sizes": dict(sizes._asdict()), "figures": figures, "failed": failed}


def table(figures: Mapping[str, object]) -> str:
    """Returns figures as lines: name, value and, where there is one, what it should be."""
    lines = []
    for name, value in figures.items():
        sign, target = TARGETS.get(name, ("", 0.0))
        assert isinstance(value, int | float)
        met = value >= target if sign == ">=" else value <= target
        wanted = f"   {sign} {target:,g}: {'met' if met else 'not met'}" if sign else ""
        lines.append(f"{name:44} {value:>14,}{wanted}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
