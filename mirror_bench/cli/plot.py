"""`mirror-bench plot`: figures of one run or several, for a paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mirror_bench.cli import print_json
from mirror_bench.errors import InputError

if TYPE_CHECKING:
    from mirror_bench.figures.kinds import Drawn, Material

# Named here as well as where they are drawn, so that help costs no import.
KINDS = ("forest", "radar", "resistance", "pareto", "trajectory", "ranks", "agreement", "gain", "endings")
FORMATS = ("png", "svg", "pdf")


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--kind",
    "kinds",
    default="all",
    show_default=True,
    help=f"Which figures, with commas: {', '.join(KINDS)}, or all.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Folder to write to; default: RUN/plots, for one run.",
)
@click.option(
    "--format",
    "formats",
    default="png,svg",
    show_default=True,
    help=f"Which files, with commas: {', '.join(FORMATS)}.",
)
@click.option(
    "--sizes",
    type=click.Path(path_type=Path),
    help="YAML for pareto: a candidate's name -> parameters in billions, or -> a mapping of parameters, cost "
    "and tokens_per_second.",
)
@click.option("--rater", multiple=True, help="Whose ratings count, or all; the protocol's where not given.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written and skipped as JSON.")
def plot(
    runs: tuple[Path, ...],
    kinds: str,
    out: Path | None,
    formats: str,
    sizes: Path | None,
    rater: tuple[str, ...],
    as_json: bool,
) -> None:
    """Draw figures of RUNS (run folders under one protocol), one column of a paper wide (3.5 inches).

    \b
    forest      instrument totals with 95 % intervals
    radar       items of each instrument, four candidates at once
    resistance  totals per resistance type, as a heat map
    pareto      totals against size, cost or speed, with the Pareto front (needs --sizes)
    trajectory  the client's resistance and alliance over turns
    ranks       how often each candidate has each rank when profiles are drawn anew
    agreement   raters' totals against each other, with ICC; all raters, whichever count
    gain        what candidates gain from the own face over others
    endings     how sessions ended

    A figure without data is skipped with one line that says why; an earlier one of its name is removed.
    Equal runs give equal bytes. Exit code 2 where nothing could be drawn at all.
    """  # noqa: D301
    from mirror_bench.figures.kinds import draw_kinds

    chosen = _listed("--kind", kinds, KINDS)
    ends = _listed("--format", formats, FORMATS)
    if out is None and len(runs) > 1:
        raise InputError("several runs need a place for their common figures: give --out FOLDER")
    if sizes is None and "pareto" in kinds.split(","):
        raise InputError("--kind pareto needs the candidates' sizes: give --sizes FILE")
    drawn = draw_kinds(_material(runs, rater, sizes), chosen, out or runs[0] / "plots", ends)
    if not drawn.written:
        reasons = dict.fromkeys(f"{kind}: {reason}" for kind, reason in drawn.skipped.items())
        raise InputError(f"nothing to draw: {'; '.join(reasons)}")
    if as_json:
        print_json(drawn.model_dump(mode="json"))
    else:
        _show(drawn)


def _listed(option: str, given: str, known: Sequence[str]) -> list[str]:
    """Returns the names that an option gives, each once, in the order of those known."""
    names = [name.strip() for name in given.split(",") if name.strip()]
    if option == "--kind" and "all" in names:
        return list(known)
    wrong = [name for name in names if name not in known]
    if wrong or not names:
        raise InputError(f"{option} {wrong[0] if wrong else given!r}: known are {', '.join(known)}")
    return [name for name in known if name in names]


def _material(runs: Sequence[Path], raters: Sequence[str], sizes: Path | None) -> Material:
    from mirror_bench.analysis.candidate_costs import read_sizes
    from mirror_bench.analysis.run_summary import gather_run, summarize_run
    from mirror_bench.analysis.summary import compare_runs
    from mirror_bench.figures.kinds import Material

    known = {} if sizes is None else read_sizes(sizes)
    summaries = [summarize_run(run, raters) for run in runs]
    outcomes = [outcome for run in runs for outcome in gather_run(run, raters).outcomes]
    return Material(
        summary=summaries[0] if len(summaries) == 1 else compare_runs(summaries, outcomes),
        outcomes=outcomes,
        rated=[outcome for run in runs for outcome in gather_run(run, ("all",)).outcomes],
        sizes=known,
    )


def _show(drawn: Drawn) -> None:
    for paths in drawn.written.values():
        for path in paths:
            click.echo(f"written: {path}")
    for kind, reason in drawn.skipped.items():
        click.echo(f"skipped: {kind}: {reason}")
    for note in drawn.notes:
        click.echo(f"note: {note}")
