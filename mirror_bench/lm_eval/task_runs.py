"""Finds tasks of lm-eval, ours among them, runs them with an engine and writes lm-eval's own files."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mirror_bench.content import content_path
from mirror_bench.errors import InputError, did_you_mean
from mirror_bench.lm_eval.engine_model import EngineLM
from mirror_bench.lm_eval.unanswered import FirstPass
from mirror_bench.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lm_eval.tasks import TaskManager

FOLDER = "lm_eval"


class TaskInfo(NamedTuple):
    """What `tasks list` shows of one lm-eval task or group.

    Attributes:
        kind: "task" or "group".
        version: As its YAML file says; "" where it does not.
        chance: Share that guessing gets right, 0 to 1; None where there is no such share.
        describes: What it asks, in a sentence; for a group its members.
        path: Its YAML file.
    """

    name: str
    kind: str
    version: str
    chance: float | None
    describes: str
    path: str


class Chosen(NamedTuple):
    """The tasks to run, with their limits and seeds.

    Attributes:
        tasks: Names of tasks or groups.
        limit: At most so many documents per task; None for all.
        fewshot: Solved examples before each question; None as the task says.
        seed: Of few-shot examples and of lm-eval's bootstrap.
        metadata: What every task's documents are made with, such as `faces` and `face_set` of ours.
    """

    tasks: tuple[str, ...]
    limit: int | None = None
    fewshot: int | None = None
    seed: int = 0
    metadata: Mapping[str, Any] | None = None


class TaskFiles(NamedTuple):
    """The files of an evaluation: `results_*.json`, and `samples_*.jsonl` per task."""

    results: Path
    samples: tuple[Path, ...]


def task_manager(
    include: Sequence[Path] = (), names: Sequence[str] = (), metadata: Mapping[str, Any] | None = None
) -> TaskManager:
    """Returns lm-eval's manager over our tasks and those of `include`.

    lm-eval's own 14,000 take ten seconds to read, so they are there only where `names` asks for one.

    Raises:
        InputError: If a folder does not exist, or no task has one of the names.
    """
    from lm_eval.tasks import TaskManager

    for folder in include:
        if not folder.is_dir():
            raise InputError(f"--include-path {folder}: is no folder; name one that holds YAML tasks")
    paths = [str(content_path(FOLDER)), *map(str, include)]
    given = dict(metadata or {})
    manager = TaskManager(include_path=paths, include_defaults=False, metadata=given)
    known = set(manager.all_tasks)
    if all(name in known for name in names):
        return manager
    manager = TaskManager(include_path=paths, metadata=given)
    known = set(manager.all_tasks)
    for name in names:
        if name not in known:
            raise InputError(_unknown(name, known))
    return manager


def list_tasks(include: Sequence[Path] = ()) -> list[TaskInfo]:
    """Returns our tasks and those of `include`, groups first.

    Raises:
        InputError: If a folder does not exist.
    """
    manager = task_manager(include)
    found = [
        _info(name, entry.cfg or {}, entry.yaml_path)
        for name, entry in manager.task_index.items()
        if entry.yaml_path is not None
    ]
    return sorted(found, key=lambda info: (info.kind != "group", info.name))


def run_tasks(
    model: EngineLM, spec: str, chosen: Chosen, include: Sequence[Path], out: Path
) -> dict[str, Any]:
    """Evaluates tasks and writes lm-eval's results and samples below `out`.

    Args:
        model: Who is asked.
        spec: The model's name as given, after which the folder of the files is called.
        chosen: What is run.
        include: Folders with further tasks.
        out: Where the files go.

    Returns:
        lm-eval's results without the samples, the paths under "files" and, where the engine refused
        documents, under "unanswered" task -> which and why; they are in no metric.

    Raises:
        InputError: If a task cannot be found, read or run, or the files cannot be written.
    """
    from lm_eval import simple_evaluate
    from lm_eval.loggers import EvaluationTracker

    _check_writable(out)
    with _hushed():
        manager = task_manager(include, chosen.tasks, chosen.metadata)
        tracker = EvaluationTracker(output_path=str(out))
        model.first_pass = first_pass = FirstPass()
        evaluate = partial(
            simple_evaluate,
            model=model,
            model_args={"model": spec},
            task_manager=manager,
            evaluation_tracker=tracker,
            num_fewshot=chosen.fewshot,
            apply_chat_template=True,
            fewshot_as_multiturn=True,
            bootstrap_iters=1000,
            random_seed=chosen.seed,
            numpy_random_seed=chosen.seed,
            torch_random_seed=chosen.seed,
            fewshot_random_seed=chosen.seed,
            metadata=dict(chosen.metadata or {}),
        )
        try:
            results: dict[str, Any] = evaluate(tasks=list(chosen.tasks), limit=chosen.limit)
            if first_pass.lacking:
                kept = first_pass.answered()
                # A group of which a task has no answer at all has no score.
                whole = kept.keys() == results["results"].keys() - results.get("groups", {}).keys()
                results = evaluate(tasks=list(chosen.tasks if whole else kept), samples=kept)
                results["config"]["limit"] = chosen.limit
                results["unanswered"] = {
                    task: lacking._asdict() for task, lacking in first_pass.lacking.items()
                }
        except InputError:
            raise
        except (KeyError, ValueError, TypeError, AttributeError, OSError, ImportError) as error:
            said = one_line(error) or type(error).__name__
            raise InputError(f"--tasks {','.join(chosen.tasks)}: lm-eval cannot run them: {said}") from error
        samples = results.pop("samples")
        tracker.general_config_tracker.model_source = "mirror-engine"
        written = write_results(tracker, results, samples)
    return results | {"files": [str(written.results), *map(str, written.samples)]}


def write_results(
    tracker: Any, results: dict[str, Any], samples: dict[str, list[dict[str, Any]]]
) -> TaskFiles:
    """Writes `results_*.json` and one `samples_*.jsonl` per task, as lm-eval's viewers read them.

    Args:
        tracker: lm-eval's `EvaluationTracker`, which knows the model's name and the folder.
        results: As `simple_evaluate` gives them; details of the run are added.
        samples: Task -> its samples; their answers are turned into text.

    Raises:
        InputError: If a file was not written.
    """
    tracker.save_results_aggregated(results=results, samples=samples)
    for task, of_task in samples.items():
        tracker.save_results_samples(task_name=task, samples=of_task)
    # The tracker only warns where it could not write.
    folder = Path(tracker.output_path) / str(tracker.general_config_tracker.model_name_sanitized)
    date = getattr(tracker, "date_id", "")
    written = TaskFiles(
        folder / f"results_{date}.json", tuple(folder / f"samples_{task}_{date}.jsonl" for task in samples)
    )
    for path in (written.results, *written.samples):
        if not path.is_file():
            raise InputError(f"{path}: could not be written; choose another folder with --out")
    return written


def _check_writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"--out {out}: cannot be made ({error.strerror}); choose a writable folder"
        ) from None


@contextmanager
def _hushed() -> Iterator[None]:
    """Keeps lm-eval's warnings about its own inner life from the terminal."""
    log = logging.getLogger("lm_eval")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _info(name: str, config: dict[str, Any], path: Path) -> TaskInfo:
    metadata = config.get("metadata") or {}
    group = "group" in config
    members = config.get("task") if group else None
    names = [part if isinstance(part, str) else str(part.get("task")) for part in members or ()]
    chance = metadata.get("chance")
    return TaskInfo(
        name=name,
        kind="group" if group else "task",
        version=str(metadata.get("version", "")),
        chance=float(chance) if isinstance(chance, int | float) else None,
        describes=", ".join(names) if group else str(metadata.get("describes", "")),
        path=str(path),
    )


def _unknown(name: str, known: set[str]) -> str:
    hint = did_you_mean(name, known)
    return f"--tasks: no task is named {name!r}: {hint}mirror-bench tasks list shows ours"
