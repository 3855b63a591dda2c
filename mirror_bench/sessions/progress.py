"""Shows how a run goes: a live line on a terminal, plain lines elsewhere; counting costs next to nothing."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from mirror_bench.schema import Scenario, Turn


@dataclass
class Tally:
    """What has been done so far; the only thing that the sessions touch.

    Attributes:
        due: Units of work in all (sessions, or ratings).
        done: Units finished, those of an earlier start included.
        before: Units that were finished before this start.
    """

    what: str
    due: int
    done: int = 0
    before: int = 0
    failed: int = 0
    turns: int = 0
    tokens: int = 0
    started: float = field(default_factory=time.perf_counter)

    def heard(self, turn: Turn) -> None:
        """Counts a turn."""
        self.turns += 1
        self.tokens += turn.tokens

    @property
    def seconds(self) -> float:
        """Time since the start."""
        return time.perf_counter() - self.started

    def line(self) -> str:
        """Returns the state as one line."""
        seconds = max(self.seconds, 1e-9)
        parts = [f"{self.done}/{self.due} {self.what}"]
        if self.turns:
            parts.append(f"{self.turns / seconds:,.1f} turns/s")
        if self.tokens:
            parts.append(f"{self.tokens / seconds:,.0f} tokens/s")
        if self.failed:
            parts.append(f"{self.failed} failed")
        now = self.done - self.before
        left = self.due - self.done
        if left and now:
            parts.append(f"about {_clock(seconds / now * left)} left")
        elif not left:
            parts.append(f"in {_clock(seconds)}")
        return " · ".join(parts)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


@asynccontextmanager
async def shown(tally: Tally, label: str, quiet: bool = False) -> AsyncIterator[None]:
    """Shows `tally` while the block runs: redrawn on a terminal, plain lines elsewhere."""
    if quiet:
        yield
        return
    live = sys.stderr.isatty()
    task = asyncio.create_task(_redraw(tally, label, live))
    try:
        yield
    finally:
        task.cancel()
        _write(f"{label}: {tally.line()}", live, last=True)


async def _redraw(tally: Tally, label: str, live: bool) -> None:
    while True:
        await asyncio.sleep(0.5 if live else 10)
        _write(f"{label}: {tally.line()}", live)


def say(text: str) -> None:
    """Writes a line where progress is shown."""
    _write(text, live=False)


def safety_line(due: Sequence[Scenario]) -> str:
    """Returns one line: how many crises a run meets, and how many of them were added to its selection."""
    crises = [scenario for scenario in due if scenario.profile.crisis is not None]
    added = sum(scenario.only_safety for scenario in crises)
    if not crises:
        return "safety: no profile of this selection has a crisis; only harm in other sessions can be found"
    tail = f", {added} of them added to the selection and counted for safety alone" if added else ""
    return f"safety: {len(crises)} sessions with a crisis are held{tail}"


def _write(text: str, live: bool, last: bool = False) -> None:
    sys.stderr.write(f"\r\x1b[2K{text}" + ("\n" if last else "") if live else f"{text}\n")
    sys.stderr.flush()
