"""`mirror-bench compare` on real runs of scripted therapists, and with a judge behind a real server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mirror_bench.cli import cli
from mirror_bench.errors import InputError


@pytest.fixture(scope="module")
def runs(short_runs: dict[str, Path]) -> dict[str, Path]:
    return short_runs


class Judge(BaseHTTPRequestHandler):
    """Prefers the session with more questions in it, whichever stands first."""

    protocol_version = "HTTP/1.1"
    asked = 0

    def do_POST(self) -> None:
        type(self).asked += 1
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = body["messages"][1]["content"]
        text = text if isinstance(text, str) else "".join(part.get("text", "") for part in text)
        one, other = text.split("Session 2:")
        better = "1" if one.count("?") >= other.split("The question:")[0].count("?") else "2"
        answer = json.dumps({"evidence": [], "reason": "asks more", "better": better})
        choice = {"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}
        sent = json.dumps(
            {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
        )
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent.encode())

    def log_message(self, *args: Any) -> None:
        return None


@pytest.fixture
def judge() -> Iterator[str]:
    Judge.asked = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Judge)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"openai/judge?base_url=http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()


def invoke(*arguments: str | Path) -> Any:
    return CliRunner().invoke(cli, ["compare", *map(str, arguments)], catch_exceptions=False)


def test_coded_ratings_rank_the_reflective_above_the_parrot(runs: dict[str, Path], tmp_path: Path) -> None:
    done = invoke(runs["reflective"], runs["parrot"], "--json", "--out", tmp_path / "out")
    assert done.exit_code == 0
    found = json.loads(done.output)
    assert [one["name"] for one in found["standings"]] == ["scripted/reflective", "scripted/parrot"]
    (match,) = found["matches"]
    assert match["wins"] + match["ties"] + match["losses"] == 4
    assert {score["metric"] for score in match["differences"]} == {"ctrs.total", "wai.total"}
    assert json.loads((tmp_path / "out" / "comparison.json").read_text()) == found
    assert len((tmp_path / "out" / "comparisons.jsonl").read_text().splitlines()) == 4
    assert (tmp_path / "out" / "strengths.svg").exists()
    shown = invoke(runs["reflective"], runs["parrot"], "--quiet")
    assert "scripted/reflective" in shown.output
    assert "Two at a time" in shown.output


def test_a_model_is_asked_in_both_orders_and_remembered(
    runs: dict[str, Path], tmp_path: Path, judge: str
) -> None:
    command = (runs["reflective"], runs["parrot"], "--judge", judge, "--out", tmp_path / "out", "--json")
    first = json.loads(invoke(*command).output)
    assert Judge.asked == 8
    assert first["matches"][0]["wins"] == 4
    assert first["matches"][0]["consistent"]["value"] == 1.0
    assert json.loads(invoke(*command).output) == first
    assert Judge.asked == 8


def test_bad_input_is_named(runs: dict[str, Path], tmp_path: Path) -> None:
    one, other = runs["reflective"], runs["parrot"]
    for arguments, message in (
        ((one,), "at least two run folders"),
        ((one, tmp_path), "is no run folder"),
        ((one, one), "compared already"),
        ((one, other, "--condition", "none"), "its --condition can be matched"),
        ((one, other, "--judge", "openai/m"), "give --out"),
    ):
        with pytest.raises(InputError, match=message):
            invoke(*arguments)


def test_runs_under_other_protocols_are_refused(runs: dict[str, Path], tmp_path: Path) -> None:
    command = ["run", "--therapist", "scripted/parrot", "--limit", "4", "--seeds", "0", "--quiet"]
    CliRunner().invoke(cli, [*command, "--max-client-turns", "3", "--out", str(tmp_path / "x")])
    with pytest.raises(InputError, match="different protocols"):
        invoke(runs["reflective"], tmp_path / "x")
