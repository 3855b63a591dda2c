"""What every engine is: it answers chat requests. Implementations batch as they like; callers just await."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class ImagePart:
    """An image in a message.

    Attributes:
        png: The encoded PNG.
        sha256: Digest of `png`; computed where not given.
    """

    png: bytes = field(repr=False)
    sha256: str = ""

    def __post_init__(self) -> None:
        if not self.sha256:
            object.__setattr__(self, "sha256", hashlib.sha256(self.png).hexdigest())


@dataclass(frozen=True)
class Message:
    """One chat message; its parts are texts and images in their order."""

    role: Role
    parts: tuple[str | ImagePart, ...]

    @property
    def text(self) -> str:
        """The texts of the message, joined by newlines."""
        return "\n".join(part for part in self.parts if isinstance(part, str))


@dataclass(frozen=True)
class Sampling:
    """How an answer is drawn; the defaults are greedy.

    Attributes:
        temperature: 0 is greedy.
        stop: Texts that end the answer and are left out of it.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    max_tokens: int = 256
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """One question to an engine: messages, how the answer is drawn, and its seed.

    Attributes:
        seed: Used where `sampling.temperature` > 0; derived, never drawn.
        json_schema: The answer must be JSON of this schema, where the engine can enforce it.
        attempt: 0 at first; a retry asks the same question under another number, so that it is not
            answered from memory.
        shrinkable: Whether whoever asks can ask with less: then a request that leaves no room for the whole
            answer is refused rather than answered in part. Decides no answer.
    """

    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    seed: int = 0
    json_schema: Mapping[str, Any] | None = None
    attempt: int = 0
    shrinkable: bool = False


@dataclass(frozen=True)
class Answer:
    """An engine's answer: the text, its tokens and why it ended.

    Attributes:
        text: What is said, without thoughts.
        finish: "stop", or what cut it: "length", "content_filter" or "tool_calls".
        remembered: Whether it came from memory.
        raw: The whole answer, thoughts included, where it differs from `text`.
    """

    text: str
    finish: str = "stop"
    prompt_tokens: int = 0
    tokens: int = 0
    remembered: bool = False
    raw: str = ""

    @property
    def whole(self) -> str:
        """The whole answer, thoughts included."""
        return self.raw or self.text


class Engine(Protocol):
    """A language model behind a common interface: answers chat requests.

    Its class may have a static method `identity(spec: ModelSpec) -> str`: what the model is to a fingerprint
    (`factory.model_identity`).
    """

    @property
    def name(self) -> str:
        """What a run records and memory keys on: everything that decides the answers but the request."""
        ...

    @property
    def sees(self) -> bool:
        """Whether images in a request are read."""
        ...

    async def start(self) -> None:
        """Loads what is needed; the first `answer` would otherwise wait for it.

        Raises:
            InputError: If the model, an option or the environment is unusable.
        """
        ...

    async def answer(self, request: Request) -> Answer:
        """Answers one request.

        Raises:
            EngineError: If this request failed.
            TooMuchError: If it holds more turns or images than the model takes.
            EngineDeadError: If no further request can succeed.
        """
        ...

    async def close(self) -> None:
        """Frees what `start` took; safe to call twice."""
        ...


class EngineWrapper:
    """An engine that asks another one; what wraps an engine changes only what it is there for."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def name(self) -> str:
        """The name of the engine that is asked."""
        return self.engine.name

    @property
    def sees(self) -> bool:
        """Whether the engine that is asked reads images."""
        return self.engine.sees

    async def start(self) -> None:
        """Starts the engine that is asked."""
        await self.engine.start()

    async def answer(self, request: Request) -> Answer:
        """Asks."""
        return await self.engine.answer(request)

    async def close(self) -> None:
        """Closes the engine that is asked."""
        await self.engine.close()
