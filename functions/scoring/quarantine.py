"""Writes rejected rows as CSV: line, reason, message, and the record's exact bytes, so that it can be turned back."""

from typing import Protocol

from functions.scoring.columns import Rejection
from functions.scoring.framing import Rest

COLUMNS = b"line,reason,message,record\n"


class Sink(Protocol):
    def write(self, data: bytes) -> None: ...


class Quarantine:
    """The rejected file, begun by its first row."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._begun = False

    def take(self, rejected: Rejection | Rest) -> None:
        """Writes one row; where its record is not whole, more of it is taken until it is closed."""
        if isinstance(rejected, Rest):
            self._sink.write(_doubled(rejected.body) + (b'"\n' if rejected.last else b""))
        else:
            self._add(rejected)

    def _add(self, rejection: Rejection) -> None:
        if not self._begun:
            self._sink.write(COLUMNS)
            self._begun = True
        message = rejection.message.encode("utf-8", "backslashreplace").replace(b'"', b'""')
        head = b'%d,%s,"%s","' % (rejection.record.line, rejection.reason.encode(), message)
        self._sink.write(head + _doubled(rejection.record.body) + (b'"\n' if rejection.record.whole else b""))


def _doubled(body: bytes) -> bytes:
    return body.replace(b'"', b'""')
