from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.engines.base import Answer, ImagePart, Message, Request, Sampling
from mirror_bench.engines.memo import Memo
from mirror_bench.engines.memo_engine import MemoEngine, request_key
from mirror_bench.errors import EngineError, InputError


class CountingEngine:
    """Numbers its answers, so that asking twice shows."""

    sees = False

    def __init__(self, name: str = "counting/one", gate: asyncio.Event | None = None) -> None:
        self.name = name
        self.asked = 0
        self.gate = gate
        self.failing = False

    async def start(self) -> None: ...

    async def answer(self, request: Request) -> Answer:
        self.asked += 1
        if self.gate:
            await self.gate.wait()
        if self.failing:
            raise EngineError("no")
        return Answer(f"answer {self.asked}", finish="length", prompt_tokens=3, tokens=2)

    async def close(self) -> None: ...


def ask(text: str = "hello", **changes: Any) -> Request:
    return Request((Message("user", (text,)),), **changes)


@pytest.fixture
def memo(tmp_path: Path) -> Any:
    memo = Memo(tmp_path / "run" / "calls.sqlite")
    yield memo
    memo.close()


async def test_an_answer_is_given_again_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite"
    engine = CountingEngine()
    first = Memo(path)
    given_first = await MemoEngine(engine, first).answer(ask())
    first.close()
    second = Memo(path)
    given_again = await MemoEngine(engine, second).answer(ask())
    assert given_again == replace(given_first, remembered=True)
    assert not given_first.remembered
    assert engine.asked == 1
    assert len(second) == 1
    second.close()


async def test_a_retry_an_engine_and_a_seed_are_other_questions(memo: Memo) -> None:
    one, two = CountingEngine(), CountingEngine("counting/two")
    for request in (ask(), ask(attempt=1), ask(seed=1), ask(sampling=Sampling(max_tokens=9))):
        await MemoEngine(one, memo).answer(request)
    await MemoEngine(two, memo).answer(ask())
    assert (one.asked, two.asked, len(memo)) == (4, 1, 5)


texts = st.text(st.characters(), max_size=20)
parts = st.one_of(texts, st.builds(ImagePart, st.binary(max_size=8)))
messages = st.builds(
    Message, st.sampled_from(["system", "user", "assistant"]), st.lists(parts, max_size=3).map(tuple)
)
requests = st.builds(
    Request,
    st.lists(messages, max_size=3).map(tuple),
    st.builds(
        Sampling,
        temperature=st.sampled_from([0.0, 0.7]),
        stop=st.lists(texts, max_size=2).map(tuple),
    ),
    seed=st.integers(0, 3),
    json_schema=st.none() | st.dictionaries(texts, texts, max_size=2),
    attempt=st.integers(0, 2),
)


@given(requests, requests)
def test_keys_are_equal_exactly_where_requests_are(one: Request, two: Request) -> None:
    assert (request_key("e", one) == request_key("e", two)) == (one == two)


def test_a_text_is_no_image_of_the_same_digest() -> None:
    image = ImagePart(b"x")
    as_image, as_text = Message("user", (image,)), Message("user", (image.sha256,))
    assert request_key("e", Request((as_image,))) != request_key("e", Request((as_text,)))


async def test_equal_requests_in_flight_are_asked_once(memo: Memo) -> None:
    gate = asyncio.Event()
    engine = CountingEngine(gate=gate)
    asking = [asyncio.create_task(MemoEngine(engine, memo).answer(ask())) for _ in range(5)]
    await asyncio.sleep(0.01)
    gate.set()
    answers = await asyncio.gather(*asking)
    assert engine.asked == 1
    assert {answer.text for answer in answers} == {"answer 1"}
    assert [answer.remembered for answer in answers].count(False) == 1


