"""`mirror-bench tasks`: run tasks of lm-eval, ours among them, with any of our engines."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import click

from mirror_bench.cli import print_json
from mirror_bench.cli.options.numbers import NumberRange
from mirror_bench.errors import InputError

_INCLUDE = click.option(
    "--include-path",
    "include",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A folder with further YAML tasks; may stand several times.",
)


@click.group()
def tasks() -> None:
    """Run tasks of lm-eval, ours (mirror_static) among them, with any provider/name."""


@tasks.command("list")
@_INCLUDE
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_command(include: tuple[Path, ...], as_json: bool) -> None:
    """List our tasks and groups, and those of --include-path.

    lm-eval's own tasks can be run as well; `lm-eval ls tasks` lists them.
    """
    _require_lm_eval()
    from mirror_bench.lm_eval.task_runs import list_tasks

    tasks = list_tasks(include)
    if as_json:
        print_json([info._asdict() for info in tasks])
        return
    width = max((len(info.name) for info in tasks), default=0)
    for info in tasks:
        chance = "" if info.chance is None else f"chance {info.chance:.2f}"
        click.echo(f"{info.name:{width}}  {info.kind:5}  {info.version:4}  {chance:11}  {info.describes}")


@tasks.command()
@click.option("--model", required=True, help="Who is asked: provider/name?option=value.")
@click.option(
    "--tasks", "names", default="mirror_static", show_default=True, help="Tasks or groups, joined by commas."
)
@click.option("--limit", type=click.IntRange(1), default=None, help="At most N documents per task.")
@click.option("--num-fewshot", type=click.IntRange(0), default=None, help="Solved examples before each.")
@_INCLUDE
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("runs/tasks"), show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="Of sampling and few-shot examples.")
@click.option("--memo", type=click.Path(path_type=Path), default=None, help="File that remembers answers.")
@click.option("--blind", is_flag=True, help="Leave images out of every prompt, to see what they bring.")
@click.option("--metadata", default="{}", help='A JSON object for the tasks: {"face_set": "FOLDER"}, say.')
@click.option("--concurrency", type=click.IntRange(1, 4096), default=256, show_default=True)
@click.option(
    "--min-coverage",
    type=NumberRange(0, 1),
    default=0.95,
    show_default=True,
    help="The smallest share of a task's documents that must be answered; below it, exit code 1.",
)
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print lm-eval's results as JSON.")
def run(
    model: str,
    names: str,
    limit: int | None,
    num_fewshot: int | None,
    include: tuple[Path, ...],
    out: Path,
    seed: int,
    memo: Path | None,
    blind: bool,
    metadata: str,
    concurrency: int,
    min_coverage: float,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run tasks with one of our engines, and write lm-eval's results and samples.

    Every prompt goes through the model's chat template. Files come to
    OUT/<model>/results_<time>.json and samples_<task>_<time>.jsonl. A document that the model's server
    refuses is in no metric: how many there were is said, and decides the exit code.
    """
    _require_lm_eval()
    if quiet or as_json:
        os.environ["TQDM_DISABLE"] = "1"  # read when tqdm is imported: lm-eval offers no other way
    from mirror_bench.lm_eval.engine_model import EngineLM
    from mirror_bench.lm_eval.task_runs import Chosen, run_tasks, task_manager
    from mirror_bench.lm_eval.unanswered import Unanswered

    wanted = tuple(dict.fromkeys(part.strip() for part in names.split(",") if part.strip()))
    if not wanted:
        raise InputError("--tasks: name at least one; mirror-bench tasks list shows ours")
    given = _object(metadata)
    task_manager(include, wanted)  # a wrong name is said before a model is loaded
    asked = EngineLM(
        model, memo=memo or "", blind=blind, concurrency=concurrency, seed=seed, quiet=quiet or as_json
    )
    try:
        results = run_tasks(asked, model, Chosen(wanted, limit, num_fewshot, seed, given), include, out)
    finally:
        asked.close()
    if as_json:
        print_json(_plain(results))
    else:
        _show(results)
    lacking = {task: Unanswered(**missing) for task, missing in results.get("unanswered", {}).items()}
    for task, missing in lacking.items():
        click.echo(f"{task}: {missing.line}; the metrics are of the others", err=True)
    if any(1 - len(missing.documents) / missing.of < min_coverage for missing in lacking.values()):
        click.echo(f"below --min-coverage {min_coverage:g}: run again to ask for what is lacking", err=True)
        raise click.exceptions.Exit(1)


def _object(text: str) -> dict[str, Any]:
    import json

    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f'--metadata: is no JSON ({error}); give an object: {{"split": "dev"}}') from None
    if not isinstance(given, dict):
        raise InputError(f'--metadata: {text} is no object; give one: {{"split": "dev"}}')
    return given


def _show(results: dict[str, Any]) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE, pad_edge=False)
    for title in ("task", "n", "metric", "", "value", "stderr"):
        table.add_column(title, justify="left" if title in {"task", "metric"} else "right", no_wrap=True)
    for row in rows(results):
        table.add_row(*row)
    console = Console()
    console.print(table)
    console.print(f"results: {results['files'][0]}", highlight=False, markup=False, soft_wrap=True)


def rows(results: dict[str, Any]) -> list[tuple[str, str, str, str, str, str]]:
    """Returns one row per metric of every group and task, the groups' members below them.

    Args:
        results: As lm-eval gives them.

    Returns:
        Task, documents, metric (and filter), arrow of what is better, value, standard error; a task's name
        stands in its first row alone.
    """
    cells = []
    for task, values in {**results["results"], **results.get("groups", {})}.items():
        count = str(results["n-samples"].get(task, {}).get("effective", ""))
        if lacking := results.get("unanswered", {}).get(task):
            count += f" of {lacking['of']}"
        better = results["higher_is_better"].get(task, {})
        first = True
        for key, value in sorted(values.items()):
            metric, comma, kept = key.partition(",")
            if not comma or metric.endswith("_stderr"):
                continue
            arrow = {True: "↑", False: "↓"}.get(better.get(metric), "")
            name = metric if kept == "none" else f"{metric} ({kept})"
            error = values.get(f"{metric}_stderr,{kept}")
            cells.append(
                (task if first else "", count if first else "", name, arrow, _number(value), _number(error))
            )
            first = False
    return cells


def _number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, int | float) else "–"


def _plain(results: dict[str, Any]) -> Any:
    """Results with nothing in them but what JSON holds, as lm-eval itself writes them."""
    import json

    from lm_eval.utils import handle_non_serializable

    return json.loads(json.dumps(results, default=handle_non_serializable))


def _require_lm_eval() -> None:
    if importlib.util.find_spec("lm_eval") is None:
        raise InputError("lm-eval is not installed; pip install 'mirror-bench[lm-eval]'")
