"""Knows whether a file can be finished in the time left, from the rate measured so far. It reads no file."""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from functions.errors import DropRefused, OutOfTime
from functions.scoring import reasons

MEASURED_SECONDS = 1.0  # below this a rate says little
DOUBT = 1.2  # how far over the time left the projection must lie before it is believed
RESERVE_SECONDS = 10.0  # for the end of the upload and the summary
RESERVE_SHARE = 0.1  # where an invocation is short
FRESH_SHARE = 0.8  # an invocation with less of its time left has spent it on other files

WORTH_TELLING = 100  # rows that the model refused; fewer are not why a file takes long


class Refusals(NamedTuple):
    """How many rows the model itself refused, and what one of them was told. Each of them takes a prediction alone."""

    rows: int
    told: str


NO_REFUSALS: Final = Refusals(0, "")


class Pace:
    """The clock of one file of `size` bytes.

    left: seconds this invocation still has; whole: seconds a fresh one has. Both None where there is no limit.
    """

    def __init__(
        self,
        size: int,
        left: Callable[[], float] | None = None,
        whole: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._size = size
        self._left = left
        self._whole = whole or 0.0
        self._clock = clock
        self._reserve = min(RESERVE_SECONDS, self._whole * RESERVE_SHARE)
        self._fresh = left is None or left() >= self._whole * FRESH_SHARE
        self._made = clock()
        self._began: tuple[float, int] | None = None
        self._done = 0
        self._refusals = NO_REFUSALS

    def check(self, done: int, refusals: Refusals = NO_REFUSALS) -> None:
        """Called after each block, with the bytes of the input that are done.

        Raises DropRefused (`too_large`) where the file cannot be finished, OutOfTime where a fresh invocation could.
        """
        self._done, self._refusals = done, refusals
        if self._left is None or done >= self._size:
            return
        left = self._left() - self._reserve
        if self._began is None:  # the first block pays for imports; the rate is measured after it
            self._began = (self._clock(), done)
            if left > 0:
                return
        seconds = self._clock() - self._began[0]
        work = done - self._began[1]
        if left > 0 and (seconds < MEASURED_SECONDS or work <= 0):
            return
        rate = work / seconds if work > 0 and seconds > 0 else 0.0
        needed = (self._size - done) / rate if rate else float("inf")
        if left > 0 and needed <= left * DOUBT:
            return
        self._give_up(rate, refusals if refusals.rows >= WORTH_TELLING else NO_REFUSALS)

    def within(self, work: int, refusals: Refusals) -> None:
        """Called while a block is worked at, by any thread, with the input's bytes and the refusals in it so far.

        Raises as `check` does, but only once the time is up: rows that the model refuses are slow and others are not,
        so that a part of a block tells no rate. What it gives as one is the best that is known.
        """
        if self._left is None or self._left() > self._reserve:
            return
        seconds = self._clock() - self._made
        rate = min(self._done + work, self._size) / seconds if seconds > 0 else 0.0
        before = self._refusals
        self._give_up(rate, Refusals(before.rows + refusals.rows, before.told or refusals.told))

    def _give_up(self, rate: float, refusals: Refusals) -> None:
        fitting = int(rate * (self._whole - self._reserve) * 0.8)
        if not self._fresh and (not rate or self._size <= fitting):
            raise OutOfTime("there is not enough time left in this invocation; the event is to be retried")
        needed = _seconds(self._size, rate)
        raise DropRefused(
            reasons.TOO_LARGE,
            _slowed(refusals)
            + f"{self._size} bytes at {rate / 1e6:.2f} MB/s need about {needed}, and one invocation has "
            f"{self._whole:.0f} s; drop it again in files of at most {fitting} bytes, or once the function has more "
            "time or memory, or score it with: python -m functions.score",
        )


def _seconds(size: int, rate: float) -> str:
    return f"{size / rate:.0f} s" if rate else "more time than is left"


def _slowed(refusals: Refusals) -> str:
    if not refusals.rows:
        return ""
    noun, verb = ("row", "was") if refusals.rows == 1 else ("rows", "were")
    return (
        f"{refusals.rows} {noun} so far {verb} rejected as {reasons.NOT_PREDICTABLE}, asked about one by one, which is "
        f"slow ({refusals.told}): mend them first; "
    )
