"""Waits until somebody wants the process to end; it must not know what runs meanwhile."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

WANTED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ended_by_signals() -> Iterator[threading.Event]:
    """Ctrl-C, SIGTERM and a closed terminal raise KeyboardInterrupt once, inside; further ones are not heard, so
    that the shutting is not cut short. Gives an event that never happens, to wait on.
    """

    def end(_: int, __: FrameType | None) -> None:
        for each in WANTED:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {each: signal.signal(each, end) for each in WANTED}
    try:
        yield threading.Event()
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
