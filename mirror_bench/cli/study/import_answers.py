"""`mirror-bench study import`: takes in what raters sent back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mirror_bench.cli import print_json

if TYPE_CHECKING:
    from mirror_bench.study.importing import ImportedRater, ImportedStudy


@click.command(name="import")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--include",
    multiple=True,
    metavar="RATER",
    help="Take in this rater's answers although they should stay out (r1, r2, …).",
)
@click.option(
    "--replace",
    is_flag=True,
    help="Let answers count that differ from those taken in before; the old ones are kept.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def import_answers(
    folder: Path, files: tuple[Path, ...], include: tuple[str, ...], replace: bool, as_json: bool
) -> int:
    """Take the FILES that raters sent back into the study in FOLDER.

    Ratings enter the runs as those of raters of their own (human:STUDY-r1); comparisons enter the study's
    folder. Exit code 1 where answers stay out or are incomplete, 2 where a file cannot be used; all others
    are taken in.
    """
    from mirror_bench.study.importing import import_answers as take_in

    imported = take_in(folder, files, include=include, replace=replace)
    if as_json:
        print_json(_as_json(imported))
    else:
        _show(imported, folder)
    if imported.refused:
        return 2
    return int(any(rater.left_out or rater.quality.whole < rater.quality.tasks for rater in imported.raters))


def _as_json(imported: ImportedStudy) -> dict[str, object]:
    return {
        "raters": [
            {
                "rater": rater.sent.rater,
                "file": rater.sent.file,
                "added": rater.added,
                "known": rater.known,
                "left_out": rater.left_out,
                **rater.quality._asdict(),
            }
            for rater in imported.raters
        ],
        "refused": imported.refused,
        "absent": imported.absent,
        "notes": imported.notes,
    }


def _show(imported: ImportedStudy, folder: Path) -> None:
    for rater in imported.raters:
        click.echo(_line(rater))
    for line in imported.notes:
        click.echo(f"note: {line}")
    for line in imported.refused:
        click.echo(f"not taken in: {line}", err=True)
    if imported.absent:
        click.echo(f"nothing yet of {', '.join(imported.absent)}")
    if any(rater.added or rater.known for rater in imported.raters):
        click.echo(f"how far they agree: mirror-bench study agree {folder}")


def _line(rater: ImportedRater) -> str:
    who = f"{rater.sent.rater} ({rater.sent.file})"
    if rater.left_out:
        return (
            f"{who}: stays out: {'; '.join(rater.left_out)}: ask the rater, or take it in all the same with "
            f"--include {rater.sent.rater}"
        )
    told = f"{who}: {rater.added} taken in" + (f", {rater.known} were there" if rater.known else "")
    notes = rater.quality.noted()
    if rater.quality.whole < rater.quality.tasks:
        notes.append("ask the rater for the rest and import the newer file; what is there stays")
    return "; ".join((told, *notes))
