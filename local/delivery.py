"""Brings spooled events to their function, at least once, as Lambda's asynchronous invocation does; it must not know
what an event says.

Lambda tries a failed event again after one minute and after two, and keeps one that met no free environment apart
from that count; here the waits are shorter, since somebody is looking on.
"""

import threading
from collections.abc import Callable

from local.function import Function
from local.invocation import Closing, Outcome, Throttled
from local.spool import Spool, Spooled, SpoolError

BACK_OFF = (1.0, 5.0)  # seconds before the second and the third attempt
LOOK = 0.25  # seconds between looks for what another process has made due
AFTER_SPOOL_ERROR = 1.0


class Delivery:
    """As many threads as the function may have environments.

    tell: is told of each attempt that came to an end, and whether it will be tried again. note: a line for people.
    """

    def __init__(self, spool: Spool, function: Function, tell: Callable[[Spooled, Outcome, bool], None],
                 note: Callable[[str], None], back_off: tuple[float, ...]) -> None:  # fmt: skip
        self._spool = spool
        self._function = function
        self._tell = tell
        self._note = note
        self._back_off = back_off
        self._work = threading.Event()
        self._closing = threading.Event()
        self._threads = [
            threading.Thread(target=self._deliver_all, daemon=True) for _ in range(function.declared.concurrency)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def nudge(self) -> None:
        """There is something new in the spool."""
        self._work.set()

    def close(self) -> None:
        """Ends the threads; the function has to be closed before, so that no call is waited for."""
        self._closing.set()
        self._work.set()
        for thread in self._threads:
            thread.join()

    def _deliver_all(self) -> None:
        while not self._closing.is_set():
            try:
                self._work.clear()
                event = self._spool.take(self._function.declared.name)
                if event is None:
                    self._work.wait(LOOK)
                else:
                    self._deliver(event)
            except SpoolError as error:
                self._note(str(error))
                self._closing.wait(AFTER_SPOOL_ERROR)

    def _deliver(self, event: Spooled) -> None:
        try:
            outcome = self._function.invoke(event.payload, request_id=event.id)
        except Throttled:
            self._spool.postpone(event.id, LOOK)
            return
        except Closing:
            self._spool.postpone(event.id, 0.0)
            return
        if not outcome.failed:
            self._spool.done(event.id)
            self._tell(event, outcome, False)
            return
        again = self._back_off[event.attempts] if event.attempts < len(self._back_off) else None
        self._spool.failed(event.id, outcome.payload.decode(errors="replace"), again)
        self._tell(event, outcome, again is not None)
