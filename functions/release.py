"""The door for the steps of the state machine that retrains: a new version is judged, promoted, and told of."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from functions import telemetry, wiring
from functions.envelopes import release_steps as steps
from functions.envelopes.release_steps import ExplainStep, GateStep, PromoteStep

if TYPE_CHECKING:
    from functions.candidates import Candidates


class ReleaseDoor:
    """Step in, what came of it out. An error is raised: the state machine decides whether it is tried again."""

    def __init__(self, candidates: "Callable[[], Candidates]") -> None:
        """candidates: gives them at each step, and may raise for a setting that is wrong."""
        self._candidates = candidates

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        step = steps.of(event)
        name, started = str(step.__struct_config__.tag), time.perf_counter()
        try:
            answer = self._answer(step)
        except Exception as error:
            request_id = getattr(context, "aws_request_id", None)
            telemetry.failure("the step failed", error, request_id=request_id, step=name, execution=step.execution)
            raise
        milliseconds = round((time.perf_counter() - started) * 1000, 3)
        function = getattr(context, "function_name", None) or "release"
        telemetry.measure(
            "step",
            function,
            {"Milliseconds": (milliseconds, "Milliseconds")},
            step=name,
            execution=step.execution,
            decision=answer.get("decision"),
            version=answer.get("version"),
        )
        return answer

    def _answer(self, step: steps.ReleaseStep) -> dict[str, Any]:
        candidates = self._candidates()
        match step:
            case GateStep():
                found: Any = candidates.judge(step.run, step.execution)
            case PromoteStep():
                found = candidates.promote(step.run, step.seen, step.execution)
            case ExplainStep():
                found = {"notice": msgspec.to_builtins(candidates.failed(step.why, step.execution))}
        answer: dict[str, Any] = msgspec.to_builtins(found)
        return answer


telemetry.warnings_as_lines()
_door = ReleaseDoor(wiring.candidates)


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Takes a step: of the gate a `decision` with its `reasons`, of all a `notice` of `subject` and `message`.

    Raises EventError for what is no step, PreconditionFailed where the alias was moved meanwhile, NotConfigured,
    ObjectNotFound where training left no evidence, StoreError.
    """
    return _door(event, context)
