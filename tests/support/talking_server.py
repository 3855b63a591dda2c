"""A real chat server of the OpenAI form for whole runs: it answers by a rule, and can be out of service."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Rule = Callable[[dict[str, Any], int], str]
"""(body of the request, its number) -> what the model says."""


Count = Callable[[str], int]
"""A text -> how many tokens the server says it is."""


class ChatServer(ThreadingHTTPServer):
    """Answers by `rule`, and with HTTP 503 while `down` is true; counts what it is asked."""

    daemon_threads = True

    def __init__(self, rule: Rule, count: Count | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.rule = rule
        self.count = count
        self.down = False
        self.asked = 0

    def model(self, name: str = "m", **options: Any) -> str:
        more = "".join(f"&{key}={value}" for key, value in options.items())
        return f"openai/{name}?base_url=http://127.0.0.1:{self.server_port}/v1{more}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ChatServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked += 1
        status = 503
        answer: dict[str, Any] = {"error": {"message": "overloaded"}}
        if not self.server.down:
            text = self.server.rule(body, self.server.asked)
            message = {"role": "assistant", "content": text}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            asked, told = 5, 7
            if self.server.count is not None:
                asked, told = self.server.count(json.dumps(body["messages"])), self.server.count(text)
            usage = {"prompt_tokens": asked, "completion_tokens": told, "total_tokens": asked + told}
            head = {"id": "1", "object": "chat.completion", "created": 0, "model": "m"}
            status, answer = 200, {**head, "choices": [choice], "usage": usage}
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def serving(rule: Rule, count: Count | None = None) -> Iterator[ChatServer]:
    """Serves while the block runs."""
    server = ChatServer(rule, count)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def verdict(score: int) -> str:
    """What a judge answers."""
    return json.dumps({"evidence": [], "reason": "so", "score": score})
