"""The state machine's steps as events, and the door they come to."""

import json
from pathlib import Path
from typing import Any

import pytest

from functions.envelopes import steps
from functions.envelopes.steps import AbortStep, FinishStep, PartStep, PlanStep
from functions.errors import EventError

EVENTS = Path(__file__).parents[2] / "events"
FILE = {"bucket": "drops", "key": "incoming/iris sample.csv"}
DROP = "0123456789abcdef"


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("step-plan", PlanStep(**FILE)),
        ("step-part", PartStep(**FILE, drop=DROP, part=0)),
        ("step-finish", FinishStep(**FILE, drop=DROP)),
        ("step-abort", AbortStep(**FILE, drop=DROP)),
    ],
)
def test_a_sample_step_is_read(name: str, step: steps.Step) -> None:
    assert steps.of(json.loads((EVENTS / f"{name}.json").read_text())) == step


def test_a_plan_that_failed_has_no_drop_to_abort() -> None:
    assert steps.of({"step": "abort", **FILE, "drop": None}) == AbortStep(**FILE)


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ([], "Expected `object`, got `array`"),
        (FILE, "Object missing required field `step`"),
        ({"step": "probe", **FILE}, "Invalid value 'probe' - at `$.step`"),
        ({"step": "plan", "bucket": "drops"}, "Object missing required field `key`"),
        ({"step": "part", **FILE, "drop": DROP, "part": "0"}, "Expected `int`, got `str` - at `$.part`"),
    ],
)
def test_what_is_no_step_is_told_what_to_send(event: Any, why: str) -> None:
    with pytest.raises(EventError) as raised:
        steps.of(event)
    assert raised.value.message == (
        f"this is no step of the state machine ({why}); send one as those in events/, or start the machine with "
        '{"bucket": ..., "key": ...}'
    )
