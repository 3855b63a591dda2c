"""`mirror-bench power` on a real run of a scripted therapist, and on effects without a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mirror_bench.cli import cli
from mirror_bench.errors import InputError

pytestmark = pytest.mark.usefixtures("without_figures")


@pytest.fixture(scope="module")
def run(without_figures: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "attuned"
    command = ["run", "--therapist", "scripted/attuned", "--protocol", "offline", "--limit", "6"]
    command += ["--seeds", "0,1", "--face-conditions", "matched,none", "--max-client-turns", "5", "--quiet"]
    done = CliRunner().invoke(cli, [*command, "--out", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return folder


def planned(*arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(cli, ["power", "--json", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.output)
    return found


def test_a_standardized_effect_needs_no_run() -> None:
    assert planned("--effect", "0.5", "--standardized")["scenarios"] == 34
    assert planned("--effect", "0.5", "--standardized", "--unpaired")["scenarios"] == 64


def test_a_run_plans_from_its_own_spread(run: Path) -> None:
    found = planned("--effect", "0.3", "--runs", str(run), "--metric", "ctrs")
    (plan,) = found["plans"]
    assert found["metric"] == "ctrs.total"
    assert plan["at_hand"] == 6
    assert plan["per_profile"] == 2
    assert plan["standardized"] == pytest.approx(0.3 / plan["sd"])
    assert found["scenarios"] == 2 * found["profiles"]
    half = planned("--effect", "0.15", "--runs", str(run), "--metric", "ctrs")
    assert half["profiles"] > 2 * found["profiles"]


def test_unpaired_plans_from_every_entry_and_condition_picks(run: Path) -> None:
    both = planned("--effect", "0.3", "--runs", str(run), "--unpaired", "--metric", "wai")
    one = planned(
        "--effect", "0.3", "--runs", str(run), "--unpaired", "--metric", "wai", "--condition", "none"
    )
    assert len(both["plans"]) == 2
    assert len(one["plans"]) == 1
    assert both["profiles"] >= one["profiles"]


def test_one_ordinary_run_gives_the_most_that_it_can_take(run: Path) -> None:
    options = ("--effect", "0.3", "--runs", str(run), "--metric", "ctrs")
    alone, both = planned(*options, "--condition", "matched"), planned(*options)
    (plan,) = alone["plans"]
    assert plan["assumed"]
    assert not both["plans"][0]["assumed"]
    assert alone["profiles"] >= both["profiles"]
    done = CliRunner().invoke(
        cli,
        ["power", "--effect", "0.02", "--runs", str(run), "--condition", "matched"],
        catch_exceptions=False,
    )
    assert done.exit_code == 0
    said = " ".join(done.output.split())
    assert "the most that it takes" in said
    assert "The data have 48 profiles" in said


def test_a_gate_is_planned_on_the_drop_beyond_its_margin(run: Path) -> None:
    options = ("--effect", "0.3", "--runs", str(run), "--metric", "ctrs")
    plain, gate = planned(*options), planned(*options, "--margin", "0.1")
    one = planned(*options, "--margin", "0.1", "--metrics", "1")
    assert gate["metrics"] == 2
    assert gate["profiles"] > one["profiles"] > 1.5 * plain["profiles"]
    done = CliRunner().invoke(cli, ["power", *options, "--margin", "0.1"], catch_exceptions=False)
    assert "gate with margin 0.1 over 2 metrics, one-sided" in " ".join(done.output.split())


def test_the_table_says_what_is_needed(run: Path) -> None:
    done = CliRunner().invoke(cli, ["power", "--effect", "0.3", "--runs", str(run)], catch_exceptions=False)
    assert done.exit_code == 0
    assert "profiles" in done.output
    assert "To find 0.3 points of" in " ".join(done.output.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--effect", "0.2"], "give a past run with --runs"),
        (["--effect", "0", "--standardized"], "other than 0"),
        (["--effect", "0.2", "--standardized", "--power", "1.2"], "--power and --alpha"),
        (["--effect", "0.2", "--standardized", "--per-profile", "3"], "add --runs"),
        (["--effect", "1e-9", "--standardized"], "no run could be large enough"),
        (["--effect", "0.2", "--runs", "RUN", "--metric", "nope"], "these runs hold"),
        (["--effect", "0.2", "--runs", "RUN", "--margin", "0.2"], "cannot prove a drop that it tolerates"),
        (["--effect", "0.2", "--runs", "RUN", "--margin", "0.1", "--unpaired"], "a gate is paired"),
        (["--effect", "0.2", "--runs", "/nowhere"], "no run folder"),
    ],
)
def test_bad_input_is_one_line(run: Path, arguments: list[str], message: str) -> None:
    given = [str(run) if part == "RUN" else part for part in arguments]
    with pytest.raises(InputError, match=message) as caught:
        CliRunner().invoke(cli, ["power", *given], catch_exceptions=False, standalone_mode=False)
    assert "\n" not in str(caught.value)
