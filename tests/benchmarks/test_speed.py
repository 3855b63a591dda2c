"""The benchmark scripts run, small; their figures are no matter of tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import gpu, random_models
from benchmarks.driver import measure as simulate
from benchmarks.speed import PARTS, QUICK, Sizes, main, read_sizes, table
from benchmarks.volume import write_run
from mirror_bench.errors import InputError
from mirror_bench.sessions.run_folder import read_ratings, read_sessions


def test_one_size_can_be_changed_and_no_other_word() -> None:
    assert read_sizes(QUICK, ["report=5", "at=1,2"]) == QUICK._replace(report=5, at=(1, 2))
    with pytest.raises(InputError, match="known sizes are sessions, at"):
        read_sizes(Sizes(), ["speed=5"])
    with pytest.raises(InputError, match="'many' is no value"):
        read_sizes(Sizes(), ["report=many"])


def test_a_figure_stands_beside_what_it_should_be() -> None:
    lines = table({"chat_over_flat": 0.3, "board_second_s": 1.5, "other": 7}).splitlines()
    assert lines[0].endswith("<= 0.25: not met")
    assert lines[1].endswith("<= 3: met")
    assert lines[2].endswith(" 7")


def test_many_sessions_are_copies_under_other_scenarios(tmp_path: Path) -> None:
    write_run(tmp_path / "run", "parrot", 200, "scripted/other")
    sessions = list(read_sessions(tmp_path / "run"))
    assert len({one.scenario_id for one in sessions}) == len(sessions) >= 200
    assert {one.therapist for one in sessions} == {"scripted/other"}
    rated = {one.scenario_id for one in read_ratings(tmp_path / "run")}
    assert rated == {one.scenario_id for one in sessions}


async def test_the_driver_is_measured_with_engines_that_wait() -> None:
    found = await simulate(0.1, engines=(1,), tokens=2)
    assert found["driver_1_engines_turns_per_s"] > 0
    assert 0 < found["driver_1_engines_share"] <= 1.1
    assert found["driver_is_the_limit_from"] in (1, 2)


def test_a_part_is_printed_as_json(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["--part", "report", "--quick", "--size", "report=4"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["report_4_sessions_s"] > 0
    assert set(PARTS) >= {"runner", "alone", "prefill", "report", "verify", "board"}


@pytest.mark.engine
def test_random_models_are_made_served_and_trained_on_a_cpu(tmp_path: Path) -> None:
    out = tmp_path / "gpu.json"
    done = CliRunner().invoke(
        gpu.main, ["--tiny", "--place", str(tmp_path), "--budget", "3600", "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    found = json.loads(out.read_text())
    for name in random_models.MODELS:
        assert found[f"{name}_runner_2_tokens_per_s"] > 0
    assert found["lora_steps_per_s"] > 0
    assert found["left_out"] == []
    assert [path.name for path in tmp_path.iterdir()] == ["gpu.json"]


def test_what_the_time_does_not_allow_is_named(tmp_path: Path) -> None:
    clock = gpu.TimeBudget(1)
    found = gpu.measure(("llava-1.5-7b",), gpu.Extent(), clock, tmp_path, lambda line: None)
    assert clock.left_out == ["llava-1.5-7b"]
    assert set(found) == {"device", "engine"}
