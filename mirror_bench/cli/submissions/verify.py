"""`mirror-bench verify`: recompute what a handed-in file says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mirror_bench.cli import print_json

if TYPE_CHECKING:
    from mirror_bench.submissions.findings import Check, Verdict

_STYLES = {"passed": "green", "failed": "bold red", "skipped": "yellow"}


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--protocol",
    default="",
    help="The published protocol to hold the file against: a name, or a YAML file; default: the packaged one "
    "that the file names.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=None,
    show_default="as many as there are processors, at most 8",
    help="Processes that code sessions anew while the other checks are held.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
@click.pass_context
def verify(ctx: click.Context, file: Path, protocol: str, workers: int | None, as_json: bool) -> None:
    """Recompute everything in FILE that can be recomputed, and say check by check what was found.

    Held against this copy of mirror-bench: the zip file itself, the protocol and its fingerprint, digests of
    data, prompts and faces, scenarios and seeds, every turn of an offline client replayed from what it
    heard, coded ratings and all scores to the last digit, judges' evidence, copied or templated transcripts
    and words of the test data. A check that cannot be held is skipped and says why: the words of a model
    cannot be recomputed.

    Exits 0 where no check failed, 1 where one did, 2 where FILE cannot be read.
    """
    from mirror_bench.processors import cores
    from mirror_bench.submissions.verify import verify_file

    verdict = verify_file(file, protocol, workers or cores())
    if as_json:
        print_json({**verdict.model_dump(mode="json"), "verified": verdict.verified})
    else:
        _show(verdict)
    ctx.exit(0 if verdict.verified else 1)


def _show(verdict: Verdict) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table(box=SIMPLE, pad_edge=False)
    for head in ("check", "", "found"):
        table.add_column(head, overflow="fold", no_wrap=head != "found")
    for check in verdict.checks:
        told = "\n".join(check.problems) or check.reason
        table.add_row(Text(check.name), Text(check.status, _STYLES[check.status]), Text(told))
    console.print(table)
    of = f" ({verdict.model})" if verdict.model else ""
    if verdict.verified:
        skipped = [check for check in verdict.checks if check.status == "skipped"]
        held = len(verdict.checks) - len(skipped)
        why = f" ({_why(skipped)})" if skipped else ""
        text = f"{verdict.file}{of}: verified: {held} checks passed, {len(skipped)} skipped{why}"
    else:
        text = f"{verdict.file}{of}: not verified: {', '.join(verdict.failed)} failed"
    console.print(Text(text))
    console.print(Text(f"SHA-256 {verdict.sha256}"))


def _why(skipped: Sequence[Check]) -> str:
    """Which checks were skipped, with the reason where they are one or two: all stand in the table."""
    if len(skipped) < 3:
        return "; ".join(f"{check.name}: {check.reason}" for check in skipped)
    return ", ".join(check.name for check in skipped)
