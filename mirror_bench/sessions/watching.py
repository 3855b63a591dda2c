"""Lets somebody look on while sessions are held: open ones are written out while a viewer asks for them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import islice
from pathlib import Path

from mirror_bench.errors import InputError
from mirror_bench.files import write_atomically
from mirror_bench.schema import Ending, Scenario, Session, Turn
from mirror_bench.sessions.session import SessionNames, session_record

ASKED = ".watched"
"""A file in the run folder that a viewer touches; old, nobody looks on."""
OPEN = ".open-sessions.jsonl"
"""The sessions that are being held, one a line, as far as they have come."""
_PATIENCE = 10.0  # seconds after which a viewer that asks no more is gone
_PERIOD = 0.5
_MOST = 64


class OpenSessions:
    """The sessions being held, which cost nothing to keep and are written only while somebody looks on."""

    def __init__(self, folder: Path, names: SessionNames) -> None:
        self._folder = folder
        self._names = names
        self._open: dict[str, tuple[Scenario, list[Turn]]] = {}

    @contextmanager
    def holding(self, scenario: Scenario) -> Iterator[Callable[[Turn], None]]:
        """Notes a session while the block runs; gives what is called with each of its turns."""
        turns: list[Turn] = []
        self._open[scenario.id] = (scenario, turns)
        try:
            yield turns.append
        finally:
            self._open.pop(scenario.id, None)

    @asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        """Writes the open sessions again and again while the block runs, and takes them away after it."""
        task = asyncio.create_task(self._write_again())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            with contextlib.suppress(OSError):
                (self._folder / OPEN).unlink(missing_ok=True)

    async def _write_again(self) -> None:
        while True:
            if self._asked():
                with contextlib.suppress(InputError):  # nobody's session fails for a full disk here
                    write_atomically(self._folder / OPEN, "".join(self._lines()).encode())
            await asyncio.sleep(_PERIOD)

    def _asked(self) -> bool:
        try:
            return time.time() - (self._folder / ASKED).stat().st_mtime < _PATIENCE
        except OSError:
            return False

    def _lines(self) -> Iterator[str]:
        for scenario, turns in islice(list(self._open.values()), _MOST):
            so_far = session_record(
                scenario, self._names, Ending.TURN_LIMIT, "still being held", turns=tuple(turns)
            )
            yield f"{so_far.line()}\n"


def ask_for_open_sessions(folder: Path) -> None:
    """Says that somebody looks on; to be said again every few seconds."""
    with contextlib.suppress(OSError):  # a folder that cannot be written to is looked at all the same
        (folder / ASKED).touch()


def read_open_sessions(folder: Path) -> list[Session]:
    """Returns the sessions being held, as far as they have come; none where no process holds any."""
    path = folder / OPEN
    try:
        if time.time() - path.stat().st_mtime > _PATIENCE:
            return []  # left by a process that was killed
        return [Session.model_validate_json(line) for line in path.read_bytes().splitlines()]
    except (OSError, ValueError):
        return []


def is_fresh(folder: Path) -> bool:
    """Whether a process has written of its open sessions within the last seconds."""
    with contextlib.suppress(OSError):
        return time.time() - (folder / OPEN).stat().st_mtime < 4 * _PERIOD
    return False
