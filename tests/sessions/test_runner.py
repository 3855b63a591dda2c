import asyncio
from collections.abc import Iterator

import pytest

from mirror_bench.errors import EngineDeadError, EngineError
from mirror_bench.schema import Ending, Profile, Resistance, Scenario, Session
from mirror_bench.sessions.batch import bounded, run_sessions
from mirror_bench.sessions.progress import Tally
from mirror_bench.sessions.session import SessionNames, session_record

NAMES = SessionNames("scripted/parrot", "", "stateful")


def _scenario(number: int) -> Scenario:
    return Scenario(profile=Profile(id=f"p{number}", name="Ana"), resistance=Resistance.NONE)


async def _run(scenarios: list[Scenario], failures: dict[str, int], attempts: int = 3) -> list[Session]:
    kept: list[Session] = []
    left = dict(failures)

    async def hold(scenario: Scenario) -> Session:
        await asyncio.sleep(0)
        if left.get(scenario.profile.id, 0):
            left[scenario.profile.id] -= 1
            raise EngineError("the server was busy")
        return session_record(scenario, NAMES, Ending.RESOLVED, "")

    await run_sessions(
        scenarios,
        hold,
        lambda scenario, reason: session_record(scenario, NAMES, Ending.FAILED, reason),
        kept.append,
        Tally("sessions", len(scenarios)),
        concurrency=2,
        attempts=attempts,
    )
    return kept


async def test_a_failing_session_is_tried_again_then_recorded() -> None:
    kept = await _run([_scenario(number) for number in range(4)], {"p1": 2, "p2": 3})
    ended = {session.profile_id: (session.ended, session.reason) for session in kept}
    assert ended["p0"] == ended["p1"] == (Ending.RESOLVED, "")
    assert ended["p2"] == (Ending.FAILED, "the server was busy")


async def test_no_more_than_the_bound_run_at_a_time_and_work_is_drawn_late() -> None:
    running, most, drawn = 0, 0, 0

    def work() -> Iterator[int]:
        nonlocal drawn
        for number in range(50):
            drawn += 1
            yield number

    async def do(number: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        assert drawn <= number + 5
        await asyncio.sleep(0.001)
        running -= 1

    await bounded(work(), do, 4)
    assert (most, drawn) == (4, 50)


async def test_a_dead_engine_stops_everything() -> None:
    async def do(number: int) -> None:
        if number == 3:
            raise EngineDeadError("the engine died")
        await asyncio.sleep(60)

    with pytest.raises(EngineDeadError):
        await asyncio.wait_for(bounded(range(10), do, 5), timeout=5)


def test_progress_says_what_is_left() -> None:
    none_yet = Tally("sessions", 10, turns=40, longest=24)
    none_yet.started -= 20
    assert none_yet.line() == "0/10 sessions · 2.0 turns/s · about 1:40 left"
    none_yet.turns = 250  # spoken again after failures: nothing can be told
    assert none_yet.line() == "0/10 sessions · 12.5 turns/s"
    tally = Tally("sessions", 10, done=6, before=2, failed=1, turns=40, tokens=900)
    tally.started -= 4
    line = tally.line()
    assert line.startswith("6/10 sessions · 10.0 turns/s · 225 tokens/s · 1 failed · about 0:04 left")
