"""What a command shows at its end: the table of scores, and where the report lies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mirror_bench.cli import print_json

if TYPE_CHECKING:
    from mirror_bench.reports.summary import Summary
    from mirror_bench.schema import Score


def finish(folders: Sequence[Path], out: Path, *, as_json: bool = False) -> None:
    """Writes the report of one or several runs into `out` and shows the scores.

    Raises:
        InputError: If a folder is no run folder, or the runs cannot be compared.
    """
    from mirror_bench.reports.run_report import report_runs

    summary = report_runs(folders, out)
    if as_json:
        print_json(summary.model_dump(mode="json"))
        return
    show(summary)
    click.echo(f"\nreport: {out / 'report.html'}")


def show(summary: Summary) -> None:
    """Prints the table of totals with 95 % intervals, and the visual gains."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    totals = [metric for metric in summary.metrics if metric.kind == "total"]
    table = Table(
        title=f"Protocol {summary.protocol} ({summary.fingerprint[:12]}), 95 % intervals",
        title_justify="left",
    )
    table.add_column("therapist", overflow="fold")
    table.add_column("method")
    table.add_column("face")
    for metric in totals:
        table.add_column(metric.title, justify="right")
    table.add_column("drop-out", justify="right")
    table.add_column("resistance change", justify="right")
    table.add_column("coverage", justify="right")
    for entry in summary.entries:
        scores = [entry.score(metric.name) for metric in totals]
        table.add_row(
            entry.therapist,
            entry.method or "–",
            entry.condition.value,
            *(_shown(score) for score in scores),
            _shown(entry.score("dropout")),
            _shown(entry.score("resistance_change")),
            f"{min((score.coverage for score in scores if score), default=0):.0%}",
        )
    console.print(table)
    for gain in summary.gains:
        difference = gain.difference
        who = " ".join(filter(None, (gain.therapist, gain.method)))
        console.print(
            f"visual gain of {who}, {difference.metric}, against {gain.against.value}: "
            f"{_shown(difference)} over {difference.n} pairs",
            highlight=False,
        )


def _shown(score: Score | None) -> str:
    if score is None or score.value is None:
        return "–"
    interval = "" if score.low is None or score.high is None else f" [{score.low:.2f}, {score.high:.2f}]"
    return f"{score.value:.2f}{interval}"
