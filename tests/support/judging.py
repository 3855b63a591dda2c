"""Judges of known bias behind a real server of the OpenAI form."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Scorer = Callable[[str, str, int, int], float]
"""(model, prompt, min, max) -> a score, rounded and kept on the scale before it is sent."""


class JudgeServer(ThreadingHTTPServer):
    """Answers every item by a scorer, and counts what it is asked."""

    daemon_threads = True

    def __init__(self, scorer: Scorer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scorer = scorer
        self.asked = 0

    def model(self, name: str) -> str:
        return f"openai/{name}?base_url=http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: JudgeServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked += 1
        content = body["messages"][-1]["content"]
        text = content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
        low, high = map(int, re.findall(r"whole numbers from (\d) to (\d)", text)[-1])
        score = self.server.scorer(body["model"], text, low, high)
        answer = json.dumps(
            {
                "applies": True,  # read only where it is asked for
                "evidence": [],
                "reason": "so",
                "score": min(high, max(low, round(score))),
            }
        )
        choice = {"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}
        sent = json.dumps(
            {
                "id": "1",
                "object": "chat.completion",
                "created": 0,
                "model": body["model"],
                "choices": [choice],
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *args: Any) -> None:
        return None


@contextmanager
def judges(scorer: Scorer) -> Iterator[JudgeServer]:
    server = JudgeServer(scorer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def skill(text: str) -> float:
    """In [0, 1]: questions of the therapist's and few words of the client's again; crude, and known."""
    therapist = " ".join(re.findall(r"^\[\w+ THERAPIST\] (.*)$", text, re.MULTILINE))
    return min(1.0, therapist.count("?") / 4)


def noise(*parts: str) -> float:
    """In [-1, 1], the same for the same parts."""
    return int(hashlib.sha256("".join(parts).encode()).hexdigest()[:8], 16) / 2**31 - 1
