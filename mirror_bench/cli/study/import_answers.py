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

    found = take_in(folder, files, include=include, replace=replace)
    if as_json:
        print_json(_as_json(found))
    else:
        _show(found, folder)
    if found.refused:
        return 2
    return int(any(one.left_out or one.quality.whole < one.quality.tasks for one in found.raters))


def _as_json(found: ImportedStudy) -> dict[str, object]:
    return {
        "raters": [
            {
                "rater": one.sent.rater,
                "file": one.sent.file,
                "added": one.added,
                "known": one.known,
                "left_out": one.left_out,
                **one.quality._asdict(),
            }
            for one in found.raters
        ],
        "refused": found.refused,
        "absent": found.absent,
        "notes": found.notes,
    }


def _show(found: ImportedStudy, folder: Path) -> None:
    for one in found.raters:
        click.echo(_line(one))
    for line in found.notes:
        click.echo(f"note: {line}")
    for line in found.refused:
        click.echo(f"not taken in: {line}", err=True)
    if found.absent:
        click.echo(f"nothing yet of {', '.join(found.absent)}")
    if any(one.added or one.known for one in found.raters):
        click.echo(f"how far they agree: mirror-bench study agree {folder}")


def _line(one: ImportedRater) -> str:
    who = f"{one.sent.rater} ({one.sent.file})"
    if one.left_out:
        return (
            f"{who}: stays out: {'; '.join(one.left_out)}: ask the rater, or take it in all the same with "
            f"--include {one.sent.rater}"
        )
    told = f"{who}: {one.added} taken in" + (f", {one.known} were there" if one.known else "")
    notes = one.quality.noted()
    if one.quality.whole < one.quality.tasks:
        notes.append("ask the rater for the rest and import the newer file; what is there stays")
    return "; ".join((told, *notes))
