"""SIGINT and SIGTERM: an end with one line while nothing is published, and no end in the middle of publishing."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from training.endings import Stopped

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def stop_on_signals() -> None:
    """As process 1 of a container Python would ignore SIGTERM, and `docker stop` would wait, then kill."""
    for number in SIGNALS:
        signal.signal(number, _stop)


def ignore_signals() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def unstoppable() -> Iterator[None]:
    """Once publishing begins it is brought to its end, so that `nothing was published` is never said of half of it."""
    before = [(number, signal.getsignal(number)) for number in SIGNALS]
    ignore_signals()
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _stop(number: int, _frame: object) -> None:
    raise Stopped(number)
