"""Inspect: the task that it finds, its scores beside those of `mirror-bench run`, and logs that it reads."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from talking_server import TalkingServer, serving, verdict

from mirror_bench import evaluate
from mirror_bench.cli import cli
from mirror_bench.schema import Ending

inspect_ai = pytest.importorskip("inspect_ai", reason="Inspect is not installed")

ROOT = Path(__file__).resolve().parents[2]
SMALL: dict[str, Any] = {"limit": 2, "safety": False, "max_client_turns": 4, "seeds": 0}
ITEMS = ("ctrs.total", "wai.total", "attunement", "dropout", "turns")


def _reply(words: str) -> str:
    return f"It sounds hard, and I see it in your face: {' '.join(words.split()[:5])}. What happened then?"


def _rule(body: dict[str, Any], number: int) -> Any:
    content = body["messages"][-1]["content"]
    text = content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)
    if body["model"] == "judge":
        title = next(line for line in text.splitlines() if line.startswith("The question: "))
        return verdict(1 + len(title) % 5)
    return _reply(text)


def _mock(messages: list[Any], tools: Any, choice: Any, config: Any) -> Any:
    from inspect_ai.model import ModelOutput, ModelUsage

    output = ModelOutput.from_content("mockllm/model", _reply(messages[-1].text))
    output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    return output


@pytest.fixture(scope="module")
def server() -> Iterator[TalkingServer]:
    with serving(_rule) as server:
        yield server


@pytest.fixture(scope="module")
def run(server: TalkingServer, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run over the wire, which the evaluations of Inspect are held against."""
    out = tmp_path_factory.mktemp("inspect") / "run"
    return evaluate(server.model("m"), out=out, report=False, **SMALL)


def _inspect(model: Any, folder: Path, **given: Any) -> Any:
    from inspect_ai import eval as inspect_eval

    from mirror_bench.adapters.inspect.task import sessions

    roles = given.pop("model_roles", None)
    task = sessions(**(SMALL | given))
    (log,) = inspect_eval(task, model=model, model_roles=roles, log_dir=str(folder), display="none")
    return log


def _model(server: TalkingServer, name: str) -> Any:
    from inspect_ai.model import get_model

    address = server.url
    return get_model(f"openai-api/wire/{name}", base_url=address, api_key="none")


def _per_session(run: Any) -> dict[str, dict[str, float]]:
    from mirror_bench.analysis.run_summary import gather_run

    return {
        one.session_key.scenario_id: {name: value for name in ITEMS if (value := one.value(name)) is not None}
        for one in gather_run(run.folder).outcomes
    }


def _totals(run: Any) -> dict[str, Any]:
    from mirror_bench.analysis.run_summary import summarize_run

    (entry,) = summarize_run(run.folder).entries
    return {name: entry.score(name) for name in ITEMS}


def _scored(log: Any) -> dict[str, dict[str, float]]:
    return {
        sample.id: {
            name: value
            for name, value in sample.scores["ratings"].value.items()
            if name in ITEMS and not math.isnan(value)
        }
        for sample in log.samples
    }


def test_scores_are_those_of_a_run(run: Any, server: TalkingServer, tmp_path: Path) -> None:
    from inspect_ai.model import get_model

    mocked = get_model("mockllm/model", custom_outputs=_mock)
    wanted = _per_session(run)
    assert len(wanted) == 2
    for model in (mocked, _model(server, "m")):
        log = _inspect(model, tmp_path)
        assert log.status == "success"
        assert _scored(log) == wanted
        means = {score.name: score.metrics["mean"].value for score in log.results.scores}
        for name in ("ctrs.total", "wai.total", "dropout", "turns"):
            assert means[name] == pytest.approx(_totals(run)[name].value)


def test_the_transcript_shows_each_turn_with_the_face_that_the_therapist_saw(
    run: Any, tmp_path: Path
) -> None:
    from inspect_ai.log import read_eval_log
    from inspect_ai.model import get_model

    made = _inspect(get_model("mockllm/model", custom_outputs=_mock), tmp_path, limit=1)
    log = read_eval_log(made.location, resolve_attachments=True)
    (sample,) = log.samples
    (session,) = [one for one in run.sessions if one.scenario_id == sample.id]
    assert [message.text for message in sample.messages] == [turn.words for turn in session.turns]
    faces = [part for m in sample.messages for part in m.content if getattr(part, "image", "")]
    assert len(faces) == sum(bool(turn.face) for turn in session.turns) > 0
    assert all(face.image.startswith("data:image/png;base64,") for face in faces)
    asked = [event for event in sample.events if event.event == "model"]
    assert len(asked) == len(session.turns) // 2
    said = "".join(message.text for event in asked for message in event.input)
    assert not any(turn.direction in said for turn in session.turns if turn.direction)


