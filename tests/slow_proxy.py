"""A TCP proxy that can be told to pass little or nothing on, as a network does that is narrow or loses packets.

It knows no test.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class SlowProxy:
    """Listens on a free port; `endpoint` is its URL. While it stalls, connections are taken and no byte goes on."""

    def __init__(self, target: str) -> None:
        host, _, port = target.removeprefix("http://").partition(":")
        self._target = (host, int(port))
        self._flowing = threading.Event()
        self._flowing.set()
        self._closed = False
        self._lost = 0
        self._taken = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._narrow = threading.Lock()
        self.rate: float | None = None
        """Bytes a second that go through in all; None where there is no limit."""
        self.asked = 0
        """How many requests went through; small ones, each of which comes in one piece."""
        self.held = 0
        """How many requests came while it stalled."""
        threading.Thread(target=self._accept, daemon=True).start()

    def stall(self) -> None:
        self._flowing.clear()

    def resume(self) -> None:
        self._flowing.set()

    def lose(self) -> None:
        """What is connected now stays so, and no byte comes through it any more; connections made later are well."""
        self._lost = self._taken

    def close(self) -> None:
        self._closed = True
        self._flowing.set()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                self._taken += 1
                for ends in ((near, far, True), (far, near, False)):
                    threading.Thread(target=self._pass_on, args=(self._taken, *ends), daemon=True).start()

    def _pass_on(self, number: int, source: socket.socket, sink: socket.socket, asking: bool) -> None:
        with suppress(OSError), source, sink:
            while data := source.recv(1 << 16):
                if number <= self._lost:
                    continue
                if asking and not self._flowing.is_set():
                    self.held += 1
                self._flowing.wait()
                if self._closed:
                    return
                if rate := self.rate:
                    with self._narrow:
                        time.sleep(len(data) / rate)
                self.asked += asking
                sink.sendall(data)


@contextmanager
def before(target: str) -> Iterator[SlowProxy]:
    """A proxy before the server at this URL."""
    proxy = SlowProxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
