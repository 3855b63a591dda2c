"""Engines behind an OpenAI-compatible server: OpenAI itself, or any server that speaks its chat API."""

from __future__ import annotations

import asyncio
import difflib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mirror_bench.engines.base import Answer, Message, Request
from mirror_bench.engines.images import data_url
from mirror_bench.errors import EngineDeadError, EngineError, InputError
from mirror_bench.modelspec import ModelSpec, Options

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

_DEFAULT_URL = "https://api.openai.com/v1"
_JSON_MODES = ("schema", "object", "off")
_LEAVABLE = frozenset({"temperature", "top_p", "seed", "frequency_penalty", "presence_penalty", "stop"}) | {
    "max_tokens",
    "max_completion_tokens",
    "response_format",
}
# Options that decide no answer: where the server stands, how long and how often it is asked.
_INDIFFERENT = frozenset({"base_url", "api_key_env", "max_retries", "timeout", "max_requests", "concurrency"})
_FINISH = {"length": "length", "content_filter": "content_filter"}
# So many requests in a row that found no server, each after its own retries, and the server counts as gone.
_UNREACHED_LIMIT = 3


class OpenAIEngine:
    """Asks an OpenAI-compatible server; `openai/<model>?base_url=…`.

    Requests that are limited (429), fail on the server's side (5xx) or time out are repeated with growing,
    jittered waits, or after the time that the server's Retry-After names.

    Options:
        base_url: The server; OPENAI_BASE_URL or OpenAI's own where missing. It decides no answer: a run goes
            on where the model moved to another address.
        server: A word of your own that tells two servers apart which call different models by one name.
        api_key_env: Name of the environment variable that holds the key (OPENAI_API_KEY).
        max_retries: Repetitions of a failed request (5).
        timeout: Seconds for one try (120).
        max_requests: Budget of requests, repetitions not counted; 0 for none.
        concurrency: Requests in flight at once (32).
        sees: Whether images are sent (true).
        json: "schema" sends the JSON schema, "object" asks for any JSON, "off" leaves it to the prompt.
        tokens_key: "max_tokens", or "max_completion_tokens" for models that refuse the former.
        leave_out: Comma-separated sampling fields that the model refuses (`temperature`, `seed`, …).

    Raises:
        InputError: If an option is unknown or out of range.
    """

    def __init__(self, spec: ModelSpec) -> None:
        options = Options(spec)
        given_url = options.text("base_url") or os.environ.get("OPENAI_BASE_URL", "")
        self._url = (given_url or _DEFAULT_URL).rstrip("/")
        options.text("server")  # a part of the name alone
        self._key_variable = options.text("api_key_env")
        self._max_retries = options.integer("max_retries", 5)
        self._timeout = options.number("timeout", 120.0)
        self._budget = options.integer("max_requests", 0)
        self._concurrency = options.integer("concurrency", 32)
        self._sees = options.flag("sees", True)
        self._json = options.text("json", "schema")
        self._tokens_key = options.text("tokens_key", "max_tokens")
        self._left_out = frozenset(map(str.strip, options.text("leave_out").split(","))) - {""}
        options.done()
        self._check(spec)
        self._model = spec.name
        self._name = str(self._decisive(spec))
        self._client: AsyncOpenAI | None = None
        self._slots = asyncio.Semaphore(self._concurrency)
        self._asked = 0
        self._reached = False
        self._unreached = 0
        self._dead: EngineDeadError | None = None

    @staticmethod
    def identity(spec: ModelSpec) -> str:
        """See `opening.model_identity`: the model and how it is asked, wherever its server stands."""
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
        """Opens the client; nothing is asked yet.

        Raises:
            InputError: If the key is missing.
        """
        if self._client is not None:
            return
        import openai

        # A semaphore belongs to the event loop that first waits on it, so each start makes its own.
        self._slots = asyncio.Semaphore(self._concurrency)
        self._dead = None
        self._client = openai.AsyncOpenAI(
            api_key=self._key(), base_url=self._url, max_retries=self._max_retries, timeout=self._timeout
        )

    async def answer(self, request: Request) -> Answer:
        """Asks the server.

        Raises:
            EngineError: If this request failed.
            EngineDeadError: If the server is gone, knows no such model or takes no such key.
            InputError: If the budget of requests is spent.
        """
        await self.start()
        async with self._slots:
            if self._dead:
                raise self._dead
            if self._budget and self._asked >= self._budget:
                raise InputError(
                    f"{self.name}: the budget of max_requests={self._budget} is spent; "
                    "raise it and run the same command again, remembered answers are not asked twice"
                )
            self._asked += 1
            completion = await self._ask(self._body(request))
        return _read(completion, self.name)

    async def close(self) -> None:
        """Closes the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _check(self, spec: ModelSpec) -> None:
        parts = urlsplit(self._url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InputError(
                f"{self._model_of(spec)}: base_url={self._url!r} must be like http://host:port/v1"
            )
        if parts.username or parts.password:
            raise InputError(
                f"{self._model_of(spec)}: base_url must hold no password; "
                "put it in an environment variable and name that with api_key_env"
            )
        if self._json not in _JSON_MODES:
            raise InputError(
                f"{spec}: the option json={self._json!r} must be one of {', '.join(_JSON_MODES)}"
            )
        if self._tokens_key not in {"max_tokens", "max_completion_tokens"}:
            raise InputError(f"{spec}: tokens_key must be max_tokens or max_completion_tokens")
        for field in sorted(self._left_out - _LEAVABLE):
            near = difflib.get_close_matches(field, _LEAVABLE, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise InputError(
                f"{spec}: leave_out: no field {field!r}: {hint}known are {', '.join(sorted(_LEAVABLE))}"
            )
        if self._concurrency < 1 or self._timeout <= 0 or self._max_retries < 0 or self._budget < 0:
            raise InputError(
                f"{spec}: concurrency must be at least 1, timeout above 0, "
                "max_retries and max_requests 0 or more"
            )

    @staticmethod
    def _model_of(spec: ModelSpec) -> str:
        return f"{spec.provider}/{spec.name}"

    def _decisive(self, spec: ModelSpec) -> ModelSpec:
        decisive = {
            key: spec.options[key]
            for key in ("server", "json", "tokens_key", "leave_out")
            if key in spec.options
        }
        if not self._sees:
            decisive["sees"] = "false"
        return ModelSpec(spec.provider, spec.name, decisive)

    def _key(self) -> str:
        variable = self._key_variable or "OPENAI_API_KEY"
        key = os.environ.get(variable, "")
        if not key and (self._key_variable or self._url == _DEFAULT_URL):
            raise InputError(f"{self.name}: no key; set the environment variable {variable}")
        # The library insists on a key where a local server wants none.
        return key or "none"

    def _body(self, request: Request) -> dict[str, Any]:
        sampling = request.sampling
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [_message(message, self._sees) for message in request.messages],
            "temperature": sampling.temperature,
            self._tokens_key: sampling.max_tokens,
        }
        if sampling.temperature > 0:
            body |= {"seed": request.seed, "top_p": sampling.top_p}
        if sampling.frequency_penalty:
            body["frequency_penalty"] = sampling.frequency_penalty
        if sampling.presence_penalty:
            body["presence_penalty"] = sampling.presence_penalty
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if request.json_schema is not None and self._json != "off":
            body["response_format"] = _response_format(request.json_schema, self._json)
        return {key: value for key, value in body.items() if key not in self._left_out}

    async def _ask(self, body: dict[str, Any]) -> Any:
        import openai

        assert self._client is not None
        try:
            completion = await self._client.chat.completions.create(**body)
        except openai.APITimeoutError:
            raise EngineError(
                f"{self.name}: no answer within timeout={self._timeout:g} s in {self._max_retries + 1} tries"
            ) from None
        except openai.APIConnectionError as error:
            raise self._unreachable(error) from None
        except openai.APIStatusError as error:
            raise self._refused(error) from None
        except openai.OpenAIError as error:
            raise EngineError(f"{self.name}: {self._line(error)}") from None
        except ValueError as error:  # what the server sent is no JSON
            raise EngineError(
                f"{self.name}: the server's answer cannot be read ({self._line(error)})"
            ) from None
        self._reached, self._unreached = True, 0
        return completion

    def _unreachable(self, error: Exception) -> EngineError | EngineDeadError:
        self._unreached += 1
        reason = self._line(error.__cause__ or error)
        line = (
            f"{self.name}: no server answers at base_url={self._url} ({reason}); start it or correct base_url"
        )
        if self._reached and self._unreached < _UNREACHED_LIMIT:
            return EngineError(line)
        return self._die(line)

    def _refused(self, error: APIStatusError) -> EngineError | EngineDeadError:
        status, said = error.status_code, self._line(error)
        if status in {401, 403}:
            variable = self._key_variable or "OPENAI_API_KEY"
            # What the server says is left out: it may repeat the key.
            return self._die(
                f"{self.name}: the server refuses the key (HTTP {status}); "
                f"set the environment variable {variable} to a valid one"
            )
        if status == 404:
            return self._die(f"{self.name}: no such model or address at {self._url} (HTTP 404): {said}")
        if error.code == "insufficient_quota":
            return self._die(f"{self.name}: the account's quota is spent: {said}")
        return EngineError(f"{self.name}: HTTP {status}: {said}")

    def _die(self, line: str) -> EngineDeadError:
        self._dead = EngineDeadError(line)
        return self._dead

    def _line(self, error: BaseException) -> str:
        text = " ".join(str(error).split()) or type(error).__name__
        key = self._client.api_key if self._client else ""
        return (text.replace(key, "***") if len(key) > 4 else text)[:300]


def _message(message: Message, sees: bool) -> dict[str, Any]:
    if not sees or all(isinstance(part, str) for part in message.parts):
        return {"role": message.role, "content": message.text}
    content: list[dict[str, Any]] = [
        {"type": "text", "text": part}
        if isinstance(part, str)
        else {"type": "image_url", "image_url": {"url": data_url(part)}}
        for part in message.parts
    ]
    return {"role": message.role, "content": content}


def _response_format(schema: Mapping[str, Any], mode: str) -> dict[str, Any]:
    if mode == "object":
        return {"type": "json_object"}
    # OpenAI enforces a schema only where it is strict, and refuses to call any other schema strict.
    described = {"name": "answer", "schema": dict(schema), "strict": _is_closed(schema)}
    return {"type": "json_schema", "json_schema": described}


def _is_closed(schema: Any) -> bool:
    if isinstance(schema, list | tuple):
        return all(_is_closed(part) for part in schema)
    if not isinstance(schema, Mapping):
        return True
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        closed = schema.get("additionalProperties") is False
        if not closed or set(schema.get("required", ())) != set(properties):
            return False
    return all(_is_closed(part) for part in schema.values())


def _read(completion: Any, name: str) -> Answer:
    choices = getattr(completion, "choices", None)
    if not choices or choices[0].message is None:
        raise EngineError(f"{name}: the server's answer holds no choice")
    choice, usage = choices[0], completion.usage
    refusal = getattr(choice.message, "refusal", None)
    return Answer(
        text=choice.message.content or refusal or "",
        finish="content_filter" if refusal else _FINISH.get(choice.finish_reason or "", "stop"),
        prompt_tokens=usage.prompt_tokens if usage else 0,
        tokens=usage.completion_tokens if usage else 0,
    )
