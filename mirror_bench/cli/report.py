"""`mirror-bench report`: write the report of one run, or of several side by side."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mirror_bench.cli.options.tracking import log_option, log_outcome, read_trackers
from mirror_bench.errors import InputError


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), default=None, help="Where to; the run, if one.")
@click.option("--rater", multiple=True, help="Whose ratings count, or all; the protocol's where not given.")
@log_option
@click.option("-v", "--verbose", is_flag=True, help="Also print length corrections and who rated how.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def report(
    runs: tuple[Path, ...],
    out: Path | None,
    rater: tuple[str, ...],
    log: tuple[str, ...],
    verbose: bool,
    as_json: bool,
) -> None:
    """Write summary.json, report.html and plots of RUNS (run folders under one protocol).

    The exit code is 1 where no session has a score.
    """
    from mirror_bench.cli.outcome import finish

    if out is None and len(runs) > 1:
        raise InputError("several runs need a place for their common report: give --out FOLDER")
    if log and len(runs) > 1:
        raise InputError("--log: takes one run at a time, since a tracker keeps one candidate a run")
    trackers = read_trackers(log)
    summary = finish(runs, out or runs[0], raters=rater, as_json=as_json, verbose=verbose)
    if not log_outcome(runs[0], summary, trackers):
        sys.exit(2)
    if not any(rater.scored for rater in summary.raters):
        held = any(entry.coverage.held for entry in summary.entries)
        first = "rate them (mirror-bench rate --judge PROVIDER/NAME)" if held else "hold and rate some"
        click.echo(f"no session has a score, so the report shows none: {first} first", err=True)
        sys.exit(1)
