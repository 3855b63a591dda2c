"""A chat server over the wire: asked again where it fails for a moment, waited for, or given up."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from mirror_bench.engines.openai.answer import breaks_off, error_in, read_json
from mirror_bench.engines.openai.refusals import Refusal, one_line, read_refusal
from mirror_bench.engines.openai.waiting import growing_wait, in_words, named_wait
from mirror_bench.errors import EngineDeadError, EngineError

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_LOG = logging.getLogger("mirror_bench")
# The server counts as gone where all tries of one request found none, at least so many, and no other was
# answered meanwhile. Were a session failed instead, the same command would not hold it again afterwards.
_UNREACHED_LIMIT = 3
# Whoever copies an address from a manual copies the path that is added here, too.
_PATH = "/chat/completions"
_TOLD_FROM_S = 5.0


class RefusedError(Exception):
    """The server refused a request, and would refuse it again."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.words)
        self.refusal = refusal


class _PassingError(Exception):
    """What may be over at the next try.

    Attributes:
        wait: The time that the server names.
        unreached: Whether no server was found.
        stray: Whether what came is no chat server's answer.
    """

    def __init__(
        self, line: str, wait: float | None = None, *, unreached: bool = False, stray: bool = False
    ) -> None:
        super().__init__(line)
        self.wait = wait
        self.unreached = unreached
        self.stray = stray


@dataclass(frozen=True)
class Patience:
    """How often and how long a server is asked again.

    Attributes:
        retries: Repetitions of a failed request.
        timeout: Seconds for one try.
        longest: The longest time in seconds that a server may ask to wait.
    """

    retries: int = 5
    timeout: float = 120.0
    longest: float = 120.0


