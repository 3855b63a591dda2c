"""Conversations with faces, for tests of engines that run a model."""

from __future__ import annotations

import functools
import io
from typing import Any

import numpy as np
from PIL import Image

from mirror_bench.engines.base import Answer, Engine, ImagePart, Message, Request, Sampling
from mirror_bench.errors import EngineError

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "score": {"type": "integer", "minimum": 0, "maximum": 6},
        "reason": {"type": "string", "maxLength": 12},
    },
    "required": ["score", "reason"],
    "additionalProperties": False,
}


@functools.cache
def picture(number: int) -> ImagePart:
    """Returns a 336x336 image of noise, the same for the same number."""
    noise = np.random.default_rng(number).integers(0, 255, (336, 336, 3), dtype=np.uint8)
    return _png(Image.fromarray(noise))


def plain(shade: int) -> ImagePart:
    """Returns a 336x336 image of one shade of grey, 0 to 255."""
    return _png(Image.new("RGB", (336, 336), (shade, shade, shade)))


def _png(image: Image.Image) -> ImagePart:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return ImagePart(stream.getvalue())


def talk(number: int, turns: int = 2, images: bool = True) -> tuple[Message, ...]:
    """Returns a conversation that ends with the client, unlike that of any other number."""
    messages = [Message("system", ("You are a therapist.",))]
    for turn in range(turns):
        if turn:
            messages.append(Message("assistant", (f"You seem unsure about {number}.",)))
        words = f"I do not know what to say, {number} {turn}."
        messages.append(Message("user", (picture(number * 3 + turn), words) if images else (words,)))
    return tuple(messages)


def ask(number: int, max_tokens: int = 24, images: bool = True, turns: int = 2, **sampling: Any) -> Request:
    """Returns a request about `talk(number)`, with `number` as its seed."""
    return Request(talk(number, turns, images), Sampling(max_tokens=max_tokens, **sampling), seed=number)


async def answer_of(engine: Engine, request: Request) -> Answer | None:
    """Returns an untrained model's answer, None where its tokens are no words, which engines refuse."""
    try:
        return await engine.answer(request)
    except EngineError:
        return None


async def said_by(engine: Engine, request: Request) -> str:
    """Returns what an untrained model says, "" where its tokens are no words, which engines refuse."""
    try:
        return (await engine.answer(request)).text
    except EngineError:
        return ""
