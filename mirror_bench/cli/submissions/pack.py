"""`mirror-bench pack`: put a run into one file to hand in."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from mirror_bench.cli import print_json

if TYPE_CHECKING:
    from mirror_bench.submissions.manifest import Card, SubmissionCoverage

QUESTIONS = {
    "name": "The model's name, as the leaderboard shows it",
    "authors": "Authors, joined by commas",
    "licence": "The model's licence (an SPDX identifier, or proprietary)",
    "base_model": "Trained from which model (none if from scratch)",
    "training_data": "Trained on which data, joined by commas (none if untrained)",
}


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="The file to write; default: the run folder's name with .mirror.zip, in this folder.",
)
@click.option(
    "--meta",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="YAML file with name, authors, licence, base_model and training_data; also links, description, "
    "parameters_billions and templated.",
)
@click.option("--with-faces", is_flag=True, help="Pack the images that the therapist was shown too.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
def pack(run: Path, out: Path | None, meta: Path | None, with_faces: bool, as_json: bool) -> None:
    """Put RUN into one file to hand in: manifest, sessions, ratings, summary, protocol and environment.

    The same run gives the same bytes. What --meta does not say is asked for where a terminal is there.
    Answers of models (calls.sqlite) stay where they are. The run must be finished and rated; sessions that
    failed are packed as failed. Check the file with mirror-bench verify before you hand it in.
    """
    from mirror_bench.sessions.run_folder import own_instruments
    from mirror_bench.sessions.run_header import read_header
    from mirror_bench.submissions.pack import SUFFIX, pack_run

    target = out or Path(f"{run.resolve().name}{SUFFIX}")
    manifest = pack_run(run, _card(run, meta), target, with_faces=with_faces)
    if as_json:
        print_json(manifest.model_dump(mode="json"))
        return
    if read_header(run).imported:
        click.echo(
            "its sessions were held elsewhere: nothing of them can be replayed, and a board shows it apart",
            err=True,
        )
    click.echo(f"{target}: {_size(target.stat().st_size)}, {_told(manifest.coverage)}")
    if own := own_instruments(run):
        click.echo(
            f"ratings on instruments of your own are left out, nobody else has them: {', '.join(own)}",
            err=True,
        )
    click.echo(f"check it with: mirror-bench verify {quote(str(target))}")
    click.echo(
        "then hand it in: a pull request that adds the file to leaderboard/submissions/ of the repository"
    )


def _card(run: Path, meta: Path | None) -> Card:
    from mirror_bench.sessions.run_header import read_header
    from mirror_bench.submissions.card import derived, make_card, missing, read_meta

    values = {**derived(read_header(run)), **(read_meta(meta) if meta else {})}
    if sys.stdin.isatty() and sys.stdout.isatty():
        for key in missing(values):
            values[key] = click.prompt(QUESTIONS[key], value_proc=partial(_answer, key))
    return make_card(values)


def _answer(key: str, text: str) -> Any:
    """Returns an answer as the card takes it; one that it does not take is asked for again."""
    from mirror_bench.submissions.card import as_list, problem_of

    value: Any = as_list(key, text.strip())
    if problem := problem_of(key, value):
        raise click.UsageError(problem)
    return value


def _size(size: int) -> str:
    """A file's size, in kB where it is less than a MB."""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} kB"


def _told(coverage: SubmissionCoverage) -> str:
    text = f"{coverage.due - coverage.failed} of {coverage.due} sessions"
    if coverage.profiles < coverage.profiles_published:
        met = f"{coverage.profiles} of the {coverage.profiles_published} profiles"
        text += f", {met}: partial coverage, without a rank on the board"
    return text
