"""Lambda's Runtime API on a socket, spoken to real runtimes; it must not know processes, queues or HTTP APIs.

Sources: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes" and "Implementing SnapStart
hooks for container images". awslambdaric keeps one connection for `next` and `response`, so the connection stands for
the environment; `init/error` and all of `restore` come on others.
"""

import socket
import time
from contextlib import suppress
from typing import Protocol
from urllib.parse import unquote

from local.connection import JSON, BodyTooLarge, Connection, Server
from local.environment import Environment
from local.invocation import RESPONSE_BYTES, Invocation, failure

ROOT = "/2018-06-01/runtime/"
ACCEPTED = b'{"status":"OK"}\n'


class Platform(Protocol):
    """What a function does for its runtimes."""

    def wait(self, environment: Environment, line: "RuntimeConnection") -> None:
        """The runtime asks for its next event; `line.deliver` answers, now or later."""

    def snapshot(self, environment: Environment | None, line: "RuntimeConnection") -> None:
        """The runtime is through its INIT, as a snapshot holds it; `line.restore` lets it go on, now or later."""

    def answered(self, request_id: str, payload: bytes, *, failed: bool) -> bool:
        """False where no such event is running."""

    def overflowed(self, request_id: str) -> bool:
        """The answer was too large."""

    def broke_in_init(self, environment: Environment | None, payload: bytes) -> None:
        """Its INIT, or what it does after a restore, failed."""

    def left(self, environment: Environment) -> None:
        """The runtime hung up."""


class RuntimeApi(Server):
    """One port. With an environment, everybody who connects is that one; without, each connection is one."""

    def __init__(self, host: str, port: int, platform: Platform, arn: str, seconds: float,
                 environment: Environment | None = None) -> None:  # fmt: skip
        self.platform = platform
        self.arn = arn
        self.seconds = seconds
        self.environment = environment
        super().__init__(host, port, RuntimeConnection)


class RuntimeConnection(Connection):
    """One runtime's connection."""

    server: RuntimeApi

    def setup(self) -> None:
        super().setup()
        self.environment = self.server.environment

    def do_GET(self) -> None:  # noqa: N802 - the name is http.server's
        if self.path == f"{ROOT}restore/next":
            return self.server.platform.snapshot(self.environment, self)
        if self.path != f"{ROOT}invocation/next":
            return self.refuse(404, "InvalidPath", self.path)
        if self.environment is None:
            host, port = self.client_address[:2]
            self.environment = Environment(f"{host}:{port}")
        # No answer here: this thread goes back to reading, and so sees at once when the runtime hangs up.
        return self.server.platform.wait(self.environment, self)

    def do_POST(self) -> None:  # noqa: N802 - the name is http.server's
        verb, _, rest = self.path.removeprefix(ROOT).partition("/")
        request_id, _, what = unquote(rest).partition("/")
        if not self.path.startswith(ROOT) or (verb, what or rest) not in KNOWN:
            return self.refuse(404, "InvalidPath", self.path)
        try:
            payload = self.body(RESPONSE_BYTES)
        except BodyTooLarge:
            known = verb == "invocation" and self.server.platform.overflowed(request_id)
            return self.refuse(413 if known else 400, "RequestEntityTooLarge", f"more than {RESPONSE_BYTES} bytes")
        if verb in ("init", "restore"):
            self.server.platform.broke_in_init(self.environment, payload)
        elif not self.server.platform.answered(request_id, payload, failed=what == "error"):
            return self.refuse(400, "InvalidRequestID", "no such event is running here")
        return self.reply(202, ACCEPTED, JSON)

    def deliver(self, invocation: Invocation) -> bool:
        now = time.time()
        trace = f"Root=1-{int(now):08x}-{invocation.request_id.replace('-', '')[:24]};Sampled=0"
        headers = [
            *JSON,
            ("Lambda-Runtime-Aws-Request-Id", invocation.request_id),
            ("Lambda-Runtime-Deadline-Ms", str(int((now + self.server.seconds) * 1000))),
            ("Lambda-Runtime-Invoked-Function-Arn", self.server.arn),
            ("Lambda-Runtime-Trace-Id", trace),
        ]
        if invocation.client_context:
            headers.append(("Lambda-Runtime-Client-Context", invocation.client_context))
        try:
            if self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b"":
                return False  # hung up a moment ago
        except BlockingIOError:
            pass  # nothing to read, as it should be
        except OSError:
            return False
        try:
            self.reply(200, invocation.payload, headers)
        except OSError:
            return False
        return True

    def restore(self) -> None:
        with suppress(OSError):  # a runtime that is gone is noticed by its exit
            self.reply(200, b"", JSON)

    def hang_up(self) -> None:
        self.server.drop(self.connection)

    def finish(self) -> None:
        """The connection is over; a private port's process is watched by its exit instead."""
        super().finish()
        if self.environment is not None and self.server.environment is None:
            self.server.platform.left(self.environment)

    def refuse(self, status: int, kind: str, message: str) -> None:
        self.close_connection = True
        self.reply(status, failure(kind, message), JSON)


KNOWN = {("invocation", "response"), ("invocation", "error"), ("init", "error"), ("restore", "error")}
