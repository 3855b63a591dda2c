"""`mirror-bench card`: a run's scores as model-card metadata."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

import click

from mirror_bench.cli import print_json
from mirror_bench.errors import InputError


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--model", default="", help="The model's name on its card; default: the run's candidate.")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="Write the YAML here, not to the terminal."
)
@click.option("--json", "as_json", is_flag=True, help="Print the model-index as JSON for machines.")
def card(runs: tuple[Path, ...], model: str, out: Path | None, as_json: bool) -> None:
    """Print the scores of RUNS as the `model-index` of a Hugging Face model card.

    The YAML goes between the two lines --- at the top of the model's README.md. Several runs of one model,
    such as one per method, come as several results.
    """
    from mirror_bench import __version__
    from mirror_bench.analysis.model_index import card_metadata, model_index
    from mirror_bench.analysis.run_summary import summarize_run
    from mirror_bench.analysis.summary import compare_runs
    from mirror_bench.files import write_atomically
    from mirror_bench.sessions.run_header import read_header

    summaries = [summarize_run(run) for run in runs]
    summary = summaries[0] if len(summaries) == 1 else compare_runs(summaries)
    name = model or read_header(runs[0]).candidate.therapist
    index = model_index(summary, name, __version__)
    if not any(result["results"] for result in index):
        raise InputError(
            f"{runs[0]}: holds no score to put on a card; hold its sessions and rate them: "
            f"mirror-bench rate {quote(str(runs[0]))}"
        )
    text = card_metadata(summary, name, __version__)
    if out is not None:
        write_atomically(out, text.encode())
    if as_json:
        print_json(index)
    elif out is None:
        click.echo(text, nl=False)
    else:
        click.echo(f"written: {out}")
