"""Engines without a model: fixed, deterministic answers for tests and dry runs."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

from pydantic import Field

from mirror_bench.engines.base import Answer, Message, Request
from mirror_bench.errors import EngineError, InputError
from mirror_bench.modelspec import ModelOptions, ModelSpec, read_options
from mirror_bench.schema import derive_seed

NAMES = ("cycle", "echo", "fixed", "refuse")


class ScriptedOptions(ModelOptions):
    """The options that all scripted engines have.

    Attributes:
        delay: Seconds before each answer.
        sees: Whether it counts as reading images.
    """

    delay: float = Field(0.0, ge=0)
    sees: bool = False


class FixedOptions(ScriptedOptions):
    """`fixed`: says `text`."""

    text: str


class CycleOptions(ScriptedOptions):
    """`cycle`: takes lines of the file `path`."""

    path: str


class RefuseOptions(ScriptedOptions):
    """`refuse`: refuses the `share` of requests."""

    share: float = Field(1.0, ge=0, le=1)


_Prepared = tuple[ScriptedOptions, Callable[[Request], str]]


class ScriptedEngine:
    """Answers by rule: the same request always gets the same answer.

    Names: `echo` repeats the last user text; `fixed` says the option `text`; `cycle` takes a line of the file
    in the option `path` (one answer per line), starting at a line that the seed decides and moving on with
    every turn; `refuse` raises `EngineError` for the share of requests in the option `share` (0 to 1), drawn
    from the request and its attempt, and echoes the others.

    Options: `delay` (seconds before each answer), `sees` (whether it counts as reading images).

    Raises:
        InputError: If the name or an option is unknown or out of range.
    """

    def __init__(self, spec: ModelSpec) -> None:
        if spec.name not in NAMES:
            raise InputError(f"{spec}: no scripted engine {spec.name!r}: known are {', '.join(NAMES)}")
        prepared: _Prepared = getattr(self, f"_prepare_{spec.name}")(spec)
        options, self._rule = prepared
        self._delay, self._sees = options.delay, options.sees
        self._name = str(ModelSpec(spec.provider, spec.name, self._decisive(spec)))

    @classmethod
    def identity(cls, spec: ModelSpec) -> str:
        """See `factory.model_identity`: a file of answers by its content alone."""
        return str(ModelSpec(spec.provider, spec.name, cls(spec)._decisive(spec, "")))

    @property
    def name(self) -> str:
        """The spec without `delay`, which decides no answer, and with the digest of a file it reads."""
        return self._name

    @property
    def sees(self) -> bool:
        """Whether it counts as reading images; it never does."""
        return self._sees

    async def start(self) -> None:
        """Has nothing to load."""

    async def answer(self, request: Request) -> Answer:
        """Answers by the rule, cut to `max_tokens` words.

        Raises:
            EngineError: For the refused share of `refuse`.
        """
        if self._delay:
            await asyncio.sleep(self._delay)
        words = self._rule(request).split(" ")
        kept = words[: request.sampling.max_tokens]
        return Answer(
            text=" ".join(kept),
            finish="stop" if len(kept) == len(words) else "length",
            prompt_tokens=sum(len(message.text.split()) for message in request.messages),
            tokens=len(kept),
        )

    async def close(self) -> None:
        """Has nothing to free."""

    def _decisive(self, spec: ModelSpec, file: str | None = None) -> dict[str, str]:
        decisive = {key: value for key, value in spec.options.items() if key not in {"delay", "sees"}}
        if "path" in decisive:
            file = Path(decisive["path"]).name if file is None else file
            decisive["path"] = f"{file}@{self._content}"
        return decisive

    def _prepare_echo(self, spec: ModelSpec) -> _Prepared:
        return read_options(spec, ScriptedOptions), _last_user_text

    def _prepare_fixed(self, spec: ModelSpec) -> _Prepared:
        options = read_options(spec, FixedOptions)
        return options, lambda request: options.text

    def _prepare_cycle(self, spec: ModelSpec) -> _Prepared:
        options = read_options(spec, CycleOptions)
        path = Path(options.path)
        try:
            content = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", "not UTF-8 text")
            raise InputError(f"{spec}: the option path={path} cannot be read ({why})") from None
        lines = [line.strip() for line in content.splitlines() if line.strip()]
        if not lines:
            raise InputError(f"{spec}: {path} holds no answers; write one per line")
        self._content = hashlib.sha256(content.encode()).hexdigest()[:12]
        return options, lambda request: lines[(_start(request) + _turn(request)) % len(lines)]

    def _prepare_refuse(self, spec: ModelSpec) -> _Prepared:
        options = read_options(spec, RefuseOptions)
        share = options.share

        def rule(request: Request) -> str:
            texts = "\n".join(message.text for message in request.messages)
            draw = derive_seed("refuse", texts, request.seed, request.attempt) / 2**31
            if draw < share:
                raise EngineError(f"{spec} refused this request, as its option share={share} asks")
            return _last_user_text(request)

        return options, rule


def _last_user_text(request: Request) -> str:
    users: list[Message] = [message for message in request.messages if message.role == "user"]
    return users[-1].text if users else ""


def _turn(request: Request) -> int:
    return sum(message.role == "assistant" for message in request.messages)


def _start(request: Request) -> int:
    return derive_seed("cycle", request.seed) if request.sampling.temperature > 0 else 0
