"""Lets steps of a stream happen at the same time, in order and few ahead, so that memory does not grow with it."""

import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, Generic, NamedTuple, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

AHEAD: Final = 2  # pieces that are fetched before they are asked for
PATIENCE: Final = 0.1  # seconds between two looks whether somebody still waits
LAST_WAIT: Final = 1.0  # seconds for the item that is being fetched when nobody wants it any more
MOST_WORKERS: Final = 6  # as many processors as a function can have


def processors() -> int:
    """How many of them this process may use."""
    return min(len(os.sched_getaffinity(0)), MOST_WORKERS)


@contextmanager
def fetched_ahead(items: Iterable[Item]) -> Iterator[Iterator[Item]]:
    """The same items, fetched by another thread; an error comes out where its item would have."""
    fetching = _Fetching(items)
    fetching.start()
    try:
        yield fetching.taken()
    finally:
        fetching.stop()


class _Fetching(threading.Thread, Generic[Item]):
    def __init__(self, items: Iterable[Item]) -> None:
        super().__init__(name="fetch", daemon=True)
        self._items = items
        self._ready: queue.Queue[Item | _End] = queue.Queue(AHEAD)
        self._stopped = threading.Event()

    def run(self) -> None:
        try:
            for item in self._items:
                if not self._hand_over(item):
                    return
            self._hand_over(_End(None))
        except BaseException as error:
            self._hand_over(_End(error))

    def taken(self) -> Iterator[Item]:
        while not isinstance(item := self._ready.get(), _End):
            yield item
        if item.error is not None:
            raise item.error

    def stop(self) -> None:
        """One that waits for a pipe in which nothing comes is left waiting: it hands nothing over any more."""
        self._stopped.set()
        self.join(LAST_WAIT)

    def _hand_over(self, item: "Item | _End") -> bool:
        """False where nobody waits for it any more."""
        while not self._stopped.is_set():
            try:
                self._ready.put(item, timeout=PATIENCE)
            except queue.Full:
                continue
            return True
        return False


class _End(NamedTuple):
    error: BaseException | None


@contextmanager
def in_order(items: Iterable[Item], make: Callable[[Item], Made], workers: int) -> Iterator[Iterator[Made]]:
    """What `make` makes of each item, in their order; as many at once as there are workers."""
    if workers == 1:
        yield map(make, items)
        return
    waiting: deque[Future[Made]] = deque()

    def made() -> Iterator[Made]:
        for item in items:
            waiting.append(pool.submit(make, item))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    with ThreadPoolExecutor(workers, thread_name_prefix="score") as pool:
        try:
            yield made()
        finally:
            for future in waiting:
                future.cancel()
