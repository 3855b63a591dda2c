"""`mirror-bench data annotate`: the official files completed, every field with the words that say it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mirror_bench.cli import print_json
from mirror_bench.errors import InputError

if TYPE_CHECKING:
    from mirror_bench.data.annotation.annotate import Annotated

_SHOWN = 10


@click.command()
@click.option("--data", "source", required=True, metavar="mirror:PATH", help="mirror:PATH or mirror:hub.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="The folder; mirror:FOLDER reads it."
)
@click.option("--model", default="", help="Asked where rules are unsure: any engine, provider/name.")
@click.option("--concurrency", type=click.IntRange(1, 4096), default=16, show_default=True)
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def annotate(source: str, out: Path, model: str, concurrency: int, quiet: bool, as_json: bool) -> None:
    """Complete the official files: who each client is, scenario ids, splits, and where sources disagree.

    Name, age, gender and what else the columns lack are read out of the prose by rules, and by --model where
    these are unsure. OUT/mirror.jsonl holds a row per client, each field with the words that say it;
    OUT/about/ the conflicts, the scenarios, the splits and a summary. Numbers of CelebA images are kept as
    references; no image is read or fetched. Exit code 1: a model was asked and gave no usable answer.
    """
    from rich.progress import Progress

    from mirror_bench.data.annotation.annotate import annotate as complete
    from mirror_bench.data.annotation.annotate import summarize

    kind, _, argument = source.strip().partition(":")
    if kind != "mirror":
        raise InputError(f"--data {source[:80]}: only the official files are annotated: write mirror:PATH")
    with Progress(transient=True, disable=quiet or as_json) as progress:
        task = progress.add_task("asking", total=None)
        annotated = complete(
            argument,
            out,
            model=model,
            concurrency=concurrency,
            tick=lambda due: progress.update(task, total=due, advance=1),
        )
    summary = summarize(annotated)
    if as_json:
        print_json(summary)
    else:
        _show(annotated, summary, out, model)
    if summary["unanswered"]:
        sys.exit(1)


def _show(annotated: Annotated, summary: dict[str, Any], out: Path, model: str) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    kinds = ("rule", "model", "unsure", "missing")
    table = Table("field")
    for kind in kinds:
        table.add_column(f"by {kind}" if kind in {"rule", "model"} else kind, justify="right")
    for field, counts in summary["fields"].items():
        table.add_row(field.replace("_", " "), *(str(counts[kind]) for kind in kinds))
    console.print(table)
    splits = ", ".join(f"{name} {many}" for name, many in summary["splits"].items()) or "none"
    console.print(
        Text(
            f"{summary['profiles']} profiles, {summary['screenplays']} screenplays; splits: {splits}; "
            f"{summary['face_references']} name a CelebA image (kept as a number)"
        )
    )
    if summary["problems"]:
        console.print(Text(f"{len(summary['problems'])} problems in the files: {out}/about/summary.json"))
    conflicts = annotated.conflicts
    if conflicts:
        console.print(Text(f"{len(conflicts)} conflicts, {summary['settled']} of them settled", style="bold"))
        for conflict in conflicts[:_SHOWN]:
            console.print(Text(f"  {conflict.profile_id}: {conflict.field}: {conflict.message}"))
        if len(conflicts) > _SHOWN:
            console.print(f"  and {len(conflicts) - _SHOWN} more: {out}/about/conflicts.jsonl", markup=False)
    unsure = sum(bool(client.unsure) for client in annotated.clients)
    if unsure and not model:
        console.print(Text(f"{unsure} clients are not sure: the same command with --model settles some"))
    if summary["unanswered"]:
        reason = next(client.unanswered for client in annotated.clients if client.unanswered)
        console.print(
            Text(f"{summary['unanswered']} clients without a usable answer ({reason}): the same command asks")
        )
    console.print(Text(f"written: {out} (read it with --data mirror:{out})"))
