"""A proxy before an HTTP server that counts requests, and does something right before or right after one of them."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Literal, NamedTuple, TypeAlias

REQUEST = re.compile(rb"(?:GET|HEAD|PUT|POST|DELETE) \S+ HTTP/1\.1\r\n")


Side: TypeAlias = Literal["before", "after"]
SIDES: tuple[Side, ...] = ("before", "after")


class Step(NamedTuple):
    """before: the server has not seen the request. after: it has answered it, and the client has not seen that."""

    number: int
    side: Side


class Steps:
    """Listens on a free port; `endpoint` is its URL. Requests on one connection come one after the other."""

    def __init__(self, target: str) -> None:
        host, _, port = target.removeprefix("http://").partition(":")
        self._target = (host, int(port))
        self._lock = threading.Lock()
        self._at: Step | None = None
        self._act: Callable[[], None] = lambda: None
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.count = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def begin(self, at: Step | None = None, act: Callable[[], None] = lambda: None) -> None:
        """Counts from 0 again; `act` is called at that step, and what was under way there goes no further."""
        with self._lock:
            self.count, self._at, self._act = 0, at, act

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                _Connection(self, near, socket.create_connection(self._target)).start()

    def asked(self) -> int:
        """The number of the request that begins now."""
        with self._lock:
            self.count += 1
            return self.count

    def reached(self, step: Step) -> bool:
        """Whether this was the step to act at; it is acted at once."""
        with self._lock:
            if step != self._at:
                return False
            self._at = None
        self._act()
        return True


class _Connection:
    """One of the client's, and the one behind it."""

    def __init__(self, steps: Steps, near: socket.socket, far: socket.socket) -> None:
        self._steps = steps
        self._near = near
        self._far = far
        self._number = 0

    def start(self) -> None:
        threading.Thread(target=self._ask, daemon=True).start()
        threading.Thread(target=self._answer, daemon=True).start()

    def _ask(self) -> None:
        with suppress(OSError), self._near, self._far:
            while data := self._near.recv(1 << 16):
                if REQUEST.match(data):
                    self._number = self._steps.asked()
                    if self._steps.reached(Step(self._number, "before")):
                        return
                self._far.sendall(data)

    def _answer(self) -> None:
        with suppress(OSError), self._near, self._far:
            while data := self._far.recv(1 << 16):
                if self._steps.reached(Step(self._number, "after")):
                    return
                self._near.sendall(data)


@contextmanager
def before(target: str) -> Iterator[Steps]:
    """A proxy before the server at this URL."""
    steps = Steps(target)
    try:
        yield steps
    finally:
        steps.close()
