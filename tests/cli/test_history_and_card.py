"""`mirror-bench history` and `mirror-bench card` on real runs, and run folders as data sets."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from mirror_bench.cli import cli
from mirror_bench.errors import InputError


@pytest.fixture(scope="module")
def runs(short_runs: dict[str, Path]) -> list[Path]:
    return list(short_runs.values())


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False)


def test_history_names_the_first_drop(runs: list[Path], tmp_path: Path) -> None:
    shown = invoke("history", *runs, "--given-order", "--out", tmp_path).output
    assert "wai.total: first significant drop at parrot, against reflective" in " ".join(shown.split())
    assert (tmp_path / "history.png").exists()
    found = json.loads(
        invoke("history", *reversed(runs), "--metric", "wai", "--given-order", "--json").output
    )
    assert [trend["first_drop"] for trend in found["trends"]] == [None]
    by_start = json.loads(invoke("history", *reversed(runs), "--json").output)
    steps = by_start["trends"][0]["steps"]
    assert [step["started"] for step in steps] == sorted(step["started"] for step in steps)


def test_history_needs_two_runs_and_a_known_metric(runs: list[Path]) -> None:
    with pytest.raises(InputError, match="at least two"):
        invoke("history", runs[0])
    with pytest.raises(InputError, match="--metric empathy"):
        invoke("history", *runs, "--metric", "empathy")


def test_the_hub_reads_the_card(runs: list[Path], tmp_path: Path) -> None:
    from huggingface_hub import ModelCard
    from huggingface_hub.repocard_data import model_index_to_eval_results

    text = invoke("card", runs[0], "--model", "my-therapist").output
    metadata = yaml.safe_load(text)
    name, results = model_index_to_eval_results(metadata["model-index"])
    assert name == "my-therapist"
    assert {result.metric_type for result in results} == {"ctrs.total", "wai.total"}
    assert all(isinstance(result.metric_value, float) for result in results)
    assert "model-index" in str(ModelCard(f"---\n{text}---\n# My therapist\n").data)
    assert invoke("card", *runs, "--out", tmp_path / "card.yaml").output.startswith("written")
    assert len(yaml.safe_load((tmp_path / "card.yaml").read_text())["model-index"][0]["results"]) == 2


def test_a_run_that_nobody_rated_has_no_card_and_no_findings(runs: list[Path], tmp_path: Path) -> None:
    bare = tmp_path / "never rated"
    shutil.copytree(runs[0], bare)
    (bare / "ratings.jsonl").write_text("")
    for command in ("card", "findings"):
        with pytest.raises(InputError, match=r"mirror-bench rate '.*never rated'"):
            invoke(command, bare)


def test_run_folders_load_as_data_sets(runs: list[Path], tmp_path: Path) -> None:
    from datasets import load_dataset

    for name in ("sessions", "ratings"):
        count = len((runs[0] / f"{name}.jsonl").read_text().splitlines())
        loaded = load_dataset(
            "json", data_files=str(runs[0] / f"{name}.jsonl"), split="train", cache_dir=str(tmp_path)
        )
        assert len(loaded) == count
        assert "scenario_id" in loaded.column_names
