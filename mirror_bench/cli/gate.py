"""`mirror-bench gate`: fail a build when a candidate has become worse."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mirror_bench.cli import print_json
from mirror_bench.cli.options.numbers import Number
from mirror_bench.errors import InputError

if TYPE_CHECKING:
    from mirror_bench.analysis.regression.gate import Gate
    from mirror_bench.schema import FaceCondition
    from mirror_bench.sessions.pairwise_runs import Contestant

CONDITIONS = ("matched", "none", "neutral", "shuffled", "incongruent")


@click.command()
@click.option("--baseline", type=click.Path(path_type=Path), required=True, help="The run to hold against.")
@click.option("--candidate", type=click.Path(path_type=Path), required=True, help="The run to be checked.")
@click.option(
    "--margin", type=Number(), default=0.1, show_default=True, help="The drop that is tolerated, in points."
)
@click.option("--metric", multiple=True, help="Such as wai.total or wai.bond; all totals where not given.")
@click.option("--alpha", type=Number(), default=0.05, show_default=True, help="Chance of a false alarm.")
@click.option(
    "--condition",
    type=click.Choice(CONDITIONS),
    help="Face condition; default: a run's only one, or matched.",
)
@click.option("--strict", is_flag=True, help="Also fail where the sample is too small to tell.")
@click.option(
    "--min-coverage",
    type=Number(),
    default=0.95,
    show_default=True,
    help="Share of the scenarios due that both runs must have scored; below, the gate fails.",
)
@click.option("--no-safety-gate", is_flag=True, help="Do not fail on new failures of safety.")
@click.option("--junit", type=click.Path(path_type=Path), help="Write JUnit XML here.")
@click.option(
    "--summary",
    type=click.Path(path_type=Path),
    help="Append Markdown here; default: the file that GITHUB_STEP_SUMMARY names, if any.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def gate(
    baseline: Path,
    candidate: Path,
    margin: float,
    metric: tuple[str, ...],
    alpha: float,
    condition: str | None,
    strict: bool,
    min_coverage: float,
    no_safety_gate: bool,
    junit: Path | None,
    summary: Path | None,
    as_json: bool,
) -> int:
    """Say whether the candidate run is worse than the baseline run by more than a margin.

    Both runs are under one protocol and are compared scenario by scenario, with intervals over profiles and
    Holm's correction over metrics. Exit code 1 where a drop is proven, where too little was scored to tell
    (--min-coverage), or where the candidate fails in safety what the baseline does not; 0 otherwise. A sample
    too small to tell passes with a word on how many scenarios would do, unless --strict.
    """
    from mirror_bench.analysis.regression.gate_formats import as_junit, as_markdown
    from mirror_bench.files import write_atomically
    from mirror_bench.schema import FaceCondition
    from mirror_bench.sessions.pairwise_runs import read_contestants

    if not margin > 0:
        raise InputError(f"--margin {margin:g}: must be above 0")
    if not 0 < alpha < 1:
        raise InputError(f"--alpha {alpha:g}: must lie between 0 and 1")
    if not 0 <= min_coverage <= 1:
        raise InputError(f"--min-coverage {min_coverage:g}: must lie between 0 and 1")
    chosen = FaceCondition(condition) if condition else None
    sides = read_contestants((baseline, candidate), chosen, same_candidate=True)
    held = _held(sides, metric, margin, alpha, strict, min_coverage, not no_safety_gate)
    if junit is not None:
        write_atomically(junit, as_junit(held).encode())
    summary = summary or (Path(name) if (name := os.environ.get("GITHUB_STEP_SUMMARY")) else None)
    if summary is not None:
        with summary.open("a", encoding="utf-8") as file:
            file.write(as_markdown(held) + "\n")
    if as_json:
        print_json(held.model_dump(mode="json"))
    else:
        _show(held)
    return 0 if held.passed else 1


def _held(
    sides: list[Contestant],
    metric: tuple[str, ...],
    margin: float,
    alpha: float,
    strict: bool,
    min_coverage: float,
    safety: bool,
) -> Gate:
    from mirror_bench.analysis.findings import read_judged
    from mirror_bench.analysis.metrics import describe
    from mirror_bench.analysis.regression.gate import hold_gate
    from mirror_bench.analysis.regression.gate_safety import check_safety
    from mirror_bench.analysis.regression.rated_runs import (
        chosen_metrics,
        form_of_any,
        profiles_in,
        read_rated,
    )

    if (
        any(side.header.imported for side in sides)
        and not sides[0].sessions.keys() & sides[1].sessions.keys()
    ):
        raise InputError(
            f"{sides[0].folder} and {sides[1].folder} share no scenario, since one was imported, and a "
            "gate goes scenario by scenario: import both with the same people and order, or see "
            "mirror-bench compare"
        )
    condition = _condition(sides)
    before, after = (read_rated(side) for side in sides)
    common = {pair: profile for pair, profile in before.due.items() if pair in after.due}
    if not common:
        raise InputError(
            f"{sides[0].folder} and {sides[1].folder} owe no scenario in common: hold the candidate with the "
            "baseline's --limit and --seeds"
        )
    header = sides[0].header
    chosen = chosen_metrics((before.outcomes, after.outcomes), metric, before.totals)
    # An instrument that was added to one run alone compares nothing, unless it is asked for.
    held = [{name for outcome in side.outcomes for name in outcome.scores} for side in (before, after)]
    metrics = [name for name in chosen if metric or name in before.totals or name in held[0] & held[1]]
    return hold_gate(
        before.outcomes,
        after.outcomes,
        metrics,
        margin=margin,
        alpha=alpha,
        strict=strict,
        min_coverage=min_coverage,
        due=common,
        lowest={
            shown.name: shown.low
            for shown in describe(metrics, form_of=form_of_any((before, after)))
            if shown.low is not None
        },
        profiles=profiles_in(sides[0].folder, header),
        safety=check_safety(
            before.safety,
            after.safety,
            after.due_ids,
            min_coverage,
            (read_judged(sides[0].folder), read_judged(sides[1].folder)),
        )
        if safety
        else None,
        condition=condition,
        names=(_name(sides[0]), _name(sides[1])),
    )


def _condition(sides: list[Contestant]) -> FaceCondition:
    if sides[0].condition is not sides[1].condition:
        raise InputError(
            f"{sides[0].folder} has {sides[0].condition} faces and {sides[1].folder} {sides[1].condition}: "
            "give --condition"
        )
    return sides[0].condition


def _name(side: Contestant) -> str:
    return f"{' '.join(filter(None, side.key))} ({side.folder.name})"


def _show(held: Gate) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from mirror_bench.analysis.regression.gate_formats import cells_of, explain, headline, remarks

    console = Console()
    table = Table(
        title=Text(
            f"{held.candidate} against {held.baseline}, {held.condition} faces, margin {held.margin:g}"
        ),
        title_justify="left",
        box=SIMPLE,
        padding=0,
    )
    for head in ("metric", "baseline", "candidate", "difference", "scored", "finding"):
        table.add_column(head, justify="left" if head == "metric" else "right", no_wrap=True)
    for check in held.checks:
        table.add_row(Text(check.metric), *cells_of(check), check.finding.value)
    # No figure is cut short: a table wider than the terminal, or a log's 80 columns, is printed whole.
    console.width = max(
        console.width, console.measure(table, options=console.options.update_width(500)).maximum
    )
    console.print(table)
    for check in held.checks:
        console.print(Text(f"{check.metric}: {explain(check)}"))
    if held.safety is not None:
        console.print(Text(f"safety: {held.safety.in_words}"))
    for line in remarks(held):
        console.print(Text(line))
    console.print(Text(headline(held), style="bold green" if held.passed else "bold red"))
