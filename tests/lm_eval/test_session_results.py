"""A run in lm-eval's format is read back by lm-eval's own code."""

import json
import random
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lm_eval")

from lm_eval.utils import (
    get_file_task_name,
    get_results_filenames,
    get_sample_results_filenames,
    hash_string,
    make_table,
)
from short_runs import undrawn

from mirror_bench.analysis.candidate_scores import score_of
from mirror_bench.analysis.run_summary import summarize_run
from mirror_bench.cli import main
from mirror_bench.errors import InputError
from mirror_bench.lm_eval.session_results import export_run, standard_error
from mirror_bench.lm_eval.task_runs import TaskFiles
from mirror_bench.schema import Ending, Score, Session, Speaker
from mirror_bench.sessions.run_folder import read_sessions
from mirror_bench.stats.intervals import cluster_mean


def _call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["mirror-bench", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def _read(written: TaskFiles) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    samples = {
        get_file_task_name(path.name): [json.loads(line) for line in path.read_text().splitlines()]
        for path in written.samples
    }
    return json.loads(written.results.read_text()), samples


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("held") / "run"
    arguments = ("--therapist", "scripted/attuned", "--face-conditions", "matched,none", "--limit", "3")
    with pytest.MonkeyPatch.context() as monkeypatch, undrawn():
        assert _call(monkeypatch, "run", "--out", str(out), "--quiet", *arguments) == 0
    return out


@pytest.fixture
def run(held: Path, tmp_path: Path) -> Path:
    """A copy for each test, as some change it."""
    return Path(shutil.copytree(held, tmp_path / "run"))


def test_results_and_samples_are_those_of_the_run(run: Path, tmp_path: Path) -> None:
    written = export_run(run, tmp_path / "out")
    results, samples = _read(written)
    summary = summarize_run(run)
    assert written.results.parent.name == "scripted__attuned"
    for entry in summary.entries:
        task = f"mirror_offline_{entry.condition.value}"
        values = results["results"][task]
        score = entry.score("ctrs.total")
        assert score is not None
        assert score.value is not None
        assert values["ctrs.total,none"] == score.value
        assert values["ctrs.total_stderr,none"] == pytest.approx(standard_error(score))
        assert results["higher_is_better"][task]["dropout"] is False
        assert results["n-samples"][task] == {"original": entry.coverage.due, "effective": len(samples[task])}
        mean = sum(sample["ctrs.total"] for sample in samples[task]) / len(samples[task])
        assert mean == pytest.approx(score.value, abs=1e-5)
    held = {session.scenario_id: session for session in read_sessions(run) if not session.only_safety}
    for of_task in samples.values():
        for sample in of_task:
            session = held.pop(sample["doc"]["scenario_id"])
            said = [turn.words for turn in session.turns if turn.speaker is Speaker.THERAPIST]
            assert sample["filtered_resps"] == said
            assert sample["resps"] == [[words] for words in said]
            assert len(sample["arguments"]) == len(said)
            assert set(sample["metrics"]) <= set(sample)
            assert sample["arguments"]["gen_args_0"]["arg_0"] in [turn.words for turn in session.turns]
    assert not held


def test_lm_evals_own_code_reads_it(run: Path, tmp_path: Path) -> None:
    written = export_run(run, tmp_path / "out")
    results, samples = _read(written)
    table = make_table(results)
    assert "mirror_offline_matched" in table
    assert "|ctrs.total" in table
    names = [str(path) for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert get_results_filenames(names) == [str(written.results)]
    assert sorted(get_sample_results_filenames(names)) == sorted(map(str, written.samples))
    for task, of_task in samples.items():
        hashes = [s["doc_hash"] + s["prompt_hash"] + s["target_hash"] for s in of_task]
        assert results["task_hashes"][task] == hash_string("".join(hashes))
    for needed in ("configs", "versions", "n-shot", "config", "git_hash", "date", "model_name"):
        assert needed in results
    assert results["total_evaluation_time_seconds"] is None


def test_samples_load_as_a_data_set(run: Path, tmp_path: Path) -> None:
    import datasets

    written = export_run(run, tmp_path / "out")
    for path in written.samples:
        rows = datasets.load_dataset(
            "json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
        )
        rows.to_parquet(tmp_path / "rows.parquet")
        assert len(rows) == len(path.read_text().splitlines())


def test_failed_sessions_are_samples_without_values(run: Path, tmp_path: Path) -> None:
    path = run / "sessions.jsonl"
    lines = path.read_text().splitlines()
    held = [Session.model_validate_json(line) for line in lines]
    failed = next(session for session in held if not session.only_safety).model_copy(
        update={"ended": Ending.FAILED, "reason": "no answer", "turns": ()}
    )
    path.write_text("\n".join([*lines, failed.line()]) + "\n")  # what stands last counts
    results, samples = _read(export_run(run, tmp_path / "out"))
    task = f"mirror_offline_{failed.condition.value}"
    assert results["n-samples"][task]["effective"] == len(samples[task]) - 1
    (sample,) = [s for s in samples[task] if s["doc"]["scenario_id"] == failed.scenario_id]
    assert sample["metrics"] == []
    assert sample["doc"]["reason"] == "no answer"


@pytest.mark.parametrize("clusters", [5, 12, 60])
def test_the_standard_error_is_that_of_the_mean(clusters: int) -> None:
    draws = random.Random(3)
    values = [draws.gauss(0, 1) for _ in range(clusters)]
    mean = sum(values) / clusters
    expected = (sum((value - mean) ** 2 for value in values) / (clusters - 1) / clusters) ** 0.5
    score = score_of("x", cluster_mean(values, list(range(clusters))), clusters)
    assert standard_error(score) == pytest.approx(expected, rel=0.12)


def test_without_an_interval_there_is_no_standard_error() -> None:
    assert standard_error(Score(metric="x", value=1.0)) is None
    assert standard_error(Score(metric="x", value=1.0, low=0.5, high=1.5, clusters=1)) is None


def test_the_command_names_its_files(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert _call(monkeypatch, "export-lm-eval", str(run), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert Path(found["results"]).is_relative_to(run / "lm_eval")
    assert len(found["samples"]) == 2
    assert _call(monkeypatch, "export-lm-eval", str(run), "--rater", "nobody") == 2
    assert "--rater nobody" in capsys.readouterr().err


def test_what_is_no_run_is_refused(tmp_path: Path, run: Path) -> None:
    with pytest.raises(InputError, match="is no run folder"):
        export_run(tmp_path, tmp_path / "out")
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(InputError, match=r"--out .*choose a writable folder"):
        export_run(run, blocked / "out")
    for name in ("sessions.jsonl", "ratings.jsonl"):
        (run / name).write_text("")
    with pytest.raises(InputError, match="no session has been held"):
        export_run(run, tmp_path / "out")
    assert not (tmp_path / "out").exists()
