"""`mirror-bench export-lm-eval`: a run in the files that lm-eval's viewers and trackers read."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import click

from mirror_bench.cli import print_json
from mirror_bench.errors import InputError


@click.command("export-lm-eval")
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), default=None, help="Where to; RUN/lm_eval if not given."
)
@click.option("--rater", multiple=True, help="Whose ratings count, or all; the protocol's where not given.")
@click.option("--json", "as_json", is_flag=True, help="Print the paths as JSON.")
def export_lm_eval(folder: Path, out: Path | None, rater: tuple[str, ...], as_json: bool) -> None:
    """Write the run folder RUN as lm-eval's results and samples.

    Each face condition becomes a task, each session a document with one request per turn of the therapist.
    Files come to OUT/<therapist>/results_<time>.json and samples_<task>_<time>.jsonl; standard errors are
    those behind our intervals, clustered by profile.
    """
    if importlib.util.find_spec("lm_eval") is None:
        raise InputError("lm-eval is not installed; pip install 'mirror-bench[lm-eval]'")
    from mirror_bench.lm_eval.session_results import export_run

    written = export_run(folder, out or folder / "lm_eval", rater)
    if as_json:
        print_json({"results": str(written.results), "samples": [str(path) for path in written.samples]})
        return
    for path in (written.results, *written.samples):
        click.echo(path)
