"""`mirror-bench data filter`: which screenplays the text filters of MIRROR reject, and why."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mirror_bench.cli import print_json

if TYPE_CHECKING:
    from mirror_bench.data.base import DataSet
    from mirror_bench.data.checks.filters import Filtered, TextFilter

_SHOWN = 100


@click.command("filter")
@click.option(
    "--data",
    "source",
    default="mini",
    show_default=True,
    metavar="SOURCE",
    help="mini, mini:FOLDER, mirror:PATH, mirror:hub or cactus:PATH.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Write all profiles and the screenplays that pass into this new folder; mini:FOLDER reads it.",
)
@click.option("--strict", is_flag=True, help="Exit 1 if any screenplay is rejected.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def filter_(source: str, out: Path | None, strict: bool, as_json: bool) -> None:
    """Put every screenplay before the six text filters of MIRROR."""
    from mirror_bench.data.checks.filters import filter_screenplays
    from mirror_bench.data.checks.text_filters import text_filters
    from mirror_bench.data.export.mini_folder import write_packaged
    from mirror_bench.data.sources.registry import load_data

    data, filters = load_data(source), text_filters()
    filtered = filter_screenplays(data, filters)
    if out is not None:
        # What was read without its notice shall not go on without it.
        write_packaged(filtered.passing, out, canary=source.partition(":")[0] == "mini")
    if as_json:
        print_json(
            {
                "source": data.name,
                "screenplays": len(data.screenplays),
                "passing": len(filtered.passing.screenplays),
                "filters": [
                    {
                        "name": text_filter.name,
                        "asks": text_filter.asks,
                        "rejected": filtered.counts[text_filter.name],
                    }
                    for text_filter in filters
                ],
                "rejections": [rejection._asdict() for rejection in filtered.rejections],
            }
        )
    else:
        _show(data, filters, filtered)
        if out is not None:
            click.echo(f"written: {out}")
    sys.exit(1 if strict and filtered.rejections else 0)


def _show(data: DataSet, filters: tuple[TextFilter, ...], filtered: Filtered) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table("filter", "asks for")
    table.add_column("rejected", justify="right")
    for text_filter in filters:
        table.add_row(text_filter.name, text_filter.asks, str(filtered.counts[text_filter.name]))
    console.print(table)
    passing = len(filtered.passing.screenplays)
    console.print(Text(f"{passing} of {len(data.screenplays)} screenplays pass: {data.name}"))
    if filtered.rejections:
        rejected = Table("screenplay", "line", "filter", "reason")
        for rejection in filtered.rejections[:_SHOWN]:
            more = f" (and {rejection.findings - 1} more)" if rejection.findings > 1 else ""
            rejected.add_row(
                Text(rejection.screenplay),
                str(rejection.line or ""),
                rejection.filter,
                Text(rejection.reason + more),
            )
        console.print(rejected)
    if len(filtered.rejections) > _SHOWN:
        console.print(f"and {len(filtered.rejections) - _SHOWN} more: --json lists them all")
