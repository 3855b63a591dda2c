"""A chat server that refuses what it is told to, answers the rest, and tells no usage."""

from __future__ import annotations

import json
from collections.abc import Callable

from chat_server import Body, Reply, Server, completion, refusal

Refuse = Callable[[Body], tuple[int, str] | None]
"""Body of a request -> status and message where it is refused, None for any other."""


def images(body: Body) -> list[str]:
    """Returns the images of a request, as URLs."""
    contents = [message["content"] for message in body["messages"] if isinstance(message["content"], list)]
    return [part["image_url"]["url"] for one in contents for part in one if part["type"] == "image_url"]


def words(body: Body) -> int:
    """Counts the words of a request, an image as one."""
    return sum(len(json.dumps(message["content"]).split()) for message in body["messages"])


class RefusingServer(Server):
    """Asks as many questions as it had messages, and keeps the requests that it answered."""

    def __init__(self, refuse: Refuse) -> None:
        self.refuse = refuse
        self.answered: list[Body] = []
        super().__init__()

    def answer(self, body: Body, number: int) -> Reply:
        if refused := self.refuse(body):
            return refused[0], refusal(refused[1]), {}
        self.answered.append(body)
        made = completion(f"What is {len(body['messages'])} like for you?")
        return 200, {key: value for key, value in made.items() if key != "usage"}, {}
