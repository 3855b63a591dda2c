"""Prints the runner's speed beside the raw engine's, and the runner alone with its memory, in one run.

    python tests/benchmarks/throughput.py [--json] [--model FOLDER] [--sessions 160] [--skip-alone]

With one vLLM engine and a tiny model: tokens/s of the runner at 1, 8 and 32 sessions, of one session after
another, and of the engine given the runner's own requests with nothing to wait for (no client, no faces, no
store, no memory). Prefix caches are cleared before each, so that nobody profits from an earlier one. Then the
runner with a scripted engine: turns/s, and resident memory at 1,000 and at 20,000 sessions.
"""

from __future__ import annotations

import argparse
import asyncio
import json
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
        return self.tokens / self.seconds

    @property
    def turns_per_s(self) -> float:
        return self.turns / self.seconds


class Recorded(EngineWrapper):
    """An engine that keeps the requests it passes on."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.requests: list[Request] = []

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        return await self.engine.answer(request)


def _protocol(client: str = "stateful") -> Protocol:
    sampling = SamplingSettings(max_tokens=MAX_TOKENS)
    protocol = Protocol(
        name="benchmark", max_client_turns=CLIENT_TURNS, therapist=TherapistSettings(sampling=sampling)
    )
    return protocol.model_copy(update={"client": protocol.client.model_copy(update={"kind": client})})


def _scenarios(count: int, seed: int) -> list[Scenario]:
    """Sessions of no other measurement: each has its own seeds."""
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


async def _run(
    candidate: Candidate,
    scenarios: Sequence[Scenario],
    concurrency: int,
    engine: Engine | None = None,
    client: str = "stateful",
    live: bool = False,
) -> Pace:
    """The whole runner: coroutines, faces, memory of answers, run folder."""
    protocol = _protocol(client)
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
            tally = Tally("sessions", len(scenarios))
            with ThreadPoolExecutor(2) as drawers:
                stage = FacePresenter(ShownFaces(DrawnFaces()), drawers, folder.keep_face)
                async with shown(tally, "benchmark", quiet=not live):
                    await run_sessions(
                        scenarios,
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


async def _raw(engine: Engine, requests: Sequence[Request], at_once: int) -> Pace:
    """The engine alone, given `requests` with `at_once` of them always under way."""
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


async def against_vllm(model: str, sessions: int) -> dict[str, float]:
    """The runner beside the raw engine."""
    engine = open_engine(parse_model(f"vllm/{model}?max_num_seqs=32"))
    assert isinstance(engine, VllmEngine)
    await engine.start()
    candidate = read_candidate(f"vllm/{model}", "direct", 0, "tiny")
    try:
        await _run(candidate, _scenarios(8, 0), 8, engine)  # warms kernels and the processor
        figures: dict[str, float] = {}

        async def measured(name: str, do: Callable[[], Awaitable[Pace]]) -> Pace:
            await engine.forget_prefixes()
            pace = await do()
            figures[f"{name}_tokens_per_s"] = round(pace.tokens_per_s, 1)
            return pace

        few = max(4, sessions // 16)
        one = await measured("runner_1", lambda: _run(candidate, _scenarios(few, 1), 1, engine))
        await measured("runner_8", lambda: _run(candidate, _scenarios(sessions // 4, 8), 8, engine))
        ratios, speeds = [], []
        for repeat in range(3):
            recorded = Recorded(engine)
            scenarios = _scenarios(sessions, 32 + repeat)
            runner = await measured("runner_32", lambda: _run(candidate, scenarios, 32, recorded))  # noqa: B023
            raw = await measured("raw_32", lambda: _raw(engine, recorded.requests, 32))  # noqa: B023
            ratios.append(runner.tokens_per_s / raw.tokens_per_s)
            speeds.append(runner.tokens_per_s)
        await measured("raw_all_at_once", lambda: _raw(engine, recorded.requests, len(recorded.requests)))
    finally:
        await engine.close()
    figures["runner_over_raw_at_32"] = round(sorted(ratios)[1], 3)
    figures["runner_over_raw_at_32_lowest"] = round(min(ratios), 3)
    figures["runner_over_sequential"] = round(sorted(speeds)[1] / one.tokens_per_s, 2)
    return figures


async def alone(few: int, many: int) -> dict[str, float]:
    """The runner with a scripted engine and replayed clients: what it costs itself, in time and memory."""
    candidate = read_candidate("scripted/fixed?text=What+is+that+like", "text", 0, "fixed")
    plays = {play.profile_id for play in load_data("mini").screenplays}
    process = psutil.Process(os.getpid())

    def scenarios(count: int, seed: int) -> list[Scenario]:
        kept = [scenario for scenario in _scenarios(2 * count, seed) if scenario.profile.id in plays]
        return kept[:count]

    await _run(candidate, scenarios(100, 90), 32, client="replay")
    first = await _run(candidate, scenarios(few, 91), 32, client="replay")
    after_few = process.memory_info().rss
    second = await _run(candidate, scenarios(many, 92), 32, client="replay")
    after_many = process.memory_info().rss
    live = await _run(candidate, scenarios(few, 93), 32, client="replay", live=True)
    quiet = await _run(candidate, scenarios(few, 94), 32, client="replay")
    return {
        "alone_turns_per_s": round(second.turns_per_s),
        f"alone_turns_per_s_{few}_sessions": round(first.turns_per_s),
        f"alone_rss_mib_{few}_sessions": round(after_few / 2**20, 1),
        f"alone_rss_mib_{many}_sessions": round(after_many / 2**20, 1),
        "alone_turns_per_s_with_progress": round(live.turns_per_s),
        "alone_turns_per_s_without_progress": round(quiet.turns_per_s),
    }


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--model", default="", help="checkpoint folder; an untrained tiny model where absent")
    parser.add_argument(
        "--sessions", type=int, default=160, help="few make the last, thinning wave count for more"
    )
    parser.add_argument("--many", type=int, default=20_000)
    parser.add_argument("--skip-alone", action="store_true")
    parser.add_argument("--skip-vllm", action="store_true")
    chosen = parser.parse_args()
    figures: dict[str, float] = {}
    if not chosen.skip_alone:
        figures |= asyncio.run(alone(1_000, chosen.many))
    if not chosen.skip_vllm:
        with tempfile.TemporaryDirectory() as place:
            model = chosen.model
            if not model:
                from baselines.architecture import save_untrained

                model = str(save_untrained(Path(place) / "tiny"))
            figures |= asyncio.run(against_vllm(model, chosen.sessions))
    if chosen.json:
        print(json.dumps(figures, indent=1))
        return
    for name, value in figures.items():
        print(f"{name:40} {value:>12,}")


if __name__ == "__main__":
    main()
