"""A chat server for whole runs: it says what a rule says, counts tokens, and can be out of service."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chat_server import Body, Reply, Server, completion, refusal

Says = Callable[[Body, int], str]
"""(body of the request, its number) -> what the model says."""
Count = Callable[[str], int]
"""A text -> how many tokens the server says it is."""


class TalkingServer(Server):
    """Answers with the words of `says`, and with HTTP 503 while `down` is true."""

    def __init__(self, says: Says, count: Count | None = None) -> None:
        self.says, self.count, self.down = says, count, False
        super().__init__()

    def answer(self, body: Body, number: int) -> Reply:
        if self.down:
            return 503, refusal("overloaded"), {}
        text = self.says(body, number)
        made = completion(text)
        if self.count is not None:
            asked, told = self.count(json.dumps(body["messages"])), self.count(text)
            made["usage"] = {"prompt_tokens": asked, "completion_tokens": told, "total_tokens": asked + told}
        return 200, made, {}


@contextmanager
def serving(says: Says, count: Count | None = None) -> Iterator[TalkingServer]:
    """Serves while the block runs."""
    server = TalkingServer(says, count)
    try:
        yield server
    finally:
        server.close()


def prompt_of(body: Body) -> str:
    """The words of the last message of a request."""
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def scale_of(prompt: str) -> tuple[int, int]:
    """The lowest and the highest point of the scale that a judge is asked to rate on."""
    low, high = re.findall(r"whole numbers from (\d) to (\d)", prompt)[-1]
    return int(low), int(high)


def verdict(score: int) -> str:
    """What a judge answers."""
    return json.dumps({"evidence": [], "reason": "so", "score": score})
