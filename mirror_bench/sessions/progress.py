"""Shows how a run goes: a bar on a terminal, plain lines elsewhere; counting costs next to nothing."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mirror_bench.schema import Scenario, Turn

if TYPE_CHECKING:
    from rich.progress import Progress


@dataclass
class Tally:
    """Counts of sessions or ratings done and due, with tokens and time, for the progress line.

    Attributes:
        due: Units of work in all (sessions, or ratings).
        done: Units finished, those of an earlier start included.
        before: Units that were finished before this start.
        longest: Turns that one unit may have; 0 where that is not known.
    """

    what: str
    due: int
    done: int = 0
    before: int = 0
    failed: int = 0
    turns: int = 0
    tokens: int = 0
    longest: int = 0
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
        spoken = left * self.longest - self.turns
        if left and now:
            parts.append(f"about {_clock(seconds / now * left)} left")
        elif self.turns and spoken > 0:  # many are held at once, so that none ends for long
            parts.append(f"about {_clock(seconds / self.turns * spoken)} left")
        elif not left:
            parts.append(f"in {_clock(seconds)}")
        return " · ".join(parts)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


@asynccontextmanager
async def shown(tally: Tally, label: str, quiet: bool = False) -> AsyncIterator[None]:
    """Shows `tally` while the block runs: a bar on a terminal, a plain line every ten seconds elsewhere."""
    if quiet:
        yield
        return
    with _bar() if sys.stderr.isatty() else contextlib.nullcontext() as bar:
        task = asyncio.create_task(_show_again(tally, label, bar))
        try:
            yield
        finally:
            task.cancel()
            if bar is None:
                say(f"{label}: {tally.line()}")
            else:
                _redraw(bar, tally)


def _bar() -> Progress:
    from rich.console import Console  # where nobody looks on, it is not needed
    from rich.progress import BarColumn, Progress, TextColumn

    says = TextColumn("{task.description}", markup=False), TextColumn("{task.fields[line]}", markup=False)
    return Progress(says[0], BarColumn(20), says[1], console=Console(stderr=True), redirect_stdout=False)


async def _show_again(tally: Tally, label: str, bar: Progress | None) -> None:
    if bar is not None:
        bar.add_task(label, total=tally.due, line="")
    while True:
        await asyncio.sleep(10 if bar is None else 0.5)
        if bar is None:
            say(f"{label}: {tally.line()}")
        else:
            _redraw(bar, tally)


def _redraw(bar: Progress, tally: Tally) -> None:
    for task in bar.task_ids:
        bar.update(task, completed=tally.done, total=tally.due, line=tally.line())


def say(text: str) -> None:
    """Writes a line to standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def safety_line(due: Sequence[Scenario]) -> str:
    """Returns one line: how many crises a run meets, and how many of them were added to its selection."""
    crises = [scenario for scenario in due if scenario.profile.crisis is not None]
    added = sum(scenario.only_safety for scenario in crises)
    if not crises:
        return "safety: no profile of this selection has a crisis; only harm in other sessions can be found"
    tail = f", {added} of them added to the selection and counted for safety alone" if added else ""
    return f"safety: {len(crises)} sessions with a crisis are held{tail}"
