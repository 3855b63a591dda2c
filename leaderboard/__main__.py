"""`python -m leaderboard build`: the site of the board, from what was handed in."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from leaderboard.cache import DEFAULT, BoardCache, digest_of, find_submissions
from mirror_bench.cli import speak_plainly
from mirror_bench.errors import InputError
from mirror_bench.files import disk_problem

HERE = Path(__file__).parent


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def board() -> None:
    """Make the board of submissions."""


@board.command()
@click.option(
    "--submissions",
    type=click.Path(path_type=Path),
    default=HERE / "submissions",
    show_default="leaderboard/submissions",
    help="A folder of *.mirror.zip, or of run folders.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    default=Path("site"),
    show_default=True,
    help="Where to write; an earlier site is replaced.",
)
@click.option("--no-verify", is_flag=True, help="Do not recompute submissions: none is shown as verified.")
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT,
    show_default="build/.board-cache",
    help="Where a build keeps what it made of each submission; nothing is lost when it is removed.",
)
@click.option("--fresh", is_flag=True, help="Make everything anew, without the cache.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def build(submissions: Path, out: Path, no_verify: bool, cache: Path, fresh: bool, as_json: bool) -> None:
    """Write the site: the table, a page per model, comparisons, sessions and downloads.

    Each submission is read, verified and scored anew; those that an earlier build met are neither verified
    nor written again, unless they, mirror-bench or the site's templates have changed. Exits with 0, with 1
    if a submission fails a check of mirror-bench verify (the site is written and says so), with 2 if one
    cannot be read.
    """
    kept = None if fresh else BoardCache(cache)
    handed_in = {path.name: digest_of(path) for path in find_submissions(submissions)}
    done = kept.written(out, handed_in, not no_verify) if kept else None
    if done:
        click.echo("nothing has changed since this site was built", err=True)
    else:
        done = _write(submissions, out, kept, not no_verify)
        if kept:
            kept.keep_written(out, handed_in, not no_verify, done)
    if as_json:
        click.echo(json.dumps({"out": str(out), **done}, indent=1))
    else:
        models = "model" if done["models"] == 1 else "models"
        said = f"{done['models']} {models}, {done['sessions']} sessions, {done['bytes'] / 1e6:.1f} MB"
        click.echo(f"{said}: {out / 'index.html'}")
        for slug, checks in done["failed"].items():
            click.echo(f"{slug} fails {', '.join(checks)}", err=True)
    if done["failed"]:
        sys.exit(1)


def _write(submissions: Path, out: Path, cache: BoardCache | None, verify: bool) -> dict[str, Any]:
    """Reads what was handed in and writes the site; returns what is told of it."""
    from leaderboard.boards import make_boards
    from leaderboard.load_submissions import read_submissions
    from leaderboard.site import write_site

    def told(line: str) -> None:
        click.echo(line, err=True)

    with ExitStack() as open_while:
        found = read_submissions(submissions, open_while, verify=verify, told=told, cache=cache)
        told(f"ranking {len(found)} submissions")
        boards = make_boards(found)
        told(f"writing {out}")
        written = write_site(out, boards, cache)
    failed = {one.slug: one.verdict.failed for one in found if one.verdict and not one.verdict.verified}
    return {**written._asdict(), "failed": failed}


@board.command()
@click.argument("names", nargs=-1)
@click.option(
    "--submissions",
    type=click.Path(path_type=Path, file_okay=False),
    default=HERE / "submissions",
    show_default="leaderboard/submissions",
    help="Where the packed files go; those of the same names are replaced.",
)
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs/entries"),
    show_default=True,
    help="Holds the reference, put together, and the run folders; what is there is not made again.",
)
@click.option(
    "--keep-sessions",
    is_flag=True,
    help="Sessions of a model stand in which the present client, hearing the recorded words, does what is "
    "recorded; only the others are held.",
)
def entries(names: tuple[str, ...], submissions: Path, work: Path, keep_sessions: bool) -> None:
    """Make the project's own entries anew (all of leaderboard/entries.yaml, or NAMES alone).

    Each is held, packed and verified, and replaces its file once no check fails: after a change of data,
    prompts, rater or client, whose fingerprint older files do not have. Where the client alone has changed,
    --keep-sessions asks the model about what the change moves and nothing else.
    """
    from leaderboard.own_submissions import make_entries, read_entries

    listed = read_entries()
    work.mkdir(parents=True, exist_ok=True)
    submissions.mkdir(parents=True, exist_ok=True)
    for path in make_entries(listed, names or tuple(listed.entries), submissions, work, keep=keep_sessions):
        click.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


@board.command("rate-anew")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs/rated-anew"),
    show_default=True,
    help="Holds the run folders.",
)
def rate_anew(files: tuple[Path, ...], work: Path) -> None:
    """Rate FILES by the present raters (default: all of leaderboard/submissions).

    Sessions and cards stand as they were handed in, so no model is asked again and authors need do nothing.
    Each file is packed and verified, and replaced once no check fails. Where more has changed than raters,
    the sessions must be held anew, and the message says what has changed.
    """
    from leaderboard.rerating import rate_anew as rate

    work.mkdir(parents=True, exist_ok=True)
    for path in files or find_submissions(HERE / "submissions"):
        rated = rate(path, work)
        click.echo(f"{path}: {'rated anew' if rated else 'stands by the present raters'}")


def main() -> None:
    """Runs the command; bad input, and a disk that refuses, is one line and exit code 2."""
    speak_plainly()
    try:
        board.main(prog_name="python -m leaderboard", standalone_mode=False)
    except InputError as error:
        _fail(str(error))
    except click.ClickException as error:
        _fail(error.format_message())
    except OSError as error:
        _fail(str(disk_problem(error)))


def _fail(reason: str) -> None:
    click.echo(f"leaderboard: {' '.join(reason.split())}", err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
