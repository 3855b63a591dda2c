"""A run that is killed at any instant goes on to the same result, and asks again only what was in flight."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_server import Body
from talking_server import TalkingServer, serving

CONCURRENCY = 4
REPLIES = (
    "What makes it so heavy today?",
    "It sounds like you have carried this alone for a long time.",
    "You would rather not talk about it, and that is fine. What would you like instead?",
    "I see. Tell me more about that.",
)


def _reply(body: Body, number: int) -> str:
    """Answers from the request alone."""
    time.sleep(0.01)
    key = hashlib.sha256(json.dumps(body["messages"], sort_keys=True).encode()).hexdigest()
    return REPLIES[int(key[:4], 16) % len(REPLIES)]


@pytest.fixture
def server() -> Iterator[TalkingServer]:
    with serving(_reply) as server:
        yield server


def _start(server: TalkingServer, out: Path, limit: int = 4) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from mirror_bench.cli import main; main()", "run"]
    command += [
        "--therapist",
        server.model("small", api_key_env="NO_SUCH_KEY"),
        "--face-conditions",
        "matched,none",
        "--seeds",
        "0,1",
    ]
    command += ["--limit", str(limit), "--concurrency", str(CONCURRENCY), "--out", str(out), "--quiet"]
    command += [] if limit > 4 else ["--no-safety"]  # all who are in a crisis, whatever the limit
    environment = os.environ | {"NO_SUCH_KEY": "none"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _finish(process: subprocess.Popen[bytes]) -> None:
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()


def _content(out: Path, name: str) -> list[bytes]:
    return sorted((out / name).read_bytes().splitlines())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kills", "limit", "missed"), [(3, 4, 1), pytest.param(20, 12, 3, marks=pytest.mark.campaign)]
)
def test_killed_at_any_instant_the_result_is_the_same(
    tmp_path: Path,
    server: TalkingServer,
    figure: Callable[[str, object], None],
    kills: int,
    limit: int,
    missed: int,
) -> None:
    _finish(_start(server, tmp_path / "whole", limit))
    calls = server.asked

    chance = random.Random(20)
    server.bodies.clear()
    out = tmp_path / "killed"
    hit = 0
    for number in range(kills):
        process = _start(server, out, limit)
        if number % 5 == 2:  # while it starts: imports, opening the folder, reading what is there
            time.sleep(chance.uniform(0.05, 1.5))
        else:
            enough = server.asked + chance.randint(1, calls // max(kills - 2, 3))
            _wait_for(lambda: server.asked >= enough or process.poll() is not None)  # noqa: B023
            time.sleep(chance.uniform(0, 0.02))
        hit += process.poll() is None
        process.kill()
        process.communicate(timeout=30)
    assert hit >= kills - missed
    _finish(_start(server, out, limit))

    assert _content(out, "sessions.jsonl") == _content(tmp_path / "whole", "sessions.jsonl")
    assert _content(out, "ratings.jsonl") == _content(tmp_path / "whole", "ratings.jsonl")
    assert (out / "summary.json").read_bytes() == (tmp_path / "whole" / "summary.json").read_bytes()
    assert server.asked <= calls + kills * CONCURRENCY
    figure("asked", f"{server.asked} times where {calls} were due, killed {hit} times")


def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(tmp_path: Path, server: TalkingServer) -> None:
    out = tmp_path / "run"
    process = _start(server, out, 12)
    _wait_for(lambda: server.asked > 5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"the same command goes on" in errors
    assert b"Traceback" not in errors
    _finish(_start(server, out, 12))


def _wait_for(condition: Any) -> None:
    for _ in range(6_000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("nothing happened within 30 s")


def test_another_protocol_is_refused_in_one_line(tmp_path: Path, server: TalkingServer) -> None:
    out = tmp_path / "run"
    _finish(_start(server, out))
    command = [sys.executable, "-c", "from mirror_bench.cli import main; main()", "run", "--quiet"]
    command += [
        "--therapist",
        "scripted/parrot",
        "--max-client-turns",
        "5",
        "--limit",
        "4",
        "--no-safety",
        "--out",
        str(out),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "parameters.max_client_turns (12 -> 5)" in done.stderr
    assert "candidate.therapist" in done.stderr
