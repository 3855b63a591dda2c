"""A chat server of the OpenAI form over the wire, whose behaviour a test sets."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from mirror_bench.engines.openai.engine import OpenAIEngine
from mirror_bench.modelspec import parse_model

KEY = "sk-test-not-to-be-shown"
Body = dict[str, Any]
Reply = tuple[int, Any, dict[str, str]]
"""Status, body (JSON, or a text as it is) and headers."""


def completion(text: Any = "I hear you.", finish: str = "stop", **message: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": text, **message},
            }
        ],
        "usage": {"prompt_tokens": 11, "completion_tokens": 4, "total_tokens": 15},
    }


def refusal(message: str, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "code": code, "type": "test", "param": param}}


class Server:
    """A real HTTP server that answers what `reply`, or `rule`, says, and keeps what it was asked.

    Attributes:
        reply: Number of the request, from 1 -> what is answered.
        rule: Body of the request -> the same; goes before `reply` where given.
    """

    def __init__(self) -> None:
        self.bodies: list[Body] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.busy = self.most_busy = 0
        self.reply: Callable[[int], Reply] = lambda number: (200, completion(), {})
        self.rule: Callable[[Body], Reply] | None = None
        self.paths: list[str] = []
        lock, server = threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"  # no kept connections: closed means gone

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    server.bodies.append(body)
                    server.headers.append(dict(self.headers))
                    server.times.append(time.monotonic())
                    number = len(server.bodies)
                    server.busy += 1
                    server.most_busy = max(server.busy, server.most_busy)
                    server.paths.append(self.path)
                status, answer, headers = server.answer(body, number)
                content = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
                with lock:
                    server.busy -= 1
                # Whoever asked may have given up meanwhile.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    self.send_response(status)
                    for key, value in {"Content-Type": "application/json", **headers}.items():
                        self.send_header(key, value)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, body: Body, number: int) -> Reply:
        return self.rule(body) if self.rule else self.reply(number)

    @property
    def asked(self) -> int:
        return len(self.bodies)

    def model(self, name: str = "m", **options: Any) -> str:
        more = "".join(f"&{key}={value}" for key, value in options.items())
        return f"openai/{name}?base_url={self.url}{more}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def engine(self, options: str = "") -> OpenAIEngine:
        return OpenAIEngine(parse_model(f"openai/tiny-model?base_url={self.url}{options}"))
