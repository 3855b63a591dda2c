"""`mirror-bench rate`: rate the sessions of a run again, with another judge or instrument."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mirror_bench.protocol import RaterSettings


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--judge", multiple=True, help="coded, or a model: provider/name; default: the protocol's.")
@click.option("--instrument", multiple=True, help="Such as ctrs or wai; default: the protocol's.")
@click.option("--samples", type=click.IntRange(1, 64), default=1, show_default=True, help="Answers per item.")
@click.option("--concurrency", type=click.IntRange(1, 4096), default=32, show_default=True)
@click.option("--quiet", is_flag=True, help="Show no progress.")
def rate(
    run: Path,
    judge: tuple[str, ...],
    instrument: tuple[str, ...],
    samples: int,
    concurrency: int,
    quiet: bool,
) -> None:
    """Add to RUN the ratings that it lacks; without options, those of its own protocol."""
    from mirror_bench.cli.judges import judge_settings
    from mirror_bench.sessions.evaluation import rate_again
    from mirror_bench.sessions.store import read_header

    header = read_header(run)
    raters: tuple[RaterSettings, ...] = judge_settings(judge, samples) or header.protocol.raters
    made = asyncio.run(
        rate_again(
            run, raters, instrument or header.protocol.instruments, concurrency=concurrency, quiet=quiet
        )
    )
    click.echo(
        f"{made} ratings added to {run / 'ratings.jsonl'}; "
        f"show them with: mirror-bench report {run} --rater all"
    )
