"""The door for storage events: every CSV dropped in the bucket becomes a scored one."""

import time
from collections.abc import Callable
from typing import Any

import msgspec

from functions import telemetry, wiring
from functions.envelopes import storage
from functions.errors import Unfinished
from functions.invocation import seconds_left
from functions.messages import ObjectCreated, Passed
from functions.scoring.live_worker import LiveWorker
from functions.scoring.report import Report
from functions.scoring.worker import Worker


class BatchDoor:
    """Event in, what was done with each record out.

    Records are handled one after the other. One that fails unexpectedly does not keep the others from being scored.
    A queue is told which messages are to come back; any other sender learns at the end that the invocation failed, so
    that the event is sent again.
    """

    def __init__(self, live: LiveWorker[Worker]) -> None:
        self._live = live

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        left = seconds_left(context)
        whole = left() if left else None
        request_id = getattr(context, "aws_request_id", None)
        function = getattr(context, "function_name", None) or "batch"
        done = _Done()
        for delivery in storage.of(event).deliveries(event):
            if delivery.error:
                done.failed(delivery.id, delivery.id or "message", delivery.error)
                telemetry.failure("the message cannot be read", delivery.error, request_id=request_id, id=delivery.id)
            for message in delivery.objects:
                try:
                    done.records.append(self._record(message, function, left, whole))
                except Exception as error:
                    done.failed(delivery.id, message.key or "", error)
                    telemetry.failure("the drop was not finished", error, request_id=request_id, key=message.key)
            done.from_queue |= delivery.id is not None
        return done.answer()

    def _record(
        self, message: ObjectCreated | Passed, function: str, left: Callable[[], float] | None, whole: float | None
    ) -> dict[str, Any]:
        if isinstance(message, Passed):
            return _ignored(message.key, message.reason)
        worker = self._live.get()
        why = worker.why_ignored(message.bucket, message.key)
        if why:
            return _ignored(message.key, why)
        started = time.perf_counter()
        report = worker.score(worker.within(message.key), left, whole)
        milliseconds = round((time.perf_counter() - started) * 1000, 3)
        rows = None if report.rows is None else msgspec.to_builtins(report.rows)
        record = {"key": message.key, "status": report.status, "reason": report.reason, "rows": rows}
        _measure(function, record, report, milliseconds)
        return record


class _Done:
    """What became of an event, and how its sender learns of it."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.from_queue = False
        self._failures: list[tuple[str, Exception]] = []
        self._to_come_back: dict[str, None] = {}

    def failed(self, name: str | None, what: str, error: Exception) -> None:
        self._failures.append((what, error))
        if name is not None:
            self._to_come_back[name] = None

    def answer(self) -> dict[str, Any]:
        """Raises Unfinished where something failed and no queue asks what."""
        if self.from_queue:
            return {"batchItemFailures": [{"itemIdentifier": name} for name in self._to_come_back]}
        if self._failures:
            told = "; ".join(f"{what}: {error or type(error).__name__}" for what, error in self._failures)
            count = len(self._failures)
            raise Unfinished(f"{count} of {count + len(self.records)} not finished: {told}") from self._failures[0][1]
        return {"records": self.records}


def _measure(function: str, record: dict[str, Any], report: Report, milliseconds: float) -> None:
    counted = report.rows if report.worked else None  # what was done before was counted before
    telemetry.measure(
        "drop",
        function,
        {
            "RowsScored": (counted.scored if counted else 0, "Count"),
            "RowsRejected": (counted.rejected if counted else 0, "Count"),
            "Bytes": (report.size, "Bytes"),
            "Milliseconds": (milliseconds, "Milliseconds"),
        },
        model=report.version,
        **record,
    )


def _ignored(key: str | None, reason: str) -> dict[str, Any]:
    telemetry.log("ignored", key=key, reason=reason)
    return {"key": key, "status": "ignored", "reason": reason, "rows": None}


_door = BatchDoor(wiring.live_worker())


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Scores what a storage event names: `{"records": [{"key", "status", "reason", "rows"}]}`.

    An SQS queue gets `{"batchItemFailures": [{"itemIdentifier"}]}`. Raises EventError for what is no storage event,
    Unfinished where a drop is to be tried again.
    """
    return _door(event, context)
