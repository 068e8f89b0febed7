"""One call of a function and what became of it; it must not know sockets, processes or HTTP."""

import json
import threading
import uuid
from dataclasses import dataclass, field

REQUEST_BYTES = 6 * 1024 * 1024
RESPONSE_BYTES = 6 * 1024 * 1024 + 100  # what Lambda's Runtime API counts, to the byte


class Throttled(Exception):
    """No environment was free and no further one is allowed."""


class Closing(Exception):
    """The machine room is being shut; the call was not made, or its answer is lost."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back. `payload` is JSON; `failed` where Lambda would say `X-Amz-Function-Error: Unhandled`.

    `environment` names the process or container that answered; `cold` where this call waited for its start;
    `milliseconds` is the time in the handler.
    """

    payload: bytes
    failed: bool = False
    environment: str = ""
    cold: bool = False
    milliseconds: float = 0.0


def failure(kind: str, message: str) -> bytes:
    """The payload of an error that Lambda itself reports, as in its Developer Guide ("Troubleshoot invocation")."""
    return json.dumps({"errorType": kind, "errorMessage": message}, separators=(",", ":")).encode()


def words_of(payload: bytes | str) -> str:
    """An error's payload in one line for people; as it is where it is no error of Lambda's form."""
    try:
        told = json.loads(payload)
        return f"{told['errorType']}: {told['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return payload if isinstance(payload, str) else payload.decode(errors="replace")


@dataclass(slots=True, eq=False)
class Invocation:
    """A call on its way. It is settled once; whoever comes later is not heard."""

    payload: bytes
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    client_context: str | None = None
    cold: bool = False
    begun: float | None = None  # time.monotonic() when the runtime was given the event
    started: threading.Event = field(default_factory=threading.Event)  # begun, or settled before that
    settled: threading.Event = field(default_factory=threading.Event)
    answer: bytes = b""
    failed: bool = False
    lost: bool = False  # its environment died before it was given the event: to be tried on another one
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def settle(self, payload: bytes = b"", *, failed: bool = False, lost: bool = False) -> bool:
        """True for the one that came first."""
        with self._lock:
            if self.settled.is_set():
                return False
            self.answer, self.failed, self.lost = payload, failed, lost
            self.settled.set()
            self.started.set()
            return True
