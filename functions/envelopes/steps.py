"""A step of the state machine that scores one object in parts: `{"step": "plan", "bucket": ..., "key": ...}` first."""

from typing import Any, TypeAlias

import msgspec

from functions.errors import EventError


class PlanStep(msgspec.Struct, frozen=True, tag_field="step", tag="plan"):
    """The first step of scoring one object in parts."""

    bucket: str
    key: str


class PartStep(msgspec.Struct, frozen=True, tag_field="step", tag="part"):
    """One part, counted from 0, of the drop that the plan called `drop`."""

    bucket: str
    key: str
    drop: str
    part: int


class FinishStep(msgspec.Struct, frozen=True, tag_field="step", tag="finish"):
    """The last step, once every part is done."""

    bucket: str
    key: str
    drop: str


class AbortStep(msgspec.Struct, frozen=True, tag_field="step", tag="abort"):
    """The last step where one before failed. drop: None where it was the plan."""

    bucket: str
    key: str
    drop: str | None = None


Step: TypeAlias = PlanStep | PartStep | FinishStep | AbortStep


def of(event: Any) -> Step:
    """Raises EventError for what is no step."""
    try:
        step: Step = msgspec.convert(event, Step)
    except msgspec.ValidationError as error:
        raise EventError(
            f"this is no step of the state machine ({error}); send one as those in events/, or "
            'start the machine with {"bucket": ..., "key": ...}'
        ) from None
    return step