async def test_one_asker_giving_up_takes_nothing_from_the_others(memo: Memo) -> None:
    gate = asyncio.Event()
    engine = CountingEngine(gate=gate)
    first, second = (asyncio.create_task(MemoEngine(engine, memo).answer(ask())) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.sleep(0.01)
    gate.set()
    assert (await second).text == "answer 1"
    assert first.cancelled()


async def test_the_engine_is_let_go_when_nobody_waits(memo: Memo) -> None:
    engine = CountingEngine(gate=asyncio.Event())
    asking = asyncio.create_task(MemoEngine(engine, memo).answer(ask()))
    await asyncio.sleep(0.01)
    asking.cancel()
    await asyncio.sleep(0.01)
    assert not memo.pending
    assert len(asyncio.all_tasks()) == 1


async def test_failures_are_not_remembered(memo: Memo) -> None:
    engine = CountingEngine()
    engine.failing = True
    with pytest.raises(EngineError):
        await MemoEngine(engine, memo).answer(ask())
    engine.failing = False
    assert (await MemoEngine(engine, memo).answer(ask())).text == "answer 2"


async def test_answers_of_one_tick_share_a_transaction(memo: Memo) -> None:
    statements: list[str] = []
    memo._open().set_trace_callback(statements.append)
    await asyncio.gather(*(MemoEngine(CountingEngine(), memo).answer(ask(str(i))) for i in range(50)))
    assert statements.count("COMMIT") == 1
    assert len(memo) == 50


@pytest.mark.parametrize("text", ["", "nul \0 inside", "\ud800 alone", "emoji 🙂", "<b>&\r\n"])
async def test_what_was_answered_is_what_is_remembered(memo: Memo, text: str) -> None:
    class Says(CountingEngine):
        async def answer(self, request: Request) -> Answer:
            return Answer(text)

    fresh = await MemoEngine(Says(), memo).answer(ask(text))
    again = await MemoEngine(Says(), memo).answer(ask(text))
    assert again.text == fresh.text
    assert again.remembered


def run_python(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-c", textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_second_process_is_refused_in_one_line(memo: Memo) -> None:
    code = """
        import pathlib, sys
        from mirror_bench.engines.memo import Memo
        from mirror_bench.errors import InputError
        try:
            Memo(pathlib.Path(sys.argv[1]))
        except InputError as error:
            print(error)
    """
    out, err = run_python(code, memo.path).communicate(timeout=60)
    assert err == ""
    assert out.count("\n") == 1
    assert "in use by another process" in out
    assert str(memo.path) in out


def test_nothing_answered_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite"
    code = """
        import asyncio, pathlib, sys
        from mirror_bench.engines.base import Message, Request
        from mirror_bench.engines.memo import Memo
        from mirror_bench.engines.memo_engine import MemoEngine
        from mirror_bench.engines.scripted import ScriptedEngine
        from mirror_bench.modelspec import parse_model
        async def main():
            memo = Memo(pathlib.Path(sys.argv[1]))
            engine = MemoEngine(ScriptedEngine(parse_model("scripted/echo")), memo)
            async def session(name):
                for turn in range(10**6):
                    text = f"{name}:{turn}:" + "words " * 100
                    await engine.answer(Request((Message("user", (text,)),)))
                    print(name, turn)
            await asyncio.gather(*(session(name) for name in range(8)))
        asyncio.run(main())
    """
    process = run_python(code, path)
    assert process.stdout is not None
    seen = [process.stdout.readline().split() for _ in range(3000)]
    os.kill(process.pid, signal.SIGKILL)
    seen += [
        line.split()
        for line in process.communicate(timeout=30)[0].splitlines(keepends=True)
        if line.endswith("\n")
    ]
    memo = Memo(path)
    for name, turn in seen:
        text = f"{name}:{turn}:" + "words " * 100
        found = memo.find(request_key("scripted/echo", Request((Message("user", (text,)),))))
        assert found is not None
        assert found.text == text
    assert len(memo) >= len(seen) >= 3000
    memo.close()


@pytest.mark.parametrize("keep", [10, 5000, 12000])
async def test_a_damaged_file_is_named_in_one_line(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "calls.sqlite"
    memo = Memo(path)
    await asyncio.gather(
        *(MemoEngine(CountingEngine(), memo).answer(ask("x" * 500 + str(i))) for i in range(99))
    )
    memo.close()
    content = path.read_bytes()
    path.write_bytes(content[:keep] + bytes(200) + content[keep + 4000 :])
    with pytest.raises(InputError, match=r"calls\.sqlite.*(damaged|something else)") as caught:
        Memo(path)
    assert "\n" not in str(caught.value)


def test_text_and_other_databases_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no database at all, but long enough to be looked at " * 40)
    with pytest.raises(InputError, match="no answer memory"):
        Memo(text)
    other = tmp_path / "other.sqlite"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE things (a)")
    connection.close()
    with pytest.raises(InputError, match="something else"):
        Memo(other)
    assert sqlite3.connect(other).execute("SELECT count(*) FROM things").fetchone() == (0,)


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be opened"):
        Memo(tmp_path)


async def test_a_closed_memory_says_so(memo: Memo) -> None:
    memo.close()
    memo.close()
    with pytest.raises(InputError, match="closed"):
        await MemoEngine(CountingEngine(), memo).answer(ask())
