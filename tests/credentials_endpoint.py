"""A platform's endpoint for credentials, as SnapStart and ECS have it; what it gives may change. It knows no test."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "the one that was given"  # noqa: S105 - of this test alone


class Endpoint(ThreadingHTTPServer):
    """Gives what `given` holds to whoever shows one of `tokens`, and counts how often."""

    daemon_threads = True

    def __init__(self, given: dict[str, Any]) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.given = given
        self.tokens = {TOKEN}
        self.asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/credentials"


class Answer(BaseHTTPRequestHandler):
    server: Endpoint

    def do_GET(self) -> None:
        self.server.asked += 1
        known = self.headers["authorization"] in self.server.tokens
        body = json.dumps(self.server.given if known else {"message": "who are you?"}).encode()
        self.send_response(200 if known else 401)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
        """Nothing."""


@contextmanager
def listening(given: dict[str, Any]) -> Iterator[Endpoint]:
    with Endpoint(given) as endpoint:
        threading.Thread(target=endpoint.serve_forever, args=(0.05,), daemon=True).start()
        yield endpoint
        endpoint.shutdown()
