"""Engines without a model: fixed, deterministic answers for tests and dry runs."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

from mirror_bench.engines.base import Answer, Message, Request
from mirror_bench.errors import EngineError, InputError
from mirror_bench.modelspec import ModelSpec, Options
from mirror_bench.schema import derive_seed

NAMES = ("cycle", "echo", "fixed", "refuse")


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
        options = Options(spec)
        if spec.name not in NAMES:
            raise InputError(f"{spec}: no scripted engine {spec.name!r}: known are {', '.join(NAMES)}")
        self._delay = options.number("delay", 0.0)
        self._sees = options.flag("sees")
        self._rule = getattr(self, f"_prepare_{spec.name}")(spec, options)
        options.done()
        if self._delay < 0:
            raise InputError(f"{spec}: the option delay={self._delay} must be 0 or more seconds")
        self._name = str(ModelSpec(spec.provider, spec.name, self._decisive(spec)))

    @classmethod
    def identity(cls, spec: ModelSpec) -> str:
        """See `opening.model_identity`: a file of answers by its content alone."""
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

    def _prepare_echo(self, spec: ModelSpec, options: Options) -> Callable[[Request], str]:
        return _last_user_text

    def _prepare_fixed(self, spec: ModelSpec, options: Options) -> Callable[[Request], str]:
        text = options.text("text")
        if not text:
            raise InputError(f"{spec}: say what to answer with ?text=…")
        return lambda request: text

    def _prepare_cycle(self, spec: ModelSpec, options: Options) -> Callable[[Request], str]:
        path = Path(options.text("path"))
        try:
            content = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", "not UTF-8 text")
            raise InputError(f"{spec}: the option path={path} cannot be read ({why})") from None
        lines = [line.strip() for line in content.splitlines() if line.strip()]
        if not lines:
            raise InputError(f"{spec}: {path} holds no answers; write one per line")
        self._content = hashlib.sha256(content.encode()).hexdigest()[:12]
        return lambda request: lines[(_start(request) + _turn(request)) % len(lines)]

    def _prepare_refuse(self, spec: ModelSpec, options: Options) -> Callable[[Request], str]:
        share = options.number("share", 1.0)
        if not 0 <= share <= 1:
            raise InputError(f"{spec}: the option share={share} must lie between 0 and 1")

        def rule(request: Request) -> str:
            texts = "\n".join(message.text for message in request.messages)
            draw = derive_seed("refuse", texts, request.seed, request.attempt) / 2**31
            if draw < share:
                raise EngineError(f"{spec} refused this request, as its option share={share} asks")
            return _last_user_text(request)

        return rule


def _last_user_text(request: Request) -> str:
    users: list[Message] = [message for message in request.messages if message.role == "user"]
    return users[-1].text if users else ""


def _turn(request: Request) -> int:
    return sum(message.role == "assistant" for message in request.messages)


def _start(request: Request) -> int:
    return derive_seed("cycle", request.seed) if request.sampling.temperature > 0 else 0
