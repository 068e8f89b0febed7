"""One output of the loop: opened by its first byte, compressed if asked, visible once committed."""

from collections.abc import Callable

from functions.registry.store import Stat, Writer
from functions.scoring.compression import Gzip


class Outlet:
    """Bytes on their way into an object. `start` is called once there is something to write."""

    def __init__(self, start: Callable[[], Writer]) -> None:
        self._start = start
        self._writer: Writer | None = None
        self._gzip: Gzip | None = None

    def compress(self) -> None:
        """Asks for gzip; before the first byte."""
        self._gzip = Gzip()

    def write(self, data: bytes) -> None:
        self._pass_on(self._gzip.feed(data) if self._gzip else data)

    def commit(self) -> Stat | None:
        """Makes it visible; None where nothing was written. What is visible is not taken back by `abort`."""
        if self._writer is None:
            return None
        if self._gzip:
            self._pass_on(self._gzip.finish())
        made = self._writer.commit()
        self._writer = None
        return made

    def abort(self) -> None:
        if self._writer is not None:
            self._writer.abort()

    def _pass_on(self, data: bytes) -> None:
        if self._writer is None:
            self._writer = self._start()
        if data:
            self._writer.write(data)
