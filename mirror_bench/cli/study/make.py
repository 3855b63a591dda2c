"""`mirror-bench study make`: a form for each rater, and the key that stays with whoever makes the study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from mirror_bench.cli import print_json

if TYPE_CHECKING:
    from mirror_bench.study.making import MadeStudy

CONDITIONS = ("matched", "none", "neutral", "shuffled", "incongruent")
_WORDS_A_MINUTE = 200


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--raters", type=int, required=True, help="How many people rate.")
@click.option(
    "--form",
    type=click.Choice(("rating", "pairwise")),
    default="rating",
    show_default=True,
    help="Rate sessions one by one, or say of two with one client which is better.",
)
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="A new folder.")
@click.option(
    "--each",
    type=int,
    default=None,
    help="How many raters rate each session or pair; all of up to three raters, else three.",
)
@click.option("--count", type=click.IntRange(min=1), default=None, help="Sessions or pairs; default: all.")
@click.option(
    "--instrument",
    multiple=True,
    help="What a rating form asks: a name or a YAML file; default: ctrs, wai and observed_attunement.",
)
@click.option(
    "--condition",
    multiple=True,
    type=click.Choice(CONDITIONS),
    help="Face conditions; default: a run's only one, or matched.",
)
@click.option(
    "--consent", type=click.Path(path_type=Path), help="A text file with what raters agree to, in paragraphs."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Decides choice, blocks, sides, orders.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def make(
    runs: tuple[Path, ...],
    raters: int,
    form: Literal["rating", "pairwise"],
    out: Path,
    each: int | None,
    count: int | None,
    instrument: tuple[str, ...],
    condition: tuple[str, ...],
    consent: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Write a form per rater about the sessions of RUNS (run folders under one protocol).

    Each form is one HTML file that opens from the disk, asks nothing of the network, keeps answers in the
    browser and hands them out as a file. It names no model, method or face condition, and shows the client's
    own face whatever the therapist was shown. `key.json` says what hides behind the ids and stays with you.
    """
    from mirror_bench.schema import FaceCondition
    from mirror_bench.study.making import StudyPlan, make_study

    conditions = tuple(map(FaceCondition, condition))
    made = make_study(StudyPlan(runs, raters, form, each, count, conditions, instrument, consent, seed), out)
    if as_json:
        print_json(
            {
                "study": made.key.study,
                "form": form,
                "forms": [str(path) for path in made.forms],
                "each": made.each,
                "raters": {code: len(tasks) for code, tasks in made.key.raters.items()},
                "words": made.words,
                "warnings": made.warnings,
            }
        )
        return
    _show(made, out)


def _show(made: MadeStudy, out: Path) -> None:
    from mirror_bench.study.making import FORMS_FOLDER
    from mirror_bench.study.planning import expected_width

    key = made.key
    sizes = sorted({len(tasks) for tasks in key.raters.values()})
    what = "sessions" if key.form == "rating" else "pairs"
    units = len({task.id for tasks in key.raters.values() for task in tasks})
    several = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    click.echo(
        f"study {key.study}: {units} {what}, each for {made.each} of {len(key.raters)} raters, {several} a "
        f"form; about {made.words / _WORDS_A_MINUTE:.0f} minutes of reading, and the answers"
    )
    for line in made.warnings:
        click.echo(f"careful: {line}")
    if made.each > 1:
        click.echo(expected_width(key.form, units, made.each))
    click.echo(f"hand out, one to each rater: {out / FORMS_FOLDER}/")
    click.echo(f"keep to yourself, and keep a copy: {out / 'key.json'} (it tells which session is whose)")
    click.echo(f"when files come back: mirror-bench study import {out} FILES...")
