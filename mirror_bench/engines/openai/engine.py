"""Engines behind an OpenAI-compatible server: OpenAI itself, or any server that speaks its chat API."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NoReturn
from urllib.parse import urlsplit

from pydantic import Field

from mirror_bench.engines.answers import Given, hear
from mirror_bench.engines.base import Answer, Message, Request
from mirror_bench.engines.images import images_of
from mirror_bench.engines.limits import too_much
from mirror_bench.engines.openai.answer import read_completion
from mirror_bench.engines.openai.refusals import Refusal, one_line
from mirror_bench.engines.openai.request import Manner, MannerOptions
from mirror_bench.engines.openai.server import ChatServer, Patience, RefusedError
from mirror_bench.engines.reasoning import closes_unopened, holds_marks
from mirror_bench.errors import EngineDeadError, EngineError, InputError, TooMuchError
from mirror_bench.keys import SHOWN, check_url, check_variable, read_key
from mirror_bench.modelspec import ModelSpec, read_options

_LOG = logging.getLogger("mirror_bench")
_DEFAULT_URL = "https://api.openai.com/v1"
# Options that decide no answer: where the server stands, how long and how often it is asked.
_INDIFFERENT = frozenset({"base_url", "api_key_env", "max_retries", "max_wait", "timeout"}) | {
    "max_requests",
    "concurrency",
}
# A server may refuse one field after another; each is learnt from one refusal.
_MOST_LESSONS = 12


class OpenAIOptions(MannerOptions):
    """See `OpenAIEngine`."""

    base_url: str = ""
    server: str = ""
    api_key_env: str = ""
    max_retries: int = Field(5, ge=0)
    max_wait: float = Field(120.0, ge=0)
    timeout: float = Field(120.0, gt=0)
    max_requests: int = Field(0, ge=0)
    concurrency: int = Field(32, ge=1)
    sees: bool = True


class OpenAIEngine:
    """Asks an OpenAI-compatible server; `openai/<model>?base_url=…`.

    Requests that are limited (429), fail on the server's side (5xx) or time out are repeated with growing,
    jittered waits, or after the time that the server names. What the server would refuse to every request
    stops the engine; a field that it refuses is put otherwise where the remedy is certain, said and recorded.

    Options:
        base_url: The server; OPENAI_BASE_URL or OpenAI's own where missing. A query stays one. It decides no
            answer: a run goes on where the model moved to another address.
        server: A word of your own that tells two servers apart which call different models by one name.
        api_key_env: Name of the environment variable that holds the key (OPENAI_API_KEY).
        max_retries: Repetitions of a failed request (5).
        max_wait: The longest time in seconds that a server may ask to wait (120); a longer one stops the run.
        timeout: Seconds for one try (120).
        max_requests: Budget of requests, repetitions not counted; 0 for none.
        concurrency: Requests in flight at once (32).
        sees: Whether images are sent (true).
        max_thinking_tokens, max_tokens: See `answers.RoomOptions`.
        json, tokens_key, leave_out, reasoning_effort, extra_body: See `request.MannerOptions`.

    Raises:
        InputError: If an option is unknown or out of range.
    """

    def __init__(self, spec: ModelSpec) -> None:
        options = read_options(spec, OpenAIOptions)
        given_url = options.base_url or os.environ.get("OPENAI_BASE_URL", "").strip()
        self._url = (given_url or _DEFAULT_URL).rstrip("/")
        self._key_variable = options.api_key_env
        self._patience = Patience(options.max_retries, options.timeout, options.max_wait)
        self._budget = options.max_requests
        self._concurrency = options.concurrency
        self._sees = options.sees
        self._manner = Manner(options)
        self._room = options.room
        self._check(spec)
        self._model = spec.name
        self._name = str(self._decisive(spec))
        self._server: ChatServer | None = None
        self._key = ""
        self._slots = asyncio.Semaphore(self._concurrency)
        self._trying = asyncio.Lock()
        self._asked = 0
        self._proved = False  # whether the server answers some request: then it does not refuse them all
        self._opens_thought = False  # whether answers close thoughts that their prompts have opened
        self.adapted: list[str] = []
        """What is put otherwise than the options say, since the server refused that, in words."""

    @staticmethod
    def identity(spec: ModelSpec) -> str:
        """See `factory.model_identity`: the model and how it is asked, wherever its server stands."""
        decisive = {key: value for key, value in spec.options.items() if key not in _INDIFFERENT}
        return str(ModelSpec(spec.provider, spec.name, decisive))

    @property
    def name(self) -> str:
        """The model and what decides how it is asked; neither its address nor the key."""
        return self._name

    @property
    def sees(self) -> bool:
        """Whether images are sent."""
        return self._sees

    async def start(self) -> None:
        """Opens the connection; nothing is asked yet.

        Raises:
            InputError: If the key is missing or cannot be sent.
        """
        if self._server is not None:
            return
        # Locks belong to the event loop that first waits on them, so each start makes its own.
        self._slots = asyncio.Semaphore(self._concurrency)
        self._trying = asyncio.Lock()
        self._key = self._read_key()
        self._server = ChatServer(self.name, self._url, self._key, self._patience)

    async def answer(self, request: Request) -> Answer:
        """Asks the server.

        Raises:
            EngineError: If this request failed, or the answer holds no word.
            TooMuchError: If it holds more turns or images than the model takes.
            EngineDeadError: If the server is gone, refuses every request or asks to come back much later.
            InputError: If the budget of requests is spent.
        """
        await self.start()
        assert self._server is not None
        async with self._slots:
            if self._server.dead:
                raise self._server.dead
            self._spend()
            completion = await self._ask(request)
        given = self._unechoed(read_completion(completion, self.name))
        self._opens_thought |= closes_unopened(given.text)
        if (
            self._opens_thought
            and given.finish == "length"
            and not (given.thoughts or holds_marks(given.text))
        ):
            # The template opens thoughts, as other answers showed, and this one was cut before its end.
            given = replace(given, opened=True)
        return hear(self.name, given, request.sampling, self._room)

    async def close(self) -> None:
        """Closes the connection."""
        server, self._server = self._server, None
        if server is not None:
            await server.close()

    def _check(self, spec: ModelSpec) -> None:
        where = f"{spec.provider}/{spec.name}"
        try:
            parts = urlsplit(self._url)
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.fragment
            _ = parts.port  # raises where it is no number
        except ValueError:
            usable = False
        if not usable:
            raise InputError(f"{where}: base_url={one_line(self._url)!r} must be like http://host:port/v1")
        check_url(self._url, where)
        if self._key_variable:
            check_variable(self._key_variable, where)

    def _decisive(self, spec: ModelSpec) -> ModelSpec:
        decisive = {key: spec.options[key] for key in spec.options if key not in {*_INDIFFERENT, "sees"}}
        if not self._sees:
            decisive["sees"] = "false"
        return ModelSpec(spec.provider, spec.name, decisive)

    def _read_key(self) -> str:
        variable = self._key_variable or "OPENAI_API_KEY"
        key = read_key(os.environ.get(variable, ""), variable)
        if not key and (self._key_variable or self._url == _DEFAULT_URL):
            raise InputError(f"{self.name}: no key; set the environment variable {variable}")
        return key

    def _spend(self) -> None:
        if self._budget and self._asked >= self._budget:
            raise InputError(
                f"{self.name}: the budget of max_requests={self._budget} is spent; "
                "raise it and run the same command again, remembered answers are not asked twice"
            )
        self._asked += 1

    def _unechoed(self, given: Given) -> Given:
        if not self._key or self._key not in given.text + given.thoughts:
            return given
        text, thoughts = (part.replace(self._key, SHOWN) for part in (given.text, given.thoughts))
        return replace(given, text=text, thoughts=thoughts)

    async def _ask(self, request: Request) -> Mapping[str, Any]:
        """Asks, and asks otherwise where the server refuses how it was asked."""
        assert self._server is not None
        sampling = self._room.widen(request.sampling)
        for _ in range(_MOST_LESSONS):
            body = self._manner.body(self._model, request, sampling, sees=self._sees)
            try:
                completion = await self._server.complete(body)
            except RefusedError as error:
                lesson = self._manner.learn(error.refusal, body)
                if not lesson:
                    await self._give_up(error.refusal, request, body)
                self._tell(lesson, error.refusal)
            else:
                self._proved = True
                return completion
        raise EngineError(f"{self.name}: the server refuses one field of the request after another")

    def _tell(self, lesson: str, refusal: Refusal) -> None:
        line = f'{lesson}: the server says "{refusal.words}"'
        if not any(told.startswith(lesson) for told in self.adapted):
            self.adapted.append(line)
            _LOG.warning("%s: %s", self.name, line)

    async def _give_up(self, refusal: Refusal, request: Request, body: Mapping[str, Any]) -> NoReturn:
        """Raises what a refusal comes to: the end of this request, or of all."""
        assert self._server is not None
        status, said = f"HTTP {refusal.status}", refusal.words
        if refusal.of_key:
            variable = self._key_variable or "OPENAI_API_KEY"
            raise self._server.die(
                f"the server refuses the key ({status}: {said}); "
                f"set the environment variable {variable} to a valid one, or ask for access to the model"
            )
        if refusal.no_money:
            raise self._server.die(
                f"the account's quota or money is spent ({status}: {said}); top it up, or change the key"
            )
        images = len(images_of(request.messages)) if self._sees else 0
        less = too_much(said, images, code=refusal.code, status=refusal.status)
        if images and less is None and refusal.of_images:
            raise self._no_images(refusal)
        if refusal.status == 404 and not refusal.of_content:
            raise self._server.die(
                f"no such model or address at {self._url} ({status}: {said}); correct the model's name "
                f"or base_url"
            )
        # What is too long for one may fit for another, unless it is the room for thoughts that is too large.
        long = less is not None or refusal.of_length
        if not self._proved and not refusal.of_content and (self._room or not long):
            await self._try_out(refusal, request, body, pictured=bool(images))
        line = f"{self.name}: {status}: {said}"
        raise TooMuchError(line, less.images) if less else EngineError(line)

    async def _try_out(
        self, refusal: Refusal, request: Request, body: Mapping[str, Any], *, pictured: bool
    ) -> None:
        """Asks a question that nobody could refuse, once, in the same manner: does it refuse every request?

        Raises:
            EngineDeadError: If so.
        """
        assert self._server is not None
        async with self._trying:
            if self._server.dead:
                raise self._server.dead
            if self._proved:
                return
            images = images_of(request.messages)[:1] if pictured else []
            for parts in ((), tuple(images)) if images else ((),):
                question = Message("user", (*parts, "Say hello, as JSON where JSON is asked for."))
                plain = replace(request, messages=(question,))
                sampling = self._room.widen(request.sampling)
                self._spend()
                try:
                    await self._server.complete(
                        self._manner.body(self._model, plain, sampling, sees=self._sees)
                    )
                except RefusedError as error:
                    if parts:
                        raise self._no_images(error.refusal) from None
                    raise self._server.die(
                        f"the server refuses every request (HTTP {refusal.status}: {refusal.words}); "
                        f"{self._manner.remedy(refusal, body)}"
                    ) from None
                except EngineError:
                    return  # nothing learnt: the next refusal tries again
            self._proved = True

    def _no_images(self, refusal: Refusal) -> EngineDeadError:
        assert self._server is not None
        return self._server.die(
            f"the server takes no images for this model (HTTP {refusal.status}: {refusal.words}); "
            "give --method text (for tasks: --blind), or name a model that sees"
        )
