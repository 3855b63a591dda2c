"""How many processors this process may use, and work spread over processes while this one goes on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import current_process, get_context
from typing import TypeVar

A = TypeVar("A")
R = TypeVar("R")

WORTH = 24
"""With fewer items, starting a process (two seconds) costs more than it saves."""
_PARTS = 4
"""Parts of the work per process: the last ones to finish then wait for little."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def cores(most: int = 8) -> int:
    """Returns how many processors this process may use, at most `most`."""
    try:
        return max(1, min(most, len(os.sched_getaffinity(0))))
    except AttributeError:  # not on every system
        return max(1, min(most, os.cpu_count() or 1))


@contextmanager
def spread(
    work: Callable[[A], R], items: Sequence[A], workers: int, worth: int = WORTH
) -> Iterator[Callable[[], list[R]]]:
    """Has items worked through by other processes, and yields what returns the results in their order.

    Where that is not worth it, or a process is lost, results are made here when they are asked for.

    Args:
        work: A function of a module; what it takes and returns travels between processes.
        items: What it is called with, one by one.
        workers: How many processes; with 1, or where a process may start none, none is started.
        worth: Fewest items for which a process is started.
    """
    if workers < 2 or len(items) < worth or current_process().daemon:
        yield lambda: [work(item) for item in items]
        return
    size = -(-len(items) // (workers * _PARTS))
    parts = [items[start : start + size] for start in range(0, len(items), size)]
    # Started anew rather than forked: threads of this process would leave their locks behind.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        with _one_thread_each():
            futures: list[Future[list[R]]] = [pool.submit(_work_through, work, part) for part in parts]

        def results() -> list[R]:
            try:
                return [result for future in futures for result in future.result()]
            except BrokenProcessPool:
                return [work(item) for item in items]

        try:
            yield results
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _work_through(work: Callable[[A], R], items: Sequence[A]) -> list[R]:
    return [work(item) for item in items]


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Keeps the processes that are started meanwhile from taking every core each."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