def test_a_judge_by_role_rates_as_a_judge_of_a_run(run: Any, server: TalkingServer, tmp_path: Path) -> None:
    judged = evaluate(
        server.model("m"), judges=server.model("judge"), out=tmp_path / "run", report=False, **SMALL
    )
    log = _inspect(_model(server, "m"), tmp_path, model_roles={"judge": _model(server, "judge")})
    assert _scored(log) == _per_session(judged)
    assert _scored(log) != _per_session(run)
    made = log.samples[0].scores["ratings"].metadata["ratings"]
    assert "ctrs by llm:inspect/openai-api/wire/judge" in made  # which of two judgements ends first is open


def test_a_session_that_fails_is_an_error_and_no_score(server: TalkingServer, tmp_path: Path) -> None:
    from inspect_ai.model import get_model

    def breaks(messages: list[Any], *rest: Any) -> Any:
        raise ValueError("out of order")

    log = _inspect(get_model("mockllm/model", custom_outputs=breaks), tmp_path, limit=1)
    (sample,) = log.samples
    assert "out of order" in sample.error.message
    assert not sample.scores


def test_inspect_finds_the_task_by_its_entry_point(tmp_path: Path) -> None:
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["inspect_ai"]
    info = tmp_path / "pointing-0.0.0.dist-info"  # the points of this checkout, whatever is installed
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pointing\nVersion: 0.0.0\n")
    lines = "".join(f"{name} = {value}\n" for name, value in points.items())
    (info / "entry_points.txt").write_text(f"[inspect_ai]\n{lines}")
    code = (
        "from inspect_ai._eval.loader import load_tasks; "
        "task, = load_tasks(['mirror_bench/sessions'], {'limit': 1, 'safety': False, 'seeds': 0}); "
        "print(task.name, len(task.dataset))"
    )
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert done.stdout.split() == ["mirror_bench/sessions", "1"], done.stderr


def test_a_run_becomes_a_log_that_inspect_reads(run: Any) -> None:
    from inspect_ai.log import read_eval_log

    done = CliRunner().invoke(cli, ["export-inspect", str(run.folder)])
    assert done.exit_code == 0, done.output
    log = read_eval_log(done.output.strip())
    assert log.status == "success"
    assert _scored(log) == _per_session(run)
    written = {score.name: score.metrics for score in log.results.scores}
    ours = _totals(run)["ctrs.total"]
    assert written["ctrs.total"]["mean"].value == ours.value
    assert written["ctrs.total"]["ci95_low"].value == ours.low
    sessions = {one.scenario_id: one for one in run.sessions}
    for sample in log.samples:
        turns = sessions[sample.id].turns
        assert [message.text for message in sample.messages] == [turn.words for turn in turns]
        images = [
            p for m in sample.messages if m.role == "user" for p in m.content if getattr(p, "image", "")
        ]
        assert len(images) == sum(bool(turn.face) for turn in turns)
    assert all(session.ended is not Ending.FAILED for session in sessions.values())


def test_a_run_in_which_all_failed_becomes_the_log_of_an_error(run: Any, tmp_path: Path) -> None:
    from inspect_ai.log import read_eval_log

    failed = tmp_path / "run"
    shutil.copytree(run.folder, failed)
    lines = [json.loads(line) for line in (failed / "sessions.jsonl").read_text().splitlines()]
    told = [{**line, "ended": "failed", "reason": "the server was gone"} for line in lines]
    (failed / "sessions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in told))
    (failed / "ratings.jsonl").write_text("")
    done = CliRunner().invoke(cli, ["export-inspect", str(failed), "--out", str(tmp_path / "logs")])
    assert done.exit_code == 0, done.output
    log = read_eval_log(done.output.strip())
    assert log.status == "error"
    assert all("server was gone" in sample.error.message for sample in log.samples)


def test_inspect_models_can_be_candidates_of_a_run(
    run: Any, server: TalkingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIRE_API_KEY", "none")
    address = server.url
    name = f"inspect/openai-api/wire/m?base_url={address}"
    other = evaluate(name, out=tmp_path / "run", report=False, **SMALL)
    assert _per_session(other) == _per_session(run)


def test_what_is_wrong_is_said_in_one_line(tmp_path: Path) -> None:
    from mirror_bench.adapters.inspect.task import sessions
    from mirror_bench.errors import InputError

    with pytest.raises(InputError, match="no condition 'sideways'"):
        sessions(face_conditions="sideways")
    (tmp_path / "own.yaml").write_text("raters: [{kind: llm, model: openai/x}]\n")
    with pytest.raises(InputError, match="--model-role judge="):
        sessions(protocol=str(tmp_path / "own.yaml"))
    with pytest.raises(InputError, match="no method"):
        sessions(method="shout")
