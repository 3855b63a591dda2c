"""A chat server for tests of what goes over the wire: it refuses what it is told to, and answers the rest."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]
Refuse = Callable[[Body], tuple[int, str] | None]


def images(body: Body) -> list[str]:
    """Returns the images of a request, as URLs."""
    contents = [message["content"] for message in body["messages"] if isinstance(message["content"], list)]
    return [part["image_url"]["url"] for one in contents for part in one if part["type"] == "image_url"]


def words(body: Body) -> int:
    """Counts the words of a request, an image as one."""
    return sum(len(json.dumps(message["content"]).split()) for message in body["messages"])


class ChatServer:
    """Listens on a free port until it is closed.

    Args:
        refuse: Returns status and message for a request that is refused, None for any other.
    """

    def __init__(self, refuse: Refuse) -> None:
        self.answered: list[Body] = []
        self.asked = 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.asked += 1
                refusal = refuse(body)
                reply: dict[str, Any]
                if refusal:
                    status, reply = refusal[0], {"error": {"message": refusal[1], "type": "BadRequestError"}}
                else:
                    server.answered.append(body)
                    said = {"role": "assistant", "content": f"What is {len(body['messages'])} like for you?"}
                    choice = {"index": 0, "finish_reason": "stop", "message": said}
                    status = 200
                    reply = {"id": "1", "object": "chat.completion", "created": 0, "model": "m"}
                    reply["choices"] = [choice]
                content = json.dumps(reply).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()
