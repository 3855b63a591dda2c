"""Which of several engines a request goes to: a session keeps its engine, a new one takes the least busy."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from mirror_bench.engines.base import Request

REMEMBERED = 100_000
"""Sessions whose engine is remembered; one that was forgotten takes the least busy one again."""

_HEAD = 400
"""Characters of a prompt's beginning that tell sessions apart; it holds the intake and the first words."""


def session_key(request: Request) -> bytes:
    """Returns what all requests of one session have in common: the beginning of the prompt.

    Sessions that begin alike (one profile under several face conditions) share it, and gain from that: the
    engine has the common beginning in its cache.
    """
    digest = hashlib.sha256()
    for message in request.messages[:2]:
        digest.update(f"{message.role}\0{message.text[:_HEAD]}\0".encode("utf-8", "surrogatepass"))
    return digest.digest()


class Assignment:
    """Assigns requests to engines 0, 1, …; only ever used from one event loop.

    Args:
        count: How many engines there are.
    """

    def __init__(self, count: int) -> None:
        self.busy = [0] * count
        """Requests that each engine answers just now."""
        self.usable = [True] * count
        """Which engines are asked at all."""
        self._kept: OrderedDict[bytes, int] = OrderedDict()
        self._held = [0] * count  # sessions of each engine among those

    def choose(self, request: Request) -> int | None:
        """Returns the engine of the request's session, or None where no engine is usable."""
        key = session_key(request)
        chosen = self._kept.pop(key, None)
        if chosen is not None:
            self._held[chosen] -= 1
        if chosen is None or not self.usable[chosen]:
            usable = [number for number, usable in enumerate(self.usable) if usable]
            if not usable:
                return None
            chosen = min(usable, key=lambda number: (self.busy[number], self._held[number], number))
        self._kept[key] = chosen  # the latest stands last
        self._held[chosen] += 1
        if len(self._kept) > REMEMBERED:
            _, forgotten = self._kept.popitem(last=False)
            self._held[forgotten] -= 1
        return chosen
