"""`mirror-bench data`: what a data source holds, one profile in full, making and exporting."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mirror_bench.cli.content.data_annomi import annomi
from mirror_bench.cli.content.data_annotate import annotate
from mirror_bench.cli.content.data_checks import contamination, splits
from mirror_bench.cli.content.data_filter import filter_
from mirror_bench.cli.content.data_make import make
from mirror_bench.cli.content.data_stats import stats
from mirror_bench.data.screenplays.records import (
    Screenplay,
)
from mirror_bench.errors import InputError, did_you_mean
from mirror_bench.schema import (
    Profile,
    Resistance,
)

if TYPE_CHECKING:
    from mirror_bench.data.base import DataSet

_FORMS = (
    *("parquet", "jsonl", "base", "planning", "ec_planning"),
    *("llava-base", "llava-planning", "llava-ec-planning"),
)
_SHOWN_PROBLEMS = 20
_SHOWN_WORDS = 12


def _source(command: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--data",
        "source",
        default="mini",
        show_default=True,
        metavar="SOURCE",
        help="mini, mirror:PATH, mirror:hub, cactus:PATH, vera:FOLDER, patienthub:FILE, mindeval:FILE or "
        "imported:RUN.",
    )(command)


def _as_json(command: Callable[..., None]) -> Callable[..., None]:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")(command)


@click.group()
def data() -> None:
    """Look into profiles and screenplays, make and export them."""


for command in (annomi, annotate, contamination, filter_, make, splits, stats):
    data.add_command(command)


@data.command()
@_source
@_as_json
def info(source: str, as_json: bool) -> None:
    """Count what a data source holds, and list what could not be read."""
    from mirror_bench.data.sources.registry import load_data

    loaded = load_data(source)
    if as_json:
        click.echo(json.dumps(_summary(loaded), ensure_ascii=False, indent=2))
    else:
        _print_summary(loaded)


@data.command()
@click.argument("id", required=False)
@_source
@_as_json
def show(id: str | None, source: str, as_json: bool) -> None:
    """Show the profile ID with its screenplays; list all profiles without ID."""
    from mirror_bench.data.sources.registry import load_data

    loaded = load_data(source)
    profiles = [_find(loaded, id)] if id else list(loaded.profiles)
    if as_json:
        found = [_record(profile, loaded) for profile in profiles]
        click.echo(json.dumps(found[0] if id else found, ensure_ascii=False, indent=2))
    elif id:
        _print_profile(profiles[0], _plays(profiles[0], loaded))
    else:
        _print_list(loaded)


@data.command()
@_source
@click.option("--form", type=click.Choice(_FORMS), required=True, help="What to write.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The file to write.")
@click.option("--split", default="", help="Only this split.")
@click.option("--images/--no-images", default=True, show_default=True, help="Draw faces for a training set.")
@click.option(
    "--image-root",
    type=click.Path(path_type=Path),
    default=None,
    help="Images that you have, as MIRROR's authors lay them: FOLDER/<idx>/turn:<n>_<identity>.png.",
)
@click.option("--force", is_flag=True, help="Replace what stands there.")
def export(
    source: str, form: str, out: Path, split: str, images: bool, image_root: Path | None, force: bool
) -> None:
    """Write a data source as a table or as a training set in LLaVA's conversation format.

    base, planning and ec_planning have the structure of the files of MIRROR's authors: ids, image paths, the
    parts of a prompt; llava-* have prompts of our own. Sentences are ours in both.
    """
    from mirror_bench.data.export.exporter import export_data
    from mirror_bench.data.sources.registry import load_data

    if image_root is not None and (not images or form in {"parquet", "jsonl"}):
        raise InputError("--image-root goes with a training set and its images: leave it out")
    data = load_data(source)
    written = export_data(data, form, out, split=split, images=images, image_root=image_root, force=force)
    beside = f" and {written.images} images" if written.images else ""
    click.echo(f"{written.path}: {written.records} records{beside}")
    if written.left_out:
        click.echo(
            f"{written.left_out} turns were left out: their image, or the plan of their client, is missing"
        )


def _summary(loaded: DataSet) -> dict[str, Any]:
    resistance = Counter(profile.resistance.value for profile in loaded.profiles)
    splits = Counter(profile.split for profile in loaded.profiles)
    from mirror_bench.data.screenplays.direction_coverage import count_directions

    return {
        "source": loaded.name,
        "profiles": len(loaded.profiles),
        "screenplays": len(loaded.screenplays),
        "lines": sum(len(play.lines) for play in loaded.screenplays),
        "problems": len(loaded.problems),
        "digest": loaded.digest,
        "per_resistance": {kind.value: resistance[kind.value] for kind in Resistance},
        "per_split": dict(sorted(splits.items())),
        "stage_directions": count_directions(loaded)._asdict(),
        "problem_list": [problem._asdict() for problem in loaded.problems],
    }


def _find(loaded: DataSet, id: str) -> Profile:
    for profile in loaded.profiles:
        if profile.id == id:
            return profile
    near = did_you_mean(id, [profile.id for profile in loaded.profiles]).strip()
    hint = near or "list them with: mirror-bench data show"
    raise InputError(f"{loaded.name} has no profile {id!r}: {hint}")


def _plays(profile: Profile, loaded: DataSet) -> list[Screenplay]:
    return [play for play in loaded.screenplays if play.profile_id == profile.id]


def _record(profile: Profile, loaded: DataSet) -> dict[str, Any]:
    plays = [play.model_dump(mode="json", exclude_defaults=True) for play in _plays(profile, loaded)]
    return {**profile.model_dump(mode="json", exclude_defaults=True), "screenplays": plays}


def _print_summary(loaded: DataSet) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    summary = _summary(loaded)
    splits = list(summary["per_split"])
    console.print(Text(f"{loaded.name}: {len(loaded.profiles)} profiles", style="bold"))
    table = Table()
    table.add_column("resistance")
    for split in splits:
        table.add_column(Text(split or "no split"), justify="right")
    counts = Counter((profile.resistance, profile.split) for profile in loaded.profiles)
    for kind in Resistance:
        table.add_row(kind.value, *(str(counts[kind, split]) for split in splits))
    console.print(table)
    console.print(Text(f"{summary['screenplays']} screenplays of {summary['lines']} lines"))
    if directions := summary["stage_directions"]["directions"]:
        neutral = summary["stage_directions"]["neutral"]
        unread = ", ".join(list(summary["stage_directions"]["unknown_words"])[:_SHOWN_WORDS])
        console.print(Text(f"{directions} stage directions of clients, {neutral} of them not understood"))
        console.print(Text(f"words not understood: {unread or 'none'}"))
    console.print(Text(f"digest {loaded.digest}"))
    if loaded.problems:
        console.print(Text(f"{len(loaded.problems)} problems", style="bold"))
        problems = Table()
        for heading in ("file", "line", "problem"):
            problems.add_column(heading)
        for problem in loaded.problems[:_SHOWN_PROBLEMS]:
            problems.add_row(Text(problem.source), str(problem.line), Text(problem.message))
        console.print(problems)
        if len(loaded.problems) > _SHOWN_PROBLEMS:
            console.print(f"and {len(loaded.problems) - _SHOWN_PROBLEMS} more: --json lists them all")


def _print_list(loaded: DataSet) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for heading in ("id", "name", "age", "resistance", "split", "screenplays"):
        table.add_column(heading)
    plays = Counter(play.profile_id for play in loaded.screenplays)
    for profile in loaded.profiles:
        age = "" if profile.age is None else str(profile.age)
        cells = (
            profile.id,
            profile.name,
            age,
            profile.resistance.value,
            profile.split,
            str(plays[profile.id]),
        )
        table.add_row(*map(Text, cells))
    Console().print(table)


def _print_profile(profile: Profile, plays: list[Screenplay]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from mirror_bench.data.screenplays.parser import render_screenplay

    console = Console()
    table = Table(show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, value in profile.model_dump(mode="json", exclude_defaults=True, exclude={"voice"}).items():
        table.add_row(name, Text(_cell(value)))
    if profile.voice:
        table.add_row("voice", f"{len(profile.voice)} lines of its own: --json lists them")
    console.print(table)
    for play in plays:
        about = ", ".join(filter(None, (play.technique, play.ended)))
        console.print(Text(f"\n{play.id}" + (f" ({about})" if about else ""), style="bold"))
        console.print(Text(render_screenplay(play)))


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(map(str, value))
    if isinstance(value, dict):
        return "\n".join(f"{key}: {item}" for key, item in value.items())
    return str(value)
