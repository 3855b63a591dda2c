"""Models that Inspect opens: `inspect/anthropic/claude-…`, and those of an evaluation that Inspect runs."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from mirror_bench.engines.answers import Given, hear
from mirror_bench.engines.base import Answer, Message, Request
from mirror_bench.engines.images import data_url
from mirror_bench.errors import EngineError, InputError
from mirror_bench.keys import redact
from mirror_bench.modelspec import ModelOptions, ModelSpec, read_options
from mirror_bench.text import one_line

if TYPE_CHECKING:
    from inspect_ai.model import ChatMessage, GenerateConfig, Model, ModelOutput

MISSING = "Inspect is not installed: pip install 'mirror-bench[inspect]'"
_FINISH = {
    "stop": "stop",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
}


class InspectOptions(ModelOptions):
    """See `InspectEngine`."""

    base_url: str = ""
    sees: bool = True


class InspectEngine:
    """Asks a model through Inspect, with whatever provider Inspect has for it.

    Options: `base_url`, `sees` (whether the model reads images; true where not given).

    Args:
        spec: The model's name in Inspect comes after `inspect/`.
        model: The model itself, where an evaluation of Inspect's runs and has opened it.

    Raises:
        InputError: If Inspect is not installed or an option is unknown.
    """

    def __init__(self, spec: ModelSpec, model: Model | None = None) -> None:
        if importlib.util.find_spec("inspect_ai") is None:
            raise InputError(f"{spec}: {MISSING}")
        options = read_options(spec, InspectOptions)
        self._base_url = options.base_url or None
        self._sees = options.sees
        self._spec = spec
        self._model = model

    @classmethod
    def identity(cls, spec: ModelSpec) -> str:
        """See `factory.model_identity`: the address decides no answer."""
        return f"{spec.provider}/{spec.name}"

    @property
    def name(self) -> str:
        """The model's name, without its address."""
        return self.identity(self._spec)

    @property
    def sees(self) -> bool:
        """Whether the model reads images."""
        return self._sees

    async def start(self) -> None:
        """Opens the model.

        Raises:
            InputError: If Inspect knows no such model, or lacks its key or package.
        """
        if self._model is not None:
            return
        from inspect_ai.model import get_model

        try:
            self._model = get_model(self._spec.name, base_url=self._base_url)
        except Exception as error:  # of Inspect's, of a provider's package
            raise InputError(f"{self._spec}: {_told(error)}") from None

    async def answer(self, request: Request) -> Answer:
        """Answers one request.

        Raises:
            EngineError: If the model could not answer.
        """
        from inspect_ai.util import LimitExceededError

        await self.start()
        assert self._model is not None
        messages = [as_inspect(message, sees=self._sees) for message in request.messages]
        try:
            output = await self._model.generate(messages, config=_config(request))
        except LimitExceededError:  # Inspect's own: it ends the sample
            raise
        except Exception as error:  # whatever a provider raises
            raise EngineError(f"{self.name}: {_told(error)}") from None
        return hear(self.name, _given(self.name, output), request.sampling)

    async def close(self) -> None:
        """Leaves the model open: Inspect opens each once and closes it itself."""


def as_inspect(message: Message, *, sees: bool = True) -> ChatMessage:
    """Returns a message as Inspect has it, images as data addresses; without images where none are read."""
    from inspect_ai.model import (
        ChatMessageAssistant,
        ChatMessageSystem,
        ChatMessageUser,
        ContentImage,
        ContentText,
    )

    if message.role == "system":
        return ChatMessageSystem(content=message.text)
    if message.role == "assistant":
        return ChatMessageAssistant(content=message.text)
    if not sees or all(isinstance(part, str) for part in message.parts):
        return ChatMessageUser(content=message.text)
    return ChatMessageUser(
        content=[
            ContentText(text=part) if isinstance(part, str) else ContentImage(image=data_url(part))
            for part in message.parts
        ]
    )


def _config(request: Request) -> GenerateConfig:
    """How a request asks: the protocol's sampling, whatever the evaluation's own settings say."""
    from inspect_ai.model import GenerateConfig, ResponseSchema
    from inspect_ai.util import JSONSchema

    sampling = request.sampling
    asked: dict[str, Any] = {"temperature": sampling.temperature, "max_tokens": sampling.max_tokens}
    if sampling.temperature > 0:
        asked |= {"seed": request.seed, "top_p": sampling.top_p}
    if sampling.frequency_penalty:
        asked["frequency_penalty"] = sampling.frequency_penalty
    if sampling.presence_penalty:
        asked["presence_penalty"] = sampling.presence_penalty
    if sampling.stop:
        asked["stop_seqs"] = list(sampling.stop)
    if request.json_schema is not None:
        schema = JSONSchema.model_validate(request.json_schema)
        asked["response_schema"] = ResponseSchema(name="rating", json_schema=schema)
    return GenerateConfig(**asked)


def _given(engine: str, output: ModelOutput) -> Given:
    """What a model gave, its thoughts apart from its words."""
    if output.empty:
        raise EngineError(f"{engine}: {_told(output.error or 'the answer holds no choice')}")
    message, usage = output.choices[0].message, output.usage
    thoughts = ""
    if not isinstance(message.content, str):
        parts = [part.reasoning for part in message.content if part.type == "reasoning"]
        thoughts = "\n\n".join(filter(None, parts))
    tools = message.tool_calls or []
    return Given(
        text=message.text,
        finish=_FINISH.get(str(output.stop_reason), "stop" if message.text.strip() else ""),
        thoughts=thoughts,
        prompt_tokens=usage.input_tokens if usage else 0,
        tokens=usage.output_tokens if usage else 0,
        thought_tokens=(usage.reasoning_tokens or None) if usage else None,
        tool=tools[0].function if tools else "",
    )


def _told(error: object) -> str:
    return redact(one_line(str(error) or type(error).__name__, 500))
