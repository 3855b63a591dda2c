"""`mirror-bench gate` on real runs: exit codes, files, and bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from mirror_bench.cli import cli
from mirror_bench.errors import InputError

ACTION = Path(__file__).resolve().parents[2] / ".github" / "actions" / "mirror-gate" / "action.yml"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    for name in ("reflective", "parrot"):
        command = ["run", "--therapist", f"scripted/{name}", "--limit", "4", "--seeds", "0"]
        command += ["--max-client-turns", "4", "--quiet", "--out", str(folder / name)]
        assert CliRunner().invoke(cli, command, catch_exceptions=False).exit_code == 0
    return {name: folder / name for name in ("reflective", "parrot")}


def gate(baseline: Path, candidate: Path, *options: str | Path) -> Result:
    command = ["gate", "--baseline", str(baseline), "--candidate", str(candidate), *map(str, options)]
    return CliRunner().invoke(cli, command, catch_exceptions=False, standalone_mode=False)


def test_exit_codes_and_files(runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    worse = gate(runs["reflective"], runs["parrot"], "--junit", tmp_path / "junit.xml")
    assert worse.return_value == 1
    assert "FAILED" in worse.output
    assert "<failure" in (tmp_path / "junit.xml").read_text()
    assert gate(runs["reflective"], runs["reflective"]).return_value == 0
    better = gate(runs["parrot"], runs["reflective"], "--json", "--metric", "wai", "--metric", "wai.bond")
    assert better.return_value == 0
    assert [check["metric"] for check in json.loads(better.output)["checks"]] == ["wai.total", "wai.bond"]
    summary = (tmp_path / "summary.md").read_text()
    assert summary.count("## mirror-bench gate") == 3
    assert "**FAILED" in summary


def test_the_process_exits_with_one(runs: dict[str, Path]) -> None:
    command = ["gate", "--baseline", str(runs["reflective"]), "--candidate", str(runs["parrot"])]
    code = f"import sys; from mirror_bench.cli import main; sys.argv = {['mirror-bench', *command]!r}; main()"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--metric", "empathy"), "--metric empathy.total: the runs hold no such score"),
        (("--margin", "0"), "--margin 0: must be above 0"),
        (("--alpha", "1"), "--alpha 1"),
        (("--condition", "none"), "no sessions with none faces"),
    ],
)
def test_bad_options_are_named(runs: dict[str, Path], options: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        gate(runs["reflective"], runs["parrot"], *options)


def test_the_action_calls_what_exists() -> None:
    action = yaml.safe_load(ACTION.read_text())
    script = action["runs"]["steps"][1]["run"]
    assert action["runs"]["using"] == "composite"
    assert "${{" not in script  # inputs reach the shell as variables only, never as text of the script
    for option in ("--baseline", "--candidate", "--margin", "--junit", "--metric", "--strict"):
        assert option in script
        assert option in CliRunner().invoke(cli, ["gate", "--help"]).output


def test_the_action_runs(runs: dict[str, Path], tmp_path: Path) -> None:
    script = yaml.safe_load(ACTION.read_text())["runs"]["steps"][1]["run"]
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "THERAPIST": "scripted/parrot",
        "BASELINE": str(runs["reflective"]),
        "MARGIN": "0.1",
        "METRICS": "wai.total",
        "OPTIONS": "--limit 4 --seeds 0 --max-client-turns 4",
        "STRICT": "false",
    }
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "FAILED: wai.total" in done.stdout
    assert "junit=" in (tmp_path / "output").read_text()
