"""From how many engines on one driver is the limit: the real runner with engines that only wait.

An engine waits as long as vLLM would compute, by figures that its makers published (vLLM v0.6.0, 5 September
2024, Llama 3 8B on one H100): 13 ms a token under light load, and ShareGPT's requests of 179 tokens at 32 a
second, which is 5,700 tokens a second. Everything else is real: clients, coding, memory of answers, the run
folder. So an engine alone holds what it holds on a GPU, and with more of them the share that the driver
loses is seen.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence

from benchmarks.runner import CLIENT_TURNS, hold, scenarios
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.engines.base import Answer, Request
from mirror_bench.engines.replicas.engine import ReplicatedEngine
from mirror_bench.schema import Speaker
from mirror_bench.sessions.candidate import read_candidate

S_PER_TOKEN = 0.013
TOKENS_PER_S = 32 * 179
TOKENS = 60
"""Of a reply; the mean of the comparison therapists is about 45 words."""
AT_ONCE = round(TOKENS_PER_S * S_PER_TOKEN)
"""Sequences at which an engine of 13 ms a token gives all its tokens a second."""
ENGINES = (1, 2, 4, 8, 16, 32)
GOOD = 0.95


class WaitingEngine:
    """An engine that answers with a therapist's words after the time that a GPU would take.

    Args:
        tokens: Of each answer.
    """

    name = "benchmark/waiting"
    sees = True

    def __init__(self, tokens: int = TOKENS) -> None:
        self._tokens = tokens
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._replies = itertools.cycle(_replies())
        self._count = itertools.count()

    async def start(self) -> None:
        """Nothing to load."""

    async def answer(self, request: Request) -> Answer:
        """Waits for a place in the batch and for the tokens; the words are new each time."""
        async with self._slots:
            await asyncio.sleep(self._tokens * S_PER_TOKEN)
        return Answer(f"{next(self._replies)} That was {next(self._count)}.", "stop", 0, self._tokens)

    async def close(self) -> None:
        """Nothing to free."""


async def measure(seconds: float, engines: Sequence[int] = ENGINES, tokens: int = TOKENS) -> dict[str, float]:
    """Returns name -> figure: turns/s with so many engines, and the share of what they could hold.

    It ends with the number after the first at which the driver is the limit.

    Args:
        seconds: About how long each number of engines is held at work.
        engines: The numbers.
        tokens: Of each answer.
    """
    candidate = read_candidate("vllm/simulated", "direct", 0, "simulated")
    found: dict[str, float] = {}
    limit = 0
    for count in engines:
        alike = [WaitingEngine(tokens) for _ in range(count)]
        pool = ReplicatedEngine("benchmark/waiting", alike)
        at_once = count * AT_ONCE
        rounds = max(1, round(seconds / (CLIENT_TURNS * tokens * S_PER_TOKEN)))
        processor = time.process_time()
        pace = await hold(candidate, scenarios(at_once * rounds, 1000 + count), at_once, pool)
        could = count * TOKENS_PER_S / tokens * pace.seconds
        found |= {
            f"driver_{count}_engines_turns_per_s": round(pace.turns_per_s, 1),
            f"driver_{count}_engines_share": round(pace.turns / could, 3),
            f"driver_{count}_engines_ms_per_turn": round(
                1000 * (time.process_time() - processor) / pace.turns, 2
            ),
        }
        if limit:  # once past it, more engines only share the same turns
            break
        if found[f"driver_{count}_engines_share"] < GOOD:
            limit = count
    found["driver_is_the_limit_from"] = limit or max(engines) + 1
    return found


def _replies() -> list[str]:
    return [
        line.words
        for play in load_mini().screenplays[:20]
        for line in play.lines
        if line.speaker is Speaker.THERAPIST and line.words
    ]
