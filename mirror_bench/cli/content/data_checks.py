"""`mirror-bench data splits` and `data contamination`: whether data are as published, and out of a corpus."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mirror_bench.errors import InputError

if TYPE_CHECKING:
    from mirror_bench.data.checks.contamination import Hit
    from mirror_bench.data.checks.splits import Split

_SHOWN = 20


@click.command()
@click.option(
    "--data", "source", default="mini", show_default=True, metavar="SOURCE", help="mini or mini:FOLDER."
)
@click.option("--write", is_flag=True, help="Write splits.yaml anew, after a change of the content.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def splits(source: str, write: bool, as_json: bool) -> None:
    """Show each split's size and digest; exit 1 where they differ from the published splits.yaml."""
    from mirror_bench.content import content_path
    from mirror_bench.data.checks.canary import NOTICE
    from mirror_bench.data.checks.splits import RECORD, published_splits, render_splits, splits_of
    from mirror_bench.data.sources.registry import load_data

    kind, _, folder = source.partition(":")
    if kind != "mini":
        raise InputError(f"--data {source}: only mini and mini:FOLDER have published splits")
    found = splits_of(load_data(source))
    if write:
        path = (Path(folder) if folder else content_path("mini")) / RECORD
        path.write_text(render_splits(found, NOTICE), encoding="utf-8")
    published = published_splits(folder)
    if as_json:
        both = {"splits": _plain(found), "published": _plain(published), "as_published": found == published}
        click.echo(json.dumps(both, indent=2))
    else:
        for name, split in found.items():
            state = "as published" if published.get(name) == split else "NOT as published"
            counts = f"{split.profiles:4d} profiles {split.screenplays:4d} screenplays"
            click.echo(f"{name:6} {counts}  {split.digest}  {state}")
        for name in published.keys() - found.keys():
            click.echo(f"{name:6} is published and not there")
    sys.exit(0 if found == published else 1)


@click.command()
@click.argument("corpus", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--data", "source", default="mini", show_default=True, metavar="SOURCE", help="Which set.")
@click.option("--split", default="test", show_default=True, help="The protected split; '' for the whole set.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def contamination(corpus: tuple[Path, ...], source: str, split: str, as_json: bool) -> None:
    """Search a training CORPUS (files or folders of text, JSON, CSV) for the canary and for text of a split.

    Exit code 1 where something was found.
    """
    from mirror_bench.data.checks.contamination import Protected, corpus_texts
    from mirror_bench.data.sources.registry import load_data

    part = load_data(source).of_split(split)
    if not part.profiles:
        raise InputError(f"--split {split!r}: {source} has no profile of that split")
    hits = Protected(part).check_all(corpus_texts(corpus))
    if as_json:
        click.echo(json.dumps({"hits": [hit._asdict() for hit in hits]}, ensure_ascii=False, indent=2))
    else:
        _print_hits(hits)
    sys.exit(1 if hits else 0)


def _print_hits(hits: list[Hit]) -> None:
    for hit in hits[:_SHOWN]:
        parts = ["the canary"] * hit.canary
        if hit.runs:
            parts.append(f"{hit.runs} runs of words of the split, such as ({hit.of}) {hit.example!r}")
        click.echo(f"{hit.source}: holds {' and '.join(parts)}")
    if len(hits) > _SHOWN:
        click.echo(f"and {len(hits) - _SHOWN} more: --json lists them all")
    if not hits:
        click.echo("nothing was found")


def _plain(splits: dict[str, Split]) -> dict[str, dict[str, object]]:
    return {name: split._asdict() for name, split in splits.items()}
