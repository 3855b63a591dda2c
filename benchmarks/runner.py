"""The runner's speed beside the raw engine's, and the runner alone with its memory.

With one vLLM engine and a tiny model: tokens/s of the runner at several numbers of sessions, of one session
after another, and of the engine given the runner's own requests with nothing to wait for (no client, no
faces, no store, no memory). Prefix caches are cleared before each, so that nobody profits from an earlier
one. Then the runner with a scripted engine: turns/s, and resident memory after few and after many sessions.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psutil

from mirror_bench.data.sources.registry import load_data
from mirror_bench.engines.base import Answer, Engine, EngineWrapper, Request
from mirror_bench.engines.factory import open_engine
from mirror_bench.engines.vllm.engine import VllmEngine
from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
from mirror_bench.faces.presenter import ShownFaces
from mirror_bench.modelspec import parse_model
from mirror_bench.protocol import Protocol, SamplingSettings, TherapistSettings
from mirror_bench.schema import Ending, FaceCondition, Profile, Scenario
from mirror_bench.sessions.batch import run_sessions
from mirror_bench.sessions.build import SessionFactory
from mirror_bench.sessions.candidate import Candidate, read_candidate
from mirror_bench.sessions.engine_pool import EnginePool
from mirror_bench.sessions.progress import Tally, shown
from mirror_bench.sessions.run_folder import RunFolder
from mirror_bench.sessions.run_header import RunHeader, RunSelection
from mirror_bench.sessions.session import FacePresenter, session_record

MAX_TOKENS = 48
CLIENT_TURNS = 8


class Pace(NamedTuple):
    """What one measurement gave."""

    seconds: float
    turns: int
    tokens: int

    @property
    def tokens_per_s(self) -> float:
        """Generated tokens a second."""
        return self.tokens / self.seconds

    @property
    def turns_per_s(self) -> float:
        """Turns a second."""
        return self.turns / self.seconds


class RecordingEngine(EngineWrapper):
    """An engine that keeps the requests it passes on."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.requests: list[Request] = []

    async def start(self) -> None:
        """Is started already."""

    async def close(self) -> None:
        """Is closed by whoever opened it."""

    async def answer(self, request: Request) -> Answer:
        """Asks, and keeps the request."""
        self.requests.append(request)
        return await self.engine.answer(request)


def _protocol(client: str, turns: int) -> Protocol:
    sampling = SamplingSettings(max_tokens=MAX_TOKENS)
    protocol = Protocol(
        name="benchmark", max_client_turns=turns, therapist=TherapistSettings(sampling=sampling)
    )
    return protocol.model_copy(update={"client": protocol.client.model_copy(update={"kind": client})})


def scenarios(count: int, seed: int) -> list[Scenario]:
    """Returns sessions of no other measurement: each has its own seeds."""
    profiles = load_data("mini").profiles
    found = []
    for number in range(count):
        profile: Profile = profiles[number % len(profiles)]
        found.append(
            Scenario(
                profile=profile,
                resistance=profile.resistance,
                seed=seed * 100_000 + number,
                condition=FaceCondition.MATCHED,
            )
        )
    return found


async def hold(
    candidate: Candidate,
    due: Sequence[Scenario],
    concurrency: int,
    engine: Engine | None = None,
    client: str = "stateful",
    live: bool = False,
    turns: int = CLIENT_TURNS,
) -> Pace:
    """Returns the pace of the whole runner: coroutines, faces, memory of answers, run folder."""
    protocol = _protocol(client, turns)
    header = RunHeader(
        protocol=protocol,
        fingerprint="",
        parts={},
        candidate=candidate.recorded(),
        selection=RunSelection(conditions=()),
    )
    with tempfile.TemporaryDirectory() as place, RunFolder(Path(place) / "run", header) as folder:
        async with EnginePool(Path(place) / "run" / "calls.sqlite") as pool:
            cast = SessionFactory(protocol, candidate, load_data("mini"), pool, engine)
            await pool.start()
            tally = Tally("sessions", len(due))
            with ThreadPoolExecutor(2) as drawers:
                stage = FacePresenter(ShownFaces(DrawnFaces()), drawers, folder.keep_face)
                async with shown(tally, "benchmark", quiet=not live):
                    await run_sessions(
                        due,
                        partial(cast.hold, stage=stage, heard=tally.heard),
                        lambda scenario, reason: session_record(scenario, cast.names, Ending.FAILED, reason),
                        folder.keep_session,
                        tally,
                        concurrency=concurrency,
                        attempts=1,
                    )
            if tally.failed:
                raise SystemExit(f"{tally.failed} sessions failed: the figures would be wrong")
            return Pace(tally.seconds, tally.turns, tally.tokens)


