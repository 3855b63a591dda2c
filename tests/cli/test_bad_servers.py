"""Runs with chat servers on bad days: what is said last, the exit code, and what lies in the folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from chat_server import KEY, Reply, Server, completion, refusal

from mirror_bench.cli import main
from mirror_bench.schema import Session, Speaker
from mirror_bench.sessions.run_folder import read_sessions
from mirror_bench.sessions.run_header import read_header

SHORT = ("--limit", "2", "--no-safety", "--seeds", "0", "--max-client-turns", "3", "--quiet")
WORDS = "It sounds like part of you is worn out by this. What was going through your mind?"
OK: Reply = (200, completion(WORDS), {})


def run(monkeypatch: pytest.MonkeyPatch, out: Path, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["mirror-bench", "run", "--out", str(out), *SHORT, *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def model(server: Server, options: str = "") -> str:
    return f"openai/m?base_url={server.url}{options}"


def turns_of(sessions: list[Session], speaker: Speaker) -> list[Any]:
    return [turn for session in sessions for turn in session.turns if turn.speaker is speaker]


def test_a_refused_model_is_one_line_and_exit_code_2(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.reply = lambda number: (400, refusal("this model does not support image input"), {})
    assert run(monkeypatch, tmp_path / "run", "--therapist", model(server)) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert "does not support image input" in said[0]
    assert "--method text" in said[0]


def test_failed_sessions_are_said_last_with_the_commonest_reason(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.reply = lambda number: (200, completion(None, "length"), {})
    arguments = ("--therapist", model(server))
    assert run(monkeypatch, tmp_path / "run", *arguments) == 1
    *_, failed, floor = capsys.readouterr().err.strip().splitlines()
    assert failed.startswith("2 of 2 sessions failed, most often (2):")
    assert "max_thinking_tokens" in failed
    assert "0.0% is below --min-coverage 0.95" in floor
    assert run(monkeypatch, tmp_path / "run", *arguments, "--min-coverage", "0") == 0


def test_answers_that_break_off_fail_sessions_and_not_the_run(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.reply = lambda number: (200, '{"choices": [{"mess', {})
    assert run(monkeypatch, tmp_path / "run", "--therapist", model(server, "&max_retries=0")) == 1
    said = capsys.readouterr().err
    assert "2 of 2 sessions failed" in said
    assert "no whole JSON object" in said


def test_a_model_without_a_word_is_no_measurement(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.reply = lambda number: (200, completion(""), {})
    assert run(monkeypatch, tmp_path / "run", "--therapist", model(server)) == 1
    assert "replies has a word: its scores measure nothing" in capsys.readouterr().err


def test_what_was_put_otherwise_stands_in_run_and_report(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rule(body: dict[str, Any]) -> Reply:
        return (400, refusal("max_tokens is not supported"), {}) if "max_tokens" in body else OK

    server.rule = rule
    out = tmp_path / "run"
    assert run(monkeypatch, out, "--therapist", model(server)) == 0
    (lines,) = read_header(out).adapted.values()
    assert len(lines) == 1
    assert "max_completion_tokens is sent for max_tokens" in (out / "report.html").read_text()
    assert run(monkeypatch, out, "--therapist", model(server)) == 0


def test_a_judge_without_response_formats_is_asked_otherwise(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rule(body: dict[str, Any]) -> Reply:
        if "response_format" in body:
            return (
                400,
                refusal("response_format of type json_schema is not supported", None, "response_format"),
                {},
            )
        return 200, completion("Score: 4"), {}

    server.rule = rule
    out = tmp_path / "run"
    assert (
        run(
            monkeypatch,
            out,
            "--therapist",
            "scripted/reflective",
            "--judge",
            model(server),
            "--instrument",
            "ctrs",
        )
        == 0
    )
    ratings = [json.loads(line) for line in (out / "ratings.jsonl").read_text().splitlines()]
    assert {item["score"] for rating in ratings for item in rating["items"].values()} == {4}


def test_a_judge_without_room_to_think_is_a_missing_measurement(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server.reply = lambda number: (200, completion(None, "length", reasoning_content="Hm"), {})
    judge = ("--judge", model(server), "--instrument", "ctrs")
    assert run(monkeypatch, tmp_path / "run", "--therapist", "scripted/reflective", *judge) == 1
    said = capsys.readouterr().err
    assert "2 of 2 ratings lack answers" in said
    assert "max_thinking_tokens" in said


def test_thoughts_and_directions_reach_nobody_and_drive_the_face(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rule(body: dict[str, Any]) -> Reply:
        if "You play" in str(body["messages"][0]):
            return (
                200,
                completion("I should act sad.</think>*looks down, jaw tight* (voice shaking) I am fine."),
                {},
            )
        return 200, completion(f"They lie.\n</think>\n\n{WORDS}"), {}

    server.rule = rule
    out = tmp_path / "run"
    assert run(monkeypatch, out, "--therapist", model(server), "--client", model(server)) == 0
    sessions = list(read_sessions(out))
    clients, therapists = (turns_of(sessions, one) for one in (Speaker.CLIENT, Speaker.THERAPIST))
    assert {turn.words for turn in clients} == {"I am fine."}
    assert {turn.direction for turn in clients} == {"looks down, jaw tight. voice shaking"}
    assert all(turn.expression.units and "act sad" in turn.raw for turn in clients)
    assert {turn.words for turn in therapists} == {WORDS}
    assert all("They lie." in turn.raw and turn.finish == "stop" for turn in therapists)
    asked = [body for body in server.bodies if "You play" not in str(body["messages"][0])]
    assert not any(shown in str(asked) for shown in ("jaw", "shaking", "act sad", "They lie"))


def test_the_share_of_cut_and_empty_replies_stands_in_the_report(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replies = [completion("I hear", "length"), completion("", "stop"), completion(WORDS)]
    server.reply = lambda number: (200, replies[number % 3], {})
    out = tmp_path / "run"
    assert run(monkeypatch, out, "--therapist", model(server, "&concurrency=1")) == 0
    (replies_of,) = json.loads((out / "summary.json").read_text())["replies"]
    assert (replies_of["turns"], replies_of["cut"], replies_of["empty"]) == (4, 1, 2)
    assert "1 cut at the limit of tokens (25.0 %), 2 without a word (50.0 %)" in " ".join(
        (out / "report.html").read_text().split()
    )


@pytest.mark.parametrize("trouble", ["none", "echoed", "refused", "line break"])
def test_no_message_and_no_file_holds_a_key(
    trouble: str,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    said = f"you sent Authorization: Bearer {KEY}, that is {KEY[:14]}"
    answers: dict[str, Reply] = {
        "none": OK,
        "echoed": (200, completion(said), {}),
        "refused": (401, refusal(said), {}),
        "line break": OK,
    }
    server.reply = lambda number: answers[trouble]
    if trouble == "line break":
        monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\r\n{KEY}")
    out = tmp_path / "run"
    run(monkeypatch, out, "--therapist", model(server), "--judge", model(server), "--instrument", "ctrs")
    run(monkeypatch, out, "--therapist", f"openai/m?base_url=http://me:{KEY}@127.0.0.1:9/v1")
    printed = "".join(capfd.readouterr())
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert KEY not in printed
    assert KEY.encode() not in files
