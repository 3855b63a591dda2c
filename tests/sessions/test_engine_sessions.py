"""Sessions over a real vLLM engine: stopped and resumed, alone and side by side, they come out the same."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from mirror_bench.engines.base import Answer, Engine, EngineWrapper, Request
from mirror_bench.protocol import load_protocol
from mirror_bench.schema import FaceCondition
from mirror_bench.sessions.candidate import read_candidate
from mirror_bench.sessions.evaluation import Evaluation, evaluate
from mirror_bench.sessions.run_folder import read_sessions

pytestmark = pytest.mark.engine


class Interrupted(EngineWrapper):
    """Passes requests on until it has had enough, and then stops the run as Ctrl-C does."""

    def __init__(self, engine: Engine, answers: int) -> None:
        super().__init__(engine)
        self.left = answers
        self.asked = 0

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def answer(self, request: Request) -> Answer:
        if self.left <= 0:
            raise asyncio.CancelledError
        answer = await self.engine.answer(request)
        self.left -= 1
        self.asked += 1
        return answer


def _evaluation(checkpoint: Path, out: Path, method: str, safety: bool = False) -> Evaluation:
    """Eight short sessions, and those of all who are in a crisis where `safety` is asked for."""
    protocol = load_protocol("offline")
    sampling = protocol.therapist.sampling.model_copy(update={"max_tokens": 12, "temperature": 0.7})
    short = protocol.model_copy(
        update={
            "max_client_turns": 4,
            "seeds": (0,),
            "safety": safety,
            "therapist": protocol.therapist.model_copy(update={"sampling": sampling}),
        }
    )
    candidate = read_candidate(f"vllm/{checkpoint}", method, 0, "tiny")
    conditions = (FaceCondition.MATCHED, FaceCondition.SHUFFLED)
    return Evaluation(short, candidate, out, conditions, limit=4, concurrency=8, quiet=True)


def _content(out: Path) -> list[bytes]:
    return sorted((out / "sessions.jsonl").read_bytes().splitlines())


@pytest.mark.parametrize("method", ["direct", "p+ec"])
async def test_a_stopped_run_resumes_to_the_same_bytes(
    tmp_path: Path, checkpoint: Path, vllm_engine: Engine, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    # An untrained model never ends a plan or a caption.
    monkeypatch.setattr("mirror_bench.therapists.methods.PLAN_TOKENS", 24)
    monkeypatch.setattr("mirror_bench.therapists.methods.CAPTION_TOKENS", 12)
    whole = Interrupted(vllm_engine, 10_000)
    await evaluate(_evaluation(checkpoint, tmp_path / "whole", method), whole)

    resumed = _evaluation(checkpoint, tmp_path / "resumed", method)
    asked = 0
    for answers in (3, 11, 10_000):
        engine = Interrupted(vllm_engine, answers)
        try:
            await evaluate(resumed, engine)
        except asyncio.CancelledError:
            assert answers < 10_000
        asked += engine.asked
    assert _content(tmp_path / "resumed") == _content(tmp_path / "whole")
    assert asked <= whole.asked + 2 * resumed.concurrency


async def test_faces_reach_the_model_and_the_record(
    tmp_path: Path, checkpoint: Path, vllm_engine: Engine
) -> None:
    evaluation = _evaluation(checkpoint, tmp_path / "run", "ec", safety=True)
    await evaluate(evaluation, vllm_engine)
    sessions = list(read_sessions(evaluation.out))
    assert sum(not session.only_safety for session in sessions) == 8
    heard = [turn for session in sessions for turn in session.turns if turn.speaker == "therapist"]
    assert all(turn.tokens > 0 for turn in heard)
    for session in sessions:
        shown = [turn for turn in session.turns[:-1] if turn.speaker == "client"]
        assert all(turn.face and turn.expression for turn in shown)
        if session.condition == "matched":
            assert all(turn.expression and turn.shown == turn.expression.label for turn in shown)


async def test_sessions_do_not_depend_on_their_neighbours(
    tmp_path: Path, checkpoint: Path, vllm_engine: Engine
) -> None:
    for concurrency in (1, 16):
        evaluation = _evaluation(checkpoint, tmp_path / str(concurrency), "direct")
        await evaluate(replace(evaluation, concurrency=concurrency), vllm_engine)
    assert _content(tmp_path / "1") == _content(tmp_path / "16")
