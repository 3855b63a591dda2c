"""Calls to a chat server that fails at every fifth request, in all the ways in which servers fail.

A request fails at most so often in a row that the engine's own repetitions can save it: so every call must be
answered, and with the words that the server meant for it.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections import Counter
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

from benchmarks.campaigns.base import Outcome
from mirror_bench.engines.base import Answer, Message, Request, Sampling
from mirror_bench.engines.factory import open_engine
from mirror_bench.engines.memo import Memo
from mirror_bench.engines.memo_engine import MemoEngine
from mirror_bench.errors import EngineError, InputError
from mirror_bench.modelspec import parse_model

CALLS = 20
SHARE = 0.2
_ROW = 4
_TIMEOUT_S = 5
_SESSIONS = 3


def _status(code: int, text: str, headers: str = "") -> bytes:
    body = text.encode()
    return (
        f"HTTP/1.1 {code} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Connection: close\r\n{headers}\r\n"
    ).encode() + body


def _answer(words: str) -> str:
    choice = {"index": 0, "message": {"role": "assistant", "content": words}, "finish_reason": "stop"}
    return json.dumps({"id": "x", "object": "chat.completion", "choices": [choice], "model": "m"})


FAULTS: dict[str, bytes | None] = {
    "429": _status(429, '{"error": {"message": "slow down"}}', "retry-after-ms: 5\r\n"),
    "500": _status(500, '{"error": {"message": "oops"}}'),
    "503 page": _status(503, "<html>busy</html>"),
    "garbage": _status(200, "\x00\x01 no json"),
    "wrong JSON": _status(200, '{"choices": {"a": 1}}'),
    "no choices": _status(200, '{"choices": []}'),
    "cut": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{",
    "no HTTP": b"\x16\x03\x01 what\r\n\r\n",
    "closed": b"",
    "hang": None,
}
"""Name -> what is sent; None sends nothing and waits."""


class Wire:
    """Case `number` is a batch of calls at once, with faults of every kind."""

    name = "wire"

    def case(self, seed: int, number: int, place: Path) -> Outcome:
        """See `Campaign`."""
        return asyncio.run(_hold(random.Random(f"{seed} {number}"), place))


class _Server:
    """Answers "reply to WORDS"; fails as chance has it, a question at most `_ROW` times in a row."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._failed: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one request and closes."""
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length")
            )
            asked = json.loads(await reader.readexactly(length))["messages"][-1]["content"]
            words = asked if isinstance(asked, str) else asked[0]["text"]
            sent: bytes | None = _status(200, _answer(f"reply to {words}"))
            if self._failed[words] < _ROW and self._chance.random() < SHARE:
                self._failed[words] += 1
                name = self._chance.choice(sorted(FAULTS))
                self.faults[name] += 1
                sent = FAULTS[name]
            else:
                self._failed[words] = 0
            if sent is None:
                await asyncio.sleep(_TIMEOUT_S * 2)
                sent = b""
            writer.write(sent)
            await writer.drain()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def _insist(engine: MemoEngine, request: Request) -> Answer:
    """Asks as a run does, which holds a session again whose request failed."""
    for _ in range(_SESSIONS - 1):
        with suppress(EngineError):
            return await engine.answer(request)
    return await engine.answer(request)


async def _hold(chance: random.Random, place: Path) -> Outcome:
    behind = _Server(chance)
    server = await asyncio.start_server(behind.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    engine = open_engine(
        parse_model(
            f"openai/m?base_url=http://127.0.0.1:{port}/v1&timeout={_TIMEOUT_S}&api_key_env=NO_SUCH_KEY"
        )
    )
    memo = Memo(place / "calls.sqlite")
    remembered = MemoEngine(engine, memo)
    problems = []
    try:
        with (
            patch("mirror_bench.engines.openai.waiting._FIRST_S", 0.01),
            patch.dict(os.environ, {"NO_SUCH_KEY": "none"}),
        ):
            asked = [f"call {number}" for number in range(CALLS)]
            requests = [Request((Message("user", (words,)),), Sampling(max_tokens=20)) for words in asked]
            given = await asyncio.gather(
                *(_insist(remembered, request) for request in requests), return_exceptions=True
            )
        for words, answer in zip(asked, given, strict=True):
            if isinstance(answer, EngineError | InputError):
                problems.append(f"{words} is lost: {answer}")
            elif isinstance(answer, BaseException):
                problems.append(f"{words}: {type(answer).__name__}: {answer}")
            elif answer.text != f"reply to {words}":
                problems.append(f"{words} was answered {answer.text!r}")
        if not problems and len(memo) != CALLS:
            problems.append(f"{len(memo)} of {CALLS} answers are remembered")
    finally:
        await engine.close()
        memo.close()
        server.close()
    kind = "batches with faults" if behind.faults else "batches without faults"
    return Outcome(kind, "lost" if problems else "saved", problems[0] if problems else "")
