"""An engine that remembers every answer: resuming a run is replaying it."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from mirror_bench.engines.base import Answer, Engine, EngineWrapper, Request
from mirror_bench.engines.memo import Memo, Pending
from mirror_bench.engines.scoring import Likelihood, ScoringEngine, scoring
from mirror_bench.errors import TooMuchError
from mirror_bench.schema import canonical_json

T = TypeVar("T")


def request_key(engine: str, request: Request, continuation: str | None = None) -> bytes:
    """Returns the SHA-256 (32 bytes) of everything that decides an answer; images enter by their digest.

    Args:
        engine: Name of the engine.
        request: The request.
        continuation: The answer whose likelihood is asked for, where one is.
    """
    sampling = request.sampling
    content: list[Any] = [
        engine,
        [
            [message.role, [part if isinstance(part, str) else [part.sha256] for part in message.parts]]
            for message in request.messages
        ],
        [
            sampling.temperature,
            sampling.top_p,
            sampling.frequency_penalty,
            sampling.presence_penalty,
            sampling.max_tokens,
            sampling.stop,
        ],
        request.seed,
        request.json_schema,
        request.attempt,
    ]
    if continuation is not None:
        content.append(continuation)
    # Text from models may hold lone surrogates, which plain UTF-8 refuses.
    return hashlib.sha256(canonical_json(content).encode("utf-8", "surrogatepass")).digest()


def _refusal_key(key: bytes) -> bytes:
    """Returns where memory keeps that the request of this key was too much."""
    return hashlib.sha256(key + b"too much").digest()


class MemoEngine(EngineWrapper):
    """An engine that asks another one and remembers every answer.

    Args:
        engine: Who is asked what memory does not hold.
        memo: The memory; several engines may share it. It is not closed with the engine.
    """

    def __init__(self, engine: Engine, memo: Memo) -> None:
        super().__init__(engine)
        self.memo = memo

    async def answer(self, request: Request) -> Answer:
        """Answers from memory, or asks, writes and then answers. Errors are not remembered.

        But for one: that a shrinkable request was too much, because what is asked next, with less, follows
        from it, and a run that goes on must ask the same.

        Equal requests in flight are asked once; all but the first asker get the answer as remembered.

        Raises:
            EngineError: If the engine could not answer.
            TooMuchError: If the request holds more than the model takes.
            InputError: If the engine is dead or the memory cannot be read or written.
        """
        key = request_key(self.name, request)
        if not request.shrinkable:
            return await self._remember(key, lambda: self.engine.answer(request))
        refused = _refusal_key(key)
        if (found := self.memo.find(refused)) is not None:
            raise TooMuchError(**json.loads(found.text))
        try:
            return await self._remember(key, lambda: self.engine.answer(request))
        except TooMuchError as error:
            said = canonical_json({"said": str(error), "images": error.images})
            await self.memo.keep(refused, self.name, Answer(said, "too_much"))
            raise

    async def score(self, request: Request, continuations: Sequence[str]) -> list[Likelihood]:
        """Tells how likely answers are, from memory; asks at once for all that it lacks, and writes them.

        Raises:
            EngineError: If the engine could not score it.
            InputError: If the engine cannot score answers, is dead, or the memory cannot be read or written.
        """
        asked = scoring(self.engine)
        keys = {text: request_key(self.name, request, text) for text in continuations}
        answers = {text: found for text, key in keys.items() if (found := self.memo.find(key))}
        if lacking := {text: key for text, key in keys.items() if text not in answers}:
            told = await self._share(b"".join(lacking.values()), lambda: self._score(asked, request, lacking))
            answers |= zip(lacking, told, strict=True)
        return [Likelihood(**json.loads(answers[text].text)) for text in continuations]

    async def _score(self, asked: ScoringEngine, request: Request, keys: Mapping[str, bytes]) -> list[Answer]:
        likelihoods = await asked.score(request, tuple(keys))
        return await asyncio.gather(
            *(
                self.memo.keep(key, self.name, Answer(canonical_json(one._asdict()), tokens=one.tokens))
                for key, one in zip(keys.values(), likelihoods, strict=True)
            )
        )

    async def _remember(self, key: bytes, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        shared = key in self.memo.pending
        if not shared and (found := self.memo.find(key)):
            return found
        answer = await self._share(key, lambda: self._ask(key, ask))
        return replace(answer, remembered=True) if shared else answer

    async def _ask(self, key: bytes, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        return await self.memo.keep(key, self.name, await ask())

    async def _share(self, key: bytes, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Returns what is being asked under this key already, or asks."""
        pending = self.memo.pending.get(key)
        if pending is None:
            pending = self.memo.pending[key] = Pending(asyncio.create_task(ask()))
        # Shielded, so that one asker who gives up takes nothing from the others.
        pending.waiting += 1
        try:
            result: T = await asyncio.shield(pending.task)
            return result
        finally:
            pending.waiting -= 1
            if pending.waiting == 0:
                if self.memo.pending.get(key) is pending:
                    del self.memo.pending[key]
                pending.task.cancel()  # nobody waits any more; no effect on a finished task