async def raw(engine: Engine, requests: Sequence[Request], at_once: int) -> Pace:
    """Returns the pace of the engine alone, given `requests` with `at_once` of them always under way."""
    left = iter(requests)
    tokens = 0

    async def worker() -> None:
        nonlocal tokens
        for request in left:
            answer = await engine.answer(request)  # apart: += would read the sum before waiting
            tokens += answer.tokens

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(at_once)))
    return Pace(time.perf_counter() - started, len(requests), tokens)


async def against_vllm(
    model: str, sessions: int, at: Sequence[int] = (8, 32, 128), repeats: int = 3
) -> dict[str, float]:
    """Returns name -> figure: the runner beside the raw engine.

    Args:
        model: Checkpoint folder.
        sessions: Held at each number at once; few make the last, thinning wave count for more.
        at: Numbers of sessions at once.
        repeats: Of each of which the middle ratio counts.
    """
    engine = open_engine(parse_model(f"vllm/{model}?max_num_seqs={max(at)}"))
    assert isinstance(engine, VllmEngine)
    await engine.start()
    candidate = read_candidate(f"vllm/{model}", "direct", 0, "tiny")
    figures: dict[str, float] = {}
    try:
        await hold(candidate, scenarios(8, 0), 8, engine)  # warms kernels and the processor

        async def measured(do: Callable[[], Awaitable[Pace]]) -> float:
            await engine.forget_prefixes()
            return (await do()).tokens_per_s

        few = max(2, sessions // 16)
        one = await measured(lambda: hold(candidate, scenarios(few, 1), 1, engine))
        figures["sequential_tokens_per_s"] = round(one, 1)
        for count in at:
            ratios, speeds = [], []
            for repeat in range(repeats):
                recorded = RecordingEngine(engine)
                due = scenarios(max(sessions, count), 100 * count + repeat)
                runner = await measured(partial(hold, candidate, due, count, recorded))
                alone_s = await measured(partial(raw, engine, recorded.requests, count))
                ratios.append(runner / alone_s)
                speeds.append(runner)
            speed = sorted(speeds)[len(speeds) // 2]
            figures |= {
                f"runner_{count}_tokens_per_s": round(speed, 1),
                f"runner_over_raw_at_{count}": round(sorted(ratios)[len(ratios) // 2], 3),
                f"runner_over_raw_at_{count}_lowest": round(min(ratios), 3),
                f"runner_over_sequential_at_{count}": round(speed / one, 2),
            }
    finally:
        await engine.close()
    return figures


async def alone(few: int, many: int) -> dict[str, float]:
    """Returns name -> figure: the runner with a scripted engine, what it costs itself, in time and memory."""
    candidate = read_candidate("scripted/fixed?text=What+is+that+like", "text", 0, "fixed")
    plays = {play.profile_id for play in load_data("mini").screenplays}
    process = psutil.Process(os.getpid())

    def played(count: int, seed: int) -> list[Scenario]:
        kept = [scenario for scenario in scenarios(2 * count, seed) if scenario.profile.id in plays]
        return kept[:count]

    await hold(candidate, played(100, 90), 32, client="replay")
    first = await hold(candidate, played(few, 91), 32, client="replay")
    after_few = process.memory_info().rss
    second = await hold(candidate, played(many, 92), 32, client="replay")
    after_many = process.memory_info().rss
    live = await hold(candidate, played(few, 93), 32, client="replay", live=True)
    quiet = await hold(candidate, played(few, 94), 32, client="replay")
    return {
        "alone_turns_per_s": round(second.turns_per_s),
        f"alone_turns_per_s_{few}_sessions": round(first.turns_per_s),
        f"alone_rss_mib_{few}_sessions": round(after_few / 2**20, 1),
        f"alone_rss_mib_{many}_sessions": round(after_many / 2**20, 1),
        "alone_turns_per_s_with_progress": round(live.turns_per_s),
        "alone_turns_per_s_without_progress": round(quiet.turns_per_s),
    }
