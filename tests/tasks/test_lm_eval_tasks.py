"""The static tasks are what lm-eval expects, and one file adds another."""

from __future__ import annotations

import contextlib
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lm_eval")

from lm_eval.__main__ import cli_evaluate
from lm_eval.tasks import TaskManager

from mirror_bench.content import tasks_root
from mirror_bench.lm_eval.guessers import Guesser

pytestmark = pytest.mark.usefixtures("quick_lm_eval")

FOLDER = tasks_root() / "lm_eval"
TASKS = sorted(path.stem for path in FOLDER.glob("mirror_*.yaml"))
GROUPS = sorted(path.stem.removeprefix("_") for path in FOLDER.glob("_mirror_*.yaml"))
NEW = """include: {folder}/mirror_resistance.yaml
task: my_resistance
metadata: {{version: 0.1, split: train, chance: 0.25}}
"""


@cache
def manager() -> TaskManager:
    return TaskManager(include_path=str(FOLDER), include_defaults=False)


@cache
def build(name: str) -> Any:
    return manager().load(name)["tasks"][name]


@pytest.mark.parametrize("name", TASKS)
def test_every_task_loads_and_says_what_it_is(name: str) -> None:
    task = build(name)
    config = task.config
    assert config.task == name
    assert config.metadata["version"] == 1.0
    assert config.metadata["describes"].endswith(".")
    docs = list(task.test_docs())
    assert 100 <= len(docs) <= 300
    for doc in docs[:20]:
        text = task.doc_to_text(doc)
        assert text.count("<image>") == (1 if config.doc_to_image else 0)
        assert not re.search(r"\{\{|\}\}|\{%", text)
        assert doc.get("image_digest", "x")
    if (chance := config.metadata["chance"]) is not None:
        assert sum(doc["chance"] for doc in docs) / len(docs) == pytest.approx(chance, abs=1e-3)
    metrics = [entry["metric"] for entry in config.metric_list]
    assert {f"{metric}_stderr" for metric in metrics if not metric.endswith("_stderr")} <= set(metrics)


@pytest.mark.parametrize("name", [*TASKS, *GROUPS])
def test_lm_evals_own_validation_passes(name: str) -> None:
    assert name in manager().match_tasks([name])


def lm_eval_command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """Runs the command line of lm-eval as a user does, but in this process, which has imported it already."""
    monkeypatch.setattr(sys, "argv", ["lm_eval", *arguments])
    with contextlib.suppress(SystemExit):  # the caller looks at what was said last
        cli_evaluate()


def test_the_command_of_lm_eval_validates_the_group(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    lm_eval_command(monkeypatch, "validate", "--tasks", "mirror_static", "--include_path", str(FOLDER))
    assert "All tasks found and valid" in capfd.readouterr().out


def test_text_is_asked_of_lm_evals_dummy_without_more(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    asked = ("--tasks", "mirror_static_text", "--model", "dummy", "--limit", "4")
    lm_eval_command(monkeypatch, "run", "--include_path", str(FOLDER), *asked)
    assert "mirror_technique" in capfd.readouterr().out


def test_generated_questions_all_have_a_face() -> None:
    # hf-multimodal takes all requests of a kind at once and asks the first whether there are images.
    for name in TASKS:
        config = build(name).config
        assert config.output_type != "generate_until" or config.doc_to_image == ["image"], name


def test_one_new_file_adds_a_task(tmp_path: Path) -> None:
    import lm_eval

    (tmp_path / "my_resistance.yaml").write_text(NEW.format(folder=FOLDER), encoding="utf-8")
    found = lm_eval.simple_evaluate(
        model=Guesser("random"),
        tasks=["my_resistance"],
        task_manager=TaskManager(include_path=str(tmp_path), include_defaults=False),
        limit=12,
        bootstrap_iters=0,
    )
    assert found is not None
    assert 0 <= found["results"]["my_resistance"]["acc,none"] <= 1
    docs = [sample["doc"] for sample in found["samples"]["my_resistance"]]
    assert len(docs) == 12
    assert not {doc["id"] for doc in docs} & {doc["id"] for doc in build("mirror_resistance").test_docs()}


def test_the_readme_names_every_task_and_its_chance() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name in [*TASKS, *GROUPS]:
        assert f"`{name}`" in text, name
