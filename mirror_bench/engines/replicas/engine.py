"""An engine made of several: requests are spread, and what a lost one was asked is asked of another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from mirror_bench.engines.base import Answer, Engine, Request
from mirror_bench.engines.replicas.assignment import Assignment
from mirror_bench.engines.scoring import Likelihood, scoring
from mirror_bench.errors import EngineDeadError, InputError

R = TypeVar("R")

MOST_REVIVALS = 5
"""How often one replica is started again; a model that dies whenever it is asked would go on forever."""


class ReplicatedEngine:
    """Several engines of one model, which answer as one would.

    A session keeps its engine, so that the prefix cache serves it; a new one goes to the least busy. What
    dies is started again if `revive` can, else left out, and what it was asked is asked again.

    Args:
        name: The model's name, the same for any number of engines.
        engines: The engines, not yet started.
        revive: Starts a dead engine anew and returns it; None where that is not ours to do, as with servers.
    """

    def __init__(
        self,
        name: str,
        engines: Sequence[Engine],
        revive: Callable[[int], Awaitable[Engine]] | None = None,
    ) -> None:
        self.name = name
        self.engines = list(engines)
        self.revivals = [0] * len(engines)
        """How often each engine was started again."""
        self._revive = revive
        self._assignment = Assignment(len(engines))
        self._reviving = [asyncio.Lock() for _ in engines]

    @property
    def sees(self) -> bool:
        """Whether images in a request are read."""
        return self.engines[0].sees

    @property
    def adapted(self) -> list[str]:
        """What any of the engines puts otherwise than asked for, since its server refused that."""
        lines = (line for engine in self.engines for line in getattr(engine, "adapted", ()))
        return list(dict.fromkeys(lines))

    async def start(self) -> None:
        """Starts all engines side by side.

        Raises:
            InputError: If one cannot be started.
        """
        await asyncio.gather(*(engine.start() for engine in self.engines))

    async def answer(self, request: Request) -> Answer:
        """Answers one request; see `Engine.answer`."""
        return await self._ask(request, lambda engine: engine.answer(request))

    async def score(self, request: Request, continuations: Sequence[str]) -> list[Likelihood]:
        """Returns how likely answers are; see `ScoringEngine.score`."""
        return await self._ask(request, lambda engine: scoring(engine).score(request, continuations))

    async def close(self) -> None:
        """Closes all engines, the broken ones too."""
        done = await asyncio.gather(*(engine.close() for engine in self.engines), return_exceptions=True)
        for problem in done:
            if isinstance(problem, BaseException) and not isinstance(problem, InputError):
                raise problem

    async def _ask(self, request: Request, ask: Callable[[Engine], Awaitable[R]]) -> R:
        last: EngineDeadError | None = None
        while (number := self._assignment.choose(request)) is not None:
            engine = self.engines[number]
            self._assignment.busy[number] += 1
            try:
                return await ask(engine)
            except EngineDeadError as error:
                last = error
                await self._mend(number, engine)
            finally:
                self._assignment.busy[number] -= 1
        raise last or EngineDeadError(f"{self.name}: none of its {len(self.engines)} replicas is left")

    async def _mend(self, number: int, dead: Engine) -> None:
        """Starts a dead engine again, once for all who were waiting for it, or leaves it out."""
        async with self._reviving[number]:
            if self.engines[number] is not dead or not self._assignment.usable[number]:
                return  # somebody else has done so
            if self._revive is None or self.revivals[number] >= MOST_REVIVALS:
                self._assignment.usable[number] = False
                return
            self.revivals[number] += 1
            try:
                self.engines[number] = await self._revive(number)
            except InputError:
                self._assignment.usable[number] = False


def replica_count(value: Any, where: str) -> int:
    """Returns the number of replicas that an option names, 1 to 4096.

    Raises:
        InputError: If it is no such number.
    """
    if str(value).isdecimal() and 1 <= int(value) <= 4096:
        return int(value)
    raise InputError(f"{where}: the option replicas={value!r} must be a whole number from 1 to 4096")
