"""`mirror-bench export-inspect`: a run as a log that `inspect view` opens."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import click

from mirror_bench.cli import print_json
from mirror_bench.errors import InputError


@click.command("export-inspect")
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), default=None, help="Where to; RUN/inspect if not given."
)
@click.option("--rater", multiple=True, help="Whose ratings count, or all; the protocol's where not given.")
@click.option("--json", "as_json", is_flag=True, help="Print the paths as JSON.")
def export_inspect(folder: Path, out: Path | None, rater: tuple[str, ...], as_json: bool) -> None:
    """Write the run folder RUN as logs of Inspect's, one for each face condition.

    Each session is a sample: its turns with the faces that were shown, its ratings with their evidence.
    Scores and intervals are those of the run. Look at them with: inspect view --log-dir OUT
    """
    from mirror_bench.engines.inspect_model import MISSING

    if importlib.util.find_spec("inspect_ai") is None:
        raise InputError(MISSING)
    from mirror_bench.adapters.inspect.log import export_inspect as export

    written = export(folder, out or folder / "inspect", rater)
    if as_json:
        print_json({"logs": [str(path) for path in written]})
        return
    for path in written:
        click.echo(path)
