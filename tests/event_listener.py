"""An HTTP server that keeps the bucket notifications it is sent, for tests of their real form. It judges nothing."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class EventListener:
    """Events in the order of their arrival, as MinIO sent them."""

    def __init__(self) -> None:
        self.url = ""
        self._events: list[dict[str, Any]] = []
        self._arrived = threading.Condition()

    def keep(self, event: dict[str, Any]) -> None:
        with self._arrived:
            self._events.append(event)
            self._arrived.notify_all()

    def wait(self, bucket: str, count: int = 1, seconds: float = 30) -> list[dict[str, Any]]:
        """The events about one bucket, once there are `count` of them. Raises TimeoutError when they do not come."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while len(found := self._about(bucket)) < count:
                if not self._arrived.wait(deadline - time.monotonic()) and time.monotonic() >= deadline:
                    raise TimeoutError(f"{len(found)} of {count} events about {bucket} came within {seconds} s")
            return found

    def _about(self, bucket: str) -> list[dict[str, Any]]:
        return [event for event in self._events if event["Key"].partition("/")[0] == bucket]


@contextmanager
def listening() -> Iterator[EventListener]:
    """A listener on a free port of this machine."""
    listener = EventListener()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            listener.keep(json.loads(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_HEAD(self) -> None:  # MinIO asks whether somebody is there
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        server.daemon_threads = True
        listener.url = f"http://127.0.0.1:{server.server_address[1]}/events"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield listener
        finally:
            server.shutdown()
            thread.join()
