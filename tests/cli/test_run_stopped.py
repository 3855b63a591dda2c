"""A run that is asked to end says in a line how to go on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_ASKS = """
import os, signal

asked = []

async def reply(words, image):
    asked.append(words)
    if len(asked) == {after}:
        os.kill(os.getpid(), signal.{signal})  # lands while a session is at work
        sum(range(2_000_000))
    return f"What is that like for you, the {{len(asked)}}. time?"

reply.sees = False
"""


@pytest.mark.parametrize(("signal", "ignored"), [("SIGTERM", ""), ("SIGINT", ""), ("SIGTERM", "INT")])
def test_it_tells_how_to_go_on_and_shows_no_traceback(signal: str, ignored: str, tmp_path: Path) -> None:
    (tmp_path / "asks.py").write_text(_ASKS.format(signal=signal, after=3), encoding="utf-8")
    # A shell's background job ignores SIGINT; a request to end must reach it all the same.
    trap = ["sh", "-c", f"trap '' {ignored}; exec \"$@\"", "sh"] if ignored else []
    command = [*trap, sys.executable, "-c", "from mirror_bench.cli import main; main()"]
    command += ["run", "--therapist", "python/asks:reply", "--limit", "4", "--no-safety", "--quiet"]
    path = os.pathsep.join(filter(None, (str(Path.cwd()), os.environ.get("PYTHONPATH", ""))))
    done = subprocess.run(
        [*command, "--out", "run"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert done.returncode != 0
    assert "every finished turn is kept in run: the same command goes on" in done.stderr
    assert "Traceback" not in done.stderr
    assert "exception" not in done.stderr


_NEVER_ANSWERS = """
import os, signal, threading, time

def reply(words, image):
    threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()
    time.sleep(3600)

reply.sees = False
"""


def test_it_does_not_wait_for_code_that_never_answers(tmp_path: Path) -> None:
    (tmp_path / "sleeps.py").write_text(_NEVER_ANSWERS, encoding="utf-8")
    path = os.pathsep.join(filter(None, (str(Path.cwd()), os.environ.get("PYTHONPATH", ""))))
    command = [sys.executable, "-c", "from mirror_bench.cli import main; main()", "run"]
    done = subprocess.run(
        [
            *command,
            "--quiet",
            "--no-safety",
            "--therapist",
            "python/sleeps:reply",
            "--limit",
            "1",
            "--out",
            "run",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
        timeout=300,
    )
    assert done.returncode != 0
    assert "the same command goes on" in done.stderr
    assert "Traceback" not in done.stderr
