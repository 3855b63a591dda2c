"""`mirror-bench rate`: rate the sessions of a run again, with another judge or instrument."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from mirror_bench.cli.outcome import shown
from mirror_bench.text import one_line

if TYPE_CHECKING:
    from mirror_bench.schema import Rating


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--judge", multiple=True, help="coded, or a model: provider/name; default: the protocol's.")
@click.option(
    "--instrument",
    multiple=True,
    help="Such as ctrs, or a YAML file; +NAME adds it to the protocol's; default: the protocol's.",
)
@click.option("--samples", type=click.IntRange(1, 64), default=1, show_default=True, help="Answers per item.")
@click.option("--panel", is_flag=True, help="Also average the model judges, put on one scale: a panel.")
@click.option(
    "--retest",
    type=click.IntRange(2),
    default=None,
    metavar="N",
    help="Have the model judges rate N sessions a second time under other seeds, and say how they agree.",
)
@click.option(
    "--again", is_flag=True, help="Make ratings anew that are there; the old ones are kept in the file."
)
@click.option("--concurrency", type=click.IntRange(1, 4096), default=32, show_default=True)
@click.option("--quiet", is_flag=True, help="Show no progress.")
def rate(
    run: Path,
    judge: tuple[str, ...],
    instrument: tuple[str, ...],
    samples: int,
    panel: bool,
    retest: int | None,
    again: bool,
    concurrency: int,
    quiet: bool,
) -> None:
    """Add to RUN the ratings that it lacks; without options, those of its own protocol.

    A rating is lacking that was never made, that was lost while the judge was out of reach, or that was made
    with another version of the instrument or the rater. The exit code is 1 where nothing was scored, or a
    rater could not answer.
    """
    from mirror_bench.api.evaluating import add_ratings

    rating = partial(
        add_ratings,
        run,
        judges=judge,
        panel=panel,
        samples=samples,
        instruments=instrument,
        concurrency=concurrency,
        progress=not quiet,
    )
    first = rating(again=again)
    told, found = [first.told], [*first]
    if retest is not None:
        second = rating(retest=True, sessions=retest)
        told.append(f"retest: {second.told}")
        found += second
        _show_retest(run)
    others = " --rater all" if judge or panel else ""  # a report shows the protocol's raters unless asked
    click.echo(
        f"{'; '.join(told)}; they are in {run / 'ratings.jsonl'}; "
        f"show them with: mirror-bench report {quote(str(run))}{others}"
    )
    if problem := _lacking(found):
        click.echo(problem, err=True)
        sys.exit(1)


def _lacking(found: Sequence[Rating]) -> str:
    """Returns why there is less than was asked for, or "": nothing was rated, or a rater could not answer."""
    from mirror_bench.sessions.rating import rating_key, why_unscored

    lost: dict[tuple[str, ...], bool] = {}
    for rating in found:  # a rating that was made later takes the place of one that was lost
        key = rating_key(rating)
        lost[key] = rating.lost and lost.get(key, True)
    if count := sum(lost.values()):
        reason = why_unscored(next(rating for rating in reversed(found) if rating.lost))
        return f"{count} ratings were lost ({one_line(reason)}): the same command tries them again"
    if not any(item.score is not None or not item.applies for one in found for item in one.items.values()):
        return "nothing was scored: " + (
            "no rating has a score, see the reasons above" if found else "the run holds no session to rate"
        )
    return ""


def _show_retest(run: Path) -> None:
    from rich.console import Console

    from mirror_bench.analysis.raters.retest import retests
    from mirror_bench.sessions.rating import counted_ratings, standing_of
    from mirror_bench.sessions.run_folder import read_sessions
    from mirror_bench.sessions.run_header import read_header

    console = Console()
    standing = standing_of(run, read_header(run))
    profiles = {session.key: session.profile_id for session in read_sessions(run)}
    for found in retests(counted_ratings(run, standing), profiles, standing.form_of):
        console.print(
            f"{found.rater}, {found.metric}: retest r {shown(found.r)}, ICC(2,1) {shown(found.icc)}, "
            f"{found.sessions} sessions",
            markup=False,
            highlight=False,
        )
