"""`mirror-bench run`: hold sessions with a therapist, rate them and report."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mirror_bench.cli.options.cluster import ray_option, set_ray_address
from mirror_bench.cli.options.evaluation_options import evaluation_options, read_evaluation
from mirror_bench.cli.options.numbers import NumberRange
from mirror_bench.cli.options.tracking import log_option, log_outcome, read_trackers

if TYPE_CHECKING:
    from mirror_bench.sessions.evaluation import Evaluation


@click.command()
@evaluation_options
@ray_option
@click.option("--concurrency", type=click.IntRange(1, 4096), default=32, show_default=True)
@click.option("-o", "--out", type=click.Path(path_type=Path), default=None, help="The run folder.")
@click.option(
    "--retry-failed",
    is_flag=True,
    help="Hold sessions again that were recorded as failed, and ask judges anew whose answers were unusable.",
)
@click.option(
    "--min-coverage",
    type=NumberRange(0, 1),
    default=0.95,
    show_default=True,
    help="Exit with 1 where a smaller share of the sessions due was held and rated.",
)
@click.option(
    "--max-cost",
    type=NumberRange(min=0, min_open=True),
    default=None,
    metavar="USD",
    help="Stop before the run has cost more in all; the same command with a higher one goes on.",
)
@click.option(
    "--prices",
    type=click.Path(path_type=Path),
    default=None,
    help="Prices of your own: a YAML file, see mirror-bench estimate --help.",
)
@log_option
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("-v", "--verbose", is_flag=True, help="Also print length corrections and who rated how.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def run(
    out: Path | None,
    concurrency: int,
    retry_failed: bool,
    min_coverage: float,
    max_cost: float | None,
    prices: Path | None,
    log: tuple[str, ...],
    quiet: bool,
    verbose: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Hold sessions with a therapist, rate them and report; the same command goes on where a run stopped."""
    from mirror_bench.cli.coverage import covered
    from mirror_bench.cli.outcome import finish
    from mirror_bench.engines.prices import SpendingLimit, load_prices

    trackers = read_trackers(log)
    set_ray_address(options.pop("ray"))
    listed = load_prices(prices)
    spending = None if max_cost is None else SpendingLimit(max_cost, listed)
    evaluation = read_evaluation(
        options,
        out,
        concurrency=concurrency,
        quiet=quiet or as_json,
        retry_failed=retry_failed,
        spending=spending,
    )
    run_until_done(evaluation)
    summary = finish([evaluation.out], evaluation.out, as_json=as_json, verbose=verbose)
    log_outcome(evaluation.out, summary, trackers)
    if not covered(evaluation.out, summary, min_coverage):
        sys.exit(1)


def run_until_done(*evaluations: Evaluation) -> None:
    """Evaluates one after the other; a Ctrl-C or a request to end says how to go on.

    Raises:
        InputError: If anything given cannot be used.
    """
    from mirror_bench.sessions.evaluation import evaluate

    async def evaluate_all() -> None:
        for number, evaluation in enumerate(evaluations, start=1):
            if len(evaluations) > 1 and not evaluation.quiet:
                name = " ".join(filter(None, (evaluation.candidate.name, evaluation.candidate.method)))
                click.echo(f"{number} of {len(evaluations)}: {name}", err=True)
            await evaluate(evaluation)

    # As a Ctrl-C: asyncio then stops its tasks in order; what one of them raised would be shown at length.
    before = signal.signal(signal.SIGTERM, lambda number, frame: signal.raise_signal(signal.SIGINT))
    interrupt = signal.getsignal(signal.SIGINT)
    if interrupt is signal.SIG_IGN:  # a script's background job: the request to end would be ignored, too
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        asyncio.run(evaluate_all())
    except KeyboardInterrupt:
        kept = ", ".join(str(evaluation.out) for evaluation in evaluations)
        click.echo(f"stopped; every finished turn is kept in {kept}: the same command goes on", err=True)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, interrupt)
