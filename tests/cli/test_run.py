import json
import sys
from pathlib import Path
from typing import Any

import pytest

from mirror_bench.cli import main
from mirror_bench.data.base import DataSet
from mirror_bench.data.export.mini_folder import write_packaged
from mirror_bench.data.sources.registry import load_data
from mirror_bench.sessions.run_folder import read_sessions
from mirror_bench.sessions.run_header import read_header


def _run(monkeypatch: pytest.MonkeyPatch, out: Path, *arguments: str, code: int = 0) -> None:
    monkeypatch.setattr(sys, "argv", ["mirror-bench", "run", "--out", str(out), "--quiet", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == code


def _summary(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "summary.json").read_text())
    return found


def test_a_run_folder_holds_what_it_should_and_running_again_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    arguments = ("--therapist", "scripted/attuned", "--face-conditions", "matched,none", "--limit", "4")
    _run(monkeypatch, out, *arguments)
    names = {"run.json", "calls.sqlite", "sessions.jsonl", "ratings.jsonl", "faces", "summary.json", "plots"}
    assert names | {"report.html"} <= {path.name for path in out.iterdir()}
    assert {path.suffix for path in (out / "plots").iterdir()} == {".png", ".svg"}
    sessions = list(read_sessions(out))
    assert sum(not session.only_safety for session in sessions) == 4 * 2 * 2
    shown = {turn.face for session in sessions for turn in session.turns if turn.face}
    assert shown == {path.stem for path in (out / "faces").iterdir()}
    assert all(not turn.face for s in sessions if s.condition == "none" for turn in s.turns)
    before = {
        path.name: path.read_bytes() for path in out.iterdir() if path.is_file() and path.suffix != ".sqlite"
    }
    _run(monkeypatch, out, *arguments)
    after = {
        path.name: path.read_bytes() for path in out.iterdir() if path.is_file() and path.suffix != ".sqlite"
    }
    assert after == before


@pytest.mark.usefixtures("without_figures")
@pytest.mark.parametrize("limit", ["12", pytest.param("1000", marks=pytest.mark.campaign)])
def test_concurrency_does_not_move_a_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    for concurrency in ("1", "16"):
        out = tmp_path / concurrency
        _run(
            monkeypatch,
            out,
            *("--therapist", "scripted/reflective", "--limit", limit, "--concurrency", concurrency),
        )
    one, many = (
        sorted((tmp_path / name / "sessions.jsonl").read_bytes().splitlines()) for name in ("1", "16")
    )
    assert one == many
    assert _summary(tmp_path / "1") == _summary(tmp_path / "16")


@pytest.mark.usefixtures("without_figures")
def test_failures_count_against_coverage_and_can_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    arguments = ("--therapist", "scripted/refuse?share=0.1", "--method", "text", "--limit", "4")
    _run(monkeypatch, out, *arguments, code=1)
    scored = [session for session in read_sessions(out) if not session.only_safety]
    failed = [session for session in scored if session.ended == "failed"]
    assert failed
    assert all(session.reason for session in failed)
    entry = _summary(out)["entries"][0]
    assert entry["coverage"]["failed"] == len(failed)
    _run(monkeypatch, out, *arguments, "--retry-failed", "--min-coverage", "0")
    assert sum(not session.only_safety for session in read_sessions(out)) == 8


@pytest.mark.usefixtures("without_figures")
def test_the_replaying_client_ends_with_its_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dev = load_data("mini").of_split("dev")
    written = {play.profile_id for play in dev.screenplays[:4]}
    profiles = tuple(profile for profile in dev.profiles if profile.id in written)
    folder = write_packaged(DataSet("part", profiles, dev.screenplays[:4]), tmp_path / "part")
    out = tmp_path / "run"
    arguments = ("--therapist", "scripted/parrot", "--client", "replay", "--split", "dev", "--seeds", "0")
    _run(monkeypatch, out, *arguments, "--data", f"mini:{folder}")
    sessions = list(read_sessions(out))
    assert {session.client for session in sessions} == {"replay"}
    assert len(sessions) == 4


@pytest.mark.usefixtures("without_figures")
def test_a_scripted_candidate_and_options_are_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    _run(
        monkeypatch,
        out,
        "--therapist",
        "scripted/echo",
        "--method",
        "text",
        "--label",
        "mine",
        "--limit",
        "4",
    )
    header = read_header(out)
    assert header.candidate.therapist == "mine"
    assert header.candidate.method == "text"
    assert header.environment.packages["mirror-bench"]


@pytest.mark.usefixtures("without_figures")
def test_another_judges_ratings_move_no_score_unless_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    _run(monkeypatch, out, "--therapist", "scripted/reflective", "--limit", "4", "--seeds", "0")
    before = _summary(out)
    judge = 'scripted/fixed?text={"score": 1, "evidence": [], "reason": "no"}'
    for arguments in (
        ["rate", str(out), "--judge", judge, "--quiet"],
        ["report", str(out)],
        ["report", str(out), "--rater", "all", "--out", str(tmp_path / "all")],
    ):
        monkeypatch.setattr(sys, "argv", ["mirror-bench", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        assert stopped.value.code == 0
    assert _summary(out) == before
    assert _summary(tmp_path / "all") != before
