"""Waits for coroutines: for many at once, and from plain functions.

Plain functions stand in a script, or inside a running event loop (a notebook).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


async def gathered(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Returns what the coroutines return, in their order; the first error stops the others and is raised."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def wait_for(start: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Returns what the coroutine that `start` makes returns.

    Where an event loop runs in this thread already, as in a notebook, the coroutine gets a loop and a thread
    of its own, and this thread waits. Ctrl-C stops the coroutine in an orderly way in both cases.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(start())
    return _wait_beside(start)


def _wait_beside(start: Callable[[], Coroutine[Any, Any, T]]) -> T:
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def watched() -> T:
        task = asyncio.current_task()
        assert task is not None
        running.append((asyncio.get_running_loop(), task))
        return await start()

    with ThreadPoolExecutor(1, thread_name_prefix="mirror-bench") as thread:
        waiting = thread.submit(lambda: asyncio.run(watched()))
        try:
            return waiting.result()
        except KeyboardInterrupt:
            for loop, task in running:
                loop.call_soon_threadsafe(task.cancel)
            raise
