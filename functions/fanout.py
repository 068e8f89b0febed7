"""The door for a state machine's steps: one huge CSV is scored in parts, and put together as if one had scored it."""

import time
from typing import Any

import msgspec

from functions import telemetry, wiring
from functions.envelopes import steps
from functions.envelopes.steps import AbortStep, FinishStep, PartStep, PlanStep
from functions.errors import EventError
from functions.invocation import seconds_left
from functions.scoring.fanout.run import FanOut, Planned
from functions.scoring.live_worker import LiveWorker
from functions.scoring.report import Report


class FanOutDoor:
    """Step in, what came of it out. An error is raised: the state machine decides whether it is tried again."""

    def __init__(self, live: LiveWorker[FanOut]) -> None:
        self._live = live

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        step = steps.of(event)
        fan_out = self._live.get()
        why = fan_out.why_ignored(step.bucket, step.key)
        if why:
            raise EventError(f"{step.key} is no drop: {why}")
        key = fan_out.within(step.key)
        started = time.perf_counter()
        report: Report | None = None
        try:
            match step:
                case PlanStep():
                    found = fan_out.plan(key)
                    answer = _planned(found) if isinstance(found, Planned) else {**_told(found), "parts": []}
                case PartStep():
                    left = seconds_left(context)
                    fan_out.part(key, step.drop, step.part, left, left() if left else None)
                    answer = {"part": step.part}
                case FinishStep():
                    report = fan_out.finish(key, step.drop)
                    answer = _told(report)
                case AbortStep():
                    finished = fan_out.abort(key, step.drop)
                    answer = _told(finished) if finished else {"status": "given_up", "reason": None, "rows": None}
        except Exception as error:
            request_id = getattr(context, "aws_request_id", None)
            telemetry.failure("the step failed", error, request_id=request_id, key=step.key, step=_name(step))
            raise
        milliseconds = round((time.perf_counter() - started) * 1000, 3)
        _measure(getattr(context, "function_name", None) or "fan-out", step, report, milliseconds)
        return {"key": step.key, **answer}


def _measure(function: str, step: Any, report: Report | None, milliseconds: float) -> None:
    """report: of the finish. Only there rows are counted, and only by the one that did the work."""
    counted = report.rows if report and report.worked else None
    telemetry.measure(
        "step",
        function,
        {
            "RowsScored": (counted.scored if counted else 0, "Count"),
            "RowsRejected": (counted.rejected if counted else 0, "Count"),
            "Milliseconds": (milliseconds, "Milliseconds"),
        },
        key=step.key,
        step=_name(step),
        model=report.version if report else None,
        status=report.status if report else None,
    )


def _planned(plan: Planned) -> dict[str, Any]:
    return {"status": "planned", "drop": plan.digest, "parts": list(range(plan.parts)), "version": plan.version}


def _told(report: Report) -> dict[str, Any]:
    rows = None if report.rows is None else msgspec.to_builtins(report.rows)
    return {"status": report.status, "reason": report.reason, "rows": rows}


def _name(step: Any) -> str:
    return str(step.__struct_config__.tag)


_door = FanOutDoor(wiring.live_fan_out())


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Takes a step: `{"key", "status", ...}`, of a plan its `drop` and the numbers of its `parts` as well.

    Raises EventError for what is no step of a drop in this data store, RunEnded, ModelError, StoreError.
    """
    return _door(event, context)
