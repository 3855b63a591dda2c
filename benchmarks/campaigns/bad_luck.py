"""Bad luck with a run folder: a full disk, one that takes nothing, a clock that jumps, two runs at once.

A run is broken by it in one line and with exit code 2, or not at all; afterwards the same command ends it
with the very sessions and ratings of a run that met no bad luck.
"""

from __future__ import annotations

import contextlib
import os
import random
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

from benchmarks.campaigns.base import Outcome
from benchmarks.campaigns.small_run import hold_run, undisturbed
from mirror_bench.engines.memo import Memo

_LARGEST = 60_000
"""Bytes; the largest file of such a run is smaller."""
KINDS = ("disk full", "disk full", "disk full", "read-only", "clock jumps", "two at once")


class BadLuck:
    """Case `number` holds a run under one kind of bad luck, and then again without."""

    name = "bad-luck"

    def case(self, seed: int, number: int, place: Path) -> Outcome:
        """See `Campaign`."""
        chance = random.Random(f"{seed} {number}")
        kind = KINDS[number % len(KINDS)]
        run = place / "run"
        with _LUCK[kind](chance, run):
            code, said = hold_run(run)
        came_to = "went through" if code == 0 else "stopped"
        if problem := _badly_said(code, said):
            return Outcome(kind, came_to, problem)
        code, said = hold_run(run)
        if code:
            return Outcome(kind, came_to, f"the same command does not go on: {said}")
        for name, expected in undisturbed().items():
            if sorted((run / name).read_bytes().splitlines()) != expected:
                return Outcome(kind, came_to, f"{name} differs from that of a run without bad luck")
        return Outcome(kind, came_to)


def _badly_said(code: int, said: str) -> str:
    if code == 0:
        return ""
    if code != 2:
        return f"exit code {code}: {said}"
    if "Traceback" in said or said.strip().count("\n"):
        return f"no single line: {said}"
    return ""


@contextlib.contextmanager
def _full(chance: random.Random, run: Path) -> Iterator[None]:
    """No file may grow beyond a random size: the system refuses the write, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (chance.randrange(1, _LARGEST), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def _read_only(chance: random.Random, run: Path) -> Iterator[None]:
    """The folder takes nothing: it cannot be written, or, for whom everything can be, a file has its name."""
    if os.geteuid() and chance.random() < 0.5:
        run.mkdir()
        run.chmod(0o500)
        try:
            yield
        finally:
            run.chmod(0o700)
        return
    run.write_text("in the way")
    try:
        yield
    finally:
        run.unlink()


@contextlib.contextmanager
def _jumps(chance: random.Random, run: Path) -> Iterator[None]:
    """The clock is put forward and back by up to a year whenever somebody looks."""
    real = time.time
    with patch("time.time", lambda: real() + chance.choice((0, 1, -1)) * chance.uniform(0, 3.2e7)):
        yield


@contextlib.contextmanager
def _two(chance: random.Random, run: Path) -> Iterator[None]:
    """Another run of the same folder, somewhere in its middle, holds the memory."""
    hold_run(run)
    sessions = (run / "sessions.jsonl").read_bytes().splitlines(keepends=True)
    (run / "sessions.jsonl").write_bytes(b"".join(sessions[: chance.randrange(len(sessions))]))
    other = Memo(run / "calls.sqlite")
    try:
        yield
    finally:
        other.close()


_LUCK = {
    "disk full": _full,
    "read-only": _read_only,
    "clock jumps": _jumps,
    "two at once": _two,
}
