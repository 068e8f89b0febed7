"""A part's output on its way into an upload: cut into pieces that S3 takes, the first of them kept aside, too."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from functions.errors import StoreError
from functions.registry.store import Stat
from functions.registry.uploads import Numbered

UNDER_WAY = 2  # pieces that are being sent while the next is made
SLOW_GROWTH = 4  # after each so manyth of the numbers the pieces double, so that they last


class Piecewise:
    """A writer whose pieces go out under `numbers`, each of `piece` bytes or more, none under `least`.

    send: sends one. keep: keeps the opening, which is the first piece, or everything where that is under `least`.
    """

    def __init__(
        self,
        numbers: range,
        piece: int,
        least: int,
        send: Callable[[int, bytes], Numbered],
        keep: Callable[[bytes], Stat],
    ) -> None:
        self._numbers = numbers
        self._piece = piece
        self._least = least
        self._send = send
        self._keep = keep
        self._held: list[bytes] = []
        self._size = 0
        self._used = 0
        self._under_way: deque[Future[Numbered]] = deque()
        self._pool = ThreadPoolExecutor(UNDER_WAY, thread_name_prefix="piece")
        self._kept: Future[Stat] | None = None
        self.pieces: list[Numbered] = []
        self.opening = 0

    def write(self, data: bytes) -> None:
        self._held.append(data)
        self._size += len(data)
        wanted = self._piece << (self._used * SLOW_GROWTH // len(self._numbers))
        if self._size >= wanted + self._least:  # so that what comes after it is never too little
            self._go(wanted)

    def commit(self) -> Stat:
        """Waits until all has arrived, then keeps the opening; gives that object's."""
        if self._size >= self._least:
            self._go(self._size)
        while self._under_way:
            self.pieces.append(self._under_way.popleft().result())
        kept = self._kept or self._keep_aside(b"".join(self._held))
        stat = kept.result()
        self._pool.shutdown()
        return stat

    def abort(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _go(self, size: int) -> None:
        held = b"".join(self._held)
        self._held.clear()
        body, rest = held[:size], held[size:]
        if self._used == len(self._numbers):
            raise StoreError("the output of a part has grown beyond the pieces it may have; lower FANOUT_PART_BYTES")
        if self._kept is None:
            self._keep_aside(body)
        if rest:
            self._held.append(rest)
        self._size = len(rest)
        while len(self._under_way) >= UNDER_WAY:
            self.pieces.append(self._under_way.popleft().result())
        self._under_way.append(self._pool.submit(self._send, self._numbers[self._used], body))
        self._used += 1

    def _keep_aside(self, opening: bytes) -> Future[Stat]:
        self.opening = len(opening)
        self._kept = self._pool.submit(self._keep, opening)
        return self._kept
