"""Two ways to run vLLM: in a thread of this process, or in a process of its own.

Measured on two cores, 32 conversations of three images: the thread starts in 11 to 13 s, the process in 29 s;
1,015 to 1,320 against 740 to 980 generated tokens/s; and the event loop waits 3 to 6 ms at most against
14 ms. With a GPU the process keeps scheduling and Python's lock apart, so there it is the default.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import gc
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol


class Prepared(NamedTuple):
    """One request as vLLM takes it: prompt, `SamplingParams`, `LoRARequest` or None, tokenizer arguments."""

    prompt: dict[str, Any]
    params: Any
    lora: Any
    tokenization: dict[str, Any]


# Applies the template and decodes images, which takes too long for the event loop.
Prepare = Callable[[], Prepared]

# vLLM keeps the batch being computed in global variables, so engines of one process take turns.
_TURNS = threading.Lock()
_JOIN_S = 30.0


class Driver(Protocol):
    """Runs one vLLM engine."""

    async def generate(self, name: str, prepare: Prepare) -> Any:
        """Returns the finished `RequestOutput`.

        Raises:
            BrokenEngineError: If the engine died, now or earlier.
            Exception: Whatever vLLM or `prepare` raises for this request alone.
        """
        ...

    async def forget(self) -> None:
        """Clears the caches of prefixes and images; nothing may be under way."""
        ...

    async def close(self) -> None:
        """Stops the engine; whoever waits gets a BrokenEngineError."""
        ...


class BrokenEngineError(Exception):
    """The engine died; its cause is the first error that it met."""


@dataclass
class _Asked:
    """One request on its way to the thread."""

    name: str
    prepare: Prepare
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]


class ThreadDriver:
    """Steps an `LLMEngine` in a thread; new requests join the batch between steps.

    Args:
        args: `EngineArgs`.
    """

    _running = 0

    def __init__(self, args: Any) -> None:
        from vllm.v1.engine.llm_engine import LLMEngine

        with _TURNS:
            self._engine: Any = LLMEngine.from_engine_args(args, enable_multiprocessing=False)
            ThreadDriver._running += 1
        self._inbox: queue.SimpleQueue[_Asked | str | None] = queue.SimpleQueue()
        self._open: dict[str, _Asked] = {}
        self._error: BaseException | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="vllm", daemon=True)
        self._thread.start()
        # Compiled threads that outlive the interpreter abort it, so an engine left open is closed at exit.
        atexit.register(self._stop)

    async def generate(self, name: str, prepare: Prepare) -> Any:
        """See `Driver`."""
        loop = asyncio.get_running_loop()
        asked = _Asked(name, prepare, loop, loop.create_future())
        self._inbox.put(asked)
        if not self._thread.is_alive():
            self._fail_waiting()
        try:
            return await asked.answer
        except asyncio.CancelledError:
            self._inbox.put(name)
            raise

    async def forget(self) -> None:
        """See `Driver`."""
        with _TURNS:
            self._engine.reset_mm_cache()
            self._engine.reset_prefix_cache()

    async def close(self) -> None:
        """See `Driver`."""
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        if not self._closed:
            self._closed = True
            atexit.unregister(self._stop)
            self._inbox.put(None)
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        try:
            while self._take():
                if self._engine.has_unfinished_requests():
                    with _TURNS:
                        outputs = self._engine.step()
                    self._deliver([output for output in outputs if output.finished])
        except BaseException as error:
            self._error = error
        self._release()
        self._fail_waiting()

    def _release(self) -> None:
        with _TURNS:
            ThreadDriver._running -= 1
            engine, self._engine = self._engine, None
            # Shutting down ends the process groups that every engine of this process needs, and so does
            # the finalizer of an engine that is dropped: only the last one may.
            if ThreadDriver._running == 0:
                with contextlib.suppress(Exception):
                    engine.engine_core.shutdown()
            else:
                engine.engine_core._finalizer.detach()
            del engine
            gc.collect()

    def _take(self) -> bool:
        """Takes in what has arrived, waiting only when there is nothing to compute; False at the end."""
        block = not self._engine.has_unfinished_requests()
        while True:
            try:
                item = self._inbox.get(block=block)
            except queue.Empty:
                return True
            block = False
            if item is None:
                return False
            if isinstance(item, str):
                if self._open.pop(item, None):
                    self._engine.abort_request([item])
            else:
                self._add(item)

    def _add(self, asked: _Asked) -> None:
        try:
            ready = asked.prepare()
            with _TURNS:
                self._engine.add_request(
                    asked.name,
                    ready.prompt,
                    ready.params,
                    lora_request=ready.lora,
                    tokenization_kwargs=ready.tokenization,
                )
        except Exception as error:
            with contextlib.suppress(Exception):
                self._engine.abort_request([asked.name])
            _settle([(asked, error)])
        else:
            self._open[asked.name] = asked

    def _deliver(self, outputs: list[Any]) -> None:
        waiting = [(self._open.pop(output.request_id, None), output) for output in outputs]
        _settle([(asked, output) for asked, output in waiting if asked])

    def _fail_waiting(self) -> None:
        waiting = list(self._open.values())
        self._open.clear()
        with contextlib.suppress(queue.Empty):
            while True:
                item = self._inbox.get(block=False)
                if isinstance(item, _Asked):
                    waiting.append(item)
        for asked in waiting:
            broken = BrokenEngineError("closed" if self._error is None else "died")
            broken.__cause__ = self._error
            _settle([(asked, broken)])


def _settle(results: list[tuple[_Asked, Any]]) -> None:
    """Hands results to the loops that wait for them, with one wake-up per loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Asked, Any]]] = {}
    for asked, result in results:
        by_loop.setdefault(asked.loop, []).append((asked, result))

    def hand_over(batch: list[tuple[_Asked, Any]]) -> None:
        for asked, result in batch:
            if asked.answer.done():
                continue
            if isinstance(result, BaseException):
                asked.answer.set_exception(result)
            else:
                asked.answer.set_result(result)

    for loop, batch in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(hand_over, batch)


class ProcessDriver:
    """Asks an `AsyncLLM`, whose engine runs in a process of its own.

    Args:
        args: `AsyncEngineArgs`.
    """

    def __init__(self, args: Any) -> None:
        from vllm.v1.engine.async_llm import AsyncLLM

        self._engine: Any = AsyncLLM.from_engine_args(args)

    async def generate(self, name: str, prepare: Prepare) -> Any:
        """See `Driver`."""
        from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

        if self._engine is None:
            raise BrokenEngineError("closed")
        ready = await asyncio.to_thread(prepare)
        answers = self._engine.generate(
            ready.prompt,
            ready.params,
            request_id=name,
            lora_request=ready.lora,
            tokenization_kwargs=ready.tokenization,
        )
        try:
            async for output in answers:
                if output.finished:
                    return output
        except EngineDeadError as error:
            raise BrokenEngineError("died") from error
        except EngineGenerateError as error:
            raise error.__cause__ or error from None
        raise BrokenEngineError("gave no answer")

    async def forget(self) -> None:
        """See `Driver`."""
        await self._engine.reset_mm_cache()
        await self._engine.reset_prefix_cache()

    async def close(self) -> None:
        """See `Driver`."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await asyncio.to_thread(engine.shutdown)