class ChatServer:
    """Sends chat requests to one OpenAI-compatible address, and asks again where that helps.

    Args:
        name: The engine's name, for messages.
        url: The address, with its query if it has one.
        key: The key, or "".
        patience: How often and how long it is asked again.
    """

    def __init__(self, name: str, url: str, key: str, patience: Patience) -> None:
        import openai

        self.name = name
        self.url = url
        self.dead: EngineDeadError | None = None
        self._keys = (key,) if key else ()
        self._patience = patience
        self._reached = False
        self._unreached = 0
        self._not_before = 0.0
        parts = urlsplit(url)
        path = parts.path.rstrip("/").removesuffix(_PATH)
        # Azure takes keys under a name of its own, and tokens as everybody does.
        azure = (parts.hostname or "").endswith(".azure.com")
        self._client: AsyncOpenAI = openai.AsyncOpenAI(
            # The library insists on a key where a local server wants none.
            api_key=key or "none",
            base_url=urlunsplit((parts.scheme, parts.netloc, path, "", "")),
            default_query=dict(parse_qsl(parts.query, keep_blank_values=True)) or None,
            default_headers={"api-key": key} if azure and key else None,
            max_retries=0,
            timeout=patience.timeout,
        )

    async def complete(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Returns the completion of a request, read as JSON.

        Raises:
            RefusedError: If the server refuses this request.
            EngineError: If it failed at every try.
            EngineDeadError: If the server is gone, is no chat server or wants to be asked much later.
        """
        tries = unreached = 0
        while True:
            await self._hold_back()
            if self.dead:
                raise self.dead
            try:
                completion = await self._once(body)
            except _PassingError as error:
                self._unreached += error.unreached
                unreached += error.unreached
                if error.wait is not None:
                    self._wait(error.wait, str(error))
                tries += 1
                if tries > self._patience.retries:
                    raise self._gave_up(error, tries, unreached) from None
                if error.wait is None:
                    await asyncio.sleep(growing_wait(tries - 1))
            else:
                self._reached, self._unreached = True, 0
                return completion

    def die(self, line: str) -> EngineDeadError:
        """Answers every later request with this error, and returns it."""
        self.dead = EngineDeadError(f"{self.name}: {line}")
        return self.dead

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def _once(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        import openai

        try:
            response = await self._client.chat.completions.with_raw_response.create(**body)
        except openai.APITimeoutError:
            raise _PassingError(f"no answer within timeout={self._patience.timeout:g} s") from None
        except openai.APIConnectionError as error:
            raise self._unconnected(error) from None
        except openai.APIStatusError as error:
            refusal = read_refusal(error.status_code, error.body, error.response.headers, self._keys)
            raise self._refused(refusal) from None
        except openai.OpenAIError as error:
            raise EngineError(f"{self.name}: {self._line(error)}") from None
        completion = read_json(response.text)
        if (failed := error_in(completion)) is not None:
            raise self._refused(read_refusal(failed[0], failed[1], response.headers, self._keys))
        if not isinstance(completion, Mapping):
            raise self._stray(response.text)
        return completion

    def _refused(self, refusal: Refusal) -> RefusedError | _PassingError:
        if refusal.passes:
            wait = named_wait(refusal.headers, refusal.words)
            return _PassingError(f"HTTP {refusal.status}: {refusal.words}", wait)
        return RefusedError(refusal)

    def _unconnected(self, error: Exception) -> _PassingError:
        cause = error.__cause__ or error
        if type(cause).__name__ in {"ConnectError", "UnsupportedProtocol", "ProxyError"}:
            return _PassingError(self._line(cause), unreached=True)
        return _PassingError(f"the connection broke ({self._line(cause)})")

    def _gave_up(self, error: _PassingError, tries: int, unreached: int) -> EngineError | EngineDeadError:
        if error.stray and not self._reached:
            return self.die(self._no_chat_server(str(error)))
        if not error.unreached:
            return EngineError(f"{self.name}: {error} in {tries} {'try' if tries == 1 else 'tries'}")
        line = f"no server answers at base_url={self.url} ({error}); start it or correct base_url"
        gone = unreached == tries and self._unreached >= max(_UNREACHED_LIMIT, tries)
        if self._reached and not gone and self._unreached < _UNREACHED_LIMIT * tries:
            return EngineError(f"{self.name}: {line}")
        return self.die(line)

    def _stray(self, text: str) -> _PassingError | EngineDeadError:
        """A web page comes from another server, or from one that wants a login; anything else may pass."""
        said = one_line(text, self._keys, 120)
        if text.lstrip()[:200].lower().startswith(("<!doctype", "<html", "<?xml", "<head", "<body")):
            return self.die(self._no_chat_server(f"a web page ({said})"))
        if breaks_off(text):
            return _PassingError(f"the answer is no whole JSON object ({said})")
        kind = "JSON" if isinstance(read_json(text), str) else "chat completion"
        return _PassingError(f"something that is no {kind} ({said or 'nothing'})", stray=True)

    def _no_chat_server(self, what: str) -> str:
        return (
            f"{self.url} answers with {what} in place of a chat completion; correct base_url (many end in "
            "/v1), or log in where the server asks for that"
        )

    def _wait(self, seconds: float, said: str) -> None:
        """Holds every request back for the time that the server names, or gives up where that is long."""
        if seconds > self._patience.longest:
            raise self.die(
                f"the server asks to come back in {in_words(seconds)} ({said}); run the same command "
                f"again then, "
                f"what was answered is kept; or wait that long with max_wait={int(seconds) + 1}"
            )
        until = time.monotonic() + seconds
        if until > self._not_before + _TOLD_FROM_S and seconds > _TOLD_FROM_S:
            _LOG.warning("%s: waiting %s, as the server asks (%s)", self.name, in_words(seconds), said)
        self._not_before = max(self._not_before, until)

    async def _hold_back(self) -> None:
        while self._not_before > time.monotonic():  # noqa: ASYNC110 - the time may move on meanwhile
            await asyncio.sleep(max(0.0, self._not_before - time.monotonic()))

    def _line(self, error: BaseException) -> str:
        return one_line(str(error), self._keys) or type(error).__name__
