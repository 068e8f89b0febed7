"""A step of the state machine that retrains: `{"step": "gate", "run": ..., "execution": ...}` and what follows it.

Sources of what a failed state says: AWS Step Functions Developer Guide, "Handling errors in Step Functions workflows";
Amazon SageMaker API Reference, "DescribeTrainingJob", which is the cause where a training job failed.
"""

import json
from typing import Any, TypeAlias

import msgspec

from functions.errors import EventError

LONGEST_CAUSE = 2000  # characters of what is no JSON


class GateStep(msgspec.Struct, frozen=True, tag_field="step", tag="gate"):
    """May the version of this run of training be promoted? execution: whose step it is, for whoever is told."""

    run: str
    execution: str


class PromoteStep(msgspec.Struct, frozen=True, tag_field="step", tag="promote"):
    """Promote it, if the alias still has the ETag `seen` that the gate saw; None where there was no alias."""

    run: str
    execution: str
    seen: str | None


class ExplainStep(msgspec.Struct, frozen=True, tag_field="step", tag="explain"):
    """Say in words why a state failed."""

    execution: str
    error: str
    cause: str = ""

    @property
    def why(self) -> str:
        """Of a training job its reason, of a function its message, else what was said."""
        found = _object(self.cause)
        job, status = found.get("TrainingJobName"), found.get("TrainingJobStatus")
        if job and status:
            reason = found.get("FailureReason") or found.get("SecondaryStatus") or "no reason is given"
            return f"the training job {job} ended as {status}: {reason}"
        if found.get("errorMessage"):
            return f"{found['errorMessage']} ({found.get('errorType') or self.error})"
        return ": ".join(part for part in (self.error, self.cause[:LONGEST_CAUSE]) if part)


ReleaseStep: TypeAlias = GateStep | PromoteStep | ExplainStep


def of(event: Any) -> ReleaseStep:
    """Raises EventError for what is no step."""
    try:
        step: ReleaseStep = msgspec.convert(event, ReleaseStep)
    except msgspec.ValidationError as error:
        raise EventError(
            f"this is no step of the state machine that retrains ({error}); send one as events/release-gate.json, or "
            "start the machine"
        ) from None
    return step


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
