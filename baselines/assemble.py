"""Puts the shipped reference together with its base model: `python -m baselines.assemble runs/reference`.

The folder that it writes is what `vllm/…` and `transformers/…` open. With `--apart`, the adapter stays beside
the model, to be served as `vllm/FOLDER?lora=FOLDER/adapter`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from baselines.smol.shipping import SHIPPED, assemble
from mirror_bench.errors import InputError


@click.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False), default=Path("runs/reference"))
@click.option(
    "--weights",
    type=click.Path(path_type=Path, file_okay=False),
    default=SHIPPED,
    show_default="baselines/weights/smol",
    help="Eyes and adapter, as `make reference` writes them.",
)
@click.option(
    "--base",
    default="",
    help="The base model: a folder, or a model of the Hub; by default the Python package.",
)
@click.option("--apart", is_flag=True, help="Leave the adapter beside the model, in OUT/adapter.")
def main(out: Path, weights: Path, base: str, apart: bool) -> None:
    """Write the reference to OUT (runs/reference); what stands there already is kept."""
    try:
        assemble(weights, out, merged=not apart, base=base)
    except InputError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
    click.echo(f"vllm/{_local(out)}" + (f"?lora={_local(out / 'adapter')}" if apart else ""))


def _local(folder: Path) -> str:
    """Returns a path as a model's name has it, never to be taken for one of the Hub."""
    return str(folder) if folder.is_absolute() else f"./{folder}"


if __name__ == "__main__":
    main()
