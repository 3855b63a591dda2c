"""`mirror-bench compare`: two or more runs, scenario by scenario."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mirror_bench.cli import print_json

if TYPE_CHECKING:
    from rich.table import Table

    from mirror_bench.analysis.comparison import Compared
    from mirror_bench.raters.preferences import Preference
    from mirror_bench.schema import Score

CONDITIONS = ("matched", "none", "neutral", "shuffled", "incongruent")


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--judge", default="coded", show_default=True, help="coded, or a model: provider/name.")
@click.option(
    "--condition",
    type=click.Choice(CONDITIONS),
    help="Face condition; default: a run's only one, or matched.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Write comparison.json, comparisons.jsonl and a plot here.",
)
@click.option("--concurrency", type=click.IntRange(1, 4096), default=32, show_default=True)
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def compare(
    runs: tuple[Path, ...],
    judge: str,
    condition: str | None,
    out: Path | None,
    concurrency: int,
    quiet: bool,
    as_json: bool,
) -> None:
    """Compare the sessions of RUNS (two run folders or more, under one protocol) two at a time.

    On every scenario that both candidates have held, the judge says whose session is better. A model is
    asked in both orders, and an answer that turns with the order is a tie. Out come win rates (raw, and
    at equal length), Bradley-Terry strengths with intervals, the candidates that cannot be told apart,
    and the paired difference of every total. An imported run and one held here share no scenario: there the
    difference of every total is between different people, and nobody is ranked.
    """
    from rich.progress import Progress

    from mirror_bench.api.analysing import compare_folders
    from mirror_bench.schema import FaceCondition

    with Progress(transient=True, disable=quiet or as_json) as progress:
        task = progress.add_task("comparing", total=None)
        result = compare_folders(
            runs,
            judge=judge,
            condition=FaceCondition(condition) if condition else None,
            out=out,
            concurrency=concurrency,
            tick=lambda due: progress.update(task, total=due, advance=1),
        )
    if out is not None:
        _write(out, result.compared, result.preferences)
    if as_json:
        print_json(result.compared.model_dump(mode="json"))
        return
    _show(result.compared)
    if out is not None:
        click.echo(f"\nwritten: {out / 'comparison.json'}")


def _write(out: Path, compared: Compared, preferences: Sequence[Preference]) -> None:
    from mirror_bench.figures.comparison import write_strengths
    from mirror_bench.files import write_atomically

    lines = "".join(
        json.dumps(preference.model_dump(mode="json"), ensure_ascii=False) + "\n"
        for preference in preferences
    )
    write_atomically(out / "comparisons.jsonl", lines.encode())
    text = json.dumps(compared.model_dump(mode="json"), indent=1, ensure_ascii=False)
    write_atomically(out / "comparison.json", f"{text}\n".encode())
    write_strengths(compared, out)


def _show(compared: Compared) -> None:
    from rich.console import Console

    console = Console()
    if compared.standings:
        console.print(_standings(compared))
    for group in compared.groups:
        if len(group) > 1:
            console.print(f"cannot be told apart: {', '.join(group)}", markup=False)
    if any(not match.apart for match in compared.matches):
        console.print(_matches(compared))
        console.print("win rate: ties count half; at equal length: with the therapists' words taken out")
    for match in compared.matches:
        if match.apart:
            told = ", ".join(
                f"{score.metric.removesuffix('.total')} {with_ends(score, '+.2f')}" for score in match.apart
            )
            console.print(
                f"{match.first} and {match.second} share no scenario: over different people the difference "
                f"is {told or 'not to be told'}; who would do better with the same people it does not say",
                markup=False,
                highlight=False,
            )
        elif match.missing or match.unpaired:
            console.print(
                f"{match.first} and {match.second}: {match.missing} pairs without a verdict, "
                f"{match.unpaired} scenarios that only one has held",
                markup=False,
            )


def _standings(compared: Compared) -> Table:
    table = score_table(
        f"Compared by {compared.judge}, {compared.condition} faces", "rank", "strength", "ranks"
    )
    for standing in compared.standings:
        ranks = f"{standing.best_rank} to {standing.worst_rank}"
        table.add_row(standing.name, str(standing.rank), with_ends(standing.strength, "+.2f"), ranks)
    return table


def _matches(compared: Compared) -> Table:
    from mirror_bench.analysis.display_names import short

    table = score_table(
        "Two at a time", "win/\ntie/\nloss", "win rate", "at equal length", "both orders", "difference"
    )
    for column in (0, -1):
        table.columns[column].no_wrap = True
    for match in compared.matches:
        differences = "\n".join(
            f"{score.metric.removesuffix('.total')} {with_ends(score, '+.2f')}" for score in match.differences
        )
        table.add_row(
            f"{short(match.first, 22)}\nover {short(match.second, 17)}",
            f"{match.wins}/\n{match.ties}/\n{match.losses}",
            with_ends(match.win_rate, ".2f"),
            match.controlled_note or with_ends(match.controlled, ".2f"),
            with_ends(match.consistent, ".0%"),
            differences,
        )
    return table


def score_table(title: str, *heads: str) -> Table:
    """Returns a table whose first column names what its rows are about."""
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left", box=SIMPLE, pad_edge=False)
    table.add_column("")
    for head in heads:
        table.add_column(head, justify="right")
    return table


def with_ends(score: Score, form: str = ".2f") -> str:
    """Returns a score with its interval, or a dash where it is missing."""
    if score.value is None:
        return "–"
    if score.low is None or score.high is None:
        return f"{score.value:{form}}"
    return f"{score.value:{form}} [{score.low:{form}}, {score.high:{form}}]"
