"""A session as Inspect shows it: one message a turn, with the face that the therapist saw."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING

from mirror_bench.schema import Speaker, Turn

if TYPE_CHECKING:
    from inspect_ai.model import ChatMessage

Faces = Callable[[str], bytes | None]
"""SHA-256 of a face -> its PNG, or None where it was not kept."""


def message_of(turn: Turn, faces: Faces, model: str = "") -> ChatMessage:
    """Returns a turn as a message: what the therapist read and saw as content, all else as metadata."""
    from inspect_ai.model import ChatMessageAssistant, ChatMessageUser, ContentImage, ContentText

    beside = {
        "stage direction (the therapist never reads it)": turn.direction,
        "the client's own face": turn.expression.label if turn.expression else "",
        "face shown": turn.shown,
        "what moved the client": list(turn.marks),
        "caption that the therapist wrote": turn.caption,
        "removed from the answer": list(turn.removed),
        "answer as given": turn.raw if turn.raw != turn.words else "",
    }
    metadata = {name: value for name, value in beside.items() if value} or None
    if turn.speaker is Speaker.THERAPIST:
        return ChatMessageAssistant(
            content=turn.words, source="generate", model=model or None, metadata=metadata
        )
    png = faces(turn.face) if turn.face else None
    if png is None:
        return ChatMessageUser(content=turn.words, metadata=metadata)
    address = "data:image/png;base64," + base64.b64encode(png).decode("ascii")
    return ChatMessageUser(
        content=[ContentText(text=turn.words), ContentImage(image=address)], metadata=metadata
    )
