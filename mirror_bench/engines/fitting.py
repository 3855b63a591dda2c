"""Asks with less of a session where a model takes no more: fewer faces first, then without the oldest turns.

What is left out depends on the request and on the model alone, never on what other sessions found out, so
that a session goes the same way whenever it is held. The newest turn and its face always stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from mirror_bench.engines.base import Answer, Engine, ImagePart, Message, Request
from mirror_bench.engines.images import images_of
from mirror_bench.errors import TooMuchError
from mirror_bench.schema import ContextFit


class FittedContext(NamedTuple):
    """How much of a session a request may hold: from which turn on, and how many faces.

    Attributes:
        start: Index of the first turn that may be read.
        faces: At most so many of the newest faces; None for all.
    """

    start: int = 0
    faces: int | None = None


class Reading(NamedTuple):
    """A request, and which of the session's turns it holds: from `first` up to `newest`."""

    request: Request
    first: int
    newest: int


class Fitted(NamedTuple):
    """An answer, with how much of the session the model had to be spared to give it.

    Attributes:
        fit: With which it was had; the next turn needs no more than this.
        left_out: How much was read, or None where all was.
    """

    answer: Answer
    fit: FittedContext
    left_out: ContextFit | None


async def ask_fitting(engine: Engine, read: Callable[[FittedContext], Reading], fit: FittedContext) -> Fitted:
    """Returns the answer to a request that holds as much of the session as the model's context takes.

    Args:
        engine: Who is asked.
        read: Returns the request that holds so much of the session.
        fit: What the turn before needed: a session only grows.

    Raises:
        TooMuchError: If the newest turn alone is too much.
        EngineError: If the engine could not answer.
    """
    while True:
        reading = read(fit)
        smallest = reading.first >= reading.newest and len(images_of(reading.request.messages)) <= 1
        try:
            # With nothing left to leave out, an answer that the context cuts short is better than none.
            answer = await engine.answer(replace(reading.request, shrinkable=not smallest))
        except TooMuchError as error:
            smaller = _smaller(fit, reading, error)
            if smaller is None:
                raise
            fit = smaller
            continue
        whole = reading if fit == FittedContext() else read(FittedContext())
        return Fitted(answer, fit, _left_out(whole, reading))


def newest_images(messages: tuple[Message, ...], most: int | None) -> tuple[Message, ...]:
    """Returns the messages with at most so many of their images, the newest; all of them where None."""
    if most is None:
        return messages
    left = len(images_of(messages)) - most
    kept = []
    for message in messages:
        parts = []
        for part in message.parts:
            if isinstance(part, ImagePart) and left > 0:
                left -= 1
            else:
                parts.append(part)
        kept.append(replace(message, parts=tuple(parts)))
    return tuple(kept)


def _smaller(fit: FittedContext, reading: Reading, error: TooMuchError) -> FittedContext | None:
    images = len(images_of(reading.request.messages))
    if error.images is not None:
        if images <= 1:
            return None
        return fit._replace(faces=error.images if 0 < error.images < images else 1)
    if images > 1:
        return fit._replace(faces=1)
    # An exchange at a time, so that what is left begins with the same speaker.
    start = reading.first + 2
    return fit._replace(start=start) if start <= reading.newest else None


def _left_out(whole: Reading, read: Reading) -> ContextFit | None:
    turns, of_turns = (one.newest - one.first + 1 for one in (read, whole))
    faces, of_faces = (len(images_of(one.request.messages)) for one in (read, whole))
    if (turns, faces) == (of_turns, of_faces):
        return None
    return ContextFit(turns=turns, of_turns=of_turns, faces=faces, of_faces=of_faces)
