"""The training environment through verifiers, where it is installed (`make release-check` does)."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from talking_server import serving

import mirror_bench
from mirror_bench.errors import InputError

LISTENS = "It sounds like that weighs on you. What would you like to talk about first?"


@pytest.mark.skipif(bool(importlib.util.find_spec("verifiers")), reason="verifiers is installed")
def test_without_verifiers_the_remedy_is_told() -> None:
    with pytest.raises(InputError, match=r"pip install 'mirror-bench\[verifiers\]'"):
        mirror_bench.load_environment()


def test_rollouts_over_the_wire() -> None:
    pytest.importorskip("verifiers")
    asked: list[dict[str, list[dict[str, object]]]] = []

    def answer(body: dict[str, list[dict[str, object]]], number: int) -> str:
        asked.append(body)
        return LISTENS

    with serving(answer) as server:
        script = Path(__file__).with_name("verifiers_rollouts.py")
        command = [sys.executable, str(script), server.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2_000:]
    made, refused = (json.loads(line) for line in done.stdout.strip().splitlines()[-2:])
    assert "training meets the split 'train' alone" in refused
    assert len(made) == 8
    for one in made:
        assert one["reward"] == pytest.approx(sum(one["turn_rewards"]))
        assert [step["reward"] for step in one["trajectory"]] == pytest.approx(one["turn_rewards"])
        assert one["session"]["ended"] in {"turn_limit", "client_left", "resolved"}
    for body in asked:
        users = [message for message in body["messages"] if message["role"] == "user"]
        assert all([part["type"] for part in user["content"]] == ["image_url", "text"] for user in users)  # type: ignore[attr-defined]
