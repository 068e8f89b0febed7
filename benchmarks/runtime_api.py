"""The least Runtime API that awslambdaric works with: one runtime, one event at a time, as quick as Python can.

A slower one would add the same time to every contestant and so make the ratios smaller. It knows no contestant.
Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass

NEXT = "/2018-06-01/runtime/invocation/next"
PATIENCE = 60.0  # seconds without a byte from the runtime
ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"


class RuntimeFailed(Exception):
    """The runtime reported an error, or went away; the message holds what it said."""


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request of the runtime."""

    method: str
    path: str
    body: bytes


class RuntimeApi:
    """Listens on a free port of this machine; `address` is what AWS_LAMBDA_RUNTIME_API is to say."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.5)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._connection: socket.socket | None = None
        self._events = 0

    def wait_until_ready(self, alive: Callable[[], bool]) -> None:
        """Returns when the runtime asks for its first event. Raises RuntimeFailed where its INIT failed."""
        while self._connection is None:
            try:
                self._connection, _ = self._listener.accept()
            except TimeoutError:
                if not alive():
                    raise RuntimeFailed("the runtime ended before it asked for an event") from None
        self._connection.settimeout(PATIENCE)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._expect(NEXT)

    def send(self, event: bytes) -> None:
        """Answers the runtime's question with an event."""
        self._events += 1
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            f"Lambda-Runtime-Aws-Request-Id: {self._events:032x}\r\n"
            "Lambda-Runtime-Deadline-Ms: 4102444800000\r\n"
            "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:measured\r\n"
            "Lambda-Runtime-Trace-Id: Root=1-6745a1c2-4f2b8d0a6c1e3f5a7b9d0e2f;Sampled=0\r\n"
            f"Content-Length: {len(event)}\r\n\r\n"
        )
        self._write(head.encode() + event)

    def answer(self) -> bytes:
        """The runtime's answer to the event. Raises RuntimeFailed where it is an error."""
        return self._expect(f"/2018-06-01/runtime/invocation/{self._events:032x}/response").body

    def wait_until_idle(self) -> None:
        """Takes the answer as received, and returns when the runtime asks for the next event."""
        self._write(ACCEPTED)
        self._expect(NEXT)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._listener.close()

    def _write(self, data: bytes) -> None:
        if self._connection is None:
            raise RuntimeFailed("no runtime has connected")
        self._connection.sendall(data)

    def _expect(self, path: str) -> Call:
        call = self._read()
        if call.path != path:
            raise RuntimeFailed(f"the runtime sent {call.method} {call.path}: {call.body.decode(errors='replace')}")
        return call

    def _read(self) -> Call:
        data = self._more(b"")
        while b"\r\n\r\n" not in data:
            data = self._more(data)
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("expect", "").lower() == "100-continue":
            self._write(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = int(headers.get("content-length", 0))
        while len(body) < length:
            body = self._more(body)
        method, path, _ = first.split(" ")
        return Call(method, path, body)

    def _more(self, data: bytes) -> bytes:
        if self._connection is None:
            raise RuntimeFailed("no runtime has connected")
        came = self._connection.recv(1 << 16)
        if not came:
            raise RuntimeFailed("the runtime hung up")
        return data + came
