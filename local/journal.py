"""One line for each request and each drop, for the people in front of it; it must not know how either is handled."""

import json
import re
import sys
import threading
import time
from typing import IO, Any

from local.invocation import Outcome, words_of
from local.notification import keys
from local.spool import Spooled

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")  # in a file's name: neither a new line here nor an order to a terminal


class Journal:
    """Lines on a stream, whole, from any thread."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def show_on(self, stream: IO[str]) -> None:
        """From now on there."""
        with self._lock:
            self._stream = stream

    def note(self, text: str) -> None:
        stream = self._stream or sys.stderr
        with self._lock:
            stream.write(f"{time.strftime('%H:%M:%S')} {CONTROL.sub(_escaped, text)}\n")
            stream.flush()

    def request(self, method: str, target: str, status: int, outcome: Outcome | None) -> None:
        self.note(f"{method} {target} -> {status}{_by(outcome)}")

    def attempt(self, event: Spooled, outcome: Outcome, again: bool) -> None:
        what = ", ".join(keys(event.payload)) or f"event {event.id}"
        if not outcome.failed:
            self.note(f"{what} -> {event.function} {_done(outcome.payload)}{_by(outcome)}")
            return
        then = "will be tried again" if again else f"kept as dead letter {event.id}"
        self.note(f"{what} -> {event.function} failed, {then}{_by(outcome)}: {words_of(outcome.payload)}")


def _escaped(found: re.Match[str]) -> str:
    return ascii(found[0])[1:-1]


def _done(payload: bytes) -> str:
    """What batch says of each drop, shortened; "done" where it says nothing of the kind."""
    try:
        records: list[dict[str, Any]] = json.loads(payload)["records"]
        return ", ".join(_record(record) for record in records) or "done"
    except (ValueError, KeyError, TypeError, AttributeError):
        return "done"


def _record(record: dict[str, Any]) -> str:
    words = [str(record["status"]), str(record.get("reason") or "")]
    words += [f"{count} {what}" for what, count in (record.get("rows") or {}).items()]
    return " ".join(word for word in words if word)


def _by(outcome: Outcome | None) -> str:
    if outcome is None:
        return ""
    start = ", cold start" if outcome.cold else ""
    return f" ({outcome.milliseconds:.1f} ms, {outcome.environment}{start})"
