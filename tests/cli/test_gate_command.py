"""`mirror-bench gate` on real runs: exit codes, files, and bad input."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from mirror_bench.cli import cli
from mirror_bench.errors import InputError

ACTION = Path(__file__).resolve().parents[2] / ".github" / "actions" / "mirror-gate" / "action.yml"


@pytest.fixture(scope="module")
def runs(short_runs: dict[str, Path]) -> dict[str, Path]:
    return short_runs


def gate(baseline: Path, candidate: Path, *options: str | Path) -> Result:
    command = ["gate", "--baseline", str(baseline), "--candidate", str(candidate), *map(str, options)]
    return CliRunner().invoke(cli, command, catch_exceptions=False, standalone_mode=False)


def test_exit_codes_and_files(runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.setenv("COLUMNS", "50")
    worse = gate(runs["reflective"], runs["parrot"], "--junit", tmp_path / "junit.xml")
    assert worse.return_value == 1
    assert "…" not in worse.output  # figures stand whole where the table is wider than the terminal
    assert "FAILED" in worse.output
    assert "<failure" in (tmp_path / "junit.xml").read_text()
    assert gate(runs["reflective"], runs["reflective"]).return_value == 0
    better = gate(runs["parrot"], runs["reflective"], "--json", "--metric", "wai", "--metric", "wai.bond")
    assert better.return_value == 0
    assert [check["metric"] for check in json.loads(better.output)["checks"]] == ["wai.total", "wai.bond"]
    summary = (tmp_path / "summary.md").read_text()
    assert summary.count("## mirror-bench gate") == 3
    assert "**FAILED" in summary


def test_an_instrument_added_to_one_run_alone_is_not_compared(runs: dict[str, Path], tmp_path: Path) -> None:
    added = tmp_path / "added"
    shutil.copytree(runs["reflective"], added)
    form = tmp_path / "hope.yaml"
    form.write_text(
        "title: Hope\nversion: 1\nitems:\n"
        "  - {id: asks, title: Asks, text: The therapist asks., coded: {start: 0.2, pro: {asks_openly: 1}}}\n"
        "scale: {min: 0, max: 4, anchors: {0: never, 4: always}}\n"
    )
    rated = CliRunner().invoke(
        cli, ["rate", str(added), "--instrument", str(form), "--quiet"], catch_exceptions=False
    )
    assert rated.exit_code == 0, rated.output
    for sides in ((runs["reflective"], added), (added, runs["reflective"])):
        held = gate(*sides, "--json")
        assert held.return_value == 0
        assert "hope.total" not in [check["metric"] for check in json.loads(held.output)["checks"]]
        traced = CliRunner().invoke(cli, ["history", *map(str, sides), "--json"], catch_exceptions=False)
        assert traced.exit_code == 0, traced.output


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
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
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


@pytest.fixture(scope="module")
def broken(runs: dict[str, Path]) -> Path:
    """A copy of a run whose sessions failed, all but one, as a server that overflows leaves them."""
    folder = runs["reflective"].parent / "broken"
    shutil.copytree(runs["reflective"], folder)
    lines = (folder / "sessions.jsonl").read_text().splitlines()
    sessions = [json.loads(line) for line in lines]
    for session in sessions[1:]:
        session |= {"ended": "failed", "reason": "HTTP 400: the context is too long", "turns": []}
    (folder / "sessions.jsonl").write_text("".join(json.dumps(one) + "\n" for one in sessions))
    return folder


def test_failed_sessions_are_not_measured_and_never_passed(
    runs: dict[str, Path], broken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    found = gate(runs["reflective"], broken, "--junit", tmp_path / "junit.xml", "--margin", "0.3")
    assert found.return_value == 1
    said = " ".join(found.output.split())
    assert "FAILED: not measured" in said
    assert "PASSED" not in said
    assert "1 of 4 scenarios scored in both runs (3 missing in the candidate)" in said
    assert "the context is too long" in said
    for name in ("summary.md", "junit.xml"):
        assert "3 missing in the candidate" in (tmp_path / name).read_text().replace("\\", "")
    turned = gate(broken, runs["reflective"])
    assert turned.return_value == 1
    assert "3 missing in the baseline" in " ".join(turned.output.split())


def test_history_names_what_was_not_measured(runs: dict[str, Path], broken: Path) -> None:
    command = ["history", str(runs["reflective"]), str(broken), "--given-order"]
    done = CliRunner().invoke(cli, command, catch_exceptions=False)
    said = " ".join(done.output.split())
    assert "failed: not measured at broken: 25% of its sessions have a score" in said
    assert "no significant drop among the runs that were measured" in said


def test_a_new_failure_of_safety_fails_unless_it_is_not_asked_for(
    runs: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "careless"
    shutil.copytree(runs["reflective"], folder)
    ratings = [json.loads(line) for line in (folder / "ratings.jsonl").read_text().splitlines()]
    told = 0
    for rating in ratings:
        answer = rating["items"].get("crisis_recognised") if rating["instrument"] == "safety" else None
        if answer and answer["score"] is not None:
            told, answer["score"] = told + 1, 0
    assert told
    (folder / "ratings.jsonl").write_text("".join(json.dumps(one) + "\n" for one in ratings))
    found = gate(runs["reflective"], folder, "--junit", tmp_path / "junit.xml")
    assert found.return_value == 1
    assert "new failures of safety" in " ".join(found.output.split())
    assert 'name="safety"' in (tmp_path / "junit.xml").read_text()
    assert gate(runs["reflective"], folder, "--no-safety-gate").return_value == 0
    assert gate(folder, folder).return_value == 0


def documented() -> list[Any]:
    text = (ACTION.parents[3] / "docs" / "gate.md").read_text()
    return [yaml.safe_load(part.split("```")[0]) for part in text.split("```yaml")[1:]]


def test_the_document_names_what_exists() -> None:
    blocks = documented()
    (action,) = (one["steps"][0] for one in blocks if "steps" in one)
    assert action["with"].keys() <= yaml.safe_load(ACTION.read_text())["inputs"].keys()
    jobs = blocks[0]["jobs"]
    saved, restored = (
        next(step["with"] for step in jobs[job]["steps"] if use in step.get("uses", ""))
        for job, use in (("baseline", "cache/save"), ("gate", "cache/restore"))
    )
    assert saved["key"].startswith(restored["restore-keys"])
    assert saved["path"] == restored["path"]
    (gitlab,) = (one for one in blocks if {"baseline", "gate"} <= one.keys())
    assert gitlab["baseline"]["cache"]["key"] == gitlab["gate"]["cache"]["key"]


@pytest.mark.parametrize(("therapist", "code"), [("scripted/reflective", 0), ("scripted/parrot", 1)])
def test_the_documented_workflows_run_as_they_stand(tmp_path: Path, therapist: str, code: int) -> None:
    github, gitlab = (next(one for one in documented() if key in one) for key in ("jobs", ".mirror"))
    before, after = (
        [line for step in github["jobs"][job]["steps"] if (line := step.get("run"))]
        for job in ("baseline", "gate")
    )
    assert gitlab["gate"]["script"] == after[1:]
    assert gitlab["baseline"]["script"][1:] == before[1:]
    assert gitlab["variables"] == github["env"]

    def hold(lines: list[str], name: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **github["env"],
            "OPTIONS": "--protocol offline --limit 4 --seeds 0 --max-client-turns 4",
            "THERAPIST": name,
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        }
        script = "\n".join(line for line in lines if not line.startswith("pip install"))
        return subprocess.run(
            ["bash", "-e", "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True
        )

    made = hold(before, github["env"]["THERAPIST"])
    assert made.returncode == 0, made.stderr
    found = hold(after, therapist)
    assert found.returncode == code, found.stderr
    assert (tmp_path / "gate.xml").is_file()
    assert (tmp_path / "candidate" / "report.html").is_file()
