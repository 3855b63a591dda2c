"""`mirror-bench data annomi`: the client's face at each turn of transcripts whose videos the user has."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from mirror_bench.cli.options.numbers import NumberRange


@click.command()
@click.option(
    "--videos",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of videos named by transcript_id, with rights.csv (transcript_id, licence, consent).",
)
@click.option(
    "--transcripts", type=click.Path(path_type=Path), required=True, help="AnnoMI-full.csv, or alike."
)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="Folder; a begun one goes on."
)
@click.option(
    "--side",
    type=click.Choice(["only", "left", "right", "largest"]),
    default="only",
    show_default=True,
    help="Which face is the client's.",
)
@click.option(
    "--least-width", type=click.IntRange(32), default=64, show_default=True, help="Of the face, in pixels."
)
@click.option("--least-sharpness", type=NumberRange(0), default=25.0, show_default=True)
@click.option("--quiet", is_flag=True, help="No progress.")
@click.option("--json", "as_json", is_flag=True, help="Print the yield as JSON.")
def annomi(
    videos: Path,
    transcripts: Path,
    out: Path,
    side: str,
    least_width: int,
    least_sharpness: float,
    quiet: bool,
    as_json: bool,
) -> None:
    """Take a frame of the client's face at each turn, and make a replay that therapists answer turn by turn.

    A frame is taken only where rights.csv states licence and consent for its moment, and where the face is
    found, large, sharp and well lit. Exit 1 where no frame is kept.

    \b
    mirror-bench data annomi --videos videos --transcripts AnnoMI-full.csv -o real
    mirror-bench run --protocol replay-real --data mini:real/data --faces frames:real --therapist …
    """  # noqa: D301
    from mirror_bench.cli import print_json
    from mirror_bench.making.settings import making_in
    from mirror_bench.making.video.frames import FrameLimits
    from mirror_bench.making.video.maker import ReplayMaker, settings_of, yield_lines
    from mirror_bench.making.video.transcripts import find_videos, read_rights, read_timed

    found_videos = find_videos(videos.expanduser())
    rights = read_rights(videos.expanduser())
    timed = read_timed(transcripts.expanduser())
    limits = FrameLimits(side, least_width, least_sharpness)
    with making_in(out, settings_of(timed, found_videos, rights, limits)):
        found = asyncio.run(ReplayMaker(out, found_videos, rights, limits).make(timed, quiet))
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        for line in yield_lines(found, out):
            click.echo(line)
    if not found.kept:
        raise SystemExit(1)
