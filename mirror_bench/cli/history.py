"""`mirror-bench history`: one model over many runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mirror_bench.cli import print_json
from mirror_bench.cli.options.numbers import Number
from mirror_bench.errors import InputError

if TYPE_CHECKING:
    from mirror_bench.analysis.regression.history import History
    from mirror_bench.sessions.pairwise_runs import Contestant

CONDITIONS = ("matched", "none", "neutral", "shuffled", "incongruent")


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--metric", multiple=True, help="Such as wai.total or wai.bond; all totals where not given.")
@click.option(
    "--alpha", type=Number(), default=0.05, show_default=True, help="Chance of naming a drop wrongly."
)
@click.option(
    "--condition",
    type=click.Choice(CONDITIONS),
    help="Face condition; default: a run's only one, or matched.",
)
@click.option(
    "--min-coverage",
    type=Number(),
    default=0.95,
    show_default=True,
    help="Share of its sessions that a run must have scored; below, it counts as not measured.",
)
@click.option("--given-order", is_flag=True, help="Take RUNS in the order given, not in that of their start.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write history.png and history.svg here.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def history(
    runs: tuple[Path, ...],
    metric: tuple[str, ...],
    alpha: float,
    condition: str | None,
    min_coverage: float,
    given_order: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Follow a model over RUNS (run folders under one protocol): scores with intervals, and the first drop.

    Each run is held against the best one before it, on the scenarios that both have rated, so that a slow
    slide is found as well; p values are corrected for the choice of the best, and over all runs and metrics.
    A run of which too little is scored is named as not measured, and no run is held against it.
    """
    from mirror_bench.analysis.metrics import describe
    from mirror_bench.analysis.regression.history import Past, trace
    from mirror_bench.analysis.regression.rated_runs import chosen_metrics, form_of_any, read_rated
    from mirror_bench.figures.history import write_history
    from mirror_bench.schema import FaceCondition
    from mirror_bench.sessions.pairwise_runs import read_contestants

    if not 0 < alpha < 1:
        raise InputError(f"--alpha {alpha:g}: must lie between 0 and 1")
    if not 0 <= min_coverage <= 1:
        raise InputError(f"--min-coverage {min_coverage:g}: must lie between 0 and 1")
    chosen = FaceCondition(condition) if condition else None
    sides = read_contestants(runs, chosen, same_candidate=True)
    if not given_order:
        sides.sort(key=_started)
    rated = [read_rated(side) for side in sides]
    metrics = chosen_metrics([own.outcomes for own in rated], metric, rated[0].totals)
    traced = trace(
        [
            Past(_name(side), _started(side), own.outcomes, len(own.due))
            for side, own in zip(sides, rated, strict=True)
        ],
        metrics,
        candidate=_candidate(sides),
        condition=sides[-1].condition.value,
        alpha=alpha,
        min_coverage=min_coverage,
        scales={metric.name: metric for metric in describe(metrics, form_of=form_of_any(rated))},
    )
    if out is not None:
        write_history(traced, out)
    if as_json:
        print_json(traced.model_dump(mode="json"))
    else:
        _show(traced)


def _started(side: Contestant) -> str:
    return side.header.environment.started


def _name(side: Contestant) -> str:
    return side.folder.name or str(side.folder)


def _candidate(sides: Sequence[Contestant]) -> str:
    names = list(dict.fromkeys(" ".join(filter(None, side.key)) for side in sides))
    return " → ".join(names)


def _show(traced: History) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from mirror_bench.cli.outcome import shown

    console = Console()
    for trend in traced.trends:
        title = f"{trend.metric} of {traced.candidate}, {traced.condition} faces"
        table = Table(title=Text(title), title_justify="left", box=SIMPLE, pad_edge=False)
        for head in ("run", "started", "score", "against the best before", "p of a drop"):
            table.add_column(head, justify="left" if head in {"run", "started"} else "right")
        for place, step in enumerate(trend.steps):
            table.add_row(
                Text(step.run),
                step.started[:16].replace("T", " "),
                shown(step.score),
                shown(step.change) if step.change else "",
                ("" if step.p_drop is None else f"{step.p_drop:.3f}") if step.measured else "not measured",
                style="bold red" if place == trend.first_drop else None,
            )
        console.print(table)
    for trend in traced.trends:
        for step in trend.unmeasured:
            share = f"{step.score.coverage:.0%} of its sessions have a score"
            console.print(Text(f"{trend.metric}: failed: not measured at {step.run}: {share}"))
        if trend.first_drop is None:
            where = " among the runs that were measured" if trend.unmeasured else ""
            console.print(Text(f"{trend.metric}: no significant drop{where}"))
        else:
            step = trend.steps[trend.first_drop]
            console.print(
                Text(f"{trend.metric}: first significant drop at {step.run}, against {step.against}")
            )
